//! Parsing a text by a pattern.

use super::calendar::{DAY_MS, DateFields};
use super::locale::Locale;
use super::number::{digit, parse_int};
use super::pattern::{Item, Letter, Pattern};
use super::resolve::{Field, FieldSet};
use super::zone::Zone;
use super::zone_names;

/// What a text is read under.
#[derive(Clone, Copy, Debug)]
pub struct ParseContext<'a> {
    /// Zone of a text that names none.
    pub zone: &'a Zone,
    /// Zone of the process: its names are tried second, and the hundred years
    /// of two-digit years begin at a time of day in it.
    pub default_zone: &'a Zone,
    /// Names and week rule.
    pub locale: &'a Locale,
    /// True lets fields roll over (month 13 is the next January); false takes
    /// only dates that exist.
    pub lenient: bool,
    /// The present, in milliseconds since 1970-01-01T00:00:00Z; two-digit
    /// years lie between 80 years before it and 20 after.
    pub now_millis: i64,
}

impl ParseContext<'_> {
    /// First instant of the two-digit years and its year of the era.
    fn century_start(&self) -> (i64, i32) {
        let now = DateFields::at(self.now_millis, self.default_zone, self.locale);
        let year = now.proleptic_year() - 80;
        let mut fields = FieldSet::default();
        let leap = super::calendar::is_leap(year);
        let day = match (now.month(), now.day_of_month()) {
            (1, 29) if !leap => 28,
            (_, day) => day,
        };
        fields.set(Field::Year, i32::try_from(year).unwrap_or(i32::MIN));
        fields.set(Field::Month, now.month());
        fields.set(Field::DayOfMonth, day);
        fields.set(Field::Millisecond, now.millis_of_day());
        let start = fields
            .resolve(self.default_zone, self.locale.week_rule(), true)
            .unwrap_or_else(|| self.now_millis.wrapping_sub(29_220 * DAY_MS));
        let year = if year > 0 { year } else { 1 - year };
        (start, i32::try_from(year).unwrap_or(i32::MAX))
    }
}

/// State of one parse.
struct Reader<'a> {
    text: &'a str,
    context: &'a ParseContext<'a>,
    month_alone: bool,
    fields: FieldSet,
    /// A zone named by the text, for this text only.
    zone: Option<Zone>,
    /// The year was the first of the hundred, so the century is still open.
    first_of_century: Option<i64>,
}

impl Pattern {
    /// Reads the start of `text`; what follows the last field is ignored.
    /// Returns milliseconds since 1970-01-01T00:00:00Z, or `None` when the
    /// text does not match (or, in strict mode, names no date that exists).
    pub fn parse(&self, text: &str, context: &ParseContext<'_>) -> Option<i64> {
        let mut reader = Reader {
            text,
            context,
            month_alone: self.month_only,
            fields: FieldSet::default(),
            zone: None,
            first_of_century: None,
        };
        let mut at = 0;
        for item in &self.items {
            at = match item {
                Item::Text(literal) => {
                    let rest = text.get(at..)?;
                    at + rest
                        .starts_with(literal.as_str())
                        .then_some(literal.len())?
                }
                Item::Field {
                    letter,
                    count,
                    abuts,
                } => reader.field(at, *letter, *count, *abuts)?,
            };
        }
        reader.finish()
    }
}

