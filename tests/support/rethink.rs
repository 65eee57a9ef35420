//! A small server that speaks RethinkDB's wire protocol, with tables in memory.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Map, Value as Json, json};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashMap};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

pub const PASSWORD: &str = "s3cret";

/// Answers hold at most so many documents.
const PART: usize = 3;

#[derive(Default, Clone)]
pub struct Table {
    pub documents: BTreeMap<String, Json>,
    pub indexes: Vec<String>,
}

type Databases = BTreeMap<String, BTreeMap<String, Table>>;

pub struct Rethink {
    pub port: u16,
    pub databases: Arc<Mutex<Databases>>,
    /// When it is not 0, the connection is cut instead of answering this query from now on.
    pub cut: Arc<AtomicUsize>,
    pub connections: Arc<AtomicUsize>,
}

impl Rethink {
    pub fn start() -> Rethink {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Rethink {
            port: listener.local_addr().unwrap().port(),
            databases: Arc::new(Mutex::new(BTreeMap::from([(
                "test".to_owned(),
                BTreeMap::new(),
            )]))),
            cut: Arc::default(),
            connections: Arc::default(),
        };
        let (databases, cut) = (server.databases.clone(), server.cut.clone());
        let connections = server.connections.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (databases, cut) = (databases.clone(), cut.clone());
                connections.fetch_add(1, Ordering::SeqCst);
                // A client that goes away is its own matter.
                std::thread::spawn(move || serve(stream.unwrap(), &databases, &cut));
            }
        });
        server
    }

    pub fn table(&self, name: &str) -> Option<Table> {
        self.databases.lock().unwrap()["test"].get(name).cloned()
    }
}

fn hear(stream: &mut TcpStream) -> Option<Json> {
    let mut text = Vec::new();
    let mut byte = [0];
    loop {
        stream.read_exact(&mut byte).ok()?;
        match byte {
            [0] => return serde_json::from_slice(&text).ok(),
            [byte] => text.push(byte),
        }
    }
}

fn say(stream: &mut TcpStream, message: &Json) -> Option<()> {
    stream.write_all(format!("{message}\0").as_bytes()).ok()
}

