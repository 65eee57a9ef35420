use crate::engine::Engine;
use crate::eval::text::to_text;
use crate::eval::{Value, Variables};
use proptest::prelude::*;
use smol_str::SmolStr;
use std::sync::Arc;

struct One(Value);

impl Variables for One {
    fn get(&self, name: &str) -> Option<Value> {
        (name == "v").then(|| self.0.clone())
    }

    fn all(&self) -> Vec<(SmolStr, Value)> {
        vec![("v".into(), self.0.clone())]
    }
}

/// The result with a variable `v`, or the code of the error.
fn with(value: Value, expression: &str) -> String {
    let mut engine = Engine::bare();
    engine.context.variables = Arc::new(One(value));
    match engine.evaluate(expression) {
        Ok(value) => to_text(&value).to_string(),
        Err(fault) => fault.code.name().to_string(),
    }
}

fn text(expression: &str) -> String {
    with(Value::Null, expression)
}

#[track_caller]
fn check(rows: &[(&str, &str)]) {
    for (expression, expected) in rows {
        assert_eq!(text(expression), *expected, "{expression}");
    }
}

/// Computed by Java 17.
#[test]
fn digests_of_all_algorithms() {
    let rows = [
        ("MD2", "9fd2ab486808b8ed9de2f2292646feaa"),
        ("MD5", "8feed1b062e175e77b3769d990f9e527"),
        ("SHA-1", "6ab37271e00f8e95ece53ab0520accecb10265a7"),
        (
            "SHA-224",
            "7507150716c7629a76f66af4ef993920bb05d910a22ac5dcf1857fc1",
        ),
        (
            "SHA-256",
            "28e86ad89c14d1298f1961e890fc980ac80a0288e949e02557b3bfd04a5efc02",
        ),
        (
            "SHA-384",
            "c837f859d6282be64a88d566173ed66ab253c906d4605ac569a2fd6e981a26a08047bec0435e732ba9255692105c8b08",
        ),
        (
            "SHA-512",
            "b12e709485100ba8a2bf77564017085fd5652e0629ed43cba574444ec2f9b56cc927e05840a686d9f03eeced520eef5c98580aaa6d6d6f6b2c7c78f67c0f7adf",
        ),
        (
            "SHA-512/224",
            "b8a4c2b6bab3c4c2759c2a13a120b74adbf5ffb2bdba00f8576b24fa",
        ),
        (
            "SHA-512/256",
            "b85a4325ca85e51a67cd7bc0211d52bc0cd3adc950021ba5de722ab871938f09",
        ),
        (
            "SHA3-224",
            "38657ebc2d05ff808d0410abe9c5f350f084350e712a4113e7461596",
        ),
        (
            "SHA3-256",
            "936f78dcc3c14322f7592d7991908de3120587e8be22cd785b705b91bc76a39b",
        ),
        (
            "SHA3-384",
            "5aafb6f7f5e3153e476cea457d98649eb3cdd78c4e45a089f8ec386f1592adda3dde85207c652c785fd6de9ef959ea31",
        ),
        (
            "SHA3-512",
            "b82bb5ee63a361239d3d65c3476867eb8173b1c1ad9148f2a39a492d957b41954a0754046c85c96e28b9437fa3947688cb8a5a0552d468fef7e18ffaa7bde5da",
        ),
    ];
    for (name, expected) in rows {
        let small = name.to_lowercase();
        for name in [name, &small] {
            assert_eq!(
                text(&format!("HASH('naïve café', '{name}')")),
                expected,
                "{name}"
            );
        }
        let zeros = "0".repeat(expected.len());
        assert_eq!(text(&format!("HASH(null, '{name}')")), zeros, "{name}");
    }
    check(&[
        ("LENGTH(GET_HASHES_AVAILABLE())", "14"),
        (
            "GET_HASHES_AVAILABLE()",
            "[SHA3-512, SHA-1, SHA-384, TLSH, SHA3-384, SHA-224, SHA-512/256, SHA-256, MD2, SHA-512/224, SHA3-256, SHA-512, SHA3-224, MD5]",
        ),
        ("HASH('a', 'SHA') == HASH('a', 'sha-1')", "true"),
    ]);
}

