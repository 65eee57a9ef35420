//! The world outside: cities, sites by popularity and their addresses, all from ranges reserved for documentation.

use crate::people::word;
use crate::random::{Random, Wheel, mix};

/// A city that addresses are said to be in.
pub struct Place {
    /// The country's two letters.
    pub country: &'static str,
    /// The city.
    pub city: &'static str,
    /// Degrees north.
    pub latitude: &'static str,
    /// Degrees east.
    pub longitude: &'static str,
}

const fn place(
    country: &'static str,
    city: &'static str,
    latitude: &'static str,
    longitude: &'static str,
) -> Place {
    Place {
        country,
        city,
        latitude,
        longitude,
    }
}

/// The cities; the offices' come first.
pub const PLACES: [Place; 16] = [
    place("CZ", "Prague", "50.08", "14.43"),
    place("DE", "Berlin", "52.52", "13.40"),
    place("US", "New York", "40.71", "-74.01"),
    place("US", "Ashburn", "39.04", "-77.49"),
    place("US", "Boardman", "45.84", "-119.7"),
    place("IE", "Dublin", "53.35", "-6.26"),
    place("NL", "Amsterdam", "52.37", "4.9"),
    place("DE", "Frankfurt", "50.11", "8.68"),
    place("GB", "London", "51.51", "-0.13"),
    place("CH", "Zürich", "47.37", "8.54"),
    place("PL", "Kraków", "50.06", "19.94"),
    place("SE", "Malmö", "55.6", "13.0"),
    place("BR", "São Paulo", "-23.55", "-46.63"),
    place("SG", "Singapore", "1.35", "103.82"),
    place("JP", "Tokyo", "35.68", "139.69"),
    place("AU", "Sydney", "-33.87", "151.21"),
];

/// The indexes of the offices' cities.
pub const OFFICE_PLACES: [usize; 3] = [0, 1, 2];
/// The far cities that only attackers and travellers come from.
pub const FAR: [usize; 4] = [12, 13, 14, 15];

/// What a site is for.
#[derive(Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "each says itself")]
pub enum Category {
    Search,
    Cloud,
    News,
    Video,
    Social,
    Shop,
    Developer,
    Advertising,
    Updates,
    Intranet,
    Other,
}

impl Category {
    /// Its name in `known_domains.csv`.
    pub fn name(self) -> &'static str {
        match self {
            Category::Search => "search",
            Category::Cloud => "cloud",
            Category::News => "news",
            Category::Video => "video",
            Category::Social => "social",
            Category::Shop => "shopping",
            Category::Developer => "developer",
            Category::Advertising => "advertising",
            Category::Updates => "updates",
            Category::Intranet => "intranet",
            Category::Other => "other",
        }
    }
}

use Category::{
    Advertising, Cloud, Developer, Intranet, News, Other, Search, Shop, Social, Updates, Video,
};

/// The sites that everybody knows, most popular first.
const KNOWN: [(&str, Category); 40] = [
    ("search.example", Search),
    ("cdn.example.net", Cloud),
    ("mail.example.com", Cloud),
    ("ads.example.net", Advertising),
    ("docs.example.com", Cloud),
    ("video.example", Video),
    ("chat.example.org", Social),
    ("metrics.example.net", Advertising),
    ("drive.example.com", Cloud),
    ("fonts.example.net", Cloud),
    ("maps.example", Search),
    ("code.example.org", Developer),
    ("news.example", News),
    ("meet.example.com", Video),
    ("login.example.com", Cloud),
    ("img.example.net", Cloud),
    ("weather.example", News),
    ("packages.example.org", Developer),
    ("update.example.com", Updates),
    ("wiki.example.org", Search),
    ("jobs.example", Social),
    ("shop.example", Shop),
    ("photos.example.com", Social),
    ("tracker.example.net", Advertising),
    ("q-and-a.example.org", Developer),
    ("radio.example", Video),
    ("sport.example", News),
    ("av-update.example.com", Updates),
    ("time.example.org", Updates),
    ("trains.example", Other),
    ("bank.example", Other),
    ("lunch.example", Shop),
    ("registry.example.org", Developer),
    ("translate.example", Search),
    ("podcast.example", Video),
    ("forum.example.org", Social),
    ("static.news.example", News),
    ("eu.storage.example.com", Cloud),
    ("us.storage.example.com", Cloud),
    ("crl.example.net", Updates),
];

