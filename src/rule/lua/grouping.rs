//! `grouper`: groups of events in the hands of a rule, which calls the rule for them.

use super::limits::Stop;
use super::logline::{LuaEvent, event_of};
use super::places::told;
use super::shared::{Entry, NoteKind, Shared, add};
use super::values::{loose_text, textual};
use crate::diagnostic::Fault;
use crate::eval::Value;
use crate::rule::duration;
use crate::rule::event::Logline;
use crate::rule::grouper::{
    Counters, Fed, GroupId, Grouper, Item, Match, Matcher, Pattern, Settings, Step, key_of,
};
use crate::rule::layout::Layout;
use mlua::{
    Function, Lua, Result, Table, UserData, UserDataFields, UserDataMethods, UserDataRegistry,
    Value as LuaValue, Variadic,
};
use smol_str::SmolStr;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Instant;

/// How many groupers a rule may have.
const GROUPERS: usize = 64;
/// How deep a function that is called for a group may feed groups that call a function.
const DEEPEST: usize = 16;
/// How often functions that are called after a batch may feed groups that wait themselves.
const ROUNDS: usize = 16;

/// One grouper of a rule.
pub(super) struct Gathering {
    groups: RefCell<Groups>,
    by: Vec<SmolStr>,
    over: Vec<SmolStr>,
    sort: Vec<SmolStr>,
    /// Where the time of an event is, and how it is read.
    pub path: SmolStr,
    pub layout: Layout,
    callback: Option<Function>,
    entry: Rc<Entry>,
    /// What the functions that run were given, the innermost last.
    given: RefCell<Vec<Rc<Given>>>,
    depth: Cell<usize>,
    /// Tells groupers that were made alike from others.
    pub signature: String,
}

enum Groups {
    Plain(Grouper<Logline>),
    Pattern(Matcher<Logline>),
}

/// The events of a group as a function was given them: they are read when it wants them, and before the group changes.
struct Given {
    group: GroupId,
    events: RefCell<Option<Vec<Logline>>>,
}

/// The table `grouper`.
pub(super) fn module(lua: &Lua, shared: &Rc<Shared>) -> Result<Table> {
    let module = lua.create_table()?;
    let own = shared.clone();
    let new = lua.create_function(move |lua, args: Variadic<LuaValue>| {
        let [by, over, time, window, callback] = arguments(&args);
        made(
            lua,
            &own,
            &[by, over, LuaValue::Nil, time, window],
            None,
            callback,
        )
    })?;
    module.raw_set("new", new)?;
    let own = shared.clone();
    let new = lua.create_function(move |lua, args: Variadic<LuaValue>| {
        // An older form leaves the fields to sort by out.
        let old = matches!(args.get(2), Some(LuaValue::Table(t)) if matches!(t.raw_get(1)?, LuaValue::Table(_)));
        let (by, over, sort, pattern, time, window, callback) = if old {
            let [by, over, pattern, time, window, callback] = arguments(&args);
            (by, over, LuaValue::Nil, pattern, time, window, callback)
        } else {
            let [by, over, sort, pattern, time, window, callback] = arguments(&args);
            (by, over, sort, pattern, time, window, callback)
        };
        let pattern = pattern_of(&pattern)?;
        made(lua, &own, &[by, over, sort, time, window], Some(pattern), callback)
    })?;
    module.raw_set("new_pattern_matcher", new)?;
    Ok(module)
}

fn arguments<const N: usize>(args: &[LuaValue]) -> [LuaValue; N] {
    std::array::from_fn(|at| args.get(at).cloned().unwrap_or(LuaValue::Nil))
}

fn wrong(fault: Fault) -> mlua::Error {
    mlua::Error::runtime(fault.message.clone())
}

/// A list of paths; one text is a list of one.
fn paths(value: &LuaValue, what: &str) -> Result<Vec<SmolStr>> {
    match value {
        LuaValue::Nil => Ok(Vec::new()),
        LuaValue::Table(table) => {
            let texts = table.sequence_values::<LuaValue>();
            texts
                .map(|text| Ok(loose_text(&text?)?.unwrap_or_default()))
                .collect()
        }
        LuaValue::String(_) => Ok(loose_text(value)?.into_iter().collect()),
        other => Err(mlua::Error::runtime(format!(
            "{what} must be a list of paths, not {}",
            other.type_name()
        ))),
    }
}