#[test]
fn arguments_as_metron_takes_them() {
    check(&[
        ("HASH('a')", "E0202"),
        ("HASH('a', null)", "null"),
        ("HASH(null, null)", "null"),
        ("HASH('a', 'sha256')", "E0204"),
        ("HASH(null, 'bogus')", "E0204"),
        ("HASH('a', 5)", "E0203"),
        ("HASH('a', ['md5'])", "E0203"),
        (
            "HASH('a', 'md5', 'x', 1)",
            "0cc175b9c0f1b6a831c399e269772661",
        ),
        (
            "HASH('a', 'md5', {'charset': null})",
            "0cc175b9c0f1b6a831c399e269772661",
        ),
        ("HASH('a', 'md5', {'charset': 'klingon'})", "E0204"),
        ("HASH(x -> x, 'md5')", "null"),
        ("HASH([x -> x], 'md5')", "E0204"),
        ("GET_HASHES_AVAILABLE(null)", "E0202"),
        ("TLSH_DIST('a')", "E0202"),
        ("TLSH_DIST('a', 'a')", "0"),
        ("TLSH_DIST(null, 'a')", "-1"),
        ("TLSH_DIST(1, null)", "E0203"),
        ("TLSH_DIST(null, [])", "E0203"),
        ("TLSH_DIST('a', 'b')", "E0204"),
        ("HMAC('a', 'md5')", "E0202"),
        ("HMAC('a', null, 'k')", "null"),
        ("HMAC(1, 'md5', 'k')", "E0203"),
        (
            "HMAC('', 'SHA-1', '')",
            "fbdb1d1b18aa6c08324b7d64b71fb76370690e1d",
        ),
    ]);
}

/// Digests of what `ObjectOutputStream` of Java 17 writes.
#[test]
fn other_values_by_their_java_serialization() {
    check_md5(&[
        ("5", "ce4be10c948828d74af398c6a1cbd05f"),
        ("1000", "2ff40150c29c60974b036831f44896fd"),
        ("-1", "d3ac89a06deafcf7020b203c75f79306"),
        ("5L", "04aab5b0ac9951c8b373bd26294c9d8b"),
        ("2.5", "9f0143138d717a0dd96a1ea746ac01de"),
        ("2.5F", "d96075a1f5b28ac99ddb1584c0eed9fe"),
        ("true", "6eecea2d58328aed389f54154b27490c"),
        ("false", "6c79244b6e1d76840a9afb2f1c4256da"),
        (
            "GET_FIRST(MAP('x', c -> c))",
            "77f52eaa3c69cf320de2e4bbe4cc447b",
        ),
        (
            "TO_JSON_OBJECT('100000000000000000000')",
            "fbe49c37432c6f840c43637af07061f9",
        ),
        (
            "TO_JSON_OBJECT('-100000000000000000000')",
            "f3304d8992b9fdc5b668a8d8c858d264",
        ),
        ("[]", "046a414913add6f5bb60072c7db819b6"),
        ("['a', 'b']", "b669c6650c031c1111affd11bd4bccb9"),
        ("['10.0.0.1', 443, 1.5]", "f2f19d6fc773b1583e82a6cdd2f4f85f"),
        ("[1, 1, 1000, 1000]", "5889467f4b74d84b403c921f3eb13b76"),
        (
            "[null, true, false, true, 2L, 2L, 3.5F]",
            "cad47f1db0e08add4f48092f42f05a89",
        ),
        ("[[1], [1]]", "c2f65912862b52cc5317e38c17d3d998"),
        (
            r#"TO_JSON_LIST('[1, "x"]')"#,
            "bf47af47f62b2fc773a9050e06f1ffc2",
        ),
        ("{}", "1c1fd4a16b1a71d375fb65bf664a8cab"),
        ("{'a': 1, 'b': 'x'}", "5bd5907b6b4271f7623fa8399ddb3985"),
        (
            "REDUCE([0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19], (m, i) -> MAP_PUT('key' + i, i, m), {})",
            "c5fe01fea07ddd72bf22c4250308966d",
        ),
        (
            r#"TO_JSON_MAP('{"z": 1, "a": "x", "c": null}')"#,
            "2f79b7b18184d219b3c6bb2dcfc08ddb",
        ),
        ("TO_JSON_MAP('{}')", "52dea78bb95b08e52909f2d0a9eb5b58"),
        ("SET_INIT()", "cb939a8d8d7d12727e663786dbd58ab6"),
        ("SET_INIT([1, 'a'])", "b5cc7a97ed825c2c6848458bd1075780"),
        (
            "SET_INIT([0,1,2,3,4,5,6,7,8,9,10,11,12])",
            "4d620613f73d60fe776978aef46489a8",
        ),
        (
            "{1: 1, 2L: 1, 1.5: 1, true: 1, null: 1, 'x': 1, GET_FIRST(MAP('c', c -> c)): 1, [1, 2]: 1, 2.5F: 1}",
            "213d3baa9b09c11018bbf71c5fbf338f",
        ),
    ]);
    // One list that stands in two places is written once.
    assert_eq!(
        with(
            Value::from(vec![]),
            "HASH([v, v], 'md5') == HASH([TO_JSON_LIST('[]'), TO_JSON_LIST('[]')], 'md5')"
        ),
        "false"
    );
    let long = "HASH([FILL_LEFT('', 'x', 70000)], 'md5')";
    assert_eq!(text(long), "e1c35a57ec3ebc27989f7abd790c4dd5");
}

