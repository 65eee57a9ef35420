//! Function declarations, the registry, and the built-ins that need nothing but values: one file a family.

pub mod checks;
pub mod collections;
pub mod conversion;
pub mod dates;
pub mod functional;
pub mod help;
pub mod json;
pub mod library;
pub mod math;
pub mod regex;
pub mod registry;
pub mod spec;
pub mod strings;
pub mod tables;

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
    checks::FUNCTIONS,
    tables::FUNCTIONS,
];
