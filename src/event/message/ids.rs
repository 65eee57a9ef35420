//! Identifiers of messages that come without one.

use parking_lot::Mutex;

/// A source of random identifiers: UUIDs of version 4. A service of the context where they must be the same each time.
#[derive(Debug, Default)]
pub struct Ids(Option<Mutex<u64>>);

impl Ids {
    /// A source that gives the same identifiers for the same seed.
    pub fn seeded(seed: u64) -> Ids {
        Ids(Some(Mutex::new(seed)))
    }

    /// The next identifier.
    pub fn next(&self) -> String {
        let mut bytes = [0; 16];
        match &self.0 {
            // A system that has no random numbers still gets identifiers that differ.
            None => getrandom::fill(&mut bytes).unwrap_or_else(|_| {
                use std::hash::BuildHasher;
                let hash = || std::hash::RandomState::new().hash_one(std::time::Instant::now());
                bytes = (u128::from(hash()) << 64 | u128::from(hash())).to_be_bytes();
            }),
            Some(state) => {
                let mut state = state.lock();
                let (high, low) = (splitmix(&mut state), splitmix(&mut state));
                bytes = (u128::from(high) << 64 | u128::from(low)).to_be_bytes();
            }
        }
        uuid(u128::from_be_bytes(bytes))
    }
}

/// The next number of SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators").
fn splitmix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut x = *state;
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// Random bits as a UUID of version 4 (RFC 9562).
fn uuid(bits: u128) -> String {
    let bits = bits & !(0xf << 76) | 4 << 76;
    let bits = bits & !(3 << 62) | 2 << 62;
    let hex = format!("{bits:032x}");
    let part = |from, to| hex.get(from..to).unwrap_or_default();
    let parts = [
        part(0, 8),
        part(8, 12),
        part(12, 16),
        part(16, 20),
        part(20, 32),
    ];
    parts.join("-")
}
