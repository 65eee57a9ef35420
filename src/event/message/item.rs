//! A look into a message.

use super::address::Address;
use super::check::float_text;
use super::tape::{Node, Piece, Tape};
use super::{number, time, write};
use crate::eval::Value;
use crate::eval::collections::{List, Map};
use std::borrow::Cow;
use std::sync::Arc;

/// A value somewhere in a message.
#[derive(Clone, Copy)]
pub struct Item<'a> {
    tape: &'a Tape,
    node: Node,
}

impl<'a> Item<'a> {
    pub(super) fn new(tape: &'a Tape, node: Node) -> Item<'a> {
        Item { tape, node }
    }

    /// What it is made of.
    pub(super) fn inside(self) -> (&'a Tape, Node) {
        (self.tape, self.node)
    }

    /// The value of a key, where this is an object that has it.
    pub fn get(self, key: &str) -> Option<Item<'a>> {
        match self.node {
            Node::Map(members) => {
                let node = self.tape.member(members, key)?;
                Some(Item::new(self.tape, node))
            }
            _ => None,
        }
    }

    /// The elements, where this is a list.
    pub fn items(self) -> impl Iterator<Item = Item<'a>> {
        let items = match self.node {
            Node::List(items) => self.tape.children(items),
            _ => &[],
        };
        items
            .iter()
            .map(move |entry| Item::new(self.tape, entry.node))
    }

    /// The members, sorted by key, where this is an object.
    pub fn members(self) -> impl Iterator<Item = (Cow<'a, str>, Item<'a>)> {
        let members = match self.node {
            Node::Map(members) => self.tape.children(members),
            _ => &[],
        };
        members.iter().map(move |entry| {
            let key = lossy(self.tape.piece(entry.key));
            (key, Item::new(self.tape, entry.node))
        })
    }

    /// What stands at a path such as `Source[0].IP4[1]`.
    pub fn find(self, path: &str) -> Option<Item<'a>> {
        let mut found = self;
        for step in path.split(['.', '[']).filter(|step| !step.is_empty()) {
            found = match step.strip_suffix(']') {
                Some(index) => found.items().nth(index.parse().ok()?)?,
                None => found.get(step)?,
            };
        }
        Some(found)
    }

    /// The text, where this is one; times and addresses are none.
    pub fn as_str(self) -> Option<&'a str> {
        match self.node {
            Node::Text(span) => self.tape.str(span),
            _ => None,
        }
    }

    /// The number, where this is a whole one of 64 bits.
    pub fn as_i64(self) -> Option<i64> {
        match self.node {
            Node::Int(n) => Some(n),
            _ => None,
        }
    }

    /// The number, where this is one.
    pub fn as_f64(self) -> Option<f64> {
        match self.node {
            Node::Int(n) => Some(n as f64),
            Node::Float(x) => Some(x),
            Node::Big(span) => self.tape.str(span).and_then(number::float),
            _ => None,
        }
    }

    /// The truth value, where this is one.
    pub fn as_bool(self) -> Option<bool> {
        match self.node {
            Node::Bool(b) => Some(b),
            _ => None,
        }
    }

    /// Microseconds since 1970, where this is a time.
    pub fn as_time(self) -> Option<i64> {
        match self.node {
            Node::Time(time) => Some(time),
            _ => None,
        }
    }

    /// Microseconds, where this is a duration.
    pub fn as_duration(self) -> Option<u64> {
        match self.node {
            Node::Duration(duration) => Some(duration),
            _ => None,
        }
    }

    /// The address, network or range, where this is one.
    pub fn as_address(self) -> Option<Address> {
        match self.node {
            Node::Address(at) => self.tape.addresses.get(at as usize).copied(),
            _ => None,
        }
    }

    /// The digits, where this is a whole number beyond 64 bits.
    pub(super) fn as_big(self) -> Option<&'a str> {
        match self.node {
            Node::Big(span) => self.tape.str(span),
            _ => None,
        }
    }

    /// The text of a value as Python's `str` gives it; `None` for half a surrogate pair and for what is no scalar.
    pub(super) fn text(self) -> Option<Cow<'a, str>> {
        Some(match self.node {
            Node::Text(span) | Node::Big(span) => Cow::Borrowed(self.tape.str(span)?),
            Node::Bool(true) => Cow::Borrowed("True"),
            Node::Bool(false) => Cow::Borrowed("False"),
            Node::Int(n) => Cow::Owned(n.to_string()),
            Node::Float(x) => Cow::Owned(float_text(x)),
            _ => return None,
        })
    }

    /// The value in the language: times, addresses and durations as their texts, half a surrogate pair as U+FFFD.
    pub fn to_value(self) -> Value {
        let mut text = Vec::new();
        match self.node {
            Node::Null => return Value::Null,
            Node::Bool(b) => return Value::Bool(b),
            Node::Int(n) => return i32::try_from(n).map_or(Value::Long(n), Value::Int),
            Node::Float(x) => return Value::Double(x),
            Node::Big(span) => {
                let n = self.tape.str(span).and_then(|digits| digits.parse().ok());
                return n.map_or(Value::Null, |n| Value::Big(Arc::new(n)));
            }
            Node::Text(span) => return Value::text(lossy(self.tape.piece(span))),
            Node::List(_) => {
                return Value::List(List::array(self.items().map(Item::to_value).collect()));
            }
            Node::Map(_) => {
                let members = self.members().map(|(key, item)| (key, item.to_value()));
                return Value::Map(Map::of_texts(members));
            }
            Node::Time(time) => time::write_time(&mut text, time),
            Node::Duration(duration) => time::write_duration(&mut text, duration),
            Node::Address(_) => {
                let address = self.as_address().map(|address| address.to_string());
                text = address.unwrap_or_default().into_bytes();
            }
        }
        Value::text(String::from_utf8_lossy(&text))
    }
}

impl std::fmt::Debug for Item<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut json = Vec::new();
        write::write_node(self.tape, self.node, &mut json);
        f.write_str(&String::from_utf8_lossy(&json))
    }
}

/// A piece as a text; halves of surrogate pairs become U+FFFD.
fn lossy(piece: Piece<'_>) -> Cow<'_, str> {
    match piece {
        Piece::Text(text) => Cow::Borrowed(text),
        Piece::Half(json) => {
            Cow::Owned(serde_json::from_str(&format!("\"{}\"", replaced(json))).unwrap_or_default())
        }
    }
}

/// JSON's escapes with U+FFFD for halves of surrogate pairs.
fn replaced(json: &str) -> String {
    let mut good = String::new();
    let mut rest = json;
    let unit = |at: &str| {
        let digits = at.strip_prefix("\\u")?.get(..4)?;
        u16::from_str_radix(digits, 16).ok()
    };
    while !rest.is_empty() {
        let length = match (unit(rest), rest.get(6..).and_then(unit)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => 12,
            (Some(0xd800..=0xdfff), _) => {
                good.push_str("\\ufffd");
                rest = rest.get(6..).unwrap_or_default();
                continue;
            }
            (Some(_), _) => 6,
            _ if rest.starts_with('\\') => 2,
            _ => rest.find('\\').unwrap_or(rest.len()),
        };
        good.push_str(rest.get(..length).unwrap_or_default());
        rest = rest.get(length..).unwrap_or_default();
    }
    good
}
