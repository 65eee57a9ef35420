//! Addresses, subnets, domains, URLs, protocols.

mod address;
mod addresses;
mod domains;
pub(super) mod idn;
pub(super) mod java_url;
mod protocols;
mod subnets;
pub(super) mod suffixes;
#[cfg(test)]
mod tests;
mod typosquat;
mod urls;

use super::spec::FunctionSpec;
use crate::diagnostic::Outcome;
use crate::eval::{Call, Value};

/// The functions of this family.
pub const FUNCTIONS: &[FunctionSpec] = &[
    subnets::IN_SUBNET,
    subnets::CIDR_CONTAINS,
    subnets::CIDR_RANGE,
    subnets::CIDR_SIZE,
    addresses::IP_SCOPE,
    addresses::IP_MASK,
    addresses::IP_TO_NUMBER,
    addresses::NUMBER_TO_IP,
    addresses::IP_REVERSE_NAME,
    domains::DOMAIN_TO_TLD,
    domains::DOMAIN_REMOVE_TLD,
    domains::DOMAIN_REMOVE_SUBDOMAINS,
    typosquat::DOMAIN_TYPOSQUAT,
    urls::URL_TO_PROTOCOL,
    urls::URL_TO_HOST,
    urls::URL_TO_PORT,
    urls::URL_TO_PATH,
    urls::URL_PARSE,
    protocols::PROTOCOL_TO_NAME,
];

/// A string argument; `None` for null.
#[inline]
fn string_or_null<'a>(call: &'a Call<'_, '_>, index: usize) -> Outcome<Option<&'a str>> {
    match call.arg(index) {
        Value::Text(text) => Ok(Some(text)),
        Value::Null => Ok(None),
        _ => Err(call.wrong_type(index, "a string")),
    }
}
