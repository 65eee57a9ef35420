//! Groups against a slow model, and what they do at their limits.
#![allow(clippy::unwrap_used, clippy::panic)]

mod matching;

use super::*;
use proptest::prelude::*;
use serde_json::json;

const WINDOW: i64 = 30;

fn settings() -> Settings {
    Settings::new(WINDOW)
}

fn roomy() -> Arc<Budget> {
    Arc::new(Budget::new(usize::MAX))
}

fn item(key: &str, unique: &str, time: i64, event: u32) -> Item<u32> {
    Item {
        key: key_of([key]),
        unique: key_of([unique]),
        time: Some(time),
        weight: 100,
        event,
    }
}

fn grouper(settings: Settings) -> Grouper<u32> {
    Grouper::new(settings, &roomy())
}

#[track_caller]
fn called(fed: Fed<u32>) -> GroupId {
    match fed {
        Fed::Call(id) => id,
        other => panic!("{other:?}"),
    }
}

fn events(grouper: &Grouper<u32>, id: GroupId) -> Vec<u32> {
    grouper.group(id).unwrap().events().copied().collect()
}

#[test]
fn keys_say_which_values_they_are_of() {
    for parts in [
        vec![],
        vec![""],
        vec!["", ""],
        vec!["a", "1:b"],
        vec!["1:a1", ":"],
        vec!["я", "\0"],
    ] {
        assert_eq!(key_parts(&key_of(&parts)), parts);
    }
    assert_ne!(key_of(["a", "b"]), key_of(["ab", ""]));
    assert_ne!(key_of(["1:", "x"]), key_of(["1", ":x"]));
}

#[test]
fn a_group_holds_what_lies_within_the_window() {
    let mut grouper = grouper(settings());
    let id = called(grouper.feed(item("a", "x", 100, 1), 0));
    called(grouper.feed(item("a", "y", 130, 2), 0));
    assert_eq!(events(&grouper, id), [1, 2]);
    assert_eq!(grouper.group(id).unwrap().unique(), 2);
    called(grouper.feed(item("a", "y", 131, 3), 0));
    assert_eq!(events(&grouper, id), [2, 3]);
    let group = grouper.group(id).unwrap();
    assert_eq!(
        (group.total(), group.unique(), group.key()),
        (2, 1, vec!["a"])
    );
    assert_eq!((group.event(0), group.event(2)), (Some(&2), None));
    // Another key is another group, and its time is its own.
    let other = called(grouper.feed(item("b", "x", 5, 4), 0));
    assert_eq!((events(&grouper, other), grouper.len()), (vec![4], 2));
}

#[test]
fn events_out_of_order_are_put_at_their_place() {
    let mut grouper = grouper(settings());
    let id = called(grouper.feed(item("a", "x", 100, 1), 0));
    called(grouper.feed(item("a", "x", 80, 2), 0));
    called(grouper.feed(item("a", "x", 90, 3), 0));
    called(grouper.feed(item("a", "x", 90, 4), 0));
    called(grouper.feed(item("a", "x", 70, 5), 0));
    assert_eq!(events(&grouper, id), [5, 2, 3, 4, 1]);
    assert_eq!(grouper.feed(item("a", "x", 69, 6), 0), Fed::Late);
    assert_eq!(grouper.counters().late, 1);
    called(grouper.feed(item("a", "x", 111, 7), 0));
    assert_eq!(events(&grouper, id), [3, 4, 1, 7]);
}

#[test]
fn a_group_begins_anew_when_time_was_set_back() {
    let mut grouper = grouper(settings());
    called(grouper.feed(item("a", "x", 1_000_000, 0), 0));
    for event in 1..u32::from(LATE) {
        assert_eq!(grouper.feed(item("a", "x", 100, event), 0), Fed::Late);
    }
    let id = called(grouper.feed(item("a", "x", 100, 99), 0));
    assert_eq!(events(&grouper, id), [99]);
    assert_eq!(grouper.counters().restarted, 1);
    // An event in time ends the row.
    for round in 0..3 {
        for _ in 1..LATE {
            assert_eq!(grouper.feed(item("a", "x", 1, 0), 0), Fed::Late);
        }
        called(grouper.feed(item("a", "x", 100 + round, 0), 0));
    }
    assert_eq!(grouper.counters().restarted, 1);
}

