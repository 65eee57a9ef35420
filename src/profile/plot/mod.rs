//! Pictures of profiles: values over time with what was expected behind them, in the terminal and as SVG.
//!
//! Numbers first: [`Point`]s with gaps ([`series`]), what is usual ([`band`]), round ticks ([`scale`], [`time`]).
//! A [`Figure`] puts them together; two renderers draw it ([`text`], [`svg`]). [`read`] gets the points from the store,
//! [`values`] from the value of an expression.

pub mod band;
pub mod periods;
pub mod read;
pub mod series;
pub mod svg;
pub mod text;
pub mod values;

pub use crate::drawing::{scale, time};
pub use band::Band;
pub use series::Point;

use super::store::span;
use crate::diagnostic::{Drawing, Page};
use crate::drawing::clocks::{clock_changes, moment};
use crate::eval::Object;
use crate::eval::java::date_format::Zone;
use scale::{Scale, in_words};
use serde_json::{Value as Json, json};
use std::any::Any;
use std::sync::Arc;
use text::Size;

/// What the axis below shows.
#[derive(Debug, Clone)]
pub enum Axis {
    /// Time, by the clocks of a zone.
    Time {
        /// The zone.
        zone: Zone,
        /// The length of a period in milliseconds; `None` where it is not the same everywhere.
        period: Option<i64>,
    },
    /// The numbers of the values, from 1.
    Number,
}

/// One entity.
#[derive(Debug, Clone)]
pub struct Panel {
    /// Its name; empty where there is only one and it has none.
    pub name: String,
    /// Its periods in order of time.
    pub points: Vec<Point>,
    /// How many values are neither finite numbers nor missing, and are not drawn.
    pub unfit: usize,
}

/// A picture: one or more entities above one another, with one axis of time.
#[derive(Debug, Clone)]
pub struct Figure {
    /// What is shown: `profile logins`.
    pub title: String,
    /// The expression that makes numbers of the values, if there is one.
    pub expression: Option<String>,
    /// What the axis below shows.
    pub axis: Axis,
    /// The entities.
    pub panels: Vec<Panel>,
    /// Whether all entities have the same axis of values.
    pub same_scale: bool,
    /// How many median absolute deviations the band reaches to both sides; `None`: there is no band.
    pub width: Option<f64>,
}

impl Panel {
    /// How many periods have a value.
    pub fn measured(&self) -> usize {
        self.points.iter().filter(|p| p.value.is_some()).count()
    }

    /// How many values are not what was expected.
    pub fn outside(&self) -> usize {
        self.points.iter().filter(|p| p.stands_out()).count()
    }

    fn banded(&self) -> bool {
        self.points.iter().any(|point| point.band.is_some())
    }

    /// The least and the largest value to show, and whether all are whole.
    fn range(&self) -> Option<(f64, f64, bool)> {
        let values = || self.points.iter().filter_map(|point| point.value);
        let low = values().min_by(f64::total_cmp)?;
        let high = values().max_by(f64::total_cmp)?;
        let whole = values().all(|value| value == value.trunc());
        // A band that reaches far would leave a flat line of the values.
        let room = (high / 2.0 - low / 2.0).max(high.abs().max(low.abs()) / 4.0);
        let bands = || self.points.iter().filter_map(|point| point.band);
        let lowest = bands().map(|band| band.low).min_by(f64::total_cmp);
        let highest = bands().map(|band| band.high).max_by(f64::total_cmp);
        let end = |end: f64| end.clamp(f64::MIN, f64::MAX);
        let lowest = lowest.map_or(low, |lowest| lowest.max(end(low - room)).min(low));
        let highest = highest.map_or(high, |highest| highest.min(end(high + room)).max(high));
        Some((lowest, highest, whole))
    }
}

impl Figure {
    /// The name of its type.
    pub const TYPE: &str = "Figure";

    /// Where the axis below begins and ends.
    pub fn reach(&self) -> (i64, i64) {
        let points = || self.panels.iter().flat_map(|panel| &panel.points);
        let start = points().map(|point| point.start).min().unwrap_or(0);
        let end = points().map(|point| point.end).max().unwrap_or(1);
        (start, end.max(start.saturating_add(1)))
    }

