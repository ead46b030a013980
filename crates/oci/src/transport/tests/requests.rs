//! Requests, redirects and retries.

use std::io::Read;

use super::super::testing::{Answer, Server, answer, refusing};
use super::super::{Body, Method, Repeat, Request, Target};
use super::{client, get};
use crate::access::Access;
use crate::error::{Class, Error};

#[test]
fn a_document_is_fetched() {
    let server = Server::start(|_, _| answer(200, "X-One: a\r\nX-One: b\r\n", b"hello"));
    let client = client(&server, Access::default());
    let headers = [("accept", "text/x")];
    let (response, bytes) = client.fetch(Request { headers: &headers, ..get("/v2/x?n=1") }, 5).unwrap();
    assert_eq!((response.status(), response.length(), bytes.as_slice()), (200, Some(5), b"hello".as_slice()));
    assert_eq!(response.header("x-ONE"), Some("a"));
    assert_eq!(response.headers("X-One").collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(response.asked(), format!("GET {}", server.url("/v2/x?n=1")));
    let received = server.received();
    assert_eq!(received[0].line, "GET /v2/x?n=1");
    assert_eq!(received[0].header("host"), Some(server.host().as_str()));
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
        "HEAD /" => Answer::Bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n".to_vec()),
        _ => answer(200, "", b"hello"),
    });
    let client = client(&server, Access { retries: Some(0), ..Access::default() });
    assert_eq!(client.send(get("/missing")).unwrap().status(), 404);
    assert_eq!(client.send(get("/moved")).unwrap().bytes(10).unwrap(), b"hello");
    assert!(client.send(get("/busy")).is_err());
    let head = client.send(Request { method: Method::Head, ..get("/") }).unwrap();
    assert_eq!(head.header("content-length"), Some("5"));
    assert!(head.bytes(0).unwrap().is_empty());
    // A reader that stops at the last byte, and does not look for the end.
    let mut bytes = [0; 5];
    client.send(get("/")).unwrap().reader().read_exact(&mut bytes).unwrap();
    assert_eq!(client.send(Request { method: Method::Put, body: Body::Bytes(b"x"), ..get("/") }).unwrap().status(), 200);
    assert!(server.received().iter().all(|request| request.connection == 0), "{:?}", server.received());
    assert_eq!(server.received().last().unwrap().body, b"x");
}

#[test]
fn requests_without_a_body_say_so_where_one_is_expected() {
    let server = Server::start(|_, _| answer(202, "", b""));
    let client = client(&server, Access::default());
    for (method, expected) in [(Method::Post, Some("0")), (Method::Put, Some("0")), (Method::Delete, None)] {
        assert_eq!(client.send(Request { method, ..get("/") }).unwrap().status(), 202);
        let last = server.received().pop().unwrap();
        assert_eq!((last.header("content-length"), last.header("transfer-encoding")), (expected, None));
    }
}

#[test]
fn a_stream_is_sent_with_its_length() {
    let server = Server::start(|_, _| answer(201, "", b""));
    let client = client(&server, Access::default());
    // What the server asks for is known from the first answer on, so that nothing need be waited for.
    assert!(client.send(get("/")).is_ok());
    let put = |size, content: &mut &[u8]| client.send(Request { method: Method::Put, body: Body::Stream(content, size), ..get("/blob") });
    assert_eq!(put(5, &mut b"hello".as_slice()).unwrap().status(), 201);
    let last = server.received().pop().unwrap();
    assert_eq!((last.header("content-length"), last.body.as_slice()), (Some("5"), b"hello".as_slice()));
    assert_eq!(put(3, &mut b"hello".as_slice()).unwrap().status(), 201);
    assert_eq!(server.received().pop().unwrap().body, b"hel");
    // Too little: that is the reader's fault, and nothing is sent twice.
    let before = server.lines().len();
    assert!(matches!(put(9, &mut b"hello".as_slice()), Err(Error::Content { .. })));
    assert!(server.lines().len() <= before + 1);
}

#[test]
fn the_error_of_a_stream_comes_through() {
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(Error::Configuration { what: "x".to_owned(), reason: "y".to_owned() }.into())
        }
    }
    let server = Server::start(|_, _| answer(201, "", b""));
    let client = client(&server, Access::default());
    assert!(client.send(get("/")).is_ok());
    let request = Request { method: Method::Put, body: Body::Stream(&mut Failing, 5), ..get("/") };
    let error = client.send(request).unwrap_err();
    assert_eq!(error.to_string(), "x: y");
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
        assert_eq!(error.class(), Class::Unavailable);
        assert_eq!(server.lines().len(), 5);
        let _ = client(&server, Access::default()).send(Request { repeat: Repeat::Once, ..get("/") }).unwrap_err();
        assert_eq!(server.lines().len(), 6);
    }
}

