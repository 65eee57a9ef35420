//! Puts registry, services, configuration and clock together: the one way in for every front end.

mod actions;
pub mod rules;
mod sources;
mod tag;

use crate::collect::store::CollectionStore;
use crate::collect::{self, COLLECT, Collections, TASK, Tasks};
use crate::config::{Config, FixedClock, Surroundings, SystemClock, parse_now, resolve_path};
use crate::diagnostic::{Code, Diagnostic, Outcome, Source};
use crate::eval::java::date_format::{Locale, Zone};
use crate::eval::{Context, Limits, NoVariables, Program, Services, Value, compile, json};
use crate::event::store::Configured;
use crate::event::{self, EVENT, Events};
use crate::functions::registry::Registry;
use crate::functions::{FAMILIES, library};
use crate::pipeline::{self, Actions};
use crate::profile::store::Spooled;
use crate::profile::{self, Embedded, FOLLOW, PROFILE, Profiles, client};
use crate::rule;
use crate::rule::store::{Embedded as EmbeddedRules, Postgres as RuleDatabase, RULE, Rules};
use crate::store::serve::Endpoint;
use crate::store::{Room, Store};
use crate::world::{self, Databases, ENRICHMENT, Enrichments, Files, Objects, Web};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// What the command line says instead of the configuration.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// `--now`
    pub now: Option<String>,
    /// `--tz`
    pub tz: Option<String>,
    /// `--locale`
    pub locale: Option<String>,
}

/// What every front end evaluates through.
#[derive(Clone)]
pub struct Engine {
    /// All functions.
    pub registry: Arc<Registry>,
    /// The world that expressions see; front ends put their variables into a copy of it.
    pub context: Context,
    /// The embedded file; nothing is opened before it is used.
    pub store: Store,
    /// What is configured.
    pub config: Arc<Config>,
    start: Arc<(Surroundings, Overrides)>,
}

/// The deepest nesting that may be configured.
const DEEPEST: usize = 512;

/// Who keeps tables in the embedded file.
const ROOMS: &[&Room] = &[
    &COLLECT,
    &TASK,
    &ENRICHMENT,
    &EVENT,
    &PROFILE,
    &FOLLOW,
    &pipeline::engine::PIPELINE,
    &collect::query::SAVED,
    &RULE,
    &rules::SINK,
];

impl Engine {
    /// An engine without configuration: system clock, UTC, en_US, default limits, a store that does not exist.
    pub fn bare() -> Engine {
        Engine::with_store(Store::new(Path::new(""), ROOMS))
    }

    fn with_store(store: Store) -> Engine {
        let registry = Arc::new(Registry::new(
            FAMILIES
                .iter()
                .chain(world::FAMILIES)
                .chain(profile::FAMILIES)
                .chain(event::FAMILIES)
                .chain(collect::FAMILIES)
                .chain(rule::FAMILIES),
            library::read,
        ));
        let mut services = Services::default();
        services.add(Arc::new(Enrichments::new(&store)));
        services.add(Arc::new(Profiles::new(Arc::new(Embedded::new(&store)))));
        services.add(Arc::new(Events::new(Arc::new(event::Embedded::new(
            &store,
        )))));
        services.add(Arc::new(collect::query::Saved::new(&store)));
        let embedded = Arc::new(collect::Embedded::new(&store));
        let domain = Config::default().collect.domain;
        services.add(Arc::new(Collections::new(embedded, &domain)));
        services.add(Arc::new(Tasks::new(&store)));
        services.add(Arc::new(Rules::new(Arc::new(EmbeddedRules::new(&store)))));
        services.add(Arc::new(rules::Posted::default()));
        services.add(Arc::new(Objects::default()));
        services.add(Arc::new(Web::default()));
        services.add(Arc::new(Databases::default()));
        let context = Context {
            variables: Arc::new(NoVariables),
            functions: registry.clone(),
            globals: Arc::default(),
            clock: Arc::new(SystemClock),
            zone: Zone::utc(),
            locale: Arc::new(Locale::default()),
            limits: Limits::default(),
            cancel: Arc::new(AtomicBool::new(false)),
            deadline: None,
            only_reads: false,
            services,
        };
        Engine {
            registry,
            context,
            store,
            config: Arc::default(),
            start: Arc::default(),
        }
    }

    /// A configured path with its references replaced and `~/` put in full. Errors: E0503.
    pub fn path(&self, path: &Path) -> Outcome<PathBuf> {
        resolve_path(path, &self.start.0)
    }

