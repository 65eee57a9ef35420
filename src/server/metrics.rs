//! What the server counts, in Prometheus' form.

use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// The upper ends of the buckets of times, in seconds.
const BUCKETS: [f64; 8] = [0.005, 0.02, 0.1, 0.5, 2.0, 10.0, 30.0, 60.0];

/// What a system counts, in Prometheus' form.
pub type More = Box<dyn Fn() -> String + Send + Sync>;

/// The counters of one server.
pub struct Metrics {
    started: Instant,
    /// By method, path as declared, and status.
    requests: Mutex<BTreeMap<(&'static str, &'static str, u16), Times>>,
    bytes: AtomicU64,
    /// Requests that are being answered.
    pub running: AtomicUsize,
    /// What systems count besides.
    pub more: Mutex<Vec<More>>,
}

#[derive(Default)]
struct Times {
    count: u64,
    seconds: f64,
    buckets: [u64; BUCKETS.len()],
}

impl Metrics {
    /// Nothing yet.
    pub fn new() -> Metrics {
        Metrics {
            started: Instant::now(),
            requests: Mutex::default(),
            bytes: AtomicU64::new(0),
            running: AtomicUsize::new(0),
            more: Mutex::default(),
        }
    }

    /// Counts an answer.
    pub fn count(
        &self,
        method: &'static str,
        path: &'static str,
        status: u16,
        time: Duration,
        bytes: u64,
    ) {
        let seconds = time.as_secs_f64();
        let mut requests = self.requests.lock();
        let times = requests.entry((method, path, status)).or_default();
        times.count += 1;
        times.seconds += seconds;
        for (bucket, end) in times.buckets.iter_mut().zip(BUCKETS) {
            *bucket += u64::from(seconds <= end);
        }
        drop(requests);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// All of them as text.
    pub fn text(&self) -> String {
        let mut out = String::new();
        let mut line = |text: std::fmt::Arguments<'_>| {
            // Writing into memory cannot fail.
            let _ = writeln!(out, "{text}");
        };
        let name = "stellar_http_requests";
        line(format_args!(
            "# HELP {name}_total Requests that were answered."
        ));
        line(format_args!("# TYPE {name}_total counter"));
        let requests = self.requests.lock();
        for ((method, path, status), times) in requests.iter() {
            let labels = format!("method=\"{method}\",path=\"{path}\",status=\"{status}\"");
            line(format_args!("{name}_total{{{labels}}} {}", times.count));
        }
        let name = "stellar_http_request_seconds";
        line(format_args!(
            "# HELP {name} How long answers took, to their last byte."
        ));
        line(format_args!("# TYPE {name} histogram"));
        for ((method, path, status), times) in requests.iter() {
            let labels = format!("method=\"{method}\",path=\"{path}\",status=\"{status}\"");
            for (end, count) in BUCKETS.iter().zip(times.buckets) {
                line(format_args!(
                    "{name}_bucket{{{labels},le=\"{end}\"}} {count}"
                ));
            }
            let (count, seconds) = (times.count, times.seconds);
            line(format_args!(
                "{name}_bucket{{{labels},le=\"+Inf\"}} {count}"
            ));
            line(format_args!("{name}_sum{{{labels}}} {seconds}"));
            line(format_args!("{name}_count{{{labels}}} {count}"));
        }
        drop(requests);
        let running = self.running.load(Ordering::Relaxed);
        let up = self.started.elapsed().as_secs_f64();
        for (name, kind, about, value) in [
            (
                "stellar_http_sent_bytes_total",
                "counter",
                "Bytes of bodies that were sent.",
                self.bytes.load(Ordering::Relaxed) as f64,
            ),
            (
                "stellar_http_requests_running",
                "gauge",
                "Requests that are being answered.",
                running as f64,
            ),
            (
                "stellar_up_seconds",
                "gauge",
                "For so long the server has been running.",
                up,
            ),
        ] {
            line(format_args!("# HELP {name} {about}"));
            line(format_args!("# TYPE {name} {kind}"));
            line(format_args!("{name} {value}"));
        }
        out.extend(self.more.lock().iter().map(|more| more()));
        out
    }
}
