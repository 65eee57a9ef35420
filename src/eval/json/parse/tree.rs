//! A parser that builds any kind of value from a whole text.

use super::decode::{self, Whole};
use super::error::{BadJson, BadKind};
use super::scan::{self, Cursor, EVENT_DEPTH, Next, at};
use std::borrow::Cow;

/// Builds values for [`parse`].
pub trait Builder {
    /// What is built.
    type Value;
    /// A list that still grows.
    type List;
    /// A map that still grows.
    type Map;
    /// `null`.
    fn null(&mut self) -> Self::Value;
    /// `true` or `false`.
    fn boolean(&mut self, value: bool) -> Self::Value;
    /// A whole number of 32 bits.
    fn int(&mut self, value: i32) -> Self::Value;
    /// A whole number of 64 bits that 32 do not hold.
    fn long(&mut self, value: i64) -> Self::Value;
    /// A whole number beyond 64 bits: its digits, after a minus sign if it is negative.
    fn big(&mut self, digits: &str) -> Self::Value;
    /// A number with a fraction or an exponent.
    fn double(&mut self, value: f64) -> Self::Value;
    /// A string: borrowed unless it has escapes.
    fn string(&mut self, text: Cow<'_, str>) -> Self::Value;
    /// Starts a list.
    fn list(&mut self) -> Self::List;
    /// Adds an element.
    fn push(&mut self, list: &mut Self::List, value: Self::Value);
    /// Finishes a list.
    fn end_list(&mut self, list: Self::List) -> Self::Value;
    /// Starts a map.
    fn map(&mut self) -> Self::Map;
    /// Adds a member. A key that is there keeps its place and gets the new value.
    fn insert(&mut self, map: &mut Self::Map, key: Cow<'_, str>, value: Self::Value);
    /// Finishes a map.
    fn end_map(&mut self, map: Self::Map) -> Self::Value;
}

/// What may follow the value in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// Blanks.
    Blanks,
    /// Anything, which is not even read: only the first complete value counts. As in Jackson, a number alone must
    /// end with the text or at a blank, and `true`, `false` and `null` must not run on as a longer word.
    Anything,
}

/// Parses a text that is one value of any kind: the value, and the place after it.
///
/// `max_depth` is the most brackets and braces that may be open at once; the stack of the thread does not depend on it.
pub fn parse<B: Builder>(
    text: &str,
    max_depth: usize,
    after: After,
    builder: &mut B,
) -> Result<(B::Value, usize), BadJson> {
    let mut parser = Parser {
        text,
        cursor: Cursor::new(text.as_bytes()),
        max_depth,
        builder,
    };
    let start = scan::blanks(text.as_bytes(), &mut parser.cursor, 0);
    let (value, end) = parser.value(start)?;
    match after {
        After::Blanks => scan::end(text.as_bytes(), &mut parser.cursor, end)?,
        After::Anything => root_end(text, start, end)?,
    }
    Ok((value, end))
}

/// Parses an event: a line that is one object, at most [`EVENT_DEPTH`] deep, in UTF-8.
pub fn parse_event<B: Builder>(line: &[u8], builder: &mut B) -> Result<B::Value, BadJson> {
    let text = scan::utf8(line)?;
    let mut parser = Parser {
        text,
        cursor: Cursor::new(line),
        max_depth: EVENT_DEPTH,
        builder,
    };
    let start = scan::event_start(line, &mut parser.cursor)?;
    let (value, end) = parser.value(start)?;
    scan::end(line, &mut parser.cursor, end)?;
    Ok(value)
}

/// Makes sure that a scalar with anything behind it does not run on.
fn root_end(text: &str, start: usize, end: usize) -> Result<(), BadJson> {
    let Some(next) = text.get(end..).and_then(|rest| rest.chars().next()) else {
        return Ok(());
    };
    let runs_on = match at(text.as_bytes(), start) {
        b'-' | b'0'..=b'9' => !matches!(next, ' ' | '\t' | '\n' | '\r'),
        b't' | b'f' | b'n' => next.is_alphanumeric() || matches!(next, '_' | '$'),
        _ => false,
    };
    if runs_on {
        scan::bad(end, BadKind::TrailingText)
    } else {
        Ok(())
    }
}

/// A container that is still open.
enum Open<'a, B: Builder> {
    List(B::List),
    /// With the key whose value comes next.
    Map(B::Map, Cow<'a, str>),
}

struct Parser<'a, 'b, B: Builder> {
    text: &'a str,
    cursor: Cursor,
    max_depth: usize,
    builder: &'b mut B,
}

impl<'a, B: Builder> Parser<'a, '_, B> {
    /// Reads a value of any kind, with the open containers on a stack of its own.
    fn value(&mut self, mut pos: usize) -> Result<(B::Value, usize), BadJson> {
        let text = self.text.as_bytes();
        let mut stack: Vec<Open<'a, B>> = Vec::new();
        loop {
            // Down to a complete value: a scalar or an empty container.
            let mut value;
            (value, pos) = match at(text, pos) {
                b'{' => {
                    self.deeper(&stack, pos)?;
                    let map = self.builder.map();
                    match scan::open_object(text, &mut self.cursor, pos)? {
                        Next::Close(end) => (self.builder.end_map(map), end),
                        Next::Item(_) => {
                            let key;
                            (key, pos) = self.key()?;
                            stack.push(Open::Map(map, key));
                            continue;
                        }
                    }
                }
                b'[' => {
                    self.deeper(&stack, pos)?;
                    let list = self.builder.list();
                    match scan::open_list(text, &mut self.cursor, pos) {
                        Next::Close(end) => (self.builder.end_list(list), end),
                        Next::Item(item) => {
                            pos = item;
                            stack.push(Open::List(list));
                            continue;
                        }
                    }
                }
                first => self.scalar(pos, first)?,
            };
            // Up again, as long as the value closes the container around it.
            loop {
                match stack.pop() {
                    None => return Ok((value, pos)),
                    Some(Open::List(mut list)) => {
                        self.builder.push(&mut list, value);
                        match scan::after_element(text, &mut self.cursor, pos)? {
                            Next::Item(item) => {
                                pos = item;
                                stack.push(Open::List(list));
                                break;
                            }
                            Next::Close(end) => (value, pos) = (self.builder.end_list(list), end),
                        }
                    }
                    Some(Open::Map(mut map, key)) => {
                        self.builder.insert(&mut map, key, value);
                        match scan::after_member(text, &mut self.cursor, pos)? {
                            Next::Item(_) => {
                                let key;
                                (key, pos) = self.key()?;
                                stack.push(Open::Map(map, key));
                                break;
                            }
                            Next::Close(end) => (value, pos) = (self.builder.end_map(map), end),
                        }
                    }
                }
            }
        }
    }

