//! What is hidden in the data: who does it, when, and the key to the answers.

use crate::Kind;
use crate::clock::{DAY, HOUR, MINUTE, Zone};
use crate::people::{OFFICES, People, Person};
use crate::places::{FAR, PLACES, Place};
use crate::random::{Random, mix};
use chrono::{DateTime, SecondsFormat};

/// A kind of misdeed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Story {
    /// One laptop calls a rare domain every five minutes.
    Beacon,
    /// A large upload at night.
    Exfiltration,
    /// A stranger looks for files that are not there.
    WebScan,
    /// One laptop asks for random names.
    Dga,
    /// One laptop talks through long labels of one zone.
    Tunnel,
    /// One address tries one password on many accounts.
    Spray,
    /// One address tries many passwords on one account.
    BruteForce,
    /// Somebody is in two places within an hour.
    Travel,
    /// One laptop knocks at every door of the servers.
    PortScan,
}

impl Story {
    fn name(self) -> &'static str {
        match self {
            Story::Beacon => "beaconing",
            Story::Exfiltration => "exfiltration",
            Story::WebScan => "web scan",
            Story::Dga => "generated domains",
            Story::Tunnel => "DNS tunnel",
            Story::Spray => "password spraying",
            Story::BruteForce => "brute force",
            Story::Travel => "impossible travel",
            Story::PortScan => "port scan",
        }
    }
}

/// One event of a story.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Planned {
    /// When.
    pub ms: i64,
    /// Of which story.
    pub story: Story,
    /// The how-manyth event of the story, from 0.
    pub step: u32,
    /// How many events the story has.
    pub of: u32,
}

impl Planned {
    /// Whether the story ends here.
    pub fn last(&self) -> bool {
        self.step + 1 == self.of
    }
}

/// Who plays which part. It depends on the seed alone, so that logs of all kinds with one seed tell the same stories.
pub struct Cast {
    seed: u64,
    /// The person whose laptop calls home.
    pub beacon: usize,
    /// What it calls.
    pub beacon_site: String,
    /// The address of that.
    pub beacon_ip: String,
    /// The person whose laptop asks for random names.
    pub dga: usize,
    /// The person whose laptop tunnels.
    pub tunnel: usize,
    /// The zone it tunnels through.
    pub tunnel_zone: String,
    /// Who uploads at night.
    pub leaker: usize,
    /// Where to.
    pub drop_site: String,
    /// The address of that.
    pub drop_ip: String,
    /// The person whose laptop scans ports.
    pub scanner: usize,
    /// The address that scans the web server.
    pub web_scanner: String,
    /// The address that sprays.
    pub sprayer: String,
    /// The person whose password it guesses in the end.
    pub sprayed: usize,
    /// The address that tries many passwords.
    pub forcer: String,
    /// The person whose account it tries.
    pub forced: usize,
    /// The person who is in two places.
    pub traveller: usize,
}

impl Cast {
    /// Gives out the parts.
    pub fn new(seed: u64, people: &People) -> Self {
        let mut random = Random::new(seed, "cast");
        let mut taken = Vec::new();
        let mut person = |random: &mut Random| {
            loop {
                let candidate = random.index(people.all.len());
                if !taken.contains(&candidate) {
                    taken.push(candidate);
                    return candidate;
                }
            }
        };
        let mut last = 230;
        let mut address = |random: &mut Random| {
            last += random.between(1, 4);
            format!("198.51.100.{last}")
        };
        let r = &mut random;
        let name =
            |r: &mut Random, words: &[&str]| format!("{}-{}", r.pick(words), r.between(2, 97));
        Self {
            seed,
            beacon: person(r),
            beacon_site: format!(
                "{}.example.net",
                name(r, &["cdn-sync", "pixel-stat", "tele-edge"])
            ),
            beacon_ip: address(r),
            dga: person(r),
            tunnel: person(r),
            tunnel_zone: format!(
                "{}.example.org",
                name(r, &["ns-relay", "t1-cache", "zone-hub"])
            ),
            leaker: person(r),
            drop_site: format!(
                "{}.example.com",
                name(r, &["quick-drop", "send-big", "free-box"])
            ),
            drop_ip: address(r),
            scanner: person(r),
            web_scanner: address(r),
            sprayer: address(r),
            sprayed: person(r),
            forcer: address(r),
            forced: person(r),
            traveller: person(r),
        }
    }

