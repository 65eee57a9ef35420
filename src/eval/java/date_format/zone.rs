//! Time zones by their Java ids.

use super::print::{push_clock, push_offset};
pub(super) use super::transitions::Offset;
use super::transitions::Transitions;
use super::zone_names::{ZoneNames, by_id};
use chrono_tz::Tz;
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

/// Old three-letter ids and the zones Java takes them for.
const OLD_IDS: [(&str, &str); 25] = [
    ("ACT", "Australia/Darwin"),
    ("AET", "Australia/Sydney"),
    ("AGT", "America/Argentina/Buenos_Aires"),
    ("ART", "Africa/Cairo"),
    ("AST", "America/Anchorage"),
    ("BET", "America/Sao_Paulo"),
    ("BST", "Asia/Dhaka"),
    ("CAT", "Africa/Harare"),
    ("CNT", "America/St_Johns"),
    ("CST", "America/Chicago"),
    ("CTT", "Asia/Shanghai"),
    ("EAT", "Africa/Addis_Ababa"),
    ("ECT", "Europe/Paris"),
    ("IET", "America/Indiana/Indianapolis"),
    ("IST", "Asia/Kolkata"),
    ("JST", "Asia/Tokyo"),
    ("MIT", "Pacific/Apia"),
    ("NET", "Asia/Yerevan"),
    ("NST", "Pacific/Auckland"),
    ("PLT", "Asia/Karachi"),
    ("PNT", "America/Phoenix"),
    ("PRT", "America/Puerto_Rico"),
    ("PST", "America/Los_Angeles"),
    ("SST", "Pacific/Guadalcanal"),
    ("VST", "Asia/Ho_Chi_Minh"),
];

/// Ids whose offset never changes in Java, whatever the database says.
const FIXED_IDS: [(&str, i32); 3] = [
    ("EST", -5 * 3_600_000),
    ("MST", -7 * 3_600_000),
    ("HST", -10 * 3_600_000),
];

#[derive(PartialEq, Eq, Debug)]
enum Rules {
    Fixed(i32),
    Table(Transitions),
}

#[derive(PartialEq, Eq, Debug)]
struct Inner {
    id: String,
    rules: Rules,
    names: Option<&'static ZoneNames>,
}

/// A time zone; cheap to clone and to share between threads.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Zone(Arc<Inner>);

static GMT: LazyLock<Zone> = LazyLock::new(|| Zone::new("GMT", Rules::Fixed(0)));
static UTC: LazyLock<Zone> = LazyLock::new(|| Zone::new("UTC", Rules::Fixed(0)));

/// Zones made so far; only known ids get in, so the size is bounded.
static MADE: LazyLock<RwLock<HashMap<String, Zone>>> = LazyLock::new(RwLock::default);

impl Zone {
    fn new(id: &str, rules: Rules) -> Zone {
        Zone(Arc::new(Inner {
            id: id.to_string(),
            rules,
            names: by_id(id).map(|(_, names)| names),
        }))
    }

    /// The zone of a Java id: `America/New_York`, `PST`, `GMT+5`,
    /// `GMT-05:30`, case as written.  As in Java, an unknown id is GMT.
    pub fn from_java_id(id: &str) -> Zone {
        Zone::known(id)
            .or_else(|| custom(id))
            .unwrap_or_else(|| GMT.clone())
    }

    /// The zone of a name that must be known: a Java id, an id of the time
    /// zone database, or an offset (`Z`, `+05:30`, `-0800`, `UTC+1`, `GMT+1`).
    pub fn from_name_strict(name: &str) -> Option<Zone> {
        if let Some(zone) = Zone::known(name).or_else(|| custom(name)) {
            return Some(zone);
        }
        if name == "Z" {
            return Some(Zone::utc());
        }
        if let Ok(tz) = name.parse::<Tz>() {
            return Some(Zone::new(name, Rules::Table(Transitions::of_tz(tz))));
        }
        let offset = name.strip_prefix("UTC").unwrap_or(name);
        custom(&format!("GMT{offset}"))
    }

    /// The zone of the machine: the `TZ` variable, else the target of the
    /// `/etc/localtime` link, else UTC.
    pub fn system() -> Zone {
        if let Ok(name) = std::env::var("TZ") {
            let name = name.trim_start_matches(':');
            if let Some(zone) = zone_of_path(name) {
                return zone;
            }
        }
        let link = std::fs::canonicalize("/etc/localtime").ok();
        link.as_deref()
            .and_then(Path::to_str)
            .and_then(zone_of_path)
            .unwrap_or_else(Zone::utc)
    }

    /// Coordinated universal time.
    pub fn utc() -> Zone {
        UTC.clone()
    }

    /// The Java id; an offset is written `GMT+05:30`.
    pub fn id(&self) -> &str {
        &self.0.id
    }

    /// Milliseconds that local time is ahead of UTC at an instant (itself in
    /// milliseconds since 1970-01-01T00:00:00Z).
    pub fn offset_millis(&self, utc_millis: i64) -> i32 {
        self.offset_at(utc_millis).total()
    }

    pub(super) fn offset_at(&self, utc_millis: i64) -> Offset {
        match &self.0.rules {
            Rules::Fixed(standard) => fixed(*standard),
            Rules::Table(table) => table.at(utc_millis),
        }
    }

