//! The renderers of a [`Diagnostic`]: terminal, plain text, JSON, HTML.

use super::{Diagnostic, Kind, Label, Position, Source, Span, floor};
use annotate_snippets::renderer::{AnsiColor, DecorStyle, Style};
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use serde_json::{Value as Json, json};
use std::sync::Arc;

/// Sources longer than this are cut around the place before they are drawn.
const LONG_LINE: usize = 400;

/// The diagnostic with source lines, carets and perhaps colours for a terminal of `width` columns, ending without a
/// line break.
pub fn terminal(diagnostic: &Diagnostic, width: usize, colors: bool) -> String {
    let renderer = if colors {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    draw(
        diagnostic,
        renderer
            .term_width(width.max(40))
            .decor_style(DecorStyle::Ascii),
    )
}

/// The diagnostic for a notebook, whose ground may be light or dark, and red because of the error: words and carets are
/// bold, and only the frame has a colour, one that can be read on both.
pub fn notebook(diagnostic: &Diagnostic, width: usize) -> String {
    let bold = Style::new().bold();
    let renderer = Renderer::styled()
        .error(bold)
        .warning(bold)
        .note(bold)
        .help(bold)
        .line_num(AnsiColor::Cyan.on_default().bold());
    draw(
        diagnostic,
        renderer
            .term_width(width.max(40))
            .decor_style(DecorStyle::Ascii),
    )
}

/// The diagnostic with source lines and carets, without colours, without blanks at line ends.
pub fn plain(diagnostic: &Diagnostic) -> String {
    let text = draw(diagnostic, Renderer::plain().decor_style(DecorStyle::Ascii));
    text.lines()
        .map(str::trim_end)
        .collect::<Vec<_>>()
        .join("\n")
}

struct Cut {
    name: Option<String>,
    line: usize,
    text: String,
    spans: Vec<Place>,
}

fn draw(diagnostic: &Diagnostic, renderer: Renderer) -> String {
    let cuts = cuts(diagnostic);
    let info = diagnostic.code.info();
    let (level, id) = match info.lint {
        None => (Level::ERROR, info.name.to_string()),
        Some(lint) => {
            let level = match lint.level {
                super::Level::Note => Level::NOTE,
                _ => Level::WARNING,
            };
            (level, format!("{} {}", info.name, lint.name))
        }
    };
    let mut group = Group::with_title(level.primary_title(one_line(&diagnostic.message)).id(id));
    for cut in &cuts {
        let mut snippet = Snippet::source(cut.text.as_str())
            .line_start(cut.line)
            .path(cut.name.as_deref());
        for (span, text, primary) in &cut.spans {
            let kind = if *primary {
                AnnotationKind::Primary
            } else {
                AnnotationKind::Context
            };
            let label = (!text.is_empty()).then(|| one_line(text));
            snippet = snippet.annotation(kind.span(span.start..span.end).label(label));
        }
        group = group.element(snippet);
    }
    for note in &diagnostic.notes {
        group = group.element(Level::NOTE.message(note.clone()));
    }
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(help.clone()));
    }
    renderer.render(&[group]).to_string()
}

/// Where a label stands, what it says, and whether it is the primary one.
type Place = (Span, String, bool);

/// The sources to draw, each with its labels, the primary one first.
fn cuts(diagnostic: &Diagnostic) -> Vec<Cut> {
    let mut by_source: Vec<(&Arc<Source>, Vec<Place>)> = Vec::new();
    if let (Some(source), Some(span)) = (&diagnostic.source, diagnostic.span) {
        by_source.push((source, vec![(span, diagnostic.label.clone(), true)]));
    }
    for Label { span, text, source } in &diagnostic.related {
        let Some(source) = source.as_ref().or(diagnostic.source.as_ref()) else {
            continue;
        };
        match by_source.iter_mut().find(|(s, _)| Arc::ptr_eq(s, source)) {
            Some((_, spans)) => spans.push((*span, text.clone(), false)),
            None => by_source.push((source, vec![(*span, text.clone(), false)])),
        }
    }
    by_source
        .into_iter()
        .map(|(source, spans)| cut(source, spans))
        .collect()
}

