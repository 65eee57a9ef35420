//! Follows the beginning of a function.

use super::{Case, Expr, Guard, LOOK, Pattern, REST, Reading, Step};
use crate::eval::Value;
use crate::rule::event::Event;
use crate::rule::lua::shared::Shared;
use crate::rule::lua::strings;
use crate::rule::lua::values::textual;
use smol_str::{SmolStr, ToSmolStr};
use std::cell::Cell;
use std::ops::Deref;

/// How many bytes of texts are looked at for one event; with more to do the function is called, which is limited.
const WORK: usize = 64 << 10;

/// A plain value.
#[derive(Debug)]
pub(super) enum Seen<'s> {
    Nil,
    Bool(bool),
    Number(f64),
    Text(Text<'s>),
}

/// A text, lent or own.
#[derive(Debug)]
pub(super) enum Text<'s> {
    Lent(&'s str),
    Small(SmolStr),
    Own(String),
}

impl Deref for Text<'_> {
    type Target = str;

    #[inline]
    fn deref(&self) -> &str {
        match self {
            Text::Lent(text) => text,
            Text::Small(text) => text,
            Text::Own(text) => text,
        }
    }
}

impl Seen<'_> {
    fn holds(&self) -> bool {
        !matches!(self, Seen::Nil | Seen::Bool(false))
    }

    fn lent(&self) -> Seen<'_> {
        match self {
            Seen::Nil => Seen::Nil,
            Seen::Bool(b) => Seen::Bool(*b),
            Seen::Number(n) => Seen::Number(*n),
            Seen::Text(text) => Seen::Text(Text::Lent(text)),
        }
    }
}

/// How a block ends.
enum Flow {
    Next,
    Done,
    Enter,
}

impl Guard {
    /// Whether the function has nothing to do for this event.
    #[inline]
    pub fn is_done(&mut self, event: &Event, shared: &Shared) -> bool {
        if self.rest > 0 {
            self.rest -= 1;
            return false;
        }
        let run = Run {
            event,
            shared,
            work: Cell::new(WORK),
        };
        let done = !matches!(run.block(&self.body, &mut self.slots), Flow::Enter);
        self.tried += 1;
        self.passed += u32::from(!done);
        if self.tried == LOOK {
            // Where most events go on, what is looked at here is looked at twice.
            if self.passed > LOOK / 4 * 3 {
                self.rest = REST;
            }
            (self.tried, self.passed) = (0, 0);
        }
        done
    }
}

struct Run<'e> {
    event: &'e Event,
    shared: &'e Shared,
    work: Cell<usize>,
}

