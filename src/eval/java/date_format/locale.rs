//! Locales: a tag, the week rule of its country and its names.

use super::names::{Names, names_of};

/// How weeks are counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct WeekRule {
    /// First day of the week, Sunday is 1.
    pub first_day: u8,
    /// Days of the new year (or month) that its first week must have.
    pub minimal_days: u8,
}

/// Countries whose weeks start on Monday and whose first week has four days.
const MONDAY_FOUR: &str = "AD AN AT AX BE BG CH CZ DE DK EE ES FI FJ FO FR GB GF GG GI GP GR HU IE \
    IM IS IT JE LI LT LU MC MQ NL NO PL RE RU SE SJ SK SM VA";

/// Countries whose weeks start on Sunday.
const SUNDAY_ONE: &str = "AG AS AU BD BR BS BT BW BZ CA CN CO DM DO ET GT GU HK HN ID IL IN JM JP \
    KE KH KR LA MH MM MO MT MX MZ NI NP PA PE PH PK PR PY SA SG SV TH TT TW UM US VE VI WS YE ZA \
    ZW";

/// Countries whose weeks start on Saturday.
const SATURDAY_ONE: &str = "AE AF BH DJ DZ EG IQ IR JO KW LY OM QA SD SY";

fn week_rule_of(region: &str) -> WeekRule {
    let listed = |countries: &str| countries.split(' ').any(|country| country == region);
    let (first_day, minimal_days) = match region {
        // Without a country Java's root locale counts.
        "" => (1, 1),
        "PT" => (1, 4),
        "MV" => (6, 1),
        _ if listed(MONDAY_FOUR) => (2, 4),
        _ if listed(SUNDAY_ONE) => (1, 1),
        _ if listed(SATURDAY_ONE) => (7, 1),
        _ => (2, 1),
    };
    WeekRule {
        first_day,
        minimal_days,
    }
}

/// A locale: the week rule of its country and the names of months and days.
///
/// Week rules are those of every country Java 17 knows.  Names are known for
/// English locales only: **other languages fall back to the English names of
/// the United States**, and numbers are always written in ASCII digits in the
/// Gregorian calendar.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Locale {
    tag: String,
    rule: WeekRule,
    names: &'static Names,
}

impl Locale {
    /// Reads a tag such as `en_US`, `de-DE`, `zh-Hans-CN` or `C.UTF-8`
    /// (scripts and extensions are dropped).  `None` when it does not start
    /// with a language.
    pub fn parse(tag: &str) -> Option<Locale> {
        let bare = tag.split(['.', '@']).next().unwrap_or("");
        let mut parts = bare.split(['_', '-']);
        let language = parts.next()?.to_ascii_lowercase();
        if language == "c" || language == "posix" {
            return Some(Locale::of("en", ""));
        }
        let alphabetic = language.bytes().all(|b| b.is_ascii_alphabetic());
        if !alphabetic || !(2..=8).contains(&language.len()) {
            return None;
        }
        let is_region = |part: &&str| match part.len() {
            2 => part.bytes().all(|b| b.is_ascii_alphabetic()),
            3 => part.bytes().all(|b| b.is_ascii_digit()),
            _ => false,
        };
        // A region is the second part, or the third after a script.
        let region = match parts.next() {
            Some(script) if script.len() == 4 => parts.next().filter(is_region),
            second => second.filter(is_region),
        };
        Some(Locale::of(
            &language,
            &region.unwrap_or("").to_ascii_uppercase(),
        ))
    }

    /// English of the United States, the usual default.
    pub fn en_us() -> Locale {
        Locale::of("en", "US")
    }

    fn of(language: &str, region: &str) -> Locale {
        let tag = if region.is_empty() {
            language.to_string()
        } else {
            format!("{language}_{region}")
        };
        Locale {
            tag,
            rule: week_rule_of(region),
            names: names_of(language, region),
        }
    }

    /// Language and country, such as `en_US`.
    pub fn tag(&self) -> &str {
        &self.tag
    }

    /// First day of the week, Sunday is 1.
    pub fn first_day_of_week(&self) -> i32 {
        i32::from(self.rule.first_day)
    }

    /// Days that the first week of a year must have in it.
    pub fn minimal_days_in_first_week(&self) -> i32 {
        i32::from(self.rule.minimal_days)
    }

    pub(super) fn week_rule(&self) -> WeekRule {
        self.rule
    }

    pub(super) fn names(&self) -> &'static Names {
        self.names
    }
}

impl Default for Locale {
    fn default() -> Locale {
        Locale::en_us()
    }
}
