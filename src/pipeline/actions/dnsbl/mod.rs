//! `filter_dnsbl`

mod cache;
mod query;
#[cfg(test)]
mod tests;

use super::alert::{ALERT, Alert, DB_PATH, TAG};
use super::change::whole_seconds;
use crate::diagnostic::Outcome;
use crate::eval::Value;
use crate::pipeline::event::Event;
use crate::pipeline::spec::{
    ActionKind, ActionSpec, Build, ParameterKind, ParameterSpec, Parameters,
};
use crate::pipeline::step::{Done, Flow, Now, Pure, Step};
use cache::{Cache, Known};
use parking_lot::Mutex;
use query::{Answer, ask, system_servers, wire_name};
use serde_json::Value as Json;
use smol_str::SmolStr;
use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

pub const FILTER_DNSBL: ActionSpec = ActionSpec {
    name: "filter_dnsbl",
    kind: ActionKind::Filter,
    summary: "Makes an alert when an address is on block lists that are asked over DNS.",
    details: "For each list the name made of the address and the list is looked up; any answer means that the address is on it. IPv6 addresses are asked by nibbles. Answers are kept for `timeout` seconds. The addresses of many events are asked at once, and an event waits at most `lookup_timeout`. When a list cannot be asked the event goes to the dead letters. An event whose field is no address passes. The alert has the fields of `alert` and `timestamp`, `key`, `value` and `domains`.",
    parameters: &[
        TAG,
        ParameterSpec::required("key", ParameterKind::Text, "the field with the address"),
        ParameterSpec::required(
            "threshold_percent",
            ParameterKind::Number,
            "how many of the lists, in percent, must have it",
        ),
        ParameterSpec::required(
            "domains",
            ParameterKind::Texts,
            "the lists, such as `zen.spamhaus.org`",
        ),
        ALERT,
        ParameterSpec::optional(
            "timeout",
            ParameterKind::Seconds,
            "3600",
            "how long an answer is kept",
        ),
        ParameterSpec::optional(
            "lookup_timeout",
            ParameterKind::Seconds,
            "5",
            "how long an answer is waited for",
        ),
        ParameterSpec::optional(
            "servers",
            ParameterKind::Texts,
            "those of the system",
            "the name servers, such as `192.0.2.1` or `127.0.0.1:5353`",
        ),
        DB_PATH,
    ],
    examples: &[
        "- name: filter_dnsbl\n  match: my_log\n  tag: ip_blacklist\n  key: src\n  threshold_percent: 50\n  domains: [zen.spamhaus.org, bl.spamcop.net]\n  alert: {title: An address is on block lists}",
    ],
    make,
};

struct Dnsbl {
    key: SmolStr,
    threshold: f64,
    domains: Vec<SmolStr>,
    alert: Alert,
    timeout: i64,
    lookup: Duration,
    servers: Vec<SocketAddr>,
    cache: Mutex<Cache>,
}

fn make(parameters: &Parameters, _: &Build<'_>) -> Outcome<Step> {
    let mut domains = Vec::new();
    for domain in parameters.texts("domains") {
        let ascii = idna::domain_to_ascii(domain.trim_matches('.')).unwrap_or_default();
        // The name of an IPv6 address comes before it.
        if wire_name(&ascii).is_none_or(|wire| wire.len() + 64 > 255) {
            let text = format!("{domain:?} is no name of a list");
            return Err(parameters.fault("domains", text));
        }
        domains.push(domain);
    }
    if domains.is_empty() {
        return Err(parameters.fault("domains", "domains is empty"));
    }
    let mut servers = Vec::new();
    for server in parameters.texts("servers") {
        let address = server.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, 53));
        let Ok(address) = address.or_else(|_| server.parse()) else {
            let text = format!("{server:?} is no address of a name server");
            return Err(parameters.fault("servers", text));
        };
        servers.push(address);
    }
    if servers.is_empty() {
        servers = system_servers();
    }
    let lookup = parameters.seconds("lookup_timeout");
    Ok(Step::Pure(Arc::new(Dnsbl {
        key: parameters.text_or("key", ""),
        threshold: parameters.number("threshold_percent").unwrap_or(0.0),
        domains,
        alert: Alert::of(parameters),
        timeout: parameters.seconds("timeout").map_or(3600, whole_seconds),
        lookup: lookup
            .unwrap_or(Duration::from_secs(5))
            .max(Duration::from_millis(10)),
        servers,
        cache: Mutex::default(),
    })))
}

