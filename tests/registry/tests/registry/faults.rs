//! What goes wrong, with which requests, and what is noted of them.

use std::io;
use std::time::Duration;

use touchmark_test_registry::{Action, Fault, Settings, TestRegistry, When};

use crate::client::Client;

fn start() -> (TestRegistry, Client) {
    let registry = TestRegistry::start(Settings::default());
    let client = Client::new(&registry.host());
    (registry, client)
}

/// A registry with a blob, whose path is given.
fn with_blob(action: Action) -> (TestRegistry, Client, String) {
    let (registry, client) = start();
    let path = format!("/v2/acme/app/blobs/{}", registry.put_blob("acme/app", b"content"));
    registry.fault(Fault::new(action).path("/blobs/"));
    (registry, client, path)
}

fn statuses(when: When) -> Vec<u16> {
    let (registry, mut client) = start();
    registry.fault(Fault::new(Action::status(503)).get().path("/v2/").when(when));
    (0..6).map(|_| client.get("/v2/").status).collect()
}

#[test]
fn a_fault_strikes_the_requests_that_it_says() {
    assert_eq!(statuses(When::Always), [503; 6]);
    assert_eq!(statuses(When::Nth(2)), [200, 503, 200, 200, 200, 200]);
    assert_eq!(statuses(When::First(2)), [503, 503, 200, 200, 200, 200]);
    assert_eq!(statuses(When::From(5)), [200, 200, 200, 200, 503, 503]);
    assert_eq!(statuses(When::Every(3)), [200, 200, 503, 200, 200, 503]);
    let (registry, mut client) = start();
    registry.fault(Fault::new(Action::status(503)).method("PUT"));
    registry.fault(Fault::new(Action::status(503)).path("/tags/"));
    client.get("/v2/").is(200);
    client.get("/v2/acme/app/tags/list").is(503);
    registry.clear_faults();
    client.get("/v2/acme/app/tags/list").is(404);
}

#[test]
fn chance_is_seeded_and_about_right() {
    let struck = |seed| {
        let (registry, mut client) = start();
        registry.fault(Fault::new(Action::status(500)).when(When::Chance(0.2, seed)));
        (0..500).map(|_| client.get("/v2/").status == 500).collect::<Vec<_>>()
    };
    let (one, other) = (struck(1), struck(2));
    assert_eq!(one, struck(1));
    assert_ne!(one, other);
    let count = one.iter().filter(|struck| **struck).count();
    assert!((60..140).contains(&count), "{count} of 500");
}

#[test]
fn a_status_comes_with_its_headers() {
    let (_registry, mut client, path) = with_blob(Action::status(429).with("Retry-After", "7").with("Content-Type", "text/plain"));
    let answer = client.get(&path).is(429);
    assert_eq!(
        (answer.code(), answer.header("retry-after"), answer.header("content-type")),
        ("TOOMANYREQUESTS".to_owned(), Some("7"), Some("text/plain"))
    );
    client.get("/v2/").is(200);
}

#[test]
fn a_request_is_lost_or_carried_out_unnoticed() {
    let digest = touchmark_test_registry::sha256(b"new");
    let post = format!("/v2/acme/app/blobs/uploads/?digest={digest}");
    for (action, there) in [(Action::Reset, false), (Action::Lost, true), (Action::Carried(500), true), (Action::status(500), false)] {
        let (registry, mut client, _) = with_blob(action.clone());
        let answer = client.try_send("POST", &post, &[], b"new");
        match action {
            Action::Reset | Action::Lost => assert!(answer.is_err(), "{action:?}: {answer:?}"),
            _ => assert_eq!(answer.unwrap().status, 500),
        }
        assert_eq!(registry.blob("acme/app", &digest).is_some(), there, "{action:?}");
    }
}

