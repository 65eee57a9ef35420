//! Correlation rules: Lua over a stream of events, and what such rules are made of.

pub mod alert;
pub mod constructor;
pub mod duration;
pub mod format;
pub mod grouper;
pub mod layout;
pub mod model;
pub mod regexp;
pub mod store;
pub mod tables;
pub mod template;
