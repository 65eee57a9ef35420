//! What an address is, and other forms of it.

use super::super::spec::{Family, FunctionSpec, Kind, SPEC, example, fails, optional, required};
use super::address::{Address, Subnet};
use super::string_or_null;
use crate::diagnostic::Outcome;
use crate::eval::{Call, Value};
use num_bigint::BigInt;
use std::fmt::Write;
use std::sync::{Arc, LazyLock};

pub(super) const IP_SCOPE: FunctionSpec = FunctionSpec {
    name: "IP_SCOPE",
    family: Family::Network,
    summary: "Says in one word where an address has a meaning.",
    details: "unspecified (0.0.0.0, ::), loopback (127.0.0.0/8, ::1), \
              private (RFC 1918: 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16; RFC 4193: fc00::/7; RFC 8215: 64:ff9b:1::/48; RFC 3879: fec0::/10), \
              link-local (RFC 3927: 169.254.0.0/16; RFC 4291: fe80::/10), shared (RFC 6598: 100.64.0.0/10, behind a provider's NAT), \
              multicast (224.0.0.0/4, ff00::/8), broadcast (255.255.255.255), \
              documentation (RFC 5737, 3849, 9637), benchmarking (RFC 2544, 5180), \
              reserved (what else IANA's registries of special addresses keep from the open network, and IPv6 outside of 2000::/3), else global. \
              An IPv6 address that stands for one of IPv4 has the scope of that.",
    parameters: &[required("ip", Kind::Text, "the address")],
    returns: "the word; null for null and for a text that is no address",
    errors: &["the argument is neither a string nor null"],
    examples: &[
        example("IP_SCOPE('10.1.2.3')", "private"),
        example("IP_SCOPE('8.8.8.8')", "global"),
        example("IP_SCOPE('fe80::1%eth0')", "link-local"),
        example("IP_SCOPE('::ffff:127.0.0.1')", "loopback"),
        example("IP_SCOPE('server')", "null"),
        fails("IP_SCOPE(1)", "E0203"),
    ],
    see: &["IS_PRIVATE_IP", "IN_SUBNET", "IS_IP"],
    words: &[
        "RFC 1918", "internal", "external", "public", "bogon", "reserved",
    ],
    run: |call| {
        Ok(match address(call, 0)? {
            Some(address) => Value::text(scope(address.unmapped())),
            None => Value::Null,
        })
    },
    ..SPEC
};

pub(super) const IP_MASK: FunctionSpec = FunctionSpec {
    name: "IP_MASK",
    family: Family::Network,
    summary: "Clears the bits of an address behind a prefix.",
    details: "What is left names the network: good for grouping, and for passing addresses on without telling whose they are. \
              With 32 and 128 nothing is cleared and the address comes out in its one standard form (RFC 5952).",
    parameters: &[
        required("ip", Kind::Text, "the address"),
        required("bits", Kind::Integer, "how many bits to keep"),
        optional(
            "bits6",
            Kind::Integer,
            "how many to keep of IPv6 addresses, when that differs",
        ),
    ],
    returns: "the address as a string; null for null and for a text that is no address",
    errors: &[
        "a number of bits is no integer from 0 to 32, for IPv6 to 128",
        "the first argument is neither a string nor null",
    ],
    examples: &[
        example("IP_MASK('192.0.2.77', 24)", "192.0.2.0"),
        example("IP_MASK('2001:db8:1:2:3:4:5:6', 24, 48)", "2001:db8:1::"),
        example("IP_MASK('2001:DB8:0:0::1', 32, 128)", "2001:db8::1"),
        example("IP_MASK('server', 24)", "null"),
        fails("IP_MASK('192.0.2.77', 48)", "E0204"),
    ],
    see: &["CIDR_RANGE", "IN_SUBNET", "IP_CANONICAL"],
    words: &["netmask", "network", "anonymise", "truncate", "group"],
    run: ip_mask,
    ..SPEC
};

