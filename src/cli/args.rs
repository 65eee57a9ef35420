//! All arguments, as the help shows them.

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// An expression language, shell and batch tool for people who hunt in security telemetry.
#[derive(Debug, Parser)]
#[command(name = "stellar", version, long_version = long_version(), disable_help_subcommand = true, max_term_width = 100)]
pub struct Args {
    #[command(flatten)]
    pub common: Common,
    #[command(subcommand)]
    pub command: Option<Command>,
}

fn long_version() -> String {
    let profile = if cfg!(debug_assertions) {
        "debug"
    } else {
        "release"
    };
    let (arch, os) = (std::env::consts::ARCH, std::env::consts::OS);
    format!(
        "{} ({arch}-{os}, {profile} build)",
        env!("CARGO_PKG_VERSION")
    )
}

/// What every command takes.
#[derive(Debug, Clone, Default, ClapArgs)]
pub struct Common {
    /// The configuration file to use instead of the one that is found.
    #[arg(long, global = true, value_name = "FILE", help_heading = "Everywhere")]
    pub config: Option<PathBuf>,
    /// Sets one configuration key; the value is TOML, or a text when it is no TOML.
    #[arg(
        long,
        global = true,
        value_name = "KEY=VALUE",
        help_heading = "Everywhere"
    )]
    pub set: Vec<String>,
    /// A Metron global.json or profiler.properties whose entries become globals.
    #[arg(long, global = true, value_name = "FILE", help_heading = "Everywhere")]
    pub globals: Option<PathBuf>,
    /// The time to take for now, in milliseconds or ISO 8601; it does not run on.
    #[arg(
        long,
        global = true,
        value_name = "TIME",
        allow_hyphen_values = true,
        help_heading = "Everywhere"
    )]
    pub now: Option<String>,
    /// The time zone of dates without one.
    #[arg(long, global = true, value_name = "ZONE", help_heading = "Everywhere")]
    pub tz: Option<String>,
    /// The locale of names of days and months and of week rules.
    #[arg(
        long,
        global = true,
        value_name = "LOCALE",
        help_heading = "Everywhere"
    )]
    pub locale: Option<String>,
    /// What to log on standard error: error, warn, info, debug, trace.
    #[arg(long, global = true, value_name = "LEVEL", help_heading = "Everywhere")]
    pub log: Option<String>,
    /// Whether to use colours.
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, hide_default_value = true, help_heading = "Everywhere")]
    pub color: Color,
    /// Variables for the shell and piped scripts, from a JSON object in a file.
    #[arg(long = "variables", value_name = "FILE")]
    pub variables: Option<PathBuf>,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Evaluates one expression, or serves another program line by line with --jsonl.
    Eval(EvalArgs),
    /// Keeps the events for which an expression is true.
    Filter(FilterArgs),
    /// Writes the value of an expression for every event.
    Map(MapArgs),
    /// Runs scripts.
    Run(RunArgs),
    /// Looks after the embedded store.
    #[command(subcommand)]
    Store(StoreCommand),
    /// Fills the embedded store with what ENRICHMENT_GET looks up.
    #[command(subcommand)]
    Enrich(EnrichCommand),
    /// Measures profiles over files; shows, draws and removes what they have measured.
    #[command(subcommand)]
    Profile(ProfileCommand),
    /// Stores, finds and counts security events that are IDEA messages.
    #[command(subcommand)]
    Event(Box<super::event::EventCommand>),
    /// Runs pipelines: tagged events through the actions of a YAML file.
    #[command(subcommand)]
    Pipeline(super::pipeline::PipelineCommand),
    /// Asks files and other sources, in the style of Devo's LINQ.
    Query(super::query::QueryArgs),
    /// Keeps collections filled with the results of queries, for look-ups.
    #[command(subcommand)]
    Collect(super::collect::CollectCommand),
    /// Serves the HTTP API: queries, and tasks that keep collections filled.
    Serve(super::serve::ServeArgs),
    /// Checks, tries and runs correlation rules in Lua.
    #[command(subcommand)]
    Rule(super::rule::RuleCommand),
    /// Makes notebooks of Jupyter speak this language.
    #[command(subcommand)]
    Kernel(super::kernel::KernelCommand),
    /// Makes a script of a notebook, or a notebook of a script.
    Convert(super::convert::ConvertArgs),
    /// Says what is configured, what answers and how fast.
    Doctor {
        /// How to print the settings.
        #[arg(long, value_enum)]
        format: Option<ListFormat>,
    },
    /// Reads scripts and says what is wrong with them, and what may not mean what was meant, without running them.
    Check(CheckArgs),
    /// Formats scripts, without changing what they mean.
    Fmt(FmtArgs),
    /// Shows the reference of all functions.
    Docs(DocsArgs),
    /// Explains an error code, a lint, a function or a command.
    Help(HelpArgs),
    /// Prints a completion script for a shell.
    Completions(CompletionsArgs),
}

