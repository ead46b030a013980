//! Tokens from a token service that checks what it is shown.

use std::time::Duration;

use touchmark_test_registry::{Action, Auth, Fault, Rights, Settings, TestRegistry, Tokens, User};

use super::{get, impatient};
use crate::access::{Access, Login};
use crate::error::{Class, Error};
use crate::testing::Folder;
use crate::transport::{Method, Repeat, Request};

fn registry(change: impl FnOnce(&mut Tokens)) -> TestRegistry {
    let users = vec![User::reader("alice", "secret").identity_token("refresh").on("acme/app", Rights::Write)];
    let mut tokens = Tokens { address: Some("127.0.0.2".parse().unwrap()), ..Tokens::new(users) };
    change(&mut tokens);
    let registry = TestRegistry::start(Settings { auth: Auth::Token(tokens), ..Settings::default() });
    registry.put_blob("acme/app", b"hello");
    registry
}

const BLOB: &str = "/v2/acme/app/blobs/sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

/// Credentials from a file.
fn config(folder: &Folder, registry: &TestRegistry, entry: &str) -> Access {
    let path = folder.path("config.json");
    std::fs::write(&path, format!(r#"{{"auths":{{"{}":{entry}}}}}"#, registry.host())).unwrap();
    Access { registry_config: Some(path), ..Access::default() }
}

fn login(password: &str) -> Access {
    Access { login: Some(Login { username: "alice".to_owned(), password: password.to_owned() }), ..Access::default() }
}

fn token_requests(registry: &TestRegistry) -> Vec<String> {
    let log = registry.log();
    log.iter().filter(|request| request.path.starts_with("/token")).map(|request| request.method.clone()).collect()
}

#[test]
fn a_password_is_changed_for_a_token() {
    let registry = registry(|_| ());
    let client = impatient(&registry.host(), login("secret"));
    assert_eq!(client.fetch(get(BLOB), 9).unwrap().1, b"hello");
    let push = || Request {
        method: Method::Post,
        scope: "repository:acme/app:pull,push",
        repeat: Repeat::Once,
        ..get("/v2/acme/app/blobs/uploads/")
    };
    assert_eq!(client.send(push()).unwrap().status(), 202);
    assert_eq!(client.send(push()).unwrap().status(), 202);
    assert_eq!(token_requests(&registry), ["GET", "GET"]);

    let error = impatient(&registry.host(), login("wrong")).send(get(BLOB)).unwrap_err();
    assert_eq!(error.class(), Class::Denied, "{error}");
}

#[test]
fn an_identity_token_is_changed_for_a_token() {
    let (folder, registry) = (Folder::new(), registry(|_| ()));
    let known = config(&folder, &registry, r#"{"identitytoken":"refresh"}"#);
    assert_eq!(impatient(&registry.host(), known).fetch(get(BLOB), 9).unwrap().1, b"hello");
    assert_eq!(token_requests(&registry), ["POST"]);
    let unknown = config(&folder, &registry, r#"{"identitytoken":"other"}"#);
    let error = impatient(&registry.host(), unknown).send(get(BLOB)).unwrap_err();
    assert_eq!(error.code(), if error.class() == Class::Denied { "denied" } else { "bad-status" }, "{error}");
}

#[test]
fn a_registry_token_is_shown_as_it_is() {
    let (folder, registry) = (Folder::new(), registry(|_| ()));
    let access = config(&folder, &registry, r#"{"registrytoken":"odd"}"#);
    let error = impatient(&registry.host(), access).send(get(BLOB)).unwrap_err();
    assert!(matches!(error, Error::Status { status: 401, .. }), "{error}");
    assert!(token_requests(&registry).is_empty());
    let shown: Vec<Option<String>> = registry.log().into_iter().map(|request| request.authorization).collect();
    assert_eq!(shown.len(), 2);
    assert!(shown[0].is_none() && shown[1].as_ref().is_some_and(|value| value.contains("odd")), "{shown:?}");
}

#[test]
fn tokens_that_expire_at_once_are_fetched_for_each_request() {
    let registry = registry(|tokens| tokens.lifetime = Some(Duration::from_secs(1)));
    let client = impatient(&registry.host(), login("secret"));
    for _ in 0..2 {
        assert_eq!(client.fetch(get(BLOB), 9).unwrap().1, b"hello");
    }
    assert!(!token_requests(&registry).is_empty());
}

#[test]
fn a_broken_connection_to_this_machine_is_no_tls() {
    let registry = TestRegistry::start(Settings::default());
    registry.put_blob("acme/app", b"hello");
    registry.fault(Fault::new(Action::Reset).nth(1));
    let hasty = Access { timeout: Some(Duration::from_secs(1)), ..Access::default() };
    assert_eq!(impatient(&registry.host(), hasty.clone()).fetch(get(BLOB), 9).unwrap().1, b"hello");
    registry.clear_faults();
    registry.fault(Fault::new(Action::Reset));
    let error = impatient(&registry.host(), hasty).fetch(get(BLOB), 9).unwrap_err();
    assert!(matches!(&error, Error::Connection { url, .. } if url.starts_with("GET http://")), "{error}");
    assert_eq!(registry.log().len(), 2 + 5);
}
