//! Why something about a task is refused: Devo's number beside what is wrong.

use crate::diagnostic::{Code, Diagnostic, Fault};

/// The numbers that stand in the field `status` of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Number {
    /// The request is wrong.
    Invalid = 1,
    /// There is no such task.
    NotFound = 100,
    /// The status of the task does not allow it.
    Status = 101,
    /// It cannot be removed from where it is kept.
    Remove = 102,
    /// That it stops cannot be kept.
    Stop = 103,
    /// That it starts cannot be kept.
    Restart = 104,
    /// The task does not run, so it cannot be stopped.
    NotRunning = 108,
}

/// Why something is refused.
#[derive(Debug, Clone)]
pub struct Denied {
    /// Its number in answers.
    pub number: Number,
    /// What is wrong.
    pub fault: Fault,
}

impl Denied {
    /// A refusal with a number.
    pub fn new(number: Number, message: impl Into<String>) -> Denied {
        Denied {
            number,
            fault: Diagnostic::new(Code::BadTask, message),
        }
    }

    /// A request that is wrong.
    pub fn invalid(message: impl Into<String>) -> Denied {
        Denied::new(Number::Invalid, message)
    }

    /// Says what to do.
    pub fn help(mut self, text: impl Into<String>) -> Denied {
        self.fault.help.get_or_insert(text.into());
        self
    }

    /// There is no task with this identifier or name.
    pub(super) fn unknown(id: &str) -> Denied {
        Denied::new(
            Number::NotFound,
            format!("there is no collection task {id}"),
        )
        .help("stellar collect list shows all of them")
    }

    /// Gives a fault of the store a number.
    pub(super) fn of(number: Number) -> impl FnOnce(Fault) -> Denied {
        move |fault| Denied { number, fault }
    }
}

impl From<Fault> for Denied {
    fn from(fault: Fault) -> Denied {
        Denied {
            number: Number::Invalid,
            fault,
        }
    }
}
