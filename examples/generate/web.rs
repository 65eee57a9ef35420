//! The proxy's log: requests of people, machines, and strangers at the company's own web server.

use crate::clock::{CROWDS, MACHINES, MINUTE, Rhythm, STRANGERS, WORK};
use crate::line::Line;
use crate::people::SERVERS;
use crate::places::{Category, PLACES, Place, Site};
use crate::random::{Random, mix};
use crate::stories::{Planned, Story};
use crate::{Source, World};

/// Browsers, the more common first.
const BROWSERS: [&str; 6] = [
    "Mozilla/5.0 (Windows NT 10.0) Firefox/145.0",
    "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/145.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/142.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh) Version/26.1 Safari/605.1.15",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/142.0.0.0 Edg/142.0.0.0",
    "Lynx/2.9.2 libwww-FM/2.14",
];
/// Programs on laptops that speak HTTP by themselves.
const PROGRAMS: [&str; 6] = [
    "DocSync/4.8",
    "Meet/26.10 (desktop)",
    "curl/8.16.0",
    "MailBird \"Office\" 3.1",
    "AV-Agent\\5.2 (C:\\Program Files\\AV)",
    "python-requests/2.32",
];
/// What servers fetch, and with what.
const JOBS: [(&str, &str, &str); 5] = [
    (
        "packages.example.org",
        "/debian/dists/stable/InRelease",
        "Debian APT-HTTP/1.3",
    ),
    ("update.example.com", "/v3/catalog.json", "updater/3.4"),
    (
        "registry.example.org",
        "/v2/base/manifests/latest",
        "containerd/2.1",
    ),
    ("av-update.example.com", "/sig/daily.cvd", "AV-Agent/5.2"),
    ("crl.example.net", "/ca-7.crl", ""),
];
/// What people look for, as some clients encode it and some do not; already escaped for JSON.
const SEARCHES: [&str; 12] = [
    "weather+tomorrow",
    "caf%C3%A9+near+office",
    "how+to+quit+vi",
    "jízdní+řády",
    "gr\\u00fc\\u00dfe+auf+tschechisch",
    "rock+%26+roll",
    "%22exact+phrase%22",
    "\\\"exact phrase\\\"",
    "emoji+\\ud83d\\ude00+meaning",
    "c:\\\\temp+cannot+delete",
    "stellar+language",
    "100%25+cotton",
];
/// What the scanner looks for; already escaped for JSON.
const SCANNED: [&str; 16] = [
    "/.env",
    "/admin/",
    "/.git/config",
    "/wp-login.php",
    "/phpmyadmin/index.php",
    "/backup.zip",
    "/server-status",
    "/cgi-bin/test.cgi",
    "/api/v1/users?id=1%27%20OR%20%271%27=%271",
    "/..%2f..%2f..%2fetc/passwd",
    "/robots.txt",
    "/login?next=%3Cscript%3Ealert(1)%3C/script%3E",
    "/console/",
    "/old/",
    "/db.sql.gz",
    "/actuator/\\\"env\\\"",
];
const PAGES: [&str; 6] = ["", "about", "products", "careers", "news/2026", "kontakt"];
const WWW: &str = "www.corp.example";

/// Somebody who reads one site for a while.
#[derive(Clone, Copy, Default)]
struct Visit {
    person: usize,
    site: usize,
    intranet: bool,
    last: i64,
    page: u32,
}

/// Who asks, for what, and how it went: everything that a line of the log says.
struct Request<'a> {
    ms: i64,
    user: Option<&'a str>,
    host: Option<&'a str>,
    src_ip: &'a str,
    dst_ip: Option<&'a str>,
    method: &'static str,
    plain: bool,
    domain: &'a str,
    place: Option<&'a Place>,
    status: u32,
    bytes_in: u64,
    bytes_out: u64,
    agent: Option<&'a str>,
    tag: Option<&'static str>,
}

/// Writes the proxy's log.
pub struct Web<'a> {
    world: &'a World,
    random: Random,
    visits: [[Visit; 24]; 3],
}

impl<'a> Web<'a> {
    /// A log of a world.
    pub fn new(world: &'a World, seed: u64) -> Self {
        Self {
            world,
            random: Random::new(seed, "web"),
            visits: [[Visit {
                last: i64::MIN / 2,
                ..Visit::default()
            }; 24]; 3],
        }
    }

