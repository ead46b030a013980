//! Makes the vectors anew, in the folder that is its argument: `touchmark-test-vectors write` runs it.

use std::path::Path;
use std::process::ExitCode;

mod vectors;

fn main() -> ExitCode {
    let Some(folder) = std::env::args().nth(1) else {
        eprintln!("usage: touchmark-test-vectors-make FOLDER");
        return ExitCode::FAILURE;
    };
    match touchmark_test_vectors::write_to(Path::new(&folder), vectors::made()) {
        Ok(cases) => {
            println!("{cases} cases");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