/// Variables from the command line.
#[derive(Debug, Clone, Default, ClapArgs)]
pub struct VariableArgs {
    /// A variable; the value is JSON, or a text when it is no JSON.
    #[arg(long = "var", value_name = "NAME=VALUE")]
    pub var: Vec<String>,
    /// Variables from a JSON object in a file.
    #[arg(long, value_name = "FILE")]
    pub vars: Option<PathBuf>,
}

/// `stellar eval`
#[derive(Debug, ClapArgs)]
pub struct EvalArgs {
    /// The expression.
    #[arg(
        required_unless_present = "jsonl",
        conflicts_with = "jsonl",
        allow_hyphen_values = true
    )]
    pub expression: Option<String>,
    /// Reads {"expr": …, "vars": …} line by line and answers each with a line.
    #[arg(long)]
    pub jsonl: bool,
    /// Adds the value in a form that keeps every type.
    #[arg(long)]
    pub typed: bool,
    /// How to print the value.
    #[arg(long, value_enum, default_value_t = ValueFormat::Text, conflicts_with_all = ["jsonl", "typed"])]
    pub format: ValueFormat,
    #[command(flatten)]
    pub variables: VariableArgs,
}

/// How to print one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ValueFormat {
    /// Its text form.
    Text,
    /// Plain JSON.
    Json,
}

/// Which events to read and where to write.
#[derive(Debug, Clone, ClapArgs)]
pub struct EventArgs {
    /// The files, also as globs; JSON Lines, CSV, TSV or Zeek logs, also .gz and .zst. - is standard input.
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The form of the input, unless the names of the files tell it.
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub from: Option<InputFormat>,
    /// Writes to a file.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Stops after so many events of output.
    #[arg(long, value_name = "N")]
    pub limit: Option<u64>,
    /// Stops at the first line that is bad or fails.
    #[arg(long)]
    pub strict: bool,
    /// Says at the end how much was read, kept, bad and failed.
    #[arg(long)]
    pub stats: bool,
    /// How many threads evaluate; one for each core unless given.
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
    #[command(flatten)]
    pub variables: VariableArgs,
}

/// How events stand in the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum InputFormat {
    /// One JSON object a line.
    Jsonl,
    /// Comma-separated values below a line of names.
    Csv,
    /// Tab-separated values below a line of names.
    Tsv,
    /// Zeek's logs.
    Zeek,
}

/// `stellar filter`
#[derive(Debug, ClapArgs)]
pub struct FilterArgs {
    /// The expression; events stay when it is true and go when it is false, null or an empty collection.
    #[arg(allow_hyphen_values = true)]
    pub expression: String,
    #[command(flatten)]
    pub events: EventArgs,
    /// Keeps the others.
    #[arg(long)]
    pub not: bool,
    /// Prints how many events stay instead of the events.
    #[arg(long)]
    pub count: bool,
    /// Exit code 1 when no event stays.
    #[arg(long)]
    pub fail_if_none: bool,
}

/// `stellar map`
#[derive(Debug, ClapArgs)]
pub struct MapArgs {
    /// The expression; with -e or --set-field the first file.
    pub expression: Option<String>,
    #[command(flatten)]
    pub events: EventArgs,
    /// Writes text forms instead of JSON.
    #[arg(long, conflicts_with_all = ["named", "set_fields"])]
    pub raw: bool,
    /// Writes an object with this field; may be given several times.
    #[arg(short = 'e', value_name = "NAME=EXPR")]
    pub named: Vec<String>,
    /// Writes the event with this field added or replaced; may be given several times. Behind map, --set means this.
    #[arg(
        long = "set-field",
        value_name = "FIELD=EXPR",
        conflicts_with = "named"
    )]
    pub set_fields: Vec<String>,
}

/// `stellar run`
#[derive(Debug, ClapArgs)]
pub struct RunArgs {
    /// The scripts; - is standard input.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    #[command(flatten)]
    pub variables: VariableArgs,
    /// Goes on after an error; the exit code is 1 then.
    #[arg(long)]
    pub keep_going: bool,
    /// How to print results and errors.
    #[arg(long, value_enum, default_value_t = RunFormat::Text)]
    pub format: RunFormat,
    /// What stands behind -- is the list `args` in the script.
    #[arg(last = true, value_name = "ARGS")]
    pub args: Vec<String>,
}

