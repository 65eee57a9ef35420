//! URLs as java.net.URL of Java 17 reads them.

use crate::eval::java::numbers::parse_int;

/// The parts of a URL. They are cut from its text, nothing is decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url<'a> {
    /// What stands before the first colon, as written.
    pub scheme: &'a str,
    /// What stands before the `@`.
    pub user: Option<&'a str>,
    /// The host, an IPv6 address in its brackets; empty when there is none.
    pub host: &'a str,
    /// The port, if one is given.
    pub port: Option<i32>,
    /// The path with its first slash.
    pub path: &'a str,
    /// What stands behind the `?`.
    pub query: Option<&'a str>,
    /// What stands behind the `#`.
    pub fragment: Option<&'a str>,
}

/// The schemes that Java has handlers for, with their ports.
const SCHEMES: &[(&str, i32)] = &[
    ("http", 80),
    ("https", 443),
    ("ftp", 21),
    ("file", -1),
    ("jar", -1),
    ("mailto", -1),
];

/// A scheme that Java knows, in small letters, with its port or -1.
pub fn known(scheme: &str) -> Option<(&'static str, i32)> {
    let same = |known: &&(&str, i32)| known.0.eq_ignore_ascii_case(scheme);
    SCHEMES.iter().find(same).copied()
}

/// Reads a URL. `None` where Java throws an exception, and for schemes that it does not know.
pub fn parse(text: &str) -> Option<Url<'_>> {
    let head = Head::read(text)?;
    let (scheme, _) = known(head.scheme)?;
    match scheme {
        "jar" => jar(text, &head),
        "mailto" => mailto(&head),
        _ => head.hierarchical(),
    }
}

/// Reads a URL of any scheme, by the rules that Java has for those it knows.
pub fn parse_any(text: &str) -> Option<Url<'_>> {
    let head = Head::read(text)?;
    match known(head.scheme) {
        Some(_) => parse(text),
        None => head.hierarchical(),
    }
}

/// A URL of which only the scheme and the fragment have been cut off.
struct Head<'a> {
    scheme: &'a str,
    rest: &'a str,
    fragment: Option<&'a str>,
}

impl<'a> Head<'a> {
    fn read(text: &'a str) -> Option<Head<'a>> {
        let mut text = text.trim_matches(|c| c <= ' ');
        if text
            .get(..4)
            .is_some_and(|s| s.eq_ignore_ascii_case("url:"))
        {
            text = text.get(4..)?;
        }
        // A colon behind a slash or in a fragment does not end a scheme.
        let (scheme, behind) = text.split_once(':')?;
        let mut letters = scheme.bytes();
        let first = letters.next()?.is_ascii_alphabetic();
        let fine = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.');
        if !first || !letters.all(fine) {
            return None;
        }
        let (rest, fragment) = match behind.split_once('#') {
            Some((rest, fragment)) => (rest, Some(fragment)),
            None => (behind, None),
        };
        Some(Head {
            scheme,
            rest,
            fragment,
        })
    }

    fn url(&self) -> Url<'a> {
        Url {
            scheme: self.scheme,
            user: None,
            host: "",
            port: None,
            path: self.rest,
            query: None,
            fragment: self.fragment,
        }
    }

    /// All is path but what stands behind the last question mark.
    fn with_last_query(&self) -> Url<'a> {
        let mut url = self.url();
        if let Some((path, query)) = self.rest.rsplit_once('?') {
            (url.path, url.query) = (path, Some(query));
        }
        url
    }

    fn hierarchical(&self) -> Option<Url<'a>> {
        let mut url = self.url();
        if let Some((path, query)) = self.rest.split_once('?') {
            (url.path, url.query) = (path, Some(query));
        }
        let rest = url.path;
        // Four slashes are a path of Windows shares.
        let Some(behind) = rest.strip_prefix("//").filter(|b| !b.starts_with("//")) else {
            return Some(url);
        };
        let slash = behind.find('/').unwrap_or(behind.len());
        let (authority, path) = behind.split_at(slash);
        url.path = path;
        let host = match authority.split_once('@') {
            None => authority,
            // With a second one, nothing is known about the host.
            Some((_, host)) if host.contains('@') => return Some(url),
            Some((user, host)) => {
                url.user = Some(user);
                host
            }
        };
        let (host, port) = if host.starts_with('[') {
            let (inside, behind) = host.get(1..)?.split_once(']')?;
            if inside.len() < 2 || !is_ipv6(inside) {
                return None;
            }
            let port = match behind {
                "" => "",
                behind => behind.strip_prefix(':')?,
            };
            (host.get(..inside.len() + 2)?, port)
        } else {
            host.split_once(':').unwrap_or((host, ""))
        };
        if host.contains(refused_in_hosts) {
            return None;
        }
        url.host = host;
        if !port.is_empty() {
            let number = port_number(port)?;
            url.port = (number >= 0).then_some(number);
        }
        Some(url)
    }
}

