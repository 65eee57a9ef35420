//! From what a query says to what is done with each row.

use super::aggregate::{KINDS, Kind};
use super::layout::{Layout, Place};
use super::tree::{Clause, Every, Item, Tree, Written};
use crate::diagnostic::{Code, Diagnostic, Fault, Outcome, Source as Text, Span, nearest};
use crate::eval::convert::condition;
use crate::eval::{Context, Program, Value, compile_tree};
use crate::input::{Catalogue, Column, Columns, EVENTDATE, Source};
use crate::syntax::{self, Expr, ExprKind, ParseLimits, print};
use smol_str::{SmolStr, format_smolstr};
use std::sync::Arc;

/// An expression that knows where its variables are.
pub(super) struct Bound {
    program: Arc<Program>,
    places: Vec<Place>,
    layout: usize,
    span: Span,
}

impl Bound {
    /// Its value in a row. Errors: of the evaluation, with its place in the query.
    pub fn value(
        &self,
        layouts: &[Layout],
        time: i64,
        row: &[Value],
        context: &Context,
    ) -> Outcome<Value> {
        let Some(layout) = layouts.get(self.layout) else {
            return Ok(Value::Null);
        };
        if let (Some(_), [place]) = (self.program.variable(), self.places.as_slice()) {
            return Ok(layout.value(place, time, row));
        }
        let places = self.places.iter();
        let slots: smallvec::SmallVec<[Value; 8]> =
            places.map(|place| layout.value(place, time, row)).collect();
        self.program.run(context, &slots)
    }

    /// Whether a row is kept, as `filter` decides it. Errors: E0406.
    pub fn holds(&self, value: &Value) -> Outcome<bool> {
        condition(value).ok_or_else(|| {
            let found = value.kind_in_words();
            bad_condition(self.span, &found).in_source(&self.program.source)
        })
    }
}

/// One step.
pub(super) enum Stage {
    /// Rows for which all are true go on.
    Where(Vec<Bound>),
    /// New rows.
    Select(Vec<Made>),
    /// Rows become groups.
    Group(Group),
    /// So many rows are left out.
    Offset(u64),
    /// So many rows go on; then the query ends.
    Limit(u64),
}

/// A value of a new row.
pub(super) enum Made {
    Copied(Place),
    Computed(Bound),
}

/// Rows that become groups.
pub(super) struct Group {
    /// The length of a bucket in milliseconds.
    pub every: Option<Every>,
    pub keys: Vec<Bound>,
    pub aggregates: Vec<(Kind, Option<Bound>)>,
    pub span: Span,
}

/// A query that can be run: compiled against the columns of its source.
pub struct Query {
    pub(super) source: Arc<dyn Source>,
    pub(super) stages: Vec<Stage>,
    /// The layouts that expressions see; the first is what the source is asked for.
    pub(super) layouts: Vec<Layout>,
    /// Its text.
    pub text: Arc<Text>,
    /// The name of its source.
    pub from: SmolStr,
}

impl Query {
    /// Reads and compiles a query; its source is found in the context's [`Catalogue`].
    ///
    /// Errors: E0410 with the place of an unknown source or column or of a clause that has no meaning there; of
    /// expressions E01xx, E02xx and E03xx; of the source.
    pub fn compile(text: &str, context: &Context) -> Outcome<Query> {
        let limits = ParseLimits {
            length: context.limits.expression,
            depth: context.limits.depth,
        };
        let tree = super::parse(text, limits)?;
        let source = tree.text.clone();
        plan(tree, limits, context).map_err(|fault| fault.in_source(&source))
    }

    /// The columns of its rows; with `open` there are those of the source besides.
    pub fn columns(&self) -> Columns {
        let Some(layout) = self.layouts.last() else {
            return Columns::Open;
        };
        match layout.whole {
            Some(_) => Columns::Open,
            None => Columns::Fixed(layout.columns.clone()),
        }
    }

    /// Whether it counts rows: it leaves out the first ones, or ends after some.
    pub fn is_limited(&self) -> bool {
        let mut stages = self.stages.iter();
        stages.any(|stage| matches!(stage, Stage::Limit(_) | Stage::Offset(_)))
    }

    /// Whether its rows are groups of others.
    pub fn is_grouped(&self) -> bool {
        let mut stages = self.stages.iter();
        stages.any(|stage| matches!(stage, Stage::Group(_)))
    }

    /// Whether it never ends.
    pub fn is_endless(&self) -> bool {
        let mut stages = self.stages.iter();
        self.grows() && !stages.any(|stage| matches!(stage, Stage::Limit(_)))
    }

