//! Queries as PostgreSQL's SQL: a text with numbered placeholders, and arguments that are sent beside it.

use super::time::format_time;
use super::{Address, Aggregate, Bound, Condition, Query, Test, Timeline, UNKNOWN};
use crate::event::{Column, ColumnKind};

/// What a query is to do with the events it finds.
#[derive(Debug, Clone, Copy)]
pub enum Kind<'a> {
    /// Give these columns of them. The only kind that is sorted and limited by the query.
    Select(&'a [Column]),
    /// Count them.
    Count,
    /// Delete them.
    Delete,
    /// Count them by the values of a column.
    Aggregate(Aggregate),
    /// Count them by time: the rows are number of the bucket, value (when it splits), count.
    Timeline(&'a Timeline),
}

/// A value that is sent beside the SQL.
#[derive(Debug, Clone, PartialEq)]
pub enum Argument {
    /// `text`
    Text(String),
    /// `text[]`
    Texts(Vec<String>),
    /// `integer[]`
    Ints(Vec<i64>),
    /// `timestamp`, in microseconds
    Time(i64),
    /// `timestamp[]`
    Times(Vec<i64>),
    /// `iprange`
    Range(Address),
    /// `bigint`
    Int(i64),
}

/// SQL with arguments. No user's text is part of the SQL.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// The SQL around the arguments: always one piece more than there are arguments.
    pieces: Vec<String>,
    /// The arguments, in the order of their numbers.
    pub arguments: Vec<Argument>,
}

impl Statement {
    fn new(head: &str) -> Statement {
        Statement {
            pieces: vec![head.to_string()],
            arguments: Vec::new(),
        }
    }

    fn sql(&mut self, text: &str) -> &mut Statement {
        if let Some(last) = self.pieces.last_mut() {
            last.push_str(text);
        }
        self
    }

    fn name(&mut self, column: Column) -> &mut Statement {
        self.sql("\"").sql(column.name()).sql("\"")
    }

    fn argument(&mut self, argument: Argument) -> &mut Statement {
        self.arguments.push(argument);
        self.pieces.push(String::new());
        self
    }

    /// The SQL with the placeholders `$1`, `$2`, …
    pub fn text(&self) -> String {
        self.filled(|number, _| format!("${number}"))
    }

    /// The SQL with the arguments as literals: to be read, and to be run by hand.
    pub fn mogrify(&self) -> String {
        self.filled(|_, argument| argument.literal())
    }

    fn filled(&self, fill: impl Fn(usize, &Argument) -> String) -> String {
        let mut text = String::new();
        let mut arguments = self.arguments.iter().enumerate();
        for piece in &self.pieces {
            text.push_str(piece);
            if let Some((index, argument)) = arguments.next() {
                text.push_str(&fill(index + 1, argument));
            }
        }
        text
    }
}

impl Argument {
    /// As a literal of PostgreSQL.
    pub fn literal(&self) -> String {
        let array = |items: Vec<String>| format!("ARRAY[{}]", items.join(","));
        match self {
            Argument::Text(text) => quoted(text),
            Argument::Texts(texts) => array(texts.iter().map(|text| quoted(text)).collect()),
            Argument::Ints(ints) => array(ints.iter().map(i64::to_string).collect()),
            Argument::Time(at) => format!("{}::timestamp", quoted(&format_time(*at))),
            Argument::Times(times) => {
                let times = times.iter().map(|at| quoted(&format_time(*at))).collect();
                format!("{}::timestamp[]", array(times))
            }
            Argument::Range(address) => format!("{}::iprange", quoted(&address.text)),
            Argument::Int(int) => int.to_string(),
        }
    }
}

/// A text as a literal, for servers with standard strings, where only the quotation mark is special.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

impl Query {
    /// The query as SQL.
    pub fn sql(&self, kind: Kind<'_>) -> Statement {
        let mut sql = Statement::new("");
        match kind {
            Kind::Select(columns) => {
                sql.sql("SELECT ");
                for (index, column) in columns.iter().enumerate() {
                    sql.sql(if index > 0 { ", " } else { "" }).name(*column);
                }
                sql.sql(" FROM events");
                self.add_conditions(&mut sql, None);
                self.add_paging(&mut sql);
            }
            Kind::Count => {
                sql.sql("SELECT count(id) FROM events");
                self.add_conditions(&mut sql, None);
            }
            Kind::Delete => {
                sql.sql("DELETE FROM events");
                self.add_conditions(&mut sql, None);
            }
            Kind::Aggregate(aggregate) => {
                sql.sql("SELECT set, count FROM (SELECT ");
                add_set(&mut sql, aggregate.column);
                sql.sql(" AS set, count(*) AS count FROM events");
                self.add_conditions(&mut sql, None);
                sql.sql(" GROUP BY set) AS groups ORDER BY count DESC, set COLLATE \"C\"");
                if let Some(limit) = aggregate.limit {
                    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
                    sql.sql(" LIMIT ").argument(Argument::Int(limit));
                }
            }
            Kind::Timeline(timeline) => {
                sql.sql("SELECT width_bucket(")
                    .name(timeline.column)
                    .sql(", ");
                sql.argument(Argument::Times(timeline.starts()))
                    .sql(") - 1 AS bucket, ");
                if let Some(column) = timeline.by {
                    add_set(&mut sql, column);
                    sql.sql(" AS set, ");
                }
                sql.sql("count(*) FROM events");
                self.add_conditions(&mut sql, Some(timeline));
                sql.sql(" GROUP BY bucket");
                sql.sql(if timeline.by.is_some() { ", set" } else { "" });
            }
        }
        sql
    }

