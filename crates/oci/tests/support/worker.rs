//! A test program that runs itself: as another process that writes to an OCI layout, and that can be killed.
#![allow(dead_code, clippy::unwrap_used, clippy::panic)] // not every test program uses all of it, and outside of test functions clippy takes a panic for a mistake

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use touchmark_envelope::Digest;
use touchmark_envelope::manifest::IMAGE_MANIFEST;
use touchmark_oci::referrer::{self, Role};
use touchmark_oci::{Layout, Source, Store, Upkeep};

use crate::support::image_manifest;

/// What a worker is to do, in `WORK`: `FOLDER` then the operation and its argument, by line.
const WORK: &str = "TOUCHMARK_TEST_WORK";
/// The file at whose lock it waits before it begins.
const GATE: &str = "TOUCHMARK_TEST_GATE";

/// The command that runs `operation` on the layout in `folder` in a process of its own. `test` is the name of a test of the
/// running program that calls [`work`].
pub(crate) fn command(test: &str, folder: &Path, operation: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]);
    command.env(WORK, format!("{}\n{operation}", folder.display())).stdin(Stdio::null());
    command
}

/// Starts the command and waits until it stands before `gate`, which is locked.
pub(crate) fn start_at_gate(mut command: Command, gate: &Path) -> (Child, BufReader<ChildStdout>) {
    let mut child = command.env(GATE, gate).stdout(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("at the gate") {
        line.clear();
        assert!(out.read_line(&mut line).unwrap() > 0, "the worker ended early");
    }
    (child, out)
}

/// The worker's part: does nothing unless this process is one.
pub(crate) fn work() {
    let Ok(work) = std::env::var(WORK) else { return };
    let (folder, operation) = work.split_once('\n').unwrap();
    let layout = if operation == "create" { Layout::open_or_create(folder) } else { Layout::open(folder) }.unwrap();
    if let Ok(gate) = std::env::var(GATE) {
        let gate = std::fs::File::open(gate).unwrap();
        println!("at the gate");
        std::io::stdout().flush().unwrap();
        gate.lock_shared().unwrap();
    }
    if let Err(error) = run(&layout, operation) {
        println!("class {:?}, code {}: {error}", error.class(), error.code());
        std::io::stdout().flush().unwrap();
        std::process::exit(9);
    }
}

fn run(layout: &Layout, operation: &str) -> Result<(), touchmark_oci::Error> {
    let (verb, argument) = operation.split_once(' ').unwrap_or((operation, ""));
    match verb {
        "create" => {}
        // attach NAME: a referrer of the artifact v1 whose envelope is NAME.
        "attach" => {
            let subject = layout.resolve(Some("v1"), None)?;
            referrer::attach(layout, &subject, &envelope(argument), &Role::Signature)?;
        }
        "detach" => {
            let subject = layout.resolve(Some("v1"), None)?;
            layout.detach(&subject.digest, &argument.parse::<Digest>().unwrap())?;
        }
        "repair" => drop(layout.repair(false, None)?),
        "put" => {
            let (manifest, blobs) = image_manifest(argument);
            for blob in blobs {
                layout.put_blob(None, &mut blob.as_slice())?;
            }
            layout.put_manifest(manifest.as_bytes(), IMAGE_MANIFEST, Some(argument))?;
        }
        "referrers" => {
            let subject = layout.resolve(Some("v1"), None)?;
            println!("{} referrers", layout.referrers(&subject.digest, 1000, 1 << 20)?.entries.len());
        }
        other => panic!("{other}"),
    }
    Ok(())
}

/// Bytes that stand for an envelope; too large to be inlined.
pub(crate) fn envelope(name: &str) -> Vec<u8> {
    format!("{{\"envelope\":\"{name}\",\"padding\":\"{}\"}}", " ".repeat(9000)).into_bytes()
}
