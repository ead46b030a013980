//! The trust crates link into a program without the standard library (tests/no-std), which verifies a signature.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::process::Command;

#[test]
fn a_program_without_the_standard_library_verifies() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap();
    let program = root.join("tests/no-std");
    // The versions that everything else is built with; cargo adds the allocator's.
    std::fs::copy(root.join("Cargo.lock"), program.join("Cargo.lock")).unwrap();
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("no-std");
    let built = Command::new(env!("CARGO"))
        .args(["build", "--release", "--manifest-path"])
        .arg(program.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(&target)
        // Flags for the tests, such as those for coverage, ask for a run time that needs the standard library.
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .status()
        .expect("cargo runs");
    assert!(built.success(), "the program links neither the standard library nor anything that needs it");
    let status = Command::new(target.join("release/touchmark-no-std")).status().unwrap();
    assert_eq!(status.code(), Some(0));
}