#[test]
fn a_connection_is_reset_or_closed_in_mid_body() {
    for (action, orderly) in [(Action::Reset, None), (Action::ResetBody(3), Some(false)), (Action::Truncate(3), Some(true))] {
        let (_registry, mut client, path) = with_blob(action.clone());
        client.write("GET", &path, &[], b"").unwrap();
        let head = client.head();
        let Some(orderly) = orderly else {
            assert_eq!(head.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
            continue;
        };
        let (status, headers) = head.unwrap();
        assert_eq!(status, 200);
        assert!(headers.contains(&("Content-Length".to_owned(), "7".to_owned())));
        let (body, end) = client.rest();
        assert_eq!(end.is_ok(), orderly, "{action:?}: {end:?}");
        // A reset may overtake what was sent.
        assert!(body == b"con" || !orderly && b"con".starts_with(&body), "{action:?}: {body:?}");
    }
}

#[test]
fn a_body_is_slow_another_too_long_or_without_an_end() {
    let (_registry, mut client, path) = with_blob(Action::Drip(Duration::from_millis(1)));
    assert_eq!(client.get(&path).is(200).text(), "content");
    client.get("/v2/").is(200);

    let (_registry, mut client, path) = with_blob(Action::Body(b"other".to_vec()));
    assert_eq!(client.get(&path).is(200).text(), "other");

    let (_registry, mut client, path) = with_blob(Action::Fill(b"{\"".to_vec(), b'x', Some(1 << 20)));
    let body = client.get(&path).is(200).body;
    assert_eq!((body.len(), &body[..3]), (1 << 20, &b"{\"x"[..]));

    let (registry, mut client, path) = with_blob(Action::Fill(b"{".to_vec(), b' ', None));
    client.write("GET", &path, &[], b"").unwrap();
    assert!(client.head().unwrap().1.contains(&("Transfer-Encoding".to_owned(), "chunked".to_owned())));
    // It goes on until somebody stops: here the registry, which does not hang on it.
    drop(registry);
}

#[test]
fn a_request_hangs_until_the_registry_stops() {
    let (registry, mut client, path) = with_blob(Action::Hang);
    client.write("GET", &path, &[], b"").unwrap();
    while registry.log().is_empty() {
        std::thread::yield_now();
    }
    assert_eq!(registry.log()[0].finished, None);
    drop(registry);
    assert!(client.read(false).is_err());
}

#[test]
fn headers_are_changed_and_requests_sent_elsewhere() {
    let (_registry, mut client, path) = with_blob(Action::Header("Docker-Content-Digest".to_owned(), Some("sha256:00".to_owned())));
    assert_eq!(client.get(&path).is(200).header("docker-content-digest"), Some("sha256:00"));
    let (_registry, mut client, path) = with_blob(Action::Header("docker-content-digest".to_owned(), None));
    assert_eq!(client.get(&path).is(200).header("docker-content-digest"), None);
    let (_registry, mut client, path) = with_blob(Action::Redirect("http://127.0.0.2:9/elsewhere".to_owned()));
    assert_eq!(client.get(&path).is(307).header("location"), Some("http://127.0.0.2:9/elsewhere"));
}

#[test]
fn requests_that_wait_for_one_another_are_a_chain() {
    let (registry, mut client) = start();
    registry.change(|settings| settings.delay = Duration::from_millis(500));
    client.get("/v2/").is(200);
    // Three at the same time, each after the first.
    let mut others: Vec<Client> = (0..3).map(|_| Client::new(&registry.host())).collect();
    for other in &mut others {
        other.write("GET", "/v2/", &[], b"").unwrap();
    }
    for other in &mut others {
        other.read(false).unwrap().is(200);
    }
    client.get("/v2/x/tags/list").is(404);
    let depths: Vec<u32> = registry.log().iter().map(|logged| logged.depth).collect();
    assert_eq!(depths, [1, 2, 2, 2, 3]);
    assert_eq!(registry.longest_chain(), 3);
    let last = registry.log().pop().unwrap();
    assert_eq!((last.status, last.path.as_str()), (Some(404), "/v2/x/tags/list"));
    assert!(last.finished.unwrap() - last.started >= Duration::from_millis(500));
    registry.clear_log();
    assert_eq!((registry.log().len(), registry.longest_chain()), (0, 0));
    client.get("/v2/").is(200);
    assert_eq!(registry.longest_chain(), 1);
}
