//! Whether texts are domain names, e-mail addresses, URLs, IP addresses.
//!
//! The rules are those of commons-validator 1.6, which Metron uses; the top-level domains are today's.

use super::super::network::idn::to_ascii;
use super::super::network::suffixes::{is_top_level, list_date};
use super::super::spec::{Family, FunctionSpec, Kind, SPEC, example, optional, repeated};
use crate::diagnostic::Outcome;
use crate::eval::java::numbers::java_digit;
use crate::eval::text::to_text_within;
use crate::eval::{Call, Value};
use std::borrow::Cow;

const ALL: &str =
    "true when there is at least one value, none is null and all are valid, else false";

pub(super) const IS_DOMAIN: FunctionSpec = FunctionSpec {
    name: "IS_DOMAIN",
    family: Family::Checks,
    summary: "Tells whether all values are domain names under a top-level domain that exists.",
    details: concat!(
        "Labels have letters, digits and hyphens inside (RFC 1034, RFC 1123); letters beyond ASCII count by their ASCII form. \
         At least two labels are needed, and 253 characters at most; a point at the end is allowed. \
         Names such as localhost and IP addresses are none. The top-level domains are those of the public suffix list's part by ICANN. ",
        list_date!()
    ),
    parameters: &[repeated(
        "domains",
        Kind::Any,
        "the values to check, by their text",
    )],
    returns: ALL,
    examples: &[
        example("IS_DOMAIN('mail.yahoo.co.uk')", "true"),
        example("IS_DOMAIN('bücher.example.de')", "true"),
        example("IS_DOMAIN('under_score.com')", "false"),
        example("IS_DOMAIN('printer.lan')", "false"),
        example("IS_DOMAIN('example.org', null)", "false"),
    ],
    see: &["DOMAIN_TO_TLD", "IS_URL", "IS_EMAIL", "IS_IP"],
    words: &["hostname", "validate", "FQDN", "TLD"],
    run: |call| all(call, is_domain),
    ..SPEC
};

pub(super) const IS_EMAIL: FunctionSpec = FunctionSpec {
    name: "IS_EMAIL",
    family: Family::Checks,
    summary: "Tells whether all values are e-mail addresses.",
    details: "Before the @ stand 64 characters at most: words with points between them, or texts in double quotes. \
              Behind it stands a domain as IS_DOMAIN wants it, or an IP address in brackets. Blanks around the address are allowed.",
    parameters: &[repeated(
        "addresses",
        Kind::Any,
        "the values to check, by their text",
    )],
    returns: ALL,
    examples: &[
        example("IS_EMAIL('john.doe+tag@example.co.uk')", "true"),
        example("IS_EMAIL('\"john doe\"@example.org')", "true"),
        example("IS_EMAIL('eve@[192.0.2.1]')", "true"),
        example("IS_EMAIL('eve@localhost')", "false"),
        example("IS_EMAIL('eve..adams@example.org')", "false"),
    ],
    see: &["IS_DOMAIN", "EMAIL_DOMAIN", "IS_URL"],
    words: &["mail", "validate", "sender", "recipient", "RFC 822"],
    run: |call| all(call, is_email),
    ..SPEC
};

pub(super) const IS_URL: FunctionSpec = FunctionSpec {
    name: "IS_URL",
    family: Family::Checks,
    summary: "Tells whether all values are URLs of http, https or ftp.",
    details: "The host is a domain as IS_DOMAIN wants it or an IP address, IPv6 in brackets. \
              The path has ASCII letters, digits and -_.~:@&?=+,!*'%$;() only, no empty part, and does not lead above its root.",
    parameters: &[repeated(
        "urls",
        Kind::Any,
        "the values to check, by their text",
    )],
    returns: ALL,
    examples: &[
        example("IS_URL('https://example.com/a/b.php?x=1#top')", "true"),
        example("IS_URL('http://192.0.2.1:8080')", "true"),
        example("IS_URL('http://localhost/')", "false"),
        example("IS_URL('ws://example.com/')", "false"),
        example("IS_URL('http://example.com/../etc')", "false"),
    ],
    see: &["URL_TO_HOST", "IS_DOMAIN", "IS_IP"],
    words: &["link", "validate", "address", "web"],
    run: |call| all(call, is_url),
    ..SPEC
};

