//! Lists of tags, of referrers and of repositories.

use serde_json::{Value, json};
use touchmark_test_registry::{Settings, TestRegistry, sha256};

use crate::client::{Answer, Client, manifest, subject};

fn start() -> (TestRegistry, Client) {
    let registry = TestRegistry::start(Settings::default());
    let client = Client::new(&registry.host());
    (registry, client)
}

fn tags(answer: Answer) -> Vec<String> {
    answer.is(200).json()["tags"].as_array().unwrap().iter().map(|tag| tag.as_str().unwrap().to_owned()).collect()
}

/// The path of the next page.
fn next(answer: &Answer) -> Option<String> {
    let link = answer.header("link")?;
    let (path, relation) = link.strip_prefix('<').unwrap().split_once('>').unwrap();
    assert_eq!(relation, "; rel=\"next\"");
    Some(path.to_owned())
}

#[test]
fn tags_come_sorted_in_pages() {
    let (registry, mut client) = start();
    let digest = registry.put_manifest("acme/app", None, &manifest(&json!({})));
    for tag in ["b", "a", "B", "10", "9"] {
        registry.put_tag("acme/app", tag, &digest);
    }
    let sorted = ["10", "9", "B", "a", "b"];
    assert_eq!(tags(client.get("/v2/acme/app/tags/list")), sorted);
    let mut seen = Vec::new();
    let mut path = Some("/v2/acme/app/tags/list?n=2".to_owned());
    while let Some(page) = path {
        let answer = client.get(&page);
        path = next(&answer);
        seen.push(tags(answer));
    }
    assert_eq!(seen, [vec!["10", "9"], vec!["B", "a"], vec!["b"]]);
    // `last` need not be a tag.
    assert_eq!(tags(client.get("/v2/acme/app/tags/list?last=A")), ["B", "a", "b"]);
    let none = client.get("/v2/acme/app/tags/list?n=0");
    assert_eq!((next(&none), tags(none)), (None, vec![]));
    client.get("/v2/acme/app/tags/list?n=x").is(400);
    assert_eq!(client.get("/v2/acme/none/tags/list").is(404).code(), "NAME_UNKNOWN");
}

fn entries(answer: &Answer) -> Vec<Value> {
    answer.json()["manifests"].as_array().unwrap().clone()
}

#[test]
fn referrers_are_listed_with_type_and_annotations() {
    let (registry, mut client) = start();
    let typed = manifest(&json!({ "subject": subject(b"image"), "artifactType": "a/b", "annotations": { "key": "value" } }));
    let plain = manifest(&json!({ "subject": subject(b"image") }));
    let index = json!({ "schemaVersion": 2, "mediaType": crate::client::INDEX, "manifests": [], "subject": subject(b"image") }).to_string();
    for bytes in [&typed, &plain, &index.clone().into_bytes()] {
        registry.put_manifest("acme/app", None, bytes);
    }
    let path = format!("/v2/acme/app/referrers/{}", sha256(b"image"));
    let answer = client.get(&path).is(200);
    assert_eq!(answer.header("content-type"), Some(crate::client::INDEX));
    assert_eq!(answer.json()["mediaType"], crate::client::INDEX);
    let expected = json!([
        { "mediaType": crate::client::MANIFEST, "digest": sha256(&typed), "size": typed.len(), "artifactType": "a/b", "annotations": { "key": "value" } },
        { "mediaType": crate::client::MANIFEST, "digest": sha256(&plain), "size": plain.len(), "artifactType": "application/vnd.oci.empty.v1+json" },
        { "mediaType": crate::client::INDEX, "digest": sha256(index.as_bytes()), "size": index.len() },
    ]);
    assert_eq!(answer.json()["manifests"], expected);

    let filtered = client.get(&format!("{path}?artifactType=a%2Fb")).is(200);
    assert_eq!(filtered.header("oci-filters-applied"), Some("artifactType"));
    assert_eq!(entries(&filtered).len(), 1);
    assert_eq!(entries(&client.get(&format!("/v2/acme/app/referrers/{}", sha256(b"none"))).is(200)), [Value::Null; 0]);
    assert_eq!(entries(&client.get(&format!("/v2/acme/none/referrers/{}", sha256(b"none"))).is(200)), [Value::Null; 0]);
    client.get("/v2/acme/app/referrers/sha256:12").is(400);
}

#[test]
fn referrers_come_in_pages() {
    let (registry, mut client) = start();
    registry.change(|settings| settings.page = Some(2));
    let referrer = |number: u32| {
        let artifact_type = if number == 4 { "other/type" } else { "a/b" };
        manifest(&json!({ "subject": subject(b"image"), "artifactType": artifact_type, "annotations": { "number": number.to_string() } }))
    };
    let all: Vec<String> = (0..5).map(|number| registry.put_manifest("acme/app", None, &referrer(number))).collect();
    let mut pages = |path: String| {
        let mut seen = Vec::new();
        let mut path = Some(path);
        while let Some(page) = path {
            let answer = client.get(&page).is(200);
            path = next(&answer);
            seen.push(entries(&answer).iter().map(|entry| entry["digest"].as_str().unwrap().to_owned()).collect::<Vec<_>>());
        }
        seen
    };
    let path = format!("/v2/acme/app/referrers/{}", sha256(b"image"));
    assert_eq!(pages(path.clone()), [&all[..2], &all[2..4], &all[4..]]);
    assert_eq!(pages(format!("{path}?artifactType=a/b")), [&all[..2], &all[2..4]]);
}

#[test]
fn the_catalogue_is_optional() {
    let (registry, mut client) = start();
    for name in ["b", "a", "c"] {
        registry.put_blob(name, b"x");
    }
    let page = client.get("/v2/_catalog?n=2").is(200);
    assert_eq!(page.json(), json!({ "repositories": ["a", "b"] }));
    assert_eq!(client.get(&next(&page).unwrap()).is(200).json(), json!({ "repositories": ["c"] }));
    registry.change(|settings| settings.catalog = false);
    client.get("/v2/_catalog").is(404);
}

#[test]
fn other_paths_and_methods_are_unknown() {
    let (_registry, mut client) = start();
    client.get("/v2/").is(200);
    assert_eq!(client.get("/").is(404).text(), "404 page not found\n");
    client.get("/v2/acme/app/other/thing").is(404);
    client.get("/token").is(404);
    assert_eq!(client.send("POST", "/v2/acme/app/tags/list", &[], b"").is(405).code(), "UNSUPPORTED");
    client.raw(b"not HTTP\r\n\r\n").unwrap();
    assert_eq!(client.read(false).unwrap().status, 400);
}
