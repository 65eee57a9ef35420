//! JSON Web Tokens, signed with a secret by HMAC-SHA-256. The claims are read and checked by `jsonwebtoken`; the
//! signature is that of the `hmac` that is here anyway.

use crate::config::{Right, Rights, Secret};
use crate::store::serve::Caller;
use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::crypto::{CryptoProvider, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{ErrorKind, Result as Checked};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde::Deserialize;
use sha2::Sha256;
use smol_str::SmolStr;

/// The longest name and domain.
const LONGEST: usize = 256;

/// Whose tokens are taken.
pub struct Tokens {
    key: DecodingKey,
    validation: Validation,
    domain: SmolStr,
}

/// What a token says. `exp` is needed and, like `nbf`, looked at by the library.
#[derive(Deserialize)]
struct Claims {
    sub: Option<String>,
    domain: Option<String>,
    rights: Option<Vec<String>>,
}

impl Tokens {
    /// Tokens signed with a secret; those without a domain belong to `domain`.
    pub fn new(secret: &Secret, domain: &str) -> Tokens {
        // There may be one already, which is the same.
        let _ = PROVIDER.install_default();
        let mut validation = Validation::new(Algorithm::HS256);
        validation.validate_nbf = true;
        validation.validate_aud = false;
        Tokens {
            key: DecodingKey::from_secret(secret.expose().as_bytes()),
            validation,
            domain: domain.into(),
        }
    }

    /// Whose token this is. Errors: why it is not taken, in words.
    pub fn caller(&self, token: &str) -> Result<Caller, String> {
        let claims = decode::<Claims>(token, &self.key, &self.validation);
        let claims = claims.map_err(|error| why(error.kind()))?.claims;
        let rights = match claims.rights {
            None => [Right::Read].into_iter().collect(),
            Some(names) => {
                let rights = names.iter().map(|name| Right::named(name));
                let rights = rights.collect::<Option<Rights>>();
                rights.ok_or("the token names rights that do not exist")?
            }
        };
        let name = claims.sub.unwrap_or_else(|| "jwt".to_owned());
        let domain = claims.domain.map_or(self.domain.clone(), SmolStr::from);
        for text in [name.as_str(), &domain] {
            if text.is_empty() || text.len() > LONGEST || text.chars().any(char::is_control) {
                return Err("the token names nobody or no domain".to_owned());
            }
        }
        Ok(Caller {
            name: name.into(),
            domain,
            rights,
        })
    }
}

fn why(error: &ErrorKind) -> String {
    let text = match error {
        ErrorKind::ExpiredSignature => "the token has expired",
        ErrorKind::ImmatureSignature => "the token is not valid yet",
        ErrorKind::MissingRequiredClaim(_) => {
            "the token has no exp, which says until when it is valid"
        }
        ErrorKind::InvalidAlgorithm => "tokens are signed with HS256",
        _ => "the token is not valid",
    };
    text.to_owned()
}

/// What the library computes with.
static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |_, _| Err(ErrorKind::UnsupportedAlgorithm.into()),
    verifier_factory: verifier,
    key_utils: KeyUtils::new_unimplemented(),
};

fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> Checked<Box<dyn JwtVerifier>> {
    if *algorithm != Algorithm::HS256 {
        return Err(ErrorKind::UnsupportedAlgorithm.into());
    }
    let mac = Hmac::<Sha256>::new_from_slice(key.try_get_as_bytes()?)
        .map_err(|_| ErrorKind::InvalidKeyFormat)?;
    Ok(Box::new(Verifier(mac)))
}

struct Verifier(Hmac<Sha256>);

impl signature::Verifier<Vec<u8>> for Verifier {
    fn verify(&self, message: &[u8], given: &Vec<u8>) -> Result<(), signature::Error> {
        let mac = self.0.clone().chain_update(message);
        mac.verify_slice(given).map_err(|_| signature::Error::new())
    }
}

impl JwtVerifier for Verifier {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}
