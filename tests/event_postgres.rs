//! Events in a real PostgreSQL: what every store must do, and what happens when connections break.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use stellar::config::Secretive;
use stellar::diagnostic::Code;
use stellar::event::query::Query;
use stellar::event::store::{Change, EventStore, Loaded, Postgres, Session};
use stellar::event::{COLUMNS, Events, Range, Row};
use stellar::store::postgres::{Failure, Kind};
use stellar::store::{Deadline, Within};
use support::postgres::{Own, ask, run, within};

fn main() {
    support::live::run(
        "STELLAR_TEST_POSTGRES",
        &[
            (
                "it_does_what_every_store_must_do",
                it_does_what_every_store_must_do,
            ),
            (
                "recorded_queries_agree_with_the_index_of_addresses",
                recorded_queries_agree_with_the_index_of_addresses,
            ),
            ("rows_come_back_as_they_were", rows_come_back_as_they_were),
            (
                "tables_and_indexes_are_those_of_mentat",
                tables_and_indexes_are_those_of_mentat,
            ),
            (
                "writing_creates_what_is_missing",
                writing_creates_what_is_missing,
            ),
            (
                "a_missing_extension_is_explained",
                a_missing_extension_is_explained,
            ),
            (
                "a_load_reports_what_it_leaves_out",
                a_load_reports_what_it_leaves_out,
            ),
            (
                "a_cursor_keeps_nothing_before_its_commit",
                a_cursor_keeps_nothing_before_its_commit,
            ),
            (
                "a_lost_connection_is_made_again",
                a_lost_connection_is_made_again,
            ),
            (
                "a_load_that_breaks_can_be_run_again",
                a_load_that_breaks_can_be_run_again,
            ),
            (
                "statements_end_with_their_time",
                statements_end_with_their_time,
            ),
            ("deadlocks_are_tried_again", deadlocks_are_tried_again),
            (
                "wrong_addresses_say_what_is_wrong",
                wrong_addresses_say_what_is_wrong,
            ),
            ("hostile_texts_stay_texts", hostile_texts_stay_texts),
            (
                "the_index_of_addresses_finds_the_same",
                the_index_of_addresses_finds_the_same,
            ),
            (
                "changed_tables_are_prepared_for_again",
                changed_tables_are_prepared_for_again,
            ),
            ("identifiers_are_quoted", identifiers_are_quoted),
            ("many_threads_share_a_pool", many_threads_share_a_pool),
        ],
    );
}

fn it_does_what_every_store_must_do(server: &str) {
    let kept = std::cell::RefCell::new(Vec::new());
    support::events::suite(|| {
        let own = Own::new(server);
        let events = Events::new(Arc::new(own.store.clone()));
        kept.borrow_mut().push(own);
        events
    });
}

fn recorded_queries_agree_with_the_index_of_addresses(server: &str) {
    let own = Own::new(server);
    own.write(|session| session.index_create().map(drop));
    own.store
        .address_index_create(within(&Arc::default()))
        .unwrap();
    support::events::recorded_queries_agree(&Events::new(Arc::new(own.store.clone())));
}

const T0: i64 = 1_767_225_600_000_000;

/// The nth of many events.
fn event(n: u32) -> Row {
    let low = 0x0a00_0000 | (n.wrapping_mul(2_654_435_761) >> 8);
    Row {
        id: format!("event-{n:06}"),
        detecttime: T0 + i64::from(n) * 1_000_001,
        category: vec!["Recon.Scanning".into(), "Test".into()],
        description: (!n.is_multiple_of(3)).then(|| format!("what {n} did")),
        source_ip: vec![Range::v4(low, low)],
        target_ip: vec![
            Range::net4(0xc000_0200 + n, 28).unwrap(),
            Range::net6(u128::from(n) << 64, 64).unwrap(),
        ],
        source_port: vec![],
        target_port: vec![22, 443, i64::from(n % 65536)],
        source_type: vec!["Botnet".into()],
        target_type: vec![],
        protocol: vec!["ssh".into(), "tcp".into()],
        node_name: vec!["org.example.probe".into()],
        node_type: vec!["Relay".into()],
        storagetime: Some(T0 + i64::from(n) * 1_000_000),
        resolvedabuses: vec!["abuse@example.org".into()],
        eventclass: Some("recon".into()),
        eventseverity: (!n.is_multiple_of(2)).then(|| "low".to_string()),
        inspectionerrors: vec![],
        event: Some(format!("{{\"ID\": \"event-{n:06}\"}}").into_bytes()),
    }
}

