//! MessagePack as it is written, each value in its shortest form.

use super::pack::DEPTH;
use crate::eval::Value;
use crate::pipeline::event::{Event, Time};
use crate::pipeline::python;
use crate::pipeline::yaml::Bytes;

/// Appends null.
pub fn nil(out: &mut Vec<u8>) {
    out.push(0xc0);
}

/// Appends a truth value.
pub fn flag(truth: bool, out: &mut Vec<u8>) {
    out.push(if truth { 0xc3 } else { 0xc2 });
}

/// Appends a whole number.
pub fn int(number: i64, out: &mut Vec<u8>) {
    let Ok(unsigned) = u64::try_from(number) else {
        match number {
            -32.. => out.push((number as i8).cast_unsigned()),
            -0x80.. => head(0xd0, &(number as i8).to_be_bytes(), out),
            -0x8000.. => head(0xd1, &(number as i16).to_be_bytes(), out),
            -0x8000_0000.. => head(0xd2, &(number as i32).to_be_bytes(), out),
            _ => head(0xd3, &number.to_be_bytes(), out),
        }
        return;
    };
    uint(unsigned, out);
}

/// Appends a whole number that is not negative.
pub fn uint(number: u64, out: &mut Vec<u8>) {
    match number {
        0..=0x7f => out.push(number as u8),
        0x80..=0xff => head(0xcc, &[number as u8], out),
        0x100..=0xffff => head(0xcd, &(number as u16).to_be_bytes(), out),
        0x1_0000..=0xffff_ffff => head(0xce, &(number as u32).to_be_bytes(), out),
        _ => head(0xcf, &number.to_be_bytes(), out),
    }
}

/// Appends a floating-point number.
pub fn float(number: f64, out: &mut Vec<u8>) {
    head(0xcb, &number.to_be_bytes(), out);
}

fn head(first: u8, rest: &[u8], out: &mut Vec<u8>) {
    out.push(first);
    out.extend_from_slice(rest);
}

/// Appends a text. Longer ones than the format knows are cut; none is that long.
pub fn text(text: &[u8], out: &mut Vec<u8>) {
    match text.len() {
        length @ 0..=31 => out.push(0xa0 | length as u8),
        length @ 32..=0xff => head(0xd9, &[length as u8], out),
        length @ 0x100..=0xffff => head(0xda, &(length as u16).to_be_bytes(), out),
        length => head(0xdb, &wide(length), out),
    }
    out.extend_from_slice(text);
}

/// Appends bytes.
pub fn binary(bytes: &[u8], out: &mut Vec<u8>) {
    match bytes.len() {
        length @ 0..=0xff => head(0xc4, &[length as u8], out),
        length @ 0x100..=0xffff => head(0xc5, &(length as u16).to_be_bytes(), out),
        length => head(0xc6, &wide(length), out),
    }
    out.extend_from_slice(bytes);
}

fn wide(length: usize) -> [u8; 4] {
    u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes()
}

/// Begins a list of so many values.
pub fn list(count: usize, out: &mut Vec<u8>) {
    match count {
        0..=15 => out.push(0x90 | count as u8),
        16..=0xffff => head(0xdc, &(count as u16).to_be_bytes(), out),
        _ => head(0xdd, &wide(count), out),
    }
}

/// Begins a map of so many pairs.
pub fn map(count: usize, out: &mut Vec<u8>) {
    match count {
        0..=15 => out.push(0x80 | count as u8),
        16..=0xffff => head(0xde, &(count as u16).to_be_bytes(), out),
        _ => head(0xdf, &wide(count), out),
    }
}

/// Appends a value. What MessagePack has not becomes its text. Errors: values that nest too deep.
pub fn value(value: &Value, depth: usize, out: &mut Vec<u8>) -> Result<(), String> {
    if depth >= DEPTH {
        return Err(format!("the record nests deeper than {DEPTH} levels"));
    }
    match value {
        Value::Null => nil(out),
        Value::Bool(truth) => flag(*truth, out),
        Value::Int(number) => int(i64::from(*number), out),
        Value::Long(number) => int(*number, out),
        Value::Big(number) => match u64::try_from(number.as_ref()) {
            Ok(number) => uint(number, out),
            Err(_) => text(number.to_string().as_bytes(), out),
        },
        Value::Float(number) => float(f64::from(*number), out),
        Value::Double(number) => float(*number, out),
        Value::Text(known) => text(known.as_bytes(), out),
        Value::List(items) => items.with(|items| {
            list(items.len(), out);
            items
                .iter()
                .try_for_each(|item| self::value(item, depth + 1, out))
        })?,
        Value::Set(items) => {
            let items = items.items();
            list(items.len(), out);
            for item in &items {
                self::value(item, depth + 1, out)?;
            }
        }
        Value::Map(entries) => {
            let entries = entries.entries();
            map(entries.len(), out);
            for (key, item) in &entries {
                self::value(key, depth + 1, out)?;
                self::value(item, depth + 1, out)?;
            }
        }
        other => match other.as_object::<Bytes>() {
            Some(bytes) => binary(&bytes.0, out),
            None => text(python::text(other).as_bytes(), out),
        },
    }
    Ok(())
}

/// Appends a time: a whole number, or an EventTime with nanoseconds.
pub fn time(time: Time, out: &mut Vec<u8>) {
    match time {
        Time::Whole(seconds) => int(seconds, out),
        Time::Fraction(seconds) => {
            // A double tells less than a microsecond apart only by chance.
            let micros = (seconds * 1e6).round();
            if !(0.0..=f64::from(u32::MAX) * 1e6).contains(&micros) {
                return int(seconds as i64, out);
            }
            let micros = micros as u64;
            out.extend_from_slice(&[0xd7, 0]);
            out.extend_from_slice(&((micros / 1_000_000) as u32).to_be_bytes());
            out.extend_from_slice(&((micros % 1_000_000 * 1000) as u32).to_be_bytes());
        }
    }
}

/// Appends an event as `[time, record]`. Errors: records that nest too deep.
pub fn entry(event: &Event, out: &mut Vec<u8>) -> Result<(), String> {
    out.push(0x92);
    time(event.time, out);
    map(event.record.len(), out);
    for (key, item) in event.record.iter() {
        value(key, 1, out)?;
        value(item, 1, out)?;
    }
    Ok(())
}
