//! A rule of the store in a few words.

use crate::diagnostic::Outcome;
use crate::rule::model::{EntityKind, Rule};
use crate::rule::store::Rules;
use crate::store::Within;
use serde_json::{Value as Json, json};

/// What lists show of a rule: an object.
pub fn summary(rules: &Rules, rule: &Rule, within: Within<'_>) -> Outcome<Json> {
    let names = |kind| -> Outcome<Vec<String>> {
        let parts = rules.entities_of(&rule.id, kind, within)?;
        Ok(parts.into_iter().map(|one| one.name).collect())
    };
    let finding = names(EntityKind::Finding)?.pop();
    Ok(json!({
        "id": rule.id,
        "name": rule.name,
        "active": rule.active,
        "retro": rule.is_retro,
        "system": rule.is_system,
        "alerts": rule.stats.result_count,
        "errors": rule.stats.error_count,
        "errors_since_start": rule.is_error,
        "filters": names(EntityKind::Filter)?,
        "modules": names(EntityKind::Module)?,
        "finding": finding,
        "started": rule.running_at,
        "updated": rule.updated_at,
        "description": rule.description,
    }))
}
