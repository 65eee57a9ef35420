//! Messages of the forward protocol: which mode, which options, and the events in them.
//!
//! <https://github.com/fluent/fluentd/wiki/Forward-Protocol-Specification-v1>

use super::pack::{Frame, Reach, Reader, Token, Trouble, VALUES, seconds};
use crate::eval::Value;
use crate::pipeline::event::{Event, Time};
use crate::pipeline::record::Record;
use crate::pipeline::step::{Packed, Unpacked};
use flate2::bufread::MultiGzDecoder;
use smol_str::SmolStr;
use std::io::Read;
use std::ops::Range;
use std::sync::Arc;

/// A piece of a message is cut when it is so long …
const PIECE: usize = 128 << 10;

/// … or holds so many events.
const EVENTS: usize = 4096;

/// So many fields of a record may have names that are no texts; those are not found by an index.
const ODD_NAMES: usize = 1000;

/// What a message says besides its events.
#[derive(Debug, PartialEq)]
pub struct Message<'a> {
    /// The tag of all its events.
    pub tag: SmolStr,
    /// Where the events are in the message.
    pub body: Body,
    /// What the client wants back when the events have been taken.
    pub chunk: Option<&'a [u8]>,
    /// Whether the body is compressed.
    pub gzip: bool,
}

/// The events of a message.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// One event: its time, and its record behind it.
    One(Range<usize>),
    /// Entries, one behind the other.
    Entries(Range<usize>),
}

/// Reads one whole message, framed before. None when it is only a sign of life. Errors: why it is no message.
pub fn read(bytes: &[u8]) -> Result<Option<Message<'_>>, String> {
    let mut reader = Reader::new(bytes);
    let broken = |trouble: Trouble| trouble.to_string();
    let count = match reader.token().map_err(broken)? {
        Token::Nil => return Ok(None),
        Token::List(count) if count >= 2 => count,
        Token::List(count) => return Err(format!("a message has 2 to 4 values, not {count}")),
        other => return Err(format!("a message is a list, not {}", other.in_words())),
    };
    let tag = match reader.token().map_err(broken)? {
        Token::Text(tag) | Token::Binary(tag) => SmolStr::new(String::from_utf8_lossy(tag)),
        other => return Err(format!("the tag is a text, not {}", other.in_words())),
    };
    let place = |reader: &Reader<'_>| bytes.len() - reader.rest().len();
    let begin = reader;
    let (body, read) = match reader.token().map_err(broken)? {
        Token::List(entries) => {
            let from = place(&reader);
            for _ in 0..entries {
                pass(&mut reader)?;
            }
            (Body::Entries(from..place(&reader)), 2)
        }
        Token::Text(stream) | Token::Binary(stream) => {
            let end = place(&reader);
            (Body::Entries(end - stream.len()..end), 2)
        }
        _ if count >= 3 => {
            reader = begin;
            let from = place(&reader);
            pass(&mut reader)?;
            pass(&mut reader)?;
            (Body::One(from..place(&reader)), 3)
        }
        other => {
            return Err(format!(
                "a message without events, but {}",
                other.in_words()
            ));
        }
    };
    let mut message = Message {
        tag,
        body,
        chunk: None,
        gzip: false,
    };
    if count > read {
        options(&mut reader, &mut message)?;
    }
    Ok(Some(message))
}

/// Goes past one value.
fn pass(reader: &mut Reader<'_>) -> Result<(), String> {
    let rest = reader.rest();
    match Frame::at(0).advance(rest, usize::MAX) {
        Ok(Reach::End(end)) => {
            *reader = Reader::new(rest.get(end..).unwrap_or_default());
            Ok(())
        }
        Ok(Reach::More(_)) => Err(Trouble::Cut.to_string()),
        Err(trouble) => Err(trouble.to_string()),
    }
}

