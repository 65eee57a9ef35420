//! RethinkDB over its wire protocol: the handshake of version 1.0, queries and answers in JSON.
//!
//! The numbers are those of the published protocol definition (`ql2.proto`).

mod scram;

use scram::Scram;
use serde_json::{Value as Json, json};
use std::fmt;
use std::io::{self, BufReader, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

const VERSION_1_0: u32 = 0x34c2_bdc3;

/// The largest answer that is read.
const LARGEST: u32 = 256 << 20;

/// The longest message of a handshake.
const HANDSHAKE: usize = 64 << 10;

/// Parts of queries.
pub mod term {
    use serde_json::{Value as Json, json};

    /// A database.
    pub fn db(name: &str) -> Json {
        json!([14, [name]])
    }

    /// A table.
    pub fn table(database: &str, name: &str) -> Json {
        json!([15, [db(database), name]])
    }

    /// The names of databases.
    pub fn db_list() -> Json {
        json!([59, []])
    }

    /// Makes a database.
    pub fn db_create(name: &str) -> Json {
        json!([57, [name]])
    }

    /// The names of tables.
    pub fn table_list(database: &str) -> Json {
        json!([62, [db(database)]])
    }

    /// Makes a table.
    pub fn table_create(database: &str, name: &str) -> Json {
        json!([60, [db(database), name]])
    }

    /// Removes a table.
    pub fn table_drop(database: &str, name: &str) -> Json {
        json!([61, [db(database), name]])
    }

    /// The names of the indexes of a table.
    pub fn index_list(table: &Json) -> Json {
        json!([77, [table]])
    }

    /// Makes an index of a field.
    pub fn index_create(table: &Json, field: &str) -> Json {
        json!([75, [table, field]])
    }

    /// Waits until an index is ready.
    pub fn index_wait(table: &Json, field: &str) -> Json {
        json!([140, [table, field]])
    }

    /// Inserts documents that stand in a text of JSON.
    pub fn insert(table: &Json, documents: &str, conflict: &str) -> Json {
        let options = json!({"conflict": conflict, "durability": "hard"});
        json!([56, [table, [98, [documents]]], options])
    }

    /// The documents whose `index` is from `from` on and below `until`, in its order.
    pub fn between(table: &Json, index: &str, from: i64, until: i64) -> Json {
        let part = json!([182, [table, from, until], {"index": index}]);
        json!([41, [part], {"index": index}])
    }

    /// The documents with these primary keys.
    pub fn get_all(table: &Json, keys: &[Json]) -> Json {
        let mut all = vec![table.clone()];
        all.extend(keys.iter().map(constant));
        json!([78, all])
    }

    /// Deletes documents.
    pub fn delete(documents: &Json) -> Json {
        json!([54, [documents], {"durability": "hard"}])
    }

    /// How many there are.
    pub fn count(documents: &Json) -> Json {
        json!([43, [documents]])
    }

    /// A value in a query, where lists would be parts of it.
    pub fn constant(value: &Json) -> Json {
        match value {
            Json::Array(items) => json!([2, items.iter().map(constant).collect::<Vec<_>>()]),
            other => other.clone(),
        }
    }
}

/// Where the server is, and who asks.
#[derive(Clone)]
pub struct Settings {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The user.
    pub user: String,
    /// The password; it is in no message.
    pub password: String,
    /// How long one answer may take.
    pub timeout: Duration,
}

/// What goes wrong.
#[derive(Debug)]
pub enum Error {
    /// The connection; another one may do.
    Lost(io::Error),
    /// The server says no.
    Refused(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Lost(error) => write!(f, "{error}"),
            Error::Refused(reason) => f.write_str(reason),
        }
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Error {
        Error::Lost(error)
    }
}

fn odd(what: &str) -> Error {
    Error::Lost(io::Error::new(io::ErrorKind::InvalidData, what))
}

/// A connection that is ready for queries.
pub struct Connection {
    stream: BufReader<TcpStream>,
    token: u64,
}

/// A part of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    /// The documents.
    pub rows: Vec<Json>,
    /// What to ask for more with.
    pub more: Option<u64>,
}

impl Connection {
    /// Connects and signs in. Errors: no connection, or a wrong user or password.
    pub fn open(settings: &Settings) -> Result<Connection, Error> {
        let addresses = (settings.host.as_str(), settings.port).to_socket_addrs()?;
        let mut last = odd("the name has no address");
        for address in addresses {
            match TcpStream::connect_timeout(&address, settings.timeout) {
                Ok(stream) => {
                    stream.set_nodelay(true)?;
                    stream.set_read_timeout(Some(settings.timeout))?;
                    stream.set_write_timeout(Some(settings.timeout))?;
                    let mut connection = Connection {
                        stream: BufReader::new(stream),
                        token: 0,
                    };
                    connection.sign_in(settings)?;
                    return Ok(connection);
                }
                Err(error) => last = Error::Lost(error),
            }
        }
        Err(last)
    }

