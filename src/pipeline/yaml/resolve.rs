//! What a plain scalar means: the types of YAML 1.1 (yaml.org/type), as far as Python's safe loader knows them.

use super::objects::{Bytes, Date, Moment};
use crate::eval::Value;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{FixedOffset, NaiveDate, NaiveTime, TimeDelta, TimeZone};
use num_bigint::BigInt;
use std::sync::Arc;

/// The value of a plain scalar without a tag. Errors: why a date is none.
pub fn plain(text: &str) -> Result<Value, String> {
    let Some(first) = text.bytes().next() else {
        return Ok(Value::Null);
    };
    match first {
        b'~' | b'n' | b'N' if null(text) => return Ok(Value::Null),
        b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' => {
            if let Some(truth) = boolean(text) {
                return Ok(Value::Bool(truth));
            }
        }
        b'-' | b'+' | b'.' | b'0'..=b'9' => {
            if let Some(number) = integer(text).or_else(|| float(text)) {
                return Ok(number);
            }
            if first.is_ascii_digit()
                && let Some(moment) = moment(text)
            {
                return moment;
            }
        }
        _ => {}
    }
    Ok(Value::text(text))
}

/// The value of a scalar with a tag of YAML's own, such as `int` or `binary`. Errors: why it has none.
pub fn tagged(tag: &str, text: &str) -> Result<Value, String> {
    let none = || format!("{text:?} is no {tag}");
    match tag {
        "str" => Ok(Value::text(text)),
        "null" => Ok(Value::Null),
        "bool" => boolean(text).map(Value::Bool).ok_or_else(none),
        "int" => integer(text).ok_or_else(none),
        "float" => match float(text).or_else(|| integer(text)) {
            Some(value) => value.as_double().map(Value::Double).ok_or_else(none),
            None => Err(none()),
        },
        "timestamp" => moment(text).unwrap_or_else(|| Err(none())),
        "binary" => {
            let tight: String = text.split_ascii_whitespace().collect();
            match STANDARD.decode(&tight) {
                Ok(bytes) => Ok(Value::Object(Arc::new(Bytes(bytes)))),
                Err(error) => Err(format!("this is no Base64: {error}")),
            }
        }
        _ => Err(format!("the tag !!{tag} is not known here")),
    }
}

fn null(text: &str) -> bool {
    matches!(text, "~" | "null" | "Null" | "NULL")
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Some(true),
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}

