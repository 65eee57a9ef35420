//! Patterns in groups.

use super::*;

fn step(values: &[&str], count: usize) -> Step {
    Step {
        field: "kind".into(),
        values: values.iter().map(|value| SmolStr::from(*value)).collect(),
        count,
    }
}

fn matcher(steps: Vec<Step>, when: When) -> Matcher<u32> {
    let settings = Settings { when, ..settings() };
    Matcher::new(settings, Pattern::new(steps).unwrap(), &roomy())
}

fn feed(matcher: &mut Matcher<u32>, kind: &str, time: i64, event: u32) -> Fed<u32> {
    let steps = matcher.pattern().fits(|_| Some(kind));
    matcher.feed(item("a", kind, time, event), Box::default(), steps, 0)
}

/// Feeds kinds a unit of time apart and gives what is found.
fn found(matcher: &mut Matcher<u32>, kinds: &[&str], handled: bool) -> Vec<Vec<u32>> {
    let mut all = Vec::new();
    for (at, kind) in kinds.iter().enumerate() {
        let id = called(feed(matcher, kind, at as i64, at as u32));
        while let Some(found) = matcher.next_match(id) {
            matcher.matched(&found, handled);
            all.push(found.events);
        }
    }
    all
}

#[test]
fn steps_follow_each_other_and_others_may_lie_between() {
    let two = || vec![step(&["13"], 1), step(&["12"], 1)];
    let every = |kinds: &[&str]| found(&mut matcher(two(), When::EveryFeed), kinds, true);
    assert_eq!(every(&["13", "12"]), [[0, 1]]);
    assert_eq!(every(&["13", "x", "12"]), [[0, 2]]);
    assert!(every(&["12", "13"]).is_empty());
    assert!(every(&["13", "13"]).is_empty());
    // What was handled is not found again.
    assert_eq!(every(&["13", "12", "12", "13", "12"]), [[0, 1], [3, 4]]);
    let kept = found(
        &mut matcher(two(), When::EveryFeed),
        &["13", "12", "x", "12"],
        false,
    );
    assert_eq!(kept, [[0, 1], [0, 3]]);
}

#[test]
fn a_step_may_ask_for_several_events() {
    let steps = || vec![step(&["bad", "worse"], 3), step(&["good"], 1)];
    let every = |kinds: &[&str]| found(&mut matcher(steps(), When::EveryFeed), kinds, true);
    assert!(every(&["bad", "bad", "good"]).is_empty());
    assert_eq!(every(&["bad", "worse", "x", "bad", "good"]), [[0, 1, 3, 4]]);
}

#[test]
fn an_event_that_comes_late_completes_a_pattern() {
    let steps = vec![step(&["a"], 1), step(&["b"], 1), step(&["c"], 1)];
    let mut matcher = matcher(steps, When::EveryFeed);
    for (kind, time, event) in [("a", 1, 0), ("c", 10, 1)] {
        let id = called(feed(&mut matcher, kind, time, event));
        assert!(matcher.next_match(id).is_none());
    }
    let id = called(feed(&mut matcher, "b", 5, 2));
    let match_ = matcher.next_match(id).unwrap();
    assert_eq!(match_.events, [0, 2, 1]);
    matcher.matched(&match_, true);
    assert!(matcher.is_empty() && matcher.bytes() == 0);
}

#[test]
fn ties_of_time_are_broken_by_the_sorting_fields() {
    let steps = vec![step(&["a"], 1), step(&["b"], 1)];
    let mut matcher = matcher(steps, When::EveryFeed);
    let mut last = None;
    for (kind, order, event) in [("b", "2", 0), ("a", "1", 1)] {
        let steps = matcher.pattern().fits(|_| Some(kind));
        let order = Box::new([SmolStr::from(order)]);
        last = Some(called(matcher.feed(
            item("k", kind, 7, event),
            order,
            steps,
            0,
        )));
    }
    assert_eq!(matcher.next_match(last.unwrap()).unwrap().events, [1, 0]);
}

