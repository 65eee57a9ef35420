//! `stellar event search`, `count`, `delete`, `get` and `sql`.

use super::Desk;
use super::args::{PagingArgs, QueryArgs, ShowArgs, SqlKind};
use super::asked::{columns, query, silent_query};
use super::show::Printer;
use crate::cli::output;
use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::event::COLUMNS;
use crate::event::query::Kind;

/// Finds events and prints each as it comes.
pub fn search(
    desk: &Desk,
    args: &QueryArgs,
    paging: &PagingArgs,
    show: &ShowArgs,
) -> Outcome<bool> {
    let mut printer = Printer::new(show)?;
    let query = query(desk, args, paging)?;
    let wanted = printer.columns().to_vec();
    let found = desk.events.each(&query, &wanted, desk.within(), |record| {
        printer.put(&record)
    });
    printer.finish()?;
    found?;
    Ok(true)
}

/// Prints a number.
pub fn count(desk: &Desk, args: &QueryArgs) -> Outcome<bool> {
    let query = query(desk, args, &PagingArgs::default())?;
    let count = desk.events.count(&query, desk.within())?;
    output::line(&count.to_string())?;
    Ok(true)
}

/// Removes events; none when it is not clear which.
pub fn delete(desk: &Desk, ids: &[String], args: &QueryArgs, all: bool) -> Outcome<bool> {
    let usage = |message: &str| {
        Diagnostic::new(Code::Usage, message.to_string())
            .help("--all removes all events, --where some, an identifier one")
    };
    if !ids.is_empty() {
        let mut removed = 0;
        for id in ids {
            match desk.events.delete(id, desk.within())? {
                true => removed += 1,
                false => output::note(&format!("there is no event {id}")),
            }
        }
        output::line(&removals(removed))?;
        return Ok(removed == ids.len() as u64);
    }
    if args.parameters.is_none() && !all {
        return Err(usage("nothing says which events shall be removed"));
    }
    let query = silent_query(desk, args, &PagingArgs::default())?;
    if !all {
        query
            .check_removal()
            .map_err(|fault| usage(&fault.message))?;
    }
    let removed = desk.events.delete_events(&query, desk.within())?;
    output::line(&removals(removed))?;
    Ok(true)
}

fn removals(count: u64) -> String {
    format!("{count} event{} removed", if count == 1 { "" } else { "s" })
}

/// Prints the events of identifiers; false when one is missing.
pub fn get(desk: &Desk, ids: &[String], show: &ShowArgs) -> Outcome<bool> {
    let mut printer = Printer::new(show)?;
    let mut whole = true;
    for id in ids {
        match desk.events.fetch(id, desk.within())? {
            Some(record) => {
                printer.put(&record)?;
            }
            None => {
                whole = false;
                output::note(&format!("there is no event {id}"));
            }
        }
    }
    printer.finish()?;
    Ok(whole)
}

/// Prints what would run on PostgreSQL.
pub fn sql(
    desk: &Desk,
    kind: SqlKind,
    args: &QueryArgs,
    paging: &PagingArgs,
    names: &[String],
) -> Outcome<bool> {
    let columns = columns(names)?;
    let query = query(desk, args, paging)?;
    let kind = match kind {
        SqlKind::Select if columns.is_empty() => Kind::Select(COLUMNS),
        SqlKind::Select => Kind::Select(&columns),
        SqlKind::Count => Kind::Count,
        SqlKind::Delete => Kind::Delete,
    };
    output::line(&desk.events.mogrify(&query, kind))?;
    Ok(true)
}
