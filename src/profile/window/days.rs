//! The days of an include or exclude list.

use super::Setting;
use super::tree::{Argument, Day, Specifier};
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome, Span};
use crate::eval::java::date_format::{Locale, ParseContext, Pattern, Zone};
use crate::profile::day;
use crate::profile::holidays::{self, Edition, Place, YearDays};
use std::sync::LazyLock;

/// The days of a list, whatever the moment.
#[derive(Debug, Default)]
pub(super) struct Days {
    /// Whether the list has any specifier.
    pub any: bool,
    /// One bit for each day of the week, Monday first.
    pub weekdays: u8,
    /// Whether the weekday of now is among them.
    pub this_day: bool,
    pub dates: Vec<Date>,
    pub places: Vec<Place>,
    /// `holidays` without arguments: where the locale is at home.
    pub at_home: Option<Span>,
}

/// A date as it was written.
#[derive(Debug)]
pub(super) struct Date {
    text: String,
    /// None is the usual one.
    pattern: Option<Pattern>,
}

/// The pattern of dates that name none.
pub(super) const USUAL: &str = "yyyy/MM/dd";

static USUAL_PATTERN: LazyLock<Option<Pattern>> = LazyLock::new(|| Pattern::compile(USUAL).ok());

/// Saturday and Sunday.
pub(super) const WEEKEND: u8 = 0b110_0000;

/// All days of the week.
pub(super) const WEEK: u8 = 0b111_1111;

impl Days {
    pub fn compile(specifiers: &[Specifier]) -> Outcome<Days> {
        let mut days = Days {
            any: !specifiers.is_empty(),
            ..Days::default()
        };
        for specifier in specifiers {
            match specifier.day {
                Day::Weekday(n) => days.weekdays |= 1 << n,
                Day::Weekdays => days.weekdays |= WEEK & !WEEKEND,
                Day::Weekend => days.weekdays |= WEEKEND,
                Day::ThisDay => days.this_day = true,
                Day::Date => days.dates.push(Date::compile(specifier)?),
                Day::Holidays => match place(specifier)? {
                    Some(found) => days.places.push(found.place),
                    None => days.at_home = days.at_home.or(Some(specifier.span)),
                },
            }
        }
        days.places.sort_unstable();
        days.places.dedup();
        Ok(days)
    }

    /// The days at a moment. Errors: E0221 when `holidays` has no country.
    pub fn at(&self, setting: &Setting<'_>) -> Outcome<Asked> {
        let mut weekdays = self.weekdays;
        if self.this_day {
            weekdays |= 1 << day::weekday(day::local(setting.now, setting.zone));
        }
        let mut dates: Vec<i64> = self
            .dates
            .iter()
            .filter_map(|date| date.day(setting))
            .collect();
        dates.sort_unstable();
        let mut places = self.places.clone();
        if let Some(span) = self.at_home {
            places.push(home(setting.locale, span)?);
        }
        Ok(Asked {
            any: self.any,
            weekdays,
            dates,
            places,
            edition: setting.edition,
            year: None,
        })
    }
}

/// Where a specifier's holidays are; `None` leaves it to the locale. Errors: E0221 for an unknown country.
pub(super) fn place(specifier: &Specifier) -> Outcome<Option<holidays::Found>> {
    let Some(first) = specifier.arguments.first() else {
        return Ok(None);
    };
    let path: Vec<&str> = specifier
        .arguments
        .iter()
        .map(|a| a.text.as_str())
        .collect();
    match holidays::find(&path) {
        Some(found) => Ok(Some(found)),
        None => {
            let near = holidays::suggest_country(&first.text);
            let message = format!("there are no holidays of {}", named(first));
            Err(Diagnostic::at(Code::BadWindow, first.span, message)
                .labelled("unknown country")
                .did_you_mean(near.as_deref()))
        }
    }
}

fn named(argument: &Argument) -> &str {
    match argument.text.as_str() {
        "" => "an empty name",
        text => text,
    }
}

/// The place of the locale's country. Errors: E0221 without one, or when its holidays are not known.
pub(super) fn home(locale: &Locale, span: Span) -> Outcome<Place> {
    let Some((_, country)) = locale.tag().split_once('_') else {
        let message = "holidays needs a country, and the locale has none";
        return Err(Diagnostic::at(Code::BadWindow, span, message)
            .labelled("whose holidays?")
            .help("write the country, such as holidays:us, or choose a locale such as en_US"));
    };
    match holidays::find(&[country]) {
        Some(found) => Ok(found.place),
        None => Err(Diagnostic::at(
            Code::BadWindow,
            span,
            format!("there are no holidays of {country}, the country of the locale"),
        )
        .help("write a country, such as holidays:us")),
    }
}

