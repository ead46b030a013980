//! docker-registry as the harness starts it.

use base64::Engine as _;
use serde_json::json;
use touchmark_test_registry::{Access, Authority, DockerAuth, DockerRegistry, DockerSettings, Rights, Untagged, User, sha256};

use crate::client::{Client, MANIFEST, location, manifest, subject};
use crate::tls::client;

fn basic(name: &str, password: &str) -> String {
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{name}:{password}")))
}

#[test]
fn plain_it_has_no_referrers_api_and_collects_garbage() {
    let Some(registry) = DockerRegistry::start(DockerSettings::default()) else { return };
    let mut client = Client::new(&registry.host());
    client.push_blob("acme/app", b"{}").is(201);
    let image = manifest(&json!({ "annotations": { "image": "1" } }));
    client.put("/v2/acme/app/manifests/1.0", MANIFEST, &image).is(201);
    let referrer = manifest(&json!({ "subject": subject(&image), "artifactType": "application/vnd.acme.test" }));
    let by_digest = format!("/v2/acme/app/manifests/{}", sha256(&referrer));
    let put = client.put(&by_digest, MANIFEST, &referrer).is(201);
    assert_eq!(put.header("oci-subject"), None);
    client.get(&format!("/v2/acme/app/referrers/{}", sha256(&image))).is(404);
    client.send("GET", &by_digest, &[("Accept", MANIFEST)], b"").is(200);

    registry.collect_garbage(Untagged::Kept);
    client.send("GET", &by_digest, &[("Accept", MANIFEST)], b"").is(200);
    registry.collect_garbage(Untagged::Deleted);
    client.send("GET", &by_digest, &[("Accept", MANIFEST)], b"").is(404);
    client.send("GET", "/v2/acme/app/manifests/1.0", &[("Accept", MANIFEST)], b"").is(200);
    // It can delete.
    client.send("DELETE", &format!("/v2/acme/app/manifests/{}", sha256(&image)), &[], b"").is(202);
}

#[test]
fn with_tls_and_htpasswd() {
    let authority = Authority::new();
    let settings = DockerSettings { tls: Some(authority.clone()), auth: DockerAuth::Htpasswd };
    let Some(registry) = DockerRegistry::start(settings) else { return };
    let mut client = client(&registry.host(), &authority, None).unwrap();
    let challenge = client.get("/v2/").is(401);
    assert!(challenge.header("www-authenticate").unwrap().starts_with("Basic "));
    let right = basic(DockerRegistry::USER, DockerRegistry::PASSWORD);
    client.send("GET", "/v2/", &[("Authorization", &right)], b"").is(200);
    client.send("GET", "/v2/", &[("Authorization", &basic(DockerRegistry::USER, "other"))], b"").is(401);
}

#[test]
fn with_tokens() {
    let users = vec![User::new("alice", "wonder"), User::reader("bob", "builder")];
    let anonymous = Access { rights: Rights::None, on: vec![("public".to_owned(), Rights::Read)] };
    let settings = DockerSettings { tls: None, auth: DockerAuth::Tokens(users, anonymous) };
    let Some(registry) = DockerRegistry::start(settings) else { return };
    let mut client = Client::new(&registry.host());
    let challenge = client.send("POST", "/v2/acme/app/blobs/uploads/", &[], b"").is(401);
    let challenge = challenge.header("www-authenticate").unwrap().to_owned();
    let realm = format!("realm=\"{}/token\"", registry.tokens().unwrap().url());
    assert!(challenge.starts_with("Bearer ") && challenge.contains(&realm), "{challenge}");
    assert!(challenge.contains("repository:acme/app:"), "{challenge}");

    let mut tokens = Client::new(&registry.tokens().unwrap().host());
    let path = "/token?service=docker-registry&scope=repository:acme/app:pull,push";
    let mut token_of = |name: &str, password: &str| {
        let answer = tokens.send("GET", path, &[("Authorization", &basic(name, password))], b"").is(200);
        format!("Bearer {}", answer.json()["token"].as_str().unwrap())
    };
    let (alice, bob) = (token_of("alice", "wonder"), token_of("bob", "builder"));
    let upload = client.send("POST", "/v2/acme/app/blobs/uploads/", &[("Authorization", &alice)], b"").is(202);
    let place = format!("{}&digest={}", location(&upload), sha256(b"{}"));
    client.send("PUT", &place, &[("Authorization", &alice)], b"{}").is(201);
    client.send("POST", "/v2/acme/app/blobs/uploads/", &[("Authorization", &bob)], b"").is(401);
    client.send("GET", &format!("/v2/acme/app/blobs/{}", sha256(b"{}")), &[("Authorization", &bob)], b"").is(200);
    client.send("GET", &format!("/v2/acme/app/blobs/{}", sha256(b"{}")), &[("Authorization", "Bearer x.y.z")], b"").is(401);
}