fn events(count: u32) -> Vec<Row> {
    (0..count).map(event).collect()
}

fn rows_come_back_as_they_were(server: &str) {
    let own = Own::new(server);
    let mut rows = events(3);
    rows[0].source_ip = [
        "0.0.0.0/0",
        "10.0.0.1-10.0.0.9",
        "::/0",
        "2001:db8::/32",
        "::1",
        "2001:db8::-2001:db8::5",
    ]
    .map(|text| Range::parse(text).unwrap())
    .to_vec();
    rows[0].source_port = vec![-5, 0, i64::from(i32::MAX)];
    rows[1] = Row {
        id: "little".into(),
        storagetime: Some(-1),
        detecttime: -62_135_596_800_000_000,
        ..Row::default()
    };
    rows[2].description = Some("\"quoted\", {braced}, \\ and 'single' – žluťoučký 🦀 %s $1".into());
    rows[2].category = vec![
        String::new(),
        "NULL".into(),
        "a,b".into(),
        "\"".into(),
        "\\".into(),
    ];
    rows[2].event = Some(vec![0, 255, 1]);
    own.insert(&rows[0]).unwrap();
    assert_eq!(own.load(&rows[1..]).stored, 2);
    for row in &rows {
        let found = own.read(|session| session.fetch(&row.id, COLUMNS)).unwrap();
        assert_eq!(&found.row, row);
    }
    assert!(
        own.read(|session| session.fetch("nobody", COLUMNS))
            .is_none()
    );
    let twice = own.insert(&rows[0]).unwrap_err();
    assert_eq!(twice.code, Code::EventIntegrity);
    assert!(twice.message.contains("events_pkey"), "{}", twice.message);
    // A time before all that the server knows passes the program's checks only.
    let late = Row {
        id: "late".into(),
        detecttime: i64::MIN / 2,
        ..event(9)
    };
    assert_eq!(own.insert(&late).unwrap_err().code, Code::EventData);
    own.write(|session| {
        assert!(session.delete("little")?);
        assert!(!session.delete("little")?);
        Ok(())
    });
    assert_eq!(own.count(&json!({})), 2);
}

