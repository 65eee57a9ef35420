//! A session: variables that live on from statement to statement.

use super::events::Loaded;
use super::picture::picture_of;
use super::show::{Look, Mode, show, show_whole};
use super::variables::{SessionVariables, Variable};
use super::{help, magic};
use crate::config::mask_text;
use crate::diagnostic::{Fault, Outcome, Page, Picture, Source};
use crate::engine::Engine;
use crate::eval::{Notes, Value, Variables, compile_tree};
use crate::functions::library;
use crate::functions::lints::{Known, Types, of_line};
use crate::syntax::scan::{TokenKind, tokens};
use crate::syntax::{Expr, ParseLimits, Said, Statement, each_statement};
use ahash::AHashMap;
use parking_lot::RwLock;
use smol_str::SmolStr;
use std::sync::Arc;

/// What a statement gives.
pub enum Shown {
    /// A value; null prints nothing.
    Value(Value),
    /// Text of a magic or of documentation; what an assignment of it keeps, when that is more than the text.
    Page(Page, Option<Value>),
    /// A value that is shown in full.
    Whole(Value),
    /// Nothing, perhaps with a note for the user.
    Done(Option<String>),
    /// What the statements of a loaded script gave, and the error that ended it.
    Several(Vec<Shown>, Option<Fault>),
    /// The session ends.
    Quit,
}

impl Shown {
    /// What the shell prints for it as text; `None` when it prints nothing.
    pub fn print(&self) -> Option<String> {
        self.print_as(Look::default()).ok().flatten()
    }

    /// What the shell prints for it. Errors: a value that JSON cannot hold.
    pub fn print_as(&self, look: Look) -> Outcome<Option<String>> {
        Ok(match self {
            Shown::Done(_) | Shown::Quit => None,
            Shown::Value(value) => show(value, look)?,
            Shown::Page(page, _) => Some(match look.window {
                Some((width, _)) => page.styled(width),
                None => page.plain(),
            }),
            Shown::Whole(value) => show_whole(value, look)?,
            Shown::Several(all, _) => {
                let mut texts = Vec::new();
                for one in all {
                    texts.extend(one.print_as(look)?);
                }
                (!texts.is_empty()).then(|| texts.join("\n"))
            }
        })
    }

    /// Whether the session ends with it.
    pub fn ends(&self) -> bool {
        match self {
            Shown::Quit => true,
            Shown::Several(all, _) => all.iter().any(Shown::ends),
            _ => false,
        }
    }

    /// What an assignment of it keeps.
    fn kept(self) -> Value {
        match self {
            Shown::Value(value) | Shown::Whole(value) | Shown::Page(_, Some(value)) => value,
            other => Value::string(other.print().unwrap_or_default()),
        }
    }
}

/// Who sees what the statements of a loaded script give, each as soon as it is there. Its errors end the script.
pub type Audience<'a> = dyn Fn(&Shown) -> Outcome<()> + 'a;

/// How many scripts may load one another.
const DEEPEST_LOAD: usize = 16;

/// A session of the shell, a script or a notebook.
pub struct Session {
    engine: RwLock<Arc<Engine>>,
    /// Its variables.
    pub variables: Arc<SessionVariables>,
    look: RwLock<Look>,
    last: RwLock<Value>,
    /// The picture of the last command that had one, until a value comes.
    picture: RwLock<Option<Picture>>,
    loads: RwLock<usize>,
    /// The assignments and definitions so far, as they were written.
    made: RwLock<Vec<String>>,
}

impl Session {
    /// A session without variables.
    pub fn new(engine: &Engine) -> Session {
        let variables = Arc::new(SessionVariables::default());
        let mut engine = engine.clone();
        engine.context = engine.context.with_variables(variables.clone());
        Session {
            engine: RwLock::new(Arc::new(engine)),
            variables,
            look: RwLock::default(),
            last: RwLock::default(),
            picture: RwLock::default(),
            loads: RwLock::new(0),
            made: RwLock::default(),
        }
    }

    /// What it evaluates with now.
    pub fn engine(&self) -> Arc<Engine> {
        self.engine.read().clone()
    }

    /// Goes on with another engine; the variables stay.
    pub fn set_engine(&self, mut engine: Engine) {
        engine.context = engine.context.with_variables(self.variables.clone());
        *self.engine.write() = Arc::new(engine);
    }

    /// Gives functions a service from now on.
    pub fn provide<T: std::any::Any + Send + Sync>(&self, service: Arc<T>) {
        let mut engine = (*self.engine()).clone();
        engine.context.services.add(service);
        *self.engine.write() = Arc::new(engine);
    }

    /// Listens to what functions have to say beside their values.
    pub fn listen(&self) {
        self.provide(Arc::new(Notes::default()));
    }

