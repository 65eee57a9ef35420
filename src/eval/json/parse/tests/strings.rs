//! Strings: escapes, surrogates, and every place of a special byte in a block.

use super::super::{Extractor, Field, parse_event};
use super::{Random, Value, Values, lookup, value_of, whole};

/// A string's content in UTF-16, where half pairs are what they are; then as text.
fn reference(content: &str) -> String {
    let mut units = Vec::new();
    let mut rest = content.chars();
    while let Some(c) = rest.next() {
        if c != '\\' {
            units.extend_from_slice(c.encode_utf16(&mut [0; 2]));
            continue;
        }
        units.push(match rest.next().unwrap() {
            'b' => 8,
            'f' => 12,
            'n' => 10,
            'r' => 13,
            't' => 9,
            'u' => u16::from_str_radix(&rest.by_ref().take(4).collect::<String>(), 16).unwrap(),
            other => other as u16,
        });
    }
    String::from_utf16_lossy(&units)
}

#[test]
fn escapes_and_surrogates_in_any_mixture() {
    let pieces = [
        "a",
        "é",
        "日",
        "😀",
        " ",
        "/",
        "\\/",
        "\\\\",
        "\\\"",
        "\\b",
        "\\f",
        "\\n",
        "\\r",
        "\\t",
        "\\u0041",
        "\\u00e9",
        "\\u0000",
        "\\uFFFF",
        "\\ud83d",
        "\\ude00",
        "\\uD800",
        "\\uDBFF",
        "\\uDC00",
        "\\uDfff",
        "\\ud83d\\ude00",
        "plain text of some length",
    ];
    let mut random = Random(1);
    for _ in 0..20_000 {
        let content: String = (0..random.below(12))
            .map(|_| random.pick(&pieces))
            .collect();
        let expected = Value::Str(reference(&content));
        assert_eq!(
            whole(&format!("\"{content}\"")),
            Ok(expected.clone()),
            "{content}"
        );
        let line = format!("{{\"{content}\":1,\"k\":\"{content}\"}}");
        let mut out = [Field::Missing, Field::Missing];
        let key = reference(&content);
        Extractor::new(&["k", &key])
            .extract(line.as_bytes(), &mut out)
            .unwrap();
        assert_eq!(value_of(&out[0]), Some(expected), "{line}");
        let tree = parse_event(line.as_bytes(), &mut Values).unwrap();
        assert_eq!(value_of(&out[1]).as_ref(), lookup(&tree, &key), "{line}");
    }
}

#[test]
fn a_special_byte_at_every_place() {
    let inserts: &[&[u8]] = &[
        b"\"", b"\\", b"\\\"", b"\\\\", b"\\n", b"\\u0041", b"\\u004", b"\x00", b"\x1f", b"\x7f",
        b"\t",
    ];
    for filler in 0..200 {
        for insert in inserts {
            for after in [
                "",
                "x",
                "0123456789012345678901234567890123456789012345678901234567890123456789",
            ] {
                let mut line = b"{\"k\":\"".to_vec();
                line.extend(std::iter::repeat_n(b'x', filler));
                line.extend_from_slice(insert);
                line.extend_from_slice(after.as_bytes());
                line.extend_from_slice(b"\",\"l\":[\"\"]}");
                let strict = serde_json::from_slice::<serde::de::IgnoredAny>(&line).is_ok();
                let mut out = [Field::Missing];
                let read = Extractor::new(&["k"]).extract(&line, &mut out);
                let tree = parse_event(&line, &mut Values);
                assert_eq!(read.is_ok(), strict, "{:?}", String::from_utf8_lossy(&line));
                assert_eq!(read.err(), tree.as_ref().err().copied());
                if let Ok(tree) = tree {
                    assert_eq!(value_of(&out[0]).as_ref(), lookup(&tree, "k"));
                }
            }
        }
    }
}
