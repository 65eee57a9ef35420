//! Tree to program to value: the values and their rules, the compiler, the interpreter, and the [`Context`].
//! No input or output happens here: a function reaches the world only through a service found in the context.

mod arithmetic;
pub mod collections;
mod compare;
mod compile;
mod context;
pub mod convert;
mod effects;
mod function;
pub mod hash_code;
mod interpret;
pub mod java;
pub mod json;
mod lambda;
mod later;
mod limits;
mod notes;
mod own;
mod program;
mod run;
pub mod text;
mod trace;
mod value;

pub use compare::{equal, order, same, text_order};
pub use compile::{call_builtin, compile, compile_tree};
pub use context::{Clock, Context, Globals, NoVariables, Services, Variables, look_up};
pub use effects::Effects;
pub use function::{Arguments, Builtin, Call, Functions, Lint, Prepare, Prepared};
pub use lambda::{Definition, Lambda};
pub use later::{Asker, Later};
pub use limits::Limits;
pub use notes::Notes;
pub use own::own;
pub use program::Program;
pub use trace::{Part, Traced, trace};
pub use value::{Object, Value};
