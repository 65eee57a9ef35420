//! From the fields found in a text to an instant, the way a calendar that
//! remembers the order in which its fields were set does it.

use super::calendar::{
    CUTOVER_DAY, CUTOVER_YEAR, DAY_MS, DateFields, Style, first_of_month, first_week, is_leap,
    on_or_before,
};
use super::locale::WeekRule;
use super::zone::{Offset, Zone};

/// A calendar field; the week year is only known to the parser.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Field {
    Era,
    Year,
    Month,
    WeekOfYear,
    WeekOfMonth,
    DayOfMonth,
    DayOfYear,
    DayOfWeek,
    DayOfWeekInMonth,
    AmPm,
    Hour,
    HourOfDay,
    Minute,
    Second,
    Millisecond,
    ZoneOffset,
    DstOffset,
    WeekYear,
}

const FIELDS: usize = 18;

/// Every field of the calendar with its lowest and highest value in strict
/// mode.
const LIMITS: [(Field, i32, i32); 17] = [
    (Field::Era, 0, 1),
    (Field::Year, 1, 292_278_994),
    (Field::Month, 0, 11),
    (Field::WeekOfYear, 1, 53),
    (Field::WeekOfMonth, 0, 6),
    (Field::DayOfMonth, 1, 31),
    (Field::DayOfYear, 1, 366),
    (Field::DayOfWeek, 1, 7),
    (Field::DayOfWeekInMonth, -1, 6),
    (Field::AmPm, 0, 1),
    (Field::Hour, 0, 11),
    (Field::HourOfDay, 0, 23),
    (Field::Minute, 0, 59),
    (Field::Second, 0, 59),
    (Field::Millisecond, 0, 999),
    (Field::ZoneOffset, -13 * 3_600_000, 14 * 3_600_000),
    (Field::DstOffset, 0, 2 * 3_600_000),
];

/// Field values with the order in which they were set.
#[derive(Clone, Default, Debug)]
pub(super) struct FieldSet {
    values: [i32; FIELDS],
    stamps: [u32; FIELDS],
    last: u32,
}

/// Where the day comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum DayRule {
    DayOfMonth,
    WeekOfMonth,
    DayOfWeekInMonth,
    DayOfYear,
    WeekOfYear,
}

impl FieldSet {
    /// Sets a field; it becomes the most recent one.
    pub(super) fn set(&mut self, field: Field, value: i32) {
        self.last = self.last.saturating_add(1);
        self.put(field, value, self.last);
    }

    /// Forgets a field.
    pub(super) fn clear(&mut self, field: Field) {
        self.put(field, 0, 0);
    }

    fn put(&mut self, field: Field, value: i32, stamp: u32) {
        self.put_value(field, value);
        if let Some(slot) = self.stamps.get_mut(field as usize) {
            *slot = stamp;
        }
    }

    fn put_value(&mut self, field: Field, value: i32) {
        if let Some(slot) = self.values.get_mut(field as usize) {
            *slot = value;
        }
    }

    /// Value of a field, 0 when it is not set.
    fn value(&self, field: Field) -> i32 {
        self.values.get(field as usize).copied().unwrap_or(0)
    }

    /// When the field was set, 0 for never.
    fn stamp(&self, field: Field) -> u32 {
        self.stamps.get(field as usize).copied().unwrap_or(0)
    }

    fn has(&self, field: Field) -> bool {
        self.stamp(field) != 0
    }

    /// Adds years to a year and a week year that may be set.
    pub(super) fn add_years(&mut self, years: i32) {
        for field in [Field::Year, Field::WeekYear] {
            self.put_value(field, self.value(field).wrapping_add(years));
        }
    }

    /// The instant the fields name in `zone`; `None` when they name none,
    /// which in lenient mode is rare.
    pub(super) fn resolve(&self, zone: &Zone, rule: WeekRule, lenient: bool) -> Option<i64> {
        if self.stamp(Field::WeekYear) > self.stamp(Field::Year) {
            return self.resolve_week_date(zone, rule, lenient);
        }
        self.resolve_fields(zone, rule, lenient)
    }

