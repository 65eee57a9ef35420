//! `filter_lookup`

use crate::diagnostic::Outcome;
use crate::eval::{Later, Value};
use crate::pipeline::event::Event;
use crate::pipeline::expression::{Expression, World};
use crate::pipeline::spec::{
    ActionKind, ActionSpec, Build, ParameterKind, ParameterSpec, Parameters,
};
use crate::pipeline::step::{Done, Flow, Now, Pure, Step};
use crate::pipeline::yaml::{Kind, Node};
use smol_str::SmolStr;
use std::sync::Arc;

pub const FILTER_LOOKUP: ActionSpec = ActionSpec {
    name: "filter_lookup",
    kind: ActionKind::Filter,
    summary: "Looks events up in a collection: keeps those that are there or those that are not, and adds what is known.",
    details: "What is looked up are the values of `keys`, in the order of the key fields of the collection. `keep` says which events go on; `into` names the field that gets what was found: a map with `eventdate`, when the key was last seen, and with the values that the collection keeps. Events that were not found have no such field.\n\nThe questions of a batch go to the store together, and answers are believed for a moment, as docs/collections.md says. A collection that does not exist and a store that does not answer are errors: the event goes to the dead letters, it is never taken for one that was not found. The same can be had with COLLECTION_HAS and COLLECTION_GET in filter_stellar.",
    parameters: &[
        ParameterSpec::required(
            "collection",
            ParameterKind::Text,
            "the name of the collection",
        ),
        ParameterSpec::required(
            "keys",
            ParameterKind::Texts,
            "the expressions that make the key, in order; most are names of fields",
        ),
        ParameterSpec::optional(
            "keep",
            ParameterKind::Choice(&["all", "found", "missing"]),
            "all",
            "which events go on",
        ),
        ParameterSpec::optional(
            "into",
            ParameterKind::Text,
            "",
            "the field for what was found",
        ),
    ],
    examples: &[
        "- name: filter_lookup\n  match: web\n  collection: logins\n  keys: [domain, username]\n  into: login",
        "- name: filter_lookup\n  match: dns\n  collection: domains\n  keys: DOMAIN_REMOVE_SUBDOMAINS(query)\n  keep: missing",
    ],
    make,
};

/// Which events go on.
#[derive(PartialEq)]
enum Keep {
    All,
    Found,
    Missing,
}

struct Lookup {
    world: World,
    /// Gives what is known, and null where nothing is.
    found: Expression,
    keep: Keep,
    into: Option<SmolStr>,
}

fn make(parameters: &Parameters, build: &Build<'_>) -> Outcome<Step> {
    let world = World::new(build.context);
    let name = parameters.text_or("collection", "");
    if name.trim().is_empty() {
        return Err(parameters.fault("collection", "a collection has a name"));
    }
    let keys = parameters.texts("keys");
    if keys.is_empty() {
        return Err(parameters.fault("keys", "a key has one part at least"));
    }
    let keep = match parameters.text("keep").as_deref() {
        Some("found") => Keep::Found,
        Some("missing") => Keep::Missing,
        _ => Keep::All,
    };
    let into = parameters.text("into");
    if keep == Keep::All && into.is_none() {
        let message = "filter_lookup does nothing so: give `into`, or keep found or missing";
        return Err(parameters.fault("keep", message));
    }
    // What is wrong in one of them is shown at its place.
    if let Some(node) = parameters.raw("keys") {
        let nodes = match &node.kind {
            Kind::List(items) => items.as_slice(),
            _ => std::slice::from_ref(node),
        };
        for node in nodes {
            Expression::new(node, &[], &world)?;
        }
    }
    let quoted = name.replace('\\', "\\\\").replace('\'', "\\'");
    let text = format!("COLLECTION_GET('{quoted}', [{}])", keys.join(", "));
    let node = Node {
        kind: Kind::Scalar(Value::string(text)),
        span: parameters.span,
    };
    Ok(Step::Pure(Arc::new(Lookup {
        found: Expression::new(&node, &[], &world)?,
        world,
        keep,
        into,
    })))
}

impl Pure for Lookup {
    fn apply(&self, event: &mut Event, now: Now, _: &mut Vec<Event>) -> Done {
        let found = self.found.run(&event.record, self.world.at(now))?;
        let is_there = !found.is_null();
        if self.keep != Keep::All && is_there != (self.keep == Keep::Found) {
            return Ok(Flow::Drop);
        }
        if let Some(into) = self.into.as_ref().filter(|_| is_there) {
            event.record.set(into.clone(), found);
        }
        Ok(Flow::Pass)
    }

    fn waits(&self) -> bool {
        true
    }

    fn ahead(&self, events: &[&Event], now: Now) {
        let later = Arc::new(Later::default());
        let mut context = self.world.at(now).clone();
        context.services.add(later.clone());
        // The answers are remembered, and so are failures; each event finds them there.
        let _ = later.settle(events.len(), &context, |n| {
            if let Some(event) = events.get(n) {
                let _ = self.found.run(&event.record, &context);
            }
        });
    }
}
