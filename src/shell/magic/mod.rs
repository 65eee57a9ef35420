//! The commands of the shell: `%vars`, `%load`, `:next`. One table declares them; help and completion read it.

mod events;
mod measure;
mod plot;
mod profile;
mod save;
mod settings;
mod store;
mod variables;

pub use events::{events_of, over};
pub use measure::split_count;
pub use plot::{Behind, behind, options as plot_options};
pub use store::PARTS as STORE_PARTS;

use super::session::{Audience, Session, Shown};
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome, Source, nearest};
use crate::syntax::{Expr, Statement, parse};
use std::sync::Arc;

/// A command of the shell.
pub struct Magic {
    /// Its name, with its `%` or `:`.
    pub name: &'static str,
    /// How it is written.
    pub usage: &'static str,
    /// What it does, in a few words.
    pub summary: &'static str,
    /// What else is worth knowing; may be empty.
    pub details: &'static str,
    /// What follows its name.
    pub argument: Argument,
    run: fn(&Session, &Request<'_>) -> Outcome<Shown>,
}

/// What may follow the name of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Argument {
    /// Nothing that can be completed.
    None,
    /// A part of a function's name.
    Function,
    /// An expression.
    Expression,
    /// An expression, behind `-n COUNT` perhaps.
    Counted,
    /// `NAME := expression`
    Definition,
    /// The name of a global.
    Global,
    /// Paths, then perhaps `where` and a condition.
    Sources,
    /// A path, behind `-f` perhaps, then an expression.
    Target,
    /// A way of showing results.
    Mode,
    /// A profile and entities, or an expression, then options.
    Plot,
    /// A key of the configuration.
    Setting,
    /// A system with a store of its own.
    Store,
    /// What can be done with the embedded file.
    Upkeep,
    /// Something that help is wanted on.
    Topic,
}

/// A command as it was typed.
pub struct Request<'a> {
    /// What follows the name, without blanks around it.
    pub rest: &'a str,
    statement: &'a Statement,
    audience: Option<&'a Audience<'a>>,
}

