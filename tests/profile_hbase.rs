//! Measurements in a real HBase: what every store must do, the bytes of its rows, and what happens when it breaks.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use hbase_thrift::hbase::{BatchMutation, HbaseSyncClient, Mutation, THbaseSyncClient, TScan};
use std::collections::BTreeMap;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use stellar::config::Secretive;
use stellar::diagnostic::{Code, Outcome};
use stellar::eval::Value;
use stellar::eval::text::to_text;
use stellar::functions::kryo;
use stellar::profile::PROFILE;
use stellar::profile::measurement::Measurement;
use stellar::profile::row_key::row_key;
use stellar::profile::store::hbase::Made;
use stellar::profile::store::{
    Filter, Place, ProfileStore, Query, Reason, Series, Spooled, StoredProfile, Within,
};
use stellar::store::Store;
use support::hbase::{Gate, killed_in_the_middle};
use support::profiles::{NOW, QUARTER, at, grouped, measurement, query, suite};
use support::{Dice, Home};
use tempfile::TempDir;
use thrift::protocol::{TBinaryInputProtocol, TBinaryOutputProtocol};
use thrift::transport::{TBufferedReadTransport, TBufferedWriteTransport, TIoChannel, TTcpChannel};

fn main() {
    support::live::run(
        "STELLAR_TEST_HBASE",
        &[
            (
                "it_does_what_every_store_must_do",
                it_does_what_every_store_must_do,
            ),
            ("a_table_is_made_once", a_table_is_made_once),
            (
                "rows_hold_the_bytes_of_metron",
                rows_hold_the_bytes_of_metron,
            ),
            ("rows_of_metron_are_read", rows_of_metron_are_read),
            (
                "the_server_forgets_what_expires",
                the_server_forgets_what_expires,
            ),
            (
                "series_are_told_apart_by_who_asks",
                series_are_told_apart_by_who_asks,
            ),
            ("nothing_found_is_explained", nothing_found_is_explained),
            (
                "only_certain_rows_are_removed",
                only_certain_rows_are_removed,
            ),
            (
                "tables_that_are_missing_keep_nothing_back",
                tables_that_are_missing_keep_nothing_back,
            ),
            ("many_threads_share_a_store", many_threads_share_a_store),
            (
                "servers_with_frames_are_served",
                servers_with_frames_are_served,
            ),
            (
                "a_killed_server_loses_and_doubles_nothing",
                a_killed_server_loses_and_doubles_nothing,
            ),
            ("the_commands_know_the_server", the_commands_know_the_server),
            (
                "apply_that_was_killed_and_run_again_is_as_run_once",
                apply_that_was_killed_and_run_again_is_as_run_once,
            ),
            (
                "late_events_are_merged_into_rows_of_the_server",
                late_events_are_merged_into_rows_of_the_server,
            ),
        ],
    );
}

/// A table's name of this run's own.
fn name() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!(
        "t{}_{}",
        std::process::id(),
        NEXT.fetch_add(1, Ordering::Relaxed)
    )
}

/// A store whose default table is one of its own.
struct Own {
    store: Spooled,
    place: Place,
    file: Store,
    folder: TempDir,
    raw: String,
}

impl Own {
    /// A store of a new table; `raw` is the server, by which the table is removed.
    fn at(address: &str, raw: &str) -> Own {
        let folder = TempDir::new().unwrap();
        let file = Store::new(&folder.path().join("s.db"), &[&PROFILE]);
        let store = Spooled::new(&Secretive::new(address), &file, QUARTER);
        let place = Place {
            table: name().into(),
            ..Place::default()
        };
        assert_eq!(
            store
                .create_table(&place, at(NOW, &Arc::default()))
                .unwrap(),
            Made::New
        );
        Own {
            store,
            place,
            file,
            folder,
            raw: raw.to_string(),
        }
    }

    fn new(server: &str) -> Own {
        Own::at(&format!("hbase://{server}"), server)
    }

    fn here(&self, place: &Place) -> Place {
        let table = if place.table == Place::default().table {
            self.place.table.clone()
        } else {
            place.table.clone()
        };
        Place {
            table,
            ..place.clone()
        }
    }

    fn query(&self, query: &Query) -> Query {
        Query {
            place: self.here(&query.place),
            ..query.clone()
        }
    }

    fn filter(&self, filter: &Filter) -> Filter {
        Filter {
            place: Some(self.here(filter.place.as_ref().unwrap_or(&Place::default()))),
            ..filter.clone()
        }
    }

    fn put(&self, measurements: &[Measurement]) {
        ProfileStore::write(
            self,
            &Place::default(),
            measurements,
            at(NOW, &Arc::default()),
        )
        .unwrap();
    }

