//! Paths with dates and fields.

use crate::eval::Value;
use crate::eval::collections::{List, Map, MapKind};
use crate::eval::java::date_format::Zone;
use crate::pipeline::python::{Missing, Template, strftime};
use crate::pipeline::record::Record;
use chrono::{DateTime, FixedOffset, Offset, Utc};
use parking_lot::RwLock;
use smol_str::SmolStr;
use std::cell::Cell;
use std::sync::Arc;

/// So many dated templates are kept.
const KEPT: usize = 64;

/// A longer name no file can have.
const NAME: usize = 255;

/// A longer path cannot be opened.
const PATH: usize = 4095;

/// The names of a path, each a template.
type Dated = Arc<Vec<Template>>;

/// A path with codes of `strftime` and fields in braces.
pub struct PathTemplate {
    text: String,
    time_key: SmolStr,
    zone: Zone,
    /// How many seconds a dated template is good for.
    grain: i64,
    dated: RwLock<Vec<(i64, Dated)>>,
}

impl PathTemplate {
    /// Compiles a path. Errors: why it is none.
    pub fn new(text: &str, time_key: SmolStr, zone: Zone) -> Result<PathTemplate, String> {
        let mut grain = 86_400;
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            if c != '%' {
                continue;
            }
            grain = match chars.next() {
                Some('Y' | 'm' | 'd' | 'F' | 'j' | 'y' | 'b' | 'B' | 'a' | 'A' | '%') | None => {
                    grain
                }
                Some('H' | 'I' | 'p') => grain.min(3600),
                Some('M' | 'R') => grain.min(60),
                _ => 1,
            };
        }
        let path = PathTemplate {
            text: text.to_owned(),
            time_key,
            zone,
            grain,
            dated: RwLock::default(),
        };
        path.dated_for(0)?;
        if text.ends_with('/') {
            return Err(format!("{text} is a folder"));
        }
        Ok(path)
    }

    /// The template with the date of a second filled in.
    fn dated_for(&self, second: i64) -> Result<Dated, String> {
        let offset = i64::from(self.zone.offset_millis(second.saturating_mul(1000)) / 1000);
        let grain = second.saturating_add(offset).div_euclid(self.grain);
        let known = self
            .dated
            .read()
            .iter()
            .find(|(known, _)| *known == grain)
            .map(|(_, t)| t.clone());
        if let Some(known) = known {
            return Ok(known);
        }
        let zone = i32::try_from(offset).ok().and_then(FixedOffset::east_opt);
        let moment = DateTime::from_timestamp(second, 0)
            .ok_or_else(|| format!("{second} is beyond all dates"))?
            .with_timezone(&zone.unwrap_or_else(|| Utc.fix()));
        let text = strftime(&self.text, &moment, self.zone.id());
        let names: Result<Vec<Template>, String> = names(&text).map(Template::new).collect();
        let template = Arc::new(names?);
        let mut dated = self.dated.write();
        if dated.len() >= KEPT {
            dated.clear();
        }
        dated.push((grain, template.clone()));
        Ok(template)
    }

    /// Appends the path of a record. Errors: a field is missing, or the time is none.
    pub fn fill(&self, record: &Record, out: &mut String) -> Result<(), String> {
        self.fill_at(second(record, &self.time_key)?, record, out)
    }

    /// As [`PathTemplate::fill`], for a time that is not in the record.
    pub fn fill_at(&self, second: i64, record: &Record, out: &mut String) -> Result<(), String> {
        let names = self.dated_for(second)?;
        let from = out.len();
        for (at, template) in names.iter().enumerate() {
            if at > 0 {
                out.push('/');
            }
            let begin = out.len();
            let has_field = Cell::new(false);
            let name = template.fill(Missing::Error, |name| {
                has_field.set(true);
                record.get(name).map(tamed)
            })?;
            out.push_str(&name);
            if has_field.get() {
                below(out, begin);
            }
            let length = out.len() - begin;
            if length > NAME {
                return Err(format!(
                    "a name of its path has {length} bytes, more than {NAME}"
                ));
            }
        }
        let path = out.get(from..).unwrap_or_default();
        if path.contains('\0') || path.is_empty() {
            return Err("the path is none".to_owned());
        }
        if path.len() > PATH {
            return Err(format!("its path has more than {PATH} bytes"));
        }
        Ok(())
    }
}

