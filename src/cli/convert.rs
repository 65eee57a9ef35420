//! `stellar convert`: notebooks to scripts and back.

use super::output;
use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::input::{read_text, replace};
use crate::kernel::notebook::{of_script, read, to_script, write};
use clap::Args;
use std::path::PathBuf;

/// `stellar convert`
#[derive(Debug, Args)]
pub struct ConvertArgs {
    /// A notebook (.ipynb), or a script.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Writes to a file, which must not be there yet; else to standard output.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Replaces the file.
    #[arg(short, long, requires = "output")]
    pub force: bool,
}

/// Runs the command.
pub fn convert(args: &ConvertArgs) -> Outcome<bool> {
    let text = read_text(&args.file)?;
    let is_notebook = args.file.extension().is_some_and(|name| name == "ipynb");
    let name = args.file.display();
    let converted = match is_notebook {
        true => {
            let cells = read(&text).map_err(|mut fault| {
                fault.message = format!("{name}: {}", fault.message);
                fault
            })?;
            let mut left = Vec::new();
            let script = to_script(&cells, &mut left);
            for number in left {
                output::note(&format!(
                    "cell {number} is in another language, and a comment in the script"
                ));
            }
            script
        }
        false => write(&of_script(&text)),
    };
    let Some(path) = &args.output else {
        output::line(converted.trim_end_matches('\n'))?;
        return Ok(true);
    };
    if path.exists() && !args.force {
        let text = format!("{} is there already", path.display());
        return Err(Diagnostic::new(Code::CannotWrite, text).help("--force replaces it"));
    }
    replace(path, converted.as_bytes())?;
    Ok(true)
}
