use std::collections::BTreeSet;

use touchmark_envelope::Digest;
use touchmark_oci::Source;
use touchmark_oci::source::FindingKind;
use touchmark_test_registry::{Action, Fault, Order, Parameter, Settings, When};

use super::*;

/// Puts signatures, each under its anchor tag.
fn put_anchored(server: &TestRegistry, subject: &Descriptor, marks: &[&str]) -> BTreeSet<Digest> {
    let put = |mark: &&str| {
        let digest = put_signature(server, subject, mark);
        server.put_tag(REPOSITORY, &anchor_tag(&subject.digest, &digest), &digest.to_string());
        digest
    };
    marks.iter().map(put).collect()
}

fn found(registry: &Registry, subject: &Descriptor) -> (BTreeSet<Digest>, bool) {
    let found = registry.referrers(&subject.digest, 100, 1 << 20).unwrap();
    (found.entries.iter().map(|entry| entry.digest).collect(), found.complete)
}

#[test]
fn anchors_are_found_however_a_registry_lists_its_tags() {
    for tags_order in [Order::Bytes, Order::Letters, Order::None] {
        for (tags_last, tags_n) in [
            (Parameter::Honoured, Parameter::Honoured),
            (Parameter::Ignored, Parameter::Honoured),
            (Parameter::Ignored, Parameter::Ignored),
            (Parameter::Honoured, Parameter::Ignored),
        ] {
            // A registry that ignores `last` has one page, or no way to the next.
            let pages = if tags_last == Parameter::Honoured { vec![None, Some(1), Some(4)] } else { vec![None] };
            for tags_page in pages {
                let settings = Settings { tags_order, tags_last, tags_n, tags_page, ..Settings::without_referrers_api() };
                let shown = format!("{tags_order:?} {tags_last:?} {tags_n:?} {tags_page:?}");
                let (server, registry) = started(settings);
                let artifact = put_artifact(&server);
                for tag in ["0.1", "0.2", "1.0", "A", "Z", "latest", "sha256-a", "t", "u", "v2", "v3", "zz"] {
                    server.put_tag(REPOSITORY, tag, &artifact.digest.to_string());
                }
                let signatures = put_anchored(&server, &artifact, &["1", "2", "3", "4", "5", "6"]);
                assert_eq!(found(&registry, &artifact), (signatures, true), "{shown}");
            }
        }
    }
}

#[test]
fn between_the_first_page_and_the_anchors_no_page_is_read_and_none_after_them() {
    let (server, registry) = started(Settings { tags_page: Some(60), ..Settings::without_referrers_api() });
    let artifact = put_artifact(&server);
    for number in 0..150 {
        server.put_tag(REPOSITORY, &format!("a{number}"), &artifact.digest.to_string());
        server.put_tag(REPOSITORY, &format!("z{number}"), &artifact.digest.to_string());
    }
    let signatures = put_anchored(&server, &artifact, &["1", "2"]);
    assert_eq!(found(&registry, &artifact), (signatures, true));
    let lists = asked(&server).iter().filter(|asked| asked.contains("tags/list")).count();
    assert_eq!(lists, 2);
}

