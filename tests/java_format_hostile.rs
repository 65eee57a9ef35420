//! Hostile input: huge sizes, odd characters and random text must neither panic nor hang.
#![allow(clippy::unwrap_used, clippy::panic)]

use num_bigint::BigInt;
use stellar::eval::java::formatter::{Arg, DateFields, DateParts, Format, FormatError, UtcDates};
use stellar::eval::java::formatter::{java_double_hash, java_long_hash, java_string_hash};
use stellar::eval::java::numbers::{
    Digits, double_text, float_text, is_integer_locale, java_round, parse_double, parse_float,
    parse_int, parse_long,
};

fn run(pattern: &str, args: &[Arg], max: usize) -> Result<String, FormatError> {
    Format::compile(pattern)?.apply(args, &UtcDates, max)
}

fn message(pattern: &str, args: &[Arg]) -> String {
    run(pattern, args, 1000).unwrap_err().message
}

/// A small xorshift generator, so that failures can be repeated.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }
}

#[test]
fn messages_are_those_of_java() {
    assert_eq!(message("%d", &[Arg::Double(1.0)]), "d != java.lang.Double");
    assert_eq!(message("%d", &[]), "Format specifier '%d'");
    assert_eq!(message("%q", &[]), "Conversion = 'q'");
    assert_eq!(message("%tY", &[Arg::Int(1)]), "Y != java.lang.Integer");
    assert_eq!(message("%-d", &[Arg::Int(1)]), "%-d");
    let error = run("é %s %d", &[Arg::Int(1), Arg::Str("x")], 99).unwrap_err();
    assert_eq!(error.offset, 6);
}

#[test]
fn rounding_is_half_up_on_the_shortest_digits() {
    let rows = [
        ("%.1f", 0.25, "0.3"),
        ("%.2f", 1.005, "1.01"),
        ("%.0f", 2.5, "3"),
        ("%.0f", 0.5, "1"),
        ("%.1f", -0.05, "-0.1"),
        ("%,.2f", 1234567.895, "1,234,567.90"),
        ("%e", 1e23, "1.000000e+23"),
        ("%g", 0.0001, "0.000100000"),
        ("%.3g", 99950.0, "1.00e+05"),
        ("%.3f", 9.9996, "10.000"),
        ("%.1f", f64::MIN_POSITIVE, "0.0"),
    ];
    for (pattern, value, expected) in rows {
        assert_eq!(run(pattern, &[Arg::Double(value)], 99).unwrap(), expected);
    }
}

#[test]
fn huge_sizes_fail_fast() {
    let big = BigInt::from(-5);
    let patterns = [
        "%2000000000d",
        "%02000000000d",
        "%-2000000000s",
        "%2000000000%",
        "%02000000000x",
        "%.2000000000f",
        "%.2000000000e",
        "%.2000000000g",
        "%.2000000000a",
        "%02000000000a",
        "%02000000000e",
        "%2000000000tY",
        "%2147483647c",
    ];
    let args = [
        Arg::Long(5),
        Arg::Double(1.5),
        Arg::BigInt(&big),
        Arg::Null,
        Arg::Int(9),
    ];
    for pattern in patterns {
        for arg in args {
            if let Ok(text) = run(pattern, &[arg], 10_000) {
                // A huge precision without a width only cuts, so null may pass.
                assert_eq!(text, "null", "{pattern} {arg:?}");
            }
        }
    }
    let huge = BigInt::from(1) << 4_000_000;
    assert!(run("%d", &[Arg::BigInt(&huge)], 10_000).is_err());
    assert_eq!(run("%.2147483647s", &[Arg::Str("x")], 10).unwrap(), "x");
    assert!(run(&"%1$s".repeat(1000), &[Arg::Str(&"y".repeat(1000))], 10_000).is_err());
    assert_eq!(run("abc", &[], 3).unwrap(), "abc");
    assert!(run("abcd", &[], 3).is_err());
}

#[test]
fn numbers_beyond_int_in_a_specifier_are_java_errors() {
    assert_eq!(message("%99999999999d", &[]), "-2147483648");
    assert_eq!(message("%.99999999999f", &[]), "-2147483648");
    assert!(message("%99999999999$d", &[]).contains("index"));
    assert_eq!(
        message("%2147483647$d", &[]),
        "Format specifier '%2147483647$d'"
    );
    let digits = "9".repeat(100_000);
    assert_eq!(message(&format!("%{digits}d"), &[]), "-2147483648");
}

#[test]
fn widths_count_utf16_units_and_halves_become_replacement_characters() {
    assert_eq!(run("%5s|", &[Arg::Str("é😀")], 99).unwrap(), "  é😀|");
    assert_eq!(run("%.2s|", &[Arg::Str("é😀")], 99).unwrap(), "é\u{FFFD}|");
    assert_eq!(run("%c", &[Arg::Char(0xD83D)], 99).unwrap(), "\u{FFFD}");
    assert_eq!(run("%c", &[Arg::Int(0x1F600)], 99).unwrap(), "😀");
}

