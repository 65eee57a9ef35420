//! The address of HBase's Thrift servers: `hbase://host:9090,other:9090?framed=true&timeout=10`.

use crate::config::mask_text;
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use std::time::Duration;

/// Where a server of Thrift 1 listens unless it was told otherwise.
const PORT: u16 = 9090;

/// How long an answer may take unless the address says otherwise.
const ANSWER: Duration = Duration::from_secs(10);

/// Which servers are asked, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Hosts and ports; they are tried in turn.
    pub servers: Vec<(String, u16)>,
    /// Whether every message has its length before it (`-framed` at the server).
    pub framed: bool,
    /// How long an answer may take.
    pub timeout: Duration,
}

impl Address {
    /// Reads an address. Errors: E0501.
    pub fn parse(text: &str) -> Outcome<Address> {
        let wrong = |what: &str| wrong(text, what);
        let rest = text
            .strip_prefix("hbase://")
            .ok_or_else(|| wrong("it does not begin with hbase://"))?;
        let (places, options) = rest.split_once('?').unwrap_or((rest, ""));
        let places = places.strip_suffix('/').unwrap_or(places);
        if places.contains('/') {
            return Err(wrong(
                "the table stands in the settings of the profiler, not in the address",
            ));
        }
        if places.contains('@') {
            return Err(wrong("Thrift 1 knows no users and no passwords"));
        }
        let mut address = Address {
            servers: Vec::new(),
            framed: false,
            timeout: ANSWER,
        };
        for place in places.split(',') {
            let server =
                server(place.trim()).ok_or_else(|| wrong("a server is HOST or HOST:PORT"))?;
            address.servers.push(server);
        }
        for option in options.split('&').filter(|option| !option.is_empty()) {
            match option.split_once('=') {
                Some(("framed", "true")) => address.framed = true,
                Some(("framed", "false")) => address.framed = false,
                Some(("timeout", seconds)) => {
                    let seconds = seconds
                        .parse::<u32>()
                        .ok()
                        .filter(|n| (1..=3600).contains(n));
                    let seconds = seconds.ok_or_else(|| wrong("timeout is 1 to 3600 seconds"))?;
                    address.timeout = Duration::from_secs(seconds.into());
                }
                _ => return Err(wrong("the options are framed=true and timeout=SECONDS")),
            }
        }
        Ok(address)
    }
}

fn wrong(text: &str, what: &str) -> Fault {
    let message = format!("{} is no address of HBase: {what}", mask_text(text));
    Diagnostic::new(Code::Configuration, message)
        .help("write store.profile like hbase://host:9090,other-host:9090, where Thrift 1 listens")
}

/// `host`, `host:port` or `[::1]:port`.
fn server(text: &str) -> Option<(String, u16)> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']')?;
            let port = match port {
                "" => None,
                port => Some(port.strip_prefix(':')?),
            };
            (host, port)
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let port = match port {
        Some(port) => port.parse().ok().filter(|port| *port != 0)?,
        None => PORT,
    };
    (!host.is_empty() && !host.contains(char::is_whitespace)).then(|| (host.to_string(), port))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn servers_and_options_are_read() {
        let address = Address::parse("hbase://a,b:1,[::1]:2,[::1]?framed=true&timeout=3").unwrap();
        let servers = [("a", 9090), ("b", 1), ("::1", 2), ("::1", 9090)];
        assert_eq!(
            address.servers,
            servers.map(|(host, port)| (host.to_string(), port))
        );
        assert!(address.framed && address.timeout == Duration::from_secs(3));
        assert!(!Address::parse("hbase://a/").unwrap().framed);
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "hbase://",
            "hbase://a,",
            "hbase://a:x",
            "hbase://a:0",
            "hbase://a/table",
            "redis://a",
            "hbase://u:secret@a",
            "hbase://a?timeout=0",
            "hbase://a?compact=true",
            "hbase://[::1",
            "hbase://a b",
        ] {
            let fault = Address::parse(text).unwrap_err();
            assert_eq!(fault.code, Code::Configuration, "{text}");
            assert!(!fault.message.contains("secret"), "{}", fault.message);
        }
    }
}
