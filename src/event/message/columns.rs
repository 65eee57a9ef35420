//! Messages as rows of the table `events`, and back.

use super::tape::{Children, Node, Tape};
use super::{Item, Message, Options, bad_value};
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use crate::event::{Column, Range, Record, Row};
use serde_json::{Value as Json, json};

impl Message {
    /// The row of the table `events`. Errors: E0609 without DetectTime or Category, and for half a surrogate pair in
    /// a text that has a column; E0607 for a port beyond 64 bits.
    pub fn to_row(&self) -> Outcome<Row> {
        let mut row = Row::default();
        let (mut detected, mut categorised) = (false, false);
        let mut protocols = Vec::new();
        for (key, item) in self.parts() {
            match key {
                "ID" => row.id = item.as_str().unwrap_or_default().to_string(),
                "DetectTime" => {
                    detected = true;
                    row.detecttime = item.as_time().unwrap_or_default();
                }
                "Category" => {
                    categorised = true;
                    row.category = texts(item, key)?;
                }
                "Description" => row.description = Some(text(item, key)?),
                "Source" => party(
                    item,
                    key,
                    (
                        &mut row.source_ip,
                        &mut row.source_port,
                        &mut row.source_type,
                    ),
                    &mut protocols,
                )?,
                "Target" => party(
                    item,
                    key,
                    (
                        &mut row.target_ip,
                        &mut row.target_port,
                        &mut row.target_type,
                    ),
                    &mut protocols,
                )?,
                "Node" => nodes(item, &mut row),
                super::PRIVATE_KEY => private(item, &mut row)?,
                _ => {}
            }
        }
        if !detected || !categorised {
            let mut keys = [(detected, "DetectTime"), (categorised, "Category")]
                .into_iter()
                .filter(|(there, _)| !there)
                .map(|(_, key)| format!("{key} is missing"));
            let first = keys.next().unwrap_or_default();
            return Err(super::check::bad(first, keys));
        }
        protocols.sort_unstable();
        protocols.dedup();
        row.protocol = protocols;
        row.event = Some(self.to_json());
        Ok(row)
    }

    /// The members whose keys are texts.
    fn parts(&self) -> impl Iterator<Item = (&str, Item<'_>)> {
        parts(&self.tape, self.root)
    }

    /// The message that a record holds as a whole. Errors: E0606 when the record has no column `event`, or nothing in
    /// it; E0609 for what is no message.
    pub fn from_record(record: &Record) -> Outcome<Message> {
        let event = record
            .row
            .event
            .as_deref()
            .filter(|_| record.has(Column::Event));
        let Some(event) = event else {
            let message = "a message is made of the column event, which the record does not have";
            return Err(Diagnostic::new(Code::EventStorage, message).help(
                "ask for the column event, or for ghosts, which are made of the other columns",
            ));
        };
        Message::parse(event, &Options::default())
    }

