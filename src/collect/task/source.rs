//! Tasks as rows of queries, by the names that Devo gives them.

use super::{Destination, Task, Tasks, Who};
use crate::collect::Collections;
use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::eval::{Context, Value, json};
use crate::input::{Catalogue, Column, Columns, EVENTDATE, Rows, Source, Take, Wish};
use serde_json::Value as Json;
use std::sync::Arc;

/// Tasks as rows.
pub struct TaskRows {
    /// Only those of this destination.
    only: Option<Destination>,
}

/// The columns of a task and where they stand in it.
const COLUMNS: [(&str, &str); 16] = [
    ("id", "str"),
    ("status", "str"),
    ("type", "str"),
    ("friendlyName", "str"),
    ("query", "str"),
    ("queryId", "str"),
    ("error", "json"),
    ("lastDatetime", "timestamp"),
    ("redisKeyBase", "str"),
    ("keyFields", "json"),
    ("valueFields", "json"),
    ("description", "str"),
    ("expireIn", "int8"),
    ("domain", "str"),
    ("owner", "str"),
    ("eventsSent", "int8"),
];

/// Adds tasks to what queries can read.
pub fn add_sources(catalogue: &mut Catalogue) {
    let all = TaskRows { only: None };
    catalogue.add("system.internal.serrea.task", Arc::new(all));
    let redis = TaskRows {
        only: Some(Destination::Redis),
    };
    catalogue.add("system.internal.serrea.task.redis", Arc::new(redis));
}

/// The service and for whom it is asked. Errors: E0217.
pub(super) fn tasks(context: &Context) -> Outcome<(Arc<Tasks>, Who)> {
    let services = &context.services;
    match (services.get::<Tasks>(), services.get::<Collections>()) {
        (Some(tasks), Some(collections)) => {
            let domain = collections.domain().clone();
            let user = Default::default();
            Ok((tasks, Who { domain, user }))
        }
        _ => {
            let message = "collection tasks need a store, and there is none";
            Err(Diagnostic::new(Code::NotAvailable, message))
        }
    }
}

impl Source for TaskRows {
    fn about(&self) -> String {
        match self.only {
            None => "collection tasks".to_owned(),
            Some(_) => "collection tasks that fill collections".to_owned(),
        }
    }

    fn columns(&self, _: &Context) -> Outcome<Columns> {
        let columns = COLUMNS.iter().map(|(name, kind)| Column::new(name, kind));
        Ok(Columns::Fixed(columns.collect()))
    }

    fn read(&self, wish: &Wish<'_>, context: &Context, take: Take<'_>) -> Outcome<()> {
        let (tasks, who) = tasks(context)?;
        let mut rows = Rows::default();
        for task in tasks.list(&who, context)? {
            let wanted = |only| task.definition.destination == only;
            // One that has seen nothing has the time when it was made.
            let time = task.last.unwrap_or(task.created);
            if !self.only.is_none_or(wanted) || !(wish.from..wish.to).contains(&time) {
                continue;
            }
            rows.times.push(time);
            let json = flat(&task);
            for name in wish.names {
                rows.values.push(match name.as_str() {
                    EVENTDATE => Value::Long(time),
                    name => json::from_json(&json[name], context.limits.depth)?,
                });
            }
        }
        take(rows).map(drop)
    }
}

/// A task with what is below `extra` beside the rest.
fn flat(task: &Task) -> Json {
    let mut json = task.json();
    let extra = json.as_object_mut().and_then(|all| all.remove("extra"));
    if let (Some(all), Some(Json::Object(extra))) = (json.as_object_mut(), extra) {
        all.extend(extra);
    }
    json
}
