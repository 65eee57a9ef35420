mod states;

use super::object::{Statistics, StatisticsParts};
use super::window::WindowParts;
use crate::engine::Engine;
use crate::eval::{Value, Variables};
use smol_str::SmolStr;
use std::sync::Arc;

/// The value's type and text, or the code of the failure.
#[track_caller]
fn typed(expression: &str) -> String {
    match Engine::bare().evaluate(expression) {
        Ok(value) => format!("{value:?}"),
        Err(fault) => fault.code.name().to_string(),
    }
}

fn message(expression: &str) -> String {
    Engine::bare().evaluate(expression).unwrap_err().message
}

/// Expressions one after the other, with variables that keep their objects.
struct Session {
    engine: Engine,
    variables: Vec<(SmolStr, Value)>,
}

struct Fixed(Vec<(SmolStr, Value)>);

impl Variables for Fixed {
    fn get(&self, name: &str) -> Option<Value> {
        let found = self.0.iter().find(|(n, _)| n == name);
        found.map(|(_, value)| value.clone())
    }

    fn all(&self) -> Vec<(SmolStr, Value)> {
        self.0.clone()
    }
}

impl Session {
    fn new(variables: &[(&str, &str)]) -> Session {
        let mut session = Session {
            engine: Engine::bare(),
            variables: Vec::new(),
        };
        for (name, expression) in variables {
            let value = session.engine.evaluate(expression).unwrap();
            session.variables.push((SmolStr::new(name), value));
        }
        session
    }

    #[track_caller]
    fn run(&self, expression: &str) -> String {
        let variables = Arc::new(Fixed(self.variables.clone()));
        let context = self.engine.context.with_variables(variables);
        let program = self.engine.compile(expression).unwrap();
        match program.evaluate(&context) {
            Ok(value) => crate::eval::text::to_text(&value).to_string(),
            Err(fault) => fault.code.name().to_string(),
        }
    }

    fn value(&self, name: &str) -> &Value {
        let found = self.variables.iter().find(|(n, _)| n == name);
        found.map(|(_, value)| value).unwrap()
    }
}

#[test]
fn what_can_be_added() {
    assert_eq!(
        typed("STATS_SUM(STATS_ADD(null, '12', true, 2.5f, 3L))"),
        "Double(18.5)"
    );
    assert_eq!(
        typed("STATS_SUM(STATS_ADD(null, null, [null, 1], SET_INIT([2, 2])))"),
        "Double(3.0)"
    );
    // An inner list stands for its first element, as wherever a number is converted.
    assert_eq!(
        typed("STATS_SUM(STATS_ADD(null, [[5, 6], ['7']]))"),
        "Double(12.0)"
    );
    for bad in [
        "'a'",
        "['a']",
        "{}",
        "{'a' : 1}",
        "[[]]",
        "x -> x",
        "STATS_INIT()",
    ] {
        assert_eq!(typed(&format!("STATS_ADD(null, {bad})")), "E0204", "{bad}");
    }
    assert_eq!(typed("STATS_ADD('a', 1)"), "E0203");
    assert_eq!(typed("STATS_ADD([STATS_INIT()], 1)"), "E0203");
    assert_eq!(typed("STATS_ADD()"), "E0202");
    assert_eq!(typed("STATS_COUNT(STATS_ADD(null))"), "Double(0.0)");
}

#[test]
fn a_value_that_fails_leaves_no_trace() {
    let session = Session::new(&[("s", "STATS_INIT()")]);
    assert_eq!(session.run("STATS_ADD(s, [1, 2, NaN, 4])"), "E0204");
    assert_eq!(session.run("STATS_ADD(s, 1e300)"), "E0204");
    assert_eq!(session.run("STATS_ADD(s, 'x')"), "E0204");
    assert_eq!(
        session.run("[STATS_COUNT(s), STATS_SUM(s), STATS_MAX(s), STATS_SD(s)]"),
        "[2.0, 3.0, 2.0, 0.7071067811865476]"
    );
    assert!(message("STATS_ADD(null, 1, [2, NaN])").contains("element 2: NaN cannot be added"));
    assert!(message("STATS_ADD(null, 1e200)").contains("overflow"));
    assert!(message("STATS_ADD(null, 1e-200)").contains("underflow"));
    assert!(message("STATS_ADD(null, 'x')").contains("a string that is no number"));
}

