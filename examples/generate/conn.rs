//! Connections as Zeek's conn.log tells them in JSON: fields that were not seen are missing.

use crate::clock::{CROWDS, MACHINES, Rhythm, STRANGERS, WORK};
use crate::line::Line;
use crate::people::SERVERS;
use crate::random::{Random, mix};
use crate::stories::{Planned, Story};
use crate::{Source, World};

/// Ports that a scanner tries first.
const DOORS: [u16; 20] = [
    22, 80, 443, 445, 3389, 21, 23, 25, 53, 88, 110, 111, 135, 139, 389, 1433, 3306, 5432, 5900,
    8080,
];

/// Where in [`SERVERS`] the backups go.
const BACKUP: usize = 15;

/// One connection: who calls whom, and what became of it.
struct Flow<'a> {
    from: &'a str,
    to: &'a str,
    port: u16,
    udp: bool,
    service: Option<&'a str>,
    state: &'static str,
    history: &'static str,
    micros: Option<u64>,
    sent: u64,
    received: u64,
    local: bool,
}

/// Writes the log of connections.
pub struct Conn<'a> {
    world: &'a World,
    random: Random,
    last: u64,
}

impl<'a> Conn<'a> {
    /// A log of a world.
    pub fn new(world: &'a World, seed: u64) -> Self {
        Self {
            world,
            random: Random::new(seed, "conn"),
            last: 0,
        }
    }

    fn write(&mut self, line: &mut Line, ms: i64, flow: &Flow) {
        // Finer than a millisecond, but never before the line above.
        let micros = ms.unsigned_abs() * 1000 + u64::from(self.random.below(1000));
        self.last = micros.max(self.last + 1);
        line.open().seconds("ts", self.last);
        line.begin("uid").byte(b'C');
        let mut luck = self.random.next();
        for place in 0..17 {
            if place == 10 {
                luck = self.random.next();
            }
            line.byte(
                b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                    [(luck % 62) as usize],
            );
            luck /= 62;
        }
        line.end().plain("id.orig_h", flow.from);
        let port = if flow.service == Some("ntp") {
            123
        } else {
            self.random.between(32_768, 60_999)
        };
        line.number("id.orig_p", u64::from(port));
        line.plain("id.resp_h", flow.to)
            .number("id.resp_p", u64::from(flow.port));
        line.plain("proto", if flow.udp { "udp" } else { "tcp" });
        if let Some(service) = flow.service {
            line.plain("service", service);
        }
        if let Some(micros) = flow.micros {
            line.seconds("duration", micros);
            line.number("orig_bytes", flow.sent)
                .number("resp_bytes", flow.received);
        }
        line.plain("conn_state", flow.state);
        line.bool("local_orig", inside(flow.from))
            .bool("local_resp", flow.local);
        line.number("missed_bytes", 0)
            .plain("history", flow.history);
        // Three packets of handshake and farewell, one for each full segment, and their headers.
        let header = if flow.udp { 28 } else { 52 };
        let (least, answered) = match flow.state {
            "S0" => (1, 0),
            "REJ" => (1, 1),
            _ if flow.udp => (1, 1),
            _ => (4, 4),
        };
        let up = least + flow.sent / 1448 + flow.received / 5000;
        let down = answered * (1 + flow.received / 1448 + flow.sent / 5000);
        line.number("orig_pkts", up)
            .number("orig_ip_bytes", up * header + flow.sent);
        line.number("resp_pkts", down)
            .number("resp_ip_bytes", down * header + flow.received);
        line.close();
    }

    fn office(&mut self, line: &mut Line, ms: i64, office: usize) {
        let world = self.world;
        let random = &mut self.random;
        let person = &world.people.all[world.people.spin(office, random)];
        let six = person.taste >> 40 & 7 == 0;
        let site = &world.sites.all[world.sites.spin(random)];
        let web = Flow {
            from: &person.ip,
            to: &site.ip,
            port: 443,
            udp: false,
            service: Some("ssl"),
            state: "SF",
            history: "ShADadFf",
            micros: Some(random.magnitude(14, 26)),
            sent: random.magnitude(9, 13),
            received: random.magnitude(10, 20),
            local: false,
        };
        let flow = match random.below(100) {
            0..34 => Flow {
                to: SERVERS[office].ip,
                port: 53,
                udp: true,
                service: Some("dns"),
                history: "Dd",
                micros: Some(random.magnitude(8, 16)),
                sent: u64::from(random.between(28, 60)),
                received: u64::from(random.between(44, 300)),
                local: true,
                ..web
            },
            34..38 => Flow {
                to: "192.0.2.38",
                port: 123,
                udp: true,
                service: Some("ntp"),
                history: "Dd",
                micros: Some(random.magnitude(13, 16)),
                sent: 48,
                received: 48,
                ..web
            },
            38..56 => {
                let server = &SERVERS[3 + random.index(SERVERS.len() - 3)];
                Flow {
                    to: server.ip,
                    port: server.port,
                    service: Some(server.service),
                    local: true,
                    ..web
                }
            }
            56..64 => Flow {
                udp: true,
                service: Some("quic"),
                history: "Dd",
                ..web
            },
            64..67 => Flow {
                state: "S0",
                history: "S",
                service: None,
                micros: None,
                sent: 0,
                received: 0,
                ..web
            },
            67..69 => Flow {
                state: "RSTO",
                history: "ShADadR",
                ..web
            },
            69..71 => Flow {
                state: "S1",
                history: "ShADad",
                ..web
            },
            71 => Flow {
                state: "OTH",
                history: "Cc",
                service: None,
                micros: None,
                ..web
            },
            _ if site.plain => Flow {
                port: 80,
                service: Some("http"),
                ..web
            },
            _ => match &site.ip6 {
                Some(ip6) if six => Flow {
                    from: &person.ip6,
                    to: ip6,
                    ..web
                },
                _ => web,
            },
        };
        self.write(line, ms, &flow);
    }