impl Run<'_> {
    fn block(&self, steps: &[Step], slots: &mut [Seen<'static>]) -> Flow {
        for step in steps {
            let flow = match step {
                Step::Enter => Flow::Enter,
                Step::Return => Flow::Done,
                Step::Set(slot, expr) => {
                    let value = self.value(expr, slots);
                    let value = value.and_then(|value| self.kept(value));
                    match (value, slots.get_mut(*slot)) {
                        (Some(value), Some(place)) => {
                            *place = value;
                            Flow::Next
                        }
                        _ => Flow::Enter,
                    }
                }
                Step::If(branches, rest) => self.branch(branches, rest, slots),
            };
            if !matches!(flow, Flow::Next) {
                return flow;
            }
        }
        Flow::Next
    }

    fn branch(
        &self,
        branches: &[(Expr, Vec<Step>)],
        rest: &[Step],
        slots: &mut [Seen<'static>],
    ) -> Flow {
        for (condition, steps) in branches {
            match self.holds(condition, slots) {
                None => return Flow::Enter,
                Some(true) => return self.block(steps, slots),
                Some(false) => {}
            }
        }
        self.block(rest, slots)
    }

    /// Whether an expression holds; nothing where only the function knows.
    fn holds(&self, expr: &Expr, slots: &[Seen<'static>]) -> Option<bool> {
        Some(match expr {
            Expr::And(parts) => {
                for part in parts {
                    if !self.holds(part, slots)? {
                        return Some(false);
                    }
                }
                true
            }
            Expr::Or(parts) => {
                for part in parts {
                    if self.holds(part, slots)? {
                        return Some(true);
                    }
                }
                false
            }
            Expr::Not(inner) => !self.holds(inner, slots)?,
            Expr::Same(a, b) => self.same(&self.value(a, slots)?, &self.value(b, slots)?)?,
            Expr::Other(a, b) => !self.same(&self.value(a, slots)?, &self.value(b, slots)?)?,
            other => self.value(other, slots)?.holds(),
        })
    }

    fn value<'s>(&self, expr: &'s Expr, slots: &'s [Seen<'static>]) -> Option<Seen<'s>> {
        Some(match expr {
            Expr::Nil => Seen::Nil,
            Expr::Bool(b) => Seen::Bool(*b),
            Expr::Number(n) => Seen::Number(*n),
            Expr::Text(text) => Seen::Text(Text::Lent(text)),
            Expr::Slot(slot) => slots.get(*slot)?.lent(),
            Expr::Get(reading, way, default) => match (way.value(self.event.map()), reading) {
                (Some(Value::Text(text)), _) => Seen::Text(Text::Small(text)),
                (Some(value), Reading::Text) => {
                    let text = textual(&value);
                    self.looks_at(&text)?;
                    Seen::Text(Text::Small(text))
                }
                (Some(value), Reading::Raw) => plain(&value)?,
                (None, reading) => {
                    let default = default.as_deref().map(|expr| self.value(expr, slots));
                    match (default, reading) {
                        (None, Reading::Raw) => Seen::Nil,
                        (None, Reading::Text) => Seen::Text(Text::Lent("")),
                        (Some(default), Reading::Raw) => default?,
                        (Some(default), Reading::Text) => match default? {
                            Seen::Nil => Seen::Text(Text::Lent("")),
                            default => default,
                        },
                    }
                }
            },
            Expr::And(parts) => {
                let (last, first) = parts.split_last()?;
                for part in first {
                    let value = self.value(part, slots)?;
                    if !value.holds() {
                        return Some(value);
                    }
                }
                self.value(last, slots)?
            }
            Expr::Or(parts) => {
                let (last, first) = parts.split_last()?;
                for part in first {
                    let value = self.value(part, slots)?;
                    if value.holds() {
                        return Some(value);
                    }
                }
                self.value(last, slots)?
            }
            Expr::Not(_) | Expr::Same(..) | Expr::Other(..) => Seen::Bool(self.holds(expr, slots)?),
            Expr::Less(a, b, or_same) => {
                let (a, b) = (self.value(a, slots)?, self.value(b, slots)?);
                let order = match (&a, &b) {
                    (Seen::Number(a), Seen::Number(b)) => a.partial_cmp(b),
                    (Seen::Text(a), Seen::Text(b)) => Some(a.as_bytes().cmp(b.as_bytes())),
                    _ => None,
                };
                let less = |order: std::cmp::Ordering| match or_same {
                    true => order.is_le(),
                    false => order.is_lt(),
                };
                Seen::Bool(order.is_some_and(less))
            }
            Expr::Length(inner) => Seen::Number(self.text(inner, slots)?.len() as f64),
            Expr::Case(case, inner) => Seen::Text(cased(*case, self.text(inner, slots)?)?),
            Expr::Search(inner, pattern, or_nil) => match self.value(inner, slots)? {
                Seen::Nil if *or_nil => Seen::Bool(false),
                Seen::Text(text) => Seen::Bool(self.search(&text, pattern)?),
                _ => return None,
            },
            Expr::Contains(inner, part) => {
                let text = self.text(inner, slots)?;
                Seen::Bool(memchr::memmem::find(text.as_bytes(), part.as_bytes()).is_some())
            }
            Expr::Find(inner, part) => {
                let text = self.text(inner, slots)?;
                match memchr::memmem::find(text.as_bytes(), part.as_bytes()) {
                    Some(at) => Seen::Number((at + 1) as f64),
                    None => Seen::Nil,
                }
            }
            Expr::Unknown => return None,
            Expr::ToString(inner) => match self.value(inner, slots)? {
                Seen::Nil => Seen::Text(Text::Lent("nil")),
                Seen::Bool(b) => Seen::Text(Text::Lent(if b { "true" } else { "false" })),
                Seen::Number(n) if n.fract() == 0.0 && n.abs() < 1e15 && n.is_sign_positive() => {
                    Seen::Text(Text::Small((n as i64).to_smolstr()))
                }
                Seen::Number(_) => return None,
                text => text,
            },
        })
    }

    /// A text that is to be looked through.
    fn text<'s>(&self, expr: &'s Expr, slots: &'s [Seen<'static>]) -> Option<Text<'s>> {
        let Seen::Text(text) = self.value(expr, slots)? else {
            return None;
        };
        self.looks_at(&text)?;
        Some(text)
    }

    /// Counts the work of looking through a text; nothing where it is too much.
    fn looks_at(&self, text: &str) -> Option<()> {
        self.work.set(self.work.get().checked_sub(text.len())?);
        Some(())
    }

    fn same(&self, a: &Seen<'_>, b: &Seen<'_>) -> Option<bool> {
        Some(match (a, b) {
            (Seen::Nil, Seen::Nil) => true,
            (Seen::Bool(a), Seen::Bool(b)) => a == b,
            (Seen::Number(a), Seen::Number(b)) => a == b,
            (Seen::Text(a), Seen::Text(b)) => {
                a.len() == b.len() && {
                    self.looks_at(a)?;
                    **a == **b
                }
            }
            _ => false,
        })
    }

    /// A value that a name may hold.
    fn kept(&self, value: Seen<'_>) -> Option<Seen<'static>> {
        Some(match value {
            Seen::Nil => Seen::Nil,
            Seen::Bool(b) => Seen::Bool(b),
            Seen::Number(n) => Seen::Number(n),
            Seen::Text(Text::Lent(text)) => {
                self.looks_at(text)?;
                Seen::Text(Text::Small(SmolStr::new(text)))
            }
            Seen::Text(Text::Small(text)) => Seen::Text(Text::Small(text)),
            Seen::Text(Text::Own(text)) => Seen::Text(Text::Own(text)),
        })
    }

    fn search(&self, text: &str, pattern: &Pattern) -> Option<bool> {
        self.looks_at(text)?;
        let compiled = pattern.compiled.get_or_init(|| {
            let compiled = self.shared.expression(&pattern.text);
            compiled.ok()
        });
        compiled.as_ref()?.is_match_quickly(text)
    }
}

