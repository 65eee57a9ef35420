//! Rules that take too much, and rules that reach for what is not theirs.

use super::*;
use std::time::Instant;

/// One stop within its limit, then a healthy state.
#[track_caller]
fn stopped(body: &str) {
    let mut running = rule(&format!("if e:get('bad') then {body} end it('fine')"));
    let began = Instant::now();
    let raised = running.event(&event(r#"{"bad":1}"#));
    let took = began.elapsed();
    // Far from the limit, for machines that have other things to do; endless loops would never end.
    assert!(took.as_secs() < 20, "{body}: {took:?}");
    let said = told(&mut running);
    assert!(
        said.contains("Stop on_logline") || said.contains("Error on_logline"),
        "{body}: {said}"
    );
    assert!(
        raised.is_empty() || body.contains("alert"),
        "{body}: {raised:?}"
    );
    let alerts = running.event(&event("{}"));
    assert_eq!(alerts.len(), 1, "{body}: {}", told(&mut running));
}

#[test]
fn whatever_takes_too_much_is_stopped_and_the_rule_lives_on() {
    for body in [
        "while true do end",
        "while true do pcall(function() while true do end end) end",
        "while true do pcall(error) end",
        "local co = coroutine.wrap(function() while true do coroutine.yield(1) end end) while true do co() end",
        "local co = coroutine.create(function() while true do end end) while true do coroutine.resume(co) end",
        "xpcall(function() while true do end end, function() while true do end end)",
        "local t = {} while true do t[#t + 1] = {} end",
        "local s = 'x' while true do s = s .. s end",
        "local s = ('x'):rep(1e9)",
        "t = {} for i = 1, 1e9 do t[i] = ('x'):rep(1000) .. i end",
        "pcall(string.rep, 'x', 1e9) while true do end",
        "local s = ('a'):rep(100000) s:find(('a*'):rep(30) .. 'b')",
        "local s = ('a'):rep(300000) s:match('.-.-.-.-.-b')",
        "local s = ('a'):rep(300000) s:gsub('.-.-.-.-b', '')",
        "local s = ('a'):rep(300000) for x in s:gmatch('.-.-.-b') do end",
        "local function f() return f() + 1 end f()",
        "local function f() return (pcall(f)) end while true do f() end",
        "local t = setmetatable({}, {}) getmetatable(t).__index = function(t, k) return t[k .. 'x'] end local x = t.a",
        "while true do alert({}) end",
        "local t = {} for i = 1, 300000 do t[i] = -i end while true do table.sort(t) end",
        "local t = {} for i = 1, 1e9 do table.insert(t, 1, i) end",
        "while true do log(('x'):rep(1000)) end",
        "local t = {} for i = 1, 1e6 do t[i] = 'y' .. i end while true do contains(t, 'z', 'sub') end",
        "local l = {} while true do l = {l} end",
        "kept = kept or {} while true do kept[#kept + 1] = e:get('big', {1, 2, 3}) end",
        "while true do set_field_value(e, 'x' .. math.random(), 1) end",
        "local s = storage.new('t') while true do s:set('k' .. math.random(), 'c', ('x'):rep(1000)) end",
        "local s = ('x'):rep(2000000) s:search('x*y')",
        "local s = ('a'):rep(1000000) while true do s:search('(a?){50}b') end",
        "for i = 1, 1e9 do ('x'):search('x' .. i) end",
        "unpack({}, 1, 1e8)",
        "string.format('%999999s%999999s', 'x', 'y')",
        "local t = {} t.t = t alert({meta = t})",
        "local t = {} t.t = t set_field_value(e, 'x', t)",
    ] {
        stopped(body);
    }
}

#[test]
fn a_stop_tells_its_line() {
    for (body, line) in [
        ("local x = 1\nwhile true do x = x + 1 end", 3),
        ("pcall(function()\n\nwhile true do end\nend)", 4),
        ("local function f()\nwhile true do end\nend\nf()", 3),
        (
            "local co = coroutine.wrap(function()\nwhile true do end\nend)\nco()",
            3,
        ),
    ] {
        let text = format!("function on_logline(e)\n{body}\nend");
        let mut running = Running::load(&text, Options::default()).unwrap();
        running.event(&event("{}"));
        let (notes, _) = running.notes();
        let stop = notes.iter().find(|note| note.kind == NoteKind::Stop);
        assert_eq!(stop.unwrap().line, Some(line), "{body}");
    }
}

#[test]
fn nothing_outside_can_be_reached() {
    for name in [
        "io",
        "debug",
        "package",
        "dofile",
        "loadfile",
        "load",
        "loadstring",
        "getfenv",
        "setfenv",
        "collectgarbage",
        "newproxy",
        "buffer",
        "utf8",
        "os.execute",
        "os.getenv",
        "os.remove",
        "os.exit",
        "os.rename",
        "string.dump",
        "string.pack",
        "table.move",
        "table.create",
        "module",
        "vector",
        "bit32",
        "gcinfo",
    ] {
        assert_eq!(shows(&format!("it(type({name}))"), "{}"), "nil", "{name}");
    }
    for body in [
        "string.lower = function() return 'x' end",
        "getmetatable('').__index = {}",
        "getmetatable('').__index.lower = print",
        "table.insert = nil",
        "setmetatable(string, {})",
        "rawset(string, 'lower', print)",
        "getmetatable(e).__index = print",
        "setmetatable(_G or {}, nil) string.x = 1",
        "require('os')",
        "storage.new = nil",
        "rawset(storage, 'new', nil)",
        "grouper.new = nil",
    ] {
        let mut running = rule(&format!(
            "if e:get('bad') then {body} end it(('A'):lower())"
        ));
        running.event(&event(r#"{"bad":1}"#));
        assert!(told(&mut running).contains("Error"), "{body}");
        assert_eq!(running.event(&event("{}"))[0].template, "a", "{body}");
    }
}

#[test]
fn three_stops_within_a_minute_suspend_a_rule() {
    let now = Arc::new(std::sync::atomic::AtomicI64::new(0));
    let clock = now.clone();
    let options = Options {
        now: Arc::new(move || clock.load(std::sync::atomic::Ordering::Relaxed)),
        ..Options::default()
    };
    let mut running =
        Running::load("function on_logline(e) while true do end end", options).unwrap();
    for minute in 1..4 {
        assert!(running.event(&event("{}")).is_empty());
        now.store(minute * 40_000, std::sync::atomic::Ordering::Relaxed);
    }
    assert!(running.suspended().is_none());
    running.event(&event("{}"));
    let alerts = running.event(&event("{}"));
    assert!(
        alerts[0].text.contains("stopped 3 times within a minute"),
        "{}",
        alerts[0].text
    );
    assert!(running.suspended().is_some());
    assert!(running.event(&event("{}")).is_empty());
    assert_eq!(running.counters()[0].stops, 5);
}

#[test]
fn what_a_rule_keeps_in_its_values_is_bounded() {
    let mut running = load("kept = {} function on_logline(e) kept[#kept + 1] = e end");
    let text = format!(r#"{{"x":"{}"}}"#, "y".repeat(100_000));
    let mut stops = 0;
    for _ in 0..800 {
        running.event(&event(&text));
        assert!(running.memory() < 70 << 20);
        stops = running.counters()[0].stops;
    }
    assert!(stops >= 1);

    let mut running = load(
        "kept = {} n = 0 function on_logline(e) n = n + 1 kept[n] = ('x'):rep(100000) .. n end",
    );
    for _ in 0..500 {
        running.event(&event("{}"));
    }
    assert!(told(&mut running).contains("begins anew"));
}
