//! The client against servers that do what they should, and what they should not.

use std::time::Duration;

use super::testing::{Answer, Server, answer};
use super::*;
use crate::access::Access;
use crate::error::Error;

/// A client that does not pause for long, nor wait.
fn client(server: &Server, access: Access) -> Client {
    let mut client = Client::new(&server.host(), &access).unwrap();
    client.pause = Duration::from_millis(1);
    client
}

fn get(path: &str) -> Request<'_> {
    Request {
        method: Method::Get,
        target: Target::Path(path),
        scope: "repository:acme/app:pull",
        headers: &[],
        body: Body::Empty,
        repeat: Repeat::Retry,
    }
}

#[test]
fn a_document_is_fetched() {
    let server = Server::start(|_, _| answer(200, "X-One: a\r\nX-One: b\r\n", b"hello"));
    let client = client(&server, Access::default());
    let headers = [("accept", "text/x")];
    let (response, bytes) = client.fetch(Request { headers: &headers, ..get("/v2/x?n=1") }, 5).unwrap();
    assert_eq!((response.status(), bytes.as_slice()), (200, b"hello".as_slice()));
    assert_eq!(response.header("x-ONE"), Some("a"));
    assert_eq!(response.headers("X-One").collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(response.asked(), format!("GET {}", server.url("/v2/x?n=1")));
    let received = server.received();
    assert_eq!(received[0].line, "GET /v2/x?n=1");
    assert_eq!(received[0].header("accept"), Some("text/x"));
    assert_eq!(received[0].header("user-agent"), Some(concat!("touchmark/", env!("CARGO_PKG_VERSION"))));
    assert_eq!(received[0].header("authorization"), None);
}

#[test]
fn connections_are_used_again_whatever_was_answered() {
    let server = Server::start(|request, _| match request.line.as_str() {
        "GET /missing" => answer(404, "Content-Type: application/json\r\n", br#"{"errors":[{"code":"X"}]}"#),
        "GET /moved" => answer(302, "Location: /other\r\n", b"moved"),
        "GET /busy" => answer(503, "", b"busy"),
        _ => answer(200, "", b"hello"),
    });
    let client = client(&server, Access { retries: Some(0), ..Access::default() });
    assert_eq!(client.send(get("/missing")).unwrap().status(), 404);
    assert_eq!(client.send(get("/moved")).unwrap().bytes(10).unwrap(), b"hello");
    assert!(client.send(get("/busy")).is_err());
    // A reader that stops at the last byte, and does not look for the end.
    let mut bytes = [0; 5];
    client.send(get("/")).unwrap().reader().read_exact(&mut bytes).unwrap();
    assert_eq!(client.send(Request { method: Method::Put, body: Body::Bytes(b"x"), ..get("/") }).unwrap().status(), 200);
    assert!(server.received().iter().all(|request| request.connection == 0), "{:?}", server.received());
    assert_eq!(server.received().last().unwrap().body, b"x");
}

#[test]
fn failures_that_pass_are_tried_again() {
    for status in [429, 500, 502, 503, 504] {
        let server =
            Server::start(move |_, before| if before < 4 { answer(status, "Retry-After: 0\r\n", b"") } else { answer(200, "", b"done") });
        assert_eq!(client(&server, Access::default()).fetch(get("/"), 10).unwrap().1, b"done");
        assert_eq!(server.lines().len(), 5);

        let server = Server::start(move |_, _| answer(status, "", br#"{"errors":[{"code":"BUSY","message":"come later"}]}"#));
        let error = client(&server, Access::default()).send(get("/")).unwrap_err();
        assert_eq!(error.to_string(), format!("GET {}: {status}: BUSY: come later", server.url("/")));
        assert_eq!(server.lines().len(), 5);
        let _ = client(&server, Access::default()).send(Request { repeat: Repeat::Once, ..get("/") }).unwrap_err();
        assert_eq!(server.lines().len(), 6);
    }
}

#[test]
fn a_long_retry_after_ends_it() {
    let server = Server::start(|_, _| answer(429, "Retry-After: 120\r\n", b""));
    let error = client(&server, Access::default()).send(get("/")).unwrap_err();
    assert_eq!(error.to_string(), format!("GET {}: 429: try again in 120 s", server.url("/")));
    assert_eq!((error.code(), server.lines().len()), ("too-many-requests", 1));
}

#[test]
fn a_body_that_breaks_off_is_asked_for_again() {
    let short = || b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel".to_vec();
    let server = Server::start(move |_, before| match before {
        0 => Answer::Closing(short()),
        1 => Answer::Reset(short()),
        2 => Answer::Closing(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel".to_vec()),
        _ => answer(200, "", b"hello"),
    });
    let client = client(&server, Access::default());
    assert_eq!(client.fetch(get("/"), 5).unwrap().1, b"hello");
    assert_eq!(server.lines().len(), 4);
}
