//! What every store of collections must do.
#![allow(dead_code)]

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use stellar::collect::entry::{About, Entry, Found};
use stellar::collect::key::{Base, Field, Key, Kind};
use stellar::collect::store::{CollectionStore, Written};
use stellar::diagnostic::{Code, Outcome};
use stellar::eval::Value;
use stellar::store::{Deadline, Within};

/// An hour.
pub const HOUR: i64 = 3_600_000;

/// How long a call of a test may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Calls a store at some time.
pub fn at<T>(now: i64, call: impl FnOnce(Within<'_>) -> Outcome<T>) -> T {
    let cancel = Arc::new(AtomicBool::new(false));
    call(Within {
        now,
        deadline: Deadline::after(PATIENCE),
        cancel: &cancel,
    })
    .unwrap_or_else(|fault| panic!("{fault:?}"))
}

/// The real time, in milliseconds.
pub fn real_now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    i64::try_from(since.expect("a time after 1970").as_millis()).expect("a time")
}

/// A key of texts.
pub fn key(base: &Base, texts: &[&str]) -> Key {
    let values: Vec<Value> = texts.iter().map(Value::text).collect();
    Key::of(base, &values).expect("a key")
}

/// An entry without values that lives for an hour.
pub fn entry(key: &Key, date: i64) -> Entry {
    Entry {
        key: key.clone(),
        date,
        expires: date + HOUR,
        fields: None,
    }
}

/// An entry with values.
pub fn with(key: &Key, date: i64, fields: &[(&str, Value)]) -> Entry {
    let fields = fields.iter().map(|(n, v)| ((*n).into(), v.clone()));
    Entry {
        fields: Some(fields.collect()),
        ..entry(key, date)
    }
}

fn found(date: i64, fields: Option<&[(&str, &str)]>) -> Option<Found> {
    let fields = fields.map(|fields| {
        let mut fields: Vec<_> = fields
            .iter()
            .map(|(n, t)| ((*n).into(), (*t).into()))
            .collect();
        fields.sort();
        fields
    });
    Some(Found {
        date,
        expires: Some(date + HOUR),
        fields,
    })
}

/// What is known about keys, with the fields by name.
pub fn get(store: &dyn CollectionStore, keys: &[Key]) -> Vec<Option<Found>> {
    let mut all = at(store_now(store), |within| store.get(keys, within));
    for fields in all.iter_mut().flatten().filter_map(|f| f.fields.as_mut()) {
        fields.sort();
    }
    all
}

fn has(store: &dyn CollectionStore, keys: &[Key]) -> Vec<bool> {
    let found = at(store_now(store), |within| store.has(keys, within));
    found.into_iter().map(|until| until.is_some()).collect()
}

/// The suite takes the real time: a server knows no other.
fn store_now(store: &dyn CollectionStore) -> i64 {
    at(real_now(), |within| Ok(store.now(within)))
}

/// A description of a collection.
pub fn about(domain: &str, name: &str) -> About {
    About {
        name: name.into(),
        domain: domain.into(),
        description: "who logged in – “recently”".into(),
        expire_in: 3600,
        key_fields: vec![
            Field::new("user", Kind::Text),
            Field::new("host", Kind::Any),
        ],
        value_fields: vec![Field::new("count", Kind::Whole)],
    }
}

/// Runs everything; `fresh` gives a store without collections of the domain it is called with.
pub fn suite(fresh: &dyn Fn() -> (Arc<dyn CollectionStore>, String)) {
    let (store, domain) = fresh();
    let base = |name: &str| Base::new(&domain, name);
    nothing_is_there(&*store, &base("none"));
    the_latest_stays(&*store, &base("latest"));
    values_are_kept(&*store, &base("values"));
    what_is_over_is_not_stored(&*store, &base("over"));
    what_is_over_goes(&*store, &base("soon"));
    kinds_may_change(&*store, &base("kinds"));
    many_at_once(&*store, &base("many"));
    collections_are_apart(&*store, &base("one"), &base("one*"));
    descriptions(&*store, &domain);
    calls_end(&*store, &base("ends"));
}

fn nothing_is_there(store: &dyn CollectionStore, base: &Base) {
    let keys = [key(base, &["a"]), key(base, &["b"])];
    assert_eq!(has(store, &keys), [false, false]);
    assert_eq!(get(store, &keys), [None, None]);
    assert_eq!(has(store, &[]), [false; 0]);
    assert_eq!(get(store, &[]), []);
    assert_eq!(at(real_now(), |w| store.about(base, w)), None);
    assert_eq!(at(real_now(), |w| store.count(base, w)), 0);
    assert_eq!(at(real_now(), |w| store.remove(base, w)), 0);
    assert_eq!(at(real_now(), |w| store.put(&[], w)), Written::default());
    at(real_now(), |w| store.reach(w));
}