/// How a script prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RunFormat {
    /// As at the shell; errors on standard error.
    Text,
    /// One JSON array of all results.
    Json,
    /// One JSON object a statement.
    Jsonl,
}

/// How to print a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ListFormat {
    /// A table.
    Table,
    /// One JSON array.
    Json,
    /// One JSON object a row.
    Jsonl,
    /// Comma-separated values.
    Csv,
    /// The first column.
    Ids,
    /// Tabs between cells, no names.
    Text,
}

impl ListFormat {
    /// A table on a terminal and JSON Lines into a pipe, unless another form was asked for.
    pub fn or_usual(asked: Option<ListFormat>) -> ListFormat {
        use std::io::IsTerminal;
        let usual = if std::io::stdout().is_terminal() {
            ListFormat::Table
        } else {
            ListFormat::Jsonl
        };
        asked.unwrap_or(usual)
    }
}

/// `stellar store`
#[derive(Debug, Subcommand)]
pub enum StoreCommand {
    /// Examines the file.
    Check {
        /// How to print the tables.
        #[arg(long, value_enum)]
        format: Option<ListFormat>,
    },
    /// Copies the file while it is in use.
    Backup {
        /// The copy, which must not exist.
        file: PathBuf,
    },
    /// Gives back the space that nothing uses.
    Compact,
    /// Removes what has outlived its time.
    Expire,
}

/// `stellar enrich`
#[derive(Debug, Subcommand)]
pub enum EnrichCommand {
    /// Loads CSV, TSV or JSON Lines files.
    Load(LoadArgs),
    /// Shows what is loaded.
    List {
        /// How to print it.
        #[arg(long, value_enum)]
        format: Option<ListFormat>,
    },
    /// Removes everything of one type.
    Remove {
        /// The type.
        kind: String,
        /// The table.
        #[arg(long, default_value = "enrichment")]
        table: String,
        /// The column family.
        #[arg(long, default_value = "t")]
        family: String,
    },
}

/// `stellar enrich load`
#[derive(Debug, ClapArgs)]
pub struct LoadArgs {
    /// The files, also as globs and compressed.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The type under which they are looked up.
    #[arg(long = "type", value_name = "TYPE")]
    pub kind: String,
    /// The field that is looked up.
    #[arg(long, value_name = "FIELD")]
    pub indicator: String,
    /// The table.
    #[arg(long, default_value = "enrichment")]
    pub table: String,
    /// The column family.
    #[arg(long, default_value = "t")]
    pub family: String,
}

/// `stellar profile`
#[derive(Debug, Subcommand)]
pub enum ProfileCommand {
    /// Profiles the events of files by their own time, and stores what it measured.
    Apply(Box<super::profile::ApplyArgs>),
    /// Shows the measurements of an entity.
    Get(ProfileGetArgs),
    /// Shows the profiles that have been written, or the entities of one.
    List {
        /// The profile whose entities are shown.
        profile: Option<String>,
        /// The most entities that are shown.
        #[arg(long, value_name = "N", default_value_t = 1000)]
        limit: usize,
        /// How to print it.
        #[arg(long, value_enum)]
        format: Option<ListFormat>,
    },
    /// Shows the profiles that come with the program, or prints the definitions of some as one file.
    Library {
        /// The profiles whose definitions are printed.
        names: Vec<String>,
        /// Calls a field of the messages by another name.
        #[arg(long = "field", value_name = "OLD=NEW", requires = "names")]
        fields: Vec<String>,
        /// How to print the list.
        #[arg(long, value_enum, conflicts_with = "names")]
        format: Option<ListFormat>,
    },
    /// Draws a profile over time, with what was expected behind it.
    Plot(super::plot::PlotArgs),
    /// Removes the measurements of a profile.
    Delete {
        /// The profile.
        profile: String,
        /// Only those of this entity.
        #[arg(long)]
        entity: Option<String>,
        /// Only those in these groups, in their order.
        #[arg(
            long = "group",
            value_name = "GROUP",
            requires = "entity",
            allow_hyphen_values = true
        )]
        groups: Vec<String>,
    },
    /// Makes the configured table of HBase with its column family.
    CreateTable,
    /// Shows how many measurements wait for the server, or writes them.
    Spool {
        /// What to do with them.
        #[command(subcommand)]
        command: Option<SpoolCommand>,
        /// How to print it.
        #[arg(long, value_enum)]
        format: Option<ListFormat>,
    },
}

