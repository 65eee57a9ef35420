//! Numbers.

use super::spec::{
    Example, Family, FunctionSpec, Kind, Parameter, SPEC, example, fails, optional, required,
};
use super::statistics::Statistics;
use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::eval::java::numbers::java_round;
use crate::eval::{Call, Value, convert, text_order};
use num_bigint::BigInt;
use std::cmp::Ordering;
use std::sync::Arc;

/// The functions of this family.
pub const FUNCTIONS: &[FunctionSpec] = &[
    ABS, CEILING, FLOOR, ROUND, SQRT, LN, LOG2, LOG10, EXP, SIN, COS, TAN, IS_NAN, MAX, MIN,
];

const NUMBER: &[Parameter] = &[optional("x", Kind::Number, "any number, or null")];
const ANGLE: &[Parameter] = &[optional("x", Kind::Number, "an angle in radians, or null")];
const NOT_A_NUMBER: &[&str] = &["the argument is neither a number nor null"];

/// What the functions of one number share: the result is a double.
const REAL: FunctionSpec = FunctionSpec {
    family: Family::Math,
    details: "The result is a double whatever the type of the argument. null, and no argument, give NaN.",
    parameters: NUMBER,
    errors: NOT_A_NUMBER,
    returns: "a double",
    ..SPEC
};

const ABS: FunctionSpec = FunctionSpec {
    name: "ABS",
    summary: "Takes away the sign of a number.",
    examples: &[
        example("ABS(-1)", "1.0"),
        example("ABS(2.5)", "2.5"),
        example("ABS(null)", "NaN"),
        fails("ABS('1')", "E0203"),
    ],
    see: &["MAX", "MIN"],
    words: &["absolute", "magnitude"],
    run: |call| real(call, f64::abs),
    ..REAL
};

const CEILING: FunctionSpec = FunctionSpec {
    name: "CEILING",
    summary: "Rounds a number up to the next whole one.",
    examples: &[
        example("CEILING(1.2)", "2.0"),
        example("CEILING(-1.2)", "-1.0"),
        example("CEILING(3)", "3.0"),
    ],
    see: &["FLOOR", "ROUND", "TO_INTEGER"],
    words: &["ceil", "round up"],
    run: |call| real(call, f64::ceil),
    ..REAL
};

const FLOOR: FunctionSpec = FunctionSpec {
    name: "FLOOR",
    summary: "Rounds a number down to the next whole one.",
    examples: &[
        example("FLOOR(1.8)", "1.0"),
        example("FLOOR(-1.2)", "-2.0"),
        example("FLOOR(null)", "NaN"),
    ],
    see: &["CEILING", "ROUND", "TO_INTEGER"],
    words: &["round down", "truncate"],
    run: |call| real(call, f64::floor),
    ..REAL
};

const ROUND: FunctionSpec = FunctionSpec {
    name: "ROUND",
    summary: "Rounds a number to the nearest whole one, halves upwards.",
    details: "Upwards means towards the larger number, so -2.5 becomes -2.0. The result is a double whatever the type of \
        the argument, and stays within the range of a 64-bit whole number. null, and no argument, give NaN.",
    examples: &[
        example("ROUND(2.5)", "3.0"),
        example("ROUND(-2.5)", "-2.0"),
        example("ROUND(1e300)", "9.223372036854776E18"),
        example("TO_INTEGER(ROUND(1.7))", "2"),
    ],
    see: &["CEILING", "FLOOR", "TO_INTEGER"],
    words: &["nearest", "half up"],
    run: |call| {
        real(call, |x| {
            if x.is_nan() {
                return x;
            }
            java_round(x) as f64
        })
    },
    ..REAL
};

const SQRT: FunctionSpec = FunctionSpec {
    name: "SQRT",
    summary: "Takes the square root of a number.",
    examples: &[
        example("SQRT(9)", "3.0"),
        example("SQRT(-1)", "NaN"),
        example("SQRT(null)", "NaN"),
    ],
    see: &["EXP", "LN"],
    words: &["root"],
    run: |call| real(call, f64::sqrt),
    ..REAL
};

const LN: FunctionSpec = FunctionSpec {
    name: "LN",
    summary: "Takes the natural logarithm of a number.",
    examples: &[
        example("LN(1)", "0.0"),
        example("LN(0)", "-Infinity"),
        example("LN(-1)", "NaN"),
    ],
    see: &["LOG2", "LOG10", "EXP"],
    words: &["log", "logarithm", "base e"],
    run: |call| real(call, f64::ln),
    ..REAL
};

