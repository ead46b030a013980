//! Removing referrers, and making lists say what is there.

use touchmark_envelope::digest::Algorithm;
use touchmark_oci::access::Anchors;
use touchmark_oci::{Class, Error, Source, Upkeep};
use touchmark_test_registry::{Action, Fault, Immutable, Settings, When};

use super::*;

#[test]
fn what_is_removed_is_gone_from_lists_and_anchors_and_nothing_else_is() {
    for settings in [Settings::default(), Settings::without_referrers_api(), Settings::docker_registry()] {
        let (server, registry) = started(settings.clone());
        let subject = put_artifact(&registry, "subject");
        let (one, two) = (sign(&registry, &subject, "1"), sign(&registry, &subject, "2"));
        assert_eq!(referrers(&registry, &subject), sorted([one, two]));
        registry.detach(&subject.digest, &one).unwrap();
        assert_eq!(referrers(&registry, &subject), [two], "{settings:?}");
        assert!(server.manifest(REPOSITORY, &one.to_string()).is_none());
        assert!(server.tags(REPOSITORY).iter().all(|(tag, _)| *tag != anchor_tag(&subject, &one)));
        assert!(!list(&server, &subject).contains(&one.to_string()));
        assert!(matches!(registry.manifest(&one, 1 << 20), Err(Error::NoSuchBlob { .. })), "not even from memory");
        assert!(matches!(registry.detach(&subject.digest, &one), Err(Error::NoSuchBlob { .. })));
        assert!(registry.repair(false, Some(&subject.digest)).unwrap().is_clean());
        // It can come back.
        assert_eq!(sign(&registry, &subject, "1"), one);
        assert_eq!(referrers(&registry, &subject), sorted([one, two]));
    }
}

#[test]
fn only_a_referrer_of_the_subject_is_removed() {
    let (server, registry) = started(Settings::docker_registry());
    let (subject, other) = (put_artifact(&registry, "subject"), put_artifact(&registry, "other"));
    let one = sign(&registry, &subject, "1");
    assert!(matches!(registry.detach(&other.digest, &one), Err(Error::OtherSubject { .. })));
    assert!(matches!(registry.detach(&subject.digest, &other.digest), Err(Error::OtherSubject { .. })));
    assert!(matches!(registry.detach(&subject.digest, &Algorithm::Sha256.digest(b"nothing")), Err(Error::NoSuchBlob { .. })));
    assert_eq!(listed(&server, &subject), [one]);
}

#[test]
fn a_registry_that_deletes_nothing_is_left_as_it_is() {
    for status in [403, 405] {
        let (server, registry) = started(Settings::docker_registry());
        let subject = put_artifact(&registry, "subject");
        let one = sign(&registry, &subject, "1");
        let before = list(&server, &subject);
        server.fault(Fault::new(Action::status(status)).method("DELETE"));
        let error = registry.detach(&subject.digest, &one).unwrap_err();
        assert!(matches!(error, Error::Status { status: found, .. } if found == status), "{error:?}");
        assert_eq!(list(&server, &subject), before);
        assert_eq!(referrers(&registry, &subject), [one]);
    }
}

#[test]
fn a_list_that_cannot_be_rewritten_keeps_nothing_from_being_removed() {
    let (_server, registry) = started(Settings { immutable_tags: Immutable::Fallback, ..Settings::docker_registry() });
    let subject = put_artifact(&registry, "subject");
    let (one, two) = (sign(&registry, &subject, "1"), sign(&registry, &subject, "2"));
    for digest in [one, two] {
        registry.detach(&subject.digest, &digest).unwrap();
        assert!(matches!(registry.manifest(&digest, 1 << 20), Err(Error::NoSuchBlob { .. })));
    }
}

/// What repair could not write it does not claim to have written.
#[test]
fn a_list_that_cannot_be_rewritten_is_not_repaired() {
    let (_server, registry) = started(Settings { immutable_tags: Immutable::Fallback, ..Settings::docker_registry() });
    let subject = put_artifact(&registry, "subject");
    sign(&registry, &subject, "1");
    sign(&registry, &subject, "2");
    let would = registry.repair(true, None).unwrap();
    assert_eq!((would.listed.len(), would.complete), (1, true), "{would:?}");
    for _ in 0..2 {
        let report = registry.repair(false, None).unwrap();
        assert!(report.is_clean() && !report.complete, "{report:?}");
        assert!(report.findings[0].detail.contains("cannot be written"), "{report:?}");
    }
}

/// Whoever attaches while another removes may have read the list before, and the anchor; the entry goes all the same.
#[test]
fn an_entry_that_comes_back_while_it_is_removed_goes_again() {
    let (server, registry) = started(Settings::docker_registry());
    let subject = put_artifact(&registry, "subject");
    let (one, two) = (sign(&registry, &subject, "1"), sign(&registry, &subject, "2"));
    std::thread::scope(|scope| {
        for mark in 3..9 {
            let (host, subject) = (server.host(), &subject);
            scope.spawn(move || sign(&opened(&host, Anchors::Written), subject, &mark.to_string()));
        }
        scope.spawn(|| registry.detach(&subject.digest, &one).unwrap());
    });
    let entries = listed(&server, &subject);
    assert_eq!(entries.len(), 7, "{entries:?}");
    assert!(!entries.contains(&one) && entries.contains(&two));
    assert!(registry.repair(true, None).unwrap().is_clean());
}

