use super::codec::{Encoding, SUPPORTED};
use crate::engine::Engine;
use crate::eval::text::to_text;
use proptest::prelude::*;

fn text(expression: &str) -> String {
    match Engine::bare().evaluate(expression) {
        Ok(value) => to_text(&value).to_string(),
        Err(fault) => fault.code.name().to_string(),
    }
}

#[track_caller]
fn check(rows: &[(&str, &str)]) {
    for (expression, expected) in rows {
        assert_eq!(text(expression), *expected, "{expression}");
    }
}

#[test]
fn vectors_of_rfc_4648() {
    let rows = [
        ("f", "Zg==", "MY======", "CO======"),
        ("fo", "Zm8=", "MZXQ====", "CPNG===="),
        ("foo", "Zm9v", "MZXW6===", "CPNMU==="),
        ("foob", "Zm9vYg==", "MZXW6YQ=", "CPNMUOG="),
        ("fooba", "Zm9vYmE=", "MZXW6YTB", "CPNMUOJ1"),
        ("foobar", "Zm9vYmFy", "MZXW6YTBOI======", "CPNMUOJ1E8======"),
    ];
    for (text, base64, base32, base32hex) in rows {
        for (encoding, code) in [
            (Encoding::Base64, base64),
            (Encoding::Base32, base32),
            (Encoding::Base32Hex, base32hex),
        ] {
            assert_eq!(encoding.encode(text.as_bytes()), code);
            assert_eq!(encoding.decode(code).as_deref(), Some(text));
        }
    }
}

#[test]
fn arguments_as_metron_takes_them() {
    check(&[
        ("ENCODE('a')", "E0202"),
        ("ENCODE('a', 'HEX', 1)", "61"),
        ("ENCODE('a', 'HEX', 1, 2)", "E0202"),
        ("ENCODE(5, 'HEX')", "E0203"),
        ("ENCODE(5, null)", "E0203"),
        ("ENCODE('a', null)", "null"),
        ("ENCODE('a', '')", "null"),
        ("ENCODE(null, 'bogus')", "null"),
        ("ENCODE('a', 'bogus')", "E0204"),
        ("ENCODE('a', 'hEx')", "61"),
        ("DECODE('61', 'HEX', null)", "E0203"),
        ("DECODE('61', 'HEX', 'x')", "E0203"),
        ("DECODE('', 'HEX', 'x')", "E0203"),
        ("DECODE('', 'HEX', null)", "null"),
        ("DECODE('61', 'HEX', true, 1)", "E0202"),
        ("IS_ENCODING('61', 'HEX', 1, 2)", "true"),
        ("IS_ENCODING(1, 'HEX')", "E0203"),
        ("IS_ENCODING('', 'bogus')", "false"),
        (
            "GET_SUPPORTED_ENCODINGS(1, 2)",
            "[BASE32, BASE32HEX, BASE64, BINARY, HEX]",
        ),
        ("DECODE('Pz8-', 'base64url')", "??>"),
        ("IS_ENCODING('Pz8-', 'BASE64URL')", "true"),
        ("IS_ENCODING('Pz8+', 'BASE64URL')", "false"),
    ]);
}

#[test]
fn bytes_that_are_no_text() {
    check(&[
        ("DECODE('eda080', 'HEX')", "\u{fffd}"),
        ("DECODE('eda0', 'HEX')", "\u{fffd}"),
        ("DECODE('eda041', 'HEX')", "\u{fffd}A"),
        ("DECODE('e28241', 'HEX')", "\u{fffd}A"),
        ("DECODE('c0af', 'HEX')", "\u{fffd}\u{fffd}"),
        ("DECODE('４１', 'HEX')", "A"),
        ("DECODE('٤٨４Ｆ', 'HEX')", "HO"),
        // A digit beyond 16 bits is none.
        ("DECODE('𝟒𝟏', 'HEX')", "𝟒𝟏"),
    ]);
}

#[test]
fn results_beyond_the_limit_are_refused() {
    let mut engine = Engine::bare();
    engine.context.limits.string = 100;
    let code = |expression: &str| {
        engine
            .evaluate(expression)
            .map_err(|fault| fault.code.name())
    };
    assert!(code("ENCODE(FILL_LEFT('', 'x', 12), 'BINARY')").is_ok());
    assert_eq!(
        code("ENCODE(FILL_LEFT('', 'x', 13), 'BINARY')").err(),
        Some("E0303")
    );
}

#[test]
fn domains() {
    check(&[
        ("DOMAIN_TO_ASCII('faß.de')", "xn--fa-hia.de"),
        (
            "DOMAIN_TO_ASCII('_dmarc.Example.org')",
            "_dmarc.example.org",
        ),
        ("DOMAIN_TO_ASCII('日本語。JP')", "xn--wgv71a119e.jp"),
        ("DOMAIN_TO_UNICODE('XN--WGV71A119E.jp')", "日本語.jp"),
        ("DOMAIN_TO_UNICODE('xn--zzzzzzzzzzzzzz')", "null"),
        ("DOMAIN_TO_ASCII(FILL_LEFT('', 'ü', 5000))", "null"),
    ]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_encoded_comes_back(text in "\\PC{1,40}") {
        let all = SUPPORTED.iter().map(|(_, encoding)| *encoding);
        for encoding in all.chain([Encoding::Base64Url]) {
            let code = encoding.encode(text.as_bytes());
            prop_assert!(code.len() <= encoding.encoded_length(text.len()));
            prop_assert!(encoding.accepts(&code), "{encoding:?} {code}");
            // Metron gives the code back when the text is blank.
            let blank = text.trim().is_empty();
            if !(blank && encoding == Encoding::Binary) {
                let decoded = encoding.decode(&code);
                prop_assert_eq!(decoded.as_deref(), Some(text.as_str()), "{:?}", encoding);
            }
        }
    }

    #[test]
    fn any_text_can_be_decoded(text in "\\PC{0,60}") {
        for (_, encoding) in SUPPORTED {
            let _ = encoding.decode(&text);
        }
    }
}
