//! GEO_GET and ASN_GET on databases that the tests write themselves.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use serde_json::{Value as Json, json};
use std::path::Path;
use std::time::{Duration, Instant};
use stellar::config::{Config, Surroundings};
use stellar::engine::{Engine, Overrides};
use stellar::eval::Value;
use stellar::eval::text::to_text;
use support::Home;
use support::mmdb::{archive, database, gzip};
use tempfile::TempDir;

fn places() -> Vec<(&'static str, Json)> {
    let london = json!({
        "city": {"geoname_id": 2643743, "names": {"de": "London (de)", "en": "London"}},
        "continent": {"code": "EU"},
        "country": {"iso_code": "GB", "names": {"en": "United Kingdom"}},
        "location": {"latitude": 51.5142, "longitude": -0.0931, "time_zone": "Europe/London"},
    });
    let milton = json!({
        "city": {"geoname_id": 5803556, "names": {"en": "Milton"}},
        "country": {"iso_code": "US"},
        "location": {"latitude": 47.2513, "longitude": -122.3149, "metro_code": 819},
        "postal": {"code": "98354"},
    });
    let six = json!({"country": {"iso_code": "JP"}, "location": {"latitude": 36.0}});
    vec![
        ("81.2.69.0/24", london),
        ("216.160.83.56/29", milton),
        ("2001:218::/32", six),
        ("10.0.0.0/8", json!({"country": {"iso_code": "XX"}})),
        ("fd00::/8", json!({"country": {"iso_code": "XX"}})),
    ]
}

fn systems() -> Vec<(&'static str, Json)> {
    let one = json!({"autonomous_system_number": 1221, "autonomous_system_organization": "Telstra Pty Ltd"});
    vec![
        ("1.128.0.0/11", one),
        (
            "5.0.0.0/8",
            json!({"autonomous_system_organization": "Nobody knows"}),
        ),
        (
            "6.0.0.0/8",
            json!({"autonomous_system_number": 4200000000u32}),
        ),
        ("2600:6000::/20", json!({"autonomous_system_number": 237})),
    ]
}

fn engine(folder: &Path, geo: &str, asn: &str) -> Engine {
    let mut config = Config::default();
    config.functions.geo = Some(geo.into()).filter(|_| !geo.is_empty());
    config.functions.asn = Some(asn.into()).filter(|_| !asn.is_empty());
    let around = Surroundings {
        home: Some(folder.to_path_buf()),
        folder: folder.to_path_buf(),
        ..Surroundings::default()
    };
    Engine::new(config, &around, &Overrides::default()).unwrap()
}

fn says(engine: &Engine, expression: &str) -> String {
    match engine.evaluate(expression) {
        Ok(value) => to_text(&value).to_string(),
        Err(fault) => format!("{} {}", fault.code.name(), fault.message),
    }
}

#[track_caller]
fn check(engine: &Engine, rows: &[(&str, &str)]) {
    for (expression, expected) in rows {
        assert_eq!(says(engine, expression), *expected, "{expression}");
    }
}

