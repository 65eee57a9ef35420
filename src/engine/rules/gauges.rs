//! What running rules count, for `/metrics`.

use super::handing::Queues;
use super::queue::Standing;
use crate::rule::active::Metrics;
use parking_lot::Mutex;
use std::fmt::Write;
use std::sync::Arc;

/// The counters of the rules that run, as of the last look, and the queues of the sinks: a service.
#[derive(Default)]
pub struct Gauges {
    rules: Mutex<Vec<Metrics>>,
    queues: Mutex<Arc<Queues>>,
}

/// Of one sink: the name, what it is, the kind, the value.
type SinkFamily = (
    &'static str,
    &'static str,
    &'static str,
    fn(&Standing) -> u64,
);

/// All of them.
const SINKS: [SinkFamily; 5] = [
    ("waiting", "Alerts that wait for the sink", "gauge", |s| {
        s.waiting
    }),
    ("waiting_bytes", "Bytes that they take", "gauge", |s| {
        s.bytes
    }),
    (
        "taken_total",
        "Alerts that the sink has taken",
        "counter",
        |s| s.sent,
    ),
    (
        "dropped_total",
        "Alerts for which there was no room before the sink",
        "counter",
        |s| s.dropped,
    ),
    (
        "behind",
        "Whether the sink fails or is too slow, so that nobody waits for it",
        "gauge",
        |s| u64::from(s.behind),
    ),
];

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
        *self.rules.lock() = metrics;
    }

    /// Shows the queues from now on.
    pub fn watch(&self, queues: &Arc<Queues>) {
        *self.queues.lock() = queues.clone();
    }

    /// All of them in Prometheus' form.
    pub fn text(&self) -> String {
        let rules = self.rules.lock();
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
        sinks(&self.queues.lock(), &mut text);
        text
    }
}

/// The queues of the sinks, where there are any.
fn sinks(queues: &Queues, text: &mut String) {
    let all = queues.0.iter().map(|queue| (&queue.name, queue.standing()));
    let all: Vec<_> = all.collect();
    for (name, about, kind, of) in SINKS {
        if all.is_empty() {
            return;
        }
        let _ = writeln!(text, "# HELP stellar_rule_sink_{name} {about}.");
        let _ = writeln!(text, "# TYPE stellar_rule_sink_{name} {kind}");
        for (sink, standing) in &all {
            let sink = escaped(sink);
            let _ = writeln!(
                text,
                "stellar_rule_sink_{name}{{sink=\"{sink}\"}} {}",
                of(standing)
            );
        }
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
