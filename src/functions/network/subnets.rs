//! Membership in subnets, and what a subnet spans.

use super::super::spec::{Family, FunctionSpec, Kind, SPEC, example, fails, repeated, required};
use super::address::{Address, Subnet};
use super::string_or_null;
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use crate::eval::{Call, Context, Prepared, Value};
use num_bigint::BigInt;
use std::sync::Arc;

pub(super) const IN_SUBNET: FunctionSpec = FunctionSpec {
    name: "IN_SUBNET",
    family: Family::Network,
    summary: "Tells whether an address lies in at least one of several subnets.",
    details: "IPv4 and IPv6. All addresses of a subnet count, its first and its last one too; bits of the subnet behind its prefix do not matter. \
              An IPv6 address that stands for one of IPv4 (::ffff:10.0.0.1) lies in subnets of IPv4; the zone of an IPv6 address (fe80::1%eth0) does not matter. \
              The subnets are looked at in order up to the first hit; null among them is skipped.",
    parameters: &[
        required("ip", Kind::Text, "the address"),
        required(
            "cidr",
            Kind::Text,
            "a subnet, such as 10.0.0.0/8 or 2001:db8::/32",
        ),
        repeated("cidrs", Kind::Text, "more subnets"),
    ],
    returns: "true or false; false for a null address",
    errors: &[
        "the address is no IP address",
        "a subnet is no address with a slash and the length of its prefix",
        "an argument is neither a string nor null",
    ],
    examples: &[
        example("IN_SUBNET('192.168.1.77', '192.168.0.0/16')", "true"),
        example("IN_SUBNET('192.168.0.255', '192.168.0.0/24')", "true"),
        example(
            "IN_SUBNET('8.8.8.8', '10.0.0.0/8', '172.16.0.0/12')",
            "false",
        ),
        example("IN_SUBNET('2001:db8::1', '2001:db8::/32')", "true"),
        example("IN_SUBNET('::ffff:10.1.2.3', '10.0.0.0/8')", "true"),
        example("IN_SUBNET(null, '10.0.0.0/8')", "false"),
        fails("IN_SUBNET('256.1.1.1', '10.0.0.0/8')", "E0204"),
        fails("IN_SUBNET('10.0.0.1', '10.0.0.0')", "E0204"),
    ],
    see: &["IS_IP", "IS_PRIVATE_IP", "CIDR_CONTAINS", "IP_SCOPE"],
    words: &["network", "netmask", "range", "CIDR", "member"],
    prepare: Some(subnets),
    run: in_subnet,
    ..SPEC
};

pub(super) const CIDR_CONTAINS: FunctionSpec = FunctionSpec {
    name: "CIDR_CONTAINS",
    family: Family::Network,
    summary: "Tells whether a subnet holds all addresses of another.",
    details: "The other may be a single address. A subnet contains itself.",
    parameters: &[
        required("outer", Kind::Text, "the subnet that should hold the other"),
        required("inner", Kind::Text, "a subnet or an address"),
    ],
    returns: "true or false; false when either is null",
    errors: &[
        "an argument is no subnet",
        "an argument is neither a string nor null",
    ],
    examples: &[
        example("CIDR_CONTAINS('10.0.0.0/8', '10.20.0.0/16')", "true"),
        example("CIDR_CONTAINS('10.20.0.0/16', '10.0.0.0/8')", "false"),
        example("CIDR_CONTAINS('fe80::/10', 'fe80::1')", "true"),
        example("CIDR_CONTAINS('10.0.0.0/8', null)", "false"),
        fails("CIDR_CONTAINS('10.0.0.0', '10.0.0.1')", "E0204"),
    ],
    see: &["IN_SUBNET", "CIDR_RANGE", "CIDR_SIZE"],
    words: &["subnet", "overlap", "supernet"],
    run: cidr_contains,
    ..SPEC
};

pub(super) const CIDR_RANGE: FunctionSpec = FunctionSpec {
    name: "CIDR_RANGE",
    family: Family::Network,
    summary: "Lists the first and the last address of a subnet.",
    details: "For IPv4 these are the network and the broadcast address.",
    parameters: &[required("cidr", Kind::Text, "a subnet")],
    returns: "a list of two strings; null for null",
    errors: &[
        "the argument is no subnet",
        "the argument is neither a string nor null",
    ],
    examples: &[
        example(
            "CIDR_RANGE('192.168.1.77/24')",
            "[192.168.1.0, 192.168.1.255]",
        ),
        example("CIDR_RANGE('2001:db8::/126')", "[2001:db8::, 2001:db8::3]"),
        example("CIDR_RANGE(null)", "null"),
        fails("CIDR_RANGE('10.0.0.0/33')", "E0204"),
    ],
    see: &["CIDR_SIZE", "IN_SUBNET", "IP_MASK"],
    words: &["subnet", "network address", "broadcast", "bounds"],
    run: cidr_range,
    ..SPEC
};

