//! The event in the hands of a rule.

use super::shared::Shared;
use super::values::{from_lua, loose_text, textual, to_lua};
use crate::eval::Value;
use crate::rule::event::{Event, Logline, get};
use mlua::{
    AnyUserData, FromLua, Lua, LuaString, MetaMethod, Result, UserData, UserDataFields,
    UserDataMethods, UserDataRegistry, Value as LuaValue,
};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// An event as a value of Lua.
pub(super) struct LuaEvent(pub Rc<Held>);

/// What such a value holds. One that is passed on to groups becomes the rule's own first.
pub(super) struct Held {
    state: RefCell<State>,
    /// Counts the bytes that are held.
    count: Option<(Rc<Cell<usize>>, usize)>,
}

enum State {
    Shared(Event),
    Own(Logline),
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some((held, weight)) = &self.count {
            held.set(held.get().saturating_sub(*weight));
        }
    }
}

impl Held {
    /// A place for events that no rule keeps; it may be filled again.
    pub fn place(event: Event) -> Held {
        Held {
            state: RefCell::new(State::Shared(event)),
            count: None,
        }
    }

    /// Fills the place with the next event.
    #[inline]
    pub fn fill(&self, event: &Event) {
        *self.state.borrow_mut() = State::Shared(event.clone());
    }

    fn counted(state: State, weight: usize, shared: &Shared) -> Held {
        shared.held.set(shared.held.get() + weight);
        Held {
            state: RefCell::new(state),
            count: Some((shared.held.clone(), weight)),
        }
    }

    #[inline]
    fn get(&self, path: &str) -> Option<Value> {
        match &*self.state.borrow() {
            State::Shared(event) => get(event.map(), path),
            State::Own(line) => line.get(path),
        }
    }
}

impl LuaEvent {
    /// A fresh event, which the rule may keep.
    pub fn of_event(event: &Event, shared: &Shared) -> LuaEvent {
        let weight = event.weight();
        LuaEvent(Rc::new(Held::counted(
            State::Shared(event.clone()),
            weight,
            shared,
        )))
    }

    /// An event that the rule has had before. It counts a little only: its group has counted it.
    pub fn of_line(line: Logline, shared: &Shared) -> LuaEvent {
        LuaEvent(Rc::new(Held::counted(State::Own(line), 64, shared)))
    }

    /// The event as the rule's own, on which it may write.
    pub fn own(&self) -> Logline {
        let mut state = self.0.state.borrow_mut();
        let line = match &*state {
            State::Own(line) => return line.clone(),
            State::Shared(event) => Logline::new(event.clone()),
        };
        *state = State::Own(line.clone());
        line
    }

    /// The value at a path.
    #[inline]
    pub fn get(&self, path: &str) -> Option<Value> {
        self.0.get(path)
    }

    /// Writes a field. Errors: too many of them.
    pub fn set(&self, path: &str, value: Value) -> Result<()> {
        let written = self.own().set(path, value);
        written.map_err(|fault| mlua::Error::runtime(fault.message.clone()))
    }
}

/// A path; nil and what is no text names nothing.
pub(super) struct Path(LuaValue);

impl FromLua for Path {
    #[inline]
    fn from_lua(value: LuaValue, _: &Lua) -> Result<Path> {
        Ok(Path(value))
    }
}

impl Path {
    /// What `look` makes of the path as text.
    #[inline]
    pub fn with<R>(&self, look: impl FnOnce(&str) -> Option<R>) -> Result<Option<R>> {
        match &self.0 {
            LuaValue::Nil => Ok(None),
            LuaValue::String(text) => {
                let text = text.as_bytes();
                Ok(simdutf8::basic::from_utf8(&text).ok().and_then(look))
            }
            other => Ok(loose_text(other)?.and_then(|text| look(&text))),
        }
    }
}

/// `get(path, default)`: the value as it is; the default when it is absent.
pub(super) fn get_raw(
    lua: &Lua,
    event: &LuaEvent,
    path: &Path,
    default: LuaValue,
) -> Result<LuaValue> {
    match path.with(|path| event.get(path))? {
        Some(value) => to_lua(lua, &value),
        None => Ok(default),
    }
}

