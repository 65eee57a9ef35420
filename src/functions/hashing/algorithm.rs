//! The digest algorithms by the names that Java gives them.

use crate::diagnostic::{Code, Diagnostic, Fault, nearest};
use hmac::{KeyInit, Mac, SimpleHmac, digest::Digest, digest::block_api::BlockSizeUser};
use smallvec::SmallVec;
use smol_str::{SmolStr, format_smolstr};

/// What HASH can compute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Algorithm {
    Md2,
    Md5,
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
    Sha512On224,
    Sha512On256,
    Sha3On224,
    Sha3On256,
    Sha3On384,
    Sha3On512,
    Tlsh,
}

/// The bytes of a digest.
pub(super) type Sum = SmallVec<[u8; 64]>;

/// Names in the order in which Metron on Java 17 lists them.
pub(super) const ALGORITHMS: &[(&str, Algorithm)] = &[
    ("SHA3-512", Algorithm::Sha3On512),
    ("SHA-1", Algorithm::Sha1),
    ("SHA-384", Algorithm::Sha384),
    ("TLSH", Algorithm::Tlsh),
    ("SHA3-384", Algorithm::Sha3On384),
    ("SHA-224", Algorithm::Sha224),
    ("SHA-512/256", Algorithm::Sha512On256),
    ("SHA-256", Algorithm::Sha256),
    ("MD2", Algorithm::Md2),
    ("SHA-512/224", Algorithm::Sha512On224),
    ("SHA3-256", Algorithm::Sha3On256),
    ("SHA-512", Algorithm::Sha512),
    ("SHA3-224", Algorithm::Sha3On224),
    ("MD5", Algorithm::Md5),
];

/// Calls a generic function with the type that computes a digest; `$tlsh` stands for TLSH, which is none.
macro_rules! with_digest {
    ($algorithm:expr, $call:ident($($argument:expr),*), $tlsh:expr) => {
        match $algorithm {
            Algorithm::Md2 => $call::<md2::Md2>($($argument),*),
            Algorithm::Md5 => $call::<md5::Md5>($($argument),*),
            Algorithm::Sha1 => $call::<sha1::Sha1>($($argument),*),
            Algorithm::Sha224 => $call::<sha2::Sha224>($($argument),*),
            Algorithm::Sha256 => $call::<sha2::Sha256>($($argument),*),
            Algorithm::Sha384 => $call::<sha2::Sha384>($($argument),*),
            Algorithm::Sha512 => $call::<sha2::Sha512>($($argument),*),
            Algorithm::Sha512On224 => $call::<sha2::Sha512_224>($($argument),*),
            Algorithm::Sha512On256 => $call::<sha2::Sha512_256>($($argument),*),
            Algorithm::Sha3On224 => $call::<sha3::Sha3_224>($($argument),*),
            Algorithm::Sha3On256 => $call::<sha3::Sha3_256>($($argument),*),
            Algorithm::Sha3On384 => $call::<sha3::Sha3_384>($($argument),*),
            Algorithm::Sha3On512 => $call::<sha3::Sha3_512>($($argument),*),
            Algorithm::Tlsh => $tlsh,
        }
    };
}

impl Algorithm {
    /// The algorithm of a name, in any case. `SHA` is what Java 8 calls SHA-1.
    pub(super) fn named(name: &str) -> Option<Algorithm> {
        if name.eq_ignore_ascii_case("SHA") {
            return Some(Algorithm::Sha1);
        }
        ALGORITHMS
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, algorithm)| *algorithm)
    }

    /// The digest of some bytes; empty for TLSH.
    pub(super) fn digest(self, bytes: &[u8]) -> Sum {
        with_digest!(self, plain(bytes), Sum::new())
    }

    /// How many bytes a digest has; 0 for TLSH.
    pub(super) fn length(self) -> usize {
        with_digest!(self, length(), 0)
    }

    /// The HMAC (RFC 2104) of some bytes; `None` for TLSH.
    pub(super) fn authenticate(self, key: &[u8], bytes: &[u8]) -> Option<Sum> {
        with_digest!(self, keyed(key, bytes), None)
    }
}

fn plain<D: Digest>(bytes: &[u8]) -> Sum {
    Sum::from_slice(&D::digest(bytes))
}

fn length<D: Digest>() -> usize {
    <D as Digest>::output_size()
}

fn keyed<D: Digest + BlockSizeUser>(key: &[u8], bytes: &[u8]) -> Option<Sum> {
    // Any length of a key is allowed, so this never fails.
    let mut mac = SimpleHmac::<D>::new_from_slice(key).ok()?;
    mac.update(bytes);
    Some(Sum::from_slice(&mac.finalize().into_bytes()))
}

/// Bytes as small hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> SmolStr {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    // No digest has more than 64 bytes.
    let mut text = [0; 128];
    for (pair, byte) in text.as_chunks_mut::<2>().0.iter_mut().zip(bytes) {
        *pair = [
            DIGITS[usize::from(byte >> 4)],
            DIGITS[usize::from(byte & 15)],
        ];
    }
    let text = text.get(..2 * bytes.len()).unwrap_or_default();
    SmolStr::new(std::str::from_utf8(text).unwrap_or_default())
}

/// The error for a name that no algorithm has.
#[cold]
pub(super) fn unsupported(function: &str, name: &str) -> Fault {
    let fault = |what| {
        let message = format_smolstr!("{function}: {what}");
        Diagnostic::new(Code::ArgumentValue, message).of_argument(1)
    };
    // The comparison with all names takes long for long texts.
    if name.len() > 40 {
        return fault(SmolStr::new_static(
            "this is not the name of an algorithm, such as SHA-256",
        ));
    }
    let fault = fault(format_smolstr!("{name:?} is not a known algorithm"));
    let names = ALGORITHMS.iter().map(|(name, _)| *name);
    match nearest(&name.to_uppercase(), names) {
        Some(near) => fault.did_you_mean(Some(near)),
        None => fault.help("GET_HASHES_AVAILABLE() lists the algorithms, such as MD5 and SHA-256"),
    }
}
