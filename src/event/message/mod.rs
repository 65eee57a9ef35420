//! IDEA messages (<https://idea.cesnet.cz/en/definition>): security events as Mentat stores them.
//!
//! [`Message::parse`] reads JSON and makes every value what the format asks for: times with a zone, addresses, networks
//! and ranges, categories, numbers. Keys that the format does not know stay as they are. [`Message::to_row`] gives the
//! row of the table `events`, [`Message::to_json`] the bytes in its last column: what Mentat 2.4 would store for the
//! same message, to the byte.

mod address;
mod check;
mod columns;
mod ids;
mod item;
mod number;
mod read;
mod schema;
mod tape;
mod time;
mod write;

#[cfg(test)]
mod tests;

pub use address::Address;
pub use ids::Ids;
pub use item::Item;
pub(super) use time::written as written_time;

use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use crate::eval::Value;
use crate::eval::json::{bad_json, write_json};
use check::check;
use smol_str::SmolStr;
use std::sync::Arc;
use tape::{Children, Entry, LONGEST, Node, Piece, Tape};

/// The key of the object in which Mentat keeps what it finds out about a message.
pub const PRIVATE_KEY: &str = "_CESNET";

/// How messages are read.
#[derive(Debug, Clone)]
pub struct Options {
    /// The key of Mentat's own object in the input; it is stored as `_CESNET`. Mentat's newer versions call it
    /// `_Mentat`.
    pub private_key: SmolStr,
    /// The storage time of messages that have none, in microseconds since 1970.
    pub storage_time: Option<i64>,
    /// Where identifiers of messages that have none come from.
    pub ids: Arc<Ids>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            private_key: SmolStr::new_static(PRIVATE_KEY),
            storage_time: None,
            ids: Arc::default(),
        }
    }
}

/// A message that is valid IDEA.
#[derive(Clone)]
pub struct Message {
    tape: Tape,
    root: Children,
}

impl Message {
    /// Reads a message. Errors: E0609 with the place in the text or in the message.
    pub fn parse(json: &[u8], options: &Options) -> Outcome<Message> {
        if json.len() > LONGEST {
            let message = format!("the message has more than {LONGEST} bytes");
            return Err(Diagnostic::new(Code::BadMessage, message));
        }
        let (tape, root) = read::read(json).map_err(|bad| bad_json(Code::BadMessage, &bad))?;
        let Node::Map(root) = root else {
            let message = "a message is a JSON object, and this is none";
            return Err(Diagnostic::new(Code::BadMessage, message));
        };
        Message { tape, root }.made_valid(options)
    }

    /// Makes a message of a map, as [`Message::parse`] of its JSON. Errors: E0609; E0302 and E0303 for values without
    /// end.
    pub fn from_value(value: &Value, options: &Options) -> Outcome<Message> {
        let mut json = Vec::new();
        write_json(value, &mut json)?;
        Message::parse(&json, options)
    }

    /// Makes a message of JSON in memory. Errors: E0609.
    pub fn from_json(json: &serde_json::Value, options: &Options) -> Outcome<Message> {
        Message::parse(json.to_string().as_bytes(), options)
    }

    /// Checks all values and fills in what may be left out.
    fn made_valid(mut self, options: &Options) -> Outcome<Message> {
        let mut added: Vec<Entry> = Vec::new();
        if options.private_key != PRIVATE_KEY {
            self.rename(&options.private_key)?;
        }
        self.root = check(&mut self.tape, self.root)?;
        if self.tape.member(self.root, "Format").is_none() {
            added.push(self.text_member("Format", "IDEA0"));
        }
        if self.tape.member(self.root, "ID").is_none() {
            added.push(self.text_member("ID", &options.ids.next()));
        }
        self.put(added);
        if let Some(time) = options.storage_time
            && self.storage_time().is_none()
        {
            self.set_storage_time(time);
        }
        Ok(self)
    }

    fn text_member(&mut self, key: &str, text: &str) -> Entry {
        Entry {
            key: self.tape.add(key),
            node: Node::Text(self.tape.add(text)),
        }
    }

    /// Adds members to the message, or replaces those with the same keys.
    fn put(&mut self, added: Vec<Entry>) {
        if !added.is_empty() {
            self.root = self.with(self.root, added);
        }
    }

    fn with(&mut self, members: Children, added: Vec<Entry>) -> Children {
        let mut all = self.tape.children(members).to_vec();
        all.extend(added);
        self.tape.map(&mut all, 0)
    }

    /// Calls Mentat's own object by the name under which it is stored.
    fn rename(&mut self, from: &str) -> Outcome<()> {
        if self.tape.member(self.root, from).is_none() {
            return Ok(());
        }
        if self.tape.member(self.root, PRIVATE_KEY).is_some() {
            let message =
                format!("{from}: the message has {PRIVATE_KEY} as well, and only one can be kept");
            return Err(Diagnostic::new(Code::BadMessage, message));
        }
        let key = self.tape.add(PRIVATE_KEY);
        let mut all = self.tape.children(self.root).to_vec();
        for entry in &mut all {
            if self.tape.piece(entry.key) == Piece::Text(from) {
                entry.key = key;
            }
        }
        self.root = self.tape.map(&mut all, 0);
        Ok(())
    }

