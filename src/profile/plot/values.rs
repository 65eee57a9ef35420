//! Figures of the value of an expression, and numbers of what was measured.

use super::band::{History, WIDTH};
use super::{Axis, Figure, Panel, Point};
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome, Source};
use crate::drawing::counts::Counts;
use crate::drawing::histogram::Histogram;
use crate::eval::collections::{List, Map};
use crate::eval::convert::to_long;
use crate::eval::java::date_format::Zone;
use crate::eval::text::to_text;
use crate::eval::{Context, Program, Value, Variables, compile};
use crate::functions::statistics::Statistics;
use indexmap::IndexMap;
use parking_lot::RwLock;
use smol_str::SmolStr;
use std::sync::Arc;

/// The expression that makes a number of a value, compiled once; without one values are taken as they are.
pub struct Numbers {
    text: Option<String>,
    program: Option<(Arc<Program>, Context, Arc<OneValue>)>,
}

/// The variables of that expression: `value`, `entity`, and those around it.
struct OneValue {
    at_hand: RwLock<(Value, Value)>,
    others: Arc<dyn Variables>,
}

impl Variables for OneValue {
    fn get(&self, name: &str) -> Option<Value> {
        match name {
            "value" => Some(self.at_hand.read().0.clone()),
            "entity" => Some(self.at_hand.read().1.clone()),
            _ => self.others.get(name),
        }
    }

    fn all(&self) -> Vec<(SmolStr, Value)> {
        let (value, entity) = self.at_hand.read().clone();
        let own = [("value", value), ("entity", entity)];
        let mut all = self.others.all();
        all.retain(|(name, _)| name != "value" && name != "entity");
        all.extend(own.map(|(name, value)| (name.into(), value)));
        all
    }
}

/// What became of a value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// A number that can be drawn.
    Finite(f64),
    /// NaN or an infinity.
    Unfit,
    /// Null: nothing was measured.
    Missing,
}

impl Numbers {
    /// With this expression. Errors: those of the expression.
    pub fn new(expression: Option<&str>, context: &Context) -> Outcome<Numbers> {
        let program = match expression {
            None => None,
            Some(text) => {
                let variables = Arc::new(OneValue {
                    at_hand: RwLock::default(),
                    others: context.variables.clone(),
                });
                let context = context.with_variables(variables.clone());
                let program = compile(&Arc::new(Source::expression(text)), &context)?;
                Some((program, context, variables))
            }
        };
        Ok(Numbers {
            text: expression.map(str::to_string),
            program,
        })
    }

    /// The expression.
    pub fn text(&self) -> Option<&str> {
        self.text.as_deref()
    }

    /// The number of a value; true is 1 and false is 0. Errors: E0203 for anything else, those of the expression.
    pub fn of(&self, value: &Value, entity: &str) -> Outcome<Number> {
        let made;
        let number = match &self.program {
            None => value,
            Some((program, context, variables)) => {
                *variables.at_hand.write() = (value.clone(), Value::text(entity));
                made = program.evaluate(context)?;
                &made
            }
        };
        if let Some(number) = number.as_double() {
            return Ok(match number.is_finite() {
                true => Number::Finite(number),
                false => Number::Unfit,
            });
        }
        match number {
            Value::Null => Ok(Number::Missing),
            Value::Bool(truth) => Ok(Number::Finite(f64::from(u8::from(*truth)))),
            other => Err(self.no_number(other)),
        }
    }

    fn no_number(&self, value: &Value) -> Fault {
        let kind = value.kind_in_words();
        if let Some(text) = &self.text {
            let message = format!("{text} gives {kind}, and a picture needs numbers");
            return Diagnostic::new(Code::ArgumentType, message);
        }
        let how = match value {
            Value::Object(object) => match object.type_name() {
                "Statistics" => "STATS_MEAN(value)",
                "HLLP" => "HLLP_CARDINALITY(value)",
                _ => "TO_DOUBLE(value)",
            },
            Value::List(_) | Value::Map(_) | Value::Set(_) => "LENGTH(value)",
            _ => "TO_DOUBLE(value)",
        };
        let message = format!("the values are no numbers: there is {kind}");
        Diagnostic::new(Code::ArgumentType, message)
            .help(format!("make numbers of them: --expr '{how}'"))
    }
}

/// What is wanted beside the value.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// How many median absolute deviations the band reaches; `None`: no band.
    pub width: Option<f64>,
    /// Whether all series have the same axis of values.
    pub same_scale: bool,
}

impl Default for Wanted {
    fn default() -> Wanted {
        Wanted {
            width: Some(WIDTH),
            same_scale: false,
        }
    }
}

