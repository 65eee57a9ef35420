//! The t-digest: percentiles of any number of values out of a few weighted points.
//!
//! T. Dunning, O. Ertl: Computing Extremely Accurate Quantiles Using t-Digests, arXiv:1902.04023 (2019), in the form
//! that collects values and merges them in sorted batches. Two things are our own: few different values are kept
//! exactly, and the bound of a centroid lies between the paper's k1 and k2. Nothing here is random.

/// The most centroids that are kept; up to so many values every percentile is exact.
pub const MOST: usize = 512;

/// So many values wait before they are sorted and merged.
const BATCH: usize = 1024;

/// Up to so many different values each keeps its count, so that percentiles stay exact.
const FEW: usize = MOST / 3;

/// A centroid holds at most this share of all values times (q(1-q))^¾: 0.7 % of them in the middle, less at the ends.
const SHARE: f64 = 0.02;

/// Some neighbouring values in one: their mean and how many they are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Centroid {
    /// Their mean, a finite number.
    pub mean: f64,
    /// How many they are, at least one.
    pub count: u64,
}

/// Percentiles of finite numbers, in constant memory.
#[derive(Debug, Clone, Default)]
pub struct Digest {
    /// In order of their means.
    centroids: Vec<Centroid>,
    /// What the centroids hold together.
    total: u64,
    /// Values not yet among them, as whole numbers in the same order, which are sorted faster.
    waiting: Vec<i64>,
}

impl Digest {
    /// A digest of these centroids, in any order, kept as they are until values push them together.
    /// `None` when a mean is not finite or a centroid is empty.
    pub fn from_centroids(mut centroids: Vec<Centroid>) -> Option<Digest> {
        let good = |c: &Centroid| c.mean.is_finite() && c.count > 0;
        if !centroids.iter().all(good) {
            return None;
        }
        // A stable sort leaves equal means in their order, so that what was read is written again alike.
        centroids.sort_by(|a, b| a.mean.total_cmp(&b.mean));
        let total = centroids
            .iter()
            .try_fold(0u64, |sum, c| sum.checked_add(c.count))?;
        Some(Digest {
            centroids,
            total,
            waiting: Vec::new(),
        })
    }

    /// The centroids in order.
    pub fn centroids(&mut self) -> &[Centroid] {
        self.settle();
        &self.centroids
    }

    /// Adds a finite number.
    #[inline]
    pub fn add(&mut self, value: f64) {
        self.waiting.push(key(value));
        if self.waiting.len() >= BATCH {
            self.settle();
        }
    }

    /// Adds all that `other` holds.
    pub fn merge(&mut self, other: &mut Digest) {
        other.settle();
        self.settle();
        self.take_in(other.centroids.iter().copied());
    }

    /// The value at the share `q`, from 0 to 1, of all values in order; NaN when there are none.
    ///
    /// Centroids stand at the middle of the places that their values take in the order; between two of them, and
    /// beyond the outermost ones, a straight line is drawn. So does the tree digest of t-digest 3.1, whose stored
    /// centroids must give the answers they gave there.
    pub fn quantile(&mut self, q: f64) -> f64 {
        self.settle();
        let place = q * (self.total.saturating_sub(1)) as f64;
        let (mut before, mut previous) = (0u64, None::<(f64, f64)>);
        for (i, centroid) in self.centroids.iter().enumerate() {
            let middle = before as f64 + (centroid.count as f64 - 1.0) / 2.0;
            let here = (middle, centroid.mean);
            before += centroid.count;
            if middle >= place {
                return match (previous, self.centroids.get(i + 1)) {
                    (Some(previous), _) => on_line(place, previous, here),
                    (None, Some(_)) if middle == 0.0 => centroid.mean,
                    (None, Some(next)) => {
                        let there = before as f64 + (next.count as f64 - 1.0) / 2.0;
                        let start = (there * centroid.mean - middle * next.mean) / (there - middle);
                        on_line(place, (0.0, start), here)
                    }
                    (None, None) => centroid.mean,
                };
            }
            if i + 1 == self.centroids.len() {
                let Some((back, mean)) = previous else {
                    return centroid.mean;
                };
                let last = (self.total - 1) as f64;
                let end =
                    (centroid.mean * (last - back) - mean * (last - middle)) / (middle - back);
                return on_line(place, here, (last, end));
            }
            previous = Some(here);
        }
        f64::NAN
    }

    /// Takes what waits in among the centroids.
    fn settle(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        let mut waiting = std::mem::take(&mut self.waiting);
        let single = |key: &i64| Centroid {
            mean: value(*key),
            count: 1,
        };
        if let [only] = waiting.as_slice() {
            let new = single(only);
            // One at a time is how outliers are scored; it need not move through a new list.
            let at = self.centroids.partition_point(|c| c.mean <= new.mean);
            self.centroids.insert(at, new);
            self.total += 1;
            self.shrink();
        } else {
            waiting.sort_unstable();
            self.take_in(waiting.iter().map(single));
        }
        // The room is kept for the values to come.
        waiting.clear();
        self.waiting = waiting;
    }

