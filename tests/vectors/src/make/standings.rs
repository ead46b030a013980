//! What trust metadata says of names: entries, seals, envelopes, revocations, and whose word counts.

use touchmark_envelope::UnixTime;
use touchmark_envelope::digest::Algorithm;
use touchmark_envelope::dsse::IN_TOTO;
use touchmark_envelope::json::Value;
use touchmark_envelope::manifest::IMAGE_INDEX;
use touchmark_envelope::signature::Signature;
use touchmark_test_tuf_repository::{Delegation, EXPIRES_SECONDS, Key, NOW, Repository, json, set};

use super::envelopes::sign;
use super::repositories::served;
use super::statements::{MANIFEST, digest, statement};
use super::{Case, Expect, Vectors, coded, list, ok, refused};

/// The name that is asked for, and as a part of a JSON pointer.
const NAME: &str = "acme/tool:1";
const ENTRY: &str = "/targets/acme~1tool:1";

pub(super) fn add(vectors: &mut Vectors) {
    entries(vectors);
    envelopes(vectors);
    seals(vectors);
    revocations(vectors);
    chains(vectors);
    choices(vectors);
    metadata(vectors);
}

/// A trust repository, and a question about a name.
#[derive(Clone)]
struct World {
    repository: Repository,
    manifest: Vec<u8>,
    envelopes: Vec<Vec<u8>>,
    name: &'static str,
    at: i64,
    more: Vec<(&'static str, Value<'static>)>,
    published: bool,
}

impl World {
    /// The publisher `acme` owns `acme/**` with its own key, and may accept by envelope.
    fn new() -> Self {
        let mut repository = Repository::new();
        repository.delegate("targets", Delegation::new("acme").paths(&["acme/*", "acme/*/*"]).terminating());
        let mut world =
            Self { repository, manifest: MANIFEST.to_vec(), envelopes: vec![], name: NAME, at: NOW, more: vec![], published: false };
        world.lets("targets", &["acme"]);
        world
    }

    /// Delegates names to a role by its own key, terminating.
    fn publisher(mut self, delegator: &str, role: &str, names: &[&str]) -> Self {
        self.repository.delegate(delegator, Delegation::new(role).paths(names).terminating());
        self
    }

    /// Lets these roles accept by envelope.
    fn lets(&mut self, delegator: &str, roles: &[&str]) {
        let listed = list(roles.iter().map(|role| Value::from((*role).to_owned())));
        self.member(delegator, "envelopes", listed);
    }

    /// Sets a member of a role's `x-touchmark`.
    fn member(&mut self, role: &str, member: &str, value: impl Into<Value<'static>>) {
        let signed = self.repository.signed(role);
        if signed.get("x-touchmark").is_none() {
            set(signed, "/x-touchmark", Value::object([("version", 1_u64)]));
        }
        self.repository.set(role, &format!("/x-touchmark/{member}"), value);
    }

    /// Lists the manifest under the name.
    fn entered(self, role: &str) -> Self {
        let (manifest, name) = (self.manifest.clone(), self.name);
        self.entered_as(role, name, &manifest)
    }

    fn entered_as(mut self, role: &str, name: &str, manifest: &[u8]) -> Self {
        self.repository.add_target(role, name, manifest);
        self
    }

    fn sealed(mut self, role: &str, manifests: &[&[u8]]) -> Self {
        let one = |bytes: &&[u8]| {
            let length = u64::try_from(bytes.len()).expect("a short manifest");
            let hashes = Value::object([("sha256", Algorithm::Sha256.digest(bytes).hex())]);
            Value::object([("length", Value::from(length)), ("hashes", hashes)])
        };
        let seals = Value::object([(self.name, list(manifests.iter().map(one)))]);
        self.member(role, "seals", seals);
        self
    }

    fn revoked(mut self, role: &str, digest: String) -> Self {
        let one = Value::object([("digest", digest), ("reason", "leaked".to_owned())]);
        self.member(role, "revoked", list([one]));
        self
    }

