//! Holidays of countries, their subdivisions and some exchanges.
//!
//! The rules lie in `stdlib/holidays`: those that the original program came with (the recorded edition), and what
//! has changed since (with it, the current edition).

mod book;
mod feasts;
mod rule;
#[cfg(test)]
mod tests;

use crate::diagnostic::nearest;
use crate::profile::day;
use book::{Book, Section};
use parking_lot::RwLock;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock};

/// Which state of the world's holidays counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Edition {
    /// As jollyday 0.5.2 knew them, which Metron uses.
    #[default]
    Recorded,
    /// With what has changed since.
    Current,
}

impl Edition {
    /// The setting that chooses.
    pub const KEY: &str = "profiler.holidays.edition";

    /// All names.
    pub const NAMES: [&str; 2] = ["recorded", "current"];

    /// The edition of a name, in any case.
    pub fn parse(name: &str) -> Option<Edition> {
        let at = Edition::NAMES
            .iter()
            .position(|known| known.eq_ignore_ascii_case(name.trim()))?;
        Some([Edition::Recorded, Edition::Current][at])
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        Edition::NAMES[self as usize]
    }

    /// The other one.
    pub fn other(self) -> Edition {
        match self {
            Edition::Recorded => Edition::Current,
            Edition::Current => Edition::Recorded,
        }
    }

    fn book(self) -> &'static Book {
        match self {
            Edition::Recorded => &RECORDED,
            Edition::Current => &CURRENT,
        }
    }
}

const RECORDED_TEXT: &str = include_str!("../../../stdlib/holidays/recorded.txt");
const CURRENT_TEXT: &str = include_str!("../../../stdlib/holidays/current.txt");

static RECORDED: LazyLock<Book> = LazyLock::new(|| open(&[RECORDED_TEXT]));
static CURRENT: LazyLock<Book> = LazyLock::new(|| open(&[RECORDED_TEXT, CURRENT_TEXT]));

/// A line that cannot be read would end the book there; a test reads both to their ends.
fn open(texts: &[&'static str]) -> Book {
    let mut book = Book::default();
    for text in texts {
        if let Err(line) = book.read(text) {
            tracing::error!("rules of holidays: {line}");
        }
    }
    book
}

/// A country, subdivision or exchange that has rules. Both editions number them alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place(usize);

/// A holiday in a year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holiday {
    /// The day, in days since 1970.
    pub day: i64,
    /// Whether it is a public holiday by law.
    pub official: bool,
    /// Its English name; may be empty.
    pub name: &'static str,
}

/// The holidays of a place in one year, for asking day by day.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct YearDays {
    first: i64,
    bits: [u64; 6],
}

/// The Islamic calendar of this year is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownYear(pub i64);

impl std::fmt::Display for UnknownYear {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (first, last) = (feasts::ISLAMIC_YEARS.start(), feasts::ISLAMIC_YEARS.end());
        write!(
            f,
            "the dates of Islamic holidays are known from {first} to {last}, not for {}",
            self.0
        )
    }
}

impl YearDays {
    fn of(year: i64, holidays: &[Holiday]) -> YearDays {
        let first = day::number(year, 1, 1);
        let mut days = YearDays {
            first,
            bits: [0; 6],
        };
        for holiday in holidays {
            days.set(holiday.day);
        }
        days
    }

    /// A day of another year is passed over: it is asked for in that year.
    fn set(&mut self, day: i64) {
        if let Some((word, bit)) = self.place(day) {
            self.bits[word] |= bit;
        }
    }

    /// Whether a day of this year is a holiday.
    pub fn contains(&self, day: i64) -> bool {
        self.place(day)
            .is_some_and(|(word, bit)| self.bits[word] & bit != 0)
    }

    /// Whether a day lies in this year.
    pub fn holds(&self, day: i64) -> bool {
        self.place(day).is_some()
    }

