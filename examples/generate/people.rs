//! The company: some 400 invented people in three offices, their laptops, and the servers. The same for every seed.

use crate::clock::Zone;
use crate::places::{OFFICE_PLACES, PLACES, Place};
use crate::random::{Random, Wheel, mix};

/// One of the three offices.
pub struct Office {
    /// The city.
    pub name: &'static str,
    /// What its hosts' names begin with.
    pub code: &'static str,
    /// The second byte of its addresses.
    pub network: u8,
    /// Its time zone.
    pub zone: Zone,
    /// How many people work there.
    pub people: usize,
    first: &'static str,
    last: &'static str,
}

/// Prague, Berlin and New York.
pub const OFFICES: [Office; 3] = [
    Office {
        name: "Prague",
        code: "PRG",
        network: 10,
        zone: Zone::Europe,
        people: 200,
        first: "Jiří Zdeňka Matěj Běla Vojtěch Radka Ondřej Šárka Dušan Olga Kryštof Květa Hynek \
            Ludmila Čeněk Žofie",
        last: "Brázdil Vrbas Kostrhun Mechur Skřivan Topol Hrabin Osyk Klokoč Rampas Lomnič Ostruh \
            Jestřab Pelyn Bodlin Kapras Rákos Šindelar Ťuhan Zvonař Mlžan",
    },
    Office {
        name: "Berlin",
        code: "BER",
        network: 20,
        zone: Zone::Europe,
        people: 110,
        first: "Jürgen Heike Torben Anke Ruprecht Wiebke Björn Käthe Malte Frauke Sönke Dörte",
        last: "Ackerbusch Birkenau Dünenwald Eschenrode Fährmeyer Grünspan Holunder Kieselstein \
            Lindwurm Möwenthal Nebelung Quittenbaum Rübsamen",
    },
    Office {
        name: "New York",
        code: "NYC",
        network: 30,
        zone: Zone::America,
        people: 90,
        first: "Wendell Marisol Darnell Priya Chidi Renée Thaddeus Mei Ezra Noémi",
        last: "Applegarth Brightwater Castellane Draycott Easterling Fernsby Gallowhill Hathersage \
            Inglenook Núñez-Arroyo O'Quillan",
    },
];

const DEPARTMENTS: [&str; 8] = [
    "Engineering",
    "Sales",
    "Support",
    "Finance",
    "Operations",
    "Marketing",
    "Legal",
    "Security",
];

/// Somebody who works here.
pub struct Person {
    /// The name, with its accents.
    pub name: String,
    /// The name of the account; a few are not ASCII.
    pub login: String,
    /// Where in [`OFFICES`].
    pub office: usize,
    /// The department.
    pub department: &'static str,
    /// The laptop's name.
    pub host: String,
    /// The laptop's address.
    pub ip: String,
    /// The laptop's other address, of the company's part of 2001:db8::/32.
    pub ip6: String,
    /// The address at home.
    pub home: String,
    /// A stable number for choices such as the browser.
    pub taste: u64,
}

impl Person {
    /// The place of the office, where the home is too.
    pub fn place(&self) -> &'static Place {
        &PLACES[OFFICE_PLACES[self.office]]
    }

    /// Where this person logs in from in a week, when not at home: most weeks, nowhere.
    pub fn trip(&self, week: i64) -> Option<&'static Place> {
        let luck = mix(self.taste ^ week.unsigned_abs());
        let abroad = PLACES.len() - OFFICE_PLACES.len();
        luck.is_multiple_of(40)
            .then(|| &PLACES[OFFICE_PLACES.len() + (luck / 40) as usize % abroad])
    }
}

/// A machine that works day and night.
pub struct Server {
    /// Its name.
    pub host: &'static str,
    /// Its address.
    pub ip: &'static str,
    /// The account its jobs run under.
    pub account: &'static str,
    /// Who looks after it.
    pub department: &'static str,
    /// How much the company needs it.
    pub criticality: &'static str,
    /// The port it serves.
    pub port: u16,
    /// The service on that port, in Zeek's words.
    pub service: &'static str,
}

