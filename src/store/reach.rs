//! Whether a server answers at all.

use super::{Deadline, wait};
use crate::config::{Secretive, mask_text, usual_port};
use crate::diagnostic::{Code, Diagnostic, Outcome};
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

/// A server and how long it took to answer, or why it did not.
pub type Reached = (String, Outcome<Duration>);

/// Connects to each server of a configured address; each has so much time. Errors: E0604, E0306 when none answers, E0503.
pub fn reach(
    address: &Secretive,
    patience: Duration,
    cancel: &AtomicBool,
) -> Outcome<Vec<Reached>> {
    let resolved = address.resolve()?;
    let places = hosts_and_ports(resolved.expose()).ok_or_else(|| {
        Diagnostic::new(
            Code::Configuration,
            format!("{} is no address of a server", mask_text(address.raw())),
        )
    })?;
    let mut found = Vec::with_capacity(places.len());
    for place in places {
        let started = Instant::now();
        let connecting = tokio::net::TcpStream::connect(place.clone());
        let answer = match wait(connecting, Deadline::after(patience), cancel) {
            Ok(Ok(_)) => Ok(started.elapsed()),
            Ok(Err(error)) => Err(Diagnostic::new(
                Code::ServerFailed,
                format!("{place} does not answer: {error}"),
            )),
            Err(fault) if fault.code == Code::Timeout => {
                let message = format!("{place} does not answer within {patience:?}");
                Err(Diagnostic::new(fault.code, message))
            }
            Err(fault) => return Err(fault),
        };
        found.push((place, answer));
    }
    if found.iter().any(|(_, answer)| answer.is_ok()) {
        return Ok(found);
    }
    let mut faults = found.into_iter().filter_map(|(_, answer)| answer.err());
    match faults.next() {
        Some(first) => Err(faults.fold(first, |first, next| first.note(next.message))),
        None => Ok(Vec::new()),
    }
}

/// What [`reach`] found out about one server, in words.
pub fn in_words((place, answer): &Reached) -> String {
    match answer {
        Ok(time) => format!("{place} answers in {time:?}"),
        Err(fault) => fault.message.clone(),
    }
}

/// `host:port` of each server of an address such as `redis://user:secret@host:6379/0` or `hbase://host,other:9091`.
fn hosts_and_ports(address: &str) -> Option<Vec<String>> {
    let (scheme, rest) = address.split_once("://")?;
    let authority = rest.split(['/', '?']).next()?;
    let places = authority.rsplit('@').next()?;
    let usual = usual_port(scheme)?;
    let place = |place: &str| {
        let place = place.trim();
        let port = place.rsplit_once(':').map(|(_, port)| port.parse::<u16>());
        match (place, port) {
            ("", _) => None,
            (_, Some(Ok(_))) => Some(place.to_string()),
            _ => Some(format!("{place}:{usual}")),
        }
    };
    places.split(',').map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::hosts_and_ports;

    #[test]
    fn every_server_of_an_address_is_found() {
        let found = |address: &str| hosts_and_ports(address).map(|places| places.join(" "));
        let is = |text: &str| Some(text.to_string());
        assert_eq!(found("redis://user:secret@host:1/0"), is("host:1"));
        assert_eq!(found("hbase://a,b:1, [::1]"), is("a:9090 b:1 [::1]:9090"));
        assert_eq!(found("postgres://u:p,w@a,b:7/d?x=y,z"), is("a:5432 b:7"));
        assert_eq!(found("hbase://a,"), None);
        assert_eq!(found("foo://a"), None);
        assert_eq!(found("host:1"), None);
    }
}