/// All commands, those of Metron first.
pub const MAGICS: &[Magic] = &[
    Magic {
        name: "%functions",
        usage: "%functions [TEXT]",
        summary: "names of functions, all or those with this text in them",
        details: "The text is compared as written: %functions STATS finds STATS_MEAN. ?words searches by meaning.",
        argument: Argument::Function,
        run: variables::functions,
    },
    Magic {
        name: "%vars",
        usage: "%vars",
        summary: "the variables, their values and how they came to be",
        details: "SHELL_LIST_VARS() draws them as a table.",
        argument: Argument::None,
        run: variables::vars,
    },
    Magic {
        name: "%globals",
        usage: "%globals",
        summary: "the globals, which functions read",
        details: "They come from [globals] of the configuration, --globals and %define.",
        argument: Argument::None,
        run: variables::globals,
    },
    Magic {
        name: "%define",
        usage: "%define NAME := EXPR",
        summary: "sets a global for this session",
        details: "",
        argument: Argument::Definition,
        run: variables::define,
    },
    Magic {
        name: "%undefine",
        usage: "%undefine NAME",
        summary: "removes a global",
        details: "",
        argument: Argument::Global,
        run: variables::undefine,
    },
    Magic {
        name: "%help",
        usage: "%help [TOPIC]",
        summary: "this overview, or help on a function, command or error code",
        details: "",
        argument: Argument::Topic,
        run: |session, request| super::help::topic(session, request.rest),
    },
    Magic {
        name: "%load",
        usage: "%load FILE… [where EXPR]",
        summary: "loads events, lines of text, or runs a script",
        details: "JSON, JSON Lines, CSV, TSV and Zeek's logs become events, also when packed by gzip or zstd; \
                  _ is the one at hand and its fields are names, unless variables hide them. :next and :prev walk on. \
                  Several files and patterns such as logs/*.jsonl are loaded one after the other; a name with blanks \
                  stands in quotation marks. With where only the events for which EXPR is true are kept: \
                  %load logins.jsonl where result == 'failure'; %load where EXPR picks among those that are loaded. \
                  Other files are loaded line by line; NAME.stellar is run. x := %load FILE also gives the whole as a \
                  list. Without a file it says what is loaded.",
        argument: Argument::Sources,
        run: events::load,
    },
    Magic {
        name: "%unload",
        usage: "%unload",
        summary: "forgets the loaded events",
        details: "",
        argument: Argument::None,
        run: events::unload,
    },
    Magic {
        name: ":next",
        usage: ":next [N]",
        summary: "goes to the next loaded event, or N further",
        details: "",
        argument: Argument::None,
        run: events::next,
    },
    Magic {
        name: ":prev",
        usage: ":prev [N]",
        summary: "goes to the event before, or N back",
        details: "",
        argument: Argument::None,
        run: events::previous,
    },
    Magic {
        name: ":go",
        usage: ":go N",
        summary: "goes to the event with this number",
        details: "",
        argument: Argument::None,
        run: events::go,
    },
    Magic {
        name: "%each",
        usage: "%each EXPR",
        summary: "evaluates an expression for every loaded event",
        details: "The result is the list of values in the order of the events.",
        argument: Argument::Expression,
        run: events::each,
    },
    Magic {
        name: "%save",
        usage: "%save [-f] FILE [EXPR]",
        summary: "writes the last result, or another value, or the session",
        details: "The file's name tells the form: .json, .jsonl (a line for each element), .csv (a list of maps), \
                  .svg (the last picture, or that of a value: what %plot gave, statistics, periods, a timeline), .stellar (the assignments and definitions of this session as a script), any other the text form. \
                  -f replaces a file.",
        argument: Argument::Target,
        run: save::save,
    },
    Magic {
        name: "%time",
        usage: "%time [-n COUNT] EXPR",
        summary: "evaluates an expression and says how long that took",
        details: "With -n it is evaluated so often, and the spread of the times is shown; what the expression \
                  changes is changed as often.",
        argument: Argument::Counted,
        run: measure::time,
    },
    Magic {
        name: "%cost",
        usage: "%cost EXPR",
        summary: "shows which parts of an expression take the time",
        details: "Measuring every part costs time of its own, about a tenth of a microsecond each.",
        argument: Argument::Expression,
        run: measure::cost,
    },
    Magic {
        name: "%explain",
        usage: "%explain EXPR",
        summary: "shows every part of an expression with its value and type",
        details: "Parts that were not evaluated are marked; a part that was evaluated several times, such as \
                  the body of a lambda, shows its last value.",
        argument: Argument::Expression,
        run: measure::explain,
    },
    Magic {
        name: "%window",
        usage: "%window SELECTOR",
        summary: "shows which intervals and periods a selector of PROFILE_WINDOW picks",
        details: "Such as %window '1 hour window every 24 hours from 7 days ago excluding weekends': the intervals on a \
                  time line, how many periods begin in them, and what is odd about the selector or the time.",
        argument: Argument::None,
        run: profile::window,
    },
    Magic {
        name: "%profiler",
        usage: "%profiler NAME",
        summary: "shows what the profiles of a profiler did, and which of their expressions failed",
        details: "NAME is a variable that holds what PROFILER_INIT gave, or any expression that gives a profiler.",
        argument: Argument::Expression,
        run: profile::profiler,
    },
    Magic {
        name: "%plot",
        usage: "%plot PROFILE ENTITY… | %plot EXPR | %plot FILE.yaml",
        summary: "draws a profile over time, the value of an expression, or pipelines",
        details: "Behind a profile what was expected: the median of the same weekday and hour in earlier weeks, 3.5 median \
                  absolute deviations to both sides; values outside are marked. Options are those of stellar profile plot: \
                  --window SELECTOR, --begin TIME, --end TIME, --group GROUP, --expr EXPR (makes a number of each value, \
                  as --expr STATS_MEAN(value)), --band=WIDTH, --no-band, --same-scale, --width N, --height N, --ascii, \
                  --svg FILE, --theme auto|light|dark. An expression gives a list of numbers or a list or map of lists (lines; \
                  --histogram shows how they are distributed), a map of numbers (bars by name), what PROFILE_VERBOSE gives \
                  (lines over time), what EVENT_TIMELINE gives (bars over time), periods, or statistics. \
                  A file of pipelines is drawn as its steps and the tags between them. p := %plot … keeps the picture.",
        argument: Argument::Plot,
        run: plot::plot,
    },
    Magic {
        name: "%mode",
        usage: "%mode [text|table|json]",
        summary: "how results are shown",
        details: "text: as in Metron; table: lists of maps as tables, other values by their text; json: as JSON.",
        argument: Argument::Mode,
        run: settings::mode,
    },
    Magic {
        name: "%last",
        usage: "%last",
        summary: "shows the last result in full",
        details: "",
        argument: Argument::None,
        run: settings::last,
    },
    Magic {
        name: "%set",
        usage: "%set [KEY [VALUE]]",
        summary: "shows or changes settings of the configuration for this session",
        details: "Keys are those of stellar.toml: %set limits.time 30s, %set functions.network true. \
                  Without a key it lists all.",
        argument: Argument::Setting,
        run: settings::set,
    },
    Magic {
        name: "%connect",
        usage: "%connect [ROOM] [ADDRESS]",
        summary: "shows where the systems store, or connects one to a server",
        details: "ROOM is profile, collection, event or rule; the address tells it where only one fits: \
                  hbase://host:9090, redis://host:6379/0, postgres://user@host/database. \
                  It is tried before it is taken. As long as this version cannot store on such a server the embedded \
                  file stays in use, and the list says so.",
        argument: Argument::Store,
        run: settings::connect,
    },
    Magic {
        name: "%store",
        usage: "%store [check]",
        summary: "shows what the embedded file holds",
        details: "The tables with something in them and their rows; with check all tables, and whether the file is sound. \
                  %connect shows which systems store there. Copies, and giving back space, are for the command \
                  stellar store.",
        argument: Argument::Upkeep,
        run: store::store,
    },
];

