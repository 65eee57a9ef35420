//! Functions that need a service: requests, geography, files, enrichments.

mod editor;
mod enrichment;
mod files;
mod geo;
mod system;
mod web;

pub use editor::Terminal;
pub use enrichment::{ENRICHMENT, Enrichments};
pub use files::{Files, Objects, read_file};
pub use geo::{About, Databases, Subject};
pub use web::{Poster, Reply, Web};

use crate::functions::spec::FunctionSpec;

/// The built-ins of this room.
pub const FAMILIES: &[&[FunctionSpec]] = &[
    enrichment::FUNCTIONS,
    web::FUNCTIONS,
    geo::FUNCTIONS,
    files::FUNCTIONS,
    system::FUNCTIONS,
    editor::FUNCTIONS,
];
