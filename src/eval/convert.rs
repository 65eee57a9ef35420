//! The loose converter of TO_*, `and`/`or`/`not`, and many function arguments: what does not fit becomes null.

use super::arithmetic::low_long;
use super::java::numbers;
use super::text::to_text;
use super::value::Value;
use smol_str::SmolStr;

/// A list or set stands for its first element, an empty one for null.
fn first(value: &Value) -> Value {
    let mut value = value.clone();
    // Each round goes one level down; nesting ends.
    loop {
        value = match &value {
            Value::List(list) => list.get(0).unwrap_or(Value::Null),
            Value::Set(set) => set
                .with(|items| items.first().cloned())
                .unwrap_or(Value::Null),
            _ => return value,
        };
    }
}

/// To a 32-bit integer: doubles are cut, beyond the range null; texts must be plain decimal integers.
pub fn to_int(value: &Value) -> Option<i32> {
    match value {
        Value::Int(n) => Some(*n),
        Value::Long(n) => i32::try_from(*n).ok(),
        Value::Float(_) | Value::Double(_) => {
            let x = value.as_double()?;
            if x.is_nan() {
                return Some(0);
            }
            let cut = x.trunc();
            (cut >= f64::from(i32::MIN) && cut <= f64::from(i32::MAX)).then_some(cut as i32)
        }
        Value::Big(n) => i32::try_from(low_long(n))
            .ok()
            .filter(|_| i32::try_from(n.as_ref()).is_ok()),
        Value::Bool(b) => Some(i32::from(*b)),
        Value::Null => None,
        Value::List(_) | Value::Set(_) => to_int(&first(value)),
        // Their text is no number, and may be long or, of what is being changed, not to be had.
        Value::Map(_) | Value::Lambda(_) | Value::Object(_) => None,
        other => numbers::parse_int(&to_text(other)),
    }
}

/// To a 64-bit integer: doubles are cut and saturate; texts must be plain decimal integers.
pub fn to_long(value: &Value) -> Option<i64> {
    match value {
        Value::Int(n) => Some(i64::from(*n)),
        Value::Long(n) => Some(*n),
        Value::Float(_) | Value::Double(_) => Some(numbers::double_to_long(value.as_double()?)),
        Value::Big(n) => Some(low_long(n)),
        Value::Bool(b) => Some(i64::from(*b)),
        Value::Null => None,
        Value::List(_) | Value::Set(_) => to_long(&first(value)),
        Value::Map(_) | Value::Lambda(_) | Value::Object(_) => None,
        other => numbers::parse_long(&to_text(other)),
    }
}

/// To a double; texts as Java parses them.
pub fn to_double(value: &Value) -> Option<f64> {
    match value {
        Value::Int(_) | Value::Long(_) | Value::Float(_) | Value::Double(_) | Value::Big(_) => {
            value.as_double()
        }
        Value::Bool(b) => Some(f64::from(u8::from(*b))),
        Value::Null => None,
        Value::List(_) | Value::Set(_) => to_double(&first(value)),
        Value::Map(_) | Value::Lambda(_) | Value::Object(_) => None,
        other => numbers::parse_double(&to_text(other)),
    }
}

/// To a float; a double above the largest float is null, far below it -Infinity.
pub fn to_float(value: &Value) -> Option<f32> {
    match value {
        Value::Float(x) => Some(*x),
        Value::Int(_) | Value::Long(_) | Value::Double(_) | Value::Big(_) => {
            let x = value.as_double()?;
            (x.is_nan() || x <= f64::from(f32::MAX)).then_some(x as f32)
        }
        Value::Bool(b) => Some(f32::from(u8::from(*b))),
        Value::Null => None,
        Value::List(_) | Value::Set(_) => to_float(&first(value)),
        Value::Map(_) | Value::Lambda(_) | Value::Object(_) => None,
        other => numbers::parse_float(&to_text(other)),
    }
}

/// To a boolean: true, yes, y, on, 1 and false, no, n, off, 0 in any case; anything else is null.
pub fn to_bool(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(b) => Some(*b),
        Value::Null => None,
        Value::List(_) | Value::Set(_) => to_bool(&first(value)),
        Value::Map(_) | Value::Lambda(_) | Value::Object(_) => None,
        other => match to_text(other).to_lowercase().as_str() {
            "true" | "yes" | "y" | "on" | "1" => Some(true),
            "false" | "no" | "n" | "off" | "0" => Some(false),
            _ => None,
        },
    }
}

/// To a string: the text form; a list stands for its first element.
pub fn to_string(value: &Value) -> Option<SmolStr> {
    match first(value) {
        Value::Null => None,
        other => Some(to_text(&other)),
    }
}

/// An operand of `and`, `or` and `not`: what is not recognised counts as false.
#[inline]
pub fn truth(value: &Value) -> bool {
    match value {
        Value::Bool(b) => *b,
        Value::Null => false,
        other => to_bool(other).unwrap_or(false),
    }
}

/// What a value means where a condition is wanted: null and empty collections are false. `None` for no boolean.
#[inline]
pub fn condition(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(b) => Some(*b),
        Value::Null => Some(false),
        Value::List(list) if list.is_empty() => Some(false),
        Value::Map(map) if map.is_empty() => Some(false),
        Value::Set(set) if set.is_empty() => Some(false),
        _ => None,
    }
}
