//! x
pub mod config;
pub mod diagnostic;
pub mod engine;
pub mod eval;
pub mod functions;
pub mod syntax;