/// Takes the lines that the spans touch; a very long line is cut around the first place.
fn cut(source: &Source, spans: Vec<Place>) -> Cut {
    let spans: Vec<_> = spans
        .into_iter()
        .map(|(s, t, p)| (source.clamp(s), t, p))
        .collect();
    let first = spans.iter().map(|(s, _, _)| s.start).min().unwrap_or(0);
    let last = spans.iter().map(|(s, _, _)| s.end).max().unwrap_or(0);
    let text = &source.text;
    let mut start = text[..first].rfind('\n').map_or(0, |i| i + 1);
    let mut end = text[last..].find('\n').map_or(text.len(), |i| last + i);
    let line = source.position(start).line;
    if end - start > 4 * LONG_LINE {
        start = floor(text, first.saturating_sub(LONG_LINE / 4).max(start));
        end = floor(text, (first + LONG_LINE).min(end));
    }
    let inside = |s: Span| Span {
        start: s.start.clamp(start, end) - start,
        end: s.end.clamp(start, end) - start,
    };
    Cut {
        name: (!source.name.is_empty()).then(|| source.name.clone()),
        line,
        // A tab would shift the carets: one blank for each byte keeps the columns.
        text: text[start..end].replace(['\t', '\r'], " "),
        spans: spans
            .into_iter()
            .map(|(s, t, p)| (inside(s), t, p))
            .collect(),
    }
}

fn one_line(text: &str) -> String {
    if text.contains(|c: char| c.is_control()) {
        text.chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect()
    } else {
        text.to_string()
    }
}

/// The diagnostic in one line, for places where it must not get in the way:
/// `warning: Stellar reads this as 8 / (2 * 4); write … [L0102 multiply-before-divide]`.
pub fn brief(diagnostic: &Diagnostic) -> String {
    let info = diagnostic.code.info();
    let level = diagnostic.level().name();
    let mut text = format!("{level}: {}", one_line(&diagnostic.message));
    if let Some(help) = &diagnostic.help {
        text.push_str("; ");
        text.push_str(&one_line(help));
    }
    let name = info
        .lint
        .map_or(String::new(), |lint| format!(" {}", lint.name));
    text.push_str(&format!(" [{}{name}]", info.name));
    text
}

/// The error object that `eval --jsonl`, scripts and the server answer with.
pub fn json(diagnostic: &Diagnostic) -> Json {
    let kind = match diagnostic.kind() {
        Kind::Input => "input",
        Kind::Syntax => "syntax",
        Kind::Evaluation => "evaluation",
        Kind::Limit => "limit",
        Kind::Lint => "lint",
    };
    let Position { line, column } = diagnostic
        .position()
        .unwrap_or(Position { line: 0, column: 0 });
    let place = |n: usize| if n == 0 { Json::Null } else { json!(n) };
    let span = diagnostic
        .span
        .map_or(Json::Null, |s| json!([s.start, s.end]));
    let mut hint: Vec<&str> = diagnostic.help.iter().map(String::as_str).collect();
    if hint.is_empty() {
        hint.extend(diagnostic.notes.iter().map(String::as_str));
    }
    json!({
        "kind": kind,
        "code": diagnostic.code.name(),
        "message": diagnostic.message,
        "span": if diagnostic.source.is_some() { span } else { Json::Null },
        "line": place(line),
        "column": place(column),
        "hint": if hint.is_empty() { Json::Null } else { json!(hint.join("; ")) },
    })
}

/// The diagnostic as a fragment of HTML without scripts.
pub fn html(diagnostic: &Diagnostic) -> String {
    format!(
        "<pre class=\"stellar-error\" data-code=\"{}\">{}</pre>",
        diagnostic.code.name(),
        super::escaped(&plain(diagnostic))
    )
}
