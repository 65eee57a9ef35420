//! `%mode`, `%last`, `%set`, `%connect`.

use super::{Request, bad};
use crate::config::{Secretive, mask_text};
use crate::diagnostic::{Outcome, Page, Style, nearest, quoted_list};
use crate::shell::session::{Session, Shown};
use crate::shell::show::{Look, Mode, show};
use crate::store::reach;
use std::time::Duration;

/// How long a server may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) fn mode(session: &Session, request: &Request<'_>) -> Outcome<Shown> {
    match (request.rest, Mode::parse(request.rest)) {
        ("", _) => {
            let mut page = Page::new();
            page.line(session.look().mode.name());
            Ok(Shown::Page(page, None))
        }
        (_, Some(mode)) => {
            session.set_mode(mode);
            Ok(Shown::Done(None))
        }
        (other, None) => {
            let fault = bad(format!("there is no mode {other}"));
            let near = nearest(other, Mode::NAMES.iter().copied());
            Err(match near {
                Some(near) => fault.did_you_mean(Some(near)),
                None => fault.help(format!("modes are {}", quoted_list(Mode::NAMES))),
            })
        }
    }
}

pub(super) fn last(session: &Session, _: &Request<'_>) -> Outcome<Shown> {
    let value = session.last();
    let look = Look {
        window: None,
        ..session.look()
    };
    let mut page = Page::new();
    match show(&value, look)? {
        Some(text) => page.line(text),
        None => page.put(Style::Quiet, "there is no result yet").end(),
    };
    Ok(Shown::Page(page, Some(value)))
}

pub(super) fn set(session: &Session, request: &Request<'_>) -> Outcome<Shown> {
    let engine = session.engine();
    let (key, value) = key_and_value(request.rest);
    let mut page = Page::new();
    let Some(value) = value else {
        let settings = engine.config.describe();
        let mut shown = settings
            .iter()
            .filter(|s| key.is_empty() || s.key == key)
            .peekable();
        if shown.peek().is_none() {
            let names = settings.iter().map(|s| s.key.as_str());
            let fault = bad(format!("there is no setting {key}"));
            return Err(fault.did_you_mean(nearest(key, names)));
        }
        for setting in shown {
            page.put(Style::Name, setting.key.as_str()).text(" = ");
            page.text(setting.value.clone().unwrap_or_default());
            page.put(Style::Quiet, format!("  ({})", setting.origin))
                .end();
        }
        return Ok(Shown::Page(page, None));
    };
    session.set_engine(engine.with_setting(&format!("{key}={value}"), "%set")?);
    Ok(Shown::Done(None))
}

/// `KEY = VALUE` or `KEY VALUE`; blanks and equals signs inside of quotation marks belong to the key.
fn key_and_value(text: &str) -> (&str, Option<&str>) {
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            (None, '=') => return (text[..at].trim(), Some(text[at + 1..].trim())),
            (None, c) if c.is_whitespace() => {
                let rest = text[at..].trim_start();
                let rest = rest.strip_prefix('=').unwrap_or(rest);
                return (&text[..at], Some(rest.trim()));
            }
            _ => {}
        }
    }
    (text, None)
}

/// The systems with a store, each with the schemes of its servers.
pub const ROOMS: &[(&str, &[&str])] = &[
    ("profile", &["hbase"]),
    ("collection", &["redis", "rediss"]),
    ("event", &["postgres", "postgresql"]),
    ("rule", &["postgres", "postgresql"]),
];

pub(super) fn connect(session: &Session, request: &Request<'_>) -> Outcome<Shown> {
    let engine = session.engine();
    let mut page = Page::new();
    if request.rest.is_empty() {
        let stores = &engine.config.store;
        let servers = [
            &stores.profile,
            &stores.collection,
            &stores.event,
            &stores.rule,
        ];
        for ((room, _), server) in ROOMS.iter().zip(servers) {
            page.put(Style::Name, format!("{room:<12}"));
            match server {
                Some(address) => page.line(mask_text(address.raw())),
                None => page.line(format!("embedded, {}", engine.store.path().display())),
            };
        }
        return Ok(Shown::Page(page, None));
    }
    let (room, address) = room_and_address(request.rest)?;
    let context = &engine.context;
    let (place, time) = reach(&Secretive::new(address), PATIENCE, &context.cancel)?;
    session.set_engine(engine.with_setting(&format!("store.{room}={address}"), "%connect")?);
    page.line(format!("{room} store: {place} answers in {time:?}"));
    page.line("this version cannot store there yet and stays with the embedded file");
    Ok(Shown::Page(page, None))
}

fn room_and_address(text: &str) -> Outcome<(&'static str, &str)> {
    let (room, address) = match text.split_once(char::is_whitespace) {
        Some((room, address)) => (Some(room), address.trim()),
        None => (None, text),
    };
    let Some((scheme, _)) = address.split_once("://") else {
        return Err(bad("the address has no scheme").help("write it like hbase://host:9090"));
    };
    let fitting: Vec<&'static str> = ROOMS
        .iter()
        .filter(|(name, schemes)| {
            schemes.contains(&scheme) && room.is_none_or(|room| room == *name)
        })
        .map(|(name, _)| *name)
        .collect();
    match fitting.as_slice() {
        [only] => Ok((only, address)),
        [] => Err(bad(match room {
            Some(room) => format!("{room} has no store on {scheme}"),
            None => format!("no system stores on {scheme}"),
        })),
        several => Err(bad(format!("{} could be meant", quoted_list(several)))
            .help(format!("write %connect {} {scheme}://…", several[0]))),
    }
}