#[test]
fn an_event_without_a_time_happened_with_the_one_before() {
    let mut grouper = grouper(settings());
    let timeless = |event| Item {
        time: None,
        ..item("a", "x", 0, event)
    };
    let id = called(grouper.feed(timeless(1), 50));
    assert_eq!(grouper.group(id).unwrap().newest(), Some(50));
    called(grouper.feed(item("b", "x", 70, 2), 0));
    called(grouper.feed(timeless(3), 9_999));
    assert_eq!(grouper.group(id).unwrap().newest(), Some(70));
}

#[test]
fn times_at_the_ends_of_their_range_do_no_harm() {
    let mut grouper = grouper(Settings::new(i64::MAX));
    let id = called(grouper.feed(item("a", "x", i64::MAX, 1), 0));
    called(grouper.feed(item("a", "x", 0, 2), 0));
    assert_eq!(events(&grouper, id), [2, 1]);
    assert_eq!(grouper.feed(item("a", "x", i64::MIN, 3), 0), Fed::Late);
    called(grouper.feed(item("b", "x", i64::MIN, 4), 0));
}

#[test]
fn clear_removes_the_group_of_the_call() {
    let mut grouper = grouper(settings());
    let a = called(grouper.feed(item("a", "x", 1, 1), 0));
    let b = called(grouper.feed(item("b", "x", 1, 2), 0));
    grouper.enter(a);
    // A rule that feeds the grouper while it is called, and is called in it again.
    let c = called(grouper.feed(item("c", "x", 1, 3), 0));
    grouper.enter(c);
    grouper.clear();
    grouper.leave();
    assert!(grouper.group(c).is_none() && grouper.group(a).is_some());
    grouper.clear();
    // Fed again in the same call, and cleared again.
    called(grouper.feed(item("a", "x", 2, 4), 0));
    grouper.clear();
    grouper.leave();
    assert!(grouper.group(a).is_none() && grouper.group(b).is_some());
    assert_eq!(grouper.len(), 1);
    grouper.clear();
    assert!(grouper.is_empty() && grouper.bytes() == 0);
    // What is made afterwards is not what was there before.
    let again = called(grouper.feed(item("b", "x", 1, 5), 0));
    assert!(again != b && grouper.group(b).is_none());
}

#[test]
fn clear_may_be_told_to_remove_all() {
    let mut grouper = grouper(Settings {
        clear: Scope::All,
        ..settings()
    });
    let a = called(grouper.feed(item("a", "x", 1, 1), 0));
    called(grouper.feed(item("b", "x", 1, 2), 0));
    grouper.enter(a);
    grouper.clear();
    grouper.leave();
    assert!(grouper.is_empty());
}

#[test]
fn after_a_batch_each_group_is_called_once_in_the_order_of_time() {
    let mut grouper = grouper(Settings {
        when: When::AfterBatch,
        ..settings()
    });
    for (key, time) in [("a", 10), ("b", 5), ("c", 10), ("a", 12), ("d", 5)] {
        assert!(matches!(
            grouper.feed(item(key, "x", time, 0), 0),
            Fed::Waits(_)
        ));
    }
    let due = grouper.end_batch();
    let keys: Vec<&str> = due
        .iter()
        .flat_map(|id| grouper.group(*id).unwrap().key())
        .collect();
    assert_eq!(keys, ["b", "d", "c", "a"]);
    assert_eq!(grouper.end_batch(), []);
    // What a batch holds is not pushed out before the rule has seen it.
    grouper.feed(item("a", "x", 20, 1), 0);
    let Fed::Due(id, back) = grouper.feed(item("a", "x", 500, 2), 0) else {
        panic!();
    };
    assert_eq!(events(&grouper, id), [0, 0, 1]);
    grouper.call_waiting(id);
    assert!(matches!(grouper.feed(back, 0), Fed::Waits(_)));
    assert_eq!(events(&grouper, id), [2]);
    assert_eq!(grouper.end_batch(), [id]);
}

