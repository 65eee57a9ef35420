//! JSON to definitions: which fields there are, what each takes, and what is said about the rest.

use super::json::{self, Key, Kind, Node, Text};
use super::{Definition, Definitions, Expression, Places};
use crate::diagnostic::{Code, Diagnostic, Fault, Source, Span, nearest, quoted_list};
use smol_str::SmolStr;
use std::sync::Arc;

const TOP: [&str; 2] = ["profiles", "timestampField"];

const FIELDS: [&str; 10] = [
    "profile",
    "foreach",
    "onlyif",
    "init",
    "update",
    "groupBy",
    "result",
    "expires",
    "description",
    "mergeable",
];

const RESULT: [&str; 2] = ["profile", "triage"];

/// Reads definitions. Errors: everything that is wrong, in the order of the text.
pub fn definitions(source: &Arc<Source>) -> Result<Definitions, Vec<Fault>> {
    let node = json::read(source).map_err(|fault| vec![fault])?;
    let mut reader = Reader { faults: Vec::new() };
    let definitions = reader.top(&node);
    if reader.faults.is_empty() {
        return Ok(definitions);
    }
    let mut faults = reader.faults;
    faults.sort_by_key(|fault| fault.span.map_or(0, |span| span.start));
    let placed = faults.into_iter().map(|fault| fault.in_source(source));
    Err(placed.collect())
}

struct Reader {
    faults: Vec<Fault>,
}

impl Reader {
    fn bad(&mut self, span: Span, message: impl Into<String>) {
        self.faults
            .push(Diagnostic::at(Code::BadProfile, span, message));
    }

    fn wrong(&mut self, what: &str, expected: &str, node: &Node) {
        let message = format!("{what} must be {expected}, not {}", node.kind.in_words());
        self.bad(node.span, message);
    }

