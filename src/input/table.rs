//! Tables: CSV, TSV and Zeek's logs, row by row, with values by their look or by the header's types.

use super::open::Format;
use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::eval::Value;
use crate::eval::collections::{List, Map, MapKind};
use ahash::{AHashMap, AHashSet};
use smol_str::SmolStr;

/// The columns of a table.
#[derive(Debug, Clone)]
pub struct Header {
    /// The form of the rows.
    pub format: Format,
    /// The names of the columns, each once.
    pub names: Vec<SmolStr>,
    /// The columns whose name another one before them has: that name, and the one they go by here.
    pub renamed: Vec<(SmolStr, SmolStr)>,
    kinds: Vec<Kind>,
    unset: String,
    empty: String,
    set_separator: u8,
    separator: u8,
}

/// What a column of Zeek's holds.
#[derive(Debug, Clone, PartialEq)]
enum Kind {
    /// By its look: a JSON number, true or false; else text.
    Guess,
    Text,
    Whole,
    Fraction,
    Bool,
    List(Box<Kind>),
}

impl Kind {
    fn of_zeek(name: &str) -> Kind {
        match name {
            "count" | "int" | "port" => Kind::Whole,
            "double" | "time" | "interval" => Kind::Fraction,
            "bool" => Kind::Bool,
            _ => match name.strip_suffix(']').and_then(|n| n.split_once('[')) {
                Some(("set" | "vector" | "table", inner)) => {
                    Kind::List(Box::new(Kind::of_zeek(inner)))
                }
                _ => Kind::Text,
            },
        }
    }

    fn value(&self, cell: &str, header: &Header) -> Value {
        match self {
            Kind::Guess => guess(cell),
            Kind::Text => Value::text(cell),
            Kind::Whole => cell
                .parse::<i32>()
                .map(Value::Int)
                .or_else(|_| cell.parse::<i64>().map(Value::Long))
                .unwrap_or_else(|_| match is_json_number(cell.as_bytes()) {
                    // Zeek counts with 64 bits without a sign.
                    true => crate::eval::json::number_value(cell),
                    false => Value::text(cell),
                }),
            Kind::Fraction => cell
                .parse()
                .map(Value::Double)
                .unwrap_or_else(|_| Value::text(cell)),
            Kind::Bool => match cell {
                "T" => Value::Bool(true),
                "F" => Value::Bool(false),
                _ => Value::text(cell),
            },
            Kind::List(inner) => {
                let items = cell.split(char::from(header.set_separator));
                let items = items.map(|item| {
                    if item == header.unset {
                        Value::Null
                    } else {
                        inner.value(item, header)
                    }
                });
                Value::List(List::array(items.collect()))
            }
        }
    }
}

/// A cell of a CSV file: numbers as JSON writes them, true and false; nothing is null; all else is text.
fn guess(cell: &str) -> Value {
    match cell.as_bytes().first() {
        None => Value::Null,
        Some(b'-' | b'0'..=b'9') if is_json_number(cell.as_bytes()) => {
            crate::eval::json::number_value(cell)
        }
        Some(b't') if cell == "true" => Value::Bool(true),
        Some(b'f') if cell == "false" => Value::Bool(false),
        _ => Value::text(cell),
    }
}

fn is_json_number(cell: &[u8]) -> bool {
    let digits = |at: usize| cell[at..].iter().take_while(|b| b.is_ascii_digit()).count();
    let mut at = usize::from(cell.first() == Some(&b'-'));
    let whole = digits(at);
    if whole == 0 || (whole > 1 && cell.get(at) == Some(&b'0')) {
        return false;
    }
    at += whole;
    if cell.get(at) == Some(&b'.') {
        let fraction = digits(at + 1);
        if fraction == 0 {
            return false;
        }
        at += 1 + fraction;
    }
    if matches!(cell.get(at), Some(b'e' | b'E')) {
        at += 1 + usize::from(matches!(cell.get(at + 1), Some(b'+' | b'-')));
        let exponent = if at <= cell.len() { digits(at) } else { 0 };
        if exponent == 0 {
            return false;
        }
        at += exponent;
    }
    at == cell.len()
}

