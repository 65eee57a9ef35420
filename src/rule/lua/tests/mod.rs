mod hostile;

use super::*;
use crate::eval::Value;
use crate::rule::alert::Alert;
use crate::rule::event::Event;

fn event(text: &str) -> Event {
    Event::read(text.as_bytes()).unwrap()
}

fn load(text: &str) -> Running {
    Running::load(text, Options::default()).unwrap()
}

/// A rule that runs `body` on every event and raises what `it` shows.
fn rule(body: &str) -> Running {
    load(&format!(
        "function it(...) local t = {{}} for i = 1, select('#', ...) do t[i] = tostring((select(i, ...))) end \
         alert({{template = table.concat(t, '|')}}) end\nfunction on_logline(e)\n{body}\nend"
    ))
}

fn told(running: &mut Running) -> String {
    let notes = running.notes().0;
    let lines = notes
        .iter()
        .map(|n| format!("{:?} {} {:?} {}", n.kind, n.entry, n.line, n.text));
    lines.collect::<Vec<_>>().join("\n")
}

/// What `it` shows for one event.
#[track_caller]
fn shows(body: &str, text: &str) -> String {
    let mut running = rule(body);
    let alerts = running.event(&event(text));
    assert!(!alerts.is_empty(), "{}", told(&mut running));
    alerts
        .iter()
        .map(|a| a.template.clone())
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn events_are_read_by_paths() {
    let text = r#"{"a":{"b":"x","n":4104,"l":["p","q"],"d":1.5,"t":true},"e":"","z":null,"big":1700000000123}"#;
    assert_eq!(
        shows(
            "it(e:get('a.b'), e:get('a.n') == 4104, e:get('a.l.1'), e:get('a.x'))",
            text
        ),
        "x|true|q|nil"
    );
    assert_eq!(
        shows(
            "it(e:get('z', 'd'), e:get('a.x', ''), e:get('e', 'd'))",
            text
        ),
        "d||"
    );
    assert_eq!(
        shows(
            "it(e:gets('a.n'), e:gets('a.d'), e:gets('a.t'), e:gets('a.l'), e:gets('q'))",
            text
        ),
        "4104|1.5|true|p,q|"
    );
    assert_eq!(
        shows(
            "it(e:gets('big'), e:gets('q', 'd'), e:gets('e', 'd'), #e:gets('z'))",
            text
        ),
        "1700000000123|d||0"
    );
    assert_eq!(
        shows(
            "it(e:get_asset_data('a.l'), e:get_asset_data(''), e:get_asset_data('a.n'))",
            text
        ),
        "p||4104"
    );
    assert_eq!(
        shows("it(e.a.b, e:get('a').l[2], #e:get('a.l'), e.nothing)", text),
        "x|q|2|nil"
    );
    assert_eq!(
        shows(
            "e.short = 'y' e:set('a.b', 2) it(e.short, e:get('a.b'))",
            text
        ),
        "y|2"
    );
    assert_eq!(
        shows(
            "it(get_field_value(e, 'a.b'), get_field_value(e, 'q', 7))",
            text
        ),
        "x|7"
    );
    assert_eq!(
        shows(
            "local v = get_fields_value(e, {'a.b', 'q', 'a.l.0'}) it(v[1], v[2], v[3])",
            text
        ),
        "x|nil|p"
    );
    assert_eq!(
        shows(
            "set_field_value(e, 'a.new', 0x1ad4) it(e:gets('a.new'), e:get('a.b'))",
            text
        ),
        "6868|x"
    );
    assert_eq!(
        shows("set_field_value(e, 'a.b', nil) it(e:get('a.b'))", text),
        "nil"
    );
    assert_eq!(
        shows("it(e:get(nil), e:gets(nil), e:get(12, 'd'))", text),
        "nil||d"
    );
}

#[test]
fn comparisons_take_numbers_and_texts() {
    let ops = "it(compare('4688', '==', 4688), compare(4688, '==', '4688'), compare('3', EQ, 3), compare('a', '==', 'A'), compare('Я', EQ | IGNORE_CASE, 'я'))";
    assert_eq!(shows(ops, "{}"), "true|true|true|false|true");
    assert_eq!(
        shows(
            "it(compare('10', '>', '9'), compare('b', '>=', 'a'), compare(nil, '==', nil), compare(nil, '==', ''), compare(nil, '~=', ''))",
            "{}"
        ),
        "true|true|true|false|true"
    );
    assert_eq!(
        shows(
            "it(nil >= 1, {} > 1, '2' > 1, 2 > 1, 'b' > 'a', true < false)",
            "{}"
        ),
        "false|false|false|true|true|false"
    );
    assert_eq!(
        shows(
            "local m = setmetatable({}, {__lt = function() return true end}) it(m < m, {} < {})",
            "{}"
        ),
        "true|false"
    );
    assert_eq!(
        shows("it(6 & 3, 6 | 3, 6 ~ 3, 1 << 4, 256 >> 4, 2 ^ 1 | 2)", "{}"),
        "2|7|5|16|16|8"
    );
    let mut running = rule("compare(1, '=>', 2)");
    running.event(&event("{}"));
    assert!(
        told(&mut running).contains("not =>"),
        "{}",
        told(&mut running)
    );
}

#[test]
fn lists_and_texts_are_searched() {
    let lists = "local l = {'cmd.exe', 'powershell', 12} it(contains(l, 'cmd.exe'), contains(l, 'a cmd.exe b'), contains(l, 'a cmd.exe b', 'sub'), contains(l, 'powershell.exe', 'prefix'), contains(l, 'x powershell', 'suffix'), contains(l, '12'), contains(l, nil))";
    assert_eq!(shows(lists, "{}"), "true|false|true|true|true|true|false");
    assert_eq!(
        shows(
            "it(substr('abc', 'b'), substr('abc', 'b', 'pref'), substr('abc', 'a', 'pref'), substr('abc', 'c', 'suff'), substr(nil, 'a'))",
            "{}"
        ),
        "true|false|true|true|false"
    );
    assert_eq!(
        shows(
            r#"it(("Cmd /C я"):search("(?i)cmd\s+/c"), ("я"):search("\w"), search("a.b", [[a\.b]]), ("x"):contains("x"))"#,
            "{}"
        ),
        "true|false|true|true"
    );
    assert_eq!(
        shows(
            "it(('ПРИВЕТ Abc'):lower(), string.upper('ы1z'), ('a\\255Я'):lower() == 'a\\255я')",
            "{}"
        ),
        "привет abc|Ы1Z|true"
    );
    assert_eq!(
        shows(
            "it(('a.b'):find('.', 1, true), ('abc'):find('b'), ('abc'):find('z'), ('aab'):find('a', -2), ('x'):find('', 10))",
            "{}"
        ),
        "2|2|nil|2|2|1"
    );
    assert_eq!(
        shows(
            "it(('k=v'):match('(%w)=(%w)'), (('a1b2'):gsub('%d', '')))",
            "{}"
        ),
        "k|ab"
    );
}

#[test]
fn numbers_are_read_as_gopher_lua_reads_them() {
    let numbers = "it(tonumber('0x1f', 16), tonumber('1f', 16), tonumber('0x1f'), tonumber('1e3'), tonumber('1.5e3'), tonumber(' 12 '), tonumber('x'), tonumber(nil), tonumber('99999999999999999999'))";
    assert_eq!(shows(numbers, "{}"), "nil|31|31|nil|1500|12|nil|nil|nil");
    assert_eq!(
        shows("it(10 / 2 .. '', 1700000000123 .. '', 0.5 .. '')", "{}"),
        "5|1700000000123|0.5"
    );
}

#[test]
fn texts_are_formatted_as_gopher_lua_does() {
    let format = "it(string.format('%d|%5.1f|%s|%x|%05d|%-4s|%i|%%|%s|%s', 12, 1.25, 'a', 255, 7, 'b', 3, nil, true), ('%d'):format('x'), ('%q'):format('z'))";
    assert_eq!(
        shows(format, "{}"),
        "12|  1.2|a|ff|00007|b   |3|%|nil|true|0|\"z\""
    );
}

#[test]
fn alerts_have_defaults_and_take_what_rules_give() {
    let mut running = rule(
        "alert({logs = {e, e}, mitre = {'T1', 'T2.001'}, risk_level = 6.5, asset_ip = e:get('nothing'), create_incident = true, meta = {n = 1, list = {{a = 'x'}}}, unknown = 1})\nalert({mitre = 1078, logs = {{e}, e}, trim_logs = 1})",
    );
    let alerts = running.event(&event(r#"{"@timestamp":"2024-05-01T10:00:00Z","a":1}"#));
    let [first, second] = <[Alert; 2]>::try_from(alerts).unwrap();
    assert_eq!(first.time, 1_714_557_600_000);
    assert_eq!(
        (first.risk_level, first.trim_logs, first.logs.len()),
        (6.5, 1000, 2)
    );
    assert!(first.create_incident && !first.assign_to_customer && first.asset_ip.is_empty());
    assert_eq!(first.mitre, ["T1", "T2.001"]);
    let meta = |path: &str| match &first.meta {
        Value::Map(map) => crate::rule::event::get(map, path).map(|v| textual(&v).to_string()),
        _ => None,
    };
    assert_eq!(
        (meta("n").as_deref(), meta("list.0.a").as_deref()),
        (Some("1"), Some("x"))
    );
    assert_eq!(
        (second.risk_level, second.logs_total, second.logs.len()),
        (2.0, 2, 1)
    );
    assert_eq!(second.mitre, ["1078"]);
    assert_eq!(format!("{:?}", second.meta), "Map({})");
    assert!(second.to_map().len() == 20);
}

#[test]
fn templates_see_the_first_event_and_the_meta_table() {
    let text = r#"alert({template = [[{{ .First.a.b }} {{ .Meta.n }} {{ or .Meta.ip "none" }}{{ .Meta.ip }}]], meta = {n = 7}, logs = {e}})
      alert({template = "{{ .First.a.b.c }} x", logs = {e}}) alert({template = "{{ if }}"}) alert({template = "plain"})"#;
    let mut running = rule(text);
    let alerts = running.event(&event(r#"{"a":{"b":"x"}}"#));
    let texts: Vec<&str> = alerts.iter().map(|a| a.text.as_str()).collect();
    assert_eq!(
        texts,
        [
            "x 7 none<no value>",
            "{{ .First.a.b.c }} x",
            "{{ if }}",
            "plain"
        ]
    );
    let failed: Vec<bool> = alerts.iter().map(|a| a.template_error.is_some()).collect();
    assert_eq!(failed, [false, true, true, false]);
    assert!(told(&mut running).contains("the template of the alert"));
}

#[test]
fn groups_call_the_rule() {
    let text = r#"
function on_logline(e) g:feed(e) end
function on_grouped(grouped)
  local d = grouped.aggregatedData
  if d.unique.total > 2 then
    g:clear()
    alert({template = d.aggregated.total .. " " .. #d.loglines .. " " .. d.loglines[1]:gets("n"), logs = d.loglines})
  end
end
g = grouper.new({"host"}, {"img"}, "@timestamp,RFC3339", "1m", on_grouped)
"#;
    let mut running = load(text);
    let mut alerts = Vec::new();
    for (n, (host, img)) in [
        ("h", "a"),
        ("h", "b"),
        ("o", "c"),
        ("h", "a"),
        ("h", "c"),
        ("h", "x"),
    ]
    .iter()
    .enumerate()
    {
        alerts.extend(running.event(&event(&format!(
            r#"{{"@timestamp":"2024-05-01T10:00:{n:02}Z","host":"{host}","img":"{img}","n":{n}}}"#
        ))));
    }
    assert_eq!(told(&mut running), "");
    let texts: Vec<&str> = alerts.iter().map(|a| a.template.as_str()).collect();
    assert_eq!(texts, ["4 4 0"]);
    let counters = running.counters();
    assert_eq!((counters[0].calls, counters[1].calls), (6, 6));
    assert_eq!(counters[1].name, "on_grouped");

    let saved = running.save().unwrap();
    let mut again = load(text);
    assert_eq!(again.restore(&saved).unwrap(), 1);
    let alerts: Vec<Alert> = ["p", "q"]
        .iter()
        .flat_map(|img| {
            again.event(&event(&format!(
                r#"{{"@timestamp":"2024-05-01T10:00:09Z","host":"h","img":"{img}"}}"#
            )))
        })
        .collect();
    assert_eq!(alerts[0].template, "3 3 5");
}

#[test]
fn a_batch_calls_once_for_each_group() {
    let text = r#"
function on_logline(e) g:feed(e) end
function on_grouped(grouped) alert({template = tostring(grouped.aggregatedData.aggregated.total)}) g:clear() end
g = grouper.new({"h"}, {}, "@timestamp", "1m", on_grouped)"#;
    let options = Options {
        when: When::AfterBatch,
        ..Options::default()
    };
    let mut running = Running::load(text, options).unwrap();
    for h in ["a", "b", "a"] {
        let alerts = running.event(&event(&format!(
            r#"{{"@timestamp":"2024-05-01T10:00:00Z","h":"{h}"}}"#
        )));
        assert!(alerts.is_empty());
    }
    let alerts = running.end_batch();
    let texts: Vec<&str> = alerts.iter().map(|a| a.template.as_str()).collect();
    assert_eq!(texts, ["2", "1"]);
    assert!(running.end_batch().is_empty());
}

#[test]
fn patterns_call_the_rule_for_each_match() {
    let text = r#"
function on_logline(e) g:feed(e) end
function on_matched(grouped, matched)
  alert({template = matched.loglines[1]:gets("id") .. matched.loglines[2]:gets("id") .. #grouped.aggregatedData.loglines})
  return true
end
g = grouper.new_pattern_matcher({"h"}, {}, {"@timestamp"},
  {{field = "id", values = {"13"}, count = 1}, {field = "id", values = {12}, count = 1}}, "@timestamp,RFC3339", "5m", on_matched)"#;
    let feed = |running: &mut Running, ids: &[&str]| -> Vec<String> {
        let events = ids.iter().enumerate().map(|(n, id)| {
            event(&format!(
                r#"{{"@timestamp":"2024-05-01T10:00:{n:02}Z","id":"{id}","h":1}}"#
            ))
        });
        events
            .flat_map(|e| running.event(&e))
            .map(|a| a.template)
            .collect()
    };
    assert_eq!(feed(&mut load(text), &["13", "99", "12", "12"]), ["13123"]);
    assert!(feed(&mut load(text), &["12", "13", "13"]).is_empty());
    let short = text.replace("{\"@timestamp\"},\n", "");
    assert_eq!(feed(&mut load(&short), &["13", "12"]), ["13122"]);
}

#[test]
fn callbacks_feed_other_groups_and_their_errors_stop_nothing() {
    let text = r#"
function on_logline(e) a:feed(e) log("after") end
function first(grouped)
  local e = grouped.aggregatedData.loglines[1]
  set_field_value(e, "kind", "x" .. grouped.aggregatedData.aggregated.total)
  b:feed(e) b:clear()
  error("on purpose")
end
function second(grouped) alert({template = grouped.aggregatedData.loglines[1]:gets("kind")}) end
a = grouper.new({}, {}, "", "1m", first)
b = grouper.new({"kind"}, {}, "", "1m", second)"#;
    let mut running = load(text);
    assert_eq!(running.event(&event("{}"))[0].template, "x1");
    assert_eq!(
        told(&mut running),
        "Error first Some(7) on purpose\nLog on_logline None after"
    );
    let counters = running.counters();
    assert_eq!(
        (counters[0].errors, counters[1].errors, counters[2].calls),
        (0, 1, 1)
    );
}

#[test]
fn groups_that_feed_themselves_end() {
    let mut running = load(
        "function on_logline(e) g:feed(e) end function again(d) g:feed(d.aggregatedData.loglines[1]) end g = grouper.new({}, {}, '', '1m', again)",
    );
    running.event(&event("{}"));
    assert!(told(&mut running).contains("16 levels"));
}

#[test]
fn table_lists_are_read_and_written() {
    let body = "local s = storage.new('list|rule') it(s:get('k', 'c'), s:count()) s:set('k', 'c', 'v') s:set('k', 'd', 2, '1h') it(s:get('k', 'c'), s:get('k').d, s:get_values('k').c, s:search('c', 'v'), s:search('d', '2'), s:search('k'), s:get(nil, 'c'), s:get('k', 'x'), s:count()) s:truncate() it(s:count(), s:get('k'))";
    assert_eq!(
        shows(body, "{}"),
        "nil|0\nv|2|v|true|true|true|nil|nil|1\n0|nil"
    );
}

#[test]
fn modules_run_before_the_rule() {
    let module = |name: &str, text: &str| Module {
        name: name.into(),
        text: text.into(),
    };
    let options = Options {
        modules: vec![module("lists", "shared = 'seen' return {bad = {'x'}}")],
        ..Options::default()
    };
    let text = "local l = require('lists') function on_logline(e) alert({template = shared .. l.bad[1]}) end";
    let mut running = Running::load(text, options).unwrap();
    assert_eq!(running.event(&event("{}"))[0].template, "seenx");
    let fault = Running::load("require('none')", Options::default())
        .err()
        .unwrap();
    assert!(
        fault.message.contains("no module none"),
        "{}",
        fault.message
    );
}

#[test]
fn what_happens_in_a_module_tells_its_line() {
    let lists = Module {
        name: "lists".into(),
        text: "function bad(e)\n  return e.x.y\nend\nfunction long()\n  local n = 0\n  while true do\n n = n + 1 end\nend".into(),
    };
    let first = Module {
        name: "first".into(),
        text: "one = 1".into(),
    };
    let options = || Options {
        modules: vec![first.clone(), lists.clone()],
        ..Options::default()
    };
    let said = |text: &str| {
        let mut running = Running::load(text, options()).unwrap();
        running.event(&event("{}"));
        let note = running.notes().0.remove(0);
        (note.line, note.text)
    };
    let (line, text) = said("function on_logline(e)\n bad({}) end");
    assert_eq!(line, None);
    assert!(text.starts_with("module lists, line 2: "), "{text}");
    let (line, text) = said("\nfunction on_logline(e)\n long() end");
    assert_eq!(line, None);
    let known = [
        "module lists, line 6: stopped",
        "module lists, line 7: stopped",
    ];
    assert!(known.iter().any(|start| text.starts_with(start)), "{text}");
    // The rule's own lines are told as before.
    let (line, text) = said("function on_logline(e)\n local x = nil\n return x.y end");
    assert_eq!(line, Some(3), "{text}");
    assert!(!text.contains("module"), "{text}");
    // Also what is wrong when the rule is loaded.
    let fault = Running::load("x = 1\nbad({})", options()).err().unwrap();
    assert!(
        fault.message.starts_with("module lists, line 2: "),
        "{}",
        fault.message
    );
    assert!(fault.position().is_none());
}

#[test]
fn errors_of_loading_tell_the_line() {
    let place = |text: &str| {
        let fault = Running::load(text, Options::default()).err().unwrap();
        (fault.position().map(|p| p.line), fault.message.clone())
    };
    assert_eq!(place("x = 1\nx = = 2").0, Some(2));
    let (line, message) = place("x = 1\n\n  x.y.z = 2");
    assert_eq!(line, Some(3), "{message}");
    assert_eq!(
        place("\ngrouper.new({}, {}, '@timestamp', '5 minutes', print)").0,
        Some(2)
    );
    assert_eq!(place("\n\nerror('no')"), (Some(3), "no".to_string()));
    assert_eq!(
        place("while true do end").1,
        "the call took longer than it may"
    );
}

#[test]
fn a_name_may_be_used_again() {
    let text = "function on_logline(e) grouper:feed(e) end function f(g) alert({}) end grouper = grouper.new({}, {}, '', '1m', f)";
    assert_eq!(load(text).event(&event("{}")).len(), 1);
}

#[test]
fn lower_and_upper_map_every_character_by_itself() {
    assert_eq!(strings::lower("İΣ".as_bytes()), "iσ".as_bytes());
    assert_eq!(strings::upper("ßᾳǰ".as_bytes()), "ßᾼǰ".as_bytes());
}

#[test]
fn texts_of_values_are_those_of_go() {
    let text = |value: Value| textual(&value).to_string();
    assert_eq!(text(Value::Double(1e21)), "1e+21");
    assert_eq!(text(Value::Double(1.5e-7)), "1.5e-07");
    assert_eq!(text(Value::Double(123456789.5)), "123456789.5");
    assert_eq!(text(Value::Double(f64::INFINITY)), "+Inf");
    assert_eq!(text(Value::Double(-0.25)), "-0.25");
    assert_eq!(text(Value::Double(12.0)), "12");
}

#[test]
fn an_alert_has_the_time_that_a_grouper_reads_where_there_is_no_timestamp() {
    let mut running = load(
        r#"function on_logline(e) g:feed(e) alert({template = "one"}) end
        function on_grouped(d) alert({template = "group", logs = d.aggregatedData.loglines}) end
        g = grouper.new({"u"}, {}, "at,Unix", "1h", on_grouped)"#,
    );
    let times = |alerts: Vec<Alert>| -> Vec<(i64, bool)> {
        alerts.iter().map(|one| (one.time, one.own_time)).collect()
    };
    let own = times(running.event(&event(r#"{"u":"a","at":1700000000}"#)));
    assert_eq!(own, [(1_700_000_000_000, true); 2]);
    let both = r#"{"u":"a","at":1700000000,"@timestamp":"2024-05-01T10:00:00Z"}"#;
    assert_eq!(times(running.event(&event(both)))[0].0, 1_714_557_600_000);
    // One without any has that of the event before.
    let none = times(running.event(&event(r#"{"u":"a"}"#)));
    assert_eq!(none, [(1_714_557_600_000, false); 2]);
}
