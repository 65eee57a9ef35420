//! Rules as they stand in files and leave the store: with their filters, modules and finding, so that nothing is lost
//! on the way.

mod read;
mod store;
mod summary;

pub use read::{Given, is_json, read};
pub use store::Stored;
pub use summary::summary;

use super::model::{Entity, EntityKind, Reason, Relation, Relations, Rule};
use super::store::Rules;
use crate::diagnostic::Outcome;
use crate::eval::Context;
use crate::store::Within;
use chrono::{DateTime, SecondsFormat};
use serde_json::{Map, Value as Json, json};

/// A rule with what it is connected with.
#[derive(Debug, Clone, PartialEq)]
pub struct Bundle {
    /// The rule, complete.
    pub rule: Rule,
    /// What was said of it; the rest of `rule` is usual.
    given: Map<String, Json>,
    /// The filters that came with it.
    pub filters: Vec<Entity>,
    /// The modules that came with it.
    pub modules: Vec<Entity>,
    /// The sort of incident that came with it.
    pub finding: Option<Entity>,
    /// What it is to be connected with, by identifiers.
    pub relations: Relations,
    /// What was passed over, for people.
    pub notes: Vec<String>,
}

/// The kinds of things that come with a rule, by the relation that leads to them.
const PARTS: [(Relation, EntityKind); 3] = [
    (Relation::Filters, EntityKind::Filter),
    (Relation::Modules, EntityKind::Module),
    (Relation::Finding, EntityKind::Finding),
];

impl Bundle {
    /// A rule of the store with everything that it is connected with.
    pub fn of(rules: &Rules, rule: Rule, within: Within<'_>) -> Outcome<Bundle> {
        let filters = rules.entities_of(&rule.id, EntityKind::Filter, within)?;
        let modules = rules.entities_of(&rule.id, EntityKind::Module, within)?;
        let mut findings = rules.entities_of(&rule.id, EntityKind::Finding, within)?;
        let mut relations = Relations::default();
        let ids = |all: &[Entity]| all.iter().map(|one| one.id.clone()).collect();
        relations.set(Relation::Filters, ids(&filters));
        relations.set(Relation::Modules, ids(&modules));
        relations.set(Relation::Finding, ids(&findings));
        let given = match rule.to_json() {
            Json::Object(map) => map,
            _ => Map::new(),
        };
        Ok(Bundle {
            rule,
            given,
            filters,
            modules,
            finding: findings.pop(),
            relations,
            notes: Vec::new(),
        })
    }

    /// The rule in the API's shape, with what belongs to it in the places of its relations, and `_relations` that
    /// connect them again.
    pub fn to_json(&self) -> Json {
        let mut json = self.rule.to_json();
        let all = |entities: &[Entity]| Json::Array(entities.iter().map(Entity::to_json).collect());
        if let Json::Object(map) = &mut json {
            let mut put = |relation: Relation, value| {
                map.insert(relation.field().to_string(), value);
            };
            if !self.filters.is_empty() {
                put(Relation::Filters, all(&self.filters));
            }
            if !self.modules.is_empty() {
                put(Relation::Modules, all(&self.modules));
            }
            if let Some(finding) = &self.finding {
                put(Relation::Finding, finding.to_json());
            }
            let mut relations = Map::new();
            for (relation, _) in PARTS {
                if let Some(ids) = self.relations.get(relation) {
                    relations.insert(relation.key().to_string(), json!(ids));
                }
            }
            if !relations.is_empty() {
                map.insert("_relations".to_string(), Json::Object(relations));
            }
        }
        json
    }

    /// What came with the rule of this kind.
    pub fn parts(&self, kind: EntityKind) -> Vec<&Entity> {
        match kind {
            EntityKind::Filter => self.filters.iter().collect(),
            EntityKind::Module => self.modules.iter().collect(),
            EntityKind::Finding => self.finding.iter().collect(),
            EntityKind::Table => Vec::new(),
        }
    }
}

/// A time in milliseconds since 1970, as the API writes times.
pub fn time(millis: i64) -> String {
    let time = DateTime::from_timestamp_millis(millis).unwrap_or_default();
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// Now, as the API writes times.
pub fn now(context: &Context) -> String {
    time(context.clock.now())
}

/// The program of what the visual constructor drew.
pub fn drawn(data: &Json) -> Result<String, Vec<Reason>> {
    let wrong = |found: super::constructor::Found| Reason::new(found.path, found.reason);
    super::constructor::compile(data)
        .map(|drawn| drawn.lua)
        .map_err(|found| found.into_iter().map(wrong).collect())
}
