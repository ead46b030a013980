//! Credentials: who gets them, and who does not.

use std::sync::{Arc, Barrier, Mutex};

use super::super::testing::{Received, Server, answer};
use super::super::{Body, Method, Request, Target};
use super::{ALICE, alice, client, from_afar, get};
use crate::access::Access;
use crate::error::{Class, Error};

/// A token service that gives out `t1`, `t2` and so on.
fn token_service() -> Server {
    Server::start(|_, before| answer(200, "", format!(r#"{{"token":"t{}","expires_in":300}}"#, before + 1).as_bytes()))
}

/// A registry that wants the token `t{wanted}` from there.
fn registry(tokens: &Server, wanted: usize) -> Server {
    let challenge =
        format!("WWW-Authenticate: Bearer realm=\"{}\",service=\"s\",scope=\"repository:acme/app:pull\"\r\n", tokens.url("/token?a=b"));
    Server::start(move |request, _| match request.header("authorization") {
        Some(value) if value == format!("Bearer t{wanted}") => answer(200, "", b"secret"),
        _ => answer(401, &challenge, br#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}"#),
    })
}

fn shown(server: &Server) -> Vec<Option<String>> {
    server.received().iter().map(|request| request.header("authorization").map(str::to_owned)).collect()
}

fn denied(error: &Error) -> bool {
    error.class() == Class::Denied && matches!(error, Error::Status { status: 401, .. })
}

#[test]
fn a_challenge_is_answered_with_a_token() {
    let tokens = token_service();
    let server = registry(&tokens, 1);
    let client = client(&server, alice());
    assert_eq!(client.fetch(get("/v2/x"), 9).unwrap().1, b"secret");
    assert_eq!(shown(&server), [None, Some("Bearer t1".to_owned())]);
    assert_eq!(tokens.lines(), ["GET /token?a=b&service=s&scope=repository%3Aacme%2Fapp%3Apull"]);
    assert_eq!(shown(&tokens), [Some(ALICE.to_owned())]);

    // From then on the token is shown at once, and another scope's is fetched at once.
    assert!(client.send(get("/v2/y")).is_ok());
    assert_eq!((server.lines().len(), tokens.lines().len()), (3, 1));
    let push = Request { scope: "repository:acme/app:pull,push", ..get("/v2/z") };
    assert!(denied(&client.send(push).unwrap_err()), "the registry takes the first token alone");
    assert!(tokens.lines()[1].ends_with("scope=repository%3Aacme%2Fapp%3Apull%2Cpush"));
}

#[test]
fn without_credentials_the_token_is_asked_for_without() {
    let tokens = token_service();
    let server = registry(&tokens, 1);
    assert_eq!(client(&server, Access::default()).fetch(get("/v2/x"), 9).unwrap().1, b"secret");
    assert_eq!(shown(&tokens), [None]);
}

#[test]
fn what_the_challenge_asks_for_besides_is_asked_for() {
    let tokens = token_service();
    let server = registry(&tokens, 1);
    let request = Request { scope: "repository:acme/lib:push", ..get("/v2/x") };
    assert!(client(&server, alice()).send(request).is_ok());
    assert!(tokens.lines()[0].ends_with("&scope=repository%3Aacme%2Flib%3Apush&scope=repository%3Aacme%2Fapp%3Apull"));
}

#[test]
fn a_token_that_is_refused_is_fetched_anew_once() {
    let tokens = token_service();
    let server = registry(&tokens, 2);
    let client = client(&server, alice());
    let error = client.send(get("/v2/x")).unwrap_err();
    assert!(denied(&error) && error.to_string().ends_with("401: UNAUTHORIZED: authentication required"), "{error}");
    assert_eq!((server.lines().len(), tokens.lines().len()), (2, 1));
    // It has expired at the registry, as far as the client can tell.
    assert!(client.send(get("/v2/x")).is_ok());
    assert_eq!((server.lines().len(), tokens.lines().len()), (4, 2));
}

#[test]
fn many_threads_share_a_token() {
    let tokens = token_service();
    let server = registry(&tokens, 1);
    let (client, barrier) = (client(&server, alice()), Barrier::new(8));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                barrier.wait();
                assert!(client.send(get("/v2/x")).is_ok());
            });
        }
    });
    assert_eq!(tokens.lines().len(), 1);
}

