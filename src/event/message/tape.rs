//! What a message is made of: nodes in flat tables, so that a message takes a handful of allocations.

use super::address::Address;
use std::cmp::Ordering;

/// A piece of a tape's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    at: u32,
    /// The length in bytes; the highest bit says that the piece is kept as it stands in JSON, because it holds half a
    /// surrogate pair and is no text.
    length: u32,
}

const HALF: u32 = 1 << 31;

/// The longest message in bytes: a place in the text of a tape must fit a span.
pub(super) const LONGEST: usize = 1 << 29;

/// A string of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// A proper text.
    Text(&'a str),
    /// A text with half a surrogate pair, escaped as JSON writes it.
    Half(&'a str),
}

/// A value.
#[derive(Debug, Clone, Copy)]
pub(super) enum Node {
    Null,
    Bool(bool),
    Int(i64),
    /// Digits of a whole number beyond 64 bits.
    Big(Span),
    Float(f64),
    Text(Span),
    List(Children),
    Map(Children),
    /// Microseconds since 1970.
    Time(i64),
    /// Microseconds.
    Duration(u64),
    /// A place in the tape's addresses.
    Address(u32),
}

/// The elements of a list, or the members of an object sorted by key: neighbours in the tape's entries.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Children {
    start: u32,
    length: u32,
}

/// An element, or a member with its key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub key: Span,
    pub node: Node,
}

/// The key of what has none.
pub(super) const NO_KEY: Span = Span { at: 0, length: 0 };

#[derive(Debug, Clone, Default)]
pub(super) struct Tape {
    /// All texts; those without escapes stand where the input had them.
    pub text: String,
    pub entries: Vec<Entry>,
    pub addresses: Vec<Address>,
}

impl Span {
    /// A piece of the text; `half` for one that is kept as it stands in JSON.
    pub fn new(at: usize, length: usize, half: bool) -> Span {
        Span {
            at: at as u32,
            length: length as u32 | if half { HALF } else { 0 },
        }
    }
}

impl Children {
    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..(self.start + self.length) as usize
    }

    /// The same without the last `count`.
    pub fn shorter(self, count: usize) -> Children {
        Children {
            length: self.length.saturating_sub(count as u32),
            ..self
        }
    }
}

impl Tape {
    /// The bytes of a piece, whatever it is.
    #[inline]
    fn raw(&self, span: Span) -> &str {
        let (at, length) = (span.at as usize, (span.length & !HALF) as usize);
        self.text.get(at..at + length).unwrap_or_default()
    }

    #[inline]
    pub fn piece(&self, span: Span) -> Piece<'_> {
        match span.length & HALF == 0 {
            true => Piece::Text(self.raw(span)),
            false => Piece::Half(self.raw(span)),
        }
    }

    /// The text of a piece; `None` where half a surrogate pair makes it none.
    #[inline]
    pub fn str(&self, span: Span) -> Option<&str> {
        (span.length & HALF == 0).then(|| self.raw(span))
    }

    /// Adds a text.
    pub fn add(&mut self, text: &str) -> Span {
        let at = self.text.len();
        self.text.push_str(text);
        Span::new(at, text.len(), false)
    }

    #[inline]
    pub fn children(&self, children: Children) -> &[Entry] {
        self.entries.get(children.range()).unwrap_or_default()
    }

    /// Keeps entries together, as elements in their order.
    pub fn list(&mut self, items: &[Entry]) -> Children {
        let start = self.entries.len() as u32;
        self.entries.extend_from_slice(items);
        Children {
            start,
            length: items.len() as u32,
        }
    }

    /// Keeps entries together, as members sorted by key; of equal keys the last counts.
    pub fn map(&mut self, members: &mut Vec<Entry>, from: usize) -> Children {
        let found = members.get_mut(from..).unwrap_or_default();
        let sorted = found
            .windows(2)
            .all(|pair| matches!(pair, [a, b] if self.order(a.key, b.key) == Ordering::Less));
        if !sorted {
            found.sort_by(|a, b| self.order(a.key, b.key));
            let mut kept = from;
            for at in from..members.len() {
                if kept > from && self.order(members[kept - 1].key, members[at].key).is_eq() {
                    kept -= 1;
                }
                members[kept] = members[at];
                kept += 1;
            }
            members.truncate(kept);
        }
        self.list(members.get(from..).unwrap_or_default())
    }

    /// Two keys by their code points, as Python sorts them.
    #[inline]
    fn order(&self, a: Span, b: Span) -> Ordering {
        match (self.piece(a), self.piece(b)) {
            // UTF-8 keeps the order of code points.
            (Piece::Text(a), Piece::Text(b)) => a.cmp(b),
            (a, b) => code_points(a).cmp(&code_points(b)),
        }
    }

    /// The member of this key.
    #[inline]
    pub fn member(&self, children: Children, key: &str) -> Option<Node> {
        self.children(children)
            .iter()
            .find(|entry| self.piece(entry.key) == Piece::Text(key))
            .map(|entry| entry.node)
    }
}

/// The code points of a piece, halves of surrogate pairs among them.
#[cold]
fn code_points(piece: Piece<'_>) -> Vec<u32> {
    let text = match piece {
        Piece::Text(text) => return text.chars().map(u32::from).collect(),
        Piece::Half(text) => text,
    };
    let mut units = Vec::new();
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        let unit = match c {
            '\\' => match rest.next() {
                Some('u') => {
                    let digits: String = rest.by_ref().take(4).collect();
                    u32::from_str_radix(&digits, 16).unwrap_or_default()
                }
                Some('n') => 0x0a,
                Some('r') => 0x0d,
                Some('t') => 0x09,
                Some('b') => 0x08,
                Some('f') => 0x0c,
                other => other.map_or(0, u32::from),
            },
            c => u32::from(c),
        };
        match units.last_mut() {
            Some(high @ 0xd800..=0xdbff) if (0xdc00..=0xdfff).contains(&unit) => {
                *high = 0x10000 + ((*high - 0xd800) << 10) + (unit - 0xdc00);
            }
            _ => units.push(unit),
        }
    }
    units
}
