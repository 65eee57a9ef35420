//! Answers as Devo shapes them.

use crate::collect::task::{Denied, Number};
use crate::diagnostic::{Code, Diagnostic, Fault, json as fault_json};
use crate::store::serve::{Answer, Asked, timestamp};
use serde_json::{Value as Json, json};

/// What stands before the reason of a query that could not be answered.
const LAUNCHING: &str = "Error Launching Query";

/// A good answer with its object.
pub fn good(asked: &Asked, message: &str, object: &Json) -> Answer {
    let body = json!({
        "msg": message, "status": 0, "cid": asked.id.as_str(), "timestamp": timestamp(), "object": object,
    });
    Answer::json(200, &body)
}

/// The status of HTTP for a failure.
pub fn status(fault: &Diagnostic) -> u16 {
    match fault.code {
        Code::Timeout => 504,
        Code::Interrupted => 503,
        Code::ServerFailed | Code::StoreFailed | Code::StoreOpen => 502,
        Code::Internal | Code::CannotRead | Code::CannotWrite => 500,
        _ => 400,
    }
}

/// The number in the field `status`: 1 for what is wrong with the request, else the status of HTTP.
fn number(http: u16) -> u16 {
    if http == 400 { 1 } else { http }
}

/// The answer to a query that could not be answered.
pub fn failed(asked: &Asked, fault: &Fault) -> Answer {
    let http = status(fault);
    refused(asked, http, number(http), fault)
}

/// The answer to a request for a task that is refused.
pub fn denied(asked: &Asked, denied: &Denied) -> Answer {
    match denied.number {
        Number::Invalid => failed(asked, &denied.fault),
        number => refused(asked, 400, number as u16, &denied.fault),
    }
}

fn refused(asked: &Asked, http: u16, number: u16, fault: &Fault) -> Answer {
    let message = fault.in_one_line();
    let body = json!({
        "msg": message, "status": number, "cid": asked.id.as_str(), "timestamp": timestamp(),
        "object": [LAUNCHING, message, fault.code.name()], "error": fault_json(fault),
    });
    Answer::json(http, &body)
}

/// The answer of a job call that is refused. It is a good one for HTTP: clients of Devo do not read any other.
pub fn job_denied(asked: &Asked, denied: &Denied) -> Answer {
    let body = json!({
        "msg": denied.fault.in_one_line(), "status": denied.number as u16, "cid": asked.id.as_str(),
        "timestamp": timestamp(),
    });
    Answer::json(200, &body)
}
