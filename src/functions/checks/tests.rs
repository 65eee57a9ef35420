use super::names::{is_ipv4, is_ipv6};
use crate::engine::Engine;
use crate::eval::text::to_text;
use proptest::prelude::*;

fn check(rows: &[(&str, &str)]) {
    for (expression, expected) in rows {
        let shown = match Engine::bare().evaluate(expression) {
            Ok(value) => to_text(&value).to_string(),
            Err(fault) => fault.code.name().to_string(),
        };
        assert_eq!(shown, *expected, "{expression}");
    }
}

#[test]
fn all_values_must_fit() {
    check(&[
        ("IS_DOMAIN()", "false"),
        ("IS_DOMAIN('example.org', 'example.com')", "true"),
        ("IS_DOMAIN('example.org', 'example')", "false"),
        ("IS_DOMAIN(null)", "false"),
        ("IS_EMAIL('a@example.org', 5)", "false"),
        ("IS_URL('http://example.org', [])", "false"),
    ]);
}

#[test]
fn other_values_count_by_their_text() {
    check(&[
        ("IS_IP(1.5)", "false"),
        ("IS_IP(['10.0.0.1'])", "false"),
        ("IS_DOMAIN(['example.org'])", "false"),
        ("IS_IP()", "false"),
        ("IS_IP('10.0.0.1', 'ipv6')", "true"),
        ("IS_IP('10.0.0.1', ['IPV6'])", "true"),
        ("IS_IP('10.0.0.1', 6)", "true"),
        ("IS_IP('10.0.0.1', null)", "true"),
    ]);
}

proptest! {
    #[test]
    fn addresses_of_the_standard_library_are_addresses(v4 in any::<u32>(), v6 in any::<u128>(), mask in any::<u128>()) {
        let v4 = std::net::Ipv4Addr::from_bits(v4).to_string();
        prop_assert!(is_ipv4(&v4) && !is_ipv6(&v4));
        let v6 = std::net::Ipv6Addr::from_bits(v6 & mask).to_string();
        prop_assert!(is_ipv6(&v6) && !is_ipv4(&v6), "{v6}");
    }
}
