//! What every store of rules must do.
#![allow(dead_code)]

use serde_json::{Value as Json, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;
use stellar::diagnostic::Code;
use stellar::rule::model::{
    Entity, EntityKind, Making, Reason, Refusal, Relation, Relations, Rule, Stats, read_body,
};
use stellar::rule::store::{Happened, ListRow, NewResult, Rules, Search, StoredTables};
use stellar::rule::tables::Tables;
use stellar::store::{Deadline, Within};

const NOW: i64 = 1_767_225_600_000;

pub fn within(cancel: &Arc<AtomicBool>) -> Within<'_> {
    at(NOW, cancel)
}

fn at(now: i64, cancel: &Arc<AtomicBool>) -> Within<'_> {
    Within {
        now,
        deadline: Deadline::after(Duration::from_secs(120)),
        cancel,
    }
}

/// How requests are read: identifiers that count up.
pub fn making<T>(work: impl FnOnce(&Making<'_>) -> T) -> T {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let id = || format!("made-{}", NEXT.fetch_add(1, Ordering::Relaxed));
    work(&Making {
        strict: false,
        now: "2026-01-01T00:00:00Z",
        id: &id,
        compile: &|_: &Json| Err(vec![Reason::new("", "nothing is drawn here")]),
    })
}

pub fn body(id: &str, name: &str) -> Json {
    json!({
        "id": id, "name": name, "settings": [{"max_alerts": 7, "extra": 1.50}], "active": true, "reload": true,
        "finding_id": "f", "description": "Überwacht Логины", "is_retro": false, "is_system": false,
        "frontend_data": {"version": 2, "deep": null},
        "test_data": [{"a": "\u{1F600}"}], "lua": "-- 'ё' \"$1\" ?1\r\n",
    })
}

pub fn rule(id: &str, name: &str) -> Rule {
    read(body(id, name)).0
}

pub fn read(mut body: Json) -> (Rule, Relations) {
    // Numbers come back with all their digits.
    let numbers = "[1e400, 0.10, 123456789012345678901234567890]";
    body["frontend_data"]["deep"] = serde_json::from_str(numbers).unwrap();
    making(|making| Rule::create(body.as_object().unwrap(), making)).unwrap()
}

fn entity(kind: EntityKind, id: &str, name: &str) -> Entity {
    let body = json!({"id": id, "name": name, "expression": "a == 1", "content": "x = 1"});
    making(|making| Entity::create(kind, body.as_object().unwrap(), making)).unwrap()
}

fn ids(found: &[Rule]) -> Vec<&str> {
    found.iter().map(|rule| rule.id.as_str()).collect()
}

/// Everything, on an empty store.
pub fn suite(rules: &Rules) {
    nothing_is_there_at_first(rules);
    rules_come_back_as_they_were(rules);
    names_and_identifiers_are_used_once(rules);
    connections_become_what_is_said(rules);
    changes_keep_what_is_counted(rules);
    lists_have_pages_and_are_searched(rules);
    running_rules_learn_of_changes(rules);
    results_are_kept_and_belong_to_rules(rules);
    table_lists_keep_cells(rules);
    states_are_kept(rules);
    tables(rules);
    hostile_texts_stay_texts(rules);
}

fn nothing_is_there_at_first(rules: &Rules) {
    let cancel = Arc::default();
    let within = within(&cancel);
    assert!(rules.rule("a", within).unwrap().is_none());
    assert_eq!(rules.rules(&Search::default(), within).unwrap().total, 0);
    assert!(
        rules
            .entity(EntityKind::Filter, "a", within)
            .unwrap()
            .is_none()
    );
    assert_eq!(rules.list_count("l", within).unwrap(), 0);
    assert!(rules.state("a", "p", within).unwrap().is_none());
    assert!(rules.watch(within).unwrap().is_empty());
}

fn rules_come_back_as_they_were(rules: &Rules) {
    let cancel = Arc::default();
    let within = within(&cancel);
    let one = rule("one", "Один");
    rules
        .create(&one, &Relations::default(), within)
        .unwrap()
        .unwrap();
    assert_eq!(rules.rule("one", within).unwrap().unwrap(), one);
    assert_eq!(rules.rule_named("Один", within).unwrap().unwrap(), one);
    assert_eq!(
        rules.rule("one", within).unwrap().unwrap().to_json(),
        one.to_json()
    );
    assert!(rules.rule_named("один", within).unwrap().is_none());
    assert!(rules.delete("one", within).unwrap());
    assert!(!rules.delete("one", within).unwrap());
    assert!(rules.rule("one", within).unwrap().is_none());
}

fn names_and_identifiers_are_used_once(rules: &Rules) {
    let cancel = Arc::default();
    let within = within(&cancel);
    let create = |rule: &Rule| rules.create(rule, &Relations::default(), within).unwrap();
    create(&rule("a", "A")).unwrap();
    create(&rule("b", "a")).unwrap();
    for (other, taken) in [
        (rule("c", "A"), vec!["name"]),
        (rule("a", "C"), vec!["id"]),
        (rule("a", "A"), vec!["name", "id"]),
    ] {
        assert_eq!(create(&other), Err(Refusal::Taken(taken)));
    }
    let rename = |to: &str| {
        let change = |before: &Rule| {
            let mut after = before.clone();
            after.name = to.to_string();
            Ok((after, Relations::default()))
        };
        rules.update("b", &change, within).unwrap()
    };
    assert_eq!(rename("A"), Err(Refusal::Taken(vec!["name"])));
    assert_eq!(rename("a").unwrap().name, "a");
    assert_eq!(rename("B").unwrap().name, "B");
    let entity = |id: &str, name: &str| {
        rules
            .create_entity(&entity(EntityKind::Finding, id, name), within)
            .unwrap()
    };
    entity("x", "X").unwrap();
    assert_eq!(entity("y", "X"), Err(Refusal::Taken(vec!["name"])));
    assert_eq!(entity("x", "Y"), Err(Refusal::Taken(vec!["id"])));
    // Another kind has names of its own.
    let module = self::entity(EntityKind::Module, "x", "X");
    rules.create_entity(&module, within).unwrap().unwrap();
    for (kind, id) in [(EntityKind::Finding, "x"), (EntityKind::Module, "x")] {
        assert!(rules.delete_entity(kind, id, within).unwrap());
        assert!(!rules.delete_entity(kind, id, within).unwrap());
    }
    for id in ["a", "b"] {
        rules.delete(id, within).unwrap();
    }
}

fn connections_become_what_is_said(rules: &Rules) {
    let cancel = Arc::default();
    let within = within(&cancel);
    for (kind, id) in [
        (EntityKind::Filter, "f1"),
        (EntityKind::Filter, "f2"),
        (EntityKind::Module, "m1"),
        (EntityKind::Finding, "n1"),
    ] {
        rules
            .create_entity(&entity(kind, id, id), within)
            .unwrap()
            .unwrap();
    }
    let with = |id: &str, relations: Json| {
        let mut body = body(id, id);
        body["_relations"] = relations;
        read(body)
    };
    let (rule, relations) = with(
        "r",
        json!({"filters": ["f2", "f1"], "modules": ["m1"], "finding": ["n1"]}),
    );
    rules.create(&rule, &relations, within).unwrap().unwrap();
    let connected = |relation| rules.connected("r", relation, within).unwrap();
    assert_eq!(connected(Relation::Filters), ["f2", "f1"]);
    assert_eq!(connected(Relation::Finding), ["n1"]);
    let modules = rules.entities_of("r", EntityKind::Module, within).unwrap();
    assert_eq!(modules, [entity_like(&modules[0], "m1")]);
    assert_eq!(
        rules.usage(EntityKind::Filter, "f1", within).unwrap()[0].rule,
        "r"
    );
    // What is not known is refused, and nothing is stored.
    let (other, relations) = with("s", json!({"filters": ["f1", "nope"], "modules": ["m2"]}));
    let Err(Refusal::Bad(reasons)) = rules.create(&other, &relations, within).unwrap() else {
        panic!();
    };
    let paths: Vec<&str> = reasons.iter().map(|one| one.path.as_str()).collect();
    assert_eq!(paths, ["_relations.filters.1", "_relations.modules.0"]);
    assert!(rules.rule("s", within).unwrap().is_none());
    // Absent: untouched; a list: exactly that; empty: nothing.
    let update = |relations: Json| {
        let body = json!({"_relations": relations});
        let change = |before: &Rule| making(|m| before.update(body.as_object().unwrap(), m));
        rules.update("r", &change, within).unwrap()
    };
    update(json!({"filters": ["f1"], "modules": []})).unwrap();
    assert_eq!(connected(Relation::Filters), ["f1"]);
    assert!(connected(Relation::Modules).is_empty());
    assert_eq!(connected(Relation::Finding), ["n1"]);
    assert!(update(json!({"filters": ["f1", "m1"]})).is_err());
    assert_eq!(connected(Relation::Filters), ["f1"]);
    // What goes takes its connections along.
    assert!(
        rules
            .delete_entity(EntityKind::Filter, "f1", within)
            .unwrap()
    );
    assert!(connected(Relation::Filters).is_empty());
    rules.delete("r", within).unwrap();
    assert!(
        rules
            .usage(EntityKind::Finding, "n1", within)
            .unwrap()
            .is_empty()
    );
    for (kind, id) in [
        (EntityKind::Filter, "f2"),
        (EntityKind::Module, "m1"),
        (EntityKind::Finding, "n1"),
    ] {
        rules.delete_entity(kind, id, within).unwrap();
    }
}

fn entity_like(found: &Entity, id: &str) -> Entity {
    Entity {
        trace_id: found.trace_id.clone(),
        ..entity(EntityKind::Module, id, id)
    }
}

fn changes_keep_what_is_counted(rules: &Rules) {
    let cancel = Arc::default();
    let within = within(&cancel);
    rules
        .create(&rule("r", "r"), &Relations::default(), within)
        .unwrap()
        .unwrap();
    let happened = |results, errors, running_at: Option<&str>| Happened {
        results,
        errors,
        running_at: running_at.map(str::to_string),
    };
    let stale = rules.rule("r", within).unwrap().unwrap();
    assert!(rules.note("r", &happened(3, 1, None), within).unwrap());
    assert!(rules.note("r", &happened(2, 4, None), within).unwrap());
    assert!(!rules.note("none", &happened(2, 4, None), within).unwrap());
    // Who changes a rule knows older counts; they do not come back.
    let change = |_: &Rule| {
        let mut after = stale.clone();
        after.description = "new".to_string();
        Ok((after, Relations::default()))
    };
    rules.update("r", &change, within).unwrap().unwrap();
    let after = rules.rule("r", within).unwrap().unwrap();
    let stats = Stats {
        result_count: 5,
        error_count: 5,
    };
    assert_eq!(
        (after.stats, after.is_error, after.description.as_str()),
        (stats, 5, "new")
    );
    let time = "2026-02-01T00:00:00Z";
    assert!(
        rules
            .note("r", &happened(0, 1, Some(time)), within)
            .unwrap()
    );
    let after = rules.rule("r", within).unwrap().unwrap();
    assert_eq!(
        (
            after.is_error,
            after.running_at.as_str(),
            after.stats.error_count
        ),
        (1, time, 6)
    );
    let none = rules.update("none", &change, within).unwrap();
    assert!(matches!(none, Err(Refusal::Missing(_))));
    // Many who change the same rule at once lose nothing.
    std::thread::scope(|scope| {
        for thread in 0..4 {
            scope.spawn(move || {
                let cancel = Arc::default();
                for round in 0..5 {
                    let change = |before: &Rule| {
                        let mut after = before.clone();
                        after.description.push_str(&format!(" {thread}{round}"));
                        Ok((after, Relations::default()))
                    };
                    rules
                        .update("r", &change, self::within(&cancel))
                        .unwrap()
                        .unwrap();
                }
            });
        }
    });
    let after = rules.rule("r", within).unwrap().unwrap();
    assert_eq!(after.description.split(' ').count(), 21);
    rules.delete("r", within).unwrap();
}

fn lists_have_pages_and_are_searched(rules: &Rules) {
    let cancel = Arc::default();
    let within = within(&cancel);
    for (id, name, active) in [
        ("3", "Straße 100%", true),
        ("1", "Подбор пароля", false),
        ("2", "under_score", true),
    ] {
        let mut rule = rule(id, name);
        rule.active = active;
        rules
            .create(&rule, &Relations::default(), within)
            .unwrap()
            .unwrap();
    }
    let find = |search: Search| {
        let page = rules.rules(&search, within).unwrap();
        (ids(&page.items).join(" "), page.total)
    };
    let text = |text: &str| Search {
        text: text.to_string(),
        ..Search::default()
    };
    assert_eq!(find(Search::default()), ("3 1 2".to_string(), 3));
    assert_eq!(find(text("ПОДБОР")), ("1".to_string(), 1));
    assert_eq!(find(text("überwacht")), ("3 1 2".to_string(), 3));
    assert_eq!(find(text("%")), ("3".to_string(), 1));
    assert_eq!(find(text("_")), ("2".to_string(), 1));
    assert_eq!(find(text("\\")), (String::new(), 0));
    find(text(&"%".repeat(100_000)));
    find(text("\0"));
    let page = |offset, limit| Search {
        offset,
        limit: Some(limit),
        ..Search::default()
    };
    assert_eq!(find(page(1, 1)), ("1".to_string(), 3));
    assert_eq!(find(page(5, 10)), (String::new(), 3));
    assert_eq!(find(page(-1, -1)), (String::new(), 3));
    let active = |active| Search {
        active: Some(active),
        retro: Some(false),
        ..Search::default()
    };
    assert_eq!(find(active(true)), ("3 2".to_string(), 2));
    assert!(rules.set_active("1", true, within).unwrap());
    assert!(!rules.set_active("9", true, within).unwrap());
    assert_eq!(find(active(false)), (String::new(), 0));
    for id in ["1", "2", "3"] {
        rules.delete(id, within).unwrap();
    }
    for name in ["b", "a"] {
        let filter = entity(EntityKind::Filter, name, name);
        rules.create_entity(&filter, within).unwrap().unwrap();
    }
    let filters = rules
        .entities(EntityKind::Filter, &page(0, 1), within)
        .unwrap();
    assert_eq!((filters.items[0].id.as_str(), filters.total), ("b", 2));
    for name in ["b", "a"] {
        rules
            .delete_entity(EntityKind::Filter, name, within)
            .unwrap();
    }
}

fn running_rules_learn_of_changes(rules: &Rules) {
    let cancel = Arc::default();
    let within = within(&cancel);
    let module = entity(EntityKind::Module, "m", "m");
    rules.create_entity(&module, within).unwrap().unwrap();
    let mut relations = Relations::default();
    relations.set(Relation::Modules, vec!["m".to_string()]);
    rules
        .create(&rule("r", "r"), &relations, within)
        .unwrap()
        .unwrap();
    let look = || rules.watch(within).unwrap();
    let first = look();
    assert_eq!(first.len(), 1);
    let change = |reload: bool| {
        let change = |before: &Rule| {
            let mut after = before.clone();
            after.reload = reload;
            after.lua.push('\n');
            Ok((after, Relations::default()))
        };
        rules.update("r", &change, within).unwrap().unwrap();
    };
    change(true);
    let second = look();
    assert!(second[0].revision > first[0].revision);
    change(false);
    assert_eq!(look(), second);
    rules.note("r", &Happened::default(), within).unwrap();
    assert_eq!(look(), second);
    let change = |before: &Entity| {
        let mut after = before.clone();
        after.program.push('\n');
        Ok(after)
    };
    rules
        .update_entity(EntityKind::Module, "m", &change, within)
        .unwrap()
        .unwrap();
    let third = look();
    assert!(third[0].parts > second[0].parts);
    rules.set_active("r", false, within).unwrap();
    assert!(look().is_empty());
    rules.set_active("r", true, within).unwrap();
    assert!(look()[0].revision > third[0].revision);
    let fourth = look();
    rules
        .delete_entity(EntityKind::Module, "m", within)
        .unwrap();
    assert!(look()[0].revision > fourth[0].revision);
    rules.delete("r", within).unwrap();
}

fn results_are_kept_and_belong_to_rules(rules: &Rules) {
    let cancel = Arc::default();
    let within = within(&cancel);
    let result = |id: &str, at: i64| NewResult {
        id: id.to_string(),
        rule: Some("r".to_string()),
        at,
        alert: json!({"template": "a\0b", "risk": 6.50}),
    };
    rules
        .create(&rule("r", "r"), &Relations::default(), within)
        .unwrap()
        .unwrap();
    let add = |results: Vec<NewResult>| rules.add_results(results, within).unwrap();
    assert_eq!(
        add(vec![result("1", 10), result("2", 20), result("1", 30)]),
        2
    );
    assert_eq!(add(vec![result("2", 10), result("3", 30)]), 1);
    let page = |offset, limit| {
        let page = rules.results("r", (offset, limit), within).unwrap();
        let ids: Vec<String> = page.items.iter().map(|one| one.id.clone()).collect();
        (ids.join(" "), page.total)
    };
    assert_eq!(page(0, 10), ("3 2 1".to_string(), 3));
    assert_eq!(page(1, 1), ("2".to_string(), 3));
    let all = rules.results("r", (2, 1), within).unwrap();
    assert_eq!(all.items, [result("1", 10)]);
    let connect = |ids: &[&str]| {
        let ids: Vec<String> = ids.iter().map(|id| id.to_string()).collect();
        let change = |before: &Rule| {
            let mut relations = Relations::default();
            relations.set(Relation::Results, ids.clone());
            Ok((before.clone(), relations))
        };
        rules.update("r", &change, within).unwrap()
    };
    connect(&["3"]).unwrap();
    assert_eq!(page(0, 10), ("3".to_string(), 1));
    connect(&["1", "3"]).unwrap();
    assert_eq!(
        rules.connected("r", Relation::Results, within).unwrap(),
        ["1", "3"]
    );
    assert!(connect(&["1", "4"]).is_err());
    assert_eq!(rules.results_clean(15, within).unwrap(), 1);
    connect(&[]).unwrap();
    assert_eq!(page(0, 10), (String::new(), 0));
    assert_eq!(rules.results_clean(i64::MAX, within).unwrap(), 2);
    rules.delete("r", within).unwrap();
}

fn table_lists_keep_cells(rules: &Rules) {
    let cancel = Arc::default();
    let within = within(&cancel);
    let id = || "table-id".to_string();
    let set = |key: &str, column: &str, value: Json, lifetime, now| {
        let text = value.as_str().map_or(value.to_string(), str::to_string);
        rules.list_set(
            "l|Список",
            key,
            column,
            (&value, &text),
            lifetime,
            &id,
            at(now, &cancel),
        )
    };
    set("k", "команда", json!("nmap"), None, NOW).unwrap();
    set("k", "a", json!(1.5), Some(60_000), NOW).unwrap();
    set("k", "команда", json!("nc"), None, NOW + 1).unwrap();
    set("j", "a", json!("1.5"), None, NOW).unwrap();
    let row = |key: &str, now| rules.list_row("l|Список", key, at(now, &cancel)).unwrap();
    let expected = ListRow {
        key: "k".to_string(),
        cells: json!({"команда": "nc", "a": 1.5})
            .as_object()
            .unwrap()
            .clone(),
        until: Some(NOW + 60_000),
    };
    assert_eq!(row("k", NOW + 59_999).unwrap(), expected);
    assert_eq!(row("k", NOW + 60_000), None);
    assert_eq!(row("nil", NOW), None);
    let search = |column: &str, text: &str, now| {
        rules
            .list_search("l|Список", column, text, at(now, &cancel))
            .unwrap()
    };
    assert_eq!(search("a", "1.5", NOW).as_deref(), Some("j"));
    assert_eq!(search("команда", "nc", NOW).as_deref(), Some("k"));
    assert_eq!(search("команда", "nmap", NOW), None);
    assert_eq!(search("команда", "nc", NOW + 60_000), None);
    let count = |now| rules.list_count("l|Список", at(now, &cancel)).unwrap();
    assert_eq!((count(NOW), count(NOW + 60_000)), (2, 1));
    // After its end a row begins anew.
    set("k", "b", json!(true), None, NOW + 70_000).unwrap();
    let again = row("k", NOW + 70_000).unwrap();
    assert_eq!((again.cells.len(), again.until), (1, None));
    let page = rules.list_rows("l|Список", (0, 1), within).unwrap();
    assert_eq!((page.items[0].key.as_str(), page.total), ("j", 2));
    // The list is an entity, made by the first cell.
    let table = rules
        .entity_named(EntityKind::Table, "l|Список", within)
        .unwrap()
        .unwrap();
    assert_eq!(table.id, "table-id");
    let rename = |before: &Entity| {
        let mut after = before.clone();
        after.name = "renamed".to_string();
        Ok(after)
    };
    rules
        .update_entity(EntityKind::Table, "table-id", &rename, within)
        .unwrap()
        .unwrap();
    assert_eq!(
        (count(NOW), rules.list_count("renamed", within).unwrap()),
        (0, 2)
    );
    assert!(rules.list_remove("renamed", "j", within).unwrap());
    assert!(!rules.list_remove("renamed", "j", within).unwrap());
    rules.list_clear("renamed", within).unwrap();
    assert_eq!(rules.list_count("renamed", within).unwrap(), 0);
    assert!(
        rules
            .delete_entity(EntityKind::Table, "table-id", within)
            .unwrap()
    );
    let code = |key: &str, column: &str| set(key, column, json!(1), None, NOW).unwrap_err().code;
    assert_eq!(code(&"k".repeat(1025), "c"), Code::ArgumentValue);
    assert_eq!(code("k\0", "c"), Code::ArgumentValue);
    assert_eq!(code("k", &"c".repeat(257)), Code::ArgumentValue);
    // The longest keys there may be, and texts that no index holds.
    let long = json!("x".repeat(64 << 10));
    set(&"ключ".repeat(128), &"c".repeat(256), long, Some(1), NOW).unwrap();
    assert_eq!(rules.lists_expire(at(NOW + 1, &cancel)).unwrap(), 1);
    let table = rules
        .entity_named(EntityKind::Table, "l|Список", within)
        .unwrap()
        .unwrap();
    rules
        .delete_entity(EntityKind::Table, &table.id, within)
        .unwrap();
}

fn states_are_kept(rules: &Rules) {
    let cancel = Arc::default();
    let within = within(&cancel);
    let bytes: Vec<u8> = (0..=255).collect();
    rules.save_state("r", "grouper1", vec![1], within).unwrap();
    rules
        .save_state("r", "grouper1", bytes.clone(), at(NOW + 5, &cancel))
        .unwrap();
    rules
        .save_state("r", "grouper2", Vec::new(), within)
        .unwrap();
    assert_eq!(
        rules.state("r", "grouper1", within).unwrap(),
        Some((NOW + 5, bytes))
    );
    assert_eq!(rules.state("s", "grouper1", within).unwrap(), None);
    let parts = |rule: &str, prefix: &str| {
        let states = rules.states(rule, prefix, within).unwrap().into_iter();
        states.map(|(part, ..)| part).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(parts("r", "grouper"), "grouper1 grouper2");
    assert_eq!(parts("r", "grouper2"), "grouper2");
    assert_eq!(parts("r", "grouper%"), "");
    assert_eq!(rules.forget_states("r", within).unwrap(), 2);
    assert_eq!(rules.state("r", "grouper1", within).unwrap(), None);
    // Many at once, and what is left of rules that are gone.
    rules
        .create(&rule("here", "here"), &Relations::default(), within)
        .unwrap()
        .unwrap();
    let state = |rule: &str| (rule.to_string(), "части".to_string(), vec![7]);
    rules
        .save_states(vec![state("here"), state("gone")], within)
        .unwrap();
    assert_eq!(
        (parts("here", "част"), parts("gone", "")),
        ("части".into(), "".into())
    );
    rules.save_state("gone", "p", vec![1], within).unwrap();
    assert_eq!(rules.sweep("here", within).unwrap(), 0);
    assert_eq!(rules.sweep("gone", within).unwrap(), 1);
    assert_eq!(
        (parts("here", "").as_str(), parts("gone", "").as_str()),
        ("части", "")
    );
    let result = |id: &str, rule: Option<&str>| NewResult {
        id: id.to_string(),
        rule: rule.map(str::to_string),
        at: 1,
        alert: json!({}),
    };
    let results = vec![
        result("kept", Some("here")),
        result("left", Some("gone")),
        result("nobody's", None),
    ];
    assert_eq!(rules.add_results(results, within).unwrap(), 2);
    let happened = Happened {
        results: 2,
        errors: 1,
        running_at: Some("2026-01-02T00:00:00Z".to_string()),
    };
    let all = ["here", "gone"].map(|rule| (rule.to_string(), happened.clone()));
    assert_eq!(rules.note_all(all.to_vec(), within).unwrap(), 1);
    assert_eq!(rules.note_all(Vec::new(), within).unwrap(), 0);
    assert_eq!(
        rules
            .rule("here", within)
            .unwrap()
            .unwrap()
            .stats
            .result_count,
        2
    );
    assert!(rules.delete("here", within).unwrap());
}

fn hostile_texts_stay_texts(rules: &Rules) {
    let cancel = Arc::default();
    let within = within(&cancel);
    let texts = [
        "'; DROP TABLE rule; --",
        "$1",
        "?1",
        "\\",
        "\u{10FFFF}",
        "a\u{301}",
        " x ",
        "NULL",
    ];
    for text in texts {
        let rule = rule(text, text);
        rules
            .create(&rule, &Relations::default(), within)
            .unwrap()
            .unwrap();
    }
    for text in texts {
        assert_eq!(rules.rule(text, within).unwrap().unwrap().name, text);
    }
    assert_eq!(
        rules.rules(&Search::default(), within).unwrap().total,
        texts.len() as i64
    );
    assert!(rules.rule("\0", within).unwrap().is_none());
    assert!(!rules.delete("\0", within).unwrap());
    assert!(!rules.set_active("\0", true, within).unwrap());
    for text in texts {
        assert!(rules.delete(text, within).unwrap());
    }
}

/// What rules see of table lists.
fn tables(rules: &Rules) {
    let cancel = Arc::default();
    let open = || {
        StoredTables::new(rules, &cancel, || {
            format!("t{:?}", std::time::Instant::now())
        })
    };
    let tables = open();
    let minute = Some(Duration::from_secs(60));
    assert_eq!(
        (
            tables.count("t", 0).unwrap(),
            tables.row("t", "k", 0).unwrap()
        ),
        (0, None)
    );
    assert_eq!(tables.search("t", "a", "1", 0).unwrap(), None);
    // What this process writes it sees at once, though it has just been told otherwise.
    tables.set("t", "k", "a", 1.into(), minute, 0).unwrap();
    tables.set("t", "k", "b", "x".into(), None, 10).unwrap();
    tables.set("t", "other", "a", "1".into(), None, 10).unwrap();
    assert_eq!(tables.cell("t", "k", "b", 0).unwrap(), Some("x".into()));
    assert_eq!(tables.row("t", "k", 59_999).unwrap().unwrap().len(), 2);
    assert_eq!(tables.search("t", "a", "1", 0).unwrap().unwrap(), "k");
    assert_eq!(
        tables.search("t", "a", "1", 60_000).unwrap().unwrap(),
        "other"
    );
    assert_eq!(tables.cell("t", "k", "a", 60_000).unwrap(), None);
    assert_eq!(
        (
            tables.count("t", 60_000).unwrap(),
            tables.count("t", 0).unwrap()
        ),
        (1, 2)
    );
    // Another process sees it, too.
    assert_eq!(open().cell("t", "other", "a", 0).unwrap(), Some("1".into()));
    assert!(tables.remove("t", "k").unwrap() && !tables.remove("t", "k").unwrap());
    assert_eq!(tables.row("t", "k", 0).unwrap(), None);
    tables.truncate("t").unwrap();
    assert_eq!(tables.search("t", "a", "1", 60_000).unwrap(), None);
    assert_eq!(tables.row("t", "other", 0).unwrap(), None);
    assert!(
        tables
            .set("t", &"k".repeat(5000), "c", 3.into(), None, 0)
            .is_err()
    );
    assert_eq!(tables.row("t", &"k".repeat(5000), 0).unwrap(), None);
    let table = rules
        .entity_named(EntityKind::Table, "t", within(&cancel))
        .unwrap()
        .unwrap();
    rules
        .delete_entity(EntityKind::Table, &table.id, within(&cancel))
        .unwrap();
}

/// Numbers that look like chance and are the same each time (SplitMix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((x ^ (x >> 31)) % end as u64) as usize
    }
}