fn tables_and_indexes_are_those_of_mentat(server: &str) {
    let own = Own::new(server);
    own.write(|session| {
        assert_eq!(session.index_create()?.len(), 19);
        assert_eq!(session.index_create()?, Vec::<String>::new());
        // Nothing is lost by doing it again.
        session.database_create()
    });
    let sql = "SELECT count(*) FROM pg_indexes WHERE schemaname = $1 AND indexdef LIKE '%USING gin (category, node_name, \
               protocol, source_port, target_port, source_type, target_type, node_type, cesnet_resolvedabuses, \
               cesnet_inspectionerrors)'";
    assert_eq!(ask(server, sql, &own.schema), 1);
    let sql = "SELECT count(*) FROM pg_indexes WHERE schemaname = $1 AND indexdef LIKE \
               '%USING btree (cesnet_eventseverity) WHERE (cesnet_eventseverity IS NOT NULL)'";
    assert_eq!(ask(server, sql, &own.schema), 1);
    let sql = "SELECT count(*) FROM pg_attribute WHERE attrelid = to_regclass($1 || '.events') AND attnum = 14 \
               AND attname = 'cesnet_storagetime' AND attnotnull";
    assert_eq!(ask(server, sql, &own.schema), 1);
    own.load(&events(50));
    let status = own.read(|session| session.database_status(false));
    assert_eq!(status.tables.len(), 13);
    let table = &status.tables["events"];
    assert_eq!(
        (table.dt_oldest, table.dt_newest),
        (Some(T0), Some(T0 + 49_000_000))
    );
    assert!(table.index_bytes > 0 && table.table_bytes > 0);
    assert_eq!(
        table.total_bytes,
        table.table_bytes + table.index_bytes + table.toast_bytes
    );
    assert_eq!(status.settings["server_encoding"], "UTF8");
    own.write(|session| {
        assert_eq!(session.index_drop()?.len(), 19);
        assert_eq!(session.index_drop()?, Vec::<String>::new());
        session.database_drop()?;
        session.database_drop()
    });
    let sql = "SELECT count(*) FROM pg_class WHERE relnamespace = $1::text::regnamespace";
    assert_eq!(ask(server, sql, &own.schema), 0);
}

fn writing_creates_what_is_missing(server: &str) {
    let own = Own::empty(server);
    let mut count = |session: &mut dyn Session| session.count(&Query::all()).map(drop);
    let fault = own
        .store
        .read(within(&Arc::default()), &mut count)
        .unwrap_err();
    assert_eq!(fault.code, Code::EventStorage);
    assert!(fault.help.unwrap().contains("event init"));
    own.insert(&event(1)).unwrap();
    assert_eq!(own.count(&json!({})), 1);
}

fn a_missing_extension_is_explained(server: &str) {
    let name = format!("bare_{}", std::process::id());
    run(server, &format!("CREATE DATABASE {name}"));
    let (front, _) = server.rsplit_once('/').unwrap();
    let store = Postgres::new(&Secretive::new(format!("{front}/{name}"))).unwrap();
    let create: Change = Box::new(|session| session.database_create());
    let fault = store.write(within(&Arc::default()), create).unwrap_err();
    store.close();
    std::thread::sleep(Duration::from_millis(100));
    run(server, &format!("DROP DATABASE {name} WITH (FORCE)"));
    assert_eq!(fault.code, Code::EventStorage);
    assert!(fault.message.contains("ip4r"), "{}", fault.message);
    assert!(fault.help.unwrap().contains("CREATE EXTENSION ip4r"));
}

fn a_load_reports_what_it_leaves_out(server: &str) {
    let own = Own::new(server);
    own.insert(&event(7)).unwrap();
    let mut rows = events(300);
    rows[20].description = Some("a\0b".into());
    rows[21].target_port = vec![1 << 31];
    rows[22].storagetime = None;
    rows[23] = rows[24].clone();
    // Only the server knows that it has no such time.
    rows[200].detecttime = i64::MIN / 2;
    rows[299].detecttime = i64::MIN / 2;
    let loaded = own.load(&rows);
    let refused: Vec<(usize, Code)> = loaded
        .refused
        .iter()
        .map(|(at, fault)| (*at, fault.code))
        .collect();
    let (data, integrity) = (Code::EventData, Code::EventIntegrity);
    assert_eq!(
        refused,
        [
            (20, data),
            (21, data),
            (22, integrity),
            (200, data),
            (299, data)
        ]
    );
    // One was there, and one stands twice.
    assert_eq!((loaded.stored, loaded.known), (293, 2));
    assert_eq!(own.count(&json!({})), 294);
    let again = own.load(&rows);
    assert_eq!(
        (again.stored, again.known, again.refused.len()),
        (0, 295, 5)
    );
}

