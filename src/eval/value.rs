//! Values of the language.

use super::collections::{List, Map, Set};
use super::lambda::Lambda;
use num_bigint::BigInt;
use smol_str::SmolStr;
use std::any::Any;
use std::sync::Arc;

/// A value. Numbers are inline; strings are shared and immutable; collections and objects are shared by reference.
#[derive(Clone, Default)]
pub enum Value {
    /// `null`, also what a missing variable is.
    #[default]
    Null,
    /// `true`, `false`
    Bool(bool),
    /// 32 bits
    Int(i32),
    /// 64 bits
    Long(i64),
    /// A whole number beyond 64 bits; only from JSON.
    Big(Arc<BigInt>),
    /// 32-bit floating point
    Float(f32),
    /// 64-bit floating point
    Double(f64),
    /// A UTF-16 unit; only from iterating over a string.
    Char(u16),
    /// A string.
    Text(SmolStr),
    /// A list.
    List(List),
    /// A map.
    Map(Map),
    /// A set.
    Set(Set),
    /// A function value.
    Lambda(Arc<Lambda>),
    /// Something that functions made: statistics, sketches, periods.
    Object(Arc<dyn Object>),
}

/// A value with behaviour of its own, made and read by functions of one family.
pub trait Object: Any + Send + Sync + std::fmt::Debug {
    /// The name of its type, such as `Statistics`.
    fn type_name(&self) -> &'static str;
    /// Its text, such as `Statistics{count=4, mean=2.5}`.
    fn text(&self) -> String;
    /// Its JSON where that is more than the text.
    fn json(&self) -> Option<serde_json::Value> {
        None
    }
    /// Whether `other` is equal; identity unless a type knows better.
    fn equals(&self, _other: &dyn Object) -> bool {
        false
    }
    /// The list in which it keeps values, if it keeps any; a search for cycles goes through it.
    fn kept(&self) -> Option<&List> {
        None
    }
    /// For getting at the concrete type.
    fn as_any(&self) -> &dyn Any;
}

impl Value {
    /// A string value.
    pub fn text(text: impl AsRef<str>) -> Value {
        Value::Text(SmolStr::new(text))
    }

    /// A string value from an owned text.
    pub fn string(text: String) -> Value {
        Value::Text(SmolStr::from(text))
    }

    /// The name of the value's type as `eval --jsonl` prints it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::Null => "Null",
            Value::Bool(_) => "Boolean",
            Value::Int(_) => "Integer",
            Value::Long(_) => "Long",
            Value::Big(_) => "BigInteger",
            Value::Float(_) => "Float",
            Value::Double(_) => "Double",
            Value::Char(_) => "Character",
            Value::Text(_) => "String",
            Value::List(_) => "List",
            Value::Map(_) => "Map",
            Value::Set(_) => "Set",
            Value::Lambda(_) => "Lambda",
            Value::Object(object) => object.type_name(),
        }
    }

    /// What the value is, in words: "a string", "a list".
    pub fn kind_in_words(&self) -> String {
        let words = match self {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Int(_) => "an integer",
            Value::Long(_) => "a long",
            Value::Big(_) => "a big integer",
            Value::Float(_) => "a float",
            Value::Double(_) => "a double",
            Value::Char(_) => "a character",
            Value::Text(_) => "a string",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
            Value::Set(_) => "a set",
            Value::Lambda(_) => "a lambda",
            Value::Object(object) => return format!("a {} object", object.type_name()),
        };
        words.to_string()
    }

    /// Whether it is `null`.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// Whether it is a number of any kind.
    pub fn is_number(&self) -> bool {
        matches!(
            self,
            Value::Int(_) | Value::Long(_) | Value::Big(_) | Value::Float(_) | Value::Double(_)
        )
    }

    /// Whether it is shared by reference and can hold values.
    pub fn is_collection(&self) -> bool {
        matches!(self, Value::List(_) | Value::Map(_) | Value::Set(_))
    }

    /// The string, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A number as a double, as Java's `doubleValue`.
    pub fn as_double(&self) -> Option<f64> {
        match self {
            Value::Int(n) => Some(f64::from(*n)),
            Value::Long(n) => Some(*n as f64),
            Value::Float(n) => Some(f64::from(*n)),
            Value::Double(n) => Some(*n),
            Value::Big(n) => Some(num_bigint_to_double(n)),
            _ => None,
        }
    }

    /// The object's concrete type, if it is of type `T`.
    pub fn as_object<T: Object>(&self) -> Option<&T> {
        match self {
            Value::Object(object) => object.as_any().downcast_ref(),
            _ => None,
        }
    }
}

/// A big integer as the nearest double.
pub fn num_bigint_to_double(n: &BigInt) -> f64 {
    // The decimal text is parsed with correct rounding.
    n.to_string().parse().unwrap_or(f64::NAN)
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}({})", self.type_name(), super::text::to_text(self))
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Value {
        Value::Bool(value)
    }
}

impl From<i32> for Value {
    fn from(value: i32) -> Value {
        Value::Int(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Value {
        Value::Long(value)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Value {
        Value::Double(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Value {
        Value::text(value)
    }
}

impl From<String> for Value {
    fn from(value: String) -> Value {
        Value::string(value)
    }
}

impl From<Vec<Value>> for Value {
    fn from(items: Vec<Value>) -> Value {
        Value::List(List::array(items))
    }
}