#[test]
fn tags_in_the_order_of_their_making_may_look_sorted_and_hide_nothing() {
    let (server, registry) = started(Settings { tags_page: Some(60), tags_order: Order::None, ..Settings::without_referrers_api() });
    let artifact = put_artifact(&server);
    let names: Vec<String> = (1000..1100).map(|number| format!("v{number}")).collect();
    let signatures = put_anchored(&server, &artifact, &["1", "2"]);
    let anchors = signatures.iter().map(|digest| anchor_tag(&artifact.digest, digest));
    let tags: Vec<String> = names.into_iter().chain(anchors).map(|tag| format!("\"{tag}\"")).collect();
    for (path, page) in [("last=v1059", &tags[60..]), ("tags/list", &tags[..60])] {
        let answer = Action::Status(200, Vec::new(), format!(r#"{{"name":"{REPOSITORY}","tags":[{}]}}"#, page.join(",")).into_bytes());
        let next = format!("</v2/{REPOSITORY}/tags/list?n=60&last=v1059>; rel=\"next\"");
        let answer = answer.with("Content-Type", "application/json");
        let answer = if path == "tags/list" { answer.with("Link", &next) } else { answer };
        server.fault(Fault::new(answer).path(path));
    }
    assert_eq!(found(&registry, &artifact), (signatures, true));
}

#[test]
fn a_full_page_without_a_link_is_not_taken_for_the_last() {
    let names: Vec<String> = (0..1500).map(|number| format!("a{number}")).collect();
    for (tags_last, complete) in [(Parameter::Honoured, true), (Parameter::Ignored, false)] {
        let (server, registry) = started(Settings { tags_link: false, tags_last, ..Settings::without_referrers_api() });
        let artifact = put_artifact(&server);
        for name in &names {
            server.put_tag(REPOSITORY, name, &artifact.digest.to_string());
        }
        let signatures = put_anchored(&server, &artifact, &["1", "2"]);
        let signatures = if complete { signatures } else { BTreeSet::new() };
        assert_eq!(found(&registry, &artifact), (signatures, complete), "{tags_last:?}");
    }
}

#[test]
fn a_list_that_lacks_an_anchor_is_completed_and_what_was_read_is_not_read_again() {
    let (server, registry) = started(Settings::without_referrers_api());
    let artifact = put_artifact(&server);
    let signatures = put_anchored(&server, &artifact, &["1", "2", "3"]);
    let listed: Vec<Digest> = signatures.iter().take(2).copied().collect();
    put_list(&server, &artifact, &listed);
    listed.iter().for_each(|digest| drop(registry.manifest(digest, 1 << 20).unwrap()));
    assert_eq!(found(&registry, &artifact), (signatures.clone(), true));
    let read: Vec<String> = asked(&server).into_iter().filter(|asked| asked.contains("sha256-") && asked.contains('.')).collect();
    let lost = signatures.iter().find(|digest| !listed.contains(digest)).unwrap();
    assert_eq!(read, [format!("GET manifests/{}", anchor_tag(&artifact.digest, lost))]);
    // What was read by its anchor is not asked for again.
    server.clear_log();
    registry.manifest(lost, 1 << 20).unwrap();
    assert!(server.log().is_empty());
}

#[test]
fn anchors_are_read_where_the_api_came_later_and_not_where_there_is_no_fallback_tag() {
    let (server, registry) = started(Settings::default());
    let artifact = put_artifact(&server);
    let bytes = signature(&artifact, "1");
    let lost = server.put_manifest("acme/elsewhere", None, &bytes);
    put_anchored(&server, &artifact, &["2"]);
    registry.referrers(&artifact.digest, 10, 1 << 20).unwrap();
    assert!(!asked(&server).iter().any(|asked| asked.contains("tags/list")));
    assert!(registry.referrers(&artifact.digest, 10, 1 << 20).unwrap().entries.iter().all(|entry| entry.digest.to_string() != lost));
    put_list(&server, &artifact, &[]);
    registry.referrers(&artifact.digest, 10, 1 << 20).unwrap();
    assert!(asked(&server).iter().any(|asked| asked.contains("tags/list")));
}

#[test]
fn tags_that_are_not_listed_leave_the_search_incomplete() {
    for status in [400, 401, 403, 405, 500] {
        let (server, registry) = started(Settings { tags_refused: Some(status), ..Settings::without_referrers_api() });
        let artifact = put_artifact(&server);
        let listed = put_signature(&server, &artifact, "1");
        put_list(&server, &artifact, &[listed]);
        assert_eq!(found(&registry, &artifact), (BTreeSet::from([listed]), false), "{status}");
        let finding = registry.referrers(&artifact.digest, 100, 1 << 20).unwrap().findings.remove(0);
        assert_eq!(finding.kind, FindingKind::Unreadable, "{status}");
    }
    let (server, registry) = started(Settings { tags_refused: Some(404), ..Settings::without_referrers_api() });
    let artifact = put_artifact(&server);
    assert_eq!(found(&registry, &artifact), (BTreeSet::new(), true));
}

#[test]
fn an_entry_with_the_digits_of_an_anchor_hides_nothing() {
    let (server, registry) = started(Settings::without_referrers_api());
    let artifact = put_artifact(&server);
    let signatures = put_anchored(&server, &artifact, &["1"]);
    let good = signatures.first().unwrap().to_string();
    let hex = good.split_once(':').unwrap().1;
    let lie: Digest = format!("sha256:{}{}", &hex[..12], "0".repeat(52)).parse().unwrap();
    let entry = Descriptor::new(IMAGE_MANIFEST, lie, 7);
    server.put_manifest(REPOSITORY, Some(&fallback_tag(&artifact.digest)), &index(&[entry]));
    let (entries, complete) = found(&registry, &artifact);
    assert!(complete && entries.is_superset(&signatures));
}

#[test]
fn a_fallback_tag_with_a_damaged_list_is_not_taken_for_none() {
    for damaged in [&b""[..], b"{", b"[]", br#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"#] {
        let (server, registry) = started(Settings::without_referrers_api());
        let artifact = put_artifact(&server);
        let signatures = put_anchored(&server, &artifact, &["1"]);
        put_list(&server, &artifact, &[]);
        let answer = Action::Status(200, Vec::new(), damaged.to_vec()).with("Content-Type", IMAGE_INDEX);
        server.fault(Fault::new(answer).path(&format!("/manifests/{}", fallback_tag(&artifact.digest))).when(When::First(1)));
        assert_eq!(found(&registry, &artifact), (signatures, false), "{damaged:?}");
    }
}

#[test]
fn a_fallback_tag_that_is_no_list_is_a_finding_and_the_anchors_suffice() {
    for referrers_api in [false, true] {
        let (server, registry) = started(Settings { referrers_api, ..Settings::default() });
        let artifact = put_artifact(&server);
        let signatures = put_anchored(&server, &artifact, &["1", "2"]);
        server.put_manifest(REPOSITORY, Some(&fallback_tag(&artifact.digest)), &image("no list"));
        let quick = registry.quick_referrers(&artifact.digest, 100, 1 << 20).unwrap();
        assert_eq!((quick.entries.len(), quick.more), (if referrers_api { 2 } else { 0 }, true));
        assert_eq!(found(&registry, &artifact), (signatures, true));
        let findings = registry.referrers(&artifact.digest, 100, 1 << 20).unwrap().findings;
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].kind, FindingKind::Malformed);
    }
}

