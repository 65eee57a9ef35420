//! `stellar rule list --metrics`

use crate::cli::args::ListFormat;
use crate::cli::output;
use crate::diagnostic::Outcome;
use crate::engine::Engine;
use crate::rule::active::{FunctionMetrics, Metrics};
use crate::rule::bundle::time;
use crate::rule::model::Rule;
use crate::rule::store::Rules;
use crate::store::Within;
use serde_json::{Value as Json, json};

/// The columns: what a function did, beside what its rule did.
const COLUMNS: [&str; 17] = [
    "name",
    "runner",
    "noted",
    "events",
    "filtered",
    "alerts",
    "dropped",
    "groups",
    "late",
    "evicted",
    "memory_kb",
    "function",
    "calls",
    "errors",
    "stops",
    "mean_us",
    "longest_us",
];

/// Prints what runners noted of rules last: in JSON a rule and runner at once, else a function in each row.
pub fn metrics(engine: &Engine, rules: &Rules, all: &[Rule], format: ListFormat) -> Outcome<bool> {
    let whole = matches!(format, ListFormat::Json | ListFormat::Jsonl);
    let mut rows = output::Rows::new(format, &COLUMNS);
    for rule in all {
        engine.context.check_cancelled()?;
        let noted = Metrics::stored(rules, &rule.id, Within::context(&engine.context))?;
        for (runner, at, metrics) in noted {
            if whole {
                rows.put(object(rule, &runner, at, &metrics))?;
                continue;
            }
            let nothing = [FunctionMetrics::default()];
            let functions = match metrics.functions.as_slice() {
                [] => &nothing,
                some => some,
            };
            for function in functions {
                rows.put(row(rule, &runner, at, &metrics, function))?;
            }
        }
    }
    rows.end()?;
    Ok(true)
}

fn object(rule: &Rule, runner: &str, at: i64, metrics: &Metrics) -> Json {
    let mut json = json!({"id": rule.id, "name": rule.name, "runner": runner, "noted": time(at)});
    if let (Json::Object(map), Ok(Json::Object(more))) = (&mut json, serde_json::to_value(metrics))
    {
        for (name, value) in more {
            map.entry(name).or_insert(value);
        }
    }
    json
}

fn row(rule: &Rule, runner: &str, at: i64, metrics: &Metrics, one: &FunctionMetrics) -> Json {
    let micro = |nanos: u64| Some(nanos).filter(|n| *n > 0).map(|n| n / 1000);
    json!({
        "name": rule.name,
        "runner": runner,
        "noted": time(at),
        "events": metrics.events,
        "filtered": metrics.filtered,
        "alerts": metrics.alerts,
        "dropped": metrics.dropped,
        "groups": metrics.groups,
        "late": metrics.late,
        "evicted": metrics.evicted,
        "memory_kb": metrics.memory >> 10,
        "function": one.name,
        "calls": one.calls,
        "errors": one.errors,
        "stops": one.stops,
        "mean_us": one.total.checked_div(one.calls).and_then(micro),
        "longest_us": micro(one.longest),
    })
}
