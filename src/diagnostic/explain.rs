//! What a code means, as a page.

use super::codes::CodeInfo;
use super::page::{Page, Style};

/// A code with its cause, its cure and an example.
pub fn explanation(info: &CodeInfo) -> Page {
    let mut page = Page::new();
    page.put(Style::Name, info.name);
    page.line(format!(": {}", info.title)).end();
    page.put(Style::Heading, "Cause:");
    page.line(format!(" {}", info.cause));
    page.put(Style::Heading, "Cure:");
    page.line(format!(" {}", info.cure));
    if !info.example.is_empty() {
        page.end().put(Style::Heading, "Example:").text(" ");
        page.put(Style::Code, info.example).end();
    }
    if let Some(lint) = info.lint {
        let line = format!(
            "This is a lint, a {}. To silence it, write # stellar: allow({}) in the line before the statement.",
            lint.level.name(),
            lint.name
        );
        page.end().line(line);
    }
    page
}
