//! Servers that do not end.

use std::io::Read;
use std::time::Duration;

use super::super::testing::{Answer, Server, answer};
use super::{alice, client, get};
use crate::access::Access;
use crate::error::{Class, Error};

/// Impatient, and without another try.
fn hasty() -> Access {
    Access { timeout: Some(Duration::from_millis(200)), retries: Some(0), ..Access::default() }
}

#[test]
fn a_large_document_is_refused_by_what_it_says() {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", 1 << 30);
    let server = Server::start(move |_, _| Answer::Endless(head.clone().into_bytes(), vec![0; 1 << 16]));
    let error = client(&server, Access::default()).fetch(get("/v2/x"), 4 << 20).unwrap_err();
    assert_eq!(error.to_string(), format!("http://{}: /v2/x has 1073741824 bytes, more than the limit of 4194304", server.host()));
    assert_eq!((error.class(), server.lines().len()), (Class::Cap, 1));
}

#[test]
fn what_is_too_large_elsewhere_is_named_without_its_query() {
    let store = Server::start(|_, _| answer(200, "", b"12345"));
    let location = format!("Location: {}\r\n", store.url("/blob?signature=secret"));
    let server = Server::start(move |_, _| answer(307, &location, b""));
    let error = client(&server, Access::default()).fetch(get("/v2/x?n=1"), 4).unwrap_err();
    assert_eq!(error.to_string(), format!("http://{}: /blob has 5 bytes, more than the limit of 4", store.host()));
}

#[test]
fn an_endless_document_is_refused_at_the_limit() {
    let chunk = [b"10000\r\n".as_slice(), &[b'x'; 1 << 16], b"\r\n"].concat();
    let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let server = Server::start(move |_, _| Answer::Endless(head.to_vec(), chunk.clone()));
    let error = client(&server, Access::default()).fetch(get("/v2/x"), 4 << 20).unwrap_err();
    assert!(matches!(error, Error::TooLarge { limit: 4_194_304, .. }), "{error}");
    let exactly = Server::start(|_, _| answer(200, "", b"12345"));
    assert_eq!(client(&exactly, Access::default()).fetch(get("/"), 5).unwrap().1, b"12345");
    assert!(matches!(client(&exactly, Access::default()).fetch(get("/"), 4), Err(Error::TooLarge { size: 5, .. })));
}

#[test]
fn the_endless_body_of_a_failure_is_cut_off() {
    let head = b"HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nnot here\n\r\n";
    let chunk = [b"10000\r\n".as_slice(), &[b'x'; 1 << 16], b"\r\n"].concat();
    let server = Server::start(move |_, _| Answer::Endless(head.to_vec(), chunk.clone()));
    let error = client(&server, Access::default()).send(get("/")).unwrap().into_error();
    assert_eq!(error.to_string(), format!("GET {}: 404: not here", server.url("/")));
}

#[test]
fn endless_headers_are_cut_off() {
    for line in ["X-Header: value\r\n".to_owned(), format!("X-Header: {}\r\n", "x".repeat(1 << 16)), "x".repeat(1 << 16)] {
        let server = Server::start(move |_, _| Answer::Endless(b"HTTP/1.1 200 OK\r\n".to_vec(), line.clone().into_bytes()));
        let error = client(&server, hasty()).send(get("/")).unwrap_err();
        assert!(matches!(error, Error::Protocol { .. }), "{error}");
        assert_eq!(server.lines().len(), 1);
    }
}

/// Neither is content, so that no limit of bytes and no deadline of a reader ends them.
#[test]
fn endless_trailers_and_extensions_of_chunks_are_cut_off() {
    for (first, again) in [("1\r\na\r\n0\r\n", "X: y\r\n"), ("1;", "x")] {
        let first = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{first}").into_bytes();
        let server = Server::start(move |_, _| Answer::Endless(first.clone(), again.repeat(1 << 10).into_bytes()));
        let client = client(&server, Access { retries: Some(0), ..Access::default() });
        let error = client.fetch(get("/v2/x"), 1 << 10).unwrap_err();
        assert_eq!(error.class(), Class::Unavailable, "{error}");
    }
}

#[test]
fn what_is_not_http_is_refused() {
    let server = Server::start(
        |_, before| if before == 0 { answer(200, "", b"") } else { Answer::Closing(b"\x15\x03\x01\x00\x02\x02\x16".to_vec()) },
    );
    let client = client(&server, Access::default());
    assert!(client.send(get("/")).is_ok());
    let error = client.send(get("/")).unwrap_err();
    assert!(matches!(error, Error::Protocol { .. }), "{error}");
    assert_eq!(server.lines().len(), 2);
}

#[test]
fn silence_ends() {
    for beginning in ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel"] {
        let server = Server::start(move |_, _| Answer::Silence(beginning.as_bytes().to_vec()));
        let error = client(&server, hasty()).fetch(get("/"), 5).unwrap_err();
        assert!(matches!(&error, Error::Connection { reason, .. } if reason == "no answer within 0.2 s"), "{error}");
        assert_eq!(server.lines().len(), 1);
    }
}

#[test]
fn drops_end() {
    // Each comes well before the time for one read is over.
    let server = Server::start(|_, _| Answer::Drops(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n".to_vec()));
    let error = client(&server, hasty()).fetch(get("/"), 1 << 20).unwrap_err();
    assert!(matches!(error, Error::Connection { .. }), "{error}");
    let mut bytes = Vec::new();
    let error = client(&server, hasty()).send(get("/")).unwrap().reader().read_to_end(&mut bytes).unwrap_err();
    assert!(matches!(Error::carried(error), Ok(Error::Connection { .. })));
    let server = Server::start(|_, _| Answer::Drops(b"HTTP/1.1 200 OK\r\nX-Header: ".to_vec()));
    assert!(matches!(client(&server, hasty()).send(get("/")), Err(Error::Connection { .. })));
}

#[test]
fn an_endless_token_is_refused() {
    let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nA\r\n{\"token\":\"\r\n";
    let chunk = [b"10000\r\n".as_slice(), &[b'x'; 1 << 16], b"\r\n"].concat();
    let tokens = Server::start(move |_, _| Answer::Endless(head.to_vec(), chunk.clone()));
    let challenge = format!("WWW-Authenticate: Bearer realm=\"{}\"\r\n", tokens.url("/token"));
    let server = Server::start(move |_, _| answer(401, &challenge, b""));
    let error = client(&server, alice()).send(get("/")).unwrap_err();
    assert_eq!(error.to_string(), format!("GET {}: the answer with the token is too large", tokens.url("/token")));
    assert_eq!((server.lines().len(), tokens.lines().len()), (1, 1));
}

#[test]
fn an_endless_challenge_is_refused() {
    let challenge = format!("WWW-Authenticate: Bearer realm=\"{}\"\r\n", "x".repeat(20 << 10));
    let server = Server::start(move |_, _| answer(401, &challenge, b""));
    let error = client(&server, alice()).send(get("/")).unwrap_err();
    assert!(matches!(&error, Error::Protocol { reason, .. } if reason == "WWW-Authenticate is too long"), "{error}");
}
