//! What Stellar took from the Java platform: the text and parsing of numbers, date patterns, format strings,
//! regular expressions. Modules without knowledge of values.

pub mod date_format;
pub mod day;
pub mod formatter;
pub mod numbers;
pub mod random;
pub mod regex;