    /// What functions have said since the last time.
    pub fn notes(&self) -> Vec<String> {
        let notes = self.engine().context.services.get::<Notes>();
        notes.map(|notes| notes.take()).unwrap_or_default()
    }

    /// How results are shown.
    pub fn look(&self) -> Look {
        *self.look.read()
    }

    /// Shows results in this mode from now on.
    pub fn set_mode(&self, mode: Mode) {
        self.look.write().mode = mode;
    }

    /// Tells how large the window is; `None` when nothing is to be cut.
    pub fn set_window(&self, window: Option<(usize, usize)>) {
        self.look.write().window = window;
    }

    /// Tells whether pictures may use ASCII only.
    pub fn set_ascii(&self, ascii: bool) {
        self.look.write().ascii = ascii;
    }

    /// The last result that was not null.
    pub fn last(&self) -> Value {
        self.last.read().clone()
    }

    /// The picture of what was shown last: that of a command, or that of a value.
    pub fn last_picture(&self) -> Option<Picture> {
        let of_command = self.picture.read().clone();
        of_command.or_else(|| picture_of(&self.last(), &self.engine().context.zone))
    }

    /// The assignments, definitions and changes of globals so far, in order, as a script.
    pub fn script(&self) -> String {
        self.made
            .read()
            .iter()
            .map(|text| format!("{text}\n"))
            .collect()
    }

    /// Loads variables that have no expression, such as those of `-v FILE`.
    pub fn load(&self, entries: impl IntoIterator<Item = (SmolStr, Value)>) {
        for (name, value) in entries {
            let expression = None;
            self.variables.set(name, Variable { value, expression });
        }
    }

    /// Makes these the events that `_` walks over.
    pub fn load_events(&self, loaded: Loaded) {
        self.variables.set_loaded(Some(loaded));
    }

    /// Runs one line or several lines that make one statement. Errors: everything with its place.
    pub fn run_text(&self, text: &str) -> Outcome<Vec<Shown>> {
        match self.run_all(&Source::expression(text), None) {
            (_, Some(fault)) => Err(fault),
            (shown, None) => Ok(shown),
        }
    }

    /// Runs the statements of scripts that a statement loads, up to the first error. What an audience has seen is not
    /// given.
    pub(super) fn run_scripts(&self, sources: &[Source], audience: Option<&Audience<'_>>) -> Shown {
        *self.loads.write() += 1;
        let deep = *self.loads.read() > DEEPEST_LOAD;
        let mut all = Vec::new();
        let mut failed = deep.then(|| magic::bad("scripts load one another without end"));
        for source in sources {
            if failed.is_some() || all.last().is_some_and(Shown::ends) {
                break;
            }
            let (shown, fault) = self.run_all(source, audience);
            all.extend(shown);
            failed = fault;
        }
        *self.loads.write() -= 1;
        Shown::Several(all, failed)
    }

    /// What the statements gave, up to the first error, and that.
    fn run_all(
        &self,
        source: &Source,
        audience: Option<&Audience<'_>>,
    ) -> (Vec<Shown>, Option<Fault>) {
        let mut shown = Vec::new();
        let mut failed = None;
        for statement in each_statement(source) {
            let cancelled = self.engine().context.check_cancelled();
            match cancelled.and_then(|()| self.run_before(&statement, audience)) {
                // The error of a script inside ends this one too, and is told once.
                Ok(Shown::Several(all, fault)) => {
                    if !all.is_empty() {
                        shown.push(Shown::Several(all, None));
                    }
                    failed = fault;
                }
                Ok(one) => match audience {
                    Some(audience) if !one.ends() => failed = audience(&one).err(),
                    _ => shown.push(one),
                },
                Err(fault) => failed = Some(fault),
            }
            if failed.is_some() || shown.last().is_some_and(Shown::ends) {
                break;
            }
        }
        (shown, failed)
    }

    /// Evaluates a tree that was read from `source`. Errors: everything with its place.
    pub(super) fn evaluate(&self, tree: Option<&Expr>, source: &Arc<Source>) -> Outcome<Value> {
        let engine = self.engine();
        compile_tree(tree, source, &[], &engine.context).evaluate(&engine.context)
    }

    /// The limits within which statements are read.
    pub fn limits(&self) -> ParseLimits {
        let limits = self.engine().context.limits;
        ParseLimits {
            length: limits.expression,
            depth: limits.depth,
        }
    }

