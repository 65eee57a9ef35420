//! Events loaded from a file: the shell walks over them and `_` is the one it stands at.

use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use crate::eval::collections::Map;
use crate::eval::json::{self, bad_json, read_event};
use crate::eval::text::to_text;
use crate::eval::{Context, Value};
use crate::input::{Chunk, ChunkReader, Format, Header, Input, lines, no_file};
use indexmap::IndexSet;
use smol_str::SmolStr;
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// How many bytes of events are held at most; what a file holds beyond is left out, and that is said.
const MOST: usize = 512 << 20;

/// How many bytes of a text are read before somebody who wants to stop is heard.
const PIECE: u64 = 1 << 20;

/// How many events are looked at for the names of their fields.
const LOOKED_AT: usize = 100_000;

/// How deep names of fields are collected: `a.b.c`.
const DEEPEST_NAME: usize = 3;

/// Whether an event is wanted. Errors end the reading.
pub type Keep<'a> = dyn Fn(&Value) -> Outcome<bool> + 'a;

/// Loaded events and the one that is looked at.
pub struct Loaded {
    /// Where they are from.
    pub name: String,
    /// How many were read and not wanted.
    pub left_out: usize,
    /// What to say of columns that have one name.
    pub renamed: Option<String>,
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
    /// How deep documents may be.
    depth: usize,
    /// How many bytes of events are held.
    held: usize,
    /// Why an event could not be looked at.
    failed: Option<Fault>,
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
            left_out: 0,
            renamed: None,
            items: Vec::new(),
            at: 0,
            current: Value::Null,
            bad: 0,
            first_bad: None,
            cut: false,
            text: false,
            fields: IndexSet::new(),
            depth,
            held: 0,
            failed: None,
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

    /// All of them. Errors: E0307; none of reading, for they were read before.
    pub fn values(&self, context: &Context) -> Outcome<Vec<Value>> {
        let value = |item: &Item| {
            context.check_cancelled()?;
            item.value()
        };
        self.items.iter().map(value).collect()
    }

    /// Keeps only those that are wanted and goes to the first. Errors: those of looking, and E0116 when none is
    /// wanted; all stay then.
    pub fn retain(&mut self, keep: &Keep<'_>) -> Outcome<()> {
        let mut wanted = Vec::with_capacity(self.items.len());
        for (index, item) in self.items.iter().enumerate() {
            let kept = keep(&item.value()?);
            wanted.push(kept.map_err(|fault| fault.note(format!("at event {}", index + 1)))?);
        }
        let kept = wanted.iter().filter(|wanted| **wanted).count();
        if kept == 0 {
            return Err(none_wanted(&self.name, self.len()));
        }
        self.left_out += self.len() - kept;
        let mut wanted = wanted.into_iter();
        self.items.retain(|_| wanted.next().unwrap_or(false));
        self.go(1)
    }

    /// Takes an event if it is wanted.
    fn add(&mut self, item: Item, value: &Value, keep: Option<&Keep<'_>>) {
        match keep.map_or(Ok(true), |keep| keep(value)) {
            Ok(true) => {}
            Ok(false) => {
                self.left_out += 1;
                return;
            }
            Err(fault) => {
                let number = self.items.len() + self.left_out + 1;
                self.failed.get_or_insert_with(|| {
                    fault.note(format!("at event {number} of {}", self.name))
                });
                return;
            }
        }
        self.held += match &item {
            Item::Json(bytes) | Item::Row(_, bytes) => bytes.len() + 32,
            Item::Value(_) => 0,
        };
        if self.items.len() < LOOKED_AT
            && let Value::Map(map) = value
        {
            collect_names(map, "", 1, &mut self.fields);
        }
        self.items.push(item);
    }

