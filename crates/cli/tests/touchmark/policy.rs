//! `touchmark policy`: what is wrong with a policy, and what of it is probably not meant.

use serde_json::{Value, json};

use crate::harness::Place;

/// The findings, each as its level, place and code.
fn found(document: &Value) -> Vec<String> {
    let word = |one: &Value, name: &str| one[name].as_str().unwrap().to_owned();
    let findings = document["results"][0]["findings"].as_array().unwrap();
    findings.iter().map(|one| format!("{} {} {}", word(one, "level"), word(one, "at"), word(one, "code"))).collect()
}

#[test]
fn a_policy_without_a_weakness_is_checked_quietly() {
    let place = Place::new();
    place.key("alice");
    place.key("bob");
    let rule = json!({"reference": "r.example/acme/(*):(*)", "name": "acme/$1:$2", "keys": ["alice.pub", "bob.pub"], "threshold": 2});
    place.file("etc/policy.json", json!({"version": 1, "rules": [rule]}).to_string());
    // Paths begin at the folder of the policy.
    let document = place.json("policy check etc/policy.json", 2);
    assert_eq!(found(&document), ["error /rules/0/keys/0 key-unreadable", "error /rules/0/keys/1 key-unreadable"]);
    place.file("policy.json", place.read("etc/policy.json"));
    let ran = place.run("policy check policy.json --strict").is(0);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("policy.json: 1 rule\n", ""));
    assert!(found(&place.json("policy check policy.json", 0)).is_empty());
}

#[test]
fn a_rule_through_which_a_tag_could_be_repointed_is_warned_of() {
    let place = Place::new();
    place.key("alice");
    place.file("policy.json", json!({"version": 1, "rules": [{"reference": "r.example/**", "keys": "alice.pub"}]}).to_string());
    let ran = place.run("policy check policy.json").is(0).says("warning: /rules/0/reference: whoever sets a tag");
    assert_eq!(ran.stdout, "policy.json: 1 rule, 1 warning\n");
    place.run("policy check policy.json --strict").is(1).says("1 warning in the policy");
    let document = place.json("policy check policy.json --strict", 1);
    assert_eq!(found(&document), ["warning /rules/0/reference policy-tag-can-be-repointed"]);
    assert_eq!(document["results"][0]["error"]["code"], "policy-weak");
}

#[test]
fn a_malformed_policy_is_a_usage_error_that_says_where() {
    let place = Place::new();
    place.file("policy.json", r#"{"version": 1, "rules": [{"names": "acme/x", "keys": "a.pub", "treshold": 2}]}"#);
    let ran = place.run("policy check policy.json").is(2).says("`/rules/0/treshold` is an unknown member");
    assert_eq!(ran.stdout, "");
    let document = place.json("policy check policy.json", 2);
    assert_eq!(document["results"][0]["error"]["code"], "policy-member-unknown");
    place.file("policy.json", "{");
    place.run("policy check policy.json").is(2).says("is no JSON");
    place.run("policy check none.json").is(2).says("none.json");
    place.file("policy.json", format!(r#"{{"version": 1, "rules": [], "comment": "{}"}}"#, "x".repeat(1 << 20)));
    place.run("policy check policy.json").is(2).says("more than 1048576 bytes");
}

#[test]
fn what_a_policy_names_is_read() {
    let place = Place::new();
    place.key("alice");
    place.ok("trust init --no-passphrase --quiet");
    place.file("copy.pub", place.read("alice.pub"));
    place.file("text.pub", "no key");
    place.file("root.json", place.read("trust/metadata/1.root.json"));
    place.file("broken.json", "{}");
    let policy = json!({
        "version": 1,
        "trust": {
            "good": {"root": "root.json", "source": "trust"},
            "bad": {"root": "broken.json", "source": "nowhere"},
        },
        "rules": [
            {"names": "acme/*", "keys": ["alice.pub", "copy.pub"], "threshold": 2},
            {"names": "b/*", "trust": "good"},
            {"names": "c/*", "trust": "bad"},
            {"names": "d/*", "keys": "text.pub", "in_toto": {"layout": "broken.json", "keys": "alice.pub"}},
            {"names": "e/*", "keys": "alice.pub", "predicates": [{"type": "a:b", "keys": ["none.pub", "alice"]}]},
        ]
    });
    place.file("policy.json", policy.to_string());
    let found = found(&place.json("policy check policy.json", 2));
    let without_root: Vec<&str> = found.iter().map(String::as_str).filter(|one| !one.contains("/trust/")).collect();
    assert_eq!(
        without_root,
        [
            "error /rules/0/keys/1 policy-same-key",
            "error /rules/3/keys key-not-a-key",
            "error /rules/3/in_toto/layout in-toto-envelope",
            "error /rules/4/predicates/0/keys/0 key-unreadable",
            "error /rules/4/predicates/0/keys/1 key-private",
        ]
    );
    assert!(found.iter().any(|one| one.starts_with("error /trust/bad/root tuf-")), "{found:?}");
    assert!(found.contains(&"warning /trust/bad/source policy-source-missing".to_owned()), "{found:?}");
    assert!(!found.iter().any(|one| one.contains("/trust/good/source") || one.starts_with("error /trust/good")), "{found:?}");
}

#[test]
fn a_policy_to_be_signed_has_no_references_and_no_files() {
    let place = Place::new();
    place.key("alice");
    place.file("policy.json", json!({"version": 1, "rules": [{"names": "acme/**", "trust": "self", "accepted_by": "entry"}]}).to_string());
    place.run("policy check policy.json --signed --strict").is(0);
    place.run("policy check policy.json").is(2).says("`/rules/0/trust` names `self`");
    place.file("policy.json", json!({"version": 1, "rules": [{"names": "acme/**", "keys": "alice.pub"}]}).to_string());
    place.run("policy check policy.json --signed").is(2).says("`/rules/0/keys` is the path of a file, which a signed policy cannot have");
    place.run("policy check policy.json").is(0);
}
