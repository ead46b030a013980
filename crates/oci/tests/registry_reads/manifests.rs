use touchmark_envelope::digest::Algorithm;
use touchmark_oci::Source;
use touchmark_oci::error::{Class, Error};
use touchmark_test_registry::{Action, Fault, Settings, sha512};

use super::*;

#[test]
fn a_tag_is_resolved_by_its_manifest_which_is_not_asked_for_again() {
    let (server, registry) = started(Settings::default());
    let artifact = put_artifact(&server);
    assert_eq!(registry.resolve(Some("v1"), None).unwrap(), artifact);
    assert_eq!(registry.manifest(&artifact.digest, 1 << 20).unwrap(), image("artifact"));
    assert_eq!(registry.resolve(Some("other"), Some(&artifact.digest)).unwrap(), artifact);
    assert_eq!(asked(&server), ["GET manifests/v1"]);
    assert_eq!(registry.location(), format!("{}/{REPOSITORY}", server.host()));
    assert_eq!(registry.repository().map(|repository| repository.name()), Some(REPOSITORY));
}

#[test]
fn a_manifest_that_was_pushed_by_sha512_is_resolved_to_that_digest() {
    let (server, registry) = started(Settings::default());
    let bytes = image("artifact");
    let digest = sha512(&bytes);
    server.put_manifest_as(REPOSITORY, &digest, &bytes);
    server.put_tag(REPOSITORY, "v1", &digest);
    assert_eq!(registry.resolve(Some("v1"), None).unwrap().digest.to_string(), digest);
    assert_eq!(opened(&server).manifest(&Algorithm::Sha512.digest(&bytes), 1 << 20).unwrap(), bytes);
}

#[test]
fn how_large_a_manifest_may_be_is_the_callers_to_say() {
    let (server, registry) = started(Settings::default());
    let bytes = image(&"x".repeat(5 << 20));
    let digest: Digest = server.put_manifest(REPOSITORY, Some("v1"), &bytes).parse().unwrap();
    let access = Access { max_manifest: Some(8 << 20), ..Access::default() };
    for (tag, by_digest) in [(Some("v1"), None), (None, Some(&digest))] {
        assert_eq!(registry.resolve(tag, by_digest).unwrap_err().class(), Class::Cap);
        let larger = Registry::new(format!("{}/{REPOSITORY}", server.host()).parse().unwrap(), &access).unwrap();
        assert_eq!(larger.resolve(tag, by_digest).unwrap().digest, digest);
    }
}

#[test]
fn what_is_not_there_is_not_there() {
    let (server, registry) = started(Settings::default());
    let unknown = registry.resolve(Some("v1"), None).unwrap_err();
    assert!(matches!(&unknown, Error::Status { status: 404, code: Some(code), .. } if code == "NAME_UNKNOWN"), "{unknown}");
    assert_eq!(unknown.class(), Class::NotFound);
    let artifact = put_artifact(&server);
    let missing = registry.resolve(Some("v2"), None).unwrap_err();
    assert!(matches!(&missing, Error::NoSuchTag { tag, .. } if tag == "v2"));
    assert!(missing.hint().unwrap().contains(&format!("touchmark tree {}", registry.location())));
    let digest = Algorithm::Sha256.digest(b"missing");
    for error in [registry.resolve(None, Some(&digest)).unwrap_err(), registry.manifest(&digest, 1 << 20).unwrap_err()] {
        assert!(matches!(error, Error::NoSuchBlob { digest: missing, .. } if missing == digest));
    }
    assert!(matches!(registry.resolve(None, None), Err(Error::NoTag { .. })));
    // The tags were listed for none of this.
    assert!(!asked(&server).iter().any(|asked| asked.contains("tags")));
    assert_eq!(registry.size(&digest).unwrap(), None);
    assert_eq!(registry.size(&artifact.digest).unwrap(), Some(artifact.size));
}

#[test]
fn could_not_find_out_is_not_no() {
    for (action, class) in [
        (Action::status(400), Class::Unavailable),
        (Action::status(401), Class::Denied),
        (Action::status(403), Class::Denied),
        (Action::status(405), Class::Unavailable),
        (Action::status(429), Class::Unavailable),
        (Action::status(500), Class::Unavailable),
        (Action::status(204), Class::Unavailable),
        (Action::Reset, Class::Unavailable),
        (Action::ResetBody(10), Class::Unavailable),
        (Action::Truncate(10), Class::Unavailable),
    ] {
        let (server, registry) = started(Settings::default());
        let artifact = put_artifact(&server);
        server.put_blob(REPOSITORY, b"content");
        server.fault(Fault::new(action.clone()));
        let shown = format!("{action:?}");
        assert_eq!(registry.resolve(Some("v1"), None).expect_err(&shown).class(), class, "{shown}");
        assert_eq!(registry.manifest(&artifact.digest, 1 << 20).expect_err(&shown).class(), class, "{shown}");
        // A failure that is over is none.
        server.clear_faults();
        server.fault(Fault::new(action).nth(1));
        let again = registry.manifest(&artifact.digest, 1 << 20).is_ok();
        assert_eq!(again, class == Class::Unavailable && !["400", "405", "204"].iter().any(|status| shown.contains(status)), "{shown}");
    }
}

#[test]
fn a_denial_says_where_to_log_in() {
    let (server, registry) = started(Settings::default());
    server.fault(Fault::new(Action::status(401)));
    let error = registry.resolve(Some("v1"), None).unwrap_err();
    assert_eq!(error.hint().unwrap(), format!("touchmark login {}", server.host()));
}

#[test]
fn many_manifests_come_in_their_order_and_at_the_same_time() {
    let (server, registry) = started(Settings::default());
    let manifests: Vec<Vec<u8>> = (0..40).map(|number| image(&number.to_string())).collect();
    for bytes in &manifests {
        server.put_manifest(REPOSITORY, None, bytes);
    }
    let mut digests: Vec<_> = manifests.iter().map(|bytes| Algorithm::Sha256.digest(bytes)).collect();
    digests.insert(7, Algorithm::Sha256.digest(b"missing"));
    let mut read = registry.manifests(&digests, 1 << 20);
    assert_eq!(read.remove(7).unwrap_err().class(), Class::NotFound);
    assert_eq!(read.into_iter().map(Result::unwrap).collect::<Vec<_>>(), manifests);
}

#[test]
fn a_manifest_has_its_limit_also_when_it_is_known() {
    let (server, registry) = started(Settings::default());
    let artifact = put_artifact(&server);
    let limit = artifact.size;
    assert_eq!(registry.manifest(&artifact.digest, limit - 1).unwrap_err().class(), Class::Cap);
    assert!(registry.manifest(&artifact.digest, limit).is_ok());
    assert_eq!(registry.manifest(&artifact.digest, limit - 1).unwrap_err().class(), Class::Cap);
    server.fault(Fault::new(Action::Fill(Vec::new(), b' ', None)));
    assert_eq!(opened(&server).resolve(Some("v1"), None).unwrap_err().class(), Class::Cap);
}