    /// Makes sure that one more container may be opened at `pos`.
    fn deeper(&self, stack: &[Open<'a, B>], pos: usize) -> Result<(), BadJson> {
        if stack.len() >= self.max_depth {
            scan::bad(pos, BadKind::TooDeep)
        } else {
            Ok(())
        }
    }

    /// Reads a key and its colon: the key, and the place of its value.
    fn key(&mut self) -> Result<(Cow<'a, str>, usize), BadJson> {
        let (key, end) = self.string()?;
        let (pos, _) = scan::colon(self.text.as_bytes(), &mut self.cursor, end - 1)?;
        Ok((key, pos))
    }

    /// Reads the string at the cursor: its text, and the place after it.
    fn string(&mut self) -> Result<(Cow<'a, str>, usize), BadJson> {
        let quoted = scan::string(self.text.as_bytes(), &mut self.cursor)?;
        let text = self
            .text
            .get(quoted.open + 1..quoted.close)
            .unwrap_or_default();
        Ok((decode::string(text, quoted.escaped), quoted.close + 1))
    }

    /// Reads a value that is neither a list nor an object.
    fn scalar(&mut self, pos: usize, first: u8) -> Result<(B::Value, usize), BadJson> {
        let text = self.text.as_bytes();
        Ok(match first {
            b'"' => {
                let (string, end) = self.string()?;
                (self.builder.string(string), end)
            }
            b'-' | b'0'..=b'9' => {
                let (end, whole) = scan::number(text, pos)?;
                let number = self.text.get(pos..end).unwrap_or_default();
                let value = if !whole {
                    self.builder.double(decode::double(number))
                } else {
                    match decode::whole(number) {
                        Whole::Int(int) => self.builder.int(int),
                        Whole::Long(long) => self.builder.long(long),
                        Whole::Big(digits) => self.builder.big(digits),
                    }
                };
                (value, end)
            }
            b't' => (self.builder.boolean(true), scan::word(text, pos, b"true")?),
            b'f' => (
                self.builder.boolean(false),
                scan::word(text, pos, b"false")?,
            ),
            b'n' => (self.builder.null(), scan::word(text, pos, b"null")?),
            _ => return scan::bad_or_end(text, pos, BadKind::ExpectedValue),
        })
    }
}
