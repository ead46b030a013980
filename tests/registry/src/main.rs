//! `test-registry`: the registry for tests as a program. It prints its address when it is ready, and ends when its standard input
//! does, or never if that is not a pipe.

mod switches;

use std::io::{IsTerminal, Read, Write};
use std::process::ExitCode;

use touchmark_test_registry::TestRegistry;

fn main() -> ExitCode {
    let switches = match switches::parse(std::env::args().skip(1)) {
        Ok(Some(switches)) => switches,
        Ok(None) => {
            let _ = std::io::stdout().write_all(switches::HELP.as_bytes());
            return ExitCode::SUCCESS;
        }
        Err(error) => return fail(&error),
    };
    let registry = match TestRegistry::try_start(switches.settings) {
        Ok(registry) => registry,
        Err(error) => return fail(&error.to_string()),
    };
    for fault in switches.faults {
        registry.fault(fault);
    }
    let mut stdout = std::io::stdout();
    if writeln!(stdout, "{}", registry.host()).and_then(|()| stdout.flush()).is_err() {
        return ExitCode::FAILURE;
    }
    if switches.until_stdin_ends && !std::io::stdin().is_terminal() {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        return ExitCode::SUCCESS;
    }
    loop {
        std::thread::park();
    }
}

fn fail(message: &str) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "test-registry: {message}");
    ExitCode::from(2)
}