    /// Takes over what another file held.
    fn append(&mut self, other: Loaded) {
        self.items.extend(other.items);
        self.left_out += other.left_out;
        if let Some(first) = other.first_bad {
            let name = &other.name;
            self.first_bad
                .get_or_insert_with(|| format!("{name}, {first}"));
        }
        self.bad += other.bad;
        self.cut |= other.cut;
        self.text &= other.text;
        self.held = other.held;
        self.fields.extend(other.fields);
        if self.renamed.is_none() {
            self.renamed = other.renamed;
        }
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

/// Whether a file is to be run.
pub fn is_script(input: &Input) -> bool {
    let Input::File(path) = input else {
        return false;
    };
    path.extension()
        .is_some_and(|e| e.eq_ignore_ascii_case("stellar"))
}

/// Reads files: JSON, JSON Lines, CSV, TSV, Zeek's logs, text; gzip and zstd are unpacked.
///
/// Errors: E0403 when one cannot be read or they hold nothing, E0402 for text that is not UTF-8, E0116 when nothing
/// in them is wanted, those of `keep`.
pub fn read(inputs: &[Input], context: &Context, keep: Option<&Keep<'_>>) -> Outcome<Loaded> {
    let mut parts = Vec::with_capacity(inputs.len());
    let mut held = 0;
    for input in inputs {
        let mut part = Loaded::new(input.name(), context.limits.depth);
        part.held = held;
        read_one(&mut part, input, context, keep)?;
        held = part.held;
        let cut = part.cut;
        parts.push(part);
        if cut {
            break;
        }
    }
    let mut parts = parts.into_iter();
    let (Some(first), rest) = (parts.next(), parts.collect::<Vec<_>>()) else {
        return Err(Diagnostic::new(Code::CannotRead, "no file is named"));
    };
    let mut loaded = first;
    if !rest.is_empty() {
        let mut all = Loaded::new(format!("{} files", inputs.len()), context.limits.depth);
        all.text = true;
        all.append(loaded);
        rest.into_iter().for_each(|part| all.append(part));
        loaded = all;
    }
    if loaded.is_empty() {
        if loaded.left_out > 0 {
            return Err(none_wanted(&loaded.name, loaded.left_out));
        }
        let message = format!("{} holds no events", loaded.name);
        let fault = Diagnostic::new(Code::CannotRead, message);
        return Err(match loaded.first_bad {
            Some(bad) => fault.note(bad),
            None => fault,
        });
    }
    loaded.go(1)?;
    Ok(loaded)
}

fn none_wanted(name: &str, count: usize) -> Fault {
    let message = format!("where holds for none of the {count} events of {name}");
    Diagnostic::new(Code::BadMagic, message)
}

fn read_one(
    loaded: &mut Loaded,
    input: &Input,
    context: &Context,
    keep: Option<&Keep<'_>>,
) -> Outcome<()> {
    may_be_read(input)?;
    match form(input)? {
        Form::Table => table(loaded, input, context, keep)?,
        Form::Json => document(loaded, input, context, keep)?,
        Form::Text => text_lines(loaded, &text(input, context)?, context, keep)?,
    }
    match loaded.failed.take() {
        Some(fault) => Err(fault),
        None => Ok(()),
    }
}

/// Refuses what has no content of its own: a pipe that nobody writes into would hold the shell for ever.
fn may_be_read(input: &Input) -> Outcome<()> {
    let Input::File(path) = input else {
        return Ok(());
    };
    let there = std::fs::metadata(path).map_err(|error| cannot_read(input, &error))?;
    match no_file(&there) {
        Some(what) => {
            let message = format!("{} cannot be read: it is {what}", input.name());
            Err(Diagnostic::new(Code::CannotRead, message))
        }
        None => Ok(()),
    }
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

fn cannot_read(input: &Input, error: &std::io::Error) -> Fault {
    let message = format!("{} cannot be read: {error}", input.name());
    Diagnostic::new(Code::CannotRead, message)
}

/// The text of a file, at most [`MOST`] bytes. Errors: E0402, E0403, E0307.
pub fn text(input: &Input, context: &Context) -> Outcome<String> {
    may_be_read(input)?;
    let mut bytes = Vec::new();
    let mut reader = reader(input)?.take(MOST as u64 + 1);
    loop {
        context.check_cancelled()?;
        let piece = reader.by_ref().take(PIECE).read_to_end(&mut bytes);
        if piece.map_err(|error| cannot_read(input, &error))? == 0 {
            break;
        }
    }
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

fn text_lines(
    loaded: &mut Loaded,
    text: &str,
    context: &Context,
    keep: Option<&Keep<'_>>,
) -> Outcome<()> {
    loaded.text = true;
    for line in text.lines() {
        context.check_cancelled()?;
        let line = Value::text(line);
        loaded.add(Item::Value(line.clone()), &line, keep);
    }
    loaded.held += text.len();
    Ok(())
}

/// A document of JSON: one object, a list of values, or one object a line.
fn document(
    loaded: &mut Loaded,
    input: &Input,
    context: &Context,
    keep: Option<&Keep<'_>>,
) -> Outcome<()> {
    // Most files hold one object a line, and then need not fit into memory as text.
    let held = loaded.held;
    table(loaded, input, context, keep)?;
    if loaded.bad == 0 {
        return Ok(());
    }
    let text = match text(input, context) {
        Ok(text) => text,
        Err(fault) if fault.code == Code::Interrupted => return Err(fault),
        Err(_) => return Ok(()),
    };
    let Ok(value) = json::read(&text, context.limits.depth) else {
        return Ok(());
    };
    let (name, depth) = (loaded.name.clone(), loaded.depth);
    *loaded = Loaded::new(name, depth);
    loaded.held = held + text.len();
    match value {
        Value::List(list) => {
            for value in list.items() {
                loaded.add(Item::Value(value.clone()), &value, keep);
            }
        }
        other => loaded.add(Item::Value(other.clone()), &other, keep),
    }
    Ok(())
}

fn table(
    loaded: &mut Loaded,
    input: &Input,
    context: &Context,
    keep: Option<&Keep<'_>>,
) -> Outcome<()> {
    let inputs = std::slice::from_ref(input);
    let mut chunks =
        ChunkReader::new(inputs, None, context.limits.line).cancelled_by(&context.cancel);
    while let Some(chunk) = chunks.next(Vec::new())? {
        context.check_cancelled()?;
        if chunk.too_long {
            loaded.note_bad(chunk.lines_before + 1, "the line is too long");
            continue;
        }
        if let Some(note) = chunk.note() {
            loaded.renamed = Some(note);
        }
        take(loaded, &chunk, keep);
        if loaded.held > MOST {
            loaded.cut = true;
            break;
        }
        // What follows a bad line may be a piece of a document.
        if loaded.failed.is_some() && loaded.bad == 0 {
            break;
        }
    }
    Ok(())
}

/// Takes the events of a chunk.
fn take(loaded: &mut Loaded, chunk: &Chunk, keep: Option<&Keep<'_>>) {
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
            Ok(map) => loaded.add(item, &Value::Map(map), keep),
            Err(message) => loaded.note_bad(number, &message),
        }
    }
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
    if loaded.left_out > 0 {
        text.push_str(&format!(", {} left out", loaded.left_out));
    }
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