impl Header {
    /// Reads the header at the start of `bytes`: it and how many bytes it takes. Errors: E0408.
    pub fn read(format: Format, bytes: &[u8], name: &str) -> Outcome<(Header, usize)> {
        let bad = |message: &str| Diagnostic::new(Code::BadTable, format!("{name}: {message}"));
        if format == Format::Zeek {
            return Header::zeek(bytes)
                .ok_or_else(|| bad("the header of this Zeek log lacks #fields"));
        }
        let separator = if format == Format::Csv { b',' } else { b'\t' };
        let mut header = Header {
            format,
            names: Vec::new(),
            renamed: Vec::new(),
            kinds: Vec::new(),
            unset: String::new(),
            empty: String::new(),
            set_separator: b',',
            separator,
        };
        let length = record_length(&header, bytes);
        let line = std::str::from_utf8(&bytes[..length])
            .map_err(|_| bad("the line of names is not UTF-8"))?;
        let mut names = Vec::new();
        header.cells(line.trim_end_matches(['\r', '\n']), |cell, _| {
            names.push(SmolStr::new(cell.trim()))
        });
        if names.iter().all(|name| name.is_empty()) {
            return Err(bad("the line of names is empty"));
        }
        header.kinds = vec![Kind::Guess; names.len()];
        header.name(names);
        Ok((header, length))
    }

    fn zeek(bytes: &[u8]) -> Option<(Header, usize)> {
        let mut header = Header {
            format: Format::Zeek,
            names: Vec::new(),
            renamed: Vec::new(),
            kinds: Vec::new(),
            unset: "-".into(),
            empty: "(empty)".into(),
            set_separator: b',',
            separator: b'\t',
        };
        let mut length = 0;
        while bytes.get(length) == Some(&b'#') {
            let end =
                memchr::memchr(b'\n', &bytes[length..]).map_or(bytes.len(), |at| length + at + 1);
            let line = std::str::from_utf8(&bytes[length..end]).ok()?.trim_end();
            length = end;
            if let Some(code) = line.strip_prefix("#separator ") {
                let hex = code
                    .trim()
                    .strip_prefix("\\x")
                    .and_then(|hex| u8::from_str_radix(hex, 16).ok());
                header.separator = hex.unwrap_or(b'\t');
                continue;
            }
            let mut parts = line.split(char::from(header.separator));
            match parts.next()? {
                "#set_separator" => {
                    header.set_separator =
                        parts.next().and_then(|p| p.bytes().next()).unwrap_or(b',');
                }
                "#unset_field" => header.unset = parts.next()?.to_string(),
                "#empty_field" => header.empty = parts.next()?.to_string(),
                "#fields" => header.name(parts.map(SmolStr::new).collect()),
                "#types" => header.kinds = parts.map(Kind::of_zeek).collect(),
                _ => {}
            }
        }
        header.kinds.resize(header.names.len(), Kind::Text);
        (!header.names.is_empty()).then_some((header, length))
    }

    /// Names the columns. An event has each name once, so a later column of the same name is called `name_2`.
    fn name(&mut self, names: Vec<SmolStr>) {
        let mut taken: AHashSet<SmolStr> = names.iter().cloned().collect();
        let mut counts: AHashMap<SmolStr, usize> = AHashMap::new();
        self.renamed.clear();
        self.names = names;
        for name in &mut self.names {
            let count = counts.entry(name.clone()).or_default();
            *count += 1;
            if *count == 1 {
                continue;
            }
            let mut other = SmolStr::from(format!("{name}_{count}"));
            while !taken.insert(other.clone()) {
                *count += 1;
                other = SmolStr::from(format!("{name}_{count}"));
            }
            let before = std::mem::replace(name, other.clone());
            self.renamed.push((before, other));
        }
    }

    /// What to say of columns that go by another name than their own; `None` when there are none.
    pub fn note(&self) -> Option<String> {
        let (first, other) = self.renamed.first()?;
        let more = match self.renamed.len() - 1 {
            0 => String::new(),
            n => format!(", and {n} more likewise"),
        };
        Some(format!(
            "several columns are named {first}: a later one is {other} here{more}"
        ))
    }

