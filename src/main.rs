//! The program.

use std::process::ExitCode;

/// Evaluation and parsing have this much stack, whatever the platform gives the main thread.
const STACK: usize = 8 << 20;

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map(|l| format!(" at {}:{}", l.file(), l.line()))
            .unwrap_or_default();
        eprintln!("error[E0901]: stellar has a fault{place}; please report it with what led here");
    }));
    let work = std::thread::Builder::new()
        .name("main".into())
        .stack_size(STACK)
        .spawn(stellar::cli::main);
    match work.map(std::thread::JoinHandle::join) {
        Ok(Ok(code)) => code,
        Ok(Err(_)) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("stellar: no thread can be started: {error}");
            ExitCode::FAILURE
        }
    }
}
