//! Events that clients post: `input_posted` takes them where the rules run.

use crate::diagnostic::Outcome;
use crate::pipeline::Record;
use crate::pipeline::actions::http_body::{BadBody, Content, records};
use crate::pipeline::spec::{
    ActionKind, ActionSpec, Build, ParameterKind, ParameterSpec, Parameters,
};
use crate::pipeline::step::{Feed, Input, Step, Token};
use crate::rule::http::refuse;
use crate::rule::model::Refusal;
use crate::store::proceed;
use crate::store::serve::{Answer, Asked};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TrySendError, bounded};
use serde_json::json;
use smol_str::SmolStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Only for the pipeline of a server.
pub const INPUT_POSTED: ActionSpec = ActionSpec {
    name: "input_posted",
    kind: ActionKind::Input,
    summary: "Feeds the events that clients post to the server.",
    details: "",
    parameters: &[ParameterSpec::required(
        "tag",
        ParameterKind::Text,
        "the tag of the events",
    )],
    examples: &[],
    make,
};

/// So many requests wait until there is room for their events.
const QUEUE: usize = 16;

/// How often the input looks whether it shall end.
const LOOK: Duration = Duration::from_millis(50);

/// When a client may try again, in seconds.
const RETRY_AFTER: &str = "1";

/// The way of posted events to the rules: a service.
pub struct Posted {
    sender: Sender<Batch>,
    batches: Receiver<Batch>,
    /// Whether rules are run here.
    open: AtomicBool,
}

impl Default for Posted {
    fn default() -> Posted {
        let (sender, batches) = bounded(QUEUE);
        Posted {
            sender,
            batches,
            open: AtomicBool::new(false),
        }
    }
}

/// The events of a request, and who waits for them to be taken.
struct Batch {
    records: Vec<Record>,
    taken: Sender<()>,
}

struct Door {
    posted: Arc<Posted>,
    tag: SmolStr,
}

fn make(parameters: &Parameters, build: &Build<'_>) -> Outcome<Step> {
    Ok(Step::Input(Box::new(Door {
        posted: build.context.services.get().unwrap_or_default(),
        tag: parameters.text_or("tag", ""),
    })))
}

impl Input for Door {
    fn run(&mut self, feed: &Feed) -> Outcome<()> {
        while !feed.stopped() {
            let Ok(batch) = self.posted.batches.recv_timeout(LOOK) else {
                continue;
            };
            let events = batch.records.into_iter();
            let events = events.map(|record| feed.event(&self.tag, record)).collect();
            let token = Arc::new(Waiting(batch.taken));
            if !feed.events(events, Some(token)) {
                break;
            }
        }
        Ok(())
    }
}

/// A client that waits.
struct Waiting(Sender<()>);

impl Token for Waiting {
    fn acknowledge(&self) {
        // The client may have gone.
        let _ = self.0.try_send(());
    }

    fn urgent(&self) -> bool {
        true
    }
}

impl Posted {
    /// From now on events are taken.
    pub fn open(&self) {
        self.open.store(true, Ordering::SeqCst);
    }

    /// From now on none are; those who wait in vain are told.
    pub fn close(&self) {
        self.open.store(false, Ordering::SeqCst);
        while self.batches.try_recv().is_ok() {}
    }

    /// Answers a request with events.
    pub fn take(&self, asked: &Asked) -> Answer {
        let records = match records(&asked.body, Content::of(&asked.kind)) {
            Ok(records) => records,
            Err(wrong) => return bad(wrong),
        };
        let count = records.len();
        let done = || Answer::json(200, &json!({"events": count}));
        if count == 0 {
            return done();
        }
        if !self.open.load(Ordering::SeqCst) {
            let text = "no rules are run by this server";
            return unavailable(asked, text);
        }
        let (taken, answer) = bounded(1);
        match self.sender.try_send(Batch { records, taken }) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                let text = "the rules have too much to do; try again";
                return unavailable(asked, text);
            }
        }
        loop {
            match answer.recv_timeout(LOOK) {
                Ok(()) => return done(),
                Err(RecvTimeoutError::Disconnected) => {
                    let text = "the events were not taken: a sink or the store fails; try again";
                    return unavailable(asked, text);
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
            if proceed(asked.deadline, &asked.cancel).is_err() {
                let text = "the events were not taken in time; some of them may be later";
                return unavailable(asked, text);
            }
        }
    }
}

fn unavailable(asked: &Asked, reason: &str) -> Answer {
    refuse(503, &asked.id, reason).with("retry-after", RETRY_AFTER)
}

fn bad(bad: BadBody) -> Answer {
    let reason = match bad {
        BadBody::Wrong(reason, None) => reason,
        BadBody::Wrong(reason, Some((line, column))) => {
            format!("{reason} (line {line}, column {column})")
        }
        // Only what is packed can be these, and nothing is here.
        BadBody::TooLong | BadBody::Full => "the body is too long".to_owned(),
    };
    let refusal = Refusal::bad("", reason);
    Answer::json(refusal.status(), &refusal.to_json())
}
