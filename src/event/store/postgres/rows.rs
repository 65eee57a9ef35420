//! Rows of the table `events` as PostgreSQL sends and takes them.

use crate::event::query::{Argument, Query};
use crate::event::{Column, PHYSICAL, Range, Record, Row};
use crate::store::postgres::sql::private::BytesMut;
use crate::store::postgres::sql::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use crate::store::postgres::{Answer, Micros, Parameter, Row as Found};
use std::error::Error;
use std::sync::Arc;

/// The kinds of addresses in ip4r's binary form (`iprange_send`).
const V4: u8 = 2;
const V6: u8 = 3;
/// The length of the prefix when the range is no network: both ends follow.
const BOTH_ENDS: u8 = 255;

type Thrown = Box<dyn Error + Sync + Send>;

impl ToSql for Range {
    /// Kind, length of the prefix, a 1, number of bytes, the bytes: of a network no more than its prefix needs at
    /// least, in whole addresses or half ones.
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Thrown> {
        let prefix = self.prefix().and_then(|prefix| u8::try_from(prefix).ok());
        let bits = prefix.unwrap_or(BOTH_ENDS);
        match (*self, prefix) {
            (Range::V4(low, _), Some(_)) => {
                out.extend_from_slice(&[V4, bits, 1, 4]);
                out.extend_from_slice(&low.to_be_bytes());
            }
            (Range::V4(low, high), None) => {
                out.extend_from_slice(&[V4, bits, 1, 8]);
                out.extend_from_slice(&low.to_be_bytes());
                out.extend_from_slice(&high.to_be_bytes());
            }
            (Range::V6(low, _), Some(0..=64)) => {
                out.extend_from_slice(&[V6, bits, 1, 8]);
                out.extend_from_slice(&((low >> 64) as u64).to_be_bytes());
            }
            (Range::V6(low, _), Some(_)) => {
                out.extend_from_slice(&[V6, bits, 1, 16]);
                out.extend_from_slice(&low.to_be_bytes());
            }
            (Range::V6(low, high), None) => {
                out.extend_from_slice(&[V6, bits, 1, 32]);
                out.extend_from_slice(&low.to_be_bytes());
                out.extend_from_slice(&high.to_be_bytes());
            }
        }
        Ok(IsNull::No)
    }

    fn accepts(kind: &Type) -> bool {
        kind.name() == "iprange"
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Range {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Range, Thrown> {
        let strange = "a range of addresses in a form that is not known here";
        let (&[kind, bits, _, length], rest) = raw.split_first_chunk::<4>().ok_or(strange)?;
        if rest.len() != usize::from(length) {
            return Err(strange.into());
        }
        let range = match (kind, bits, rest.len()) {
            (V4, BOTH_ENDS, 8) => {
                let both = u64::from_be_bytes(rest.try_into()?);
                Some(Range::v4((both >> 32) as u32, both as u32))
            }
            (V4, _, 4) => Range::net4(u32::from_be_bytes(rest.try_into()?), bits.into()),
            (V6, BOTH_ENDS, 32) => {
                let (low, high) = rest.split_at(16);
                let number = |half: &[u8]| half.try_into().map(u128::from_be_bytes);
                Some(Range::v6(number(low)?, number(high)?))
            }
            (V6, _, 8) => {
                let upper = u64::from_be_bytes(rest.try_into()?);
                Range::net6(u128::from(upper) << 64, bits.into())
            }
            (V6, _, 16) => Range::net6(u128::from_be_bytes(rest.try_into()?), bits.into()),
            _ => None,
        };
        range.ok_or_else(|| strange.into())
    }

    fn accepts(kind: &Type) -> bool {
        kind.name() == "iprange"
    }
}

/// A row with those values that look different on their way.
pub(super) struct Outgoing<'r> {
    row: &'r Row,
    detecttime: Micros,
    storagetime: Option<Micros>,
    source_port: Vec<i32>,
    target_port: Vec<i32>,
}

impl<'r> Outgoing<'r> {
    /// A row that [`Row::storable`] has passed; other ports become what they must not be.
    pub fn new(row: &'r Row) -> Outgoing<'r> {
        let ports = |ports: &[i64]| ports.iter().map(|&port| port as i32).collect();
        Outgoing {
            row,
            detecttime: Micros(row.detecttime),
            storagetime: row.storagetime.map(Micros),
            source_port: ports(&row.source_port),
            target_port: ports(&row.target_port),
        }
    }

    /// The values in the order of [`PHYSICAL`].
    pub fn values(&self) -> Vec<Parameter<'_>> {
        PHYSICAL.iter().map(|column| self.value(*column)).collect()
    }

    fn value(&self, column: Column) -> Parameter<'_> {
        let row = self.row;
        match column {
            Column::Id => &row.id,
            Column::DetectTime => &self.detecttime,
            Column::Category => &row.category,
            Column::Description => &row.description,
            Column::SourceIp => &row.source_ip,
            Column::TargetIp => &row.target_ip,
            Column::SourcePort => &self.source_port,
            Column::TargetPort => &self.target_port,
            Column::SourceType => &row.source_type,
            Column::TargetType => &row.target_type,
            Column::Protocol => &row.protocol,
            Column::NodeName => &row.node_name,
            Column::NodeType => &row.node_type,
            Column::ResolvedAbuses => &row.resolvedabuses,
            Column::StorageTime => &self.storagetime,
            Column::EventClass => &row.eventclass,
            Column::EventSeverity => &row.eventseverity,
            Column::InspectionErrors => &row.inspectionerrors,
            Column::Event => &row.event,
        }
    }
}

