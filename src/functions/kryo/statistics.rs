//! Statistics as bytes: the fields of Metron's, commons-math's and Java's classes, in the order of their names.

use super::bytes::{put_int, put_long, put_varint};
use super::classes::{self, Class};
use super::read::{Part, Reader, Reference};
use super::write::{Constant, Writer};
use super::{damaged, digest};
use crate::diagnostic::Outcome;
use crate::eval::Value;
use crate::functions::statistics::Statistics;
use crate::functions::statistics::object::StatisticsParts;
use crate::functions::statistics::online::OnlineParts;
use crate::functions::statistics::outlier::{MadParts, MadState};
use crate::functions::statistics::sample::{Sampler, SamplerParts};
use crate::functions::statistics::window::WindowParts;
use std::sync::Arc;

/// A field whose content says nothing, and what is written for it.
enum Field {
    /// An object with these fields.
    Object(&'static str, &'static [Field]),
    /// A constant of an enumeration, and its class where it has one of its own.
    Constant(Option<&'static str>, Constant),
    /// A double.
    Double(f64),
    /// A boolean.
    Bool(bool),
    /// A whole number, 0.
    Zero,
    /// An array of doubles, null.
    Doubles,
    /// An array of integers, null.
    Ints,
}

use Field::{Bool, Double, Doubles, Ints, Object, Zero};

const NAN: Field = Double(f64::NAN);

/// `n`, the stored data and the value of a figure that is kept by itself.
const SUM: &[Field] = &[Zero, Doubles, Double(0.0)];
const EXTREME: &[Field] = &[Zero, Doubles, NAN];

/// What commons-math's DescriptiveStatistics holds behind its values: how each figure is computed. None of it changes
/// what the figures are.
const FIGURES: &[Field] = &[
    Object(
        "org.apache.commons.math3.stat.descriptive.moment.GeometricMean",
        &[
            Doubles,
            Object(
                "org.apache.commons.math3.stat.descriptive.summary.SumOfLogs",
                SUM,
            ),
        ],
    ),
    Object(
        "org.apache.commons.math3.stat.descriptive.moment.Kurtosis",
        &[
            Bool(true),
            Object(
                "org.apache.commons.math3.stat.descriptive.moment.FourthMoment",
                &[NAN, NAN, NAN, NAN, NAN, Zero, NAN, NAN, Doubles],
            ),
            Doubles,
        ],
    ),
    Object(
        "org.apache.commons.math3.stat.descriptive.rank.Max",
        EXTREME,
    ),
    Object(
        "org.apache.commons.math3.stat.descriptive.moment.Mean",
        &[
            Bool(true),
            Object(
                "org.apache.commons.math3.stat.descriptive.moment.FirstMoment",
                &[NAN, NAN, Zero, NAN, Doubles],
            ),
            Doubles,
        ],
    ),
    Object(
        "org.apache.commons.math3.stat.descriptive.rank.Min",
        EXTREME,
    ),
    Object(
        "org.apache.commons.math3.stat.descriptive.rank.Percentile",
        &[
            Ints,
            Field::Constant(
                Some("org.apache.commons.math3.stat.descriptive.rank.Percentile$EstimationType$1"),
                Constant::Estimation,
            ),
            Object(
                "org.apache.commons.math3.util.KthSelector",
                &[Object(
                    "org.apache.commons.math3.util.MedianOf3PivotingStrategy",
                    &[],
                )],
            ),
            Field::Constant(None, Constant::NanStrategy),
            Double(50.0),
            Doubles,
        ],
    ),
    Object(
        "org.apache.commons.math3.stat.descriptive.moment.Skewness",
        &[
            Bool(true),
            Object(
                "org.apache.commons.math3.stat.descriptive.moment.ThirdMoment",
                &[NAN, NAN, NAN, NAN, Zero, NAN, NAN, Doubles],
            ),
            Doubles,
        ],
    ),
    Object("org.apache.commons.math3.stat.descriptive.summary.Sum", SUM),
    Object(
        "org.apache.commons.math3.stat.descriptive.summary.SumOfSquares",
        SUM,
    ),
    Object(
        "org.apache.commons.math3.stat.descriptive.moment.Variance",
        &[
            Bool(true),
            Bool(true),
            Object(
                "org.apache.commons.math3.stat.descriptive.moment.SecondMoment",
                &[NAN, NAN, NAN, Zero, NAN, Doubles],
            ),
            Doubles,
        ],
    ),
];

/// An empty window has room for so many values in Java.
const ROOM: usize = 16;

impl Writer<'_> {
    /// Writes a statistics object that lives at `address`.
    pub(super) fn statistics(&mut self, statistics: &Statistics, address: usize) {
        match statistics.parts() {
            StatisticsParts::Online(parts) => {
                self.class(classes::ONLINE);
                if self.begin_at(address) {
                    self.online(&parts);
                }
            }
            StatisticsParts::Window(parts) => {
                self.class(classes::WINDOWED);
                if self.begin_at(address) {
                    self.windowed(&parts);
                }
            }
        }
    }

