//! Policy files, through both verifiers: which rule decides, what it demands, and the policy that a trust repository signs itself.

use serde_json::{Value, json};
use touchmark_test_registry::Settings;

use crate::forge::sha256;
use crate::harness::{Place, Ran, digest, standalone};
use crate::in_toto::Form;
use crate::trust::ONLINE;

/// Keys of the top-level targets.
const TARGETS: &str = "--key trust-keys/targets";

/// A trust repository with the publisher acme, whose key is `acme`, and its artifact `oci:lay:1`, signed as acme/tool:1.
fn made() -> Place {
    let place = crate::trust::made();
    place.key("acme");
    place.key("mallory");
    place.ok("trust publisher add acme --key acme.pub --names acme/**");
    publish(&place, "--key acme");
    place.pack("oci:lay:1", "one");
    place.ok("sign oci:lay:1 --key acme --name acme/tool:1");
    place
}

/// Signs by the targets' key and these, and publishes.
#[track_caller]
fn publish(place: &Place, keys: &str) {
    place.ok(&format!("trust sign {TARGETS} {keys}"));
    place.ok(&format!("trust publish {ONLINE}"));
}

/// Writes a policy with these rules, and the trust root of the place.
fn policy(place: &Place, rules: &Value) {
    let trust = json!({"ours": {"root": "trust/metadata/1.root.json", "source": "trust", "store": "none"}});
    place.file("p.json", json!({"version": 1, "trust": trust, "rules": rules}).to_string());
}

/// Makes these the rules of the trust repository's own policy, listed by this role.
fn sign_policy(place: &Place, rules: &Value, role: &str, keys: &str) {
    place.file("own.json", json!({"version": 1, "rules": rules}).to_string());
    place.ok(&format!("trust target add own.json --name _touchmark/policy.json --role {role}"));
    publish(place, keys);
}

#[track_caller]
fn accepted(place: &Place, words: &str) -> Value {
    place.verify_is(0, words).json["results"][0].clone()
}

#[track_caller]
fn refused(place: &Place, code: i32, why: &str, words: &str) -> Value {
    let verdict = place.verify_is(code, words);
    assert_eq!(verdict.json["results"][0]["error"]["code"], why, "{words}\n{:#}", verdict.json);
    verdict.json["results"][0].clone()
}

/// A rule by names, on the word of the trust root.
fn by_trust(names: &str) -> Value {
    json!({"names": names, "trust": "ours"})
}

#[test]
fn default_is_reject() {
    let place = made();
    policy(&place, &json!([]));
    refused(&place, 1, "no-rule", "oci:lay:1 --policy p.json --name acme/tool:1");
    policy(&place, &json!([by_trust("acme/tool:*"), {"reference": "registry.example/acme/*", "keys": "acme.pub"}]));
    let result = accepted(&place, "oci:lay:1 --policy p.json --name acme/tool:1");
    assert_eq!(result["policy"], json!({"file": "p.json", "rule": 1, "pattern": "acme/tool:*"}));
    for words in ["--name acme/other:1", "--name other/tool:1", "--name acme/tool", ""] {
        let result = refused(&place, 1, "no-rule", &format!("oci:lay:1 --policy p.json {words}"));
        assert_eq!(result["policy"], json!({"file": "p.json"}));
    }
}

#[test]
fn first_match_decides() {
    let place = made();
    let rule = |key: &str| json!({"reference": "oci:lay:*", "keys": key});
    policy(&place, &json!([rule("mallory.pub"), rule("acme.pub")]));
    let result = refused(&place, 1, "threshold", "oci:lay:1 --policy p.json");
    assert_eq!(result["policy"]["rule"], 1);
    assert!(result["error"]["message"].as_str().unwrap().ends_with("(rule 1 of p.json)"), "{result:#}");
    policy(&place, &json!([{"reference": "oci:other:*", "keys": "mallory.pub"}, rule("acme.pub"), rule("mallory.pub")]));
    assert_eq!(accepted(&place, "oci:lay:1 --policy p.json")["policy"]["rule"], 2);
}