fn a_cursor_keeps_nothing_before_its_commit(server: &str) {
    let own = Own::new(server);
    let cancel = Arc::default();
    let mut cursor = own.store.begin(within(&cancel)).unwrap();
    cursor
        .session(within(&cancel))
        .unwrap()
        .insert(&event(1))
        .unwrap();
    assert_eq!(own.count(&json!({})), 0);
    assert_eq!(
        cursor
            .session(within(&cancel))
            .unwrap()
            .count(&Query::all())
            .unwrap(),
        1
    );
    cursor.commit(within(&cancel)).unwrap();
    assert_eq!(own.count(&json!({})), 1);
    cursor
        .session(within(&cancel))
        .unwrap()
        .insert(&event(2))
        .unwrap();
    cursor.rollback(within(&cancel)).unwrap();
    cursor
        .session(within(&cancel))
        .unwrap()
        .insert(&event(3))
        .unwrap();
    // After a failure there is nothing to keep, and that is said.
    cursor
        .session(within(&cancel))
        .unwrap()
        .insert(&event(1))
        .unwrap_err();
    let fault = cursor.commit(within(&cancel)).unwrap_err();
    assert!(fault.message.contains("rolled back"), "{}", fault.message);
    cursor
        .session(within(&cancel))
        .unwrap()
        .insert(&event(4))
        .unwrap();
    own.break_connections();
    let fault = cursor
        .session(within(&cancel))
        .unwrap()
        .insert(&event(5))
        .unwrap_err();
    assert_eq!(fault.code, Code::EventStorage);
    // What was done before is gone, so going on silently would be wrong.
    assert!(
        cursor
            .session(within(&cancel))
            .unwrap()
            .insert(&event(5))
            .is_err()
    );
    assert!(cursor.commit(within(&cancel)).is_err());
    cursor
        .session(within(&cancel))
        .unwrap()
        .insert(&event(6))
        .unwrap();
    drop(cursor);
    assert_eq!(own.ids(&json!({})), ["event-000001"]);
}

fn a_lost_connection_is_made_again(server: &str) {
    let own = Own::new(server);
    for n in 0..3 {
        own.insert(&event(n)).unwrap();
        assert!(own.break_connections() > 0);
        assert_eq!(own.count(&json!({})), u64::from(n) + 1);
        own.break_connections();
    }
    own.insert(&event(3)).unwrap();
    // Lost in the middle of the work: it is done once more, and only once.
    let mut calls = 0;
    let (victim, schema) = (server.to_string(), own.schema.clone());
    let kill = move || {
        let sql = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = $1";
        ask(&victim, sql, &schema)
    };
    let kill_once = kill.clone();
    own.write(move |session| {
        calls += 1;
        session.insert(&event(10))?;
        if calls == 1 {
            kill_once();
        }
        session.insert(&event(11))
    });
    assert_eq!(own.count(&json!({})), 6);
    let fault = own.try_write(move |session| {
        session.insert(&event(12))?;
        kill();
        session.insert(&event(13))
    });
    assert_eq!(fault.unwrap_err().code, Code::EventStorage);
    assert_eq!(own.count(&json!({})), 6);
}

fn a_load_that_breaks_can_be_run_again(server: &str) {
    let own = Own::new(server);
    own.write(|session| session.index_create().map(drop));
    let rows = events(30_000);
    let mut broken = 0;
    std::thread::scope(|scope| {
        let loading = scope.spawn(|| {
            let mut sums = (0, 0, 0);
            for part in rows.chunks(3_000) {
                let part = part.to_vec();
                let loaded = Arc::new(parking_lot::Mutex::new(Loaded::default()));
                let filled = loaded.clone();
                let done = own.try_write(move |session| {
                    *filled.lock() = session.load(&part)?;
                    Ok(())
                });
                match done {
                    Ok(()) => {
                        let loaded = loaded.lock();
                        sums.0 += loaded.stored;
                        sums.1 += loaded.refused.len() + loaded.known as usize;
                    }
                    Err(fault) => {
                        assert_eq!(fault.code, Code::EventStorage, "{}", fault.message);
                        sums.2 += 1;
                    }
                }
            }
            sums
        });
        while !loading.is_finished() {
            broken += own.break_connections();
            std::thread::sleep(Duration::from_millis(150));
        }
        let (stored, refused, failed) = loading.join().unwrap();
        // A part that was stored although its connection was lost counts as stored.
        assert_eq!(refused, 0);
        assert_eq!(own.count(&json!({})), stored);
        assert_eq!(stored + failed * 3_000, 30_000);
    });
    assert!(broken > 1, "{broken} connections were lost");
    let again = own.load(&rows);
    assert_eq!(
        (again.stored + again.known, again.refused.len()),
        (30_000, 0)
    );
    assert_eq!(own.count(&json!({})), 30_000);
}

