//! `stellar map` and `stellar filter` over CSV, TSV and Zeek logs, compressed files, globs and several inputs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use flate2::{Compression, write::GzEncoder};
use std::io::Write;
use std::time::Duration;
use support::{Dice, Home};

fn gz(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes.as_ref()).unwrap();
    encoder.finish().unwrap()
}

fn zst(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    zstd::encode_all(bytes.as_ref(), 1).unwrap()
}

/// What `map EXPRESSION` makes of a file of this name.
fn mapped(name: &str, bytes: impl AsRef<[u8]>, expression: &str) -> String {
    let home = Home::new();
    home.write(name, bytes);
    home.run(&["map", expression, name], "")
        .ended(0)
        .out()
        .to_string()
}

#[test]
fn cells_of_csv_are_read_by_their_look() {
    let table = "n,t,b,e,z,q,d,big\n1,x y,true,,007,\"1\",1.5,99999999999999999999\n-5,true story,false,\"\",1e3,null,-0.0,3000000000\n";
    assert_eq!(
        mapped("t.csv", table, "_"),
        "{\"n\":1,\"t\":\"x y\",\"b\":true,\"e\":null,\"z\":\"007\",\"q\":\"1\",\"d\":1.5,\"big\":99999999999999999999}\n\
         {\"n\":-5,\"t\":\"true story\",\"b\":false,\"e\":\"\",\"z\":1000.0,\"q\":\"null\",\"d\":-0.0,\"big\":3000000000}\n"
    );
    // The fast path reads the same.
    assert_eq!(
        mapped("t.csv", table, "[n, t, b, e, z, q, d, big, missing]")
            .lines()
            .next()
            .unwrap(),
        "[1,\"x y\",true,null,\"007\",\"1\",1.5,99999999999999999999,null]"
    );
}

#[test]
fn quoted_cells_of_csv_may_hold_everything() {
    let table = "a,b\n\"x, y\",\"say \"\"hi\"\"\"\n\"two\nlines\",2\n\"\r\n\",\"\"\"\"\n\"a\"b,c\n";
    assert_eq!(
        mapped("t.csv", table, "[a, b]"),
        "[\"x, y\",\"say \\\"hi\\\"\"]\n[\"two\\nlines\",2]\n[\"\\r\\n\",\"\\\"\"]\n[\"ab\",\"c\"]\n"
    );
    // A mark inside a cell that did not begin with one is a mark.
    assert_eq!(
        mapped("t.csv", "a,b\n5\" disk,1\nx\"\"y,2\n z,\"3\"\n", "[a, b]"),
        "[\"5\\\" disk\",1]\n[\"x\\\"\\\"y\",2]\n[\" z\",\"3\"]\n"
    );
    assert_eq!(
        mapped("t.csv", "\"a b\",\"c,d\"\n1,2\n", "_"),
        "{\"a b\":1,\"c,d\":2}\n"
    );
}

#[test]
fn csv_with_the_line_ends_and_mark_of_windows_keeps_them_in_filter() {
    let home = Home::new();
    let table = "\u{feff}a,b\r\n1,x\r\n2,\"y\r\nz\"\r\n\r\n2,w";
    home.write("t.csv", table);
    assert_eq!(
        home.run(&["map", "b", "t.csv"], "").ended(0).out(),
        "\"x\"\n\"y\\r\\nz\"\n\"w\"\n"
    );
    assert_eq!(
        home.run(&["filter", "a == 2", "t.csv"], "").ended(0).out(),
        "a,b\r\n2,\"y\r\nz\"\r\n2,w\n"
    );
    let again = home.run(&["filter", "true", "t.csv"], "").ended(0);
    home.write("again.csv", again.out());
    assert_eq!(
        home.run(&["filter", "true", "again.csv"], "")
            .ended(0)
            .out(),
        again.out(),
        "the output is a table again"
    );
}

