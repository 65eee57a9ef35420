//! What a User-Agent header says about the program that sent it.

use super::spec::{Family, FunctionSpec, Kind, SPEC, example, fails, required};
use crate::eval::Value;
use crate::eval::collections::Map;
use smol_str::SmolStr;

/// The functions of this family.
pub const FUNCTIONS: &[FunctionSpec] = &[USER_AGENT];

const USER_AGENT: FunctionSpec = FunctionSpec {
    name: "USER_AGENT",
    family: Family::Network,
    summary: "Names the program, the system and the kind of device behind a User-Agent header.",
    details: "By a short list of rules for the browsers, systems, crawlers, libraries and tools that are seen most. \
              The header says what its sender likes: unusual values are more telling than usual ones. \
              device is desktop, mobile, tablet, bot or tool. Only the first 2048 bytes are looked at.",
    parameters: &[required("text", Kind::Text, "the value of the header")],
    returns: "a map of family, version, os, os_version and device, each a string or null; null for null",
    errors: &["the argument is neither a string nor null"],
    examples: &[
        example(
            "USER_AGENT('Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36')",
            "{family=Chrome, version=126.0.0.0, os=Windows, os_version=10, device=desktop}",
        ),
        example(
            "USER_AGENT('curl/8.5.0')",
            "{family=curl, version=8.5.0, os=null, os_version=null, device=tool}",
        ),
        example(
            "MAP_GET('device', USER_AGENT('Mozilla/5.0 (compatible; Googlebot/2.1)'))",
            "bot",
        ),
        example("USER_AGENT(null)", "null"),
        fails("USER_AGENT(1)", "E0203"),
    ],
    see: &["MAP_GET", "REGEXP_MATCH"],
    words: &[
        "browser", "http", "header", "device", "crawler", "bot", "scanner",
    ],
    run: |call| match call.arg(0) {
        Value::Null => Ok(Value::Null),
        Value::Text(text) => Ok(read(text)),
        _ => Err(call.wrong_type(0, "a string")),
    },
    ..SPEC
};

/// How much of a header is looked at.
const LONGEST: usize = 2048;

/// Programs: what stands before the version, the name, and whether it is a person's browser.
/// The first that fits counts: most browsers claim to be others as well.
const PROGRAMS: &[(&str, &str, Sender)] = &[
    ("Googlebot/", "Googlebot", Sender::Bot),
    ("bingbot/", "Bingbot", Sender::Bot),
    ("YandexBot/", "YandexBot", Sender::Bot),
    ("Baiduspider/", "Baiduspider", Sender::Bot),
    ("DuckDuckBot/", "DuckDuckBot", Sender::Bot),
    ("Applebot/", "Applebot", Sender::Bot),
    ("AhrefsBot/", "AhrefsBot", Sender::Bot),
    ("SemrushBot/", "SemrushBot", Sender::Bot),
    ("GPTBot/", "GPTBot", Sender::Bot),
    ("ClaudeBot/", "ClaudeBot", Sender::Bot),
    ("CCBot/", "CCBot", Sender::Bot),
    ("Twitterbot/", "Twitterbot", Sender::Bot),
    ("facebookexternalhit/", "Facebook", Sender::Bot),
    ("curl/", "curl", Sender::Tool),
    ("Wget/", "Wget", Sender::Tool),
    ("WindowsPowerShell/", "PowerShell", Sender::Tool),
    ("PowerShell/", "PowerShell", Sender::Tool),
    ("python-requests/", "Python Requests", Sender::Tool),
    ("python-httpx/", "Python HTTPX", Sender::Tool),
    ("Python-urllib/", "Python urllib", Sender::Tool),
    ("aiohttp/", "Python aiohttp", Sender::Tool),
    ("Go-http-client/", "Go", Sender::Tool),
    ("okhttp/", "OkHttp", Sender::Tool),
    ("Apache-HttpClient/", "Apache HttpClient", Sender::Tool),
    ("Java/", "Java", Sender::Tool),
    ("axios/", "axios", Sender::Tool),
    ("node-fetch/", "node-fetch", Sender::Tool),
    ("libwww-perl/", "libwww-perl", Sender::Tool),
    ("PostmanRuntime/", "Postman", Sender::Tool),
    ("HTTPie/", "HTTPie", Sender::Tool),
    ("Microsoft-CryptoAPI/", "Microsoft CryptoAPI", Sender::Tool),
    ("Microsoft BITS/", "Microsoft BITS", Sender::Tool),
    ("CertUtil URL Agent", "CertUtil", Sender::Tool),
    ("Windows-Update-Agent/", "Windows Update", Sender::Tool),
    ("Debian APT-HTTP/", "APT", Sender::Tool),
    ("Nmap Scripting Engine", "Nmap", Sender::Tool),
    ("sqlmap/", "sqlmap", Sender::Tool),
    ("Nikto/", "Nikto", Sender::Tool),
    ("masscan/", "masscan", Sender::Tool),
    ("zgrab/", "ZGrab", Sender::Tool),
    ("HeadlessChrome/", "Headless Chrome", Sender::Tool),
    ("Edg/", "Edge", Sender::Person),
    ("EdgA/", "Edge", Sender::Person),
    ("EdgiOS/", "Edge", Sender::Person),
    ("Edge/", "Edge", Sender::Person),
    ("OPR/", "Opera", Sender::Person),
    ("OPiOS/", "Opera", Sender::Person),
    ("Opera/", "Opera", Sender::Person),
    ("SamsungBrowser/", "Samsung Internet", Sender::Person),
    ("YaBrowser/", "Yandex Browser", Sender::Person),
    ("UCBrowser/", "UC Browser", Sender::Person),
    ("Vivaldi/", "Vivaldi", Sender::Person),
    ("FxiOS/", "Firefox", Sender::Person),
    ("Firefox/", "Firefox", Sender::Person),
    ("Thunderbird/", "Thunderbird", Sender::Person),
    ("CriOS/", "Chrome", Sender::Person),
    ("Chromium/", "Chromium", Sender::Person),
    ("Chrome/", "Chrome", Sender::Person),
    ("MSIE ", "Internet Explorer", Sender::Person),
];

