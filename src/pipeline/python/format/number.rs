//! Format specifications: fill, alignment, sign, width, precision, type.

use crate::eval::Value;
use crate::pipeline::python::repr;
use num_bigint::BigInt;

#[derive(Default)]
struct Spec {
    fill: Option<char>,
    align: Option<char>,
    sign: Option<char>,
    alternate: bool,
    zero: bool,
    width: usize,
    group: Option<char>,
    precision: Option<usize>,
    kind: Option<char>,
}

/// What is left of a specification.
struct Rest<'a>(&'a [char]);

impl Rest<'_> {
    /// Takes the next character, if it is one of these.
    fn one(&mut self, set: &str) -> Option<char> {
        let (first, rest) = self.0.split_first()?;
        set.contains(*first).then(|| {
            self.0 = rest;
            *first
        })
    }

    fn number(&mut self) -> Result<Option<usize>, String> {
        let mut digits = String::new();
        while let Some(c) = self.one("0123456789") {
            digits.push(c);
        }
        match digits.parse::<usize>() {
            _ if digits.is_empty() => Ok(None),
            Ok(n) if n <= WIDEST => Ok(Some(n)),
            _ => Err(format!("{digits} is too wide")),
        }
    }
}

/// The widest that anything is made.
const WIDEST: usize = 4096;

/// A value in the form that a specification asks for. Errors: what the type cannot do.
pub fn formatted(value: &Value, text: &str) -> Result<String, String> {
    let spec = Spec::read(text)?;
    match value {
        Value::Text(text) => spec.text(text),
        Value::Bool(truth) => spec.whole(&u8::from(*truth).into()),
        Value::Int(n) => spec.whole(&(*n).into()),
        Value::Long(n) => spec.whole(&(*n).into()),
        Value::Big(n) => spec.whole(n),
        Value::Double(n) => spec.float(*n),
        Value::Float(n) => spec.float((*n).into()),
        other => Err(format!(
            "{} cannot be formatted with {text:?}",
            other.kind_in_words()
        )),
    }
}

impl Spec {
    fn read(text: &str) -> Result<Spec, String> {
        let mut spec = Spec::default();
        let align = |c: char| matches!(c, '<' | '>' | '^' | '=');
        let chars: Vec<char> = text.chars().collect();
        let mut at = 0;
        if chars.get(1).copied().is_some_and(align) {
            spec.fill = chars.first().copied();
            spec.align = chars.get(1).copied();
            at = 2;
        } else if let Some(c) = chars.first().copied().filter(|c| align(*c)) {
            spec.align = Some(c);
            at = 1;
        }
        let mut rest = Rest(chars.get(at..).unwrap_or_default());
        spec.sign = rest.one("+- ");
        spec.alternate = rest.one("#").is_some();
        spec.zero = rest.one("0").is_some();
        spec.width = rest.number()?.unwrap_or(0);
        spec.group = rest.one(",_");
        if rest.one(".").is_some() {
            spec.precision = Some(rest.number()?.ok_or("a precision needs a number")?);
        }
        spec.kind = rest.one("bcdeEfFgGnosxX%");
        if !rest.0.is_empty() {
            return Err(format!("{text:?} is no format"));
        }
        Ok(spec)
    }

    /// Fills up to the width; `sign` stands before zeros.
    fn padded(&self, sign: &str, body: &str, usual: char) -> String {
        let length = sign.chars().count() + body.chars().count();
        let room = self.width.saturating_sub(length);
        let zeros = self.zero && self.align.is_none() && usual == '>';
        let fill = self.fill.unwrap_or(if self.zero { '0' } else { ' ' });
        let pad = |count: usize| fill.to_string().repeat(count);
        let align = if zeros {
            '='
        } else {
            self.align.unwrap_or(usual)
        };
        match align {
            '=' => format!("{sign}{}{body}", pad(room)),
            '<' => format!("{sign}{body}{}", pad(room)),
            '^' => format!("{}{sign}{body}{}", pad(room / 2), pad(room - room / 2)),
            _ => format!("{}{sign}{body}", pad(room)),
        }
    }

    fn text(&self, text: &str) -> Result<String, String> {
        let odd = self.sign.is_some()
            || self.alternate
            || self.group.is_some()
            || self.align == Some('=');
        if odd || !matches!(self.kind, None | Some('s')) {
            return Err("a text can have a width and a precision only".to_owned());
        }
        let cut: String = match self.precision {
            Some(most) => text.chars().take(most).collect(),
            None => text.to_owned(),
        };
        Ok(self.padded("", &cut, '<'))
    }

