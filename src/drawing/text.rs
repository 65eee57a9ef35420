//! What pictures in a terminal share: axes in characters, bars of eighths, texts for terminals that know ASCII only.

use super::scale::Scale;
use crate::diagnostic::{Page, Room, Style};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// What stands at an axis below, and the column of its sign.
pub type Tick = (usize, String);

/// Axes around so many columns.
pub struct Frame {
    /// The characters of the labels at the left.
    pub labels: usize,
    /// The columns of what is drawn.
    pub columns: usize,
    /// Whether only ASCII may be used.
    pub ascii: bool,
}

/// The most characters of a bar that stands.
const WIDEST: usize = 12;
/// A bar of so many characters or more is parted from the next one by a blank.
const PARTED: usize = 3;

impl Frame {
    /// A frame on lines of this width, with room for these labels.
    pub fn new<'a>(width: usize, labels: impl Iterator<Item = &'a str>, ascii: bool) -> Frame {
        let labels = labels.map(UnicodeWidthStr::width).max().unwrap_or(1);
        Frame {
            labels,
            columns: width.saturating_sub(labels + 2).max(10),
            ascii,
        }
    }

    /// The beginning of a line: what stands at the axis, and the axis.
    pub fn open(&self, page: &mut Page, label: &str) {
        let axis = match (label.is_empty(), self.ascii) {
            (false, false) => '┤',
            (true, false) => '│',
            (false, true) => '+',
            (true, true) => '|',
        };
        let blank = " ".repeat(self.labels.saturating_sub(label.width()));
        page.put(Style::Quiet, format!("{blank}{label} {axis}"));
    }

    /// The axis below, with ticks, marks that stand out, and what stands at the ticks; what would touch the label before it
    /// is left out.
    pub fn below(&self, page: &mut Page, label: &str, ticks: &[Tick], marks: &[usize]) {
        let (corner, line, cross, mark) = match self.ascii {
            true => ('+', '-', '+', '^'),
            false => ('└', '─', '┬', '▲'),
        };
        let mut ruler = vec![line; self.columns];
        let mut put = |column: usize, sign: char| {
            if let Some(cell) = ruler.get_mut(column) {
                *cell = sign;
            }
        };
        let offset = self.labels + 2;
        let mut below = vec![' '; offset + self.columns];
        let mut free = 0;
        for (column, label) in ticks {
            put(*column, cross);
            let length = label.chars().count();
            let begin = (offset + column).saturating_sub(length / 2);
            let begin = begin.min((offset + self.columns).saturating_sub(length));
            if begin < free {
                continue;
            }
            free = begin + length + 1;
            for (cell, character) in below.iter_mut().skip(begin).zip(label.chars()) {
                *cell = character;
            }
        }
        marks.iter().for_each(|column| put(*column, mark));
        let blank = " ".repeat(self.labels.saturating_sub(label.width()));
        page.put(Style::Quiet, format!("{blank}{label} {corner}"));
        for piece in ruler.chunk_by(|a, b| (*a == mark) == (*b == mark)) {
            let style = match piece.first() {
                Some(first) if *first == mark => Style::Warning,
                _ => Style::Quiet,
            };
            page.put(style, piece.iter().collect::<String>());
        }
        page.end();
        let below: String = below.into_iter().collect();
        if !below.trim_end().is_empty() {
            page.put(Style::Quiet, below.trim_end()).end();
        }
    }
}

/// Bars that stand beside one another.
pub struct Stand {
    /// The axes around them.
    pub frame: Frame,
    /// The axis of their heights.
    pub scale: Scale,
    /// How many characters each has.
    pub wide: usize,
    /// How many numbers make one.
    pub each: usize,
}

impl Stand {
    /// Bars for so many numbers. How many make one depends on the room that labels leave, and these on how many do:
    /// `scale_of` gives their axis.
    pub fn new(room: Room, count: usize, scale_of: impl Fn(usize) -> Scale) -> Stand {
        let mut each = 1;
        loop {
            let scale = scale_of(each);
            let labels = scale.labels();
            let labels = labels.iter().map(String::as_str);
            let mut frame = Frame::new(room.across(), labels, room.ascii);
            let bars = count.div_ceil(each).max(1);
            if bars <= frame.columns {
                let wide = (frame.columns / bars).clamp(1, WIDEST);
                frame.columns = (wide * bars).max(10);
                return Stand {
                    frame,
                    scale,
                    wide,
                    each,
                };
            }
            each = count.div_ceil(frame.columns).max(each + 1);
        }
    }

