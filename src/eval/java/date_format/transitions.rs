//! Offset changes of a named zone, in the form and within the limits Java
//! keeps them: nothing before 1900, standard time and daylight saving apart.

use super::calendar::{DAY_MS, Style, civil, day_of_week, first_of_month, on_or_before};
use chrono::{DateTime, Offset as _, TimeZone};
use chrono_tz::{OffsetComponents, Tz};

/// Offset from UTC in two parts, in milliseconds.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Offset {
    pub standard: i32,
    pub daylight: i32,
}

impl Offset {
    pub(super) fn total(self) -> i32 {
        self.standard.saturating_add(self.daylight)
    }
}

/// The first and the last year with a table; later years repeat a cycle.
const FIRST_YEAR: i64 = 1900;
const CYCLE_YEAR: i64 = 2038;
const LAST_YEAR: i64 = 2065;

/// The end of 2037, in seconds since 1970 UTC.
const LAST_FORETOLD: i64 = 2_145_916_799;

/// The start of the year 292278994.
const LAST_LONG_YEAR: i64 = 9_223_372_017_129_600_000;

/// A change of offset.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Change {
    /// When, in milliseconds since 1970 UTC.
    at: i64,
    /// The same by the wall clock after the change.
    wall: i64,
    offset: Offset,
}

/// All the changes of a zone.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Transitions {
    /// Offset before the first change: today's standard time, as in Java.
    raw: Offset,
    changes: Vec<Change>,
    /// First instant after the table.
    end: i64,
}

impl Transitions {
    /// Changes of a zone of the time zone database.
    pub(super) fn of_tz(tz: Tz) -> Transitions {
        let start = year_start(FIRST_YEAR);
        let end = year_start(LAST_YEAR + 1);
        let mut offset = tz_offset(tz, start);
        let mut changes = vec![change(start, offset)];
        let mut at = start;
        while at < end {
            let next = at + DAY_MS;
            let after = tz_offset(tz, next);
            if after != offset {
                // Halve the day down to the second of the change.
                let (mut low, mut high) = (at / 1000, next / 1000);
                while high - low > 1 {
                    let middle = low + (high - low) / 2;
                    if tz_offset(tz, middle * 1000) == offset {
                        low = middle;
                    } else {
                        high = middle;
                    }
                }
                offset = after;
                changes.push(change(high * 1000, offset));
            }
            at = next;
        }
        Transitions::new(changes, offset.standard)
    }

    /// Changes of a zone with the old System V rule of the United States.
    pub(super) fn system_v(standard: i32) -> Transitions {
        let mut changes = vec![change(
            year_start(FIRST_YEAR),
            Offset {
                standard,
                daylight: 0,
            },
        )];
        for year in FIRST_YEAR..=LAST_YEAR {
            let last_sunday =
                |month: i64| on_or_before(first_of_month(Style::Gregorian, year, month + 1) - 1, 1);
            let (spring, autumn) = match year {
                1974 => (
                    first_of_month(Style::Gregorian, 1974, 1) + 5,
                    last_sunday(11),
                ),
                1975 => (last_sunday(2), last_sunday(10)),
                _ => (last_sunday(4), last_sunday(10)),
            };
            for (day, daylight, hour) in [(spring, 3_600_000, 2), (autumn, 0, 1)] {
                let at = day * DAY_MS + hour * 3_600_000 - i64::from(standard);
                changes.push(change(at, Offset { standard, daylight }));
            }
        }
        Transitions::new(changes, standard)
    }

    fn new(changes: Vec<Change>, standard: i32) -> Transitions {
        let raw = Offset {
            standard,
            daylight: 0,
        };
        Transitions {
            raw,
            changes,
            end: year_start(LAST_YEAR + 1),
        }
    }

    /// Offset at an instant.
    pub(super) fn at(&self, millis: i64) -> Offset {
        let twin = self.within_table(millis);
        let index = self.changes.partition_point(|change| change.at <= twin);
        self.within_long(millis, self.before(index))
    }

    /// Offset at a wall-clock time: of two readings the later offset, and in a
    /// gap the offset before it.
    pub(super) fn at_wall(&self, wall: i64) -> Offset {
        let twin = self.within_table(wall);
        let index = self.changes.partition_point(|change| change.wall <= twin);
        self.within_long(wall, self.before(index))
    }

