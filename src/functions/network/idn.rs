//! Names with letters beyond ASCII, by the rules of 2003 that Java's IDN class follows: RFC 3490 to 3492.

use std::borrow::Cow;
use stringprep::tables;
use unicode_normalization::UnicodeNormalization;

/// What stands before the ASCII form of a label.
const PREFIX: &str = "xn--";
/// How long a label may be (RFC 1034, 3.1).
const LABEL: usize = 63;

/// A name in ASCII, label by label; labels that are ASCII stay as they are. `None` for what has no ASCII form.
///
/// `unassigned`: whether characters are allowed that Unicode 3.2 did not have.
pub fn to_ascii(name: &str, unassigned: bool) -> Option<String> {
    let mut ascii = String::with_capacity(name.len());
    let mut rest = name;
    if name.chars().all(is_point) && name.chars().count() == 1 {
        return Some(".".to_string());
    }
    while !rest.is_empty() {
        let (label, behind) = match rest.split_once(is_point) {
            Some((label, behind)) => (label, Some(behind)),
            None => (rest, None),
        };
        ascii.push_str(&label_to_ascii(label, unassigned)?);
        if behind.is_some() {
            ascii.push('.');
        }
        rest = behind.unwrap_or("");
    }
    Some(ascii)
}

/// A name with the letters that its labels in ASCII form stand for; what stands for nothing stays as it is.
pub fn to_unicode(name: &str) -> String {
    let mut unicode = String::with_capacity(name.len());
    for (index, label) in name.split(is_point).enumerate() {
        if index > 0 {
            unicode.push('.');
        }
        match label_to_unicode(label) {
            Some(decoded) => unicode.push_str(&decoded),
            None => unicode.push_str(label),
        }
    }
    unicode
}

/// The characters that separate labels (RFC 3490, 3.1).
fn is_point(c: char) -> bool {
    matches!(c, '.' | '\u{3002}' | '\u{ff0e}' | '\u{ff61}')
}

fn has_prefix(label: &str) -> bool {
    label
        .get(..PREFIX.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(PREFIX))
}

fn label_to_ascii(label: &str, unassigned: bool) -> Option<Cow<'_, str>> {
    if label.is_ascii() {
        let fits = (1..=LABEL).contains(&label.len());
        return fits.then_some(Cow::Borrowed(label));
    }
    let prepared = nameprep(label, unassigned)?;
    let ascii = if prepared.is_ascii() {
        prepared
    } else if has_prefix(&prepared) {
        return None;
    } else {
        PREFIX.to_string() + &encode(&prepared)?
    };
    (1..=LABEL)
        .contains(&ascii.len())
        .then_some(Cow::Owned(ascii))
}

fn label_to_unicode(label: &str) -> Option<String> {
    let label = match label.is_ascii() {
        true => Cow::Borrowed(label),
        false => Cow::Owned(nameprep(label, false)?),
    };
    if !has_prefix(&label) {
        return None;
    }
    let decoded = decode(label.get(PREFIX.len()..)?)?;
    // Only what comes back to the same label is believed.
    let back = to_ascii(&decoded, false)?;
    back.eq_ignore_ascii_case(&label).then_some(decoded)
}

/// RFC 3491: small letters, compatibility characters resolved, some characters refused.
fn nameprep(label: &str, unassigned: bool) -> Option<String> {
    let mapped = label
        .chars()
        .filter(|c| !tables::commonly_mapped_to_nothing(*c))
        .flat_map(tables::case_fold_for_nfkc);
    let prepared: String = mapped.nfkc().collect();
    let refused = |c: char| {
        tables::non_ascii_space_character(c)
            || tables::non_ascii_control_character(c)
            || tables::private_use(c)
            || tables::non_character_code_point(c)
            || tables::surrogate_code(c)
            || tables::inappropriate_for_plain_text(c)
            || tables::inappropriate_for_canonical_representation(c)
            || tables::change_display_properties_or_deprecated(c)
            || tables::tagging_character(c)
            || (!unassigned && tables::unassigned_code_point(c))
    };
    if prepared.chars().any(refused) {
        return None;
    }
    // RFC 3454, 6: text written from the right begins and ends so and holds nothing of the other kind.
    if prepared.chars().any(tables::bidi_r_or_al) {
        let left = prepared.chars().any(tables::bidi_l);
        let starts = prepared.chars().next().is_some_and(tables::bidi_r_or_al);
        let ends = prepared
            .chars()
            .next_back()
            .is_some_and(tables::bidi_r_or_al);
        if left || !starts || !ends {
            return None;
        }
    }
    Some(prepared)
}

