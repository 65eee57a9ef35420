use crate::engine::Engine;
use crate::eval::Value;
use crate::eval::text::to_text;

fn text(expression: &str) -> String {
    match Engine::bare().evaluate(expression) {
        Ok(value) => to_text(&value).to_string(),
        Err(fault) => fault.code.name().to_string(),
    }
}

#[track_caller]
fn check(rows: &[(&str, &str)]) {
    for (expression, expected) in rows {
        assert_eq!(text(expression), *expected, "{expression}");
    }
}

#[test]
fn cuts_count_utf16_units() {
    check(&[
        ("SUBSTRING('naïve', 2)", "ïve"),
        ("SUBSTRING('naïve', 2, 3)", "ï"),
        ("SUBSTRING('a🔥b', 1, 3)", "🔥"),
        ("SUBSTRING('a🔥b', 0, 2)", "a\u{fffd}"),
        ("SUBSTRING('a🔥b', 2)", "\u{fffd}b"),
        ("SUBSTRING('🔥🔥', 1, 3)", "\u{fffd}\u{fffd}"),
        ("SUBSTRING('🔥', 1, 2)", "\u{fffd}"),
        ("SUBSTRING('🔥', 1, 1)", ""),
        ("SUBSTRING('a🔥b', 4)", ""),
        ("SUBSTRING('a🔥b', 5)", "E0204"),
        ("SUBSTRING('a🔥b', 4, 3)", "E0204"),
        ("SUBSTRING('日本語', 1, 2)", "本"),
        ("SUBSTRING('日本語', 3, 4)", "E0204"),
        ("CHOP('a🔥')", "a\u{fffd}"),
        ("CHOP('aé')", "a"),
    ]);
}

#[test]
fn substring_checks_in_order() {
    check(&[
        ("SUBSTRING(null, 'a')", "E0203"),
        ("SUBSTRING(5, null)", "E0203"),
        ("SUBSTRING('abc', null)", "null"),
        ("SUBSTRING('abc', null, 'x')", "E0203"),
        ("SUBSTRING('', -1, 7)", ""),
        ("SUBSTRING('abc', 1, null)", "bc"),
        ("SUBSTRING('abc', 1.9, 2.9)", "b"),
        ("SUBSTRING('abc', 1L, 3L)", "bc"),
        ("SUBSTRING('abc', -1)", "E0204"),
        ("SUBSTRING('abc', 4294967297L)", "E0204"),
        ("SUBSTRING('abc', 2, 1)", "E0204"),
        ("SUBSTRING('abc', 0, 4)", "E0204"),
        ("SUBSTRING('abc', 3, 3)", ""),
        ("SUBSTRING('abc', 0, 1, 'extra')", "a"),
        ("SUBSTRING('a')", "E0202"),
    ]);
}

#[test]
fn line_ends() {
    check(&[
        ("CHOMP('a\\n\\r') == 'a\\n'", "true"),
        ("CHOMP('a\\r\\n') == 'a'", "true"),
        ("CHOMP('\\r')", ""),
        ("CHOMP('')", ""),
        ("CHOP('a\\n\\r') == 'a\\n'", "true"),
        ("CHOP('\\r\\n')", ""),
        ("CHOP('a')", ""),
    ]);
}

#[test]
fn fills_check_in_order() {
    check(&[
        ("FILL_LEFT(null, null, null)", "null"),
        ("FILL_LEFT('a', '', null)", "E0203"),
        ("FILL_LEFT('a', '', 'x')", "E0204"),
        ("FILL_LEFT('a', 'b')", "E0202"),
        ("FILL_LEFT('a', 0, 3)", "00a"),
        ("FILL_RIGHT('é', '-', 3)", "é--"),
        ("FILL_LEFT('a', 'é', 3)", "ééa"),
        ("FILL_LEFT('🔥', '.', 3)", ".🔥"),
        ("FILL_LEFT('a', '🔥', 3)", "\u{fffd}\u{fffd}a"),
        ("FILL_LEFT('a', '.', -5)", "a"),
        ("FILL_RIGHT([1, 2], '.', 8)", "[1, 2].."),
        ("FILL_RIGHT('a', '.', 2.9)", "a."),
        ("FILL_RIGHT('a', '.', 3000000000L)", "E0204"),
        ("LENGTH_OF_NOTHING()", "E0201"),
    ]);
    let long = text("FILL_RIGHT('ab', '-', 50)");
    assert_eq!(long, format!("ab{}", "-".repeat(48)));
}

