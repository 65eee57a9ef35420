//! Java 17's `java.util.regex` dialect on two engines: the linear `regex` crate for every pattern
//! it can express, and a step-counted backtracking engine for look-around, back-references,
//! atomic groups and possessive quantifiers. Too many steps are an error, never "no match".
//!
//! Known differences from Java 17: `\X`, `\b{g}`, `\N{name}`, `\p{javaMirrored}` and `(?c)` are
//! refused as unsupported; Unicode tables are those of `regex-syntax` (newer than Java's 13.0);
//! an empty match never falls within a surrogate pair; groups that Java leaves unset or stale in
//! optional rounds without text, or in rounds it gave back, are set as if the round counted; some
//! look-behinds with several unbounded lengths, on which Java's sum overflows, are judged
//! otherwise; `[a&&]` followed by more, where Java fails while matching, intersects nothing.

mod ast;
mod backtrack;
mod blocks;
mod cache;
mod class;
mod linear;
mod parse;
mod program;
mod props;
mod replace;
mod scan;
mod words;

use std::fmt;
use std::sync::OnceLock;

use ast::{Facts, Node};
use backtrack::Run;
use linear::Search;
use program::Program;

pub use cache::cached;

/// Steps of the backtracking engine granted for each backtrack of the limit.
const STEPS_PER_BACKTRACK: u64 = 5;

/// Positions of a pattern times bytes of text up to which the linear engine is quick at worst;
/// beyond, steps are counted.
const LINEAR_WORK: u64 = 10_000_000;
/// Patterns with fewer positions always go to the linear engine.
const FEW_POSITIONS: u64 = 64;
/// Patterns with more positions never do: building it would take too long.
const MANY_POSITIONS: u64 = 10_000;
/// Nor do patterns nested deeper: the builder needs much stack for each level.
const LINEAR_NESTING: usize = 64;

/// Bounds on what a pattern may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RegexLimits {
    /// Length of the pattern in bytes.
    pub max_pattern_bytes: usize,
    /// Size of one form compiled for the linear engine in bytes; bigger patterns are left to the
    /// backtracking engine. The Unicode classes of a pattern must fit in here as well.
    pub max_program_bytes: usize,
    /// Work of the backtracking engine in one call.
    pub backtrack_limit: usize,
}

impl Default for RegexLimits {
    fn default() -> Self {
        RegexLimits {
            max_pattern_bytes: 4 << 10,
            max_program_bytes: 1 << 20,
            backtrack_limit: 1_000_000,
        }
    }
}

/// Why a pattern or a call was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegexErrorKind {
    /// The pattern or the replacement is not valid.
    Syntax,
    /// The pattern, its compiled form or the output is too big.
    TooBig,
    /// Matching took more work than the limit allows.
    TooManySteps,
    /// Valid in Java, not available here.
    Unsupported,
}

/// An error with its place in the pattern, where one is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegexError {
    /// What went wrong.
    pub kind: RegexErrorKind,
    /// In words, without the place.
    pub message: String,
    /// Byte offset in the pattern.
    pub offset: Option<usize>,
}

impl fmt::Display for RegexError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.offset {
            Some(offset) => write!(f, "{} at offset {offset}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for RegexError {}

/// Where the groups of a match are, as byte ranges; group 0 is the whole match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Groups {
    spans: Vec<Option<(usize, usize)>>,
}

impl Groups {
    /// Number of capturing groups, without group 0.
    pub fn count(&self) -> usize {
        self.spans.len().saturating_sub(1)
    }

    /// Start and end of a group; `None` if it took no part or does not exist.
    pub fn get(&self, group: usize) -> Option<(usize, usize)> {
        self.spans.get(group).copied().flatten()
    }

    /// The text of a group in the text that was matched.
    pub fn text<'t>(&self, group: usize, text: &'t str) -> Option<&'t str> {
        self.get(group).and_then(|(a, b)| text.get(a..b))
    }
}

/// A compiled pattern; share it freely between threads.
#[derive(Debug)]
pub struct JavaRegex {
    node: Node,
    facts: Facts,
    limits: RegexLimits,
    group_count: u32,
    names: Vec<(String, u32)>,
    /// Threads the linear engine may have to follow.
    positions: u64,
    /// Whether the linear engine may be tried at all.
    linear: bool,
    /// Set for patterns of plain characters, which need no engine.
    literal: Option<String>,
    /// `None` if only the backtracking engine can match the pattern.
    whole: Option<regex::Regex>,
    whole_groups: OnceLock<Option<regex::Regex>>,
    search: OnceLock<Option<Search>>,
    program: OnceLock<Program>,
}

