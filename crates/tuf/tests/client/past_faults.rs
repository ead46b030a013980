//! Past faults of TUF implementations, one test each, named by the advisory or the place where it was found.
//!
//! Those about files on disk are here as far as the client names files: [`Machine`] asserts for every step that a name stays in its
//! folder.

use touchmark_test_tuf_repository::{Delegation, Key, Repository, Served, assemble, json, set, signature};
use touchmark_tuf::{Class, Error, RoleName, TargetPath};

use crate::attack::{DELEGATED, TARGET, accepted, by_two_keys, honest, honest_with_hashes, is, refused, renew};
use crate::machine::Machine;

/// `honest` with a threshold of two for every role, by two keys each.
fn two_keys_each() -> Repository {
    by_two_keys(|role| [Key::ed25519(&format!("{role} 1")), Key::p256(&format!("{role} 2"))])
}

#[test]
fn cve_2020_6174_and_cve_2026_6966_repeated_signatures_of_one_key_are_refused() {
    for role in ["root", "timestamp", "snapshot", "targets", "acme"] {
        let repository = two_keys_each();
        for index in [0, 1] {
            let one = repository.signers(role)[index].clone();
            let other = repository.signers(role)[1 - index].keyid().to_owned();
            for signing in [
                vec![one.clone(); 3],
                vec![one.clone(), one.clone().with_keyid(&other)],
                vec![one.clone().with_keyid("x"), one.clone().with_keyid("y"), one.clone()],
            ] {
                refused(&repository, "tuf-threshold", |repository| repository.sign_by(role, &signing));
            }
        }
    }
}

#[test]
fn cve_2020_6174_two_different_ecdsa_signatures_of_one_key_are_refused() {
    // r and n - s is as valid as r and s, and other bytes.
    let repository = two_keys_each();
    for role in ["timestamp", "snapshot", "targets", "acme"] {
        refused(&repository, "tuf-threshold", |repository| {
            let signed = repository.signed(role).clone();
            let key = repository.signers(role)[1].clone();
            let mut document = assemble(&signed, &[key.clone(), key.clone()]);
            let sig = match touchmark_test_tuf_repository::at(&mut document, "/signatures/0/sig") {
                touchmark_envelope::json::Value::String(sig) => other_signature(sig),
                other => panic!("{other:?}"),
            };
            set(&mut document, "/signatures/0", signature(key.keyid(), &sig));
            let bytes = repository.written(&document);
            repository.serve(&repository.path(role), bytes);
        });
    }
}

