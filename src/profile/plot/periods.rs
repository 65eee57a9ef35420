//! A list of periods as a picture.

use crate::drawing::clocks::length;
use crate::drawing::spans::{Lane, Spans, Stretches};
use crate::eval::Value;
use crate::eval::java::date_format::Zone;
use crate::profile::period::Period;

/// The picture of a list that holds periods and nothing else; `None` for other values.
pub fn drawn(value: &Value, zone: &Zone) -> Option<Spans> {
    let Value::List(list) = value else {
        return None;
    };
    let of = |item: &Value| item.as_object::<Period>().copied();
    let periods = list.items().iter().map(of).collect::<Option<Vec<_>>>();
    let mut periods = periods.filter(|periods| !periods.is_empty())?;
    periods.sort_by_key(|period| (period.start(), period.end()));
    let count = periods.len();
    periods.dedup();
    let start = periods.iter().map(|period| period.start()).min()?;
    let end = periods.iter().map(|period| period.end()).max()?;
    let mut stretches = Stretches::on(start, end);
    for period in &periods {
        stretches.push(period.start(), period.end());
    }
    let duration = periods.first()?.duration;
    let alike = periods.iter().all(|period| period.duration == duration);
    let mut title = format!("{count} period{}", if count == 1 { "" } else { "s" });
    if alike {
        title = format!("{title} of {}", length(duration));
    }
    let mut words = Vec::new();
    if periods.len() < count {
        words.push(format!("{} of them are there twice", count - periods.len()));
    }
    if let (Some(first), Some(last), true) = (periods.first(), periods.last(), alike) {
        words.push(format!("numbers {} to {}", first.number, last.number));
        let between = i128::from(last.number) - i128::from(first.number) + 1;
        let missing = between - periods.len() as i128;
        if missing > 0 {
            words.push(format!("{missing} between them are not in the list"));
        }
    }
    Some(Spans {
        title,
        words: match words.is_empty() {
            true => Vec::new(),
            false => vec![words.join("; ")],
        },
        start,
        end,
        zone: zone.clone(),
        now: None,
        lanes: vec![Lane {
            name: "periods".to_string(),
            class: "c2",
            stretches,
        }],
        notes: Vec::new(),
    })
}