    fn get(&self, query: &Query) -> String {
        let found = ProfileStore::read(self, query, at(NOW, &Arc::default())).unwrap();
        let texts = found
            .into_iter()
            .map(|v| v.map_or("-".into(), |v| to_text(&v).to_string()));
        texts.collect::<Vec<String>>().join(" ")
    }
}

impl ProfileStore for Own {
    fn write(
        &self,
        place: &Place,
        measurements: &[Measurement],
        within: Within<'_>,
    ) -> Outcome<()> {
        self.store.write(&self.here(place), measurements, within)
    }
    fn read(&self, query: &Query, within: Within<'_>) -> Outcome<Vec<Option<Value>>> {
        self.store.read(&self.query(query), within)
    }
    fn profiles(&self, filter: &Filter, within: Within<'_>) -> Outcome<Vec<StoredProfile>> {
        self.store.profiles(&self.filter(filter), within)
    }
    fn list(&self, filter: &Filter, most: usize, within: Within<'_>) -> Outcome<Vec<Series>> {
        self.store.list(&self.filter(filter), most, within)
    }
    fn delete(&self, filter: &Filter, within: Within<'_>) -> Outcome<usize> {
        self.store.delete(&self.filter(filter), within)
    }
    fn explain_empty(&self, query: &Query, within: Within<'_>) -> Outcome<Vec<Reason>> {
        self.store.explain_empty(&self.query(query), within)
    }
    fn notices(&self) -> Vec<String> {
        self.store.notices()
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let mut raw = Raw::new(&self.raw);
        let table = self.place.table.as_bytes().to_vec();
        let _ = raw.0.disable_table(table.clone());
        let _ = raw.0.delete_table(table);
    }
}

type Reading =
    TBinaryInputProtocol<TBufferedReadTransport<thrift::transport::ReadHalf<TTcpChannel>>>;
type Writing =
    TBinaryOutputProtocol<TBufferedWriteTransport<thrift::transport::WriteHalf<TTcpChannel>>>;

/// The table as it is, without anything of ours between.
struct Raw(HbaseSyncClient<Reading, Writing>);

impl Raw {
    fn new(server: &str) -> Raw {
        let mut channel = TTcpChannel::new();
        channel.open(server).unwrap();
        let (reading, writing) = channel.split().unwrap();
        Raw(HbaseSyncClient::new(
            TBinaryInputProtocol::new(TBufferedReadTransport::new(reading), true),
            TBinaryOutputProtocol::new(TBufferedWriteTransport::new(writing), true),
        ))
    }

    fn put(&mut self, table: &str, key: &[u8], value: &[u8]) {
        let change = Mutation::new(false, b"P:value".to_vec(), value.to_vec(), None);
        let rows = vec![BatchMutation::new(key.to_vec(), vec![change])];
        self.0
            .mutate_rows(table.as_bytes().to_vec(), rows, BTreeMap::new())
            .unwrap();
    }

    /// All rows: key, column, value.
    fn all(&mut self, table: &str) -> Vec<(Vec<u8>, Vec<u8>, Vec<u8>)> {
        let scan = TScan {
            start_row: None,
            stop_row: None,
            timestamp: None,
            columns: None,
            caching: Some(1_000),
            filter_string: None,
            batch_size: None,
            sort_columns: None,
            reversed: None,
            cache_blocks: None,
        };
        let id = self
            .0
            .scanner_open_with_scan(table.as_bytes().to_vec(), scan, BTreeMap::new())
            .unwrap();
        let mut found = Vec::new();
        loop {
            let rows = self.0.scanner_get_list(id, 5_000).unwrap();
            if rows.is_empty() {
                self.0.scanner_close(id).unwrap();
                return found;
            }
            for row in rows {
                for (column, cell) in row.columns.unwrap() {
                    found.push((row.row.clone().unwrap(), column, cell.value.unwrap()));
                }
            }
        }
    }