impl Reader<'_> {
    fn finish(mut self) -> Option<i64> {
        let zone = self.zone.as_ref().unwrap_or(self.context.zone);
        let rule = self.context.locale.week_rule();
        let millis = self.fields.resolve(zone, rule, self.context.lenient)?;
        match self.first_of_century {
            Some(start) if millis < start => {
                self.fields.add_years(100);
                self.fields.resolve(zone, rule, self.context.lenient)
            }
            _ => Some(millis),
        }
    }

    fn rest(&self, at: usize) -> &str {
        self.text.get(at..).unwrap_or("")
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    /// Reads one field at byte `start`; returns the offset after it.
    fn field(&mut self, start: usize, letter: Letter, count: usize, abuts: bool) -> Option<usize> {
        let blanks = self.rest(start).bytes();
        let at = start + blanks.take_while(|b| matches!(b, b' ' | b'\t')).count();
        if at >= self.text.len() {
            return None;
        }
        let names = self.context.locale.names();
        // Names are looked for before the blanks: only numbers may have some.
        match letter {
            Letter::Era => {
                return self.name(start, Field::Era, 0, &[&names.eras, &names.long_eras]);
            }
            Letter::Month | Letter::MonthAlone if count >= 3 => {
                let short = if self.month_alone {
                    &names.short_months_alone
                } else {
                    &names.short_months
                };
                let lists: &[&[&str]] = if letter == Letter::Month {
                    &[short, &names.months]
                } else {
                    &[
                        &names.short_months,
                        &names.short_months_alone,
                        &names.months,
                    ]
                };
                return self.name(start, Field::Month, 0, lists);
            }
            Letter::DayOfWeek => {
                let lists: [&[&str]; 2] = [&names.short_weekdays, &names.weekdays];
                return self.name(start, Field::DayOfWeek, 1, &lists);
            }
            Letter::AmPm => return self.name(start, Field::AmPm, 0, &[&names.am_pm]),
            Letter::ZoneName | Letter::ZoneRfc822 => return self.zone(start, at),
            Letter::ZoneIso => return self.iso_zone(at, count),
            _ => {}
        }
        let (value, end) = if abuts {
            parse_int(
                self.text.get(..self.limit(start, count)?)?,
                at,
                names.exponent,
            )?
        } else {
            parse_int(self.text, at, names.exponent)?
        };
        self.number(letter, count, value, at, end)?;
        Some(end)
    }

    /// Byte offset `count` UTF-16 units after `start`; `None` past the end.
    fn limit(&self, start: usize, count: usize) -> Option<usize> {
        let mut units = 0;
        for (offset, c) in self.rest(start).char_indices() {
            units += c.len_utf16();
            // A character cut in half is no digit and may stay outside.
            if units > count {
                return Some(start + offset);
            }
        }
        (units == count).then_some(self.text.len())
    }

    fn number(
        &mut self,
        letter: Letter,
        count: usize,
        value: i32,
        at: usize,
        end: usize,
    ) -> Option<()> {
        let lenient = self.context.lenient;
        let hour = |value: i32, highest: i32| {
            if !lenient && !(1..=highest).contains(&value) {
                return None;
            }
            Some(if value == highest { 0 } else { value })
        };
        let (field, value) = match letter {
            Letter::Year => (Field::Year, self.year(value, count, at, end)),
            Letter::WeekYear => (Field::WeekYear, self.year(value, count, at, end)),
            Letter::Month | Letter::MonthAlone => (Field::Month, value.wrapping_sub(1)),
            Letter::HourFrom1To24 => (Field::HourOfDay, hour(value, 24)?),
            Letter::HourFrom1To12 => (Field::Hour, hour(value, 12)?),
            Letter::WeekOfYear => (Field::WeekOfYear, value),
            Letter::WeekOfMonth => (Field::WeekOfMonth, value),
            Letter::DayOfYear => (Field::DayOfYear, value),
            Letter::DayOfMonth => (Field::DayOfMonth, value),
            Letter::DayOfWeekInMonth => (Field::DayOfWeekInMonth, value),
            Letter::IsoDayOfWeek => (
                Field::DayOfWeek,
                match value {
                    7 => 1,
                    1..=6 => value + 1,
                    _ => value,
                },
            ),
            Letter::HourFrom0To23 => (Field::HourOfDay, value),
            Letter::HourFrom0To11 => (Field::Hour, value),
            Letter::Minute => (Field::Minute, value),
            Letter::Second => (Field::Second, value),
            Letter::Millisecond => (Field::Millisecond, value),
            Letter::Era
            | Letter::DayOfWeek
            | Letter::AmPm
            | Letter::ZoneName
            | Letter::ZoneRfc822
            | Letter::ZoneIso => return None,
        };
        self.fields.set(field, value);
        Some(())
    }

    /// A year; exactly two digits under at most two letters name one of the
    /// hundred years around now.
    fn year(&mut self, value: i32, count: usize, at: usize, end: usize) -> i32 {
        let digits = self.text.get(at..end).unwrap_or("");
        let mut chars = digits.chars();
        let two = chars.next().and_then(digit).is_some()
            && chars.next().and_then(digit).is_some()
            && chars.next().is_none();
        if count > 2 || !two {
            return value;
        }
        let (start, start_year) = self.context.century_start();
        let first = start_year % 100;
        self.first_of_century = (value == first).then_some(start);
        let next = if value < first { 100 } else { 0 };
        value + start_year / 100 * 100 + next
    }

    /// The longest of the names that the text goes on with, in any case.
    fn name(&mut self, at: usize, field: Field, base: i32, lists: &[&[&str]]) -> Option<usize> {
        let rest = self.rest(at);
        let mut best: Option<(usize, i32, usize)> = None;
        for list in lists {
            for (name, index) in list.iter().zip(base..) {
                if best.is_some_and(|(length, _, _)| length >= name.len()) {
                    continue;
                }
                if let Some(used) = zone_names::prefix_length(rest, name) {
                    best = Some((name.len(), index, used));
                }
            }
        }
        let (_, index, used) = best?;
        self.fields.set(field, index);
        Some(at + used)
    }

    fn set_offset(&mut self, millis: i32) {
        self.fields.set(Field::ZoneOffset, millis);
        self.fields.set(Field::DstOffset, 0);
    }

    /// `z` and `Z`: `+hhmm`, `GMT`, `GMT+h:mm` or a name.
    fn zone(&mut self, start: usize, at: usize) -> Option<usize> {
        if let Some(sign) = sign(self.byte(at)) {
            return self.offset(at + 1, sign, 0, false);
        }
        // As with names, blanks hide the prefix.
        let gmt = matches!(self.byte(at), Some(b'G' | b'g'))
            .then(|| zone_names::prefix_length(self.rest(start), "GMT"))
            .flatten();
        if let Some(used) = gmt {
            let after = start + used;
            return match sign(self.byte(after)) {
                Some(sign) => self.offset(after + 1, sign, 0, true),
                None => {
                    self.set_offset(0);
                    Some(after)
                }
            };
        }
        let current = self.zone.as_ref().unwrap_or(self.context.zone);
        let found = zone_names::find(self.rest(at), current, self.context.default_zone)?;
        if let Some(saving) = found.daylight {
            self.fields.clear(Field::ZoneOffset);
            self.fields.set(Field::DstOffset, saving);
        }
        self.zone = Some(found.zone);
        Some(at + found.length)
    }

    /// `X`: `Z`, `+hh`, `+hhmm` or `+hh:mm` by the number of letters.
    fn iso_zone(&mut self, at: usize, count: usize) -> Option<usize> {
        if self.byte(at) == Some(b'Z') {
            self.set_offset(0);
            return Some(at + 1);
        }
        let sign = sign(self.byte(at))?;
        self.offset(at + 1, sign, count, count == 3)
    }

    /// Hours and minutes after a sign; `count` is the number of `X`, or 0 for
    /// another letter, where a single hour digit may come before a colon.
    fn offset(&mut self, at: usize, sign: i32, count: usize, colon: bool) -> Option<usize> {
        let digit = |at| {
            self.byte(at)
                .filter(u8::is_ascii_digit)
                .map(|b| i32::from(b & 0x0f))
        };
        let mut at = at;
        let mut hours = digit(at)?;
        at += 1;
        match digit(at) {
            Some(low) => {
                hours = hours * 10 + low;
                at += 1;
            }
            None if count > 0 || !colon => return None,
            None => {}
        }
        if hours > 23 {
            return None;
        }
        let mut minutes = 0;
        if count != 1 {
            if colon {
                (self.byte(at) == Some(b':')).then_some(())?;
                at += 1;
            }
            minutes = digit(at)? * 10 + digit(at + 1)?;
            at += 2;
            if minutes > 59 {
                return None;
            }
        }
        self.set_offset((hours * 60 + minutes) * 60_000 * sign);
        Some(at)
    }
}

fn sign(byte: Option<u8>) -> Option<i32> {
    match byte {
        Some(b'+') => Some(1),
        Some(b'-') => Some(-1),
        _ => None,
    }
}
