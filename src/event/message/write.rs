//! Messages as Mentat stores them: Python's `json.dumps` with sorted keys, everything beyond ASCII escaped.

use super::address::Address;
use super::number::write_float;
use super::tape::{Node, Piece, Tape};
use super::time::{write_duration, write_time};
use std::io::Write;

/// Writes a value.
pub(super) fn write_node(tape: &Tape, node: Node, out: &mut Vec<u8>) {
    match node {
        Node::Text(span) => write_piece(out, tape.piece(span)),
        Node::Int(n) => write_int(out, n),
        Node::Time(time) => {
            out.push(b'"');
            write_time(out, time);
            out.push(b'"');
        }
        Node::Address(at) => {
            out.push(b'"');
            if let Some(&address) = tape.addresses.get(at as usize) {
                write_address(out, address);
            }
            out.push(b'"');
        }
        Node::Duration(duration) => {
            out.push(b'"');
            write_duration(out, duration);
            out.push(b'"');
        }
        Node::Null => out.extend_from_slice(b"null"),
        Node::Bool(true) => out.extend_from_slice(b"true"),
        Node::Bool(false) => out.extend_from_slice(b"false"),
        Node::Float(x) => write_float(out, x),
        Node::Big(span) => out.extend_from_slice(tape.str(span).unwrap_or_default().as_bytes()),
        Node::List(items) => {
            out.push(b'[');
            for (i, entry) in tape.children(items).iter().enumerate() {
                if i > 0 {
                    out.extend_from_slice(b", ");
                }
                write_node(tape, entry.node, out);
            }
            out.push(b']');
        }
        Node::Map(members) => {
            out.push(b'{');
            for (i, entry) in tape.children(members).iter().enumerate() {
                if i > 0 {
                    out.extend_from_slice(b", ");
                }
                write_piece(out, tape.piece(entry.key));
                out.extend_from_slice(b": ");
                write_node(tape, entry.node, out);
            }
            out.push(b'}');
        }
    }
}

fn write_piece(out: &mut Vec<u8>, piece: Piece<'_>) {
    out.push(b'"');
    match piece {
        Piece::Text(text) => write_text(out, text),
        // It is kept as JSON has it.
        Piece::Half(json) => out.extend_from_slice(json.as_bytes()),
    }
    out.push(b'"');
}

/// Whether a byte stands for itself in a string.
fn plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\'
}

/// Writes a text without the marks around it.
#[inline]
pub(super) fn write_text(out: &mut Vec<u8>, text: &str) {
    match text.bytes().all(plain) {
        true => out.extend_from_slice(text.as_bytes()),
        false => write_escaped(out, text),
    }
}

#[cold]
fn write_escaped(out: &mut Vec<u8>, text: &str) {
    for c in text.chars() {
        let short = match c {
            '"' => b'"',
            '\\' => b'\\',
            '\n' => b'n',
            '\r' => b'r',
            '\t' => b't',
            '\x08' => b'b',
            '\x0c' => b'f',
            ' '..='~' => {
                out.push(c as u8);
                continue;
            }
            _ => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    // Writing to a vector cannot fail.
                    let _ = write!(out, "\\u{unit:04x}");
                }
                continue;
            }
        };
        out.extend_from_slice(&[b'\\', short]);
    }
}

/// Writes a whole number; small ones, which ports are, without the machinery of formatting.
fn write_int(out: &mut Vec<u8>, n: i64) {
    match u16::try_from(n) {
        Ok(small) => write_small(out, small),
        Err(_) => {
            let _ = write!(out, "{n}");
        }
    }
}

fn write_small(out: &mut Vec<u8>, n: u16) {
    for (size, digit) in [
        (10_000, n / 10_000),
        (1000, n / 1000),
        (100, n / 100),
        (10, n / 10),
    ] {
        if n >= size {
            out.push(b'0' + (digit % 10) as u8);
        }
    }
    out.push(b'0' + (n % 10) as u8);
}

fn write_v4(out: &mut Vec<u8>, address: u32) {
    for (i, byte) in address.to_be_bytes().into_iter().enumerate() {
        if i > 0 {
            out.push(b'.');
        }
        write_small(out, byte.into());
    }
}

fn write_address(out: &mut Vec<u8>, address: Address) {
    match address {
        Address::One4(one) => write_v4(out, one),
        Address::Net4(one, prefix) => {
            write_v4(out, one);
            out.push(b'/');
            write_small(out, prefix.into());
        }
        Address::Range4(low, high) => {
            write_v4(out, low);
            out.push(b'-');
            write_v4(out, high);
        }
        other => {
            let _ = write!(out, "{other}");
        }
    }
}
