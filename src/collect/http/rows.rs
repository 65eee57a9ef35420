//! Rows in the forms in which Devo gives them.

use super::wish::{Dates, Mode};
use crate::collect::query::{Row, Totals};
use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::eval::Value;
use crate::eval::java::date_format::Zone;
use crate::eval::json::{write_json, write_text};
use crate::eval::text::to_text;
use crate::input::{Columns, EVENTDATE, csv_line};
use crate::store::serve::timestamp;
use chrono::DateTime;
use smol_str::SmolStr;
use std::fmt::Write;

/// From so many rows, or so many bytes of them, columns are learned where the source does not know them.
const LEARNED: (usize, usize) = (1000, 8 << 20);

/// The kind of columns with times.
const TIME: &str = "timestamp";

struct Column {
    name: SmolStr,
    kind: &'static str,
}

/// Rows on their way into bytes.
pub struct Sheet {
    mode: Mode,
    dates: Dates,
    zone: Zone,
    id: SmolStr,
    columns: Vec<Column>,
    /// Whether rows may have more columns.
    open: bool,
    /// Whether the head is written.
    begun: bool,
    /// Rows from which columns are learned.
    held: Vec<Vec<(SmolStr, Value)>>,
    weight: usize,
    /// What is written.
    pub out: Vec<u8>,
    rows: u64,
}

impl Sheet {
    /// An empty sheet for rows with these columns.
    pub fn new(
        mode: Mode,
        dates: Dates,
        zone: Option<Zone>,
        id: &SmolStr,
        columns: Columns,
    ) -> Sheet {
        let (columns, open) = match columns {
            Columns::Fixed(columns) => (columns, false),
            Columns::Open => (Vec::new(), true),
        };
        let columns = columns.into_iter().map(|column| Column {
            kind: if column.name == EVENTDATE {
                TIME
            } else {
                column.kind
            },
            name: column.name,
        });
        Sheet {
            mode,
            dates,
            zone: zone.unwrap_or_else(Zone::utc),
            id: id.clone(),
            columns: columns.collect(),
            open,
            begun: false,
            held: Vec::new(),
            weight: 0,
            out: Vec::new(),
            rows: 0,
        }
    }

    /// A row without values, as csv and tsv have it.
    pub fn nothing(&self) -> Vec<u8> {
        let between = if self.mode == Mode::Tsv { "\t" } else { "," };
        let cells = self.columns.len().saturating_sub(1);
        format!("{}\n", between.repeat(cells)).into_bytes()
    }

    /// Takes a row. Errors: values that are no JSON; columns that come too late.
    pub fn put(&mut self, row: &Row<'_>) -> Outcome<()> {
        if !self.mode.has_head() {
            self.begin();
            self.rows += 1;
            if self.mode == Mode::Json && self.rows > 1 {
                self.out.push(b',');
            }
            write_json(&Value::Map(row.map()), &mut self.out)?;
            if self.mode == Mode::Simple {
                self.out.push(b'\n');
            }
            return Ok(());
        }
        if self.begun && !self.open {
            let values: Vec<&Value> = row.values().iter().collect();
            return self.line(&values);
        }
        let mut fields = Vec::new();
        row.fields(|name, value| fields.push((name.clone(), value.clone())));
        if self.begun {
            return self.arrange(&fields);
        }
        let before = self.out.len();
        for (name, value) in &fields {
            write_json(value, &mut self.out)?;
            let known = self.columns.iter_mut().find(|column| column.name == *name);
            match known {
                Some(column) if column.kind.is_empty() => column.kind = kind_of(value),
                Some(_) => {}
                None => self.columns.push(Column {
                    kind: if name == EVENTDATE {
                        TIME
                    } else {
                        kind_of(value)
                    },
                    name: name.clone(),
                }),
            }
        }
        self.weight += self.out.len() - before;
        self.out.truncate(before);
        self.held.push(fields);
        if self.held.len() >= LEARNED.0 || self.weight >= LEARNED.1 {
            self.settle()?;
        }
        Ok(())
    }

    /// Writes the rows from which columns were learned.
    pub fn settle(&mut self) -> Outcome<()> {
        self.begin();
        for fields in std::mem::take(&mut self.held) {
            self.arrange(&fields)?;
        }
        Ok(())
    }

    /// Whether there are rows that wait.
    pub fn holds(&self) -> bool {
        !self.held.is_empty()
    }