    /// How many versions of a cell there are.
    fn versions(&mut self, table: &str, key: &[u8]) -> usize {
        let table = table.as_bytes().to_vec();
        self.0
            .get_ver(
                table,
                key.to_vec(),
                b"P:value".to_vec(),
                10,
                BTreeMap::new(),
            )
            .unwrap()
            .len()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(digits: &str) -> Vec<u8> {
    let digits: String = digits.split_whitespace().collect();
    let byte = |at: usize| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).unwrap();
    (0..digits.len() / 2).map(byte).collect()
}

/// The vectors of single values: what they are and their bytes.
fn vectors() -> Vec<(String, Vec<u8>)> {
    let text = std::fs::read_to_string("tests/conformance/profiler/kryo_values.txt").unwrap();
    let read = |line: &str| {
        let (front, _) = line.rsplit_once("<-").unwrap();
        let (what, digits) = front.rsplit_once(']').unwrap();
        (what.to_string(), unhex(digits))
    };
    text.lines().map(read).collect()
}

fn it_does_what_every_store_must_do(server: &str) {
    suite(|| Own::new(server));
}

fn a_table_is_made_once(server: &str) {
    let own = Own::new(server);
    let cancel = Arc::default();
    let within = at(NOW, &cancel);
    assert_eq!(
        own.store.create_table(&own.place, within).unwrap(),
        Made::There
    );
    let other = Place {
        family: "Q".into(),
        ..own.place.clone()
    };
    let fault = own.store.create_table(&other, within).unwrap_err();
    assert!(
        fault.message.contains("without the column family Q"),
        "{}",
        fault.message
    );
    let health = own
        .store
        .examine(&own.place, Duration::from_secs(5), within)
        .unwrap();
    assert!(health.table && health.families == ["P"], "{health:?}");
    let nowhere = Place {
        table: name().into(),
        ..Place::default()
    };
    assert!(
        !own.store
            .examine(&nowhere, Duration::from_secs(5), within)
            .unwrap()
            .table
    );
}

fn rows_hold_the_bytes_of_metron(server: &str) {
    let own = Own::new(server);
    let groups = [
        Value::Int(3),
        Value::Double(8080.0),
        Value::Bool(true),
        Value::Null,
        Value::List(stellar::eval::collections::List::array(vec![
            Value::Int(1),
            Value::Int(2),
        ])),
    ];
    let one = |profile, entity, groups: &[Value]| {
        grouped(
            measurement(profile, entity, 1_669_628, Value::Int(1)),
            groups,
        )
    };
    own.put(&[
        one("profile", "entity", &[]),
        one("profile", "entity", &[Value::text("weekends")]),
        one("p", "e", &groups),
        measurement("p\u{e9}", "e\u{20ac}", 1, Value::Int(1)),
    ]);
    let mut raw = Raw::new(server);
    let mut found: Vec<String> = raw
        .all(&own.place.table)
        .into_iter()
        .map(|(key, column, value)| {
            assert_eq!(
                (column.as_slice(), hex(&value).as_str()),
                (&b"P:value"[..], "0202")
            );
            hex(&key)
        })
        .collect();
    let recorded =
        std::fs::read_to_string("tests/conformance/profiler/profile_client_outputs.txt").unwrap();
    let mut wanted: Vec<String> = recorded
        .lines()
        .filter(|line| line.starts_with("key "))
        .filter_map(|line| line.rsplit(' ').next().map(String::from))
        .collect();
    assert_eq!(wanted.len(), 4);
    found.sort();
    wanted.sort();
    assert_eq!(found, wanted);

    // Every recorded value that has a kind of its own goes back as it came.
    let own = Own::new(server);
    let same: Vec<(Value, Vec<u8>)> = vectors()
        .into_iter()
        .filter_map(|(_, bytes)| Some((kryo::read(&bytes).ok()?, bytes)))
        .filter(|(value, bytes)| kryo::write(value, 1 << 20).is_ok_and(|written| written == *bytes))
        .collect();
    assert!(same.len() > 20, "{}", same.len());
    let rows: Vec<Measurement> = (0..)
        .zip(&same)
        .map(|(number, (value, _))| measurement("v", "e", number, value.clone()))
        .collect();
    own.put(&rows);
    let rows: BTreeMap<Vec<u8>, Vec<u8>> = raw
        .all(&own.place.table)
        .into_iter()
        .map(|(key, _, value)| (key, value))
        .collect();
    for (number, (_, bytes)) in (0..).zip(&same) {
        let key = row_key(1000, "v", "e", "", number).unwrap();
        assert_eq!(hex(&rows[&key]), hex(bytes), "{number}");
    }
}

fn rows_of_metron_are_read(server: &str) {
    let own = Own::new(server);
    let mut raw = Raw::new(server);
    let vectors = vectors();
    for (number, (_, bytes)) in (0..).zip(&vectors) {
        raw.put(
            &own.place.table,
            &row_key(1000, "real", "classes", "weekends3", number).unwrap(),
            bytes,
        );
    }
    let mut wanted = query("real", "classes", 0..vectors.len() as i64);
    wanted.groups = vec![Value::text("weekends"), Value::Int(3)];
    let found = ProfileStore::read(&own, &wanted, at(NOW, &Arc::default())).unwrap();
    assert_eq!(found.len(), vectors.len());
    for (found, (what, bytes)) in found.into_iter().zip(&vectors) {
        assert_eq!(
            to_text(&found.unwrap()),
            to_text(&kryo::read(bytes).unwrap()),
            "{what}"
        );
    }
    // The text that the vectors give for a value is what is read.
    assert_eq!(
        own.get(&Query {
            periods: wanted.periods[2..3].to_vec(),
            ..wanted
        }),
        "1"
    );
}

fn the_server_forgets_what_expires(server: &str) {
    let own = Own::new(server);
    let days = |number, expires| Measurement {
        expires: Some(expires),
        ..measurement("ex", "e", number, Value::Int(1))
    };
    own.put(&[
        days(1, 1),
        days(2, i64::MAX),
        days(3, -1),
        measurement("ex", "e", 4, Value::Int(1)),
    ]);
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(own.get(&query("ex", "e", 1..5)), "1 1 - 1");
    // One that waited in the spool for all but two seconds of its day.
    let cancel = Arc::default();
    let missing = Place {
        table: name().into(),
        ..Place::default()
    };
    let day = 86_400_000;
    own.store
        .write(&missing, &[days(1, 1), days(2, 2)], at(NOW, &cancel))
        .unwrap();
    own.store.create_table(&missing, at(NOW, &cancel)).unwrap();
    let drained = own.store.drain(at(NOW + day - 2_000, &cancel)).unwrap();
    assert_eq!((drained.written, drained.fault.is_none()), (2, true));
    let read = || {
        let query = Query {
            place: missing.clone(),
            ..query("ex", "e", [1, 2])
        };
        let found = own.store.read(&query, at(NOW, &cancel)).unwrap();
        found.iter().filter(|value| value.is_some()).count()
    };
    let started = Instant::now();
    assert_eq!(read(), 2);
    while read() == 2 {
        assert!(started.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(
        started.elapsed() > Duration::from_secs(1),
        "{:?}",
        started.elapsed()
    );
    assert_eq!(read(), 1);
    let mut raw = Raw::new(server);
    raw.0
        .disable_table(missing.table.as_bytes().to_vec())
        .unwrap();
    raw.0
        .delete_table(missing.table.as_bytes().to_vec())
        .unwrap();
}

fn profile(name: &str) -> Filter {
    Filter {
        profile: Some(name.into()),
        ..Filter::default()
    }
}

fn entity(name: &str, entity: &str) -> Filter {
    Filter {
        entity: Some(entity.into()),
        ..profile(name)
    }
}

fn series_are_told_apart_by_who_asks(server: &str) {
    let own = Own::new(server);
    let cancel = Arc::default();
    let within = at(NOW, &cancel);
    let weekend = [Value::text("weekends")];
    own.put(&[
        measurement("web", "10.0.0.1", 7, Value::Int(1)),
        measurement("web", "10.0.0.1", 90, Value::Int(1)),
        grouped(measurement("web", "10.0.0.1", 8, Value::Int(1)), &weekend),
        measurement("web", "a", 5, Value::Int(1)),
        measurement("wea", "a", 5, Value::Int(1)),
    ]);
    let list = |filter: &Filter, most| {
        let found = own.list(filter, most, within).unwrap();
        let text = |s: Series| {
            format!(
                "{} {} {:?} {}-{}",
                s.profile, s.entity, s.groups, s.first.number, s.last.number
            )
        };
        found.into_iter().map(text).collect::<Vec<_>>()
    };
    let all = [
        "web 10.0.0.1 [] 7-90",
        // Where the entity ends is not in the row.
        "web 10.0.0.1weekends [] 8-8",
        "web a [] 5-5",
    ];
    assert_eq!(list(&profile("web"), 10), all);
    assert_eq!(list(&profile("web"), 2), all[..2]);
    assert_eq!(
        list(&entity("web", "10.0.0.1"), 10),
        ["web 10.0.0.1 [] 7-90", "web 10.0.0.1 [\"weekends\"] 8-8"]
    );
    let grouped = Filter {
        groups: Some(weekend.to_vec()),
        ..entity("web", "10.0.0.1")
    };
    assert_eq!(list(&grouped, 10), ["web 10.0.0.1 [\"weekends\"] 8-8"]);
    assert_eq!(list(&profile("no"), 10), [""; 0]);
    // A large table is read where the profile's rows are.
    let other: Vec<Measurement> = (0..20_000)
        .map(|n| measurement("filler", "x", n, Value::Int(1)))
        .collect();
    own.put(&other);
    assert_eq!(list(&profile("web"), 10), all);
    assert_eq!(
        own.list(&Filter::default(), 10, within).unwrap_err().code,
        Code::NotAvailable
    );
    // The profiles that were written from here are known, and no others.
    let found = own.profiles(&Filter::default(), within).unwrap();
    let names: Vec<&str> = found.iter().map(|one| one.profile.as_str()).collect();
    assert_eq!(names, ["filler", "wea", "web"]);
    assert!(own.notices()[0].contains("does not name the profiles"));
}

fn nothing_found_is_explained(server: &str) {
    let own = Own::new(server);
    let mut raw = Raw::new(server);
    // Rows that another program wrote: nothing is known but what they say.
    for (entity, period) in [("alice", 100), ("alice", 102), ("bobweekends", 100)] {
        let key = row_key(1000, "logins", entity, "", period).unwrap();
        raw.put(&own.place.table, &key, &[2, 2]);
    }
    let why = |query: &Query| -> Vec<String> {
        let reasons = own.explain_empty(query, at(NOW, &Arc::default())).unwrap();
        reasons.iter().map(Reason::to_string).collect()
    };
    assert_eq!(
        why(&query("logins", "alice", [])),
        ["the list of periods is empty"]
    );
    assert_eq!(why(&query("login", "alice", [1])).len(), 1);
    assert_eq!(
        why(&query("logins", "alicf", [1])),
        ["profile logins has nothing about 'alicf'; did you mean alice?"]
    );
    assert_eq!(
        why(&query("logins", "bob", [100])),
        ["it was measured in the groups [weekends], not in []"]
    );
    assert_eq!(
        why(&query("logins", "alice", [7])),
        [
            "it was measured at times from 1970-01-02T01:00:00Z to 1970-01-02T01:45:00Z, and asked for were periods from \
          1970-01-01T01:45:00Z to 1970-01-01T02:00:00Z"
        ]
    );
    let mut other = query("logins", "alice", [100]);
    other.place.divisor = 7;
    assert_eq!(
        why(&other),
        ["it was written with the salt divisor 1000, not 7 (profiler.client.salt.divisor)"]
    );
    let health = own.store.examine(
        &own.here(&other.place),
        Duration::from_secs(5),
        at(NOW, &Arc::default()),
    );
    assert!(health.unwrap().other_divisor.is_some());
    // What was written from here is known with the length of its periods.
    own.put(&[measurement("mine", "x", 3, Value::Int(1))]);
    let mut hours = query("mine", "x", [3]);
    hours.periods[0].duration = 3_600_000;
    assert!(
        why(&hours)[0].starts_with("it was written in periods of 15 minutes"),
        "{:?}",
        why(&hours)
    );
}

fn only_certain_rows_are_removed(server: &str) {
    let own = Own::new(server);
    let cancel = Arc::default();
    let within = at(NOW, &cancel);
    let groups = [Value::text("g")];
    let rows: Vec<Measurement> = (0..1_500)
        .map(|n| measurement("p", "e1", n, Value::Int(1)))
        .collect();
    own.put(&rows);
    own.put(&[
        grouped(measurement("p", "e2", 1, Value::Int(2)), &groups),
        measurement("p", "e2", 1, Value::Int(3)),
    ]);
    let count = || Raw::new(server).all(&own.place.table).len();
    // A profile's name may be the beginning of another's.
    assert_eq!(
        own.delete(&profile("p"), within).unwrap_err().code,
        Code::NotAvailable
    );
    assert_eq!(
        own.delete(&entity("p", "e2"), within).unwrap_err().code,
        Code::NotAvailable
    );
    assert_eq!(count(), 1_502);
    assert_eq!(own.delete(&entity("p", "e1"), within).unwrap(), 1_500);
    let grouped = Filter {
        groups: Some(groups.to_vec()),
        ..entity("p", "e2")
    };
    assert_eq!(own.delete(&grouped, within).unwrap(), 1);
    assert_eq!(own.get(&query("p", "e2", [1])), "3");
    assert_eq!(own.delete(&entity("p", "nobody"), within).unwrap(), 0);
    assert_eq!(count(), 1);
}

fn tables_that_are_missing_keep_nothing_back(server: &str) {
    let own = Own::new(server);
    let cancel = Arc::default();
    let within = at(NOW, &cancel);
    let missing = Place {
        table: name().into(),
        ..Place::default()
    };
    own.store
        .write(&missing, &[measurement("p", "e", 1, Value::Int(1))], within)
        .unwrap();
    let told = own.notices().join("");
    assert!(
        told.contains("1 measurement waits in the spool") && told.contains("has no table t"),
        "{told}"
    );
    let absent = Query {
        place: missing.clone(),
        ..query("p", "e", [1])
    };
    let fault = own.store.read(&absent, within).unwrap_err();
    assert!(
        fault.code == Code::ServerFailed && fault.message.contains("has no table"),
        "{}",
        fault.message
    );
    // The other table is filled all the same, and in order.
    std::thread::sleep(Duration::from_millis(400));
    own.put(&[measurement("p", "e", 1, Value::Int(2))]);
    own.put(&[measurement("p", "e", 1, Value::Int(3))]);
    assert_eq!(own.get(&query("p", "e", [1])), "3");
    let drained = own.store.drain(within).unwrap();
    assert!(drained.fault.is_some());
    assert_eq!(own.store.spool().unwrap().count, 1);
    assert_eq!(own.get(&query("p", "e", [1])), "3");
    let fault = own.store.spool().unwrap().fault.unwrap();
    assert!(fault.0.contains("has no table"), "{fault:?}");
    let family = Place {
        family: "Q".into(),
        ..own.place.clone()
    };
    let fault = own
        .store
        .read(
            &Query {
                place: family,
                ..query("p", "e", [1])
            },
            within,
        )
        .unwrap_err();
    assert!(
        fault.message.contains("no such column family"),
        "{}",
        fault.message
    );
}

fn many_threads_share_a_store(server: &str) {
    let own = Own::new(server);
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let own = &own;
            scope.spawn(move || {
                let entity = format!("e{thread}");
                for round in 0..5 {
                    let rows: Vec<Measurement> = (0..300)
                        .map(|n| measurement("p", &entity, n, Value::Long(n * 10 + round)))
                        .collect();
                    own.put(&rows);
                    let wanted: Vec<String> =
                        (0..300).map(|n| (n * 10 + round).to_string()).collect();
                    assert_eq!(own.get(&query("p", &entity, 0..300)), wanted.join(" "));
                }
            });
        }
    });
    assert!(own.notices().is_empty());
}

