//! Ranges of addresses: PostgreSQL's type `iprange` of the extension ip4r.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

/// All addresses from a lowest to a highest one of the same kind. The first bound is never above the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Range {
    /// IPv4 addresses.
    V4(u32, u32),
    /// IPv6 addresses.
    V6(u128, u128),
}

impl Range {
    /// The range between two IPv4 addresses in any order.
    pub fn v4(one: u32, other: u32) -> Range {
        Range::V4(one.min(other), one.max(other))
    }

    /// The range between two IPv6 addresses in any order.
    pub fn v6(one: u128, other: u128) -> Range {
        Range::V6(one.min(other), one.max(other))
    }

    /// The IPv4 network around an address; `None` for a prefix above 32.
    pub fn net4(address: u32, prefix: u32) -> Option<Range> {
        let hosts = u32::MAX.checked_shr(prefix).unwrap_or(0);
        (prefix <= 32).then_some(Range::V4(address & !hosts, address | hosts))
    }

    /// The IPv6 network around an address; `None` for a prefix above 128.
    pub fn net6(address: u128, prefix: u32) -> Option<Range> {
        let hosts = u128::MAX.checked_shr(prefix).unwrap_or(0);
        (prefix <= 128).then_some(Range::V6(address & !hosts, address | hosts))
    }

    /// Reads a single address, a network (bits behind the prefix are taken away) or `low-high` (in any order).
    pub fn parse(text: &str) -> Option<Range> {
        Range::read(text, false)
    }

    /// Reads what the database reads as an `iprange`: as [`Range::parse`], but a network whose address has bits behind
    /// the prefix is refused.
    pub fn parse_strict(text: &str) -> Option<Range> {
        Range::read(text, true)
    }

    fn read(text: &str, strict: bool) -> Option<Range> {
        if let Some((address, prefix)) = text.split_once('/') {
            let digits = prefix.bytes().all(|b| b.is_ascii_digit());
            let prefix: u32 = digits.then(|| prefix.parse().ok()).flatten()?;
            return match Range::single(address)? {
                Range::V4(address, _) => Range::net4(address, prefix)
                    .filter(|net| !strict || net.low() == u128::from(address)),
                Range::V6(address, _) => {
                    Range::net6(address, prefix).filter(|net| !strict || net.low() == address)
                }
            };
        }
        if let Some((low, high)) = text.split_once('-') {
            return match (Range::single(low)?, Range::single(high)?) {
                (Range::V4(low, _), Range::V4(high, _)) => Some(Range::v4(low, high)),
                (Range::V6(low, _), Range::V6(high, _)) => Some(Range::v6(low, high)),
                _ => None,
            };
        }
        Range::single(text)
    }

    /// Reads one address.
    fn single(text: &str) -> Option<Range> {
        match text.contains(':') {
            true => {
                let address: Ipv6Addr = text.parse().ok()?;
                Some(Range::V6(address.to_bits(), address.to_bits()))
            }
            false => {
                let address: Ipv4Addr = text.parse().ok()?;
                Some(Range::V4(address.to_bits(), address.to_bits()))
            }
        }
    }

    /// Whether these are IPv4 addresses.
    pub fn is_v4(self) -> bool {
        matches!(self, Range::V4(..))
    }

    /// The lowest address as a number.
    pub fn low(self) -> u128 {
        match self {
            Range::V4(low, _) => low.into(),
            Range::V6(low, _) => low,
        }
    }

    /// The highest address as a number.
    pub fn high(self) -> u128 {
        match self {
            Range::V4(_, high) => high.into(),
            Range::V6(_, high) => high,
        }
    }

    /// Whether some address is in both, as the operator `&&` says.
    pub fn overlaps(self, other: Range) -> bool {
        self.is_v4() == other.is_v4() && self.low() <= other.high() && other.low() <= self.high()
    }

    /// The length of the prefix when the range is a network, which a single address is, too.
    pub fn prefix(self) -> Option<u32> {
        let (low, high, bits) = match self {
            Range::V4(low, high) => (u128::from(low), u128::from(high), 32),
            Range::V6(low, high) => (low, high, 128),
        };
        let hosts = low ^ high;
        let network = hosts & hosts.wrapping_add(1) == 0 && low & hosts == 0;
        network.then(|| bits - (128 - hosts.leading_zeros()))
    }
}

impl fmt::Display for Range {
    /// As the database prints it: one address, a network where it is one, else `low-high`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prefix = self.prefix();
        match *self {
            Range::V4(low, high) => {
                write!(f, "{}", Ipv4Addr::from_bits(low))?;
                match prefix {
                    Some(32) => Ok(()),
                    Some(prefix) => write!(f, "/{prefix}"),
                    None => write!(f, "-{}", Ipv4Addr::from_bits(high)),
                }
            }
            Range::V6(low, high) => {
                write_v6(f, low, true)?;
                match prefix {
                    Some(128) => Ok(()),
                    Some(prefix) => write!(f, "/{prefix}"),
                    None => {
                        f.write_str("-")?;
                        write_v6(f, high, true)
                    }
                }
            }
        }
    }
}

/// Writes an IPv6 address in its normal form, the last four bytes as IPv4 where that is usual. With `translated`, also
/// those of RFC 2765 (`::ffff:0:1.2.3.4`), which ip4r prints so and the C library does not.
pub(super) fn write_v6(f: &mut impl fmt::Write, address: u128, translated: bool) -> fmt::Result {
    let words: [u16; 8] = std::array::from_fn(|i| (address >> (112 - 16 * i)) as u16);
    // The first of the longest runs of two and more zeros becomes `::` (RFC 5952).
    let (mut start, mut length, mut run) = (8, 1, 0);
    for (i, &word) in words.iter().enumerate() {
        run = if word == 0 { run + 1 } else { 0 };
        if run > length {
            (start, length) = (i + 1 - run, run);
        }
    }
    let end = if start < 8 { start + length } else { 8 };
    let dotted = start == 0
        && match end {
            6 => true,
            5 => words[5] == 0xffff,
            4 => translated && words[4] == 0xffff && words[5] == 0,
            _ => false,
        };
    let (hex, rest) = if dotted { (6, address as u32) } else { (8, 0) };
    for (i, word) in words.iter().enumerate().take(hex) {
        if (start..end).contains(&i) {
            if i == start {
                f.write_str("::")?;
            }
            continue;
        }
        if i > 0 && i != end {
            f.write_char(':')?;
        }
        write!(f, "{word:x}")?;
    }
    if dotted {
        if end != 6 {
            f.write_char(':')?;
        }
        write!(f, "{}", Ipv4Addr::from_bits(rest))?;
    }
    Ok(())
}
