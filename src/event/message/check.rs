//! Makes the values of a message what the format asks for, or says which are not.

use super::address::Address;
use super::number;
use super::schema::{Kind, Rule, Shape};
use super::tape::{Children, Node, Piece, Tape};
use super::{time, write};
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};

/// How many faults of one message are told.
const TOLD: usize = 8;

/// How much of a value a fault shows, in characters.
const SHOWN: usize = 60;

/// The check of one message.
struct Check<'a> {
    tape: &'a mut Tape,
    faults: Vec<String>,
}

/// Makes all values of a message what the format asks for. Errors: E0609 with the places of those that cannot be.
pub(super) fn check(tape: &mut Tape, members: Children) -> Outcome<Children> {
    let mut check = Check {
        tape,
        faults: Vec::new(),
    };
    let members = check.object(Shape::Message, members, None);
    let mut faults = check.faults.into_iter();
    match faults.next() {
        None => Ok(members),
        Some(first) => Err(bad(first, faults)),
    }
}

/// The fault of a message, and what else is wrong with it.
pub(super) fn bad(first: String, rest: impl Iterator<Item = String>) -> Fault {
    rest.fold(Diagnostic::new(Code::BadMessage, first), |fault, next| {
        fault.note(format!("also {next}"))
    })
}

/// A step from an object or a list inwards, by its place among the entries, so that no text is borrowed.
#[derive(Clone, Copy)]
struct Step {
    entry: usize,
    /// The index within a list.
    index: Option<usize>,
}

