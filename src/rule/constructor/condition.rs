//! Conditions: a flat list whose members name their parents, and their operands.

use super::read::{Fields, Reader, shown};
use super::{MAX_DEPTH, lua};
use indexmap::IndexMap;
use serde_json::Value as Json;

/// The functions of comparisons: names, and what they become.
const FUNCTIONS: &[(&[&str], Compare)] = &[
    (&["eq", "equal", "=="], Compare::Order("EQ")),
    (&["neq", "ne", "not_eq", "!=", "~="], Compare::Order("NE")),
    (&["gt", ">"], Compare::Order("GT")),
    (&["gte", "ge", ">="], Compare::Order("GE")),
    (&["lt", "<"], Compare::Order("LT")),
    (&["lte", "le", "<="], Compare::Order("LE")),
    (
        &["contains", "substr", "substring", "like"],
        Compare::Part(""),
    ),
    (
        &["prefix", "starts_with", "startsWith"],
        Compare::Part(", \"pref\""),
    ),
    (
        &["suffix", "ends_with", "endsWith"],
        Compare::Part(", \"suff\""),
    ),
    (&["regex", "regexp", "search", "match"], Compare::Search),
    (&["in", "in_list", "inList"], Compare::List("")),
    (
        &["in_sub", "contains_sub", "list_sub"],
        Compare::List(", \"sub\""),
    ),
    (
        &["in_prefix", "contains_prefix", "list_prefix"],
        Compare::List(", \"prefix\""),
    ),
    (
        &["in_suffix", "contains_suffix", "list_suffix"],
        Compare::List(", \"suffix\""),
    ),
];

