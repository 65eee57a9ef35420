//! JSON events: a strict scanner, a reader of named fields, and a parser that builds any kind of value.
//!
//! All three follow RFC 8259 to the letter and share one scanner, so that reading two fields of an event refuses
//! exactly the lines that a full parse refuses, at the same byte and for the same reason.
//!
//! | rule | |
//! |---|---|
//! | an event | one object; blanks may stand around it, nothing else |
//! | a whole number | 32 bits, else 64 bits, else its digits; `-0` is 0 |
//! | any other number | the nearest double; beyond the range of doubles the infinities |
//! | a key that comes again | the last one counts |
//! | half a surrogate pair | U+FFFD |
//! | nesting | at most [`EVENT_DEPTH`] open brackets and braces |
//!
//! # How a name finds its field
//! [`Extractor`] looks a name up in the event. In each object the whole name is tried as a key first, as it stands;
//! that key wins even when its value is null. Only when the object has no such key, the part before the first dot
//! must be the key of an object, and the rest of the name is looked up in there by the same rule. So `a.b.c` finds
//! `{"a.b.c":1}`, else `{"a":{"b.c":1}}`, else `{"a":{"b":{"c":1}}}`, but never `{"a.b":{"c":1}}`.

mod decode;
mod error;
mod extract;
mod names;
mod scan;
mod tree;

#[cfg(test)]
mod tests;

pub use error::{BadJson, BadKind};
pub use extract::{Extractor, Field};
pub use scan::EVENT_DEPTH;
pub use tree::{After, Builder, parse, parse_event};
