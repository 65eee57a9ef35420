//! ENCODE, DECODE and IS_ENCODING against answers of Apache Commons Codec 1.10, the library behind Metron's.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use stellar::engine::Engine;
use stellar::eval::{Value, Variables};

struct Row(Value, Value);

impl Variables for Row {
    fn get(&self, name: &str) -> Option<Value> {
        match name {
            "text" => Some(self.0.clone()),
            "encoding" => Some(self.1.clone()),
            _ => None,
        }
    }

    fn all(&self) -> Vec<(smol_str::SmolStr, Value)> {
        Vec::new()
    }
}

fn text(hex: &str) -> String {
    let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    String::from_utf8((0..hex.len()).step_by(2).map(byte).collect()).unwrap()
}

#[test]
fn answers_of_commons_codec() {
    let rows = include_str!("java_codec.tsv");
    let mut engine = Engine::bare();
    let (mut count, mut wrong) = (0, Vec::new());
    for line in rows.lines().filter(|line| !line.starts_with('#')) {
        let mut fields = line.split('\t');
        let mut next = || fields.next().unwrap();
        let (encoding, given, decoded, is, encoded) =
            (next(), text(next()), text(next()), next(), text(next()));
        engine.context.variables = Arc::new(Row(Value::text(&given), Value::text(encoding)));
        for (expression, expected) in [
            ("DECODE(text, encoding)", decoded.as_str()),
            ("IS_ENCODING(text, encoding)", is),
            ("ENCODE(text, encoding)", encoded.as_str()),
        ] {
            count += 1;
            let found = stellar::eval::text::to_text(&engine.evaluate(expression).unwrap());
            if found != expected {
                wrong.push(format!(
                    "{encoding} {given:?} {expression}: {found:?}, not {expected:?}"
                ));
            }
        }
    }
    assert!(count > 1000, "{count}");
    assert!(
        wrong.is_empty(),
        "{} differ\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
