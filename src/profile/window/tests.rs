#![allow(clippy::unwrap_used)]
use super::*;

#[test]
fn dummy() {
    let zone = Zone::from_java_id("America/New_York");
    let locale = Locale::default();
    println!(
        "{}",
        explain(
            "30 minute window every 24 hours from 7 days ago excluding weekends",
            &Setting::new(1489551300000, &zone, &locale),
            900_000,
            100
        )
        .unwrap()
    );
    let zone = Zone::utc();
    for t in [
        "1 hour window every 24 hours starting from 14 days ago including the current day of the week excluding weekends, holidays:us",
        "30 minute window every 24 hours from 14 days ago excluding weekends, holidays:us",
        "from 40 days ago to 1 day ago",
        "1 hour window every 1 hour from 365 days ago excluding holidays:us:ne:xx, weekends",
        "2 hours window every 1 hour from 1 hour ago",
        "30 minute window every 1 hour from 2 hours ago",
    ] {
        println!(
            "{}",
            explain(
                t,
                &Setting::new(1514289600000, &zone, &locale),
                900_000,
                100
            )
            .unwrap()
        );
    }
    for t in [
        "1 week",
        "1 hour, 2",
        "1 hour window from",
        "1 hour window every 24 hours",
        "starting  from 1 day",
        "including mondays",
        "1 hour window every 24 hours from 14 days ago including tuesday weekends",
        "1 hour window every 24 hours from 14 days ago including holidays:uk",
        "1 hour window every 24 hours from 14 days ago including dates:2017/12/25",
        "01 hour",
        "1 hour windw every 2 hours from 1 day",
        "1 hour including mondys",
        "last 2 hours",
        "99999999999999999999 hours",
        "1 hour excluding mondays including tuesdays",
        "1.5 hours",
        "1 hour including date:foo",
        "1 hour including date: 2017/12/25",
        "1 hour;",
        "5",
        "",
        "from 1 hour ago including mondays",
    ] {
        match window(t) {
            Ok(_) => println!("{t} OK"),
            Err(e) => println!("{e}\n"),
        }
    }
}
