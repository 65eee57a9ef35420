//! Files, globs, compression and standard input; lines and events in chunks over the cores with the order kept.

mod chunks;
mod event;
mod open;
mod order;
mod table;

pub use chunks::{Chunk, ChunkReader, lines};
pub use event::{EventReader, Wanted};
pub use open::{Format, Input, inputs};
pub use order::{Batch, Finish, Problem, Totals, Worker, process};
