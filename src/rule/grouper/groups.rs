//! All groups of a grouper: by key, and by when they were fed.

use super::group::Group;
use ahash::AHashMap;
use smol_str::SmolStr;

/// No group.
const NONE: u32 = u32::MAX;

/// A group, as long as it lives: after its end the same place gets another number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GroupId {
    slot: u32,
    generation: u32,
}

#[derive(Debug)]
struct Slot<E> {
    generation: u32,
    /// The group that was fed before this one, and the one that was fed after it.
    before: u32,
    after: u32,
    group: Option<Group<E>>,
}

/// Groups in slots, which a list connects in the order in which they were fed last.
#[derive(Debug)]
pub(super) struct Groups<E> {
    slots: Vec<Slot<E>>,
    free: Vec<u32>,
    by_key: AHashMap<SmolStr, u32>,
    /// Fed longest ago.
    first: u32,
    /// Fed last.
    last: u32,
    /// The generation of the next group.
    next: u32,
}

impl<E> Groups<E> {
    pub fn new() -> Groups<E> {
        Groups {
            slots: Vec::new(),
            free: Vec::new(),
            by_key: AHashMap::new(),
            first: NONE,
            last: NONE,
            next: 0,
        }
    }

    /// Removes all; no identifier of before means a group of after.
    pub fn clear(&mut self) {
        *self = Groups {
            next: self.next,
            ..Groups::new()
        };
    }

    pub fn len(&self) -> usize {
        self.by_key.len()
    }

    pub fn find(&self, key: &str) -> Option<GroupId> {
        self.id(*self.by_key.get(key)?)
    }

    pub fn get(&self, id: GroupId) -> Option<&Group<E>> {
        let slot = self.slots.get(id.slot as usize)?;
        slot.group
            .as_ref()
            .filter(|_| slot.generation == id.generation)
    }

    pub fn get_mut(&mut self, id: GroupId) -> Option<&mut Group<E>> {
        let slot = self.slots.get_mut(id.slot as usize)?;
        slot.group
            .as_mut()
            .filter(|_| slot.generation == id.generation)
    }

    /// The group that was fed longest ago.
    pub fn oldest(&self) -> Option<GroupId> {
        self.id(self.first)
    }

    /// The groups, from the one that was fed longest ago.
    pub fn iter(&self) -> impl Iterator<Item = &Group<E>> {
        let mut at = self.first;
        std::iter::from_fn(move || {
            let slot = self.slots.get(at as usize)?;
            at = slot.after;
            slot.group.as_ref()
        })
    }

    /// Adds a group, which counts as fed last. `None` when there is no number left.
    pub fn add(&mut self, group: Group<E>) -> Option<GroupId> {
        let key = group.key.clone();
        let at = match self.free.pop() {
            Some(at) => at,
            None => {
                let at = u32::try_from(self.slots.len())
                    .ok()
                    .filter(|at| *at != NONE)?;
                self.slots.push(Slot {
                    generation: 0,
                    before: NONE,
                    after: NONE,
                    group: None,
                });
                at
            }
        };
        let slot = self.slots.get_mut(at as usize)?;
        slot.generation = self.next;
        slot.group = Some(group);
        self.next = self.next.wrapping_add(1);
        self.by_key.insert(key, at);
        self.append(at);
        self.id(at)
    }

    /// Makes a group the one that was fed last.
    pub fn touch(&mut self, id: GroupId) {
        if self.last != id.slot && self.get(id).is_some() {
            self.unlink(id.slot);
            self.append(id.slot);
        }
    }

    pub fn remove(&mut self, id: GroupId) -> Option<Group<E>> {
        self.get(id)?;
        self.unlink(id.slot);
        let slot = self.slots.get_mut(id.slot as usize)?;
        let group = slot.group.take()?;
        self.by_key.remove(&group.key);
        self.free.push(id.slot);
        // After a flood of keys the table would stay as large as it ever was.
        if self.by_key.capacity() > 4096 && self.by_key.len() < self.by_key.capacity() / 8 {
            let kept = self.by_key.len() * 2;
            self.by_key.shrink_to(kept);
        }
        Some(group)
    }

    fn id(&self, slot: u32) -> Option<GroupId> {
        let generation = self.slots.get(slot as usize)?.generation;
        Some(GroupId { slot, generation })
    }

    fn append(&mut self, at: u32) {
        let last = self.last;
        if let Some(slot) = self.slots.get_mut(at as usize) {
            slot.before = last;
            slot.after = NONE;
        }
        match self.slots.get_mut(last as usize) {
            Some(before) => before.after = at,
            None => self.first = at,
        }
        self.last = at;
    }

    fn unlink(&mut self, at: u32) {
        let Some(slot) = self.slots.get(at as usize) else {
            return;
        };
        let (before, after) = (slot.before, slot.after);
        match self.slots.get_mut(before as usize) {
            Some(slot) => slot.after = after,
            None => self.first = after,
        }
        match self.slots.get_mut(after as usize) {
            Some(slot) => slot.before = before,
            None => self.last = before,
        }
    }
}
