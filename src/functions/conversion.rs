//! From one type of number to another.

use super::spec::{Family, FunctionSpec, Kind, SPEC, example, required};
use crate::eval::{Value, convert};

/// The functions of this family.
pub const FUNCTIONS: &[FunctionSpec] = &[TO_INTEGER, TO_LONG, TO_FLOAT, TO_DOUBLE];

const TO_INTEGER: FunctionSpec = FunctionSpec {
    name: "TO_INTEGER",
    family: Family::Conversion,
    summary: "Turns a value into an integer of 32 bits.",
    details: "Fractions of numbers are cut off. A text must be a plain whole number, blanks around it are ignored: \
              '1.5', '1e3' and '0x10' give null. true is 1, false is 0. A list or set stands for its first element.",
    parameters: &[required("input", Kind::Any, "the value to convert")],
    returns: "the integer, or null for null and for what does not fit",
    examples: &[
        example("TO_INTEGER(' 00042 ')", "42"),
        example("TO_INTEGER(-1.7)", "-1"),
        example("TO_INTEGER('1.5')", "null"),
        example("TO_INTEGER(3000000000L)", "null"),
        example("TO_INTEGER([7, 8])", "7"),
    ],
    see: &["TO_LONG", "TO_DOUBLE", "IS_INTEGER", "ROUND"],
    words: &["int", "parse", "cast", "number from text"],
    run: |call| Ok(convert::to_int(call.arg(0)).map_or(Value::Null, Value::Int)),
    ..SPEC
};

const TO_LONG: FunctionSpec = FunctionSpec {
    name: "TO_LONG",
    family: Family::Conversion,
    summary: "Turns a value into a long, a whole number of 64 bits.",
    details: "Fractions of numbers are cut off; a double beyond the range gives the largest or smallest long. \
              A text must be a plain whole number, blanks around it are ignored. \
              true is 1, false is 0. A list or set stands for its first element.",
    parameters: &[required("input", Kind::Any, "the value to convert")],
    returns: "the long, or null for null and for what is not a number",
    examples: &[
        example("TO_LONG('00232321')", "232321"),
        example("TO_LONG(1600000000)", "1600000000"),
        example("TO_LONG(1e300)", "9223372036854775807"),
        example("TO_LONG('not a number')", "null"),
    ],
    see: &["TO_INTEGER", "TO_DOUBLE", "TO_EPOCH_TIMESTAMP"],
    words: &["int64", "parse", "cast", "milliseconds"],
    run: |call| Ok(convert::to_long(call.arg(0)).map_or(Value::Null, Value::Long)),
    ..SPEC
};

const TO_FLOAT: FunctionSpec = FunctionSpec {
    name: "TO_FLOAT",
    family: Family::Conversion,
    summary: "Turns a value into a float, a number of 32 bits with about seven digits.",
    details: "A number above the largest float gives null, one far below zero -Infinity. \
              Texts may have an exponent, and may be NaN or Infinity. \
              true is 1, false is 0. A list or set stands for its first element. TO_DOUBLE keeps more digits.",
    parameters: &[required("input", Kind::Any, "the value to convert")],
    returns: "the float, or null for null and for what does not fit",
    examples: &[
        example("TO_FLOAT('1.5')", "1.5"),
        example("TO_FLOAT(16777217)", "1.6777216E7"),
        example("TO_FLOAT(1e300)", "null"),
        example("TO_FLOAT('')", "null"),
    ],
    see: &["TO_DOUBLE", "TO_INTEGER", "ROUND"],
    words: &["float32", "decimal", "parse", "cast"],
    run: |call| Ok(convert::to_float(call.arg(0)).map_or(Value::Null, Value::Float)),
    ..SPEC
};

const TO_DOUBLE: FunctionSpec = FunctionSpec {
    name: "TO_DOUBLE",
    family: Family::Conversion,
    summary: "Turns a value into a double, a number of 64 bits with about sixteen digits.",
    details: "Texts may have an exponent or a closing d or f, and may be NaN or Infinity. \
              true is 1, false is 0. A list or set stands for its first element. \
              A float keeps the digits that it really has: 12.31f becomes 12.3100004196167.",
    parameters: &[required("input", Kind::Any, "the value to convert")],
    returns: "the double, or null for null and for what is not a number",
    examples: &[
        example("TO_DOUBLE('1e3')", "1000.0"),
        example("TO_DOUBLE(5)", "5.0"),
        example("TO_DOUBLE('5d')", "5.0"),
        example("TO_DOUBLE('5,0')", "null"),
        example("TO_DOUBLE(null)", "null"),
    ],
    see: &["TO_FLOAT", "TO_INTEGER", "ROUND", "IS_NAN"],
    words: &["float64", "decimal", "parse", "cast"],
    run: |call| Ok(convert::to_double(call.arg(0)).map_or(Value::Null, Value::Double)),
    ..SPEC
};
