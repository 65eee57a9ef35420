//! Profiles that come with the program, in `stdlib/profiles/`.
//!
//! Each file holds definitions as anybody would write them, behind comments that say what they measure and how to ask
//! for it. Several can be joined into one, and their fields renamed to those of the messages at hand.

use super::definition::{self, Definitions, names_of};
use crate::diagnostic::{Code, Diagnostic, Outcome, Source, Span, quoted_list};
use crate::eval::Context;
use crate::syntax::{ExprKind, ParseLimits, parse, with_stack};
use smol_str::SmolStr;
use std::fmt::Write;
use std::sync::Arc;

/// A file of the library.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// Its name, which is also that of its profile.
    pub name: &'static str,
    /// Its text.
    pub text: &'static str,
}

macro_rules! library {
    ($($name:literal),* $(,)?) => {
        /// All of the library, by name.
        pub const LIBRARY: &[Entry] = &[$(Entry {
            name: $name,
            text: include_str!(concat!("../../stdlib/profiles/", $name, ".json")),
        }),*];
    };
}

library! {
    "beaconing",
    "destinations-by-host",
    "dns-entropy",
    "failed-logins",
    "hours-by-user",
    "logins-by-user",
    "names-by-domain",
    "new-destinations",
    "password-spraying",
    "rare-ports",
    "traffic-by-host",
}

/// The part of the library with this name. Errors: E0204 with a suggestion.
pub fn find(name: &str) -> Outcome<Entry> {
    let found = LIBRARY.iter().find(|entry| entry.name == name);
    found.copied().ok_or_else(|| {
        let text = format!("the library has no profile {name}");
        let names: Vec<&str> = LIBRARY.iter().map(|entry| entry.name).collect();
        Diagnostic::new(Code::ArgumentValue, text).one_of(name, &names)
    })
}

impl Entry {
    /// Its definitions. Errors: E0222, which the tests rule out.
    pub fn definitions(&self) -> Outcome<Definitions> {
        definition::parse(&self.source()).map_err(definition::first)
    }

    fn source(&self) -> Arc<Source> {
        Arc::new(Source::named(format!("{}.json", self.name), self.text))
    }

    /// What the profile is good for, in one line.
    pub fn description(&self) -> SmolStr {
        let definitions = self.definitions().unwrap_or_default();
        let mut profiles = definitions.profiles.iter();
        profiles
            .find_map(|profile| profile.description.clone())
            .unwrap_or_default()
    }

    /// The comments before the definitions, as Markdown.
    pub fn notes(&self) -> String {
        let lines = self.text.lines().map_while(|line| line.strip_prefix("//"));
        let mut notes = String::new();
        for line in lines {
            let _ = writeln!(notes, "{}", line.strip_prefix(' ').unwrap_or(line));
        }
        notes
    }

    /// The definitions without the comments before them.
    pub fn json(&self) -> &'static str {
        let start = self.text.find("\n{").map_or(0, |at| at + 1);
        self.text.get(start..).unwrap_or(self.text)
    }

    /// The fields of messages that it reads, in the order in which they come up. Errors: as [`Entry::definitions`].
    pub fn fields(&self, context: &Context) -> Outcome<Vec<SmolStr>> {
        let mut fields: Vec<SmolStr> = Vec::new();
        for (name, _) in places(&self.definitions()?, context)? {
            if !fields.contains(&name) {
                fields.push(name);
            }
        }
        let time = self.definitions()?.timestamp_field;
        fields.extend(time.filter(|time| !fields.contains(time)));
        Ok(fields)
    }
}

/// Where fields of messages stand in the source of definitions.
fn places(definitions: &Definitions, context: &Context) -> Outcome<Vec<(SmolStr, Span)>> {
    let mut found = Vec::new();
    for profile in &definitions.profiles {
        let variables = profile.variables();
        for (_, expression) in profile.expressions() {
            let Some(tree) = expression.tree(context)? else {
                continue;
            };
            let mut names = Vec::new();
            with_stack(|| names_of(&tree, &mut Vec::new(), &mut names));
            for (name, span) in names {
                if !variables.contains(&name) {
                    found.push((name, expression.place(span)));
                }
            }
        }
    }
    found.sort_by_key(|(_, span)| span.start);
    Ok(found)
}

/// One text with the definitions of all these parts, in which fields are called what `fields` says (old and new
/// names). Errors: E0204 for an unknown part, a field that none of them reads, and a name that is none.
pub fn joined(
    names: &[SmolStr],
    fields: &[(SmolStr, SmolStr)],
    context: &Context,
) -> Outcome<String> {
    let mut entries: Vec<Entry> = Vec::new();
    for name in names {
        let entry = find(name)?;
        if !entries.iter().any(|known| known.name == entry.name) {
            entries.push(entry);
        }
    }
    let mut known: Vec<SmolStr> = Vec::new();
    for entry in &entries {
        known.extend(entry.fields(context)?);
    }
    for (old, new) in fields {
        if !known.contains(old) {
            let mut all: Vec<&str> = known.iter().map(SmolStr::as_str).collect();
            all.sort_unstable();
            all.dedup();
            let message = format!("none of these profiles reads a field {old}");
            return Err(Diagnostic::new(Code::ArgumentValue, message).help(format!(
                "they read {}",
                quoted_list(&all).replace(" or ", " and ")
            )));
        }
        check_name(new)?;
    }
    let renamed = |name: &str| {
        let pair = fields.iter().find(|(old, _)| old == name);
        pair.map(|(_, new)| new.as_str())
    };
    let mut text = String::from("{\n  \"profiles\": [");
    let mut time = None;
    for entry in &entries {
        let definitions = entry.definitions()?;
        let places = places(&definitions, context)?;
        for profile in &definitions.profiles {
            if !text.ends_with('[') {
                text.push(',');
            }
            text.push_str("\n    ");
            let whole = profile.places.whole;
            let mut at = whole.start;
            let inside = places.iter();
            let inside =
                inside.filter(|(_, span)| whole.start <= span.start && span.end <= whole.end);
            for (name, span) in inside {
                let Some(new) = renamed(name) else { continue };
                text.push_str(entry.text.get(at..span.start).unwrap_or_default());
                let written = entry.text.get(span.start..span.end).unwrap_or_default();
                // `exists(name)` has its parentheses around the name.
                text.push_str(&written.replace(name.as_str(), new));
                at = span.end;
            }
            text.push_str(entry.text.get(at..whole.end).unwrap_or_default());
        }
        time = time.or(definitions.timestamp_field);
    }
    text.push_str("\n  ]");
    if let Some(field) = time {
        let _ = write!(
            text,
            ",\n  \"timestampField\": \"{}\"",
            renamed(&field).unwrap_or(&field)
        );
    }
    text.push_str("\n}\n");
    Ok(text)
}

/// Errors: E0204 for what expressions do not take for a name.
fn check_name(name: &str) -> Outcome<()> {
    let read = parse(&Arc::new(Source::expression(name)), ParseLimits::default());
    let good =
        matches!(read, Ok(Some(tree)) if matches!(&tree.kind, ExprKind::Name(n) if n == name));
    if good {
        return Ok(());
    }
    let message = format!("{name} is no name that an expression can read");
    Err(Diagnostic::new(Code::ArgumentValue, message)
        .help("names hold letters, digits, _, points and colons"))
}
