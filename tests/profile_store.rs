//! Measurements in the embedded file: what every store must do, and what only this one does.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use stellar::diagnostic::Code;
use stellar::eval::Value;
use stellar::eval::text::to_text;
use stellar::profile::measurement::Measurement;
use stellar::profile::period::Period;
use stellar::profile::store::{Filter, Place, ProfileStore, Query, Reason};
use stellar::profile::{Embedded, PROFILE};
use stellar::store::{Deadline, Store};
use support::profiles::{NOW, QUARTER, at, grouped, measurement, query, suite};
use tempfile::TempDir;

/// A store with the folder that it lies in.
struct Own {
    store: Embedded,
    file: Store,
    _folder: TempDir,
}

impl std::ops::Deref for Own {
    type Target = Embedded;

    fn deref(&self) -> &Embedded {
        &self.store
    }
}

fn open(path: &Path) -> (Embedded, Store) {
    let file = Store::new(path, &[&PROFILE]);
    (Embedded::new(&file), file)
}

fn own() -> Own {
    let folder = TempDir::new().unwrap();
    let (store, file) = open(&folder.path().join("s.db"));
    Own {
        store,
        file,
        _folder: folder,
    }
}

fn write(store: &Embedded, measurements: &[Measurement]) {
    store
        .write(&Place::default(), measurements, at(NOW, &Arc::default()))
        .unwrap();
}

fn read(store: &Embedded, query: &Query, now: i64) -> String {
    let found = store.read(query, at(now, &Arc::default())).unwrap();
    let texts = found
        .into_iter()
        .map(|v| v.map_or("-".into(), |v| to_text(&v).to_string()));
    texts.collect::<Vec<String>>().join(" ")
}

fn why(store: &Embedded, query: &Query) -> Vec<Reason> {
    store
        .explain_empty(query, at(NOW, &Arc::default()))
        .unwrap()
}

fn sentences(reasons: &[Reason]) -> Vec<String> {
    reasons.iter().map(Reason::to_string).collect()
}

#[test]
fn it_does_what_every_store_must_do() {
    let folder = TempDir::new().unwrap();
    let count = std::cell::Cell::new(0);
    suite(|| {
        count.set(count.get() + 1);
        open(&folder.path().join(format!("{}.db", count.get()))).0
    });
}

#[test]
fn what_expires_is_gone() {
    support::profiles::what_expires_is_gone(&own().store);
}

#[test]
fn reading_listing_and_removing_make_no_file() {
    let own = own();
    let cancel = Arc::default();
    let all = Filter::default();
    assert_eq!(read(&own, &query("p", "e", [1]), NOW), "-");
    assert_eq!(own.profiles(&all, at(NOW, &cancel)).unwrap(), []);
    assert_eq!(own.list(&all, 10, at(NOW, &cancel)).unwrap(), []);
    assert_eq!(own.delete(&all, at(NOW, &cancel)).unwrap(), 0);
    assert_eq!(why(&own, &query("p", "e", [1])), [Reason::NothingStored]);
    write(&own, &[]);
    assert!(!own.file.path().exists());
}

#[test]
fn tables_families_and_lengths_of_periods_are_apart() {
    let own = own();
    write(&own, &[measurement("p", "e", 5, Value::Int(1))]);
    let ask = |change: &dyn Fn(&mut Query)| {
        let mut query = query("p", "e", [5]);
        change(&mut query);
        (
            read(&own, &query, NOW),
            sentences(&why(&own, &query)).join("; "),
        )
    };
    assert_eq!(ask(&|_| ()), ("1".into(), String::new()));
    let (found, reason) = ask(&|q| q.place.table = "other".into());
    assert_eq!(found, "-");
    assert_eq!(
        reason,
        "it was written in table profiler, not other (profiler.client.hbase.table)"
    );
    let (found, reason) = ask(&|q| q.place.family = "Q".into());
    assert_eq!(found, "-");
    assert_eq!(
        reason,
        "it was written in column family P, not Q (profiler.client.hbase.column.family)"
    );
    let (found, reason) = ask(&|q| q.place.divisor = 7);
    assert_eq!(found, "-");
    assert_eq!(
        reason,
        "it was written with the salt divisor 1000, not 7 (profiler.client.salt.divisor)"
    );
    let (found, reason) = ask(&|q| q.periods[0].duration = 3_600_000);
    assert_eq!(found, "-");
    assert_eq!(
        reason,
        "it was written in periods of 15 minutes, and these are of 1 hour \
         (profiler.client.period.duration, profiler.client.period.duration.units)"
    );
    // Both wrong: both are said.
    let (_, reason) = ask(&|q| {
        q.place.divisor = 7;
        q.periods[0].duration = 60_000;
    });
    assert!(
        reason.contains("salt divisor") && reason.contains("of 1 minute"),
        "{reason}"
    );
}

