//! Look-ups in expressions: what they give, what is remembered, and how often a store is asked.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use parking_lot::Mutex;
use smol_str::SmolStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use stellar::collect::entry::{About, Entry, Found};
use stellar::collect::key::{Base, Field, Key, Kind};
use stellar::collect::store::{CollectionStore, Written};
use stellar::collect::{COLLECT, Collections, Embedded};
use stellar::diagnostic::{Code, Diagnostic, Outcome};
use stellar::engine::Engine;
use stellar::eval::text::to_text;
use stellar::eval::{Later, Services, Value};
use stellar::store::{Store, Within};
use support::collections::{HOUR, at, entry, key, real_now, with};
use tempfile::TempDir;

/// A store that counts what it is asked, and can be down.
struct Counting {
    store: Embedded,
    asked: AtomicUsize,
    keys: AtomicUsize,
    down: AtomicBool,
    now: Mutex<Option<i64>>,
}

impl Counting {
    fn up(&self) -> Outcome<()> {
        match self.down.load(Ordering::Relaxed) {
            true => Err(Diagnostic::new(Code::ServerFailed, "it is down")),
            false => Ok(()),
        }
    }

    fn count(&self, keys: &[Key]) -> Outcome<()> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.keys.fetch_add(keys.len(), Ordering::Relaxed);
        self.up()
    }
}

impl CollectionStore for Counting {
    fn place(&self) -> String {
        "a store of a test".to_string()
    }

    fn describe(&self, about: &About, within: Within<'_>) -> Outcome<()> {
        self.store.describe(about, within)
    }

    fn about(&self, base: &Base, within: Within<'_>) -> Outcome<Option<About>> {
        self.store.about(base, within)
    }

    fn list(&self, within: Within<'_>) -> Outcome<Vec<About>> {
        self.store.list(within)
    }

    fn put(&self, entries: &[Entry], within: Within<'_>) -> Outcome<Written> {
        self.store.put(entries, within)
    }

    fn has(&self, keys: &[Key], within: Within<'_>) -> Outcome<Vec<Option<i64>>> {
        self.count(keys)?;
        self.store.has(keys, within)
    }

    fn get(&self, keys: &[Key], within: Within<'_>) -> Outcome<Vec<Option<Found>>> {
        self.count(keys)?;
        self.store.get(keys, within)
    }

    fn count(&self, base: &Base, within: Within<'_>) -> Outcome<u64> {
        self.store.count(base, within)
    }

    fn remove(&self, base: &Base, within: Within<'_>) -> Outcome<u64> {
        self.store.remove(base, within)
    }

    fn now(&self, within: Within<'_>) -> i64 {
        self.now.lock().unwrap_or(within.now)
    }

    fn incarnation(&self, within: Within<'_>) -> Outcome<SmolStr> {
        self.store.incarnation(within)
    }

    fn reach(&self, within: Within<'_>) -> Outcome<()> {
        self.store.reach(within)
    }
}

/// An engine on a store of a test's own, with the collection `logins` of users and ports.
struct Own {
    engine: Engine,
    store: Arc<Counting>,
    service: Arc<Collections>,
    now: i64,
    /// The services without anything that a test adds.
    plain: Services,
    _folder: TempDir,
}

impl Own {
    fn new() -> Own {
        let folder = TempDir::new().unwrap();
        let file = Store::new(&folder.path().join("stellar.db"), &[&COLLECT]);
        let store = Arc::new(Counting {
            store: Embedded::new(&file),
            asked: AtomicUsize::new(0),
            keys: AtomicUsize::new(0),
            down: AtomicBool::new(false),
            now: Mutex::new(None),
        });
        let service = Arc::new(Collections::new(store.clone(), "self"));
        let mut engine = Engine::bare();
        engine.context.services.add(service.clone());
        let now = real_now();
        let logins = About {
            name: "logins".into(),
            domain: "self".into(),
            description: "".into(),
            expire_in: 3600,
            key_fields: vec![
                Field::new("user", Kind::Text),
                Field::new("port", Kind::Any),
            ],
            value_fields: vec![
                Field::new("city", Kind::Any),
                Field::new("count", Kind::Whole),
                Field::new("tags", Kind::Json),
            ],
        };
        at(now, |w| service.describe(&logins, w));
        let base = logins.base();
        let fields = [
            ("city", Value::text("Brno")),
            ("count", Value::Int(7)),
            ("tags", Value::from(vec![Value::text("a"), Value::Int(1)])),
        ];
        let of = |user: &str, port: Value| Key::of(&base, &[Value::text(user), port]).unwrap();
        let entries = [
            with(&of("alice", Value::Int(22)), now, &fields),
            with(&of("bob", Value::Null), now, &[]),
        ];
        at(now, |w| service.put(&entries, w));
        let plain = engine.context.services.clone();
        Own {
            engine,
            plain,
            store,
            service,
            now,
            _folder: folder,
        }
    }

