//! The object that the functions of this family share.

use super::online::{Online, OnlineParts, Refusal};
use super::window::{Window, WindowParts};
use crate::eval::{Object, Value, text::to_text};
use parking_lot::{Mutex, MutexGuard};
use std::any::Any;
use std::sync::Arc;

/// A statistics object, changed in place by STATS_ADD.
#[derive(Debug)]
pub struct Statistics(Mutex<Figures>);

/// The two kinds of figures.
#[derive(Debug, Clone)]
pub enum Figures {
    /// Over all values.
    Online(Online),
    /// Over the last ones.
    Window(Window),
}

/// What a statistics object is made of, for those that store it.
#[derive(Debug, Clone, PartialEq)]
pub enum StatisticsParts {
    /// Over all values.
    Online(OnlineParts),
    /// Over the last ones.
    Window(WindowParts),
}

/// A percentile outside of what the kind of figures knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutOfRange {
    /// What is allowed, in words.
    pub allowed: &'static str,
}

impl Statistics {
    /// An object with these figures.
    pub fn new(figures: Figures) -> Statistics {
        Statistics(Mutex::new(figures))
    }

    /// Rebuilds an object from its parts. `None` when a centroid is impossible.
    pub fn from_parts(parts: StatisticsParts) -> Option<Statistics> {
        Some(Statistics::new(match parts {
            StatisticsParts::Online(parts) => Figures::Online(Online::from_parts(parts)?),
            StatisticsParts::Window(parts) => Figures::Window(Window::from_parts(parts)),
        }))
    }

    /// What it is made of.
    pub fn parts(&self) -> StatisticsParts {
        match &mut *self.figures() {
            Figures::Online(online) => StatisticsParts::Online(online.parts()),
            Figures::Window(window) => StatisticsParts::Window(window.parts()),
        }
    }

    /// Its figures, for as long as the guard lives. Nothing else may be locked meanwhile.
    pub fn figures(&self) -> MutexGuard<'_, Figures> {
        self.0.lock()
    }

    /// As a value.
    pub fn into_value(self) -> Value {
        Value::Object(Arc::new(self))
    }
}

impl Object for Statistics {
    fn type_name(&self) -> &'static str {
        "Statistics"
    }

    fn text(&self) -> String {
        let figures = self.figures();
        let mean = to_text(&Value::Double(figures.mean()));
        match &*figures {
            Figures::Online(online) => {
                format!("Statistics{{count={}, mean={mean}}}", online.count())
            }
            Figures::Window(window) => format!(
                "Statistics{{count={}, mean={mean}, window={}}}",
                window.count(),
                window.size()
            ),
        }
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// A figure of both kinds.
macro_rules! both {
    ($self:ident, $of:ident => $result:expr) => {
        match $self {
            Figures::Online($of) => $result,
            Figures::Window($of) => $result,
        }
    };
}

impl Figures {
    /// Adds a value; one that is refused leaves everything as it was.
    #[inline]
    pub fn add(&mut self, value: f64) -> Result<(), Refusal> {
        match self {
            Figures::Online(online) => online.add(value),
            Figures::Window(window) => {
                window.add(value);
                Ok(())
            }
        }
    }

    /// How many values there are, as a double.
    pub fn count(&self) -> f64 {
        both!(self, of => of.count() as f64)
    }

    /// Their sum.
    pub fn sum(&self) -> f64 {
        both!(self, of => of.sum())
    }

    /// The sum of their squares.
    pub fn sum_of_squares(&self) -> f64 {
        both!(self, of => of.sum_of_squares())
    }

    /// The sum of their natural logarithms; only figures over all values have it.
    pub fn sum_of_logs(&self) -> Option<f64> {
        match self {
            Figures::Online(online) => Some(online.sum_of_logs()),
            Figures::Window(_) => None,
        }
    }

    /// The smallest; NaN without values.
    pub fn min(&self) -> f64 {
        both!(self, of => of.min())
    }

    /// The largest; NaN without values.
    pub fn max(&self) -> f64 {
        both!(self, of => of.max())
    }

    /// The mean; NaN without values.
    pub fn mean(&self) -> f64 {
        both!(self, of => of.mean())
    }

    /// The variance of a sample.
    pub fn variance(&self) -> f64 {
        both!(self, of => of.variance())
    }

    /// The variance of a whole population.
    pub fn population_variance(&self) -> f64 {
        both!(self, of => of.population_variance())
    }

    /// The standard deviation of a sample.
    pub fn deviation(&self) -> f64 {
        self.variance().sqrt()
    }

    /// The geometric mean; NaN without values and where one is negative.
    pub fn geometric_mean(&self) -> f64 {
        match self {
            Figures::Online(online) => (online.sum_of_logs() / self.count()).exp(),
            Figures::Window(window) => window.geometric_mean(),
        }
    }

    /// The root of the mean of the squares; NaN without values.
    pub fn quadratic_mean(&self) -> f64 {
        (self.sum_of_squares() / self.count()).sqrt()
    }

    /// The skewness; NaN below three values.
    pub fn skewness(&self) -> f64 {
        both!(self, of => of.skewness())
    }

    /// The excess kurtosis; NaN below four values.
    pub fn kurtosis(&self) -> f64 {
        both!(self, of => of.kurtosis())
    }

    /// The value below which `p` percent lie; NaN without values.
    pub fn percentile(&mut self, p: f64) -> Result<f64, OutOfRange> {
        let (found, allowed) = match self {
            Figures::Online(online) => (online.percentile(p), "from 0 to 100"),
            Figures::Window(window) => {
                let allowed = "above 0 and up to 100 where there is a window";
                (window.percentile(p), allowed)
            }
        };
        found.ok_or(OutOfRange { allowed })
    }
}
