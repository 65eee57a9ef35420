//! `stellar doctor`: what is configured, what answers, how fast.

use super::args::{Common, ListFormat};
use super::{event, output, profile_server, setup};
use crate::collect::Collections;
use crate::config::FunctionsConfig;
use crate::diagnostic::Outcome;
use crate::engine::Engine;
use crate::rule::store::{Rules, Search};
use crate::store::{Deadline, Within};
use crate::world::{Databases, Subject};
use serde_json::json;
use std::time::{Duration, Instant};

/// How long a server may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// Runs the command.
pub fn doctor(common: &Common, format: Option<ListFormat>) -> Outcome<bool> {
    let engine = setup::engine(common)?;
    let context = &engine.context;
    let format = ListFormat::or_usual(format);
    let mut good = true;
    let settings = engine.config.describe();
    let rows = settings.into_iter().map(|setting| {
        json!({"key": setting.key, "value": setting.value.unwrap_or_default(), "from": setting.origin})
    });
    output::table(format, &["key", "value", "from"], rows.collect())?;
    if format != ListFormat::Table {
        return Ok(true);
    }
    let file = engine
        .config
        .origin()
        .map_or("none".to_string(), |path| path.display().to_string());
    output::line(&format!("configuration file: {file}"))?;
    output::line(&format!(
        "time zone: {}, locale: {}",
        context.zone.id(),
        context.locale.tag()
    ))?;
    let started = Instant::now();
    let _ = engine.evaluate("1 + 1")?;
    output::line(&format!(
        "an expression takes {:?} from text to value",
        started.elapsed()
    ))?;
    let started = Instant::now();
    match engine.store.check() {
        Ok(report) if !report.exists => {
            output::line(&format!(
                "embedded store: {} does not exist yet",
                report.path.display()
            ))?;
        }
        Ok(report) => {
            good &= report.problems.is_empty();
            let state = if report.problems.is_empty() {
                "sound"
            } else {
                "damaged"
            };
            let (path, time) = (report.path.display(), started.elapsed());
            output::line(&format!(
                "embedded store: {path}, {} bytes, {state}, examined in {time:?}",
                report.bytes
            ))?;
        }
        Err(fault) => {
            good = false;
            output::complain(&fault);
        }
    }
    good &= super::pipeline::doctor(&engine)?;
    good &= profile_server::doctor(&engine, PATIENCE)?;
    good &= event::doctor(&engine, PATIENCE)?;
    good &= collections(&engine)?;
    good &= rule_store(&engine)?;
    output::line(&network(&engine.config.functions))?;
    for subject in [Subject::Places, Subject::Systems] {
        let Some(line) = database(&engine, subject) else {
            continue;
        };
        good &= line.is_ok();
        output::line(&line.unwrap_or_else(|fault| fault.message))?;
    }
    Ok(good)
}

/// Says whether the server of collections answers; false when it does not.
fn collections(engine: &Engine) -> Outcome<bool> {
    let service = engine.context.services.get::<Collections>();
    let Some(service) = service.filter(|_| engine.config.store.collection.is_some()) else {
        return Ok(true);
    };
    let within = Within {
        deadline: Deadline::after(PATIENCE),
        ..Within::context(&engine.context)
    };
    let started = Instant::now();
    let reached = service.reach(within);
    let time = started.elapsed();
    match reached.and_then(|()| service.list(within)) {
        Ok(known) => {
            let (place, known) = (service.place(), known.len());
            let message = format!(
                "collection store: {place} answers in {time:?}; {known} collections are known"
            );
            output::line(&message)?;
            Ok(true)
        }
        Err(fault) => {
            output::line(&format!("collection store: {}", fault.message))?;
            Ok(false)
        }
    }
}

/// Says whether the server of rules answers; false when it does not.
fn rule_store(engine: &Engine) -> Outcome<bool> {
    let service = engine.context.services.get::<Rules>();
    let Some(rules) = service.filter(|_| engine.config.store.rule.is_some()) else {
        return Ok(true);
    };
    let within = Within {
        deadline: Deadline::after(PATIENCE),
        ..Within::context(&engine.context)
    };
    let none = Search {
        limit: Some(0),
        ..Search::default()
    };
    let started = Instant::now();
    match rules.rules(&none, within) {
        Ok(page) => {
            let (place, time, rules) = (rules.place(), started.elapsed(), page.total);
            output::line(&format!(
                "rule store: {place} answers in {time:?}; {rules} rules"
            ))?;
            Ok(true)
        }
        Err(fault) => {
            output::line(&format!("rule store: {}", fault.message))?;
            Ok(false)
        }
    }
}

/// What requests of functions may reach, in words.
fn network(functions: &FunctionsConfig) -> String {
    if !functions.network {
        return "network for functions: off; functions.network = true allows requests".to_string();
    }
    let hosts = match functions.hosts.as_slice() {
        [] => "any host".to_string(),
        hosts => hosts.join(", "),
    };
    let public = match functions.public_only {
        true => "; hosts that are not listed need public addresses",
        false => "",
    };
    format!("network for functions: on, {hosts}{public}")
}

/// The database of a subject in words. Errors: one that is configured and cannot be used.
fn database(engine: &Engine, subject: Subject) -> Option<Outcome<String>> {
    let databases = engine.context.services.get::<Databases>()?;
    let (function, key) = (subject.function(), subject.key());
    let path = match databases.path(subject, &engine.context) {
        Ok(Some(path)) => path,
        Ok(None) => {
            return Some(Ok(format!("database of {function}: none; {key} names one")));
        }
        Err(fault) => return Some(Err(fault)),
    };
    let started = Instant::now();
    Some(databases.about(subject, &engine.context).map(|about| {
        let built = i64::try_from(about.built)
            .ok()
            .and_then(|seconds| chrono::DateTime::from_timestamp(seconds, 0))
            .map_or_else(String::new, |time| time.format(" of %Y-%m-%d").to_string());
        let versions = match about.version {
            4 => "IPv4 only",
            _ => "IPv4 and IPv6",
        };
        let (path, kind, time) = (path.display(), about.kind, started.elapsed());
        format!("database of {function}: {path}, {kind}{built}, {versions}, opened in {time:?}")
    }))
}
