//! Statistics as a picture, and their figures by name.

use super::object::{Figures, Statistics, StatisticsParts};
use super::window::Window;
use crate::drawing::histogram::Histogram;
use crate::drawing::scale::in_words;

/// How these numbers are distributed; `None` without any that are finite.
pub fn histogram_of(numbers: &[f64]) -> Option<Histogram> {
    let mut window = Window::new(numbers.len());
    for number in numbers {
        window.add(*number);
    }
    let mut histogram = Statistics::new(Figures::Window(window)).histogram()?;
    // Nothing has been left behind.
    if let Some((below, _)) = histogram.below.rsplit_once(" · ") {
        histogram.below = below.to_string();
    }
    Some(histogram)
}

/// The fewest and the most bars.
const BARS: (usize, usize) = (10, 40);
/// Fewer whole numbers are shown with those beside them.
const FEW: f64 = 4.0;
/// How many stretches of equal weight the quantiles of a sketch cut the values into.
const PARTS: usize = 400;
/// How many times the width of the middle nine tenths the tails may reach beyond them.
const REACH: f64 = 2.0;

/// Values with their weights: stretches over which a weight is spread evenly.
struct Weights(Vec<(f64, f64, f64)>);

impl Statistics {
    /// The figures by name, for a table.
    pub fn by_name(&self) -> Vec<(&'static str, f64)> {
        let mut figures = self.figures();
        let mut percentile = |p| figures.percentile(p).unwrap_or(f64::NAN);
        let quantiles = [
            ("5 %", percentile(5.0)),
            ("25 %", percentile(25.0)),
            ("median", percentile(50.0)),
            ("75 %", percentile(75.0)),
            ("95 %", percentile(95.0)),
            ("99 %", percentile(99.0)),
        ];
        let mut named = vec![
            ("count", figures.count()),
            ("sum", figures.sum()),
            ("mean", figures.mean()),
            ("standard deviation", figures.deviation()),
            ("min", figures.min()),
        ];
        named.extend(quantiles);
        named.extend([
            ("max", figures.max()),
            ("skewness", figures.skewness()),
            ("kurtosis", figures.kurtosis()),
        ]);
        named
    }

    /// How the values are distributed; `None` without values that are finite. Of figures over all values, which keep
    /// quantiles only, the bars are reckoned from these.
    pub fn histogram(&self) -> Option<Histogram> {
        let parts = self.parts();
        let mut figures = self.figures();
        let count = figures.count();
        let mut percentile = |p| figures.percentile(p).unwrap_or(f64::NAN);
        let (weights, reckoned) = match &parts {
            StatisticsParts::Online(_) => (quantiles(&mut percentile, count), true),
            StatisticsParts::Window(parts) => {
                let values = parts.values.iter().filter(|value| value.is_finite());
                (values.map(|v| (*v, *v, 1.0)).collect(), false)
            }
        };
        let mut weights = Weights(weights);
        let mut whole = !reckoned && weights.is_whole();
        let mut exact = !reckoned;
        // Of few values a sketch keeps each.
        if let StatisticsParts::Online(parts) = &parts {
            let kept = parts
                .centroids
                .iter()
                .map(|kept| (kept.mean, kept.mean, kept.count as f64));
            let kept = Weights(kept.filter(|(value, ..)| value.is_finite()).collect());
            let each = parts.centroids.iter().all(|kept| kept.count == 1);
            let few = kept.is_whole()
                && kept
                    .range()
                    .is_some_and(|(low, high)| high - low < BARS.1 as f64);
            if kept.all() == count && (each || few) {
                whole = kept.is_whole();
                exact = each;
                weights = kept;
            }
        }
        let (low, high) = weights.range()?;
        let marks = [
            ("median", percentile(50.0)),
            ("p95", percentile(95.0)),
            ("p99", percentile(99.0)),
        ];
        let (p5, p95) = (percentile(5.0), percentile(95.0));
        let reach = REACH * (p95 - p5);
        let (mut from, mut to) = (low, high);
        if reach.is_finite() && reach > 0.0 {
            (from, to) = (low.max(p5 - reach), high.min(p95 + reach));
        }
        // Each of few whole numbers has a bar of its own.
        let whole = whole && to.floor() - from.ceil() < BARS.1 as f64;
        let reckoned = !exact && !whole;
        if whole {
            (from, to) = (from.ceil() - 0.5, to.floor() + 0.5);
            // One bar alone says nothing.
            if to - from < FEW {
                (from, to) = (from - 2.0, to + 2.0);
            }
        } else if from >= to {
            let room = if from == 0.0 { 1.0 } else { from.abs() / 2.0 };
            (from, to) = (from - room, to + room);
        }
        let mut histogram = Histogram {
            title: "Statistics".to_string(),
            below: below(&figures, low, high),
            low: from,
            high: to,
            counts: match whole {
                true => weights.bars(from, to, (to - from) as usize),
                false => weights.bars(from, to, bars_for(count)),
            },
            whole,
            reckoned,
            marks: marks.into_iter().filter(|(_, v)| v.is_finite()).collect(),
            notes: Vec::new(),
        };
        let inside: f64 = histogram.counts.iter().sum();
        let outside = (weights.all() - inside).round();
        if (from > low || to < high) && outside >= 1.0 {
            let sides = match (from > low, to < high) {
                (true, true) => format!("below {} and above {}", in_words(from), in_words(to)),
                (true, false) => format!("below {}", in_words(from)),
                _ => format!("above {}", in_words(to)),
            };
            let about = if reckoned { "about " } else { "" };
            let lie = if outside == 1.0 {
                "value lies"
            } else {
                "values lie"
            };
            histogram
                .notes
                .push(format!("{about}{} {lie} {sides}", in_words(outside)));
        }
        if reckoned {
            let note = "the bars are reckoned from the quantiles that are kept";
            histogram.notes.push(note.to_string());
        }
        Some(histogram)
    }
}

