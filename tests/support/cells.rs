//! Everything that a store of measurements holds, to compare two of them.
#![allow(dead_code)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use stellar::diagnostic::{Fault, Outcome};
use stellar::eval::Value;
use stellar::functions::kryo;
use stellar::input::{self, Finish};
use stellar::profile::period::Period;
use stellar::profile::store::{Filter, ProfileStore, Query, Within};
use stellar::store::Deadline;

/// Without an end.
pub fn within(cancel: &Arc<AtomicBool>) -> Within<'_> {
    Within {
        now: 0,
        deadline: Deadline::NONE,
        cancel,
    }
}

/// Profile, entity, groups and period of a measurement, and its bytes.
pub type Cells = BTreeMap<(String, String, Vec<String>, i64), Vec<u8>>;

/// Everything that a store holds.
pub fn cells(store: &dyn ProfileStore) -> Cells {
    let go = Arc::default();
    let mut cells = Cells::new();
    let series = store.list(&Filter::default(), usize::MAX, within(&go));
    for series in series.unwrap() {
        let duration = series.first.duration;
        let periods = (series.first.number..=series.last.number)
            .map(|number| Period { number, duration })
            .collect::<Vec<_>>();
        let query = Query {
            place: series.place.clone(),
            profile: series.profile.clone(),
            entity: series.entity.clone(),
            groups: series.groups.iter().map(Value::text).collect(),
            periods,
        };
        let values = store.read(&query, within(&go)).unwrap();
        for (period, value) in query.periods.iter().zip(values) {
            if let Some(value) = value {
                let groups = series.groups.iter().map(ToString::to_string).collect();
                let key = (
                    series.profile.to_string(),
                    series.entity.to_string(),
                    groups,
                    period.number,
                );
                cells.insert(key, kryo::write(&value, usize::MAX).unwrap());
            }
        }
    }
    cells
}

/// Hears of nothing.
pub struct Silent;

impl Finish for Silent {
    fn finish(&mut self, _: &input::Batch) -> Outcome<bool> {
        Ok(true)
    }

    fn unreadable(&mut self, fault: Fault) -> Outcome<bool> {
        Err(fault)
    }
}
