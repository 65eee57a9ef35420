//! What a rule raises.

use crate::eval::Value;
use crate::eval::collections::{Entries, List, Map, MapKind};
use smol_str::SmolStr;

/// How many events an alert keeps unless the rule says otherwise.
pub const TRIM_LOGS: usize = 1000;

/// The risk of an alert that does not say one.
pub const RISK: f64 = 2.0;

/// An alert with everything that the rule said, and the defaults for the rest.
#[derive(Clone, Debug)]
pub struct Alert {
    /// The name of the rule.
    pub rule: SmolStr,
    /// The time of the event that raised it, in milliseconds since 1970.
    pub time: i64,
    /// Whether an event says the time; else it is that of the clock, or of an event before.
    pub own_time: bool,
    /// The template as the rule gave it.
    pub template: String,
    /// What the template said; the template's own text where it failed.
    pub text: String,
    /// Why the template failed.
    pub template_error: Option<String>,
    /// From 0 to 10.
    pub risk_level: f64,
    /// The address of what is concerned.
    pub asset_ip: SmolStr,
    /// Its name.
    pub asset_hostname: SmolStr,
    /// Its full name.
    pub asset_fqdn: SmolStr,
    /// Its hardware address.
    pub asset_mac: SmolStr,
    /// Whether an incident is to be made of it.
    pub create_incident: bool,
    /// Whether the incident goes to the customer.
    pub assign_to_customer: bool,
    /// What tells incidents of the rule apart.
    pub incident_identifier: SmolStr,
    /// The group of incidents, such as a tactic.
    pub incident_group: SmolStr,
    /// How many events to keep at most.
    pub trim_logs: usize,
    /// Whether only the first and the last event were to be kept.
    pub first_and_last_logs: bool,
    /// How many events the rule gave.
    pub logs_total: usize,
    /// The events that are kept, with what the rule wrote on them.
    pub logs: Vec<Map>,
    /// Techniques of ATT&CK.
    pub mitre: Vec<SmolStr>,
    /// Whatever the rule gave beside, for the template and for people.
    pub meta: Value,
}

impl Default for Alert {
    fn default() -> Alert {
        Alert {
            rule: SmolStr::default(),
            time: 0,
            own_time: false,
            template: String::new(),
            text: String::new(),
            template_error: None,
            risk_level: RISK,
            asset_ip: SmolStr::default(),
            asset_hostname: SmolStr::default(),
            asset_fqdn: SmolStr::default(),
            asset_mac: SmolStr::default(),
            create_incident: false,
            assign_to_customer: false,
            incident_identifier: SmolStr::default(),
            incident_group: SmolStr::default(),
            trim_logs: TRIM_LOGS,
            first_and_last_logs: false,
            logs_total: 0,
            logs: Vec::new(),
            mitre: Vec::new(),
            meta: Value::Null,
        }
    }
}

impl Alert {
    /// The alert as a map whose keys are the names that rules use, with `rule`, `time`, `text` and `logs_total` beside.
    pub fn to_map(&self) -> Map {
        let texts = |texts: &[SmolStr]| texts.iter().cloned().map(Value::Text).collect::<Vec<_>>();
        let logs = self.logs.iter().cloned().map(Value::Map).collect();
        let count = |n: usize| Value::Int(i32::try_from(n).unwrap_or(i32::MAX));
        let error = self.template_error.as_ref();
        let fields = [
            ("rule", Value::Text(self.rule.clone())),
            ("time", Value::Long(self.time)),
            ("text", Value::text(&self.text)),
            ("template", Value::text(&self.template)),
            ("template_error", error.map_or(Value::Null, Value::text)),
            ("risk_level", Value::Double(self.risk_level)),
            ("asset_ip", Value::Text(self.asset_ip.clone())),
            ("asset_hostname", Value::Text(self.asset_hostname.clone())),
            ("asset_fqdn", Value::Text(self.asset_fqdn.clone())),
            ("asset_mac", Value::Text(self.asset_mac.clone())),
            ("create_incident", Value::Bool(self.create_incident)),
            ("assign_to_customer", Value::Bool(self.assign_to_customer)),
            (
                "incident_identifier",
                Value::Text(self.incident_identifier.clone()),
            ),
            ("incident_group", Value::Text(self.incident_group.clone())),
            ("trim_logs", count(self.trim_logs)),
            ("first_and_last_logs", Value::Bool(self.first_and_last_logs)),
            ("logs_total", count(self.logs_total)),
            ("logs", Value::List(List::array(logs))),
            ("mitre", Value::List(List::array(texts(&self.mitre)))),
            ("meta", self.meta.clone()),
        ];
        let mut entries = Entries::default();
        for (name, value) in fields {
            entries.insert(Value::text(name), value);
        }
        Map::new(MapKind::Ordered, entries)
    }
}
