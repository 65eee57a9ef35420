//! The arguments of `stellar event`, as the help shows them.

use super::super::args::ListFormat;
use super::super::plot::PictureArgs;
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

/// `stellar event`
#[derive(Debug, Subcommand)]
pub enum EventCommand {
    /// Creates the tables and indexes that are missing.
    Init,
    /// Removes the tables with all that is in them.
    Drop {
        /// Says that all events and thresholds shall go.
        #[arg(long)]
        all: bool,
    },
    /// Creates or removes the indexes.
    #[command(subcommand)]
    Index(IndexCommand),
    /// Says how many rows the tables have, how large they are, and of when.
    Status {
        /// Shows the settings of the database instead.
        #[arg(long)]
        settings: bool,
        /// How to print it.
        #[arg(long, value_enum)]
        format: Option<ListFormat>,
    },
    /// Stores IDEA messages from files of JSON Lines.
    Load(LoadArgs),
    /// Finds events.
    Search {
        #[command(flatten)]
        query: QueryArgs,
        #[command(flatten)]
        paging: PagingArgs,
        #[command(flatten)]
        show: ShowArgs,
    },
    /// Prints how many events are asked for.
    Count {
        #[command(flatten)]
        query: QueryArgs,
    },
    /// Removes events, by their identifiers or by what is asked for.
    Delete {
        /// The identifiers.
        #[arg(value_name = "ID", conflicts_with_all = ["parameters", "all"])]
        ids: Vec<String>,
        #[command(flatten)]
        query: QueryArgs,
        /// Says that all events shall go.
        #[arg(long, conflicts_with = "parameters")]
        all: bool,
    },
    /// Shows the events of identifiers.
    Get {
        /// The identifiers.
        #[arg(required = true, value_name = "ID")]
        ids: Vec<String>,
        #[command(flatten)]
        show: ShowArgs,
    },
    /// Shows all values that a column has had.
    Distinct {
        /// The name of the column.
        column: String,
        /// How to print them.
        #[arg(long, value_enum)]
        format: Option<ListFormat>,
    },
    /// Counts events by the values of a column.
    Aggregate {
        /// The name of the column.
        column: String,
        #[command(flatten)]
        query: QueryArgs,
        /// Only so many values, the most frequent ones.
        #[arg(long, value_name = "N")]
        top: Option<u64>,
        /// How to print them.
        #[arg(long, value_enum)]
        format: Option<ListFormat>,
    },
    /// Counts events by time.
    Timeline(TimelineArgs),
    /// Prints what would run on PostgreSQL.
    Sql {
        /// What to do with the events.
        #[arg(value_enum, default_value_t = SqlKind::Select)]
        kind: SqlKind,
        #[command(flatten)]
        query: QueryArgs,
        #[command(flatten)]
        paging: PagingArgs,
        /// The columns to give, with commas between them.
        #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
        columns: Vec<String>,
    },
    /// Removes the rows of a table from before a time.
    Cleanup {
        /// The table: events, events_thresholded, thresholds, enum_….
        #[arg(default_value = "events")]
        table: String,
        /// The column with the time; the usual one of the table without.
        #[arg(long, value_name = "COLUMN")]
        column: Option<String>,
        /// A time, or an age such as 90d.
        #[arg(long, value_name = "TIME")]
        before: String,
    },
    /// Exit code 1 unless an event was stored in the last so many seconds.
    Watchdog {
        /// How many seconds.
        #[arg(value_name = "SECONDS", value_parser = clap::value_parser!(i64).range(0..))]
        seconds: i64,
    },
    /// What was reported, and is not reported again for a time.
    #[command(subcommand)]
    Threshold(ThresholdCommand),
    /// Shows the events that were held back late in a window that has ended.
    Relapsed(RelapsedArgs),
}

/// `stellar event index`
#[derive(Debug, Subcommand)]
pub enum IndexCommand {
    /// Creates the indexes that are missing.
    Create {
        /// Creates an index of addresses too, which is not part of Mentat's tables: PostgreSQL finds the events of a
        /// network in milliseconds among millions.
        #[arg(long)]
        addresses: bool,
    },
    /// Removes the indexes, that of addresses too.
    Drop,
}

/// `stellar event load`
#[derive(Debug, Args)]
pub struct LoadArgs {
    /// The files, also as globs and compressed; - is standard input, which is read when there is none.
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// What the private part is called in the messages: _CESNET, as Mentat 2.4 calls it, or _Mentat.
    #[arg(long, value_name = "KEY", default_value = crate::event::PRIVATE_KEY)]
    pub private_key: String,
    /// Where lines go that cannot be stored, behind what is there; without, FILE.rejected for each FILE, written anew.
    #[arg(long, value_name = "FILE")]
    pub reject: Option<PathBuf>,
}

/// What is asked.
#[derive(Debug, Clone, Default, Args)]
pub struct QueryArgs {
    /// What is asked, with Mentat's names, as JSON or as a map of the language: '{"source_addrs": ["192.0.2.0/24"]}'.
    #[arg(long = "where", value_name = "PARAMETERS")]
    pub parameters: Option<String>,
}