pub(super) const IS_IP: FunctionSpec = FunctionSpec {
    name: "IS_IP",
    family: Family::Checks,
    summary: "Tells whether a value is an IP address.",
    details: "IPv4 in its usual form of four numbers without leading zeros; IPv6 (RFC 4291) without a zone. \
              With 'IPV4' or 'IPV6' as type only that family counts; any other type, a list of both too, allows either.",
    parameters: &[
        optional("ip", Kind::Any, "the value to check, by its text"),
        optional("type", Kind::Any, "'IPV4' or 'IPV6'"),
    ],
    returns: "true or false; false for null",
    examples: &[
        example("IS_IP('192.168.1.77')", "true"),
        example("IS_IP('2001:db8::1', 'IPV6')", "true"),
        example("IS_IP('192.168.1.77', 'IPV6')", "false"),
        example("IS_IP('01.2.3.4')", "false"),
        example("IS_IP(null)", "false"),
    ],
    see: &["IN_SUBNET", "IP_SCOPE", "IS_DOMAIN"],
    words: &["address", "validate", "IPv4", "IPv6"],
    run: |call| {
        let (ip, kind) = (call.arg(0), call.arg(1));
        if ip.is_null() {
            return Ok(Value::Bool(false));
        }
        let ip = text(call, ip)?;
        Ok(Value::Bool(match kind.as_text() {
            Some("IPV4") => is_ipv4(&ip),
            Some("IPV6") => is_ipv6(&ip),
            _ => is_ipv4(&ip) || is_ipv6(&ip),
        }))
    },
    ..SPEC
};

/// The text of a value. A string that is one already is not copied.
fn text<'a>(call: &Call<'_, '_>, value: &'a Value) -> Outcome<Cow<'a, str>> {
    Ok(match value {
        Value::Text(text) => Cow::Borrowed(text.as_str()),
        other => Cow::Owned(to_text_within(other, call.context().limits.string)?.to_string()),
    })
}

fn all(call: &Call<'_, '_>, test: fn(&str) -> bool) -> Outcome<Value> {
    for value in &call.arguments {
        if value.is_null() || !test(&text(call, value)?) {
            return Ok(Value::Bool(false));
        }
    }
    Ok(Value::Bool(call.count() > 0))
}

/// The ASCII form, or the text itself where there is none.
fn ascii(text: &str) -> Cow<'_, str> {
    match text.is_ascii() {
        true => Cow::Borrowed(text),
        false => to_ascii(text, false).map_or(Cow::Borrowed(text), Cow::Owned),
    }
}

fn is_domain(text: &str) -> bool {
    let name = ascii(text);
    if name.len() > 253 {
        return false;
    }
    let name = name.strip_suffix('.').unwrap_or(&name);
    let Some((below, top)) = name.rsplit_once('.') else {
        return false;
    };
    below.split('.').all(is_label)
        && is_label(top)
        && top.starts_with(|c: char| c.is_ascii_alphabetic())
        && is_top_level(&top.to_ascii_lowercase())
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && label
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// Blanks as `\s` of Java's regular expressions has them.
fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\u{b}' | '\u{c}' | '\r')
}

