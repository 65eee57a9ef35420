//! Actions as they are declared: what `list`, `check`, the help and the reference are made from.

use super::step::Step;
use super::yaml::{Kind as NodeKind, Node};
use crate::config::duration;
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome, Span, nearest};
use crate::eval::text::to_text;
use crate::eval::{Context, Value};
use smol_str::SmolStr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// Which of the four kinds an action is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ActionKind {
    /// Makes events.
    Input,
    /// Reads a field.
    Parser,
    /// Changes, drops and adds events.
    Filter,
    /// Takes events out.
    Output,
}

impl ActionKind {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            ActionKind::Input => "input",
            ActionKind::Parser => "parser",
            ActionKind::Filter => "filter",
            ActionKind::Output => "output",
        }
    }
}

/// One action: its declaration and what makes a step of it.
pub struct ActionSpec {
    /// Its name, such as `filter_rename`.
    pub name: &'static str,
    /// What kind it is; everything but inputs has a parameter `match` besides.
    pub kind: ActionKind,
    /// What it does, in one sentence.
    pub summary: &'static str,
    /// More, in Markdown; may be empty.
    pub details: &'static str,
    /// Its parameters.
    pub parameters: &'static [ParameterSpec],
    /// Steps in YAML that show its use.
    pub examples: &'static [&'static str],
    /// Makes the step of checked parameters.
    pub make: fn(&Parameters, &Build<'_>) -> Outcome<Step>,
}

/// One parameter of an action.
#[derive(Debug)]
pub struct ParameterSpec {
    /// Its name.
    pub name: &'static str,
    /// Other names that are understood, with a warning.
    pub also: &'static [&'static str],
    /// What may stand there.
    pub kind: ParameterKind,
    /// Whether it must be given.
    pub required: bool,
    /// What stands for it when it is not given, in words for the reference.
    pub default: &'static str,
    /// What it means.
    pub about: &'static str,
}

impl ParameterSpec {
    /// A parameter that must be given.
    pub const fn required(
        name: &'static str,
        kind: ParameterKind,
        about: &'static str,
    ) -> ParameterSpec {
        ParameterSpec {
            name,
            also: &[],
            kind,
            required: true,
            default: "",
            about,
        }
    }

    /// A parameter that may be given.
    pub const fn optional(
        name: &'static str,
        kind: ParameterKind,
        default: &'static str,
        about: &'static str,
    ) -> ParameterSpec {
        ParameterSpec {
            name,
            also: &[],
            kind,
            required: false,
            default,
            about,
        }
    }

    /// The parameter with other names that are understood.
    pub const fn also(self, also: &'static [&'static str]) -> ParameterSpec {
        ParameterSpec { also, ..self }
    }
}

/// What a parameter may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterKind {
    /// A text.
    Text,
    /// A text or a list of texts.
    Texts,
    /// A whole number.
    Whole,
    /// A number.
    Number,
    /// A number of seconds, or a text such as `5m`.
    Seconds,
    /// `true` or `false`.
    Flag,
    /// One of some texts.
    Choice(&'static [&'static str]),
    /// A map.
    Map,
    /// The path of a file or folder.
    Path,
    /// A pattern such as `log_*`.
    Pattern,
    /// An expression of the language.
    Expression,
    /// Anything.
    Any,
}

impl ParameterKind {
    /// What it wants, in words.
    pub fn in_words(self) -> String {
        match self {
            ParameterKind::Text => "a text".to_owned(),
            ParameterKind::Texts => "a text or a list of texts".to_owned(),
            ParameterKind::Whole => "a whole number".to_owned(),
            ParameterKind::Number => "a number".to_owned(),
            ParameterKind::Seconds => "a number of seconds, or a text such as 5m".to_owned(),
            ParameterKind::Flag => "true or false".to_owned(),
            ParameterKind::Choice(words) => crate::diagnostic::quoted_list(words),
            ParameterKind::Map => "a map".to_owned(),
            ParameterKind::Path => "a path".to_owned(),
            ParameterKind::Pattern => "a pattern".to_owned(),
            ParameterKind::Expression => "an expression".to_owned(),
            ParameterKind::Any => "anything".to_owned(),
        }
    }

    fn is_number(self) -> bool {
        matches!(
            self,
            ParameterKind::Whole | ParameterKind::Number | ParameterKind::Seconds
        )
    }

    fn takes(self, node: &Node) -> bool {
        let text = node.as_text();
        match self {
            ParameterKind::Text
            | ParameterKind::Path
            | ParameterKind::Pattern
            | ParameterKind::Expression => text.is_some(),
            ParameterKind::Texts => match &node.kind {
                NodeKind::List(items) => items.iter().all(|item| item.as_text().is_some()),
                _ => text.is_some(),
            },
            ParameterKind::Whole => whole_of(node).is_some(),
            ParameterKind::Number => number_of(node).is_some(),
            ParameterKind::Seconds => seconds_of(node).is_some(),
            ParameterKind::Flag => flag_of(node).is_some(),
            ParameterKind::Choice(words) => text.is_some_and(|text| words.contains(&text)),
            ParameterKind::Map => matches!(node.kind, NodeKind::Map(_)),
            ParameterKind::Any => true,
        }
    }
}

