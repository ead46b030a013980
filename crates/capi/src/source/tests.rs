use std::path::{Path, PathBuf};
use std::ptr;

use touchmark::envelope::json::Value;
use touchmark::envelope::manifest::Descriptor;
use touchmark::oci::error::Error as StoreError;
use touchmark::oci::source::Referrers;

use super::*;
use crate::artifact::{
    touchmark_verified_artifact_digest, touchmark_verified_artifact_manifest, touchmark_verified_artifact_name,
    touchmark_verified_artifact_to_json,
};
use crate::policy::{touchmark_policy_builder_build, touchmark_policy_builder_from_keys, touchmark_policy_builder_set_name};
use crate::public_key::{touchmark_public_key, touchmark_public_key_read};
use crate::request::{touchmark_request_new, touchmark_request_platform};
use crate::testing::{Owned, Seen, done, failed, made, shown, text, view};
use crate::testing_folder::{Folder, buffer};

pub(crate) const NOW: i64 = 1_795_824_000;

/// The folder of test data with this path.
pub(crate) fn data(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata").join(path)
}

pub(crate) fn open(reference: &str) -> Result<Owned<touchmark_source>, Seen> {
    // SAFETY: the view and the places are the test's.
    made(|out, error| unsafe { touchmark_source_open(view(reference), out, error) })
}

/// What is signed, by its tag.
pub(crate) fn signed(tag: &str) -> Owned<touchmark_source> {
    open(&format!("oci:{}:{tag}", data("layouts/signed").display())).unwrap()
}

fn key(name: &str) -> Owned<touchmark_public_key> {
    let pem = std::fs::read(data(&format!("layouts/{name}.pub"))).unwrap();
    // SAFETY: the view and the places are the test's.
    made(|out, error| unsafe { touchmark_public_key_read(view(&pem), out, error) }).unwrap()
}

pub(crate) fn policy_of(key: &Owned<touchmark_public_key>, name: &str) -> Owned<touchmark_policy> {
    let keys = [key.0.cast_const()];
    // SAFETY: the handles, the views and the places are the test's.
    unsafe {
        let builder = made(|out, error| touchmark_policy_builder_from_keys(keys.as_ptr(), 1, 1, out, error)).unwrap();
        done(|error| touchmark_policy_builder_set_name(builder.0, view(name), error)).unwrap();
        made(|out, error| touchmark_policy_builder_build(builder.0, out, error)).unwrap()
    }
}

fn policy(name: &str) -> Owned<touchmark_policy> {
    policy_of(&key("alice"), name)
}

fn digest(source: &Owned<touchmark_source>) -> Result<String, Seen> {
    // SAFETY: the handle and the places are the test's.
    buffer(made(|out, error| unsafe { touchmark_source_digest(source.0, out, error) }))
}

fn manifest(source: &Owned<touchmark_source>) -> Result<String, Seen> {
    // SAFETY: the handle and the places are the test's.
    buffer(made(|out, error| unsafe { touchmark_source_manifest(source.0, out, error) }))
}

pub(crate) fn verify_at(
    source: &Owned<touchmark_source>,
    policy: &Owned<touchmark_policy>,
    at: i64,
) -> Result<Owned<touchmark_verified_artifact>, Seen> {
    // SAFETY: the handles and the places are the test's.
    made(|out, error| unsafe { touchmark_source_verify(source.0, policy.0, at, out, error) })
}

pub(crate) fn json(artifact: &Owned<touchmark_verified_artifact>) -> String {
    // SAFETY: the handle and the places are the test's.
    buffer(made(|out, error| unsafe { touchmark_verified_artifact_to_json(artifact.0, out, error) })).unwrap()
}

#[test]
fn what_a_reference_names_is_read_and_verified() {
    let tar = open(&format!("oci-archive:{}:v1", data("vectors/layouts/signed.tar").display())).unwrap();
    for source in [signed("v1"), tar] {
        let (digest, manifest) = (digest(&source).unwrap(), manifest(&source).unwrap());
        assert_eq!(digest, touchmark_envelope_digest(manifest.as_bytes()));
        let artifact = verify_at(&source, &policy("acme/x:1"), NOW).unwrap();
        drop(source);
        // SAFETY: the handle is the test's.
        unsafe {
            assert_eq!(text(touchmark_verified_artifact_digest(artifact.0)), digest);
            assert_eq!(text(touchmark_verified_artifact_name(artifact.0)), "acme/x:1");
            assert_eq!(shown(touchmark_verified_artifact_manifest(artifact.0)), manifest.as_bytes());
        }
        // By its digest too.
        let pinned = open(&format!("oci:{}@{digest}", data("layouts/signed").display())).unwrap();
        assert!(verify_at(&pinned, &policy("acme/x:*"), NOW).is_ok());
    }
}

