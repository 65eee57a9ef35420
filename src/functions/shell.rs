//! What the shell knows of its variables: their values and what stood behind `:=`.

use super::spec::{Family, FunctionSpec, Kind, SPEC, fails, optional, repeated, required};
use super::tables::draw;
use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::eval::collections::{Entries, Map, MapKind};
use crate::eval::convert::to_int;
use crate::eval::text::{check_length, to_text, to_text_within};
use crate::eval::{Call, Value};
use smol_str::SmolStr;

/// The functions of this family.
pub const FUNCTIONS: &[FunctionSpec] = &[SHELL_LIST_VARS, SHELL_VARS2MAP, SHELL_GET_EXPRESSION];

const SHELL_LIST_VARS: FunctionSpec = FunctionSpec {
    name: "SHELL_LIST_VARS",
    family: Family::Shell,
    summary: "Draws a table of the shell's variables, their values and what stood behind their :=.",
    parameters: &[optional(
        "wrap",
        Kind::Integer,
        "the width at which values and expressions are broken into lines",
    )],
    returns: "the table as text, ending with a line break",
    errors: &["there is no shell, as in stellar map"],
    examples: &[
        fails("SHELL_LIST_VARS()", "E0217"),
        fails("SHELL_LIST_VARS(20)", "E0217"),
    ],
    see: &["SHELL_VARS2MAP", "SHELL_GET_EXPRESSION", "SHELL_MAP2TABLE"],
    words: &["session", "assignment"],
    pure: false,
    run: list_vars,
    ..SPEC
};

const SHELL_VARS2MAP: FunctionSpec = FunctionSpec {
    name: "SHELL_VARS2MAP",
    family: Family::Shell,
    summary: "Gives what stood behind the := of variables as a map.",
    details: "Together with functions that take maps of expressions this turns what was tried at the shell into a \
              configuration. Variables that do not exist or that were loaded from a file are left out.",
    parameters: &[repeated("names", Kind::Text, "names of variables")],
    returns: "a map of names to expressions, in the order of the arguments",
    errors: &["there is no shell, as in stellar map"],
    examples: &[
        fails("SHELL_VARS2MAP('a', 'b')", "E0217"),
        fails("SHELL_VARS2MAP()", "E0217"),
    ],
    see: &["SHELL_LIST_VARS", "SHELL_GET_EXPRESSION"],
    words: &["session", "assignment"],
    pure: false,
    run: vars_to_map,
    ..SPEC
};

const SHELL_GET_EXPRESSION: FunctionSpec = FunctionSpec {
    name: "SHELL_GET_EXPRESSION",
    family: Family::Shell,
    summary: "Gives what stood behind the := of a variable.",
    parameters: &[required("name", Kind::Text, "the name of a variable")],
    returns: "the expression as text; null for a variable that does not exist or was loaded from a file",
    errors: &["there is no shell, as in stellar map"],
    examples: &[
        fails("SHELL_GET_EXPRESSION('a')", "E0217"),
        fails("SHELL_GET_EXPRESSION()", "E0202"),
    ],
    see: &["SHELL_VARS2MAP", "SHELL_LIST_VARS"],
    words: &["session", "assignment", "source"],
    pure: false,
    run: |call| {
        let written = written(call)?;
        let Value::Text(name) = call.arg(0) else {
            return Ok(Value::Null);
        };
        Ok(expression_of(&written, name).map_or(Value::Null, Value::Text))
    },
    ..SPEC
};

type Written = Vec<(SmolStr, Option<SmolStr>)>;

/// All variables with what stood behind their `:=`. Errors: E0214 where nothing remembers that.
fn written(call: &Call<'_, '_>) -> Outcome<Written> {
    call.context().variables.written().ok_or_else(|| {
        Diagnostic::new(
            Code::NotAvailable,
            format!("{} needs the variables of a shell", call.name),
        )
        .help("it works at the shell, in scripts and in notebooks")
    })
}

fn expression_of(written: &Written, name: &str) -> Option<SmolStr> {
    let mut found = written.iter().filter(|(known, _)| known == name);
    found.find_map(|(_, expression)| expression.clone())
}

fn list_vars(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let width = match call.arg(0) {
        Value::Null => None,
        other => to_int(other).and_then(|n| usize::try_from(n).ok()),
    };
    let width = width.filter(|n| *n > 0);
    let limit = call.context().limits.string;
    let written = written(call)?;
    let variables = call.context().variables.clone();
    let mut rows = Vec::with_capacity(written.len());
    let wrapped = |text: &str| width.map_or(text.to_string(), |width| wrap(text, width));
    for (name, expression) in written {
        call.step()?;
        let value = variables.get(&name).unwrap_or(Value::Null);
        rows.push(vec![
            name.to_string(),
            wrapped(&to_text_within(&value, limit)?),
            wrapped(expression.as_deref().unwrap_or("")),
        ]);
    }
    let table = draw(&["VARIABLE", "VALUE", "EXPRESSION"], &rows);
    check_length(table.len(), limit)?;
    Ok(Value::string(table))
}

fn vars_to_map(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let written = written(call)?;
    let mut entries = Entries::default();
    for name in &call.arguments {
        let name = to_text(name);
        if let Some(expression) = expression_of(&written, &name) {
            entries.insert(Value::Text(name), Value::Text(expression));
        }
    }
    Ok(Value::Map(Map::new(MapKind::Ordered, entries)))
}

/// Breaks a text into lines of at most `width` characters, between words; a longer word keeps its line.
fn wrap(text: &str, width: usize) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        let mut current = String::new();
        for word in line.split(' ') {
            let needed = current.chars().count() + 1 + word.chars().count();
            if !current.is_empty() && needed > width {
                lines.push(std::mem::take(&mut current));
            }
            if !current.is_empty() {
                current.push(' ');
            }
            current.push_str(word);
        }
        lines.push(current);
    }
    lines.join("\n")
}
