//! Compares with answers of Java 17; see the columns below.
//!
//! `F pattern millis zone locale result`, `P pattern text zone locale lenient
//! millis|null`, `D millis zone locale fields`, `Z id known-id offset short
//! long`, `C pattern OK|message`; `\uXXXX` escapes in patterns and texts.
#![allow(clippy::unwrap_used, clippy::panic)]

use stellar::eval::java::date_format::{DateFields, Locale, ParseContext, Pattern, Zone};

/// The present under which the file was made, for two-digit years.
const NOW: i64 = 1_700_000_000_000;

fn unescape(text: &str) -> String {
    let mut units = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\\u") {
        units.extend(before.encode_utf16());
        units.push(u16::from_str_radix(&after[..4], 16).unwrap());
        rest = &after[4..];
    }
    units.extend(rest.encode_utf16());
    String::from_utf16(&units).unwrap()
}

fn answer(columns: &[&str]) -> Option<(String, String)> {
    let default = Zone::utc();
    Some(match columns {
        ["C", pattern, wanted] => {
            let got = match Pattern::compile(&unescape(pattern)) {
                Ok(_) => "OK".to_string(),
                Err(error) => error.message,
            };
            (got, unescape(wanted))
        }
        ["F", pattern, millis, zone, locale, wanted] => {
            let pattern = Pattern::compile(&unescape(pattern)).unwrap();
            let zone = Zone::from_java_id(zone);
            let locale = Locale::parse(locale).unwrap();
            let got = pattern.format(millis.parse().unwrap(), &zone, &locale);
            (got, unescape(wanted))
        }
        ["P", pattern, text, zone, locale, lenient, wanted] => {
            let pattern = Pattern::compile(&unescape(pattern)).unwrap();
            let context = ParseContext {
                zone: &Zone::from_java_id(zone),
                default_zone: &default,
                locale: &Locale::parse(locale).unwrap(),
                lenient: *lenient == "true",
                now_millis: NOW,
            };
            let got = pattern.parse(&unescape(text), &context);
            let got = got.map_or("null".to_string(), |millis| millis.to_string());
            (got, wanted.to_string())
        }
        ["D", millis, zone, locale, wanted] => {
            let fields = DateFields::at(
                millis.parse().unwrap(),
                &Zone::from_java_id(zone),
                &Locale::parse(locale).unwrap(),
            );
            let got = format!(
                "{} {} {} {} {} {} {}",
                fields.day_of_week(),
                fields.day_of_month(),
                fields.day_of_year(),
                fields.week_of_month(),
                fields.week_of_year(),
                fields.month(),
                fields.year()
            );
            (got, wanted.to_string())
        }
        ["Z", id, wanted @ ..] => {
            let zone = Zone::from_java_id(&unescape(id));
            let name = |pattern| {
                let pattern = Pattern::compile(pattern).unwrap();
                pattern.format(1_210_000_000, &zone, &Locale::en_us())
            };
            let offset = zone.offset_millis(NOW).to_string();
            let got = [zone.id(), &offset, &name("z"), &name("zzzz")].join("\t");
            (got, wanted.join("\t"))
        }
        _ => return None,
    })
}

fn differences(file: &str) -> (usize, Vec<String>) {
    let mut count = 0;
    let mut wrong = Vec::new();
    for line in file.lines() {
        let columns: Vec<&str> = line.split('\t').collect();
        let Some((got, wanted)) = answer(&columns) else {
            continue;
        };
        count += 1;
        if got != wanted {
            wrong.push(format!("{line}\n  got {got}"));
        }
    }
    (count, wrong)
}

#[test]
fn agrees_with_java() {
    let (count, wrong) = differences(include_str!("java_dates.tsv"));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 300);
}