#[test]
fn windows_take_what_streams_refuse() {
    assert_eq!(
        typed("STATS_MAX(STATS_ADD(STATS_INIT(3), NaN, 1, 2))"),
        "Double(2.0)"
    );
    assert_eq!(
        typed("STATS_MEAN(STATS_ADD(STATS_INIT(3), NaN, 1))"),
        "Double(NaN)"
    );
    assert_eq!(
        typed("STATS_PERCENTILE(STATS_ADD(STATS_INIT(3), 1, NaN, 3), 50)"),
        "Double(2.0)"
    );
    assert_eq!(
        typed("STATS_SUM(STATS_ADD(STATS_INIT(2.9), 1, 2, 3))"),
        "Double(5.0)"
    );
    assert_eq!(
        typed("STATS_SUM(STATS_ADD(STATS_INIT('2'), 1, 2, 3))"),
        "Double(6.0)"
    );
    assert_eq!(
        typed("STATS_SUM(STATS_ADD(STATS_INIT(-2), 1, 2, 3))"),
        "Double(6.0)"
    );
    assert_eq!(
        typed("STATS_SUM(STATS_ADD(STATS_INIT(NaN), 1, 2, 3))"),
        "Double(6.0)"
    );
    assert_eq!(
        typed("STATS_COUNT(STATS_ADD(STATS_INIT(2147483647), 1))"),
        "Double(1.0)"
    );
    assert_eq!(typed("STATS_INIT(1e10)"), "E0204");
}

#[test]
fn a_window_ends_at_the_limit_of_collections() {
    let mut engine = Engine::bare();
    engine.context.limits.collection = 3;
    let text = |expression: &str| match engine.evaluate(expression) {
        Ok(value) => crate::eval::text::to_text(&value).to_string(),
        Err(fault) => fault.code.name().to_string(),
    };
    assert_eq!(
        text("STATS_COUNT(STATS_ADD(STATS_INIT(3), 1, 2, 3, 4, 5))"),
        "3.0"
    );
    assert_eq!(text("STATS_ADD(STATS_INIT(4), 1, 2, 3, 4)"), "E0304");
    assert_eq!(
        text("SAMPLE_GET(SAMPLE_ADD(SAMPLE_ADD(SAMPLE_INIT(9), [1, 2, 3]), 4))"),
        "E0304"
    );
}

#[test]
fn empty_and_single() {
    let empty = [
        "COUNT 0.0",
        "SUM 0.0",
        "MEAN NaN",
        "MIN NaN",
        "MAX NaN",
        "VARIANCE -0.0",
        "SD -0.0",
        "SUM_LOGS 0.0",
        "SUM_SQUARES 0.0",
        "QUADRATIC_MEAN NaN",
        "GEOMETRIC_MEAN NaN",
        "POPULATION_VARIANCE NaN",
        "KURTOSIS NaN",
        "SKEWNESS NaN",
    ];
    for row in empty {
        let (name, wanted) = row.split_once(' ').unwrap();
        assert_eq!(
            typed(&format!("STATS_{name}(STATS_INIT())")),
            format!("Double({wanted})"),
            "{name}"
        );
        assert_eq!(
            typed(&format!("STATS_{name}(null)")),
            "Double(NaN)",
            "{name}"
        );
        assert_eq!(typed(&format!("STATS_{name}()")), "E0202", "{name}");
    }
    let window = [
        "COUNT 0.0",
        "SUM 0.0",
        "MEAN NaN",
        "MIN NaN",
        "MAX NaN",
        "VARIANCE NaN",
        "SD NaN",
        "SUM_SQUARES 0.0",
        "QUADRATIC_MEAN NaN",
        "GEOMETRIC_MEAN NaN",
        "POPULATION_VARIANCE NaN",
        "KURTOSIS NaN",
        "SKEWNESS NaN",
    ];
    for row in window {
        let (name, wanted) = row.split_once(' ').unwrap();
        assert_eq!(
            typed(&format!("STATS_{name}(STATS_INIT(5))")),
            format!("Double({wanted})"),
            "{name}"
        );
    }
    assert_eq!(typed("STATS_SD(STATS_ADD(null, 7))"), "Double(NaN)");
    assert_eq!(
        typed("STATS_SD(STATS_ADD(STATS_INIT(5), 7))"),
        "Double(0.0)"
    );
}

