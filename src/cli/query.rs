//! `stellar query`: rows of files and other sources through conditions, columns and groups.

use super::args::{Common, ListFormat};
use super::{output, setup};
use crate::collect::query::{Query, Range, Row, Saved, Totals, time};
use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::engine::Engine;
use crate::eval::json::write_json;
use crate::eval::{Context, Value};
use crate::event;
use crate::input::{Catalogue, Columns, EVENTDATE, FileRows};
use crate::store::Within;
use clap::{Args, Subcommand};
use serde_json::{Value as Json, json};
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;
use std::sync::Arc;

/// `stellar query`
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct QueryArgs {
    /// Something other than asking.
    #[command(subcommand)]
    pub command: Option<QueryCommand>,
    /// The query: from SOURCE where … group every 5m by … select … limit …; or the name of a saved one.
    #[arg(value_name = "QUERY")]
    pub text: Option<String>,
    /// Rows from this time on: seconds since 1970, ISO 8601, now()-2h, today(), yesterday().
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub from: Option<String>,
    /// Rows before this time.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub to: Option<String>,
    /// Goes on with what comes later, for ever; Ctrl-C ends it.
    #[arg(long)]
    pub follow: bool,
    /// A source besides those that are configured: a file or a pattern of files.
    #[arg(long = "source", value_name = "NAME=FILE", global = true)]
    pub sources: Vec<String>,
    /// How to print the rows.
    #[arg(long, value_enum)]
    pub format: Option<ListFormat>,
    /// Says at the end what was read.
    #[arg(long)]
    pub stats: bool,
}

/// Parts of `stellar query`.
#[derive(Debug, Subcommand)]
pub enum QueryCommand {
    /// Lists what can be asked.
    Sources {
        /// How to print the list.
        #[arg(long, value_enum)]
        format: Option<ListFormat>,
    },
    /// Keeps a query under a name, by which it can be asked and a task can be made of it (queryId).
    Save {
        /// Its name.
        name: String,
        /// The query.
        query: String,
        /// In the place of another one of this name.
        #[arg(long)]
        replace: bool,
    },
    /// Lists the saved queries.
    List {
        /// How to print the list.
        #[arg(long, value_enum)]
        format: Option<ListFormat>,
    },
    /// Shows a saved query.
    Show {
        /// Its name.
        name: String,
    },
    /// Forgets a saved query.
    Remove {
        /// Its name.
        name: String,
    },
}

/// Runs the command.
pub fn query(common: &Common, args: &QueryArgs) -> Outcome<bool> {
    let engine = setup::engine(common)?;
    match (&args.command, &args.text) {
        (Some(command), _) => kept(&engine, command, args),
        (None, Some(text)) if Saved::is_name(text) => {
            let text = Saved::new(&engine.store).text(text, Within::context(&engine.context))?;
            ask(&engine, &text, args)
        }
        (None, Some(text)) => ask(&engine, text, args),
        (None, None) => Err(Diagnostic::new(Code::Usage, "a query is missing")
            .help("stellar query 'from SOURCE where … select …'; stellar query sources lists what can be asked")),
    }
}

fn list(context: &Context, format: Option<ListFormat>) -> Outcome<bool> {
    let catalogue = context.services.get::<Catalogue>();
    let rows = catalogue.iter().flat_map(|all| all.iter());
    let rows = rows.map(|(name, source)| json!({ "source": name.as_str(), "is": source.about() }));
    output::table(
        ListFormat::or_usual(format),
        &["source", "is"],
        rows.collect(),
    )?;
    Ok(true)
}

/// Saved queries.
fn kept(engine: &Engine, command: &QueryCommand, args: &QueryArgs) -> Outcome<bool> {
    let within = Within::context(&engine.context);
    let saved = Saved::new(&engine.store);
    match command {
        QueryCommand::Sources { format } => {
            return list(&with_sources(&engine.context, &args.sources)?, *format);
        }
        QueryCommand::Save {
            name,
            query,
            replace,
        } => {
            let context = with_sources(&engine.context, &args.sources)?;
            match Query::compile(query, &context) {
                // What it reads may be away just now.
                Err(fault) if [Code::ServerFailed, Code::CannotRead].contains(&fault.code) => {
                    output::note(&format!("it could not be checked: {}", fault.message));
                }
                checked => checked.map(drop)?,
            }
            saved.save(name, query.trim(), *replace, within)?;
        }
        QueryCommand::List { format } => {
            let rows = saved.list(within)?.into_iter().map(|saved| {
                json!({ "name": saved.name, "query": saved.text, "saved": event::shape::time_text(saved.saved.saturating_mul(1000)) })
            });
            output::table(
                ListFormat::or_usual(*format),
                &["name", "query", "saved"],
                rows.collect(),
            )?;
        }
        QueryCommand::Show { name } => output::line(&saved.text(name, within)?)?,
        QueryCommand::Remove { name } => saved.remove(name, within)?,
    }
    Ok(true)
}

