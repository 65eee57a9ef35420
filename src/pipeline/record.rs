//! The fields of an event, in order.

use crate::eval::Value;
use ahash::AHashMap;
use smol_str::SmolStr;

/// From so many fields on, names are looked up in an index.
const LARGE: usize = 24;

/// Fields in the order in which they came; a name is there once. Names are texts but where YAML has others.
#[derive(Debug, Clone, Default)]
pub struct Record {
    fields: Vec<(Value, Value)>,
    /// The place of every name, once there are many fields; it is dropped when a field goes.
    index: Option<Box<Index>>,
}

#[derive(Debug, Clone, Default)]
struct Index {
    texts: AHashMap<SmolStr, usize>,
    /// Names that are no texts.
    others: AHashMap<Value, usize>,
}

impl Index {
    fn add(&mut self, name: &Value, place: usize) {
        match name {
            Value::Text(name) => self.texts.insert(name.clone(), place),
            other => self.others.insert(other.clone(), place),
        };
    }
}

impl Record {
    /// No fields, with room for some.
    pub fn with_capacity(fields: usize) -> Record {
        Record {
            fields: Vec::with_capacity(fields),
            index: None,
        }
    }

    /// How many fields there are.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// The fields in order.
    pub fn iter(&self) -> std::slice::Iter<'_, (Value, Value)> {
        self.fields.iter()
    }

    fn place(&self, name: &str) -> Option<usize> {
        match &self.index {
            Some(index) => index.texts.get(name).copied(),
            None => self
                .fields
                .iter()
                .position(|(key, _)| key.as_text() == Some(name)),
        }
    }

    /// The value of a field.
    pub fn get(&self, name: &str) -> Option<&Value> {
        let place = self.place(name)?;
        self.fields.get(place).map(|(_, value)| value)
    }

    /// The value of a field, to be changed.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Value> {
        let place = self.place(name)?;
        self.fields.get_mut(place).map(|(_, value)| value)
    }

    /// Gives a field a value: a known one keeps its place, a new one goes to the end.
    pub fn set(&mut self, name: impl Into<SmolStr>, value: Value) {
        let name = name.into();
        match self.get_mut(&name) {
            Some(old) => *old = value,
            None => self.push(Value::Text(name), value),
        }
    }

    /// As [`Record::set`], for a name of any type.
    pub fn set_value(&mut self, name: Value, value: Value) {
        if let Value::Text(name) = name {
            return self.set(name, value);
        }
        let place = match &self.index {
            Some(index) => index.others.get(&name).copied(),
            None => {
                let mut fields = self.fields.iter();
                fields.position(|(key, _)| crate::eval::same(key, &name))
            }
        };
        match place.and_then(|place| self.fields.get_mut(place)) {
            Some((_, old)) => *old = value,
            None => self.push(name, value),
        }
    }

    fn push(&mut self, name: Value, value: Value) {
        if let Some(index) = &mut self.index {
            index.add(&name, self.fields.len());
        }
        self.fields.push((name, value));
        if self.index.is_none() && self.fields.len() > LARGE {
            let mut index = Index::default();
            for (place, (key, _)) in self.fields.iter().enumerate() {
                index.add(key, place);
            }
            self.index = Some(Box::new(index));
        }
    }

    /// Takes a field out; those behind it move up.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        let place = self.place(name)?;
        self.index = None;
        Some(self.fields.remove(place).1)
    }

    /// Takes out all fields whose name is among `names`, in one pass.
    pub fn remove_all(&mut self, names: &[SmolStr]) {
        let gone = |key: &Value| key.as_text().is_some_and(|k| names.iter().any(|n| n == k));
        let before = self.fields.len();
        self.fields.retain(|(key, _)| !gone(key));
        if self.fields.len() != before {
            self.index = None;
        }
    }
}

impl PartialEq for Record {
    fn eq(&self, other: &Record) -> bool {
        let same = |(a, b): (&(Value, Value), &(Value, Value))| {
            crate::eval::same(&a.0, &b.0) && crate::eval::same(&a.1, &b.1)
        };
        self.len() == other.len() && self.iter().zip(other.iter()).all(same)
    }
}

impl FromIterator<(Value, Value)> for Record {
    fn from_iter<I: IntoIterator<Item = (Value, Value)>>(fields: I) -> Record {
        let mut record = Record::default();
        for (name, value) in fields {
            record.set_value(name, value);
        }
        record
    }
}

impl IntoIterator for Record {
    type Item = (Value, Value);
    type IntoIter = std::vec::IntoIter<(Value, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.fields.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(record: &Record) -> Vec<String> {
        record.iter().map(|(k, _)| format!("{k:?}")).collect()
    }

    #[test]
    fn small_and_large_records_behave_alike() {
        let mut large = Record::default();
        for n in 0..100 {
            large.set(format!("f{n}"), Value::Int(n));
        }
        large.set("f7", Value::Int(-7));
        assert_eq!(large.len(), 100);
        assert!(matches!(large.get("f7"), Some(Value::Int(-7))));
        assert!(matches!(large.remove("f3"), Some(Value::Int(3))));
        assert!(large.get("f3").is_none());
        assert!(matches!(large.get("f99"), Some(Value::Int(99))));
        large.set("f3", Value::Int(33));
        assert_eq!(
            names(&large).last(),
            names(&[(Value::text("f3"), Value::Null)].into_iter().collect()).last()
        );
        let doomed: Vec<SmolStr> = (10..100).map(|n| SmolStr::from(format!("f{n}"))).collect();
        large.remove_all(&doomed);
        assert_eq!(large.len(), 10);
        assert!(matches!(large.get("f3"), Some(Value::Int(33))));
    }

    #[test]
    fn names_need_not_be_texts() {
        let mut record = Record::default();
        record.set_value(Value::Int(5), Value::text("a"));
        record.set("5", Value::text("b"));
        record.set_value(Value::Int(5), Value::text("c"));
        assert_eq!(record.len(), 2);
        assert!(record.get("5").is_some_and(|v| v.as_text() == Some("b")));
    }

    #[test]
    fn many_fields_are_not_quadratic() {
        let mut record = Record::default();
        for n in 0..200_000 {
            record.set(format!("field {n}"), Value::Null);
        }
        assert_eq!(record.len(), 200_000);
        for n in 0..200_000 {
            record.set_value(Value::Int(n), Value::Null);
            record.set_value(Value::Int(n), Value::Int(1));
        }
        assert_eq!(record.len(), 400_000);
    }
}
