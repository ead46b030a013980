//! Passwords and tokens.

use base64::Engine as _;
use std::time::Duration;
use touchmark_test_registry::{Access, Auth, Member, Rights, Settings, TestRegistry, Tokens, User, sha256};

use crate::client::{Answer, Client};

const UPLOADS: &str = "/v2/acme/app/blobs/uploads/";

fn basic(name: &str, password: &str) -> String {
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{name}:{password}")))
}

fn started(auth: Auth) -> (TestRegistry, Client) {
    let registry = TestRegistry::start(Settings { auth, ..Settings::default() });
    let client = Client::new(&registry.host());
    (registry, client)
}

fn with(client: &mut Client, authorization: &str, method: &str, path: &str) -> Answer {
    client.send(method, path, &[("Authorization", authorization)], b"")
}

#[test]
fn passwords_are_asked_for_and_checked() {
    let (registry, mut client) = started(Auth::basic("alice", "wonder:land"));
    let challenge = client.get("/v2/").is(401);
    assert_eq!(challenge.header("www-authenticate"), Some("Basic realm=\"test registry\""));
    assert_eq!(challenge.code(), "UNAUTHORIZED");
    with(&mut client, &basic("alice", "wonder:land"), "POST", UPLOADS).is(202);
    with(&mut client, &basic("alice", "other"), "POST", UPLOADS).is(401);
    with(&mut client, "Bearer x", "POST", UPLOADS).is(401);
    let seen: Vec<Option<String>> = registry.log().into_iter().map(|logged| logged.authorization).collect();
    assert_eq!(seen[..2], [None, Some(basic("alice", "wonder:land"))]);
}

#[test]
fn a_repository_is_read_only_for_some() {
    let users = vec![User::new("alice", "a").on("acme/upstream", Rights::Read), User::reader("bob", "b")];
    let (registry, mut client) = started(Auth::Basic { users, anonymous: Access { rights: Rights::Read, on: Vec::new() } });
    let digest = registry.put_blob("acme/upstream/app", b"content");
    let blob = format!("/v2/acme/upstream/app/blobs/{digest}");
    client.get(&blob).is(200);
    client.send("POST", UPLOADS, &[], b"").is(401);
    let (alice, bob) = (basic("alice", "a"), basic("bob", "b"));
    with(&mut client, &alice, "POST", UPLOADS).is(202);
    assert_eq!(with(&mut client, &bob, "POST", UPLOADS).is(403).code(), "DENIED");
    with(&mut client, &alice, "POST", "/v2/acme/upstream/app/blobs/uploads/").is(403);
    with(&mut client, &alice, "DELETE", &blob).is(403);
    with(&mut client, &alice, "GET", &blob).is(200);
}

fn token(client: &mut Client, authorization: &str, scope: &str) -> serde_json::Value {
    with(client, authorization, "GET", &format!("/token?service=test+registry&scope={scope}")).is(200).json()
}

#[test]
fn tokens_are_for_what_was_asked_and_allowed() {
    let users = vec![User::new("alice", "a"), User::reader("bob", "b")];
    let (registry, mut client) = started(Auth::Token(Tokens::new(users)));
    let challenge = client.send("POST", UPLOADS, &[], b"").is(401);
    let expected = format!("Bearer realm=\"{}/token\",service=\"test registry\",scope=\"repository:acme/app:pull,push\"", registry.url());
    assert_eq!(challenge.header("www-authenticate"), Some(expected.as_str()));
    with(&mut client, &basic("alice", "other"), "GET", "/token").is(401);

    let mut bearer = |name: &str, scope: &str| {
        let authorization = basic(name, &name[..1]);
        format!("Bearer {}", token(&mut client, &authorization, scope)["token"].as_str().unwrap())
    };
    let pushing = bearer("alice", "repository:acme/app:pull,push");
    let pulling = bearer("alice", "repository:acme/app:pull");
    let elsewhere = bearer("alice", "repository:acme/other:pull,push");
    let both = bearer("alice", "repository:acme/other:pull&scope=repository:acme/app:pull,push");
    let bob = bearer("bob", "repository:acme/app:pull,push");
    with(&mut client, &pushing, "POST", UPLOADS).is(202);
    with(&mut client, &both, "POST", UPLOADS).is(202);
    for token in [&pulling, &elsewhere, &bob] {
        let refused = with(&mut client, token, "POST", UPLOADS).is(401);
        assert!(refused.header("www-authenticate").unwrap().ends_with(",error=\"insufficient_scope\""));
    }
    with(&mut client, &bob, "GET", "/v2/acme/app/tags/list").is(404);
    with(&mut client, &pushing, "DELETE", &format!("/v2/acme/app/blobs/{}", sha256(b""))).is(401);
    let refused = with(&mut client, "Bearer made-up", "GET", "/v2/").is(401);
    assert!(refused.header("www-authenticate").unwrap().ends_with(",error=\"invalid_token\""));
    with(&mut client, &basic("alice", "a"), "GET", "/v2/").is(401);
}

