//! The events in the body of a request.

use crate::eval::Value;
use crate::eval::json::parse::BadKind;
use crate::eval::json::read_next;
use crate::pipeline::record::Record;
use flate2::read::MultiGzDecoder;
use smol_str::SmolStr;
use std::io::{ErrorKind, Read};

/// How deep JSON may nest.
const DEPTH: usize = 256;

/// How much is unpacked at once.
const PART: usize = 64 << 10;

/// The largest window of zstd that is believed, as a power of two: 8 MiB, as its own program takes unasked.
const WINDOW: u32 = 23;

/// How a body is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    Plain,
    Gzip,
    Zstd,
}

impl Packing {
    /// What the header `Content-Encoding` says.
    pub fn of(encoding: &str) -> Option<Packing> {
        match encoding.trim().to_ascii_lowercase().as_str() {
            "" | "identity" => Some(Packing::Plain),
            "gzip" | "x-gzip" => Some(Packing::Gzip),
            "zstd" => Some(Packing::Zstd),
            _ => None,
        }
    }
}

/// What stands in a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// Objects, or arrays of objects, one behind the other.
    Json,
    /// An object on each line.
    JsonLines,
    /// Lines of text.
    Text,
}

impl Content {
    /// What the header `Content-Type` says; JSON unless it is known to be something else.
    pub fn of(kind: &str) -> Content {
        let kind = kind.split(';').next().unwrap_or_default().trim();
        match kind.to_ascii_lowercase().as_str() {
            "application/x-ndjson"
            | "application/ndjson"
            | "application/jsonl"
            | "application/x-jsonlines"
            | "application/json-lines"
            | "application/json-seq" => Content::JsonLines,
            "text/plain" => Content::Text,
            _ => Content::Json,
        }
    }
}

/// Why there are no events in a body.
#[derive(Debug, PartialEq, Eq)]
pub enum BadBody {
    /// Unpacked it is longer than allowed.
    TooLong,
    /// There is no memory for it now.
    Full,
    /// It is not what it says: the reason, and where known line and column, from 1.
    Wrong(String, Option<(usize, usize)>),
}

/// Unpacks a body: at most `most` bytes, and as long as `grow` finds room for more of them.
pub fn unpack(
    bytes: Vec<u8>,
    packing: Packing,
    most: usize,
    mut grow: impl FnMut(usize) -> bool,
) -> Result<Vec<u8>, BadBody> {
    let wrong = |error: std::io::Error| {
        let what = match error.kind() {
            ErrorKind::UnexpectedEof => "it ends too early".to_owned(),
            _ => error.to_string(),
        };
        BadBody::Wrong(format!("the body cannot be unpacked: {what}"), None)
    };
    let mut reader: Box<dyn Read + '_> = match packing {
        Packing::Plain => return Ok(bytes),
        Packing::Gzip => Box::new(MultiGzDecoder::new(bytes.as_slice())),
        Packing::Zstd => {
            let mut decoder = zstd::Decoder::with_buffer(bytes.as_slice()).map_err(wrong)?;
            decoder.window_log_max(WINDOW).map_err(wrong)?;
            Box::new(decoder)
        }
    };
    let mut out = Vec::new();
    loop {
        if !grow(PART) {
            return Err(BadBody::Full);
        }
        let mut part = reader.by_ref().take(PART as u64);
        if part.read_to_end(&mut out).map_err(wrong)? == 0 {
            return Ok(out);
        }
        if out.len() > most {
            return Err(BadBody::TooLong);
        }
    }
}

