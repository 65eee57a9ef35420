//! The elements that an example of a time is made of.

/// An element with the plain text before it; the last piece has no element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    pub before: String,
    pub element: Option<Element>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Element {
    ShortYear,
    Year,
    /// Whether two digits must stand there, here and below.
    Month(bool),
    ShortMonth,
    LongMonth,
    ShortDay,
    LongDay,
    Day {
        fixed: bool,
        blank: bool,
    },
    DayOfYear {
        fixed: bool,
    },
    Hour,
    Hour12(bool),
    Minute(bool),
    Second(bool),
    UpperHalf,
    LowerHalf,
    Zone,
    Offset {
        utc: bool,
        shape: Offset,
    },
    Fraction(usize),
    AnyFraction,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Offset {
    Hours,
    Minutes,
    ColonMinutes,
    Seconds,
    ColonSeconds,
}

/// Divides an example into its elements.
pub(super) fn pieces(example: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let (mut begin, mut at) = (0, 0);
    while at < example.len() {
        let rest = example.as_bytes().get(at..).unwrap_or_default();
        match element(rest) {
            Some((element, skip, length)) => {
                pieces.push(Piece {
                    before: example
                        .get(begin..at + skip)
                        .unwrap_or_default()
                        .to_string(),
                    element: Some(element),
                });
                at += skip + length;
                begin = at;
            }
            None => at += 1,
        }
    }
    pieces.push(Piece {
        before: example.get(begin..).unwrap_or_default().to_string(),
        element: None,
    });
    pieces
}

/// The element at the beginning of `rest`, the bytes of plain text before it, and its length.
fn element(rest: &[u8]) -> Option<(Element, usize, usize)> {
    let starts = |text: &str| rest.starts_with(text.as_bytes());
    // A name goes on when a small letter follows.
    let word =
        |text: &str| starts(text) && !rest.get(text.len()).is_some_and(u8::is_ascii_lowercase);
    let plain = |element: Element, length: usize| Some((element, 0, length));
    match *rest.first()? {
        b'J' if starts("January") => plain(Element::LongMonth, 7),
        b'J' if word("Jan") => plain(Element::ShortMonth, 3),
        b'M' if starts("Monday") => plain(Element::LongDay, 6),
        b'M' if word("Mon") => plain(Element::ShortDay, 3),
        b'M' if starts("MST") => plain(Element::Zone, 3),
        b'0' => match rest.get(1)? {
            b'1' => plain(Element::Month(true), 2),
            b'2' => plain(
                Element::Day {
                    fixed: true,
                    blank: false,
                },
                2,
            ),
            b'3' => plain(Element::Hour12(true), 2),
            b'4' => plain(Element::Minute(true), 2),
            b'5' => plain(Element::Second(true), 2),
            b'6' => plain(Element::ShortYear, 2),
            b'0' if rest.get(2) == Some(&b'2') => plain(Element::DayOfYear { fixed: true }, 3),
            _ => None,
        },
        b'1' if starts("15") => plain(Element::Hour, 2),
        b'1' => plain(Element::Month(false), 1),
        b'2' if starts("2006") => plain(Element::Year, 4),
        b'2' => plain(
            Element::Day {
                fixed: false,
                blank: false,
            },
            1,
        ),
        b'_' if starts("_2006") => Some((Element::Year, 1, 4)),
        b'_' if starts("_2") => plain(
            Element::Day {
                fixed: false,
                blank: true,
            },
            2,
        ),
        b'_' if starts("__2") => plain(Element::DayOfYear { fixed: false }, 3),
        b'3' => plain(Element::Hour12(false), 1),
        b'4' => plain(Element::Minute(false), 1),
        b'5' => plain(Element::Second(false), 1),
        b'P' if starts("PM") => plain(Element::UpperHalf, 2),
        b'p' if starts("pm") => plain(Element::LowerHalf, 2),
        sign @ (b'-' | b'Z') => {
            let shapes = [
                ("070000", Offset::Seconds),
                ("07:00:00", Offset::ColonSeconds),
                ("0700", Offset::Minutes),
                ("07:00", Offset::ColonMinutes),
                ("07", Offset::Hours),
            ];
            let after = rest.get(1..)?;
            let (text, shape) = shapes
                .into_iter()
                .find(|(text, _)| after.starts_with(text.as_bytes()))?;
            let utc = sign == b'Z';
            plain(Element::Offset { utc, shape }, text.len() + 1)
        }
        b'.' | b',' => {
            let digit = *rest.get(1)?;
            if digit != b'0' && digit != b'9' {
                return None;
            }
            let digits = rest.iter().skip(1).take_while(|b| **b == digit).count();
            if rest.get(digits + 1).is_some_and(u8::is_ascii_digit) {
                return None;
            }
            match digit {
                b'0' => plain(Element::Fraction(digits), digits + 1),
                _ => plain(Element::AnyFraction, digits + 1),
            }
        }
        _ => None,
    }
}
