//! Addresses as messages write them: one, a network with the bits behind its prefix, or a range.

use super::number;
use crate::event::Range;
use crate::event::range::write_v6;
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

/// An address, a network or a range of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Address {
    /// An IPv4 address.
    One4(u32),
    /// An IPv4 address and the length of a prefix.
    Net4(u32, u8),
    /// The lowest and the highest of a range of IPv4 addresses.
    Range4(u32, u32),
    /// An IPv6 address.
    One6(u128),
    /// An IPv6 address and the length of a prefix.
    Net6(u128, u8),
    /// The lowest and the highest of a range of IPv6 addresses.
    Range6(u128, u128),
}

impl Address {
    /// Reads IPv4 only.
    pub fn parse4(text: &str) -> Option<Address> {
        if let Some(address) = one4(text) {
            return Some(Address::One4(address));
        }
        if let Some((address, prefix)) = text.split_once('/') {
            return Some(Address::Net4(one4(address)?, length(prefix, 32)?));
        }
        let (low, high) = text.split_once('-')?;
        let (low, high) = (one4(low)?, one4(high)?);
        Some(Address::Range4(low.min(high), low.max(high)))
    }

    /// Reads IPv6 only.
    pub fn parse6(text: &str) -> Option<Address> {
        if let Some(address) = one6(text) {
            return Some(Address::One6(address));
        }
        if let Some((address, prefix)) = text.split_once('/') {
            return Some(Address::Net6(one6(address)?, length(prefix, 128)?));
        }
        let (low, high) = text.split_once('-')?;
        let (low, high) = (one6(low)?, one6(high)?);
        Some(Address::Range6(low.min(high), low.max(high)))
    }

    /// All addresses that are meant: of a network those with any bits behind its prefix.
    pub fn range(self) -> Range {
        match self {
            Address::One4(one) => Range::V4(one, one),
            Address::Range4(low, high) => Range::V4(low, high),
            Address::One6(one) => Range::V6(one, one),
            Address::Range6(low, high) => Range::V6(low, high),
            Address::Net4(address, prefix) => {
                Range::net4(address, prefix.into()).unwrap_or(Range::V4(address, address))
            }
            Address::Net6(address, prefix) => {
                Range::net6(address, prefix.into()).unwrap_or(Range::V6(address, address))
            }
        }
    }
}

/// One IPv4 address. By hand, since most addresses of messages are.
fn one4(text: &str) -> Option<u32> {
    let mut address = 0u32;
    let mut parts = 0;
    for part in text.as_bytes().split(|&b| b == b'.') {
        let digits = match part {
            [b'0'] => 0,
            [b'1'..=b'9', ..] if part.len() <= 3 => part.iter().try_fold(0u32, |n, b| {
                b.is_ascii_digit().then(|| n * 10 + u32::from(b - b'0'))
            })?,
            _ => return None,
        };
        parts += 1;
        if digits > 255 || parts > 4 {
            return None;
        }
        address = address << 8 | digits;
    }
    (parts == 4).then_some(address)
}

fn one6(text: &str) -> Option<u128> {
    text.parse::<Ipv6Addr>().ok().map(Ipv6Addr::to_bits)
}

/// The length of a prefix, in any form in which Python reads a whole number.
fn length(text: &str, most: u8) -> Option<u8> {
    let digits = number::digits(text)?;
    digits.parse().ok().filter(|&length| length <= most)
}

impl fmt::Display for Address {
    /// In the normal form that messages are stored in.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Address::One4(one) => write!(f, "{}", Ipv4Addr::from_bits(one)),
            Address::Net4(address, prefix) => {
                write!(f, "{}/{prefix}", Ipv4Addr::from_bits(address))
            }
            Address::Range4(low, high) => {
                write!(
                    f,
                    "{}-{}",
                    Ipv4Addr::from_bits(low),
                    Ipv4Addr::from_bits(high)
                )
            }
            Address::One6(one) => write_v6(f, one, false),
            Address::Net6(address, prefix) => {
                write_v6(f, address, false)?;
                write!(f, "/{prefix}")
            }
            Address::Range6(low, high) => {
                write_v6(f, low, false)?;
                f.write_str("-")?;
                write_v6(f, high, false)
            }
        }
    }
}
