//! `storage`: table lists in the hands of a rule.

use super::shared::Shared;
use super::values::{from_lua, loose_text, to_lua};
use crate::diagnostic::{Fault, Outcome};
use crate::eval::Value;
use crate::rule::duration;
use crate::rule::tables::Tables;
use mlua::{Lua, Result, Table, UserData, UserDataFields, UserDataMethods, Value as LuaValue};
use smol_str::SmolStr;
use std::rc::Rc;
use std::time::{Duration, Instant};

struct Store {
    name: SmolStr,
    shared: Rc<Shared>,
}

/// The table `storage`.
pub(super) fn module(lua: &Lua, shared: &Rc<Shared>) -> Result<Table> {
    let module = lua.create_table()?;
    let shared = shared.clone();
    let new = lua.create_function(move |_, name: LuaValue| {
        let name = loose_text(&name)?;
        let name = name.ok_or_else(|| mlua::Error::runtime("storage.new needs a name"))?;
        Ok(Store {
            name,
            shared: shared.clone(),
        })
    })?;
    module.raw_set("new", new)?;
    Ok(module)
}

fn failed(fault: Fault) -> mlua::Error {
    mlua::Error::runtime(fault.message.clone())
}

impl Store {
    fn now(&self) -> i64 {
        (self.shared.now)()
    }

    /// Asks the table lists, which may lie on a server: a call waits for them some time, then no more.
    fn ask<T>(&self, work: impl FnOnce(&dyn Tables) -> Outcome<T>) -> Result<T> {
        let guard = &self.shared.guard;
        if !guard.may_wait() {
            let text = "this call has waited too long for table lists";
            return Err(mlua::Error::runtime(text));
        }
        let began = Instant::now();
        let answer = work(&*self.shared.tables);
        guard.waited(began.elapsed());
        answer.map_err(failed)
    }

    /// The row of a key as a table; nil where there is none.
    fn row(&self, lua: &Lua, key: &LuaValue) -> Result<LuaValue> {
        let Some(key) = loose_text(key)? else {
            return Ok(LuaValue::Nil);
        };
        let row = self.ask(|tables| tables.row(&self.name, &key, self.now()))?;
        let Some(row) = row else {
            return Ok(LuaValue::Nil);
        };
        let table = lua.create_table()?;
        for (column, value) in row {
            table.raw_set(column.as_str(), to_lua(lua, &value)?)?;
        }
        Ok(LuaValue::Table(table))
    }

    fn cell(&self, lua: &Lua, key: &LuaValue, column: &LuaValue) -> Result<LuaValue> {
        let (Some(key), Some(column)) = (loose_text(key)?, loose_text(column)?) else {
            return Ok(LuaValue::Nil);
        };
        let cell = self.ask(|tables| tables.cell(&self.name, &key, &column, self.now()))?;
        to_lua(lua, &cell.unwrap_or_default())
    }

    /// Whether a row has the value in the column, or, with the value alone, a key.
    fn search(&self, column: &LuaValue, value: &LuaValue) -> Result<bool> {
        let Some(column) = loose_text(column)? else {
            return Ok(false);
        };
        let Some(value) = loose_text(value)? else {
            let row = self.ask(|tables| tables.row(&self.name, &column, self.now()))?;
            return Ok(row.is_some());
        };
        let found = self.ask(|tables| tables.search(&self.name, &column, &value, self.now()))?;
        Ok(found.is_some())
    }

    fn set(
        &self,
        key: &LuaValue,
        column: &LuaValue,
        value: &LuaValue,
        ttl: &LuaValue,
    ) -> Result<()> {
        let needs =
            |what: &str| mlua::Error::runtime(format!("set of a table list needs a {what}"));
        let key = loose_text(key)?.ok_or_else(|| needs("key"))?;
        let column = loose_text(column)?.ok_or_else(|| needs("column"))?;
        let value = match from_lua(value)? {
            Value::List(_) | Value::Map(_) => {
                return Err(mlua::Error::runtime(
                    "a cell of a table list holds no table",
                ));
            }
            value => value,
        };
        let lifetime = lifetime(ttl)?;
        self.ask(|tables| tables.set(&self.name, &key, &column, value, lifetime, self.now()))
    }
}

/// A time to live: seconds, or a length of time such as `24h`; none for nil, 0 and the empty text.
fn lifetime(value: &LuaValue) -> Result<Option<Duration>> {
    let seconds = |x: f64| Duration::try_from_secs_f64(x).ok().filter(|d| !d.is_zero());
    match value {
        LuaValue::Number(x) => Ok(seconds(*x)),
        LuaValue::Integer(n) => Ok(seconds(*n as f64)),
        other => {
            let text = loose_text(other)?.unwrap_or_default();
            if text.is_empty() {
                return Ok(None);
            }
            if let Ok(x) = text.parse() {
                return Ok(seconds(x));
            }
            let nanos = duration::parse(&text).map_err(failed)?;
            Ok(u64::try_from(nanos)
                .ok()
                .filter(|n| *n > 0)
                .map(Duration::from_nanos))
        }
    }
}

impl UserData for Store {
    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        fields.add_meta_field("__type", "storage");
    }

    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods.add_method(
            "get",
            |lua, store, (key, column): (LuaValue, Option<LuaValue>)| match column {
                Some(column) => store.cell(lua, &key, &column),
                None => store.row(lua, &key),
            },
        );
        methods.add_method("get_values", |lua, store, key: LuaValue| {
            store.row(lua, &key)
        });
        methods.add_method(
            "search",
            |_, store, (column, value): (LuaValue, LuaValue)| store.search(&column, &value),
        );
        type Cell = (LuaValue, LuaValue, LuaValue, LuaValue);
        methods.add_method("set", |_, store, (key, column, value, ttl): Cell| {
            store.set(&key, &column, &value, &ttl)
        });
        for name in ["delete", "remove"] {
            methods.add_method(name, |_, store, key: LuaValue| match loose_text(&key)? {
                Some(key) => store.ask(|tables| tables.remove(&store.name, &key)),
                None => Ok(false),
            });
        }
        methods.add_method("count", |_, store, ()| {
            let count = store.ask(|tables| tables.count(&store.name, store.now()))?;
            Ok(count as f64)
        });
        methods.add_method("truncate", |_, store, ()| {
            store.ask(|tables| tables.truncate(&store.name))
        });
    }
}