#[derive(Debug, Clone, Copy)]
enum Compare {
    /// `compare` with a constant.
    Order(&'static str),
    /// `substr` with a mode.
    Part(&'static str),
    Search,
    /// `contains` with a mode; the list comes first.
    List(&'static str),
}

/// How groups join what is in them.
const GROUPS: &[(&str, Option<&str>)] = &[
    ("and-condition", Some("and")),
    ("or-condition", Some("or")),
    ("and", Some("and")),
    ("or", Some("or")),
    ("group-condition", None),
    ("condition-group", None),
    ("group", None),
];

/// A condition before its place is known.
struct Node {
    path: String,
    parent: Option<String>,
    negated: bool,
    content: Content,
}

enum Content {
    /// An expression of Lua.
    Test(String),
    /// `and` or `or`
    Group(&'static str),
}

/// All conditions as one expression; nothing when there are none.
pub(super) fn compile(reader: &mut Reader, whole: &Fields<'_>) -> Option<String> {
    let mut nodes: IndexMap<String, Node> = IndexMap::new();
    for (item, path) in reader.list(whole, "conditions") {
        let Some(fields) = reader.object(item, &path) else {
            continue;
        };
        let id = match fields.get("id") {
            Some(Json::String(id)) if !id.is_empty() => id.clone(),
            _ => {
                reader.wrong(&fields.path("id"), "must be a text that is not empty");
                continue;
            }
        };
        if nodes.contains_key(&id) {
            reader.wrong(
                &fields.path("id"),
                format!("{id:?} is the id of another condition"),
            );
            continue;
        }
        if let Some(node) = node(reader, &fields, path) {
            nodes.insert(id, node);
        }
    }
    if !reader.wrong.is_empty() {
        return None;
    }
    let mut children: IndexMap<Option<&str>, Vec<&str>> = IndexMap::new();
    for (id, node) in &nodes {
        let place = format!("{}.parentId", node.path);
        match node.parent.as_deref() {
            None => {}
            Some(parent) => match nodes.get(parent).map(|parent| &parent.content) {
                Some(Content::Group(_)) => {}
                Some(Content::Test(_)) => {
                    reader.wrong(&place, "the parent compares and holds no conditions");
                }
                None => reader.wrong(&place, format!("there is no condition {parent:?}")),
            },
        }
        let parent = node.parent.as_deref();
        children.entry(parent).or_default().push(id);
    }
    if !reader.wrong.is_empty() {
        return None;
    }
    let mut walk = Walk {
        nodes: &nodes,
        children: &children,
        reached: 0,
    };
    let roots = children.get(&None).map_or(&[] as &[&str], Vec::as_slice);
    let text = walk.joined(reader, roots, "and", 0);
    if reader.wrong.is_empty() && walk.reached < nodes.len() {
        reader.wrong(
            &whole.path("conditions"),
            "some conditions are their own parents",
        );
    }
    text
}

struct Walk<'n> {
    nodes: &'n IndexMap<String, Node>,
    children: &'n IndexMap<Option<&'n str>, Vec<&'n str>>,
    reached: usize,
}

impl Walk<'_> {
    fn joined(
        &mut self,
        reader: &mut Reader,
        ids: &[&str],
        word: &str,
        depth: usize,
    ) -> Option<String> {
        let mut texts = Vec::new();
        for id in ids {
            let Some(node) = self.nodes.get(*id) else {
                continue;
            };
            self.reached += 1;
            if depth > MAX_DEPTH {
                let reason = format!("stands more than {MAX_DEPTH} deep");
                reader.wrong(&node.path, reason);
                return None;
            }
            let text = match &node.content {
                Content::Test(text) => text.clone(),
                Content::Group(word) => {
                    let inner = self.children.get(&Some(*id));
                    let inner = inner.map_or(&[] as &[&str], Vec::as_slice);
                    match self.joined(reader, inner, word, depth + 1) {
                        Some(text) if inner.len() > 1 => format!("({text})"),
                        Some(text) => text,
                        None => {
                            reader.wrong(&node.path, "a group without conditions");
                            continue;
                        }
                    }
                }
            };
            texts.push(match node.negated {
                true => format!("not ({text})"),
                false => text,
            });
        }
        (!texts.is_empty()).then(|| texts.join(&format!(" {word} ")))
    }
}

fn node(reader: &mut Reader, fields: &Fields<'_>, path: String) -> Option<Node> {
    let parent = reader.text(fields, "parentId");
    let negated = reader.boolean(fields, "negation").unwrap_or(false);
    let kind = reader.needed(fields, "type")?;
    let group = GROUPS.iter().find(|(known, _)| *known == kind);
    let content = match (kind.as_str(), group) {
        ("compare-condition", _) => {
            let known = [
                "type",
                "id",
                "parentId",
                "negation",
                "compareFn",
                "expressions",
                "ignoreCase",
                "ignore_case",
            ];
            reader.only(fields, &known);
            Content::Test(comparison(reader, fields)?)
        }
        (_, Some((_, word))) => {
            reader.only(
                fields,
                &["type", "id", "parentId", "negation", "operator", "logic"],
            );
            Content::Group(group_word(reader, fields, *word)?)
        }
        _ => {
            let reason =
                format!("must be compare-condition, and-condition or or-condition, not {kind:?}");
            reader.wrong(&fields.path("type"), reason);
            return None;
        }
    };
    Some(Node {
        path,
        parent,
        negated,
        content,
    })
}

fn group_word(
    reader: &mut Reader,
    fields: &Fields<'_>,
    word: Option<&'static str>,
) -> Option<&'static str> {
    let named = ["operator", "logic"]
        .into_iter()
        .find_map(|name| Some((name, reader.text(fields, name)?)));
    match (word, named) {
        (Some(word), None) => Some(word),
        (None, None) => {
            reader.wrong(&fields.path("operator"), "must be and or or");
            None
        }
        (word, Some((name, text))) => {
            let said = match text.to_ascii_lowercase().as_str() {
                "and" => "and",
                "or" => "or",
                _ => {
                    reader.wrong(
                        &fields.path(name),
                        format!("must be and or or, not {text:?}"),
                    );
                    return None;
                }
            };
            if word.is_some_and(|word| word != said) {
                reader.wrong(&fields.path(name), "does not go with the type of the group");
            }
            Some(said)
        }
    }
}

fn comparison(reader: &mut Reader, fields: &Fields<'_>) -> Option<String> {
    let name = reader.needed(fields, "compareFn")?;
    let folded = reader.boolean(fields, "ignoreCase").unwrap_or(false)
        || reader.boolean(fields, "ignore_case").unwrap_or(false);
    let compare = FUNCTIONS
        .iter()
        .find(|(names, _)| names.contains(&name.as_str()));
    let Some((_, compare)) = compare else {
        let names: Vec<&str> = FUNCTIONS
            .iter()
            .filter_map(|(names, _)| names.first().copied())
            .collect();
        let reason = format!("must be one of {}, not {name:?}", names.join(", "));
        reader.wrong(&fields.path("compareFn"), reason);
        return None;
    };
    let items = reader.list(fields, "expressions");
    let expressions = fields.path("expressions");
    if items.is_empty() {
        reader.wrong(&expressions, "lacks operands");
        return None;
    }
    let listed = matches!(compare, Compare::List(_));
    if items.len() > 2 && !listed {
        reader.wrong(
            &expressions,
            format!("{name} compares two operands, not {}", items.len()),
        );
        return None;
    }
    if items.len() == 1 {
        reader.note(
            &expressions,
            "has one operand; it is compared with the empty text",
        );
    }
    let mut operands = Vec::new();
    for (item, path) in items {
        operands.push(operand(
            reader,
            item,
            &path,
            listed && !operands.is_empty(),
        )?);
    }
    let mut operands = operands.into_iter();
    let first = operands.next()?;
    let rest: Vec<Operand> = operands.collect();
    let second = rest.first().cloned().unwrap_or_else(Operand::nothing);
    Some(match compare {
        Compare::Order(constant) => {
            let flag = if folded { " | IGNORE_CASE" } else { "" };
            format!("compare({}, {constant}{flag}, {})", first.lua, second.lua)
        }
        Compare::Part(mode) => {
            let (first, second) = (first.text(folded), second.text(folded));
            format!("substr({first}, {second}{mode})")
        }
        Compare::Search => {
            let pattern = match (folded, &second.literal) {
                (false, _) => second.text(false),
                (true, Some(text)) => lua::text(&format!("(?i){text}")),
                (true, None) => format!("\"(?i)\" .. {}", second.text(false)),
            };
            if let Some(text) = &second.literal
                && let Err(fault) = crate::rule::regexp::compile(text)
            {
                reader.wrong(&format!("{expressions}[1].value"), fault.message);
            }
            format!("search({}, {pattern})", first.text(false))
        }
        Compare::List(mode) => {
            let items = rest.iter().flat_map(|operand| match &operand.list {
                None => vec![operand.clone()],
                Some(list) => list.clone(),
            });
            let items: Vec<String> = items.map(|item| item.text(folded)).collect();
            format!(
                "contains({{{}}}, {}{mode})",
                items.join(", "),
                first.text(folded)
            )
        }
    })
}

/// One side of a comparison.
#[derive(Debug, Clone, Default)]
pub(super) struct Operand {
    /// As it stands.
    pub lua: String,
    /// Its text if it is a literal.
    literal: Option<String>,
    /// Whether it is a text in any case.
    textual: bool,
    /// The elements if it is a literal list.
    list: Option<Vec<Operand>>,
}

impl Operand {
    fn nothing() -> Operand {
        Operand::of_text("")
    }

