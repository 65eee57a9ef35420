//! Secrets: references that are replaced when used, and masks for everything that is shown.

use crate::diagnostic::{Code, Diagnostic, Outcome};
use std::fmt;

const MASK: &str = "****";

/// A resolved text that shows itself nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The text itself, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

/// A configured text that may hold a secret or `${…}` references; it shows itself masked.
#[derive(Clone, PartialEq, Eq)]
pub struct Secretive(String);

impl Secretive {
    /// A text as it stands in the configuration.
    pub fn new(text: impl Into<String>) -> Secretive {
        Secretive(text.into())
    }

    /// The text as configured, references not replaced. It may hold a secret.
    pub fn raw(&self) -> &str {
        &self.0
    }

    /// The text with its references replaced. E0503 when one names nothing.
    pub fn resolve(&self) -> Outcome<Secret> {
        resolve(&self.0)
    }
}

impl fmt::Display for Secretive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Only an address has parts that may be seen.
        if self.0.contains("://") {
            f.write_str(&address(&self.0, &mask_whole))
        } else {
            f.write_str(&mask_whole(&self.0))
        }
    }
}

impl fmt::Debug for Secretive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.to_string())
    }
}

/// Replaces `${NAME}` (an environment variable) and `${file:PATH}` (a file without its last line break; `~/` is the
/// home folder); `$${` stands for `${`. Nothing is replaced inside what was put in.
/// E0503 when a reference names nothing or is malformed; the message never shows a value.
pub fn resolve(text: &str) -> Outcome<Secret> {
    resolve_with(text, &|name| std::env::var(name).ok())
}

/// As [`resolve`], with `variable` in the place of the environment.
pub fn resolve_with(text: &str, variable: &dyn Fn(&str) -> Option<String>) -> Outcome<Secret> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(after) = rest.strip_prefix("$${") {
            out.push_str("${");
            rest = after;
        } else if let Some(after) = rest.strip_prefix("${") {
            let Some((name, after)) = after.split_once('}') else {
                return Err(malformed(
                    "a reference that begins with ${ has no closing brace",
                ));
            };
            out.push_str(&look_up(name, variable)?);
            rest = after;
        } else {
            out.push('$');
            rest = &rest[1..];
        }
    }
    out.push_str(rest);
    Ok(Secret(out))
}

fn look_up(name: &str, variable: &dyn Fn(&str) -> Option<String>) -> Outcome<String> {
    if let Some(path) = name.strip_prefix("file:") {
        let home = path
            .strip_prefix("~/")
            .and_then(|below| Some(format!("{}/{below}", variable("HOME")?)));
        let mut text =
            std::fs::read_to_string(home.as_deref().unwrap_or(path)).map_err(|error| {
                Diagnostic::new(
                    Code::Secret,
                    format!("cannot read the secret's file {path}: {}", reason(&error)),
                )
            })?;
        if text.ends_with('\n') {
            text.pop();
            if text.ends_with('\r') {
                text.pop();
            }
        }
        return Ok(text);
    }
    // What is no name is not shown: it may be a secret whose dollar sign was not meant as a reference.
    let first = name
        .bytes()
        .next()
        .is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
    if !first || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        return Err(malformed("a reference reads ${NAME} or ${file:PATH}"));
    }
    variable(name).ok_or_else(|| {
        Diagnostic::new(
            Code::Secret,
            format!("the environment variable {name} is not set"),
        )
        .help(format!(
            "set {name}, or write $${{{name}}} if the text is meant as it stands"
        ))
    })
}

/// A sentence for a failed access that never quotes content.
pub(super) fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "it does not exist".to_string(),
        std::io::ErrorKind::PermissionDenied => "permission denied".to_string(),
        std::io::ErrorKind::InvalidData => "it is not UTF-8".to_string(),
        _ => error.to_string(),
    }
}

fn malformed(what: &str) -> crate::diagnostic::Fault {
    Diagnostic::new(Code::Secret, what).help("write $${ for a ${ that is meant as it stands")
}

/// Whether a setting of this name holds a secret.
pub fn is_secret_name(name: &str) -> bool {
    const PARTS: [&str; 7] = [
        "password",
        "passwd",
        "passphrase",
        "secret",
        "token",
        "credential",
        "apikey",
    ];
    const WORDS: [&str; 4] = ["pass", "pwd", "pw", "key"];
    let lower = name.to_ascii_lowercase();
    PARTS.iter().any(|part| lower.contains(part))
        || lower
            .split(|c: char| !c.is_ascii_alphanumeric())
            .any(|word| WORDS.contains(&word))
}

