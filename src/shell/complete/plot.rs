//! Behind `%plot`: profiles, entities, options, expressions.

use super::{Candidate, Completions, Kind, expression, files, words};
use crate::diagnostic::Theme;
use crate::profile::Profiles;
use crate::profile::client;
use crate::profile::store::{Filter, Within};
use crate::shell::magic::{self, Behind};
use crate::shell::session::Session;
use crate::store::Deadline;
use smol_str::SmolStr;
use std::time::Duration;

/// How long the store may take: somebody waits with a finger on the key.
const PATIENCE: Duration = Duration::from_millis(500);

/// More entities are not offered.
const MOST: usize = 2_000;

/// What may stand at the end of the words behind `%plot`.
pub fn complete(session: &Session, text: &str, rest: &str, at: usize) -> Completions {
    let (behind, typed) = magic::behind(rest);
    let word = |name: SmolStr| (Kind::Word, quoted(&name));
    let of_expression = || expression(session, text, at - typed.len(), at);
    match behind {
        Behind::First => {
            let mut found = words(at - typed.len(), at, typed, profiles(session).map(word));
            let others = of_expression();
            // A function or a variable whose name the word does not begin with is another place to replace.
            if others.replaces == found.replaces || found.candidates.is_empty() {
                found.replaces = others.replaces;
                found.candidates.extend(others.candidates);
            }
            found
        }
        Behind::Entity(profile) => {
            let mut found = words(
                at - typed.len(),
                at,
                typed,
                entities(session, profile).map(word),
            );
            if found.candidates.is_empty() {
                return expression(session, text, at - rest.len(), at);
            }
            if typed.is_empty() {
                found.candidates.extend(options(typed));
            }
            found
        }
        Behind::Option => Completions {
            replaces: at - typed.len()..at,
            candidates: options(typed).collect(),
        },
        Behind::Value("--svg") => files::complete_word(typed, at),
        Behind::Value("--theme") => {
            let names = Theme::NAMES.into_iter().map(|(name, _)| word(name.into()));
            words(at - typed.len(), at, typed, names)
        }
        Behind::Value("--expr") | Behind::Expression => of_expression(),
        Behind::Value(_) => Completions {
            replaces: at..at,
            candidates: Vec::new(),
        },
    }
}

fn options(typed: &str) -> impl Iterator<Item = Candidate> {
    let fitting = magic::plot_options().filter(move |option| option.starts_with(typed));
    fitting.map(|option| Candidate {
        text: format!("{option} "),
        kind: Kind::Word,
    })
}

/// A name as a word of the command.
fn quoted(name: &str) -> String {
    let plain = |c: char| !c.is_whitespace() && !matches!(c, '\'' | '"' | '(' | '[' | '{');
    match name.chars().all(plain) && !name.is_empty() && !name.starts_with('-') {
        true => name.to_string(),
        false => format!("'{name}'"),
    }
}

/// Asks the store; one that does not answer soon has no names.
fn asked<T>(
    session: &Session,
    ask: impl FnOnce(&Profiles, Within<'_>) -> crate::diagnostic::Outcome<Vec<T>>,
) -> Vec<T> {
    let engine = session.engine();
    let context = &engine.context;
    let Some(profiles) = context.services.get::<Profiles>() else {
        return Vec::new();
    };
    let within = Within {
        deadline: Deadline::after(PATIENCE),
        ..Within::context(context)
    };
    let found = ask(&profiles, within).unwrap_or_default();
    // What the store has to say is for those who ask it for something.
    let _ = profiles.notices();
    found
}

fn profiles(session: &Session) -> impl Iterator<Item = SmolStr> {
    let found = asked(session, |store, within| {
        let place = Some(client::place(&session.engine().context, None)?);
        let filter = Filter {
            place,
            ..Filter::default()
        };
        store.profiles(&filter, within)
    });
    found.into_iter().map(|found| found.profile)
}

fn entities(session: &Session, profile: &str) -> impl Iterator<Item = SmolStr> {
    let found = asked(session, |store, within| {
        let filter = Filter {
            place: Some(client::place(&session.engine().context, None)?),
            profile: Some(profile.into()),
            ..Filter::default()
        };
        store.list(&filter, MOST, within)
    });
    found.into_iter().map(|found| found.entity)
}
