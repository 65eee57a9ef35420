//! Fenced blocks of Markdown pages whose commands are run.
#![allow(dead_code)]

/// The marks around a fenced block, if the line begins one: their number and the kind of the block.
pub fn fence(line: &str) -> Option<(usize, &str)> {
    let line = line.trim_start();
    let marks = line.bytes().take_while(|b| *b == b'`').count();
    (marks >= 3 && !line[marks..].contains('`')).then(|| (marks, line[marks..].trim()))
}

/// A line of a page, or a command of a block with the output shown below it.
pub enum Piece {
    Line(String),
    Command {
        number: usize,
        written: Vec<String>,
        output: Vec<String>,
    },
}

/// Cuts a page into its lines and the commands of its blocks of this kind: a command begins with `prompt` and takes
/// further lines along while it `continues`.
pub fn pieces(
    text: &str,
    kind: &str,
    prompt: &str,
    goes_on: impl Fn(&[String]) -> bool,
) -> Vec<Piece> {
    let mut found = Vec::new();
    let mut open: Option<(usize, bool)> = None;
    let mut continues = false;
    for (number, line) in text.lines().enumerate() {
        match (open, fence(line)) {
            (None, Some((marks, found))) => open = Some((marks, found == kind)),
            (Some((marks, _)), Some((more, ""))) if more >= marks => {
                open = None;
                continues = false;
            }
            (Some((_, true)), _) => {
                match found.last_mut() {
                    Some(Piece::Command { written, .. }) if continues => {
                        written.push(line.to_string());
                    }
                    _ if line.starts_with(prompt) => found.push(Piece::Command {
                        number: number + 1,
                        written: vec![line.to_string()],
                        output: Vec::new(),
                    }),
                    Some(Piece::Command { output, .. }) => output.push(line.to_string()),
                    _ => found.push(Piece::Line(line.to_string())),
                }
                let command = continues || line.starts_with(prompt);
                continues = command
                    && match found.last() {
                        Some(Piece::Command { written, .. }) => goes_on(written),
                        _ => false,
                    };
                continue;
            }
            _ => {}
        }
        found.push(Piece::Line(line.to_string()));
    }
    found
}

/// What comparing a command's output with the page has given.
pub enum Compared {
    /// It is as shown.
    Same,
    /// It was written into the page.
    Changed,
    /// It is not as shown.
    Differs,
}

/// Compares what a command printed with what the page shows, or puts it there.
pub fn compared(output: &mut Vec<String>, text: &str, update: bool) -> Compared {
    let lines: Vec<&str> = text.lines().collect();
    // Blank lines below a command part it from the next one.
    let shown = output
        .iter()
        .rposition(|line| !line.is_empty())
        .map_or(0, |last| last + 1);
    let end = lines
        .iter()
        .rposition(|line| !line.is_empty())
        .map_or(0, |last| last + 1);
    if fits(&output[..shown], &lines[..end]) {
        return Compared::Same;
    }
    if !update {
        return Compared::Differs;
    }
    let blank = output.split_off(shown);
    *output = lines[..end].iter().map(|line| line.to_string()).collect();
    output.extend(blank);
    Compared::Changed
}

/// The page made of its pieces.
pub fn joined(pieces: &[Piece]) -> String {
    let mut text = String::new();
    for piece in pieces {
        let lines: Vec<&String> = match piece {
            Piece::Line(line) => vec![line],
            Piece::Command {
                written, output, ..
            } => written.iter().chain(output).collect(),
        };
        for line in lines {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

/// Whether output is as shown; `…` stands for any number of lines.
pub fn fits(shown: &[String], found: &[&str]) -> bool {
    match shown.split_first() {
        None => found.is_empty(),
        Some((line, rest)) if line.trim() == "…" => {
            (0..=found.len()).any(|skipped| fits(rest, &found[skipped..]))
        }
        Some((line, rest)) => found
            .split_first()
            .is_some_and(|(first, more)| line.trim_end() == first.trim_end() && fits(rest, more)),
    }
}