#[test]
fn merging() {
    let session = Session::new(&[
        ("a", "STATS_ADD(null, [1, 2])"),
        ("b", "STATS_ADD(null, [10])"),
        ("w", "STATS_ADD(STATS_INIT(3), [1])"),
    ]);
    assert_eq!(
        session.run("STATS_MERGE([a, 5, null, b, a])"),
        "Statistics{count=5, mean=3.2}"
    );
    // Nothing but the sum is new: the sides stay, and one alone comes back itself.
    assert_eq!(
        session.run("[a, b]"),
        "[Statistics{count=2, mean=1.5}, Statistics{count=1, mean=10.0}]"
    );
    assert_eq!(
        session.run("[STATS_ADD(STATS_MERGE(['x', b]), 20), b]"),
        "[Statistics{count=2, mean=15.0}, Statistics{count=2, mean=15.0}]"
    );
    assert_eq!(
        session.run("STATS_MERGE([w])"),
        "Statistics{count=1, mean=1.0, window=3}"
    );
    for bad in ["[w, w]", "[a, w]", "[w, a]"] {
        assert_eq!(
            session.run(&format!("STATS_MERGE({bad})")),
            "E0204",
            "{bad}"
        );
    }
    assert_eq!(session.run("STATS_MERGE(SET_INIT([a, b]))"), "null");
    for order in ["[STATS_INIT(), a]", "[a, STATS_INIT()]"] {
        let figures = format!(
            "MAP([STATS_MERGE({order})], s -> [STATS_MIN(s), STATS_MAX(s), STATS_SD(s), STATS_PERCENTILE(s, 100)])"
        );
        assert_eq!(
            session.run(&figures),
            "[[1.0, 2.0, 0.7071067811865476, 2.0]]"
        );
    }
    let nothing = "STATS_MERGE([STATS_INIT(), STATS_INIT()])";
    assert_eq!(
        session.run(&format!("[STATS_MIN({nothing}), STATS_SD({nothing})]")),
        "[NaN, NaN]"
    );
    assert_eq!(
        session.run(&format!("STATS_SD(STATS_ADD({nothing}, 1, 3))")),
        "1.4142135623730951"
    );
}

#[test]
fn percentiles_and_their_range() {
    for (p, wanted) in [
        ("0", "10.0"),
        ("25", "20.0"),
        ("'50'", "30.0"),
        ("[75]", "40.0"),
        ("100L", "50.0"),
        ("NaN", "NaN"),
        ("null", "NaN"),
        ("'x'", "NaN"),
    ] {
        assert_eq!(
            typed(&format!(
                "STATS_PERCENTILE(STATS_ADD(null, [50, 10, 40, 20, 30]), {p})"
            )),
            format!("Double({wanted})"),
            "{p}"
        );
    }
    for (stats, p) in [
        ("STATS_INIT()", "-1"),
        ("STATS_INIT()", "100.001"),
        ("STATS_INIT(5)", "0"),
        ("STATS_INIT(5)", "101"),
        ("STATS_ADD(STATS_INIT(5), 1, 2)", "NaN"),
    ] {
        assert_eq!(
            typed(&format!("STATS_PERCENTILE({stats}, {p})")),
            "E0204",
            "{stats} {p}"
        );
    }
    assert_eq!(typed("STATS_PERCENTILE(null, 500)"), "Double(NaN)");
    assert_eq!(typed("STATS_PERCENTILE(STATS_INIT())"), "E0202");
    assert!(message("STATS_PERCENTILE(STATS_INIT(), 101)").contains("from 0 to 100, not 101.0"));
}

