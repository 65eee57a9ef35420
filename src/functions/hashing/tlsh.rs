//! TLSH, a digest that is alike for similar data (J. Oliver, C. Cheng, Y. Chen, "TLSH – A Locality Sensitive Hash", 2013).

use crate::diagnostic::{Fault, Outcome};
use crate::eval::collections::{Entries, Map, MapKind};
use crate::eval::text::check_length;
use crate::eval::{Call, Value, convert};
use crate::functions::kryo;
use crate::functions::spec::{Family, FunctionSpec, Kind, SPEC, default, example, fails, required};
use smol_str::{SmolStr, SmolStrBuilder, ToSmolStr, format_smolstr};
use tlsh2::{Tlsh128_1, Tlsh128_3, Tlsh256_1, Tlsh256_3};
use tlsh2::{TlshBuilder128_1, TlshBuilder128_3, TlshBuilder256_1, TlshBuilder256_3};

pub(super) const TLSH_DIST: FunctionSpec = FunctionSpec {
    name: "TLSH_DIST",
    family: Family::Hashing,
    summary: "Measures how different two pieces of data are by their TLSH.",
    details: "0 means the same or almost the same, below 50 quite similar, beyond 200 different. Both must have been made \
              with the same configuration. Hashes of other tools, with T1 in front, are welcome.",
    parameters: &[
        required("hash1", Kind::Text, "a result of HASH(…, 'TLSH')"),
        required("hash2", Kind::Text, "another one"),
        default(
            "include_length",
            Kind::Boolean,
            "whether a different length of the data counts",
            "false",
        ),
    ],
    returns: "the distance, an integer; -1 when a hash is null",
    errors: &[
        "a hash is neither a string nor null",
        "the two strings differ and one of them is no TLSH, or they were made with different configurations",
    ],
    examples: &[
        example(
            "TLSH_DIST('DD6000030030000C000000000C300CC00000C000030000000000F00030F0C00300CCC0', \
             'F87000008008000822B80080002C82A000808002800C003020000B2830202008A83A22')",
            "165",
        ),
        example(
            "TLSH_DIST('DD6000030030000C000000000C300CC00000C000030000000000F00030F0C00300CCC0', \
             'F87000008008000822B80080002C82A000808002800C003020000B2830202008A83A22', true)",
            "166",
        ),
        example("TLSH_DIST(null, 'x')", "-1"),
        fails("TLSH_DIST('x', 'y')", "E0204"),
        fails("TLSH_DIST(1, 2)", "E0203"),
    ],
    see: &["HASH", "LEVENSHTEIN", "FUZZY_SCORE"],
    words: &[
        "similarity",
        "locality",
        "fuzzy hash",
        "distance",
        "malware",
    ],
    run: distance,
    ..SPEC
};

/// What the configuration of TLSH says.
struct Config {
    buckets_256: bool,
    checksum_3: bool,
    force: bool,
    bins: Vec<i32>,
}

/// HASH(…, 'TLSH').
pub(super) fn hash(call: &Call<'_, '_>, config: Option<&Map>) -> Outcome<Value> {
    let config = read(call, config)?;
    let sum = match call.arg(0) {
        Value::Text(text) => sum(text.as_bytes(), &config),
        value => sum(&bytes_of(call, value)?, &config),
    };
    match sum {
        None => Ok(Value::Null),
        Some(sum) if config.bins.is_empty() => Ok(Value::Text(sum)),
        Some(sum) => bins(call, sum, &config),
    }
}

/// The bytes of a value that is no text, as Metron's Kryo writes them. Errors: E0203, E0303.
fn bytes_of(call: &Call<'_, '_>, value: &Value) -> Outcome<Vec<u8>> {
    let mut bytes = Vec::new();
    kryo::append(value, call.context().limits.string, &mut bytes)?;
    Ok(bytes)
}

fn read(call: &Call<'_, '_>, config: Option<&Map>) -> Outcome<Config> {
    let get = |key| {
        let value = config.and_then(|config| config.get_text(key));
        value.filter(|value| !value.is_null())
    };
    let number = |key, value: &Value| {
        convert::to_int(value)
            .ok_or_else(|| call.wrong_value(2, format!("{key} must be a whole number")))
    };
    let is = |key, wanted| -> Outcome<bool> {
        match get(key) {
            Some(value) => Ok(number(key, &value)? == wanted),
            None => Ok(false),
        }
    };
    Ok(Config {
        buckets_256: is("bucketSize", 256)?,
        checksum_3: is("checksumBytes", 3)?,
        force: get("force")
            .and_then(|value| convert::to_bool(&value))
            .unwrap_or(true),
        bins: match get("hashes") {
            None => Vec::new(),
            Some(Value::List(list)) => {
                let sizes = list.items();
                let sizes = sizes.iter().map(|size| number("hashes", size));
                sizes.collect::<Outcome<_>>()?
            }
            Some(size) => vec![number("hashes", &size)?],
        },
    })
}

/// The hash of some bytes; `None` for too few or too uniform ones.
fn sum(bytes: &[u8], config: &Config) -> Option<SmolStr> {
    if !config.force && bytes.len() < 256 {
        return None;
    }
    // The version in front, T1, came after Metron.
    fn plain(hash: &[u8]) -> Option<SmolStr> {
        let hash = hash.strip_prefix(b"T1").unwrap_or(hash);
        std::str::from_utf8(hash).ok().map(SmolStr::new)
    }
    match (config.buckets_256, config.checksum_3) {
        (false, false) => plain(&TlshBuilder128_1::build_from(bytes)?.hash()),
        (false, true) => plain(&TlshBuilder128_3::build_from(bytes)?.hash()),
        (true, false) => plain(&TlshBuilder256_1::build_from(bytes)?.hash()),
        (true, true) => plain(&TlshBuilder256_3::build_from(bytes)?.hash()),
    }
}