#[test]
fn a_token_comes_without_a_name_where_that_is_allowed() {
    let anonymous = Access { rights: Rights::None, on: vec![("public".to_owned(), Rights::Read)] };
    let (registry, mut client) = started(Auth::Token(Tokens { anonymous, ..Tokens::new(Vec::new()) }));
    registry.put_blob("public/app", b"x");
    let answer = client.get("/token?scope=repository:public/app:pull,push%20repository:acme/app:pull").is(200).json();
    let bearer = format!("Bearer {}", answer["token"].as_str().unwrap());
    with(&mut client, &bearer, "GET", "/v2/public/app/tags/list").is(200);
    with(&mut client, &bearer, "POST", "/v2/public/app/blobs/uploads/").is(401);
    with(&mut client, &bearer, "GET", "/v2/acme/app/tags/list").is(401);
}

#[test]
fn a_token_service_on_another_address_speaks_oauth2() {
    let service = Tokens {
        address: Some("127.0.0.2".parse().unwrap()),
        lifetime: Some(Duration::from_secs(120)),
        member: Member::AccessToken,
        ..Tokens::new(vec![User::new("alice", "a").identity_token("identity")])
    };
    let (registry, mut client) = started(Auth::Token(service));
    let host = registry.token_host().unwrap();
    assert!(host.starts_with("127.0.0.2:"));
    let challenge = client.get("/v2/").is(401);
    assert!(challenge.header("www-authenticate").unwrap().starts_with(&format!("Bearer realm=\"http://{host}/token\"")));
    let mut tokens = Client::new(&host);
    let scope = "scope=repository%3Aacme%2Fapp%3Apull%2Cpush&service=test+registry&client_id=test";
    let mut post = |form: &str| {
        let form = format!("{form}&{scope}");
        tokens.send("POST", "/token", &[("Content-Type", "application/x-www-form-urlencoded")], form.as_bytes())
    };
    post("grant_type=refresh_token&refresh_token=other").is(401);
    post("grant_type=password&username=alice&password=b").is(401);
    post("grant_type=other").is(400);
    let answer = post("grant_type=refresh_token&refresh_token=identity&access_type=offline").is(200).json();
    assert_eq!((answer.get("token"), answer["expires_in"].as_u64()), (None, Some(120)));
    let bearer = format!("Bearer {}", answer["access_token"].as_str().unwrap());
    with(&mut client, &bearer, "POST", UPLOADS).is(202);
    let again = format!("grant_type=refresh_token&refresh_token={}", answer["refresh_token"].as_str().unwrap());
    post(&again).is(200);
    post("grant_type=password&username=alice&password=a").is(200);
    let logged = registry.log();
    assert!(logged.iter().any(|logged| logged.method == "POST" && logged.path == "/token" && logged.header("host") == Some(host.as_str())));
}

#[test]
fn a_token_expires() {
    let service = Tokens { lifetime: Some(Duration::ZERO), ..Tokens::new(vec![User::new("alice", "a")]) };
    let (_registry, mut client) = started(Auth::Token(service));
    let answer = token(&mut client, &basic("alice", "a"), "repository:acme/app:pull");
    let bearer = format!("Bearer {}", answer["token"].as_str().unwrap());
    with(&mut client, &bearer, "GET", "/v2/").is(401);
}

#[test]
fn a_mount_needs_the_right_to_pull() {
    let users = vec![User::new("alice", "a").on("private", Rights::None)];
    let (registry, mut client) = started(Auth::Basic { users, anonymous: Access::default() });
    let digest = registry.put_blob("private/app", b"secret");
    let path = format!("{UPLOADS}?mount={digest}&from=private/app");
    with(&mut client, &basic("alice", "a"), "POST", &path).is(202);
    assert!(registry.blobs("acme/app").is_empty());
}
