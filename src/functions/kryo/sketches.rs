//! Sketches as bytes: the fields of Metron's, stream-lib's and Guava's classes, in the order of their names.

use super::bytes::{put_int, put_long, put_varint};
use super::classes::{self, Class};
use super::damaged;
use super::read::{Part, Reader, Reference};
use super::write::{Constant, Writer};
use crate::diagnostic::{Fault, Outcome};
use crate::eval::{Object, Value};
use crate::functions::sketches::filter::Filter;
use crate::functions::sketches::hyperloglog::{Form, HyperLogLog};
use crate::functions::sketches::{Bloom, Hllp};
use crate::functions::statistics::Statistics;
use crate::functions::statistics::outlier::MadState;
use crate::functions::statistics::sample::Sampler;
use std::sync::Arc;

impl Writer<'_> {
    /// Writes an object that functions made. Whether there are bytes for it.
    pub(super) fn object(&mut self, object: &Arc<dyn Object>) -> Outcome<bool> {
        let address = Arc::as_ptr(object).addr();
        let any = object.as_any();
        if let Some(sketch) = any.downcast_ref::<Hllp>() {
            self.class(classes::HLLP);
            if self.begin_at(address) {
                self.hllp(&sketch.0.lock());
            }
        } else if let Some(filter) = any.downcast_ref::<Bloom>() {
            self.class(classes::BLOOM);
            if self.begin_at(address) {
                self.bloom(&filter.0.lock());
            }
        } else if let Some(statistics) = any.downcast_ref::<Statistics>() {
            self.statistics(statistics, address);
        } else if let Some(state) = any.downcast_ref::<MadState>() {
            self.outlier(state, address);
        } else if let Some(sampler) = any.downcast_ref::<Sampler>() {
            self.sampler(sampler, address)?;
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    fn hllp(&mut self, sketch: &HyperLogLog) {
        let (p, sp) = (sketch.p() as i32, sketch.sp() as i32);
        self.class(classes::HYPERLOGLOG);
        self.begin_inner();
        self.out.extend(sketch.alpha().to_be_bytes());
        self.constant(match sketch.form() {
            Form::Sparse { .. } => Constant::Sparse,
            Form::Normal(_) => Constant::Normal,
        });
        put_int(sketch.registers(), self.out);
        put_int(p, self.out);
        match sketch.form() {
            Form::Sparse { .. } => self.out.push(0),
            Form::Normal(registers) => {
                self.class(classes::REGISTERS);
                self.begin_inner();
                self.ints(registers);
                put_int(sketch.registers(), self.out);
                put_int(registers.len() as i32, self.out);
            }
        }
        put_int(sketch.sparse_registers(), self.out);
        put_int(sp, self.out);
        match sketch.form() {
            Form::Sparse { set, .. } if !set.is_empty() => self.ints(set),
            Form::Sparse { .. } => self.constant(Constant::EmptySet),
            Form::Normal(_) => self.out.push(0),
        }
        put_int(sketch.threshold(), self.out);
        match sketch.form() {
            Form::Sparse {
                waiting, filled, ..
            } => {
                put_int(*filled as i32, self.out);
                match waiting.is_empty() {
                    true => self.out.push(0),
                    false => self.ints(waiting),
                }
            }
            Form::Normal(_) => self.out.extend([0, 0]),
        }
        put_int(p, self.out);
        put_int(sp, self.out);
    }

    fn bloom(&mut self, filter: &Filter) {
        self.begin_inner();
        self.begin_inner();
        put_long(filter.set_bits().cast_signed(), self.out);
        self.begin_inner();
        put_varint(filter.words().len() as u32 + 1, self.out);
        for word in filter.words() {
            put_long(word.cast_signed(), self.out);
        }
        self.class(classes::FUNNEL);
        self.begin_inner();
        self.class(classes::SERIALIZER);
        self.constant(Constant::Serializer);
        put_int(filter.hashes().cast_signed(), self.out);
        self.class(classes::STRATEGY);
        self.constant(Constant::Strategy);
    }

    fn ints(&mut self, ints: &[i32]) {
        self.begin_inner();
        put_varint(ints.len() as u32 + 1, self.out);
        for n in ints {
            put_int(*n, self.out);
        }
    }
}

impl Reader<'_> {
    /// The fields of Metron's HyperLogLog++.
    pub(super) fn hllp(&mut self) -> Outcome<Value> {
        let at = self.input.offset();
        let number = self.begin_inner(Class::HyperLogLog, "a HyperLogLog++ sketch")?;
        self.input.double()?;
        let sparse = match self.constant("the form of a sketch")? {
            1 => true,
            2 => false,
            _ => return Err(damaged(at, "a HyperLogLog++ sketch has an unknown form")),
        };
        self.input.int()?;
        let p = self.input.int()?;
        let registers = self.registers()?;
        self.input.int()?;
        let sp = self.input.int()?;
        let set = self.ints("the sparse set of a sketch")?;
        self.input.int()?;
        let filled = self.input.int()?;
        let waiting = self.ints("the waiting items of a sketch")?;
        self.close(number, Part::Inner);
        // The same precisions again.
        self.input.int()?;
        self.input.int()?;
        let form = match (sparse, registers) {
            (false, Some(registers)) => Form::Normal(registers.to_vec()),
            (true, _) => {
                let waiting = waiting.map_or_else(Vec::new, |waiting| waiting.to_vec());
                let filled = usize::try_from(filled).unwrap_or(usize::MAX);
                if filled > waiting.len() {
                    return Err(damaged(
                        at,
                        "more items wait in a sketch than there is room for",
                    ));
                }
                Form::Sparse {
                    set: set.map_or_else(Vec::new, |set| set.to_vec()),
                    waiting,
                    filled,
                }
            }
            (false, None) => return Err(damaged(at, "a HyperLogLog++ sketch has no registers")),
        };
        let sketch = HyperLogLog::of_parts(p, sp, form).map_err(|_| {
            let message = format!("a HyperLogLog++ sketch cannot have p={p} and sp={sp}");
            damaged(at, message)
        })?;
        Ok(Hllp::value(sketch))
    }

    fn registers(&mut self) -> Outcome<Option<Arc<[i32]>>> {
        let at = self.input.offset();
        match self.class()? {
            None => return Ok(None),
            Some(Class::Registers) => {}
            Some(_) => return Err(misplaced(at, "the registers of a sketch")),
        }
        let number = self.new_part("the registers of a sketch")?;
        let registers = self.ints("the registers of a sketch")?;
        self.input.int()?;
        self.input.int()?;
        self.close(number, Part::Inner);
        Ok(registers)
    }

    /// The fields of Metron's Bloom filter.
    pub(super) fn bloom(&mut self) -> Outcome<Value> {
        let at = self.input.offset();
        let filter = self.new_part("a Bloom filter")?;
        let bits = self.new_part("the bits of a Bloom filter")?;
        self.input.long()?;
        let data = self.new_part("the bits of a Bloom filter")?;
        let count = self.input.count_or_null(1)?.unwrap_or(0);
        let words = (0..count).map(|_| self.input.long().map(i64::cast_unsigned));
        let words = words.collect::<Outcome<Vec<u64>>>()?;
        self.close(data, Part::Inner);
        self.close(bits, Part::Inner);
        let funnel = self.begin_inner(Class::Funnel, "the funnel of a Bloom filter")?;
        let what = "the serialiser of a Bloom filter";
        let serializer = self.input.offset();
        if self.class()? != Some(Class::Serializer) {
            return Err(misplaced(serializer, what));
        }
        match self.reference()? {
            Reference::New(number) => self.close(number, Part::Inner),
            Reference::Known(Part::Inner) => {}
            _ => return Err(misplaced(serializer, what)),
        }
        self.close(funnel, Part::Inner);
        let hashes = self.input.int()?;
        let strategy = self.input.offset();
        if self.class()? != Some(Class::Strategy)
            || self.constant("the strategy of a Bloom filter")? != 2
        {
            return Err(misplaced(strategy, "the strategy of a Bloom filter"));
        }
        self.close(filter, Part::Inner);
        let filter = u32::try_from(hashes).ok();
        let filter = filter.and_then(|hashes| Filter::of_parts(words, hashes));
        let filter = filter
            .ok_or_else(|| damaged(at, format!("a Bloom filter has no bits or {hashes} hashes")))?;
        Ok(Bloom::value(filter))
    }

    /// Begins an object of a class that must stand here.
    fn begin_inner(&mut self, class: Class, what: &str) -> Outcome<usize> {
        let at = self.input.offset();
        match self.class()? {
            Some(found) if found == class => self.new_part(what),
            _ => Err(misplaced(at, what)),
        }
    }

    /// Begins an object that cannot have come before.
    fn new_part(&mut self, what: &str) -> Outcome<usize> {
        let at = self.input.offset();
        match self.reference()? {
            Reference::New(number) => Ok(number),
            _ => Err(misplaced(at, what)),
        }
    }

    /// A constant of an enumeration, counted from 1.
    pub(super) fn constant(&mut self, what: &str) -> Outcome<u32> {
        let at = self.input.offset();
        match self.reference()? {
            Reference::Known(Part::Constant(place)) => Ok(place),
            Reference::New(number) => {
                let place = self.input.varint()?;
                self.close(number, Part::Constant(place));
                Ok(place)
            }
            _ => Err(misplaced(at, what)),
        }
    }

    /// An array of integers, or null.
    pub(super) fn ints(&mut self, what: &str) -> Outcome<Option<Arc<[i32]>>> {
        let at = self.input.offset();
        match self.reference()? {
            Reference::Null => Ok(None),
            Reference::Known(Part::Ints(ints)) => Ok(Some(ints)),
            Reference::New(number) => {
                let count = self.input.count_or_null(1)?.unwrap_or(0);
                let ints = (0..count).map(|_| self.input.int());
                let ints: Arc<[i32]> = ints.collect::<Outcome<Vec<i32>>>()?.into();
                self.close(number, Part::Ints(ints.clone()));
                Ok(Some(ints))
            }
            Reference::Known(_) => Err(misplaced(at, what)),
        }
    }
}

#[cold]
fn misplaced(at: usize, what: &str) -> Fault {
    damaged(at, format!("{what} is not what it should be"))
}