impl JavaRegex {
    /// Compiles a pattern, or says why Java or the limits refuse it.
    pub fn compile(pattern: &str, limits: &RegexLimits) -> Result<JavaRegex, RegexError> {
        if pattern.len() > limits.max_pattern_bytes {
            let allowed = limits.max_pattern_bytes;
            return Err(ast::too_big(format!(
                "the pattern has {} bytes, {allowed} are allowed",
                pattern.len()
            )));
        }
        let parsed = parse::parse(pattern, limits.max_program_bytes)?;
        let literal = parsed.node.literal();
        let positions = parsed.node.positions();
        let linear = positions <= MANY_POSITIONS && parsed.depth <= LINEAR_NESTING;
        let whole = match literal {
            None if linear => linear::whole(&parsed.node, false, limits.max_program_bytes),
            _ => None,
        };
        Ok(JavaRegex {
            facts: parsed.node.facts(),
            positions,
            linear,
            node: parsed.node,
            limits: *limits,
            group_count: parsed.group_count,
            names: parsed.names,
            literal,
            whole,
            whole_groups: OnceLock::new(),
            search: OnceLock::new(),
            program: OnceLock::new(),
        })
    }

    /// Number of capturing groups.
    pub fn group_count(&self) -> usize {
        self.group_count as usize
    }

    /// Whether the pattern matches the whole text (Java's `matches()`).
    pub fn is_full_match(&self, text: &str) -> Result<bool, RegexError> {
        if let Some(literal) = &self.literal {
            return Ok(literal == text);
        }
        match &self.whole {
            Some(regex) if self.linear_fits(text) => Ok(regex.is_match(text)),
            _ => Ok(self.backtrack(text)?.is_some()),
        }
    }

    /// The groups of a match of the whole text.
    pub fn full_match_groups(&self, text: &str) -> Result<Option<Groups>, RegexError> {
        let linear = self.whole.is_some() && self.linear_fits(text);
        if self.literal.is_some() || (linear && (self.group_count == 0 || self.facts.empty_loop)) {
            if !self.is_full_match(text)? {
                return Ok(None);
            }
            if self.group_count == 0 {
                let spans = vec![Some((0, text.len()))];
                return Ok(Some(Groups { spans }));
            }
        } else if linear && let Some(regex) = self.whole_groups() {
            let mut found = regex.capture_locations();
            if regex.captures_read(&mut found, text).is_none() {
                return Ok(None);
            }
            let spans = (0..found.len()).map(|i| found.get(i)).collect();
            return Ok(Some(Groups { spans }));
        }
        self.backtrack(text)
    }

    /// Whether the pattern matches somewhere in the text (Java's `find()`).
    pub fn find(&self, text: &str) -> Result<bool, RegexError> {
        if let Some(literal) = &self.literal {
            return Ok(text.contains(literal.as_str()));
        }
        match self.linear_search(text) {
            Some(search) if !search.shifted => Ok(search.regex.is_match(text)),
            _ => {
                let mut finder = replace::Finder::new(self, text);
                Ok(finder.next(0, 0)?.is_some())
            }
        }
    }

    /// The groups of the first match in the text (Java's `find()`).
    pub fn find_groups(&self, text: &str) -> Result<Option<Groups>, RegexError> {
        let mut finder = replace::Finder::new(self, text);
        let Some(whole) = finder.next(0, 0)? else {
            return Ok(None);
        };
        let groups = (1..=self.group_count()).map(|group| finder.span(group));
        let spans = std::iter::once(Some(whole)).chain(groups).collect();
        Ok(Some(Groups { spans }))
    }

    /// The number of a named group.
    pub fn group_number(&self, name: &str) -> Option<usize> {
        let found = self.names.iter().find(|(known, _)| known == name);
        found.map(|(_, number)| *number as usize)
    }

    /// Replaces every match; the replacement has Java's `$1`, `${name}` and `\` escapes.
    pub fn replace_all(
        &self,
        text: &str,
        replacement: &str,
        max_len: usize,
    ) -> Result<String, RegexError> {
        replace::replace_all(self, text, replacement, max_len)
    }

    /// Whether the linear engine is quick enough and sees the word boundaries of Java.
    fn linear_fits(&self, text: &str) -> bool {
        (self.positions <= FEW_POSITIONS
            || self.positions.saturating_mul(text.len() as u64) <= LINEAR_WORK)
            && (!self.facts.word_boundary || words::undisputed(text))
    }

    fn whole_groups(&self) -> Option<&regex::Regex> {
        let max_bytes = self.limits.max_program_bytes;
        self.whole_groups
            .get_or_init(|| linear::whole(&self.node, true, max_bytes))
            .as_ref()
    }

    fn linear_search(&self, text: &str) -> Option<&Search> {
        if self.facts.empty_loop || !self.linear || !self.linear_fits(text) {
            return None;
        }
        let max_bytes = self.limits.max_program_bytes;
        self.search
            .get_or_init(|| linear::search(&self.node, max_bytes))
            .as_ref()
    }

    fn program(&self) -> &Program {
        self.program
            .get_or_init(|| program::compile(&self.node, self.group_count))
    }

    fn steps(&self) -> u64 {
        (self.limits.backtrack_limit as u64).saturating_mul(STEPS_PER_BACKTRACK)
    }

    fn backtrack(&self, text: &str) -> Result<Option<Groups>, RegexError> {
        let mut run = Run::new(self.program(), text, true, self.steps());
        let found = run.find(0, 0)?;
        Ok(found.map(|_| Groups { spans: run.spans() }))
    }
}