fn the_latest_stays(store: &dyn CollectionStore, base: &Base) {
    let now = real_now();
    let k = key(base, &["alice", "hq"]);
    let put = |entries: &[Entry]| at(now, |within| store.put(entries, within));
    let written = |stored, older| Written {
        stored,
        older,
        expired: 0,
    };
    assert_eq!(put(&[entry(&k, now - 2000)]), written(1, 0));
    assert_eq!(
        get(store, std::slice::from_ref(&k)),
        [found(now - 2000, None)]
    );
    assert_eq!(put(&[entry(&k, now - 1000)]), written(1, 0));
    // An older event moves neither the date nor the expiry.
    assert_eq!(put(&[entry(&k, now - 3000)]), written(0, 1));
    assert_eq!(
        get(store, std::slice::from_ref(&k)),
        [found(now - 1000, None)]
    );
    // The same again changes nothing.
    assert_eq!(put(&[entry(&k, now - 1000)]), written(1, 0));
    assert_eq!(
        get(store, std::slice::from_ref(&k)),
        [found(now - 1000, None)]
    );
    // In one call, too.
    let k = key(base, &["bob", "hq"]);
    let dates = [5000, 1000, 4000];
    let entries: Vec<Entry> = dates.iter().map(|ago| entry(&k, now - ago)).collect();
    assert_eq!(put(&entries), written(2, 1));
    assert_eq!(
        get(store, std::slice::from_ref(&k)),
        [found(now - 1000, None)]
    );
    let until = at(now, |within| store.has(&[k], within));
    assert_eq!(until, [Some(now - 1000 + HOUR)]);
}

fn values_are_kept(store: &dyn CollectionStore, base: &Base) {
    let now = real_now();
    let k = key(base, &["alice"]);
    let first = with(
        &k,
        now - 10,
        &[
            ("city", Value::text("Zürich – \u{1f600}\n\"")),
            ("count", Value::Long(7)),
            ("share", Value::Double(0.25)),
            ("known", Value::Bool(true)),
            ("none", Value::Null),
            ("empty", Value::text("")),
            ("tags", Value::from(vec![Value::text("a"), Value::Int(1)])),
        ],
    );
    let put = |entry: Entry| at(now, |within| store.put(&[entry], within));
    assert_eq!(put(first).stored, 1);
    let kept: &[(&str, &str)] = &[
        ("city", "Zürich – \u{1f600}\n\""),
        ("count", "7"),
        ("share", "0.25"),
        ("known", "true"),
        ("empty", ""),
        ("tags", "[\"a\",1]"),
    ];
    assert_eq!(
        get(store, std::slice::from_ref(&k)),
        [found(now - 10, Some(kept))]
    );
    assert_eq!(has(store, std::slice::from_ref(&k)), [true]);
    // A later event leaves nothing of what an earlier one brought.
    assert_eq!(
        put(with(&k, now - 5, &[("count", Value::Long(8))])).stored,
        1
    );
    let kept: &[(&str, &str)] = &[("count", "8")];
    assert_eq!(
        get(store, std::slice::from_ref(&k)),
        [found(now - 5, Some(kept))]
    );
    assert_eq!(
        put(with(&k, now - 7, &[("count", Value::Long(9))])).older,
        1
    );
    assert_eq!(
        get(store, std::slice::from_ref(&k)),
        [found(now - 5, Some(kept))]
    );
    // Values may all be null.
    let k = key(base, &["bob"]);
    assert_eq!(put(with(&k, now, &[("count", Value::Null)])).stored, 1);
    assert_eq!(get(store, &[k]), [found(now, Some(&[]))]);
}

fn what_is_over_is_not_stored(store: &dyn CollectionStore, base: &Base) {
    let now = real_now();
    let (old, edge, good) = (
        key(base, &["old"]),
        key(base, &["edge"]),
        key(base, &["good"]),
    );
    let entries = [
        entry(&old, now - HOUR - 60_000),
        entry(&edge, now - HOUR),
        entry(&good, now - HOUR + 1_800_000),
    ];
    let written = at(now, |within| store.put(&entries, within));
    assert_eq!((written.stored, written.expired), (1, 2));
    assert_eq!(has(store, &[old, edge, good]), [false, false, true]);
    assert_eq!(at(now, |w| store.count(base, w)), 1);
}

