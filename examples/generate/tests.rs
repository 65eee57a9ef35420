//! What the benchmarks and the documentation rely on.

use crate::Order;
use serde_json::Value;
use std::error::Error;
use std::path::Path;

type Outcome = Result<(), Box<dyn Error>>;

const KINDS: [&str; 4] = ["web", "dns", "login", "conn"];

fn make(line: &str) -> Result<String, Box<dyn Error>> {
    let arguments: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
    let mut bytes = Vec::new();
    Order::read(&arguments)?.write(&mut bytes)?;
    Ok(String::from_utf8(bytes)?)
}

/// The time of an event in microseconds.
fn time(event: &Value) -> Option<u64> {
    // The project keeps numbers as their text, which is the way to read them without loss here too.
    let text = |key: &str| event.get(key).map(Value::to_string);
    match text("timestamp") {
        Some(ms) => ms.parse::<u64>().ok().map(|ms| ms * 1000),
        None => text("ts")?.replace('.', "").parse().ok(),
    }
}

#[test]
fn a_seed_makes_the_same_bytes() -> Outcome {
    for kind in KINDS {
        let order = format!("--kind {kind} --count 3000 --days 2 --seed");
        let one = make(&format!("{order} 1"))?;
        assert_eq!(one, make(&format!("{order} 1"))?, "{kind}");
        assert_ne!(one, make(&format!("{order} 2"))?, "{kind}");
    }
    Ok(())
}

#[test]
fn every_line_is_an_event_and_time_never_goes_back() -> Outcome {
    for kind in KINDS {
        for (count, days) in [(0, "1"), (1, "1"), (7, "1"), (200, "0.04"), (20_000, "30")] {
            let log = make(&format!(
                "--kind {kind} --count {count} --days {days} --seed 3"
            ))?;
            let mut last = 0;
            for line in log.lines() {
                let event: Value =
                    serde_json::from_str(line).map_err(|error| format!("{error}: {line}"))?;
                let time = time(&event).ok_or_else(|| format!("no time: {line}"))?;
                assert!(last <= time, "{line}");
                last = time;
            }
            assert_eq!(log.lines().count(), count, "{kind}");
        }
    }
    Ok(())
}

#[test]
fn a_web_line_has_some_390_bytes() -> Outcome {
    for (count, seed) in [(10_000, 1), (100_000, 2)] {
        let log = make(&format!(
            "--kind web --count {count} --days 7 --seed {seed}"
        ))?;
        let average = log.len() / count;
        assert!((370..=410).contains(&average), "{average}");
    }
    Ok(())
}

#[test]
fn addresses_and_names_are_nobodys() -> Outcome {
    let reserved = [
        ".example",
        ".example.com",
        ".example.net",
        ".example.org",
        ".test",
    ];
    for line in make("--kind web --count 20000 --days 3")?.lines() {
        let event: Value = serde_json::from_str(line)?;
        for key in ["src_ip", "dst_ip"] {
            let Some(ip) = event.get(key).and_then(Value::as_str) else {
                continue;
            };
            let known = ["10.", "192.0.2.", "198.51.100.", "203.0.113.", "2001:db8:"];
            assert!(known.iter().any(|range| ip.starts_with(range)), "{ip}");
            assert!(ip.parse::<std::net::IpAddr>().is_ok(), "{ip}");
        }
        let domain = event
            .get("domain")
            .and_then(Value::as_str)
            .unwrap_or_default();
        assert!(
            reserved.iter().any(|ending| domain.ends_with(ending)),
            "{domain}"
        );
    }
    Ok(())
}

#[test]
fn the_samples_are_what_their_command_lines_make() -> Outcome {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(root.join("examples/README.md"))?;
    let mut seen = 0;
    for line in readme.lines() {
        let Some((_, arguments)) = line.split_once("--example generate -- ") else {
            continue;
        };
        let Some((arguments, file)) = arguments.split_once(" -o examples/data/") else {
            continue;
        };
        let sample = std::fs::read_to_string(root.join("examples/data").join(file.trim()))?;
        assert_eq!(make(arguments)?, sample, "{file}: run `{}`", line.trim());
        seen += 1;
    }
    assert_eq!(seen, 6);
    Ok(())
}
