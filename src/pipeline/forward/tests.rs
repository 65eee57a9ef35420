use super::handshake::{Gate, Pass};
use super::message::{Body, Message, Parts, check, read, unpack};
use super::pack::{Frame, Reach, Reader, Trouble};
use super::text::{TextFrame, convert};
use super::write;
use crate::config::Secretive;
use crate::eval::Value;
use crate::pipeline::event::{Event, Time};
use crate::pipeline::python::write_repr;
use crate::pipeline::record::Record;
use crate::pipeline::step::Packed;
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use std::io::Write;
use std::sync::Arc;

fn hex(text: &str) -> Vec<u8> {
    let digits: String = text.split_whitespace().collect();
    data_encoding::HEXLOWER.decode(digits.as_bytes()).unwrap()
}

fn repr(value: &Value) -> String {
    let mut out = String::new();
    write_repr(value, &mut out);
    out
}

/// The events of a message as feedoo prints them, and what cannot be read.
fn events(message: &[u8]) -> Vec<String> {
    let whole = Arc::new(message.to_vec());
    let message = read(&whole).unwrap().unwrap();
    let mut parts = Parts::new(7);
    match message.body {
        Body::One(range) => {
            check(&whole[range.clone()]).unwrap();
            parts.one(&message.tag, &whole, range);
        }
        Body::Entries(mut range) => {
            check(&whole[range.clone()]).unwrap();
            while !range.is_empty() {
                range.start = parts.entries(&message.tag, &whole, range.clone());
            }
        }
    }
    let mut out = Vec::new();
    parts.unpack(&mut |made| {
        out.push(match made {
            Ok(event) => {
                let mut record = String::new();
                crate::pipeline::python::write_record(&event.record, &mut record);
                format!("{}[{}]: {record}", event.tag, event.time.seconds())
            }
            Err((event, reason)) => format!("{}: {reason}", event.tag),
        });
    });
    out
}

#[test]
fn values_have_the_bytes_of_the_specification() {
    for (bytes, expected) in [
        ("c0", "None"),
        ("c2", "False"),
        ("c3", "True"),
        ("00", "0"),
        ("7f", "127"),
        ("ff", "-1"),
        ("e0", "-32"),
        ("cc80", "128"),
        ("cd0100", "256"),
        ("ce00010000", "65536"),
        ("cf0000000100000000", "4294967296"),
        ("cfffffffffffffffff", "18446744073709551615"),
        ("d0df", "-33"),
        ("d1ff7f", "-129"),
        ("d2ffff7fff", "-32769"),
        ("d3ffffffff7fffffff", "-2147483649"),
        ("cb3ff8000000000000", "1.5"),
        ("a0", "''"),
        ("a6c5be6c75c5a5", "'žluť'"),
        ("93010203", "[1, 2, 3]"),
        ("82a16101a16290", "{'a': 1, 'b': []}"),
        ("c402fffe", "b'\\xff\\xfe'"),
    ] {
        let bytes = hex(bytes);
        let value = Reader::new(&bytes).value().unwrap();
        assert_eq!(repr(&value), expected);
        let mut out = Vec::new();
        write::value(&value, 0, &mut out).unwrap();
        assert_eq!(out, bytes, "{expected}");
    }
    // Longer forms than needed are read, too; single floats, times and other extensions.
    for (bytes, expected) in [
        ("ca3fc00000", "1.5"),
        ("d90161", "'a'"),
        ("da000161", "'a'"),
        ("db0000000161", "'a'"),
        ("c50001ff", "b'\\xff'"),
        ("c60000000161", "'a'"),
        ("dc000101", "[1]"),
        ("dd0000000101", "[1]"),
        ("de0001a16101", "{'a': 1}"),
        ("df00000001a16101", "{'a': 1}"),
        ("d7005fd1f00e1dcd6500", "1607593998.5"),
        ("c708005fd1f00e1dcd6500", "1607593998.5"),
        ("d6ff5fd1f00e", "1607593998.0"),
        ("d40541", "b'A'"),
    ] {
        let value = Reader::new(&hex(bytes)).value().unwrap();
        assert_eq!(repr(&value), expected, "{bytes}");
    }
    assert_eq!(Reader::new(&[0xc1]).value(), Err(Trouble::Unknown(0xc1)));
}

