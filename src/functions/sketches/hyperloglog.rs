//! HyperLogLog++: how many different items were added, in a few kilobytes.
//!
//! S. Heule, M. Nunkesser, A. Hall: "HyperLogLog in Practice" (2013). Every step agrees with stream-lib 2.9.5, slips
//! included, because its sketches are stored in many places: what is kept and counted must be the same to the bit.
//! Its numbers are Java's 32-bit integers, hence `i32` and the unsigned shifts.

use super::bias;
use crate::eval::java::numbers::java_round as round;

/// Registers of five bits in a word.
const IN_WORD: usize = 6;

/// How many items wait at first to be merged into the sparse form.
const FEW: usize = 4;

/// Above 30 the registers would not fit into anything.
pub const LARGEST_P: u32 = 30;

/// A HyperLogLog++ sketch.
#[derive(Debug, Clone, PartialEq)]
pub struct HyperLogLog {
    p: u32,
    sp: u32,
    form: Form,
}

/// What a sketch holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Form {
    /// The encoded hashes themselves, while there are few.
    Sparse {
        /// Encoded hashes in the order of their index, each index once.
        set: Vec<i32>,
        /// Room for hashes that wait to be merged; empty until the first comes. Behind `filled` old ones remain.
        waiting: Vec<i32>,
        /// How many wait.
        filled: usize,
    },
    /// A register for each index.
    Normal(Vec<i32>),
}

/// What is wrong with the parts of a sketch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// `p` is below 4 or above `sp`.
    P,
    /// `sp` is above 32.
    Sp,
    /// The registers are not as many as `p` says, or more than any machine holds.
    Registers,
}

impl HyperLogLog {
    /// An empty sketch; `sp` is 0 when it shall not begin in the sparse form.
    pub fn new(p: i32, sp: i32) -> Result<HyperLogLog, Flaw> {
        let (p, sp) = precisions(p, sp)?;
        let form = match sp {
            0 => Form::Normal(vec![0; words(p)]),
            _ => Form::Sparse {
                set: Vec::new(),
                waiting: Vec::new(),
                filled: 0,
            },
        };
        Ok(HyperLogLog { p, sp, form })
    }

    /// A sketch of stored parts.
    pub fn of_parts(p: i32, sp: i32, form: Form) -> Result<HyperLogLog, Flaw> {
        let (p, sp) = precisions(p, sp)?;
        match &form {
            Form::Normal(registers) if registers.len() != words(p) => Err(Flaw::Registers),
            Form::Sparse { .. } if sp == 0 => Err(Flaw::Sp),
            _ => Ok(HyperLogLog { p, sp, form }),
        }
    }

    /// The precision of the normal form: there are 2^p registers.
    pub fn p(&self) -> u32 {
        self.p
    }

    /// The precision of the sparse form, or 0.
    pub fn sp(&self) -> u32 {
        self.sp
    }

    /// What it holds.
    pub fn form(&self) -> &Form {
        &self.form
    }

    /// The number of registers of the normal form.
    pub fn registers(&self) -> i32 {
        1 << self.p
    }

    /// The number of indexes of the sparse form.
    pub fn sparse_registers(&self) -> i32 {
        match self.sp {
            0 => 0,
            31.. => i32::MAX,
            sp => 1 << sp,
        }
    }

    /// More hashes than this are kept in the normal form.
    pub fn threshold(&self) -> i32 {
        match self.sp {
            0 => 0,
            _ => (f64::from(self.registers()) * 0.75) as i32,
        }
    }

    /// The constant of the estimate, times the square of the number of registers.
    pub fn alpha(&self) -> f64 {
        let m = f64::from(self.registers());
        let alpha = match self.p {
            4 => 0.673,
            5 => 0.697,
            6 => 0.709,
            _ => 0.7213 / (1.0 + 1.079 / m),
        };
        alpha * m * m
    }

    /// Adds an item by its hash.
    #[inline]
    pub fn add(&mut self, hash: u64) {
        let (p, sp) = (self.p, self.sp);
        match &mut self.form {
            Form::Normal(registers) => {
                let index = (hash >> (64 - p)) as usize;
                raise(registers, index, run_length(hash, p));
            }
            Form::Sparse {
                waiting, filled, ..
            } => {
                if waiting.is_empty() {
                    waiting.resize(FEW, 0);
                }
                if let Some(slot) = waiting.get_mut(*filled) {
                    *slot = encode(hash, p, sp);
                    *filled += 1;
                }
                if *filled >= waiting.len() {
                    self.settle();
                }
            }
        }
    }

