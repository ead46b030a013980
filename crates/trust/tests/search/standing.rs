//! Level 2, attack by attack: what trust metadata accepts and refuses, with the honest neighbour of each refusal.

use crate::shelf::key;
use crate::world::{World, json, listed};
use touchmark_envelope::digest::{Algorithm, Digests};
use touchmark_envelope::json::Value;
use touchmark_envelope::{Name, UnixTime};
use touchmark_test_tuf_repository::{Delegation, EXPIRES_SECONDS, Key, NOW, Served};
use touchmark_trust::standing::{Members, versions};
use touchmark_trust::{AcceptedBy, Class, Fault, Need, Policy, Request, Scope, Standing};

const NAME: &str = "acme/tool:1";
const SLSA: &str = "https://slsa.dev/provenance/v1";

#[test]
fn an_entry_accepts_without_a_signature_and_says_what_it_rests_on() {
    let mut world = World::new();
    let image = world.shelf.image("x");
    world.enter("acme", NAME, image);
    let artifact = world.verify(image, NAME).unwrap();
    assert_eq!(*artifact.accepted_by(), AcceptedBy::Entry { role: "acme".into() });
    assert!(artifact.accepted().is_empty() && artifact.needed() == 0);
    assert!(matches!(world.shelf.asked.as_slice(), [Need::Manifest { .. }]), "no referrer is asked for");
    let json = artifact.to_json();
    assert_eq!(json.get("accepted_by").and_then(Value::as_str), Some("entry"));
    assert_eq!(json.get("rollback_protected").and_then(Value::as_bool), Some(true));
    let roles: Vec<&str> =
        json.get("metadata").unwrap().as_array().unwrap().iter().map(|one| one.get("role").unwrap().as_str().unwrap()).collect();
    assert_eq!(roles, ["root", "timestamp", "snapshot", "targets", "acme"]);
}

#[test]
fn an_envelope_accepts_where_nothing_is_listed() {
    let mut world = World::new();
    let image = world.signed("x", "acme", NAME);
    let artifact = world.verify(image, NAME).unwrap();
    assert_eq!(*artifact.accepted_by(), AcceptedBy::Envelopes { role: "acme".into() });
    assert_eq!((artifact.accepted().len(), artifact.needed()), (1, 1));
    assert_eq!(artifact.to_json().get("rollback_protected").and_then(Value::as_bool), Some(false));
    // Another's key, another name, no signature.
    let strangers = world.signed("y", "stranger", NAME);
    assert_eq!(world.verdict(strangers, NAME), Err("threshold"));
    let other_name = world.signed("z", "acme", "acme/tool:2");
    assert_eq!(world.verdict(other_name, NAME), Err("threshold"));
    let unsigned = world.shelf.image("u");
    assert_eq!(world.verify(unsigned, NAME).unwrap_err().class(), Class::Unsigned);
}

#[test]
fn versionless_name_does_not_match_version() {
    let mut world = World::new();
    let image = world.signed("x", "acme", NAME);
    assert_eq!(world.verdict(image, "acme/tool"), Err("threshold"));
    let versionless = world.signed("y", "acme", "acme/tool");
    assert_eq!(world.verdict(versionless, NAME), Err("threshold"));
    assert_eq!(world.verdict(versionless, "acme/tool"), Ok("envelopes"));
    world.enter("acme", "acme/other", image);
    assert_eq!(world.verdict(image, "acme/other:1"), Err("threshold"));
}

#[test]
fn a_moved_tag_is_refused_by_the_entry_although_the_publisher_signed_both() {
    let mut world = World::new();
    let (old, new) = (world.signed("old", "acme", "acme/tool:stable"), world.signed("new", "acme", "acme/tool:stable"));
    // By envelopes alone both count, and the report says so.
    assert_eq!(world.verdict(old, "acme/tool:stable"), Ok("envelopes"));
    world.enter("acme", "acme/tool:stable", new);
    assert_eq!(world.verdict(new, "acme/tool:stable"), Ok("entry"));
    let refused = world.verify(old, "acme/tool:stable").unwrap_err();
    assert_eq!((refused.class(), refused.fault().code()), (Class::NotVerified, "entry"));
    assert!(refused.to_string().contains("acme lists acme/tool:stable"), "{refused}");
}

