//! Which types an expression may have, as far as that shows without running it.

use super::scope::Scope;
use crate::eval::Value;
use crate::syntax::{ArithOp, Expr, ExprKind};

/// A set of types. What is not known may be anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Types(u16);

impl Types {
    /// null
    pub const NULL: Types = Types(1);
    /// true and false
    pub const BOOL: Types = Types(1 << 1);
    /// 32-bit whole numbers
    pub const INT: Types = Types(1 << 2);
    /// 64-bit whole numbers
    pub const LONG: Types = Types(1 << 3);
    /// whole numbers of any size
    pub const BIG: Types = Types(1 << 4);
    /// 32-bit floats
    pub const FLOAT: Types = Types(1 << 5);
    /// 64-bit floats
    pub const DOUBLE: Types = Types(1 << 6);
    /// characters of a walked text
    pub const CHAR: Types = Types(1 << 7);
    /// texts
    pub const TEXT: Types = Types(1 << 8);
    /// lists
    pub const LIST: Types = Types(1 << 9);
    /// maps
    pub const MAP: Types = Types(1 << 10);
    /// sets
    pub const SET: Types = Types(1 << 11);
    /// lambdas
    pub const LAMBDA: Types = Types(1 << 12);
    /// objects of functions
    pub const OBJECT: Types = Types(1 << 13);
    /// Anything.
    pub const ANY: Types = Types((1 << 14) - 1);
    /// Nothing at all: the expression always fails.
    pub const NONE: Types = Types(0);

    const NUMBER: Types =
        Types(Types::INT.0 | Types::LONG.0 | Types::BIG.0 | Types::FLOAT.0 | Types::DOUBLE.0);
    const COLLECTION: Types = Types(Types::LIST.0 | Types::MAP.0 | Types::SET.0);

    /// The type of a value.
    pub fn of_value(value: &Value) -> Types {
        match value {
            Value::Null => Types::NULL,
            Value::Bool(_) => Types::BOOL,
            Value::Int(_) => Types::INT,
            Value::Long(_) => Types::LONG,
            Value::Big(_) => Types::BIG,
            Value::Float(_) => Types::FLOAT,
            Value::Double(_) => Types::DOUBLE,
            Value::Char(_) => Types::CHAR,
            Value::Text(_) => Types::TEXT,
            Value::List(_) => Types::LIST,
            Value::Map(_) => Types::MAP,
            Value::Set(_) => Types::SET,
            Value::Lambda(_) => Types::LAMBDA,
            Value::Object(_) => Types::OBJECT,
        }
    }

    /// Either.
    pub const fn or(self, other: Types) -> Types {
        Types(self.0 | other.0)
    }

    /// Or null.
    pub const fn or_null(self) -> Types {
        self.or(Types::NULL)
    }

    const fn and(self, other: Types) -> Types {
        Types(self.0 & other.0)
    }

    const fn without(self, other: Types) -> Types {
        Types(self.0 & !other.0)
    }

    const fn is_none(self) -> bool {
        self.0 == 0
    }

    /// Whether it may be one of `other`.
    pub const fn may_be(self, other: Types) -> bool {
        !self.and(other).is_none()
    }

    /// Whether it is null or one of `other`, and something is known.
    fn is_only(self, other: Types) -> bool {
        !self.is_none() && self.without(other.or_null()).is_none()
    }

    /// Whether it can be nothing but a text, or null.
    pub fn is_text(self) -> bool {
        self.may_be(Types::TEXT) && self.is_only(Types::TEXT)
    }

    /// Whether `==` may find two values equal.
    pub fn may_equal(self, other: Types) -> bool {
        self.may_be(other) || (self.may_be(Types::NUMBER) && other.may_be(Types::NUMBER))
    }

    /// Whether two values may be the same to `in`, which is strict about types.
    pub fn may_be_same(self, other: Types) -> bool {
        self.may_be(other)
    }

    /// Whether `<` and its kin may compare two values that are not null.
    pub fn may_order(self, other: Types) -> bool {
        let (a, b) = (self.without(Types::NULL), other.without(Types::NULL));
        // Objects may have an order of their own.
        a.is_none() || b.is_none() || a.may_equal(b)
    }

    /// Whether it may stand as a condition.
    pub fn may_be_condition(self) -> bool {
        self.is_none() || self.may_be(Types::BOOL.or(Types::COLLECTION).or_null())
    }

