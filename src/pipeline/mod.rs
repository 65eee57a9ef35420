//! Pipelines: tagged events through the actions of a YAML file.

pub mod event;
pub mod python;
pub mod record;
pub mod tag;
pub mod yaml;

pub use event::{Event, Time};
pub use record::Record;
pub use tag::Pattern;
