//! Groups as text, so that they outlive the program: JSON Lines, a group each, the one fed longest ago first.

use super::group::Entry;
use super::{Grouper, Marked, Matcher, key_of, key_parts};
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use serde_json::{Value, json};
use smol_str::SmolStr;
use std::collections::HashSet;
use std::io::{BufRead, Write};

/// The form of the text.
const VERSION: u64 = 1;

fn cannot_write(error: impl std::fmt::Display) -> Fault {
    let message = format!("the groups of a rule cannot be written: {error}");
    Diagnostic::new(Code::CannotWrite, message)
}

fn damaged(line: usize) -> Fault {
    let message = format!("line {line} of the saved groups of a rule cannot be read");
    Diagnostic::new(Code::DamagedValue, message)
}

impl<E> Grouper<E> {
    /// Writes all groups. `signature` tells how the grouper was made; `encode` gives the JSON of an event.
    pub fn save(
        &self,
        signature: &str,
        out: &mut dyn Write,
        encode: &mut dyn FnMut(&E) -> Outcome<Value>,
    ) -> Outcome<()> {
        let head = json!({"groups": VERSION, "signature": signature, "now": self.now});
        writeln!(out, "{head}").map_err(cannot_write)?;
        for group in self.groups.iter() {
            let mut events = Vec::with_capacity(group.total());
            for entry in &group.entries {
                let unique = key_parts(&entry.unique);
                events.push(json!([
                    entry.time,
                    unique,
                    entry.weight,
                    encode(&entry.event)?
                ]));
            }
            let line = json!({"key": group.key(), "waits": group.waits, "events": events});
            writeln!(out, "{line}").map_err(cannot_write)?;
        }
        Ok(())
    }

    /// Takes back what [`Grouper::save`] wrote, in place of the groups there are. False, and no groups, when it was
    /// written for another `signature`. `decode` makes an event of its JSON. E0605 for what was not written so; the
    /// groups before the damage are there then.
    pub fn restore(
        &mut self,
        signature: &str,
        input: &mut dyn BufRead,
        decode: &mut dyn FnMut(Value) -> Outcome<E>,
    ) -> Outcome<bool> {
        self.clear_all();
        for (number, line) in (1..).zip(input.lines()) {
            let line = line.map_err(|_| damaged(number))?;
            let value: Value = serde_json::from_str(&line).map_err(|_| damaged(number))?;
            if number == 1 {
                if value["groups"] != json!(VERSION) || value["signature"] != json!(signature) {
                    return Ok(false);
                }
                self.now = value["now"].as_i64();
                continue;
            }
            self.restore_group(value, decode, number)?;
        }
        Ok(true)
    }

    fn restore_group(
        &mut self,
        mut value: Value,
        decode: &mut dyn FnMut(Value) -> Outcome<E>,
        line: usize,
    ) -> Outcome<()> {
        let bad = || damaged(line);
        let key = texts(&value["key"]).ok_or_else(bad)?;
        let events = match value["events"].take() {
            Value::Array(events) => events,
            _ => return Err(bad()),
        };
        let mut id = None;
        for event in events {
            let [time, unique, weight, event] = match event {
                Value::Array(parts) => <[Value; 4]>::try_from(parts).map_err(|_| bad())?,
                _ => return Err(bad()),
            };
            let entry = Entry {
                time: time.as_i64().ok_or_else(bad)?,
                unique: texts(&unique).ok_or_else(bad)?,
                weight: weight
                    .as_u64()
                    .and_then(|w| u32::try_from(w).ok())
                    .ok_or_else(bad)?,
                event: decode(event)?,
            };
            if let Some(id) = id.or_else(|| self.groups.find(&key).or_else(|| self.add(&key))) {
                self.insert(id, entry);
            }
            id = self.groups.find(&key);
        }
        if let Some(id) = id.filter(|_| value["waits"] == json!(true)) {
            self.wait(id);
        }
        Ok(())
    }
}

impl<E: Clone> Matcher<E> {
    /// As [`Grouper::save`].
    pub fn save(
        &self,
        signature: &str,
        out: &mut dyn Write,
        encode: &mut dyn FnMut(&E) -> Outcome<Value>,
    ) -> Outcome<()> {
        let fresh = self.fresh.values().flatten();
        let fresh: HashSet<u64> = fresh.map(|(_, number)| *number).collect();
        self.grouper.save(signature, out, &mut |marked| {
            let fresh = fresh.contains(&marked.number);
            let order: Vec<&str> = marked.order.iter().map(SmolStr::as_str).collect();
            Ok(json!([marked.steps, order, fresh, encode(&marked.event)?]))
        })
    }

    /// As [`Grouper::restore`].
    pub fn restore(
        &mut self,
        signature: &str,
        input: &mut dyn BufRead,
        decode: &mut dyn FnMut(Value) -> Outcome<E>,
    ) -> Outcome<bool> {
        self.fresh.clear();
        let (mut fed, mut fresh) = (self.fed, HashSet::new());
        let restored = self.grouper.restore(signature, input, &mut |value| {
            let bad =
                || Diagnostic::new(Code::DamagedValue, "a saved event of a rule cannot be read");
            let [steps, order, new, event] = match value {
                Value::Array(parts) => <[Value; 4]>::try_from(parts).map_err(|_| bad())?,
                _ => return Err(bad()),
            };
            let order = texts(&order).ok_or_else(bad)?;
            fed += 1;
            if new == json!(true) {
                fresh.insert(fed);
            }
            Ok(Marked {
                steps: steps.as_u64().ok_or_else(bad)?,
                order: key_parts(&order).into_iter().map(SmolStr::from).collect(),
                number: fed,
                event: decode(event)?,
            })
        });
        self.fed = fed + 1;
        for group in self.grouper.groups.iter() {
            let Some(id) = self.grouper.groups.find(&group.key) else {
                continue;
            };
            for entry in group
                .entries
                .iter()
                .filter(|e| fresh.contains(&e.event.number))
            {
                let known = self.fresh.entry(id).or_default();
                known.push((entry.time, entry.event.number));
            }
        }
        restored
    }
}

/// Texts as one key.
fn texts(value: &Value) -> Option<SmolStr> {
    let texts: Option<Vec<&str>> = value.as_array()?.iter().map(Value::as_str).collect();
    Some(key_of(texts?))
}
