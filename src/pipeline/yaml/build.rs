//! From the parser's events to nodes.

use super::resolve;
use super::{Kind, Node};
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome, Source, Span};
use crate::eval::Value;
use granit_parser::{Event, Parser, ScalarStyle, Tag};
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

/// How large a document may be.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How deep lists and maps may nest.
    pub depth: usize,
    /// How many nodes there may be, those behind aliases counted each time.
    pub nodes: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            depth: 200,
            nodes: 1_000_000,
        }
    }
}

/// Reads a text that holds one document; `None` when it holds none. Errors: E0409 with the place.
pub fn read(source: &Arc<Source>, limits: Limits) -> Outcome<Option<Node>> {
    read_noting(source, limits, &mut Vec::new())
}

/// As [`read`]; `twice` gets the places of keys that their maps had before.
pub fn read_noting(
    source: &Arc<Source>,
    limits: Limits,
    twice: &mut Vec<Span>,
) -> Outcome<Option<Node>> {
    let built = Builder::new(&source.text, limits, twice).document();
    built.map_err(|fault| fault.in_source(source))
}

/// What begins the full names of YAML's own tags.
const YAML: &str = "tag:yaml.org,2002:";

/// A list or map that is not complete yet.
struct Open {
    start: Span,
    anchor: usize,
    map: bool,
    items: Vec<Node>,
}

struct Builder<'s> {
    text: &'s str,
    limits: Limits,
    open: Vec<Open>,
    anchors: HashMap<usize, (Node, usize)>,
    /// The anchors of collections that are still open.
    pending: Vec<usize>,
    nodes: usize,
    root: Option<Node>,
    /// Where keys stand that their maps had before.
    twice: &'s mut Vec<Span>,
}

impl<'s> Builder<'s> {
    fn new(text: &'s str, limits: Limits, twice: &'s mut Vec<Span>) -> Builder<'s> {
        Builder {
            text,
            limits,
            open: Vec::new(),
            anchors: HashMap::new(),
            pending: Vec::new(),
            nodes: 0,
            root: None,
            twice,
        }
    }

    fn document(mut self) -> Outcome<Option<Node>> {
        let text = self.text;
        let mut parser = Parser::new_from_str(text);
        let mut documents = 0;
        while let Some(event) = parser.next_event() {
            let (event, span) = event.map_err(|error| {
                let at = error.marker().byte_offset().unwrap_or(0).min(text.len());
                bad(
                    Span::new(at, at),
                    format!("this is no YAML: {}", error.info()),
                )
            })?;
            let span = span
                .byte_range()
                .map_or(Span::new(0, 0), |range| Span::new(range.start, range.end));
            match event {
                Event::DocumentStart(..) => {
                    documents += 1;
                    if documents > 1 {
                        return Err(bad(span, "a second document begins here").help(
                            "write one document into a file; `include` joins several files",
                        ));
                    }
                }
                Event::Alias(id) => self.alias(id, span)?,
                Event::Scalar(text, style, anchor, tag) => {
                    let value =
                        scalar(&text, style, tag.as_deref()).map_err(|why| bad(span, why))?;
                    self.put(
                        Node {
                            kind: Kind::Scalar(value),
                            span,
                        },
                        1,
                        anchor,
                    )?;
                }
                Event::SequenceStart(_, anchor, tag) => {
                    self.begin(span, anchor, false, tag.as_ref())?
                }
                Event::MappingStart(_, anchor, tag) => {
                    self.begin(span, anchor, true, tag.as_ref())?
                }
                Event::SequenceEnd | Event::MappingEnd => self.end(span)?,
                _ => {}
            }
        }
        Ok(self.root)
    }

    fn begin(
        &mut self,
        start: Span,
        anchor: usize,
        map: bool,
        tag: Option<&Cow<'_, Tag>>,
    ) -> Outcome<()> {
        if self.open.len() >= self.limits.depth {
            return Err(bad(
                start,
                format!("lists and maps nest deeper than {}", self.limits.depth),
            ));
        }
        let usual = if map { "map" } else { "seq" };
        if let Some(tag) = tag
            && tag.suffix_in_namespace(YAML).as_deref() != Some(usual)
        {
            return Err(bad(
                start,
                format!("the tag {} is not known here", tag.original()),
            ));
        }
        if anchor != 0 {
            self.pending.push(anchor);
        }
        self.open.push(Open {
            start,
            anchor,
            map,
            items: Vec::new(),
        });
        Ok(())
    }

    fn end(&mut self, end: Span) -> Outcome<()> {
        let Some(done) = self.open.pop() else {
            return Err(bad(end, "this closes nothing"));
        };
        if done.anchor != 0 {
            self.pending.retain(|anchor| *anchor != done.anchor);
        }
        // The end of a block stands at the next token; what was inside ends before.
        let last = done.items.last().map_or(end.end, |node| node.span.end);
        let flow = end.end > end.start;
        let span = Span::new(
            done.start.start,
            if flow {
                end.end
            } else {
                last.max(done.start.end)
            },
        );
        let kind = if done.map {
            Kind::Map(entries(done.items, self.twice)?)
        } else {
            Kind::List(done.items)
        };
        let node = Node { kind, span };
        let size = if done.anchor != 0 { count(&node) } else { 1 };
        self.put(node, size, done.anchor)
    }

    fn alias(&mut self, id: usize, span: Span) -> Outcome<()> {
        let Some((node, size)) = self.anchors.get(&id) else {
            let message = if self.pending.contains(&id) {
                "a value cannot hold itself"
            } else {
                "there is no such anchor"
            };
            return Err(bad(span, message));
        };
        let node = Node {
            kind: node.kind.clone(),
            span,
        };
        let size = *size;
        self.put(node, size, 0)
    }

    /// Puts a complete node where it belongs; `size` is how many nodes come with it.
    fn put(&mut self, node: Node, size: usize, anchor: usize) -> Outcome<()> {
        self.nodes += size;
        if self.nodes > self.limits.nodes {
            return Err(bad(
                node.span,
                format!("the document has more than {} values", self.limits.nodes),
            ));
        }
        if anchor != 0 {
            self.anchors.insert(anchor, (node.clone(), size));
        }
        match self.open.last_mut() {
            Some(open) => open.items.push(node),
            None => self.root = Some(node),
        }
        Ok(())
    }
}