const fn server(
    host: &'static str,
    ip: &'static str,
    account: &'static str,
    department: &'static str,
    criticality: &'static str,
    (port, service): (u16, &'static str),
) -> Server {
    Server {
        host,
        ip,
        account,
        department,
        criticality,
        port,
        service,
    }
}

/// The servers; the first three are the offices' resolvers.
pub const SERVERS: [Server; 18] = [
    server(
        "prg-dns-1",
        "10.10.0.53",
        "svc-dns",
        "Operations",
        "high",
        (53, "dns"),
    ),
    server(
        "ber-dns-1",
        "10.20.0.53",
        "svc-dns",
        "Operations",
        "high",
        (53, "dns"),
    ),
    server(
        "nyc-dns-1",
        "10.30.0.53",
        "svc-dns",
        "Operations",
        "high",
        (53, "dns"),
    ),
    server(
        "dc-1",
        "10.1.0.10",
        "CORP\\svc-directory",
        "Operations",
        "critical",
        (88, "krb_tcp"),
    ),
    server(
        "dc-2",
        "10.1.0.11",
        "CORP\\svc-directory",
        "Operations",
        "critical",
        (389, "ldap_tcp"),
    ),
    server(
        "files-1",
        "10.1.1.20",
        "CORP\\svc-files",
        "Operations",
        "high",
        (445, "gssapi,smb"),
    ),
    server(
        "files-2",
        "10.1.1.21",
        "CORP\\svc-files",
        "Operations",
        "high",
        (445, "gssapi,smb"),
    ),
    server(
        "mail-1",
        "10.1.2.25",
        "svc-mail",
        "Operations",
        "critical",
        (587, "smtp"),
    ),
    server(
        "www-1",
        "10.1.3.80",
        "svc-www",
        "Marketing",
        "high",
        (443, "ssl"),
    ),
    server(
        "www-2",
        "10.1.3.81",
        "svc-www",
        "Marketing",
        "high",
        (443, "ssl"),
    ),
    server(
        "git-1",
        "10.1.4.22",
        "svc-git",
        "Engineering",
        "critical",
        (22, "ssh"),
    ),
    server(
        "build-1",
        "10.1.4.30",
        "svc-build",
        "Engineering",
        "medium",
        (443, "ssl"),
    ),
    server(
        "build-2",
        "10.1.4.31",
        "svc-build",
        "Engineering",
        "medium",
        (443, "ssl"),
    ),
    server(
        "db-1",
        "10.1.5.40",
        "svc-db",
        "Engineering",
        "critical",
        (5432, "postgresql"),
    ),
    server(
        "erp-1",
        "10.1.5.50",
        "CORP\\svc-erp",
        "Finance",
        "critical",
        (443, "ssl"),
    ),
    server(
        "backup-1",
        "10.1.6.60",
        "CORP\\svc-backup",
        "Operations",
        "high",
        (22, "ssh"),
    ),
    server(
        "print-1",
        "10.1.7.70",
        "svc-print",
        "Support",
        "low",
        (631, "http"),
    ),
    server(
        "wiki-1",
        "10.1.7.80",
        "svc-wiki",
        "Support",
        "medium",
        (443, "ssl"),
    ),
];

/// Everybody, and who of an office is seen how often.
pub struct People {
    /// Prague's people first, then Berlin's, then New York's.
    pub all: Vec<Person>,
    wheels: [Wheel; 3],
    orders: [Vec<u16>; 3],
}

impl People {
    /// Hires everybody.
    pub fn new() -> Self {
        let mut all = Vec::new();
        let mut orders = [const { Vec::new() }; 3];
        for (number, office) in OFFICES.iter().enumerate() {
            let base = all.len();
            all.extend((0..office.people).map(|index| person(number, index, base)));
            // Busy people are not the ones hired first.
            let mut order: Vec<u16> = (base..all.len()).map(|person| person as u16).collect();
            order.sort_by_key(|person| mix(u64::from(*person) + 77));
            orders[number] = order;
        }
        let wheels = [0, 1, 2].map(|office| Wheel::zipf(orders[office].len(), 12));
        Self {
            all,
            wheels,
            orders,
        }
    }

    /// Somebody of an office, by how busy they are.
    #[inline]
    pub fn spin(&self, office: usize, random: &mut Random) -> usize {
        usize::from(self.orders[office][self.wheels[office].spin(random)])
    }

    /// The people of an office, the busiest first.
    pub fn by_rank(&self, office: usize) -> impl Iterator<Item = &Person> {
        self.orders[office]
            .iter()
            .map(|index| &self.all[usize::from(*index)])
    }
}

fn person(office: usize, index: usize, base: usize) -> Person {
    let Office {
        code,
        network,
        first,
        last,
        ..
    } = OFFICES[office];
    // The lists' lengths have no common divisor, so that every pair comes before one comes again.
    let given = word(first, index);
    let mut family = word(last, index).to_owned();
    if office == 0 && index % 2 == 1 {
        family.push_str("ová");
    }
    let number = base + index;
    let mut login = format!("{given}.{family}").to_lowercase();
    if number % 29 != 3 {
        login = login.chars().filter_map(ascii).collect();
    }
    let (third, fourth) = (16 + index / 200, 10 + index % 200);
    let taste = mix(number as u64 + 1);
    let home = if taste.is_multiple_of(5) {
        format!(
            "2001:db8:{:x}:{:x}::{:x}",
            0x1000 + number,
            taste >> 52,
            taste >> 32 & 0xFFFF
        )
    } else {
        format!(
            "203.0.113.{}",
            [1, 121, 187][office] + index % [120, 66, 54][office]
        )
    };
    Person {
        name: format!("{given} {family}"),
        login,
        office,
        department: DEPARTMENTS[(taste >> 8) as usize % DEPARTMENTS.len()],
        host: format!("{code}-L{:04}", index + 1),
        ip: format!("10.{network}.{third}.{fourth}"),
        ip6: format!("2001:db8:{network}:{third}::{fourth:x}"),
        home,
        taste,
    }
}

/// A word of a list in one text, from the beginning again after its end.
pub fn word(words: &'static str, index: usize) -> &'static str {
    let count = words.split_whitespace().count().max(1);
    words
        .split_whitespace()
        .nth(index % count)
        .unwrap_or_default()
}

fn ascii(letter: char) -> Option<char> {
    Some(match letter {
        'á' | 'ä' => 'a',
        'č' | 'ç' => 'c',
        'ď' => 'd',
        'é' | 'ě' | 'ë' => 'e',
        'í' => 'i',
        'ň' | 'ñ' => 'n',
        'ó' | 'ö' => 'o',
        'ř' => 'r',
        'š' => 's',
        'ť' => 't',
        'ú' | 'ů' | 'ü' => 'u',
        'ý' => 'y',
        'ž' => 'z',
        '\'' => return None,
        other => other,
    })
}