/// The list is written from an old view, and the answer is an error although it was written.
#[test]
fn who_removes_a_referrer_with_an_old_view_loses_no_other() {
    let (server, registry) = started(Settings::docker_registry());
    let subject = put_artifact(&registry, "subject");
    let one = sign(&registry, &subject, "1");
    let old = server.put_manifest(REPOSITORY, None, list(&server, &subject).as_bytes());
    let two = sign(&registry, &subject, "2");
    let path = format!("manifests/{}", fallback_tag(&subject));
    server.fault(Fault::new(Action::Manifest(old)).get().path(&path).nth(1));
    server.fault(Fault::new(Action::Carried(500)).method("PUT").path(&path).when(When::First(2)));
    registry.detach(&subject.digest, &one).unwrap();
    assert_eq!(listed(&server, &subject), [two]);
}

#[test]
fn an_entry_for_what_was_deleted_otherwise_is_removed_by_name() {
    let (server, registry) = started(Settings::without_referrers_api());
    let subject = put_artifact(&registry, "subject");
    let one = sign(&registry, &subject, "1");
    server.lose_manifest(REPOSITORY, &one.to_string());
    registry.detach(&subject.digest, &one).unwrap();
    assert_eq!(listed(&server, &subject), []);
}

#[test]
fn repair_lists_what_anchors_name_and_takes_out_what_is_not_there() {
    let (server, registry) = started(Settings::docker_registry());
    let (subject, other) = (put_artifact(&registry, "subject"), put_artifact(&registry, "other"));
    let digests: Vec<Digest> = ["1", "2", "3"].map(|mark| sign(&registry, &subject, mark)).to_vec();
    let elsewhere = sign(&registry, &other, "1");
    server.lose_manifest(REPOSITORY, &digests[0].to_string());
    server.lose_tag(REPOSITORY, &anchor_tag(&subject, &digests[0]));
    let entry = format!(r#"{{"mediaType":"{IMAGE_MANIFEST}","digest":"{}","size":7}}"#, digests[0]);
    put_list(&server, &subject, &[&entry]);
    put_list(&server, &other, &[]);

    let dry = registry.repair(true, None).unwrap();
    let mut listed_again: Vec<(Digest, Digest)> = dry.listed.iter().map(|(subject, referrer)| (*subject, referrer.digest)).collect();
    listed_again.sort_unstable();
    let mut expected = vec![(subject.digest, digests[1]), (subject.digest, digests[2]), (other.digest, elsewhere)];
    expected.sort_unstable();
    assert_eq!((listed_again, dry.removed, dry.complete, dry.dry_run), (expected, vec![digests[0]], true, true));
    assert_eq!(listed(&server, &subject), [digests[0]], "nothing was written");

    let one = registry.repair(false, Some(&subject.digest)).unwrap();
    assert_eq!((one.listed.len(), one.removed.len()), (2, 1));
    assert_eq!(listed(&server, &subject), sorted([digests[1], digests[2]]));
    assert_eq!(listed(&server, &other), []);
    let all = registry.repair(false, None).unwrap();
    assert_eq!((all.listed.len(), all.removed.len()), (1, 0));
    assert_eq!(listed(&server, &other), [elsewhere]);
    assert!(registry.repair(false, None).unwrap().is_clean());
}

/// A registry that was given the API later, or that lost entries.
#[test]
fn repair_pushes_again_what_the_referrers_api_does_not_list() {
    let (server, registry) = started(Settings::docker_registry());
    let subject = put_artifact(&registry, "subject");
    let digests = sorted(["1", "2"].map(|mark| sign(&registry, &subject, mark)));
    server.change(|settings| (settings.referrers_api, settings.referrers_race) = (true, Some(std::time::Duration::ZERO)));
    let late = opened(&server.host(), Anchors::Written);
    let empty = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;
    server.fault(Fault::new(Action::Body(empty.as_bytes().to_vec())).get().path("referrers/").when(When::First(1)));
    let report = late.repair(false, Some(&subject.digest)).unwrap();
    assert_eq!(sorted(report.listed.iter().map(|(_, referrer)| referrer.digest)), digests);
    assert_eq!(sorted(server.referrers(REPOSITORY, &subject.digest.to_string()).iter().map(|digest| digest.parse().unwrap())), digests);
    assert!(late.repair(false, Some(&subject.digest)).unwrap().is_clean());
}

#[test]
fn repair_without_the_list_of_tags_says_that_it_is_not_complete() {
    let (server, registry) = started(Settings::docker_registry());
    let subject = put_artifact(&registry, "subject");
    sign(&registry, &subject, "1");
    server.change(|settings| settings.tags_refused = Some(403));
    let report = registry.repair(false, Some(&subject.digest)).unwrap();
    assert!(report.is_clean() && !report.complete && !report.findings.is_empty());
    assert_eq!(registry.repair(false, None).unwrap_err().class(), Class::Denied);
}
