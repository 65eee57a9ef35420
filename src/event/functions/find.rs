//! EVENT_GET and EVENT_SEARCH.

use super::{PARAMETERS, UNREACHABLE, WRONG_PARAMETERS};
use super::{Shape, query, service, text};
use crate::diagnostic::Outcome;
use crate::eval::collections::{List, check_size};
use crate::eval::{Call, Value};
use crate::event::{Record, shape};
use crate::functions::spec::{
    Family, FunctionSpec, Kind, SPEC, example, fails, optional, required,
};
use crate::store::Within;
use std::sync::Arc;

/// The functions of this file.
pub const FUNCTIONS: &[FunctionSpec] = &[EVENT_GET, EVENT_SEARCH];

const EVENT_GET: FunctionSpec = FunctionSpec {
    name: "EVENT_GET",
    family: Family::Events,
    summary: "Gives the event of an identifier.",
    parameters: &[required("id", Kind::Text, "the identifier")],
    returns: "the message as a map; null when there is none",
    errors: &["the identifier is no string", UNREACHABLE],
    examples: &[
        example("EVENT_GET('e1')", "null"),
        example(
            "EVENT_INSERT({'ID': 'e1', 'DetectTime': '2026-01-10T08:00:00Z', 'Category': ['Test']})",
            "e1",
        ),
        example(
            "MAP_GET('DetectTime', EVENT_GET(id))",
            "2026-01-10T08:00:00Z",
        ),
        fails("EVENT_GET(1)", "E0203"),
    ],
    see: &["EVENT_SEARCH", "EVENT_INSERT"],
    words: &["fetch", "read", "lookup"],
    pure: false,
    run: |call| {
        let id = text(call, 0)?;
        match service(call)?.fetch(&id, Within::call(call))? {
            Some(record) => Ok(shape::message(&record, false)?.to_value()),
            None => Ok(Value::Null),
        }
    },
    ..SPEC
};

const EVENT_SEARCH: FunctionSpec = FunctionSpec {
    name: "EVENT_SEARCH",
    family: Family::Events,
    summary: "Finds events by their times, addresses, ports, categories and more.",
    details: "Parameters are joined by and, the items of a list by or: dt_from, dt_to, st_from, st_to (ISO text or milliseconds); \
        source_addrs, target_addrs, host_addrs (addresses, networks, ranges); source_ports, target_ports, host_ports; source_types, \
        target_types, host_types; protocols, categories, classes, severities, detectors, detector_types, groups, inspection_errs, \
        each also with not_NAME: true; description; sortby, such as 'detecttime.desc'; limit and page. In a list of texts __EMPTY__ \
        asks for none and __ANY__ for any. Of columns, times come in milliseconds.",
    parameters: &[
        required("parameters", Kind::Map, PARAMETERS),
        optional(
            "columns",
            Kind::Any,
            "names of columns to give instead of whole messages; 'ghost' for messages made of the columns",
        ),
    ],
    returns: "a list of maps",
    errors: &[
        WRONG_PARAMETERS,
        "there is no such column",
        "there are more events than a list may hold",
        UNREACHABLE,
    ],
    examples: &[
        example(
            "EVENT_INSERT([{'ID': 'e1', 'DetectTime': '2026-01-10T08:00:00Z', 'Category': ['Recon.Scanning'], \
             'Source': [{'IP4': ['192.0.2.7']}]}, {'ID': 'e2', 'DetectTime': '2026-01-10T09:00:00Z', 'Category': ['Test']}])",
            "[e1, e2]",
        ),
        example(
            "EVENT_SEARCH({'source_addrs': ['192.0.2.0/24']}, ['id', 'category', 'source_ip'])",
            "[{id=e1, category=[Recon.Scanning], source_ip=[192.0.2.7]}]",
        ),
        example(
            "EVENT_SEARCH({'sortby': 'detecttime.desc', 'limit': 1}, 'detecttime')",
            "[{detecttime=1768035600000}]",
        ),
        example(
            "EVENT_SEARCH({'categories': ['Test'], 'not_categories': true}, ['id'])",
            "[{id=e1}]",
        ),
        fails("EVENT_SEARCH({'source_addrs': 'here'})", "E0607"),
        fails("EVENT_SEARCH({}, ['ip'])", "E0606"),
        fails("EVENT_SEARCH('192.0.2.7')", "E0203"),
    ],
    see: &[
        "EVENT_COUNT",
        "EVENT_GET",
        "EVENT_TIMELINE",
        "EVENT_AGGREGATE",
    ],
    words: &["query", "select", "where", "filter", "hunt"],
    pure: false,
    run: search,
    ..SPEC
};

fn search(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let query = query(call, 0)?;
    let shape = Shape::of(call, 1)?;
    let most = call.context().limits.collection;
    let mut found = Vec::new();
    let mut take = |record: Record| {
        call.step()?;
        check_size(found.len() + 1, most)?;
        found.push(shape.value(&record)?);
        Ok(true)
    };
    let service: Arc<_> = service(call)?;
    service.each(&query, shape.columns(), Within::call(call), &mut take)?;
    Ok(Value::List(List::array(found)))
}
