//! Where an address is, and whose: MaxMind files.

mod database;

pub use database::{About, Database, Databases, Subject};

use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::eval::collections::{Entries, Map, MapKind};
use crate::eval::text::to_text;
use crate::eval::{Call, Value};
use crate::functions::spec::{Family, FunctionSpec, Kind, SPEC, example, fails, optional};
use database::in_words;
use maxminddb::MaxMindDbError;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The functions of this family.
pub const FUNCTIONS: &[FunctionSpec] = &[GEO_GET, ASN_GET];

const RETURNS: &str = "with an address alone a map of all fields, empty when nothing is known of it; \
    with one field its value, with several a map of them (null for unknown ones), null when nothing is known; \
    null for a blank address, and where an argument is of another kind";

const ERRORS: &[&str] = &[
    "there are more than two arguments",
    "a list of fields comes with an address that is neither a string nor null",
    "one of several fields is no string",
    "no database is configured, or it cannot be read",
];

const GEO_GET: FunctionSpec = FunctionSpec {
    name: "GEO_GET",
    family: Family::Geography,
    summary: "Tells where an address is.",
    details: "The configuration names a MaxMind database of cities: functions.geo, or the global geo.hdfs.file \
              (.mmdb, .mmdb.gz or .tar.gz; it is read again when it changes). \
              All fields are strings, empty where the database says nothing: locID, country, city, postalCode, \
              dmaCode, latitude, longitude, location_point. \
              IPv6 works too. Private, loopback and multicast addresses are nowhere; names are not looked up.",
    parameters: &[
        optional("ip", Kind::Text, "an IPv4 or IPv6 address"),
        optional("fields", Kind::List, "the fields wanted; all when left out"),
    ],
    returns: RETURNS,
    errors: ERRORS,
    examples: &[
        example("GEO_GET(null)", "null"),
        example("GEO_GET(' ')", "null"),
        fails("GEO_GET('81.2.69.142', ['country'])", "E0217"),
        fails("GEO_GET('81.2.69.142', ['city'], 1)", "E0202"),
    ],
    see: &["ASN_GET"],
    words: &[
        "geoip",
        "maxmind",
        "location",
        "country",
        "city",
        "latitude",
        "longitude",
    ],
    pure: false,
    strict: true,
    run: |call| get(call, Subject::Places, place),
    ..SPEC
};

const ASN_GET: FunctionSpec = FunctionSpec {
    name: "ASN_GET",
    family: Family::Geography,
    summary: "Tells whose network an address is in.",
    details: "The configuration names a MaxMind database of autonomous systems: functions.asn, or the global \
              asn.hdfs.file (.mmdb, .mmdb.gz or .tar.gz; it is read again when it changes). \
              The fields are autonomous_system_number (an integer, or null), autonomous_system_organization \
              (a string) and network, which is the address itself, as in Metron. \
              IPv6 works too. Private, loopback and multicast addresses are nobody's; names are not looked up.",
    parameters: &[
        optional("ip", Kind::Text, "an IPv4 or IPv6 address"),
        optional("fields", Kind::List, "the fields wanted; all when left out"),
    ],
    returns: RETURNS,
    errors: ERRORS,
    examples: &[
        example("ASN_GET(null)", "null"),
        example("ASN_GET(16843009)", "null"),
        fails("ASN_GET('1.1.1.1', ['autonomous_system_number'])", "E0217"),
        fails("ASN_GET('1.1.1.1', [], 1)", "E0202"),
    ],
    see: &["GEO_GET"],
    words: &[
        "geoip",
        "maxmind",
        "autonomous system",
        "provider",
        "isp",
        "owner",
        "whois",
    ],
    pure: false,
    strict: true,
    run: |call| get(call, Subject::Systems, system),
    ..SPEC
};

