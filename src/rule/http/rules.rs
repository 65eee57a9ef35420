//! The calls about rules.

use super::job::{Done, Job, shown};
use super::page::{Query, list};
use super::shape::{Denied, good, reason};
use crate::config::Right;
use crate::rule::lua;
use crate::rule::model::{EntityKind, Refusal, Relation, Relations, Rule};
use crate::rule::store::{NewResult, Search};
use crate::store::serve::Answer;
use serde_json::{Map, Value as Json, json};

/// What cannot be an identifier, since it stands for something else in paths.
const WORDS: [&str; 4] = ["create", "events", ".", ".."];

/// Refuses an identifier that no path can have.
pub fn addressable(id: &str) -> Result<(), Refusal> {
    match WORDS.contains(&id) {
        true => {
            let text = format!("{id:?} stands for something else in addresses");
            Err(Refusal::bad("id", text))
        }
        false => Ok(()),
    }
}

/// There is no such thing.
pub fn missing(id: &str) -> Denied {
    Refusal::Missing(format!("{} is not known", shown(id))).into()
}

/// Stores a new rule.
pub fn create(job: &mut Job<'_>) -> Done {
    let body = job.body()?;
    let (rule, relations) = job.making(|making| Rule::create(&body, making))?;
    job.trace.clone_from(&rule.trace_id);
    addressable(&rule.id)?;
    job.may_change(rule.is_system)?;
    may_take(job, None, &relations)?;
    job.rules.create(&rule, &relations, job.within())??;
    job.did = format!("created the rule {} {}", shown(&rule.id), shown(&rule.name));
    warned(job, good(201, &rule.to_json()), &rule)
}

/// An answer that says when the program of a rule cannot be read, or takes no events. It is stored nevertheless: those
/// who export rules from elsewhere send them in any state, and a rule that cannot be loaded is counted and told where it
/// is run.
fn warned(job: &Job<'_>, answer: Answer, rule: &Rule) -> Done {
    let text = match lua::check(&rule.name, &rule.lua) {
        Err(fault) => reason("lua", &fault).reason,
        Ok(()) if takes_events(job, rule)? => return Ok(answer),
        Ok(()) => "the rule has no function on_logline, so it takes no events".to_owned(),
    };
    let plain = |c: char| match c {
        '"' | '\\' => '\'',
        c if c == ' ' || c.is_ascii_graphic() => c,
        _ => '?',
    };
    let text: String = text.chars().take(500).map(plain).collect();
    Ok(answer.with("warning", format!("299 stellar \"lua: {text}\"")))
}

/// Whether the rule or one of its modules speaks of the function that takes events.
fn takes_events(job: &Job<'_>, rule: &Rule) -> Result<bool, Denied> {
    let speaks = |text: &str| lua::speaks_of(text, "on_logline");
    if speaks(&rule.lua) {
        return Ok(true);
    }
    let modules = job
        .rules
        .entities_of(&rule.id, EntityKind::Module, job.within())?;
    Ok(modules.iter().any(|module| speaks(&module.program)))
}

/// Refuses to take results away from rules of the system.
fn may_take(job: &Job<'_>, rule: Option<&str>, relations: &Relations) -> Result<(), Denied> {
    if job.asked.may(Right::Admin) {
        return Ok(());
    }
    for id in relations.get(Relation::Results).unwrap_or_default() {
        job.go_on()?;
        let owner = job.rules.result_rule(id, job.within())?;
        let Some(owner) = owner.filter(|owner| rule != Some(owner)) else {
            continue;
        };
        let owner = job.rules.rule(&owner, job.within())?;
        job.may_change(owner.is_some_and(|rule| rule.is_system))?;
    }
    Ok(())
}

/// The rule in the path.
fn found(job: &Job<'_>) -> Result<Rule, Denied> {
    let id = job.asked.parameter("id");
    let rule = job.rules.rule(id, job.within())?;
    rule.ok_or_else(|| missing(id))
}

/// Shows a rule.
pub fn show(job: &mut Job<'_>) -> Done {
    Query::new(job, &[]).end()?;
    Ok(good(200, &found(job)?.to_json()))
}