    /// What it is called in messages, when that can be said in a few words.
    pub fn words(self) -> Option<&'static str> {
        let one = self.without(Types::NULL);
        Some(match one {
            Types::BOOL => "true or false",
            Types::INT => "an integer",
            Types::LONG => "a long",
            Types::FLOAT => "a float",
            Types::DOUBLE => "a double",
            Types::CHAR => "a character",
            Types::TEXT => "a string",
            Types::LIST => "a list",
            Types::MAP => "a map",
            Types::SET => "a set",
            Types::LAMBDA => "a lambda",
            Types::OBJECT => "an object",
            Types::NONE if self == Types::NULL => "null",
            _ if self.is_none() => return None,
            _ if one.is_only(Types::NUMBER) => "a number",
            _ if one.is_only(Types::COLLECTION) => "a collection",
            _ => return None,
        })
    }

    fn numbers(self) -> impl Iterator<Item = Types> {
        [
            (Types::INT, Types::INT),
            (Types::LONG, Types::LONG),
            (Types::BIG, Types::INT),
            (Types::FLOAT, Types::FLOAT),
            (Types::DOUBLE, Types::DOUBLE),
            // Null counts as integer 0.
            (Types::NULL, Types::INT),
        ]
        .into_iter()
        .filter(move |(kind, _)| self.may_be(*kind))
        .map(|(_, counts_as)| counts_as)
    }
}

/// The types that an expression may have.
pub fn of(expr: &Expr, scope: &Scope<'_>) -> Types {
    match &expr.kind {
        ExprKind::Null => Types::NULL,
        ExprKind::Bool(_)
        | ExprKind::Exists(_)
        | ExprKind::Not(_)
        | ExprKind::Comparison(..)
        | ExprKind::Logic(..)
        | ExprKind::In { .. } => Types::BOOL,
        ExprKind::Int(_) => Types::INT,
        ExprKind::Long(_) => Types::LONG,
        ExprKind::Float(_) => Types::FLOAT,
        ExprKind::Double(_) => Types::DOUBLE,
        ExprKind::Text(_) => Types::TEXT,
        ExprKind::List(_) => Types::LIST,
        ExprKind::Map(_) => Types::MAP,
        ExprKind::Lambda { .. } => Types::LAMBDA,
        ExprKind::Name(name) => scope.types_of(name),
        ExprKind::Group(inner) => of(inner, scope),
        ExprKind::Negate(inner) => negated(of(inner, scope)),
        ExprKind::Arithmetic(first, rest) => {
            rest.iter().fold(of(first, scope), |left, (op, right)| {
                arithmetic(*op, left, of(right, scope))
            })
        }
        ExprKind::Conditional {
            branches,
            otherwise,
            ..
        } => branches
            .iter()
            .fold(of(otherwise, scope), |all, (_, result)| {
                all.or(of(result, scope))
            }),
        ExprKind::Match { clauses, default } => {
            let all = clauses.iter().fold(of(default, scope), |all, (_, result)| {
                all.or(of(result, scope))
            });
            // A lambda is called.
            if all.may_be(Types::LAMBDA) {
                Types::ANY
            } else {
                all
            }
        }
        ExprKind::Call {
            name, arguments, ..
        } => match scope.is_builtin(name) {
            true => result(name, arguments, scope),
            false => Types::ANY,
        },
    }
}

fn negated(types: Types) -> Types {
    types.numbers().fold(Types::NONE, Types::or)
}

fn arithmetic(op: ArithOp, left: Types, right: Types) -> Types {
    let mut all = Types::NONE;
    for a in left.numbers() {
        for b in right.numbers() {
            let wider = [Types::DOUBLE, Types::FLOAT, Types::LONG]
                .into_iter()
                .find(|kind| a == *kind || b == *kind);
            all = all.or(wider.unwrap_or(Types::INT));
        }
    }
    let joins = Types::TEXT.or(Types::CHAR);
    if op == ArithOp::Add && (left.may_be(joins) || right.may_be(joins)) {
        all = all.or(Types::TEXT);
    }
    all
}

