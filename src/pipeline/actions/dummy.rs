//! `input_dummy`

use crate::diagnostic::Outcome;
use crate::eval::Value;
use crate::pipeline::record::Record;
use crate::pipeline::spec::{
    ActionKind, ActionSpec, Build, ParameterKind, ParameterSpec, Parameters,
};
use crate::pipeline::step::{Feed, Input, Step};
use smol_str::SmolStr;

pub const INPUT_DUMMY: ActionSpec = ActionSpec {
    name: "input_dummy",
    kind: ActionKind::Input,
    summary: "Makes events of what stands in the file, for trying things out.",
    details: "A map is one event, a list of maps is one event each. With `--once`, an endless `repeat` is one round.",
    parameters: &[
        ParameterSpec::required("tag", ParameterKind::Text, "the tag of the events"),
        ParameterSpec::required("data", ParameterKind::Any, "a map, or a list of maps"),
        ParameterSpec::optional(
            "repeat",
            ParameterKind::Whole,
            "1",
            "how many rounds there are; 0 and less mean without end",
        ),
    ],
    examples: &["- name: input_dummy\n  tag: my_pipeline\n  data: {log: my log}"],
    make,
};

struct Dummy {
    tag: SmolStr,
    data: Vec<Record>,
    repeat: i64,
}

fn make(parameters: &Parameters, _: &Build<'_>) -> Outcome<Step> {
    let data = parameters.value("data").unwrap_or_default();
    let one = |value: &Value| match value {
        Value::Map(map) => Ok(map.entries().into_iter().collect::<Record>()),
        other => {
            let found = other.kind_in_words();
            Err(parameters.fault(
                "data",
                format!("data is a map or a list of maps, not {found}"),
            ))
        }
    };
    let data = match &data {
        Value::List(items) => items.items().iter().map(one).collect::<Outcome<_>>()?,
        other => vec![one(other)?],
    };
    Ok(Step::Input(Box::new(Dummy {
        tag: parameters.text_or("tag", ""),
        data,
        repeat: parameters.whole("repeat").unwrap_or(1),
    })))
}

impl Input for Dummy {
    fn run(&mut self, feed: &Feed) -> Outcome<()> {
        let endless = self.repeat <= 0;
        let mut left = if endless { 1 } else { self.repeat };
        while left > 0 && !feed.stopped() {
            let events = self.data.iter();
            let events = events.map(|record| feed.event(&self.tag, record.clone()));
            if !feed.events(events.collect(), None) {
                break;
            }
            feed.turn_done();
            if !endless || feed.once() {
                left -= 1;
            }
        }
        Ok(())
    }

    fn in_turn(&self) -> bool {
        true
    }
}