/// `text` with the passwords of addresses and of `password=…` parts masked; references stay visible.
pub fn mask_text(text: &str) -> String {
    masked(text, &mask_whole)
}

/// A secret that consists of one reference may be seen, anything else not.
pub(super) fn mask_whole(secret: &str) -> String {
    let inner = secret.strip_prefix("${").and_then(|s| s.strip_suffix('}'));
    match inner {
        Some(name) if !name.contains(['$', '{', '}']) => secret.to_string(),
        _ => MASK.to_string(),
    }
}

fn masked(text: &str, hide: &dyn Fn(&str) -> String) -> String {
    let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '<' | '>');
    let mut out = String::with_capacity(text.len());
    for word in text.split_inclusive(ends) {
        let (word, end) = match word.char_indices().next_back() {
            Some((at, c)) if ends(c) => word.split_at(at),
            _ => (word, ""),
        };
        out.push_str(&address(word, hide));
        out.push_str(end);
    }
    out
}

fn address(word: &str, hide: &dyn Fn(&str) -> String) -> String {
    let mut out = String::with_capacity(word.len());
    match user_password(word) {
        Some((from, to)) => {
            mask_pairs(&word[..from], hide, &mut out);
            out.push_str(&hide(&word[from..to]));
            mask_pairs(&word[to..], hide, &mut out);
        }
        None => mask_pairs(word, hide, &mut out),
    }
    out
}

/// Where the password of an address stands. The last `@` counts, because unescaped passwords hold `/` and `@`.
fn user_password(word: &str) -> Option<(usize, usize)> {
    let start = word.find("://")? + 3;
    let at = start + word[start..].rfind('@')?;
    let colon = start + word[start..at].find(':')?;
    Some((colon + 1, at))
}

/// Masks what follows `password=` and the like, up to the next `&` or `;`.
fn mask_pairs(word: &str, hide: &dyn Fn(&str) -> String, out: &mut String) {
    for pair in word.split_inclusive(['&', ';', '?']) {
        let (pair, end) = match pair.strip_suffix(['&', ';', '?']) {
            Some(inner) => pair.split_at(inner.len()),
            None => (pair, ""),
        };
        match pair.split_once('=') {
            Some((name, value)) if is_secret_name(name) && !value.is_empty() => {
                out.push_str(name);
                out.push('=');
                out.push_str(&hide(value));
            }
            _ => out.push_str(pair),
        }
        out.push_str(end);
    }
}

/// `text` with the passwords of addresses in it as stars; every byte keeps its place.
pub fn mask_addresses(text: &str) -> String {
    masked(text, &|secret| "*".repeat(secret.len()))
}

/// A configuration text for messages: every byte keeps its place, secrets are stars.
pub fn mask_source(text: &str) -> String {
    let stars = |secret: &str| "*".repeat(secret.len());
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    // A key, then = or : and its value; what stands between is copied.
    while let Some(at) = rest.find(['=', ':']) {
        let (before, after) = rest.split_at(at + 1);
        out.push_str(before);
        rest = after;
        let key = before[..at].trim_end().trim_end_matches(['"', '\'']);
        let key = key
            .rsplit(|c: char| {
                c.is_whitespace() || matches!(c, '{' | ',' | '[' | '=' | ':' | '/' | '@')
            })
            .next();
        if key.is_some_and(is_secret_name) && !rest.starts_with("//") {
            let end = value_end(rest);
            star_words(&rest[..end], &mut out);
            rest = &rest[end..];
        }
    }
    out.push_str(rest);
    masked(&out, &stars)
}

/// Where the TOML or JSON value at the start of `text` ends; brackets and long strings may span lines.
fn value_end(text: &str) -> usize {
    let mut depth = 0usize;
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let here = &text[at..];
        at += c.len_utf8();
        match c {
            '"' | '\'' => {
                let long = ["\"\"\"", "'''"].into_iter().find(|q| here.starts_with(q));
                at += match long {
                    Some(quote) => here[3..].find(quote).map_or(here.len(), |i| i + 6) - 1,
                    None => string_end(&here[1..], c),
                };
            }
            '[' | '{' => depth += 1,
            ']' | '}' => depth = depth.saturating_sub(1),
            '\n' if depth == 0 => return at - 1,
            _ => {}
        }
    }
    text.len()
}

