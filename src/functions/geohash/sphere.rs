//! Distances and centres on a sphere.

use super::code::Place;

/// The mean radius of the Earth in kilometres.
const RADIUS: f64 = 6371.0087714;

/// How the angle between two places is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strategy {
    /// By half-angles; exact for near places.
    Haversine,
    /// By the spherical law of cosines; quick, coarse for near places.
    LawOfCosines,
    /// Vincenty's formula on a sphere; exact everywhere. Metron spells it without its n.
    Vicenty,
}

/// The strategies by name.
pub const STRATEGIES: &[(&str, Strategy)] = &[
    ("HAVERSINE", Strategy::Haversine),
    ("LAW_OF_COSINES", Strategy::LawOfCosines),
    ("VICENTY", Strategy::Vicenty),
];

/// The distance of two places in kilometres.
pub fn distance(a: Place, b: Place, strategy: Strategy) -> f64 {
    let radians = |place: Place| (radians(place.latitude), radians(place.longitude));
    let ((lat1, lon1), (lat2, lon2)) = (radians(a), radians(b));
    if lat1 == lat2 && lon1 == lon2 {
        return 0.0;
    }
    let angle = match strategy {
        Strategy::Haversine => {
            let x = ((lon1 - lon2) * 0.5).sin();
            let y = ((lat1 - lat2) * 0.5).sin();
            let h = y * y + (lat1.cos() * lat2.cos() * x * x);
            // Rounding can lead a little beyond 1 for opposite places.
            2.0 * h.sqrt().atan2((1.0 - h).max(0.0).sqrt())
        }
        Strategy::LawOfCosines => {
            let cosine = lat1.sin() * lat2.sin() + lat1.cos() * lat2.cos() * (lon2 - lon1).cos();
            cosine.clamp(-1.0, 1.0).acos()
        }
        Strategy::Vicenty => {
            let (sin, cos) = (lon2 - lon1).sin_cos();
            let a = lat2.cos() * sin;
            let b = lat1.cos() * lat2.sin() - lat1.sin() * lat2.cos() * cos;
            let c = lat1.sin() * lat2.sin() + lat1.cos() * lat2.cos() * cos;
            (a * a + b * b).sqrt().atan2(c)
        }
    };
    RADIUS * angle
}

/// Degrees as radians, rounded as Java does.
fn radians(degrees: f64) -> f64 {
    degrees * (std::f64::consts::PI / 180.0)
}

/// Where the weight of places on a sphere has its centre, seen from the middle of the sphere.
#[derive(Debug, Default)]
pub struct Centre {
    x: f64,
    y: f64,
    z: f64,
    weight: f64,
    places: usize,
}

impl Centre {
    /// Adds a place.
    pub fn add(&mut self, place: Place, weight: f64) {
        let (lat, lon) = (radians(place.latitude), radians(place.longitude));
        self.x += lat.cos() * lon.cos() * weight;
        self.y += lat.cos() * lon.sin() * weight;
        self.z += lat.sin() * weight;
        self.weight += weight;
        self.places += 1;
    }

    /// The centre; `None` without places.
    pub fn place(&self) -> Option<Place> {
        if self.places == 0 {
            return None;
        }
        let (x, y, z) = (
            self.x / self.weight,
            self.y / self.weight,
            self.z / self.weight,
        );
        let degrees = |angle: f64| angle * (180.0 / std::f64::consts::PI);
        let latitude = z.atan2((x * x + y * y).sqrt());
        // The angles are in range, or NaN when the weights cancel out.
        Place::new(degrees(latitude), degrees(y.atan2(x)))
    }
}
