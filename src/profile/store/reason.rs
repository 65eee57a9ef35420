//! Why nothing was found, in words.

use super::Place;
use crate::diagnostic::quoted_list;
use crate::profile::client::{DIVISOR, DURATION, FAMILY, TABLE, UNITS};
use crate::profile::period::{Period, push_instant};
use smol_str::SmolStr;
use std::fmt;

/// Why a query finds nothing. Its text is a sentence without a full stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// No period was asked for.
    NoPeriods,
    /// There is no measurement at all.
    NothingStored,
    /// Nobody has written the profile.
    UnknownProfile {
        /// The name.
        profile: SmolStr,
        /// A name that is nearly the same.
        near: Option<SmolStr>,
        /// Profiles that are there, some of them.
        known: Vec<SmolStr>,
    },
    /// The profile is there, but in another table, column family or with another salt.
    OtherPlace {
        /// Where it was looked for.
        wanted: Place,
        /// Where it is.
        found: Place,
    },
    /// The periods asked for are of another length than those written.
    OtherDuration {
        /// The length asked for, in milliseconds.
        wanted: i64,
        /// Those that are there.
        found: Vec<i64>,
    },
    /// The profile knows nothing about the entity.
    UnknownEntity {
        /// The profile.
        profile: SmolStr,
        /// The entity.
        entity: SmolStr,
        /// An entity that is nearly the same.
        near: Option<SmolStr>,
        /// Entities that are there, some of them.
        known: Vec<SmolStr>,
    },
    /// The entity was measured in other groups.
    OtherGroups {
        /// The groups asked for.
        wanted: Vec<SmolStr>,
        /// Groups that are there, some of them.
        found: Vec<Vec<SmolStr>>,
    },
    /// All is right but the time.
    OtherPeriods {
        /// The first and the last period asked for.
        wanted: (Period, Period),
        /// The first and the last one that is there.
        found: (Period, Period),
    },
    /// There were measurements, and they have outlived their time.
    Expired,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::NoPeriods => f.write_str("the list of periods is empty"),
            Reason::NothingStored => f.write_str("no profile has been written yet"),
            Reason::UnknownProfile {
                profile,
                near,
                known,
            } => {
                write!(f, "there is no profile {profile}")?;
                suggestion(f, near.as_ref(), known)
            }
            Reason::OtherPlace { wanted, found } => {
                let (wanted, found) = (wanted, found);
                let mut parts = Vec::new();
                let mut differ = |what: &str, key: &str, found: String, wanted: String| {
                    if found != wanted {
                        parts.push(format!("{what} {found}, not {wanted} ({key})"));
                    }
                };
                differ(
                    "in table",
                    TABLE,
                    found.table.to_string(),
                    wanted.table.to_string(),
                );
                differ(
                    "in column family",
                    FAMILY,
                    found.family.to_string(),
                    wanted.family.to_string(),
                );
                differ(
                    "with the salt divisor",
                    DIVISOR,
                    found.divisor.to_string(),
                    wanted.divisor.to_string(),
                );
                write!(f, "it was written {}", parts.join(" and "))
            }
            Reason::OtherDuration { wanted, found } => {
                let found: Vec<String> = found.iter().map(|millis| span(*millis)).collect();
                let found: Vec<&str> = found.iter().map(String::as_str).collect();
                write!(
                    f,
                    "it was written in periods of {}, and these are of {} ({DURATION}, {UNITS})",
                    quoted_list(&found).replace(" or ", " and "),
                    span(*wanted)
                )
            }
            Reason::UnknownEntity {
                profile,
                entity,
                near,
                known,
            } => {
                write!(f, "profile {profile} has nothing about '{entity}'")?;
                suggestion(f, near.as_ref(), known)
            }
            Reason::OtherGroups { wanted, found } => {
                let list = |groups: &[SmolStr]| format!("[{}]", groups.join(", "));
                let found: Vec<String> = found.iter().map(|groups| list(groups)).collect();
                let found: Vec<&str> = found.iter().map(String::as_str).collect();
                write!(
                    f,
                    "it was measured in the groups {}, not in {}",
                    quoted_list(&found).replace(" or ", " and "),
                    list(wanted)
                )
            }
            Reason::OtherPeriods { wanted, found } => {
                let reach = |(first, last): &(Period, Period)| {
                    let mut text = String::new();
                    push_instant(&mut text, first.start());
                    text.push_str(" to ");
                    push_instant(&mut text, last.end());
                    text
                };
                write!(
                    f,
                    "it was measured at times from {}, and asked for were periods from {}",
                    reach(found),
                    reach(wanted)
                )
            }
            Reason::Expired => f.write_str("what was measured has expired"),
        }
    }
}

fn suggestion(
    f: &mut fmt::Formatter<'_>,
    near: Option<&SmolStr>,
    known: &[SmolStr],
) -> fmt::Result {
    match near {
        Some(near) => write!(f, "; did you mean {near}?"),
        None if known.is_empty() => Ok(()),
        None => write!(f, "; there are, for instance, {}", known.join(", ")),
    }
}

/// A length of time: `15 minutes`.
pub(in crate::profile) fn span(millis: i64) -> String {
    let units = [
        (86_400_000, "day"),
        (3_600_000, "hour"),
        (60_000, "minute"),
        (1_000, "second"),
    ];
    let fitting = units.iter().find(|(length, _)| millis % length == 0);
    let (length, name) = fitting.copied().unwrap_or((1, "millisecond"));
    let count = millis / length;
    format!("{count} {name}{}", if count == 1 { "" } else { "s" })
}
