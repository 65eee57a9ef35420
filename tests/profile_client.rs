//! PROFILE_GET, PROFILE_VERBOSE and PROFILE_PUT against what Metron's client answered, and what they say beside it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::Arc;
use std::sync::atomic::Ordering;
use stellar::config::{Config, FixedClock, Options, Surroundings};
use stellar::diagnostic::Code;
use stellar::engine::Engine;
use stellar::eval::collections::List;
use stellar::eval::text::to_text;
use stellar::eval::{Notes, Value, Variables, look_up};
use tempfile::TempDir;

/// The moment at which the answers were recorded: in period 1994823.
const RECORDED: i64 = 1_795_341_137_235;

struct Session {
    engine: Engine,
    notes: Arc<Notes>,
    _folder: TempDir,
}

struct Known(Vec<(smol_str::SmolStr, Value)>);

impl Variables for Known {
    fn get(&self, name: &str) -> Option<Value> {
        look_up(name, |n| {
            self.0.iter().find(|(k, _)| k == n).map(|(_, v)| v.clone())
        })
    }

    fn all(&self) -> Vec<(smol_str::SmolStr, Value)> {
        self.0.clone()
    }
}

impl Session {
    fn new() -> Session {
        let folder = TempDir::new().unwrap();
        let around = Surroundings {
            named: None,
            config_home: Some(folder.path().join("config")),
            data_home: Some(folder.path().join("data")),
            home: Some(folder.path().to_path_buf()),
            folder: folder.path().to_path_buf(),
            ..Surroundings::of_process()
        };
        let config = Config::load(&Options::default(), &around).unwrap();
        let mut engine = Engine::new(config, &around, &Default::default()).unwrap();
        engine.context.clock = Arc::new(FixedClock(RECORDED));
        let notes = Arc::new(Notes::default());
        engine.context.services.add(notes.clone());
        Session {
            engine,
            notes,
            _folder: folder,
        }
    }

    /// With what was in the recorded table.
    fn recorded() -> Session {
        let mut session = Session::new();
        let put = |period: i64, groups: &str, value: &str| {
            let written = format!(
                "PROFILE_PUT({{'period': {{'duration': 900000, 'period': {period}}}, 'profile': 'pg', 'groups': {groups}, \
                 'value': {value}, 'entity': 'e1'}})"
            );
            assert_eq!(session.text(&written), "1");
        };
        for (period, value, grouped) in [
            (1_994_820, "103", "'w3'"),
            (1_994_822, "101", "'w1'"),
            (1_994_823, "100", "'w0'"),
        ] {
            put(period, "[]", value);
            put(period, "['weekends', 3]", grouped);
        }
        let w = session.value("PROFILE_FIXED(1, 'HOURS')");
        let Value::List(list) = &w else {
            panic!("{w:?}")
        };
        let reversed: Vec<Value> = list.items().into_iter().rev().collect();
        let doubled = [reversed.clone(), reversed.clone()].concat();
        session.set(&[
            ("w", w),
            ("rev", Value::List(List::array(reversed))),
            ("dup", Value::List(List::array(doubled))),
        ]);
        session
    }

    fn set(&mut self, variables: &[(&str, Value)]) {
        let known = variables.iter().map(|(n, v)| ((*n).into(), v.clone()));
        self.engine.context.variables = Arc::new(Known(known.collect()));
    }

    fn define(&self, name: &str, value: Value) {
        self.engine
            .context
            .globals
            .write()
            .insert(name.into(), value);
    }

    fn value(&self, expression: &str) -> Value {
        self.engine
            .evaluate(expression)
            .unwrap_or_else(|f| panic!("{expression}: {}", f.message))
    }

    fn text(&self, expression: &str) -> String {
        to_text(&self.value(expression)).to_string()
    }

    fn code(&self, expression: &str) -> Code {
        match self.engine.evaluate(expression) {
            Ok(value) => panic!("{expression} gives {}", to_text(&value)),
            Err(fault) => fault.code,
        }
    }

    fn notes_of(&self, expression: &str) -> Vec<String> {
        self.notes.take();
        self.value(expression);
        self.notes.take()
    }
}

/// Where this program answers differently, each a row of docs/differences.md.
const DIFFER: &[(&str, &str)] = &[
    // A map among plain groups.
    ("{'profiler.default.value':0}) => []", "E0203"),
    ("'weekends',{'profiler.default.value':0}) => []", "E0203"),
    // The form that Metron once had.
    ("PROFILE_GET('pg','e1',1,'HOURS') !!", "[103, 101, 100]"),
    // A missing column family is no error here.
    ("'profiler.client.hbase.column.family':'Q'}) !!", "[]"),
];