    /// Signed by the key of this name, under the name that is asked for.
    fn signed(self, key: &str) -> Self {
        let name = self.name;
        self.signed_as(key, name)
    }

    fn signed_as(mut self, key: &str, name: &str) -> Self {
        let statement = statement(&self.manifest, Some(name));
        self.envelopes.push(sign(IN_TOTO, &statement.to_json(), &[key]).to_json());
        self
    }

    fn change(mut self, change: impl FnOnce(&mut Repository)) -> Self {
        change(&mut self.repository);
        self
    }

    fn asked(mut self, name: &'static str, value: impl Into<Value<'static>>) -> Self {
        self.more.push((name, value.into()));
        self
    }

    /// Publishes what is there, so that a case can change what is served.
    fn published(mut self) -> Self {
        self.repository.publish();
        self.published = true;
        self
    }

    fn case(mut self, vectors: &mut Vectors, id: &str, why: &str, expect: Expect) {
        if !self.published {
            self.repository.publish();
        }
        let root = vectors.file("trust/root.json", self.repository.file("1.root.json"));
        let folder = vectors.folder(&format!("trust/{id}"), served(&self.repository));
        let manifest = vectors.file(&format!("manifests/standing-{id}.json"), self.manifest);
        let envelopes =
            (1..).zip(self.envelopes).map(|(number, bytes)| vectors.file(&format!("statements/standing-{id}.{number}.json"), bytes));
        let envelopes = list(envelopes.collect::<Vec<_>>());
        let case = Case::new("standing", &format!("standing-{id}"), why, "23.2").with("root", root).with("repository", folder);
        let case = case.with("name", self.name.to_owned()).with("manifest", manifest).with("envelopes", envelopes);
        let case = self.more.into_iter().fold(case, |case, (name, value)| case.with(name, value));
        vectors.add(case.with("at", self.at).expect(expect));
    }
}

/// Another image.
fn other() -> Vec<u8> {
    [MANIFEST, b" "].concat()
}

fn accepted(by: &str) -> Expect {
    ok().with("digest", digest(MANIFEST)).with("name", NAME.to_owned()).with("accepted_by", by.to_owned())
}

fn by(kind: &str) -> Expect {
    ok().with("digest", digest(MANIFEST)).with("accepted_by", kind.to_owned())
}

fn not_verified(code: &str) -> Expect {
    coded("NOT_VERIFIED", code)
}

