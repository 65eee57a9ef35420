//! Reads the fields that an expression names out of an event, and checks the rest of it.

use super::decode::{self, Whole};
use super::error::{BadJson, BadKind};
use super::names::{Entry, Names};
use super::scan::{self, Cursor, EVENT_DEPTH, Next, Quoted, Step};
use std::borrow::Cow;

/// A field of an event.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Field<'a> {
    /// The event has no such field.
    #[default]
    Missing,
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number of 32 bits.
    Int(i32),
    /// A whole number of 64 bits that 32 do not hold.
    Long(i64),
    /// A whole number beyond 64 bits: its digits, after a minus sign if it is negative.
    Big(&'a str),
    /// A number with a fraction or an exponent.
    Double(f64),
    /// A string: borrowed unless it has escapes.
    Str(Cow<'a, str>),
    /// The checked text of a list or an object.
    Raw(&'a str),
}

/// What kind of value a leaf has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Missing,
    Null,
    True,
    False,
    Whole,
    Fraction,
    Plain,
    Escaped,
    Raw,
}

/// Where a wanted value stands; for a string, what is between its quotes.
#[derive(Debug, Clone, Copy)]
struct Leaf {
    kind: Kind,
    start: usize,
    end: usize,
}

const MISSING: Leaf = Leaf {
    kind: Kind::Missing,
    start: 0,
    end: 0,
};

/// Reads named fields out of events: compiled once, then used for every line.
///
/// It answers as a full parse does, bad lines included, but only finds where the wanted values are and decodes those.
#[derive(Debug, Clone)]
pub struct Extractor {
    names: Names,
    leaves: Vec<Leaf>,
    /// The objects around the one that is being read; kept only for its memory.
    around: Vec<Around>,
}

/// An object that waits for the end of one of its members.
#[derive(Debug, Clone, Copy)]
struct Around {
    node: u32,
    /// The leaf that the member is, if any, and where it starts.
    leaf: u32,
    start: usize,
}

impl Extractor {
    /// Compiles a list of names; without any, lines are only checked.
    pub fn new(names: &[&str]) -> Self {
        let names = Names::new(names);
        let leaves = vec![MISSING; names.leaf_count];
        Self {
            names,
            leaves,
            around: Vec::new(),
        }
    }

    /// Reads the fields of a line, in the order of the names; a bad line leaves `out` as it was.
    #[inline]
    pub fn extract<'a>(&mut self, line: &'a [u8], out: &mut [Field<'a>]) -> Result<(), BadJson> {
        self.extract_str(scan::utf8(line)?, out)
    }

    /// The same for a line that is known to be UTF-8.
    pub fn extract_str<'a>(&mut self, line: &'a str, out: &mut [Field<'a>]) -> Result<(), BadJson> {
        let text = line.as_bytes();
        self.leaves.fill(MISSING);
        let mut cursor = Cursor::new(text);
        let start = scan::event_start(text, &mut cursor)?;
        self.around.clear();
        let mut walk = Walk {
            names: &self.names,
            leaves: &mut self.leaves,
            around: &mut self.around,
            line,
        };
        let end = walk.event(&mut cursor, start)?;
        scan::end(text, &mut cursor, end)?;
        for (field, leaves) in out.iter_mut().zip(&self.names.leaves_of) {
            let mut found = leaves
                .iter()
                .filter_map(|&leaf| self.leaves.get(leaf as usize));
            *field = match found.find(|leaf| leaf.kind != Kind::Missing) {
                Some(leaf) => leaf.field(line),
                None => Field::Missing,
            };
        }
        Ok(())
    }
}

impl Leaf {
    #[inline(always)]
    fn field(self, line: &str) -> Field<'_> {
        let text = line.get(self.start..self.end).unwrap_or_default();
        match self.kind {
            Kind::Missing => Field::Missing,
            Kind::Null => Field::Null,
            Kind::True => Field::Bool(true),
            Kind::False => Field::Bool(false),
            Kind::Whole => match decode::whole(text) {
                Whole::Int(int) => Field::Int(int),
                Whole::Long(long) => Field::Long(long),
                Whole::Big(digits) => Field::Big(digits),
            },
            Kind::Fraction => Field::Double(decode::double(text)),
            Kind::Plain => Field::Str(decode::string(text, false)),
            Kind::Escaped => Field::Str(decode::string(text, true)),
            Kind::Raw => Field::Raw(text),
        }
    }
}