fn statements_end_with_their_time(server: &str) {
    let own = Own::new(server);
    let cancel = Arc::default();
    let mut locker = own.pool.session(within(&cancel)).unwrap();
    locker.begin();
    locker
        .execute(
            "LOCK TABLE events IN ACCESS EXCLUSIVE MODE",
            &[],
            within(&cancel),
        )
        .unwrap();
    let mut count = |session: &mut dyn Session| session.count(&Query::all()).map(drop);
    let begun = Instant::now();
    let soon = Within {
        deadline: Deadline::after(Duration::from_millis(200)),
        ..within(&cancel)
    };
    assert_eq!(
        own.store.read(soon, &mut count).unwrap_err().code,
        Code::Timeout
    );
    assert!(
        begun.elapsed() < Duration::from_secs(60),
        "{:?}",
        begun.elapsed()
    );
    let stop = Arc::new(AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(200));
            stop.store(true, Ordering::Relaxed);
        });
        let row = event(1);
        let insert: Change = Box::new(move |session| session.insert(&row));
        assert_eq!(
            own.store.write(within(&stop), insert).unwrap_err().code,
            Code::Interrupted
        );
    });
    // The server has ended them, too: nobody waits for the lock any more.
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1 AND wait_event_type = 'Lock'";
    let begun = Instant::now();
    while ask(server, waiting, &own.schema) > 0 {
        assert!(begun.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(20));
    }
    locker.rollback(within(&cancel)).unwrap();
    assert_eq!(own.count(&json!({})), 0);
}

fn deadlocks_are_tried_again(server: &str) {
    let own = Own::new(server);
    own.load(&events(2));
    let meet = Arc::new(std::sync::Barrier::new(2));
    std::thread::scope(|scope| {
        for turned in [false, true] {
            let (own, meet) = (&own, meet.clone());
            scope.spawn(move || {
                let mut first = true;
                own.write(move |session| {
                    let (one, other) = if turned { (1, 0) } else { (0, 1) };
                    session.delete(&event(one).id)?;
                    if std::mem::take(&mut first) {
                        meet.wait();
                    }
                    session.delete(&event(other).id)?;
                    session.insert(&event(one))?;
                    session.insert(&event(other))
                });
            });
        }
    });
    assert_eq!(own.count(&json!({})), 2);
}