/// Control characters, and those that become delimiters of URLs when their compatibility forms are taken.
fn refused_in_hosts(c: char) -> bool {
    c.is_ascii_control()
        || matches!(
            c,
            '\u{2047}'
                ..='\u{2049}' | '\u{2100}' | '\u{2101}' | '\u{2105}' | '\u{2106}' | '\u{2a74}'
        )
        || matches!(c, '\u{fe55}' | '\u{fe56}' | '\u{fe5f}' | '\u{fe6b}')
        || matches!(
            c,
            '\u{ff03}' | '\u{ff0f}' | '\u{ff1a}' | '\u{ff1f}' | '\u{ff20}'
        )
}

/// As `Integer.parseInt`, and -1 for none; no blanks.
fn port_number(text: &str) -> Option<i32> {
    if text.contains(|c| c <= ' ') {
        return None;
    }
    parse_int(text).filter(|port| *port >= -1)
}

fn mailto<'a>(head: &Head<'a>) -> Option<Url<'a>> {
    // There must be something that might be an address.
    let something = head.rest.contains(|c: char| !is_java_whitespace(c));
    something.then(|| head.with_last_query())
}

/// As `Character.isWhitespace`: no-break spaces are none.
fn is_java_whitespace(c: char) -> bool {
    match c {
        '\u{a0}' | '\u{2007}' | '\u{202f}' | '\u{85}' => false,
        '\u{1c}'..='\u{1f}' => true,
        c => c.is_whitespace(),
    }
}

/// A URL of a file, `!/`, and a path inside of that file; the path of the whole is all of it.
fn jar<'a>(text: &'a str, head: &Head<'a>) -> Option<Url<'a>> {
    // Java wants the scheme at the very beginning, and none of its kind inside.
    let begins = |text: &str| {
        let start = text.get(..4);
        start.is_some_and(|s| s.eq_ignore_ascii_case("jar:"))
    };
    let inner = head.rest.get(..head.rest.rfind("!/")?)?;
    let inner = Head::read(inner)?;
    let fine = match known(inner.scheme)?.0 {
        "jar" => false,
        "mailto" => mailto(&inner).is_some(),
        _ => inner.hierarchical().is_some(),
    };
    (begins(text) && fine).then(|| head.with_last_query())
}

/// Whether Java takes a text for an IPv6 address, with or without a zone.
fn is_ipv6(text: &str) -> bool {
    let address = match text.split_once('%') {
        Some((_, "")) => return false,
        Some((address, _)) => address,
        None => text,
    };
    let Some(address) = address
        .strip_prefix(':')
        .map_or(Some(address), |rest| rest.starts_with(':').then_some(rest))
    else {
        return false;
    };
    // How many bytes have been read, whether a gap has been seen, the number being read.
    let (mut bytes, mut gap, mut number) = (0, false, None::<u32>);
    let mut start = 0;
    for (at, c) in address.char_indices() {
        let last = at + c.len_utf8() == address.len();
        match (c.to_digit(16), c) {
            (Some(digit), _) => {
                let value = number.unwrap_or(0) << 4 | digit;
                if value > 0xffff {
                    return false;
                }
                number = Some(value);
            }
            (None, ':') => {
                start = at + 1;
                match number.take() {
                    None if gap => return false,
                    None => gap = true,
                    Some(_) if last || bytes + 2 > 16 => return false,
                    Some(_) => bytes += 2,
                }
            }
            (None, '.') if bytes + 4 <= 16 => {
                if !address.get(start..).is_some_and(is_ipv4) {
                    return false;
                }
                (bytes, number) = (bytes + 4, None);
                break;
            }
            _ => return false,
        }
    }
    if number.is_some() {
        bytes += 2;
    }
    bytes <= 16 && gap == (bytes < 16)
}

/// The end of an IPv6 address written as one of IPv4.
fn is_ipv4(text: &str) -> bool {
    let octet = |part: &str| {
        let mut value = 0;
        for c in part.chars() {
            match c.to_digit(10) {
                Some(digit) if value <= 255 => value = value * 10 + digit,
                _ => return false,
            }
        }
        !part.is_empty() && value <= 255
    };
    text.split('.').count() == 4 && text.split('.').all(octet)
}
