//! Function declarations, the registry, and the built-ins that need nothing but values: one file a family.

pub mod checks;
pub mod cluster;
pub mod collections;
pub mod conversion;
pub mod dates;
pub mod encoding;
pub mod functional;
pub mod geohash;
pub mod grok;
pub mod hashing;
pub mod help;
pub mod json;
pub mod json_path;
pub mod keywords;
pub mod kryo;
pub mod library;
pub mod lints;
pub mod math;
pub mod network;
pub mod regex;
pub mod registry;
pub mod search;
pub mod shell;
pub mod sketches;
pub mod spec;
pub mod statistics;
pub mod strings;
pub mod tables;
pub mod triage;
pub mod user_agent;

use spec::FunctionSpec;

/// The built-ins of this room.
pub const FAMILIES: &[&[FunctionSpec]] = &[
    strings::FUNCTIONS,
    conversion::FUNCTIONS,
    collections::FUNCTIONS,
    functional::FUNCTIONS,
    math::FUNCTIONS,
    dates::FUNCTIONS,
    regex::FUNCTIONS,
    json::FUNCTIONS,
    json_path::FUNCTIONS,
    checks::FUNCTIONS,
    hashing::FUNCTIONS,
    encoding::FUNCTIONS,
    network::FUNCTIONS,
    user_agent::FUNCTIONS,
    statistics::FUNCTIONS,
    sketches::FUNCTIONS,
    geohash::FUNCTIONS,
    grok::FUNCTIONS,
    triage::FUNCTIONS,
    tables::FUNCTIONS,
    shell::FUNCTIONS,
];
