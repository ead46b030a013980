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

/// What could not be carried over, each as its place and code.
fn lost(document: &Value) -> Vec<String> {
    let word = |one: &Value, name: &str| one[name].as_str().unwrap().to_owned();
    let lost = document["results"][0]["not_carried_over"].as_array().unwrap();
    lost.iter().map(|one| format!("{} {}", word(one, "at"), word(one, "code"))).collect()
}

/// As Fedora's image-based desktops have it: GPG for one vendor, cosign's keys for another, and anything from elsewhere.
#[test]
fn a_policy_json_of_a_desktop_is_carried_over_as_far_as_keys_sign() {
    let place = Place::new();
    place.file(
        "policy.json",
        r#"{
            "default": [{"type": "reject"}],
            "transports": {
                "docker": {
                    "registry.access.redhat.com": [
                        {"type": "signedBy", "keyType": "GPGKeys", "keyPath": "/etc/pki/rpm-gpg/RPM-GPG-KEY-redhat-release"}
                    ],
                    "quay.io/toolbx-images": [
                        {
                            "type": "sigstoreSigned",
                            "keyPath": "/usr/lib/pki/containers/quay.io-toolbx-images.pub",
                            "signedIdentity": {"type": "matchRepository"}
                        }
                    ],
                    "ghcr.io/ublue-os": [
                        {
                            "type": "sigstoreSigned",
                            "keyPaths": ["/usr/lib/pki/containers/ublue-os.pub", "/usr/lib/pki/containers/ublue-os-backup.pub"],
                            "signedIdentity": {"type": "matchRepository"}
                        }
                    ],
                    "": [{"type": "insecureAcceptAnything"}]
                },
                "containers-storage": {"": [{"type": "insecureAcceptAnything"}]},
                "oci": {"": [{"type": "reject"}]}
            }
        }"#,
    );
    let document = place.json("policy import containers policy.json", 0);
    assert_eq!(
        lost(&document),
        [
            "/transports/docker/registry.access.redhat.com/0 import-gpg",
            "/transports/docker/ import-accepts-anything",
            "/transports/containers-storage/ import-transport",
        ]
    );
    let rules = document["results"][0]["policy"]["rules"].as_array().unwrap();
    let ublue = rules.iter().find(|rule| rule["name"] == "ghcr.io/ublue-os/$1:*").unwrap();
    assert_eq!(ublue["reference"], json!(["ghcr.io/ublue-os/(*):**", "ghcr.io/ublue-os/(*)@**"]));
    assert_eq!(ublue["keys"], json!(["/usr/lib/pki/containers/ublue-os.pub", "/usr/lib/pki/containers/ublue-os-backup.pub"]));
    assert!(rules.iter().any(|rule| rule["keys"] == "/usr/lib/pki/containers/quay.io-toolbx-images.pub"));
    // Nothing wider accepts what the vendor signs with GPG, so that nothing must be rejected.
    assert!(!rules.iter().any(|rule| rule.get("reject").is_some()));
    let ran = place.run("policy import containers policy.json --output made.json").is(0);
    assert_eq!(ran.stdout, "made.json\n");
    assert!(ran.stderr.contains("warning: not carried over: /transports/docker/registry.access.redhat.com/0: is rejected: GPG keys"));
    place.run("policy import containers policy.json --output made.json").is(2).says("is there already");
    place.run("policy check made.json").is(2).says("cannot be read");
}

