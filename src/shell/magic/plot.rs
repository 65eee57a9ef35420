//! `%plot`

use super::{Request, bad};
use crate::config::parse_now;
use crate::diagnostic::{Code, Diagnostic, Outcome, Page, Picture, Room, Size, Theme};
use crate::drawing::drawn::Drawn;
use crate::engine::Engine;
use crate::eval::{Notes, Value};
use crate::pipeline::config;
use crate::pipeline::graph::Graph;
use crate::profile::Profiles;
use crate::profile::plot::values::{self, Numbers, Wanted, figure as of_value};
use crate::profile::plot::{Figure, band, read};
use crate::shell::events::path_of;
use crate::shell::session::{Session, Shown};
use crate::shell::{of_kind, room};

/// What may stand behind `--`, and whether a value follows.
const OPTIONS: [(&str, bool); 15] = [
    ("--group", true),
    ("--groups", true),
    ("--window", true),
    ("--begin", true),
    ("--end", true),
    ("--expr", true),
    ("--svg", true),
    ("--width", true),
    ("--height", true),
    ("--theme", true),
    ("--histogram", false),
    ("--band", false),
    ("--no-band", false),
    ("--same-scale", false),
    ("--ascii", false),
];

/// How many characters of an expression stand in the title.
const TITLE: usize = 60;

/// A command as its words say it.
#[derive(Default)]
struct Words<'a> {
    /// What stands before the first option.
    plain: &'a str,
    /// The words that are no options.
    names: Vec<&'a str>,
    options: Vec<(&'a str, &'a str)>,
}

impl<'a> Words<'a> {
    /// Errors: E0116 for an option that is unknown or lacks its value.
    fn read(rest: &'a str) -> Outcome<Words<'a>> {
        let mut found = Words {
            plain: rest,
            ..Words::default()
        };
        let mut at = 0;
        while let Some((begin, end)) = word(rest, at) {
            at = end;
            let word = &rest[begin..end];
            let (name, joined) = match word.split_once('=') {
                Some((name, value)) if name.starts_with("--") => (name, Some(value)),
                _ => (word, None),
            };
            let known = OPTIONS.iter().find(|(option, _)| *option == name);
            let Some((name, valued)) = known.copied() else {
                let option = word.strip_prefix("--").unwrap_or("");
                if option.starts_with(|c: char| c.is_ascii_lowercase())
                    && !option.contains(|c: char| !c.is_ascii_lowercase() && c != '-')
                {
                    return Err(unknown(word));
                }
                found.names.push(unquoted(word));
                continue;
            };
            if found.options.is_empty() {
                found.plain = rest[..begin].trim_end();
            }
            let value = match joined {
                Some(value) => value,
                None if valued => {
                    let Some((begin, end)) = self::word(rest, at) else {
                        return Err(bad(format!("{name} lacks its value")));
                    };
                    at = end;
                    &rest[begin..end]
                }
                None => "",
            };
            found.options.push((name, unquoted(value)));
        }
        Ok(found)
    }

    fn get(&self, name: &str) -> Option<&'a str> {
        let found = self
            .options
            .iter()
            .rev()
            .find(|(option, _)| *option == name);
        found.map(|(_, value)| *value)
    }

    fn number(&self, name: &str) -> Outcome<Option<usize>> {
        let read = |text: &str| {
            text.parse()
                .map_err(|_| bad(format!("behind {name} stands a number, not {text}")))
        };
        self.get(name).map(read).transpose()
    }

    /// The picture for a page, as options say it.
    fn size(&self) -> Outcome<Size> {
        let usual = Size::default();
        Ok(Size {
            width: self.number("--width")?.unwrap_or(usual.width),
            height: self.number("--height")?,
            theme: self.get("--theme").map_or(Ok(usual.theme), theme)?,
        })
    }

    fn wanted(&self) -> Outcome<Wanted> {
        let width = match self.get("--band") {
            None | Some("") => band::WIDTH,
            Some(text) => text
                .parse()
                .map_err(|_| bad(format!("behind --band= stands a number, not {text}")))?,
        };
        Ok(Wanted {
            width: match self.get("--no-band") {
                Some(_) => None,
                None => Some(band::checked(width)?),
            },
            same_scale: self.get("--same-scale").is_some(),
        })
    }
}

/// The colours of this name. Errors: E0116.
pub(super) fn theme(name: &str) -> Outcome<Theme> {
    Theme::of(name).ok_or_else(|| {
        let names = Theme::NAMES.map(|(name, _)| name);
        bad(format!(
            "there are the themes {}, and not {name}",
            names.join(", ")
        ))
        .did_you_mean(crate::diagnostic::nearest(name, names))
    })
}

