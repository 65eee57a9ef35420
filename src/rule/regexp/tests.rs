//! What the table of Go's answers does not say: places, limits, bytes that are no UTF-8.

use super::*;

fn problem(pattern: &str) -> (Code, Span, String) {
    let fault = compile(pattern).unwrap_err();
    (fault.code, fault.span.unwrap(), fault.message)
}

#[test]
fn a_problem_has_its_place() {
    for (pattern, start, end) in [
        ("a(b", 1, 2),
        ("ab)", 2, 3),
        ("яx[a", 3, 4),
        ("a**", 1, 3),
        ("x{2,1}", 1, 6),
        (r"\pя", 0, 4),
        (r"a\Zb", 1, 3),
        ("(?=a)", 0, 3),
        ("(?<=a)", 0, 6),
        ("*", 0, 1),
    ] {
        let (code, span, message) = problem(pattern);
        assert_eq!(
            (code, span),
            (Code::BadRegex, Span::new(start, end)),
            "{pattern}: {message}"
        );
    }
}

#[test]
fn what_is_too_large_is_refused() {
    let deep = "(".repeat(1001) + &")".repeat(1001);
    for pattern in [
        "a".repeat(MAX_PATTERN + 1),
        deep,
        r"(\pL{30}\PN){30}".to_string(),
    ] {
        assert_eq!(problem(&pattern).0, Code::RegexSize);
    }
}

#[test]
fn the_deepest_pattern_allowed_compiles_and_searches() {
    let deep = "(".repeat(998) + "a" + &")".repeat(998);
    let regexp = compile(&deep).unwrap();
    assert!(regexp.is_match(b"ba") && !regexp.is_match(b"b"));
}

#[test]
fn a_bad_byte_is_one_character() {
    let cut = "при".as_bytes();
    let cut = &cut[..cut.len() - 1];
    let found = |pattern: &str| compile(pattern).unwrap().find(cut);
    assert_eq!(found("^...$"), Some(0..5));
    assert_eq!(found("[^а-я]"), Some(4..5));
    assert_eq!(found("$"), Some(5..5));
    assert_eq!(found("и"), None);
    assert_eq!(compile(".{3}").unwrap().find(b"\xE1\x80\xFF"), Some(0..3));
}

#[test]
fn a_long_search_can_be_stopped() {
    // Every byte makes a new state: whether an a stood here and there in the last thousand.
    let regexp = compile("(?:a|b)*a(?:a|b){900}c").unwrap();
    let mut text = Vec::new();
    let mut seed = 1u32;
    for _ in 0..400_000 {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        text.push(if seed >> 31 == 0 { b'a' } else { b'b' });
    }
    let mut asked = 0;
    let stopped = regexp.is_match_while(&text, || {
        asked += 1;
        asked < 20
    });
    assert_eq!((stopped, asked), (None, 20));
}

#[test]
fn a_patient_search_finds_the_same() {
    for (pattern, text, found) in [
        ("abc", "xxabcxx", true),
        ("abc$", "xxabc", true),
        ("abc$", "xxabcx", false),
        ("^abc", "xabc", false),
        (r"\bя|b\b", "я b", true),
        (r"(?i)ПРИ.ет", "xx привет", true),
        ("", "", true),
        ("[^a]", "aaa", false),
    ] {
        let patient = Patient::new(pattern).unwrap();
        let text = text.as_bytes();
        assert_eq!(
            patient.is_match_while(text, || true),
            Some(found),
            "{pattern}"
        );
        assert_eq!(compile(pattern).unwrap().is_match(text), found, "{pattern}");
    }
}