#[test]
fn a_mirror_s_identities_are_captures() {
    let place = Place::new();
    let identity = json!({"type": "remapIdentity", "prefix": "mirror.example/vendor", "signedPrefix": "vendor.example.com"});
    let requirement = json!([{"type": "sigstoreSigned", "keyPath": "/k.pub", "signedIdentity": identity}]);
    let policy = json!({"default": [{"type": "reject"}], "transports": {"docker": {"mirror.example/vendor": requirement}}});
    place.file("policy.json", policy.to_string());
    let document = place.json("policy import containers policy.json", 0);
    assert!(lost(&document).is_empty());
    let rules = document["results"][0]["policy"]["rules"].as_array().unwrap();
    let of = |reference: &str| rules.iter().find(|rule| rule["reference"] == reference).map(|rule| rule["name"].clone());
    assert_eq!(of("mirror.example/vendor/(*)/(*):(*)"), Some(json!("vendor.example.com/$1/$2:$3")));
    assert_eq!(of("mirror.example/vendor/(*)@**"), Some(json!("vendor.example.com/$1:*")));
    // A host alone is no name.
    assert_eq!(of("mirror.example/vendor:(*)"), None);
}

#[test]
fn a_narrower_scope_that_is_not_carried_over_is_rejected() {
    let place = Place::new();
    let key = json!({"type": "sigstoreSigned", "keyPath": "/k.pub", "signedIdentity": {"type": "matchRepository"}});
    let logged = json!({"type": "sigstoreSigned", "keyPath": "/k.pub", "rekorPublicKeyPath": "/r.pub"});
    let scopes = json!({"r.example": [key], "r.example/logged": [logged], "r.example/bad:1": [{"type": "reject"}]});
    place.file("policy.json", json!({"default": [{"type": "reject"}], "transports": {"docker": scopes}}).to_string());
    let document = place.json("policy import containers policy.json", 0);
    assert_eq!(lost(&document), ["/transports/docker/r.example~1logged/0/rekorPublicKeyPath import-log"]);
    let rules = document["results"][0]["policy"]["rules"].as_array().unwrap();
    assert_eq!(rules[0], json!({"comment": "what else is in docker:r.example/bad:1", "reference": "r.example/bad:1", "reject": true}));
    assert_eq!(rules[1]["reference"], json!(["r.example/logged:**", "r.example/logged@**", "r.example/logged/**"]));
    assert_eq!(rules[1]["reject"], true);
    assert!(rules[2..].iter().all(|rule| rule.get("reject").is_none()) && rules.len() > 3);
}

