//! What the API of rules knows: rules, their settings and relations, filters, modules, findings, table lists, results.
//!
//! Everything here is a plain function: the JSON of a request becomes a checked thing, or a [`Refusal`] that names each
//! field with what is wrong with it.

mod body;
mod entity;
mod fields;
mod refusal;
mod relations;
mod rule;

#[cfg(test)]
mod tests;

pub use body::{read_body, read_json};
pub use entity::{Entity, EntityKind};
pub use refusal::{Reason, Refusal};
pub use relations::{Relation, Relations};
pub use rule::{DEFAULT_LUA, Making, Rule, Settings, Stats};
