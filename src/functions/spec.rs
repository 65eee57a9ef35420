//! A function is one declaration: name, parameters, documentation, examples, behaviour.
//! Help, completion, the reference and the tests of the examples are made from it.

use crate::diagnostic::Outcome;
use crate::eval::{Builtin, Call, Lint, Prepare, Value};

/// A built-in function.
#[derive(Clone, Copy)]
pub struct FunctionSpec {
    /// Its name, in capitals.
    pub name: &'static str,
    /// Which group of the reference it belongs to.
    pub family: Family,
    /// What it does, in one sentence.
    pub summary: &'static str,
    /// What else is worth knowing; may be empty.
    pub details: &'static str,
    /// Its parameters.
    pub parameters: &'static [Parameter],
    /// What comes out.
    pub returns: &'static str,
    /// When it fails, in words.
    pub errors: &'static [&'static str],
    /// Expressions with their results, run by the tests.
    pub examples: &'static [Example],
    /// Names of related functions.
    pub see: &'static [&'static str],
    /// Words that somebody may search for and that stand nowhere else in the documentation.
    pub words: &'static [&'static str],
    /// Whether the result depends on the arguments alone, not on time, zone, variables or services, and nothing changes.
    pub pure: bool,
    /// Whether it neither keeps, returns nor changes collections among its arguments.
    pub borrows: bool,
    /// Whether more arguments than it has parameters are refused instead of ignored.
    pub strict: bool,
    /// Whether it asks a server, changes nothing, and can leave off for questions that are asked together.
    pub asks: bool,
    /// Whether it changes what others see, or shows what is the machine's own: not for callers who may only read.
    pub guarded: bool,
    /// Work done once for literal arguments.
    pub prepare: Option<Prepare>,
    /// What is legal in the arguments of a call and hardly meant.
    pub lint: Option<Lint>,
    /// The behaviour.
    pub run: fn(&mut Call<'_, '_>) -> Outcome<Value>,
}

/// What a declaration leaves out.
pub const SPEC: FunctionSpec = FunctionSpec {
    name: "",
    family: Family::Strings,
    summary: "",
    details: "",
    parameters: &[],
    returns: "",
    errors: &[],
    examples: &[],
    see: &[],
    words: &[],
    pure: true,
    borrows: true,
    strict: false,
    asks: false,
    guarded: false,
    prepare: None,
    lint: None,
    run: |_| Ok(Value::Null),
};

/// A group of functions in the reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// Texts.
    Strings,
    /// From one type to another.
    Conversion,
    /// Lists, maps, sets, multisets.
    Collections,
    /// Functions that call lambdas.
    Functional,
    /// Numbers.
    Math,
    /// Dates and times.
    Dates,
    /// Regular expressions.
    Regex,
    /// JSON texts.
    Json,
    /// Whether a text is of some form.
    Checks,
    /// Digests of data, encodings of texts.
    Hashing,
    /// Addresses, domains, URLs.
    Network,
    /// Figures over many numbers.
    Statistics,
    /// Sets and counts in little memory, with a known error.
    Sketches,
    /// Places.
    Geography,
    /// Data looked up elsewhere.
    Enrichment,
    /// Requests to servers, models behind them.
    Web,
    /// Local files.
    Files,
    /// Environment and time.
    System,
    /// Scores of alerts by rules.
    Triage,
    /// What is usual, by entity and period.
    Profiler,
    /// Security events as IDEA messages.
    Events,
    /// What queries find and collections keep.
    Collected,
    /// Correlation rules in Lua.
    Rules,
    /// Help for the eyes of people at the shell.
    Shell,
    /// What is written in the language itself.
    Library,
}

impl Family {
    /// Its heading.
    pub fn title(self) -> &'static str {
        match self {
            Family::Strings => "Strings",
            Family::Conversion => "Conversion",
            Family::Collections => "Collections",
            Family::Functional => "Functional",
            Family::Math => "Math",
            Family::Dates => "Dates",
            Family::Regex => "Regular expressions",
            Family::Json => "JSON",
            Family::Checks => "Checks",
            Family::Hashing => "Hashing and encoding",
            Family::Network => "Network",
            Family::Statistics => "Statistics",
            Family::Sketches => "Sketches",
            Family::Geography => "Geography",
            Family::Enrichment => "Enrichment",
            Family::Web => "Web and models",
            Family::Files => "Files",
            Family::System => "System",
            Family::Triage => "Threat triage",
            Family::Profiler => "Profiler",
            Family::Events => "Events",
            Family::Collected => "Queries and collections",
            Family::Rules => "Correlation rules",
            Family::Shell => "Shell",
            Family::Library => "Library",
        }
    }
}