    fn add_conditions(&self, sql: &mut Statement, timeline: Option<&Timeline>) {
        let bounds = timeline.map(|timeline| timeline.bounds());
        let all = bounds.iter().flatten().chain(&self.conditions);
        for (index, condition) in all.enumerate() {
            sql.sql(if index == 0 { " WHERE " } else { " AND " });
            add_condition(sql, condition);
        }
    }

    fn add_paging(&self, sql: &mut Statement) {
        if let Some(order) = self.order {
            sql.sql(" ORDER BY ").name(order.column);
            sql.sql(if order.descending { " DESC" } else { " ASC" });
        }
        if let Some(limit) = self.limit {
            sql.sql(" LIMIT ").argument(Argument::Int(limit));
            if self.offset > 0 {
                sql.sql(" OFFSET ").argument(Argument::Int(self.offset));
            }
        }
    }
}

impl Timeline {
    /// Its time as conditions.
    pub(in crate::event) fn bounds(&self) -> [Condition; 2] {
        let bound = |bound, at| Condition::Time {
            column: self.column,
            bound,
            at,
        };
        [bound(Bound::From, self.from), bound(Bound::Before, self.to)]
    }
}

/// The values of a column as texts, one row each.
fn add_set(sql: &mut Statement, column: Column) {
    match column.kind() {
        ColumnKind::Text => {
            sql.sql("COALESCE(")
                .name(column)
                .sql(", '")
                .sql(UNKNOWN)
                .sql("')");
        }
        _ => {
            sql.sql("unnest(").name(column).sql(")::text");
        }
    }
}

fn add_condition(sql: &mut Statement, condition: &Condition) {
    match condition {
        Condition::Time { column, bound, at } => {
            let operator = match bound {
                Bound::From => " >= ",
                Bound::To => " <= ",
                Bound::Before => " < ",
            };
            sql.name(*column)
                .sql(operator)
                .argument(Argument::Time(*at));
        }
        Condition::Addresses { columns, wanted } => {
            sql.sql("(");
            let mut first = true;
            for column in *columns {
                for address in wanted {
                    sql.sql(if first { "" } else { " OR " });
                    sql.argument(Argument::Range(address.clone()));
                    sql.sql(" && ANY(").name(*column).sql(")");
                    first = false;
                }
            }
            sql.sql(")");
        }
        Condition::Ports { columns, wanted } => {
            any_of(sql, columns, |sql, column| {
                sql.name(column)
                    .sql(" && ")
                    .argument(Argument::Ints(wanted.clone()));
            });
        }
        Condition::Texts { columns, test, not } => {
            negated(sql, *not, |sql| {
                any_of(sql, columns, |sql, column| {
                    sql.name(column);
                    match test {
                        Test::Empty => sql.sql(" = '{}'"),
                        Test::Any => sql.sql(" != '{}'"),
                        Test::Among(texts) => {
                            sql.sql(" && ").argument(Argument::Texts(texts.clone()))
                        }
                    };
                });
            });
        }
        Condition::Text { column, test, not } => {
            negated(sql, *not, |sql| match test {
                Test::Empty => {
                    sql.sql("COALESCE(").name(*column).sql(",'') = ''");
                }
                Test::Any => {
                    sql.sql("COALESCE(").name(*column).sql(",'') != ''");
                }
                Test::Among(texts) => {
                    sql.name(*column).sql(" = ANY(");
                    sql.argument(Argument::Texts(texts.clone())).sql(")");
                }
            });
        }
        Condition::Description(text) => {
            sql.name(Column::Description).sql(" = ");
            sql.argument(Argument::Text(text.clone()));
        }
    }
}

/// One test for each of some columns, in parentheses when there are several.
fn any_of(sql: &mut Statement, columns: &[Column], test: impl Fn(&mut Statement, Column)) {
    let several = columns.len() > 1;
    sql.sql(if several { "(" } else { "" });
    for (index, column) in columns.iter().enumerate() {
        sql.sql(if index > 0 { " OR " } else { "" });
        test(sql, *column);
    }
    sql.sql(if several { ")" } else { "" });
}

fn negated(sql: &mut Statement, not: bool, test: impl FnOnce(&mut Statement)) {
    sql.sql(if not { "NOT (" } else { "" });
    test(sql);
    sql.sql(if not { ")" } else { "" });
}
