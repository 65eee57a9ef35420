use super::*;
use crate::engine::Engine;
use crate::shell::Session;

const LOOK: Look = Look {
    mode: Mode::Table,
    window: Some((100, 60)),
    ascii: false,
};

/// The forms of what the last statement of a text gives.
fn forms_in(look: Look, text: &str) -> Option<Media> {
    let session = Session::new(&Engine::bare());
    session.set_mode(look.mode);
    session.set_window(look.window);
    let shown = session.run_text(text).unwrap().pop().unwrap();
    bundle(&shown, look, &session.engine().context.zone).unwrap()
}

fn forms(text: &str) -> Media {
    forms_in(LOOK, text).unwrap_or_else(|| panic!("{text} shows nothing"))
}

fn plain(media: &Media) -> &str {
    let found = media.content.iter().find_map(|form| match form {
        MediaType::Plain(text) => Some(text.as_str()),
        _ => None,
    });
    found.expect("every result has a text")
}

fn html(media: &Media) -> Option<&str> {
    media.content.iter().find_map(|form| match form {
        MediaType::Html(text) => Some(text.as_str()),
        _ => None,
    })
}

fn svg(media: &Media) -> Option<&str> {
    media.content.iter().find_map(|form| match form {
        MediaType::Svg(text) => Some(text.as_str()),
        _ => None,
    })
}

#[test]
fn plain_values_are_text_alone() {
    for (text, expected) in [
        ("1 + 2", "3"),
        ("1.5", "1.5"),
        ("true", "true"),
        ("'a' + 'b'", "ab"),
        ("[1, 'a']", "[1, a]"),
        ("{'a': 1}", "{a=1}"),
        ("[]", "[]"),
        ("x -> x", "x -> x"),
        ("SET_INIT(['a'])", "[a]"),
    ] {
        let media = forms(text);
        assert_eq!(plain(&media), expected);
        assert_eq!(media.content.len(), 1, "{text}: {media:?}");
    }
}

#[test]
fn what_gives_nothing_shows_nothing() {
    for text in [
        "null",
        "def F(a) := a",
        "%mode table",
        "%vars",
        "%undefine x",
    ] {
        assert!(forms_in(LOOK, text).is_none(), "{text}");
    }
}

#[test]
fn lists_of_maps_and_maps_are_tables() {
    let media = forms("[{'a': null, 'b': 'x'}, {'a': 2, 'c': null}]");
    let table = html(&media).unwrap();
    for part in [
        "<th style=\"text-align:right\">a</th><th style=\"text-align:left\">b</th>",
        "<td style=\"text-align:right\"><em>null</em></td>",
        "<td style=\"text-align:right\">2</td>",
        "<td style=\"text-align:left\">x</td><td></td>",
        "<td></td><td style=\"text-align:left\"><em>null</em></td>",
        "2 rows",
    ] {
        assert!(table.contains(part), "{part} is not in {table}");
    }
    assert!(plain(&media).contains("┆ x"), "{}", plain(&media));
    let media = forms("{'a': 1, 'b': [2]}");
    assert!(html(&media).unwrap().contains("<tr><th>b</th><td"));
    // One row is no rows.
    assert!(html(&forms("[{'a': 1}]")).unwrap().contains(">1 row<"));
}

#[test]
fn tables_are_cut_with_a_count() {
    let many = "MAP(SPLIT(FILL_LEFT('', ',', 249), ','), a -> {'n': 1})";
    let media = forms(many);
    let table = html(&media).unwrap();
    assert_eq!(table.matches("<tr>").count(), 1 + 100);
    assert!(
        table.contains("100 of 250 rows; %last shows all"),
        "{table}"
    );
    let whole = forms(&format!("{many}\n%last"));
    let table = html(&whole).unwrap();
    assert_eq!(table.matches("<tr>").count(), 1 + 250);
    assert!(table.contains("<small>250 rows</small>"), "{table}");
    // A long cell has a mark.
    let media = forms("[{'a': FILL_LEFT('', 'é', 5000)}]");
    let cell = html(&media).unwrap();
    assert_eq!(cell.matches('é').count(), 300);
    assert!(cell.contains("é…</div></td>"));
    // So has a value that is long by what is in it.
    let media = forms("[{'a': MAP(SPLIT(FILL_LEFT('', ',', 9999), ','), a -> [1, 2])}]");
    let cell = html(&media).unwrap();
    assert!(
        cell.len() < 1_000 && cell.contains("…</div></td>"),
        "{cell}"
    );
}

