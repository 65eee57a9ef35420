use super::*;

fn new(text: &str) -> String {
    prepare("rule", text, Escapes::Repair).unwrap().text
}

#[test]
fn bit_operators_bind_tighter_than_powers() {
    assert_eq!(new("x = EQ | IGNORE_CASE"), "x = __bor(EQ , IGNORE_CASE)");
    assert_eq!(new("x = -a & b"), "x = -__band(a , b)");
    assert_eq!(new("x = 2 ^ a | b"), "x = 2 ^ __bor(a , b)");
    assert_eq!(new("x = a << b << c"), "x = __shl(a , __shl(b , c))");
    assert_eq!(new("x = a | b | c"), "x = __bor(__bor(a , b) , c)");
    assert_eq!(new("x = a ~ b & c"), "x = __bxor(a , __band(b , c))");
    assert_eq!(new("x = a ~= b"), "x = a ~= b");
}

#[test]
fn comparisons_become_calls_and_lines_stay() {
    assert_eq!(
        new("if #l > 1 and\n a.b[1]\n <= f(x)\nthen end"),
        "if __gt(#l , 1) and\n __le(a.b[1]\n , f(x))\nthen end"
    );
    assert_eq!(
        new("return (a < b) == c, a + 1 < b .. c"),
        "return (__lt(a , b)) == c, __lt(a + 1 , b .. c)"
    );
    assert_eq!(new("x = a < b < c"), "x = __lt(__lt(a , b) , c)");
    let text = "-- a < b\nx = 'a < b' --[[ a | b ]]\ny = [[a\n< b]]";
    assert_eq!(new(text), text);
}

#[test]
fn unknown_escapes_keep_their_backslash_or_lose_it() {
    let repaired = new(r#"x = "\s+\$env\.a\b\\d\n\065\"" "#);
    assert_eq!(repaired, r#"x = "\\s+\\$env\\.a\\b\\d\n\065\"" "#);
    let dropped = prepare("rule", r#"x = "\s\x41\b\z" "#, Escapes::Drop).unwrap();
    assert_eq!(dropped.text, r#"x = "sx41\bz" "#);
    assert_eq!(dropped.escapes.len(), 1);
    assert_eq!(new("x = '\\я\\'я'"), "x = '\\\\я\\'я'");
    assert_eq!(new("x = \"a\\\nb\""), "x = \"a\\\nb\"");
}

#[test]
fn errors_tell_the_place() {
    let fault = |text: &str| {
        let fault = prepare("rule", text, Escapes::Repair).unwrap_err();
        let at = fault
            .position()
            .map(|p| (p.line, p.column))
            .unwrap_or_default();
        format!("{}:{} {}", at.0, at.1, fault.message)
    };
    assert_eq!(
        fault("x = 1\nif x then\n"),
        "3:1 `end` was expected here, not the end of the text"
    );
    assert_eq!(
        fault("if x = 1 then end"),
        "1:6 `then` was expected here, not `=`"
    );
    assert_eq!(fault("x != 1"), "1:3 `!` has no meaning in Lua");
    assert_eq!(
        fault("x = 'abc\ny = 2"),
        "1:5 this text is not closed in its line"
    );
    assert_eq!(
        fault("x = [[abc"),
        "1:5 what opens here is never closed by ]]"
    );
    assert_eq!(
        fault("goto done"),
        "1:1 `goto` and its labels are not available"
    );
    assert_eq!(
        fault("x"),
        "1:2 `=` or a call was expected here, not the end of the text"
    );
    assert_eq!(fault("x = ~y"), "1:5 a value was expected here, not `~`");
    assert_eq!(fault("end"), "1:1 a statement was expected here, not `end`");
    assert!(fault(&"(".repeat(100_000)).contains("200 levels"));
    assert!(fault(&format!("x = {}1", "a^".repeat(100_000))).contains("200 levels"));
    assert!(fault(&" ".repeat(LONGEST + 1)).contains("bytes"));
    assert!(fault("x = '\\").contains("not closed"));
}

#[test]
fn long_chains_are_no_nests() {
    new(&format!("x = {}'z'", "'a' .. ".repeat(5_000)));
    new(&format!("x = {}1", "a or ".repeat(5_000)));
    new(&format!("x = {}1", "a < ".repeat(150)));
}

#[test]
fn an_event_that_is_kept_nowhere_may_be_used_again() {
    let passes = |body: &str| {
        let text = format!(
            "function on_logline(e)\n{body}\nend\ng = grouper.new({{}}, {{}}, '', '1m', f)"
        );
        prepare("rule", &text, Escapes::Repair).unwrap().passing
    };
    assert!(passes("if e:get('a') == 1 then g:feed(e) end"));
    assert!(passes(
        "set_field_value(e, 'a', 1) for i = 1, 2 do log(e:gets('a', '')) end"
    ));
    assert!(passes("repeat x = get_field_value(e, 'a') until x"));
    assert!(!passes("local other = {e = 1, x = y.e}"));
    assert!(!passes("kept = e"));
    assert!(!passes("alert({logs = {e}})"));
    assert!(!passes("f = function() return e:get('a') end"));
    assert!(!passes("list:feed2(e)"));
    assert!(!passes("e.field = 1"));
    assert!(!passes("return e"));
    let own = "function t:feed(x) kept = x end function on_logline(e) t:feed(e) end";
    assert!(!prepare("rule", own, Escapes::Repair).unwrap().passing);
    let own = "get_field_value = f function on_logline(e) get_field_value(e) end";
    assert!(!prepare("rule", own, Escapes::Repair).unwrap().passing);
    let twice = "function on_logline(e) end on_logline = f";
    assert!(!prepare("rule", twice, Escapes::Repair).unwrap().passing);
}