fn touchmark_envelope_digest(bytes: &[u8]) -> String {
    touchmark::envelope::digest::Algorithm::Sha256.digest(bytes).to_string()
}

#[test]
fn what_is_not_accepted_has_its_reason() {
    let refused = |tag, name| failed(verify_at(&signed(tag), &policy(name), NOW));
    assert_eq!(refused("unsigned", "acme/x:1").0, "UNSIGNED");
    assert_eq!(refused("v1", "acme/x:2").0, "NOT_VERIFIED");
    assert_eq!(refused("none", "acme/x:1").0, "UNKNOWN");
    assert_eq!(failed(verify_at(&signed("v1"), &policy("acme/x:1"), 0)).0, "INVALID_TIME");
    assert_eq!(failed(digest(&signed("none"))), ("NOT_FOUND", "no-such-tag".into()));
    assert_eq!(failed(manifest(&signed("none"))), ("NOT_FOUND", "no-such-tag".into()));
    // Without a tag it is the only one, which lists the others.
    let only = open(&format!("oci:{}", data("layouts/signed").display())).unwrap();
    assert_eq!(digest(&only), digest(&signed("multi")));
    let folder = Folder::new();
    let layout = folder.copy(&data("layouts/signed"), "layout");
    let index = std::fs::read(data("layouts/signed/index.json")).unwrap();
    let index = touchmark::envelope::json::parse(&index, index.len()).unwrap();
    let named = |entry: &&Value<'_>| {
        ["v1", "unsigned"].iter().any(|tag| String::from_utf8(entry.to_vec()).unwrap().contains(&format!("\"{tag}\"")))
    };
    let entries: Vec<Value<'_>> = index.get("manifests").and_then(Value::as_array).unwrap().iter().filter(named).cloned().collect();
    folder.file("layout/index.json", Value::object([("schemaVersion", Value::from(2_u64)), ("manifests", Value::from(entries))]).to_vec());
    assert_eq!(failed(digest(&open(&format!("oci:{layout}")).unwrap())), ("INVALID_ARGUMENT", "ambiguous".into()));
    let none = format!("oci:{}@sha256:{}", data("layouts/signed").display(), "0".repeat(64));
    assert_eq!(failed(digest(&open(&none).unwrap())).0, "NOT_FOUND");
}

#[test]
fn what_is_no_place_is_refused() {
    for bad in ["", "oci:", "oci::v1", "oci-archive:", "nothing", "oci:a\0b:v1", "docker://x/y:1"] {
        assert_eq!(failed(open(bad)), ("INVALID_REFERENCE", "bad-reference".into()), "{bad:?}");
    }
    // SAFETY: the view and the places are the test's.
    assert_eq!(failed(made(|out, error| unsafe { touchmark_source_open(view(b"oci:\xff"), out, error) })).0, "INVALID_UTF8");
    assert_eq!(failed(open("registry.example/acme/x:1")), ("UNSUPPORTED", "unsupported".into()));
    let folder = Folder::new();
    assert_eq!(failed(open(&format!("oci:{}", folder.path("none")))).0, "NOT_FOUND");
    assert_eq!(failed(open(&format!("oci-archive:{}", folder.path("none.tar")))).0, "NOT_FOUND");
    folder.file("other/file", "x");
    assert_eq!(failed(open(&format!("oci:{}", folder.path("other")))).0, "MALFORMED");
    let garbage = folder.file("garbage.tar", [0xff; 700]);
    assert_eq!(failed(open(&format!("oci-archive:{garbage}"))).0, "MALFORMED");
    let none = Owned(ptr::null_mut::<touchmark_source>());
    assert_eq!(failed(digest(&none)).0, "NULL_POINTER");
    assert_eq!(failed(verify_at(&none, &policy("acme/x:1"), NOW)).0, "NULL_POINTER");
}

