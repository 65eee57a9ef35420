//! What all pictures are made of: axes of values and of time, moments in words, a sheet of SVG with its colours, frames and
//! bars of characters; and the pictures that several systems draw. Each is drawn twice from the same numbers and the same
//! axes: for a page, and for a terminal.

pub mod bars;
pub mod canvas;
pub mod clocks;
pub mod counts;
pub mod drawn;
pub mod histogram;
pub mod scale;
pub mod shares;
pub mod spans;
pub mod svg;
pub mod text;
pub mod time;
pub mod tree;

pub use crate::diagnostic::{Drawing, Room, Size, Theme};
pub use svg::{Anchor, Place, Sheet};
pub use text::wrapped;
