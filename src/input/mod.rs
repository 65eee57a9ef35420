//! Files, globs, compression and standard input; lines and events in chunks over the cores with the order kept.

mod chunks;
mod event;
mod follow;
mod growing;
mod live;
mod open;
mod order;
mod place;
mod poll;
mod replace;
pub mod rotated;
mod rows;
mod source;
mod table;
mod time;

pub use chunks::{Chunk, ChunkReader, Line, lines};
pub use event::{EventReader, Wanted};
pub use growing::{Growing, Whole};
pub use live::Live;
pub use open::{Format, Input, cannot_read, inputs, no_file, once, read_text};
pub use order::{Batch, End, Finish, PART, Problem, Totals, Worker, process};
pub use place::{FOOT, HEAD, Id, Mark, Place, Trace, id};
pub use poll::{Batch as Polled, TOGETHER, poll};
pub use replace::replace;
pub use rotated::Opened;
pub use rows::FileRows;
pub use source::{Catalogue, Column, Columns, EVENTDATE, LAG, Rows, Source, Take, Wish};
pub use table::{Header, csv_line};
pub use time::moment;
