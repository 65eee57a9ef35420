//! What is kept in the store, and what happens while it is away.

use super::*;
use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::rule::store::{Change, Look, StoredTables};
use crate::rule::tables::Tables;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// A store that can be switched off.
struct Switched {
    store: Arc<dyn RuleStore>,
    away: Arc<AtomicBool>,
    asked: Arc<AtomicUsize>,
    /// How many of the next writes are refused for what they hold.
    refused: Arc<AtomicUsize>,
}

impl Switched {
    fn check(&self) -> Outcome<()> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        match self.away.load(Ordering::Relaxed) {
            true => Err(Diagnostic::new(Code::ServerFailed, "nobody answers")),
            false => Ok(()),
        }
    }
}

impl RuleStore for Switched {
    fn place(&self) -> String {
        self.store.place()
    }

    fn read(&self, within: Within<'_>, work: Look<'_>) -> Outcome<()> {
        self.check()?;
        self.store.read(within, work)
    }

    fn write(&self, within: Within<'_>, work: Change) -> Outcome<()> {
        self.check()?;
        let less = |left: usize| left.checked_sub(1);
        let order = Ordering::Relaxed;
        if self.refused.fetch_update(order, order, less).is_ok() {
            return Err(Diagnostic::new(Code::ArgumentValue, "not this one"));
        }
        self.store.write(within, work)
    }

    fn close(&self) {}
}

/// A world whose store can be switched off, and how often it was asked.
fn switched() -> (World, Arc<AtomicBool>, Arc<AtomicUsize>) {
    let (away, asked) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
    let world = world_on(|store| {
        Arc::new(Switched {
            store,
            away: away.clone(),
            asked: asked.clone(),
            refused: Arc::default(),
        })
    });
    (world, away, asked)
}

impl World {
    fn results(&self, id: &str) -> (i64, Vec<Json>) {
        let page = self.rules.results(id, (0, 1000), within(&self.context));
        let page = page.unwrap();
        (
            page.total,
            page.items.into_iter().map(|one| one.alert).collect(),
        )
    }
}

#[test]
fn results_counts_and_metrics_are_kept() {
    let world = world();
    let lua = "function on_logline(e) if e:get('n') == 1 then error('one') end
        alert({template = e:gets('n'), logs = {e}}) end";
    world.rule("R", lua, json!({"function_metrics": true}));
    world.rule("Bad", "x = = 1", json!({}));
    let before = world.stored("r");
    let fleet = world.start(hasty());
    fleet.run(numbered(0..3)).unwrap();
    assert!(fleet.end().is_empty());
    let (total, alerts) = world.results("r");
    assert_eq!(total, 2);
    assert_eq!(alerts[0]["text"], "2");
    assert_eq!(alerts[0]["rule_id"], "r");
    assert_eq!(alerts[0]["logs"][0]["n"], 2);
    let rule = world.stored("r");
    assert_eq!((rule.stats.result_count, rule.stats.error_count), (2, 1));
    assert_eq!(rule.is_error, 1);
    assert_ne!(rule.running_at, before.running_at);
    assert_eq!(world.stored("bad").is_error, 1);
    let stored = |id: &str| Metrics::stored(&world.rules, id, within(&world.context)).unwrap();
    let [(runner, _, metrics)] = &stored("r")[..] else {
        panic!("{:?}", stored("r"));
    };
    assert_eq!(runner, "rules");
    assert_eq!((metrics.events, metrics.alerts, metrics.errors), (3, 2, 1));
    assert_eq!(metrics.functions[0].calls, 3);
    assert!(stored("bad")[0].2.fault.is_some());
    // A start begins to count errors anew; the statistics stay.
    let fleet = world.start(hasty());
    fleet.run(numbered(5..6)).unwrap();
    drop(fleet);
    let rule = world.stored("r");
    assert_eq!((rule.stats.result_count, rule.stats.error_count), (3, 1));
    assert_eq!(rule.is_error, 0);
}

