//! What `input_sqlite` and `output_sqlite` share: names, types, opening, waiting for a lock.

mod again;
mod input;
mod output;

pub use input::INPUT_SQLITE;
pub use output::OUTPUT_SQLITE;

use crate::diagnostic::{Code, Diagnostic, Fault, Outcome, nearest};
use crate::eval::Value;
use crate::pipeline::spec::{ParameterKind, ParameterSpec, Parameters};
use rusqlite::{Connection, ErrorCode, OpenFlags};
use smol_str::SmolStr;
use std::path::Path;
use std::time::Duration;

/// How long SQLite itself waits for a lock.
const BUSY: Duration = Duration::from_secs(2);

const TYPES: [&str; 6] = ["INTEGER", "REAL", "FLOAT", "TEXT", "BLOB", "NUMERIC"];

const FIELDS: ParameterSpec = ParameterSpec::required(
    "fields",
    ParameterKind::Map,
    "the type of each field in SQL: INTEGER, REAL or FLOAT (which are one), TEXT or BLOB",
);

const FILENAME: ParameterSpec =
    ParameterSpec::required("filename", ParameterKind::Path, "the file of the database");

/// The fields with their types.
fn fields(parameters: &Parameters) -> Outcome<Vec<(SmolStr, &'static str)>> {
    let mut fields: Vec<(SmolStr, &'static str)> = Vec::new();
    for (name, kind) in parameters.map("fields") {
        let (Some(name), Some(kind)) = (name.as_text(), kind.as_text()) else {
            let text = "fields has names of fields and types of SQL";
            return Err(parameters.fault("fields", text));
        };
        let upper = kind.to_ascii_uppercase();
        let Some(known) = TYPES.iter().find(|known| **known == upper) else {
            let near = nearest(&upper, TYPES.iter().copied());
            let text = format!("{kind:?} is no type of a field");
            let fault = parameters.fault("fields", text);
            return Err(match near {
                Some(_) => fault.did_you_mean(near),
                None => fault.help("a field is INTEGER, REAL (or FLOAT), TEXT or BLOB"),
            });
        };
        if fields
            .iter()
            .any(|(other, _)| other.eq_ignore_ascii_case(name))
        {
            let text = format!("for SQLite, {name} is there twice");
            return Err(parameters.fault("fields", text));
        }
        fields.push((name.into(), known));
    }
    match fields.is_empty() {
        true => Err(parameters.fault("fields", "fields is empty")),
        false => Ok(fields),
    }
}

/// A name as it stands in SQL, whatever is in it.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Opens a database that is there, or makes one.
fn open(path: &Path, make: bool) -> rusqlite::Result<Connection> {
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    if make {
        flags |= OpenFlags::SQLITE_OPEN_CREATE;
    }
    let conn = Connection::open_with_flags(path, flags)?;
    conn.busy_timeout(BUSY)?;
    Ok(conn)
}

/// Whether somebody else holds the lock.
fn is_locked(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}

fn fault(code: Code, path: &Path, error: &rusqlite::Error) -> Fault {
    let what = match code {
        Code::CannotWrite => "written",
        _ => "read",
    };
    Diagnostic::new(
        code,
        format!("{} cannot be {what}: {error}", path.display()),
    )
}

/// A value of a database.
fn value_of(value: rusqlite::types::ValueRef<'_>) -> Value {
    use crate::pipeline::yaml::Bytes;
    use rusqlite::types::ValueRef;
    let bytes = |bytes: &[u8]| Value::Object(std::sync::Arc::new(Bytes(bytes.to_vec())));
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(n) => crate::pipeline::step::whole(n),
        ValueRef::Real(n) => Value::Double(n),
        ValueRef::Text(text) => match std::str::from_utf8(text) {
            Ok(text) => Value::text(text),
            Err(_) => bytes(text),
        },
        ValueRef::Blob(blob) => bytes(blob),
    }
}