fn wrong_addresses_say_what_is_wrong(server: &str) {
    let mut count = |session: &mut dyn Session| session.count(&Query::all()).map(drop);
    let mut fails = |address: &str| {
        let store = Postgres::new(&Secretive::new(address)).unwrap();
        store.read(within(&Arc::default()), &mut count).unwrap_err()
    };
    let (front, back) = server.split_once('@').unwrap();
    let password = front.rsplit(':').next().unwrap();
    let fault = fails(&format!("postgres://stellar:hunter2@{back}"));
    assert_eq!(fault.code, Code::EventStorage);
    assert!(
        fault.message.contains("password authentication failed"),
        "{}",
        fault.message
    );
    assert!(!fault.message.contains("hunter2"));
    let (place, _) = back.split_once('/').unwrap();
    let fault = fails(&format!("{front}@{place}/nowhere"));
    assert!(
        fault.message.contains("\"nowhere\" does not exist"),
        "{}",
        fault.message
    );
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let begun = Instant::now();
    let silent = fails(&format!("{front}@127.0.0.1:{port}/x?connect_timeout=1"));
    assert!(begun.elapsed() < Duration::from_secs(60));
    assert!(
        silent
            .message
            .contains(&format!("127.0.0.1:{port} does not answer")),
        "{}",
        silent.message
    );
    assert!(!silent.message.contains(password));
    drop(listener);
    let gone = fails(&format!("{front}@127.0.0.1:{port}/x"));
    assert!(gone.message.contains("does not answer"), "{}", gone.message);
    // The server of the tests knows no TLS.
    let tls = fails(&format!("{server}?sslmode=require"));
    assert!(
        tls.message.to_lowercase().contains("tls"),
        "{}",
        tls.message
    );
    let fault = fails("postgres://me:${STELLAR_NO_SUCH_SECRET}@127.0.0.1/x");
    assert_eq!(fault.code, Code::Secret);
}

fn hostile_texts_stay_texts(server: &str) {
    let own = Own::new(server);
    own.load(&events(10));
    let long = "x".repeat(200_000);
    let texts = [
        "'",
        "''",
        "\"",
        "\\",
        "\\'",
        "$1",
        "$$",
        "%",
        "_",
        "%s",
        "{}",
        "{a,b}",
        "NULL",
        "--",
        "/*",
        ";",
        "'; DROP TABLE events; --",
        "' OR '1'='1",
        "') OR TRUE --",
        "__EMPTY__ ",
        "\u{0}",
        "a\u{0}b",
        "\u{202e}",
        "🦀",
        "\n",
        "\r\n\t",
        long.as_str(),
        "1 OR 1=1",
        "0x1",
        "::1; DELETE FROM events",
        "192.0.2.1' --",
    ];
    let lists = [
        "source_addrs",
        "target_addrs",
        "host_addrs",
        "source_ports",
        "target_ports",
        "host_ports",
        "source_types",
        "target_types",
        "host_types",
        "detectors",
        "detector_types",
        "categories",
        "severities",
        "classes",
        "protocols",
        "groups",
        "inspection_errs",
    ];
    let plain = [
        "description",
        "dt_from",
        "dt_to",
        "st_from",
        "st_to",
        "sortby",
        "limit",
        "page",
    ];
    let mut asked = 0;
    for text in texts {
        let parameters = lists.iter().map(|name| json!({*name: [text]}));
        let negated = lists
            .iter()
            .map(|name| json!({*name: [text, "ssh"], format!("not_{name}"): true}));
        let plain = plain.iter().map(|name| json!({*name: text}));
        for parameters in parameters.chain(plain).chain(negated) {
            let Ok(query) = Query::from_json(&parameters) else {
                continue;
            };
            asked += 1;
            let mut counted = None;
            let mut ask = |session: &mut dyn Session| {
                counted = Some(session.count(&query)?);
                session.search(&query, COLUMNS, &mut |_| Ok(true))
            };
            let done = own.store.read(within(&Arc::default()), &mut ask);
            let sure = !parameters.to_string().contains("not_")
                && !parameters.to_string().contains("page");
            match done {
                // No event has such a text.
                Ok(()) if sure && !query.conditions.is_empty() => {
                    assert_eq!(counted, Some(0), "{parameters}")
                }
                Ok(()) => {}
                Err(fault) => assert_eq!(
                    fault.code,
                    Code::EventData,
                    "{parameters}: {}",
                    fault.message
                ),
            }
        }
        let text = text.to_string();
        let done = own.try_write(move |session| {
            assert!(session.fetch(&text, COLUMNS)?.is_none());
            assert!(!session.delete(&text)?);
            assert!(session.threshold_check(&text, 0)?.is_none());
            assert!(session.relapsed(&text, &text, 0, COLUMNS)?.is_empty());
            Ok(())
        });
        if let Err(fault) = done {
            assert_eq!(fault.code, Code::EventData, "{}", fault.message);
        }
    }
    assert!(asked > 700, "{asked}");
    assert_eq!(own.count(&json!({})), 10);
}

