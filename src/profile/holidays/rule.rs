//! A rule that gives the days of one holiday, year by year.

use super::feasts;
use crate::profile::day;
use smallvec::SmallVec;

/// A month and a day of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MonthDay {
    pub month: u8,
    pub day: u8,
}

/// Which of the weekdays in a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nth {
    /// Counted from the beginning, from 1.
    Number(u8),
    Last,
}

/// A weekday of a month, such as the first Monday of May; Monday is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NthWeekday {
    pub nth: Nth,
    pub weekday: u8,
    pub month: u8,
}

/// How a rule finds its day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Day {
    Fixed(MonthDay),
    Weekday(NthWeekday),
    /// Days from Easter Sunday.
    Easter {
        offset: i16,
        julian: bool,
    },
    Islamic(MonthDay),
    Coptic(MonthDay),
    /// The nth such weekday strictly after or before a date.
    Beside {
        nth: u8,
        weekday: u8,
        after: bool,
        date: MonthDay,
    },
    /// The weekday on or after, or on or before, another.
    Near {
        weekday: u8,
        after: bool,
        base: NthWeekday,
    },
    /// The first such weekday in a range of dates.
    Within {
        weekday: u8,
        from: MonthDay,
        to: MonthDay,
    },
}

/// A holiday that falls on `on` is kept on the next or the previous `to` instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Move {
    pub on: u8,
    pub forward: bool,
    pub to: u8,
}

/// In which years between the first and the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Cycle {
    #[default]
    Every,
    Odd,
    Even,
    /// Every so many years, counted from the first.
    Years(u8),
}

/// One rule.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub day: Day,
    pub moves: SmallVec<[Move; 3]>,
    pub first: Option<i64>,
    pub last: Option<i64>,
    pub except: SmallVec<[i64; 2]>,
    pub cycle: Cycle,
    pub official: bool,
    /// How the rule is written.
    pub words: &'static str,
    pub name: &'static str,
}

impl Rule {
    /// The days that the rule gives for `year`; some rules move a day into the neighbouring year.
    pub fn days(&self, year: i64) -> SmallVec<[i64; 2]> {
        if !self.holds(year) {
            return SmallVec::new();
        }
        let mut days: SmallVec<[i64; 2]> = match self.day {
            Day::Fixed(date) => fixed(date, year).into_iter().collect(),
            Day::Weekday(weekday) => SmallVec::from_elem(nth_weekday(weekday, year), 1),
            Day::Easter { offset, julian } => {
                let easter = if julian || year <= 1583 {
                    feasts::julian_easter(year)
                } else {
                    feasts::easter(year)
                };
                SmallVec::from_elem(easter + i64::from(offset), 1)
            }
            Day::Islamic(date) => feasts::islamic(year, date.month, date.day).into(),
            Day::Coptic(date) => feasts::coptic(year, date.month, date.day).into(),
            Day::Beside {
                nth,
                weekday,
                after,
                date,
            } => {
                let step = if after { 1 } else { -1 };
                let weeks = i64::from(nth.max(1)) - 1;
                fixed(date, year)
                    .map(|day| nearest(day + step, weekday, after) + step * 7 * weeks)
                    .into_iter()
                    .collect()
            }
            Day::Near {
                weekday,
                after,
                base,
            } => SmallVec::from_elem(nearest(nth_weekday(base, year), weekday, after), 1),
            Day::Within { weekday, from, to } => match (fixed(from, year), fixed(to, year)) {
                (Some(from), Some(to)) => Some(nearest(from, weekday, true))
                    .filter(|day| *day <= to)
                    .into_iter()
                    .collect(),
                _ => SmallVec::new(),
            },
        };
        for day in &mut days {
            let on = day::weekday(*day);
            if let Some(shift) = self.moves.iter().find(|shift| shift.on == on) {
                *day = nearest(*day, shift.to, shift.forward);
            }
        }
        days
    }

    /// Whether the rule needs dates of the Islamic calendar in `year`.
    pub fn needs_islamic(&self, year: i64) -> bool {
        matches!(self.day, Day::Islamic(_)) && self.holds(year)
    }

    fn holds(&self, year: i64) -> bool {
        self.first.is_none_or(|first| first <= year)
            && self.last.is_none_or(|last| year <= last)
            && !self.except.contains(&year)
            && match self.cycle {
                Cycle::Every => true,
                Cycle::Odd => year.rem_euclid(2) == 1,
                Cycle::Even => year.rem_euclid(2) == 0,
                Cycle::Years(n) => self
                    .first
                    .is_none_or(|first| (year - first) % i64::from(n.max(1)) == 0),
            }
    }
}

/// A date of `year`; none for the 29th of February in a common year.
fn fixed(date: MonthDay, year: i64) -> Option<i64> {
    let found = day::number(year, date.month, date.day);
    (day::date(found).1 == i64::from(date.month)).then_some(found)
}

/// The weekday next to `day`, which may be `day` itself.
fn nearest(day: i64, weekday: u8, forward: bool) -> i64 {
    let gap = i64::from(weekday) - i64::from(day::weekday(day));
    if forward {
        day + gap.rem_euclid(7)
    } else {
        day - (-gap).rem_euclid(7)
    }
}

fn nth_weekday(found: NthWeekday, year: i64) -> i64 {
    match found.nth {
        Nth::Number(n) => {
            let first = nearest(day::number(year, found.month, 1), found.weekday, true);
            first + 7 * (i64::from(n.max(1)) - 1)
        }
        Nth::Last => {
            let next = match found.month {
                12 => day::number(year + 1, 1, 1),
                month => day::number(year, month + 1, 1),
            };
            nearest(next - 1, found.weekday, false)
        }
    }
}
