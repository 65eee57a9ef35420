use crate::rule::event::Event;
use crate::rule::lua::{Module, Options, Running};
use proptest::prelude::*;
use proptest::sample::select;

const EVENTS: &[&str] = &[
    r#"{"id":"4688","n":4688,"cmd":"C:\\X\\MimiKatz.EXE -a","user":{"name":"Bob","admin":true},"l":["p","q"],"d":1.5}"#,
    r#"{"id":"4689","n":-1,"cmd":"ПРИВЕТ мир","user":{"name":""},"z":null,"d":2}"#,
    r#"{"id":4688,"cmd":{"a":"b"},"user.name":"joined","user":7,"n":"4688"}"#,
    r#"{"cmd":"mimikatz","user":{"name":"bob","admin":false},"big":123456789012345678901234}"#,
    r#"{}"#,
];

fn load(text: &str) -> Running {
    Running::load(text, Options::default()).unwrap()
}

/// What a rule does with every event: its alerts and notes.
fn done(mut running: Running) -> Vec<String> {
    let mut seen = Vec::new();
    for text in EVENTS {
        let alerts = running.event(&Event::read(text.as_bytes()).unwrap());
        let texts: Vec<String> = alerts.into_iter().map(|a| a.template).collect();
        let notes = running.notes().0;
        let notes = notes.iter().map(|n| format!("{:?} {}", n.line, n.text));
        seen.push(format!("{texts:?} {:?}", notes.collect::<Vec<_>>()));
    }
    let counters = running.counters();
    seen.push(format!("{:?}", counters));
    seen
}

/// For how many of the events the function needs not be called.
fn spared(text: &str) -> usize {
    let mut running = load(text);
    let shared = Running::shared(&running).clone();
    let Some(guard) = &mut running.guard else {
        return 0;
    };
    let events = EVENTS
        .iter()
        .map(|text| Event::read(text.as_bytes()).unwrap());
    events.filter(|e| guard.is_done(e, &shared)).count()
}

/// A rule does the same with its guard and without; for how many events it spares the function.
#[track_caller]
fn same(text: &str) -> usize {
    let mut without = load(text);
    without.guard = None;
    assert_eq!(done(load(text)), done(without), "{text}");
    spared(text)
}

#[track_caller]
fn body(body: &str) -> usize {
    same(&format!("function on_logline(e)\n{body}\nend"))
}

/// Values that conditions are made of here.
const VALUES: &[&str] = &[
    "e:get('id')",
    "e:gets('id')",
    "e:get('n')",
    "e:gets('n', 'none')",
    "e:get('user.name')",
    "e:gets('user')",
    "e:gets('l')",
    "e:get('l')",
    "e:get('d')",
    "e:gets('d')",
    "e:get('big')",
    "e:get('cmd', 7)",
    "e:gets('cmd', nil)",
    "e:get('z', false)",
    "e:gets('user.admin')",
    "e:get('user.admin')",
    "e:gets('cmd'):lower()",
    "e:get('cmd'):upper()",
    "e:get('cmd'):lower():upper():lower()",
    "e:gets('cmd'):search('(?i)mimi|п')",
    "e:get('cmd'):search('bad(')",
    "search(e:get('cmd'), 'katz$')",
    "search(e:get('n'), '46')",
    "e:gets('cmd'):contains('mi')",
    "e:gets('cmd'):find('mi')",
    "e:gets('cmd'):find('m.', 1, true)",
    "e:gets('cmd'):find('m.')",
    "#e:gets('cmd')",
    "#e:get('id')",
    "e:gets('cmd'):len()",
    "tostring(e:get('n'))",
    "tostring(e:get('d'))",
    "tostring(e:get('user.admin'))",
    "get_field_value(e, 'user.name', 'x')",
    "e:get('id') or e:get('n')",
    "e:get('id') and e:get('user.name')",
    "not e:get('user.admin')",
    "(e:get('user.name') or '')",
    "e:get('absent.at.all')",
    "tonumber(e:get('id'))",
    "e['id']",
    "e:get_asset_data('l')",
    "e:gets('cmd'):sub(1, 2)",
    "e:gets('id') .. 'x'",
];

#[test]
fn conditions_mean_the_same_with_and_without_lua() {
    let against = [
        "'4688'",
        "4688",
        "nil",
        "''",
        "'bob'",
        "true",
        "e:gets('n')",
    ];
    let mut spared = 0;
    for value in VALUES {
        spared += body(&format!("if {value} then alert({{template = 'x'}}) end"));
        spared += body(&format!(
            "local v = {value} if not v then return end log(type(v) == 'table' or v)"
        ));
        for other in against {
            for sign in ["==", "~=", "<", ">="] {
                spared += body(&format!(
                    "if {value} {sign} {other} then alert({{template = 'x'}}) end"
                ));
            }
        }
    }
    assert!(spared > 3000, "{spared} events were spared");
}