/// The steps `{field = …, values = {…}, count = n}` of a pattern.
fn pattern_of(value: &LuaValue) -> Result<Pattern> {
    let needs = || {
        mlua::Error::runtime("a pattern is a list of {field = path, values = {texts}, count = n}")
    };
    let table = value.as_table().ok_or_else(needs)?;
    let mut steps = Vec::new();
    for step in table.sequence_values::<LuaValue>() {
        let step = step?;
        let step = step.as_table().ok_or_else(needs)?;
        let field: LuaValue = step.raw_get("field")?;
        let count = match step.raw_get("count")? {
            LuaValue::Nil => 1.0,
            LuaValue::Number(n) => n,
            LuaValue::Integer(n) => n as f64,
            _ => return Err(needs()),
        };
        steps.push(Step {
            field: loose_text(&field)?.ok_or_else(needs)?,
            values: paths(&step.raw_get("values")?, "the values of a step")?,
            count: count as usize,
        });
    }
    Pattern::new(steps).map_err(wrong)
}

fn made(
    lua: &Lua,
    shared: &Rc<Shared>,
    fields: &[LuaValue; 5],
    pattern: Option<Pattern>,
    callback: LuaValue,
) -> Result<LuaGrouper> {
    let [by, over, sort, time, window] = fields;
    let number = shared.groupers.borrow().len() + 1;
    if number > GROUPERS {
        return Err(mlua::Error::runtime(format!(
            "a rule may have {GROUPERS} groupers"
        )));
    }
    let (by, over) = (paths(by, "grouped_by")?, paths(over, "aggregated_by")?);
    let sort = paths(sort, "the list of fields to sort by")?;
    let time = loose_text(time)?.unwrap_or_default();
    let (path, layout) = Layout::of_field(&time).map_err(wrong)?;
    let span = loose_text(window)?.unwrap_or_default();
    let nanos = duration::window(&span).map_err(wrong)?;
    let callback = match callback {
        LuaValue::Function(callback) => Some(callback),
        LuaValue::Nil => {
            let text = format!(
                "grouper {number} has no function to call: the name is defined later, or nowhere"
            );
            shared.note(NoteKind::Warning, None, text);
            None
        }
        other => {
            return Err(mlua::Error::runtime(format!(
                "the function of a grouper is needed last, not {}",
                other.type_name()
            )));
        }
    };
    let name = callback.as_ref().and_then(|f| f.info().name);
    let name = name.unwrap_or_else(|| format!("grouper {number}"));
    let entry = Entry::named(&name);
    let settings = Settings {
        when: shared.options.when,
        clear: shared.options.clear,
        ..Settings::new(nanos)
    };
    let signature = format!(
        "{by:?} {over:?} {sort:?} {path} {} {nanos} {pattern:?}",
        layout.text()
    );
    let groups = match pattern {
        None => Groups::Plain(Grouper::new(settings, &shared.budget)),
        Some(pattern) => Groups::Pattern(Matcher::new(settings, pattern, &shared.budget)),
    };
    let gathering = Rc::new(Gathering {
        groups: RefCell::new(groups),
        by,
        over,
        sort,
        path: SmolStr::new(path.trim()),
        layout,
        callback,
        entry: entry.clone(),
        given: RefCell::default(),
        depth: Cell::new(0),
        signature,
    });
    shared.entries.borrow_mut().push(entry);
    shared.groupers.borrow_mut().push(gathering.clone());
    let lazy = lazy_table(lua, shared, &gathering)?;
    Ok(LuaGrouper {
        gathering,
        shared: shared.clone(),
        lazy,
    })
}

/// The name under which a table has what its events are read from.
const GIVEN: &str = "\u{0}given";

struct LuaGiven(Rc<Given>);

impl UserData for LuaGiven {}