#[test]
fn made_texts_respect_the_limit() {
    let mut engine = Engine::bare();
    engine.context.limits.string = 10;
    engine.context.limits.collection = 3;
    for (expression, code) in [
        ("FILL_LEFT('a', 'é', 6)", "E0303"),
        ("JOIN(['aaaa', 'bbbb'], '---')", "E0303"),
        ("PREPEND_IF_MISSING('aaaaaaaa', 'bbb')", "E0303"),
        ("APPEND_IF_MISSING('aaaaaaaa', 'bbb')", "E0303"),
        ("FORMAT('%20s', 'a')", "E0303"),
        ("FORMAT('%s', ['aaaa', 'bbbb'])", "E0303"),
        ("TO_STRING(['aaaa', 'bbbb'])", "E0303"),
        ("TO_UPPER('ßßßßßŉ')", "E0303"),
        ("SPLIT('a.b.c.d', '.')", "E0304"),
    ] {
        let fault = engine.evaluate(expression).err();
        assert_eq!(fault.map(|f| f.code.name()), Some(code), "{expression}");
    }
}

#[test]
fn affixes() {
    check(&[
        ("STARTS_WITH(null, 5)", "E0203"),
        ("STARTS_WITH(5, null)", "E0203"),
        ("STARTS_WITH('abc')", "E0202"),
        ("STARTS_WITH('abc', 'ab', 1)", "true"),
        ("PREPEND_IF_MISSING('a')", "E0202"),
        ("PREPEND_IF_MISSING(null, 5)", "E0203"),
        ("PREPEND_IF_MISSING('a', null, 5)", "E0203"),
        ("PREPEND_IF_MISSING('a', null)", "a"),
        ("PREPEND_IF_MISSING('a', 'b', '')", "a"),
        ("PREPEND_IF_MISSING('a', 'b', null)", "ba"),
        ("PREPEND_IF_MISSING('a', 'A')", "Aa"),
        ("APPEND_IF_MISSING('abc', 'c', 'x')", "abc"),
        (
            "APPEND_IF_MISSING('a rather long text', ', longer than before')",
            "a rather long text, longer than before",
        ),
    ]);
}

#[test]
fn lists() {
    check(&[
        ("JOIN(null, ',')", "E0203"),
        ("JOIN({}, ',')", "E0203"),
        ("JOIN(5, null)", "E0203"),
        ("JOIN([1, [2, 'x'], 2.5], '-')", "1-[2, x]-2.5"),
        ("JOIN([null], '-')", ""),
        ("JOIN(['', ''], '-')", "-"),
        ("SPLIT('', ',')", "[]"),
        ("SPLIT('aXYbXY', 'XY')", "[a, b, ]"),
        ("SPLIT('aaa', 'aa')", "[, a]"),
        ("SPLIT('aéb', 'é')", "[a, b]"),
        ("SPLIT('abc', 5)", "E0203"),
        ("SPLIT(null, 5)", "[]"),
        ("SPLIT([1, 2], ', ')", "[[1, 2]]"),
        ("GET('abc', 0)", "E0203"),
        ("GET([1], null)", "E0203"),
        ("GET([1], 0.0)", "E0203"),
        ("GET_FIRST([null, 1])", "null"),
        ("GET_FIRST()", "E0202"),
    ]);
    let parts = Engine::bare().evaluate("SPLIT('', ',')");
    assert!(matches!(parts, Ok(Value::List(list)) if list.len() == 1));
}

