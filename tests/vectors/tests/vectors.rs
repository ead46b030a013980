//! The committed vectors are those that are made, and the Rust crates pass them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test whose files cannot be read has failed")]

use touchmark_test_vectors::{committed, differences, run, write_to};

#[test]
fn the_rust_crates_pass_every_vector() {
    let report = run::run(&committed()).unwrap();
    assert!(report.passed > 500, "{} vectors", report.passed);
    if let Err(failed) = report.report("Rust") {
        panic!("{failed}");
    }
}

#[test]
fn the_committed_vectors_are_those_that_are_made() {
    let folder = std::env::temp_dir().join(format!("touchmark-made-vectors-{}", std::process::id()));
    let made = write_to(&folder).map(|_| differences(&folder, &committed()).unwrap());
    std::fs::remove_dir_all(&folder).unwrap();
    let different = made.unwrap();
    assert!(different.is_empty(), "{}\nmake them anew: cargo run -p touchmark-test-vectors -- write", different.join("\n"));
}