    /// Sets when the message was stored, in microseconds since 1970; beyond the years of four digits it has no effect.
    pub fn set_storage_time(&mut self, time: i64) {
        if time::written(time).is_none() {
            return;
        }
        let entry = Entry {
            key: self.tape.add("StorageTime"),
            node: Node::Time(time),
        };
        let private = match self.tape.member(self.root, PRIVATE_KEY) {
            Some(Node::Map(members)) => members,
            _ => Children::default(),
        };
        let entry = Entry {
            key: self.tape.add(PRIVATE_KEY),
            node: Node::Map(self.with(private, vec![entry])),
        };
        self.put(vec![entry]);
    }

    /// Forgets by which clocks the message was made and stored, which says nothing about the event.
    pub fn set_clocks_back(&mut self) {
        self.set_storage_time(0);
        let entry = Entry {
            key: self.tape.add("CreateTime"),
            node: Node::Time(0),
        };
        self.put(vec![entry]);
    }

    /// The bytes that are stored.
    pub fn to_json(&self) -> Vec<u8> {
        let mut json = Vec::with_capacity(self.tape.text.len() + 128);
        self.write_json(&mut json);
        json
    }

    /// Writes the bytes that are stored.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        write::write_node(&self.tape, Node::Map(self.root), out);
    }

    /// The message as a map of the language: times, addresses and durations as their texts.
    pub fn to_value(&self) -> Value {
        self.root().to_value()
    }

    /// The whole message, to look into.
    pub fn root(&self) -> Item<'_> {
        Item::new(&self.tape, Node::Map(self.root))
    }

    /// The value of a key of the message.
    pub fn get(&self, key: &str) -> Option<Item<'_>> {
        self.root().get(key)
    }

    /// The identifier.
    pub fn id(&self) -> &str {
        self.get("ID").and_then(Item::as_str).unwrap_or_default()
    }

    /// When the event was detected, in microseconds since 1970.
    pub fn detect_time(&self) -> Option<i64> {
        self.get("DetectTime").and_then(Item::as_time)
    }

    /// When the message was stored, in microseconds since 1970.
    pub fn storage_time(&self) -> Option<i64> {
        self.private("StorageTime").and_then(Item::as_time)
    }

    /// The value of a key of Mentat's own object.
    pub fn private(&self, key: &str) -> Option<Item<'_>> {
        self.get(PRIVATE_KEY)?.get(key)
    }

    /// The categories, in their order.
    pub fn categories(&self) -> impl Iterator<Item = &str> {
        let list = self.get("Category").into_iter();
        list.flat_map(Item::items).filter_map(Item::as_str)
    }

    /// A few words about the event.
    pub fn description(&self) -> Option<&str> {
        self.get("Description").and_then(Item::as_str)
    }

    /// All addresses of the sources (`Source`) or targets (`Target`), one after the other, IPv4 first in each.
    pub fn addresses(&self, of: &str) -> impl Iterator<Item = Address> {
        let parties = self.get(of).into_iter().flat_map(Item::items);
        parties
            .flat_map(|party| ["IP4", "IP6"].map(|key| party.get(key)))
            .flatten()
            .flat_map(Item::items)
            .filter_map(Item::as_address)
    }

    /// The names of the detectors, in their order.
    pub fn detectors(&self) -> impl Iterator<Item = &str> {
        let nodes = self.get("Node").into_iter().flat_map(Item::items);
        nodes.filter_map(|node| node.get("Name")?.as_str())
    }

    /// The class of the event, as Mentat found it.
    pub fn class(&self) -> Option<&str> {
        self.private("EventClass").and_then(Item::as_str)
    }

    /// The severity of the event, as Mentat found it.
    pub fn severity(&self) -> Option<&str> {
        self.private("EventSeverity").and_then(Item::as_str)
    }

    /// The groups that the event concerns, as Mentat found them.
    pub fn abuses(&self) -> impl Iterator<Item = &str> {
        let list = self.private("ResolvedAbuses").into_iter();
        list.flat_map(Item::items).filter_map(Item::as_str)
    }
}

impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.to_json()))
    }
}

impl PartialEq for Message {
    /// Two messages are equal when they are stored as the same bytes.
    fn eq(&self, other: &Message) -> bool {
        self.to_json() == other.to_json()
    }
}

/// A fault of one value of a message.
fn bad_value(path: &str, what: impl std::fmt::Display) -> Fault {
    Diagnostic::new(Code::BadMessage, format!("{path}: {what}"))
}
