//! HBase with the spool before it: what the server does not take now it gets later, in order.

use super::hbase::{Hbase, Health, Made, key};
use super::spool::{self, Waiting};
use super::{
    Filter, Measurement, Place, ProfileStore, Query, Reason, Series, Spool, StoredProfile, Within,
    bytes, group_text,
};
use crate::config::Secretive;
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome, nearest};
use crate::eval::Value;
use crate::store::{Backoff, Deadline, Store, proceed};
use parking_lot::Mutex;
use smol_str::SmolStr;
use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt;
use std::time::{Duration, Instant};

/// How many measurements leave the spool at a time.
const STEP: usize = 10_000;

/// How long an explanation may search a table.
const EXPLAINING: Duration = Duration::from_secs(5);

/// HBase with the spool before it.
pub struct Spooled {
    hbase: Hbase,
    store: Store,
    /// When the server may be asked again after it did not answer.
    pause: Mutex<(Option<Instant>, Backoff)>,
    known: Mutex<HashSet<(Place, SmolStr, i64)>>,
    told: Mutex<Told>,
}

/// What people have not been told yet.
#[derive(Default)]
struct Told {
    /// How many measurements have come into the spool and were not written since, and why the last ones did.
    kept: usize,
    why: String,
    others: Vec<String>,
}

/// What became of the spool.
#[derive(Debug, Clone)]
pub struct Drained {
    /// How many measurements the server took, or had outlived their time.
    pub written: usize,
    /// Why the others still wait.
    pub fault: Option<Fault>,
}

/// That this process alone empties the spool; another one would write old values over new ones.
struct Emptying {
    _file: File,
}

impl Spooled {
    /// The servers at an address, with the spool in an embedded file that knows the room of profiles. Periods are taken to be of
    /// this length.
    pub fn new(address: &Secretive, store: &Store, duration: i64) -> Spooled {
        Spooled {
            hbase: Hbase::new(address, duration),
            store: store.clone(),
            pause: Mutex::new((None, Backoff::new(u64::from(std::process::id())))),
            known: Mutex::default(),
            told: Mutex::default(),
        }
    }

    /// What waits.
    pub fn spool(&self) -> Outcome<Spool> {
        Spool::of(&self.store)
    }

    /// Makes the table. Errors: E0604.
    pub fn create_table(&self, place: &Place, within: Within<'_>) -> Outcome<Made> {
        self.hbase.create_table(place, within)
    }

    /// Looks at the server and at the table. Errors: E0604 and the like when nothing answers.
    pub fn examine(
        &self,
        place: &Place,
        patience: Duration,
        within: Within<'_>,
    ) -> Outcome<Health> {
        self.hbase.examine(place, patience, within)
    }