/// Conditions of any shape over these values.
fn condition() -> impl Strategy<Value = String> {
    let literals = [
        "'4688'", "4688", "nil", "''", "'bob'", "true", "false", "-1", "1.5",
    ];
    let value = prop_oneof![
        4 => select(VALUES).prop_map(str::to_string),
        1 => select(literals.to_vec()).prop_map(str::to_string),
    ];
    value.prop_recursive(4, 12, 2, |inner| {
        let signs = ["==", "~=", "<", "<=", ">", ">=", "and", "or"];
        prop_oneof![
            4 => (inner.clone(), select(signs.to_vec()), inner.clone())
                .prop_map(|(left, sign, right)| format!("{left} {sign} {right}")),
            1 => inner.clone().prop_map(|one| format!("not {one}")),
            2 => inner.prop_map(|one| format!("({one})")),
        ]
    })
}

/// Statements that a function begins with, to such a depth.
fn statements(depth: u32) -> BoxedStrategy<String> {
    let leaf = prop_oneof![
        Just("return".to_string()),
        Just("log('here')".to_string()),
        Just("alert({template = tostring(type(v) == 'table' or v)})".to_string()),
        condition().prop_map(|one| format!("v = {one}")),
        condition().prop_map(|one| format!("local w = {one} log(type(w))")),
    ];
    if depth == 0 {
        return leaf.boxed();
    }
    let inner = statements(depth - 1);
    prop_oneof![
        1 => leaf,
        3 => (condition(), inner.clone(), condition(), inner.clone(), inner.clone()).prop_map(
            |(first, then, second, also, other)| format!(
                "if {first} then {then} elseif {second} then {also} else {other} end"
            )
        ),
        2 => (condition(), inner).prop_map(|(first, then)| format!("if {first} then {then} end")),
    ]
    .boxed()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn any_beginning_means_the_same(first in condition(), body in statements(2), behind in statements(1)) {
        // `return` ends a block in Lua, so what follows it stands in one of its own.
        let text = format!(
            "function on_logline(e)\nlocal v = {first}\ndo {body} end\nif v then {behind} end\n\
             if {first} then {body} end\nend"
        );
        same(&text);
    }
}

#[test]
fn conditions_join_as_in_lua() {
    let (a, b, c) = (
        "e:get('id') == '4688'",
        "e:get('user.admin')",
        "e:get('n') == nil",
    );
    let unknown = "tonumber(e:gets('n')) == 4688";
    for joined in [
        format!("{a} and {b} or {c}"),
        format!("{a} or {b} and {c}"),
        format!("not {a} and not ({b} or {c})"),
        format!("{a} and ({b} or {c}) or not {b}"),
        format!("{a} and {unknown}"),
        format!("{a} or {unknown} and {b}"),
        format!("({unknown} or {b}) and {c}"),
        format!("{unknown} or {a}"),
        format!("not ({a} and {unknown})"),
        format!("not {b} == {c}"),
        format!("{a} == {b} == {c}"),
        format!("(function() return true and {a} end)() or {b}"),
        format!("{a} and f({b} and 1 or 2, {{x = {c}}}) and {c}"),
    ] {
        body(&format!(
            "local function f(x) return x end if {joined} then log('x') end"
        ));
        body(&format!(
            "if {joined} then log('x') elseif {b} then log('y') else log('z') end"
        ));
        body(&format!("local v = {joined} if v then log('x') end"));
    }
}

#[test]
fn most_beginnings_spare_the_function() {
    let all = EVENTS.len();
    assert_eq!(body("if e:get('id') == 'no' then log('x') end"), all);
    assert_eq!(
        body("if e:get('id') ~= '4688' then return end log('x')"),
        all - 1
    );
    assert_eq!(
        body(
            "local id = e:get('id')\nlocal cmd = e:gets('cmd', ''):lower();\n\
             if id == '4688' and cmd:search('mimikatz') then log(cmd) elseif id == 'no' then f() else return end"
        ),
        all - 1
    );
    assert_eq!(
        body(
            "local x = e:gets('cmd') if #x > 5 then x = x:lower() end if x == 'mimikatz' then log(x) end"
        ),
        all - 1
    );
    assert_eq!(
        body("if e:get('id') == 'no' and f(e) then log('x') end"),
        all
    );
    assert_eq!(body("log('x') if e:get('id') == 'no' then return end"), 0);
    assert_eq!(
        body("if e:get('user.name') == 'bob' then x = 1 end"),
        all - 1
    );
    assert_eq!(body("return"), all);
    assert_eq!(body(""), all);
}