#[test]
fn whole_results_have_an_end_too() {
    // Four million characters in many cells, and in one text.
    let wide = "x := FILL_LEFT('', 'x', 40000)\n\
                MAP(SPLIT(FILL_LEFT('', ',', 999), ','), a -> {'a': x})\n%last";
    let media = forms(wide);
    let table = html(&media).unwrap();
    assert!(table.len() < table_bytes() + 50_000, "{}", table.len());
    assert!(table.contains(" of 1000 rows; %save FILE writes all"));
    assert!(plain(&media).len() < TEXT + 100);
    assert!(plain(&media).ends_with("bytes; %save FILE writes all)"));
    let media = forms("FILL_LEFT('', 'é', 4000000)\n%last");
    assert!(plain(&media).len() < TEXT + 100);
    assert!(plain(&media).ends_with("of 8000000 bytes; %save FILE writes all)"));
    let rows = "MAP(SPLIT(FILL_LEFT('', ',', 19999), ','), a -> {'n': 1})\n%last";
    let media = forms(rows);
    assert!(plain(&media).ends_with("(10000 of 20000 rows; %save FILE writes all)"));
    assert!(html(&media).unwrap().contains("<small>20000 rows</small>"));
}

fn table_bytes() -> usize {
    8 << 20
}

#[test]
fn hostile_texts_are_harmless() {
    let hostile = "<script>alert(1)</script><img src=x onerror='a'>\u{1b}[31m\u{202e}&amp;";
    let text = format!(r#"x := "{}""#, hostile.replace('\'', ""));
    for code in [
        "[{'a': x}, {'b': x}]",
        "{x: 1, 'b': x}",
        "[{x: 1}]",
        "SPLIT(x, 'q')",
        "x",
        "%vars",
        "%explain x",
        "%cost LENGTH(x)",
        "STATS_ADD(STATS_INIT(), [1, 2, 3])",
        "%plot {x: [1, 2, 3]}",
    ] {
        let media = forms(&format!("{text}\n{code}"));
        for form in [html(&media), svg(&media)].into_iter().flatten() {
            for bad in ["<script", "<img", "onerror=", "\u{1b}", "\u{202e}"] {
                let quoted = bad == "onerror=" && !form.contains("<img");
                assert!(quoted || !form.contains(bad), "{code}: {bad} in {form}");
            }
        }
        let told = plain(&media);
        assert!(!told.contains(['\u{1b}', '\u{202e}']), "{code}: {told:?}");
    }
}

#[test]
fn colours_of_a_terminal_are_not_in_texts() {
    // As the kernel does, wherever it was started.
    colored::control::set_override(false);
    for text in [
        "[{'a': null}]",
        "?TO_UPPER",
        "%help",
        "%explain 1 + 2",
        "FILL_LEFT('', 'x', 100000)",
        "help E0203",
    ] {
        let media = forms(text);
        assert!(!plain(&media).contains('\u{1b}'), "{text}");
    }
}

#[test]
fn modes_that_are_no_tables_have_text_alone() {
    for (mode, expected) in [
        (Mode::Text, "[{a=1}]"),
        (Mode::Json, "[\n  {\n    \"a\": 1\n  }\n]"),
    ] {
        let look = Look { mode, ..LOOK };
        let media = forms_in(look, "[{'a': 1}]").unwrap();
        assert_eq!(plain(&media), expected);
        assert_eq!(media.content.len(), 1, "{media:?}");
        // Pages stay what they are.
        assert!(html(&forms_in(look, "?TO_UPPER").unwrap()).is_some());
    }
}

#[test]
fn pages_are_html_and_those_with_a_picture_are_pictures() {
    let media = forms("?STATS_MEAN");
    assert!(html(&media).unwrap().contains("STATS_MEAN"));
    assert!(svg(&media).is_none());
    for text in [
        "%explain 1 + 2",
        "%cost 1 + 2",
        "%plot [1, 2, 3]",
        "%window '1 hour window every 24 hours from 7 days ago'",
    ] {
        let media = forms(text);
        assert!(svg(&media).unwrap().starts_with("<svg "), "{text}");
        assert!(html(&media).is_none());
        assert!(!plain(&media).is_empty(), "{text}");
    }
    // Figures stand below their picture.
    let media = forms("STATS_ADD(STATS_INIT(), [1, 2, 3, 4, 5, 6, 7])");
    let both = html(&media).unwrap();
    assert!(both.contains("<svg ") && both.contains("<table>"), "{both}");
}