#[test]
fn memory_is_bounded_and_what_is_given_up_is_counted() {
    let budget = Arc::new(Budget::new(100_000));
    let mut grouper = Grouper::new(settings(), &budget);
    for event in 0..10_000 {
        grouper.feed(item(&event.to_string(), "x", 0, event), 0);
        assert!(grouper.bytes() <= 100_000);
    }
    let counters = grouper.counters();
    assert_eq!(counters.evicted_groups + grouper.len() as u64, 10_000);
    assert!(grouper.len() > 100);
    // The groups fed last are there.
    let last = called(grouper.feed(item("9999", "x", 0, 0), 0));
    assert_eq!(grouper.group(last).unwrap().total(), 2);
    // One group alone gives up its oldest events; it never ends empty.
    for event in 0..5_000 {
        called(grouper.feed(item("big", "x", 0, event), 0));
    }
    let big = called(grouper.feed(item("big", "x", 0, 5_000), 0));
    assert_eq!(grouper.len(), 1);
    let group = grouper.group(big).unwrap();
    assert_eq!(group.events().next_back(), Some(&5_000));
    assert!(group.total() > 100 && grouper.bytes() <= 100_000);
    // A second grouper takes half of it.
    let other = Grouper::<u32>::new(settings(), &budget);
    called(grouper.feed(item("big", "x", 0, 5_001), 0));
    assert!(grouper.bytes() <= 50_000);
    drop(other);
    budget.set(1);
    let big = called(grouper.feed(item("big", "x", 0, 5_002), 0));
    assert_eq!(events(&grouper, big), [5_002]);
}

#[test]
fn a_group_has_a_most_of_events() {
    let mut grouper = grouper(Settings {
        group_events: 3,
        ..settings()
    });
    for event in 0..5 {
        called(grouper.feed(item("a", &event.to_string(), 0, event), 0));
    }
    let id = called(grouper.feed(item("a", "5", 0, 5), 0));
    assert_eq!(events(&grouper, id), [3, 4, 5]);
    assert_eq!(grouper.group(id).unwrap().unique(), 3);
    assert_eq!(grouper.counters().evicted_events, 3);
}

#[test]
fn groups_are_forgotten_after_their_time() {
    let mut grouper = grouper(settings());
    for key in 0..1000 {
        called(grouper.feed(item(&key.to_string(), "x", i64::from(key), key), 0));
        assert!(grouper.len() < 64);
    }
    assert_eq!(
        grouper.counters().expired_groups + grouper.len() as u64,
        1000
    );
    // One event of the far future ends two groups at most.
    let before = grouper.len();
    called(grouper.feed(item("future", "x", i64::MAX, 0), 0));
    assert!(grouper.len() + 1 >= before);
    // A group that is fed after a long time is the same one, with the new event only.
    let mut grouper = self::grouper(settings());
    called(grouper.feed(item("a", "x", 0, 1), 0));
    let id = called(grouper.feed(item("a", "x", 1_000_000, 2), 0));
    assert_eq!(events(&grouper, id), [2]);
}

#[test]
fn saved_groups_come_back() {
    let mut grouper = grouper(Settings {
        when: When::AfterBatch,
        ..settings()
    });
    for (at, key) in ["a", "b", "a", "яb\n\"", ""].into_iter().enumerate() {
        grouper.feed(item(key, &at.to_string(), at as i64, at as u32), 0);
    }
    let mut saved = Vec::new();
    grouper
        .save("s", &mut saved, &mut |event| Ok(json!(event)))
        .unwrap();
    let mut other = self::grouper(settings());
    other.feed(item("gone", "x", 0, 0), 0);
    let mut decode = |value: serde_json::Value| Ok(value.as_u64().unwrap() as u32);
    assert!(
        other
            .restore("s", &mut saved.as_slice(), &mut decode)
            .unwrap()
    );
    assert_eq!(other.bytes(), grouper.bytes());
    let mut again = Vec::new();
    other
        .save("s", &mut again, &mut |event| Ok(json!(event)))
        .unwrap();
    assert_eq!(again, saved);
    assert_eq!(other.end_batch().len(), 4);
    // A rule that groups otherwise does not take them.
    assert!(
        !other
            .restore("t", &mut saved.as_slice(), &mut decode)
            .unwrap()
    );
    assert!(other.is_empty());
    for cut in 1..saved.len() {
        // Whatever is damaged is told; a cut at the end of a line cannot be seen.
        let whole = saved[cut - 1] == b'\n' || saved[cut] == b'\n';
        let answer = other.restore("s", &mut &saved[..cut], &mut decode);
        assert_eq!(answer.is_ok(), whole, "{cut}");
    }
}

