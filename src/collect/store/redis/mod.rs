//! Entries in Redis (7 or later), on one server; no request touches more than one key, so that keys may lie anywhere.
//!
//! An entry without values is a text, the date of its event in milliseconds; one with values is a hash with a field for
//! each and the date in `eventdate`. Both expire by themselves. What is known about collections lies as JSON in the
//! hash [`BOOK`], by the base of their keys.

mod address;
mod failure;
mod link;

use super::{About, Base, CollectionStore, Entry, Found, Key, Within, Written};
use crate::collect::entry::EVENTDATE;
use crate::collect::key::text_of;
use crate::config::{Secretive, mask_text};
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};
use crate::store::{Backoff, Deadline, proceed, sleep};
use ::redis::{Cmd, Value, from_redis_value};
use address::Address;
use data_encoding::HEXLOWER;
use failure::Failure;
use link::Link;
use parking_lot::Mutex;
use sha1::{Digest, Sha1};
use smol_str::SmolStr;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// The hash that tells what collections there are.
pub const BOOK: &str = "stellar:collections";

/// Stores one entry unless a later one is there: 1 when it is stored, 0 when it is not. Arguments: the date, when it
/// expires, and for an entry with values its fields with their texts.
pub const STORE: &str = "\
local key, date, expires = KEYS[1], ARGV[1], ARGV[2]
local there
if #ARGV == 2 then
    there = redis.pcall('GET', key)
    if type(there) == 'table' then there = redis.call('HGET', key, 'eventdate') end
else
    there = redis.pcall('HGET', key, 'eventdate')
    if type(there) == 'table' then there = redis.call('GET', key) end
end
if there and tonumber(there) > tonumber(date) then return 0 end
if #ARGV == 2 then
    redis.call('SET', key, date, 'PXAT', expires)
else
    redis.call('DEL', key)
    for i = 3, #ARGV, 1000 do redis.call('HSET', key, unpack(ARGV, i, math.min(i + 999, #ARGV))) end
    redis.call('PEXPIREAT', key, expires)
end
return 1";

/// How long a server that was there may be away, as when it starts again.
const AWAY: Duration = Duration::from_secs(10);

/// How many connections wait for the next use.
const KEPT: usize = 8;

/// Entries that are written before a failure makes them be written again.
const CHUNK: usize = 8192;

/// How many keys one step of a walk through all of them looks at.
const STEP: usize = 1000;

/// Collections in Redis. Nothing is connected before it is used.
pub struct Redis {
    address: Secretive,
    script: String,
    idle: Mutex<Vec<Link>>,
    /// Whether it has ever answered.
    met: AtomicBool,
    /// The process that answered last.
    process: Mutex<SmolStr>,
    /// Whether the entries of a collection have values, as far as that is known.
    hashes: Mutex<HashMap<Base, bool>>,
}

impl Redis {
    /// Collections at an address such as `redis://user:${NAME}@host:6379/0`; only who uses it minds when it is none.
    pub fn new(address: &Secretive) -> Redis {
        Redis {
            address: address.clone(),
            script: HEXLOWER.encode(&Sha1::digest(STORE)),
            idle: Mutex::default(),
            met: AtomicBool::new(false),
            process: Mutex::default(),
            hashes: Mutex::default(),
        }
    }

