//! Community ID: one name for a flow, whichever tool saw it and in whichever direction.

use crate::diagnostic::Outcome;
use crate::eval::{Call, Value, convert};
use crate::functions::spec::{Family, FunctionSpec, Kind, SPEC, default, example, fails, required};
use data_encoding::BASE64;
use sha1::{Digest, Sha1};
use smallvec::SmallVec;
use smol_str::SmolStrBuilder;
use std::net::IpAddr;

pub(super) const COMMUNITY_ID: FunctionSpec = FunctionSpec {
    name: "COMMUNITY_ID",
    family: Family::Hashing,
    summary: "Computes the Community ID of a flow, by which records of Zeek, Suricata, Arkime and others are joined.",
    details: "Version 1 of Corelight's community-id-spec. Both directions of a flow have the same ID. For ICMP and \
              ICMPv6 the ports are type and code. Protocols other than TCP, UDP, SCTP, ICMP and ICMPv6 have no ports; \
              give null for them.",
    parameters: &[
        required("src_ip", Kind::Text, "the source address, IPv4 or IPv6"),
        required(
            "dst_ip",
            Kind::Text,
            "the destination address, of the same version",
        ),
        required(
            "src_port",
            Kind::Integer,
            "the source port, or the type of an ICMP message",
        ),
        required(
            "dst_port",
            Kind::Integer,
            "the destination port, or the code of an ICMP message",
        ),
        required(
            "protocol",
            Kind::Any,
            "the number of the protocol, or tcp, udp, sctp, icmp, icmp6",
        ),
        default(
            "seed",
            Kind::Integer,
            "sets flows of one network apart from those of others",
            "0",
        ),
    ],
    returns: "the ID, a string that begins with 1:, or null when something that is needed is null",
    errors: &[
        "an address is not one, or the two are of different versions",
        "a port or the seed is not between 0 and 65535",
        "the protocol is unknown, or not between 0 and 255",
    ],
    examples: &[
        example(
            "COMMUNITY_ID('1.2.3.4', '5.6.7.8', 1122, 3344, 'tcp')",
            "1:wCb3OG7yAFWelaUydu0D+125CLM=",
        ),
        example(
            "COMMUNITY_ID('5.6.7.8', '1.2.3.4', 3344, 1122, 6)",
            "1:wCb3OG7yAFWelaUydu0D+125CLM=",
        ),
        example(
            "COMMUNITY_ID('1.2.3.4', '5.6.7.8', 8, 0, 'icmp')",
            "1:crodRHL2FEsHjbv3UkRrfbs4bZ0=",
        ),
        example(
            "COMMUNITY_ID('10.1.12.1', '10.1.12.2', null, null, 46)",
            "1:KHlLkgoJW7ifUTyTSgyVfkFHzKw=",
        ),
        example("COMMUNITY_ID(null, '5.6.7.8', 1122, 3344, 6)", "null"),
        fails("COMMUNITY_ID('1.2.3', '5.6.7.8', 1122, 3344, 6)", "E0204"),
    ],
    see: &["HASH", "JA3"],
    words: &[
        "flow",
        "connection",
        "five-tuple",
        "5-tuple",
        "zeek",
        "suricata",
        "join",
        "pivot",
    ],
    run: community_id,
    ..SPEC
};

const ICMP: u8 = 1;
const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMP6: u8 = 58;
const SCTP: u8 = 132;

fn community_id(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let (Some(source), Some(destination)) = (address(call, 0)?, address(call, 1)?) else {
        return Ok(Value::Null);
    };
    if source.is_ipv4() != destination.is_ipv4() {
        return Err(call.wrong_value(1, "one address is IPv4, the other IPv6"));
    }
    let Some(protocol) = protocol(call)? else {
        return Ok(Value::Null);
    };
    let seed = small(call, 5)?.unwrap_or(0);
    let has_ports = matches!(protocol, ICMP | TCP | UDP | ICMP6 | SCTP);
    let ports = if has_ports {
        match (small(call, 2)?, small(call, 3)?) {
            (Some(a), Some(b)) => Some((a, b)),
            _ => return Ok(Value::Null),
        }
    } else {
        None
    };
    let flow = Flow {
        ends: (source, destination),
        ports,
        protocol,
    };
    let sum = Sha1::digest(flow.bytes(seed));
    let mut text = SmolStrBuilder::new();
    text.push_str("1:");
    text.push_str(&BASE64.encode(&sum));
    Ok(Value::Text(text.finish()))
}

