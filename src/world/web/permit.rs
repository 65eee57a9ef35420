//! What requests may reach: `functions.network`, `functions.hosts`, `functions.public_only`.

use crate::config::FunctionsConfig;
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use url::{Host, Url};

/// What the configuration lets functions reach.
#[derive(Debug, Clone, Default)]
pub struct Permit {
    network: bool,
    hosts: Vec<String>,
    public_only: bool,
}

impl Permit {
    /// As configured.
    pub fn new(config: &FunctionsConfig) -> Permit {
        let tidy = |host: &String| host.trim().trim_end_matches('.').to_ascii_lowercase();
        Permit {
            network: config.network,
            hosts: config.hosts.iter().map(tidy).collect(),
            public_only: config.public_only,
        }
    }

    /// For this host only, wherever it lies: the operator named it.
    pub fn only(host: &str) -> Permit {
        Permit {
            network: true,
            hosts: vec![host.trim_end_matches('.').to_ascii_lowercase()],
            public_only: false,
        }
    }

    /// Whether requests are allowed at all. Errors: E0217.
    pub fn check_network(&self, function: &str) -> Outcome<()> {
        if self.network {
            return Ok(());
        }
        Err(Diagnostic::new(
            Code::NotAvailable,
            format!("{function} may not use the network"),
        )
        .help("set functions.network = true in the configuration, or --set functions.network=true"))
    }

    /// Whether requests may go to this place; addresses behind names are checked when they are known.
    /// Errors: E0217.
    pub fn check_url(&self, url: &Url) -> Outcome<()> {
        if !matches!(url.scheme(), "http" | "https") {
            let message = format!(
                "requests go to http and https only, not to {}",
                url.scheme()
            );
            return Err(Diagnostic::new(Code::NotAvailable, message));
        }
        match url.host() {
            Some(Host::Domain(name)) => self.check_name(name),
            Some(Host::Ipv4(address)) => self.check_literal(address.into()),
            Some(Host::Ipv6(address)) => self.check_literal(address.into()),
            None => Err(Diagnostic::new(
                Code::NotAvailable,
                "the address names no host",
            )),
        }
    }

    fn check_literal(&self, address: IpAddr) -> Outcome<()> {
        self.check_name(&address.to_string())?;
        self.check_address(&address.to_string(), address)
    }

    fn check_name(&self, name: &str) -> Outcome<()> {
        if self.hosts.is_empty() || self.lists(name) {
            return Ok(());
        }
        Err(
            Diagnostic::new(Code::NotAvailable, format!("requests may not go to {name}"))
                .help("functions.hosts in the configuration lists the hosts that are allowed"),
        )
    }

    /// Whether `name` is named in `functions.hosts`.
    fn lists(&self, name: &str) -> bool {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        self.hosts.iter().any(|host| match host.strip_prefix("*.") {
            Some(domain) => name
                .strip_suffix(domain)
                .is_some_and(|rest| rest.ends_with('.')),
            None => *host == name,
        })
    }

    /// Whether a connection to this address is allowed, which is what `name` stands for. A host that is listed may
    /// lie anywhere. Errors: E0217.
    pub fn check_address(&self, name: &str, address: IpAddr) -> Outcome<()> {
        if self.lists(name) {
            return Ok(());
        }
        let address = address.to_canonical();
        let refused = |what: &str| -> Fault {
            Diagnostic::new(
                Code::NotAvailable,
                format!("requests may not go to {name}: {address} is {what}"),
            )
        };
        if link_local(address) {
            // Machines in clouds give out credentials there.
            return Err(refused("a link-local address").help(format!(
                "list {name} in functions.hosts of the configuration if this is meant"
            )));
        }
        if self.public_only && !public(address) {
            return Err(refused("no public address").help(format!(
                "functions.public_only is true in the configuration; list {name} in functions.hosts to allow it"
            )));
        }
        Ok(())
    }
}

fn link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    }
}

/// Whether an address belongs to the internet at large: the registries of special addresses (RFC 6890) name the others.
fn public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => public_v4(v4),
        IpAddr::V6(v6) => public_v6(v6),
    }
}

fn public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let shared = a == 100 && b & 0xc0 == 64;
    let protocols = a == 192 && b == 0 && c == 0;
    let benchmarks = a == 198 && b & 0xfe == 18;
    !(a == 0
        || a >= 224
        || shared
        || protocols
        || benchmarks
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation())
}

fn public_v6(address: Ipv6Addr) -> bool {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let embedded = |high: u16, low: u16| {
        let [w, x] = high.to_be_bytes();
        let [y, z] = low.to_be_bytes();
        public_v4(Ipv4Addr::new(w, x, y, z))
    };
    match (a, b) {
        // Translated and tunnelled addresses are as public as what they carry.
        (0x64, 0xff9b) if [c, d, e, f] == [0; 4] => embedded(g, h),
        (0x2002, _) => embedded(b, c),
        // Unicast addresses of the internet begin with 001; Teredo, documentation and the like lie among them.
        (0x2001, b) => b & 0xfe00 != 0 && b != 0xdb8,
        _ => a & 0xe000 == 0x2000,
    }
}
