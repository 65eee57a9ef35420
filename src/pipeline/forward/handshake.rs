//! The greeting of the protocol: both sides prove that they know the shared key, and the client its password.

use super::pack::{Reader, Token};
use super::write;
use crate::config::Secret;
use sha2::{Digest, Sha512};

/// Longer greetings are refused.
pub const LONGEST: usize = 16 << 10;

/// How many random bytes there are for each connection.
const RANDOM: usize = 64;

/// What a server asks of its clients.
#[derive(Debug, Clone)]
pub struct Gate {
    /// The name of the server, which goes into its proof.
    pub hostname: String,
    /// The key that all clients share.
    pub key: Secret,
    /// Names and passwords; without any, nobody is asked for one.
    pub users: Vec<(String, Secret)>,
}

/// What a client shows to its server.
#[derive(Debug, Clone)]
pub struct Pass {
    /// The name of the client, which goes into its proof.
    pub hostname: String,
    /// The key that both share.
    pub key: Secret,
    /// The name and the password, for servers that ask for them.
    pub user: Option<(String, Secret)>,
}

/// The random bytes of one connection.
#[derive(Debug, Clone)]
pub struct Nonce {
    nonce: Vec<u8>,
    auth: Vec<u8>,
}

/// Random bytes. Errors: the system has none.
pub fn random(count: usize) -> Result<Vec<u8>, String> {
    let mut bytes = vec![0; count];
    match getrandom::fill(&mut bytes) {
        Ok(()) => Ok(bytes),
        Err(error) => Err(format!("the system gives no random bytes: {error}")),
    }
}

fn digest(parts: &[&[u8]]) -> String {
    let mut hash = Sha512::new();
    parts.iter().for_each(|part| hash.update(part));
    data_encoding::HEXLOWER.encode(&hash.finalize())
}

/// Compares without telling by the time how much is equal.
fn same(a: &[u8], b: &[u8]) -> bool {
    let differing = a.iter().zip(b).fold(0, |all, (a, b)| all | (a ^ b));
    a.len() == b.len() && std::hint::black_box(differing) == 0
}

impl Gate {
    /// The server's first word, and what it has to remember of it.
    pub fn helo(&self) -> Result<(Nonce, Vec<u8>), String> {
        let nonce = Nonce {
            nonce: random(RANDOM)?,
            // Empty means that nobody is asked for a password.
            auth: match self.users.is_empty() {
                true => Vec::new(),
                false => random(RANDOM)?,
            },
        };
        let mut out = Vec::with_capacity(192);
        write::list(2, &mut out);
        write::text(b"HELO", &mut out);
        write::map(3, &mut out);
        write::text(b"nonce", &mut out);
        write::binary(&nonce.nonce, &mut out);
        write::text(b"auth", &mut out);
        write::binary(&nonce.auth, &mut out);
        write::text(b"keepalive", &mut out);
        write::flag(true, &mut out);
        Ok((nonce, out))
    }

    /// The answer to the client's proof. The second is the reason why it is not let in.
    pub fn pong(&self, nonce: &Nonce, ping: &[u8]) -> (Vec<u8>, Option<&'static str>) {
        match self.judge(nonce, ping) {
            Ok(salt) => {
                let key = self.key.expose().as_bytes();
                let name = self.hostname.as_bytes();
                let proof = digest(&[salt, name, &nonce.nonce, key]);
                (pong(true, "", &self.hostname, &proof), None)
            }
            Err(reason) => (pong(false, reason, "", ""), Some(reason)),
        }
    }

    /// The client's salt, when it has proven itself.
    fn judge<'a>(&self, nonce: &Nonce, ping: &'a [u8]) -> Result<&'a [u8], &'static str> {
        let odd = "bad message type";
        let mut reader = Reader::new(ping);
        let Ok(Token::List(6)) = reader.token() else {
            return Err(odd);
        };
        let mut word = || match reader.token() {
            Ok(Token::Text(word) | Token::Binary(word)) => Ok(word),
            Ok(Token::Nil) => Ok(&b""[..]),
            _ => Err(odd),
        };
        if word()? != b"PING" {
            return Err(odd);
        }
        let (hostname, salt, proof) = (word()?, word()?, word()?);
        let (user, password) = (word()?, word()?);
        let key = self.key.expose().as_bytes();
        let expected = digest(&[salt, hostname, &nonce.nonce, key]);
        if !same(expected.as_bytes(), proof) {
            return Err("bad shared key");
        }
        if self.users.is_empty() {
            return Ok(salt);
        }
        // Every name takes the same time.
        let mut known = false;
        for (name, secret) in &self.users {
            let expected = digest(&[&nonce.auth, name.as_bytes(), secret.expose().as_bytes()]);
            known |= same(expected.as_bytes(), password) & same(name.as_bytes(), user);
        }
        match known {
            true => Ok(salt),
            false => Err("bad user or password"),
        }
    }
}