const FRONT: &str = "amber birch copper dapper east fable glass harbor iron juniper kite lemon maple north \
    ocean paper quiet river silver tiny urban velvet west yellow zebra alpine bold clever \
    daily green hidden little modern open rapid sunny";
const BACK: &str = "garden press trips bakery letters studio bikes clinic games hotel ink journal \
    kites lakes market museum notes oaks pets rugs school tea travel union \
    works yoga audio books coffee design energy films gems homes labs";
const ENDINGS: &str = ".example .test .example .example.org .test .example.net .example";

/// A site of the internet or the intranet.
pub struct Site {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub category: Category,
    /// Its IPv4 address.
    pub ip: String,
    /// Its IPv6 address, if it has one.
    pub ip6: Option<String>,
    /// Where it is, if the address database knew.
    pub place: Option<&'static Place>,
    /// Whether it still speaks plain HTTP.
    pub plain: bool,
}

/// The company's own sites and the servers behind them.
const INTRANET: [(&str, &str); 6] = [
    ("intranet.corp.example", "10.1.3.81"),
    ("git.corp.example", "10.1.4.22"),
    ("wiki.corp.example", "10.1.7.80"),
    ("erp.corp.example", "10.1.5.50"),
    ("build.corp.example", "10.1.4.30"),
    ("print.corp.example", "10.1.7.70"),
];

/// All sites and how popular each is.
pub struct Sites {
    /// The most popular first.
    pub all: Vec<Site>,
    /// The company's own.
    pub intranet: Vec<Site>,
    wheel: Wheel,
}

impl Sites {
    /// Builds the internet, the same for every seed.
    pub fn new() -> Self {
        let known = KNOWN
            .iter()
            .map(|(name, category)| ((*name).to_owned(), *category));
        let others = (0..1240).map(|k| {
            let (front, back) = (word(FRONT, k), word(BACK, k));
            let category = [Other, Shop, News, Other, Advertising, Social, Developer][k % 7];
            (format!("{front}-{back}{}", word(ENDINGS, k)), category)
        });
        let all: Vec<Site> = known
            .chain(others)
            .enumerate()
            .map(|(rank, (name, category))| site(rank, name, category))
            .collect();
        let intranet = INTRANET
            .iter()
            .map(|(name, ip)| Site {
                name: (*name).to_owned(),
                category: Intranet,
                ip: (*ip).to_owned(),
                ip6: None,
                place: None,
                plain: name.starts_with("print"),
            })
            .collect();
        let wheel = Wheel::zipf(all.len(), 3);
        Self {
            all,
            intranet,
            wheel,
        }
    }

    /// A site of the internet, by popularity.
    #[inline]
    pub fn spin(&self, random: &mut Random) -> usize {
        self.wheel.spin(random)
    }
}

fn site(rank: usize, name: String, category: Category) -> Site {
    // More sites than addresses: they share them, as behind a content network.
    let address = rank % 440;
    let luck = mix(address as u64 + 500);
    // Sites are in cities 2 to 11: nothing that people use is in the far ones.
    let place = &PLACES[2 + (luck >> 8) as usize % 10];
    let taste = mix(rank as u64 + 900);
    Site {
        category,
        ip: if address < 240 {
            format!("192.0.2.{}", address + 10)
        } else {
            format!("198.51.100.{}", address - 240 + 1)
        },
        ip6: taste
            .is_multiple_of(3)
            .then(|| format!("2001:db8:a{:x}::{:x}", address % 16, address + 16)),
        place: (!luck.is_multiple_of(3)).then_some(place),
        plain: rank > 5 && taste % 11 < 3,
        name,
    }
}
