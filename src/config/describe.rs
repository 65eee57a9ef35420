//! The configuration as it may be shown.

use super::secret::{is_secret_name, mask_text, mask_whole};
use super::{Config, global_name, settings};
use serde_json::Value as Json;
use std::fmt;

/// One setting for `stellar doctor`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// The key, such as `limits.depth`.
    pub key: String,
    /// The value, secrets masked, references as written; `None` when nothing is set.
    pub value: Option<String>,
    /// `default`, a file and line, a file, or `--set`.
    pub origin: String,
}

impl Config {
    /// Every setting, model and global in order, safe to show.
    pub fn describe(&self) -> Vec<Described> {
        let line = |key: String, value: Option<String>| {
            let origin = self
                .origins
                .get(&key)
                .map_or("default", String::as_str)
                .to_string();
            Described { key, value, origin }
        };
        let settings = settings::shown(self).map(|(key, value)| line(key.to_string(), value));
        let models = self.models.iter().map(|(key, value)| {
            line(
                format!("models.{key}"),
                Some(settings::show_model(key, value)),
            )
        });
        let globals = self
            .globals
            .iter()
            .map(|(key, value)| line(global_name(key), Some(masked(key, value).to_string())));
        let sources = self.sources.iter().map(|(name, source)| {
            let files = source.files.iter().map(|path| path.display().to_string());
            let mut parts: Vec<String> = files.collect();
            parts.extend(source.table.clone());
            parts.extend(source.path.as_ref().map(|path| path.display().to_string()));
            parts.extend(source.url.as_ref().map(ToString::to_string));
            line(format!("sources.{name}"), Some(parts.join(", ")))
        });
        let keys = self.serve.keys.iter().map(|(name, key)| {
            let domain = key.domain.as_ref().unwrap_or(&self.collect.domain);
            let rights = key.rights().names().join(", ");
            line(
                format!("serve.keys.{name}"),
                Some(format!("{domain}: {rights}")),
            )
        });
        let sinks = self.rule.sinks.iter();
        let sinks =
            sinks.map(|(name, sink)| line(format!("rule.sinks.{name}"), Some(sink.shown())));
        settings
            .chain(sinks)
            .chain(keys)
            .chain(models)
            .chain(sources)
            .chain(globals)
            .collect()
    }
}

/// A global as it may be shown.
fn masked(key: &str, value: &Json) -> Json {
    let secret = is_secret_name(key);
    match value {
        Json::String(text) if secret => Json::String(mask_whole(text)),
        Json::String(text) => Json::String(mask_text(text)),
        Json::Number(number) if secret => Json::String(mask_whole(&number.to_string())),
        Json::Array(items) => items.iter().map(|item| masked(key, item)).collect(),
        // Everything below a secret name is secret.
        Json::Object(entries) => entries
            .iter()
            .map(|(k, v)| (k.clone(), masked(if secret { key } else { k }, v)))
            .collect(),
        other => other.clone(),
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for Described { key, value, .. } in self.describe() {
            map.entry(&key, &value.unwrap_or_default());
        }
        map.finish()
    }
}