/// The signature `r`, `n - s` for the signature `r`, `s` in DER.
fn other_signature(hex: &str) -> String {
    const ORDER: [u8; 32] = [
        0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17,
        0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
    ];
    let bytes: Vec<u8> = (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect();
    let r_end = 4 + usize::from(bytes[3]);
    let s = &bytes[r_end + 2..];
    let padded = [vec![0; 32_usize.saturating_sub(s.len())], s[s.len().saturating_sub(32)..].to_vec()].concat();
    let (mut borrow, mut negative) = (0_i16, [0_u8; 32]);
    for at in (0..32).rev() {
        let difference = i16::from(ORDER[at]) - i16::from(padded[at]) - borrow;
        borrow = i16::from(difference < 0);
        negative[at] = u8::try_from(difference.rem_euclid(256)).unwrap();
    }
    let zeros = negative.iter().take_while(|byte| **byte == 0).count();
    let mut integer = negative[zeros..].to_vec();
    if integer[0] >= 0x80 {
        integer.insert(0, 0);
    }
    let inner = [&bytes[2..r_end], &[2, u8::try_from(integer.len()).unwrap()], &integer].concat();
    touchmark_envelope::digest::hex(&[&[0x30, u8::try_from(inner.len()).unwrap()], inner.as_slice()].concat())
}

#[test]
fn cve_2020_15163_root_that_failed_verification_is_not_trusted_on_disk() {
    let repository = honest();
    let mut machine = Machine::refreshed(&repository);
    let mut evil = repository.clone();
    evil.set_keys("root", 1, &[Key::ed25519("thief")]);
    evil.bump("root");
    evil.sign("root");
    evil.sign_by("root", &[Key::ed25519("thief")]);
    for _ in 0..2 {
        assert_eq!(machine.refresh(&evil).unwrap_err().code(), "tuf-threshold");
        assert_eq!(machine.store["root.json"], repository.file("1.root.json"));
    }
    machine.refresh(&repository).unwrap();
}

#[test]
fn cve_2021_41131_41150_role_names_lead_to_no_other_folder() {
    let long = "x".repeat(300);
    for name in [
        "../x",
        "/abs",
        "a\\b",
        "C:",
        "C:\\x",
        "nul\0",
        "..",
        ".",
        "../../etc/passwd",
        &long,
        "CON",
        "aux.txt",
        "%2e%2e%2fx",
        "a/../../b",
        "é",
        "\u{202e}x",
        " ",
        "a\nb",
        "~",
        "-rf",
        "x?y#z",
        "x%00",
        "timestamp.json",
        "root.json/../x",
    ] {
        let mut repository = Repository::new();
        repository.delegate("targets", Delegation::new(name).paths(&["x"]));
        repository.add_target(name, "x", b"x");
        repository.publish();
        let mut machine = Machine::new(&repository);
        let outcome = machine.find(&repository, "x").unwrap_or_else(|error| panic!("{name:?}: {error}"));
        assert_eq!(outcome.found.unwrap().role.as_str(), name);
        assert_eq!(machine.store.len(), 5, "{name:?}");
        // What the last run stored is found again, and not fetched.
        machine.find(&repository, "x").unwrap();
        assert_eq!(machine.fetched().len(), 2, "{name:?}");
        // And nothing of the top-level roles was overwritten.
        for role in ["root", "timestamp", "snapshot", "targets"] {
            assert_eq!(machine.store[&format!("{role}.json")], repository.file(&repository.path(role)), "{name:?}");
        }
    }
}

#[test]
fn cve_2021_41131_different_role_names_have_different_files() {
    let names = ["a/b", "a%2Fb", "a%2fb", "a\\b", "A/B", "a.json", "a", "é", "e\u{301}", ".a", "root.json"];
    let files: std::collections::BTreeSet<String> = names.iter().map(|name| RoleName::delegated(name).unwrap().file()).collect();
    assert_eq!(files.len(), names.len(), "{files:?}");
}

#[test]
fn ghsa_77hh_43cm_v8j6_a_role_that_nobody_delegates_to_is_never_loaded() {
    let mut repository = honest();
    repository.delegate("targets", Delegation::new("orphan").paths(&["orphan"]));
    repository.publish();
    repository.unset("targets", "/delegations/roles/1");
    repository.publish();
    let mut machine = Machine::new(&repository);
    let mut client = machine.refresh(&repository).unwrap();
    assert_eq!(machine.look_up(&mut client, &repository, "orphan").unwrap().found, None);
    assert!(client.role(&RoleName::delegated("orphan").unwrap()).is_none());
    assert!(!machine.steps.iter().any(|step| step.contains("orphan")));
}

#[test]
fn ghsa_qp9x_wp8f_qgjj_patterns_see_case_and_backslashes_everywhere() {
    let mut repository = Repository::new();
    repository.delegate("targets", Delegation::new("acme").paths(&["acme/*", r"win\*"]));
    for target in ["acme/tool", "ACME/tool", "Acme/tool", r"acme\tool", r"win\tool", r"win/tool"] {
        repository.add_target("acme", target, b"x");
    }
    repository.publish();
    let mut machine = Machine::new(&repository);
    let mut client = machine.refresh(&repository).unwrap();
    for (target, found) in
        [("acme/tool", true), ("ACME/tool", false), ("Acme/tool", false), (r"acme\tool", false), (r"win\tool", true), ("win/tool", false)]
    {
        assert_eq!(machine.look_up(&mut client, &repository, target).unwrap().found.is_some(), found, "{target}");
    }
}

#[test]
fn python_tuf_2978_diamond_delegation_does_not_trust_the_cached_role() {
    // Two parents, different keys, two look-ups with one client; more of it in search.rs.
    let mut repository = Repository::new();
    for side in ["left", "right"] {
        let path = format!("{side}/*");
        repository.delegate("targets", Delegation::new(side).paths(&[&path]));
        repository.delegate(side, Delegation::new("shared").paths(&["*/*"]).keys(1, &[Key::ed25519(&format!("of {side}"))]));
    }
    repository.add_target("shared", "left/x", b"x");
    repository.add_target("shared", "right/x", b"x");
    repository.set_signers("shared", &[Key::ed25519("of left")]);
    repository.publish();
    let mut machine = Machine::new(&repository);
    let mut client = machine.refresh(&repository).unwrap();
    assert!(machine.look_up(&mut client, &repository, "left/x").unwrap().found.is_some());
    let error = machine.look_up(&mut client, &repository, "right/x").unwrap_err();
    assert_eq!((error.code(), error.class()), ("tuf-threshold", Class::Untrusted));
}

#[test]
fn cve_2022_29173_and_cve_2025_2887_rollback_of_every_role_is_noticed_after_a_restart() {
    let old = honest_with_hashes();
    for role in ["timestamp", "snapshot", "targets", "acme"] {
        let mut new = old.clone();
        renew(&mut new);
        let mut machine = Machine::new(&old);
        machine.find(&new, DELEGATED).unwrap();
        let kept = machine.store.clone();
        // Well signed, one version lower, in a snapshot and a timestamp that are newer than any before.
        let mut evil = new.clone();
        evil.set(role, "/version", new.version(role) - 1);
        if role == "timestamp" {
            evil.sign(role);
        } else {
            evil.push(role);
        }
        let error = machine.find(&evil, DELEGATED).unwrap_err();
        assert_eq!(error.code(), "tuf-rollback", "{role}: {error}");
        for file in ["snapshot.json", "targets.json", "acme.json"] {
            assert_eq!(machine.store[file], kept[file], "{role}");
        }
    }
}

#[test]
fn ghsa_66x3_6cw3_v5gj_and_ghsa_3633_one_key_under_several_keyids_is_counted_once() {
    let key = Key::ed25519("one");
    let ids: Vec<Key> = ["sha256 of it", "sha512 of it", "md5 of it"].iter().map(|id| key.clone().with_keyid(id)).collect();
    let mut repository = Repository::new();
    let listed = [ids.as_slice(), &[Key::ed25519("two")]].concat();
    repository.delegate("targets", Delegation::new("acme").paths(&["acme/*"]).keys(2, &listed));
    repository.add_target("acme", DELEGATED, b"tool");
    repository.add_target("targets", TARGET, b"content");
    repository.publish();
    refused(&repository, "tuf-threshold", |repository| repository.forge_by("acme", &ids, |_| ()));
    accepted(&repository, |repository| repository.forge_by("acme", &listed[2..], |_| ()));
}

#[test]
fn cve_2024_47534_the_order_of_delegations_is_that_of_the_document() {
    for order in [["z", "a", "m"], ["m", "z", "a"], ["a", "m", "z"]] {
        let mut repository = Repository::new();
        for name in order {
            repository.delegate("targets", Delegation::new(name).paths(&["x"]));
            repository.add_target(name, "x", name.as_bytes());
        }
        repository.publish();
        assert_eq!(Machine::new(&repository).find(&repository, "x").unwrap().found.unwrap().role.as_str(), order[0]);
    }
}

#[test]
fn cve_2026_23991_well_formed_json_of_a_wrong_shape_before_any_signature_is_an_error_and_no_panic() {
    // Every place of every document, signed and not, is in shapes.rs.
    let shapes = ["null", "1", "\"x\"", "[]", "[[]]", "[null]", "{}", "{\"\":null}", "{\"_type\":[]}", "{\"_type\":\"root\"}"];
    for role in ["root", "timestamp", "snapshot", "targets", "acme"] {
        let mut evil = honest();
        renew(&mut evil);
        for signed in shapes {
            for signatures in ["null", "1", "\"x\"", "{}", "[]", "[null]", "[[]]", "[\"x\"]", "[{}]", "[{\"keyid\":null,\"sig\":[]}]"] {
                evil.serve(&evil.path(role), format!("{{\"signed\":{signed},\"signatures\":{signatures}}}").into_bytes());
                is(&Machine::new(&evil).find(&evil, DELEGATED).unwrap_err(), Class::Untrusted);
            }
        }
    }
}

#[test]
fn cve_2026_23992_threshold_of_zero_or_less_disables_nothing() {
    for threshold in ["0", "-1", "-9223372036854775808", "9223372036854775808", "18446744073709551616", "1.0", "true", "[]"] {
        for role in ["root", "timestamp", "snapshot", "targets"] {
            let mut evil = honest();
            evil.set("root", &format!("/roles/{role}/threshold"), json(threshold));
            evil.bump("root");
            evil.sign("root");
            let mut machine = Machine::refreshed(&honest());
            is(&machine.refresh(&evil).unwrap_err(), Class::Untrusted);
            assert_eq!(machine.version("root.json"), Some(1));
        }
        refused(&honest(), if threshold.len() > 15 || threshold == "1.0" { "tuf-document" } else { "tuf-malformed" }, |repository| {
            repository.forge("targets", |signed| set(signed, "/delegations/roles/0/threshold", json(threshold)));
        });
    }
    let mut evil = honest();
    evil.unset("root", "/roles/snapshot/threshold");
    evil.bump("root");
    evil.sign("root");
    assert_eq!(Machine::refreshed(&honest()).refresh(&evil).unwrap_err().code(), "tuf-malformed");
    refused(&honest(), "tuf-malformed", |repository| {
        repository.forge("targets", |signed| {
            touchmark_test_tuf_repository::remove(signed, "/delegations/roles/0/threshold");
        });
    });
}

#[test]
fn cve_2026_23992_a_threshold_above_the_number_of_keys_is_refused_for_top_level_roles() {
    for role in ["root", "timestamp", "snapshot", "targets"] {
        let mut evil = honest();
        evil.set("root", &format!("/roles/{role}/threshold"), 2_u64);
        evil.bump("root");
        evil.sign("root");
        let error = Machine::refreshed(&honest()).refresh(&evil).unwrap_err();
        assert_eq!((error.code(), error.class()), ("tuf-malformed", Class::Untrusted), "{error}");
    }
}

#[test]
fn cve_2026_23992_a_delegated_threshold_above_the_number_of_keys_stops_that_role_alone() {
    let mut repository = honest();
    repository.delegate("targets", Delegation::new("never").paths(&["never"]).keys(3, &[Key::ed25519("1"), Key::ed25519("2")]));
    repository.publish();
    let mut machine = Machine::new(&repository);
    let error = machine.find(&repository, "never").unwrap_err();
    assert!(matches!(error, Error::Unreachable { needed: 3, keys: 2, .. }), "{error}");
    assert!(machine.find(&repository, DELEGATED).unwrap().found.is_some());
}

#[test]
fn ghsa_jqc5_w2xx_5vq4_map_file_names_lead_to_no_other_folder() {
    let map = |name: &str| {
        let name = String::from_utf8(touchmark_envelope::json::Value::from(name.to_owned()).to_vec()).unwrap();
        let text = format!(r#"{{"repositories":{{{name}:["https://a.example/"]}},"mapping":[]}}"#);
        touchmark_tuf::map::Map::parse(text.as_bytes())
    };
    assert!(map("acme-1.eu_west").is_ok());
    for name in [
        "../x",
        "..",
        ".",
        "/abs",
        "a/b",
        r"a\b",
        "C:",
        "nul\0",
        "NUL",
        "com1.txt",
        "",
        " ",
        "a ",
        ".hidden",
        "a.",
        "\u{e9}",
        &"x".repeat(300),
    ] {
        assert!(matches!(map(name), Err(touchmark_tuf::map::MapError::Name(_))), "{name:?}");
    }
}

#[test]
fn cve_2021_41149_target_paths_that_lead_elsewhere_cannot_be_asked_for() {
    for path in ["../x", "/abs", "a/../b", "a//b", "./x", "..", "", "a/", "nul\0", "new\nline"] {
        assert!(TargetPath::new(path).is_err(), "{path:?}");
    }
    // What is asked for stays below the targets URL, whatever its characters mean there.
    for path in [r"..\x", r"C:\x", "%2e%2e/x", "a?b#c", "a/%2e%2e%2fb", "C:x", "é", "a b", "//host/x".trim_start_matches('/')] {
        let target = TargetPath::new(path).unwrap();
        let asked = target.fetch_path(None);
        let plain = |character: char| character.is_ascii_alphanumeric() || "-._~%/".contains(character);
        assert!(asked.chars().all(plain) && !asked.starts_with('/') && !asked.split('/').any(|part| part == ".."), "{asked}");
        assert_eq!(asked.matches('/').count(), path.matches('/').count(), "{asked}");
        assert!(!target.file().contains('/'), "{}", target.file());
    }
}

#[test]
fn cve_2021_41149_a_target_that_leads_elsewhere_harms_no_other_target() {
    // tough: one target outside of its delegation, or with such a name, poisons the whole repository.
    let mut repository = honest();
    for path in ["../evil", "/abs", "", "a\0b", "outside/of/acme"] {
        repository.add_target("acme", path, b"evil");
    }
    repository.publish();
    let mut machine = Machine::new(&repository);
    assert!(machine.find(&repository, DELEGATED).unwrap().found.is_some());
    assert_eq!(machine.find(&repository, "outside/of/acme").unwrap().found, None);
}

#[test]
fn cve_2025_2885_root_versions_that_are_not_sequential_are_refused() {
    for version in [1_u64, 3] {
        refused(&honest(), "tuf-version", |repository| repository.forge("root", |signed| set(signed, "/version", version)));
    }
}

#[test]
fn cve_2025_2886_terminating_delegation_is_honoured() {
    let mut repository = Repository::new();
    repository.delegate("targets", Delegation::new("first").paths(&["x"]).terminating());
    repository.delegate("targets", Delegation::new("second").paths(&["x"]));
    repository.add_target("second", "x", b"must not be found");
    repository.publish();
    let mut machine = Machine::new(&repository);
    assert_eq!(machine.find(&repository, "x").unwrap().found, None);
    assert!(!machine.steps.iter().any(|step| step.contains("second")));
}

#[test]
fn cve_2025_2888_a_refused_snapshot_does_not_lock_the_client() {
    // The timestamp before it was good and is kept; the next good repository is taken, of the same version too.
    let old = honest();
    let mut new = old.clone();
    renew(&mut new);
    let mut machine = Machine::refreshed(&old);
    let mut evil = new.clone();
    evil.set("snapshot", "/meta/targets.json/version", 1_u64);
    evil.push("snapshot");
    assert_eq!(machine.refresh(&evil).unwrap_err().code(), "tuf-rollback");
    let mut good = new.clone();
    good.set("timestamp", "/version", evil.version("timestamp"));
    good.bump("timestamp");
    good.sign("timestamp");
    machine.refresh(&good).unwrap();
    // A good timestamp whose snapshot was withheld or mixed: the same repository is taken as soon as it is whole.
    let mut machine = Machine::refreshed(&old);
    let mut mixed = new.clone();
    mixed.serve(&new.path("snapshot"), old.file(&old.path("snapshot")).to_vec());
    assert_eq!(machine.refresh(&mixed).unwrap_err().code(), "tuf-version");
    machine.refresh(&new).unwrap();
}

#[test]
fn cve_2026_6967_delegated_role_is_checked_for_expiry_hash_and_length() {
    refused(&honest_with_hashes(), "tuf-expired", |repository| {
        repository.expire("acme", "2026-01-01T00:00:00Z");
        repository.publish();
    });
    // Of the same length.
    refused(&honest_with_hashes(), "tuf-hash", |repository| {
        let path = repository.path("acme");
        let other = String::from_utf8(repository.file(&path).to_vec()).unwrap().replace("acme/tool", "acme/tooL");
        repository.serve(&path, other.into_bytes());
    });
    refused(&honest_with_hashes(), "tuf-length", |repository| repository.answer(&repository.path("acme"), Served::Endless));
    refused(&honest_with_hashes(), "tuf-length", |repository| {
        let path = repository.path("acme");
        let shorter = repository.file(&path)[1..].to_vec();
        repository.serve(&path, shorter);
    });
}

#[test]
fn rust_tuf_294_timestamp_with_an_older_snapshot_is_refused() {
    refused(&honest(), "tuf-rollback", |repository| {
        repository.forge("timestamp", |signed| set(signed, "/meta/snapshot.json/version", 1_u64));
    });
}

#[test]
fn rust_tuf_408_ecdsa_keys_are_accepted() {
    for key in [Key::p256, Key::p384, Key::p256_old_type, Key::p256_point] {
        let mut repository = Repository::new();
        for role in ["root", "timestamp", "snapshot", "targets"] {
            repository.set_keys(role, 1, &[key(role)]);
        }
        repository.delegate("targets", Delegation::new("acme").paths(&["acme/*"]).keys(1, &[key("acme")]));
        repository.add_target("acme", DELEGATED, b"tool");
        repository.publish();
        repository.bump("snapshot");
        repository.push("snapshot");
        assert!(Machine::new(&repository).find(&repository, DELEGATED).unwrap().found.is_some());
    }
}

#[test]
fn rust_tuf_410_spec_versions_other_than_1_0_0_are_accepted_and_2_is_not() {
    for (version, good) in [("1.0", true), ("1.0.34", true), ("1.1", true), ("2.0.0", false), ("2.0", false)] {
        let mut repository = honest();
        for role in ["targets", "snapshot", "timestamp"] {
            repository.set(role, "/spec_version", version);
        }
        repository.publish();
        assert_eq!(Machine::new(&repository).refresh(&repository).is_ok(), good, "{version}");
    }
}

#[test]
fn found_here_unknown_keytype_does_not_kill_the_root() {
    let unknown = Key::ed25519("future").with_json(json(r#"{"keytype":"slh-dsa","scheme":"slh-dsa-128s","keyval":{"public":"00"}}"#));
    accepted(&honest(), |repository| {
        repository.set_keys("root", 1, &[unknown.clone(), Key::ed25519("root")]);
        repository.publish();
    });
    // One that is for a role that needs only it can be no signer.
    refused(&honest(), "tuf-threshold-unreachable", |repository| {
        repository.set_keys("timestamp", 1, std::slice::from_ref(&unknown));
        repository.sign("root");
        repository.sign("timestamp");
    });
}

#[test]
fn found_here_hash_prefixes_are_no_base64() {
    // base64url of the same hash begins otherwise; who compares that finds nothing, or the wrong thing.
    let hash = touchmark_envelope::digest::Algorithm::Sha256.digest(TARGET.as_bytes()).hex();
    let mut repository = Repository::new();
    repository.delegate("targets", Delegation::new("bin").prefixes(&[&hash[..10]]));
    repository.add_target("bin", TARGET, b"content");
    repository.publish();
    assert!(Machine::new(&repository).find(&repository, TARGET).unwrap().found.is_some());
}

#[test]
fn general_redirected_or_failing_answers_are_unknown_and_never_absent() {
    for role in ["timestamp", "snapshot", "targets", "acme"] {
        is(&refused(&honest(), "tuf-fetch", |repository| repository.answer(&repository.path(role), Served::Failure)), Class::Unknown);
    }
}
