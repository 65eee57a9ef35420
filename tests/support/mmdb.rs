//! Writes small MaxMind databases after the published specification of the format, version 2.0.
#![allow(dead_code)]

use serde_json::{Value as Json, json};
use std::io::Write;
use std::net::IpAddr;

/// A database of this type: networks such as `81.2.69.0/24`, each with its record.
pub fn database(kind: &str, version: u16, networks: &[(&str, Json)]) -> Vec<u8> {
    let mut tree = Tree::default();
    let mut data = Vec::new();
    for (network, record) in networks {
        tree.insert(network, version, data.len());
        encode(record, &mut data);
    }
    let mut bytes = tree.write();
    bytes.extend([0; 16]);
    bytes.extend(data);
    bytes.extend(b"\xab\xcd\xefMaxMind.com");
    let metadata = json!({
        "binary_format_major_version": 2, "binary_format_minor_version": 0, "build_epoch": 1_700_000_000,
        "database_type": kind, "description": {"en": "a test"}, "ip_version": version,
        "languages": ["en"], "node_count": tree.0.len(), "record_size": 24,
    });
    encode(&metadata, &mut bytes);
    bytes
}

/// The same bytes compressed.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

/// A compressed archive of files.
pub fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        archive.append_data(&mut header, name, *bytes).unwrap();
    }
    gzip(&archive.into_inner().unwrap())
}

#[derive(Clone, Copy)]
enum Record {
    Nothing,
    Node(usize),
    Data(usize),
}

struct Tree(Vec<[Record; 2]>);

impl Default for Tree {
    fn default() -> Tree {
        Tree(vec![[Record::Nothing; 2]])
    }
}

impl Tree {
    fn insert(&mut self, network: &str, version: u16, offset: usize) {
        let (address, length) = network.split_once('/').unwrap();
        let mut length: u32 = length.parse().unwrap();
        let bits = match (address.parse().unwrap(), version) {
            (IpAddr::V4(v4), 4) => u128::from(u32::from(v4)) << 96,
            (IpAddr::V4(v4), _) => {
                length += 96;
                u128::from(u32::from(v4))
            }
            (IpAddr::V6(v6), _) => u128::from(v6),
        };
        let mut node = 0;
        for depth in 0..length {
            let side = usize::from(bits >> (127 - depth) & 1 == 1);
            if depth + 1 == length {
                self.0[node][side] = Record::Data(offset);
            } else if let Record::Node(next) = self.0[node][side] {
                node = next;
            } else {
                self.0.push([Record::Nothing; 2]);
                let next = self.0.len() - 1;
                self.0[node][side] = Record::Node(next);
                node = next;
            }
        }
    }

    fn write(&self) -> Vec<u8> {
        let count = self.0.len();
        let number = |record: &Record| match record {
            Record::Nothing => count,
            Record::Node(node) => *node,
            Record::Data(offset) => count + 16 + offset,
        };
        let records = self.0.iter().flatten();
        records
            .flat_map(|record| (number(record) as u32).to_be_bytes()[1..].to_vec())
            .collect()
    }
}

fn head(kind: u8, size: usize, out: &mut Vec<u8>) {
    let (short, more) = match size {
        0..29 => (size as u8, None),
        _ => (29, Some(u8::try_from(size - 29).unwrap())),
    };
    match kind {
        1..=7 => out.push(kind << 5 | short),
        _ => out.extend([short, kind - 7]),
    }
    out.extend(more);
}

/// A number as uint16 (5), uint32 (6) or uint64 (9).
fn whole(n: u64, kind: u8, out: &mut Vec<u8>) {
    let size = match kind {
        5 => 2,
        6 => 4,
        _ => 8,
    };
    head(kind, size, out);
    out.extend(&n.to_be_bytes()[8 - size..]);
}

fn encode(value: &Json, out: &mut Vec<u8>) {
    match value {
        Json::String(text) => {
            head(2, text.len(), out);
            out.extend(text.as_bytes());
        }
        Json::Number(number) => match number.as_u64() {
            Some(n) if u16::try_from(n).is_ok() => whole(n, 5, out),
            Some(n) => whole(n, 6, out),
            None => {
                head(3, 8, out);
                out.extend(number.as_f64().unwrap().to_be_bytes());
            }
        },
        Json::Object(entries) => {
            head(7, entries.len(), out);
            for (key, value) in entries {
                encode(&Json::from(key.as_str()), out);
                match (key.as_str(), value.as_u64()) {
                    ("node_count", Some(n)) => whole(n, 6, out),
                    ("build_epoch", Some(n)) => whole(n, 9, out),
                    _ => encode(value, out),
                }
            }
        }
        Json::Array(items) => {
            head(11, items.len(), out);
            items.iter().for_each(|item| encode(item, out));
        }
        other => panic!("{other} has no form here"),
    }
}
