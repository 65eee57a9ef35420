//! Texts in quotes as Go's package strconv writes them.

use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

/// Whether Go shows a character as it is: letters, marks, numbers, punctuation, symbols and the blank.
pub fn is_print(c: char) -> bool {
    let group = c.general_category_group();
    c == ' '
        || matches!(
            group,
            GeneralCategoryGroup::Letter
                | GeneralCategoryGroup::Mark
                | GeneralCategoryGroup::Number
                | GeneralCategoryGroup::Punctuation
                | GeneralCategoryGroup::Symbol
        )
}

/// A text in double quotes; in ASCII only, if asked for.
pub fn quoted(text: &[u8], ascii: bool) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for chunk in text.utf8_chunks() {
        for c in chunk.valid().chars() {
            escape(&mut out, c, '"', ascii);
        }
        for byte in chunk.invalid() {
            out.push_str(&format!("\\x{byte:02x}"));
        }
    }
    out.push('"');
    out
}

/// A character in single quotes.
pub(super) fn quoted_character(c: char, ascii: bool) -> String {
    let mut out = String::from("'");
    escape(&mut out, c, '\'', ascii);
    out.push('\'');
    out
}

fn escape(out: &mut String, c: char, quote: char, ascii: bool) {
    let named = match c {
        '\x07' => 'a',
        '\x08' => 'b',
        '\x0C' => 'f',
        '\n' => 'n',
        '\r' => 'r',
        '\t' => 't',
        '\x0B' => 'v',
        '\\' => '\\',
        c if c == quote => c,
        c if is_print(c) && (c.is_ascii() || !ascii) => {
            out.push(c);
            return;
        }
        c => {
            let number = u32::from(c);
            out.push_str(&match number {
                0..0x20 | 0x7F => format!("\\x{number:02x}"),
                0x20..0x1_0000 => format!("\\u{number:04x}"),
                _ => format!("\\U{number:08x}"),
            });
            return;
        }
    };
    out.push('\\');
    out.push(named);
}

/// Whether a text can stand between back quotes as it is.
pub(super) fn can_backquote(text: &str) -> bool {
    let bad = |c: char| (c < ' ' && c != '\t') || matches!(c, '`' | '\x7F' | '\u{FEFF}');
    !text.chars().any(bad)
}
