//! Pipelines: tagged events through the actions of a YAML file.

pub mod actions;
pub mod config;
pub mod engine;
pub mod event;
pub mod expression;
pub mod forward;
pub mod graph;
pub mod python;
pub mod record;
pub mod rethink;
pub mod schema;
pub mod spec;
pub mod step;
pub mod tag;
pub mod template;
pub mod trial;
pub mod yaml;

pub use event::{Event, Time};
pub use record::Record;
pub use spec::{
    ActionKind, ActionSpec, Actions, Build, Common, ParameterKind, ParameterSpec, Parameters,
};
pub use tag::Pattern;