    /// Adds the holidays of another place in the same year.
    pub fn join(&mut self, other: &YearDays) {
        self.first = other.first;
        for (mine, theirs) in self.bits.iter_mut().zip(other.bits) {
            *mine |= theirs;
        }
    }

    fn place(&self, day: i64) -> Option<(usize, u64)> {
        let offset = usize::try_from(day.checked_sub(self.first)?).ok()?;
        let leap = day::date(self.first + 365).0 == day::date(self.first).0;
        (offset < 365 + usize::from(leap)).then_some((offset / 64, 1 << (offset % 64)))
    }
}

/// What a path such as `us:ny` leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// The deepest place on the way.
    pub place: Place,
    /// How many parts of the path led there.
    pub used: usize,
}

/// Follows a path: a country by its code or name, then its parts, in any case. As in the original an unknown part
/// ends the way. `None` for an unknown country.
pub fn find(path: &[&str]) -> Option<Found> {
    let book = Edition::Recorded.book();
    let (country, parts) = path.split_first()?;
    let country = country.trim();
    let mut here = book.sections.iter().position(|section| {
        section.parent.is_none()
            && (section.path.eq_ignore_ascii_case(country)
                || !section.alias.is_empty() && section.alias.eq_ignore_ascii_case(country))
    })?;
    let mut used = 1;
    for part in parts {
        let Some(next) = child(book.sections.get(here)?, part) else {
            break;
        };
        here = next;
        used += 1;
    }
    Some(Found {
        place: Place(here),
        used,
    })
}

fn child(section: &Section, part: &str) -> Option<usize> {
    let mut children = section.children.iter();
    children
        .find(|(code, _)| code.eq_ignore_ascii_case(part))
        .map(|(_, number)| *number)
}

/// What people write for a country and the code that is meant.
const HABITS: [(&str, &str); 6] = [
    ("uk", "gb"),
    ("usa", "us"),
    ("england", "gb:en"),
    ("scotland", "gb:sc"),
    ("wales", "gb:wa"),
    ("el", "gr"),
];

/// The country that may be meant by an unknown one.
pub fn suggest_country(word: &str) -> Option<String> {
    let word = word.trim();
    let habit = HABITS.iter().find(|(w, _)| w.eq_ignore_ascii_case(word));
    if let Some((_, path)) = habit.filter(|(_, path)| find(&split(path)).is_some()) {
        return Some((*path).to_string());
    }
    let sections = &Edition::Recorded.book().sections;
    let countries: Vec<&Section> = sections.iter().filter(|s| s.parent.is_none()).collect();
    suggest(word, &countries).map(str::to_string)
}

fn split(path: &str) -> Vec<&str> {
    path.split(':').collect()
}

/// The code of the section whose code, title or other name is nearest.
fn suggest(word: &str, sections: &[&Section]) -> Option<&'static str> {
    let title = word.replace(['_', '-', '.'], " ");
    let titles = sections.iter().map(|section| section.title);
    let by_title = nearest(&title, titles).filter(|_| word.len() > 3);
    if let Some(found) = by_title {
        let mut named = sections.iter();
        return named.find(|s| s.title == found).map(|s| s.path);
    }
    let aliases = sections.iter().map(|section| section.alias);
    let by_alias = nearest(word, aliases.filter(|a| !a.is_empty())).filter(|_| word.len() > 3);
    if let Some(found) = by_alias {
        let mut named = sections.iter();
        return named.find(|s| s.alias == found).map(|s| s.path);
    }
    let codes = sections
        .iter()
        .map(|section| section.path.rsplit(':').next().unwrap_or(section.path));
    let found = nearest(word, codes)?;
    let mut coded = sections.iter();
    coded
        .find(|section| section.path.rsplit(':').next() == Some(found))
        .map(|section| section.path)
}

