//! Why the server gave no answer.

use crate::diagnostic::{Code, Diagnostic, Fault};
use ::redis::ServerError;

/// Why there is no answer.
#[derive(Debug, Clone)]
pub(super) enum Failure {
    /// The connection is gone, or never was there.
    Lost(String),
    /// The server is there and cannot answer now: it loads its data, or looks for its master.
    Busy(String),
    /// The server answers with an error, or lets nobody in.
    Refused(String),
    /// Time is up (E0306), or it was interrupted (E0307).
    Fault(Fault),
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Failure {
        Failure::Fault(fault)
    }
}

impl Failure {
    /// What the server says.
    pub fn server(error: &ServerError) -> Failure {
        let text = match error.details() {
            Some(details) => format!("{} {details}", error.code()),
            None => error.code().to_string(),
        };
        match error.code() {
            "LOADING" | "BUSY" | "TRYAGAIN" | "CLUSTERDOWN" | "MASTERDOWN" => Failure::Busy(text),
            _ => Failure::Refused(text),
        }
    }

    /// About a connection that was not made.
    pub fn at(self, place: &str) -> Failure {
        match self {
            Failure::Lost(why) => Failure::Lost(format!("{place} does not answer: {why}")),
            Failure::Busy(why) => Failure::Busy(format!("{place} is not ready: {why}")),
            Failure::Refused(why) => Failure::Refused(format!("{place} refuses: {why}")),
            fault => fault,
        }
    }

    /// Whether it may pass.
    pub fn may_pass(&self) -> bool {
        matches!(self, Failure::Lost(_) | Failure::Busy(_))
    }

    /// About a request on a connection.
    pub fn said(self, place: &str) -> Failure {
        match self {
            Failure::Lost(why) => {
                Failure::Lost(format!("the connection to {place} is lost: {why}"))
            }
            Failure::Busy(why) => Failure::Busy(format!("{place} is not ready: {why}")),
            Failure::Refused(why) => Failure::Refused(format!("{place} fails: {why}")),
            fault => fault,
        }
    }

    /// As people read it: E0604, or what ended the call.
    pub fn fault(self) -> Fault {
        let why = match self {
            Failure::Fault(fault) => return fault,
            Failure::Lost(why) | Failure::Busy(why) | Failure::Refused(why) => why,
        };
        let hint = match why.as_str() {
            why if why.contains("NOAUTH") => {
                Some("put the password into the address: redis://:${NAME}@host:6379/0")
            }
            why if why.contains("MOVED") => {
                Some("the address must be that of the node that holds the keys")
            }
            why if why.contains("OOM") => {
                Some("Redis has no more memory: raise its maxmemory, or let entries expire sooner")
            }
            _ => None,
        };
        let fault = Diagnostic::new(Code::ServerFailed, why);
        match hint {
            Some(hint) => fault.help(hint),
            None => fault,
        }
    }
}
