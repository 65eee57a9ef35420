//! Correlation rules: Lua over a stream of events, and what such rules are made of.

pub mod active;
pub mod alert;
pub mod bundle;
pub mod check;
pub mod constructor;
pub mod duration;
pub mod event;
pub mod format;
mod functions;
pub mod grouper;
pub mod http;
mod identifier;
pub mod layout;
pub mod library;
pub mod lua;
pub mod model;
pub mod overlay;
pub mod regexp;
pub mod store;
pub mod tables;
pub mod template;
pub mod trial;

pub use identifier::identifier;

use crate::functions::spec::FunctionSpec;

/// The functions of this room.
pub const FAMILIES: &[&[FunctionSpec]] = &[functions::FUNCTIONS, functions::STORED];
