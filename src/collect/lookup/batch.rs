//! The questions of many events, asked together.

use super::cache::{Answer, Name, Want};
use super::{Collection, Collections};
use crate::collect::key::Key;
use crate::diagnostic::Outcome;
use crate::eval::{Asker, Context};
use parking_lot::Mutex;
use std::any::Any;
use std::collections::HashMap;
use std::sync::Arc;

/// A question.
#[derive(Clone)]
pub(super) struct Question {
    pub collection: Arc<Collection>,
    pub key: Key,
    pub want: Want,
}

impl Question {
    pub fn name(&self) -> Name {
        (self.collection.id, self.key.hash)
    }
}

/// What the events of a batch want to know.
pub(super) struct Batch {
    service: Arc<Collections>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    wanted: Vec<Question>,
    /// `None` until it is answered.
    answers: HashMap<(Name, Want), Option<Outcome<Answer>>, ahash::RandomState>,
}

impl Batch {
    pub fn new(service: &Arc<Collections>) -> Batch {
        Batch {
            service: service.clone(),
            state: Mutex::default(),
        }
    }

    /// The answer, if it is there; else the question is noted.
    pub fn look(&self, question: Question) -> Option<Outcome<Answer>> {
        let mut state = self.state.lock();
        let name = (question.name(), question.want);
        if let Some(answer) = state.answers.get(&name) {
            return answer.clone();
        }
        state.answers.insert(name, None);
        state.wanted.push(question);
        None
    }
}

impl Asker for Batch {
    fn ask(&self, context: &Context) {
        let wanted = std::mem::take(&mut self.state.lock().wanted);
        let answers = self.service.fetch(&wanted, context);
        let mut state = self.state.lock();
        match answers {
            Ok(answers) => {
                for (question, answer) in wanted.iter().zip(answers) {
                    let name = (question.name(), question.want);
                    state.answers.insert(name, Some(Ok(answer)));
                }
            }
            Err(fault) => {
                for question in &wanted {
                    let name = (question.name(), question.want);
                    state.answers.insert(name, Some(Err(fault.clone())));
                }
            }
        }
    }

    fn forget(&self) {
        *self.state.lock() = State::default();
    }

    fn any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }
}
