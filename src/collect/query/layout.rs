//! Which values a row has at some point of a query, and where an expression finds its variables.

use crate::eval::collections::Map;
use crate::eval::{Value, look_up};
use crate::input::{Column, EVENTDATE};
use smol_str::SmolStr;

/// The values of a row.
#[derive(Debug, Clone, Default)]
pub struct Layout {
    /// One for each value.
    pub columns: Vec<Column>,
    /// The value that is the whole row of an open source, as a map.
    pub whole: Option<usize>,
    /// Whether any name may be asked of the source: it becomes one more value.
    pub open: bool,
    /// Names by which expressions call aggregates, with their numbers.
    pub aliases: Vec<(SmolStr, usize)>,
}

/// Where a variable is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A value of the row.
    At(usize),
    /// The time of the row.
    Time,
    /// Below a value of the row: the column's number, and the whole name.
    Below(usize, SmolStr),
    /// A field of the whole row.
    Field(SmolStr),
    /// The row as a map.
    Row,
}

impl Layout {
    /// The number of a column.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// Where a variable is found; an open layout gets a column for a new name.
    pub fn place(&mut self, name: &str) -> Option<Place> {
        let alias = self.aliases.iter().find(|(alias, _)| alias == name);
        if let Some(at) = alias.map(|(_, at)| *at).or_else(|| self.find(name)) {
            return Some(Place::At(at));
        }
        if name == "_" && !self.open {
            return Some(self.whole.map_or(Place::Row, Place::At));
        }
        if name == EVENTDATE {
            return Some(Place::Time);
        }
        if self.open {
            self.columns.push(Column::new(name, ""));
            let at = self.columns.len() - 1;
            if name == "_" {
                self.whole = Some(at);
            }
            return Some(Place::At(at));
        }
        if let Some((first, _)) = name.split_once('.')
            && let Some(at) = self.find(first)
        {
            return Some(Place::Below(at, name.into()));
        }
        self.whole.map(|_| Place::Field(name.into()))
    }

    /// The value of a variable in a row.
    pub fn value(&self, place: &Place, time: i64, row: &[Value]) -> Value {
        match place {
            Place::At(at) => row.get(*at).cloned().unwrap_or_default(),
            Place::Time => Value::Long(time),
            Place::Below(at, name) => {
                let first = self.columns.get(*at).map(|column| &column.name);
                look_up(name, |asked| {
                    (first.is_some_and(|first| first == asked)).then(|| row.get(*at).cloned())?
                })
                .unwrap_or_default()
            }
            Place::Field(name) => self
                .whole_of(row)
                .and_then(|map| look_up(name, |asked| map.get_text(asked)))
                .unwrap_or_default(),
            Place::Row => Value::Map(self.map(time, row)),
        }
    }

    /// The whole row of an open source.
    pub fn whole_of<'r>(&self, row: &'r [Value]) -> Option<&'r Map> {
        match row.get(self.whole?) {
            Some(Value::Map(map)) => Some(map),
            _ => None,
        }
    }

    /// The row as a map: the time first, then what the source gave, then what was computed.
    pub fn map(&self, time: i64, row: &[Value]) -> Map {
        let mut fields: Vec<(SmolStr, Value)> = Vec::new();
        self.fields(time, row, |name, value| {
            fields.push((name.clone(), value.clone()));
        });
        Map::of_texts(fields)
    }

    /// All fields of a row by name, each once or, when it is replaced by a later one of its name, again.
    pub fn fields(&self, time: i64, row: &[Value], mut take: impl FnMut(&SmolStr, &Value)) {
        if let Some(map) = self.whole_of(row) {
            take(&EVENTDATE.into(), &Value::Long(time));
            for (name, value) in map.entries() {
                if let Value::Text(name) = name
                    && name != EVENTDATE
                {
                    take(&name, &value);
                }
            }
        }
        for (at, (column, value)) in self.columns.iter().zip(row).enumerate() {
            if Some(at) != self.whole {
                take(&column.name, value);
            }
        }
    }
}
