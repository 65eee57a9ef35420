//! The functions of templates.

use super::escape;
use super::item::Item;
use crate::eval::Value;
use crate::rule::format::{self, Arg, Output};
use smol_str::SmolStr;
use std::cmp::Ordering;

/// A function by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    And,
    Call,
    Eq,
    Ge,
    Gt,
    Html,
    Index,
    Join,
    Js,
    Le,
    Len,
    Lt,
    Ne,
    Not,
    Or,
    Print,
    Printf,
    Println,
    Slice,
    Urlquery,
}

use Function::*;

/// Name, function, fewest arguments, and most unless there is no limit.
const FUNCTIONS: &[(&str, Function, usize, Option<usize>)] = &[
    ("and", And, 1, None),
    ("call", Call, 1, None),
    ("eq", Eq, 1, None),
    ("ge", Ge, 2, Some(2)),
    ("gt", Gt, 2, Some(2)),
    ("html", Html, 0, None),
    ("index", Index, 1, None),
    ("join", Join, 2, Some(2)),
    ("js", Js, 0, None),
    ("le", Le, 2, Some(2)),
    ("len", Len, 1, Some(1)),
    ("lt", Lt, 2, Some(2)),
    ("ne", Ne, 2, Some(2)),
    ("not", Not, 1, Some(1)),
    ("or", Or, 1, None),
    ("print", Print, 0, None),
    ("printf", Printf, 1, None),
    ("println", Println, 0, None),
    ("slice", Slice, 1, None),
    ("urlquery", Urlquery, 0, None),
];

/// The names of all functions.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    FUNCTIONS.iter().map(|(name, ..)| *name)
}

/// The function of a name.
pub(super) fn find(name: &str) -> Option<Function> {
    let found = FUNCTIONS.iter().find(|(known, ..)| *known == name);
    found.map(|(_, function, ..)| *function)
}

impl Function {
    /// Its name.
    pub fn name(self) -> &'static str {
        let found = FUNCTIONS.iter().find(|(_, known, ..)| *known == self);
        found.map_or("", |(name, ..)| name)
    }

    /// Says what is wrong with a number of arguments, if anything is.
    pub fn check_count(self, count: usize) -> Result<(), String> {
        let found = FUNCTIONS.iter().find(|(_, known, ..)| *known == self);
        let Some((name, _, least, most)) = found else {
            return Ok(());
        };
        match most {
            Some(most) if count < *least || count > *most => Err(format!(
                "{name} takes {least} argument{}, not {count}",
                if *least == 1 { "" } else { "s" }
            )),
            None if count < *least => Err(format!("{name} takes at least {least} argument")),
            _ => Ok(()),
        }
    }

    /// Calls it; `and` and `or` are not called this way, for they do not look at all their arguments.
    pub fn call(self, arguments: &[Item], most: usize) -> Result<Item, String> {
        match (self, arguments) {
            (And | Or, [.., last]) => Ok(last.clone()),
            (Not, [item]) => Ok(Item::Bool(!item.truth())),
            (Len, [item]) => match item.length() {
                Some(length) => Ok(Item::Int(i64::try_from(length).unwrap_or(i64::MAX))),
                None => Err(format!("{} has no length", item.kind())),
            },
            (Index, [item, keys @ ..]) => keys
                .iter()
                .try_fold(item.clone(), |item, key| index(&item, key))
                .and_then(|found| match (found, keys.is_empty()) {
                    (Item::Missing | Item::Nil, true) => Err("nil has no elements".to_string()),
                    (found, _) => Ok(found),
                }),
            (Slice, [item, bounds @ ..]) => slice(item, bounds),
            (Eq, [_]) => Err("eq lacks something to compare with".to_string()),
            (Eq, [first, others @ ..]) => {
                for other in others {
                    if equal(first, other)? {
                        return Ok(Item::Bool(true));
                    }
                }
                Ok(Item::Bool(false))
            }
            (Ne, [a, b]) => Ok(Item::Bool(!equal(a, b)?)),
            (Lt, [a, b]) => Ok(Item::Bool(order(a, b)? == Some(Ordering::Less))),
            (Le, [a, b]) => Ok(Item::Bool(at_most(a, b)?)),
            (Gt, [a, b]) => Ok(Item::Bool(!at_most(a, b)?)),
            (Ge, [a, b]) => Ok(Item::Bool(order(a, b)? != Some(Ordering::Less))),
            (Print, items) => printed(items, most, format::print),
            (Println, items) => printed(items, most, format::println),
            (Printf, [Item::Text(text), items @ ..]) => printed(items, most, |out, args| {
                format::printf(out, text.as_bytes(), args)
            }),
            (Printf, [other, ..]) => Err(format!("the format of printf is {}", other.kind())),
            (Html, items) => Ok(Item::Text(escape::html(&shown(items, most)?).into())),
            (Js, items) => Ok(Item::Text(escape::js(&shown(items, most)?).into())),
            (Urlquery, items) => Ok(Item::Text(escape::urlquery(&shown(items, most)?).into())),
            (Join, [Item::Text(between), list]) => join(between, list, most),
            (Join, [list, Item::Text(between)]) => join(between, list, most),
            (Join, [other, _]) => Err(format!("join puts a text between, not {}", other.kind())),
            (Call, _) => Err("there is nothing that could be called".to_string()),
            (function, _) => Err(format!("{} lacks arguments", function.name())),
        }
    }
}

