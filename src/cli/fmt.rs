//! `stellar fmt`: formats scripts.

use super::args::{Common, FmtArgs};
use super::{output, setup};
use crate::diagnostic::{Outcome, Source};
use crate::input::replace;
use crate::syntax::{Formatted, ParseLimits, WIDTH, format_script};
use std::io::{self, Write};
use std::path::Path;

/// Runs the command. A file that cannot be read or written does not keep the others from being formatted.
pub fn fmt(common: &Common, args: &FmtArgs) -> Outcome<bool> {
    let engine = setup::engine(common)?;
    let limits = ParseLimits {
        length: engine.context.limits.expression,
        depth: engine.context.limits.depth,
    };
    let mut good = true;
    for file in &args.files {
        good &= match one(file, args, limits) {
            Ok(good) => good,
            Err(fault) => {
                output::complain(&fault);
                false
            }
        };
    }
    Ok(good)
}

/// Formats one file; `false` when something in it was left as it was, or would change.
fn one(file: &Path, args: &FmtArgs, limits: ParseLimits) -> Outcome<bool> {
    let is_input = file.as_os_str() == "-";
    let name = if is_input {
        "standard input".to_string()
    } else {
        file.display().to_string()
    };
    let source = Source::named(name, crate::input::read_text(file)?);
    let Formatted { text, faults } = format_script(&source, limits, WIDTH);
    let good = faults.is_empty();
    for fault in faults {
        output::complain(&fault.note("this statement was left as it is"));
    }
    if args.check {
        let same = text == source.text;
        if !same {
            output::line(&source.name)?;
        }
        return Ok(good && same);
    }
    if is_input || args.stdout {
        let mut out = io::stdout().lock();
        output::written(out.write_all(text.as_bytes()).and_then(|()| out.flush()))?;
    } else if text != source.text {
        replace(file, text.as_bytes()).map_err(|fault| match file.is_file() {
            true => fault,
            false => fault.help("use --stdout"),
        })?;
    }
    Ok(good)
}