/// The records of a body: all of them, or what is wrong first.
pub fn records(bytes: &[u8], content: Content) -> Result<Vec<Record>, BadBody> {
    let text = simdutf8::compat::from_utf8(bytes).map_err(|error| {
        let at = error.valid_up_to();
        let text = "the body is not UTF-8".to_owned();
        BadBody::Wrong(text, Some(place(bytes, at)))
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let start = bytes.len() - text.len();
    let mut all = Vec::new();
    match content {
        Content::Text => {
            for line in text.lines() {
                let mut record = Record::with_capacity(1);
                record.set(SmolStr::new_static("log"), Value::Text(line.into()));
                all.push(record);
            }
        }
        Content::Json => one_by_one(text, &mut all).map_err(|bad| bad.at(bytes, start))?,
        Content::JsonLines => {
            let mut from = start;
            for line in text.split_inclusive('\n') {
                // RFC 7464 begins each with a record separator.
                let object = line.trim_start_matches('\u{1e}');
                let begin = from + line.len() - object.len();
                from += line.len();
                // What ends too early ends on its line.
                let object = object.trim_end_matches(['\r', '\n']);
                if object.trim().is_empty() {
                    continue;
                }
                let before = all.len();
                one_by_one(object, &mut all).map_err(|bad| bad.at(bytes, begin))?;
                if all.len() != before + 1 || object.trim_start().starts_with('[') {
                    let bad = Bad(0, "a line is one object here".to_owned());
                    return Err(bad.at(bytes, begin));
                }
            }
        }
    }
    Ok(all)
}

/// The byte and the fault.
struct Bad(usize, String);

impl Bad {
    fn at(self, bytes: &[u8], start: usize) -> BadBody {
        BadBody::Wrong(self.1, Some(place(bytes, start + self.0)))
    }
}

/// Reads objects and arrays of objects until the text ends.
fn one_by_one(text: &str, all: &mut Vec<Record>) -> Result<(), Bad> {
    let mut from = 0;
    loop {
        let rest = text.get(from..).unwrap_or_default();
        let blanks = rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
        if blanks == rest.len() {
            return Ok(());
        }
        let begin = from + blanks;
        let (value, length) = read_next(rest, DEPTH).map_err(|bad| {
            let text = match bad.kind {
                BadKind::NotAnObject => "an object was expected",
                kind => kind.message(),
            };
            Bad(from + bad.offset, text.to_owned())
        })?;
        match value {
            Value::Map(map) => all.push(map.entries().into_iter().collect()),
            Value::List(list) => {
                for (number, item) in list.items().into_iter().enumerate() {
                    let Value::Map(map) = &item else {
                        let (number, found) = (number + 1, item.kind_in_words());
                        let text =
                            format!("element {number} of the array is {found}, not an object");
                        return Err(Bad(begin, text));
                    };
                    all.push(map.entries().into_iter().collect());
                }
            }
            other => {
                let found = other.kind_in_words();
                let text = format!("an object or an array of objects was expected, not {found}");
                return Err(Bad(begin, text));
            }
        }
        from += length;
    }
}

/// Line and column of a byte, from 1; columns count characters.
fn place(bytes: &[u8], at: usize) -> (usize, usize) {
    let before = bytes.get(..at).unwrap_or(bytes);
    let start = memchr::memrchr(b'\n', before).map_or(0, |end| end + 1);
    let line = memchr::memchr_iter(b'\n', before).count() + 1;
    let in_line = before.get(start..).unwrap_or_default();
    (line, String::from_utf8_lossy(in_line).chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::python::write_record;
    use std::io::Write;

    fn shown(bytes: &[u8], content: Content) -> String {
        match records(bytes, content) {
            Ok(records) => {
                let mut out = String::new();
                for record in &records {
                    write_record(record, &mut out);
                }
                out
            }
            Err(BadBody::Wrong(text, Some((line, column)))) => format!("{line}:{column} {text}"),
            Err(other) => format!("{other:?}"),
        }
    }

    #[test]
    fn bodies_are_read_or_refused_with_their_place() {
        use Content::{Json, JsonLines, Text};
        for (body, content, expected) in [
            ("", Json, ""),
            (" [ ] \n", Json, ""),
            ("\u{feff}{\"a\": 1}", Json, "{'a': 1}"),
            ("{\"a\": 1}\n\n {\"b\": [2]}", Json, "{'a': 1}{'b': [2]}"),
            ("[{\"a\": 1}, {\"b\": null}]", Json, "{'a': 1}{'b': None}"),
            ("{\"a\":1}\r\n\r\n{\"b\":2}", JsonLines, "{'a': 1}{'b': 2}"),
            ("one\r\ntwo\n", Text, "{'log': 'one'}{'log': 'two'}"),
        ] {
            assert_eq!(shown(body.as_bytes(), content), expected, "{body}");
        }
        for (body, content, place) in [
            ("{\"a\": 1}\n{\"é\": x}", Json, "2:7 "),
            ("[{\"a\": 1}, 5]", Json, "1:1 element 2 "),
            ("\n 5", Json, "2:2 an object or an array"),
            ("{\"a\": 1", Json, "1:"),
            ("{\"a\":1}\n[{}]", JsonLines, "2:1 a line is one object"),
            ("{\"a\":1} {}", JsonLines, "1:1 a line is one object"),
            ("{\"a\":\n1}", JsonLines, "1:"),
        ] {
            let shown = shown(body.as_bytes(), content);
            assert!(shown.starts_with(place), "{body}: {shown}");
        }
        assert_eq!(shown(b"ab\nc\xff", Text), "2:2 the body is not UTF-8");
        let deep = "[".repeat(100_000);
        assert!(shown(deep.as_bytes(), Json).starts_with("1:"));
    }

    #[test]
    fn bodies_are_unpacked_within_bounds() {
        let text = b"{\"a\": 1}\n".repeat(10_000);
        let gzip = {
            let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            out.write_all(&text).unwrap();
            out.finish().unwrap()
        };
        let zstd = zstd::encode_all(text.as_slice(), 1).unwrap();
        for (packed, packing) in [(gzip, Packing::Gzip), (zstd, Packing::Zstd)] {
            let most = text.len();
            let unpacked = unpack(packed.clone(), packing, most, |_| true);
            assert_eq!(unpacked.as_ref(), Ok(&text));
            let long = unpack(packed.clone(), packing, most - 1, |_| true);
            assert_eq!(long, Err(BadBody::TooLong));
            let full = unpack(packed.clone(), packing, most, |_| false);
            assert_eq!(full, Err(BadBody::Full));
            let cut = packed[..packed.len() / 2].to_vec();
            let wrong = unpack(cut, packing, most, |_| true);
            assert!(matches!(wrong, Err(BadBody::Wrong(..))), "{wrong:?}");
            let wrong = unpack(b"plain".to_vec(), packing, most, |_| true);
            assert!(matches!(wrong, Err(BadBody::Wrong(..))), "{wrong:?}");
        }
        assert_eq!(Packing::of("br"), None);
    }
}