/// The metatable that reads the list of events when a rule asks for it.
fn lazy_table(lua: &Lua, shared: &Rc<Shared>, gathering: &Rc<Gathering>) -> Result<Table> {
    let lazy = lua.create_table()?;
    let (own, gathering) = (Rc::downgrade(shared), Rc::downgrade(gathering));
    let index = lua.create_function(move |lua, (table, key): (Table, LuaValue)| {
        let wanted = matches!(&key, LuaValue::String(key) if *key.as_bytes() == *b"loglines");
        let (Some(shared), Some(gathering), true) = (own.upgrade(), gathering.upgrade(), wanted)
        else {
            return Ok(LuaValue::Nil);
        };
        let given: mlua::AnyUserData = table.raw_get(GIVEN)?;
        let given = given.borrow::<LuaGiven>()?;
        gathering.read(&given.0);
        let events = given.0.events.borrow().clone().unwrap_or_default();
        let list = loglines(lua, &shared, events)?;
        table.raw_set("loglines", &list)?;
        Ok(LuaValue::Table(list))
    })?;
    lazy.raw_set("__index", index)?;
    Ok(lazy)
}

fn loglines(lua: &Lua, shared: &Shared, events: Vec<Logline>) -> Result<Table> {
    let list = lua.create_table_with_capacity(events.len(), 0)?;
    for (at, event) in (1i64..).zip(events) {
        if at % 1024 == 0 {
            shared.check()?;
        }
        list.raw_set(at, LuaEvent::of_line(event, shared))?;
    }
    Ok(list)
}

/// A grouper as a value of Lua.
pub(super) struct LuaGrouper {
    gathering: Rc<Gathering>,
    shared: Rc<Shared>,
    lazy: Table,
}

impl UserData for LuaGrouper {
    fn register(registry: &mut UserDataRegistry<Self>) {
        registry.enable_namecall();
        Self::add_fields(registry);
        Self::add_methods(registry);
    }

    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        fields.add_meta_field("__type", "grouper");
    }

    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods.add_method("feed", |lua, grouper, event: LuaValue| {
            let line = event_of(&event, "feed")?.own();
            grouper.feed(lua, line)
        });
        methods.add_method("clear", |_, grouper, ()| {
            grouper.gathering.keep_given();
            grouper.gathering.groups.borrow_mut().clear();
            Ok(())
        });
    }
}

impl Groups {
    fn enter(&mut self, id: GroupId) {
        match self {
            Groups::Plain(groups) => groups.enter(id),
            Groups::Pattern(groups) => groups.enter(id),
        }
    }

    fn leave(&mut self) {
        match self {
            Groups::Plain(groups) => groups.leave(),
            Groups::Pattern(groups) => groups.leave(),
        }
    }

    fn clear(&mut self) {
        match self {
            Groups::Plain(groups) => groups.clear(),
            Groups::Pattern(groups) => groups.clear(),
        }
    }

    fn call_waiting(&mut self, id: GroupId) {
        match self {
            Groups::Plain(groups) => groups.call_waiting(id),
            Groups::Pattern(groups) => groups.call_waiting(id),
        }
    }

    fn end_batch(&mut self) -> Vec<GroupId> {
        match self {
            Groups::Plain(groups) => groups.end_batch(),
            Groups::Pattern(groups) => groups.end_batch(),
        }
    }

    /// How many events a group has, and how many different ones.
    fn counts(&self, id: GroupId) -> Option<(usize, usize)> {
        match self {
            Groups::Plain(groups) => groups.group(id).map(|g| (g.total(), g.unique())),
            Groups::Pattern(groups) => groups.group(id).map(|g| (g.total(), g.unique())),
        }
    }

    fn events(&self, id: GroupId) -> Vec<Logline> {
        match self {
            Groups::Plain(groups) => groups
                .group(id)
                .map_or_else(Vec::new, |g| g.events().cloned().collect()),
            Groups::Pattern(groups) => groups
                .group(id)
                .map_or_else(Vec::new, |g| g.events().map(|m| m.event.clone()).collect()),
        }
    }
}

impl Gathering {
    /// Reads what a function was given, unless that was done already.
    fn read(&self, given: &Given) {
        let mut events = given.events.borrow_mut();
        if events.is_none() {
            *events = Some(self.groups.borrow().events(given.group));
        }
    }

    /// Reads what the functions that run were given, before the groups change.
    fn keep_given(&self) {
        for given in self.given.borrow().iter() {
            self.read(given);
        }
    }

    /// What was done so far, and how many groups and bytes there are now.
    pub fn counters(&self) -> (Counters, usize, usize) {
        match &*self.groups.borrow() {
            Groups::Plain(groups) => (groups.counters(), groups.len(), groups.bytes()),
            Groups::Pattern(groups) => (groups.counters(), groups.len(), groups.bytes()),
        }
    }