#[test]
fn parent_envelope_cannot_override_child_entry() {
    let mut world = World::new();
    world.publisher("acme", "acme+edge", &["acme/edge/*"]);
    let (entered, signed) = (world.shelf.image("entered"), world.signed("signed", "acme", "acme/edge/x:1"));
    world.enter("acme+edge", "acme/edge/x:1", entered);
    assert_eq!(world.verdict(signed, "acme/edge/x:1"), Err("entry"));
    assert_eq!(world.verdict(entered, "acme/edge/x:1"), Ok("entry"));
    // Nor does the parent's envelope count for a name of the child's that has no entry.
    let other = world.signed("other", "acme", "acme/edge/y:1");
    assert_eq!(world.verdict(other, "acme/edge/y:1"), Err("no-signers"));
    world.lets("acme", &["acme+edge"]);
    assert_eq!(world.verdict(other, "acme/edge/y:1"), Err("threshold"));
    let childs = world.signed("childs", "acme+edge", "acme/edge/y:1");
    assert_eq!(world.verdict(childs, "acme/edge/y:1"), Ok("envelopes"));
}

#[test]
fn an_entry_of_a_role_above_decides_before_the_publisher_is_looked_at() {
    let mut world = World::new();
    let (image, other) = (world.shelf.image("x"), world.signed("y", "acme", NAME));
    world.enter("targets", NAME, image);
    assert_eq!(world.verdict(image, NAME), Ok("entry"));
    assert_eq!(world.verdict(other, NAME), Err("entry"));
    // Whose attestations count was not found out.
    let standing = world.standing(NAME).unwrap();
    let asked = Request::new(Policy::trust(standing).predicate_type(SLSA), image, UnixTime::from_seconds(NOW).unwrap());
    assert_eq!(world.shelf.verify(asked).unwrap_err().fault().code(), "no-signers");
}

#[test]
fn a_sub_publisher_cannot_sign_outside_its_names() {
    let mut world = World::new();
    world.publisher("acme", "acme+edge", &["acme/edge/*"]);
    world.lets("acme", &["acme+edge"]);
    let image = world.signed("x", "acme+edge", NAME);
    assert_eq!(world.verdict(image, NAME), Err("threshold"));
    world.enter("acme+edge", NAME, image);
    assert_eq!(world.verdict(image, NAME), Err("threshold"), "an entry outside of a role's names is not found");
}

#[test]
fn earlier_sibling_envelope_cannot_override_entry() {
    let mut world = World::new();
    // Both are for the name, and the earlier one is not terminating, so that the search goes on to the later one.
    world.repository.delegate("targets", Delegation::new("early").paths(&["both/*"]));
    world.repository.delegate("targets", Delegation::new("late").paths(&["both/*"]).terminating());
    world.lets("targets", &["early", "late"]);
    let (entered, signed) = (world.shelf.image("entered"), world.signed("signed", "early", "both/x:1"));
    assert_eq!(world.verdict(signed, "both/x:1"), Err("no-signers"));
    world.enter("late", "both/x:1", entered);
    assert_eq!(world.verdict(signed, "both/x:1"), Err("entry"));
    assert_eq!(world.verdict(entered, "both/x:1"), Ok("entry"));
}

#[test]
fn later_overlapping_role_envelope_is_rejected() {
    let mut world = World::new();
    world.publisher("targets", "later", &["acme/*"]);
    world.lets("targets", &["acme", "later"]);
    let image = world.signed("x", "later", NAME);
    assert_eq!(world.verdict(image, NAME), Err("threshold"));
    world.enter("later", NAME, image);
    assert_eq!(world.verdict(image, NAME), Err("threshold"), "the search ends with the first terminating delegation");
    world.sign(image, "acme", NAME);
    assert_eq!(world.verdict(image, NAME), Ok("envelopes"));
}

