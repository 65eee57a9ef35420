//! What the table of Go's answers does not say: places, limits, `join`, numbers of both kinds.

use super::*;
use crate::eval::json;

fn render(template: &str, data: &str) -> Outcome<String> {
    Template::parse(template)?.render(&json::read(data, 100).unwrap(), &Limits::default())
}

fn problem(template: &str, data: &str) -> (Code, Span, String) {
    let fault = render(template, data).unwrap_err();
    (fault.code, fault.span.unwrap(), fault.message)
}

#[test]
fn a_problem_has_its_place() {
    for (template, start, end) in [
        ("a{{ .x", 1, 3),
        ("яя{{ nope 1 }}", 7, 11),
        ("{{ if .x }}a", 0, 5),
        ("{{ end }}", 0, 6),
        ("{{ .text.field }}", 3, 14),
        ("{{ len 3 }}", 3, 6),
        ("{{ $x }}", 3, 5),
        ("{{ \"a }}", 3, 4),
        ("{{ .First.@timestamp }}", 9, 11),
        ("{{/* x }}", 0, 2),
    ] {
        let (code, span, message) = problem(template, r#"{"text":"x"}"#);
        let place = (code, span.start, span.end);
        assert_eq!(
            place,
            (Code::BadTemplate, start, end),
            "{template}: {message}"
        );
    }
}

#[test]
fn time_and_length_are_limited() {
    let forever = r#"{{define "a"}}{{template "a"}}{{end}}{{template "a"}}"#;
    assert_eq!(problem(forever, "{}").0, Code::Nesting);
    assert_eq!(problem("{{range 9999999}}{{end}}", "{}").0, Code::Steps);
    assert_eq!(
        problem("{{range 99999}}{{printf \"%99999d\" 1}}{{end}}", "{}").0,
        Code::StringLength
    );
    let deep = "{{if 1}}".repeat(300) + &"{{end}}".repeat(300);
    assert_eq!(problem(&deep, "{}").0, Code::Nesting);
    let deep = format!("{{{{ {}1{} }}}}", "(".repeat(300), ")".repeat(300));
    assert_eq!(problem(&deep, "{}").0, Code::Nesting);
    let elses = "{{if 0}}".to_string() + &"{{else if 0}}".repeat(300) + "{{end}}";
    assert_eq!(problem(&elses, "{}").0, Code::Nesting);
    let late = Limits {
        late: Some(&|| true),
        ..Limits::default()
    };
    let template = Template::parse("{{ .x }}").unwrap();
    let fault = template.render(&Value::Null, &late).unwrap_err();
    assert_eq!(fault.code, Code::Timeout);
}

#[test]
fn the_deepest_nesting_allowed_renders() {
    let deep = "{{if 1}}".repeat(198) + "x" + &"{{end}}".repeat(198);
    assert_eq!(render(&deep, "{}").unwrap(), "x");
    let rounds =
        r#"{{define "a"}}{{if .}}x{{template "a" slice . 1}}{{end}}{{end}}{{template "a" .t}}"#;
    let data = format!(r#"{{"t":"{}"}}"#, "a".repeat(190));
    assert_eq!(render(rounds, &data).unwrap(), "x".repeat(190));
}

#[test]
fn join_takes_its_list_on_either_side() {
    let data = r#"{"l":["a",1,null,true],"t":"x"}"#;
    for (template, text) in [
        (r#"{{ .l | join ", " }}"#, "a, 1, true"),
        (r#"{{ join .l "-" }}"#, "a-1-true"),
        (r#"{{ join "-" .t }}"#, "x"),
        (r#"{{ join "-" .absent }}"#, ""),
    ] {
        assert_eq!(render(template, data).unwrap(), text, "{template}");
    }
}

#[test]
fn numbers_of_both_kinds_go_together() {
    let data = r#"{"n":2,"l":["a","b","c"]}"#;
    for (template, text) in [
        ("{{ eq .n 2 }}{{ lt .n 3 }}{{ ge .n 2.5 }}", "truetruefalse"),
        ("{{ index .l .n }}", "c"),
        ("{{ slice .l 0 .n }}", "[a b]"),
    ] {
        assert_eq!(render(template, data).unwrap(), text, "{template}");
    }
}

#[test]
fn damaged_templates_are_refused_or_rendered_but_do_no_harm() {
    let whole = "{{- range $i, $x := .l -}}{{if and $x (eq $i 1)}}{{$x | printf \"%5v\"}}{{else}}`{{end}}{{end}}{{/* c */}}я";
    for start in 0..whole.len() {
        for end in start..whole.len() {
            if let Some(part) = whole.get(start..end) {
                let _ = render(part, r#"{"l":[1,"a",null]}"#);
            }
        }
    }
}
