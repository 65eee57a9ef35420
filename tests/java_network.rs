//! Domains, URLs, addresses, e-mail addresses and look-alikes as the Java classes behind Metron answer:
//! java.net.URL and java.net.IDN of Java 17, Guava 17, commons-validator 1.6.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;
use std::sync::Arc;
use stellar::engine::Engine;
use stellar::eval::text::to_text;
use stellar::eval::{Program, Value};

/// One case: what it is about, what goes in, what Java answers.
fn rows() -> Vec<(String, String, String)> {
    let text = std::fs::read_to_string("tests/java_network.tsv").unwrap();
    let rows: Vec<_> = text
        .lines()
        .filter(|line| !line.starts_with("# "))
        .map(|line| {
            let mut cells = line.split('\t');
            let mut cell = || cells.next().unwrap().to_string();
            (cell(), unescaped(&cell()), cell())
        })
        .collect();
    assert!(rows.len() > 2_000, "{} rows only", rows.len());
    rows
}

fn unescaped(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).unwrap()
}

fn escaped(text: &str) -> String {
    let plain = |b: u8| (33..127).contains(&b) && b != b'%';
    text.bytes()
        .map(|b| match plain(b) {
            true => char::from(b).to_string(),
            false => format!("%{b:02X}"),
        })
        .collect()
}

struct Functions {
    engine: Engine,
    programs: BTreeMap<&'static str, Arc<Program>>,
}

impl Functions {
    fn call(&mut self, function: &'static str, text: &str) -> Value {
        let engine = &self.engine;
        let program = self
            .programs
            .entry(function)
            .or_insert_with(|| engine.compile(&format!("{function}(x)")).unwrap());
        program.run(&engine.context, &[Value::text(text)]).unwrap()
    }

    /// The text of the result behind `=`, or null.
    fn marked(&mut self, function: &'static str, text: &str) -> String {
        match self.call(function, text) {
            Value::Null => "null".to_string(),
            value => format!("={}", escaped(&to_text(&value))),
        }
    }

    fn url(&mut self, text: &str) -> String {
        let functions = [
            "URL_TO_PROTOCOL",
            "URL_TO_HOST",
            "URL_TO_PORT",
            "URL_TO_PATH",
        ];
        let parts = functions.map(|function| self.call(function, text));
        if parts.iter().all(Value::is_null) {
            return "null".to_string();
        }
        parts.map(|part| escaped(&to_text(&part))).join("|")
    }

    fn typosquat(&mut self, text: &str) -> String {
        let Value::Set(names) = self.call("DOMAIN_TYPOSQUAT", text) else {
            panic!("no set for {text}")
        };
        // The sum of FNV-1a over the names: the order is free.
        let hash = |text: &str| {
            text.bytes().fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
            })
        };
        let names = names.items();
        let sum = names.iter().fold(0u64, |sum, name| {
            sum.wrapping_add(hash(name.as_text().unwrap()))
        });
        format!("{}|{sum:x}", names.len())
    }
}

#[test]
fn as_java_answers() {
    let mut functions = Functions {
        engine: Engine::bare(),
        programs: BTreeMap::new(),
    };
    let mut complaints = Vec::new();
    for (kind, text, expected) in rows() {
        let f = &mut functions;
        let found = match kind.as_str() {
            "url" => f.url(&text),
            "domain" => {
                let names = [
                    "DOMAIN_TO_TLD",
                    "DOMAIN_REMOVE_TLD",
                    "DOMAIN_REMOVE_SUBDOMAINS",
                ];
                names.map(|name| f.marked(name, &text)).join("|")
            }
            "is_domain" => to_text(&f.call("IS_DOMAIN", &text)).to_string(),
            "is_email" => to_text(&f.call("IS_EMAIL", &text)).to_string(),
            "is_url" => to_text(&f.call("IS_URL", &text)).to_string(),
            "is_ip" => {
                let program =
                    |kind: &str| f.engine.compile(&format!("IS_IP(x, '{kind}')")).unwrap();
                let answers = ["IPV4", "IPV6"].map(|kind| {
                    let value = program(kind).run(&f.engine.context, &[Value::text(&text)]);
                    to_text(&value.unwrap()).to_string()
                });
                answers.join("|")
            }
            "typosquat" => f.typosquat(&text),
            // A unit test beside the module reads these.
            "idn" => continue,
            other => panic!("what is {other}"),
        };
        if found != expected {
            complaints.push(format!("{kind}({text:?}) is {found}, Java says {expected}"));
        }
    }
    assert!(
        complaints.is_empty(),
        "{} of them\n{}",
        complaints.len(),
        complaints.join("\n")
    );
}
