//! Rows, records, ghosts, and looks into messages.

use super::*;
use crate::event::{COLUMNS, Column, Record, Row};

#[test]
fn a_row_has_the_columns_of_the_table() {
    let message = message(&with(concat!(
        r#""Description":"d","Source":[{"IP4":["10.0.0.5/24"],"IP6":["::2-::1"],"Port":[443,"22",22],"Type":["B","A"],"#,
        r#""Proto":["TCP","tcp",6]},{"IP6":["::3"],"IP4":["10.0.0.9","10.0.0.9"],"Type":["A"]}],"#,
        r#""Target":[{"Proto":["ÄÖ","udp"],"Port":[]}],"Node":[{"Name":"a.b","Type":["Z","Y"]},{"Type":["Q"]},{"Name":"a.b"}],"#,
        r#""_CESNET":{"StorageTime":"2026-01-01T00:00:01Z","EventClass":"UPPER","EventSeverity":"","#,
        r#""ResolvedAbuses":["b","a","b"],"InspectionErrors":["z","a"]}"#
    )));
    let row = message.to_row().unwrap();
    let texts = |texts: &[&str]| {
        texts
            .iter()
            .map(|&text| text.to_string())
            .collect::<Vec<_>>()
    };
    let ips: Vec<String> = row.source_ip.iter().map(ToString::to_string).collect();
    assert_eq!(
        ips,
        ["10.0.0.0/24", "::1-::2", "10.0.0.9", "10.0.0.9", "::3"]
    );
    let expected = Row {
        id: "e1".to_string(),
        detecttime: 1_767_225_600_000_000,
        category: texts(&["Test"]),
        description: Some("d".to_string()),
        source_ip: row.source_ip.clone(),
        source_port: vec![22, 443],
        source_type: texts(&["A", "B"]),
        protocol: texts(&["6", "tcp", "udp", "äö"]),
        node_name: texts(&["a.b", "a.b"]),
        node_type: texts(&["Q", "Y", "Z"]),
        storagetime: Some(1_767_225_601_000_000),
        resolvedabuses: texts(&["b", "a", "b"]),
        eventclass: Some("upper".to_string()),
        eventseverity: Some(String::new()),
        inspectionerrors: texts(&["z", "a"]),
        event: Some(message.to_json()),
        ..Row::default()
    };
    assert_eq!(row, expected);
    assert!(row.storable().is_ok());
}

