//! Filters, bounds of settings, and what is counted.

use super::*;
use crate::diagnostic::Code;
use crate::rule::lua::NoteKind;

fn run(lane: &mut Lane, events: &[Event]) -> Vec<Raised> {
    let mut raised = Vec::new();
    for (at, event) in events.iter().enumerate() {
        lane.event(at, event, &mut raised);
    }
    lane.end_batch(events.len(), &mut raised);
    raised
}

#[test]
fn a_rule_is_found_by_name_or_identifier() {
    let world = world();
    world.rule("Brute force", "function on_logline(e) end", json!({}));
    assert_eq!(world.find("Brute force").id, "brute force");
    assert_eq!(world.find("brute force").name(), "Brute force");
    let fault = find(&world.rules, "brut force", &world.context).unwrap_err();
    assert_eq!(fault.code, Code::BadRule);
    assert!(format!("{fault:?}").contains("did you mean Brute force?"));
    let fault = find(&world.rules, "a\0b", &world.context).unwrap_err();
    assert_eq!(fault.code, Code::BadRule);
}

#[test]
fn modules_choices_tables_and_the_finding_come_with_a_rule() {
    let world = world();
    world.entity(
        EntityKind::Module,
        "b",
        "base = (base or '') .. 'b'; return 2",
    );
    world.entity(
        EntityKind::Module,
        "a",
        "base = (base or '') .. 'a'; return 1",
    );
    world.entity(EntityKind::Finding, "attack", "");
    let lua = r"
        local s = storage.new('seen')
        function on_logline(e)
            s:set('k', 'c', base)
            alert({template = base .. require('a') .. '\d' .. s:get('k', 'c')})
        end";
    let relations: &[(Relation, &[&str])] = &[
        (Relation::Modules, &["b", "a"]),
        (Relation::Finding, &["attack"]),
    ];
    let settings = json!([{"options": {"escapes": "drop"}}]);
    world.related("R", lua, settings, relations);
    let raised = run(&mut world.lane(&["R"]), &events(&["{}"]));
    assert_eq!(texts(&raised), ["ba1dba"]);
    let map = raised[0].to_map();
    assert_eq!(map.get_text("rule_id").unwrap().as_text(), Some("r"));
    assert_eq!(map.get_text("finding").unwrap().as_text(), Some("attack"));
    let cell = world.rules.list_row("seen", "k", within(&world.context));
    assert_eq!(cell.unwrap().unwrap().cells["c"], json!("ba"));
}

#[test]
fn a_rule_sees_what_all_its_filters_let_through() {
    let world = world();
    world.entity(EntityKind::Filter, "many", "n > 1");
    world.entity(
        EntityKind::Filter,
        "few",
        "MAP_GET('n', _) < 4 and EXISTS(a.b)",
    );
    let filters: &[(Relation, &[&str])] = &[(Relation::Filters, &["many", "few"])];
    world.related("R", &each("R"), json!({}), filters);
    world.related(
        "S",
        &each("S"),
        json!({}),
        &[(Relation::Filters, &["many"])],
    );
    let mut lane = world.lane(&["R", "S"]);
    let given = [
        r#"{"n":1,"a":{"b":0}}"#,
        r#"{"n":2,"a":{"b":0}}"#,
        r#"{"n":3}"#,
        r#"{"n":4,"a":{"b":0}}"#,
    ];
    let raised = run(&mut lane, &events(&given));
    assert_eq!(texts(&raised), ["R 2", "S 2", "S 3", "S 4"]);
    let metrics = lane.metrics();
    assert_eq!((metrics[0].events, metrics[0].filtered), (1, 3));
    assert_eq!((metrics[1].events, metrics[1].filtered), (3, 1));
    assert!(
        world
            .find("R")
            .passes(&events(&given)[1], &world.context)
            .unwrap()
    );
}