#[test]
fn names_that_hold_a_text_only_are_known() {
    let rule = |before: &str, behind: &str| {
        same(&format!(
            "{before}\nfunction on_logline(e) if e:gets('cmd'):lower():search(WORD) then log(WORD) end end\n{behind}"
        ))
    };
    assert_eq!(rule("WORD = 'mimi'", ""), 3);
    let used = "g = {x = WORD}; tostring(WORD) select(1, WORD) function f() end";
    assert_eq!(rule("local WORD = [[mimi]]", used), 3);
    assert_eq!(rule("function f() end local WORD = \"mimi\"; ", used), 3);
    assert_eq!(rule("WORD = 'mimi'", "WORD = 'b'"), 0);
    assert_eq!(rule("WORD = 'mimi' .. 'katz'", ""), 0);
    assert_eq!(rule("WORD = 'mimi' WORD, b = 'b', 2", ""), 0);
    assert_eq!(rule("if true then WORD = 'mimi' end", ""), 0);
    assert_eq!(
        rule("local WORD = 'mimi' local a, WORD\nx = 1 WORD2 = 1", ""),
        0
    );
    assert_eq!(rule("do local WORD = 'no' end WORD = 'mimi'", ""), 0);
    assert_eq!(rule("t = {}; t.WORD = 'mimi'", ""), 0);
}

#[test]
fn what_a_rule_or_a_module_defines_itself_is_left_to_lua() {
    let search = "function on_logline(e) if search(e:get('cmd'), 'nowhere') then log('x') end end";
    assert_eq!(same(search), 4);
    assert_eq!(
        same(&format!("function search(a, b) return true end {search}")),
        0
    );
    assert_eq!(same(&format!("search = contains {search}")), 0);
    assert_eq!(
        same(
            "function on_logline(e) local search = tostring if search(e, 'x') then return end log('x') end"
        ),
        0
    );
    assert_eq!(same("on_logline = nil function on_logline(e) end"), 0);
    assert_eq!(same("local function on_logline(e) end"), 0);
    assert_eq!(same("do function on_logline(e) end end"), 0);
    assert_eq!(
        same("function on_logline(e)\n local e = e:get('cmd') if e == 'x' then log(e) end end"),
        EVENTS.len() - 1
    );
    let module = |text: &str| {
        let modules = vec![Module {
            name: "m".into(),
            text: text.into(),
        }];
        let options = Options {
            modules,
            ..Options::default()
        };
        Running::load(search, options).unwrap().guard.is_some()
    };
    assert!(module("x = 1"));
    assert!(!module("function search() return true end"));
    assert!(!module("function on_logline() end"));
}

#[test]
fn literals_are_read_as_lua_reads_them() {
    for literal in [
        r"'\n\t\\\'\65\066x'",
        r#""a\"b'""#,
        r"'\d\s'",
        r"'\b'",
        "[[\nx\n]]",
        "[==[a]]b]==]",
        "''",
        r"'\255'",
        r"'\1234'",
    ] {
        body(&format!(
            "if e:gets('no', {literal}) == {literal} then log('same') else log('not') end"
        ));
        let text = format!(
            "function on_logline(e) if e:gets('no', {literal}) == 'x' then log('x') end end"
        );
        let spared = same(&text);
        assert!(
            spared == EVENTS.len() || literal.contains("255"),
            "{literal}"
        );
    }
}

#[test]
fn beginnings_that_cost_much_are_left_to_lua() {
    let parts = "if e:gets('a'):lower():search('b+c') then log('x') end ".repeat(1_000);
    body(&parts);
    let deep = format!("{}e:get('a'){}", "(".repeat(90), ")".repeat(90));
    body(&format!("if {deep} then log('x') end"));
    body(&format!(
        "{}{}",
        "if e:get('id') then ".repeat(60),
        " end ".repeat(60)
    ));
    body(&format!(
        "if e:gets('id'){} == 'x' then log('x') end",
        ":lower()".repeat(100)
    ));
    let long = format!(r#"{{"a":"{}"}}"#, "x".repeat(200_000));
    let event = Event::read(long.as_bytes()).unwrap();
    let mut running =
        load("function on_logline(e) if e:gets('a'):lower() == 'x' then log('x') end end");
    let shared = Running::shared(&running).clone();
    assert!(!running.guard.as_mut().unwrap().is_done(&event, &shared));
    assert!(running.event(&event).is_empty());
}

#[test]
fn a_guard_that_lets_most_events_pass_rests() {
    let mut running = load("function on_logline(e) if e:get('id') then n = 1 end end");
    let event = Event::read(EVENTS[0].as_bytes()).unwrap();
    let other = Event::read(b"{}").unwrap();
    let shared = Running::shared(&running).clone();
    let guard = running.guard.as_mut().unwrap();
    assert!(guard.is_done(&other, &shared));
    for _ in 0..super::LOOK {
        assert!(!guard.is_done(&event, &shared));
    }
    assert!(!guard.is_done(&other, &shared));
    for _ in 0..super::REST {
        guard.is_done(&event, &shared);
    }
    assert!(guard.is_done(&other, &shared));
}
