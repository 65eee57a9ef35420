//! REST_GET and REST_POST against servers on 127.0.0.1 that behave well and badly.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use stellar::config::{Config, Surroundings};
use stellar::engine::{Engine, Overrides};
use stellar::eval::json;
use stellar::eval::text::to_text;
use support::Home;
use support::http::{Server, answer, redirect};

/// No time-out is meant to be that long; machines may be busy.
const HANG: Duration = Duration::from_secs(60);

fn engine_with(change: impl FnOnce(&mut Config)) -> Engine {
    let mut config = Config::default();
    config.functions.network = true;
    change(&mut config);
    let around = Surroundings {
        home: Some("/".into()),
        folder: "/".into(),
        ..Surroundings::default()
    };
    Engine::new(config, &around, &Overrides::default()).unwrap()
}

fn engine() -> Engine {
    engine_with(|_| ())
}

fn global(engine: &Engine, name: &str, text: &str) {
    let value = json::read(text, 16).unwrap();
    engine.context.globals.write().insert(name.into(), value);
}

fn says(engine: &Engine, expression: &str) -> String {
    match engine.evaluate(expression) {
        Ok(value) => to_text(&value).to_string(),
        Err(fault) => format!("{} {}", fault.code.name(), fault.message),
    }
}

/// What REST_GET gives, `'failed'` for a failure of the server.
fn get(engine: &Engine, url: &str, settings: &str) -> String {
    let comma = if settings.is_empty() { "" } else { ", " };
    says(
        engine,
        &format!("REST_GET('{url}', {{'error.value.override' : 'failed'{comma}{settings}}})"),
    )
}

#[test]
fn getting_an_object() {
    let server = Server::saying(answer("200 OK", "{\"b\": 1, \"a\": [\"ž\", null, 2.5]}"));
    let engine = engine();
    let url = server.url("/x%20y?z=1#part");
    for _ in 0..3 {
        assert_eq!(
            says(&engine, &format!("REST_GET('{url}')")),
            "{b=1, a=[ž, null, 2.5]}"
        );
    }
    assert_eq!(server.connections(), 1, "connections are kept");
    let seen = &server.seen()[0];
    assert_eq!(seen.line, "GET /x%20y?z=1 HTTP/1.1");
    assert_eq!(seen.header("accept"), "application/json");
    assert_eq!(seen.header("host"), format!("127.0.0.1:{}", server.port));
    assert!(!seen.headers.contains_key("authorization"));
}

#[test]
fn parameters_count_only_as_the_last_argument() {
    let server = Server::saying(answer("200 OK", "{}"));
    let engine = engine();
    let targets = |expression: &str| {
        let said = says(&engine, &expression.replace("URL", &server.url("/p?a=1")));
        match server.seen().last() {
            Some(seen) if said == "{}" => seen.target().to_string(),
            _ => said.split(' ').next().unwrap().to_string(),
        }
    };
    let query = "{'q' : 'x & ž', 'r' : ''}";
    assert_eq!(
        targets(&format!("REST_GET('URL', {{}}, {query})")),
        "/p?a=1&q=x+%26+%C5%BE&r="
    );
    assert_eq!(targets("REST_GET('URL', null, null)"), "/p?a=1");
    assert_eq!(
        targets(&format!("REST_GET('URL', {{}}, {query}, 1)")),
        "/p?a=1"
    );
    assert_eq!(
        targets(&format!("REST_POST('URL', null, {{}}, {query})")),
        "/p?a=1&q=x+%26+%C5%BE&r="
    );
    assert_eq!(targets("REST_GET('URL', {}, {'n' : 1})"), "E0204");
    assert_eq!(targets("REST_GET('URL', {}, 'n=1')"), "E0203");
    assert_eq!(targets("REST_GET('URL', 'config')"), "E0203");
}