/// The first line of a cell in a notebook that names another language.
pub struct Cell {
    /// What the cell begins with, such as `%%map`.
    pub name: &'static str,
    /// How it is written.
    pub usage: &'static str,
    /// What it does, in a few words.
    pub summary: &'static str,
    /// What else is worth knowing.
    pub details: &'static str,
    /// A whole cell.
    pub example: &'static str,
}

/// A service of front ends whose cells may be written in other languages.
pub struct Cells(pub &'static [Cell]);

/// The error for a cell in a language that does not exist, or that this front end has no cells for.
pub fn unknown_cell(session: &Session, name: &str) -> Fault {
    let fault = Diagnostic::new(Code::UnknownMagic, format!("there are no cells {name}"));
    let Some(cells) = session.engine().context.services.get::<Cells>() else {
        return fault.help("cells in other languages are for notebooks: stellar kernel install");
    };
    match nearest(name, cells.0.iter().map(|cell| cell.name)) {
        Some(near) => fault.did_you_mean(Some(near)),
        None => {
            let names: Vec<&str> = cells.0.iter().map(|cell| cell.name).collect();
            fault.help(format!("there are {}", names.join(", ")))
        }
    }
}

/// The command with this name.
pub fn find(name: &str) -> Option<&'static Magic> {
    MAGICS.iter().find(|magic| magic.name == name)
}

/// Whether a line changes what later statements see, so that a saved session needs it.
pub fn makes(line: &str) -> bool {
    matches!(
        line.split_whitespace().next(),
        Some("%define" | "%undefine")
    )
}

/// The error for a command that does not exist.
pub fn unknown(session: &Session, name: &str) -> Fault {
    if name.starts_with("%%") {
        return unknown_cell(session, name);
    }
    let names = MAGICS.iter().map(|magic| magic.name);
    let fault = Diagnostic::new(Code::UnknownMagic, format!("there is no command {name}"));
    match nearest(name, names) {
        Some(near) => fault.did_you_mean(Some(near)),
        None => fault.help("%help lists the commands"),
    }
}

