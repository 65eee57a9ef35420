//! Figures over all values that ever came, in constant memory.

use super::digest::{Centroid, Digest};
use std::cmp::Ordering;

/// The figures of a stream of numbers.
#[derive(Debug, Clone)]
pub struct Online {
    digest: Digest,
    count: u64,
    sum: f64,
    sum_of_squares: f64,
    sum_of_logs: f64,
    min: f64,
    max: f64,
    /// The mean, and the sums of the 2nd, 3rd and 4th powers of the distances from it.
    moments: [f64; 4],
}

/// What [`Online`] is made of, for those that store it.
#[derive(Debug, Clone, PartialEq)]
pub struct OnlineParts {
    /// The centroids of the t-digest, in order. Java stores their counts in 32 bits: a larger one must be split.
    pub centroids: Vec<Centroid>,
    /// How many values there were.
    pub count: u64,
    /// Their sum.
    pub sum: f64,
    /// The sum of their squares.
    pub sum_of_squares: f64,
    /// The sum of their natural logarithms.
    pub sum_of_logs: f64,
    /// The smallest; NaN without values.
    pub min: f64,
    /// The largest; NaN without values.
    pub max: f64,
    /// The mean, and the sums of the 2nd, 3rd and 4th powers of the distances from it: Metron's M1 to M4.
    pub moments: [f64; 4],
}

/// Why a value cannot be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It is NaN.
    NotANumber,
    /// A square or a moment leaves the range of a double.
    Overflow,
    /// The squares vanish.
    Underflow,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Refusal::NotANumber => "NaN cannot be added",
            Refusal::Overflow => {
                "the sum of squares or a moment leaves the range of a double (overflow)"
            }
            Refusal::Underflow => "the values are so small that their squares are zero (underflow)",
        })
    }
}

impl Default for Online {
    fn default() -> Online {
        Online {
            digest: Digest::default(),
            count: 0,
            sum: 0.0,
            sum_of_squares: 0.0,
            sum_of_logs: 0.0,
            min: f64::NAN,
            max: f64::NAN,
            moments: [0.0; 4],
        }
    }
}

impl Online {
    /// Rebuilds figures from their parts. `None` when a centroid is impossible.
    pub fn from_parts(parts: OnlineParts) -> Option<Online> {
        Some(Online {
            digest: Digest::from_centroids(parts.centroids)?,
            count: parts.count,
            sum: parts.sum,
            sum_of_squares: parts.sum_of_squares,
            sum_of_logs: parts.sum_of_logs,
            min: parts.min,
            max: parts.max,
            moments: parts.moments,
        })
    }

    /// What they are made of.
    pub fn parts(&mut self) -> OnlineParts {
        OnlineParts {
            centroids: self.digest.centroids().to_vec(),
            count: self.count,
            sum: self.sum,
            sum_of_squares: self.sum_of_squares,
            sum_of_logs: self.sum_of_logs,
            min: self.min,
            max: self.max,
            moments: self.moments,
        }
    }

    /// Adds a value; one that is refused leaves everything as it was.
    ///
    /// The moments are updated as in D. Knuth, The Art of Computer Programming 2 (3rd ed., page 232), and in
    /// T. Terriberry, Computing Higher-Order Moments Online (2007), in the order of Metron's operations, so that the
    /// last digits agree.
    pub fn add(&mut self, value: f64) -> Result<(), Refusal> {
        if value.is_nan() {
            return Err(Refusal::NotANumber);
        }
        let (before, n) = (self.count as f64, self.count as f64 + 1.0);
        let [m1, m2, m3, m4] = self.moments();
        let delta = value - m1;
        let step = delta / n;
        let step2 = step * step;
        let term = delta * step * before;
        let m4 = m4 + (term * step2 * (n * n - 3.0 * n + 3.0) + 6.0 * step2 * m2 - 4.0 * step * m3);
        let m3 = m3 + (term * step * (n - 2.0) - 3.0 * step * m2);
        let moments = [m1 + step, m2 + term, m3, m4];
        let sum = self.sum + value;
        let squares = self.sum_of_squares + value * value;
        check(sum, squares, &moments)?;
        self.sum = sum;
        self.sum_of_squares = squares;
        self.sum_of_logs += value.ln();
        self.min = extreme(self.min, value, Ordering::Less);
        self.max = extreme(self.max, value, Ordering::Greater);
        self.count += 1;
        self.moments = moments;
        self.digest.add(value);
        Ok(())
    }

