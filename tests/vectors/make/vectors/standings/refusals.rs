//! What takes back, what is not said, and what must not be trusted.

use touchmark_envelope::digest::Algorithm;
use touchmark_envelope::json::Value;
use touchmark_envelope::manifest::IMAGE_INDEX;
use touchmark_test_tuf_repository::{Delegation, EXPIRES_SECONDS, Key, NOW, json};

use super::super::statements::{MANIFEST, digest};
use super::super::{Vectors, coded, list, ok, refused};
use super::{ENTRY, NAME, World, accepted, by, not_verified, other};

pub(super) fn add(vectors: &mut Vectors) {
    revocations(vectors);
    chains(vectors);
    choices(vectors);
    metadata(vectors);
}

fn revocations(vectors: &mut Vectors) {
    for role in ["targets", "acme"] {
        let world = || World::new().revoked(role, digest(MANIFEST));
        world().entered("acme").case(vectors, &format!("revoked-{role}-entry"), "revoked, although it is listed", not_verified("revoked"));
        world().sealed("acme", &[MANIFEST]).case(
            vectors,
            &format!("revoked-{role}-seal"),
            "revoked, although it is sealed",
            not_verified("revoked"),
        );
        world().signed("acme").case(
            vectors,
            &format!("revoked-{role}-envelope"),
            "revoked, although it is signed",
            not_verified("revoked"),
        );
    }
    World::new().revoked("acme", digest(&other())).entered("acme").case(
        vectors,
        "revoked-another",
        "another artifact is revoked",
        accepted("entry"),
    );
    let sha512 = Algorithm::Sha512.digest(MANIFEST).to_string();
    World::new().revoked("acme", sha512).entered("acme").case(
        vectors,
        "revoked-by-sha512",
        "revoked by its other digest",
        not_verified("revoked"),
    );
    let elsewhere = World::new().publisher("targets", "other", &["other/*"]).revoked("other", digest(MANIFEST)).entered("acme");
    elsewhere.case(vectors, "revoked-by-another-publisher", "a revocation is for the names that the role owns", accepted("entry"));
    let index = format!(
        r#"{{"schemaVersion":2,"mediaType":"{IMAGE_INDEX}","manifests":[{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{}","size":{}}}]}}"#,
        digest(MANIFEST),
        MANIFEST.len()
    );
    let mut world = World::new();
    world.manifest = index.clone().into_bytes();
    let world = world.entered("acme");
    let expect = ok().with("digest", digest(index.as_bytes())).with("accepted_by", "entry".to_owned());
    world.clone().case(vectors, "index", "an index that is listed", expect);
    world.revoked("acme", digest(MANIFEST)).case(
        vectors,
        "index-of-revoked",
        "an index that lists a revoked image",
        not_verified("revoked"),
    );
}

/// Whose envelopes count is said by the delegations from the top.
fn chains(vectors: &mut Vectors) {
    let edge = |name: &'static str| {
        let mut world = World::new().publisher("acme", "acme+edge", &["acme/edge/*"]);
        world.name = name;
        world
    };
    edge("acme/edge/x:1").signed("acme").case(
        vectors,
        "chain-parent",
        "the parent's key does not sign for a child's name",
        not_verified("no-signers"),
    );
    let mut let_edge = edge("acme/edge/x:1");
    let_edge.lets("acme", &["acme+edge"]);
    let_edge.clone().signed("acme").case(vectors, "chain-parent-let-child", "nor where the child may sign", not_verified("threshold"));
    let_edge.clone().signed("acme+edge").case(vectors, "chain-child", "the child's key does", by("envelopes"));
    let mut outside = let_edge;
    outside.name = NAME;
    outside.signed("acme+edge").case(
        vectors,
        "chain-child-outside",
        "a child does not sign outside of its names",
        not_verified("threshold"),
    );
    let mut later = World::new().publisher("targets", "later", &["acme/*"]);
    later.lets("targets", &["acme", "later"]);
    later.clone().signed("later").case(vectors, "chain-later", "a later role for the same names does not sign", not_verified("threshold"));
    later.entered("later").case(
        vectors,
        "chain-later-entry",
        "nor is its entry found: the first delegation is terminating",
        coded("UNSIGNED", "unsigned"),
    );
    let early = || {
        let mut world = World::new().change(|repository| {
            repository.delegate("targets", Delegation::new("early").paths(&["both/*"]));
            repository.delegate("targets", Delegation::new("late").paths(&["both/*"]).terminating());
        });
        world.lets("targets", &["early", "late"]);
        world.name = "both/x:1";
        world
    };
    early().signed("early").case(
        vectors,
        "chain-not-terminating",
        "a delegation that is not terminating lets nobody sign",
        not_verified("no-signers"),
    );
    early().entered("late").signed("early").case(vectors, "chain-not-terminating-entry", "the entry of the next is found", by("entry"));
    let bins = || {
        let digits: Vec<String> = (0..16).map(|digit| format!("{digit:x}")).collect();
        let digits: Vec<&str> = digits.iter().map(String::as_str).collect();
        let mut world =
            World::new().change(|repository| repository.delegate("targets", Delegation::new("bins").prefixes(&digits).terminating()));
        world.lets("targets", &["acme", "bins"]);
        world.name = "other/x:1";
        world
    };
    bins().signed("bins").case(vectors, "chain-prefixes", "a delegation by hash prefixes lets nobody sign", not_verified("no-signers"));
    bins().entered("bins").case(vectors, "chain-prefixes-entry", "it lists", by("entry"));
    let succinct = || World::new().change(|repository| repository.delegate("acme", Delegation::bins("acme+bin", 1)));
    succinct().signed("acme").case(
        vectors,
        "chain-bins",
        "a publisher's bins list for it, and its own envelopes count",
        accepted("envelopes"),
    );
    succinct().entered("acme+bin-0").entered("acme+bin-1").case(vectors, "chain-bins-entry", "and the entry of a bin", accepted("entry"));
}

