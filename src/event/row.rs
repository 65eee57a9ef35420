//! One row of the table `events`, and what a search gives back.

use super::Range;
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome};

/// One row of the table `events`. Times are microseconds since 1970 in UTC.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    /// The message's identifier.
    pub id: String,
    /// When the event was detected.
    pub detecttime: i64,
    /// The categories, in the message's order.
    pub category: Vec<String>,
    /// A few words about the event.
    pub description: Option<String>,
    /// The addresses of all sources.
    pub source_ip: Vec<Range>,
    /// The addresses of all targets.
    pub target_ip: Vec<Range>,
    /// The ports of all sources, ascending.
    pub source_port: Vec<i64>,
    /// The ports of all targets, ascending.
    pub target_port: Vec<i64>,
    /// The types of all sources, sorted.
    pub source_type: Vec<String>,
    /// The types of all targets, sorted.
    pub target_type: Vec<String>,
    /// The protocols of sources and targets in small letters, sorted.
    pub protocol: Vec<String>,
    /// The names of the detectors, in the message's order.
    pub node_name: Vec<String>,
    /// The types of all detectors, sorted.
    pub node_type: Vec<String>,
    /// When the message was stored; the table demands it.
    pub storagetime: Option<i64>,
    /// The groups that the event concerns, in the message's order.
    pub resolvedabuses: Vec<String>,
    /// The class of the event in small letters.
    pub eventclass: Option<String>,
    /// The severity of the event in small letters.
    pub eventseverity: Option<String>,
    /// What the inspection found wrong with the message, in the message's order.
    pub inspectionerrors: Vec<String>,
    /// The whole message as JSON text.
    pub event: Option<Vec<u8>>,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// `text`
    Text,
    /// `timestamp` without time zone, holding UTC.
    Time,
    /// `text[]`
    Texts,
    /// `iprange[]`
    Ranges,
    /// `integer[]`
    Ints,
    /// `bytea`
    Bytes,
}

macro_rules! columns {
    ($($variant:ident $name:literal $kind:ident $doc:literal;)*) => {
        /// A column of the table `events`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Column {
            $(#[doc = $doc] $variant,)*
        }

        /// All columns in the order in which a search gives them.
        pub const COLUMNS: &[Column] = &[$(Column::$variant,)*];

        impl Column {
            /// Its name in the table.
            pub fn name(self) -> &'static str {
                match self {
                    $(Column::$variant => $name,)*
                }
            }

            /// What it holds.
            pub fn kind(self) -> ColumnKind {
                match self {
                    $(Column::$variant => ColumnKind::$kind,)*
                }
            }

            /// The column of this name.
            pub fn named(name: &str) -> Option<Column> {
                match name {
                    $($name => Some(Column::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

columns! {
    Id "id" Text "The primary key.";
    DetectTime "detecttime" Time "When the event was detected.";
    Category "category" Texts "The categories.";
    Description "description" Text "A few words about the event.";
    SourceIp "source_ip" Ranges "The addresses of the sources.";
    TargetIp "target_ip" Ranges "The addresses of the targets.";
    SourcePort "source_port" Ints "The ports of the sources.";
    TargetPort "target_port" Ints "The ports of the targets.";
    SourceType "source_type" Texts "The types of the sources.";
    TargetType "target_type" Texts "The types of the targets.";
    Protocol "protocol" Texts "The protocols of sources and targets.";
    NodeName "node_name" Texts "The names of the detectors.";
    NodeType "node_type" Texts "The types of the detectors.";
    ResolvedAbuses "cesnet_resolvedabuses" Texts "The groups that the event concerns.";
    StorageTime "cesnet_storagetime" Time "When the message was stored.";
    EventClass "cesnet_eventclass" Text "The class of the event.";
    EventSeverity "cesnet_eventseverity" Text "The severity of the event.";
    InspectionErrors "cesnet_inspectionerrors" Texts "What is wrong with the message.";
    Event "event" Bytes "The whole message.";
}

/// All columns in the order in which the table has them.
pub const PHYSICAL: &[Column] = &[
    Column::Id,
    Column::DetectTime,
    Column::Category,
    Column::Description,
    Column::SourceIp,
    Column::TargetIp,
    Column::SourcePort,
    Column::TargetPort,
    Column::SourceType,
    Column::TargetType,
    Column::Protocol,
    Column::NodeName,
    Column::NodeType,
    Column::StorageTime,
    Column::ResolvedAbuses,
    Column::EventClass,
    Column::EventSeverity,
    Column::InspectionErrors,
    Column::Event,
];

impl Row {
    /// The texts of a column, for the columns that hold any.
    pub fn texts(&self, column: Column) -> &[String] {
        match column {
            Column::Id => std::slice::from_ref(&self.id),
            Column::Description => self.description.as_slice(),
            Column::EventClass => self.eventclass.as_slice(),
            Column::EventSeverity => self.eventseverity.as_slice(),
            Column::Category => &self.category,
            Column::SourceType => &self.source_type,
            Column::TargetType => &self.target_type,
            Column::Protocol => &self.protocol,
            Column::NodeName => &self.node_name,
            Column::NodeType => &self.node_type,
            Column::ResolvedAbuses => &self.resolvedabuses,
            Column::InspectionErrors => &self.inspectionerrors,
            _ => &[],
        }
    }

    /// Whether the table takes the row: a NUL in a text and a port beyond 32 bits are E0607, a missing storage time
    /// is E0608. What only the table knows, such as an identifier that is there already, is not looked at.
    pub fn storable(&self) -> Outcome<()> {
        let data = |column: Column, what: &str| -> Fault {
            let message = format!("event {:?}, column {}: {what}", self.id, column.name());
            Diagnostic::new(Code::EventData, message)
        };
        for &column in COLUMNS {
            if self.texts(column).iter().any(|text| text.contains('\0')) {
                return Err(data(
                    column,
                    "a text holds a NUL character, which the database cannot keep",
                ));
            }
        }
        for (column, ports) in [
            (Column::SourcePort, &self.source_port),
            (Column::TargetPort, &self.target_port),
        ] {
            if let Some(port) = ports.iter().find(|&&port| i32::try_from(port).is_err()) {
                return Err(data(
                    column,
                    &format!("{port} is out of range for an integer of 32 bits"),
                ));
            }
        }
        if self.storagetime.is_none() {
            let message = format!(
                "event {:?}: the column {} must not be empty",
                self.id,
                Column::StorageTime.name()
            );
            return Err(Diagnostic::new(Code::EventIntegrity, message)
                .help("give the message a _CESNET.StorageTime"));
        }
        Ok(())
    }
}

/// What a search gives back: some columns of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Which columns were asked for, in that order; the other fields of `row` have no meaning.
    pub columns: std::sync::Arc<[Column]>,
    /// Their values.
    pub row: Row,
}

impl Record {
    /// Whether a column is part of the record.
    pub fn has(&self, column: Column) -> bool {
        self.columns.contains(&column)
    }
}