    /// A message made of the columns alone: one source and one target with everything that any had, a node for each
    /// name with all types. Errors: E0606 when the record has no column `id`; E0609 for what is no message.
    pub fn ghost(record: &Record) -> Outcome<Message> {
        let row = &record.row;
        let has = |column| record.has(column);
        if !has(Column::Id) {
            let message = "a ghost needs the column id, which the record does not have";
            return Err(Diagnostic::new(Code::EventStorage, message));
        }
        let mut ghost = serde_json::Map::new();
        let time = |time: i64| super::time::written(time).unwrap_or_default();
        ghost.insert("ID".to_string(), json!(row.id));
        if has(Column::DetectTime) {
            ghost.insert("DetectTime".to_string(), json!(time(row.detecttime)));
        }
        if has(Column::Category) {
            ghost.insert("Category".to_string(), json!(row.category));
        }
        if let Some(description) = row
            .description
            .as_ref()
            .filter(|_| has(Column::Description))
        {
            ghost.insert("Description".to_string(), json!(description));
        }
        let protocol = given(has(Column::Protocol), &row.protocol);
        let source = ghost_party(
            given(has(Column::SourceIp), &row.source_ip),
            given(has(Column::SourceType), &row.source_type),
            given(has(Column::SourcePort), &row.source_port),
            protocol,
        );
        let target = ghost_party(
            given(has(Column::TargetIp), &row.target_ip),
            given(has(Column::TargetType), &row.target_type),
            given(has(Column::TargetPort), &row.target_port),
            protocol,
        );
        let nodes = given(has(Column::NodeName), &row.node_name)
            .iter()
            .map(|name| {
                let mut node = serde_json::Map::new();
                node.insert("Name".to_string(), json!(name));
                put_some(
                    &mut node,
                    "Type",
                    given(has(Column::NodeType), &row.node_type),
                );
                Json::Object(node)
            })
            .collect::<Vec<_>>();
        for (key, parties) in [
            ("Source", source.as_slice()),
            ("Target", target.as_slice()),
            ("Node", nodes.as_slice()),
        ] {
            put_some(&mut ghost, key, parties);
        }
        let mut private = serde_json::Map::new();
        put_some(
            &mut private,
            "ResolvedAbuses",
            given(has(Column::ResolvedAbuses), &row.resolvedabuses),
        );
        put_some(
            &mut private,
            "InspectionErrors",
            given(has(Column::InspectionErrors), &row.inspectionerrors),
        );
        if let Some(stored) = row.storagetime.filter(|_| has(Column::StorageTime)) {
            private.insert("StorageTime".to_string(), json!(time(stored)));
        }
        for (key, column, text) in [
            ("EventClass", Column::EventClass, &row.eventclass),
            ("EventSeverity", Column::EventSeverity, &row.eventseverity),
        ] {
            if let Some(text) = text.as_ref().filter(|text| has(column) && !text.is_empty()) {
                private.insert(key.to_string(), json!(text));
            }
        }
        if !private.is_empty() {
            ghost.insert(super::PRIVATE_KEY.to_string(), Json::Object(private));
        }
        Message::from_json(&Json::Object(ghost), &Options::default())
    }
}

/// What a record has of a column.
fn given<T>(there: bool, values: &[T]) -> &[T] {
    if there { values } else { &[] }
}

/// Puts a list that is not empty.
fn put_some<T: serde::Serialize>(
    object: &mut serde_json::Map<String, Json>,
    key: &str,
    values: &[T],
) {
    if !values.is_empty() {
        object.insert(key.to_string(), json!(values));
    }
}

/// The one source or target of a ghost; nothing where nothing is known.
fn ghost_party(ips: &[Range], types: &[String], ports: &[i64], protocol: &[String]) -> Vec<Json> {
    let mut party = serde_json::Map::new();
    for (key, v4) in [("IP4", true), ("IP6", false)] {
        let of_kind = ips.iter().filter(|range| range.is_v4() == v4);
        let texts: Vec<String> = of_kind.map(Range::to_string).collect();
        put_some(&mut party, key, &texts);
    }
    put_some(&mut party, "Type", types);
    put_some(&mut party, "Port", ports);
    put_some(&mut party, "Proto", protocol);
    match party.is_empty() {
        true => Vec::new(),
        false => vec![Json::Object(party)],
    }
}

/// The members of an object whose keys are texts.
fn parts(tape: &Tape, members: Children) -> impl Iterator<Item = (&str, Item<'_>)> {
    let members = tape.children(members).iter();
    members.filter_map(|entry| Some((tape.str(entry.key)?, Item::new(tape, entry.node))))
}

/// The text of a value with a column. Errors: E0609 for half a surrogate pair, which no text can hold.
fn text(item: Item<'_>, path: &str) -> Outcome<String> {
    match item.text() {
        Some(text) => Ok(text.into_owned()),
        None => Err(half(item, path)),
    }
}

#[cold]
fn half(item: Item<'_>, path: &str) -> Fault {
    let what = format!("{item:?} has half a surrogate pair, which its column cannot hold");
    bad_value(path, what)
}

