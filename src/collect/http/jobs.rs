//! The calls about tasks.

use super::shape::{good, job_denied};
use crate::collect::Collections;
use crate::collect::task::{Denied, Status, Task, Tasks, Who};
use crate::config::Right;
use crate::diagnostic::{Code, Diagnostic};
use crate::eval::Context;
use crate::store::serve::{Asked, Reply};
use serde_json::{Value as Json, json};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// So long a task that was started may take until it runs.
const SOON: Duration = Duration::from_secs(5);

/// How often it is looked at.
const TICK: Duration = Duration::from_millis(10);

/// Does what a call asks for and gives the object of the answer.
pub type Job = fn(&Asked, &Tasks, &Context) -> Result<Json, Denied>;

/// Answers a call.
pub fn answer(asked: &Asked, context: &Context, job: Job) -> Reply {
    let context = &bounded(asked, context);
    let done = tasks(context).and_then(|tasks| job(asked, &tasks, context));
    let answer = match done {
        Ok(object) => good(asked, "", &object),
        Err(denied) => job_denied(asked, &denied),
    };
    answer.into()
}

/// The context as the caller's domain sees it: names of collections and tasks are its own.
pub fn of_domain(asked: &Asked, context: &Context) -> Context {
    let mut own = context.clone();
    own.only_reads = !asked.may(Right::Write);
    let domain = &asked.caller.domain;
    if let Some(all) = context.services.get::<Collections>()
        && all.domain() != domain
    {
        own.services.add(Arc::new(all.of_domain(domain)));
    }
    own
}

/// The context for what one request does.
pub fn bounded(asked: &Asked, context: &Context) -> Context {
    let mut own = of_domain(asked, context);
    own.cancel = asked.cancel.clone();
    own.deadline = asked.deadline.moment();
    own
}

/// The tasks of the program.
pub fn tasks(context: &Context) -> Result<Arc<Tasks>, Denied> {
    context.services.get::<Tasks>().ok_or_else(|| {
        let message = "there are no tasks here";
        Diagnostic::new(Code::NotAvailable, message).into()
    })
}

/// For whom something is asked.
pub fn who(asked: &Asked) -> Who {
    Who {
        domain: asked.caller.domain.clone(),
        user: asked.caller.name.clone(),
    }
}

fn shown<'t>(tasks: impl Iterator<Item = &'t Task>) -> Json {
    tasks.map(Task::json).collect()
}

/// The tasks of a domain, perhaps those of a type, perhaps those whose names begin so.
pub fn list(asked: &Asked, tasks: &Tasks, context: &Context) -> Result<Json, Denied> {
    let wanted = |name: &str| {
        let given = asked.value(name).unwrap_or_else(|| asked.parameter(name));
        Some(given.to_owned()).filter(|given| !given.is_empty())
    };
    let (kind, name) = (wanted("type"), wanted("name"));
    let all = tasks.list(&who(asked), context)?;
    let all = all.iter().filter(|task| {
        let definition = &task.definition;
        let mut kind = kind.iter();
        let mut name = name.iter();
        kind.all(|kind| definition.destination.word() == kind)
            && name.all(|name| definition.name.starts_with(name.as_str()))
    });
    Ok(shown(all))
}

/// The tasks of all domains.
pub fn all(_: &Asked, tasks: &Tasks, context: &Context) -> Result<Json, Denied> {
    Ok(shown(tasks.all(context)?.iter()))
}

/// One task.
pub fn show(asked: &Asked, tasks: &Tasks, context: &Context) -> Result<Json, Denied> {
    let task = tasks.get(asked.parameter("id"), &who(asked), context)?;
    Ok(task.json())
}

/// Stops a task.
pub fn stop(asked: &Asked, tasks: &Tasks, context: &Context) -> Result<Json, Denied> {
    let task = tasks.stop(asked.parameter("id"), &who(asked), context)?;
    Ok(task.json())
}

/// Starts a task again.
pub fn start(asked: &Asked, tasks: &Tasks, context: &Context) -> Result<Json, Denied> {
    let who = who(asked);
    let created = tasks.start(asked.parameter("id"), &who, context)?;
    let soon = Instant::now() + SOON;
    loop {
        let task = tasks.get(&created.id, &who, context)?;
        // Clients expect that what was started runs.
        if task.status != Status::Created || Instant::now() > soon {
            return Ok(task.json());
        }
        context.check_cancelled()?;
        std::thread::sleep(TICK);
    }
}

/// Removes a task.
pub fn remove(asked: &Asked, tasks: &Tasks, context: &Context) -> Result<Json, Denied> {
    let task = tasks.remove(asked.parameter("id"), &who(asked), context)?;
    let mut json = task.json();
    // A removed task is not kept, so that it has no status of its own.
    json["status"] = json!("REMOVED");
    Ok(json)
}
