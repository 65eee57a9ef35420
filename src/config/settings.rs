//! Every setting, declared once: its key, what it wants, how it is taken and how it is shown.

use super::rules::sinks;
use super::secret::{Secretive, is_secret_name, mask_text, mask_whole};
use super::serve::{RIGHTS, Right, Rights};
use super::sources::source;
use super::tree::{Entry, Node, Spot};
use super::{CheckConfig, Config, units};
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome, Source, nearest};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// One key of a section.
struct Setting {
    /// Section and name, with a dot between them.
    key: &'static str,
    /// What belongs there, for messages.
    wants: &'static str,
    take: fn(&mut Config, &Given<'_>) -> Result<(), Refusal>,
    /// The value as it may be shown; `None` when nothing is set.
    show: fn(&Config) -> Option<String>,
}

/// Why a value is not taken.
pub(super) enum Refusal {
    /// It is of the wrong type.
    Type,
    /// The type is right; a sentence says what is wrong.
    Value(String),
}

/// A value on its way into the configuration.
pub(super) struct Given<'a> {
    pub spot: &'a Spot,
    pub base: Option<&'a Path>,
}

/// Where entries come from.
pub(super) struct Place {
    /// The text with its secrets masked, for messages.
    pub source: Arc<Source>,
    /// The folder that relative paths start from; `None` leaves them as they are.
    pub base: Option<PathBuf>,
    /// Whether the origin of a value is told with its line.
    pub lines: bool,
}

impl Place {
    pub(super) fn origin(&self, entry: &Entry) -> String {
        if self.lines {
            format!(
                "{}:{}",
                self.source.name,
                self.source.position(entry.span.start).line
            )
        } else {
            self.source.name.clone()
        }
    }
}

pub(super) type Taken<T> = Result<T, Refusal>;

impl Given<'_> {
    pub(super) fn text(&self) -> Taken<String> {
        match &self.spot.node {
            Node::Text(text) => Ok(text.clone()),
            _ => Err(Refusal::Type),
        }
    }

    pub(super) fn secretive(&self) -> Taken<Option<Secretive>> {
        self.text().map(|text| Some(Secretive::new(text)))
    }

    pub(super) fn flag(&self) -> Taken<bool> {
        match &self.spot.node {
            Node::Flag(flag) => Ok(*flag),
            _ => Err(Refusal::Type),
        }
    }

    /// A list of texts; one text alone counts as a list of one.
    fn texts(&self) -> Taken<Vec<String>> {
        match &self.spot.node {
            Node::Text(text) => Ok(vec![text.clone()]),
            Node::List(items) => items
                .iter()
                .map(|spot| {
                    Given {
                        spot,
                        base: self.base,
                    }
                    .text()
                })
                .collect(),
            _ => Err(Refusal::Type),
        }
    }

    fn lints(&self) -> Taken<CheckConfig> {
        let mut check = CheckConfig::default();
        for name in self.texts()? {
            check.allow.add(&name).map_err(Refusal::Value)?;
            check.names.push(name);
        }
        Ok(check)
    }

    pub(super) fn path(&self) -> Taken<Option<PathBuf>> {
        self.text().map(|text| Some(self.based(text)))
    }

    /// The embedded store by its word, or a file.
    fn place(&self) -> Taken<Option<PathBuf>> {
        match self.text()?.as_str() {
            "store" => Ok(Some(PathBuf::from("store"))),
            _ => self.path(),
        }
    }

    pub(super) fn paths(&self) -> Taken<Vec<PathBuf>> {
        Ok(self
            .texts()?
            .into_iter()
            .map(|text| self.based(text))
            .collect())
    }

    fn based(&self, text: String) -> PathBuf {
        match self.base {
            Some(base) if !text.starts_with("${") && !text.starts_with("~/") => base.join(text),
            _ => PathBuf::from(text),
        }
    }

    fn count(&self) -> Taken<usize> {
        match &self.spot.node {
            Node::Whole(number) => self.positive(u64::try_from(*number).unwrap_or(0)),
            _ => Err(Refusal::Type),
        }
    }

    fn some_count(&self) -> Taken<Option<usize>> {
        self.count().map(Some)
    }

    fn size(&self) -> Taken<usize> {
        match &self.spot.node {
            Node::Text(text) => self.positive(units::size(text).map_err(Refusal::Value)?),
            _ => self.count(),
        }
    }

    fn positive(&self, number: u64) -> Taken<usize> {
        match usize::try_from(number) {
            Ok(number) if number > 0 => Ok(number),
            _ => Err(Refusal::Value("it must be at least 1".to_string())),
        }
    }

    pub(super) fn duration(&self) -> Taken<Duration> {
        match &self.spot.node {
            Node::Whole(number) => match u64::try_from(*number) {
                Ok(millis) => Ok(Duration::from_millis(millis)),
                Err(_) => Err(Refusal::Value(
                    "a duration is not negative; 0 means no limit".to_string(),
                )),
            },
            Node::Text(text) => units::duration(text).map_err(Refusal::Value),
            _ => Err(Refusal::Type),
        }
    }

    fn steps(&self) -> Taken<u64> {
        self.count().map(|n| n as u64)
    }

    fn some_text(&self) -> Taken<Option<String>> {
        self.text().map(Some)
    }

    fn keys(&self) -> Taken<Option<String>> {
        let keys = self.text()?;
        match keys.as_str() {
            "emacs" | "vi" => Ok(Some(keys)),
            _ => Err(Refusal::Value("it is emacs or vi".to_string())),
        }
    }

    fn secretives(&self) -> Taken<Vec<Secretive>> {
        Ok(self.texts()?.into_iter().map(Secretive::new).collect())
    }
}

