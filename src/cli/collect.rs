//! `stellar collect`: tasks that keep collections filled.

use super::args::{Common, ListFormat};
use super::{output, setup};
use crate::collect::task::{Created, Denied, Given, Number, Request, Status, Task, Who};
use crate::collect::{Collections, Tasks};
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use crate::engine::Engine;
use crate::input::read_text;
use crate::store::Deadline;
use clap::Subcommand;
use serde_json::{Value as Json, json};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// `stellar collect`
#[derive(Debug, Subcommand)]
pub enum CollectCommand {
    /// Makes a task from a file and runs it to its end, or until Ctrl-C; one that was run before goes on.
    Run {
        /// The request as it is sent to /search/query, in JSON; - is standard input.
        #[arg(value_name = "TASK.json")]
        file: PathBuf,
    },
    /// Lists the tasks.
    List {
        /// Those of all domains.
        #[arg(long)]
        all: bool,
        /// How to print the list.
        #[arg(long, value_enum)]
        format: Option<ListFormat>,
    },
    /// Shows a task.
    Show {
        /// Its identifier or its friendlyName.
        #[arg(value_name = "TASK")]
        id: String,
        /// How to print it.
        #[arg(long, value_enum)]
        format: Option<ListFormat>,
    },
    /// Stops a task, wherever it runs; it can be started again.
    Stop {
        /// Its identifier or its friendlyName.
        #[arg(value_name = "TASK")]
        id: String,
    },
    /// Starts a task again where it had got to, and runs it to its end, or until Ctrl-C.
    Start {
        /// Its identifier or its friendlyName.
        #[arg(value_name = "TASK")]
        id: String,
    },
    /// Stops a task and forgets it; its entries stay until their time is over.
    Remove {
        /// Its identifier or its friendlyName.
        #[arg(value_name = "TASK")]
        id: String,
    },
}

/// Who works with tasks.
struct Desk {
    engine: Engine,
    tasks: Arc<Tasks>,
    who: Who,
}

/// Runs the command.
pub fn collect(common: &Common, command: &CollectCommand) -> Outcome<bool> {
    let engine = setup::engine(common)?;
    let services = &engine.context.services;
    let (Some(tasks), Some(collections)) = (services.get::<Tasks>(), services.get::<Collections>())
    else {
        let message = "collection tasks need a store, and there is none";
        return Err(Diagnostic::new(Code::NotAvailable, message));
    };
    let desk = Desk {
        who: Who {
            domain: collections.domain().clone(),
            user: Default::default(),
        },
        engine,
        tasks,
    };
    let context = &desk.engine.context;
    match command {
        CollectCommand::Run { file } => desk.run(file),
        CollectCommand::List { all, format } => {
            let tasks = match all {
                true => desk.tasks.all(context)?,
                false => desk.tasks.list(&desk.who, context)?,
            };
            list(&tasks, *format)
        }
        CollectCommand::Show { id, format } => {
            let task = desk.tasks.get(id, &desk.who, context).map_err(told)?;
            show(&task, *format)
        }
        CollectCommand::Stop { id } => {
            let task = desk.tasks.stop(id, &desk.who, context).map_err(told)?;
            said(&task, "is stopped")
        }
        CollectCommand::Start { id } => {
            let created = desk.tasks.start(id, &desk.who, context).map_err(told)?;
            desk.attend(&created)
        }
        CollectCommand::Remove { id } => {
            let task = desk.tasks.remove(id, &desk.who, context).map_err(told)?;
            said(
                &task,
                "is removed; its entries stay until their time is over",
            )
        }
    }
}

/// A refusal on the command line.
fn told(denied: Denied) -> Fault {
    denied.fault
}