    /// The next request of somebody in an office: most often of somebody who is already reading.
    fn visit(&mut self, office: usize, ms: i64) -> Visit {
        let random = &mut self.random;
        let place = random.index(24);
        let mut visit = self.visits[office][place];
        if ms - visit.last > 20 * MINUTE || random.below(14) == 0 {
            visit.person = self.world.people.spin(office, random);
            visit.intranet = random.percent(12);
            visit.site = if visit.intranet {
                random.index(self.world.sites.intranet.len())
            } else {
                self.world.sites.spin(random)
            };
            visit.page = 0;
        } else {
            visit.page += 1;
        }
        visit.last = ms;
        self.visits[office][place] = visit;
        visit
    }

    fn person(&mut self, line: &mut Line, ms: i64, office: usize) {
        let visit = self.visit(office, ms);
        let world = self.world;
        let person = &world.people.all[visit.person];
        let site = match visit.intranet {
            true => &world.sites.intranet[visit.site],
            false => &world.sites.all[visit.site],
        };
        let random = &mut self.random;
        let shape = random.next();
        // Most visits go through an encrypted tunnel into which the proxy does not look.
        let tunnel = !site.plain && !visit.intranet && mix(shape) % 100 < 76;
        let blocked = site.category == Category::Advertising && shape.is_multiple_of(5);
        let upload = !tunnel && shape % 97 == 1;
        let status = match shape % 1000 {
            _ if blocked => 403,
            _ if tunnel => 200,
            0..760 => 200,
            760..800 => 204,
            800..880 => 304,
            880..920 => 302,
            920..940 => 301,
            940..962 => 404,
            962..970 => 401,
            970..976 => 407,
            976..980 => 206,
            980..984 => 429,
            984..990 => 500,
            990..996 => 503,
            _ => 502,
        };
        let cached = status == 304 || shape >> 40 & 15 == 0;
        let agent = match shape >> 20 & 31 {
            _ if tunnel => None,
            0..4 => Some(random.pick(&PROGRAMS)),
            4..7 => None,
            _ => Some(BROWSERS[browser(person.taste)]),
        };
        let request = Request {
            ms,
            user: (shape >> 25 & 15 != 0).then_some(person.login.as_str()),
            host: (shape >> 29 & 7 < 6).then_some(person.host.as_str()),
            src_ip: &person.ip,
            dst_ip: match &site.ip6 {
                _ if blocked || cached => None,
                Some(ip6) if shape >> 33 & 3 == 0 => Some(ip6),
                _ => Some(&site.ip),
            },
            method: match shape >> 35 & 31 {
                _ if tunnel => "CONNECT",
                _ if upload => "PUT",
                0..4 => "POST",
                4 => "HEAD",
                5 if shape & 4 == 0 => "OPTIONS",
                _ => "GET",
            },
            plain: site.plain,
            domain: &site.name,
            place: site.place.filter(|_| !blocked && shape >> 50 & 1 == 0),
            status,
            bytes_in: match status {
                200 | 206 if site.category == Category::Video => random.magnitude(14, 23),
                200 | 206 => random.magnitude(8, 18),
                403 => 1243,
                204 | 304 => 0,
                _ => random.magnitude(7, 10),
            },
            bytes_out: if upload {
                random.magnitude(15, 22)
            } else {
                random.magnitude(8, 11)
            },
            agent,
            tag: match shape >> 44 & 15 {
                _ if blocked => Some("blocked"),
                _ if status == 304 => Some("cached"),
                _ if upload => Some("upload"),
                0..3 if site.category == Category::Video => Some("video"),
                0 => Some(site.category.name()),
                _ => None,
            },
        };
        self.begin(line, &request);
        let referrer = Self::path(line, &mut self.random, site, &visit, tunnel);
        self.finish(line, &request, referrer.then_some(site.name.as_str()));
    }

    /// Writes the rest of the address, and says whether the request came from a page of the site.
    fn path(
        line: &mut Line,
        random: &mut Random,
        site: &Site,
        visit: &Visit,
        tunnel: bool,
    ) -> bool {
        line.byte(b'/');
        if tunnel {
            return false;
        }
        let id = u64::from(visit.page) * 31 + visit.site as u64;
        let usual = random.below(10);
        match site.category {
            Category::Search if usual < 5 => line.raw("search?q=").raw(random.pick(&SEARCHES)),
            Category::Advertising if usual < 8 => line.raw("t.gif?i=").hex(random.next(), 8),
            Category::Video if usual < 7 => line.raw("seg/").digits(id).raw(".ts"),
            Category::Shop if usual < 3 => line.raw("cart?item=").digits(id).raw("&n=1"),
            _ => match usual {
                0..2 => return false,
                2..5 => line.raw("a/").hex(mix(id), 6).raw(".js"),
                5..7 => line.raw("img/").digits(id).raw(".webp"),
                7 => line.raw("api/v2/items?id=").digits(id),
                8 if id % 8 == 3 => line.raw("p%C5%99%C3%ADlohy/").digits(id),
                _ => line.raw("page/").digits(id),
            },
        };
        visit.page > 0 && random.percent(45)
    }

