//! Compiling a date pattern.

use std::fmt;

/// A letter of a pattern.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Letter {
    Era,
    Year,
    WeekYear,
    Month,
    MonthAlone,
    WeekOfYear,
    WeekOfMonth,
    DayOfYear,
    DayOfMonth,
    DayOfWeekInMonth,
    DayOfWeek,
    IsoDayOfWeek,
    AmPm,
    HourFrom0To23,
    HourFrom1To24,
    HourFrom0To11,
    HourFrom1To12,
    Minute,
    Second,
    Millisecond,
    ZoneName,
    ZoneRfc822,
    ZoneIso,
}

impl Letter {
    fn of(c: char) -> Option<Letter> {
        Some(match c {
            'G' => Letter::Era,
            'y' => Letter::Year,
            'Y' => Letter::WeekYear,
            'M' => Letter::Month,
            'L' => Letter::MonthAlone,
            'w' => Letter::WeekOfYear,
            'W' => Letter::WeekOfMonth,
            'D' => Letter::DayOfYear,
            'd' => Letter::DayOfMonth,
            'F' => Letter::DayOfWeekInMonth,
            'E' => Letter::DayOfWeek,
            'u' => Letter::IsoDayOfWeek,
            'a' => Letter::AmPm,
            'H' => Letter::HourFrom0To23,
            'k' => Letter::HourFrom1To24,
            'K' => Letter::HourFrom0To11,
            'h' => Letter::HourFrom1To12,
            'm' => Letter::Minute,
            's' => Letter::Second,
            'S' => Letter::Millisecond,
            'z' => Letter::ZoneName,
            'Z' => Letter::ZoneRfc822,
            'X' => Letter::ZoneIso,
            _ => return None,
        })
    }

    /// True when a field before this one must keep to its own width while
    /// parsing, because this one starts with a digit.
    fn starts_with_digit(self, count: usize) -> bool {
        match self {
            Letter::Month | Letter::MonthAlone => count <= 2,
            Letter::Era
            | Letter::DayOfWeek
            | Letter::AmPm
            | Letter::ZoneName
            | Letter::ZoneRfc822
            | Letter::ZoneIso => false,
            _ => true,
        }
    }
}

/// One piece of a compiled pattern.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Item {
    /// Text to write or to match as it is.
    Text(String),
    /// A letter repeated `count` times; `abuts` when the next piece is a
    /// number.
    Field {
        letter: Letter,
        count: usize,
        abuts: bool,
    },
}

/// Why a pattern was refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PatternError {
    /// Java's message, such as `Illegal pattern character 'b'`.
    pub message: String,
    /// Byte offset in the pattern of the piece at fault.
    pub offset: usize,
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for PatternError {}

/// A compiled date pattern; immutable, so one value serves every thread.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pattern {
    pub(super) items: Vec<Item>,
    /// The month is the only field, so its stand-alone names are used.
    pub(super) month_only: bool,
}

/// The pieces found so far and the letters or the text still being collected.
#[derive(Default)]
struct Compiler {
    items: Vec<Item>,
    text: String,
    run: Option<(Letter, usize, usize)>,
}

impl Compiler {
    fn end_text(&mut self) {
        if !self.text.is_empty() {
            self.items.push(Item::Text(std::mem::take(&mut self.text)));
        }
    }

    fn end_run(&mut self) -> Result<(), PatternError> {
        if let Some((letter, count, offset)) = self.run.take() {
            if letter == Letter::ZoneIso && count > 3 {
                return Err(PatternError {
                    message: format!("invalid ISO 8601 format: length={count}"),
                    offset,
                });
            }
            self.items.push(Item::Field {
                letter,
                count,
                abuts: false,
            });
        }
        Ok(())
    }

    fn literal(&mut self, c: char) -> Result<(), PatternError> {
        self.end_run()?;
        self.text.push(c);
        Ok(())
    }

    fn letter(&mut self, letter: Letter, offset: usize) -> Result<(), PatternError> {
        if let Some((current, count, _)) = &mut self.run
            && *current == letter
        {
            *count += 1;
            return Ok(());
        }
        self.end_run()?;
        self.end_text();
        self.run = Some((letter, 1, offset));
        Ok(())
    }
}

impl Pattern {
    /// Compiles a `SimpleDateFormat` pattern.
    ///
    /// # Errors
    /// A letter without a meaning, an unterminated quote, or more than three
    /// `X` in a row; the message is Java's.
    pub fn compile(pattern: &str) -> Result<Pattern, PatternError> {
        let mut compiler = Compiler::default();
        let mut quote = None;
        let mut chars = pattern.char_indices().peekable();
        while let Some((offset, c)) = chars.next() {
            if c == '\'' {
                if chars.next_if(|&(_, next)| next == '\'').is_some() {
                    compiler.literal('\'')?;
                    continue;
                }
                if quote.take().is_none() {
                    // A quote ends a run of letters even when it is empty.
                    compiler.end_run()?;
                    quote = Some(offset);
                }
            } else if quote.is_some() || !c.is_ascii_alphabetic() {
                compiler.literal(c)?;
            } else if let Some(letter) = Letter::of(c) {
                compiler.letter(letter, offset)?;
            } else {
                return Err(PatternError {
                    message: format!("Illegal pattern character '{c}'"),
                    offset,
                });
            }
        }
        if let Some(offset) = quote {
            return Err(PatternError {
                message: "Unterminated quote".to_string(),
                offset,
            });
        }
        compiler.end_run()?;
        compiler.end_text();
        Ok(Pattern::from_items(compiler.items))
    }

    fn from_items(mut items: Vec<Item>) -> Pattern {
        let mut next_is_number = false;
        for item in items.iter_mut().rev() {
            next_is_number = match item {
                Item::Text(_) => false,
                Item::Field {
                    letter,
                    count,
                    abuts,
                } => {
                    *abuts = next_is_number;
                    letter.starts_with_digit(*count)
                }
            };
        }
        let mut letters = items.iter().filter_map(|item| match item {
            Item::Field { letter, .. } => Some(*letter),
            Item::Text(_) => None,
        });
        let month_only = letters.next() == Some(Letter::Month) && letters.next().is_none();
        Pattern { items, month_only }
    }
}
