//! Collections: queries whose results are kept for look-ups.

pub mod query;
pub mod sources;
