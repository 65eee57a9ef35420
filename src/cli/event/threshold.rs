//! `stellar event threshold` and `stellar event relapsed`.

use super::Desk;
use super::args::{ApplyArgs, RelapsedArgs, ThresholdCommand, WindowArgs};
use super::asked::{columns, length, time};
use super::load::{Found, messages, options};
use crate::cli::args::ListFormat;
use crate::cli::output;
use crate::cli::progress::{Complaints, Progress};
use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::event::shape::{column_json, message, time_text};
use crate::event::store::{Threshold, Thresholded};
use crate::event::thresholding::{Books, SEVERITIES, Setting, Timing, renew};
use crate::event::{COLUMNS, Message};
use crate::input::{ChunkReader, Format, Input, Problem, inputs, once};
use crate::store::{Deadline, Within};
use serde_json::{Map, Value as Json, json};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

const COLUMNS_OF_THRESHOLDS: &[&str] = &["id", "thresholdtime", "relapsetime", "ttltime"];

fn threshold_row(threshold: &Threshold) -> Json {
    json!({
        "id": threshold.id, "thresholdtime": time_text(threshold.thresholdtime),
        "relapsetime": time_text(threshold.relapsetime), "ttltime": time_text(threshold.ttltime),
    })
}

/// Runs `stellar event threshold`.
pub fn threshold(desk: &Desk, command: &ThresholdCommand) -> Outcome<bool> {
    let (events, within) = (&desk.events, desk.within());
    let show =
        |rows, format| output::table(ListFormat::or_usual(format), COLUMNS_OF_THRESHOLDS, rows);
    match command {
        ThresholdCommand::Apply(args) => apply(desk, args),
        ThresholdCommand::Check {
            key,
            time: at,
            format,
        } => {
            let found = events.threshold_check(key, time(desk, at.as_deref())?, within)?;
            show(found.iter().map(threshold_row).collect(), *format)?;
            Ok(found.is_some())
        }
        ThresholdCommand::Set {
            key,
            from,
            relapse,
            ttl,
        } => {
            let ttltime = time(desk, Some(ttl))?;
            let relapsetime = match relapse {
                Some(relapse) => time(desk, Some(relapse))?,
                None => ttltime,
            };
            let threshold = Threshold {
                id: key.clone(),
                thresholdtime: time(desk, from.as_deref())?,
                relapsetime,
                ttltime,
            };
            events.threshold_set(threshold, within)?;
            output::line(&format!("{key} is held back until {}", time_text(ttltime)))?;
            Ok(true)
        }
        ThresholdCommand::Save {
            id,
            key,
            group,
            severity,
            time: at,
        } => {
            let noted = Thresholded {
                eventid: id.clone(),
                keyid: key.clone(),
                groupname: group.clone(),
                eventseverity: severity.clone(),
                createtime: time(desk, at.as_deref())?,
            };
            events.threshold_save(noted, within)?;
            output::line(&format!("{id} is noted for {key}"))?;
            Ok(true)
        }
        ThresholdCommand::List { format } => {
            let all = events.thresholds(within)?;
            show(all.iter().map(threshold_row).collect(), *format)?;
            Ok(true)
        }
        ThresholdCommand::Clean { time: at } => {
            let thresholds = events.thresholds_clean(time(desk, at.as_deref())?, within)?;
            let noted = events.thresholded_clean(within)?;
            let s = |n| if n == 1 { "" } else { "s" };
            output::line(&format!(
                "{thresholds} threshold{} and {noted} held-back event{} removed",
                s(thresholds),
                s(noted)
            ))?;
            Ok(true)
        }
    }
}

/// The windows of a severity. E0504 when nothing says how long they are.
fn timing(severity: &str, args: &WindowArgs) -> Outcome<Timing> {
    let window = args.window.as_deref().map(length).transpose()?;
    let relapse = args.relapse.as_deref().map(length).transpose()?;
    let usual = Timing::of(severity);
    let Some(window) = window.or(usual.map(|usual| usual.window)) else {
        let known: Vec<&str> = SEVERITIES.iter().map(|(name, _)| *name).collect();
        let message = format!("no window is known for the severity {severity:?}");
        return Err(Diagnostic::new(Code::Usage, message).help(format!(
            "--window gives one; known are {}",
            known.join(", ")
        )));
    };
    let timing = Timing {
        window,
        relapse: relapse.or(usual.map(|usual| usual.relapse)).unwrap_or(0),
    };
    // So that impossible windows are noticed before anything is read.
    timing.threshold("", 0).map_err(|mut fault| {
        fault.code = Code::Usage;
        fault
    })?;
    Ok(timing)
}

/// Verdicts about files are kept together for so long: each time the disk is waited for.
const TOGETHER: Duration = Duration::from_millis(50);

/// How long the last verdicts may take to be kept after Ctrl-C.
const PATIENCE: Duration = Duration::from_secs(5);

