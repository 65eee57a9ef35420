//! The resolvers' log of queries and answers.

use crate::clock::{CROWDS, MACHINES, Rhythm, STRANGERS, WORK};
use crate::line::Line;
use crate::people::{Person, SERVERS};
use crate::places::Site;
use crate::random::{Random, mix};
use crate::stories::{Planned, Story};
use crate::{Source, World};

/// What the company's web, mail and directory servers are asked for.
const SERVICES: [(&str, &str); 4] = [
    ("_ldap._tcp.corp.example", "SRV"),
    ("_kerberos._tcp.prague._sites.corp.example", "SRV"),
    ("corp.example", "MX"),
    ("_dmarc.corp.example", "TXT"),
];
/// Names that laptops ask for and that nobody ever set up.
const MISSING: [&str; 5] = [
    "wpad.corp.example",
    "isatap.corp.example",
    "old-files.corp.example",
    "printer.invalid",
    "test.invalid",
];

/// Writes the resolvers' log.
pub struct Dns<'a> {
    world: &'a World,
    random: Random,
}

impl<'a> Dns<'a> {
    /// A log of a world.
    pub fn new(world: &'a World, seed: u64) -> Self {
        Self {
            world,
            random: Random::new(seed, "dns"),
        }
    }

    fn begin(&mut self, line: &mut Line, ms: i64, host: &str, client: &str, server: usize) {
        line.open().time(ms).plain("client", client);
        if self.random.percent(85) {
            line.plain("host", host);
        }
        line.plain("server", SERVERS[server].ip);
    }

    fn person<'w>(&mut self, line: &mut Line, ms: i64, person: &'w Person) -> &'w str {
        // One laptop in ten prefers IPv6, and a few ask a resolver of their own choice.
        let six = person.taste >> 40 & 7 == 0 && self.random.percent(70);
        let client = if six { &person.ip6 } else { &person.ip };
        self.begin(line, ms, &person.host, client, person.office);
        client
    }

    /// Ends a line whose query is written, with its answers.
    fn finish(&mut self, line: &mut Line, kind: &str, rcode: &str, ttl: Option<u64>) {
        line.plain("type", kind).plain("rcode", rcode);
        match ttl {
            Some(ttl) => line.number("ttl", ttl),
            None if self.random.percent(50) => line.null("ttl"),
            None => line,
        };
        let duration = match rcode {
            "SERVFAIL" => u64::from(self.random.between(1500, 5000)),
            _ if self.random.percent(60) => u64::from(self.random.below(2)),
            _ => self.random.magnitude(2, 7),
        };
        line.number("duration_ms", duration).close();
    }

    fn office(&mut self, line: &mut Line, ms: i64, office: usize) {
        let world = self.world;
        let person = &world.people.all[world.people.spin(office, &mut self.random)];
        self.person(line, ms, person);
        let random = &mut self.random;
        match random.below(1000) {
            0..45 => self.missing(line),
            45..60 => {
                let site = &world.sites.all[world.sites.spin(random)];
                let rcode = if random.percent(85) {
                    "SERVFAIL"
                } else {
                    "REFUSED"
                };
                line.plain("query", &site.name).raw("\"answers\":[],");
                self.finish(line, "A", rcode, None);
            }
            60..110 => {
                let site = &world.sites.intranet[random.index(world.sites.intranet.len())];
                line.plain("query", &site.name);
                line.only("answers", &site.ip);
                self.finish(line, "A", "NOERROR", Some(3600));
            }
            110..135 => self.service(line),
            135..160 => {
                let other = &SERVERS[random.index(SERVERS.len())];
                line.begin("query");
                for part in other.ip.rsplit('.') {
                    line.raw(part).raw(".");
                }
                line.raw("in-addr.arpa").end();
                line.raw("\"answers\":[\"")
                    .raw(other.host)
                    .raw(".corp.example\"],");
                self.finish(line, "PTR", "NOERROR", Some(1200));
            }
            _ => {
                let site = &world.sites.all[world.sites.spin(random)];
                self.site(line, site);
            }
        }
    }

    /// A name of the internet, asked and answered as usual.
    fn site(&mut self, line: &mut Line, site: &Site) {
        let random = &mut self.random;
        let ttl = random.pick(&[20, 60, 60, 300, 300, 300, 900, 3600, 86_400]);
        let ttl = u64::from(1 + random.below(ttl));
        let shape = random.next();
        let kind = match shape & 63 {
            0..42 => "A",
            42..56 => "AAAA",
            56..62 => "HTTPS",
            62 => "MX",
            _ => "TXT",
        };
        line.begin("query");
        // Content networks have names that look generated; they exist, which tells them apart.
        let content = site.name.starts_with("cdn") || site.name.starts_with("img");
        if content && shape >> 8 & 3 == 0 {
            line.raw("d").hex(mix(shape >> 56), 12).raw(".");
        }
        if kind == "TXT" {
            line.raw("sel1._domainkey.");
        }
        line.raw(&site.name).end();
        line.raw("\"answers\":[");
        match kind {
            "A" => {
                if shape >> 12 & 7 == 0 {
                    line.raw("\"edge-")
                        .hex(shape >> 16, 2)
                        .raw(".cdn.example.net\",");
                }
                line.raw("\"").raw(&site.ip).raw("\",");
                if shape >> 24 & 3 == 0 {
                    line.raw("\"192.0.2.").digits(shape >> 32 & 127).raw("\",");
                }
            }
            "AAAA" => {
                if let Some(ip6) = &site.ip6 {
                    line.raw("\"").raw(ip6).raw("\",");
                }
            }
            "HTTPS" => {
                line.raw("\"1 . alpn=\\\"h3,h2\\\"\",");
            }
            "MX" => {
                line.raw("\"10 mx1.")
                    .raw(&site.name)
                    .raw("\",\"20 mx2.")
                    .raw(&site.name)
                    .raw("\",");
            }
            _ => {
                line.raw("\"v=DKIM1; k=ed25519; p=")
                    .hex(shape, 16)
                    .hex(mix(shape), 16)
                    .raw("\",");
            }
        }
        line.end_list();
        self.finish(line, kind, "NOERROR", Some(ttl));
    }

    fn service(&mut self, line: &mut Line) {
        let (name, kind) = self.random.pick(&SERVICES);
        line.plain("query", name);
        line.raw(match kind {
            "SRV" => "\"answers\":[\"0 100 88 dc-1.corp.example\",\"0 100 88 dc-2.corp.example\"],",
            "MX" => "\"answers\":[\"10 mail-1.corp.example\"],",
            _ => "\"answers\":[\"v=DMARC1; p=reject; rua=mailto:dmarc@corp.example\"],",
        });
        self.finish(line, kind, "NOERROR", Some(600));
    }

    /// The honest mistakes of every network: suffixes, typing errors, browsers that probe for a portal.
    fn missing(&mut self, line: &mut Line) {
        let random = &mut self.random;
        let site = &self.world.sites.all[self.world.sites.spin(random)];
        match random.below(10) {
            0..4 => line.plain("query", random.pick(&MISSING)),
            4..7 => line
                .begin("query")
                .raw(&site.name)
                .raw(".corp.example")
                .end(),
            7..9 => {
                let (head, tail) = site.name.split_at(site.name.len() / 3);
                line.begin("query")
                    .raw(head)
                    .raw(tail.get(1..).unwrap_or_default())
                    .end()
            }
            _ => {
                line.begin("query");
                for _ in 0..random.between(7, 10) {
                    line.byte(b'a' + random.below(26) as u8);
                }
                line.end()
            }
        };
        let empty = random.percent(40);
        if empty {
            line.raw("\"answers\":[],");
        }
        self.finish(line, "A", "NXDOMAIN", None);
    }

    fn machine(&mut self, line: &mut Line, ms: i64) {
        let server = &SERVERS[3 + self.random.index(SERVERS.len() - 3)];
        self.begin(line, ms, server.host, server.ip, 0);
        if self.random.percent(40) {
            return self.service(line);
        }
        // Servers fetch from few places: packages, updates, time.
        let rank = self.random.pick(&[17, 18, 27, 28, 32, 39]);
        let site = &self.world.sites.all[rank];
        self.site(line, site);
    }

    /// Somebody outside asks for the company's own names.
    fn stranger(&mut self, line: &mut Line, ms: i64) {
        let random = &mut self.random;
        line.open().time(ms);
        line.begin("client")
            .raw("198.51.100.")
            .digits(u64::from(random.between(200, 229)))
            .end();
        line.plain("server", SERVERS[1].ip)
            .plain("query", "www.corp.example");
        line.only("answers", "198.51.100.199");
        self.finish(line, "A", "NOERROR", Some(300));
    }
}

