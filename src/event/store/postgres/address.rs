//! An index of addresses, beside those of Mentat: `event search` uses it where it is there.
//!
//! The arrays `source_ip` and `target_ip` cannot be searched by an index of ip4r itself, as its operator classes know
//! single ranges only. Here each range becomes a few keys, numbers that stand for blocks of addresses, and a GIN index
//! holds the keys of each event. Blocks have fixed lengths of prefix (IPv4: 32, 24, 16, 8, 0; IPv6: 128, 64, 48, 32,
//! 16, 0). A range lies in a smallest such block, its home; its keys are "at home in" that block and "somewhere in"
//! each block around it, the home included, but not in the whole space. Two ranges can only overlap when the home of one is somewhere in a block
//! that the other touches, so a search asks for "somewhere in" the blocks that it touches, of the longest prefix that
//! gives few of them (the server takes each key for some hundred events, and would not use the index for many keys),
//! and for "at home in" the blocks around those. What the index finds is tested exactly by the query itself, so that a
//! key may stand for two blocks by chance.
//!
//! The functions are the database's own, and the index is one over expressions: whoever writes, it is right.

use super::Inner;
use crate::diagnostic::Outcome;
use crate::event::query::{Condition, Query};
use crate::event::{Column, Range};
use crate::store::Within;
use crate::store::postgres::{Answer, Failure, Session};
use std::fmt::Write as _;
use std::time::{Duration, Instant};

/// The name of the index.
pub(super) const INDEX: &str = "events_stellar_addresses_idx";
/// A function that does not exist.
const NO_FUNCTION: &str = "42883";
/// How long an answer about the index is believed.
const BELIEVED: Duration = Duration::from_secs(30);

/// How many blocks of one length a search asks for; the functions below have this number, too.
const FEW: u128 = 16;

/// Whether the index was there, and when that was looked up.
#[derive(Debug, Default)]
pub(super) struct Known(Option<(Instant, bool)>);

/// What creates the functions, with `%1$s` for the place of ip4r's functions. They name them in full, as indexes are
/// built and checked where the place of extensions is not searched.
const FUNCTIONS: [&str; 2] = [
    r#"CREATE OR REPLACE FUNCTION stellar_address_keys(ranges %1$s.iprange[]) RETURNS bigint[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 1000 AS $body$
DECLARE
    r %1$s.iprange;
    low %1$s.ipaddress;
    high %1$s.ipaddress;
    block %1$s.iprange;
    keys bigint[] := '{}';
    bits integer;
    home boolean;
BEGIN
    IF ranges IS NULL THEN
        RETURN keys;
    END IF;
    FOREACH r IN ARRAY ranges LOOP
        CONTINUE WHEN r IS NULL;
        low := %1$s.lower(r);
        high := %1$s.upper(r);
        IF low IS NULL THEN
            -- All addresses of both kinds.
            keys := keys || 0::bigint;
            CONTINUE;
        END IF;
        IF %1$s.family(r) = 4 AND %1$s.ipaddress_eq(low, high) THEN
            -- The usual case in one expression.
            keys := keys || ARRAY[
                %1$s.iprange_hash_extended(r, 1),
                %1$s.iprange_hash_extended(r, 2),
                %1$s.iprange_hash_extended(%1$s.iprange_net_prefix(low, 24), 2),
                %1$s.iprange_hash_extended(%1$s.iprange_net_prefix(low, 16), 2),
                %1$s.iprange_hash_extended(%1$s.iprange_net_prefix(low, 8), 2)];
            CONTINUE;
        END IF;
        home := false;
        FOREACH bits IN ARRAY CASE WHEN %1$s.family(r) = 4 THEN ARRAY[32, 24, 16, 8, 0]
                                   ELSE ARRAY[128, 64, 48, 32, 16, 0] END LOOP
            block := %1$s.iprange_net_prefix(low, bits);
            IF NOT home AND %1$s.iprange_contained_by(r, block) THEN
                home := true;
                keys := keys || %1$s.iprange_hash_extended(block, 1);
            END IF;
            IF home AND bits > 0 THEN
                keys := keys || %1$s.iprange_hash_extended(block, 2);
            END IF;
        END LOOP;
    END LOOP;
    RETURN keys;
END
$body$"#,
    r#"CREATE OR REPLACE FUNCTION stellar_address_wanted(ranges %1$s.iprange[]) RETURNS bigint[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $body$
DECLARE
    r %1$s.iprange;
    low %1$s.ipaddress;
    high %1$s.ipaddress;
    block %1$s.iprange;
    keys bigint[] := '{0}';
    blocks bigint[];
    bits integer;
    inside boolean;
BEGIN
    FOREACH r IN ARRAY ranges LOOP
        low := %1$s.lower(r);
        high := %1$s.upper(r);
        inside := false;
        FOREACH bits IN ARRAY CASE WHEN %1$s.family(r) = 4 THEN ARRAY[32, 24, 16, 8, 0]
                                   ELSE ARRAY[128, 64, 48, 32, 16, 0] END LOOP
            -- The blocks of this length that the range touches; too many of them are not counted to the end.
            blocks := '{}';
            block := %1$s.iprange_net_prefix(low, bits);
            LOOP
                blocks := blocks || %1$s.iprange_hash_extended(block, CASE WHEN inside THEN 1 ELSE 2 END);
                EXIT WHEN %1$s.ipaddress_ge(%1$s.upper(block), high) OR cardinality(blocks) > 16;
                block := %1$s.iprange_net_prefix(%1$s.ipaddress_plus_int(%1$s.upper(block), 1), bits);
            END LOOP;
            IF cardinality(blocks) <= 16 THEN
                inside := true;
                keys := keys || blocks;
            END IF;
        END LOOP;
    END LOOP;
    RETURN keys;
END
$body$"#,
];