/// What functions give. A function that is not listed may give anything.
fn result(name: &str, arguments: &[Expr], scope: &Scope<'_>) -> Types {
    match name {
        "TO_LOWER"
        | "TO_UPPER"
        | "TO_STRING"
        | "TRIM"
        | "SUBSTRING"
        | "CHOMP"
        | "CHOP"
        | "PREPEND_IF_MISSING"
        | "APPEND_IF_MISSING"
        | "FILL_LEFT"
        | "FILL_RIGHT"
        | "DATE_FORMAT"
        | "REGEXP_GROUP_VAL"
        | "REGEXP_REPLACE"
        | "ENCODE"
        | "DECODE"
        | "DOMAIN_TO_TLD"
        | "DOMAIN_REMOVE_TLD"
        | "DOMAIN_REMOVE_SUBDOMAINS"
        | "URL_TO_PROTOCOL"
        | "URL_TO_HOST"
        | "URL_TO_PATH"
        | "SYSTEM_ENV_GET"
        | "SYSTEM_PROPERTY_GET"
        | "GEOHASH_FROM_LATLONG"
        | "GEOHASH_FROM_LOC" => Types::TEXT.or_null(),
        "JOIN" | "FORMAT" => Types::TEXT,
        "STARTS_WITH" | "ENDS_WITH" | "IS_EMPTY" | "IS_NAN" | "IS_DATE" | "IS_DOMAIN"
        | "IS_EMAIL" | "IS_URL" | "IS_INTEGER" | "IS_IP" | "IS_ENCODING" | "REGEXP_MATCH"
        | "MAP_EXISTS" | "IN_SUBNET" | "BLOOM_EXISTS" | "ENRICHMENT_EXISTS" => Types::BOOL,
        "LENGTH" | "COUNT_MATCHES" | "FUZZY_SCORE" | "TLSH_DIST" | "BIN" | "STATS_BIN" => {
            Types::INT
        }
        "TO_INTEGER" | "DAY_OF_WEEK" | "DAY_OF_MONTH" | "DAY_OF_YEAR" | "WEEK_OF_MONTH"
        | "WEEK_OF_YEAR" | "MONTH" | "YEAR" | "URL_TO_PORT" => Types::INT.or_null(),
        "TO_LONG" | "TO_EPOCH_TIMESTAMP" => Types::LONG.or_null(),
        "NOW" | "HLLP_CARDINALITY" => Types::LONG,
        "TO_FLOAT" => Types::FLOAT.or_null(),
        "TO_DOUBLE" | "IT_ENTROPY" | "GEOHASH_DIST" | "GEOHASH_MAX_DIST" => Types::DOUBLE.or_null(),
        "ABS"
        | "CEILING"
        | "FLOOR"
        | "ROUND"
        | "SQRT"
        | "LN"
        | "LOG2"
        | "LOG10"
        | "EXP"
        | "SIN"
        | "COS"
        | "TAN"
        | "STRING_ENTROPY"
        | "STATS_COUNT"
        | "STATS_SUM"
        | "STATS_MEAN"
        | "STATS_MIN"
        | "STATS_MAX"
        | "STATS_VARIANCE"
        | "STATS_SD"
        | "STATS_POPULATION_VARIANCE"
        | "STATS_GEOMETRIC_MEAN"
        | "STATS_QUADRATIC_MEAN"
        | "STATS_SUM_LOGS"
        | "STATS_SUM_SQUARES"
        | "STATS_KURTOSIS"
        | "STATS_SKEWNESS"
        | "STATS_PERCENTILE"
        | "OUTLIER_MAD_SCORE" => Types::DOUBLE,
        "SPLIT" | "ZIP" | "ZIP_LONGEST" => Types::LIST,
        "TO_JSON_LIST" => Types::LIST.or_null(),
        "MAP" | "FILTER" => match arguments.get(1).map(|f| &f.inner().kind) {
            Some(ExprKind::Lambda { .. }) => Types::LIST.or_null(),
            // Without a lambda the input comes back.
            _ => Types::ANY,
        },
        "TO_JSON_MAP" => Types::MAP.or_null(),
        "SET_INIT" => Types::SET,
        "SET_ADD" | "SET_REMOVE" | "SET_MERGE" | "MULTISET_TO_SET" => Types::SET.or_null(),
        "MULTISET_INIT" | "MULTISET_ADD" | "MULTISET_REMOVE" | "MULTISET_MERGE" => {
            Types::MAP.or_null()
        }
        "MAP_GET" => match arguments {
            // The default is known, the rest is not.
            [_, map, ..] if of(map, scope) == Types::NULL => {
                arguments.get(2).map_or(Types::NULL, |d| of(d, scope))
            }
            _ => Types::ANY,
        },
        _ => Types::ANY,
    }
}
