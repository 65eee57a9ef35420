//! The forward protocol as a client and as a server see it: raw bytes against `input_forward`, and `output_forward`
//! against `input_forward`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use sha2::{Digest, Sha512};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use support::Home;

const PATIENCE: Duration = Duration::from_secs(60);

fn free_port() -> u16 {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    free.local_addr().unwrap().port()
}

/// A running pipeline; what it prints goes to files.
struct Running<'a> {
    home: &'a Home,
    name: String,
    child: Child,
}

fn start<'a>(home: &'a Home, name: &str, yaml: &str, arguments: &[&str]) -> Running<'a> {
    home.write(&format!("{name}.yaml"), yaml);
    let file = format!("{name}.yaml");
    let mut all = vec!["pipeline", "run", file.as_str()];
    all.extend(arguments);
    let mut command = home.command(&all);
    let out = |kind: &str| {
        let path = home.path(&format!("{name}.{kind}"));
        File::options()
            .create(true)
            .append(true)
            .open(path)
            .unwrap()
    };
    command
        .stdin(Stdio::null())
        .stdout(out("out"))
        .stderr(out("err"));
    Running {
        home,
        name: name.to_owned(),
        child: command.spawn().unwrap(),
    }
}

impl Running<'_> {
    fn said(&self, kind: &str) -> String {
        let path = self.home.path(&format!("{}.{kind}", self.name));
        std::fs::read_to_string(path).unwrap()
    }

    /// What it said besides where it listens.
    fn complaints(&self) -> String {
        let said = self.said("err");
        let lines = said
            .lines()
            .filter(|line| !line.contains("input_forward listens at 127.0.0.1:"));
        lines.collect()
    }

    fn lines(&self) -> Vec<String> {
        self.said("out").lines().map(str::to_owned).collect()
    }

    fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        let mut kill = Command::new("kill");
        assert!(kill.args([signal, &id]).status().unwrap().success());
    }

    /// The exit code, and how long the end took.
    fn wait(&mut self) -> (Option<i32>, Duration) {
        let begin = Instant::now();
        while begin.elapsed() < 2 * PATIENCE {
            if let Some(status) = self.child.try_wait().unwrap() {
                return (status.code(), begin.elapsed());
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        panic!("{} does not end: {}", self.name, self.said("err"));
    }

    fn stop(&mut self) -> Duration {
        self.signal("-TERM");
        let (code, time) = self.wait();
        assert_eq!(code, Some(0), "{}", self.said("err"));
        time
    }

    /// Waits until something is so.
    #[track_caller]
    fn until(&self, what: &str, good: impl Fn() -> bool) {
        let begin = Instant::now();
        while !good() {
            assert!(begin.elapsed() < PATIENCE, "{what}: {}", self.said("err"));
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Connects as soon as somebody listens.
fn connect(port: u16) -> TcpStream {
    let begin = Instant::now();
    loop {
        match TcpStream::connect(("127.0.0.1", port)) {
            Ok(stream) => {
                stream.set_read_timeout(Some(PATIENCE)).unwrap();
                return stream;
            }
            Err(error) => assert!(begin.elapsed() < PATIENCE, "{error}"),
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn hex(text: &str) -> Vec<u8> {
    let digits: String = text.split_whitespace().collect();
    data_encoding::HEXLOWER.decode(digits.as_bytes()).unwrap()
}

fn text(text: &str, out: &mut Vec<u8>) {
    out.extend([0xdb]);
    out.extend((text.len() as u32).to_be_bytes());
    out.extend(text.as_bytes());
}

/// `[tag, [[n, {"n": n}]], {"chunk": chunk}]`
fn message(tag: &str, n: u32, chunk: Option<&str>) -> Vec<u8> {
    let mut out = vec![0x92 + u8::from(chunk.is_some())];
    text(tag, &mut out);
    out.extend([0x91, 0x92, 0xce]);
    out.extend(n.to_be_bytes());
    out.extend([0x81, 0xa1, b'n', 0xce]);
    out.extend(n.to_be_bytes());
    if let Some(chunk) = chunk {
        out.extend([0x81, 0xa5]);
        out.extend(b"chunk");
        text(chunk, &mut out);
    }
    out
}

fn ack(stream: &mut TcpStream, chunk: &str) {
    let mut expected = vec![0x81, 0xa3, b'a', b'c', b'k', 0xa0 | chunk.len() as u8];
    expected.extend(chunk.as_bytes());
    let mut heard = vec![0; expected.len()];
    stream.read_exact(&mut heard).expect("an acknowledgement");
    assert_eq!(heard, expected);
}

fn input(port: u16, more: &str) -> String {
    format!("pipelines:\n  p:\n    - {{name: input_forward, port: {port}{more}}}\n")
}

fn printed(port: u16, more: &str) -> String {
    input(port, more) + "    - {name: output_stdout, match: '*'}\n"
}

/// A certificate for a name, and its key, in files.
fn certificate(home: &Home, name: &str) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(vec![name.to_string()]).unwrap();
    home.write("crt.pem", cert.pem());
    home.write("key.pem", signing_key.serialize_pem());
}

#[test]
fn what_feedoo_takes_is_taken() {
    let home = Home::new();
    let (plain, keyed) = (free_port(), free_port());
    let yaml = format!(
        "{}  k:\n    - {{name: input_forward, port: {keyed}, shared_key: my_key, server_hostname: srv.example, buffer_size: 2000}}\n    - {{name: output_stdout, match: '*'}}\n",
        printed(plain, ", host: localhost")
    );
    let mut running = start(&home, "p", &yaml, &[]);
    let send = |bytes: &str| {
        let mut stream = connect(plain);
        stream.write_all(&hex(bytes)).unwrap();
        stream
    };
    let _int = send(
        "92 a666772e696e74 91 92 ce5fd24dfe 87 a16101 a162a6c5be6c75c5a5 a16c 92a17881a16ba176 a362696ec402fffe a16ec0 a174c3 a166cb3ff8000000000000",
    );
    let mut chunk = send(
        "93 a966772e657674696d65 92 92d7005fd24dfe1dcd650081a16102 92d7005fd24dfe1dcd650081a16103 82 a56368756e6ba3616263 a473697a6502",
    );
    ack(&mut chunk, "abc");
    let two = send("92a574776f2e61 91 920181a16d01 92a574776f2e62 91 920281a16d02");
    two.shutdown(Shutdown::Write).unwrap();
    let _slow = send("92a4736c6f77 91 920181a16da56669727374");
    let greet = |key: &str| {
        let mut stream = connect(keyed);
        let mut helo = vec![0; 97];
        stream.read_exact(&mut helo).unwrap();
        assert_eq!(&helo[..7], hex("92a448454c4f83"));
        let nonce = &helo[15..79];
        let digest = |parts: &[&[u8]]| {
            let digest = Sha512::digest(parts.concat());
            data_encoding::HEXLOWER.encode(&digest)
        };
        let mut ping = hex("96a450494e47");
        for word in [
            "client.host",
            "salt",
            &digest(&[b"salt", b"client.host", nonce, key.as_bytes()]),
            "",
            "",
        ] {
            text(word, &mut ping);
        }
        stream.write_all(&ping).unwrap();
        let proof = digest(&[b"salt", b"srv.example", nonce, key.as_bytes()]);
        (stream, proof)
    };
    let (mut good, proof) = greet("my_key");
    let mut pong = vec![0; 7 + 1 + 12 + 2 + 128];
    good.read_exact(&mut pong).unwrap();
    assert_eq!(&pong[..8], hex("95a4504f4e47c3a0"));
    assert_eq!(&pong[pong.len() - 128..], proof.as_bytes());
    good.write_all(&hex("92a86b657965642e6f6b 91 92ce5fd24dfe81a16b01"))
        .unwrap();
    let (mut bad, _) = greet("bad");
    let mut pong = Vec::new();
    bad.read_to_end(&mut pong).unwrap();
    assert_eq!(
        pong,
        hex("95a4504f4e47c2ae62616420736861726564206b6579a0a0")
    );
    running.until("eight lines", || running.lines().len() >= 7);
    running.stop();
    let recorded = "tests/conformance/feedoo/c22_input_forward/expected.stdout";
    let recorded = std::fs::read_to_string(recorded).unwrap();
    // The corrections: half a second is half a second, and texts within texts are texts.
    let recorded = recorded
        .replace("1607618546.0", "1607618046.5")
        .replace("[b'x', {b'k': b'v'}]", "['x', {'k': 'v'}]");
    let expected: BTreeSet<&str> = recorded.lines().filter(|l| !l.starts_with("tls")).collect();
    let lines = running.lines();
    assert_eq!(
        lines.iter().map(String::as_str).collect::<BTreeSet<_>>(),
        expected
    );
    let said = running.said("err");
    assert!(said.contains("it is not let in: bad shared key"), "{said}");
    assert!(!said.contains("my_key"), "{said}");
}

#[test]
fn what_cannot_be_read_ends_its_connection_only() {
    let home = Home::new();
    let port = free_port();
    let yaml = printed(port, ", chunk_size_limit: 100000");
    let mut running = start(&home, "p", &yaml, &["--dead-letter", "dead"]);
    let mut good = connect(port);
    good.write_all(&message("good", 1, None)).unwrap();
    for bad in [
        hex("7b227461672220"),
        hex("01"),
        hex("c1"),
        hex("92a17480"),
        hex("92a174c403929292"),
        hex("92a174c6ffffffff"),
        hex("93a174c401c0 81aa636f6d70726573736564a4677a6970"),
        vec![0x91; 500],
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        b"[\"json\", 4, {}][\"t\", 1,, {}][\"lost\", 4, {}]".to_vec(),
    ] {
        let mut stream = connect(port);
        // A message before it is taken.
        if bad[0] != b'{' && bad[0] != b'[' {
            stream.write_all(&message("before", 2, None)).unwrap();
        }
        stream.write_all(&bad).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
        assert!(rest.is_empty(), "{bad:?}");
    }
    // Entries that are no events are dead letters; the chunk is taken.
    let mut odd = hex("93a36f6464 92 05 920380 81a56368756e6ba163");
    odd.extend([0xc0]);
    good.write_all(&odd).unwrap();
    ack(&mut good, "c");
    // JSON, with blanks between.
    let mut json = connect(port);
    json.write_all(b"[\"json\", 4, {\"a\": [1, {\"b\": \"]\"}]}]\n [\"json\", [[5, {}]], {\"chunk\": \"j\"}]\n").unwrap();
    ack(&mut json, "j");
    let mut fine = connect(port);
    fine.write_all(&message("fine", 6, Some("f"))).unwrap();
    ack(&mut fine, "f");
    let time = running.stop();
    assert!(time < Duration::from_secs(3), "{time:?}");
    let mut lines = running.lines();
    lines.dedup();
    assert_eq!(
        lines,
        [
            "good[1.0]: {'n': 1}",
            "before[2.0]: {'n': 2}",
            "json[4.0]: {}",
            "odd[3.0]: {}",
            "json[4.0]: {'a': [1, {'b': ']'}]}",
            "json[5.0]: {}",
            "fine[6.0]: {'n': 6}"
        ]
    );
    assert_eq!(running.said("out").matches("before").count(), 8);
    let notes = running.said("err").matches("is closed: ").count();
    // What ends within a message has only gone.
    assert_eq!(notes, 9, "{}", running.said("err"));
    let dead = std::fs::read_to_string(home.path("dead")).unwrap();
    assert!(dead.contains("an entry is a time and a record"), "{dead}");
}

#[test]
fn acknowledged_is_what_the_disk_has() {
    let home = Home::new();
    let port = free_port();
    let yaml = input(port, "")
        + "    - {name: output_archive, match: '*', time_key: n, path_template: 'a.json'}\n";
    let mut running = start(&home, "p", &yaml, &[]);
    let mut stream = connect(port);
    for n in 0..20 {
        stream.write_all(&message("t", n, Some("x"))).unwrap();
        ack(&mut stream, "x");
        let archive = std::fs::read_to_string(home.path("a.json")).unwrap();
        assert_eq!(archive.lines().count() as u32, n + 1);
    }
    // What has been received when the end comes is finished, and answered.
    stream.write_all(&message("t", 20, Some("y"))).unwrap();
    std::thread::sleep(Duration::from_millis(2));
    running.signal("-TERM");
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest);
    assert_eq!(running.wait().0, Some(0));
    let archive = std::fs::read_to_string(home.path("a.json")).unwrap();
    assert_eq!(archive.lines().count(), 21);
    assert!(rest.ends_with(b"\xa1y"), "{rest:?}");
}

#[test]
fn a_thousand_connections() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, hard.min(4096), hard).unwrap();
    let home = Home::new();
    let port = free_port();
    let mut running = start(&home, "p", &printed(port, ""), &[]);
    let mut streams: Vec<TcpStream> = (0..1000).map(|_| connect(port)).collect();
    for round in 0..3 {
        for (n, stream) in streams.iter_mut().enumerate() {
            let bytes = message("t", n as u32, Some("k"));
            // In pieces, so that all of them are open halfway.
            let (head, tail) = bytes.split_at(7 + round);
            stream.write_all(head).unwrap();
            stream.flush().unwrap();
            stream.write_all(tail).unwrap();
        }
        streams.iter_mut().for_each(|stream| ack(stream, "k"));
    }
    let time = running.stop();
    assert!(time < Duration::from_secs(3), "{time:?}");
    assert_eq!(running.lines().len(), 3000);
    assert_eq!(running.complaints(), "");
}

#[test]
fn heartbeats_are_answered() {
    let home = Home::new();
    let port = free_port();
    let ask = || {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket
            .set_read_timeout(Some(Duration::from_millis(500)))
            .unwrap();
        socket.send_to(&[0], ("127.0.0.1", port)).unwrap();
        let mut answer = [7; 4];
        socket
            .recv(&mut answer)
            .map(|length| answer[..length].to_vec())
            .ok()
    };
    let mut running = start(&home, "p", &printed(port, ""), &[]);
    connect(port);
    assert_eq!(ask(), Some(vec![0]));
    running.stop();
    let mut running = start(&home, "q", &printed(port, ", heartbeat: none"), &[]);
    connect(port);
    assert_eq!(ask(), None);
    running.stop();
    // The port is taken: the input ends, and says so.
    let taken = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let mut running = start(&home, "r", &printed(port, ""), &["--once"]);
    assert_eq!(running.wait().0, Some(1));
    let said = running.complaints();
    assert!(said.contains(&format!("127.0.0.1:{port}")), "{said}");
    drop(taken);
}

#[test]
fn open_doors_are_told() {
    let home = Home::new();
    let port = free_port();
    let mut running = start(&home, "p", &printed(port, ", host: 0.0.0.0"), &[]);
    connect(port);
    running.until("a note", || {
        running.said("err").contains("set shared_key and TLS")
    });
    running.stop();
    let keyed = printed(port, ", host: 0.0.0.0, shared_key: geheim");
    let mut running = start(&home, "q", &keyed, &[]);
    connect(port);
    std::thread::sleep(Duration::from_millis(100));
    running.stop();
    assert!(
        !running.said("err").contains("everybody"),
        "{}",
        running.said("err")
    );
}

#[test]
fn a_full_pipeline_is_not_fed() {
    let home = Home::new();
    let (port, nowhere) = (free_port(), free_port());
    let yaml = input(port, "")
        + &format!(
            "    - {{name: output_forward, match: '*', port: {nowhere}, buffer_limit: 100000, stop_timeout: 0.2}}\n"
        );
    let mut running = start(&home, "p", &yaml, &[]);
    let mut stream = connect(port);
    stream
        .set_write_timeout(Some(Duration::from_secs(3)))
        .unwrap();
    let block = message("t", 1, None).repeat(4000);
    let mut sent = 0;
    while sent < 400 << 20 {
        match stream.write(&block) {
            Ok(written) => sent += written,
            Err(_) => break,
        }
    }
    assert!(sent < 64 << 20, "{sent} bytes were taken");
    running.signal("-TERM");
    let (code, time) = running.wait();
    assert_eq!(code, Some(1));
    assert!(time < Duration::from_secs(10), "{time:?}");
    let said = running.said("err");
    assert!(said.contains("has not taken"), "{said}");
}

/// Sends a file of lines from one program to another, and gives what the other printed.
fn relay(home: &Home, lines: usize, output: &str, receiver: &str) -> (String, String) {
    let port = free_port();
    let all: String = (0..lines).map(|n| format!("line {n} žluť\n")).collect();
    home.write("in/all", all);
    let mut running = start(home, "receiver", &printed(port, receiver), &[]);
    connect(port);
    let folder = home.path("in");
    let folder = folder.to_str().unwrap();
    let yaml = format!(
        "pipelines:\n  p:\n    - {{name: input_file, tag: t.a, watch_path: {folder}, path_pattern: '{folder}/*'}}\n    - {{name: output_forward, match: '*', port: {port}{output}}}\n"
    );
    let mut sender = start(home, "sender", &yaml, &["--once"]);
    let (code, _) = sender.wait();
    assert_eq!(
        code,
        Some(0),
        "{}\n{}",
        sender.said("err"),
        running.said("err")
    );
    running.stop();
    (
        running.said("out"),
        sender.complaints() + &running.complaints(),
    )
}

fn whole(printed: &str, lines: usize) {
    let time = regex::Regex::new(r"(?m)^t\.a\[[0-9]+\.0\]: ").unwrap();
    let printed = time.replace_all(printed, "");
    let expected: String = (0..lines)
        .map(|n| format!("{{'log': 'line {n} žluť'}}\n"))
        .collect();
    assert!(
        printed == expected,
        "{} bytes, not {}",
        printed.len(),
        expected.len()
    );
}

#[test]
fn from_program_to_program() {
    for (lines, output, receiver) in [
        (5000, ", chunk_size: 1000", ""),
        (5000, ", compress: gzip, chunk_size: 20000", ""),
        (500, ", require_ack: false", ""),
        (500, ", shared_key: k, self_hostname: me", ", shared_key: k"),
        (
            500,
            ", shared_key: k, username: joe, password: pw",
            ", shared_key: k, users: {ann: x, joe: pw}",
        ),
    ] {
        let home = Home::new();
        let (printed, said) = relay(&home, lines, output, receiver);
        whole(&printed, lines);
        assert_eq!(said, "", "{output}");
    }
    let home = Home::new();
    certificate(&home, "localhost");
    let (printed, _) = relay(
        &home,
        2000,
        ", host: localhost, tls: true, ca_file: crt.pem, shared_key: k",
        ", tls_enable: true, crt_file: crt.pem, key_file: key.pem, shared_key: k",
    );
    whole(&printed, 2000);
}

#[test]
fn who_is_not_let_in_loses_nothing_and_says_why() {
    let home = Home::new();
    certificate(&home, "other.example");
    let port = free_port();
    let tls = ", tls_enable: true, crt_file: crt.pem, key_file: key.pem";
    for (name, server, client, part) in [
        (
            "key",
            ", shared_key: geheim",
            ", shared_key: falsch",
            "bad shared key",
        ),
        (
            "user",
            ", shared_key: geheim, users: {joe: hidden}",
            ", shared_key: geheim, username: joe, password: falsch",
            "bad user or password",
        ),
        (
            "none",
            ", shared_key: geheim, users: {joe: hidden}",
            ", shared_key: geheim",
            "asks for a user",
        ),
        (
            "name",
            tls,
            ", host: localhost, tls: true, ca_file: crt.pem",
            "TLS failed",
        ),
    ] {
        let mut running = start(
            &home,
            &format!("{name}-server"),
            &printed(port, server),
            &[],
        );
        connect(port);
        let yaml = format!(
            "pipelines:\n  p:\n    - {{name: input_dummy, tag: t, data: {{a: 1}}}}\n    - {{name: output_forward, match: '*', port: {port}, stop_timeout: 0.1{client}}}\n"
        );
        let mut sender = start(&home, &format!("{name}-sender"), &yaml, &[]);
        sender.until(part, || sender.said("err").contains(part));
        sender.signal("-TERM");
        assert_eq!(sender.wait().0, Some(1));
        assert!(
            sender.said("err").contains("has not taken 1 events"),
            "{}",
            sender.said("err")
        );
        running.stop();
        assert_eq!(running.said("out"), "");
        let said = sender.said("err") + &running.said("err");
        for secret in ["geheim", "falsch", "hidden"] {
            assert!(!said.contains(secret), "{said}");
        }
    }
}

#[test]
fn a_killed_receiver_costs_nothing() {
    const LINES: usize = 60_000;
    let home = Home::new();
    let (one, two) = (free_port(), free_port());
    let all: String = (0..LINES).map(|n| format!("{{\"n\": {n}}}\n")).collect();
    home.write("in/all", all);
    let folder = home.path("in");
    let folder = folder.to_str().unwrap();
    let receiver = |port: u16| {
        input(port, "")
            + &format!(
                "    - {{name: output_archive, match: '*', time_key: n, path_template: 'a{port}.json', buffer_size: 100}}\n"
            )
    };
    let yaml = format!(
        "pipelines:\n  p:\n    - {{name: input_file, tag: t, watch_path: {folder}, path_pattern: '{folder}/*'}}\n    - {{name: parser_json, match: t, key: log}}\n    - {{name: output_forward, match: '*', servers: ['127.0.0.1:{one}', '127.0.0.1:{two}'], chunk_size: 2000, ack_timeout: 10, buffer_limit: 100000}}\n"
    );
    let mut sender = start(&home, "sender", &yaml, &["--once"]);
    // The server comes later than its client, is killed twice, and at last only the second one is there.
    for round in 0..2 {
        let mut running = start(&home, &format!("one{round}"), &receiver(one), &[]);
        let path = home.path(&format!("a{one}.json"));
        let before = std::fs::metadata(&path).map_or(0, |m| m.len());
        running.until("some lines", || {
            std::fs::metadata(&path).is_ok_and(|m| m.len() > before + 5000)
        });
        running.signal("-KILL");
        running.wait();
    }
    let mut running = start(&home, "two", &receiver(two), &[]);
    assert_eq!(sender.wait().0, Some(0), "{}", sender.said("err"));
    running.stop();
    let mut seen = vec![0; LINES];
    for port in [one, two] {
        let archive = std::fs::read_to_string(home.path(&format!("a{port}.json"))).unwrap();
        for line in archive.lines() {
            // A line that was cut by the kill has no end; what follows stands behind it.
            for part in line.split("{\"n\": ").skip(1) {
                if let Some(n) = part.strip_suffix('}').and_then(|n| n.parse::<usize>().ok()) {
                    seen[n] += 1;
                }
            }
        }
    }
    let missing = seen.iter().filter(|&&count| count == 0).count();
    assert_eq!(missing, 0, "of {LINES} lines");
    assert!(
        sender.said("err").contains("trying again"),
        "{}",
        sender.said("err")
    );
}
