//! Which new files are copies of those that are known.

use super::Tail;
use super::round::at_rest;
use crate::input::rotated::{self, open_packed, related};
use crate::input::{Id, Place};
use std::fs::{File, Metadata};
use std::path::Path;

/// What a new file is.
pub(super) enum Copy {
    /// A copy of a file that is there.
    Of(Id),
    /// A compressed copy of one that is gone, of which so much was read.
    Goes(Place),
    /// A copy that is not finished.
    Grows,
    /// Another file.
    None,
}

impl Tail {
    /// Whether a new file is a copy of one that is known.
    pub(super) fn copy_of(&self, path: &Path, there: &Metadata, file: &File, packed: bool) -> Copy {
        let fits = |place: &Place| match packed {
            true => open_packed(path, place).is_some(),
            false => place.fits(file).unwrap_or(false),
        };
        let known = self.files.values().filter(|file| {
            let of = &file.place.path;
            // One that was renamed after it was emptied has its copies under any name.
            file.place.at > 0
                && related(path, of)
                && (packed || is_base(of) || was_emptied(&file.place))
        });
        let (mut grows, mut of) = (false, None::<&Place>);
        for file in known {
            let place = &file.place;
            // A copy that is being made is shorter than what has been read.
            grows |= packed || there.len() < place.at;
            if of.is_none_or(|of| of.at < place.at) && fits(place) {
                of = Some(place);
            }
        }
        if let Some(of) = of {
            return Copy::Of(of.id);
        }
        for place in self.gone.iter().chain(&self.loaded) {
            if place.at > 0 && related(path, &place.path) && (packed || is_base(&place.path)) {
                grows = true;
                // The same file may have gone more than once.
                if of.is_none_or(|of| of.at < place.at) && fits(place) {
                    of = Some(place);
                }
            }
        }
        let named = path.extension().is_some_and(|e| e == "gz" || e == "zst");
        grows |= named && !packed;
        match of {
            Some(of) => Copy::Goes(of.clone()),
            None if grows && !at_rest(there) => Copy::Grows,
            None => Copy::None,
        }
    }
}

/// Whether a name has no number or date of rotation.
fn is_base(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default();
    *name.to_string_lossy() == *rotated::base(path)
}

/// Whether a file has something else before its place now.
fn was_emptied(place: &Place) -> bool {
    let fits = || place.fits(&File::open(&place.path)?);
    fits().is_ok_and(|fits| !fits)
}
