//! Lines to the values that an expression names.

use super::table::Header;
use crate::diagnostic::{Code, Outcome};
use crate::eval::collections::Map;
use crate::eval::json::parse::{Extractor, Field};
use crate::eval::json::{bad_json, field_value, read_event};
use crate::eval::{Value, look_up};
use smol_str::SmolStr;
use std::sync::Arc;

/// What an expression wants of every event.
#[derive(Clone)]
pub struct Wanted {
    names: Vec<SmolStr>,
    /// The slot of each name.
    slots: Vec<usize>,
    /// The slots that want the whole event.
    whole: Vec<usize>,
    /// Whether a name begins at the whole event: `_.ip`.
    below: bool,
    depth: usize,
}

impl Wanted {
    /// The names that fill the slots; `None` for a slot that is filled already, `_` for the whole event.
    pub fn new<'a>(names: impl IntoIterator<Item = Option<&'a SmolStr>>, depth: usize) -> Wanted {
        let mut wanted = Wanted {
            names: Vec::new(),
            slots: Vec::new(),
            whole: Vec::new(),
            below: false,
            depth,
        };
        for (slot, name) in names.into_iter().enumerate() {
            match name {
                Some(name) if name == "_" => wanted.whole.push(slot),
                Some(name) => {
                    wanted.below |= name.starts_with("_.");
                    wanted.names.push(name.clone());
                    wanted.slots.push(slot);
                }
                None => {}
            }
        }
        wanted
    }

    /// Whether the event must be read as a whole.
    fn wants_all(&self) -> bool {
        self.below || !self.whole.is_empty()
    }
}

/// Reads events into slots; one for each worker.
pub struct EventReader {
    wanted: Wanted,
    extractor: Extractor,
    /// The table that `columns` belongs to, and the column of each name.
    table: Option<(Arc<Header>, Vec<Option<usize>>)>,
}

impl EventReader {
    /// A reader of what is wanted.
    pub fn new(wanted: &Wanted) -> EventReader {
        let names: Vec<&str> = wanted.names.iter().map(SmolStr::as_str).collect();
        EventReader {
            wanted: wanted.clone(),
            extractor: Extractor::new(&names),
            table: None,
        }
    }

    /// Reads a JSON line. Errors: E0401 with what is wrong and where.
    #[inline]
    pub fn json(&mut self, line: &[u8], slots: &mut [Value]) -> Outcome<()> {
        if self.wanted.wants_all() {
            let map = read_event(line).map_err(|bad| bad_json(Code::BadLine, &bad))?;
            self.whole(&map, slots);
            return Ok(());
        }
        // Most expressions name a few fields, which then need no memory of their own.
        let mut few: [Field<'_>; 8] = Default::default();
        let mut many;
        let count = self.wanted.names.len();
        let fields: &mut [Field<'_>] = match few.get_mut(..count) {
            Some(few) => few,
            None => {
                many = vec![Field::Missing; count];
                &mut many
            }
        };
        self.extractor
            .extract(line, fields)
            .map_err(|bad| bad_json(Code::BadLine, &bad))?;
        for (field, slot) in fields.iter().zip(&self.wanted.slots) {
            if let Some(slot) = slots.get_mut(*slot) {
                *slot = field_value(field, self.wanted.depth);
            }
        }
        Ok(())
    }

    fn whole(&self, map: &Map, slots: &mut [Value]) {
        let get = |name: &str| match name {
            "_" => Some(Value::Map(map.as_view())),
            name => map.get_text(name),
        };
        for (name, slot) in self.wanted.names.iter().zip(&self.wanted.slots) {
            if let Some(slot) = slots.get_mut(*slot) {
                *slot = look_up(name, get).unwrap_or(Value::Null);
            }
        }
        for slot in &self.wanted.whole {
            if let Some(slot) = slots.get_mut(*slot) {
                *slot = Value::Map(map.as_view());
            }
        }
    }

    /// Reads a row of a table. Errors: E0401, E0402.
    pub fn row(&mut self, header: &Arc<Header>, row: &[u8], slots: &mut [Value]) -> Outcome<()> {
        if self.wanted.wants_all() {
            self.whole(&header.event(row)?, slots);
            return Ok(());
        }
        let values = header.row(row)?;
        let known = self
            .table
            .as_ref()
            .is_some_and(|(table, _)| Arc::ptr_eq(table, header));
        if !known {
            let columns = self
                .wanted
                .names
                .iter()
                .map(|n| header.names.iter().rposition(|c| c == n))
                .collect();
            self.table = Some((header.clone(), columns));
        }
        let Some((_, columns)) = &self.table else {
            return Ok(());
        };
        for (column, slot) in columns.iter().zip(&self.wanted.slots) {
            if let Some(slot) = slots.get_mut(*slot) {
                *slot = column
                    .and_then(|c| values.get(c))
                    .cloned()
                    .unwrap_or(Value::Null);
            }
        }
        Ok(())
    }
}
