//! When things happen: the days of three offices, and moments spread over them in order.

use crate::random::Random;
use chrono::{DateTime, Datelike, NaiveDate, Weekday};

/// Milliseconds of a minute.
pub const MINUTE: i64 = 60_000;
/// Milliseconds of an hour.
pub const HOUR: i64 = 60 * MINUTE;
/// Milliseconds of a day.
pub const DAY: i64 = 24 * HOUR;

/// Whose rules of summer time a place follows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Zone {
    /// Central Europe
    Europe,
    /// The east of the United States
    America,
}

impl Zone {
    /// The local time of a moment, as milliseconds that read as if they were UTC.
    pub fn local(self, ms: i64) -> i64 {
        let year = DateTime::from_timestamp_millis(ms).map_or(1970, |at| at.year());
        let sunday = |month, nth| {
            NaiveDate::from_weekday_of_month_opt(year, month, Weekday::Sun, nth)
                .and_then(|date| date.and_hms_opt(0, 0, 0))
                .map(|at| at.and_utc().timestamp_millis())
        };
        let last = |month| sunday(month, 5).or_else(|| sunday(month, 4)).unwrap_or(0);
        let (winter, from, until) = match self {
            Zone::Europe => (1, last(3) + HOUR, last(10) + HOUR),
            Zone::America => (
                -5,
                sunday(3, 2).unwrap_or(0) + 7 * HOUR,
                sunday(11, 1).unwrap_or(0) + 6 * HOUR,
            ),
        };
        let summer = i64::from(from <= ms && ms < until);
        ms + (winter + summer) * HOUR
    }
}

/// The groups that events come from: the three offices, machines, and strangers from outside.
pub const CROWDS: usize = 5;
/// Machines that work day and night.
pub const MACHINES: usize = 3;
/// Strangers on the internet.
pub const STRANGERS: usize = 4;

/// How busy an office is in each local hour of a working day: screens are watched all day.
pub const WORK: [u32; 24] = [
    1, 1, 1, 1, 1, 3, 10, 40, 82, 100, 98, 90, 66, 84, 95, 92, 80, 52, 24, 14, 11, 8, 4, 2,
];
/// The same for logins: a peak in the morning, a small one after lunch.
pub const LOGIN: [u32; 24] = [
    1, 1, 1, 1, 1, 4, 18, 75, 100, 62, 34, 26, 24, 40, 30, 24, 18, 12, 9, 8, 6, 4, 3, 2,
];

/// What a kind of log sees: a profile of the day and the weight of each crowd at its busiest.
pub struct Rhythm {
    /// How busy each local hour is, 0 to 100.
    pub hours: &'static [u32; 24],
    /// The weight of each crowd.
    pub crowds: [u32; CROWDS],
}

impl Rhythm {
    fn at(&self, ms: i64) -> [u64; CROWDS] {
        let mut weights = [0; CROWDS];
        for (crowd, weight) in weights.iter_mut().enumerate() {
            let busy = match crowd {
                0 | 1 => self.office(Zone::Europe.local(ms)),
                2 => self.office(Zone::America.local(ms)),
                _ => 100 * 60,
            };
            *weight = u64::from(self.crowds[crowd]) * busy;
        }
        weights
    }

    fn office(&self, local: i64) -> u64 {
        let hour = local.div_euclid(HOUR).rem_euclid(24) as usize;
        let minute = local.div_euclid(MINUTE).rem_euclid(60) as u64;
        let (now, next) = (self.hours[hour], self.hours[(hour + 1) % 24]);
        let busy = u64::from(now) * (60 - minute) + u64::from(next) * minute;
        // Day 0 was a Thursday.
        match (local.div_euclid(DAY) + 3).rem_euclid(7) {
            5 | 6 => busy / 20,
            4 if hour >= 14 => busy * 3 / 5,
            _ => busy,
        }
    }
}

/// A stretch of five minutes with its share of the events.
struct Slot {
    end: u64,
    crowds: [u32; CROWDS],
}

/// Moments in order, as many as were ordered, denser where the company is awake.
pub struct Timeline {
    start: i64,
    end: i64,
    slots: Vec<Slot>,
    slot: usize,
    count: u64,
    given: u64,
    batch: Vec<u64>,
}

const SLOT: i64 = 5 * MINUTE;
/// How many moments are thrown at once: enough for them to fall as unevenly as real events do.
const BATCH: u64 = 64;

impl Timeline {
    /// Spreads `count` moments over the time from `start` to `end`.
    pub fn new(start: i64, end: i64, count: u64, rhythm: &Rhythm, random: &mut Random) -> Self {
        let mut total = 0;
        let mut slots = Vec::new();
        for at in (start..end).step_by(SLOT as usize) {
            let weights = rhythm.at(at);
            // No two quarters of an hour are alike: without noise the curve looks drawn with a ruler.
            let noise = u64::from(random.between(70, 130));
            let width = (end - at).min(SLOT) as u64;
            total += weights.iter().sum::<u64>() / 100 * noise * width / SLOT as u64;
            slots.push(Slot {
                end: total,
                crowds: weights.map(|weight| weight as u32),
            });
        }
        Self {
            start,
            end,
            slots,
            slot: 0,
            count,
            given: 0,
            batch: Vec::new(),
        }
    }

    /// Throws the next few moments onto their equal part of the whole, the latest first.
    fn throw(&mut self, random: &mut Random) {
        let total = self.slots.last().map_or(1, |slot| slot.end);
        let share =
            |events: u64| (u128::from(total) * u128::from(events) / u128::from(self.count)) as u64;
        let until = (self.given + BATCH).min(self.count);
        let (from, to) = (share(self.given), share(until));
        self.batch
            .extend((self.given..until).map(|_| from + random.next() % (to - from).max(1)));
        self.batch.sort_unstable_by(|one, other| other.cmp(one));
        self.given = until;
    }

    /// The next moment and the crowd that acts.
    #[inline]
    pub fn next(&mut self, random: &mut Random) -> Option<(i64, usize)> {
        if self.batch.is_empty() && self.given < self.count {
            self.throw(random);
        }
        let at = self.batch.pop()?;
        while self.slots.get(self.slot + 1).is_some() && self.slots[self.slot].end <= at {
            self.slot += 1;
        }
        let begun = self
            .slot
            .checked_sub(1)
            .map_or(0, |before| self.slots[before].end);
        let Slot { end, crowds } = &self.slots[self.slot];
        let start = self.start + self.slot as i64 * SLOT;
        let width = (self.end - start).min(SLOT) as u64;
        let ms = start + ((at - begun) * width / (end - begun).max(1)) as i64;

        let mut ticket = random.below(crowds.iter().sum());
        for (crowd, weight) in crowds.iter().enumerate() {
            if ticket < *weight {
                return Some((ms, crowd));
            }
            ticket -= weight;
        }
        Some((ms, MACHINES))
    }
}
