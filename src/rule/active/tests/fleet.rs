//! Many rules over threads, and changes while they run.

use super::*;

#[test]
fn alerts_come_in_the_order_of_events_then_of_rules() {
    let world = world();
    let names = ["A", "B", "C", "D", "E", "F", "G"];
    for name in names {
        world.rule(name, &each(name), json!({}));
    }
    for threads in [1, 2, 5, 20] {
        let fleet = world.start(Manner {
            threads,
            ..Manner::default()
        });
        let mut given = Vec::new();
        for batch in 0..40 {
            fleet.send(numbered(batch * 25..batch * 25 + 25)).unwrap();
            if batch % 7 == 6 {
                while let Some(done) = fleet.done().unwrap() {
                    given.extend(texts(&done.raised));
                }
            }
        }
        while let Some(done) = fleet.receive().unwrap() {
            given.extend(texts(&done.raised));
        }
        let wanted = (0..1000).flat_map(|n| names.map(|name| format!("{name} {n}")));
        assert!(given.into_iter().eq(wanted), "{threads} threads");
        assert_eq!(fleet.waiting(), 0);
    }
}

#[test]
fn changes_in_the_store_are_taken_over_and_others_keep_their_groups() {
    let world = world();
    world.rule("Groups", &count("Groups"), json!({}));
    world.rule("Changed", &count("old"), json!({}));
    world.rule("Gone", &each("Gone"), json!({}));
    let mut retro = world.rule("Retro", &each("Retro"), json!({}));
    world.change("retro", |rule| rule.is_retro = true);
    retro.is_retro = true;
    let fleet = world.start(hasty());
    let first = fleet.run(users(0..1)).unwrap();
    assert_eq!(texts(&first.raised), ["Groups 1", "old 1", "Gone "]);
    world.change("changed", |rule| rule.lua = count("new"));
    world.rule("Added", &each("Added"), json!({}));
    let within = within(&world.context);
    assert!(world.rules.set_active("gone", false, within).unwrap());
    let metrics = |name: &str| fleet.metrics().into_iter().find(|m| m.name == name);
    until("the changes", || {
        let loaded = fleet.metrics().len() == 3 && metrics("Gone").is_none();
        loaded && metrics("Changed").is_some_and(|m| m.loads == 2)
    });
    let second = fleet.run(users(1..2)).unwrap();
    assert_eq!(texts(&second.raised), ["Groups 2", "new 2", "Added "]);
    // A new form that cannot be loaded: the one before runs on, and that is said.
    world.change("changed", |rule| rule.lua = "x = = 1".to_string());
    until("the fault", || {
        metrics("Changed").is_some_and(|m| m.fault.is_some())
    });
    let third = fleet.run(users(2..3)).unwrap();
    assert_eq!(texts(&third.raised), ["Groups 3", "new 3", "Added "]);
    assert!(
        third
            .said
            .iter()
            .any(|said| said.name == "Changed" && said.note.text.contains("line 1")),
        "{:?}",
        third.said
    );
    // A filter of a rule changes, and rules go.
    world.entity(EntityKind::Filter, "none", "false");
    let mut relations = Relations::default();
    relations.set(Relation::Filters, vec!["none".to_string()]);
    let filtered = |before: &Rule| Ok((before.clone(), relations.clone()));
    let changed = world.rules.update("groups", &filtered, within);
    changed.unwrap().unwrap();
    assert!(world.rules.delete("added", within).unwrap());
    world.change("changed", |rule| rule.lua = count("good"));
    until("the changes", || {
        let good = metrics("Changed").is_some_and(|m| m.fault.is_none() && m.loads == 3);
        good && fleet.metrics().len() == 2 && metrics("Groups").is_some_and(|m| m.loads == 2)
    });
    let fourth = fleet.run(users(3..4)).unwrap();
    assert_eq!(texts(&fourth.raised), ["good 4"]);
    let change = |before: &Entity| {
        Ok(Entity {
            program: "true".to_string(),
            ..before.clone()
        })
    };
    let changed = world
        .rules
        .update_entity(EntityKind::Filter, "none", &change, within);
    changed.unwrap().unwrap();
    until("the filter", || {
        metrics("Groups").is_some_and(|m| m.loads == 3)
    });
    let fifth = fleet.run(users(4..5)).unwrap();
    assert_eq!(texts(&fifth.raised), ["Groups 4", "good 5"]);
    assert!(fleet.end().is_empty());
}

#[test]
fn a_given_rule_that_cannot_be_loaded_is_told_at_once() {
    let world = world();
    let given = |lua: &str| {
        let rules = [each("A"), lua.to_string()].map(|lua| {
            let written = Written::text(&lua, lua.clone());
            Ready::written(written, crate::rule::model::Settings::default())
        });
        Fleet::start(
            &world.context,
            Which::Given(rules.to_vec()),
            Manner::default(),
        )
    };
    let fault = given("function on_logline(e)").err().unwrap();
    assert!(fault.position().is_some(), "{fault:?}");
    let fleet = given(&each("B")).unwrap();
    let done = fleet.run(numbered(0..2)).unwrap();
    assert_eq!(texts(&done.raised), ["A 0", "B 0", "A 1", "B 1"]);
    // An active rule of the store that cannot be loaded does not keep the others from running.
    world.rule("Bad", "error('no')", json!({}));
    world.rule("Good", &each("Good"), json!({}));
    let fleet = world.start(Manner::default());
    let done = fleet.run(numbered(0..1)).unwrap();
    assert_eq!(texts(&done.raised), ["Good 0"]);
    assert!(done.said.iter().any(|said| said.name == "Bad"));
    let metrics = fleet.metrics();
    assert!(
        metrics[0].fault.as_ref().unwrap().contains("no"),
        "{metrics:?}"
    );
}