    /// Resolution when the week year was the last of the years to be set.
    fn resolve_week_date(&self, zone: &Zone, rule: WeekRule, lenient: bool) -> Option<i64> {
        let first = i32::from(rule.first_day);
        let week_year = self.value(Field::WeekYear);
        let mut week = if self.has(Field::WeekOfYear) {
            self.value(Field::WeekOfYear)
        } else {
            1
        };
        let mut day = if self.has(Field::DayOfWeek) {
            self.value(Field::DayOfWeek)
        } else {
            first
        };
        if !(1..=7).contains(&day) {
            if !lenient {
                return None;
            }
            // The value is an ISO number (Monday is 1) that ran over its week.
            let from_monday = i64::from(day) - 1;
            week = week.wrapping_add(from_monday.div_euclid(7) as i32);
            day = from_monday.rem_euclid(7) as i32 + 2;
            if day == 8 {
                day = 1;
            }
        }

        let loose = self.resolve_fields(zone, rule, true)?;
        let offset = self.text_offset(zone.offset_at(loose));
        let era = DateFields::with_offset(loose, offset, rule).era();
        let mut start = FieldSet::default();
        start.set(Field::Era, era);
        start.set(Field::Year, week_year);
        start.set(Field::WeekOfYear, 1);
        start.set(Field::DayOfWeek, first);
        let utc = Zone::utc();
        let start = start.resolve_fields(&utc, rule, true)?;
        let days = (day - first)
            .rem_euclid(7)
            .wrapping_add(week.wrapping_sub(1).wrapping_mul(7));
        let millis = start.wrapping_add(i64::from(days).wrapping_mul(DAY_MS));
        let found = DateFields::with_offset(millis, Offset::default(), rule);
        if !lenient
            && (found.week_year() != week_year
                || found.week_of_year() != week
                || found.day_of_week() != day)
        {
            return None;
        }

        let mut dated = self.clone();
        dated.set(Field::Era, found.era());
        dated.set(Field::Year, found.year());
        dated.set(Field::Month, found.month());
        dated.set(Field::DayOfMonth, found.day_of_month());
        dated.put_value(Field::WeekOfYear, week);
        dated.resolve_fields(zone, rule, lenient)
    }

    fn resolve_fields(&self, zone: &Zone, rule: WeekRule, lenient: bool) -> Option<i64> {
        if !lenient && !self.within_limits() {
            return None;
        }
        let mut year = if self.has(Field::Year) {
            self.value(Field::Year)
        } else {
            1970
        };
        if self.has(Field::Era) && self.value(Field::Era) == 0 {
            year = 1_i32.wrapping_sub(year);
        }
        let time = self.time_of_day();
        let day = self.day(year, time.div_euclid(DAY_MS), rule, lenient)?;
        let wall = day
            .wrapping_mul(DAY_MS)
            .wrapping_add(time.rem_euclid(DAY_MS));
        let by_wall = if self.has(Field::ZoneOffset) && self.has(Field::DstOffset) {
            Offset::default()
        } else {
            zone.offset_by_wall(wall)
        };
        let millis = wall.wrapping_sub(i64::from(self.text_offset(by_wall).total()));
        if !lenient {
            let offset = self.text_offset(zone.offset_at(millis));
            let fields = DateFields::with_offset(millis, offset, rule);
            let same = |&(field, _, _): &(Field, i32, i32)| {
                !self.has(field) || self.value(field) == field_value(&fields, field)
            };
            if !LIMITS.iter().all(same) {
                return None;
            }
        }
        Some(millis)
    }

    fn within_limits(&self) -> bool {
        LIMITS.iter().all(|&(field, low, high)| {
            !self.has(field) || (low..=high).contains(&self.value(field))
        })
    }

    /// The zone's offset, with the parts the text gave put in their place.
    fn text_offset(&self, zone: Offset) -> Offset {
        let pick = |field, other| {
            if self.has(field) {
                self.value(field)
            } else {
                other
            }
        };
        Offset {
            standard: pick(Field::ZoneOffset, zone.standard),
            daylight: pick(Field::DstOffset, zone.daylight),
        }
    }

