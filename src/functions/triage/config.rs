//! The configuration of threat triage: the enrichment configuration of a sensor, as Metron keeps it in JSON.

use crate::diagnostic::{Code, Diagnostic, Fault, Outcome, quoted_list};
use crate::eval::json::{bad_json, number_value, read_prefix, to_json};
use crate::eval::text::to_text;
use crate::eval::{Value, json::from_json};
use serde_json::{Map, Value as Json};
use smol_str::SmolStr;

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// What people call it.
    pub name: Option<SmolStr>,
    /// What it is for.
    pub comment: Option<SmolStr>,
    /// The condition, an expression.
    pub rule: SmolStr,
    /// The score, a number or an expression.
    pub score: SmolStr,
    /// Why it matters, an expression.
    pub reason: Option<SmolStr>,
}

impl Rule {
    /// What to call it in messages.
    pub fn title(&self) -> String {
        match &self.name {
            Some(name) => format!("the rule '{name}'"),
            None => format!("the rule {}", self.rule),
        }
    }
}

/// How scores become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aggregator {
    /// The greatest, at least 0.
    Max,
    /// The least.
    Min,
    /// All together.
    Sum,
    /// The mean.
    Mean,
    /// The mean of those above 0.
    PositiveMean,
}

/// The aggregators by name.
pub const AGGREGATORS: &[(&str, Aggregator)] = &[
    ("MAX", Aggregator::Max),
    ("MIN", Aggregator::Min),
    ("SUM", Aggregator::Sum),
    ("MEAN", Aggregator::Mean),
    ("POSITIVE_MEAN", Aggregator::PositiveMean),
];

impl Aggregator {
    /// Its name.
    pub fn name(self) -> &'static str {
        let found = AGGREGATORS.iter().find(|(_, known)| *known == self);
        found.map_or("", |(name, _)| name)
    }

    /// The aggregator of that name. Errors: E0204.
    pub fn named(name: &str) -> Outcome<Aggregator> {
        match AGGREGATORS.iter().find(|(known, _)| *known == name) {
            Some((_, aggregator)) => Ok(*aggregator),
            None => {
                let known: Vec<&str> = AGGREGATORS.iter().map(|(name, _)| *name).collect();
                let message = format!(
                    "there is no aggregator '{name}'; there are {}",
                    quoted_list(&known)
                );
                Err(Diagnostic::new(Code::ArgumentValue, message))
            }
        }
    }
}

/// The whole configuration.
#[derive(Debug, Clone)]
pub struct TriageConfig {
    /// `enrichment`, which triage does not look at.
    enrichment: Map<String, Json>,
    /// The keys of `threatIntel` besides `triageConfig`.
    threat_intel: Map<String, Json>,
    /// `configuration`
    configuration: Map<String, Json>,
    /// The rules in order, no two alike.
    pub rules: Vec<Rule>,
    /// How scores become one.
    pub aggregator: Aggregator,
    /// What the aggregator is told besides.
    pub aggregation: Map<String, Json>,
}

/// The keys of `enrichment` and `threatIntel` in the order in which they are written.
const SECTION: &[&str] = &["fieldMap", "fieldToTypeMap", "config"];

impl Default for TriageConfig {
    fn default() -> Self {
        TriageConfig {
            enrichment: section(),
            threat_intel: section(),
            configuration: Map::new(),
            rules: Vec::new(),
            aggregator: Aggregator::Max,
            aggregation: Map::new(),
        }
    }
}

fn section() -> Map<String, Json> {
    let empty = |key: &&str| (key.to_string(), Json::Object(Map::new()));
    SECTION.iter().map(empty).collect()
}

fn bad(message: impl Into<String>) -> Fault {
    Diagnostic::new(Code::ArgumentValue, message.into())
}

/// The members of an object that may be absent or null. Errors: other types.
fn object(json: Json, place: &str) -> Outcome<Map<String, Json>> {
    match json {
        Json::Object(members) => Ok(members),
        Json::Null => Ok(Map::new()),
        _ => Err(bad(format!("{place} must be a JSON object"))),
    }
}