fn what_is_over_goes(store: &dyn CollectionStore, base: &Base) {
    let now = real_now();
    let k = key(base, &["short"]);
    let mut short = entry(&k, now);
    short.expires = now + 300;
    at(now, |within| store.put(&[short], within));
    let mut rounds = 0;
    while has(store, std::slice::from_ref(&k)) == [true] {
        rounds += 1;
        assert!(rounds < 6000, "it is still there after a minute");
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(real_now() >= now + 300);
    assert_eq!(get(store, std::slice::from_ref(&k)), [None]);
    assert_eq!(at(real_now(), |w| store.count(base, w)), 0);
    // What is over does not stand in the way of an earlier event that is not.
    let written = at(real_now(), |w| store.put(&[entry(&k, now - 1000)], w));
    assert_eq!(written.stored, 1);
    assert_eq!(get(store, &[k]), [found(now - 1000, None)]);
}

fn kinds_may_change(store: &dyn CollectionStore, base: &Base) {
    let now = real_now();
    let k = key(base, &["x"]);
    let put = |entry: Entry| at(now, |within| store.put(&[entry], within));
    assert_eq!(put(entry(&k, now - 10)).stored, 1);
    assert_eq!(put(with(&k, now - 20, &[("a", Value::Int(1))])).older, 1);
    assert_eq!(put(with(&k, now - 5, &[("a", Value::Int(1))])).stored, 1);
    assert_eq!(
        get(store, std::slice::from_ref(&k)),
        [found(now - 5, Some(&[("a", "1")]))]
    );
    assert_eq!(put(entry(&k, now - 10)).older, 1);
    assert_eq!(put(entry(&k, now)).stored, 1);
    assert_eq!(get(store, &[k]), [found(now, None)]);
}

fn many_at_once(store: &dyn CollectionStore, base: &Base) {
    let now = real_now();
    let keys: Vec<Key> = (0..5000).map(|n| key(base, &[&n.to_string()])).collect();
    let entries: Vec<Entry> = keys.iter().step_by(2).map(|k| entry(k, now)).collect();
    assert_eq!(at(now, |within| store.put(&entries, within)).stored, 2500);
    let all = has(store, &keys);
    assert!(
        all.iter()
            .enumerate()
            .all(|(n, there)| *there == (n % 2 == 0))
    );
    assert_eq!(at(now, |w| store.count(base, w)), 2500);
    assert_eq!(at(now, |w| store.remove(base, w)), 2500);
    assert!(has(store, &keys).iter().all(|there| !there));
}

fn collections_are_apart(store: &dyn CollectionStore, one: &Base, other: &Base) {
    let now = real_now();
    let (k, l) = (key(one, &["x"]), key(other, &["x"]));
    let entries = [entry(&k, now), entry(&l, now - 1)];
    assert_eq!(at(now, |w| store.put(&entries, w)).stored, 2);
    assert_eq!(at(now, |w| store.remove(other, w)), 1);
    assert_eq!(has(store, &[k, l]), [true, false]);
}

fn descriptions(store: &dyn CollectionStore, domain: &str) {
    let ours = |store: &dyn CollectionStore| -> Vec<About> {
        let all = at(real_now(), |w| store.list(w));
        all.into_iter().filter(|a| a.domain == domain).collect()
    };
    let logins = about(domain, "logins");
    let base = logins.base();
    assert_eq!(at(real_now(), |w| store.about(&base, w)), None);
    at(real_now(), |w| store.describe(&logins, w));
    assert_eq!(
        at(real_now(), |w| store.about(&base, w)),
        Some(logins.clone())
    );
    // An entry of a collection that nobody described makes none known.
    let k = key(&Base::new(domain, "wild"), &["x"]);
    at(real_now(), |w| store.put(&[entry(&k, real_now())], w));
    let changed = About {
        expire_in: 60,
        value_fields: Vec::new(),
        ..logins.clone()
    };
    at(real_now(), |w| store.describe(&changed, w));
    at(real_now(), |w| store.describe(&about(domain, "a"), w));
    assert_eq!(ours(store), [about(domain, "a"), changed]);
    at(real_now(), |w| store.remove(&base, w));
    assert_eq!(at(real_now(), |w| store.about(&base, w)), None);
    assert_eq!(ours(store), [about(domain, "a")]);
}

fn calls_end(store: &dyn CollectionStore, base: &Base) {
    let keys = [key(base, &["x"])];
    let cancel = Arc::new(AtomicBool::new(true));
    let within = Within {
        now: real_now(),
        deadline: Deadline::NONE,
        cancel: &cancel,
    };
    let code = |outcome: Outcome<()>| outcome.map_err(|fault| fault.code);
    let entries = [entry(&keys[0], real_now())];
    assert_eq!(
        code(store.has(&keys, within).map(drop)),
        Err(Code::Interrupted)
    );
    assert_eq!(
        code(store.get(&keys, within).map(drop)),
        Err(Code::Interrupted)
    );
    assert_eq!(
        code(store.put(&entries, within).map(drop)),
        Err(Code::Interrupted)
    );
    let go = Arc::new(AtomicBool::new(false));
    let within = Within {
        cancel: &go,
        deadline: Deadline::after(Duration::ZERO),
        ..within
    };
    assert_eq!(code(store.has(&keys, within).map(drop)), Err(Code::Timeout));
    assert_eq!(
        code(store.put(&entries, within).map(drop)),
        Err(Code::Timeout)
    );
    assert_eq!(has(store, &keys), [false]);
}
