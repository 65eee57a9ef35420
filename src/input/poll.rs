//! Sources that are asked again and again for what is new.

use super::source::{Rows, Take, Wish};
use crate::diagnostic::Outcome;
use crate::eval::{Context, Value};
use crate::store::{Deadline, proceed};
use ahash::{AHashMap, RandomState};
use std::hash::{BuildHasher, Hash, Hasher};
use std::time::{Duration, Instant};

/// So many rows are passed on together.
pub const TOGETHER: usize = 4096;

/// How often there is a look for more.
const LOOK: Duration = Duration::from_secs(1);

/// How often it is told that nothing comes.
const TELL: Duration = Duration::from_millis(200);

/// Rows on their way out.
pub struct Batch<'b, 't> {
    /// Those that have not been passed on.
    pub rows: Rows,
    take: Take<'t>,
    recent: Option<&'b mut Recent>,
    wanted: bool,
}

impl Batch<'_, '_> {
    /// Adds a row of a time that was written at another one, or the same; `false` when nothing more is wanted.
    pub fn add(
        &mut self,
        time: i64,
        written: i64,
        values: impl IntoIterator<Item = Value>,
    ) -> Outcome<bool> {
        let from = self.rows.values.len();
        self.rows.values.extend(values);
        let row = self.rows.values.get(from..).unwrap_or_default();
        if self
            .recent
            .as_mut()
            .is_some_and(|known| known.has(written, row))
        {
            self.rows.values.truncate(from);
            return Ok(true);
        }
        self.rows.times.push(time);
        if self.rows.times.len() >= TOGETHER {
            return self.pass();
        }
        Ok(true)
    }

    fn pass(&mut self) -> Outcome<bool> {
        if self.wanted {
            self.wanted = (self.take)(std::mem::take(&mut self.rows))?;
        }
        Ok(self.wanted)
    }
}

/// Reads once, or again and again where that is wished. `read` reads rows that were written from a time on, in the order of
/// time when they are followed; rows may be written `lag` milliseconds later than their order says, and those that come
/// again are known.
pub fn poll(
    wish: &Wish<'_>,
    lag: i64,
    context: &Context,
    take: Take<'_>,
    mut read: impl FnMut(i64, &mut Batch<'_, '_>) -> Outcome<()>,
) -> Outcome<()> {
    let deadline = Deadline::from(context.deadline);
    let mut recent = Recent::default();
    let mut since = i64::MIN;
    loop {
        let mut batch = Batch {
            rows: Rows::default(),
            take: &mut *take,
            recent: wish.follow.then_some(&mut recent),
            wanted: true,
        };
        read(since, &mut batch)?;
        if !batch.pass()? || !wish.follow {
            return Ok(());
        }
        if let Some(newest) = recent.settle(context.clock.now(), lag) {
            since = since.max(newest);
        }
        let looked = Instant::now();
        while looked.elapsed() < LOOK {
            std::thread::sleep(TELL);
            proceed(deadline, &context.cancel)?;
            if !take(Rows::default())? {
                return Ok(());
            }
        }
    }
}

/// Rows that were read already and may be read again.
#[derive(Default)]
struct Recent {
    hasher: RandomState,
    /// By the hash of a row: its time, and how many there were.
    known: AHashMap<u64, (i64, u32)>,
    /// How many of them this round has met.
    met: AHashMap<u64, u32>,
}

impl Recent {
    fn has(&mut self, time: i64, row: &[Value]) -> bool {
        let mut hasher = self.hasher.build_hasher();
        time.hash(&mut hasher);
        row.hash(&mut hasher);
        let hash = hasher.finish();
        let met = self.met.entry(hash).or_default();
        *met += 1;
        let (_, known) = self.known.entry(hash).or_insert((time, 0));
        let old = *met <= *known;
        *known = (*known).max(*met);
        old
    }

    /// Ends a round: from when on the next one reads.
    fn settle(&mut self, now: i64, lag: i64) -> Option<i64> {
        self.met.clear();
        // A wrong clock is not to hide what comes in time.
        let times = self.known.values().map(|(time, _)| *time);
        let newest = times
            .filter(|time| *time <= now.saturating_add(lag))
            .max()?;
        let from = newest.saturating_sub(lag);
        self.known.retain(|_, (time, _)| *time >= from);
        Some(from)
    }
}