pub(super) const IP_TO_NUMBER: FunctionSpec = FunctionSpec {
    name: "IP_TO_NUMBER",
    family: Family::Network,
    summary: "Turns an address into the number that its bits are.",
    details: "The first byte of the address weighs most.",
    parameters: &[required("ip", Kind::Text, "the address")],
    returns: "a long, for IPv6 a big integer; null for null and for a text that is no address",
    errors: &["the argument is neither a string nor null"],
    examples: &[
        example("IP_TO_NUMBER('192.0.2.1')", "3221225985"),
        example(
            "IP_TO_NUMBER('2001:db8::1')",
            "42540766411282592856903984951653826561",
        ),
        example("IP_TO_NUMBER('server')", "null"),
    ],
    see: &["NUMBER_TO_IP", "CIDR_RANGE"],
    words: &["integer", "decimal", "convert"],
    run: |call| {
        Ok(match address(call, 0)? {
            Some(Address::V4(bits)) => Value::Long(i64::from(bits)),
            Some(Address::V6(bits)) => Value::Big(Arc::new(BigInt::from(bits))),
            None => Value::Null,
        })
    },
    ..SPEC
};

pub(super) const NUMBER_TO_IP: FunctionSpec = FunctionSpec {
    name: "NUMBER_TO_IP",
    family: Family::Network,
    summary: "Turns a number into the address whose bits it is.",
    details: "The number may come as text.",
    parameters: &[
        required("number", Kind::Any, "a whole number or its text"),
        optional(
            "version",
            Kind::Integer,
            "4 or 6; without it, 4 for what fits into 32 bits and else 6",
        ),
    ],
    returns: "the address as a string; null for null and for what is no whole number in the range",
    errors: &["the version is neither 4 nor 6"],
    examples: &[
        example("NUMBER_TO_IP(3221225985L)", "192.0.2.1"),
        example(
            "NUMBER_TO_IP('42540766411282592856903984951653826561')",
            "2001:db8::1",
        ),
        example("NUMBER_TO_IP(1, 6)", "::1"),
        example("NUMBER_TO_IP(-1)", "null"),
        fails("NUMBER_TO_IP(1, 5)", "E0204"),
    ],
    see: &["IP_TO_NUMBER"],
    words: &["integer", "decimal", "convert"],
    run: number_to_ip,
    ..SPEC
};

pub(super) const IP_REVERSE_NAME: FunctionSpec = FunctionSpec {
    name: "IP_REVERSE_NAME",
    family: Family::Network,
    summary: "Gives the name under which the DNS keeps the host name of an address.",
    details: "That of PTR records: in-addr.arpa for IPv4 (RFC 1035), ip6.arpa for IPv6 (RFC 3596).",
    parameters: &[required("ip", Kind::Text, "the address")],
    returns: "the name without a point at its end; null for null and for a text that is no address",
    errors: &["the argument is neither a string nor null"],
    examples: &[
        example("IP_REVERSE_NAME('192.0.2.77')", "77.2.0.192.in-addr.arpa"),
        example(
            "IP_REVERSE_NAME('2001:db8::1')",
            "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
        ),
        example("IP_REVERSE_NAME('server')", "null"),
    ],
    see: &["IP_SCOPE", "DOMAIN_TO_TLD"],
    words: &["PTR", "reverse DNS", "arpa", "lookup"],
    run: reverse_name,
    ..SPEC
};

/// An address argument; `None` for null and for other texts.
fn address(call: &Call<'_, '_>, index: usize) -> Outcome<Option<Address>> {
    Ok(string_or_null(call, index)?.and_then(Address::parse))
}