#[test]
fn keys_in_a_policy_json_are_carried_over() {
    use base64::Engine as _;
    let place = Place::new();
    place.key("alice");
    let pem = place.read("alice.pub");
    let encode = |bytes: &[u8]| base64::engine::general_purpose::STANDARD.encode(bytes);
    let policy = |data: &Value| {
        let requirement = json!([{"type": "sigstoreSigned", "keyDatas": data, "signedIdentity": {"type": "exactReference", "dockerReference": "r.example/a:1"}}]);
        json!({"default": requirement}).to_string()
    };
    let remarked = [b"the key of alice\n".as_slice(), &pem].concat();
    place.file("policy.json", policy(&json!([encode(&remarked), encode(&pem)])));
    let document = place.json("policy import containers policy.json", 0);
    assert!(lost(&document).is_empty(), "{document:#}");
    let rules = document["results"][0]["policy"]["rules"].as_array().unwrap();
    assert_eq!((rules.len(), &rules[0]["name"], &rules[0]["reference"]), (1, &json!("r.example/a:1"), &json!(["*/**", "*:*/**"])));
    assert_eq!(rules[0]["keys"], String::from_utf8(pem.clone()).unwrap());
    for bad in [
        json!(["%"]),
        json!([encode(b"no key")]),
        json!([encode(b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n")]),
        json!([]),
    ] {
        place.file("bad.json", policy(&bad));
        let document = place.json("policy import containers bad.json", 0);
        assert_eq!((lost(&document).len(), document["results"][0]["rules"].as_u64()), (1, Some(0)), "{bad}");
    }
}

#[test]
fn what_is_no_policy_json_is_a_usage_error() {
    let place = Place::new();
    for (text, why) in [
        ("{", "is no JSON"),
        ("[]", "is no policy.json"),
        (r#"{"transports": {}}"#, "has no `default`"),
        (r#"{"default": [], "extra": 1}"#, "`extra` is not known"),
        (r#"{"default": [], "default": [{"type": "insecureAcceptAnything"}]}"#, "duplicate member"),
    ] {
        place.file("policy.json", text);
        place.run("policy import containers policy.json").is(2).says(why);
    }
    place.run("policy import docker policy.json").is(2);
    place.run("policy import containers policy.json --key ca:x=y.pub").is(2).says("--key is for trust stores of notation");
}

/// The second example of the Notary Project's specification.
const TRUSTPOLICY: &str = r#"{
    "version": "1.0",
    "trustPolicies": [
        {
            "name": "wabbit-networks-images",
            "registryScopes": ["registry.acme-rockets.io/software/net-monitor", "registry.acme-rockets.io/software/net-logger"],
            "signatureVerification": {"level": "strict"},
            "trustStores": ["ca:wabbit-networks", "tsa:trusted-tsa"],
            "trustedIdentities": ["x509.subject: C=US, ST=WA, L=Seattle, O=wabbit-networks.io, OU=Security Tools"]
        },
        {
            "name": "unsigned-image",
            "registryScopes": ["registry.wabbit-networks.io/software/unsigned/net-utils"],
            "signatureVerification": {"level": "skip"}
        },
        {
            "name": "use-expired-image",
            "registryScopes": ["registry.acme-rockets.io/software/legacy/metrics"],
            "signatureVerification": {"level": "strict", "override": {"expiry": "log", "revocation": "skip"}},
            "trustStores": ["ca:acme-rockets"],
            "trustedIdentities": ["*"]
        },
        {
            "name": "global-policy-for-all-other-images",
            "registryScopes": ["*"],
            "signatureVerification": {"level": "permissive"},
            "trustStores": ["ca:acme-rockets", "ca:acme-rockets-ca2"],
            "trustedIdentities": ["x509.subject: C=US, ST=WA, L=Seattle, O=acme-rockets.io, OU=Finance, CN=SecureBuilder"]
        }
    ]
}"#;

#[test]
fn a_trustpolicy_json_needs_a_key_for_each_trust_store() {
    let place = Place::new();
    place.file("trustpolicy.json", TRUSTPOLICY);
    let document = place.json("policy import notation trustpolicy.json", 0);
    assert_eq!(document["results"][0]["policy"], json!({"version": 1, "rules": []}));
    assert_eq!(
        lost(&document),
        [
            "/trustPolicies/0/trustStores/0 import-certificates",
            "/trustPolicies/0/trustStores/1 import-time",
            "/trustPolicies/0/trustedIdentities import-certificates",
            "/trustPolicies/1/signatureVerification import-accepts-anything",
            "/trustPolicies/2/trustStores/0 import-certificates",
            "/trustPolicies/3/trustStores/0 import-certificates",
            "/trustPolicies/3/trustStores/1 import-certificates",
            "/trustPolicies/3/trustedIdentities import-certificates",
        ]
    );
    let line = "policy import notation trustpolicy.json --key ca:acme-rockets=acme.pub";
    let document = place.json(line, 0);
    let rules = document["results"][0]["policy"]["rules"].as_array().unwrap();
    let metrics = "registry.acme-rockets.io/software/legacy/metrics";
    assert_eq!(rules.len(), 3, "{document:#}");
    // The vendor's repositories would be accepted by the rule for all others.
    let rejected = rules.iter().find(|rule| rule.get("reject").is_some()).unwrap();
    assert_eq!(rejected["reference"][0], "registry.acme-rockets.io/software/net-monitor:**");
    assert_eq!(rejected["reference"].as_array().unwrap().len(), 4);
    let exact =
        json!({"comment": "use-expired-image", "reference": [format!("{metrics}:**"), format!("{metrics}@**")], "keys": "acme.pub"});
    assert!(rules.contains(&exact));
    assert_eq!(rules[2], json!({"comment": "global-policy-for-all-other-images", "reference": ["*/**", "*:*/**"], "keys": "acme.pub"}));
    place.run("policy import notation trustpolicy.json --key acme=acme.pub").is(2).says("ca:NAME=PUB");
}

#[test]
fn what_a_trustpolicy_json_accepts_unsigned_is_not_accepted() {
    let place = Place::new();
    let import = |verification: &Value, code: i32| {
        let policy = json!({"name": "x", "registryScopes": ["*"], "signatureVerification": verification, "trustStores": ["ca:a"], "trustedIdentities": ["*"]});
        place.file("t.json", json!({"version": "1.0", "trustPolicies": [policy]}).to_string());
        let document = place.json("policy import notation t.json --key ca:a=a.pub", code);
        document["results"][0]["rules"].as_u64()
    };
    for nothing in [json!({"level": "audit"}), json!({"level": "skip"}), json!({"level": "strict", "override": {"authenticity": "log"}})] {
        assert_eq!(import(&nothing, 0), Some(0), "{nothing}");
    }
    for enforced in
        [json!({"level": "strict"}), json!({"level": "permissive"}), json!({"level": "audit", "override": {"authenticity": "enforce"}})]
    {
        assert_eq!(import(&enforced, 0), Some(1), "{enforced}");
    }
    assert_eq!(import(&json!({"level": "lenient"}), 2), None);
    place.file("t.json", r#"{"version": "2.0", "trustPolicies": []}"#);
    place.run("policy import notation t.json").is(2).says("version 1.0");
}

/// The rule that decides about `reference` by `policy.json`.
fn decides(place: &Place, reference: &str) -> u64 {
    let explained = place.json(&format!("policy explain {reference} --policy policy.json"), 0);
    explained["results"][0]["explanation"]["rule"].as_u64().unwrap()
}

#[test]
fn a_port_that_is_the_default_one_does_not_evade_a_rule() {
    let place = Place::new();
    place.key("alice");
    let rule = |pattern: &str| json!({"reference": pattern, "keys": "alice.pub"});
    let rules = [rule("r.example/**"), rule("[::1]:5000/**"), rule("**")];
    place.file("policy.json", json!({"version": 1, "rules": rules}).to_string());
    for host in ["r.example", "r.example:443", "R.Example:443", "r.example:0443"] {
        assert_eq!(decides(&place, &format!("{host}/acme/x:1")), 1, "{host}");
    }
    for host in ["[::1]:5000", "[0:0::1]:5000", "[::0001]:05000"] {
        assert_eq!(decides(&place, &format!("{host}/acme/x:1")), 2, "{host}");
    }
    assert_eq!(decides(&place, "r.example:80/acme/x:1"), 3);
    for host in ["r.example.", "r.example.:443", "127.1:5000", "0x7f.1"] {
        place.run(&format!("policy explain {host}/acme/x:1 --policy policy.json")).is(2).says("is no reference");
    }
    // A rule that could never decide is told, lest another one does in its place.
    place.file("port.json", json!({"version": 1, "rules": [rule("r.example:443/**")]}).to_string());
    place
        .run("policy check port.json")
        .is(2)
        .says("443 is the default port, which is left out")
        .says("try: write the host as pins show it");
}

#[test]
fn another_name_of_docker_hub_does_not_evade_a_rule() {
    let place = Place::new();
    place.key("alice");
    let rule = |pattern: &str| json!({"reference": pattern, "keys": "alice.pub"});
    place.file("policy.json", json!({"version": 1, "rules": [rule("docker.io/acme/**"), rule("**")]}).to_string());
    for host in ["docker.io", "index.docker.io", "registry-1.docker.io", "Index.Docker.io:443"] {
        assert_eq!(decides(&place, &format!("{host}/acme/x:1")), 1, "{host}");
    }
    assert_eq!(decides(&place, "mirror.docker.io/acme/x:1"), 2);
    place.file("hub.json", json!({"version": 1, "rules": [rule("index.docker.io/acme/**")]}).to_string());
    place.run("policy check hub.json").is(2).says("Docker Hub is docker.io");
}