    fn machine(&mut self, line: &mut Line, ms: i64) {
        let random = &mut self.random;
        let server = &SERVERS[3 + random.index(SERVERS.len() - 3)];
        let (domain, path, agent) = random.pick(&JOBS);
        let fresh = random.percent(30);
        let place = &PLACES[7];
        let request = Request {
            ms,
            user: random.percent(60).then_some(server.account),
            host: Some(server.host),
            src_ip: server.ip,
            dst_ip: Some(if domain.len() % 2 == 0 {
                "192.0.2.44"
            } else {
                "192.0.2.31"
            }),
            method: if fresh { "GET" } else { "HEAD" },
            plain: random.percent(50),
            domain,
            place: random.percent(50).then_some(place),
            status: if fresh { 200 } else { 304 },
            bytes_in: if fresh { random.magnitude(10, 21) } else { 0 },
            bytes_out: u64::from(random.between(180, 420)),
            agent: Some(agent),
            tag: random.percent(20).then_some("machine"),
        };
        self.begin(line, &request);
        line.raw(path);
        self.finish(line, &request, None);
    }

    fn stranger(&mut self, line: &mut Line, ms: i64) {
        let random = &mut self.random;
        let who = random.below(600);
        let bot = who.is_multiple_of(6);
        let address = match who % 3 {
            0 => format!("2001:db8:f0{:02x}::{:x}", who % 16, who + 1),
            _ => format!("198.51.100.{}", 200 + who % 30),
        };
        let missing = random.percent(6);
        let request = Request {
            ms,
            user: None,
            host: None,
            src_ip: &address,
            dst_ip: Some(SERVERS[8 + random.index(2)].ip),
            method: "GET",
            plain: random.percent(10),
            domain: WWW,
            place: random
                .percent(70)
                .then_some(&PLACES[(mix(u64::from(who)) % 12) as usize]),
            status: if missing { 404 } else { 200 },
            bytes_in: random.magnitude(9, 15),
            bytes_out: u64::from(random.between(300, 700)),
            agent: Some(if bot {
                "SearchBot/2.1 (+https://search.example/bot)"
            } else {
                BROWSERS[(who % 5) as usize]
            }),
            tag: bot.then_some("bot"),
        };
        self.begin(line, &request);
        line.byte(b'/').raw(self.random.pick(&PAGES));
        self.finish(line, &request, None);
    }

    /// Writes a line up to the middle of its address, whose path the caller writes.
    fn begin(&mut self, line: &mut Line, request: &Request) {
        line.open().time(request.ms);
        match request.user {
            Some(user) => line.text("user", user),
            None if request.host.is_some() => line.null("user"),
            None => line,
        };
        if let Some(host) = request.host {
            line.plain("host", host);
        }
        line.plain("src_ip", request.src_ip);
        line.number("src_port", u64::from(self.random.between(32_768, 60_999)));
        if let Some(ip) = request.dst_ip {
            line.plain("dst_ip", ip);
        }
        line.number("dst_port", if request.plain { 80 } else { 443 });
        line.plain("method", request.method);
        line.plain("protocol", if request.plain { "HTTP" } else { "HTTPS" });
        let scheme = if request.plain { "http://" } else { "https://" };
        line.begin("url").raw(scheme).raw(request.domain);
    }