/// The columns from `first` on of a row that the server sent.
pub(super) fn record(found: &Found, columns: &Arc<[Column]>) -> Answer<Record> {
    let mut row = Row::default();
    for (at, column) in columns.iter().enumerate() {
        let texts = || -> Answer<Vec<String>> {
            Ok(found
                .try_get::<_, Option<Vec<String>>>(at)?
                .unwrap_or_default())
        };
        let ranges = || -> Answer<Vec<Range>> {
            Ok(found
                .try_get::<_, Option<Vec<Range>>>(at)?
                .unwrap_or_default())
        };
        let ports = || -> Answer<Vec<i64>> {
            let ports = found.try_get::<_, Option<Vec<i32>>>(at)?;
            Ok(ports
                .unwrap_or_default()
                .into_iter()
                .map(i64::from)
                .collect())
        };
        match column {
            Column::Id => row.id = found.try_get(at)?,
            Column::DetectTime => row.detecttime = found.try_get::<_, Micros>(at)?.0,
            Column::Category => row.category = texts()?,
            Column::Description => row.description = found.try_get(at)?,
            Column::SourceIp => row.source_ip = ranges()?,
            Column::TargetIp => row.target_ip = ranges()?,
            Column::SourcePort => row.source_port = ports()?,
            Column::TargetPort => row.target_port = ports()?,
            Column::SourceType => row.source_type = texts()?,
            Column::TargetType => row.target_type = texts()?,
            Column::Protocol => row.protocol = texts()?,
            Column::NodeName => row.node_name = texts()?,
            Column::NodeType => row.node_type = texts()?,
            Column::ResolvedAbuses => row.resolvedabuses = texts()?,
            Column::StorageTime => row.storagetime = Some(found.try_get::<_, Micros>(at)?.0),
            Column::EventClass => row.eventclass = found.try_get(at)?,
            Column::EventSeverity => row.eventseverity = found.try_get(at)?,
            Column::InspectionErrors => row.inspectionerrors = texts()?,
            Column::Event => row.event = found.try_get(at)?,
        }
    }
    Ok(Record {
        columns: columns.clone(),
        row,
    })
}

/// The arguments of a query's SQL, as they are sent. The query has passed [`Query::check`].
pub(super) fn arguments(
    all: &[Argument],
) -> crate::diagnostic::Outcome<Vec<Box<dyn ToSql + Sync>>> {
    all.iter()
        .map(
            |argument| -> crate::diagnostic::Outcome<Box<dyn ToSql + Sync>> {
                Ok(match argument {
                    Argument::Text(text) => Box::new(text.clone()),
                    Argument::Texts(texts) => Box::new(texts.clone()),
                    Argument::Ints(ints) => {
                        Box::new(ints.iter().map(|&int| int as i32).collect::<Vec<i32>>())
                    }
                    Argument::Time(at) => Box::new(Micros(*at)),
                    Argument::Times(times) => {
                        Box::new(times.iter().copied().map(Micros).collect::<Vec<_>>())
                    }
                    Argument::Range(address) => {
                        let ranges = Query::ranges(std::slice::from_ref(address))?;
                        // One address makes one range.
                        match ranges.first() {
                            Some(range) => Box::new(*range),
                            None => Box::new(None::<Range>),
                        }
                    }
                    Argument::Int(int) => Box::new(*int),
                })
            },
        )
        .collect()
}

/// Names of columns, with commas between.
pub(super) fn names(columns: &[Column]) -> String {
    let names: Vec<String> = columns
        .iter()
        .map(|c| format!("\"{}\"", c.name()))
        .collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Bytes as `iprange_send` of ip4r 2.4.1 gave them.
    #[test]
    fn ranges_in_binary() {
        for (text, hex) in [
            ("10.0.0.0/24", "021801040a000000"),
            ("10.0.0.1-10.0.0.9", "02ff01080a0000010a000009"),
            ("10.0.0.1", "022001040a000001"),
            ("0.0.0.0/0", "0200010400000000"),
            ("2001:db8::/32", "0320010820010db800000000"),
            ("2001:db8::/96", "0360011020010db8000000000000000000000000"),
            (
                "2001:db8::-2001:db8::5",
                "03ff012020010db800000000000000000000000020010db8000000000000000000000005",
            ),
            ("::/0", "030001080000000000000000"),
            ("::1", "0380011000000000000000000000000000000001"),
        ] {
            let range = Range::parse(text).unwrap();
            let mut out = BytesMut::new();
            range.to_sql(&Type::INET, &mut out).unwrap();
            let written: String = out.iter().map(|b| format!("{b:02x}")).collect();
            assert_eq!(written, hex, "{text}");
            assert_eq!(Range::from_sql(&Type::INET, &out).unwrap(), range);
            for cut in 0..out.len() {
                assert!(
                    Range::from_sql(&Type::INET, &out[..cut]).is_err(),
                    "{text} {cut}"
                );
            }
        }
        // All addresses of both kinds, and prefixes that are too long.
        for raw in [
            &[0u8, 255, 1, 0][..],
            &[2, 33, 1, 4, 1, 2, 3, 4],
            &[9, 8, 1, 4, 1, 2, 3, 4],
        ] {
            assert!(Range::from_sql(&Type::INET, raw).is_err());
        }
    }
}
