//! The names that an expression asks for, as a tree of keys.

use super::scan::window;

/// "None" where an index is expected: smaller than an `Option`.
pub(super) const NONE: u32 = u32::MAX;

/// No event nests deeper, so that more steps lead nowhere.
const MOST_STEPS: usize = super::scan::EVENT_DEPTH;

/// A key that matters in an object.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// The key's first eight bytes, or all of them and zeros.
    head: u64,
    key: Box<[u8]>,
    /// The next entry of the same slot.
    next: u32,
    /// The leaf that this key's value is, if any.
    pub(super) leaf: u32,
    /// The node that this key's value is, if it is an object, or none.
    pub(super) child: u32,
}

/// An object in which some keys matter.
#[derive(Debug, Clone, Default)]
pub(super) struct Node {
    entries: Vec<Entry>,
    /// The first entry for each hash.
    slots: Vec<u32>,
    /// From a 64-bit hash to a slot.
    shift: u32,
    /// The leaves inside, at any depth.
    pub(super) inside: Vec<u32>,
}

/// Names compiled into nodes; the first node is the event.
#[derive(Debug, Clone)]
pub(super) struct Names {
    pub(super) nodes: Vec<Node>,
    /// For each name the leaves that may be its value, the first found wins.
    pub(super) leaves_of: Vec<Vec<u32>>,
    pub(super) leaf_count: usize,
}

/// What the first `len` bytes of a word of eight leave of it.
const HEADS: [u64; 8] = [
    0,
    0xFF,
    0xFFFF,
    0xFF_FFFF,
    0xFFFF_FFFF,
    0xFF_FFFF_FFFF,
    0xFFFF_FFFF_FFFF,
    0xFF_FFFF_FFFF_FFFF,
];

/// The first eight bytes of the key at `start`; zeros for those that it does not have.
#[inline(always)]
fn head(text: &[u8], start: usize, len: usize) -> u64 {
    let word = match window::<8>(text, start) {
        Some(bytes) => u64::from_le_bytes(*bytes),
        None => short_word(text, start),
    };
    word & HEADS.get(len).copied().unwrap_or(u64::MAX)
}

#[cold]
fn short_word(text: &[u8], start: usize) -> u64 {
    let bytes = text.get(start..).unwrap_or_default();
    bytes
        .iter()
        .take(8)
        .rev()
        .fold(0, |word, &byte| word << 8 | u64::from(byte))
}

#[inline(always)]
fn slot(head: u64, len: usize, shift: u32) -> usize {
    ((head ^ len as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> shift) as usize
}

impl Node {
    /// The entry for the key between two places of the text.
    #[inline(always)]
    pub(super) fn find(&self, text: &[u8], start: usize, end: usize) -> Option<&Entry> {
        let len = end - start;
        let head = head(text, start, len);
        let mut index = *self.slots.get(slot(head, len, self.shift))?;
        while let Some(entry) = self.entries.get(index as usize) {
            if entry.head == head
                && entry.key.len() == len
                && (len <= 8 || text.get(start..end) == Some(&*entry.key))
            {
                return Some(entry);
            }
            index = entry.next;
        }
        None
    }

    /// The entry for a key while the tree grows; it is made if need be.
    fn entry(&mut self, key: &str) -> Option<&mut Entry> {
        let key = key.as_bytes();
        let index = match self.entries.iter().position(|entry| *entry.key == *key) {
            Some(index) => index,
            None => {
                let head = head(key, 0, key.len());
                self.entries.push(Entry {
                    head,
                    key: key.into(),
                    next: NONE,
                    leaf: NONE,
                    child: NONE,
                });
                self.entries.len() - 1
            }
        };
        self.entries.get_mut(index)
    }

    /// Lays the finished entries out in slots, at least four for each.
    fn lay_out(&mut self) {
        let slots = (self.entries.len() * 4).next_power_of_two().max(16);
        self.shift = 64 - slots.trailing_zeros();
        self.slots = vec![NONE; slots];
        for (index, entry) in (0u32..).zip(&mut self.entries) {
            if let Some(first) = self
                .slots
                .get_mut(slot(entry.head, entry.key.len(), self.shift))
            {
                entry.next = *first;
                *first = index;
            }
        }
    }
}

impl Names {
    pub(super) fn new(names: &[&str]) -> Self {
        let mut compiled = Self {
            nodes: vec![Node::default()],
            leaves_of: Vec::new(),
            leaf_count: 0,
        };
        for name in names {
            let leaves = compiled.add(name);
            compiled.leaves_of.push(leaves);
        }
        compiled.nodes.iter_mut().for_each(Node::lay_out);
        compiled
    }

    /// Adds a name: in each object along its dots the whole rest of it is a leaf.
    fn add(&mut self, name: &str) -> Vec<u32> {
        let mut leaves = Vec::new();
        let mut path = vec![0usize];
        let mut rest = name;
        while let Some(&node) = path.last() {
            leaves.extend(self.leaf(&path, node, rest));
            let Some((key, after)) = rest.split_once('.') else {
                break;
            };
            let Some(child) = self.child(node, key).filter(|_| path.len() < MOST_STEPS) else {
                break;
            };
            path.push(child);
            rest = after;
        }
        leaves
    }

    /// The leaf for a key of a node; every node on the way to it but the event gets to know a new one.
    fn leaf(&mut self, path: &[usize], node: usize, key: &str) -> Option<u32> {
        let entry = self.nodes.get_mut(node)?.entry(key)?;
        if entry.leaf == NONE {
            let leaf = u32::try_from(self.leaf_count).ok()?;
            entry.leaf = leaf;
            self.leaf_count += 1;
            for &above in path.iter().skip(1) {
                if let Some(above) = self.nodes.get_mut(above) {
                    above.inside.push(leaf);
                }
            }
            return Some(leaf);
        }
        Some(entry.leaf)
    }

    /// The node of the object under a key.
    fn child(&mut self, node: usize, key: &str) -> Option<usize> {
        let new = u32::try_from(self.nodes.len()).ok()?;
        let entry = self.nodes.get_mut(node)?.entry(key)?;
        if entry.child == NONE {
            entry.child = new;
            self.nodes.push(Node::default());
            return Some(new as usize);
        }
        Some(entry.child as usize)
    }
}
