//! The language that selects periods of a profile: `1 hour window every 24 hours from 14 days ago including tuesdays`.
//!
//! A text becomes a tree ([`parse`]), the tree a [`Window`] ([`Window::compile`]), once; a window gives intervals and
//! periods for a moment in a zone ([`Setting`]), as often as wanted.

mod compile;
mod complain;
mod days;
mod explain;
mod lint;
mod parse;
mod pick;
mod picture;
mod timeline;
mod tree;

pub use compile::Window;
pub use explain::explain;
pub use lint::Lint;
pub use parse::{LONGEST, parse};
pub use pick::Interval;
pub use picture::picture;
pub use tree::{Amount, Argument, Day, Reach, Selector, Specifier, Unit};

use super::holidays::Edition;
use crate::diagnostic::Outcome;
use crate::eval::java::date_format::{Locale, Zone};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

/// When and where a window is looked at.
#[derive(Clone, Copy)]
pub struct Setting<'a> {
    /// The present, in milliseconds since 1970.
    pub now: i64,
    /// The zone that says which day it is.
    pub zone: &'a Zone,
    /// Its country is that of `holidays` without arguments.
    pub locale: &'a Locale,
    /// Which holidays count.
    pub edition: Edition,
    /// How many intervals or periods may come out.
    pub most: usize,
    /// Called for every window, to count the work and to stop it.
    pub step: &'a dyn Fn() -> Outcome<()>,
}

impl<'a> Setting<'a> {
    /// The recorded edition, at most a million results, no stop.
    pub fn new(now: i64, zone: &'a Zone, locale: &'a Locale) -> Setting<'a> {
        Setting {
            now,
            zone,
            locale,
            edition: Edition::Recorded,
            most: 1_000_000,
            step: &|| Ok(()),
        }
    }
}

/// How many selectors are remembered; then all are forgotten.
const REMEMBERED: usize = 200;

/// Longer selectors are not remembered.
const MEMORABLE: usize = 1 << 10;

static COMPILED: LazyLock<Mutex<HashMap<String, Arc<Window>>>> = LazyLock::new(Mutex::default);

/// The window of a text, remembered from call to call. Errors: those of [`parse`] and [`Window::compile`].
pub fn window(text: &str) -> Outcome<Arc<Window>> {
    if let Some(known) = COMPILED.lock().get(text) {
        return Ok(known.clone());
    }
    let window = Arc::new(Window::compile(parse(text)?)?);
    if text.len() <= MEMORABLE {
        let mut compiled = COMPILED.lock();
        if compiled.len() >= REMEMBERED {
            compiled.clear();
        }
        compiled.insert(text.to_string(), window.clone());
    }
    Ok(window)
}