fn entries(vectors: &mut Vectors) {
    let entry = || World::new().entered("acme");
    entry().case(vectors, "entry", "the publisher's role lists the artifact: no signature is needed", accepted("entry"));
    entry().signed("acme").case(vectors, "entry-and-envelope", "the entry decides", accepted("entry"));
    World::new().entered_as("acme", NAME, &other()).signed("acme").case(
        vectors,
        "entry-of-another",
        "another artifact is listed, whatever is signed: a moved tag",
        not_verified("entry"),
    );
    World::new().entered("targets").case(vectors, "entry-of-targets", "the top-level role lists it", accepted("entry"));
    World::new().entered_as("targets", NAME, &other()).entered("acme").case(
        vectors,
        "entry-above",
        "an entry above the publisher's decides",
        not_verified("entry"),
    );
    for (id, pointer, value, why) in [
        ("sha512-of-another", "/hashes/sha512", Value::from("0".repeat(128)), "one of two hashes is another's"),
        ("other-length", "/length", Value::from(7_u64), "another length"),
        (
            "other-media-type",
            "/custom",
            json(r#"{"x-touchmark":{"version":1,"mediaType":"application/vnd.oci.image.index.v1+json"}}"#),
            "another media type",
        ),
        (
            "expired",
            "/custom",
            json(r#"{"x-touchmark":{"version":1,"expires":"2026-11-28T00:00:00Z"}}"#),
            "an entry at the second at which it expires",
        ),
    ] {
        entry().signed("acme").change(|repository| repository.set("acme", &format!("{ENTRY}{pointer}"), value)).case(
            vectors,
            &format!("entry-{id}"),
            why,
            not_verified("entry"),
        );
    }
    for (id, custom, why) in [
        ("not-expired", r#"{"x-touchmark":{"version":1,"expires":"2026-11-28T00:00:01Z"}}"#, "an entry a second before it expires"),
        (
            "media-type",
            r#"{"x-touchmark":{"version":1,"mediaType":"application/vnd.oci.image.manifest.v1+json"}}"#,
            "the media type that is listed",
        ),
        ("foreign-custom", r#"{"y":{"version":9}}"#, "what is not ours is nobody's business"),
    ] {
        entry().change(|repository| repository.set("acme", &format!("{ENTRY}/custom"), json(custom))).case(
            vectors,
            &format!("entry-{id}"),
            why,
            accepted("entry"),
        );
    }
    let withdrawn = format!(r#"{{"length":0,"hashes":{{"sha256":"{}"}}}}"#, Algorithm::Sha256.digest(b"").hex());
    entry().signed("acme").change(|repository| repository.set("acme", ENTRY, json(&withdrawn))).case(
        vectors,
        "withdrawn",
        "a name that was withdrawn, whatever is signed",
        not_verified("entry"),
    );
    let edge = World::new().publisher("acme", "acme+edge", &["acme/edge/*"]);
    let mut child = edge.clone();
    child.name = "acme/edge/x:1";
    child.clone().entered("acme+edge").case(vectors, "entry-of-child", "a role below the publisher's lists it", by("entry"));
    child.entered_as("acme+edge", "acme/edge/x:1", &other()).signed("acme").case(
        vectors,
        "parent-envelope-against-entry",
        "the parent's envelope does not override the child's entry",
        not_verified("entry"),
    );
    edge.entered("acme+edge").case(
        vectors,
        "entry-outside-names",
        "an entry outside of the role's names is not found",
        coded("UNSIGNED", "unsigned"),
    );
    let mut versionless = World::new().entered_as("acme", "acme/tool", MANIFEST).signed("acme");
    versionless.clone().case(
        vectors,
        "entry-of-versionless-name",
        "an entry of the versionless name is none of the version",
        accepted("envelopes"),
    );
    versionless.name = "acme/tool";
    versionless.case(
        vectors,
        "versionless",
        "the versionless name",
        ok().with("name", "acme/tool".to_owned()).with("accepted_by", "entry".to_owned()),
    );
    let mut malformed = World::new().entered("acme");
    malformed.name = "acme";
    malformed.case(vectors, "name-malformed", "a name that is none", refused("INVALID_NAME"));
}

fn envelopes(vectors: &mut Vectors) {
    World::new().signed("acme").case(vectors, "envelope", "signed by the publisher's key", accepted("envelopes"));
    World::new().case(vectors, "nothing", "neither listed nor signed", coded("UNSIGNED", "unsigned"));
    World::new().signed("stranger").case(vectors, "envelope-by-stranger", "signed by a stranger", not_verified("threshold"));
    World::new().signed("targets").case(vectors, "envelope-by-targets", "signed by the key of the role above", not_verified("threshold"));
    World::new().signed_as("acme", "acme/tool:2").case(
        vectors,
        "envelope-other-name",
        "signed under another name",
        not_verified("threshold"),
    );
    let mut nobody = World::new();
    nobody.name = "nobody/tool:1";
    nobody.clone().signed("targets").case(
        vectors,
        "envelope-top-level",
        "the top-level keys never accept by envelope",
        not_verified("no-signers"),
    );
    let mut let_itself = nobody.signed("targets");
    let_itself.lets("targets", &["acme", "targets"]);
    let_itself.case(vectors, "envelope-top-level-let", "also where they are let to", not_verified("no-signers"));
    let mut entries_only = World::new().signed("acme");
    entries_only.lets("targets", &[]);
    entries_only.clone().case(vectors, "entries-only", "a publisher that is delegated entries only", not_verified("no-signers"));
    entries_only.entered("acme").case(vectors, "entries-only-entered", "which lists it", accepted("entry"));
    let keys = [Key::ed25519("a"), Key::p256("carol"), Key::ed25519("a").with_keyid("again")];
    let two = || {
        let mut world = World::new().change(|repository| {
            repository.unset("targets", "/delegations/roles/0");
            repository.delegate("targets", Delegation::new("acme").keys(2, &keys).paths(&["acme/*"]).terminating());
            repository.set_signers("acme", &keys[..2]);
        });
        world.lets("targets", &["acme"]);
        world
    };
    two().signed("a").signed("a").case(
        vectors,
        "envelope-one-key-of-two",
        "one key twice, also under two keyids, is one",
        not_verified("threshold"),
    );
    two().signed("a").signed("carol").case(vectors, "envelope-two-keys", "a threshold of the role's keys", accepted("envelopes"));
    let expires = |seconds: i64| {
        let mut world = World::new();
        let expires = UnixTime::from_seconds(seconds);
        let statement = Signature { expires, ..statement(MANIFEST, Some(NAME)) };
        world.envelopes.push(sign(IN_TOTO, &statement.to_json(), &["acme"]).to_json());
        world
    };
    expires(NOW).case(vectors, "envelope-expired", "a signature at the second at which it expires", not_verified("threshold"));
    expires(NOW + 1).case(vectors, "envelope-not-expired", "a second before", accepted("envelopes"));
}

fn seals(vectors: &mut Vectors) {
    World::new().sealed("acme", &[MANIFEST, &other()]).case(vectors, "seal", "the role seals it, beside another", accepted("seal"));
    World::new().sealed("acme", &[&other()]).case(
        vectors,
        "seal-of-another",
        "a seal says nothing of others",
        coded("UNSIGNED", "unsigned"),
    );
    World::new().sealed("acme", &[&other()]).signed("acme").case(
        vectors,
        "seal-of-another-signed",
        "which envelopes may accept",
        accepted("envelopes"),
    );
    World::new().sealed("targets", &[MANIFEST]).case(vectors, "seal-of-targets", "the top-level role seals it", accepted("seal"));
    World::new().sealed("acme", &[MANIFEST]).entered_as("acme", NAME, &other()).case(
        vectors,
        "seal-against-entry",
        "an entry is for all of the name",
        not_verified("entry"),
    );
    let expires = |at: &str| {
        let at = at.to_owned();
        World::new()
            .sealed("acme", &[MANIFEST])
            .change(|repository| repository.set("acme", "/x-touchmark/seals/acme~1tool:1/0/expires", at))
    };
    expires("2026-11-28T00:00:00Z").case(
        vectors,
        "seal-expired",
        "a seal at the second at which it expires",
        coded("UNSIGNED", "unsigned"),
    );
    expires("2026-11-28T00:00:01Z").case(vectors, "seal-not-expired", "a second before", accepted("seal"));
    World::new().publisher("targets", "other", &["other/*"]).sealed("other", &[MANIFEST]).case(
        vectors,
        "seal-off-the-path",
        "a seal of a role that the name is not of",
        coded("UNSIGNED", "unsigned"),
    );
    let open =
        World::new().sealed("acme", &[MANIFEST]).change(|repository| repository.set("targets", "/delegations/roles/0/terminating", false));
    open.case(vectors, "seal-not-terminating", "behind a delegation that is not terminating there is no chain", not_verified("no-signers"));
    // Other keys: what was sealed stays accepted, and what the old key signs is not.
    let rotated = || {
        World::new().change(|repository| {
            let new = Key::ed25519("new");
            repository.unset("targets", "/delegations/roles/0");
            repository.delegate("targets", Delegation::new("acme").keys(1, std::slice::from_ref(&new)).paths(&["acme/*"]).terminating());
            repository.set_signers("acme", &[new]);
        })
    };
    rotated().signed("acme").case(vectors, "rotated", "what a key signed that was taken away", not_verified("threshold"));
    rotated().signed("acme").sealed("acme", &[MANIFEST]).case(vectors, "rotated-sealed", "and was sealed before", accepted("seal"));
    rotated().signed("new").case(vectors, "rotated-new", "what the new key signed", accepted("envelopes"));
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
