//! Actions that join pipelines with other systems.

mod event;
mod profile;
mod threshold;

use crate::pipeline::ActionSpec;

/// All of them.
pub const ACTIONS: &[&ActionSpec] = &[
    &event::OUTPUT_EVENT,
    &profile::FILTER_PROFILE,
    &threshold::FILTER_THRESHOLD,
];
