//! Whether a server answers at all.

use super::{Deadline, wait};
use crate::config::{Secretive, mask_text, usual_port};
use crate::diagnostic::{Code, Diagnostic, Outcome};
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

/// Connects to a configured server: its place and how long that took. Errors: E0604, E0503.
pub fn reach(
    address: &Secretive,
    patience: Duration,
    cancel: &AtomicBool,
) -> Outcome<(String, Duration)> {
    let resolved = address.resolve()?;
    let place = host_and_port(resolved.expose()).ok_or_else(|| {
        Diagnostic::new(
            Code::Configuration,
            format!("{} is no address of a server", mask_text(address.raw())),
        )
    })?;
    let started = Instant::now();
    let connecting = tokio::net::TcpStream::connect(place.clone());
    match wait(connecting, Deadline::after(patience), cancel)? {
        Ok(_) => Ok((place, started.elapsed())),
        Err(error) => Err(Diagnostic::new(
            Code::ServerFailed,
            format!("{place} does not answer: {error}"),
        )),
    }
}

/// `host:port` of an address such as `redis://user:secret@host:6379/0`.
fn host_and_port(address: &str) -> Option<String> {
    let (scheme, rest) = address.split_once("://")?;
    let authority = rest.split(['/', '?']).next()?;
    let place = authority.rsplit('@').next()?;
    let usual = usual_port(scheme)?;
    let has_port = place
        .rsplit_once(':')
        .is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    (!place.is_empty()).then(|| {
        if has_port {
            place.to_string()
        } else {
            format!("{place}:{usual}")
        }
    })
}