const LOG2: FunctionSpec = FunctionSpec {
    name: "LOG2",
    summary: "Takes the logarithm of a number to the base 2.",
    examples: &[
        example("LOG2(8)", "3.0"),
        example("LOG2(0)", "-Infinity"),
        example("LOG2(null)", "NaN"),
    ],
    see: &["LN", "LOG10", "STRING_ENTROPY"],
    words: &["logarithm", "binary", "bits"],
    // As Metron does it; log2 itself differs in the last digit.
    run: |call| real(call, |x| x.ln() / std::f64::consts::LN_2),
    ..REAL
};

const LOG10: FunctionSpec = FunctionSpec {
    name: "LOG10",
    summary: "Takes the logarithm of a number to the base 10.",
    examples: &[
        example("LOG10(1000)", "3.0"),
        example("LOG10(0)", "-Infinity"),
        example("LOG10(-1)", "NaN"),
    ],
    see: &["LN", "LOG2"],
    words: &["logarithm", "decimal", "order of magnitude"],
    run: |call| real(call, f64::log10),
    ..REAL
};

const EXP: FunctionSpec = FunctionSpec {
    name: "EXP",
    summary: "Raises e to the power of a number.",
    examples: &[
        example("EXP(0)", "1.0"),
        example("EXP(1000)", "Infinity"),
        example("EXP(null)", "NaN"),
    ],
    see: &["LN"],
    words: &["exponential", "power"],
    run: |call| real(call, f64::exp),
    ..REAL
};

const SIN: FunctionSpec = FunctionSpec {
    name: "SIN",
    summary: "Takes the sine of an angle.",
    parameters: ANGLE,
    examples: &[example("SIN(0)", "0.0"), example("SIN(null)", "NaN")],
    see: &["COS", "TAN"],
    words: &["sine", "trigonometry", "radians"],
    run: |call| real(call, f64::sin),
    ..REAL
};

const COS: FunctionSpec = FunctionSpec {
    name: "COS",
    summary: "Takes the cosine of an angle.",
    parameters: ANGLE,
    examples: &[example("COS(0)", "1.0"), example("COS(null)", "NaN")],
    see: &["SIN", "TAN"],
    words: &["cosine", "trigonometry", "radians"],
    run: |call| real(call, f64::cos),
    ..REAL
};

const TAN: FunctionSpec = FunctionSpec {
    name: "TAN",
    summary: "Takes the tangent of an angle.",
    parameters: ANGLE,
    examples: &[example("TAN(0)", "0.0"), example("TAN(null)", "NaN")],
    see: &["SIN", "COS"],
    words: &["tangent", "trigonometry", "radians"],
    run: |call| real(call, f64::tan),
    ..REAL
};

const IS_NAN: FunctionSpec = FunctionSpec {
    name: "IS_NAN",
    family: Family::Math,
    summary: "Says whether a number is NaN, the result of an impossible computation.",
    details: "This is the only way to ask: NaN == NaN is false.",
    parameters: &[required("number", Kind::Number, "any number")],
    returns: "true or false; whole numbers are never NaN",
    errors: &[
        "the argument is no number; null is none either",
        "there is not exactly one argument",
    ],
    examples: &[
        example("IS_NAN(NaN)", "true"),
        example("IS_NAN(SQRT(-1))", "true"),
        example("IS_NAN(1)", "false"),
        fails("IS_NAN(null)", "E0203"),
    ],
    see: &["SQRT", "LN"],
    words: &["not a number", "undefined"],
    strict: true,
    run: |call| match call.arg(0) {
        Value::Float(x) => Ok(Value::Bool(x.is_nan())),
        Value::Double(x) => Ok(Value::Bool(x.is_nan())),
        Value::Int(_) | Value::Long(_) | Value::Big(_) => Ok(Value::Bool(false)),
        _ => Err(call.wrong_type(0, "a number")),
    },
    ..SPEC
};

const ORDERED: &[Parameter] = &[required(
    "values",
    Kind::List,
    "a list or set of numbers or of other values with an order, or a statistics object",
)];

const ORDER_DETAILS: &str = "null is skipped. Numbers of different types compare by value, and the winner keeps its type; \
    NaN counts as larger than every number. Of a statistics object the result is a double, NaN without values. Where other types meet, the best so far is converted to the type of the next \
    value: '23' and 25 compare as numbers, 25 and '23' as strings.";

const ORDER_ERRORS: &[&str] = &[
    "the argument is null, or neither a list, a set nor a statistics object",
    "an element is a list, a map or another value without an order",
    "two elements cannot be converted to one type",
];

const MAX_EXAMPLES: &[Example] = &[
    example("MAX([10, 15L, 15.3])", "15.3"),
    example("MAX(['a', 'c', 'b'])", "c"),
    example("MAX(['23', 25])", "25"),
    example("MAX([])", "null"),
    example("MAX(STATS_ADD(null, [3, 1, 2]))", "3.0"),
    fails("MAX(['abc', 1])", "E0208"),
];

