//! Rules in a real PostgreSQL: what every store must do, and what happens when tables or connections are not there.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::sync::Arc;
use std::time::Duration;
use stellar::config::Secretive;
use stellar::diagnostic::Code;
use stellar::rule::active::{Fleet, Keep, Manner, Metrics, Which};
use stellar::rule::event::Event;
use stellar::rule::model::Relations;
use stellar::rule::store::{Postgres, Rules, Search};
use support::postgres::{Own, ask, run};
use support::rules::{hostile, rule, suite, within};

fn main() {
    support::live::run(
        "STELLAR_TEST_POSTGRES",
        &[
            (
                "it_does_what_every_store_must_do",
                it_does_what_every_store_must_do,
            ),
            (
                "hostile_bodies_are_refused_or_come_back",
                hostile_bodies_are_refused_or_come_back,
            ),
            ("looking_creates_no_tables", looking_creates_no_tables),
            (
                "dropped_tables_are_made_again",
                dropped_tables_are_made_again,
            ),
            (
                "a_lost_connection_is_made_again",
                a_lost_connection_is_made_again,
            ),
            (
                "the_same_name_is_stored_once_by_many",
                the_same_name_is_stored_once_by_many,
            ),
            (
                "rules_run_on_while_connections_are_lost",
                rules_run_on_while_connections_are_lost,
            ),
            (
                "wrong_addresses_say_what_is_wrong",
                wrong_addresses_say_what_is_wrong,
            ),
        ],
    );
}

fn open(own: &Own) -> Rules {
    Rules::new(Arc::new(Postgres::new(&Secretive::new(&own.address))))
}

fn tables(own: &Own) -> i64 {
    let sql = "SELECT count(*) FROM pg_tables WHERE schemaname = $1";
    ask(&own.server, sql, &own.schema)
}

fn it_does_what_every_store_must_do(server: &str) {
    let own = Own::empty(server);
    let rules = open(&own);
    suite(&rules);
    rules.close();
}

fn hostile_bodies_are_refused_or_come_back(server: &str) {
    let own = Own::empty(server);
    let rules = open(&own);
    hostile(&rules, 200);
    rules.close();
}

fn looking_creates_no_tables(server: &str) {
    let own = Own::empty(server);
    let rules = open(&own);
    let cancel = Arc::default();
    assert_eq!(
        rules
            .rules(&Search::default(), within(&cancel))
            .unwrap()
            .total,
        0
    );
    assert!(rules.rule("a", within(&cancel)).unwrap().is_none());
    assert_eq!(tables(&own), 0);
    let relations = Relations::default();
    rules
        .create(&rule("a", "A"), &relations, within(&cancel))
        .unwrap()
        .unwrap();
    assert_eq!(tables(&own), 7);
    rules.close();
}

fn dropped_tables_are_made_again(server: &str) {
    let own = Own::empty(server);
    let rules = open(&own);
    let cancel = Arc::default();
    let create = |id: &str| {
        let stored = rules.create(&rule(id, id), &Relations::default(), within(&cancel));
        stored.unwrap().unwrap();
    };
    create("a");
    for table in ["rule", "rule_entity", "rule_link"] {
        run(server, &format!("DROP TABLE {}.{table}", own.schema));
    }
    assert!(rules.rule("a", within(&cancel)).unwrap().is_none());
    create("b");
    assert!(rules.rule("b", within(&cancel)).unwrap().is_some());
    rules.close();
}

fn a_lost_connection_is_made_again(server: &str) {
    let own = Own::empty(server);
    let rules = open(&own);
    let cancel = Arc::default();
    for id in ["a", "b", "c"] {
        let stored = rules.create(&rule(id, id), &Relations::default(), within(&cancel));
        stored.unwrap().unwrap();
        assert!(own.break_connections() > 0);
        assert!(rules.rule(id, within(&cancel)).unwrap().is_some());
        own.break_connections();
    }
    rules.close();
}

fn the_same_name_is_stored_once_by_many(server: &str) {
    let own = Own::empty(server);
    let rules = open(&own);
    let stored: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|thread| {
                let rules = &rules;
                scope.spawn(move || {
                    let cancel = Arc::default();
                    let rule = rule(&format!("r{thread}"), "same");
                    let answer = rules.create(&rule, &Relations::default(), within(&cancel));
                    usize::from(answer.unwrap().is_ok())
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .sum()
    });
    assert_eq!(stored, 1);
    rules.close();
}

fn rules_run_on_while_connections_are_lost(server: &str) {
    let own = Own::empty(server);
    let rules = open(&own);
    let cancel = Arc::default();
    let mut one = rule("r", "R");
    one.lua = "local s = storage.new('seen')
        local function many(d) alert({template = #d.aggregatedData.loglines .. ' ' .. s:get('k', 'c')}) end
        local g = grouper.new({}, {}, '', '1h', many)
        function on_logline(e) if e:get('n') == 0 then s:set('k', 'c', 'set') end g:feed(e) end"
        .to_string();
    one.settings = serde_json::json!({"function_metrics": true});
    let created = rules.create(&one, &Relations::default(), within(&cancel));
    created.unwrap().unwrap();
    let mut context = stellar::engine::Engine::bare().context;
    context.services.add(Arc::new(rules.clone()));
    let manner = Manner {
        keep: Keep::Store,
        save: Duration::from_millis(20),
        reload: Duration::from_millis(20),
        ..Manner::default()
    };
    let mut events = 0;
    for round in 0..3 {
        let fleet = Fleet::start(&context, Which::Active, manner.clone()).unwrap();
        for batch in 0..10 {
            let lines = (0..5).map(|n| format!(r#"{{"n":{}}}"#, events + n));
            let lines = lines.map(|line| Event::read(line.as_bytes()).unwrap());
            let done = fleet.run(lines.collect()).unwrap();
            let wanted = (1..=5).map(|n| format!("{} set", events + n));
            let raised = done.raised.iter().map(|one| one.alert.text.clone());
            assert!(raised.eq(wanted), "{round} {batch} {done:?}");
            events += 5;
            if batch % 4 == round {
                own.break_connections();
            }
        }
        let left = fleet.end();
        assert!(
            left.iter()
                .all(|text| !text.contains("could not be stored")),
            "{left:?}"
        );
    }
    let page = rules.results("r", (0, 10), within(&cancel)).unwrap();
    assert_eq!(page.total, i64::from(events));
    let stats = rules.rule("r", within(&cancel)).unwrap().unwrap().stats;
    assert_eq!(
        (stats.result_count, stats.error_count),
        (i64::from(events), 0)
    );
    let metrics = Metrics::stored(&rules, "r", within(&cancel)).unwrap();
    assert_eq!(metrics[0].2.functions[0].calls, 50);
    rules.close();
}

fn wrong_addresses_say_what_is_wrong(_: &str) {
    let cancel = Arc::default();
    let ask = |address: &str| {
        let rules = Rules::new(Arc::new(Postgres::new(&Secretive::new(address))));
        (rules.rule("a", within(&cancel)).unwrap_err(), rules.place())
    };
    let (fault, place) = ask("postgres://u:secret@127.0.0.1:1/d");
    assert_eq!(fault.code, Code::ServerFailed);
    assert!(!format!("{fault:?} {place}").contains("secret"));
    assert!(place.contains("127.0.0.1"), "{place}");
    let (fault, _) = ask("postgres://u:${STELLAR_NO_SUCH}@127.0.0.1:1/d");
    assert_eq!(fault.code, Code::Secret);
    let (fault, _) = ask("postgres://");
    assert_ne!(fault.code, Code::Internal);
}