/// A text that is too long is cut by its maker; the writer then says so.
fn text_of(out: Output) -> Result<Item, String> {
    match out.is_over() {
        true => Err("the text is too long".to_string()),
        false => {
            let text = String::from_utf8_lossy(&out.finish()).into_owned();
            Ok(Item::Text(SmolStr::from(text)))
        }
    }
}

fn printed(
    items: &[Item],
    most: usize,
    print: impl FnOnce(&mut Output, &[Arg<'_>]),
) -> Result<Item, String> {
    let mut out = Output::new(most);
    let args: Vec<Arg<'_>> = items.iter().map(Item::arg).collect();
    print(&mut out, &args);
    text_of(out)
}

/// What `html` and its like work on.
fn shown(items: &[Item], most: usize) -> Result<SmolStr, String> {
    if let [Item::Text(text)] = items {
        return Ok(text.clone());
    }
    let none = Item::Text(SmolStr::new_static("<no value>"));
    let items: Vec<Item> = items
        .iter()
        .map(|item| match item {
            Item::Missing | Item::Nil => none.clone(),
            other => other.clone(),
        })
        .collect();
    match printed(&items, most, format::print)? {
        Item::Text(text) => Ok(text),
        _ => Ok(SmolStr::default()),
    }
}

/// A whole number; one that came out of JSON counts if it is whole.
fn position(item: &Item, last: usize) -> Result<usize, String> {
    let number = match item {
        Item::Int(number) => *number,
        Item::Byte(number) => i64::from(*number),
        Item::Float(number) if number.fract() == 0.0 && number.abs() < 1e15 => *number as i64,
        other => return Err(format!("{} is no index", other.kind())),
    };
    usize::try_from(number)
        .ok()
        .filter(|number| *number <= last)
        .ok_or_else(|| format!("the index {number} is out of range"))
}

fn index(item: &Item, key: &Item) -> Result<Item, String> {
    let outside = |at: usize| format!("the index {at} is out of range");
    match item {
        Item::Missing | Item::Nil => Err("nil has no elements".to_string()),
        Item::Text(text) => {
            let at = position(key, text.len())?;
            let byte = text.as_bytes().get(at);
            byte.map(|byte| Item::Byte(*byte))
                .ok_or_else(|| outside(at))
        }
        Item::Value(Value::Map(map)) => match key {
            Item::Text(name) => Ok(map.get_text(name).map_or(Item::Nil, Item::from)),
            other => Err(format!("{} is no key of a map", other.kind())),
        },
        Item::Value(_) => {
            let elements = item.elements().unwrap_or_default();
            let at = position(key, elements.len())?;
            let found = elements.into_iter().nth(at);
            found.map(Item::from).ok_or_else(|| outside(at))
        }
        other => Err(format!("{} has no elements", other.kind())),
    }
}

fn slice(item: &Item, bounds: &[Item]) -> Result<Item, String> {
    let length = match (item, item.length()) {
        (Item::Missing | Item::Nil, _) => return Err("nil has no parts".to_string()),
        (Item::Value(Value::Map(_)), _) | (_, None) => {
            return Err(format!("{} has no parts", item.kind()));
        }
        (_, Some(length)) => length,
    };
    let text = matches!(item, Item::Text(_));
    if bounds.len() > 3 || (text && bounds.len() == 3) {
        return Err("slice takes fewer bounds here".to_string());
    }
    let mut places = [0, length, length];
    for (place, bound) in places.iter_mut().zip(bounds) {
        *place = position(bound, length)?;
    }
    let [start, end, most] = places;
    if start > end || end > most {
        return Err(format!("the part from {start} to {end} is out of range"));
    }
    match item {
        Item::Text(text) => {
            let part = text.as_bytes().get(start..end).unwrap_or_default();
            Ok(Item::Text(SmolStr::from(String::from_utf8_lossy(part))))
        }
        _ => {
            let elements = item.elements().unwrap_or_default();
            let part = elements.get(start..end).unwrap_or_default();
            Ok(Item::Value(Value::from(part.to_vec())))
        }
    }
}

/// Two numbers as such; two of the same kind are compared without going through floating point.
fn numbers(a: &Item, b: &Item) -> Option<Option<Ordering>> {
    let whole = |item: &Item| match item {
        Item::Int(number) => Some(*number),
        Item::Byte(number) => Some(i64::from(*number)),
        _ => None,
    };
    let float = |item: &Item| match item {
        Item::Float(number) => Some(*number),
        other => whole(other).map(|number| number as f64),
    };
    match (whole(a), whole(b)) {
        (Some(a), Some(b)) => Some(Some(a.cmp(&b))),
        _ => Some(float(a)?.partial_cmp(&float(b)?)),
    }
}

fn equal(a: &Item, b: &Item) -> Result<bool, String> {
    if let Some(order) = numbers(a, b) {
        return Ok(order == Some(Ordering::Equal));
    }
    let nothing = |item: &Item| matches!(item, Item::Missing | Item::Nil);
    match (a, b) {
        (Item::Bool(a), Item::Bool(b)) => Ok(a == b),
        (Item::Text(a), Item::Text(b)) => Ok(a == b),
        (a, b) if nothing(a) || nothing(b) => Ok(nothing(a) && nothing(b)),
        (a, b) => Err(format!("{} and {} cannot be compared", a.kind(), b.kind())),
    }
}

fn order(a: &Item, b: &Item) -> Result<Option<Ordering>, String> {
    match (numbers(a, b), a, b) {
        (Some(order), ..) => Ok(order),
        (_, Item::Text(a), Item::Text(b)) => Ok(Some(a.as_bytes().cmp(b.as_bytes()))),
        _ => Err(format!("{} and {} have no order", a.kind(), b.kind())),
    }
}

fn at_most(a: &Item, b: &Item) -> Result<bool, String> {
    Ok(matches!(
        order(a, b)?,
        Some(Ordering::Less | Ordering::Equal)
    ))
}

/// The elements of a list with a text between them; null elements are left out, something else than a list is one element.
fn join(between: &str, list: &Item, most: usize) -> Result<Item, String> {
    let mut out = Output::new(most);
    let elements = match list.elements() {
        Some(elements) => elements.into_iter().map(Item::from).collect(),
        None => vec![list.clone()],
    };
    let mut first = true;
    for element in elements {
        if matches!(element, Item::Nil | Item::Missing) {
            continue;
        }
        if !std::mem::take(&mut first) {
            out.push(between.as_bytes());
        }
        format::print(&mut out, &[element.arg()]);
        if out.is_over() {
            break;
        }
    }
    text_of(out)
}
