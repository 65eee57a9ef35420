//! Makes security telemetry to learn and to measure with: the logs of an invented company, as JSON Lines in time order.
//!
//! The same arguments give the same bytes on every machine. `examples/README.md` tells what is hidden in them.

mod clock;
mod conn;
mod dns;
mod line;
mod login;
mod people;
mod places;
mod random;
mod stories;
mod tables;
#[cfg(test)]
mod tests;
mod web;

use chrono::{DateTime, NaiveDate};
use clock::{DAY, Rhythm, Timeline};
use line::Line;
use people::People;
use places::Sites;
use random::Random;
use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;
use stories::{Cast, Planned};

const USAGE: &str = "\
Makes example data: the logs of an invented company, as JSON Lines in time order.

Usage: generate --kind KIND [--count N] [--seed S] [--start TIME] [--days D] [-o FILE] [--stories]

  --kind KIND    web, dns, login or conn; assets or domains for the tables that go with them
  --count N      how many lines (1000)
  --seed S       which of the possible worlds (1); the company and the internet are the same in all
  --start TIME   when the log begins, as 2026-11-02 or 2026-11-02T00:00:00Z (2026-11-02)
  --days D       how many days it lasts, such as 1, 0.25 or 30 (1)
  -o FILE        where to write; else to standard output
  --stories      tell on standard error what is hidden in the data
";

/// The year 9900.
const LAST_START: i64 = 250_246_195_200_000;

/// What to make.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A proxy's log
    Web,
    /// DNS queries
    Dns,
    /// Logins
    Login,
    /// Connections, as in Zeek's conn.log
    Conn,
}

/// A file to make.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Product {
    Log(Kind),
    Assets,
    Domains,
}

/// The company and its part of the internet, and who plays which part in it.
pub struct World {
    /// The people.
    pub people: People,
    /// The sites.
    pub sites: Sites,
    /// The parts of the stories.
    pub cast: Cast,
}

/// A kind of log: writes one event after another.
pub trait Source {
    /// When it is busy, and who with.
    fn rhythm(&self) -> Rhythm;
    /// Writes an ordinary event of somebody of a crowd.
    fn ordinary(&mut self, line: &mut Line, ms: i64, crowd: usize);
    /// Writes an event of a story.
    fn hidden(&mut self, line: &mut Line, planned: &Planned);
}

/// What to make, how much of it, and where to put it.
#[derive(Clone, Debug)]
pub struct Order {
    product: Product,
    count: u64,
    seed: u64,
    start: i64,
    end: i64,
    output: Option<String>,
    stories: bool,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments
        .iter()
        .any(|argument| argument == "-h" || argument == "--help")
    {
        print!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    let order = match Order::read(&arguments) {
        Ok(order) => order,
        Err(message) => {
            eprintln!("generate: {message}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let made = match &order.output {
        Some(path) => File::create(path).and_then(|mut file| order.write(&mut file)),
        None => order.write(&mut io::stdout().lock()),
    };
    match made {
        Ok(()) => ExitCode::SUCCESS,
        // `| head` closes the pipe when it has seen enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!(
                "generate: {}: {error}",
                order.output.as_deref().unwrap_or("standard output")
            );
            ExitCode::FAILURE
        }
    }
}

impl Order {
    /// Understands the arguments.
    pub fn read(arguments: &[String]) -> Result<Self, String> {
        let mut product = None;
        let (mut count, mut seed, mut days) = (1000, 1, 1.0);
        let mut start = moment("2026-11-02")?;
        let (mut output, mut stories) = (None, false);

        let mut arguments = arguments.iter();
        while let Some(name) = arguments.next() {
            if name == "--stories" {
                stories = true;
                continue;
            }
            let mut value = || {
                arguments
                    .next()
                    .ok_or_else(|| format!("{name} needs a value"))
            };
            match name.as_str() {
                "--kind" => product = Some(kind(value()?)?),
                "--count" => count = number(name, value()?)?,
                "--seed" => seed = number(name, value()?)?,
                "--start" => start = moment(value()?)?,
                "--days" => days = number::<f64>(name, value()?)?,
                "-o" | "--output" => output = Some(value()?.clone()),
                _ => return Err(format!("unknown argument {name}")),
            }
        }
        if !(0.001..=3660.0).contains(&days) {
            return Err("--days must be from 0.001 to 3660".to_owned());
        }
        let end = start + (days * DAY as f64) as i64;
        let product = product.ok_or("--kind is missing")?;
        Ok(Self {
            product,
            count,
            seed,
            start,
            end,
            output,
            stories,
        })
    }

