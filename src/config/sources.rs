//! `[sources.NAME]`: what queries read.

use super::settings::{FLAG, Given, PATH, Place, Refusal, TEXT, TIME, unknown, wrong_type};
use super::tree::{Entry, Node};
use super::{Config, SourceConfig};
use crate::diagnostic::{Code, Diagnostic, Outcome};

/// The keys of a source.
const KEYS: [&str; 10] = [
    "files", "format", "time", "follow", "lag", "table", "path", "url", "pipeline", "tag",
];

/// The formats of files.
const FORMATS: [&str; 4] = ["jsonl", "csv", "tsv", "zeek"];

/// Takes a source. A name may have points, which TOML reads as tables within tables.
pub(super) fn source(config: &mut Config, entry: &Entry, name: &str, place: &Place) -> Outcome<()> {
    let full = format!("sources.{name}");
    let Node::Table(keys) = &entry.value.node else {
        return Err(wrong_type(entry, &full, "a table with files or a table"));
    };
    let (inner, keys): (Vec<&Entry>, Vec<&Entry>) = keys
        .iter()
        .partition(|key| matches!(key.value.node, Node::Table(_)));
    for inner in &inner {
        source(config, inner, &format!("{name}.{}", inner.key), place)?;
    }
    if keys.is_empty() && !inner.is_empty() {
        return Ok(());
    }
    // A second configuration changes what it names.
    let mut made = config.sources.get(name).cloned().unwrap_or_default();
    for key in keys {
        take(&mut made, key, &full, place)?;
    }
    let wrong = |message: String| Diagnostic::at(Code::Configuration, entry.span, message);
    let kinds = [
        !made.files.is_empty(),
        made.path.is_some(),
        made.url.is_some(),
        made.pipeline.is_some(),
    ];
    if kinds.iter().filter(|kind| **kind).count() != 1 {
        let message = format!("{full} needs one of files, path, url and pipeline");
        return Err(wrong(message).help(
            "write files = \"logs/*.jsonl\", or table = \"logins\" with path = \"x.db\" or url = \"postgres://…\"",
        ));
    }
    if made.pipeline.is_some() != made.tag.is_some() {
        let message = format!("{full} needs both pipeline, the file, and tag, the events of it");
        return Err(wrong(message));
    }
    if made.pipeline.is_some() {
        let none = made.table.is_none() && made.format.is_none();
        let key = if made.table.is_some() {
            "table"
        } else {
            "format"
        };
        if !none {
            return Err(wrong(format!("{full}.{key} has no meaning for a pipeline")));
        }
        config.sources.insert(name.to_owned(), made);
        config.origins.insert(full, place.origin(entry));
        return Ok(());
    }
    let of_files = !made.files.is_empty();
    if !of_files && (made.table.is_none() || made.time.is_none()) {
        let message = format!("{full} needs table and time: the column with the time of a row");
        return Err(wrong(message));
    }
    if of_files && made.table.is_some() || !of_files && made.format.is_some() {
        let (key, other) = match of_files {
            true => ("table", "files"),
            false => ("format", "a table"),
        };
        return Err(wrong(format!("{full}.{key} has no meaning for {other}")));
    }
    config.sources.insert(name.to_owned(), made);
    config.origins.insert(full, place.origin(entry));
    Ok(())
}

fn take(made: &mut SourceConfig, key: &Entry, full: &str, place: &Place) -> Outcome<()> {
    let named = format!("{full}.{}", key.key);
    let given = Given {
        spot: &key.value,
        base: place.base.as_deref(),
    };
    let refused = |wants: &'static str| {
        let named = named.clone();
        move |refusal| match refusal {
            Refusal::Type => wrong_type(key, &named, wants),
            Refusal::Value(sentence) => {
                let message = format!("{named} cannot have this value");
                Diagnostic::at(Code::Configuration, key.value.span, message).labelled(sentence)
            }
        }
    };
    match key.key.as_str() {
        "files" => {
            made.files = given
                .paths()
                .map_err(refused("a path or a list of paths"))?
        }
        "table" => made.table = Some(given.text().map_err(refused(TEXT))?),
        "path" => made.path = given.path().map_err(refused(PATH))?,
        "url" => made.url = given.secretive().map_err(refused(TEXT))?,
        "time" => made.time = Some(given.text().map_err(refused(TEXT))?),
        "pipeline" => made.pipeline = given.path().map_err(refused(PATH))?,
        "tag" => made.tag = Some(given.text().map_err(refused(TEXT))?),
        "follow" => made.follow = given.flag().map_err(refused(FLAG))?,
        "lag" => made.lag = Some(given.duration().map_err(refused(TIME))?),
        "format" => {
            let format = given.text().map_err(refused(TEXT))?;
            if !FORMATS.contains(&format.as_str()) {
                let sentence = format!("one of {}", FORMATS.join(", "));
                return Err(refused(TEXT)(Refusal::Value(sentence)));
            }
            made.format = Some(format);
        }
        _ => return Err(unknown(key, &named, &KEYS, "keys")),
    }
    Ok(())
}