impl Place {
    fn section(self, edition: Edition) -> Option<&'static Section> {
        edition.book().sections.get(self.0)
    }

    /// Its path, such as `us:ny:nyc`.
    pub fn path(self) -> &'static str {
        self.section(Edition::Recorded).map_or("", |s| s.path)
    }

    /// Its name in English, with what it belongs to: `New York City, New York, United States`.
    pub fn title(self) -> String {
        let way = self.way(Edition::Recorded);
        let titles: Vec<&str> = way.iter().map(|section| section.title).collect();
        titles.join(", ")
    }

    /// The codes of its parts.
    pub fn parts(self) -> Vec<&'static str> {
        let section = self.section(Edition::Recorded);
        section.map_or_else(Vec::new, |section| {
            section.children.iter().map(|(code, _)| *code).collect()
        })
    }

    /// The path that may be meant by an unknown part of this place.
    pub fn suggest(self, part: &str) -> Option<&'static str> {
        let sections = &Edition::Recorded.book().sections;
        let prefix = format!("{}:", self.path());
        let below: Vec<&Section> = sections
            .iter()
            .filter(|section| section.path.starts_with(&prefix))
            .collect();
        let code = |section: &&&Section| {
            let last = section.path.rsplit(':').next().unwrap_or("");
            last.eq_ignore_ascii_case(part)
        };
        match below.iter().find(code) {
            Some(section) => Some(section.path),
            None => suggest(part, &below),
        }
    }

    /// The section and those above it.
    fn way(self, edition: Edition) -> Vec<&'static Section> {
        let mut way = Vec::new();
        let mut here = self.section(edition);
        while let Some(section) = here {
            way.push(section);
            here = section.parent.and_then(|p| Place(p).section(edition));
        }
        way
    }

    /// The holidays that the rules give for a year, in order, each day once; a few lie in the year before or after.
    pub fn holidays(self, edition: Edition, year: i64) -> Result<Vec<Holiday>, UnknownYear> {
        let mut found: BTreeMap<i64, Holiday> = BTreeMap::new();
        let mut bridge = None;
        let mut way = self.way(edition);
        way.reverse();
        for section in way {
            bridge = bridge.or(section.bridge);
            for rule in &section.rules {
                if rule.needs_islamic(year) && !feasts::ISLAMIC_YEARS.contains(&year) {
                    return Err(UnknownYear(year));
                }
                for day in rule.days(year) {
                    let holiday = found.entry(day).or_insert(Holiday {
                        day,
                        official: rule.official,
                        name: rule.name,
                    });
                    holiday.official |= rule.official;
                    if holiday.name.is_empty() {
                        holiday.name = rule.name;
                    }
                }
            }
        }
        if let Some(name) = bridge {
            let ends: Vec<i64> = found.keys().copied().collect();
            for day in ends
                .iter()
                .filter(|day| found.contains_key(&(*day + 2)))
                .map(|day| day + 1)
                .collect::<Vec<_>>()
            {
                let between = found.entry(day).or_insert(Holiday {
                    day,
                    official: true,
                    name,
                });
                between.official = true;
            }
        }
        Ok(found.into_values().collect())
    }

    /// The holidays of a year for asking day by day; remembered.
    pub fn year(self, edition: Edition, year: i64) -> Result<Arc<YearDays>, UnknownYear> {
        let key = (edition, self, year);
        if let Some(days) = YEARS.read().get(&key) {
            return Ok(days.clone());
        }
        let days = Arc::new(YearDays::of(year, &self.holidays(edition, year)?));
        let mut years = YEARS.write();
        if years.len() >= REMEMBERED {
            years.clear();
        }
        years.insert(key, days.clone());
        Ok(days)
    }
}

/// How many years of places are remembered; then all are forgotten.
const REMEMBERED: usize = 4096;

type Years = HashMap<(Edition, Place, i64), Arc<YearDays>, crate::eval::collections::Hashing>;

static YEARS: LazyLock<RwLock<Years>> = LazyLock::new(RwLock::default);
