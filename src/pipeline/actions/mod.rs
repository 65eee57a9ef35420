//! The actions of this room: one file an action or a family.

mod alert;
mod archive;
mod change;
mod date;
mod dnsbl;
mod dummy;
mod fields;
mod file;
mod flatline;
mod forward_in;
mod forward_out;
mod frequency;
mod generator;
pub(crate) mod http_body;
mod http_in;
mod http_out;
mod keyed;
mod matching;
mod output_file;
mod parse_json;
mod parse_regex;
mod rethinkdb;
mod spike;
mod sqlite;
mod stdout;
mod stellar;
mod tail;
mod watch;

use super::spec::ActionSpec;

/// All of them.
pub const ACTIONS: &[&ActionSpec] = &[
    &archive::OUTPUT_ARCHIVE,
    &change::FILTER_CHANGE,
    &date::FILTER_DATE,
    &dnsbl::FILTER_DNSBL,
    &dummy::INPUT_DUMMY,
    &fields::FILTER_REMOVE_KEYS,
    &fields::FILTER_RENAME,
    &fields::FILTER_RETAG,
    &file::INPUT_FILE,
    &flatline::FILTER_FLATLINE,
    &forward_in::INPUT_FORWARD,
    &forward_out::OUTPUT_FORWARD,
    &frequency::FILTER_FREQUENCY,
    &generator::INPUT_GENERATOR,
    &http_in::INPUT_HTTP,
    &http_out::OUTPUT_HTTP,
    &output_file::OUTPUT_FILE,
    &matching::FILTER_MATCHING_LIST,
    &parse_json::PARSER_JSON,
    &parse_regex::PARSER_REGEX,
    &rethinkdb::INPUT_RETHINKDB,
    &rethinkdb::OUTPUT_RETHINKDB,
    &spike::FILTER_SPIKE,
    &sqlite::INPUT_SQLITE,
    &sqlite::OUTPUT_SQLITE,
    &stdout::OUTPUT_STDOUT,
    &stellar::FILTER_STELLAR,
    &tail::INPUT_TAIL,
];