/// Java's `Random` with the seed 0: a linear congruential generator of 48 bits.
struct Random(u64);

impl Random {
    const FACTOR: u64 = 0x5_deec_e66d;

    fn new() -> Random {
        Random(Self::FACTOR)
    }

    /// 31 random bits.
    fn next(&mut self) -> i32 {
        let next = self.0.wrapping_mul(Self::FACTOR).wrapping_add(0xb);
        self.0 = next & ((1 << 48) - 1);
        (self.0 >> 17) as i32
    }

    /// A number below `bound`, which must be positive.
    fn below(&mut self, bound: i32) -> i32 {
        let mut bits = self.next();
        if bound & (bound - 1) == 0 {
            return ((i64::from(bound) * i64::from(bits)) >> 31) as i32;
        }
        loop {
            let number = bits % bound;
            // The last numbers of the range would come too often.
            if bits
                .checked_sub(number)
                .and_then(|n| n.checked_add(bound - 1))
                .is_some()
            {
                return number;
            }
            bits = self.next();
        }
    }
}

/// The hash together with bins: bits of it, picked at random but always in the same way.
fn bins(call: &Call<'_, '_>, sum: SmolStr, config: &Config) -> Outcome<Value> {
    let checksum = if config.checksum_3 { 6 } else { 2 };
    let digits = sum.get(checksum..).unwrap_or_default();
    let vector: Vec<bool> = digits
        .as_bytes()
        .chunks(2)
        .filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .flat_map(|byte| (0..8).map(move |bit| byte >> bit & 1 == 1))
        .collect();
    let length = vector.iter().rposition(|bit| *bit).map_or(0, |at| at + 1);
    let length = i32::try_from(length).unwrap_or(0);
    let mut random = Random::new();
    let limit = call.context().limits.string;
    let mut entries = vec![(SmolStr::new_static("tlsh"), Value::Text(sum.clone()))];
    for size in &config.bins {
        let mut bytes: Vec<u8> = Vec::new();
        check_length(usize::try_from(*size / 4).unwrap_or(0), limit)?;
        for at in 0..usize::try_from(*size).unwrap_or(0) {
            if at % 1024 == 0 {
                call.step()?;
            }
            if length == 0 {
                return Err(call.wrong_value(0, "the hash has no bits to make bins from"));
            }
            let picked = usize::try_from(random.below(length)).unwrap_or(0);
            if vector.get(picked) == Some(&true) {
                // Zeros at the end are left out.
                bytes.resize((at / 8 + 1).max(bytes.len()), 0);
                if let Some(last) = bytes.last_mut() {
                    *last |= 1 << (at % 8);
                }
            }
        }
        let key = match config.bins.len() {
            1 => SmolStr::new_static("tlsh_bin"),
            _ => format_smolstr!("tlsh_bin_{size}"),
        };
        let mut bin = SmolStrBuilder::new();
        bin.push_str(&size.to_smolstr());
        for byte in bytes {
            bin.push_str(&format_smolstr!("{byte:02x}"));
        }
        entries.push((key, Value::Text(bin.finish())));
    }
    let entries: Entries = entries
        .into_iter()
        .map(|(key, value)| (Value::Text(key), value))
        .collect();
    Ok(Value::Map(Map::new(MapKind::Hash, entries)))
}

fn distance(call: &mut Call<'_, '_>) -> Outcome<Value> {
    for index in [0, 1] {
        if !matches!(call.arg(index), Value::Text(_) | Value::Null) {
            return Err(call.wrong_type(index, "a TLSH"));
        }
    }
    let (Value::Text(a), Value::Text(b)) = (call.arg(0), call.arg(1)) else {
        return Ok(Value::Int(-1));
    };
    if a == b {
        return Ok(Value::Int(0));
    }
    let length = convert::to_bool(call.arg(2)).unwrap_or(false);
    // The kind of a hash shows in its length alone.
    macro_rules! between {
        ($kind:ty) => {{
            let a: $kind = parsed(call, 0, a)?;
            let b: $kind = parsed(call, 1, b)?;
            a.diff(&b, length)
        }};
    }
    let kind = |text: &str| text.len() - if text.starts_with("T1") { 2 } else { 0 };
    let kinds = (kind(a), kind(b));
    Ok(Value::Int(match kinds {
        (70, 70) => between!(Tlsh128_1),
        (74, 74) => between!(Tlsh128_3),
        (134, 134) => between!(Tlsh256_1),
        (138, 138) => between!(Tlsh256_3),
        (70 | 74 | 134 | 138, 70 | 74 | 134 | 138) => {
            return Err(call.wrong_value(1, "the hashes were made with different configurations"));
        }
        (70 | 74 | 134 | 138, _) => return Err(malformed(call, 1)),
        _ => return Err(malformed(call, 0)),
    }))
}

fn parsed<T: std::str::FromStr>(call: &Call<'_, '_>, index: usize, text: &str) -> Outcome<T> {
    let digits = text.strip_prefix("T1").unwrap_or(text);
    format_smolstr!("T1{digits}")
        .parse()
        .map_err(|_| malformed(call, index))
}

#[cold]
fn malformed(call: &Call<'_, '_>, index: usize) -> Fault {
    call.wrong_value(index, "this is no TLSH")
        .help("a TLSH has 70, 74, 134 or 138 hexadecimal digits, as HASH(…, 'TLSH') makes them")
}
