//! A rule with all that belongs to it, ready to be loaded on a thread.

use super::filter::{Filter, reading};
use super::patient::PatientTables;
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome, nearest};
use crate::eval::{Context, json};
use crate::rule::event::Event;
use crate::rule::identifier;
use crate::rule::lua::{Module, Options, Running};
use crate::rule::model::{Entity, EntityKind, Rule, Settings};
use crate::rule::store::{Rules, Search, StoredTables};
use crate::rule::trial::Written;
use crate::store::{Deadline, Within};
use serde_json::Value as Json;
use smol_str::SmolStr;
use std::sync::Arc;

/// A rule with its settings, filters, modules and finding. Cheap to share; it is loaded on the thread that runs it.
#[derive(Debug, Clone)]
pub struct Ready {
    /// Its identifier; for a rule that is in no store, its name.
    pub id: SmolStr,
    /// Its name, its text, its choices and its test events.
    pub written: Written,
    /// How it is run.
    pub settings: Settings,
    /// Which events it sees: those that all of these let through.
    pub filters: Vec<Filter>,
    /// What is run before it, in this order.
    pub modules: Vec<Module>,
    /// What its alerts are about.
    pub finding: Option<Arc<Entity>>,
    /// The rule as the store has it, if it is there.
    pub rule: Option<Arc<Rule>>,
}

fn named(mut fault: Fault, name: &str) -> Fault {
    fault.message = format!("{name}: {}", fault.message);
    fault
}

impl Ready {
    /// A rule of the store with what it is connected with. Errors: the store's; a filter that does not compile, with
    /// its name and place; settings that mean nothing.
    pub fn of(rules: &Rules, rule: Rule, context: &Context) -> Outcome<Ready> {
        let within = Within {
            deadline: Deadline::from(context.deadline),
            ..Within::context(context)
        };
        let parts = |kind| rules.entities_of(&rule.id, kind, within);
        let filters = parts(EntityKind::Filter)?;
        let modules = parts(EntityKind::Module)?;
        let finding = parts(EntityKind::Finding)?.into_iter().next();
        Ready::whole(rule, filters, modules, finding, context)
    }

    /// A rule with what it is connected with, wherever that comes from. Errors: as of [`Ready::of`].
    pub fn whole(
        rule: Rule,
        filters: Vec<Entity>,
        modules: Vec<Entity>,
        finding: Option<Entity>,
        context: &Context,
    ) -> Outcome<Ready> {
        let filters = filters.into_iter();
        let filters = filters.map(|one| Filter::compile(&one.name, &one.program, context));
        let filters = filters.collect::<Outcome<Vec<Filter>>>();
        let filters = filters.map_err(|fault| named(fault, &rule.name))?;
        let modules = modules.into_iter().map(|one| Module {
            name: one.name.into(),
            text: one.program,
        });
        let modules = modules.collect();
        let settings = Settings::read(&rule.settings)
            .map_err(|_| Diagnostic::new(Code::BadRule, "settings: must be an object"))?;
        Ok(Ready {
            id: SmolStr::new(&rule.id),
            written: written(&rule, &settings)?,
            settings,
            filters,
            modules,
            finding: finding.map(Arc::new),
            rule: Some(Arc::new(rule)),
        })
    }

    /// A rule that is in no store, with what the map that it was says of settings.
    pub fn written(written: Written, settings: Settings) -> Ready {
        Ready {
            id: written.name.clone(),
            settings,
            written,
            filters: Vec::new(),
            modules: Vec::new(),
            finding: None,
            rule: None,
        }
    }

    /// Its name.
    pub fn name(&self) -> &SmolStr {
        &self.written.name
    }

    /// Loads it, with its modules before those of `options`. Errors: those of its text, its modules and its choices.
    pub fn load(&self, mut options: Options) -> Outcome<Running> {
        let mut modules = self.modules.clone();
        modules.append(&mut options.modules);
        options.modules = modules;
        options.metrics |= self.settings.function_metrics;
        self.written.load(options)
    }

    /// Whether its filters let an event through. Errors: those of the filters.
    pub fn passes(&self, event: &Event, context: &Context) -> Outcome<bool> {
        let context = reading(context);
        for filter in &self.filters {
            if !filter.holds(event, &context)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// The program of a stored rule. Its choices among readings are in `settings.options`.
fn written(rule: &Rule, settings: &Settings) -> Outcome<Written> {
    let given = match &rule.settings {
        Json::Array(list) => list.first(),
        other => Some(other),
    };
    let options = given.and_then(|given| given.get("options"));
    let options = options.map(|options| json::from_json(options, DEEPEST));
    let events = rule.test_events().iter();
    let events = events.filter_map(|event| Event::read(event.to_string().as_bytes()).ok());
    Ok(Written {
        name: SmolStr::new(&rule.name),
        lua: rule.lua.clone(),
        test_data: events.collect(),
        memory: positive(settings.max_rule_memory_mb).and_then(|m| usize::try_from(m).ok()),
        options: options.transpose()?.unwrap_or_default(),
    })
}

/// How deep choices may nest.
const DEEPEST: usize = 128;

/// A bound of the settings; 0 means none.
pub(super) fn positive(bound: Option<i64>) -> Option<u64> {
    bound.and_then(|n| u64::try_from(n).ok()).filter(|n| *n > 0)
}

/// How rules of the store are run: by the clock of the context, with the table lists of the store.
pub fn options(context: &Context) -> Options {
    let clock = context.clock.clone();
    let mut options = Options {
        now: Arc::new(move || clock.now()),
        ..Options::default()
    };
    if let Some(rules) = context.services.get::<Rules>() {
        let tables = StoredTables::new(&rules, &context.cancel, identifier);
        options.tables = Arc::new(PatientTables::new(Arc::new(tables)));
    }
    options
}

/// How many names are looked through for one that was meant.
const NAMES: i64 = 10_000;

/// The rule of the store with this identifier or, before that, this name, ready to run. Errors: those of [`find_rule`]
/// and of [`Ready::of`].
pub fn find(rules: &Rules, name: &str, context: &Context) -> Outcome<Ready> {
    Ready::of(rules, find_rule(rules, name, context)?, context)
}

/// The rule of the store with this identifier or, before that, this name. Errors: E0413 when there is none, with a name
/// that may be meant.
pub fn find_rule(rules: &Rules, name: &str, context: &Context) -> Outcome<Rule> {
    let within = Within::context(context);
    let found = match rules.rule_named(name, within)? {
        Some(rule) => Some(rule),
        None => rules.rule(name, within)?,
    };
    if let Some(rule) = found {
        return Ok(rule);
    }
    let shown: String = name.chars().take(100).collect();
    let fault = Diagnostic::new(Code::BadRule, format!("there is no rule {shown}"));
    let search = Search {
        limit: Some(NAMES),
        ..Search::default()
    };
    let page = rules.rules(&search, within)?;
    let names = page.items.iter().map(|rule| rule.name.as_str());
    Err(match nearest(&shown, names) {
        Some(near) => fault.help(format!("did you mean {near}?")),
        None if page.total == 0 => fault.help("the store has no rules"),
        None => fault.help("stellar rule list shows the rules of the store"),
    })
}
