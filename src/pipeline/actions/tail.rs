//! `input_tail`

mod copies;
mod follow;
mod places;
mod round;
mod wake;

use super::alert::DB_PATH;
use crate::diagnostic::Outcome;
use crate::input::{Id, Place};
use crate::pipeline::spec::{
    ActionKind, ActionSpec, Build, ParameterKind, ParameterSpec, Parameters,
};
use crate::pipeline::step::{Feed, Input, Step};
use ahash::AHashMap;
use follow::{Common, Follow};
use glob::Pattern;
use parking_lot::Mutex;
use places::Places;
use serde_json::Value as Json;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};
use wake::Wake;

pub const INPUT_TAIL: ActionSpec = ActionSpec {
    name: "input_tail",
    kind: ActionKind::Input,
    summary: "Follows files as they grow, through rotation, and remembers how far it has come.",
    details: "Each line is an event `{\"log\": line}`. Files that come later are followed, too, from their first line on. A file is known by its device, its inode and what stands before the place, so that it is found again when it was renamed, copied and emptied (`copytruncate`), removed, or compressed by gzip or zstd in the same folder; what had not been read of it is read first. Where positions are kept (`db_path`, `--state`) a start goes on there; a position counts when the outputs have taken the lines before it. The last line waits for its end; without one it is a line when the file is rotated (a minute after its last change, at once when it was removed), and with `--once` at the end, when the file has not changed for a second. A line longer than `limits.line` and one that is not UTF-8 are dead letters. Compressed files that match are read once, when they have not changed for a second.",
    parameters: &[
        ParameterSpec::required("tag", ParameterKind::Text, "the tag of the events"),
        ParameterSpec::required(
            "path",
            ParameterKind::Texts,
            "the files, by path or pattern such as `/var/log/*/app.log*`; `**` is any folders",
        ),
        ParameterSpec::optional(
            "exclude",
            ParameterKind::Texts,
            "",
            "patterns of paths that are left out",
        ),
        ParameterSpec::optional(
            "from",
            ParameterKind::Choice(&["start", "end"]),
            "start",
            "where files begin that are there at the first start",
        ),
        ParameterSpec::optional(
            "path_key",
            ParameterKind::Text,
            "",
            "the field that gets the path of the file",
        ),
        DB_PATH,
    ],
    examples: &[
        "- name: input_tail\n  tag: web\n  path: /var/log/nginx/access.log*\n  path_key: file\n  db_path: /var/lib/stellar/web.json",
    ],
    make,
};

/// How often there is a look for news.
const LOOK: Duration = Duration::from_millis(50);

/// How often all files are looked at, news or not: not every file system tells.
const ALL: Duration = Duration::from_secs(1);

/// How long `--once` waits for the end of a line that is being written.
const PATIENCE: Duration = Duration::from_secs(10);

struct Tail {
    patterns: Vec<String>,
    exclude: Vec<Pattern>,
    at_end: bool,
    common: Common,
    files: AHashMap<Id, Follow>,
    /// Files that are finished and not there any more; the latest ones.
    gone: VecDeque<Place>,
    /// What a state says of files that have not been found yet.
    loaded: Vec<Place>,
    /// How many new files are being copied yet.
    growing: usize,
    round: u64,
    wake: Wake,
}

fn make(parameters: &Parameters, build: &Build<'_>) -> Outcome<Step> {
    let patterns = parameters.texts("path");
    let patterns: Vec<String> = patterns.iter().map(ToString::to_string).collect();
    let compile = |name: &str, text: &str| {
        Pattern::new(text).map_err(|error| parameters.fault(name, format!("{text}: {}", error.msg)))
    };
    for pattern in &patterns {
        compile("path", pattern)?;
    }
    if patterns.is_empty() {
        return Err(parameters.fault("path", "path names no file"));
    }
    let exclude = parameters.texts("exclude");
    let exclude = exclude.iter().map(|text| compile("exclude", text));
    Ok(Step::Input(Box::new(Tail {
        patterns,
        exclude: exclude.collect::<Outcome<_>>()?,
        at_end: parameters.text("from").as_deref() == Some("end"),
        common: Common {
            tag: parameters.text_or("tag", ""),
            path_key: parameters.text("path_key"),
            longest: build.context.limits.line,
            places: Arc::new(Mutex::new(Places::default())),
        },
        files: AHashMap::new(),
        gone: VecDeque::new(),
        loaded: Vec::new(),
        growing: 0,
        round: 0,
        wake: Wake::new(),
    })))
}

impl Input for Tail {
    fn run(&mut self, feed: &Feed) -> Outcome<()> {
        self.scan(feed);
        self.take_up(feed);
        // What is there at the first start begins at its end, what comes later at its beginning.
        self.at_end = false;
        let mut looked = Instant::now();
        let mut drained: Option<Instant> = None;
        loop {
            let mut busy = false;
            // Only what is open or grown is read, so that a round costs little.
            for id in self.in_order() {
                match self.look(id, feed) {
                    Some(more) => busy |= more,
                    None => return Ok(()),
                }
            }
            self.close_some();
            if busy {
                drained = None;
            }
            if feed.once() && !busy {
                let since = *drained.get_or_insert_with(Instant::now);
                if since.elapsed() > PATIENCE || self.rested() {
                    self.finish(feed);
                    return Ok(());
                }
            }
            // Between rounds: until there is news, or it is time to look at everything.
            while !busy {
                if !feed.pause(LOOK) {
                    return Ok(());
                }
                let news = self.wake.news();
                let all = looked.elapsed() >= ALL;
                if news.listed || all {
                    self.scan(feed);
                    looked = Instant::now();
                }
                busy = news.listed || news.written || all || feed.once();
            }
            if feed.stopped() {
                return Ok(());
            }
        }
    }

    fn load(&mut self, position: &Json) -> Result<(), String> {
        let places = self.common.places.lock().load(position)?;
        let (gone, loaded): (Vec<Place>, Vec<Place>) =
            places.into_iter().partition(|place| place.gone);
        (self.gone, self.loaded) = (gone.into(), loaded);
        self.at_end = false;
        Ok(())
    }
}