#[test]
fn posting() {
    let server = Server::saying(answer("200 OK", "{\"ok\": true}"));
    let engine = engine();
    let url = server.url("/");
    for (data, body) in [
        (
            "{'a' : 1, 'b' : ['x', null]}",
            "{\"a\":1,\"b\":[\"x\",null]}",
        ),
        ("'{\"ž\": 1} '", "{\"ž\": 1} "),
        ("null", ""),
    ] {
        assert_eq!(
            says(&engine, &format!("REST_POST('{url}', {data})")),
            "{ok=true}"
        );
        let seen = server.seen().pop().unwrap();
        assert_eq!(
            (seen.body.as_str(), seen.header("content-type")),
            (body, "application/json")
        );
        assert_eq!(seen.header("content-length"), body.len().to_string());
        assert!(seen.line.starts_with("POST "));
    }
    for data in ["'text'", "'[1]'", "''", "5", "[1]"] {
        let said = says(&engine, &format!("REST_POST('{url}', {data})"));
        assert!(said.starts_with("E0216"), "{data}: {said}");
    }
    assert_eq!(
        says(
            &engine,
            &format!("REST_POST('{url}', [1, 'x'], {{'enforce.json' : false}})")
        ),
        "{ok=true}"
    );
    assert_eq!(server.seen().pop().unwrap().body, "[1, x]");
}

#[test]
fn failures_give_the_value_for_errors() {
    let engine = engine_with(|config| config.limits.string = 1000);
    let long = format!("{{\"a\": \"{}\"}}", "x".repeat(2000));
    let chunked =
        format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7d9\r\n{long}\r\n0\r\n\r\n");
    for bad in [
        answer("404 Not Found", "{}"),
        answer("500 Internal Server Error", "no JSON"),
        answer("201 Created", "{}"),
        answer("200 OK", "[1]"),
        answer("200 OK", "null"),
        answer("200 OK", "  "),
        answer("200 OK", "<html>"),
        answer("200 OK", "{\"a\": "),
        answer("200 OK", &"{\"a\":".repeat(300)),
        answer("200 OK", &long),
        chunked.into_bytes(),
        b"HTTP/1.1 200 OK\r\nContent-Length: 100000000000\r\n\r\n{}".to_vec(),
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n{}".to_vec(),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}".to_vec(),
        b"220 mail.example ESMTP\r\n".to_vec(),
        b"\x16\x03\x01\x02\x00".to_vec(),
        b"".to_vec(),
    ] {
        let sent = bad.clone();
        let server = Server::start(move |_, stream| {
            let _ = stream.write_all(&sent);
            false
        });
        let shown = String::from_utf8_lossy(&bad[..bad.len().min(60)]).into_owned();
        assert_eq!(get(&engine, &server.url("/"), ""), "failed", "{shown}");
        assert_eq!(
            says(&engine, &format!("REST_GET('{}')", server.url("/"))),
            "null",
            "{shown}"
        );
    }
    let short = Server::start(|_, stream| {
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{\"a\": 1}")
            .unwrap();
        false
    });
    assert_eq!(
        get(&engine, &short.url("/"), ""),
        "failed",
        "a body that ends early"
    );
    // A port that nobody listens on, a name that does not exist.
    let gone = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    assert_eq!(get(&engine, &format!("http://{gone}/"), ""), "failed");
    assert_eq!(
        get(&engine, "http://nowhere.invalid/", "'timeout' : 20000"),
        "failed"
    );
    // TLS with a server that speaks none.
    let plain = Server::saying(answer("400 Bad Request", ""));
    assert_eq!(
        get(&engine, &format!("https://127.0.0.1:{}/", plain.port), ""),
        "failed"
    );
}

