//! Why a request is refused.

use serde_json::{Value as Json, json};

/// How many reasons an answer tells.
const REASONS: usize = 50;

/// What is wrong with a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// Where it stands, such as `settings.max_alerts`; empty for the whole body.
    pub path: String,
    /// What was expected and what was found.
    pub reason: String,
}

impl Reason {
    /// A reason about a place.
    pub fn new(path: impl Into<String>, reason: impl Into<String>) -> Reason {
        Reason {
            path: path.into(),
            reason: reason.into(),
        }
    }
}

/// Why a request is refused. Nothing of it was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// 400: fields are missing or wrong.
    Bad(Vec<Reason>),
    /// 409: these fields have values that another one has already.
    Taken(Vec<&'static str>),
    /// 404: there is no such thing.
    Missing(String),
    /// 403: the caller may not do that.
    Forbidden(String),
}

impl Refusal {
    /// 400 for one reason.
    pub fn bad(path: impl Into<String>, reason: impl Into<String>) -> Refusal {
        Refusal::Bad(vec![Reason::new(path, reason)])
    }

    /// The status of the answer.
    pub fn status(&self) -> u16 {
        match self {
            Refusal::Bad(_) => 400,
            Refusal::Forbidden(_) => 403,
            Refusal::Missing(_) => 404,
            Refusal::Taken(_) => 409,
        }
    }

    /// The body of the answer.
    pub fn to_json(&self) -> Json {
        let (error, extra) = match self {
            Refusal::Bad(reasons) => {
                let shown = reasons.iter().take(REASONS);
                let fields: Vec<Json> = shown
                    .map(|one| json!({"path": one.path, "reason": one.reason}))
                    .collect();
                ("Bad Request", json!({"fields": fields}))
            }
            Refusal::Taken(fields) => ("name_already_used", json!({"fields": fields})),
            Refusal::Missing(reason) => ("Not Found", json!({"reason": reason})),
            Refusal::Forbidden(reason) => ("Forbidden", json!({"reason": reason})),
        };
        json!({"error": error, "error_code": self.status(), "extra": extra})
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Refusal::Bad(reasons) => {
                for (number, one) in reasons.iter().take(REASONS).enumerate() {
                    let sign = if number == 0 { "" } else { "; " };
                    match one.path.as_str() {
                        "" => write!(f, "{sign}{}", one.reason)?,
                        path => write!(f, "{sign}{path}: {}", one.reason)?,
                    }
                }
                Ok(())
            }
            Refusal::Taken(fields) => write!(f, "already used: {}", fields.join(", ")),
            Refusal::Missing(reason) | Refusal::Forbidden(reason) => f.write_str(reason),
        }
    }
}
