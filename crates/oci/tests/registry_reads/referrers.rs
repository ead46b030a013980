use touchmark_envelope::Digest;
use touchmark_envelope::digest::Algorithm;
use touchmark_oci::Source;
use touchmark_oci::error::Class;
use touchmark_oci::source::{FindingKind, Referrers};
use touchmark_test_registry::{Action, Fault, Filter, Settings};

use super::*;

fn digests(found: &Referrers) -> Vec<Digest> {
    found.entries.iter().map(|entry| entry.digest).collect()
}

#[test]
fn the_list_of_the_api_is_one_request() {
    let (server, registry) = started(Settings::default());
    let artifact = put_artifact(&server);
    let signatures = [put_signature(&server, &artifact, "1"), put_signature(&server, &artifact, "2")];
    let found = registry.quick_referrers(&artifact.digest, 10, 1 << 20).unwrap();
    assert_eq!(digests(&found), signatures);
    assert!(found.complete && found.more && found.findings.is_empty());
    assert_eq!(found.entries[0].artifact_type.as_deref(), Some("application/vnd.touchmark.signature.v1+json"));
    assert_eq!(asked(&server), [format!("GET referrers/{}", artifact.digest)]);
    // The thorough list asks for the fallback tag besides, and there is none.
    let found = registry.referrers(&artifact.digest, 10, 1 << 20).unwrap();
    assert_eq!(digests(&found), signatures);
    assert!(found.complete && !found.more);
    assert_eq!(asked(&server).len(), 3);
}

#[test]
fn without_the_api_the_fallback_tag_is_asked_and_the_api_no_more() {
    let (server, registry) = started(Settings::without_referrers_api());
    let artifact = put_artifact(&server);
    let signatures = [put_signature(&server, &artifact, "1"), put_signature(&server, &artifact, "2")];
    put_list(&server, &artifact, &signatures);
    for _ in 0..2 {
        let found = registry.quick_referrers(&artifact.digest, 10, 1 << 20).unwrap();
        assert_eq!(digests(&found), signatures);
        assert!(found.complete && found.more);
    }
    let fallback = format!("GET manifests/{}", fallback_tag(&artifact.digest));
    assert_eq!(asked(&server), [format!("GET referrers/{}", artifact.digest), fallback.clone(), fallback]);
}

#[test]
fn an_unknown_repository_does_not_tell_that_there_is_no_api() {
    let (server, registry) = started(Settings::default());
    let artifact = put_artifact(&server);
    let unknown = br#"{"errors":[{"code":"NAME_UNKNOWN","message":"no such repository"}]}"#;
    server.fault(Fault::new(Action::Status(404, Vec::new(), unknown.to_vec())).path("/referrers/").nth(1));
    assert!(registry.quick_referrers(&artifact.digest, 10, 1 << 20).unwrap().entries.is_empty());
    let signature = put_signature(&server, &artifact, "1");
    assert_eq!(digests(&registry.quick_referrers(&artifact.digest, 10, 1 << 20).unwrap()), [signature]);
}

/// A registry that had the API has it still: what it lists is then unknown, and not nothing.
#[test]
fn a_404_of_a_registry_that_has_the_api_is_no_empty_list() {
    let (server, registry) = started(Settings::default());
    let artifact = put_artifact(&server);
    let signature = put_signature(&server, &artifact, "1");
    server.fault(Fault::new(Action::Status(404, Vec::new(), b"404 page not found".to_vec())).path("/referrers/").nth(2));
    assert!(registry.quick_referrers(&artifact.digest, 10, 1 << 20).unwrap().complete);
    let found = registry.referrers(&artifact.digest, 10, 1 << 20).unwrap();
    assert!(found.entries.is_empty() && !found.complete);
    assert_eq!(found.findings[0].kind, FindingKind::Unreadable);
    let found = registry.referrers(&artifact.digest, 10, 1 << 20).unwrap();
    assert_eq!((digests(&found), found.complete), (vec![signature], true));
}