/// What `.` of Java's regular expressions does not match.
fn ends_line(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

fn is_email(text: &str) -> bool {
    if text.ends_with('.') {
        return false;
    }
    let Some((user, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let domain = domain.trim_end_matches(is_blank);
    // Line ends may stand among the blanks at the beginning only; what they are followed by counts as the user.
    let blanks = user.len() - user.trim_start_matches(is_blank).len();
    let cut = user
        .get(..blanks)
        .and_then(|blanks| blanks.rfind(ends_line));
    let user = cut.map_or(user, |at| user.get(at + 1..).unwrap_or(""));
    if user.contains(ends_line) || domain.contains(ends_line) {
        return false;
    }
    let inside = domain.strip_prefix('[').and_then(|d| d.strip_suffix(']'));
    is_user(user)
        && match inside {
            Some(ip) => is_ipv4(ip) || is_ipv6(ip),
            None => is_domain(domain),
        }
}

// The places where the reader of a user's name can be; several at once, since a backslash before a
// quotation mark may or may not take its meaning.
const START: u8 = 1;
const WORD: u8 = 2;
const ESCAPED: u8 = 4;
const QUOTED: u8 = 8;
const QUOTED_ESCAPED: u8 = 16;
const CLOSED: u8 = 32;

/// Words of plain characters, or texts in quotation marks, with points between them.
fn is_user(user: &str) -> bool {
    if user.chars().map(char::len_utf16).sum::<usize>() > 64 {
        return false;
    }
    let mut places = START;
    for c in user.trim_start_matches(is_blank).chars() {
        let plain = !is_blank(c) && !c.is_ascii_control() && !"()<>@,;:\\\".[]".contains(c);
        let mut next = 0;
        if places & (START | WORD) != 0 {
            next |= if plain { WORD } else { 0 };
            next |= if c == '\\' { ESCAPED } else { 0 };
        }
        if places & START != 0 && c == '"' {
            next |= QUOTED;
        }
        if places & (WORD | CLOSED) != 0 && c == '.' {
            next |= START;
        }
        if places & ESCAPED != 0 && !ends_line(c) {
            next |= WORD;
        }
        if places & QUOTED != 0 {
            next |= match c {
                '"' => CLOSED,
                '\\' => QUOTED | QUOTED_ESCAPED,
                _ => QUOTED,
            };
        }
        if places & QUOTED_ESCAPED != 0 && c == '"' {
            next |= QUOTED;
        }
        places = next;
    }
    places & (WORD | CLOSED) != 0
}

fn is_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    let known = ["http", "https", "ftp"];
    if !known.iter().any(|known| known.eq_ignore_ascii_case(scheme)) {
        return false;
    }
    let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let Some(rest) = rest.strip_prefix("//") else {
        return false;
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    !fragment.contains(ends_line)
        && !query.contains(is_blank)
        && is_path(path)
        && is_authority(authority)
}

fn is_authority(text: &str) -> bool {
    let text = ascii(text);
    if text.contains(ends_line) {
        return false;
    }
    let hexadecimal = |s: &str| s.bytes().all(|b| b.is_ascii_hexdigit() || b == b':');
    let literal = text
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'))
        .filter(|(inside, _)| !inside.is_empty() && hexadecimal(inside));
    let (host, behind) = match literal {
        Some(parts) => parts,
        None => {
            let host = without_user(&text);
            let end = host
                .find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '.'))
                .unwrap_or(host.len());
            host.split_at(end)
        }
    };
    // A port beyond the digits is no port, and what stands behind it must be blanks.
    let (port, behind) = match behind.strip_prefix(':') {
        None => ("", behind),
        Some(port) => {
            let end = port.find(|c: char| !c.is_ascii_digit());
            port.split_at(end.unwrap_or(port.len()))
        }
    };
    if behind.contains(|c| c > ' ') {
        return false;
    }
    match literal {
        // The port of an IPv6 address is not looked at.
        Some(_) => is_ipv6(host),
        None => (is_domain(host) || is_ipv4(host)) && is_port(port),
    }
}

fn is_port(digits: &str) -> bool {
    let digits = digits.trim_start_matches('0');
    digits.is_empty() || digits.parse::<u16>().is_ok()
}

/// What follows `user:password@`; all of it where the characters before the `@` are not such.
fn without_user(text: &str) -> &str {
    let fine = |b: u8| {
        b.is_ascii_alphanumeric()
            || matches!(b, b'%'..=b'.' | b'_' | b'~' | b'!' | b'$' | b';' | b'=')
    };
    let Some((user, host)) = text.split_once('@') else {
        return text;
    };
    let (name, password) = user.split_once(':').unwrap_or((user, ""));
    match !name.is_empty() && name.bytes().all(fine) && password.bytes().all(fine) {
        true => host,
        false => text,
    }
}

fn is_path(path: &str) -> bool {
    let fine = |b: u8| b.is_ascii_alphanumeric() || b"-_:@&?=+,.!/~*'%$;()".contains(&b);
    if !path.bytes().all(fine) || path.contains("//") {
        return false;
    }
    let mut depth = 0usize;
    for part in path.split('/').skip(1) {
        depth = match part {
            ".." => match depth.checked_sub(1) {
                Some(depth) => depth,
                None => return false,
            },
            "." | "" => depth,
            _ => depth + 1,
        };
    }
    true
}

pub(super) fn is_ipv4(text: &str) -> bool {
    let octet = |part: &str| {
        let fits = part.len() <= 3 && !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        let leading = part.len() > 1 && part.starts_with('0');
        fits && !leading && part.parse::<u8>().is_ok()
    };
    text.len() <= 15 && text.split('.').count() == 4 && text.split('.').all(octet)
}

/// IPv6 as commons-validator reads it: a group may have a sign, and a gap may stand for nothing.
pub(super) fn is_ipv6(text: &str) -> bool {
    let gap = text.find("::");
    if gap.is_some_and(|at| text.get(at + 1..).is_some_and(|rest| rest.contains("::"))) {
        return false;
    }
    let (starts, ends) = (text.starts_with("::"), text.ends_with("::"));
    if (text.starts_with(':') && !starts) || (text.ends_with(':') && !ends) {
        return false;
    }
    // Java's split drops empty parts at the end; of those that a gap at either end makes, one is to be left.
    let trimmed = text.trim_end_matches(':');
    let inner = if starts && !trimmed.is_empty() {
        trimmed.get(1..).unwrap_or("")
    } else {
        trimmed
    };
    let mut groups: Vec<&str> = match (inner, text) {
        ("", "") => vec![""],
        ("", _) => Vec::new(),
        (inner, _) => inner.split(':').take(10).collect(),
    };
    if ends {
        groups.push("");
    }
    if groups.len() > 8 {
        return false;
    }
    let last = groups.len().saturating_sub(1);
    let (mut count, mut empty) = (0, 0);
    for (index, group) in groups.iter().enumerate() {
        count += 1;
        if group.is_empty() {
            empty += 1;
            if empty > 1 {
                return false;
            }
            continue;
        }
        empty = 0;
        if index == last && group.contains('.') {
            if !is_ipv4(group) {
                return false;
            }
            count += 1;
        } else if !is_group(group) {
            return false;
        }
    }
    count == 8 || (count < 8 && gap.is_some())
}

/// At most four characters that `Integer.parseInt` takes for a number of base 16 that is not negative.
fn is_group(group: &str) -> bool {
    if group.chars().map(char::len_utf16).sum::<usize>() > 4 {
        return false;
    }
    let (digits, negative) = match group.strip_prefix('-') {
        Some(digits) => (digits, true),
        None => (group.strip_prefix('+').unwrap_or(group), false),
    };
    let value = |c: char| match c {
        '\u{ff21}'..='\u{ff26}' | '\u{ff41}'..='\u{ff46}' => Some(10),
        c => c.to_digit(16).or_else(|| java_digit(c)),
    };
    !digits.is_empty()
        && digits
            .chars()
            .all(|c| value(c).is_some_and(|v| v == 0 || !negative))
}
