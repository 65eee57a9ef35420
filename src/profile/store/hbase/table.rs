//! The table: making it, and looking whether it is as it should be.

use super::scan::Scan;
use super::{Hbase, READING};
use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::profile::row_key::salt;
use crate::profile::store::{Place, Within};
use crate::store::proceed;
use hbase_thrift::hbase::{ColumnDescriptor, THbaseSyncClient};
use smol_str::SmolStr;
use std::time::{Duration, Instant};

/// Making a table takes a master several seconds.
const MAKING: Duration = Duration::from_secs(30);

/// How many rows a look at the table reads.
const SAMPLE: usize = 200;

/// What became of a wish for a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    /// It is new.
    New,
    /// It was there already, with its family.
    There,
}

/// How a server and its table are.
#[derive(Debug, Clone)]
pub struct Health {
    /// How long one call takes.
    pub latency: Duration,
    /// Whether the table is there.
    pub table: bool,
    /// The column families of the table.
    pub families: Vec<SmolStr>,
    /// The salt divisor that rows of the table were written with, when it is certainly not the configured one; the
    /// smallest one that fits.
    pub other_divisor: Option<i32>,
}

impl Hbase {
    /// The tables that there are.
    fn tables(&self, within: Within<'_>) -> Outcome<Vec<Vec<u8>>> {
        self.pool
            .call(within, READING, |client| client.get_table_names())
    }

    fn families(&self, table: &str, within: Within<'_>) -> Outcome<Vec<SmolStr>> {
        let found = self.pool.call(within, READING, |client| {
            client.get_column_descriptors(table.as_bytes().to_vec())
        })?;
        let name =
            |name: Vec<u8>| SmolStr::new(String::from_utf8_lossy(&name).trim_end_matches(':'));
        Ok(found.into_keys().map(name).collect())
    }

    /// Makes the table with its family, which keeps one version of each cell and lets none expire.
    /// Errors: E0604, also for a table that is there without the family: Thrift 1 cannot add one.
    pub fn create_table(&self, place: &Place, within: Within<'_>) -> Outcome<Made> {
        let Place { table, family, .. } = place;
        if self
            .tables(within)?
            .iter()
            .any(|name| name == table.as_bytes())
        {
            return match self.families(table, within)?.contains(family) {
                true => Ok(Made::There),
                false => Err(Diagnostic::new(
                    Code::ServerFailed,
                    format!("table {table} is there without the column family {family}"),
                )
                .help(format!(
                    "in the HBase shell, alter '{table}', '{family}' adds it; Thrift 1 cannot"
                ))),
            };
        }
        let column = ColumnDescriptor {
            name: Some(format!("{family}:").into_bytes()),
            max_versions: Some(1),
            compression: Some("NONE".to_string()),
            in_memory: Some(false),
            bloom_filter_type: Some("ROW".to_string()),
            bloom_filter_vector_size: None,
            bloom_filter_nb_hashes: None,
            block_cache_enabled: Some(true),
            time_to_live: Some(i32::MAX),
        };
        let made = self.pool.call(within, MAKING, |client| {
            client.create_table(table.as_bytes().to_vec(), vec![column.clone()])
        });
        match made {
            Ok(()) => Ok(Made::New),
            // Another was faster, or the first try had got through.
            Err(fault) => match self.families(table, within) {
                Ok(families) if families.contains(family) => Ok(Made::There),
                _ => Err(fault),
            },
        }
    }

    /// Looks at the server and at the table. Errors: E0604 and the like when nothing answers.
    pub fn examine(
        &self,
        place: &Place,
        patience: Duration,
        within: Within<'_>,
    ) -> Outcome<Health> {
        let known = self
            .pool
            .call(within, patience, |client| client.get_table_names())?;
        // The first call had to connect.
        let started = Instant::now();
        self.tables(within)?;
        let mut health = Health {
            latency: started.elapsed(),
            table: known.iter().any(|name| name == place.table.as_bytes()),
            families: Vec::new(),
            other_divisor: None,
        };
        if health.table {
            health.families = self.families(&place.table, within)?;
            if health.families.contains(&place.family) {
                health.other_divisor = self.other_divisor(place, within)?;
            }
        }
        Ok(health)
    }

    /// The divisor that explains the salts of the table's first rows, when the configured one does not.
    pub(super) fn other_divisor(&self, place: &Place, within: Within<'_>) -> Outcome<Option<i32>> {
        let mut salts = Vec::new();
        let mut left = SAMPLE;
        self.scan(place, &Scan::all(), within, &mut |row| {
            salts.push((row.salt, row.period));
            left -= 1;
            Ok(left > 0)
        })?;
        let fits = |divisor: i32| {
            salts
                .iter()
                .all(|(found, period)| salt(*period, divisor) == Some(*found))
        };
        if salts.is_empty() || fits(place.divisor) {
            return Ok(None);
        }
        // A salt is the rest of a division of 16 bits.
        for divisor in 1..=1 << 15 {
            if fits(divisor) {
                return Ok(Some(divisor));
            }
            if divisor % 1024 == 0 {
                proceed(within.deadline, within.cancel)?;
            }
        }
        Ok(None)
    }
}