fn signed(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

/// A whole number as its smallest type.
pub fn whole(n: BigInt) -> Value {
    if let Ok(n) = i32::try_from(&n) {
        return Value::Int(n);
    }
    match i64::try_from(&n) {
        Ok(n) => Value::Long(n),
        Err(_) => Value::Big(Arc::new(n)),
    }
}

/// Reads digits of a base, with `_` between them; at least one character.
fn digits(text: &str, radix: u32) -> Option<BigInt> {
    let good = |c: char| c == '_' || c.is_digit(radix);
    if text.is_empty() || !text.chars().all(good) {
        return None;
    }
    let tight: String = text.chars().filter(|c| *c != '_').collect();
    BigInt::parse_bytes(tight.as_bytes(), radix)
}

fn integer(text: &str) -> Option<Value> {
    let (negative, rest) = signed(text);
    let n = if let Some(bits) = rest.strip_prefix("0b") {
        digits(bits, 2)?
    } else if let Some(hex) = rest.strip_prefix("0x") {
        digits(hex, 16)?
    } else if rest == "0" {
        BigInt::ZERO
    } else if let Some(octal) = rest.strip_prefix('0') {
        digits(octal, 8)?
    } else {
        if !rest.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        let mut parts = rest.split(':');
        let mut n = digits(parts.next()?, 10)?;
        for part in parts {
            n = n * 60 + sixtieth(part)?;
        }
        n
    };
    Some(whole(if negative { -n } else { n }))
}

/// A place of a number to the base of sixty: `[0-5]?[0-9]`.
fn sixtieth(text: &str) -> Option<u32> {
    let good = matches!(text.as_bytes(), [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9']);
    if good { text.parse().ok() } else { None }
}

fn float(text: &str) -> Option<Value> {
    let (negative, rest) = signed(text);
    let sign = if negative { -1.0 } else { 1.0 };
    if matches!(rest, ".inf" | ".Inf" | ".INF") {
        return Some(Value::Double(sign * f64::INFINITY));
    }
    if matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Some(Value::Double(f64::NAN));
    }
    let (head, tail) = rest.split_once('.')?;
    if head.is_empty() && text.len() != rest.len() {
        // The pattern has no sign before a bare point.
        return None;
    }
    if let Some((first, places)) = head.split_once(':') {
        let whole_part = digits(first, 10).filter(|_| !first.starts_with('_'))?;
        let mut value = whole(whole_part).as_double()?;
        for place in places.split(':') {
            value = value * 60.0 + f64::from(sixtieth(place)?);
        }
        let fraction: String = tail.chars().filter(|c| *c != '_').collect();
        if !fraction.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let fraction: f64 = format!("0.{fraction}0").parse().ok()?;
        return Some(Value::Double(sign * (value + fraction)));
    }
    let (fraction, exponent) = match tail.find(['e', 'E']) {
        Some(at) => (tail.get(..at)?, tail.get(at + 1..)),
        None => (tail, None),
    };
    let places = |text: &str| text.bytes().all(|b| b == b'_' || b.is_ascii_digit());
    let starts = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
    let mantissa =
        places(head) && places(fraction) && (starts(head) || head.is_empty() && starts(fraction));
    // An exponent needs its sign: 1.0e5 is a text.
    let power = exponent.is_none_or(|e| {
        e.strip_prefix(['-', '+'])
            .is_some_and(|d| !d.is_empty() && d.bytes().all(|b| b.is_ascii_digit()))
    });
    if !mantissa || !power {
        return None;
    }
    let tight: String = text.chars().filter(|c| *c != '_').collect();
    tight.parse().ok().map(Value::Double)
}

/// A date or moment; `None` when the text has the form of neither. Errors: a day or an hour that does not exist.
fn moment(text: &str) -> Option<Result<Value, String>> {
    let mut cursor = Cursor(text);
    let year = cursor.digits(4, 4)?;
    cursor.skip('-')?;
    let (month, wide) = cursor.counted(1, 2)?;
    cursor.skip('-')?;
    let (day, wide_day) = cursor.counted(1, 2)?;
    let none = || format!("{text} is no date of the calendar");
    let date = i32::try_from(year)
        .ok()
        .and_then(|year| NaiveDate::from_ymd_opt(year, month, day));
    if cursor.0.is_empty() {
        // Without a time, month and day have two digits.
        return (wide == 2 && wide_day == 2).then(|| {
            date.map(|d| Value::Object(Arc::new(Date(d))))
                .ok_or_else(none)
        });
    }
    if cursor.0.starts_with(['T', 't']) {
        cursor.0 = cursor.0.get(1..)?;
    } else {
        let rest = cursor.0.trim_start_matches([' ', '\t']);
        if rest.len() == cursor.0.len() {
            return None;
        }
        cursor.0 = rest;
    }
    let hour = cursor.digits(1, 2)?;
    cursor.skip(':')?;
    let minute = cursor.digits(2, 2)?;
    cursor.skip(':')?;
    let second = cursor.digits(2, 2)?;
    let mut micros = 0;
    if cursor.skip('.').is_some() {
        let end = cursor.0.bytes().take_while(u8::is_ascii_digit).count();
        let (fraction, rest) = cursor.0.split_at_checked(end)?;
        let six: String = fraction.chars().chain("000000".chars()).take(6).collect();
        micros = six.parse().ok()?;
        cursor.0 = rest;
    }
    let zone = cursor.0.trim_start_matches([' ', '\t']);
    let offset = match zone {
        "" if cursor.0.is_empty() => None,
        "Z" => Some(0),
        _ => Some(Cursor(zone).offset()?),
    };
    let time = NaiveTime::from_hms_micro_opt(hour, minute, second, micros);
    let (Some(date), Some(time)) = (date, time) else {
        return Some(Err(none()));
    };
    let local = date.and_time(time);
    let moment = match offset {
        None => Some(Moment::Local(local)),
        Some(seconds) => FixedOffset::east_opt(seconds)
            .and_then(|zone| {
                let utc = local.checked_sub_signed(TimeDelta::seconds(seconds.into()))?;
                Some(zone.from_utc_datetime(&utc))
            })
            .map(Moment::Zoned),
    };
    Some(moment.map(|m| Value::Object(Arc::new(m))).ok_or_else(none))
}

struct Cursor<'a>(&'a str);

impl Cursor<'_> {
    fn counted(&mut self, least: usize, most: usize) -> Option<(u32, usize)> {
        let count = self
            .0
            .bytes()
            .take(most)
            .take_while(u8::is_ascii_digit)
            .count();
        if count < least {
            return None;
        }
        let (number, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some((number.parse().ok()?, count))
    }

    fn digits(&mut self, least: usize, most: usize) -> Option<u32> {
        self.counted(least, most).map(|(number, _)| number)
    }

    fn skip(&mut self, c: char) -> Option<()> {
        self.0 = self.0.strip_prefix(c)?;
        Some(())
    }

    /// `+2`, `-05:30`, in seconds; nothing may follow.
    fn offset(mut self) -> Option<i32> {
        let sign = if self.skip('+').is_some() {
            1
        } else {
            self.skip('-')?;
            -1
        };
        let hours = self.digits(1, 2)?;
        let minutes = match self.skip(':') {
            Some(()) => self.digits(2, 2)?,
            None => 0,
        };
        let seconds = i32::try_from(hours * 3600 + minutes * 60).ok()?;
        self.0.is_empty().then_some(sign * seconds)
    }
}
