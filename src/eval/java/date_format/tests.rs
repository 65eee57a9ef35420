use super::zone::*;
#[test]
fn scratch_transitions() {
    let s = std::fs::read_to_string("/tmp/scratch/jdate-java/trans.tsv").unwrap();
    let mut bad = 0;
    for line in s.lines() {
        let p: Vec<&str> = line.split('\t').collect();
        let z = Zone::from_java_id(p[0]);
        let mut msgs = vec![];
        if z.id() != p[0] {
            msgs.push(format!("id {}", z.id()));
        }
        if z.raw_offset() / 1000 != p[1].parse::<i32>().unwrap() {
            msgs.push(format!("raw {} java {}", z.raw_offset() / 1000, p[1]));
        }
        if z.daylight_saving() / 1000 != p[2].parse::<i32>().unwrap() {
            msgs.push(format!("dst {} java {}", z.daylight_saving() / 1000, p[2]));
        }
        let tr: Vec<(i64, i32, i32)> = p[3]
            .split(' ')
            .map(|e| {
                let q: Vec<i64> = e.split(':').map(|x| x.parse().unwrap()).collect();
                (q[0], q[1] as i32, q[2] as i32)
            })
            .collect();
        let mut n = 0;
        let mut ex = String::new();
        for (k, (t, o, d)) in tr.iter().enumerate() {
            let next = tr.get(k + 1).map_or(4417000000, |x| x.0);
            let mut probe = |x: i64| {
                let f = z.offset_at(x * 1000);
                if (f.standard / 1000, f.daylight / 1000) != (*o, *d) {
                    n += 1;
                    if ex.len() < 120 {
                        ex += &format!(
                            " at {} rust {}+{} java {}+{};",
                            chrono::DateTime::from_timestamp(x, 0).unwrap().naive_utc(),
                            f.standard / 1000,
                            f.daylight / 1000,
                            o,
                            d
                        );
                    }
                }
            };
            probe(*t);
            probe(next - 1);
            let mut x = *t + 86400 * 7;
            while x < next {
                probe(x);
                x += 86400 * 30;
            }
        }
        if n > 0 {
            msgs.push(format!("{n} points {ex}"));
        }
        if !msgs.is_empty() {
            bad += 1;
            println!("{}: {}", p[0], msgs.join("; "));
        }
    }
    println!("bad {bad}");
}
#[test]
fn scratch_show() {
    use chrono::{DateTime, Offset as _, TimeZone};
    use chrono_tz::{OffsetComponents, Tz};
    for (n, a, b) in [
        ("Africa/Casablanca", 1.5e9 as i64, 4.4e9 as i64),
        ("Africa/Windhoek", 0, 2000000000),
        ("Asia/Gaza", 1_900_000_000, 4_400_000_000),
        ("Europe/Dublin", -100_000_000, 100_000_000),
        ("Europe/Dublin", -1700000000, -1600000000),
    ] {
        let tz: Tz = n.parse().unwrap();
        let mut prev = None;
        println!("{n}");
        let mut t = a;
        let mut c = 0;
        while t < b {
            let o =
                tz.offset_from_utc_datetime(&DateTime::from_timestamp(t, 0).unwrap().naive_utc());
            let k = (o.fix().local_minus_utc(), o.dst_offset().num_seconds());
            if prev != Some(k) {
                prev = Some(k);
                c += 1;
                if c < 40 || t > 4.0e9 as i64 {
                    println!(
                        "  {} {} dst {}",
                        DateTime::from_timestamp(t, 0).unwrap(),
                        k.0,
                        k.1
                    );
                }
            }
            t += 3600;
        }
    }
}
