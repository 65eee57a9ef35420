//! A cell: its statements one after the other, and what is shown of them.

use super::stream::Stream;
use super::{Kernel, languages, rich};
use crate::diagnostic::{Code, Fault, Source, brief, plain, terminal};
use crate::shell::Shown;
use crate::syntax::{Statement, statements};
use jupyter_protocol::{
    DisplayData, ErrorOutput, ExecuteInput, ExecuteReply, ExecuteRequest, ExecuteResult,
    ExecutionCount, ExpressionResult, JupyterMessage, Media, MediaType, Payload, ReplyError,
    ReplyStatus, Transient,
};
use std::collections::HashMap;
use std::sync::atomic::Ordering;

/// The columns of an error's text.
const WIDTH: usize = 100;

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
        *self.current.lock() = Some(message.clone());
        self.interrupt.cancel.store(false, Ordering::SeqCst);
        self.interrupt.running.store(true, Ordering::SeqCst);
        let failed = self.cell(request, message, count).err();
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
            self.failed = request.stop_on_error;
        }
        reply
    }

    fn cell(
        &mut self,
        request: &ExecuteRequest,
        message: &JupyterMessage,
        count: ExecutionCount,
    ) -> Result<(), Fault> {
        let out = self.out.clone();
        let mut show = Showing {
            stream: Stream::new(&out, message),
            out: &out,
            message,
            silent: request.silent,
        };
        if languages::is_other(&request.code) {
            let told = languages::run(&self.session, &request.code);
            for note in self.session.notes() {
                show.note(&format!("note: {note}"));
            }
            let result = told.and_then(|told| {
                if let Some(picture) = told.picture {
                    show.display(Media::new(vec![MediaType::Svg(picture)]));
                }
                self.present(&told.shown, Some(count), &mut show)
            });
            show.stream.end();
            return result;
        }
        let source = Source::expression(request.code.as_str());
        let all = statements(&source);
        let mut result = Ok(());
        for (index, statement) in all.iter().enumerate() {
            let last = index + 1 == all.len();
            result = self.statement(statement, last.then_some(count), &mut show);
            if result.is_err() || self.ended {
                break;
            }
        }
        show.stream.end();
        result
    }

    fn statement(
        &mut self,
        statement: &Statement,
        last: Option<ExecutionCount>,
        show: &mut Showing<'_>,
    ) -> Result<(), Fault> {
        let remarks = self.session.remarks(statement);
        let shown = self
            .session
            .engine()
            .context
            .check_cancelled()
            .and_then(|()| self.session.run(statement));
        for remark in remarks {
            if shown.is_ok() || remark.code != Code::AlwaysFails {
                show.note(&brief(&remark));
            }
        }
        for note in self.session.notes() {
            show.note(&format!("note: {note}"));
        }
        self.present(&shown?, last, show)
    }

    /// Shows what a statement gave: the value of the last one as the result of the cell, pages and pictures as they come.
    fn present(
        &mut self,
        shown: &Shown,
        last: Option<ExecutionCount>,
        show: &mut Showing<'_>,
    ) -> Result<(), Fault> {
        match shown {
            Shown::Quit => self.ended = true,
            Shown::Done(note) => {
                if let Some(note) = note {
                    show.note(&format!("note: {note}"));
                }
            }
            Shown::Value(_) | Shown::Whole(_) => {
                let (Some(count), false) = (last, show.silent) else {
                    return Ok(());
                };
                if let Some(data) = self.forms(shown)? {
                    show.stream.flush();
                    let mut result = ExecuteResult::new(count, data);
                    // Left out it would be null, which the protocol does not know.
                    result.transient = Some(Transient::default());
                    show.out.publish(result, show.message);
                }
            }
            Shown::Page(..) => {
                if let Some(data) = self.forms(shown)? {
                    show.display(data);
                }
            }
            Shown::Several(all, fault) => {
                for one in all {
                    self.print(one, show)?;
                }
                if let Some(fault) = fault {
                    return Err(fault.clone());
                }
            }
        }
        Ok(())
    }

    /// A result in all forms that it has.
    pub(super) fn forms(&self, shown: &Shown) -> Result<Option<Media>, Fault> {
        let zone = &self.session.engine().context.zone;
        rich::bundle(shown, self.session.look(), zone)
    }

    /// Prints what a statement of a loaded script gave, as the shell does.
    fn print(&mut self, shown: &Shown, show: &mut Showing<'_>) -> Result<(), Fault> {
        match shown {
            Shown::Value(_) | Shown::Whole(_) => {
                if let Some(text) = shown.print_as(self.session.look())?
                    && !show.silent
                {
                    show.stream.line(&text);
                }
                self.session.engine().context.check_cancelled()
            }
            other => self.present(other, None, show),
        }
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

/// Where a cell shows what it shows.
struct Showing<'a> {
    stream: Stream<'a>,
    out: &'a super::channels::Out,
    message: &'a JupyterMessage,
    silent: bool,
}

impl Showing<'_> {
    fn note(&mut self, text: &str) {
        if !self.silent {
            self.stream.note(text);
        }
    }

    fn display(&mut self, data: Media) {
        if !self.silent {
            self.stream.flush();
            self.out.publish(DisplayData::new(data), self.message);
        }
    }
}

/// An error as front ends show it: its code, its message, and the lines with the caret in colours.
fn told(fault: &Fault) -> ReplyError {
    let text = terminal(fault, WIDTH, true);
    ReplyError {
        ename: fault.code.name().to_string(),
        evalue: match text.is_empty() {
            true => plain(fault),
            false => fault.message.clone(),
        },
        traceback: text.lines().map(str::to_string).collect(),
    }
}