    fn online(&mut self, parts: &OnlineParts) {
        digest::write(&parts.centroids, self.out);
        self.out.extend(parts.count.to_be_bytes());
        let figures = [
            parts.sum,
            parts.sum_of_squares,
            parts.sum_of_logs,
            parts.min,
            parts.max,
        ];
        for figure in figures.iter().chain(&parts.moments) {
            self.double(*figure);
        }
    }

    fn windowed(&mut self, parts: &WindowParts) {
        self.class(classes::DESCRIPTIVE);
        self.begin_inner();
        self.class(classes::DOUBLES);
        self.begin_inner();
        // When it shrinks, by how much it grows, and that these are factors.
        self.double(2.5);
        self.double(2.0);
        self.constant(Constant::Expansion);
        self.begin_inner();
        let room = match parts.values.len() {
            0 => ROOM,
            n => n + 1,
        };
        put_varint(room as u32 + 1, self.out);
        for i in 0..room {
            self.double(parts.values.get(i).copied().unwrap_or(0.0));
        }
        put_int(parts.values.len() as i32, self.out);
        put_int(0, self.out);
        self.fields(FIGURES);
        put_int(i32::try_from(parts.size).unwrap_or(i32::MAX), self.out);
    }

    /// Writes the state of an outlier score that lives at `address`.
    pub(super) fn outlier(&mut self, state: &MadState, address: usize) {
        self.class(classes::OUTLIER);
        if self.begin_at(address) {
            let parts = state.parts();
            let providers = [
                parts.tick_deviations,
                parts.tick_values,
                parts.window_deviations,
                parts.window_values,
            ];
            for provider in &providers {
                self.class(classes::ONLINE);
                self.begin_inner();
                self.online(provider);
            }
        }
    }

    /// Writes a sampler that lives at `address`.
    pub(super) fn sampler(&mut self, sampler: &Sampler, address: usize) -> Outcome<()> {
        self.class(classes::SAMPLER);
        if self.begin_at(address) {
            let parts = sampler.parts();
            self.class(classes::ARRAY_LIST);
            self.begin_inner();
            self.elements(&parts.values)?;
            self.class(classes::RANDOM);
            self.begin_inner();
            // No half of a pair of Gaussian numbers is kept.
            self.out.push(0);
            self.double(0.0);
            self.class(classes::ATOMIC_LONG);
            self.begin_inner();
            put_long(parts.random.cast_signed(), self.out);
            put_int(i32::try_from(parts.seen).unwrap_or(i32::MAX), self.out);
            put_int(i32::try_from(parts.size).unwrap_or(i32::MAX), self.out);
        }
        Ok(())
    }

    fn fields(&mut self, fields: &'static [Field]) {
        for field in fields {
            match field {
                Object(class, fields) => {
                    self.class(class);
                    self.begin_inner();
                    self.fields(fields);
                }
                Field::Constant(class, constant) => {
                    if let Some(class) = class {
                        self.class(class);
                    }
                    self.constant(*constant);
                }
                Double(x) => self.double(*x),
                Bool(b) => self.out.push(u8::from(*b)),
                Zero | Doubles | Ints => self.out.push(0),
            }
        }
    }

    fn double(&mut self, x: f64) {
        self.out.extend(x.to_be_bytes());
    }
}