#[test]
fn answers_are_those_of_metron() {
    let session = Session::recorded();
    let file =
        std::fs::read_to_string("tests/conformance/profiler/profile_client_outputs.txt").unwrap();
    let mut seen = 0;
    for line in file.lines() {
        let here = line.starts_with("PROFILE_GET") || line.starts_with("PROFILE_VERBOSE");
        // A missing global configuration cannot be.
        if !here || line.contains("Unable to find capability") {
            continue;
        }
        let (expression, wanted) = match (line.split_once(" !! "), line.split_once(" => ")) {
            (Some((expression, _)), _) => (expression, "error"),
            (None, Some((expression, value))) => {
                let (value, kind) = value.rsplit_once(" (").unwrap();
                assert_eq!(kind, "ArrayList)");
                (expression, value)
            }
            _ => panic!("{line}"),
        };
        let default = expression.contains("'e1',w");
        session.define(
            "profiler.default.value",
            if default { Value::Int(-1) } else { Value::Null },
        );
        let found = match session.engine.evaluate(expression) {
            Ok(value) => to_text(&value).to_string(),
            Err(fault) => fault.code.name().to_string(),
        };
        // The row with a list of groups and overrides ends the same way as the one without.
        let differs = DIFFER
            .iter()
            .find(|(part, _)| line.contains(part) && !line.contains("[],{'profiler.default"));
        match differs {
            Some((_, differently)) => assert_eq!(found, *differently, "{line}"),
            None if wanted == "error" => assert!(found.starts_with('E'), "{line}: {found}"),
            None => assert_eq!(found, wanted, "{line}"),
        }
        seen += 1;
    }
    assert!(seen > 35, "{seen} rows");
}

#[test]
fn periods_are_those_of_metron() {
    let session = Session::new();
    let file =
        std::fs::read_to_string("tests/conformance/profiler/profile_client_outputs.txt").unwrap();
    let mut seen = 0;
    // The rows about PROFILE_FIXED stand there under one setting after the other.
    let settings = [("15", "MINUTES"), ("30", "MINUTES"), ("15", "minutes")];
    let mut settings = settings.iter();
    for line in file.lines() {
        let fixed = line.starts_with("LENGTH(PROFILE_FIXED");
        if !fixed
            && !line.starts_with("PROFILE_WINDOW")
            && !line.starts_with("LENGTH(PROFILE_WINDOW")
        {
            continue;
        }
        let (count, unit) = if fixed {
            settings.next().unwrap()
        } else {
            &("15", "MINUTES")
        };
        session.define("profiler.client.period.duration", Value::text(count));
        session.define("profiler.client.period.duration.units", Value::text(unit));
        match (line.split_once(" !! "), line.split_once(" => ")) {
            (Some((expression, _)), _) => {
                session.code(expression);
            }
            (None, Some((expression, value))) => {
                let (value, _) = value.rsplit_once(" (").unwrap();
                assert_eq!(session.text(expression), value, "{line}");
            }
            _ => panic!("{line}"),
        }
        seen += 1;
    }
    assert!(seen > 25, "{seen} rows");
    assert!(settings.next().is_none());
}

#[test]
fn the_old_form_takes_groups_and_overrides_too() {
    let session = Session::recorded();
    assert_eq!(
        session.text("PROFILE_GET('pg', 'e1', 30, 'MINUTES')"),
        "[101, 100]"
    );
    assert_eq!(
        session.text("PROFILE_GET('pg', 'e1', 1, 'HOURS', ['weekends', 3])"),
        "[w3, w1, w0]"
    );
    assert_eq!(
        session.text("PROFILE_GET('pg', 'e1', 1, 'HOURS', 'weekends', 3)"),
        "[w3, w1, w0]"
    );
    assert_eq!(
        session.text("PROFILE_GET('pg', 'e1', 1, 'HOURS', [], {'profiler.default.value': 0})"),
        "[0, 103, 0, 101, 100]"
    );
    assert_eq!(
        session.text(
            "PROFILE_GET('pg', 'e1', 1, 'HOURS', [], {'profiler.client.period.duration': 1})"
        ),
        "[]"
    );
    assert_eq!(
        session.code("PROFILE_GET('pg', 'e1', 1, 'hours')"),
        Code::ArgumentValue
    );
    assert_eq!(
        session.code("PROFILE_GET('pg', 'e1', 1)"),
        Code::ArgumentType
    );
    assert_eq!(
        session.code("PROFILE_GET('pg', 'e1', 1, ['HOURS'])"),
        Code::ArgumentType
    );
}