    /// The function that it calls.
    pub fn name(&self) -> SmolStr {
        self.entry.name.clone()
    }

    /// The groups as text.
    pub fn save(&self) -> crate::diagnostic::Outcome<Vec<u8>> {
        let mut out = Vec::new();
        let mut encode =
            |line: &Logline| crate::eval::json::to_json(&Value::Map(line.map().clone()));
        match &*self.groups.borrow() {
            Groups::Plain(groups) => groups.save(&self.signature, &mut out, &mut encode)?,
            Groups::Pattern(groups) => groups.save(&self.signature, &mut out, &mut encode)?,
        }
        Ok(out)
    }

    /// Whether a text is that of a grouper made in the same way; none when it does not say.
    pub fn made(&self, text: &str) -> Option<bool> {
        let head: serde_json::Value = serde_json::from_str(text.lines().next()?).ok()?;
        Some(head.get("signature")?.as_str()? == self.signature)
    }

    /// The groups from a text; false when it is that of a grouper made otherwise.
    pub fn restore(&self, mut text: &[u8]) -> crate::diagnostic::Outcome<bool> {
        let mut decode = |json: serde_json::Value| {
            let value = crate::eval::json::from_json(&json, 256)?;
            let map = match value {
                Value::Map(map) => map,
                _ => {
                    crate::eval::collections::Map::empty(crate::eval::collections::MapKind::Ordered)
                }
            };
            Ok(Logline::new(crate::rule::event::Event::new(map)))
        };
        match &mut *self.groups.borrow_mut() {
            Groups::Plain(groups) => groups.restore(&self.signature, &mut text, &mut decode),
            Groups::Pattern(groups) => groups.restore(&self.signature, &mut text, &mut decode),
        }
    }
}

fn text_at(line: &Logline, path: &str) -> SmolStr {
    line.get(path).map(|v| textual(&v)).unwrap_or_default()
}

impl LuaGrouper {
    /// Takes an event, and calls the function for its group.
    fn feed(&self, lua: &Lua, line: Logline) -> Result<()> {
        let own = &self.gathering;
        let texts = |paths: &[SmolStr]| key_of(paths.iter().map(|path| text_at(&line, path)));
        let now = (self.shared.now)();
        let time = match own.path.as_str() {
            "" => Some(now.saturating_mul(1_000_000)),
            path => line
                .get(path)
                .and_then(|value| own.layout.read(&textual(&value)).ok())
                .map(|m| m.nanos()),
        };
        let mut item = Item {
            key: texts(&own.by),
            unique: texts(&own.over),
            time,
            weight: u32::try_from(line.weight()).unwrap_or(u32::MAX),
            event: line.clone(),
        };
        // What was pushed out in the middle of a batch is called for first; every turn takes one group of the batch off.
        loop {
            own.keep_given();
            let now = now.saturating_mul(1_000_000);
            let fed = match &mut *own.groups.borrow_mut() {
                Groups::Plain(groups) => groups.feed(item, now),
                Groups::Pattern(groups) => {
                    let order = own.sort.iter().map(|path| text_at(&line, path)).collect();
                    let steps = groups.pattern().fits(|path| Some(text_at(&line, path)));
                    groups.feed(item, order, steps, now)
                }
            };
            match fed {
                Fed::Call(id) => return self.call(lua, id),
                Fed::Waits(_) | Fed::Late => return Ok(()),
                Fed::Due(id, back) => {
                    own.groups.borrow_mut().call_waiting(id);
                    self.call(lua, id)?;
                    item = back;
                }
            }
            self.shared.check()?;
        }
    }

    fn call(&self, lua: &Lua, id: GroupId) -> Result<()> {
        call(lua, &self.shared, &self.gathering, &self.lazy, id)
    }
}