#[track_caller]
fn check_md5(rows: &[(&str, &str)]) {
    for (value, expected) in rows {
        let expression = format!("HASH({value}, 'md5')");
        assert_eq!(text(&expression), *expected, "{expression}");
    }
}

/// MD5 digests by Java 17; wide charsets make other characters of their digits, as there.
#[test]
fn charsets() {
    let rows = [
        ("US-ASCII", "35c3b3eaba09eb81c6a8b743af68319a"),
        ("ISO-8859-1", "5a2c07f8ae019aa7004e0ffef21bc24e"),
        ("UTF-16", "㡢戲㐲挹㥢愷㘲户愳晢㜳散愹㡦晢慢"),
        ("UTF-16BE", "ㄱ㕣昹ㄲ㡦搷愷㕢搳捡晦㌷㕤戴㕦㑥"),
        ("UTF-16LE", "ち戲捥㜶㕣攵㑢㤴㉢扦敤㍢㥡㐹摢㙥"),
        ("UTF-32", "��������"),
        ("UTF-32LE", "��������"),
        ("windows-1252", "90bfa155cf3135317a15ac041c5ba698"),
        ("Shift_JIS", "00a264dbe2f9f621075a45a57e57e9c9"),
        ("KOI8-R", "35c3b3eaba09eb81c6a8b743af68319a"),
        ("x-UTF-16LE-BOM", "㜹敦㙥晢㘵㜳ㅦ㤳戰换昲摥搸㈲愲て"),
    ];
    for (name, expected) in rows {
        let expression = format!("HASH('naïve 日€😀', 'md5', {{'charset': '{name}'}})");
        assert_eq!(text(&expression), expected, "{name}");
    }
}

/// The text of the reference implementations' examples.
const UNIX: &str = "The best documentation is the UNIX source. After all, this is what the \
    system uses for documentation when it decides what to do next! The manuals paraphrase the source code, often \
    having been written at different times and by different people than who wrote the code. Think of them as \
    guidelines. Sometimes they are more like wishes... Nonetheless, it is all too common to turn to the source and \
    find options and behaviors that are not documented in the manual. Sometimes you find options described in the \
    manual that are unimplemented and ignored by the source.";

fn unix(expression: &str) -> String {
    with(Value::text(UNIX), expression)
}