    /// Writes the values of a row in the order of the columns.
    fn arrange(&mut self, fields: &[(SmolStr, Value)]) -> Outcome<()> {
        let mut values = vec![&Value::Null; self.columns.len()];
        for (name, value) in fields {
            let place = self.columns.iter().position(|column| column.name == *name);
            match place.and_then(|place| values.get_mut(place)) {
                Some(slot) => *slot = value,
                None => {
                    let message = format!(
                        "row {} has a column {name:?} that the first {} rows do not have",
                        self.rows + 1,
                        self.rows
                    );
                    return Err(Diagnostic::new(Code::BadQuery, message)
                        .help("name the columns with select, or ask for json/simple"));
                }
            }
        }
        self.line(&values)
    }

    fn line(&mut self, values: &[&Value]) -> Outcome<()> {
        self.rows += 1;
        match self.mode {
            Mode::Csv | Mode::Tsv => {
                let cells = values.iter().zip(&self.columns);
                let cells = cells.map(|(value, column)| self.cell(value, column));
                let cells = cells.collect::<Outcome<Vec<String>>>()?;
                let line = match self.mode {
                    Mode::Csv => csv_line(&cells),
                    _ => tsv_line(&cells),
                };
                self.out.extend_from_slice(line.as_bytes());
            }
            mode => {
                self.out.extend_from_slice(match mode {
                    Mode::SimpleCompact => b"{\"d\":[",
                    _ if self.rows > 1 => b",[",
                    _ => b"[",
                });
                for (number, value) in values.iter().enumerate() {
                    if number > 0 {
                        self.out.push(b',');
                    }
                    write_json(value, &mut self.out)?;
                }
                self.out.extend_from_slice(match mode {
                    Mode::SimpleCompact => b"]}\n",
                    _ => b"]",
                });
            }
        }
        Ok(())
    }

    fn cell(&self, value: &Value, column: &Column) -> Outcome<String> {
        Ok(match value {
            Value::Null => String::new(),
            Value::Long(millis) if column.kind == TIME => self.date(*millis),
            Value::List(_) | Value::Set(_) | Value::Map(_) => {
                let mut json = Vec::new();
                write_json(value, &mut json)?;
                String::from_utf8_lossy(&json).into_owned()
            }
            other => to_text(other).to_string(),
        })
    }

    fn date(&self, millis: i64) -> String {
        let ahead = i64::from(self.zone.offset_millis(millis));
        let local = millis
            .checked_add(ahead)
            .and_then(DateTime::from_timestamp_millis);
        let Some(local) = local else {
            return millis.to_string();
        };
        match self.dates {
            Dates::Sql => local.format("%Y-%m-%d %H:%M:%S%.3f").to_string(),
            Dates::Iso => {
                let time = local.format("%Y-%m-%dT%H:%M:%S%.3f");
                let (sign, minutes) = (if ahead < 0 { '-' } else { '+' }, ahead.abs() / 60_000);
                match minutes {
                    0 => format!("{time}Z"),
                    _ => format!("{time}{sign}{:02}:{:02}", minutes / 60, minutes % 60),
                }
            }
        }
    }

    /// Writes what stands before the first row, once.
    fn begin(&mut self) {
        if std::mem::replace(&mut self.begun, true) {
            return;
        }
        if self.mode.has_head() && self.open && self.columns.is_empty() {
            // Without rows nobody knows more.
            self.columns.push(Column {
                name: EVENTDATE.into(),
                kind: TIME,
            });
        }
        let (now, id) = (timestamp(), &self.id);
        let envelope =
            format!("{{\"msg\":\"\",\"timestamp\":{now},\"cid\":\"{id}\",\"status\":0,\"object\":");
        let mut head = Vec::new();
        match self.mode {
            Mode::Simple => {}
            Mode::Json => {
                head.extend_from_slice(envelope.as_bytes());
                head.push(b'[');
            }
            Mode::Compact => {
                head.extend_from_slice(envelope.as_bytes());
                head.push(b'{');
                self.describe(&mut head);
                head.extend_from_slice(b",\"d\":[");
            }
            Mode::SimpleCompact => {
                head.push(b'{');
                self.describe(&mut head);
                head.extend_from_slice(b"}\n");
            }
            Mode::Csv | Mode::Tsv => {
                let names = self.columns.iter().map(|column| column.name.to_string());
                let names: Vec<String> = names.collect();
                let line = match self.mode {
                    Mode::Csv => csv_line(&names),
                    _ => tsv_line(&names),
                };
                head.extend_from_slice(line.as_bytes());
            }
        }
        self.out.extend_from_slice(&head);
    }