#[test]
fn which_answers_count() {
    let engine = engine();
    let teapot = Server::saying(answer("418 Teapot", "{\"short\": true}"));
    assert_eq!(
        get(
            &engine,
            &teapot.url("/"),
            "'response.codes.allowed' : [200, 418]"
        ),
        "{short=true}"
    );
    assert_eq!(
        get(&engine, &teapot.url("/"), "'response.codes.allowed' : []"),
        "failed"
    );
    let nothing = Server::saying(answer("200 OK", ""));
    assert_eq!(get(&engine, &nothing.url("/"), ""), "null");
    assert_eq!(
        get(&engine, &nothing.url("/"), "'empty.content.override' : {}"),
        "{}"
    );
    let no_content = Server::saying("HTTP/1.1 204 No Content\r\n\r\n");
    let allowed = "'response.codes.allowed' : [204], 'verify.content.length' : true, 'empty.content.override' : 'none'";
    assert_eq!(get(&engine, &no_content.url("/"), allowed), "none");
    let chunked =
        Server::saying("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n");
    assert_eq!(get(&engine, &chunked.url("/"), ""), "{}");
    assert_eq!(
        get(&engine, &chunked.url("/"), "'verify.content.length' : true"),
        "failed"
    );
    let wide = Server::saying(answer("200 OK", "{\"a\": \"žš\"}"));
    assert_eq!(
        get(&engine, &wide.url("/"), "'verify.content.length' : true"),
        "{a=žš}"
    );
    let latin = Server::saying(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=ISO-8859-1\r\nContent-Length: 10\r\n\r\n{\"a\": \"\xe9\"}".to_vec(),
    );
    assert_eq!(get(&engine, &latin.url("/"), ""), "{a=é}");
}

#[test]
fn settings_in_their_order() {
    let server = Server::saying(answer("500 No", "{}"));
    let engine = engine();
    let url = server.url("/");
    let value = |expression: &str| says(&engine, &expression.replace("URL", &url));
    global(
        &engine,
        "stellar.rest.settings",
        r#"{"error.value.override": "all"}"#,
    );
    assert_eq!(value("REST_GET('URL')"), "all");
    global(
        &engine,
        "stellar.rest.get.settings",
        r#"{"error.value.override": "get"}"#,
    );
    global(
        &engine,
        "stellar.rest.post.settings",
        r#"{"error.value.override": "post"}"#,
    );
    assert_eq!(value("REST_GET('URL')"), "get");
    assert_eq!(value("REST_POST('URL', null)"), "post");
    assert_eq!(
        value("REST_GET('URL', {'error.value.override' : 'own'})"),
        "own"
    );
    assert_eq!(
        value("REST_GET('URL', {'error.value.override' : null})"),
        "null"
    );
    assert_eq!(value("REST_GET('URL', {'timout' : 5})"), "get");
    for wrong in [
        "'timeout' : 'soon'",
        "'proxy.port' : 0",
        "'proxy.port' : 65536",
        "'response.codes.allowed' : 200",
        "'response.codes.allowed' : ['x']",
        "'verify.content.length' : 'perhaps'",
    ] {
        let said = value(&format!("REST_GET('URL', {{{wrong}}})"));
        assert!(said.starts_with("E0204"), "{wrong}: {said}");
    }
    global(
        &engine,
        "stellar.rest.get.settings",
        r#"{"timeout": "soon"}"#,
    );
    assert!(
        value("REST_GET('URL')").starts_with("E0501 the global stellar.rest.get.settings: timeout")
    );
    global(&engine, "stellar.rest.get.settings", "5");
    assert!(value("REST_GET('URL')").starts_with("E0501"));
}

fn slow(time: u64) -> Server {
    Server::start(move |_, stream| {
        std::thread::sleep(Duration::from_millis(time));
        stream.write_all(&answer("200 OK", "{\"late\": 1}")).is_ok()
    })
}

#[test]
fn time_outs() {
    let engine = engine();
    let took = |url: &str, settings: &str| {
        let started = Instant::now();
        (get(&engine, url, settings), started.elapsed())
    };
    let server = slow(3000);
    let (said, time) = took(&server.url("/"), "'timeout' : 200");
    assert_eq!(said, "failed");
    assert!(
        time >= Duration::from_millis(200) && time < HANG,
        "{time:?}"
    );
    // The usual second.
    let (said, time) = took(&server.url("/"), "");
    assert_eq!(said, "failed");
    assert!(
        time >= Duration::from_millis(1000) && time < HANG,
        "{time:?}"
    );
    let (said, time) = took(
        &server.url("/"),
        "'timeout' : 10000, 'socket.timeout' : 200",
    );
    assert_eq!(said, "failed");
    assert!(time < HANG, "{time:?}");
    // A body that trickles: never silent for long, but endless.
    let trickle = Server::start(|_, stream| {
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n{")
            .unwrap();
        while stream.write_all(b" ").is_ok() {
            std::thread::sleep(Duration::from_millis(50));
        }
        false
    });
    let (said, time) = took(&trickle.url("/"), "'timeout' : 400, 'socket.timeout' : 300");
    assert_eq!(said, "failed");
    assert!(
        time >= Duration::from_millis(400) && time < HANG,
        "{time:?}"
    );
    // Patience is rewarded.
    let server = slow(1200);
    assert_eq!(
        get(&engine, &server.url("/"), "'timeout' : 20000"),
        "{late=1}"
    );
    assert_eq!(get(&engine, &server.url("/"), "'timeout' : 0"), "failed");
}

#[test]
fn the_evaluation_can_be_stopped() {
    let server = slow(20_000);
    let engine = engine();
    let cancel = Arc::clone(&engine.context.cancel);
    let stopper = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(200));
        cancel.store(true, Ordering::Relaxed);
        Instant::now()
    });
    let url = server.url("/");
    let said = says(
        &engine,
        &format!("REST_GET('{url}', {{'timeout' : 60000}})"),
    );
    assert!(said.starts_with("E0307"), "{said}");
    // 100 ms are the aim; the server would answer much later.
    assert!(stopper.join().unwrap().elapsed() < HANG);
    let engine = engine_with(|config| config.limits.time = Duration::from_millis(300));
    let started = Instant::now();
    let said = says(
        &engine,
        &format!("REST_GET('{url}', {{'timeout' : 60000}})"),
    );
    assert!(said.starts_with("E0306"), "{said}");
    assert!(started.elapsed() < HANG);
}

