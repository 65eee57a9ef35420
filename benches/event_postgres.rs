//! How fast events go into a real PostgreSQL and come out again: `cargo bench --bench event_postgres`.
//!
//! STELLAR_TEST_POSTGRES says where the server is; without it nothing is measured. STELLAR_BENCH_EVENTS is the number
//! of events of the large table (1,000,000 unless set).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use serde_json::json;
use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};
use stellar::config::Secretive;
use stellar::event::query::Query;
use stellar::event::store::{Change, EventStore, Postgres, Session};
use stellar::event::{COLUMNS, Range, Row};
use stellar::store::postgres::Pool;
use stellar::store::{Deadline, Within};

fn main() {
    let Ok(server) = std::env::var("STELLAR_TEST_POSTGRES") else {
        println!("skipped: STELLAR_TEST_POSTGRES names no server");
        return;
    };
    let many = std::env::var("STELLAR_BENCH_EVENTS").map_or(1_000_000, |n| n.parse().unwrap());
    sql(&server, "DROP SCHEMA IF EXISTS bench CASCADE");
    sql(&server, "CREATE SCHEMA bench");
    let address = format!("{server}?options=-csearch_path%3Dbench%2Cpublic");
    let store = Postgres::new(&Secretive::new(&address)).unwrap();
    write(&store, |session| {
        session.database_create()?;
        session.index_create().map(drop)
    });
    single(&store);
    write(&store, |session| {
        session.delete_events(&Query::all()).map(drop)
    });
    sql(&address, "VACUUM ANALYZE events");

    load(&store, 0, 20_000, "load of 20,000 events, all indexes");
    sql(&address, "VACUUM ANALYZE events");
    queries(&store, &address, "20,000 events");
    load(&store, 20_000, many, "load of the rest, all indexes");
    let begun = Instant::now();
    store.address_index_create(within(&Arc::default())).unwrap();
    println!("index of addresses made in {:.1?}", begun.elapsed());
    load(
        &store,
        many,
        many + 20_000,
        "load of 20,000 events more, with the index of addresses",
    );
    sql(&address, "VACUUM ANALYZE events");
    queries(&store, &address, "all events, with the index of addresses");
    single(&store);
    sql(&server, "DROP SCHEMA bench CASCADE");
}

/// Inserts with a commit each, on one connection and on eight.
fn single(store: &Postgres) {
    static NEXT: AtomicU32 = AtomicU32::new(50_000_000);
    for threads in [1u32, 8] {
        let each = 4_000 / threads;
        let begun = Instant::now();
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    for _ in 0..each {
                        let row = event(NEXT.fetch_add(1, Ordering::Relaxed));
                        write(store, move |session| session.insert(&row));
                    }
                });
            }
        });
        let rate = f64::from(each * threads) / begun.elapsed().as_secs_f64();
        println!("insert with a commit each, {threads} connections: {rate:.0} events/s");
    }
}

fn load(store: &Postgres, from: u32, to: u32, what: &str) {
    let mut spent = Duration::ZERO;
    for start in (from..to).step_by(5_000) {
        let rows: Vec<Row> = (start..(start + 5_000).min(to)).map(event).collect();
        let begun = Instant::now();
        write(store, move |session| {
            assert!(session.load(&rows)?.refused.is_empty());
            Ok(())
        });
        spent += begun.elapsed();
    }
    println!(
        "{what}: {:.0} events/s",
        f64::from(to - from) / spent.as_secs_f64()
    );
}

fn queries(store: &Postgres, address: &str, what: &str) {
    let net = json!(["10.77.7.0/24"]);
    let newest = json!({"sortby": "detecttime.desc", "limit": 100});
    let of_net = json!({"source_addrs": net, "sortby": "detecttime.desc", "limit": 100});
    let counted = json!({"source_addrs": net});
    let category =
        json!({"categories": ["Attempt.Login"], "sortby": "detecttime.desc", "limit": 100});
    println!("{what}:");
    for (name, parameters) in [
        ("newest 100", &newest),
        ("newest 100 of a /24", &of_net),
        ("newest 100 of a category", &category),
    ] {
        let query = Query::from_json(parameters).unwrap();
        let mut rows = 0;
        let time = median(|| {
            let mut search = |session: &mut dyn Session| {
                rows = 0;
                session.search(&query, COLUMNS, &mut |record| {
                    rows += 1;
                    black_box(record);
                    Ok(true)
                })
            };
            store.read(within(&Arc::default()), &mut search).unwrap();
        });
        println!(
            "  {name}: {time:.2?} ({rows} rows); the server alone {:.2?}",
            server_alone(address, &query)
        );
    }
    for (name, parameters) in [("count of a /24", &counted), ("count of all", &json!({}))] {
        let query = Query::from_json(parameters).unwrap();
        let mut found = 0;
        let time = median(|| {
            let mut count = |session: &mut dyn Session| {
                found = session.count(&query)?;
                Ok(())
            };
            store.read(within(&Arc::default()), &mut count).unwrap();
        });
        println!("  {name}: {time:.2?} ({found})");
    }
}

