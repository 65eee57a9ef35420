//! Places as short texts.

mod code;
mod sphere;
#[cfg(test)]
mod tests;

use super::spec::{Family, FunctionSpec, Kind, Parameter, SPEC, default, example, fails, required};
use crate::diagnostic::{Outcome, quoted_list};
use crate::eval::collections::{Map, MapKind};
use crate::eval::convert::{to_double, to_int};
use crate::eval::java::numbers::parse_double;
use crate::eval::{Call, Value};
use code::{LONGEST, Place};
use sphere::{Centre, STRATEGIES, Strategy};

/// The functions of this family.
pub const FUNCTIONS: &[FunctionSpec] = &[
    GEOHASH_FROM_LATLONG,
    GEOHASH_FROM_LOC,
    GEOHASH_TO_LATLONG,
    GEOHASH_DIST,
    GEOHASH_MAX_DIST,
    GEOHASH_CENTROID,
];

const PRECISION: Parameter = default(
    "character_precision",
    Kind::Integer,
    "how many characters the geohash has; zero and less give the empty text",
    "12",
);
const STRATEGY: Parameter = default(
    "strategy",
    Kind::Text,
    "'HAVERSINE', 'LAW_OF_COSINES' (coarse for near places) or 'VICENTY'",
    "'HAVERSINE'",
);
const OUT_OF_RANGE: &str =
    "the latitude is beyond -90 to 90 degrees, or the longitude beyond -180 to 180";
const BAD_PRECISION: &str = "the precision is more than 12, or no whole number";
const BAD_HASH: &str = "a geohash is no string, or holds a character that geohashes do not have";
const BAD_STRATEGY: &str = "there is no such strategy";

const GEOHASH_FROM_LATLONG: FunctionSpec = FunctionSpec {
    name: "GEOHASH_FROM_LATLONG",
    family: Family::Geography,
    summary: "Makes a geohash of a latitude and a longitude.",
    details: "Places that are near each other mostly have geohashes that begin alike: five characters stand for an area \
        of some 5 by 5 kilometres.",
    parameters: &[
        required("latitude", Kind::Number, "degrees north of the equator"),
        required("longitude", Kind::Number, "degrees east of Greenwich"),
        PRECISION,
    ],
    returns: "a string; null when latitude or longitude is null or no number",
    errors: &[OUT_OF_RANGE, BAD_PRECISION],
    examples: &[
        example("GEOHASH_FROM_LATLONG(57.64911, 10.4074)", "u4pruydqmvpb"),
        example("GEOHASH_FROM_LATLONG(57.64911, 10.4074, 6)", "u4pruy"),
        example("GEOHASH_FROM_LATLONG('somewhere', 10.4074)", "null"),
        fails("GEOHASH_FROM_LATLONG(100, 0)", "E0204"),
    ],
    see: &["GEOHASH_TO_LATLONG", "GEOHASH_FROM_LOC"],
    words: &["location", "coordinates", "gps"],
    run: from_latlong,
    ..SPEC
};

const GEOHASH_FROM_LOC: FunctionSpec = FunctionSpec {
    name: "GEOHASH_FROM_LOC",
    family: Family::Geography,
    summary: "Makes a geohash of a map that holds a latitude and a longitude.",
    parameters: &[
        required(
            "map",
            Kind::Map,
            "a map with the keys latitude and longitude, both strings",
        ),
        PRECISION,
    ],
    returns: "a string; null when the map is null, or one of the two is missing or no number",
    errors: &[
        "the first argument is no map, or one of the two is no string",
        OUT_OF_RANGE,
        BAD_PRECISION,
    ],
    examples: &[
        example(
            "GEOHASH_FROM_LOC({'latitude': '57.64911', 'longitude': '10.4074'}, 8)",
            "u4pruydq",
        ),
        example("GEOHASH_FROM_LOC({'latitude': '57.64911'})", "null"),
        example("GEOHASH_FROM_LOC(null)", "null"),
    ],
    see: &["GEOHASH_FROM_LATLONG"],
    words: &["GEO_GET", "location", "coordinates"],
    run: from_loc,
    ..SPEC
};

