//! Where the server is: `postgres://user:password@host:port/database?sslmode=…`, or `host=… user=… dbname=…`.

use crate::config::{Secretive, resolve};
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

/// For one attempt to connect, unless the address says otherwise.
const CONNECT: Duration = Duration::from_secs(10);
/// How many connections there are at the most, unless the address says otherwise.
const CONNECTIONS: usize = 8;

/// `sslmode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Disable,
    Prefer,
    Require,
    VerifyFull,
}

/// An address as configured; its references are replaced when a connection is made.
#[derive(Debug, Clone)]
pub struct Settings {
    address: Secretive,
    /// How many connections there may be at the same time.
    pub connections: usize,
}

/// An address with everything put in.
pub(super) struct Resolved {
    pub config: Config,
    pub mode: Mode,
    pub roots: Option<PathBuf>,
    connections: usize,
}

impl Settings {
    /// Reads an address; besides what the server's own clients know, `pool=N` says how many connections there may be.
    /// References such as `${NAME}` are left for later, but the rest must be right. E0501.
    pub fn new(address: &Secretive) -> Outcome<Settings> {
        let connections = match address.raw().trim().starts_with("${") {
            // Nothing can be said before it is looked up.
            true => CONNECTIONS,
            false => parse(address.raw(), &|_| Ok("1".to_string()))?.connections,
        };
        Ok(Settings {
            address: address.clone(),
            connections,
        })
    }

    /// The address, passwords masked.
    pub fn shown(&self) -> String {
        self.address.to_string()
    }

    /// Everything put in. E0501, E0503.
    pub(super) fn resolve(&self) -> Outcome<Resolved> {
        let raw = self.address.raw().trim();
        if raw.starts_with("${") {
            return parse(resolve(raw)?.expose(), &|text| Ok(text.to_string()));
        }
        parse(raw, &|reference| {
            Ok(resolve(reference)?.expose().to_string())
        })
    }
}

impl Resolved {
    /// `host:port`, for messages.
    pub fn place(&self) -> String {
        let port = self.config.get_ports().first().copied().unwrap_or(5432);
        match self.config.get_hosts().first() {
            Some(Host::Tcp(host)) => format!("{host}:{port}"),
            #[cfg(unix)]
            Some(Host::Unix(path)) => format!("{}/.s.PGSQL.{port}", path.display()),
            None => "the server".to_string(),
        }
    }
}

/// Splits off what the driver does not know, puts in what references stand for, and lets the driver read the rest.
fn parse(raw: &str, look_up: &dyn Fn(&str) -> Outcome<String>) -> Outcome<Resolved> {
    let malformed = |why: String| wrong(raw, &why);
    let mut own = Own::default();
    let url = raw.starts_with("postgres://") || raw.starts_with("postgresql://");
    let text = if url {
        let encoded = put_in(raw, &|reference| {
            Ok(utf8_percent_encode(&look_up(reference)?, NON_ALPHANUMERIC).to_string())
        })?;
        let (front, query) = encoded.split_once('?').unwrap_or((&encoded, ""));
        let mut text = front.to_string();
        let mut before = '?';
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let plain = percent_decode_str(value).decode_utf8_lossy();
            if !own.take(key, &plain).map_err(malformed)? {
                let _ = write!(text, "{before}{pair}");
                before = '&';
            }
        }
        text
    } else {
        let mut text = String::new();
        for (key, value) in pairs(raw).map_err(malformed)? {
            let value = put_in(&value, look_up)?;
            if !own.take(&key, &value).map_err(malformed)? {
                let value = value.replace('\\', r"\\").replace('\'', r"\'");
                let _ = write!(text, "{key}='{value}' ");
            }
        }
        text
    };
    let mut config = Config::from_str(&text).map_err(|error| {
        let why =
            std::error::Error::source(&error).map_or_else(|| error.to_string(), |s| s.to_string());
        wrong(raw, &why)
    })?;
    if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
        return Err(wrong(raw, "it names no host"));
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT);
    }
    if config.get_application_name().is_none() {
        config.application_name("stellar");
    }
    config.ssl_mode(match own.mode {
        Mode::Disable => SslMode::Disable,
        Mode::Prefer => SslMode::Prefer,
        Mode::Require | Mode::VerifyFull => SslMode::Require,
    });
    Ok(Resolved {
        config,
        mode: own.mode,
        roots: own.roots,
        connections: own.connections,
    })
}

fn wrong(raw: &str, why: &str) -> Fault {
    Diagnostic::new(
        Code::Configuration,
        format!(
            "{} is no address of a PostgreSQL server: {why}",
            Secretive::new(raw)
        ),
    )
    .help("an address reads postgres://user:${NAME}@host:5432/database?sslmode=verify-full")
}

/// What is read here and not by the driver.
struct Own {
    mode: Mode,
    roots: Option<PathBuf>,
    connections: usize,
}

impl Default for Own {
    fn default() -> Own {
        Own {
            mode: Mode::Prefer,
            roots: None,
            connections: CONNECTIONS,
        }
    }
}

