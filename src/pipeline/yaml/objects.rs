//! What YAML has and JSON has not: dates, moments, bytes.

use crate::eval::Object;
use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime};
use std::any::Any;

/// A day, such as `2020-12-11`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Date(pub NaiveDate);

/// A time of a day, with a zone or without, such as `2020-12-11T08:30:13Z`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Moment {
    /// Without a zone.
    Local(NaiveDateTime),
    /// With one.
    Zoned(DateTime<FixedOffset>),
}

/// Bytes: `!!binary`, and what clients send that is no text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bytes(pub Vec<u8>);

impl Object for Date {
    fn type_name(&self) -> &'static str {
        "Date"
    }

    fn text(&self) -> String {
        self.0.to_string()
    }

    fn equals(&self, other: &dyn Object) -> bool {
        other.as_any().downcast_ref() == Some(self)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Object for Moment {
    fn type_name(&self) -> &'static str {
        "DateTime"
    }

    fn text(&self) -> String {
        match self {
            Moment::Local(moment) => moment.format("%Y-%m-%d %H:%M:%S%.f").to_string(),
            Moment::Zoned(moment) => moment.format("%Y-%m-%d %H:%M:%S%.f%:z").to_string(),
        }
    }

    fn equals(&self, other: &dyn Object) -> bool {
        other.as_any().downcast_ref() == Some(self)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Object for Bytes {
    fn type_name(&self) -> &'static str {
        "Bytes"
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0).into_owned()
    }

    fn equals(&self, other: &dyn Object) -> bool {
        other.as_any().downcast_ref() == Some(self)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