#[test]
fn a_rule_that_rejects_is_1_whatever_a_later_rule_says() {
    let place = made();
    let rule = json!({"reference": "oci:lay:*", "keys": "acme.pub"});
    policy(&place, &json!([{"reference": "oci:lay:1", "reject": true}, rule, by_trust("acme/**")]));
    refused(&place, 1, "policy-rejects", "oci:lay:1 --policy p.json");
    refused(&place, 1, "policy-rejects", "oci:lay:1 --policy p.json --name acme/tool:1");
    place.run("policy explain oci:lay:1 --policy p.json").is(1).says("rejects what it is for");
    policy(&place, &json!([{"names": "acme/tool:*", "reject": true}, rule, by_trust("acme/**")]));
    refused(&place, 1, "policy-rejects", "oci:lay:1 --policy p.json --name acme/tool:1");
    accepted(&place, "oci:lay:1 --policy p.json");
    policy(&place, &json!([by_trust("acme/**")]));
    sign_policy(&place, &json!([{"names": "acme/tool:1", "reject": true}, {"names": "**", "trust": "self"}]), "targets", "");
    refused(&place, 1, "policy-rejects", "oci:lay:1 --policy p.json --name acme/tool:1");
}

/// The tag that was typed says the version, and what stands in a registry says nothing.
#[test]
fn captures_only_from_what_was_typed() {
    let place = made();
    let registry = place.registry(Settings::default());
    let repository = format!("{}/acme/app", registry.host());
    for (tag, content) in [("1.2.0", "new"), ("1.1.0", "old")] {
        place.pack(&format!("{repository}:{tag}"), content);
        place.ok(&format!("sign {repository}:{tag} --key acme --name acme/app:{tag}"));
    }
    let pattern = format!("{}/acme/(*):(*)", registry.host());
    policy(&place, &json!([{"reference": pattern, "name": "acme/$1:$2", "keys": "acme.pub"}]));
    accepted(&place, &format!("{repository}:1.2.0 --policy p.json"));
    // The tag comes to lead to the older one, signed by the same key.
    place.ok(&format!("copy {repository}:1.1.0 {repository}:1.2.0"));
    refused(&place, 1, "threshold", &format!("{repository}:1.2.0 --policy p.json"));
    place.ok(&format!("copy {repository}:1.1.0 {repository}:latest"));
    refused(&place, 1, "threshold", &format!("{repository}:latest --policy p.json"));
    // Another name than the rule expects is a mistake; that of it which is expected is none.
    refused(&place, 2, "policy-other-name", &format!("{repository}:1.1.0 --policy p.json --name acme/other:1.1.0"));
    accepted(&place, &format!("{repository}:1.1.0 --policy p.json --name acme/app:1.1.0"));
    accepted(&place, &format!("{repository}:1.1.0 --policy p.json --name acme/app --any-version"));
}

#[test]
fn digest_reference_gets_no_latest() {
    let place = made();
    let registry = place.registry(Settings::default());
    let repository = format!("{}/acme/app", registry.host());
    let pin = place.pack(&format!("{repository}:latest"), "one");
    place.ok(&format!("sign {pin} --key acme --name acme/app:latest"));
    for pattern in ["/acme/(*):latest", "/acme/(*):(*)"] {
        let rule = json!({"reference": format!("{}{pattern}", registry.host()), "name": "acme/$1:latest", "keys": "acme.pub"});
        policy(&place, &json!([rule]));
        refused(&place, 1, "no-rule", &format!("{pin} --policy p.json"));
        accepted(&place, &format!("{repository}:latest --policy p.json"));
    }
}