    /// Whether rows may come for ever.
    pub fn grows(&self) -> bool {
        self.source.grows()
    }

    /// Whether its source can be followed.
    pub fn follows(&self) -> bool {
        self.source.follows()
    }
}

fn plan(tree: Tree, limits: ParseLimits, context: &Context) -> Outcome<Query> {
    let catalogue = context.services.get::<Catalogue>();
    let found = catalogue.as_ref().and_then(|all| all.get(&tree.from.name));
    let Some(source) = found else {
        let names = catalogue
            .as_ref()
            .map(|all| all.iter().map(|(name, _)| name.as_str()));
        let near = names.and_then(|names| nearest(&tree.from.name, names));
        let message = format!("there is no source {}", tree.from.name);
        let fault = Diagnostic::at(Code::BadQuery, tree.from.span, message);
        return Err(match near {
            Some(near) => fault.did_you_mean(Some(near)),
            None => fault.help(
                "stellar query sources lists them; [sources.NAME] in the configuration adds one",
            ),
        });
    };
    let columns = source.columns(context);
    let first = match columns.map_err(|fault| fault.or_at(tree.from.span))? {
        Columns::Fixed(columns) => Layout {
            columns,
            ..Layout::default()
        },
        Columns::Open => Layout {
            open: true,
            ..Layout::default()
        },
    };
    let mut planner = Planner {
        tree: &tree,
        limits,
        context,
        layouts: vec![first],
        stages: Vec::new(),
        group: None,
    };
    for clause in &tree.clauses {
        planner.clause(clause)?;
    }
    planner.finish()?;
    Ok(Query {
        source,
        layouts: planner.layouts,
        stages: planner.stages,
        text: tree.text.clone(),
        from: tree.from.name.clone(),
    })
}

struct Planner<'p> {
    tree: &'p Tree,
    limits: ParseLimits,
    context: &'p Context,
    layouts: Vec<Layout>,
    stages: Vec<Stage>,
    /// The last group: its stage, and the layout of the rows that it takes.
    group: Option<(usize, usize)>,
}

fn bad_condition(span: Span, found: &str) -> Fault {
    Diagnostic::at(
        Code::NotBoolean,
        span,
        format!("this is {found}, neither true nor false"),
    )
}

fn bad(span: Span, message: impl Into<String>) -> Fault {
    Diagnostic::at(Code::BadQuery, span, message)
}