    /// What a statement may mean otherwise than its writer thinks; silent about statements that cannot be read.
    pub fn remarks(&self, statement: &Statement) -> Vec<Fault> {
        let Ok(mut said) = statement.read(self.limits()) else {
            return Vec::new();
        };
        if statement.text() == "help" {
            return Vec::new();
        }
        // What a command evaluates may be misread like anything else.
        if let Said::Magic(line) = &said
            && let Some(tree) = magic::expression_of(self, line, statement)
        {
            said = Said::Expression(Some(tree));
        }
        let mut known = Known {
            fields: self
                .variables
                .loaded(|loaded| {
                    let names = loaded.fields().iter();
                    names.map(|name| (name.clone(), Types::ANY)).collect()
                })
                .filter(|fields: &AHashMap<_, _>| !fields.is_empty()),
            ..Known::default()
        };
        let mut know = |name: SmolStr, value: &Value| {
            known.variables.insert(name, Types::of_value(value));
        };
        // Thousands of variables need not be looked at for each statement; only a name that no event has is compared
        // with all of them.
        if known.fields.is_some() {
            let all = self.variables.list();
            all.into_iter()
                .for_each(|(name, variable)| know(name, &variable.value));
        } else {
            let text = statement.text();
            let words = tokens(text).filter(|token| token.kind == TokenKind::Word);
            for name in words.filter_map(|word| text.get(word.span.start..word.span.end)) {
                if let Some(value) = self.variables.own(name) {
                    know(name.into(), &value);
                }
            }
        }
        let engine = self.engine();
        let allowed = &engine.config.check.allow;
        of_line(statement, &said, &engine.context, &known, allowed)
    }

    /// Runs one statement. Errors: everything with its place; nothing is assigned then.
    pub fn run(&self, statement: &Statement) -> Outcome<Shown> {
        self.run_before(statement, None)
    }

    /// Runs one statement before an audience, which sees what a loaded script gives while it runs; what it has seen is
    /// not given. Errors: as of [`Session::run`].
    pub fn run_before(
        &self,
        statement: &Statement,
        audience: Option<&Audience<'_>>,
    ) -> Outcome<Shown> {
        let placed = |shown: Outcome<Shown>| {
            shown.map_err(|fault| fault.or_at(statement.span).in_source(&statement.source))
        };
        // `help` alone is a variable's name too, and variables come first.
        if statement.text() == "help" && self.variables.get("help").is_none() {
            return help::topic(self, "");
        }
        let said = statement.read(self.limits())?;
        let makes = match &said {
            Said::Assignment { .. } | Said::MagicAssignment { .. } | Said::Definition { .. } => {
                true
            }
            Said::Magic(line) => magic::makes(line),
            _ => false,
        };
        let shown = match said {
            Said::Expression(tree) => {
                Shown::Value(self.evaluate(tree.as_ref(), &statement.source)?)
            }
            Said::Assignment {
                name,
                value,
                written,
            } => {
                let value = match &value {
                    Some(tree) => self.evaluate(Some(tree), &statement.source)?,
                    None => Value::text(""),
                };
                self.assign(name, value, written)
            }
            Said::MagicAssignment { name, line } => {
                let shown = placed(match line.strip_prefix('?') {
                    Some(topic) => help::topic(self, topic.trim()),
                    // What a script gives is assigned, and shown at its end.
                    None => magic::run(self, &line, statement, None),
                })?;
                // Nothing is assigned from a script that failed; what it has shown is not lost.
                if matches!(shown, Shown::Several(_, Some(_))) || shown.ends() {
                    return Ok(shown);
                }
                self.assign(name, shown.kept(), line)
            }
            Said::Definition { name_span, .. } => {
                let engine = self.engine();
                let Some(definition) = library::define(statement, &engine.context)? else {
                    return Ok(Shown::Done(None));
                };
                let note = engine.registry.define(definition, &engine.context);
                note.map(Shown::Done)
                    .map_err(|fault| fault.or_at(name_span).in_source(&statement.source))?
            }
            Said::Magic(line) => placed(magic::run(self, &line, statement, audience))?,
            Said::Help(topic) => placed(help::topic(self, &topic))?,
            Said::Quit => Shown::Quit,
        };
        if makes {
            let documentation = statement.documentation.lines();
            let mut made = self.made.write();
            made.extend(documentation.map(|line| format!("/// {line}")));
            made.push(mask_text(statement.text()));
        }
        match &shown {
            Shown::Value(value) if !value.is_null() => {
                *self.last.write() = value.clone();
                *self.picture.write() = None;
            }
            Shown::Page(page, _) => {
                if let Some(picture) = page.picture() {
                    *self.picture.write() = Some(picture.clone());
                }
            }
            _ => {}
        }
        Ok(shown)
    }

    fn assign(&self, name: SmolStr, value: Value, expression: String) -> Shown {
        let variable = Variable {
            value: value.clone(),
            expression: Some(expression),
        };
        self.variables.set(name, variable);
        Shown::Value(value)
    }
}