fn below(figures: &Figures, low: f64, high: f64) -> String {
    let count = figures.count();
    let mut text = format!(
        "{} value{} from {} to {}",
        in_words(count),
        if count == 1.0 { "" } else { "s" },
        in_words(low),
        in_words(high)
    );
    let (mean, deviation) = (figures.mean(), figures.deviation());
    if mean.is_finite() {
        text += &format!(", mean {}", in_words(mean));
    }
    if mean.is_finite() && deviation.is_finite() {
        text += &format!(" ± {}", in_words(deviation));
    }
    if let Figures::Window(window) = figures
        && window.size() > 0
    {
        text += &format!(" · the last {}", window.size());
    }
    text
}

/// Stretches between quantiles that are equally far apart.
fn quantiles(percentile: &mut impl FnMut(f64) -> f64, count: f64) -> Vec<(f64, f64, f64)> {
    let at = |part: usize| 100.0 * part as f64 / PARTS as f64;
    let values: Vec<f64> = (0..=PARTS).map(|part| percentile(at(part))).collect();
    let each = count / PARTS as f64;
    let pairs = values.windows(2).filter_map(|pair| match pair {
        [a, b] if a.is_finite() && b.is_finite() => Some((a.min(*b), a.max(*b), each)),
        _ => None,
    });
    pairs.collect()
}

/// How many bars so many values are worth.
fn bars_for(count: f64) -> usize {
    // Half as many again as the rule of Rice says, for the eye forgives a ragged picture.
    let wanted = (3.0 * count.cbrt()).ceil() as usize;
    wanted.clamp(BARS.0, BARS.1)
}

impl Weights {
    fn all(&self) -> f64 {
        self.0.iter().map(|(_, _, weight)| weight).sum()
    }

    fn range(&self) -> Option<(f64, f64)> {
        let low = self.0.iter().map(|(low, ..)| *low).min_by(f64::total_cmp)?;
        let high = self
            .0
            .iter()
            .map(|(_, high, _)| *high)
            .max_by(f64::total_cmp)?;
        Some((low, high))
    }

    /// Whether all are whole numbers that a double can tell apart.
    fn is_whole(&self) -> bool {
        let whole = |value: f64| value == value.trunc() && value.abs() < 1e15;
        self.0
            .iter()
            .all(|(low, high, _)| low == high && whole(*low))
    }

    /// The weights in so many bars of equal width; what lies outside is left out.
    fn bars(&self, from: f64, to: f64, all: usize) -> Vec<f64> {
        let all = all.max(1);
        let mut bars = vec![0.0; all];
        let place = |value: f64| {
            let place = (value / 2.0 - from / 2.0) / (to / 2.0 - from / 2.0);
            place * all as f64
        };
        for (low, high, weight) in &self.0 {
            let (first, last) = (place(*low), place(*high));
            if last < 0.0 || first > all as f64 {
                continue;
            }
            let wide = last - first;
            let begin = first.max(0.0) as usize;
            let end = (last.max(0.0) as usize).min(all - 1);
            // A stretch that is narrow for its weight lies in one bar.
            if wide <= 1e-9 {
                if let Some(bar) = bars.get_mut(begin.min(all - 1)) {
                    *bar += weight;
                }
                continue;
            }
            for (index, bar) in bars
                .iter_mut()
                .enumerate()
                .take(end + 1)
                .skip(begin.min(all - 1))
            {
                let (left, right) = (first.max(index as f64), last.min(index as f64 + 1.0));
                *bar += weight * ((right - left) / wide).clamp(0.0, 1.0);
            }
        }
        bars
    }
}
