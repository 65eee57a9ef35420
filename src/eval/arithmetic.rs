//! `+ - * /` with Java's promotion of number types.

use super::text;
use super::value::Value;
use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::syntax::ArithOp;
use num_bigint::BigInt;

/// Two numbers brought to their common type.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Promoted {
    /// Both fit 32 bits (or were cut to them).
    Int(i32, i32),
    /// At least one is a long.
    Long(i64, i64),
    /// At least one is a float, none a double.
    Float(f32, f32),
    /// At least one is a double.
    Double(f64, f64),
}

/// The common type of two numbers; null counts as integer 0. `None` if either is something else.
#[inline]
pub fn promote(left: &Value, right: &Value) -> Option<Promoted> {
    if let (Value::Int(a), Value::Int(b)) = (left, right) {
        return Some(Promoted::Int(*a, *b));
    }
    if let (Value::Double(a), Value::Double(b)) = (left, right) {
        return Some(Promoted::Double(*a, *b));
    }
    let (l, r) = (number(left)?, number(right)?);
    Some(match (l, r) {
        (Number::Double(_), _) | (_, Number::Double(_)) => Promoted::Double(l.double(), r.double()),
        (Number::Float(_), _) | (_, Number::Float(_)) => Promoted::Float(l.float(), r.float()),
        (Number::Long(_), _) | (_, Number::Long(_)) => Promoted::Long(l.long(), r.long()),
        (Number::Int(a), Number::Int(b)) => Promoted::Int(a, b),
    })
}

#[derive(Clone, Copy)]
enum Number {
    Int(i32),
    Long(i64),
    Float(f32),
    Double(f64),
}

impl Number {
    fn double(self) -> f64 {
        match self {
            Number::Int(n) => f64::from(n),
            Number::Long(n) => n as f64,
            Number::Float(n) => f64::from(n),
            Number::Double(n) => n,
        }
    }

    fn float(self) -> f32 {
        match self {
            Number::Int(n) => n as f32,
            Number::Long(n) => n as f32,
            Number::Float(n) => n,
            Number::Double(n) => n as f32,
        }
    }

    fn long(self) -> i64 {
        match self {
            Number::Int(n) => i64::from(n),
            Number::Long(n) => n,
            Number::Float(n) => n as i64,
            Number::Double(n) => n as i64,
        }
    }
}

fn number(value: &Value) -> Option<Number> {
    Some(match value {
        Value::Null => Number::Int(0),
        Value::Int(n) => Number::Int(*n),
        Value::Long(n) => Number::Long(*n),
        Value::Float(n) => Number::Float(*n),
        Value::Double(n) => Number::Double(*n),
        Value::Big(n) => Number::Int(low_bits(n)),
        _ => return None,
    })
}

/// The low 32 bits of a big integer in two's complement, as Java's `intValue`.
pub fn low_bits(n: &BigInt) -> i32 {
    let low = n.to_signed_bytes_le();
    let fill = if low.last().is_some_and(|b| b & 0x80 != 0) {
        0xff
    } else {
        0
    };
    let byte = |i: usize| low.get(i).copied().unwrap_or(fill);
    i32::from_le_bytes([byte(0), byte(1), byte(2), byte(3)])
}

/// The low 64 bits of a big integer in two's complement, as Java's `longValue`.
pub fn low_long(n: &BigInt) -> i64 {
    let low = n.to_signed_bytes_le();
    let fill = if low.last().is_some_and(|b| b & 0x80 != 0) {
        0xff
    } else {
        0
    };
    let mut bytes = [fill; 8];
    for (to, from) in bytes.iter_mut().zip(&low) {
        *to = *from;
    }
    i64::from_le_bytes(bytes)
}

/// One operation.
///
/// Errors: E0205 for values that are no numbers, E0206 for whole division by zero, E0303 for a text beyond `longest` bytes.
#[inline]
pub fn apply(op: ArithOp, left: &Value, right: &Value, longest: usize) -> Outcome<Value> {
    match promote(left, right) {
        Some(Promoted::Int(a, b)) => Ok(Value::Int(match op {
            ArithOp::Add => a.wrapping_add(b),
            ArithOp::Subtract => a.wrapping_sub(b),
            ArithOp::Multiply => a.wrapping_mul(b),
            ArithOp::Divide if b == 0 => return Err(by_zero()),
            ArithOp::Divide => a.wrapping_div(b),
        })),
        Some(Promoted::Long(a, b)) => Ok(Value::Long(match op {
            ArithOp::Add => a.wrapping_add(b),
            ArithOp::Subtract => a.wrapping_sub(b),
            ArithOp::Multiply => a.wrapping_mul(b),
            ArithOp::Divide if b == 0 => return Err(by_zero()),
            ArithOp::Divide => a.wrapping_div(b),
        })),
        Some(Promoted::Float(a, b)) => Ok(Value::Float(match op {
            ArithOp::Add => a + b,
            ArithOp::Subtract => a - b,
            ArithOp::Multiply => a * b,
            ArithOp::Divide => a / b,
        })),
        Some(Promoted::Double(a, b)) => Ok(Value::Double(match op {
            ArithOp::Add => a + b,
            ArithOp::Subtract => a - b,
            ArithOp::Multiply => a * b,
            ArithOp::Divide => a / b,
        })),
        None => other(op, left, right, longest),
    }
}

#[cold]
fn by_zero() -> crate::diagnostic::Fault {
    Diagnostic::new(Code::DivisionByZero, "a whole number is divided by zero")
}

/// `+` joins texts when either side is one; everything else is an error.
fn other(op: ArithOp, left: &Value, right: &Value, longest: usize) -> Outcome<Value> {
    if op == ArithOp::Add && (left.as_text().is_some() || right.as_text().is_some()) {
        let mut joined = text::Writer::new(longest);
        for side in [left, right] {
            if !side.is_null() {
                joined.value(side)?;
            }
        }
        return Ok(Value::string(joined.finish()));
    }
    let wrong = if super::arithmetic::number(left).is_none() {
        left
    } else {
        right
    };
    let fault = Diagnostic::new(
        Code::OperatorType,
        format!(
            "{} works on numbers, not on {}",
            op.symbol(),
            wrong.kind_in_words()
        ),
    );
    Err(match wrong {
        Value::Text(_) => fault.help("convert it first: TO_INTEGER(x), TO_LONG(x) or TO_DOUBLE(x)"),
        _ => fault,
    })
}

/// `-x`; null counts as 0. Errors: E0205.
pub fn negate(value: &Value) -> Outcome<Value> {
    Ok(match value {
        Value::Null => Value::Int(0),
        Value::Int(n) => Value::Int(n.wrapping_neg()),
        Value::Long(n) => Value::Long(n.wrapping_neg()),
        Value::Float(n) => Value::Float(-n),
        Value::Double(n) => Value::Double(-n),
        Value::Big(n) => Value::Int(low_bits(n).wrapping_neg()),
        other => {
            let message = format!("- works on numbers, not on {}", other.kind_in_words());
            return Err(Diagnostic::new(Code::OperatorType, message));
        }
    })
}