#[test]
fn a_row_needs_its_time_and_its_category_and_texts_that_are_texts() {
    let said = |json: &str| {
        let fault = message(json).to_row().unwrap_err();
        (fault.code, fault.message.clone(), fault.notes.join("; "))
    };
    let bad = Code::BadMessage;
    let missing = |what: &str, more: &str| (bad, format!("{what} is missing"), more.to_string());
    assert_eq!(said(r#"{"Category":[]}"#), missing("DetectTime", ""));
    assert_eq!(said(r#"{"DetectTime":0}"#), missing("Category", ""));
    assert_eq!(
        said("{}"),
        missing("DetectTime", "also Category is missing")
    );
    for (members, place) in [
        (r#""Description":"\ud800""#, "Description"),
        (
            r#""_CESNET":{"ResolvedAbuses":["a","\udc00"]}"#,
            "_CESNET.ResolvedAbuses[1]",
        ),
        (r#""_CESNET":{"EventClass":"\udc00"}"#, "_CESNET.EventClass"),
        (r#""Target":[{"Proto":["a\udc00"]}]"#, "Target[0].Proto[0]"),
    ] {
        let (code, message, _) = said(&with(members));
        assert_eq!(code, bad);
        assert!(message.starts_with(&format!("{place}: ")), "{message}");
        assert!(message.contains("half a surrogate pair"), "{message}");
    }
    let (code, text, _) = said(&with(r#""Source":[{"Port":[1,9223372036854775808]}]"#));
    assert_eq!(code, Code::EventData);
    assert!(
        text.starts_with("Source[0].Port[1]: 9223372036854775808 "),
        "{text}"
    );
    // A NUL is kept in the bytes; only a column cannot hold it.
    let row = message(&with(r#""Note":"\u0000","_CESNET":{"StorageTime":0}"#))
        .to_row()
        .unwrap();
    assert!(row.storable().is_ok());
    let row = message(&with(
        r#""Description":"\u0000","_CESNET":{"StorageTime":0}"#,
    ))
    .to_row();
    assert_eq!(row.unwrap().storable().unwrap_err().code, Code::EventData);
}

#[test]
fn another_private_key_is_stored_as_mentats_own() {
    let json = with(r#""_Mentat":{"StorageTime":5,"EventClass":"X"},"_Z":1"#);
    let newer = Options {
        private_key: "_Mentat".into(),
        ..options()
    };
    let renamed = Message::parse(json.as_bytes(), &newer).unwrap();
    assert_eq!(renamed.storage_time(), Some(5_000_000));
    assert_eq!(renamed.class(), Some("X"));
    let bytes = String::from_utf8(renamed.to_json()).unwrap();
    assert!(
        bytes.ends_with(
            r#""_CESNET": {"EventClass": "X", "StorageTime": "1970-01-01T00:00:05Z"}, "_Z": 1}"#
        ),
        "{bytes}"
    );
    assert_eq!(message(&json).storage_time(), None);
    assert!(stored(&json).contains(r#""StorageTime": 5"#));
    let fault =
        Message::parse(with(r#""_Mentat":{},"_CESNET":{}"#).as_bytes(), &newer).unwrap_err();
    assert!(fault.message.contains("_CESNET"), "{}", fault.message);
    let same = Message::parse(with(r#""_CESNET":{"StorageTime":5}"#).as_bytes(), &newer).unwrap();
    assert_eq!(same.storage_time(), Some(5_000_000));
}

#[test]
fn a_storage_time_is_filled_in_where_there_is_none() {
    let filling = Options {
        storage_time: Some(1_000_000),
        ..options()
    };
    for (members, time) in [
        ("", 1_000_000),
        (r#""_CESNET":{"EventClass":"a"}"#, 1_000_000),
        (r#""_CESNET":{"StorageTime":7}"#, 7_000_000),
    ] {
        let message = Message::parse(with(members).as_bytes(), &filling).unwrap();
        assert_eq!(message.storage_time(), Some(time), "{members}");
        assert_eq!(message.class().is_some(), members.contains("EventClass"));
    }
    let mut message = message(&with(""));
    message.set_storage_time(i64::MAX);
    assert_eq!(message.storage_time(), None);
    message.set_storage_time(1);
    message.set_storage_time(2);
    assert_eq!(message.storage_time(), Some(2));
    assert!(
        format!("{message:?}")
            .ends_with(r#""_CESNET": {"StorageTime": "1970-01-01T00:00:00.000002Z"}}"#)
    );
}

fn record(row: Row, columns: &[Column]) -> Record {
    Record {
        columns: columns.into(),
        row,
    }
}

#[test]
fn a_record_gives_the_message_or_its_ghost() {
    let original = message(&with(concat!(
        r#""Description":"d","Unknown":1,"Source":[{"IP4":["10.0.0.5/24"],"IP6":["::1"],"Port":[443,22],"Proto":["TCP"]},{"Type":["A"]}],"#,
        r#""Node":[{"Name":"c.d","Type":["Z"]},{"Name":"a.b","Type":["Y"],"SW":["s"]}],"#,
        r#""_CESNET":{"StorageTime":"2026-01-01T00:00:01Z","EventClass":"UPPER","ResolvedAbuses":["b"],"Other":1}"#
    )));
    let row = original.to_row().unwrap();
    let all = record(row.clone(), COLUMNS);
    assert_eq!(Message::from_record(&all).unwrap(), original);
    let ghost = Message::ghost(&all).unwrap();
    assert_eq!(
        format!("{ghost:?}"),
        concat!(
            r#"{"Category": ["Test"], "Description": "d", "DetectTime": "2026-01-01T00:00:00Z", "Format": "IDEA0", "ID": "e1", "#,
            r#""Node": [{"Name": "c.d", "Type": ["Y", "Z"]}, {"Name": "a.b", "Type": ["Y", "Z"]}], "#,
            r#""Source": [{"IP4": ["10.0.0.0/24"], "IP6": ["::1"], "Port": [22, 443], "Proto": ["tcp"], "Type": ["A"]}], "#,
            r#""Target": [{"Proto": ["tcp"]}], "#,
            r#""_CESNET": {"EventClass": "upper", "ResolvedAbuses": ["b"], "StorageTime": "2026-01-01T00:00:01Z"}}"#
        )
    );
    // Python's ghost has the description None where there is none.
    let bare = Row {
        description: None,
        ..row.clone()
    };
    assert_eq!(
        Message::ghost(&record(bare, COLUMNS))
            .unwrap()
            .description(),
        None
    );
    let some = record(row.clone(), &[Column::Id, Column::SourcePort]);
    assert_eq!(
        format!("{:?}", Message::ghost(&some).unwrap()),
        r#"{"Format": "IDEA0", "ID": "e1", "Source": [{"Port": [22, 443]}]}"#
    );
    for made in [
        Message::from_record(&some),
        Message::from_record(&record(
            Row {
                event: None,
                ..row.clone()
            },
            COLUMNS,
        )),
        Message::ghost(&record(row.clone(), &[Column::Event])),
    ] {
        assert_eq!(made.unwrap_err().code, Code::EventStorage);
    }
    let damaged = record(
        Row {
            event: Some(b"{".to_vec()),
            ..row
        },
        COLUMNS,
    );
    assert_eq!(
        Message::from_record(&damaged).unwrap_err().code,
        Code::BadMessage
    );
}

#[test]
fn the_parts_of_a_message_are_at_hand() {
    let message = message(&with(concat!(
        r#""Description":"d","Confidence":0.5,"ConnCount":3,"Source":[{"IP6":["::1"],"IP4":["10.0.0.1"],"Spoofed":true},{"IP4":["10.0.0.2/31"]}],"#,
        r#""Node":[{"Name":"a.b","AggrWin":1.5},{}],"_CESNET":{"EventSeverity":"low","ResolvedAbuses":["g"]}"#
    )));
    assert_eq!(message.id(), "e1");
    assert_eq!(message.detect_time(), Some(1_767_225_600_000_000));
    assert_eq!(message.categories().collect::<Vec<_>>(), ["Test"]);
    assert_eq!(message.description(), Some("d"));
    let addresses: Vec<String> = message
        .addresses("Source")
        .map(|one| one.to_string())
        .collect();
    assert_eq!(addresses, ["10.0.0.1", "::1", "10.0.0.2/31"]);
    assert_eq!(message.addresses("Target").count(), 0);
    assert_eq!(message.detectors().collect::<Vec<_>>(), ["a.b"]);
    assert_eq!(message.severity(), Some("low"));
    assert_eq!(message.class(), None);
    assert_eq!(message.abuses().collect::<Vec<_>>(), ["g"]);
    let root = message.root();
    assert_eq!(
        root.find("Source[1].IP4[0]").unwrap().as_address(),
        Some(Address::Net4(0x0a00_0002, 31))
    );
    assert_eq!(
        root.find("Source[0].Spoofed").unwrap().as_bool(),
        Some(true)
    );
    assert_eq!(root.find("Confidence").unwrap().as_f64(), Some(0.5));
    assert_eq!(root.find("ConnCount").unwrap().as_i64(), Some(3));
    assert_eq!(
        root.find("Node[0].AggrWin").unwrap().as_duration(),
        Some(1_500_000)
    );
    for path in [
        "Source[2]",
        "Source.IP4",
        "Source[x]",
        "Nothing",
        "ID.x",
        "ID[0]",
    ] {
        assert!(root.find(path).is_none(), "{path}");
    }
    let keys: Vec<_> = root.members().map(|(key, _)| key.into_owned()).collect();
    assert_eq!(keys.first().map(String::as_str), Some("Category"));
}

#[test]
fn a_message_comes_from_values_and_goes_back() {
    let json = with(
        r#""Source":[{"IP4":["10.0.0.1/8"],"Port":[22]}],"big":[5000000000,123456789012345678901234567890,1.5,null,true]"#,
    );
    let first = message(&json);
    let value = first.to_value();
    assert_eq!(Message::from_value(&value, &options()).unwrap(), first);
    let tree: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(Message::from_json(&tree, &options()).unwrap(), first);
    let Value::Map(map) = &value else {
        panic!("{value:?}")
    };
    assert_eq!(
        to_text(&map.get_text("DetectTime").unwrap()),
        "2026-01-01T00:00:00Z"
    );
    let fault = Message::from_value(&Value::text("x"), &options()).unwrap_err();
    assert_eq!(fault.code, Code::BadMessage);
}