    fn sign_in(&mut self, settings: &Settings) -> Result<(), Error> {
        let mut random = [0_u8; 18];
        getrandom::fill(&mut random).map_err(|error| odd(&error.to_string()))?;
        let nonce = data_encoding::BASE64.encode(&random);
        let scram = Scram::new(&settings.user, &settings.password, nonce);
        let mut hello = VERSION_1_0.to_le_bytes().to_vec();
        let first = json!({
            "protocol_version": 0,
            "authentication_method": "SCRAM-SHA-256",
            "authentication": scram.first(),
        });
        hello.extend_from_slice(first.to_string().as_bytes());
        hello.push(0);
        self.stream.get_mut().write_all(&hello)?;
        self.hear()?;
        let said = |answer: &Json| {
            let said = answer.get("authentication").and_then(Json::as_str);
            said.map(str::to_owned)
                .ok_or_else(|| odd("a part of the handshake is missing"))
        };
        let proof = scram.answer(&said(&self.hear()?)?);
        let proof = proof.ok_or_else(|| odd("the handshake is odd"))?;
        let second = format!("{}\0", json!({"authentication": proof.message}));
        self.stream.get_mut().write_all(second.as_bytes())?;
        match said(&self.hear()?)? == proof.expected {
            true => Ok(()),
            false => Err(Error::Refused(
                "the server does not know the password".to_owned(),
            )),
        }
    }

    /// One message of the handshake: JSON up to a zero byte.
    fn hear(&mut self) -> Result<Json, Error> {
        let mut text = Vec::new();
        let mut byte = [0_u8];
        loop {
            self.stream.read_exact(&mut byte)?;
            match byte {
                [0] => break,
                _ if text.len() >= HANDSHAKE => return Err(odd("the handshake is too long")),
                _ => text.extend_from_slice(&byte),
            }
        }
        // Old servers answer with a bare text.
        let answer: Json = serde_json::from_slice(&text)
            .map_err(|_| Error::Refused(String::from_utf8_lossy(&text).trim().to_owned()))?;
        if answer.get("success") == Some(&json!(true)) {
            return Ok(answer);
        }
        let reason = answer.get("error").and_then(Json::as_str);
        Err(Error::Refused(
            reason.unwrap_or("the handshake failed").to_owned(),
        ))
    }

    fn send(&mut self, token: u64, query: &Json) -> Result<Rows, Error> {
        let text = query.to_string();
        let length = u32::try_from(text.len()).map_err(|_| odd("a query is too long"))?;
        let mut message = token.to_le_bytes().to_vec();
        message.extend_from_slice(&length.to_le_bytes());
        message.extend_from_slice(text.as_bytes());
        self.stream.get_mut().write_all(&message)?;
        loop {
            let (mut id, mut length) = ([0_u8; 8], [0_u8; 4]);
            self.stream.read_exact(&mut id)?;
            self.stream.read_exact(&mut length)?;
            let length = u32::from_le_bytes(length);
            if length > LARGEST {
                return Err(odd("an answer is too long"));
            }
            let mut body = Vec::new();
            let read = self
                .stream
                .by_ref()
                .take(u64::from(length))
                .read_to_end(&mut body)?;
            if read < length as usize {
                return Err(Error::Lost(io::ErrorKind::UnexpectedEof.into()));
            }
            // What is left of a query that was stopped is passed over.
            if u64::from_le_bytes(id) == token {
                return answer(token, &body);
            }
        }
    }

    /// Asks; the first part of the answer.
    pub fn ask(&mut self, term: &Json) -> Result<Rows, Error> {
        self.token += 1;
        self.send(self.token, &json!([1, term, {}]))
    }

    /// The next part of an answer.
    pub fn more(&mut self, token: u64) -> Result<Rows, Error> {
        self.send(token, &json!([2]))
    }

    /// Needs no more of an answer.
    pub fn stop(&mut self, token: u64) -> Result<(), Error> {
        self.send(token, &json!([3])).map(drop)
    }

    /// Asks for one value, such as a list of names.
    pub fn one(&mut self, term: &Json) -> Result<Json, Error> {
        let answer = self.ask(term)?;
        Ok(answer.rows.into_iter().next().unwrap_or_default())
    }

    /// Asks for a list of texts.
    pub fn names(&mut self, term: &Json) -> Result<Vec<String>, Error> {
        let list = self.one(term)?;
        let names = list.as_array().map(Vec::as_slice).unwrap_or_default();
        let names = names
            .iter()
            .filter_map(|name| name.as_str().map(str::to_owned));
        Ok(names.collect())
    }
}

fn answer(token: u64, body: &[u8]) -> Result<Rows, Error> {
    let answer: Json = serde_json::from_slice(body).map_err(|_| odd("an answer is no JSON"))?;
    let kind = answer.get("t").and_then(Json::as_u64).unwrap_or(0);
    let rows = match answer.get("r") {
        Some(Json::Array(rows)) => rows.clone(),
        _ => Vec::new(),
    };
    match kind {
        1 | 2 | 4 | 5 => Ok(Rows { rows, more: None }),
        3 => Ok(Rows {
            rows,
            more: Some(token),
        }),
        _ => {
            let said = rows.first().and_then(Json::as_str).unwrap_or("no reason");
            let kind = match kind {
                16 => "the client erred",
                17 => "the query is wrong",
                18 => "the query failed",
                _ => "an unknown answer",
            };
            Err(Error::Refused(format!("{kind}: {said}")))
        }
    }
}