#[test]
fn an_empty_answer_is_explained() {
    let own = own();
    let groups = [Value::text("weekends"), Value::Int(3)];
    write(
        &own,
        &[
            measurement("logins", "alice", 100, Value::Int(1)),
            measurement("logins", "alice", 200, Value::Int(1)),
            grouped(measurement("logins", "bob", 100, Value::Int(1)), &groups),
            measurement("bytes", "10.0.0.1", 100, Value::Int(1)),
        ],
    );
    let why = |query: &Query| sentences(&why(&own, query)).join("; ");
    assert_eq!(why(&query("logins", "alice", [100])), "");
    assert_eq!(
        why(&query("logins", "alice", [])),
        "the list of periods is empty"
    );
    assert_eq!(
        why(&query("login", "alice", [100])),
        "there is no profile login; did you mean logins?"
    );
    assert_eq!(
        why(&query("zzz", "alice", [100])),
        "there is no profile zzz; there are, for instance, bytes, logins"
    );
    assert_eq!(
        why(&query("logins", "alcie", [100])),
        "profile logins has nothing about 'alcie'; did you mean alice?"
    );
    assert_eq!(
        why(&query("logins", "10.9.9.9", [100])),
        "profile logins has nothing about '10.9.9.9'; there are, for instance, alice, bob"
    );
    assert_eq!(
        why(&query("logins", "bob", [100])),
        "it was measured in the groups [weekends, 3], not in []"
    );
    assert_eq!(
        why(&query("logins", "alice", [101, 199])),
        "it was measured at times from 1970-01-02T01:00:00Z to 1970-01-03T02:15:00Z, \
         and asked for were periods from 1970-01-02T01:15:00Z to 1970-01-03T02:00:00Z"
    );
}

