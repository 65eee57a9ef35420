//! Names of time zones: finding one in a text and the ids that are known.

use super::zone::Zone;
use std::collections::HashMap;
use std::sync::LazyLock;

/// The names of a group of zones.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct ZoneNames {
    /// Long and short standard, long and short daylight name.
    pub names: [&'static str; 4],
    ids: Vec<&'static str>,
    /// Whether a text is searched for them.
    searched: bool,
}

static TABLE: LazyLock<Vec<ZoneNames>> = LazyLock::new(|| {
    let lines = include_str!("zone_names.txt").lines();
    lines.filter_map(names_of_line).collect()
});

static BY_ID: LazyLock<HashMap<&'static str, &'static ZoneNames>> = LazyLock::new(|| {
    let groups = TABLE.iter();
    groups
        .flat_map(|group| group.ids.iter().map(move |&id| (id, group)))
        .collect()
});

fn names_of_line(line: &'static str) -> Option<ZoneNames> {
    if line.starts_with('#') {
        return None;
    }
    let (searched, line) = match line.strip_prefix('!') {
        Some(rest) => (false, rest),
        None => (true, line),
    };
    let mut parts = line.split('|');
    let names = [parts.next()?, parts.next()?, parts.next()?, parts.next()?];
    Some(ZoneNames {
        names,
        ids: parts.next()?.split(' ').collect(),
        searched,
    })
}

/// Names of a zone id, and its spelling with a static life; `None` for an id
/// that Java does not know.
pub(super) fn by_id(id: &str) -> Option<(&'static str, &'static ZoneNames)> {
    BY_ID.get_key_value(id).map(|(&id, &names)| (id, names))
}

/// A zone found by its name.
pub(super) struct Found {
    pub zone: Zone,
    /// Bytes of the text that the name takes.
    pub length: usize,
    /// Daylight saving that the name implies, in milliseconds; `None` leaves
    /// it to the zone's rules.
    pub daylight: Option<i32>,
}

/// Looks for a zone name at the start of `text`: first among the names of
/// `current`, then of `default`, then of all zones in Java's order.
pub(super) fn find(text: &str, current: &Zone, default: &Zone) -> Option<Found> {
    for zone in [current, default] {
        let names = zone.names().filter(|names| names.searched);
        if let Some((index, length)) = names.and_then(|names| match_names(text, names)) {
            return Some(found(zone.clone(), zone.names()?, index, length));
        }
    }
    TABLE
        .iter()
        .filter(|names| names.searched)
        .find_map(|names| {
            let (index, length) = match_names(text, names)?;
            let zone = Zone::from_java_id(names.ids.first()?);
            Some(found(zone, names, index, length))
        })
}

fn found(zone: Zone, names: &ZoneNames, index: usize, length: usize) -> Found {
    let [long, short, long_daylight, short_daylight] = names.names;
    let daylight = match index {
        // One name for both times says nothing about daylight saving.
        0 => (!long.eq_ignore_ascii_case(long_daylight)).then_some(0),
        1 => (!short.eq_ignore_ascii_case(short_daylight)).then_some(0),
        _ => Some(zone.daylight_saving()).filter(|&saving| saving != 0),
    };
    Found {
        zone,
        length,
        daylight,
    }
}

fn match_names(text: &str, names: &ZoneNames) -> Option<(usize, usize)> {
    let mut all = names.names.iter().enumerate();
    all.find_map(|(index, name)| Some((index, prefix_length(text, name)?)))
}

/// Bytes at the start of `text` that equal `name` in any case; `None` when it
/// starts otherwise.
pub(super) fn prefix_length(text: &str, name: &str) -> Option<usize> {
    let mut rest = text.chars();
    for wanted in name.chars() {
        let c = rest.next()?;
        if c != wanted && fold(c) != fold(wanted) {
            return None;
        }
    }
    Some(text.len() - rest.as_str().len())
}

/// One character in the case that Java compares in: upper, then lower, each
/// only where it is a single character.
fn fold(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_lowercase();
    }
    let mut upper = c.to_uppercase();
    let upper = match (upper.next(), upper.next()) {
        (Some(only), None) => only,
        _ => c,
    };
    if upper == '\u{130}' {
        return 'i';
    }
    let mut lower = upper.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(only), None) => only,
        _ => upper,
    }
}
