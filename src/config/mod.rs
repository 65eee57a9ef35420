//! The configuration: `stellar.toml`, `--globals`, `--set`; secrets; clocks.

mod clock;
mod describe;
mod find;
mod globals;
mod overrides;
mod properties;
mod rules;
mod secret;
mod serve;
mod settings;
mod sources;
mod stores;
mod tree;
mod units;

pub use clock::{EventClock, FixedClock, SystemClock, parse_now};
pub use describe::Described;
pub use find::{Surroundings, resolve_path};
pub use rules::{RuleConfig, SinkConfig};
pub use secret::{
    Secret, Secretive, is_secret_name, mask_addresses, mask_source, mask_text, resolve,
    resolve_with,
};
pub use serve::{KeyConfig, RIGHTS, Right, Rights, ServeConfig};
pub use stores::{STORES, Server, StoreRoom, usual_port};
pub use units::{duration, size};

use crate::diagnostic::{Allowed, Outcome, Source};
use crate::eval::Limits;
use indexmap::IndexMap;
use serde_json::{Map, Value as Json};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// `[store]`: where data lies. What names no server is in the embedded file.
#[derive(Debug, Clone, Default)]
pub struct StoreConfig {
    /// The embedded file as configured; see [`Config::store_path`].
    pub path: Option<PathBuf>,
    /// The server of measurements (`hbase://…`).
    pub profile: Option<Secretive>,
    /// The server of collections (`redis://…`).
    pub collection: Option<Secretive>,
    /// The server of events (`postgres://…`).
    pub event: Option<Secretive>,
    /// The server of rules (`postgres://…`).
    pub rule: Option<Secretive>,
}

/// `[run]`: zone and locale of every run.
#[derive(Debug, Clone, Default)]
pub struct RunConfig {
    /// A zone of the IANA database.
    pub tz: Option<String>,
    /// A locale such as `en_US`.
    pub locale: Option<String>,
}

/// `[functions]`: what functions may reach, and the files they need.
#[derive(Debug, Clone, Default)]
pub struct FunctionsConfig {
    /// Whether functions may use the network.
    pub network: bool,
    /// The hosts that functions may reach; all when none is listed.
    pub hosts: Vec<String>,
    /// Whether hosts that are not listed must have public addresses.
    pub public_only: bool,
    /// Files and folders that functions may read and change.
    pub files: Vec<PathBuf>,
    /// The database of places.
    pub geo: Option<PathBuf>,
    /// The database of autonomous systems.
    pub asn: Option<PathBuf>,
    /// The folder of library functions written in Stellar.
    pub library: Option<PathBuf>,
}

/// `[shell]`: the interactive shell.
#[derive(Debug, Clone, Default)]
pub struct ShellConfig {
    /// Statements that run first.
    pub startup: Vec<String>,
    /// The file of earlier statements; empty for none.
    pub history: Option<PathBuf>,
    /// `emacs` or `vi`.
    pub keys: Option<String>,
    /// The prompt.
    pub prompt: Option<String>,
}

/// `[check]`: what `stellar check` and the notes of the shell say.
#[derive(Debug, Clone, Default)]
pub struct CheckConfig {
    /// Lints that are never mentioned.
    pub allow: Allowed,
    /// The same as configured: names and codes.
    pub names: Vec<String>,
}

/// `[collect]`: collections.
#[derive(Debug, Clone)]
pub struct CollectConfig {
    /// The domain of tasks that name none.
    pub domain: String,
}

/// `[pipeline]`: how pipelines are run; `stellar pipeline run` may say something else.
#[derive(Debug, Clone)]
pub struct PipelineConfig {
    /// The file of states; `store` for the embedded store.
    pub state: Option<PathBuf>,
    /// The file of events that an action can do nothing with.
    pub dead_letter: Option<PathBuf>,
    /// How many threads share the work of a pipeline; one for each core when nothing is said.
    pub threads: Option<usize>,
    /// How many keys an action keeps at most.
    pub keys: usize,
    /// How often states are saved at most.
    pub checkpoint: Duration,
}

impl Default for PipelineConfig {
    fn default() -> Self {
        PipelineConfig {
            state: None,
            dead_letter: None,
            threads: None,
            keys: 1_000_000,
            checkpoint: Duration::from_secs(1),
        }
    }
}

