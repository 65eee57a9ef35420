//! A cell: its statements one after the other, and what is shown of them.

use super::{Kernel, languages, rich};
use crate::config::mask_text;
use crate::diagnostic::{Code, Diagnostic, Fault, Source, brief, floor, notebook};
use crate::shell::Shown;
use crate::syntax::{Statement, each_statement};
use jupyter_protocol::{
    ErrorOutput, ExecuteInput, ExecuteReply, ExecuteRequest, ExecuteResult, ExecutionCount,
    ExpressionResult, JupyterMessage, Media, MediaType, Payload, ReplyError, ReplyStatus,
    Transient,
};
use std::collections::HashMap;
use std::sync::atomic::Ordering;

/// The columns of an error's text.
const WIDTH: usize = 100;
/// How many bytes a cell may have.
const CELL: usize = 16 << 20;
/// How many bytes of each of its parts are shown.
const LONGEST: usize = 8 << 10;
/// How many notes it shows.
const MOST_NOTES: usize = 20;

impl Kernel {
    /// Runs a cell and answers.
    pub(super) fn execute(
        &mut self,
        request: &ExecuteRequest,
        message: &JupyterMessage,
    ) -> ExecuteReply {
        let kept = request.store_history && !request.silent;
        if kept {
            self.count += 1;
            self.history.add(self.count, &request.code);
        }
        let count = ExecutionCount::new(self.count);
        if !request.silent {
            let code = request.code.clone();
            let input = ExecuteInput {
                code,
                execution_count: count,
            };
            self.out.publish(input, message);
        }
        // Who asks or prints needs to know who has sent the cell, and not the cell again.
        let message = &JupyterMessage {
            content: ExecuteRequest {
                code: String::new(),
                user_expressions: None,
                silent: request.silent,
                store_history: request.store_history,
                allow_stdin: request.allow_stdin,
                stop_on_error: request.stop_on_error,
            }
            .into(),
            zmq_identities: message.zmq_identities.clone(),
            header: message.header.clone(),
            parent_header: message.parent_header.clone(),
            metadata: message.metadata.clone(),
            buffers: Vec::new(),
            channel: None,
        };
        *self.current.lock() = Some(message.clone());
        self.interrupt.cancel.store(false, Ordering::SeqCst);
        self.interrupt.running.store(true, Ordering::SeqCst);
        self.stream.begin(message, request.silent);
        let failed = self.cell(request, message, count).err();
        self.stream.end();
        let user_expressions = match &failed {
            None => self.expressions(request),
            Some(_) => HashMap::new(),
        };
        self.interrupt.running.store(false, Ordering::SeqCst);
        self.interrupt.cancel.store(false, Ordering::SeqCst);
        *self.current.lock() = None;
        let mut reply = ExecuteReply {
            execution_count: count,
            user_expressions: Some(user_expressions),
            ..ExecuteReply::default()
        };
        if self.ended {
            reply.payload.push(Payload::AskExit { keepkernel: false });
        }
        if let Some(fault) = failed {
            // Who has been told of the failure, and sends a cell all the same, wants it to run.
            if request.stop_on_error {
                let before = self.waiting.drain(..);
                self.behind = before.chain(self.came.try_iter()).collect();
            }
            let error = told(&fault);
            if !request.silent {
                self.out.publish(
                    ErrorOutput {
                        ename: error.ename.clone(),
                        evalue: error.evalue.clone(),
                        traceback: error.traceback.clone(),
                    },
                    message,
                );
            }
            reply.status = ReplyStatus::Error;
            reply.error = Some(Box::new(error));
        }
        reply
    }

    fn cell(
        &mut self,
        request: &ExecuteRequest,
        message: &JupyterMessage,
        count: ExecutionCount,
    ) -> Result<(), Fault> {
        let last = Last {
            message,
            count,
            silent: request.silent,
        };
        if request.code.len() > CELL {
            let text = format!("the cell has {} bytes", request.code.len());
            return Err(Diagnostic::new(Code::ExpressionLength, text).help(format!(
                "cells of {} MiB at most are run; a file may hold more: %load FILE",
                CELL >> 20
            )));
        }
        if languages::is_other(&request.code) {
            let told = languages::run(&self.session, &request.code);
            self.session.notes();
            let told = told?;
            told.said.iter().for_each(|line| self.stream.line(line));
            if let Some(picture) = told.picture {
                self.stream
                    .display(Media::new(vec![MediaType::Svg(picture)]));
            }
            return self.present(&told.shown, Some(&last));
        }
        let source = Source::expression(request.code.as_str());
        let mut all = each_statement(&source).peekable();
        while let Some(statement) = all.next() {
            let is_last = all.peek().is_none();
            self.statement(&statement, is_last.then_some(&last))?;
            if self.ended {
                break;
            }
        }
        Ok(())
    }