#[test]
fn rows_with_too_many_cells_are_bad_and_short_ones_are_filled() {
    let home = Home::new();
    home.write("t.csv", "a,b\n1\n\n1,2,3\n\"x\ny\",\"z\"\n4,5,6\n");
    let ran = home
        .run(&["map", "[a, b]", "t.csv", "--stats"], "")
        .ended(1);
    assert_eq!(ran.out(), "[1,null]\n[\"x\\ny\",\"z\"]\n");
    let places: Vec<&str> = ran
        .err
        .lines()
        .filter_map(|l| l.split_once(": E0401"))
        .map(|(place, _)| place)
        .collect();
    assert_eq!(places, ["t.csv:4", "t.csv:7"], "{}", ran.err);
    assert!(ran.err.contains("read 4, kept 2, bad 2"), "{}", ran.err);
    home.write("bad.csv", b"a\n\xff\n1\n");
    let ran = home.run(&["map", "a", "bad.csv"], "").ended(1);
    assert_eq!(ran.out(), "1\n");
    assert!(ran.err.contains("bad.csv:2: E0402"), "{}", ran.err);
}

#[test]
fn a_table_without_names_is_an_error_and_an_empty_file_is_not() {
    let home = Home::new();
    home.write("good.csv", "a\n1\n");
    home.write("empty.csv", "");
    assert_eq!(
        home.run(&["map", "a", "empty.csv", "good.csv"], "")
            .ended(0)
            .out(),
        "1\n"
    );
    home.write("only.csv", "a,b");
    assert_eq!(home.run(&["map", "a", "only.csv"], "").ended(0).out(), "");
    for (name, bytes) in [
        ("blank.csv", &b"\n1\n"[..]),
        ("latin.csv", b"a\xff\n1\n"),
        ("half.zeek.log", b"#separator \\x09\n#path\tx\n1\n"),
    ] {
        home.write(name, bytes);
        let ran = home.run(&["map", "a", name, "good.csv"], "").ended(1);
        assert_eq!(ran.out(), "1\n", "the other input is read");
        assert!(
            ran.err.contains("E0408") && ran.err.contains(name),
            "{}",
            ran.err
        );
    }
}

#[test]
fn an_open_quotation_mark_does_not_fill_the_memory() {
    let home = Home::new();
    let rest = "1,2\n".repeat(50_000);
    home.write("t.csv", format!("a,b\n1,2\n\"x,{rest}"));
    home.write("limit.toml", "[limits]\nline = 10000\n");
    let ran = home
        .run(
            &["map", "a", "t.csv", "--config", "limit.toml", "--stats"],
            "",
        )
        .ended(1);
    assert_eq!(ran.lines()[0], "1");
    assert!(ran.err.contains("t.csv:3: E0405"), "{}", ran.err);
}

#[test]
fn tsv_has_no_quotation_marks() {
    assert_eq!(
        mapped("t.tsv", "a\tb\n\"x\t1\n,\ttrue\n\t\n", "[a, b]"),
        "[\"\\\"x\",1]\n[\",\",true]\n[null,null]\n"
    );
    let home = Home::new();
    assert_eq!(
        home.run(&["map", "b", "--from", "tsv"], "a\tb\n1\t2\n")
            .ended(0)
            .out(),
        "2\n"
    );
    assert_eq!(
        home.run(&["map", "b", "--from", "csv"], "a,b\n1,2\n")
            .ended(0)
            .out(),
        "2\n"
    );
    home.write("t.txt", "a,b\n1,2\n");
    assert_eq!(
        home.run(&["map", "b", "--from", "csv", "t.txt"], "")
            .ended(0)
            .out(),
        "2\n"
    );
}

