//! Referrers: listed by the API or under the fallback tag, kept by anchors, read back.

use touchmark_envelope::digest::Algorithm;
use touchmark_oci::access::Anchors;
use touchmark_oci::source::FindingKind;
use touchmark_oci::{Class, Error, Source, Store};
use touchmark_test_registry::{Action, Fault, Immutable, Parameter, Settings, When};

use super::*;

/// What a registry by the specification answers, what docker-registry does, and what lies between.
fn kinds() -> Vec<Settings> {
    vec![
        Settings::default(),
        Settings::naive(),
        Settings { page: Some(2), ..Settings::default() },
        Settings::without_referrers_api(),
        Settings::docker_registry(),
        Settings { tags_n: Parameter::Ignored, tags_page: Some(2), ..Settings::without_referrers_api() },
    ]
}

#[test]
fn what_is_attached_is_listed_on_every_kind_of_registry_and_once() {
    for settings in kinds() {
        let (server, registry) = started(settings.clone());
        let subject = put_artifact(&registry, "subject");
        let other = put_artifact(&registry, "other");
        let first = sign(&registry, &subject, "1");
        let elsewhere = sign(&registry, &other, "1");
        let manifests = ["2", "3", "2"].map(|mark| signature(&registry, &subject, mark));
        let manifests: Vec<&[u8]> = manifests.iter().map(Vec::as_slice).collect();
        let attached = registry.attach_as(Algorithm::Sha256, &manifests).unwrap();
        assert_eq!(attached.len(), 3, "{settings:?}");
        assert_eq!(attached[0].descriptor, attached[2].descriptor);
        assert!(attached.iter().all(|one| one.subject == subject.digest && !one.already && one.notices.is_empty()), "{attached:?}");
        let all = sorted([first, attached[0].descriptor.digest, attached[1].descriptor.digest]);
        assert_eq!(referrers(&registry, &subject), all, "{settings:?}");
        assert_eq!(referrers(&registry, &other), [elsewhere]);
        let again = registry.attach_as(Algorithm::Sha256, &manifests).unwrap();
        assert!(again.iter().all(|one| one.already));
        assert_eq!(referrers(&registry, &subject), all);
        if !settings.referrers_api {
            assert_eq!(listed(&server, &subject), all);
            let anchors: Vec<String> = server.tags(REPOSITORY).into_iter().map(|(tag, _)| tag).filter(|tag| tag.contains('.')).collect();
            assert_eq!(anchors.len(), 4, "{anchors:?}");
            assert!(all.iter().all(|digest| anchors.contains(&anchor_tag(&subject, digest))));
        } else {
            assert_eq!(server.tags(REPOSITORY), []);
        }
    }
}

#[test]
fn entries_of_the_list_have_the_artifact_type_and_the_annotations() {
    let (server, registry) = started(Settings::docker_registry());
    let subject = put_artifact(&registry, "subject");
    let role = Role::Attestation { predicate_type: "https://slsa.dev/provenance/v1".to_owned() };
    let attached = referrer::attach(&registry, &subject, b"{}", &role).unwrap();
    assert_eq!(referrer::Role::of(&attached.descriptor), Some(role));
    let text = String::from_utf8(attached.descriptor.to_json().to_vec()).unwrap();
    assert!(list(&server, &subject).contains(&text), "{text}");
}

/// What the module says of the number of requests.
#[test]
fn requests_are_few() {
    let (server, registry) = started(Settings::docker_registry());
    let subject = put_artifact(&registry, "subject");
    registry.referrers(&subject.digest, 100, 1 << 20).unwrap();
    let manifest = signature(&registry, &subject, "1");
    server.clear_log();
    let digest = registry.attach(&manifest).unwrap().descriptor.digest;
    let (tag, anchor) = (fallback_tag(&subject), anchor_tag(&subject, &digest));
    let expected = [
        format!("PUT manifests/{anchor}"),
        format!("GET manifests/{tag}"),
        format!("PUT manifests/{tag}"),
        "GET tags/list".to_owned(),
        format!("GET manifests/{tag}"),
        format!("HEAD manifests/{tag}"),
    ];
    assert_eq!(requests(&server), expected);

    // Many at once: each an anchor, and the list as often as for one.
    let manifests: Vec<Vec<u8>> = (2..22).map(|mark| signature(&registry, &subject, &mark.to_string())).collect();
    let manifests: Vec<&[u8]> = manifests.iter().map(Vec::as_slice).collect();
    server.clear_log();
    registry.attach_as(Algorithm::Sha256, &manifests).unwrap();
    assert_eq!(server.log().len(), 20 + 5, "{:#?}", requests(&server));
    assert_eq!(listed(&server, &subject).len(), 21);

    let (server, registry) = started(Settings::default());
    let subject = put_artifact(&registry, "subject");
    let manifest = signature(&registry, &subject, "1");
    server.clear_log();
    let digest = registry.attach(&manifest).unwrap().descriptor.digest;
    let list = format!("GET referrers/{}", subject.digest);
    assert_eq!(requests(&server), [list.clone(), format!("PUT manifests/{digest}"), list.clone(), list]);
}