#[test]
fn a_filter_that_fails_is_counted_said_and_lets_nothing_through() {
    let world = world();
    world.entity(EntityKind::Filter, "f", "n + 1");
    world.related("R", &each("R"), json!({}), &[(Relation::Filters, &["f"])]);
    let mut lane = world.lane(&["R"]);
    assert!(run(&mut lane, &numbered(0..3)).is_empty());
    assert_eq!(lane.metrics()[0].errors, 3);
    let (said, lost) = lane.notes();
    assert_eq!((said.len(), lost), (3, 0));
    assert_eq!(said[0].note.entry, "filter f");
    assert_eq!(said[0].note.kind, NoteKind::Error);
    assert!(
        said[0].note.text.contains("instead of true or false"),
        "{said:?}"
    );
}

#[test]
fn filters_are_told_with_their_place_and_only_read() {
    let world = world();
    let compile = |text: &str| Filter::compile("f", text, &world.context);
    let fault = compile("n > NOPE(1)").unwrap_err();
    assert!(
        fault.position().is_some() && fault.message.contains("NOPE"),
        "{fault:?}"
    );
    assert_eq!(compile(" ").unwrap_err().code, Code::BadRule);
    assert!(compile("(((").is_err());
    world.entity(EntityKind::Filter, "bad", "n > ");
    world.related("R", "", json!({}), &[(Relation::Filters, &["bad"])]);
    let fault = find(&world.rules, "R", &world.context).unwrap_err();
    assert!(fault.message.starts_with("R: "), "{fault:?}");
    // What a filter changes no rule sees.
    world.entity(EntityKind::Filter, "changes", "LENGTH(LIST_ADD(l, 1)) > 0");
    let lua = "function on_logline(e) alert({template = tostring(#e:get('l'))}) end";
    world.related("S", lua, json!({}), &[(Relation::Filters, &["changes"])]);
    let raised = run(&mut world.lane(&["S"]), &events(&[r#"{"l":[0]}"#]));
    assert_eq!(texts(&raised), ["1"]);
}

#[test]
fn max_alerts_suspends_with_a_notice() {
    let world = world();
    let lua = "function on_logline(e) for i = 1, 2 do alert({template = e:gets('n')}) end end";
    world.rule("R", lua, json!({"max_alerts": 3}));
    world.rule("S", &each("S"), json!({"max_alerts": 0}));
    let mut lane = world.lane(&["R", "S"]);
    let raised = run(&mut lane, &numbered(0..4));
    let why = "the rule R is suspended: it raised its max_alerts of 3";
    assert_eq!(
        texts(&raised),
        ["0", "0", "S 0", "1", why, "S 1", "S 2", "S 3"]
    );
    assert!(raised[4].notice && !raised[3].notice);
    let metrics = &lane.metrics()[0];
    assert_eq!((metrics.alerts, metrics.dropped, metrics.events), (3, 1, 2));
    assert_eq!(metrics.suspended.as_deref(), Some(why));
    // Since it was loaded: it may raise as many again.
    lane.take(Arc::new(world.find("R"))).unwrap();
    assert_eq!(texts(&run(&mut lane, &numbered(7..8))), ["7", "7", "S 7"]);
}

#[test]
fn above_max_alerts_per_second_alerts_are_dropped() {
    let world = world();
    world.rule("R", &each("R"), json!({"max_alerts_per_second": 2}));
    let lines: Vec<String> = [0, 0, 1, 0, 1, 1, 60, 0, 1]
        .iter()
        .enumerate()
        .map(|(n, s)| {
            format!(
                r#"{{"n":{n},"@timestamp":"2024-05-01T10:{:02}:{:02}Z"}}"#,
                s / 60,
                s % 60
            )
        })
        .collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let mut lane = world.lane(&["R"]);
    let raised = run(&mut lane, &events(&lines));
    assert_eq!(texts(&raised), ["R 0", "R 1", "R 2", "R 4", "R 6"]);
    assert_eq!(lane.metrics()[0].dropped, 4);
    // By the clock of the machine, which stands still here, all come in one second.
    let mut context = world.context.clone();
    context.clock = Arc::new(FixedClock(5_000));
    let mut lane = Lane::new(&context, options(&context), Pace::Machine);
    lane.take(Arc::new(world.find("R"))).unwrap();
    assert_eq!(texts(&run(&mut lane, &events(&lines))), ["R 0", "R 1"]);
}

#[test]
fn a_flood_that_no_setting_bounds_is_bounded_for_a_batch() {
    let world = world();
    let lua =
        "function on_logline(e) for i = 1, 900 do alert({template = ('x'):rep(10000)}) end end";
    world.rule("Flood", lua, json!({"options": {"time_ms": 20000}}));
    world.rule("Good", &each("Good"), json!({}));
    let mut lane = world.lane(&["Flood", "Good"]);
    for _ in 0..2 {
        let raised = run(&mut lane, &numbered(0..10));
        let good = raised.iter().filter(|one| one.rule == "good").count();
        assert_eq!(good, 10);
        let bytes: usize = raised.iter().map(|one| one.alert.text.len()).sum();
        assert!(
            bytes < 128 << 20 && raised.len() > 1000,
            "{} alerts",
            raised.len()
        );
    }
    let metrics = &lane.metrics()[0];
    assert_eq!(metrics.alerts + metrics.dropped, 18_000);
    assert!(metrics.dropped > 5000, "{metrics:?}");
    let said = lane.notes().0;
    assert!(
        said.iter()
            .any(|one| one.note.text.contains("too many alerts at once"))
    );
}

#[test]
fn memory_and_times_of_functions_follow_the_settings() {
    let world = world();
    let patient = json!({"time_ms": 20000});
    let greedy = "t = {} function on_logline(e) for i = 1, 2e5 do t[#t + 1] = {} end end";
    world.rule(
        "Small",
        greedy,
        json!({"max_rule_memory_mb": 8, "function_metrics": true, "options": patient}),
    );
    world.rule("Usual", greedy, json!({"options": patient}));
    let mut lane = world.lane(&["Small", "Usual"]);
    run(&mut lane, &numbered(0..1));
    let metrics = lane.metrics();
    assert_eq!((metrics[0].stops, metrics[1].stops), (1, 0));
    assert_eq!(metrics[0].functions[0].name, "on_logline");
    assert_eq!(metrics[0].functions[0].calls, 1);
    assert!(metrics[0].functions[0].longest > 0);
    assert!(metrics[1].functions.is_empty());
    assert!(metrics[1].memory > 1 << 20);
}

#[test]
fn a_changed_rule_keeps_the_groups_that_are_made_as_before() {
    let world = world();
    world.rule("R", &count("R"), json!({}));
    let mut lane = world.lane(&["R"]);
    assert_eq!(texts(&run(&mut lane, &users(0..2))), ["R 1", "R 2"]);
    world.change("r", |rule| rule.lua = count("new"));
    lane.take(Arc::new(world.find("R"))).unwrap();
    assert_eq!(texts(&run(&mut lane, &users(2..3))), ["new 3"]);
    world.change("r", |rule| rule.lua = count("other").replace("1h", "2h"));
    lane.take(Arc::new(world.find("R"))).unwrap();
    assert_eq!(texts(&run(&mut lane, &users(3..4))), ["other 1"]);
    // One that cannot be loaded leaves the earlier form at work.
    world.change("r", |rule| rule.lua = "x = = 1".to_string());
    assert!(lane.take(Arc::new(world.find("R"))).is_err());
    assert_eq!(texts(&run(&mut lane, &users(4..5))), ["other 2"]);
}

#[test]
fn a_second_grouper_before_the_first_does_not_take_its_groups() {
    let world = world();
    world.rule("R", &count("R"), json!({}));
    let mut lane = world.lane(&["R"]);
    run(&mut lane, &users(0..2));
    let more = "local first = grouper.new({'v'}, {}, '', '5m', function(d) end)";
    world.change("r", |rule| rule.lua = format!("{more}\n{}", count("R")));
    lane.take(Arc::new(world.find("R"))).unwrap();
    assert_eq!(texts(&run(&mut lane, &users(2..3))), ["R 3"]);
}

#[test]
fn files_are_rules_too() {
    let world = world();
    let written = Written::text("file.lua", each("file"));
    let mut lane = Lane::new(&world.context, options(&world.context), Pace::Events);
    let ready = Ready::written(written, crate::rule::model::Settings::default());
    lane.take(Arc::new(ready)).unwrap();
    let raised = run(&mut lane, &numbered(0..1));
    assert_eq!(texts(&raised), ["file 0"]);
    assert!(!raised[0].stored);
}