    /// The figures of both sides together, as new ones.
    ///
    /// P. Pébay: Formulas for Robust, One-Pass Parallel Computation of Covariances and Arbitrary-Order Statistical
    /// Moments, Sandia report SAND2008-6212.
    pub fn merged(&mut self, other: &mut Online) -> Result<Online, Refusal> {
        let (na, nb) = (self.count as f64, other.count as f64);
        let n = na + nb;
        let [a1, a2, a3, a4] = self.moments();
        let [b1, b2, b3, b4] = other.moments();
        let delta = b1 - a1;
        let delta2 = delta * delta;
        let delta3 = delta * delta2;
        let delta4 = delta2 * delta2;
        let m1 = (na * a1 + nb * b1) / n;
        let m2 = a2 + b2 + delta2 * na * nb / n;
        let m3 = a3
            + b3
            + delta3 * na * nb * (na - nb) / (n * n)
            + 3.0 * delta * (na * b2 - nb * a2) / n;
        let m4 = a4
            + b4
            + delta4 * na * nb * (na * na - na * nb + nb * nb) / (n * n * n)
            + (6.0 * delta2 * (na * na * b2 + nb * nb * a2) / (n * n)
                + 4.0 * delta * (na * b3 - nb * a3) / n);
        let mut merged = Online {
            digest: Digest::default(),
            count: self.count + other.count,
            sum: self.sum + other.sum,
            sum_of_squares: self.sum_of_squares + other.sum_of_squares,
            sum_of_logs: self.sum_of_logs + other.sum_of_logs,
            min: extreme(self.min, other.min, Ordering::Less),
            max: extreme(self.max, other.max, Ordering::Greater),
            moments: [m1, m2, m3, m4],
        };
        check(merged.sum, merged.sum_of_squares, &merged.moments)?;
        merged.digest.merge(&mut self.digest);
        merged.digest.merge(&mut other.digest);
        Ok(merged)
    }

    /// The moments to go on from: a merge of nothing with nothing has NaN, as in Metron, and must not pass it on.
    #[inline]
    fn moments(&self) -> [f64; 4] {
        match self.count {
            0 => [0.0; 4],
            _ => self.moments,
        }
    }

    /// How many values there were.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Their sum.
    pub fn sum(&self) -> f64 {
        self.sum
    }

    /// The sum of their squares.
    pub fn sum_of_squares(&self) -> f64 {
        self.sum_of_squares
    }

    /// The sum of their natural logarithms.
    pub fn sum_of_logs(&self) -> f64 {
        self.sum_of_logs
    }

    /// The smallest; NaN without values.
    pub fn min(&self) -> f64 {
        self.min
    }

    /// The largest; NaN without values.
    pub fn max(&self) -> f64 {
        self.max
    }

    /// The mean; NaN without values.
    pub fn mean(&self) -> f64 {
        self.sum / self.count as f64
    }

    /// The variance of a sample.
    pub fn variance(&self) -> f64 {
        self.moments[1] / (self.count as f64 - 1.0)
    }

    /// The variance of a whole population.
    pub fn population_variance(&self) -> f64 {
        self.moments[1] / self.count as f64
    }

    /// The unbiased skewness; NaN below three values.
    pub fn skewness(&self) -> f64 {
        if self.count < 3 {
            return f64::NAN;
        }
        let n = self.count as f64;
        let [_, _, m3, _] = self.moments;
        n / ((n - 1.0) * (n - 2.0)) * m3 / self.variance().sqrt().powf(3.0)
    }

    /// The unbiased excess kurtosis; NaN below four values.
    pub fn kurtosis(&self) -> f64 {
        if self.count < 4 {
            return f64::NAN;
        }
        let n = self.count as f64;
        let [_, _, _, m4] = self.moments;
        let share = n * (n + 1.0) / ((n - 1.0) * (n - 2.0) * (n - 3.0));
        let rest = 3.0 * ((n - 1.0) * (n - 1.0)) / ((n - 2.0) * (n - 3.0));
        share * (m4 / self.variance().sqrt().powf(4.0)) - rest
    }

    /// The value below which `p` percent lie; `None` when `p` is not between 0 and 100.
    pub fn percentile(&mut self, p: f64) -> Option<f64> {
        let q = p / 100.0;
        // NaN is not out of range: it gives NaN.
        (q.is_nan() || (0.0..=1.0).contains(&q)).then(|| self.digest.quantile(q))
    }
}

/// The one of two numbers on the `wanted` side; NaN, the extreme of nothing, gives way. -0.0 is below 0.0, as in Java.
#[inline]
fn extreme(a: f64, b: f64, wanted: Ordering) -> f64 {
    match b.is_nan() || (!a.is_nan() && b.total_cmp(&a) != wanted) {
        true => a,
        false => b,
    }
}

/// Refuses what can no longer be reckoned with.
#[inline]
fn check(sum: f64, squares: f64, moments: &[f64; 4]) -> Result<(), Refusal> {
    if squares.is_infinite() || moments.iter().any(|m| m.is_infinite()) {
        return Err(Refusal::Overflow);
    }
    if squares == 0.0 && sum > 0.0 {
        return Err(Refusal::Underflow);
    }
    Ok(())
}
