//! The names of collections, of their tasks, and of rules.

use crate::collect::Collections;
use crate::collect::task::{Tasks, Who};
use crate::eval::Context;
use crate::rule::store::{Rules, Search};
use crate::shell::session::Session;
use crate::store::{Deadline, Within};
use smol_str::SmolStr;
use std::time::Duration;

/// So long the store may take: somebody waits with a finger on the key.
const PATIENCE: Duration = Duration::from_millis(300);

/// What the argument of a function names; `None` when it is something else.
pub(super) fn names(session: &Session, function: &str, index: usize) -> Option<Vec<SmolStr>> {
    let context = &session.engine().context;
    match (function, index) {
        ("COLLECTION_HAS" | "COLLECTION_GET" | "CCHAS" | "CCGET", 0) => collections(context),
        ("COLLECTION_TASK", 0) => tasks(context),
        ("RULE_EVAL" | "RULE_TEST", 0) => rules(context),
        _ => None,
    }
}

fn collections(context: &Context) -> Option<Vec<SmolStr>> {
    let collections = context.services.get::<Collections>()?;
    let within = Within {
        deadline: Deadline::after(PATIENCE),
        ..Within::context(context)
    };
    let known = collections.list(within).ok()?.into_iter();
    let own = known.filter(|about| about.domain == *collections.domain());
    Some(own.map(|about| about.name).collect())
}

fn tasks(context: &Context) -> Option<Vec<SmolStr>> {
    let who = Who {
        domain: context.services.get::<Collections>()?.domain().clone(),
        user: SmolStr::default(),
    };
    let tasks = context.services.get::<Tasks>()?.list(&who, context).ok()?;
    Some(tasks.into_iter().map(|task| task.definition.name).collect())
}

/// How many rules are offered.
const RULES: i64 = 1000;

fn rules(context: &Context) -> Option<Vec<SmolStr>> {
    let within = Within {
        deadline: Deadline::after(PATIENCE),
        ..Within::context(context)
    };
    let search = Search {
        limit: Some(RULES),
        ..Search::default()
    };
    let page = context
        .services
        .get::<Rules>()?
        .rules(&search, within)
        .ok()?;
    let named = page.items.into_iter().map(|rule| rule.name.into());
    Some(named.collect())
}