    /// Runs `work` on a connection, and again when that was lost: what it does may be done twice.
    fn run<T>(
        &self,
        within: Within<'_>,
        mut work: impl FnMut(&mut Link) -> Result<T, Failure>,
    ) -> Outcome<T> {
        proceed(within.deadline, within.cancel)?;
        let mut backoff = Backoff::new(u64::from(std::process::id()));
        let mut until = None;
        let mut first = true;
        loop {
            let failure = match self.attempt(within, &mut work) {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            if !failure.may_pass() {
                return Err(failure.fault());
            }
            // What was kept since before is as dead as this one.
            self.idle.lock().clear();
            let known = self.met.load(Ordering::Relaxed);
            let until = *until.get_or_insert_with(|| Deadline::after(AWAY));
            if !known || until.passed() {
                return Err(failure.fault());
            }
            // A connection that was kept may have been closed long ago.
            if !std::mem::take(&mut first) {
                sleep(backoff.pause(), within.deadline, within.cancel)?;
                if within.deadline.passed() {
                    return Err(failure.fault());
                }
            }
        }
    }

    fn attempt<T>(
        &self,
        within: Within<'_>,
        work: &mut impl FnMut(&mut Link) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let kept = self.idle.lock().pop();
        let mut link = match kept {
            Some(link) => link,
            None => {
                let link = Link::open(&Address::resolve(&self.address)?, within)?;
                self.met.store(true, Ordering::Relaxed);
                *self.process.lock() = SmolStr::new(&link.process);
                link
            }
        };
        let answer = work(&mut link).map_err(|failure| failure.said(&link.place))?;
        let mut idle = self.idle.lock();
        if idle.len() < KEPT {
            idle.push(link);
        }
        Ok(answer)
    }

    fn ask(&self, request: &Cmd, within: Within<'_>) -> Outcome<Value> {
        self.run(within, |link| link.ask(request, within))
    }

    /// Stores the entries of some numbers; the answers by number.
    fn store(
        &self,
        link: &mut Link,
        entries: &[&Entry],
        within: Within<'_>,
    ) -> Result<(u64, u64), Failure> {
        let mut wanted: Vec<&Entry> = entries.to_vec();
        let (mut stored, mut older) = (0, 0);
        // A server that has just started does not know the script.
        for round in 0..2 {
            let mut again = Vec::new();
            let mut request = Cmd::new();
            let mut key = Vec::new();
            let mut unknown = None;
            let wanted_now = std::mem::take(&mut wanted);
            link.each(
                wanted_now.len(),
                within,
                |n, out| {
                    let Some(entry) = wanted_now.get(n) else {
                        return;
                    };
                    key.clear();
                    entry.key.write(&mut key);
                    request.clear();
                    request.arg("EVALSHA").arg(&self.script).arg(1).arg(&key);
                    request.arg(entry.date).arg(entry.expires);
                    if let Some(fields) = &entry.fields {
                        request.arg(EVENTDATE).arg(entry.date);
                        for (name, value) in fields {
                            if !value.is_null() && name != EVENTDATE {
                                request.arg(name.as_str()).arg(text_of(value).as_str());
                            }
                        }
                    }
                    request.write_packed_command(out);
                },
                |n, answer| {
                    match answer {
                        Value::Int(1) => stored += 1,
                        Value::Int(_) => older += 1,
                        Value::ServerError(error) if error.code() == "NOSCRIPT" => {
                            again.extend(wanted_now.get(n));
                            unknown = Some(Failure::server(&error));
                        }
                        Value::ServerError(error) => return Err(Failure::server(&error)),
                        other => return Err(strange(&other)),
                    }
                    Ok(())
                },
            )?;
            match unknown {
                None => break,
                Some(failure) if round > 0 => return Err(failure),
                Some(_) => {
                    link.ask(::redis::cmd("SCRIPT").arg("LOAD").arg(STORE), within)?;
                    wanted = again;
                }
            }
        }
        Ok((stored, older))
    }

    /// Reads keys as they are thought to be; `None` for those that are of the other kind.
    fn read(
        &self,
        link: &mut Link,
        keys: &[(&Key, bool)],
        within: Within<'_>,
    ) -> Result<Vec<Option<Option<Found>>>, Failure> {
        let mut found = Vec::with_capacity(keys.len());
        let mut last = Value::Nil;
        let mut text = Vec::new();
        link.each(
            keys.len() * 2,
            within,
            |n, out| {
                let Some((key, hash)) = keys.get(n / 2) else {
                    return;
                };
                text.clear();
                key.write(&mut text);
                let verb = match (n % 2, hash) {
                    (1, _) => "PEXPIRETIME",
                    (_, true) => "HGETALL",
                    (_, false) => "GET",
                };
                ::redis::cmd(verb).arg(&text).write_packed_command(out);
            },
            |n, answer| {
                if n % 2 == 0 {
                    last = answer;
                    return Ok(());
                }
                found.push(match std::mem::replace(&mut last, Value::Nil) {
                    Value::ServerError(error) if error.code() == "WRONGTYPE" => None,
                    Value::ServerError(error) => return Err(Failure::server(&error)),
                    value => Some(read_entry(value, lasts(&answer)?)?),
                });
                Ok(())
            },
        )?;
        Ok(found)
    }

    /// All hashes of keys of a collection, each once.
    fn walk(&self, base: &Base, within: Within<'_>) -> Outcome<HashSet<[u8; 16]>> {
        let mut pattern = String::new();
        for c in base.as_str().chars() {
            if matches!(c, '*' | '?' | '[' | ']' | '\\') {
                pattern.push('\\');
            }
            pattern.push(c);
        }
        pattern.push_str("#*");
        let from = base.as_str().len() + 1;
        let mut found = HashSet::new();
        let mut cursor = "0".to_string();
        loop {
            let mut scan = ::redis::cmd("SCAN");
            scan.arg(&cursor).arg("MATCH").arg(&pattern);
            let answer = self.ask(scan.arg("COUNT").arg(STEP), within)?;
            let (next, keys): (String, Vec<Vec<u8>>) =
                from_redis_value(answer).map_err(|error| unreadable(&error.to_string()))?;
            for key in keys {
                let digits = key.get(from..).unwrap_or_default();
                let hash = HEXLOWER.decode(digits).ok();
                found.extend(hash.and_then(|hash| <[u8; 16]>::try_from(hash).ok()));
            }
            if next == "0" {
                return Ok(found);
            }
            cursor = next;
        }
    }
}

impl CollectionStore for Redis {
    fn place(&self) -> String {
        format!("Redis at {}", mask_text(self.address.raw()))
    }

