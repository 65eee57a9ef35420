//! Reading a time by the elements of its layout.

use super::element::{Element, Offset, Piece};
use super::{Moment, days_in, days_since_1970, fraction, is_leap, two};
use crate::eval::java::date_format::{MONTHS, WEEKDAYS};

/// What has been read so far.
#[derive(Default)]
pub(super) struct Reading {
    year: i64,
    month: Option<i64>,
    day: Option<i64>,
    day_of_year: Option<i64>,
    hour: i64,
    minute: i64,
    second: i64,
    nanos: u32,
    afternoon: Option<bool>,
    offset: Option<i64>,
    /// Whether the zone is UTC, which wins over an offset.
    utc: bool,
}

type Rest<'a> = Result<&'a [u8], &'static str>;

impl Reading {
    pub(super) fn read(mut self, pieces: &[Piece], text: &[u8]) -> Result<Moment, &'static str> {
        let mut rest = text;
        for (i, piece) in pieces.iter().enumerate() {
            rest = skip(rest, piece.before.as_bytes())?;
            let Some(element) = piece.element else {
                break;
            };
            let following = pieces
                .get(i + 1)
                .filter(|next| next.before.is_empty())
                .and_then(|next| next.element);
            rest = self.element(element, following, rest)?;
        }
        if !rest.is_empty() {
            return Err("more text than the layout has");
        }
        self.finish()
    }

    fn element<'a>(
        &mut self,
        element: Element,
        following: Option<Element>,
        rest: &'a [u8],
    ) -> Rest<'a> {
        let within = |value: i64, least: i64, most: i64, what: &'static str| {
            (least..=most).contains(&value).then_some(value).ok_or(what)
        };
        let mut rest = rest;
        match element {
            Element::ShortYear => {
                let (digits, after) = rest.split_at_checked(2).ok_or("no year of two digits")?;
                let year = signed(digits).ok_or("no year of two digits")?;
                self.year = if year >= 69 { year + 1900 } else { year + 2000 };
                rest = after;
            }
            Element::Year => {
                let (digits, after) = rest.split_at_checked(4).ok_or("no year of four digits")?;
                if !digits.iter().all(u8::is_ascii_digit) {
                    return Err("no year of four digits");
                }
                self.year = signed(digits).unwrap_or(0);
                rest = after;
            }
            Element::Month(fixed) => {
                let (month, after) = number(rest, fixed)?;
                self.month = Some(within(month, 1, 12, "month out of range")?);
                rest = after;
            }
            Element::ShortMonth | Element::LongMonth => {
                let short = element == Element::ShortMonth;
                let (month, after) = name(rest, &MONTHS, short).ok_or("unknown month")?;
                self.month = Some(month + 1);
                rest = after;
            }
            Element::ShortDay => rest = name(rest, &WEEKDAYS, true).ok_or("unknown day")?.1,
            Element::LongDay => rest = name(rest, &WEEKDAYS, false).ok_or("unknown day")?.1,
            Element::Day { fixed, blank } => {
                let (day, after) = number(if blank { without_blank(rest) } else { rest }, fixed)?;
                self.day = Some(day);
                rest = after;
            }
            Element::DayOfYear { fixed } => {
                let digits = match fixed {
                    true => rest,
                    false => without_blank(without_blank(rest)),
                };
                let count = digits
                    .iter()
                    .take(3)
                    .take_while(|b| b.is_ascii_digit())
                    .count();
                if count == 0 || (fixed && count != 3) {
                    return Err("no day of the year");
                }
                let (digits, after) = digits.split_at(count);
                self.day_of_year = signed(digits);
                rest = after;
            }
            Element::Hour => {
                let (hour, after) = number(rest, false)?;
                self.hour = within(hour, 0, 23, "hour out of range")?;
                rest = after;
            }
            Element::Hour12(fixed) => {
                let (hour, after) = number(rest, fixed)?;
                self.hour = within(hour, 0, 12, "hour out of range")?;
                rest = after;
            }
            Element::Minute(fixed) => {
                let (minute, after) = number(rest, fixed)?;
                self.minute = within(minute, 0, 59, "minute out of range")?;
                rest = after;
            }
            Element::Second(fixed) => {
                let (second, after) = number(rest, fixed)?;
                self.second = within(second, 0, 59, "second out of range")?;
                rest = after;
                let counted =
                    matches!(following, Some(Element::Fraction(_) | Element::AnyFraction));
                // A fraction is welcome even where the layout has none.
                if !counted {
                    rest = self.any_fraction(rest);
                }
            }
            Element::UpperHalf | Element::LowerHalf => {
                let (half, after) = rest.split_at_checked(2).ok_or("neither AM nor PM")?;
                let upper = element == Element::UpperHalf;
                self.afternoon = Some(match (half, upper) {
                    (b"PM", true) | (b"pm", false) => true,
                    // Once it was the afternoon, it stays so.
                    (b"AM", true) | (b"am", false) => self.afternoon == Some(true),
                    _ => return Err("neither AM nor PM"),
                });
                rest = after;
            }
            Element::Offset { utc: true, .. } if rest.first() == Some(&b'Z') => {
                self.utc = true;
                rest = rest.get(1..).unwrap_or_default();
            }
            Element::Offset { shape, .. } => rest = self.offset(shape, rest)?,
            Element::Zone if rest.starts_with(b"UTC") => {
                self.utc = true;
                rest = rest.get(3..).unwrap_or_default();
            }
            Element::Zone => {
                let length = zone(rest).ok_or("no zone")?;
                rest = rest.get(length..).unwrap_or_default();
            }
            Element::Fraction(count) => {
                let (part, after) = rest.split_at_checked(count + 1).ok_or("no fraction")?;
                let Some((b'.' | b',', digits)) = part.split_first() else {
                    return Err("no fraction");
                };
                let plain = digits.strip_prefix(b"+").unwrap_or(digits);
                // A sign takes the place of a digit, as it does in Go.
                let pad = digits.len() - plain.len();
                let padded = [b"0".repeat(pad), plain.to_vec()].concat();
                if plain.is_empty() {
                    return Err("no fraction");
                }
                self.nanos = fraction(&padded).ok_or("no fraction")?;
                rest = after;
            }
            Element::AnyFraction => rest = self.any_fraction(rest),
        }
        Ok(rest)
    }

    fn any_fraction<'a>(&mut self, rest: &'a [u8]) -> &'a [u8] {
        let Some((b'.' | b',', digits)) = rest.split_first() else {
            return rest;
        };
        let count = digits.iter().take_while(|b| b.is_ascii_digit()).count();
        if count == 0 {
            return rest;
        }
        let (digits, after) = digits.split_at(count);
        self.nanos = fraction(digits).unwrap_or(0);
        after
    }

    fn offset<'a>(&mut self, shape: Offset, rest: &'a [u8]) -> Rest<'a> {
        let bad = "no offset from UTC";
        let length = match shape {
            Offset::Hours => 3,
            Offset::Minutes => 5,
            Offset::ColonMinutes => 6,
            Offset::Seconds => 7,
            Offset::ColonSeconds => 9,
        };
        let (part, after) = rest.split_at_checked(length).ok_or(bad)?;
        let (sign, numbers) = match *part {
            [sign, a, b] => (sign, [a, b, b'0', b'0', b'0', b'0']),
            [sign, a, b, c, d] => (sign, [a, b, c, d, b'0', b'0']),
            [sign, a, b, b':', c, d] => (sign, [a, b, c, d, b'0', b'0']),
            [sign, a, b, c, d, e, f] => (sign, [a, b, c, d, e, f]),
            [sign, a, b, b':', c, d, b':', e, f] => (sign, [a, b, c, d, e, f]),
            _ => return Err(bad),
        };
        let [a, b, c, d, e, f] = numbers;
        let hours = two(a, b).ok_or(bad)?;
        let minutes = two(c, d).ok_or(bad)?;
        let seconds = two(e, f).ok_or(bad)?;
        if hours > 24 || minutes > 60 || seconds > 60 {
            return Err("offset from UTC out of range");
        }
        let offset = (hours * 60 + minutes) * 60 + seconds;
        self.offset = Some(match sign {
            b'+' => offset,
            b'-' => -offset,
            _ => return Err(bad),
        });
        Ok(after)
    }

    fn finish(mut self) -> Result<Moment, &'static str> {
        match self.afternoon {
            Some(true) if self.hour < 12 => self.hour += 12,
            Some(false) if self.hour == 12 => self.hour = 0,
            _ => {}
        }
        if let Some(day_of_year) = self.day_of_year {
            let last = 365 + i64::from(is_leap(self.year));
            if !(1..=last).contains(&day_of_year) {
                return Err("day of the year out of range");
            }
            let (mut month, mut day) = (1, day_of_year);
            while day > days_in(month, self.year) {
                day -= days_in(month, self.year);
                month += 1;
            }
            let same = self.month.is_none_or(|m| m == month) && self.day.is_none_or(|d| d == day);
            if !same {
                return Err("day of the year does not go with the date");
            }
            (self.month, self.day) = (Some(month), Some(day));
        }
        let (month, day) = (self.month.unwrap_or(1), self.day.unwrap_or(1));
        if !(1..=days_in(month, self.year)).contains(&day) {
            return Err("day out of range");
        }
        // Go takes an offset of one second before UTC for none.
        let offset = match self.utc {
            true => 0,
            false => self.offset.filter(|offset| *offset != -1).unwrap_or(0),
        };
        let seconds = days_since_1970(self.year, month, day) * 86_400
            + self.hour * 3600
            + self.minute * 60
            + self.second;
        Ok(Moment {
            seconds: seconds - offset,
            nanos: self.nanos,
        })
    }
}

