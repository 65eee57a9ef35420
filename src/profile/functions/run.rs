//! PROFILER_INIT, PROFILER_APPLY, PROFILER_FLUSH: profiles tried out on messages.

use crate::diagnostic::{Code, Diagnostic, Fault, Outcome, Source};
use crate::eval::collections::Map;
use crate::eval::{Call, Notes, Object, Value};
use crate::functions::spec::{Family, FunctionSpec, Kind, SPEC, default, example, fails, required};
use crate::profile::client;
use crate::profile::definition::{self, Definitions};
use crate::profile::measurement::Measurement;
use crate::profile::runner::{Keep, ProfileReport, Profiler};
use parking_lot::{Mutex, MutexGuard};
use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The functions of this family.
pub const FUNCTIONS: &[FunctionSpec] = &[PROFILER_INIT, PROFILER_APPLY, PROFILER_FLUSH];

const PROFILER_INIT: FunctionSpec = FunctionSpec {
    name: "PROFILER_INIT",
    family: Family::Profiler,
    summary: "Makes a profiler of definitions of profiles.",
    details: "The definitions are the JSON that Metron's profiler takes: {\"profiles\": […], \"timestampField\": …}; \
        comments are allowed. A profile has profile (its name), foreach (what its entity is), result, and may have \
        onlyif, init, update, groupBy, expires (days) and description; all but the name are expressions. \
        With timestampField the time of a message is that of its field, else it is now. \
        The length of a period is profiler.client.period.duration (15) in profiler.client.period.duration.units (MINUTES). \
        An expression that is malformed or fails does so only when it is reached, and hinders no other profile; \
        `stellar check FILE.json` finds what is wrong with them before.",
    parameters: &[required(
        "config",
        Kind::Any,
        "the definitions: JSON as a text, or a map of the same form",
    )],
    returns: "a profiler",
    errors: &[
        "the config is neither a text nor a map",
        "it is no JSON, or a field is unknown, missing or of the wrong type",
        "the length of a period is less than a millisecond, or its unit is unknown",
    ],
    examples: &[
        example(
            r#"PROFILER_INIT('{"profiles": [{"profile": "hello-world", "foreach": "ip_src_addr", "init": {"count": "0"}, "update": {"count": "count + 1"}, "result": "count"}]}')"#,
            "Profiler{1 profile(s), 0 messages(s), 0 route(s)}",
        ),
        example(
            "PROFILER_INIT({'profiles': [{'profile': 'users', 'foreach': 'ip', 'init': {'s': 'SET_INIT()'}, 'update': {'s': 'SET_ADD(s, user)'}, 'result': 'LENGTH(s)'}]})",
            "Profiler{1 profile(s), 0 messages(s), 0 route(s)}",
        ),
        fails(
            r#"PROFILER_INIT('{"profiles": [{"profile": "p", "forEach": "ip", "result": "1"}]}')"#,
            "E0222",
        ),
        fails("PROFILER_INIT(null)", "E0203"),
    ],
    see: &["PROFILER_APPLY", "PROFILER_FLUSH"],
    words: &[
        "behaviour",
        "baseline",
        "usual",
        "entity",
        "profile definition",
    ],
    pure: false,
    run: init,
    ..SPEC
};

const PROFILER_APPLY: FunctionSpec = FunctionSpec {
    name: "PROFILER_APPLY",
    family: Family::Profiler,
    summary: "Applies messages to a profiler.",
    details: "Every profile whose onlyif is true takes the message for the entity that its foreach gives: that is a route. \
        The first message of an entity after a flush runs init, every message update; both see the variables of the \
        profile first, then the fields of the message. An expression that gives null assigns nothing. \
        Whole numbers in messages are longs. All messages are read before any is applied.",
    parameters: &[
        required(
            "messages",
            Kind::Any,
            "a JSON object as a text, a JSON list of them as a text, a map made from JSON, or a list of those",
        ),
        required("profiler", Kind::Object("Profiler"), "the profiler"),
    ],
    returns: "the same profiler",
    errors: &[
        "the messages are something else, or a text is not JSON",
        "the profiler is none",
        "foreach gives the empty text",
    ],
    examples: &[
        example(
            r#"PROFILER_APPLY('{"ip": "10.0.0.1"}', PROFILER_INIT('{"profiles": [{"profile": "p", "foreach": "ip", "result": "1"}]}'))"#,
            "Profiler{1 profile(s), 1 messages(s), 1 route(s)}",
        ),
        example(
            r#"PROFILER_APPLY(['{"ip": "10.0.0.1"}', '[{"ip": "10.0.0.2"}, {"user": "eve"}]'], PROFILER_INIT('{"profiles": [{"profile": "p", "foreach": "ip", "result": "1"}]}'))"#,
            "Profiler{1 profile(s), 3 messages(s), 2 route(s)}",
        ),
        fails("PROFILER_APPLY('5', PROFILER_INIT('{}'))", "E0203"),
        fails(
            "PROFILER_APPLY({'ip': '10.0.0.1'}, PROFILER_INIT('{}'))",
            "E0203",
        ),
        fails("PROFILER_APPLY('{', PROFILER_INIT('{}'))", "E0216"),
    ],
    see: &["PROFILER_INIT", "PROFILER_FLUSH"],
    words: &["events", "telemetry", "route", "update"],
    pure: false,
    borrows: false,
    run: apply,
    ..SPEC
};

