//! A drawing made of characters: eight dots in each, as Braille has them.

use crate::diagnostic::{Page, Style};

/// A drawing of so many characters.
pub struct Canvas {
    columns: usize,
    rows: usize,
    dots: Vec<u8>,
    shaded: Vec<bool>,
    marked: Vec<bool>,
}

/// How many dots lie beside one another in a character.
pub const ACROSS: usize = 2;
/// How many lie above one another.
pub const DOWN: usize = 4;

/// The bits of a Braille character by row and column (Unicode, block 2800).
const BITS: [[u8; ACROSS]; DOWN] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];

impl Canvas {
    /// An empty one.
    pub fn new(columns: usize, rows: usize) -> Canvas {
        let cells = columns * rows;
        Canvas {
            columns,
            rows,
            dots: vec![0; cells],
            shaded: vec![false; cells],
            marked: vec![false; cells],
        }
    }

    /// A place from 0 to 1 as a column of dots.
    pub fn across(&self, place: f64) -> i64 {
        let last = (self.columns * ACROSS).saturating_sub(1) as f64;
        (place.clamp(0.0, 1.0) * last).round() as i64
    }

    /// A place from 0, the bottom, to 1 as a row of dots from the top.
    pub fn down(&self, place: f64) -> i64 {
        let last = (self.rows * DOWN).saturating_sub(1) as f64;
        ((1.0 - place.clamp(0.0, 1.0)) * last).round() as i64
    }

    fn cell(&self, x: i64, y: i64) -> Option<usize> {
        let (x, y) = (usize::try_from(x).ok()?, usize::try_from(y).ok()?);
        let (column, row) = (x / ACROSS, y / DOWN);
        (column < self.columns && row < self.rows).then_some(row * self.columns + column)
    }

    /// Puts a dot.
    pub fn dot(&mut self, x: i64, y: i64) {
        let bits = BITS.get(y.rem_euclid(DOWN as i64) as usize);
        let bit = bits.and_then(|row| row.get(x.rem_euclid(ACROSS as i64) as usize));
        let cell = self.cell(x, y).and_then(|cell| self.dots.get_mut(cell));
        if let (Some(cell), Some(bit)) = (cell, bit) {
            *cell |= bit;
        }
    }

    /// A straight line (Bresenham's).
    pub fn line(&mut self, from: (i64, i64), to: (i64, i64)) {
        let (mut x, mut y) = from;
        let (wide, high) = ((to.0 - x).abs(), -(to.1 - y).abs());
        let (right, down) = ((to.0 - x).signum(), (to.1 - y).signum());
        let mut error = wide + high;
        loop {
            self.dot(x, y);
            if (x, y) == to {
                return;
            }
            let twice = 2 * error;
            if twice >= high {
                error += high;
                x += right;
            }
            if twice <= wide {
                error += wide;
                y += down;
            }
        }
    }

    /// Shades the characters of a column of dots from one row of dots to another.
    pub fn shade(&mut self, x: i64, top: i64, bottom: i64) {
        for row in top / DOWN as i64..=bottom / DOWN as i64 {
            let cell = self.cell(x, row * DOWN as i64);
            if let Some(cell) = cell.and_then(|cell| self.shaded.get_mut(cell)) {
                *cell = true;
            }
        }
    }

    /// Puts a mark over everything else.
    pub fn mark(&mut self, x: i64, y: i64) {
        if let Some(cell) = self.cell(x, y).and_then(|cell| self.marked.get_mut(cell)) {
            *cell = true;
        }
    }

    /// Adds the characters of a row to a page.
    pub fn put_row(&self, page: &mut Page, row: usize, ascii: bool) {
        let begin = row * self.columns;
        let mut piece = String::new();
        let mut style = Style::Plain;
        for cell in begin..begin + self.columns {
            let (here, character) = self.character(cell, ascii);
            if here != style && !piece.is_empty() {
                page.put(style, std::mem::take(&mut piece));
            }
            style = here;
            piece.push(character);
        }
        page.put(style, piece);
    }

    fn character(&self, cell: usize, ascii: bool) -> (Style, char) {
        let is = |flags: &[bool]| flags.get(cell).copied().unwrap_or(false);
        if is(&self.marked) {
            return (Style::Warning, if ascii { 'O' } else { '●' });
        }
        match self.dots.get(cell).copied().unwrap_or(0) {
            0 if is(&self.shaded) => (Style::Quiet, if ascii { ':' } else { '░' }),
            0 => (Style::Plain, ' '),
            dots if ascii => (Style::Code, in_ascii(dots)),
            dots => {
                let braille = char::from_u32(0x2800 + u32::from(dots));
                (Style::Code, braille.unwrap_or('*'))
            }
        }
    }
}

/// The character that lies where the dots lie.
fn in_ascii(dots: u8) -> char {
    let upper = dots & (0x01 | 0x08 | 0x02 | 0x10) != 0;
    let lower = dots & (0x04 | 0x20 | 0x40 | 0x80) != 0;
    match (upper, lower) {
        (true, true) => '|',
        (true, false) => '\'',
        _ => '.',
    }
}