    fn finish(&mut self, line: &mut Line, request: &Request, referrer: Option<&str>) {
        let random = &mut self.random;
        line.end().plain("domain", request.domain);
        line.number("status", u64::from(request.status));
        line.number("bytes_in", request.bytes_in)
            .number("bytes_out", request.bytes_out);
        if let Some(agent) = request.agent {
            line.text("user_agent", agent);
        }
        let luck = random.next();
        match referrer {
            Some(site) => line
                .begin("referrer")
                .raw("https://")
                .raw(site)
                .raw("/")
                .end(),
            None if luck.is_multiple_of(16) => line.plain("referrer", "-"),
            None if luck % 16 == 1 => line.null("referrer"),
            None => line,
        };
        match luck >> 8 & 63 {
            0 => line.null("duration_ms"),
            _ => line.number(
                "duration_ms",
                3 + (request.bytes_in >> 12) + (request.bytes_out >> 14) + random.magnitude(2, 9),
            ),
        };
        match request.tag {
            Some(tag) if luck >> 16 & 7 == 0 => {
                line.raw("\"tags\":[\"").raw(tag).raw("\",\"review\"],")
            }
            Some(tag) => line.raw("\"tags\":[\"").raw(tag).raw("\"],"),
            None if luck >> 20 & 15 == 0 => line.raw("\"tags\":[],"),
            None => line,
        };
        match request.place {
            Some(place) => {
                line.raw("\"geo\":{")
                    .plain("country", place.country)
                    .plain("city", place.city);
                line.end_map()
            }
            None if luck >> 24 & 31 == 0 => line.null("geo"),
            None => line,
        };
        line.close();
    }
}

/// Five people in ten have the first browser, one in a hundred the last.
fn browser(taste: u64) -> usize {
    match taste >> 16 & 127 {
        0..64 => 0,
        64..88 => 1,
        88..98 => 2,
        98..116 => 3,
        116..126 => 4,
        _ => 5,
    }
}

impl Source for Web<'_> {
    fn rhythm(&self) -> Rhythm {
        let crowds: [u32; CROWDS] = [200, 110, 90, 8, 7];
        Rhythm {
            hours: &WORK,
            crowds,
        }
    }

    fn ordinary(&mut self, line: &mut Line, ms: i64, crowd: usize) {
        match crowd {
            MACHINES => self.machine(line, ms),
            STRANGERS => self.stranger(line, ms),
            office => self.person(line, ms, office),
        }
    }

    fn hidden(&mut self, line: &mut Line, planned: &Planned) {
        let world = self.world;
        let cast = &world.cast;
        let (people, random) = (&world.people.all, &mut self.random);
        let quiet = Request {
            ms: planned.ms,
            user: None,
            host: None,
            src_ip: &cast.web_scanner,
            dst_ip: None,
            method: "GET",
            plain: false,
            domain: WWW,
            place: None,
            status: 200,
            bytes_in: 0,
            bytes_out: 0,
            agent: None,
            tag: None,
        };
        match planned.story {
            Story::Beacon => {
                let person = &people[cast.beacon];
                let order = random.percent(4);
                let request = Request {
                    user: Some(&person.login),
                    host: Some(&person.host),
                    src_ip: &person.ip,
                    dst_ip: Some(&cast.beacon_ip),
                    plain: true,
                    domain: &cast.beacon_site,
                    place: Some(cast.far(0)),
                    bytes_in: if order {
                        random.magnitude(11, 13)
                    } else {
                        u64::from(random.between(118, 126))
                    },
                    bytes_out: u64::from(random.between(241, 249)),
                    agent: Some(BROWSERS[0]),
                    ..quiet
                };
                self.begin(line, &request);
                line.raw("/s?k=").hex(mix(u64::from(planned.step) + 1), 8);
                self.finish(line, &request, None);
            }
            Story::Exfiltration => {
                let person = &people[cast.leaker];
                let request = Request {
                    user: Some(&person.login),
                    host: Some(&person.host),
                    src_ip: &person.ip,
                    dst_ip: Some(&cast.drop_ip),
                    method: "POST",
                    domain: &cast.drop_site,
                    place: Some(cast.far(1)),
                    bytes_in: 312,
                    bytes_out: cast.loot(planned.step),
                    agent: Some("curl/8.16.0"),
                    ..quiet
                };
                self.begin(line, &request);
                line.raw("/up/archiv-")
                    .digits(u64::from(planned.step) + 1)
                    .raw(".7z");
                self.finish(line, &request, None);
            }
            _ => {
                let step = planned.step as usize;
                let request = Request {
                    dst_ip: Some(SERVERS[8].ip),
                    place: Some(cast.far(2)),
                    status: match random.below(100) {
                        0..86 => 404,
                        86..94 => 403,
                        94..98 => 400,
                        _ => 500,
                    },
                    bytes_in: u64::from(random.between(480, 530)),
                    bytes_out: u64::from(random.between(150, 220)),
                    agent: Some("Mozilla/5.0 (compatible; dirscan/1.4; \"quick\" mode)"),
                    ..quiet
                };
                self.begin(line, &request);
                line.raw(SCANNED[step % SCANNED.len()]);
                if step >= SCANNED.len() {
                    line.raw("?").digits((step / SCANNED.len()) as u64);
                }
                self.finish(line, &request, None);
            }
        }
    }
}
