//! Values as the bytes in which Metron's profiler stores them: Kryo 3.0.3, `writeClassAndObject` with references,
//! the classes registered that Metron registers.
//!
//! What has a kind of its own in the language comes back as it was written and is written as Java would write it: lists
//! and maps of both kinds, sets, texts, numbers, sketches, statistics. Other classes of Java are read as the nearest kind.

mod bytes;
mod classes;
mod digest;
mod read;
mod sketches;
mod statistics;
mod write;

use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use crate::eval::Value;

/// Values nest at most so deep in stored bytes.
const DEEPEST: usize = 256;

/// The bytes of a value, at most `longest` of them.
///
/// A part that stands in several places is written once and referred to; so are equal texts of up to 23 bytes.
/// Errors: E0203 for lambdas and objects that cannot be stored, E0302 too deep, E0303 too long.
pub fn write(value: &Value, longest: usize) -> Outcome<Vec<u8>> {
    let mut out = Vec::new();
    write::Writer::new(&mut out, longest, true).value(value)?;
    Ok(out)
}

/// Appends the bytes of a value that an expression has just made: equal short texts are not one text yet.
///
/// Bloom filters and digests know an item by these bytes. Errors: those of [`write`].
pub fn append(value: &Value, longest: usize, out: &mut Vec<u8>) -> Outcome<()> {
    write::Writer::new(out, longest, false).value(value)
}

/// The value of stored bytes. What stands behind it is ignored, as Kryo does.
///
/// Errors: E0605 with the offset when they are damaged or hold a class without a counterpart.
pub fn read(bytes: &[u8]) -> Outcome<Value> {
    read::Reader::new(bytes).value()
}

/// The error for bytes that make no value.
#[cold]
fn damaged(offset: usize, message: impl std::fmt::Display) -> Fault {
    let message = format!("the stored value cannot be read: {message} (at byte {offset})");
    Diagnostic::new(Code::DamagedValue, message)
}
