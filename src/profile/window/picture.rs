//! What a selector means at a moment, as a picture.

use super::Setting;
use super::explain::reading;
use crate::diagnostic::Outcome;
use crate::drawing::clocks::{length, moment};
use crate::drawing::spans::{Lane, Spans, Stretches};

/// A selector as a picture: the windows that it picks, those that it leaves out, and the periods of `duration`
/// milliseconds that begin in them.
///
/// Errors: those of [`super::window`] and of [`super::Window::intervals`].
pub fn picture(text: &str, setting: &Setting<'_>, duration: i64) -> Outcome<Spans> {
    let window = super::window(text)?;
    let (start, end) = window.bounds(setting.now);
    let empty = || Stretches::on(start, end);
    let (mut picked, mut left_out, mut periods) = (empty(), empty(), empty());
    let mut counts = [0usize; 2];
    window.walk(setting, &mut |interval, is_picked| {
        let (stretches, count) = match is_picked {
            true => (&mut picked, 0),
            false => (&mut left_out, 1),
        };
        stretches.push(interval.start, interval.end);
        if let Some(count) = counts.get_mut(count) {
            *count += 1;
        }
        Ok(())
    })?;
    let numbers = window.periods(setting, duration)?;
    for number in &numbers {
        (setting.step)()?;
        let start = number.saturating_mul(duration);
        periods.push(start, start.saturating_add(duration));
    }
    let [inside, outside] = counts;
    let lane = |count: usize, what: &str, class, stretches| Lane {
        name: format!("{count} {what}{}", if count == 1 { "" } else { "s" }),
        class,
        stretches,
    };
    let mut lanes = vec![lane(inside, "window", "c0", picked)];
    if outside > 0 {
        lanes.push(Lane {
            name: format!("{outside} left out"),
            class: "out",
            stretches: left_out,
        });
    }
    lanes.push(lane(numbers.len(), "period", "c2", periods));
    let source = &window.selector.source.text;
    let words: Vec<&str> = source.split_whitespace().collect();
    Ok(Spans {
        title: words.join(" "),
        words: vec![
            reading(&window, setting),
            format!(
                "now {}; periods of {}",
                moment(setting.now, setting.zone, false),
                length(duration)
            ),
        ],
        start,
        end,
        zone: setting.zone.clone(),
        now: Some(setting.now),
        lanes,
        notes: window
            .lints(setting)
            .iter()
            .map(ToString::to_string)
            .collect(),
    })
}
