//! Rules of files into the store.

use super::{Bundle, PARTS, drawn, now};
use crate::diagnostic::Outcome;
use crate::eval::Context;
use crate::rule::identifier;
use crate::rule::model::{Entity, EntityKind, Making, Reason, Refusal, Relations, Rule};
use crate::rule::store::{Answer, Rules};
use crate::store::Within;
use serde_json::Value as Json;
use std::collections::HashMap;

/// What became of a rule that was to be stored.
#[derive(Debug, Clone, PartialEq)]
pub enum Stored {
    /// It is new.
    Created(Rule),
    /// It replaced one that was there.
    Replaced(Rule),
}

impl Stored {
    /// The rule as it lies in the store.
    pub fn rule(&self) -> &Rule {
        match self {
            Stored::Created(rule) | Stored::Replaced(rule) => rule,
        }
    }
}

impl Bundle {
    /// Stores the rule with what came with it. Of a rule that is there already, by its identifier or its name, the
    /// fields that are given are changed where `replace` says so. Refused, with nothing stored: what the API refuses.
    pub fn store(&self, rules: &Rules, replace: bool, context: &Context) -> Answer<Stored> {
        let within = Within::context(context);
        let known = match rules.rule(&self.rule.id, within)? {
            Some(known) => Some(known),
            None => rules.rule_named(&self.rule.name, within)?,
        };
        if let Some(known) = &known
            && !replace
        {
            let mut taken = Vec::new();
            if known.name == self.rule.name {
                taken.push("name");
            }
            if known.id == self.rule.id {
                taken.push("id");
            }
            return Ok(Err(Refusal::Taken(taken)));
        }
        let mut made = Vec::new();
        let stored = self.store_parts(rules, replace, within, &mut made);
        let stored = match stored {
            Ok(Ok(ids)) => self.store_rule(rules, known, &ids, context),
            Ok(Err(refusal)) => Ok(Err(refusal)),
            Err(fault) => Err(fault),
        };
        if !matches!(stored, Ok(Ok(_))) {
            // What is refused as a whole leaves no parts behind.
            for (kind, id) in made {
                rules.delete_entity(kind, &id, within)?;
            }
        }
        stored
    }

    /// Stores what came with the rule; gives the identifiers that it has there, and in `made` what is new.
    fn store_parts(
        &self,
        rules: &Rules,
        replace: bool,
        within: Within<'_>,
        made: &mut Vec<(EntityKind, String)>,
    ) -> Answer<HashMap<(EntityKind, String), String>> {
        let mut ids = HashMap::new();
        for (relation, kind) in PARTS {
            for part in self.parts(kind) {
                let known = match rules.entity(kind, &part.id, within)? {
                    Some(known) => Some(known),
                    None => rules.entity_named(kind, &part.name, within)?,
                };
                let id = match known {
                    None => {
                        if let Err(refusal) = rules.create_entity(part, within)? {
                            return Ok(Err(refusal));
                        }
                        made.push((kind, part.id.clone()));
                        part.id.clone()
                    }
                    Some(known) if known.program == part.program => known.id,
                    Some(known) if replace => {
                        let id = known.id;
                        let change = |before: &Entity| {
                            Ok(Entity {
                                program: part.program.clone(),
                                name: part.name.clone(),
                                description: match part.description.as_str() {
                                    "" => before.description.clone(),
                                    text => text.to_string(),
                                },
                                updated_at: part.updated_at.clone(),
                                ..before.clone()
                            })
                        };
                        if let Err(refusal) = rules.update_entity(kind, &id, &change, within)? {
                            return Ok(Err(refusal));
                        }
                        id
                    }
                    Some(known) => {
                        let reason = format!(
                            "the store has another {} {:?}; it is changed where the rule replaces one",
                            kind.name(),
                            known.name
                        );
                        return Ok(Err(Refusal::Bad(vec![Reason::new(
                            relation.field(),
                            reason,
                        )])));
                    }
                };
                ids.insert((kind, part.id.clone()), id);
            }
        }
        Ok(Ok(ids))
    }

    fn store_rule(
        &self,
        rules: &Rules,
        known: Option<Rule>,
        ids: &HashMap<(EntityKind, String), String>,
        context: &Context,
    ) -> Outcome<Result<Stored, Refusal>> {
        let within = Within::context(context);
        let mut relations = Relations::default();
        for (relation, kind) in PARTS {
            if let Some(named) = self.relations.get(relation) {
                let stored = |id: &String| ids.get(&(kind, id.clone())).unwrap_or(id).clone();
                relations.set(relation, named.iter().map(stored).collect());
            }
        }
        let Some(known) = known else {
            let created = rules.create(&self.rule, &relations, within)?;
            return Ok(created.map(|()| Stored::Created(self.rule.clone())));
        };
        let now = now(context);
        let making = Making {
            strict: false,
            now: &now,
            id: &identifier,
            compile: &drawn,
        };
        let mut given = self.given.clone();
        for own in ["id", "created_at", "_relations"] {
            given.remove(own);
        }
        // A name says which rule is meant; another one than the store's is a new name.
        given.insert("name".to_string(), Json::String(self.rule.name.clone()));
        let change = |before: &Rule| {
            let (rule, _) = before.update(&given, &making)?;
            Ok((rule, relations.clone()))
        };
        let changed = rules.update(&known.id, &change, within)?;
        Ok(changed.map(Stored::Replaced))
    }
}
