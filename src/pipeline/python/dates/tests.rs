use super::*;

/// 2020-12-11 08:30:13
const NOW: i64 = 1_607_675_413_000;

fn in_zone(text: &str, zone: &str) -> Option<f64> {
    let found = parse_date(text, NOW, &Zone::from_java_id(zone))?;
    Some(found.seconds as f64 + f64::from(found.nanos) / 1e9)
}

fn read(text: &str) -> Option<f64> {
    in_zone(text, "UTC")
}

/// chronyk rounds months backwards towards now, so that 12 months ago is today.
fn has_months_ago(text: &str) -> bool {
    text.contains("month") && text.ends_with(" ago")
}

#[test]
fn reads_what_chronyk_reads() {
    let rows = include_str!("../../../../tests/chronyk.tsv");
    let mut compared = 0;
    for row in rows.lines() {
        let (text, value) = row.split_once('\t').unwrap();
        if has_months_ago(text) {
            continue;
        }
        assert_eq!(read(text), value.parse().ok(), "{text:?}");
        compared += 1;
    }
    assert!(compared > 1300, "{compared}");
}

#[test]
fn reads_what_chronyk_reads_wrongly() {
    for (text, value) in [
        ("Fri, 11 Dec 2020 08:30:13 +0000", 1_607_675_413.0),
        ("Fri, 11 Dec 2020 08:30:13 -0500", 1_607_693_413.0),
        ("11 Dec 2020 08:30 GMT", 1_607_675_400.0),
        ("2020-12-11T08:30:13+02:00", 1_607_668_213.0),
        ("2020-12-11 08:30:13 +0200", 1_607_668_213.0),
        ("2020-12-11T08:30:13.5Z", 1_607_675_413.5),
        ("2020-12-11 08:30:13,250", 1_607_675_413.25),
        ("2020-12-11 08:30:13Z", 1_607_675_413.0),
        ("2020-12-11 08:30:13 UTC", 1_607_675_413.0),
        ("11 dec 2020 08:30:13 PM EST", 1_607_736_613.0),
        ("1607675413", 1_607_675_413.0),
        ("12 months ago", 1_576_053_013.0),
        ("an hour ago", 1_607_671_813.0),
        ("in a day", 1_607_761_813.0),
    ] {
        assert_eq!(read(text), Some(value), "{text}");
    }
}

#[test]
fn refuses_what_is_no_date() {
    let huge = format!("{} years ago", "9".repeat(40));
    for text in [
        "",
        "x",
        "2020/12/11",
        "2020-13-11",
        "2020-02-30",
        "2020-12-11 24:00:00",
        "December 2nd, 20",
        "a while ago",
        "in",
        "99999999999999 years ago",
        "in 9999999999 months",
        "2020-12-11T08:30:13.Z",
        "2020-12-11T08:30:13+99:99",
        "2020-12-1é 08:30",
        huge.as_str(),
    ] {
        assert_eq!(read(text), None, "{text}");
    }
}

#[test]
fn reads_what_stands_in_logs() {
    for (text, value) in [
        ("11/Dec/2020:08:30:13 +0200", 1_607_668_213.0),
        ("11/Dec/2020:08:30:13", 1_607_675_413.0),
        ("Dec 11 08:30:13", 1_607_675_413.0),
        ("Dec  1 08:30:13", 1_606_811_413.0),
        // A day ahead of the clock at most; else it is last year's.
        ("Dec 12 08:30:13", 1_607_761_813.0),
        ("Dec 12 08:30:14", 1_576_139_414.0),
        ("Jan  1 00:00:00", 1_577_836_800.0),
        ("Feb 29 00:00:00", 1_582_934_400.0),
        ("Jan 1 0:00:00", 1_577_836_800.0),
        ("Dec 11 2020 08:30:13", 1_607_675_413.0),
        ("2020/12/11 08:30:13", 1_607_675_413.0),
        ("Fri Dec 11 08:30:13.250000 2020", 1_607_675_413.25),
        ("12/11/2020-08:30:13.5", 1_607_675_413.5),
        ("20201211T083013Z", 1_607_675_413.0),
        ("20201211T083013+0200", 1_607_668_213.0),
        ("1607675413.5", 1_607_675_413.5),
    ] {
        assert_eq!(read(text), Some(value), "{text}");
    }
    for text in [
        "Feb 30 00:00:00",
        "11/Dec/2020:08:30:13.",
        "11/Dec/2020:08:30:13.x",
        "Dec 11 08:30.5",
        "1607675413.",
        "1607675413.5x",
        "16076.5",
        "20201211T0830",
    ] {
        assert_eq!(read(text), None, "{text}");
    }
    // On New Year's Eve a host may be ahead.
    let eve = 1_609_459_100_000;
    let found = parse_date("Jan  1 00:00:05", eve, &Zone::from_java_id("UTC"));
    assert_eq!(found.map(|found| found.seconds), Some(1_609_459_205));
}

#[test]
fn what_has_no_offset_is_local() {
    // In winter and in summer, and in the hour that is left out.
    let paris = |text| in_zone(text, "Europe/Paris");
    assert_eq!(paris("2020-12-11 08:30:13"), Some(1_607_671_813.0));
    assert_eq!(paris("2020-07-11 08:30:13"), Some(1_594_449_013.0));
    assert_eq!(paris("2020-03-29 02:30:00"), Some(1_585_445_400.0));
    assert_eq!(paris("2020-12-11T08:30:13Z"), Some(1_607_675_413.0));
    assert_eq!(paris("08:30"), Some(1_607_671_800.0));
    let york = |text| in_zone(text, "America/New_York");
    assert_eq!(york("2020-12-11 08:30"), Some(1_607_693_400.0));
    assert_eq!(york("2 hours ago"), Some(1_607_668_213.0));
}
