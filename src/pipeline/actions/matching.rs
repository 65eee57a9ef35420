//! `filter_matching_list`

use super::alert::{ALERT, Alert, TAG};
use crate::diagnostic::Outcome;
use crate::eval::Value;
use crate::pipeline::event::Event;
use crate::pipeline::python;
use crate::pipeline::spec::{
    ActionKind, ActionSpec, Build, ParameterKind, ParameterSpec, Parameters,
};
use crate::pipeline::step::{Done, Flow, Now, Pure, Step};
use aho_corasick::AhoCorasick;
use smol_str::SmolStr;
use std::sync::Arc;

pub const FILTER_MATCHING_LIST: ActionSpec = ActionSpec {
    name: "filter_matching_list",
    kind: ActionKind::Filter,
    summary: "Makes an alert when a field holds an entry of a list, or none.",
    details: "Entries are looked for anywhere in the field's text, with case. The list stands in the step or in a file, one entry a line. The alert has `timestamp`, `mode`, `found` (the entries in quotation marks, in the order of the text), `key`, `value` and the fields of `alert`, which win.",
    parameters: &[
        TAG,
        ALERT,
        ParameterSpec::required("key", ParameterKind::Text, "the field"),
        ParameterSpec::optional(
            "mode",
            ParameterKind::Choice(&["present", "absent"]),
            "present",
            "whether there is an alert when an entry is there, or when none is",
        ),
        ParameterSpec::optional("matching_list", ParameterKind::Texts, "", "the entries"),
        ParameterSpec::optional(
            "matching_list_file",
            ParameterKind::Path,
            "",
            "the file with the entries",
        ),
    ],
    examples: &[
        "- name: filter_matching_list\n  match: dns\n  tag: ioc\n  key: query\n  alert: {title: A known bad name}\n  matching_list: [evil.example, bad.example]",
    ],
    make,
};

struct Matching {
    alert: Alert,
    key: SmolStr,
    present: bool,
    entries: AhoCorasick,
    texts: Vec<SmolStr>,
}

fn make(parameters: &Parameters, _: &Build<'_>) -> Outcome<Step> {
    let mut texts = match (
        parameters.has("matching_list"),
        parameters.path("matching_list_file"),
    ) {
        (true, None) => parameters.texts("matching_list"),
        (false, Some(path)) => {
            let text = crate::input::read_text(&path)
                .map_err(|fault| parameters.fault("matching_list_file", fault.message))?;
            text.lines().map(|line| line.trim().into()).collect()
        }
        _ => {
            return Err(parameters.fault(
                "matching_list",
                "exactly one of matching_list and matching_list_file is to be given",
            ));
        }
    };
    texts.retain(|text| !text.is_empty());
    let mut seen = std::collections::HashSet::new();
    texts.retain(|text| seen.insert(text.clone()));
    if texts.is_empty() {
        return Err(parameters.fault("matching_list", "the list has no entries"));
    }
    let entries = AhoCorasick::new(&texts).map_err(|error| {
        parameters.fault("matching_list", format!("the list is too large: {error}"))
    })?;
    Ok(Step::Pure(Arc::new(Matching {
        alert: Alert::of(parameters),
        key: parameters.text_or("key", ""),
        present: parameters.text("mode").as_deref() != Some("absent"),
        entries,
        texts,
    })))
}

impl Pure for Matching {
    fn apply(&self, event: &mut Event, now: Now, more: &mut Vec<Event>) -> Done {
        let Some(value) = event.record.get(&self.key) else {
            return Ok(Flow::Pass);
        };
        let text = python::text(value);
        if self.entries.is_match(text.as_ref()) != self.present {
            return Ok(Flow::Pass);
        }
        let mut hits: Vec<(usize, usize, usize)> = self
            .entries
            .find_overlapping_iter(text.as_ref())
            .map(|hit| (hit.end(), hit.start(), hit.pattern().as_usize()))
            .collect();
        // By their ends; of those that end together the longer first.
        hits.sort_unstable();
        let quoted = hits
            .iter()
            .filter_map(|(_, _, entry)| self.texts.get(*entry));
        let quoted: Vec<String> = quoted.map(|text| format!("\"{text}\"")).collect();
        let own = [
            (
                "mode",
                Value::text(if self.present { "present" } else { "absent" }),
            ),
            ("found", Value::string(quoted.join(","))),
            ("key", Value::Text(self.key.clone())),
            ("value", Value::text(text)),
        ];
        more.push(self.alert.below(now, own));
        Ok(Flow::Pass)
    }
}
