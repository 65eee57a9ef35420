use super::*;

#[test]
fn addresses_are_read_as_c_reads_them() {
    let read = |text| inet_aton(text).map(|a| a.to_string());
    assert_eq!(read("1.2.3.4").as_deref(), Some("1.2.3.4"));
    assert_eq!(read("1.2").as_deref(), Some("1.0.0.2"));
    assert_eq!(read("1").as_deref(), Some("0.0.0.1"));
    assert_eq!(read("0x7f.1").as_deref(), Some("127.0.0.1"));
    assert_eq!(read("010.1.1.1").as_deref(), Some("8.1.1.1"));
    assert_eq!(read("4294967295").as_deref(), Some("255.255.255.255"));
    for text in [
        "",
        "a",
        "1.2.3.4.5",
        "256.1.1.1",
        "1.2.3.256",
        "1..2",
        "-1",
        "+1",
        "4294967296",
        "é",
    ] {
        assert_eq!(read(text), None, "{text}");
    }
}

#[test]
fn addresses_are_asked_backwards() {
    assert_eq!(backwards("1.2.3.4").as_deref(), Some("4.3.2.1."));
    assert_eq!(
        backwards("2001:db8::1").as_deref(),
        Some("1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.")
    );
    assert_eq!(backwards("not an ip"), None);
}

#[test]
fn answers_are_forgotten_in_time() {
    let mut cache = Cache::default();
    cache.set("a", Known::Listed(50.0, vec!["x".into()]), 100);
    cache.set("b", Known::Failed("down".into()), 100);
    assert!(cache.get("a", 109, 10).is_some());
    assert!(cache.get("a", 110, 10).is_none());
    assert!(cache.get("b", 104, 10).is_some());
    assert!(cache.get("b", 105, 10).is_none());
    let again = Cache::load(&cache.save()).unwrap();
    assert_eq!(again.len(), 1);
    assert_eq!(again.get("a", 109, 10), cache.get("a", 109, 10));
    cache.set("a", Known::Listed(0.0, vec![]), 105);
    cache.expire(111, 10);
    assert_eq!(cache.len(), 1);
    assert!(Cache::load(&serde_json::json!({"data": {"a": 1}})).is_err());
}
