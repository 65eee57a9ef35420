//! Chance that is the same each time.

use super::bad;
use crate::diagnostic::Outcome;
use crate::eval::Value;
use crate::pipeline::yaml::{Kind, Node};

/// The step and the mixing of SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators");
/// its n-th number can be had without those before.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

fn mixed(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// Random numbers, one for each event.
#[derive(Debug, Clone, Copy)]
pub struct Chance(u64);

impl Chance {
    /// Those of a seed.
    pub fn new(seed: i64) -> Chance {
        Chance(mixed((seed as u64).wrapping_add(STEP)))
    }

    /// Others for each name, so that a field more does not change the rest. FNV-1a (Fowler, Noll, Vo).
    pub fn of(self, name: &str) -> Chance {
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Chance(mixed(self.0 ^ hash))
    }

    /// The number of the event `n`, from 0 up to 1.
    pub fn at(self, n: u64) -> f64 {
        let bits = mixed(self.0.wrapping_add(n.wrapping_add(1).wrapping_mul(STEP)));
        (bits >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// Values one of which is chosen.
pub struct Pick {
    chance: Chance,
    /// Each with the sum of the weights up to it.
    values: Vec<(f64, Value)>,
    sum: f64,
}

impl Pick {
    /// What a list or a map with weights says. Errors: what is wrong with it.
    pub fn new(node: &Node, chance: Chance) -> Outcome<Pick> {
        let mut values = Vec::new();
        let mut sum = 0.0;
        match &node.kind {
            Kind::List(items) => {
                for item in items {
                    sum += 1.0;
                    values.push((sum, item.value()));
                }
            }
            Kind::Map(entries) => {
                for (key, node) in entries {
                    let weight = match node.value() {
                        Value::Int(n) => f64::from(n),
                        Value::Long(n) => n as f64,
                        Value::Double(n) => n,
                        _ => f64::NAN,
                    };
                    if !(0.0..1e15).contains(&weight) {
                        let text =
                            format!("a weight is a number from 0 on, not {}", node.in_words());
                        return Err(bad(node, text));
                    }
                    if weight > 0.0 {
                        sum += weight;
                        values.push((sum, key.value()));
                    }
                }
            }
            _ => {
                let found = node.in_words();
                let text = format!("values to pick are a list or a map with weights, not {found}");
                return Err(bad(node, text));
            }
        }
        match values.is_empty() {
            true => Err(bad(node, "there is nothing to pick")),
            false => Ok(Pick {
                chance,
                values,
                sum,
            }),
        }
    }

    /// The value for the event `n`.
    pub fn at(&self, n: u64) -> Value {
        let point = self.chance.at(n) * self.sum;
        let place = self.values.partition_point(|(sum, _)| *sum <= point);
        // A sum of fractions may round to its end.
        let chosen = self.values.get(place).or(self.values.last());
        chosen.map(|(_, value)| value.clone()).unwrap_or_default()
    }
}
