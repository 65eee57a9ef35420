//! Where the server is: `redis://user:password@host:port/database`, `rediss://` with TLS.

use crate::config::{Secretive, resolve};
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use crate::store::postgres::put_in;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use std::path::PathBuf;
use url::{Host, Url};

/// An address with everything put in.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub host: String,
    pub port: u16,
    pub user: Option<String>,
    pub password: Option<String>,
    pub database: u32,
    pub tls: bool,
    /// The authorities that vouch for the server, instead of those that this machine trusts.
    pub authorities: Option<PathBuf>,
}

impl Address {
    /// Reads an address and puts in what its references stand for. E0501, E0503.
    pub fn resolve(address: &Secretive) -> Outcome<Address> {
        let raw = address.raw().trim();
        if raw.starts_with("${") {
            return parse(raw, resolve(raw)?.expose());
        }
        let encoded = put_in(raw, &|reference| {
            let plain = resolve(reference)?;
            Ok(utf8_percent_encode(plain.expose(), NON_ALPHANUMERIC).to_string())
        })?;
        parse(raw, &encoded)
    }

    /// `host:port`, for messages.
    pub fn place(&self) -> String {
        match self.host.contains(':') {
            true => format!("[{}]:{}", self.host, self.port),
            false => format!("{}:{}", self.host, self.port),
        }
    }
}

fn parse(raw: &str, text: &str) -> Outcome<Address> {
    let wrong = |why: &str| wrong(raw, why);
    let url = Url::parse(text).map_err(|error| wrong(&error.to_string()))?;
    let tls = match url.scheme() {
        "redis" => false,
        "rediss" => true,
        _ => return Err(wrong("it begins with redis:// or rediss://")),
    };
    let host = match url.host() {
        Some(Host::Domain(name)) if !name.is_empty() => {
            percent_decode_str(name).decode_utf8_lossy().into_owned()
        }
        Some(Host::Ipv4(address)) => address.to_string(),
        Some(Host::Ipv6(address)) => address.to_string(),
        _ => return Err(wrong("it names no host")),
    };
    // Schemes that URLs do not know leave the hosts as they are written.
    let host = host.trim_matches(['[', ']']).to_string();
    let decoded = |text: &str| {
        let plain = percent_decode_str(text).decode_utf8();
        plain
            .map(|text| text.into_owned())
            .map_err(|_| wrong("user and password are UTF-8"))
    };
    let user = Some(url.username()).filter(|user| !user.is_empty());
    let database = match url.path().trim_matches('/') {
        "" => 0,
        number => number
            .parse()
            .map_err(|_| wrong("behind the host stands the number of a database"))?,
    };
    let mut authorities = None;
    for (key, value) in url.query_pairs() {
        match &*key {
            "ca" if tls => authorities = Some(PathBuf::from(&*value)),
            "ca" => return Err(wrong("ca needs TLS: rediss://")),
            _ => return Err(wrong(&format!("there is no setting {key:?}"))),
        }
    }
    Ok(Address {
        host,
        port: url.port().unwrap_or(6379),
        user: user.map(decoded).transpose()?,
        password: url.password().map(decoded).transpose()?,
        database,
        tls,
        authorities,
    })
}

fn wrong(raw: &str, why: &str) -> Fault {
    let address = Secretive::new(raw);
    Diagnostic::new(
        Code::Configuration,
        format!("{address} is no address of a Redis server: {why}"),
    )
    .help("an address reads redis://user:${NAME}@host:6379/0, or rediss://…?ca=FILE for TLS")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(text: &str) -> Address {
        parse(text, text).unwrap()
    }

    #[test]
    fn addresses() {
        let all = read("rediss://me:p%40%2Fw@db.example.com:7000/3?ca=/etc/a%20b.pem");
        let expected = Address {
            host: "db.example.com".to_string(),
            port: 7000,
            user: Some("me".to_string()),
            password: Some("p@/w".to_string()),
            database: 3,
            tls: true,
            authorities: Some(PathBuf::from("/etc/a b.pem")),
        };
        assert_eq!(all, expected);
        let little = read("redis://db");
        assert_eq!((little.place().as_str(), little.database), ("db:6379", 0));
        assert_eq!(
            (little.user, little.password, little.tls),
            (None, None, false)
        );
        assert_eq!(read("redis://:pw@[::1]:1/").place(), "[::1]:1");
        assert_eq!(read("redis://:pw@[::1]:1/").user, None);
        assert_eq!(read("redis://127.0.0.1/").place(), "127.0.0.1:6379");
    }

    #[test]
    fn wrong_addresses_show_no_secret() {
        for text in [
            "redis://me:hunter2@db/x",
            "redis://me:hunter2@db:port/",
            "redis://me:hunter2@db/?ca=x",
            "rediss://me:hunter2@db/?colour=red",
            "http://me:hunter2@db/",
            "redis://me:hunter2@/1",
            "hunter2",
        ] {
            let fault = parse(text, text).unwrap_err();
            assert_eq!(fault.code, Code::Configuration, "{text}");
            if text != "hunter2" {
                assert!(!fault.message.contains("hunter2"), "{}", fault.message);
            }
        }
    }

    #[test]
    fn references_are_put_in() {
        let missing = Secretive::new("redis://:${STELLAR_NO_SUCH}@db");
        assert_eq!(Address::resolve(&missing).unwrap_err().code, Code::Secret);
        // What a reference stands for is no part of the address' grammar.
        let home = Secretive::new("redis://:${HOME}@db/1");
        let home = Address::resolve(&home).unwrap();
        assert_eq!(home.password, std::env::var("HOME").ok());
        assert_eq!((home.host.as_str(), home.database), ("db", 1));
    }
}