fn unknown(word: &str) -> crate::diagnostic::Fault {
    let names = OPTIONS.iter().map(|(name, _)| *name);
    let near = crate::diagnostic::nearest(word, names);
    bad(format!("%plot has no option {word}")).did_you_mean(near)
}

/// Where the next word begins and ends: blanks inside of quotation marks and brackets do not part words.
fn word(text: &str, from: usize) -> Option<(usize, usize)> {
    let rest = text.get(from..)?;
    let begin = from + rest.find(|c: char| !c.is_whitespace())?;
    let mut quote = None;
    let mut depth = 0usize;
    for (at, c) in text.get(begin..)?.char_indices() {
        match (quote, c) {
            (Some(mark), c) if c == mark => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth = depth.saturating_sub(1),
            (None, c) if c.is_whitespace() && depth == 0 => return Some((begin, begin + at)),
            _ => {}
        }
    }
    Some((begin, text.len()))
}

/// What the end of a `%plot` is for.
#[derive(Debug, PartialEq, Eq)]
pub enum Behind<'a> {
    /// The first word: a profile or the beginning of an expression.
    First,
    /// A word behind the name of a profile, which is perhaps one of its entities.
    Entity(&'a str),
    /// A part of an expression.
    Expression,
    /// The beginning of an option.
    Option,
    /// The value of an option.
    Value(&'a str),
}

/// What the end of the words behind `%plot` is for, and what of it has been typed.
pub fn behind(rest: &str) -> (Behind<'_>, &str) {
    let mut words = Vec::new();
    let mut at = 0;
    while let Some((begin, end)) = word(rest, at) {
        words.push(&rest[begin..end]);
        at = end;
    }
    // A blank behind the last word begins a new one.
    let typed = match words.last() {
        Some(last) if rest.ends_with(last) => words.pop().unwrap_or_default(),
        _ => "",
    };
    if let Some((name, value)) = typed.split_once('=')
        && name.starts_with("--")
    {
        return (Behind::Value(name), value);
    }
    if typed.starts_with('-') && !words.is_empty() {
        return (Behind::Option, typed);
    }
    let valued = |name: &str| {
        OPTIONS
            .iter()
            .any(|(option, value)| *option == name && *value)
    };
    let behind = match words.as_slice() {
        [] => Behind::First,
        [.., last] if valued(last) => Behind::Value(last),
        [.., last] if last.starts_with("--") => Behind::Option,
        [first, ..] if !first.contains(['(', '[', '{']) => Behind::Entity(unquoted(first)),
        _ => Behind::Expression,
    };
    (behind, typed)
}

/// The options.
pub fn options() -> impl Iterator<Item = &'static str> {
    OPTIONS.iter().map(|(option, _)| *option)
}

fn unquoted(word: &str) -> &str {
    let inside = |mark: char| word.strip_prefix(mark)?.strip_suffix(mark);
    inside('\'').or_else(|| inside('"')).unwrap_or(word)
}

pub(super) fn plot(session: &Session, request: &Request<'_>) -> Outcome<Shown> {
    let words = Words::read(request.rest)?;
    if words.names.is_empty() {
        return Err(bad("%plot lacks what it shall draw"));
    }
    let mut page = Page::new();
    let drawn = match (pipelines(&words)?, stored(session, request, &words)?) {
        (Some(drawn), _) => Some(wrapped(drawn)),
        (None, false) => Some(of_expression(session, request, &words)?),
        (None, true) => of_store(session, &words)?,
    };
    let Some((picture, value)) = drawn else {
        page.line("there is nothing to draw");
        return Ok(Shown::Page(page, Some(Value::Null)));
    };
    let size = words.size()?;
    match words.get("--svg") {
        Some("-") => {
            page.line(picture.svg(size).trim_end());
        }
        Some(file) => {
            let path = path_of(file);
            crate::input::replace(&path, picture.svg(size).as_bytes())?;
            page.line(format!("wrote {} to {}", picture.title(), path.display()));
        }
        None => {
            let usual = room(session.look());
            page = picture.page(Room {
                width: words.number("--width")?.unwrap_or(usual.width),
                height: words.number("--height")?,
                ascii: usual.ascii || words.get("--ascii").is_some(),
            });
        }
    }
    page.draw(picture);
    Ok(Shown::Page(page, Some(value)))
}

/// What is drawn, and the same as a value.
type Asked = (Picture, Value);