    #[track_caller]
    fn gives(&self, expression: &str, text: &str) {
        match self.engine.evaluate(expression) {
            Ok(value) => assert_eq!(to_text(&value), text, "{expression}"),
            Err(fault) => panic!("{expression}: {fault:?}"),
        }
    }

    #[track_caller]
    fn fails(&self, expression: &str, code: Code, words: &str) {
        let fault = self.engine.evaluate(expression).unwrap_err();
        assert_eq!(fault.code, code, "{fault:?}");
        assert!(format!("{fault:?}").contains(words), "{fault:?}");
    }

    fn asked(&self) -> (usize, usize) {
        let take = |count: &AtomicUsize| count.swap(0, Ordering::Relaxed);
        (take(&self.store.asked), take(&self.store.keys))
    }
}

#[test]
fn what_they_give() {
    let own = Own::new();
    own.gives("COLLECTION_HAS('logins', 'alice', 22)", "true");
    own.gives("CCHAS('logins', 'alice', 22)", "true");
    own.gives("COLLECTION_HAS('logins', ['alice', 22])", "true");
    // What == calls equal is the same key, and a declared type makes texts of what is none.
    own.gives("COLLECTION_HAS('logins', 'alice', 22.0)", "true");
    own.gives("COLLECTION_HAS('logins', 'alice', TO_LONG(22))", "true");
    own.gives("COLLECTION_HAS('logins', 'alice', '22')", "false");
    own.gives("COLLECTION_HAS('logins', 5, 22)", "false");
    own.gives("COLLECTION_HAS('logins', 'alice', 23)", "false");
    own.gives("COLLECTION_HAS('logins', 'bob', null)", "true");
    own.gives("COLLECTION_HAS('logins', null, null)", "false");
    own.gives("COLLECTION_GET('logins', 'alice', 22, 'city')", "Brno");
    own.gives("COLLECTION_GET('logins', ['alice', 22], 'city')", "Brno");
    own.gives("COLLECTION_GET('logins', 'alice', 22, 'count') + 1", "8");
    own.gives("GET(COLLECTION_GET('logins', 'alice', 22, 'tags'), 1)", "1");
    own.gives(
        "CCGET('logins', 'alice', 22, 'eventdate')",
        &own.now.to_string(),
    );
    own.gives("COLLECTION_GET('logins', 'bob', null, 'city')", "null");
    own.gives("COLLECTION_GET('logins', 'carol', null, 'city')", "null");
    own.gives("COLLECTION_GET('logins', 'carol', null)", "null");
    let all = format!("{{eventdate={}, city=Brno, count=7, tags=[a, 1]}}", own.now);
    own.gives("COLLECTION_GET('logins', 'alice', 22)", &all);
    own.gives(
        "COLLECTION_GET('logins', 'bob', null)",
        &format!("{{eventdate={}}}", own.now),
    );
}

