//! Statistics over many values: percentiles within their bound, merging, parts, values that are refused.
#![allow(clippy::unwrap_used, clippy::panic)]

use proptest::prelude::*;
use stellar::functions::statistics::digest::{Centroid, Digest, MOST};
use stellar::functions::statistics::online::{Online, Refusal};
use stellar::functions::statistics::window::{Window, WindowParts};

/// How far a rank may be off; the documentation promises 1 %.
const OFF: f64 = 0.005;

const PERCENTILES: &[f64] = &[
    0.0, 0.1, 1.0, 5.0, 10.0, 25.0, 33.3, 50.0, 66.6, 75.0, 90.0, 95.0, 99.0, 99.9, 100.0,
];

/// Numbers from 0 to 1 in no order, the same each time.
fn shares(seed: u64, count: usize) -> Vec<f64> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1u64 << 53) as f64
    })
    .take(count)
    .collect()
}

/// The shapes in which values come.
const SHAPES: &[&str] = &[
    "uniform",
    "normal",
    "exponential",
    "heavy tail",
    "constant",
    "two values",
    "few values",
    "sorted",
    "reversed",
    "zigzag",
    "huge",
    "tiny",
    "two heaps",
];

fn values(shape: &str, seed: u64, count: usize) -> Vec<f64> {
    let shares = shares(seed, count);
    let each = |of: &dyn Fn(f64) -> f64| shares.iter().map(|u| of(*u)).collect();
    let step = |of: &dyn Fn(usize) -> f64| (0..count).map(of).collect();
    match shape {
        "uniform" => each(&|u| u * 100.0),
        "normal" => each(&|u| {
            let angle = (u * 1e6).fract() * std::f64::consts::TAU;
            (-2.0 * (1.0 - u).ln()).sqrt() * angle.cos()
        }),
        "exponential" => each(&|u| -(1.0 - u).ln()),
        "heavy tail" => each(&|u| (1.0 - u).powi(-3)),
        "constant" => each(&|_| 42.0),
        "two values" => each(&|u| if u < 0.3 { 0.0 } else { 1.0 }),
        "few values" => each(&|u| (u * u * 100.0).floor()),
        "sorted" => step(&|i| i as f64),
        "reversed" => step(&|i| -(i as f64)),
        "zigzag" => step(&|i| if i % 2 == 0 { i as f64 } else { -(i as f64) }),
        "huge" => each(&|u| (u - 0.5) * 1e70),
        "tiny" => each(&|u| (u + 1.0) * 1e-100),
        "two heaps" => each(&|u| if u < 0.5 { u } else { 1e6 + u }),
        other => panic!("no shape {other}"),
    }
}

fn online(values: &[f64]) -> Online {
    let mut online = Online::default();
    values.iter().for_each(|v| online.add(*v).unwrap());
    online
}

/// What a straight line between the sorted values gives.
fn exact(sorted: &[f64], p: f64) -> f64 {
    let place = p / 100.0 * (sorted.len() - 1) as f64;
    let (low, high) = (place.floor() as usize, place.ceil() as usize);
    sorted[low] * (1.0 - place.fract()) + sorted[high] * place.fract()
}

/// How far the rank of `x` is from `p` percent.
fn rank_error(sorted: &[f64], x: f64, p: f64) -> f64 {
    let n = sorted.len() as f64;
    let below = sorted.partition_point(|v| *v < x) as f64 / n;
    let up_to = sorted.partition_point(|v| *v <= x) as f64 / n;
    let q = p / 100.0;
    // A rank between two neighbours is no error.
    (below - q).max(q - up_to).max(0.0) - 1.0 / n
}

