//! Why the server gave no answer.

use crate::diagnostic::{Code, Diagnostic, Fault};
use std::error::Error as _;
use tokio_postgres::Error;

/// What a statement gives.
pub type Answer<T> = Result<T, Failure>;

/// What sort of failure it is, by the classes of SQLSTATE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A value does not fit (class 22).
    Data,
    /// A constraint does not hold (class 23).
    Integrity,
    /// The connection is gone or never was there (class 08, 57P, input and output).
    Connection,
    /// Another transaction was in the way: a deadlock or a serialisation failure (40001, 40P01).
    Conflict,
    /// What was prepared fits the tables no more.
    Stale,
    /// The server lets nobody in with this name, password or database (class 28, 3D).
    Refused,
    /// Anything else.
    Other,
}

/// What the server, or the way to it, says.
#[derive(Debug, Clone)]
pub struct Report {
    /// The sort.
    pub kind: Kind,
    /// The five characters of SQLSTATE; empty when the server said nothing.
    pub state: String,
    /// The message.
    pub message: String,
    /// What the server adds to it.
    pub detail: Option<String>,
    /// What the server advises.
    pub hint: Option<String>,
}

/// Why there is no answer.
#[derive(Debug)]
pub enum Failure {
    /// The server, or the way to it, reports.
    Server(Box<Report>),
    /// Something in the program: time is up (E0306), interrupted (E0307), wrong configuration.
    Fault(Fault),
    /// What a room has already put into its own words.
    Worded(Kind, Fault),
}

impl Failure {
    /// A failure that the server did not report itself.
    pub fn new(kind: Kind, message: impl Into<String>) -> Failure {
        Failure::Server(Box::new(Report {
            kind,
            state: String::new(),
            message: message.into(),
            detail: None,
            hint: None,
        }))
    }

    /// About a connection that was not made.
    pub(super) fn at(self, place: &str) -> Failure {
        match self {
            Failure::Server(mut report) => {
                report.message = match report.state.as_str() {
                    "" => format!("{place} does not answer: {}", report.message),
                    _ => format!("{place} refuses: {}", report.message),
                };
                // Whatever the words are, there is no connection.
                if report.kind == Kind::Other && report.state.is_empty() {
                    report.kind = Kind::Connection;
                }
                Failure::Server(report)
            }
            fault => fault,
        }
    }

    /// The sort of failure, if the server reports it.
    pub fn kind(&self) -> Option<Kind> {
        match self {
            Failure::Server(report) => Some(report.kind),
            Failure::Worded(kind, _) => Some(*kind),
            Failure::Fault(_) => None,
        }
    }

    /// SQLSTATE; empty when the server said nothing.
    pub fn state(&self) -> &str {
        self.report().map_or("", |report| &report.state)
    }

    /// What the server says.
    pub fn report(&self) -> Option<&Report> {
        match self {
            Failure::Server(report) => Some(report),
            Failure::Fault(_) | Failure::Worded(..) => None,
        }
    }

    /// A diagnostic, with the code that `code` gives this kind of failure.
    pub fn into_fault(self, code: impl FnOnce(Kind) -> Code) -> Fault {
        let report = match self {
            Failure::Fault(fault) | Failure::Worded(_, fault) => return fault,
            Failure::Server(report) => *report,
        };
        let mut fault = Diagnostic::new(code(report.kind), report.message);
        if let Some(detail) = report.detail {
            fault = fault.note(detail);
        }
        match report.hint {
            Some(hint) => fault.help(hint),
            None => fault,
        }
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Failure {
        Failure::Fault(fault)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        if let Some(said) = error.as_db_error() {
            let state = said.code().code();
            return Failure::Server(Box::new(Report {
                kind: kind(state, said.message()),
                state: state.to_string(),
                message: said.message().to_string(),
                detail: said.detail().map(String::from),
                hint: said.hint().map(String::from),
            }));
        }
        let source = error.source();
        let broken = error.is_closed() || source.is_some_and(|s| s.is::<std::io::Error>());
        let message = match source {
            Some(source) => format!("{error}: {source}").replace(&format!(": {source}: "), ": "),
            None => error.to_string(),
        };
        // What cannot be put into its binary form is wrong data; the driver tells this by its words only.
        let kind = if broken {
            Kind::Connection
        } else if message.starts_with("error serializing parameter") {
            Kind::Data
        } else {
            Kind::Other
        };
        Failure::new(kind, message)
    }
}

fn kind(state: &str, message: &str) -> Kind {
    match state {
        "40001" | "40P01" => Kind::Conflict,
        "26000" => Kind::Stale,
        // The same state stands for all that the server has no way to do.
        "0A000" if message.contains("cached plan") => Kind::Stale,
        _ if state.starts_with("22") => Kind::Data,
        _ if state.starts_with("23") => Kind::Integrity,
        _ if state.starts_with("28") || state == "3D000" => Kind::Refused,
        _ if state.starts_with("08") || state.starts_with("57P") => Kind::Connection,
        _ => Kind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_become_kinds() {
        for (state, expected) in [
            ("22001", Kind::Data),
            ("22P02", Kind::Data),
            ("23505", Kind::Integrity),
            ("23502", Kind::Integrity),
            ("08006", Kind::Connection),
            ("57P01", Kind::Connection),
            ("57014", Kind::Other),
            ("40P01", Kind::Conflict),
            ("40001", Kind::Conflict),
            ("40002", Kind::Other),
            ("28P01", Kind::Refused),
            ("3D000", Kind::Refused),
            ("26000", Kind::Stale),
            ("0A000", Kind::Other),
            ("42P01", Kind::Other),
        ] {
            assert_eq!(kind(state, "words"), expected, "{state}");
        }
        let plan = "cached plan must not change result type";
        assert_eq!(kind("0A000", plan), Kind::Stale);
    }

    #[test]
    fn a_report_keeps_its_words() {
        let failure = Failure::Server(Box::new(Report {
            kind: Kind::Integrity,
            state: "23505".to_string(),
            message: "twice".to_string(),
            detail: Some("the key".to_string()),
            hint: Some("do not".to_string()),
        }));
        let fault = failure.into_fault(|kind| match kind {
            Kind::Integrity => Code::DamagedValue,
            _ => Code::Internal,
        });
        assert_eq!(
            (fault.code, fault.message.as_str()),
            (Code::DamagedValue, "twice")
        );
        assert_eq!(fault.notes, ["the key"]);
        assert_eq!(fault.help.as_deref(), Some("do not"));
        let stopped = Failure::from(Diagnostic::new(Code::Timeout, "late"));
        assert_eq!(stopped.into_fault(|_| Code::Internal).code, Code::Timeout);
    }
}