    /// Draws bars of these heights, so many lines high; what is not nothing can be seen. The label of the lower end
    /// belongs to the axis below.
    pub fn draw(&self, page: &mut Page, heights: &[f64], rows: usize) {
        let mut labels = vec![String::new(); rows];
        for tick in &self.scale.ticks {
            let row = rows as f64 * (1.0 - self.scale.place(*tick));
            if let Some(label) = labels.get_mut(row.round() as usize)
                && label.is_empty()
            {
                *label = self.scale.label(*tick);
            }
        }
        let eighths = |value: &f64| {
            let eighths = self.scale.place(*value) * rows as f64 * 8.0;
            match eighths.round() as usize {
                0 if *value > 0.0 => 1,
                eighths => eighths,
            }
        };
        let heights: Vec<usize> = heights.iter().map(eighths).collect();
        for (row, label) in labels.iter().enumerate() {
            self.frame.open(page, label);
            let base = (rows - 1 - row) * 8;
            let mut line = String::new();
            for height in &heights {
                let sign = upward(height.saturating_sub(base), self.frame.ascii);
                for column in 0..self.wide {
                    let gap = self.wide >= PARTED && column + 1 == self.wide;
                    line.push(if gap { ' ' } else { sign });
                }
            }
            page.put(Style::Code, line.trim_end()).end();
        }
    }
}

/// A character that is filled from below, so many eighths.
fn upward(eighths: usize, ascii: bool) -> char {
    const FILLED: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    const ASCII: [char; 9] = [' ', '.', '.', '.', ':', ':', ':', '#', '#'];
    let signs = if ascii { ASCII } else { FILLED };
    signs.get(eighths.min(8)).copied().unwrap_or(' ')
}

/// A bar that lies, from the left, so many eighths of a character long.
pub fn lying(eighths: usize, ascii: bool) -> String {
    const FILLED: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    if ascii {
        return "#".repeat((eighths + 4) / 8).to_string()
            + if (1..4).contains(&eighths) { "|" } else { "" };
    }
    let rest = FILLED.get(eighths % 8).copied().unwrap_or("");
    "█".repeat(eighths / 8) + rest
}

/// A text cut to so many columns.
pub fn cut(text: &str, most: usize, ascii: bool) -> String {
    let end = if ascii { "..." } else { "…" };
    if text.width() <= most {
        return text.to_string();
    }
    let mut taken = end.width();
    let fits = |c: &char| {
        taken += c.width().unwrap_or(0);
        taken <= most
    };
    let cut: String = text.chars().take_while(fits).collect();
    format!("{}{end}", cut.trim_end())
}

/// Words on lines of at most so many columns, broken between words; a word that is longer is broken itself.
pub fn wrapped(words: &str, most: usize) -> Vec<String> {
    let most = most.max(2);
    let mut lines: Vec<String> = Vec::new();
    for word in words.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.width() + 1 + word.width() <= most => {
                line.push(' ');
                line.push_str(word);
            }
            _ if word.width() <= most => lines.push(word.to_string()),
            _ => {
                let mut taken = most;
                for c in word.chars() {
                    taken += c.width().unwrap_or(0);
                    if taken > most {
                        lines.push(String::new());
                        taken = c.width().unwrap_or(0);
                    }
                    if let Some(line) = lines.last_mut() {
                        line.push(c);
                    }
                }
            }
        }
    }
    lines
}

/// Adds quiet words on lines that fit.
pub fn quiet(page: &mut Page, words: &str, room: Room) {
    for line in wrapped(&plain(words, room.ascii), room.across()) {
        page.put(Style::Quiet, line).end();
    }
}

/// A text with blanks behind it to so many columns.
pub fn filled(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(text.width())))
}

/// The signs of pictures that ASCII lacks, by others, where only ASCII may be used.
pub fn plain(text: &str, ascii: bool) -> String {
    if !ascii || text.is_ascii() {
        return text.to_string();
    }
    text.replace(" · ", ", ")
        .replace('±', "+-")
        .replace('×', "*")
        .replace('●', "O")
        .replace('▲', "^")
        .replace('µ', "u")
        .replace('…', "...")
}

/// Whether the terminal or the locale asks for ASCII. `get` gives environment variables; without a locale nothing is
/// asked for.
pub fn wants_ascii(get: impl Fn(&str) -> Option<String>) -> bool {
    if get("TERM").as_deref() == Some("dumb") {
        return true;
    }
    let names = ["LC_ALL", "LC_CTYPE", "LANG"];
    let locale = names
        .iter()
        .filter_map(|name| get(name))
        .find(|value| !value.is_empty());
    locale.is_some_and(|locale| {
        let locale = locale.to_ascii_lowercase();
        !locale.contains("utf-8") && !locale.contains("utf8")
    })
}