/// Plain text of the layout must be there; any number of blanks goes with any other.
fn skip<'a>(mut text: &'a [u8], mut plain: &[u8]) -> Rest<'a> {
    while let Some((first, after)) = plain.split_first() {
        if *first == b' ' {
            if text.first().is_some_and(|b| *b != b' ') {
                return Err("it does not look like the layout");
            }
            plain = without_blanks(plain);
            text = without_blanks(text);
            continue;
        }
        match text.split_first() {
            Some((same, rest)) if same == first => (text, plain) = (rest, after),
            _ => return Err("it does not look like the layout"),
        }
    }
    Ok(text)
}

fn without_blanks(text: &[u8]) -> &[u8] {
    let blanks = text.iter().take_while(|b| **b == b' ').count();
    text.get(blanks..).unwrap_or_default()
}

fn without_blank(text: &[u8]) -> &[u8] {
    text.strip_prefix(b" ").unwrap_or(text)
}

/// One or two digits.
fn number(text: &[u8], fixed: bool) -> Result<(i64, &[u8]), &'static str> {
    match *text {
        [a, b, ref rest @ ..] if a.is_ascii_digit() && b.is_ascii_digit() => {
            Ok((two(a, b).unwrap_or(0), rest))
        }
        [a, ref rest @ ..] if a.is_ascii_digit() && !fixed => Ok((i64::from(a - b'0'), rest)),
        _ => Err("digits are missing"),
    }
}

