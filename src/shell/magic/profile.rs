//! `%window`, `%profiler`.

use super::{Request, bad};
use crate::diagnostic::{Outcome, Page, Picture, Style, Table};
use crate::profile::runner::ProfileReport;
use crate::profile::{draw_window, explain_window, reports};
use crate::shell::session::{Session, Shown};

/// The width of a time line where there is no window.
const WIDTH: usize = 80;

pub(super) fn window(session: &Session, request: &Request<'_>) -> Outcome<Shown> {
    if request.rest.is_empty() {
        return Err(bad("%window lacks a selector"));
    }
    let width = session.look().window.map_or(WIDTH, |(width, _)| width);
    let context = &session.engine().context;
    let text = explain_window(context, request.rest, width)?;
    let drawn = draw_window(context, request.rest)?;
    let mut page = Page::new();
    page.line(text);
    page.draw(Picture::new(drawn));
    Ok(Shown::Page(page, None))
}

pub(super) fn profiler(session: &Session, request: &Request<'_>) -> Outcome<Shown> {
    let tree = request.wanted_expression(session, request.rest)?;
    let value = session.evaluate(Some(&tree), request.source())?;
    let Some(reports) = reports(&value) else {
        let message = format!("{} is no profiler", request.rest);
        return Err(bad(message).help("PROFILER_INIT makes one: p := PROFILER_INIT('{…}')"));
    };
    let (mut page, reports) = (Page::new(), reports?);
    tables(&reports).into_iter().for_each(|table| {
        page.table(table);
    });
    for report in reports {
        page.put(Style::Name, report.profile.as_str());
        let (messages, routes, entities) = (report.messages, report.routes, report.entities);
        let mergeable = match report.mergeable {
            None => "",
            Some(true) => ", mergeable",
            Some(false) => ", not mergeable",
        };
        page.line(format!(
            ": messages {messages}, routes {routes}, entities {entities}{mergeable}"
        ));
        for trouble in &report.troubles {
            page.text("  ");
            page.put(Style::Warning, format!("failed {}×", trouble.count));
            page.text(format!("  {} ", trouble.role));
            page.put(Style::Code, trouble.expression.as_str());
            if let Some(last) = &trouble.last {
                page.text(format!("  {}: {}", last.code.name(), last.message));
            }
            if let Some(entity) = &trouble.entity {
                page.put(Style::Quiet, format!("  (entity {entity})"));
            }
            page.end();
        }
    }
    Ok(Shown::Page(page, None))
}

/// What the profiles did, and which of their expressions failed.
fn tables(reports: &[ProfileReport]) -> Vec<Table> {
    let of = |names: &[&str]| names.iter().map(|name| name.to_string()).collect();
    let did = reports.iter().map(|report| {
        let failed: u64 = report.troubles.iter().map(|trouble| trouble.count).sum();
        vec![
            report.profile.to_string(),
            report.messages.to_string(),
            report.routes.to_string(),
            report.entities.to_string(),
            match report.mergeable {
                None => String::new(),
                Some(true) => "yes".to_string(),
                Some(false) => "no".to_string(),
            },
            failed.to_string(),
        ]
    });
    let failed = reports.iter().flat_map(|report| {
        report.troubles.iter().map(|trouble| {
            let last = trouble.last.as_ref();
            vec![
                report.profile.to_string(),
                trouble.role.to_string(),
                trouble.expression.to_string(),
                trouble.count.to_string(),
                last.map(|last| format!("{}: {}", last.code.name(), last.message))
                    .unwrap_or_default(),
                trouble
                    .entity
                    .as_ref()
                    .map(ToString::to_string)
                    .unwrap_or_default(),
            ]
        })
    });
    let names = [
        "profile",
        "messages",
        "routes",
        "entities",
        "mergeable",
        "failed",
    ];
    let mut tables = vec![Table {
        names: of(&names),
        rows: did.collect(),
    }];
    let rows: Vec<Vec<String>> = failed.collect();
    if !rows.is_empty() {
        tables.push(Table {
            names: of(&[
                "profile",
                "part",
                "expression",
                "failed",
                "last failure",
                "entity",
            ]),
            rows,
        });
    }
    tables
}
