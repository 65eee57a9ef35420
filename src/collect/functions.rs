//! Look-ups in the language.

use super::Collections;
use super::entry::{EVENTDATE, Found};
use super::key::{Field, Key, Kind};
use super::lookup::{Answer, Collection, Want};
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome, nearest};
use crate::eval::collections::{Entries, Map, MapKind};
use crate::eval::{Call, Value};
use crate::functions::spec::{Family, FunctionSpec, Kind as Type, SPEC, fails, repeated, required};
use crate::store::Within;
use smallvec::SmallVec;
use std::sync::Arc;

/// The functions of this part.
pub const FUNCTIONS: &[FunctionSpec] = &[COLLECTION_HAS, COLLECTION_GET, CCHAS, CCGET];

const DETAILS: &str = "The name is the friendlyName of a collection in the domain of `[collect] domain`; one that does \
    not exist is an error, so that a misspelt name is no silent false. Values stand in the order of the key fields, or \
    as one list, and count as the types that the collection says (`{name: port, type: int8}`); where it says none, \
    what `==` calls equal is the same key: 443 and 443.0, but not '443'.\n\n\
    Over many events, in `map`, `filter` and pipelines, questions go to the store together. What was found is believed \
    for a while: that a key is there for a minute at most and never beyond its time, that it is not there, and its \
    values, for a second. A store that does not answer within ten seconds (or `limits.time`, if that is less) is an \
    error, never false; it is asked again after a second.";

const ERRORS: &[&str] = &[
    "there is no collection of this name",
    "there are more or fewer values than key fields, or one of them is a map, a set or an object",
    "the store does not answer",
];

const COLLECTION_HAS: FunctionSpec = FunctionSpec {
    name: "COLLECTION_HAS",
    family: Family::Collected,
    summary: "Tells whether a collection holds a key whose time is not over.",
    details: DETAILS,
    parameters: &[
        required("name", Type::Text, "which collection"),
        repeated("key", Type::Any, "the values of its key fields"),
    ],
    returns: "true or false",
    errors: ERRORS,
    examples: &[
        fails("COLLECTION_HAS('no such collection', 'alice')", "E0204"),
        fails("COLLECTION_HAS(5, 'alice')", "E0203"),
        fails("COLLECTION_HAS()", "E0202"),
    ],
    see: &["COLLECTION_GET"],
    words: &["redis", "seen", "lately", "devo", "lookup"],
    pure: false,
    asks: true,
    run: has,
    ..SPEC
};

const COLLECTION_GET: FunctionSpec = FunctionSpec {
    name: "COLLECTION_GET",
    family: Family::Collected,
    summary: "Gets what a collection keeps with a key.",
    details: DETAILS,
    parameters: &[
        required("name", Type::Text, "which collection"),
        repeated(
            "key",
            Type::Any,
            "the values of its key fields; behind them the name of the field that is wanted, if only one is",
        ),
    ],
    returns: "the value of the field, or a map of all with `eventdate`, the time of the last event in milliseconds; \
        null when the key is not there",
    errors: ERRORS,
    examples: &[
        fails("COLLECTION_GET('no such collection', 'alice')", "E0204"),
        fails("COLLECTION_GET(null, 'alice', 'city')", "E0203"),
    ],
    see: &["COLLECTION_HAS"],
    words: &["redis", "seen", "lately", "devo", "lookup"],
    pure: false,
    asks: true,
    run: get,
    ..SPEC
};

const CCHAS: FunctionSpec = FunctionSpec {
    name: "CCHAS",
    summary: "Tells whether a collection holds a key: Devo's name of COLLECTION_HAS.",
    details: "It does what COLLECTION_HAS does.",
    examples: &[
        fails("CCHAS('no such collection', 'alice')", "E0204"),
        fails("CCHAS(5, 'alice')", "E0203"),
    ],
    see: &["COLLECTION_HAS", "CCGET"],
    ..COLLECTION_HAS
};

const CCGET: FunctionSpec = FunctionSpec {
    name: "CCGET",
    summary: "Gets what a collection keeps with a key: Devo's name of COLLECTION_GET.",
    details: "It does what COLLECTION_GET does.",
    examples: &[
        fails("CCGET('no such collection', 'alice')", "E0204"),
        fails("CCGET(5, 'alice')", "E0203"),
    ],
    see: &["COLLECTION_GET", "CCHAS"],
    ..COLLECTION_GET
};

fn has(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let asked = Asked::new(call)?;
    if asked.field.is_some() {
        return Err(asked.wrong_number(call));
    }
    let answer = asked.look(call, Want::Presence)?;
    Ok(Value::Bool(answer.is_there()))
}

fn get(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let asked = Asked::new(call)?;
    let about = &asked.collection.about;
    let field = match asked.field {
        None => None,
        Some(index) => {
            let Some(name) = call.arg(index).as_text() else {
                return Err(call.wrong_type(index, "the name of a field"));
            };
            let known = name == EVENTDATE || about.value_fields.iter().any(|f| f.name == name);
            if !known {
                return Err(unknown_field(call, index, name, &about.value_fields));
            }
            Some(name)
        }
    };
    let Answer::Entry(found) = asked.look(call, Want::Entry)? else {
        return Ok(Value::Null);
    };
    let Some(field) = field else {
        return Ok(whole(&found, &about.value_fields));
    };
    if field == EVENTDATE {
        return Ok(Value::Long(found.date));
    }
    let mut fields = found.fields.iter().flatten();
    let text = fields.find(|(name, _)| name == field);
    Ok(text.map_or(Value::Null, |(_, text)| {
        kind(&about.value_fields, field).read(text)
    }))
}

