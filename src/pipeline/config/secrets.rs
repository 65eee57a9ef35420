//! What messages show of a file: every byte in its place, secrets as stars.

use crate::config::{is_secret_name, mask_addresses};
use crate::diagnostic::{Source, Span};
use crate::pipeline::yaml::{Kind, Node};
use std::sync::Arc;

/// Keys under which everything is secret, besides those whose names say so.
const KEYS: [&str; 6] = [
    "headers",
    "users",
    "shared_key",
    "api_key",
    "authorization",
    "pw",
];

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    // `key` and `query_key` name fields of events.
    let words = name.strip_suffix("key").unwrap_or(&name);
    KEYS.contains(&name.as_str()) || is_secret_name(words)
}

/// The source without what stands under keys that name secrets, and without passwords in addresses.
pub(super) fn hidden(source: &Arc<Source>, root: &Node) -> Arc<Source> {
    let mut spans = Vec::new();
    collect(root, false, &mut spans);
    spans.sort_by_key(|span| span.start);
    let mut shown = String::with_capacity(source.text.len());
    let mut from = 0;
    for span in spans {
        let before = source.text.get(from..span.start).unwrap_or_default();
        let secret = source.text.get(span.start.max(from)..span.end);
        shown.push_str(before);
        from = from.max(span.end);
        for c in secret.unwrap_or_default().chars() {
            match c {
                c if c.is_whitespace() => shown.push(c),
                c => shown.extend(std::iter::repeat_n('*', c.len_utf8())),
            }
        }
    }
    shown.push_str(source.text.get(from..).unwrap_or_default());
    let shown = mask_addresses(&shown);
    Arc::new(Source::named(source.name.clone(), shown))
}

fn collect(node: &Node, secret: bool, spans: &mut Vec<Span>) {
    match &node.kind {
        Kind::Scalar(_) => {
            let reference = node.as_text().is_some_and(|text| text.starts_with("${"));
            if secret && !reference {
                spans.push(node.span);
            }
        }
        Kind::List(items) => items.iter().for_each(|item| collect(item, secret, spans)),
        Kind::Map(entries) => {
            for (key, value) in entries {
                let named = key.as_text().is_some_and(is_secret);
                collect(value, secret || named, spans);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::yaml::{Limits, read};

    #[test]
    fn secrets_are_stars_and_places_stay() {
        for (text, shown) in [
            (
                "- {token: hunter2, key: log, headers: {X: 'né 2', Y: 5}}",
                "- {token: *******, key: log, headers: {X: **** **, Y: *}}",
            ),
            (
                "token:\n  - abc\n  - ${ABC}\nquery_key: ip\nshared_key: >\n  folded text\nname: x",
                "token:\n  - ***\n  - ${ABC}\nquery_key: ip\nshared_key: >\n  ****** ****\nname: x",
            ),
            (
                "url: http://me:hunter2@host/\ntls_key: server.key",
                "url: http://me:*******@host/\ntls_key: server.key",
            ),
        ] {
            let source = Arc::new(Source::named("x", text));
            let root = read(&source, Limits::default()).unwrap().unwrap();
            assert_eq!(hidden(&source, &root).text, shown);
        }
    }
}