impl Desk {
    /// Makes the task of a file, or goes on with the one that was made from it, and waits for its end.
    fn run(&self, file: &Path) -> Outcome<bool> {
        let context = &self.engine.context;
        let text = read_text(file)?;
        let json: Json = serde_json::from_str(&text).map_err(|error| {
            let message = format!("{} is no JSON: {error}", file.display());
            Diagnostic::new(Code::BadTask, message)
        })?;
        let request = Request::read(&json, context).map_err(told)?;
        let name = &request.definition.name;
        let known = self.tasks.get(name, &self.who, context).ok();
        let same = |task: &Task| {
            let mut own = request.definition.clone();
            own.fill(&task.definition);
            task.query == request.query && task.definition == own && &task.definition.name == name
        };
        let created = match known.filter(same) {
            Some(task) if matches!(task.status, Status::Paused | Status::Stopped) => {
                output::note(&format!("the task {name} goes on"));
                self.tasks.start(&task.id, &self.who, context)
            }
            _ => self.tasks.make(Given::Query(request), &self.who, context),
        };
        self.attend(&created.map_err(told)?)
    }

    /// Waits for a task that runs here; `false` when it went wrong.
    fn attend(&self, created: &Created) -> Outcome<bool> {
        setup::show_warnings();
        output::line(&created.json().to_string())?;
        if !created.message.is_empty() {
            output::note(&created.message);
        }
        let context = &self.engine.context;
        // Ctrl-C ends the wait; what becomes of the task then is seen below.
        let _ = self
            .tasks
            .wait(&created.id, Deadline::NONE, &context.cancel);
        setup::leave(&self.engine);
        let cancel = Arc::default();
        let mut quiet = context.clone();
        // What it has come to is told after Ctrl-C as well.
        quiet.cancel = cancel;
        let task = match self.tasks.get(&created.id, &self.who, &quiet) {
            Ok(task) => task,
            Err(denied) if denied.number == Number::NotFound => {
                output::note("the task was removed meanwhile");
                return Ok(true);
            }
            Err(denied) => return Err(denied.fault),
        };
        output::note(&format!(
            "{} is {}: {} rows, {} entries stored",
            task.definition.name,
            task.status.word(),
            task.read,
            task.kept
        ));
        if task.status == Status::Completed {
            task.errors.iter().for_each(|error| output::note(error));
        }
        Ok(match task.status {
            Status::Completed => task.errors.is_empty(),
            // By an error, which was told, or by somebody, which is no failure.
            Status::Stopped => task.errors.is_empty(),
            _ => true,
        })
    }
}

/// The cells of a task in a list.
const COLUMNS: [&str; 8] = [
    "id",
    "friendlyName",
    "status",
    "lastDatetime",
    "eventGenerated",
    "eventsSent",
    "query",
    "error",
];

fn list(tasks: &[Task], format: Option<ListFormat>) -> Outcome<bool> {
    let format = ListFormat::or_usual(format);
    let whole = matches!(format, ListFormat::Json | ListFormat::Jsonl);
    let rows = tasks.iter().map(|task| {
        let mut json = task.json();
        if !whole {
            json["error"] = json!(task.errors.last());
        }
        json
    });
    output::table(format, &COLUMNS, rows.collect())?;
    Ok(true)
}

fn show(task: &Task, format: Option<ListFormat>) -> Outcome<bool> {
    let json = task.json();
    let flat = || {
        let mut rows = Vec::new();
        for (name, value) in json.as_object().into_iter().flatten() {
            match value {
                Json::Object(parts) => rows.extend(parts.iter()),
                _ => rows.push((name, value)),
            }
        }
        let rows = rows.into_iter();
        rows.map(|(name, value)| json!({ "field": name, "value": value }))
            .collect::<Vec<_>>()
    };
    match format {
        None if !std::io::stdout().is_terminal() => output::line(&json.to_string())?,
        Some(ListFormat::Json | ListFormat::Jsonl) => output::line(&json.to_string())?,
        Some(format) => output::table(format, &["field", "value"], flat())?,
        None => output::table(ListFormat::Table, &["field", "value"], flat())?,
    }
    Ok(true)
}

fn said(task: &Task, what: &str) -> Outcome<bool> {
    output::note(&format!("the task {} {what}", task.definition.name));
    Ok(true)
}