#[test]
fn messages_of_every_mode() {
    // ["t", 1, {"a": 2}]
    assert_eq!(events(&hex("93a17401 81a16102")), ["t[1]: {'a': 2}"]);
    // The same with options.
    let bytes = hex("94a17401 81a16102 82a473697a6501a56368756e6ba161");
    assert_eq!(events(&bytes), ["t[1]: {'a': 2}"]);
    assert_eq!(read(&bytes).unwrap().unwrap().chunk, Some(&b"a"[..]));
    // ["t", [[EventTime, {}], [1.5, {"a": null}]], {"compressed": "text"}]
    assert_eq!(
        events(&hex(
            "93a174 92 92d7005fd1f00e1dcd650080 92cb3ff800000000000081a161c0 81aa636f6d70726573736564a474657874"
        )),
        ["t[1607593998.5]: {}", "t[1.5]: {'a': None}"]
    );
    // Packed as bytes and as a text; no time; metadata beside the time.
    assert_eq!(
        events(&hex("92a174 c409 920180 92c080 920280")),
        ["t[1]: {}", "t[7]: {}", "t[2]: {}"]
    );
    assert_eq!(events(&hex("92a174 a3 920180")), ["t[1]: {}"]);
    assert_eq!(events(&hex("92a174 9192920180 80")), ["t[1]: {}"]);
    // A sign of life, and what is no message.
    assert_eq!(read(&[0xc0]), Ok(None));
    for (bytes, part) in [
        ("91a174", "2 to 4 values"),
        ("01", "a list, not a whole number"),
        ("930101 80", "the tag is a text"),
        ("92a17480", "without events"),
        ("93a174 90 01", "the options are a map"),
        (
            "93a174 90 81aa636f6d70726573736564a36c7a34",
            "compressed cannot be lz4",
        ),
    ] {
        let reason = read(&hex(bytes)).unwrap_err();
        assert!(reason.contains(part), "{bytes}: {reason}");
    }
}

#[test]
fn entries_that_are_no_events_cost_only_themselves() {
    assert_eq!(
        events(&hex("92a174 96 920180 05 9201a178 92a178 80 9101 920280")),
        [
            "t[1]: {}",
            "t: an entry is a time and a record, not a whole number",
            "t: the record is a map, not a text",
            "t: the time is a number, not a text",
            "t: an entry is a time and a record, not a list",
            "t[2]: {}",
        ]
    );
}

#[test]
fn gzip_may_have_several_members_and_is_bounded() {
    let gz = |bytes: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let mut both = gz(&hex("920180"));
    both.extend(gz(&hex("920280")));
    assert_eq!(unpack(&both, 100).unwrap(), hex("920180920280"));
    let bomb = gz(&vec![0; 1 << 20]);
    assert!(
        unpack(&bomb, 1000)
            .unwrap_err()
            .contains("more than 1000 bytes")
    );
    assert!(
        unpack(&both[..both.len() - 3], 100)
            .unwrap_err()
            .contains("damaged")
    );
}

#[test]
fn claims_cost_no_memory_and_depth_has_a_bound() {
    for bytes in [
        "ddffffffff",
        "dfffffffff",
        "c6ffffffff",
        "dbffffffff",
        "c9ffffffff00",
    ] {
        let bytes = hex(bytes);
        assert_eq!(Reader::new(&bytes).value(), Err(Trouble::Cut));
        let reach = Frame::at(0).advance(&bytes, usize::MAX);
        assert!(matches!(reach, Ok(Reach::More(_))), "{reach:?}");
        assert!(check(&bytes).is_err());
    }
    let deep = vec![0x91; 1000];
    assert_eq!(Frame::at(0).advance(&deep, usize::MAX), Err(Trouble::Deep));
    assert_eq!(Reader::new(&deep).value(), Err(Trouble::Deep));
    let mut many = vec![0xdd, 0, 0x20, 0, 0];
    many.resize(5 + 0x20_0000, 0xc0);
    assert!(
        check(&many)
            .unwrap_err()
            .contains("more than 1000000 values")
    );
}

#[test]
fn many_names_that_are_no_texts_are_refused() {
    let mut bytes = hex("93a17401 de0bb8");
    for n in 0..3000_u16 {
        bytes.push(0xcd);
        bytes.extend((n + 256).to_be_bytes());
        bytes.push(0xc0);
    }
    assert_eq!(
        events(&bytes),
        ["t: more than 1000 names of fields are no texts"]
    );
}

#[test]
fn json_is_made_messages_of() {
    let text = br#"["t", 1, {"a]": "}\"", "n": 12345678901}]
        ["u", [[2, {}]]] "#;
    let mut frame = TextFrame::at(0);
    let end = frame.advance(text).unwrap().unwrap();
    let mut out = Vec::new();
    convert(&text[..end], &mut out).unwrap();
    assert_eq!(events(&out), ["t[1]: {'a]': '}\"', 'n': 12345678901}"]);
    let mut frame = TextFrame::at(end);
    let second = frame.advance(text).unwrap().unwrap();
    out.clear();
    convert(&text[end..second], &mut out).unwrap();
    assert_eq!(events(&out), ["u[2]: {}"]);
    assert!(TextFrame::at(0).advance(b" x").is_err());
    assert!(convert(b"[1,", &mut out).is_err());
}

fn secret(text: &str) -> crate::config::Secret {
    Secretive::new(text).resolve().unwrap()
}

