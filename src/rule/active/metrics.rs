//! What rules did, as it is shown and kept in the store.

use crate::diagnostic::Outcome;
use crate::rule::store::Rules;
use crate::store::Within;
use serde::{Deserialize, Serialize};

/// What a rule did since it was loaded.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Metrics {
    /// The rule.
    pub id: String,
    /// Its name.
    pub name: String,
    /// When it was loaded, in milliseconds since 1970.
    pub loaded: i64,
    /// How often it was loaded since its runner was started; all counts are those of the latest form.
    pub loads: u64,
    /// Events that its filters let through.
    pub events: u64,
    /// Events that its filters kept away.
    pub filtered: u64,
    /// Alerts that were let through.
    pub alerts: u64,
    /// Alerts above `max_alerts_per_second` or `max_alerts`.
    pub dropped: u64,
    /// Calls and filters that failed.
    pub errors: u64,
    /// Calls that were stopped at a limit.
    pub stops: u64,
    /// Groups that it has.
    pub groups: u64,
    /// Groups and events that were given up for want of memory.
    pub evicted: u64,
    /// Events that came too late for their group.
    pub late: u64,
    /// Bytes that its values and its groups take.
    pub memory: u64,
    /// Why it takes no more events.
    pub suspended: Option<String>,
    /// Why it, or its latest form, could not be loaded.
    pub fault: Option<String>,
    /// What its functions did; times only with `function_metrics`.
    pub functions: Vec<FunctionMetrics>,
}

/// What a function of a rule did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FunctionMetrics {
    /// The function.
    pub name: String,
    /// How often it was called.
    pub calls: u64,
    /// How many calls failed.
    pub errors: u64,
    /// How many calls were stopped at a limit.
    pub stops: u64,
    /// Nanoseconds of all calls, when they are measured.
    pub total: u64,
    /// Nanoseconds of the longest call, when they are measured.
    pub longest: u64,
}

/// What stands before the runner's name in the part of a rule's state that holds its metrics.
const PART: &str = "metrics:";

/// The part of a rule's state in the store that holds its metrics, by who runs it.
pub(super) fn part(runner: &str) -> String {
    format!("{PART}{runner}")
}

impl Metrics {
    /// What each runner (a server, a pipeline) noted of a rule last: its name, when that was (milliseconds since
    /// 1970), and the metrics.
    pub fn stored(
        rules: &Rules,
        rule: &str,
        within: Within<'_>,
    ) -> Outcome<Vec<(String, i64, Metrics)>> {
        let states = rules.states(rule, PART, within)?.into_iter();
        // What cannot be read was written by another version, and is soon written anew.
        let read = states.filter_map(|(part, at, data)| {
            let runner = part.strip_prefix(PART)?.to_string();
            Some((runner, at, serde_json::from_slice(&data).ok()?))
        });
        Ok(read.collect())
    }
}