#[test]
fn tlsh_of_the_reference() {
    let sum = "6FF02BEF718027B0160B4391212923ED7F1A463D563B1549B86CF62973B197AD2731F8";
    assert_eq!(unix("HASH(v, 'tlsh')"), sum);
    assert_eq!(
        unix("HASH(v, 'TLSH', {'force': false, 'bucketSize': 7})"),
        sum
    );
    assert_eq!(unix("LENGTH(HASH(v, 'tlsh', {'bucketSize': 256}))"), "134");
    assert_eq!(
        unix("LENGTH(HASH(v, 'tlsh', {'bucketSize': '256', 'checksumBytes': 3}))"),
        "138"
    );
    assert_eq!(unix("HASH(SUBSTRING(v, 0, 49), 'tlsh')"), "null");
    assert_eq!(unix("LENGTH(HASH(SUBSTRING(v, 0, 100), 'tlsh'))"), "70");
    assert_eq!(
        unix("HASH(SUBSTRING(v, 0, 255), 'tlsh', {'force': false})"),
        "null"
    );
    assert_eq!(unix("HASH(FILL_LEFT('', 'x', 1000), 'tlsh')"), "null");
    check(&[
        ("HASH(null, 'tlsh')", "null"),
        ("HASH(5, 'tlsh')", "null"),
        ("HASH('a', 'tlsh', {'bucketSize': 'many'})", "E0204"),
        ("HASH('a', 'tlsh', {'hashes': [1, 'x']})", "E0204"),
    ]);
}

#[test]
fn tlsh_bins() {
    let bins = "HASH(v, 'tlsh', {'hashes': [8, 16, 32]})";
    assert_eq!(unix(&format!("LENGTH({bins})")), "4");
    assert_eq!(
        unix(&format!("MAP_GET('tlsh', {bins}) == HASH(v, 'tlsh')")),
        "true"
    );
    assert_eq!(
        unix(&format!(
            "[MAP_GET('tlsh_bin_8', {bins}), MAP_GET('tlsh_bin_16', {bins}), MAP_GET('tlsh_bin_32', {bins})]"
        )),
        "[803, 16ad4c, 32e757f5f3]"
    );
    assert_eq!(
        unix("MAP_GET('tlsh_bin', HASH(v, 'tlsh', {'hashes': 8}))"),
        "803"
    );
    assert_eq!(
        unix("MAP_GET('tlsh_bin', HASH(v, 'tlsh', {'hashes': -1}))"),
        "-1"
    );
    assert_eq!(unix("HASH(v, 'tlsh', {'hashes': 2000000000})"), "E0303");
}

#[test]
fn tlsh_distances_of_the_reference() {
    let rows = [
        (
            "DD6000C300F000030003003FC00000000000C003000000CC000030033000C000030000030030000C000000000C300CC00000C000030000000000F00030F0C00300CCC0",
            "F87000200B0E0880008200A2800080C00000080000220222020080AC0280A0C0A2008A008008000822B80080002C82A000808002800C003020000B2830202008A83A22",
            331,
        ),
        (
            "DDB56E6000030030000C000000000C300CC00000C000030000000000F00030F0C00300CCC0",
            "F861367000008008000822B80080002C82A000808002800C003020000B2830202008A83A22",
            165,
        ),
        (
            "301124198C869A5A4F0F9380A9AE92F2B9278F42089EA34272885F0FB2D34E6911444C",
            "T109F05A198CC69A5A4F0F9380A9EE93F2B927CF42089EA74276DC5F0BB2D34E68114448",
            97,
        ),
    ];
    for (a, b, expected) in rows {
        assert_eq!(
            text(&format!("TLSH_DIST('{a}', '{b}')")),
            expected.to_string()
        );
        assert_eq!(
            text(&format!("TLSH_DIST('{b}', '{a}', 'no')")),
            expected.to_string()
        );
    }
    let (a, b, _) = rows[2];
    assert_eq!(text(&format!("TLSH_DIST('{a}', '{b}', true)")), "121");
    let (c, ..) = rows[1];
    assert_eq!(text(&format!("TLSH_DIST('{a}', '{c}')")), "E0204");
    let bad = a.replace('F', "G");
    assert_eq!(text(&format!("TLSH_DIST('{a}', '{bad}')")), "E0204");
}