    fn sign(&self, negative: bool) -> &'static str {
        match (negative, self.sign) {
            (true, _) => "-",
            (false, Some('+')) => "+",
            (false, Some(' ')) => " ",
            _ => "",
        }
    }

    fn whole(&self, n: &BigInt) -> Result<String, String> {
        let kind = self.kind.unwrap_or('d');
        if "eEfFgG%".contains(kind) {
            let n = n
                .to_string()
                .parse()
                .map_err(|_| "the number is too large")?;
            return self.float(n);
        }
        if self.precision.is_some() {
            return Err("a whole number has no precision".to_owned());
        }
        let magnitude = n.magnitude();
        let (body, prefix, every) = match kind {
            'd' | 'n' => (magnitude.to_string(), "", 3),
            'x' => (format!("{magnitude:x}"), "0x", 4),
            'X' => (format!("{magnitude:X}"), "0X", 4),
            'o' => (format!("{magnitude:o}"), "0o", 4),
            'b' => (format!("{magnitude:b}"), "0b", 4),
            'c' => {
                let c = u32::try_from(n).ok().and_then(char::from_u32);
                let c = c.ok_or_else(|| format!("{n} is no character"))?;
                return Ok(self.padded("", &c.to_string(), '<'));
            }
            other => return Err(format!("a whole number has no format {other}")),
        };
        let prefix = if self.alternate { prefix } else { "" };
        let sign = format!("{}{prefix}", self.sign(n.sign() == num_bigint::Sign::Minus));
        Ok(self.padded(&sign, &self.grouped(&body, every), '>'))
    }

    fn grouped(&self, digits: &str, every: usize) -> String {
        let Some(group) = self.group else {
            return digits.to_owned();
        };
        let count = digits.chars().count();
        let mut out = String::new();
        for (at, c) in digits.chars().enumerate() {
            if at > 0 && (count - at).is_multiple_of(every) {
                out.push(group);
            }
            out.push(c);
        }
        out
    }

    fn float(&self, n: f64) -> Result<String, String> {
        let sign = self.sign(n.is_sign_negative() && !n.is_nan());
        let n = n.abs();
        let precision = self.precision.unwrap_or(6);
        let body = match self.kind {
            _ if !n.is_finite() => repr::float(n),
            None if self.precision.is_none() => repr::float(n),
            Some('f' | 'F') => format!("{n:.precision$}"),
            Some('%') => format!("{:.precision$}%", n * 100.0),
            Some('e' | 'E') => exponent(n, precision),
            None | Some('g' | 'G' | 'n') => general(n, precision.max(1), self.kind.is_none()),
            Some(other) => return Err(format!("a number with a fraction has no format {other}")),
        };
        let body = match self.kind {
            Some('E' | 'G' | 'F') => body.to_uppercase(),
            _ => body,
        };
        let end = body.find(['.', 'e', 'E', '%']).unwrap_or(body.len());
        let (whole, rest) = body.split_at_checked(end).unwrap_or((&body, ""));
        let body = format!("{}{rest}", self.grouped(whole, 3));
        Ok(self.padded(sign, &body, '>'))
    }
}

fn exponent(n: f64, precision: usize) -> String {
    let text = format!("{n:.precision$e}");
    match text.split_once('e') {
        Some((digits, power)) => {
            let power: i32 = power.parse().unwrap_or(0);
            let sign = if power < 0 { '-' } else { '+' };
            format!("{digits}e{sign}{:02}", power.abs())
        }
        None => text,
    }
}

/// The form `g`: as many significant digits as asked for, without zeros at the end.
fn general(n: f64, digits: usize, keep_point: bool) -> String {
    let scientific = format!("{n:.*e}", digits - 1);
    let power: i32 = scientific
        .split_once('e')
        .and_then(|(_, power)| power.parse().ok())
        .unwrap_or(0);
    let most = i32::try_from(digits).unwrap_or(i32::MAX);
    // Without a type, a point needs a digit behind it, so the exponent comes one digit earlier.
    let most = if keep_point { most - 1 } else { most };
    if (-4..most).contains(&power) {
        let places =
            usize::try_from(i32::try_from(digits).unwrap_or(i32::MAX) - 1 - power).unwrap_or(0);
        let text = trimmed(&format!("{n:.places$}"));
        return if keep_point && !text.contains('.') {
            text + ".0"
        } else {
            text
        };
    }
    let text = exponent(n, digits - 1);
    match text.split_once('e') {
        Some((mantissa, power)) => format!("{}e{power}", trimmed(mantissa)),
        None => text,
    }
}

fn trimmed(text: &str) -> String {
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    }
}
