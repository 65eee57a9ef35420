#![allow(clippy::unwrap_used, clippy::panic)]

use super::code::{Place, decode, encode};
use super::sphere::{Strategy, distance};
use crate::engine::Engine;
use crate::eval::text::to_text;
use proptest::prelude::*;

fn text(expression: &str) -> String {
    match Engine::bare().evaluate(expression) {
        Ok(value) => to_text(&value).to_string(),
        Err(fault) => fault.code.name().to_string(),
    }
}

/// Recorded from ch.hsr.geohash 1.3.0.
#[test]
fn geohashes_are_those_of_the_real_library() {
    for (latitude, longitude, hash) in [
        (57.64911, 10.40744, "u4pruydqqvj8"),
        (57.64911, 10.4074, "u4pruydqmvpb"),
        (0.0, 0.0, "s00000000000"),
        (90.0, 180.0, "zzzzzzzzzzzz"),
        (-90.0, -180.0, "000000000000"),
        (39.5, -77.25, "dr10dnu20t9n"),
        (-33.8688, 151.2093, "r3gx2f77bn44"),
        (f64::NAN, 0.0, "h00000000000"),
        (f64::NAN, f64::NAN, "000000000000"),
    ] {
        let place = Place::new(latitude, longitude).unwrap();
        assert_eq!(encode(place, 12), hash);
        assert_eq!(encode(place, 5), hash[..5]);
        assert_eq!(encode(place, 0), "");
        assert_eq!(encode(place, -1), "");
    }
    for (hash, latitude, longitude) in [
        ("u4pruydqmvpb", 57.64911004342139, 10.407399963587523),
        ("u", 67.5, 22.5),
        ("", 0.0, 0.0),
        (
            "u4pruydqmvpbu4pruydqmvpb",
            57.649110097111304,
            10.407399973280167,
        ),
        ("000000000000", -89.99999991618097, -179.99999983236194),
        ("dqcjqcp84c6e", 38.89710201881826, -77.03669792041183),
    ] {
        let place = decode(hash).unwrap();
        assert_eq!((place.latitude, place.longitude), (latitude, longitude));
    }
}

/// Recorded from DistanceUtils of spatial4j 0.6.
#[test]
fn distances_are_those_of_the_real_library() {
    for (a, b, haversine, cosines, vicenty) in [
        (
            "u4pruydqmvpb",
            "dqcjqcp84c6e",
            6304.681561600349,
            6304.681561600349,
            6304.681561600349,
        ),
        (
            "u4pruydqmvpb",
            "000000000000",
            16417.85457315375,
            16417.854573153752,
            16417.854573153752,
        ),
        (
            "dqcjqcp84c6e",
            "r3gx2f9tt5sn",
            15710.382312708547,
            15710.382312708543,
            15710.382312708542,
        ),
        (
            "s00000000000",
            "zzzzzzzzzzzz",
            10007.557176093189,
            10007.557176093187,
            10007.557176093187,
        ),
        (
            "zzzzzzzzzzzz",
            "000000000000",
            20015.114352186374,
            20015.114352186374,
            20015.114333545847,
        ),
        ("u4pruydqmvpb", "u4pruydqmvpb", 0.0, 0.0, 0.0),
    ] {
        let (a, b) = (decode(a).unwrap(), decode(b).unwrap());
        for (strategy, expected) in [
            (Strategy::Haversine, haversine),
            (Strategy::LawOfCosines, cosines),
            (Strategy::Vicenty, vicenty),
        ] {
            let found = distance(a, b, strategy);
            assert!(
                (found - expected).abs() <= 1e-12 * expected,
                "{strategy:?} {found} {expected}"
            );
        }
    }
    let near = (
        decode("u4pruydqmvpb").unwrap(),
        decode("u4pruydqmvpc").unwrap(),
    );
    let metres = distance(near.0, near.1, Strategy::Haversine) * 1000.0;
    assert!((metres - 0.018640528348421374).abs() < 1e-12, "{metres}");
}

