//! Objects stored in files: whole, or one entry of a map.

use super::allowed::{Found, files, read_all};
use super::{NOT_ALLOWED, PATH};
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use crate::eval::convert::to_long;
use crate::eval::json::{bad_json, read};
use crate::eval::{Call, Context, Value, own};
use crate::functions::kryo;
use crate::functions::spec::{
    Family, FunctionSpec, Kind, Parameter, Presence, SPEC, example, fails, required,
};
use cap_std::fs::OpenOptions;
use parking_lot::Mutex;
use smol_str::SmolStr;
use std::collections::HashMap;
use std::time::{Duration, Instant};

const SIZE: &str = "object.cache.size";
const EXPIRATION: &str = "object.cache.expiration";
const EXPIRATION_MINUTES: &str = "object.cache.expiration.minutes";
const TIME_UNIT: &str = "object.cache.time.unit";
const LARGEST_FILE: &str = "object.cache.max.file.size";
/// The global under which the same keys count for one function only.
const OWN_SETTINGS: &str = "enrichment.object.get.settings";

const UNITS: &[(&str, u64)] = &[
    ("NANOSECONDS", 1),
    ("MICROSECONDS", 1_000),
    ("MILLISECONDS", 1_000_000),
    ("SECONDS", 1_000_000_000),
    ("MINUTES", 60_000_000_000),
    ("HOURS", 3_600_000_000_000),
    ("DAYS", 86_400_000_000_000),
];

pub(super) const OBJECT_GET: FunctionSpec = FunctionSpec {
    name: "OBJECT_GET",
    family: Family::Files,
    summary: "Reads an object from a file of JSON or of a stored object.",
    details: "What was read is kept for a day. The globals object.cache.size (1000 files), object.cache.expiration (1440) with \
        object.cache.time.unit (MINUTES), and object.cache.max.file.size (1048576 bytes) change that.",
    parameters: &[Parameter {
        presence: Presence::Optional,
        ..PATH
    }],
    returns: "the object; null when the path is null or missing, or the file empty",
    errors: &[
        NOT_ALLOWED,
        "the argument is no string, or empty",
        "there is no such file, or it is larger than object.cache.max.file.size",
        "the file holds neither JSON nor an object in Metron's Kryo form",
    ],
    examples: &[
        example("OBJECT_GET(null)", "null"),
        example("OBJECT_GET()", "null"),
        fails("OBJECT_GET('/data/assets.json')", "E0217"),
        fails("OBJECT_GET(5)", "E0203"),
    ],
    see: &["ENRICHMENT_OBJECT_GET", "LOCAL_READ"],
    words: &["load", "deserialize", "hdfs", "cache"],
    pure: false,
    run: object_get,
    ..SPEC
};

pub(super) const ENRICHMENT_OBJECT_GET: FunctionSpec = FunctionSpec {
    name: "ENRICHMENT_OBJECT_GET",
    family: Family::Files,
    summary: "Looks an indicator up in a map that a file holds.",
    details: "What was read is kept for a day. The globals object.cache.size (1000 files), object.cache.expiration (1440) with \
        object.cache.time.unit (MINUTES), and object.cache.max.file.size (1048576 bytes) change that; so do the same keys inside \
        the global enrichment.object.get.settings, for this function only.",
    parameters: &[
        PATH,
        required("indicator", Kind::Text, "the key to look up"),
    ],
    returns: "the value of the indicator; null when there is none, or path or indicator is null",
    errors: &[
        NOT_ALLOWED,
        "there are not exactly two arguments",
        "an argument is neither a string nor null",
        "there is no such file, or it is larger than object.cache.max.file.size",
        "the file does not hold a map",
    ],
    examples: &[
        example("ENRICHMENT_OBJECT_GET('/data/assets.json', null)", "null"),
        fails(
            "ENRICHMENT_OBJECT_GET('/data/assets.json', '10.0.0.1')",
            "E0217",
        ),
        fails("ENRICHMENT_OBJECT_GET('/data/assets.json')", "E0202"),
    ],
    see: &["OBJECT_GET", "ENRICHMENT_GET"],
    words: &["lookup", "asset", "hdfs", "cache"],
    pure: false,
    strict: true,
    run: enrichment_object_get,
    ..SPEC
};

/// How objects are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Settings {
    files: usize,
    lifetime: Duration,
    largest: usize,
}

/// The service that keeps what was read.
#[derive(Debug, Default)]
pub struct Objects {
    whole: Mutex<Kept>,
    /// Apart, since it may be kept otherwise.
    enrichment: Mutex<Kept>,
}

type Kept = HashMap<SmolStr, (Instant, Value)>;

#[cold]
fn bad_global(key: &str, wanted: &str) -> Fault {
    Diagnostic::new(
        Code::ArgumentValue,
        format!("the global {key} must be {wanted}"),
    )
}