fn identifiers_are_quoted(server: &str) {
    let own = Own::new(server);
    own.load(&events(10));
    for (table, column) in [
        ("events; DROP TABLE events", "detecttime"),
        ("events", "detecttime < now() OR TRUE --"),
        ("events\" --", "detecttime"),
        ("pg_class\0", "x"),
        ("nope", "x"),
        ("events", "ctid"),
        ("events", "id"),
        ("EVENTS", "detecttime"),
    ] {
        let fault = own
            .try_write(move |session| session.table_cleanup(table, column, i64::MAX / 2).map(drop));
        let code = fault.unwrap_err().code;
        let expected = if table.contains('\0') {
            Code::EventData
        } else {
            Code::EventStorage
        };
        assert_eq!(code, expected, "{table} {column}");
    }
    run(
        server,
        &format!(
            "CREATE TABLE {}.\"Odd \"\" name\" (\"a b\" timestamp)",
            own.schema
        ),
    );
    run(
        server,
        &format!(
            "INSERT INTO {}.\"Odd \"\" name\" VALUES ('2020-01-01'), ('2030-01-01')",
            own.schema
        ),
    );
    own.write(|session| {
        assert_eq!(session.table_cleanup("Odd \" name", "a b", T0)?, 1);
        assert_eq!(
            session.table_cleanup("events", "detecttime", T0 + 3_000_003)?,
            3
        );
        Ok(())
    });
    assert_eq!(own.count(&json!({})), 7);
}