#[cold]
fn unknown(key: &str, place: &str, known: &[&str]) -> Fault {
    bad(format!(
        "{place} has no key {key}; there are {}",
        quoted_list(known)
    ))
}

impl TriageConfig {
    /// The configuration of a JSON text. Errors: E0216 for other texts, E0204 for what has no place in it.
    pub fn read(text: &str, depth: usize) -> Outcome<TriageConfig> {
        let value = read_prefix(text, depth).map_err(|error| {
            let fault = bad_json(Code::NotJson, &error);
            let message = format!("the configuration is no JSON: {}", fault.message);
            Diagnostic::new(Code::NotJson, message)
        })?;
        let Json::Object(members) = to_json(&value)? else {
            return Err(Diagnostic::new(
                Code::NotJson,
                "the configuration must be a JSON object",
            ));
        };
        let mut config = TriageConfig::default();
        for (key, json) in members {
            match key.as_str() {
                "enrichment" => read_section(json, &key, &mut config.enrichment, |key, _| {
                    Err(unknown(key, "enrichment", SECTION))
                })?,
                "threatIntel" => {
                    let mut threat_intel = section();
                    read_section(json, &key, &mut threat_intel, |key, json| match key {
                        "triageConfig" => config.read_triage(json),
                        _ => Err(unknown(
                            key,
                            "threatIntel",
                            &["fieldMap", "fieldToTypeMap", "config", "triageConfig"],
                        )),
                    })?;
                    config.threat_intel = threat_intel;
                }
                "configuration" => config.configuration = object(json, &key)?,
                _ => {
                    let known = ["enrichment", "threatIntel", "configuration"];
                    return Err(unknown(&key, "the configuration", &known));
                }
            }
        }
        Ok(config)
    }

    fn read_triage(&mut self, json: Json) -> Outcome<()> {
        for (key, json) in object(json, "triageConfig")? {
            match (key.as_str(), json) {
                ("riskLevelRules", Json::Array(rules)) => {
                    for rule in rules {
                        let rule = read_rule(rule)?;
                        self.add(rule);
                    }
                }
                ("aggregator", Json::String(name)) => self.aggregator = Aggregator::named(&name)?,
                ("aggregationConfig", json) => self.aggregation = object(json, &key)?,
                ("riskLevelRules", _) => return Err(bad("riskLevelRules must be a JSON array")),
                ("aggregator", _) => return Err(bad("the aggregator must be a string")),
                _ => {
                    let known = ["riskLevelRules", "aggregator", "aggregationConfig"];
                    return Err(unknown(&key, "triageConfig", &known));
                }
            }
        }
        Ok(())
    }

    /// Adds a rule unless there is one with the same condition.
    pub fn add(&mut self, rule: Rule) {
        if !self.rules.iter().any(|known| known.rule == rule.rule) {
            self.rules.push(rule);
        }
    }

    /// A variable that messages do not have: a key of `configuration`, or of `config` in `threatIntel`.
    pub fn variables(&self, depth: usize) -> Outcome<Vec<(SmolStr, Value)>> {
        let config = self.threat_intel.get("config").and_then(Json::as_object);
        let all = self
            .configuration
            .iter()
            .chain(config.into_iter().flatten());
        let value = |(key, json): (&String, &Json)| Ok((key.into(), from_json(json, depth)?));
        all.map(value).collect()
    }