/// Bodies that are wrong in every way: each is refused with a reason and leaves nothing, or is stored and comes back.
/// The store never fails.
pub fn hostile(rules: &Rules, bodies: usize) {
    let cancel = Arc::default();
    let within = within(&cancel);
    let values = [
        json!(null),
        json!(true),
        json!(-1),
        json!(1.5),
        json!(i64::MAX),
        json!(u64::MAX),
        json!(""),
        json!(" "),
        json!("a\u{0}b"),
        json!("\u{feff}\u{202e}\u{10ffff}"),
        json!("\u{65e5}".repeat(341)),
        json!("x".repeat(1 << 20)),
        json!("2023-12-20T00:00:01.652259Z"),
        json!([]),
        json!([{}]),
        json!({}),
        json!({"a": {"$numberLong": "1"}}),
        json!({"filters": ["x"]}),
    ];
    let mut dice = Dice(7);
    let (mut stored, mut refused) = (0, 0);
    for number in 0..bodies {
        let mut whole = body(&format!("h{number}"), &format!("h{number}"));
        let names: Vec<String> = whole.as_object().unwrap().keys().cloned().collect();
        for _ in 0..1 + dice.below(2) {
            let extra = [
                "_relations",
                "stats",
                "created_at",
                "trace_id",
                "is_error",
                "settings",
            ];
            let name = match dice.below(3) {
                0 => extra[dice.below(extra.len())].to_string(),
                _ => names[dice.below(names.len())].clone(),
            };
            whole[&name] = values[dice.below(values.len())].clone();
        }
        let mut bytes = whole.to_string().into_bytes();
        for _ in 0..[0, 0, 1, 3][dice.below(4)] {
            let at = dice.below(bytes.len());
            match dice.below(4) {
                0 => bytes[at] = dice.below(256) as u8,
                1 => drop(bytes.remove(at)),
                2 => bytes.insert(at, b"{}[]\",:\\0e-"[dice.below(11)]),
                _ => bytes.truncate(at.max(1)),
            }
        }
        let read = read_body(&bytes).and_then(|body| making(|making| Rule::create(&body, making)));
        let answer = read.and_then(|(rule, relations)| {
            rules
                .create(&rule, &relations, within)
                .unwrap()
                .map(|()| rule)
        });
        match answer {
            Ok(rule) => {
                assert_eq!(rules.rule(&rule.id, within).unwrap().unwrap(), rule);
                assert!(rules.delete(&rule.id, within).unwrap());
                stored += 1;
            }
            Err(refusal) => {
                assert!(matches!(refusal.status(), 400 | 409), "{refusal}");
                assert!(!refusal.to_string().is_empty());
                refused += 1;
            }
        }
        assert_eq!(rules.rules(&Search::default(), within).unwrap().total, 0);
    }
    assert!(
        stored > bodies / 20 && refused > bodies / 4,
        "{stored} stored, {refused} refused"
    );
}