pub(super) const CIDR_SIZE: FunctionSpec = FunctionSpec {
    name: "CIDR_SIZE",
    family: Family::Network,
    summary: "Counts the addresses of a subnet.",
    details: "All of them, the first and the last one too.",
    parameters: &[required("cidr", Kind::Text, "a subnet")],
    returns: "a long, or a big integer where IPv6 has more; null for null",
    errors: &[
        "the argument is no subnet",
        "the argument is neither a string nor null",
    ],
    examples: &[
        example("CIDR_SIZE('10.0.0.0/8')", "16777216"),
        example("CIDR_SIZE('192.0.2.1/32')", "1"),
        example("CIDR_SIZE('2001:db8::/64')", "18446744073709551616"),
        fails("CIDR_SIZE('many')", "E0204"),
    ],
    see: &["CIDR_RANGE", "IN_SUBNET"],
    words: &["subnet", "hosts", "how many"],
    run: |call| {
        let Some(subnet) = subnet_or_null(call, 0)? else {
            return Ok(Value::Null);
        };
        let less_one = subnet.size_less_one();
        Ok(
            match i64::try_from(less_one).ok().and_then(|n| n.checked_add(1)) {
                Some(size) => Value::Long(size),
                None => Value::Big(Arc::new(BigInt::from(less_one) + 1)),
            },
        )
    },
    ..SPEC
};

/// The subnets of a call that are literals, by their place among the arguments behind the first.
#[derive(Debug)]
struct Subnets(Vec<Option<Subnet>>);

fn subnets(arguments: &[Option<&Value>], _context: &Context) -> Outcome<Option<Prepared>> {
    let mut all = Vec::new();
    for (index, argument) in arguments.iter().enumerate().skip(1) {
        all.push(match argument {
            Some(Value::Text(text)) => match Subnet::parse(text) {
                Some(subnet) => Some(subnet),
                None => return Err(bad_subnet("IN_SUBNET", index, text)),
            },
            _ => None,
        });
    }
    let some = all.iter().any(Option::is_some);
    Ok(some.then(|| Arc::new(Subnets(all)) as Prepared))
}

#[cold]
fn bad_subnet(name: &str, index: usize, text: &str) -> Fault {
    let shown: String = text.chars().take(60).collect();
    let message = format!("{name}: '{shown}' is no subnet");
    Diagnostic::new(Code::ArgumentValue, message)
        .of_argument(index)
        .help("a subnet is an address, a slash and a number of bits: 10.0.0.0/8, 2001:db8::/32; a single address has /32 or /128")
}

#[cold]
fn bad_address(call: &Call<'_, '_>, index: usize, text: &str) -> Fault {
    let shown: String = text.chars().take(60).collect();
    call.wrong_value(index, format!("'{shown}' is no IP address"))
        .help("ask IS_IP before where other texts may come")
}

fn in_subnet(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let ip = match call.arg(0) {
        Value::Text(text) => text.as_str(),
        Value::Null => return Ok(Value::Bool(false)),
        _ => return Err(call.wrong_type(0, "a string")),
    };
    let ready = call.prepared::<Subnets>().map_or(&[][..], |s| &s.0);
    let mut address = None;
    for (index, argument) in call.arguments.iter().enumerate().skip(1) {
        let subnet = match ready.get(index - 1) {
            Some(Some(subnet)) => *subnet,
            _ => match argument {
                Value::Null => continue,
                Value::Text(text) => match Subnet::parse(text) {
                    Some(subnet) => subnet,
                    None => return Err(bad_subnet(call.name, index, text)),
                },
                _ => return Err(call.wrong_type(index, "a string")),
            },
        };
        // Where all subnets are null, Metron does not look at the address.
        let address = match address {
            Some(address) => address,
            None => match Address::parse_decimal(ip) {
                Some(read) => *address.insert(read),
                None => return Err(bad_address(call, 0, ip)),
            },
        };
        if subnet.contains(address) {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

fn subnet_or_null(call: &Call<'_, '_>, index: usize) -> Outcome<Option<Subnet>> {
    let Some(text) = string_or_null(call, index)? else {
        return Ok(None);
    };
    match Subnet::parse(text) {
        Some(subnet) => Ok(Some(subnet)),
        None => Err(bad_subnet(call.name, index, text)),
    }
}

fn cidr_contains(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let (outer, inner) = (subnet_or_null(call, 0)?, string_or_null(call, 1)?);
    let inner = match inner {
        None => None,
        Some(text) => match Address::parse(text) {
            Some(address) => Some(Subnet::of(address, address.width())),
            None => subnet_or_null(call, 1)?,
        },
    };
    let (Some(outer), Some(inner)) = (outer, inner) else {
        return Ok(Value::Bool(false));
    };
    Ok(Value::Bool(outer.covers(&inner)))
}

fn cidr_range(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let Some(subnet) = subnet_or_null(call, 0)? else {
        return Ok(Value::Null);
    };
    let bounds = [subnet.first(), subnet.last()];
    Ok(Value::from(
        bounds.map(|a| Value::string(a.to_string())).to_vec(),
    ))
}