#[test]
fn role_of_the_rule_must_decide() {
    let place = made();
    place.key("edge");
    place.ok("trust publisher add acme+edge --key edge.pub --names acme/edge/** --from acme");
    publish(&place, "--key acme --key edge");
    place.ok("sign oci:lay:1 --key edge --name acme/edge/x:1");
    let rule = |role: &str| json!([{"names": "acme/**", "trust": "ours", "role": role}]);
    policy(&place, &rule("acme+edge"));
    accepted(&place, "oci:lay:1 --policy p.json --name acme/edge/x:1");
    policy(&place, &rule("acme"));
    refused(&place, 1, "other-role", "oci:lay:1 --policy p.json --name acme/edge/x:1");
    accepted(&place, "oci:lay:1 --policy p.json --name acme/tool:1");
}

#[test]
fn entry_required_by_policy() {
    let place = made();
    policy(&place, &json!([{"names": "acme/**", "trust": "ours", "accepted_by": ["entry"]}]));
    refused(&place, 1, "accepted-by", "oci:lay:1 --policy p.json --name acme/tool:1");
    place.ok("trust name set acme/tool:1 oci:lay:1");
    publish(&place, "--key acme");
    let result = accepted(&place, "oci:lay:1 --policy p.json --name acme/tool:1");
    assert_eq!((&result["accepted_by"], &result["rollback_protected"]), (&json!("entry"), &json!(true)));
}

#[test]
fn children_need_allow() {
    let place = made();
    let child = place.pack("oci:lay:child", "child");
    place.ok("index oci:lay:child --platform linux/amd64 --to oci:lay:index");
    place.ok("sign oci:lay:index --key acme --name acme/index:1");
    let rule = |children: &str| json!([{"names": "acme/**", "trust": "ours", "children": children}]);
    let questions = [
        format!("{child} --covered-by oci:lay:index --policy p.json --name acme/index:1"),
        "oci:lay:index --platform linux/amd64 --policy p.json --name acme/index:1".to_owned(),
    ];
    for words in &questions {
        policy(&place, &rule("allow"));
        assert!(accepted(&place, words)["covered_by"].is_string());
        policy(&place, &json!([by_trust("acme/**")]));
        refused(&place, 1, "children-denied", words);
    }
    // The trust repository's own policy must allow it too.
    policy(&place, &rule("allow"));
    sign_policy(&place, &json!([{"names": "acme/**", "trust": "self"}]), "targets", "");
    refused(&place, 1, "children-denied", &questions[0]);
    refused(&place, 1, "children-denied", &questions[0].replace("--policy p.json", BY_ROOT));
}

const BY_ROOT: &str = "--root trust/metadata/1.root.json --trust trust --store none";

#[test]
fn both_policies_must_accept() {
    let place = made();
    let ask = "oci:lay:1 --policy p.json --name acme/tool:1";
    let by_root = format!("oci:lay:1 {BY_ROOT} --name acme/tool:1");
    let own = |rule: Value| {
        place.run("trust target remove _touchmark/policy.json");
        sign_policy(&place, &rule, "targets", "");
    };
    policy(&place, &json!([by_trust("acme/**")]));
    let result = accepted(&place, ask);
    assert!(result.get("signed_policy").is_none());
    own(json!([{"names": "acme/**", "trust": "self"}]));
    let result = accepted(&place, ask);
    assert_eq!(result["signed_policy"]["pattern"], "acme/**");
    assert_eq!(result["signed_policy"]["verification"]["accepted_by"], "envelopes");
    assert!(accepted(&place, &by_root)["policy"].is_null());
    // The own policy refuses, or has no rule for the name.
    own(json!([{"names": "acme/**", "trust": "self", "accepted_by": ["entry"]}]));
    for words in [ask, &by_root] {
        let result = refused(&place, 1, "accepted-by", words);
        assert_eq!(result["signed_policy"]["rule"], 1);
        assert!(result["error"]["message"].as_str().unwrap().contains("own policy"), "{result:#}");
    }
    own(json!([{"names": "other/**", "trust": "self"}]));
    for words in [ask, &by_root] {
        refused(&place, 1, "no-rule", words);
    }
    // The local one refuses.
    own(json!([{"names": "acme/**", "trust": "self"}]));
    policy(&place, &json!([{"names": "acme/**", "trust": "ours", "accepted_by": ["entry"]}]));
    refused(&place, 1, "accepted-by", ask);
    // Keys in the own policy: the publisher's signature alone does not suffice.
    let second = String::from_utf8(place.read("mallory.pub")).unwrap();
    own(json!([{"names": "acme/**", "keys": [second]}]));
    refused(&place, 1, "threshold", &by_root);
    place.ok("sign oci:lay:1 --key mallory --name acme/tool:1");
    accepted(&place, &by_root);
}

