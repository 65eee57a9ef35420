//! `filter_date`

use crate::diagnostic::Outcome;
use crate::eval::Value;
use crate::eval::java::date_format::Zone;
use crate::pipeline::event::Event;
use crate::pipeline::python::{Instant, local, parse_date, strftime};
use crate::pipeline::spec::{
    ActionKind, ActionSpec, Build, ParameterKind, ParameterSpec, Parameters,
};
use crate::pipeline::step::{Done, Flow, Now, Pure, Step, whole};
use crate::pipeline::yaml::{Date, Moment};
use chrono::{DateTime, FixedOffset, NaiveTime, Offset, Utc};
use smol_str::SmolStr;
use std::sync::Arc;

pub const FILTER_DATE: ActionSpec = ActionSpec {
    name: "filter_date",
    kind: ActionKind::Filter,
    summary: "Reads a date in one of many forms, and makes seconds since 1970 or a text of it.",
    details: "It understands ISO 8601, RFC 2822, the form of C's `ctime`, dates with numbers or English names of months, with a time in 24 hours or with AM and PM, an offset or the name of a zone; a time alone is one of today. It knows the forms of logs, too: of web servers (`14/Jul/2026:10:00:00 +0200`), of syslog (`Jul 14 10:00:00`, of the latest year in which it is at most a day ahead), of Apache's and nginx's errors, of Suricata, seconds since 1970 with a fraction. `12/11/2020` is the 11th of December, `13/12/2020` the 13th. Relative to now are `yesterday`, `2 hours ago`, `in 3 days and 1 hour`. A date without an offset is one in the zone of the program. Numbers are seconds, and null is now. What cannot be read goes to the dead letters.",
    parameters: &[
        ParameterSpec::optional("key", ParameterKind::Text, "date", "the field that is read"),
        ParameterSpec::optional(
            "format",
            ParameterKind::Text,
            "seconds since 1970, whole where they can be",
            "the form of the new value, by the codes of `strftime`",
        ),
    ],
    examples: &[
        "- name: filter_date\n  match: date",
        "- name: filter_date\n  match: date\n  key: when\n  format: '%d/%m/%Y %H:%M'",
    ],
    make,
};

struct ReadDate {
    key: SmolStr,
    format: Option<SmolStr>,
    zone: Zone,
}

fn make(parameters: &Parameters, build: &Build<'_>) -> Outcome<Step> {
    Ok(Step::Pure(Arc::new(ReadDate {
        key: parameters.text_or("key", "date"),
        format: parameters.text("format"),
        zone: build.context.zone.clone(),
    })))
}

/// The value of a moment in seconds.
fn number(instant: Instant) -> Value {
    match instant.nanos {
        0 => whole(instant.seconds),
        nanos => Value::Double(instant.seconds as f64 + f64::from(nanos) / 1e9),
    }
}

/// Beyond these seconds there is no year with four digits.
const SPAN: std::ops::Range<f64> = -62_135_596_800.0..253_402_300_800.0;

impl ReadDate {
    fn instant(&self, value: &Value, now: Now) -> Result<Instant, String> {
        let key = &self.key;
        Ok(match value {
            Value::Null => Instant::of_millis(now.0),
            Value::Text(text) => parse_date(text, now.0, &self.zone).ok_or_else(|| {
                let short: String = text.chars().take(60).collect();
                format!("{key} is no date: {short:?}")
            })?,
            Value::Object(_) => {
                let midnight = |date: &Date| date.0.and_time(NaiveTime::MIN);
                match (value.as_object::<Date>(), value.as_object::<Moment>()) {
                    (Some(date), _) => local(midnight(date), &self.zone),
                    (_, Some(Moment::Local(moment))) => local(*moment, &self.zone),
                    (_, Some(Moment::Zoned(moment))) => Instant {
                        seconds: moment.timestamp(),
                        nanos: moment.timestamp_subsec_nanos(),
                    },
                    _ => return Err(format!("{key} is {}, not a date", value.kind_in_words())),
                }
            }
            Value::Int(_) | Value::Long(_) | Value::Float(_) | Value::Double(_) => {
                let seconds = value.as_double().unwrap_or(f64::NAN);
                if !SPAN.contains(&seconds) {
                    return Err(format!("{key} is beyond all dates: {seconds}"));
                }
                let below = seconds.floor();
                Instant {
                    seconds: below as i64,
                    nanos: (((seconds - below) * 1e9) as u32).min(999_999_999),
                }
            }
            other => return Err(format!("{key} is {}, not a date", other.kind_in_words())),
        })
    }

    fn text(&self, format: &str, instant: Instant) -> Result<Value, String> {
        let offset = self
            .zone
            .offset_millis(instant.seconds.saturating_mul(1000));
        let zone = FixedOffset::east_opt(offset / 1000).unwrap_or_else(|| Utc.fix());
        let moment = DateTime::from_timestamp(instant.seconds, instant.nanos)
            .ok_or_else(|| format!("{} is beyond all dates", self.key))?;
        let moment = moment.with_timezone(&zone);
        Ok(Value::string(strftime(format, &moment, self.zone.id())))
    }
}

impl Pure for ReadDate {
    fn apply(&self, event: &mut Event, now: Now, _: &mut Vec<Event>) -> Done {
        let Some(value) = event.record.get_mut(&self.key) else {
            return Err(format!("there is no field {}", self.key));
        };
        *value = match (&self.format, &*value) {
            (Some(format), value) => self.text(format, self.instant(value, now)?)?,
            // Numbers stay as they are but for a fraction that is none.
            (None, Value::Int(_) | Value::Long(_)) => return Ok(Flow::Pass),
            (None, Value::Double(n)) if n.fract() != 0.0 || n.abs() > 9e15 => {
                return Ok(Flow::Pass);
            }
            (None, Value::Double(n)) => whole(*n as i64),
            (None, value) => number(self.instant(value, now)?),
        };
        Ok(Flow::Pass)
    }
}
