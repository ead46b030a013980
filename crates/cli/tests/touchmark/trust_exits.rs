//! The rows of `--root` and `--policy` in the table of SPEC.md, "Exit codes", each with the error that it is about.

use std::path::Path;
use std::sync::{Arc, Mutex, Weak};

use serde_json::json;

use crate::exits;
use crate::harness::Place;
use crate::trust::ONLINE;

/// How the trust root is asked.
const ROOT: &str = "--root trust/metadata/1.root.json --trust trust --store none";

/// A trust repository with the publisher acme, and the artifacts `oci:lay:1`, signed as acme/tool:1, and `oci:lay:2`, which nobody signed. It is
/// made once for the tests that run together, each of which has a copy.
fn situation() -> Place {
    static MADE: Mutex<Weak<Place>> = Mutex::new(Weak::new());
    let mut known = MADE.lock().unwrap();
    let made = known.upgrade().unwrap_or_else(|| {
        let place = crate::trust::made();
        place.key("acme");
        place.key("mallory");
        place.ok("trust publisher add acme --key acme.pub --names acme/**");
        place.pack("oci:lay:1", "one");
        place.pack("oci:lay:2", "two");
        place.ok("sign oci:lay:1 --key acme --name acme/tool:1");
        publish(&place, "--key acme");
        Arc::new(place)
    });
    *known = Arc::downgrade(&made);
    drop(known);
    let place = Place::new();
    copy(&made.path(""), &place.path(""));
    KEPT.with(|kept| *kept.borrow_mut() = Some(made));
    place
}

thread_local! {
    /// What a test is a copy of, which the next one needs too.
    static KEPT: std::cell::RefCell<Option<Arc<Place>>> = const { std::cell::RefCell::new(None) };
}

pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

fn publish(place: &Place, keys: &str) {
    place.ok(&format!("trust sign --key trust-keys/targets {keys}"));
    place.ok(&format!("trust publish {ONLINE}"));
}

/// Writes a policy with this one rule.
fn policy(place: &Place, rule: &serde_json::Value) {
    let trust = json!({"ours": {"root": "trust/metadata/1.root.json", "source": "trust", "store": "none"}});
    place.file("p.json", json!({"version": 1, "trust": trust, "rules": [rule]}).to_string());
}

/// Writes a policy by which alone acme's key accepts what is in `oci:lay`.
fn by_key(place: &Place) {
    policy(place, &json!({"reference": "oci:lay:*", "keys": "acme.pub"}));
}

/// Lists a policy with these rules as the trust repository's own.
fn own(place: &Place, rules: &serde_json::Value) {
    place.file("own.json", json!({"version": 1, "rules": rules}).to_string());
    place.ok("trust target add own.json --name _touchmark/policy.json");
    publish(place, "");
}

/// Stages a rotation of acme's keys with a seal.
fn rotated(place: &Place) {
    place.ok("trust publisher rotate acme --remove acme.pub --add mallory.pub --seal acme/tool:1=oci:lay:1");
}

/// Takes the metadata's source away, once a store has what it said.
fn gone(place: &Place) -> &'static str {
    let ask = "oci:lay:1 --root 1.root.json --trust ./served --store kept --name acme/tool:1";
    std::fs::copy(place.path("trust/metadata/1.root.json"), place.path("1.root.json")).unwrap();
    copy(&place.path("trust/metadata"), &place.path("served"));
    place.ok(&format!("verify {ask}"));
    std::fs::remove_dir_all(place.path("served")).unwrap();
    ask
}

/// Runs what a row's situation ends in, once where it may change something.
fn row(name: &str, place: &Place, error: &str, line: &str) {
    let (command, code) = exits::table().remove(name).unwrap_or_else(|| panic!("no row {name} in SPEC.md"));
    let document = match command.as_str() {
        "verify" => place.verify_is(code, line).json,
        command => {
            assert!(line.starts_with(command), "{name}: {line}");
            place.json(line, code)
        }
    };
    assert_eq!(document["results"][0]["error"]["code"].as_str().unwrap_or("done"), error, "{document:#}");
}

macro_rules! rows {
    ($($name:ident: $error:literal, |$place:ident| $line:expr;)*) => {
        $(#[test] fn $name() {
            let $place = situation();
            let line: String = { $line }.into();
            row(stringify!($name), &$place, $error, &line);
        })*
        /// Their names.
        pub const NAMES: &[&str] = &[$(stringify!($name)),*];
    };
}

