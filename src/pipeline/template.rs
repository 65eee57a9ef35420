//! Templates: maps and lists in YAML whose texts are expressions.

use super::expression::{Expression, Given, World};
use super::record::Record;
use super::yaml::{Kind, Node};
use crate::diagnostic::Outcome;
use crate::eval::collections::{List, Map, MapKind};
use crate::eval::{Context, Value};
use smol_str::SmolStr;

/// What makes a value of a record.
pub enum Template {
    /// An expression, or a constant.
    Value(Expression),
    /// What each part makes.
    List(Vec<Template>),
    /// What each part makes, by name.
    Map(Vec<(SmolStr, Template)>),
}

impl Template {
    /// Compiles the texts below a node. Errors: those of the expressions, at their places.
    pub fn new(node: &Node, given: &Given, world: &World) -> Outcome<Template> {
        Ok(match &node.kind {
            Kind::Scalar(_) => Template::Value(Expression::or_constant(node, given, world)?),
            Kind::List(items) => {
                let items = items.iter().map(|item| Template::new(item, given, world));
                Template::List(items.collect::<Outcome<_>>()?)
            }
            Kind::Map(entries) => {
                let entry = |(key, node): &(Node, Node)| {
                    let name = crate::eval::text::to_text(&key.value());
                    Ok((SmolStr::new(name), Template::new(node, given, world)?))
                };
                Template::Map(entries.iter().map(entry).collect::<Outcome<_>>()?)
            }
        })
    }

    /// Calls `see` with every expression in it.
    pub fn each(&self, see: &mut dyn FnMut(&Expression)) {
        match self {
            Template::Value(expression) => see(expression),
            Template::List(parts) => parts.iter().for_each(|part| part.each(see)),
            Template::Map(parts) => parts.iter().for_each(|(_, part)| part.each(see)),
        }
    }

    /// The value for a record; null and what is empty is left out. Errors: those of the expressions, with the path.
    pub fn fill(&self, record: &Record, context: &Context) -> Result<Option<Value>, String> {
        Ok(match self {
            Template::Value(expression) => {
                Some(expression.run(record, context)?).filter(|value| !is_empty(value))
            }
            Template::List(parts) => {
                let mut items = Vec::with_capacity(parts.len());
                for (index, part) in parts.iter().enumerate() {
                    let made = part.fill(record, context);
                    items.extend(made.map_err(|reason| below(&index.to_string(), &reason))?);
                }
                (!items.is_empty()).then(|| Value::List(List::array(items)))
            }
            Template::Map(parts) => {
                let mut entries = crate::eval::collections::Entries::default();
                for (name, part) in parts {
                    let made = part.fill(record, context);
                    if let Some(value) = made.map_err(|reason| below(name, &reason))? {
                        entries.insert(Value::Text(name.clone()), value);
                    }
                }
                (!entries.is_empty()).then(|| Value::Map(Map::new(MapKind::Ordered, entries)))
            }
        })
    }
}

/// The reason with a longer path before it.
fn below(name: &str, reason: &str) -> String {
    let space = reason.find(' ').unwrap_or(reason.len());
    match reason.find(": ").filter(|at| *at < space) {
        Some(_) => format!("{name}.{reason}"),
        None => format!("{name}: {reason}"),
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::List(list) => list.is_empty(),
        Value::Map(map) => map.is_empty(),
        Value::Set(set) => set.is_empty(),
        _ => false,
    }
}
