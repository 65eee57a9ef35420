//! THRESHOLD_EVENT: the pieces of thresholding put together.

use super::count::length;
use super::threshold::threshold_value;
use super::{UNREACHABLE, message, now, service, text};
use crate::diagnostic::Outcome;
use crate::eval::collections::{List, Map};
use crate::eval::{Call, Value};
use crate::event::Options;
use crate::event::thresholding::{SEVERITIES, Setting, Timing, decide};
use crate::functions::spec::{Family, FunctionSpec, Kind, SPEC, default, example, fails, required};
use crate::store::Within;

/// The functions of this file.
pub const FUNCTIONS: &[FunctionSpec] = &[THRESHOLD_EVENT];

const THRESHOLD_EVENT: FunctionSpec = FunctionSpec {
    name: "THRESHOLD_EVENT",
    guarded: true,
    family: Family::Events,
    summary: "Says whether an event should be reported to a group, and keeps the books.",
    details: "As Mentat's reporter does it: each source of an event has a key, made of its class (_CESNET.EventClass; its categories \
        where it has none) and the address. The first event of a key is reported and begins a window; the next ones are suppressed and \
        noted. Those in the last part of the window are relapses: hold them back, and report them when RELAPSED_EVENTS finds them after \
        the end of the window. An event is reported when one of its sources is news. Settings are severity (that of the event unless \
        given), window and relapse (milliseconds or '6d'); without these, low and medium have windows of 6 days with 2 days for \
        relapses, high 1 day with 12 hours, critical 2 hours with none. The event itself is not stored. One that is decided about again keeps its first note.",
    parameters: &[
        required("event", Kind::Any, "a message as a map or as JSON text"),
        required("group", Kind::Text, "the group that would be told"),
        default("settings", Kind::Map, "severity, window, relapse", "{}"),
    ],
    returns: "a map with verdict ('report', 'suppress' or 'relapse') and sources: for each its source, verdict and threshold",
    errors: &[
        "the message is no valid IDEA, or has no ID",
        "the severity is unknown and no window is given",
        "the settings are no map, or one is unknown",
        "the relapse part is longer than the window",
        UNREACHABLE,
    ],
    examples: &[
        example(
            "MAP_GET('verdict', THRESHOLD_EVENT({'ID': 'e1', 'Category': ['Recon.Scanning'], 'Source': [{'IP4': ['192.0.2.7']}]}, \
             'abuse@example.org', {'severity': 'low'}))",
            "report",
        ),
        example(
            "MAP_GET('verdict', THRESHOLD_EVENT({'ID': 'e2', 'Category': ['Recon.Scanning'], 'Source': [{'IP4': ['192.0.2.7']}]}, \
             'abuse@example.org', {'severity': 'low'}))",
            "suppress",
        ),
        example(
            "MAP_GET('verdict', THRESHOLD_EVENT({'ID': 'e3', 'Category': ['Test'], '_CESNET': {'EventSeverity': 'high'}}, 'abuse'))",
            "report",
        ),
        example(
            "MAP_GET('verdict', THRESHOLD_EVENT({'ID': 'e4', 'Category': ['Test']}, 'abuse', \
             {'severity': 'low', 'window': '1d', 'relapse': '12h'}))",
            "suppress",
        ),
        fails(
            "THRESHOLD_EVENT({'ID': 'e5', 'Category': ['Test']}, 'abuse')",
            "E0204",
        ),
        fails(
            "THRESHOLD_EVENT({'ID': 'e5', 'Category': ['Test']}, 'abuse', {'severity': 'low', 'windows': '1d'})",
            "E0204",
        ),
        fails(
            "THRESHOLD_EVENT({'Category': ['Test']}, 'abuse', {'severity': 'low'})",
            "E0204",
        ),
        fails("THRESHOLD_EVENT('e1', 'abuse')", "E0609"),
    ],
    see: &[
        "RELAPSED_EVENTS",
        "THRESHOLD_CHECK",
        "THRESHOLDS_CLEAN",
        "EVENT_INSERT",
    ],
    words: &[
        "report",
        "suppress",
        "mute",
        "silence",
        "deduplicate",
        "alert fatigue",
        "Mentat",
    ],
    pure: false,
    run: threshold,
    ..SPEC
};

fn threshold(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let message = message(call, call.arg(0), 0, &Options::default())?;
    // An identifier made up here would be noted for an event that nobody knows.
    let has_id = match call.arg(0) {
        Value::Map(map) => map.get_text("ID").is_some_and(|id| !id.is_null()),
        Value::Text(json) => serde_json::from_str::<serde_json::Value>(json)
            .is_ok_and(|json| json.get("ID").is_some_and(|id| !id.is_null())),
        _ => false,
    };
    if !has_id {
        return Err(call.wrong_value(0, "the message has no ID, so it cannot be noted"));
    }
    let group = text(call, 1)?;
    let (mut severity, mut window, mut relapse) = (None, None, None);
    match call.arg(2) {
        Value::Null => {}
        Value::Map(settings) => {
            for (name, value) in settings.entries() {
                match (&name, &value) {
                    (Value::Text(name), Value::Null) if is_setting(name) => {}
                    (Value::Text(name), Value::Text(text)) if name == "severity" => {
                        severity = Some(text.to_string());
                    }
                    (Value::Text(name), value) if name == "window" => {
                        window = Some(length(call, 2, value)?);
                    }
                    (Value::Text(name), value) if name == "relapse" => {
                        relapse = Some(length(call, 2, value)?);
                    }
                    _ => {
                        let name = crate::eval::text::to_text(&name);
                        return Err(call.wrong_value(
                            2,
                            format!("there is no setting {name:?} of that type: there are severity, window and relapse"),
                        ));
                    }
                }
            }
        }
        _ => return Err(call.wrong_type(2, "a map of settings")),
    }
    let severity = match severity.or_else(|| message.severity().map(str::to_lowercase)) {
        Some(severity) => severity,
        None => {
            let fault = call.wrong_value(2, "the event has no severity, and none is given");
            return Err(fault.help("write {'severity': 'low'} as the third argument"));
        }
    };
    let timing = match (Timing::of(&severity), window, relapse) {
        (Some(usual), window, relapse) => Timing {
            window: window.unwrap_or(usual.window),
            relapse: relapse.unwrap_or(usual.relapse),
        },
        (None, Some(window), relapse) => Timing {
            window,
            relapse: relapse.unwrap_or(0),
        },
        (None, None, _) => {
            let known: Vec<&str> = SEVERITIES.iter().map(|(name, _)| *name).collect();
            let fault = call.wrong_value(
                2,
                format!("no window is known for the severity {severity:?}"),
            );
            return Err(fault.help(format!("give a window, or one of {}", known.join(", "))));
        }
    };
    let setting = Setting {
        group: &group,
        severity: &severity,
        timing,
    };
    let service = service(call)?;
    let decision = decide(&service, &message, setting, now(call), Within::call(call))?;
    let sources = decision.sources.iter().map(|decided| {
        Value::Map(Map::of_texts([
            ("source", Value::text(&decided.source)),
            ("verdict", Value::text(decided.verdict.name())),
            ("threshold", threshold_value(&decided.threshold)),
        ]))
    });
    Ok(Value::Map(Map::of_texts([
        ("verdict", Value::text(decision.verdict.name())),
        ("sources", Value::List(List::array(sources.collect()))),
    ])))
}

fn is_setting(name: &str) -> bool {
    ["severity", "window", "relapse"].contains(&name)
}