#[test]
fn the_top_level_keys_never_accept_by_envelope() {
    let mut world = World::new();
    let keys = world.repository.signers("targets").to_vec();
    let image = world.shelf.image("x");
    world.shelf.sign(image, &[keys[0].private()], |statement| statement.name = Some("nobody/tool:1".parse().unwrap()));
    assert_eq!(world.verdict(image, "nobody/tool:1"), Err("no-signers"));
    world.lets("targets", &["acme", "targets"]);
    assert_eq!(world.verdict(image, "nobody/tool:1"), Err("no-signers"));
    // By entry they do.
    world.enter("targets", "nobody/tool:1", image);
    assert_eq!(world.verdict(image, "nobody/tool:1"), Ok("entry"));
}

#[test]
fn a_publisher_that_is_delegated_entries_only_accepts_by_entries_only() {
    let mut world = World::new();
    world.lets("targets", &[]);
    let image = world.signed("x", "acme", NAME);
    let refused = world.verify(image, NAME).unwrap_err();
    assert_eq!((refused.class(), refused.fault().code()), (Class::NotVerified, "no-signers"));
    world.enter("acme", NAME, image);
    assert_eq!(world.verdict(image, NAME), Ok("entry"));
}

#[test]
fn envelopes_end_at_a_delegation_that_is_not_terminating_or_goes_by_hashes() {
    let mut world = World::new();
    world.repository.delegate("targets", Delegation::new("open").paths(&["open/*"]));
    world.repository.delegate("targets", Delegation::new("bins").prefixes(&["0", "1", "2", "3", "4", "5", "6", "7"]));
    world.lets("targets", &["acme", "open", "bins"]);
    let image = world.signed("x", "open", "open/x:1");
    assert_eq!(world.verdict(image, "open/x:1"), Err("no-signers"));
    let image = world.signed("y", "bins", "other/x:1");
    assert_eq!(world.verdict(image, "other/x:1"), Err("no-signers"));
    // Nor where it is terminating, and all names are of it.
    let digits = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "a", "b", "c", "d", "e", "f"];
    world.repository.unset("targets", "/delegations/roles/2");
    world.repository.delegate("targets", Delegation::new("bins").prefixes(&digits).terminating());
    assert_eq!(world.verdict(image, "other/x:1"), Err("no-signers"));
    // A publisher's bins list for it, and its own envelopes count.
    world.repository.delegate("acme", Delegation::bins("acme+bin", 1));
    let image = world.signed("z", "acme", NAME);
    assert_eq!(world.verdict(image, NAME), Ok("envelopes"));
    let other = world.shelf.image("entered");
    world.enter("acme+bin-0", NAME, other);
    world.enter("acme+bin-1", NAME, other);
    assert_eq!(world.verdict(image, NAME), Err("entry"));
    assert_eq!(world.verdict(other, NAME), Ok("entry"));
}

#[test]
fn a_seal_accepts_what_it_names_and_says_nothing_of_the_others() {
    let mut world = World::new();
    let (one, two, three) = (world.shelf.image("1"), world.shelf.image("2"), world.shelf.image("3"));
    world.seal("acme", NAME, &[one, two]);
    let artifact = world.verify(one, NAME).unwrap();
    assert_eq!(*artifact.accepted_by(), AcceptedBy::Seal { role: "acme".into() });
    assert_eq!(artifact.to_json().get("rollback_protected").and_then(Value::as_bool), Some(false));
    assert_eq!(world.verdict(two, NAME), Ok("seal"), "seal_two_digests_one_name");
    assert_eq!(world.verify(three, NAME).unwrap_err().class(), Class::Unsigned);
    world.sign(three, "acme", NAME);
    assert_eq!(world.verdict(three, NAME), Ok("envelopes"));
    assert_eq!(world.verdict(one, "acme/tool:2"), Err("unsigned"));
    // An entry is for all of the name.
    world.enter("acme", NAME, three);
    assert_eq!(world.verdict(one, NAME), Err("entry"));
}