    fn describe(&self, about: &About, within: Within<'_>) -> Outcome<()> {
        let mut set = ::redis::cmd("HSET");
        set.arg(BOOK).arg(about.base().as_str());
        self.ask(set.arg(about.json().to_string()), within)?;
        Ok(())
    }

    fn about(&self, base: &Base, within: Within<'_>) -> Outcome<Option<About>> {
        let mut get = ::redis::cmd("HGET");
        let answer = self.ask(get.arg(BOOK).arg(base.as_str()), within)?;
        let json: Option<String> =
            from_redis_value(answer).map_err(|error| unreadable(&error.to_string()))?;
        let about = json.map(|json| About::read(&json)).transpose()?;
        if let Some(about) = &about {
            let hash = !about.value_fields.is_empty();
            self.hashes.lock().insert(base.clone(), hash);
        }
        Ok(about)
    }

    fn list(&self, within: Within<'_>) -> Outcome<Vec<About>> {
        let answer = self.ask(::redis::cmd("HVALS").arg(BOOK), within)?;
        let all: Vec<String> =
            from_redis_value(answer).map_err(|error| unreadable(&error.to_string()))?;
        let all: Outcome<Vec<About>> = all.iter().map(|json| About::read(json)).collect();
        let mut all = all?;
        all.sort_by(|a, b| (&a.domain, &a.name).cmp(&(&b.domain, &b.name)));
        Ok(all)
    }

    fn put(&self, entries: &[Entry], within: Within<'_>) -> Outcome<Written> {
        let mut written = Written::default();
        for chunk in entries.chunks(CHUNK) {
            let now = self.now(within);
            let due: Vec<&Entry> = chunk.iter().filter(|entry| entry.expires > now).collect();
            written.expired += (chunk.len() - due.len()) as u64;
            if due.is_empty() {
                continue;
            }
            let (stored, older) = self.run(within, |link| self.store(link, &due, within))?;
            written.stored += stored;
            written.older += older;
        }
        Ok(written)
    }

