//! Messages to rows: the fields that the expressions of all profiles name, each read once.

use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use crate::eval::collections::{List, Map, MapKind};
use crate::eval::json::parse::{BadJson, Extractor, Field};
use crate::eval::json::{bad_json, field_value_of_longs, read_event_of_longs, read_of_longs};
use crate::eval::{Value, look_up};
use crate::input::Header;
use smol_str::SmolStr;
use std::sync::Arc;

/// The fields that are wanted of a message.
#[derive(Clone, Default)]
pub(in crate::profile) struct Fields {
    names: Vec<SmolStr>,
    /// Whether an expression reads `_`.
    pub whole: bool,
}

impl Fields {
    /// The place of a field in the rows.
    pub fn place(&mut self, name: &str) -> usize {
        let known = self.names.iter().position(|n| n == name);
        known.unwrap_or_else(|| {
            self.names.push(SmolStr::new(name));
            self.names.len() - 1
        })
    }

    /// The names by their places.
    pub fn into_names(self) -> Vec<SmolStr> {
        self.names
    }
}

/// The wanted fields of a message.
#[derive(Clone, Copy)]
pub(in crate::profile) struct Row<'a> {
    fields: &'a [Value],
}

impl<'a> Row<'a> {
    pub fn new(fields: &'a [Value]) -> Row<'a> {
        Row { fields }
    }

    /// The value of a field; null when the message has none.
    #[inline]
    pub fn get(self, place: usize) -> &'a Value {
        const NULL: &Value = &Value::Null;
        self.fields.get(place).unwrap_or(NULL)
    }

    /// The whole message, where it was wanted.
    pub fn whole(self) -> Option<&'a Map> {
        match self.fields.last() {
            Some(Value::Map(map)) => Some(map),
            _ => None,
        }
    }
}

/// Reads messages into rows.
pub(in crate::profile) struct Reader {
    names: Vec<SmolStr>,
    whole: bool,
    extractor: Extractor,
    depth: usize,
    /// The table that was read last, and the column of each name.
    table: Option<(Arc<Header>, Vec<Option<usize>>)>,
}

/// Texts inside of texts are read down to this level.
const TEXTS_IN_TEXTS: usize = 16;

/// Most definitions name a few fields, which then need no memory of their own.
const FEW: usize = 12;

impl Reader {
    pub fn new(fields: Fields, depth: usize) -> Reader {
        let names: Vec<&str> = fields.names.iter().map(SmolStr::as_str).collect();
        Reader {
            extractor: Extractor::new(&names),
            names: fields.names,
            whole: fields.whole,
            depth,
            table: None,
        }
    }

    /// How many values a row has.
    pub fn width(&self) -> usize {
        self.names.len() + usize::from(self.whole)
    }