    /// How many different items were added, about. What waits is merged first.
    pub fn cardinality(&mut self) -> i64 {
        self.settle();
        match &self.form {
            Form::Normal(registers) => self.normal_cardinality(registers),
            Form::Sparse { set, .. } => {
                let m = self.sparse_registers();
                let free = m.wrapping_sub(set.len() as i32);
                round(linear_counting(m, f64::from(free)))
            }
        }
    }

    fn normal_cardinality(&self, registers: &[i32]) -> i64 {
        let m = 1usize << self.p;
        let mut lengths = [0u32; 32];
        let values = registers
            .iter()
            .flat_map(|word| (0..IN_WORD).map(move |j| (word >> (5 * j)) & 31));
        for value in values.take(m) {
            if let Some(count) = lengths.get_mut(value as usize) {
                *count += 1;
            }
        }
        // Every term and sum is a multiple of 2^-31 below 2^31: nothing is rounded, whatever the order.
        let sum: f64 = (0..)
            .zip(lengths)
            .map(|(length, count)| f64::from(count) * 0.5f64.powi(length))
            .sum();
        let estimate = self.alpha() * (1.0 / sum);
        let five_times = f64::from(self.registers().wrapping_mul(5));
        let corrected = match estimate <= five_times {
            true => estimate - bias::of(estimate, self.p),
            false => estimate,
        };
        let zeros = f64::from(lengths[0]);
        let counted = match zeros > 0.0 {
            true => linear_counting(self.registers(), zeros),
            false => corrected,
        };
        let small = match bias::threshold(self.p) {
            Some(threshold) => counted < threshold,
            None => estimate <= five_times,
        };
        round(if small { counted } else { corrected })
    }

    /// Merges what waits into the sparse set, and goes over to the normal form when that has become too large.
    pub fn settle(&mut self) {
        let threshold = self.threshold();
        let Form::Sparse {
            set,
            waiting,
            filled,
        } = &mut self.form
        else {
            return;
        };
        if *filled == 0 {
            return;
        }
        let mut sorted: Vec<i32> = waiting
            .iter()
            .take(*filled)
            .map(|k| to_sortable(*k))
            .collect();
        sorted.sort_unstable();
        sorted.iter_mut().for_each(|k| *k = from_sortable(*k));
        // Of equal indexes the first has the longest run.
        sorted.dedup_by_key(|k| sparse_index(*k));
        *set = merge_sorted(set, &sorted);
        *filled = 0;
        if set.len() > threshold as usize {
            self.become_normal();
        } else if waiting.len() * 2 < set.len() / 4 {
            *waiting = vec![0; set.len() / 4];
        }
    }

    fn become_normal(&mut self) {
        let mut registers = vec![0; words(self.p)];
        if let Form::Sparse { set, .. } = &self.form {
            for k in set {
                raise(&mut registers, self.index(*k), self.decoded_run(*k));
            }
        }
        self.form = Form::Normal(registers);
    }

    /// Adds all items of `other`. `None` when the number of registers differs.
    pub fn merge(&mut self, other: &mut HyperLogLog) -> Option<()> {
        if self.p != other.p {
            return None;
        }
        self.settle();
        other.settle();
        if let (Form::Sparse { .. }, Form::Normal(_)) = (&self.form, &other.form) {
            self.become_normal();
        }
        let threshold = self.threshold();
        match (&mut self.form, &other.form) {
            (Form::Normal(mine), Form::Normal(theirs)) => {
                for (mine, theirs) in mine.iter_mut().zip(theirs) {
                    *mine = (0..IN_WORD).fold(0, |word, j| {
                        let mask = 31 << (5 * j);
                        word | (*mine & mask).max(*theirs & mask)
                    });
                }
            }
            (Form::Normal(mine), Form::Sparse { set, .. }) => {
                for k in set {
                    raise(mine, other.index(*k), other.decoded_run(*k));
                }
            }
            (Form::Sparse { set, .. }, Form::Sparse { set: theirs, .. }) => {
                *set = merge_sorted(set, theirs);
                if set.len() > threshold as usize {
                    self.become_normal();
                }
            }
            (Form::Sparse { .. }, Form::Normal(_)) => {}
        }
        Some(())
    }