#[test]
fn failures_that_do_not_pass_are_not_tried_again() {
    let server = Server::start(|request, _| if request.line.ends_with("/403") { answer(403, "", b"") } else { answer(501, "", b"") });
    let client = client(&server, Access::default());
    let error = client.send(get("/403")).unwrap().into_error();
    assert_eq!((error.class(), error.code()), (Class::Denied, "denied"));
    assert!(matches!(client.send(get("/501")), Err(Error::Status { status: 501, .. })));
    assert_eq!(server.lines().len(), 2);
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

#[test]
fn a_body_that_breaks_off_is_an_error_of_its_reader() {
    for reset in [false, true] {
        let short = || b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel".to_vec();
        let server = Server::start(move |_, _| if reset { Answer::Reset(short()) } else { Answer::Closing(short()) });
        let client = client(&server, Access::default());
        let mut bytes = Vec::new();
        let error = client.send(get("/")).unwrap().reader().read_to_end(&mut bytes).unwrap_err();
        assert!(bytes.len() <= 3);
        assert!(matches!(Error::carried(error), Ok(Error::Connection { .. })));
        assert!(matches!(client.send(get("/")).unwrap().bytes(5), Err(Error::Connection { .. })));
        assert!(matches!(client.fetch(get("/"), 5), Err(Error::Connection { .. })));
        assert_eq!(server.lines().len(), 2 + 5);
    }
}

#[test]
fn nobody_there() {
    let host = {
        let server = Server::start(|_, _| answer(200, "", b""));
        server.host()
    };
    let error = super::impatient(&host, Access::default()).send(get("/v2/x")).unwrap_err();
    assert!(matches!(&error, Error::Connection { url, .. } if *url == format!("GET http://{host}/v2/x")), "{error}");
    assert_eq!(error.class(), Class::Unavailable);
}

#[test]
fn redirects_of_get_and_head_are_followed() {
    for status in [301, 302, 303, 307, 308] {
        let server = Server::start(move |request, _| match request.line.as_str() {
            "GET /a/b?x" => answer(status, "Location: ../c?y\r\n", b""),
            "GET /c?y" => answer(200, "", b"there"),
            _ => answer(status, "Location: /c\r\n", b""),
        });
        let client = client(&server, Access::default());
        let response = client.send(get("/a/b?x")).unwrap();
        // The query is the server's, and may be a secret.
        assert_eq!(response.asked(), format!("GET {}", server.url("/c")));
        assert_eq!(response.resolve("d").unwrap().url(), server.url("/d"));
        assert_eq!(response.bytes(5).unwrap(), b"there");
        let post = client.send(Request { method: Method::Post, ..get("/a/b") }).unwrap();
        assert_eq!((post.status(), post.header("location")), (status, Some("/c")));
    }
}

#[test]
fn redirects_end() {
    let server = Server::start(|_, before| answer(307, &format!("Location: /{before}\r\n"), b""));
    let error = client(&server, Access::default()).send(get("/")).unwrap_err();
    assert!(matches!(&error, Error::Protocol { reason, .. } if reason == "more than 10 redirects"), "{error}");
    assert_eq!(server.lines().len(), 11);

    for headers in ["", "Location: ftp://example.com/\r\n", "Location: http://user:password@example.com/\r\n"] {
        let server = Server::start(move |_, _| answer(307, headers, b""));
        let error = client(&server, Access::default()).send(get("/")).unwrap_err();
        assert!(matches!(error, Error::Protocol { .. }), "{error}");
        assert_eq!(server.lines().len(), 1);
    }
}

#[test]
fn a_redirect_elsewhere_that_fails_is_asked_for_again_at_its_beginning() {
    let other = Server::start(|_, before| if before == 0 { answer(503, "", b"") } else { answer(200, "", b"blob") });
    let there = other.url("/blob?signed=1");
    let server = Server::start(move |_, _| answer(307, &format!("Location: {there}\r\n"), b""));
    assert_eq!(client(&server, Access::default()).fetch(get("/"), 9).unwrap().1, b"blob");
    assert_eq!((server.lines().len(), other.lines().len()), (2, 2));
}

#[test]
fn locations_lead_to_where_the_server_said() {
    let server = Server::start(|_, _| answer(202, "Location: /uploads/1?_state=x\r\n", b""));
    let client = client(&server, Access::default());
    let response = client.send(Request { method: Method::Post, ..get("/start") }).unwrap();
    let location = response.resolve(response.header("location").unwrap()).unwrap();
    assert_eq!(location.url(), server.url("/uploads/1?_state=x"));
    let finish = location.with_query(&[("digest", "sha256:00")]);
    let put = Request { method: Method::Put, target: Target::Location(&finish), body: Body::Bytes(b"x"), ..get("") };
    assert_eq!(client.send(put).unwrap().asked(), format!("PUT {}", server.url("/uploads/1")));
    assert_eq!(server.lines().pop().unwrap(), "PUT /uploads/1?_state=x&digest=sha256%3A00");
}

#[test]
fn a_refusal_before_the_body_was_sent_is_heard() {
    let address = refusing(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    let client = super::impatient(&address.to_string(), Access { plain_http: true, retries: Some(0), ..Access::default() });
    let body = vec![0; 32 << 20];
    let response = client.send(Request { method: Method::Put, body: Body::Bytes(&body), ..get("/blob") }).unwrap();
    assert_eq!(response.status(), 413);
}