/// The baseline of corelight/community-id-spec.
#[test]
fn community_ids_of_the_specification() {
    let rows = [
        (
            "'fe80::200:86ff:fe05:80da', 'fe80::260:97ff:fe07:69ea', 135, 136, 58",
            "1:dGHyGvjMfljg6Bppwm3bg0LO8TY=",
        ),
        (
            "'fe80::260:97ff:fe07:69ea', 'fe80::200:86ff:fe05:80da', 136, 135, 58",
            "1:dGHyGvjMfljg6Bppwm3bg0LO8TY=",
        ),
        (
            "'fe80::260:97ff:fe07:69ea', 'fe80::200:86ff:fe05:80da', 135, 136, 58",
            "1:zavyT/cezQr1fmImYCwYnMXbgck=",
        ),
        (
            "'3ffe:501:1800:2345::2', '3ffe:507:0:1:200:86ff:fe05:80da', 3, 0, 58",
            "1:2ObVBgIn28oZvibYZhZMBgh7WdQ=",
        ),
        (
            "'3ffe:501:410:0:2c0:dfff:fe47:33e', '3ffe:507:0:1:200:86ff:fe05:80da', 1, 4, 58",
            "1:hLZd0XGWojozrvxqE0dWB1iM6R0=",
        ),
        (
            "'3ffe:507:0:1:200:86ff:fe05:80da', '3ffe:501:0:1001::2', 128, 129, 58",
            "1:+TW+HtLHvV1xnGhV1lv7XoJrqQg=",
        ),
        (
            "'3ffe:501:0:1001::2', '3ffe:507:0:1:200:86ff:fe05:80da', 129, 128, 58",
            "1:+TW+HtLHvV1xnGhV1lv7XoJrqQg=",
        ),
        (
            "'fe80::200:86ff:fe05:80da', 'ff02::2', 133, 134, 58",
            "1:hO+sN4H+MG5MY/8hIrXPqc4ZQz0=",
        ),
        (
            "'fe80::260:97ff:fe07:69ea', 'ff02::1', 134, 133, 58",
            "1:pkvHqCL88/tg1k4cPigmZXUtL00=",
        ),
        (
            "'192.168.0.89', '192.168.0.1', 8, 0, 1",
            "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=",
        ),
        (
            "'192.168.0.1', '192.168.0.89', 0, 8, 1",
            "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=",
        ),
        (
            "'10.0.0.1', '10.0.0.2', 11, 0, 1",
            "1:YHxtAirCG//0OzkcVAukqKQN9xM=",
        ),
        (
            "'2001:470:e5bf:dead:4957:2174:e82c:4887', '2607:f8b0:400c:c03::1a', 63943, 25, 6",
            "1:/qFaeAR+gFe1KYjMzVDsMv+wgU4=",
        ),
        (
            "'2607:f8b0:400c:c03::1a', '2001:470:e5bf:dead:4957:2174:e82c:4887', 25, 63943, 6",
            "1:/qFaeAR+gFe1KYjMzVDsMv+wgU4=",
        ),
        (
            "'192.168.170.8', '192.168.170.56', 7, 7, 132",
            "1:MP2EtRCAUIZvTw6MxJHLV7N7JDs=",
        ),
        (
            "'192.168.170.56', '192.168.170.8', 7, 7, 132",
            "1:MP2EtRCAUIZvTw6MxJHLV7N7JDs=",
        ),
        (
            "'128.232.110.120', '66.35.250.204', 34855, 80, 6",
            "1:LQU9qZlK+B5F3KDmev6m5PMibrg=",
        ),
        (
            "'192.168.1.52', '8.8.8.8', 54585, 53, 17",
            "1:d/FP5EW3wiY1vCndhwleRRKHowQ=",
        ),
        (
            "'8.8.8.8', '192.168.1.52', 53, 54585, 17",
            "1:d/FP5EW3wiY1vCndhwleRRKHowQ=",
        ),
        (
            "'10.1.12.1', '10.1.12.2', null, null, 46",
            "1:KHlLkgoJW7ifUTyTSgyVfkFHzKw=",
        ),
        (
            "'10.1.12.2', '10.1.12.1', null, null, 46",
            "1:KHlLkgoJW7ifUTyTSgyVfkFHzKw=",
        ),
    ];
    for (arguments, expected) in rows {
        assert_eq!(
            text(&format!("COMMUNITY_ID({arguments})")),
            expected,
            "{arguments}"
        );
    }
    check(&[
        (
            "COMMUNITY_ID('1.2.3.4', '5.6.7.8', 1122, 3344, 'TCP', 1)",
            "1:HhA1B+6CoLbiKPEs5nhNYN4XWfk=",
        ),
        (
            "COMMUNITY_ID('1.2.3.4', '5.6.7.8', '1122', 3344L, 'udp', 1)",
            "1:OShq+iKDAMVouh/4bMxB9Sz4amw=",
        ),
        (
            "COMMUNITY_ID('1.2.3.4', '5.6.7.8', 8, 0, 'icmp', 1)",
            "1:9pr4ZGTICiuZoIh90RRYE2RyXpU=",
        ),
        ("COMMUNITY_ID('1.2.3.4', '::1', 8, 0, 6)", "E0204"),
        ("COMMUNITY_ID('1.2.3.4', '5.6.7.8', null, 0, 6)", "null"),
        ("COMMUNITY_ID('1.2.3.4', '5.6.7.8', 1, 65536, 6)", "E0204"),
        ("COMMUNITY_ID('1.2.3.4', '5.6.7.8', -1, 1, 6)", "E0204"),
        ("COMMUNITY_ID('1.2.3.4', '5.6.7.8', 1, 1, 256)", "E0204"),
        ("COMMUNITY_ID('1.2.3.4', '5.6.7.8', 1, 1, 'smtp')", "E0204"),
        ("COMMUNITY_ID(1, '5.6.7.8', 1, 1, 6)", "E0203"),
        ("COMMUNITY_ID('1.2.3.4', '5.6.7.8', 1, 1)", "E0202"),
    ]);
}