fn bad(span: Span, message: impl Into<String>) -> Fault {
    Diagnostic::at(Code::BadPipeline, span, message)
}

fn count(node: &Node) -> usize {
    1 + match &node.kind {
        Kind::Scalar(_) => 0,
        Kind::List(items) => items.iter().map(count).sum(),
        Kind::Map(entries) => entries.iter().map(|(_, node)| 1 + count(node)).sum(),
    }
}

fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Result<Value, String> {
    match tag {
        // `!` alone makes a text of anything.
        Some(tag) if tag.original() == "!" => Ok(Value::text(text)),
        Some(tag) => match tag.suffix_in_namespace(YAML) {
            Some(name) => resolve::tagged(&name, text),
            None => Err(format!("the tag {} is not known here", tag.original())),
        },
        None if style == ScalarStyle::Plain => resolve::plain(text),
        None => Ok(Value::text(text)),
    }
}

/// The entries of a map out of its keys and values in turn: of equal keys the last value wins, at the first one's place.
fn entries(items: Vec<Node>, twice: &mut Vec<Span>) -> Outcome<Vec<(Node, Node)>> {
    let mut merged = Vec::new();
    let mut own = Vec::new();
    let mut items = items.into_iter();
    while let (Some(key), Some(value)) = (items.next(), items.next()) {
        // A quoted `<<` would be a key; the parser no longer tells, and nobody has such keys.
        if key.as_text() == Some("<<") {
            merge(value, &mut merged)?;
            continue;
        }
        if !matches!(key.kind, Kind::Scalar(_)) {
            return Err(bad(key.span, format!("{} cannot be a key", key.in_words())));
        }
        own.push((key, value));
    }
    let mut places: HashMap<String, (usize, bool)> = HashMap::new();
    let mut entries: Vec<(Node, Node)> = Vec::with_capacity(merged.len() + own.len());
    let merged = merged.into_iter().map(|entry| (entry, false));
    for ((key, value), is_own) in merged.chain(own.into_iter().map(|entry| (entry, true))) {
        let name = identity(&key);
        let known = places.get_mut(&name);
        match known.and_then(|(place, had)| Some((entries.get_mut(*place)?, had))) {
            Some((entry, had)) => {
                if *had && is_own {
                    twice.push(key.span);
                }
                *had |= is_own;
                entry.1 = value;
            }
            None => {
                places.insert(name, (entries.len(), is_own));
                entries.push((key, value));
            }
        }
    }
    Ok(entries)
}

/// Equal keys have equal texts here: 1, 1.0 and true are one key in Python.
fn identity(key: &Node) -> String {
    match &key.kind {
        Kind::Scalar(Value::Text(text)) => format!("t{text}"),
        Kind::Scalar(Value::Null) => "n".to_owned(),
        Kind::Scalar(Value::Bool(truth)) => format!("{}", f64::from(u8::from(*truth))),
        Kind::Scalar(Value::Int(n)) => format!("{}", f64::from(*n)),
        Kind::Scalar(Value::Double(n)) => format!("{n}"),
        Kind::Scalar(Value::Long(n)) => format!("{n}"),
        Kind::Scalar(other) => format!("o{other:?}"),
        _ => String::new(),
    }
}

/// Adds the entries of what `<<` names: a map, or a list of maps of which the first wins.
fn merge(value: Node, into: &mut Vec<(Node, Node)>) -> Outcome<()> {
    match value.kind {
        Kind::Map(entries) => into.extend(entries),
        Kind::List(maps) => {
            for map in maps.into_iter().rev() {
                match map.kind {
                    Kind::Map(entries) => into.extend(entries),
                    _ => return Err(bad(map.span, "`<<` joins maps only")),
                }
            }
        }
        Kind::Scalar(_) => return Err(bad(value.span, "`<<` joins maps only")),
    }
    Ok(())
}
