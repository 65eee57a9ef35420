//! The prompt: Metron's, or one of the user's own with colours and figures in it.

use super::session::Session;
use colored::Colorize;

/// The prompt that Metron's users know.
const USUAL: &str = "{red}[{green}{bold}Stellar{off}{red}]{green}{underline}>>>{off} ";

/// The prompt without and with colours. Words in braces are colours and figures: `{red}`, `{event}`; others stay.
pub fn prompt(session: &Session) -> (String, String) {
    let engine = session.engine();
    let look = engine.config.shell.prompt.as_deref().unwrap_or(USUAL);
    let (mut plain, mut styled) = (String::new(), String::new());
    let mut style: Vec<&str> = Vec::new();
    let mut put = |text: &str, style: &[&str]| {
        plain.push_str(text);
        let mut painted = text.normal();
        for one in style {
            painted = match *one {
                "bold" => painted.bold(),
                "dim" => painted.dimmed(),
                "underline" => painted.underline(),
                color => painted.color(color),
            };
        }
        styled.push_str(&painted.to_string());
    };
    let mut rest = look;
    while let Some(open) = rest.find('{') {
        let (before, behind) = rest.split_at(open);
        put(before, &style);
        let Some(close) = behind.find('}') else {
            rest = behind;
            break;
        };
        let word = &behind[1..close];
        rest = &behind[close + 1..];
        match word {
            "off" => style.clear(),
            "bold" | "dim" | "underline" => style.push(word),
            "black" | "red" | "green" | "yellow" | "blue" | "magenta" | "cyan" | "white" => {
                style.retain(|one| matches!(*one, "bold" | "dim" | "underline"));
                style.push(word);
            }
            "event" => put(&event(session), &style),
            "mode" => put(session.look().mode.name(), &style),
            _ => put(&behind[..=close], &style),
        }
    }
    put(rest, &style);
    (plain, styled)
}

/// `3/100` while events are loaded.
fn event(session: &Session) -> String {
    let place = session
        .variables
        .loaded(|loaded| format!("{}/{}", loaded.position(), loaded.len()));
    place.unwrap_or_default()
}
