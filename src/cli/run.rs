//! `stellar run`: scripts from files; and from a pipe, as the shell would take them.

use super::args::{Common, RunArgs, RunFormat};
use super::{output, setup};
use crate::diagnostic::{Fault, Outcome, Source, json as fault_json, plain};
use crate::eval::Value;
use crate::eval::collections::List;
use crate::eval::json;
use crate::shell::{Session, Shown, interact};
use crate::syntax::{Statement, statements};
use serde_json::{Value as Json, json};
use std::io::IsTerminal;
use std::path::Path;

/// Runs the command.
pub fn run(common: &Common, args: &RunArgs) -> Outcome<bool> {
    let engine = setup::engine(common)?;
    let session = Session::new(&engine);
    session.load(setup::variables(
        &args.variables,
        engine.context.limits.depth,
    )?);
    let rest: Vec<Value> = args.args.iter().map(Value::text).collect();
    session.load([("args".into(), Value::List(List::array(rest)))]);
    let mut printer = Printer {
        format: args.format,
        collected: Vec::new(),
        failed: false,
    };
    for file in &args.files {
        let name = if file.as_os_str() == "-" {
            "standard input".into()
        } else {
            file.display().to_string()
        };
        let source = Source::named(name, setup::read_text(file)?);
        if !script(&session, &source, &mut printer, args.keep_going)? {
            break;
        }
    }
    printer.finish()
}

/// Runs standard input as a script of the shell.
pub fn standard_input(common: &Common) -> Outcome<bool> {
    let engine = setup::engine(common)?;
    let session = Session::new(&engine);
    if let Some(path) = &common.variables {
        session.load(setup::variables_file(path, engine.context.limits.depth)?);
    }
    if std::io::stdin().is_terminal() {
        interact(&session, output::line, output::complain)?;
        return Ok(true);
    }
    let source = Source::named("standard input", setup::read_text(Path::new("-"))?);
    let mut printer = Printer {
        format: RunFormat::Text,
        collected: Vec::new(),
        failed: false,
    };
    script(&session, &source, &mut printer, false)?;
    printer.finish()
}

/// Runs one script; `false` when no further one shall run.
fn script(
    session: &Session,
    source: &Source,
    printer: &mut Printer,
    keep_going: bool,
) -> Outcome<bool> {
    for statement in statements(source) {
        match session.run(&statement) {
            Ok(Shown::Quit) => return Ok(false),
            Ok(shown) => printer.shown(&statement, &shown)?,
            Err(fault) => {
                printer.failed(&statement, &fault)?;
                if !keep_going {
                    return Ok(false);
                }
            }
        }
    }
    Ok(true)
}

struct Printer {
    format: RunFormat,
    collected: Vec<Json>,
    failed: bool,
}

impl Printer {
    fn shown(&mut self, statement: &Statement, shown: &Shown) -> Outcome<()> {
        if let Shown::Done(Some(note)) = shown {
            output::note(note);
        }
        if self.format == RunFormat::Text {
            return match shown.print() {
                Some(text) => output::line(&text),
                None => Ok(()),
            };
        }
        let mut record = self.record(statement, true);
        record["print"] = json!(shown.print().unwrap_or_default());
        if let Shown::Value(value) = shown {
            record["type"] = json!(value.type_name());
            record["value"] = json::to_json(value)?;
        }
        self.put(record)
    }

    fn failed(&mut self, statement: &Statement, fault: &Fault) -> Outcome<()> {
        self.failed = true;
        if self.format == RunFormat::Text {
            output::complain(fault);
            return Ok(());
        }
        let mut record = self.record(statement, false);
        record["error"] = fault_json(fault);
        record["message"] = json!(plain(fault));
        self.put(record)
    }

    fn record(&self, statement: &Statement, ok: bool) -> Json {
        json!({
            "file": statement.source.name,
            "line": statement.source.position(statement.span.start).line,
            "in": statement.text(),
            "ok": ok,
        })
    }

    fn put(&mut self, record: Json) -> Outcome<()> {
        if self.format == RunFormat::Jsonl {
            return output::line(&record.to_string());
        }
        self.collected.push(record);
        Ok(())
    }

    /// Ends the output; `false` when something failed.
    fn finish(self) -> Outcome<bool> {
        if self.format == RunFormat::Json {
            output::line(&Json::Array(self.collected).to_string())?;
        }
        Ok(!self.failed)
    }
}
