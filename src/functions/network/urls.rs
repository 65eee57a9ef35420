//! Parts of URLs.

use super::super::spec::{Family, FunctionSpec, Kind, Parameter, SPEC, example, fails, required};
use super::java_url::{Url, known, parse, parse_any};
use super::string_or_null;
use crate::diagnostic::Outcome;
use crate::eval::collections::{List, Map, MapKind};
use crate::eval::{Call, Value};

const URL: Parameter = required("url", Kind::Text, "the URL");

const NO_STRING: &[&str] = &["the argument is neither a string nor null"];

const SCHEMES: &str = "The schemes known are http, https, ftp, file, jar and mailto; URL_PARSE takes any. \
                       The rules are those of Java's URL class; nothing is decoded.";

pub(super) const URL_TO_PROTOCOL: FunctionSpec = FunctionSpec {
    name: "URL_TO_PROTOCOL",
    family: Family::Network,
    summary: "Takes the protocol of a URL.",
    details: SCHEMES,
    parameters: &[URL],
    returns: "the protocol in small letters; null for null and for what is no URL of a known scheme",
    errors: NO_STRING,
    examples: &[
        example("URL_TO_PROTOCOL('HTTPS://www.example.org/a')", "https"),
        example("URL_TO_PROTOCOL('www.example.org')", "null"),
        fails("URL_TO_PROTOCOL(5)", "E0203"),
    ],
    see: &["URL_TO_HOST", "URL_TO_PORT", "URL_TO_PATH", "URL_PARSE"],
    words: &["scheme"],
    run: |call| {
        let scheme = url(call)?.and_then(|url| known(url.scheme));
        Ok(scheme.map_or(Value::Null, |(scheme, _)| Value::text(scheme)))
    },
    ..SPEC
};

pub(super) const URL_TO_HOST: FunctionSpec = FunctionSpec {
    name: "URL_TO_HOST",
    family: Family::Network,
    summary: "Takes the host of a URL.",
    details: SCHEMES,
    parameters: &[URL],
    returns: "the host as it is written, an IPv6 address in its brackets, empty when there is none; \
              null for null and for what is no URL of a known scheme",
    errors: NO_STRING,
    examples: &[
        example(
            "URL_TO_HOST('https://user@www.Example.org:8443/a')",
            "www.Example.org",
        ),
        example("URL_TO_HOST('http://[2001:db8::1]/')", "[2001:db8::1]"),
        example("URL_TO_HOST('mailto:eve@example.org')", ""),
        example("URL_TO_HOST('www.example.org')", "null"),
        fails("URL_TO_HOST(5)", "E0203"),
    ],
    see: &[
        "URL_TO_PROTOCOL",
        "URL_TO_PORT",
        "URL_TO_PATH",
        "DOMAIN_REMOVE_SUBDOMAINS",
    ],
    words: &["hostname", "domain", "server"],
    run: |call| Ok(url(call)?.map_or(Value::Null, |url| Value::text(url.host))),
    ..SPEC
};

pub(super) const URL_TO_PORT: FunctionSpec = FunctionSpec {
    name: "URL_TO_PORT",
    family: Family::Network,
    summary: "Takes the port of a URL, or that which its protocol has.",
    details: SCHEMES,
    parameters: &[URL],
    returns: "the port, an integer; -1 for file, jar and mailto; null for null and for what is no URL of a known scheme",
    errors: NO_STRING,
    examples: &[
        example("URL_TO_PORT('https://www.example.org:8443/a')", "8443"),
        example("URL_TO_PORT('https://www.example.org/a')", "443"),
        example("URL_TO_PORT('file:///etc/hosts')", "-1"),
        example("URL_TO_PORT('www.example.org:80')", "null"),
        fails("URL_TO_PORT(80)", "E0203"),
    ],
    see: &["URL_TO_PROTOCOL", "URL_TO_HOST", "URL_TO_PATH"],
    words: &["service", "number"],
    run: |call| {
        let found = url(call)?.and_then(|url| Some((url.port, known(url.scheme)?.1)));
        Ok(found.map_or(Value::Null, |(port, usual)| {
            Value::Int(port.unwrap_or(usual))
        }))
    },
    ..SPEC
};

