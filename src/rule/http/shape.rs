//! Answers and refusals as the API of rules shapes them.

use crate::diagnostic::{Code, Fault};
use crate::rule::model::{Reason, Refusal};
use crate::store::serve::{Answer, Asked};
use serde_json::{Value as Json, json};

/// Why a call is not answered.
#[derive(Debug)]
pub enum Denied {
    /// The request is wrong.
    Refused(Refusal),
    /// The program or its store failed.
    Failed(Fault),
}

impl From<Refusal> for Denied {
    fn from(refusal: Refusal) -> Denied {
        Denied::Refused(refusal)
    }
}

impl From<Fault> for Denied {
    fn from(fault: Fault) -> Denied {
        Denied::Failed(fault)
    }
}

/// The texts of statuses.
fn phrase(status: u16) -> &'static str {
    match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        413 => "Content Too Large",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Internal Server Error",
    }
}

/// A refusal of the server, in the form of the API.
pub fn refuse(status: u16, _id: &str, message: &str) -> Answer {
    let error = phrase(status);
    let body = match status {
        // What went wrong inside is for the log.
        500 => json!({"error": error, "error_code": status}),
        400 | 413 => {
            let fields = json!([{"path": "", "reason": message}]);
            json!({"error": error, "error_code": status, "extra": {"fields": fields}})
        }
        _ => json!({"error": error, "error_code": status, "extra": {"reason": message}}),
    };
    Answer::json(status, &body)
}

/// The answer to a call that is denied, and why in words, for the log.
pub fn denied(asked: &Asked, denied: &Denied) -> (Answer, String) {
    let fault = match denied {
        Denied::Refused(refusal) => {
            let answer = Answer::json(refusal.status(), &refusal.to_json());
            return (answer, refusal.to_string());
        }
        Denied::Failed(fault) => fault,
    };
    let refuse = |status, message: &str| refuse(status, &asked.id, message);
    let answer = match fault.code {
        Code::Timeout => refuse(504, "this took longer than allowed"),
        Code::Interrupted => refuse(503, "the server ends; try again").with("retry-after", "1"),
        _ => refuse(500, ""),
    };
    (answer, fault.message.clone())
}

/// A failure as a reason about a place: what is wrong, where, and what helps.
pub fn reason(path: &str, fault: &Fault) -> Reason {
    Reason::new(path, fault.in_one_line())
}

/// A refusal for what the caller gave: `fault` says what is wrong with it.
pub fn bad(path: &str, fault: &Fault) -> Denied {
    Refusal::Bad(vec![reason(path, fault)]).into()
}

/// What a store says of values that it does not take is the caller's fault.
pub fn unless_given(path: &str, fault: Fault) -> Denied {
    match fault.code {
        Code::ArgumentValue | Code::CollectionSize => bad(path, &fault),
        _ => fault.into(),
    }
}

/// A good answer.
pub fn good(status: u16, body: &Json) -> Answer {
    Answer::json(status, body)
}
