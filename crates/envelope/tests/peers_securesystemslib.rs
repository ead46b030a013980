//! Canonical JSON against securesystemslib's `encode_canonical`, over documents made up from a seed and over the vectors.
//!
//! It needs target/peers/venv, which tests/peers/setup.sh makes; without it the tests say so and pass, or fail if
//! `TOUCHMARK_PEERS_REQUIRED` is 1.
#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod documents;

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use documents::{Random, Strings, document};
use touchmark_envelope::canonical;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

#[test]
fn canonical_json_is_securesystemslib_s() {
    let documents: Vec<Vec<u8>> = (0..20_000).map(|seed| document(&mut Random::new(seed), Strings::Any).into_bytes()).collect();
    let Some(answers) = securesystemslib(&documents) else { return };
    for (document, theirs) in documents.iter().zip(&answers) {
        let shown = String::from_utf8_lossy(document);
        let ours = canonical::to_vec(document, 1 << 20).unwrap_or_else(|e| panic!("{e}: {shown}"));
        let theirs = theirs.as_ref().unwrap_or_else(|e| panic!("securesystemslib: {e}: {shown}"));
        assert_eq!(String::from_utf8_lossy(&ours), String::from_utf8_lossy(theirs), "{shown}");
    }
    println!("{} documents have the canonical form that securesystemslib gives them", documents.len());
}

#[test]
fn what_securesystemslib_makes_of_every_vector_is_recorded() {
    let vectors = std::fs::read(Path::new(ROOT).join("testdata/cjson/vectors.json")).expect("the vectors");
    let vectors: Vec<serde_json::Value> = serde_json::from_slice(&vectors).expect("an array");
    let documents: Vec<Vec<u8>> = vectors
        .iter()
        .map(|vector| match vector["document"].as_str() {
            Some(text) => text.as_bytes().to_vec(),
            None => {
                let hex = vector["document_hex"].as_str().expect("a document");
                (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).expect("hexadecimal")).collect()
            }
        })
        .collect();
    let Some(answers) = securesystemslib(&documents) else { return };
    for (vector, theirs) in vectors.iter().zip(answers) {
        let theirs = theirs.ok().and_then(|bytes| String::from_utf8(bytes).ok());
        assert_eq!(vector["peers"]["securesystemslib"].as_str(), theirs.as_deref(), "{vector}");
    }
}

/// What `encode_canonical` makes of each document: its bytes, or why it refuses. `None` if the package is not there and need not be.
fn securesystemslib(documents: &[Vec<u8>]) -> Option<Vec<Result<Vec<u8>, String>>> {
    let python = Path::new(ROOT).join("target/peers/venv/bin/python");
    if !python.exists() {
        let needs = "this test needs target/peers/venv with securesystemslib: run tests/peers/setup.sh";
        assert!(std::env::var_os("TOUCHMARK_PEERS_REQUIRED").is_none_or(|value| value != "1"), "{needs}");
        println!("skipped: {needs}");
        return None;
    }
    let mut peer = Command::new(python)
        .arg(Path::new(ROOT).join("tests/peers/python/canonical.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python runs");
    let mut input = peer.stdin.take().expect("a pipe");
    let output = std::thread::scope(|scope| {
        scope.spawn(move || {
            for document in documents {
                let length = u32::try_from(document.len()).expect("short");
                input.write_all(&length.to_be_bytes()).and_then(|()| input.write_all(document)).expect("it reads");
            }
        });
        peer.wait_with_output().expect("it answers")
    });
    assert!(output.status.success());

    let mut rest = output.stdout.as_slice();
    let mut answers = Vec::new();
    while let Some((header, after)) = rest.split_first_chunk::<5>() {
        let [status, length @ ..] = *header;
        let (body, after) = after.split_at(usize::try_from(u32::from_be_bytes(length)).expect("32 bits"));
        answers.push(if status == 0 { Ok(body.to_vec()) } else { Err(String::from_utf8_lossy(body).into_owned()) });
        rest = after;
    }
    assert_eq!(answers.len(), documents.len());
    Some(answers)
}
