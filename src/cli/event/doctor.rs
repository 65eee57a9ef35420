//! What `stellar doctor` says about the database of events.

use crate::cli::output;
use crate::diagnostic::Outcome;
use crate::engine::Engine;
use crate::event::store::Configured;
use crate::store::{Deadline, Within};
use std::time::Duration;

/// Says whether the database answers and what it lacks; false when something is wrong.
pub fn doctor(engine: &Engine, patience: Duration) -> Outcome<bool> {
    let server = engine.context.services.get::<Configured>();
    let Some(server) = server.filter(|_| engine.config.store.event.is_some()) else {
        return Ok(true);
    };
    let within = Within {
        deadline: Deadline::after(patience),
        ..Within::context(&engine.context)
    };
    let health = match server.postgres().and_then(|store| store.examine(within)) {
        Ok(health) => health,
        Err(fault) => {
            output::line(&format!("event store: {}", fault.message))?;
            return Ok(false);
        }
    };
    let ip4r = match &health.ip4r {
        Some(version) => format!("ip4r {version} is there"),
        None => "the extension ip4r is missing: an administrator runs CREATE EXTENSION ip4r in this database"
            .to_string(),
    };
    let tables = match health.missing.len() {
        0 => "the tables are there".to_string(),
        all if all == health.tables => {
            "there are no tables: `stellar event init` creates them".to_string()
        }
        _ => format!(
            "tables are missing ({}): `stellar event init` creates them",
            health.missing.join(", ")
        ),
    };
    output::line(&format!(
        "event store: PostgreSQL {} answers in {:?}; {ip4r}; {tables}",
        health.version, health.latency
    ))?;
    Ok(health.ip4r.is_some() && health.missing.is_empty())
}
