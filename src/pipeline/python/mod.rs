//! What users of feedoo see of Python: how values are printed, compared and put into templates.

mod dates;
mod equal;
mod format;
mod json;
mod repr;
mod strftime;
#[cfg(test)]
mod tests;

pub use dates::{Instant, local, parse_date};
pub use equal::{Key, equal};
pub use format::{Missing, Template};
pub use json::{write_json, write_json_text};
pub use repr::{float, text, write_record, write_repr};
pub use strftime::strftime;