#[test]
fn settings_come_from_the_call_then_the_globals_then_the_defaults() {
    let session = Session::recorded();
    let get = "PROFILE_GET('pg', 'e1', w, [], ";
    let with = |overrides: &str| session.text(&format!("{get}{overrides})"));
    assert_eq!(with("{}"), "[103, 101, 100]");
    assert_eq!(
        with("{'profiler.client.salt.divisor': '1000'}"),
        "[103, 101, 100]"
    );
    // What cannot be converted counts as absent.
    assert_eq!(
        with("{'profiler.client.salt.divisor': 'abc'}"),
        "[103, 101, 100]"
    );
    assert_eq!(with("{'profiler.client.salt.divisor': 7}"), "[]");
    assert_eq!(with("{'profiler.client.hbase.table': 'x'}"), "[]");
    assert_eq!(with("{'nothing': 1}"), "[103, 101, 100]");
    session.define("profiler.client.salt.divisor", Value::Int(7));
    assert_eq!(with("{}"), "[]");
    assert_eq!(with("{'profiler.client.salt.divisor': null}"), "[]");
    assert_eq!(
        with("{'profiler.client.salt.divisor': 1000}"),
        "[103, 101, 100]"
    );
    assert_eq!(session.text("PROFILE_VERBOSE('pg', 'e1', w)"), "[]");
    // Nothing is divided when there is no period.
    session.define("profiler.client.salt.divisor", Value::Int(0));
    assert_eq!(session.text("PROFILE_GET('pg', 'e1', [])"), "[]");
    assert_eq!(
        session.code("PROFILE_GET('pg', 'e1', w)"),
        Code::ArgumentValue
    );
}

#[test]
fn what_is_put_is_got() {
    let session = Session::new();
    let maps = "[{'period': {'duration': 900000, 'period': 1994823}, 'profile': 'p', 'value': STATS_ADD(STATS_INIT(), 1, 2), \
        'entity': 5}, {'period': {'duration': '900000', 'period': 1994822}, 'profile': 'p', 'value': [1, 2], 'entity': 5, \
        'expires': 1, 'groups': null}]";
    assert_eq!(session.text(&format!("PROFILE_PUT({maps})")), "2");
    assert_eq!(
        session.text("PROFILE_GET('p', 5, PROFILE_FIXED(15, 'MINUTES'))"),
        "[[1, 2], Statistics{count=2, mean=1.5}]"
    );
    assert_eq!(
        session.text("STATS_MEAN(GET_LAST(PROFILE_GET('p', 5, PROFILE_FIXED(1, 'HOURS'))))"),
        "1.5"
    );
    assert_eq!(
        session.text(&format!(
            "PROFILE_PUT({maps}, {{'profiler.client.hbase.table': 't'}})"
        )),
        "2"
    );
    assert_eq!(
        session.text("LENGTH(PROFILE_GET('p', 5, PROFILE_FIXED(1, 'HOURS'), [], {'profiler.client.hbase.table': 't'}))"),
        "2"
    );
    let mut later = session.engine.clone();
    later.context.clock = Arc::new(FixedClock(RECORDED + 2 * 86_400_000));
    let found = later
        .evaluate("LENGTH(PROFILE_GET('p', 5, PROFILE_FIXED(3, 'DAYS')))")
        .unwrap();
    assert_eq!(to_text(&found), "1");
    for bad in [
        "PROFILE_PUT(null)",
        "PROFILE_PUT([1])",
        "PROFILE_PUT([], 1)",
        "PROFILE_PUT([{'period': {'duration': 1, 'period': 1}, 'profile': 'p', 'entity': 'e', 'value': x -> x}])",
    ] {
        assert_eq!(session.code(bad), Code::ArgumentType, "{bad}");
    }
    for bad in [
        "{}",
        "{'period': 1, 'profile': 'p', 'entity': 'e', 'value': 1}",
        "{'period': {'duration': 0, 'period': 1}, 'profile': 'p', 'entity': 'e', 'value': 1}",
        "{'period': {'duration': 1, 'period': -1}, 'profile': 'p', 'entity': 'e', 'value': 1}",
        "{'period': {'duration': 1, 'period': 1}, 'profile': null, 'entity': 'e', 'value': 1}",
        "{'period': {'duration': 1, 'period': 1}, 'profile': 'p', 'entity': 'e'}",
        "{'period': {'duration': 1, 'period': 1}, 'profile': 'p', 'entity': 'e', 'value': 1, 'groups': 'g'}",
        "{'period': {'duration': 1, 'period': 1}, 'profile': 'p', 'entity': 'e', 'value': 1, 'expires': 'x'}",
    ] {
        assert_eq!(
            session.code(&format!("PROFILE_PUT({bad})")),
            Code::ArgumentValue,
            "{bad}"
        );
    }
}