#[test]
fn what_has_expired_is_removed_and_its_series_with_it() {
    let own = own();
    let mut batch: Vec<Measurement> = (0..25_000)
        .map(|n| {
            let mut one = measurement("p", &format!("e{}", n % 5), n, Value::Int(1));
            one.expires = Some(1);
            one
        })
        .collect();
    batch.push(measurement("p", "e1", 30_000, Value::Int(2)));
    write(&own, &batch);
    let day = 86_400_000;
    let expire = |now| {
        own.file
            .expire(now, Deadline::NONE, &Arc::default())
            .unwrap()
    };
    let names = |now| {
        let cancel = Arc::default();
        let found = own.list(&Filter::default(), 100, at(now, &cancel)).unwrap();
        found
            .into_iter()
            .map(|s| s.entity.to_string())
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(expire(NOW + day), [("profile", 0)]);
    assert_eq!(names(NOW + day), "e0 e1 e2 e3 e4");
    // Nobody sees them any more, even before they are removed.
    assert_eq!(names(NOW + day + 1), "e1");
    let late = at(NOW + day + 1, &Arc::default()).now;
    assert_eq!(
        own.explain_empty(&query("p", "e0", [0]), at(late, &Arc::default()))
            .unwrap(),
        [Reason::Expired]
    );
    assert_eq!(expire(late), [("profile", 25_000)]);
    assert_eq!(expire(late), [("profile", 0)]);
    assert_eq!(read(&own, &query("p", "e1", [1, 30_000]), late), "- 2");
    let rows = own.file.check().unwrap().tables;
    let rows = |table: &str| rows.iter().find(|(name, _)| name == table).unwrap().1;
    assert_eq!(
        (rows("profile_series"), rows("profile_measurement")),
        (1, 1)
    );
}

#[test]
fn listing_tells_profiles_and_series() {
    let own = own();
    let cancel = Arc::default();
    let within = at(NOW, &cancel);
    let groups = [Value::text("a"), Value::Double(1.5)];
    write(
        &own,
        &[
            measurement("p", "e", 3, Value::Int(1)),
            measurement("p", "e", 9, Value::Int(1)),
            measurement("p", "e2", 5, Value::Int(1)),
            grouped(measurement("p", "e", 4, Value::Int(1)), &groups),
        ],
    );
    let elsewhere = Place {
        table: "t".into(),
        ..Place::default()
    };
    let hourly = Measurement {
        period: Period {
            number: 1,
            duration: 4 * QUARTER,
        },
        ..measurement("q", "e", 0, Value::Int(1))
    };
    own.store.write(&elsewhere, &[hourly], within).unwrap();
    let profiles = own.profiles(&Filter::default(), within).unwrap();
    let told: Vec<String> = profiles
        .iter()
        .map(|p| {
            format!(
                "{} {} {} {}",
                p.place.table,
                p.profile,
                p.duration,
                p.series.unwrap()
            )
        })
        .collect();
    assert_eq!(told, ["profiler p 900000 3", "t q 3600000 1"]);
    let list = |filter: Filter, most| {
        let found = own.list(&filter, most, within).unwrap();
        let tell = found.iter().map(|s| {
            format!(
                "{} [{}] {}-{}",
                s.entity,
                s.groups.join(","),
                s.first.number,
                s.last.number
            )
        });
        tell.collect::<Vec<_>>().join("; ")
    };
    let of = |entity: Option<&str>, groups: Option<&[Value]>| Filter {
        profile: Some("p".into()),
        entity: entity.map(Into::into),
        groups: groups.map(<[Value]>::to_vec),
        place: None,
    };
    assert_eq!(
        list(of(None, None), 9),
        "e [] 3-9; e2 [] 5-5; e [a,1.5] 4-4"
    );
    assert_eq!(list(of(None, None), 2), "e [] 3-9; e2 [] 5-5");
    assert_eq!(list(of(Some("e"), None), 9), "e [] 3-9; e [a,1.5] 4-4");
    assert_eq!(list(of(Some("e"), Some(&[])), 9), "e [] 3-9");
    assert_eq!(list(of(Some("e"), Some(&groups)), 9), "e [a,1.5] 4-4");
    assert_eq!(list(of(Some("ea"), None), 9), "");

    assert_eq!(
        own.delete(&of(Some("e"), Some(&groups)), within).unwrap(),
        1
    );
    assert_eq!(list(of(None, None), 9), "e [] 3-9; e2 [] 5-5");
    assert_eq!(own.delete(&of(Some("e"), None), within).unwrap(), 2);
    assert_eq!(list(of(None, None), 9), "e2 [] 5-5");
    assert_eq!(own.delete(&of(None, None), within).unwrap(), 1);
    let left = own.profiles(&Filter::default(), within).unwrap();
    assert_eq!(
        left.iter().map(|p| p.profile.as_str()).collect::<Vec<_>>(),
        ["q"]
    );
}

#[test]
fn what_is_meant_comes_before_what_has_the_same_row() {
    let own = own();
    write(
        &own,
        &[
            measurement("p", "ge1", 1, Value::Int(1)),
            measurement("pg", "e1", 1, Value::Int(2)),
            measurement("pg", "e1", 2, Value::Int(3)),
        ],
    );
    assert_eq!(read(&own, &query("p", "ge1", [1, 2]), NOW), "1 3");
    assert_eq!(read(&own, &query("pg", "e1", [1, 2]), NOW), "2 3");
}

#[test]
fn a_damaged_value_says_whose_it_is() {
    let own = own();
    write(&own, &[measurement("p", "e", 1, Value::Int(1))]);
    own.file
        .write(&PROFILE, Deadline::NONE, &AtomicBool::new(false), |conn| {
            Ok(conn.execute("UPDATE profile_measurement SET value = x'ff'", [])?)
        })
        .unwrap();
    let fault = own
        .store
        .read(&query("p", "e", [1]), at(NOW, &Arc::default()))
        .unwrap_err();
    assert_eq!(fault.code, Code::DamagedValue);
    assert!(format!("{fault:?}").contains("period 1"), "{fault:?}");
}

/// Not a test: what the other processes do.
#[test]
#[ignore = "runs only as a child of another test"]
fn child() {
    let (Ok(path), Ok(name)) = (
        std::env::var("STELLAR_TEST_PATH"),
        std::env::var("STELLAR_TEST_NAME"),
    ) else {
        return;
    };
    let (store, _) = open(Path::new(&path));
    for number in 0..50 {
        let batch: Vec<Measurement> = (0..20)
            .map(|entity| measurement("p", &format!("{name}{entity}"), number, Value::Long(number)))
            .chain([measurement("p", "shared", number, Value::text(&name))])
            .collect();
        write(&store, &batch);
    }
}

#[test]
fn processes_share_the_file() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("s.db");
    let start = |name: &str| {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child", "--ignored"])
            .env("STELLAR_TEST_PATH", &path)
            .env("STELLAR_TEST_NAME", name)
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap()
    };
    let mut children = ["a", "b"].map(start);
    let (store, file) = open(&path);
    let own: Vec<Measurement> = (0..50)
        .map(|n| measurement("p", "mine", n, Value::Long(n)))
        .collect();
    own.iter()
        .for_each(|one| write(&store, std::slice::from_ref(one)));
    for child in &mut children {
        assert!(child.wait().unwrap().success());
    }
    let numbers: Vec<String> = (0..50).map(|n| n.to_string()).collect();
    for entity in ["a0", "a19", "b0", "b19", "mine"] {
        assert_eq!(
            read(&store, &query("p", entity, 0..50), NOW),
            numbers.join(" ")
        );
    }
    let shared = read(&store, &query("p", "shared", 0..50), NOW);
    assert!(shared.split(' ').all(|v| v == "a" || v == "b"), "{shared}");
    let series = store
        .profiles(&Filter::default(), at(NOW, &Arc::default()))
        .unwrap();
    assert_eq!(
        series.iter().map(|p| p.series).collect::<Vec<_>>(),
        [Some(42)]
    );
    assert_eq!(file.check().unwrap().problems, Vec::<String>::new());
}
