//! What a rule did with events, for people.

use crate::diagnostic::{floor, visible};
use crate::eval::Value;
use crate::eval::json::to_json;
use crate::rule::alert::Alert;
use crate::rule::event::Event;
use crate::rule::lua::{Note, NoteKind};
use crate::rule::trial::{Group, Trial};
use std::fmt::Write;

/// Up to how many events are shown when nothing happened at them.
const FEW: usize = 50;
/// How many bytes of an event are shown.
const WIDTH: usize = 150;
/// The function of what is said when a rule is loaded.
const LOAD: &str = "load";
/// How many groups that are left are shown.
const GROUPS: usize = 20;

/// `3 events`, `1 event`.
fn count(number: usize, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        number => format!("{number} {what}s"),
    }
}

/// Event by event: what came, what it did to groups, what was said, and what was raised; `all` events, also when they
/// are many.
pub fn report(name: &str, events: &[Event], done: &Trial, all: bool) -> String {
    let mut text = format!(
        "{name}: {}, {}",
        count(done.events, "event"),
        count(done.alerts.len(), "alert")
    );
    if !done.filtered.is_empty() {
        let _ = write!(text, ", {} kept away by filters", done.filtered.len());
    }
    text.push('\n');
    for note in done.notes.iter().filter(|(_, note)| note.entry == LOAD) {
        put_note(&mut text, &note.1, "  ");
    }
    let shown = shown(events.len(), done, all);
    let mut passed = 0;
    for at in 0..events.len() {
        if !shown.contains(&at) {
            passed += 1;
            continue;
        }
        skipped(&mut text, &mut passed);
        if let Some(event) = events.get(at) {
            let _ = writeln!(text, "  {} {}", at + 1, line_of(event));
        }
        for (_, filter) in done.filtered.iter().filter(|(event, _)| *event == at) {
            let _ = writeln!(text, "      the filter {filter} keeps it away");
        }
        let notes = done.notes.iter().filter(|(event, _)| *event == at);
        for (_, note) in notes.filter(|(_, note)| note.entry != LOAD) {
            put_note(&mut text, note, "      ");
        }
        let changes = || done.changes.iter().filter(|(event, _)| *event == at);
        for (_, group) in changes().filter(|(_, group)| group.events > 0) {
            put_group(&mut text, group);
        }
        for (_, alert) in done.alerts.iter().filter(|(event, _)| *event == at) {
            put_alert(&mut text, alert);
        }
        for (_, group) in changes().filter(|(_, group)| group.events == 0) {
            put_group(&mut text, group);
        }
    }
    skipped(&mut text, &mut passed);
    end(&mut text, done);
    text
}

/// The numbers of the events that are shown: all of a few, else those at which something happened.
fn shown(events: usize, done: &Trial, all: bool) -> std::collections::BTreeSet<usize> {
    if all || events <= FEW {
        return (0..events).collect();
    }
    let alerts = done.alerts.iter().map(|(at, _)| *at);
    let notes = done.notes.iter().filter(|(_, note)| note.entry != LOAD);
    let notes = notes.map(|(at, _)| *at);
    alerts.chain(notes).collect()
}

fn skipped(text: &mut String, passed: &mut usize) {
    if *passed > 0 {
        let _ = writeln!(text, "  … {}", count(*passed, "event"));
        *passed = 0;
    }
}

/// An event in a line.
fn line_of(event: &Event) -> String {
    let json = to_json(&Value::Map(event.map().clone()));
    let mut line = json.map_or_else(|_| String::new(), |json| json.to_string());
    if line.len() > WIDTH {
        line.truncate(floor(&line, WIDTH));
        line.push('…');
    }
    visible(&line).into_owned()
}

fn put_note(text: &mut String, note: &Note, indent: &str) {
    let kind = match note.kind {
        NoteKind::Log => "log",
        NoteKind::Error => "error",
        NoteKind::Stop => "stopped",
        NoteKind::Warning => "warning",
    };
    let line = note
        .line
        .map_or_else(String::new, |line| format!(", line {line}"));
    let _ = writeln!(
        text,
        "{indent}{kind} in {}{line}: {}",
        note.entry,
        visible(&note.text)
    );
}