#[derive(Clone, Copy, PartialEq)]
enum Sender {
    Person,
    Bot,
    Tool,
}

fn read(text: &str) -> Value {
    // A character may lie across the end.
    let text = (0..4)
        .find_map(|back| text.get(..LONGEST - back))
        .unwrap_or(text);
    let (family, version, sender) = program(text);
    let (os, os_version) = system(text);
    let device = match (sender, os) {
        (Some(Sender::Bot), _) => Some("bot"),
        (Some(Sender::Tool), _) => Some("tool"),
        (_, Some("iOS")) if text.contains("iPad") => Some("tablet"),
        (_, Some("Android")) if !text.contains("Mobile") => Some("tablet"),
        (_, Some("iOS" | "Android" | "Windows Phone")) => Some("mobile"),
        (_, Some(_)) => Some("desktop"),
        _ => None,
    };
    let value = |part: Option<&str>| part.map_or(Value::Null, Value::text);
    let os_version = os_version.map_or(Value::Null, Value::Text);
    Value::Map(Map::of_texts([
        ("family", value(family)),
        ("version", value(version)),
        ("os", value(os)),
        ("os_version", os_version),
        ("device", value(device)),
    ]))
}

fn program(text: &str) -> (Option<&str>, Option<&str>, Option<Sender>) {
    for (mark, name, sender) in PROGRAMS {
        if let Some(behind) = behind(text, mark) {
            return (Some(name), version(behind), Some(*sender));
        }
    }
    if let (true, Some(behind)) = (text.contains("Trident/"), behind(text, "rv:")) {
        let name = "Internet Explorer";
        return (Some(name), version(behind), Some(Sender::Person));
    }
    if let (Some(behind), true) = (behind(text, "Version/"), text.contains("Safari/")) {
        return (Some("Safari"), version(behind), Some(Sender::Person));
    }
    let small = text.to_ascii_lowercase();
    if ["bot", "spider", "crawl"]
        .iter()
        .any(|mark| small.contains(mark))
    {
        return (None, None, Some(Sender::Bot));
    }
    // Something else that says its name and version in front; Mozilla/5.0 says nothing.
    match text.split_once('/') {
        Some((name, behind)) if is_name(name) => (Some(name), version(behind), None),
        _ => (None, None, None),
    }
}

fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_. ".contains(c);
    !name.is_empty() && name != "Mozilla" && name.len() < 40 && name.chars().all(plain)
}

