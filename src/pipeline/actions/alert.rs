//! Events that filters make when something is noticed.

use crate::eval::Value;
use crate::pipeline::event::{Event, Time};
use crate::pipeline::record::Record;
use crate::pipeline::spec::{ParameterKind, ParameterSpec, Parameters};
use crate::pipeline::step::{Now, whole};
use smol_str::SmolStr;

/// The parameter `tag` of filters that make alerts.
pub const TAG: ParameterSpec =
    ParameterSpec::required("tag", ParameterKind::Text, "the tag of the alerts");

/// The parameter `alert`.
pub const ALERT: ParameterSpec = ParameterSpec::required(
    "alert",
    ParameterKind::Map,
    "the fields of the alerts, besides those that the action sets",
);

/// The parameter `timeframe`.
pub const TIMEFRAME: ParameterSpec = ParameterSpec::required(
    "timeframe",
    ParameterKind::Seconds,
    "how long the window is",
);

/// The parameter `query_key`.
pub const QUERY_KEY: ParameterSpec = ParameterSpec::optional(
    "query_key",
    ParameterKind::Text,
    "",
    "the field by whose value events are counted apart; without it all are counted together",
);

/// The parameter `db_path`.
pub const DB_PATH: ParameterSpec = ParameterSpec::optional(
    "db_path",
    ParameterKind::Path,
    "",
    "a file that keeps the state over a stop; without it the state is kept in memory only",
);

/// Makes alerts.
pub struct Alert {
    tag: SmolStr,
    fields: Vec<(Value, Value)>,
}

impl Alert {
    /// As `tag` and `alert` say.
    pub fn of(parameters: &Parameters) -> Alert {
        Alert {
            tag: parameters.text_or("tag", ""),
            fields: parameters.map("alert"),
        }
    }

    /// An alert whose own fields come first, and give way to those of the file.
    pub fn below<const N: usize>(&self, now: Now, own: [(&'static str, Value); N]) -> Event {
        let mut record = Record::with_capacity(1 + N + self.fields.len());
        record.set("timestamp", whole(now.seconds()));
        for (name, value) in own {
            record.set(name, value);
        }
        for (name, value) in &self.fields {
            record.set_value(name.clone(), value.clone());
        }
        self.event(now, record)
    }

    /// An alert whose own fields come last, and win over those of the file.
    pub fn above<const N: usize>(&self, now: Now, own: [(&'static str, Value); N]) -> Event {
        let mut record: Record = self.fields.iter().cloned().collect();
        record.set("timestamp", whole(now.seconds()));
        for (name, value) in own {
            record.set(name, value);
        }
        self.event(now, record)
    }

    fn event(&self, now: Now, record: Record) -> Event {
        Event {
            tag: self.tag.clone(),
            time: Time::Whole(now.seconds()),
            record,
        }
    }
}