const ZEEK: &str = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n#open\t2020-01-01\n\
    #fields\tts\tuid\tid.orig_h\tid.orig_p\tduration\torig_bytes\tlocal\ttags\tports\tnote\n\
    #types\ttime\tstring\taddr\tport\tinterval\tcount\tbool\tset[string]\tvector[count]\tstring\n\
    1577836800.5\tC1\t10.0.0.1\t443\t0.25\t18446744073709551615\tT\ta,b\t1,2\t(empty)\n\
    1577836801\tC2\t::1\t53\t-\t3000000000\tF\t(empty)\t-\t-\n\
    1577836802\t7\t1\t0\t-\t-\t-\tx,-\t3\ttrue\n#close\t2020-01-02\n";

#[test]
fn zeek_logs_have_types_unset_and_empty_cells_and_sets() {
    assert_eq!(
        mapped(
            "conn.log",
            ZEEK,
            "[ts, uid, id.orig_h, id.orig_p, duration, orig_bytes, local, tags, ports, note]"
        ),
        "[1.5778368005E9,\"C1\",\"10.0.0.1\",443,0.25,18446744073709551615,true,[\"a\",\"b\"],[1,2],\"\"]\n\
         [1.577836801E9,\"C2\",\"::1\",53,null,3000000000,false,[],null,null]\n\
         [1.577836802E9,\"7\",\"1\",0,null,null,null,[\"x\",null],[3],\"true\"]\n"
    );
    assert!(
        mapped("conn.log", ZEEK, "_")
            .starts_with("{\"ts\":1.5778368005E9,\"uid\":\"C1\",\"id.orig_h\":\"10.0.0.1\",")
    );
    let home = Home::new();
    home.write("conn.log", ZEEK);
    let ran = home.run(&["filter", "local", "conn.log"], "").ended(0);
    assert_eq!(
        ran.lines().len(),
        9,
        "the header and one row: {}",
        ran.out()
    );
    home.write("again.log", ran.out());
    assert_eq!(
        home.run(&["map", "uid", "again.log"], "").ended(0).out(),
        "\"C1\"\n"
    );
    let ran = home
        .run(&["map", "1 / (orig_bytes * 0)", "conn.log"], "")
        .ended(1);
    assert!(
        ran.err.starts_with("conn.log:9: E0206"),
        "the lines of the header count: {}",
        ran.err
    );
}