#[test]
fn a_token_service_that_fails_is_asked_again() {
    let tokens = Server::start(|_, before| if before < 2 { answer(503, "", b"") } else { answer(200, "", br#"{"access_token":"t1"}"#) });
    let server = registry(&tokens, 1);
    assert!(client(&server, alice()).send(get("/v2/x")).is_ok());
    assert_eq!(tokens.lines().len(), 3);

    let tokens = Server::start(|_, _| answer(503, "", b""));
    let server = registry(&tokens, 1);
    let error = client(&server, alice()).send(get("/v2/x")).unwrap_err();
    assert_eq!(error.to_string(), format!("GET {}: 503", tokens.url("/token")));
    assert_eq!((error.class(), server.lines().len(), tokens.lines().len()), (Class::Unavailable, 1, 5));
}

#[test]
fn a_token_service_that_refuses_is_told_as_the_registry() {
    let tokens = Server::start(|_, _| answer(401, "", br#"{"errors":[{"code":"UNAUTHORIZED","message":"wrong password"}]}"#));
    let server = registry(&tokens, 1);
    let error = client(&server, alice()).send(get("/v2/x")).unwrap_err();
    let expected = format!("{} (asking {} for a token): 401: UNAUTHORIZED: wrong password", server.url("/"), tokens.url("/token"));
    assert_eq!(error.to_string(), expected);
    assert_eq!(error.hint(), Some(format!("touchmark login {}", server.host())));
    assert_eq!((error.class(), server.lines().len(), tokens.lines().len()), (Class::Denied, 1, 1));
}

#[test]
fn basic_is_shown_once_and_then_at_once() {
    let server = Server::start(|request, _| match request.header("authorization") {
        Some(ALICE) if request.line != "GET /other" => answer(200, "", b""),
        _ => answer(401, "WWW-Authenticate: Basic realm=\"r\"\r\n", b""),
    });
    let client = client(&server, alice());
    assert!(client.send(get("/v2/x")).is_ok() && client.send(get("/v2/x")).is_ok());
    assert_eq!(shown(&server), [None, Some(ALICE.to_owned()), Some(ALICE.to_owned())]);
    assert!(denied(&client.send(get("/other")).unwrap_err()));
    assert_eq!(server.lines().len(), 4, "the same credentials are not shown twice for one request");
    let nobody = super::client(&server, Access::default());
    assert!(denied(&nobody.send(get("/v2/x")).unwrap_err()));
    assert_eq!(server.lines().len(), 5);
}

#[test]
fn bearer_is_preferred() {
    let tokens = token_service();
    let realm = tokens.url("/token");
    let challenge = format!("WWW-Authenticate: Basic realm=\"r\", Bearer realm=\"{realm}\"\r\n");
    let server = Server::start(move |request, _| match request.header("authorization") {
        Some("Bearer t1") => answer(200, "", b""),
        _ => answer(401, &challenge, b""),
    });
    assert!(client(&server, alice()).send(get("/v2/x")).is_ok());
}

#[test]
fn a_redirect_to_another_host_drops_the_credentials() {
    let tokens = token_service();
    let other = Server::start(|_, _| answer(200, "", b"blob"));
    let (there, realm) = (other.url("/blob"), tokens.url("/token"));
    let server = Server::start(move |request, _| match (request.line.as_str(), request.header("authorization")) {
        (_, None) => answer(401, &format!("WWW-Authenticate: Bearer realm=\"{realm}\"\r\n"), b""),
        ("GET /same", _) => answer(307, "Location: /blob\r\n", b""),
        ("GET /blob", _) => answer(200, "", b"blob"),
        _ => answer(307, &format!("Location: {there}\r\n"), b""),
    });
    let client = client(&server, alice());
    assert_eq!(client.fetch(get("/elsewhere"), 9).unwrap().1, b"blob");
    assert_eq!((server.lines().len(), shown(&other)), (2, vec![None]));
    assert_eq!(client.fetch(get("/same"), 9).unwrap().1, b"blob");
    assert_eq!(server.received().last().unwrap().header("authorization"), Some("Bearer t1"));
}

#[test]
fn a_challenge_behind_a_redirect_gets_no_credentials() {
    let tokens = token_service();
    let realm = tokens.url("/token");
    for challenge in [format!("Bearer realm=\"{realm}\""), "Basic realm=\"r\"".to_owned()] {
        let other = Server::start(move |_, _| answer(401, &format!("WWW-Authenticate: {challenge}\r\n"), b""));
        let there = other.url("/blob");
        let server = Server::start(move |_, _| answer(302, &format!("Location: {there}\r\n"), b""));
        let error = client(&server, alice()).send(get("/v2/x")).unwrap_err();
        assert!(denied(&error));
        assert_eq!((shown(&server), shown(&other), tokens.lines().len()), (vec![None], vec![None], 0));
        // Who follows the advice must not give the other server what is the registry's.
        assert_eq!(error.to_string(), format!("{} (which leads to {}): 401", server.url("/"), other.url("/blob")));
        assert_eq!(error.hint(), Some(format!("touchmark login {}", server.host())));
    }
}

#[test]
fn what_another_host_leads_back_to_gets_no_credentials() {
    let back = Arc::new(Mutex::new(String::new()));
    let there = Arc::clone(&back);
    let other = Server::start(move |_, _| answer(302, &format!("Location: {}\r\n", there.lock().unwrap()), b""));
    let away = other.url("/");
    let server = Server::start(move |request: &Received, _| match (request.line.as_str(), request.header("authorization")) {
        ("GET /back", None) => answer(200, "", b""),
        (_, None) => answer(401, "WWW-Authenticate: Basic realm=\"r\"\r\n", b""),
        _ => answer(302, &format!("Location: {away}\r\n"), b""),
    });
    *back.lock().unwrap() = server.url("/back");
    assert!(client(&server, alice()).send(get("/v2/x")).is_ok());
    assert_eq!(shown(&server), [None, Some(ALICE.to_owned()), None]);
}

#[test]
fn an_upload_elsewhere_gets_no_credentials() {
    let other = Server::start(|_, _| answer(401, "WWW-Authenticate: Basic realm=\"r\"\r\n", b""));
    let there = other.url("/upload");
    let server = Server::start(move |request, _| match request.header("authorization") {
        None => answer(401, "WWW-Authenticate: Basic realm=\"r\"\r\n", b""),
        _ => answer(202, &format!("Location: {there}\r\n"), b""),
    });
    let client = client(&server, alice());
    let started = client.send(Request { method: Method::Post, ..get("/start") }).unwrap();
    let location = started.resolve(started.header("location").unwrap()).unwrap();
    let put = Request { method: Method::Put, target: Target::Location(&location), body: Body::Bytes(b"x"), ..get("") };
    assert!(denied(&client.send(put).unwrap_err()));
    assert_eq!(shown(&other), [None]);
}

#[test]
fn a_realm_without_tls_is_refused() {
    for realm in ["http://auth.example.com/token", "http://127.0.0.1.example.com/token", "HTTP://10.0.0.1/"] {
        let challenge = format!("WWW-Authenticate: Bearer realm=\"{realm}\"\r\n");
        let server = Server::start(move |_, _| answer(401, &challenge, b""));
        for access in [alice(), Access::default()] {
            let error = client(&server, access).send(get("/v2/x")).unwrap_err();
            assert_eq!((error.code(), error.class()), ("unsafe-request", Class::Denied), "{error}");
        }
        assert_eq!(shown(&server), [None, None]);
    }
    for realm in ["", "/token", "ftp://auth.example.com/", "https://user:password@auth.example.com/"] {
        let challenge = format!("WWW-Authenticate: Bearer realm=\"{realm}\"\r\n");
        let server = Server::start(move |_, _| answer(401, &challenge, b""));
        let error = client(&server, alice()).send(get("/v2/x")).unwrap_err();
        assert!(matches!(error, Error::Protocol { .. }), "{error}");
    }
}

#[test]
fn credentials_do_not_go_over_plain_http_to_another_machine() {
    let tokens = token_service();
    let realm = tokens.url("/token");
    for challenge in [format!("Bearer realm=\"{realm}\""), "Basic realm=\"r\"".to_owned()] {
        let server = Server::start(move |_, _| answer(401, &format!("WWW-Authenticate: {challenge}\r\n"), b""));
        let error = from_afar(&server, Access { plain_http: true, ..alice() }).send(get("/v2/x")).unwrap_err();
        assert!(
            matches!(&error, Error::Unsafe { reason, .. } if reason == "a user name and a password would be sent without TLS"),
            "{error}"
        );
        assert_eq!((shown(&server), tokens.lines().len()), (vec![None], 0));
    }
    // What anybody gets is no secret.
    let server = registry(&tokens, 1);
    assert!(from_afar(&server, Access { plain_http: true, ..Access::default() }).send(get("/v2/x")).is_ok());
    assert_eq!(shown(&tokens), [None]);
}

#[test]
fn files_with_credentials_are_read_only_when_a_challenge_asks() {
    let access = Access { registry_config: Some("/nonexistent/config.json".into()), ..Access::default() };
    let server = Server::start(|_, _| answer(200, "", b""));
    assert!(client(&server, access).send(get("/v2/x")).is_ok());
}

#[test]
fn a_stream_is_not_spent_on_a_challenge() {
    let tokens = token_service();
    let server = registry(&tokens, 1);
    let client = client(&server, alice());
    let put = |content: &mut &[u8]| client.send(Request { method: Method::Put, body: Body::Stream(content, 5), ..get("/blob") });
    assert_eq!(put(&mut b"hello".as_slice()).unwrap().status(), 200);
    assert_eq!(server.lines(), ["GET /v2/", "GET /v2/", "PUT /blob"]);
    assert_eq!(put(&mut b"again".as_slice()).unwrap().status(), 200);
    assert_eq!((server.lines().len(), server.received()[3].body.as_slice()), (4, b"again".as_slice()));
    // When it was begun and is refused, it is not sent again.
    let expired = registry(&tokens, 3);
    let client = super::client(&expired, alice());
    let put = |content: &mut &[u8]| client.send(Request { method: Method::Put, body: Body::Stream(content, 5), ..get("/blob") });
    assert!(denied(&put(&mut b"hello".as_slice()).unwrap_err()));
    assert_eq!(expired.lines(), ["GET /v2/", "GET /v2/", "PUT /blob"]);
}
