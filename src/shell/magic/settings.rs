//! `%mode`, `%last`, `%set`, `%connect`.

use super::{Request, bad};
use crate::config::{Described, STORES, Secretive, StoreRoom, mask_text};
use crate::diagnostic::{Outcome, Page, Style, nearest, quoted_list};
use crate::shell::session::{Session, Shown};
use crate::shell::show::Mode;
use crate::store::{in_words, reach};
use std::time::Duration;

/// Settings that are looked at once, when the shell starts.
const AT_START: &[&str] = &["shell.history", "shell.keys", "shell.startup"];

/// Where settings that were changed here come from.
const FROM: &str = "%set";

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
    if value.is_null() {
        let mut page = Page::new();
        page.put(Style::Quiet, "there is no result yet").end();
        return Ok(Shown::Page(page, Some(value)));
    }
    Ok(Shown::Whole(value))
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
    let engine = engine.with_setting(&format!("{key}={value}"), FROM)?;
    // However the key was written: what came from here says so.
    let settings = engine.config.describe();
    let late =
        |setting: &&Described| setting.origin == FROM && AT_START.contains(&setting.key.as_str());
    if let Some(setting) = settings.iter().find(late) {
        let key = &setting.key;
        return Err(
            bad(format!("{key} is read when the shell starts")).help(format!(
                "set it in stellar.toml, or start with --set {key}=…"
            )),
        );
    }
    session.set_engine(engine);
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

pub(super) fn connect(session: &Session, request: &Request<'_>) -> Outcome<Shown> {
    let engine = session.engine();
    let mut page = Page::new();
    if request.rest.is_empty() {
        let embedded = format!("embedded, {}", engine.store.path().display());
        for room in STORES {
            page.put(Style::Name, format!("{:<12}", room.name));
            match room.place(&engine.config.store) {
                None => page.line(embedded.as_str()),
                Some((address, true)) => page.line(mask_text(address.raw())),
                Some((address, false)) => page.line(format!(
                    "{} ({})",
                    mask_text(address.raw()),
                    room.why_not(address)
                )),
            };
        }
        return Ok(Shown::Page(page, None));
    }
    let (room, address) = room_and_address(request.rest)?;
    let context = &engine.context;
    let address = Secretive::new(address);
    let found = reach(&address, PATIENCE, &context.cancel)?;
    let setting = format!("store.{}={}", room.name, address.raw());
    let engine = engine.with_setting(&setting, "%connect")?;
    let usable = room
        .place(&engine.config.store)
        .is_some_and(|(_, usable)| usable);
    session.set_engine(engine);
    for server in &found {
        page.line(format!("{} store: {}", room.name, in_words(server)));
    }
    if !usable {
        page.line(room.why_not(&address));
    }
    Ok(Shown::Page(page, None))
}

fn room_and_address(text: &str) -> Outcome<(&'static StoreRoom, &str)> {
    let (room, address) = match text.split_once(char::is_whitespace) {
        Some((room, address)) => (Some(room), address.trim()),
        None => (None, text),
    };
    let Some((scheme, _)) = address.split_once("://") else {
        return Err(bad("the address has no scheme").help("write it like hbase://host:9090"));
    };
    let fitting: Vec<&'static StoreRoom> = STORES
        .iter()
        .filter(|fitting| {
            fitting.server(scheme).is_some() && room.is_none_or(|room| room == fitting.name)
        })
        .collect();
    match fitting.as_slice() {
        [only] => Ok((only, address)),
        [] => Err(bad(match room {
            Some(room) => format!("{room} has no store on {scheme}"),
            None => format!("no system stores on {scheme}"),
        })),
        [first, ..] => {
            let names: Vec<&str> = fitting.iter().map(|room| room.name).collect();
            Err(bad(format!("{} could be meant", quoted_list(&names)))
                .help(format!("write %connect {} {scheme}://…", first.name)))
        }
    }
}
