//! What trust metadata says of names: entries, seals, envelopes, revocations, and whose word counts.

use touchmark_envelope::UnixTime;
use touchmark_envelope::digest::Algorithm;
use touchmark_envelope::dsse::IN_TOTO;
use touchmark_envelope::json::Value;
use touchmark_envelope::signature::Signature;
use touchmark_test_tuf_repository::{Delegation, Key, NOW, Repository, json, set};

use super::envelopes::sign;
use super::repositories::served;
use super::statements::{MANIFEST, digest, statement};
use super::{Case, Expect, Vectors, coded, list, ok, refused};

mod refusals;

/// The name that is asked for, and as a part of a JSON pointer.
const NAME: &str = "acme/tool:1";
const ENTRY: &str = "/targets/acme~1tool:1";

pub(super) fn add(vectors: &mut Vectors) {
    entries(vectors);
    envelopes(vectors);
    seals(vectors);
    refusals::add(vectors);
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
