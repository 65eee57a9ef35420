//! The counters as Prometheus reads them: its text format 0.0.4, or OpenMetrics 1.0 where that is asked for.

use super::counts::{BYPASS, DO, DROPPED, FAILED, IN, OUT};
use super::run::{LivePipeline, State};
use axum::http::{HeaderMap, header};
use std::fmt::Write;

/// Which of the two formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// Prometheus' own.
    Prometheus,
    /// OpenMetrics.
    Open,
}

impl Dialect {
    /// The one that a client asks for.
    pub fn of(headers: &HeaderMap) -> Dialect {
        let accepted = headers.get_all(header::ACCEPT).iter();
        let open = accepted
            .filter_map(|value| value.to_str().ok())
            .any(|value| value.contains("application/openmetrics-text"));
        if open {
            Dialect::Open
        } else {
            Dialect::Prometheus
        }
    }

    pub fn content_type(self) -> &'static str {
        match self {
            Dialect::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Dialect::Open => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// What is counted for each tag: the name, the help, the column.
const COUNTERS: &[(&str, &str, usize)] = &[
    ("in", "Events that came to the action", IN),
    ("matched", "Events whose tag the action matches", DO),
    ("bypassed", "Events that passed the action by", BYPASS),
    ("out", "Events that the action sent on", OUT),
    ("dropped", "Events that ended at the action", DROPPED),
    ("failed", "Events that the action could not take", FAILED),
];

/// All counters.
pub(super) fn metrics(pipelines: &[&LivePipeline], dialect: Dialect) -> String {
    let mut page = Page {
        text: String::with_capacity(4096),
        dialect,
    };
    for (name, help, column) in COUNTERS {
        page.counter(&format!("stellar_pipeline_events_{name}"), help, |line| {
            for pipeline in pipelines {
                let counts = pipeline.counts.lock();
                for (at, (action, counts)) in pipeline.actions.iter().zip(counts.iter()).enumerate()
                {
                    for (tag, tally) in counts.iter() {
                        let number = tally.get(*column).copied().unwrap_or_default();
                        if number > 0 {
                            let labels = step(pipeline, at, action).and("tag", tag);
                            line(&labels, number as f64);
                        }
                    }
                }
            }
        });
    }
    let sizes = |line: &mut dyn FnMut(&Labels, f64), of: fn(&(usize, u64)) -> f64| {
        for pipeline in pipelines {
            let sizes = pipeline.sizes.lock();
            for (at, (action, size)) in pipeline.actions.iter().zip(sizes.iter()).enumerate() {
                line(&step(pipeline, at, action), of(size));
            }
        }
    };
    page.gauge(
        "stellar_pipeline_state_keys",
        "Keys or values that the action holds",
        |line| sizes(line, |(keys, _)| *keys as f64),
    );
    page.counter(
        "stellar_pipeline_state_evicted",
        "Keys that the action has thrown out because there were too many",
        |line| sizes(line, |(_, evicted)| *evicted as f64),
    );
    page.gauge(
        "stellar_pipeline_input_lag_seconds",
        "How long the last batch of the input was on its way; 0 when none is",
        |line| {
            for pipeline in pipelines {
                for (at, lag) in pipeline.lags.lock().iter() {
                    let action = pipeline.actions.get(*at).copied().unwrap_or_default();
                    line(&step(pipeline, *at, action), lag.as_secs_f64());
                }
            }
        },
    );
    let all = |line: &mut dyn FnMut(&Labels, f64), of: fn(&LivePipeline) -> f64| {
        for pipeline in pipelines {
            line(
                &Labels::default().and("pipeline", &pipeline.id),
                of(pipeline),
            );
        }
    };
    page.gauge(
        "stellar_pipeline_batches_waiting",
        "Batches of events that inputs have fed and outputs have not yet taken",
        |line| all(line, |pipeline| pipeline.waiting() as f64),
    );
    page.gauge(
        "stellar_pipeline_checkpoint_age_seconds",
        "Seconds since the last checkpoint, or since the start",
        |line| all(line, |pipeline| pipeline.checkpoint_age().as_secs_f64()),
    );
    page.gauge("stellar_pipeline_up", "Whether the pipeline runs", |line| {
        all(line, |p| f64::from(u8::from(p.state() == State::Running)))
    });
    page.end()
}

fn step(pipeline: &LivePipeline, at: usize, action: &str) -> Labels {
    Labels::default()
        .and("pipeline", &pipeline.id)
        .and("step", &(at + 1).to_string())
        .and("action", action)
}

/// Labels with their values escaped.
#[derive(Default)]
struct Labels(String);

impl Labels {
    fn and(mut self, name: &str, value: &str) -> Labels {
        if !self.0.is_empty() {
            self.0.push(',');
        }
        self.0.push_str(name);
        self.0.push_str("=\"");
        for c in value.chars() {
            match c {
                '\\' => self.0.push_str("\\\\"),
                '"' => self.0.push_str("\\\""),
                '\n' => self.0.push_str("\\n"),
                c => self.0.push(c),
            }
        }
        self.0.push('"');
        self
    }
}

struct Page {
    text: String,
    dialect: Dialect,
}

impl Page {
    fn counter(&mut self, name: &str, help: &str, fill: impl FnOnce(&mut dyn FnMut(&Labels, f64))) {
        // A family of OpenMetrics is named without the ending of its samples.
        let sample = format!("{name}_total");
        let family = match self.dialect {
            Dialect::Prometheus => &sample,
            Dialect::Open => name,
        };
        self.family(family, &sample, "counter", help, fill);
    }

    fn gauge(&mut self, name: &str, help: &str, fill: impl FnOnce(&mut dyn FnMut(&Labels, f64))) {
        self.family(name, name, "gauge", help, fill);
    }

    fn family(
        &mut self,
        family: &str,
        sample: &str,
        kind: &str,
        help: &str,
        fill: impl FnOnce(&mut dyn FnMut(&Labels, f64)),
    ) {
        let text = &mut self.text;
        // Writing to a string cannot fail.
        let _ = writeln!(text, "# HELP {family} {help}.\n# TYPE {family} {kind}");
        fill(&mut |labels, number| {
            let _ = writeln!(text, "{sample}{{{}}} {number}", labels.0);
        });
    }

    fn end(mut self) -> String {
        if self.dialect == Dialect::Open {
            self.text.push_str("# EOF\n");
        }
        self.text
    }
}