impl Check<'_> {
    /// All members of an object. Gives back those that are left.
    fn object(&mut self, shape: Shape, members: Children, outer: Option<Step>) -> Children {
        let mut gone = 0;
        for at in members.range() {
            let Some(&entry) = self.tape.entries.get(at) else {
                break;
            };
            let rule = self.tape.str(entry.key).and_then(|key| shape.rule(key));
            let step = Step {
                entry: at,
                index: None,
            };
            let node = match rule {
                None => Some(entry.node),
                // Python would store the word None.
                Some(Rule::One(Kind::Text)) if matches!(entry.node, Node::Null) => None,
                Some(Rule::One(kind)) => Some(self.one(kind, entry.node, outer, step)),
                Some(Rule::Many(kind)) => Some(self.many(kind, entry.node, outer, step)),
                Some(Rule::Inner(shape)) => Some(self.inner(shape, entry.node, outer, step)),
                Some(Rule::Each(shape)) => Some(self.each(shape, entry.node, outer, step)),
            };
            match node {
                None => gone += 1,
                Some(node) => {
                    if let Some(entry) = self.tape.entries.get_mut(at) {
                        entry.node = node;
                    }
                    if gone > 0 {
                        self.tape.entries.swap(at, at - gone);
                    }
                }
            }
        }
        members.shorter(gone)
    }

    fn one(&mut self, kind: Kind, node: Node, outer: Option<Step>, step: Step) -> Node {
        match self.converted(kind, node) {
            Some(node) => node,
            None => {
                let found = self.found(node);
                self.complain(outer, step, format!("{found} is no {kind}"));
                node
            }
        }
    }

    fn many(&mut self, kind: Kind, node: Node, outer: Option<Step>, step: Step) -> Node {
        self.all(node, "list", outer, step, |check, node, step| {
            check.one(kind, node, outer, step)
        })
    }

    fn inner(&mut self, shape: Shape, node: Node, outer: Option<Step>, step: Step) -> Node {
        let members = match node {
            Node::Map(members) => members,
            Node::Null => Children::default(),
            _ => return self.no(node, "object", outer, step),
        };
        // Objects with rules nest no deeper than this.
        Node::Map(self.object(shape, members, outer.or(Some(step))))
    }

    fn each(&mut self, shape: Shape, node: Node, outer: Option<Step>, step: Step) -> Node {
        self.all(node, "list of objects", outer, step, |check, node, step| {
            check.inner(shape, node, outer, step)
        })
    }

    /// A list, `what`, of which each item becomes what `made` makes of it.
    fn all(
        &mut self,
        node: Node,
        what: &str,
        outer: Option<Step>,
        step: Step,
        made: impl Fn(&mut Self, Node, Step) -> Node,
    ) -> Node {
        let Node::List(items) = node else {
            return self.no(node, what, outer, step);
        };
        for (index, at) in items.range().enumerate() {
            let Some(&entry) = self.tape.entries.get(at) else {
                break;
            };
            let step = Step {
                index: Some(index),
                ..step
            };
            let node = made(self, entry.node, step);
            if let Some(entry) = self.tape.entries.get_mut(at) {
                entry.node = node;
            }
        }
        node
    }

    #[cold]
    fn no(&mut self, node: Node, what: &str, outer: Option<Step>, step: Step) -> Node {
        let found = self.found(node);
        self.complain(outer, step, format!("{found} is no {what}"));
        node
    }

    /// The value as the kind has it; `None` where it cannot be.
    fn converted(&mut self, kind: Kind, node: Node) -> Option<Node> {
        match kind {
            Kind::Text => self.text(node),
            Kind::Boolean => Some(Node::Bool(match node {
                Node::Bool(b) => b,
                Node::Null => false,
                Node::Int(n) => n != 0,
                Node::Float(x) => x != 0.0,
                Node::Big(_) => true,
                _ => return None,
            })),
            Kind::Integer => self.integer(node),
            Kind::Float => self.float(node).map(Node::Float),
            Kind::Time => match node {
                Node::Text(span) => time::time(self.tape.str(span)?),
                Node::Time(time) => Some(time),
                other => time::seconds(self.float(other)?),
            }
            .map(Node::Time),
            Kind::Duration => match node {
                Node::Text(span) => time::duration(self.tape.str(span)?),
                other => time::duration_of(self.float(other)?),
            }
            .map(Node::Duration),
            Kind::Net4 | Kind::Net6 => {
                let address = self.address(kind, node)?;
                self.tape.addresses.push(address);
                Some(Node::Address(self.tape.addresses.len() as u32 - 1))
            }
            Kind::Protocol => match node {
                Node::Null | Node::List(_) | Node::Map(_) => None,
                other => Some(other),
            },
            Kind::Encoding => {
                let Node::Text(span) = node else { return None };
                kind.has_form(self.tape.str(span)?)
                    .then(|| Node::Text(self.tape.add("base64")))
            }
            _ => {
                let Node::Text(span) = node else { return None };
                kind.has_form(self.tape.str(span)?).then_some(node)
            }
        }
    }

    /// A value as Python's `str` gives it, for those that a text may come as.
    fn text(&mut self, node: Node) -> Option<Node> {
        let text = match node {
            Node::Text(_) => return Some(node),
            Node::Bool(true) => "True".to_string(),
            Node::Bool(false) => "False".to_string(),
            Node::Int(n) => n.to_string(),
            Node::Big(span) => return Some(Node::Text(span)),
            Node::Float(x) => float_text(x),
            _ => return None,
        };
        Some(Node::Text(self.tape.add(&text)))
    }

    /// A value as Python's `int` gives it.
    fn integer(&mut self, node: Node) -> Option<Node> {
        let digits = match node {
            Node::Int(_) | Node::Big(_) => return Some(node),
            Node::Bool(b) => return Some(Node::Int(b.into())),
            Node::Float(x) if x.is_finite() => match format!("{:.0}", x.trunc()) {
                zero if zero == "-0" => "0".to_string(),
                digits => digits,
            },
            Node::Text(span) => number::digits(self.tape.str(span)?)?,
            _ => return None,
        };
        Some(match digits.parse() {
            Ok(n) => Node::Int(n),
            Err(_) => Node::Big(self.tape.add(&digits)),
        })
    }

    /// A value as Python's `float` gives it.
    fn float(&mut self, node: Node) -> Option<f64> {
        match node {
            Node::Bool(b) => Some(f64::from(u8::from(b))),
            Node::Int(n) => Some(n as f64),
            Node::Float(x) => Some(x),
            Node::Big(span) => {
                let x: f64 = self.tape.str(span)?.parse().ok()?;
                x.is_finite().then_some(x)
            }
            Node::Text(span) => number::float(self.tape.str(span)?),
            _ => None,
        }
    }

    fn address(&mut self, kind: Kind, node: Node) -> Option<Address> {
        if let Node::Text(span) = node {
            let text = self.tape.str(span)?;
            return match kind {
                Kind::Net4 => Address::parse4(text),
                _ => Address::parse6(text),
            };
        }
        let number: u128 = match self.integer(node)? {
            Node::Int(n) => n.try_into().ok()?,
            Node::Big(span) => self.tape.str(span)?.parse().ok()?,
            _ => return None,
        };
        match kind {
            Kind::Net4 => Some(Address::One4(number.try_into().ok()?)),
            _ => Some(Address::One6(number)),
        }
    }

    /// A value as a fault shows it.
    #[cold]
    fn found(&self, node: Node) -> String {
        match node {
            Node::List(_) => return "a list".to_string(),
            Node::Map(_) => return "an object".to_string(),
            _ => {}
        }
        let mut json = Vec::new();
        write::write_node(self.tape, node, &mut json);
        let text = String::from_utf8_lossy(&json);
        match text.char_indices().nth(SHOWN) {
            None => text.into_owned(),
            Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        }
    }

    #[cold]
    fn complain(&mut self, outer: Option<Step>, step: Step, what: String) {
        if self.faults.len() >= TOLD {
            return;
        }
        let mut place = String::new();
        for step in outer.into_iter().chain([step]) {
            let key = self.tape.entries.get(step.entry).map(|entry| entry.key);
            let (Piece::Text(key) | Piece::Half(key)) =
                self.tape.piece(key.unwrap_or(super::tape::NO_KEY));
            if !place.is_empty() {
                place.push('.');
            }
            place.push_str(key);
            if let Some(index) = step.index {
                place.push_str(&format!("[{index}]"));
            }
        }
        self.faults.push(format!("{place}: {what}"));
    }
}

/// A number as Python's `str` gives it.
pub(super) fn float_text(x: f64) -> String {
    match (x.is_nan(), x.is_infinite()) {
        (true, _) => "nan".to_string(),
        (_, true) => if x > 0.0 { "inf" } else { "-inf" }.to_string(),
        _ => {
            let mut text = Vec::new();
            number::write_float(&mut text, x);
            String::from_utf8_lossy(&text).into_owned()
        }
    }
}
