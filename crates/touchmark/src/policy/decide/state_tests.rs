//! What is decided is by one state of a trust repository, and what the user wrote wrong is told before anybody is asked.

use std::io::Read;
use std::path::PathBuf;
use std::sync::Mutex;

use touchmark_envelope::key::KeyAlgorithm;
use touchmark_envelope::manifest::{Descriptor, IMAGE_MANIFEST};
use touchmark_envelope::sign::{PrivateKey, Signer};
use touchmark_oci::error::Error;
use touchmark_oci::layout::Layout;
use touchmark_oci::source::{Referrers, Store as _};
use touchmark_test_tuf_repository::{Delegation, NOW, Repository};

use super::*;
use crate::policy::PolicyClass;
use crate::sign::{Claim, Lifetime, Repeat, sign};
use crate::testing::Folder;
use crate::trust_root::{TrustRoot, folder as folder_source};

const NAME: &str = "acme/tool:1";

/// An OCI layout; when a manifest is read the first time, the folder of the trust repository is exchanged.
struct Shifting {
    layout: Layout,
    next: Mutex<Option<(Repository, PathBuf)>>,
}

impl Source for Shifting {
    fn location(&self) -> String {
        self.layout.location()
    }

    fn resolve(&self, tag: Option<&str>, digest: Option<&Digest>) -> Result<Descriptor, Error> {
        self.layout.resolve(tag, digest)
    }

    fn manifest(&self, digest: &Digest, limit: u64) -> Result<Vec<u8>, Error> {
        if let Some((repository, folder)) = self.next.lock().unwrap().take() {
            repository.write_to(&folder).unwrap();
        }
        self.layout.manifest(digest, limit)
    }

    fn blob(&self, digest: &Digest) -> Result<(u64, Box<dyn Read + '_>), Error> {
        self.layout.blob(digest)
    }

    fn unhashed_blob(&self, digest: &Digest) -> Result<(u64, Box<dyn Read + '_>), Error> {
        self.layout.unhashed_blob(digest)
    }

    fn size(&self, digest: &Digest) -> Result<Option<u64>, Error> {
        self.layout.size(digest)
    }

    fn referrers(&self, subject: &Digest, max_entries: usize, max_bytes: u64) -> Result<Referrers, Error> {
        self.layout.referrers(subject, max_entries, max_bytes)
    }

    fn tags(&self) -> Result<Vec<(String, Descriptor)>, Error> {
        self.layout.tags()
    }

    fn roots(&self) -> Result<Vec<Descriptor>, Error> {
        self.layout.roots()
    }
}

fn key(byte: u8) -> PrivateKey {
    PrivateKey::from_raw(KeyAlgorithm::Ed25519, &[byte; 32]).unwrap()
}