#[track_caller]
fn assert_ranks(what: &str, online: &mut Online, values: &[f64]) {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    for p in PERCENTILES {
        let x = online.percentile(*p).unwrap();
        let error = rank_error(&sorted, x, *p);
        assert!(
            error <= OFF,
            "{what}: percentile {p} is {x}, off by {error}"
        );
        // The ends are known far better than the middle.
        let end = p.min(100.0 - p) / 100.0;
        let bound = OFF.min(0.1 * end);
        assert!(
            error <= bound,
            "{what}: percentile {p} is {x}, off by {error}"
        );
    }
    assert!(online.parts().centroids.len() <= MOST, "{what}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn percentiles_have_the_right_rank(seed in 1u64.., shape in 0..SHAPES.len(), count in 1usize..20_000) {
        let values = values(SHAPES[shape], seed, count);
        assert_ranks(SHAPES[shape], &mut online(&values), &values);
    }

    #[test]
    fn merged_parts_are_the_whole(
        seed in 1u64..,
        shape in 0..SHAPES.len(),
        count in 1usize..10_000,
        cuts in proptest::collection::vec(0usize..10_000, 0..12),
    ) {
        let values = values(SHAPES[shape], seed, count);
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut % (count + 1)).collect();
        cuts.extend([0, count]);
        cuts.sort_unstable();
        let mut merged = Online::default();
        for pair in cuts.windows(2) {
            merged = merged.merged(&mut online(&values[pair[0]..pair[1]])).unwrap();
        }
        let whole = online(&values);
        assert_ranks(SHAPES[shape], &mut merged, &values);
        prop_assert_eq!(merged.count(), whole.count());
        prop_assert_eq!(merged.min(), whole.min());
        prop_assert_eq!(merged.max(), whole.max());
        let near = |a: f64, b: f64, scale: f64| (a - b).abs() <= 1e-9 * scale.abs() || (a.is_nan() && b.is_nan());
        let spread = whole.sum_of_squares().sqrt();
        prop_assert!(near(merged.sum(), whole.sum(), spread * (count as f64).sqrt()));
        prop_assert!(near(merged.sum_of_squares(), whole.sum_of_squares(), whole.sum_of_squares()));
        prop_assert!(near(merged.variance(), whole.variance(), whole.sum_of_squares()));
    }

    #[test]
    fn up_to_512_values_percentiles_are_exact(
        mut values in proptest::collection::vec(-1e9f64..1e9, 1..=MOST),
        p in 0.0f64..=100.0,
    ) {
        let mut online = online(&values);
        values.sort_unstable_by(f64::total_cmp);
        let (found, wanted) = (online.percentile(p).unwrap(), exact(&values, p));
        prop_assert!((found - wanted).abs() <= 1e-6, "{found} is not {wanted}");
    }

    #[test]
    fn few_different_values_stay_exact(seed in 1u64.., count in 600usize..5_000, different in 1u32..=170) {
        let mut values: Vec<f64> =
            shares(seed, count).into_iter().map(|u| (u * f64::from(different)).floor()).collect();
        let mut online = online(&values);
        values.sort_unstable_by(f64::total_cmp);
        for p in PERCENTILES {
            let (found, wanted) = (online.percentile(*p).unwrap(), exact(&values, *p));
            prop_assert!((found - wanted).abs() <= 1e-9, "{p}: {found} is not {wanted}");
        }
    }

    #[test]
    fn parts_rebuild_the_same(seed in 1u64.., shape in 0..SHAPES.len(), count in 0usize..3_000) {
        let mut first = online(&values(SHAPES[shape], seed, count));
        let parts = first.parts();
        let counted: u64 = parts.centroids.iter().map(|c| c.count).sum();
        prop_assert_eq!(counted, count as u64);
        prop_assert!(parts.centroids.is_sorted_by(|a, b| a.mean <= b.mean));
        let mut second = Online::from_parts(parts.clone()).unwrap();
        prop_assert_eq!(format!("{:?}", second.parts()), format!("{parts:?}"));
        for p in PERCENTILES {
            let (a, b) = (first.percentile(*p).unwrap(), second.percentile(*p).unwrap());
            prop_assert!(a == b || (a.is_nan() && b.is_nan()));
        }
    }

    #[test]
    fn a_window_holds_the_last_values(values in proptest::collection::vec(-1e6f64..1e6, 0..60), size in 1usize..20) {
        let mut window = Window::new(size);
        values.iter().for_each(|v| window.add(*v));
        let last = values[values.len().saturating_sub(size)..].to_vec();
        prop_assert_eq!(window.parts(), WindowParts { size, values: last.clone() });
        prop_assert_eq!(window.count(), last.len());
        let mut fresh = Window::new(100);
        last.iter().for_each(|v| fresh.add(*v));
        prop_assert_eq!(window.kurtosis().to_bits(), fresh.kurtosis().to_bits());
        prop_assert_eq!(window.percentile(37.0).unwrap().to_bits(), fresh.percentile(37.0).unwrap().to_bits());
    }

    #[test]
    fn whatever_comes_is_taken_or_refused_whole(values in proptest::collection::vec(any::<f64>(), 0..40)) {
        let mut online = Online::default();
        for value in values {
            let before = format!("{:?}", online.parts());
            if online.add(value).is_err() {
                prop_assert_eq!(format!("{:?}", online.parts()), before);
            }
        }
        prop_assert!(online.parts().centroids.iter().all(|c| c.mean.is_finite()));
        let p = online.percentile(50.0).unwrap();
        prop_assert!(online.count() == 0 || (online.min() <= p && p <= online.max()));
    }
}

