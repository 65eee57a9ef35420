//! A picture as a value that an expression may hold.

use crate::diagnostic::Picture;
use crate::eval::{Object, Value};
use std::any::Any;
use std::sync::Arc;

/// A picture that has been asked for.
#[derive(Debug, Clone)]
pub struct Drawn(pub Picture);

impl Drawn {
    /// The picture as a value.
    pub fn into_value(self) -> Value {
        Value::Object(Arc::new(self))
    }
}

impl Object for Drawn {
    fn type_name(&self) -> &'static str {
        "Figure"
    }

    fn text(&self) -> String {
        format!("Figure{{{}}}", self.0.title())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
