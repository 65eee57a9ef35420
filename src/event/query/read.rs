//! Parameters with the names that Mentat gives them.

use super::{ANY, Address, Bound, Condition, EMPTY, Order, Query, Test, data, parse_time};
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome, nearest};
use crate::eval::Value;
use crate::eval::json::to_json;
use crate::event::{Column, ColumnKind};
use serde_json::{Map, Value as Json};

/// Parameters for lists of texts, with the column that they test. Each can be negated with `not_`.
const TESTED: &[(&str, Column)] = &[
    ("protocols", Column::Protocol),
    ("categories", Column::Category),
    ("classes", Column::EventClass),
    ("severities", Column::EventSeverity),
    ("detectors", Column::NodeName),
    ("detector_types", Column::NodeType),
    ("groups", Column::ResolvedAbuses),
    ("inspection_errs", Column::InspectionErrors),
];

/// The other parameters.
const OTHERS: &[&str] = &[
    "dt_from",
    "dt_to",
    "st_from",
    "st_to",
    "host_addrs",
    "source_addrs",
    "target_addrs",
    "host_ports",
    "source_ports",
    "target_ports",
    "host_types",
    "source_types",
    "target_types",
    "description",
    "sortby",
    "limit",
    "page",
];

/// Parameters of Mentat's later versions, whose tables have more columns.
const LATER: &[&str] = &[
    "shadow_reporting",
    "shadow_reporting_target",
    "detector_softwares",
    "not_detector_softwares",
    "target_groups",
    "not_target_groups",
    "target_classes",
    "not_target_classes",
    "target_severities",
    "not_target_severities",
    "tlps",
    "not_tlps",
    "_TLP_restriction_groups",
];

impl Query {
    /// Reads parameters: an object with Mentat's names, or null for all events. A parameter that is null, false, 0 or
    /// empty counts as not given; unknown ones have no effect and are named in the notes. E0203 and E0204 for values
    /// of the wrong type or meaning, E0607 for a text where a list belongs.
    pub fn from_json(parameters: &Json) -> Outcome<Query> {
        match parameters {
            Json::Null => Ok(Query::default()),
            Json::Object(given) => Reader(given).query(),
            other => Err(mistyped("the query", "a map of parameters", other)),
        }
    }

    /// Reads parameters from a map of Stellar.
    pub fn from_value(parameters: &Value) -> Outcome<Query> {
        Query::from_json(&to_json(parameters)?)
    }
}

struct Reader<'a>(&'a Map<String, Json>);