fn scalar(node: &Node) -> Option<&Value> {
    match &node.kind {
        NodeKind::Scalar(value) => Some(value),
        _ => None,
    }
}

/// A text counts as the number it holds: variables make texts.
fn whole_of(node: &Node) -> Option<i64> {
    match scalar(node)? {
        Value::Int(n) => Some(i64::from(*n)),
        Value::Long(n) => Some(*n),
        Value::Double(n) if n.fract() == 0.0 && n.abs() < 9e15 => Some(*n as i64),
        Value::Text(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn number_of(node: &Node) -> Option<f64> {
    let number = match scalar(node)? {
        Value::Double(n) => Some(*n),
        Value::Text(text) => text.trim().parse().ok(),
        _ => whole_of(node).map(|n| n as f64),
    };
    // Nothing is more or less than NaN: a bound that is none would never be reached.
    number.filter(|number| !number.is_nan())
}

fn seconds_of(node: &Node) -> Option<f64> {
    let seconds = match node.as_text() {
        Some(text) if text.trim().parse::<f64>().is_err() => {
            duration(text).ok().map(|time| time.as_secs_f64())
        }
        _ => number_of(node),
    };
    seconds.filter(|seconds| (0.0..1e12).contains(seconds))
}

fn flag_of(node: &Node) -> Option<bool> {
    match scalar(node)? {
        Value::Bool(truth) => Some(*truth),
        Value::Text(text) => match text.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" => Some(true),
            "false" | "no" | "off" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// What an action may need to make its step.
pub struct Build<'a> {
    /// Functions, clock, zone, limits, services.
    pub context: &'a Context,
    /// The name of the pipeline.
    pub pipeline: &'a str,
}

/// What all pipelines of a program share: a service of the context.
pub struct Common {
    /// How many keys or values an action keeps at most.
    pub keys: usize,
    /// Set when the program shall end.
    pub stop: Arc<AtomicBool>,
    /// Whether the pipelines end when the inputs have nothing more.
    pub once: bool,
    /// Whether they are on trial: nothing is written anywhere.
    pub trial: bool,
    /// Is told what the user should know.
    pub say: Arc<dyn Fn(&str) + Send + Sync>,
}

impl Default for Common {
    fn default() -> Common {
        Common {
            keys: 1_000_000,
            stop: Arc::default(),
            once: false,
            trial: false,
            say: Arc::new(|_| ()),
        }
    }
}

impl Build<'_> {
    /// What all pipelines share.
    pub fn common(&self) -> Arc<Common> {
        self.context.services.get().unwrap_or_default()
    }
}

/// The checked parameters of one step.
#[derive(Debug, Clone)]
pub struct Parameters {
    given: Vec<(&'static str, Node)>,
    /// Where the step stands.
    pub span: Span,
}

impl Parameters {
    /// Checks the entries of a step against the declaration: all faults, and warnings.
    pub fn check(
        spec: &ActionSpec,
        entries: &[(Node, Node)],
        span: Span,
        faults: &mut Vec<Fault>,
        warnings: &mut Vec<Fault>,
    ) -> Parameters {
        let mut given: Vec<(&'static str, Node)> = Vec::new();
        let usual = usual(spec.kind);
        let known = || usual.iter().chain(spec.parameters);
        for (key, node) in entries {
            let Some(name) = key.as_text() else {
                faults.push(bad(key.span, "the name of a parameter is a text"));
                continue;
            };
            if name == "name" {
                continue;
            }
            let Some(parameter) = known().find(|p| p.name == name || p.also.contains(&name)) else {
                let names = known().map(|p| p.name);
                let near = nearest(name, names.clone());
                let fault = bad(key.span, format!("{} has no parameter {name}", spec.name));
                let names: Vec<&str> = names.collect();
                faults.push(match near {
                    Some(_) => fault.did_you_mean(near),
                    None => fault.help(format!("it has {}", names.join(", "))),
                });
                continue;
            };
            if parameter.name != name {
                let text = format!("{name} is called {} now", parameter.name);
                warnings.push(bad(key.span, text));
            }
            if given.iter().any(|(known, _)| *known == parameter.name) {
                faults.push(bad(key.span, format!("{} is given twice", parameter.name)));
                continue;
            }
            // An optional parameter that is null is one that is not given.
            if node.is_null() && !parameter.required && parameter.kind != ParameterKind::Any {
                continue;
            }
            if !parameter.kind.takes(node) {
                let wanted = parameter.kind.in_words();
                let found = match scalar(node) {
                    Some(Value::Text(text)) if text.chars().count() <= 40 => {
                        format!("\"{text}\"")
                    }
                    // Which number it is says what is wrong with it, unless numbers are wrong here.
                    Some(number) if number.is_number() && parameter.kind.is_number() => {
                        to_text(number).to_string()
                    }
                    _ => node.in_words(),
                };
                let text = format!("{} is {wanted}, not {found}", parameter.name);
                let near = match (parameter.kind, node.as_text()) {
                    (ParameterKind::Choice(words), Some(text)) => {
                        nearest(text, words.iter().copied())
                    }
                    _ => None,
                };
                faults.push(bad(node.span, text).did_you_mean(near));
                continue;
            }
            given.push((parameter.name, node.clone()));
        }
        for parameter in known().filter(|p| p.required) {
            let there = |key: &Node| {
                key.as_text()
                    .is_some_and(|name| name == parameter.name || parameter.also.contains(&name))
            };
            if !entries.iter().any(|(key, _)| there(key)) {
                let text = format!("{} lacks {}", spec.name, parameter.name);
                faults
                    .push(bad(span, text).help(format!("{}: {}", parameter.name, parameter.about)));
            }
        }
        Parameters { given, span }
    }

    fn node(&self, name: &str) -> Option<&Node> {
        self.given
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, node)| node)
    }

    /// Whether it is given.
    pub fn has(&self, name: &str) -> bool {
        self.node(name).is_some()
    }

    /// A text.
    pub fn text(&self, name: &str) -> Option<SmolStr> {
        self.node(name)?.as_text().map(SmolStr::new)
    }

    /// A text that is required, or has a default.
    pub fn text_or(&self, name: &str, default: &str) -> SmolStr {
        self.text(name).unwrap_or_else(|| default.into())
    }

    /// Texts; none when they are not given.
    pub fn texts(&self, name: &str) -> Vec<SmolStr> {
        match self.node(name).map(|node| &node.kind) {
            Some(NodeKind::List(items)) => items
                .iter()
                .filter_map(|item| item.as_text().map(SmolStr::new))
                .collect(),
            _ => self.text(name).into_iter().collect(),
        }
    }

    /// A whole number.
    pub fn whole(&self, name: &str) -> Option<i64> {
        whole_of(self.node(name)?)
    }

    /// A number.
    pub fn number(&self, name: &str) -> Option<f64> {
        number_of(self.node(name)?)
    }

    /// Seconds, as a duration.
    pub fn seconds(&self, name: &str) -> Option<Duration> {
        seconds_of(self.node(name)?).map(Duration::from_secs_f64)
    }

    /// A flag.
    pub fn flag(&self, name: &str) -> Option<bool> {
        flag_of(self.node(name)?)
    }

    /// A path.
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        self.node(name)?.as_text().map(PathBuf::from)
    }

    /// The entries of a map; none when it is not given.
    pub fn map(&self, name: &str) -> Vec<(Value, Value)> {
        match self.node(name).map(|node| &node.kind) {
            Some(NodeKind::Map(entries)) => entries
                .iter()
                .map(|(key, value)| (key.value(), value.value()))
                .collect(),
            _ => Vec::new(),
        }
    }

    /// The value as it stands.
    pub fn value(&self, name: &str) -> Option<Value> {
        self.node(name).map(Node::value)
    }

    /// A parameter with all places in it, for actions that look deeper.
    pub fn raw(&self, name: &str) -> Option<&Node> {
        self.node(name)
    }

    /// A fault of the parameter `name`, with its place.
    pub fn fault(&self, name: &str, message: impl Into<String>) -> Fault {
        bad(self.node(name).map_or(self.span, |node| node.span), message)
    }
}

fn bad(span: Span, message: impl Into<String>) -> Fault {
    Diagnostic::at(Code::BadPipeline, span, message)
}

/// The parameters that all actions of a kind have.
pub fn usual(kind: ActionKind) -> &'static [ParameterSpec] {
    match kind {
        ActionKind::Input => &[],
        _ => &[ParameterSpec {
            name: "match",
            also: &[],
            kind: ParameterKind::Pattern,
            required: true,
            default: "",
            about: "the tags it is for, as a pattern such as `*` or `log.*`; other events pass by",
        }],
    }
}

/// All actions that a program knows.
#[derive(Clone)]
pub struct Actions(Vec<&'static ActionSpec>);

impl Actions {
    /// The actions of these rooms.
    pub fn new(rooms: &[&[&'static ActionSpec]]) -> Actions {
        let mut all: Vec<&'static ActionSpec> = rooms.concat();
        all.sort_by_key(|spec| (spec.kind, spec.name));
        Actions(all)
    }

    /// The action of that name.
    pub fn get(&self, name: &str) -> Option<&'static ActionSpec> {
        self.0.iter().copied().find(|spec| spec.name == name)
    }

    /// All of them, by kind and name.
    pub fn iter(&self) -> impl Iterator<Item = &'static ActionSpec> + Clone + '_ {
        self.0.iter().copied()
    }
}