/// The error for a command that is written wrong.
pub fn bad(message: impl Into<String>) -> Fault {
    Diagnostic::new(Code::BadMagic, message)
}

/// Runs one command. Errors: E0115 for an unknown name, E0116 for a malformed command, those of its expression.
pub fn run(
    session: &Session,
    line: &str,
    statement: &Statement,
    audience: Option<&Audience<'_>>,
) -> Outcome<Shown> {
    let (name, rest) = match line.split_once(char::is_whitespace) {
        Some((name, rest)) => (name, rest.trim()),
        None => (line, ""),
    };
    let Some(magic) = find(name) else {
        return Err(unknown(session, name));
    };
    let request = Request {
        rest,
        statement,
        audience,
    };
    (magic.run)(session, &request).map_err(|fault| {
        // How it is written helps those who have left something out.
        let lacks = fault.message.contains("lack") || fault.message.contains("missing");
        let helps = rest.is_empty() || lacks || magic.argument == Argument::Definition;
        if fault.code == Code::BadMagic && fault.help.is_none() && helps {
            return fault.help(format!("write {}", magic.usage));
        }
        fault
    })
}

/// The expression that a command would evaluate, with its place in the statement, where it has one that can be read.
pub fn expression_of(session: &Session, line: &str, statement: &Statement) -> Option<Expr> {
    let (name, rest) = line.split_once(char::is_whitespace)?;
    let rest = rest.trim();
    let rest = match find(name)?.argument {
        // Behind its expression stand options.
        Argument::Plot if rest.contains(" --") => return None,
        Argument::Expression | Argument::Plot => rest,
        Argument::Counted => split_count(rest).1,
        Argument::Target => {
            let (first, behind) = first_word(rest);
            match first {
                "-f" => first_word(behind.trim_start()).1.trim_start(),
                _ => behind.trim_start(),
            }
        }
        _ => return None,
    };
    let request = Request {
        rest,
        statement,
        audience: None,
    };
    request.expression(session, rest).ok().flatten()
}

/// The first word, or what stands in quotation marks with them, and what follows it.
pub fn first_word(text: &str) -> (&str, &str) {
    let mark = text.chars().next().filter(|c| matches!(c, '"' | '\''));
    let end = match mark {
        Some(mark) => text[1..].find(mark).map_or(text.len(), |i| i + 2),
        None => text.find(char::is_whitespace).unwrap_or(text.len()),
    };
    text.split_at(end)
}

impl Request<'_> {
    /// Reads `text`, which ends the line, as an expression with its place in the statement.
    fn expression(&self, session: &Session, text: &str) -> Outcome<Option<Expr>> {
        self.expression_before(session, text, 0)
    }

    /// The same with so many bytes behind the text.
    fn expression_before(
        &self,
        session: &Session,
        text: &str,
        behind: usize,
    ) -> Outcome<Option<Expr>> {
        let at = self.statement.span.end.saturating_sub(text.len() + behind);
        let mut limits = session.limits();
        limits.length = limits.length.saturating_add(at);
        let padded = format!("{}{text}", " ".repeat(at));
        parse(&Arc::new(Source::expression(padded)), limits).map_err(|mut fault| {
            fault.source = None;
            fault
        })
    }

    /// Where places of the expression count.
    fn source(&self) -> &Arc<Source> {
        &self.statement.source
    }

    /// An expression that must be there, with so many bytes behind it. Errors: E0116, E01xx.
    fn wanted_expression_before(
        &self,
        session: &Session,
        text: &str,
        behind: usize,
    ) -> Outcome<Expr> {
        self.expression_before(session, text, behind)?
            .ok_or_else(|| bad("an expression is missing"))
    }

    /// What follows the name as an expression that must be there. Errors: E0116, E01xx.
    fn wanted_expression(&self, session: &Session, text: &str) -> Outcome<Expr> {
        self.expression(session, text)?
            .ok_or_else(|| bad("an expression is missing"))
    }
}