    /// Calls `take` with each cell of a row and whether it was quoted; `false` when a quotation mark is never closed.
    fn cells<'a>(&self, row: &'a str, mut take: impl FnMut(&str, bool)) -> bool {
        if self.format != Format::Csv {
            row.split(char::from(self.separator))
                .for_each(|cell| take(cell, false));
            return true;
        }
        let mut rest: &'a str = row;
        let mut closed = true;
        let mut text = String::new();
        loop {
            if let Some(quoted) = rest.strip_prefix('"') {
                text.clear();
                let mut from = quoted;
                loop {
                    match from.split_once('"') {
                        Some((part, behind)) => {
                            text.push_str(part);
                            match behind.strip_prefix('"') {
                                Some(more) => {
                                    text.push('"');
                                    from = more;
                                }
                                None => {
                                    from = behind;
                                    break;
                                }
                            }
                        }
                        None => {
                            text.push_str(from);
                            from = "";
                            closed = false;
                            break;
                        }
                    }
                }
                // Text behind a closing mark belongs to the cell, as spreadsheets read it.
                let (tail, next) = match from.split_once(',') {
                    Some((tail, next)) => (tail, Some(next)),
                    None => (from, None),
                };
                text.push_str(tail);
                take(&text, true);
                match next {
                    Some(next) => rest = next,
                    None => return closed,
                }
            } else {
                match rest.split_once(',') {
                    Some((cell, next)) => {
                        take(cell, false);
                        rest = next;
                    }
                    None => {
                        take(rest, false);
                        return closed;
                    }
                }
            }
        }
    }

    /// The values of a row in the order of the columns. Errors: E0401 for a row with more cells than columns or with
    /// an open quotation mark, E0402 for one that is not UTF-8.
    pub fn row(&self, row: &[u8]) -> Outcome<Vec<Value>> {
        let Ok(row) = std::str::from_utf8(row) else {
            return Err(Diagnostic::new(Code::NotUtf8, "the row is not UTF-8"));
        };
        let mut values = Vec::with_capacity(self.names.len());
        let closed = self.cells(row, |cell, quoted| {
            let kind = self.kinds.get(values.len()).unwrap_or(&Kind::Text);
            values.push(if quoted {
                Value::text(cell)
            } else if self.format == Format::Zeek && cell == self.unset {
                Value::Null
            } else if self.format == Format::Zeek && cell == self.empty {
                match kind {
                    Kind::List(_) => Value::List(List::array(Vec::new())),
                    _ => Value::text(""),
                }
            } else {
                kind.value(cell, self)
            });
        });
        if !closed {
            let message = "a quotation mark is never closed";
            return Err(Diagnostic::new(Code::BadLine, message));
        }
        if values.len() > self.names.len() {
            let message = format!(
                "the row has {} cells, the table {} columns",
                values.len(),
                self.names.len()
            );
            return Err(Diagnostic::new(Code::BadLine, message));
        }
        values.resize(self.names.len(), Value::Null);
        Ok(values)
    }

    /// A row as an event. Errors: as [`Header::row`].
    pub fn event(&self, row: &[u8]) -> Outcome<Map> {
        let names = self.names.iter().map(|name| Value::Text(name.clone()));
        Ok(Map::new(
            MapKind::Ordered,
            names.zip(self.row(row)?).collect(),
        ))
    }

    /// Whether a line is no row: a comment of a Zeek log.
    pub fn is_comment(&self, line: &[u8]) -> bool {
        self.format == Format::Zeek && line.first() == Some(&b'#')
    }
}

/// How many bytes the first row at the start of `bytes` takes, with its line end.
pub fn record_length(header: &Header, bytes: &[u8]) -> usize {
    if header.format != Format::Csv {
        return memchr::memchr(b'\n', bytes).map_or(bytes.len(), |at| at + 1);
    }
    let mut quotes = Quotes::default();
    memchr::memchr2_iter(b'"', b'\n', bytes)
        .find(|at| quotes.ends_record(bytes, *at))
        .map_or(bytes.len(), |at| at + 1)
}

/// Which line ends of CSV stand inside a quoted cell. A mark within a cell that did not begin with one means nothing.
#[derive(Default)]
pub struct Quotes {
    inside: bool,
    /// Where the last quoted cell was closed; a mark right behind it opens it again.
    closed: Option<usize>,
}

impl Quotes {
    /// Takes the mark or line end at `at`; whether it ends a record.
    fn ends_record(&mut self, bytes: &[u8], at: usize) -> bool {
        if bytes.get(at) == Some(&b'\n') {
            return !self.inside;
        }
        if self.inside {
            self.inside = false;
            self.closed = Some(at);
            return false;
        }
        let before = at.checked_sub(1);
        let byte_before = before.and_then(|before| bytes.get(before));
        self.inside = matches!(byte_before, None | Some(b',' | b'\n'))
            || (before.is_some() && self.closed == before);
        false
    }

    /// The last end of a record in `bytes`, of which those before `from` have been looked at already.
    pub fn last_record_end(&mut self, bytes: &[u8], from: usize) -> Option<usize> {
        let rest = bytes.get(from..)?;
        memchr::memchr2_iter(b'"', b'\n', rest)
            .map(|at| from + at)
            .filter(|at| self.ends_record(bytes, *at))
            .last()
    }
}

/// One line of CSV, with its line break; cells are quoted where they must be (RFC 4180).
pub fn csv_line(cells: &[String]) -> String {
    let quoted: Vec<String> = cells
        .iter()
        .map(|cell| {
            if cell.contains([',', '"', '\n', '\r']) {
                format!("\"{}\"", cell.replace('"', "\"\""))
            } else {
                cell.clone()
            }
        })
        .collect();
    format!("{}\n", quoted.join(","))
}
