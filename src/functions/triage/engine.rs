//! Rules made ready, and messages scored by them.

use super::config::{Aggregator, Rule, TriageConfig};
use crate::diagnostic::{Code, Diagnostic, Fault, Kind, Outcome, Source};
use crate::eval::collections::{Entries, List, Map, MapKind};
use crate::eval::convert::{to_bool, to_double, to_string};
use crate::eval::json::from_json;
use crate::eval::{Call, Context, Object, Program, Value, Variables, compile, look_up};
use parking_lot::RwLock;
use smol_str::SmolStr;
use std::any::Any;
use std::cell::Cell;
use std::sync::Arc;

/// How many scorings may run inside each other: a rule may call functions that score.
const DEEPEST: usize = 4;

thread_local! {
    static RUNNING: Cell<usize> = const { Cell::new(0) };
}

/// A threat triage engine: what THREAT_TRIAGE_INIT gives.
pub struct Triage(RwLock<Arc<Ready>>);

impl std::fmt::Debug for Triage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text())
    }
}

impl Object for Triage {
    fn type_name(&self) -> &'static str {
        "ThreatTriage"
    }

    fn text(&self) -> String {
        let config = &self.ready().config;
        let (rules, aggregator) = (config.rules.len(), config.aggregator.name());
        format!("ThreatTriage{{rules={rules}, aggregator={aggregator}}}")
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Triage {
    /// An engine with these rules.
    pub fn new(ready: Ready) -> Triage {
        Triage(RwLock::new(Arc::new(ready)))
    }

    /// Its rules as they are now.
    pub fn ready(&self) -> Arc<Ready> {
        self.0.read().clone()
    }

    /// Gives it other rules.
    pub fn replace(&self, ready: Ready) {
        *self.0.write() = Arc::new(ready);
    }
}

/// A configuration with its expressions compiled.
pub struct Ready {
    /// The configuration.
    pub config: TriageConfig,
    rules: Vec<Compiled>,
    /// What messages need not hold.
    variables: Arc<[(SmolStr, Value)]>,
    negative_trumps: bool,
}

struct Compiled {
    /// None for a blank one, which is always met.
    condition: Option<Arc<Program>>,
    score: Option<Arc<Program>>,
    reason: Option<Arc<Program>>,
}

impl Ready {
    /// Compiles the rules of a configuration. Errors: the first rule that does not parse.
    pub fn new(config: TriageConfig, context: &Context) -> Outcome<Ready> {
        let program = |rule: &Rule, what: &str, text: &str| {
            if text.trim().is_empty() {
                return Ok(None);
            }
            let source = Arc::new(Source::expression(text));
            compile(&source, context)
                .map(Some)
                .map_err(|fault| of_rule(fault, rule, what, Some(&source)))
        };
        let compiled = |rule: &Rule| {
            Ok(Compiled {
                condition: program(rule, "", &rule.rule)?,
                score: program(rule, "the score of ", &rule.score)?,
                reason: program(rule, "the reason of ", rule.reason.as_deref().unwrap_or(""))?,
            })
        };
        let depth = context.limits.depth;
        let trumps = match config.aggregation.get("negativeValuesTrump") {
            Some(json) => to_bool(&from_json(json, depth)?).unwrap_or(true),
            None => true,
        };
        Ok(Ready {
            rules: config.rules.iter().map(compiled).collect::<Outcome<_>>()?,
            variables: config.variables(depth)?.into(),
            negative_trumps: trumps,
            config,
        })
    }

    /// Scores a message. Errors: those of the rules, with their names.
    pub fn score(&self, message: Map, call: &Call<'_, '_>) -> Outcome<Value> {
        let running = RUNNING.get();
        if running >= DEEPEST {
            let message = "rules score messages by rules that score messages, too deep";
            return Err(Diagnostic::new(Code::Nesting, message));
        }
        RUNNING.set(running + 1);
        let result = self.apply(message, call);
        RUNNING.set(running);
        result
    }

    fn apply(&self, message: Map, call: &Call<'_, '_>) -> Outcome<Value> {
        let mut context = call.context().with_variables(Arc::new(Fields {
            message,
            others: self.variables.clone(),
        }));
        // All rules together have the time that one evaluation has.
        context.deadline = call.deadline();
        let mut fired = Vec::new();
        let mut scores = Vec::new();
        for (rule, compiled) in self.config.rules.iter().zip(&self.rules) {
            call.step()?;
            let value = |program: &Option<Arc<Program>>, what: &str| match program {
                Some(program) => program
                    .evaluate(&context)
                    .map_err(|fault| of_rule(fault, rule, what, None)),
                None => Ok(Value::Null),
            };
            if compiled.condition.is_some() {
                match value(&compiled.condition, "")? {
                    Value::Bool(true) => {}
                    Value::Bool(false) => continue,
                    other => {
                        let message = format!(
                            "{} must give true or false, not {}",
                            rule.title(),
                            other.kind_in_words()
                        );
                        return Err(Diagnostic::new(Code::ConditionType, message));
                    }
                }
            }
            let reason = to_string(&value(&compiled.reason, "the reason of ")?);
            let score = value(&compiled.score, "the score of ")?;
            let Some(number) = to_double(&score) else {
                let found = score.kind_in_words();
                let message = format!(
                    "the score of {} must be a number, not {found}",
                    rule.title()
                );
                return Err(Diagnostic::new(Code::NotANumber, message));
            };
            scores.push(number);
            let text = |text: &SmolStr| Value::Text(text.clone());
            fired.push(hash([
                ("name", rule.name.as_ref().map(text)),
                ("rule", Some(text(&rule.rule))),
                ("score", Some(number.into())),
                ("reason", reason.as_ref().map(text)),
                ("comment", rule.comment.as_ref().map(text)),
            ]));
        }
        let config = &self.config;
        Ok(hash([
            (
                "score",
                Some(aggregate(&scores, config.aggregator, self.negative_trumps).into()),
            ),
            ("rules", Some(Value::List(List::array(fired)))),
            ("aggregator", Some(config.aggregator.name().into())),
        ]))
    }
}

/// A map of what there is.
fn hash<const N: usize>(entries: [(&str, Option<Value>); N]) -> Value {
    let there = |(key, value): (&str, Option<Value>)| Some((Value::text(key), value?));
    let entries: Entries = entries.into_iter().filter_map(there).collect();
    Value::Map(Map::new(MapKind::Hash, entries))
}

/// Says which rule an error comes from.
#[cold]
fn of_rule(mut fault: Fault, rule: &Rule, what: &str, source: Option<&Arc<Source>>) -> Fault {
    fault.message = format!("{what}{} fails: {}", rule.title(), fault.message);
    // The text of a rule is a value: what is wrong with it is no syntax error of the expression that holds it.
    if fault.kind() == Kind::Syntax {
        fault.code = Code::ArgumentValue;
    }
    match source {
        Some(source) => fault.in_source(source),
        None => fault,
    }
}

/// One score of many.
pub(super) fn aggregate(scores: &[f64], aggregator: Aggregator, negative_trumps: bool) -> f64 {
    if scores.is_empty() {
        return 0.0;
    }
    // With one negative score the whole is as low as can be, so that a rule can call the others off.
    if negative_trumps && scores.iter().any(|score| *score < 0.0) {
        return f64::NEG_INFINITY;
    }
    // As in Java, NaN stays NaN.
    let max = |a: f64, b: f64| {
        if a.is_nan() || b.is_nan() {
            f64::NAN
        } else {
            a.max(b)
        }
    };
    let min = |a: f64, b: f64| {
        if a.is_nan() || b.is_nan() {
            f64::NAN
        } else {
            a.min(b)
        }
    };
    let sum = || scores.iter().fold(0.0, |a, b| a + b);
    match aggregator {
        Aggregator::Max => scores.iter().copied().fold(0.0, max),
        Aggregator::Min => scores.iter().copied().fold(f64::MAX, min),
        Aggregator::Sum => sum(),
        Aggregator::Mean => sum() / scores.len() as f64,
        Aggregator::PositiveMean => {
            let positive: Vec<f64> = scores
                .iter()
                .copied()
                .filter(|score| *score > 0.0)
                .collect();
            match positive.len() {
                0 => 0.0,
                n => positive.iter().fold(0.0, |a, b| a + b) / n as f64,
            }
        }
    }
}

/// The fields of a message; behind them what the configuration says.
struct Fields {
    message: Map,
    others: Arc<[(SmolStr, Value)]>,
}

impl Variables for Fields {
    fn get(&self, name: &str) -> Option<Value> {
        let message = look_up(name, |name| self.message.get_text(name));
        message.filter(|value| !value.is_null()).or_else(|| {
            let found = self
                .others
                .iter()
                .find(|(known, value)| known == name && !value.is_null());
            found.map(|(_, value)| value.clone())
        })
    }

    fn all(&self) -> Vec<(SmolStr, Value)> {
        let text = |(key, value): (Value, Value)| Some((key.as_text()?.into(), value));
        let mut all: Vec<(SmolStr, Value)> = self
            .message
            .entries()
            .into_iter()
            .filter_map(text)
            .collect();
        for (name, value) in self.others.iter() {
            if !all.iter().any(|(known, _)| known == name) {
                all.push((name.clone(), value.clone()));
            }
        }
        all
    }
}
