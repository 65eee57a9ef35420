//! Functions that need a service: enrichments from the embedded store.

mod enrichment;

pub use enrichment::{ENRICHMENT, Enrichments};

use crate::functions::spec::FunctionSpec;

/// The built-ins of this room.
pub const FAMILIES: &[&[FunctionSpec]] = &[enrichment::FUNCTIONS];
