use super::*;
use crate::config::FixedClock;
use crate::diagnostic::{Fault, Source};
use crate::engine::Engine;
use crate::eval::text::to_text;
use crate::profile::definition::{Role, parse};

mod random;

/// The message of the recorded runs.
const MESSAGE: &str = r#"{"ip":"10.0.0.1","ts":1502665200000,"n":5,"d":1.5,"b":true,"l":["x","y"],"o":{"k":1},"nul":null}"#;

const QUARTER: i64 = 900_000;

struct Bench {
    profiler: Profiler,
    context: Context,
}

impl Bench {
    fn new(definitions: &str) -> Bench {
        Bench::keeping(definitions, Keep::default())
    }

    fn keeping(definitions: &str, keep: Keep) -> Bench {
        let mut context = Profiler::context(&Engine::bare().context);
        context.clock = Arc::new(FixedClock(1_600_000_000_000));
        let definitions = parse(&Arc::new(Source::expression(definitions))).unwrap();
        Bench {
            profiler: Profiler::new(&definitions, QUARTER, keep, &context).unwrap(),
            context,
        }
    }

    /// One profile over `ts` with these fields beside its name.
    fn of(fields: &str) -> Bench {
        Bench::new(&format!(
            r#"{{"profiles":[{{"profile":"x",{fields}}}],"timestampField":"ts"}}"#
        ))
    }

    fn apply(&mut self, message: &str) -> &mut Bench {
        self.profiler
            .apply_line(message.as_bytes(), &self.context)
            .unwrap();
        self
    }

    fn flush(&mut self) -> Vec<Flushed> {
        self.profiler.flush(&self.context).unwrap()
    }

    /// Entity, number of the period and value of each measurement.
    fn values(&mut self) -> Vec<String> {
        let one = |f: Flushed| {
            let m = f.measurement;
            format!("{} {} {}", m.entity, m.period.number, to_text(&m.value))
        };
        self.flush().into_iter().map(one).collect()
    }

    /// What failed, how often, and what was said.
    fn troubles(&self) -> Vec<(Role, u64, String)> {
        let reports = self.profiler.reports(None);
        let all = reports.iter().flat_map(|report| &report.troubles);
        all.map(|t| {
            (
                t.role.clone(),
                t.count,
                t.last.as_ref().unwrap().message.clone(),
            )
        })
        .collect()
    }

    fn routes(&self) -> u64 {
        self.profiler.counts().2
    }
}

/// The routes of one message, and how often `role` failed on it.
fn route(fields: &str, role: Role) -> (u64, u64) {
    let mut bench = Bench::of(fields);
    bench.apply(MESSAGE);
    let count = bench
        .troubles()
        .iter()
        .filter(|(r, ..)| *r == role)
        .map(|(_, n, _)| n)
        .sum();
    (bench.routes(), count)
}