    /// An engine as configured. Errors: E0504 for an unknown zone, locale or time.
    pub fn new(config: Config, around: &Surroundings, overrides: &Overrides) -> Outcome<Engine> {
        let mut engine = Engine::with_store(Store::new(&config.store_path(around)?, ROOMS));
        let context = &mut engine.context;
        context.zone = match overrides.tz.as_ref().or(config.run.tz.as_ref()) {
            Some(name) => Zone::from_name_strict(name).ok_or_else(|| {
                Diagnostic::new(Code::Usage, format!("there is no time zone {name}"))
                    .help("write a name such as Europe/Prague, America/New_York or UTC")
            })?,
            None => Zone::system(),
        };
        if let Some(tag) = overrides.locale.as_ref().or(config.run.locale.as_ref()) {
            let locale = Locale::parse(tag).ok_or_else(|| {
                Diagnostic::new(Code::Usage, format!("{tag} is no locale"))
                    .help("write a tag such as en_US")
            })?;
            context.locale = Arc::new(locale);
        }
        if let Some(text) = &overrides.now {
            context.clock = Arc::new(FixedClock(parse_now(text, |utc| {
                context.zone.offset_millis(utc)
            })?));
        }
        if config.limits.depth > DEEPEST {
            let message = format!(
                "limits.depth is at most {DEEPEST}: deeper nesting has no stack to stand on"
            );
            return Err(Diagnostic::new(Code::Configuration, message));
        }
        context.limits = config.limits;
        let files = Files::new(config.functions.files.clone(), around.clone());
        context.services.add(Arc::new(files));
        context.services.add(Arc::new(Web::new(&config)));
        context
            .services
            .add(Arc::new(Databases::new(&config, around)));
        let mut globals = context.globals.write();
        for (name, value) in &config.globals {
            globals.insert(name.into(), json::from_json(value, config.limits.depth)?);
        }
        drop(globals);
        if let Some(address) = &config.store.profile {
            // Rows do not say how long their periods are; what is configured wrongly shows where it is used.
            let duration = client::period_duration(context, None).unwrap_or(client::QUARTER);
            let spooled = Arc::new(Spooled::new(address, &engine.store, duration));
            context
                .services
                .add(Arc::new(Profiles::new(spooled.clone())));
            context.services.add(spooled);
        }
        if let Some(address) = &config.store.event {
            let configured = Arc::new(Configured::new(address));
            context
                .services
                .add(Arc::new(Events::new(configured.clone())));
            context.services.add(configured);
        }
        let kept: Arc<dyn CollectionStore> = match &config.store.collection {
            Some(address) => Arc::new(collect::Redis::new(address)),
            None => Arc::new(collect::Embedded::new(&engine.store)),
        };
        let collections = Collections::new(kept, &config.collect.domain);
        context.services.add(Arc::new(collections));
        let mut sources = sources::catalogue(&config, around);
        collect::task::add_sources(&mut sources);
        if let Some(address) = &config.store.rule {
            let store = Arc::new(RuleDatabase::new(address));
            context.services.add(Arc::new(Rules::new(store)));
        }
        context.services.add(Arc::new(sources));
        engine.config = Arc::new(config);
        engine.start = Arc::new((around.clone(), overrides.clone()));
        Ok(engine)
    }

    /// The same engine with one setting changed, as `--set KEY=VALUE` does, by `from`; definitions, globals that were set since,
    /// variables and the cancel flag stay. Errors: E05xx.
    pub fn with_setting(&self, text: &str, from: &str) -> Outcome<Engine> {
        let mut config = (*self.config).clone();
        config.set(text, from)?;
        let changed: Vec<_> = config
            .globals
            .iter()
            .filter(|(name, value)| self.config.globals.get(name.as_str()) != Some(value))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        let depth = config.limits.depth;
        let mut engine = Engine::new(config, &self.start.0, &self.start.1)?;
        engine.registry = self.registry.clone();
        let context = &mut engine.context;
        context.functions = self.registry.clone();
        context.variables = self.context.variables.clone();
        context.cancel = self.context.cancel.clone();
        context.clock = self.context.clock.clone();
        context.globals = self.context.globals.clone();
        context.services.fill_from(&self.context.services);
        // What runs goes on.
        if engine.store.path() == self.store.path()
            && let Some(tasks) = self.context.services.get::<Tasks>()
        {
            context.services.add(tasks);
        }
        let mut globals = context.globals.write();
        for (name, value) in changed {
            globals.insert(name.into(), json::from_json(&value, depth)?);
        }
        drop(globals);
        Ok(engine)
    }

    /// What the pipelines of a text make of what their inputs have for now, without their outputs. Errors: the first fault.
    pub fn events_of_pipelines(&self, text: &str) -> Outcome<Vec<Value>> {
        tag::events(text, &self.context)
    }

    /// All actions of pipelines.
    pub fn actions() -> Actions {
        Actions::new(&[pipeline::actions::ACTIONS, actions::ACTIONS])
    }

    /// What the systems offer over HTTP.
    pub fn endpoints(&self) -> Vec<Endpoint> {
        let mut all = collect::http::endpoints(&self.context);
        all.extend(rules::endpoints(self));
        all.extend(rule::http::endpoints(
            &self.context,
            self.config.serve.strict_api,
        ));
        all
    }

    /// Compiles one expression. Errors: E01xx and E03xx with their places.
    pub fn compile(&self, expression: &str) -> Outcome<Arc<Program>> {
        compile(&Arc::new(Source::expression(expression)), &self.context)
    }

    /// Compiles and evaluates one expression with the context's variables.
    pub fn evaluate(&self, expression: &str) -> Outcome<Value> {
        self.compile(expression)?.evaluate(&self.context)
    }
}