/// The artifact's manifest.
fn artifact(layout: &Layout) -> (Digest, Vec<u8>) {
    layout.put_blob(None, &mut b"{}".as_slice()).unwrap();
    let config = Algorithm::Sha256.digest(b"{}");
    let empty = format!(r#"{{"mediaType":"application/vnd.oci.empty.v1+json","digest":"{config}","size":2}}"#);
    let manifest = format!(r#"{{"schemaVersion":2,"mediaType":"{IMAGE_MANIFEST}","config":{empty},"layers":[{empty}]}}"#);
    let digest = layout.put_manifest(manifest.as_bytes(), IMAGE_MANIFEST, None).unwrap().digest;
    (digest, manifest.into_bytes())
}

/// In the first state the artifact is listed, and the repository's policy wants a signature of a key that did not sign; in the second that
/// key is one that did, and the artifact is not listed any more.
#[test]
fn metadata_that_changes_between_an_entry_and_the_policy_s_keys_accepts_nothing_that_neither_state_does() {
    let now = UnixTime::from_seconds(NOW).unwrap();
    for store in ["store", "none"] {
        let folder = Folder::new();
        let layout = Layout::open_or_create(folder.path("lay")).unwrap();
        let (digest, manifest) = artifact(&layout);
        let claim = Claim { name: Some(NAME.parse().unwrap()), ..Claim::default() };
        let signers: [Box<dyn Signer>; 1] = [Box::new(key(2))];
        sign(&layout, &digest, &signers, &claim, Repeat::Skip, now).unwrap();

        let mut first = Repository::new();
        first.delegate("targets", Delegation::new("acme").paths(&["acme/*"]).terminating());
        first.add_target("acme", NAME, &manifest);
        first.add_target("targets", "_touchmark/k.pub", key(1).public_key().to_pem().as_bytes());
        let own = br#"{"version":1,"rules":[{"names":"acme/**","keys":[{"target":"_touchmark/k.pub"}]}]}"#;
        first.add_target("targets", SIGNED_TARGET, own);
        first.publish();
        let mut second = first.clone();
        second.add_target("acme", NAME, b"another artifact");
        second.add_target("targets", "_touchmark/k.pub", key(2).public_key().to_pem().as_bytes());
        second.publish();

        let trust = folder.path("trust");
        first.write_to(&trust).unwrap();
        // Each asks with a store of its own: one that holds the key of the first state answers by that state throughout.
        let choice =
            |number| if store == "none" { StoreChoice::Nowhere } else { StoreChoice::At(folder.path(&format!("{store}-{number}"))) };
        let place = TrustSource::Repository(trust.join("metadata").to_str().unwrap().to_owned());
        let root = first.file("1.root.json").to_vec();
        let anchor = |number| TrustAnchor::new(root.clone(), Some(place.clone()), TrustSettings::new(choice(number)), now);
        let reference: Reference = "oci:lay".parse().unwrap();
        let mut asked = Asked::new(&reference, digest);
        asked.name = Some(NAME.parse().unwrap());

        let source = Shifting { layout, next: Mutex::default() };
        let not_verified = PolicyClass::Refused(touchmark_trust::Class::NotVerified);
        let refused = Decider::by_root(anchor(1), now).decide(&source, &asked).unwrap_err();
        assert_eq!((refused.error.class(), refused.error.code()), (not_verified, "threshold"), "{store}: {refused}");
        *source.next.lock().unwrap() = Some((second, trust));
        let refused = Decider::by_root(anchor(2), now).decide(&source, &asked).unwrap_err();
        assert!(source.next.lock().unwrap().is_none());
        assert_eq!((refused.error.class(), refused.error.code()), (not_verified, "entry"), "{store}: {refused}");
    }
}

/// A relative folder begins at that of the policy file, which the tests' working directory is not.
#[test]
fn a_source_of_a_policy_is_never_a_folder_of_the_working_directory() {
    assert!(Path::new("src").is_dir());
    for policy in ["/nonexistent", "/"] {
        assert!(matches!(trust_source(Path::new(policy), "src"), Err(PolicyError::BadTrustSource { .. })));
    }
    let folder = Folder::new();
    folder.file("src/metadata/x", "");
    let expected = folder.path("src/metadata").to_str().unwrap().to_owned();
    assert_eq!(trust_source(folder.root(), "src").unwrap(), TrustSource::Repository(expected));
    let artifact = trust_source(folder.root(), "registry.example/acme/trust:latest").unwrap();
    assert_eq!(artifact, TrustSource::Artifact("registry.example/acme/trust:latest".parse().unwrap()));
}

#[test]
fn a_key_that_is_missing_is_told_before_a_trust_repository_that_is() {
    let folder = Folder::new();
    folder.file("root.json", Repository::new().file("1.root.json"));
    folder.file(
        "p.json",
        r#"{"version":1,"trust":{"ours":{"root":"root.json","source":"./gone","store":"none"}},"rules":[
           {"names":"acme/**","trust":"ours","predicates":[{"type":"urn:x:y","keys":["gone.pub"]}]}]}"#,
    );
    let layout = Layout::open_or_create(folder.path("lay")).unwrap();
    let (digest, _) = artifact(&layout);
    let reference: Reference = "oci:lay".parse().unwrap();
    let mut asked = Asked::new(&reference, digest);
    asked.name = Some(NAME.parse().unwrap());
    let decider = || Decider::by_file(PolicyFile::open(folder.path("p.json")).unwrap(), UnixTime::from_seconds(NOW).unwrap());
    let class = || decider().decide(&layout, &asked).unwrap_err().error.class();
    assert_eq!(class(), PolicyClass::Usage);
    assert_eq!(decider().foresee(&reference, asked.name.as_ref()).unwrap_err().error.class(), PolicyClass::Usage);
    folder.file("gone.pub", key(1).public_key().to_pem());
    assert_eq!(class(), PolicyClass::Refused(touchmark_trust::Class::Unknown));
    assert!(decider().foresee(&reference, asked.name.as_ref()).is_ok());
    // No rule is for it, whatever is there.
    let other: Wanted = "other/tool:1".parse().unwrap();
    assert_eq!(decider().foresee(&reference, Some(&other)).unwrap_err().error.code(), "no-rule");
}

