//! What every picture must keep to, whatever it shows.

use regex::Regex;
use std::sync::LazyLock;
use unicode_width::UnicodeWidthStr;

static TAGS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"<(/?)([a-z]+)((?: [a-zA-Z:-]+="[^"<]*")*)(/?)>"#).unwrap());
/// The attributes that hold numbers.
static NUMBERS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#" (?:x|y|d|cx|cy|r|width|height|viewBox)="([^"]*)""#).unwrap());
static TEXTS: LazyLock<Regex> = LazyLock::new(|| {
    let start =
        r#"<text(?: class="([a-z ]*)")? x="([-0-9.]+)" y="([-0-9.]+)" text-anchor="([a-z]+)">"#;
    Regex::new(&format!("{start}(?:<title>[^<]*</title>)?([^<]*)</text>")).unwrap()
});
static SHAPES: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"<(rect|circle|path)((?: [a-z]+="[^"<]*")*)/?>"#).unwrap());
static ATTRIBUTES: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#" ([a-z]+)="([^"]*)""#).unwrap());
static STEPS: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"([A-Za-z])([-0-9. ]*)").unwrap());
static SHEET: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"viewBox="0 0 ([0-9.]+) ([0-9.]+)""#).unwrap());

/// Whether a picture is XML whose elements are closed, holds nothing that runs or that is no number, keeps all it draws
/// on its sheet, and has no texts that touch one another.
pub fn check(picture: &str) -> Result<(), String> {
    well_formed(picture)?;
    let sheet = SHEET.captures(picture).ok_or("no sheet")?;
    let (width, height): (f64, f64) = (sheet[1].parse().unwrap(), sheet[2].parse().unwrap());
    let inside = |x: f64, y: f64, what: &str| match (-0.1..=width + 0.1).contains(&x)
        && (-0.1..=height + 0.1).contains(&y)
    {
        true => Ok(()),
        false => Err(format!(
            "{x} {y} is not on the sheet of {width} {height}: {what}"
        )),
    };
    for shape in SHAPES.captures_iter(picture) {
        let what = &shape[0];
        for (x, y) in corners(&shape[1], &shape[2]) {
            inside(x, y, what)?;
        }
    }
    let mut boxes: Vec<(f64, f64, f64, f64, String)> = Vec::new();
    for text in TEXTS.captures_iter(picture) {
        let (x, y): (f64, f64) = (text[2].parse().unwrap(), text[3].parse().unwrap());
        let words = text[5].replace("&lt;", "<").replace("&gt;", ">");
        let words = words.replace("&quot;", "\"").replace("&amp;", "&");
        // About; letters differ.
        let (character, high) = match text.get(1).map_or("", |class| class.as_str()) {
            "title" => (8.8, 12.0),
            "name" => (7.4, 10.0),
            "code" | "code quiet" => (7.2, 9.0),
            _ => (6.0, 8.0),
        };
        let wide = words.width() as f64 * character;
        let from = match &text[4] {
            "start" => x,
            "middle" => x - wide / 2.0,
            _ => x - wide,
        };
        inside(from, y, &words)?;
        inside(from + wide, y, &words)?;
        boxes.push((from, from + wide, y - high, y, words));
    }
    // From the left, so that each is compared with its neighbours only.
    boxes.sort_by(|a, b| a.0.total_cmp(&b.0));
    for (index, one) in boxes.iter().enumerate() {
        let near = boxes[index + 1..]
            .iter()
            .take_while(|other| other.0 < one.1);
        for other in near {
            if one.2 < other.3 && other.2 < one.3 {
                return Err(format!("{:?} touches {:?}", one.4, other.4));
            }
        }
    }
    Ok(())
}

/// The places that a shape reaches.
fn corners(name: &str, attributes: &str) -> Vec<(f64, f64)> {
    let get = |wanted: &str| -> Option<String> {
        let mut all = ATTRIBUTES.captures_iter(attributes);
        all.find(|found| &found[1] == wanted)
            .map(|found| found[2].to_string())
    };
    let number = |wanted: &str| get(wanted).map_or(0.0, |text| text.parse::<f64>().unwrap());
    match name {
        "rect" => {
            let (x, y) = (number("x"), number("y"));
            vec![(x, y), (x + number("width"), y + number("height"))]
        }
        "circle" => {
            let (x, y, r) = (number("cx"), number("cy"), number("r"));
            vec![(x - r, y - r), (x + r, y + r)]
        }
        _ => {
            let path = get("d").unwrap_or_default();
            let (mut x, mut y) = (0.0, 0.0);
            let mut found = Vec::new();
            for step in STEPS.captures_iter(&path) {
                let numbers: Vec<f64> = step[2]
                    .split_whitespace()
                    .map(|n| n.parse().unwrap())
                    .collect();
                match (&step[1], numbers.as_slice()) {
                    ("M" | "L", [to_x, to_y]) => (x, y) = (*to_x, *to_y),
                    ("H", [to]) => x = *to,
                    ("V", [to]) => y = *to,
                    ("h", [by]) => x += by,
                    ("v", [by]) => y += by,
                    ("Z" | "z", []) => {}
                    other => panic!("{other:?} in {path}"),
                }
                found.push((x, y));
            }
            found
        }
    }
}

fn well_formed(picture: &str) -> Result<(), String> {
    let mut open: Vec<&str> = Vec::new();
    let mut count = 0;
    for tag in TAGS.captures_iter(picture) {
        count += 1;
        let (end, name, alone) = (&tag[1], tag.get(2).unwrap().as_str(), &tag[4]);
        if name == "script" {
            return Err("a script".into());
        }
        match (end, alone) {
            ("/", _) if open.pop() != Some(name) => return Err(format!("</{name}>")),
            ("/", _) | (_, "/") => {}
            _ => open.push(name),
        }
    }
    let numbers = NUMBERS
        .captures_iter(picture)
        .map(|found| found[1].to_string());
    let odd = numbers.filter(|text| text.contains("NaN") || text.contains("inf"));
    let odd: Vec<String> = odd.collect();
    let control = |c: char| {
        c != '\n'
            && (c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{fffe}' | '\u{ffff}'))
    };
    match () {
        () if !open.is_empty() => Err(format!("{open:?} is open")),
        () if picture.matches('<').count() != count => Err("a < that opens nothing".into()),
        () if !odd.is_empty() => Err(format!("{odd:?}")),
        () if picture.contains(control) => {
            Err("a character that XML or a reader does not bear".into())
        }
        () if !picture.contains("<title ") || !picture.contains("<desc ") => Err("no title".into()),
        () if !picture.contains(" role=\"img\" aria-labelledby=\"") => Err("no role".into()),
        () if picture.contains("href") || picture.contains("url(") => {
            Err("something from elsewhere".into())
        }
        () => Ok(()),
    }
}
