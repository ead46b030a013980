//! `test-registry` as a program.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};

use crate::client::Client;

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_test-registry"))
}

#[test]
fn it_says_where_it_is_and_ends_with_its_input() {
    let mut child = program()
        .args(["--until-stdin-ends", "--no-referrers-api", "--fail", "503:1:1"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut host = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut host).unwrap();
    Client::new(host.trim()).get("/v2/").is(503);
    child.stdin.take().unwrap().flush().unwrap();
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_switch_that_it_does_not_know_is_refused() {
    for line in [&["--other"][..], &["--page"], &["--page", "x"], &["--listen", "nowhere"], &["--basic", "alice"]] {
        let output = program().args(line).stdin(Stdio::null()).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{line:?}");
        assert!(output.stdout.is_empty() && output.stderr.starts_with(b"test-registry: --"), "{line:?}");
    }
}

#[test]
fn help_names_every_switch() {
    let output = program().arg("--help").output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    let source = include_str!("../../src/switches.rs");
    let switches: Vec<&str> = source.split('"').filter(|part| part.starts_with("--") && !part.contains(['\n', ' '])).collect();
    assert!(switches.len() > 20);
    for switch in switches {
        assert!(switch == "--help" || help.contains(switch), "{switch}");
    }
}