/// A clock that is behind the metadata lets nothing count again that has expired since, also where the repository's policy trusts keys.
#[test]
fn the_policy_of_a_repository_is_followed_at_no_earlier_time_than_its_metadata_was_verified_at() {
    let seconds = |after: i64| UnixTime::from_seconds(NOW + after).unwrap();
    let folder = Folder::new();
    let layout = Layout::open_or_create(folder.path("lay")).unwrap();
    let (digest, manifest) = artifact(&layout);
    let claim = Claim { name: Some(NAME.parse().unwrap()), lifetime: Some(Lifetime::Seconds(100)), ..Claim::default() };
    let signers: [Box<dyn Signer>; 1] = [Box::new(key(2))];
    sign(&layout, &digest, &signers, &claim, Repeat::Skip, seconds(0)).unwrap();
    let mut repository = Repository::new();
    repository.add_target("targets", NAME, &manifest);
    let pem = key(2).public_key().to_pem().replace('\n', "\\n");
    let own = format!(r#"{{"version":1,"rules":[{{"names":"acme/**","keys":"{pem}"}}]}}"#);
    repository.add_target("targets", SIGNED_TARGET, own.as_bytes());
    repository.publish();
    repository.write_to(&folder.path("trust")).unwrap();
    let place = folder.path("trust").join("metadata").to_str().unwrap().to_owned();
    let root = repository.file("1.root.json").to_vec();
    let settings = TrustSettings::new(StoreChoice::At(folder.path("store")));
    let reference: Reference = "oci:lay".parse().unwrap();
    let mut asked = Asked::new(&reference, digest);
    asked.name = Some(NAME.parse().unwrap());
    let by_clock = |after| {
        let anchor = TrustAnchor::new(root.clone(), Some(TrustSource::Repository(place.clone())), settings.clone(), seconds(after));
        Decider::by_root(anchor, seconds(after)).decide(&layout, &asked)
    };
    by_clock(0).unwrap();
    assert_eq!(by_clock(200).unwrap_err().error.class(), PolicyClass::Refused(touchmark_trust::Class::NotVerified));
    assert_eq!(by_clock(0).unwrap_err().error.class(), PolicyClass::Refused(touchmark_trust::Class::NotVerified));

    let opened = |after| {
        let settings = TrustSettings::new(StoreChoice::Nowhere);
        let trust = TrustRoot::owning(&root, folder_source(&place), &settings, seconds(after)).unwrap();
        let mut decider = Decider::by_root(TrustAnchor::opened(trust), seconds(after));
        decider.judge_at(seconds(0));
        decider
    };
    assert!(opened(0).decide(&layout, &asked).is_ok());
    assert!(opened(200).decide(&layout, &asked).is_err());
    assert_eq!(opened(0).notes(), [Note::NoHistory]);
}
