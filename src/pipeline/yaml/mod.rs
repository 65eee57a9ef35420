//! YAML 1.1 as Python's safe loader reads it, with the place of every node.

mod build;
mod objects;
mod resolve;
#[cfg(test)]
mod tests;

pub use build::{Limits, read, read_noting};
pub use objects::{Bytes, Date, Moment};

use crate::diagnostic::Span;
use crate::eval::Value;
use crate::eval::collections::{List, Map, MapKind};

/// A value of a document and where it stands, in bytes.
#[derive(Debug, Clone)]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// Where it stands; for an alias, where the alias stands.
    pub span: Span,
}

/// What a node is.
#[derive(Debug, Clone)]
pub enum Kind {
    /// Null, a boolean, a number, a text, a [`Date`], a [`Moment`] or [`Bytes`].
    Scalar(Value),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, without two equal keys; keys are scalars.
    Map(Vec<(Node, Node)>),
}

impl Node {
    /// Its text, when it is one.
    pub fn as_text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar(value) => value.as_text(),
            _ => None,
        }
    }

    /// Whether it is null.
    pub fn is_null(&self) -> bool {
        matches!(&self.kind, Kind::Scalar(Value::Null))
    }

    /// What the key of this name stands for, when the node is a mapping that has it.
    pub fn get(&self, name: &str) -> Option<&Node> {
        match &self.kind {
            Kind::Map(entries) => entries
                .iter()
                .find(|(key, _)| key.as_text() == Some(name))
                .map(|(_, node)| node),
            _ => None,
        }
    }

    /// The value without places.
    pub fn value(&self) -> Value {
        match &self.kind {
            Kind::Scalar(value) => value.clone(),
            Kind::List(items) => Value::List(List::array(items.iter().map(Node::value).collect())),
            Kind::Map(entries) => {
                let entries = entries
                    .iter()
                    .map(|(key, node)| (key.value(), node.value()));
                Value::Map(Map::new(MapKind::Ordered, entries.collect()))
            }
        }
    }

    /// What it is, for messages: `a list`, `the text "x"`.
    pub fn in_words(&self) -> String {
        match &self.kind {
            Kind::Scalar(Value::Null) => "nothing".to_owned(),
            Kind::Scalar(value) => value.kind_in_words(),
            Kind::List(_) => "a list".to_owned(),
            Kind::Map(_) => "a map".to_owned(),
        }
    }
}