#[test]
fn what_other_tools_wrote_into_the_list_stays_as_it_is() {
    let (server, registry) = started(Settings::docker_registry());
    let subject = put_artifact(&registry, "subject");
    let theirs = server.put_manifest(REPOSITORY, None, &image("theirs"));
    let entry = format!(r#"{{ "digest":"{theirs}","mediaType":"{IMAGE_MANIFEST}","size":7 , "odd":[1e3] }}"#);
    put_list(&server, &subject, &[&entry]);
    let digest = sign(&registry, &subject, "1");
    let list = list(&server, &subject);
    assert!(list.contains(&format!("[{entry},{{")) && list.contains(r#""x":[ 1 ]"#) && list.ends_with(r#""y": 2}"#), "{list}");
    assert!(list.contains(&digest.to_string()));
}

#[test]
fn an_error_is_no_empty_list() {
    for status in [401, 403, 429, 500, 503] {
        let (server, registry) = started(Settings::docker_registry());
        let subject = put_artifact(&registry, "subject");
        sign(&registry, &subject, "1");
        let before = list(&server, &subject);
        let manifest = signature(&registry, &subject, "2");
        server.fault(
            Fault::new(Action::status(status).with("Retry-After", "60")).get().path(&format!("manifests/{}", fallback_tag(&subject))),
        );
        let error = registry.attach(&manifest).unwrap_err();
        assert!(matches!(error, Error::Status { status: found, .. } if found == status), "{error:?}");
        assert_eq!(list(&server, &subject), before, "{status}");
        // The anchor is there, and the next writer lists what it names.
        server.clear_faults();
        sign(&registry, &subject, "3");
        assert_eq!(listed(&server, &subject).len(), 3);
    }
}

#[test]
fn what_fails_for_a_while_is_done_in_the_end() {
    let (server, registry) = started(Settings::docker_registry());
    let subject = put_artifact(&registry, "subject");
    // Two in a row are one request that was given up.
    for (method, path) in [("GET", fallback_tag(&subject)), ("PUT", fallback_tag(&subject)), ("GET", "tags/list".to_owned())] {
        server.fault(Fault::new(Action::status(500)).method(method).path(&path).when(When::First(2)));
        let attached = registry.attach(&signature(&registry, &subject, &format!("{method} {path}"))).unwrap();
        assert!(listed(&server, &subject).contains(&attached.descriptor.digest));
        assert_eq!(attached.notices, []);
    }
    // What goes on failing is no reason to look less closely.
    for (status, path) in [(500, "tags/list"), (429, "tags/list"), (502, fallback_tag(&subject).as_str())] {
        server.fault(Fault::new(Action::status(status).with("Retry-After", "60")).get().path(path));
        let error = registry.attach(&signature(&registry, &subject, path)).unwrap_err();
        assert!(matches!(error, Error::Status { status: found, .. } if found == status), "{error:?}");
        server.clear_faults();
        registry.attach(&signature(&registry, &subject, path)).unwrap();
    }
    assert_eq!(listed(&server, &subject).len(), 5);
}

#[test]
fn an_anchor_that_was_set_before_suffices_where_tags_cannot_be_set_again() {
    for immutable in [Immutable::All, Immutable::Fallback] {
        let (server, registry) = started(Settings { immutable_tags: immutable, ..Settings::docker_registry() });
        let subject = put_artifact(&registry, "subject");
        let first = sign(&registry, &subject, "1");
        let attached = registry.attach(&signature(&registry, &subject, "2")).unwrap();
        assert_eq!(attached.notices.len(), 1, "{:?}", attached.notices);
        assert_eq!(attached.notices[0].kind, FindingKind::Unconfirmed);
        assert_eq!(listed(&server, &subject), [first]);
        let all = sorted([first, attached.descriptor.digest]);
        assert_eq!(referrers(&opened(&server.host(), Anchors::Written), &subject), all);
        // Again, although nothing can be set again.
        registry.attach(&signature(&registry, &subject, "1")).unwrap();
        registry.attach(&signature(&registry, &subject, "2")).unwrap();
        assert_eq!(referrers(&registry, &subject), all);
    }
}

#[test]
fn a_registry_that_takes_no_anchor_gets_the_manifest_by_its_digest() {
    let (server, registry) = started(Settings::docker_registry());
    let subject = put_artifact(&registry, "subject");
    let refusal = Action::Status(400, Vec::new(), br#"{"errors":[{"code":"TAG_INVALID","message":"no dots"}]}"#.to_vec());
    server.fault(Fault::new(refusal).method("PUT").path(&format!("{}.", fallback_tag(&subject))));
    let attached = registry.attach(&signature(&registry, &subject, "1")).unwrap();
    assert_eq!(listed(&server, &subject), [attached.descriptor.digest]);
    assert!(attached.notices.iter().any(|notice| notice.detail.contains("TAG_INVALID: no dots")), "{:?}", attached.notices);
    assert!(server.tags(REPOSITORY).iter().all(|(tag, _)| !tag.contains('.')));
}

#[test]
fn a_refused_list_of_tags_is_told_and_stops_nobody() {
    for status in [401, 403, 405] {
        let (server, registry) = started(Settings { tags_refused: Some(status), ..Settings::docker_registry() });
        let subject = put_artifact(&registry, "subject");
        let attached = registry.attach(&signature(&registry, &subject, "1")).unwrap();
        assert_eq!(attached.notices.len(), 1, "{:?}", attached.notices);
        assert!(attached.notices[0].detail.contains("could not be confirmed"), "{:?}", attached.notices);
        assert_eq!(listed(&server, &subject), [attached.descriptor.digest]);
    }
}

/// A listing that lacks what was just set lags behind: it is asked for again, and not believed.
#[test]
fn a_list_of_tags_that_lags_is_asked_for_again() {
    let (server, registry) = started(Settings::docker_registry());
    let subject = put_artifact(&registry, "subject");
    let stale = format!(r#"{{"name":"{REPOSITORY}","tags":["v0"]}}"#);
    server.fault(Fault::new(Action::Body(stale.clone().into_bytes())).get().path("tags/list").when(When::First(2)));
    let attached = registry.attach(&signature(&registry, &subject, "1")).unwrap();
    assert_eq!(attached.notices, []);
    assert_eq!(listed(&server, &subject), [attached.descriptor.digest]);
    // One that lags for good is no reason to fail.
    server.fault(Fault::new(Action::Body(stale.into_bytes())).get().path("tags/list"));
    let attached = registry.attach(&signature(&registry, &subject, "2")).unwrap();
    assert!(attached.notices[0].detail.contains("lacks one that was set"), "{:?}", attached.notices);
    assert_eq!(listed(&server, &subject).len(), 2);
}

/// What neither the fallback tag nor a list of tags leads to is found by nobody: that is no success.
#[test]
fn a_list_that_cannot_be_written_needs_anchors_that_are_listed() {
    let (server, registry) = started(Settings { immutable_tags: Immutable::Fallback, ..Settings::docker_registry() });
    let subject = put_artifact(&registry, "subject");
    sign(&registry, &subject, "1");
    server.change(|settings| settings.tags_refused = Some(403));
    let error = registry.attach(&signature(&registry, &subject, "2")).unwrap_err();
    assert!(matches!(error, Error::Status { status: 409, .. }), "{error:?}");
    server.change(|settings| settings.tags_refused = None);
    let stale = format!(r#"{{"name":"{REPOSITORY}","tags":["v0"]}}"#);
    server.fault(Fault::new(Action::Body(stale.into_bytes())).get().path("tags/list").when(When::First(6)));
    assert!(registry.attach(&signature(&registry, &subject, "3")).is_err());
    // What could not be confirmed is confirmed where the tags are listed again.
    let attached = registry.attach(&signature(&registry, &subject, "2")).unwrap();
    assert!(attached.notices[0].detail.contains("cannot be written"), "{:?}", attached.notices);
}

#[test]
fn something_else_under_the_fallback_tag_is_never_overwritten() {
    let (server, registry) = started(Settings::docker_registry());
    let subject = put_artifact(&registry, "subject");
    let theirs = image("theirs");
    server.put_manifest(REPOSITORY, Some(&fallback_tag(&subject)), &theirs);
    let attached = registry.attach(&signature(&registry, &subject, "1")).unwrap();
    assert_eq!(attached.notices[0].kind, FindingKind::Unconfirmed);
    assert_eq!(list(&server, &subject).as_bytes(), theirs);
    let bare = opened(&server.host(), Anchors::Omitted);
    let error = bare.attach(&signature(&registry, &subject, "2")).unwrap_err();
    assert_eq!(error.class(), Class::Malformed, "{error:?}");
    assert_eq!(list(&server, &subject).as_bytes(), theirs);
    let found = registry.referrers(&subject.digest, 100, 1 << 20).unwrap();
    assert_eq!(found.entries.iter().map(|entry| entry.digest).collect::<Vec<_>>(), [attached.descriptor.digest]);
}

#[test]
fn without_anchors_none_is_written_and_none_is_asked_for() {
    let (server, registry) = started(Settings::docker_registry());
    let bare = opened(&server.host(), Anchors::Omitted);
    let subject = put_artifact(&registry, "subject");
    let first = sign(&bare, &subject, "1");
    let second = sign(&bare, &subject, "2");
    assert_eq!(listed(&server, &subject), sorted([first, second]));
    assert_eq!(server.tags(REPOSITORY).into_iter().map(|(tag, _)| tag).collect::<Vec<_>>(), [fallback_tag(&subject)]);
    assert!(server.log().iter().all(|request| !request.path.contains("tags/list")));
}

/// docker-registry refuses an index that names a manifest which is not there, whoever wrote that entry.
#[test]
fn an_entry_for_what_is_not_there_keeps_no_list_from_being_written() {
    let (server, registry) = started(Settings::docker_registry());
    let subject = put_artifact(&registry, "subject");
    let first = sign(&registry, &subject, "1");
    let lost = sign(&registry, &subject, "2");
    server.lose_manifest(REPOSITORY, &lost.to_string());
    server.lose_tag(REPOSITORY, &anchor_tag(&subject, &lost));
    let third = sign(&registry, &subject, "3");
    assert_eq!(listed(&server, &subject), sorted([first, third]));
}

/// Another program overwrites the list with what it had read before, after the first look that found everything.
#[test]
fn an_overwritten_list_is_mended_by_who_sees_it_and_by_the_next_writer() {
    let (server, registry) = started(Settings::docker_registry());
    let subject = put_artifact(&registry, "subject");
    let first = sign(&registry, &subject, "1");
    put_list(&server, &subject, &[]);
    let second = sign(&registry, &subject, "2");
    assert_eq!(listed(&server, &subject), sorted([first, second]));
    assert_eq!(referrers(&registry, &subject), sorted([first, second]));
}

/// Between two looks another program overwrites the list, and with it what a third one wrote: that comes back, unless it was removed.
#[test]
fn what_was_overwritten_is_listed_again_if_it_is_still_there() {
    let (server, registry) = started(Settings { accept_missing_blobs: true, ..Settings::docker_registry() });
    let subject = put_artifact(&registry, "subject");
    let there = server.put_manifest(REPOSITORY, None, &image("there"));
    let gone = Algorithm::Sha256.digest(b"gone");
    let entry = |digest: &str| format!(r#"{{"mediaType":"{IMAGE_MANIFEST}","digest":"{digest}","size":7,"odd": 1 }}"#);
    put_list(&server, &subject, &[&entry(&there), &entry(&gone.to_string())]);
    let empty = server.put_manifest(
        REPOSITORY,
        None,
        br#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#,
    );
    // The first look sees the list as it is, the second an empty one.
    server.fault(Fault::new(Action::Manifest(empty)).get().path(&format!("manifests/{}", fallback_tag(&subject))).nth(2));
    let own = sign(&registry, &subject, "1");
    assert_eq!(listed(&server, &subject), sorted([own, there.parse().unwrap()]));
    assert!(list(&server, &subject).contains(&entry(&there)));
}

/// Anchors are anybody's tags: what is under one may be anything, and what is not its subject's referrer is listed by nobody.
#[test]
fn an_anchor_that_leads_elsewhere_is_passed_over() {
    let (server, registry) = started(Settings::docker_registry());
    let subject = put_artifact(&registry, "subject");
    let other = put_artifact(&registry, "other");
    server.put_tag(REPOSITORY, &format!("{}.0123456789ab", fallback_tag(&subject)), &other.digest.to_string());
    let elsewhere = sign(&registry, &other, "1");
    server.put_tag(REPOSITORY, &anchor_tag(&subject, &elsewhere), &elsewhere.to_string());
    let digest = sign(&registry, &subject, "2");
    assert_eq!(listed(&server, &subject), [digest]);
}

#[test]
fn the_referrers_api_is_not_believed_before_it_lists() {
    let (server, registry) = started(Settings { referrers_race: None, ..Settings::default() });
    let subject = put_artifact(&registry, "subject");
    // It forgets the first two times.
    let empty = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;
    server.fault(Fault::new(Action::Body(empty.as_bytes().to_vec())).get().path("referrers/").when(When::First(4)));
    let manifest = signature(&registry, &subject, "1");
    let attached = registry.attach(&manifest).unwrap();
    assert_eq!(attached.notices, []);
    assert_eq!(referrers(&registry, &subject), [attached.descriptor.digest]);
    let pushed = server
        .log()
        .iter()
        .filter(|request| request.method == "PUT" && request.path.ends_with(&attached.descriptor.digest.to_string()))
        .count();
    assert_eq!(pushed, 2, "pushed again after it was not listed twice");
}

#[test]
fn an_entry_of_the_referrers_api_is_no_proof_that_the_manifest_is_there() {
    let (server, registry) = started(Settings::default());
    let subject = put_artifact(&registry, "subject");
    let manifest = signature(&registry, &subject, "1");
    let digest = Algorithm::Sha256.digest(&manifest);
    let stale = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{{"mediaType":"{IMAGE_MANIFEST}","digest":"{digest}","size":{}}}]}}"#,
        manifest.len()
    );
    server.fault(Fault::new(Action::Body(stale.into_bytes())).get().path("referrers/").nth(1));
    assert!(!registry.attach(&manifest).unwrap().already);
    assert!(server.manifest(REPOSITORY, &digest.to_string()).is_some());
}

#[test]
fn a_referrers_api_that_never_lists_is_done_without() {
    let (server, registry) = started(Settings::default());
    let subject = put_artifact(&registry, "subject");
    let empty = r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;
    server.fault(Fault::new(Action::Body(empty.as_bytes().to_vec())).get().path("referrers/"));
    let attached = registry.attach(&signature(&registry, &subject, "1")).unwrap();
    assert!(attached.notices.iter().any(|notice| notice.detail.contains("does not list it")), "{:?}", attached.notices);
    assert_eq!(listed(&server, &subject), [attached.descriptor.digest]);
    assert_eq!(referrers(&opened(&server.host(), Anchors::Written), &subject), [attached.descriptor.digest]);
}

#[test]
fn a_registry_that_does_not_know_the_subject_yet_is_asked_again() {
    let (server, registry) = started(Settings::default());
    let subject = put_artifact(&registry, "subject");
    let unknown = Action::Status(404, Vec::new(), br#"{"errors":[{"code":"MANIFEST_UNKNOWN"}]}"#.to_vec());
    server.fault(Fault::new(unknown).get().path("referrers/").when(When::First(1)));
    let digest = sign(&registry, &subject, "1");
    assert_eq!(server.referrers(REPOSITORY, &subject.digest.to_string()), [digest.to_string()]);
    assert_eq!(server.tags(REPOSITORY), []);
}

#[test]
fn what_cannot_be_attached_is_refused_before_anything_is_written() {
    let (server, registry) = started(Settings::docker_registry());
    let subject = put_artifact(&registry, "subject");
    server.clear_log();
    assert!(matches!(registry.attach(&image("no subject")), Err(Error::NoSubject { .. })));
    assert!(matches!(registry.attach(b"{}"), Err(Error::Malformed { .. })));
    assert_eq!(server.log().len(), 0);
    // Its envelope is not there.
    let manifest = referrer::manifest(&subject, b"missing", &Role::Signature);
    let error = registry.attach(&manifest).unwrap_err();
    assert!(matches!(&error, Error::MissingBlob { blob, .. } if *blob == Algorithm::Sha256.digest(b"missing")), "{error:?}");
    assert_eq!(list(&server, &subject), "");
}

#[test]
fn manifests_by_sha512_are_attached_under_that_digest() {
    for settings in [Settings::default(), Settings::without_referrers_api()] {
        let (_server, registry) = started(settings);
        let subject = put_artifact(&registry, "subject");
        let manifest = signature(&registry, &subject, "1");
        let attached = registry.attach_as(Algorithm::Sha512, &[&manifest]).unwrap();
        assert_eq!(attached[0].descriptor.digest, Algorithm::Sha512.digest(&manifest));
        assert!(referrers(&registry, &subject).contains(&attached[0].descriptor.digest));
        assert_eq!(registry.manifest(&attached[0].descriptor.digest, 1 << 20).unwrap(), manifest);
    }
}