#[test]
fn connections_are_bounded() {
    let server = slow(300);
    let engine = engine();
    global(&engine, "pooling.default.max.per.route", "1");
    let url = server.url("/");
    let ask = |settings: &str| get(&engine, &url, settings);
    std::thread::scope(|scope| {
        let first = scope.spawn(|| ask("'timeout' : 20000"));
        std::thread::sleep(Duration::from_millis(100));
        let hasty = scope.spawn(|| ask("'timeout' : 20000, 'connection.request.timeout' : 50"));
        let patient = scope.spawn(|| ask("'timeout' : 20000"));
        assert_eq!(hasty.join().unwrap(), "failed");
        assert_eq!(first.join().unwrap(), "{late=1}");
        assert_eq!(patient.join().unwrap(), "{late=1}");
    });
    assert_eq!(server.connections(), 1);
    // A connection that the server has closed meanwhile is no failure.
    let closing = Server::start(|seen, stream| {
        stream.write_all(&answer("200 OK", "{}")).unwrap();
        std::thread::sleep(Duration::from_millis(50));
        seen.target() == "/keep"
    });
    for _ in 0..3 {
        assert_eq!(get(&engine, &closing.url("/"), ""), "{}");
        std::thread::sleep(Duration::from_millis(150));
        assert_eq!(
            says(&engine, &format!("REST_POST('{}', null)", closing.url("/"))),
            "{}"
        );
    }
}

#[test]
fn redirects() {
    let engine = engine();
    let other = Server::saying(answer("200 OK", "{\"other\": 1}"));
    let elsewhere = other.url("/there");
    let server = Server::start(move |seen, stream| {
        let reply = match seen.target() {
            "/a" => redirect("301 Moved", "b?x=1"),
            "/b?x=1" => redirect("302 Found", "/c"),
            "/c" => answer("200 OK", "{\"c\": 1}"),
            "/loop" => redirect("307 Again", "/pool"),
            "/pool" => redirect("308 Again", "/loop"),
            "/file" => redirect("302 Found", "file:///etc/passwd"),
            "/meta" => redirect("302 Found", "http://169.254.169.254/latest/meta-data/"),
            "/strange" => redirect("302 Found", "http://[nonsense"),
            "/result" => redirect("303 See Other", "/c"),
            "/other" => redirect("302 Found", &elsewhere),
            n => match n.strip_prefix("/n").and_then(|n| n.parse::<u32>().ok()) {
                Some(n) => redirect("302 Found", &format!("/n{}", n + 1)),
                None => answer("404 Not Found", ""),
            },
        };
        stream.write_all(&reply).is_ok()
    });
    let at = |path: &str| get(&engine, &server.url(path), "'timeout' : 5000");
    assert_eq!(at("/a"), "{c=1}");
    assert_eq!(at("/other"), "{other=1}");
    for path in ["/loop", "/file", "/meta", "/strange", "/n0"] {
        assert_eq!(at(path), "failed", "{path}");
    }
    // Posts are led on only to where their result is.
    let post = |path: &str| {
        says(
            &engine,
            &format!("REST_POST('{}', {{'x' : 1}})", server.url(path)),
        )
    };
    assert_eq!(post("/b?x=1"), "null");
    assert_eq!(post("/result"), "{c=1}");
    let last = server.seen().pop().unwrap();
    assert_eq!(
        (last.line.as_str(), last.body.as_str()),
        ("GET /c HTTP/1.1", "")
    );
    // Who may see the first server's password may not see another's.
    let url = server.url("/other").replace("http://", "http://me:secret@");
    assert_eq!(get(&engine, &url, ""), "{other=1}");
    assert_eq!(
        server.seen().pop().unwrap().header("authorization"),
        "Basic bWU6c2VjcmV0"
    );
    assert_eq!(other.seen().pop().unwrap().header("authorization"), "");
}

