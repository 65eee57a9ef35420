//! A sheet that pictures are drawn on as SVG, written out here: no script, no font, no file beside it.

use super::scale::Scale;
use super::text::cut;
use super::time::TimeTick;
use crate::diagnostic::{Theme, visible};
use std::fmt::Write as _;
use unicode_width::UnicodeWidthStr;

/// The width of a character of the small labels, about.
pub const CHARACTER: f64 = 6.7;
/// The width of a character of code.
pub const LETTER: f64 = 7.3;
/// The width of a character of a name.
pub const NAME: f64 = 8.2;
/// The width of a character of a title.
pub const TITLE: f64 = 9.8;
/// The height of a line of small labels.
const LINE: f64 = 11.0;
/// What is left free at the edges.
pub const EDGE: f64 = 20.0;
/// Where what is drawn below the head may begin.
pub const HEAD: f64 = 84.0;
/// How many colours tell kinds apart.
pub const COLOURS: usize = 8;

/// Light colours. All rules begin with the class of the picture, so that they change nothing else on a page.
const LIGHT: &str = "\
.stellar-plot{font-family:system-ui,-apple-system,'Segoe UI','DejaVu Sans',sans-serif}\
.stellar-plot .ground{fill:#fff}\
.stellar-plot text{fill:#59636e;font-size:11px}\
.stellar-plot .title{fill:#1f2328;font-size:15px;font-weight:600}\
.stellar-plot .name{fill:#1f2328;font-size:13px;font-weight:600}\
.stellar-plot .word{fill:#1f2328}\
.stellar-plot .over{stroke:#fff;stroke-width:4px;stroke-linejoin:round;paint-order:stroke}\
.stellar-plot .code{fill:#1f2328;font-size:12px;font-family:ui-monospace,'SF Mono',Menlo,Consolas,'DejaVu Sans Mono',monospace}\
.stellar-plot .quiet{fill:#818b98}\
.stellar-plot .grid{stroke:#d1d9e0;stroke-opacity:.5;fill:none}\
.stellar-plot .begins{stroke-opacity:.8}\
.stellar-plot .axis{stroke:#818b98;fill:none}\
.stellar-plot .clocks{stroke:#9a6700;stroke-dasharray:2 3;fill:none}\
.stellar-plot .band{fill:#0969da;fill-opacity:.15}\
.stellar-plot .line{stroke:#0969da;stroke-width:1.6;stroke-linejoin:round;stroke-linecap:round;fill:none}\
.stellar-plot .dot{fill:#0969da}\
.stellar-plot .mark{fill:#d1242f;stroke:#fff;stroke-width:1.2}\
.stellar-plot .bad{fill:#d1242f}\
.stellar-plot .rule{stroke:#d1242f;stroke-width:1.4;fill:none}\
.stellar-plot .box{fill:#f6f8fa;stroke:#818b98}\
.stellar-plot .fails{stroke:#d1242f}\
.stellar-plot .unused{stroke-dasharray:3 3;stroke:#afb8c1;fill:none}\
.stellar-plot .input{stroke:#0969da}.stellar-plot .output{stroke:#1a7f37}\
.stellar-plot .way{stroke:#818b98;fill:none}.stellar-plot .tip{fill:#818b98}\
.stellar-plot .out{fill:#818b98;fill-opacity:.45}\
.stellar-plot .c0{fill:#0969da}.stellar-plot .c1{fill:#e16f24}.stellar-plot .c2{fill:#2da44e}\
.stellar-plot .c3{fill:#8250df}.stellar-plot .c4{fill:#bf8700}.stellar-plot .c5{fill:#bf3989}\
.stellar-plot .c6{fill:#1b7c83}.stellar-plot .c7{fill:#afb8c1}";