/// A parameter.
#[derive(Debug, Clone, Copy)]
pub struct Parameter {
    /// Its name, in small letters.
    pub name: &'static str,
    /// What may be passed.
    pub kind: Kind,
    /// What it means.
    pub text: &'static str,
    /// Whether it must be given.
    pub presence: Presence,
}

/// Whether a parameter must be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// It must.
    Required,
    /// It may be left out.
    Optional,
    /// It may be left out and then has this value.
    Default(&'static str),
    /// Any number of them, also none.
    Repeated,
}

/// What may be passed for a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Anything.
    Any,
    /// true or false
    Boolean,
    /// A whole number.
    Integer,
    /// Any number.
    Number,
    /// A string.
    Text,
    /// A list.
    List,
    /// A map.
    Map,
    /// A set.
    Set,
    /// A list, a set, or a string walked by characters.
    Iterable,
    /// A lambda.
    Lambda,
    /// An object of this type.
    Object(&'static str),
}

impl Kind {
    /// Its name in signatures.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Any => "any",
            Kind::Boolean => "boolean",
            Kind::Integer => "integer",
            Kind::Number => "number",
            Kind::Text => "string",
            Kind::List => "list",
            Kind::Map => "map",
            Kind::Set => "set",
            Kind::Iterable => "iterable",
            Kind::Lambda => "lambda",
            Kind::Object(name) => name,
        }
    }
}

impl Parameter {
    /// How it stands in signatures: `start`, `end?`, `n = 3`, `values…`.
    pub fn usage(&self) -> String {
        match self.presence {
            Presence::Required => self.name.to_string(),
            Presence::Optional => format!("{}?", self.name),
            Presence::Default(value) => format!("{} = {value}", self.name),
            Presence::Repeated => format!("{}…", self.name),
        }
    }
}

/// An expression and what comes of it.
#[derive(Debug, Clone, Copy)]
pub struct Example {
    /// The expression.
    pub expression: &'static str,
    /// What comes of it.
    pub result: Expected,
}

/// What comes of an example.
#[derive(Debug, Clone, Copy)]
pub enum Expected {
    /// A value with this text form.
    Text(&'static str),
    /// An error with this code.
    Error(&'static str),
}

/// A parameter that must be given.
pub const fn required(name: &'static str, kind: Kind, text: &'static str) -> Parameter {
    Parameter {
        name,
        kind,
        text,
        presence: Presence::Required,
    }
}

/// A parameter that may be left out.
pub const fn optional(name: &'static str, kind: Kind, text: &'static str) -> Parameter {
    Parameter {
        name,
        kind,
        text,
        presence: Presence::Optional,
    }
}

/// A parameter with a default.
pub const fn default(
    name: &'static str,
    kind: Kind,
    text: &'static str,
    value: &'static str,
) -> Parameter {
    Parameter {
        name,
        kind,
        text,
        presence: Presence::Default(value),
    }
}

/// A parameter that may be given many times.
pub const fn repeated(name: &'static str, kind: Kind, text: &'static str) -> Parameter {
    Parameter {
        name,
        kind,
        text,
        presence: Presence::Repeated,
    }
}

/// An example that gives a value with this text form.
pub const fn example(expression: &'static str, text: &'static str) -> Example {
    Example {
        expression,
        result: Expected::Text(text),
    }
}

/// An example that fails with this code.
pub const fn fails(expression: &'static str, code: &'static str) -> Example {
    Example {
        expression,
        result: Expected::Error(code),
    }
}

impl FunctionSpec {
    /// What the compiler needs of it.
    pub fn builtin(&self) -> Builtin {
        let repeated = self
            .parameters
            .iter()
            .any(|p| p.presence == Presence::Repeated);
        Builtin {
            name: self.name,
            least: self
                .parameters
                .iter()
                .filter(|p| p.presence == Presence::Required)
                .count(),
            most: if repeated {
                usize::MAX
            } else {
                self.parameters.len()
            },
            strict: self.strict,
            pure: self.pure,
            borrows: self.borrows,
            asks: self.asks,
            // Dates hang on clock and zone, places on a database: none of them changes anything.
            repeats: self.pure
                || self.asks
                || matches!(self.family, Family::Dates | Family::Geography),
            guarded: self.guarded,
            prepare: self.prepare,
            lint: self.lint,
            run: self.run,
        }
    }

    /// Its signature: `SUBSTRING(input, start, end?)`.
    pub fn signature(&self) -> String {
        let parameters: Vec<String> = self.parameters.iter().map(Parameter::usage).collect();
        format!("{}({})", self.name, parameters.join(", "))
    }
}
