//! Identifiers for what comes without one.

/// A UUID of version 4 (RFC 9562) that nothing else has.
pub fn identifier() -> String {
    let mut bytes = [0; 16];
    // A system that has no random numbers still gets identifiers that differ.
    if getrandom::fill(&mut bytes).is_err() {
        use std::hash::BuildHasher;
        let hash = || std::hash::RandomState::new().hash_one(std::time::Instant::now());
        bytes = (u128::from(hash()) << 64 | u128::from(hash())).to_be_bytes();
    }
    uuid(u128::from_be_bytes(bytes), 4)
}

/// A UUID of these bits and a version.
pub fn uuid(bits: u128, version: u128) -> String {
    let bits = bits & !(0xf << 76) | version << 76;
    let bits = bits & !(3 << 62) | 2 << 62;
    let hex = format!("{bits:032x}");
    let part = |from, to| hex.get(from..to).unwrap_or_default();
    [
        part(0, 8),
        part(8, 12),
        part(12, 16),
        part(16, 20),
        part(20, 32),
    ]
    .join("-")
}
