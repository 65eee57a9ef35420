//! EVENT_INSERT and EVENT_DELETE.

use super::{UNREACHABLE, WRONG_PARAMETERS};
use super::{about, message, now, query, service, texts};
use crate::diagnostic::{Code, Outcome};
use crate::eval::{Call, Value};
use crate::event::shape::count_value;
use crate::event::{Options, PRIVATE_KEY};
use crate::functions::spec::{Family, FunctionSpec, Kind, SPEC, default, example, fails, required};
use crate::store::Within;

/// The functions of this file.
pub const FUNCTIONS: &[FunctionSpec] = &[EVENT_INSERT, EVENT_DELETE];

const EVENT_INSERT: FunctionSpec = FunctionSpec {
    name: "EVENT_INSERT",
    guarded: true,
    family: Family::Events,
    summary: "Stores security events that are IDEA messages.",
    details: "A message needs DetectTime and Category. One without an ID gets one, one without a time of storing gets that of \
        now. Of a list all are stored, or none. The names of the private part differ: Mentat 2.4 calls it _CESNET, later versions \
        _Mentat.",
    parameters: &[
        required(
            "event",
            Kind::Any,
            "a message as a map or as JSON text, or a list of these",
        ),
        default(
            "private_key",
            Kind::Text,
            "what the private part is called in the message",
            "'_CESNET'",
        ),
    ],
    returns: "the identifier; of a list the list of identifiers",
    errors: &[
        "a message is no valid IDEA",
        "an event with this identifier is there already",
        UNREACHABLE,
    ],
    examples: &[
        example(
            "EVENT_INSERT({'ID': 'e1', 'DetectTime': '2026-01-10T08:00:00Z', 'Category': ['Recon.Scanning'], \
             'Source': [{'IP4': ['192.0.2.7']}]})",
            "e1",
        ),
        example(
            "EVENT_INSERT(['{\"ID\": \"e2\", \"DetectTime\": 1768032000, \"Category\": [\"Test\"]}'])",
            "[e2]",
        ),
        fails(
            "EVENT_INSERT({'ID': 'e1', 'DetectTime': '2026-01-10T08:00:00Z', 'Category': ['Test']})",
            "E0608",
        ),
        fails(
            "EVENT_INSERT({'DetectTime': 'yesterday', 'Category': ['Test']})",
            "E0609",
        ),
        fails("EVENT_INSERT({'Category': ['Test']})", "E0609"),
        fails("EVENT_INSERT(7)", "E0203"),
    ],
    see: &["EVENT_GET", "EVENT_SEARCH", "THRESHOLD_EVENT"],
    words: &["save", "alert", "incident", "IDEA", "Mentat", "Warden"],
    pure: false,
    run: insert,
    ..SPEC
};

const EVENT_DELETE: FunctionSpec = FunctionSpec {
    name: "EVENT_DELETE",
    guarded: true,
    family: Family::Events,
    summary: "Removes the events that parameters ask for.",
    details: "Parameters without effect are errors here, as more would be removed than meant; so are limit and page. \
        To remove all events use stellar event delete --all.",
    parameters: &[required(
        "parameters",
        Kind::Any,
        "what is asked: a map with Mentat's names; a string is the identifier of one event",
    )],
    returns: "how many were removed",
    errors: &[
        WRONG_PARAMETERS,
        "the parameters ask for all events, or one of them has no effect",
        UNREACHABLE,
    ],
    examples: &[
        example("EVENT_DELETE({'categories': ['Test']})", "0"),
        example("EVENT_DELETE('e1')", "0"),
        fails("EVENT_DELETE({})", "E0204"),
        fails("EVENT_DELETE({'source_adrs': ['192.0.2.7']})", "E0204"),
        fails(
            "EVENT_DELETE({'categories': ['Test'], 'limit': 1})",
            "E0204",
        ),
        fails("EVENT_DELETE({'source_addrs': ['here']})", "E0607"),
    ],
    see: &["EVENT_COUNT", "EVENT_INSERT"],
    words: &["drop", "clean", "purge"],
    pure: false,
    run: delete,
    ..SPEC
};

fn insert(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let private_key = match call.arg(1) {
        Value::Null => PRIVATE_KEY.into(),
        Value::Text(key) => key.clone(),
        _ => return Err(call.wrong_type(1, "a string")),
    };
    let options = Options {
        private_key,
        storage_time: Some(now(call)),
        ..Options::default()
    };
    let (items, several) = match call.arg(0) {
        Value::List(list) => (list.items(), true),
        one => (vec![one.clone()], false),
    };
    let mut rows = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        call.step()?;
        let row = message(call, item, 0, &options).and_then(|message| message.to_row());
        rows.push(row.map_err(|fault| {
            let fault = about(call, fault, 0);
            match several {
                true => fault.note(format!("it is number {} of the list", index + 1)),
                false => fault,
            }
        })?);
    }
    let ids: Vec<String> = rows.iter().map(|row| row.id.clone()).collect();
    let stored = service(call)?.write(Within::call(call), move |session| {
        rows.iter().try_for_each(|row| session.insert(row))
    });
    stored.map_err(|fault| match fault.code {
        Code::EventIntegrity | Code::EventData => about(call, fault, 0),
        _ => fault,
    })?;
    match (several, ids.as_slice()) {
        (false, [id]) => Ok(Value::text(id)),
        _ => Ok(texts(&ids)),
    }
}

fn delete(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let service = service(call)?;
    let within = Within::call(call);
    if let Value::Text(id) = call.arg(0) {
        return Ok(Value::Int(service.delete(id, within)?.into()));
    }
    if call.arg(0).is_null() {
        return Err(call.wrong_type(0, "a map of parameters or an identifier"));
    }
    let query = query(call, 0)?;
    query
        .check_removal()
        .map_err(|fault| about(call, fault, 0))?;
    Ok(count_value(service.delete_events(&query, within)?))
}