/// `[sources.NAME]`: files, or a table of a database, that queries read.
#[derive(Debug, Clone, Default)]
pub struct SourceConfig {
    /// The paths and patterns of files.
    pub files: Vec<PathBuf>,
    /// The name of a table, perhaps with its schema.
    pub table: Option<String>,
    /// The SQLite database that has it.
    pub path: Option<PathBuf>,
    /// The address of the PostgreSQL database that has it.
    pub url: Option<Secretive>,
    /// The field with the time of a row.
    pub time: Option<String>,
    /// `jsonl`, `csv`, `tsv` or `zeek`, where names do not tell it.
    pub format: Option<String>,
    /// The file of pipelines that make the events.
    pub pipeline: Option<PathBuf>,
    /// The tag of the events, or a pattern of tags.
    pub tag: Option<String>,
    /// Whether more will come.
    pub follow: bool,
    /// By how much rows may come too late.
    pub lag: Option<Duration>,
}

impl Default for CollectConfig {
    fn default() -> Self {
        CollectConfig {
            domain: "self".to_string(),
        }
    }
}

/// Everything that is configured. References (`${…}`) stand as written until [`resolve`] replaces them.
#[derive(Clone, Default)]
pub struct Config {
    /// `[store]`.
    pub store: StoreConfig,
    /// `[run]`.
    pub run: RunConfig,
    /// `[limits]`.
    pub limits: Limits,
    /// `[functions]`.
    pub functions: FunctionsConfig,
    /// `[shell]`.
    pub shell: ShellConfig,
    /// `[check]`.
    pub check: CheckConfig,
    /// `[collect]`.
    pub collect: CollectConfig,
    /// `[pipeline]`.
    pub pipeline: PipelineConfig,
    /// `[rule]`.
    pub rule: RuleConfig,
    /// `[serve]`.
    pub serve: ServeConfig,
    /// `[models]`: `NAME` or `NAME:VERSION`, with the addresses of the model and the paths of its functions.
    pub models: IndexMap<String, Secretive>,
    /// `[sources.NAME]`: what queries read.
    pub sources: IndexMap<String, SourceConfig>,
    /// `[globals]`: Metron's global configuration, in the order given.
    pub globals: Map<String, Json>,
    origin: Option<PathBuf>,
    origins: HashMap<String, String>,
    notes: Vec<String>,
}

/// What the command line says about the configuration.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// `--config FILE`, which must exist.
    pub config: Option<PathBuf>,
    /// `--globals FILE`.
    pub globals: Option<PathBuf>,
    /// `--set KEY=VALUE`, in order.
    pub set: Vec<String>,
}

impl Config {
    /// Reads the one configuration file that counts, then `--globals`, then every `--set`.
    /// E0403 for unreadable files, E0501 for wrong values, E0502 for unknown keys, E0504 for a malformed `--set`.
    pub fn load(options: &Options, around: &Surroundings) -> Outcome<Config> {
        let mut config = Config::default();
        if let Some(found) = find::find(options.config.as_deref(), around, &mut config.notes)? {
            config.take_file(&found.path, &found.text, around)?;
        }
        if let Some(path) = &options.globals {
            globals::merge(&mut config, path, &find::read(path, around)?)?;
        }
        for text in &options.set {
            overrides::set(&mut config, text, "--set")?;
        }
        for room in STORES {
            if let Some((address, false)) = room.place(&config.store) {
                let why = room.why_not(address);
                let name = room.name;
                config.notes.push(format!("store.{name}: {why}"));
            }
        }
        if config.globals.get("profiler").is_some_and(Json::is_object) {
            config.notes.push(
                "globals.profiler is a map; Metron's keys stand in quotes: \"profiler.client.period.duration\""
                    .to_string(),
            );
        }
        Ok(config)
    }

    /// Changes one setting, as `--set KEY=VALUE` does; `from` says where that was asked for.
    /// Errors: E0501, E0502, E0504.
    pub fn set(&mut self, text: &str, from: &str) -> Outcome<()> {
        overrides::set(self, text, from)
    }

    fn take_file(&mut self, path: &Path, text: &str, around: &Surroundings) -> Outcome<()> {
        // The parser would count a byte-order mark in its places.
        let text = text.trim_start_matches('\u{feff}');
        let source = Arc::new(Source::named(
            path.display().to_string(),
            secret::mask_source(text),
        ));
        let entries = tree::parse(text, &source)?;
        let base = around.folder.join(path).parent().map(Path::to_path_buf);
        settings::apply(
            self,
            &entries,
            &settings::Place {
                source,
                base,
                lines: true,
            },
        )?;
        self.origin = Some(path.to_path_buf());
        Ok(())
    }

    /// The file that was used, if any.
    pub fn origin(&self) -> Option<&Path> {
        self.origin.as_deref()
    }

    /// What the user should know: files passed over, settings that contradict each other.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }
}

/// How a global is called in lists: in quotes where TOML wants them.
fn global_name(key: &str) -> String {
    let bare = !key.is_empty()
        && key
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    if bare {
        format!("globals.{key}")
    } else {
        format!("globals.{}", Json::from(key))
    }
}
