//! The axis of time: ticks where the clock of a zone shows round times.

use crate::eval::java::date_format::Zone;
use crate::eval::java::day::{self, DAY, WEEKDAYS};

/// A tick of the axis of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeTick {
    /// When, in milliseconds since 1970.
    pub at: i64,
    /// What stands there.
    pub label: String,
    /// Whether a day, month or year begins there.
    pub begins: bool,
}

/// From one tick to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Millis(i64),
    Months(i64),
}

impl Step {
    /// How many characters a label takes, with the room beside it.
    fn width(self) -> i128 {
        match self {
            Step::Millis(step) if step < MINUTE => 12,
            Step::Millis(step) if step < DAY => 11,
            Step::Millis(step) if step < 7 * DAY => 8,
            Step::Millis(_) => 9,
            Step::Months(step) if step % 12 == 0 => 7,
            Step::Months(_) => 11,
        }
    }
}

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

const STEPS: [i64; 30] = [
    1,
    2,
    5,
    10,
    20,
    50,
    100,
    200,
    500,
    SECOND,
    2 * SECOND,
    5 * SECOND,
    10 * SECOND,
    15 * SECOND,
    30 * SECOND,
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    2 * DAY,
    7 * DAY,
    14 * DAY,
];

const MONTHS: [i64; 13] = [
    1,
    3,
    6,
    12,
    24,
    60,
    120,
    12 * 20,
    12 * 50,
    12 * 100,
    12 * 1_000,
    12 * 10_000,
    12 * 1_000_000,
];

/// The length of a month, about.
const MONTH: i64 = 30 * DAY;

const NAMES: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// As many ticks from `start` to `end` as their labels have room for, in characters. An hour that the clocks show twice gets two ticks, one that
/// they skip none; a day whose midnight is skipped begins when the clocks have changed.
pub fn ticks(start: i64, end: i64, room: usize, zone: &Zone) -> Vec<TimeTick> {
    let span = i128::from(end) - i128::from(start);
    let fits = |step: &Step| {
        let length = match step {
            Step::Millis(step) => *step,
            Step::Months(months) => months * MONTH,
        };
        span * step.width() <= i128::from(length) * room.max(1) as i128
    };
    let all = STEPS
        .map(Step::Millis)
        .into_iter()
        .chain(MONTHS.map(Step::Months));
    let step = all
        .into_iter()
        .find(fits)
        .unwrap_or(Step::Months(12 * 1_000_000));
    let (first, last) = (day::wall(start, zone), day::wall(end, zone));
    let mut ticks: Vec<TimeTick> = Vec::new();
    // What the clocks show may go back between the ends.
    let slack = if step == Step::Millis(DAY) {
        DAY
    } else {
        2 * HOUR
    };
    let mut wall = round(first.saturating_sub(slack), step);
    while wall <= last.saturating_add(slack) {
        for at in instants(wall, zone, step) {
            if (start..=end).contains(&at) {
                let label = label(wall, step);
                let begins = wall.rem_euclid(DAY) == 0;
                ticks.push(TimeTick { at, label, begins });
            }
        }
        wall = match next(wall, step) {
            Some(next) => next,
            None => break,
        };
    }
    ticks.sort_by_key(|tick| tick.at);
    ticks.dedup_by_key(|tick| tick.at);
    ticks
}

/// The last round time not after `wall`.
fn round(wall: i64, step: Step) -> i64 {
    match step {
        Step::Millis(step) => {
            // Weeks begin on Mondays.
            let shift = if step % (7 * DAY) == 0 { 3 * DAY } else { 0 };
            let number = wall.saturating_add(shift).div_euclid(step);
            number.saturating_mul(step).saturating_sub(shift)
        }
        Step::Months(step) => {
            let (year, month, _) = day::date(wall.div_euclid(DAY));
            first_of((year * 12 + month - 1).div_euclid(step) * step)
        }
    }
}

fn next(wall: i64, step: Step) -> Option<i64> {
    match step {
        Step::Millis(step) => wall.checked_add(step),
        Step::Months(step) => {
            let (year, month, _) = day::date(wall.div_euclid(DAY));
            let next = first_of(year * 12 + month - 1 + step);
            (next > wall).then_some(next)
        }
    }
}

/// The beginning of a month, counted from the year 0.
fn first_of(month: i64) -> i64 {
    let number = day::number(month.div_euclid(12), month.rem_euclid(12) as u8 + 1, 1);
    number.saturating_mul(DAY)
}

/// When the clocks show a time.
fn instants(wall: i64, zone: &Zone, step: Step) -> Vec<i64> {
    let ahead = |at: i64| i64::from(zone.offset_millis(at));
    // Zones change their offset less than once in two days, so it is one of these two.
    let offsets = [wall.saturating_sub(DAY), wall.saturating_add(DAY)].map(ahead);
    let mut found: Vec<i64> = Vec::new();
    for offset in offsets {
        let at = wall.saturating_sub(offset);
        if ahead(at) == offset && !found.contains(&at) {
            found.push(at);
        }
    }
    let fine = matches!(step, Step::Millis(step) if step <= HOUR);
    match (found.is_empty(), fine) {
        (true, true) => {}
        // By the offset before the change this is the first moment after it, or near it.
        (true, false) => found.push(wall.saturating_sub(offsets[0])),
        (false, true) => {}
        (false, false) => {
            found.sort_unstable();
            found.truncate(1);
        }
    }
    found
}

/// What stands at a tick.
fn label(wall: i64, step: Step) -> String {
    let number = wall.div_euclid(DAY);
    let (year, month, date) = day::date(number);
    let name = usize::try_from(month - 1)
        .ok()
        .and_then(|month| NAMES.get(month));
    let name = name.copied().unwrap_or("");
    let rest = wall.rem_euclid(DAY);
    let (hour, minute, second) = (rest / HOUR, rest / MINUTE % 60, rest / SECOND % 60);
    match step {
        Step::Months(step) if step % 12 == 0 => format!("{year}"),
        Step::Months(_) => format!("{name} {year}"),
        Step::Millis(step) if step < SECOND => {
            format!("{minute:02}:{second:02}.{:03}", rest % SECOND)
        }
        Step::Millis(step) if step < MINUTE => format!("{hour:02}:{minute:02}:{second:02}"),
        Step::Millis(step) if step < DAY && rest != 0 => format!("{hour:02}:{minute:02}"),
        Step::Millis(step) if step >= 7 * DAY => format!("{date} {name}"),
        Step::Millis(step) => {
            let weekday = WEEKDAYS.get(usize::from(day::weekday(number)));
            let weekday = weekday.and_then(|name| name.get(..3)).unwrap_or("");
            match step < DAY {
                true => format!("{weekday} {date} {name}"),
                false => format!("{weekday} {date}"),
            }
        }
    }
}