pub(super) const URL_TO_PATH: FunctionSpec = FunctionSpec {
    name: "URL_TO_PATH",
    family: Family::Network,
    summary: "Takes the path of a URL.",
    details: SCHEMES,
    parameters: &[URL],
    returns: "the path with its first slash, without query and fragment, empty when there is none; \
              null for null and for what is no URL of a known scheme",
    errors: NO_STRING,
    examples: &[
        example(
            "URL_TO_PATH('http://www.example.org/a/b.php?x=1#top')",
            "/a/b.php",
        ),
        example("URL_TO_PATH('http://www.example.org')", ""),
        example("URL_TO_PATH('www.example.org/a')", "null"),
        fails("URL_TO_PATH(5)", "E0203"),
    ],
    see: &["URL_TO_PROTOCOL", "URL_TO_HOST", "URL_TO_PORT", "FILE_NAME"],
    words: &["file", "directory", "resource"],
    run: |call| Ok(url(call)?.map_or(Value::Null, |url| Value::text(url.path))),
    ..SPEC
};

pub(super) const URL_PARSE: FunctionSpec = FunctionSpec {
    name: "URL_PARSE",
    family: Family::Network,
    summary: "Takes a URL of any scheme apart.",
    details: "The map has the keys protocol (in small letters), user, password, host (in small letters, an IPv6 address without brackets), \
              port (given or usual for http, https and ftp), path, query (a map) and fragment; what is missing is null, without a query the map is empty. \
              Names and values of the query are decoded: %20 and + are a blank (WHATWG URL, 5.1); a name that comes several times has a list of its values.",
    parameters: &[URL],
    returns: "a map; null for null and for what is no URL",
    errors: NO_STRING,
    examples: &[
        example(
            "MAP_GET('host', URL_PARSE('ssh://git@Example.org:2222/repo'))",
            "example.org",
        ),
        example(
            "MAP_GET('query', URL_PARSE('http://h/?q=a%20b&id=1&id=2'))",
            "{q=a b, id=[1, 2]}",
        ),
        example(
            "URL_PARSE('https://eve@[2001:db8::1]/a#b')",
            "{protocol=https, user=eve, password=null, host=2001:db8::1, port=443, path=/a, query={}, fragment=b}",
        ),
        example("URL_PARSE('www.example.org')", "null"),
        fails("URL_PARSE(5)", "E0203"),
    ],
    see: &["URL_TO_HOST", "URL_TO_PATH", "REFANG"],
    words: &[
        "split",
        "parameters",
        "query string",
        "fragment",
        "userinfo",
    ],
    run: url_parse,
    ..SPEC
};

fn url<'a>(call: &'a Call<'_, '_>) -> Outcome<Option<Url<'a>>> {
    Ok(string_or_null(call, 0)?.and_then(parse))
}

fn url_parse(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let Some(url) = string_or_null(call, 0)?.and_then(parse_any) else {
        return Ok(Value::Null);
    };
    let text = |text: Option<&str>| text.map_or(Value::Null, Value::text);
    let (user, password) = match url.user.and_then(|user| user.split_once(':')) {
        Some((user, password)) => (Some(user), Some(password)),
        None => (url.user, None),
    };
    let host = url.host.strip_prefix('[').unwrap_or(url.host);
    let host = host.strip_suffix(']').unwrap_or(host).to_lowercase();
    let usual = known(url.scheme).map(|(_, port)| port).filter(|p| *p >= 0);
    Ok(Value::Map(Map::of_texts([
        ("protocol", Value::string(url.scheme.to_ascii_lowercase())),
        ("user", text(user)),
        ("password", text(password)),
        ("host", text(Some(&*host).filter(|host| !host.is_empty()))),
        ("port", url.port.or(usual).map_or(Value::Null, Value::Int)),
        ("path", Value::text(url.path)),
        ("query", Value::Map(query(call, url.query.unwrap_or(""))?)),
        ("fragment", text(url.fragment)),
    ])))
}

/// The names and values of a query.
fn query(call: &Call<'_, '_>, text: &str) -> Outcome<Map> {
    let limit = call.context().limits.collection;
    let query = Map::empty(MapKind::Ordered);
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        call.step()?;
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decoded(name), decoded(value));
        match query.get(&name) {
            None => query.put(name, value, limit)?,
            Some(Value::List(list)) => list.push(value, limit)?,
            Some(first) => query.put(name, Value::List(List::array(vec![first, value])), limit)?,
        }
    }
    Ok(query)
}

/// Percent signs with two hexadecimal digits are bytes, plus is a blank; broken UTF-8 becomes U+FFFD.
fn decoded(text: &str) -> Value {
    if !text.contains(['%', '+']) {
        return Value::text(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        match (first, behind) {
            (b'+', _) => bytes.push(b' '),
            (b'%', [high, low, after @ ..]) => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => {
                    bytes.push(high << 4 | low);
                    rest = after;
                }
                _ => bytes.push(b'%'),
            },
            (byte, _) => bytes.push(*byte),
        }
    }
    Value::string(String::from_utf8_lossy(&bytes).into_owned())
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|n| n as u8)
}