#[test]
fn long_series_keep_their_ranks() {
    for shape in ["exponential", "sorted", "few values", "two heaps"] {
        let values = values(shape, 7, 200_000);
        let mut online = online(&values);
        assert_ranks(shape, &mut online, &values);
    }
}

/// What is impossible is refused with a word about why.
#[test]
fn refusals_name_their_cause() {
    let add = |value| Online::default().add(value);
    assert_eq!(add(f64::NAN), Err(Refusal::NotANumber));
    assert_eq!(add(f64::INFINITY), Err(Refusal::Overflow));
    assert_eq!(add(f64::NEG_INFINITY), Err(Refusal::Overflow));
    assert_eq!(add(1e155), Err(Refusal::Overflow));
    assert_eq!(add(1e-200), Err(Refusal::Underflow));
    assert_eq!(add(-1e-200), Ok(()));
    assert_eq!(add(0.0), Ok(()));
    let mut wide = online(&[0.0, 1e70]);
    assert_eq!(wide.add(-1e80), Err(Refusal::Overflow));
    assert_eq!((wide.count(), wide.max()), (2, 1e70));
    let mut low = online(&[-1e77]);
    let mut high = online(&[1e77]);
    assert_eq!(low.merged(&mut high).unwrap_err(), Refusal::Overflow);
}

/// The centroids are those that Metron's own digest kept for these values.
#[test]
fn parts_are_those_of_the_tree_digest() {
    let mut some = online(&[3.5, -2.0, 100.25, 7.0, 7.0, 7.0, 0.0]);
    let parts = some.parts();
    let means: Vec<f64> = parts.centroids.iter().map(|c| c.mean).collect();
    assert_eq!(means, [-2.0, 0.0, 3.5, 7.0, 7.0, 7.0, 100.25]);
    assert!(parts.centroids.iter().all(|c| c.count == 1));
    let bits = |bits: u64| f64::from_bits(bits);
    assert_eq!(parts.sum, bits(0x405e_b000_0000_0000));
    assert_eq!(parts.sum_of_squares, bits(0x40c3_f2a8_0000_0000));
    assert!(parts.sum_of_logs.is_nan());
    let moments = [
        0x4031_8924_9249_2492,
        0x40bf_7ccd_b6db_6db6,
        0x4120_afba_072f_0539,
        0x4186_7877_39ec_d3f5,
    ];
    assert_eq!(parts.moments, moments.map(bits));
    for (p, wanted) in [
        (1.0, -1.88),
        (25.0, 1.75),
        (50.0, 7.0),
        (75.0, 7.0),
        (95.0, 72.274_999_999_999_93),
        (99.0, 94.654_999_999_999_96),
    ] {
        assert_eq!(some.percentile(p), Some(wanted));
    }
    assert_eq!(some.skewness(), 2.590_893_608_190_011);
    assert_eq!(some.kurtosis(), 6.784_187_924_106_668);
}

