//! Who asks: signatures with API keys, tokens, JSON Web Tokens.

use super::token::Tokens;
use crate::config::{Config, Rights, Secret, Secretive};
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use crate::store::serve::{Caller, digest, timestamp};
use axum::http::{HeaderMap, header};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use smol_str::SmolStr;

/// By so many milliseconds the time of a signature may differ from the clock.
const WINDOW: i64 = 300_000;

/// The name of those who bear one of `serve.tokens`.
const BEARER: &str = "token";

/// The name of everybody where nobody is named.
const LOCAL: &str = "local";

/// An API key.
struct Key {
    key: [u8; 32],
    secret: Secret,
    caller: Caller,
}

/// Who may use the API.
pub struct Access {
    keys: Vec<Key>,
    bearers: Vec<([u8; 32], Caller)>,
    jwt: Option<Tokens>,
    /// Who everybody is when nobody is named.
    local: Caller,
}

/// Why somebody is not let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stranger(pub String);

/// Who a request says it is from.
pub enum Known<'a> {
    /// That is sure.
    Caller(Caller),
    /// That is to be proved by the signature of the body.
    Signed(Signed<'a>),
}

/// A signature that was not looked at yet.
pub struct Signed<'a> {
    key: Option<&'a Key>,
    name: &'a str,
    timestamp: &'a str,
    sign: Vec<u8>,
}

impl Access {
    /// Who is configured. Errors: E0501 for keys that say too little, E0503.
    pub fn new(config: &Config) -> Outcome<Access> {
        let serve = &config.serve;
        let caller = |name: &str, domain: Option<&String>, rights: Rights| Caller {
            name: name.into(),
            domain: SmolStr::new(domain.unwrap_or(&config.collect.domain)),
            rights,
        };
        let mut access = Access {
            keys: Vec::new(),
            bearers: Vec::new(),
            jwt: None,
            local: caller(LOCAL, None, Rights::all()),
        };
        for token in &serve.tokens {
            let secret = filled(token, "serve.tokens")?;
            let caller = caller(BEARER, None, Rights::all());
            access.bearers.push((digest(secret.expose()), caller));
        }
        for (name, given) in &serve.keys {
            let full = format!("serve.keys.{name}");
            let caller = caller(name, given.domain.as_ref(), given.rights());
            if caller.domain.is_empty() {
                return Err(wrong(format!("{full}.domain is empty")));
            }
            match (&given.key, &given.secret) {
                (Some(key), Some(secret)) => access.keys.push(Key {
                    key: digest(filled(key, &format!("{full}.key"))?.expose()),
                    secret: filled(secret, &format!("{full}.secret"))?,
                    caller: caller.clone(),
                }),
                (None, None) if given.token.is_some() => {}
                (None, None) => {
                    let text = format!("{full} has neither key and secret nor token");
                    return Err(wrong(text).help("write key and secret as Devo has them, or token"));
                }
                _ => {
                    return Err(wrong(format!(
                        "{full} needs key and secret, not one of them"
                    )));
                }
            }
            if let Some(token) = &given.token {
                let secret = filled(token, &format!("{full}.token"))?;
                access.bearers.push((digest(secret.expose()), caller));
            }
        }
        if let Some(secret) = &serve.jwt_secret {
            let secret = filled(secret, "serve.jwt_secret")?;
            access.jwt = Some(Tokens::new(&secret, &config.collect.domain));
        }
        Ok(access)
    }

    /// Whether everybody is let in.
    pub fn is_open(&self) -> bool {
        self.keys.is_empty() && self.bearers.is_empty() && self.jwt.is_none()
    }

    /// Who a request says it is from. Signatures need the body: [`Signed::check`].
    pub fn recognise<'a>(&'a self, headers: &'a HeaderMap) -> Result<Known<'a>, Stranger> {
        if self.is_open() {
            return at_home(headers).map(|()| Known::Caller(self.local.clone()));
        }
        if let Some(name) = text(headers, "x-logtrust-apikey") {
            return self.signed(name, headers).map(Known::Signed);
        }
        let Some((scheme, token)) = text(headers, header::AUTHORIZATION.as_str())
            .and_then(|given| given.split_once(' '))
            .map(|(scheme, token)| (scheme, token.trim()))
        else {
            return Err(stranger(
                "credentials are needed: a signature with an API key, or Authorization with Bearer or jwt",
            ));
        };
        if scheme.eq_ignore_ascii_case("bearer") {
            let given = digest(token);
            // Each is compared to its end, so that the time tells nothing.
            let mut found = None;
            for (known, caller) in &self.bearers {
                if same(known, &given) {
                    found = Some(caller);
                }
            }
            let caller = found.cloned();
            return caller
                .map(Known::Caller)
                .ok_or_else(|| stranger("the token is not valid"));
        }
        if scheme.eq_ignore_ascii_case("jwt") {
            let Some(tokens) = &self.jwt else {
                return Err(stranger("JSON Web Tokens are not taken here"));
            };
            return tokens.caller(token).map(Known::Caller).map_err(Stranger);
        }
        Err(stranger("Authorization is Bearer TOKEN or jwt TOKEN"))
    }

