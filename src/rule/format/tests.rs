//! What the table of Go's answers does not say.

use super::*;

#[test]
fn the_text_stops_at_its_limit() {
    let mut out = Output::new(10);
    printf(&mut out, b"%999999d|%s", &[Arg::Int(1), Arg::text("x")]);
    assert!(out.is_over());
    assert!(out.finish().len() <= 10);
}

#[test]
fn deep_values_are_cut() {
    let mut value = Value::from(vec![Value::from(1)]);
    for _ in 0..2000 {
        value = Value::from(vec![value]);
    }
    let mut out = Output::new(1 << 20);
    print(&mut out, &[Arg::of(value)]);
    assert!(String::from_utf8(out.finish()).unwrap().contains("[…]"));
}
