//! Printing as Go's package fmt does it: the verbs of `Printf`, and values without a verb.
//!
//! Templates of alerts print with it, and so does `string.format` of rules. Lists are Go's `[]interface {}`, maps its
//! `map[string]interface {}`, numbers its `float64` as everything that came out of JSON is there.

mod flags;
mod number;
mod quote;
#[cfg(test)]
mod tests;

pub use quote::{is_print, quoted};

use crate::eval::Value;
use flags::Flags;
use std::borrow::Cow;

/// How deep values are printed; below stands `…`.
const MAX_DEPTH: usize = 300;

/// Widths and precisions beyond are none, as in Go.
const MAX_WIDTH: i64 = 1_000_000;

/// Something to print.
#[derive(Debug, Clone)]
pub enum Arg<'a> {
    /// nil
    Nil,
    /// A boolean.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A byte of a text.
    Byte(u8),
    /// A number of any kind.
    Float(f64),
    /// A text; it may hold bytes that are no UTF-8.
    Text(Cow<'a, [u8]>),
    /// A list or a map.
    Value(Value),
}

impl<'a> Arg<'a> {
    /// A text.
    pub fn text(text: &'a str) -> Arg<'a> {
        Arg::Text(Cow::Borrowed(text.as_bytes()))
    }

    /// A value of an event: every number is a floating-point number, sets are lists, objects their texts.
    pub fn of(value: Value) -> Arg<'static> {
        match value {
            Value::Null => Arg::Nil,
            Value::Bool(truth) => Arg::Bool(truth),
            Value::List(_) | Value::Map(_) | Value::Set(_) => Arg::Value(value),
            other => match other.as_double() {
                Some(number) => Arg::Float(number),
                None => {
                    let text = crate::eval::text::to_text(&other);
                    Arg::Text(Cow::Owned(text.as_bytes().to_vec()))
                }
            },
        }
    }

    /// The name of its type in Go.
    pub fn type_name(&self) -> &'static str {
        match self {
            Arg::Nil => "<nil>",
            Arg::Bool(_) => "bool",
            Arg::Int(_) => "int",
            Arg::Byte(_) => "uint8",
            Arg::Float(_) => "float64",
            Arg::Text(_) => "string",
            Arg::Value(Value::Map(_)) => "map[string]interface {}",
            Arg::Value(_) => "[]interface {}",
        }
    }
}

/// Text that does not grow beyond its limit.
#[derive(Debug)]
pub struct Output {
    bytes: Vec<u8>,
    limit: usize,
    over: bool,
}

impl Output {
    /// Takes up to `limit` bytes.
    pub fn new(limit: usize) -> Output {
        Output {
            bytes: Vec::new(),
            limit,
            over: false,
        }
    }

    /// Adds a piece.
    pub fn push(&mut self, piece: &[u8]) {
        if piece.len() > self.limit.saturating_sub(self.bytes.len()) {
            self.over = true;
        }
        if !self.over {
            self.bytes.extend_from_slice(piece);
        }
    }

    /// Whether something did not fit; nothing is added from then on.
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// The text.
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }

    fn repeat(&mut self, byte: u8, count: usize) {
        for _ in 0..count {
            if self.over {
                break;
            }
            self.push(&[byte]);
        }
    }
}