fn wrapped(picture: Picture) -> Asked {
    let value = Drawn(picture.clone()).into_value();
    (picture, value)
}

fn figure(figure: Figure) -> Asked {
    (Picture::new(figure.clone()), figure.into_value())
}

/// The pipelines of a file, where the words name one. Errors: what is wrong with the file.
fn pipelines(words: &Words<'_>) -> Outcome<Option<Picture>> {
    let [name] = words.names.as_slice() else {
        return Ok(None);
    };
    if !name.ends_with(".yaml") && !name.ends_with(".yml") {
        return Ok(None);
    }
    let file = config::load(&path_of(name), &Engine::actions()).map_err(|faults| {
        let fault = faults.into_iter().next();
        fault.unwrap_or_else(|| Diagnostic::new(Code::Internal, "no fault is told"))
    })?;
    Ok(Some(Picture::new(Graph::of(&file))))
}

/// Whether the words name a profile and entities: `%plot logins alice` is no expression, but `%plot logins` is one.
fn stored(session: &Session, request: &Request<'_>, words: &Words<'_>) -> Outcome<bool> {
    let [first, _, ..] = words.names.as_slice() else {
        return Ok(false);
    };
    if first.contains(['(', '[', '{']) {
        return Ok(false);
    }
    Ok(expression(session, request, words.plain).is_err())
}

/// Reads what stands before the options, with its place in the statement.
fn expression(
    session: &Session,
    request: &Request<'_>,
    plain: &str,
) -> Outcome<crate::syntax::Expr> {
    let behind = request.rest.len() - plain.len();
    request.wanted_expression_before(session, plain, behind)
}

fn of_expression(session: &Session, request: &Request<'_>, words: &Words<'_>) -> Outcome<Asked> {
    let odd = ["--window", "--begin", "--end", "--group", "--groups"];
    if let Some(option) = odd.iter().find(|option| words.get(option).is_some()) {
        return Err(bad(format!(
            "{option} is for profiles: %plot PROFILE ENTITY {option} …"
        )));
    }
    let tree = expression(session, request, words.plain)?;
    let value = session.evaluate(Some(&tree), request.source())?;
    let context = &session.engine().context;
    let title = title(words.plain);
    let numbers = Numbers::new(words.get("--expr"), context)?;
    if words.get("--histogram").is_some() {
        let drawn = values::histogram(&title, &value, &numbers, context)?;
        return Ok(wrapped(Picture::new(drawn)));
    }
    if words.get("--expr").is_none()
        && let Some(picture) = of_kind(&value, Some(&title), &context.zone)
    {
        let kept = value.as_object::<Figure>().is_some();
        return Ok(match kept {
            true => (picture, value),
            false => wrapped(picture),
        });
    }
    if let Some(counts) = values::counts(&title, &value, &numbers, context)? {
        return Ok(wrapped(Picture::new(counts)));
    }
    of_value(&title, &value, &numbers, words.wanted()?, context).map(figure)
}

/// An expression as a title, cut where it is long.
fn title(expression: &str) -> String {
    let mut title: String = expression.chars().take(TITLE).collect();
    if title.len() < expression.len() {
        title.push('…');
    }
    title
}

fn of_store(session: &Session, words: &Words<'_>) -> Outcome<Option<Asked>> {
    let engine = session.engine();
    let context = &engine.context;
    let Some(profiles) = context.services.get::<Profiles>() else {
        let message = "there is no store for profiles";
        return Err(Diagnostic::new(Code::NotAvailable, message));
    };
    let instant = |name: &str| {
        let read = |text: &str| parse_now(text, |at| context.zone.offset_millis(at));
        words.get(name).map(read).transpose()
    };
    let groups = words
        .options
        .iter()
        .filter(|(name, _)| name.starts_with("--group"));
    let mut names = words.names.iter();
    let wanted = read::Request {
        profile: names.next().copied().unwrap_or_default().into(),
        entities: names.map(|name| (*name).into()).collect(),
        groups: groups.map(|(_, value)| Value::text(value)).collect(),
        when: read::When {
            window: words.get("--window").map(str::to_string),
            begin: instant("--begin")?,
            end: instant("--end")?,
        },
        expression: words.get("--expr").map(str::to_string),
        wanted: words.wanted()?,
    };
    let (found, said) = read::figure(&wanted, &profiles, context)?;
    if let Some(notes) = context.services.get::<Notes>() {
        said.into_iter().for_each(|note| notes.say(note));
    }
    Ok(found.map(figure))
}
