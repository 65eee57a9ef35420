//! Events loaded from a file: the shell walks over them and `_` is the one it stands at.

use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::eval::collections::Map;
use crate::eval::json::{self, bad_json, read_event};
use crate::eval::text::to_text;
use crate::eval::{Context, Value};
use crate::input::{Chunk, ChunkReader, Format, Header, Input, lines};
use indexmap::IndexSet;
use smol_str::SmolStr;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// How many bytes of events are held at most; what a file holds beyond is left out, and that is said.
const MOST: usize = 512 << 20;

/// How many events are looked at for the names of their fields.
const LOOKED_AT: usize = 100_000;

/// How deep names of fields are collected: `a.b.c`.
const DEEPEST_NAME: usize = 3;

/// What a file holds.
pub enum File {
    /// Statements.
    Script(String),
    /// Events, or lines of text.
    Events(Loaded),
}

/// Loaded events and the one that is looked at.
pub struct Loaded {
    /// Where they are from.
    pub name: String,
    items: Vec<Item>,
    at: usize,
    current: Value,
    /// Lines that are no events.
    pub bad: usize,
    /// The first of them, with its line.
    pub first_bad: Option<String>,
    /// Whether the file holds more than was taken.
    pub cut: bool,
    /// Whether these are lines of text.
    pub text: bool,
    fields: IndexSet<SmolStr>,
    depth: usize,
}

/// An event as it stood in the file: reading it again is cheaper than holding it.
enum Item {
    Json(Box<[u8]>),
    Row(Arc<Header>, Box<[u8]>),
    Value(Value),
}

