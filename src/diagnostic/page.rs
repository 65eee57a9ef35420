//! Text with a little meaning: headings, names, code. Printed plain, or in colours on a terminal.

use super::Picture;
use colored::{ColoredString, Colorize};
use std::borrow::Cow;
use std::fmt::Write as _;
use unicode_width::UnicodeWidthChar;

/// A text that cannot steer a terminal: control characters but line ends and tabs, and those that turn the direction
/// of writing, show as `\u{1b}`.
pub fn visible(text: &str) -> Cow<'_, str> {
    let steers = |c: char| {
        (c.is_control() && c != '\n' && c != '\t')
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.contains(steers) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match steers(c) {
            true => out.extend(c.escape_unicode()),
            false => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// A text in HTML, as a text or as the value of an attribute.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}

/// What a piece of a page is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Words.
    Plain,
    /// The title of the page or of a part.
    Heading,
    /// A name to type.
    Name,
    /// An expression.
    Code,
    /// What comes of an expression.
    Result,
    /// What matters less.
    Quiet,
    /// What deserves a second look.
    Warning,
}

/// A text whose pieces have styles; perhaps with a picture of the same, for those that can show one.
#[derive(Debug, Clone, Default)]
pub struct Page {
    pieces: Vec<(Style, String)>,
    picture: Option<Picture>,
    tables: Vec<Table>,
}

/// The same as lines of a page, in rows and columns.
#[derive(Debug, Clone, Default)]
pub struct Table {
    /// The names of the columns.
    pub names: Vec<String>,
    /// The rows, each with a cell for every column.
    pub rows: Vec<Vec<String>>,
}

impl Table {
    fn html(&self, html: &mut String) {
        html.push_str("<table>\n<thead><tr>");
        for (at, name) in self.names.iter().enumerate() {
            // A name stands where the cells below it stand.
            let first = self.rows.first().and_then(|row| row.get(at));
            let side = side_of(first.map_or("", String::as_str));
            let name = escaped(&visible(name));
            let _ = write!(html, "<th style=\"text-align:{side}\">{name}</th>");
        }
        html.push_str("</tr></thead>\n<tbody>\n");
        for row in &self.rows {
            html.push_str("<tr>");
            for cell in row {
                let side = side_of(cell);
                let cell = escaped(&visible(cell));
                let _ = write!(html, "<td style=\"text-align:{side}\">{cell}</td>");
            }
            html.push_str("</tr>\n");
        }
        html.push_str("</tbody>\n</table>\n");
    }
}

/// At which side of its column a cell stands: numbers at the right.
fn side_of(cell: &str) -> &'static str {
    match cell.parse::<f64>() {
        Ok(_) => "right",
        Err(_) => "left",
    }
}

impl Page {
    /// An empty page.
    pub fn new() -> Page {
        Page::default()
    }

    /// Adds a piece.
    pub fn put(&mut self, style: Style, text: impl Into<String>) -> &mut Page {
        self.pieces.push((style, text.into()));
        self
    }

    /// Adds words.
    pub fn text(&mut self, text: impl Into<String>) -> &mut Page {
        self.put(Style::Plain, text)
    }

    /// Adds words and ends the line.
    pub fn line(&mut self, text: impl Into<String>) -> &mut Page {
        self.put(Style::Plain, text).end()
    }

    /// Adds a heading on a line of its own.
    pub fn heading(&mut self, text: impl Into<String>) -> &mut Page {
        self.put(Style::Heading, text).end()
    }

    /// Ends the line.
    pub fn end(&mut self) -> &mut Page {
        self.put(Style::Plain, "\n")
    }

    /// Gives the page a picture of what it says.
    pub fn draw(&mut self, picture: Picture) -> &mut Page {
        self.picture = Some(picture);
        self
    }

    /// Its picture.
    pub fn picture(&self) -> Option<&Picture> {
        self.picture.as_ref()
    }

    /// Gives the page a table that says what its text says, for those that can show one.
    pub fn table(&mut self, table: Table) -> &mut Page {
        self.tables.push(table);
        self
    }

    /// The page without styles and without a line break at its end.
    pub fn plain(&self) -> String {
        let mut text: String = self.pieces.iter().map(|(_, text)| text.as_str()).collect();
        text.truncate(text.trim_end().len());
        text
    }

