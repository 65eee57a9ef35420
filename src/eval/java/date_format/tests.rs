use super::{DateFields, Locale, ParseContext, Pattern, Zone};
use std::time::{Duration, Instant};

const NOW: i64 = 1_700_000_000_000;

fn format(pattern: &str, millis: i64, zone: &str) -> String {
    let pattern = Pattern::compile(pattern).unwrap();
    pattern.format(millis, &Zone::from_java_id(zone), &Locale::en_us())
}

fn parse_mode(pattern: &str, text: &str, zone: &str, lenient: bool) -> Option<i64> {
    let context = ParseContext {
        zone: &Zone::from_java_id(zone),
        default_zone: &Zone::utc(),
        locale: &Locale::en_us(),
        lenient,
        now_millis: NOW,
    };
    Pattern::compile(pattern).unwrap().parse(text, &context)
}

fn parse(pattern: &str, text: &str, zone: &str) -> Option<i64> {
    parse_mode(pattern, text, zone, true)
}

#[test]
fn formats_the_documented_example() {
    assert_eq!(
        format("EEE MMM dd yyyy hh:mm:ss zzz", 1_472_131_630_000, "EST"),
        "Thu Aug 25 2016 08:27:10 EST"
    );
}

#[test]
fn parses_the_documented_examples() {
    let pattern = "yyyy-MM-dd HH:mm:ss";
    assert_eq!(
        parse(pattern, "2016-01-05 17:02:30", "UTC"),
        Some(1_452_013_350_000)
    );
    // 2017-02-14: the month and the day roll over and the rest is ignored.
    assert_eq!(
        parse("yyyy-MM-dd", "2016-13-45 junk", "UTC"),
        Some(1_487_030_400_000)
    );
    assert_eq!(parse_mode("yyyy-MM-dd", "2016-13-45", "UTC", false), None);
}

#[test]
fn refuses_patterns_as_java_does() {
    let error = |pattern: &str| {
        let error = Pattern::compile(pattern).unwrap_err();
        (error.to_string(), error.offset)
    };
    assert_eq!(
        error("yyyyb"),
        ("Illegal pattern character 'b'".to_string(), 4)
    );
    assert_eq!(error("yy 'x"), ("Unterminated quote".to_string(), 3));
    assert_eq!(
        error("HH XXXX"),
        ("invalid ISO 8601 format: length=4".to_string(), 3)
    );
}

#[test]
fn a_zone_in_a_text_counts_for_that_text_only() {
    let pattern = Pattern::compile("HH:mm z").unwrap();
    let utc = Zone::utc();
    let context = ParseContext {
        zone: &utc,
        default_zone: &utc,
        locale: &Locale::en_us(),
        lenient: true,
        now_millis: NOW,
    };
    let noon = Some(12 * 3_600_000);
    assert_eq!(pattern.parse("12:00 UTC", &context), noon);
    assert_eq!(pattern.parse("04:00 PST", &context), noon);
    assert_eq!(pattern.parse("12:00 UTC", &context), noon);
    assert_eq!(pattern.format(0, &utc, &Locale::en_us()), "00:00 UTC");
}

#[test]
fn week_rules_follow_the_country() {
    // Friday, 2010-01-01.
    let week = |tag| {
        let locale = Locale::parse(tag).unwrap();
        DateFields::at(1_262_304_000_000, &Zone::utc(), &locale).week_of_year()
    };
    assert_eq!(week("en_US"), 1);
    assert_eq!(week("de-DE"), 53);
    assert_eq!(week("en"), 1);
}

#[test]
fn locales_are_read_from_tags() {
    let tag = |text| Locale::parse(text).map(|locale| locale.tag().to_string());
    assert_eq!(tag("en_US.UTF-8"), Some("en_US".to_string()));
    assert_eq!(tag("zh-hans-cn"), Some("zh_CN".to_string()));
    assert_eq!(tag("C"), Some("en".to_string()));
    assert_eq!(tag("es-419"), Some("es_419".to_string()));
    assert_eq!(tag(""), None);
    assert_eq!(tag("12"), None);
}

