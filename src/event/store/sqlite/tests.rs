//! The embedded store of events.
