//! Bytes that arrive in pieces, cut into whole lines of which it is known where they stand.

use memchr::{memchr, memrchr};

/// Of a line that is too long so many bytes are kept.
const START: usize = 1000;

/// What has become whole.
#[derive(Debug, PartialEq, Eq)]
pub enum Whole {
    /// Lines that begin at this place; the last one may have no line end when nothing follows it.
    Lines(u64, Vec<u8>),
    /// A line that is too long to be held.
    TooLong {
        /// Where it begins.
        at: u64,
        /// Where the next one begins.
        end: u64,
        /// Its first bytes.
        start: Vec<u8>,
    },
}

/// Cuts what arrives into lines; the unfinished last one waits.
#[derive(Debug)]
pub struct Growing {
    longest: usize,
    /// The unfinished line, and where it begins.
    carry: Vec<u8>,
    at: u64,
    /// Up to where bytes were taken.
    end: u64,
    /// Whether the unfinished line is too long, and but its start thrown away.
    skips: bool,
}

impl Growing {
    /// Lines from the place `at` on, of at most `longest` bytes.
    pub fn new(longest: usize, at: u64) -> Growing {
        Growing {
            longest,
            carry: Vec::new(),
            at,
            end: at,
            skips: false,
        }
    }

    /// Where the unfinished line begins.
    pub fn at(&self) -> u64 {
        self.at
    }

    /// Up to where bytes were taken.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// Takes what comes next. `give` gets what is whole and says whether to go on; so does the answer.
    pub fn take(&mut self, mut bytes: &[u8], give: &mut impl FnMut(Whole) -> bool) -> bool {
        self.end += bytes.len() as u64;
        if self.skips {
            let Some(end) = memchr(b'\n', bytes) else {
                return true;
            };
            bytes = bytes.get(end + 1..).unwrap_or_default();
            if !self.too_long(self.end - bytes.len() as u64, give) {
                return false;
            }
        }
        let new = self.carry.len();
        self.carry.extend_from_slice(bytes);
        if let Some(end) = memrchr(b'\n', bytes) {
            let rest = self.carry.split_off(new + end + 1);
            let lines = std::mem::replace(&mut self.carry, rest);
            if !self.lines(lines, give) {
                return false;
            }
        }
        if self.carry.len() > self.longest {
            self.carry.truncate(START);
            self.skips = true;
        }
        true
    }

    /// Gives whole lines, those that are too long by themselves.
    fn lines(&mut self, lines: Vec<u8>, give: &mut impl FnMut(Whole) -> bool) -> bool {
        let at = self.at;
        if lines.len() <= self.longest {
            self.at += lines.len() as u64;
            return give(Whole::Lines(at, lines));
        }
        let (mut good, mut from) = (Vec::new(), at);
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            let begin = self.at;
            self.at += line.len() as u64;
            if line.len() <= self.longest {
                good.extend_from_slice(line);
                continue;
            }
            if !good.is_empty() && !give(Whole::Lines(from, std::mem::take(&mut good))) {
                return false;
            }
            from = self.at;
            let start = line.get(..START.min(line.len())).unwrap_or_default();
            let long = Whole::TooLong {
                at: begin,
                end: self.at,
                start: start.to_vec(),
            };
            if !give(long) {
                return false;
            }
        }
        good.is_empty() || give(Whole::Lines(from, good))
    }

    fn too_long(&mut self, end: u64, give: &mut impl FnMut(Whole) -> bool) -> bool {
        let (at, start) = (self.at, std::mem::take(&mut self.carry));
        self.skips = false;
        self.at = end;
        give(Whole::TooLong { at, end, start })
    }

    /// What stands behind the last line end is a line when nothing can follow it.
    pub fn last(&mut self, give: &mut impl FnMut(Whole) -> bool) -> bool {
        if self.skips {
            return self.too_long(self.end, give);
        }
        let (at, line) = (self.at, std::mem::take(&mut self.carry));
        self.at = self.end;
        line.is_empty() || give(Whole::Lines(at, line))
    }

    /// Whether a line waits for its end.
    pub fn waits(&self) -> bool {
        self.at < self.end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes of pieces: places, and lines or the lengths of those that are too long.
    fn cut(longest: usize, pieces: &[&str], last: bool) -> (Vec<(u64, String)>, u64) {
        let mut growing = Growing::new(longest, 0);
        let mut found = Vec::new();
        let mut give = |whole: Whole| {
            found.push(match whole {
                Whole::Lines(at, bytes) => (at, String::from_utf8(bytes).unwrap()),
                Whole::TooLong { at, end, .. } => (at, format!("{} too many", end - at)),
            });
            true
        };
        for piece in pieces {
            assert!(growing.take(piece.as_bytes(), &mut give));
        }
        if last {
            assert!(growing.last(&mut give));
        }
        (found, growing.at())
    }

    #[test]
    fn lines_are_cut_wherever_pieces_end() {
        let text = "one\ntwo\n\nthree";
        for end in 0..text.len() {
            let (found, at) = cut(100, &[&text[..end], &text[end..]], true);
            let whole: String = found.iter().map(|(_, lines)| lines.as_str()).collect();
            assert_eq!((whole.as_str(), at), (text, 14), "{end}");
        }
        assert_eq!(
            cut(100, &["one\ntw"], false),
            (vec![(0, "one\n".into())], 4)
        );
    }

    #[test]
    fn lines_that_are_too_long_lose_nothing_behind_them() {
        let (long, mut expected) = ("x".repeat(20), vec![(0, "a\n".to_owned())]);
        expected.push((2, "21 too many".to_owned()));
        expected.push((23, "b\n".to_owned()));
        let text = format!("a\n{long}\nb\n");
        for end in 1..text.len() {
            let (found, at) = cut(10, &[&text[..end], &text[end..]], false);
            assert_eq!((found, at), (expected.clone(), 25), "{end}");
        }
        let (found, at) = cut(10, &[&long, &long], true);
        assert_eq!((found, at), (vec![(0, "40 too many".to_owned())], 40));
        assert_eq!(cut(10, &[&long, &long], false), (vec![], 0));
    }
}