#[test]
fn a_zeek_log_may_arrive_line_by_line() {
    let home = Home::new();
    let mut talk = home.talk(&["map", "uid"]);
    for line in ZEEK.split_inclusive('\n').take(9) {
        talk.say(line);
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(talk.hear(), "\"C1\"");
    talk.hang_up();
    assert_eq!(talk.end().0, Some(0));
    let header: String = ZEEK.split_inclusive('\n').take(8).collect();
    assert_eq!(home.run(&["map", "uid"], header).ended(0).out(), "");
}

#[test]
fn compressed_inputs_are_unpacked_whatever_their_name() {
    let home = Home::new();
    let text = "{\"a\":1}\n{\"a\":2}\n";
    let members = [gz("{\"a\":1}\n{\"a\""), gz(":2}\n{\"a\":3}"), gz("\n")].concat();
    home.write("a.jsonl.gz", gz(text));
    home.write("b.jsonl.zst", zst(text));
    home.write("c", gz(text));
    home.write("d.gz", members);
    home.write("e.zst", [zst("{\"a\":1}\n"), zst("{\"a\":2}\n")].concat());
    home.write("f.csv.gz", gz("a\n1\n2\n"));
    home.write("g.tsv.zst", zst("a\n1\n2\n"));
    home.write("h.gz", text);
    for (name, out) in [
        ("a.jsonl.gz", "1\n2\n"),
        ("b.jsonl.zst", "1\n2\n"),
        ("c", "1\n2\n"),
        ("d.gz", "1\n2\n3\n"),
        ("e.zst", "1\n2\n"),
        ("f.csv.gz", "1\n2\n"),
        ("g.tsv.zst", "1\n2\n"),
        ("h.gz", "1\n2\n"),
    ] {
        assert_eq!(
            home.run(&["map", "a", name], "").ended(0).out(),
            out,
            "{name}"
        );
    }
    assert_eq!(
        home.run(&["map", "a"], gz(text)).ended(0).out(),
        "1\n2\n",
        "standard input"
    );
    assert_eq!(
        home.run(&["map", "a"], zst(text)).ended(0).out(),
        "1\n2\n",
        "standard input"
    );
    home.write("nothing.gz", gz(""));
    assert_eq!(home.run(&["map", "a", "nothing.gz"], "").ended(0).out(), "");
}

#[test]
fn damaged_compression_is_an_error_and_all_that_is_good_is_read() {
    let home = Home::new();
    let mut dice = Dice(0xbad_5eed);
    let text: String = (0..100_000)
        .map(|i| format!("{{\"a\":{i},\"r\":{}}}\n", dice.roll(1 << 30)))
        .collect();
    let (packed, zpacked) = (gz(&text), zst(&text));
    home.write("good.jsonl", "{\"a\":-1}\n");
    home.write("cut.gz", &packed[..packed.len() / 2]);
    home.write("cut.zst", &zpacked[..zpacked.len() / 2]);
    // Damage in the middle may unpack to something else before it is found.
    let mut flipped = packed.clone();
    let at = packed.len() * 3 / 4;
    flipped[at..at + 8].copy_from_slice(&[0xff; 8]);
    home.write("flipped.gz", flipped);
    let ran = home
        .run(&["map", "a", "flipped.gz", "good.jsonl"], "")
        .ended(1);
    assert!(ran.err.contains("E0407"), "{}", ran.err);
    assert_eq!(ran.lines().last(), Some(&"-1"), "the other input is read");
    home.write("sum.gz", [&packed[..packed.len() - 8], &[0; 8]].concat());
    for (name, least) in [("cut.gz", 40_000), ("cut.zst", 40_000), ("sum.gz", 99_000)] {
        for threads in ["1", "2"] {
            let ran = home
                .run(&["map", "a", name, "good.jsonl", "--threads", threads], "")
                .ended(1);
            assert!(
                ran.err.contains("E0407") && ran.err.contains(name),
                "{name}: {}",
                ran.err
            );
            assert!(
                !ran.err.contains("E0401"),
                "half a line is no bad line: {}",
                ran.err
            );
            let lines = ran.lines();
            assert_eq!(lines.last(), Some(&"-1"), "{name}: the other input is read");
            assert!(lines.len() > least, "{name}: {} lines", lines.len());
            assert!(
                lines[..lines.len() - 1]
                    .iter()
                    .enumerate()
                    .all(|(i, line)| *line == i.to_string()),
                "{name}"
            );
        }
        let ran = home
            .run(&["map", "a", name, "good.jsonl", "--strict"], "")
            .ended(1);
        assert_ne!(ran.lines().last(), Some(&"-1"), "{name}");
    }
}

#[test]
fn several_inputs_and_globs_are_read_in_order() {
    let home = Home::new();
    home.write("logs/b.jsonl", "{\"a\":2}");
    home.write("logs/a.jsonl", "{\"a\":1}");
    home.write("logs/c.jsonl.gz", gz("{\"a\":3}\n"));
    home.write("logs/d.txt", "{\"a\":4}\n");
    let out = |arguments: &[&str]| {
        home.run(&[&["map", "a"], arguments].concat(), "{\"a\":0}\n")
            .ended(0)
            .out()
            .to_string()
    };
    assert_eq!(out(&["logs/*.jsonl*"]), "1\n2\n3\n");
    assert_eq!(out(&["logs/?.jsonl", "logs/d.txt", "-"]), "1\n2\n4\n0\n");
    assert_eq!(out(&["-", "logs/b.jsonl", "logs/b.jsonl"]), "0\n2\n2\n");
    assert_eq!(out(&[]), "0\n");
    for wrong in ["logs/nothing", "logs/*.nothing", "logs", "logs/[a"] {
        let ran = home.run(&["map", "a", wrong], "").ended(1);
        assert!(
            ran.err.contains("E0403") && ran.err.contains(wrong),
            "{wrong}: {}",
            ran.err
        );
    }
    // A name with signs of a pattern in it is a name when such a file is there.
    home.write("x[1].jsonl", "{\"a\":9}\n");
    assert_eq!(out(&["x[1].jsonl"]), "9\n");
    home.write("logs/a.jsonl", "{\"a\":1}\nbad");
    let ran = home
        .run(
            &["map", "a", "logs/b.jsonl", "logs/a.jsonl", "logs/b.jsonl"],
            "",
        )
        .ended(1);
    assert_eq!(
        ran.out(),
        "2\n1\n2\n",
        "a last line without its end does not run into the next input"
    );
    assert!(ran.err.starts_with("logs/a.jsonl:2: E0401"), "{}", ran.err);
}

#[test]
fn a_large_table_gives_the_same_with_every_number_of_threads() {
    let home = Home::new();
    let mut dice = Dice(0x7ab1e);
    let mut text = String::from("i,t\n");
    let mut expected = String::new();
    for i in 0..60_000 {
        let cell = match dice.roll(4) {
            0 => "\"x\ny\"".to_string(),
            1 => format!("\"{}\"\"\"", "z".repeat(dice.roll(100))),
            2 => "5\" disk".to_string(),
            _ => "w".repeat(dice.roll(60)),
        };
        text.push_str(&format!("{i},{cell}\n"));
        expected.push_str(&format!("{i}\n"));
    }
    home.write("t.csv", &text);
    for threads in ["1", "2", "3"] {
        assert!(
            home.run(&["map", "i", "t.csv", "--threads", threads], "")
                .ended(0)
                .out()
                == expected
        );
        assert!(
            home.run(&["filter", "true", "t.csv", "--threads", threads], "")
                .ended(0)
                .out()
                == text
        );
        assert!(
            home.run(&["map", "i", "--from", "csv", "--threads", threads], &text)
                .ended(0)
                .out()
                == expected
        );
    }
}

#[test]
fn a_quotation_mark_that_is_never_closed_makes_a_bad_line() {
    let home = Home::new();
    home.write("t.csv", "a,b\n1,\"x\"\n\"2,y\n");
    let ran = home.run(&["map", "a", "t.csv"], "");
    assert_eq!(ran.out(), "1\n");
    assert!(
        ran.err.contains("a quotation mark is never closed"),
        "{}",
        ran.err
    );
}

#[test]
fn columns_of_one_name_keep_their_values() {
    let folder = tempfile::tempdir().unwrap();
    let csv = folder.path().join("d.csv");
    std::fs::write(&csv, "a,b,a,a\n1,2,3,4\n").unwrap();
    let zeek = folder.path().join("d.log");
    std::fs::write(&zeek, "#separator \\x09\n#fields\ta\tb\ta\ta\n1\t2\t3\t4\n").unwrap();
    for (file, whole) in [
        (csv, "{\"a\":1,\"b\":2,\"a_2\":3,\"a_3\":4}\n"),
        (
            zeek,
            "{\"a\":\"1\",\"b\":\"2\",\"a_2\":\"3\",\"a_3\":\"4\"}\n",
        ),
    ] {
        for (expression, expected) in [("_", whole), ("TO_STRING(a) + a_2 + a_3", "\"134\"\n")] {
            let output = std::process::Command::new(env!("CARGO_BIN_EXE_stellar"))
                .args(["map", expression])
                .arg(&file)
                .output()
                .unwrap();
            assert_eq!(String::from_utf8(output.stdout).unwrap(), expected);
            let said = String::from_utf8(output.stderr).unwrap();
            assert_eq!(
                said,
                "note: several columns are named a: a later one is a_2 here, and 1 more likewise\n"
            );
        }
    }
}
