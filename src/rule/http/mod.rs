//! The API that creates rules and what belongs to them, in the shapes of LogMule's.

mod about;
mod entities;
mod job;
mod page;
mod rows;
mod rules;
mod run;
mod schema;
mod shape;

pub use job::{Api, Call, Done, Job, answer};
pub use page::{Query, list};
pub use rules::missing;
pub use shape::{Denied, bad, good, reason, refuse};

use super::model::EntityKind;
use crate::config::Right;
use crate::eval::Context;
use crate::store::serve::{About, Endpoint, Method};
use std::sync::Arc;

/// A path as it is and behind the prefix of the platform that rules come from.
macro_rules! both {
    ($path:expr) => {
        [$path, concat!("/cruddy/v2", $path)]
    };
}

/// What the API of rules offers over HTTP. `strict` demands every field of a rule that the platform has, but for `lua`.
pub fn endpoints(context: &Context, strict: bool) -> Vec<Endpoint> {
    let api = Arc::new(Api {
        context: context.clone(),
        strict,
    });
    let mut all = Vec::new();
    for offer in offers() {
        for path in offer.paths {
            let (api, call) = (api.clone(), offer.call.clone());
            let answered = move |asked: &_| answer(&api, asked, &call);
            let endpoint = Endpoint::new(offer.method, path, offer.right, offer.summary, answered);
            let schemas = if strict {
                schema::strict
            } else {
                schema::lenient
            };
            all.push(Endpoint {
                refuse,
                ..endpoint.about(About {
                    schemas: Some(schemas),
                    ..offer.about
                })
            });
        }
    }
    all
}

