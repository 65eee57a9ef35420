//! Rules of the store at work: ready to run, many of them over a stream, with what becomes of their alerts.

mod filter;
mod fleet;
mod identity;
mod keeper;
mod lane;
mod metrics;
mod pace;
mod patient;
mod pending;
mod ready;
mod worker;

#[cfg(test)]
mod tests;

pub use filter::{Filter, reading};
pub use fleet::{Fleet, Keep, Manner, Outcomes, Which};
pub use lane::{Lane, Raised, Said};
pub use metrics::{FunctionMetrics, Metrics};
pub use pace::Pace;
pub use patient::PatientTables;
pub use ready::{Ready, find, find_rule, options};