impl Source for Dns<'_> {
    fn rhythm(&self) -> Rhythm {
        let crowds: [u32; CROWDS] = [200, 110, 90, 24, 3];
        Rhythm {
            hours: &WORK,
            crowds,
        }
    }

    fn ordinary(&mut self, line: &mut Line, ms: i64, crowd: usize) {
        match crowd {
            MACHINES => self.machine(line, ms),
            STRANGERS => self.stranger(line, ms),
            office => self.office(line, ms, office),
        }
    }

    fn hidden(&mut self, line: &mut Line, planned: &Planned) {
        let world = self.world;
        let cast = &world.cast;
        let people = &world.people.all;
        match planned.story {
            Story::Beacon => {
                let person = &people[cast.beacon];
                self.begin(line, planned.ms, &person.host, &person.ip, person.office);
                line.plain("query", &cast.beacon_site);
                line.only("answers", &cast.beacon_ip);
                self.finish(line, "A", "NOERROR", Some(60));
            }
            Story::Dga => {
                let person = &people[cast.dga];
                self.begin(line, planned.ms, &person.host, &person.ip, person.office);
                line.begin("query");
                for _ in 0..self.random.between(18, 26) {
                    line.byte(self.random.pick(b"abcdefghijklmnopqrstuvwxyz0123456789"));
                }
                line.raw(self.random.pick(&[".test", ".example", ".example.net"]))
                    .end();
                // The very last name was registered: what follows would be a beacon.
                if planned.last() {
                    line.only("answers", "198.51.100.254");
                    self.finish(line, "A", "NOERROR", Some(30));
                } else {
                    self.finish(line, "A", "NXDOMAIN", None);
                }
            }
            _ => {
                let person = &people[cast.tunnel];
                self.begin(line, planned.ms, &person.host, &person.ip, person.office);
                line.begin("query").hex(u64::from(planned.step), 4);
                self.letters(line, 38, 58);
                line.byte(b'.');
                self.letters(line, 20, 58);
                line.byte(b'.').raw(&cast.tunnel_zone).end();
                line.raw("\"answers\":[\"");
                self.letters(line, 60, 180);
                line.raw("\"],");
                self.finish(line, "TXT", "NOERROR", Some(0));
            }
        }
    }
}

impl Dns<'_> {
    /// Data in the alphabet of base 32.
    fn letters(&mut self, line: &mut Line, least: u32, most: u32) {
        for _ in 0..self.random.between(least, most) {
            line.byte(self.random.pick(b"abcdefghijklmnopqrstuvwxyz234567"));
        }
    }
}