#[test]
fn passwords_from_files() {
    let folder = tempfile::TempDir::new().unwrap();
    let allowed = folder.path().join("allowed");
    std::fs::create_dir(&allowed).unwrap();
    std::fs::write(allowed.join("pw"), "open sesame\n").unwrap();
    std::fs::write(folder.path().join("other"), "x").unwrap();
    std::os::unix::fs::symlink(folder.path().join("other"), allowed.join("link")).unwrap();
    let server = Server::saying(answer("200 OK", "{}"));
    let open = engine_with(|config| config.functions.files = vec![allowed.clone()]);
    let ask = |engine: &Engine, path: &std::path::Path| {
        let path = path.display();
        get(
            engine,
            &server.url("/"),
            &format!("'basic.auth.user' : 'ali', 'basic.auth.password.path' : '{path}'"),
        )
    };
    assert_eq!(ask(&open, &allowed.join("pw")), "{}");
    assert_eq!(
        server.seen().pop().unwrap().header("authorization"),
        "Basic YWxpOm9wZW4gc2VzYW1l"
    );
    assert_eq!(ask(&open, &allowed.join("missing")), "failed");
    for path in [
        folder.path().join("other"),
        allowed.join("../other"),
        allowed.join("link"),
        folder.path().join("missing"),
    ] {
        let said = ask(&open, &path);
        assert!(said.starts_with("E0217"), "{path:?}: {said}");
    }
    assert!(ask(&engine(), &allowed.join("pw")).starts_with("E0217"));
    // A pipe is not waited for, and a file without end not read.
    let pipe = allowed.join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    assert!(ask(&open, &pipe).starts_with("E0204"));
    std::fs::write(allowed.join("large"), "x".repeat(1 << 20)).unwrap();
    assert!(ask(&open, &allowed.join("large")).starts_with("E0303"));
    assert_eq!(server.seen().len(), 1);
}

#[test]
fn proxies() {
    let folder = tempfile::TempDir::new().unwrap();
    std::fs::write(folder.path().join("pw"), "pw").unwrap();
    let proxy = Server::start(|seen, stream| match seen.line.split(' ').next() {
        Some("CONNECT") => {
            let _ = stream.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
            false
        }
        _ => stream
            .write_all(&answer("200 OK", "{\"proxy\": 1}"))
            .is_ok(),
    });
    let engine = engine_with(|config| config.functions.files = vec![folder.path().into()]);
    let settings = format!(
        "'proxy.host' : '127.0.0.1', 'proxy.port' : {}, 'proxy.basic.auth.user' : 'me', \
         'proxy.basic.auth.password.path' : '{}/pw'",
        proxy.port,
        folder.path().display()
    );
    assert_eq!(
        get(&engine, "http://service.example:8080/a?b=c", &settings),
        "{proxy=1}"
    );
    let seen = proxy.seen().pop().unwrap();
    assert_eq!(seen.line, "GET http://service.example:8080/a?b=c HTTP/1.1");
    assert_eq!(seen.header("host"), "service.example:8080");
    assert_eq!(seen.header("proxy-authorization"), "Basic bWU6cHc=");
    assert_eq!(
        get(&engine, "https://service.example/a", &settings),
        "failed"
    );
    let seen = proxy.seen().pop().unwrap();
    assert_eq!(seen.line, "CONNECT service.example:443 HTTP/1.1");
    assert_eq!(seen.header("proxy-authorization"), "Basic bWU6cHc=");
}

