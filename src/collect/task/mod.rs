//! Tasks: queries that keep collections filled, in the background and over restarts.

mod denied;
mod functions;
mod kept;
mod request;
mod service;
mod sink;
mod source;
mod status;
mod work;

pub use denied::{Denied, Number};
pub use functions::FUNCTIONS;
pub use kept::{Changed, Kept, Progress, TASK, Task};
pub use request::{Definition, Destination, Request, field_json};
pub use service::{Created, Given, Tasks, Who};
pub use source::add_sources;
pub use status::{MOVES, Move, STATUSES, Status};

#[cfg(test)]
mod tests;
