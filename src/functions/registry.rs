//! All functions by name: the built-in ones, those of the library, those a user has defined.

use super::spec::FunctionSpec;
use crate::diagnostic::{Code, Diagnostic, Outcome, nearest};
use crate::eval::{Builtin, Context, Definition, Functions};
use ahash::AHashMap;
use parking_lot::RwLock;
use smol_str::SmolStr;
use std::sync::Arc;

/// Reads the library, written in the language itself, when a name is found nowhere else.
pub type LibraryReader = fn(&Context) -> Outcome<Vec<Definition>>;

/// All functions by name.
pub struct Registry {
    specs: AHashMap<&'static str, &'static FunctionSpec>,
    library: RwLock<Option<AHashMap<SmolStr, Arc<Definition>>>>,
    read_library: LibraryReader,
    defined: RwLock<AHashMap<SmolStr, Arc<Definition>>>,
}

impl Registry {
    /// A registry of these families and of the library that `read_library` gives when asked for the first time.
    pub fn new<'a>(
        families: impl IntoIterator<Item = &'a &'static [FunctionSpec]>,
        read_library: LibraryReader,
    ) -> Registry {
        let specs = families
            .into_iter()
            .flat_map(|family| family.iter())
            .map(|spec| (spec.name, spec))
            .collect();
        Registry {
            specs,
            library: RwLock::new(None),
            read_library,
            defined: RwLock::default(),
        }
    }

    /// The declaration of a built-in.
    pub fn spec(&self, name: &str) -> Option<&'static FunctionSpec> {
        self.specs.get(name).copied()
    }

    /// All declarations, by name.
    pub fn specs(&self) -> Vec<&'static FunctionSpec> {
        let mut specs: Vec<_> = self.specs.values().copied().collect();
        specs.sort_by_key(|spec| spec.name);
        specs
    }

    /// All definitions of the library, by name. Errors: a library that does not parse.
    pub fn library(&self, context: &Context) -> Outcome<Vec<Arc<Definition>>> {
        self.with_library(context, |library| {
            let mut all: Vec<_> = library.values().cloned().collect();
            all.sort_by(|a, b| a.name.cmp(&b.name));
            all
        })
    }

    /// The definitions that a user has made, by name.
    pub fn definitions(&self) -> Vec<Arc<Definition>> {
        let mut all: Vec<_> = self.defined.read().values().cloned().collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }

    /// Adds or replaces a user's definition; gives a note when it hides one of the library.
    ///
    /// Errors: E0213 for the name of a built-in.
    pub fn define(&self, definition: Definition, context: &Context) -> Outcome<Option<String>> {
        let name = definition.name.clone();
        if self.specs.contains_key(name.as_str()) {
            return Err(Diagnostic::new(
                Code::Redefinition,
                format!("{name} is a built-in function"),
            ));
        }
        let hides = self
            .with_library(context, |library| library.contains_key(&name))
            .unwrap_or(false);
        self.defined
            .write()
            .insert(name.clone(), Arc::new(definition));
        Ok(hides.then(|| format!("{name} now hides the library's function of that name")))
    }

    fn with_library<T>(
        &self,
        context: &Context,
        look: impl FnOnce(&AHashMap<SmolStr, Arc<Definition>>) -> T,
    ) -> Outcome<T> {
        if let Some(library) = self.library.read().as_ref() {
            return Ok(look(library));
        }
        let read: AHashMap<_, _> = (self.read_library)(context)?
            .into_iter()
            .map(|d| (d.name.clone(), Arc::new(d)))
            .collect();
        Ok(look(self.library.write().get_or_insert(read)))
    }
}

impl Functions for Registry {
    fn builtin(&self, name: &str) -> Option<Builtin> {
        self.specs.get(name).map(|spec| spec.builtin())
    }

    fn defined(&self, name: &str, context: &Context) -> Outcome<Option<Arc<Definition>>> {
        if let Some(definition) = self.defined.read().get(name) {
            return Ok(Some(definition.clone()));
        }
        self.with_library(context, |library| library.get(name).cloned())
    }

    fn nearest(&self, name: &str) -> Option<String> {
        let defined = self.defined.read();
        let library = self.library.read();
        let names = self
            .specs
            .keys()
            .copied()
            .chain(defined.keys().map(SmolStr::as_str))
            .chain(library.iter().flat_map(|l| l.keys()).map(SmolStr::as_str));
        nearest(name, names).map(str::to_string)
    }

    fn unavailable(&self, name: &str) -> Option<(String, String)> {
        super::cluster::absent(name)
    }
}
