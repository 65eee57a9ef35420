//! Finds what became of a file that was renamed, copied or compressed.

use super::Input;
use super::place::{Id, Place, id};
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// An open file, unpacked on the way when it is compressed.
pub enum Opened {
    /// A file as it is.
    Plain(File),
    /// What is unpacked on the way.
    Packed(Box<dyn Read + Send>),
}

/// Where the rest of a file was found.
pub struct Rest {
    /// The path.
    pub path: PathBuf,
    /// The device and inode.
    pub id: Id,
    /// It stands at the place when it is packed.
    pub opened: Opened,
}

/// A file's name without the signs of compression, numbers and dates that rotation adds: `app.log` for `app.log.2.gz`
/// and for `app-20260714.log`.
pub fn base(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = name
        .strip_suffix(".gz")
        .or_else(|| name.strip_suffix(".zst"))
        .unwrap_or(&name);
    let chars: Vec<char> = name.chars().collect();
    let mut base = String::new();
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        let rest = chars.get(at + 1..).unwrap_or_default();
        let digits = rest
            .iter()
            .take_while(|c| c.is_ascii_digit() || !base.is_empty() && matches!(c, 'T' | 'Z' | ':'));
        let digits = digits.count();
        if matches!(c, '.' | '-' | '_') && rest.first().is_some_and(char::is_ascii_digit) {
            at += 1 + digits;
            continue;
        }
        base.push(c);
        at += 1;
    }
    base
}

/// Whether one file may be what rotation made of the other.
pub fn related(path: &Path, of: &Path) -> bool {
    path != of && path.parent() == of.parent() && base(path) == base(of)
}

/// Whether a file is compressed by gzip or zstd.
pub fn is_packed(file: &File) -> bool {
    let mut magic = [0; 4];
    let read = file.read_at(&mut magic, 0).unwrap_or(0);
    matches!(
        magic.get(..read),
        Some([0x1f, 0x8b, ..] | [0x28, 0xb5, 0x2f, 0xfd])
    )
}

/// Opens a compressed file at a place. Nothing when it is another one, or damaged.
pub fn open_packed(path: &Path, place: &Place) -> Option<Box<dyn Read + Send>> {
    let input = Input::File(path.to_owned());
    let mut unpacked = input.open(Default::default(), Vec::new()).ok()?;
    match place.fits_packed(&mut unpacked) {
        Ok(true) => Some(unpacked),
        _ => None,
    }
}

/// Opens a file when it has what stands before a place.
pub fn open_at(path: &Path, place: &Place) -> Option<Opened> {
    let file = File::open(path).ok()?;
    if is_packed(&file) {
        return open_packed(path, place).map(Opened::Packed);
    }
    place.fits(&file).ok()?.then_some(Opened::Plain(file))
}

/// Looks in the folder of a file for what has its rest: the file under another name, a copy, a compressed copy.
/// `other` says of which files it is known that they are others.
pub fn find(place: &Place, other: &dyn Fn(Id) -> bool) -> Option<Rest> {
    let folder = match place.path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut copies: Vec<(SystemTime, PathBuf, Id)> = Vec::new();
    for entry in std::fs::read_dir(folder).ok()?.filter_map(Result::ok) {
        let (path, Ok(found)) = (entry.path(), entry.metadata()) else {
            continue;
        };
        // `./a` is where the path of `a` was looked for.
        let path = match place.path.parent() {
            Some(parent) => parent.join(entry.file_name()),
            None => path,
        };
        if !found.is_file() {
            continue;
        }
        let own = id(&found);
        if own == place.id {
            let opened = open_at(&path, place);
            // What has the inode and was not read yet tells nothing when it is compressed.
            if let Some(opened) =
                opened.filter(|opened| place.at > 0 || matches!(opened, Opened::Plain(_)))
            {
                let id = own;
                return Some(Rest { path, id, opened });
            }
        } else if place.at > 0 && related(&path, &place.path) && !other(own) {
            let changed = found.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            copies.push((changed, path, own));
        }
    }
    copies.sort();
    let newest = copies.into_iter().rev();
    let mut fitting = newest.filter_map(|(_, path, id)| {
        let opened = open_at(&path, place)?;
        Some(Rest { path, id, opened })
    });
    fitting.next()
}

/// What rotation has made of a file after a moment, the oldest first. `other` says which files are not meant.
pub fn since(path: &Path, moment: SystemTime, other: &dyn Fn(Id) -> bool) -> Vec<(PathBuf, Id)> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut found: Vec<(SystemTime, PathBuf, Id)> = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let own = match path.parent() {
            Some(parent) => parent.join(entry.file_name()),
            None => entry.path(),
        };
        let Ok(there) = entry.metadata() else {
            continue;
        };
        let changed = there.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        let id = id(&there);
        if !there.is_file() || !related(&own, path) || changed < moment || other(id) {
            continue;
        }
        // It is being compressed.
        let packed = own.extension().is_some_and(|e| e == "gz" || e == "zst");
        if packed && own.with_extension("").exists() {
            continue;
        }
        found.push((changed, own, id));
    }
    found.sort();
    let found = found.into_iter();
    found.map(|(_, path, id)| (path, id)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_rotation_makes_are_known() {
        for name in [
            "app.log",
            "app.log.1",
            "app.log.12.gz",
            "app.log-20260714",
            "app.log-20260714.zst",
            "app-2026-07-14.log",
            "app.log.2026-07-14T10:15:00Z.gz",
        ] {
            assert_eq!(base(Path::new(name)), "app.log", "{name}");
        }
        assert_eq!(base(Path::new("host1.log")), "host1.log");
        assert!(related(Path::new("/a/x.1"), Path::new("/a/x")));
        assert!(!related(Path::new("/b/x.1"), Path::new("/a/x")));
        assert!(!related(Path::new("/a/x"), Path::new("/a/x")));
    }
}
