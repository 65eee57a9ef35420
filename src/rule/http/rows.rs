//! The calls about the rows of table lists.

use super::entities::found;
use super::job::{Done, Job, shown, time};
use super::page::{Query, list};
use super::rules::missing;
use super::shape::{Denied, good, unless_given};
use crate::rule::duration;
use crate::rule::model::{EntityKind, Reason, Refusal};
use crate::rule::store::ListRow;
use chrono::DateTime;
use serde_json::{Map, Value as Json, json};

/// How many rows a request may have.
pub const ROWS: usize = 10_000;

fn row(one: &ListRow) -> Json {
    json!({"key": one.key, "cells": one.cells, "until": one.until.map(time)})
}

/// Lists the rows of a table list by their keys.
pub fn all(job: &mut Job<'_>) -> Done {
    let mut query = Query::new(job, &["offset", "limit"]);
    let part = query.part();
    query.end()?;
    let table = found(job, EntityKind::Table)?;
    let fetch = |offset, limit| {
        job.rules
            .list_rows(&table.name, (offset, limit), job.within())
    };
    list(job, part, fetch, row)
}

/// Shows a row.
pub fn show(job: &mut Job<'_>) -> Done {
    Query::new(job, &[]).end()?;
    let table = found(job, EntityKind::Table)?;
    let key = job.asked.parameter("key");
    let found = job.rules.list_row(&table.name, key, job.within())?;
    Ok(good(200, &row(&found.ok_or_else(|| missing(key))?)))
}

/// Reads a row; `key` is that of the path.
fn read(
    body: &Map<String, Json>,
    key: Option<&str>,
    prefix: &str,
    now: i64,
    wrong: &mut Vec<Reason>,
) -> ListRow {
    let mut no = |name: &str, text: &str| {
        let name: String = name.chars().take(100).collect();
        wrong.push(Reason::new(format!("{prefix}{name}"), text));
    };
    let mut row = ListRow {
        key: key.unwrap_or_default().to_owned(),
        cells: Map::new(),
        until: None,
    };
    let (mut has_key, mut has_cells, mut ends) = (key.is_some(), false, 0);
    for (name, value) in body {
        match (name.as_str(), value) {
            ("key", Json::String(given)) if key.is_none_or(|key| key == given) => {
                row.key.clone_from(given);
                has_key = true;
            }
            ("key", Json::String(_)) => no("key", "is not the one in the address"),
            ("key", _) => no("key", "must be a text"),
            ("cells", Json::Object(cells)) => {
                row.cells.clone_from(cells);
                has_cells = true;
            }
            ("cells", _) => no("cells", "must be an object of columns"),
            ("until" | "ttl", Json::Null) => {}
            ("until", value) => {
                ends += 1;
                let time = value.as_str().map(DateTime::parse_from_rfc3339);
                match time {
                    Some(Ok(time)) => row.until = Some(time.timestamp_millis()),
                    _ => no(
                        "until",
                        "must be a date and time such as 2026-01-01T00:00:00Z",
                    ),
                }
            }
            ("ttl", value) => {
                ends += 1;
                let length = value.as_str().map(duration::window);
                match length {
                    Some(Ok(nanos)) => row.until = Some(now.saturating_add(nanos / 1_000_000)),
                    _ => no("ttl", "must be a length of time such as 90m or 24h"),
                }
            }
            ("trace_id", _) if key.is_some() => {}
            (name, _) => no(name, "means nothing here: there are key, cells, until, ttl"),
        }
    }
    if ends > 1 {
        no("ttl", "stands beside until, which says the same");
    }
    if !has_key && !body.contains_key("key") {
        no("key", "is required");
    }
    if !has_cells && !body.contains_key("cells") {
        no("cells", "is required");
    }
    row
}

fn put(job: &mut Job<'_>, rows: &[ListRow], wrong: Vec<Reason>) -> Result<(), Denied> {
    if !wrong.is_empty() {
        return Err(Refusal::Bad(wrong).into());
    }
    let id = job.asked.parameter("id");
    let put = job.rules.list_put(id, rows, job.within());
    match put.map_err(|fault| unless_given("rows", fault))? {
        true => Ok(()),
        false => Err(missing(id)),
    }
}

/// Writes a whole row.
pub fn put_one(job: &mut Job<'_>) -> Done {
    let body = job.body()?;
    let table = found(job, EntityKind::Table)?;
    let key = job.asked.parameter("key");
    let mut wrong = Vec::new();
    let one = read(&body, Some(key), "", job.within().now, &mut wrong);
    put(job, std::slice::from_ref(&one), wrong)?;
    job.did = format!(
        "wrote a row of the table {} {}",
        shown(&table.id),
        shown(&table.name)
    );
    Ok(good(200, &row(&one)))
}

/// Writes several whole rows at once.
pub fn put_many(job: &mut Job<'_>) -> Done {
    let body = job.body()?;
    let table = found(job, EntityKind::Table)?;
    let now = job.within().now;
    let (mut rows, mut wrong) = (Vec::new(), Vec::new());
    for name in body
        .keys()
        .filter(|name| !["rows", "trace_id"].contains(&name.as_str()))
    {
        let name: String = name.chars().take(100).collect();
        wrong.push(Reason::new(name, "means nothing here: there are rows"));
    }
    match body.get("rows") {
        Some(Json::Array(list)) if list.len() <= ROWS => {
            for (index, one) in list.iter().enumerate() {
                match one {
                    Json::Object(one) => {
                        rows.push(read(one, None, &format!("rows.{index}."), now, &mut wrong));
                    }
                    _ => wrong.push(Reason::new(format!("rows.{index}"), "must be an object")),
                }
            }
        }
        Some(Json::Array(list)) => {
            let text = format!("has {} rows; {ROWS} are allowed", list.len());
            wrong.push(Reason::new("rows", text));
        }
        Some(_) => wrong.push(Reason::new("rows", "must be a list of rows")),
        None => wrong.push(Reason::new("rows", "is required")),
    }
    put(job, &rows, wrong)?;
    let (id, name, count) = (shown(&table.id), shown(&table.name), rows.len());
    job.did = format!("wrote {count} rows of the table {id} {name}");
    Ok(good(200, &json!({"stored": count})))
}

/// Removes a row.
pub fn delete(job: &mut Job<'_>) -> Done {
    Query::new(job, &[]).end()?;
    let table = found(job, EntityKind::Table)?;
    let key = job.asked.parameter("key");
    if !job.rules.list_remove(&table.name, key, job.within())? {
        return Err(missing(key));
    }
    job.did = format!(
        "removed a row of the table {} {}",
        shown(&table.id),
        shown(&table.name)
    );
    Ok(good(200, &json!({"removed": 1})))
}

/// Removes all rows.
pub fn clear(job: &mut Job<'_>) -> Done {
    Query::new(job, &[]).end()?;
    let table = found(job, EntityKind::Table)?;
    let count = job.rules.list_count(&table.name, job.within())?;
    job.rules.list_clear(&table.name, job.within())?;
    job.did = format!(
        "removed the rows of the table {} {}",
        shown(&table.id),
        shown(&table.name)
    );
    Ok(good(200, &json!({"removed": count})))
}