pub(super) const TEXT: &str = "a text";
const TEXTS: &str = "a list of texts";
pub(super) const PATH: &str = "a path as a text";
const PLACE: &str = "\"store\", or a path as a text";
const COUNT: &str = "a whole number";
const SIZE: &str = "a number of bytes, or a text such as \"64KiB\"";

fn path(path: &Option<PathBuf>) -> Option<String> {
    path.as_ref().map(|p| p.display().to_string())
}

fn texts<'a>(items: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let items: Vec<String> = items.into_iter().map(|item| format!("{item:?}")).collect();
    (!items.is_empty()).then(|| format!("[{}]", items.join(", ")))
}

macro_rules! settings {
    ($($key:literal $wants:ident $($field:ident).+ = $take:ident; $show:expr;)*) => {
        const SETTINGS: &[Setting] = &[$(Setting {
            key: $key,
            wants: $wants,
            take: |config, given| {
                config.$($field).+ = given.$take()?;
                Ok(())
            },
            show: $show,
        },)*];
    };
}

pub(super) const FLAG: &str = "true or false";
pub(super) const TIME: &str = "milliseconds, or a text such as \"10s\"";

settings! {
    "store.path" PATH store.path = path; |c| path(&c.store.path);
    "store.profile" TEXT store.profile = secretive; |c| c.store.profile.as_ref().map(|s| s.to_string());
    "store.collection" TEXT store.collection = secretive; |c| c.store.collection.as_ref().map(|s| s.to_string());
    "store.event" TEXT store.event = secretive; |c| c.store.event.as_ref().map(|s| s.to_string());
    "store.rule" TEXT store.rule = secretive; |c| c.store.rule.as_ref().map(|s| s.to_string());
    "run.tz" TEXT run.tz = some_text; |c| c.run.tz.clone();
    "run.locale" TEXT run.locale = some_text; |c| c.run.locale.clone();
    "limits.expression" SIZE limits.expression = size; |c| Some(units::show_size(c.limits.expression as u64));
    "limits.depth" COUNT limits.depth = count; |c| Some(c.limits.depth.to_string());
    "limits.string" SIZE limits.string = size; |c| Some(units::show_size(c.limits.string as u64));
    "limits.collection" COUNT limits.collection = count; |c| Some(c.limits.collection.to_string());
    "limits.steps" COUNT limits.steps = steps; |c| Some(c.limits.steps.to_string());
    "limits.time" TIME limits.time = duration; |c| Some(format!("{}ms", c.limits.time.as_millis()));
    "limits.line" SIZE limits.line = size; |c| Some(units::show_size(c.limits.line as u64));
    "limits.regex" SIZE limits.regex = size; |c| Some(units::show_size(c.limits.regex as u64));
    "functions.network" FLAG functions.network = flag; |c| Some(c.functions.network.to_string());
    "functions.hosts" TEXTS functions.hosts = texts; |c| texts(c.functions.hosts.iter().map(String::as_str));
    "functions.public_only" FLAG functions.public_only = flag; |c| Some(c.functions.public_only.to_string());
    "functions.files" TEXTS functions.files = paths; |c| texts(c.functions.files.iter().filter_map(|p| p.to_str()));
    "functions.geo" PATH functions.geo = path; |c| path(&c.functions.geo);
    "functions.asn" PATH functions.asn = path; |c| path(&c.functions.asn);
    "functions.library" PATH functions.library = path; |c| path(&c.functions.library);
    "shell.startup" TEXTS shell.startup = texts;
        |c| texts(c.shell.startup.iter().map(|line| mask_text(line)).collect::<Vec<_>>().iter().map(String::as_str));
    "shell.history" PATH shell.history = path; |c| path(&c.shell.history);
    "shell.keys" TEXT shell.keys = keys; |c| c.shell.keys.clone();
    "shell.prompt" TEXT shell.prompt = some_text; |c| c.shell.prompt.clone();
    "check.allow" TEXTS check = lints; |c| texts(c.check.names.iter().map(String::as_str));
    "collect.domain" TEXT collect.domain = text; |c| Some(c.collect.domain.clone());
    "pipeline.state" PLACE pipeline.state = place; |c| path(&c.pipeline.state);
    "pipeline.dead_letter" PATH pipeline.dead_letter = path; |c| path(&c.pipeline.dead_letter);
    "pipeline.threads" COUNT pipeline.threads = some_count; |c| c.pipeline.threads.map(|n| n.to_string());
    "pipeline.keys" COUNT pipeline.keys = count; |c| Some(c.pipeline.keys.to_string());
    "pipeline.checkpoint" TIME pipeline.checkpoint = duration; |c| Some(format!("{}ms", c.pipeline.checkpoint.as_millis()));
    "rule.sources" TEXTS rule.sources = texts; |c| texts(c.rule.sources.iter().map(String::as_str));
    "rule.since" TIME rule.since = duration; |c| Some(format!("{}ms", c.rule.since.as_millis()));
    "rule.threads" COUNT rule.threads = some_count; |c| c.rule.threads.map(|n| n.to_string());
    "rule.save" TIME rule.save = duration; |c| Some(format!("{}ms", c.rule.save.as_millis()));
    "rule.reload" TIME rule.reload = duration; |c| Some(format!("{}ms", c.rule.reload.as_millis()));
    "rule.results" FLAG rule.results = flag; |c| Some(c.rule.results.to_string());
    "serve.listen" TEXT serve.listen = text; |c| Some(c.serve.listen.clone());
    "serve.tokens" TEXTS serve.tokens = secretives;
        |c| texts(c.serve.tokens.iter().map(|t| mask_whole(t.raw())).collect::<Vec<_>>().iter().map(String::as_str));
    "serve.jwt_secret" TEXT serve.jwt_secret = secretive; |c| c.serve.jwt_secret.as_ref().map(|s| mask_whole(s.raw()));
    "serve.tls_cert" PATH serve.tls_cert = path; |c| path(&c.serve.tls_cert);
    "serve.tls_key" PATH serve.tls_key = path; |c| path(&c.serve.tls_key);
    "serve.threads" COUNT serve.threads = some_count; |c| c.serve.threads.map(|n| n.to_string());
    "serve.waiting" COUNT serve.waiting = count; |c| Some(c.serve.waiting.to_string());
    "serve.streams" COUNT serve.streams = count; |c| Some(c.serve.streams.to_string());
    "serve.connections" COUNT serve.connections = count; |c| Some(c.serve.connections.to_string());
    "serve.body" SIZE serve.body = size; |c| Some(units::show_size(c.serve.body as u64));
    "serve.time" TIME serve.time = duration; |c| Some(format!("{}ms", c.serve.time.as_millis()));
    "serve.grace" TIME serve.grace = duration; |c| Some(format!("{}ms", c.serve.grace.as_millis()));
    "serve.strict_api" FLAG serve.strict_api = flag; |c| Some(c.serve.strict_api.to_string());
}

