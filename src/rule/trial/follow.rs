//! What a rule's groups do from event to event.

use crate::diagnostic::Outcome;
use crate::eval::Value;
use crate::eval::collections::{List, Map};
use crate::rule::lua::Running;
use ahash::HashMap;
use serde_json::Value as Json;
use smol_str::SmolStr;
use std::collections::BTreeSet;

/// Up to how many events groups are followed.
pub const EVENTS: usize = 1000;
/// Up to how many bytes of groups.
const BYTES: usize = 1 << 20;

/// What a group is after an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The function of its grouper.
    pub function: SmolStr,
    /// The values that it is grouped by.
    pub key: Vec<String>,
    /// How many events it has; 0 when it is gone.
    pub events: usize,
    /// How many different values they have.
    pub unique: usize,
}

impl Group {
    /// The group as a map: function, key, events, unique.
    pub fn to_map(&self) -> Map {
        let count = |n: usize| Value::Int(i32::try_from(n).unwrap_or(i32::MAX));
        let key = self.key.iter().map(Value::text).collect();
        Map::of_texts([
            ("function", Value::Text(self.function.clone())),
            ("key", Value::List(List::array(key))),
            ("events", count(self.events)),
            ("unique", count(self.unique)),
        ])
    }
}

/// The groups of a grouper: what they are, by their keys.
type Groups = HashMap<Vec<String>, (usize, usize)>;

/// Follows the groups of a rule.
#[derive(Default)]
pub struct Follow {
    groupers: Vec<(SmolStr, Groups)>,
    fed: u64,
    tired: bool,
}

impl Follow {
    /// What has changed since the last time; nothing any more when there are too many groups.
    pub fn changes(&mut self, running: &Running) -> Outcome<Vec<Group>> {
        let counters = running.groupers();
        let fed = counters.iter().map(|(_, c, ..)| c.fed).sum();
        let same = self.groupers.len() == counters.len()
            && self
                .groupers
                .iter()
                .zip(&counters)
                .all(|(a, b)| a.1.len() == b.2);
        let bytes: usize = counters.iter().map(|(.., bytes)| bytes).sum();
        self.tired |= bytes > BYTES;
        if self.tired || (same && fed == self.fed) {
            return Ok(Vec::new());
        }
        self.fed = fed;
        let saved = running.save()?;
        let mut changes = Vec::new();
        let mut all = Vec::new();
        for (number, text) in saved.groupers.iter().enumerate() {
            let function = counters
                .get(number)
                .map(|one| one.0.clone())
                .unwrap_or_default();
            let groups = read(text);
            let before = self.groupers.get(number).map(|one| &one.1);
            let mut put = |key: &[String], (events, unique): (usize, usize)| {
                changes.push(Group {
                    function: function.clone(),
                    key: key.to_vec(),
                    events,
                    unique,
                });
            };
            for (key, now) in &groups {
                if before.and_then(|groups| groups.get(key)) != Some(now) {
                    put(key, *now);
                }
            }
            for key in before.into_iter().flat_map(Groups::keys) {
                if !groups.contains_key(key) {
                    put(key, (0, 0));
                }
            }
            all.push((function, groups));
        }
        changes.sort_by(|a, b| (&a.function, &a.key).cmp(&(&b.function, &b.key)));
        self.groupers = all;
        Ok(changes)
    }

    /// The groups that there are.
    pub fn left(&self) -> Vec<Group> {
        let mut left = Vec::new();
        for (function, groups) in &self.groupers {
            left.extend(groups.iter().map(|(key, (events, unique))| Group {
                function: function.clone(),
                key: key.clone(),
                events: *events,
                unique: *unique,
            }));
        }
        left.sort_by(|a, b| (&a.function, &a.key).cmp(&(&b.function, &b.key)));
        left
    }

    /// Whether there were too many groups to follow.
    pub fn is_tired(&self) -> bool {
        self.tired
    }
}

/// The groups in the form in which they are saved.
fn read(text: &str) -> Groups {
    let mut groups = Groups::default();
    for line in text.lines().skip(1) {
        let Ok(group) = serde_json::from_str::<Json>(line) else {
            continue;
        };
        let parts = group.get("key").and_then(Json::as_array);
        let key = parts.into_iter().flatten();
        let key = key.map(|part| part.as_str().unwrap_or_default().to_string());
        let events = group.get("events").and_then(Json::as_array);
        let events = events.map_or(&[][..], Vec::as_slice);
        let unique: BTreeSet<String> = events
            .iter()
            .filter_map(|event| event.get(1).map(Json::to_string))
            .collect();
        groups.insert(key.collect(), (events.len(), unique.len()));
    }
    groups
}
