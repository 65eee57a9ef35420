//! Variables in texts, as Python's `str.format` fills them in.

use crate::diagnostic::Span;
use crate::eval::Value;
use crate::pipeline::python::{Missing, Template};
use crate::pipeline::yaml::{Kind, Node};
use std::collections::HashMap;

/// So many bytes may all filled texts of a file have together.
pub const MOST: usize = 16 << 20;

/// Fills variables into all texts below a node but keys. A text that is no template stays as it is: there are braces
/// in expressions and patterns too. `left` is how many bytes there may still be. Errors: the place of a text that has
/// more.
pub fn fill(
    node: &mut Node,
    variables: &HashMap<String, Value>,
    left: &mut usize,
) -> Result<(), Span> {
    match &mut node.kind {
        Kind::Scalar(Value::Text(text)) => {
            if !text.contains(['{', '}']) {
                return Ok(());
            }
            let look = |name: &str| variables.get(name).cloned();
            let filled =
                Template::new(text).and_then(|t| t.fill_within(*left, Missing::Kept, look));
            match filled {
                Ok(Some(filled)) => {
                    *left = left.saturating_sub(filled.len());
                    *text = filled.into();
                }
                Ok(None) => return Err(node.span),
                Err(_) => {}
            }
            Ok(())
        }
        Kind::Scalar(_) => Ok(()),
        Kind::List(items) => items
            .iter_mut()
            .try_for_each(|item| fill(item, variables, left)),
        Kind::Map(entries) => entries
            .iter_mut()
            .try_for_each(|(_, value)| fill(value, variables, left)),
    }
}