#[test]
fn signed_policy_in_delegated_role_is_ignored() {
    let place = made();
    place.key("other");
    place.ok("trust delegate other --key other.pub --path _touchmark/*");
    place.file("own.json", json!({"version": 1, "rules": []}).to_string());
    let refused = place.run("trust target add own.json --name _touchmark/policy.json --role other").is(2);
    assert!(refused.stderr.contains("top-level targets alone"), "{refused:?}");
    // Somebody who has the role's key does it all the same.
    let content = sha256(&place.read("own.json"));
    place.file("list", format!("_touchmark/policy.json {} {content}\n", place.read("own.json").len()));
    place.ok("trust target add --from-list list --role other");
    publish(&place, "--key other");
    let result = accepted(&place, &format!("oci:lay:1 {BY_ROOT} --name acme/tool:1"));
    assert!(result.get("signed_policy").is_none());
}

#[test]
fn policy_target_withheld_is_4() {
    let place = made();
    sign_policy(&place, &json!([{"names": "acme/**", "trust": "self"}]), "targets", "");
    let ask = format!("oci:lay:1 {BY_ROOT} --name acme/tool:1");
    let with_store = ask.replace("--store none", "--store kept");
    accepted(&place, &ask);
    accepted(&place, &with_store);
    std::fs::rename(place.path("trust/targets"), place.path("hidden")).unwrap();
    std::fs::create_dir(place.path("trust/targets")).unwrap();
    refused(&place, 4, "target-missing", &ask);
    // A refusal that is certain is told first.
    refused(&place, 1, "threshold", &ask.replace("acme/tool:1", "acme/tool:2"));
    // What was had once is there.
    accepted(&place, &with_store);
    refused(&place, 4, "target-missing", &ask);
    // Other bytes under its name are no policy.
    std::fs::remove_dir(place.path("trust/targets")).unwrap();
    std::fs::rename(place.path("hidden"), place.path("trust/targets")).unwrap();
    for file in std::fs::read_dir(place.path("trust/targets/_touchmark")).unwrap() {
        let mut bytes = std::fs::read(file.as_ref().unwrap().path()).unwrap();
        let last = bytes.len() - 1;
        bytes[last] = b' ';
        std::fs::write(file.unwrap().path(), bytes).unwrap();
    }
    refused(&place, 6, "target-hash", &ask);
}