// Punycode: RFC 3492. The names are those of its sections 5 and 6.
const BASE: u32 = 36;
const T_MIN: u32 = 1;
const T_MAX: u32 = 26;
const SKEW: u32 = 38;
const DAMP: u32 = 700;
const INITIAL_BIAS: u32 = 72;
const INITIAL_N: u32 = 128;

fn adapt(delta: u32, points: u32, first: bool) -> u32 {
    let mut delta = if first { delta / DAMP } else { delta / 2 };
    delta += delta / points;
    let mut k = 0;
    while delta > (BASE - T_MIN) * T_MAX / 2 {
        delta /= BASE - T_MIN;
        k += BASE;
    }
    k + (BASE - T_MIN + 1) * delta / (delta + SKEW)
}

fn threshold(k: u32, bias: u32) -> u32 {
    k.saturating_sub(bias).clamp(T_MIN, T_MAX)
}

fn digit(value: u32) -> Option<char> {
    char::from_digit(value, BASE).map(|_| match value {
        0..26 => (b'a' + value as u8) as char,
        _ => (b'0' + (value as u8 - 26)) as char,
    })
}

fn value_of(digit: char) -> Option<u32> {
    match digit {
        'a'..='z' => Some(digit as u32 - 'a' as u32),
        'A'..='Z' => Some(digit as u32 - 'A' as u32),
        '0'..='9' => Some(digit as u32 - '0' as u32 + 26),
        _ => None,
    }
}

/// The ASCII form of a label without its prefix, in small letters; `None` where it becomes too long for a label.
fn encode(label: &str) -> Option<String> {
    // Each character becomes one at least, so longer ones need not be tried.
    if label.chars().count() > LABEL {
        return None;
    }
    let mut out: String = label.chars().filter(char::is_ascii).collect();
    out.make_ascii_lowercase();
    let basic = out.len() as u32;
    let (mut handled, mut n, mut delta, mut bias) = (basic, INITIAL_N, 0u32, INITIAL_BIAS);
    if basic > 0 {
        out.push('-');
    }
    let total = label.chars().count() as u32;
    while handled < total {
        let next = label.chars().map(u32::from).filter(|c| *c >= n).min()?;
        delta = (next - n).checked_mul(handled + 1)?.checked_add(delta)?;
        n = next;
        for c in label.chars().map(u32::from) {
            if c < n {
                delta = delta.checked_add(1)?;
            }
            if c != n {
                continue;
            }
            let (mut q, mut k) = (delta, BASE);
            loop {
                let t = threshold(k, bias);
                if q < t {
                    break;
                }
                out.push(digit(t + (q - t) % (BASE - t))?);
                q = (q - t) / (BASE - t);
                k += BASE;
            }
            out.push(digit(q)?);
            bias = adapt(delta, handled + 1, handled == basic);
            delta = 0;
            handled += 1;
        }
        delta = delta.checked_add(1)?;
        n += 1;
    }
    Some(out)
}

/// What the ASCII form of a label without its prefix stands for.
fn decode(text: &str) -> Option<String> {
    // Inserting goes through what is there already; nothing that long comes back to a label.
    if text.len() > LABEL {
        return None;
    }
    let (basic, extended) = text.rsplit_once('-').unwrap_or(("", text));
    let mut out: Vec<char> = basic.chars().collect();
    let (mut n, mut i, mut bias) = (INITIAL_N, 0u32, INITIAL_BIAS);
    let mut digits = extended.chars().peekable();
    while digits.peek().is_some() {
        let (old, mut weight, mut k) = (i, 1u32, BASE);
        loop {
            let value = value_of(digits.next()?)?;
            i = value.checked_mul(weight)?.checked_add(i)?;
            let t = threshold(k, bias);
            if value < t {
                break;
            }
            weight = weight.checked_mul(BASE - t)?;
            k += BASE;
        }
        let points = out.len() as u32 + 1;
        bias = adapt(i - old, points, old == 0);
        n = n.checked_add(i / points)?;
        i %= points;
        out.insert(usize::try_from(i).ok()?, char::from_u32(n)?);
        i += 1;
    }
    Some(out.into_iter().collect())
}