    fn statement(&mut self, statement: &Statement, last: Option<&Last<'_>>) -> Result<(), Fault> {
        self.session.engine().context.check_cancelled()?;
        let remarks = self.session.remarks(statement);
        // Of what has failed nobody need be told that it always fails.
        let (late, early): (Vec<_>, Vec<_>) = remarks
            .iter()
            .partition(|remark| remark.code == Code::AlwaysFails);
        early.iter().for_each(|one| self.stream.note(&brief(one)));
        // What a loaded script gives is shown while it runs.
        let audience = |shown: &Shown| self.print(shown);
        let shown = self.session.run_before(statement, Some(&audience));
        self.session.notes();
        let shown = shown?;
        late.iter().for_each(|one| self.stream.note(&brief(one)));
        self.present(&shown, last)
    }

    /// Shows what a statement gave: the value of the last one as the result of the cell, pages and pictures as they come.
    fn present(&mut self, shown: &Shown, last: Option<&Last<'_>>) -> Result<(), Fault> {
        match shown {
            Shown::Value(_) | Shown::Whole(_) => {
                let Some(last) = last.filter(|last| !last.silent) else {
                    return Ok(());
                };
                if let Some(data) = self.forms(shown)? {
                    self.stream.flush();
                    let mut result = ExecuteResult::new(last.count, data);
                    // Left out it would be null, which the protocol does not know.
                    result.transient = Some(Transient::default());
                    self.out.publish(result, last.message);
                }
                Ok(())
            }
            other => {
                self.ended |= other.ends();
                self.print(other)
            }
        }
    }

    /// A result in all forms that it has.
    pub(super) fn forms(&self, shown: &Shown) -> Result<Option<Media>, Fault> {
        let zone = &self.session.engine().context.zone;
        rich::bundle(shown, self.session.look(), zone)
    }

    /// Prints what a statement of a loaded script gave, as the shell does; pages and pictures in all their forms.
    fn print(&self, shown: &Shown) -> Result<(), Fault> {
        // What functions say of the next statement is new again.
        self.session.notes();
        match shown {
            Shown::Quit | Shown::Done(None) => {}
            Shown::Done(Some(note)) => self.stream.note(&format!("note: {note}")),
            Shown::Value(_) | Shown::Whole(_) => {
                if let Some(text) = shown.print_as(self.session.look())? {
                    self.stream.line(&text);
                }
            }
            Shown::Page(..) => {
                if let Some(data) = self.forms(shown)? {
                    self.stream.display(data);
                }
            }
            Shown::Several(all, fault) => {
                all.iter().try_for_each(|one| self.print(one))?;
                if let Some(fault) = fault {
                    return Err(fault.clone());
                }
            }
        }
        Ok(())
    }

    /// The values that the request wants besides.
    fn expressions(&mut self, request: &ExecuteRequest) -> HashMap<String, ExpressionResult> {
        let wanted = request.user_expressions.iter().flatten();
        let value = |(name, text): (&String, &String)| {
            let value = self.session.engine().evaluate(text);
            let shown = value.and_then(|value| {
                let shown = Shown::Value(value);
                Ok(self.forms(&shown)?.unwrap_or_default())
            });
            let result = match shown {
                Ok(data) => ExpressionResult::Ok {
                    data,
                    metadata: Default::default(),
                },
                Err(fault) => {
                    let error = told(&fault);
                    ExpressionResult::Error {
                        ename: error.ename,
                        evalue: error.evalue,
                        traceback: error.traceback,
                    }
                }
            };
            (name.clone(), result)
        };
        wanted.map(value).collect()
    }
}

/// How the last statement of a cell shows its value.
struct Last<'a> {
    message: &'a JupyterMessage,
    count: ExecutionCount,
    silent: bool,
}

/// An error as front ends show it: its code, its message, and the lines with the caret in colours.
fn told(fault: &Fault) -> ReplyError {
    let mut fault = fault.clone();
    let fault = &mut fault;
    let more = fault.notes.len().saturating_sub(MOST_NOTES);
    fault.notes.truncate(MOST_NOTES);
    if more > 0 {
        fault.notes.push(format!("and {more} more"));
    }
    let texts = fault.notes.iter_mut().chain(&mut fault.help);
    for text in texts.chain([&mut fault.message, &mut fault.label]) {
        if text.len() > LONGEST {
            text.truncate(floor(text, LONGEST));
            text.push('…');
        }
    }
    let text = notebook(fault, WIDTH);
    ReplyError {
        ename: fault.code.name().to_string(),
        evalue: fault.message.clone(),
        // Notebooks keep what is shown, and may be passed on.
        traceback: text.lines().map(mask_text).collect(),
    }
}