    /// The JSON text, laid out as Jackson does.
    pub fn write(&self) -> String {
        let rule = |rule: &Rule| {
            let texts = [
                ("name", rule.name.as_ref()),
                ("comment", rule.comment.as_ref()),
                ("rule", Some(&rule.rule)),
                ("reason", rule.reason.as_ref()),
                ("score", Some(&rule.score)),
            ];
            let text = |(key, text): (&str, Option<&SmolStr>)| {
                text.map(|text| (key.to_string(), Json::String(text.to_string())))
            };
            Json::Object(texts.into_iter().filter_map(text).collect())
        };
        let triage = [
            (
                "riskLevelRules",
                Json::Array(self.rules.iter().map(rule).collect()),
            ),
            ("aggregator", Json::String(self.aggregator.name().into())),
            ("aggregationConfig", Json::Object(self.aggregation.clone())),
        ];
        let members = |members: &[(&str, Json)]| -> Map<String, Json> {
            members
                .iter()
                .map(|(key, json)| (key.to_string(), json.clone()))
                .collect()
        };
        let mut threat_intel = self.threat_intel.clone();
        threat_intel.insert("triageConfig".into(), Json::Object(members(&triage)));
        let all = members(&[
            ("enrichment", Json::Object(self.enrichment.clone())),
            ("threatIntel", Json::Object(threat_intel)),
            ("configuration", Json::Object(self.configuration.clone())),
        ]);
        let mut text = String::new();
        pretty(&Json::Object(all), 0, &mut text);
        text
    }
}

fn read_section(
    json: Json,
    place: &str,
    into: &mut Map<String, Json>,
    mut other: impl FnMut(&str, Json) -> Outcome<()>,
) -> Outcome<()> {
    for (key, json) in object(json, place)? {
        if SECTION.contains(&key.as_str()) {
            into.insert(key.clone(), Json::Object(object(json, &key)?));
        } else {
            other(&key, json)?;
        }
    }
    Ok(())
}

fn read_rule(json: Json) -> Outcome<Rule> {
    let Json::Object(members) = json else {
        return Err(bad("a rule must be a JSON object"));
    };
    let known = ["name", "comment", "rule", "score", "reason"];
    if let Some(key) = members.keys().find(|key| !known.contains(&key.as_str())) {
        return Err(unknown(key, "a rule", &known));
    }
    let text = |key: &str| match members.get(key) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::String(text)) => Ok(Some(SmolStr::new(text))),
        Some(_) => Err(bad(format!("the {key} of a rule must be a string"))),
    };
    let score = match members.get("score") {
        Some(Json::Number(number)) => Some(to_text(&number_value(&number.to_string()))),
        Some(Json::String(text)) => Some(SmolStr::new(text)),
        None | Some(Json::Null) => None,
        Some(_) => return Err(bad("the score of a rule must be a number or a string")),
    };
    match (text("rule")?, score) {
        (Some(rule), Some(score)) => Ok(Rule {
            name: text("name")?,
            comment: text("comment")?,
            rule,
            score,
            reason: text("reason")?,
        }),
        _ => Err(bad("a rule needs both a rule and a score")),
    }
}

/// JSON in the layout of Jackson's default pretty printer: two blanks a level for objects, arrays in one line;
/// members that are null are left out of what Metron writes itself, not of maps.
fn pretty(json: &Json, level: usize, out: &mut String) {
    let newline = |level: usize, out: &mut String| {
        out.push('\n');
        out.push_str(&"  ".repeat(level));
    };
    match json {
        Json::Object(members) if members.is_empty() => out.push_str("{ }"),
        Json::Array(items) if items.is_empty() => out.push_str("[ ]"),
        Json::Object(members) => {
            out.push('{');
            for (i, (key, json)) in members.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                newline(level + 1, out);
                out.push_str(&Json::String(key.clone()).to_string());
                out.push_str(" : ");
                pretty(json, level + 1, out);
            }
            newline(level, out);
            out.push('}');
        }
        Json::Array(items) => {
            out.push('[');
            for (i, json) in items.iter().enumerate() {
                out.push_str(if i > 0 { ", " } else { " " });
                pretty(json, level, out);
            }
            out.push_str(" ]");
        }
        Json::Number(number) => out.push_str(&to_text(&number_value(&number.to_string()))),
        other => out.push_str(&other.to_string()),
    }
}