    fn signed<'a>(&'a self, name: &'a str, headers: &'a HeaderMap) -> Result<Signed<'a>, Stranger> {
        let time = text(headers, "x-logtrust-timestamp").unwrap_or_default();
        let Ok(millis) = time.parse::<i64>() else {
            return Err(stranger(
                "x-logtrust-timestamp is the time in milliseconds since 1970",
            ));
        };
        let now = timestamp();
        if now.abs_diff(millis) > WINDOW.unsigned_abs() {
            return Err(Stranger(format!(
                "x-logtrust-timestamp is more than five minutes away from {now}, the time here"
            )));
        }
        let sign = text(headers, "x-logtrust-sign").unwrap_or_default();
        let sign = data_encoding::HEXLOWER_PERMISSIVE.decode(sign.as_bytes());
        let Ok(sign) = sign else {
            return Err(stranger("x-logtrust-sign is no hexadecimal text"));
        };
        let given = digest(name);
        let mut found = None;
        for key in &self.keys {
            if same(&key.key, &given) {
                found = Some(key);
            }
        }
        Ok(Signed {
            key: found,
            name,
            timestamp: time,
            sign,
        })
    }
}

impl Signed<'_> {
    /// Whether the key is one that is known; if not, the body need not be read.
    pub fn is_known(&self) -> bool {
        self.key.is_some()
    }

    /// Who it is from when the signature of the key, the body and the timestamp is right.
    pub fn check(&self, body: &[u8]) -> Result<Caller, Stranger> {
        let wrong = || stranger("the API key or its signature is not valid");
        let key = self.key.ok_or_else(wrong)?;
        let mut mac =
            Hmac::<Sha256>::new_from_slice(key.secret.expose().as_bytes()).map_err(|_| wrong())?;
        mac.update(self.name.as_bytes());
        mac.update(body);
        mac.update(self.timestamp.as_bytes());
        mac.verify_slice(&self.sign).map_err(|_| wrong())?;
        Ok(key.caller.clone())
    }
}

/// Without credentials only programs of this machine are let in, no pages of others that a browser here shows.
fn at_home(headers: &HeaderMap) -> Result<(), Stranger> {
    let named = |host: &str| {
        let bare = match host.strip_prefix('[') {
            Some(six) => six.split(']').next().unwrap_or_default(),
            None => host.split(':').next().unwrap_or_default(),
        };
        let address = bare.parse::<std::net::IpAddr>();
        bare.eq_ignore_ascii_case("localhost")
            || address.is_ok_and(|ip| ip.to_canonical().is_loopback())
    };
    if text(headers, header::HOST.as_str()).is_some_and(|host| !named(host)) {
        return Err(stranger(
            "without tokens only this machine is answered, by a name of its own",
        ));
    }
    let origin = text(headers, header::ORIGIN.as_str());
    let origin = origin.map(|origin| origin.split_once("://").map_or(origin, |(_, host)| host));
    if origin.is_some_and(|origin| !named(origin)) {
        return Err(stranger(
            "without tokens pages of other sites are not answered",
        ));
    }
    Ok(())
}

fn same(a: &[u8; 32], b: &[u8; 32]) -> bool {
    let differ = a.iter().zip(b).fold(0, |differ, (a, b)| differ | (a ^ b));
    differ == 0
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn stranger(text: &str) -> Stranger {
    Stranger(text.to_owned())
}

/// A secret with its references replaced, which is not empty.
fn filled(text: &Secretive, name: &str) -> Outcome<Secret> {
    let secret = text.resolve()?;
    if secret.expose().trim().is_empty() {
        return Err(wrong(format!("{name} is empty")));
    }
    Ok(secret)
}

fn wrong(text: String) -> Fault {
    Diagnostic::new(Code::Configuration, text)
}