/// The blocks that IANA keeps for special use, the narrower ones first.
///
/// Sources: the IPv4 and IPv6 special-purpose address registries (RFC 6890, RFC 8190), RFC 4291, RFC 5771.
const SPECIAL: &[(&str, &str)] = &[
    ("0.0.0.0/32", "unspecified"),
    ("255.255.255.255/32", "broadcast"),
    // RFC 7723 and RFC 8155: anycast services that may be asked from anywhere.
    ("192.0.0.9/32", "global"),
    ("192.0.0.10/32", "global"),
    ("0.0.0.0/8", "reserved"),
    ("10.0.0.0/8", "private"),
    ("172.16.0.0/12", "private"),
    ("192.168.0.0/16", "private"),
    ("100.64.0.0/10", "shared"),
    ("127.0.0.0/8", "loopback"),
    ("169.254.0.0/16", "link-local"),
    ("192.0.0.0/24", "reserved"),
    ("192.0.2.0/24", "documentation"),
    ("198.51.100.0/24", "documentation"),
    ("203.0.113.0/24", "documentation"),
    // RFC 7526: once the anycast address of 6to4 relays.
    ("192.88.99.0/24", "reserved"),
    ("198.18.0.0/15", "benchmarking"),
    ("224.0.0.0/4", "multicast"),
    ("240.0.0.0/4", "reserved"),
    ("::/128", "unspecified"),
    ("::1/128", "loopback"),
    ("64:ff9b::/96", "global"),
    ("64:ff9b:1::/48", "private"),
    ("2001:1::1/128", "global"),
    ("2001:1::2/128", "global"),
    ("2001:1::3/128", "global"),
    ("2001::/32", "global"),
    ("2001:2::/48", "benchmarking"),
    ("2001:3::/32", "global"),
    ("2001:4:112::/48", "global"),
    ("2001:20::/28", "global"),
    ("2001:30::/28", "global"),
    ("2001:db8::/32", "documentation"),
    ("2001::/23", "reserved"),
    ("3fff::/20", "documentation"),
    ("fc00::/7", "private"),
    ("fe80::/10", "link-local"),
    ("fec0::/10", "private"),
    ("ff00::/8", "multicast"),
    ("2000::/3", "global"),
    ("::/0", "reserved"),
];

static SCOPES: LazyLock<Vec<(Subnet, &'static str)>> = LazyLock::new(|| {
    let read = |(cidr, word): &(&str, &'static str)| Some((Subnet::parse(cidr)?, *word));
    SPECIAL.iter().filter_map(read).collect()
});

fn scope(address: Address) -> &'static str {
    let block = SCOPES.iter().find(|(subnet, _)| subnet.contains(address));
    block.map_or("global", |(_, word)| word)
}

/// A number of bits to keep of an address of this width.
fn bits(call: &Call<'_, '_>, index: usize, width: u32) -> Outcome<u32> {
    let given = match call.arg(index) {
        Value::Int(n) => i64::from(*n),
        Value::Long(n) => *n,
        _ => return Err(call.wrong_type(index, "an integer")),
    };
    match u32::try_from(given) {
        Ok(bits) if bits <= width => Ok(bits),
        _ => Err(call.wrong_value(
            index,
            format!("an address of {width} bits has no prefix of {given}"),
        )),
    }
}

fn ip_mask(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let Some(address) = address(call, 0)? else {
        return Ok(Value::Null);
    };
    let index = match address {
        Address::V6(_) if !call.arg(2).is_null() => 2,
        _ => 1,
    };
    let bits = bits(call, index, address.width())?;
    Ok(Value::string(address.masked(bits).to_string()))
}

fn number_to_ip(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let number = match call.arg(0) {
        Value::Int(n) => u128::try_from(*n).ok(),
        Value::Long(n) => u128::try_from(*n).ok(),
        Value::Big(n) => u128::try_from(n.as_ref()).ok(),
        // Only digits: Rust would take a plus as well.
        Value::Text(text) if text.bytes().all(|b| b.is_ascii_digit()) => text.parse().ok(),
        _ => None,
    };
    let version = match call.arg(1) {
        Value::Null => None,
        Value::Int(4) | Value::Long(4) => Some(4),
        Value::Int(6) | Value::Long(6) => Some(6),
        _ => return Err(call.wrong_value(1, "the version of an address is 4 or 6")),
    };
    let address = number.and_then(|number| match (u32::try_from(number), version) {
        (Ok(bits), None | Some(4)) => Some(Address::V4(bits)),
        (Err(_), Some(4)) => None,
        _ => Some(Address::V6(number)),
    });
    Ok(address.map_or(Value::Null, |a| Value::string(a.to_string())))
}

fn reverse_name(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let mut name = String::new();
    let written = match address(call, 0)? {
        None => return Ok(Value::Null),
        Some(Address::V4(bits)) => {
            let [a, b, c, d] = bits.to_be_bytes();
            write!(name, "{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        Some(Address::V6(bits)) => (0..32)
            .try_for_each(|i| write!(name, "{:x}.", bits >> (4 * i) & 15))
            .and_then(|()| name.write_str("ip6.arpa")),
    };
    // Writing into a string cannot fail.
    debug_assert!(written.is_ok());
    Ok(Value::string(name))
}