#[test]
fn files_of_the_same_name_and_a_rule_that_stands_twice() {
    let world = world();
    world.rule("S", &each("S"), json!({}));
    let file = |text: &str| {
        let settings = crate::rule::model::Settings::default();
        Ready::written(Written::text("same", each(text)), settings)
    };
    let rules = vec![file("a"), world.find("S"), file("b"), world.find("s")];
    let fleet = Fleet::start(&world.context, Which::Given(rules), hasty()).unwrap();
    let done = fleet.run(numbered(0..1)).unwrap();
    assert_eq!(texts(&done.raised), ["a 0", "S 0", "b 0"]);
    assert_eq!(fleet.metrics().len(), 3);
    assert!(fleet.end().is_empty());
    assert_eq!(world.stored("s").stats.result_count, 1);
}

#[test]
fn a_fleet_that_is_cancelled_waits_for_nobody() {
    let world = world();
    world.rule("R", "function on_logline(e) end", json!({}));
    let fleet = world.start(Manner::default());
    world
        .context
        .cancel
        .store(true, std::sync::atomic::Ordering::Relaxed);
    let began = Instant::now();
    let sent = (0..20).try_for_each(|_| fleet.send(numbered(0..1000)));
    drop((sent, fleet));
    assert!(began.elapsed() < LONG);
}

#[test]
fn groups_are_saved_and_loaded_by_the_owner() {
    let world = world();
    world.rule("R", &count("R"), json!({}));
    world.rule("S", &count("S"), json!({}));
    let fleet = world.start(hasty());
    fleet.run(users(0..2)).unwrap();
    let saved = fleet.save().unwrap();
    fleet.run(users(2..9)).unwrap();
    drop(fleet);
    let fleet = world.start(hasty());
    let saved: Json = serde_json::from_str(&saved.to_string()).unwrap();
    assert_eq!(fleet.load(&saved).unwrap(), 2);
    let done = fleet.run(users(2..3)).unwrap();
    assert_eq!(texts(&done.raised), ["R 3", "S 3"]);
    assert!(fleet.load(&json!({"rules": {"r": ["no groups"]}})).is_err());
    assert_eq!(fleet.load(&json!({"rules": {"gone": []}})).unwrap(), 0);
}

#[test]
fn what_comes_again_from_a_saved_place_has_the_same_identifiers() {
    let world = world();
    world.rule("Each", &each("Each"), json!({}));
    world.rule("Groups", &count("Groups"), json!({}));
    let twice = "function on_logline(e) alert({template = '1'}) alert({template = '1'}) end";
    world.rule("Twice", twice, json!({}));
    let ids = |raised: &[Raised]| raised.iter().map(|one| one.id.clone()).collect::<Vec<_>>();
    for keep in [Keep::Owner, Keep::Store] {
        let manner = || Manner {
            runner: "here".into(),
            keep,
            ..Manner::default()
        };
        let fleet = world.start(manner());
        // Events that are alike are others nevertheless.
        let equal = || [users(0..3), users(1..2), users(1..2)].concat();
        let first = fleet.run(equal()).unwrap();
        let saved = fleet.save().unwrap();
        assert_eq!(saved.get("rules").is_some(), keep == Keep::Owner);
        let second = fleet.run(equal()).unwrap();
        let all = [ids(&first.raised), ids(&second.raised)].concat();
        let mut different = all.clone();
        different.sort();
        different.dedup();
        assert_eq!((all.len(), different.len()), (40, 40));
        drop(fleet);
        // From the beginning, and from the place that was saved, in other batches.
        let fleet = world.start(manner());
        assert_eq!(ids(&fleet.run(equal()).unwrap().raised), ids(&first.raised));
        let fleet = world.start(manner());
        fleet.load(&saved).unwrap();
        let mut again = Vec::new();
        for event in equal() {
            again.extend(ids(&fleet.run(vec![event]).unwrap().raised));
        }
        assert_eq!(again, ids(&second.raised), "{keep:?}");
    }
    // Another runner, and another form of the rule.
    let other = world.start(Manner::default());
    let one = ids(&other.run(users(0..1)).unwrap().raised);
    world.change("each", |rule| rule.lua.push_str("\n--"));
    let changed = world.start(Manner::default());
    let two = ids(&changed.run(users(0..1)).unwrap().raised);
    assert_ne!(one[0], two[0]);
    assert_eq!(one[1..], two[1..]);
}

#[test]
fn events_without_a_time_are_others_each_time() {
    let world = world();
    world.rule("Each", &each("Each"), json!({}));
    let id = |now: i64| {
        let mut options = options(&world.context);
        options.now = Arc::new(move || now);
        let fleet = Fleet::with(&world.context, Which::Active, Manner::default(), options);
        fleet.unwrap().run(numbered(0..1)).unwrap().raised[0]
            .id
            .clone()
    };
    assert_eq!(id(1), id(1));
    assert_ne!(id(1), id(2));
}