const GEOHASH_TO_LATLONG: FunctionSpec = FunctionSpec {
    name: "GEOHASH_TO_LATLONG",
    family: Family::Geography,
    summary: "Gives the middle of the area that a geohash stands for.",
    parameters: &[required("hash", Kind::Text, "the geohash")],
    returns: "a map with latitude and longitude in degrees, doubles; null for null",
    errors: &[BAD_HASH],
    examples: &[
        example("GEOHASH_TO_LATLONG('u')", "{longitude=22.5, latitude=67.5}"),
        example(
            "ROUND(MAP_GET('latitude', GEOHASH_TO_LATLONG('u4pruydqmvpb')))",
            "58",
        ),
        fails("GEOHASH_TO_LATLONG('ail')", "E0204"),
    ],
    see: &["GEOHASH_FROM_LATLONG"],
    words: &["location", "coordinates", "decode"],
    run: to_latlong,
    ..SPEC
};

const GEOHASH_DIST: FunctionSpec = FunctionSpec {
    name: "GEOHASH_DIST",
    family: Family::Geography,
    summary: "Gives the distance between two geohashes in kilometres.",
    details: "The Earth counts as a sphere with a radius of 6371.0087714 km.",
    parameters: &[
        required("hash1", Kind::Text, "a geohash"),
        required("hash2", Kind::Text, "another geohash"),
        STRATEGY,
    ],
    returns: "a double; null when one of them is null",
    errors: &[BAD_HASH, BAD_STRATEGY],
    examples: &[
        example("ROUND(GEOHASH_DIST('dr5ru6j2c62q', '9q8yyk8yt'))", "4133"),
        example(
            "ROUND(GEOHASH_DIST('dr5ru6j2c62q', '9q8yyk8yt', 'VICENTY'))",
            "4133",
        ),
        example("GEOHASH_DIST('u4pruydqmvpb', null)", "null"),
        fails("GEOHASH_DIST('u', 'v', 'CROW')", "E0204"),
    ],
    see: &["GEOHASH_MAX_DIST", "GEOHASH_CENTROID"],
    words: &["haversine", "impossible travel", "great circle"],
    run: dist,
    ..SPEC
};

const GEOHASH_MAX_DIST: FunctionSpec = FunctionSpec {
    name: "GEOHASH_MAX_DIST",
    family: Family::Geography,
    summary: "Gives the greatest distance between any two of several geohashes in kilometres.",
    details: "Null among them is skipped.",
    parameters: &[
        required("hashes", Kind::Iterable, "the geohashes, a list or a set"),
        STRATEGY,
    ],
    returns: "a double; 0.0 for a single one, NaN for none, null for null",
    errors: &[
        "the first argument is neither a list nor a set",
        BAD_HASH,
        BAD_STRATEGY,
    ],
    examples: &[
        example(
            "ROUND(GEOHASH_MAX_DIST(['dr5ru6j2c62q', '9q8yyk8yt', 'u4pruydqmvpb']))",
            "8530",
        ),
        example("GEOHASH_MAX_DIST(['u4pruydqmvpb', null])", "0.0"),
        example("GEOHASH_MAX_DIST([])", "NaN"),
    ],
    see: &["GEOHASH_DIST", "GEOHASH_CENTROID"],
    words: &["impossible travel", "spread", "diameter"],
    run: max_dist,
    ..SPEC
};

