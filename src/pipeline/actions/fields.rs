//! `filter_rename`, `filter_remove_keys` and `filter_retag`

use crate::diagnostic::Outcome;
use crate::eval::Value;
use crate::pipeline::event::Event;
use crate::pipeline::python;
use crate::pipeline::spec::{
    ActionKind, ActionSpec, Build, ParameterKind, ParameterSpec, Parameters,
};
use crate::pipeline::step::{Done, Flow, Now, Pure, Step};
use smol_str::SmolStr;
use std::sync::Arc;

pub const FILTER_RENAME: ActionSpec = ActionSpec {
    name: "filter_rename",
    kind: ActionKind::Filter,
    summary: "Gives fields other names.",
    details: "The names are changed one after the other, so chains work. A new name goes to the end of the record; one that is there already is overwritten in its place.",
    parameters: &[ParameterSpec::required(
        "keys",
        ParameterKind::Map,
        "the new name of each old one",
    )],
    examples: &["- name: filter_rename\n  match: date\n  keys: {date: timestamp}"],
    make: rename,
};

pub const FILTER_REMOVE_KEYS: ActionSpec = ActionSpec {
    name: "filter_remove_keys",
    kind: ActionKind::Filter,
    summary: "Removes fields.",
    details: "",
    parameters: &[ParameterSpec::required(
        "keys",
        ParameterKind::Texts,
        "the fields; those that are not there do not matter",
    )],
    examples: &["- name: filter_remove_keys\n  match: date\n  keys: [A, B]"],
    make: remove,
};

pub const FILTER_RETAG: ActionSpec = ActionSpec {
    name: "filter_retag",
    kind: ActionKind::Filter,
    summary: "Gives events another tag: what a field says, or a fixed one.",
    details: "",
    parameters: &[
        ParameterSpec::required(
            "value",
            ParameterKind::Text,
            "the new tag, when there is no such field",
        ),
        ParameterSpec::optional(
            "key",
            ParameterKind::Text,
            "",
            "the field that holds the new tag",
        ),
    ],
    examples: &["- name: filter_retag\n  match: my_log\n  value: generic_log\n  key: source"],
    make: retag,
};

struct Rename(Vec<(SmolStr, SmolStr)>);

fn rename(parameters: &Parameters, _: &Build<'_>) -> Outcome<Step> {
    let mut names = Vec::new();
    for (old, new) in parameters.map("keys") {
        match (old, new) {
            (Value::Text(old), Value::Text(new)) => names.push((old, new)),
            _ => return Err(parameters.fault("keys", "the names of fields are texts")),
        }
    }
    Ok(Step::Pure(Arc::new(Rename(names))))
}

impl Pure for Rename {
    fn apply(&self, event: &mut Event, _: Now, _: &mut Vec<Event>) -> Done {
        for (old, new) in &self.0 {
            if old == new {
                // As with feedoo: the new value is set, then the old field goes.
                event.record.remove(old);
            } else if let Some(value) = event.record.remove(old) {
                event.record.set(new.clone(), value);
            }
        }
        Ok(Flow::Pass)
    }
}

struct Remove(Vec<SmolStr>);

fn remove(parameters: &Parameters, _: &Build<'_>) -> Outcome<Step> {
    Ok(Step::Pure(Arc::new(Remove(parameters.texts("keys")))))
}

impl Pure for Remove {
    fn apply(&self, event: &mut Event, _: Now, _: &mut Vec<Event>) -> Done {
        event.record.remove_all(&self.0);
        Ok(Flow::Pass)
    }
}

struct Retag {
    value: SmolStr,
    key: Option<SmolStr>,
}

fn retag(parameters: &Parameters, _: &Build<'_>) -> Outcome<Step> {
    Ok(Step::Pure(Arc::new(Retag {
        value: parameters.text_or("value", ""),
        key: parameters.text("key"),
    })))
}

impl Pure for Retag {
    fn apply(&self, event: &mut Event, _: Now, _: &mut Vec<Event>) -> Done {
        let named = self.key.as_ref().and_then(|key| event.record.get(key));
        event.tag = match named {
            Some(Value::Text(tag)) => tag.clone(),
            Some(other) => python::text(other).into(),
            None => self.value.clone(),
        };
        Ok(Flow::Pass)
    }
}