/// Prints `args` by `format`.
pub fn printf(out: &mut Output, format: &[u8], args: &[Arg<'_>]) {
    flags::printf(out, format, args);
}

/// Prints `args` one after the other, with a blank between two of which none is a text.
pub fn print(out: &mut Output, args: &[Arg<'_>]) {
    let mut printer = Printer::new(out);
    let mut after_text = true;
    for arg in args {
        let text = matches!(arg, Arg::Text(_));
        if !text && !after_text {
            printer.out.push(b" ");
        }
        printer.argument(arg, 'v');
        after_text = text;
    }
}

/// Prints `args` with blanks between them and a line end after them.
pub fn println(out: &mut Output, args: &[Arg<'_>]) {
    for (i, arg) in args.iter().enumerate() {
        if i > 0 {
            out.push(b" ");
        }
        print(out, std::slice::from_ref(arg));
    }
    out.push(b"\n");
}

/// What prints one operand.
struct Printer<'o> {
    out: &'o mut Output,
    flags: Flags,
}

impl<'o> Printer<'o> {
    fn new(out: &'o mut Output) -> Printer<'o> {
        Printer {
            out,
            flags: Flags::default(),
        }
    }

    /// Prints an operand by a verb.
    fn argument(&mut self, arg: &Arg<'_>, verb: char) {
        match (arg, verb) {
            (_, 'T') => self.text(arg.type_name().as_bytes(), 's'),
            (Arg::Nil, 'v') => self.pad(b"<nil>"),
            _ => self.value(arg, verb, 0),
        }
    }

    fn value(&mut self, arg: &Arg<'_>, verb: char, depth: usize) {
        if self.out.is_over() {
            return;
        }
        match arg {
            Arg::Nil => match depth {
                0 => self.bad_verb(arg, verb),
                _ if self.flags.sharp_v => self.out.push(b"interface {}(nil)"),
                _ => self.out.push(b"<nil>"),
            },
            Arg::Bool(truth) => match verb {
                't' | 'v' => self.pad(if *truth { b"true" } else { b"false" }),
                _ => self.bad_verb(arg, verb),
            },
            Arg::Int(number) => {
                let done = self.integer(number.unsigned_abs(), *number < 0, verb);
                if !done {
                    self.bad_verb(arg, verb);
                }
            }
            Arg::Byte(byte) => {
                let hexadecimal = verb == 'v' && self.flags.sharp_v;
                let verb = if hexadecimal { 'x' } else { verb };
                let sharp = self.flags.sharp;
                self.flags.sharp |= hexadecimal;
                let done = self.integer(u64::from(*byte), false, verb);
                self.flags.sharp = sharp;
                if !done {
                    self.bad_verb(arg, verb);
                }
            }
            Arg::Float(number) => {
                if !self.float(*number, verb) {
                    self.bad_verb(arg, verb);
                }
            }
            Arg::Text(text) => match verb {
                'v' | 's' | 'x' | 'X' | 'q' => self.text(text, verb),
                _ => self.bad_verb(arg, verb),
            },
            // Go knows %w for errors only.
            Arg::Value(_) if verb == 'w' => self.bad_verb(arg, verb),
            Arg::Value(_) if depth > MAX_DEPTH => self.out.push("…".as_bytes()),
            Arg::Value(Value::Map(map)) => {
                let mut entries: Vec<_> = map
                    .entries()
                    .into_iter()
                    .map(|(key, value)| (crate::eval::text::to_text(&key), value))
                    .collect();
                entries.sort_by(|a, b| a.0.cmp(&b.0));
                let (open, between, close) = match self.flags.sharp_v {
                    true => ("map[string]interface {}{", ", ", "}"),
                    false => ("map[", " ", "]"),
                };
                self.out.push(open.as_bytes());
                for (i, (key, value)) in entries.into_iter().enumerate() {
                    if i > 0 {
                        self.out.push(between.as_bytes());
                    }
                    self.value(&Arg::text(&key), verb, depth + 1);
                    self.out.push(b":");
                    self.value(&Arg::of(value), verb, depth + 1);
                }
                self.out.push(close.as_bytes());
            }
            Arg::Value(list) => {
                let items = match list {
                    Value::List(list) => list.items(),
                    Value::Set(set) => set.items(),
                    _ => Vec::new(),
                };
                let (open, between, close) = match self.flags.sharp_v {
                    true => ("[]interface {}{", ", ", "}"),
                    false => ("[", " ", "]"),
                };
                self.out.push(open.as_bytes());
                for (i, item) in items.into_iter().enumerate() {
                    if i > 0 {
                        self.out.push(between.as_bytes());
                    }
                    self.value(&Arg::of(item), verb, depth + 1);
                }
                self.out.push(close.as_bytes());
            }
        }
    }

    /// What stands in place of a value that the verb cannot print.
    fn bad_verb(&mut self, arg: &Arg<'_>, verb: char) {
        self.out.push(format!("%!{verb}(").as_bytes());
        match arg {
            Arg::Nil => self.out.push(b"<nil>"),
            _ => {
                self.out.push(arg.type_name().as_bytes());
                self.out.push(b"=");
                self.argument(arg, 'v');
            }
        }
        self.out.push(b")");
    }

    /// Writes a text as wide as the flags say.
    fn pad(&mut self, text: &[u8]) {
        let width = self.flags.width.unwrap_or(0);
        let missing = width.saturating_sub(characters(text));
        if self.flags.minus {
            self.out.push(text);
            self.fill(missing);
        } else {
            self.fill(missing);
            self.out.push(text);
        }
    }

    fn pad_blank(&mut self, text: &[u8]) {
        let zero = std::mem::replace(&mut self.flags.zero, false);
        self.pad(text);
        self.flags.zero = zero;
    }

    fn fill(&mut self, count: usize) {
        let zero = self.flags.zero && !self.flags.minus;
        self.out.repeat(if zero { b'0' } else { b' ' }, count);
    }

    fn text(&mut self, text: &[u8], verb: char) {
        let quotes = verb == 'q' || (verb == 'v' && self.flags.sharp_v);
        match verb {
            'x' | 'X' => self.hexadecimal(text, verb == 'X'),
            _ if quotes => {
                let text = self.cut(text);
                let whole = std::str::from_utf8(text).ok();
                match whole.filter(|text| self.flags.sharp && quote::can_backquote(text)) {
                    Some(plain) => self.pad(format!("`{plain}`").as_bytes()),
                    None => self.pad(quoted(text, self.flags.plus).as_bytes()),
                }
            }
            _ => {
                let text = self.cut(text);
                self.pad(text);
            }
        }
    }

    /// The first characters of a text, as many as the precision says.
    fn cut<'t>(&self, text: &'t [u8]) -> &'t [u8] {
        let Some(most) = self.flags.precision else {
            return text;
        };
        let mut left = most;
        let mut end = 0;
        for chunk in text.utf8_chunks() {
            for c in chunk.valid().chars() {
                if left == 0 {
                    return text.get(..end).unwrap_or(text);
                }
                (left, end) = (left - 1, end + c.len_utf8());
            }
            for _ in chunk.invalid() {
                if left == 0 {
                    return text.get(..end).unwrap_or(text);
                }
                (left, end) = (left - 1, end + 1);
            }
        }
        text
    }

    fn hexadecimal(&mut self, text: &[u8], upper: bool) {
        let length = self.flags.precision.unwrap_or(text.len()).min(text.len());
        let text = text.get(..length).unwrap_or(text);
        let sign = match (self.flags.sharp, upper) {
            (false, _) => "",
            (true, false) => "0x",
            (true, true) => "0X",
        };
        if text.is_empty() {
            self.fill(self.flags.width.unwrap_or(0));
            return;
        }
        let spaced = self.flags.space;
        let mut width = 2 * text.len();
        if spaced {
            width += (text.len() - 1) + sign.len() * text.len();
        } else {
            width += sign.len();
        }
        let missing = self.flags.width.unwrap_or(0).saturating_sub(width);
        if !self.flags.minus {
            self.fill(missing);
        }
        for (i, byte) in text.iter().enumerate() {
            if spaced && i > 0 {
                self.out.push(b" ");
            }
            if i == 0 || spaced {
                self.out.push(sign.as_bytes());
            }
            let digits = match upper {
                true => format!("{byte:02X}"),
                false => format!("{byte:02x}"),
            };
            self.out.push(digits.as_bytes());
        }
        if self.flags.minus {
            self.fill(missing);
        }
    }
}

/// How many characters a text has; a byte that is no UTF-8 is one.
fn characters(text: &[u8]) -> usize {
    text.utf8_chunks()
        .map(|chunk| chunk.valid().chars().count() + chunk.invalid().len())
        .sum()
}
