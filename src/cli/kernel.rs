//! `stellar kernel`: the Jupyter kernel.

use super::args::Common;
use super::{output, run, setup};
use crate::diagnostic::{Code, Diagnostic, Outcome};
use crate::kernel::{self, Place};
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// Parts of `stellar kernel`.
#[derive(Debug, Subcommand)]
pub enum KernelCommand {
    /// Makes the kernel known to Jupyter: jupyter lab and jupyter console --kernel stellar find it then.
    Install(InstallArgs),
    /// Serves a front end; Jupyter starts this.
    Run {
        /// The file that says where, which Jupyter writes.
        #[arg(value_name = "CONNECTION")]
        connection: PathBuf,
    },
}

/// `stellar kernel install`
#[derive(Debug, Args)]
pub struct InstallArgs {
    /// For this user, unless something else is said.
    #[arg(long, conflicts_with_all = ["prefix", "system"])]
    pub user: bool,
    /// In an environment, such as one of Python's (sys.prefix).
    #[arg(long, value_name = "FOLDER", conflicts_with = "system")]
    pub prefix: Option<PathBuf>,
    /// For all users of this machine.
    #[arg(long)]
    pub system: bool,
}

/// Runs the command.
pub fn kernel(common: &Common, command: &KernelCommand) -> Outcome<bool> {
    match command {
        KernelCommand::Install(args) => install(common, args),
        KernelCommand::Run { connection } => {
            let engine = setup::quiet_engine(common)?;
            let history = run::history(&engine)?;
            let served = kernel::run(&engine, connection, history);
            setup::leave(&engine);
            served.map(|()| true)
        }
    }
}

fn install(common: &Common, args: &InstallArgs) -> Outcome<bool> {
    let place = match (&args.prefix, args.system) {
        (Some(prefix), _) => Place::Prefix(prefix.clone()),
        (None, true) => Place::System,
        (None, false) => Place::User,
    };
    let program = std::env::current_exe().map_err(|error| {
        let text = format!("the program does not know where it lies: {error}");
        Diagnostic::new(Code::Internal, text)
    })?;
    let mut arguments = Vec::new();
    for (name, path) in [("--config", &common.config), ("--globals", &common.globals)] {
        if let Some(path) = path {
            // Jupyter starts kernels in the folder of the notebook.
            let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
            arguments.extend([name.to_string(), path.display().to_string()]);
        }
    }
    let texts = [
        ("--set", common.set.clone()),
        ("--tz", common.tz.iter().cloned().collect()),
        ("--locale", common.locale.iter().cloned().collect()),
        ("--now", common.now.iter().cloned().collect()),
    ];
    for (name, values) in texts {
        for value in values {
            arguments.extend([name.to_string(), value]);
        }
    }
    let folder = kernel::install(&place, &program, &arguments)?;
    output::line(&format!(
        "the kernel {} is installed in {}",
        kernel::NAME,
        folder.display()
    ))?;
    Ok(true)
}