fn settings(context: &Context, own: bool) -> Outcome<Settings> {
    let globals = context.globals.read();
    let own = match globals.get(OWN_SETTINGS) {
        Some(Value::Map(map)) if own => Some(map.clone()),
        _ => None,
    };
    let general = |key: &str| globals.get(key).cloned().filter(|value| !value.is_null());
    let special = |key: &str| own.as_ref()?.get_text(key).filter(|value| !value.is_null());
    let number = |key: &str, value: Option<Value>, default: u64| match value {
        None => Ok(default),
        Some(value) => to_long(&value)
            .and_then(|number| u64::try_from(number).ok())
            .ok_or_else(|| bad_global(key, "a whole number that is not negative")),
    };
    let unit = |value: Option<Value>| match value {
        None => Ok(None),
        Some(value) => {
            let found = UNITS.iter().find(|(name, _)| value.as_text() == Some(name));
            let names: Vec<&str> = UNITS.iter().map(|(name, _)| *name).collect();
            found
                .map(|(_, nanos)| Some(*nanos))
                .ok_or_else(|| bad_global(TIME_UNIT, &crate::diagnostic::quoted_list(&names)))
        }
    };
    let minute = 60_000_000_000;
    // The old key counts before the new one, and in minutes.
    let (mut lifetime, mut nanos) = match general(EXPIRATION_MINUTES) {
        Some(minutes) => (number(EXPIRATION_MINUTES, Some(minutes), 1440)?, minute),
        None => (
            number(EXPIRATION, general(EXPIRATION), 1440)?,
            unit(general(TIME_UNIT))?.unwrap_or(minute),
        ),
    };
    lifetime = number(EXPIRATION, special(EXPIRATION), lifetime)?;
    nanos = unit(special(TIME_UNIT))?.unwrap_or(nanos);
    let either = |key: &str, default: u64| {
        number(key, special(key).or_else(|| general(key)), default)
            .map(|number| usize::try_from(number).unwrap_or(usize::MAX))
    };
    Ok(Settings {
        files: either(SIZE, 1000)?,
        lifetime: Duration::from_nanos(lifetime.saturating_mul(nanos)),
        largest: either(LARGEST_FILE, 1 << 20)?,
    })
}

/// The object of a file, which nobody may change. Errors: see the functions.
fn object(call: &Call<'_, '_>, path: &str, own: bool) -> Outcome<Value> {
    let context = call.context();
    let settings = settings(context, own)?;
    let service = context.services.get::<Objects>();
    let kept = service.as_ref().map(|objects| match own {
        true => &objects.enrichment,
        false => &objects.whole,
    });
    // The path is judged each time: what may be read can change, what was read is not asked for it.
    let spot = files(call)?.spot(call, 0, path, false)?;
    if let Some((since, value)) = kept.and_then(|kept| kept.lock().get(path).cloned())
        && since.elapsed() < settings.lifetime
    {
        return Ok(value);
    }
    let Found::Open(file) = spot.open(call, 0, OpenOptions::new().read(true))? else {
        let message = format!("there is no file {path} that can be read");
        return Err(Diagnostic::new(Code::CannotRead, message).of_argument(0));
    };
    let large = |_| {
        let message = format!(
            "the file has more than {} bytes, which is what the global {LARGEST_FILE} allows",
            settings.largest
        );
        call.wrong_value(0, message)
    };
    if file
        .metadata()
        .is_ok_and(|metadata| metadata.len() > settings.largest as u64)
    {
        return Err(large(()));
    }
    let Some(bytes) = read_all(call, file, settings.largest)? else {
        let message = format!("{path} cannot be read");
        return Err(Diagnostic::new(Code::CannotRead, message).of_argument(0));
    };
    let value = match bytes.is_empty() {
        true => Value::Null,
        false => deserialized(&bytes, call)?,
    };
    if let Some(kept) = kept {
        keep(&mut kept.lock(), path, value.clone(), &settings);
    }
    Ok(value)
}

/// Keeps an object; where there are too many, those that were read first go.
fn keep(kept: &mut Kept, path: &str, value: Value, settings: &Settings) {
    kept.insert(path.into(), (Instant::now(), value));
    if kept.len() > settings.files {
        kept.retain(|_, (since, _)| since.elapsed() < settings.lifetime);
    }
    while kept.len() > settings.files {
        let oldest = kept.iter().min_by_key(|(_, (since, _))| *since);
        let Some(path) = oldest.map(|(path, _)| path.clone()) else {
            return;
        };
        kept.remove(&path);
    }
}

/// The object that bytes stand for: JSON, or a value in Kryo as Metron stores it.
fn deserialized(bytes: &[u8], call: &Call<'_, '_>) -> Outcome<Value> {
    let json = std::str::from_utf8(bytes)
        .ok()
        .map(|text| read(text, call.context().limits.depth));
    if let Some(Ok(value)) = json {
        return Ok(value);
    }
    kryo::read(bytes).map_err(|damaged| {
        let why = match json {
            Some(Err(bad)) => bad_json(Code::NotJson, &bad).message.clone(),
            _ => "it is no UTF-8".to_string(),
        };
        let message = "the file holds neither JSON nor a stored object";
        Diagnostic::new(Code::NotJson, message)
            .of_argument(0)
            .note(format!("as JSON: {why}"))
            .note(format!("as an object: {}", damaged.message))
    })
}

fn object_get(call: &mut Call<'_, '_>) -> Outcome<Value> {
    match call.arg(0) {
        Value::Null => Ok(Value::Null),
        Value::Text(path) => {
            // What was kept is shared by all threads and must stay as it is.
            let mut value = object(call, path, false)?;
            own(&mut value);
            Ok(value)
        }
        _ => Err(call.wrong_type(0, "a path")),
    }
}

fn enrichment_object_get(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let mut texts = Vec::with_capacity(2);
    for index in [0, 1] {
        match call.arg(index) {
            Value::Text(text) => texts.push(text),
            Value::Null => {}
            _ => return Err(call.wrong_type(index, "a string")),
        }
    }
    let [path, indicator] = texts.as_slice() else {
        return Ok(Value::Null);
    };
    match object(call, path, true)? {
        Value::Map(map) => {
            let mut value = map.get_text(indicator).unwrap_or_default();
            own(&mut value);
            Ok(value)
        }
        other => {
            let message = format!("{path} must hold a map, not {}", other.kind_in_words());
            Err(Diagnostic::new(Code::NotJson, message).of_argument(0))
        }
    }
}