    /// The last year that a `long` reaches ends in August, and Java misses the
    /// daylight saving that would have ended later in that year.
    fn within_long(&self, millis: i64, offset: Offset) -> Offset {
        if millis < LAST_LONG_YEAR || self.daylight_saving() == 0 {
            return offset;
        }
        let index = self
            .changes
            .partition_point(|change| change.at <= self.within_table(i64::MAX));
        match self.before(index).daylight {
            0 => offset,
            _ => self.raw,
        }
    }

    fn before(&self, index: usize) -> Offset {
        let change = index.checked_sub(1).and_then(|i| self.changes.get(i));
        change.map_or(self.raw, |change| change.offset)
    }

    /// Standard offset of the present, in milliseconds.
    pub(super) fn raw_offset(&self) -> i32 {
        self.raw.standard
    }

    /// Daylight saving of the zone's present rule in milliseconds, 0 without.
    pub(super) fn daylight_saving(&self) -> i32 {
        let present = year_start(CYCLE_YEAR);
        let later = self.changes.iter().filter(|change| change.at >= present);
        later.map(|c| c.offset.daylight).max().unwrap_or(0)
    }

    /// Moves an instant after the table to the year of the table with the same
    /// calendar, as every rule in force is yearly.
    fn within_table(&self, millis: i64) -> i64 {
        if millis < self.end {
            return millis;
        }
        let day = millis.div_euclid(DAY_MS);
        let (year, _, _) = civil(Style::Gregorian, day);
        let calendar = |year| {
            let start = first_of_month(Style::Gregorian, year, 1);
            let length = first_of_month(Style::Gregorian, year + 1, 1) - start;
            (length, day_of_week(start))
        };
        let wanted = calendar(year);
        let mut twins = CYCLE_YEAR..=LAST_YEAR;
        let twin = twins.find(|&y| calendar(y) == wanted).unwrap_or(LAST_YEAR);
        millis - (year_start(year) - year_start(twin))
    }
}

fn change(at: i64, offset: Offset) -> Change {
    Change {
        at,
        wall: at + i64::from(offset.total()),
        offset,
    }
}

fn year_start(year: i64) -> i64 {
    first_of_month(Style::Gregorian, year, 1).saturating_mul(DAY_MS)
}

fn tz_offset(tz: Tz, millis: i64) -> Offset {
    let mut seconds = millis.div_euclid(1000);
    if matches!(tz, Tz::Africa__Casablanca | Tz::Africa__El_Aaiun) {
        // The database foretells each year to 2087, Java none after 2037.
        seconds = seconds.min(LAST_FORETOLD);
    }
    let Some(time) = DateTime::from_timestamp(seconds, 0) else {
        return Offset::default();
    };
    let offset = tz.offset_from_utc_datetime(&time.naive_utc());
    let total = offset.fix().local_minus_utc();
    let daylight = i32::try_from(offset.dst_offset().num_seconds()).unwrap_or(0);
    let (standard, daylight) = java_parts(tz, seconds, total, daylight);
    Offset {
        standard: standard.saturating_mul(1000),
        daylight: daylight.saturating_mul(1000),
    }
}

/// Zones for which the database counts a winter time as negative daylight
/// saving, and Java a summer time as daylight saving: since when (seconds since
/// 1970 UTC), and the standard offset in seconds.
const SUMMER_ZONES: [(&[Tz], i64, i32); 3] = [
    (&[Tz::Europe__Dublin, Tz::Eire], -37_242_000, 0),
    (
        &[Tz::Africa__Casablanca, Tz::Africa__El_Aaiun],
        1_540_692_000,
        0,
    ),
    (&[Tz::Africa__Windhoek], 637_970_400, 3600),
];

/// Splits an offset as Java does, which has no negative daylight saving; all
/// in seconds.
fn java_parts(tz: Tz, seconds: i64, total: i32, daylight: i32) -> (i32, i32) {
    for (zones, since, standard) in SUMMER_ZONES {
        if seconds >= since && zones.contains(&tz) {
            return (standard, total - standard);
        }
    }
    let daylight = daylight.max(0);
    (total - daylight, daylight)
}
