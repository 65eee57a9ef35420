//! What one expression may use up. One struct for every front end.

use std::time::Duration;

/// Upper bounds of one evaluation and of the texts and values it makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one expression.
    pub expression: usize,
    /// Levels of nesting of expressions and of values.
    pub depth: usize,
    /// Bytes of any one string that an expression makes.
    pub string: usize,
    /// Elements of any one collection that an expression makes.
    pub collection: usize,
    /// Calls of functions and lambdas in one evaluation.
    pub steps: u64,
    /// Time of one evaluation; zero means no limit.
    pub time: Duration,
    /// Bytes of one line of input.
    pub line: usize,
    /// Bytes of a regular expression.
    pub regex: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            expression: 64 << 10,
            depth: 256,
            string: 16 << 20,
            collection: 1_000_000,
            steps: 100_000_000,
            time: Duration::from_secs(60),
            line: 16 << 20,
            regex: 4 << 10,
        }
    }
}
