//! Logins to the company's single sign-on, its VPN and its servers.

use crate::clock::{CROWDS, DAY, LOGIN, MACHINES, Rhythm, STRANGERS};
use crate::line::Line;
use crate::people::{Person, SERVERS};
use crate::places::{PLACES, Place};
use crate::random::Random;
use crate::stories::{Planned, Story};
use crate::{Source, World};

/// Accounts that attackers try and nobody has.
const GUESSES: [&str; 8] = [
    "admin",
    "administrator",
    "root",
    "test",
    "Guest",
    "scanner",
    "backup",
    "info@corp.example",
];

/// One attempt: everything that a line of the log says.
struct Attempt<'a> {
    ms: i64,
    user: &'a str,
    source: &'a str,
    place: Option<&'a Place>,
    method: &'static str,
    /// Why it failed.
    reason: Option<&'static str>,
    device: Option<&'a str>,
    mfa: Option<bool>,
}

/// Writes the log of logins.
pub struct Login<'a> {
    world: &'a World,
    random: Random,
}

impl<'a> Login<'a> {
    /// A log of a world.
    pub fn new(world: &'a World, seed: u64) -> Self {
        Self {
            world,
            random: Random::new(seed, "login"),
        }
    }

    fn write(&mut self, line: &mut Line, attempt: &Attempt) {
        let luck = self.random.next();
        line.open()
            .time(attempt.ms)
            .text("user", attempt.user)
            .plain("source_ip", attempt.source);
        match attempt.place {
            Some(place) => line.plain("country", place.country),
            None => line.null("country"),
        };
        line.plain("method", attempt.method);
        match attempt.reason {
            Some(reason) => line.plain("result", "failure").plain("reason", reason),
            None if luck & 3 == 0 => line.plain("result", "success").null("reason"),
            None => line.plain("result", "success"),
        };
        match attempt.device {
            Some(device) => line.text("device", device),
            None if luck & 4 == 0 => line.null("device"),
            None => line,
        };
        match attempt.mfa {
            Some(mfa) => line.bool("mfa", mfa),
            None => line,
        };
        match attempt.reason {
            Some(_) => line.null("session"),
            None => line.begin("session").hex(self.random.next(), 16).end(),
        };
        if let Some(place) = attempt.place.filter(|_| luck >> 8 & 15 != 0) {
            line.raw("\"geo\":{")
                .plain("country", place.country)
                .plain("city", place.city);
            line.key("latitude").raw(place.latitude).raw(",");
            line.key("longitude").raw(place.longitude).raw(",");
            line.end_map();
        }
        line.close();
    }

    /// The usual login of somebody: from the office, from home, or in some weeks from a trip.
    fn usual<'p>(&mut self, ms: i64, person: &'p Person, abroad: &'p mut String) -> Attempt<'p> {
        let random = &mut self.random;
        let shape = random.next();
        let inside = shape % 100 < 62;
        // Weeks begin on Monday; day 0 was a Thursday.
        let trip = person.trip((ms - 4 * DAY).div_euclid(7 * DAY));
        let (source, place) = match trip {
            Some(place) => {
                // One hotel a trip: the address hangs on the person.
                *abroad = format!(
                    "2001:db8:beef:{:x}::{:x}",
                    person.taste >> 48,
                    person.taste & 0xFFF
                );
                (abroad.as_str(), place)
            }
            None if inside => (person.ip.as_str(), person.place()),
            None => (person.home.as_str(), person.place()),
        };
        let method = match shape >> 20 & 15 {
            0..8 => "sso",
            8..11 if inside && trip.is_none() => "kerberos",
            8..13 => "password",
            13 if person.department == "Engineering" => "key",
            _ => "vpn",
        };
        let reason = match shape >> 24 & 255 {
            0..14 => Some("bad_password"),
            14..17 => Some("mfa_denied"),
            17 => Some("password_expired"),
            18 => Some("account_disabled"),
            _ => None,
        };
        Attempt {
            ms,
            user: &person.login,
            source,
            place: (inside || shape >> 32 & 31 != 0).then_some(place),
            method,
            reason,
            device: match shape >> 40 & 15 {
                0..11 => Some(&person.host),
                11..14 => Some("phone \"work\""),
                _ => None,
            },
            mfa: match method {
                "kerberos" | "key" => None,
                _ => Some(reason != Some("bad_password") && shape >> 44 & 15 != 0),
            },
        }
    }