const MAX: FunctionSpec = FunctionSpec {
    name: "MAX",
    family: Family::Math,
    summary: "Finds the largest value of a list.",
    details: ORDER_DETAILS,
    parameters: ORDERED,
    returns: "the largest element as it is; null when there is none",
    errors: ORDER_ERRORS,
    examples: MAX_EXAMPLES,
    see: &["MIN", "STATS_MAX", "REDUCE"],
    words: &["maximum", "highest", "greatest", "biggest", "latest"],
    run: |call| best(call, Ordering::Greater),
    ..SPEC
};

const MIN: FunctionSpec = FunctionSpec {
    name: "MIN",
    family: Family::Math,
    summary: "Finds the smallest value of a list.",
    details: ORDER_DETAILS,
    parameters: ORDERED,
    returns: "the smallest element as it is; null when there is none",
    errors: ORDER_ERRORS,
    examples: &[
        example("MIN([10, 15L, 15.3])", "10"),
        example("MIN([15.3, 15])", "15"),
        example("MIN([null, 'b', 'a'])", "a"),
        example("MIN([null])", "null"),
        example("MIN(STATS_ADD(null, [3, 1, 2]))", "1.0"),
        fails("MIN([[1], [2]])", "E0204"),
    ],
    see: &["MAX", "STATS_MIN", "REDUCE"],
    words: &["minimum", "lowest", "least", "earliest"],
    run: |call| best(call, Ordering::Less),
    ..SPEC
};

/// Computes on a double; null is NaN.
#[inline]
fn real(call: &Call<'_, '_>, compute: fn(f64) -> f64) -> Outcome<Value> {
    let value = call.arg(0);
    match value.as_double() {
        Some(x) => Ok(Value::Double(compute(x))),
        None if value.is_null() => Ok(Value::Double(f64::NAN)),
        None => Err(call.wrong_type(0, "a number")),
    }
}

/// The first element that is on the `wanted` side of all others.
fn best(call: &mut Call<'_, '_>, wanted: Ordering) -> Outcome<Value> {
    let items = match call.arg(0) {
        Value::List(list) => list.items(),
        Value::Set(set) => set.items(),
        value => {
            let Some(statistics) = value.as_object::<Statistics>() else {
                return Err(call.wrong_type(0, "a list, a set or a statistics object"));
            };
            let figures = statistics.figures();
            return Ok(Value::Double(match wanted {
                Ordering::Less => figures.min(),
                _ => figures.max(),
            }));
        }
    };
    let mut best = Value::Null;
    for (position, item) in items.into_iter().enumerate() {
        call.step()?;
        if item.is_null() {
            continue;
        }
        if !has_order(&item) {
            let found = item.kind_in_words();
            let message = format!("element {} is {found}, which has no order", position + 1);
            return Err(call.wrong_value(0, message));
        }
        if best.is_null() {
            best = item;
            continue;
        }
        match order(&item, &best) {
            Some(order) if order == wanted => best = item,
            Some(_) => {}
            None => {
                let message = format!(
                    "{} cannot compare {} with {}, which is element {}",
                    call.name,
                    best.kind_in_words(),
                    item.kind_in_words(),
                    position + 1
                );
                return Err(Diagnostic::new(Code::NotComparable, message).of_argument(0));
            }
        }
    }
    Ok(best)
}

fn has_order(value: &Value) -> bool {
    value.is_number() || matches!(value, Value::Text(_) | Value::Bool(_) | Value::Char(_))
}

/// How `next` stands to the best so far; numbers by value, else the best is converted to the type of `next`.
fn order(next: &Value, best: &Value) -> Option<Ordering> {
    if next.is_number() && best.is_number() {
        return Some(by_value(next, best));
    }
    Some(match next {
        Value::Text(next) => text_order(next, &convert::to_string(best)?),
        Value::Bool(next) => next.cmp(&convert::to_bool(best)?),
        Value::Char(next) => match best {
            Value::Char(best) => next.cmp(best),
            _ => return None,
        },
        Value::Int(_) => by_value(next, &Value::Int(convert::to_int(best)?)),
        Value::Long(_) => by_value(next, &Value::Long(convert::to_long(best)?)),
        Value::Float(_) => by_value(next, &Value::Float(convert::to_float(best)?)),
        Value::Double(_) => by_value(next, &Value::Double(convert::to_double(best)?)),
        Value::Big(_) => {
            let best: BigInt = convert::to_string(best)?.trim().parse().ok()?;
            by_value(next, &Value::Big(Arc::new(best)))
        }
        _ => return None,
    })
}

