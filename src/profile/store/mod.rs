//! Where measurements lie: one way in, whatever is behind it.

mod explain;
mod follow;
pub mod hbase;
mod reason;
mod spool;
mod spooled;
mod sqlite;
mod upkeep;

pub use crate::store::Lock;
pub use crate::store::Within;
pub use follow::{FOLLOW, Keeper, Mark, Marks, Passed, State};
pub use reason::Reason;
pub(super) use reason::span;
pub use spool::Spool;
pub use spooled::{Drained, Spooled};
pub use sqlite::{Embedded, PROFILE};

use super::measurement::Measurement;
use super::period::Period;
use crate::diagnostic::Outcome;
use crate::eval::Value;
use crate::eval::text::to_text;
use crate::functions::kryo;
use smol_str::SmolStr;
use std::sync::Arc;

/// The most bytes of one value.
const LONGEST: usize = 256 << 20;

const DAY: i64 = 86_400_000;

/// Which table is meant and how it is written. What was written in one place is not found in another.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    /// The table.
    pub table: SmolStr,
    /// Its column family.
    pub family: SmolStr,
    /// What salts are remainders of; never 0.
    pub divisor: i32,
}

impl Default for Place {
    /// What the settings mean when nobody has set them.
    fn default() -> Place {
        Place {
            table: "profiler".into(),
            family: "P".into(),
            divisor: 1000,
        }
    }
}

/// Which values are wanted.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// Where.
    pub place: Place,
    /// The name of the profile.
    pub profile: SmolStr,
    /// What it is about.
    pub entity: SmolStr,
    /// The groups; only their texts, one behind the other, count.
    pub groups: Vec<Value>,
    /// Of when, in the order of the answer; the same one may be asked for twice.
    pub periods: Vec<Period>,
}

/// The texts of all groups, one behind the other.
pub fn group_text(groups: &[Value]) -> String {
    groups
        .iter()
        .map(|group| to_text(group).to_string())
        .collect()
}

/// Which series are meant: all of them, those of a profile, of an entity, of its groups.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// The place; `None` is every place.
    pub place: Option<Place>,
    /// The name of the profile.
    pub profile: Option<SmolStr>,
    /// What it is about.
    pub entity: Option<SmolStr>,
    /// The groups, by their texts.
    pub groups: Option<Vec<Value>>,
}

/// A profile as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredProfile {
    /// Where.
    pub place: Place,
    /// Its name.
    pub profile: SmolStr,
    /// The length of its periods in milliseconds.
    pub duration: i64,
    /// How many series there are, which is one for each entity and its groups, where the store counts them.
    pub series: Option<u64>,
}

/// The measurements of one entity in one set of groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series {
    /// Where.
    pub place: Place,
    /// The name of the profile.
    pub profile: SmolStr,
    /// What it is about.
    pub entity: SmolStr,
    /// The texts of its groups.
    pub groups: Vec<SmolStr>,
    /// The first period that has a measurement.
    pub first: Period,
    /// The last one.
    pub last: Period,
}

/// Where measurements lie. All methods fail with E0306 and E0307 when they have to end.
pub trait ProfileStore: Send + Sync {
    /// Stores measurements, all or none; one that is there already gets the new value.
    fn write(&self, place: &Place, measurements: &[Measurement], within: Within<'_>)
    -> Outcome<()>;

    /// Stores measurements and in the same transaction where a follower stands, for which
    /// [`Marks::write`] or [`Marks::keep`] has been called before. `false` when this store cannot do that; nothing is stored then.
    fn write_with_mark(
        &self,
        _place: &Place,
        _measurements: &[Measurement],
        _mark: &Mark,
        _within: Within<'_>,
    ) -> Outcome<bool> {
        Ok(false)
    }

    /// The value of every period of the query, in its order; `None` where there is none. E0605 for damaged values.
    fn read(&self, query: &Query, within: Within<'_>) -> Outcome<Vec<Option<Value>>>;

    /// The profiles of the filter's place and name, by table, family, divisor, name and length of periods.
    fn profiles(&self, filter: &Filter, within: Within<'_>) -> Outcome<Vec<StoredProfile>>;

    /// The series of the filter in that order, then by entity and groups; at most so many.
    fn list(&self, filter: &Filter, most: usize, within: Within<'_>) -> Outcome<Vec<Series>>;

    /// Removes the measurements of the filter's series and says how many there were.
    fn delete(&self, filter: &Filter, within: Within<'_>) -> Outcome<usize>;

    /// Why a query finds nothing, the likeliest reason first. Empty when it does find something.
    fn explain_empty(&self, query: &Query, within: Within<'_>) -> Outcome<Vec<Reason>>;

    /// What people should know about the calls since the last time: sentences without a full stop.
    fn notices(&self) -> Vec<String> {
        Vec::new()
    }
}

/// The value of stored bytes. Errors: E0605 with what they belong to.
fn value(bytes: &[u8], query: &Query, number: i64) -> Outcome<Value> {
    kryo::read(bytes).map_err(|fault| {
        fault.note(format!(
            "it is what profile {} found out about {} in period {number}",
            query.profile, query.entity
        ))
    })
}

/// The bytes of a measurement's value. Errors: E0203 for what cannot be stored.
fn bytes(measurement: &Measurement) -> Outcome<Vec<u8>> {
    kryo::write(&measurement.value, LONGEST).map_err(|fault| {
        fault.note(format!(
            "it is what profile {} found out about {}",
            measurement.profile, measurement.entity
        ))
    })
}

/// The service behind the profiler's functions.
#[derive(Clone)]
pub struct Profiles(Arc<dyn ProfileStore>);

impl Profiles {
    /// Measurements in this store.
    pub fn new(store: Arc<dyn ProfileStore>) -> Profiles {
        Profiles(store)
    }
}

impl std::ops::Deref for Profiles {
    type Target = dyn ProfileStore;

    fn deref(&self) -> &Self::Target {
        self.0.as_ref()
    }
}
