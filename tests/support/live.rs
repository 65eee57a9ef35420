//! Tests that need a real server. Without it each of them is reported as skipped, by name.
#![allow(dead_code)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

/// A test with its name; it gets what the variable of its server says.
pub type Test = (&'static str, fn(&str));

/// Runs the tests whose names hold the argument, if there is one; `variable` says where the server is. Ends the
/// process with 1 when one failed.
pub fn run(variable: &str, tests: &[Test]) {
    let wanted = std::env::args()
        .skip(1)
        .find(|argument| !argument.starts_with('-'));
    let server = std::env::var(variable)
        .ok()
        .filter(|server| !server.is_empty());
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    for (name, test) in tests {
        if wanted
            .as_ref()
            .is_some_and(|wanted| !name.contains(wanted.as_str()))
        {
            continue;
        }
        let Some(server) = &server else {
            println!("test {name} ... skipped: {variable} names no server");
            skipped += 1;
            continue;
        };
        let started = Instant::now();
        let good = catch_unwind(AssertUnwindSafe(|| test(server))).is_ok();
        *(if good { &mut passed } else { &mut failed }) += 1;
        let result = if good { "ok" } else { "FAILED" };
        println!("test {name} ... {result} ({:.1?})", started.elapsed());
    }
    let result = if failed == 0 { "ok" } else { "FAILED" };
    println!("test result: {result}. {passed} passed; {failed} failed; {skipped} ignored");
    if failed > 0 {
        std::process::exit(1);
    }
}
