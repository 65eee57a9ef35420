//! Rules at work, with the embedded store.

mod fleet;
mod hostile;
mod lane;
mod store;

use super::*;
use crate::config::FixedClock;
use crate::engine::Engine;
use crate::eval::Context;
use crate::rule::event::Event;
use crate::rule::model::{Entity, EntityKind, Making, Relation, Relations, Rule};
use crate::rule::store::{Embedded, RULE, RuleStore, Rules};
use crate::rule::trial::Written;
use crate::store::{Deadline, Store, Within};
use serde_json::{Value as Json, json};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a state is waited for.
const LONG: Duration = Duration::from_secs(60);

pub struct World {
    pub context: Context,
    pub rules: Rules,
    _folder: tempfile::TempDir,
}

pub fn world() -> World {
    world_on(|store| store)
}

pub fn world_on(wrap: impl FnOnce(Arc<dyn RuleStore>) -> Arc<dyn RuleStore>) -> World {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(&folder.path().join("stellar.db"), &[&RULE]);
    let rules = Rules::new(wrap(Arc::new(Embedded::new(&store))));
    let mut context = Engine::bare().context;
    context.services.add(Arc::new(rules.clone()));
    World {
        context,
        rules,
        _folder: folder,
    }
}

pub fn within(context: &Context) -> Within<'_> {
    Within {
        deadline: Deadline::after(LONG),
        ..Within::context(context)
    }
}

fn making<T>(work: impl FnOnce(&Making<'_>) -> T) -> T {
    work(&Making {
        strict: false,
        now: "2026-01-01T00:00:00Z",
        id: &crate::rule::identifier,
        compile: &|_: &Json| Ok(String::new()),
    })
}

impl World {
    /// A rule in the store; its identifier is its name in lower case.
    pub fn rule(&self, name: &str, lua: &str, settings: Json) -> Rule {
        self.related(name, lua, settings, &[])
    }

    pub fn related(
        &self,
        name: &str,
        lua: &str,
        settings: Json,
        relations: &[(Relation, &[&str])],
    ) -> Rule {
        let body = json!({
            "id": name.to_lowercase(), "name": name, "lua": lua, "settings": settings, "active": true,
            "reload": true, "finding_id": "", "description": "", "is_retro": false, "is_system": false,
        });
        let (rule, mut wanted) =
            making(|making| Rule::create(body.as_object().unwrap(), making)).unwrap();
        for (relation, ids) in relations {
            wanted.set(*relation, ids.iter().map(|id| id.to_string()).collect());
        }
        let created = self.rules.create(&rule, &wanted, within(&self.context));
        created.unwrap().unwrap();
        rule
    }

    pub fn entity(&self, kind: EntityKind, name: &str, program: &str) {
        let mut body = json!({"id": name, "name": name});
        if let Some(field) = kind.program() {
            body[field] = json!(program);
        }
        let entity = making(|making| Entity::create(kind, body.as_object().unwrap(), making));
        let created = self
            .rules
            .create_entity(&entity.unwrap(), within(&self.context));
        created.unwrap().unwrap();
    }

    pub fn change(&self, id: &str, change: impl Fn(&mut Rule)) {
        let change = |before: &Rule| {
            let mut after = before.clone();
            change(&mut after);
            Ok((after, Relations::default()))
        };
        let changed = self.rules.update(id, &change, within(&self.context));
        changed.unwrap().unwrap();
    }

    pub fn find(&self, name: &str) -> Ready {
        find(&self.rules, name, &self.context).unwrap()
    }

    pub fn lane(&self, names: &[&str]) -> Lane {
        let mut lane = Lane::new(&self.context, options(&self.context), Pace::Events);
        for name in names {
            lane.take(Arc::new(self.find(name))).unwrap();
        }
        lane
    }

    pub fn start(&self, manner: Manner) -> Fleet {
        Fleet::start(&self.context, Which::Active, manner).unwrap()
    }

    pub fn stored(&self, id: &str) -> Rule {
        let found = self.rules.rule(id, within(&self.context));
        found.unwrap().unwrap()
    }
}

pub fn events(lines: &[&str]) -> Vec<Event> {
    lines
        .iter()
        .map(|line| Event::read(line.as_bytes()).unwrap())
        .collect()
}

pub fn numbered(range: std::ops::Range<u32>) -> Vec<Event> {
    range
        .map(|n| Event::read(format!(r#"{{"n":{n}}}"#).as_bytes()).unwrap())
        .collect()
}

/// A manner that looks often, for tests that wait for changes.
pub fn hasty() -> Manner {
    Manner {
        threads: 2,
        reload: Duration::from_millis(10),
        ..Manner::default()
    }
}

/// The texts of what was raised.
pub fn texts(raised: &[Raised]) -> Vec<String> {
    raised.iter().map(|one| one.alert.text.clone()).collect()
}

/// Waits until something is so.
#[track_caller]
pub fn until(what: &str, mut so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !so() {
        assert!(began.elapsed() < LONG, "{what} did not come");
        std::thread::sleep(Duration::from_millis(5));
    }
}

pub const EACH: &str =
    "function on_logline(e) alert({template = 'NAME ' .. e:gets('n'), logs = {e}}) end";

pub fn each(name: &str) -> String {
    EACH.replace("NAME", name)
}

/// Says how many events there were of each `u` within an hour.
pub const COUNT: &str = "
    local function many(d) alert({template = 'NAME ' .. #d.aggregatedData.loglines}) end
    local g = grouper.new({'u'}, {}, '@timestamp,RFC3339', '1h', many)
    function on_logline(e) g:feed(e) end";

pub fn count(name: &str) -> String {
    COUNT.replace("NAME", name)
}

/// Events of one `u`, a second apart.
pub fn users(range: std::ops::Range<u32>) -> Vec<Event> {
    range
        .map(|n| {
            let text = format!(r#"{{"u":"a","@timestamp":"2024-05-01T10:00:{n:02}Z"}}"#);
            Event::read(text.as_bytes()).unwrap()
        })
        .collect()
}
