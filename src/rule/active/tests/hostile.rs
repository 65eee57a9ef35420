//! Bad rules beside a good one.

use super::*;
use crate::diagnostic::Outcome;
use smol_str::SmolStr;

const BAD: &[(&str, &str)] = &[
    ("endless", "while true do end"),
    (
        "caught",
        "while true do pcall(function() while true do end end) end",
    ),
    (
        "memory",
        "t = t or {} while true do t[#t + 1] = ('x'):rep(1000) .. #t end",
    ),
    ("flood", "while true do alert({template = 'flood'}) end"),
    (
        "search",
        "local s = ('a'):rep(300000) s:match('.-.-.-.-.-b')",
    ),
    (
        "table",
        "local s = storage.new('t') while true do s:set('k' .. math.random(), 'c', 1) end",
    ),
    ("error", "local x = nil + 1"),
];

#[test]
fn bad_rules_are_suspended_and_a_good_one_raises_all_its_alerts() {
    let world = world();
    world.rule("good", &each("good"), json!({}));
    for (name, body) in BAD {
        world.rule(
            name,
            &format!("function on_logline(e) {body} end"),
            json!({}),
        );
    }
    world.entity(EntityKind::Filter, "bad", "TO_INTEGER(n) + 'x'");
    world.related(
        "filtered",
        &each("filtered"),
        json!({}),
        &[(Relation::Filters, &["bad"])],
    );
    let fleet = world.start(hasty());
    let mut raised = Vec::new();
    let mut said = 0;
    for batch in 0..5 {
        let done = fleet.run(numbered(batch * 4..batch * 4 + 4)).unwrap();
        raised.extend(done.raised);
        said += done.said.len() as u64 + done.lost;
    }
    let good = raised.iter().filter(|one| one.rule == "good");
    let good: Vec<String> = good.map(|one| one.alert.text.clone()).collect();
    let wanted: Vec<String> = (0..20).map(|n| format!("good {n}")).collect();
    assert_eq!(good, wanted);
    assert!(said > 0);
    for one in fleet.metrics() {
        let bad = !["good", "error", "filtered", "table"].contains(&one.name.as_str());
        if bad {
            let why = one.suspended.clone().unwrap_or_default();
            assert!(why.contains("stopped 3 times"), "{one:?}");
            let notices = raised.iter().filter(|r| r.rule == one.id && r.notice);
            assert_eq!(notices.count(), 1, "{one:?}");
        }
        if ["error", "filtered", "table"].contains(&one.name.as_str()) {
            assert!(one.errors + one.stops > 0, "{one:?}");
        }
    }
}

/// Table lists that need their time.
struct Slow(std::sync::atomic::AtomicUsize);

impl crate::rule::tables::Tables for Slow {
    fn row(&self, _: &str, _: &str, _: i64) -> Outcome<Option<crate::rule::tables::Row>> {
        self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        std::thread::sleep(Duration::from_millis(400));
        Ok(None)
    }

    fn search(&self, _: &str, _: &str, _: &str, _: i64) -> Outcome<Option<SmolStr>> {
        Ok(None)
    }

    fn set(
        &self,
        _: &str,
        _: &str,
        _: &str,
        _: crate::eval::Value,
        _: Option<Duration>,
        _: i64,
    ) -> Outcome<()> {
        Ok(())
    }

    fn remove(&self, _: &str, _: &str) -> Outcome<bool> {
        Ok(false)
    }

    fn count(&self, _: &str, _: i64) -> Outcome<usize> {
        Ok(0)
    }

    fn truncate(&self, _: &str) -> Outcome<()> {
        Ok(())
    }
}

#[test]
fn a_call_waits_for_table_lists_a_while_only() {
    let world = world();
    let lua = "local s = storage.new('t')
        function on_logline(e) for i = 1, 100 do s:get(i) end end";
    world.rule("R", lua, json!({}));
    let slow = Arc::new(Slow(Default::default()));
    let options = crate::rule::lua::Options {
        tables: slow.clone(),
        ..options(&world.context)
    };
    let mut lane = Lane::new(&world.context, options, Pace::Events);
    lane.take(Arc::new(world.find("R"))).unwrap();
    lane.event(0, &numbered(0..1)[0], &mut Vec::new());
    assert_eq!(slow.0.load(std::sync::atomic::Ordering::Relaxed), 3);
    // That is an error of the call, no reason to stop the rule.
    let metrics = &lane.metrics()[0];
    assert_eq!((metrics.errors, metrics.stops), (1, 0));
    let text = &lane.notes().0[0].note.text;
    assert!(text.contains("waited too long for table lists"), "{text}");
}

#[test]
fn a_state_that_is_made_anew_goes_on_counting() {
    let world = world();
    let lua = "local kept = {}
        local function many(d) kept = kept or {} end
        local g = grouper.new({'u'}, {}, '', '1h', many)
        function on_logline(e)
            g:feed(e)
            if e:get('n') == 2 then while true do kept[#kept + 1] = ('x'):rep(5000) .. #kept end end
        end";
    world.rule(
        "R",
        lua,
        json!({"function_metrics": true, "options": {"time_ms": 20000}}),
    );
    let mut lane = world.lane(&["R"]);
    for (at, event) in numbered(0..5).iter().enumerate() {
        lane.event(at, event, &mut Vec::new());
    }
    let metrics = &lane.metrics()[0];
    let calls: Vec<(&str, u64)> = metrics
        .functions
        .iter()
        .map(|one| (one.name.as_str(), one.calls))
        .collect();
    assert_eq!(calls, [("on_logline", 5), ("many", 5)]);
    assert_eq!(metrics.stops, 1);
    let said = lane.notes().0;
    assert!(
        said.iter().any(|one| one.note.text.contains("begins anew")),
        "{said:?}"
    );
}