#[test]
fn what_no_client_could_use_is_not_signed() {
    let place = made();
    let add = |content: &str, name: &str, code: i32| {
        place.file("file", content);
        place.run(&format!("trust target add file --name _touchmark/{name}")).is(code)
    };
    add("{", "policy.json", 2).says("is no JSON");
    add(r#"{"version": 1, "rules": [{"reference": "oci:**", "keys": "a.pub"}]}"#, "policy.json", 2).says("signed policy");
    add("{}", "layouts/app.json", 2).says("no in-toto layout");
    add(r#"{"version": 1, "rules": []}"#, "policy.json", 0);
    add("anything", "other.txt", 0);
}

/// All three levels in one answer: whose name it is, what its policy demands, and how it was made.
#[test]
fn level_3_by_a_policy_whose_layout_is_a_target() {
    for kind in ["registry", "oci:release:one", "oci-archive:release.tar:one"] {
        let registry = Place::new().registry(Settings::default());
        let at = if kind == "registry" { format!("{}/acme/app:one", registry.host()) } else { kind.to_owned() };
        let (chain, pin) = crate::in_toto_attached::chain(Form::Dsse, &at);
        let place = &chain.place;
        place.ok("trust init --no-passphrase --quiet");
        place.key("acme");
        place.ok("trust publisher add acme --key acme.pub --names acme/**");
        place.ok("trust target add root.layout --name _touchmark/layouts/app.json");
        publish(place, "--key acme");
        place.ok(&format!("sign {at} --key acme --name acme/app:1"));
        let in_toto = json!({"layout": {"target": "_touchmark/layouts/app.json"}, "keys": "owner.pub"});
        policy(place, &json!([{"names": "acme/**", "trust": "ours", "in_toto": in_toto}]));
        let ask = format!("{at} --policy p.json --name acme/app:1");
        let before = refused(place, 1, "supply-chain", &ask);
        assert!(before["supply_chain"]["layouts"].is_array() && before["policy"]["rule"] == 1, "{before:#}");
        place.ok(&format!("in-toto attach {at} --links links"));
        let verdict = place.verify_is(0, &ask);
        let result = &verdict.json["results"][0];
        assert_eq!((&result["pin"], &result["role"]), (&json!(pin), &json!("acme")));
        assert!(result["supply_chain"]["layouts"].is_array(), "{result:#}");
        for said in ["acme owns acme/app:1", "made by build and pack, as the in-toto layout", "by rule 1 (acme/**) of p.json"] {
            assert!(verdict.stderr.contains(said), "{said}: {}", verdict.stderr);
        }
        let unpacked = place.json(&format!("unpack {at} --out {}/files --policy p.json --name acme/app:1", place.path(".").display()), 0);
        assert!(unpacked["results"][0]["verification"]["supply_chain"].is_object());
        // The same layout, asked for by the repository's own policy, and by nobody here.
        let own_key = String::from_utf8(place.read("owner.pub")).unwrap();
        let in_toto = json!({"layout": {"target": "_touchmark/layouts/app.json"}, "keys": own_key});
        sign_policy(place, &json!([{"names": "acme/**", "trust": "self", "in_toto": in_toto}]), "targets", "");
        let by_root = format!("{at} {BY_ROOT} --name acme/app:1");
        let result = accepted(place, &by_root);
        assert!(result["signed_policy"]["verification"]["supply_chain"].is_object(), "{result:#}");
        // Another artifact with the same links.
        let other = at.replace(":one", ":two");
        place.pack(&other, "second");
        place.ok(&format!("sign {other} --key acme --name acme/app:1"));
        place.ok(&format!("in-toto attach {other} --links links"));
        refused(place, 1, "supply-chain", &ask.replace(":one", ":two"));
        refused(place, 1, "supply-chain", &by_root.replace(":one", ":two"));
        // A layout that is not listed is none; one that is withheld is not known.
        std::fs::remove_dir_all(place.path("trust/targets/_touchmark/layouts")).unwrap();
        refused(place, 4, "target-missing", &ask);
        place.ok("trust target remove _touchmark/layouts/app.json");
        publish(place, "");
        refused(place, 1, "target-not-listed", &ask);
    }
}

/// Whoever types the name of a registry that no rule is for does not tell it so.
#[test]
fn what_no_rule_is_for_is_refused_before_its_registry_is_asked() {
    let place = made();
    policy(&place, &json!([{"reference": "r.example/**", "keys": "acme.pub"}]));
    let registry = Place::new().registry(Settings::default());
    let at = format!("{}/acme/tool:1", registry.host());
    refused(&place, 1, "no-rule", &format!("{at} --policy p.json"));
    place.run(&format!("unpack {at} --out o --policy p.json")).is(1).says("no rule");
    place.run(&format!("copy {at} oci:copied:1 --verify --policy p.json")).is(1).says("no rule");
    assert_eq!(registry.log().len(), 0);
    // A mistake in what the rule names is one, too, although nobody is there.
    policy(&place, &json!([{"reference": "**", "keys": "gone.pub"}]));
    refused(&place, 2, "policy-material", "127.0.0.1:1/acme/tool:1 --policy p.json");
}

#[test]
fn unpack_and_copy_say_who_decided_and_what_the_metadata_is_worth() {
    let place = made();
    policy(&place, &json!([by_trust("acme/**")]));
    for words in ["unpack oci:lay:1 --out o", "copy oci:lay:1 oci:copied:1 --verify"] {
        let ran = place.run(&format!("{words} --policy p.json --name acme/tool:1")).is(0);
        ran.says("by rule 1 (acme/**) of p.json").says("no rollback history");
    }
}

/// Signed in the repository, carried along, and found beside the artifact.
#[test]
fn a_signed_policy_goes_along_with_the_trust_repository() {
    let place = made();
    sign_policy(&place, &json!([{"names": "acme/**", "trust": "self", "accepted_by": ["entry"]}]), "targets", "");
    place.ok("copy oci:lay:1 oci-archive:all.tar:1 --trust trust");
    let ask = "--root trust/metadata/1.root.json --name acme/tool:1 --store none";
    refused(&place, 1, "accepted-by", &format!("oci-archive:all.tar:1 {ask}"));
    place.ok(&format!("trust publish --renew {ONLINE} --to oci:pushed:trust"));
    refused(&place, 1, "accepted-by", &format!("oci:lay:1 --trust oci:pushed:trust {ask}"));
    // A file that is listed and missing is not left out.
    std::fs::remove_dir_all(place.path("trust/targets")).unwrap();
    place.run("copy oci:lay:1 oci-archive:all.tar:1 --trust trust").is(4);
}

#[test]
fn a_policy_in_the_working_directory_is_never_read() {
    let place = made();
    policy(&place, &json!([{"reference": "oci:**", "keys": "acme.pub"}]));
    place.file("touchmark/policy.json", place.read("p.json"));
    place.file("policy.json", place.read("p.json"));
    let run = |variables: &[(&str, &str)]| {
        let both = |mut command: std::process::Command, line: &str| {
            command.envs(variables.iter().copied());
            Ran::of(line, command.output().unwrap())
        };
        let one = both(place.touchmark("verify oci:lay:1 --format json"), "verify oci:lay:1");
        let other = both(place.command(standalone(), "oci:lay:1 --format json"), "oci:lay:1");
        assert_eq!(one.code, other.code, "{one:?}\n{other:?}");
        one
    };
    run(&[]).is(2).says("--policy FILE");
    run(&[("HOME", "."), ("XDG_CONFIG_HOME", ".")]).is(2);
    run(&[("HOME", ""), ("XDG_CONFIG_HOME", "")]).is(2);
    run(&[("TOUCHMARK_POLICY", "policy.json")]).is(2).says("not absolute");
    let absolute = place.path("p.json");
    run(&[("TOUCHMARK_POLICY", absolute.to_str().unwrap())]).is(0);
    run(&[("TOUCHMARK_POLICY", "/nowhere/policy.json")]).is(2).says("/nowhere/policy.json");
}

#[test]
fn a_configured_policy_makes_verify_ref_the_whole_command() {
    let place = made();
    let rule = json!([{"reference": "oci:*:*", "keys": "../../acme.pub", "name": "acme/tool:1"}]);
    let configured = ".config/touchmark/policy.json";
    place.file(configured, json!({"version": 1, "rules": rule}).to_string());
    let verdict = place.verify_is(0, "oci:lay:1");
    let file = verdict.json["results"][0]["policy"]["file"].as_str().unwrap();
    assert!(file.ends_with(configured) && verdict.stderr.contains(file), "{}", verdict.stderr);
    place.ok("unpack oci:lay:1 --out unpacked");
    place.ok("copy oci:lay:1 oci:copied:1 --verify");
    place.pack("oci:lay:2", "two");
    refused(&place, 3, "unsigned", "oci:lay:2");
    place.run("unpack oci:lay:2 --out other").is(3);
    place.run("copy oci:lay:2 oci:copied:2 --verify").is(3);
    // Keys that are named count, and not the policy.
    refused(&place, 1, "threshold", "oci:lay:1 --key mallory.pub");
    // One that cannot be followed is not passed over.
    place.file(configured, r#"{"version": 1, "rules": [], "rule": []}"#);
    refused(&place, 2, "policy-member-unknown", "oci:lay:1");
    place.file(configured, "{");
    refused(&place, 2, "policy-json", "oci:lay:1");
    place.run("unpack oci:lay:1 --out third").is(2);
}

#[cfg(unix)]
#[test]
fn a_policy_that_everybody_may_write_is_refused_unless_it_was_named() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = made();
    let configured = place.file(
        ".config/touchmark/policy.json",
        json!({"version": 1, "rules": [{"reference": "oci:**", "keys": "../../acme.pub"}]}).to_string(),
    );
    accepted(&place, "oci:lay:1");
    std::fs::set_permissions(&configured, std::fs::Permissions::from_mode(0o666)).unwrap();
    refused(&place, 2, "policy-writable", "oci:lay:1");
    let verdict = place.verify_is(0, "oci:lay:1 --policy .config/touchmark/policy.json");
    assert!(verdict.stderr.contains("everybody may write"), "{}", verdict.stderr);
    std::fs::set_permissions(&configured, std::fs::Permissions::from_mode(0o664)).unwrap();
    assert!(place.verify_is(0, "oci:lay:1").stderr.contains("group"));
}

/// Wherever the command is run, what a policy names is where the policy is.
#[test]
fn paths_in_a_policy_begin_at_its_folder() {
    let place = made();
    place.ok(&format!("trust publish --renew {ONLINE} --to oci:pushed:trust"));
    for (source, store) in [("../trust", "kept"), ("oci:../pushed:trust", "none")] {
        let trust = json!({"ours": {"root": "../trust/metadata/1.root.json", "source": source, "store": store}});
        place.file("etc/p.json", json!({"version": 1, "trust": trust, "rules": [by_trust("acme/**")]}).to_string());
        accepted(&place, "oci:lay:1 --policy etc/p.json --name acme/tool:1");
    }
    assert!(place.path("etc/kept/metadata/root.json").exists() && !place.path("kept").exists());
    std::fs::create_dir(place.path("elsewhere")).unwrap();
    let line = "verify oci:../lay:1 --policy ../etc/p.json --name acme/tool:1";
    let ran = Ran::of(line, place.touchmark(line).current_dir(place.path("elsewhere")).output().unwrap());
    ran.is(0);
}

#[test]
fn what_a_policy_says_is_not_said_by_options_too() {
    let place = made();
    policy(&place, &json!([by_trust("acme/**")]));
    let ask = "oci:lay:1 --name acme/tool:1 --policy p.json";
    for more in ["--key acme.pub", "--threshold 1", "--root trust/metadata/1.root.json", "--trust trust", "--store none"] {
        place.verify_is(2, &format!("{ask} {more}"));
    }
    // What narrows it may be said.
    refused(&place, 1, "threshold", &format!("{ask} --annotation a=b"));
    refused(&place, 3, "unsigned", &format!("{ask} --type slsa-v1"));
    accepted(&place, &format!("{ask} --require-fresh"));
    policy(&place, &json!([{"names": "acme/**", "trust": "ours", "annotations": {"a": "c"}}]));
    refused(&place, 2, "policy-annotation", &format!("{ask} --annotation a=b"));
    place.verify_is(2, "oci:lay:1 --policy missing.json");
}

#[test]
fn a_name_leads_to_its_artifact_where_it_is_listed() {
    let place = made();
    let registry = place.registry(Settings::default());
    let repository = format!("{}/some/where", registry.host());
    place.pack(&format!("{repository}:x"), "one");
    place.pack(&format!("{repository}:y"), "two");
    policy(&place, &json!([by_trust("acme/**")]));
    for by in [BY_ROOT, "--policy p.json"] {
        let ask = |place: &str| format!("{place} {by} --name acme/tool:stable --resolve");
        let result = refused(&place, 1, "no-entry", &ask(&repository));
        let expected = json!({"file": "p.json", "rule": 1, "pattern": "acme/**"});
        assert_eq!(result["policy"], if by == BY_ROOT { Value::Null } else { expected });
    }
    place.ok(&format!("trust name set acme/tool:stable {repository}:x"));
    publish(&place, "--key acme");
    place.ok(&format!("copy {repository}:x {repository}:y oci:both"));
    place.ok(&format!("copy {repository}:x {repository}:y oci-archive:both.tar"));
    for by in [BY_ROOT, "--policy p.json"] {
        for where_ in [repository.as_str(), "oci:both", "oci-archive:both.tar"] {
            let result = accepted(&place, &format!("{where_} {by} --name acme/tool:stable --resolve"));
            assert_eq!(result["pin"], place.ok(&format!("resolve {where_}:x")));
        }
    }
    let ask = format!("{BY_ROOT} --name acme/tool:stable --resolve");
    place.ok(&format!("unpack {repository} --out out {ask}"));
    place.ok(&format!("copy {repository} oci:one:1 --verify {ask}"));
    refused(&place, 2, "usage", &format!("{repository}:x {ask}"));
    refused(&place, 2, "usage", &format!("{repository} {BY_ROOT} --name acme/tool --any-version --resolve"));
    place.verify_is(2, &format!("{repository} --key acme.pub --resolve"));
    place.ok("trust name remove acme/tool:stable");
    publish(&place, "--key acme");
    let result = refused(&place, 1, "no-entry", &format!("{repository} {ask}"));
    assert!(result["error"]["message"].as_str().unwrap().contains("withdrawn"));
}

#[test]
fn explain_says_which_rule_and_why_not_those_before_it() {
    let place = made();
    let rules = json!([
        {"reference": "registry.example/other/*:*", "keys": "mallory.pub"},
        by_trust("other/**"),
        {"reference": "registry.example/acme/(*):(*)", "name": "acme/$1:$2", "keys": ["acme.pub", "mallory.pub"], "threshold": 2},
    ]);
    policy(&place, &rules);
    let document = place.json("policy explain registry.example/acme/app:1 --policy p.json", 0);
    let explained = &document["results"][0]["explanation"];
    assert_eq!((&explained["rule"], &explained["expected_name"]), (&json!(3), &json!("acme/app:1")));
    assert_eq!(explained["captures"], json!(["app", "1"]));
    assert_eq!(explained["keys"].as_array().unwrap().len(), 2);
    assert_eq!(explained["passed_over"].as_array().unwrap().len(), 2);
    let text = place.run("policy explain registry.example/acme/app:1 --policy p.json").is(0);
    assert!(text.stdout.contains("signed by 2 of") && text.stderr.contains("rule 2 is not for it: it is for names"), "{text:?}");
    let none = place.json("policy explain oci:x:1 --policy p.json", 1);
    assert_eq!(none["results"][0]["error"]["code"], "no-rule");
    assert_eq!(none["results"][0]["explanation"]["passed_over"].as_array().unwrap().len(), 3);
    let trust = place.json("policy explain oci:x:1 --name other/x --policy p.json", 0);
    assert!(trust["results"][0]["explanation"]["trust_root"].as_str().unwrap().starts_with("sha256:"));
    place.json("policy explain oci:x:1", 2);
    let other = place.json("policy explain registry.example/acme/app:1 --name acme/x:1 --policy p.json", 2);
    assert_eq!(other["results"][0]["error"]["code"], "policy-other-name");
}

#[test]
fn the_digest_of_a_pin_is_never_a_tag() {
    let place = made();
    let pin = place.ok("resolve oci:lay:1");
    policy(&place, &json!([{"reference": "oci:lay@(*)", "keys": "acme.pub"}]));
    refused(&place, 1, "no-rule", &format!("{pin} --policy p.json"));
    policy(&place, &json!([{"reference": "oci:lay@sha256:(*)", "keys": "acme.pub"}]));
    assert_eq!(digest(accepted(&place, &format!("{pin} --policy p.json"))["pin"].as_str().unwrap()), digest(&pin));
}