const PROFILER_FLUSH: FunctionSpec = FunctionSpec {
    name: "PROFILER_FLUSH",
    family: Family::Profiler,
    summary: "Gives the measurements of a profiler and begins new ones.",
    details: "There is one measurement for each profile and entity that had a message since the last flush, in the period \
        of its latest message. result sees the variables of the profile only; groupBy sees profile, entity, start, end, \
        duration and result besides. A measurement whose result, triage or groupBy fails or is null is left out. \
        Variables stay as they are: only init sets them anew. With {'store': true} the measurements are stored as well, \
        where PROFILE_GET finds them.",
    parameters: &[
        required("profiler", Kind::Object("Profiler"), "the profiler"),
        default(
            "options",
            Kind::Map,
            "'store': whether the measurements are stored",
            "{}",
        ),
    ],
    returns: "a list of maps with period (duration, period, start, end), profile, groups, value and entity",
    errors: &[
        "the profiler is none",
        "the options are neither a map nor null, or hold something else",
        "the measurements cannot be stored",
    ],
    examples: &[
        example(
            r#"PROFILER_FLUSH(PROFILER_APPLY('[{"ip": "10.0.0.1", "ts": 1502665200000}, {"ip": "10.0.0.1", "ts": 1502665201000}]', PROFILER_INIT('{"profiles": [{"profile": "p", "foreach": "ip", "init": {"n": "0"}, "update": {"n": "n + 1"}, "result": "n"}], "timestampField": "ts"}')))"#,
            "[{period={duration=900000, period=1669628, start=1502665200000, end=1502666100000}, profile=p, groups=[], value=2, entity=10.0.0.1}]",
        ),
        example("PROFILER_FLUSH(PROFILER_INIT('{}'))", "[]"),
        fails("PROFILER_FLUSH(null)", "E0203"),
        fails(
            "PROFILER_FLUSH(PROFILER_INIT('{}'), {'keep': true})",
            "E0204",
        ),
    ],
    see: &["PROFILER_INIT", "PROFILER_APPLY", "PROFILE_WINDOW"],
    words: &["measure", "tick", "period", "write"],
    pure: false,
    run: flush,
    ..SPEC
};

/// A profiler as a value. Its figures can be read while it is at work.
struct Running {
    profiler: Mutex<Profiler>,
    profiles: usize,
    messages: AtomicU64,
    routes: AtomicU64,
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text())
    }
}

impl Object for Running {
    fn type_name(&self) -> &'static str {
        "Profiler"
    }

    fn text(&self) -> String {
        // Spelled as in Metron.
        format!(
            "Profiler{{{} profile(s), {} messages(s), {} route(s)}}",
            self.profiles,
            self.messages.load(Ordering::Relaxed),
            self.routes.load(Ordering::Relaxed)
        )
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Running {
    /// The profiler, unless an expression of its own asks for it.
    fn lock(&self) -> Outcome<MutexGuard<'_, Profiler>> {
        self.profiler
            .try_lock()
            .ok_or_else(|| Diagnostic::new(Code::NotAvailable, "the profiler is at work already"))
    }
}

/// What each profile of a profiler did so far; `None` for a value that is no profiler.
///
/// Errors: E0217 while it is at work.
pub fn reports(value: &Value) -> Option<Outcome<Vec<ProfileReport>>> {
    let running: &Running = value.as_object()?;
    Some(running.lock().map(|profiler| profiler.reports(None)))
}