    fn machine(&mut self, line: &mut Line, ms: i64) {
        let random = &mut self.random;
        let from = 3 + random.index(SERVERS.len() - 3);
        // Backups run to one machine, everything else to whoever serves it.
        let backup = random.percent(12) && from != BACKUP;
        let to = if backup {
            BACKUP
        } else {
            random.index(SERVERS.len())
        };
        // Nobody connects to himself; the first server is a resolver, which never calls.
        let to = if to == from { 0 } else { to };
        let server = &SERVERS[to];
        let udp = server.port == 53;
        let flow = Flow {
            from: SERVERS[from].ip,
            to: server.ip,
            port: server.port,
            udp,
            service: Some(server.service),
            state: "SF",
            history: if udp { "Dd" } else { "ShADadFf" },
            micros: Some(random.magnitude(10, 24)),
            sent: if backup {
                random.magnitude(20, 28)
            } else {
                random.magnitude(5, 12)
            },
            received: random.magnitude(6, 12),
            local: true,
        };
        self.write(line, ms, &flow);
    }

    fn stranger(&mut self, line: &mut Line, ms: i64) {
        let random = &mut self.random;
        let from = match random.below(4) {
            0 => format!(
                "2001:db8:f0{:02x}::{:x}",
                random.below(16),
                1 + random.below(600)
            ),
            _ => format!("198.51.100.{}", random.between(200, 229)),
        };
        let knock = random.percent(30);
        let flow = Flow {
            from: &from,
            to: SERVERS[8 + random.index(2)].ip,
            port: if knock { random.pick(&DOORS) } else { 443 },
            udp: false,
            service: (!knock).then_some("ssl"),
            state: if knock { "S0" } else { "SF" },
            history: if knock { "S" } else { "ShADadFf" },
            micros: (!knock).then(|| random.magnitude(14, 23)),
            sent: if knock { 0 } else { random.magnitude(9, 12) },
            received: if knock { 0 } else { random.magnitude(10, 17) },
            local: true,
        };
        self.write(line, ms, &flow);
    }

    /// A knock at one door of one server; the answer depends on who is at home.
    fn scan(&mut self, line: &mut Line, planned: &Planned) {
        let scanner = &self.world.people.all[self.world.cast.scanner];
        let (server, port) = knock(planned.step as usize);
        let server = &SERVERS[server];
        let open = server.port == port;
        let filtered = mix(u64::from(planned.step)).is_multiple_of(5);
        let flow = Flow {
            from: &scanner.ip,
            to: server.ip,
            port,
            udp: false,
            service: None,
            state: match (open, filtered) {
                (true, _) => "RSTO",
                (_, true) => "S0",
                _ => "REJ",
            },
            history: match (open, filtered) {
                (true, _) => "ShAR",
                (_, true) => "S",
                _ => "Sr",
            },
            micros: (!filtered || open).then(|| u64::from(self.random.between(90, 900))),
            sent: 0,
            received: 0,
            local: true,
        };
        self.write(line, planned.ms, &flow);
    }
}

/// Whether an address is the company's own.
fn inside(ip: &str) -> bool {
    let networks = ["10.", "2001:db8:10:", "2001:db8:20:", "2001:db8:30:"];
    networks.iter().any(|network| ip.starts_with(network))
}

/// The server and port of a step of the scan: the usual doors of every server first, then all the others.
fn knock(step: usize) -> (usize, u16) {
    let targets = SERVERS.len() - 3;
    let round = step / DOORS.len();
    let server = 3 + round % targets;
    if round < targets {
        (server, DOORS[step % DOORS.len()])
    } else {
        (server, 1024 + (mix(step as u64) % 60_000) as u16)
    }
}

impl Source for Conn<'_> {
    fn rhythm(&self) -> Rhythm {
        let crowds: [u32; CROWDS] = [200, 110, 90, 30, 9];
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
        let cast = &self.world.cast;
        let people = &self.world.people.all;
        let random = &mut self.random;
        let beacon = Flow {
            from: &people[cast.beacon].ip,
            to: &cast.beacon_ip,
            port: 80,
            udp: false,
            service: Some("http"),
            state: "SF",
            history: "ShADadFf",
            micros: Some(u64::from(random.between(180_000, 240_000))),
            sent: u64::from(random.between(241, 249)),
            received: u64::from(random.between(118, 126)),
            local: false,
        };
        match planned.story {
            Story::Beacon => self.write(line, planned.ms, &beacon),
            Story::Exfiltration => {
                let sent = cast.loot(planned.step);
                let upload = Flow {
                    from: &people[cast.leaker].ip,
                    to: &cast.drop_ip,
                    port: 443,
                    service: Some("ssl"),
                    // Some 20 MB a second.
                    micros: Some(sent / 20),
                    sent,
                    received: 4_312,
                    ..beacon
                };
                self.write(line, planned.ms, &upload);
            }
            _ => self.scan(line, planned),
        }
    }
}