/// What the caller takes.
fn choices(vectors: &mut Vectors) {
    let only = |kinds: &[&str]| list(kinds.iter().map(|kind| Value::from((*kind).to_owned())));
    let by_entry = || World::new().entered("acme");
    let by_seal = || World::new().sealed("acme", &[MANIFEST]);
    let by_envelope = || World::new().signed("acme");
    for (id, world, kind) in [("entry", by_entry(), "entry"), ("seal", by_seal(), "seal"), ("envelopes", by_envelope(), "envelopes")] {
        world.clone().asked("accept_only", only(&[kind])).case(
            vectors,
            &format!("only-{id}"),
            "what accepts is what the policy takes",
            accepted(kind),
        );
        let others: Vec<&str> = ["entry", "seal", "envelopes"].into_iter().filter(|other| *other != kind).collect();
        world.clone().asked("accept_only", only(&others)).case(
            vectors,
            &format!("only-others-than-{id}"),
            "what accepts is something else",
            not_verified("accepted-by"),
        );
        world.clone().asked("by_role", "acme".to_owned()).case(
            vectors,
            &format!("role-{id}"),
            "the role that decides is the one that the policy names",
            accepted(kind),
        );
        world.asked("by_role", "other".to_owned()).case(
            vectors,
            &format!("other-role-{id}"),
            "another role decides",
            not_verified("other-role"),
        );
    }
    World::new().entered("targets").asked("by_role", "acme".to_owned()).case(
        vectors,
        "role-above",
        "the top-level role decides, and not the publisher's",
        not_verified("other-role"),
    );
}

/// Metadata that must not be trusted, or that is not to be had.
fn metadata(vectors: &mut Vectors) {
    let malformed = || coded("UNTRUSTED_METADATA", "trust-malformed");
    for (id, role, member, why) in [
        ("version-2", "acme", r#"{"version":2}"#, "of another version"),
        ("no-version", "acme", r#"{}"#, "without a version"),
        ("revoked-object", "acme", r#"{"version":1,"revoked":{}}"#, "revocations that are no list"),
        ("list", "acme", "[]", "no object"),
        ("envelopes-object", "targets", r#"{"version":1,"envelopes":{}}"#, "envelopes that are no list"),
        ("unknown-member", "targets", r#"{"version":1,"revokde":[]}"#, "a member that is not known, which may be a revocation"),
        ("seal-without-hashes", "acme", r#"{"version":1,"seals":{"acme/tool:1":[{"length":1,"hashes":{}}]}}"#, "a seal without a hash"),
        (
            "revoked-md5",
            "acme",
            r#"{"version":1,"revoked":[{"digest":"md5:00","reason":"x"}]}"#,
            "a revocation by an algorithm that is not known",
        ),
    ] {
        let world = World::new().entered("acme").change(|repository| repository.set(role, "/x-touchmark", json(member)));
        world.case(vectors, &format!("malformed-{id}"), &format!("what is ours in the metadata is malformed: {why}"), malformed());
    }
    let custom = World::new()
        .entered("acme")
        .change(|repository| repository.set("acme", &format!("{ENTRY}/custom"), json(r#"{"x-touchmark":{"version":9}}"#)));
    custom.case(vectors, "malformed-custom", "an entry of another version", malformed());
    let twice =
        World::new().publisher("acme", "acme+edge", &["acme/edge/*"]).publisher("targets", "acme+edge", &["else/*"]).entered("acme");
    twice.case(
        vectors,
        "role-twice",
        "a role under two delegators: it is not said whose it is",
        coded("UNTRUSTED_METADATA", "trust-delegated-twice"),
    );
    let hashes =
        World::new().entered("acme").change(|repository| repository.set("acme", &format!("{ENTRY}/hashes"), json(r#"{"sha3-256":"00"}"#)));
    hashes.case(vectors, "entry-unknown-hashes", "an entry without a hash that is known", coded("UNTRUSTED_METADATA", "tuf-malformed"));
    let mut lost = World::new().signed("acme").entered("acme").published();
    let path = lost.repository.path("acme");
    lost.repository.lose(&path);
    lost.case(vectors, "role-missing", "a role that is withheld is not one that lists nothing", coded("UNKNOWN", "tuf-missing"));
    let mut forged = World::new().entered("acme").published();
    forged.repository.forge_by("acme", &[Key::ed25519("stranger")], |_| ());
    forged.case(vectors, "role-forged", "a role that a stranger signed", coded("UNTRUSTED_METADATA", "tuf-threshold"));
    for role in ["timestamp", "acme"] {
        let world = || World::new().entered("acme").change(|repository| repository.expire(role, "2026-11-29T00:00:00Z"));
        let mut before = world();
        before.at = NOW + 86_399;
        before.case(vectors, &format!("before-{role}-expires"), "a second before a document expires", accepted("entry"));
        let mut after = world();
        after.at = NOW + 86_400;
        after.case(vectors, &format!("when-{role}-expires"), "the second at which it does", coded("EXPIRED_METADATA", "tuf-expired"));
    }
    for (id, at) in [("zero", 0), ("negative", -1)] {
        let mut world = World::new().entered("acme");
        world.at = at;
        world.case(vectors, &format!("time-{id}"), "a clock that says so is an error", refused("INVALID_TIME"));
    }
    let mut last = World::new().entered("acme");
    last.at = EXPIRES_SECONDS - 1;
    last.case(vectors, "last-second", "the last second of everything", accepted("entry"));
}