const GEOHASH_CENTROID: FunctionSpec = FunctionSpec {
    name: "GEOHASH_CENTROID",
    family: Family::Geography,
    summary: "Gives the geohash of the place in the middle of several.",
    details: "The middle is computed on a sphere: the mean of the places as vectors, weighted where a map gives weights. \
        Null among the geohashes is skipped.",
    parameters: &[
        required(
            "hashes",
            Kind::Any,
            "the geohashes: a list, a set, or a map of geohashes to their weights",
        ),
        PRECISION,
    ],
    returns: "a string; null when there is no geohash, or for any other argument",
    errors: &[
        BAD_HASH,
        "a weight is no number",
        "the precision is more than 12, or no integer",
    ],
    examples: &[
        example("GEOHASH_CENTROID(['s0', 's2'], 3)", "s28"),
        example("GEOHASH_CENTROID({'u4pruydqmvpb': 3})", "u4pruydqmvpb"),
        example("GEOHASH_CENTROID([])", "null"),
    ],
    see: &["GEOHASH_DIST", "GEOHASH_TO_LATLONG"],
    words: &["centre", "center of gravity", "mean location"],
    run: centroid,
    ..SPEC
};

/// The precision at `index`, converted as Metron converts.
fn precision(call: &Call<'_, '_>, index: usize) -> Outcome<i32> {
    if call.count() <= index {
        return Ok(LONGEST);
    }
    match to_int(call.arg(index)) {
        Some(characters) => checked(call, index, characters),
        None => Err(call.wrong_type(index, "a whole number")),
    }
}

fn checked(call: &Call<'_, '_>, index: usize, characters: i32) -> Outcome<i32> {
    if characters > LONGEST {
        let message = format!("a geohash has at most {LONGEST} characters, not {characters}");
        return Err(call.wrong_value(index, message));
    }
    Ok(characters)
}

fn strategy(call: &Call<'_, '_>, index: usize) -> Outcome<Strategy> {
    if call.count() <= index {
        return Ok(Strategy::Haversine);
    }
    let Some(name) = call.arg(index).as_text() else {
        return Err(call.wrong_type(index, "the name of a strategy"));
    };
    match STRATEGIES.iter().find(|(known, _)| *known == name) {
        Some((_, strategy)) => Ok(*strategy),
        None => {
            let known: Vec<&str> = STRATEGIES.iter().map(|(name, _)| *name).collect();
            let message = format!(
                "there is no strategy '{name}'; there are {}",
                quoted_list(&known)
            );
            Err(call.wrong_value(index, message))
        }
    }
}

/// The place of a geohash, which stands in the argument at `index` or in a collection there; `None` for null.
fn place(call: &Call<'_, '_>, index: usize, hash: &Value) -> Outcome<Option<Place>> {
    match hash {
        Value::Null => Ok(None),
        Value::Text(hash) => match code::decode(hash) {
            Ok(place) => Ok(Some(place)),
            Err(c) => {
                let message = format!(
                    "geohashes have digits and the small letters but a, i, l and o, not '{c}'"
                );
                Err(call.wrong_value(index, message))
            }
        },
        other => {
            let message = format!("a geohash is a string, not {}", other.kind_in_words());
            Err(call.wrong_value(index, message))
        }
    }
}

fn encoded(call: &Call<'_, '_>, latitude: f64, longitude: f64, characters: i32) -> Outcome<Value> {
    match Place::new(latitude, longitude) {
        Some(place) => Ok(Value::string(code::encode(place, characters))),
        None => {
            let index = usize::from(latitude.abs() <= 90.0 && call.count() > 1);
            let message = format!(
                "there is no place {latitude}, {longitude}: latitudes go from -90 to 90, longitudes from -180 to 180"
            );
            Err(call.wrong_value(index, message))
        }
    }
}

fn from_latlong(call: &mut Call<'_, '_>) -> Outcome<Value> {
    if call.arg(0).is_null() || call.arg(1).is_null() {
        return Ok(Value::Null);
    }
    let (latitude, longitude) = (to_double(call.arg(0)), to_double(call.arg(1)));
    let characters = precision(call, 2)?;
    match (latitude, longitude) {
        (Some(latitude), Some(longitude)) => encoded(call, latitude, longitude, characters),
        _ => Ok(Value::Null),
    }
}

