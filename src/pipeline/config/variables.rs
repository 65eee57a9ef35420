//! Variables in texts, as Python's `str.format` fills them in.

use crate::eval::Value;
use crate::pipeline::python::{Missing, Template};
use crate::pipeline::yaml::{Kind, Node};

/// Fills variables into all texts below a node but keys. A text that is no template stays as it is: there are braces
/// in expressions and patterns too.
pub fn fill(node: &mut Node, variables: &[(String, Value)]) {
    match &mut node.kind {
        Kind::Scalar(Value::Text(text)) => {
            if !text.contains(['{', '}']) {
                return;
            }
            let look = |name: &str| {
                let found = variables.iter().find(|(known, _)| known == name);
                found.map(|(_, value)| value.clone())
            };
            let filled = Template::new(text).and_then(|t| t.fill(Missing::Kept, look));
            if let Ok(filled) = filled {
                *text = filled.into();
            }
        }
        Kind::Scalar(_) => {}
        Kind::List(items) => items.iter_mut().for_each(|item| fill(item, variables)),
        Kind::Map(entries) => entries
            .iter_mut()
            .for_each(|(_, value)| fill(value, variables)),
    }
}