impl Reader<'_> {
    /// The fields of statistics over all values.
    pub(super) fn online(&mut self) -> Outcome<Value> {
        let at = self.input.offset();
        let length = u32::from_be_bytes(self.input.array()?) as usize;
        let centroids = digest::read(&mut self.input, length)?;
        let count = u64::from_be_bytes(self.input.array()?);
        let mut figures = [0.0; 9];
        for figure in &mut figures {
            *figure = self.input.double()?;
        }
        let [sum, sum_of_squares, sum_of_logs, min, max, moments @ ..] = figures;
        let parts = OnlineParts {
            centroids,
            count,
            sum,
            sum_of_squares,
            sum_of_logs,
            min,
            max,
            moments,
        };
        let statistics = i64::try_from(count)
            .ok()
            .and_then(|_| Statistics::from_parts(StatisticsParts::Online(parts)));
        let statistics = statistics.ok_or_else(|| damaged(at, "statistics are damaged"))?;
        Ok(statistics.into_value())
    }

    /// The fields of statistics over a window.
    pub(super) fn windowed(&mut self) -> Outcome<Value> {
        let descriptive = self.begin_named(classes::DESCRIPTIVE)?;
        let array = self.begin_named(classes::DOUBLES)?;
        let at = self.input.offset();
        self.input.double()?;
        self.input.double()?;
        self.constant("how an array grows")?;
        let values = self.doubles()?;
        let count = self.input.int()?;
        let start = self.input.int()?;
        self.close(array, Part::Inner);
        self.skip(FIGURES)?;
        let size = self.input.int()?;
        self.close(descriptive, Part::Inner);
        let kept = || {
            let (start, count) = (usize::try_from(start).ok()?, usize::try_from(count).ok()?);
            let values = values.get(start..start.checked_add(count)?)?.to_vec();
            // -1 stands for a window without an end.
            let size = match size {
                -1 => i32::MAX,
                size => size,
            };
            let size = usize::try_from(size).ok().filter(|size| *size > 0)?;
            Statistics::from_parts(StatisticsParts::Window(WindowParts { size, values }))
        };
        match kept() {
            Some(statistics) => Ok(statistics.into_value()),
            None => Err(damaged(at, "the window of statistics is damaged")),
        }
    }

    /// The fields of the state of an outlier score.
    pub(super) fn outlier(&mut self) -> Outcome<Value> {
        let at = self.input.offset();
        let tick_deviations = self.provider()?;
        let tick_values = self.provider()?;
        let window_deviations = self.provider()?;
        let window_values = self.provider()?;
        let state = MadState::from_parts(MadParts {
            tick_values,
            tick_deviations,
            window_values,
            window_deviations,
        });
        match state {
            Some(state) => Ok(Value::Object(Arc::new(state))),
            None => Err(damaged(at, "the state of an outlier score is damaged")),
        }
    }

    fn provider(&mut self) -> Outcome<OnlineParts> {
        let at = self.input.offset();
        let value = self.value()?;
        match value.as_object::<Statistics>().map(Statistics::parts) {
            Some(StatisticsParts::Online(parts)) => Ok(parts),
            _ => Err(damaged(at, "statistics over all values are missing")),
        }
    }

    /// The fields of a sampler.
    pub(super) fn sampler(&mut self) -> Outcome<Value> {
        let at = self.input.offset();
        let values = match self.value()? {
            Value::List(list) => list.items(),
            _ => return Err(damaged(at, "a sampler has no list")),
        };
        let random = self.begin_named(classes::RANDOM)?;
        self.input.byte()?;
        self.input.double()?;
        let seed = self.begin_named(classes::ATOMIC_LONG)?;
        let state = self.input.long()?;
        self.close(seed, Part::Inner);
        self.close(random, Part::Inner);
        let (seen, size) = (self.input.int()?, self.input.int()?);
        let parts = || {
            let size = usize::try_from(size).ok().filter(|n| *n > 0)?;
            Some(SamplerParts {
                size: (values.len() <= size).then_some(size)?,
                seen: u64::try_from(seen)
                    .ok()
                    .filter(|n| *n >= values.len() as u64)?,
                values,
                // The generator has 48 bits.
                random: state.cast_unsigned() & ((1 << 48) - 1),
            })
        };
        match parts() {
            Some(parts) => Ok(Value::Object(Arc::new(Sampler::from_parts(parts)))),
            None => Err(damaged(at, "a sampler is damaged")),
        }
    }

    /// Begins an object of the class of this name.
    fn begin_named(&mut self, name: &str) -> Outcome<usize> {
        let at = self.input.offset();
        let class = self.class()?;
        if class.is_some_and(|class| self.is_named(class, name))
            && let Reference::New(number) = self.reference()?
        {
            return Ok(number);
        }
        Err(damaged(at, format!("an object of class {name} is missing")))
    }

    /// Passes over fields that say nothing.
    fn skip(&mut self, fields: &[Field]) -> Outcome<()> {
        for field in fields {
            match field {
                Object(class, fields) => {
                    let number = self.begin_named(class)?;
                    self.skip(fields)?;
                    self.close(number, Part::Inner);
                }
                Field::Constant(class, _) => {
                    if class.is_some() {
                        self.class()?;
                    }
                    self.constant("a setting of statistics")?;
                }
                Double(_) => {
                    self.input.double()?;
                }
                Bool(_) => {
                    self.input.byte()?;
                }
                Zero => {
                    self.input.long()?;
                }
                Doubles => {
                    self.doubles()?;
                }
                Ints => {
                    self.ints("an array of statistics")?;
                }
            }
        }
        Ok(())
    }

    /// An array of doubles; none for null.
    fn doubles(&mut self) -> Outcome<Vec<f64>> {
        let at = self.input.offset();
        match self.reference()? {
            Reference::Null => Ok(Vec::new()),
            Reference::New(number) => {
                let count = self.input.count_or_null(8)?.unwrap_or(0);
                let doubles = (0..count).map(|_| self.input.double()).collect();
                self.close(number, Part::Inner);
                doubles
            }
            Reference::Known(_) => Err(damaged(at, "an array of doubles is missing")),
        }
    }

    fn is_named(&self, class: Class, name: &str) -> bool {
        matches!(class, Class::Other(place) if self.name(place) == Some(name))
    }
}
