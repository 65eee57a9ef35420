//! `stellar profile create-table` and `stellar profile spool`: the server that profiles are written to.

use super::args::{ListFormat, SpoolCommand};
use super::output;
use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::engine::Engine;
use crate::profile::client;
use crate::profile::period::push_instant;
use crate::profile::store::hbase::Made;
use crate::profile::store::{Spool, Spooled, Within};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// The server of an engine. Errors: E0217 when measurements are in the embedded file.
fn server(engine: &Engine) -> Outcome<Arc<Spooled>> {
    engine.context.services.get::<Spooled>().ok_or_else(|| {
        let message = "measurements are in the embedded file: there is no server for them";
        Diagnostic::new(Code::NotAvailable, message)
            .help("store.profile names one, like hbase://host:9090")
    })
}

fn measurements(count: u64) -> String {
    format!("{count} measurement{}", if count == 1 { "" } else { "s" })
}

/// Runs `stellar profile create-table`.
pub fn create_table(engine: &Engine) -> Outcome<bool> {
    let server = server(engine)?;
    let place = client::place(&engine.context, None)?;
    let made = server.create_table(&place, Within::context(&engine.context))?;
    let what = format!("table {} with column family {}", place.table, place.family);
    output::line(&match made {
        Made::New => format!("{what} was made"),
        Made::There => format!("{what} is there already"),
    })?;
    Ok(true)
}

fn instant(millis: i64) -> String {
    let mut text = String::new();
    push_instant(&mut text, millis);
    text
}

/// Runs `stellar profile spool`.
pub fn spool(
    engine: &Engine,
    command: Option<&SpoolCommand>,
    format: Option<ListFormat>,
) -> Outcome<bool> {
    match command {
        None => {
            let Spool {
                count,
                oldest,
                fault,
            } = Spool::of(&engine.store)?;
            let (why, tried) = fault.unzip();
            let row = json!({
                "measurements": count, "oldest": oldest.map(instant), "tried": tried.map(instant), "error": why,
            });
            let columns = ["measurements", "oldest", "tried", "error"];
            output::table(ListFormat::or_usual(format), &columns, vec![row])?;
            Ok(true)
        }
        Some(SpoolCommand::Flush) => {
            let drained = server(engine)?.drain(Within::context(&engine.context))?;
            output::line(&format!("{} written", measurements(drained.written as u64)))?;
            let Some(fault) = drained.fault else {
                return Ok(true);
            };
            output::note(&format!(
                "{} still waiting",
                measurements(Spool::of(&engine.store)?.count)
            ));
            Err(fault)
        }
    }
}

/// What `stellar doctor` says about the server, the table and the spool; false when something is wrong.
pub fn doctor(engine: &Engine, patience: Duration) -> Outcome<bool> {
    let mut good = true;
    if let Some(server) = engine.context.services.get::<Spooled>() {
        let place = client::place(&engine.context, None)?;
        let (table, family) = (&place.table, &place.family);
        match server.examine(&place, patience, Within::context(&engine.context)) {
            Ok(health) => {
                good = health.table
                    && health.families.contains(family)
                    && health.other_divisor.is_none();
                let state = match (
                    health.table,
                    health.families.contains(family),
                    health.other_divisor,
                ) {
                    (false, ..) => format!(
                        "there is no table {table}: `stellar profile create-table` makes it"
                    ),
                    (_, false, _) => format!("table {table} has no column family {family}"),
                    (_, _, Some(divisor)) => format!(
                        "the rows of table {table} were written with the salt divisor {divisor}, not {} ({})",
                        place.divisor,
                        client::DIVISOR
                    ),
                    _ => format!("table {table} with column family {family} is there"),
                };
                output::line(&format!(
                    "profile store: HBase answers in {:?}; {state}",
                    health.latency
                ))?;
            }
            Err(fault) => {
                good = false;
                output::line(&format!("profile store: {}", fault.message))?;
            }
        }
    }
    let spool = Spool::of(&engine.store)?;
    if spool.count > 0 {
        let since = spool.oldest.map_or_else(String::new, |oldest| {
            format!(", the oldest of {}", instant(oldest))
        });
        let why = spool.fault.map_or_else(String::new, |(why, at)| {
            format!("; tried {}: {why}", instant(at))
        });
        output::line(&format!("spool: {}{since}{why}", measurements(spool.count)))?;
    } else if engine.config.store.profile.is_some() {
        output::line("spool: empty")?;
    }
    Ok(good)
}