impl Reader<'_> {
    fn query(&self) -> Outcome<Query> {
        let mut query = Query {
            notes: self.notes(),
            ..Query::default()
        };
        let add = &mut query.conditions;
        self.times(add)?;
        self.addresses(add)?;
        self.ports(add)?;
        self.types(add)?;
        for (name, column) in TESTED {
            if let Some(texts) = self.texts(name)? {
                let not = self.0.get(&format!("not_{name}")).is_some_and(given);
                add.push(tested(*column, texts, not));
            }
        }
        if let Some(value) = self.get("description") {
            match value {
                Json::String(text) => add.push(Condition::Description(text.clone())),
                other => return Err(mistyped("description", "a text", other)),
            }
        }
        self.order(&mut query)?;
        self.paging(&mut query)?;
        Ok(query)
    }

    /// The value of a parameter that is given.
    fn get(&self, name: &str) -> Option<&Json> {
        self.0.get(name).filter(|value| given(value))
    }

    fn times(&self, add: &mut Vec<Condition>) -> Outcome<()> {
        for (name, column, bound) in [
            ("dt_from", Column::DetectTime, Bound::From),
            ("dt_to", Column::DetectTime, Bound::To),
            ("st_from", Column::StorageTime, Bound::From),
            ("st_to", Column::StorageTime, Bound::To),
        ] {
            // 0 is an instant, unlike the other parameters' 0.
            let value = self
                .0
                .get(name)
                .filter(|value| given(value) || value.is_number());
            if let Some(value) = value {
                let at = instant(name, value)?;
                add.push(Condition::Time { column, bound, at });
            }
        }
        Ok(())
    }

    fn addresses(&self, add: &mut Vec<Condition>) -> Outcome<()> {
        const BOTH: &[Column] = &[Column::SourceIp, Column::TargetIp];
        let mut one = |name, columns| -> Outcome<bool> {
            let Some(texts) = self.texts(name)? else {
                return Ok(false);
            };
            let wanted = texts.into_iter().map(Address::new).collect();
            add.push(Condition::Addresses { columns, wanted });
            Ok(true)
        };
        if !one("host_addrs", BOTH)? {
            one("source_addrs", &[Column::SourceIp])?;
            one("target_addrs", &[Column::TargetIp])?;
        }
        Ok(())
    }

    fn ports(&self, add: &mut Vec<Condition>) -> Outcome<()> {
        const BOTH: &[Column] = &[Column::SourcePort, Column::TargetPort];
        let mut one = |name, columns| -> Outcome<bool> {
            let Some(items) = self.list(name, "ports")? else {
                return Ok(false);
            };
            let wanted = items
                .iter()
                .enumerate()
                .map(|(index, item)| whole(&format!("item {} of {name}", index + 1), item))
                .collect::<Outcome<_>>()?;
            add.push(Condition::Ports { columns, wanted });
            Ok(true)
        };
        if !one("host_ports", BOTH)? {
            one("source_ports", &[Column::SourcePort])?;
            one("target_ports", &[Column::TargetPort])?;
        }
        Ok(())
    }

    fn types(&self, add: &mut Vec<Condition>) -> Outcome<()> {
        const BOTH: &[Column] = &[Column::SourceType, Column::TargetType];
        let mut one = |name, columns| -> Outcome<bool> {
            let Some(texts) = self.texts(name)? else {
                return Ok(false);
            };
            // Here the words for "empty" and "any" are types like others.
            add.push(Condition::Texts {
                columns,
                test: Test::Among(texts),
                not: false,
            });
            Ok(true)
        };
        if !one("host_types", BOTH)? {
            one("source_types", &[Column::SourceType])?;
            one("target_types", &[Column::TargetType])?;
        }
        Ok(())
    }

    fn list(&self, name: &str, of: &str) -> Outcome<Option<&Vec<Json>>> {
        match self.get(name) {
            None => Ok(None),
            Some(Json::Array(items)) => Ok(Some(items)),
            // The database would try to read the text as an array.
            Some(Json::String(text)) => Err(data(format!("{name} must be a list of {of}"))
                .help(format!("write [{text:?}] for a list of one"))),
            Some(other) => Err(mistyped(name, &format!("a list of {of}"), other)),
        }
    }

    fn texts(&self, name: &str) -> Outcome<Option<Vec<String>>> {
        let Some(items) = self.list(name, "texts")? else {
            return Ok(None);
        };
        let mut texts = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            match item {
                Json::String(text) => texts.push(text.clone()),
                other => {
                    let item = format!("item {} of {name}", index + 1);
                    return Err(mistyped(&item, "a text", other));
                }
            }
        }
        Ok(Some(texts))
    }

    fn order(&self, query: &mut Query) -> Outcome<()> {
        let Some(value) = self.get("sortby") else {
            return Ok(());
        };
        let Json::String(text) = value else {
            return Err(mistyped(
                "sortby",
                "a text such as 'detecttime.desc'",
                value,
            ));
        };
        let parts: Vec<&str> = text.split('.').collect();
        let [field, direction] = parts[..] else {
            return Err(Diagnostic::new(
                Code::ArgumentValue,
                format!("sortby must be a field and a direction with a dot between them, and it is {text:?}"),
            )
            .help("write detecttime.desc, detecttime.asc, storagetime.desc or storagetime.asc"));
        };
        let stored = self.get("st_from").or_else(|| self.get("st_to"));
        let column = match (field, stored) {
            ("detecttime", _) => Column::DetectTime,
            ("storagetime", _) | (_, Some(_)) => Column::StorageTime,
            (_, None) => Column::DetectTime,
        };
        if !matches!(field, "detecttime" | "storagetime") {
            query.notes.push(format!(
                "events are sorted by {}: sortby knows detecttime and storagetime, and not {field}",
                column.name()
            ));
        }
        let descending = direction != "asc";
        if !matches!(direction, "asc" | "desc") {
            query.notes.push(format!(
                "events are sorted with the latest first: sortby knows asc and desc, and not {direction}"
            ));
        }
        query.order = Some(Order { column, descending });
        Ok(())
    }

    fn paging(&self, query: &mut Query) -> Outcome<()> {
        let Some(limit) = self.get("limit") else {
            if self.get("page").is_some() {
                query.notes.push("page has no effect without limit".into());
            }
            return Ok(());
        };
        let limit = whole("limit", limit)?;
        // The text "0" counts as given: no events then.
        query.limit = Some(limit);
        if let Some(page) = self.get("page") {
            let page = whole("page", page)?;
            if page > 1 {
                query.offset = (page - 1)
                    .checked_mul(limit)
                    .ok_or_else(|| data(format!("there is no page {page} of {limit} events")))?;
            }
        }
        Ok(())
    }

    /// A sentence for each parameter without effect.
    fn notes(&self) -> Vec<String> {
        let negatable = |name: &str| {
            name.strip_prefix("not_")
                .is_some_and(|rest| TESTED.iter().any(|(known, _)| *known == rest))
        };
        let mut notes = Vec::new();
        for name in self.0.keys().map(String::as_str) {
            let known = OTHERS.contains(&name)
                || negatable(name)
                || TESTED.iter().any(|(known, _)| *known == name);
            if known {
                continue;
            }
            if LATER.contains(&name) {
                notes.push(format!(
                    "{name} has no effect: the tables of Mentat 2.4 have no such column"
                ));
                continue;
            }
            let candidates = OTHERS
                .iter()
                .copied()
                .chain(TESTED.iter().map(|(name, _)| *name));
            notes.push(match nearest(name, candidates) {
                Some(near) => format!("{name} has no effect; did you mean {near}?"),
                None => format!("{name} has no effect: it is no parameter of a query"),
            });
        }
        for (name, other) in [
            ("host_addrs", "addrs"),
            ("host_ports", "ports"),
            ("host_types", "types"),
        ] {
            for side in ["source", "target"] {
                let side = format!("{side}_{other}");
                if self.get(name).is_some() && self.get(&side).is_some() {
                    notes.push(format!("{side} has no effect beside {name}"));
                }
            }
        }
        notes
    }
}