/// Calls the function of a grouper for a group. Errors: the call was stopped; other errors are noted.
fn call(
    lua: &Lua,
    shared: &Rc<Shared>,
    own: &Rc<Gathering>,
    lazy: &Table,
    id: GroupId,
) -> Result<()> {
    let Some(callback) = &own.callback else {
        return Ok(());
    };
    if own.depth.get() >= DEEPEST {
        return Err(mlua::Error::runtime(format!(
            "groups feed each other more than {DEEPEST} levels deep"
        )));
    }
    let pattern = matches!(&*own.groups.borrow(), Groups::Pattern(_));
    loop {
        let found: Option<Match<Logline>> = match &mut *own.groups.borrow_mut() {
            Groups::Pattern(groups) => groups.next_match(id),
            Groups::Plain(_) => None,
        };
        if pattern && found.is_none() {
            return Ok(());
        }
        let given = Rc::new(Given {
            group: id,
            events: RefCell::new(None),
        });
        own.groups.borrow_mut().enter(id);
        own.given.borrow_mut().push(given.clone());
        own.depth.set(own.depth.get() + 1);
        shared.calls.borrow_mut().push(own.entry.clone());
        let began = shared.options.metrics.then(Instant::now);
        let result = grouped(lua, own, lazy, &given).and_then(|grouped| match &found {
            None => callback.call::<LuaValue>(grouped),
            Some(found) => {
                let matched = lua.create_table()?;
                matched.raw_set("loglines", loglines(lua, shared, found.events.clone())?)?;
                callback.call::<LuaValue>((grouped, matched))
            }
        });
        if let Some(began) = began {
            measured(&own.entry, began);
        }
        own.depth.set(own.depth.get() - 1);
        add(&own.entry.calls, 1);
        let result = ended(shared, own, result);
        shared.calls.borrow_mut().pop();
        own.given.borrow_mut().pop();
        own.groups.borrow_mut().leave();
        let handled = matches!(result?, LuaValue::Boolean(true));
        let Some(found) = found else {
            return Ok(());
        };
        own.keep_given();
        if let Groups::Pattern(groups) = &mut *own.groups.borrow_mut() {
            groups.matched(&found, handled);
        }
        shared.check()?;
    }
}

/// What the function of a grouper is given.
fn grouped(lua: &Lua, own: &Gathering, lazy: &Table, given: &Rc<Given>) -> Result<Table> {
    let counts = own.groups.borrow().counts(given.group);
    let (total, unique) = counts.unwrap_or_default();
    let count = |n: usize| -> Result<Table> {
        let table = lua.create_table_with_capacity(0, 1)?;
        table.raw_set("total", n as f64)?;
        Ok(table)
    };
    let data = lua.create_table_with_capacity(0, 4)?;
    data.raw_set("unique", count(unique)?)?;
    data.raw_set("aggregated", count(total)?)?;
    data.raw_set(GIVEN, LuaGiven(given.clone()))?;
    data.set_metatable(Some(lazy.clone()))?;
    let grouped = lua.create_table_with_capacity(0, 1)?;
    grouped.raw_set("aggregatedData", data)?;
    Ok(grouped)
}

/// Adds the time of a call.
pub(super) fn measured(entry: &Entry, began: Instant) {
    let nanos = u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX);
    add(&entry.total, nanos);
    entry.longest.set(entry.longest.get().max(nanos));
}

/// Notes the error of a call and goes on, unless the call was stopped.
fn ended(shared: &Shared, own: &Gathering, result: Result<LuaValue>) -> Result<LuaValue> {
    let error = match result {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    if matches!(error, mlua::Error::MemoryError(_)) {
        return Err(shared.stop(Stop::Memory));
    }
    shared.guard.check().map_err(mlua::Error::external)?;
    add(&own.entry.errors, 1);
    let (place, text) = told(&error);
    shared.note_at(NoteKind::Error, place, text);
    Ok(LuaValue::Nil)
}

/// Calls the functions of all groups that wait for the end of a batch. Errors: a call was stopped.
pub(super) fn end_batch(
    lua: &Lua,
    shared: &Rc<Shared>,
    mut each: impl FnMut(&mut dyn FnMut() -> Result<()>),
) {
    for _ in 0..ROUNDS {
        let mut called = false;
        let groupers = shared.groupers.borrow().clone();
        for own in &groupers {
            let due = own.groups.borrow_mut().end_batch();
            let Ok(lazy) = lazy_table(lua, shared, own) else {
                return;
            };
            for id in due {
                called = true;
                each(&mut || call(lua, shared, own, &lazy, id));
            }
        }
        if !called {
            return;
        }
    }
}
