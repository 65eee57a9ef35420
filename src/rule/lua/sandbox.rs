//! A state of Lua that has what rules need and nothing more.

use super::places::Place;
use super::shared::Shared;
use super::{globals, grouping, numbers, storage, strings};
use mlua::chunk::Compiler;
use mlua::debug::Debug;
use mlua::{Function, Lua, LuaOptions, Result, StdLib, Table, Value as LuaValue, VmState};
use std::rc::Rc;

/// How many frames are looked through for the line of a stopped call; built-ins have none.
const FRAMES: usize = 8;

/// The functions of Lua that rules may use.
const FUNCTIONS: &[&str] = &[
    "_VERSION",
    "assert",
    "error",
    "getmetatable",
    "ipairs",
    "next",
    "pairs",
    "pcall",
    "rawequal",
    "rawget",
    "rawlen",
    "rawset",
    "select",
    "setmetatable",
    "tonumber",
    "tostring",
    "type",
    "unpack",
    "xpcall",
];

/// The libraries, with what they may have; an empty list is all.
const LIBRARIES: &[(&str, &[&str])] = &[
    (
        "coroutine",
        &[
            "create",
            "isyieldable",
            "resume",
            "running",
            "status",
            "wrap",
            "yield",
        ],
    ),
    ("math", &[]),
    ("os", &["clock", "date", "difftime", "time"]),
    (
        "string",
        &[
            "byte", "char", "find", "format", "gmatch", "gsub", "len", "lower", "match", "rep",
            "reverse", "sub", "upper",
        ],
    ),
    (
        "table",
        &[
            "concat", "foreach", "foreachi", "getn", "insert", "maxn", "remove", "sort", "unpack",
        ],
    ),
];

/// Functions that Luau would otherwise take its own for, without looking at ours.
const OURS: &[&str] = &["tonumber"];

/// Operators that Luau reads otherwise; see [`super::source`].
const OPERATORS: &str = r"
local type, getmetatable = type, getmetatable
local function ordered(a, b, event)
  local kind = type(a)
  if kind ~= type(b) then return false end
  if kind == 'number' or kind == 'string' then return true end
  if kind ~= 'table' then return false end
  local meta = getmetatable(a)
  return type(meta) == 'table' and meta[event] ~= nil
end
function __lt(a, b) return ordered(a, b, '__lt') and a < b end
function __gt(a, b) return ordered(a, b, '__lt') and a > b end
function __le(a, b) return ordered(a, b, '__le') and a <= b end
function __ge(a, b) return ordered(a, b, '__le') and a >= b end
local sort, few = table.sort, 1000
function table.sort(list, order)
  if order == nil and #list > few then
    order = function(a, b) return a < b end
  end
  return sort(list, order)
end
";

/// Makes a state for a rule.
pub(super) fn make(shared: &Rc<Shared>) -> Result<Lua> {
    let libraries = StdLib::COROUTINE | StdLib::TABLE | StdLib::OS | StdLib::STRING | StdLib::MATH;
    let lua = Lua::new_with(libraries, LuaOptions::new().catch_rust_panics(false))?;
    let all = lua.globals();
    lua.load(OPERATORS).set_name("=operators").exec()?;
    let strings: Table = all.get("string")?;
    strings::add(&lua, &strings, shared)?;
    restrict(&all)?;
    all.raw_set("tonumber", lua.create_function(numbers::tonumber)?)?;
    all.raw_set("loadstring", LuaValue::Nil)?;
    bits(&lua, &all)?;
    time(&lua, &all, shared)?;
    globals::add(&lua, &all, shared)?;
    all.raw_set("storage", storage::module(&lua, shared)?)?;
    all.raw_set("grouper", grouping::module(&lua, shared)?)?;
    lua.set_compiler(
        Compiler::new()
            .set_optimization_level(1)
            .set_debug_level(1)
            .set_disabled_builtins(OURS.iter().copied()),
    );
    lua.sandbox(true)?;
    let own = shared.clone();
    lua.set_interrupt(move |lua| {
        own.check().map(|()| VmState::Continue).inspect_err(|_| {
            let place = |frame: &Debug<'_>| {
                let line = u32::try_from(frame.current_line()?).ok()?;
                Place::of(frame.source().source.as_deref()?, line)
            };
            let at = |level| lua.inspect_stack(level, |frame| place(frame)).flatten();
            own.guard.stopped_at((0..FRAMES).find_map(at));
        })
    });
    lua.set_memory_limit(shared.guard.limits().memory)?;
    Ok(lua)
}