/// The plain SQL of a search, as text, by a client that looks at nothing.
fn server_alone(address: &str, query: &Query) -> Duration {
    let pool = Pool::new(&Secretive::new(address)).unwrap();
    let cancel = Arc::default();
    let text = query
        .sql(stellar::event::query::Kind::Select(COLUMNS))
        .mogrify();
    median(|| {
        pool.run(within(&cancel), |session, _| {
            session.each(&text, &[], within(&cancel), |_| Ok(true))
        })
        .unwrap();
    })
}

fn median(mut work: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..31)
        .map(|_| {
            let begun = Instant::now();
            work();
            begun.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[times.len() / 2]
}

fn within(cancel: &Arc<AtomicBool>) -> Within<'_> {
    Within {
        now: 0,
        deadline: Deadline::NONE,
        cancel,
    }
}

fn write(
    store: &Postgres,
    work: impl FnMut(&mut dyn Session) -> stellar::diagnostic::Outcome<()> + Send + 'static,
) {
    let work: Change = Box::new(work);
    store.write(within(&Arc::default()), work).unwrap();
}

fn sql(server: &str, text: &str) {
    let pool = Pool::new(&Secretive::new(server)).unwrap();
    let cancel = Arc::default();
    pool.run(within(&cancel), |session, _| {
        session.execute(text, &[], within(&cancel))
    })
    .unwrap();
}

/// The nth of many events: some 700 bytes of message, one or two sources out of 4,000 networks.
fn event(n: u32) -> Row {
    let random = |salt: u32| {
        n.wrapping_mul(2_654_435_761)
            .wrapping_add(salt)
            .wrapping_mul(0x85eb_ca6b)
            >> 7
    };
    let categories = [
        "Recon.Scanning",
        "Attempt.Login",
        "Attempt.Exploit",
        "Malware",
        "Abusive.Spam",
        "Other",
    ];
    let source = |salt| {
        let net = random(salt) % 4_000;
        let low = 0x0a00_0000 + ((net % 250) << 16) + ((net / 250) << 8) + random(salt + 1) % 256;
        Range::v4(low, low)
    };
    let sources: Vec<Range> = (0..1 + u32::from(n.is_multiple_of(5)))
        .map(|k| source(k * 7))
        .collect();
    let target = Range::net4(0xc000_0200 + random(3) % 65_536, 28 + random(4) % 5).unwrap();
    let category = categories[(random(5) % 6) as usize];
    let group = format!("abuse@customer{}.example.org", random(6) % 50);
    let detecttime = 1_767_225_600_000_000 + i64::from(n) * 90_000;
    let shown: Vec<String> = sources.iter().map(Range::to_string).collect();
    let message = json!({
        "Category": [category], "ConnCount": random(8) % 1000, "DetectTime": "2026-01-01T00:00:00Z",
        "Description": format!("What the sensor saw, number {n}"), "Format": "IDEA0", "ID": format!("bench-{n:012}"),
        "Node": [{"Name": "org.example.probe.dionaea", "SW": ["Dionaea"], "Type": ["Connection", "Honeypot"]}],
        "Note": "x".repeat(200), "Source": [{"IP4": shown, "Port": [random(9) % 65_536], "Proto": ["tcp", "ssh"]}],
        "Target": [{"IP4": [target.to_string()], "Port": [22], "Proto": ["tcp", "ssh"]}],
        "_CESNET": {"EventClass": "anomaly", "EventSeverity": "low", "ResolvedAbuses": [group], "StorageTime": "2026-01-01T00:00:01Z"},
    });
    Row {
        id: format!("bench-{n:012}"),
        detecttime,
        category: vec![category.into()],
        description: Some(format!("What the sensor saw, number {n}")),
        source_ip: sources,
        target_ip: vec![target],
        source_port: vec![i64::from(random(9) % 65_536)],
        target_port: vec![22],
        source_type: vec![],
        target_type: vec![],
        protocol: vec!["ssh".into(), "tcp".into()],
        node_name: vec!["org.example.probe.dionaea".into()],
        node_type: vec!["Connection".into(), "Honeypot".into()],
        storagetime: Some(detecttime + 1_000_000),
        resolvedabuses: vec![group],
        eventclass: Some("anomaly".into()),
        eventseverity: Some("low".into()),
        inspectionerrors: vec![],
        event: Some(message.to_string().into_bytes()),
    }
}