/// The time in a field, in whole seconds. Errors: it is missing, or no number.
pub fn second(record: &Record, key: &str) -> Result<i64, String> {
    match record.get(key) {
        None => Err(format!("there is no field {key}")),
        Some(Value::Int(n)) => Ok(i64::from(*n)),
        Some(Value::Long(n)) => Ok(*n),
        Some(Value::Double(n)) if n.is_finite() => Ok(n.floor() as i64),
        Some(other) => {
            let found = other.kind_in_words();
            Err(format!("{key} is {found}, not a time in seconds"))
        }
    }
}

/// Sees to it that a name with fields, from `begin` on, stays in its folder.
fn below(out: &mut String, begin: usize) {
    let name = out.get(begin..).unwrap_or_default();
    let tamed = match name {
        "" | "." => "_".to_owned(),
        ".." => "__".to_owned(),
        _ if name.contains('/') => name.replace('/', "_"),
        _ => return,
    };
    out.truncate(begin);
    out.push_str(&tamed);
}

/// The names of a path; a `/` within braces is none between names.
fn names(path: &str) -> impl Iterator<Item = &str> {
    let mut braces = 0_usize;
    path.split(move |c| {
        match c {
            '{' => braces += 1,
            '}' => braces = braces.saturating_sub(1),
            _ => {}
        }
        c == '/' && braces == 0
    })
}

/// A value whose texts cannot lead to another folder.
fn tamed(value: &Value) -> Value {
    match value {
        Value::Text(text) if text.contains('/') || text.contains("..") || text == "." => {
            Value::string(
                text.replace('/', "_")
                    .replace("..", "__")
                    .replace('\0', "_"),
            )
        }
        Value::List(list) => Value::List(List::array(list.items().iter().map(tamed).collect())),
        Value::Map(map) => {
            let entries = map.entries();
            let entries = entries
                .iter()
                .map(|(key, value)| (tamed(key), tamed(value)));
            Value::Map(Map::new(MapKind::Ordered, entries.collect()))
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(template: &str, record: &[(&str, Value)]) -> Result<String, String> {
        let template = PathTemplate::new(template, "t".into(), Zone::utc())?;
        let record: Record = record
            .iter()
            .map(|(name, value)| (Value::text(name), value.clone()))
            .collect();
        let mut out = String::new();
        template.fill(&record, &mut out)?;
        Ok(out)
    }

    #[test]
    fn paths_have_dates_and_fields_and_stay_below_their_folder() {
        let t = ("t", Value::Int(1607618046));
        let source = |text: &str| [t.clone(), ("source", Value::text(text))];
        assert_eq!(
            path("/a/{source}/log-%Y%m%d.json", &source("foo")).as_deref(),
            Ok("/a/foo/log-20201210.json")
        );
        assert_eq!(path("{source}", &source("%Y")).as_deref(), Ok("%Y"));
        assert_eq!(
            path("a/{source}.json", &source("../../etc/x")).as_deref(),
            Ok("a/______etc_x.json")
        );
        assert_eq!(path("%H-%M-%S", &source("")).as_deref(), Ok("16-34-06"));
        for (value, expected) in [
            (".", "out/_/log"),
            ("..", "out/__/log"),
            ("", "out/_/log"),
            ("a.b", "out/a.b/log"),
        ] {
            let filled = path("out/{source}/log", &source(value));
            assert_eq!(filled.as_deref(), Ok(expected), "{value}");
        }
        assert_eq!(
            path("out/logs/.{source}/log", &source(".")).as_deref(),
            Ok("out/logs/__/log")
        );
        assert_eq!(
            path("out/logs/{source}{source}", &source(".")).as_deref(),
            Ok("out/logs/__")
        );
        assert_eq!(path("../{source}", &source("x")).as_deref(), Ok("../x"));
        assert!(path("out/{source}", &source(&"x".repeat(256))).is_err());
        assert!(path("out/{source}", &source(&"x".repeat(255))).is_ok());
        assert!(path("out/", &source("x")).is_err());
        assert!(path("{none}", &source("")).is_err());
        assert!(path("x", &[]).is_err());
        assert!(path("{", &source("")).is_err());
    }
}