/// What a group is, slowly.
#[derive(Default)]
struct Model(Vec<(i64, u32, String)>);

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn counts_agree_with_a_slow_model(feeds in prop::collection::vec((0u8..4, 0u8..30, 0i64..60), 1..300)) {
        let mut grouper = grouper(settings());
        let mut models: std::collections::HashMap<u8, Model> = Default::default();
        let mut lates: std::collections::HashMap<u8, u8> = Default::default();
        for (number, (key, unique, time)) in (0..).zip(feeds) {
            let model = models.entry(key).or_default();
            let newest = model.0.iter().map(|event| event.0).max();
            let late = lates.entry(key).or_default();
            let fed = grouper.feed(item(&key.to_string(), &unique.to_string(), time, number), 0);
            if newest.is_some_and(|newest| time < newest - WINDOW) {
                *late += 1;
                if *late < LATE {
                    prop_assert_eq!(fed, Fed::Late);
                    continue;
                }
                model.0.clear();
            }
            *late = 0;
            model.0.push((time, number, unique.to_string()));
            model.0.sort_by_key(|event| event.0);
            let newest = model.0.last().unwrap().0;
            model.0.retain(|event| event.0 >= newest - WINDOW);
            // The window is long enough that no group is forgotten between 0 and 60.
            let id = called(fed);
            let group = grouper.group(id).unwrap();
            let expected: Vec<u32> = model.0.iter().map(|event| event.1).collect();
            prop_assert_eq!(group.events().copied().collect::<Vec<_>>(), expected);
            let mut values: Vec<&str> = model.0.iter().map(|event| event.2.as_str()).collect();
            values.sort_unstable();
            values.dedup();
            prop_assert_eq!(group.unique(), values.len());
        }
        // Nothing is lost or counted twice: without its groups a grouper takes nothing.
        let bytes: usize = grouper.groups.iter().map(|group| group.bytes + 288).sum();
        prop_assert_eq!(grouper.bytes(), bytes);
    }
}

/// The memory of this process, in bytes.
#[cfg(target_os = "linux")]
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/statm").unwrap();
    status.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

/// A million live groups, with keys that lie outside of their place: run with `--ignored --nocapture`.
#[cfg(target_os = "linux")]
#[test]
#[ignore = "takes its time, and memory"]
fn a_million_groups_fit() {
    let before = resident();
    let mut grouper: Grouper<std::sync::Arc<str>> = Grouper::new(Settings::new(600_000), &roomy());
    let begun = std::time::Instant::now();
    for number in 0..1_000_000u32 {
        let host = format!(
            "10.{}.{}.{}",
            number >> 16,
            (number >> 8) & 255,
            number & 255
        );
        let name = format!("workstation-{number:07}.example.com");
        let event = format!(
            "{{\"host\": \"{host}\", \"name\": \"{name}\"{}}}",
            " ".repeat(400)
        );
        let item = Item {
            key: key_of([&host, &name]),
            unique: key_of(["4624"]),
            time: Some(i64::from(number) / 10),
            weight: event.len() as u32 + 16,
            event: event.into(),
        };
        grouper.feed(item, 0);
    }
    let used = resident() - before;
    println!(
        "{} groups, {} MB resident, {} MB counted, {:?}",
        grouper.len(),
        used >> 20,
        grouper.bytes() >> 20,
        begun.elapsed()
    );
    assert!(grouper.len() == 1_000_000 && used < 1_500_000_000, "{used}");
    // What is counted is near the truth.
    assert!((600 << 20..1000 << 20).contains(&grouper.bytes()));
}