/// `gets(path, default)`: the text of the value; the default, or the empty text, when it is absent.
fn get_text(lua: &Lua, event: &LuaEvent, path: &Path, default: LuaValue) -> Result<LuaValue> {
    match path.with(|path| event.get(path))? {
        Some(Value::Text(text)) => text_to_lua(lua, &text),
        Some(value) => text_to_lua(lua, &textual(&value)),
        None if default.is_nil() => text_to_lua(lua, ""),
        None => Ok(default),
    }
}

#[inline]
fn text_to_lua(lua: &Lua, text: &str) -> Result<LuaValue> {
    lua.create_string(text.as_bytes()).map(LuaValue::String)
}

/// `get_asset_data(path)`: the text of the value, of a list that of its first element.
fn get_asset(lua: &Lua, event: &LuaEvent, path: &Path) -> Result<LuaValue> {
    let mut value = path.with(|path| event.get(path))?.unwrap_or_default();
    for _ in 0..8 {
        value = match value {
            Value::List(list) => list.get(0).unwrap_or_default(),
            value => return text_to_lua(lua, &textual(&value)),
        };
    }
    text_to_lua(lua, "")
}

impl UserData for LuaEvent {
    fn register(registry: &mut UserDataRegistry<Self>) {
        // Methods are found by their names at once, not by way of `__index`.
        registry.enable_namecall();
        Self::add_fields(registry);
        Self::add_methods(registry);
    }

    fn add_fields<F: UserDataFields<Self>>(fields: &mut F) {
        fields.add_meta_field("__type", "event");
    }

    fn add_methods<M: UserDataMethods<Self>>(methods: &mut M) {
        methods.add_method("get", |lua, event, (path, default): (Path, LuaValue)| {
            get_raw(lua, event, &path, default)
        });
        methods.add_method("gets", |lua, event, (path, default): (Path, LuaValue)| {
            get_text(lua, event, &path, default)
        });
        methods.add_method("get_asset_data", |lua, event, path: Path| {
            get_asset(lua, event, &path)
        });
        methods.add_method("set", |_, event, (path, value): (Path, LuaValue)| {
            write_field(event, &path, &value)
        });
        methods.add_meta_method(MetaMethod::Index, |lua, event, path: Path| {
            get_raw(lua, event, &path, LuaValue::Nil)
        });
        methods.add_meta_method(
            MetaMethod::NewIndex,
            |_, event, (path, value): (Path, LuaValue)| write_field(event, &path, &value),
        );
        methods.add_meta_method(MetaMethod::Eq, |_, event, other: AnyUserData| {
            let other = other.borrow::<LuaEvent>()?;
            Ok(Rc::ptr_eq(&event.0, &other.0) || event.own().same(&other.own()))
        });
        methods.add_meta_method(MetaMethod::ToString, |_, event, ()| {
            Ok(textual(&Value::Map(event.own().map().clone())).to_string())
        });
    }
}

/// `set_field_value`: writes a text, a number or whatever else; nil takes the field away.
pub(super) fn write_field(event: &LuaEvent, path: &Path, value: &LuaValue) -> Result<()> {
    let value = from_lua(value)?;
    path.with(|path| Some(event.set(path, value)))?
        .unwrap_or(Ok(()))
}

/// The event among the arguments of a function. Errors: it is none.
pub(super) fn event_of<'v>(
    value: &'v LuaValue,
    function: &str,
) -> Result<mlua::UserDataRef<LuaEvent>> {
    let wrong = || {
        let kind = match value {
            LuaValue::Nil => "nil",
            other => other.type_name(),
        };
        mlua::Error::runtime(format!("{function} needs an event, not {kind}"))
    };
    let data: &'v AnyUserData = value.as_userdata().ok_or_else(wrong)?;
    data.borrow::<LuaEvent>().map_err(|_| wrong())
}

/// The bytes of a text of Lua, or nothing for nil.
pub(super) fn with_text<R>(value: &LuaValue, look: impl FnOnce(&[u8]) -> R) -> Result<Option<R>> {
    match value {
        LuaValue::Nil => Ok(None),
        LuaValue::String(text) => Ok(Some(look(&text.as_bytes()))),
        other => Ok(loose_text(other)?.map(|text| look(text.as_bytes()))),
    }
}

/// A text of Lua in ours, for patterns and names. Errors: it is none.
pub(super) fn utf8(text: &LuaString, what: &str) -> Result<String> {
    text.to_str()
        .map(|text| text.to_string())
        .map_err(|_| mlua::Error::runtime(format!("{what} is no valid UTF-8")))
}