fn key(group: &Group) -> String {
    let parts = group.key.iter().map(|part| match part.as_str() {
        "" => "\"\"".into(),
        part => visible(part),
    });
    parts.collect::<Vec<_>>().join(", ")
}

fn put_group(text: &mut String, group: &Group) {
    let _ = match group.events {
        0 => writeln!(
            text,
            "      {} [{}]: no events any more",
            group.function,
            key(group)
        ),
        events => writeln!(
            text,
            "      {} [{}]: {}, {}",
            group.function,
            key(group),
            count(events, "event"),
            count(group.unique, "value")
        ),
    };
}

fn put_alert(text: &mut String, alert: &Alert) {
    let _ = writeln!(text, "      ALERT, risk {}", alert.risk_level);
    for line in alert.text.lines() {
        let _ = writeln!(text, "        | {}", visible(line));
    }
    if let Some(error) = &alert.template_error {
        let _ = writeln!(
            text,
            "        the template failed, so its own text stands here: {error}"
        );
    }
    let assets = [
        &alert.asset_hostname,
        &alert.asset_fqdn,
        &alert.asset_ip,
        &alert.asset_mac,
    ];
    let assets: Vec<&str> = assets
        .iter()
        .map(|a| a.as_str())
        .filter(|a| !a.is_empty())
        .collect();
    let incident = match (alert.create_incident, alert.assign_to_customer) {
        (true, true) => "is made, for the customer",
        (true, false) => "is made",
        _ => "",
    };
    let meta = match &alert.meta {
        Value::Map(map) if !map.is_empty() => {
            to_json(&alert.meta).map_or_else(|_| String::new(), |json| json.to_string())
        }
        _ => String::new(),
    };
    for (name, value) in [
        ("asset", assets.join(" ")),
        ("ATT&CK", alert.mitre.join(" ")),
        ("incident", incident.to_string()),
        ("incident identifier", alert.incident_identifier.to_string()),
        ("incident group", alert.incident_group.to_string()),
        ("meta", meta),
    ] {
        if !value.is_empty() {
            let _ = writeln!(text, "        {name}: {}", visible(&value));
        }
    }
    let _ = match alert.logs.len() == alert.logs_total {
        true => writeln!(text, "        logs: {}", count(alert.logs_total, "event")),
        false => writeln!(
            text,
            "        logs: {} of {} events",
            alert.logs.len(),
            alert.logs_total
        ),
    };
}

/// What was left at the end, and how often functions were called.
fn end(text: &mut String, done: &Trial) {
    for group in done.left.iter().take(GROUPS) {
        let _ = writeln!(
            text,
            "  left in {} [{}]: {}, {}",
            group.function,
            key(group),
            count(group.events, "event"),
            count(group.unique, "value")
        );
    }
    if done.left.len() > GROUPS {
        let _ = writeln!(text, "  … {}", count(done.left.len() - GROUPS, "group"));
    }
    for (name, fed, left, late) in &done.groups {
        let late = match late {
            0 => String::new(),
            late => format!(", {late} too late"),
        };
        let fed = usize::try_from(*fed).unwrap_or(usize::MAX);
        let (fed, left) = (count(fed, "event"), count(*left, "group"));
        let _ = writeln!(text, "  groups of {name}: {fed} fed{late}, {left} left");
    }
    for one in done.counters.iter().filter(|one| one.calls > 0) {
        let calls = usize::try_from(one.calls).unwrap_or(usize::MAX);
        let mut line = format!("  {}: {}", one.name, count(calls, "call"));
        if one.errors > 0 {
            let _ = write!(line, ", {} failed", one.errors);
        }
        if one.stops > 0 {
            let _ = write!(line, ", {} stopped", one.stops);
        }
        let _ = writeln!(text, "{line}");
    }
    if let Some(why) = &done.suspended {
        let _ = writeln!(text, "  {why}");
    }
}
