//! What is usual: the median of the same weekday and hour in earlier weeks, and how far values lie from it.

use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::eval::java::date_format::Zone;
use crate::profile::day;
use ahash::AHashMap;
use std::ops::Range;

/// What is expected of a value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Band {
    /// The least value that is usual.
    pub low: f64,
    /// The median.
    pub median: f64,
    /// The largest value that is usual.
    pub high: f64,
}

impl Band {
    /// Whether a value is not usual.
    pub fn leaves_out(&self, value: f64) -> bool {
        value < self.low || value > self.high
    }
}

/// How many earlier weeks count.
pub const WEEKS: i64 = 8;

/// In how many of them there must have been a measurement: of fewer nobody can tell what is usual.
pub const LEAST_WEEKS: usize = 3;

/// The usual width, at which OUTLIER_MAD_SCORE calls a value an outlier (Iglewicz and Hoaglin, How to Detect and
/// Handle Outliers, 1993).
pub const WIDTH: f64 = 3.5;

/// The width, if it can be one. Errors: E0204.
pub fn checked(width: f64) -> Outcome<f64> {
    match width.is_finite() && width > 0.0 {
        true => Ok(width),
        false => {
            let message = format!("a band cannot be {width} deviations wide");
            Err(Diagnostic::new(Code::ArgumentValue, message).help("3.5 is usual"))
        }
    }
}

/// By this the median absolute deviation of normally distributed values becomes their standard deviation.
const NORMAL: f64 = 1.482_602_218_505_602;

const HOUR: i64 = 3_600_000;
const WEEK: i64 = 7 * 24;

/// What was measured, by the hours that the clocks of a zone showed.
pub struct History {
    values: Vec<f64>,
    hours: AHashMap<i64, Range<usize>>,
    width: f64,
    /// What no value is below; infinite where there is no such end.
    floor: f64,
    /// The least deviation that can be told apart from none.
    finest: f64,
    known: AHashMap<i64, Option<Band>>,
}

impl History {
    /// Values with the moments at which their periods began. Bands reach `width` times the median absolute deviation
    /// to both sides, but not below zero where no value is negative.
    pub fn new(measured: impl Iterator<Item = (i64, f64)>, zone: &Zone, width: f64) -> History {
        let mut all: Vec<(i64, f64)> = measured
            .filter(|(_, value)| value.is_finite())
            .map(|(at, value)| (hour(at, zone), value))
            .collect();
        all.sort_by_key(|(hour, _)| *hour);
        let mut hours = AHashMap::new();
        let mut begin = 0;
        for run in all.chunk_by(|a, b| a.0 == b.0) {
            if let Some((hour, _)) = run.first() {
                hours.insert(*hour, begin..begin + run.len());
            }
            begin += run.len();
        }
        let floor = match all.iter().any(|(_, value)| *value < 0.0) {
            true => f64::NEG_INFINITY,
            false => 0.0,
        };
        // Whole numbers are as if rounded: they may be off by a half.
        let whole = all.iter().all(|(_, value)| *value == value.trunc());
        History {
            finest: if whole { 0.5 } else { 0.0 },
            values: all.into_iter().map(|(_, value)| value).collect(),
            hours,
            width,
            floor,
            known: AHashMap::new(),
        }
    }

    /// What is expected in a period that begins at `at`; `None` where too few earlier weeks were measured.
    pub fn expected(&mut self, at: i64, zone: &Zone) -> Option<Band> {
        let hour = hour(at, zone);
        if let Some(known) = self.known.get(&hour) {
            return *known;
        }
        let band = self.band(hour);
        self.known.insert(hour, band);
        band
    }

    fn band(&self, hour: i64) -> Option<Band> {
        let mut values = self.earlier(hour, LEAST_WEEKS)?;
        let median = median(&mut values);
        let mut deviations = deviations(&values, median);
        let own = self::median(&mut deviations);
        // Of a few values the deviation is often nought by chance; that of the hours beside tells what is usual.
        for beside in [hour - 1, hour + 1] {
            if let Some(mut values) = self.earlier(beside, 1) {
                let median = self::median(&mut values);
                deviations.extend(self::deviations(&values, median));
            }
        }
        let deviation = self::median(&mut deviations).max(own).max(self.finest);
        let reach = self.width * NORMAL * deviation;
        let end = |end: f64| end.clamp(f64::MIN, f64::MAX);
        Some(Band {
            low: end((median - reach).max(self.floor)),
            median,
            high: end(median + reach),
        })
    }

    /// The values of an hour in earlier weeks, if at least so many of these have some.
    fn earlier(&self, hour: i64, least: usize) -> Option<Vec<f64>> {
        let weeks = (1..=WEEKS).filter_map(|week| self.hours.get(&(hour - week * WEEK)));
        let weeks: Vec<&[f64]> = weeks
            .filter_map(|range| self.values.get(range.clone()))
            .collect();
        (weeks.len() >= least).then(|| weeks.concat())
    }
}

fn deviations(values: &[f64], median: f64) -> Vec<f64> {
    values.iter().map(|value| (value - median).abs()).collect()
}

/// The hour that the clocks show, counted from 1970.
fn hour(at: i64, zone: &Zone) -> i64 {
    day::wall(at, zone).div_euclid(HOUR)
}

/// The median; of an even number of values the middle between both. 0 of none.
pub fn median(values: &mut [f64]) -> f64 {
    let middle = values.len() / 2;
    if values.is_empty() {
        return 0.0;
    }
    let even = values.len().is_multiple_of(2);
    let (below, upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    let upper = *upper;
    match below.iter().copied().max_by(f64::total_cmp) {
        // Halves, for the sum may be more than a double holds.
        Some(lower) if even => lower / 2.0 + upper / 2.0,
        _ => upper,
    }
}