/// Sections whose keys are free.
const FREE: [&str; 3] = ["models", "globals", "sources"];

fn sections() -> Vec<&'static str> {
    let mut found: Vec<&str> = SETTINGS
        .iter()
        .filter_map(|s| s.key.split('.').next())
        .collect();
    found.dedup();
    found.extend(FREE);
    found
}

/// The settings in their order, each with what may be shown of it.
pub(super) fn shown(config: &Config) -> impl Iterator<Item = (&'static str, Option<String>)> {
    SETTINGS
        .iter()
        .map(|setting| (setting.key, (setting.show)(config)))
}

/// A model's setting as it may be shown.
pub(super) fn show_model(name: &str, value: &Secretive) -> String {
    if is_secret_name(name) {
        mask_whole(value.raw())
    } else {
        mask_text(value.raw())
    }
}

/// Puts `entries` into `config` over what is there. E0502 for unknown keys, E0501 for wrong values.
pub(super) fn apply(config: &mut Config, entries: &[Entry], place: &Place) -> Outcome<()> {
    apply_sections(config, entries, place).map_err(|fault| fault.in_source(&place.source))
}

fn apply_sections(config: &mut Config, entries: &[Entry], place: &Place) -> Outcome<()> {
    for section in entries {
        if !sections().contains(&section.key.as_str()) {
            return Err(unknown(section, &section.key, &sections(), "sections"));
        }
        let Node::Table(keys) = &section.value.node else {
            return Err(wrong_type(section, &section.key, "a table"));
        };
        for entry in keys {
            match section.key.as_str() {
                "globals" => {
                    config
                        .globals
                        .insert(entry.key.clone(), super::tree::to_json(&entry.value)?);
                    config
                        .origins
                        .insert(super::global_name(&entry.key), place.origin(entry));
                }
                "models" => {
                    let full = format!("models.{}", entry.key);
                    let given = Given {
                        spot: &entry.value,
                        base: None,
                    };
                    let text = given.text().map_err(|_| wrong_type(entry, &full, TEXT))?;
                    config
                        .models
                        .insert(entry.key.clone(), Secretive::new(text));
                    config.origins.insert(full, place.origin(entry));
                }
                "sources" => source(config, entry, &entry.key, place)?,
                "rule" if entry.key == "sinks" => sinks(config, entry, place)?,
                "serve" if entry.key == "keys" => serve_keys(config, entry, place)?,
                _ => apply_one(config, &section.key, entry, place)?,
            }
        }
    }
    Ok(())
}

