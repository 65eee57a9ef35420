//! Figures over the last values only, which are all kept.
//!
//! The formulas, and the order of their operations, are those of the descriptive statistics of commons-math 3.6.1.

use std::collections::VecDeque;

/// The last values of a stream of numbers.
#[derive(Debug, Clone)]
pub struct Window {
    size: usize,
    values: VecDeque<f64>,
}

/// What [`Window`] is made of, for those that store it.
#[derive(Debug, Clone, PartialEq)]
pub struct WindowParts {
    /// How many values are kept at most.
    pub size: usize,
    /// The values kept, the oldest first.
    pub values: Vec<f64>,
}

impl Window {
    /// An empty window of `size` values, at least one.
    pub fn new(size: usize) -> Window {
        Window {
            size: size.max(1),
            values: VecDeque::new(),
        }
    }

    /// Rebuilds a window from its parts.
    pub fn from_parts(parts: WindowParts) -> Window {
        let mut window = Window::new(parts.size);
        parts.values.into_iter().for_each(|value| window.add(value));
        window
    }

    /// What it is made of.
    pub fn parts(&self) -> WindowParts {
        WindowParts {
            size: self.size,
            values: self.values.iter().copied().collect(),
        }
    }

    /// How many values are kept at most.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Adds a value, in place of the oldest when the window is full.
    pub fn add(&mut self, value: f64) {
        if self.values.len() >= self.size {
            self.values.pop_front();
        }
        self.values.push_back(value);
    }

    /// How many values there are.
    pub fn count(&self) -> usize {
        self.values.len()
    }

    /// Their sum.
    pub fn sum(&self) -> f64 {
        self.total(|x| x)
    }

    /// The sum of their squares.
    pub fn sum_of_squares(&self) -> f64 {
        self.total(|x| x * x)
    }

    /// The smallest that is not NaN; NaN when there is none.
    pub fn min(&self) -> f64 {
        self.extreme(|best, x| best < x)
    }

    /// The largest that is not NaN; NaN when there is none.
    pub fn max(&self) -> f64 {
        self.extreme(|best, x| best > x)
    }

    /// The mean; NaN without values.
    pub fn mean(&self) -> f64 {
        let first = self.sum() / self.len();
        // A second pass takes away what rounding did to the first one.
        first + self.total(|x| x - first) / self.len()
    }

    /// The variance of a sample: 0.0 for a single value, NaN for none.
    pub fn variance(&self) -> f64 {
        self.spread(self.len() - 1.0)
    }

    /// The variance of a whole population: 0.0 for a single value, NaN for none.
    pub fn population_variance(&self) -> f64 {
        self.spread(self.len())
    }

    /// The geometric mean; NaN without values.
    pub fn geometric_mean(&self) -> f64 {
        (self.total(f64::ln) / self.len()).exp()
    }

    /// The unbiased skewness; NaN below three values.
    pub fn skewness(&self) -> f64 {
        if self.count() < 3 {
            return f64::NAN;
        }
        let (n, mean, variance) = (self.len(), self.mean(), self.variance());
        let cubes = self.total(|x| (x - mean) * (x - mean) * (x - mean));
        n / ((n - 1.0) * (n - 2.0)) * (cubes / (variance * variance.sqrt()))
    }

    /// The unbiased excess kurtosis; NaN below four values.
    pub fn kurtosis(&self) -> f64 {
        if self.count() < 4 {
            return f64::NAN;
        }
        let (mut n, mut mean, mut squares) = (0.0, 0.0, 0.0);
        for x in &self.values {
            n += 1.0;
            let delta = x - mean;
            let step = delta / n;
            mean += step;
            squares += (n - 1.0) * delta * step;
        }
        let deviation = (squares / (n - 1.0)).sqrt();
        let fourth = self.total(|x| (x - mean).powf(4.0)) / deviation.powf(4.0);
        let share = (n * (n + 1.0)) / ((n - 1.0) * (n - 2.0) * (n - 3.0));
        let rest = (3.0 * ((n - 1.0) * (n - 1.0))) / ((n - 2.0) * (n - 3.0));
        share * fourth - rest
    }

    /// The value below which `p` percent lie, NaN left out of account; `None` when `p` is not above 0 and at most 100.
    pub fn percentile(&self, p: f64) -> Option<f64> {
        if p <= 0.0 || p > 100.0 {
            return None;
        }
        if self.count() < 2 {
            return Some(self.values.front().copied().unwrap_or(f64::NAN));
        }
        let mut sorted: Vec<f64> = self.values.iter().copied().collect();
        sorted.retain(|x| !x.is_nan());
        sorted.sort_unstable_by(f64::total_cmp);
        let (Some(first), Some(last)) = (sorted.first(), sorted.last()) else {
            return Some(f64::NAN);
        };
        if p.is_nan() {
            return None;
        }
        let q = p / 100.0;
        let place = match q == 1.0 {
            true => sorted.len() as f64,
            false => q * (sorted.len() + 1) as f64,
        };
        if place < 1.0 {
            return Some(*first);
        }
        if place >= sorted.len() as f64 {
            return Some(*last);
        }
        let whole = place.floor();
        let lower = sorted.get(whole as usize - 1).unwrap_or(last);
        let upper = sorted.get(whole as usize).unwrap_or(last);
        Some(lower + (place - whole) * (upper - lower))
    }

    /// The value that `beats` all others; of equal ones, such as 0.0 and -0.0, the last.
    fn extreme(&self, beats: fn(f64, f64) -> bool) -> f64 {
        let numbers = self.values.iter().copied().filter(|x| !x.is_nan());
        numbers.fold(f64::NAN, |best, x| if beats(best, x) { best } else { x })
    }

    fn len(&self) -> f64 {
        self.values.len() as f64
    }

    /// The sum over a function of the values. It begins at 0.0, so that nothing sums to 0.0 and not to -0.0.
    fn total(&self, of: impl Fn(f64) -> f64) -> f64 {
        self.values.iter().fold(0.0, |sum, x| sum + of(*x))
    }

    fn spread(&self, by: f64) -> f64 {
        if self.count() == 1 {
            return 0.0;
        }
        let mean = self.mean();
        let squares = self.total(|x| (x - mean) * (x - mean));
        let rest = self.total(|x| x - mean);
        (squares - (rest * rest / self.len())) / by
    }
}
