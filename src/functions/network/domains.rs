//! Domain names and public suffixes.
//!
//! What counts as a name follows Guava 17's InternetDomainName, which Metron uses.

use super::super::spec::{Family, FunctionSpec, Kind, SPEC, example, fails, optional, required};
use super::string_or_null;
use super::suffixes::{list_date, suffix_length};
use crate::diagnostic::Outcome;
use crate::eval::java::numbers::java_digit;
use crate::eval::{Call, Value};
use smallvec::SmallVec;

const NO_STRING: &[&str] = &["the argument is neither a string nor null"];

pub(super) const DOMAIN_TO_TLD: FunctionSpec = FunctionSpec {
    name: "DOMAIN_TO_TLD",
    family: Family::Network,
    summary: "Takes the public suffix of a domain: that under which people can register names.",
    details: concat!(
        "Suffixes of companies that give out names count too, such as github.io. \
         Where the list has none, it is what follows the last point. ",
        list_date!()
    ),
    parameters: &[required("domain", Kind::Text, "the domain name")],
    returns: "the suffix in small letters; null for null",
    errors: NO_STRING,
    examples: &[
        example("DOMAIN_TO_TLD('mail.yahoo.co.uk')", "co.uk"),
        example("DOMAIN_TO_TLD('www.example.COM')", "com"),
        example("DOMAIN_TO_TLD('printer.lan')", "lan"),
        example("DOMAIN_TO_TLD(null)", "null"),
        fails("DOMAIN_TO_TLD(5)", "E0203"),
    ],
    see: &["DOMAIN_REMOVE_TLD", "DOMAIN_REMOVE_SUBDOMAINS", "IS_DOMAIN"],
    words: &["top-level domain", "suffix", "eTLD", "PSL"],
    run: to_tld,
    ..SPEC
};

pub(super) const DOMAIN_REMOVE_TLD: FunctionSpec = FunctionSpec {
    name: "DOMAIN_REMOVE_TLD",
    family: Family::Network,
    summary: "Takes the public suffix off a domain.",
    details: "What is left keeps its capitals. Give the name without a point at its end: the point is counted as one of the suffix's letters. \
              What is no name, such as an IPv4 address, gives null.",
    parameters: &[required("domain", Kind::Text, "the domain name")],
    returns: "what stands before the suffix, empty for a suffix itself; null for null and for what is no name",
    errors: NO_STRING,
    examples: &[
        example("DOMAIN_REMOVE_TLD('www.google.co.uk')", "www.google"),
        example("DOMAIN_REMOVE_TLD('com')", ""),
        example("DOMAIN_REMOVE_TLD('10.0.0.1')", "null"),
        example("DOMAIN_REMOVE_TLD(null)", "null"),
        fails("DOMAIN_REMOVE_TLD(['com'])", "E0203"),
    ],
    see: &[
        "DOMAIN_TO_TLD",
        "DOMAIN_REMOVE_SUBDOMAINS",
        "DOMAIN_TYPOSQUAT",
    ],
    words: &["top-level domain", "suffix", "strip"],
    run: remove_tld,
    ..SPEC
};

pub(super) const DOMAIN_REMOVE_SUBDOMAINS: FunctionSpec = FunctionSpec {
    name: "DOMAIN_REMOVE_SUBDOMAINS",
    family: Family::Network,
    summary: "Takes all but the registered name off a domain.",
    details: "The registered name is the public suffix and one label before it. The label keeps its capitals, the suffix comes in small letters. \
              What is no name, such as an IPv4 address, gives null.",
    parameters: &[optional("domain", Kind::Text, "the domain name")],
    returns: "the registered name; a suffix itself; null for null and for what is no name",
    errors: NO_STRING,
    examples: &[
        example(
            "DOMAIN_REMOVE_SUBDOMAINS('mail.yahoo.co.uk')",
            "yahoo.co.uk",
        ),
        example(
            "DOMAIN_REMOVE_SUBDOMAINS('a.b.user.github.io')",
            "user.github.io",
        ),
        example("DOMAIN_REMOVE_SUBDOMAINS('com')", "com"),
        example("DOMAIN_REMOVE_SUBDOMAINS('10.0.0.1')", "null"),
        fails("DOMAIN_REMOVE_SUBDOMAINS(5)", "E0203"),
    ],
    see: &["DOMAIN_TO_TLD", "DOMAIN_REMOVE_TLD", "URL_TO_HOST"],
    words: &["registrable domain", "apex", "eTLD+1", "organisation"],
    run: remove_subdomains,
    ..SPEC
};

/// A name that has passed the checks: small ASCII letters, plain points, none at the end.
type Name = SmallVec<[u8; 64]>;