/// An IPv4 address as C's `inet_aton` reads it: one to four numbers, decimal, octal or hexadecimal, the last one
/// filling the rest.
fn inet_aton(text: &str) -> Option<Ipv4Addr> {
    let mut parts = Vec::new();
    for part in text.split('.') {
        let (digits, radix) = match part.as_bytes() {
            [b'0', b'x' | b'X', ..] => (part.get(2..)?, 16),
            [b'0', _, ..] => (part.get(1..)?, 8),
            _ => (part, 10),
        };
        if digits.starts_with('+') {
            return None;
        }
        parts.push(u32::from_str_radix(digits, radix).ok()?);
    }
    let (last, first) = parts.split_last().filter(|(_, first)| first.len() < 4)?;
    let room = 8 * (4 - first.len() as u32);
    if room < 32 && *last >> room != 0 {
        return None;
    }
    let mut all = *last;
    for (at, part) in (0..).zip(first) {
        all |= u32::from(u8::try_from(*part).ok()?) << (24 - 8 * at);
    }
    Some(Ipv4Addr::from(all))
}

/// The address backwards, as lists are asked: by bytes, or by nibbles.
fn backwards(text: &str) -> Option<String> {
    let mut out = String::new();
    // Writing to a String cannot fail.
    match text.parse::<IpAddr>() {
        Ok(IpAddr::V6(address)) => {
            for byte in address.octets().iter().rev() {
                let _ = write!(out, "{:x}.{:x}.", byte & 15, byte >> 4);
            }
        }
        _ => {
            for byte in inet_aton(text)?.octets().iter().rev() {
                let _ = write!(out, "{byte}.");
            }
        }
    }
    Some(out)
}

impl Dnsbl {
    fn address<'e>(&self, event: &'e Event) -> Option<&'e str> {
        event.record.get(&self.key)?.as_text()
    }

    /// Asks all lists for addresses that are not known.
    fn ask_all(&self, addresses: &[&str], now: i64) {
        let mut unknown: Vec<(&str, String)> = Vec::new();
        {
            let mut cache = self.cache.lock();
            cache.expire(now, self.timeout);
            for address in addresses {
                if cache.get(address, now, self.timeout).is_none()
                    && let Some(name) = backwards(address)
                {
                    unknown.push((address, name));
                }
            }
        }
        unknown.sort_unstable();
        unknown.dedup();
        if unknown.is_empty() {
            return;
        }
        let mut names = Vec::with_capacity(unknown.len() * self.domains.len());
        for (_, name) in &unknown {
            for domain in &self.domains {
                let ascii = idna::domain_to_ascii(domain.trim_matches('.')).unwrap_or_default();
                names.push(wire_name(&format!("{name}{ascii}")).unwrap_or_default());
            }
        }
        let answers = ask(&names, &self.servers, self.lookup);
        let mut cache = self.cache.lock();
        for ((address, _), answers) in unknown.iter().zip(answers.chunks(self.domains.len())) {
            let mut listed = Vec::new();
            let mut failed = None;
            for (domain, answer) in self.domains.iter().zip(answers) {
                match answer {
                    Answer::There => listed.push(domain.clone()),
                    Answer::Nowhere => {}
                    Answer::Failed(reason) => failed = Some(format!("{domain}: {reason}")),
                }
            }
            let score = 100.0 * listed.len() as f64 / self.domains.len() as f64;
            let known = failed.map_or(Known::Listed(score, listed), Known::Failed);
            cache.set(address, known, now);
        }
    }
}

impl Pure for Dnsbl {
    fn apply(&self, event: &mut Event, now: Now, more: &mut Vec<Event>) -> Done {
        let Some(value) = event.record.get(&self.key) else {
            return Ok(Flow::Pass);
        };
        let Some(address) = value.as_text() else {
            let found = value.kind_in_words();
            return Err(format!("{} is {found}, not an address", self.key));
        };
        if backwards(address).is_none() {
            return Ok(Flow::Pass);
        }
        let seconds = now.seconds();
        let get = || {
            let cache = self.cache.lock();
            cache.get(address, seconds, self.timeout).cloned()
        };
        let known = get().or_else(|| {
            self.ask_all(&[address], seconds);
            get()
        });
        match known {
            Some(Known::Listed(score, domains)) => {
                if score >= self.threshold {
                    let own = [
                        ("key", Value::text(&self.key)),
                        ("value", value.clone()),
                        ("domains", Value::string(domains.join(","))),
                    ];
                    more.push(self.alert.above(now, own));
                }
                Ok(Flow::Pass)
            }
            Some(Known::Failed(reason)) => Err(format!("{address} cannot be looked up: {reason}")),
            None => Err(format!("{address} cannot be looked up")),
        }
    }

    fn waits(&self) -> bool {
        true
    }

    fn ahead(&self, events: &[&Event], now: Now) {
        let addresses: Vec<&str> = events.iter().filter_map(|e| self.address(e)).collect();
        self.ask_all(&addresses, now.seconds());
    }

    fn save(&self) -> Option<Json> {
        Some(self.cache.lock().save())
    }

    fn load(&self, state: &Json) -> Result<(), String> {
        *self.cache.lock() = Cache::load(state)?;
        Ok(())
    }

    fn size(&self) -> usize {
        self.cache.lock().len()
    }

    fn evicted(&self) -> u64 {
        self.cache.lock().evicted()
    }
}