    /// How much the n-th nightly upload sends, the same in every kind of log.
    pub fn loot(&self, step: u32) -> u64 {
        180_000_000 + mix(self.seed.wrapping_add(1_000 + u64::from(step))) % 3_000_000_000
    }

    /// Where an attacker from outside is.
    pub fn far(&self, step: u32) -> &'static Place {
        let luck = mix(self.seed.wrapping_add(u64::from(step)));
        &PLACES[FAR[luck as usize % FAR.len()]]
    }

    /// Who travels in the n-th journey; the first is [`Cast::traveller`].
    pub fn traveller<'a>(&self, journey: u32, people: &'a People) -> &'a Person {
        &people.all[(self.traveller + 53 * journey as usize) % people.all.len()]
    }

    /// One line about a story: what, how often, when, who.
    pub fn tell(&self, story: Story, plan: &[Planned], people: &People) -> Option<String> {
        let mut steps = plan.iter().filter(|planned| planned.story == story);
        let first = steps.next()?;
        let last = steps.next_back().unwrap_or(first);
        let laptop = |person: usize| {
            let person = &people.all[person];
            format!("{} ({}, {})", person.host, person.ip, person.login)
        };
        let login = |person: usize| &people.all[person].login;
        let who = match story {
            Story::Beacon => format!(
                "{} calls {} ({}) every 300 s ± 5 %",
                laptop(self.beacon),
                self.beacon_site,
                self.beacon_ip
            ),
            Story::Exfiltration => format!(
                "{} uploads to {} ({}) at night",
                laptop(self.leaker),
                self.drop_site,
                self.drop_ip
            ),
            Story::WebScan => format!("{} scans www.corp.example", self.web_scanner),
            Story::Dga => format!("{} asks for random names", laptop(self.dga)),
            Story::Tunnel => {
                format!(
                    "{} tunnels through {}",
                    laptop(self.tunnel),
                    self.tunnel_zone
                )
            }
            Story::Spray => format!(
                "{} tries many accounts and gets into {}",
                self.sprayer,
                login(self.sprayed)
            ),
            Story::BruteForce => format!("{} attacks {}", self.forcer, login(self.forced)),
            Story::Travel => format!(
                "{} is in {} and within the hour in {}",
                login(self.traveller),
                people.all[self.traveller].place().city,
                self.far(0).city
            ),
            Story::PortScan => format!("{} scans the servers", laptop(self.scanner)),
        };
        let time = |ms| {
            DateTime::from_timestamp_millis(ms)
                .unwrap_or_default()
                .to_rfc3339_opts(SecondsFormat::Secs, true)
        };
        let (name, of) = (story.name(), first.of);
        Some(format!(
            "{name}: {of} lines, {} to {}: {who}",
            time(first.ms),
            time(last.ms)
        ))
    }
}

/// The stories that a kind of log can show.
pub fn stories(kind: Kind) -> [Story; 3] {
    match kind {
        Kind::Web => [Story::Beacon, Story::Exfiltration, Story::WebScan],
        Kind::Dns => [Story::Beacon, Story::Dga, Story::Tunnel],
        Kind::Login => [Story::Spray, Story::BruteForce, Story::Travel],
        Kind::Conn => [Story::Beacon, Story::Exfiltration, Story::PortScan],
    }
}