/// A call and where it is asked for.
struct Offer {
    method: Method,
    paths: [&'static str; 2],
    right: Right,
    summary: &'static str,
    about: About,
    call: Call,
}

fn offer(
    method: Method,
    paths: [&'static str; 2],
    right: Right,
    summary: &'static str,
    about: About,
    call: impl Fn(&mut Job<'_>) -> Done + Send + Sync + 'static,
) -> Offer {
    Offer {
        method,
        paths,
        right,
        summary,
        about,
        call: Arc::new(call),
    }
}

fn offers() -> Vec<Offer> {
    use Method::{Delete, Get, Post, Put};
    use Right::{Read, Write};
    let one = both!("/logmule_go_rules/{id}");
    let mut all = vec![
        offer(
            Post,
            both!("/logmule_go_rules/create"),
            Write,
            "Creates a rule.",
            about::RULE_CREATE,
            rules::create,
        ),
        offer(
            Get,
            both!("/logmule_go_rules"),
            Read,
            "Lists rules.",
            about::RULE_LIST,
            rules::all,
        ),
        offer(
            Get,
            one,
            Read,
            "Shows a rule.",
            about::RULE_SHOW,
            rules::show,
        ),
        offer(
            Delete,
            one,
            Write,
            "Removes a rule.",
            about::RULE_DELETE,
            rules::delete,
        ),
        offer(
            Get,
            both!("/logmule_go_rules/{id}/relations"),
            Read,
            "Shows what a rule is connected with.",
            about::RULE_RELATIONS,
            rules::relations,
        ),
        offer(
            Get,
            both!("/logmule_go_rules/{id}/results"),
            Read,
            "Lists the alerts of a rule, the latest first.",
            about::RULE_RESULTS,
            rules::results,
        ),
        offer(
            Post,
            both!("/logmule_go_rules/{id}/activate"),
            Write,
            "Activates a rule.",
            about::RULE_ACTIVE,
            |job| rules::activate(job, true),
        ),
        offer(
            Post,
            both!("/logmule_go_rules/{id}/deactivate"),
            Write,
            "Takes a rule out of the stream.",
            about::RULE_ACTIVE,
            |job| rules::activate(job, false),
        ),
    ];
    let table = both!("/tables/{id}/rows");
    let row = both!("/tables/{id}/rows/{key}");
    all.extend([
        offer(
            Post,
            both!("/logmule_go_rules/{id}/run"),
            Right::Run,
            "Runs a rule over events and tells what it did; nothing of it is kept.",
            about::RULE_RUN,
            run::run,
        ),
        offer(
            Get,
            table,
            Read,
            "Lists the rows of a table list.",
            about::ROW_LIST,
            rows::all,
        ),
        offer(
            Post,
            table,
            Write,
            "Writes rows of a table list.",
            about::ROWS_PUT,
            rows::put_many,
        ),
        offer(
            Delete,
            table,
            Write,
            "Removes all rows of a table list.",
            about::ROWS_CLEAR,
            rows::clear,
        ),
        offer(
            Get,
            row,
            Read,
            "Shows a row of a table list.",
            about::ROW_SHOW,
            rows::show,
        ),
        offer(
            Put,
            row,
            Write,
            "Writes a row of a table list.",
            about::ROW_PUT,
            rows::put_one,
        ),
        offer(
            Delete,
            row,
            Write,
            "Removes a row of a table list.",
            about::ROW_DELETE,
            rows::delete,
        ),
    ]);
    for method in [Post, Put] {
        let summary = "Changes the fields of a rule that the body has.";
        all.push(offer(
            method,
            one,
            Write,
            summary,
            about::RULE_UPDATE,
            rules::update,
        ));
    }
    all.extend(EntityKind::ALL.into_iter().flat_map(of_kind));
    all
}

/// The calls about filters, modules, findings or table lists.
fn of_kind(kind: EntityKind) -> Vec<Offer> {
    use Method::{Delete, Get, Post, Put};
    use Right::{Read, Write};
    macro_rules! paths {
        ($name:literal) => {
            [
                both!(concat!("/", $name)),
                both!(concat!("/", $name, "/create")),
                both!(concat!("/", $name, "/{id}")),
                both!(concat!("/", $name, "/{id}/rules")),
            ]
        };
    }
    let [all, create, one, usage] = match kind {
        EntityKind::Filter => paths!("logmule_go_filters"),
        EntityKind::Module => paths!("logmule_go_modules"),
        EntityKind::Finding => paths!("findings"),
        EntityKind::Table => paths!("tables"),
    };
    let texts: [&'static str; 6] = match kind {
        EntityKind::Filter => [
            "Creates a filter.",
            "Lists filters.",
            "Shows a filter.",
            "Changes the fields of a filter that the body has.",
            "Removes a filter.",
            "Lists the rules of a filter.",
        ],
        EntityKind::Module => [
            "Creates a module.",
            "Lists modules.",
            "Shows a module.",
            "Changes the fields of a module that the body has.",
            "Removes a module.",
            "Lists the rules of a module.",
        ],
        EntityKind::Finding => [
            "Creates a finding.",
            "Lists findings.",
            "Shows a finding.",
            "Changes the fields of a finding that the body has.",
            "Removes a finding.",
            "Lists the rules of a finding.",
        ],
        EntityKind::Table => [
            "Creates a table list.",
            "Lists table lists.",
            "Shows a table list.",
            "Changes the fields of a table list that the body has.",
            "Removes a table list with its rows.",
            "",
        ],
    };
    let abouts = about::of_kind(kind);
    let mut offers = vec![
        offer(Post, create, Write, texts[0], abouts[0], move |job| {
            entities::create(job, kind)
        }),
        offer(Get, all, Read, texts[1], abouts[1], move |job| {
            entities::all(job, kind)
        }),
        offer(Get, one, Read, texts[2], abouts[2], move |job| {
            entities::show(job, kind)
        }),
        offer(Delete, one, Write, texts[4], abouts[4], move |job| {
            entities::delete(job, kind)
        }),
    ];
    for method in [Post, Put] {
        offers.push(offer(method, one, Write, texts[3], abouts[3], move |job| {
            entities::update(job, kind)
        }));
    }
    if kind != EntityKind::Table {
        // Rules name table lists in their text.
        offers.push(offer(Get, usage, Read, texts[5], abouts[5], move |job| {
            entities::usage(job, kind)
        }));
    }
    offers
}