/// `[serve.keys.NAME]`
fn serve_keys(config: &mut Config, entry: &Entry, place: &Place) -> Outcome<()> {
    const KEYS: [&str; 5] = ["key", "secret", "token", "domain", "rights"];
    let Node::Table(names) = &entry.value.node else {
        return Err(wrong_type(entry, "serve.keys", "a table of names"));
    };
    for named in names {
        let full = format!("serve.keys.{}", named.key);
        let Node::Table(values) = &named.value.node else {
            return Err(wrong_type(named, &full, "a table"));
        };
        // A second configuration changes what it names.
        let known = config.serve.keys.get(&named.key);
        let mut made = known.cloned().unwrap_or_default();
        for value in values {
            let one = format!("{full}.{}", value.key);
            let given = Given {
                spot: &value.value,
                base: None,
            };
            let text = |given: &Given<'_>| given.text().map_err(|_| wrong_type(value, &one, TEXT));
            match value.key.as_str() {
                "key" => made.key = Some(Secretive::new(text(&given)?)),
                "secret" => made.secret = Some(Secretive::new(text(&given)?)),
                "token" => made.token = Some(Secretive::new(text(&given)?)),
                "domain" => made.domain = Some(text(&given)?),
                "rights" => {
                    let names = given.texts().map_err(|_| wrong_type(value, &one, TEXTS))?;
                    let rights = names.iter().map(|name| Right::named(name));
                    made.rights = rights.collect::<Option<Rights>>();
                    if made.rights.is_none() {
                        let message = format!("{one} cannot have this value");
                        let all = RIGHTS.map(|(name, _)| name).join(", ");
                        return Err(
                            Diagnostic::at(Code::Configuration, value.value.span, message)
                                .labelled(format!("some of {all}")),
                        );
                    }
                }
                _ => return Err(unknown(value, &one, &KEYS, "keys")),
            }
        }
        config.serve.keys.insert(named.key.clone(), made);
        config.origins.insert(full, place.origin(named));
    }
    Ok(())
}

