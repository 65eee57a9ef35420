//! `_relations`: what a rule is to be connected with.

use super::Reason;
use super::body::kind;
use super::fields::NAME;
use serde_json::{Map, Value as Json};

/// How many identifiers a relation has at most.
const IDS: usize = 10_000;

/// What a rule can be connected with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Relation {
    /// Filters of the stream.
    Filters,
    /// Modules of Lua.
    Modules,
    /// Results, the alerts of the rule.
    Results,
    /// The sort of incident.
    Finding,
}

impl Relation {
    /// All of them.
    pub const ALL: [Relation; 4] = [
        Relation::Filters,
        Relation::Modules,
        Relation::Results,
        Relation::Finding,
    ];

    /// Its key in `_relations`.
    pub fn key(self) -> &'static str {
        match self {
            Relation::Filters => "filters",
            Relation::Modules => "modules",
            Relation::Results => "results",
            Relation::Finding => "finding",
        }
    }

    /// The field of a rule that stands for it.
    pub fn field(self) -> &'static str {
        match self {
            Relation::Filters => "logmule_go_filters",
            Relation::Modules => "logmule_go_modules",
            Relation::Results => "logmule_go_results",
            Relation::Finding => "finding",
        }
    }
}

/// What the relations of a rule are to become. `None` leaves one as it is; an empty list removes all its links.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Relations([Option<Vec<String>>; 4]);

impl Relations {
    /// The identifiers that a relation is to have, each once.
    pub fn get(&self, relation: Relation) -> Option<&[String]> {
        self.0.get(relation as usize)?.as_deref()
    }

    /// Says what a relation is to become.
    pub fn set(&mut self, relation: Relation, ids: Vec<String>) {
        if let Some(slot) = self.0.get_mut(relation as usize) {
            *slot = Some(ids);
        }
    }

    /// Reads `_relations` of a body; what is wrong goes to `reasons`.
    pub fn read(body: &Map<String, Json>, reasons: &mut Vec<Reason>) -> Relations {
        let mut relations = Relations::default();
        let map = match body.get("_relations") {
            None | Some(Json::Null) => return relations,
            Some(Json::Object(map)) => map,
            Some(other) => {
                let reason = format!("must be an object, not {}", kind(other));
                reasons.push(Reason::new("_relations", reason));
                return relations;
            }
        };
        for (key, value) in map {
            let mut wrong = |place: &str, reason: String| {
                reasons.push(Reason::new(format!("_relations.{place}"), reason));
            };
            let known = Relation::ALL.into_iter();
            let Some(relation) = known
                .into_iter()
                .find(|r| r.key() == key || r.field() == key)
            else {
                let shown: String = key.chars().take(100).collect();
                let keys: Vec<&str> = Relation::ALL.iter().map(|r| r.key()).collect();
                wrong(
                    &shown,
                    format!("is no relation of a rule: there are {}", keys.join(", ")),
                );
                continue;
            };
            if relations.get(relation).is_some() {
                wrong(
                    key,
                    format!("stands beside {}, which means the same", relation.key()),
                );
                continue;
            }
            let Json::Array(list) = value else {
                wrong(
                    key,
                    format!("must be a list of identifiers, not {}", kind(value)),
                );
                continue;
            };
            if list.len() > IDS {
                wrong(
                    key,
                    format!("has {} identifiers; {IDS} are allowed", list.len()),
                );
                continue;
            }
            let mut ids: Vec<String> = Vec::with_capacity(list.len());
            let mut seen = std::collections::HashSet::new();
            for (index, id) in list.iter().enumerate() {
                match id {
                    Json::String(id) if !id.is_empty() && id.len() <= NAME => {
                        if seen.insert(id) {
                            ids.push(id.clone());
                        }
                    }
                    Json::String(_) => wrong(
                        &format!("{key}.{index}"),
                        format!("must have 1 to {NAME} bytes"),
                    ),
                    other => wrong(
                        &format!("{key}.{index}"),
                        format!("must be an identifier (a text), not {}", kind(other)),
                    ),
                }
            }
            if relation == Relation::Finding && ids.len() > 1 {
                wrong(key, "a rule has one finding at most".to_string());
            }
            relations.set(relation, ids);
        }
        relations
    }
}
