//! What is in a store, and how large it is.

use std::collections::BTreeMap;

/// The size and the age of a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableStatus {
    /// Its name.
    pub table_name: String,
    /// About how many rows it has; -1 when the database has not looked yet.
    pub row_estimate: i64,
    /// All bytes.
    pub total_bytes: u64,
    /// The bytes of its indexes.
    pub index_bytes: u64,
    /// The bytes of values that are kept outside of their rows.
    pub toast_bytes: u64,
    /// The bytes of the rows: what is left of all.
    pub table_bytes: u64,
    /// The earliest time, in microseconds.
    pub dt_oldest: Option<i64>,
    /// The latest time.
    pub dt_newest: Option<i64>,
}

/// The status of all tables.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Status {
    /// The tables by name.
    pub tables: BTreeMap<String, TableStatus>,
    /// The settings of the database by name; empty when they were not asked for.
    pub settings: BTreeMap<String, String>,
}

/// A number of bytes as PostgreSQL's `pg_size_pretty` writes it: `8192 bytes`, `288 kB`.
pub fn pretty_size(bytes: u64) -> String {
    // A unit is used up to 10239 of it, and the rest is rounded.
    if bytes < 10 * 1024 {
        return format!("{bytes} bytes");
    }
    let mut half = bytes >> 9;
    let mut left = ["kB", "MB", "GB", "TB"].into_iter();
    let mut unit = left.next().unwrap_or_default();
    for larger in left {
        if half < 20 * 1024 - 1 {
            break;
        }
        half >>= 10;
        unit = larger;
    }
    format!("{} {unit}", half.div_ceil(2))
}