    fn of_text(text: &str) -> Operand {
        Operand {
            lua: lua::text(text),
            literal: Some(text.to_string()),
            textual: true,
            list: None,
        }
    }

    /// As a text, in small letters if asked for.
    fn text(&self, lower: bool) -> String {
        match (&self.literal, self.textual, lower) {
            (Some(text), _, true) => lua::text(&text.to_lowercase()),
            (Some(text), ..) => lua::text(text),
            (None, true, true) => format!("{}:lower()", self.lua),
            (None, true, false) => self.lua.clone(),
            (None, false, true) => format!("tostring({} or \"\"):lower()", self.lua),
            (None, false, false) => format!("tostring({} or \"\")", self.lua),
        }
    }
}

/// An operand by its type.
pub(super) fn operand(
    reader: &mut Reader,
    json: &Json,
    path: &str,
    lists: bool,
) -> Option<Operand> {
    let fields = reader.object(json, path)?;
    let kind = reader.needed(&fields, "type")?;
    match kind.as_str() {
        "logline-get" => {
            reader.only(&fields, &["type", "value"]);
            let field = reader.needed(&fields, "value")?;
            Some(Operand {
                lua: format!("logline:gets({}, \"\")", lua::text(&field)),
                textual: true,
                ..Operand::default()
            })
        }
        "store-get" => {
            reader.only(&fields, &["type", "store", "key", "column"]);
            let store = reader.needed(&fields, "store")?;
            let column = reader.needed(&fields, "column")?;
            let path = fields.path("key");
            let key = match fields.get("key") {
                Some(Json::String(text)) => Operand::of_text(text),
                Some(json) => operand(reader, json, &path, false)?,
                None => {
                    reader.wrong(&path, "is missing");
                    return None;
                }
            };
            Some(Operand {
                lua: format!(
                    "{}:get({}, {})",
                    reader.store(&store),
                    key.text(false),
                    lua::text(&column)
                ),
                ..Operand::default()
            })
        }
        "value" => {
            reader.only(&fields, &["type", "value"]);
            let path = fields.path("value");
            literal(
                reader,
                fields.get("value").unwrap_or(&Json::Null),
                &path,
                lists,
            )
        }
        _ => {
            let reason = format!("must be logline-get, value or store-get, not {kind:?}");
            reader.wrong(&fields.path("type"), reason);
            None
        }
    }
}

/// A constant; `lists` says that it may be a list of such.
fn literal(reader: &mut Reader, json: &Json, path: &str, lists: bool) -> Option<Operand> {
    match json {
        Json::String(text) => Some(Operand::of_text(text)),
        Json::Number(number) => Some(Operand {
            lua: number.to_string(),
            literal: Some(number.to_string()),
            ..Operand::default()
        }),
        Json::Bool(truth) => Some(Operand {
            lua: truth.to_string(),
            literal: Some(truth.to_string()),
            ..Operand::default()
        }),
        Json::Array(items) if lists => {
            let mut list = Vec::new();
            for (i, item) in items.iter().enumerate() {
                list.push(literal(reader, item, &format!("{path}[{i}]"), false)?);
            }
            Some(Operand {
                list: Some(list),
                ..Operand::default()
            })
        }
        other => {
            let reason = format!(
                "must be a text, a number or a boolean, not {}",
                shown(other)
            );
            reader.wrong(path, reason);
            None
        }
    }
}