    /// The right to empty the spool; `None` while another process or thread does.
    fn emptying(&self) -> Outcome<Option<Emptying>> {
        let mut path = self.store.path().as_os_str().to_owned();
        path.push("-spool");
        let failed = |error: std::io::Error| {
            let path = std::path::Path::new(&path).display();
            Diagnostic::new(Code::StoreFailed, format!("{path} cannot be used: {error}"))
        };
        let mut options = OpenOptions::new();
        let file = options
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Emptying { _file: file })),
            Err(std::fs::TryLockError::WouldBlock) => Ok(None),
            // Where files cannot be locked nobody else does it either.
            Err(std::fs::TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => {
                Ok(Some(Emptying { _file: file }))
            }
            Err(std::fs::TryLockError::Error(error)) => Err(failed(error)),
        }
    }

    /// Writes what waits, in order. What was written and not yet crossed out when the process died is written again: the
    /// same cells. Errors: those of the embedded file, E0306, E0307.
    pub fn drain(&self, within: Within<'_>) -> Outcome<Drained> {
        let mut drained = Drained {
            written: 0,
            fault: None,
        };
        if !spool::any(&self.store)? {
            return Ok(drained);
        }
        let Some(_alone) = self.emptying()? else {
            let busy = "another process or thread is writing what waits";
            drained.fault = Some(Diagnostic::new(Code::StoreFailed, busy));
            return Ok(drained);
        };
        // One table may be missing while others are there.
        for place in spool::places(&self.store)? {
            loop {
                let (rows, last) = spool::first(&self.store, &place, STEP)?;
                if rows.is_empty() {
                    break;
                }
                let cells: Vec<_> = rows.iter().filter_map(|row| row.cell(within.now)).collect();
                if let Err(fault) = self.hbase.put(&place, &cells, within) {
                    proceed(within.deadline, within.cancel)?;
                    spool::blame(&self.store, &fault, within.now)?;
                    drained.fault = Some(fault);
                    break;
                }
                spool::done(&self.store, &place, last)?;
                drained.written += rows.len();
            }
        }
        Ok(drained)
    }

    /// Whether the server did not answer just now, so that waiting for it again makes no sense.
    fn pausing(&self) -> bool {
        self.pause
            .lock()
            .0
            .is_some_and(|until| Instant::now() < until)
    }

    fn failed(&self) {
        let mut pause = self.pause.lock();
        // At least long enough that a run of writes does not wait for each.
        let time = pause.1.pause() + Duration::from_millis(200);
        pause.0 = Instant::now().checked_add(time);
    }

    fn answered(&self) {
        let mut pause = self.pause.lock();
        pause.0 = None;
        pause.1.reset();
    }

    /// Keeps measurements for later; `fault` says why.
    fn keep(&self, place: &Place, rows: Vec<Waiting>, fault: Fault, now: i64) -> Outcome<()> {
        let count = rows.len();
        let kept = spool::keep(&self.store, place, rows, &fault, now);
        kept.map_err(|second| second.note(format!("and {}", fault.message)))?;
        if matches!(fault.code, Code::Interrupted | Code::Timeout) {
            let told = waiting(count, &fault.message);
            return Err(fault.note(told));
        }
        let mut told = self.told.lock();
        told.kept += count;
        told.why = fault.message;
        Ok(())
    }

    fn remember(&self, place: &Place, measurements: &[Measurement]) {
        let mut fresh = Vec::new();
        let mut known = self.known.lock();
        let mut last: Option<(&SmolStr, i64)> = None;
        for measurement in measurements {
            let this = (&measurement.profile, measurement.period.duration);
            // Those of one profile mostly stand together.
            if last != Some(this) && known.insert((place.clone(), this.0.clone(), this.1)) {
                fresh.push((this.0.clone(), this.1));
            }
            last = Some(this);
        }
        drop(known);
        if !fresh.is_empty() {
            // It only helps to list profiles: no reason to say that measurements were not stored.
            let _ = spool::remember(&self.store, place, fresh);
        }
    }
}

impl ProfileStore for Spooled {
    fn write(
        &self,
        place: &Place,
        measurements: &[Measurement],
        within: Within<'_>,
    ) -> Outcome<()> {
        proceed(within.deadline, within.cancel)?;
        if measurements.is_empty() {
            return Ok(());
        }
        let mut rows = Vec::with_capacity(measurements.len());
        for measurement in measurements {
            let groups = group_text(&measurement.groups);
            let Measurement {
                profile,
                entity,
                period,
                ..
            } = measurement;
            rows.push(Waiting {
                key: key(place, profile, entity, &groups, period.number)?,
                value: bytes(measurement)?,
                days: measurement.expires,
                written: within.now,
            });
        }
        self.remember(place, measurements);
        if spool::any(&self.store)? {
            // What waits is older: it goes first, or this goes behind it.
            if self.pausing() {
                let fault =
                    Diagnostic::new(Code::ServerFailed, "HBase did not answer a moment ago");
                let why = self
                    .spool()?
                    .fault
                    .map_or(fault, |(said, _)| Diagnostic::new(Code::ServerFailed, said));
                return self.keep(place, rows, why, within.now);
            }
            let drained = self.drain(within);
            match drained.map(|drained| drained.fault) {
                Ok(None) => self.told.lock().kept = 0,
                Ok(Some(fault)) | Err(fault) => {
                    self.failed();
                    return self.keep(place, rows, fault, within.now);
                }
            }
        }
        let cells: Vec<_> = rows.iter().filter_map(|row| row.cell(within.now)).collect();
        match self.hbase.put(place, &cells, within) {
            Ok(()) => {
                self.answered();
                Ok(())
            }
            Err(fault) if matches!(fault.code, Code::Configuration | Code::Secret) => Err(fault),
            Err(fault) => {
                self.failed();
                self.keep(place, rows, fault, within.now)
            }
        }
    }