/// Says of each message whether to report it. A verdict is printed before it is kept, so that none is lost.
fn apply(desk: &Desk, args: &ApplyArgs) -> Outcome<bool> {
    if let Some(severity) = &args.severity {
        timing(severity, &args.window)?;
    }
    let found = once(inputs(&args.files)?, output::named_twice);
    let live = found.iter().any(Input::is_live);
    let context = &desk.engine.context;
    let mut reader = ChunkReader::new(&found, Some(Format::JsonLines), context.limits.line)
        .cancelled_by(&context.cancel);
    let mut complaints = Complaints::new(&found);
    let progress = Progress::new(&found, reader.taken.clone());
    let format = ListFormat::or_usual(args.format);
    let columns = ["id", "verdict", "severity", "sources"];
    let mut rows = output::Rows::new(format, &columns);
    let mut books = Books::default();
    let mut kept = Instant::now();
    let mut bad = 0;
    let options = options(desk, &args.private_key);
    let read = messages(desk, &options, &mut reader, |input, line, found| {
        let message = match found {
            Found::Line(_, message) => message,
            Found::Part(_, Some(fault)) => Err(fault),
            Found::Part(_, None) => return Ok(()),
        };
        let judged = message.and_then(|message| {
            let severity = severity(args, &message)?;
            let timing = timing(&severity, &args.window)?;
            Ok((message, severity, timing))
        });
        let (message, severity, timing) = match judged {
            Ok(judged) => judged,
            Err(fault) => {
                bad += 1;
                let problem = Problem { line, fault };
                complaints.show(input, std::iter::once(&problem), &progress);
                return Ok(());
            }
        };
        let setting = Setting {
            group: &args.group,
            severity: &severity,
            timing,
        };
        let decision = books.decide(&desk.events, &message, setting, desk.now(), desk.within())?;
        let sources: Map<String, Json> = decision
            .sources
            .iter()
            .map(|decided| (decided.source.clone(), json!(decided.verdict.name())))
            .collect();
        let shown = rows.put(json!({
            "id": message.id(), "verdict": decision.verdict.name(), "severity": severity, "sources": sources,
        }))?;
        if shown && (live || kept.elapsed() >= TOGETHER) {
            books.keep(&desk.events, desk.within())?;
            kept = Instant::now();
        }
        Ok(())
    });
    complaints.count_the_rest(bad);
    rows.end()?;
    // After Ctrl-C, too: these verdicts are known.
    let within = Within {
        deadline: Deadline::after(PATIENCE),
        cancel: &Arc::default(),
        ..desk.within()
    };
    let within = match context.cancel.load(Ordering::Relaxed) {
        true => within,
        false => desk.within(),
    };
    let last = books.keep(&desk.events, within);
    let damage = read?;
    last?;
    match damage {
        Some(damage) => Err(damage),
        None => Ok(bad == 0),
    }
}

/// The severity that counts for a message. E0609 when there is none.
fn severity(args: &ApplyArgs, message: &Message) -> Outcome<String> {
    match (&args.severity, message.severity()) {
        (Some(severity), _) => Ok(severity.clone()),
        (None, Some(severity)) => Ok(severity.to_lowercase()),
        (None, None) => {
            let what = "the message has no severity, and --severity gives none";
            Err(Diagnostic::new(Code::BadMessage, what))
        }
    }
}

/// Shows relapsed events with their keys.
pub fn relapsed(desk: &Desk, args: &RelapsedArgs) -> Outcome<bool> {
    let at = time(desk, args.time.as_deref())?;
    let timing = match args.renew {
        true => Some(timing(&args.severity, &args.window)?),
        false => None,
    };
    let format = ListFormat::or_usual(args.show.format);
    let asked = columns(&args.show.columns)?;
    let found = desk
        .events
        .relapsed(&args.group, &args.severity, at, desk.within())?;
    let mut rows = Vec::with_capacity(found.len());
    let mut keys: Vec<String> = Vec::new();
    let objects = matches!(format, ListFormat::Json | ListFormat::Jsonl);
    let shown = match (asked.is_empty(), objects) {
        (true, false) => COLUMNS[..6].to_vec(),
        _ => asked,
    };
    for relapsed in &found {
        keys.extend(relapsed.keys.iter().cloned());
        let row = &relapsed.record.row;
        let mut object = Map::new();
        object.insert("id".into(), json!(row.id));
        object.insert("keyids".into(), json!(relapsed.keys));
        if shown.is_empty() {
            let event = message(&relapsed.record, args.show.ghost)?.to_json();
            let event: Json = serde_json::from_slice(&event).unwrap_or_default();
            object.insert("event".into(), event);
        }
        for column in &shown {
            object.insert(column.name().into(), column_json(row, *column));
        }
        rows.push(Json::Object(object));
    }
    let mut names = vec!["id", "keyids"];
    names.extend(
        shown
            .iter()
            .map(|column| column.name())
            .filter(|name| *name != "id"),
    );
    output::table(format, &names, rows)?;
    if let Some(timing) = timing {
        keys.sort();
        keys.dedup();
        renew(&desk.events, &keys, timing, at, desk.within())?;
    }
    Ok(true)
}
