//! Java's `.properties` format.

/// The entries of a properties file in their order; of equal keys the last wins, at the place of the first.
/// Bytes are UTF-8 or, where they are none, ISO-8859-1. The error is a sentence that names the line but no value.
pub(super) fn parse(bytes: &[u8]) -> Result<Vec<(String, String)>, String> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text.trim_start_matches('\u{feff}').to_string(),
        Err(_) => bytes.iter().map(|b| char::from(*b)).collect(),
    };
    let mut entries: Vec<(String, String)> = Vec::new();
    for (number, line) in logical_lines(&text) {
        let (key, value) = split(&line);
        let plain = |part: &str| unescape(part).map_err(|what| format!("line {number}: {what}"));
        let (key, value) = (plain(key)?, plain(value)?);
        match entries.iter_mut().find(|(k, _)| *k == key) {
            Some(entry) => entry.1 = value,
            None => entries.push((key, value)),
        }
    }
    Ok(entries)
}

/// Lines without comments and blank ones, continued lines joined, each with the number of its first line.
fn logical_lines(text: &str) -> Vec<(usize, String)> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut found = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (index, line) in text.split('\n').enumerate() {
        let line = line.trim_start_matches([' ', '\t', '\u{c}']);
        let (number, mut whole) = match open.take() {
            // Inside a continuation, # and ! are ordinary text.
            Some(begun) => begun,
            None if line.is_empty() || line.starts_with(['#', '!']) => continue,
            None => (index + 1, String::new()),
        };
        let slashes = line.bytes().rev().take_while(|b| *b == b'\\').count();
        if slashes % 2 == 1 {
            whole.push_str(&line[..line.len() - 1]);
            open = Some((number, whole));
        } else {
            whole.push_str(line);
            found.push((number, whole));
        }
    }
    found.extend(open);
    found
}

/// Cuts at the first `=`, `:` or blank that no backslash protects.
fn split(line: &str) -> (&str, &str) {
    let blank = [' ', '\t', '\u{c}'];
    let mut escaped = false;
    let end = line.char_indices().find(|(_, c)| {
        let ends = !escaped && (matches!(c, '=' | ':') || blank.contains(c));
        escaped = !escaped && *c == '\\';
        ends
    });
    let end = end.map_or(line.len(), |(at, _)| at);
    let rest = line[end..].trim_start_matches(blank);
    let rest = rest.strip_prefix(['=', ':']).unwrap_or(rest);
    (&line[..end], rest.trim_start_matches(blank))
}

fn unescape(text: &str) -> Result<String, String> {
    let mut units: Vec<u16> = Vec::with_capacity(text.len());
    let mut chars = text.chars();
    let mut buffer = [0; 2];
    while let Some(c) = chars.next() {
        let c = match c {
            '\\' => match chars.next() {
                Some('t') => '\t',
                Some('n') => '\n',
                Some('r') => '\r',
                Some('f') => '\u{c}',
                Some('u') => {
                    let digits: String = chars.by_ref().take(4).collect();
                    let hex = digits.len() == 4 && digits.bytes().all(|b| b.is_ascii_hexdigit());
                    let unit = u16::from_str_radix(&digits, 16).ok().filter(|_| hex);
                    units.push(unit.ok_or("\\u wants four hexadecimal digits")?);
                    continue;
                }
                Some(other) => other,
                None => break,
            },
            other => other,
        };
        units.extend_from_slice(c.encode_utf16(&mut buffer));
    }
    // Two escapes may be the halves of one character, so the text is put together from UTF-16.
    Ok(String::from_utf16_lossy(&units))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn one(text: &str) -> (String, String) {
        parse(text.as_bytes()).unwrap().remove(0)
    }

    fn pair(key: &str, value: &str) -> (String, String) {
        (key.to_string(), value.to_string())
    }

    #[test]
    fn as_java_reads_them() {
        assert_eq!(one("a=1"), pair("a", "1"));
        assert_eq!(one("  a : 1 "), pair("a", "1 "));
        assert_eq!(one("a b c"), pair("a", "b c"));
        assert_eq!(one("a"), pair("a", ""));
        assert_eq!(one("a = = b"), pair("a", "= b"));
        assert_eq!(one("a\\ b\\=c=d"), pair("a b=c", "d"));
        assert_eq!(one("path=c:\\\\x\\ty"), pair("path", "c:\\x\ty"));
        assert_eq!(one("a=x,\\\n   y,\\\r\n   #z"), pair("a", "x,y,#z"));
        assert_eq!(one("a=x\\\\\nb=2"), pair("a", "x\\"));
        assert_eq!(one("a=\\u00e9\\ud83d\\ude00"), pair("a", "é😀"));
        assert_eq!(one("# no = 1\n! no = 2\n\n\ta\t1"), pair("a", "1"));
        assert_eq!(parse("ä=ü".as_bytes()).unwrap(), [pair("ä", "ü")]);
        assert_eq!(parse(b"\xe4=\xfc").unwrap(), [pair("ä", "ü")]);
        assert_eq!(
            parse(b"a=1\nb=2\na=3").unwrap(),
            [pair("a", "3"), pair("b", "2")]
        );
        assert_eq!(one("a=end\\"), pair("a", "end"));
    }

    #[test]
    fn broken_escape_names_the_line_only() {
        let error = parse(b"a=1\npassword=hunter\\u12").unwrap_err();
        assert_eq!(error, "line 2: \\u wants four hexadecimal digits");
    }
}
