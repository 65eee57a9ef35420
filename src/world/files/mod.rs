//! Local files, below the folders that the configuration allows.

mod allowed;
mod list;
mod objects;
#[cfg(test)]
mod tests;

pub use allowed::Files;
pub use objects::Objects;

use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::eval::collections::check_size;
use crate::eval::convert::to_bool;
use crate::eval::{Call, Value};
use crate::functions::spec::{
    Example, Family, FunctionSpec, Kind, Parameter, SPEC, default, example, fails, optional,
    required,
};
pub(super) use allowed::{Found, files, read_all};
use cap_std::fs::OpenOptions;
use std::io::{ErrorKind, Seek, Write};

/// The functions of this family.
pub const FUNCTIONS: &[FunctionSpec] = &[
    LOCAL_READ,
    LOCAL_READ_LINES,
    LOCAL_WRITE,
    LOCAL_LS,
    LOCAL_RM,
    objects::OBJECT_GET,
    objects::ENRICHMENT_OBJECT_GET,
];

pub(crate) const PATH: Parameter = required(
    "path",
    Kind::Text,
    "the path of the file, below a folder that functions.files allows",
);
pub(crate) const NOT_ALLOWED: &str = "functions.files does not allow the path";
const NO_PATH: &str = "the path is empty, or neither a string nor null";
const SPECIAL: &str = "it is a pipe, a device or a socket";
const TOO_LARGE: &str = "the file is larger than [limits] string allows";

/// What every one of them does where nothing is allowed.
const fn refused(expression: &'static str) -> Example {
    fails(expression, "E0217")
}

const LOCAL_READ: FunctionSpec = FunctionSpec {
    name: "LOCAL_READ",
    family: Family::Files,
    summary: "Reads a file as text.",
    details: "Bytes that are no UTF-8 become U+FFFD.",
    parameters: &[PATH],
    returns: "the text; null when the path is null, and when there is no such file or it cannot be read",
    errors: &[NOT_ALLOWED, NO_PATH, SPECIAL, TOO_LARGE],
    examples: &[
        example("LOCAL_READ(null)", "null"),
        refused("LOCAL_READ('/data/watchlist.txt')"),
    ],
    see: &["LOCAL_READ_LINES", "LOCAL_WRITE", "OBJECT_GET"],
    words: &["open", "load", "cat"],
    pure: false,
    run: |call| match text(call)? {
        Some(text) => Ok(Value::string(text)),
        None => Ok(Value::Null),
    },
    ..SPEC
};

const LOCAL_READ_LINES: FunctionSpec = FunctionSpec {
    name: "LOCAL_READ_LINES",
    family: Family::Files,
    summary: "Reads a file as a list of lines.",
    details: "Lines end with a line feed, a carriage return or both; what ends them is no part of them.",
    parameters: &[PATH],
    returns: "a list of strings; null when the path is null, and when there is no such file or it cannot be read",
    errors: &[
        NOT_ALLOWED,
        NO_PATH,
        SPECIAL,
        TOO_LARGE,
        "there are more lines than [limits] collection allows",
    ],
    examples: &[
        example("LOCAL_READ_LINES(null)", "null"),
        refused("LOCAL_READ_LINES('/data/watchlist.txt')"),
    ],
    see: &["LOCAL_READ"],
    words: &["open", "load", "watch list", "list"],
    pure: false,
    run: |call| {
        let Some(text) = text(call)? else {
            return Ok(Value::Null);
        };
        let mut lines: Vec<Value> = Vec::new();
        let mut rest = text.as_str();
        while !rest.is_empty() {
            call.step()?;
            let end = rest.find(['\n', '\r']).unwrap_or(rest.len());
            let (line, behind) = rest.split_at(end);
            lines.push(Value::text(line));
            check_size(lines.len(), call.context().limits.collection)?;
            let both = behind.strip_prefix("\r\n");
            rest = both.or_else(|| behind.get(1..)).unwrap_or("");
        }
        Ok(lines.into())
    },
    ..SPEC
};

const LOCAL_WRITE: FunctionSpec = FunctionSpec {
    name: "LOCAL_WRITE",
    guarded: true,
    family: Family::Files,
    summary: "Writes a text to a file.",
    details: "A file that exists is replaced; folders that do not exist are made. The text is written as UTF-8.",
    parameters: &[required("content", Kind::Text, "the text"), PATH],
    returns: "true when it was written; false when it could not be, or an argument is null",
    errors: &[
        NOT_ALLOWED,
        NO_PATH,
        SPECIAL,
        "the content is neither a string nor null",
    ],
    examples: &[
        example("LOCAL_WRITE(null, '/data/out.txt')", "false"),
        refused("LOCAL_WRITE('text', '/data/out.txt')"),
    ],
    see: &["LOCAL_READ", "LOCAL_RM"],
    words: &["save", "store", "put"],
    pure: false,
    run: write,
    ..SPEC
};

