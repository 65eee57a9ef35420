//! What all pictures are made of: a sheet of SVG with its colours, axes of values and of time, moments in words; and the
//! pictures that several systems draw.

pub mod bars;
pub mod clocks;
pub mod histogram;
pub mod scale;
pub mod shares;
pub mod spans;
pub mod svg;
pub mod time;
pub mod tree;

pub use svg::{Anchor, Place, Sheet, Size};
