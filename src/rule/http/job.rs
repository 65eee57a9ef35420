//! What a call has to work with.

use super::shape::{Denied, denied};
use crate::config::Right;
use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::eval::Context;
use crate::rule::constructor;
use crate::rule::identifier::identifier;
use crate::rule::model::{Making, Reason, Refusal, read_body};
use crate::rule::store::Rules;
use crate::store::serve::{Answer, Asked, Reply};
use crate::store::{Within, proceed};
use chrono::{DateTime, SecondsFormat};
use serde_json::{Map, Value as Json};
use std::sync::Arc;

/// What all calls share.
pub struct Api {
    /// The world of the server.
    pub context: Context,
    /// Whether rules must come with all their fields.
    pub strict: bool,
}

/// What a call answers.
pub type Done = Result<Answer, Denied>;

/// Does what a call asks for.
pub type Call = Arc<dyn Fn(&mut Job<'_>) -> Done + Send + Sync>;

/// How much of a text stands in the log.
const SHOWN: usize = 100;

/// A request that is worked on.
pub struct Job<'a> {
    /// What all calls share.
    pub api: &'a Api,
    /// What was asked.
    pub asked: &'a Asked,
    /// The store.
    pub rules: Arc<Rules>,
    /// What the action of a user is known by.
    pub trace: String,
    /// What was done, for the log; empty where nothing was changed.
    pub did: String,
}

/// Answers a call, and logs what it changed or why it did not.
pub fn answer(api: &Api, asked: &Asked, call: &Call) -> Reply {
    let found = api.context.services.get::<Rules>();
    let done = found.ok_or_else(|| {
        let message = "there is no store of rules here";
        Denied::Failed(Diagnostic::new(Code::NotAvailable, message))
    });
    let (mut trace, mut did) = (String::new(), String::new());
    let done = done.and_then(|rules| {
        let mut job = Job {
            api,
            asked,
            rules,
            trace: asked.value("trace_id").unwrap_or_default().to_owned(),
            did: String::new(),
        };
        let done = call(&mut job);
        (trace, did) = (job.trace, job.did);
        done
    });
    let (id, caller) = (&asked.id, &asked.caller.name);
    let trace = shown(&trace);
    match done {
        Ok(answer) => {
            if !did.is_empty() {
                tracing::info!(target: "stellar::serve", "{id} {caller} {did}, trace {trace}");
            }
            answer.into()
        }
        Err(why) => {
            let (answer, why) = denied(asked, &why);
            let why: String = why.chars().take(10 * SHOWN).collect();
            if answer.status == 500 {
                tracing::error!(target: "stellar::serve", "{id} {caller} failed: {why:?}, trace {trace}");
            } else {
                tracing::info!(target: "stellar::serve", "{id} {caller} refused: {why:?}, trace {trace}");
            }
            answer.into()
        }
    }
}

/// A text of somebody else in the log.
pub fn shown(text: &str) -> String {
    let text: String = text.chars().take(SHOWN).collect();
    format!("{text:?}")
}

/// A time as the API writes it.
pub fn time(millis: i64) -> String {
    let time = DateTime::from_timestamp_millis(millis).unwrap_or_default();
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

impl<'a> Job<'a> {
    /// What calls of the store must keep to.
    pub fn within(&self) -> Within<'a> {
        Within {
            now: self.api.context.clock.now(),
            deadline: self.asked.deadline,
            cancel: &self.asked.cancel,
        }
    }

    /// The context for what this request does.
    pub fn context(&self) -> Context {
        let mut own = self.api.context.clone();
        own.cancel = self.asked.cancel.clone();
        own.deadline = self.asked.deadline.moment();
        own.only_reads = !self.asked.may(Right::Write);
        own
    }

    /// Errors when the caller has gone or waited long enough.
    pub fn go_on(&self) -> Outcome<()> {
        proceed(self.asked.deadline, &self.asked.cancel)
    }

    /// The object in the body.
    pub fn body(&mut self) -> Result<Map<String, Json>, Denied> {
        let body = read_body(&self.asked.body)?;
        if let Some(Json::String(trace)) = body.get("trace_id") {
            self.trace.clone_from(trace);
        }
        Ok(body)
    }

    /// Refuses what only administrators may do to rules of the system.
    pub fn may_change(&self, is_system: bool) -> Result<(), Refusal> {
        if is_system && !self.asked.may(Right::Admin) {
            let name = &self.asked.caller.name;
            let text = format!("{name} may not change rules of the system: that needs admin");
            return Err(Refusal::Forbidden(text));
        }
        Ok(())
    }

    /// Makes something of a request.
    pub fn making<T>(&self, work: impl FnOnce(&Making<'_>) -> T) -> T {
        let now = time(self.api.context.clock.now());
        work(&Making {
            strict: self.api.strict,
            now: &now,
            id: &identifier,
            compile: &compile,
        })
    }
}

/// The Lua of what was drawn.
fn compile(drawn: &Json) -> Result<String, Vec<Reason>> {
    let compiled = constructor::compile(drawn).map_err(|wrong| {
        let wrong = wrong.into_iter();
        wrong
            .map(|one| Reason::new(one.path, one.reason))
            .collect::<Vec<_>>()
    })?;
    Ok(compiled.lua)
}
