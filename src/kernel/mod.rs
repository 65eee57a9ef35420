//! The Jupyter kernel: cells of a notebook run in a session of the shell, and show what comes of them.

mod answers;
mod cell;
mod channels;
mod history;
mod install;
mod languages;
pub mod notebook;
mod relay;
pub mod rich;
mod stream;
#[cfg(test)]
mod tests;

pub use install::{NAME, Place, install};

use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::engine::Engine;
use crate::eval::Notes;
use crate::input::read_text;
use crate::shell::magic::Cells;
use crate::shell::{Mode, Session};
use crate::world::Terminal;
use channels::{Came, Interrupt, Out};
use crossbeam_channel::Receiver;
use history::History;
use jupyter_protocol::{
    ConnectionInfo, ExecuteReply, ExecutionCount, JupyterMessage, JupyterMessageContent,
    ReplyStatus, ShutdownReply, Status,
};
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use stream::Stream;

/// The columns of texts.
const COLUMNS: usize = 100;
/// The lines of texts.
const LINES: usize = 60;

/// A kernel at work.
pub struct Kernel {
    session: Session,
    out: Out,
    stream: Stream,
    interrupt: Interrupt,
    came: Receiver<Came>,
    /// What came while cells behind a failed one were given up.
    waiting: VecDeque<Came>,
    history: History,
    count: usize,
    /// The request that is answered now, for those who want to ask its sender.
    current: Arc<Mutex<Option<JupyterMessage>>>,
    /// The requests that waited behind a cell that has failed; its cells shall not run.
    behind: Vec<Came>,
    /// Set when a cell wants the kernel to end.
    ended: bool,
}

/// Serves the front ends of a connection file until one of them ends it, or whoever started it is gone.
///
/// `history` is the file that keeps cells from session to session. Errors: E0403 and E0401 for the connection file, E0404
/// when its addresses cannot be had.
pub fn run(engine: &Engine, connection: &Path, history: Option<PathBuf>) -> Outcome<()> {
    // Texts are for front ends, which are no terminals, wherever the kernel itself was started.
    colored::control::set_override(false);
    let text = read_text(connection)?;
    let info: ConnectionInfo = serde_json::from_str(&text).map_err(|error| {
        let text = format!("{} is no connection file: {error}", connection.display());
        Diagnostic::new(Code::BadLine, text)
            .help("jupyter console --kernel stellar writes one and starts the kernel")
    })?;
    if !info.key.is_empty() && info.signature_scheme != "hmac-sha256" {
        let text = format!(
            "{} wants signatures of the kind {}, and only hmac-sha256 is known",
            connection.display(),
            info.signature_scheme
        );
        return Err(Diagnostic::new(Code::BadLine, text));
    }
    let interrupt = Interrupt {
        cancel: engine.context.cancel.clone(),
        running: Arc::new(AtomicBool::new(false)),
    };
    // Ctrl-C at the terminal of a front end comes here too. Every cell begins with the flag taken back.
    let interrupted = signal_hook::consts::SIGINT;
    signal_hook::flag::register(interrupted, interrupt.cancel.clone()).map_err(|error| {
        let text = format!("SIGINT cannot be listened to: {error}");
        Diagnostic::new(Code::Internal, text)
    })?;
    let id = answers::identifier();
    let channels = channels::open(&info, &id, &interrupt)?;
    let session = Session::new(engine);
    let stream = Stream::new(&channels.out)?;
    let own = stream.clone();
    // What functions say is shown while the cell runs.
    session.provide(Arc::new(Notes::heard_by(move |note| {
        own.note(&format!("note: {note}"));
    })));
    session.provide(Arc::new(Cells(languages::CELLS)));
    session.set_mode(Mode::Table);
    session.set_window(Some((COLUMNS, LINES)));
    let current = Arc::new(Mutex::new(None));
    let asking = Asking {
        stream: stream.clone(),
        out: channels.out.clone(),
        answers: channels.answers.clone(),
        current: current.clone(),
        cancel: interrupt.cancel.clone(),
    };
    session.provide(Arc::new(Terminal::Ask(Box::new(move |text| {
        asking.ask(text)
    }))));
    let mut kernel = Kernel {
        session,
        out: channels.out.clone(),
        stream,
        interrupt,
        came: channels.came.clone(),
        waiting: VecDeque::new(),
        history: History::open(history),
        count: 0,
        current,
        behind: Vec::new(),
        ended: false,
    };
    kernel.startup();
    kernel.serve();
    drop(kernel);
    channels.close();
    Ok(())
}

