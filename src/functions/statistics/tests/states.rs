//! Outlier states and samplers.

use super::super::online::OnlineParts;
use super::super::outlier::MadState;
use super::super::sample::{Sampler, SamplerParts};
use super::{Session, typed};
use crate::eval::Value;
use std::sync::Arc;

/// The centroids are those that Metron stored for the same values.
#[test]
fn a_state_keeps_values_and_deviations() {
    let session = Session::new(&[(
        "s",
        "OUTLIER_MAD_ADD(OUTLIER_MAD_STATE_MERGE([]), [1, 2, 3, 4, 100])",
    )]);
    let state = session.value("s").as_object::<MadState>().unwrap();
    let parts = state.parts();
    let means =
        |parts: &OnlineParts| -> Vec<f64> { parts.centroids.iter().map(|c| c.mean).collect() };
    assert_eq!(means(&parts.tick_values), [1.0, 2.0, 3.0, 4.0, 100.0]);
    assert_eq!(means(&parts.tick_deviations), [1.0, 1.5, 2.0, 97.5]);
    assert_eq!(parts.window_values, parts.tick_values);
    assert_eq!(parts.window_deviations, parts.tick_deviations);
    let again = MadState::from_parts(parts.clone()).unwrap();
    assert_eq!(again.parts(), parts);
    assert_eq!(
        session.run("OUTLIER_MAD_SCORE(s, 100)"),
        "37.38657142857143"
    );
    assert_eq!(
        session.run("OUTLIER_MAD_SCORE(s, 100, 1)"),
        "55.42857142857143"
    );
    assert_eq!(
        session.run("OUTLIER_MAD_SCORE(s, 100, null)"),
        "37.38657142857143"
    );
}

#[test]
fn a_window_may_be_the_tick_of_another_state() {
    let session = Session::new(&[(
        "one",
        "OUTLIER_MAD_ADD(OUTLIER_MAD_STATE_MERGE(null), [1, 2, 3])",
    )]);
    assert_eq!(
        session
            .run("MAP([OUTLIER_MAD_STATE_MERGE(null, one)], two -> OUTLIER_MAD_ADD(two, [9, 9]))"),
        "[MedianAbsoluteDeviation{count=5, median=3.0, mad=4.0}]"
    );
    // The window of the first state is its own; its tick has grown.
    assert_eq!(
        session.run("one"),
        "MedianAbsoluteDeviation{count=3, median=2.0, mad=1.25}"
    );
    assert_eq!(
        session.run("OUTLIER_MAD_STATE_MERGE([one, one])"),
        "MedianAbsoluteDeviation{count=10, median=3.0, mad=4.0}"
    );
    assert_eq!(
        session.run("OUTLIER_MAD_STATE_MERGE([one], one)"),
        "MedianAbsoluteDeviation{count=10, median=3.0, mad=4.0}"
    );
}

#[test]
fn what_outlier_functions_refuse() {
    let s = "OUTLIER_MAD_STATE_MERGE(null)";
    for (expression, wanted) in [
        (
            format!("OUTLIER_MAD_ADD({s}, null)"),
            "MedianAbsoluteDeviation(MedianAbsoluteDeviation{count=0, median=NaN, mad=NaN})",
        ),
        (
            format!("OUTLIER_MAD_ADD({s}, [NaN])"),
            "MedianAbsoluteDeviation(MedianAbsoluteDeviation{count=0, median=NaN, mad=NaN})",
        ),
        (format!("OUTLIER_MAD_ADD({s}, [1, null])"), "E0204"),
        (format!("OUTLIER_MAD_ADD({s}, ['1'])"), "E0204"),
        (format!("OUTLIER_MAD_ADD({s}, SET_INIT([1]))"), "E0203"),
        (format!("OUTLIER_MAD_ADD({s}, 1e200)"), "E0204"),
        (format!("OUTLIER_MAD_ADD({s})"), "E0202"),
        ("OUTLIER_MAD_ADD(null, 'x')".into(), "E0203"),
        (format!("OUTLIER_MAD_SCORE({s}, 1)"), "Double(NaN)"),
        (format!("OUTLIER_MAD_SCORE({s}, null)"), "Double(NaN)"),
        (format!("OUTLIER_MAD_SCORE({s}, 1, 'x')"), "E0203"),
        (
            format!("OUTLIER_MAD_SCORE(OUTLIER_MAD_ADD({s}, [5, 5]), 6)"),
            "Double(Infinity)",
        ),
        (
            format!("OUTLIER_MAD_SCORE(OUTLIER_MAD_ADD({s}, [5, 5]), 5)"),
            "Double(NaN)",
        ),
        ("OUTLIER_MAD_STATE_MERGE([null])".into(), "E0204"),
        ("OUTLIER_MAD_STATE_MERGE(SET_INIT([]))".into(), "E0203"),
        ("OUTLIER_MAD_STATE_MERGE([], 1)".into(), "E0203"),
        ("OUTLIER_MAD_STATE_MERGE()".into(), "E0202"),
    ] {
        assert_eq!(typed(&expression), wanted, "{expression}");
    }
}