#[test]
fn onlyif_decides_about_a_message() {
    for (expression, routes, errors) in [
        ("true", 1, 0),
        ("false", 0, 0),
        ("n > 3", 1, 0),
        ("exists(ip)", 1, 0),
        ("exists(zz)", 0, 0),
        ("'yes'", 1, 0),
        ("'OFF'", 0, 0),
        ("1", 1, 0),
        ("0", 0, 0),
        ("n", 0, 1),
        ("'abc'", 0, 1),
        ("' '", 0, 1),
        ("", 0, 1),
        ("nul", 0, 1),
        ("[]", 0, 1),
        ("NOSUCH(n)", 0, 1),
        ("n >", 0, 1),
        ("_.n > 3", 1, 0),
        ("MAP_GET('n', _) == 5", 1, 0),
        ("o.k == 1", 1, 0),
    ] {
        let fields = format!(r#""foreach":"ip","onlyif":"{expression}","result":"1""#);
        assert_eq!(
            route(&fields, Role::OnlyIf),
            (routes, errors),
            "{expression}"
        );
    }
}

#[test]
fn foreach_names_the_entity() {
    for (expression, entity) in [
        ("ip", "10.0.0.1"),
        ("n", "5"),
        ("d", "1.5"),
        ("b", "true"),
        ("l", "x"),
        ("o", r#"{"k":1}"#),
        ("'global'", "global"),
        ("' '", " "),
        ("{}", "{}"),
        ("[1,2]", "1"),
        ("1 + 1", "2"),
        ("ip + '/' + n", "10.0.0.1/5"),
    ] {
        let mut bench = Bench::of(&format!(r#""foreach":"{expression}","result":"1""#));
        let flushed = bench.apply(MESSAGE).flush();
        let entities: Vec<&str> = flushed
            .iter()
            .map(|f| f.measurement.entity.as_str())
            .collect();
        assert_eq!(entities, [entity], "{expression}");
    }
    for expression in ["nul", "zz", "[]", "", "NOSUCH(1)"] {
        let fields = format!(r#""foreach":"{expression}","result":"1""#);
        assert_eq!(route(&fields, Role::ForEach), (0, 1), "{expression}");
    }
}

#[test]
fn an_entity_without_a_name_ends_the_call_and_the_message_does_not_count() {
    let mut bench = Bench::new(
        r#"{"profiles":[{"profile":"a","foreach":"ip","result":"1"},{"profile":"b","foreach":"''","result":"1"}],"timestampField":"ts"}"#,
    );
    let fault = bench
        .profiler
        .apply_line(MESSAGE.as_bytes(), &bench.context)
        .unwrap_err();
    assert_eq!(fault.code, Code::ArgumentValue);
    assert_eq!(bench.profiler.counts(), (2, 0, 0));
    // What was routed before it has been applied.
    assert_eq!(bench.values(), ["10.0.0.1 1669628 1"]);
}

#[test]
fn the_time_of_a_message_is_that_of_its_field() {
    for (time, period) in [
        ("1502665200000", Some(1_669_628)),
        ("\"1502665200000\"", Some(1_669_628)),
        ("1502665200000.7", Some(1_669_628)),
        ("[1502665200000]", Some(1_669_628)),
        ("-5", Some(0)),
        ("true", Some(0)),
        ("null", None),
        ("\"abc\"", None),
        ("\"1,502\"", None),
        ("[]", None),
        ("{}", None),
    ] {
        let mut bench = Bench::of(r#""foreach":"ip","result":"1""#);
        bench.apply(&format!(r#"{{"ip":"a","ts":{time}}}"#));
        let expected: Vec<String> = period.iter().map(|p| format!("a {p} 1")).collect();
        assert_eq!(bench.routes(), expected.len() as u64, "{time}");
        assert_eq!(bench.values(), expected, "{time}");
        assert!(bench.troubles().is_empty(), "{time}");
    }
    let mut bench = Bench::of(r#""foreach":"ip","result":"1""#);
    assert!(bench.apply(r#"{"ip":"a"}"#).values().is_empty());
}

#[test]
fn without_a_field_of_time_the_clock_counts() {
    let mut bench = Bench::new(r#"{"profiles":[{"profile":"x","foreach":"ip","result":"1"}]}"#);
    assert_eq!(bench.apply(MESSAGE).values(), ["10.0.0.1 1777777 1"]);
}

#[test]
fn only_init_sets_variables_anew() {
    let with =
        r#""foreach":"ip","init":{"count":"0"},"update":{"count":"count + 1"},"result":"count""#;
    let mut bench = Bench::of(with);
    assert_eq!(
        bench.apply(MESSAGE).apply(MESSAGE).apply(MESSAGE).values(),
        ["10.0.0.1 1669628 3"]
    );
    assert!(bench.values().is_empty(), "a second flush finds nothing");
    assert_eq!(bench.apply(MESSAGE).values(), ["10.0.0.1 1669628 1"]);

    let without = r#""foreach":"ip","update":{"count":"count + 1"},"result":"count""#;
    let mut bench = Bench::of(without);
    assert_eq!(
        bench.apply(MESSAGE).apply(MESSAGE).values(),
        ["10.0.0.1 1669628 2"]
    );
    assert_eq!(bench.apply(MESSAGE).values(), ["10.0.0.1 1669628 3"]);

    let kept = r#""foreach":"ip","init":{"x":"if exists(x) then x else 0"},"update":{"x":"x + n"},"result":"x""#;
    let mut bench = Bench::of(kept);
    assert_eq!(bench.apply(MESSAGE).values(), ["10.0.0.1 1669628 5"]);
    assert_eq!(bench.apply(MESSAGE).values(), ["10.0.0.1 1669628 10"]);
}

#[test]
fn updates_run_in_order_and_see_each_other() {
    let mut bench = Bench::of(
        r#""foreach":"ip","init":{"a":"1","b":"10"},"update":{"zeta":"a","a":"a+b","b":"b+a"},"result":"[zeta,a,b]""#,
    );
    assert_eq!(
        bench.apply(MESSAGE).apply(MESSAGE).values(),
        ["10.0.0.1 1669628 [11, 32, 53]"]
    );
}

#[test]
fn variables_hide_fields_and_null_hides_nothing() {
    let mut bench =
        Bench::of(r#""foreach":"ip","init":{"n":"100"},"update":{"x":"n"},"result":"x""#);
    assert_eq!(bench.apply(MESSAGE).values(), ["10.0.0.1 1669628 100"]);
    let mut bench =
        Bench::of(r#""foreach":"ip","init":{"n":"null"},"update":{"x":"n"},"result":"x""#);
    assert_eq!(bench.apply(MESSAGE).values(), ["10.0.0.1 1669628 5"]);
    let mut bench = Bench::of(
        r#""foreach":"ip","init":{"n":"n + 1","m":"{'k': 7}"},"update":{"x":"m.k + _.n + o.k"},"result":"x""#,
    );
    assert_eq!(bench.apply(MESSAGE).values(), ["10.0.0.1 1669628 14"]);
}

#[test]
fn null_assigns_nothing() {
    let mut bench =
        Bench::of(r#""foreach":"ip","init":{"x":"1"},"update":{"x":"zz"},"result":"x""#);
    assert_eq!(bench.apply(MESSAGE).values(), ["10.0.0.1 1669628 1"]);
    assert!(bench.troubles().is_empty());
}

#[test]
fn a_failed_init_runs_again_and_what_it_assigned_stays() {
    let mut bench = Bench::of(
        r#""foreach":"ip","init":{"a":"n","x":"1 / zero"},"update":{"u":"u + 1"},"result":"[a, x, u]""#,
    );
    bench.apply(r#"{"ip":"a","ts":1502665200000,"n":5,"zero":0}"#);
    assert!(bench.values().is_empty(), "it has not begun");
    bench.apply(r#"{"ip":"a","ts":1502665200000,"n":6,"zero":1}"#);
    assert_eq!(bench.values(), ["a 1669628 [6, 1, 1]"]);
    assert_eq!(bench.routes(), 2);
    assert_eq!(
        bench.troubles().first().map(|(r, n, _)| (r.clone(), *n)),
        Some((Role::Init("x".into()), 1))
    );
}

#[test]
fn a_failed_update_keeps_the_time_and_counts_as_a_route() {
    let mut bench = Bench::of(
        r#""foreach":"ip","init":{"x":"1"},"update":{"a":"n","x":"NOSUCH(n)"},"result":"[a, x]""#,
    );
    assert_eq!(bench.apply(MESSAGE).values(), ["10.0.0.1 0 [5, 1]"]);
    assert_eq!(bench.routes(), 1);
    let report = bench.profiler.reports(Some("x"));
    let trouble = report.first().and_then(|r| r.troubles.first()).unwrap();
    assert_eq!(trouble.role, Role::Update("x".into()));
    assert_eq!(trouble.expression, "NOSUCH(n)");
    assert_eq!(trouble.entity.as_deref(), Some("10.0.0.1"));
    assert!(
        trouble
            .last
            .as_ref()
            .is_some_and(|f| f.message.contains("NOSUCH"))
    );
}

#[test]
fn a_syntax_error_is_reached_at_each_message() {
    let mut bench =
        Bench::of(r#""foreach":"ip","init":{"x":"2 / "},"update":{"x":"n"},"result":"x""#);
    assert!(bench.apply(MESSAGE).apply(MESSAGE).values().is_empty());
    assert_eq!(
        bench.troubles().first().map(|(r, n, _)| (r.clone(), *n)),
        Some((Role::Init("x".into()), 2))
    );
    assert_eq!(bench.routes(), 2);
}

#[test]
fn late_messages_count_in_the_later_period() {
    let mut bench =
        Bench::of(r#""foreach":"ip","init":{"c":"0"},"update":{"c":"c+1"},"result":"c""#);
    for time in [1_502_665_200_000_i64, 1_502_668_800_000, 1_502_665_200_000] {
        bench.apply(&format!(r#"{{"ip":"a","ts":{time}}}"#));
    }
    assert_eq!(bench.values(), ["a 1669632 3"]);
    bench.apply(r#"{"ip":"a","ts":1502665200000}"#);
    assert_eq!(bench.values(), ["a 1669632 1"]);
}

#[test]
fn result_and_triage_see_the_variables_only() {
    for (fields, role) in [
        (r#""result":"n""#, Role::Result),
        (r#""result":"zzz""#, Role::Result),
        (r#""result":null"#, Role::Result),
        (r#""result":"entity""#, Role::Result),
        (r#""result":"_.n""#, Role::Result),
        (
            r#""result":{"profile":"x","triage":{"a":"qq"}}"#,
            Role::Triage("a".into()),
        ),
        (r#""result":"x","groupBy":["ip"]"#, Role::GroupBy(0)),
        (r#""result":"x","groupBy":["1","2 +"]"#, Role::GroupBy(1)),
    ] {
        let mut bench = Bench::of(&format!(r#""foreach":"ip","update":{{"x":"n"}},{fields}"#));
        assert!(bench.apply(MESSAGE).flush().is_empty(), "{fields}");
        let troubles = bench.troubles();
        assert_eq!(
            troubles.first().map(|(r, n, _)| (r.clone(), *n)),
            Some((role, 1)),
            "{fields}"
        );
        // The next message begins anew, as after any flush.
        assert!(bench.flush().is_empty());
    }
}

#[test]
fn triage_gives_values_by_name() {
    let mut bench = Bench::of(
        r#""foreach":"ip","update":{"x":"n"},"result":{"profile":"x","triage":{"b":"x+1","a":"'t'"}},"expires":30"#,
    );
    let flushed = bench.apply(MESSAGE).flush();
    let one = flushed.first().unwrap();
    let triage: Vec<String> = one
        .triage
        .iter()
        .map(|(n, v)| format!("{n}={}", to_text(v)))
        .collect();
    assert_eq!(triage, ["b=6", "a=t"]);
    assert_eq!(one.measurement.expires, Some(30));
}

#[test]
fn group_by_sees_the_measurement_behind_the_variables() {
    let mut bench = Bench::of(
        r#""foreach":"ip","init":{"v":"7","end":"'mine'"},"result":"v","groupBy":["start","end","duration","profile","entity","result","v","1.5","[1,2]","LENGTH(_)"]"#,
    );
    let flushed = bench.apply(MESSAGE).flush();
    let groups = Value::from(flushed.first().unwrap().measurement.groups.clone());
    assert_eq!(
        to_text(&groups),
        "[1502665200000, mine, 900000, x, 10.0.0.1, 7, 7, 1.5, [1, 2], 7]"
    );
}

#[test]
fn all_variables_cannot_become_one_of_them() {
    let mut bench = Bench::of(r#""foreach":"ip","init":{"q":"1"},"update":{"x":"_"},"result":"x""#);
    assert!(bench.apply(MESSAGE).values().is_empty());
    let mut bench =
        Bench::of(r#""foreach":"ip","init":{"q":"1"},"update":{"x":"LENGTH(_)"},"result":"x""#);
    assert_eq!(bench.apply(MESSAGE).values(), ["10.0.0.1 1669628 9"]);
}

#[test]
fn profiles_of_one_name_have_measurements_of_their_own() {
    let mut bench = Bench::new(
        r#"{"profiles":[{"profile":"x","foreach":"ip","result":"1"},{"profile":"x","foreach":"ip","result":"2"}],"timestampField":"ts"}"#,
    );
    assert_eq!(
        bench.apply(MESSAGE).values(),
        ["10.0.0.1 1669628 1", "10.0.0.1 1669628 2"]
    );
    assert_eq!(bench.routes(), 2);
}

#[test]
fn equal_profiles_share_one_builder() {
    let profile =
        r#"{"profile":"x","foreach":"ip","init":{"c":"0"},"update":{"c":"c+1"},"result":"c"}"#;
    let mut bench = Bench::new(&format!(
        r#"{{"profiles":[{profile},{profile}],"timestampField":"ts"}}"#
    ));
    assert_eq!(bench.apply(MESSAGE).values(), ["10.0.0.1 1669628 2"]);
    assert_eq!(bench.profiler.counts(), (2, 1, 2));
}

#[test]
fn a_bad_profile_hinders_no_other() {
    let mut bench = Bench::new(
        r#"{"profiles":[{"profile":"bad","foreach":"NOSUCH(","result":"1"},{"profile":"good","foreach":"ip","result":"1"}],"timestampField":"ts"}"#,
    );
    assert_eq!(bench.apply(MESSAGE).values(), ["10.0.0.1 1669628 1"]);
    let reports = bench.profiler.reports(None);
    let figures: Vec<_> = reports
        .iter()
        .map(|r| (r.messages, r.routes, r.entities, r.troubles.len()))
        .collect();
    assert_eq!(figures, [(1, 0, 0, 1), (1, 1, 1, 0)]);
}

#[test]
fn whole_numbers_of_messages_are_longs() {
    let mut bench =
        Bench::of(r#""foreach":"ip","update":{"x":"n", "y":"MAP_GET('k', o)"},"result":"[x, y]""#);
    let flushed = bench.apply(MESSAGE).flush();
    let Value::List(list) = &flushed.first().unwrap().measurement.value else {
        panic!("no list")
    };
    let types: Vec<&str> = list.items().iter().map(Value::type_name).collect();
    assert_eq!(types, ["Long", "Long"]);
    // Reading the whole message makes no difference.
    let mut bench =
        Bench::of(r#""foreach":"ip","update":{"x":"n", "y":"MAP_GET('n', _)"},"result":"[x, y]""#);
    let flushed = bench.apply(MESSAGE).flush();
    assert_eq!(
        to_text(&flushed.first().unwrap().measurement.value),
        "[5, 5]"
    );
}

#[test]
fn objects_are_changed_in_place() {
    let mut bench = Bench::of(
        r#""foreach":"ip","init":{"s":"STATS_INIT()"},"update":{"s":"STATS_ADD(s, n)"},"result":"STATS_SUM(s)""#,
    );
    assert_eq!(
        bench.apply(MESSAGE).apply(MESSAGE).values(),
        ["10.0.0.1 1669628 10.0"]
    );
    assert_eq!(bench.apply(MESSAGE).values(), ["10.0.0.1 1669628 5.0"]);
}

#[test]
fn an_interrupt_ends_the_call() {
    let mut bench = Bench::of(
        r#""foreach":"ip","update":{"x":"REDUCE([1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20], (a, b) -> a + b, 0)"},"result":"x""#,
    );
    bench.context.cancel = Arc::new(std::sync::atomic::AtomicBool::new(true));
    let fault: Fault = bench
        .profiler
        .apply_line(MESSAGE.as_bytes(), &bench.context)
        .unwrap_err();
    assert_eq!(fault.code, Code::Interrupted);
    assert_eq!(bench.profiler.counts(), (1, 0, 0));
}

#[test]
fn lines_that_are_no_events_are_refused() {
    for line in ["", "5", "[]", "{\"a\":1", "{}x"] {
        let mut bench = Bench::of(r#""foreach":"ip","result":"1""#);
        let fault = bench
            .profiler
            .apply_line(line.as_bytes(), &bench.context)
            .unwrap_err();
        assert_eq!(fault.code, Code::BadLine, "{line}");
    }
}

#[test]
fn entities_that_are_idle_expire_and_are_flushed_once() {
    let keep = Keep {
        idle: Some(QUARTER),
        entities: None,
    };
    let mut bench = Bench::keeping(
        r#"{"profiles":[{"profile":"x","foreach":"ip","update":{"c":"c + 1"},"result":"c"}],"timestampField":"ts"}"#,
        keep,
    );
    bench.apply(r#"{"ip":"a","ts":1502665200000}"#);
    bench.context.clock = Arc::new(FixedClock(1_600_000_000_000 + QUARTER / 2));
    bench.apply(r#"{"ip":"b","ts":1502665200000}"#);
    bench.context.clock = Arc::new(FixedClock(1_600_000_000_000 + QUARTER + 1));
    assert_eq!(bench.values(), ["b 1669628 1"]);
    let expired = bench.profiler.flush_expired(&bench.context).unwrap();
    assert_eq!(
        expired.first().map(|f| f.measurement.entity.as_str()),
        Some("a")
    );
    assert!(
        bench
            .profiler
            .flush_expired(&bench.context)
            .unwrap()
            .is_empty()
    );
    // It begins with nothing when it comes back.
    assert_eq!(
        bench.apply(r#"{"ip":"a","ts":1502665200000}"#).values(),
        ["a 1669628 1"]
    );
}

#[test]
fn what_is_kept_must_outlive_a_period() {
    let keep = Keep {
        idle: Some(QUARTER - 1),
        entities: None,
    };
    let made = Profiler::new(
        &Definitions::default(),
        QUARTER,
        keep,
        &Engine::bare().context,
    );
    assert_eq!(made.err().map(|f| f.code), Some(Code::ArgumentValue));
}

#[test]
fn beyond_the_most_entities_the_idlest_expire() {
    let keep = Keep {
        idle: None,
        entities: Some(10),
    };
    let mut bench = Bench::keeping(
        r#"{"profiles":[{"profile":"x","foreach":"ip","result":"1"}],"timestampField":"ts"}"#,
        keep,
    );
    // The clock stands still: what counts is which message came last.
    for i in 0..100 {
        bench.apply(&format!(r#"{{"ip":"e{i}","ts":1}}"#));
        assert!(
            bench
                .profiler
                .reports(None)
                .first()
                .is_some_and(|r| r.entities <= 10)
        );
    }
    assert_eq!(bench.values().last().map(String::as_str), Some("e99 0 1"));
    let expired = bench.profiler.flush_expired(&bench.context).unwrap();
    assert!(expired.len() >= 90);
}