/// How a function asks the user for a text.
struct Asking {
    stream: Stream,
    out: Out,
    answers: Receiver<String>,
    current: Arc<Mutex<Option<JupyterMessage>>>,
    cancel: Arc<AtomicBool>,
}

impl Asking {
    fn ask(&self, text: &str) -> Result<String, String> {
        let current = self.current.lock().clone();
        let Some(parent) = current else {
            return Err("no cell runs".to_string());
        };
        if let JupyterMessageContent::ExecuteRequest(request) = &parent.content
            && !request.allow_stdin
        {
            return Err("this front end takes no input".to_string());
        }
        // What was printed before stands above the question.
        self.stream.flush();
        // An answer to an earlier question that was given up is not meant.
        while self.answers.try_recv().is_ok() {}
        let prompt = match text {
            "" => "text: ".to_string(),
            text => format!("text (empty keeps {text:?}): "),
        };
        self.out.ask(
            jupyter_protocol::InputRequest {
                prompt,
                password: false,
            },
            &parent,
        );
        loop {
            match self.answers.recv_timeout(Duration::from_millis(20)) {
                Ok(answer) if answer.is_empty() => return Ok(text.to_string()),
                Ok(answer) => return Ok(answer),
                Err(crossbeam_channel::RecvTimeoutError::Timeout) => {
                    if self.cancel.load(Ordering::Relaxed) {
                        return Err("it was interrupted".to_string());
                    }
                }
                Err(crossbeam_channel::RecvTimeoutError::Disconnected) => {
                    return Err("the front end is gone".to_string());
                }
            }
        }
    }
}

impl Kernel {
    /// Runs the statements that the configuration wants first; what they show is not shown.
    fn startup(&mut self) {
        for text in self.session.engine().config.shell.startup.clone() {
            if let Err(fault) = self.session.run_text(&text) {
                tracing::warn!("shell.startup: {}", fault.message);
            }
        }
    }

    fn serve(&mut self) {
        while !self.ended {
            let next = self
                .waiting
                .pop_front()
                .map_or_else(|| self.came.recv(), Ok);
            let Ok(came) = next else { return };
            match came {
                Came::Shell(message) => self.answer(&message, false),
                Came::Control(message) => self.answer(&message, true),
                Came::Shutdown(message) => {
                    self.out.publish(Status::busy(), &message);
                    let restart = match &message.content {
                        JupyterMessageContent::ShutdownRequest(request) => request.restart,
                        _ => false,
                    };
                    let reply = ShutdownReply {
                        restart,
                        ..ShutdownReply::default()
                    };
                    // All front ends want to know that the kernel ends.
                    self.out.publish(reply.clone(), &message);
                    self.out.reply_control(reply, &message);
                    self.out.publish(Status::idle(), &message);
                    return;
                }
                Came::Orphaned => return,
            }
        }
    }

    /// Answers a request, between the words that the kernel is busy and idle.
    fn answer(&mut self, message: &JupyterMessage, control: bool) {
        self.out.publish(Status::busy(), message);
        let answer = self.answer_to(message);
        match answer {
            Some(content) if control => self.out.reply_control(content, message),
            Some(content) => self.out.reply(content, message),
            None => {}
        }
        self.out.publish(Status::idle(), message);
        self.give_up();
    }

    /// Gives up the cells that waited behind one that failed.
    fn give_up(&mut self) {
        for came in std::mem::take(&mut self.behind) {
            match came {
                Came::Shell(message)
                    if matches!(message.content, JupyterMessageContent::ExecuteRequest(_)) =>
                {
                    self.out.publish(Status::busy(), &message);
                    let reply = ExecuteReply {
                        status: ReplyStatus::Aborted,
                        execution_count: ExecutionCount::new(self.count),
                        user_expressions: Some(Default::default()),
                        ..ExecuteReply::default()
                    };
                    self.out.reply(reply, &message);
                    self.out.publish(Status::idle(), &message);
                }
                other => self.waiting.push_back(other),
            }
        }
    }
}
