//! What queries can read.

use super::tag::TagRows;
use crate::collect::sources::{PostgresRows, SqliteRows, Table};
use crate::config::{Config, SourceConfig, Surroundings, resolve_path};
use crate::event::EventRows;
use crate::input::{Catalogue, FileRows, Format, LAG, Source};
use crate::profile::ProfileRows;
use std::path::Path;
use std::sync::Arc;

/// All sources: those of the configuration, then those that are always there.
pub fn catalogue(config: &Config, around: &Surroundings) -> Catalogue {
    let mut sources = Catalogue::default();
    for (name, source) in &config.sources {
        sources.add(name, configured(source, around));
    }
    // What is configured under the same name counts.
    let built_in: [(&str, Arc<dyn Source>); 2] = [
        ("events", Arc::new(EventRows)),
        ("profile", Arc::new(ProfileRows::default())),
    ];
    for (name, source) in built_in {
        if sources.get(name).is_none() {
            sources.add(name, source);
        }
    }
    sources.add_family("profile", |name| Arc::new(ProfileRows::of(name)));
    sources
}

fn configured(source: &SourceConfig, around: &Surroundings) -> Arc<dyn Source> {
    // What is wrong with a path is told where it is read.
    let path = |path: &Path| resolve_path(path, around).unwrap_or_else(|_| path.to_owned());
    let lag = source
        .lag
        .and_then(|lag| i64::try_from(lag.as_millis()).ok());
    let table = Table {
        name: source.table.clone().unwrap_or_default(),
        time: source.time.clone().unwrap_or_default(),
        grows: source.follow,
        lag: lag.unwrap_or(LAG),
    };
    if let Some(url) = &source.url {
        return Arc::new(PostgresRows::new(url, table));
    }
    if let Some(database) = &source.path {
        return Arc::new(SqliteRows::new(path(database), table));
    }
    let time = source.time.as_deref().map(Into::into);
    if let (Some(file), Some(tag)) = (&source.pipeline, &source.tag) {
        return Arc::new(TagRows {
            file: path(file),
            tag: tag.clone(),
            time,
            follow: source.follow,
            lag: lag.unwrap_or(LAG),
        });
    }
    let format = source.format.as_deref().and_then(Format::named);
    let files = source.files.iter().map(|file| path(file)).collect();
    Arc::new(FileRows::new(files, time, format).growing(source.follow, lag))
}