#[test]
fn entropy_and_counts() {
    check(&[
        ("STRING_ENTROPY('')", "0.0"),
        ("STRING_ENTROPY('éa')", "1.0"),
        ("STRING_ENTROPY('🔥🔥')", "1.0"),
        ("STRING_ENTROPY([])", "0.0"),
        ("STRING_ENTROPY(true)", "2.0"),
        ("STRING_ENTROPY()", "E0202"),
        ("COUNT_MATCHES('aXaXa', 'Xa')", "2"),
        ("COUNT_MATCHES('éé', 'é')", "2"),
        ("COUNT_MATCHES(null, 5)", "E0203"),
        ("COUNT_MATCHES('a', 'b', 'c')", "E0202"),
    ]);
}

#[test]
fn fuzzy_scores() {
    check(&[
        ("FUZZY_SCORE('Room', 'o', 'en')", "1"),
        ("FUZZY_SCORE('Room', 'oo', 'en')", "4"),
        ("FUZZY_SCORE('Workshop', 'w', 'en')", "1"),
        ("FUZZY_SCORE('Workshop', 'wo', 'en')", "4"),
        ("FUZZY_SCORE('abc', 'axc', 'en')", "1"),
        ("FUZZY_SCORE('🔥', '🔥', 'en')", "4"),
        ("FUZZY_SCORE('I', 'i', 'en')", "1"),
        ("FUZZY_SCORE('I', 'i', 'tr')", "0"),
        ("FUZZY_SCORE('İ', 'i', 'tr-TR')", "1"),
        ("FUZZY_SCORE('', '', 'zz')", "E0204"),
        ("FUZZY_SCORE('', null, 'zz')", "0"),
        ("FUZZY_SCORE('a', 'a')", "E0202"),
    ]);
    assert_eq!(super::fuzzy::tags().len(), 1016);
    assert!(super::fuzzy::tags().is_sorted());
}

#[test]
fn formats() {
    check(&[
        ("FORMAT()", "E0202"),
        ("FORMAT(null)", "E0203"),
        ("FORMAT([])", "E0203"),
        ("FORMAT(['%s!'], 1)", "1!"),
        ("FORMAT('%s', [1, 'a'])", "[1, a]"),
        ("FORMAT('%d', [1])", "E0211"),
        (
            "FORMAT('%h', ['a', 1, null])",
            format!("{:x}", 31 * (31 * (31 + 97) + 1)).as_str(),
        ),
        ("FORMAT('%h', {'a': 1})", "60"),
        ("FORMAT('%tZ %<tH', 0L)", "UTC 00"),
        ("FORMAT('%tY', 0)", "E0211"),
        ("FORMAT('%y', 0)", "E0211"),
        ("FORMAT('a' + '%s', 7)", "a7"),
    ]);
    let mut engine = Engine::bare();
    let zone = crate::eval::java::date_format::Zone::from_java_id("America/New_York");
    engine.context.zone = zone;
    let shown = engine.evaluate("FORMAT('%tF %<tT %<tZ %<tz', 1472127000000L)");
    assert_eq!(
        shown.ok(),
        Some(Value::text("2016-08-25 08:10:00 EDT -0400"))
    );
}

#[test]
fn format_errors_say_java_words() {
    let fault = Engine::bare().evaluate("FORMAT('%d', 1.5)").err();
    let message = fault.map(|f| f.message).unwrap_or_default();
    assert!(message.contains("d != java.lang.Double"), "{message}");
}

/// Case as Java 17 has it, for characters where one might doubt.
#[test]
fn case_of_special_letters() {
    check(&[
        ("TO_UPPER('ŉǰΐﬃ')", "ʼNJ\u{30c}Ι\u{308}\u{301}FFI"),
        ("TO_UPPER('ıi')", "II"),
        ("TO_LOWER('İI')", "i̇i"),
        ("TO_LOWER('ΑΣ ΑΣ.Α ΑΣ1 Σ')", "ας ασ.α ας1 σ"),
        ("TO_LOWER('K')", "k"),
        (
            "TO_UPPER('a rather long text, longer than inline')",
            "A RATHER LONG TEXT, LONGER THAN INLINE",
        ),
        ("TO_UPPER({'a': [1.0, null]})", "{A=[1.0, NULL]}"),
        ("TRIM('\\u00a0')", "E0105"),
        ("TRIM('\u{a0} a\u{0}\u{1f} ')", "\u{a0} a"),
    ]);
}