rows! {
    root_signed: "done", |place| format!("oci:lay:1 {ROOT} --name acme/tool:1");
    root_other_name: "threshold", |place| format!("oci:lay:1 {ROOT} --name acme/tool:2");
    root_not_owned: "no-signers", |place| format!("oci:lay:1 {ROOT} --name other/tool:1");
    root_unsigned: "unsigned", |place| format!("oci:lay:2 {ROOT} --name acme/tool:1");
    root_listed: "done", |place| { place.ok("trust name set acme/tool:2 oci:lay:2"); publish(&place, "--key acme"); format!("oci:lay:2 {ROOT} --name acme/tool:2") };
    root_other_entry: "entry", |place| { place.ok("trust name set acme/tool:1 oci:lay:2"); publish(&place, "--key acme"); format!("oci:lay:1 {ROOT} --name acme/tool:1") };
    root_revoked: "revoked", |place| { place.ok("trust revoke oci:lay:1 --reason x"); publish(&place, ""); format!("oci:lay:1 {ROOT} --name acme/tool:1") };
    root_no_version: "no-version", |place| format!("oci:lay:1 {ROOT} --name acme/other --any-version");
    root_without_name: "usage", |place| format!("oci:lay:1 {ROOT}");
    root_and_key: "usage", |place| format!("oci:lay:1 {ROOT} --name acme/tool:1 --key acme.pub");
    root_and_threshold: "usage", |place| format!("oci:lay:1 {ROOT} --name acme/tool:1 --threshold 1");
    root_no_file: "unreadable", |place| "oci:lay:1 --root none.json --trust trust --name acme/tool:1";
    root_malformed: "tuf-document", |place| "oci:lay:1 --root acme.pub --trust trust --store none --name acme/tool:1";
    root_expired: "tuf-expired", |place| format!("oci:lay:1 {ROOT} --name acme/tool:1 --at 2099-01-01T00:00:00Z");
    root_rollback: "tuf-rollback", |place| {
        copy(&place.path("trust"), &place.path("old"));
        place.ok("trust revoke oci:lay:2 --reason x");
        publish(&place, "");
        place.ok("verify oci:lay:1 --root trust/metadata/1.root.json --trust trust --store kept --name acme/tool:1");
        "oci:lay:1 --root trust/metadata/1.root.json --trust ./old --store kept --name acme/tool:1"
    };
    trust_without_root: "usage", |place| "oci:lay:1 --key acme.pub --trust trust";
    trust_not_named_well: "usage", |place| "oci:lay:1 --root trust/metadata/1.root.json --trust : --name acme/tool:1";
    trust_nowhere: "trust-nowhere", |place| "oci:lay:1 --root trust/metadata/1.root.json --store none --name acme/tool:1";
    trust_not_there: "tuf-fetch", |place| "oci:lay:1 --root trust/metadata/1.root.json --trust ./none --store none --name acme/tool:1";
    trust_role_missing: "tuf-missing", |place| { std::fs::remove_file(place.path("trust/metadata/1.acme.json")).unwrap(); format!("oci:lay:1 {ROOT} --name acme/tool:1") };
    store_without_root: "usage", |place| "oci:lay:1 --key acme.pub --store kept";
    store_of_another_root: "trust-another-history", |place| {
        let other = crate::trust::made();
        copy(&other.path("trust"), &place.path("other"));
        place.pack("oci:lay:3", "three");
        place.run("verify oci:lay:3 --root other/metadata/1.root.json --trust other --store kept --name acme/tool:1");
        "oci:lay:1 --root trust/metadata/1.root.json --trust trust --store kept --name acme/tool:1"
    };
    store_unwritable: "irregular-file", |place| { place.file("file", ""); "oci:lay:1 --root trust/metadata/1.root.json --trust trust --store file/kept --name acme/tool:1" };
    store_alone: "done", |place| gone(&place);
    require_fresh_alone: "tuf-fetch", |place| format!("{} --require-fresh", gone(&place));
    require_fresh_without_root: "usage", |place| "oci:lay:1 --key acme.pub --require-fresh";
    name_resolved: "done", |place| { place.ok("trust name set acme/tool:2 oci:lay:2"); publish(&place, "--key acme"); format!("oci:lay {ROOT} --name acme/tool:2 --resolve") };
    name_without_entry: "no-entry", |place| format!("oci:lay {ROOT} --name acme/tool:1 --resolve");
    name_and_tag: "usage", |place| format!("oci:lay:1 {ROOT} --name acme/tool:1 --resolve");

    policy_accepts: "done", |place| { by_key(&place); "oci:lay:1 --policy p.json" };
    policy_accepts_by_trust: "done", |place| { policy(&place, &json!({"names": "acme/**", "trust": "ours"})); "oci:lay:1 --policy p.json --name acme/tool:1" };
    policy_no_rule: "no-rule", |place| { by_key(&place); format!("{} --policy p.json", place.ok("resolve oci:lay:1")) };
    policy_refuses: "threshold", |place| { policy(&place, &json!({"reference": "oci:lay:*", "keys": "mallory.pub"})); "oci:lay:1 --policy p.json" };
    policy_unsigned: "unsigned", |place| { by_key(&place); "oci:lay:2 --policy p.json" };
    policy_other_name: "policy-other-name", |place| { policy(&place, &json!({"reference": "oci:lay:(*)", "name": "acme/tool:$1", "keys": "acme.pub"})); "oci:lay:1 --policy p.json --name acme/tool:2" };
    policy_not_by_index: "children-denied", |place| { by_key(&place); place.ok("index oci:lay:2 --to oci:lay:all --platform linux/arm64"); "oci:lay:all --platform linux/arm64 --policy p.json" };
    policy_other_role: "other-role", |place| { policy(&place, &json!({"names": "acme/**", "trust": "ours", "role": "other"})); "oci:lay:1 --policy p.json --name acme/tool:1" };
    policy_wants_entry: "accepted-by", |place| { policy(&place, &json!({"names": "acme/**", "trust": "ours", "accepted_by": "entry"})); "oci:lay:1 --policy p.json --name acme/tool:1" };
    policy_no_file: "policy-unreadable", |place| "oci:lay:1 --policy none.json";
    policy_malformed: "policy-json", |place| { place.file("p.json", "{"); "oci:lay:1 --policy p.json" };
    policy_unknown_member: "policy-member-unknown", |place| { policy(&place, &json!({"reference": "oci:**", "keys": "acme.pub", "treshold": 2})); "oci:lay:1 --policy p.json" };
    policy_no_key_file: "policy-material", |place| { policy(&place, &json!({"reference": "oci:**", "keys": "none.pub"})); "oci:lay:1 --policy p.json" };
    policy_same_key: "policy-material", |place| { place.file("same.pub", place.read("acme.pub")); policy(&place, &json!({"reference": "oci:**", "keys": ["acme.pub", "same.pub"], "threshold": 2})); "oci:lay:1 --policy p.json" };
    policy_and_key: "usage", |place| { by_key(&place); "oci:lay:1 --policy p.json --key acme.pub" };
    policy_and_root: "usage", |place| { by_key(&place); format!("oci:lay:1 --policy p.json {ROOT} --name acme/tool:1") };
    policy_and_store: "usage", |place| { by_key(&place); "oci:lay:1 --policy p.json --store none" };
    policy_configured: "done", |place| { place.file(".config/touchmark/policy.json", json!({"version": 1, "rules": [{"reference": "oci:**", "keys": "../../acme.pub"}]}).to_string()); "oci:lay:1" };
    policy_configured_malformed: "policy-json", |place| { place.file(".config/touchmark/policy.json", "{"); "oci:lay:1" };
    own_policy_accepts: "done", |place| { own(&place, &json!([{"names": "acme/**", "trust": "self"}])); format!("oci:lay:1 {ROOT} --name acme/tool:1") };
    own_policy_no_rule: "no-rule", |place| { own(&place, &json!([])); format!("oci:lay:1 {ROOT} --name acme/tool:1") };
    own_policy_refuses: "accepted-by", |place| { own(&place, &json!([{"names": "acme/**", "trust": "self", "accepted_by": "entry"}])); format!("oci:lay:1 {ROOT} --name acme/tool:1") };
    own_policy_withheld: "target-missing", |place| { own(&place, &json!([])); std::fs::remove_dir_all(place.path("trust/targets")).unwrap(); std::fs::create_dir(place.path("trust/targets")).unwrap(); format!("oci:lay:1 {ROOT} --name acme/tool:1") };
    own_policy_malformed: "policy-member-missing", |place| {
        place.file("own.json", r#"{"version": 1}"#);
        let digest = crate::forge::sha256(&place.read("own.json"));
        place.file("list", format!("_touchmark/policy.json {} {digest}\n", place.read("own.json").len()));
        place.ok("trust target add --from-list list");
        publish(&place, "");
        let hex = digest.strip_prefix("sha256:").unwrap();
        place.file(&format!("trust/targets/_touchmark/{hex}.policy.json"), place.read("own.json"));
        format!("oci:lay:1 {ROOT} --name acme/tool:1")
    };

    unpack_by_policy: "done", |place| { by_key(&place); "unpack oci:lay:1 --out files --policy p.json" };
    unpack_policy_unsigned: "unsigned", |place| { by_key(&place); "unpack oci:lay:2 --out files --policy p.json" };
    unpack_policy_no_rule: "no-rule", |place| { policy(&place, &json!({"reference": "oci:other:*", "keys": "acme.pub"})); "unpack oci:lay:1 --out files --policy p.json" };
    copy_by_policy: "done", |place| { by_key(&place); "copy oci:lay:1 oci:copied:1 --verify --policy p.json" };
    copy_policy_unsigned: "unsigned", |place| { by_key(&place); "copy oci:lay:2 oci:copied:1 --verify --policy p.json" };
    copy_policy_without_verify: "usage", |place| { by_key(&place); "copy oci:lay:1 oci:copied:1 --policy p.json" };
    policy_explain_done: "done", |place| { by_key(&place); "policy explain oci:lay:1 --policy p.json" };
    policy_explain_no_rule: "no-rule", |place| { by_key(&place); "policy explain oci:other:1 --policy p.json" };
    policy_explain_no_policy: "usage", |place| "policy explain oci:lay:1";
    trust_target_bad_policy: "policy-json", |place| { place.file("p.json", "{"); "trust target add p.json --name _touchmark/policy.json" };
    trust_rotate_proposal_of_a_thief: "usage", |place| "trust publisher rotate acme --remove acme.pub --add mallory.pub --propose-from oci:lay --compromised";
    trust_rotate_unsigned_seal: "unsigned", |place| "trust publisher rotate acme --remove acme.pub --add mallory.pub --seal acme/tool:2=oci:lay:2";
    trust_publish_lost_race: "push-lost", |place| {
        place.ok(&format!("trust publish --renew {ONLINE} --to oci:published:latest"));
        copy(&place.path("trust"), &place.path("other"));
        for (dir, name) in [("other", "acme/tool:8"), ("trust", "acme/tool:9")] {
            place.ok(&format!("trust --dir {dir} name set {name} oci:lay:2"));
            place.ok(&format!("trust --dir {dir} sign --key acme"));
        }
        place.ok(&format!("trust --dir other publish {ONLINE} --to oci:published:latest"));
        format!("trust publish {ONLINE} --to oci:published:latest")
    };
    trust_publish_without_seals: "signatures-missing", |place| { rotated(&place); place.ok("trust sign --key trust-keys/targets"); format!("trust publish {ONLINE}") };
    trust_discard_seals: "seals-needed", |place| { rotated(&place); "trust discard acme" };
    trust_pull_done: "done", |place| { copy(&place.path("trust"), &place.path("there")); "trust pull ./there" };
    trust_pull_older: "tuf-rollback", |place| {
        copy(&place.path("trust"), &place.path("old"));
        place.ok("trust revoke oci:lay:2 --reason x");
        publish(&place, "");
        "trust pull ./old"
    };
    trust_pull_other_root: "other-root", |place| {
        copy(&place.path("trust"), &place.path("there"));
        copy(&crate::trust::made().path("trust"), &place.path("other"));
        "trust pull ./there --root other/metadata/1.root.json"
    };
    trust_pull_other_repository: "forked", |place| { copy(&crate::trust::made().path("trust"), &place.path("other")); "trust pull ./other" };
    trust_pull_not_there: "tuf-fetch", |place| "trust pull ./none";
    trust_target_file_of_a_role: "usage", |place| { place.file("x", ""); "trust target add x --name _touchmark/x --role acme" };
}