fn options<'a>(reader: &mut Reader<'a>, message: &mut Message<'a>) -> Result<(), String> {
    let broken = |trouble: Trouble| trouble.to_string();
    let count = match reader.token().map_err(broken)? {
        Token::Map(count) => count,
        Token::Nil => return Ok(()),
        other => return Err(format!("the options are a map, not {}", other.in_words())),
    };
    for _ in 0..count {
        let name = reader.token().map_err(broken)?;
        let (Token::Text(name) | Token::Binary(name)) = name else {
            return Err(format!(
                "an option's name is a text, not {}",
                name.in_words()
            ));
        };
        if name != b"chunk" && name != b"compressed" {
            pass(reader)?;
            continue;
        }
        match (name, reader.token().map_err(broken)?) {
            (b"chunk", Token::Text(chunk) | Token::Binary(chunk)) => message.chunk = Some(chunk),
            (b"compressed", Token::Text(b"gzip") | Token::Binary(b"gzip")) => message.gzip = true,
            (b"compressed", Token::Text(b"text") | Token::Binary(b"text")) => {}
            (_, Token::Nil) => {}
            (name, other) => {
                let name = String::from_utf8_lossy(name);
                let found = match other {
                    Token::Text(text) => String::from_utf8_lossy(text.get(..20).unwrap_or(text)),
                    other => other.in_words().into(),
                };
                return Err(format!("the option {name} cannot be {found}"));
            }
        }
    }
    Ok(())
}

/// Unpacks gzip, which may have several members. Errors: damage, and more than `most` bytes.
pub fn unpack(bytes: &[u8], most: usize) -> Result<Vec<u8>, String> {
    let mut out = Vec::with_capacity(bytes.len().saturating_mul(4).min(most).min(8 << 20));
    let mut decoder = MultiGzDecoder::new(bytes).take(most as u64 + 1);
    let read = decoder.read_to_end(&mut out);
    read.map_err(|error| format!("its gzip is damaged: {error}"))?;
    match out.len() > most {
        true => Err(format!(
            "it holds more than {most} bytes when it is unpacked"
        )),
        false => Ok(out),
    }
}

/// Some events of one tag, as bytes.
#[derive(Debug, Clone)]
pub struct Part {
    tag: SmolStr,
    bytes: Arc<Vec<u8>>,
    range: Range<usize>,
    /// Whether it is one event that stands without a list around it.
    bare: bool,
}

/// Events that are still bytes: what goes into the pipeline at once.
#[derive(Debug, Default)]
pub struct Parts {
    parts: Vec<Part>,
    /// The time of events whose client gives none.
    now: i64,
    weight: usize,
    events: usize,
}

impl Parts {
    /// No events; those without a time get `now`.
    pub fn new(now: i64) -> Parts {
        Parts {
            now,
            ..Parts::default()
        }
    }

    /// Whether there are no events.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// How many events there are.
    pub fn len(&self) -> usize {
        self.events
    }

    /// Whether there is enough for one piece.
    pub fn full(&self) -> bool {
        self.weight >= PIECE || self.events >= EVENTS
    }

    /// Adds the event whose time and record are `range` of `bytes`.
    pub fn one(&mut self, tag: &SmolStr, bytes: &Arc<Vec<u8>>, range: Range<usize>) {
        self.add(tag, bytes, range, true, 1);
    }

    fn add(
        &mut self,
        tag: &SmolStr,
        bytes: &Arc<Vec<u8>>,
        range: Range<usize>,
        bare: bool,
        count: usize,
    ) {
        self.weight += range.len();
        self.events += count;
        self.parts.push(Part {
            tag: tag.clone(),
            bytes: bytes.clone(),
            range,
            bare,
        });
    }

    /// Adds as many entries of `range` of `bytes` as have room, and gives the place behind them; all of them have been
    /// looked at by [`check`].
    pub fn entries(&mut self, tag: &SmolStr, bytes: &Arc<Vec<u8>>, range: Range<usize>) -> usize {
        let (mut end, mut count) = (range.start, 0);
        let whole = bytes.get(..range.end).unwrap_or_default();
        while end < range.end {
            match Frame::at(end).advance(whole, VALUES) {
                Ok(Reach::End(next)) => end = next,
                // Looked at before.
                _ => end = range.end,
            }
            count += 1;
            let weight = self.weight + end - range.start;
            if weight >= PIECE || self.events + count >= EVENTS {
                break;
            }
        }
        if count > 0 {
            self.add(tag, bytes, range.start..end, false, count);
        }
        end
    }
}

/// Looks whether bytes are whole entries, without reading what is in them. Errors: why not.
pub fn check(bytes: &[u8]) -> Result<(), String> {
    let mut at = 0;
    while at < bytes.len() {
        match Frame::at(at).advance(bytes, VALUES) {
            Ok(Reach::End(end)) => at = end,
            Ok(Reach::More(_)) => return Err(Trouble::Cut.to_string()),
            Err(trouble) => return Err(trouble.to_string()),
        }
    }
    Ok(())
}

