//! The committed vectors are those that are made, and the Rust crates pass them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test whose files cannot be read has failed")]

#[path = "../make/vectors/mod.rs"]
mod made;

use touchmark_test_vectors::{committed, differences, run, unreferenced, write_to};

#[test]
fn the_rust_crates_pass_every_vector() {
    let report = run::run(&committed()).unwrap();
    assert!(report.passed > 1700, "{} vectors", report.passed);
    if let Err(failed) = report.report("Rust") {
        panic!("{failed}");
    }
}

#[test]
fn the_committed_vectors_are_those_that_are_made() {
    let folder = std::env::temp_dir().join(format!("touchmark-made-vectors-{}", std::process::id()));
    let made = write_to(&folder, made::made()).map(|_| differences(&folder, &committed()).unwrap());
    std::fs::remove_dir_all(&folder).unwrap();
    let different = made.unwrap();
    assert!(different.is_empty(), "{}\nmake them anew: cargo run -p touchmark-test-vectors -- write", different.join("\n"));
}

#[test]
fn every_file_is_named_by_a_case() {
    assert_eq!(unreferenced(&committed()).unwrap(), Vec::<String>::new());
}

#[test]
fn an_expectation_that_is_wrong_fails_its_case_and_no_other() {
    let folder = std::env::temp_dir().join(format!("touchmark-wrong-vectors-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let case =
        |id: &str, expect: &str| format!(r#"{{"id":"{id}","operation":"canonical-json","document":{{"text":"[ 1 ]"}},"expect":{expect}}}"#);
    let cases = [
        case("good", r#"{"status":"OK","output":{"text":"[1]"}}"#),
        case("other-status", r#"{"status":"MALFORMED_JSON"}"#),
        case("other-output", r#"{"status":"OK","output":{"text":"[2]"}}"#),
        case("code-of-nothing", r#"{"status":"OK","code":"json-syntax"}"#),
        case("unknown-member", r#"{"status":"OK","outputs":{"text":"[1]"}}"#),
        case("no-status", "{}"),
        case("good-again", r#"{"status":"OK"}"#).replacen("\"document\"", "\"more\":1,\"document\"", 1),
        case("unknown-operation", r#"{"status":"OK"}"#).replacen("canonical-json", "canonical", 1),
    ];
    std::fs::write(folder.join("index.json"), format!(r#"{{"format":1,"cases":[{}]}}"#, cases.join(","))).unwrap();
    let report = run::run(&folder).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    let failed: Vec<&str> = report.failed.iter().filter_map(|line| line.split(':').next()).collect();
    assert_eq!((report.passed, failed.len()), (1, 7), "{failed:?}");
}