#[test]
fn what_the_configuration_forbids() {
    let server = Server::saying(answer("200 OK", "{}"));
    let here = server.url("/");
    let off = engine_with(|config| config.functions.network = false);
    let fault = off.evaluate(&format!("REST_GET('{here}')")).unwrap_err();
    assert_eq!(fault.code.name(), "E0217");
    assert!(
        fault
            .help
            .iter()
            .any(|help| help.contains("functions.network"))
    );
    let only = engine_with(|config| {
        config.functions.hosts = vec!["api.example".into(), "*.corp.example".into()];
    });
    let public = engine_with(|config| config.functions.public_only = true);
    let listed = engine_with(|config| {
        config.functions.hosts = vec!["127.0.0.1".into()];
        config.functions.public_only = true;
    });
    let local = format!("http://localhost:{}/", server.port);
    let mapped = format!("http://[::ffff:127.0.0.1]:{}/", server.port);
    let odd = format!("http://0x7f.1:{}/", server.port);
    for (engine, url) in [
        (&only, here.as_str()),
        (&only, "http://corp.example/"),
        (&only, "http://evilcorp.example/"),
        (&public, here.as_str()),
        (&public, local.as_str()),
        (&public, mapped.as_str()),
        (&public, odd.as_str()),
        (&public, "http://10.0.0.1/"),
        (&listed, local.as_str()),
        (&engine(), "http://169.254.169.254/latest/meta-data/"),
        (&engine(), "http://[fe80::1]/"),
    ] {
        let said = says(engine, &format!("REST_GET('{url}', {{'timeout' : 5000}})"));
        assert!(said.starts_with("E0217"), "{url}: {said}");
    }
    assert_eq!(says(&listed, &format!("REST_GET('{here}')")), "{}");
    assert_eq!(says(&listed, &format!("REST_GET('{odd}')")), "{}");
    // A proxy is a host as well.
    let settings = format!("'proxy.host' : '127.0.0.1', 'proxy.port' : {}", server.port);
    assert!(get(&public, "http://service.example/", &settings).starts_with("E0217"));
    assert_eq!(server.seen().len(), 2);
}

#[test]
fn addresses_that_are_none() {
    let engine = engine();
    for (url, code) in [
        ("", "E0204"),
        ("example.com", "E0204"),
        ("localhost:80/x", "E0204"),
        ("/path", "E0204"),
        ("file:///etc/passwd", "E0204"),
        ("ftp://example.com/", "E0204"),
        ("http://", "E0204"),
        ("http://a b/", "E0204"),
        ("http://a/{x}", "E0204"),
        ("http://a/%zz", "E0204"),
        ("http://a:99999/", "E0204"),
    ] {
        let said = says(&engine, &format!("REST_GET('{url}')"));
        assert!(said.starts_with(code), "{url}: {said}");
    }
    let said = says(&engine, "REST_GET('http://me:hunter2@a b/')");
    assert!(!said.contains("hunter2"), "{said}");
    for expression in ["REST_GET(null)", "REST_GET([])", "REST_POST(null, {})"] {
        assert!(
            says(&engine, expression).starts_with("E0203"),
            "{expression}"
        );
    }
    for expression in ["REST_GET()", "REST_POST('http://a/')"] {
        assert!(
            says(&engine, expression).starts_with("E0202"),
            "{expression}"
        );
    }
}

#[test]
fn the_log_says_why() {
    let home = Home::new();
    let server = Server::saying(answer("404 Not Found", "{\"reason\": \"no such asset\"}"));
    let url = server
        .url("/?token=hunter2")
        .replace("http://", "http://me:hunter2@");
    let expression = format!("REST_GET('{url}')");
    let arguments = [
        "--set",
        "functions.network=true",
        "--log",
        "warn",
        "eval",
        &expression,
    ];
    let ran = home.run(&arguments, "").ended(0);
    assert_eq!(ran.out(), "null\n");
    assert!(
        ran.err.contains("404") && ran.err.contains("no such asset"),
        "{}",
        ran.err
    );
    assert!(!ran.err.contains("hunter2"), "{}", ran.err);
}
