//! What is drawn of one entity: values over time, with gaps.

use super::band::Band;

/// A period and what was measured in it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Where the period begins, in milliseconds since 1970; without times, the number of the value.
    pub start: i64,
    /// Where it ends.
    pub end: i64,
    /// What was measured; `None`: nothing, which is a gap.
    pub value: Option<f64>,
    /// What was expected, where that is known.
    pub band: Option<Band>,
}

impl Point {
    /// The middle of the period, where the value is drawn.
    pub fn middle(&self) -> f64 {
        self.start as f64 / 2.0 + self.end as f64 / 2.0
    }

    /// How far the value lies from the median, as a part of how far the band reaches.
    pub fn distance(&self) -> f64 {
        let (Some(value), Some(band)) = (self.value, self.band) else {
            return 0.0;
        };
        let reach = (band.high / 2.0 - band.median / 2.0).max(f64::MIN_POSITIVE);
        (value / 2.0 - band.median / 2.0).abs() / reach
    }

    /// Whether it was measured and is not what was expected.
    pub fn stands_out(&self) -> bool {
        match (self.value, self.band) {
            (Some(value), Some(band)) => band.leaves_out(value),
            _ => false,
        }
    }
}

/// The vertices of a line through neighbouring periods: places from 0 to 1, and values.
pub type Stroke = Vec<(f64, f64)>;

/// The vertices of a band along neighbouring periods: places, lower and upper ends.
pub type Edge = Vec<(f64, f64, f64)>;

/// The lines through the values. A period without a value, or none where one should be, parts them. Where more points
/// lie in one of `columns` columns than can be told apart, the first, the least, the largest and the last of them
/// stand for all. `place` says where a moment lies.
pub fn strokes(points: &[Point], place: impl Fn(f64) -> f64, columns: usize) -> Vec<Stroke> {
    let mut found = Vec::new();
    for run in runs(points, |point| point.value.is_some(), &place, columns) {
        let all = run
            .iter()
            .filter_map(|point| Some((place(point.middle()), point.value?)));
        found.push(match crowded(&run, &place, columns) {
            true => thinned(all, columns),
            false => all.collect(),
        });
    }
    found
}

/// The bands behind the values, thinned in the same way.
pub fn edges(points: &[Point], place: impl Fn(f64) -> f64, columns: usize) -> Vec<Edge> {
    let mut found = Vec::new();
    for run in runs(points, |point| point.band.is_some(), &place, columns) {
        let crowded = crowded(&run, &place, columns);
        let mut edge: Edge = Vec::new();
        for point in &run {
            let Some(band) = point.band else { continue };
            let mut put = |x: f64| match edge.last_mut() {
                Some(last) if crowded && column(last.0, columns) == column(x, columns) => {
                    last.1 = last.1.min(band.low);
                    last.2 = last.2.max(band.high);
                }
                _ => edge.push((x, band.low, band.high)),
            };
            // A period alone is drawn as wide as it is.
            match run.len() {
                1 => [point.start, point.end]
                    .iter()
                    .for_each(|end| put(place(*end as f64))),
                _ => put(place(point.middle())),
            }
        }
        found.push(edge);
    }
    found
}

/// The stretches of neighbouring periods for which something is so. A gap that is too narrow to be seen is none.
fn runs(
    points: &[Point],
    is: impl Fn(&Point) -> bool,
    place: impl Fn(f64) -> f64,
    columns: usize,
) -> Vec<Vec<&Point>> {
    let least = 0.5 / columns.max(1) as f64;
    let mut found: Vec<Vec<&Point>> = Vec::new();
    for point in points.iter().filter(|point| is(point)) {
        let joins = |run: &&mut Vec<&Point>| {
            run.last().is_some_and(|last| {
                last.end == point.start
                    || place(point.start as f64) - place(last.end as f64) < least
            })
        };
        match found.last_mut().filter(joins) {
            Some(run) => run.push(point),
            None => found.push(vec![point]),
        }
    }
    found
}

fn column(place: f64, columns: usize) -> usize {
    ((place * columns as f64) as usize).min(columns.saturating_sub(1))
}

/// Whether a run has more than four points a column.
fn crowded(run: &[&Point], place: impl Fn(f64) -> f64, columns: usize) -> bool {
    let (Some(first), Some(last)) = (run.first(), run.last()) else {
        return false;
    };
    let taken = column(place(last.middle()), columns) - column(place(first.middle()), columns);
    run.len() > 4 * (taken + 1)
}

fn thinned(all: impl Iterator<Item = (f64, f64)>, columns: usize) -> Stroke {
    let mut stroke = Stroke::new();
    // First, least, largest and last of the column at hand, each with its number.
    let mut corners: [(usize, (f64, f64)); 4] = Default::default();
    let mut at = None;
    let flush = |corners: &mut [(usize, (f64, f64)); 4], stroke: &mut Stroke| {
        corners.sort_by_key(|(number, _)| *number);
        for pair in corners.chunk_by(|a, b| a.0 == b.0) {
            stroke.extend(pair.first().map(|(_, vertex)| *vertex));
        }
    };
    for (number, vertex) in all.enumerate() {
        let here = Some(column(vertex.0, columns));
        if here != at {
            if at.is_some() {
                flush(&mut corners, &mut stroke);
            }
            at = here;
            corners = [(number, vertex); 4];
        }
        let [_, least, largest, last] = &mut corners;
        if vertex.1 < least.1.1 {
            *least = (number, vertex);
        }
        if vertex.1 > largest.1.1 {
            *largest = (number, vertex);
        }
        *last = (number, vertex);
    }
    if at.is_some() {
        flush(&mut corners, &mut stroke);
    }
    stroke
}

/// The points that stand out, one a column: the one that is farthest from what was expected.
pub fn marks(points: &[Point], place: impl Fn(f64) -> f64, columns: usize) -> Vec<&Point> {
    let mut found: Vec<&Point> = Vec::new();
    let mut at = None;
    for point in points.iter().filter(|point| point.stands_out()) {
        let here = Some(column(place(point.middle()), columns));
        match found.last_mut() {
            Some(last) if here == at => {
                if point.distance() > last.distance() {
                    *last = point;
                }
            }
            _ => found.push(point),
        }
        at = here;
    }
    found
}