#[test]
fn a_fleet_may_leave_the_store_as_it_is() {
    let world = world();
    world.rule("R", &each("R"), json!({}));
    let before = world.stored("r");
    let fleet = world.start(Manner {
        results: false,
        counts: false,
        ..hasty()
    });
    fleet.run(numbered(0..3)).unwrap();
    drop(fleet);
    assert_eq!(world.stored("r"), before);
    assert_eq!(world.results("r").0, 0);
}

#[test]
fn groups_outlive_the_fleet_in_the_store() {
    let world = world();
    world.rule("R", &count("R"), json!({}));
    let keep = Manner {
        keep: Keep::Store,
        ..hasty()
    };
    for (n, text) in [(0, "R 1"), (1, "R 2"), (2, "R 3")] {
        let fleet = world.start(keep.clone());
        let done = fleet.run(users(n..n + 1)).unwrap();
        assert_eq!(texts(&done.raised), [text]);
        assert!(fleet.end().is_empty());
    }
    // Another runner has groups of its own.
    let other = Manner {
        runner: "other".into(),
        ..keep.clone()
    };
    let fleet = world.start(other);
    assert_eq!(texts(&fleet.run(users(3..4)).unwrap().raised), ["R 1"]);
    // Suspended and activated again while it runs: it goes on with its groups.
    let within = within(&world.context);
    for (active, rules) in [(false, 0), (true, 1)] {
        world.rules.set_active("r", active, within).unwrap();
        until("the change", || fleet.metrics().len() == rules);
        if !active {
            until("its groups", || {
                let state = world.rules.state("r", "groups:other", within);
                state.unwrap().is_some()
            });
        }
    }
    assert_eq!(texts(&fleet.run(users(4..5)).unwrap().raised), ["R 2"]);
    drop(fleet);
    // Saved while it runs, not only at the end.
    let often = Manner {
        runner: "often".into(),
        save: Duration::from_millis(1),
        ..keep
    };
    let fleet = world.start(often);
    fleet.run(users(4..5)).unwrap();
    until("a saved state", || {
        let state = world.rules.state("r", "groups:often", within);
        state.unwrap().is_some()
    });
    world.rules.delete("r", within).unwrap();
    drop(fleet);
    let left = world.rules.states("r", "", within).unwrap();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_damaged_state_is_said_and_the_rule_begins_without_groups() {
    let world = world();
    world.rule("R", &count("R"), json!({}));
    let within = within(&world.context);
    let damage = |data: &[u8]| {
        let saved = world
            .rules
            .save_state("r", "groups:rules", data.to_vec(), within);
        saved.unwrap();
    };
    let packed = zstd::encode_all(&br#"{"groupers":["no groups at all"]}"#[..], 1).unwrap();
    for bad in [&b"no state"[..], &packed] {
        damage(bad);
        let fleet = world.start(Manner {
            keep: Keep::Store,
            ..hasty()
        });
        let done = fleet.run(users(0..1)).unwrap();
        assert_eq!(texts(&done.raised), ["R 1"]);
        assert!(done.told.len() + done.said.len() > 0);
    }
}

#[test]
fn the_stream_goes_on_while_the_store_is_away_and_nothing_is_lost() {
    let (world, away, _) = switched();
    world.rule("R", &each("R"), json!({}));
    let fleet = world.start(hasty());
    away.store(true, Ordering::Relaxed);
    let mut told = Vec::new();
    let mut next = 0;
    until("the complaint", || {
        let done = fleet.run(numbered(next..next + 1)).unwrap();
        assert_eq!(texts(&done.raised), [format!("R {next}")]);
        next += 1;
        told.extend(done.told);
        !told.is_empty()
    });
    assert_eq!(told.len(), 1);
    assert!(
        told[0].contains("does not answer") && told[0].contains("nobody answers"),
        "{told:?}"
    );
    let many = fleet.run(numbered(next..next + 500)).unwrap();
    assert_eq!(many.raised.len(), 500);
    away.store(false, Ordering::Relaxed);
    until("the answer", || {
        told.extend(fleet.told());
        told.len() > 1
    });
    assert!(told[1].contains("answers again"), "{told:?}");
    let total = i64::from(next) + 500;
    assert!(fleet.end().is_empty());
    assert_eq!(world.results("r").0, total);
    assert_eq!(world.stored("r").stats.result_count, total);
}

#[test]
fn a_store_that_stays_away_is_said_at_the_end() {
    let (world, away, _) = switched();
    world.rule("R", &each("R"), json!({}));
    let fleet = world.start(hasty());
    away.store(true, Ordering::Relaxed);
    fleet.run(numbered(0..7)).unwrap();
    let said = fleet.end();
    assert!(
        said.iter()
            .any(|text| text == "7 alerts could not be stored"),
        "{said:?}"
    );
    // One that cannot be asked at the start is an error there.
    let start = Fleet::start(&world.context, Which::Active, Manner::default());
    assert_eq!(start.err().unwrap().code, Code::ServerFailed);
}

#[test]
fn an_alert_that_cannot_be_stored_does_not_keep_back_the_others() {
    let refused = Arc::<AtomicUsize>::default();
    let world = world_on(|store| {
        Arc::new(Switched {
            store,
            away: Arc::default(),
            asked: Arc::default(),
            refused: refused.clone(),
        })
    });
    world.rule("R", &each("R"), json!({}));
    let fleet = world.start(Manner {
        counts: false,
        ..hasty()
    });
    // All together, then the first one alone.
    refused.store(2, Ordering::Relaxed);
    fleet.run(numbered(0..5)).unwrap();
    let said = fleet.end();
    assert!(
        said.len() == 1 && said[0].contains("is not stored: not this one"),
        "{said:?}"
    );
    assert_eq!(world.results("r").0, 4);
}

#[test]
fn what_waits_for_the_store_is_bounded() {
    let (world, away, _) = switched();
    // Each alert has an event of about a megabyte of its own.
    let lua = "function on_logline(e) alert({template = 'x', logs = {e}}) end";
    world.rule("R", lua, json!({}));
    let fleet = world.start(hasty());
    away.store(true, Ordering::Relaxed);
    let mut raised = 0;
    for _ in 0..100 {
        let line = format!(r#"{{"big":"{}"}}"#, "x".repeat(1 << 20));
        let done = fleet.run(events(&[&line])).unwrap();
        raised += done.raised.len();
    }
    assert_eq!(raised, 100);
    let lost = fleet.board.pending.with(|held| held.lost);
    assert!((30..40).contains(&lost), "{lost}");
    away.store(false, Ordering::Relaxed);
    let mut told = fleet.told();
    until("the answer", || {
        told.extend(fleet.told());
        told.last()
            .is_some_and(|text| text.contains("answers again"))
    });
    assert!(
        told.last().unwrap().contains(&format!("{lost} alerts")),
        "{told:?}"
    );
    assert!(fleet.end().is_empty());
    assert_eq!(world.results("r").0, 100 - lost as i64);
}

#[test]
fn table_lists_of_a_store_that_is_away_are_not_asked_again_and_again() {
    let (world, away, asked) = switched();
    let stored = StoredTables::new(&world.rules, &world.context.cancel, crate::rule::identifier);
    let tables = PatientTables::new(Arc::new(stored));
    tables.set("t", "k", "c", 1.into(), None, 0).unwrap();
    away.store(true, Ordering::Relaxed);
    let before = asked.load(Ordering::Relaxed);
    for n in 0..1000 {
        assert!(tables.row("t", &format!("k{n}"), 0).is_err());
    }
    let times = asked.load(Ordering::Relaxed) - before;
    assert!(times < 100, "asked {times} times");
    away.store(false, Ordering::Relaxed);
    until("the answer", || tables.row("t", "k", 0).is_ok());
}
