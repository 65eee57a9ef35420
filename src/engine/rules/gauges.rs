//! What running rules count, for `/metrics`.

use crate::rule::active::Metrics;
use parking_lot::Mutex;
use std::fmt::Write;

/// The counters of the rules that run, as of the last look: a service.
#[derive(Default)]
pub struct Gauges(Mutex<Vec<Metrics>>);

/// Of one rule: the name, what it is, the kind, the value.
type Family = (
    &'static str,
    &'static str,
    &'static str,
    fn(&Metrics) -> u64,
);

/// All of them.
const FAMILIES: [Family; 13] = [
    ("events_total", "Events that the rule saw", "counter", |m| {
        m.events
    }),
    (
        "filtered_total",
        "Events that its filters kept away",
        "counter",
        |m| m.filtered,
    ),
    (
        "alerts_total",
        "Alerts that were let through",
        "counter",
        |m| m.alerts,
    ),
    (
        "dropped_total",
        "Alerts above the bounds of its settings",
        "counter",
        |m| m.dropped,
    ),
    (
        "errors_total",
        "Calls and filters that failed",
        "counter",
        |m| m.errors,
    ),
    (
        "stops_total",
        "Calls that were stopped at a limit",
        "counter",
        |m| m.stops,
    ),
    (
        "evicted_total",
        "Groups and events given up for want of memory",
        "counter",
        |m| m.evicted,
    ),
    (
        "late_total",
        "Events that came too late for their group",
        "counter",
        |m| m.late,
    ),
    ("groups", "Groups that it has", "gauge", |m| m.groups),
    (
        "memory_bytes",
        "Bytes that its values and its groups take",
        "gauge",
        |m| m.memory,
    ),
    (
        "suspended",
        "Whether it takes no more events",
        "gauge",
        |m| u64::from(m.suspended.is_some()),
    ),
    (
        "faulty",
        "Whether it, or its latest form, cannot be loaded",
        "gauge",
        |m| u64::from(m.fault.is_some()),
    ),
    (
        "loaded_seconds",
        "When it was loaded, in seconds since 1970",
        "gauge",
        |m| u64::try_from(m.loaded / 1000).unwrap_or(0),
    ),
];

impl Gauges {
    /// Replaces what was counted.
    pub fn set(&self, metrics: Vec<Metrics>) {
        *self.0.lock() = metrics;
    }

    /// All of them in Prometheus' form.
    pub fn text(&self) -> String {
        let rules = self.0.lock();
        let mut text = String::new();
        // Writing into memory cannot fail.
        let _ = writeln!(text, "# HELP stellar_rules Rules that are active.");
        let _ = writeln!(
            text,
            "# TYPE stellar_rules gauge\nstellar_rules {}",
            rules.len()
        );
        for (name, about, kind, of) in FAMILIES {
            let _ = writeln!(text, "# HELP stellar_rule_{name} {about}.");
            let _ = writeln!(text, "# TYPE stellar_rule_{name} {kind}");
            for one in rules.iter() {
                let labels = labels(one);
                let _ = writeln!(text, "stellar_rule_{name}{{{labels}}} {}", of(one));
            }
        }
        functions(&rules, &mut text);
        text
    }
}

/// The entry points of rules whose settings ask for it.
fn functions(rules: &[Metrics], text: &mut String) {
    type Of = fn(&crate::rule::active::FunctionMetrics) -> f64;
    let families: [(&str, &str, &str, Of); 4] = [
        ("calls_total", "Calls of the function", "counter", |f| {
            f.calls as f64
        }),
        ("errors_total", "Calls that failed", "counter", |f| {
            f.errors as f64
        }),
        ("seconds_total", "How long all calls took", "counter", |f| {
            f.total as f64 / 1e9
        }),
        (
            "longest_seconds",
            "How long the longest call took",
            "gauge",
            |f| f.longest as f64 / 1e9,
        ),
    ];
    for (name, about, kind, of) in families {
        let _ = writeln!(text, "# HELP stellar_rule_function_{name} {about}.");
        let _ = writeln!(text, "# TYPE stellar_rule_function_{name} {kind}");
        for one in rules {
            // Times are measured where function_metrics asks for them.
            for function in one.functions.iter().filter(|function| function.total > 0) {
                let (labels, value) = (labels(one), of(function));
                let function = escaped(&function.name);
                let _ = writeln!(
                    text,
                    "stellar_rule_function_{name}{{{labels},function=\"{function}\"}} {value}"
                );
            }
        }
    }
}

fn labels(one: &Metrics) -> String {
    format!(
        "rule=\"{}\",name=\"{}\"",
        escaped(&one.id),
        escaped(&one.name)
    )
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}
