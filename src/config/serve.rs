//! `[serve]`: the HTTP API, and who may use it.

use super::secret::Secretive;
use std::path::PathBuf;
use std::time::Duration;

/// What somebody may do over HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// Ask: run queries, look at tasks and rules.
    Read,
    /// Change what is stored: create and remove tasks, rules, entries.
    Write,
    /// Start and stop what is there.
    Run,
    /// See everything of every domain.
    Admin,
}

/// All rights by name.
pub const RIGHTS: [(&str, Right); 4] = [
    ("read", Right::Read),
    ("write", Right::Write),
    ("run", Right::Run),
    ("admin", Right::Admin),
];

impl Right {
    /// The right with a name.
    pub fn named(name: &str) -> Option<Right> {
        let mut all = RIGHTS.iter();
        all.find(|(known, _)| *known == name)
            .map(|(_, right)| *right)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        let mut all = RIGHTS.iter();
        all.find(|(_, right)| *right == self)
            .map_or("", |(name, _)| name)
    }
}

/// Some rights.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rights(u8);

impl Rights {
    /// All of them.
    pub fn all() -> Rights {
        RIGHTS.iter().map(|(_, right)| *right).collect()
    }

    /// Whether a right is among them.
    pub fn has(self, right: Right) -> bool {
        self.0 & (1 << right as u8) != 0
    }

    /// Their names.
    pub fn names(self) -> Vec<&'static str> {
        let all = RIGHTS.iter().filter(|(_, right)| self.has(*right));
        all.map(|(name, _)| *name).collect()
    }
}

impl FromIterator<Right> for Rights {
    fn from_iter<I: IntoIterator<Item = Right>>(rights: I) -> Rights {
        let bits = rights.into_iter().map(|right| 1 << right as u8);
        Rights(bits.fold(0, |all, one| all | one))
    }
}

/// `[serve.keys.NAME]`: somebody who may use the API.
#[derive(Debug, Clone, Default)]
pub struct KeyConfig {
    /// What requests are signed for, as Devo calls it: the API key.
    pub key: Option<Secretive>,
    /// What they are signed with: the API secret.
    pub secret: Option<Secretive>,
    /// What is borne instead of a signature.
    pub token: Option<Secretive>,
    /// Whose tasks these are; `[collect] domain` unless given.
    pub domain: Option<String>,
    /// What may be done.
    pub rights: Option<Rights>,
}

impl KeyConfig {
    /// What may be done: read, write and run unless something else is said.
    pub fn rights(&self) -> Rights {
        let usual = || {
            [Right::Read, Right::Write, Right::Run]
                .into_iter()
                .collect()
        };
        self.rights.unwrap_or_else(usual)
    }
}

/// `[serve]`: the HTTP API.
#[derive(Debug, Clone)]
pub struct ServeConfig {
    /// Address and port.
    pub listen: String,
    /// Tokens of callers who may do everything.
    pub tokens: Vec<Secretive>,
    /// What JSON Web Tokens are signed with.
    pub jwt_secret: Option<Secretive>,
    /// The certificate for TLS.
    pub tls_cert: Option<PathBuf>,
    /// Its key.
    pub tls_key: Option<PathBuf>,
    /// How many requests are worked on at once; twice the cores unless given.
    pub threads: Option<usize>,
    /// How many more may wait for them.
    pub waiting: usize,
    /// How many queries that never end may run besides.
    pub streams: usize,
    /// How many connections there may be.
    pub connections: usize,
    /// How many bytes the body of a request may have.
    pub body: usize,
    /// How long the answer to a request may take.
    pub time: Duration,
    /// How long requests that have begun may take when the server ends.
    pub grace: Duration,
    /// Whether rules must come with every field that their platform has.
    pub strict_api: bool,
    /// Who may use it, by name.
    pub keys: indexmap::IndexMap<String, KeyConfig>,
}

impl Default for ServeConfig {
    fn default() -> Self {
        ServeConfig {
            listen: "127.0.0.1:8650".to_string(),
            tokens: Vec::new(),
            jwt_secret: None,
            tls_cert: None,
            tls_key: None,
            threads: None,
            waiting: 64,
            streams: 8,
            connections: 256,
            body: 1 << 20,
            time: Duration::from_secs(60),
            grace: Duration::from_secs(10),
            strict_api: false,
            keys: indexmap::IndexMap::new(),
        }
    }
}
