//! The options of Metron's shell, rewritten before the argument parser sees them.

use std::ffi::OsString;

/// Turns `-v FILE` into `--variables FILE` and `-na` into `--color never`; other options of Metron's
/// are refused with what to use instead. Behind `map`, `--set` means a field of the event; all others are
/// brought together, since the parser would forget those before a command when others stand behind it.
pub fn rewrite(arguments: Vec<OsString>) -> Result<Vec<OsString>, String> {
    let mut out = Vec::with_capacity(arguments.len());
    let mut arguments = arguments.into_iter();
    out.extend(arguments.next());
    // A subcommand has options of its own.
    let mut plain = true;
    let mut fields = false;
    let mut settings: Vec<OsString> = Vec::new();
    let mut options = true;
    while let Some(argument) = arguments.next() {
        if argument == "--" {
            options = false;
            out.append(&mut settings);
        }
        if options && !fields {
            if argument == "--set" {
                settings.push(argument);
                settings.extend(arguments.next());
                continue;
            }
            if argument.to_str().is_some_and(|a| a.starts_with("--set=")) {
                settings.push(argument);
                continue;
            }
        }
        if fields && let Some(text) = argument.to_str() {
            match text.strip_prefix("--set") {
                Some("") => {
                    out.push("--set-field".into());
                    continue;
                }
                Some(value) if value.starts_with('=') => {
                    out.push(format!("--set-field{value}").into());
                    continue;
                }
                _ => fields = text != "--",
            }
        }
        if plain && let Some(text) = argument.to_str() {
            match text {
                "-v" => {
                    out.push("--variables".into());
                    continue;
                }
                "-na" | "--no_ansi" => {
                    out.extend(["--color".into(), "never".into()]);
                    continue;
                }
                "-z" | "--zookeeper" => {
                    return Err(
                        "there is no ZooKeeper here: give Metron's global.json with --globals FILE"
                            .into(),
                    );
                }
                "-p" | "--properties" => {
                    return Err("Stellar's properties live in stellar.toml: give it with --config FILE, or single keys with --set KEY=VALUE".into());
                }
                "-l" | "--log4j" => return Err("there is no log4j here: use --log LEVEL".into()),
                "-irc" | "--inputrc" => {
                    return Err(
                        "there is no inputrc here: keys are set in stellar.toml under [shell]"
                            .into(),
                    );
                }
                "--" => plain = false,
                text if !text.starts_with('-') && is_command(text) => {
                    plain = false;
                    fields = text == "map";
                }
                _ => {}
            }
        }
        out.push(argument);
    }
    out.append(&mut settings);
    Ok(out)
}

fn is_command(word: &str) -> bool {
    use clap::CommandFactory;
    super::args::Args::command()
        .get_subcommands()
        .any(|command| command.get_name() == word)
}