#[test]
fn a_request_says_what_is_decided() {
    let multi = signed("multi");
    let (digest, policy) = (digest(&multi).unwrap(), policy("acme/multi:1"));
    let ask = |platform: Option<&str>| {
        // SAFETY: the handles, the views and the places are the test's.
        unsafe {
            let request = made(|out, error| touchmark_request_new(policy.0, view(&digest), NOW, out, error)).unwrap();
            if let Some(platform) = platform {
                done(|error| touchmark_request_platform(request.0, view(platform), error)).unwrap();
            }
            made(|out, error| touchmark_source_verify_request(multi.0, request.0, out, error))
        }
    };
    assert!(json(&ask(None).unwrap()).contains(&format!(r#""digest":"{digest}""#)));
    let image = ask(Some("linux/arm64")).unwrap();
    assert!(json(&image).contains(&format!(r#""covered_by":"{digest}""#)));
    // SAFETY: the handle is the test's.
    let bytes = unsafe { shown(touchmark_verified_artifact_manifest(image.0)) };
    assert!(json(&image).contains(&touchmark_envelope_digest(&bytes)));
    assert!(ask(Some("linux/riscv64")).is_err());
}

#[cfg(feature = "sign")]
#[test]
fn envelopes_are_attached_where_they_belong() {
    use crate::private_key::{touchmark_private_key_generate, touchmark_private_key_public};
    use crate::public_key::TOUCHMARK_KEY_ED25519;
    use crate::sign::touchmark_sign_manifest;
    use crate::signer::touchmark_signer_from_key;

    let folder = Folder::new();
    let layout = folder.copy(&data("layouts/signed"), "layout");
    let source = |tag: &str| open(&format!("oci:{layout}:{tag}")).unwrap();
    // SAFETY: the handles, the views and the places are the test's.
    unsafe {
        let private = made(|out, error| touchmark_private_key_generate(TOUCHMARK_KEY_ED25519, out, error)).unwrap();
        let public = made(|out, error| touchmark_private_key_public(private.0, out, error)).unwrap();
        let signer = made(|out, error| touchmark_signer_from_key(private.0, out, error)).unwrap();
        let bytes = manifest(&source("unsigned")).unwrap();
        let signers = [signer.0.cast_const()];
        let envelope = made(|out, error| {
            let (manifest, name, none) = (view(&bytes), view("acme/new:1"), touchmark_bytes::EMPTY);
            touchmark_sign_manifest(manifest, none, name, ptr::null(), 0, NOW, 0, signers.as_ptr(), 1, out, error)
        })
        .unwrap();
        let envelopes = [envelope.0.cast_const()];
        let attach = |source: &Owned<touchmark_source>| done(|error| touchmark_source_attach(source.0, envelopes.as_ptr(), 1, error));
        assert_eq!(failed(attach(&source("v1"))), ("INVALID_ARGUMENT", "other-artifact".into()));
        assert_eq!(failed(verify_at(&source("unsigned"), &policy_of(&public, "acme/new:1"), NOW)).0, "UNSIGNED");
        let opened = source("unsigned");
        assert_eq!((attach(&opened), attach(&opened)), (Ok(()), Ok(())));
        assert!(verify_at(&opened, &policy_of(&public, "acme/new:1"), NOW).is_ok());
        let tar = open(&format!("oci-archive:{}:v1", data("vectors/layouts/signed.tar").display())).unwrap();
        assert_eq!(failed(attach(&tar)), ("UNSUPPORTED", "unsupported".into()));
        assert_eq!(failed(done(|error| touchmark_source_attach(opened.0, [ptr::null()].as_ptr(), 1, error))).0, "NULL_POINTER");
    }
}

/// A layout that loses a manifest once it was read.
struct Fickle {
    layout: Layout,
    read: std::sync::atomic::AtomicBool,
}

impl Source for Fickle {
    fn location(&self) -> String {
        self.layout.location()
    }

    fn resolve(&self, tag: Option<&str>, digest: Option<&Digest>) -> Result<Descriptor, StoreError> {
        self.layout.resolve(tag, digest)
    }

    fn manifest(&self, digest: &Digest, limit: u64) -> Result<Vec<u8>, StoreError> {
        let is_artifact = *digest == self.layout.resolve(Some("v1"), None)?.digest;
        if is_artifact && self.read.swap(true, std::sync::atomic::Ordering::SeqCst) {
            return self.layout.manifest(&touchmark::envelope::digest::Algorithm::Sha256.digest(b"gone"), limit);
        }
        self.layout.manifest(digest, limit)
    }

    fn blob(&self, digest: &Digest) -> Result<(u64, Box<dyn std::io::Read + '_>), StoreError> {
        self.layout.blob(digest)
    }

    fn unhashed_blob(&self, digest: &Digest) -> Result<(u64, Box<dyn std::io::Read + '_>), StoreError> {
        self.layout.unhashed_blob(digest)
    }

    fn size(&self, digest: &Digest) -> Result<Option<u64>, StoreError> {
        self.layout.size(digest)
    }

    fn referrers(&self, subject: &Digest, max_entries: usize, max_bytes: u64) -> Result<Referrers, StoreError> {
        self.layout.referrers(subject, max_entries, max_bytes)
    }

    fn tags(&self) -> Result<Vec<(String, Descriptor)>, StoreError> {
        self.layout.tags()
    }

    fn roots(&self) -> Result<Vec<Descriptor>, StoreError> {
        self.layout.roots()
    }
}

#[test]
fn what_is_verified_has_its_manifest_or_is_not_known() {
    let folder = data("layouts/signed");
    let source = Fickle { layout: Layout::open(&folder).unwrap(), read: false.into() };
    let reference = format!("oci:{}:v1", folder.display()).parse().unwrap();
    let source = Owned(Box::into_raw(Box::new(touchmark_source { source: Box::new(source), reference })));
    assert_eq!(failed(verify_at(&source, &policy("acme/x:1"), NOW)).0, "UNKNOWN");
}
