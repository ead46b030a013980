use std::ptr;

use touchmark_test_tuf_repository::{Delegation, Repository};

use super::*;
use crate::source::tests::{NOW, data, json, signed};
use crate::testing::{Owned, Seen, failed, made, view};
use crate::testing_folder::Folder;

fn open(path: &str) -> Result<Owned<touchmark_policy_file>, Seen> {
    // SAFETY: the view and the places are the test's.
    made(|out, error| unsafe { touchmark_policy_file_open(view(path), out, error) })
}

fn verify(file: &Owned<touchmark_policy_file>, tag: &str) -> Result<Owned<touchmark_verified_artifact>, Seen> {
    let source = signed(tag);
    // SAFETY: the handles and the places are the test's.
    made(|out, error| unsafe { touchmark_policy_file_verify(file.0, source.0, view(""), view(""), NOW, out, error) })
}

/// A policy with one rule for everything in OCI layouts, beside the key.
fn policy(folder: &Folder, rule: &str) -> Owned<touchmark_policy_file> {
    folder.file("alice.pub", std::fs::read(data("layouts/alice.pub")).unwrap());
    open(&folder.file("policy.json", format!(r#"{{"version":1,"rules":[{rule}]}}"#))).unwrap()
}

#[test]
fn a_policy_file_decides() {
    let folder = Folder::new();
    let by_key = policy(&folder, r#"{"reference":"oci:**","name":"acme/x:1","keys":"alice.pub"}"#);
    let accepted = json(&verify(&by_key, "v1").unwrap());
    let by = format!(r#""policy":{{"file":"{}","rule":1,"pattern":"oci:**"}}"#, folder.path("policy.json"));
    assert!(accepted.contains(&by) && accepted.contains(r#""name_checked":true"#), "{accepted}");
    let seen = verify(&by_key, "unsigned").err().unwrap();
    assert!(seen.status == "UNSIGNED" && seen.json.contains(&by) && seen.json.contains(r#""candidates":"#), "{seen:?}");
    assert_eq!(failed(verify(&by_key, "none")), ("UNKNOWN", "no-such-tag".into()));
    let rejecting = policy(&folder, r#"{"reference":"oci:**","reject":true}"#);
    assert_eq!(failed(verify(&rejecting, "v1")), ("POLICY_REJECTED", "policy-rejects".into()));
    let other = policy(&folder, r#"{"reference":"registry.example/**","keys":"alice.pub"}"#);
    assert_eq!(failed(verify(&other, "v1")), ("POLICY_REJECTED", "no-rule".into()));
    let keyless = policy(&folder, r#"{"reference":"oci:**","keys":"bob.pub"}"#);
    assert_eq!(failed(verify(&keyless, "v1")), ("MALFORMED_POLICY", "policy-material".into()));
    folder.file("bob.pub", "no key");
    assert_eq!(failed(verify(&keyless, "v1")).0, "MALFORMED_POLICY");
    // What is certain without the source is told although nothing is there.
    for (file, expected) in [(&rejecting, "POLICY_REJECTED"), (&other, "POLICY_REJECTED"), (&keyless, "MALFORMED_POLICY")] {
        let seen = verify(file, "none").err().unwrap();
        assert!(seen.status == expected && seen.json.contains(r#""policy":"#), "{seen:?}");
    }
}

/// Rules with names are for who asks by name, and come before others as they are written.
#[test]
fn a_policy_file_is_asked_by_name_and_platform() {
    let folder = Folder::new();
    let rules = r#"{"names":"acme/no","reject":true},{"names":"acme/*","keys":"alice.pub"},{"reference":"oci:**","keys":"alice.pub"}"#;
    let (file, source) = (policy(&folder, rules), signed("v1"));
    let asked = |name: &str, platform: &str| {
        // SAFETY: the handles, the views and the places are the test's.
        made(|out, error| unsafe { touchmark_policy_file_verify(file.0, source.0, view(name), view(platform), NOW, out, error) })
    };
    assert!(json(&asked("acme/x:1", "").unwrap()).contains(r#""rule":2,"pattern":"acme/*""#));
    assert!(json(&asked("", "").unwrap()).contains(r#""rule":3,"pattern":"oci:**""#));
    assert_eq!(failed(asked("acme/x:2", "")).0, "NOT_VERIFIED");
    assert_eq!(failed(asked("acme/no", "")), ("POLICY_REJECTED", "policy-rejects".into()));
    assert_eq!(failed(asked("acme", "")).0, "INVALID_NAME");
    assert_eq!(failed(asked("acme/x:1", "amd64")).0, "INVALID_ARGUMENT");
    // No rule lets an index decide.
    assert_eq!(failed(asked("acme/x:1", "linux/amd64")).0, "POLICY_REJECTED");
}

#[test]
fn a_trust_root_of_a_policy_file_decides() {
    let folder = Folder::new();
    let source = signed("v1");
    // SAFETY: the handle and the places are the test's.
    let manifest =
        crate::testing_folder::buffer(made(|out, error| unsafe { crate::source::touchmark_source_manifest(source.0, out, error) }));
    let mut repository = Repository::new();
    repository.delegate("targets", Delegation::new("acme").paths(&["acme/*"]).terminating());
    repository.add_target("acme", "acme/x:1", manifest.unwrap().as_bytes());
    repository.publish();
    repository.write_to(folder.path("served").as_ref()).unwrap();
    folder.file("root.json", repository.file("1.root.json"));
    let trust = r#""trust":{"acme":{"root":"root.json","source":"served/metadata","store":"store"}}"#;
    let rule = r#"{"reference":"oci:**","name":"acme/x:1","trust":"acme"}"#;
    let file = open(&folder.file("policy.json", format!(r#"{{"version":1,{trust},"rules":[{rule}]}}"#))).unwrap();
    let accepted = json(&verify(&file, "v1").unwrap());
    assert!(accepted.contains(r#""accepted_by":"entry","rollback_protected":true,"role":"acme""#), "{accepted}");
    assert_eq!(failed(verify(&file, "unsigned")).0, "NOT_VERIFIED");
    let mut older = repository.clone();
    repository.bump("timestamp");
    repository.push("timestamp");
    repository.write_to(folder.path("served").as_ref()).unwrap();
    verify(&file, "v1").unwrap();
    older.lose("none");
    older.write_to(folder.path("served").as_ref()).unwrap();
    assert_eq!(failed(verify(&file, "v1")), ("ROLLBACK", "tuf-rollback".into()));
}

#[test]
fn what_is_no_policy_file_is_refused() {
    let folder = Folder::new();
    assert_eq!(failed(open("")), ("INVALID_ARGUMENT", "invalid-argument".into()));
    assert_eq!(failed(open("a\0b")).0, "INVALID_ARGUMENT");
    // SAFETY: the views and the places are the test's.
    let path = |path| failed(made(|out, error| unsafe { touchmark_policy_file_open(path, out, error) })).0;
    assert_eq!((path(touchmark_bytes::EMPTY), path(view(b"\xff"))), ("INVALID_ARGUMENT", "INVALID_UTF8"));
    assert_eq!(failed(open(&folder.path("none.json"))).0, "NOT_FOUND");
    assert_eq!(failed(open(&folder.path("."))).0, "IO_ERROR");
    for (garbage, code) in [("", "policy-json"), ("{}", "policy-member-missing"), (r#"{"version":2}"#, "policy-version")] {
        assert_eq!(failed(open(&folder.file("bad.json", garbage))), ("MALFORMED_POLICY", code.into()));
    }
    let good = open(&folder.file("good.json", r#"{"version":1,"rules":[]}"#)).unwrap();
    // SAFETY: the handle and the places are the test's; NULL is no source.
    let none = made(|out, error| unsafe { touchmark_policy_file_verify(good.0, ptr::null(), view(""), view(""), NOW, out, error) });
    assert_eq!(failed(none).0, "NULL_POINTER");
    let source = signed("v1");
    // SAFETY: the handles and the places are the test's.
    let never = made(|out, error| unsafe { touchmark_policy_file_verify(good.0, source.0, view(""), view(""), -1, out, error) });
    assert_eq!(failed(never).0, "INVALID_TIME");
}
