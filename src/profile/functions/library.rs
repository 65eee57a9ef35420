//! PROFILER_LIBRARY: profiles that come with the program.

use crate::diagnostic::Outcome;
use crate::eval::collections::Map;
use crate::eval::convert::to_string;
use crate::eval::{Call, Value};
use crate::functions::spec::{Family, FunctionSpec, Kind, SPEC, default, example, fails, optional};
use crate::profile::library;
use smol_str::SmolStr;

/// The functions of this file.
pub const FUNCTIONS: &[FunctionSpec] = &[PROFILER_LIBRARY];

const PROFILER_LIBRARY: FunctionSpec = FunctionSpec {
    name: "PROFILER_LIBRARY",
    family: Family::Profiler,
    summary: "Gives the definitions of profiles that come with the program.",
    details: "Without arguments it gives a map of their names and what each is good for. \
        The definitions are a text as PROFILER_INIT takes it; those of several names are joined into one. \
        Fields may be renamed to those of the messages at hand. \
        The page docs/profiles.md shows what each measures, and how to ask for it.",
    parameters: &[
        optional("names", Kind::Any, "a name, or a list of names"),
        default(
            "fields",
            Kind::Map,
            "fields that the definitions read, each with the name it has in the messages",
            "{}",
        ),
    ],
    returns: "a text; without arguments a map of names and descriptions",
    errors: &[
        "there is no profile of that name",
        "the names are neither a text nor a list of texts",
        "none of the definitions reads a field that shall be renamed, or its new name is no name",
    ],
    examples: &[
        example(
            "MAP_GET('rare-ports', PROFILER_LIBRARY())",
            "Which destination ports each host uses, and how often",
        ),
        example(
            "PROFILER_INIT(PROFILER_LIBRARY(['rare-ports', 'dns-entropy'], {'ip_src_addr': 'id.orig_h'}))",
            "Profiler{2 profile(s), 0 messages(s), 0 route(s)}",
        ),
        fails("PROFILER_LIBRARY('rare-port')", "E0204"),
        fails("PROFILER_LIBRARY('rare-ports', {'source': 'ip'})", "E0204"),
    ],
    see: &["PROFILER_INIT", "PROFILER_APPLY", "PROFILE_GET"],
    words: &["template", "ready-made", "standard", "baseline", "examples"],
    run: library,
    ..SPEC
};

fn library(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let names: Vec<SmolStr> = match call.arg(0) {
        Value::Null => {
            let all = library::LIBRARY.iter();
            let all = all.map(|entry| (entry.name, Value::Text(entry.description())));
            return Ok(Value::Map(Map::of_texts(all)));
        }
        Value::Text(name) => vec![name.clone()],
        Value::List(list) => {
            let names = list.items().into_iter().map(|item| match item {
                Value::Text(name) => Ok(name),
                other => Err(call
                    .wrong_type(0, "a name or a list of names")
                    .note(format!("it holds {}", other.kind_in_words()))),
            });
            names.collect::<Outcome<_>>()?
        }
        _ => return Err(call.wrong_type(0, "a name or a list of names")),
    };
    let fields = match call.arg(1) {
        Value::Null => Vec::new(),
        Value::Map(map) => {
            let pairs = map.entries().into_iter();
            let pairs = pairs.map(|pair| match pair {
                (Value::Text(old), new) => to_string(&new).map(|new| (old, new)),
                _ => None,
            });
            let pairs: Option<Vec<_>> = pairs.collect();
            pairs.ok_or_else(|| call.wrong_value(1, "a field and its new name are texts"))?
        }
        _ => return Err(call.wrong_type(1, "a map")),
    };
    let joined = library::joined(&names, &fields, call.context());
    joined
        .map(Value::text)
        .map_err(|fault| fault.of_argument(0))
}
