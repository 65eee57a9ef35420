//! Queries and tasks over HTTP, in the shapes of Devo's API.

mod about;
mod jobs;
mod rows;
mod search;
mod shape;
mod wish;

use crate::config::Right;
use crate::eval::Context;
use crate::store::serve::{Endpoint, Method};

/// What collections offer over HTTP.
pub fn endpoints(context: &Context) -> Vec<Endpoint> {
    use Method::{Get, Post};
    use Right::{Admin, Read, Run, Write};
    let own = context.clone();
    let mut all = vec![
        Endpoint::new(
            Post,
            "/search/query",
            Read,
            "Answers a query with its rows; with a destination, makes a task.",
            move |asked| search::search(asked, &own),
        )
        .about(about::QUERY),
    ];
    let jobs: [(_, _, _, jobs::Job); 7] = [
        (
            "/search/jobs",
            Read,
            "Lists the tasks of the caller's domain.",
            jobs::list,
        ),
        (
            "/search/jobs/{type}",
            Read,
            "Lists those of a type.",
            jobs::list,
        ),
        (
            "/search/jobs/{type}/{name}",
            Read,
            "Lists those of a type whose names begin so.",
            jobs::list,
        ),
        ("/search/job/{id}", Read, "Shows a task.", jobs::show),
        ("/search/job/stop/{id}", Run, "Stops a task.", jobs::stop),
        (
            "/search/job/start/{id}",
            Run,
            "Starts a task again where it had got to.",
            jobs::start,
        ),
        (
            "/search/job/remove/{id}",
            Write,
            "Stops a task and forgets it.",
            jobs::remove,
        ),
    ];
    for (path, right, summary, job) in jobs {
        let own = context.clone();
        let answer = move |asked: &_| jobs::answer(asked, &own, job);
        let about = match path.contains("{id}") {
            true => about::ONE,
            false => about::LIST,
        };
        all.push(Endpoint::new(Get, path, right, summary, answer).about(about));
    }
    let own = context.clone();
    let admin = "Lists the tasks of all domains.";
    let answer = move |asked: &_| jobs::answer(asked, &own, jobs::all);
    all.push(Endpoint::new(Get, "/admin/tasks", Admin, admin, answer).about(about::ALL));
    all
}