#[test]
fn a_list_with_more_entries_than_are_read_is_not_taken_for_none() {
    for entries in [vec!["{}"; 100_001].join(","), format!("{{\"annotations\":{{\"a\":\"{}\"}}}}", "x".repeat(300 << 10))] {
        let (server, registry) = started(Settings::without_referrers_api());
        let artifact = put_artifact(&server);
        let signatures = put_anchored(&server, &artifact, &["1"]);
        let list = format!(r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{entries}]}}"#);
        server.put_manifest(REPOSITORY, Some(&fallback_tag(&artifact.digest)), list.as_bytes());
        assert_eq!(found(&registry, &artifact), (signatures, false));
    }
}

#[test]
fn anchors_that_lead_elsewhere_add_nothing_and_those_that_fail_leave_the_search_incomplete() {
    let (server, registry) = started(Settings::without_referrers_api());
    let artifact = put_artifact(&server);
    let signatures = put_anchored(&server, &artifact, &["1"]);
    let other = image("other");
    let prefix = fallback_tag(&artifact.digest);
    server.put_manifest(REPOSITORY, Some(&format!("{prefix}.000000000000")), &other);
    server.put_manifest(REPOSITORY, Some(&format!("{prefix}.111111111111")), &signature(&descriptor(IMAGE_MANIFEST, &other), "1"));
    server.put_tag(REPOSITORY, &format!("{prefix}.222222222222"), &artifact.digest.to_string().replace('0', "1"));
    server.put_manifest(REPOSITORY, Some(&format!("{prefix}.333333333333")), br#"{"schemaVersion":2}"#);
    assert_eq!(found(&registry, &artifact), (signatures.clone(), true));
    let kinds: Vec<_> = registry.referrers(&artifact.digest, 100, 1 << 20).unwrap().findings.iter().map(|found| found.kind).collect();
    assert_eq!(kinds, [FindingKind::Malformed; 3]);
    server.fault(Fault::new(Action::status(500)).path(".111111111111"));
    assert_eq!(found(&registry, &artifact), (signatures, false));
}

#[test]
fn an_anchor_that_names_another_referrer_of_the_same_subject_is_one_nonetheless() {
    let (server, registry) = started(Settings::without_referrers_api());
    let artifact = put_artifact(&server);
    let digest = put_signature(&server, &artifact, "1");
    server.put_tag(REPOSITORY, &format!("{}.000000000000", fallback_tag(&artifact.digest)), &digest.to_string());
    assert_eq!(found(&registry, &artifact), (BTreeSet::from([digest]), true));
}

#[test]
fn anchors_that_lead_nowhere_are_not_asked_for_without_end() {
    let (server, registry) = started(Settings::without_referrers_api());
    let artifact = put_artifact(&server);
    let missing = artifact.digest.to_string().replace('0', "1");
    for number in 0..200 {
        server.put_tag(REPOSITORY, &format!("{}.{number:012x}", fallback_tag(&artifact.digest)), &missing);
    }
    let found = registry.referrers(&artifact.digest, 10, 1 << 20).unwrap();
    assert_eq!((found.entries.len(), found.complete), (0, false));
    assert_eq!(found.findings[0].kind, FindingKind::Stopped);
    assert!(server.log().len() < 50);
    assert!(registry.referrers(&artifact.digest, 200, 1 << 20).unwrap().complete);
}

#[test]
fn a_registry_that_answers_oddly_to_last_is_asked_for_all_pages() {
    let odd = [
        Action::Body(br#"{"tags":[]}"#.to_vec()),
        Action::Body(br#"{"tags":null}"#.to_vec()),
        Action::Body(br#"{"tags":["z","a","zz"]}"#.to_vec()),
        Action::Body(br#"{"errors":[]}"#.to_vec()),
        Action::status(400),
        Action::status(404),
    ];
    for action in odd {
        let (server, registry) = started(Settings { tags_page: Some(60), ..Settings::without_referrers_api() });
        let artifact = put_artifact(&server);
        for number in 0..150 {
            server.put_tag(REPOSITORY, &format!("a{number}"), &artifact.digest.to_string());
        }
        let signatures = put_anchored(&server, &artifact, &["1", "2"]);
        let jump = format!("n=1000&last={}", fallback_tag(&artifact.digest));
        server.fault(Fault::new(action.clone()).path(&jump));
        assert_eq!(found(&registry, &artifact), (signatures, true), "{action:?}");
        assert!(asked(&server).iter().any(|asked| asked.contains(&jump)), "{action:?}");
    }
}

#[test]
fn what_comes_in_place_of_an_anchor_is_not_taken_for_something_else_under_the_tag() {
    // An empty one is an error by the specification, with the status of a success.
    for body in ["", " ", "<html>", r#"{"schemaVersion":2,"#, "{}"] {
        let (server, registry) = started(Settings::without_referrers_api());
        let artifact = put_artifact(&server);
        let signatures = put_anchored(&server, &artifact, &["1"]);
        let anchor = anchor_tag(&artifact.digest, signatures.first().unwrap());
        server.fault(Fault::new(Action::Status(200, Vec::new(), body.as_bytes().to_vec())).path(&anchor).nth(1));
        assert_eq!(found(&registry, &artifact), (BTreeSet::new(), false), "{body}");
        assert_eq!(found(&registry, &artifact), (signatures, true), "{body}");
    }
}

/// A page of some proxy, with the type of an image.
#[test]
fn a_fallback_tag_that_only_its_head_calls_an_image_is_not_taken_for_one() {
    let (server, registry) = started(Settings::without_referrers_api());
    let artifact = put_artifact(&server);
    let signature = put_signature(&server, &artifact, "1");
    put_list(&server, &artifact, &[signature]);
    let head = vec![("Content-Type".to_owned(), IMAGE_MANIFEST.to_owned())];
    let path = format!("/manifests/{}", fallback_tag(&artifact.digest));
    server.fault(Fault::new(Action::Status(200, head, b"<html>".to_vec())).path(&path).nth(1));
    assert_eq!(found(&registry, &artifact), (BTreeSet::new(), false));
    assert_eq!(found(&registry, &artifact), (BTreeSet::from([signature]), true));
}