    fn has(&self, keys: &[Key], within: Within<'_>) -> Outcome<Vec<Option<i64>>> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        self.run(within, |link| {
            let mut found = Vec::with_capacity(keys.len());
            let mut text = Vec::new();
            let mut request = Cmd::new();
            link.each(
                keys.len(),
                within,
                |n, out| {
                    let Some(key) = keys.get(n) else { return };
                    text.clear();
                    key.write(&mut text);
                    request.clear();
                    request
                        .arg("PEXPIRETIME")
                        .arg(&text)
                        .write_packed_command(out);
                },
                |_, answer| {
                    found.push(lasts(&answer)?);
                    Ok(())
                },
            )?;
            Ok(found)
        })
    }

    fn get(&self, keys: &[Key], within: Within<'_>) -> Outcome<Vec<Option<Found>>> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let known = self.hashes.lock();
        let hash = |key: &Key| known.get(&key.base).copied().unwrap_or_default();
        let wanted: Vec<(&Key, bool)> = keys.iter().map(|key| (key, hash(key))).collect();
        drop(known);
        let mut found = self.run(within, |link| self.read(link, &wanted, within))?;
        // Those of the other kind: which collections have values is learned so.
        let mut other: Vec<(usize, (&Key, bool))> = Vec::new();
        for (n, (key, hash)) in wanted.iter().enumerate() {
            if matches!(found.get(n), Some(None)) {
                other.push((n, (key, !hash)));
            }
        }
        if !other.is_empty() {
            let mut known = self.hashes.lock();
            for (_, (key, hash)) in &other {
                known.insert(key.base.clone(), *hash);
            }
            drop(known);
            let again: Vec<(&Key, bool)> = other.iter().map(|(_, wanted)| *wanted).collect();
            let second = self.run(within, |link| self.read(link, &again, within))?;
            for ((n, _), entry) in other.iter().zip(second) {
                if let Some(place) = found.get_mut(*n) {
                    *place = entry;
                }
            }
        }
        Ok(found.into_iter().map(Option::flatten).collect())
    }

    fn count(&self, base: &Base, within: Within<'_>) -> Outcome<u64> {
        Ok(self.walk(base, within)?.len() as u64)
    }

    fn remove(&self, base: &Base, within: Within<'_>) -> Outcome<u64> {
        let hashes: Vec<[u8; 16]> = self.walk(base, within)?.into_iter().collect();
        let mut removed = 0;
        self.run(within, |link| {
            link.each(
                hashes.len(),
                within,
                |n, out| {
                    let Some(hash) = hashes.get(n) else { return };
                    let key = Key {
                        base: base.clone(),
                        hash: *hash,
                    };
                    let mut text = Vec::new();
                    key.write(&mut text);
                    ::redis::cmd("UNLINK").arg(&text).write_packed_command(out);
                },
                |_, answer| match answer {
                    Value::Int(n) => {
                        removed += n.unsigned_abs();
                        Ok(())
                    }
                    Value::ServerError(error) => Err(Failure::server(&error)),
                    other => Err(strange(&other)),
                },
            )
        })?;
        self.ask(::redis::cmd("HDEL").arg(BOOK).arg(base.as_str()), within)?;
        self.hashes.lock().remove(base);
        Ok(removed)
    }

    fn now(&self, _: Within<'_>) -> i64 {
        real_now()
    }

    fn incarnation(&self, within: Within<'_>) -> Outcome<SmolStr> {
        self.ask(&::redis::cmd("PING"), within)?;
        Ok(self.process.lock().clone())
    }

    fn reach(&self, within: Within<'_>) -> Outcome<()> {
        self.ask(&::redis::cmd("PING"), within).map(drop)
    }
}

/// The clock that servers have.
fn real_now() -> i64 {
    chrono::Utc::now().timestamp_millis()
}

/// Until when a key lasts, by the answer to `PEXPIRETIME`.
fn lasts(answer: &Value) -> Result<Option<i64>, Failure> {
    match answer {
        Value::Int(-2) => Ok(None),
        Value::Int(-1) => Ok(Some(i64::MAX)),
        Value::Int(until) => Ok(Some(*until)),
        Value::ServerError(error) => Err(Failure::server(error)),
        other => Err(strange(other)),
    }
}

/// An entry as the answer to `GET` or `HGETALL` tells it.
fn read_entry(value: Value, until: Option<i64>) -> Result<Option<Found>, Failure> {
    let bad = |what: &dyn std::fmt::Display| {
        Failure::Fault(unreadable(&format!("an entry is no entry: {what}")))
    };
    // It may have gone between the two requests.
    let Some(until) = until else { return Ok(None) };
    let expires = (until != i64::MAX).then_some(until);
    let found = match value {
        Value::Nil => None,
        Value::BulkString(text) => {
            let date = str::from_utf8(&text)
                .ok()
                .and_then(|text| text.parse().ok());
            Some(Found {
                date: date.ok_or_else(|| bad(&"its text is no date in milliseconds"))?,
                expires,
                fields: None,
            })
        }
        value => {
            let pairs: Vec<(String, Vec<u8>)> = from_redis_value(value).map_err(|e| bad(&e))?;
            let mut date = None;
            let mut fields = Vec::with_capacity(pairs.len());
            let none = pairs.is_empty();
            for (name, text) in pairs {
                let text = String::from_utf8_lossy(&text);
                if name == EVENTDATE {
                    date = text.parse().ok();
                } else {
                    fields.push((SmolStr::new(name), SmolStr::new(text)));
                }
            }
            match (none, date) {
                (true, _) => None,
                (_, Some(date)) => Some(Found {
                    date,
                    expires,
                    fields: Some(fields),
                }),
                _ => return Err(bad(&"it has no eventdate in milliseconds")),
            }
        }
    };
    Ok(found)
}

fn strange(answer: &Value) -> Failure {
    Failure::Refused(format!(
        "it gives an answer that nobody expects: {answer:?}"
    ))
}

fn unreadable(why: &str) -> Fault {
    Diagnostic::new(Code::DamagedValue, format!("Redis: {why}"))
}
