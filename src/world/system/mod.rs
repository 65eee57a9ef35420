//! Environment, properties, time.

use crate::diagnostic::Outcome;
use crate::eval::text::to_text;
use crate::eval::{Call, Context, Value};
use crate::functions::spec::{Family, FunctionSpec, Kind, SPEC, example, optional};

#[cfg(test)]
mod tests;

/// The functions of this family.
pub const FUNCTIONS: &[FunctionSpec] = &[NOW, SYSTEM_ENV_GET, SYSTEM_PROPERTY_GET];

const NOW: FunctionSpec = FunctionSpec {
    name: "NOW",
    family: Family::System,
    summary: "Tells what time it is.",
    details: "With a fixed clock (--now) it is always that time.",
    returns: "milliseconds since 1970-01-01T00:00Z, a long",
    examples: &[
        example("NOW() > 1500000000000L", "true"),
        example("LENGTH(TO_STRING(NOW()))", "13"),
    ],
    see: &["DATE_FORMAT", "TO_EPOCH_TIMESTAMP"],
    words: &["time", "clock", "today", "current", "timestamp"],
    pure: false,
    run: |call| Ok(Value::Long(call.context().clock.now())),
    ..SPEC
};

const SYSTEM_ENV_GET: FunctionSpec = FunctionSpec {
    name: "SYSTEM_ENV_GET",
    guarded: true,
    family: Family::System,
    summary: "Reads an environment variable.",
    parameters: &[optional("env_var", Kind::Text, "the name of the variable")],
    returns: "a string; null when there is no such variable, or the argument is missing or no string",
    examples: &[
        example("SYSTEM_ENV_GET('NO_SUCH_VARIABLE')", "null"),
        example("SYSTEM_ENV_GET(null)", "null"),
        example("SYSTEM_ENV_GET()", "null"),
    ],
    see: &["SYSTEM_PROPERTY_GET"],
    words: &["getenv", "shell variable"],
    pure: false,
    run: |call| {
        let value = call.arg(0).as_text().and_then(environment);
        Ok(value.map_or(Value::Null, Value::string))
    },
    ..SPEC
};

const SYSTEM_PROPERTY_GET: FunctionSpec = FunctionSpec {
    name: "SYSTEM_PROPERTY_GET",
    family: Family::System,
    summary: "Reads a property of the system.",
    details: "A global of that name ([globals] in the configuration, %define in the shell) comes first. The others have the names \
        that Java programs know: file.encoding, file.separator, path.separator, line.separator, java.io.tmpdir, os.name, os.arch, \
        user.name, user.home, user.dir, user.timezone, user.language and user.country; \
        zone and locale are those of the session.",
    parameters: &[optional("key", Kind::Text, "the name of the property")],
    returns: "a string; null when there is no such property, or the argument is missing or no string",
    examples: &[
        example("SYSTEM_PROPERTY_GET('file.encoding')", "UTF-8"),
        example("SYSTEM_PROPERTY_GET('user.timezone')", "UTC"),
        example("SYSTEM_PROPERTY_GET('no.such.property')", "null"),
    ],
    see: &["SYSTEM_ENV_GET"],
    words: &["getProperty", "global"],
    pure: false,
    run: property_get,
    ..SPEC
};

/// A variable of the environment; not its name but its bytes may be no Unicode.
fn environment(name: &str) -> Option<String> {
    // The system refuses these names; asking for them is no error.
    if name.is_empty() || name.contains(['=', '\0']) {
        return None;
    }
    std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
}

fn property_get(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let Some(key) = call.arg(0).as_text() else {
        return Ok(Value::Null);
    };
    let context = call.context();
    let global = context.globals.read().get(key).cloned();
    if let Some(value) = global.filter(|value| !value.is_null()) {
        return Ok(Value::Text(to_text(&value)));
    }
    Ok(property(key, context).map_or(Value::Null, Value::string))
}

/// What Java would say of this system, without asking one.
fn property(key: &str, context: &Context) -> Option<String> {
    let path = |path: std::path::PathBuf| path.to_string_lossy().into_owned();
    let tag = || context.locale.tag().split(['_', '-']);
    let text = match key {
        "file.encoding" => "UTF-8".to_string(),
        "file.separator" => std::path::MAIN_SEPARATOR_STR.to_string(),
        "path.separator" => if cfg!(windows) { ";" } else { ":" }.to_string(),
        "line.separator" => if cfg!(windows) { "\r\n" } else { "\n" }.to_string(),
        "java.io.tmpdir" => path(std::env::temp_dir()),
        "os.name" => match std::env::consts::OS {
            "linux" => "Linux".to_string(),
            "macos" => "Mac OS X".to_string(),
            other => other.to_string(),
        },
        "os.arch" => match std::env::consts::ARCH {
            "x86_64" => "amd64".to_string(),
            other => other.to_string(),
        },
        "user.name" => ["USER", "LOGNAME", "USERNAME"]
            .iter()
            .find_map(|name| environment(name))?,
        "user.home" => environment("HOME").or_else(|| environment("USERPROFILE"))?,
        "user.dir" => path(std::env::current_dir().ok()?),
        "user.timezone" => context.zone.id().to_string(),
        "user.language" => tag().next()?.to_string(),
        "user.country" => tag().nth(1)?.to_string(),
        _ => return None,
    };
    Some(text)
}