    /// Milliseconds since midnight, of any size and sign.
    fn time_of_day(&self) -> i64 {
        let of_day = self.stamp(Field::HourOfDay);
        let mut best = of_day.max(both(self.stamp(Field::Hour), self.stamp(Field::AmPm)));
        if best == 0 {
            best = self.stamp(Field::Hour).max(self.stamp(Field::AmPm));
        }
        let hours = if best == of_day {
            i64::from(self.value(Field::HourOfDay))
        } else {
            let half = self.value(Field::AmPm).wrapping_mul(12);
            i64::from(self.value(Field::Hour)) + i64::from(half)
        };
        let minutes = hours * 60 + i64::from(self.value(Field::Minute));
        let seconds = minutes * 60 + i64::from(self.value(Field::Second));
        seconds * 1000 + i64::from(self.value(Field::Millisecond))
    }

    /// The most recent complete group of fields that names a day decides.
    fn day_rule(&self) -> DayRule {
        let day_of_week = self.stamp(Field::DayOfWeek);
        let wom = self.stamp(Field::WeekOfMonth);
        let dowim = self.stamp(Field::DayOfWeekInMonth);
        let woy = self.stamp(Field::WeekOfYear);
        let by_day = self.stamp(Field::DayOfMonth);
        let by_year_day = self.stamp(Field::DayOfYear);
        let mut by_wom = both(wom, day_of_week);
        let mut by_dowim = both(dowim, day_of_week);
        let by_woy = both(woy, day_of_week);
        let mut best = by_day
            .max(by_wom)
            .max(by_dowim)
            .max(by_year_day)
            .max(by_woy);
        if best == 0 {
            // No group is complete, so a week or a day of the week will do.
            by_wom = wom;
            by_dowim = dowim.max(day_of_week);
            best = by_wom.max(by_dowim).max(woy);
            if best == 0 {
                return DayRule::DayOfMonth;
            }
        }
        if best == by_day {
            DayRule::DayOfMonth
        } else if (best == by_wom && wom >= woy) || (best == by_dowim && dowim >= woy) {
            if by_wom == by_dowim {
                if wom >= dowim {
                    DayRule::WeekOfMonth
                } else {
                    DayRule::DayOfWeekInMonth
                }
            } else if best == by_wom {
                DayRule::WeekOfMonth
            } else {
                DayRule::DayOfWeekInMonth
            }
        } else if best == by_year_day {
            DayRule::DayOfYear
        } else {
            DayRule::WeekOfYear
        }
    }

    /// Day number in the hybrid calendar, `extra` days included.
    fn day(&self, year: i32, extra: i64, rule: WeekRule, lenient: bool) -> Option<i64> {
        let choice = self.day_rule();
        let day_in = |style| extra.wrapping_add(self.day_in(style, choice, year, rule));
        let wide = i64::from(year);
        if wide > CUTOVER_YEAR {
            let day = day_in(Style::Gregorian);
            if day >= CUTOVER_DAY {
                return Some(day);
            }
            let julian = day_in(Style::Julian);
            return self.cutover_day(day, julian, lenient);
        }
        let julian = day_in(Style::Julian);
        if wide < CUTOVER_YEAR {
            if julian < CUTOVER_DAY {
                return Some(julian);
            }
            return self.cutover_day(julian, julian, lenient);
        }
        if matches!(choice, DayRule::DayOfYear | DayRule::WeekOfYear) {
            return Some(julian);
        }
        self.cutover_day(day_in(Style::Gregorian), julian, lenient)
    }

    /// Chooses between the two readings of a date near the cutover.
    fn cutover_day(&self, gregorian: i64, julian: i64, lenient: bool) -> Option<i64> {
        if gregorian >= CUTOVER_DAY {
            Some(gregorian)
        } else if julian < CUTOVER_DAY || lenient {
            Some(julian)
        } else {
            // One of the ten days that were left out.
            None
        }
    }