/// The sources of `--source` besides the configured ones.
fn with_sources(context: &Context, sources: &[String]) -> Outcome<Context> {
    let mut context = context.clone();
    if sources.is_empty() {
        return Ok(context);
    }
    let known = context.services.get::<Catalogue>();
    let mut catalogue = known.map_or_else(Catalogue::default, |known| (*known).clone());
    for text in sources {
        let (name, path) = text.split_once('=').unwrap_or_default();
        if name.is_empty() || path.is_empty() {
            let message = format!("--source {text} names no file");
            return Err(Diagnostic::new(Code::Usage, message).help("write --source NAME=FILE"));
        }
        let rows = FileRows::new(vec![PathBuf::from(path)], None, None);
        catalogue.add(name, Arc::new(rows));
    }
    context.services.add(Arc::new(catalogue));
    Ok(context)
}

fn ask(engine: &Engine, text: &str, args: &QueryArgs) -> Outcome<bool> {
    let context = with_sources(&engine.context, &args.sources)?;
    let query = Query::compile(text, &context)?;
    let at = |text: &Option<String>| text.as_ref().map(|text| time(text, &context)).transpose();
    let range = Range {
        from: at(&args.from)?.unwrap_or(i64::MIN),
        to: at(&args.to)?.unwrap_or(i64::MAX),
        follow: args.follow,
    };
    if args.follow && !query.follows() {
        let message = format!("{} does not grow, and cannot be followed", query.from);
        return Err(Diagnostic::new(Code::Usage, message));
    }
    let format = match args.format {
        // Rows are shown as they come.
        None | Some(ListFormat::Jsonl) if range.follow => ListFormat::Jsonl,
        Some(_) if range.follow => {
            let message = "what is followed is printed as it comes, and only jsonl can be";
            return Err(Diagnostic::new(Code::Usage, message).help("leave --format out"));
        }
        format => ListFormat::or_usual(format),
    };
    let mut printed = Printed::new(&query, format);
    let printed_rows = std::cell::RefCell::new(&mut printed);
    let mut last = Totals::default();
    let ran = query.run(
        range,
        &context,
        &mut |row| printed_rows.borrow_mut().put(row),
        &mut |totals| {
            if range.follow {
                last.clone_from(totals);
                printed_rows.borrow_mut().shown()?;
            }
            Ok(())
        },
    );
    let totals = match ran {
        // The usual end of what is followed for ever.
        Err(fault) if fault.code == Code::Interrupted && range.follow => last,
        ran => ran?,
    };
    printed.end()?;
    for problem in &totals.problems {
        output::note(problem);
    }
    let wrong = totals.bad + totals.failed;
    if wrong > totals.problems.len() as u64 {
        output::note(&format!(
            "{} more rows are bad or failed",
            wrong - totals.problems.len() as u64
        ));
    }
    if args.stats {
        let late = match totals.late {
            0 => String::new(),
            late => format!(", late {late}"),
        };
        output::note(&format!(
            "read {}, kept {}, bad {}, failed {}{late}",
            totals.read, totals.kept, totals.bad, totals.failed
        ));
    }
    Ok(wrong == 0)
}

/// Prints rows: JSON Lines as they come, anything else when all columns are known.
struct Printed {
    format: ListFormat,
    columns: Vec<String>,
    open: bool,
    rows: Vec<Json>,
    out: BufWriter<io::Stdout>,
    line: Vec<u8>,
}

impl Printed {
    fn new(query: &Query, format: ListFormat) -> Printed {
        let (columns, open) = match query.columns() {
            Columns::Fixed(columns) => {
                (columns.iter().map(|c| c.name.to_string()).collect(), false)
            }
            Columns::Open => (vec![EVENTDATE.to_owned()], true),
        };
        Printed {
            format,
            columns,
            open,
            rows: Vec::new(),
            out: BufWriter::with_capacity(1 << 16, io::stdout()),
            line: Vec::new(),
        }
    }

    /// What was printed is to be seen now.
    fn shown(&mut self) -> Outcome<()> {
        output::written(self.out.flush())
    }

    fn put(&mut self, row: &Row<'_>) -> Outcome<bool> {
        self.line.clear();
        write_json(&Value::Map(row.map()), &mut self.line)?;
        if self.format == ListFormat::Jsonl {
            self.line.push(b'\n');
            output::written(self.out.write_all(&self.line))?;
            return Ok(true);
        }
        let json: Json = serde_json::from_slice(&self.line)
            .map_err(|error| Diagnostic::new(Code::Internal, error.to_string()))?;
        if self.open {
            for name in json.as_object().into_iter().flat_map(serde_json::Map::keys) {
                if !self.columns.contains(name) {
                    self.columns.push(name.clone());
                }
            }
        }
        self.rows.push(json);
        Ok(true)
    }

    fn end(mut self) -> Outcome<()> {
        output::written(self.out.flush())?;
        if self.format == ListFormat::Jsonl {
            return Ok(());
        }
        let columns: Vec<&str> = self.columns.iter().map(String::as_str).collect();
        output::table(self.format, &columns, self.rows)
    }
}