/// The name in its normal form; `None` for what is none.
fn normal(domain: &str) -> Option<Name> {
    // 253 UTF-16 units and a point at the end have at most 762 bytes.
    if domain.len() > 762 {
        return None;
    }
    if domain.is_ascii() {
        let mut name = Name::from_slice(domain.as_bytes());
        name.make_ascii_lowercase();
        if name.last() == Some(&b'.') {
            name.pop();
        }
        let fine = name.len() <= 253 && ascii_labels(&name);
        return fine.then_some(name);
    }
    let mut name = domain.replace(['\u{3002}', '\u{ff0e}', '\u{ff61}'], ".");
    name.make_ascii_lowercase();
    if name.ends_with('.') {
        name.pop();
    }
    if name.encode_utf16().count() > 253 || name.split('.').count() > 127 {
        return None;
    }
    if !name.split('.').all(fine_label) {
        return None;
    }
    let top = name.rsplit('.').next()?;
    let digit = top.chars().next().and_then(java_digit);
    digit.is_none().then(|| Name::from_slice(name.as_bytes()))
}

/// Whether all labels of an ASCII name are labels, and the last one does not begin with a digit.
fn ascii_labels(name: &[u8]) -> bool {
    let (mut length, mut labels, mut first, mut before) = (0usize, 1, 0u8, b'-');
    for byte in name {
        match byte {
            b'.' => {
                if length == 0 || length > 63 || matches!(before, b'-' | b'_') {
                    return false;
                }
                length = 0;
                labels += 1;
            }
            b'a'..=b'z' | b'0'..=b'9' => {
                if length == 0 {
                    first = *byte;
                }
                length += 1;
            }
            b'-' | b'_' if length > 0 => length += 1,
            _ => return false,
        }
        before = *byte;
    }
    let ends = length > 0 && length <= 63 && !matches!(before, b'-' | b'_');
    ends && labels <= 127 && !first.is_ascii_digit()
}

/// Any character beyond ASCII will do; of ASCII letters, digits, and inside of the label hyphens and underscores.
fn fine_label(label: &str) -> bool {
    let dash = |c: char| matches!(c, '-' | '_');
    let length = label.encode_utf16().count();
    (1..=63).contains(&length)
        && label
            .chars()
            .all(|c| !c.is_ascii() || c.is_ascii_alphanumeric() || dash(c))
        && !label.starts_with(dash)
        && !label.ends_with(dash)
}

/// The public suffix in small letters, or what follows the last point as it is.
fn top<'a>(name: Option<&'a Name>, domain: &'a str) -> &'a str {
    let suffix = name.and_then(|name| {
        let name = std::str::from_utf8(name).ok()?;
        name.get(name.len() - suffix_length(name)?..)
    });
    suffix.unwrap_or_else(|| domain.rsplit('.').next().unwrap_or(domain))
}

fn to_tld(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let Some(domain) = string_or_null(call, 0)? else {
        return Ok(Value::Null);
    };
    Ok(Value::text(top(normal(domain).as_ref(), domain)))
}

/// What stands before the suffix and the point; `None` when nothing does.
///
/// Characters are counted from the end of the text as given, as in Metron: a point at its end shifts the cut.
fn before<'a>(domain: &'a str, top: &str) -> Option<&'a str> {
    if domain.is_ascii() {
        let rest = domain.len().checked_sub(top.len())?;
        return domain.get(..rest.checked_sub(1)?);
    }
    let mut rest = domain;
    for _ in 0..top.chars().count() {
        rest = without_last(rest);
    }
    (!rest.is_empty()).then(|| without_last(rest))
}

fn without_last(text: &str) -> &str {
    let mut characters = text.chars();
    characters.next_back();
    characters.as_str()
}

fn remove_tld(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let Some(domain) = string_or_null(call, 0)? else {
        return Ok(Value::Null);
    };
    let Some(name) = normal(domain) else {
        return Ok(Value::Null);
    };
    let rest = before(domain, top(Some(&name), domain));
    Ok(Value::text(rest.unwrap_or("")))
}

fn remove_subdomains(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let Some(domain) = string_or_null(call, 0)? else {
        return Ok(Value::Null);
    };
    let Some(name) = normal(domain) else {
        return Ok(Value::Null);
    };
    let top = top(Some(&name), domain);
    let Some(rest) = before(domain, top) else {
        return Ok(Value::text(domain));
    };
    let label = rest.rsplit('.').next().unwrap_or(rest);
    let mut registered: SmallVec<[u8; 128]> = SmallVec::new();
    for part in [label, ".", top] {
        registered.extend_from_slice(part.as_bytes());
    }
    Ok(std::str::from_utf8(&registered).map_or(Value::Null, Value::text))
}
