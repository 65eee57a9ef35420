//! `stellar kernel install`: tells Jupyter about the kernel.

use crate::diagnostic::{Code, Diagnostic, Outcome};
use serde_json::json;
use std::path::{Path, PathBuf};

/// The name of the kernel among those of Jupyter.
pub const NAME: &str = "stellar";

/// Where the kernel is made known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// To this user.
    User,
    /// To all users of the machine.
    System,
    /// In an environment, such as one of Python's.
    Prefix(PathBuf),
}

/// The folder of kernels at a place. Errors: E0503 without a home folder.
fn folder(place: &Place) -> Outcome<PathBuf> {
    let shared = |prefix: &Path| prefix.join("share/jupyter/kernels");
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    match place {
        Place::Prefix(prefix) => Ok(shared(prefix)),
        Place::System => Ok(shared(Path::new("/usr/local"))),
        Place::User => {
            if let Some(data) = variable("JUPYTER_DATA_DIR") {
                return Ok(PathBuf::from(data).join("kernels"));
            }
            let Some(home) = variable("HOME").map(PathBuf::from) else {
                let text = "there is no home folder to install the kernel in";
                return Err(Diagnostic::new(Code::Usage, text).help("write --prefix FOLDER"));
            };
            if cfg!(target_os = "macos") {
                return Ok(home.join("Library/Jupyter/kernels"));
            }
            let data = variable("XDG_DATA_HOME").map(PathBuf::from);
            let data = data.unwrap_or_else(|| home.join(".local/share"));
            Ok(data.join("jupyter/kernels"))
        }
    }
}

/// Writes what Jupyter has to know, and says where. `arguments` stand before `kernel run`, such as `--config FILE`.
///
/// Errors: E0404 when the files cannot be written.
pub fn install(place: &Place, program: &Path, arguments: &[String]) -> Outcome<PathBuf> {
    let folder = folder(place)?.join(NAME);
    let mut argv = vec![program.display().to_string()];
    argv.extend_from_slice(arguments);
    argv.extend(["kernel", "run", "{connection_file}"].map(String::from));
    let spec = json!({
        "argv": argv,
        "display_name": "Stellar",
        "language": "stellar",
        "interrupt_mode": "message",
        "metadata": {"debugger": false},
    });
    let text = serde_json::to_string_pretty(&spec).unwrap_or_default();
    let files: [(&str, &[u8]); 2] = [
        ("kernel.json", text.as_bytes()),
        ("logo-svg.svg", include_bytes!("logo.svg")),
    ];
    std::fs::create_dir_all(&folder)
        .and_then(|()| {
            files
                .iter()
                .try_for_each(|(name, bytes)| std::fs::write(folder.join(name), bytes))
        })
        .map_err(|error| {
            let text = format!("{} cannot be written: {error}", folder.display());
            Diagnostic::new(Code::CannotWrite, text)
        })?;
    Ok(folder)
}