#[test]
fn both_sides_prove_what_they_know() {
    let gate = |key: &str, users: &[(&str, &str)]| Gate {
        hostname: "server".into(),
        key: secret(key),
        users: users
            .iter()
            .map(|(n, p)| ((*n).to_owned(), secret(p)))
            .collect(),
    };
    let pass = |key: &str, user: Option<(&str, &str)>| Pass {
        hostname: "client".into(),
        key: secret(key),
        user: user.map(|(n, p)| (n.to_owned(), secret(p))),
    };
    let greet = |gate: &Gate, pass: &Pass| -> Result<(), String> {
        let (nonce, helo) = gate.helo().unwrap();
        let (ping, proof) = pass.ping(&helo)?;
        let (pong, refused) = gate.pong(&nonce, &ping);
        let admitted = pass.admit(&proof, &pong);
        assert_eq!(refused.is_some(), admitted.is_err());
        admitted
    };
    let users = [("ann", "one"), ("joe", "two")];
    assert_eq!(greet(&gate("k", &[]), &pass("k", None)), Ok(()));
    assert_eq!(
        greet(&gate("k", &[]), &pass("k", Some(("joe", "two")))),
        Ok(())
    );
    assert_eq!(
        greet(&gate("k", &users), &pass("k", Some(("joe", "two")))),
        Ok(())
    );
    let refused = |gate: &Gate, pass: &Pass, part: &str| {
        let reason = greet(gate, pass).unwrap_err();
        assert!(reason.contains(part), "{reason}");
    };
    refused(&gate("k", &[]), &pass("x", None), "bad shared key");
    refused(&gate("k", &users), &pass("k", None), "asks for a user");
    refused(
        &gate("k", &users),
        &pass("k", Some(("joe", "one"))),
        "bad user or password",
    );
    refused(
        &gate("k", &users),
        &pass("k", Some(("eve", "two"))),
        "bad user or password",
    );
    // A server that does not know the key cannot pretend to have let anybody in.
    let (_, helo) = gate("other", &[]).helo().unwrap();
    let (_, proof) = pass("k", None).ping(&helo).unwrap();
    let mut pong = hex("95a4504f4e47c3a0a1 73 a3616161".replace(' ', "").as_str());
    assert!(
        pass("k", None)
            .admit(&proof, &pong)
            .unwrap_err()
            .contains("does not know")
    );
    pong.truncate(6);
    assert!(pass("k", None).admit(&proof, &pong).is_err());
    let (nonce, _) = gate("k", &[]).helo().unwrap();
    assert_eq!(
        gate("k", &[]).pong(&nonce, &hex("93a17401 80")).1,
        Some("bad message type")
    );
    assert!(!format!("{:?}{:?}", gate("geheim", &users), pass("geheim", None)).contains("geheim"));
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(crate::pipeline::step::whole),
        any::<f64>()
            .prop_filter("a number", |n| !n.is_nan())
            .prop_map(Value::Double),
        ".{0,40}".prop_map(Value::text),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..20)
                .prop_map(|items| Value::List(crate::eval::collections::List::array(items))),
            prop::collection::vec((".{0,10}", inner), 0..20)
                .prop_map(|entries| Value::Map(crate::eval::collections::Map::of_texts(entries))),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read(fields in prop::collection::vec((".{0,12}", values()), 0..8), seconds in 0_u32.., micros in 0_u32..1_000_000) {
        let mut record = Record::default();
        for (name, value) in fields {
            record.set(name, value);
        }
        let time = Time::Fraction(f64::from(seconds) + f64::from(micros) / 1e6);
        let event = Event { tag: "t".into(), time, record };
        let mut message = hex("92a17491");
        write::entry(&event, &mut message).unwrap();
        prop_assert_eq!(Frame::at(0).advance(&message, usize::MAX), Ok(Reach::End(message.len())));
        // Byte by byte the end is found at the same place.
        let mut frame = Frame::at(0);
        for length in 0..message.len() {
            prop_assert!(matches!(frame.advance(&message[..length], usize::MAX), Ok(Reach::More(_))));
        }
        prop_assert_eq!(frame.advance(&message, usize::MAX), Ok(Reach::End(message.len())));
        let mut expected = String::new();
        crate::pipeline::python::write_record(&event.record, &mut expected);
        let read = events(&message);
        prop_assert_eq!(read.len(), 1);
        let (head, shown) = read[0].split_once("]: ").unwrap();
        prop_assert_eq!(shown, expected);
        let shown: f64 = head["t[".len()..].parse().unwrap();
        prop_assert!((shown - time.seconds()).abs() < 1e-6);
    }

    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = Frame::at(0).advance(&bytes, usize::MAX);
        let _ = Reader::new(&bytes).value();
        let _ = check(&bytes);
        let _: Result<Option<Message<'_>>, String> = read(&bytes);
        let _ = unpack(&bytes, 1000);
        let _ = TextFrame::at(0).advance(&bytes);
        let _ = convert(&bytes, &mut Vec::new());
    }

    #[test]
    fn changed_messages_are_survived(at in 0_usize..60, byte: u8, cut in 0_usize..60) {
        let mut message = hex("94a174 92 92d7005fd1f00e1dcd650081a16193010203 92cb3ff800000000000081a161c4026162 82a56368756e6ba161a473697a6502");
        if let Some(place) = message.get_mut(at) {
            *place = byte;
        }
        message.truncate(message.len() - cut.min(message.len()));
        if let Ok(Reach::End(end)) = Frame::at(0).advance(&message, usize::MAX)
            && let Ok(Some(Message { body: Body::Entries(range), .. })) = read(&message[..end])
            && check(&message[range]).is_ok()
        {
            events(&message[..end]);
        }
    }
}