fn from_loc(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let map = match call.arg(0) {
        Value::Null => return Ok(Value::Null),
        Value::Map(map) => map.clone(),
        _ => return Err(call.wrong_type(0, "a map")),
    };
    let characters = precision(call, 1)?;
    let degrees = |key: &str| match map.get_text(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Text(text)) => Ok(parse_double(&text)),
        Some(other) => {
            let message = format!("{key} must be a string, not {}", other.kind_in_words());
            Err(call.wrong_value(0, message))
        }
    };
    match (degrees("latitude")?, degrees("longitude")?) {
        (Some(latitude), Some(longitude)) => encoded(call, latitude, longitude, characters),
        _ => Ok(Value::Null),
    }
}

fn to_latlong(call: &mut Call<'_, '_>) -> Outcome<Value> {
    if !matches!(call.arg(0), Value::Null | Value::Text(_)) {
        return Err(call.wrong_type(0, "a geohash"));
    }
    let Some(place) = place(call, 0, call.arg(0))? else {
        return Ok(Value::Null);
    };
    let map = Map::empty(MapKind::Hash);
    let limit = call.context().limits.collection;
    map.put(Value::text("longitude"), place.longitude.into(), limit)?;
    map.put(Value::text("latitude"), place.latitude.into(), limit)?;
    Ok(Value::Map(map))
}

fn dist(call: &mut Call<'_, '_>) -> Outcome<Value> {
    for index in [0, 1] {
        if !matches!(call.arg(index), Value::Null | Value::Text(_)) {
            return Err(call.wrong_type(index, "a geohash"));
        }
    }
    let Some(first) = place(call, 0, call.arg(0))? else {
        return Ok(Value::Null);
    };
    let Some(second) = place(call, 1, call.arg(1))? else {
        return Ok(Value::Null);
    };
    let strategy = strategy(call, 2)?;
    Ok(sphere::distance(first, second, strategy).into())
}

fn max_dist(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let hashes = match call.arg(0) {
        Value::Null => return Ok(Value::Null),
        Value::List(list) => list.items(),
        Value::Set(set) => set.items(),
        _ => return Err(call.wrong_type(0, "a list or a set of geohashes")),
    };
    let strategy = strategy(call, 1)?;
    let mut places: Vec<Place> = Vec::with_capacity(hashes.len());
    let mut greatest = f64::NAN;
    for hash in &hashes {
        let Some(next) = place(call, 0, hash)? else {
            continue;
        };
        places.push(next);
        for other in &places {
            call.step()?;
            // The first distance is that of a place to itself.
            greatest = greatest.max(sphere::distance(next, *other, strategy));
        }
    }
    Ok(greatest.into())
}

fn centroid(call: &mut Call<'_, '_>) -> Outcome<Value> {
    let mut centre = Centre::default();
    let places: Vec<(Value, f64)> = match call.arg(0) {
        Value::List(list) => list.items().into_iter().map(|hash| (hash, 1.0)).collect(),
        Value::Set(set) => set.items().into_iter().map(|hash| (hash, 1.0)).collect(),
        Value::Map(map) => {
            let weighted = |(hash, weight): (Value, Value)| match weight.as_double() {
                // Without a geohash nobody looks at the weight.
                _ if hash.is_null() => Ok((hash, 0.0)),
                Some(number) => Ok((hash, number)),
                None => {
                    let message =
                        format!("a weight must be a number, not {}", weight.kind_in_words());
                    Err(call.wrong_value(0, message))
                }
            };
            map.entries()
                .into_iter()
                .map(weighted)
                .collect::<Outcome<_>>()?
        }
        _ => return Ok(Value::Null),
    };
    for (hash, weight) in &places {
        call.step()?;
        if let Some(place) = place(call, 0, hash)? {
            centre.add(place, *weight);
        }
    }
    let Some(middle) = centre.place() else {
        return Ok(Value::Null);
    };
    let characters = match call.arg(1) {
        _ if call.count() < 2 => LONGEST,
        Value::Int(characters) => checked(call, 1, *characters)?,
        _ => return Err(call.wrong_type(1, "an integer")),
    };
    Ok(Value::string(code::encode(middle, characters)))
}
