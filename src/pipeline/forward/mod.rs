//! The forward protocol of Fluentd and Fluent Bit, version 1: server and client.

mod client;
mod connection;
mod handshake;
mod message;
mod pack;
mod server;
#[cfg(test)]
mod tests;
mod text;
mod tls;
mod write;

pub use client::{Client, Sending};
pub use connection::{Answers, Peer};
pub use handshake::{Gate, Pass};
pub use message::{Body, Message, Parts, check, read, unpack};
pub use pack::{Reader, Trouble};
pub use server::{Block, Next, Server, Serving};
pub use tls::{acceptor, connector};
pub use write::entry;
