//! Trust metadata that no command of ours writes, and that a thief of keys, or another program, may: both verifiers give each verdict.

use touchmark::envelope::digest::Algorithm;
use touchmark::envelope::json::Value;
use touchmark_test_tuf_repository::{Delegation, Key, Repository, json};

use crate::harness::{Place, digest};
use crate::trust_names::refused;

pub const ASK: &str = "--root served/metadata/1.root.json --trust ./served --store none --name";

/// A repository in which acme owns acme/**, by envelope too, and the artifact `oci:lay:1`, whose manifest is at hand.
pub struct Forged {
    pub place: Place,
    pub repository: Repository,
    pub manifest: Vec<u8>,
}

impl Forged {
    pub fn new() -> Self {
        let place = Place::new();
        let mut repository = Repository::new().with_hashes();
        repository.delegate("targets", Delegation::new("acme").paths(&["acme/*"]).terminating());
        repository.set("targets", "/x-touchmark", json(r#"{"version":1,"envelopes":["acme"]}"#));
        let pin = place.pack("oci:lay:1", "one");
        let manifest = place.read(&format!("lay/blobs/sha256/{}", digest(&pin).trim_start_matches("sha256:")));
        let forged = Self { place, repository, manifest };
        forged.key("acme");
        forged
    }

    /// Writes the private key of a role.
    pub fn key(&self, role: &str) {
        let key = self.place.file(role, Key::ed25519(role).private().to_pem().as_bytes());
        #[cfg(unix)]
        std::fs::set_permissions(key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        #[cfg(not(unix))]
        let _ = key;
    }

    /// Lists the artifact in a role.
    pub fn enter(&mut self, role: &str, name: &str) {
        self.repository.add_target(role, name, &self.manifest);
    }

    /// Seals the artifact in a role, until a time.
    pub fn seal(&mut self, role: &str, name: &str, expires: &str) {
        let hashes = Value::object([("sha256", Value::from(Algorithm::Sha256.digest(&self.manifest).hex()))]);
        let length = Value::from(u64::try_from(self.manifest.len()).unwrap());
        let seal = Value::object([("length", length), ("hashes", hashes), ("expires", Value::from(expires.to_owned()))]);
        if self.repository.signed(role).get("x-touchmark").is_none() {
            self.repository.set(role, "/x-touchmark", json(r#"{"version":1}"#));
        }
        self.repository.set(role, "/x-touchmark/seals", Value::object([(name.to_owned(), Value::from(vec![seal]))]));
    }

    pub fn serve(&mut self) {
        self.repository.publish();
        self.repository.write_to(&self.place.path("served")).unwrap();
    }

    /// Serves the repository, and asks for the artifact under a name.
    #[track_caller]
    pub fn refused(&mut self, code: i32, why: &str, name: &str) {
        self.serve();
        refused(&self.place, code, why, &format!("oci:lay:1 {ASK} {name}"));
    }

    #[track_caller]
    pub fn accepted(&mut self, by: &str, name: &str) {
        self.serve();
        let verdict = self.place.verify_is(0, &format!("oci:lay:1 {ASK} {name}"));
        assert_eq!(verdict.json["results"][0]["accepted_by"], by);
    }
}

/// By the clock, whichever document it is: for a name with an entry, and for one by envelope.
#[test]
fn withheld_updates_past_expiry_by_the_clock() {
    for role in ["timestamp", "snapshot", "targets", "acme"] {
        let mut forged = Forged::new();
        forged.place.ok("sign oci:lay:1 --key acme --name acme/signed:1");
        forged.enter("acme", "acme/listed:1");
        forged.accepted("entry", "acme/listed:1");
        forged.accepted("envelopes", "acme/signed:1");
        forged.repository.expire(role, "2020-01-01T00:00:00Z");
        for name in ["acme/listed:1", "acme/signed:1"] {
            forged.refused(5, "tuf-expired", name);
            let words = format!("oci:lay:1 {ASK} {name}");
            let verdict = forged.place.verify_is(5, &words);
            assert!(verdict.stderr.contains(role) && verdict.stderr.contains("2020-01-01"), "{}", verdict.stderr);
            // As of a time before, it is good.
            forged.place.verify_is(0, &format!("{words} --at 2019-12-31T00:00:00Z"));
        }
    }
}

#[test]
fn entry_with_only_unknown_hashes() {
    let mut forged = Forged::new();
    forged.place.ok("sign oci:lay:1 --key acme --name acme/tool:1");
    forged.enter("acme", "acme/tool:1");
    forged.accepted("entry", "acme/tool:1");
    forged.repository.set("acme", "/targets/acme~1tool:1/hashes", json(r#"{"sha3-256":"00"}"#));
    forged.serve();
    let verdict = forged.place.verify_is(5, &format!("oci:lay:1 {ASK} acme/tool:1"));
    assert_eq!(verdict.json["results"][0]["outcome"], "untrusted-metadata");
}

#[test]
fn expired_seal() {
    let mut forged = Forged::new();
    forged.seal("acme", "acme/tool:1", "2029-01-01T00:00:00Z");
    forged.accepted("seal", "acme/tool:1");
    forged.seal("acme", "acme/tool:1", "2020-01-01T00:00:00Z");
    forged.refused(3, "unsigned", "acme/tool:1");
    // Nor does it stand in the way of a signature.
    forged.place.ok("sign oci:lay:1 --key acme --name acme/tool:1");
    forged.accepted("envelopes", "acme/tool:1");
}

#[test]
fn seal_in_a_role_off_the_path() {
    let mut forged = Forged::new();
    forged.repository.delegate("targets", Delegation::new("other").paths(&["other/*"]).terminating());
    forged.seal("other", "acme/tool:1", "2029-01-01T00:00:00Z");
    forged.refused(3, "unsigned", "acme/tool:1");
    // Nor in a role that the search would come to after it has ended.
    forged.repository.delegate("targets", Delegation::new("later").paths(&["acme/*"]).terminating());
    forged.seal("later", "acme/tool:1", "2029-01-01T00:00:00Z");
    forged.refused(3, "unsigned", "acme/tool:1");
    forged.seal("acme", "acme/tool:1", "2029-01-01T00:00:00Z");
    forged.accepted("seal", "acme/tool:1");
}

#[test]
fn later_overlapping_role_envelope_is_rejected() {
    let mut forged = Forged::new();
    forged.repository.delegate("targets", Delegation::new("later").paths(&["acme/*"]).terminating());
    forged.repository.set("targets", "/x-touchmark/envelopes", json(r#"["acme","later"]"#));
    forged.key("later");
    forged.place.ok("sign oci:lay:1 --key later --name acme/tool:1");
    forged.refused(1, "threshold", "acme/tool:1");
    forged.enter("later", "acme/tool:1");
    forged.refused(1, "threshold", "acme/tool:1");
}

#[test]
fn parent_envelope_cannot_override_child_entry() {
    let mut forged = Forged::new();
    forged.repository.unset("targets", "/delegations/roles/0");
    forged.repository.delegate("targets", Delegation::new("acme").paths(&["acme/*", "acme/*/*"]).terminating());
    forged.repository.delegate("acme", Delegation::new("acme+edge").paths(&["acme/edge/*"]).terminating());
    forged.place.ok("sign oci:lay:1 --key acme --name acme/edge/x:1");
    forged.refused(1, "no-signers", "acme/edge/x:1");
    forged.repository.add_target("acme+edge", "acme/edge/x:1", b"another artifact");
    forged.refused(1, "entry", "acme/edge/x:1");
}

#[test]
fn earlier_sibling_envelope_cannot_override_entry() {
    let mut forged = Forged::new();
    // The earlier one is not terminating, so that the search goes on to the later one.
    forged.repository.delegate("targets", Delegation::new("early").paths(&["both/*"]));
    forged.repository.delegate("targets", Delegation::new("late").paths(&["both/*"]).terminating());
    forged.repository.set("targets", "/x-touchmark/envelopes", json(r#"["acme","early","late"]"#));
    forged.key("early");
    forged.place.ok("sign oci:lay:1 --key early --name both/x:1");
    forged.refused(1, "no-signers", "both/x:1");
    forged.repository.add_target("late", "both/x:1", b"another artifact");
    forged.refused(1, "entry", "both/x:1");
}
