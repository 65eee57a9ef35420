//! IP addresses and subnets of both families.

use std::net::{Ipv4Addr, Ipv6Addr};

/// An address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Address {
    /// IPv4
    V4(u32),
    /// IPv6
    V6(u128),
}

/// A block of addresses that share their first bits. What lies in `::ffff:0:0/96` is kept as IPv4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Subnet {
    /// IPv4
    V4 {
        /// Its lowest address.
        network: u32,
        /// Ones where its addresses agree.
        mask: u32,
    },
    /// IPv6
    V6 {
        /// Its lowest address.
        network: u128,
        /// Ones where its addresses agree.
        mask: u128,
    },
}

impl Address {
    /// Reads an address. Leading zeros are refused, since others read them as octal; the zone of IPv6 is dropped.
    pub fn parse(text: &str) -> Option<Address> {
        match text.parse::<Ipv4Addr>() {
            Ok(v4) => Some(Address::V4(v4.to_bits())),
            Err(_) => v6(text),
        }
    }

    /// Reads an address as Metron's IN_SUBNET does: leading zeros have no meaning.
    #[inline]
    pub fn parse_decimal(text: &str) -> Option<Address> {
        match decimal_v4(text.as_bytes()) {
            Some(v4) => Some(Address::V4(v4)),
            None => v6(text),
        }
    }

    /// The IPv4 address that an IPv6 one of the form `::ffff:10.0.0.1` stands for (RFC 4291, 2.5.5.2).
    pub fn unmapped(self) -> Address {
        match self {
            Address::V6(bits) => mapped(bits).map_or(self, Address::V4),
            v4 => v4,
        }
    }

    /// How many bits it has.
    pub fn width(self) -> u32 {
        match self {
            Address::V4(_) => 32,
            Address::V6(_) => 128,
        }
    }

    /// With all but the first `bits` bits cleared.
    pub fn masked(self, bits: u32) -> Address {
        match self {
            Address::V4(v4) => Address::V4(v4 & mask_v4(bits)),
            Address::V6(v6) => Address::V6(v6 & mask_v6(bits)),
        }
    }

    /// As a number.
    #[cfg(test)]
    pub fn bits(self) -> u128 {
        match self {
            Address::V4(v4) => u128::from(v4),
            Address::V6(v6) => v6,
        }
    }
}

impl std::fmt::Display for Address {
    /// The form of RFC 5952.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Address::V4(bits) => Ipv4Addr::from_bits(*bits).fmt(f),
            Address::V6(bits) => Ipv6Addr::from_bits(*bits).fmt(f),
        }
    }
}

impl Subnet {
    /// Reads a subnet such as `10.0.0.0/8` or `2001:db8::/32`; bits behind the prefix do not matter.
    pub fn parse(text: &str) -> Option<Subnet> {
        let (address, prefix) = text.split_once('/')?;
        if prefix.is_empty() || prefix.len() > 3 || !prefix.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let address = Address::parse_decimal(address)?;
        let bits: u32 = prefix.parse().ok()?;
        (bits <= address.width()).then(|| Subnet::of(address, bits))
    }

    /// The subnet of an address with a prefix of so many bits.
    pub fn of(address: Address, bits: u32) -> Subnet {
        match address.masked(bits) {
            Address::V4(network) => Subnet::V4 {
                network,
                mask: mask_v4(bits),
            },
            Address::V6(network) => match (mapped(network), bits.checked_sub(96)) {
                (Some(network), Some(bits)) => Subnet::V4 {
                    network,
                    mask: mask_v4(bits),
                },
                _ => Subnet::V6 {
                    network,
                    mask: mask_v6(bits),
                },
            },
        }
    }

    /// Whether an address lies in it.
    #[inline]
    pub fn contains(&self, address: Address) -> bool {
        match (self, address) {
            (Subnet::V4 { network, mask }, Address::V4(bits)) => bits & mask == *network,
            (Subnet::V6 { network, mask }, Address::V6(bits)) => bits & mask == *network,
            (Subnet::V4 { network, mask }, Address::V6(bits)) => {
                mapped(bits).is_some_and(|bits| bits & mask == *network)
            }
            (Subnet::V6 { .. }, Address::V4(_)) => false,
        }
    }

    /// Whether all addresses of another subnet lie in it.
    pub fn covers(&self, other: &Subnet) -> bool {
        self.contains(other.first()) && self.contains(other.last())
    }

    /// Its lowest address.
    pub fn first(&self) -> Address {
        match self {
            Subnet::V4 { network, .. } => Address::V4(*network),
            Subnet::V6 { network, .. } => Address::V6(*network),
        }
    }

    /// Its highest address.
    pub fn last(&self) -> Address {
        match self {
            Subnet::V4 { network, mask } => Address::V4(network | !mask),
            Subnet::V6 { network, mask } => Address::V6(network | !mask),
        }
    }

    /// How many addresses it has, less one: all of IPv6 are one more than fit.
    pub fn size_less_one(&self) -> u128 {
        match self {
            Subnet::V4 { mask, .. } => u128::from(!mask),
            Subnet::V6 { mask, .. } => !mask,
        }
    }
}

/// Four decimal numbers of one to three digits, leading zeros or not.
#[inline]
fn decimal_v4(text: &[u8]) -> Option<u32> {
    if text.len() > 15 {
        return None;
    }
    let (mut bits, mut octet, mut digits, mut points) = (0u32, 0u32, 0u32, 0u32);
    for byte in text {
        let digit = u32::from(byte.wrapping_sub(b'0'));
        if digit < 10 {
            // More than three digits are refused below, whatever comes of them here.
            octet = octet.wrapping_mul(10).wrapping_add(digit);
            digits += 1;
        } else {
            // An octet beyond 255, of no or of more than three digits, ends it; digits first, it is the cheaper test.
            if *byte != b'.' || digits.wrapping_sub(1) > 2 || octet > 255 {
                return None;
            }
            bits = bits << 8 | octet;
            (octet, digits, points) = (0, 0, points + 1);
        }
    }
    let whole = points == 3 && digits.wrapping_sub(1) <= 2 && octet <= 255;
    whole.then_some(bits << 8 | octet)
}

/// IPv6, with or without a zone behind a percent sign (RFC 4007, 11).
fn v6(text: &str) -> Option<Address> {
    let text = match text.split_once('%') {
        Some((_, "")) => return None,
        Some((address, _)) => address,
        None => text,
    };
    let v6: Ipv6Addr = text.parse().ok()?;
    Some(Address::V6(v6.to_bits()))
}

fn mapped(bits: u128) -> Option<u32> {
    (bits >> 32 == 0xffff).then_some(bits as u32)
}

fn mask_v4(bits: u32) -> u32 {
    u32::MAX
        .checked_shl(32u32.saturating_sub(bits))
        .unwrap_or(0)
}

fn mask_v6(bits: u32) -> u128 {
    u128::MAX
        .checked_shl(128u32.saturating_sub(bits))
        .unwrap_or(0)
}