#[test]
fn what_is_wrong_is_said() {
    let own = Own::new();
    own.fails(
        "COLLECTION_HAS('logon', 'a', 1)",
        Code::ArgumentValue,
        "in the domain self (a store of a test)",
    );
    own.fails(
        "COLLECTION_HAS('login', 'a', 1)",
        Code::ArgumentValue,
        "did you mean \\\"logins\\\"",
    );
    own.fails(
        "COLLECTION_HAS('logins', 'a')",
        Code::ArgumentCount,
        "2 key fields: user, port",
    );
    own.fails(
        "COLLECTION_HAS('logins')",
        Code::ArgumentCount,
        "2 key fields",
    );
    own.fails(
        "COLLECTION_HAS('logins', 'a', 1, 'city')",
        Code::ArgumentCount,
        "2 key fields",
    );
    own.fails(
        "COLLECTION_HAS('logins', ['a', 1, 2])",
        Code::ArgumentCount,
        "2 key fields",
    );
    own.fails(
        "COLLECTION_GET('logins', 'a', 1, 'city', 2)",
        Code::ArgumentCount,
        "2 key fields",
    );
    own.fails(
        "COLLECTION_GET('logins', 'a', 1, 'ciyt')",
        Code::ArgumentValue,
        "did you mean \\\"city\\\"",
    );
    own.fails(
        "COLLECTION_GET('logins', 'a', 1, 5)",
        Code::ArgumentType,
        "the name of a field",
    );
    own.fails(
        "COLLECTION_HAS('logins', 'a', {})",
        Code::ArgumentType,
        "not of a map",
    );
    own.fails(
        "COLLECTION_HAS(null, 'a')",
        Code::ArgumentType,
        "the name of a collection",
    );
}

#[test]
fn what_was_found_is_remembered() {
    let own = Own::new();
    own.asked();
    for _ in 0..10 {
        own.gives("COLLECTION_HAS('logins', 'alice', 22)", "true");
    }
    assert_eq!(own.asked(), (1, 1));
    // The values are another question.
    own.gives("COLLECTION_GET('logins', 'alice', 22, 'city')", "Brno");
    assert_eq!(own.asked(), (1, 1));
    // What expires is asked again, when its time is over by the clock of the store.
    *own.store.now.lock() = Some(own.now + HOUR);
    own.gives("COLLECTION_HAS('logins', 'alice', 22)", "true");
    assert_eq!(own.asked(), (1, 1));
    *own.store.now.lock() = None;
    // What this program writes, it sees.
    let carol = Key::of(
        &Base::new("self", "logins"),
        &[Value::text("carol"), Value::Int(1)],
    )
    .unwrap();
    own.gives("COLLECTION_HAS('logins', 'carol', 1)", "false");
    at(own.now, |w| own.service.put(&[entry(&carol, own.now)], w));
    own.gives("COLLECTION_HAS('logins', 'carol', 1)", "true");
    at(own.now, |w| {
        own.service.remove(&Base::new("self", "logins"), w)
    });
    own.fails(
        "COLLECTION_HAS('logins', 'carol', 1)",
        Code::ArgumentValue,
        "no collection",
    );
}

#[test]
fn a_store_that_is_down_is_an_error() {
    let own = Own::new();
    own.gives("COLLECTION_HAS('logins', 'bob', 1)", "false");
    own.asked();
    own.store.down.store(true, Ordering::Relaxed);
    own.fails(
        "COLLECTION_HAS('logins', 'alice', 22)",
        Code::ServerFailed,
        "it is down",
    );
    // It is not asked by each of many events that follow at once.
    let mut times = 0;
    for n in 0..1000 {
        let expression = format!("COLLECTION_HAS('logins', 'alice', {n})");
        own.fails(&expression, Code::ServerFailed, "it is down");
        times = own.store.asked.load(Ordering::Relaxed);
    }
    assert!(times < 1000, "{times}");
    own.store.down.store(false, Ordering::Relaxed);
    wait_until_up(&own);
}

