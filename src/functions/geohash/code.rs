//! Geohashes: base 32 over interleaved halvings of longitude and latitude (G. Niemeyer, 2008).

/// The digits, in order of value.
const DIGITS: &[u8; 32] = b"0123456789bcdefghjkmnpqrstuvwxyz";

/// The most characters that are written.
pub const LONGEST: i32 = 12;

/// A place in degrees.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// North of the equator.
    pub latitude: f64,
    /// East of Greenwich.
    pub longitude: f64,
}

impl Place {
    /// A place; `None` beyond the poles or the antimeridian. NaN passes, as in Metron.
    pub fn new(latitude: f64, longitude: f64) -> Option<Place> {
        if latitude.abs() > 90.0 || longitude.abs() > 180.0 {
            return None;
        }
        Some(Place {
            latitude,
            longitude,
        })
    }
}

/// The half of `range` in which `value` lies is what remains of it: 1 for the upper half.
fn halve(range: &mut (f64, f64), value: f64) -> usize {
    let middle = (range.0 + range.1) / 2.0;
    // Whatever is not at or above the middle lies below, NaN too.
    if value >= middle {
        range.0 = middle;
        1
    } else {
        range.1 = middle;
        0
    }
}

/// The geohash of a place with so many characters; none for zero and less.
pub fn encode(place: Place, characters: i32) -> String {
    let (mut latitudes, mut longitudes) = ((-90.0, 90.0), (-180.0, 180.0));
    let mut even = true;
    let mut hash = String::new();
    for _ in 0..characters.min(LONGEST) {
        let mut digit = 0;
        for _ in 0..5 {
            let bit = if even {
                halve(&mut longitudes, place.longitude)
            } else {
                halve(&mut latitudes, place.latitude)
            };
            digit = digit * 2 + bit;
            even = !even;
        }
        hash.extend(DIGITS.get(digit).map(|digit| char::from(*digit)));
    }
    hash
}

/// The middle of the area that a geohash stands for. Errors: a character that is no digit.
pub fn decode(hash: &str) -> Result<Place, char> {
    let (mut latitudes, mut longitudes) = ((-90.0f64, 90.0f64), (-180.0f64, 180.0f64));
    let mut even = true;
    for c in hash.chars() {
        let digit = DIGITS.iter().position(|d| char::from(*d) == c).ok_or(c)?;
        for bit in (0..5).rev() {
            let range = if even {
                &mut longitudes
            } else {
                &mut latitudes
            };
            let middle = (range.0 + range.1) / 2.0;
            if digit >> bit & 1 == 1 {
                range.0 = middle;
            } else {
                range.1 = middle;
            }
            even = !even;
        }
    }
    Ok(Place {
        latitude: (latitudes.0 + latitudes.1) / 2.0,
        longitude: (longitudes.0 + longitudes.1) / 2.0,
    })
}