#[test]
fn after_a_batch_all_matches_are_found_also_after_a_restart() {
    let steps = || vec![step(&["a"], 1), step(&["b"], 1)];
    let mut first = matcher(steps(), When::AfterBatch);
    for (at, kind) in ["a", "b", "a", "b"].into_iter().enumerate() {
        assert!(matches!(
            feed(&mut first, kind, at as i64, at as u32),
            Fed::Waits(_)
        ));
    }
    let mut saved = Vec::new();
    first
        .save("s", &mut saved, &mut |event| Ok(json!(event)))
        .unwrap();
    let mut second = matcher(steps(), When::AfterBatch);
    let mut decode = |value: serde_json::Value| Ok(value.as_u64().unwrap() as u32);
    assert!(
        second
            .restore("s", &mut saved.as_slice(), &mut decode)
            .unwrap()
    );
    for mut matcher in [first, second] {
        let due = matcher.end_batch();
        let mut all = Vec::new();
        for id in due {
            while let Some(found) = matcher.next_match(id) {
                matcher.matched(&found, true);
                all.push(found.events);
            }
        }
        assert_eq!(all, [[0, 1], [2, 3]]);
    }
}

#[test]
fn patterns_that_nothing_can_follow_are_refused() {
    let wrong = [
        vec![],
        vec![step(&[], 1)],
        vec![step(&["a"], 0)],
        vec![step(&["a"], usize::MAX), step(&["a"], 1)],
        vec![step(&["a"], 1); 65],
        vec![Step {
            field: SmolStr::default(),
            ..step(&["a"], 1)
        }],
    ];
    for steps in wrong {
        assert!(Pattern::new(steps).is_err());
    }
    let missing = Pattern::new(vec![step(&["", "a"], 1)]).unwrap();
    assert_eq!(missing.fits(|_| None::<&str>), 1);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// A match is found exactly when one exists that the new event is part of, whatever the order of arrival.
    #[test]
    fn a_match_is_found_when_there_is_one(kinds in prop::collection::vec((0u8..4, 0i64..25), 1..14)) {
        let steps = vec![step(&["0"], 2), step(&["1", "2"], 1), step(&["0"], 1)];
        let wanted: Vec<&[u8]> = vec![&[0], &[0], &[1, 2], &[0]];
        let mut matcher = matcher(steps, When::EveryFeed);
        let mut all: Vec<(i64, u32, u8)> = Vec::new();
        for (number, (kind, time)) in (0..).zip(kinds) {
            let id = called(feed(&mut matcher, &kind.to_string(), time, number));
            all.push((time, number, kind));
            all.sort_by_key(|event| (event.0, event.1));
            let exists = exists(&all, &wanted, number);
            let found = matcher.next_match(id);
            prop_assert_eq!(found.is_some(), exists);
            if let Some(found) = found {
                prop_assert!(found.events.contains(&number));
                let places: Vec<usize> = found.events.iter()
                    .map(|event| all.iter().position(|one| one.1 == *event).unwrap()).collect();
                prop_assert!(places.is_sorted() && places.len() == wanted.len());
                for (place, wanted) in places.iter().zip(&wanted) {
                    prop_assert!(wanted.contains(&all[*place].2));
                }
            }
        }
    }
}

/// Whether events follow the pattern with one among them, by trying all.
fn exists(all: &[(i64, u32, u8)], wanted: &[&[u8]], through: u32) -> bool {
    fn search(all: &[(i64, u32, u8)], wanted: &[&[u8]], through: u32, used: bool) -> bool {
        let Some((first, rest)) = wanted.split_first() else {
            return used;
        };
        (0..all.len()).any(|at| {
            first.contains(&all[at].2)
                && search(&all[at + 1..], rest, through, used || all[at].1 == through)
        })
    }
    search(all, wanted, through, false)
}