/// A picture of a value: a list of numbers; a list or a map of such lists; what PROFILE_VERBOSE and PROFILER_FLUSH give.
/// Errors: E0203 for what has no numbers in it, E0204 for nothing at all, those of the expression.
pub fn figure(
    title: &str,
    value: &Value,
    numbers: &Numbers,
    wanted: Wanted,
    context: &Context,
) -> Outcome<Figure> {
    if let Some(figure) = value.as_object::<Figure>() {
        return Ok(figure.clone());
    }
    let series = series_of(value)?;
    let measured = match value {
        Value::List(list) => list.items(),
        _ => Vec::new(),
    };
    let timed = !measured.is_empty() && measured.iter().all(|item| timed(item).is_some());
    let mut figure = Figure {
        title: title.to_string(),
        expression: numbers.text().map(str::to_string),
        axis: Axis::Number,
        panels: Vec::new(),
        same_scale: wanted.same_scale,
        width: None,
    };
    if timed {
        figure.width = wanted.width;
        over_time(&mut figure, &measured, numbers, &context.zone)?;
        return Ok(figure);
    }
    for (name, items) in series {
        context.check_cancelled()?;
        let mut panel = Panel {
            name,
            points: Vec::with_capacity(items.len()),
            unfit: 0,
        };
        for (start, item) in (1..).zip(&items) {
            let value = drawn(numbers.of(item, &panel.name)?, &mut panel.unfit);
            panel.points.push(Point {
                start,
                end: start + 1,
                value,
                band: None,
            });
        }
        figure.panels.push(panel);
    }
    let measured = figure.panels.iter().map(Panel::measured).sum::<usize>();
    if measured == 0 {
        return Err(nothing(
            "there is nothing to draw: no value is a finite number",
        ));
    }
    Ok(figure)
}

/// A picture of what PROFILE_VERBOSE and PROFILER_FLUSH give, where it has numbers; `None` for other values.
pub fn measured(value: &Value, zone: &Zone) -> Option<Figure> {
    let Value::List(list) = value else {
        return None;
    };
    let items = list.items();
    if !(2..=MEASURED).contains(&items.len()) || !items.iter().all(|item| timed(item).is_some()) {
        return None;
    }
    let numbers = Numbers {
        text: None,
        program: None,
    };
    let mut figure = Figure {
        title: String::new(),
        expression: None,
        axis: Axis::Number,
        panels: Vec::new(),
        same_scale: false,
        width: Some(WIDTH),
    };
    over_time(&mut figure, &items, &numbers, zone).ok()?;
    (figure.panels.len() <= PANELS).then_some(figure)
}

/// A picture of the values of a map by their names; `None` for other values and for maps of lists.
/// Errors: E0203 for a value that is no number, E0204 where none can be drawn, those of the expression.
pub fn counts(
    title: &str,
    value: &Value,
    numbers: &Numbers,
    context: &Context,
) -> Outcome<Option<Counts>> {
    let Value::Map(map) = value else {
        return Ok(None);
    };
    let entries = map.entries();
    let is_list = |(_, value): &(Value, Value)| matches!(value, Value::List(_) | Value::Set(_));
    if entries.is_empty() || entries.iter().all(is_list) {
        return Ok(None);
    }
    let mut counts = Counts {
        title: title.to_string(),
        rows: Vec::with_capacity(entries.len()),
        left_out: 0,
    };
    for (name, value) in entries {
        context.check_cancelled()?;
        let name = to_text(&name);
        match numbers.of(&value, &name)? {
            Number::Finite(number) => counts.rows.push((name.to_string(), number)),
            Number::Unfit | Number::Missing => counts.left_out += 1,
        }
    }
    match counts.rows.is_empty() {
        true => Err(nothing(
            "there is nothing to draw: no value is a finite number",
        )),
        false => Ok(Some(counts)),
    }
}

/// How the numbers of a value are distributed, those of all its lists together.
/// Errors: as for [`figure`].
pub fn histogram(
    title: &str,
    value: &Value,
    numbers: &Numbers,
    context: &Context,
) -> Outcome<Histogram> {
    let none = || nothing("there is nothing to draw: no value is a finite number");
    if let Some(statistics) = value.as_object::<Statistics>() {
        let mut drawn = statistics.histogram().ok_or_else(none)?;
        drawn.title = title.to_string();
        return Ok(drawn);
    }
    let mut found = Vec::new();
    for (name, items) in series_of(value)? {
        for item in &items {
            context.check_cancelled()?;
            // What was measured is the number, and not when.
            let measured = timed(item);
            let (value, name) = match &measured {
                Some(measured) => (&measured.value, measured.entity.as_str()),
                None => (item, name.as_str()),
            };
            if let Number::Finite(number) = numbers.of(value, name)? {
                found.push(number);
            }
        }
    }
    let mut drawn = crate::functions::statistics::histogram_of(&found).ok_or_else(none)?;
    drawn.title = title.to_string();
    Ok(drawn)
}

/// How many measurements are drawn without being asked for.
const MEASURED: usize = 200_000;

/// How many series are.
const PANELS: usize = 12;

fn nothing(message: &str) -> Fault {
    Diagnostic::new(Code::ArgumentValue, message)
}

/// The number as it is drawn; counts those that cannot be.
pub(super) fn drawn(number: Number, unfit: &mut usize) -> Option<f64> {
    match number {
        Number::Finite(value) => Some(value),
        Number::Missing => None,
        Number::Unfit => {
            *unfit += 1;
            None
        }
    }
}

