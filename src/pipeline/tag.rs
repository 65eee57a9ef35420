//! What actions match on: patterns of tags.

use std::iter::once;

/// A pattern of file names as shells know it: `*` is any text, `?` any character, `[a-z]` one of some, `[!a-z]` none
/// of them. It matches whole tags, with case; an open `[` stands for itself.
#[derive(Debug, Clone)]
pub struct Pattern {
    parts: Vec<Part>,
    /// What the pattern is when it has no wildcard.
    literal: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
enum Part {
    Char(char),
    One,
    Any,
    Class(bool, Vec<(char, char)>),
}

impl Pattern {
    /// Compiles a pattern; every text is one.
    pub fn new(text: &str) -> Pattern {
        let chars: Vec<char> = text.chars().collect();
        let mut parts = Vec::new();
        let mut at = 0;
        while let Some(&c) = chars.get(at) {
            at += 1;
            let part = match c {
                '*' if parts.last() == Some(&Part::Any) => continue,
                '*' => Part::Any,
                '?' => Part::One,
                '[' => match class(chars.get(at..).unwrap_or_default()) {
                    Some((part, length)) => {
                        at += length;
                        part
                    }
                    None => Part::Char('['),
                },
                c => Part::Char(c),
            };
            parts.push(part);
        }
        let plain = parts.iter().all(|part| matches!(part, Part::Char(_)));
        Pattern {
            parts,
            literal: plain.then(|| text.to_owned()),
        }
    }

    /// Whether a tag is meant.
    pub fn matches(&self, tag: &str) -> bool {
        if let Some(literal) = &self.literal {
            return literal == tag;
        }
        if self.parts == [Part::Any] {
            return true;
        }
        self.walk(tag)
    }

    /// Goes along the tag; at a mismatch the last `*` takes one character more, so time is at most their product.
    fn walk(&self, tag: &str) -> bool {
        let mut at = 0;
        let mut rest = tag.chars();
        let mut star = None;
        loop {
            match self.parts.get(at) {
                Some(Part::Any) => {
                    at += 1;
                    star = Some((at, rest.clone()));
                    continue;
                }
                None if rest.as_str().is_empty() => return true,
                Some(part) if rest.next().is_some_and(|c| part.takes(c)) => {
                    at += 1;
                    continue;
                }
                _ => {}
            }
            let Some((behind, from)) = &mut star else {
                return false;
            };
            if from.next().is_none() {
                return false;
            }
            at = *behind;
            rest = from.clone();
        }
    }
}

impl Part {
    fn takes(&self, c: char) -> bool {
        match self {
            Part::Char(own) => *own == c,
            Part::One | Part::Any => true,
            Part::Class(wanted, ranges) => {
                ranges.iter().any(|(low, high)| (*low..=*high).contains(&c)) == *wanted
            }
        }
    }
}

/// The class whose inside begins here, and how long it is with its `]`.
fn class(chars: &[char]) -> Option<(Part, usize)> {
    let negated = chars.first() == Some(&'!');
    let start = usize::from(negated);
    // A `]` right at the start is a member.
    let close = chars
        .iter()
        .skip(start + 1)
        .position(|c| *c == ']')
        .map(|place| place + start + 1)?;
    let inside = chars.get(start..close)?;
    let mut ranges = Vec::new();
    let mut at = 0;
    while let Some(&low) = inside.get(at) {
        match (inside.get(at + 1), inside.get(at + 2)) {
            (Some('-'), Some(&high)) => {
                ranges.extend(once((low, high)).filter(|(low, high)| low <= high));
                at += 3;
            }
            _ => {
                ranges.push((low, low));
                at += 1;
            }
        }
    }
    Some((Part::Class(!negated, ranges), close + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_as_python_does() {
        for (pattern, tag, expected) in [
            ("*", "", true),
            ("*", "a.b\nc", true),
            ("my_log", "my_log", true),
            ("my_log", "My_log", false),
            ("t.*", "t.merge", true),
            ("t.*", "t", false),
            ("*.log", "a.b.log", true),
            ("*a*b*c", "xxaxxbxxbcc", true),
            ("*a*b*c", "xxaxxbxxb", false),
            ("?", "é", true),
            ("?", "", false),
            ("[ab]x", "bx", true),
            ("[!ab]x", "bx", false),
            ("[!ab]x", "cx", true),
            ("[a-c]", "b", true),
            ("[c-a]", "b", false),
            ("[]]", "]", true),
            ("[!]]", "]", false),
            ("[a", "[a", true),
            ("[", "[", true),
            ("[a-]", "-", true),
            ("a**b", "ab", true),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(
                Pattern::new(pattern).matches(tag),
                expected,
                "{pattern} on {tag}"
            );
        }
    }

    #[test]
    fn hostile_patterns_end() {
        let pattern = Pattern::new(&"*a".repeat(50));
        assert!(!pattern.matches(&format!("{}b", "a".repeat(20_000))));
    }
}