#[test]
fn pages_are_followed_and_lists_united() {
    let (server, registry) = started(Settings { page: Some(2), ..Settings::default() });
    let artifact = put_artifact(&server);
    let mut signatures: Vec<Digest> = (0..5).map(|number| put_signature(&server, &artifact, &number.to_string())).collect();
    let found = registry.quick_referrers(&artifact.digest, 10, 1 << 20).unwrap();
    assert_eq!(digests(&found), signatures);
    assert_eq!(asked(&server).len(), 3);
    // An earlier version of the registry had no API, so that its list is under the fallback tag.
    let old = Algorithm::Sha256.digest(b"old");
    put_list(&server, &artifact, &[signatures[3], old]);
    signatures.push(old);
    assert_eq!(digests(&registry.referrers(&artifact.digest, 10, 1 << 20).unwrap()), signatures);
}

#[test]
fn a_naive_registry_lists_everything_without_types() {
    let (server, registry) = started(Settings { filter: Filter::Feigned, ..Settings::naive() });
    let artifact = put_artifact(&server);
    let signature = put_signature(&server, &artifact, "1");
    let found = registry.quick_referrers(&artifact.digest, 10, 1 << 20).unwrap();
    assert_eq!(digests(&found), [signature]);
    assert_eq!(found.entries[0].artifact_type, None);
    assert!(found.complete);
}

#[test]
fn only_404_means_that_there_is_no_list() {
    for status in [400, 401, 403, 405, 410, 429, 500, 501, 503] {
        for path in ["/referrers/", "/manifests/sha256-"] {
            let (server, registry) = started(Settings { referrers_api: path == "/referrers/", ..Settings::default() });
            let artifact = put_artifact(&server);
            server.fault(Fault::new(Action::status(status)).path(path));
            for answer in [registry.quick_referrers(&artifact.digest, 10, 1 << 20), registry.referrers(&artifact.digest, 10, 1 << 20)] {
                let class = answer.expect_err(&format!("{status} {path}")).class();
                let denied = matches!(status, 401 | 403);
                assert_eq!(class, if denied { Class::Denied } else { Class::Unavailable }, "{status} {path}");
            }
        }
    }
}

#[test]
fn a_fallback_tag_that_cannot_be_read_leaves_what_the_api_lists() {
    let (server, registry) = started(Settings::default());
    let artifact = put_artifact(&server);
    let signature = put_signature(&server, &artifact, "1");
    server.fault(Fault::new(Action::status(500)).path("/manifests/sha256-"));
    let found = registry.referrers(&artifact.digest, 10, 1 << 20).unwrap();
    assert_eq!(digests(&found), [signature]);
    assert!(!found.complete && !found.more);
    assert_eq!(found.findings[0].kind, FindingKind::Unreadable);
}