/// Look-ups leave a store alone that has just been down.
fn wait_until_up(own: &Own) {
    let mut context = own.engine.context.clone();
    context.services = own.plain.clone();
    let program = own.engine.compile("COLLECTION_HAS('logins', 'nobody', 22)");
    let program = program.unwrap();
    let since = std::time::Instant::now();
    while program.evaluate(&context).is_err() {
        assert!(since.elapsed().as_secs() < 60, "it stays down");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

#[test]
fn many_questions_go_together() {
    let mut own = Own::new();
    let later = Arc::new(Later::default());
    own.engine.context.services.add(later.clone());
    let base = Base::new("self", "logins");
    let users: Vec<String> = (0..1000).map(|n| format!("user{n}")).collect();
    let entries: Vec<Entry> = users
        .iter()
        .step_by(3)
        .map(|user| {
            let key = Key::of(&base, &[Value::text(user), Value::Int(1)]).unwrap();
            with(&key, own.now, &[("city", Value::text(user))])
        })
        .collect();
    at(own.now, |w| own.service.put(&entries, w));
    own.asked();
    // The second question hangs on the answer to the first.
    let programs: Vec<_> = users
        .iter()
        .map(|user| {
            let text = format!(
                "if COLLECTION_HAS('logins', '{user}', 1) then COLLECTION_GET('logins', '{user}', 1, 'city') else 'no'"
            );
            own.engine.compile(&text).unwrap()
        })
        .collect();
    let context = own.engine.context.clone();
    let mut results = vec![None; programs.len()];
    later
        .settle(programs.len(), &context, |n| {
            results[n] = Some(programs[n].evaluate(&context));
        })
        .unwrap();
    for (n, result) in results.into_iter().enumerate() {
        let expected = if n % 3 == 0 { users[n].as_str() } else { "no" };
        assert_eq!(to_text(&result.unwrap().unwrap()), expected);
    }
    let (asked, keys) = own.asked();
    assert_eq!((asked, keys), (2, 1334));
    // When the store is down, each event is told so, and the store is asked once.
    own.store.down.store(true, Ordering::Relaxed);
    later.forget();
    let expressions: Vec<String> = (0..50)
        .map(|n| format!("COLLECTION_HAS('logins', 'x', {n})"))
        .collect();
    let mut failed = 0;
    let mut last = Vec::new();
    later
        .settle(expressions.len(), &context, |n| {
            let result = own
                .engine
                .compile(&expressions[n])
                .unwrap()
                .evaluate(&context);
            last.push((n, result.map_err(|fault| fault.code)));
        })
        .unwrap();
    for (_, result) in last.iter().skip(expressions.len()) {
        assert_eq!(result.as_ref().err(), Some(&Code::ServerFailed));
        failed += 1;
    }
    assert_eq!(failed, 50);
    assert_eq!(own.asked().0, 1);
    // Who asks another thing each time is answered, too.
    own.store.down.store(false, Ordering::Relaxed);
    wait_until_up(&own);
    let mut calls = 0;
    let mut answer = None;
    later
        .settle(1, &context, |_| {
            calls += 1;
            let text = format!("COLLECTION_HAS('logins', 'never', {calls})");
            answer = Some(own.engine.compile(&text).unwrap().evaluate(&context));
        })
        .unwrap();
    assert_eq!(to_text(&answer.unwrap().unwrap()), "false");
    assert!(calls > 2);
    // Wrong arguments are told at once.
    own.fails(
        "COLLECTION_HAS('logins', 'x')",
        Code::ArgumentCount,
        "key fields",
    );
    assert!(!later.left());
}

#[test]
fn keys_are_those_of_the_documentation() {
    let base = Base::new("self", "redis-001");
    assert_eq!(base.as_str(), "self#affa6b69ce8e06a43b6cc4e206798326");
    let md5 = |text: &str| {
        use md5::Digest;
        data_encoding::HEXLOWER.encode(&md5::Md5::digest(text))
    };
    let is = |values: &[Value], text: &str| {
        let key = Key::of(&base, values).unwrap();
        assert_eq!(key.to_string(), format!("{base}#{}", md5(text)), "{text}");
        let mut written = Vec::new();
        key.write(&mut written);
        assert_eq!(written, key.to_string().as_bytes());
    };
    is(&[Value::text("alice"), Value::text("hq")], "s5:alices2:hq");
    is(&[Value::text("é"), Value::Null], "s2:én0:");
    is(&[Value::Bool(true), Value::Bool(false)], "b4:trueb5:false");
    is(
        &[Value::Int(-5), Value::Long(1 << 40)],
        "i2:-5i13:1099511627776",
    );
    is(&[Value::Double(5.0), Value::Float(-0.0)], "i1:5i1:0");
    is(&[Value::Double(0.5)], "f16:3fe0000000000000");
    is(&[Value::Double(1e300)], "f16:7e37e43c8800759c");
    is(
        &[Value::Double(f64::NAN), Value::Float(-f32::NAN)],
        "f16:7ff8000000000000f16:7ff8000000000000",
    );
    is(&[], "");
    assert_eq!(key(&base, &["a", ""]).hash.len(), 16);
    assert_ne!(key(&base, &["a", ""]), key(&base, &["", "a"]));
}