fn apply_one(config: &mut Config, section: &str, entry: &Entry, place: &Place) -> Outcome<()> {
    let full = format!("{section}.{}", entry.key);
    let Some(setting) = SETTINGS.iter().find(|s| s.key == full) else {
        let known: Vec<&str> = SETTINGS
            .iter()
            .filter_map(|s| s.key.strip_prefix(section)?.strip_prefix('.'))
            .collect();
        return Err(unknown(entry, &full, &known, "keys"));
    };
    let given = Given {
        spot: &entry.value,
        base: place.base.as_deref(),
    };
    (setting.take)(config, &given).map_err(|refusal| match refusal {
        Refusal::Type => wrong_type(entry, &full, setting.wants),
        Refusal::Value(sentence) => Diagnostic::at(
            Code::Configuration,
            entry.value.span,
            format!("{full} cannot have this value"),
        )
        .labelled(sentence),
    })?;
    config.origins.insert(full, place.origin(entry));
    Ok(())
}

pub(super) fn wrong_type(entry: &Entry, full: &str, wants: &str) -> Fault {
    let kind = entry.value.node.kind();
    let fault = Diagnostic::at(
        Code::Configuration,
        entry.value.span,
        format!("{full} wants {wants}"),
    );
    // "a list of texts, this is a list" would puzzle.
    if matches!(entry.value.node, Node::List(_)) && wants == TEXTS {
        return fault.labelled("not every element is a text");
    }
    fault.labelled(format!("this is {kind}"))
}

pub(super) fn unknown(entry: &Entry, full: &str, known: &[&'static str], what: &str) -> Fault {
    let fault = Diagnostic::at(
        Code::UnknownKey,
        entry.span,
        format!("unknown configuration key {full}"),
    )
    .labelled("no such key");
    let prefix = full.strip_suffix(entry.key.as_str()).unwrap_or_default();
    if let Some(near) = nearest(&entry.key, known.iter().copied()) {
        return fault.did_you_mean(Some(&format!("{prefix}{near}")));
    }
    // The right key in the wrong section.
    let elsewhere = SETTINGS
        .iter()
        .find(|s| s.key.split('.').nth(1) == Some(entry.key.as_str()));
    fault
        .did_you_mean(elsewhere.map(|s| s.key))
        .note(format!("known {what}: {}", known.join(", ")))
}