    /// The columns as Devo describes them, by name and in order.
    fn describe(&self, out: &mut Vec<u8>) {
        let kind = |column: &Column| {
            if column.kind.is_empty() {
                "str"
            } else {
                column.kind
            }
        };
        out.extend_from_slice(b"\"m\":{");
        for (number, column) in self.columns.iter().enumerate() {
            if number > 0 {
                out.push(b',');
            }
            write_text(&column.name, out);
            out.extend_from_slice(b":{\"type\":");
            write_text(kind(column), out);
            out.extend_from_slice(format!(",\"index\":{number}}}").as_bytes());
        }
        out.extend_from_slice(b"},\"metadata\":[");
        for (number, column) in self.columns.iter().enumerate() {
            out.extend_from_slice(if number > 0 {
                b",{\"name\":"
            } else {
                b"{\"name\":"
            });
            write_text(&column.name, out);
            out.extend_from_slice(b",\"type\":");
            write_text(kind(column), out);
            out.push(b'}');
        }
        out.push(b']');
    }

    /// Writes what stands behind the last row.
    pub fn end(&mut self, totals: &Totals) -> Outcome<()> {
        self.settle()?;
        self.out.extend_from_slice(match self.mode {
            Mode::Json => b"]",
            Mode::Compact => b"]}",
            _ => return Ok(()),
        });
        let wrong = totals.bad + totals.failed;
        if wrong > 0 {
            let mut notes = totals.problems.clone();
            let more = wrong.saturating_sub(notes.len() as u64);
            if more > 0 {
                notes.push(format!("{more} more rows are bad or failed"));
            }
            self.out.extend_from_slice(b",\"notes\":[");
            for (number, note) in notes.iter().enumerate() {
                if number > 0 {
                    self.out.push(b',');
                }
                write_text(note, &mut self.out);
            }
            self.out.push(b']');
        }
        self.out.extend_from_slice(b"}\n");
        Ok(())
    }

    /// Writes, in the place of more rows, why there are none.
    pub fn fail(&mut self, status: u16, reason: &str) {
        self.begin();
        // Clients cut the text out of the answer, up to the next quotation mark or comma.
        let plain: String = reason
            .chars()
            .map(|c| match c {
                '"' => '\'',
                '\\' => '/',
                ',' if matches!(self.mode, Mode::Csv) => ';',
                c if c.is_control() => ' ',
                c => c,
            })
            .collect();
        let mut text = String::new();
        // Writing into memory cannot fail.
        let _ = match self.mode {
            Mode::Json => writeln!(text, "],\"error\": [{status},\"{plain}\"]}}"),
            Mode::Compact => writeln!(text, "]}},\"e\": [{status},\"{plain}\"]}}"),
            Mode::Simple => writeln!(text, "[\"error\",{status},\"{plain}\"]"),
            Mode::SimpleCompact => writeln!(text, "{{\"e\":[{status},\"{plain}\"]}}"),
            Mode::Csv => writeln!(text, "devo.api.error,{status},{plain}"),
            Mode::Tsv => writeln!(text, "devo.api.error\t{status}\t{plain}"),
        };
        self.out.extend_from_slice(text.as_bytes());
    }

    /// The content type.
    pub fn kind(&self) -> &'static str {
        match self.mode {
            Mode::Json | Mode::Compact => "application/json",
            Mode::Simple | Mode::SimpleCompact => "application/x-ndjson",
            Mode::Csv => "text/csv; charset=utf-8",
            Mode::Tsv => "text/tab-separated-values; charset=utf-8",
        }
    }
}

/// Tabs and line ends inside of cells are written as `\t`, `\n` and `\r`.
fn tsv_line(cells: &[String]) -> String {
    let escaped = cells
        .iter()
        .map(|cell| match cell.contains(['\t', '\n', '\r', '\\']) {
            true => cell
                .replace('\\', "\\\\")
                .replace('\t', "\\t")
                .replace('\n', "\\n")
                .replace('\r', "\\r"),
            false => cell.clone(),
        });
    format!("{}\n", escaped.collect::<Vec<_>>().join("\t"))
}

/// What a value is, in the words of Devo; empty for null.
fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "",
        Value::Bool(_) => "bool",
        Value::Int(_) => "int4",
        Value::Long(_) => "int8",
        Value::Float(_) | Value::Double(_) => "float8",
        Value::List(_) | Value::Set(_) | Value::Map(_) => "json",
        _ => "str",
    }
}