    /// Offset at a local time in milliseconds, as Java resolves the gaps and
    /// the overlaps of daylight saving.
    pub(super) fn offset_by_wall(&self, wall_millis: i64) -> Offset {
        match &self.0.rules {
            Rules::Fixed(standard) => fixed(*standard),
            Rules::Table(table) => table.at_wall(wall_millis),
        }
    }

    /// Daylight saving of the present rule in milliseconds, 0 without one.
    pub(super) fn daylight_saving(&self) -> i32 {
        match &self.0.rules {
            Rules::Fixed(_) => 0,
            Rules::Table(table) => table.daylight_saving(),
        }
    }

    pub(super) fn names(&self) -> Option<&'static ZoneNames> {
        self.0.names
    }

    /// Appends the zone's English name.
    pub(super) fn push_name(&self, out: &mut String, daylight: bool, long: bool) {
        if let Some(names) = self.0.names {
            let [long_standard, standard, long_daylight, short_daylight] = names.names;
            out.push_str(match (long, daylight) {
                (true, false) => long_standard,
                (false, false) => standard,
                (true, true) => long_daylight,
                (false, true) => short_daylight,
            });
            return;
        }
        if let Rules::Fixed(_) = self.0.rules {
            out.push_str(&self.0.id);
            return;
        }
        let mut offset = self.raw_offset();
        if daylight {
            offset = offset.saturating_add(self.daylight_saving());
        }
        out.push_str("GMT");
        push_offset(out, offset / 60_000, true, true);
    }

    pub(super) fn raw_offset(&self) -> i32 {
        match &self.0.rules {
            Rules::Fixed(standard) => *standard,
            Rules::Table(table) => table.raw_offset(),
        }
    }

    /// A zone of the table of ids, made once.
    fn known(id: &str) -> Option<Zone> {
        match id {
            "UTC" => return Some(UTC.clone()),
            "GMT" => return Some(GMT.clone()),
            _ => {}
        }
        let made = MADE.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(zone) = made.get(id) {
            return Some(zone.clone());
        }
        drop(made);
        by_id(id)?;
        let zone = Zone::new(id, rules_of(id)?);
        let mut made = MADE.write().unwrap_or_else(PoisonError::into_inner);
        Some(made.entry(id.to_string()).or_insert(zone).clone())
    }
}

fn fixed(standard: i32) -> Offset {
    Offset {
        standard,
        daylight: 0,
    }
}

fn rules_of(id: &str) -> Option<Rules> {
    if let Some(&(_, offset)) = FIXED_IDS.iter().find(|(fixed, _)| *fixed == id) {
        return Some(Rules::Fixed(offset));
    }
    if let Some(name) = id.strip_prefix("SystemV/") {
        return system_v(name);
    }
    let old = OLD_IDS.iter().find(|(old, _)| *old == id);
    let tz: Tz = old.map_or(id, |&(_, new)| new).parse().ok()?;
    Some(Rules::Table(Transitions::of_tz(tz)))
}

/// `PST8` is fixed, `PST8PDT` has daylight saving.
fn system_v(name: &str) -> Option<Rules> {
    let hours = name.trim_matches(|c: char| !c.is_ascii_digit());
    let standard = -hours.parse::<i32>().ok()?.checked_mul(3_600_000)?;
    if name.ends_with(hours) {
        Some(Rules::Fixed(standard))
    } else {
        Some(Rules::Table(Transitions::system_v(standard)))
    }
}

/// `GMT+h`, `GMT+hhmm`, `GMT+h:mm` and the same with a minus sign.
fn custom(id: &str) -> Option<Zone> {
    let rest = id.strip_prefix("GMT")?;
    let negative = rest.starts_with('-');
    let rest = rest.strip_prefix(['+', '-'])?;
    // Java counts in 32 bits and lets them wrap.
    let number = |digits: &str| {
        digits.bytes().try_fold(0_i32, |sum, b| {
            let value = b.is_ascii_digit().then_some(i32::from(b & 0x0f))?;
            Some(sum.wrapping_mul(10).wrapping_add(value))
        })
    };
    let (hours, minutes) = match rest.split_once(':') {
        Some((hours, minutes)) if hours.len() <= 2 && minutes.len() == 2 => {
            (number(hours)?, number(minutes)?)
        }
        Some(_) => return None,
        None if rest.is_empty() => return None,
        None if rest.len() <= 2 => (number(rest)?, 0),
        None => (number(rest)? / 100, number(rest)? % 100),
    };
    if !(0..=23).contains(&hours) || !(0..=59).contains(&minutes) {
        return None;
    }
    let minutes = hours * 60 + minutes;
    let mut id = "GMT".to_string();
    id.push(if negative { '-' } else { '+' });
    push_clock(&mut id, minutes, true, true);
    let offset = minutes * if negative { -60_000 } else { 60_000 };
    Some(Zone(Arc::new(Inner {
        id,
        rules: Rules::Fixed(offset),
        names: None,
    })))
}

/// A zone named directly or by the end of a path of the zone database.
fn zone_of_path(path: &str) -> Option<Zone> {
    let name = path.split_once("zoneinfo/").map_or(path, |(_, name)| name);
    let name = name
        .trim_start_matches("posix/")
        .trim_start_matches("right/");
    Zone::from_name_strict(name)
}