/// One line on its way through the names.
struct Walk<'x> {
    names: &'x Names,
    leaves: &'x mut [Leaf],
    around: &'x mut Vec<Around>,
    line: &'x str,
}

impl Walk<'_> {
    /// Reads the event from its brace, going into the objects that dotted names lead into.
    #[inline(always)]
    fn event(&mut self, cursor: &mut Cursor, pos: usize) -> Step {
        let text = self.line.as_bytes();
        let mut node = 0;
        let mut next = scan::open_object(text, cursor, pos)?;
        loop {
            if let Next::Close(end) = next {
                let Some(around) = self.around.pop() else {
                    return Ok(end);
                };
                node = around.node;
                let (kind, start) = (Kind::Raw, around.start);
                self.keep(around.leaf, Leaf { kind, start, end });
                next = scan::after_member(text, cursor, end)?;
                continue;
            }
            let key = scan::string(text, cursor)?;
            let entry = self.entry(node, key);
            let (start, first) = scan::colon(text, cursor, key.close)?;
            let mut leaf = Leaf {
                kind: Kind::Raw,
                start,
                end: start,
            };
            let end;
            match first {
                b'"' => {
                    let quoted = scan::string(text, cursor)?;
                    end = quoted.close + 1;
                    leaf.kind = if quoted.escaped {
                        Kind::Escaped
                    } else {
                        Kind::Plain
                    };
                    (leaf.start, leaf.end) = (quoted.open + 1, quoted.close);
                }
                b'-' | b'0'..=b'9' => {
                    let whole;
                    (end, whole) = scan::number(text, start)?;
                    leaf.kind = if whole { Kind::Whole } else { Kind::Fraction };
                    leaf.end = end;
                }
                b't' => {
                    end = scan::word(text, start, b"true")?;
                    leaf.kind = Kind::True;
                }
                b'f' => {
                    end = scan::word(text, start, b"false")?;
                    leaf.kind = Kind::False;
                }
                b'n' => {
                    end = scan::word(text, start, b"null")?;
                    leaf.kind = Kind::Null;
                }
                b'{' | b'[' => {
                    let depth = self.around.len() + 1;
                    if first == b'{'
                        && let Some(entry) = entry
                        && let Some(inside) = self.inside(entry)
                    {
                        if depth >= EVENT_DEPTH {
                            return scan::bad(start, BadKind::TooDeep);
                        }
                        let leaf = entry.leaf;
                        self.around.push(Around { node, leaf, start });
                        node = inside;
                        next = scan::open_object(text, cursor, start)?;
                        continue;
                    }
                    (*cursor, end) = scan::container(text, *cursor, start, depth)?;
                    leaf.end = end;
                }
                _ => return scan::bad_or_end(text, start, BadKind::ExpectedValue),
            }
            if let Some(entry) = entry {
                self.keep(entry.leaf, leaf);
                self.inside(entry);
            }
            next = scan::after_member(text, cursor, end)?;
        }
    }
}

impl<'x> Walk<'x> {
    /// The entry for a key, if it matters in this object.
    #[inline(always)]
    fn entry(&self, node: u32, key: Quoted) -> Option<&'x Entry> {
        let node = self.names.nodes.get(node as usize)?;
        let start = key.open + 1;
        if !key.escaped {
            return node.find(self.line.as_bytes(), start, key.close);
        }
        let key = decode::string(self.line.get(start..key.close)?, true);
        node.find(key.as_bytes(), 0, key.len())
    }

    /// Keeps the value of a wanted key; of equal keys the last counts.
    #[inline(always)]
    fn keep(&mut self, leaf: u32, value: Leaf) {
        if let Some(kept) = self.leaves.get_mut(leaf as usize) {
            *kept = value;
        }
    }

    /// The node for the object under a key. What an earlier key of the same name has put into it is forgotten.
    #[inline(always)]
    fn inside(&mut self, entry: &Entry) -> Option<u32> {
        let node = self.names.nodes.get(entry.child as usize)?;
        for &leaf in &node.inside {
            self.keep(leaf, MISSING);
        }
        Some(entry.child)
    }
}