    /// The register of an encoded hash.
    fn index(&self, k: i32) -> usize {
        (sparse_index(k) >> (self.sp - self.p)) as usize
    }

    /// The run length of an encoded hash.
    fn decoded_run(&self, k: i32) -> i32 {
        match k & 1 {
            1 => ((unsigned(k) >> 1) & 63) as i32 ^ 63,
            _ => k.wrapping_shl(self.p + 31 - self.sp).leading_zeros() as i32 + 1,
        }
    }
}

fn precisions(p: i32, sp: i32) -> Result<(u32, u32), Flaw> {
    match (u32::try_from(p), u32::try_from(sp)) {
        (Ok(p), Ok(sp)) if p >= 4 && (p <= sp || sp == 0) => match (p, sp) {
            (_, 33..) => Err(Flaw::Sp),
            (..=LARGEST_P, _) => Ok((p, sp)),
            _ => Err(Flaw::Registers),
        },
        _ => Err(Flaw::P),
    }
}

/// How many words hold the registers.
pub fn words(p: u32) -> usize {
    let full = (1usize << p) / IN_WORD;
    match full {
        0 => 1,
        n if n % 32 == 0 => n,
        n => n + 1,
    }
}

fn unsigned(k: i32) -> u32 {
    k.cast_unsigned()
}

/// Raises a register to `value` unless it is as high. A run of more than 31 spills into the next register, as there.
#[inline]
fn raise(registers: &mut [i32], index: usize, value: i32) {
    let Some(word) = registers.get_mut(index / IN_WORD) else {
        return;
    };
    let shift = 5 * (index % IN_WORD);
    let mask = 31i32 << shift;
    let raised = value.wrapping_shl(shift as u32);
    if (*word & mask) < raised {
        *word = (*word & !mask) | raised;
    }
}

/// The zeros behind the first `p` bits, plus one; a one is put behind the last bit.
#[inline]
fn run_length(hash: u64, p: u32) -> i32 {
    ((hash << p) | (1 << (p - 1))).leading_zeros() as i32 + 1
}

/// A hash in 32 bits: the first `sp` bits, and the length of the run where they do not show it; the last bit says which.
#[inline]
fn encode(hash: u64, p: u32, sp: u32) -> i32 {
    let index = ((hash >> (64 - sp)) as u32).cast_signed();
    let rest = match p < sp {
        true => index.wrapping_shl(32 - sp + p),
        false => 0,
    };
    match rest {
        0 => (((index << 6) | (run_length(hash, p) ^ 63)) << 1) | 1,
        _ => index << 1,
    }
}

#[inline]
fn sparse_index(k: i32) -> u32 {
    match k & 1 {
        1 => unsigned(k) >> 7,
        _ => unsigned(k) >> 1,
    }
}

/// Sorts by index, then by run, the longest first.
#[inline]
fn to_sortable(k: i32) -> i32 {
    match k & 1 {
        0 => (k << 6) ^ 0x8000_007f_u32.cast_signed(),
        _ => k ^ 0x8000_0001_u32.cast_signed(),
    }
}

#[inline]
fn from_sortable(k: i32) -> i32 {
    match k & 1 {
        1 => (unsigned(k ^ 0x8000_0040_u32.cast_signed()) >> 6).cast_signed(),
        _ => k ^ 0x8000_0001_u32.cast_signed(),
    }
}

/// Merges two sorted sets; of equal indexes the smaller code has the longer run.
fn merge_sorted(left: &[i32], right: &[i32]) -> Vec<i32> {
    let mut merged = Vec::with_capacity(left.len() + right.len());
    let (mut left, mut right) = (left, right);
    while let ([a, left_rest @ ..], [b, right_rest @ ..]) = (left, right) {
        let (i, j) = (sparse_index(*a), sparse_index(*b));
        if i == j {
            merged.push(*a.min(b));
            (left, right) = (left_rest, right_rest);
        } else if i < j {
            merged.push(*a);
            left = left_rest;
        } else {
            merged.push(*b);
            right = right_rest;
        }
    }
    merged.extend_from_slice(left);
    merged.extend_from_slice(right);
    merged
}

fn linear_counting(m: i32, free: f64) -> f64 {
    let m = f64::from(m);
    m * (m / free).ln()
}