/// The texts of a list.
fn texts(list: Item<'_>, path: &str) -> Outcome<Vec<String>> {
    list.items()
        .enumerate()
        .map(|(i, item)| match item.as_str() {
            Some(text) => Ok(text.to_string()),
            None => text(item, &format!("{path}[{i}]")),
        })
        .collect()
}

/// What the columns hold of sources or targets: addresses, ports, types.
type Party<'r> = (&'r mut Vec<Range>, &'r mut Vec<i64>, &'r mut Vec<String>);

fn party(
    parties: Item<'_>,
    path: &str,
    row: Party<'_>,
    protocols: &mut Vec<String>,
) -> Outcome<()> {
    let (ips, ports, types) = row;
    let mut tags: Vec<&str> = Vec::new();
    for (i, party) in parties.items().enumerate() {
        for key in ["IP4", "IP6"] {
            let addresses = party.get(key).into_iter().flat_map(Item::items);
            ips.extend(
                addresses
                    .filter_map(Item::as_address)
                    .map(|one| one.range()),
            );
        }
        for (key, list) in party.members_by_text() {
            match key {
                "Port" => {
                    for (j, port) in list.items().enumerate() {
                        match port.as_i64() {
                            Some(port) => ports.push(port),
                            None => {
                                let digits = port.as_big().unwrap_or_default();
                                let message = format!(
                                    "{path}[{i}].Port[{j}]: {digits} is out of range for a port"
                                );
                                return Err(Diagnostic::new(Code::EventData, message));
                            }
                        }
                    }
                }
                "Type" => tags.extend(list.items().filter_map(Item::as_str)),
                "Proto" => {
                    for (j, item) in list.items().enumerate() {
                        let Some(text) = item.text() else {
                            return Err(half(item, &format!("{path}[{i}].Proto[{j}]")));
                        };
                        protocols.push(lower(&text));
                    }
                }
                _ => {}
            }
        }
    }
    ports.sort_unstable();
    ports.dedup();
    *types = sorted(tags);
    Ok(())
}

/// A text in small letters; most are plain ASCII.
fn lower(text: &str) -> String {
    match text.is_ascii() {
        true => text.to_ascii_lowercase(),
        false => text.to_lowercase(),
    }
}

/// Every text once, sorted by code points.
fn sorted(mut texts: Vec<&str>) -> Vec<String> {
    texts.sort_unstable();
    texts.dedup();
    texts.into_iter().map(str::to_string).collect()
}

fn nodes(nodes: Item<'_>, row: &mut Row) {
    let mut types: Vec<&str> = Vec::new();
    for node in nodes.items() {
        for (key, value) in node.members_by_text() {
            match key {
                "Name" => row.node_name.extend(value.as_str().map(str::to_string)),
                "Type" => types.extend(value.items().filter_map(Item::as_str)),
                _ => {}
            }
        }
    }
    row.node_type = sorted(types);
}

fn private(object: Item<'_>, row: &mut Row) -> Outcome<()> {
    for (key, item) in object.members_by_text() {
        match key {
            "StorageTime" => row.storagetime = item.as_time(),
            "EventClass" => row.eventclass = Some(lower(&text(item, "_CESNET.EventClass")?)),
            "EventSeverity" => {
                row.eventseverity = Some(lower(&text(item, "_CESNET.EventSeverity")?));
            }
            "ResolvedAbuses" => row.resolvedabuses = texts(item, "_CESNET.ResolvedAbuses")?,
            "InspectionErrors" => row.inspectionerrors = texts(item, "_CESNET.InspectionErrors")?,
            _ => {}
        }
    }
    Ok(())
}

impl<'a> Item<'a> {
    /// The members whose keys are texts, where this is an object.
    fn members_by_text(self) -> impl Iterator<Item = (&'a str, Item<'a>)> {
        let (tape, members) = match self.inside() {
            (tape, Node::Map(members)) => (tape, members),
            (tape, _) => (tape, Children::default()),
        };
        parts(tape, members)
    }
}