/// Dark ones in their place.
const DARK: &str = "\
.stellar-plot .ground{fill:#0d1117}\
.stellar-plot text{fill:#9198a1}\
.stellar-plot .title,.stellar-plot .name,.stellar-plot .word,.stellar-plot .code{fill:#f0f6fc}\
.stellar-plot .over{stroke:#0d1117}\
.stellar-plot .quiet{fill:#818b98}\
.stellar-plot .grid{stroke:#3d444d}\
.stellar-plot .axis{stroke:#656c76}\
.stellar-plot .clocks{stroke:#d29922}\
.stellar-plot .band{fill:#4493f8;fill-opacity:.22}\
.stellar-plot .line{stroke:#4493f8}\
.stellar-plot .dot{fill:#4493f8}\
.stellar-plot .mark{fill:#f85149;stroke:#0d1117}\
.stellar-plot .bad{fill:#f85149}\
.stellar-plot .rule{stroke:#f85149}\
.stellar-plot .box{fill:#151b23;stroke:#656c76}\
.stellar-plot .fails{stroke:#f85149}\
.stellar-plot .unused{stroke:#3d444d;fill:none}\
.stellar-plot .input{stroke:#4493f8}.stellar-plot .output{stroke:#3fb950}\
.stellar-plot .way{stroke:#656c76}.stellar-plot .tip{fill:#656c76}\
.stellar-plot .out{fill:#9198a1;fill-opacity:.4}\
.stellar-plot .c0{fill:#4493f8}.stellar-plot .c1{fill:#f0883e}.stellar-plot .c2{fill:#3fb950}\
.stellar-plot .c3{fill:#ab7df8}.stellar-plot .c4{fill:#d29922}.stellar-plot .c5{fill:#db61a2}\
.stellar-plot .c6{fill:#39b5bd}.stellar-plot .c7{fill:#656c76}";

/// Which end of a text stands at its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// Its beginning.
    Start,
    /// Its middle.
    Middle,
    /// Its end.
    End,
}

impl Anchor {
    fn name(self) -> &'static str {
        match self {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        }
    }
}

/// A rectangle.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// Its left edge.
    pub x: f64,
    /// Its upper edge.
    pub y: f64,
    /// Its width.
    pub width: f64,
    /// Its height.
    pub height: f64,
}

/// A picture as far as it is drawn.
pub struct Sheet {
    out: String,
    width: f64,
}

impl Sheet {
    /// A sheet with a ground. The title and the description are for those who cannot see the picture; nothing of them
    /// is drawn.
    pub fn new(theme: Theme, width: f64, height: f64, title: &str, description: &str) -> Sheet {
        // Several pictures on one page need names of their own, and colours of their own if these are not the reader's.
        let id = format!("stellar-plot-{:08x}", fingerprint(&[title, description]));
        let (class, style) = match theme {
            Theme::Auto => (
                "stellar-plot",
                format!("{LIGHT}@media(prefers-color-scheme:dark){{{DARK}}}"),
            ),
            Theme::Light => (
                "stellar-light",
                LIGHT.replace("stellar-plot", "stellar-light"),
            ),
            Theme::Dark => (
                "stellar-dark",
                format!("{LIGHT}{DARK}").replace("stellar-plot", "stellar-dark"),
            ),
        };
        let mut out = String::with_capacity(16 * 1024);
        let _ = write!(
            out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"{class}\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" role=\"img\" aria-labelledby=\"{id}-title {id}-desc\">\n\
             <title id=\"{id}-title\">{}</title>\n<desc id=\"{id}-desc\">{}</desc>\n<style>{style}</style>\n\
             <rect class=\"ground\" width=\"{width}\" height=\"{height}\" rx=\"6\"/>\n",
            escaped(title),
            escaped(description),
        );
        Sheet { out, width }
    }

    /// The width of the whole.
    pub fn width(&self) -> f64 {
        self.width
    }

    /// The title and a quieter line below it, each cut to the sheet.
    pub fn heading(&mut self, title: &str, below: &str) {
        let room = self.width - 2.0 * EDGE;
        self.text_within("title", EDGE, 30.0, title, room, TITLE);
        self.text_within("", EDGE, 49.0, below, room, CHARACTER);
    }