/// What creates the index. Its pending list would have to be read by every search.
const CREATE: &str = "CREATE INDEX IF NOT EXISTS events_stellar_addresses_idx ON events USING gin \
    (stellar_address_keys(source_ip), stellar_address_keys(target_ip)) WITH (fastupdate = off)";

const DROP: &str = "
    DROP INDEX IF EXISTS events_stellar_addresses_idx;
    DROP FUNCTION IF EXISTS stellar_address_keys;
    DROP FUNCTION IF EXISTS stellar_address_wanted;
";

/// Creates functions and index, and looks at the values, so that the server knows how rare they are.
pub(super) fn create(session: &mut Session, within: Within<'_>) -> Answer<()> {
    let place = "SELECT format($1, quote_ident(nspname)) FROM pg_extension \
                 INNER JOIN pg_namespace ON pg_namespace.oid = extnamespace WHERE extname = 'ip4r'";
    for function in FUNCTIONS {
        let rows = session.query(place, &[&function], within)?;
        if let Some(row) = rows.first() {
            session.execute(row.try_get(0)?, &[], within)?;
        }
    }
    session.batch(CREATE, within)?;
    session.batch("ANALYZE events", within)
}

/// Removes them.
pub(super) fn drop_all(session: &mut Session, within: Within<'_>) -> Answer<()> {
    session.batch(DROP, within)
}

/// Whether the index is there and can be used.
pub(super) fn is_there(store: &Inner, session: &mut Session, within: Within<'_>) -> Answer<bool> {
    if let Some((when, there)) = store.addresses.lock().0
        && when.elapsed() < BELIEVED
    {
        return Ok(there);
    }
    let sql = "SELECT 1 FROM pg_index WHERE indexrelid = to_regclass($1) AND indisvalid";
    let there = !session.query(sql, &[&INDEX], within)?.is_empty();
    store.addresses.lock().0 = Some((Instant::now(), there));
    Ok(there)
}

/// Whether a failure says that the functions are not there any more.
pub(super) fn is_gone(failure: &Failure) -> bool {
    let message = failure.report().map_or("", |report| &report.message);
    failure.state() == NO_FUNCTION && message.contains("stellar_address_")
}

/// Whether a range touches few of the largest blocks but the whole space; else it is asked for among all events.
fn is_narrow(range: Range) -> bool {
    let blocks = match range {
        Range::V4(low, high) => u128::from((high >> 24) - (low >> 24)),
        Range::V6(low, high) => (high >> 112) - (low >> 112),
    };
    blocks < FEW
}

/// The address conditions of a query that the index is for: columns and ranges.
pub(super) fn wanted(query: &Query) -> Outcome<Vec<(&'static [Column], Vec<Range>)>> {
    query
        .conditions
        .iter()
        .filter_map(|condition| match condition {
            Condition::Addresses { columns, wanted } => Some((*columns, wanted)),
            _ => None,
        })
        .map(|(columns, wanted)| Ok((columns, Query::ranges(wanted)?)))
        .filter(|condition: &Outcome<(_, Vec<Range>)>| match condition {
            Ok((_, ranges)) => ranges.iter().all(|range| is_narrow(*range)),
            Err(_) => true,
        })
        .collect()
}

/// A condition that lets through all that the conditions let through and little else, and its arguments, which are
/// numbered from behind `before`.
pub(super) fn filter(
    wanted: Vec<(&'static [Column], Vec<Range>)>,
    before: usize,
) -> (String, Vec<Vec<Range>>) {
    let mut sql = String::new();
    let mut arguments = Vec::new();
    for (columns, ranges) in wanted {
        arguments.push(ranges);
        let number = before + arguments.len();
        sql.push_str(if arguments.len() > 1 { " AND (" } else { "(" });
        for (at, column) in columns.iter().enumerate() {
            let or = if at > 0 { " OR " } else { "" };
            let name = column.name();
            let _ = write!(
                sql,
                "{or}stellar_address_keys(\"{name}\") && stellar_address_wanted(${number})"
            );
        }
        sql.push(')');
    }
    (sql, arguments)
}
