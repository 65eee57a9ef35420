//! `%store`: what the embedded file holds.

use super::{Request, bad};
use crate::diagnostic::{Outcome, Page, Style, Table};
use crate::shell::session::{Session, Shown};
use crate::store::Report;

/// What `%store` can do besides; the rest has a command of its own.
pub const PARTS: &[&str] = &["check"];

pub(super) fn store(session: &Session, request: &Request<'_>) -> Outcome<Shown> {
    let engine = session.engine();
    let (store, context) = (&engine.store, &engine.context);
    let whole = match request.rest {
        "" => false,
        "check" => true,
        other => {
            let word = other.split_whitespace().next().unwrap_or(other);
            let fault = bad(format!("%store does not know {word}"));
            return Err(match word {
                "backup" | "compact" | "expire" => fault.help(format!(
                    "the command stellar store {word} does it, also while this session runs"
                )),
                _ if word.contains("://") => fault.help("%connect connects a system to a server"),
                _ => fault.help("write %store, or %store check"),
            });
        }
    };
    let report = store.examine(whole, &context.cancel)?;
    // What was given up half-way says nothing about the file.
    context.check_cancelled()?;
    Ok(Shown::Page(page(&report, whole), None))
}

fn page(report: &Report, whole: bool) -> Page {
    let mut page = Page::new();
    let path = report.path.display();
    if !report.exists {
        page.line(format!(
            "{path} does not exist yet; the first write creates it"
        ));
        return page;
    }
    let filled = |rows: &u64| whole || *rows > 0;
    let shown = || report.tables.iter().filter(|(_, rows)| filled(rows));
    let width = shown().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, rows) in shown() {
        page.put(Style::Name, format!("{name:<width$}"));
        page.line(format!("  {rows}"));
    }
    let empty = report.tables.len() - shown().count();
    let mut last = format!(
        "{path}: {} bytes, {} of them free",
        report.bytes + report.log_bytes,
        report.free_bytes
    );
    if empty > 0 {
        last.push_str(&format!("; {empty} tables are empty"));
    }
    page.put(Style::Quiet, last.as_str()).end();
    for problem in &report.problems {
        page.put(Style::Warning, problem.as_str()).end();
    }
    let good = report.problems.is_empty();
    if whole && good {
        page.line("nothing is wrong with it");
    }
    // A table could not show what is wrong.
    if good && shown().next().is_some() {
        page.table(Table {
            names: vec!["table".to_string(), "rows".to_string()],
            rows: shown()
                .map(|(name, rows)| vec![name.clone(), rows.to_string()])
                .collect(),
        });
    }
    page
}