fn string_end(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            '\n' => return at,
            _ if escaped => escaped = false,
            '\\' if quote == '"' => escaped = true,
            _ if c == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Copies brackets, blanks and references; everything else becomes stars.
fn star_words(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let reference = rest
            .starts_with("${")
            .then(|| rest.find(['}', '\n']))
            .flatten();
        let length = match reference {
            Some(end) if rest.as_bytes()[end] == b'}' => end + 1,
            _ => c.len_utf8(),
        };
        if length > 1 && c == '$'
            || c.is_whitespace()
            || matches!(c, '[' | ']' | '{' | '}' | '"' | '\'' | ',')
        {
            out.push_str(&rest[..length]);
        } else {
            out.extend(std::iter::repeat_n('*', length));
        }
        rest = &rest[length..];
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn variable(name: &str) -> Option<String> {
        match name {
            "PW" => Some("hunter2${PW}".to_string()),
            _ => None,
        }
    }

    #[test]
    fn references_are_replaced_once() {
        let resolved = |text: &str| resolve_with(text, &variable).unwrap().expose().to_string();
        assert_eq!(resolved("a ${PW} b"), "a hunter2${PW} b");
        assert_eq!(resolved("$${PW} costs $5 $"), "${PW} costs $5 $");
        assert_eq!(resolved("$$${PW}"), "$${PW}");
        assert_eq!(resolved(""), "");
    }

    #[test]
    fn files_lose_one_line_break() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pw");
        std::fs::write(&file, "hunter2\r\n").unwrap();
        let text = format!("x${{file:{}}}y", file.display());
        assert_eq!(resolve(&text).unwrap().expose(), "xhunter2y");
        let missing = resolve("${file:/does/not/exist}").unwrap_err();
        assert_eq!(missing.code, Code::Secret);
        assert_eq!(
            missing.message,
            "cannot read the secret's file /does/not/exist: it does not exist"
        );
    }

    #[test]
    fn faults_do_not_show_the_text() {
        for text in [
            "hunter2 ${NOPE} hunter2",
            "hunter2 ${",
            "${hun ter2}",
            "${}",
            "${1hunter2}",
        ] {
            let fault = resolve_with(text, &variable).unwrap_err();
            assert_eq!(fault.code, Code::Secret);
            assert!(!fault.to_string().contains("ter2"), "{fault}");
        }
    }

    #[test]
    fn nothing_shows_itself() {
        let secret = resolve_with("${PW}", &variable).unwrap();
        assert_eq!(format!("{secret} {secret:?}"), "**** ****");
        for (text, shown) in [
            (
                "postgres://me:hunter2@host/db",
                "postgres://me:****@host/db",
            ),
            (
                "postgres://me:hun/t@er2@host/db",
                "postgres://me:****@host/db",
            ),
            ("redis://:hunter2@host", "redis://:****@host"),
            ("redis://:hun ter2@host", "redis://:****@host"),
            ("postgres://me:${PW}@host/db", "postgres://me:${PW}@host/db"),
            (
                "http://host/?token=hunter2&x=1",
                "http://host/?token=****&x=1",
            ),
            ("hbase://127.0.0.1:9090", "hbase://127.0.0.1:9090"),
            ("hunter2", "****"),
            ("${PW}", "${PW}"),
            ("${PW}hunter2", "****"),
        ] {
            let text = Secretive::new(text);
            assert_eq!(text.to_string(), shown);
            assert_eq!(format!("{text:?}"), format!("{shown:?}"));
        }
        assert_eq!(
            mask_text("host=h password=hunter2 user=me"),
            "host=h password=**** user=me"
        );
    }

    #[test]
    fn sources_keep_every_place() {
        for (text, shown) in [
            (
                "tokens = [\"abc\",\n 'de', \"${T}\"]\nx = 1",
                "tokens = [\"***\",\n '**', \"${T}\"]\nx = 1",
            ),
            (
                "\"my.password\" = \"a\\\"b\" # c\ny = 'z'",
                "\"my.password\" = \"**\"*\" * *\ny = 'z'",
            ),
            (
                "secret = \"\"\"a\nb\"\"\"\nx = 1",
                "secret = \"\"\"*\n*\"\"\"\nx = 1",
            ),
            ("token = abc def\nx = 1", "token = *** ***\nx = 1"),
            (
                "a = {password = \"x\", b = 1}\nc = 2",
                "a = {password = \"*\", * * *}\nc = 2",
            ),
            ("url = \"http://u:pw@h:80/\"", "url = \"http://u:**@h:80/\""),
            ("{\"password\": \"abc\"}", "{\"password\": \"***\"}"),
            ("time = 10:00:00", "time = 10:00:00"),
        ] {
            assert_eq!(mask_source(text), shown);
            assert_eq!(mask_source(text).len(), text.len());
        }
    }
}