#[test]
fn a_success_without_a_list_is_no_empty_list() {
    for body in
        ["", "null", "{}", "[]", "<html>", r#"{"errors":[]}"#, r#"{"schemaVersion":2}"#, r#"{"manifests":[]"#, r#"{"manifests":{}}"#]
    {
        let (server, registry) = started(Settings::default());
        let artifact = put_artifact(&server);
        server.fault(Fault::new(Action::Body(body.as_bytes().to_vec())).path("/referrers/"));
        let error = registry.quick_referrers(&artifact.digest, 10, 1 << 20).expect_err(body);
        assert_eq!((error.class(), error.code()), (Class::Unavailable, "protocol"), "{body}");
    }
    let (server, registry) = started(Settings::default());
    let artifact = put_artifact(&server);
    server.fault(Fault::new(Action::Body(image("artifact"))).path("/referrers/"));
    assert_eq!(registry.referrers(&artifact.digest, 10, 1 << 20).unwrap_err().code(), "protocol");
}

#[test]
fn a_list_as_go_programs_write_an_empty_one_is_empty() {
    let (server, registry) = started(Settings::default());
    let artifact = put_artifact(&server);
    for body in [format!(r#"{{"schemaVersion":2,"mediaType":"{IMAGE_INDEX}","manifests":null}}"#), r#"{"manifests":[]}"#.to_owned()] {
        server.clear_faults();
        server.fault(Fault::new(Action::Body(body.into_bytes())).path("/referrers/"));
        let found = registry.quick_referrers(&artifact.digest, 10, 1 << 20).unwrap();
        assert!(found.entries.is_empty() && found.complete);
    }
}

#[test]
fn an_entry_that_is_malformed_hides_no_other() {
    let good = Algorithm::Sha256.digest(b"good");
    let entry = |digest: &str| format!(r#"{{"mediaType":"{IMAGE_MANIFEST}","digest":"{digest}","size":1}}"#);
    let bad = [
        "1".to_owned(),
        "{}".to_owned(),
        entry("sha256:../../x"),
        entry("md5:d41d8cd98f00b204e9800998ecf8427e"),
        format!(r#"{{"digest":"{good}","digest":"{good}","mediaType":"{IMAGE_MANIFEST}","size":1}}"#),
        format!(r#"{{"Digest":"{good}","mediaType":"{IMAGE_MANIFEST}","size":1}}"#),
    ];
    let body = format!(r#"{{"schemaVersion":2,"manifests":[{},{}]}}"#, bad.join(","), entry(&good.to_string()));
    let (server, registry) = started(Settings::default());
    let artifact = put_artifact(&server);
    server.fault(Fault::new(Action::Body(body.clone().into_bytes())).path("/referrers/"));
    server.put_manifest(REPOSITORY, Some(&fallback_tag(&artifact.digest)), &index(&[]));
    for found in [registry.quick_referrers(&artifact.digest, 10, 1 << 20), registry.referrers(&artifact.digest, 10, 1 << 20)] {
        let found = found.unwrap();
        assert_eq!(digests(&found), [good]);
        assert!(found.complete);
        assert_eq!(found.findings.iter().filter(|finding| finding.kind == FindingKind::Malformed).count(), bad.len());
    }
}

#[test]
fn an_entry_that_is_too_large_hides_no_other_but_the_list_is_not_complete() {
    let good = Descriptor::new(IMAGE_MANIFEST, Algorithm::Sha256.digest(b"good"), 1);
    let mut large = Descriptor::new(IMAGE_MANIFEST, Algorithm::Sha256.digest(b"large"), 1);
    large.annotations.insert("x".to_owned(), "x".repeat(300 << 10));
    let (server, registry) = started(Settings::default());
    let artifact = put_artifact(&server);
    server.fault(Fault::new(Action::Body(index(&[large, good.clone()]))).path("/referrers/"));
    let found = registry.quick_referrers(&artifact.digest, 10, 1 << 20).unwrap();
    assert_eq!(digests(&found), [good.digest]);
    assert!(!found.complete);
    assert_eq!(found.findings[0].kind, FindingKind::TooLarge);
}

#[test]
fn lists_end_at_their_limits() {
    let (server, registry) = started(Settings { page: Some(3), ..Settings::default() });
    let artifact = put_artifact(&server);
    let signatures: Vec<Digest> = (0..10).map(|number| put_signature(&server, &artifact, &number.to_string())).collect();
    let all = registry.quick_referrers(&artifact.digest, 10, 1 << 20).unwrap();
    assert!(all.complete && all.entries.len() == 10);
    let few = registry.quick_referrers(&artifact.digest, 9, 1 << 20).unwrap();
    assert_eq!((digests(&few).as_slice(), few.complete, few.findings[0].kind), (&signatures[..9], false, FindingKind::Stopped));
    // The second page does not fit, and the first is kept.
    let page = u64::try_from(index(&all.entries[..3]).len()).unwrap();
    let few = registry.quick_referrers(&artifact.digest, 10, page + 100).unwrap();
    assert_eq!((digests(&few).as_slice(), few.complete, few.findings[0].kind), (&signatures[..3], false, FindingKind::Stopped));
    let none = registry.quick_referrers(&artifact.digest, 10, 10).unwrap();
    assert_eq!((none.entries.len(), none.complete), (0, false));
}

#[test]
fn of_annotations_no_more_are_kept_than_there_is_room_for() {
    let mut entry = Descriptor::new(IMAGE_MANIFEST, Algorithm::Sha256.digest(b"x"), 1);
    entry.annotations = (0..5000).map(|number| (number.to_string(), String::new())).collect();
    let few = Descriptor {
        annotations: entry.annotations.iter().take(1).map(|(name, text)| (name.clone(), text.clone())).collect(),
        ..entry.clone()
    };
    let many = (0..20).map(|number| Descriptor { digest: Algorithm::Sha256.digest(&[number]), ..entry.clone() });
    let entries: Vec<Descriptor> = many.chain([few.clone()]).collect();
    let (server, registry) = started(Settings::default());
    let artifact = put_artifact(&server);
    server.fault(Fault::new(Action::Body(index(&entries))).path("/referrers/"));
    let found = registry.quick_referrers(&artifact.digest, 100, 4 << 20).unwrap();
    assert!(found.complete);
    let kept: Vec<usize> = found.entries.iter().map(|entry| entry.annotations.len()).collect();
    assert_eq!(kept, [vec![5000; 6], vec![0; 14], vec![1]].concat());
}

#[test]
fn endless_and_circular_pages_end() {
    let (server, registry) = started(Settings::default());
    let artifact = put_artifact(&server);
    let signature = put_signature(&server, &artifact, "1");
    let link = format!("</v2/{REPOSITORY}/referrers/{}?x>; rel=next", artifact.digest);
    server.fault(Fault::new(Action::Header("Link".to_owned(), Some(link))).path("/referrers/"));
    let found = registry.quick_referrers(&artifact.digest, 10, 1 << 20).unwrap();
    assert_eq!((digests(&found).as_slice(), found.complete), ([signature].as_slice(), false));
    assert_eq!(asked(&server).len(), 2);
}

#[test]
fn a_later_page_that_fails_leaves_the_earlier_ones() {
    for action in [Action::status(500), Action::status(404), Action::Body(b"{}".to_vec()), Action::Reset] {
        let (server, registry) = started(Settings { page: Some(1), ..Settings::default() });
        let artifact = put_artifact(&server);
        let first = put_signature(&server, &artifact, "1");
        put_signature(&server, &artifact, "2");
        server.fault(Fault::new(action.clone()).path("last="));
        let found = registry.quick_referrers(&artifact.digest, 10, 1 << 20).unwrap();
        assert_eq!((digests(&found).as_slice(), found.complete), ([first].as_slice(), false), "{action:?}");
        assert_eq!(found.findings[0].kind, FindingKind::Unreadable, "{action:?}");
    }
}

#[test]
fn a_link_to_another_host_is_not_followed_there() {
    let (server, registry) = started(Settings { page: Some(1), ..Settings::default() });
    let (other, _) = started(Settings::default());
    let artifact = put_artifact(&server);
    let signatures = [put_signature(&server, &artifact, "1"), put_signature(&server, &artifact, "2")];
    let link = format!("<http://{}/v2/{REPOSITORY}/referrers/{}?last={}>; rel=\"next\"", other.host(), artifact.digest, signatures[0]);
    server.fault(Fault::new(Action::Header("Link".to_owned(), Some(link))).path("/referrers/").nth(1));
    assert_eq!(digests(&registry.quick_referrers(&artifact.digest, 10, 1 << 20).unwrap()), signatures);
    assert!(other.log().is_empty());
}

#[test]
fn the_fallback_tag_of_a_sha512_digest_has_its_first_64_digits() {
    let (server, registry) = started(Settings::without_referrers_api());
    let subject = Descriptor { digest: Algorithm::Sha512.digest(b"subject"), ..put_artifact(&server) };
    let signature = put_signature(&server, &subject, "1");
    put_list(&server, &subject, &[signature]);
    assert_eq!(digests(&registry.quick_referrers(&subject.digest, 10, 1 << 20).unwrap()), [signature]);
    let tag = format!("sha512-{}", &subject.digest.hex()[..64]);
    assert_eq!(asked(&server), [format!("GET referrers/{}", subject.digest), format!("GET manifests/{tag}")]);
}

#[test]
fn a_link_without_tls_as_proxies_make_it_leads_on_with_tls() {
    let tls = Some(touchmark_test_registry::Tls::new(&touchmark_test_registry::Authority::new()));
    let server = TestRegistry::start(Settings { tls, page: Some(1), ..Settings::default() });
    let access = Access { insecure: true, retries: Some(0), ..Access::default() };
    let registry = Registry::new(format!("{}/{REPOSITORY}", server.host()).parse().unwrap(), &access).unwrap();
    let artifact = put_artifact(&server);
    let signatures = [put_signature(&server, &artifact, "1"), put_signature(&server, &artifact, "2")];
    let link = format!("<http://registry.example/v2/{REPOSITORY}/referrers/{}?last={}>; rel=next", artifact.digest, signatures[0]);
    server.fault(Fault::new(Action::Header("Link".to_owned(), Some(link))).path("/referrers/").nth(1));
    assert_eq!(digests(&registry.quick_referrers(&artifact.digest, 10, 1 << 20).unwrap()), signatures);
}
