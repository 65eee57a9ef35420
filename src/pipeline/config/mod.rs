//! The file: pipelines of steps, variables, other files.

mod secrets;
mod unique;
mod variables;

#[cfg(test)]
mod tests;

use super::spec::{ActionKind, ActionSpec, Actions, Parameters};
use super::tag::Pattern;
use super::yaml::{self, Kind, Limits, Node};
use crate::config::mask_source;
use crate::diagnostic::{Code, Diagnostic, Fault, Source, Span, nearest};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The file that is run when none is named.
pub const USUAL: &str = "/etc/feedoo/default.yaml";

/// The most steps that a pipeline may have.
const STEPS: usize = 1000;

/// What a file may hold.
const KEYS: &[&str] = &[
    "pipelines",
    "variables",
    "include",
    "states",
    "privileges",
    "tests",
];

/// A file that has been read and checked.
#[derive(Debug, Default)]
pub struct File {
    /// The pipelines in their order.
    pub pipelines: Vec<Pipeline>,
    /// Where counters are served: the address and the port.
    pub states: Option<(String, u16)>,
    /// Cases that stand in the file, and the text they stand in.
    pub tests: Option<(Node, Arc<Source>)>,
    /// What is odd but no error.
    pub warnings: Vec<Fault>,
}

/// A pipeline.
#[derive(Debug)]
pub struct Pipeline {
    /// Its name in the file, or the path of the file that was included.
    pub id: String,
    /// Its steps in their order.
    pub steps: Vec<StepPlan>,
}

/// A step: an action and its parameters.
pub struct StepPlan {
    /// The action.
    pub spec: &'static ActionSpec,
    /// What it was given.
    pub parameters: Parameters,
    /// The tags it is for; `None` for inputs.
    pub pattern: Option<Pattern>,
    /// The text of the pattern.
    pub matches: String,
    /// Where the step keeps its state, when it has a file for it.
    pub db_path: Option<PathBuf>,
    /// The text it stands in.
    pub source: Arc<Source>,
}

impl std::fmt::Debug for StepPlan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {:?}", self.spec.name, self.parameters)
    }
}

/// Reads a file and what it includes. Errors: every fault that there is.
pub fn load(path: &Path, actions: &Actions) -> Result<File, Vec<Fault>> {
    let source = read(path).map_err(|fault| vec![fault])?;
    from_source(&source, actions)
}

fn read(path: &Path) -> Result<Arc<Source>, Fault> {
    let text = crate::input::read_text(path)?;
    Ok(Arc::new(Source::named(path.display().to_string(), text)))
}

/// The document of a file, and what messages show of it.
fn document(
    source: &Arc<Source>,
    warnings: &mut Vec<Fault>,
) -> Result<Option<(Node, Arc<Source>)>, Fault> {
    let mut twice = Vec::new();
    match yaml::read_noting(source, Limits::default(), &mut twice) {
        Ok(root) => Ok(root.map(|root| {
            let shown = secrets::hidden(source, &root);
            warnings.extend(twice.into_iter().map(|span| {
                let text = "this key stands here for the second time; the first one does not count";
                bad(&shown, span, text)
            }));
            (root, shown)
        })),
        Err(mut fault) => {
            let shown = Source::named(source.name.clone(), mask_source(&source.text));
            fault.source = Some(Arc::new(shown));
            Err(fault)
        }
    }
}

/// As [`load`], of a text.
pub fn from_source(source: &Arc<Source>, actions: &Actions) -> Result<File, Vec<Fault>> {
    let (file, faults) = all_of(source, actions);
    match faults.is_empty() {
        true => Ok(file),
        false => Err(faults),
    }
}

/// What is good in a file, and every fault of the rest.
pub fn load_all(path: &Path, actions: &Actions) -> (File, Vec<Fault>) {
    match read(path) {
        Ok(source) => all_of(&source, actions),
        Err(fault) => (File::default(), vec![fault]),
    }
}