/// The profiler among the arguments.
fn running<'a>(call: &'a Call<'_, '_>, index: usize) -> Outcome<&'a Running> {
    let found = call.arg(index).as_object();
    found.ok_or_else(|| call.wrong_type(index, "a profiler (PROFILER_INIT makes one)"))
}

fn definitions(call: &Call<'_, '_>) -> Outcome<Definitions> {
    let read = match call.arg(0) {
        Value::Text(text) => definition::parse(&Arc::new(Source::expression(text.as_str()))),
        Value::Map(map) => definition::from_map(map),
        _ => return Err(call.wrong_type(0, "a string or a map with definitions of profiles")),
    };
    read.map_err(|faults| in_argument(definition::first(faults)))
}

/// A fault with its place in the definitions becomes one of the first argument that shows the definitions too.
fn in_argument(mut fault: Fault) -> Fault {
    if let (Some(source), Some(span)) = (fault.source.take(), fault.span.take()) {
        let place = source.position(span.start);
        fault.message = format!(
            "the definitions are malformed: {} (line {}, column {} of them)",
            fault.message, place.line, place.column
        );
        let label = std::mem::take(&mut fault.label);
        fault = fault.also_in(source, span, label);
    }
    fault.of_argument(0)
}

fn init(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let definitions = definitions(call)?;
    let context = call.context();
    let duration = client::period_duration(context, None)?;
    remark(call, &definitions);
    let profiler = Profiler::new(&definitions, duration, Keep::default(), context)?;
    Ok(Value::Object(Arc::new(Running {
        profiler: Mutex::new(profiler),
        profiles: definitions.profiles.len(),
        messages: AtomicU64::new(0),
        routes: AtomicU64::new(0),
    })))
}

/// Leaves notes about expressions that cannot be good; a profiler takes them all the same, as in Metron.
fn remark(call: &Call<'_, '_>, definitions: &Definitions) {
    let context = call.context();
    let Some(notes) = context.services.get::<Notes>() else {
        return;
    };
    for definition in &definitions.profiles {
        for (role, fault) in definition.problems(context) {
            if notes.full() {
                return;
            }
            let hint = fault.help.iter().map(|help| format!("; {help}"));
            let hint: String = hint.collect();
            notes.say(format!(
                "the {role} of profile {} will fail: {}{hint}",
                definition.profile, fault.message
            ));
        }
    }
}

fn apply(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let running = running(call, 1)?;
    let context = Profiler::context(call.context());
    let mut profiler = running.lock()?;
    let done = profiler.apply_value(call.arg(0), &context, &|| call.step());
    let (_, messages, routes) = profiler.counts();
    running.messages.store(messages, Ordering::Relaxed);
    running.routes.store(routes, Ordering::Relaxed);
    drop(profiler);
    done.map_err(|mut fault| match fault.code {
        Code::Interrupted | Code::Steps | Code::Timeout => fault,
        _ => {
            fault.message = format!("{}: {}", call.name, fault.message);
            fault.of_argument(0)
        }
    })?;
    Ok(call.take(1))
}

fn flush(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let running = running(call, 0)?;
    let store = match call.arg(1) {
        Value::Null => false,
        Value::Map(map) => stores(call, map)?,
        _ => return Err(call.wrong_type(1, "a map")),
    };
    let context = Profiler::context(call.context());
    let flushed = running.lock()?.flush(&context)?;
    let measurements: Vec<Measurement> = flushed.into_iter().map(|f| f.measurement).collect();
    if store {
        keep(call, &measurements)?;
    }
    let maps = measurements.iter().map(|m| Value::Map(m.to_map()));
    Ok(Value::from(maps.collect::<Vec<_>>()))
}

/// What the options say. Errors: E0204.
fn stores(call: &Call<'_, '_>, options: &Map) -> Outcome<bool> {
    let mut store = false;
    for (key, value) in options.entries() {
        match (key.as_text(), value) {
            (Some("store"), Value::Bool(b)) => store = b,
            (Some("store"), other) => {
                let found = other.kind_in_words();
                return Err(
                    call.wrong_value(1, format!("the option store is true or false, not {found}"))
                );
            }
            _ => return Err(call.wrong_value(1, "the only option is store")),
        }
    }
    Ok(store)
}

/// Stores measurements where the client reads them. Errors: E0217 without a store, those of the store.
fn keep(call: &Call<'_, '_>, measurements: &[Measurement]) -> Outcome<()> {
    let place = client::place(call.context(), None)?;
    super::store(call, &place, measurements)
}
