//! The intervals that a window picks, and the periods in them.

use super::{Setting, Window};
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use crate::profile::day;
use crate::profile::period;

/// A stretch of time, both ends included, in milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    /// Where it begins.
    pub start: i64,
    /// Where it ends.
    pub end: i64,
}

impl Interval {
    /// The numbers of the periods that begin in it, first and last; none when the first is above the last.
    pub fn periods(self, duration: i64) -> (i64, i64) {
        let duration = duration.max(1);
        let before = self.start.checked_sub(1);
        let first = before.map_or(i64::MIN / duration, |before| {
            before.div_euclid(duration) + 1
        });
        (first, self.end.div_euclid(duration))
    }
}

impl Window {
    /// Goes through the windows from the older end forwards, those that are left out too, and says of each whether
    /// it is picked. Only windows that fit wholly count, and none from before 1970.
    pub(super) fn walk(
        &self,
        setting: &Setting<'_>,
        visit: &mut dyn FnMut(Interval, bool) -> Outcome<()>,
    ) -> Outcome<()> {
        let place = |fault: Fault| fault.in_source(&self.selector.source);
        let mut include = self.include.at(setting).map_err(place)?;
        let mut exclude = self.exclude.at(setting).map_err(place)?;
        let chosen = include.any || exclude.any;
        let (start, last) = self.bounds(setting.now);
        let mut left = start;
        while left >= 0 {
            let end = match left.checked_add(self.width) {
                Some(end) if end <= last => end,
                _ => break,
            };
            (setting.step)()?;
            let picked = !chosen || {
                let begins = day::local(left, setting.zone);
                (!include.any || include.contains(begins)?)
                    && !(exclude.any && exclude.contains(begins)?)
            };
            visit(Interval { start: left, end }, picked)?;
            left = match self.every.and_then(|every| left.checked_add(every)) {
                Some(next) => next,
                None => break,
            };
        }
        Ok(())
    }

    /// The intervals at a moment, the oldest first; they overlap where windows are wider than their distance.
    /// Errors: E0221 when `holidays` has no country, E0204, E0304 for too many, those of `step`.
    pub fn intervals(&self, setting: &Setting<'_>) -> Outcome<Vec<Interval>> {
        let mut intervals = Vec::new();
        self.walk(setting, &mut |interval, picked| {
            if picked {
                check(intervals.len(), setting)?;
                intervals.push(interval);
            }
            Ok(())
        })?;
        Ok(intervals)
    }

    /// The numbers of the periods of `duration` milliseconds that begin in an interval, each once, in order.
    /// Errors: as [`Window::intervals`]; E0204 when the span begins long before 1970, as in the original.
    pub fn periods(&self, setting: &Setting<'_>, duration: i64) -> Outcome<Vec<i64>> {
        let (start, end) = self.bounds(setting.now);
        if start < 0 {
            return before_1970(start, end, duration);
        }
        let mut periods = Vec::new();
        let mut next = i64::MIN;
        self.walk(setting, &mut |interval, picked| {
            if !picked {
                return Ok(());
            }
            let (first, last) = interval.periods(duration);
            for number in first.max(next)..=last {
                (setting.step)()?;
                check(periods.len(), setting)?;
                periods.push(number);
            }
            next = next.max(last.saturating_add(1));
            Ok(())
        })?;
        Ok(periods)
    }
}

/// The periods of a span that begins before 1970: there are no intervals, but the walk over the periods may fail.
fn before_1970(start: i64, end: i64, duration: i64) -> Outcome<Vec<i64>> {
    let first = start / duration.max(1);
    if first <= -2 && first.saturating_mul(duration) <= end {
        return Err(period::negative(first + 1));
    }
    Ok(Vec::new())
}

fn check(count: usize, setting: &Setting<'_>) -> Outcome<()> {
    if count < setting.most {
        return Ok(());
    }
    let message = format!("the selector picks more than {}", setting.most);
    Err(Diagnostic::new(Code::CollectionSize, message)
        .help("choose a shorter span or longer periods"))
}
