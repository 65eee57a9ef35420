//! The places of followed files, as far as the outputs have taken what stands before them.

use crate::input::{Id, Place};
use crate::pipeline::step::Token;
use parking_lot::Mutex;
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

type Key = (Id, u64);

/// Under what a place is kept: of files that are gone, several may have had one inode.
fn key(place: &Place) -> Key {
    let own = place.head.hash ^ place.foot.hash.rotate_left(1) ^ place.at;
    (place.id, if place.gone { own.max(1) } else { 0 })
}

/// What became of a place.
enum Change {
    At(Place),
    /// The file is gone.
    Went(Place),
    Forgotten(Key),
}

/// The places of all files as the outputs have taken them, and what was fed since.
#[derive(Default)]
pub struct Places {
    taken: BTreeMap<Key, Place>,
    fed: VecDeque<(u64, Change)>,
    number: u64,
}

impl Places {
    /// Notes a place that counts when what is fed with the answer has been taken.
    pub fn fed(shared: &Arc<Mutex<Places>>, place: Place) -> Arc<dyn Token> {
        Places::change(shared, Change::At(place))
    }

    /// Notes that a file is not there any more.
    pub fn went(shared: &Arc<Mutex<Places>>, place: Place) -> Arc<dyn Token> {
        Places::change(shared, Change::Went(place))
    }

    /// Notes that a file that is gone is forgotten.
    pub fn forget(shared: &Arc<Mutex<Places>>, place: &Place) {
        let _ = Places::change(shared, Change::Forgotten(key(place)));
    }

    fn change(shared: &Arc<Mutex<Places>>, change: Change) -> Arc<dyn Token> {
        let mut places = shared.lock();
        places.number += 1;
        let number = places.number;
        places.fed.push_back((number, change));
        Arc::new(Fed {
            number,
            places: shared.clone(),
        })
    }

    fn take(&mut self, number: u64) {
        while self.fed.front().is_some_and(|(own, _)| *own <= number) {
            match self.fed.pop_front() {
                Some((_, Change::At(place))) => {
                    self.taken.insert(key(&place), place);
                }
                Some((_, Change::Went(place))) => {
                    // Another one may have its inode by now.
                    let own = (place.id, 0);
                    if self
                        .taken
                        .get(&own)
                        .is_some_and(|known| known.head == place.head || known.at == 0)
                    {
                        self.taken.remove(&own);
                    }
                    self.taken.insert(key(&place), place);
                }
                Some((_, Change::Forgotten(key))) => {
                    self.taken.remove(&key);
                }
                None => {}
            }
        }
    }

    /// What a state says. Errors: why it is none.
    pub fn load(&mut self, state: &Json) -> Result<Vec<Place>, String> {
        let files = state.get("files").and_then(Json::as_array);
        let files = files.ok_or("it has no places of files")?;
        let read = |json: &Json| Place::read(json).ok_or("the place of a file is odd".to_owned());
        let places = files.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        self.taken = places
            .iter()
            .map(|place| (key(place), place.clone()))
            .collect();
        Ok(places)
    }
}

struct Fed {
    number: u64,
    places: Arc<Mutex<Places>>,
}

impl Token for Fed {
    fn position(&self) -> Option<Json> {
        let mut places = self.places.lock();
        places.take(self.number);
        let files: Vec<Json> = places.taken.values().map(Place::json).collect();
        Some(json!({"files": files}))
    }

    fn acknowledge(&self) {
        // Where nothing is saved, nobody asked for the position.
        self.places.lock().take(self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn places_count_when_they_were_taken() {
        let shared = Arc::new(Mutex::new(Places::default()));
        let at = |at| Place {
            at,
            ..Place::start(Path::new("x"), (1, 2))
        };
        let first = Places::fed(&shared, at(5));
        let second = Places::fed(&shared, at(9));
        let saved = first.position().unwrap();
        assert_eq!(saved["files"][0]["at"], 5);
        assert_eq!(second.position().unwrap()["files"][0]["at"], 9);
        // An old token does not turn back.
        assert_eq!(first.position().unwrap()["files"][0]["at"], 9);
        let mut again = Places::default();
        assert_eq!(again.load(&saved).unwrap(), [at(5)]);
        assert!(again.load(&json!({"files": [{"path": 5}]})).is_err());
    }
}