/// The figures that Metron gave for the same values.
#[test]
fn long_series_have_the_figures_of_the_original() {
    let big: Vec<f64> = (0..1000u32).map(|i| f64::from(i * 7919 % 1000)).collect();
    let mut online_big = online(&big);
    assert_eq!(online_big.variance().sqrt(), 288.819_436_095_749_6);
    assert_eq!(online_big.skewness(), -1.395_813_370_722_204_2e-17);
    assert_eq!(online_big.kurtosis(), -1.200_000_000_000_001_7);
    let huge: Vec<f64> = (0..20_000u32)
        .map(|i| f64::from(i * 7919 % 20_011) / 7.0)
        .collect();
    let mut online_huge = online(&huge);
    assert_eq!(online_huge.sum(), 2.858_748_114_285_715_7e7);
    assert_eq!(online_huge.variance().sqrt(), 825.273_257_855_735_7);
    assert_eq!(online_huge.skewness(), 4.532_257_309_874_639e-5);
    assert_eq!(online_huge.kurtosis(), -1.200_070_813_764_636_5);
    let mut three = online(&[1.0, 2.0, 3.0]);
    let mut merged = three.merged(&mut online_big).unwrap();
    assert_eq!(merged.variance().sqrt(), 289.664_872_533_193_94);
    assert_eq!(merged.skewness(), 2.431_894_610_480_220_7e-4);
    assert_eq!(merged.kurtosis(), -1.200_331_120_337_678_3);
    for (figures, answers) in [
        (
            &mut online_big,
            [9.99, 249.75, 499.5, 749.25, 949.05, 989.01],
        ),
        (
            &mut online_huge,
            [
                28.57,
                714.821_4,
                1_429.357_1,
                2_144.035_7,
                2_715.721_4,
                2_830.001_4,
            ],
        ),
        (&mut merged, [7.02, 247.5, 498.0, 748.5, 948.9, 988.98]),
    ] {
        for (p, wanted) in [1.0, 25.0, 50.0, 75.0, 95.0, 99.0].into_iter().zip(answers) {
            let found = figures.percentile(p).unwrap();
            assert!(
                (found - wanted).abs() <= 0.01 * wanted,
                "{p}: {found}, {wanted}"
            );
        }
    }
}

#[test]
fn impossible_centroids_are_refused() {
    let digest = |mean, count| Digest::from_centroids(vec![Centroid { mean, count }]);
    assert!(digest(f64::NAN, 1).is_none());
    assert!(digest(f64::INFINITY, 1).is_none());
    assert!(digest(1.0, 0).is_none());
    let two = vec![
        Centroid {
            mean: 1.0,
            count: u64::MAX
        };
        2
    ];
    assert!(Digest::from_centroids(two).is_none());
    assert!(
        Digest::from_centroids(Vec::new())
            .unwrap()
            .quantile(0.5)
            .is_nan()
    );
}

/// More centroids than are made here come from elsewhere, in any order; they answer as they did there.
#[test]
fn foreign_centroids_stay_until_they_are_too_many() {
    let centroid = |i: u32| Centroid {
        mean: f64::from(i),
        count: 3,
    };
    let mut digest = Digest::from_centroids((0..1000).rev().map(centroid).collect()).unwrap();
    assert_eq!(digest.centroids().len(), 1000);
    assert_eq!(digest.quantile(0.5), 499.5);
    // Three values at each end: the line goes on beyond the outermost means.
    assert_eq!(digest.quantile(0.0), -1.0 / 3.0);
    digest.add(500.0);
    assert!(digest.centroids().len() <= MOST);
    assert!((digest.quantile(0.5) - 499.5).abs() < 5.0);
}
