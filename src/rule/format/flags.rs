//! What stands between a per cent sign and its verb.

use super::{Arg, MAX_WIDTH, Output, Printer};

/// Flags, width and precision of one operand.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Flags {
    pub plus: bool,
    pub minus: bool,
    pub sharp: bool,
    pub space: bool,
    pub zero: bool,
    /// `%#v`
    pub sharp_v: bool,
    pub width: Option<usize>,
    pub precision: Option<usize>,
}

/// The walk through a format.
struct Format<'f> {
    text: &'f [u8],
    at: usize,
    args: usize,
    next: usize,
    reordered: bool,
    good: bool,
}

/// Prints operands by a format.
pub(super) fn printf(out: &mut Output, format: &[u8], args: &[Arg<'_>]) {
    let mut walk = Format {
        text: format,
        at: 0,
        args: args.len(),
        next: 0,
        reordered: false,
        good: true,
    };
    while walk.at < format.len() && !out.is_over() {
        let rest = format.get(walk.at..).unwrap_or_default();
        let plain = memchr::memchr(b'%', rest).unwrap_or(rest.len());
        out.push(rest.get(..plain).unwrap_or_default());
        walk.at += plain;
        if walk.at < format.len() {
            walk.at += 1;
            walk.operand(out, args);
        }
    }
    if !walk.reordered && walk.next < args.len() {
        out.push(b"%!(EXTRA ");
        for (i, arg) in args.iter().skip(walk.next).enumerate() {
            if i > 0 {
                out.push(b", ");
            }
            if !matches!(arg, Arg::Nil) {
                out.push(arg.type_name().as_bytes());
                out.push(b"=");
            }
            Printer::new(out).argument(arg, 'v');
        }
        out.push(b")");
    }
}

impl Format<'_> {
    fn byte(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn take(&mut self, wanted: u8) -> bool {
        let there = self.byte() == Some(wanted);
        self.at += usize::from(there);
        there
    }

    /// Prints what a per cent sign stands for.
    fn operand(&mut self, out: &mut Output, args: &[Arg<'_>]) {
        let mut flags = Flags::default();
        self.good = true;
        while let Some(byte) = self.byte() {
            match byte {
                b'#' => flags.sharp = true,
                b'0' => flags.zero = true,
                b'+' => flags.plus = true,
                b'-' => flags.minus = true,
                b' ' => flags.space = true,
                _ => break,
            }
            self.at += 1;
        }
        let mut indexed = self.index();
        if self.take(b'*') {
            match self.number_of(args) {
                Some(width) => {
                    flags.width = usize::try_from(width.unsigned_abs()).ok();
                    if width < 0 {
                        (flags.minus, flags.zero) = (true, false);
                    }
                }
                None => out.push(b"%!(BADWIDTH)"),
            }
            indexed = false;
        } else {
            flags.width = self.number();
            if indexed && flags.width.is_some() {
                self.good = false;
            }
        }
        if self.at + 1 < self.text.len() && self.take(b'.') {
            if indexed {
                self.good = false;
            }
            indexed = self.index();
            if self.take(b'*') {
                let precision = self.number_of(args);
                flags.precision = precision.and_then(|precision| usize::try_from(precision).ok());
                if flags.precision.is_none() {
                    out.push(b"%!(BADPREC)");
                }
                indexed = false;
            } else {
                flags.precision = Some(self.number().unwrap_or(0));
            }
        }
        if !indexed {
            self.index();
        }
        let rest = self.text.get(self.at..).unwrap_or_default();
        if rest.is_empty() {
            out.push(b"%!(NOVERB)");
            return;
        }
        let chunk = rest.utf8_chunks().next();
        let verb = chunk.and_then(|chunk| chunk.valid().chars().next());
        self.at += verb.map_or(1, char::len_utf8);
        let verb = verb.unwrap_or('\u{FFFD}');
        match (verb, args.get(self.next)) {
            ('%', _) => out.push(b"%"),
            _ if !self.good => out.push(format!("%!{verb}(BADINDEX)").as_bytes()),
            (_, None) => out.push(format!("%!{verb}(MISSING)").as_bytes()),
            (_, Some(arg)) => {
                // %w is %v outside of errors, but with another name.
                if matches!(verb, 'v' | 'w') {
                    flags.sharp_v = std::mem::replace(&mut flags.sharp, false);
                    flags.plus = false;
                }
                let mut printer = Printer::new(out);
                printer.flags = flags;
                printer.argument(arg, verb);
                self.next += 1;
            }
        }
    }

    /// Digits; none when they say more than a million, and then the rest of the format is gone as well.
    fn number(&mut self) -> Option<usize> {
        let start = self.at;
        let mut value = 0;
        while let Some(digit) = self.byte().filter(u8::is_ascii_digit) {
            if value > MAX_WIDTH {
                self.at = self.text.len();
                return None;
            }
            value = value * 10 + i64::from(digit - b'0');
            self.at += 1;
        }
        (self.at > start).then(|| usize::try_from(value).unwrap_or(0))
    }

    /// The next operand where it says a width or a precision.
    fn number_of(&mut self, args: &[Arg<'_>]) -> Option<i64> {
        let arg = args.get(self.next)?;
        self.next += 1;
        let number = match arg {
            Arg::Int(number) => *number,
            Arg::Byte(number) => i64::from(*number),
            _ => return None,
        };
        (-MAX_WIDTH..=MAX_WIDTH).contains(&number).then_some(number)
    }

    /// `[n]`: the number of the operand to go on with.
    fn index(&mut self) -> bool {
        if self.byte() != Some(b'[') {
            return false;
        }
        self.reordered = true;
        let rest = self.text.get(self.at..).unwrap_or_default();
        let close = memchr::memchr(b']', rest).filter(|_| rest.len() >= 3);
        let Some(close) = close else {
            self.at += 1;
            self.good = false;
            return false;
        };
        let digits = rest.get(1..close).unwrap_or_default();
        self.at += close + 1;
        let digits = std::str::from_utf8(digits).ok();
        let number = digits
            .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))
            .and_then(|text| text.parse::<usize>().ok());
        match number {
            Some(number) if (1..=self.args).contains(&number) => {
                self.next = number - 1;
                true
            }
            other => {
                self.good = false;
                other.is_some()
            }
        }
    }
}
