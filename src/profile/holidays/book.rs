//! Reads the rules from the two files below `stdlib/holidays`. Their form is described at the head of the first.

use super::rule::{Cycle, Day, MonthDay, Move, Nth, NthWeekday, Rule};
use smallvec::SmallVec;
use std::collections::HashMap;

/// The rules of one country, subdivision or exchange.
#[derive(Debug)]
pub(super) struct Section {
    pub path: &'static str,
    pub title: &'static str,
    /// Another name of a country, such as `UNITED_STATES`; may be empty.
    pub alias: &'static str,
    pub parent: Option<usize>,
    /// What lies below, by its part of the path; in the order of the file.
    pub children: Vec<(&'static str, usize)>,
    pub rules: Vec<Rule>,
    /// The name of a day between two holidays, where that is a holiday itself.
    pub bridge: Option<&'static str>,
}

/// All sections of an edition.
#[derive(Debug, Default)]
pub(super) struct Book {
    pub sections: Vec<Section>,
    by_path: HashMap<&'static str, usize>,
}

impl Book {
    /// Adds a file. The error names the line.
    pub fn read(&mut self, text: &'static str) -> Result<(), String> {
        let mut here = None;
        for (index, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or("").trim();
            if line.is_empty() {
                continue;
            }
            let read = match line.strip_prefix('[') {
                Some(heading) => self.heading(heading).map(|section| here = section),
                None => self.line(here, line),
            };
            read.ok_or_else(|| format!("line {}: {line}", index + 1))?;
        }
        Ok(())
    }

    /// The section of a path.
    pub fn section(&self, path: &str) -> Option<usize> {
        self.by_path.get(path).copied()
    }

    /// `us:ny] New York`, `us] United States = UNITED_STATES` or `us:nyc] -> us:ny:nyc`; the number of the section,
    /// unless it is a mere reference.
    fn heading(&mut self, heading: &'static str) -> Option<Option<usize>> {
        let (path, rest) = heading.split_once(']')?;
        let parent = match path.rsplit_once(':') {
            Some((above, part)) => Some((self.section(above)?, part)),
            None => None,
        };
        if let Some(target) = rest.trim().strip_prefix("->") {
            let target = self.section(target.trim())?;
            let (above, part) = parent?;
            self.sections.get_mut(above)?.children.push((part, target));
            return Some(None);
        }
        if let Some(known) = self.section(path) {
            return Some(Some(known));
        }
        let (title, alias) = rest.split_once('=').unwrap_or((rest, ""));
        let number = self.sections.len();
        self.sections.push(Section {
            path,
            title: title.trim(),
            alias: alias.trim(),
            parent: parent.map(|(above, _)| above),
            children: Vec::new(),
            rules: Vec::new(),
            bridge: None,
        });
        self.by_path.insert(path, number);
        if let Some((above, part)) = parent {
            self.sections.get_mut(above)?.children.push((part, number));
        }
        Some(Some(number))
    }

    fn line(&mut self, here: Option<usize>, line: &'static str) -> Option<()> {
        let section = self.sections.get_mut(here?)?;
        let (words, name) = line.split_once(';').unwrap_or((line, ""));
        let (words, name) = (words.trim(), name.trim());
        let parts: SmallVec<[&str; 8]> = words.split_ascii_whitespace().collect();
        match parts.as_slice() {
            ["bridges"] => section.bridge = Some(name),
            ["until", year] => {
                let year: i64 = year.parse().ok()?;
                for rule in named(section, name)? {
                    rule.last = Some(rule.last.map_or(year, |last| last.min(year)));
                }
            }
            ["except", years @ ..] => {
                for year in years {
                    let year = year.parse().ok()?;
                    for rule in named(section, name)? {
                        rule.except.push(year);
                    }
                }
            }
            parts => section.rules.push(rule(parts, words, name)?),
        }
        Some(())
    }
}

/// The rules of a name, or of a day as it is written; none is an error of the file.
fn named<'a>(
    section: &'a mut Section,
    name: &'static str,
) -> Option<impl Iterator<Item = &'a mut Rule>> {
    let meant = move |rule: &Rule| rule.name == name || rule.words.starts_with(name);
    let any = section.rules.iter().any(meant);
    any.then(|| section.rules.iter_mut().filter(move |rule| meant(rule)))
}

