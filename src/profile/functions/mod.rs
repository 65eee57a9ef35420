//! The profiler's functions in the language.

mod get;
mod library;
mod lints;
mod periods;
mod put;
mod run;

pub use periods::{draw_window, explain_window, lint_window};
pub use run::reports;

use super::measurement::Measurement;
use super::store::{Place, Profiles, Within};
use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::eval::{Call, Notes};
use crate::functions::spec::FunctionSpec;
use std::sync::Arc;

/// The functions of this room.
pub const FUNCTIONS: &[&[FunctionSpec]] = &[
    get::FUNCTIONS,
    library::FUNCTIONS,
    periods::FUNCTIONS,
    put::FUNCTIONS,
    run::FUNCTIONS,
];

/// The service of a call. Errors: E0217.
fn service(call: &Call<'_, '_>) -> Outcome<Arc<Profiles>> {
    call.context().services.get::<Profiles>().ok_or_else(|| {
        Diagnostic::new(
            Code::NotAvailable,
            format!("{} needs a store, and there is none", call.name),
        )
    })
}

/// Stores measurements and says what people should know about that. Errors: E0217 without a store, those of the store.
fn store(call: &Call<'_, '_>, place: &Place, measurements: &[Measurement]) -> Outcome<()> {
    let service = service(call)?;
    service.write(place, measurements, Within::call(call))?;
    let notes = call.context().services.get::<Notes>();
    for notice in service.notices() {
        match &notes {
            Some(notes) => notes.say(notice),
            // Where nobody shows notes this must be told all the same.
            None => tracing::warn!("{}: {notice}", call.name),
        }
    }
    Ok(())
}
