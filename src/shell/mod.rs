//! The shell: a session of statements with variables, definitions and magics.

mod magic;
mod session;

pub use session::{Session, SessionVariables, Shown, Variable};