#[test]
fn places_of_addresses() {
    let folder = TempDir::new().unwrap();
    std::fs::write(
        folder.path().join("city.mmdb"),
        database("GeoLite2-City", 6, &places()),
    )
    .unwrap();
    let engine = engine(folder.path(), "city.mmdb", "");
    check(
        &engine,
        &[
            (
                "GEO_GET('81.2.69.142')",
                "{locID=2643743, country=GB, city=London, postalCode=, dmaCode=, latitude=51.5142, longitude=-0.0931, location_point=51.5142,-0.0931}",
            ),
            (
                "GEO_GET('216.160.83.56')",
                "{locID=5803556, country=US, city=Milton, postalCode=98354, dmaCode=819, latitude=47.2513, longitude=-122.3149, location_point=47.2513,-122.3149}",
            ),
            // One coordinate makes no point; a whole one prints as Java's double.
            (
                "GEO_GET('2001:218::1', ['country', 'latitude', 'location_point'])",
                "{country=JP, latitude=36.0, location_point=}",
            ),
            ("GEO_GET('::ffff:81.2.69.142', ['city'])", "London"),
            ("GEO_GET('216.160.83.56', ['dmaCode'])", "819"),
            (
                "GEO_GET('216.160.83.56', ['dmaCode', 'planet'])",
                "{dmaCode=819, planet=null}",
            ),
            ("GEO_GET('216.160.83.56', ['planet'])", "null"),
            ("GEO_GET('216.160.83.56', [])", "{}"),
            ("GEO_GET('216.160.83.56', [5])", "null"),
            (
                "GEO_GET('216.160.83.56', [null, 'city'])",
                "{null=null, city=Milton}",
            ),
            // Not found, or without a place in the world.
            ("GEO_GET('9.9.9.9')", "{}"),
            ("GEO_GET('9.9.9.9', ['city'])", "null"),
            ("GEO_GET('9.9.9.9', ['city', 'country'])", "null"),
            ("GEO_GET('10.1.2.3')", "{}"),
            ("GEO_GET('10.1.2.3', ['country'])", "null"),
            ("GEO_GET('fd00::1')", "{}"),
            ("GEO_GET('127.0.0.1')", "{}"),
            ("GEO_GET('224.0.0.1')", "{}"),
            ("GEO_GET('0.0.0.0')", "{}"),
            ("GEO_GET('localhost')", "{}"),
            ("GEO_GET('81.2.69')", "{}"),
            ("GEO_GET('081.2.69.142')", "{}"),
            ("GEO_GET(' 81.2.69.142')", "{}"),
            ("GEO_GET('', ['city'])", "null"),
            ("GEO_GET(null, ['city'])", "null"),
            // Other shapes.
            ("GEO_GET()", "null"),
            ("GEO_GET('')", "null"),
            ("GEO_GET(5)", "null"),
            ("GEO_GET('81.2.69.142', 'city')", "null"),
            ("GEO_GET('81.2.69.142', null)", "null"),
        ],
    );
    for (expression, code) in [
        ("GEO_GET(5, ['city'])", "E0203"),
        ("GEO_GET('81.2.69.142', ['city', 5])", "E0204"),
        ("GEO_GET('81.2.69.142', ['city'], 1)", "E0202"),
    ] {
        assert!(says(&engine, expression).starts_with(code), "{expression}");
    }
}

#[test]
fn systems_of_addresses() {
    let folder = TempDir::new().unwrap();
    std::fs::write(
        folder.path().join("asn"),
        database("GeoLite2-ASN", 6, &systems()),
    )
    .unwrap();
    let engine = engine(folder.path(), "", "asn");
    check(
        &engine,
        &[
            (
                "ASN_GET('1.128.0.7')",
                "{autonomous_system_number=1221, autonomous_system_organization=Telstra Pty Ltd, network=1.128.0.7}",
            ),
            (
                "ASN_GET('2600:6000::1')",
                "{autonomous_system_number=237, autonomous_system_organization=, network=2600:6000::1}",
            ),
            ("ASN_GET('5.1.1.1', ['autonomous_system_number'])", "null"),
            ("ASN_GET('9.9.9.9')", "{}"),
            ("ASN_GET('192.168.1.1', ['network'])", "null"),
        ],
    );
    let kind = |ip: &str| {
        let number = engine.evaluate(&format!("ASN_GET('{ip}', ['autonomous_system_number'])"));
        number.unwrap().type_name()
    };
    assert_eq!((kind("1.128.0.7"), kind("6.1.1.1")), ("Integer", "Long"));
}

#[test]
fn an_ipv4_database_knows_no_ipv6() {
    let folder = TempDir::new().unwrap();
    let networks = &places()[..1];
    std::fs::write(
        folder.path().join("city"),
        database("GeoLite2-City", 4, networks),
    )
    .unwrap();
    let engine = engine(folder.path(), "city", "");
    check(
        &engine,
        &[
            ("GEO_GET('81.2.69.142', ['country'])", "GB"),
            ("GEO_GET('2001:218::1')", "{}"),
            ("GEO_GET('::ffff:81.2.69.142', ['country'])", "GB"),
        ],
    );
}

#[test]
fn every_packing_is_understood() {
    let folder = TempDir::new().unwrap();
    let bytes = database("GeoLite2-City", 6, &places());
    let packed = archive(&[
        ("GeoLite2-City_20260101/LICENSE.txt", b"words"),
        ("GeoLite2-City_20260101/GeoLite2-City.mmdb", &bytes),
    ]);
    for (name, bytes) in [
        ("a.mmdb", bytes.clone()),
        ("a.mmdb.gz", gzip(&bytes)),
        ("a.tar.gz", packed),
    ] {
        std::fs::write(folder.path().join(name), bytes).unwrap();
        let engine = engine(folder.path(), name, "");
        check(&engine, &[("GEO_GET('81.2.69.1', ['city'])", "London")]);
    }
}

#[test]
fn a_global_names_the_file_too() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("city.mmdb");
    std::fs::write(&path, database("GeoLite2-City", 6, &places())).unwrap();
    let engine = engine(folder.path(), "", "");
    for text in [
        path.display().to_string(),
        format!("file://{}", path.display()),
    ] {
        engine
            .context
            .globals
            .write()
            .insert("geo.hdfs.file".into(), Value::text(text));
        check(&engine, &[("GEO_GET('81.2.69.1', ['city'])", "London")]);
    }
}