    fn read(&self, query: &Query, within: Within<'_>) -> Outcome<Vec<Option<Value>>> {
        proceed(within.deadline, within.cancel)?;
        if query.periods.is_empty() {
            return Ok(Vec::new());
        }
        let waiting = spool::any(&self.store)?;
        let newer = match waiting {
            false => Default::default(),
            true => {
                let groups = group_text(&query.groups);
                let keys = query.periods.iter().map(|period| {
                    key(
                        &query.place,
                        &query.profile,
                        &query.entity,
                        &groups,
                        period.number,
                    )
                });
                spool::newer(
                    &self.store,
                    &query.place,
                    &keys.collect::<Outcome<Vec<_>>>()?,
                    within,
                )?
            }
        };
        let found = self.hbase.read(query, &newer, within);
        found.map_err(|fault| match waiting {
            true => fault.note("measurements wait in the spool of the embedded file; `stellar profile spool` shows them"),
            false => fault,
        })
    }

    fn profiles(&self, filter: &Filter, within: Within<'_>) -> Outcome<Vec<StoredProfile>> {
        let mut found = spool::remembered(&self.store, within)?;
        found.retain(|one| {
            filter
                .place
                .as_ref()
                .is_none_or(|place| *place == one.place)
                && filter
                    .profile
                    .as_ref()
                    .is_none_or(|name| *name == one.profile)
        });
        // Said once, however often it was asked for.
        self.told.lock().others = vec![
            "HBase does not name the profiles of its rows: these were written from here; `stellar profile list NAME` \
             looks into the table"
                .to_string(),
        ];
        Ok(found)
    }

    fn list(&self, filter: &Filter, most: usize, within: Within<'_>) -> Outcome<Vec<Series>> {
        let place = filter.place.clone().unwrap_or_default();
        let mut found = self.hbase.series(filter, &place, most, within)?;
        found.truncate(most);
        Ok(found)
    }

    fn delete(&self, filter: &Filter, within: Within<'_>) -> Outcome<usize> {
        // What waits would come back.
        if let Some(fault) = self.drain(within)?.fault {
            return Err(fault
                .note("nothing was removed: measurements wait in the spool and would come back"));
        }
        let place = filter.place.clone().unwrap_or_default();
        self.hbase.remove(filter, &place, within)
    }

    fn explain_empty(&self, query: &Query, within: Within<'_>) -> Outcome<Vec<Reason>> {
        let (Some(first), Some(_)) = (query.periods.first(), query.periods.last()) else {
            return Ok(vec![Reason::NoPeriods]);
        };
        // What was written from here is known with its place and length.
        let mine: Vec<_> = spool::remembered(&self.store, within)?;
        let of: Vec<_> = mine
            .iter()
            .filter(|one| one.profile == query.profile)
            .collect();
        let here: Vec<_> = of.iter().filter(|one| one.place == query.place).collect();
        if let (true, Some(other)) = (here.is_empty(), of.first()) {
            return Ok(vec![Reason::OtherPlace {
                wanted: query.place.clone(),
                found: other.place.clone(),
            }]);
        }
        let asked = |duration: i64| {
            query
                .periods
                .iter()
                .any(|period| period.duration == duration)
        };
        if !here.is_empty() && !here.iter().any(|one| asked(one.duration)) {
            let found = here.iter().map(|one| one.duration).collect();
            return Ok(vec![Reason::OtherDuration {
                wanted: first.duration,
                found,
            }]);
        }
        let soon = Within {
            deadline: Deadline::after(within.deadline.at_most(EXPLAINING)),
            ..within
        };
        let mut reasons = match self.hbase.why(query, soon) {
            // A table can be too large for an explanation.
            Err(fault) if fault.code == Code::Timeout => {
                proceed(within.deadline, within.cancel)?;
                Vec::new()
            }
            reasons => reasons?,
        };
        for reason in reasons.iter_mut() {
            if let Reason::UnknownProfile {
                profile,
                near,
                known,
            } = reason
            {
                let names: Vec<_> = mine.iter().map(|one| one.profile.clone()).collect();
                *near = nearest(profile, names.iter().map(SmolStr::as_str)).map(SmolStr::new);
                *known = names.into_iter().take(3).collect();
            }
        }
        Ok(reasons)
    }

    fn notices(&self) -> Vec<String> {
        let Told { kept, why, others } = std::mem::take(&mut *self.told.lock());
        let kept = (kept > 0).then(|| waiting(kept, &why));
        kept.into_iter().chain(others).collect()
    }
}

fn waiting(count: usize, why: &str) -> String {
    let s = if count == 1 { " waits" } else { "s wait" };
    format!(
        "{count} measurement{s} in the spool of the embedded file ({why}); `stellar profile spool` shows them"
    )
}