    /// A text; an empty one leaves nothing.
    pub fn text(&mut self, class: &str, x: f64, y: f64, anchor: Anchor, words: &str) {
        if words.is_empty() {
            return;
        }
        // What stands in the middle of its place stays on the sheet.
        let half = words.width() as f64 * CHARACTER / 2.0 + 4.0;
        let x = match anchor {
            Anchor::Middle => x.min(self.width - half).max(half),
            _ => x,
        };
        let (class, anchor, words) = (of_class(class), anchor.name(), escaped(words));
        let _ = writeln!(
            self.out,
            "<text{class} x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{words}</text>"
        );
    }

    /// A text that is cut where the room ends, with characters of about this width; the whole shows when somebody
    /// points at it. Blanks stay as they are.
    pub fn text_within(
        &mut self,
        class: &str,
        x: f64,
        y: f64,
        words: &str,
        room: f64,
        character: f64,
    ) {
        self.cut(class, (x, y, Anchor::Start), words, room, character);
    }

    /// The same, before its place.
    pub fn text_before(
        &mut self,
        class: &str,
        x: f64,
        y: f64,
        words: &str,
        room: f64,
        character: f64,
    ) {
        self.cut(class, (x, y, Anchor::End), words, room, character);
    }

    fn cut(
        &mut self,
        class: &str,
        (x, y, anchor): (f64, f64, Anchor),
        words: &str,
        room: f64,
        character: f64,
    ) {
        // What just fits may be a little more for the arithmetic.
        let most = (room / character + 0.01).max(1.0) as usize;
        if words.width() <= most {
            return self.text(class, x, y, anchor, words);
        }
        // What points at it need not show a book.
        let whole: String = words.chars().take(1_000).collect();
        let shown = cut(&whole, most, false);
        let (class, shown, whole) = (of_class(class), escaped(&shown), escaped(&whole));
        let anchor = anchor.name();
        let _ = writeln!(
            self.out,
            "<text{class} x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\"><title>{whole}</title>{shown}</text>"
        );
    }

    /// A path; `title` shows when somebody points at it.
    pub fn path(&mut self, class: &str, path: &str, title: &str) {
        self.shape("path", class, &format!("d=\"{path}\""), title);
    }

