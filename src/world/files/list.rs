//! The contents of a folder as a table.

use super::allowed::{Spot, files};
use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::eval::collections::check_size;
use crate::eval::java::date_format::Pattern;
use crate::eval::{Call, Value};
use crate::functions::tables::draw_within;
use cap_std::fs::{Metadata, MetadataExt};
use std::collections::HashMap;
use std::time::{SystemTime, UNIX_EPOCH};

const COLUMNS: [&str; 6] = [
    "PERMISSION",
    "OWNER",
    "GROUP",
    "SIZE",
    "LAST MOD TIME",
    "NAME",
];

/// How Java writes dates and times in en_US when it is not told how.
const TIME: &str = "MMM d, yyyy, h:mm:ss a";

pub(super) fn list(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let files = files(call)?;
    let path = match call.arg(0) {
        Value::Text(path) => path.to_string(),
        Value::Null if call.count() > 0 => return table(call, Vec::new()),
        Value::Null => match files.home() {
            Some(home) => home.to_string_lossy().into_owned(),
            None => {
                return Err(Diagnostic::new(
                    Code::NotAvailable,
                    "there is no home folder",
                ));
            }
        },
        _ => return Err(call.wrong_type(0, "a path")),
    };
    let spot = files.spot(call, 0, &path, false)?;
    let entries = match entries(call, &spot)? {
        Ok(entries) => entries,
        Err(error) => {
            spot.refused(call, 0, &error)?;
            Vec::new()
        }
    };
    table(call, entries)
}

/// A row before it is written: its time in milliseconds, its metadata, its name.
type Entry = (i64, Metadata, String);

fn entries(call: &Call<'_, '_>, spot: &Spot) -> Outcome<std::io::Result<Vec<Entry>>> {
    let look = || {
        let folder = match spot.way.as_os_str().is_empty() {
            true => return spot.folder.try_clone().map(Ok),
            false => spot.folder.metadata(&spot.way)?,
        };
        if folder.is_dir() {
            return spot.folder.open_dir(&spot.way).map(Ok);
        }
        Ok(Err(folder))
    };
    let folder = match look() {
        Ok(Ok(folder)) => folder,
        Ok(Err(file)) => {
            let name = spot.way.file_name().unwrap_or_default();
            return Ok(Ok(vec![entry(file, name.to_string_lossy().into_owned())]));
        }
        Err(error) => return Ok(Err(error)),
    };
    let found = match folder.entries() {
        Ok(found) => found,
        Err(error) => return Ok(Err(error)),
    };
    let mut entries = Vec::new();
    for item in found {
        call.step()?;
        // What vanishes meanwhile is not there.
        let Ok(item) = item else { continue };
        let name = item.file_name();
        // What a link leads to counts, unless it leads nowhere or out of the folder.
        let Ok(metadata) = folder.metadata(&name).or_else(|_| item.metadata()) else {
            continue;
        };
        entries.push(entry(metadata, name.to_string_lossy().into_owned()));
        check_size(entries.len(), call.context().limits.collection)?;
    }
    Ok(Ok(entries))
}

fn entry(metadata: Metadata, name: String) -> Entry {
    let modified = metadata
        .modified()
        .map_or(UNIX_EPOCH, |time| time.into_std());
    (millis(modified), metadata, name)
}

fn millis(time: SystemTime) -> i64 {
    let whole = |d: std::time::Duration| i64::try_from(d.as_millis()).unwrap_or(i64::MAX);
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => whole(after),
        Err(before) => -whole(before.duration()),
    }
}

fn table(call: &Call<'_, '_>, mut entries: Vec<Entry>) -> Outcome<Value> {
    // The table shows seconds; within one the name decides.
    entries.sort_by(|a, b| {
        let second = |entry: &Entry| entry.0.div_euclid(1000);
        second(a).cmp(&second(b)).then_with(|| a.2.cmp(&b.2))
    });
    let context = call.context();
    let time = Pattern::compile(TIME)
        .map_err(|_| Diagnostic::new(Code::Internal, "the pattern of times is malformed"))?;
    let (users, groups) = match entries.is_empty() {
        true => Default::default(),
        false => (names("/etc/passwd"), names("/etc/group")),
    };
    let called = |names: &HashMap<u32, String>, number: u32| {
        names
            .get(&number)
            .cloned()
            .unwrap_or_else(|| number.to_string())
    };
    let row = |(millis, metadata, name): &Entry| {
        vec![
            permission(metadata.mode()),
            called(&users, metadata.uid()),
            called(&groups, metadata.gid()),
            metadata.len().to_string(),
            time.format(*millis, &context.zone, &context.locale),
            name.clone(),
        ]
    };
    let rows: Vec<Vec<String>> = entries.iter().map(row).collect();
    draw_within(&COLUMNS, &rows, context.limits.string).map(Value::string)
}

/// `rw-r--r--`; a `t` at the end where only owners may delete.
pub(super) fn permission(mode: u32) -> String {
    let mut text: String = (0..9)
        .map(|i| match mode >> (8 - i) & 1 {
            1 => ['r', 'w', 'x'][i % 3],
            _ => '-',
        })
        .collect();
    if mode & 0o1000 != 0 {
        let last = text.pop();
        text.push(if last == Some('x') { 't' } else { 'T' });
    }
    text
}

/// The names of users or groups by number.
fn names(file: &str) -> HashMap<u32, String> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let entry = |line: &str| {
        let mut parts = line.split(':');
        let name = parts.next()?;
        Some((parts.nth(1)?.parse().ok()?, name.to_string()))
    };
    text.lines().filter_map(entry).collect()
}
