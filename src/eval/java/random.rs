//! Java's `Random`: a linear congruential generator of 48 bits, as its documentation describes it.

const MULTIPLIER: u64 = 0x5_DEEC_E66D;
const MASK: u64 = (1 << 48) - 1;

/// A generator of the numbers that Java's gives for the same seed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Random {
    state: u64,
}

impl Random {
    /// A generator as `new Random(seed)` makes it.
    pub fn new(seed: i64) -> Random {
        Random {
            state: (seed as u64 ^ MULTIPLIER) & MASK,
        }
    }

    /// A generator that goes on from an inner state.
    pub fn from_state(state: u64) -> Random {
        Random {
            state: state & MASK,
        }
    }

    /// Its inner state: what Java keeps in the field `seed`.
    pub fn state(&self) -> u64 {
        self.state
    }

    /// The next `bits` bits, at most 32.
    pub fn next(&mut self, bits: u32) -> i32 {
        self.state = self.state.wrapping_mul(MULTIPLIER).wrapping_add(0xB) & MASK;
        (self.state >> (48 - bits)) as i32
    }

    /// A number from 0 to `bound` - 1; 0 for a bound that is not positive.
    pub fn next_int(&mut self, bound: i32) -> i32 {
        if bound <= 0 {
            return 0;
        }
        let mut bits = self.next(31);
        if bound & (bound - 1) == 0 {
            return ((i64::from(bound) * i64::from(bits)) >> 31) as i32;
        }
        loop {
            let value = bits % bound;
            // What would make the lower numbers likelier is thrown away.
            if bits.wrapping_sub(value).wrapping_add(bound - 1) >= 0 {
                return value;
            }
            bits = self.next(31);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Random;

    /// What Java 17 gives for the same calls.
    #[test]
    fn numbers_are_javas() {
        let mut random = Random::new(0);
        let some: Vec<i32> = (0..5).map(|_| random.next_int(10)).collect();
        assert_eq!(some, [0, 8, 9, 7, 5]);
        let mut random = Random::new(42);
        let some: Vec<i32> = [16, 1 << 30, (1 << 30) + 1, i32::MAX, 1]
            .map(|bound| random.next_int(bound))
            .to_vec();
        assert_eq!(some, [11, 58_696_381, 102_948_884, 662_969_970, 0]);
        assert_eq!(random.state(), 265_170_128_171_373);
        assert_eq!(Random::from_state(random.state()), random);
        assert_eq!(random.next_int(0), 0);
    }
}
