//! Values as PostgreSQL sends and takes them.

use super::{Answer, Failure, Kind, Session};
use crate::store::Within;
use std::error::Error;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

/// Microseconds from 1970 to 2000, where PostgreSQL counts from.
const EPOCH: i64 = 946_684_800_000_000;

/// A `timestamp` without time zone, as microseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Micros(pub i64);

impl ToSql for Micros {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        let since_2000 = self
            .0
            .checked_sub(EPOCH)
            .ok_or("a time before all that a timestamp can say")?;
        out.extend_from_slice(&since_2000.to_be_bytes());
        Ok(IsNull::No)
    }

    fn accepts(kind: &Type) -> bool {
        *kind == Type::TIMESTAMP
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Micros {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Micros, Box<dyn Error + Sync + Send>> {
        let since_2000 = i64::from_be_bytes(raw.try_into()?);
        // The infinities are the ends of the range; they stay ends.
        Ok(Micros(since_2000.saturating_add(EPOCH)))
    }

    fn accepts(kind: &Type) -> bool {
        *kind == Type::TIMESTAMP
    }
}

/// A name as it stands in a statement, in quotation marks; the server itself writes it.
pub fn identifier(session: &mut Session, name: &str, within: Within<'_>) -> Answer<String> {
    // Quotation marks always, as Mentat's driver puts them.
    let sql = r#"SELECT '"' || replace($1::text, '"', '""') || '"'"#;
    let rows = session.query(sql, &[&name], within)?;
    match rows.first() {
        Some(row) => Ok(row.try_get(0)?),
        None => Err(Failure::new(Kind::Other, "the server quotes no name")),
    }
}