/// Size, number of elements, and a hash of the slots that Java 17 gives for them.
const JAVA_SLOTS: &[(usize, i32, i64)] = &[
    (2, 4, 63),
    (2, 10, 71),
    (2, 1000, 22_987),
    (2, 5000, 55_879),
    (3, 4, 34),
    (3, 10, 287),
    (3, 1000, 99_019),
    (3, 5000, 2_841_155),
    (7, 10, 30_569_633),
    (7, 1000, 814_187_596_872),
    (7, 5000, 3_859_185_767_068),
    (100, 10, 910_698_096_645),
    (100, 1000, -6_783_242_724_122_312_541),
    (100, 5000, 173_335_773_170_028_488),
    (1024, 1000, -8_024_092_402_743_952_908),
    (1024, 5000, 1_691_270_056_628_025_789),
];

#[test]
fn samples_are_javas() {
    for (size, count, wanted) in JAVA_SLOTS {
        let sampler = Sampler::new(*size);
        for i in 0..*count {
            sampler.add(Value::Int(i), 1_000_000).unwrap();
        }
        let parts = sampler.parts();
        let hash = parts.values.iter().fold(0i64, |hash, value| match value {
            Value::Int(n) => hash.wrapping_mul(31).wrapping_add(i64::from(*n)),
            other => panic!("{other:?}"),
        });
        assert_eq!(
            (hash, parts.seen),
            (*wanted, *count as u64),
            "{size} {count}"
        );
    }
}

#[test]
fn a_rebuilt_sampler_goes_on_alike() {
    let (whole, first) = (Sampler::new(5), Sampler::new(5));
    let add = |sampler: &Sampler, numbers: std::ops::Range<i32>| {
        for n in numbers {
            sampler.add(Value::Int(n), 1000).unwrap();
        }
    };
    add(&whole, 0..200);
    add(&first, 0..80);
    let second = Sampler::from_parts(first.parts());
    add(&second, 80..200);
    let text = |parts: SamplerParts| format!("{parts:?}");
    assert_eq!(text(second.parts()), text(whole.parts()));
}

#[test]
fn samplers() {
    let session = Session::new(&[
        ("s", "SAMPLE_INIT(3)"),
        ("t", "SAMPLE_ADD(SAMPLE_INIT(3), ['x', 'y'])"),
        ("live", "[]"),
    ]);
    for (expression, wanted) in [
        (
            "SAMPLE_ADD(s, SET_INIT([1, null, 2]))",
            "Sampler{size=3, seen=2, kept=2}",
        ),
        ("SAMPLE_ADD(s, null)", "Sampler{size=3, seen=2, kept=2}"),
        (
            "SAMPLE_ADD(s, {'a' : 1}, 'ignored')",
            "Sampler{size=3, seen=3, kept=3}",
        ),
        ("SAMPLE_GET(s)", "[1, 2, {a=1}]"),
        ("SAMPLE_MERGE([s, t])", "Sampler{size=3, seen=5, kept=3}"),
        (
            "SAMPLE_MERGE(SET_INIT([t]), s)",
            "Sampler{size=3, seen=5, kept=3}",
        ),
        ("s", "Sampler{size=3, seen=5, kept=3}"),
        ("SAMPLE_MERGE([t]) == t", "true"),
        ("SAMPLE_MERGE([], s)", "null"),
        ("SAMPLE_MERGE(null, 5)", "null"),
        ("SAMPLE_MERGE(5)", "E0203"),
        ("SAMPLE_MERGE([s], 5)", "E0203"),
        ("SAMPLE_MERGE([null])", "E0204"),
        ("SAMPLE_MERGE()", "null"),
        ("SAMPLE_ADD()", "null"),
        ("SAMPLE_ADD(null)", "E0202"),
        ("SAMPLE_ADD([], 1)", "E0203"),
        ("SAMPLE_GET()", "null"),
        ("SAMPLE_INIT(null)", "Sampler{size=1024, seen=0, kept=0}"),
        ("SAMPLE_INIT('7')", "Sampler{size=7, seen=0, kept=0}"),
        ("SAMPLE_INIT('x')", "E0203"),
        ("SAMPLE_INIT(-1)", "E0204"),
        (
            "SAMPLE_INIT(2147483647)",
            "Sampler{size=2147483647, seen=0, kept=0}",
        ),
    ] {
        assert_eq!(session.run(expression), wanted, "{expression}");
    }
}

#[test]
fn a_sampler_cannot_get_into_itself() {
    let session = Session::new(&[("s", "SAMPLE_ADD(SAMPLE_INIT(2), [1, 2])")]);
    for expression in [
        "SAMPLE_ADD(s, s)",
        "SAMPLE_ADD(SAMPLE_INIT(9), REDUCE([s], (all, x) -> LIST_ADD(SAMPLE_GET(x), x), []))",
        "LIST_ADD(SAMPLE_GET(s), [[s]])",
        "SAMPLE_ADD(s, [[SAMPLE_ADD(null, [[SAMPLE_GET(s)]])]])",
    ] {
        // Where chance passes the element over nothing happens; often enough it does not.
        let failed = (0..50).any(|_| session.run(expression) == "E0214");
        assert!(failed, "{expression}");
    }
    // A deep nest is dropped without recursion.
    let inside = |value| {
        Sampler::from_parts(SamplerParts {
            size: 1,
            values: vec![value],
            seen: 1,
            random: 0,
        })
    };
    let deep = (0..200_000).fold(Value::Null, |value, _| {
        Value::Object(Arc::new(inside(value)))
    });
    drop(deep);
}
