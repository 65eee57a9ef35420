//! The tables and indexes of Mentat's 2.4 line, name for name.

/// The tables, each with the column of its times.
pub(super) const TABLES: &[(&str, &str)] = &[
    ("events", "cesnet_storagetime"),
    ("events_thresholded", "createtime"),
    ("thresholds", "ttltime"),
    ("enum_category", "last_seen"),
    ("enum_protocol", "last_seen"),
    ("enum_node_name", "last_seen"),
    ("enum_node_type", "last_seen"),
    ("enum_source_type", "last_seen"),
    ("enum_target_type", "last_seen"),
    ("enum_cesnet_resolvedabuses", "last_seen"),
    ("enum_cesnet_eventclass", "last_seen"),
    ("enum_cesnet_eventseverity", "last_seen"),
    ("enum_cesnet_inspectionerrors", "last_seen"),
];

macro_rules! enumerations {
    ($($column:literal)*) => {
        concat!(
            $("CREATE TABLE IF NOT EXISTS enum_", $column,
                " (data text UNIQUE NOT NULL, last_seen timestamp without time zone NOT NULL);\n",)*
        )
    };
}

/// Creates all tables that are missing.
pub(super) const CREATE: &[&str] = &[
    "CREATE TABLE IF NOT EXISTS events (
        id text PRIMARY KEY,
        detecttime timestamp without time zone NOT NULL,
        category text[] NOT NULL,
        description text,
        source_ip iprange[],
        target_ip iprange[],
        source_port integer[],
        target_port integer[],
        source_type text[],
        target_type text[],
        protocol text[],
        node_name text[] NOT NULL,
        node_type text[],
        cesnet_storagetime timestamp without time zone NOT NULL,
        cesnet_resolvedabuses text[],
        cesnet_eventclass text,
        cesnet_eventseverity text,
        cesnet_inspectionerrors text[],
        event bytea
    )",
    "CREATE TABLE IF NOT EXISTS thresholds (
        id text PRIMARY KEY,
        thresholdtime timestamp without time zone NOT NULL,
        relapsetime timestamp without time zone NOT NULL,
        ttltime timestamp without time zone NOT NULL
    )",
    "CREATE TABLE IF NOT EXISTS events_thresholded (
        eventid text NOT NULL,
        keyid text NOT NULL,
        groupname text NOT NULL,
        eventseverity text NOT NULL,
        createtime timestamp without time zone NOT NULL,
        PRIMARY KEY (eventid, keyid)
    )",
    enumerations!(
        "category" "protocol" "node_name" "node_type" "source_type" "target_type" "cesnet_resolvedabuses"
        "cesnet_eventclass" "cesnet_eventseverity" "cesnet_inspectionerrors"
    ),
];

/// Drops all tables.
pub(super) const DROP: &str = "
    DROP TABLE IF EXISTS events CASCADE;
    DROP TABLE IF EXISTS thresholds;
    DROP TABLE IF EXISTS events_thresholded;
    DROP TABLE IF EXISTS enum_category;
    DROP TABLE IF EXISTS enum_protocol;
    DROP TABLE IF EXISTS enum_node_name;
    DROP TABLE IF EXISTS enum_node_type;
    DROP TABLE IF EXISTS enum_source_type;
    DROP TABLE IF EXISTS enum_target_type;
    DROP TABLE IF EXISTS enum_cesnet_resolvedabuses;
    DROP TABLE IF EXISTS enum_cesnet_eventclass;
    DROP TABLE IF EXISTS enum_cesnet_eventseverity;
    DROP TABLE IF EXISTS enum_cesnet_inspectionerrors;
";

/// An index: its name, what creates it and what drops it.
pub(super) struct Index {
    pub name: &'static str,
    pub create: &'static str,
    pub drop: &'static str,
}

macro_rules! indexes {
    ($($name:literal $definition:literal;)*) => {
        &[$(Index {
            name: $name,
            create: concat!("CREATE INDEX IF NOT EXISTS ", $name, " ON ", $definition),
            drop: concat!("DROP INDEX IF EXISTS ", $name),
        },)*]
    };
}

/// The indexes of the tables.
pub(super) const INDEXES: &[Index] = indexes! {
    "events_detecttime_idx" "events USING btree (detecttime)";
    "events_cesnet_storagetime_idx" "events USING btree (cesnet_storagetime)";
    "events_cesnet_eventseverity_idx"
        "events USING btree (cesnet_eventseverity) WHERE cesnet_eventseverity IS NOT NULL";
    "events_combined_idx"
        "events USING gin (category, node_name, protocol, source_port, target_port, source_type, target_type, node_type, cesnet_resolvedabuses, cesnet_inspectionerrors)";
    "thresholds_thresholdtime_idx" "thresholds USING btree (thresholdtime)";
    "thresholds_relapsetime_idx" "thresholds USING btree (relapsetime)";
    "thresholds_ttltime_idx" "thresholds USING btree (ttltime)";
    "events_thresholded_combined_idx" "events_thresholded USING btree (groupname, eventseverity)";
    "events_thresholded_createtime_idx" "events_thresholded USING btree (createtime)";
    "enum_category_lastseen_idx" "enum_category USING btree (last_seen)";
    "enum_protocol_lastseen_idx" "enum_protocol USING btree (last_seen)";
    "enum_node_name_lastseen_idx" "enum_node_name USING btree (last_seen)";
    "enum_node_type_lastseen_idx" "enum_node_type USING btree (last_seen)";
    "enum_source_type_lastseen_idx" "enum_source_type USING btree (last_seen)";
    "enum_target_type_lastseen_idx" "enum_target_type USING btree (last_seen)";
    "enum_cesnet_resolvedabuses_lastseen_idx" "enum_cesnet_resolvedabuses USING btree (last_seen)";
    "enum_cesnet_eventclass_lastseen_idx" "enum_cesnet_eventclass USING btree (last_seen)";
    "enum_cesnet_eventseverity_lastseen_idx" "enum_cesnet_eventseverity USING btree (last_seen)";
    "enum_cesnet_inspectionerrors_lastseen_idx" "enum_cesnet_inspectionerrors USING btree (last_seen)";
};
