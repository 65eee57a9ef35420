//! What `on_logline` decides before it does anything is decided here, without Lua.
//!
//! Most rules begin with a condition on the event, and most events fail it. Where the statements that a function
//! begins with only read the event ([`read`] knows which), they are followed here ([`run`]); as soon as anything else
//! is reached, or a value that is not plain, the function is called as if nothing had happened. Nothing that is done
//! here can be seen from outside, so that every doubt is settled by calling the function.

mod names;
mod read;
mod run;
#[cfg(test)]
mod tests;

use crate::rule::event::Way;
use crate::rule::regexp::Regexp;
use smol_str::SmolStr;
use std::cell::OnceCell;
use std::rc::Rc;

pub(super) use read::read;

/// After so many events it is looked whether it is worth while.
const LOOK: u32 = 1024;
/// How many events are given to the function at once when most of them had to be.
const REST: u32 = 16 * LOOK;

/// The beginning of `on_logline`, as far as it only looks at the event.
#[derive(Debug)]
pub(super) struct Guard {
    body: Vec<Step>,
    /// What local names hold.
    slots: Vec<run::Seen<'static>>,
    /// The line in which the function begins.
    pub line: usize,
    /// Events since it was last looked, and those of them that went on to the function.
    tried: u32,
    passed: u32,
    /// How many events go to the function untried.
    rest: u32,
}

/// A statement.
#[derive(Debug)]
enum Step {
    Set(usize, Expr),
    If(Vec<(Expr, Vec<Step>)>, Vec<Step>),
    Return,
    /// Something that only the function can do.
    Enter,
}

/// An expression that changes nothing.
#[derive(Debug)]
enum Expr {
    Nil,
    Bool(bool),
    Number(f64),
    Text(SmolStr),
    Slot(usize),
    Get(Reading, Way, Option<Box<Expr>>),
    Not(Box<Expr>),
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Same(Box<Expr>, Box<Expr>),
    Other(Box<Expr>, Box<Expr>),
    /// `a < b`, or `a <= b`.
    Less(Box<Expr>, Box<Expr>, bool),
    Length(Box<Expr>),
    Case(Case, Box<Expr>),
    /// `search`, with a literal expression; whether nil is searched, too.
    Search(Box<Expr>, Pattern, bool),
    /// Whether a literal stands in a text: `text:contains(part)`.
    Contains(Box<Expr>, SmolStr),
    /// Where it stands: `text:find(part, 1, true)`.
    Find(Box<Expr>, SmolStr),
    ToString(Box<Expr>),
    /// What only the function knows.
    Unknown,
}

/// How a field is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// `get`: the value as it is.
    Raw,
    /// `gets`: its text.
    Text,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Case {
    Lower,
    Upper,
}

/// A regular expression, compiled when it is first needed; nothing where it cannot be.
#[derive(Debug)]
struct Pattern {
    text: SmolStr,
    compiled: OnceCell<Option<Rc<Regexp>>>,
}