/// Shows what a rule is connected with, in the form in which `_relations` takes it.
pub fn relations(job: &mut Job<'_>) -> Done {
    Query::new(job, &[]).end()?;
    let rule = found(job)?;
    let mut answer = Map::new();
    for relation in [Relation::Filters, Relation::Modules, Relation::Finding] {
        let ids = job.rules.connected(&rule.id, relation, job.within())?;
        answer.insert(relation.key().to_string(), json!(ids));
    }
    Ok(good(200, &Json::Object(answer)))
}

/// Lists rules.
pub fn all(job: &mut Job<'_>) -> Done {
    let mut query = Query::new(job, &["text", "active", "retro", "offset", "limit"]);
    let search = Search {
        text: query.text("text"),
        active: query.flag("active"),
        retro: query.flag("retro"),
        ..Search::default()
    };
    let part = query.part();
    query.end()?;
    let fetch = |offset, limit| {
        let search = Search {
            offset,
            limit: Some(limit),
            ..search.clone()
        };
        job.rules.rules(&search, job.within())
    };
    list(job, part, fetch, Rule::to_json)
}

/// Changes the fields of a rule that the body has.
pub fn update(job: &mut Job<'_>) -> Done {
    let body = job.body()?;
    let rule = change(job, &body)?;
    job.did = format!("changed the rule {} {}", shown(&rule.id), shown(&rule.name));
    warned(job, good(200, &rule.to_json()), &rule)
}

fn change(job: &Job<'_>, body: &Map<String, Json>) -> Result<Rule, Denied> {
    let id = job.asked.parameter("id");
    let mut wrong = Vec::new();
    may_take(job, Some(id), &Relations::read(body, &mut wrong))?;
    let change = |before: &Rule| {
        job.may_change(before.is_system)?;
        let (after, relations) = job.making(|making| before.update(body, making))?;
        job.may_change(after.is_system)?;
        Ok((after, relations))
    };
    Ok(job.rules.update(id, &change, job.within())??)
}

/// Activates a rule, or takes it out of the stream.
pub fn activate(job: &mut Job<'_>, active: bool) -> Done {
    Query::new(job, &[]).end()?;
    let mut body = Map::new();
    body.insert("active".to_string(), json!(active));
    if !job.trace.is_empty() {
        body.insert("trace_id".to_string(), json!(job.trace));
    }
    let rule = change(job, &body)?;
    let word = if active { "activated" } else { "deactivated" };
    job.did = format!("{word} the rule {} {}", shown(&rule.id), shown(&rule.name));
    Ok(good(200, &rule.to_json()))
}

/// Removes a rule with its results and groups.
pub fn delete(job: &mut Job<'_>) -> Done {
    Query::new(job, &[]).end()?;
    let rule = found(job)?;
    job.may_change(rule.is_system)?;
    if !job.rules.delete(&rule.id, job.within())? {
        return Err(missing(&rule.id));
    }
    job.did = format!("removed the rule {} {}", shown(&rule.id), shown(&rule.name));
    Ok(good(200, &rule.to_json()))
}

/// Lists the alerts of a rule, the latest first.
pub fn results(job: &mut Job<'_>) -> Done {
    let mut query = Query::new(job, &["offset", "limit"]);
    let part = query.part();
    query.end()?;
    let rule = found(job)?;
    let fetch = |offset, limit| job.rules.results(&rule.id, (offset, limit), job.within());
    list(job, part, fetch, result)
}

/// An alert as the API answers.
fn result(one: &NewResult) -> Json {
    json!({"id": one.id, "rule": one.rule, "created_at": super::job::time(one.at), "alert": one.alert})
}

/// Refuses changes of what rules of the system are made of.
pub fn may_change_parts(job: &Job<'_>, kind: EntityKind, id: &str) -> Result<(), Denied> {
    if job.asked.may(Right::Admin) {
        return Ok(());
    }
    for usage in job.rules.usage(kind, id, job.within())? {
        job.go_on()?;
        let rule = job.rules.rule(&usage.rule, job.within())?;
        job.may_change(rule.is_some_and(|rule| rule.is_system))?;
    }
    Ok(())
}