    fn machine(&mut self, line: &mut Line, ms: i64) {
        let random = &mut self.random;
        let server = &SERVERS[3 + random.index(SERVERS.len() - 3)];
        let attempt = Attempt {
            ms,
            user: server.account,
            source: server.ip,
            place: Some(&PLACES[0]),
            method: if server.account.starts_with("CORP") {
                "kerberos"
            } else {
                "key"
            },
            reason: random.percent(2).then_some("password_expired"),
            device: Some(server.host),
            mfa: None,
        };
        self.write(line, &attempt);
    }

    /// The background noise of the internet: guesses at accounts that do not exist.
    fn stranger(&mut self, line: &mut Line, ms: i64) {
        let random = &mut self.random;
        let source = format!("198.51.100.{}", random.between(200, 229));
        let attempt = Attempt {
            ms,
            user: random.pick(&GUESSES),
            source: &source,
            place: random.percent(80).then_some(&PLACES[3 + random.index(9)]),
            method: "password",
            reason: Some("unknown_user"),
            device: None,
            mfa: Some(false),
        };
        self.write(line, &attempt);
    }
}

impl Source for Login<'_> {
    fn rhythm(&self) -> Rhythm {
        let crowds: [u32; CROWDS] = [200, 110, 90, 14, 4];
        Rhythm {
            hours: &LOGIN,
            crowds,
        }
    }

    fn ordinary(&mut self, line: &mut Line, ms: i64, crowd: usize) {
        match crowd {
            MACHINES => self.machine(line, ms),
            STRANGERS => self.stranger(line, ms),
            office => {
                let people = &self.world.people;
                let person = &people.all[people.spin(office, &mut self.random)];
                let mut abroad = String::new();
                let attempt = self.usual(ms, person, &mut abroad);
                self.write(line, &attempt);
            }
        }
    }

    fn hidden(&mut self, line: &mut Line, planned: &Planned) {
        let world = self.world;
        let cast = &world.cast;
        let people = &world.people.all;
        let (step, last) = (planned.step, planned.last());
        let hostile = Attempt {
            ms: planned.ms,
            user: "",
            source: &cast.sprayer,
            place: Some(cast.far(3)),
            method: "password",
            reason: Some("bad_password"),
            device: None,
            mfa: Some(false),
        };
        let attempt = match planned.story {
            Story::Spray => {
                // 177 has no divisor in common with the number of people: everybody once before anybody twice.
                let turn = (cast.sprayed + 177 * (step as usize + 1)) % people.len();
                let guess = step % 9 == 4;
                Attempt {
                    user: match (last, guess) {
                        (true, _) => &people[cast.sprayed].login,
                        (_, true) => GUESSES[step as usize / 9 % GUESSES.len()],
                        _ => &people[turn].login,
                    },
                    reason: match (last, guess) {
                        (true, _) => None,
                        (_, true) => Some("unknown_user"),
                        _ => Some("bad_password"),
                    },
                    ..hostile
                }
            }
            Story::BruteForce => Attempt {
                user: &people[cast.forced].login,
                source: &cast.forcer,
                place: Some(cast.far(4)),
                reason: Some(if step * 4 > planned.of * 3 {
                    "account_locked"
                } else {
                    "bad_password"
                }),
                ..hostile
            },
            _ => {
                let person = cast.traveller(step / 2, &world.people);
                let place = if step % 2 == 0 {
                    person.place()
                } else {
                    cast.far(step / 2)
                };
                let source = format!("2001:db8:dead:{:x}::{:x}", step / 2, person.taste >> 50);
                let attempt = Attempt {
                    user: &person.login,
                    source: if step % 2 == 0 { &person.home } else { &source },
                    place: Some(place),
                    method: "vpn",
                    reason: None,
                    device: (step % 2 == 0).then_some(person.host.as_str()),
                    mfa: Some(step % 2 == 0),
                    ..hostile
                };
                return self.write(line, &attempt);
            }
        };
        self.write(line, &attempt);
    }
}