/// What Python takes for true.
fn given(value: &Json) -> bool {
    match value {
        Json::Null | Json::Bool(false) => false,
        Json::Bool(true) => true,
        Json::Number(number) => number.as_f64() != Some(0.0),
        Json::String(text) => !text.is_empty(),
        Json::Array(items) => !items.is_empty(),
        Json::Object(items) => !items.is_empty(),
    }
}

fn tested(column: Column, texts: Vec<String>, not: bool) -> Condition {
    let has = |word: &str| texts.iter().any(|text| text == word);
    let test = if has(EMPTY) {
        Test::Empty
    } else if has(ANY) {
        Test::Any
    } else {
        Test::Among(texts)
    };
    match (column.kind(), column) {
        (ColumnKind::Text, column) => Condition::Text { column, test, not },
        (_, column) => Condition::Texts {
            columns: single(column),
            test,
            not,
        },
    }
}

/// A slice of one column that lives for ever.
fn single(column: Column) -> &'static [Column] {
    super::super::COLUMNS
        .iter()
        .position(|known| *known == column)
        .and_then(|at| super::super::COLUMNS.get(at..=at))
        .unwrap_or_default()
}

/// Microseconds from ISO text or from milliseconds.
fn instant(name: &str, value: &Json) -> Outcome<i64> {
    let at = match value {
        Json::String(text) => parse_time(text),
        Json::Number(_) => whole(name, value)?.checked_mul(1000),
        other => return Err(mistyped(name, "a time", other)),
    };
    at.ok_or_else(|| {
        Diagnostic::new(Code::ArgumentValue, format!("{name} is no time: {value}")).help(
            "write 2026-01-10T08:00:00Z, or milliseconds since 1970; without a zone, UTC is meant",
        )
    })
}

/// A whole number from a number or from its text.
fn whole(name: &str, value: &Json) -> Outcome<i64> {
    let number = match value {
        Json::Number(number) => number.as_i64().or_else(|| {
            let float = number.as_f64()?;
            // Up to here every whole number is exact.
            (float.fract() == 0.0 && float.abs() <= 9_007_199_254_740_992.0).then_some(float as i64)
        }),
        Json::String(text) => text.trim().parse().ok(),
        other => return Err(mistyped(name, "a whole number", other)),
    };
    number.ok_or_else(|| {
        Diagnostic::new(
            Code::ArgumentValue,
            format!("{name} must be a whole number of 64 bits, and it is {value}"),
        )
    })
}

fn mistyped(name: &str, wanted: &str, found: &Json) -> Fault {
    let found = match found {
        Json::Null => "null",
        Json::Bool(_) => "a boolean",
        Json::Number(_) => "a number",
        Json::String(_) => "a text",
        Json::Array(_) => "a list",
        Json::Object(_) => "a map",
    };
    Diagnostic::new(
        Code::ArgumentType,
        format!("{name} must be {wanted}, and it is {found}"),
    )
}
