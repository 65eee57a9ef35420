//! Actions that join pipelines with other systems.

mod collect;
mod event;
mod lookup;
mod profile;
mod rule;
mod threshold;

use crate::pipeline::ActionSpec;

/// All of them.
pub const ACTIONS: &[&ActionSpec] = &[
    &collect::FILTER_COLLECT,
    &collect::OUTPUT_REDIS,
    &event::OUTPUT_EVENT,
    &lookup::FILTER_LOOKUP,
    &profile::FILTER_PROFILE,
    &rule::FILTER_RULE,
    &threshold::FILTER_THRESHOLD,
];
