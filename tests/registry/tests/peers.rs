//! The registry passes the OCI distribution specification's own tests (`tests/peers/conformance`), run against the program.
//!
//! Without them the test says what it needs and passes; with TOUCHMARK_PEERS_REQUIRED=1, as in CI, it fails.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may fail by panicking, and helpers are not seen as test code")]

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The program, which ends with this.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn conformance() -> Option<PathBuf> {
    // CARGO_TARGET_TMPDIR is target/tmp.
    let tests = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("peers").join("bin/conformance.test");
    if tests.is_file() {
        return Some(tests);
    }
    let message = "the distribution specification's tests are missing; tests/peers/setup.sh builds them";
    assert!(std::env::var_os("TOUCHMARK_PEERS_REQUIRED").is_none(), "{message}");
    eprintln!("skipped: {message}");
    None
}

/// Runs the tests against the program with these switches, all four groups of them, and gives what they printed.
fn run(tests: &Path, switches: &[&str], scheme: &str, environment: &[(&str, &str)]) -> String {
    let mut program = Command::new(env!("CARGO_BIN_EXE_test-registry"));
    program.args(switches).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut program = Program(program.spawn().unwrap());
    let mut host = String::new();
    BufReader::new(program.0.stdout.as_mut().unwrap()).read_line(&mut host).unwrap();
    let mut command = Command::new(tests);
    command.args(["-ginkgo.v", "-ginkgo.no-color"]).stdin(Stdio::null()).current_dir(env!("CARGO_TARGET_TMPDIR"));
    command.env("OCI_ROOT_URL", format!("{scheme}://{}", host.trim()));
    command.env("OCI_NAMESPACE", "acme/app").env("OCI_CROSSMOUNT_NAMESPACE", "acme/other").env("OCI_REPORT_DIR", "none");
    for group in ["PULL", "PUSH", "CONTENT_DISCOVERY", "CONTENT_MANAGEMENT"] {
        command.env(format!("OCI_TEST_{group}"), "1");
    }
    // What is on its way to a loopback address by way of a proxy never comes.
    command.env("NO_PROXY", "*").envs(environment.iter().copied());
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}");
    text
}

/// How many tests passed and were skipped; none failed.
fn counts(text: &str) -> (u32, u32) {
    let line = text.lines().find(|line| line.starts_with("SUCCESS!")).unwrap();
    let count = |of: &str| {
        let part = line.split(['|', '-']).find(|part| part.contains(of)).unwrap();
        part.split_whitespace().next().unwrap().parse::<u32>().unwrap()
    };
    assert_eq!((count("Failed"), count("Pending")), (0, 0), "{line}");
    (count("Passed"), count("Skipped"))
}

fn skipped(text: &str) -> Vec<&str> {
    let mut lines = text.lines().filter(|line| line.contains("[It] ")).collect::<Vec<_>>();
    lines.dedup();
    lines.into_iter().map(|line| line.split_once("[It] ").unwrap().1).collect()
}

#[test]
fn all_groups_of_the_conformance_tests_pass() {
    let Some(tests) = conformance() else { return };
    let text = run(&tests, &[], "http", &[]);
    let (passed, left) = counts(&text);
    println!("conformance: {passed} passed, {left} skipped");
    for group in ["Pull", "Push", "Content Discovery", "Content Management"] {
        let of_group = text.matches(&format!("OCI Distribution Conformance Tests {group} ")).count();
        assert!(of_group >= 5, "{group}: {of_group}");
    }
    assert!(passed >= 74, "{text}");

    // Some tests are for one way of mounting. What is left are the two that find content already there instead of pushing it.
    let anywhere = run(&tests, &[], "http", &[("OCI_AUTOMATIC_CROSSMOUNT", "1")]);
    let from = run(&tests, &["--mount-needs-from"], "http", &[("OCI_AUTOMATIC_CROSSMOUNT", "0")]);
    let not = run(&tests, &["--no-mount"], "http", &[]);
    let mut never = skipped(&text);
    for other in [&anywhere, &from, &not] {
        counts(other);
        let other = skipped(other);
        never.retain(|name| other.contains(name));
    }
    assert_eq!(never, ["Get tag name from environment", "Populate registry with test tags (no push)"]);
}

#[test]
fn they_pass_with_passwords_tokens_and_tls_too() {
    let Some(tests) = conformance() else { return };
    let login = [("OCI_USERNAME", "alice"), ("OCI_PASSWORD", "wonder")];
    counts(&run(&tests, &["--basic", "alice:wonder"], "http", &login));
    counts(&run(&tests, &["--token", "alice:wonder"], "http", &login));
    let ca = Path::new(env!("CARGO_TARGET_TMPDIR")).join("conformance-ca.pem");
    let ca = ca.to_str().unwrap();
    counts(&run(&tests, &["--tls", ca], "https", &[("SSL_CERT_FILE", ca)]));
}