#[test]
fn hashes_are_those_of_java() {
    assert_eq!(java_string_hash("hello"), 99_162_322);
    assert_eq!(java_string_hash("😀"), 1_772_899);
    assert_eq!(java_long_hash(-1), 0);
    assert_eq!(java_double_hash(1.0), 1_072_693_248);
    let big = BigInt::from(-255);
    assert_eq!(run("%h", &[Arg::BigInt(&big)], 99).unwrap(), "ffffff01");
}

#[test]
fn odd_calendar_fields_are_harmless() {
    let odd = |epoch_millis| DateFields {
        epoch_millis,
        year: i64::MIN,
        month: u32::MAX,
        day: u32::MAX,
        day_of_year: u32::MAX,
        weekday: u32::MAX,
        hour: u32::MAX,
        minute: u32::MAX,
        second: u32::MAX,
        millis: u32::MAX,
        offset_millis: i32::MIN,
        zone: "é".repeat(10),
    };
    for suffix in "HIklMSLNpzZsQBbhAaCYyjmdeRTrDFc".chars() {
        let format = Format::compile(&format!("%t{suffix}")).unwrap();
        for millis in [i64::MIN, -1, 0, i64::MAX] {
            format.apply(&[Arg::Long(millis)], &odd, 1000).unwrap();
        }
    }
    for offset in [i32::MIN, -1, 0, i32::MAX] {
        for millis in [i64::MIN, i64::MAX] {
            assert!(DateFields::at(millis, offset, "X").month <= 12);
        }
    }
    assert_eq!(UtcDates.fields(0).weekday, 4);
}

#[test]
fn random_text_never_panics() {
    let letters: Vec<char> =
        "%%%%0123456789$-#+ 0,(<.tTbBhHsScCdoxXeEfgGaAnqé😀\u{0}\u{661}∞xXpPE,.NaI"
            .chars()
            .collect();
    let big = BigInt::from(i64::MIN);
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    for _ in 0..60_000 {
        let length = random.below(14);
        let text: String = (0..length)
            .map(|_| letters[random.below(letters.len())])
            .collect();
        let bits = random.next();
        let args = [
            Arg::Double(f64::from_bits(bits)),
            Arg::Long(bits as i64),
            Arg::Str(&text),
            Arg::Int(bits as i32),
            Arg::BigInt(&big),
            Arg::Float(f32::from_bits(bits as u32)),
            Arg::Char(bits as u16),
            Arg::Null,
        ];
        let from = random.below(args.len());
        if let Ok(result) = run(&text, &args[from..], 2000) {
            assert!(result.len() <= 2000);
        }
        let _ = (parse_double(&text), parse_float(&text));
        let _ = (parse_int(&text), parse_long(&text));
        let _ = (is_integer_locale(&text), java_round(f64::from_bits(bits)));
        let bytes: Vec<u8> = (0..8).map(|at| (random.next() >> at) as u8).collect();
        let raw = String::from_utf8_lossy(&bytes);
        let _ = run(&raw, &args, 100);
        let _ = (
            parse_double(&raw),
            parse_long(&raw),
            is_integer_locale(&raw),
        );
    }
}

#[test]
fn number_text_round_trips() {
    let mut random = Random(42);
    for _ in 0..100_000 {
        let bits = random.next();
        let value = f64::from_bits(bits);
        let mut text = String::new();
        double_text(value, &mut text);
        assert_eq!(
            parse_double(&text).unwrap().to_bits() == bits,
            !value.is_nan()
        );
        let value = f32::from_bits(bits as u32);
        text.clear();
        float_text(value, &mut text);
        assert_eq!(
            parse_float(&text).unwrap().to_bits() == bits as u32,
            !value.is_nan()
        );
    }
    assert_eq!(Digits::of_double(0.0).as_slice(), b"");
}

#[test]
fn long_number_texts_are_read_in_linear_time() {
    let zeros = "0".repeat(1_000_000);
    assert_eq!(parse_double(&format!("1{zeros}")), Some(f64::INFINITY));
    assert_eq!(parse_double(&format!("0.{zeros}1e1000001")), Some(1.0));
    assert_eq!(parse_double(&format!("25{zeros}e-1000000")), Some(25.0));
    assert_eq!(parse_double(&format!("-{zeros}.{zeros}e-7")), Some(-0.0));
    let half_way = format!("1.00000005960464477539062500{zeros}1");
    assert_eq!(parse_float(&half_way), Some(1.000_000_1));
    assert_eq!(parse_double(&format!("0x{zeros}1p4")), Some(16.0));
    assert_eq!(parse_double(&format!("0x1{zeros}p-4000000")), Some(1.0));
    assert_eq!(parse_long(&format!("{zeros}7")), Some(7));
    assert_eq!(parse_long(&"9".repeat(1_000_000)), None);
    assert!(is_integer_locale(&"9,".repeat(500_000).replace("9,", "99")));
}
