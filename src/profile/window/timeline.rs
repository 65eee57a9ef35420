//! A time line drawn in text.

use super::pick::Interval;
use crate::eval::java::date_format::Zone;
use crate::profile::day;

/// A stretch of time cut into cells, one a character.
pub(super) struct TimeLine {
    start: i64,
    end: i64,
    cells: Vec<u8>,
}

/// A picked window lies in the cell.
const PICKED: u8 = 1;
/// A window that is left out lies in it.
const LEFT_OUT: u8 = 2;

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

/// From one tick to the next.
const STEPS: [i64; 24] = [
    SECOND,
    5 * SECOND,
    15 * SECOND,
    30 * SECOND,
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    day::DAY,
    2 * day::DAY,
    7 * day::DAY,
    14 * day::DAY,
    28 * day::DAY,
    91 * day::DAY,
    182 * day::DAY,
    364 * day::DAY,
    3_640 * day::DAY,
    36_400 * day::DAY,
];

impl TimeLine {
    /// A line from `start` to `end` of so many characters.
    pub fn new(start: i64, end: i64, width: usize) -> TimeLine {
        TimeLine {
            start,
            end: end.max(start),
            cells: vec![0; width.max(1)],
        }
    }

    fn cell(&self, at: i64) -> usize {
        let span = (i128::from(self.end) - i128::from(self.start)).max(1);
        let count = self.cells.len();
        let cell = (i128::from(at) - i128::from(self.start)) * count as i128 / span;
        usize::try_from(cell.max(0)).map_or(count - 1, |cell| cell.min(count - 1))
    }

    /// The instant at which a cell begins.
    fn begins(&self, cell: usize) -> i64 {
        let span = i128::from(self.end) - i128::from(self.start);
        let at = i128::from(self.start) + span * cell as i128 / self.cells.len() as i128;
        i64::try_from(at).unwrap_or(self.end)
    }

    /// Draws a window.
    pub fn mark(&mut self, interval: Interval, picked: bool) {
        let first = self.cell(interval.start);
        let last = self.cell(interval.end.saturating_sub(1)).max(first);
        let flag = if picked { PICKED } else { LEFT_OUT };
        for cell in self.cells.iter_mut().take(last + 1).skip(first) {
            *cell |= flag;
        }
    }

    /// The lines: labels, ticks, the windows, and a mark under each change of clocks.
    pub fn draw(&self, zone: &Zone, changes: &[i64]) -> Vec<String> {
        let (labels, ticks) = self.axis(zone);
        let cells = self.cells.iter().map(|cell| match *cell {
            PICKED => '#',
            LEFT_OUT => '-',
            0 => '.',
            _ => '+',
        });
        let mut lines = vec![labels, ticks, cells.collect()];
        if !changes.is_empty() {
            let mut marks = vec![' '; self.cells.len()];
            for change in changes {
                if let Some(mark) = marks.get_mut(self.cell(*change)) {
                    *mark = '^';
                }
            }
            lines.push(marks.into_iter().collect());
        }
        let trimmed = lines.iter().map(|line| line.trim_end().to_string());
        trimmed.filter(|line| !line.is_empty()).collect()
    }

    fn axis(&self, zone: &Zone) -> (String, String) {
        let count = self.cells.len();
        let span = i128::from(self.end) - i128::from(self.start);
        let fits = |step: &&i64| {
            let room = label(0, **step).len() as i128 + 2;
            i128::from(**step) * count as i128 >= room * span
        };
        let mut labels = vec![' '; count];
        let mut ticks = vec![' '; count];
        let Some(&step) = STEPS.iter().find(fits) else {
            return (String::new(), String::new());
        };
        // Weeks begin on Mondays.
        let shift = if step % (7 * day::DAY) == 0 {
            3 * day::DAY
        } else {
            0
        };
        let number = |at: i64| day::wall(at, zone).saturating_add(shift).div_euclid(step);
        let mut before = number(self.start.saturating_sub(1));
        let mut free = 0;
        for cell in 0..count {
            let here = number(self.begins(cell));
            if here == before {
                continue;
            }
            before = here;
            let text = label(here.saturating_mul(step).saturating_sub(shift), step);
            if cell < free || cell + text.len() > count {
                continue;
            }
            free = cell + text.len() + 1;
            ticks[cell] = '|';
            for (place, character) in labels[cell..].iter_mut().zip(text.chars()) {
                *place = character;
            }
        }
        (labels.into_iter().collect(), ticks.into_iter().collect())
    }
}

/// What stands at a tick.
fn label(wall: i64, step: i64) -> String {
    let (year, month, date) = day::date(wall.div_euclid(day::DAY));
    let clock = wall.rem_euclid(day::DAY);
    let (hour, minute, second) = (clock / HOUR, clock / MINUTE % 60, clock / SECOND % 60);
    if step < MINUTE {
        format!("{hour:02}:{minute:02}:{second:02}")
    } else if step < day::DAY {
        format!("{hour:02}:{minute:02}")
    } else if step < 91 * day::DAY {
        format!("{month:02}-{date:02}")
    } else {
        format!("{year:04}-{month:02}-{date:02}")
    }
}