    /// Makes what was ordered.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let people = People::new();
        let cast = Cast::new(self.seed, &people);
        let world = World {
            people,
            sites: Sites::new(),
            cast,
        };
        match self.product {
            Product::Log(kind) => self.log(kind, &world, out),
            Product::Assets => out.write_all(tables::assets(&world, self.count).as_bytes()),
            Product::Domains => out.write_all(tables::domains(&world, self.count).as_bytes()),
        }
    }

    fn log(&self, kind: Kind, world: &World, out: &mut dyn Write) -> io::Result<()> {
        let plan = stories::plan(
            kind,
            self.start,
            self.end,
            self.count,
            &world.cast,
            &world.people,
        );
        let mut source: Box<dyn Source + '_> = match kind {
            Kind::Web => Box::new(web::Web::new(world, self.seed)),
            Kind::Dns => Box::new(dns::Dns::new(world, self.seed)),
            Kind::Login => Box::new(login::Login::new(world, self.seed)),
            Kind::Conn => Box::new(conn::Conn::new(world, self.seed)),
        };
        let ordinary = self.count - plan.len() as u64;
        let mut random = Random::new(self.seed, "time");
        let rhythm = source.rhythm();
        let mut timeline = Timeline::new(self.start, self.end, ordinary, &rhythm, &mut random);
        let mut next = timeline.next(&mut random);
        let mut hidden = plan.iter().peekable();
        let mut line = Line::default();

        loop {
            let due = next.map_or(i64::MAX, |(ms, _)| ms);
            if let Some(planned) = hidden.next_if(|planned| planned.ms <= due) {
                source.hidden(&mut line, planned);
            } else if let Some((ms, crowd)) = next {
                source.ordinary(&mut line, ms, crowd);
                next = timeline.next(&mut random);
            } else {
                break;
            }
            if line.bytes().len() >= 1 << 20 {
                out.write_all(line.bytes())?;
                line.clear();
            }
        }
        out.write_all(line.bytes())?;
        out.flush()?;
        if self.stories {
            for story in stories::stories(kind) {
                if let Some(told) = world.cast.tell(story, &plan, &world.people) {
                    eprintln!("{told}");
                }
            }
        }
        Ok(())
    }
}

fn kind(name: &str) -> Result<Product, String> {
    Ok(match name {
        "web" => Product::Log(Kind::Web),
        "dns" => Product::Log(Kind::Dns),
        "login" => Product::Log(Kind::Login),
        "conn" => Product::Log(Kind::Conn),
        "assets" => Product::Assets,
        "domains" => Product::Domains,
        _ => return Err(format!("{name} is no kind of data")),
    })
}

fn number<T: std::str::FromStr>(name: &str, text: &str) -> Result<T, String> {
    text.parse()
        .map_err(|_| format!("{name} needs a number, not {text}"))
}

/// A day or a moment, in milliseconds.
fn moment(text: &str) -> Result<i64, String> {
    let day = text
        .parse::<NaiveDate>()
        .ok()
        .and_then(|day| day.and_hms_opt(0, 0, 0));
    let at = match day {
        Some(day) => day.and_utc(),
        None => text
            .parse::<DateTime<chrono::Utc>>()
            .map_err(|_| format!("{text} is no time such as 2026-11-02T00:00:00Z"))?,
    };
    // Signs and years of five digits would be needed nowhere but here.
    match at.timestamp_millis() {
        ms @ 0..LAST_START => Ok(ms),
        _ => Err(format!("{text} is not between 1970 and 9900")),
    }
}
