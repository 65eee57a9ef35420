//! Pictures, for those that can show them and for terminals.

use super::Page;
use std::sync::Arc;

/// The colours of a picture on a page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Theme {
    /// Those that its reader likes.
    #[default]
    Auto,
    /// Dark on white.
    Light,
    /// Light on black.
    Dark,
}

impl Theme {
    /// All, as commands name them.
    pub const NAMES: [(&str, Theme); 3] = [
        ("auto", Theme::Auto),
        ("light", Theme::Light),
        ("dark", Theme::Dark),
    ];

    /// The one of this name.
    pub fn of(name: &str) -> Option<Theme> {
        let found = Theme::NAMES.iter().find(|(known, _)| *known == name);
        found.map(|(_, theme)| *theme)
    }
}

/// The size of a picture on a page in pixels, and its colours.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// The width of the whole.
    pub width: usize,
    /// The height of each of its parts; the usual one without.
    pub height: Option<usize>,
    /// The colours.
    pub theme: Theme,
}

impl Default for Size {
    fn default() -> Size {
        Size {
            width: 860,
            height: None,
            theme: Theme::Auto,
        }
    }
}

/// How narrow and how wide a picture may be.
const WIDTHS: (usize, usize) = (320, 10_000);
/// How low and how high one of its parts may be.
const HEIGHTS: (usize, usize) = (40, 4_000);

impl Size {
    /// The width, within what can be drawn.
    pub fn across(self) -> f64 {
        self.width.clamp(WIDTHS.0, WIDTHS.1) as f64
    }

    /// The height of a part, within what can be drawn.
    pub fn down(self, usual: usize) -> f64 {
        self.height.unwrap_or(usual).clamp(HEIGHTS.0, HEIGHTS.1) as f64
    }
}

/// The room that a terminal has for a picture.
#[derive(Debug, Clone, Copy)]
pub struct Room {
    /// The characters of a line.
    pub width: usize,
    /// The lines of each part; fewer for several unless given.
    pub height: Option<usize>,
    /// Whether only ASCII may be used.
    pub ascii: bool,
}

impl Default for Room {
    fn default() -> Room {
        Room {
            width: 80,
            height: None,
            ascii: false,
        }
    }
}

/// How narrow and how wide a picture in a terminal may be.
const COLUMNS: (usize, usize) = (40, 1_000);
/// How low and how high one of its parts may be.
const LINES: (usize, usize) = (3, 200);

impl Room {
    /// The characters of a line, within what can be drawn.
    pub fn across(self) -> usize {
        self.width.clamp(COLUMNS.0, COLUMNS.1)
    }

    /// The lines of a part, within what can be drawn.
    pub fn down(self, usual: usize) -> usize {
        self.height.unwrap_or(usual).clamp(LINES.0, LINES.1)
    }
}

/// What can be drawn: the same thing on a page and in a terminal.
pub trait Drawing: Send + Sync {
    /// What is shown.
    fn title(&self) -> String;
    /// For a page, as SVG.
    fn svg(&self, size: Size) -> String;
    /// For a terminal.
    fn page(&self, room: Room) -> Page;
}

/// A picture that is drawn when somebody can show it.
#[derive(Clone)]
pub struct Picture(Arc<dyn Drawing>);

impl Picture {
    /// A picture of this.
    pub fn new(drawing: impl Drawing + 'static) -> Picture {
        Picture(Arc::new(drawing))
    }

    /// What it shows.
    pub fn title(&self) -> String {
        self.0.title()
    }

    /// The picture as SVG.
    pub fn svg(&self, size: Size) -> String {
        self.0.svg(size)
    }

    /// The picture in characters.
    pub fn page(&self, room: Room) -> Page {
        self.0.page(room)
    }
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Picture({})", self.title())
    }
}