/// A value that is no collection.
fn plain(value: &Value) -> Option<Seen<'static>> {
    Some(match value {
        Value::Bool(b) => Seen::Bool(*b),
        Value::Int(n) => Seen::Number(f64::from(*n)),
        Value::Long(n) => Seen::Number(*n as f64),
        Value::Double(x) => Seen::Number(*x),
        _ => return None,
    })
}

fn cased(case: Case, text: Text<'_>) -> Option<Text<'_>> {
    let changes: fn(&u8) -> bool = match case {
        Case::Lower => u8::is_ascii_uppercase,
        Case::Upper => u8::is_ascii_lowercase,
    };
    if !text.is_ascii() {
        let bytes = match case {
            Case::Lower => strings::lower(text.as_bytes()),
            Case::Upper => strings::upper(text.as_bytes()),
        };
        return String::from_utf8(bytes.into_owned()).ok().map(Text::Own);
    }
    if !text.as_bytes().iter().any(changes) {
        return Some(text);
    }
    Some(Text::Own(match (case, text) {
        (Case::Lower, Text::Own(mut text)) => {
            text.make_ascii_lowercase();
            text
        }
        (Case::Upper, Text::Own(mut text)) => {
            text.make_ascii_uppercase();
            text
        }
        (Case::Lower, text) => text.to_ascii_lowercase(),
        (Case::Upper, text) => text.to_ascii_uppercase(),
    }))
}