#[test]
fn rotation_with_seals_needs_no_new_signature_and_without_them_refuses_what_was_signed() {
    let mut world = World::new();
    let image = world.signed("x", "acme", NAME);
    assert_eq!(world.verdict(image, NAME), Ok("envelopes"));
    let new = Key::ed25519("new");
    world.repository.unset("targets", "/delegations/roles/0");
    world.repository.delegate("targets", Delegation::new("acme").keys(1, std::slice::from_ref(&new)).paths(&["acme/*"]).terminating());
    world.repository.set_signers("acme", &[new]);
    world.repository.bump("acme");
    assert_eq!(world.verdict(image, NAME), Err("threshold"));
    world.seal("acme", NAME, &[image]);
    assert_eq!(world.verdict(image, NAME), Ok("seal"));
    // What the old key signs afterwards is refused, whatever time it claims.
    let late = world.shelf.image("late");
    world.shelf.sign(late, &[Key::ed25519("acme").private()], |statement| {
        statement.name = Some(NAME.parse().unwrap());
        statement.issued = UnixTime::from_seconds(1).unwrap();
    });
    assert_eq!(world.verdict(late, NAME), Err("threshold"));
}

#[test]
fn expired_seal_and_expired_entry_do_not_accept() {
    let mut world = World::new();
    let image = world.shelf.image("x");
    world.seal("acme", NAME, &[image]);
    let expires = |at: i64| UnixTime::from_seconds(at).unwrap().to_string();
    world.repository.set("acme", "/x-touchmark/seals/acme~1tool:1/0/expires", expires(NOW));
    assert_eq!(world.verdict(image, NAME), Err("unsigned"));
    world.repository.set("acme", "/x-touchmark/seals/acme~1tool:1/0/expires", expires(NOW + 1));
    assert_eq!(world.verdict(image, NAME), Ok("seal"));
    world.enter("acme", NAME, image);
    world.repository.set("acme", "/targets/acme~1tool:1/custom", json(r#"{"x-touchmark":{"version":1,"expires":"2026-01-01T00:00:00Z"}}"#));
    assert_eq!(world.verdict(image, NAME), Err("entry"));
}

#[test]
fn seal_in_a_role_off_the_path_does_not_accept() {
    let mut world = World::new();
    world.publisher("targets", "other", &["other/*"]);
    let image = world.shelf.image("x");
    world.seal("other", NAME, &[image]);
    assert_eq!(world.verdict(image, NAME), Err("unsigned"));
    // A bin of the publisher is visited, and is none of the chain.
    world.repository.delegate("acme", Delegation::bins("acme+bin", 1));
    world.seal("acme+bin-0", NAME, &[image]);
    world.seal("acme+bin-1", NAME, &[image]);
    assert_eq!(world.verdict(image, NAME), Err("unsigned"));
    world.seal("acme", NAME, &[image]);
    assert_eq!(world.verdict(image, NAME), Ok("seal"));
    // Nor does one behind a delegation that is not terminating.
    world.repository.set("targets", "/delegations/roles/0/terminating", false);
    assert_eq!(world.verdict(image, NAME), Err("no-signers"));
}

#[test]
fn revoked_but_listed_is_rejected() {
    for role in ["targets", "acme"] {
        let mut world = World::new();
        let (image, other) = (world.signed("x", "acme", NAME), world.signed("y", "acme", NAME));
        world.seal("acme", NAME, &[image, other]);
        world.revoke(role, image);
        assert_eq!(world.verdict(image, NAME), Err("revoked"), "{role}");
        assert_eq!(world.verdict(other, NAME), Ok("seal"));
        world.enter("acme", NAME, image);
        let refused = world.verify(image, NAME).unwrap_err();
        assert_eq!((refused.class(), refused.fault().code()), (Class::NotVerified, "revoked"));
        assert!(refused.to_string().contains("leaked"), "{refused}");
    }
}

#[test]
fn a_revocation_is_for_the_names_that_the_role_owns() {
    let mut world = World::new();
    world.publisher("targets", "other", &["other/*"]);
    let image = world.shelf.image("x");
    world.enter("acme", NAME, image);
    world.revoke("other", image);
    assert_eq!(world.verdict(image, NAME), Ok("entry"));
}

#[test]
fn revoked_by_sha512_asked_by_sha256() {
    let mut world = World::new();
    let image = world.signed("x", "acme", NAME);
    let sha512 = Algorithm::Sha512.digest(&world.shelf.contents[&image]);
    world.revoke("acme", sha512);
    assert_eq!(world.verdict(image, NAME), Err("revoked"));
}

#[test]
fn an_index_with_a_revoked_child_and_a_child_of_a_revoked_index_are_rejected() {
    for what in ["none", "index", "child", "sibling", "child by sha512"] {
        let mut world = World::new();
        let (child, sibling) = (world.shelf.image("child"), world.shelf.image("sibling"));
        let listed = [listed(&world.shelf, child), listed(&world.shelf, sibling)];
        let index = world.shelf.index(&listed);
        world.sign(index, "acme", NAME);
        match what {
            "index" => world.revoke("acme", index),
            "child" => world.revoke("acme", child),
            "sibling" => world.revoke("acme", sibling),
            "child by sha512" => {
                let digest = Algorithm::Sha512.digest(&world.shelf.contents[&child]);
                world.revoke("acme", digest);
            }
            _ => {}
        }
        let covered = world.request(child, NAME).unwrap().scope(Scope::CoveredBy(index));
        let outcome = world.shelf.verify(covered);
        match what {
            "none" => assert_eq!(outcome.unwrap().covered_by().unwrap().digest, index),
            _ => assert_eq!(outcome.unwrap_err().fault().code(), "revoked", "{what}"),
        }
        let itself = world.verdict(index, NAME);
        match what {
            // Whose bytes were not looked at is known by what the index lists.
            "none" | "child by sha512" => assert_eq!(itself, Ok("envelopes")),
            _ => assert_eq!(itself, Err("revoked"), "{what}"),
        }
    }
}

#[test]
fn index_entry_child_substitution() {
    let mut world = World::new();
    let (child, other) = (world.shelf.image("child"), world.shelf.image("other"));
    let listed_child = [listed(&world.shelf, child)];
    let index = world.shelf.index(&listed_child);
    world.enter("acme", NAME, index);
    let covered = |world: &mut World, digest, index| {
        let request = world.request(digest, NAME).unwrap().scope(Scope::CoveredBy(index));
        world.shelf.verify(request)
    };
    assert_eq!(covered(&mut world, child, index).unwrap().accepted_by().code(), "entry");
    assert!(matches!(covered(&mut world, other, index).unwrap_err().fault(), Fault::NotCovered { .. }));
    // An index of the attacker's that lists the signed one's child is another artifact.
    let listed_both = [listed(&world.shelf, child), listed(&world.shelf, other)];
    let evil = world.shelf.index(&listed_both);
    assert_eq!(covered(&mut world, child, evil).unwrap_err().fault().code(), "entry");
    // Nor is the child accepted under the index's name by itself.
    assert_eq!(world.verdict(child, NAME), Err("entry"));
}

#[test]
fn removed_entry_does_not_revive_envelope() {
    let mut world = World::new();
    let image = world.signed("x", "acme", NAME);
    world.enter("acme", NAME, image);
    assert_eq!(world.verdict(image, NAME), Ok("entry"));
    let withdrawn = format!(r#"{{"length":0,"hashes":{{"sha256":"{}"}}}}"#, Algorithm::Sha256.digest(b"").hex());
    world.repository.set("acme", "/targets/acme~1tool:1", json(&withdrawn));
    let refused = world.verify(image, NAME).unwrap_err();
    assert_eq!(refused.fault().code(), "entry");
    assert!(refused.to_string().contains("withdrawn"), "{refused}");
    // Forgotten, the envelope counts again.
    world.repository.unset("acme", "/targets/acme~1tool:1");
    assert_eq!(world.verdict(image, NAME), Ok("envelopes"));
}

#[test]
fn withheld_role_is_not_empty() {
    let mut world = World::new();
    let image = world.signed("x", "acme", NAME);
    world.enter("acme", NAME, image);
    world.repository.publish();
    let path = world.repository.path("acme");
    world.repository.lose(&path);
    assert_eq!(world.standing_of(NAME).unwrap_err(), ("tuf-missing", Class::Unknown));
    world.repository.answer(&path, Served::Failure);
    assert_eq!(world.standing_of(NAME).unwrap_err(), ("tuf-fetch", Class::Unknown));
}

#[test]
fn entry_with_only_unknown_hashes_is_untrusted_metadata() {
    let mut world = World::new();
    let image = world.signed("x", "acme", NAME);
    world.enter("acme", NAME, image);
    world.repository.set("acme", "/targets/acme~1tool:1/hashes", json(r#"{"sha3-256":"00"}"#));
    assert_eq!(world.standing(NAME).unwrap_err(), Class::UntrustedMetadata);
}

#[test]
fn an_entry_with_one_false_digest_or_another_length_or_media_type_refuses() {
    for (place, value) in [
        ("/hashes/sha512", Value::from("0".repeat(128))),
        ("/length", Value::from(7_u64)),
        ("/custom", json(r#"{"x-touchmark":{"version":1,"mediaType":"application/vnd.oci.image.index.v1+json"}}"#)),
    ] {
        let mut world = World::new();
        let image = world.signed("x", "acme", NAME);
        world.enter("acme", NAME, image);
        assert_eq!(world.verdict(image, NAME), Ok("entry"));
        world.repository.set("acme", &format!("/targets/acme~1tool:1{place}"), value);
        assert_eq!(world.verdict(image, NAME), Err("entry"), "{place}");
    }
}

#[test]
fn an_annotation_that_is_asked_for_must_be_the_entry_s() {
    let mut world = World::new();
    let image = world.shelf.image("x");
    world.enter("acme", NAME, image);
    world.repository.set(
        "acme",
        "/targets/acme~1tool:1/custom",
        json(r#"{"x-touchmark":{"version":1,"annotations":{"channel":"stable"}}}"#),
    );
    let standing = world.standing(NAME).unwrap();
    let asked = |value: &str| {
        let policy = Policy::trust(standing.clone()).annotation("channel", value);
        Request::new(policy, image, UnixTime::from_seconds(NOW).unwrap())
    };
    assert!(world.shelf.verify(asked("stable")).is_ok());
    assert_eq!(world.shelf.verify(asked("beta")).unwrap_err().fault().code(), "entry");
}

#[test]
fn what_is_ours_and_malformed_is_untrusted_metadata() {
    for (role, member) in [
        ("acme", r#"{"version":2}"#),
        ("acme", r#"{"version":1,"revoked":{}}"#),
        ("acme", "[]"),
        ("targets", r#"{"version":1,"envelopes":{}}"#),
        ("targets", r#"{"version":1,"revokde":[]}"#),
    ] {
        let mut world = World::new();
        let image = world.shelf.image("x");
        world.enter("acme", NAME, image);
        world.repository.set(role, "/x-touchmark", json(member));
        assert_eq!(world.standing(NAME).unwrap_err(), Class::UntrustedMetadata, "{member}");
    }
    let mut world = World::new();
    let image = world.shelf.image("x");
    world.enter("acme", NAME, image);
    world.repository.set("acme", "/targets/acme~1tool:1/custom", json(r#"{"x-touchmark":{"version":9}}"#));
    assert_eq!(world.standing(NAME).unwrap_err(), Class::UntrustedMetadata);
    // What is not ours is nobody's business.
    world.repository.set("acme", "/targets/acme~1tool:1/custom", json(r#"{"y":{"version":9}}"#));
    assert_eq!(world.verdict(image, NAME), Ok("entry"));
}

#[test]
fn a_role_under_two_delegators_is_untrusted_metadata() {
    let mut world = World::new();
    world.publisher("acme", "acme+edge", &["acme/edge/*"]);
    let image = world.shelf.image("x");
    world.enter("acme", NAME, image);
    assert_eq!(world.verdict(image, NAME), Ok("entry"));
    world.publisher("targets", "acme+edge", &["else/*"]);
    assert_eq!(world.standing_of_published(NAME), ("trust-delegated-twice", Class::UntrustedMetadata));
}

#[test]
fn a_threshold_is_of_distinct_keys_of_the_role() {
    let mut world = World { repository: touchmark_test_tuf_repository::Repository::new(), shelf: Default::default() };
    let keys = [Key::ed25519("a"), Key::p256("b"), Key::ed25519("c")];
    // The same key under two keyids is one.
    let mut listed = keys.to_vec();
    listed.push(Key::ed25519("a").with_keyid("again"));
    world.repository.delegate("targets", Delegation::new("acme").keys(2, &listed).paths(&["acme/*"]).terminating());
    world.lets("targets", &["acme"]);
    let image = world.shelf.image("x");
    let name = |statement: &mut touchmark_envelope::signature::Signature| statement.name = Some(NAME.parse().unwrap());
    world.shelf.sign(image, &[keys[0].private()], name);
    world.shelf.sign(image, &[keys[0].private()], name);
    assert_eq!(world.verdict(image, NAME), Err("threshold"));
    world.shelf.sign(image, &[keys[1].private(), &key(0)], name);
    let artifact = world.verify(image, NAME).unwrap();
    assert_eq!((artifact.needed(), artifact.accepted_by().code()), (2, "envelopes"));
}

#[test]
fn a_standing_is_good_until_its_metadata_expires() {
    let mut world = World::new();
    let image = world.signed("x", "acme", NAME);
    let standing = world.standing(NAME).unwrap();
    assert_eq!(standing.expires(), UnixTime::from_seconds(EXPIRES_SECONDS));
    let at = |seconds| Request::new(Policy::trust(standing.clone()), image, UnixTime::from_seconds(seconds).unwrap());
    assert!(world.shelf.verify(at(EXPIRES_SECONDS - 1)).is_ok());
    let refused = world.shelf.verify(at(EXPIRES_SECONDS)).unwrap_err();
    assert_eq!((refused.class(), refused.fault().code()), (Class::UntrustedMetadata, "metadata-expired"));
}

#[test]
fn a_clock_behind_the_metadata_lets_nothing_count_that_has_expired_by_then() {
    let expired = "2026-11-27T23:59:59Z";
    let before = UnixTime::from_seconds(NOW - 1_000_000).unwrap();
    let refused = |world: &mut World, image| {
        let standing = world.standing(NAME).unwrap();
        let rejected = world.shelf.verify(Request::new(Policy::trust(standing), image, before)).unwrap_err();
        assert_eq!(rejected.to_json().get("at").and_then(|at| at.as_str()), Some(&*UnixTime::from_seconds(NOW).unwrap().to_string()));
        rejected.fault().code()
    };
    let mut world = World::new();
    let image = world.shelf.image("x");
    world.shelf.sign(image, &[Key::ed25519("acme").private()], |statement| {
        statement.name = Some(NAME.parse().unwrap());
        statement.issued = UnixTime::from_seconds(1).unwrap();
        statement.expires = Some(UnixTime::from_seconds(NOW - 1).unwrap());
    });
    assert_eq!(refused(&mut world, image), "threshold");
    world.seal("acme", NAME, &[image]);
    world.repository.set("acme", "/x-touchmark/seals/acme~1tool:1/0/expires", expired);
    assert_eq!(refused(&mut world, image), "threshold");
    world.enter("acme", NAME, image);
    world.repository.set(
        "acme",
        "/targets/acme~1tool:1/custom",
        json(&format!(r#"{{"x-touchmark":{{"version":1,"expires":"{expired}"}}}}"#)),
    );
    assert_eq!(refused(&mut world, image), "entry");
}

#[test]
fn a_standing_is_of_the_name_that_was_searched_for_and_of_no_other() {
    let mut world = World::new();
    world.repository.publish();
    let mut client = world.client().unwrap();
    let (one, two) = ("acme/tool:1".parse().unwrap(), "acme/tool:2".parse().unwrap());
    assert_eq!(Standing::of(&mut client, &one).unwrap_err().code(), "trust-not-searched");
    client.look_up(&(&one).into()).unwrap();
    world.drive(&mut client).unwrap();
    assert_eq!(Standing::of(&mut client, &two).unwrap_err().code(), "trust-not-searched");
    client.look_up(&(&one).into()).unwrap();
    world.drive(&mut client).unwrap();
    let standing = Standing::of(&mut client, &one).unwrap();
    // Nor is another name wanted afterwards.
    let policy = Policy::trust(standing).name("acme/tool:2".parse().unwrap());
    assert_eq!(policy.wanted_name().unwrap().to_string(), "acme/tool:1");
    assert!(policy.threshold(1).is_err());
}

#[test]
fn an_attestation_is_the_publisher_s_to_make_where_it_may_sign() {
    let mut world = World::new();
    let image = world.shelf.image("x");
    world.enter("acme", NAME, image);
    let standing = world.standing(NAME).unwrap();
    let asked = Request::new(Policy::trust(standing).predicate_type(SLSA), image, UnixTime::from_seconds(NOW).unwrap());
    assert_eq!(world.shelf.verify(asked).unwrap_err().class(), Class::Unsigned);
    world.lets("targets", &[]);
    let standing = world.standing(NAME).unwrap();
    let asked = Request::new(Policy::trust(standing).predicate_type(SLSA), image, UnixTime::from_seconds(NOW).unwrap());
    assert_eq!(world.shelf.verify(asked).unwrap_err().fault().code(), "no-signers");
}

/// What is read once for many names says what is read for each, and nothing of a document that there was before.
#[test]
fn what_is_read_for_many_names_is_what_is_read_for_each() {
    let mut world = World::new();
    world.publisher("targets", "other", &["other/*"]);
    let (one, two) = (world.shelf.image("x"), world.shelf.image("y"));
    let (names, mut known) = (["acme/tool:1", "acme/tool:2", "other/x:1", "acme/tool:1"], Members::default());
    for (sealed, expected) in [("acme/tool:1", ["seal", "", "", "seal"]), ("acme/tool:2", ["", "seal", "", ""])] {
        world.seal("acme", sealed, &[one]);
        world.repository.publish();
        let mut client = world.client().unwrap();
        for (name, expected) in names.into_iter().zip(expected) {
            let name: Name = name.parse().unwrap();
            client.look_up(&(&name).into()).unwrap();
            world.drive(&mut client).unwrap();
            let many = Standing::among(&mut known, &mut client, &name).unwrap();
            client.look_up(&(&name).into()).unwrap();
            world.drive(&mut client).unwrap();
            let each = Standing::of(&mut client, &name).unwrap();
            assert_eq!(format!("{many:?}"), format!("{each:?}"));
            let request = Request::new(Policy::trust(many), one, UnixTime::from_seconds(NOW).unwrap());
            let by = world.shelf.verify(request).map_or("", |accepted| accepted.accepted_by().code());
            assert_eq!(by, expected, "{name}");
        }
        let path: Name = "acme/tool".parse().unwrap();
        client.look_up(&(&path).into()).unwrap();
        world.drive(&mut client).unwrap();
        let search = client.found().unwrap();
        for (image, expected) in [(one, vec![sealed]), (two, vec![])] {
            let digests = Digests::of(&world.shelf.contents[&image]);
            let found = versions(&mut known, &client, &search, path.path(), &digests).unwrap();
            assert_eq!(found.iter().map(ToString::to_string).collect::<Vec<_>>(), expected);
        }
    }
    world.member("acme", "seals", Value::from(7_u64));
    world.repository.publish();
    let mut client = world.client().unwrap();
    let name: Name = "acme/tool:1".parse().unwrap();
    client.look_up(&(&name).into()).unwrap();
    world.drive(&mut client).unwrap();
    assert_eq!(Standing::among(&mut known, &mut client, &name).unwrap_err().code(), "trust-malformed");
}