/// Plans every event of every story, in time order.
pub fn plan(
    kind: Kind,
    start: i64,
    end: i64,
    count: u64,
    cast: &Cast,
    people: &People,
) -> Vec<Planned> {
    let planner = Planner {
        start,
        end,
        count,
        seed: cast.seed,
    };
    let mut plan = Vec::new();
    for story in stories(kind) {
        let steps = match story {
            Story::Beacon => {
                // What a laptop does shows first in DNS, then as a connection, then in the proxy's log.
                let ahead = match kind {
                    Kind::Dns => 38,
                    Kind::Conn => 11,
                    _ => 0,
                };
                let begin = planner.begin(story, planner.range() * 3 / 4) - ahead;
                planner.run(story, begin, planner.budget(12, 10, 100_000), 300_000)
            }
            Story::Exfiltration => planner.nights(OFFICES[people.all[cast.leaker].office].zone),
            Story::Travel => planner.journeys(),
            _ => {
                let (count, pace) = match story {
                    Story::WebScan => (planner.budget(16, 100, 50_000), 900),
                    Story::Dga => (planner.budget(16, 100, 200_000), 1_500),
                    Story::Tunnel => (planner.budget(14, 100, 200_000), 700),
                    Story::Spray => (planner.budget(18, 500, 2_000), 41_000),
                    Story::BruteForce => (planner.budget(14, 500, 5_000), 1_700),
                    _ => (planner.budget(16, 50, 60_000), 45),
                };
                let pace = pace
                    .min(planner.range() / 2 / i64::from(count.max(1)))
                    .max(1);
                let begin = planner.begin(story, pace * i64::from(count) * 11 / 10);
                planner.run(story, begin, count, pace)
            }
        };
        plan.extend(steps);
    }
    plan.sort_by_key(|planned| planned.ms);
    plan
}

struct Planner {
    start: i64,
    end: i64,
    count: u64,
    seed: u64,
}

impl Planner {
    fn range(&self) -> i64 {
        self.end - self.start
    }

    /// One event in `share`, but at least `least` and at most `most`, and never more than an eighth of everything.
    fn budget(&self, least: u64, share: u64, most: u64) -> u32 {
        (self.count / share)
            .max(least)
            .min(self.count / 8)
            .min(most) as u32
    }

    /// A beginning after which `length` is left.
    fn begin(&self, story: Story, length: i64) -> i64 {
        let room = (self.range() - length).max(1).unsigned_abs();
        self.start + (Random::new(self.seed, story.name()).next() % room) as i64
    }

    /// Steps a `pace` apart, 5 % more or less.
    fn run(&self, story: Story, begin: i64, count: u32, pace: i64) -> Vec<Planned> {
        let mut random = Random::new(self.seed, story.name());
        let spread = pace / 20;
        let mut times = Vec::new();
        let mut ms = begin;
        while ms < self.end && times.len() < count as usize {
            if ms >= self.start {
                times.push(ms);
            }
            ms += pace - spread + i64::from(random.below(2 * spread as u32 + 1));
        }
        let of = times.len() as u32;
        let steps = times.into_iter().enumerate();
        steps
            .map(|(step, ms)| Planned {
                ms,
                story,
                step: step as u32,
                of,
            })
            .collect()
    }

    /// Uploads between one and four at night, local time, at most forty a night.
    fn nights(&self, zone: Zone) -> Vec<Planned> {
        let story = Story::Exfiltration;
        let mut left = self.budget(3, 2_000, 4_000);
        let mut plan = Vec::new();
        let mut begin = self.start + 17 * MINUTE;
        while left > 0 && begin < self.end {
            if zone.local(begin).rem_euclid(DAY) / HOUR == 1 {
                let night = self.run(story, begin, left.min(40), 4 * MINUTE);
                left -= night.len() as u32;
                plan.extend(night);
            }
            begin += HOUR;
        }
        let of = plan.len() as u32;
        for (step, planned) in plan.iter_mut().enumerate() {
            planned.step = step as u32;
            planned.of = of;
        }
        plan
    }

    /// Pairs of logins, less than an hour apart.
    fn journeys(&self) -> Vec<Planned> {
        let story = Story::Travel;
        let mut random = Random::new(self.seed, story.name());
        let journeys = (self.count / 20_000).clamp(1, 40).min(self.count / 8) as u32;
        let room = (self.range() - HOUR).max(1).unsigned_abs();
        let mut plan = Vec::new();
        for journey in 0..journeys {
            let leave = self.start + (random.next() % room) as i64;
            let arrive = leave + i64::from(random.between(22, 55)) * MINUTE;
            for (step, ms) in [
                (2 * journey, leave),
                (2 * journey + 1, arrive.min(self.end - 1)),
            ] {
                plan.push(Planned {
                    ms,
                    story,
                    step,
                    of: 2 * journeys,
                });
            }
        }
        plan
    }
}
