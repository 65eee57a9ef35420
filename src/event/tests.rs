//! Ranges and rows.
#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use crate::diagnostic::Code;

#[track_caller]
fn range(text: &str) -> Range {
    Range::parse(text).unwrap_or_else(|| panic!("{text} is no range"))
}

#[test]
fn ranges_read_as_they_are_written_and_print_as_the_database_prints_them() {
    for (text, printed) in [
        ("10.0.0.1", "10.0.0.1"),
        ("10.0.0.1/32", "10.0.0.1"),
        ("10.0.0.5/24", "10.0.0.0/24"),
        ("10.0.0.0-10.0.0.255", "10.0.0.0/24"),
        ("10.0.0.9-10.0.0.1", "10.0.0.1-10.0.0.9"),
        ("10.0.0.1-10.0.0.2", "10.0.0.1-10.0.0.2"),
        ("0.0.0.0/0", "0.0.0.0/0"),
        ("0.0.0.0-255.255.255.255", "0.0.0.0/0"),
        ("255.255.255.255", "255.255.255.255"),
        ("2001:DB8::1", "2001:db8::1"),
        ("2001:db8::ff00:42:0/112", "2001:db8::ff00:42:0/112"),
        ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
        ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
        ("::", "::"),
        ("::/0", "::/0"),
        ("::1", "::1"),
        ("1::", "1::"),
        ("::1.2.3.4", "::1.2.3.4"),
        ("::1:2", "::0.1.0.2"),
        ("::ffff:1.2.3.4", "::ffff:1.2.3.4"),
        ("::ffff:0:1.2.3.4", "::ffff:0:1.2.3.4"),
        ("::ffff:1.2.3.4-::ffff:1.2.3.5", "::ffff:1.2.3.4/127"),
        ("::5-::2", "::2-::5"),
    ] {
        assert_eq!(range(text).to_string(), printed, "{text}");
        assert_eq!(range(printed), range(text), "{text}");
    }
}

#[test]
fn what_is_no_range_is_refused() {
    for text in [
        "",
        "-",
        "/",
        "1.2.3",
        "1.2.3.4.5",
        "01.2.3.4",
        "1.2.3.4/33",
        "1.2.3.4/",
        "1.2.3.4/+8",
        "1.2.3.4/-1",
        "1.2.3.4-",
        "1.2.3.4-::1",
        "1.2.3.4-1.2.3.5-1.2.3.6",
        "::1/129",
        "::1%eth0",
        " 1.2.3.4",
        "1.2.3.4 ",
        "1.2.3.256",
        "example.org",
        "1:2",
        "::1::",
        "1.2.3.4\0",
        "1.2.3.4/9999999999",
    ] {
        assert_eq!(Range::parse(text), None, "{text:?}");
    }
    assert_eq!(Range::parse_strict("10.0.0.5/24"), None);
    assert_eq!(Range::parse_strict("::1/64"), None);
    assert_eq!(
        Range::parse_strict("10.0.0.0/24"),
        Some(range("10.0.0.5/24"))
    );
    assert_eq!(
        Range::parse_strict("10.0.0.9-10.0.0.1"),
        Some(range("10.0.0.1-10.0.0.9"))
    );
}

#[test]
fn ranges_overlap_within_their_kind_only() {
    assert!(range("10.0.0.0/24").overlaps(range("10.0.0.255-10.0.1.3")));
    assert!(!range("10.0.0.0/24").overlaps(range("10.0.1.0")));
    assert!(!range("0.0.0.0/0").overlaps(range("::/0")));
    assert!(range("::/0").overlaps(range("::1")));
}

#[test]
fn columns_are_found_by_name_and_all_are_in_both_orders() {
    for &column in COLUMNS {
        assert_eq!(Column::named(column.name()), Some(column));
    }
    assert_eq!(Column::named("tlp"), None);
    let mut physical = PHYSICAL.to_vec();
    physical.sort();
    assert_eq!(physical, COLUMNS);
    assert_eq!(COLUMNS.len(), 19);
}

#[test]
fn a_row_says_why_the_table_would_not_take_it() {
    let row = Row {
        id: "e1".to_string(),
        storagetime: Some(0),
        ..Row::default()
    };
    assert!(row.storable().is_ok());
    let refused = |change: &dyn Fn(&mut Row)| {
        let mut changed = row.clone();
        change(&mut changed);
        let fault = changed.storable().unwrap_err();
        (fault.code, fault.message.clone())
    };
    let (code, message) = refused(&|row| row.description = Some("a\0b".to_string()));
    assert_eq!(code, Code::EventData);
    assert!(message.contains("column description"), "{message}");
    let (code, message) = refused(&|row| row.inspectionerrors = vec!["a".into(), "\0".into()]);
    assert_eq!(code, Code::EventData);
    assert!(message.contains("cesnet_inspectionerrors"), "{message}");
    let (code, message) = refused(&|row| row.target_port = vec![-1, 1 << 31]);
    assert_eq!(code, Code::EventData);
    assert!(message.contains("2147483648"), "{message}");
    assert!(message.contains("target_port"), "{message}");
    let (code, _) = refused(&|row| row.storagetime = None);
    assert_eq!(code, Code::EventIntegrity);
}