/// In what order, and how many.
#[derive(Debug, Clone, Default, Args)]
pub struct PagingArgs {
    /// detecttime or storagetime, with .asc or .desc.
    #[arg(long, value_name = "ORDER")]
    pub sort: Option<String>,
    /// At most so many; all without.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..))]
    pub limit: Option<i64>,
    /// With --limit: the page, from 1.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..), requires = "limit")]
    pub page: Option<i64>,
}

/// What comes back, and how it looks.
#[derive(Debug, Clone, Default, Args)]
pub struct ShowArgs {
    /// Shows these columns, with commas between them, instead of whole messages.
    #[arg(
        long,
        value_name = "COLUMNS",
        value_delimiter = ',',
        conflicts_with = "ghost"
    )]
    pub columns: Vec<String>,
    /// Shows messages made of the columns alone.
    #[arg(long)]
    pub ghost: bool,
    /// How to print them.
    #[arg(long, value_enum)]
    pub format: Option<ListFormat>,
}

/// `stellar event timeline`
#[derive(Debug, Args)]
pub struct TimelineArgs {
    #[command(flatten)]
    pub query: QueryArgs,
    /// How long each step is, such as 1h; chosen to give about 50 of them without.
    #[arg(long, value_name = "TIME")]
    pub step: Option<String>,
    /// The column with the time.
    #[arg(long, value_name = "COLUMN", default_value = "detecttime")]
    pub column: String,
    /// Counts the values of this column each.
    #[arg(long, value_name = "COLUMN")]
    pub by: Option<String>,
    /// With --by: only so many values, the most frequent ones; the others are summed up.
    #[arg(long, value_name = "N", requires = "by")]
    pub top: Option<u64>,
    /// Draws bars in the terminal.
    #[arg(long, conflicts_with_all = ["format", "svg"])]
    pub plot: bool,
    /// How they are drawn.
    #[command(flatten)]
    pub picture: PictureArgs,
    /// How to print it.
    #[arg(long, value_enum, conflicts_with_all = ["svg", "width", "height", "ascii"])]
    pub format: Option<ListFormat>,
}

/// What SQL does with events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SqlKind {
    /// Gives them.
    Select,
    /// Counts them.
    Count,
    /// Removes them.
    Delete,
}

/// `stellar event threshold`
#[derive(Debug, Subcommand)]
pub enum ThresholdCommand {
    /// Says of the messages of files whether to report them, and keeps the books.
    Apply(ApplyArgs),
    /// Shows the threshold of a key; exit code 1 when there is none.
    Check {
        /// The key.
        key: String,
        /// At this time; now without.
        #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
        time: Option<String>,
        /// How to print it.
        #[arg(long, value_enum)]
        format: Option<ListFormat>,
    },
    /// Begins the window of a key; one that is there is replaced.
    Set {
        /// The key.
        key: String,
        /// When the window begins; now without.
        #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
        from: Option<String>,
        /// When its last part begins, in which events count as a relapse; without, there is none.
        #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
        relapse: Option<String>,
        /// When it ends.
        #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
        ttl: String,
    },
    /// Notes that an event was held back.
    Save {
        /// The identifier of the event.
        id: String,
        /// The key.
        key: String,
        /// The group that would have been told.
        #[arg(long, value_name = "GROUP")]
        group: String,
        /// The severity of the event.
        #[arg(long, value_name = "SEVERITY")]
        severity: String,
        /// When it was held back; now without.
        #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
        time: Option<String>,
    },
    /// Shows all thresholds.
    List {
        /// How to print them.
        #[arg(long, value_enum)]
        format: Option<ListFormat>,
    },
    /// Removes thresholds whose windows have ended, and what was held back and cannot relapse.
    Clean {
        /// Those that ended before this time; now without.
        #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
        time: Option<String>,
    },
}

/// For whom, and for how long.
#[derive(Debug, Clone, Default, Args)]
pub struct WindowArgs {
    /// How long nothing is reported again, such as 6d; the usual time of the severity without.
    #[arg(long, value_name = "TIME")]
    pub window: Option<String>,
    /// The last part of it in which events count as a relapse.
    #[arg(long, value_name = "TIME")]
    pub relapse: Option<String>,
}

/// `stellar event threshold apply`
#[derive(Debug, Args)]
pub struct ApplyArgs {
    /// The files, as those of load; - is standard input, which is read when there is none.
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The group that would be told.
    #[arg(long, value_name = "GROUP")]
    pub group: String,
    /// The severity; that of each message without.
    #[arg(long, value_name = "SEVERITY")]
    pub severity: Option<String>,
    #[command(flatten)]
    pub window: WindowArgs,
    /// What the private part is called in the messages.
    #[arg(long, value_name = "KEY", default_value = crate::event::PRIVATE_KEY)]
    pub private_key: String,
    /// How to print the verdicts.
    #[arg(long, value_enum)]
    pub format: Option<ListFormat>,
}

/// `stellar event relapsed`
#[derive(Debug, Args)]
pub struct RelapsedArgs {
    /// The group that would have been told.
    #[arg(long, value_name = "GROUP")]
    pub group: String,
    /// The severity of the events.
    #[arg(long, value_name = "SEVERITY")]
    pub severity: String,
    /// Windows that have ended by this time; now without.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub time: Option<String>,
    /// Begins new windows of their keys, as they are reported now.
    #[arg(long)]
    pub renew: bool,
    #[command(flatten)]
    pub window: WindowArgs,
    #[command(flatten)]
    pub show: ShowArgs,
}