fn rule(parts: &[&str], words: &'static str, name: &'static str) -> Option<Rule> {
    let (day, rest) = day(parts)?;
    let mut rule = Rule {
        day,
        moves: SmallVec::new(),
        first: None,
        last: None,
        except: SmallVec::new(),
        cycle: Cycle::Every,
        official: true,
        words,
        name,
    };
    for word in rest {
        match *word {
            "unofficial" => rule.official = false,
            "odd" => rule.cycle = Cycle::Odd,
            "even" => rule.cycle = Cycle::Even,
            word => {
                if let Some(years) = word.strip_prefix('/') {
                    rule.cycle = Cycle::Years(years.parse().ok()?);
                } else if let Some((first, last)) = word.split_once("..") {
                    rule.first = optional(first)?;
                    rule.last = optional(last)?;
                } else if let Ok(year) = word.parse() {
                    (rule.first, rule.last) = (Some(year), Some(year));
                } else {
                    let (on, to) = word.split_once(['>', '<'])?;
                    rule.moves.push(Move {
                        on: weekday(on)?,
                        forward: word.contains('>'),
                        to: weekday(to)?,
                    });
                }
            }
        }
    }
    Some(rule)
}

/// The day at the start of a rule, and the words behind it.
fn day<'a, 'b>(parts: &'a [&'b str]) -> Option<(Day, &'a [&'b str])> {
    Some(match parts {
        ["islamic", date, rest @ ..] => (Day::Islamic(month_day(date)?), rest),
        ["coptic", date, rest @ ..] => (Day::Coptic(month_day(date)?), rest),
        [nth, on, side @ ("after" | "before"), date, rest @ ..] => (
            Day::Beside {
                nth: ordinal(nth)?,
                weekday: weekday(on)?,
                after: *side == "after",
                date: month_day(date)?,
            },
            rest,
        ),
        [on, side @ ("after" | "before"), date, rest @ ..] => (
            Day::Beside {
                nth: 1,
                weekday: weekday(on)?,
                after: *side == "after",
                date: month_day(date)?,
            },
            rest,
        ),
        [on, side @ ("from" | "upto"), nth, base, month, rest @ ..] => (
            Day::Near {
                weekday: weekday(on)?,
                after: *side == "from",
                base: nth_weekday(nth, base, month)?,
            },
            rest,
        ),
        [nth, on, month, rest @ ..] if weekday(on).is_some() => {
            (Day::Weekday(nth_weekday(nth, on, month)?), rest)
        }
        [on, range, rest @ ..] if weekday(on).is_some() => {
            let (from, to) = range.split_once("..")?;
            let day = Day::Within {
                weekday: weekday(on)?,
                from: month_day(from)?,
                to: month_day(to)?,
            };
            (day, rest)
        }
        [feast, rest @ ..] if feast.starts_with(['e', 'j']) => {
            let julian = feast.starts_with('j');
            let offset = feast
                .strip_prefix("easter")
                .or_else(|| feast.strip_prefix("julian"))?;
            let offset = match offset {
                "" => 0,
                offset => offset.parse().ok()?,
            };
            (Day::Easter { offset, julian }, rest)
        }
        [date, rest @ ..] => (Day::Fixed(month_day(date)?), rest),
        [] => return None,
    })
}

fn optional(year: &str) -> Option<Option<i64>> {
    match year {
        "" => Some(None),
        year => year.parse().ok().map(Some),
    }
}

fn nth_weekday(nth: &str, on: &str, month: &str) -> Option<NthWeekday> {
    Some(NthWeekday {
        nth: match nth {
            "last" => Nth::Last,
            nth => Nth::Number(ordinal(nth)?),
        },
        weekday: weekday(on)?,
        month: month
            .parse()
            .ok()
            .filter(|month| (1..=12).contains(month))?,
    })
}

fn ordinal(word: &str) -> Option<u8> {
    let place = ["1st", "2nd", "3rd", "4th"].iter().position(|w| *w == word);
    place.map(|at| at as u8 + 1)
}

fn weekday(word: &str) -> Option<u8> {
    let names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    names.iter().position(|n| *n == word).map(|at| at as u8)
}

fn month_day(word: &str) -> Option<MonthDay> {
    let (month, day) = word.split_once('-')?;
    let (month, day) = (month.parse().ok()?, day.parse().ok()?);
    ((1..=13).contains(&month) && (1..=31).contains(&day)).then_some(MonthDay { month, day })
}