/// The lists of a value with their names.
fn series_of(value: &Value) -> Outcome<Vec<(String, Vec<Value>)>> {
    let items = |value: &Value| match value {
        Value::List(list) => Some(list.items()),
        Value::Set(set) => Some(set.items()),
        _ => None,
    };
    let found = match value {
        Value::Map(map) => {
            let named = map.entries().into_iter();
            let named = named.map(|(name, value)| (to_text(&name).to_string(), value));
            let all: Vec<(String, Value)> = named.collect();
            match all
                .iter()
                .map(|(_, value)| items(value))
                .collect::<Option<Vec<_>>>()
            {
                Some(lists) => all.into_iter().map(|(name, _)| name).zip(lists).collect(),
                None => vec![(
                    String::new(),
                    all.into_iter().map(|(_, value)| value).collect(),
                )],
            }
        }
        other => match items(other) {
            None => vec![(String::new(), vec![other.clone()])],
            Some(all) => match all.iter().map(items).collect::<Option<Vec<_>>>() {
                Some(lists) if !lists.is_empty() => {
                    let names = (1..).map(|number: usize| number.to_string());
                    names.zip(lists).collect()
                }
                _ => vec![(String::new(), all)],
            },
        },
    };
    let found: Vec<(String, Vec<Value>)> = found;
    if found.iter().all(|(_, items)| items.is_empty()) {
        return Err(nothing("there is nothing to draw: no value is there"));
    }
    Ok(found)
}

/// A measurement as PROFILE_VERBOSE and PROFILER_FLUSH give it.
struct Measured {
    profile: SmolStr,
    entity: SmolStr,
    groups: String,
    start: i64,
    end: i64,
    value: Value,
}

fn timed(item: &Value) -> Option<Measured> {
    let Value::Map(map) = item else { return None };
    let (start, end) = match map.get_text("period") {
        Some(Value::Map(period)) => (whole(&period, "start"), whole(&period, "end")),
        _ => (whole(map, "period.start"), whole(map, "period.end")),
    };
    let text = |name: &str| map.get_text(name).map(|value| to_text(&value));
    let groups = map.get_text("groups").and_then(|groups| match groups {
        Value::List(list) if !list.is_empty() => Some(joined(&list)),
        _ => None,
    });
    Some(Measured {
        profile: text("profile")?,
        entity: text("entity")?,
        groups: groups.unwrap_or_default(),
        start: start?,
        end: end?,
        value: map.get_text("value")?,
    })
}

fn joined(groups: &List) -> String {
    let texts: Vec<String> = groups
        .items()
        .iter()
        .map(|g| to_text(g).to_string())
        .collect();
    texts.join(" ")
}

fn whole(map: &Map, name: &str) -> Option<i64> {
    map.get_text(name).as_ref().and_then(to_long)
}

fn over_time(figure: &mut Figure, items: &[Value], numbers: &Numbers, zone: &Zone) -> Outcome<()> {
    let mut all: Vec<Measured> = items.iter().filter_map(timed).collect();
    all.sort_by_key(|measured| measured.start);
    let one_profile = all
        .windows(2)
        .all(|two| matches!(two, [a, b] if a.profile == b.profile));
    if let (true, Some(first)) = (one_profile, all.first()) {
        figure.title = format!("profile {}", first.profile);
    }
    let durations = all.windows(2).all(
        |two| matches!(two, [a, b] if a.end.saturating_sub(a.start) == b.end.saturating_sub(b.start)),
    );
    let period = all
        .first()
        .map(|first| first.end.saturating_sub(first.start));
    figure.axis = Axis::Time {
        zone: zone.clone(),
        period: period.filter(|_| durations),
    };
    let mut panels: IndexMap<String, Panel> = IndexMap::new();
    for measured in &all {
        let mut name = measured.entity.to_string();
        if !measured.groups.is_empty() {
            name = format!("{name} [{}]", measured.groups);
        }
        if !one_profile {
            name = format!("{} {name}", measured.profile);
        }
        let panel = panels.entry(name.clone()).or_insert_with(|| Panel {
            name,
            points: Vec::new(),
            unfit: 0,
        });
        let number = numbers.of(&measured.value, &measured.entity)?;
        panel.points.push(Point {
            start: measured.start,
            end: measured.end,
            value: drawn(number, &mut panel.unfit),
            band: None,
        });
    }
    for (_, mut panel) in panels {
        if let Some(width) = figure.width {
            let known = panel
                .points
                .iter()
                .filter_map(|p| Some((p.start, p.value?)));
            let mut history = History::new(known, zone, width);
            for point in &mut panel.points {
                point.band = history.expected(point.start, zone);
            }
        }
        figure.panels.push(panel);
    }
    if figure.panels.iter().all(|panel| panel.measured() == 0) {
        return Err(nothing(
            "there is nothing to draw: no value is a finite number",
        ));
    }
    Ok(())
}