/// Takes away what no list has.
fn restrict(all: &Table) -> Result<()> {
    let names = |table: &Table| -> Result<Vec<String>> {
        let keys = table.pairs::<String, LuaValue>();
        keys.map(|pair| pair.map(|(name, _)| name)).collect()
    };
    for name in names(all)? {
        let library = LIBRARIES.iter().find(|(library, _)| *library == name);
        let operator = name.starts_with("__");
        if library.is_none() && !operator && !FUNCTIONS.contains(&name.as_str()) {
            all.raw_set(name, LuaValue::Nil)?;
        } else if let Some((_, allowed)) = library.filter(|(_, allowed)| !allowed.is_empty()) {
            let table: Table = all.raw_get(name)?;
            for inner in names(&table)? {
                let added = matches!(inner.as_str(), "search" | "contains");
                if !added && !allowed.contains(&inner.as_str()) {
                    table.raw_set(inner, LuaValue::Nil)?;
                }
            }
        }
    }
    Ok(())
}

/// Bit operators on whole numbers of 64 bits.
fn bits(lua: &Lua, all: &Table) -> Result<()> {
    type Operator = fn(u64, u64) -> u64;
    let operators: [(&str, Operator); 5] = [
        ("__band", |a, b| a & b),
        ("__bor", |a, b| a | b),
        ("__bxor", |a, b| a ^ b),
        ("__shl", |a, b| {
            u32::try_from(b)
                .ok()
                .and_then(|b| a.checked_shl(b))
                .unwrap_or(0)
        }),
        ("__shr", |a, b| {
            u32::try_from(b)
                .ok()
                .and_then(|b| a.checked_shr(b))
                .unwrap_or(0)
        }),
    ];
    for (name, operator) in operators {
        let function = move |_: &Lua, (a, b): (LuaValue, LuaValue)| {
            Ok(operator(whole(&a)?, whole(&b)?) as f64)
        };
        all.raw_set(name, lua.create_function(function)?)?;
    }
    Ok(())
}

fn whole(value: &LuaValue) -> Result<u64> {
    let number = match value {
        LuaValue::Number(x) => Some(*x),
        LuaValue::Integer(n) => Some(*n as f64),
        LuaValue::String(text) => text.to_str().ok().and_then(|text| text.trim().parse().ok()),
        _ => None,
    };
    let number = number.ok_or_else(|| {
        mlua::Error::runtime(format!(
            "bit operators need numbers, not {}",
            value.type_name()
        ))
    })?;
    Ok(match number < 0.0 {
        true => (number as i64) as u64,
        false => number as u64,
    })
}

/// `os.time()` is the time of the program, which may be fixed.
fn time(lua: &Lua, all: &Table, shared: &Rc<Shared>) -> Result<()> {
    let os: Table = all.get("os")?;
    let now = shared.now.clone();
    let of_parts: Function = os.raw_get("time")?;
    let time = lua.create_function(move |_, parts: Option<Table>| match parts {
        Some(parts) => of_parts.call::<LuaValue>(parts),
        None => Ok(LuaValue::Number((now().div_euclid(1000)) as f64)),
    })?;
    os.raw_set("time", time)?;
    let now = shared.now.clone();
    let of_time: Function = os.raw_get("date")?;
    let date = lua.create_function(move |_, (format, time): (Option<LuaValue>, Option<f64>)| {
        let time = time.unwrap_or_else(|| now().div_euclid(1000) as f64);
        of_time.call::<LuaValue>((format, time))
    })?;
    os.raw_set("date", date)
}
