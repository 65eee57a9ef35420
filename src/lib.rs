//! An expression language for security telemetry, and everything that the program `stellar` is made of.
//!
//! [`engine::Engine`] is the one way in: it compiles and evaluates expressions.

pub mod cli;
pub mod collect;
pub mod config;
pub mod diagnostic;
pub mod drawing;
pub mod engine;
pub mod eval;
pub mod event;
pub mod functions;
pub mod input;
pub mod kernel;
pub mod pipeline;
pub mod profile;
pub mod rule;
pub mod server;
pub mod shell;
pub mod store;
pub mod syntax;
pub mod world;