fn sign(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

/// The handshake as a server, by RFC 5802.
fn sign_in(stream: &mut TcpStream) -> Option<()> {
    let mut magic = [0; 4];
    stream.read_exact(&mut magic).ok()?;
    assert_eq!(u32::from_le_bytes(magic), 0x34c2_bdc3);
    let version = json!({"success": true, "min_protocol_version": 0, "max_protocol_version": 0, "server_version": "2.4.0"});
    say(stream, &version)?;
    let first = hear(stream)?;
    assert_eq!(first["protocol_version"], 0);
    assert_eq!(first["authentication_method"], "SCRAM-SHA-256");
    let bare = first["authentication"].as_str()?.strip_prefix("n,,")?;
    let nonce = bare.split_once(",r=")?.1;
    let salt = b"0123456789abcdef";
    let rounds = 64;
    let server = format!("r={nonce}more,s={},i={rounds}", STANDARD.encode(salt));
    say(stream, &json!({"success": true, "authentication": server}))?;
    let last = hear(stream)?;
    let (without, proof) = last["authentication"].as_str()?.rsplit_once(",p=")?;
    assert_eq!(without, format!("c=biws,r={nonce}more"));
    let mut round = sign(PASSWORD.as_bytes(), &[&salt[..], &[0, 0, 0, 1]].concat());
    let mut salted = round.clone();
    for _ in 1..rounds {
        round = sign(PASSWORD.as_bytes(), &round);
        salted.iter_mut().zip(&round).for_each(|(a, b)| *a ^= b);
    }
    let said = format!("{bare},{server},{without}");
    let client_key = sign(&salted, b"Client Key");
    let mut wanted = sign(&Sha256::digest(&client_key), said.as_bytes());
    wanted
        .iter_mut()
        .zip(&client_key)
        .for_each(|(a, b)| *a ^= b);
    if STANDARD.encode(wanted) != proof || !bare.starts_with("n=admin,") {
        let no = json!({"success": false, "error": "Wrong password", "error_code": 12});
        say(stream, &no)?;
        return None;
    }
    let signature = sign(&sign(&salted, b"Server Key"), said.as_bytes());
    let done = format!("v={}", STANDARD.encode(signature));
    say(stream, &json!({"success": true, "authentication": done}))
}

fn serve(mut stream: TcpStream, databases: &Mutex<Databases>, cut: &AtomicUsize) -> Option<()> {
    sign_in(&mut stream)?;
    let mut rest: HashMap<u64, Vec<Json>> = HashMap::new();
    loop {
        let (mut token, mut length) = ([0; 8], [0; 4]);
        stream.read_exact(&mut token).ok()?;
        stream.read_exact(&mut length).ok()?;
        let mut body = vec![0; u32::from_le_bytes(length) as usize];
        stream.read_exact(&mut body).ok()?;
        let token = u64::from_le_bytes(token);
        let query: Json = serde_json::from_slice(&body).unwrap();
        if cut.load(Ordering::SeqCst) > 0 && cut.fetch_sub(1, Ordering::SeqCst) == 1 {
            return None;
        }
        let found = match query[0].as_u64() {
            Some(1) => {
                let mut databases = databases.lock().unwrap();
                let database = query[2]["db"][1][0].as_str().unwrap_or("test").to_owned();
                eval(&query[1], &database, &mut databases)
            }
            Some(2) => Ok(Got::Many(rest.remove(&token).unwrap_or_default())),
            Some(3) => {
                rest.remove(&token);
                Ok(Got::Many(Vec::new()))
            }
            other => Err(format!("no such query: {other:?}")),
        };
        let answer = match found {
            Ok(Got::One(value)) => json!({"t": 1, "r": [value]}),
            Ok(Got::Place(..)) => unreachable!("a table is a sequence by now"),
            Ok(Got::Many(mut rows)) if rows.len() > PART => {
                let later = rows.split_off(PART);
                rest.insert(token, later);
                json!({"t": 3, "r": rows, "n": []})
            }
            Ok(Got::Many(rows)) => json!({"t": 2, "r": rows, "n": []}),
            Err(reason) => json!({"t": 18, "r": [reason], "b": []}),
        };
        let answer = answer.to_string();
        let mut message = token.to_le_bytes().to_vec();
        message.extend_from_slice(&(answer.len() as u32).to_le_bytes());
        message.extend_from_slice(answer.as_bytes());
        stream.write_all(&message).ok()?;
    }
}

enum Got {
    One(Json),
    Many(Vec<Json>),
    /// A table, and which of its documents.
    Place(String, String, Vec<Json>),
}

fn eval(term: &Json, database: &str, all: &mut Databases) -> Result<Got, String> {
    match place(term, database, all)? {
        Got::Place(_, _, rows) => Ok(Got::Many(rows)),
        got => Ok(got),
    }
}

fn place(term: &Json, database: &str, all: &mut Databases) -> Result<Got, String> {
    if let Json::Object(fields) = term {
        let fields = fields
            .iter()
            .map(|(name, value)| match eval(value, database, all)? {
                Got::One(value) => Ok((name.clone(), value)),
                _ => Err("a sequence in a document".to_owned()),
            });
        let fields = fields.collect::<Result<Map<_, _>, String>>()?;
        return Ok(Got::One(Json::Object(fields)));
    }
    let Json::Array(parts) = term else {
        return Ok(Got::One(term.clone()));
    };
    let code = parts[0].as_u64().ok_or("no term")?;
    let empty = Vec::new();
    let arguments = parts.get(1).and_then(Json::as_array).unwrap_or(&empty);
    let options = parts.get(2).cloned().unwrap_or_default();
    // The database that the first argument names, and the name behind it.
    let named = || match arguments.first() {
        Some(Json::Array(db)) if db[0] == 14 => {
            let database = db[1][0].as_str().unwrap_or_default().to_owned();
            (
                database,
                arguments
                    .get(1)
                    .and_then(Json::as_str)
                    .unwrap_or_default()
                    .to_owned(),
            )
        }
        other => (
            database.to_owned(),
            other.and_then(Json::as_str).unwrap_or_default().to_owned(),
        ),
    };
    let tables = |all: &mut Databases, database: &str| match all.contains_key(database) {
        true => Ok(()),
        false => Err(format!("Database `{database}` does not exist.")),
    };
    Ok(match code {
        2 => {
            let items = arguments
                .iter()
                .map(|item| match eval(item, database, all)? {
                    Got::One(value) => Ok(value),
                    _ => Err("a sequence in a list".to_owned()),
                });
            Got::One(Json::Array(items.collect::<Result<_, _>>()?))
        }
        98 => {
            let text = arguments[0].as_str().ok_or("no text")?;
            Got::One(serde_json::from_str(text).map_err(|e| e.to_string())?)
        }
        59 => Got::One(json!(all.keys().collect::<Vec<_>>())),
        57 => {
            let name = arguments[0].as_str().ok_or("no name")?.to_owned();
            if all.insert(name.clone(), BTreeMap::new()).is_some() {
                return Err(format!("Database `{name}` already exists."));
            }
            Got::One(json!({"dbs_created": 1}))
        }
        62 => {
            let (database, _) = named();
            tables(all, &database)?;
            Got::One(json!(all[&database].keys().collect::<Vec<_>>()))
        }
        60 | 61 => {
            let (database, name) = named();
            tables(all, &database)?;
            let tables = all.get_mut(&database).unwrap();
            match (code, tables.contains_key(&name)) {
                (60, false) => drop(tables.insert(name, Table::default())),
                (61, true) => drop(tables.remove(&name)),
                (_, there) => return Err(format!("Table `{name}` is there: {there}")),
            }
            Got::One(json!({"tables_changed": 1}))
        }
        15 => {
            let (database, name) = named();
            tables(all, &database)?;
            let table = all[&database].get(&name);
            let table = table.ok_or(format!("Table `{database}.{name}` does not exist."))?;
            let rows = table.documents.values().cloned().collect();
            Got::Place(database, name, rows)
        }
        _ => {
            let Got::Place(db, name, mut rows) = place(&arguments[0], database, all)? else {
                return Err(format!("term {code} is for tables"));
            };
            let table = all.get_mut(&db).unwrap().get_mut(&name).unwrap();
            let index = options["index"].as_str().unwrap_or("id").to_owned();
            if index != "id" && !table.indexes.contains(&index) {
                return Err(format!(
                    "Index `{index}` was not found on table `{db}.{name}`."
                ));
            }
            let number = |value: &Json| value.as_f64().unwrap_or(f64::NAN);
            match code {
                77 => Got::One(json!(table.indexes)),
                75 => {
                    let field = arguments[1].as_str().ok_or("no field")?.to_owned();
                    if table.indexes.contains(&field) {
                        return Err(format!("Index `{field}` already exists."));
                    }
                    table.indexes.push(field);
                    Got::One(json!({"created": 1}))
                }
                140 => Got::One(json!([])),
                56 => {
                    let documents = match eval(&arguments[1], database, all)? {
                        Got::One(Json::Array(documents)) => documents,
                        Got::One(document) => vec![document],
                        _ => return Err("no documents".to_owned()),
                    };
                    let table = all.get_mut(&db).unwrap().get_mut(&name).unwrap();
                    Got::One(insert(table, documents, options["conflict"].as_str()))
                }
                182 => {
                    let (from, until) = (number(&arguments[1]), number(&arguments[2]));
                    rows.retain(|row| (from..until).contains(&number(&row[&index])));
                    Got::Place(db, name, rows)
                }
                41 => {
                    rows.sort_by(|a, b| number(&a[&index]).total_cmp(&number(&b[&index])));
                    Got::Place(db, name, rows)
                }
                78 => {
                    rows.retain(|row| arguments[1..].contains(&row[&index]));
                    Got::Place(db, name, rows)
                }
                54 => {
                    for row in &rows {
                        table.documents.remove(&row["id"].to_string());
                    }
                    Got::One(json!({"deleted": rows.len()}))
                }
                43 => Got::One(json!(rows.len())),
                code => return Err(format!("no such term: {code}")),
            }
        }
    })
}

fn insert(table: &mut Table, documents: Vec<Json>, conflict: Option<&str>) -> Json {
    let (mut inserted, mut replaced, mut errors) = (0, 0, 0);
    for mut document in documents {
        if document.get("id").is_none() {
            document["id"] = json!(format!("made-{}", table.documents.len()));
        }
        let key = document["id"].to_string();
        match (table.documents.get_mut(&key), conflict) {
            (None, _) => {
                table.documents.insert(key, document);
                inserted += 1;
            }
            (Some(old), Some("replace")) => {
                *old = document;
                replaced += 1;
            }
            (Some(old), Some("update")) => {
                let new: Map<String, Json> = document.as_object().unwrap().clone();
                old.as_object_mut().unwrap().extend(new);
                replaced += 1;
            }
            _ => errors += 1,
        }
    }
    let mut done = json!({"inserted": inserted, "replaced": replaced, "errors": errors});
    if errors > 0 {
        done["first_error"] = json!("Duplicate primary key `id`:\n...");
    }
    done
}
