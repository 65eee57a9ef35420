//! Messages as JSON, which Fluentd's server takes, too: made MessagePack of, and from there on all the same.

use super::write;
use crate::eval::json;

/// How deep JSON may nest.
const DEPTH: usize = 100;

/// Finds the end of a JSON value in bytes that are still coming in; nothing is looked at twice.
#[derive(Debug, Default, Clone)]
pub struct TextFrame {
    at: usize,
    depth: usize,
    quoted: bool,
    escaped: bool,
}

impl TextFrame {
    /// A value that begins at `at`, which blanks may stand before.
    pub fn at(at: usize) -> TextFrame {
        TextFrame {
            at,
            ..TextFrame::default()
        }
    }

    /// Whether no value has begun.
    pub fn between(&self) -> bool {
        self.depth == 0
    }

    /// The first `count` bytes have gone.
    pub fn back(&mut self, count: usize) {
        self.at = self.at.saturating_sub(count);
    }

    /// Where the value ends, when its end is there. Errors: what stands there is no list and no object.
    pub fn advance(&mut self, bytes: &[u8]) -> Result<Option<usize>, String> {
        while let Some(&byte) = bytes.get(self.at) {
            self.at += 1;
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' if self.quoted => self.escaped = true,
                b'"' if self.depth > 0 => self.quoted ^= true,
                _ if self.quoted => {}
                b'[' | b'{' => self.depth += 1,
                b']' | b'}' if self.depth > 0 => {
                    self.depth -= 1;
                    if self.depth == 0 {
                        return Ok(Some(self.at));
                    }
                }
                b' ' | b'\t' | b'\r' | b'\n' => {}
                _ if self.depth == 0 => return Err("JSON messages are lists".to_owned()),
                _ => {}
            }
        }
        Ok(None)
    }
}

/// A message of JSON as MessagePack. Errors: why it is none.
pub fn convert(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
    let text = simdutf8::basic::from_utf8(bytes).map_err(|_| "JSON is UTF-8".to_owned())?;
    let value =
        json::read_of_longs(text.trim(), DEPTH).map_err(|bad| format!("it is no JSON: {bad}"))?;
    write::value(&value, 0, out)
}
