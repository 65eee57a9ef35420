//! `stellar store` and `stellar enrich`: the embedded file and what is loaded into it.

use super::args::{Common, EnrichCommand, ListFormat, LoadArgs, StoreCommand};
use super::{output, setup};
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use crate::eval::Value;
use crate::eval::collections::Map;
use crate::eval::json::{bad_json, read_event};
use crate::eval::text::to_text;
use crate::input::{ChunkReader, Input, inputs, lines};
use crate::store::Deadline;
use crate::world::Enrichments;
use serde_json::json;
use smol_str::SmolStr;

/// How many rows are stored at a time.
const ROWS: usize = 10_000;

/// Runs `stellar store`.
pub fn store(common: &Common, command: &StoreCommand) -> Outcome<bool> {
    let engine = setup::engine(common)?;
    let store = &engine.store;
    match command {
        StoreCommand::Check { format } => {
            let format = ListFormat::or_usual(*format);
            let report = store.check()?;
            if !report.exists {
                output::note(&format!(
                    "{} does not exist yet; the first write creates it",
                    report.path.display()
                ));
                output::table(format, &["table", "rows"], Vec::new())?;
                return Ok(true);
            }
            let rows = report
                .tables
                .iter()
                .map(|(table, rows)| json!({"table": table, "rows": rows}))
                .collect();
            output::table(format, &["table", "rows"], rows)?;
            if format == ListFormat::Table {
                let (bytes, free) = (report.bytes + report.log_bytes, report.free_bytes);
                output::line(&format!(
                    "{}: {bytes} bytes, {free} of them free",
                    report.path.display()
                ))?;
                for room in &report.rooms {
                    output::line(&format!("{}: version {}", room.room, room.found))?;
                }
            }
            for problem in &report.problems {
                output::note(problem);
            }
            Ok(report.problems.is_empty())
        }
        StoreCommand::Backup { file } => {
            store.backup(file)?;
            output::line(&format!(
                "{} is a copy of {}",
                file.display(),
                store.path().display()
            ))?;
            Ok(true)
        }
        StoreCommand::Compact => {
            let sizes = store.compact()?;
            output::line(&format!("{} bytes, {} before", sizes.after, sizes.before))?;
            Ok(true)
        }
        StoreCommand::Expire => {
            let context = &engine.context;
            let removed = store.expire(context.clock.now(), Deadline::NONE, &context.cancel)?;
            for (room, rows) in &removed {
                output::line(&format!("{room}: {rows} rows removed"))?;
            }
            if removed.is_empty() {
                output::line("nothing in the store expires")?;
            }
            Ok(true)
        }
    }
}

/// Runs `stellar enrich`.
pub fn enrich(common: &Common, command: &EnrichCommand) -> Outcome<bool> {
    let engine = setup::engine(common)?;
    let Some(service) = engine.context.services.get::<Enrichments>() else {
        return Err(Diagnostic::new(
            Code::NotAvailable,
            "there is no store for enrichments",
        ));
    };
    match command {
        EnrichCommand::Load(args) => load(&service, args, engine.context.limits.line),
        EnrichCommand::List { format } => {
            let format = ListFormat::or_usual(*format);
            let rows = service.list()?.into_iter().map(|(table, family, kind, count)| {
                json!({"type": kind, "count": count, "table": table, "column_family": family})
            });
            output::table(
                format,
                &["type", "count", "table", "column_family"],
                rows.collect(),
            )?;
            Ok(true)
        }
        EnrichCommand::Remove {
            kind,
            table,
            family,
        } => {
            let removed = service.remove(table, family, kind)?;
            output::line(&format!("{removed} enrichments of type {kind} removed"))?;
            Ok(true)
        }
    }
}

fn too_long(longest: usize) -> Fault {
    let message = format!("the line has more than {longest} bytes");
    Diagnostic::new(Code::LineLength, message)
}

/// Loads files; bad lines are shown and left out.
fn load(service: &Enrichments, args: &LoadArgs, longest: usize) -> Outcome<bool> {
    let found = inputs(&args.files)?;
    let mut reader = ChunkReader::new(&found, None, longest);
    let (mut loaded, mut bad) = (0, 0);
    let mut rows: Vec<(SmolStr, Map)> = Vec::new();
    let name = |input: usize| found.get(input).map(Input::name).unwrap_or_default();
    let mut damage = None;
    loop {
        let chunk = match reader.next(Vec::new()) {
            Ok(Some(chunk)) => chunk,
            Ok(None) => break,
            // What came before the damage is stored all the same.
            Err(fault) => {
                damage = Some(fault);
                break;
            }
        };
        if chunk.too_long {
            bad += 1;
            let line = chunk.lines_before + 1;
            let (name, fault) = (name(chunk.input), too_long(longest));
            output::note(&format!("{name}:{line}: {}", fault.message));
        }
        for line in lines(&chunk) {
            let event = match &chunk.header {
                _ if line.whole.len() > longest => Err(too_long(longest)),
                None => read_event(line.text).map_err(|b| bad_json(Code::BadLine, &b)),
                Some(header) => header.event(line.text),
            };
            let row = event.and_then(|event| match event.get_text(&args.indicator) {
                Some(indicator) if !indicator.is_null() => {
                    event.change(|entries| entries.shift_remove(&Value::text(&args.indicator)))?;
                    Ok((to_text(&indicator), event))
                }
                _ => Err(Diagnostic::new(
                    Code::BadLine,
                    format!("there is no {}", args.indicator),
                )),
            });
            match row {
                Ok(row) => rows.push(row),
                Err(fault) => {
                    bad += 1;
                    if bad <= 10 {
                        let (name, line) = (name(chunk.input), line.before + 1);
                        output::note(&format!("{name}:{line}: {}", fault.message));
                    }
                }
            }
            if rows.len() >= ROWS {
                loaded += rows.len();
                service.put(
                    &args.table,
                    &args.family,
                    &args.kind,
                    std::mem::take(&mut rows),
                )?;
            }
        }
    }
    loaded += rows.len();
    if !rows.is_empty() {
        service.put(&args.table, &args.family, &args.kind, rows)?;
    }
    output::line(&format!(
        "{loaded} enrichments of type {} loaded, {bad} lines bad",
        args.kind
    ))?;
    match damage {
        Some(fault) => Err(fault),
        None => Ok(bad == 0),
    }
}
