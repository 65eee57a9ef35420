//! What stands behind the question mark, and lists in pages.

use super::job::{Done, Job};
use super::shape::good;
use crate::diagnostic::{Outcome, nearest};
use crate::rule::model::{Reason, Refusal};
use crate::rule::store::Page;
use crate::store::serve::Answer;
use serde_json::{Value as Json, json};

/// How many things an answer has unless the caller says otherwise, and at most.
pub const USUAL: i64 = 100;
/// See [`USUAL`].
pub const MOST: i64 = 1000;
/// A list ends early when it has so many bytes; the caller goes on at `next`.
const BYTES: usize = 16 << 20;
/// So many are taken from the store at first, and at once at most.
const FIRST: i64 = 4;
/// See [`FIRST`].
const AT_ONCE: i64 = 256;
/// Things above this size are taken by few.
const LARGE: usize = 32 << 10;

/// Reads what stands behind the question mark; refuses what nobody knows.
pub struct Query<'a> {
    job: &'a Job<'a>,
    wrong: Vec<Reason>,
}

impl<'a> Query<'a> {
    /// What is asked for; only these names may stand there.
    pub fn new(job: &'a Job<'a>, names: &[&str]) -> Query<'a> {
        let mut wrong = Vec::new();
        let mut seen: Vec<&str> = Vec::new();
        for (name, _) in &job.asked.query {
            let shown: String = name.chars().take(100).collect();
            if seen.contains(&name.as_str()) {
                wrong.push(Reason::new(shown, "stands twice behind the question mark"));
                continue;
            }
            seen.push(name);
            if name != "trace_id" && !names.contains(&name.as_str()) {
                let mut text = "means nothing here".to_string();
                if let Some(near) = nearest(name, names.iter().copied()) {
                    text.push_str(&format!("; did you mean {near}?"));
                }
                wrong.push(Reason::new(shown, text));
            }
        }
        Query { job, wrong }
    }

    /// A text; empty when it is not given.
    pub fn text(&mut self, name: &str) -> String {
        let text = self.job.asked.value(name).unwrap_or_default();
        if text.contains('\0') {
            self.wrong.push(Reason::new(name, "holds a NUL character"));
        }
        text.to_owned()
    }

    /// A truth.
    pub fn flag(&mut self, name: &str) -> Option<bool> {
        match self.job.asked.value(name)? {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => {
                self.wrong.push(Reason::new(name, "must be true or false"));
                None
            }
        }
    }

    fn number(&mut self, name: &str, usual: i64, most: i64) -> i64 {
        let Some(text) = self.job.asked.value(name) else {
            return usual;
        };
        match text.parse() {
            Ok(number) if (0..=most).contains(&number) => number,
            _ => {
                let text = format!("must be a whole number from 0 to {most}");
                self.wrong.push(Reason::new(name, text));
                usual
            }
        }
    }

    /// The part of a list that is wanted: `offset` and `limit`.
    pub fn part(&mut self) -> (i64, i64) {
        let offset = self.number("offset", 0, i64::MAX);
        (offset, self.number("limit", USUAL, MOST))
    }

    /// Ends: everything that is wrong at once.
    pub fn end(self) -> Result<(), Refusal> {
        match self.wrong.is_empty() {
            true => Ok(()),
            false => Err(Refusal::Bad(self.wrong)),
        }
    }
}

/// A part of a list; `fetch` gives the things from an offset.
pub fn list<T>(
    job: &Job<'_>,
    (offset, limit): (i64, i64),
    fetch: impl Fn(i64, i64) -> Outcome<Page<T>>,
    show: impl Fn(&T) -> Json,
) -> Done {
    let mut items = String::from("[");
    let (mut count, mut total) = (0, 0);
    let mut at_once = FIRST;
    loop {
        job.go_on()?;
        let wanted = at_once.min(limit - count);
        let page = fetch(offset.saturating_add(count), wanted)?;
        total = page.total.max(total);
        let came = i64::try_from(page.items.len()).unwrap_or(i64::MAX);
        let before = items.len();
        for one in &page.items {
            if items.len() > 1 {
                items.push(',');
            }
            items.push_str(&show(one).to_string());
        }
        count += came;
        if count >= limit || came < wanted || items.len() > BYTES {
            break;
        }
        let each = (items.len() - before) / page.items.len().max(1);
        at_once = match each > LARGE {
            true => FIRST,
            false => (at_once * 2).min(AT_ONCE),
        };
    }
    items.push(']');
    let next = offset.saturating_add(count);
    let next = (next < total && limit > 0).then_some(next);
    let rest = json!({"total": total, "offset": offset, "limit": limit, "next": next}).to_string();
    let rest = rest.strip_prefix('{').unwrap_or_default();
    let body = format!("{{\"items\":{items},{rest}\n");
    Ok(Answer {
        body: body.into_bytes(),
        ..good(200, &Json::Null)
    })
}