fn the_index_of_addresses_finds_the_same(server: &str) {
    let own = Own::new(server);
    let mut rows = Vec::new();
    let mut seed = 1u64;
    let mut random = |bound: u64| {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % bound
    };
    let mut range = |wide: u64| -> Range {
        // Close together, so that there is something to find; the ends of the space, too.
        let base = [0u32, 0x0a00_0000, 0x0a00_ff00, 0xffff_fff0][random(4) as usize];
        let low = base.wrapping_add(random(600) as u32);
        let six = 0x2001_0db8_u128 << 96 | u128::from(low) << [0, 16, 64, 80][random(4) as usize];
        match random(60) {
            0..6 => Range::net4(low, random(wide) as u32 + 33 - wide as u32).unwrap(),
            6..12 => Range::v4(low, low.saturating_add(random(70_000) as u32)),
            12..18 => Range::net6(six, 128 - random(100) as u32).unwrap(),
            18..24 => Range::v6(
                six,
                six.saturating_add(u128::from(random(1 << 20)) << random(60)),
            ),
            24..30 => Range::v6(six, six),
            30 => [
                Range::net4(0, 0).unwrap(),
                Range::net6(0, 0).unwrap(),
                Range::v6(u128::MAX - 5, u128::MAX),
            ][random(3) as usize],
            _ => Range::v4(low, low),
        }
    };
    for n in 0..2_000 {
        let mut row = event(n);
        row.source_ip = (0..n % 4).map(|_| range(33)).collect();
        row.target_ip = (0..n % 3).map(|_| range(17)).collect();
        rows.push(row);
    }
    own.load(&rows);
    let asked: Vec<serde_json::Value> = (0..300)
        .map(|n| {
            let one = range(33).to_string();
            let two = range(17).to_string();
            match n % 4 {
                0 => json!({"source_addrs": [one]}),
                1 => json!({"target_addrs": [one, two]}),
                2 => json!({"host_addrs": [one], "protocols": ["ssh"]}),
                _ => json!({"source_addrs": [one], "target_addrs": [two], "severities": ["low"]}),
            }
        })
        .collect();
    let plain: Vec<Vec<String>> = asked.iter().map(|parameters| own.ids(parameters)).collect();
    let (few, many) = (
        plain.iter().filter(|ids| ids.len() < 30),
        plain.iter().filter(|ids| ids.len() > 300),
    );
    let (few, many) = (few.count(), many.count());
    assert!(few > 20 && many > 20, "{few} {many}");
    own.store
        .address_index_create(within(&Arc::default()))
        .unwrap();
    own.store
        .address_index_create(within(&Arc::default()))
        .unwrap();
    // Whoever writes, the index knows.
    let late = Row {
        id: "late".into(),
        source_ip: vec![Range::parse("198.51.100.7").unwrap()],
        ..event(1)
    };
    own.insert(&late).unwrap();
    for (parameters, plain) in asked.iter().zip(&plain) {
        let found: Vec<String> = own
            .ids(parameters)
            .into_iter()
            .filter(|id| id != "late")
            .collect();
        assert_eq!(&found, plain, "{parameters}");
        let late_counts = own.count(parameters) - plain.len() as u64;
        assert!(late_counts <= 1);
    }
    assert!(has_late(&own));
    let sql = "SELECT idx_scan FROM pg_stat_user_indexes WHERE schemaname = $1 \
               AND indexrelname = 'events_stellar_addresses_idx'";
    let begun = Instant::now();
    own.store.close();
    while ask(server, sql, &own.schema) == 0 {
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "the index was never used"
        );
        std::thread::sleep(Duration::from_millis(100));
    }
    own.write(|session| {
        assert_eq!(session.index_drop()?, ["events_stellar_addresses_idx"]);
        Ok(())
    });
    assert!(has_late(&own));
    own.store
        .address_index_create(within(&Arc::default()))
        .unwrap();
    // Another program takes the index away.
    assert!(has_late(&own));
    run(
        server,
        &format!("DROP FUNCTION {}.stellar_address_keys CASCADE", own.schema),
    );
    assert!(has_late(&own));
}

fn has_late(own: &Own) -> bool {
    let found = own.ids(&json!({"source_addrs": ["198.51.100.0/24"]}));
    found.contains(&"late".to_string())
}

fn changed_tables_are_prepared_for_again(server: &str) {
    let own = Own::new(server);
    own.load(&events(3));
    assert_eq!(own.ids(&json!({})).len(), 3);
    run(
        server,
        &format!(
            "ALTER TABLE {}.events ALTER COLUMN id TYPE varchar(60)",
            own.schema
        ),
    );
    for _ in 0..10 {
        assert_eq!(own.ids(&json!({})).len(), 3);
    }
}

fn many_threads_share_a_pool(server: &str) {
    let own = Own::new(server);
    std::thread::scope(|scope| {
        for thread in 0..20 {
            let own = &own;
            scope.spawn(move || {
                for n in 0..10 {
                    own.insert(&event(thread * 100 + n)).unwrap();
                }
            });
        }
    });
    assert_eq!(own.count(&json!({})), 200);
    let open = "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1";
    assert!(ask(server, open, &own.schema) <= 8);
    let cancel = Arc::default();
    let held: Vec<_> = (0..8)
        .map(|_| own.pool.session(within(&cancel)).unwrap())
        .collect();
    let soon = Within {
        deadline: Deadline::after(Duration::from_millis(100)),
        ..within(&cancel)
    };
    match own.pool.session(soon).err().unwrap() {
        Failure::Fault(fault) => assert_eq!(fault.code, Code::Timeout),
        other => panic!("{other:?}"),
    }
    drop(held);
    let mut session = own.pool.session(within(&cancel)).unwrap();
    let failure = session
        .query("SELECT 1/0", &[], within(&cancel))
        .unwrap_err();
    assert_eq!(failure.kind(), Some(Kind::Data));
}