    fn day_in(&self, style: Style, choice: DayRule, year: i32, rule: WeekRule) -> i64 {
        let first_day = i64::from(rule.first_day);
        let day_of_week = self
            .has(Field::DayOfWeek)
            // Java takes one off in 32 bits.
            .then(|| i64::from(self.value(Field::DayOfWeek).wrapping_sub(1)) + 1);
        let by_month = matches!(
            choice,
            DayRule::DayOfMonth | DayRule::WeekOfMonth | DayRule::DayOfWeekInMonth
        );
        let month = if by_month {
            self.value(Field::Month)
        } else {
            0
        };
        let year = i64::from(year.wrapping_add(month.div_euclid(12)));
        let month = i64::from(month.rem_euclid(12));
        let mut start = first_of_month(style, year, month + 1);
        if !by_month && style == Style::Gregorian && year == CUTOVER_YEAR {
            start = start.max(CUTOVER_DAY);
        }
        match choice {
            DayRule::DayOfMonth => {
                if self.has(Field::DayOfMonth) {
                    start + i64::from(self.value(Field::DayOfMonth)) - 1
                } else {
                    start
                }
            }
            DayRule::DayOfYear => start + i64::from(self.value(Field::DayOfYear)) - 1,
            DayRule::WeekOfMonth => {
                let weeks = self.value(Field::WeekOfMonth).wrapping_sub(1);
                let first = first_week(start, rule);
                let first = day_of_week.map_or(first, |day| on_or_before(first + 6, day));
                first + i64::from(weeks.wrapping_mul(7))
            }
            DayRule::WeekOfYear => {
                let weeks = i64::from(self.value(Field::WeekOfYear)) - 1;
                let first = first_week(start, rule);
                let first = day_of_week
                    .filter(|&day| day != first_day)
                    .map_or(first, |day| on_or_before(first + 6, day));
                first + 7 * weeks
            }
            DayRule::DayOfWeekInMonth => {
                let day = day_of_week.unwrap_or(first_day);
                let nth = if self.has(Field::DayOfWeekInMonth) {
                    self.value(Field::DayOfWeekInMonth)
                } else {
                    1
                };
                let last = if nth >= 0 {
                    nth.wrapping_mul(7)
                } else {
                    // Counted back from the end of the month.
                    nth.wrapping_add(1)
                        .wrapping_mul(7)
                        .wrapping_add(month_length(year, month))
                };
                on_or_before(start + i64::from(last) - 1, day)
            }
        }
    }
}

/// The later of two stamps when both are set, else 0.
fn both(a: u32, b: u32) -> u32 {
    if a == 0 || b == 0 { 0 } else { a.max(b) }
}

/// Days of a month (January is 0).
fn month_length(year: i64, month: i64) -> i32 {
    match month {
        1 if is_leap(year) => 29,
        1 => 28,
        3 | 5 | 8 | 10 => 30,
        _ => 31,
    }
}

fn field_value(fields: &DateFields, field: Field) -> i32 {
    match field {
        Field::Era => fields.era(),
        Field::Year => fields.year(),
        Field::Month => fields.month(),
        Field::WeekOfYear => fields.week_of_year(),
        Field::WeekOfMonth => fields.week_of_month(),
        Field::DayOfMonth => fields.day_of_month(),
        Field::DayOfYear => fields.day_of_year(),
        Field::DayOfWeek => fields.day_of_week(),
        Field::DayOfWeekInMonth => fields.day_of_week_in_month(),
        Field::AmPm => fields.hour_of_day() / 12,
        Field::Hour => fields.hour_of_day() % 12,
        Field::HourOfDay => fields.hour_of_day(),
        Field::Minute => fields.minute(),
        Field::Second => fields.second(),
        Field::Millisecond => fields.millisecond(),
        Field::ZoneOffset => fields.offset().standard,
        Field::DstOffset => fields.offset().daylight,
        Field::WeekYear => fields.week_year(),
    }
}
