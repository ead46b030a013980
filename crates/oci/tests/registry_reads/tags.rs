use touchmark_oci::Source;
use touchmark_oci::error::Class;
use touchmark_test_registry::{Action, Fault, Settings};

use super::*;

#[test]
fn tags_are_listed_without_lists_and_anchors_and_with_those_of_cosign() {
    let (server, registry) = started(Settings { tags_page: Some(2), ..Settings::default() });
    let artifact = put_artifact(&server);
    let prefix = fallback_tag(&artifact.digest);
    put_list(&server, &artifact, &[]);
    for tag in ["latest", &format!("{prefix}.0123456789ab"), &format!("{prefix}.sig")] {
        server.put_tag(REPOSITORY, tag, &artifact.digest.to_string());
    }
    assert_eq!(registry.tag_names().unwrap(), ["latest", &format!("{prefix}.sig"), "v1"]);
    let tags = registry.tags().unwrap();
    assert_eq!(tags.iter().map(|(tag, _)| tag.as_str()).collect::<Vec<_>>(), ["latest", &format!("{prefix}.sig"), "v1"]);
    assert!(tags.iter().all(|(_, described)| *described == artifact));
    assert_eq!(asked(&server).iter().filter(|asked| asked.starts_with("HEAD")).count(), 3);
}

#[test]
fn a_head_that_tells_too_little_is_made_up_for() {
    let (server, registry) = started(Settings::default());
    let artifact = put_artifact(&server);
    for header in ["Docker-Content-Digest", "Content-Type", "Content-Length"] {
        server.fault(Fault::new(Action::Header(header.to_owned(), None)).method("HEAD"));
        assert_eq!(registry.tags().unwrap(), [("v1".to_owned(), artifact.clone())], "{header}");
        assert_eq!(registry.size(&artifact.digest).unwrap(), Some(artifact.size), "{header}");
        let blob: Digest = server.put_blob(REPOSITORY, b"content").parse().unwrap();
        assert_eq!(opened(&server).size(&blob).unwrap(), Some(7), "{header}");
        server.clear_faults();
    }
}

#[test]
fn a_tag_that_is_gone_is_left_out_and_one_that_cannot_be_read_is_an_error() {
    let (server, registry) = started(Settings::default());
    let artifact = put_artifact(&server);
    server.put_tag(REPOSITORY, "gone", &artifact.digest.to_string().replace('0', "1"));
    assert_eq!(registry.tags().unwrap().len(), 1);
    for (status, class) in [(500, Class::Unavailable), (403, Class::Denied), (405, Class::Unavailable)] {
        server.fault(Fault::new(Action::status(status)).path("/manifests/"));
        assert_eq!(registry.tags().unwrap_err().class(), class, "{status}");
        server.clear_faults();
    }
}

#[test]
fn a_repository_that_is_not_there_has_no_tags_and_a_refusal_is_an_error() {
    let (server, registry) = started(Settings::default());
    assert!(registry.tag_names().unwrap().is_empty());
    server.change(|settings| settings.tags_refused = Some(403));
    assert_eq!(registry.tag_names().unwrap_err().class(), Class::Denied);
    server.change(|settings| settings.tags_refused = Some(405));
    assert_eq!(registry.tag_names().unwrap_err().class(), Class::Unavailable);
    server.change(|settings| settings.tags_refused = None);
    put_artifact(&server);
    for body in ["{}", "", r#"{"tags":[1]}"#] {
        server.clear_faults();
        server.fault(Fault::new(Action::Body(body.as_bytes().to_vec())).path("/tags/list"));
        assert_eq!(registry.tag_names().unwrap_err().code(), "protocol", "{body}");
    }
}

#[test]
fn artifacts_are_what_is_tagged_and_part_of_nothing() {
    let (server, registry) = started(Settings::default());
    let child = image("child");
    let child = (server.put_manifest(REPOSITORY, Some("child"), &child), descriptor(IMAGE_MANIFEST, &child)).1;
    let bytes = index(std::slice::from_ref(&child));
    server.put_manifest(REPOSITORY, Some("index"), &bytes);
    let inner = descriptor(IMAGE_INDEX, &bytes);
    let outer = index(std::slice::from_ref(&inner));
    for tag in ["outer", "outer-too"] {
        server.put_manifest(REPOSITORY, Some(tag), &outer);
    }
    let alone = put_artifact(&server);
    server.put_manifest(REPOSITORY, Some("signature"), &signature(&alone, "1"));
    server.put_manifest(REPOSITORY, Some(&format!("{}.sig", fallback_tag(&alone.digest))), &image("cosign"));
    assert_eq!(registry.roots().unwrap(), [descriptor(IMAGE_INDEX, &outer), alone]);
}