/// A Thrift server of this test's own.
struct Server {
    child: Child,
    port: u16,
}

impl Server {
    fn start(port: u16, options: &[&str]) -> Server {
        let child = Command::new("tests/services/hbase/thrift")
            .arg(port.to_string())
            .args(options)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Server { child, port };
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(
                started.elapsed() < Duration::from_secs(60),
                "no Thrift server at {port}"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        server
    }

    fn free(options: &[&str]) -> Server {
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        Server::start(port, options)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn servers_with_frames_are_served(server: &str) {
    let framed = Server::free(&["--framed"]);
    let address = format!("127.0.0.1:{}", framed.port);
    let own = Own::at(
        &format!("hbase://127.0.0.1:1,{address}?framed=true"),
        server,
    );
    // More bytes than one frame may have.
    let long = "x".repeat(700);
    let rows: Vec<Measurement> = (0..5_000)
        .map(|n| measurement("p", "e", n, Value::text(long.as_str())))
        .collect();
    own.put(&rows);
    assert!(own.notices().is_empty());
    let found =
        ProfileStore::read(&own, &query("p", "e", 0..5_001), at(NOW, &Arc::default())).unwrap();
    assert_eq!(found.iter().flatten().count(), 5_000);
    // Without frames it says what may be wrong.
    let file = Store::new(&own.folder.path().join("other.db"), &[&PROFILE]);
    let wrong = Spooled::new(
        &Secretive::new(format!("hbase://{address}?timeout=1")),
        &file,
        QUARTER,
    );
    let fault = wrong
        .read(&own.query(&query("p", "e", [1])), at(NOW, &Arc::default()))
        .unwrap_err();
    assert_eq!(fault.code, Code::ServerFailed);
    assert!(format!("{fault:?}").contains("framed=true"), "{fault:?}");
}

fn a_killed_server_loses_and_doubles_nothing(server: &str) {
    let mut thrift = Server::free(&[]);
    let port = thrift.port;
    let own = Own::at(&format!("hbase://127.0.0.1:{port}?timeout=15"), server);
    let cancel = Arc::default();
    let within = at(NOW, &cancel);
    let rows = |round: i64| -> Vec<Measurement> {
        (0..10_000)
            .map(|n| measurement("p", &format!("e{n}"), n % 7, Value::Long(n * 100 + round)))
            .collect()
    };
    own.put(&rows(0));
    for round in 1..3_i64 {
        let pause = Duration::from_millis(60 * round.unsigned_abs());
        std::thread::scope(|scope| {
            let own = &own;
            let writing = scope.spawn(move || {
                // The second is behind the first, wherever that is.
                own.put(&rows(round * 10));
                own.put(&rows(round * 10 + 1));
            });
            std::thread::sleep(pause);
            thrift.child.kill().unwrap();
            thrift.child.wait().unwrap();
            writing.join().unwrap();
        });
        let spool = own.store.spool().unwrap();
        assert!(
            spool.count >= 10_000 && spool.oldest == Some(NOW),
            "{spool:?}"
        );
        assert!(own.notices().join("").contains("in the spool"));
        thrift = Server::start(port, &[]);
        std::thread::sleep(Duration::from_millis(300));
        // Killed once more while the spool is emptied.
        if round == 2 {
            std::thread::scope(|scope| {
                let draining = scope.spawn(|| own.store.drain(within).unwrap());
                std::thread::sleep(Duration::from_millis(200));
                thrift.child.kill().unwrap();
                thrift.child.wait().unwrap();
                draining.join().unwrap();
            });
            thrift = Server::start(port, &[]);
        }
        let started = Instant::now();
        while own.store.drain(within).unwrap().fault.is_some() {
            assert!(started.elapsed() < Duration::from_secs(60));
        }
        assert_eq!(
            own.store.spool().unwrap(),
            stellar::profile::store::Spool::default()
        );
        let mut raw = Raw::new(server);
        let found: BTreeMap<Vec<u8>, Vec<u8>> = raw
            .all(&own.place.table)
            .into_iter()
            .map(|(key, _, value)| (key, value))
            .collect();
        assert_eq!(found.len(), 10_000);
        for row in rows(round * 10 + 1) {
            let key = row_key(1000, "p", &row.entity, "", row.period.number).unwrap();
            assert_eq!(
                to_text(&kryo::read(&found[&key]).unwrap()),
                to_text(&row.value)
            );
        }
        let key = row_key(1000, "p", "e5", "", 5).unwrap();
        assert_eq!(raw.versions(&own.place.table, &key), 1);
    }
    // What is in the embedded file is no more than what it was for.
    assert!(own.file.check().unwrap().problems.is_empty());
}

fn the_commands_know_the_server(server: &str) {
    let folder = TempDir::new().unwrap();
    let table = name();
    let stellar = |arguments: &[&str]| -> (bool, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_stellar"))
            .args(arguments)
            .args(["--set", &format!("store.profile=\"hbase://{server}\"")])
            .args([
                "--set",
                &format!("globals.\"profiler.client.hbase.table\"=\"{table}\""),
            ])
            .env("HOME", folder.path())
            .env("XDG_DATA_HOME", folder.path())
            .env_remove("STELLAR_CONFIG")
            .current_dir(folder.path())
            .output()
            .unwrap();
        let text = format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        (output.status.success(), text)
    };
    let (good, text) = stellar(&["doctor", "--format", "table"]);
    assert!(
        !good && text.contains(&format!("there is no table {table}")),
        "{text}"
    );
    let put = "PROFILE_PUT([{'profile': 'p', 'entity': 'e', 'period': {'period': 5, 'duration': 900000}, 'value': 3}])";
    let (good, text) = stellar(&["eval", put]);
    assert!(good, "{text}");
    let (good, text) = stellar(&["profile", "spool", "--format", "table"]);
    assert!(good && text.contains("has no table"), "{text}");
    let (good, text) = stellar(&["profile", "create-table"]);
    assert!(
        good && text.contains(&format!("table {table} with column family P was made")),
        "{text}"
    );
    let (good, text) = stellar(&["profile", "create-table"]);
    assert!(good && text.contains("there already"), "{text}");
    let (good, text) = stellar(&["profile", "spool", "flush"]);
    assert!(good && text.contains("1 measurement written"), "{text}");
    let (good, text) = stellar(&["profile", "get", "p", "e", "--format", "jsonl"]);
    assert!(good && text.contains("\"value\":3"), "{text}");
    let (good, text) = stellar(&["doctor", "--format", "table"]);
    assert!(
        good && text.contains(&format!("table {table} with column family P is there")),
        "{text}"
    );
    assert!(text.contains("spool: empty"), "{text}");
    dropped(server, &table);
}

/// Removes a table.
fn dropped(server: &str, table: &str) {
    let mut raw = Raw::new(server);
    let table = table.as_bytes().to_vec();
    raw.0.disable_table(table.clone()).unwrap();
    raw.0.delete_table(table).unwrap();
}

fn made(server: &str, table: &str) {
    let folder = TempDir::new().unwrap();
    let file = Store::new(&folder.path().join("s.db"), &[&PROFILE]);
    let address = Secretive::new(format!("hbase://{server}"));
    let place = Place {
        table: table.into(),
        ..Place::default()
    };
    let store = Spooled::new(&address, &file, QUARTER);
    store
        .create_table(&place, at(NOW, &Arc::default()))
        .unwrap();
}

/// The rows of a table with the bytes of their values.
fn rows(server: &str, table: &str) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let all = Raw::new(server).all(table).into_iter();
    all.map(|(key, _, value)| (key, value)).collect()
}

fn apply_that_was_killed_and_run_again_is_as_run_once(server: &str) {
    let rounds = std::env::var("STELLAR_KILL_ROUNDS").map_or(4, |n| n.parse().unwrap());
    let name = name();
    let make = |table: &str| made(server, table);
    let rows = |table: &str| rows(server, table);
    killed_in_the_middle(server, &name, rounds, &make, &rows);
    (0..rounds).for_each(|round| dropped(server, &format!("{name}_{round}")));
    dropped(server, &format!("{name}_clean"));
}

fn late_events_are_merged_into_rows_of_the_server(server: &str) {
    let home = Home::new();
    home.write(
        "p.json",
        r#"{ "timestampField": "ts", "profiles": [
            { "profile": "count", "mergeable": true, "foreach": "who", "init": { "n": "0" },
              "update": { "n": "n + 1" }, "result": "n" },
            { "profile": "stats", "mergeable": true, "foreach": "who", "init": { "s": "STATS_INIT()" },
              "update": { "s": "STATS_ADD(s, bytes)" }, "result": "s" } ] }"#,
    );
    let mut dice = Dice(11);
    let mut event = |minutes: std::ops::Range<usize>| {
        let minute = minutes.start + dice.roll(minutes.len());
        let time = 1_502_665_200_000 + minute as i64 * 60_000;
        let (who, bytes) = (dice.roll(9), dice.roll(1_000));
        format!("{{\"ts\": {time}, \"who\": \"u{who}\", \"bytes\": {bytes}}}\n")
    };
    let mut parts: Vec<String> = Vec::new();
    for hour in 0..4 {
        // Events of the hour, then one that closes it, then late ones of any hour so far.
        let (now, until) = (hour * 60, hour * 60 + 60);
        let mut part: String = (0..200).map(|_| event(now..until)).collect();
        part += &event(until + 20..until + 21);
        part.extend((0..100).map(|_| event(0..until)));
        parts.push(part);
    }
    let last = event(600..601);
    let (name, clean) = (name(), name());
    made(server, &name);
    made(server, &clean);
    let gate = Gate::to(server);
    let apply = |table: &str, more: &[&str]| -> Vec<String> {
        let set = [
            format!("store.profile=hbase://127.0.0.1:{}", gate.port),
            format!("globals.\"profiler.client.hbase.table\"={table}"),
            format!("store.path={table}.db"),
        ];
        let set = set.into_iter().flat_map(|one| ["--set".to_string(), one]);
        let apply = ["profile", "apply", "-c", "p.json"]
            .into_iter()
            .chain(more.iter().copied());
        set.chain(apply.map(String::from)).collect()
    };
    let path = home.write("e.jsonl", "");
    let follow = [
        "--follow",
        "--lag",
        "0s",
        "--late",
        "merge",
        "--keep-late",
        "30d",
        "e.jsonl",
    ];
    let follow = apply(&name, &follow);
    let follow: Vec<&str> = follow.iter().map(String::as_str).collect();
    let append = |text: &str| {
        let mut out = std::fs::OpenOptions::new()
            .append(true)
            .open(&path)
            .unwrap();
        std::io::Write::write_all(&mut out, text.as_bytes()).unwrap();
    };
    for (index, part) in parts.iter().enumerate() {
        append(part);
        // Killed, with the server there, away, or going.
        gate.set(index != 1);
        let talk = home.talk(&follow);
        std::thread::sleep(Duration::from_millis(700));
        gate.set(index != 2);
        std::thread::sleep(Duration::from_millis(500));
        drop(talk);
        gate.set(true);
    }
    append(&last);
    let wanted = {
        let all = apply(&clean, &["e.jsonl"]);
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        home.run(&all, "").ended(0);
        rows(server, &clean)
    };
    // What the last event measures is still open for the follower.
    let open = 1_502_665_200_000 / QUARTER + 600 / 15;
    let closed = |all: BTreeMap<Vec<u8>, Vec<u8>>| -> BTreeMap<Vec<u8>, Vec<u8>> {
        let is_open = |key: &[u8]| key.ends_with(&open.to_be_bytes());
        all.into_iter().filter(|(key, _)| !is_open(key)).collect()
    };
    let wanted = closed(wanted);
    assert!(wanted.len() > 200, "{}", wanted.len());
    let mut talk = home.talk(&follow);
    let started = Instant::now();
    while closed(rows(server, &name)) != wanted && started.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(100));
    }
    talk.interrupt();
    assert_eq!(talk.end().0, Some(0));
    let found = closed(rows(server, &name));
    assert_eq!(found.len(), wanted.len());
    assert!(found == wanted);
    dropped(server, &name);
    dropped(server, &clean);
}