/// Names and values of what is known of an address.
type Fields = Vec<(&'static str, Value)>;

/// A call of either function: what its arguments ask for of what `look_up` finds.
fn get(
    call: &mut Call<'_, '_>,
    subject: Subject,
    look_up: fn(&Database, IpAddr) -> Result<Option<Fields>, MaxMindDbError>,
) -> Outcome<Value> {
    let wanted = match (call.count(), call.arg(0), call.arg(1)) {
        (1, Value::Text(ip), _) if !ip.trim().is_empty() => None,
        (2, Value::Text(_) | Value::Null, Value::List(fields)) => Some(fields.items()),
        (2, _, Value::List(_)) => return Err(call.wrong_type(0, "a string")),
        _ => return Ok(Value::Null),
    };
    let context = call.context();
    let Some(databases) = context.services.get::<Databases>() else {
        let message = format!("{} needs a database, and there is none", call.name);
        return Err(Diagnostic::new(Code::NotAvailable, message));
    };
    // Before the address is looked at: a missing database is an error for every address.
    let database = databases.get(subject, context)?;
    let found = match call.arg(0).as_text().and_then(eligible) {
        None => None,
        Some(address) => look_up(&database, address).map_err(|error| {
            let message = format!("{}: {}: {}", call.name, subject.key(), in_words(&error));
            Diagnostic::new(Code::CannotRead, message)
        })?,
    };
    let Some(wanted) = wanted else {
        return Ok(map(found
            .unwrap_or_default()
            .into_iter()
            .map(|(name, value)| (Value::text(name), value))));
    };
    let Some(found) = found else {
        return Ok(Value::Null);
    };
    let value = |name: &Value| {
        let name = name.as_text()?;
        let (_, value) = found.iter().find(|(known, _)| *known == name)?;
        Some(value.clone())
    };
    if let [name] = wanted.as_slice() {
        return Ok(value(name).unwrap_or_default());
    }
    let strange = wanted
        .iter()
        .any(|name| !matches!(name, Value::Text(_) | Value::Null));
    if strange {
        return Err(call.wrong_value(1, "names of fields are strings"));
    }
    Ok(map(wanted.into_iter().map(|name| {
        let value = value(&name).unwrap_or_default();
        (name, value)
    })))
}

fn map(entries: impl IntoIterator<Item = (Value, Value)>) -> Value {
    let mut kept = Entries::default();
    for (name, value) in entries {
        kept.insert(name, value);
    }
    Value::Map(Map::new(MapKind::Hash, kept))
}

/// The address in a text, if it can have a place in the world.
fn eligible(text: &str) -> Option<IpAddr> {
    let address: IpAddr = text.parse().ok()?;
    match address.to_canonical() {
        IpAddr::V4(v4) if ineligible_v4(v4) => None,
        IpAddr::V6(v6) if ineligible_v6(v6) => None,
        address => Some(address),
    }
}

fn ineligible_v4(address: Ipv4Addr) -> bool {
    address.is_unspecified()
        || address.is_loopback()
        || address.is_private()
        || address.is_multicast()
}

fn ineligible_v6(address: Ipv6Addr) -> bool {
    // fec0::/10 is what site-local addresses were before unique local ones.
    let former = address.segments()[0] & 0xffc0 == 0xfec0;
    address.is_unspecified()
        || address.is_loopback()
        || address.is_unique_local()
        || address.is_multicast()
        || former
}

/// The parts of a record of places that are asked for.
#[derive(Deserialize)]
struct Place {
    #[serde(default)]
    city: City,
    #[serde(default)]
    country: Country,
    #[serde(default)]
    postal: Postal,
    #[serde(default)]
    location: Location,
}

#[derive(Deserialize, Default)]
struct City {
    geoname_id: Option<Number>,
    #[serde(default)]
    names: Names,
}

/// The other languages are passed over without being read.
#[derive(Deserialize, Default)]
struct Names {
    en: Option<String>,
}

#[derive(Deserialize, Default)]
struct Country {
    iso_code: Option<String>,
}

#[derive(Deserialize, Default)]
struct Postal {
    code: Option<String>,
}

#[derive(Deserialize, Default)]
struct Location {
    latitude: Option<Number>,
    longitude: Option<Number>,
    metro_code: Option<Number>,
}

#[derive(Deserialize)]
struct System {
    autonomous_system_number: Option<Number>,
    autonomous_system_organization: Option<String>,
}

/// A number of any type: not every maker of databases keeps to MaxMind's.
#[derive(Deserialize, Clone, Copy)]
#[serde(untagged)]
enum Number {
    Whole(i64),
    Real(f64),
}

fn record<T: DeserializeOwned>(
    database: &Database,
    address: IpAddr,
) -> Result<Option<T>, MaxMindDbError> {
    if address.is_ipv6() && database.metadata().ip_version == 4 {
        return Ok(None);
    }
    database.lookup(address)?.decode()
}

fn place(database: &Database, address: IpAddr) -> Result<Option<Fields>, MaxMindDbError> {
    let Some(found) = record::<Place>(database, address)? else {
        return Ok(None);
    };
    let number = |n: Option<Number>| match n {
        Some(Number::Whole(n)) => n.to_string(),
        Some(Number::Real(x)) => to_text(&Value::Double(x)).to_string(),
        None => String::new(),
    };
    let degrees = |n: Option<Number>| match n {
        Some(Number::Whole(n)) => number(Some(Number::Real(n as f64))),
        n => number(n),
    };
    let (latitude, longitude) = (
        degrees(found.location.latitude),
        degrees(found.location.longitude),
    );
    let point = match (latitude.is_empty(), longitude.is_empty()) {
        (false, false) => format!("{latitude},{longitude}"),
        _ => String::new(),
    };
    let fields = [
        ("locID", number(found.city.geoname_id)),
        ("country", found.country.iso_code.unwrap_or_default()),
        ("city", found.city.names.en.unwrap_or_default()),
        ("postalCode", found.postal.code.unwrap_or_default()),
        ("dmaCode", number(found.location.metro_code)),
        ("latitude", latitude),
        ("longitude", longitude),
        ("location_point", point),
    ];
    let fields = fields.map(|(name, text)| (name, Value::string(text)));
    Ok(Some(fields.into()))
}

fn system(database: &Database, address: IpAddr) -> Result<Option<Fields>, MaxMindDbError> {
    let Some(found) = record::<System>(database, address)? else {
        return Ok(None);
    };
    let number = match found.autonomous_system_number {
        // Numbers of systems may have 32 bits without a sign.
        Some(Number::Whole(n)) => i32::try_from(n).map_or(Value::Long(n), Value::Int),
        Some(Number::Real(_)) | None => Value::Null,
    };
    let owner = found.autonomous_system_organization.unwrap_or_default();
    Ok(Some(vec![
        ("autonomous_system_number", number),
        ("autonomous_system_organization", Value::string(owner)),
        ("network", Value::string(address.to_string())),
    ]))
}