    /// Merges centroids, in order, into the own ones.
    fn take_in(&mut self, new: impl ExactSizeIterator<Item = Centroid>) {
        let own = std::mem::take(&mut self.centroids);
        let mut all = Vec::with_capacity(own.len() + new.len());
        let mut rest = own.into_iter().peekable();
        for centroid in new {
            while let Some(earlier) = rest.next_if(|c| c.mean <= centroid.mean) {
                all.push(earlier);
            }
            all.push(centroid);
            self.total = self.total.saturating_add(centroid.count);
        }
        all.extend(rest);
        self.centroids = all;
        self.shrink();
    }

    /// Pushes centroids together when they are too many.
    fn shrink(&mut self) {
        if self.centroids.len() <= MOST {
            return;
        }
        if let Some(exact) = few(&self.centroids) {
            self.centroids = exact;
            return;
        }
        // A short series may keep finer centroids; when that makes too many, the bound gives way.
        let fine = self.total < 16 * MOST as u64;
        let mut share = if fine { SHARE / 4.0 } else { SHARE };
        let mut keep_gaps = true;
        loop {
            let fewer = pushed_together(&self.centroids, self.total as f64, share, keep_gaps);
            if fewer.len() <= MOST {
                self.centroids = fewer;
                return;
            }
            keep_gaps = share < SHARE;
            share *= 1.3;
        }
    }
}

/// A whole number that stands in the same order as the double.
#[inline]
fn key(value: f64) -> i64 {
    flipped(value.to_bits() as i64)
}

/// The double of a key.
#[inline]
fn value(key: i64) -> f64 {
    f64::from_bits(flipped(key) as u64)
}

/// Turns the order of the negative ones around, and back.
#[inline]
fn flipped(bits: i64) -> i64 {
    bits ^ (((bits >> 63) as u64) >> 1) as i64
}

/// The line through two points, at `place`.
fn on_line(place: f64, (x0, y0): (f64, f64), (x1, y1): (f64, f64)) -> f64 {
    let width = x1 - x0;
    let y = y0 * ((x1 - place) / width) + y1 * ((place - x0) / width);
    // Rounding must not lead out between the points; NaN stays.
    if y < y0 {
        y0
    } else if y > y1 {
        y1
    } else {
        y
    }
}

/// One centroid for each different mean with single values beside it, so that a step stays a step;
/// `None` when the means are too many.
fn few(centroids: &[Centroid]) -> Option<Vec<Centroid>> {
    let runs = || centroids.chunk_by(|a, b| a.mean == b.mean);
    if runs().nth(FEW).is_some() {
        return None;
    }
    let mut exact = Vec::with_capacity(MOST);
    for run in runs() {
        let mean = run.first()?.mean;
        let count: u64 = run.iter().map(|c| c.count).sum();
        let part = |count| Centroid { mean, count };
        match count {
            0 => {}
            1 => exact.push(part(1)),
            2 => exact.extend([part(1), part(1)]),
            _ => exact.extend([part(1), part(count - 2), part(1)]),
        }
    }
    Some(exact)
}

/// Whether the gap in front of the centroid at `index` parts two heaps: a centroid across it would stand where no values
/// are. It is four times as wide as what lies on both sides of it together.
#[inline]
fn is_gap(centroids: &[Centroid], index: usize) -> bool {
    const AROUND: usize = 8;
    let mean = |i: usize| centroids.get(i).map_or(f64::NAN, |c| c.mean);
    let (before, behind) = (index.saturating_sub(1), index);
    let left = mean(before) - mean(before.saturating_sub(AROUND));
    let right = mean((behind + AROUND).min(centroids.len() - 1)) - mean(behind);
    mean(behind) - mean(before) > 4.0 * (left + right)
}

/// Fewer centroids: neighbours become one as long as that stays within the bound of its place.
fn pushed_together(
    centroids: &[Centroid],
    total: f64,
    share: f64,
    keep_gaps: bool,
) -> Vec<Centroid> {
    let bound = |q: f64| {
        let root = (q * (1.0 - q)).max(0.0).sqrt();
        total * share * root * root.sqrt()
    };
    let mut fewer: Vec<Centroid> = Vec::with_capacity(MOST);
    let mut walk = centroids.iter().enumerate();
    let Some((_, &(mut open))) = walk.next() else {
        return fewer;
    };
    // The bound rises up to the middle and falls behind it, so the lower one is that of an end.
    let weight_from = |before: f64| {
        let start = before / total;
        let most = bound(start);
        let end = start + most / total;
        if end <= 0.5 {
            most
        } else {
            most.min(bound(end))
        }
    };
    let mut before = 0.0;
    let mut most = weight_from(before);
    for (index, next) in walk {
        let (weight, more) = (open.count as f64, next.count as f64);
        let joint = weight + more;
        if joint <= most && !(keep_gaps && is_gap(centroids, index)) {
            let mean = open.mean + (next.mean - open.mean) * (more / joint);
            open.mean = mean.clamp(open.mean, next.mean);
            open.count += next.count;
        } else {
            fewer.push(open);
            before += weight;
            most = weight_from(before);
            open = *next;
        }
    }
    fewer.push(open);
    fewer
}