#[test]
fn an_empty_answer_leaves_a_note() {
    let session = Session::recorded();
    assert_eq!(
        session.notes_of("PROFILE_GET('pg', 'e1', w)"),
        Vec::<String>::new()
    );
    assert_eq!(
        session.notes_of("PROFILE_GET('pf', 'e1', w)"),
        ["PROFILE_GET finds nothing: there is no profile pf; did you mean pg?"]
    );
    assert_eq!(
        session.notes_of("PROFILE_VERBOSE('pg', 'e2', w)"),
        ["PROFILE_VERBOSE finds nothing: profile pg has nothing about 'e2'; did you mean e1?"]
    );
    assert_eq!(
        session.notes_of("PROFILE_GET('pg', 'e1', w, 'weekends')"),
        [
            "PROFILE_GET finds nothing: it was measured in the groups [] and [weekends, 3], not in [weekends]"
        ]
    );
    assert_eq!(
        session.notes_of("PROFILE_GET('pg', 'e1', null)"),
        ["PROFILE_GET finds nothing: the list of periods is empty"]
    );
    let hourly = "PROFILE_FIXED(1, 'HOURS', {'profiler.client.period.duration': 1})";
    let notes = session.notes_of(&format!("PROFILE_GET('pg', 'e1', {hourly})"));
    assert!(
        notes.len() == 1 && notes[0].contains("periods of 15 minutes, and these are of 1 minute"),
        "{notes:?}"
    );
    // A default is an answer.
    let default = "PROFILE_GET('pf', 'e1', w, [], {'profiler.default.value': 0})";
    assert_eq!(session.notes_of(default), Vec::<String>::new());
    // Nobody needs more than a few.
    let many =
        "MAP([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13], n -> PROFILE_GET('pg', 'x' + n, w))";
    assert_eq!(session.notes_of(many).len(), 10);
}

#[test]
fn settings_without_effect_are_said() {
    let session = Session::recorded();
    let provider = "PROFILE_GET('pg', 'e1', w, [], {'hbase.provider.impl': 'com.example.Tables'})";
    assert_eq!(
        session.notes_of(provider),
        ["hbase.provider.impl has no effect: no Java class opens tables here"]
    );
    assert_eq!(session.notes_of(provider), Vec::<String>::new());
    assert_eq!(
        session.notes_of("PROFILE_FIXED(1, 'HOURS', {'profiler.client.period.duratoin': 1})"),
        [
            "PROFILE_FIXED passes over the override profiler.client.period.duratoin; did you mean profiler.client.period.duration?"
        ]
    );
    let notes = session
        .notes_of("PROFILE_WINDOW('1 hour', {'zzz': 1, 'profiler.client.period.duration': 5})");
    assert!(
        notes.len() == 1
            && notes[0].starts_with("PROFILE_WINDOW passes over the override zzz; it knows"),
        "{notes:?}"
    );
    let old = session.notes_of("PROFILE_GET('pg', 'e1', 1, 'HOURS')");
    assert!(
        old.len() == 1 && old[0].contains("PROFILE_FIXED(1, 'HOURS')"),
        "{old:?}"
    );
    let notes =
        session.notes_of("PROFILE_VERBOSE('pg', 'e1', w, [], {'profiler.default.value': 9})");
    assert_eq!(
        notes,
        ["PROFILE_VERBOSE takes no overrides: what stands behind the groups is ignored"]
    );
}

#[test]
fn a_cancelled_call_reads_nothing() {
    let session = Session::recorded();
    session.engine.context.cancel.store(true, Ordering::SeqCst);
    assert_eq!(
        session.code("PROFILE_GET('pg', 'e1', w)"),
        Code::Interrupted
    );
}