#[test]
fn ja3_leaves_grease_out() {
    check(&[
        (
            "JA3(771, '2570-4865-64250', [0, 6682], [10794, 29], '0') == HASH('771,4865,0,29,0', 'md5')",
            "true",
        ),
        // Two equal bytes of another form are none.
        (
            "JA3(771, [257, 2826], [], [], []) == HASH('771,257-2826,,,', 'md5')",
            "true",
        ),
        (
            "JA3(771, 4865, SET_INIT([1, 2]), null, '') == HASH('771,4865,1-2,,', 'md5')",
            "true",
        ),
        ("JA3(771, 'a-b', [], [], [])", "E0204"),
        ("JA3(771, '-', [], [], [])", "E0204"),
        ("JA3(null, [], [], [], [])", "null"),
        ("JA3(771, {'a': 1}, [], [], [])", "E0204"),
    ]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn tlsh_is_at_no_distance_from_itself(bytes in "[ -~]{200,400}") {
        let value = Value::text(&bytes);
        let same = "TLSH_DIST(HASH(v, 'TLSH'), HASH(TO_STRING(v), 'tlsh'))";
        prop_assert!(["0", "-1"].contains(&with(value.clone(), same).as_str()));
        // With another hash, so that the comparison of texts does not answer.
        let other = "TLSH_DIST(HASH(v, 'TLSH'), 'T1' + HASH(v, 'TLSH'))";
        prop_assert!(["0", "E0204"].contains(&with(value, other).as_str()));
    }

    #[test]
    fn nothing_panics(a in "\\PC{0,80}", b in "\\PC{0,80}") {
        for name in ["HASH", "TLSH_DIST", "JA3S", "CRC32", "HMAC"] {
            let (a, b) = (a.replace(['\\', '\''], ""), b.replace(['\\', '\''], ""));
            let _ = text(&format!("{name}('{a}', '{b}', '{a}')"));
        }
    }
}
