//! From a flat list of pieces to lines: a group stands on one line when it fits, else it breaks.
//!
//! Both passes are loops over the list, so the depth of a tree costs no stack and long chains are linear.

use std::borrow::Cow;

/// How lines are made.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    /// Columns of a line.
    pub width: usize,
    /// What ends a line.
    pub newline: &'static str,
    /// Whether chains outside of brackets may break behind a backslash.
    pub continued: bool,
}

/// A piece of the text.
pub(super) enum Piece<'a> {
    /// Something to print.
    Text(Cow<'a, str>),
    /// A place where a broken group goes on in the next line.
    Break {
        /// Whether it is a blank when the group is not broken.
        blank: bool,
        /// Whether the next line stands as far left as the line that began the group.
        outward: bool,
        /// Whether the line needs a backslash at its end.
        backslash: bool,
    },
    /// A group begins.
    Begin {
        /// How far lines inside stand to the right.
        indent: usize,
        /// Whether a broken group puts as much into a line as fits.
        fill: bool,
    },
    /// A group ends.
    End,
    /// A comment up to the end of its line; its groups are broken.
    Comment(&'a str),
}

/// What became of the pieces.
pub(super) struct Lines {
    /// The text.
    pub text: String,
    /// Whether every comment ends its line.
    pub sound: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Flat,
    Broken,
    Fill,
}

#[derive(Clone, Copy)]
struct Group {
    outer: usize,
    inner: usize,
    mode: Mode,
}

/// The columns up to the end of the text's first line.
fn first_line(text: &str) -> usize {
    text.split('\n').next().unwrap_or("").chars().count()
}

/// A group on one line.
#[derive(Clone, Copy)]
struct Flat {
    /// Its columns, with what follows up to the next break.
    columns: usize,
    /// Whether it stays on one line even when that line gets too long: a group in the middle of a line that
    /// cannot break elsewhere would be torn apart without making the line any easier to read.
    stays: bool,
}

/// What the first pass finds out.
struct Measures {
    /// How each group could stand on one line, by the index of its beginning; `None` when a comment is in it.
    groups: Vec<Option<Flat>>,
    /// For each piece, the columns from it on up to the next place where the line may end.
    tails: Vec<usize>,
}

fn measure(pieces: &[Piece<'_>], width: usize) -> Measures {
    let mut tails = vec![0; pieces.len() + 1];
    let mut tail = 0;
    for (slot, piece) in tails.iter_mut().zip(pieces).rev() {
        tail = match piece {
            Piece::Text(text) if text.contains('\n') => first_line(text),
            Piece::Text(text) => tail + first_line(text),
            Piece::Break { .. } | Piece::Comment(_) => 0,
            Piece::Begin { .. } | Piece::End => tail,
        };
        *slot = tail;
    }
    let closes = |text: &str| text.trim_matches([')', ']', '}']).is_empty();
    let last = pieces
        .iter()
        .rposition(|piece| matches!(piece, Piece::Text(text) if !closes(text)));
    let mut groups = vec![None; pieces.len()];
    let mut open: Vec<(usize, usize, usize)> = Vec::new();
    let (mut columns, mut comments) = (0usize, 0usize);
    for (index, piece) in pieces.iter().enumerate() {
        match piece {
            Piece::Text(text) => columns += first_line(text),
            Piece::Break { blank, .. } => columns += usize::from(*blank),
            Piece::Comment(_) => comments += 1,
            Piece::Begin { .. } => open.push((index, columns, comments)),
            Piece::End => {
                let Some((begin, before, comments_before)) = open.pop() else {
                    continue;
                };
                let after = tails.get(index + 1).copied().unwrap_or(0);
                if let Some(group) = groups.get_mut(begin)
                    && comments == comments_before
                {
                    let outermost = open.is_empty();
                    *group = Some(Flat {
                        columns: columns - before + after,
                        stays: outermost && last > Some(index) && columns - before <= width,
                    });
                }
            }
        }
    }
    Measures { groups, tails }
}

/// Lays the pieces out, the first line from `column` on.
pub(super) fn lines(pieces: &[Piece<'_>], style: Style, mut column: usize) -> Lines {
    let Measures { groups, tails } = measure(pieces, style.width);
    let mut text = String::new();
    let mut sound = true;
    let mut after_comment = false;
    let mut at_start = false;
    let mut group = Group {
        outer: 0,
        inner: 0,
        mode: Mode::Broken,
    };
    let mut around = Vec::new();
    for (index, piece) in pieces.iter().enumerate() {
        let room = style.width.saturating_sub(column);
        match piece {
            Piece::Text(part) => {
                sound &= !after_comment;
                text.push_str(part);
                column = match part.rsplit_once('\n') {
                    Some((_, last)) => first_line(last),
                    None => column + first_line(part),
                };
                at_start = false;
            }
            Piece::Comment(comment) => {
                sound &= !after_comment;
                if !at_start {
                    text.push(' ');
                }
                text.push_str(comment);
                after_comment = true;
            }
            Piece::Begin { indent, fill } => {
                around.push(group);
                let fits = groups
                    .get(index)
                    .is_some_and(|flat| flat.is_some_and(|f| f.stays || f.columns <= room));
                let flat = group.mode == Mode::Flat || fits;
                group = Group {
                    outer: group.inner,
                    inner: group.inner + indent,
                    mode: match (flat, fill) {
                        (true, _) => Mode::Flat,
                        (false, true) => Mode::Fill,
                        (false, false) => Mode::Broken,
                    },
                };
            }
            Piece::End => {
                if let Some(outer) = around.pop() {
                    group = outer;
                }
            }
            Piece::Break {
                blank,
                outward,
                backslash,
            } => {
                let stays = match group.mode {
                    Mode::Flat => true,
                    Mode::Broken => false,
                    Mode::Fill => {
                        let next = tails.get(index + 1).copied().unwrap_or(0);
                        usize::from(*blank) + next <= room
                    }
                };
                if stays {
                    if *blank {
                        text.push(' ');
                        column += 1;
                    }
                    continue;
                }
                if *backslash {
                    text.push_str(" \\");
                }
                text.push_str(style.newline);
                column = if *outward { group.outer } else { group.inner };
                text.extend(std::iter::repeat_n(' ', column));
                after_comment = false;
                at_start = true;
            }
        }
    }
    Lines {
        text,
        sound: sound && !after_comment,
    }
}