struct Flow {
    ends: (IpAddr, IpAddr),
    ports: Option<(u16, u16)>,
    protocol: u8,
}

impl Flow {
    /// What is hashed: the smaller end comes first, unless the flow goes one way only.
    fn bytes(&self, seed: u16) -> SmallVec<[u8; 48]> {
        let (mut from, mut to) = self.ends;
        let (mut first, mut second) = self.ports.unwrap_or((0, 0));
        let answer = match self.protocol {
            ICMP => Some(icmp_answer(first)),
            ICMP6 => Some(icmp6_answer(first)),
            _ => None,
        };
        if let Some(Some(answer)) = answer {
            second = answer;
        }
        let one_way = answer == Some(None);
        if !one_way && (from, first) > (to, second) {
            (from, to) = (to, from);
            (first, second) = (second, first);
        }
        let mut bytes = SmallVec::new();
        bytes.extend(seed.to_be_bytes());
        for end in [from, to] {
            match end {
                IpAddr::V4(ip) => bytes.extend(ip.octets()),
                IpAddr::V6(ip) => bytes.extend(ip.octets()),
            }
        }
        bytes.extend([self.protocol, 0]);
        if self.ports.is_some() {
            bytes.extend(first.to_be_bytes());
            bytes.extend(second.to_be_bytes());
        }
        bytes
    }
}

/// The type of ICMP message that answers one of this type; `None` when nothing does.
fn icmp_answer(kind: u16) -> Option<u16> {
    Some(match kind {
        // Echo.
        0 => 8,
        8 => 0,
        // Router advertisement and solicitation.
        9 => 10,
        10 => 9,
        // Timestamp, information, address mask: the answer follows the question.
        13 | 15 | 17 => kind + 1,
        14 | 16 | 18 => kind - 1,
        _ => return None,
    })
}

/// The same for ICMPv6: echo, listeners, routers, neighbours, node information, home agents.
fn icmp6_answer(kind: u16) -> Option<u16> {
    Some(match kind {
        128 | 130 | 133 | 135 | 139 | 144 => kind + 1,
        129 | 131 | 134 | 136 | 140 | 145 => kind - 1,
        _ => return None,
    })
}

fn address(call: &Call<'_, '_>, index: usize) -> Outcome<Option<IpAddr>> {
    match call.arg(index) {
        Value::Null => Ok(None),
        Value::Text(text) => match text.parse() {
            Ok(ip) => Ok(Some(ip)),
            Err(_) => Err(call.wrong_value(index, "this is not an IP address")),
        },
        _ => Err(call.wrong_type(index, "an IP address")),
    }
}

/// A port, type, code or seed; `None` for null.
fn small(call: &Call<'_, '_>, index: usize) -> Outcome<Option<u16>> {
    if call.arg(index).is_null() {
        return Ok(None);
    }
    let number = convert::to_int(call.arg(index)).and_then(|n| u16::try_from(n).ok());
    match number {
        Some(number) => Ok(Some(number)),
        None => Err(call.wrong_value(index, "expects a whole number between 0 and 65535")),
    }
}

fn protocol(call: &Call<'_, '_>) -> Outcome<Option<u8>> {
    let value = call.arg(4);
    if value.is_null() {
        return Ok(None);
    }
    let named = value.as_text().and_then(|name| {
        const NAMES: &[(&str, u8)] = &[
            ("tcp", TCP),
            ("udp", UDP),
            ("icmp", ICMP),
            ("sctp", SCTP),
            ("icmp6", ICMP6),
            ("icmpv6", ICMP6),
            ("ipv6-icmp", ICMP6),
        ];
        let known = NAMES
            .iter()
            .find(|(known, _)| name.eq_ignore_ascii_case(known));
        known.map(|(_, number)| *number)
    });
    let number = || convert::to_int(value).and_then(|n| u8::try_from(n).ok());
    match named.or_else(number) {
        Some(number) => Ok(Some(number)),
        None => Err(call
            .wrong_value(
                4,
                "this is neither the number nor a known name of a protocol",
            )
            .help("names are tcp, udp, sctp, icmp and icmp6; all others go by their number")),
    }
}
