//! The axis of values: a range that ends at round numbers, and its ticks.

/// An axis of values.
#[derive(Debug, Clone, PartialEq)]
pub struct Scale {
    /// The value at its lower end.
    pub low: f64,
    /// The value at its upper end.
    pub high: f64,
    /// Round values from the lower end upwards.
    pub ticks: Vec<f64>,
    step: f64,
}

/// How much of the upper end the lowest value must be, that the axis does not begin at zero.
const FAR_FROM_ZERO: f64 = 0.5;

impl Scale {
    /// An axis that holds these finite values and has at most about so many steps. Whole values get no ticks between
    /// whole numbers. Zero is on it unless the values lie far from zero and near each other.
    pub fn new(low: f64, high: f64, steps: usize, whole: bool) -> Scale {
        let (low, high) = around(low, high);
        let steps = steps.clamp(1, 100);
        let mut step = nice(span(low, high, steps as f64));
        if whole && step < 1.0 {
            step = 1.0;
        }
        // Steps that a double cannot tell apart would give the same tick twice.
        let finest = low.abs().max(high.abs()) * (4.0 * f64::EPSILON);
        if step < finest {
            step = nice(finest);
        }
        let ends = |step: f64| {
            (
                outward(low, step, f64::floor),
                outward(high, step, f64::ceil),
            )
        };
        let (mut below, mut above) = ends(step);
        if below >= above {
            (below, above) = (below - step, above + step);
        }
        let low = below.min(low).clamp(f64::MIN, f64::MAX);
        let high = above.max(high).clamp(f64::MIN, f64::MAX);
        let mut ticks: Vec<f64> = Vec::new();
        // More than doubles hold need not be told apart.
        let count = (high / step - low / step + 0.01).floor() as usize;
        for index in 0..=count.min(2 * steps + 2) {
            let tick = (low / 2.0 + step * (index as f64 / 2.0)) * 2.0;
            let tick = if tick.abs() < step / 1e6 { 0.0 } else { tick };
            if tick.is_finite() && tick <= high && ticks.last().is_none_or(|last| *last < tick) {
                ticks.push(tick);
            }
        }
        Scale {
            low,
            high,
            ticks,
            step,
        }
    }

    /// Where a value lies: 0 at the lower end, 1 at the upper one, and never outside.
    pub fn place(&self, value: f64) -> f64 {
        // Halves, for the difference of two doubles may be more than a double holds.
        let place = (value / 2.0 - self.low / 2.0) / (self.high / 2.0 - self.low / 2.0);
        if place.is_nan() {
            0.0
        } else {
            place.clamp(0.0, 1.0)
        }
    }

    /// What stands at the ticks.
    pub fn labels(&self) -> Vec<String> {
        self.ticks.iter().map(|tick| self.label(*tick)).collect()
    }

    /// What stands at a tick.
    pub fn label(&self, tick: f64) -> String {
        let largest = self.low.abs().max(self.high.abs());
        if tick == 0.0 {
            return "0".to_string();
        }
        let digits = |unit: f64| (-((self.step / unit).log10() + 1e-9).floor()).max(0.0) as usize;
        if !(1e-4..1e15).contains(&largest) || digits(1.0) > 12 {
            let digits = (largest.log10().floor() - self.step.log10().floor()).clamp(0.0, 15.0);
            return format!("{tick:.*e}", digits as usize);
        }
        let units = [(1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")];
        let unit = units
            .iter()
            .find(|(unit, _)| largest >= *unit && largest >= 1e4);
        match unit {
            Some((unit, letter)) if digits(*unit) <= 2 => {
                format!("{:.*}{letter}", digits(*unit), tick / unit)
            }
            _ => format!("{tick:.*}", digits(1.0)),
        }
    }
}

/// The range to show: not empty, and down to zero where that costs little.
fn around(low: f64, high: f64) -> (f64, f64) {
    let (low, high) = if low <= high {
        (low, high)
    } else {
        (high, low)
    };
    if low == 0.0 && high == 0.0 {
        return (0.0, 1.0);
    }
    let near = |inner: f64, outer: f64| inner == outer || inner / outer < FAR_FROM_ZERO;
    if low >= 0.0 && near(low, high) {
        (0.0, high)
    } else if high <= 0.0 && near(high, low) {
        (low, 0.0)
    } else {
        (low, high)
    }
}

/// The length of one of so many parts, also where the whole is more than a double holds.
fn span(low: f64, high: f64, parts: f64) -> f64 {
    let whole = high - low;
    let part = if whole.is_finite() {
        whole / parts
    } else {
        high / parts - low / parts
    };
    part.clamp(f64::MIN_POSITIVE, f64::MAX / 4.0)
}

/// The least of 1, 2 and 5 times a power of ten that is not below `step`.
fn nice(step: f64) -> f64 {
    let power = 10f64.powf(step.log10().floor()).max(f64::MIN_POSITIVE);
    let times = step / power;
    let factors = [1.0, 2.0, 5.0, 10.0];
    let factor = factors
        .iter()
        .find(|factor| times <= **factor * (1.0 + 1e-9));
    (power * factor.unwrap_or(&10.0)).min(f64::MAX / 4.0)
}

/// The multiple of `step` that `round` leads to, or the value itself where there is none.
fn outward(value: f64, step: f64, round: fn(f64) -> f64) -> f64 {
    let steps = value / step;
    // What is a multiple but for the last bits is one.
    let near = steps.round();
    let steps = if (steps - near).abs() < 1e-9 {
        near
    } else {
        round(steps)
    };
    let end = steps * step;
    if end.is_finite() { end } else { value }
}

/// A value in a sentence: whole numbers in full, others with the digits that matter.
pub fn in_words(value: f64) -> String {
    let size = value.abs();
    if value == value.trunc() && size < 1e15 {
        return format!("{}", value as i64);
    }
    if !(1e-3..1e15).contains(&size) {
        return format!("{value:.3e}");
    }
    let digits = (2.0 - size.log10().floor()).clamp(0.0, 6.0) as usize;
    let text = format!("{value:.digits$}");
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_string(),
        false => text,
    }
}