impl Planner<'_> {
    fn now(&self) -> usize {
        self.layouts.len().saturating_sub(1)
    }

    fn clause(&mut self, clause: &Clause) -> Outcome<()> {
        match clause {
            Clause::Where(conditions) => {
                let all = conditions.iter().map(|written| self.bound(written));
                let all = all.collect::<Outcome<_>>()?;
                self.stages.push(Stage::Where(all));
            }
            Clause::Select(items, _) => self.select(items)?,
            Clause::Group { every, by, span } => self.group(*every, by, *span)?,
            Clause::Every(every) => self.every(*every)?,
            Clause::Offset(count, _) => self.stages.push(Stage::Offset(*count)),
            Clause::Limit(count, _) => self.stages.push(Stage::Limit(*count)),
        }
        Ok(())
    }

    /// Without a select at the end an open source gives whole rows.
    fn finish(&mut self) -> Outcome<()> {
        let now = self.now();
        let Some(last) = self.layouts.get_mut(now).filter(|last| last.open) else {
            return Ok(());
        };
        let at = last.place("_");
        last.open = false;
        self.layouts.push(Layout {
            columns: vec![Column::new("_", "json")],
            whole: Some(0),
            ..Layout::default()
        });
        self.stages
            .push(Stage::Select(at.map(Made::Copied).into_iter().collect()));
        Ok(())
    }

    fn select(&mut self, items: &[Item]) -> Outcome<()> {
        let now = self.now();
        let mut next = Layout::default();
        let mut made = Vec::new();
        for item in items {
            match item {
                Item::All(_) => self.all(now, &mut next, &mut made),
                Item::One(written, name) => {
                    let (name, place) = match name {
                        Some(name) => (name.name.clone(), name.span),
                        None => (self.name_of(written), written.span),
                    };
                    if next.find(&name).is_some() {
                        return Err(bad(place, format!("there are two columns {name}"))
                            .help("write EXPRESSION as NAME"));
                    }
                    let kind = self.kind_of(written, now);
                    let bound = self.bound(written)?;
                    next.columns.push(Column { name, kind });
                    made.push(Made::Computed(bound));
                }
            }
        }
        self.layouts.push(next);
        self.stages.push(Stage::Select(made));
        Ok(())
    }

    /// `*`: all columns that are known, or the whole row.
    fn all(&mut self, now: usize, next: &mut Layout, made: &mut Vec<Made>) {
        let Some(layout) = self.layouts.get_mut(now) else {
            return;
        };
        let whole = match layout.open {
            true => layout.place("_"),
            false => layout.whole.map(Place::At),
        };
        if let Some(place) = whole {
            next.columns.push(Column::new("_", "json"));
            next.whole = Some(next.columns.len() - 1);
            made.push(Made::Copied(place));
            return;
        }
        if layout.find(EVENTDATE).is_none() {
            next.columns.push(Column::new(EVENTDATE, "timestamp"));
            made.push(Made::Copied(Place::Time));
        }
        for (at, column) in layout.columns.iter().enumerate() {
            next.columns.push(column.clone());
            made.push(Made::Copied(Place::At(at)));
        }
    }

    fn group(&mut self, every: Option<Every>, by: &[Item], span: Span) -> Outcome<()> {
        let mut columns = vec![Column::new(EVENTDATE, "timestamp")];
        let mut keys = Vec::new();
        let now = self.now();
        for item in by {
            let Item::One(written, name) = item else {
                return Err(bad(span, "group by needs the names of columns, not *"));
            };
            let name = name
                .as_ref()
                .map_or_else(|| self.name_of(written), |name| name.name.clone());
            let kind = self.kind_of(written, now);
            keys.push(self.bound(written)?);
            if columns.iter().any(|column| column.name == name) {
                return Err(bad(written.span, format!("there are two columns {name}")));
            }
            columns.push(Column { name, kind });
        }
        self.group = Some((self.stages.len(), now));
        if let Some(layout) = self.layouts.get_mut(now) {
            layout.aliases.clear();
        }
        self.layouts.push(Layout {
            columns,
            ..Layout::default()
        });
        self.stages.push(Stage::Group(Group {
            every,
            keys,
            aggregates: Vec::new(),
            span,
        }));
        Ok(())
    }

    /// How often groups are told: a multiple of how long they are.
    fn every(&mut self, every: Every) -> Outcome<()> {
        let stage = self.group.and_then(|(stage, _)| self.stages.get_mut(stage));
        let Some(Stage::Group(group)) = stage else {
            return Err(
                bad(every.span, "every stands behind a group").help("write group every 5m by …")
            );
        };
        match group.every {
            Some(before) if every.millis % before.millis != 0 => {
                return Err(bad(
                    every.span,
                    "this is no multiple of the length of the groups",
                )
                .also(before.span, "this one"));
            }
            _ => group.every = Some(every),
        }
        Ok(())
    }

    /// The name of a column that was given none: what is written.
    fn name_of(&self, written: &Written) -> SmolStr {
        match &written.tree.inner().kind {
            ExprKind::Name(name) => name.clone(),
            _ => print(&written.tree, usize::MAX).into(),
        }
    }

    fn kind_of(&self, written: &Written, now: usize) -> &'static str {
        let layout = self.layouts.get(now);
        match &written.tree.inner().kind {
            ExprKind::Name(name) if name == EVENTDATE => "timestamp",
            ExprKind::Name(name) => layout.map_or("", |layout| {
                let column = layout.find(name).and_then(|at| layout.columns.get(at));
                column.map_or("", |column| column.kind)
            }),
            ExprKind::Call { name, .. } => Kind::named(name).map_or("", Kind::column),
            ExprKind::Comparison(..) | ExprKind::Logic(..) | ExprKind::Not(_) => "bool",
            _ => "",
        }
    }

    fn bound(&mut self, written: &Written) -> Outcome<Bound> {
        let tree = self.lifted(written)?;
        let layout = self.now();
        self.bind(tree.as_ref().unwrap_or(&written.tree), layout)
    }

    fn bind(&mut self, tree: &Expr, layout: usize) -> Outcome<Bound> {
        let program = compile_tree(Some(tree), &self.tree.text, &[], self.context);
        if let Some(problem) = program.problems.first() {
            return Err(Box::new((**problem).clone()));
        }
        let mut places = Vec::new();
        for name in &program.variables {
            let known = self
                .layouts
                .get_mut(layout)
                .and_then(|seen| seen.place(name));
            let Some(place) = known else {
                return Err(self.no_column(name, tree, layout));
            };
            places.push(place);
        }
        Ok(Bound {
            program,
            places,
            layout,
            span: tree.span,
        })
    }

    fn no_column(&self, name: &str, tree: &Expr, layout: usize) -> Fault {
        let columns = self.layouts.get(layout).map(|seen| seen.columns.as_slice());
        let names = columns
            .unwrap_or_default()
            .iter()
            .map(|column| column.name.as_str());
        let others = names.clone().filter(|name| *name != EVENTDATE).take(20);
        let shown: Vec<&str> = std::iter::once(EVENTDATE).chain(others).collect();
        let near = nearest(name, names);
        bad(
            place_of(tree, name).unwrap_or(tree.span),
            format!("there is no column {name} here"),
        )
        .did_you_mean(near)
        .note(format!("there are {}", shown.join(", ")))
    }

    /// The expression with a variable for each aggregate in it; the group before computes them. `None` when there are
    /// none.
    fn lifted(&mut self, written: &Written) -> Outcome<Option<Expr>> {
        let mut calls = Vec::new();
        aggregates(&written.tree, &mut calls);
        if calls.is_empty() {
            return Ok(None);
        }
        let text = self.tree.text.text.clone();
        let mut padded = " ".repeat(written.span.start);
        padded.push_str(
            text.get(written.span.start..written.span.end)
                .unwrap_or_default(),
        );
        for (kind, call) in calls {
            let alias = self.aggregate(kind, call, &padded)?;
            // A variable is never longer than the shortest call, so every place stays what it was.
            let width = call.span.end - call.span.start;
            padded.replace_range(call.span.start..call.span.end, &format!("{alias:<width$}"));
        }
        let limits = ParseLimits {
            length: usize::MAX,
            ..self.limits
        };
        syntax::parse(&Arc::new(Text::named("query", padded)), limits)
    }

    /// The variable that stands for a call of an aggregate.
    fn aggregate(&mut self, kind: Kind, call: &Expr, text: &str) -> Outcome<SmolStr> {
        let ExprKind::Call {
            name, arguments, ..
        } = &call.kind
        else {
            return Err(bad(call.span, "this is no call"));
        };
        let Some((stage, below)) = self.group else {
            return Err(bad(call.span, format!("{name} needs a group before it"))
                .help("write group every 5m by COLUMN select …, or group for all rows together"));
        };
        let above = self.now();
        // Behind a select the values of the group are gone.
        if above != below + 1 {
            return Err(bad(
                call.span,
                format!("{name} must stand in the first select behind its group"),
            ));
        }
        let argument = match (arguments.as_slice(), kind) {
            ([], Kind::Count) => None,
            ([one], _) => {
                let mut inner = Vec::new();
                aggregates(one, &mut inner);
                if let Some((_, inner)) = inner.first() {
                    return Err(bad(
                        inner.span,
                        "an aggregate of an aggregate needs two groups",
                    ));
                }
                Some(self.bind(one, below)?)
            }
            (all, _) => {
                let wants = if kind == Kind::Count {
                    "no argument or one"
                } else {
                    "one argument"
                };
                let message = format!("{name} takes {wants}, not {}", all.len());
                return Err(bad(call.span, message));
            }
        };
        let shown = print(call, usize::MAX);
        let Some(layout) = self.layouts.get_mut(above) else {
            return Err(bad(call.span, "no group is here"));
        };
        if let Some(at) = layout.find(&shown)
            && let Some((alias, _)) = layout.aliases.iter().find(|(_, known)| *known == at)
        {
            return Ok(alias.clone());
        }
        let mut number = layout.aliases.len();
        let mut alias = format_smolstr!("_{number}");
        while text.contains(alias.as_str())
            || layout.aliases.iter().any(|(known, _)| *known == alias)
        {
            number += 1;
            alias = format_smolstr!("_{number}");
        }
        layout.columns.push(Column {
            name: shown.into(),
            kind: kind.column(),
        });
        layout
            .aliases
            .push((alias.clone(), layout.columns.len() - 1));
        if let Some(Stage::Group(group)) = self.stages.get_mut(stage) {
            group.aggregates.push((kind, argument));
        }
        Ok(alias)
    }
}

/// All calls of aggregates in an expression, the outermost only, from left to right.
fn aggregates<'e>(tree: &'e Expr, found: &mut Vec<(Kind, &'e Expr)>) {
    if let ExprKind::Call { name, .. } = &tree.kind
        && let Some(kind) = Kind::named(name)
    {
        found.push((kind, tree));
        return;
    }
    tree.children(|part| aggregates(part, found));
}

/// Where a variable stands.
fn place_of(tree: &Expr, name: &str) -> Option<Span> {
    match &tree.kind {
        ExprKind::Name(known) | ExprKind::Exists(known) if known == name => Some(tree.span),
        _ => {
            let mut found = None;
            tree.children(|part| found = found.or_else(|| place_of(part, name)));
            found
        }
    }
}

/// The names of all aggregates, for completion and pages.
pub fn aggregate_names() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|(name, _)| *name)
}
