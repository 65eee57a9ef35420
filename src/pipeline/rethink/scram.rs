//! SCRAM-SHA-256 as a client (RFC 5802, RFC 7677).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// More rounds would be an attack on the client.
const ROUNDS: u32 = 10_000_000;

/// Half-way through: what was said, to be signed.
pub struct Scram {
    nonce: String,
    first_bare: String,
    password: String,
}

/// What the client answers, and what the server has to say then.
pub struct Proof {
    pub message: String,
    pub expected: String,
}

fn sign(key: &[u8], parts: &[&[u8]]) -> Option<[u8; 32]> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    for part in parts {
        mac.update(part);
    }
    Some(mac.finalize().into_bytes().into())
}

impl Scram {
    pub fn new(user: &str, password: &str, nonce: String) -> Scram {
        let user = user.replace('=', "=3D").replace(',', "=2C");
        Scram {
            first_bare: format!("n={user},r={nonce}"),
            nonce,
            password: password.to_owned(),
        }
    }

    /// The first message.
    pub fn first(&self) -> String {
        format!("n,,{}", self.first_bare)
    }

    /// Answers the server's first message; `None` when that is none.
    pub fn answer(&self, server: &str) -> Option<Proof> {
        let part = |name: &str| server.split(',').find_map(|part| part.strip_prefix(name));
        let nonce = part("r=")
            .filter(|nonce| nonce.starts_with(&self.nonce) && nonce.len() > self.nonce.len())?;
        let salt = STANDARD.decode(part("s=")?).ok()?;
        let rounds: u32 = part("i=")?.parse().ok()?;
        if rounds == 0 || rounds > ROUNDS {
            return None;
        }
        let salted = salted(self.password.as_bytes(), &salt, rounds)?;
        let bare = format!("c=biws,r={nonce}");
        let said = format!("{},{server},{bare}", self.first_bare);
        let client_key = sign(&salted, &[b"Client Key"])?;
        let stored = Sha256::digest(client_key);
        let mut proof = sign(&stored, &[said.as_bytes()])?;
        for (byte, key) in proof.iter_mut().zip(client_key) {
            *byte ^= key;
        }
        let server_key = sign(&salted, &[b"Server Key"])?;
        let signature = sign(&server_key, &[said.as_bytes()])?;
        Some(Proof {
            message: format!("{bare},p={}", STANDARD.encode(proof)),
            expected: format!("v={}", STANDARD.encode(signature)),
        })
    }
}

/// PBKDF2 with one block (RFC 8018).
fn salted(password: &[u8], salt: &[u8], rounds: u32) -> Option<[u8; 32]> {
    let mut last = sign(password, &[salt, &[0, 0, 0, 1]])?;
    let mut all = last;
    for _ in 1..rounds {
        last = sign(password, &[&last])?;
        for (all, last) in all.iter_mut().zip(last) {
            *all ^= last;
        }
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_as_in_the_rfc() {
        // The exchange of RFC 7677.
        let scram = Scram::new("user", "pencil", "rOprNGfwEbeRWgbNEkqO".to_owned());
        assert_eq!(scram.first(), "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
        let server = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
        let proof = scram.answer(server).unwrap();
        assert_eq!(
            proof.message,
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
        );
        assert_eq!(
            proof.expected,
            "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
        );
        for bad in ["", "r=x,s=AA==,i=1", "r=rOprNGfwEbeRWgbNEkqOx,s=AA==,i=0"] {
            assert!(scram.answer(bad).is_none(), "{bad}");
        }
    }
}