#[test]
fn what_is_missing_or_broken_is_said() {
    let folder = TempDir::new().unwrap();
    let none = engine(folder.path(), "", "");
    let fault = none.evaluate("GEO_GET('10.0.0.1')").unwrap_err();
    assert_eq!(fault.code.name(), "E0217");
    assert!(
        fault.help.iter().any(|help| help.contains("functions.geo")),
        "{:?}",
        fault.help
    );
    let bytes = database("GeoLite2-City", 6, &places());
    for (name, bytes, reason) in [
        ("empty", Vec::new(), "no sound database"),
        ("text", b"hello".to_vec(), "no sound database"),
        (
            "half",
            bytes[..bytes.len() / 2].to_vec(),
            "no sound database",
        ),
        ("half.gz", gzip(&bytes)[..60].to_vec(), "cannot be used"),
        ("other.tar.gz", archive(&[("a.txt", b"x")]), "no .mmdb file"),
        (
            "asn",
            database("GeoLite2-ASN", 6, &systems()),
            "of type GeoLite2-ASN, not of places",
        ),
    ] {
        std::fs::write(folder.path().join(name), bytes).unwrap();
        let said = says(&engine(folder.path(), name, ""), "GEO_GET('81.2.69.1')");
        assert!(
            said.starts_with("E0403") && said.contains(reason),
            "{name}: {said}"
        );
    }
    let said = says(
        &engine(folder.path(), "missing", ""),
        "GEO_GET('81.2.69.1')",
    );
    assert!(
        said.starts_with("E0403") && said.contains("missing"),
        "{said}"
    );
    // Records that are not what they should be, and damage anywhere: an error or an answer, never a panic.
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x55;
        std::fs::write(folder.path().join("damaged"), damaged).unwrap();
        let engine = engine(folder.path(), "damaged", "");
        for ip in ["81.2.69.1", "2001:218::1"] {
            let _ = engine.evaluate(&format!("GEO_GET('{ip}')"));
        }
    }
}

#[test]
fn a_new_file_is_used_and_a_broken_one_is_not() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("city.mmdb");
    std::fs::write(&path, database("GeoLite2-City", 6, &places())).unwrap();
    let engine = engine(folder.path(), "city.mmdb", "");
    let city = "GEO_GET('81.2.69.1', ['city'])";
    assert_eq!(says(&engine, city), "London");
    std::fs::write(&path, b"half of an update").unwrap();
    std::thread::sleep(Duration::from_millis(1100));
    assert_eq!(says(&engine, city), "London");
    let paris = json!({"city": {"names": {"en": "Paris"}}});
    std::fs::write(
        &path,
        database("GeoLite2-City", 6, &[("81.2.69.0/24", paris)]),
    )
    .unwrap();
    let started = Instant::now();
    while says(&engine, city) == "London" {
        assert!(started.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(says(&engine, city), "Paris");
}

#[test]
fn doctor_tells_about_databases_and_the_network() {
    let home = Home::new();
    let ran = home.run(&["doctor", "--format", "table"], "").ended(0);
    assert!(
        ran.out().contains("network for functions: off"),
        "{}",
        ran.out()
    );
    assert!(
        ran.out()
            .contains("database of GEO_GET: none; functions.geo"),
        "{}",
        ran.out()
    );
    std::fs::write(
        home.path("city.mmdb"),
        database("GeoLite2-City", 6, &places()),
    )
    .unwrap();
    home.write("broken.mmdb", "no database");
    home.write(
        "stellar.toml",
        "[functions]\nnetwork = true\nhosts = ['a.example']\npublic_only = true\ngeo = 'city.mmdb'\n",
    );
    let ran = home.run(&["doctor", "--format", "table"], "").ended(0);
    assert!(
        ran.out()
            .contains("on, a.example; hosts that are not listed need public"),
        "{}",
        ran.out()
    );
    assert!(
        ran.out()
            .contains("city.mmdb, GeoLite2-City of 2023-11-14, IPv4 and IPv6"),
        "{}",
        ran.out()
    );
    let ran = home
        .run(
            &[
                "doctor",
                "--format",
                "table",
                "--set",
                "functions.asn='broken.mmdb'",
            ],
            "",
        )
        .ended(1);
    assert!(
        ran.out().contains("ASN_GET: ") && ran.out().contains("no sound database"),
        "{}",
        ran.out()
    );
}
