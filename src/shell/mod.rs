//! The shell: a session of statements with variables, definitions and commands; its line editor and completion.

pub mod complete;
pub mod editor;
mod events;
mod help;
pub mod magic;
mod missing;
mod picture;
mod prompt;
mod repl;
mod session;
mod show;
mod table;
mod variables;

pub use help::topic as help_on;
pub use picture::{of_kind, picture_of, room};
pub use repl::{Front, interact};
pub use session::{Audience, Session, Shown};
pub use show::{Look, Mode, rows_of};
pub use table::{Columns, Fit, cell, draw};
pub use variables::{SessionVariables, Variable};