/// What stands behind a mark, which must not be the end of a longer word.
fn behind<'t>(text: &'t str, mark: &str) -> Option<&'t str> {
    text.match_indices(mark).find_map(|(at, _)| {
        let (before, rest) = text.split_at(at);
        let inside = before.ends_with(|c: char| c.is_ascii_alphanumeric());
        rest.get(mark.len()..).filter(|_| !inside)
    })
}

/// The version that a text begins with.
fn version(text: &str) -> Option<&str> {
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || "._-+".contains(c)));
    let version = text.get(..end.unwrap_or(text.len()))?;
    version
        .starts_with(|c: char| c.is_ascii_digit())
        .then_some(version)
}

fn system(text: &str) -> (Option<&'static str>, Option<SmolStr>) {
    let number = |mark: &str| {
        let text = behind(text, mark)?;
        let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == '_'));
        let number = text.get(..end.unwrap_or(text.len()))?;
        (!number.is_empty()).then(|| SmolStr::from(number.replace('_', ".")))
    };
    if text.contains("Windows Phone") {
        return (Some("Windows Phone"), number("Windows Phone "));
    }
    if text.contains("Windows") {
        // The product behind the number of the kernel; 11 still says 10.0.
        let version = number("Windows NT ").map(|kernel| match kernel.as_str() {
            "10.0" => "10".into(),
            "6.3" => "8.1".into(),
            "6.2" => "8".into(),
            "6.1" => "7".into(),
            "6.0" => "Vista".into(),
            "5.1" | "5.2" => "XP".into(),
            _ => kernel,
        });
        return (Some("Windows"), version);
    }
    if text.contains("Android") {
        return (Some("Android"), number("Android "));
    }
    if ["iPhone", "iPad", "iPod"]
        .iter()
        .any(|name| text.contains(name))
    {
        let version = number("iPhone OS ").or_else(|| number("CPU OS "));
        return (Some("iOS"), version);
    }
    for (mark, name) in [
        ("Mac OS X ", "macOS"),
        ("Macintosh", "macOS"),
        ("CrOS", "ChromeOS"),
    ] {
        if text.contains(mark) {
            return (Some(name), number(mark));
        }
    }
    for name in ["Linux", "FreeBSD", "OpenBSD"] {
        if text.contains(name) {
            return (Some(name), None);
        }
    }
    (None, None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::text::to_text;

    #[test]
    fn usual_headers() {
        let cases = [
            (
                "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0",
                "{family=Firefox, version=127.0, os=Linux, os_version=null, device=desktop}",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
                "{family=Safari, version=17.5, os=iOS, os_version=17.5, device=mobile}",
            ),
            (
                "Mozilla/5.0 (iPad; CPU OS 16_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/109.0.5414.83 Mobile/15E148 Safari/604.1",
                "{family=Chrome, version=109.0.5414.83, os=iOS, os_version=16.2, device=tablet}",
            ),
            (
                "Mozilla/5.0 (Linux; Android 14; SM-X200) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
                "{family=Chrome, version=126.0.0.0, os=Android, os_version=14, device=tablet}",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0",
                "{family=Edge, version=126.0.0.0, os=macOS, os_version=10.15.7, device=desktop}",
            ),
            (
                "Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko",
                "{family=Internet Explorer, version=11.0, os=Windows, os_version=7, device=desktop}",
            ),
            (
                "Mozilla/5.0 (Windows NT; Windows NT 10.0; en-US) WindowsPowerShell/5.1.19041.1",
                "{family=PowerShell, version=5.1.19041.1, os=Windows, os_version=10, device=tool}",
            ),
            (
                "Something-Crawler (+https://example.org)",
                "{family=null, version=null, os=null, os_version=null, device=bot}",
            ),
            (
                "MyAgent/1.2",
                "{family=MyAgent, version=1.2, os=null, os_version=null, device=null}",
            ),
        ];
        for (header, expected) in cases {
            assert_eq!(to_text(&read(header)), expected, "{header}");
        }
    }

    #[test]
    fn hostile_headers() {
        for header in [
            "",
            "/",
            "é/é",
            "MSIE ",
            "Windows NT ",
            "rv:Trident/",
            "Version/Safari/",
        ] {
            assert!(matches!(read(header), Value::Map(_)));
        }
        let long = "é".repeat(1 << 20);
        assert!(matches!(read(&long), Value::Map(_)));
    }
}