#[test]
fn zones_by_name() {
    let strict = |name| Zone::from_name_strict(name).map(|zone| zone.id().to_string());
    assert_eq!(strict("Europe/Paris"), Some("Europe/Paris".to_string()));
    assert_eq!(strict("+05:30"), Some("GMT+05:30".to_string()));
    assert_eq!(strict("UTC-8"), Some("GMT-08:00".to_string()));
    assert_eq!(strict("Z"), Some("UTC".to_string()));
    assert_eq!(strict("Mars/Phobos"), None);
    assert_eq!(strict(""), None);
    assert_eq!(strict("🕐"), None);
    assert_eq!(Zone::from_java_id("Mars/Phobos").id(), "GMT");
    assert_eq!(Zone::from_java_id("europe/paris").id(), "GMT");
    assert!(!Zone::system().id().is_empty());
    assert_eq!(Zone::from_java_id("PST").offset_millis(0), -8 * 3_600_000);
}

#[test]
fn far_years_keep_yearly_rules() {
    let pattern = "yyyy-MM-dd HH:mm z";
    for year in [2037, 2065, 2066, 2100, 2400, 12_345, 1_000_000] {
        let text = format!("{year}-07-01 12:00");
        let millis = parse("yyyy-MM-dd HH:mm", &text, "America/New_York").unwrap();
        let shown = format(pattern, millis, "America/New_York");
        assert_eq!(shown, format!("{text} EDT"));
    }
}

#[test]
fn every_instant_has_fields() {
    let all = "G y yy yyyy Y YY M L w W D d F E u a H k K h m s S z zzzz Z X XX XXX";
    let pattern = Pattern::compile(all).unwrap();
    let edges = [
        i64::MIN,
        i64::MAX,
        0,
        -12_219_292_800_000,
        -62_135_769_600_000,
    ];
    for zone in ["UTC", "America/New_York", "GMT-23:59", "Pacific/Kiritimati"] {
        let zone = Zone::from_java_id(zone);
        for edge in edges {
            for step in [-1, 0, 1] {
                let millis = edge.saturating_add(step);
                assert!(!pattern.format(millis, &zone, &Locale::en_us()).is_empty());
            }
        }
    }
}

#[test]
fn extreme_numbers_do_not_panic() {
    let numbers = [
        "0",
        "-1",
        "2147483647",
        "-2147483648",
        "99999999999999999999",
        "-9E99",
        "1E-2147483648",
        "1E9223372036854775807",
        "∞",
        "-∞",
        "NaN",
    ];
    let letters = [
        "y", "Y", "M", "w", "W", "D", "d", "F", "u", "H", "K", "m", "S",
    ];
    for zone in ["UTC", "America/New_York"] {
        for first in letters {
            for second in letters {
                let pattern = format!("{first} {second} G");
                for a in numbers {
                    for b in numbers {
                        for era in ["AD", "BC"] {
                            let text = format!("{a} {b} {era}");
                            parse_mode(&pattern, &text, zone, true);
                            parse_mode(&pattern, &text, zone, false);
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn hostile_sizes_stay_linear() {
    let start = Instant::now();
    let patterns = [
        "y".repeat(65_536),
        "yMdHmsSEDFwWahKkzZXuLGY".repeat(2_850),
        "ddM".repeat(21_845),
        "zzzz'x'".repeat(9_362),
        "'".repeat(65_536),
        "d ".repeat(32_768),
    ];
    let texts = [
        " ".repeat(1 << 20),
        "9".repeat(1 << 20),
        "1 ".repeat(1 << 19),
        "٣".repeat(1 << 19),
        format!("1E{}", "9".repeat(1 << 20)),
        "EST".repeat(1 << 18),
    ];
    for pattern in &patterns {
        let shown = format(pattern, i64::MAX, "America/New_York");
        parse(pattern, &shown, "America/New_York");
        for text in &texts {
            parse(pattern, text, "America/New_York");
        }
    }
    assert!(start.elapsed() < Duration::from_secs(60));
}

#[test]
fn values_can_be_shared() {
    fn shared<T: Send + Sync>() {}
    shared::<Pattern>();
    shared::<Zone>();
    shared::<Locale>();
}
