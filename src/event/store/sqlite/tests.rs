//! The parts of the embedded store of events.
#![allow(clippy::unwrap_used)]

use super::bits::{self, NONE};
use super::codec::{Wanted, decode, encode};
use super::session::Local;
use super::{EVENT, keys};
use crate::diagnostic::Code;
use crate::event::store::Session;
use crate::event::{COLUMNS, Column, Range, Row};
use crate::store::{Deadline, Store, Within};
use proptest::prelude::*;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

fn row() -> Row {
    Row {
        id: "a".into(),
        detecttime: -5,
        storagetime: Some(i64::MAX),
        category: vec!["B".into(), String::new()],
        description: Some(String::new()),
        source_ip: vec![Range::V4(1, 1), Range::V4(0, u32::MAX)],
        target_ip: vec![Range::V6(7, 7), Range::V6(0, u128::MAX)],
        source_port: vec![-1, i64::MIN, i64::MAX],
        eventclass: None,
        eventseverity: Some("é".into()),
        ..Row::default()
    }
}

#[test]
fn rows_come_back_whole_or_in_parts() {
    let bytes = encode(&row());
    assert_eq!(decode(&bytes, Wanted::of(COLUMNS)).unwrap(), row());
    let part = decode(&bytes, Wanted::of(&[Column::EventSeverity])).unwrap();
    assert_eq!(part.eventseverity.as_deref(), Some("é"));
    assert!(part.id.is_empty() && part.category.is_empty() && part.source_ip.is_empty());
}

#[test]
fn damaged_rows_are_an_error() {
    let bytes = encode(&row());
    for length in 0..bytes.len() {
        let fault = decode(&bytes[..length], Wanted::of(COLUMNS)).unwrap_err();
        assert_eq!(fault.code, Code::DamagedValue, "{length}");
    }
    // A list that claims to be longer than memory.
    let huge = [
        1, b'a', 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f,
    ];
    assert!(decode(&huge, Wanted::of(COLUMNS)).is_err());
}

#[test]
fn postings_come_back_dense_and_sparse() {
    for step in [1, 2, 15, 16, 17, 700] {
        let mut set = NONE;
        (0..1024)
            .step_by(step)
            .for_each(|position| bits::set_bit(&mut set, position));
        let data = bits::write_posting(&set);
        assert!(data.len() <= bits::DENSE);
        let mut found = NONE;
        bits::read_posting(&data, &mut found);
        assert_eq!(found, set, "{step}");
        let positions: Vec<u16> = bits::positions(&set).collect();
        assert_eq!(positions, (0..1024).step_by(step).collect::<Vec<u16>>());
    }
}

#[test]
fn values_twice_are_seen_in_short_and_in_long_lists() {
    let uneven = |row: &Row, column| {
        let mut found = false;
        keys::each(row, &mut |key, _| found |= key == keys::uneven(column));
        found
    };
    for count in [2, 15, 16, 17, 18, 200] {
        let category: Vec<String> = (0..count).map(|n| format!("c{n}")).collect();
        let mut row = Row {
            source_port: (0..count).collect(),
            category,
            ..Row::default()
        };
        assert!(!uneven(&row, Column::Category), "{count}");
        assert!(!uneven(&row, Column::SourcePort), "{count}");
        row.category[0] = format!("c{}", count - 1);
        *row.source_port.last_mut().unwrap() = 0;
        assert!(uneven(&row, Column::Category), "{count}");
        assert!(uneven(&row, Column::SourcePort), "{count}");
    }
}

#[test]
fn the_time_for_an_event_grows_with_its_lists_and_not_with_their_square() {
    let row = Row {
        category: (0..200_000).map(|n| format!("c{n}")).collect(),
        ..Row::default()
    };
    let started = Instant::now();
    let mut count = 0;
    keys::each(&row, &mut |_, _| count += 1);
    assert_eq!(count, 200_002);
    // Each with each takes minutes.
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_load_ends_between_events() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(&folder.path().join("s.db"), &[&EVENT]);
    let never = Arc::new(AtomicBool::new(false));
    let one = Row {
        id: "a".into(),
        storagetime: Some(1),
        ..Row::default()
    };
    let rows = vec![one.clone(), one];
    let load = move |deadline: Deadline, cancel: bool| {
        let rows = rows.clone();
        let cancel = Arc::new(AtomicBool::new(cancel));
        store.write(&EVENT, Deadline::NONE, &never, move |conn| {
            let within = Within {
                now: 0,
                deadline,
                cancel: &cancel,
            };
            Ok(Local::new(conn, within).load(&rows)?.stored)
        })
    };
    let fault = load(Deadline::NONE, true).unwrap_err();
    assert_eq!(fault.code, Code::Interrupted);
    let fault = load(Deadline::after(Duration::ZERO), false).unwrap_err();
    assert_eq!(fault.code, Code::Timeout);
    assert_eq!(load(Deadline::NONE, false).unwrap(), 1);
}

/// Addresses that differ in few bytes, so that ranges meet in all ways.
fn address() -> BoxedStrategy<u32> {
    let byte = || {
        prop_oneof![
            Just(0u8),
            Just(1),
            Just(2),
            Just(254),
            Just(255),
            any::<u8>()
        ]
    };
    (byte(), byte(), byte(), byte())
        .prop_map(|(a, b, c, d)| u32::from_be_bytes([a, b, c, d]))
        .boxed()
}

fn range() -> BoxedStrategy<Range> {
    let v4 = (address(), address()).prop_map(|(a, b)| Range::v4(a, b));
    let one = address().prop_map(|a| Range::V4(a, a));
    let net = (address(), 0..=32u32).prop_map(|(a, prefix)| Range::net4(a, prefix).unwrap());
    let wide = |part: u32, shift: u8| u128::from(part) << shift;
    let six = (address(), address(), 0..=96u8)
        .prop_map(move |(a, b, s)| Range::v6(wide(a, s), wide(b, s)));
    let six_net = (address(), 0..=96u8, 0..=128u32)
        .prop_map(move |(a, s, prefix)| Range::net6(wide(a, s), prefix).unwrap());
    // Boxed, or the trees of values are too large for a thread's stack.
    prop_oneof![v4, one, net, six, six_net].boxed()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn looks_find_exactly_the_ranges_that_overlap(stored in range(), asked in range()) {
        let row = Row { source_ip: vec![stored], ..Row::default() };
        let mut entries = Vec::new();
        keys::each(&row, &mut |key, stretch| {
            entries.extend(stretch.map(|(from, to)| (key.to_vec(), from, to)));
        });
        prop_assert!(!entries.is_empty());
        let found = keys::overlapping(Column::SourceIp, asked).iter().any(|look| {
            entries.iter().any(|(key, from, to)| {
                (&look.first..=&look.last).contains(&key) && *from <= look.to && look.from <= *to
            })
        });
        prop_assert_eq!(found, stored.overlaps(asked), "{} {}", stored, asked);
        // The columns are apart.
        let other = keys::overlapping(Column::TargetIp, asked);
        prop_assert!(!other.iter().any(|look| entries.iter().any(|(key, ..)| (&look.first..=&look.last).contains(&key))));
    }
}