impl Loaded {
    fn new(name: String, depth: usize) -> Loaded {
        Loaded {
            name,
            items: Vec::new(),
            at: 0,
            current: Value::Null,
            bad: 0,
            first_bad: None,
            cut: false,
            text: false,
            fields: IndexSet::new(),
            depth,
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The number of the current one, from 1.
    pub fn position(&self) -> usize {
        self.at + 1
    }

    /// The current one.
    pub fn current(&self) -> &Value {
        &self.current
    }

    /// The names of their fields, nested ones with points.
    pub fn fields(&self) -> &IndexSet<SmolStr> {
        &self.fields
    }

    /// Goes to the one with this number, from 1. Errors: E0116 when there is none.
    pub fn go(&mut self, number: usize) -> Outcome<()> {
        let at = number.wrapping_sub(1);
        let Some(item) = self.items.get(at) else {
            let message = format!(
                "there are {} events, and none has the number {number}",
                self.len()
            );
            return Err(Diagnostic::new(Code::BadMagic, message));
        };
        self.current = item.value()?;
        self.at = at;
        Ok(())
    }

    /// All of them. Errors: those of reading; none, for they were read before.
    pub fn values(&self) -> Outcome<Vec<Value>> {
        self.items.iter().map(Item::value).collect()
    }

    fn add(&mut self, item: Item, value: &Value) {
        if self.items.len() < LOOKED_AT
            && let Value::Map(map) = value
        {
            collect_names(map, "", 1, &mut self.fields);
        }
        self.items.push(item);
    }

    fn note_bad(&mut self, line: u64, message: &str) {
        self.bad += 1;
        self.first_bad
            .get_or_insert_with(|| format!("line {line}: {message}"));
    }
}

impl Item {
    fn value(&self) -> Outcome<Value> {
        match self {
            Item::Json(line) => read_event(line)
                .map(Value::Map)
                .map_err(|bad| bad_json(Code::BadLine, &bad)),
            Item::Row(header, row) => header.event(row).map(Value::Map),
            Item::Value(value) => Ok(value.clone()),
        }
    }
}

/// Names as an expression may write them; others can be reached by MAP_GET only.
fn collect_names(map: &Map, before: &str, depth: usize, names: &mut IndexSet<SmolStr>) {
    map.with(|entries| {
        for (key, value) in entries {
            let Value::Text(key) = key else { continue };
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | ':');
            let letter = |c: char| c.is_ascii_alphabetic() || c == '_';
            if !(key.starts_with(letter) && key.chars().all(plain)) {
                continue;
            }
            let name = SmolStr::from(format!("{before}{key}"));
            if let Value::Map(inner) = value
                && depth < DEEPEST_NAME
            {
                collect_names(inner, &format!("{name}."), depth + 1, names);
            }
            names.insert(name);
        }
    });
}

/// Reads a file: JSON, JSON Lines, CSV, TSV, Zeek's logs, text, a script; gzip and zstd are unpacked.
///
/// Errors: E0403 when it cannot be read or holds nothing, E0402 for text that is not UTF-8.
pub fn read(path: &Path, context: &Context) -> Outcome<File> {
    let input = Input::File(path.to_path_buf());
    let name = input.name();
    // A pipe that nobody writes into would hold the shell for ever.
    let there = std::fs::metadata(path).map_err(|error| cannot_read(&input, &error))?;
    if !there.is_file() {
        let what = if there.is_dir() {
            "a folder"
        } else {
            "no file"
        };
        let message = format!("{name} cannot be read: it is {what}");
        return Err(Diagnostic::new(Code::CannotRead, message));
    }
    let extension = path.extension().map(|e| e.to_ascii_lowercase());
    if extension.is_some_and(|e| e == "stellar") {
        return Ok(File::Script(text(&input)?));
    }
    let mut loaded = Loaded::new(name.clone(), context.limits.depth);
    match form(&input)? {
        Form::Table => table(&mut loaded, &input, context)?,
        Form::Json => document(&mut loaded, &input, context)?,
        Form::Text => text_lines(&mut loaded, &text(&input)?),
    }
    if loaded.is_empty() {
        let fault = Diagnostic::new(Code::CannotRead, format!("{name} holds no events"));
        return Err(match loaded.first_bad {
            Some(bad) => fault.note(bad),
            None => fault,
        });
    }
    loaded.go(1)?;
    Ok(File::Events(loaded))
}

enum Form {
    /// Events line by line.
    Table,
    /// Something that begins like JSON.
    Json,
    Text,
}

/// What a file is, by its name and its first bytes.
fn form(input: &Input) -> Outcome<Form> {
    if input.format() != Format::JsonLines {
        return Ok(Form::Table);
    }
    let mut start = Vec::new();
    reader(input)?
        .take(4096)
        .read_to_end(&mut start)
        .map_err(|error| cannot_read(input, &error))?;
    let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&start);
    let first = start.iter().find(|b| !b.is_ascii_whitespace());
    Ok(match first {
        Some(b'#') if start.starts_with(b"#separator") => Form::Table,
        Some(b'{' | b'[') => Form::Json,
        _ => Form::Text,
    })
}

fn reader(input: &Input) -> Outcome<Box<dyn Read + Send>> {
    input.open(Arc::new(AtomicU64::new(0)), Vec::new())
}

fn cannot_read(input: &Input, error: &std::io::Error) -> crate::diagnostic::Fault {
    let message = format!("{} cannot be read: {error}", input.name());
    Diagnostic::new(Code::CannotRead, message)
}

/// The text of a file, at most [`MOST`] bytes.
fn text(input: &Input) -> Outcome<String> {
    let mut bytes = Vec::new();
    let read = reader(input)?.take(MOST as u64 + 1).read_to_end(&mut bytes);
    read.map_err(|error| cannot_read(input, &error))?;
    if bytes.len() > MOST {
        let message = format!("{} is larger than {} MiB", input.name(), MOST >> 20);
        return Err(Diagnostic::new(Code::CannotRead, message));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let message = format!("{} is not UTF-8 from byte {at} on", input.name());
        Diagnostic::new(Code::NotUtf8, message)
    })?;
    Ok(match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_string(),
        None => text,
    })
}

fn text_lines(loaded: &mut Loaded, text: &str) {
    loaded.text = true;
    for line in text.lines() {
        loaded.items.push(Item::Value(Value::text(line)));
    }
}

