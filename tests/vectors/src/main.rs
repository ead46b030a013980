//! `touchmark-test-vectors write|check|run|flat [FOLDER]`: see README.md.

use std::path::PathBuf;
use std::process::ExitCode;

use touchmark_test_vectors::{committed, differences, flat, run};

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next().unwrap_or_default();
    let folder = arguments.next().map_or_else(committed, PathBuf::from);
    let outcome = match command.as_str() {
        "write" => make(&folder),
        "check" => check(&folder),
        "run" => run::run(&folder).and_then(|outcome| outcome.report("Rust")),
        "flat" => flat::write(&folder, &mut std::io::stdout().lock()).map_err(|error| error.to_string()),
        _ => Err("usage: touchmark-test-vectors write|check|run|flat [FOLDER]".to_owned()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// Makes the vectors in a folder, by the example that does it.
fn make(folder: &std::path::Path) -> Result<(), String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let package = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let options = ["run", "--quiet", "--locked", "--manifest-path", package, "--example", "touchmark-test-vectors-make", "--"];
    let status = std::process::Command::new(cargo).args(options).arg(folder).status();
    match status.map_err(|error| format!("cargo: {error}"))?.success() {
        true => Ok(()),
        false => Err("the vectors were not made".to_owned()),
    }
}

/// Makes the vectors anew, and compares them with those in the folder.
fn check(folder: &std::path::Path) -> Result<(), String> {
    let made = std::env::temp_dir().join(format!("touchmark-vectors-{}", std::process::id()));
    let outcome = make(&made).and_then(|()| differences(&made, folder).map_err(|error| error.to_string()));
    let removed = std::fs::remove_dir_all(&made).map_err(|error| error.to_string());
    match outcome.and_then(|lines| removed.map(|()| lines))?.as_slice() {
        [] => Ok(()),
        lines => Err(format!("{}\nmake them anew: cargo run -p touchmark-test-vectors -- write", lines.join("\n"))),
    }
}
