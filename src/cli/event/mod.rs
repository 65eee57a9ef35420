//! `stellar event`: security events as IDEA messages, embedded or in PostgreSQL.

mod args;
mod asked;
mod doctor;
mod load;
mod search;
mod show;
mod sums;
mod threshold;
mod upkeep;

pub use args::EventCommand;
pub use doctor::doctor;

use super::args::Common;
use super::setup;
use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::engine::Engine;
use crate::event::Events;
use std::sync::Arc;

/// Runs `stellar event`.
pub fn event(common: &Common, command: &EventCommand) -> Outcome<bool> {
    let engine = setup::engine(common)?;
    let Some(events) = engine.context.services.get::<Events>() else {
        return Err(Diagnostic::new(
            Code::NotAvailable,
            "there is no store for events",
        ));
    };
    let desk = Desk { engine, events };
    match command {
        EventCommand::Init => upkeep::init(&desk),
        EventCommand::Drop { all } => upkeep::drop_all(&desk, *all),
        EventCommand::Index(command) => upkeep::index(&desk, command),
        EventCommand::Status { settings, format } => upkeep::status(&desk, *settings, *format),
        EventCommand::Load(args) => load::load(&desk, args),
        EventCommand::Search {
            query,
            paging,
            show,
        } => search::search(&desk, query, paging, show),
        EventCommand::Count { query } => search::count(&desk, query),
        EventCommand::Delete { ids, query, all } => search::delete(&desk, ids, query, *all),
        EventCommand::Get { ids, show } => search::get(&desk, ids, show),
        EventCommand::Distinct { column, format } => sums::distinct(&desk, column, *format),
        EventCommand::Aggregate {
            column,
            query,
            top,
            format,
        } => sums::aggregate(&desk, column, query, *top, *format),
        EventCommand::Timeline(args) => sums::timeline(common, &desk, args),
        EventCommand::Sql {
            kind,
            query,
            paging,
            columns,
        } => search::sql(&desk, *kind, query, paging, columns),
        EventCommand::Cleanup {
            table,
            column,
            before,
        } => upkeep::cleanup(&desk, table, column.as_deref(), before),
        EventCommand::Watchdog { seconds } => upkeep::watchdog(&desk, *seconds),
        EventCommand::Threshold(command) => threshold::threshold(&desk, command),
        EventCommand::Relapsed(args) => threshold::relapsed(&desk, args),
    }
}

/// What every command works with.
struct Desk {
    engine: Engine,
    events: Arc<Events>,
}

impl Desk {
    /// What calls must keep to.
    fn within(&self) -> crate::store::Within<'_> {
        crate::store::Within::context(&self.engine.context)
    }

    /// Now, in microseconds.
    fn now(&self) -> i64 {
        self.engine.context.clock.now().saturating_mul(1000)
    }
}
