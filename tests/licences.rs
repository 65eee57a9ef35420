//! Every dependency, on every platform, has a licence that `deny.toml` allows and comes from the registry.
#![allow(clippy::unwrap_used, clippy::panic)]

use serde_json::Value as Json;
use std::collections::BTreeSet;
use std::process::Command;

/// What may be allowed although no dependency needs it today.
const HOUSE: &[&str] = &[
    "Apache-2.0",
    "MIT",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Zlib",
    "Unicode-3.0",
    "MPL-2.0",
];

fn packages() -> Vec<Json> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--locked", "--format-version", "1"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo metadata fails: {said}");
    let metadata: Json = serde_json::from_slice(&output.stdout).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

fn allowed() -> BTreeSet<String> {
    let deny: toml::Table = std::fs::read_to_string("deny.toml")
        .unwrap()
        .parse()
        .unwrap();
    let list = deny["licenses"]["allow"].as_array().unwrap();
    list.iter()
        .map(|name| name.as_str().unwrap().to_string())
        .collect()
}

/// Whether an SPDX expression can be satisfied with these licences; `A/B` is the old way to write `A OR B`.
fn satisfied(expression: &str, allowed: &BTreeSet<String>) -> bool {
    let spaced = expression
        .replace('/', " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ");
    let mut words: Vec<&str> = spaced.split_whitespace().rev().collect();
    let answer = any(&mut words, allowed);
    assert!(words.is_empty(), "{expression} is no SPDX expression");
    answer
}

fn any(words: &mut Vec<&str>, allowed: &BTreeSet<String>) -> bool {
    let mut answer = all(words, allowed);
    while words.pop_if(|word| *word == "OR").is_some() {
        answer |= all(words, allowed);
    }
    answer
}

fn all(words: &mut Vec<&str>, allowed: &BTreeSet<String>) -> bool {
    let mut answer = one(words, allowed);
    while words.pop_if(|word| *word == "AND").is_some() {
        answer &= one(words, allowed);
    }
    answer
}

fn one(words: &mut Vec<&str>, allowed: &BTreeSet<String>) -> bool {
    let word = words.pop().unwrap();
    if word == "(" {
        let answer = any(words, allowed);
        assert_eq!(words.pop(), Some(")"));
        return answer;
    }
    if words.pop_if(|next| *next == "WITH").is_some() {
        let exception = words.pop().unwrap();
        return allowed.contains(&format!("{word} WITH {exception}"));
    }
    allowed.contains(word)
}

#[test]
fn expressions_are_understood() {
    let with = |names: &[&str]| names.iter().map(|name| name.to_string()).collect();
    let allowed: BTreeSet<String> = with(&["MIT", "Zlib", "Apache-2.0 WITH LLVM-exception"]);
    for (expression, answer) in [
        ("MIT", true),
        ("GPL-3.0-only", false),
        ("Apache-2.0", false),
        ("Apache-2.0 WITH LLVM-exception", true),
        ("Apache-2.0/MIT", true),
        ("GPL-3.0-only OR MIT AND Zlib", true),
        ("(GPL-3.0-only OR MIT) AND Unicode-3.0", false),
        ("(GPL-3.0-only OR MIT) AND Zlib", true),
    ] {
        assert_eq!(satisfied(expression, &allowed), answer, "{expression}");
    }
}

#[test]
fn every_licence_is_allowed() {
    let (packages, allowed) = (packages(), allowed());
    assert!(packages.len() > 50, "{} packages only", packages.len());
    let wrong: Vec<String> = packages
        .iter()
        .filter(|package| {
            !package["license"]
                .as_str()
                .is_some_and(|licence| satisfied(licence, &allowed))
        })
        .map(|package| {
            format!(
                "{} {}: {}",
                package["name"], package["version"], package["license"]
            )
        })
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    for extra in allowed
        .iter()
        .filter(|name| !HOUSE.contains(&name.as_str()))
    {
        let mut without = allowed.clone();
        without.remove(extra);
        assert!(
            packages.iter().any(|p| !p["license"]
                .as_str()
                .is_some_and(|l| satisfied(l, &without))),
            "deny.toml allows {extra}, which no dependency needs"
        );
    }
}

#[test]
fn every_source_is_the_registry() {
    let here = std::env::current_dir().unwrap();
    let wrong: Vec<String> = packages()
        .iter()
        .filter(|package| match package["source"].as_str() {
            Some(source) => !source.starts_with("registry+"),
            // A package without a source is one of this workspace.
            None => {
                !std::path::Path::new(package["manifest_path"].as_str().unwrap()).starts_with(&here)
            }
        })
        .map(|package| format!("{} comes from {}", package["name"], package["source"]))
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn the_licence_is_here() {
    let text = std::fs::read_to_string("LICENSE").unwrap();
    assert!(text.contains("Apache License") && text.contains("Version 2.0, January 2004"));
    let manifest: toml::Table = std::fs::read_to_string("Cargo.toml")
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(manifest["package"]["license"].as_str(), Some("Apache-2.0"));
}