    /// Appends the row of a message in JSON.
    pub fn line(&mut self, line: &[u8], rows: &mut Vec<Value>) -> Result<(), BadJson> {
        if self.whole {
            self.map(read_event_of_longs(line)?, rows);
            return Ok(());
        }
        let mut few: [Field<'_>; FEW] = Default::default();
        let mut many;
        let fields: &mut [Field<'_>] = match few.get_mut(..self.names.len()) {
            Some(few) => few,
            None => {
                many = vec![Field::Missing; self.names.len()];
                &mut many
            }
        };
        self.extractor.extract(line, fields)?;
        let depth = self.depth;
        rows.extend(
            fields
                .iter()
                .map(|field| field_value_of_longs(field, depth)),
        );
        Ok(())
    }

    /// Appends the row of a table's row. Errors: E0401, E0402.
    pub fn table_row(
        &mut self,
        header: &Arc<Header>,
        row: &[u8],
        rows: &mut Vec<Value>,
    ) -> Outcome<()> {
        if self.whole {
            let longs = header.row(row)?.into_iter().map(long);
            let names = header.names.iter().map(|name| Value::Text(name.clone()));
            self.map(Map::new(MapKind::Ordered, names.zip(longs).collect()), rows);
            return Ok(());
        }
        let values = header.row(row)?;
        if !self
            .table
            .as_ref()
            .is_some_and(|(table, _)| Arc::ptr_eq(table, header))
        {
            let column = |name: &SmolStr| header.names.iter().rposition(|c| c == name);
            self.table = Some((header.clone(), self.names.iter().map(column).collect()));
        }
        let columns = self.table.as_ref().map(|(_, columns)| columns.as_slice());
        let value = |column: &Option<usize>| column.and_then(|c| values.get(c)).cloned();
        let found = columns.unwrap_or_default().iter().map(value);
        rows.extend(found.map(|value| value.map_or(Value::Null, long)));
        Ok(())
    }

    /// Appends the row of a message that is a map of longs.
    fn map(&self, map: Map, rows: &mut Vec<Value>) {
        let get = |name: &str| map.get_text(name);
        rows.extend(
            self.names
                .iter()
                .map(|name| look_up(name, get).unwrap_or(Value::Null)),
        );
        if self.whole {
            rows.push(Value::Map(map.as_view()));
        }
    }

    /// Appends the rows of what PROFILER_APPLY takes: a text with a message or with a list of messages, a message
    /// that is a map made from JSON, or a list of those; `step` is called for each. Gives how many there were.
    ///
    /// Errors: E0203 for anything else, E0216 for a text that is not JSON, those of `step`.
    pub fn value(
        &mut self,
        value: &Value,
        rows: &mut Vec<Value>,
        step: &dyn Fn() -> Outcome<()>,
    ) -> Outcome<usize> {
        self.at(value, rows, step, 0)
    }

    fn at(
        &mut self,
        value: &Value,
        rows: &mut Vec<Value>,
        step: &dyn Fn() -> Outcome<()>,
        level: usize,
    ) -> Outcome<usize> {
        if level > TEXTS_IN_TEXTS {
            return Err(Diagnostic::new(
                Code::Nesting,
                "texts and lists of messages are nested too deeply",
            ));
        }
        step()?;
        match value {
            Value::Text(text) => self.text(text, rows, step, level),
            Value::List(list) => {
                let mut count = 0;
                for item in list.items() {
                    count += self.at(&item, rows, step, level + 1)?;
                }
                Ok(count)
            }
            Value::Map(map) if map.kind() == MapKind::Ordered => {
                self.map(with_longs(map), rows);
                Ok(1)
            }
            other => Err(no_message(other)),
        }
    }

    fn text(
        &mut self,
        text: &str,
        rows: &mut Vec<Value>,
        step: &dyn Fn() -> Outcome<()>,
        level: usize,
    ) -> Outcome<usize> {
        let start = text.trim_start_matches([' ', '\t', '\r', '\n']);
        let bad = |bad: BadJson| {
            bad_json(Code::NotJson, &bad).help("a message is a JSON object, or a list of them")
        };
        if start.starts_with('{') {
            self.line(text.as_bytes(), rows).map_err(bad)?;
            return Ok(1);
        }
        match read_of_longs(text, self.depth).map_err(bad)? {
            list @ Value::List(_) => self.at(&list, rows, step, level + 1),
            other => Err(no_message(&other)),
        }
    }
}

/// What can be no message.
#[cold]
fn no_message(value: &Value) -> Fault {
    let message = format!(
        "a message is a JSON object as a text, or a list of those, not {}",
        value.kind_in_words()
    );
    let fault = Diagnostic::new(Code::ArgumentType, message);
    match value {
        Value::Map(_) => fault.help("write it as JSON: '{\"ip_src_addr\": \"10.0.0.1\"}'"),
        _ => fault,
    }
}

/// A cell of a table as the profiler sees numbers: whole ones have 64 bits.
fn long(value: Value) -> Value {
    match value {
        Value::Int(n) => Value::Long(i64::from(n)),
        Value::List(list) => Value::List(List::array(list.items().into_iter().map(long).collect())),
        other => other,
    }
}

/// The same map with every whole number of its own of 64 bits, as the profiler reads them from JSON.
fn with_longs(map: &Map) -> Map {
    let entries = map.entries().into_iter().map(|(key, value)| match value {
        Value::Int(n) => (key, Value::Long(i64::from(n))),
        other => (key, other),
    });
    Map::new(MapKind::Ordered, entries.collect())
}
