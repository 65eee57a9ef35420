//! The calls about filters, modules, findings and table lists.

use super::job::{Done, Job, shown};
use super::page::{Query, list};
use super::rules::{addressable, may_change_parts, missing};
use super::shape::{Denied, good, reason};
use crate::diagnostic::Source;
use crate::eval::{Context, compile};
use crate::rule::lua;
use crate::rule::model::{Entity, EntityKind, Refusal};
use crate::rule::store::Search;
use serde_json::json;
use std::sync::Arc;

/// Refuses a program that cannot be run: a filter that is no expression, a module that is no Lua.
pub fn runnable(entity: &Entity, context: &Context) -> Result<(), Refusal> {
    let Some(field) = entity.kind.program() else {
        return Ok(());
    };
    let faults = match entity.kind {
        EntityKind::Filter => {
            match compile(&Arc::new(Source::expression(&*entity.program)), context) {
                Ok(program) => program.problems.clone(),
                Err(fault) => vec![fault],
            }
        }
        _ => lua::check(&entity.name, &entity.program)
            .err()
            .into_iter()
            .collect(),
    };
    match faults.is_empty() {
        true => Ok(()),
        false => {
            let faults = faults.iter().map(|fault| reason(field, fault));
            Err(Refusal::Bad(faults.collect()))
        }
    }
}

fn noted(verb: &str, entity: &Entity) -> String {
    let kind = entity.kind.name();
    let (id, name) = (shown(&entity.id), shown(&entity.name));
    format!("{verb} the {kind} {id} {name}")
}

/// Stores a new one.
pub fn create(job: &mut Job<'_>, kind: EntityKind) -> Done {
    let body = job.body()?;
    let entity = job.making(|making| Entity::create(kind, &body, making))?;
    job.trace.clone_from(&entity.trace_id);
    addressable(&entity.id)?;
    runnable(&entity, &job.api.context)?;
    job.rules.create_entity(&entity, job.within())??;
    job.did = noted("created", &entity);
    Ok(good(201, &entity.to_json()))
}

/// The one in the path.
pub fn found(job: &Job<'_>, kind: EntityKind) -> Result<Entity, Denied> {
    let id = job.asked.parameter("id");
    let entity = job.rules.entity(kind, id, job.within())?;
    entity.ok_or_else(|| missing(id))
}

/// Shows one.
pub fn show(job: &mut Job<'_>, kind: EntityKind) -> Done {
    Query::new(job, &[]).end()?;
    Ok(good(200, &found(job, kind)?.to_json()))
}

/// Lists them.
pub fn all(job: &mut Job<'_>, kind: EntityKind) -> Done {
    let mut query = Query::new(job, &["text", "offset", "limit"]);
    let text = query.text("text");
    let part = query.part();
    query.end()?;
    let fetch = |offset, limit| {
        let search = Search {
            text: text.clone(),
            offset,
            limit: Some(limit),
            ..Search::default()
        };
        job.rules.entities(kind, &search, job.within())
    };
    list(job, part, fetch, Entity::to_json)
}

/// Lists the rules that are connected with one.
pub fn usage(job: &mut Job<'_>, kind: EntityKind) -> Done {
    Query::new(job, &[]).end()?;
    let entity = found(job, kind)?;
    let rules = job.rules.usage(kind, &entity.id, job.within())?;
    let rules = rules.into_iter();
    let rules: Vec<_> = rules
        .map(|one| json!({"id": one.rule, "name": one.name}))
        .collect();
    Ok(good(200, &json!({"items": rules, "total": rules.len()})))
}

/// Changes the fields of one that the body has.
pub fn update(job: &mut Job<'_>, kind: EntityKind) -> Done {
    let body = job.body()?;
    let id = job.asked.parameter("id");
    may_change_parts(job, kind, id)?;
    let change = |before: &Entity| {
        let after = job.making(|making| before.update(&body, making))?;
        runnable(&after, &job.api.context)?;
        Ok(after)
    };
    let entity = job.rules.update_entity(kind, id, &change, job.within())??;
    job.did = noted("changed", &entity);
    Ok(good(200, &entity.to_json()))
}

/// Removes one and its connections.
pub fn delete(job: &mut Job<'_>, kind: EntityKind) -> Done {
    Query::new(job, &[]).end()?;
    let entity = found(job, kind)?;
    may_change_parts(job, kind, &entity.id)?;
    if !job.rules.delete_entity(kind, &entity.id, job.within())? {
        return Err(missing(&entity.id));
    }
    job.did = noted("removed", &entity);
    Ok(good(200, &entity.to_json()))
}
