//! A small seeded random generator and weighted choice, in whole numbers only, so that every machine makes the same data.

/// A stream of random numbers (SplitMix64).
#[derive(Clone)]
pub struct Random(u64);

impl Random {
    /// The stream `name` of a seed; streams of different names are independent.
    pub fn new(seed: u64, name: &str) -> Self {
        let mut random = Self(seed ^ fnv(name));
        // The first outputs of near seeds are alike in their low bits until the state has moved once.
        let state = random.next();
        Self(state)
    }

    /// 64 random bits.
    #[inline]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.0)
    }

    /// A number below `end`; 0 when `end` is 0.
    #[inline]
    pub fn below(&mut self, end: u32) -> u32 {
        (((self.next() >> 32) * u64::from(end)) >> 32) as u32
    }

    /// An index into a collection of `len` elements.
    #[inline]
    pub fn index(&mut self, len: usize) -> usize {
        self.below(len as u32) as usize
    }

    /// A number from `low` to `high`, both included.
    #[inline]
    pub fn between(&mut self, low: u32, high: u32) -> u32 {
        low + self.below(high - low + 1)
    }

    /// True in `percent` of a hundred cases.
    #[inline]
    pub fn percent(&mut self, percent: u32) -> bool {
        self.below(100) < percent
    }

    /// One element of a slice that is not empty.
    #[inline]
    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.index(from.len())]
    }

    /// A number of `low` to `high` bits, each length as likely as the others: the long tail of sizes and durations.
    #[inline]
    pub fn magnitude(&mut self, low: u32, high: u32) -> u64 {
        let top = 1u64 << self.between(low, high);
        top | (self.next() & (top - 1))
    }
}

/// Spreads the bits of a number; also a stable hash for choices that must not depend on the seed.
#[inline]
pub fn mix(number: u64) -> u64 {
    let mut z = number;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

fn fnv(text: &str) -> u64 {
    text.bytes().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
    })
}

/// A weighted choice in constant time: a wheel on which everyone owns places by weight, at least one.
pub struct Wheel(Vec<u16>);

impl Wheel {
    const PLACES: u64 = 1 << 14;

    /// A wheel for the given weights.
    pub fn new(weights: &[u32]) -> Self {
        let total: u64 = weights.iter().copied().map(u64::from).sum::<u64>().max(1);
        let mut places = Vec::new();
        for (index, weight) in weights.iter().enumerate() {
            let owned = (u64::from(*weight) * Self::PLACES / total).max(1);
            places.extend(std::iter::repeat_n(index as u16, owned as usize));
        }
        Self(places)
    }

    /// A wheel for `count` elements whose k-th has weight 1 / (k + flat): Zipf's law with a blunted head.
    pub fn zipf(count: usize, flat: u32) -> Self {
        let weights: Vec<u32> = (0..count as u32).map(|k| 10_000_000 / (k + flat)).collect();
        Self::new(&weights)
    }

    /// The index of the next choice.
    #[inline]
    pub fn spin(&self, random: &mut Random) -> usize {
        usize::from(random.pick(&self.0))
    }
}