    /// The axes of values, one for each panel.
    pub fn scales(&self, steps: usize) -> Vec<Scale> {
        let ranges: Vec<_> = self.panels.iter().map(Panel::range).collect();
        let of = |range: &Option<(f64, f64, bool)>| {
            let (low, high, whole) = range.unwrap_or((0.0, 1.0, true));
            Scale::new(low, high, steps, whole)
        };
        if !self.same_scale {
            return ranges.iter().map(of).collect();
        }
        let all = ranges.iter().flatten().copied();
        let all = all.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1), a.2 && b.2));
        vec![of(&all); self.panels.len()]
    }

    /// A moment as a sentence says it.
    pub fn moment(&self, at: i64) -> String {
        match &self.axis {
            Axis::Time { zone, .. } => moment(at, zone, false),
            Axis::Number => at.to_string(),
        }
    }

    /// The heading: what, in which periods, in which zone.
    pub fn heading(&self) -> String {
        let mut parts = vec![self.title.clone()];
        parts.extend(self.expression.clone());
        if let Axis::Time { zone, period } = &self.axis {
            parts.extend(period.map(|period| format!("periods of {}", span(period))));
            parts.push(zone.id().to_string());
        }
        parts.retain(|part| !part.is_empty());
        parts.join(" · ")
    }

    /// From when to when; empty without times.
    pub fn from_to(&self) -> String {
        let (start, end) = self.reach();
        match &self.axis {
            Axis::Time { .. } => format!("{} to {}", self.moment(start), self.moment(end)),
            Axis::Number => String::new(),
        }
    }

    /// What is worth saying about an entity: `672 periods, 5 missing, 2 outside of the band`.
    pub fn remarks(&self, panel: &Panel) -> String {
        let what = match self.axis {
            Axis::Time { .. } => "period",
            Axis::Number => "value",
        };
        let all = panel.points.len();
        let mut parts = vec![format!("{all} {what}{}", if all == 1 { "" } else { "s" })];
        let missing = all - panel.measured() - panel.unfit;
        if missing > 0 {
            parts.push(format!("{missing} missing"));
        }
        if panel.unfit > 0 {
            parts.push(format!("{} not finite", panel.unfit));
        }
        if panel.banded() {
            parts.push(format!("{} outside of the band", panel.outside()));
        }
        parts.join(", ")
    }

    /// What the band is, if there is one, or why there is none.
    pub fn about_band(&self) -> Option<String> {
        let width = self.width?;
        if !self.panels.iter().any(Panel::banded) {
            return Some(format!(
                "no band: fewer than {} earlier weeks were measured at the same weekday and hour",
                band::LEAST_WEEKS
            ));
        }
        Some(format!(
            "band: median ± {} × 1.4826 MAD, same weekday and hour of up to {} earlier weeks",
            in_words(width),
            band::WEEKS
        ))
    }

    /// Changes of clocks, so that nobody wonders about an hour that is missing or there twice.
    pub fn clock_changes(&self) -> Vec<(i64, String)> {
        let Axis::Time { zone, .. } = &self.axis else {
            return Vec::new();
        };
        let (start, end) = self.reach();
        let changes = clock_changes(start, end, zone);
        let told = changes.into_iter().map(|change| {
            let way = if change.by > 0 { "forward" } else { "back" };
            let by = span(change.by.abs());
            let at = self.moment(change.at);
            (change.at, format!("clocks go {way} by {by}: {at}"))
        });
        told.collect()
    }

    /// What is known of a point that stands out.
    pub fn of_point(&self, point: &Point) -> String {
        let at = self.moment(point.start);
        let value = point.value.map(in_words).unwrap_or_default();
        match point.band {
            Some(Band { low, median, high }) => {
                let [low, median, high] = [low, median, high].map(in_words);
                format!("{at}: {value}, expected {low} to {high} (median {median})")
            }
            None => format!("{at}: {value}"),
        }
    }

    /// The picture as a value that an expression may hold.
    pub fn into_value(self) -> crate::eval::Value {
        crate::eval::Value::Object(Arc::new(self))
    }
}

impl Drawing for Figure {
    fn title(&self) -> String {
        self.heading()
    }

    fn svg(&self, size: svg::Size) -> String {
        svg::draw(self, size)
    }

    fn page(&self, room: Size) -> Page {
        text::draw(self, room)
    }
}

impl Object for Figure {
    fn type_name(&self) -> &'static str {
        Figure::TYPE
    }

    fn text(&self) -> String {
        let count = |of: fn(&Panel) -> usize| self.panels.iter().map(of).sum::<usize>();
        format!(
            "Figure{{{}, series={}, values={}, outside={}}}",
            self.title,
            self.panels.len(),
            count(Panel::measured),
            count(Panel::outside)
        )
    }

    fn json(&self) -> Option<Json> {
        let panels = self.panels.iter().map(|panel| {
            let points = panel.points.iter().map(|point| {
                let band = point.band.map(|band| [band.low, band.median, band.high]);
                json!({"start": point.start, "end": point.end, "value": point.value, "expected": band})
            });
            json!({"name": panel.name, "points": points.collect::<Vec<_>>()})
        });
        Some(json!({"title": self.heading(), "series": panels.collect::<Vec<_>>()}))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