/// Compares two numbers of any types exactly; NaN is the largest, -0.0 is below 0.0.
fn by_value(a: &Value, b: &Value) -> Ordering {
    match (whole(a), whole(b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        (Some(a), None) => match b {
            Value::Big(b) => BigInt::from(a).cmp(b),
            b => whole_to_real(a, b.as_double().unwrap_or(f64::NAN)),
        },
        (None, Some(_)) => by_value(b, a).reverse(),
        (None, None) => match (a, b) {
            (Value::Big(a), Value::Big(b)) => a.cmp(b),
            _ => {
                let double = |x: &Value| x.as_double().unwrap_or(f64::NAN);
                real_order(double(a), double(b))
            }
        },
    }
}

fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Int(n) => Some(i64::from(*n)),
        Value::Long(n) => Some(*n),
        _ => None,
    }
}

fn whole_to_real(n: i64, x: f64) -> Ordering {
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    if x.is_nan() || x >= BEYOND {
        return Ordering::Less;
    }
    if x < -BEYOND {
        return Ordering::Greater;
    }
    // Within the range the part before the point is exact.
    let cut = x.trunc();
    let rest = 0.0_f64.partial_cmp(&(x - cut));
    n.cmp(&(cut as i64)).then(rest.unwrap_or(Ordering::Equal))
}

/// Java's `Double.compare`.
fn real_order(a: f64, b: f64) -> Ordering {
    let plain = |x: f64| if x.is_nan() { f64::NAN.abs() } else { x };
    plain(a).total_cmp(&plain(b))
}

#[cfg(test)]
mod tests {
    use crate::engine::Engine;

    fn typed(expression: &str) -> String {
        match Engine::bare().evaluate(expression) {
            Ok(value) => format!("{value:?}"),
            Err(fault) => fault.code.name().to_string(),
        }
    }

    #[test]
    fn best_by_value_keeps_its_type() {
        assert_eq!(typed("MIN([15.3, 15])"), "Integer(15)");
        assert_eq!(typed("MAX([15, 15.3f])"), "Float(15.3)");
        assert_eq!(typed("MAX([1, 1L, 1.0])"), "Integer(1)");
        // 2^53 + 1 is no double.
        assert_eq!(
            typed("MAX([9007199254740992.0, 9007199254740993L])"),
            "Long(9007199254740993)"
        );
        assert_eq!(typed("MAX([3000000000L, 1])"), "Long(3000000000)");
        assert_eq!(
            typed("MIN([9223372036854775807L, 1e300])"),
            "Long(9223372036854775807)"
        );
        assert_eq!(typed("MIN([-1e300, 5])"), "Double(-1.0E300)");
        assert_eq!(typed("MIN([-1, -1.5])"), "Double(-1.5)");
        assert_eq!(typed("MAX([-1.5, -1])"), "Integer(-1)");
    }

    #[test]
    fn nan_is_the_largest() {
        assert_eq!(typed("MAX([1, NaN, 2.0])"), "Double(NaN)");
        assert_eq!(typed("MIN([NaN, 2L, 3])"), "Long(2)");
        assert_eq!(typed("MAX([0.0 * -1.0, 0.0])"), "Double(0.0)");
    }

    #[test]
    fn other_types_follow_the_later_element() {
        assert_eq!(typed("MAX(['23', 25])"), "Integer(25)");
        assert_eq!(typed("MAX([25, '3'])"), "String(3)");
        assert_eq!(typed("MAX([1, 'abc'])"), "String(abc)");
        assert_eq!(typed("MAX(['abc', 1])"), "E0208");
        assert_eq!(typed("MAX([true, false])"), "Boolean(true)");
        assert_eq!(typed("MIN([true, 0])"), "Integer(0)");
        assert_eq!(typed("MIN([5, true])"), "E0208");
        assert_eq!(typed("MAX(MAP('ab', c -> c))"), "Character(b)");
        assert_eq!(typed("MAX([[]])"), "E0204");
        assert_eq!(typed("MAX('abc')"), "E0203");
        assert_eq!(typed("MAX({})"), "E0203");
        assert_eq!(typed("MAX(null)"), "E0203");
    }

    #[test]
    fn everything_is_a_double() {
        assert_eq!(typed("ABS(1)"), "Double(1.0)");
        assert_eq!(typed("CEILING(-0.5)"), "Double(-0.0)");
        assert_eq!(typed("ROUND(0.49999999999999994)"), "Double(0.0)");
        assert_eq!(typed("ROUND(-1e300)"), "Double(-9.223372036854776E18)");
        assert_eq!(typed("ROUND(NaN)"), "Double(NaN)");
        assert_eq!(typed("LOG2(true)"), "E0203");
    }
}
