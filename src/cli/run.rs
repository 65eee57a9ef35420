//! `stellar run`: scripts from files; and from a pipe, as the shell would take them.

use super::args::{Common, RunArgs, RunFormat};
use super::{output, setup};
use crate::diagnostic::{Fault, Outcome, Source, json as fault_json, plain};
use crate::engine::Engine;
use crate::eval::Value;
use crate::eval::collections::List;
use crate::eval::json;
use crate::shell::{Audience, Front, Look, Session, Shown, interact};
use crate::syntax::{Statement, each_statement};
use serde_json::{Value as Json, json};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

/// Runs the command.
pub fn run(common: &Common, args: &RunArgs) -> Outcome<bool> {
    let engine = setup::engine(common)?;
    let session = Session::new(&engine);
    session.set_ascii(output::ascii());
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
        let source = match crate::input::read_text(file) {
            Ok(text) => Source::named(name, text),
            Err(fault) => {
                printer.unreadable(&name, &fault)?;
                if args.keep_going {
                    continue;
                }
                break;
            }
        };
        if !script(&session, &source, &mut printer, args.keep_going)? {
            break;
        }
    }
    ended(&session);
    printer.finish()
}

/// Ends what statements have begun, and shows what it has to say.
fn ended(session: &Session) {
    setup::leave(&session.engine());
    session.notes().iter().for_each(|note| output::note(note));
}

/// Runs standard input as a script of the shell.
pub fn standard_input(common: &Common) -> Outcome<bool> {
    let engine = setup::engine(common)?;
    let session = Session::new(&engine);
    session.set_ascii(output::ascii());
    if let Some(path) = &common.variables {
        session.load(setup::variables_file(path, engine.context.limits.depth)?);
    }
    if std::io::stdin().is_terminal() {
        let front = Front {
            print: &output::line,
            complain: &output::complain,
            note: &output::note,
            remark: &output::remark,
            colors: output::in_color(),
            history: history(&engine)?,
        };
        let ran = interact(&session, &front);
        // Ctrl-C at some line before says nothing about the end.
        let cancel = session.engine().context.cancel.clone();
        cancel.store(false, Ordering::SeqCst);
        ended(&session);
        ran?;
        return Ok(true);
    }
    let source = Source::named("standard input", crate::input::read_text(Path::new("-"))?);
    let mut printer = Printer {
        format: RunFormat::Text,
        collected: Vec::new(),
        failed: false,
    };
    script(&session, &source, &mut printer, false)?;
    ended(&session);
    printer.finish()
}

/// Where the shell keeps earlier statements: as configured, else where such files belong.
pub(super) fn history(engine: &Engine) -> Outcome<Option<PathBuf>> {
    if let Some(path) = &engine.config.shell.history {
        let none = path.as_os_str().is_empty();
        return Ok((!none).then(|| path.clone()));
    }
    let absolute = |name: &str| {
        let path = std::env::var_os(name).map(PathBuf::from);
        path.filter(|path| path.is_absolute())
    };
    let state = absolute("XDG_STATE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local/state")));
    Ok(state.map(|state| state.join("stellar/history")))
}

/// Runs one script; `false` when no further one shall run.
fn script(
    session: &Session,
    source: &Source,
    printer: &mut Printer,
    keep_going: bool,
) -> Outcome<bool> {
    let cancelled = || session.engine().context.check_cancelled();
    session.listen();
    for statement in each_statement(source) {
        let audience = |shown: &Shown| {
            session.notes().iter().for_each(|note| output::note(note));
            printer.said(shown, session.look())
        };
        // Records hold what a loaded script gives; as text it is printed while that runs.
        let audience = match printer.format {
            RunFormat::Text => Some(&audience as &Audience<'_>),
            _ => None,
        };
        let ran = cancelled().and_then(|()| session.run_before(&statement, audience));
        session.notes().iter().for_each(|note| output::note(note));
        let failed = match ran {
            Ok(Shown::Quit) => return Ok(false),
            // What a loaded script gave before it failed is shown too.
            Ok(Shown::Several(all, Some(fault))) => {
                let shown = Shown::Several(all, None);
                printer.said(&shown, session.look())?;
                (fault, shown.print())
            }
            Ok(shown) => match printer.record_of(&statement, &shown) {
                Ok(record) => {
                    printer.said(&shown, session.look())?;
                    record.map_or(Ok(()), |record| printer.put(record))?;
                    if shown.ends() {
                        return Ok(false);
                    }
                    continue;
                }
                Err(fault) => (fault, None),
            },
            Err(fault) => (fault, None),
        };
        printer.failed(&statement, &failed.0, failed.1)?;
        if !keep_going || cancelled().is_err() {
            return Ok(false);
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
    /// What a statement gave as JSON, when that is wanted. Errors: E0302, E0303.
    fn record_of(&self, statement: &Statement, shown: &Shown) -> Outcome<Option<Json>> {
        if self.format == RunFormat::Text {
            return Ok(None);
        }
        let mut record = self.record(statement, true);
        if let Shown::Value(value) = shown {
            let plain = json::to_json(value)?;
            record["print"] = json!(shown.print().unwrap_or_default());
            record["type"] = json!(value.type_name());
            record["value"] = plain;
        } else {
            record["print"] = json!(shown.print().unwrap_or_default());
        }
        Ok(Some(record))
    }

    /// Prints notes, and results where these are wanted as text.
    fn said(&self, shown: &Shown, look: Look) -> Outcome<()> {
        match shown {
            Shown::Several(all, _) => all.iter().try_for_each(|one| self.said(one, look)),
            Shown::Done(Some(note)) => {
                output::note(note);
                Ok(())
            }
            shown if self.format == RunFormat::Text => match shown.print_as(look)? {
                Some(text) => output::line(&text),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }

    /// A script that cannot be read.
    fn unreadable(&mut self, name: &str, fault: &Fault) -> Outcome<()> {
        self.failed = true;
        if self.format == RunFormat::Text {
            output::complain(fault);
            return Ok(());
        }
        self.put(json!({
            "file": name,
            "ok": false,
            "error": fault_json(fault),
            "message": plain(fault),
        }))
    }

    fn failed(
        &mut self,
        statement: &Statement,
        fault: &Fault,
        print: Option<String>,
    ) -> Outcome<()> {
        self.failed = true;
        if self.format == RunFormat::Text {
            output::complain(fault);
            return Ok(());
        }
        let mut record = self.record(statement, false);
        if let Some(print) = print {
            record["print"] = json!(print);
        }
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