const LOCAL_LS: FunctionSpec = FunctionSpec {
    name: "LOCAL_LS",
    family: Family::Files,
    summary: "Draws the contents of a folder as a table, the oldest first.",
    parameters: &[optional(
        "path",
        Kind::Text,
        "the path of the folder, below one that functions.files allows; the home folder unless given",
    )],
    returns: "the table as text, with permission, owner, group, size, time of the last change and name; \
        an empty one when the path is null or the folder cannot be read",
    errors: &[
        NOT_ALLOWED,
        NO_PATH,
        "the table is longer than [limits] string allows",
    ],
    examples: &[
        example(
            "LOCAL_LS(null)",
            "╔════════════╤═══════╤═══════╤══════╤═══════════════╤══════╗\n\
             ║ PERMISSION │ OWNER │ GROUP │ SIZE │ LAST MOD TIME │ NAME ║\n\
             ╠════════════╧═══════╧═══════╧══════╧═══════════════╧══════╣\n\
             ║ (empty)                                                  ║\n\
             ╚══════════════════════════════════════════════════════════╝\n",
        ),
        refused("LOCAL_LS('/data')"),
    ],
    see: &["LOCAL_READ", "LOCAL_RM"],
    words: &["dir", "directory", "list files"],
    pure: false,
    run: list::list,
    ..SPEC
};

const LOCAL_RM: FunctionSpec = FunctionSpec {
    name: "LOCAL_RM",
    guarded: true,
    family: Family::Files,
    summary: "Removes a file or a folder.",
    details: "Of a link the link itself is removed.",
    parameters: &[
        PATH,
        default(
            "recursive",
            Kind::Boolean,
            "whether a folder is removed with all it holds",
            "false",
        ),
    ],
    returns: "true when it is gone, also when there was nothing; false when it could not be removed, or the path is null",
    errors: &[
        NOT_ALLOWED,
        NO_PATH,
        "it is one of the allowed folders itself",
        "the second argument is neither true nor false",
    ],
    examples: &[
        example("LOCAL_RM(null)", "false"),
        refused("LOCAL_RM('/data/out.txt')"),
    ],
    see: &["LOCAL_WRITE", "LOCAL_LS"],
    words: &["delete", "unlink", "erase"],
    pure: false,
    run: remove,
    ..SPEC
};

/// The path at `index`; `None` for null.
fn path<'a>(call: &'a Call<'_, '_>, index: usize) -> Outcome<Option<&'a str>> {
    match call.arg(index) {
        Value::Text(path) => Ok(Some(path)),
        Value::Null => Ok(None),
        _ => Err(call.wrong_type(index, "a path")),
    }
}

/// The text of the file that the first argument names; `None` when there is nothing to read.
fn text(call: &Call<'_, '_>) -> Outcome<Option<String>> {
    let Some(path) = path(call, 0)? else {
        return Ok(None);
    };
    let spot = files(call)?.spot(call, 0, path, false)?;
    let Found::Open(file) = spot.open(call, 0, OpenOptions::new().read(true))? else {
        return Ok(None);
    };
    let bytes = read_all(call, file, call.context().limits.string)?;
    Ok(bytes.map(|bytes| match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(bad) => String::from_utf8_lossy(bad.as_bytes()).into_owned(),
    }))
}

/// The text of a file that the argument at `index` names. Errors: E0217 outside of what is allowed, E0403 when there is
/// none or it cannot be read, E0402 when it is no UTF-8.
pub fn read_file(call: &Call<'_, '_>, index: usize, path: &str) -> Outcome<String> {
    let fault = |code, what: &str| {
        Diagnostic::new(code, format!("{}: {path} {what}", call.name)).of_argument(index)
    };
    let spot = files(call)?.spot(call, index, path, false)?;
    let unread = || fault(Code::CannotRead, "cannot be read");
    let Found::Open(file) = spot.open(call, index, OpenOptions::new().read(true))? else {
        return Err(unread());
    };
    let bytes = read_all(call, file, call.context().limits.string)?;
    let text = String::from_utf8(bytes.ok_or_else(unread)?);
    text.map_err(|_| fault(Code::NotUtf8, "is not UTF-8"))
}

fn write(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let content = match call.arg(0) {
        Value::Text(content) => content,
        Value::Null => return Ok(Value::Bool(false)),
        _ => return Err(call.wrong_type(0, "a string")),
    };
    let Some(path) = path(call, 1)? else {
        return Ok(Value::Bool(false));
    };
    let spot = files(call)?.spot(call, 1, path, false)?;
    if let Some(parent) = spot
        .way
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        && let Err(error) = spot.folder.create_dir_all(parent)
    {
        spot.refused(call, 1, &error)?;
        return Ok(Value::Bool(false));
    }
    // It is emptied only when it has proved to be a plain file.
    let mut options = OpenOptions::new();
    let Found::Open(mut file) = spot.open(call, 1, options.write(true).create(true))? else {
        return Ok(Value::Bool(false));
    };
    let written = file
        .set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| file.write_all(content.as_bytes()));
    Ok(Value::Bool(written.is_ok()))
}

fn remove(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let Some(path) = path(call, 0)? else {
        return Ok(Value::Bool(false));
    };
    let recursive = match to_bool(call.arg(1)) {
        _ if call.count() < 2 => false,
        Some(recursive) => recursive,
        None => return Err(call.wrong_type(1, "true or false")),
    };
    let spot = files(call)?.spot(call, 0, path, true)?;
    if spot.way.as_os_str().is_empty() {
        return Err(call.wrong_value(0, "an allowed folder itself cannot be removed"));
    }
    let gone = spot
        .folder
        .symlink_metadata(&spot.way)
        .and_then(|metadata| match (metadata.is_dir(), recursive) {
            (true, true) => spot.folder.remove_dir_all(&spot.way),
            (true, false) => spot.folder.remove_dir(&spot.way),
            (false, _) => spot.folder.remove_file(&spot.way),
        });
    match gone {
        Ok(()) => Ok(Value::Bool(true)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Value::Bool(true)),
        Err(error) => {
            spot.refused(call, 0, &error)?;
            Ok(Value::Bool(false))
        }
    }
}
