//! `[rule]`: active rules of `stellar serve`, what they read and where their alerts go.

use super::Config;
use super::settings::{Given, Place, TEXT, wrong_type};
use super::tree::{Entry, Node, to_json};
use crate::diagnostic::{Code, Diagnostic, Outcome};
use indexmap::IndexMap;
use serde_json::{Map, Value as Json};
use std::path::PathBuf;
use std::time::Duration;

/// `[rule.sinks.NAME]`: where alerts go.
#[derive(Clone)]
pub struct SinkConfig {
    /// An output of pipelines, such as `output_file`.
    pub action: String,
    /// Its parameters, references not replaced: they may hold secrets.
    pub parameters: Map<String, Json>,
    /// The folder that relative paths start from.
    pub base: Option<PathBuf>,
}

impl std::fmt::Debug for SinkConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.shown())
    }
}

impl SinkConfig {
    /// The action and the names of its parameters: values may hold secrets.
    pub fn shown(&self) -> String {
        let names: Vec<&str> = self.parameters.keys().map(String::as_str).collect();
        format!("{} ({})", self.action, names.join(", "))
    }
}

/// `[rule]`: how active rules are run.
#[derive(Debug, Clone)]
pub struct RuleConfig {
    /// Names of sources whose events the rules see as they come.
    pub sources: Vec<String>,
    /// How far back sources are read at the first start.
    pub since: Duration,
    /// How many threads run rules; one for each core unless given.
    pub threads: Option<usize>,
    /// How often groups are saved.
    pub save: Duration,
    /// How often the store is asked for changed rules.
    pub reload: Duration,
    /// Whether alerts are kept in the store as results of their rule.
    pub results: bool,
    /// Where alerts go, by name.
    pub sinks: IndexMap<String, SinkConfig>,
}

impl Default for RuleConfig {
    fn default() -> Self {
        RuleConfig {
            sources: Vec::new(),
            since: Duration::ZERO,
            threads: None,
            save: Duration::from_secs(30),
            reload: Duration::from_secs(2),
            results: true,
            sinks: IndexMap::new(),
        }
    }
}

/// Takes `[rule.sinks.NAME]`.
pub(super) fn sinks(config: &mut Config, entry: &Entry, place: &Place) -> Outcome<()> {
    let Node::Table(names) = &entry.value.node else {
        return Err(wrong_type(entry, "rule.sinks", "a table of names"));
    };
    for named in names {
        let full = format!("rule.sinks.{}", named.key);
        let Node::Table(values) = &named.value.node else {
            return Err(wrong_type(
                named,
                &full,
                "a table with action and its parameters",
            ));
        };
        // A second configuration changes what it names.
        let known = config.rule.sinks.get(&named.key);
        let mut made = known.cloned().unwrap_or(SinkConfig {
            action: String::new(),
            parameters: Map::new(),
            base: place.base.clone(),
        });
        for value in values {
            let one = format!("{full}.{}", value.key);
            match value.key.as_str() {
                "action" => {
                    let given = Given {
                        spot: &value.value,
                        base: None,
                    };
                    made.action = given.text().map_err(|_| wrong_type(value, &one, TEXT))?;
                }
                // Alerts have their own tag.
                "match" | "name" => {
                    let message = format!("{one} has no meaning: a sink gets all alerts");
                    return Err(Diagnostic::at(Code::Configuration, value.span, message));
                }
                _ => {
                    made.parameters
                        .insert(value.key.clone(), to_json(&value.value)?);
                }
            }
        }
        if made.action.is_empty() {
            let message = format!("{full} needs action, an output of pipelines");
            return Err(
                Diagnostic::at(Code::Configuration, named.span, message).help(
                    "write action = \"output_event\" for the event store, or output_file with path, output_http, \
                     output_redis, output_forward, output_stdout",
                ),
            );
        }
        config.rule.sinks.insert(named.key.clone(), made);
        config.origins.insert(full, place.origin(named));
    }
    Ok(())
}
