//! Subnets.

use super::called;
use super::scope::Scope;
use crate::diagnostic::{Code, Diagnostic, Fault, Fix};
use crate::syntax::lint::Node;
use crate::syntax::{Expr, ExprKind, quoted};
use std::net::IpAddr;

/// `IN_SUBNET(ip, '192.168.1.77/24')`, `IN_SUBNET(ip, '10.0.0.1')`.
pub fn subnet(node: &Node<'_>, scope: &Scope<'_>, found: &mut Vec<Fault>) {
    let Some(call) = called(node, scope).filter(|call| call.name == "IN_SUBNET") else {
        return;
    };
    for argument in call.arguments.iter().skip(1) {
        if let ExprKind::Text(text) = &argument.inner().kind {
            found.extend(mistake(text, argument.inner()));
        }
    }
}

fn mistake(text: &str, place: &Expr) -> Option<Fault> {
    let fault = |message: &str, better: Option<String>| {
        let fault = Diagnostic::at(Code::Subnet, place.span, message);
        Some(match better {
            Some(better) => {
                let written = quoted(&better);
                fault
                    .help(format!("write {written}"))
                    .fix(Fix::replace(place.span, written))
            }
            None => {
                fault.help("write an address and the number of its leading bits: 192.168.0.0/24")
            }
        })
    };
    let Some((address, bits)) = text.split_once('/') else {
        let better = text.parse::<IpAddr>().ok().map(|address| match address {
            IpAddr::V4(_) => format!("{text}/32"),
            IpAddr::V6(_) => format!("{text}/128"),
        });
        return fault("a subnet needs its number of bits", better);
    };
    let Ok(address) = address.trim().parse::<IpAddr>() else {
        return fault("this is no address", None);
    };
    let most: u32 = if address.is_ipv4() { 32 } else { 128 };
    let Some(bits) = bits.trim().parse::<u32>().ok().filter(|bits| *bits <= most) else {
        return fault(&format!("the number of bits is 0 to {most}"), None);
    };
    let network = network(address, bits);
    if network != address {
        let message = "the address has bits behind those that count; this is the whole network";
        return fault(message, Some(format!("{network}/{bits}")));
    }
    None
}

/// The address with all but its first `bits` bits cleared.
fn network(address: IpAddr, bits: u32) -> IpAddr {
    match address {
        IpAddr::V4(v4) => {
            let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
            IpAddr::V4((v4.to_bits() & mask).into())
        }
        IpAddr::V6(v6) => {
            let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
            IpAddr::V6((v6.to_bits() & mask).into())
        }
    }
}