fn all_of(source: &Arc<Source>, actions: &Actions) -> (File, Vec<Fault>) {
    let mut reader = Reader {
        actions,
        variables: HashMap::new(),
        left: variables::MOST,
        file: File::default(),
        faults: Vec::new(),
    };
    match document(source, &mut reader.file.warnings) {
        Ok(Some((root, shown))) => reader.root(&root, &shown),
        Ok(None) => reader.faults.push(
            Diagnostic::new(Code::BadPipeline, format!("{} holds nothing", source.name))
                .help("a file begins with `pipelines:`"),
        ),
        Err(fault) => reader.faults.push(fault),
    }
    reader.faults.extend(unique::faults(&reader.file));
    (reader.file, reader.faults)
}

struct Reader<'a> {
    actions: &'a Actions,
    variables: HashMap<String, crate::eval::Value>,
    /// How many bytes filled texts may still have.
    left: usize,
    file: File,
    faults: Vec<Fault>,
}

impl Reader<'_> {
    fn fault(&mut self, source: &Arc<Source>, span: Span, message: impl Into<String>) {
        self.faults.push(bad(source, span, message));
    }

    fn warn(&mut self, source: &Arc<Source>, span: Span, message: impl Into<String>) {
        self.file.warnings.push(bad(source, span, message));
    }

    fn root(&mut self, root: &Node, source: &Arc<Source>) {
        let Kind::Map(entries) = &root.kind else {
            let found = root.in_words();
            let text = format!("a file of pipelines is a map, not {found}");
            return self.fault(source, root.span, text);
        };
        for (key, _) in entries {
            let name = key.as_text().unwrap_or_default();
            if !KEYS.contains(&name) {
                let fault = bad(source, key.span, format!("a file has no key {name}"));
                let near = nearest(name, KEYS.iter().copied());
                self.faults.push(match near {
                    Some(_) => fault.did_you_mean(near),
                    None => fault.help(format!("it has {}", KEYS.join(", "))),
                });
            }
        }
        // `variables:` with nothing behind it means that nothing is filled in.
        let mut filled = true;
        if let Some(node) = root.get("variables") {
            match &node.kind {
                Kind::Map(entries) => {
                    let named = entries.iter().filter_map(|(key, value)| {
                        Some((key.as_text()?.to_owned(), value.value()))
                    });
                    self.variables = named.collect();
                }
                _ if node.is_null() => filled = false,
                _ => self.fault(source, node.span, "variables are a map"),
            }
        }
        if let Some(node) = root.get("pipelines").filter(|node| !node.is_null()) {
            match &node.kind {
                Kind::Map(pipelines) => {
                    for (id, steps) in pipelines {
                        let id = crate::eval::text::to_text(&id.value()).to_string();
                        self.pipeline(id, steps.clone(), source, filled);
                    }
                }
                _ => self.fault(source, node.span, "pipelines are a map of lists of steps"),
            }
        }
        if let Some(node) = root.get("include").filter(|node| !node.is_null()) {
            self.include(node, source, filled);
        }
        let tests = root.get("tests").filter(|node| !node.is_null());
        self.file.tests = tests.map(|node| (node.clone(), source.clone()));
        if let Some(node) = root.get("states").filter(|node| !node.is_null()) {
            self.states(node, source);
        }
        if let Some(node) = root.get("privileges").filter(|node| !node.is_null()) {
            self.warn(
                source,
                node.span,
                "privileges are not given up: start the program as the user it shall be",
            );
        }
        if self.file.pipelines.is_empty() && self.faults.is_empty() {
            self.fault(source, root.span, "the file has no pipelines");
        }
    }

    fn include(&mut self, node: &Node, source: &Arc<Source>, filled: bool) {
        let Some(pattern) = node.as_text() else {
            let found = node.in_words();
            return self.fault(
                source,
                node.span,
                format!("include is a pattern of paths, not {found}"),
            );
        };
        let paths = match glob::glob(pattern) {
            Ok(paths) => paths,
            Err(error) => {
                return self.fault(source, node.span, format!("include: {}", error.msg));
            }
        };
        let mut any = false;
        for path in paths.filter_map(Result::ok).filter(|path| path.is_file()) {
            any = true;
            let own = match read(&path) {
                Ok(own) => own,
                Err(fault) => {
                    self.faults.push(fault);
                    continue;
                }
            };
            match document(&own, &mut self.file.warnings) {
                Ok(Some((steps, own))) => {
                    self.pipeline(path.display().to_string(), steps, &own, filled);
                }
                Ok(None) => self.warn(
                    source,
                    node.span,
                    format!("{} holds nothing", path.display()),
                ),
                Err(fault) => self.faults.push(fault),
            }
        }
        if !any {
            self.warn(
                source,
                node.span,
                format!("include: no file matches {pattern}"),
            );
        }
    }

    fn states(&mut self, node: &Node, source: &Arc<Source>) {
        let Kind::Map(entries) = &node.kind else {
            return self.fault(source, node.span, "states are a map with ip and port");
        };
        let (mut ip, mut port) = ("127.0.0.1".to_owned(), 4321);
        for (key, value) in entries {
            match key.as_text() {
                Some("ip") => match value.as_text() {
                    Some(text) => ip = text.to_owned(),
                    None => self.fault(source, value.span, "ip is a text"),
                },
                Some("port") => match &value.kind {
                    Kind::Scalar(crate::eval::Value::Int(n)) if (0..=65535).contains(n) => {
                        port = u16::try_from(*n).unwrap_or(port);
                    }
                    _ => self.fault(source, value.span, "port is a number up to 65535"),
                },
                _ => self.fault(source, key.span, "states have ip and port only"),
            }
        }
        self.file.states = Some((ip, port));
    }

    fn pipeline(&mut self, id: String, mut steps: Node, source: &Arc<Source>, filled: bool) {
        if filled && let Err(span) = variables::fill(&mut steps, &self.variables, &mut self.left) {
            let text = "filled with variables, the texts of the file have too many bytes";
            return self.fault(source, span, text);
        }
        let Kind::List(nodes) = &steps.kind else {
            let found = steps.in_words();
            let text = format!("the pipeline {id} is a list of steps, not {found}");
            return self.fault(source, steps.span, text);
        };
        if nodes.len() > STEPS {
            let text = format!("the pipeline {id} has more than {STEPS} steps");
            return self.fault(source, steps.span, text);
        }
        let mut plans = Vec::new();
        for node in nodes {
            plans.extend(self.step(node, source));
        }
        let no_input = !plans.iter().any(|plan| plan.spec.kind == ActionKind::Input);
        if no_input && self.faults.is_empty() {
            let text = format!("the pipeline {id} has no input: no event will come");
            self.warn(source, steps.span, text);
        }
        self.file.pipelines.push(Pipeline { id, steps: plans });
    }

    fn step(&mut self, node: &Node, source: &Arc<Source>) -> Option<StepPlan> {
        let Kind::Map(entries) = &node.kind else {
            let found = node.in_words();
            self.fault(source, node.span, format!("a step is a map, not {found}"));
            return None;
        };
        let Some(name) = node.get("name") else {
            let fault = bad(source, node.span, "a step needs the name of an action");
            self.faults.push(fault.help("write `name: input_file`"));
            return None;
        };
        let Some(action) = name.as_text() else {
            let found = name.in_words();
            self.fault(source, name.span, format!("name is a text, not {found}"));
            return None;
        };
        let Some(spec) = self.actions.get(action) else {
            let fault = bad(source, name.span, format!("no action is named {action}"));
            let near = nearest(action, self.actions.iter().map(|spec| spec.name));
            self.faults.push(match near {
                Some(_) => fault.did_you_mean(near),
                None => fault.help("`stellar pipeline list` shows all actions"),
            });
            return None;
        };
        let (mut faults, mut warnings) = (Vec::new(), Vec::new());
        let parameters = Parameters::check(spec, entries, name.span, &mut faults, &mut warnings);
        let good = faults.is_empty();
        let placed = |fault: Fault| fault.in_source(source);
        self.faults.extend(faults.into_iter().map(placed));
        self.file.warnings.extend(warnings.into_iter().map(placed));
        let matches = parameters.text("match");
        good.then(|| StepPlan {
            spec,
            pattern: (spec.kind != ActionKind::Input)
                .then(|| Pattern::new(matches.as_deref().unwrap_or("*"))),
            matches: matches.unwrap_or_default().into(),
            db_path: parameters.path("db_path"),
            parameters,
            source: source.clone(),
        })
    }
}

fn bad(source: &Arc<Source>, span: Span, message: impl Into<String>) -> Fault {
    Diagnostic::at(Code::BadPipeline, span, message).in_source(source)
}