#[test]
fn arguments_are_taken_as_by_metron() {
    for (expression, result) in [
        ("GEOHASH_FROM_LATLONG()", "E0202"),
        ("GEOHASH_FROM_LATLONG(null, 100)", "null"),
        (
            "GEOHASH_FROM_LATLONG('57.64911', ['10.4074'])",
            "u4pruydqmvpb",
        ),
        ("GEOHASH_FROM_LATLONG(0, 0, '3')", "s00"),
        ("GEOHASH_FROM_LATLONG(0, 0, 0)", ""),
        ("GEOHASH_FROM_LATLONG(0, 0, 13)", "E0204"),
        ("GEOHASH_FROM_LATLONG(0, 0, null)", "E0203"),
        ("GEOHASH_FROM_LATLONG(0, 180.5)", "E0204"),
        ("GEOHASH_FROM_LOC([])", "E0203"),
        (
            "GEOHASH_FROM_LOC({'latitude': 1.0, 'longitude': '2'})",
            "E0204",
        ),
        (
            "GEOHASH_FROM_LOC({'latitude': 'x', 'longitude': '2'})",
            "null",
        ),
        ("GEOHASH_TO_LATLONG('U4')", "E0204"),
        ("GEOHASH_TO_LATLONG('é日本')", "E0204"),
        ("GEOHASH_TO_LATLONG(5)", "E0203"),
        ("GEOHASH_DIST(null, '!')", "null"),
        ("GEOHASH_DIST('!', null)", "E0204"),
        ("GEOHASH_DIST('u', 'u', null)", "E0203"),
        ("GEOHASH_DIST('u', 'u', 'haversine')", "E0204"),
        ("GEOHASH_MAX_DIST(null)", "null"),
        ("GEOHASH_MAX_DIST('u')", "E0203"),
        ("GEOHASH_MAX_DIST([1])", "E0204"),
        ("GEOHASH_MAX_DIST([null])", "NaN"),
        (
            "GEOHASH_MAX_DIST(SET_INIT(['u4pruydqmvpb']), 'VICENTY')",
            "0.0",
        ),
        ("GEOHASH_CENTROID('u')", "null"),
        ("GEOHASH_CENTROID({})", "null"),
        ("GEOHASH_CENTROID({null: 'x'})", "null"),
        ("GEOHASH_CENTROID({'u': 'x'})", "E0204"),
        ("GEOHASH_CENTROID({'u': 0})", "000000000000"),
        ("GEOHASH_CENTROID(['u'], '3')", "E0203"),
        ("GEOHASH_CENTROID([], '3')", "null"),
        ("GEOHASH_CENTROID(['u4pruydqmvpb', null], 4)", "u4pr"),
    ] {
        assert_eq!(text(expression), result, "{expression}");
    }
}

#[test]
fn the_middle_of_two_places_lies_between_them() {
    let expression = "GEOHASH_CENTROID([GEOHASH_FROM_LATLONG(40.748570, -73.985752), GEOHASH_FROM_LATLONG(37.782891, -122.404166)])";
    let place = decode(&text(expression)).unwrap();
    assert!((place.latitude - 41.86921).abs() < 1e-3, "{place:?}");
    assert!((place.longitude + 98.740087).abs() < 1e-3, "{place:?}");
    // A heavier place draws the middle to itself.
    let near = |weight: i32| {
        let expression = format!("GEOHASH_CENTROID({{'dr5ru6j2c62q': {weight}, '9q8yyk8yt': 1}})");
        decode(&text(&expression)).unwrap().longitude
    };
    assert!(near(1) < near(2) && near(2) < near(10) && near(10) < -73.0);
}

#[test]
fn many_places_are_limited_by_steps() {
    let mut engine = Engine::bare();
    engine.context.limits.steps = 100_000;
    let list = format!("GEOHASH_MAX_DIST([{}'u'])", "'u',".repeat(2000));
    assert_eq!(engine.evaluate(&list).unwrap_err().code.name(), "E0305");
}

proptest! {
    #[test]
    fn a_geohash_leads_back_to_its_place(latitude in -90.0..=90.0f64, longitude in -180.0..=180.0f64, characters in 1..=12i32) {
        let place = Place::new(latitude, longitude).unwrap();
        let hash = encode(place, characters);
        prop_assert_eq!(hash.len() as i32, characters);
        let middle = decode(&hash).unwrap();
        // Half the height and width of the area: 5 bits a character, the first of them for the longitude.
        let bits = characters * 5;
        let (high, wide) = (90.0 / 2f64.powi(bits / 2), 180.0 / 2f64.powi(bits - bits / 2));
        prop_assert!((middle.latitude - latitude).abs() <= high);
        prop_assert!((middle.longitude - longitude).abs() <= wide);
        prop_assert_eq!(encode(middle, characters), hash);
    }

    #[test]
    fn strategies_agree(a in "[0-9bcdefghjkmnpqrstuvwxyz]{6}", b in "[0-9bcdefghjkmnpqrstuvwxyz]{6}") {
        let (a, b) = (decode(&a).unwrap(), decode(&b).unwrap());
        let haversine = distance(a, b, Strategy::Haversine);
        prop_assert!((0.0..=20016.0).contains(&haversine));
        prop_assert_eq!(haversine, distance(b, a, Strategy::Haversine));
        for strategy in [Strategy::LawOfCosines, Strategy::Vicenty] {
            prop_assert!((distance(a, b, strategy) - haversine).abs() < 0.5);
        }
    }

    #[test]
    fn decoding_never_fails_badly(hash in ".{0,40}") {
        if let Ok(place) = decode(&hash) {
            prop_assert!(Place::new(place.latitude, place.longitude).is_some());
        }
    }
}
