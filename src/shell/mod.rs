//! The shell: a session of statements with variables, definitions and magics.

mod magic;
mod repl;
mod session;

pub use repl::interact;
pub use session::{Session, SessionVariables, Shown, Variable};