    /// A rectangle with round corners of this radius.
    pub fn rect(&mut self, class: &str, place: Place, radius: f64, title: &str) {
        let Place {
            x,
            y,
            width,
            height,
        } = place;
        let mut how =
            format!("x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"");
        if radius > 0.0 {
            let _ = write!(how, " rx=\"{radius}\"");
        }
        self.shape("rect", class, &how, title);
    }

    /// A circle.
    pub fn circle(&mut self, class: &str, x: f64, y: f64, radius: f64, title: &str) {
        let how = format!("cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius}\"");
        self.shape("circle", class, &how, title);
    }

    fn shape(&mut self, name: &str, class: &str, how: &str, title: &str) {
        let class = of_class(class);
        let _ = match title {
            "" => writeln!(self.out, "<{name}{class} {how}/>"),
            title => writeln!(
                self.out,
                "<{name}{class} {how}><title>{}</title></{name}>",
                escaped(title)
            ),
        };
    }

    /// The lines of round times through stretches of the sheet, each from its upper edge so far down, and what stands
    /// below them at `bottom`. `at` says where a tick stands.
    pub fn time_axis(
        &mut self,
        ticks: &[TimeTick],
        at: impl Fn(&TimeTick) -> f64,
        left: f64,
        stretches: &[(f64, f64)],
        bottom: f64,
    ) {
        let mut free = 0.0;
        for tick in ticks {
            let x = at(tick);
            let class = if tick.begins { "grid begins" } else { "grid" };
            self.path(class, &through(x, stretches), "");
            let half = tick.label.chars().count() as f64 * CHARACTER / 2.0;
            let x = x.max(left - 10.0 + half.min(10.0));
            // At the edges labels stand beside their ticks.
            let begin = x.min(self.width - half - 4.0) - half;
            if begin >= free {
                free = begin + 2.0 * half + 2.0;
                self.text("", x, bottom + 18.0, Anchor::Middle, &tick.label);
            }
        }
    }

    /// The lines of round values from `left` to `right`, and what stands before them where there is room.
    pub fn grid(&mut self, scale: &Scale, left: f64, right: f64, down: impl Fn(f64) -> f64) {
        let mut free = f64::INFINITY;
        for tick in &scale.ticks {
            let y = down(*tick);
            self.path("grid", &format!("M{left} {y:.1}H{right}"), "");
            if y <= free {
                free = y - LINE;
                self.text("", left - 8.0, y + 4.0, Anchor::End, &scale.label(*tick));
            }
        }
    }

    /// What stands at the ticks of an axis of values below, where it touches nothing that stands there already.
    pub fn value_axis(&mut self, labels: &[(f64, String)], y: f64) {
        let mut free = 0.0;
        for (x, label) in labels {
            let half = label.width() as f64 * CHARACTER / 2.0;
            let begin = x.min(self.width - half - 4.0).max(half + 4.0) - half;
            if begin >= free {
                free = begin + 2.0 * half + 6.0;
                self.text("", *x, y, Anchor::Middle, label);
            }
        }
    }

    /// The changes of clocks, as lines through the same stretches.
    pub fn clock_changes(
        &mut self,
        changes: &[(i64, String)],
        at: impl Fn(i64) -> f64,
        stretches: &[(f64, f64)],
    ) {
        for (moment, words) in changes {
            self.path("clocks", &through(at(*moment), stretches), words);
        }
    }

    /// How much room the entries of a legend take.
    pub fn legend_width(entries: &[(&str, &str)]) -> f64 {
        let each = |(words, _): &(&str, &str)| words.width() as f64 * CHARACTER + 36.0;
        entries.iter().map(each).sum()
    }

    /// What the signs mean, from the right edge to the left at this height, the last entry first. Each gives the words
    /// and the class of what is drawn before them: `line` and `mark` as such, others as a small area.
    pub fn legend(&mut self, right: f64, y: f64, entries: &[(&str, &str)]) {
        let mut x = right;
        for (words, class) in entries.iter().rev() {
            x -= words.width() as f64 * CHARACTER;
            self.text("", x, y, Anchor::Start, words);
            x -= 24.0;
            match *class {
                "line" | "rule" => self.path(class, &format!("M{x:.1} {:.1}h18", y - 4.0), ""),
                "mark" => self.circle(class, x + 12.0, y - 4.0, 4.0, ""),
                class => {
                    let place = Place {
                        x,
                        y: y - 9.0,
                        width: 18.0,
                        height: 10.0,
                    };
                    self.rect(class, place, 0.0, "");
                }
            }
            x -= 12.0;
        }
    }

    /// The picture.
    pub fn finish(mut self) -> String {
        self.out.push_str("</svg>\n");
        self.out
    }
}

/// A vertical line through stretches of a sheet.
fn through(x: f64, stretches: &[(f64, f64)]) -> String {
    let mut path = String::new();
    for (top, height) in stretches {
        let _ = write!(path, "M{x:.1} {top:.1}v{height:.1}");
    }
    path
}

fn of_class(class: &str) -> String {
    match class {
        "" => String::new(),
        class => format!(" class=\"{class}\""),
    }
}

/// Text as XML takes it, on one line; characters that XML cannot hold and those that turn the direction of writing become
/// U+FFFD.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' => out.push(' '),
            '\u{fffe}' | '\u{ffff}' => out.push(char::REPLACEMENT_CHARACTER),
            c if c < ' ' || c == '\u{7f}' || c > '\u{7f}' && steers(c) => {
                out.push(char::REPLACEMENT_CHARACTER);
            }
            other => out.push(other),
        }
    }
    out
}

/// Whether a terminal would not show this character as it is.
fn steers(character: char) -> bool {
    let mut buffer = [0; 4];
    let text: &str = character.encode_utf8(&mut buffer);
    visible(text) != text
}

/// A number that texts have nearly for themselves (FNV-1a).
fn fingerprint(texts: &[&str]) -> u32 {
    let bytes = texts.iter().flat_map(|text| text.bytes());
    bytes.fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}
