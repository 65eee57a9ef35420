//! `stellar event threshold` and `stellar event relapsed`.

use super::Desk;
use super::args::{ApplyArgs, RelapsedArgs, ThresholdCommand, WindowArgs};
use super::asked::{columns, length, time};
use super::load::{Found, messages, options};
use crate::cli::args::ListFormat;
use crate::cli::output;
use crate::cli::progress::{Complaints, Progress};
use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::event::COLUMNS;
use crate::event::shape::{column_json, message, time_text};
use crate::event::store::{Threshold, Thresholded};
use crate::event::thresholding::{SEVERITIES, Setting, Timing, decide, renew};
use crate::input::{ChunkReader, Format, Problem, inputs};
use serde_json::{Map, Value as Json, json};

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

/// Says of each message whether to report it.
fn apply(desk: &Desk, args: &ApplyArgs) -> Outcome<bool> {
    if let Some(severity) = &args.severity {
        timing(severity, &args.window)?;
    }
    let found = inputs(&args.files)?;
    let context = &desk.engine.context;
    let mut reader = ChunkReader::new(&found, Some(Format::JsonLines), context.limits.line)
        .cancelled_by(&context.cancel);
    let mut complaints = Complaints::new(&found);
    let progress = Progress::new(&found, reader.taken.clone());
    let format = ListFormat::or_usual(args.format);
    let columns = ["id", "verdict", "severity", "sources"];
    let mut rows = Vec::new();
    let mut bad = 0;
    let options = options(desk, &args.private_key);
    let damage = messages(desk, &options, &mut reader, |input, line, found| {
        let message = match found {
            Found::Line(_, message) => message,
            Found::Part(_, Some(fault)) => Err(fault),
            Found::Part(_, None) => return Ok(()),
        };
        let decided = message.and_then(|message| {
            let severity = match (&args.severity, message.severity()) {
                (Some(severity), _) => severity.clone(),
                (None, Some(severity)) => severity.to_lowercase(),
                (None, None) => {
                    let what = "the message has no severity, and --severity gives none";
                    return Err(Diagnostic::new(Code::BadMessage, what));
                }
            };
            let setting = Setting {
                group: &args.group,
                severity: &severity,
                timing: timing(&severity, &args.window)?,
            };
            let decision = decide(&desk.events, &message, setting, desk.now(), desk.within())?;
            let sources: Map<String, Json> = decision
                .sources
                .iter()
                .map(|decided| (decided.source.clone(), json!(decided.verdict.name())))
                .collect();
            Ok(json!({
                "id": message.id(), "verdict": decision.verdict.name(), "severity": severity, "sources": sources,
            }))
        });
        match decided {
            // Verdicts are lost if they do not come out before something fails.
            Ok(row) if format == ListFormat::Jsonl => output::line(&row.to_string()),
            Ok(row) => {
                rows.push(row);
                Ok(())
            }
            Err(fault) if matches!(fault.code, Code::EventStorage | Code::Interrupted) => {
                Err(fault)
            }
            Err(fault) => {
                bad += 1;
                let problem = Problem { line, fault };
                complaints.show(input, std::iter::once(&problem), &progress);
                Ok(())
            }
        }
    });
    complaints.count_the_rest(bad);
    if format != ListFormat::Jsonl {
        output::table(format, &columns, rows)?;
    }
    match damage? {
        Some(damage) => Err(damage),
        None => Ok(bad == 0),
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