/// A number of few digits that may have a sign.
fn signed(text: &[u8]) -> Option<i64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// A name in any case, or the first three letters of one.
fn name<'a>(text: &'a [u8], names: &[&str], short: bool) -> Option<(i64, &'a [u8])> {
    names.iter().zip(0..).find_map(|(name, i)| {
        let name = if short { name.get(..3)? } else { name };
        let (word, rest) = text.split_at_checked(name.len())?;
        word.eq_ignore_ascii_case(name.as_bytes())
            .then_some((i, rest))
    })
}

/// The length of a zone's abbreviation. It moves no time: Go, too, only remembers it, even for `GMT-5`.
fn zone(text: &[u8]) -> Option<usize> {
    if text.starts_with(b"ChST") || text.starts_with(b"MeST") {
        return Some(4);
    }
    if let Some(after) = text.strip_prefix(b"GMT") {
        return Some(3 + zone_offset(after).unwrap_or(0));
    }
    if let Some(b'+' | b'-') = text.first() {
        return zone_offset(text).filter(|_| text.len() >= 3);
    }
    let letters = text
        .iter()
        .take(6)
        .take_while(|b| b.is_ascii_uppercase())
        .count();
    let good = match letters {
        3 => true,
        4 => text.get(3) == Some(&b'T') || text.starts_with(b"WITA"),
        5 => text.get(4) == Some(&b'T'),
        _ => false,
    };
    good.then_some(letters)
}

/// The length of a sign and hours, up to 23.
fn zone_offset(text: &[u8]) -> Option<usize> {
    let rest = text.strip_prefix(b"+").or(text.strip_prefix(b"-"))?;
    let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    let hours = signed(rest.get(..digits)?)?;
    (hours <= 23).then_some(digits + 1)
}