/// A document of JSON: one object, a list of values, or one object a line.
fn document(loaded: &mut Loaded, input: &Input, context: &Context) -> Outcome<()> {
    // Most files hold one object a line, and then need not fit into memory as text.
    table(loaded, input, context)?;
    if loaded.bad == 0 {
        return Ok(());
    }
    let Ok(text) = text(input) else {
        return Ok(());
    };
    let Ok(value) = json::read(&text, context.limits.depth) else {
        return Ok(());
    };
    let (name, depth) = (loaded.name.clone(), loaded.depth);
    *loaded = Loaded::new(name, depth);
    match value {
        Value::List(list) => {
            for value in list.items() {
                loaded.add(Item::Value(value.clone()), &value);
            }
        }
        other => loaded.add(Item::Value(other.clone()), &other),
    }
    Ok(())
}

fn table(loaded: &mut Loaded, input: &Input, context: &Context) -> Outcome<()> {
    let inputs = std::slice::from_ref(input);
    let mut chunks =
        ChunkReader::new(inputs, None, context.limits.line).cancelled_by(&context.cancel);
    let mut held = 0;
    while let Some(chunk) = chunks.next(Vec::new())? {
        context.check_cancelled()?;
        if chunk.too_long {
            loaded.note_bad(chunk.lines_before + 1, "the line is too long");
            continue;
        }
        held += take(loaded, &chunk);
        if held > MOST {
            loaded.cut = true;
            break;
        }
    }
    Ok(())
}

/// Takes the events of a chunk; gives how many bytes they hold.
fn take(loaded: &mut Loaded, chunk: &Chunk) -> usize {
    let mut held = 0;
    for line in lines(chunk) {
        let number = line.before + 1;
        let (item, value) = match &chunk.header {
            Some(header) if header.is_comment(line.text) => continue,
            Some(header) => (
                Item::Row(header.clone(), line.text.into()),
                header.event(line.text).map_err(|fault| fault.message),
            ),
            None => (
                Item::Json(line.text.into()),
                read_event(line.text).map_err(|bad| bad_json(Code::BadLine, &bad).message),
            ),
        };
        match value {
            Ok(map) => {
                held += line.text.len() + 32;
                loaded.add(item, &Value::Map(map));
            }
            Err(message) => loaded.note_bad(number, &message),
        }
    }
    held
}

/// A path as a user writes it: quotation marks around it are taken off, `~/` is the home folder.
pub fn path_of(written: &str) -> PathBuf {
    let written = written.trim();
    let quoted = |mark: char| {
        written
            .strip_prefix(mark)
            .and_then(|rest| rest.strip_suffix(mark))
    };
    let bare = quoted('"').or_else(|| quoted('\'')).unwrap_or(written);
    match bare.strip_prefix("~/") {
        Some(rest) => match std::env::var_os("HOME") {
            Some(home) => PathBuf::from(home).join(rest),
            None => PathBuf::from(bare),
        },
        None => PathBuf::from(bare),
    }
}

/// What to say of loaded events in a line.
pub fn summary(loaded: &Loaded) -> String {
    let what = if loaded.text { "line" } else { "event" };
    let s = if loaded.len() == 1 { "" } else { "s" };
    let mut text = format!("{} {what}{s} of {}", loaded.len(), loaded.name);
    if loaded.bad > 0 {
        text.push_str(&format!(", {} bad", loaded.bad));
    }
    if loaded.cut {
        text.push_str(&format!(", the rest beyond {} MiB left out", MOST >> 20));
    }
    text
}

/// The current event with its number, for `:next` and `:prev`.
pub fn headline(loaded: &Loaded) -> String {
    let what = if loaded.text { "line" } else { "event" };
    format!("{what} {} of {}", loaded.position(), loaded.len())
}

/// The text of the current event.
pub fn current_text(loaded: &Loaded) -> SmolStr {
    to_text(loaded.current())
}