    /// The members of an object whose fields are all known.
    fn members<'n>(&mut self, what: &str, known: &[&str], node: &'n Node) -> &'n [(Key, Node)] {
        let Kind::Object(members) = &node.kind else {
            self.wrong(what, "an object", node);
            return &[];
        };
        for (key, _) in members {
            if known.contains(&key.text.as_str()) {
                continue;
            }
            let message = format!("{what} has no field {}", key.text);
            let fault = Diagnostic::at(Code::BadProfile, key.span, message);
            self.faults
                .push(match nearest(&key.text, known.iter().copied()) {
                    Some(near) => fault.help(format!("did you mean {near}?")),
                    None => fault.help(format!(
                        "the fields are {}",
                        quoted_list(known).replace(" or ", " and ")
                    )),
                });
        }
        members
    }

    /// A member that must be there.
    fn required<'n>(
        &mut self,
        what: &str,
        field: &str,
        members: &'n [(Key, Node)],
        whole: &Node,
    ) -> Option<&'n Node> {
        let found = member(members, field);
        if found.is_none() && matches!(whole.kind, Kind::Object(_)) {
            // At its closing brace, so that a misspelt field is told first.
            let end = whole.span.end;
            self.bad(
                Span::new(end.saturating_sub(1), end),
                format!("{what} has no {field}, which is required"),
            );
        }
        found
    }

    fn top(&mut self, node: &Node) -> Definitions {
        let members = self.members("a profiler", &TOP, node);
        let timestamp_field =
            member(members, "timestampField").and_then(|n| self.text("timestampField", n));
        let mut profiles = Vec::new();
        match member(members, "profiles") {
            Some(Node {
                kind: Kind::List(items),
                ..
            }) => {
                profiles = items
                    .iter()
                    .map(|item| Arc::new(self.profile(item)))
                    .collect();
            }
            Some(other) => self.wrong("profiles", "a list", other),
            None => {}
        }
        Definitions {
            profiles,
            timestamp_field: timestamp_field.map(|text| text.text),
        }
    }

    fn profile(&mut self, node: &Node) -> Definition {
        let members = self.members("a profile", &FIELDS, node);
        let name = self.required("the profile", "profile", members, node);
        let name = name.map(|n| self.text("profile", n));
        // Metron, too, goes on with a name that is null.
        let name = name.map_or_else(Default::default, |text| {
            text.map_or(SmolStr::new_static("null"), |t| t.text)
        });
        let what = match name.as_str() {
            "" => "the profile".to_string(),
            name => format!("the profile {name}"),
        };
        let foreach = self.required(&what, "foreach", members, node);
        let result = self.required(&what, "result", members, node);
        let (result, triage) = result.map(|n| self.result(n)).unwrap_or_default();
        let place = |field: &str| member(members, field).map_or(node.span, |n| n.span);
        let places = Places {
            whole: node.span,
            profile: place("profile"),
            expires: place("expires"),
            mergeable: place("mergeable"),
        };
        Definition {
            foreach: foreach
                .map(|n| self.expression("foreach", n))
                .unwrap_or_default(),
            only_if: match member(members, "onlyif") {
                Some(n) => self.expression("onlyif", n),
                None => Expression(Text::plain("true", node.span.start)),
            },
            init: self.expressions("init", member(members, "init")),
            update: self.expressions("update", member(members, "update")),
            group_by: self.list("groupBy", member(members, "groupBy")),
            result,
            triage,
            expires: member(members, "expires").and_then(|n| self.days(n)),
            description: member(members, "description")
                .and_then(|n| self.text("description", n))
                .map(|text| text.text),
            mergeable: member(members, "mergeable").and_then(|n| self.boolean("mergeable", n)),
            profile: name,
            places,
        }
    }

    fn result(&mut self, node: &Node) -> (Expression, Vec<(SmolStr, Expression)>) {
        match &node.kind {
            Kind::Text(text) => (Expression(text.clone()), Vec::new()),
            Kind::Null => Default::default(),
            Kind::Object(_) => {
                let members = self.members("result", &RESULT, node);
                let value = self.required("result", "profile", members, node);
                let value = value.map(|n| self.expression("the profile of result", n));
                let triage = self.expressions("triage", member(members, "triage"));
                (value.unwrap_or_default(), triage)
            }
            _ => {
                self.wrong(
                    "result",
                    "a string or an object with profile and triage",
                    node,
                );
                Default::default()
            }
        }
    }

    /// A text, or a scalar as it is written; `None` for null and for what is refused.
    fn text(&mut self, what: &str, node: &Node) -> Option<Text> {
        let start = node.span.start;
        match &node.kind {
            Kind::Text(text) => Some(text.clone()),
            Kind::Number(digits) => Some(Text::plain(digits, start)),
            Kind::Bool(b) => Some(Text::plain(if *b { "true" } else { "false" }, start)),
            Kind::Null => None,
            _ => {
                self.wrong(what, "a string", node);
                None
            }
        }
    }

    fn expression(&mut self, what: &str, node: &Node) -> Expression {
        let text = self.text(what, node);
        Expression(text.unwrap_or_else(|| Text::plain("", node.span.start)))
    }

    fn expressions(&mut self, what: &str, node: Option<&Node>) -> Vec<(SmolStr, Expression)> {
        match node {
            Some(Node {
                kind: Kind::Object(members),
                ..
            }) => {
                let one = |(key, value): &(Key, Node)| {
                    let what = format!("{} in {what}", key.text);
                    (key.text.clone(), self.expression(&what, value))
                };
                members.iter().map(one).collect()
            }
            None
            | Some(Node {
                kind: Kind::Null, ..
            }) => Vec::new(),
            Some(other) => {
                self.wrong(what, "an object of names and expressions", other);
                Vec::new()
            }
        }
    }

    fn list(&mut self, what: &str, node: Option<&Node>) -> Vec<Expression> {
        match node {
            Some(Node {
                kind: Kind::List(items),
                ..
            }) => {
                let what = format!("an element of {what}");
                items
                    .iter()
                    .map(|item| self.expression(&what, item))
                    .collect()
            }
            None
            | Some(Node {
                kind: Kind::Null, ..
            }) => Vec::new(),
            Some(other) => {
                self.wrong(what, "a list of expressions", other);
                Vec::new()
            }
        }
    }

    /// A whole number of days: a fraction is cut, a text is read.
    fn days(&mut self, node: &Node) -> Option<i64> {
        let whole = match &node.kind {
            Kind::Null => return None,
            Kind::Number(digits) => digits.parse().ok().or_else(|| cut(digits)),
            Kind::Text(text) => match text.text.trim() {
                "" => return None,
                digits => digits.parse().ok(),
            },
            _ => None,
        };
        if whole.is_none() {
            self.bad(node.span, "expires must be a whole number of days");
        }
        whole
    }

    fn boolean(&mut self, what: &str, node: &Node) -> Option<bool> {
        match &node.kind {
            Kind::Bool(b) => Some(*b),
            Kind::Null => None,
            _ => {
                self.wrong(what, "true or false", node);
                None
            }
        }
    }
}

fn member<'n>(members: &'n [(Key, Node)], field: &str) -> Option<&'n Node> {
    let mut found = members.iter().filter(|(key, _)| key.text == field);
    found.next().map(|(_, value)| value)
}

/// A number with a fraction without it.
fn cut(digits: &str) -> Option<i64> {
    let number: f64 = digits.parse().ok()?;
    // Both bounds are exact as doubles.
    (number >= i64::MIN as f64 && number < i64::MAX as f64).then_some(number as i64)
}