impl Own {
    /// Whether the setting is one of these.
    fn take(&mut self, key: &str, value: &str) -> Result<bool, String> {
        match key {
            "sslmode" => {
                self.mode = match value {
                    "disable" => Mode::Disable,
                    "prefer" => Mode::Prefer,
                    "require" => Mode::Require,
                    "verify-full" => Mode::VerifyFull,
                    _ => {
                        return Err(
                            "sslmode is disable, prefer, require or verify-full".to_string()
                        );
                    }
                }
            }
            "sslrootcert" if value == "system" => self.roots = None,
            "sslrootcert" => self.roots = Some(PathBuf::from(value)),
            "pool" => {
                self.connections = match value.parse() {
                    Ok(number @ 1..=1000) => number,
                    _ => return Err("pool is a number from 1 to 1000".to_string()),
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// `text` with what its references stand for, as `look_up` tells it; `$${` stays `${`.
pub fn put_in(text: &str, look_up: &dyn Fn(&str) -> Outcome<String>) -> Outcome<String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let (before, from) = rest.split_at(at);
        if let Some(plain) = before.strip_suffix('$') {
            out.push_str(plain);
            out.push_str("${");
            rest = &from[2..];
            continue;
        }
        out.push_str(before);
        // Without a closing brace the look-up says so.
        let end = from.find('}').map_or(from.len(), |end| end + 1);
        out.push_str(&look_up(&from[..end])?);
        rest = &from[end..];
    }
    out.push_str(rest);
    Ok(out)
}

/// `key=value` pairs: blanks between them, values in single quotation marks where they hold blanks, `\` before a mark.
fn pairs(text: &str) -> Result<Vec<(String, String)>, String> {
    let mut found = Vec::new();
    let mut chars = text.chars().peekable();
    loop {
        while chars.next_if(|c| c.is_whitespace()).is_some() {}
        if chars.peek().is_none() {
            return Ok(found);
        }
        let mut key = String::new();
        while let Some(c) = chars.next_if(|c| *c != '=' && !c.is_whitespace()) {
            key.push(c);
        }
        while chars.next_if(|c| c.is_whitespace()).is_some() {}
        if chars.next() != Some('=') {
            return Err("it is neither a URL nor key=value pairs".to_string());
        }
        while chars.next_if(|c| c.is_whitespace()).is_some() {}
        let quoted = chars.next_if_eq(&'\'').is_some();
        let mut value = String::new();
        loop {
            match chars.next() {
                Some('\\') => value.extend(chars.next()),
                Some('\'') if quoted => break,
                Some(c) if c.is_whitespace() && !quoted => break,
                Some(c) => value.push(c),
                None if quoted => return Err("a quotation mark is not closed".to_string()),
                None => break,
            }
        }
        found.push((key, value));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(text: &str) -> Resolved {
        parse(text, &|reference| Ok(format!("<{reference} @/'\\>"))).unwrap()
    }

    fn refused(text: &str) -> String {
        Settings::new(&Secretive::new(text)).unwrap_err().message
    }

    #[test]
    fn urls() {
        let all = read(
            "postgres://me:${PW}@db.example.com:6543/mentat?sslmode=require&pool=3&connect_timeout=2",
        );
        assert_eq!(all.config.get_user(), Some("me"));
        assert_eq!(all.config.get_password(), Some("<${PW} @/'\\>".as_bytes()));
        assert_eq!(all.config.get_dbname(), Some("mentat"));
        assert_eq!(all.place(), "db.example.com:6543");
        assert_eq!((all.mode, all.connections), (Mode::Require, 3));
        assert_eq!(
            all.config.get_connect_timeout(),
            Some(&Duration::from_secs(2))
        );
        let little = read("postgresql://db");
        assert_eq!((little.mode, little.connections), (Mode::Prefer, 8));
        assert_eq!(little.config.get_connect_timeout(), Some(&CONNECT));
        let file =
            read("postgres://me:${file:/etc/a?b}@db/x?sslmode=verify-full&sslrootcert=%2Fa%20b");
        assert_eq!(
            file.config.get_password(),
            Some("<${file:/etc/a?b} @/'\\>".as_bytes())
        );
        assert_eq!(file.mode, Mode::VerifyFull);
        assert_eq!(file.roots, Some(PathBuf::from("/a b")));
    }

    #[test]
    fn pairs_of_key_and_value() {
        let all =
            read(r"host=db port = 6543 user='a b' password=${PW} dbname='it\'s' sslmode=disable");
        assert_eq!(all.config.get_user(), Some("a b"));
        assert_eq!(all.config.get_password(), Some("<${PW} @/'\\>".as_bytes()));
        assert_eq!(all.config.get_dbname(), Some("it's"));
        assert_eq!((all.place().as_str(), all.mode), ("db:6543", Mode::Disable));
    }

    #[test]
    fn wrong_addresses_show_no_secret() {
        for text in [
            "postgres://me:hunter2@db/x?sslmode=maybe",
            "postgres://me:hunter2@db/x?colour=red",
            "postgres://me:hunter2@db/x?pool=0",
            "postgres://me:hunter2@db:port/x",
            "host=db password=hunter2 sslmode=maybe",
            "host=db password='hunter2",
            "password=hunter2",
        ] {
            let message = refused(text);
            assert!(
                message.contains("is no address of a PostgreSQL server"),
                "{message}"
            );
            assert!(!message.contains("hunter2"), "{message}");
        }
        assert!(refused("db.example.com").contains("neither a URL nor"));
        assert!(refused("postgres:///x").contains("names no host"));
    }

    #[test]
    fn references_are_looked_up_when_used() {
        let settings =
            Settings::new(&Secretive::new("postgres://me:${STELLAR_NO_SUCH}@db/x")).unwrap();
        assert_eq!(settings.resolve().err().unwrap().code, Code::Secret);
        assert!(settings.shown().contains("${STELLAR_NO_SUCH}"));
        assert!(Settings::new(&Secretive::new("${STELLAR_NO_SUCH}")).is_ok());
        assert_eq!(put_in("a$${b}", &|_| Ok(String::new())).unwrap(), "a${b}");
    }
}