/// `stellar profile spool`
#[derive(Debug, Subcommand)]
pub enum SpoolCommand {
    /// Writes what waits to the server.
    Flush,
}

/// `stellar profile get`
#[derive(Debug, ClapArgs)]
pub struct ProfileGetArgs {
    /// The profile.
    pub profile: String,
    /// What it is about, such as an address.
    #[arg(allow_hyphen_values = true)]
    pub entity: String,
    /// A group; several are given in their order.
    #[arg(long = "group", value_name = "GROUP", allow_hyphen_values = true)]
    pub groups: Vec<String>,
    /// Of when, such as '1 hour window every 24 hours from 7 days ago'; all there is without.
    #[arg(long, value_name = "SELECTOR")]
    pub window: Option<String>,
    /// Shows every period without a measurement too; a table marks them in any case.
    #[arg(long)]
    pub missing: bool,
    /// How to print them.
    #[arg(long, value_enum)]
    pub format: Option<ListFormat>,
}

/// `stellar check`
#[derive(Debug, ClapArgs)]
pub struct CheckArgs {
    /// Scripts, and definitions of profiles (files that end in .json); - is a script on standard input.
    #[arg(required_unless_present = "expressions", value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// An expression to check; may be given several times.
    #[arg(short = 'e', value_name = "EXPR", allow_hyphen_values = true)]
    pub expressions: Vec<String>,
    /// How to print what was found.
    #[arg(long, value_enum, default_value_t = CheckFormat::Text)]
    pub format: CheckFormat,
    /// A lint not to mention, by name or code; all means every one. May be given several times.
    #[arg(long, value_name = "LINT", value_delimiter = ',')]
    pub allow: Vec<String>,
    /// Exit code 1 also when there are warnings and no errors.
    #[arg(long)]
    pub deny_warnings: bool,
    /// Writes the suggested changes that keep the meaning into the scripts.
    #[arg(long)]
    pub fix: bool,
    /// Events the scripts are for, as JSON Lines, CSV, TSV or Zeek logs: names that none of the first 100,000 has are
    /// reported.
    #[arg(long, value_name = "FILE")]
    pub events: Vec<PathBuf>,
}

/// How `check` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CheckFormat {
    /// With the source line and a caret.
    Text,
    /// One JSON array.
    Json,
    /// One JSON object a finding.
    Jsonl,
}

/// `stellar fmt`
#[derive(Debug, ClapArgs)]
pub struct FmtArgs {
    /// The scripts, which are rewritten in place; - formats standard input to standard output.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Writes nothing; lists the files that would change and ends with 1 when there are any.
    #[arg(long)]
    pub check: bool,
    /// Writes the formatted text to standard output instead of into the files.
    #[arg(long, conflicts_with = "check")]
    pub stdout: bool,
}

/// `stellar docs`
#[derive(Debug, ClapArgs)]
pub struct DocsArgs {
    /// The function to show; all of them without.
    pub name: Option<String>,
    /// The whole reference as Markdown.
    #[arg(long)]
    pub markdown: bool,
    /// The manual page.
    #[arg(long, conflicts_with_all = ["markdown", "name"])]
    pub man: bool,
    /// The declarations as JSON.
    #[arg(long, conflicts_with_all = ["markdown", "man"])]
    pub json: bool,
    /// All error codes as Markdown.
    #[arg(long, conflicts_with_all = ["markdown", "man", "json", "name"])]
    pub errors: bool,
    /// How many functions each family has, as Markdown.
    #[arg(long, conflicts_with_all = ["markdown", "man", "json", "name", "errors", "lints"])]
    pub families: bool,
    /// All lints as Markdown.
    #[arg(long, conflicts_with_all = ["markdown", "man", "json", "name", "errors"])]
    pub lints: bool,
    /// The library profiles as Markdown.
    #[arg(long, conflicts_with_all = ["markdown", "man", "json", "name", "errors", "lints", "families"])]
    pub profiles: bool,
    /// The library rules as Markdown.
    #[arg(long, conflicts_with_all = ["markdown", "man", "json", "name", "errors", "lints", "families", "profiles"])]
    pub rules: bool,
}

/// `stellar help`
#[derive(Debug, ClapArgs)]
pub struct HelpArgs {
    /// An error code such as E0203, a lint, a function, or a command.
    pub topic: Option<String>,
}

/// `stellar completions`
#[derive(Debug, ClapArgs)]
pub struct CompletionsArgs {
    /// The shell.
    pub shell: clap_complete::Shell,
}