impl Packed for Parts {
    fn unpack(&self, take: &mut dyn FnMut(Unpacked)) {
        for part in &self.parts {
            let bytes = part.bytes.get(part.range.clone()).unwrap_or_default();
            let mut reader = Reader::new(bytes);
            while !reader.rest().is_empty() {
                let made = match part.bare {
                    true => bare(&mut reader, &part.tag, self.now),
                    false => entry(&mut reader, &part.tag, self.now),
                };
                let last = part.bare || matches!(made, Err(Broken::Whole(_)));
                take(match made {
                    Ok(event) => Ok(event),
                    Err(Broken::Whole(reason) | Broken::One(reason)) => {
                        Err((odd(&part.tag, self.now), reason))
                    }
                });
                if last {
                    break;
                }
            }
        }
    }
}

/// Stands for what is no event.
fn odd(tag: &SmolStr, now: i64) -> Event {
    Event {
        tag: tag.clone(),
        time: Time::Whole(now),
        record: Record::default(),
    }
}

/// What cannot be read.
enum Broken {
    /// One entry; the next one can be read.
    One(String),
    /// What follows cannot be read, either.
    Whole(String),
}

impl From<Trouble> for Broken {
    fn from(trouble: Trouble) -> Broken {
        Broken::Whole(trouble.to_string())
    }
}

/// Reads `[time, record]`, and `[[time, metadata], record]` as newer Fluent Bit sends it.
fn entry(reader: &mut Reader<'_>, tag: &SmolStr, now: i64) -> Result<Event, Broken> {
    let begin = *reader;
    match reader.token()? {
        Token::List(2) => match bare(reader, tag, now) {
            Err(Broken::One(reason)) => {
                *reader = begin;
                behind(reader, reason)
            }
            done => done,
        },
        other => {
            *reader = begin;
            let found = other.in_words();
            behind(
                reader,
                format!("an entry is a time and a record, not {found}"),
            )
        }
    }
}

/// Goes past an entry that is none.
fn behind(reader: &mut Reader<'_>, reason: String) -> Result<Event, Broken> {
    match pass(reader) {
        Ok(()) => Err(Broken::One(reason)),
        Err(_) => Err(Broken::Whole(reason)),
    }
}

/// Reads a time and a record.
fn bare(reader: &mut Reader<'_>, tag: &SmolStr, now: i64) -> Result<Event, Broken> {
    let time = match reader.token()? {
        Token::List(2) => {
            let time = reader.token()?;
            let metadata = reader.token()?;
            reader.finish(metadata, 2)?;
            time
        }
        time => time,
    };
    let time = match time {
        Token::Int(seconds) => Time::Fraction(seconds as f64),
        Token::Large(seconds) => Time::Fraction(seconds as f64),
        Token::Float(seconds) if seconds.is_finite() => Time::Fraction(seconds),
        Token::Nil => Time::Fraction(now as f64),
        Token::Extension(kind, bytes) => match seconds(kind, bytes) {
            Some(seconds) => Time::Fraction(seconds),
            None => return Err(Broken::One("the time is an unknown extension".to_owned())),
        },
        other => {
            let found = other.in_words();
            return Err(Broken::One(format!("the time is a number, not {found}")));
        }
    };
    let record = match reader.token()? {
        Token::Map(count) => record(reader, count)?,
        other => {
            let found = other.in_words();
            return Err(Broken::One(format!("the record is a map, not {found}")));
        }
    };
    Ok(Event {
        tag: tag.clone(),
        time,
        record,
    })
}

fn record(reader: &mut Reader<'_>, count: u32) -> Result<Record, Broken> {
    let mut record = Record::with_capacity(reader.room(count));
    let mut odd = 0;
    for _ in 0..count {
        let name = reader.token()?;
        let name = reader.finish(name, 1)?;
        let value = reader.value()?;
        match name {
            Value::Text(name) => record.set(name, value),
            name => {
                odd += 1;
                if odd > ODD_NAMES {
                    let text = format!("more than {ODD_NAMES} names of fields are no texts");
                    return Err(Broken::One(text));
                }
                record.set_value(name, value);
            }
        }
    }
    Ok(record)
}
