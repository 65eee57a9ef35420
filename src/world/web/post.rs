//! Posting to one server that the operator has named, for outputs.

use super::client::{Asked, Client, Trouble};
use super::parse_url;
use super::permit::Permit;
use crate::config::mask_text;
use crate::diagnostic::Outcome;
use crate::store::{Deadline, wait};
use http_body_util::BodyExt;
use hyper::body::{Bytes, Incoming};
use hyper::header::{HeaderMap, RETRY_AFTER};
use hyper::{Response, StatusCode};
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, SystemTime};
use url::Url;

/// How much of an answer is read.
const READ: usize = 4 << 10;

/// How much of its first line is told.
const TOLD: usize = 200;

/// How long the rest of an answer may take once its head is there.
const REST: Duration = Duration::from_secs(2);

/// Posts to one address.
pub struct Poster {
    client: Client,
    permit: Permit,
    asked: Asked,
    timeout: Duration,
    shown: String,
}

/// What a server says.
#[derive(Debug)]
pub struct Reply {
    /// The status code.
    pub status: StatusCode,
    /// How long it wants to be left alone.
    pub retry_after: Option<Duration>,
    /// The first line of the body.
    pub line: String,
}

impl Poster {
    /// For an address, with headers that count above the usual ones. `roots` is a file of authorities for TLS, else
    /// those of this machine count. Errors: the address is none, in words.
    pub fn new(
        url: &str,
        headers: HeaderMap,
        timeout: Duration,
        roots: Option<PathBuf>,
    ) -> Result<Poster, String> {
        let url: Url = parse_url(url)?;
        let host = url.host_str().unwrap_or_default();
        let permit = Permit::only(host.trim_matches(['[', ']']));
        let shown = mask_text(url.as_str());
        Ok(Poster {
            client: Client::with_roots(roots),
            permit,
            asked: Asked {
                credentials: super::credentials(&url),
                url: super::anonymous(url),
                body: None,
                headers,
                proxy: None,
                connect_timeout: Some(timeout),
                lease_timeout: None,
                socket_timeout: None,
                most: 4,
                most_per_route: 4,
                longest: READ,
            },
            timeout,
            shown,
        })
    }

    /// The address, without secrets.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// Posts a body and waits for the answer. The inner error: there was none, and whether the body arrived is not
    /// known. What comes behind the head of an answer is of no importance. Errors: E0307.
    pub fn post(&self, body: Bytes, cancel: &AtomicBool) -> Outcome<Result<Reply, String>> {
        let asked = Asked {
            body: Some(body),
            ..self.asked.clone()
        };
        let work = async {
            let begun = self.client.begin(&self.permit, &asked);
            let begun = tokio::time::timeout(self.timeout, begun).await;
            let (lease, sender, response) = match begun {
                Ok(Ok(begun)) => begun,
                Ok(Err(Trouble::Failed(reason))) => return Err(reason),
                Ok(Err(Trouble::Forbidden(fault))) => return Err(fault.message),
                Err(_) => {
                    let millis = self.timeout.as_millis();
                    return Err(format!("no answer within {millis} ms"));
                }
            };
            let status = response.status();
            let retry_after = retry_after(response.headers());
            let rest = tokio::time::timeout(REST, rest(response)).await;
            let (text, whole) = rest.unwrap_or_default();
            if whole {
                lease.keep(sender);
            }
            let line = text.lines().next().unwrap_or_default().trim();
            Ok(Reply {
                status,
                retry_after,
                line: line.chars().take(TOLD).collect(),
            })
        };
        wait(work, Deadline::NONE, cancel)
    }
}

/// The beginning of a body, and whether that is all.
async fn rest(response: Response<Incoming>) -> (String, bool) {
    let mut body = response.into_body();
    let mut bytes = Vec::new();
    let whole = loop {
        match body.frame().await {
            None => break true,
            Some(Err(_)) => break false,
            Some(Ok(frame)) => {
                if let Some(data) = frame.data_ref() {
                    bytes.extend_from_slice(data);
                }
                if bytes.len() > READ {
                    break false;
                }
            }
        }
    };
    (String::from_utf8_lossy(&bytes).into_owned(), whole)
}

/// Seconds, or a moment.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u32>() {
        return Some(Duration::from_secs(u64::from(seconds)));
    }
    let moment = chrono::DateTime::parse_from_rfc2822(text).ok()?;
    let moment = SystemTime::from(moment);
    Some(moment.duration_since(SystemTime::now()).unwrap_or_default())
}