#[test]
fn zeros_have_signs() {
    for (function, values, wanted) in [
        ("MIN", "[0.0, 0.0 * -1]", "-0.0"),
        ("MAX", "[0.0 * -1, 0.0, 0.0 * -1]", "0.0"),
    ] {
        let expression = format!("STATS_{function}(STATS_ADD(null, {values}))");
        assert_eq!(
            typed(&expression),
            format!("Double({wanted})"),
            "{expression}"
        );
    }
    assert_eq!(
        typed("STATS_MIN(STATS_ADD(STATS_INIT(2), 0.0 * -1, 0.0))"),
        "Double(0.0)"
    );
}

#[test]
fn z_scores() {
    for (expression, wanted) in [
        (
            "STATS_ZSCORE(STATS_ADD(null, [2, 4, 6]), '8')",
            "Double(2.0)",
        ),
        (
            "STATS_ZSCORE(STATS_ADD(STATS_INIT(3), [9, 2, 4, 6]), 0)",
            "Double(-2.0)",
        ),
        ("STATS_ZSCORE(STATS_ADD(null, [5, 5]), 5)", "Double(NaN)"),
        (
            "STATS_ZSCORE(STATS_ADD(null, [5, 5]), 4)",
            "Double(-Infinity)",
        ),
        ("STATS_ZSCORE(STATS_ADD(null, 5), 5)", "Double(NaN)"),
        ("STATS_ZSCORE(STATS_INIT(), 5)", "Double(NaN)"),
        ("STATS_ZSCORE(STATS_ADD(null, [2, 4]), null)", "Double(NaN)"),
        ("STATS_ZSCORE(STATS_ADD(null, [2, 4]), 'x')", "Double(NaN)"),
        ("STATS_ZSCORE(STATS_ADD(null, [2, 4]))", "E0202"),
    ] {
        assert_eq!(typed(expression), wanted, "{expression}");
    }
}

