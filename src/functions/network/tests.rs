#![allow(clippy::unwrap_used)]

use super::idn::{to_ascii, to_unicode};

fn unescaped(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once('%') {
        bytes.extend_from_slice(before.as_bytes());
        bytes.push(u8::from_str_radix(&behind[..2], 16).unwrap());
        rest = &behind[2..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8(bytes).unwrap()
}

/// `java.net.IDN`; the other rows of the table are read in tests/java_network.rs.
#[test]
fn names_beyond_ascii_as_in_java() {
    let table = std::fs::read_to_string("tests/java_network.tsv").unwrap();
    let mut complaints = Vec::new();
    let mut rows = 0;
    for line in table.lines().filter_map(|line| line.strip_prefix("idn\t")) {
        let (name, expected) = line.split_once('\t').unwrap();
        let name = unescaped(name);
        rows += 1;
        let shown =
            |text: Option<String>| text.map_or("null".to_string(), |text| format!("={text}"));
        let found = [
            shown(to_ascii(&name, false)),
            shown(to_ascii(&name, true)),
            shown(Some(to_unicode(&name))),
        ];
        let expected: Vec<String> = expected.split('|').map(unescaped).collect();
        // A bar in a name would cut it; such names are none of the table's.
        assert_eq!(expected.len(), 3, "{line}");
        if found.as_slice() != expected {
            complaints.push(format!("{name:?}: {found:?}, Java says {expected:?}"));
        }
    }
    assert!(rows > 100, "{rows} rows only");
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

use super::address::{Address, Subnet};
use crate::engine::Engine;
use crate::eval::Value;
use crate::eval::text::to_text;
use proptest::prelude::*;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

fn shown(expression: &str) -> String {
    match Engine::bare().evaluate(expression) {
        Ok(value) => to_text(&value).to_string(),
        Err(fault) => fault.code.name().to_string(),
    }
}

fn check(rows: &[(&str, &str)]) {
    for (expression, expected) in rows {
        assert_eq!(shown(expression), *expected, "{expression}");
    }
}

/// The value of `function(x)`.
fn of(function: &str, x: &str) -> Option<Value> {
    let engine = Engine::bare();
    let program = engine.compile(&format!("{function}(x)")).unwrap();
    program.run(&engine.context, &[Value::text(x)]).ok()
}

#[test]
fn subnets() {
    check(&[
        ("IN_SUBNET()", "E0202"),
        ("IN_SUBNET('10.0.0.1')", "E0202"),
        ("IN_SUBNET(null, 'bad')", "false"),
        ("IN_SUBNET('bad', null)", "false"),
        ("IN_SUBNET('10.0.0.1', null, '10.0.0.0/8')", "true"),
        ("IN_SUBNET('10.0.0.1', '10.0.0.0/8', 'bad')", "true"),
        ("IN_SUBNET('10.0.0.1', '11.0.0.0/8', 'bad')", "E0204"),
        ("IN_SUBNET('10.0.0.1', '11.0.0.0/8', 5)", "E0203"),
        ("IN_SUBNET('10.0.0.1', ['10.0.0.0/8'])", "E0203"),
        ("IN_SUBNET(167772161, '10.0.0.0/8')", "E0203"),
        ("IN_SUBNET('010.0.0.1', '10.0.0.0/08')", "true"),
        (
            "IN_SUBNET('10.0.0.1', '10.0.0.1/31', '10.0.0.2/31')",
            "true",
        ),
        ("IN_SUBNET('10.0.0.1', '10.0.0.0/33')", "E0204"),
        ("IN_SUBNET('10.0.0.1', '10.0.0.0/')", "E0204"),
        ("IN_SUBNET('10.0.0.1', '10.0.0.0/+8')", "E0204"),
        ("IN_SUBNET('10.0.0.1', '10.0.0.0/0008')", "E0204"),
        ("IN_SUBNET('10.0.0.1', '::/0')", "false"),
        ("IN_SUBNET('::1', '0.0.0.0/0')", "false"),
        (
            "IN_SUBNET('::ffff:10.0.0.1', '10.0.0.0/8', '::/128')",
            "true",
        ),
        ("IN_SUBNET('10.0.0.1', '::ffff:10.0.0.0/104')", "true"),
        ("IN_SUBNET('fe80::1%eth0', 'fe80::/10')", "true"),
        ("IN_SUBNET('fe80::1%', 'fe80::/10')", "E0204"),
        ("IN_SUBNET('::1', '::1/129')", "E0204"),
        ("IN_SUBNET('999999999999999', '10.0.0.0/8')", "E0204"),
        ("IN_SUBNET('１.1.1.1', '0.0.0.0/0')", "E0204"),
        ("CIDR_CONTAINS('0.0.0.0/0', '::1')", "false"),
        ("CIDR_CONTAINS('10.0.0.0/8', '10.0.0.0/8')", "true"),
        ("CIDR_CONTAINS('10.0.0.0/8', 'bad')", "E0204"),
        ("CIDR_CONTAINS(null, 'bad')", "E0204"),
        (
            "CIDR_SIZE('::/0')",
            "340282366920938463463374607431768211456",
        ),
        ("CIDR_SIZE('0.0.0.0/0')", "4294967296"),
        (
            "CIDR_RANGE('::/0')",
            "[::, ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]",
        ),
    ]);
}

#[test]
fn a_bad_literal_subnet_is_reported_before_anything_runs() {
    let program = Engine::bare()
        .compile("IN_SUBNET(ip, '10.0.0.0/8', '10.0.0.0/40')")
        .unwrap();
    let problem = &program.problems[0];
    assert_eq!(problem.code.name(), "E0204");
    assert_eq!(problem.span.map(|span| span.start), Some(28));
}

#[test]
fn addresses() {
    check(&[
        ("IP_SCOPE('0.0.0.0')", "unspecified"),
        ("IP_SCOPE('0.1.2.3')", "reserved"),
        ("IP_SCOPE('172.15.255.255')", "global"),
        ("IP_SCOPE('172.31.255.255')", "private"),
        ("IP_SCOPE('172.32.0.0')", "global"),
        ("IP_SCOPE('100.127.255.255')", "shared"),
        ("IP_SCOPE('169.254.169.254')", "link-local"),
        ("IP_SCOPE('192.0.0.8')", "reserved"),
        ("IP_SCOPE('192.0.0.9')", "global"),
        ("IP_SCOPE('203.0.113.255')", "documentation"),
        ("IP_SCOPE('198.19.0.1')", "benchmarking"),
        ("IP_SCOPE('239.255.255.250')", "multicast"),
        ("IP_SCOPE('240.0.0.1')", "reserved"),
        ("IP_SCOPE('255.255.255.255')", "broadcast"),
        ("IP_SCOPE('::')", "unspecified"),
        ("IP_SCOPE('fdff::1')", "private"),
        ("IP_SCOPE('fe00::1')", "reserved"),
        ("IP_SCOPE('febf::1')", "link-local"),
        ("IP_SCOPE('fec0::1')", "private"),
        ("IP_SCOPE('ff02::fb')", "multicast"),
        ("IP_SCOPE('2606:4700::1111')", "global"),
        ("IP_SCOPE('2001:db8::1')", "documentation"),
        ("IP_SCOPE('3fff:fff::1')", "documentation"),
        ("IP_SCOPE('3fff:1000::1')", "global"),
        ("IP_SCOPE('2001:2::1')", "benchmarking"),
        ("IP_SCOPE('2001:10::1')", "reserved"),
        ("IP_SCOPE('64:ff9b::8.8.8.8')", "global"),
        ("IP_SCOPE('100::1')", "reserved"),
        ("IP_SCOPE('4000::1')", "reserved"),
        ("IP_SCOPE('010.0.0.1')", "null"),
        ("IP_SCOPE('')", "null"),
        ("IP_SCOPE(null)", "null"),
        ("IP_MASK('10.1.2.3', 0)", "0.0.0.0"),
        ("IP_MASK('10.1.2.3', 32L)", "10.1.2.3"),
        ("IP_MASK('10.1.2.3', -1)", "E0204"),
        ("IP_MASK('10.1.2.3', '8')", "E0203"),
        ("IP_MASK('::1', 24, 129)", "E0204"),
        ("IP_MASK('::1', 64, null)", "::"),
        ("IP_MASK(null, 'x')", "null"),
        ("IP_TO_NUMBER('255.255.255.255')", "4294967295"),
        ("IP_TO_NUMBER('::')", "0"),
        ("NUMBER_TO_IP(4294967295L)", "255.255.255.255"),
        ("NUMBER_TO_IP(4294967296L)", "::1:0:0"),
        ("NUMBER_TO_IP(4294967296L, 4)", "null"),
        (
            "NUMBER_TO_IP('340282366920938463463374607431768211455')",
            "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        ),
        (
            "NUMBER_TO_IP('340282366920938463463374607431768211456')",
            "null",
        ),
        ("NUMBER_TO_IP('+1')", "null"),
        ("NUMBER_TO_IP('')", "null"),
        ("NUMBER_TO_IP(1.5)", "null"),
        ("NUMBER_TO_IP(IP_TO_NUMBER('2001:db8::77'))", "2001:db8::77"),
    ]);
}

#[test]
fn domains() {
    check(&[
        ("DOMAIN_TO_TLD('')", ""),
        ("DOMAIN_TO_TLD('10.0.0.1')", "1"),
        ("DOMAIN_TO_TLD('a.b.city.kawasaki.jp')", "kawasaki.jp"),
        ("DOMAIN_TO_TLD('www.ck')", "ck"),
        ("DOMAIN_TO_TLD('x.ck')", "x.ck"),
        ("DOMAIN_TO_TLD('a.b.COM.')", "com"),
        ("DOMAIN_TO_TLD('www.пример.рф')", "рф"),
        ("DOMAIN_TO_TLD('www.xn--e1afmkfd.xn--p1ai')", "xn--p1ai"),
        // A point at the end shifts the cut; Metron does the same.
        ("DOMAIN_REMOVE_TLD('www.google.com.')", "www.google."),
        ("DOMAIN_REMOVE_SUBDOMAINS('www.google.com.')", ".com"),
        ("DOMAIN_REMOVE_SUBDOMAINS('WWW.EXAMPLE.COM')", "EXAMPLE.com"),
        ("DOMAIN_REMOVE_SUBDOMAINS()", "null"),
        ("DOMAIN_TO_TLD()", "E0202"),
        ("DOMAIN_TYPOSQUAT()", "null"),
        ("LENGTH(DOMAIN_TYPOSQUAT(''))", "26"),
    ]);
}

#[test]
fn the_list_is_the_one_that_help_tells_of() {
    let lock = std::fs::read_to_string("Cargo.lock").unwrap();
    let found = lock.split("name = \"psl\"\nversion = \"").nth(1).unwrap();
    let version = found.split('"').next().unwrap();
    assert!(
        super::suffixes::list_date!().contains(&format!("(crate psl {version})")),
        "the list is that of psl {version}: write its version and its day into suffixes.rs"
    );
    assert!(
        super::domains::DOMAIN_TO_TLD
            .details
            .contains(super::suffixes::list_date!())
    );
}

#[test]
fn top_level_domains() {
    use super::suffixes::is_top_level;
    for label in [
        "com", "arpa", "uk", "ck", "bd", "museum", "xn--p1ai", "zip", "ss",
    ] {
        assert!(is_top_level(label), "{label}");
    }
    for label in ["", "turtle", "localhost", "lan", "onion", "1"] {
        assert!(!is_top_level(label), "{label}");
    }
}

#[test]
fn urls_taken_apart() {
    check(&[
        ("MAP_GET('host', URL_PARSE('s3://Bucket/key'))", "bucket"),
        ("MAP_GET('port', URL_PARSE('ssh://h'))", "null"),
        ("MAP_GET('port', URL_PARSE('FTP://h'))", "21"),
        ("MAP_GET('password', URL_PARSE('http://u:p:q@h'))", "p:q"),
        ("MAP_GET('user', URL_PARSE('http://u@v@h'))", "null"),
        (
            "MAP_GET('path', URL_PARSE('mailto:a@b.c?subject=x'))",
            "a@b.c",
        ),
        (
            "MAP_GET('query', URL_PARSE('mailto:a@b.c?subject=x'))",
            "{subject=x}",
        ),
        ("MAP_GET('query', URL_PARSE('http://h?'))", "{}"),
        (
            "MAP_GET('query', URL_PARSE('http://h?a&=b&&c=d=e'))",
            "{a=, =b, c=d=e}",
        ),
        (
            "MAP_GET('query', URL_PARSE('http://h?a=1&a=2&a=3'))",
            "{a=[1, 2, 3]}",
        ),
        (
            "MAP_GET('query', URL_PARSE('http://h?a=%zz%4&b=%C3%BC+%ff'))",
            "{a=%zz%4, b=ü \u{fffd}}",
        ),
        ("MAP_GET('fragment', URL_PARSE('http://h#a#b'))", "a#b"),
        ("URL_PARSE('http://h:x/')", "null"),
        ("URL_PARSE('')", "null"),
        ("URL_PARSE(null)", "null"),
    ]);
    let mut engine = Engine::bare();
    engine.context.limits.collection = 2;
    let fault = engine.evaluate("URL_PARSE('http://h?a&b&c')").err();
    assert_eq!(fault.map(|f| f.code.name()), Some("E0304"));
}

#[test]
fn hostile_texts() {
    let texts = [
        "a".repeat(1 << 20),
        "é".repeat(1 << 18),
        ".".repeat(1 << 18),
        "xn--".repeat(1 << 18),
        format!("xn--{}", "9".repeat(1 << 18)),
        format!("xn--{}.xn--{}", "a-".repeat(40), "zzzz".repeat(20)),
        format!("http://{}", "[".repeat(1 << 18)),
        format!("http://[{}]/", ":".repeat(1 << 18)),
        format!("http://h:{}/", "9".repeat(1 << 18)),
        format!("{}x", "jar:".repeat(1 << 18)),
        format!("{}file:/a{}", "jar:".repeat(1 << 16), "!/".repeat(1 << 16)),
        format!("\"{}\"@a.com", "\\\"".repeat(1 << 18)),
        format!("{}@a.com", "@".repeat(1 << 18)),
        "1.".repeat(1 << 18),
        "1:".repeat(1 << 18),
        format!("http://h/{}", "../".repeat(1 << 18)),
        "\u{0}\u{85}\u{2028}\u{202e}\u{feff}\u{10ffff}".to_string(),
        "💩".repeat(64),
    ];
    let functions = [
        "DOMAIN_TO_TLD",
        "DOMAIN_REMOVE_TLD",
        "DOMAIN_REMOVE_SUBDOMAINS",
        "DOMAIN_TYPOSQUAT",
        "URL_TO_HOST",
        "URL_TO_PORT",
        "URL_TO_PATH",
        "URL_TO_PROTOCOL",
        "URL_PARSE",
        "IS_DOMAIN",
        "IS_EMAIL",
        "IS_URL",
        "IS_IP",
        "IP_SCOPE",
        "IP_TO_NUMBER",
        "NUMBER_TO_IP",
        "IP_REVERSE_NAME",
        "CIDR_SIZE",
        "CIDR_RANGE",
        "PROTOCOL_TO_NAME",
    ];
    let start = std::time::Instant::now();
    for text in &texts {
        for function in functions {
            // An answer or an error; what counts is that it comes, and soon.
            let _ = of(function, text);
        }
    }
    assert!(start.elapsed().as_secs() < 60, "{:?}", start.elapsed());
    // Of one letter 253 times, the look-alikes alone are several hundred thousand.
    let mut engine = Engine::bare();
    engine.context.limits.string = 1 << 20;
    let fault = |text: &str| {
        let fault = engine
            .evaluate(&format!("DOMAIN_TYPOSQUAT('{text}')"))
            .unwrap_err();
        fault.code.name()
    };
    assert_eq!(fault(&"a".repeat(253)), "E0303");
    assert_eq!(fault(&"a".repeat(254)), "E0204");
}

#[test]
fn what_is_not_there_is_said() {
    let fault = Engine::bare()
        .evaluate("BYTEARRAY_MATCHER('a', 'b')")
        .unwrap_err();
    assert_eq!(fault.code.name(), "E0220");
    assert!(format!("{fault:?}").contains("REGEXP_MATCH"), "{fault:?}");
}

fn address() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        any::<u32>().prop_map(|bits| IpAddr::V4(Ipv4Addr::from_bits(bits))),
        any::<u128>().prop_map(|bits| IpAddr::V6(Ipv6Addr::from_bits(bits))),
        // Sparse ones, for the short forms.
        (any::<u128>(), any::<u128>(), any::<u128>())
            .prop_map(|(a, b, c)| IpAddr::V6(Ipv6Addr::from_bits(a & b & c))),
        any::<u32>().prop_map(|bits| IpAddr::V6(Ipv4Addr::from_bits(bits).to_ipv6_mapped())),
    ]
}

fn bits(address: IpAddr) -> (u32, u128) {
    match address {
        IpAddr::V4(v4) => (32, u128::from(v4.to_bits())),
        IpAddr::V6(v6) => (128, v6.to_bits()),
    }
}

proptest! {
    #[test]
    fn addresses_are_read_and_written_as_the_standard_library_does(ip in address()) {
        let text = ip.to_string();
        let read = Address::parse(&text).unwrap();
        prop_assert_eq!(Address::parse_decimal(&text), Some(read));
        prop_assert_eq!((read.width(), read.bits()), bits(ip));
        prop_assert_eq!(read.to_string(), text);
    }

    #[test]
    fn texts_are_addresses_where_the_standard_library_says_so(text in "[0-9a-f.:]{0,20}") {
        let theirs = text.parse::<IpAddr>().ok();
        prop_assert_eq!(Address::parse(&text).map(|a| (a.width(), a.bits())), theirs.map(bits));
        // Where only leading zeros are in the way, they have no meaning.
        let plain: Vec<&str> = text.split('.').map(|part| match part.trim_start_matches('0') {
            "" if !part.is_empty() && part.len() <= 3 => "0",
            rest if part.len() <= 3 => rest,
            _ => part,
        }).collect();
        if !text.contains(':') {
            let theirs = plain.join(".").parse::<IpAddr>().ok();
            prop_assert_eq!(Address::parse_decimal(&text).map(|a| (a.width(), a.bits())), theirs.map(bits));
        }
    }

    #[test]
    fn membership_is_arithmetic(network in address(), ip in address(), near in any::<bool>(), prefix in 0u32..=128) {
        let (width, base) = bits(network);
        let prefix = prefix.min(width);
        let host = width - prefix;
        // Neighbours of the subnet are more telling than addresses from anywhere.
        let size = 1u128.checked_shl(host).unwrap_or(0);
        let ip = match (near, network) {
            (false, _) => ip,
            (true, IpAddr::V4(v4)) => IpAddr::V4(Ipv4Addr::from_bits(v4.to_bits().wrapping_add(size as u32))),
            (true, IpAddr::V6(v6)) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() ^ (size >> 1))),
        };
        let subnet = Subnet::parse(&format!("{network}/{prefix}")).unwrap();
        // IPv4 inside of IPv6 is that of IPv4.
        let both = |address: IpAddr| match address {
            IpAddr::V4(v4) => (true, v4.to_ipv6_mapped().to_bits()),
            IpAddr::V6(v6) => (v6.to_ipv4_mapped().is_some(), v6.to_bits()),
        };
        let first = base.checked_shr(host).unwrap_or(0).checked_shl(host).unwrap_or(0);
        let expected = match (network, ip) {
            (IpAddr::V6(_), IpAddr::V4(_)) if prefix < 96 || !both(network).0 => false,
            (IpAddr::V4(_), IpAddr::V6(_)) if !both(ip).0 => false,
            _ => {
                let (address, lowest) = match network {
                    IpAddr::V4(_) => (both(ip).1 & 0xffff_ffff, first),
                    IpAddr::V6(_) => (both(ip).1, first),
                };
                address.wrapping_sub(lowest) < size || size == 0
            }
        };
        let address = Address::parse(&ip.to_string()).unwrap();
        prop_assert_eq!(subnet.contains(address), expected, "{} in {}/{}", ip, network, prefix);
        prop_assert!(subnet.contains(subnet.first()) && subnet.contains(subnet.last()));
        prop_assert_eq!(subnet.last().bits() - subnet.first().bits(), subnet.size_less_one());
        prop_assert!(subnet.covers(&subnet));
    }

    #[test]
    fn no_text_makes_a_function_panic(text in any::<String>()) {
        for function in ["DOMAIN_REMOVE_SUBDOMAINS", "DOMAIN_REMOVE_TLD", "URL_PARSE", "URL_TO_HOST",
            "IS_DOMAIN", "IS_EMAIL", "IS_URL", "IS_IP", "DOMAIN_TYPOSQUAT"] {
            let _ = of(function, &text);
        }
        let _ = to_unicode(&format!("xn--{text}"));
    }

    #[test]
    fn names_come_back_from_ascii(label in "[a-zа-яé日本語]{1,12}") {
        let ascii = to_ascii(&label, false).unwrap();
        prop_assert!(ascii.is_ascii());
        prop_assert_eq!(to_unicode(&ascii), label);
    }
}