/// All that is kept with a key, in the order in which the collection names it.
fn whole(found: &Found, fields: &[Field]) -> Value {
    let mut entries = Entries::default();
    entries.insert(Value::text(EVENTDATE), Value::Long(found.date));
    let texts = found.fields.as_deref().unwrap_or_default();
    for field in fields {
        if let Some((name, text)) = texts.iter().find(|(name, _)| *name == field.name) {
            entries.insert(Value::Text(name.clone()), field.kind.read(text));
        }
    }
    for (name, text) in texts {
        if !fields.iter().any(|field| field.name == *name) {
            entries.insert(Value::Text(name.clone()), Value::Text(text.clone()));
        }
    }
    Value::Map(Map::new(MapKind::Ordered, entries))
}

fn kind(fields: &[Field], name: &str) -> Kind {
    let mut fields = fields.iter();
    fields
        .find(|field| field.name == name)
        .map_or(Kind::Any, |field| field.kind)
}

/// What a call asks for.
struct Asked {
    service: Arc<Collections>,
    collection: Arc<Collection>,
    key: Key,
    /// Which argument names a field.
    field: Option<usize>,
}

impl Asked {
    fn new(call: &Call<'_, '_>) -> Outcome<Asked> {
        let context = call.context();
        let service = context.services.get::<Collections>().ok_or_else(|| {
            let message = format!("{} needs a store, and there is none", call.name);
            Diagnostic::new(Code::NotAvailable, message)
        })?;
        let Some(name) = call.arg(0).as_text() else {
            return Err(call.wrong_type(0, "the name of a collection"));
        };
        let Some(collection) = service.named(name, context)? else {
            return Err(unknown(call, &service, name));
        };
        let fields = &collection.about.key_fields;
        let list = match call.arg(1) {
            Value::List(list) => Some(list.items()),
            _ => None,
        };
        let given: &[Value] = match &list {
            Some(items) => items,
            None => call.arguments.get(1..).unwrap_or_default(),
        };
        // A collection that does not say what its keys are made of takes all values for them.
        let wanted = if fields.is_empty() {
            given.len()
        } else {
            fields.len()
        };
        let behind = if list.is_some() { 2 } else { 1 + wanted };
        let (least, most) = (call.count() >= behind, call.count() <= behind + 1);
        if given.len() < wanted || !least || !most || (list.is_some() && given.len() != wanted) {
            return Err(wrong_number(call, &collection));
        }
        let typed: SmallVec<[Value; 4]> = given
            .iter()
            .take(wanted)
            .enumerate()
            .map(|(n, value)| {
                fields
                    .get(n)
                    .map_or(Kind::Any, |field| field.kind)
                    .of(value)
            })
            .collect();
        let key = Key::of(&collection.base, &typed)?;
        let field = (call.count() > behind).then_some(behind);
        Ok(Asked {
            service,
            collection,
            key,
            field,
        })
    }

    fn look(&self, call: &Call<'_, '_>, want: Want) -> Outcome<Answer> {
        self.service
            .look(&self.collection, self.key.clone(), want, call.context())
    }

    fn wrong_number(&self, call: &Call<'_, '_>) -> Fault {
        wrong_number(call, &self.collection)
    }
}

#[cold]
fn wrong_number(call: &Call<'_, '_>, collection: &Collection) -> Fault {
    let fields: Vec<&str> = collection
        .about
        .key_fields
        .iter()
        .map(|f| f.name.as_str())
        .collect();
    let many = match fields.len() {
        1 => "1 key field".to_string(),
        n => format!("{n} key fields"),
    };
    let name = &collection.about.name;
    let message = format!(
        "{}: the collection {name:?} has {many}: {}",
        call.name,
        fields.join(", ")
    );
    Diagnostic::new(Code::ArgumentCount, message).help(format!(
        "write {}({name:?}, {})",
        call.name,
        fields.join(", ")
    ))
}

#[cold]
fn unknown(call: &Call<'_, '_>, service: &Collections, name: &str) -> Fault {
    let (domain, place) = (service.domain(), service.place());
    let fault = call.wrong_value(
        0,
        format_args!("there is no collection {name:?} in the domain {domain} ({place})"),
    );
    // The names are a help only: without them the message is as true.
    let all = service.list(Within::call(call)).unwrap_or_default();
    let ours = all.iter().filter(|about| about.domain == *domain);
    match nearest(name, ours.map(|about| about.name.as_str())) {
        Some(near) => fault.help(format!("did you mean {near:?}?")),
        None => fault.help("`stellar collect list` shows all; REDIS_COLLECT makes one"),
    }
}

#[cold]
fn unknown_field(call: &Call<'_, '_>, index: usize, name: &str, fields: &[Field]) -> Fault {
    let mut known: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
    known.push(EVENTDATE);
    let fault = call.wrong_value(
        index,
        format_args!("the collection keeps no field {name:?}"),
    );
    match nearest(name, known.iter().copied()) {
        Some(near) => fault.help(format!("did you mean {near:?}?")),
        None => fault.help(format!("it keeps {}", known.join(", "))),
    }
}