#[test]
fn bins() {
    for (expression, wanted) in [
        ("BIN(9, [10, 20, 30])", "Integer(0)"),
        ("BIN(19, [10, 20, 30])", "Integer(1)"),
        ("BIN(21, [10, 20, 30])", "Integer(2)"),
        ("BIN('21', [10, 20.5, 30L])", "Integer(2)"),
        ("BIN(NaN, [10])", "Integer(1)"),
        ("BIN(5, [5, 5, 5])", "Integer(0)"),
        ("BIN(5, null)", "Integer(-1)"),
        // What is not looked at cannot be wrong.
        ("BIN(1, [5, 'x', 2])", "Integer(0)"),
        ("BIN(7, [5, 'x', 2])", "E0204"),
        ("BIN(7, [5, null])", "E0204"),
        ("BIN(7, [5, 3])", "E0204"),
        ("BIN(null, 'x')", "E0203"),
        ("BIN(1, SET_INIT([2]))", "E0203"),
        ("BIN()", "E0202"),
        ("STATS_BIN(STATS_ADD(null, [0, 100]), 25)", "Integer(0)"),
        (
            "STATS_BIN(STATS_ADD(null, [0, 100]), 81, 'QUINTILE')",
            "Integer(4)",
        ),
        (
            "STATS_BIN(STATS_ADD(null, [0, 100]), 15, [10, 20])",
            "Integer(1)",
        ),
        (
            "STATS_BIN(STATS_ADD(null, [0, 100]), 15, [20, 10])",
            "Integer(0)",
        ),
        (
            "STATS_BIN(STATS_ADD(null, [0, 100]), 25, [20, 10])",
            "E0204",
        ),
        (
            "STATS_BIN(STATS_ADD(null, [0, 100]), 25, [20, 101])",
            "E0204",
        ),
        ("STATS_BIN(STATS_ADD(null, [0, 100]), 25, ['20'])", "E0204"),
        (
            "STATS_BIN(STATS_ADD(STATS_INIT(5), [0, 100]), 25, [0])",
            "E0204",
        ),
        ("STATS_BIN(STATS_INIT(), 1, [])", "Integer(-1)"),
        ("STATS_BIN(STATS_INIT(), 1)", "Integer(3)"),
        ("STATS_BIN(STATS_INIT(), 'x')", "Integer(-1)"),
        ("STATS_BIN(null, 1)", "Integer(-1)"),
        ("STATS_BIN(null, 1, 'quartile')", "E0204"),
        ("STATS_BIN(null, 1, null)", "E0203"),
        ("STATS_BIN(null, 1, 5)", "E0203"),
    ] {
        assert_eq!(typed(expression), wanted, "{expression}");
    }
}

#[test]
fn entropy() {
    for (expression, wanted) in [
        ("IT_ENTROPY({})", "Double(0.0)"),
        (
            "IT_ENTROPY({'a' : 1, 'b' : 1, 'c' : 1, 'd' : 1})",
            "Double(2.0)",
        ),
        (
            "IT_ENTROPY({'a' : 2147483647, 'b' : 2147483647})",
            "Double(1.0)",
        ),
        ("IT_ENTROPY({'a' : 0})", "Double(NaN)"),
        ("IT_ENTROPY([1])", "E0203"),
        ("IT_ENTROPY({'a' : null})", "E0204"),
        ("IT_ENTROPY()", "E0202"),
    ] {
        assert_eq!(typed(expression), wanted, "{expression}");
    }
}

#[test]
fn parts_of_statistics() {
    let session = Session::new(&[
        ("s", "STATS_ADD(null, [1, 2, 3, 4])"),
        ("w", "STATS_ADD(STATS_INIT(3), [9, 8, 7, 6])"),
    ]);
    let statistics = |name: &str| {
        session
            .value(name)
            .as_object::<Statistics>()
            .unwrap()
            .parts()
    };
    let window = StatisticsParts::Window(WindowParts {
        size: 3,
        values: vec![8.0, 7.0, 6.0],
    });
    assert_eq!(statistics("w"), window);
    for parts in [window, statistics("s")] {
        assert_eq!(
            Statistics::from_parts(parts.clone()).unwrap().parts(),
            parts
        );
    }
    let StatisticsParts::Online(parts) = statistics("s") else {
        panic!("no window");
    };
    assert_eq!(parts.sum_of_logs, f64::from_bits(0x4009_6ca7_7c92_2cf8));
    assert_eq!(parts.moments, [2.5, 5.0, 0.0, 10.25]);
    assert_eq!((parts.count, parts.min, parts.max), (4, 1.0, 4.0));
}

#[test]
fn an_evaluation_makes_its_own_objects() {
    let engine = Engine::bare();
    for expression in [
        "STATS_ADD(STATS_INIT(), 1)",
        "STATS_ADD(null, 1)",
        "SAMPLE_ADD(SAMPLE_INIT(), 1)",
    ] {
        let program = engine.compile(expression).unwrap();
        let first = program.evaluate(&engine.context).unwrap();
        let second = program.evaluate(&engine.context).unwrap();
        assert_eq!(format!("{first:?}"), format!("{second:?}"), "{expression}");
    }
}