    /// The page as a fragment of HTML without scripts: its tables, or else its lines, whose letters have one width.
    pub fn html(&self) -> String {
        if !self.tables.is_empty() {
            let mut html = String::new();
            self.tables.iter().for_each(|table| table.html(&mut html));
            return html;
        }
        // Front ends may break words anywhere otherwise, and have another ground behind code than behind the rest.
        let mut html = String::from(
            "<pre style=\"white-space:pre-wrap;word-break:normal;overflow-wrap:anywhere;background:none\">",
        );
        let end = self
            .pieces
            .iter()
            .rposition(|(_, text)| !text.trim_end().is_empty());
        let pieces = self.pieces.iter().take(end.map_or(0, |end| end + 1));
        for (style, piece) in pieces {
            let text = escaped(&visible(piece));
            let (open, close) = match style {
                Style::Plain => ("", ""),
                Style::Heading | Style::Name => ("<b>", "</b>"),
                Style::Code => ("<code style=\"background:none\">", "</code>"),
                Style::Result => ("<span style=\"color:#2da44e\">", "</span>"),
                Style::Quiet => ("<span style=\"opacity:.65\">", "</span>"),
                Style::Warning => ("<span style=\"color:#d4690b\">", "</span>"),
            };
            html.push_str(open);
            html.push_str(&text);
            html.push_str(close);
        }
        html.push_str("</pre>");
        html
    }

    /// The page in colours, where these are on, with lines of at most `width` columns, without a line break at its end.
    pub fn styled(&self, width: usize) -> String {
        let mut out = String::new();
        let mut line: Vec<(Style, char)> = Vec::new();
        for (style, piece) in &self.pieces {
            for c in visible(piece).chars() {
                if c == '\n' {
                    put_line(&mut out, &line, width);
                    line.clear();
                } else {
                    line.push((*style, c));
                }
            }
        }
        put_line(&mut out, &line, width);
        out.truncate(out.trim_end().len());
        out
    }
}

/// Writes a line, broken between words where it is too long; what follows stands below the line's last column.
fn put_line(out: &mut String, line: &[(Style, char)], width: usize) {
    let columns = |part: &[(Style, char)]| -> usize {
        part.iter().map(|(_, c)| c.width().unwrap_or(0)).sum()
    };
    let indent = hanging(line).min(width / 2);
    let mut rest = line;
    let mut left = columns(line);
    let mut room = width.max(2);
    while left > room {
        let mut used = 0;
        let fits = |(_, c): &&(Style, char)| {
            used += c.width().unwrap_or(0);
            used <= room
        };
        let end = rest.iter().take_while(fits).count();
        // A word longer than the line is cut.
        let blank = rest[..=end].iter().rposition(|(_, c)| *c == ' ');
        let lead = rest[..=end].iter().take_while(|(_, c)| *c == ' ').count();
        let (cut, next) = match blank.filter(|at| *at > lead) {
            Some(at) => (at, at + 1),
            None => (end.max(1), end.max(1)),
        };
        put_pieces(out, &rest[..cut]);
        out.push('\n');
        out.push_str(&" ".repeat(indent));
        left -= columns(&rest[..next]);
        rest = &rest[next..];
        room = width.saturating_sub(indent).max(2);
    }
    put_pieces(out, rest);
    out.push('\n');
}

/// How far the lines that follow are indented: to where the last of several columns begins.
fn hanging(line: &[(Style, char)]) -> usize {
    let lead = line.iter().take_while(|(_, c)| *c == ' ').count();
    let gap = line
        .windows(2)
        .rposition(|two| two.iter().all(|(_, c)| *c == ' '));
    match gap {
        Some(at) if at + 2 > lead && at < 48 => at + 2,
        _ if lead > 0 => lead + 2,
        _ => 0,
    }
}

fn put_pieces(out: &mut String, line: &[(Style, char)]) {
    for piece in line.chunk_by(|a, b| a.0 == b.0) {
        let text: String = piece.iter().map(|(_, c)| c).collect();
        match piece.first() {
            Some((style, _)) if *style != Style::Plain => {
                out.push_str(&paint(*style, &text).to_string());
            }
            _ => out.push_str(&text),
        }
    }
}

/// A text in the colours of a style; without them where colours are off.
pub fn paint(style: Style, text: &str) -> ColoredString {
    match style {
        Style::Plain => text.normal(),
        Style::Heading => text.bold(),
        Style::Name => text.cyan().bold(),
        Style::Code => text.cyan(),
        Style::Result => text.green(),
        Style::Quiet => text.dimmed(),
        Style::Warning => text.yellow(),
    }
}
