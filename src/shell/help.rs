//! Help at the shell: `?NAME`, `?and`, `?words`, `help E0203`, `%help`.

use super::magic::{self, Cell, Cells, MAGICS, Magic};
use super::session::{Session, Shown};
use crate::diagnostic::{Code, Diagnostic, Outcome, Page, Style, explanation, nearest};
use crate::functions::search::{Found, search};
use crate::functions::{help, spec::Family};

/// How many functions a search shows.
const MANY: usize = 15;

/// Help on a function, a command, a code, or whatever the words mean. Errors: E0201 when nothing is known of it.
pub fn topic(session: &Session, topic: &str) -> Outcome<Shown> {
    let page = |page: Page| Ok(Shown::Page(page, None));
    if topic.is_empty() {
        return page(overview(session));
    }
    if topic.starts_with("%%") {
        let cells = session.engine().context.services.get::<Cells>();
        let mut all = cells.iter().flat_map(|cells| cells.0);
        return match all.find(|cell| cell.name == topic) {
            Some(cell) => page(of_cell(cell)),
            None => Err(magic::unknown_cell(session, topic)),
        };
    }
    if topic.starts_with(['%', ':']) {
        return match magic::find(topic) {
            Some(magic) => page(of_magic(magic)),
            None => Err(magic::unknown(session, topic)),
        };
    }
    if let Some(code) = Code::parse(topic) {
        return page(explanation(code.info()));
    }
    let engine = session.engine();
    let (registry, context) = (&engine.registry, &engine.context);
    // Names are case-sensitive, but nobody asks for help on a name that differs in case only.
    for name in [topic, &topic.to_uppercase()] {
        if let Some(found) = help::help(registry, name, context)? {
            return page(found);
        }
    }
    // What is written like a name is meant as one.
    let found = match topic.contains('_') {
        true => Vec::new(),
        false => search(registry, topic, context)?,
    };
    if let [only] = found.as_slice()
        && let Some(found) = help::help(registry, &only.name, context)?
    {
        return page(found);
    }
    if !found.is_empty() {
        return page(hits(topic, &found));
    }
    if let Some((message, cure)) = context.functions.unavailable(topic) {
        return Err(Diagnostic::new(Code::NotWanted, message).help(cure));
    }
    let magics = MAGICS.iter().map(|magic| magic.name);
    let near = match nearest(topic, magics) {
        Some(magic) => Some(magic.to_string()),
        None => context.functions.nearest(topic),
    };
    let fault = Diagnostic::new(
        Code::UnknownFunction,
        format!("there is no function {topic}"),
    );
    Err(fault.did_you_mean(near.as_deref()))
}

fn hits(words: &str, found: &[Found]) -> Page {
    let mut page = Page::new();
    page.heading(format!("Functions about {words}"));
    let shown = &found[..found.len().min(MANY)];
    let width = shown.iter().map(|f| f.name.len()).max().unwrap_or(0);
    for one in shown {
        let gap = " ".repeat(width - one.name.len() + 2);
        page.text("  ").put(Style::Name, one.name.as_str());
        page.line(format!("{gap}{}", one.summary));
    }
    if found.len() > MANY {
        let rest = format!("  and {} more; add a word", found.len() - MANY);
        page.put(Style::Quiet, rest).end();
    }
    page.put(Style::Quiet, "?NAME tells more about one.").end();
    page
}

fn of_magic(magic: &Magic) -> Page {
    let mut page = Page::new();
    page.put(Style::Name, magic.name).end();
    page.line(magic.summary);
    if !magic.details.is_empty() {
        page.line(magic.details);
    }
    page.end().put(Style::Heading, "Usage:").text(" ");
    page.put(Style::Code, magic.usage).end();
    page
}

fn of_cell(cell: &Cell) -> Page {
    let mut page = Page::new();
    page.put(Style::Name, cell.name).end();
    page.line(cell.summary);
    page.line(cell.details);
    page.end().put(Style::Heading, "Usage:").text(" ");
    page.put(Style::Code, cell.usage).end();
    page.end().heading("Example");
    for line in cell.example.lines() {
        page.text("  ").put(Style::Code, line).end();
    }
    page
}

/// A line of the overview: how something is written, and what it does.
fn entry(page: &mut Page, usage: &str, text: &str) {
    let gap = " ".repeat(30usize.saturating_sub(usage.chars().count()).max(2));
    page.text("  ").put(Style::Code, usage);
    page.line(format!("{gap}{text}"));
}

/// What one can do here.
fn overview(session: &Session) -> Page {
    let cells = session.engine().context.services.get::<Cells>();
    let mut page = Page::new();
    page.heading(match cells {
        Some(_) => "In a notebook",
        None => "At the shell",
    });
    let mut say = |usage: &str, text: &str| entry(&mut page, usage, text);
    say(
        "1 + 2",
        "an expression prints its value; null prints nothing",
    );
    say("x := 1 + 2", "names a value");
    say("def DOUBLE(a) := a * 2", "defines a function");
    say("?NAME", "the documentation of a function");
    say("?and, ?match", "what a word of the language means");
    say("?words", "functions about these words, such as ?subnet");
    say("help E0203", "what an error means and what to do about it");
    let keys = match cells {
        Some(_) => [
            (
                "Tab, Shift-Tab",
                "completes what stands before the cursor; explains it",
            ),
            (
                "the stop button",
                "stops a running cell; variables stay. quit ends the kernel",
            ),
        ],
        None => [
            (
                "Tab, Ctrl-R",
                "completes what stands before the cursor; searches earlier lines",
            ),
            (
                "Ctrl-C, Ctrl-D",
                "stops a running expression; ends the shell, as quit and exit do",
            ),
        ],
    };
    keys.iter().for_each(|(usage, text)| say(usage, text));
    page.end().heading("Commands");
    for magic in MAGICS {
        entry(&mut page, magic.usage, magic.summary);
    }
    if let Some(cells) = cells {
        page.end().heading("Cells in other languages");
        page.line("  The first line names the language; ?%%map and so on tell more.");
        for cell in cells.0 {
            entry(&mut page, cell.usage, cell.summary);
        }
    }
    let engine = session.engine();
    let specs = engine.registry.specs();
    page.end().heading("Functions");
    let mut families: Vec<Family> = specs.iter().map(|spec| spec.family).collect();
    families.sort();
    families.dedup();
    for family in families {
        let count = specs.iter().filter(|spec| spec.family == family).count();
        page.text(format!("  {:<24}", family.title()));
        page.put(Style::Quiet, format!("{count}")).end();
    }
    page.put(
        Style::Quiet,
        "%functions lists their names, %functions IP those with IP in it.",
    )
    .end();
    page
}