impl Date {
    fn compile(specifier: &Specifier) -> Outcome<Date> {
        let Some(text) = specifier.arguments.first() else {
            return Err(
                Diagnostic::at(Code::BadWindow, specifier.span, "date lacks its date")
                    .help("write date:2017/12/25, or date:20171225:yyyyMMdd"),
            );
        };
        let pattern = match specifier.arguments.get(1) {
            Some(pattern) => Some(Pattern::compile(&pattern.text).map_err(|error| {
                Diagnostic::at(
                    Code::BadDatePattern,
                    pattern.span,
                    format!("the date pattern is malformed: {}", lower(&error.message)),
                )
            })?),
            None => None,
        };
        let empty = specifier
            .arguments
            .get(1)
            .is_some_and(|p| p.text.is_empty());
        let date = Date {
            text: text.text.clone(),
            pattern,
        };
        let zone = Zone::utc();
        let locale = Locale::default();
        // An empty pattern reads nothing, which is an error in the original.
        if empty || date.day(&Setting::new(0, &zone, &locale)).is_none() {
            let pattern = specifier
                .arguments
                .get(1)
                .map_or(USUAL, |pattern| pattern.text.as_str());
            return Err(unreadable(text, pattern));
        }
        Ok(date)
    }

    /// The local day that is meant.
    pub fn day(&self, setting: &Setting<'_>) -> Option<i64> {
        let pattern = match &self.pattern {
            Some(pattern) => pattern,
            None => USUAL_PATTERN.as_ref()?,
        };
        let reading = ParseContext {
            zone: setting.zone,
            default_zone: setting.zone,
            locale: setting.locale,
            lenient: true,
            now_millis: setting.now,
        };
        let millis = pattern.parse(&self.text, &reading)?;
        Some(day::local(millis, setting.zone))
    }

    /// How the day that is meant would be written.
    pub fn written(&self, setting: &Setting<'_>) -> Option<(String, i64)> {
        let pattern = match &self.pattern {
            Some(pattern) => pattern,
            None => USUAL_PATTERN.as_ref()?,
        };
        let found = self.day(setting)?;
        let noon = found.checked_mul(day::DAY)?.checked_add(day::DAY / 2)?;
        let text = pattern.format(noon, &Zone::utc(), setting.locale);
        Some((text, found))
    }
}

fn unreadable(text: &Argument, pattern: &str) -> Fault {
    let message = format!("{} is no date of the form {pattern}", named(text));
    Diagnostic::at(Code::BadWindow, text.span, message)
        .help("write date:2017/12/25, or give the form too: date:20171225:yyyyMMdd")
}

/// Java's messages begin with a capital.
fn lower(message: &str) -> String {
    let mut message = message.to_string();
    if let Some(first) = message.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    message
}

/// The days of a list at one moment, for asking.
pub(super) struct Asked {
    pub any: bool,
    pub weekdays: u8,
    /// In order.
    pub dates: Vec<i64>,
    pub places: Vec<Place>,
    edition: Edition,
    /// The holidays of all places in the year asked for last.
    year: Option<(i64, YearDays)>,
}

impl Asked {
    /// Whether a day is among them. Errors: E0204 when its Islamic date is not known.
    pub fn contains(&mut self, asked: i64) -> Outcome<bool> {
        if self.weekdays >> day::weekday(asked) & 1 == 1 || self.dates.binary_search(&asked).is_ok()
        {
            return Ok(true);
        }
        if self.places.is_empty() {
            return Ok(false);
        }
        if let Some((_, days)) = self.year.as_ref().filter(|(_, days)| days.holds(asked)) {
            return Ok(days.contains(asked));
        }
        let (year, _, _) = day::date(asked);
        let mut all = YearDays::default();
        for place in &self.places {
            let days = place.year(self.edition, year).map_err(|unknown| {
                Diagnostic::new(Code::ArgumentValue, format!("{}: {unknown}", place.title()))
            })?;
            all.join(&days);
        }
        let found = all.contains(asked);
        self.year = Some((year, all));
        Ok(found)
    }
}