fn pong(good: bool, reason: &str, hostname: &str, proof: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(192);
    write::list(5, &mut out);
    write::text(b"PONG", &mut out);
    write::flag(good, &mut out);
    for word in [reason, hostname, proof] {
        write::text(word.as_bytes(), &mut out);
    }
    out
}

impl Pass {
    /// The answer to the server's first word, and what its answer must prove.
    pub fn ping(&self, helo: &[u8]) -> Result<(Vec<u8>, Proof), String> {
        let (mut nonce, mut auth): (&[u8], &[u8]) = (b"", b"");
        let mut read = || -> Option<()> {
            let mut reader = Reader::new(helo);
            let Token::List(2..) = reader.token().ok()? else {
                return None;
            };
            let Token::Text(b"HELO") = reader.token().ok()? else {
                return None;
            };
            let Token::Map(count) = reader.token().ok()? else {
                return None;
            };
            for _ in 0..count {
                let name = reader.token().ok()?;
                match (name, reader.token().ok()?) {
                    (Token::Text(b"nonce"), Token::Text(value) | Token::Binary(value)) => {
                        nonce = value;
                    }
                    (Token::Text(b"auth"), Token::Text(value) | Token::Binary(value)) => {
                        auth = value;
                    }
                    // What newer servers say is one value each.
                    (_, Token::List(_) | Token::Map(_)) => return None,
                    _ => {}
                }
            }
            Some(())
        };
        read().ok_or("its greeting is none of this protocol")?;
        let salt = random(16)?;
        let key = self.key.expose().as_bytes();
        let proof = digest(&[&salt, self.hostname.as_bytes(), nonce, key]);
        let (user, password) = match (&self.user, auth.is_empty()) {
            (_, true) => ("", String::new()),
            (Some((name, secret)), false) => {
                let secret = secret.expose().as_bytes();
                (name.as_str(), digest(&[auth, name.as_bytes(), secret]))
            }
            (None, false) => return Err("it asks for a user and a password".to_owned()),
        };
        let mut out = Vec::with_capacity(512);
        write::list(6, &mut out);
        write::text(b"PING", &mut out);
        write::text(self.hostname.as_bytes(), &mut out);
        write::binary(&salt, &mut out);
        for word in [&proof, user, &password] {
            write::text(word.as_bytes(), &mut out);
        }
        let nonce = nonce.to_vec();
        Ok((out, Proof { salt, nonce }))
    }

    /// Looks whether the server let the client in and knows the key itself. Errors: why not.
    pub fn admit(&self, proof: &Proof, pong: &[u8]) -> Result<(), String> {
        let odd = "its answer to the greeting is none of this protocol";
        let mut reader = Reader::new(pong);
        let mut next = || reader.token().map_err(|_| odd);
        let (list, word) = (next()?, next()?);
        if list != Token::List(5) || word != Token::Text(b"PONG") {
            return Err(odd.to_owned());
        }
        let good = next()?;
        let (Token::Text(reason), Token::Text(name), Token::Text(shown)) =
            (next()?, next()?, next()?)
        else {
            return Err(odd.to_owned());
        };
        if good != Token::Bool(true) {
            let reason: String = String::from_utf8_lossy(reason).chars().take(100).collect();
            return Err(format!("it does not let this client in: {reason}"));
        }
        let key = self.key.expose().as_bytes();
        let expected = digest(&[&proof.salt, name, &proof.nonce, key]);
        match same(expected.as_bytes(), shown) {
            true => Ok(()),
            false => Err("it does not know the shared key itself".to_owned()),
        }
    }
}

/// What the server's answer must prove.
#[derive(Debug, Clone)]
pub struct Proof {
    salt: Vec<u8>,
    nonce: Vec<u8>,
}
