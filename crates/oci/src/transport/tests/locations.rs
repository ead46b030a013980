//! Servers that are no registries, by their URL.

use std::time::Duration;

use super::super::testing::{Answer, Server, answer};
use super::super::{Body, Client, Location, Method, Repeat, Request, Target};
use super::{ALICE, alice};
use crate::access::Access;
use crate::error::{Class, Error};

fn at(url: &str, access: &Access) -> Client {
    let mut client = Client::at(&Location::parse(url).unwrap(), access).unwrap();
    client.patience.pause = Duration::from_millis(1);
    client
}

fn get(path: &str) -> Request<'_> {
    let target = Target::Path(path);
    Request { method: Method::Get, target, scope: "", headers: &[], body: Body::Empty, repeat: Repeat::Retry }
}

#[test]
fn a_url_says_host_port_and_path() {
    let location = Location::parse("HTTPS://Example.COM:8443/tuf/repo/").unwrap();
    assert_eq!((location.url(), location.path()), ("https://example.com:8443/tuf/repo/", "/tuf/repo/"));
    assert_eq!(Location::parse("http://h:80").unwrap().url(), "http://h/");
}

#[test]
fn a_url_that_holds_a_password_is_refused_and_not_repeated() {
    for url in ["http://user:hunter2@h/x", "hunter2@h", "ftp://h/?hunter2", "http://h:99999/?hunter2#hunter2"] {
        let error = Location::parse(url).unwrap_err();
        assert_eq!((error.class(), error.code()), (Class::Usage, "bad-url"), "{url}");
        assert!(!error.to_string().contains("hunter2") && !format!("{error:?}").contains("hunter2"), "{error}");
    }
}

#[test]
fn requests_go_where_the_url_says_and_nowhere_before() {
    let server = Server::start(|_, _| answer(200, "", b"x"));
    let client = at(&server.url("/tuf"), &Access::default());
    client.fetch(get("/tuf/1.root.json"), 1).unwrap();
    assert_eq!(server.lines(), ["GET /tuf/1.root.json"]);
}

#[test]
fn no_host_stands_for_another_one() {
    let server = Server::start(|_, _| answer(200, "", b"x"));
    let authority = format!("docker.io:{}", server.host().rsplit_once(':').unwrap().1);
    let client = at(&format!("http://{authority}/"), &Access::default());
    client.agents.names.learn("docker.io", vec!["127.0.0.1".parse().unwrap()]);
    client.fetch(get("/timestamp.json"), 1).unwrap();
    assert_eq!(server.received()[0].header("host"), Some(authority.as_str()));
}

#[test]
fn https_is_never_tried_without_tls() {
    let server = Server::start(|_, _| answer(200, "", b"x"));
    let client = at(&format!("https://{}/", server.host()), &Access { retries: Some(0), ..Access::default() });
    let error = client.fetch(get("/x"), 1).unwrap_err();
    assert_eq!(error.class(), Class::Unavailable, "{error}");
    assert!(server.lines().is_empty(), "{:?}", server.lines());
}

#[test]
fn credentials_answer_the_server_itself_and_nobody_it_leads_to() {
    let elsewhere = Server::start(|_, _| answer(401, "WWW-Authenticate: Basic realm=\"y\"\r\n", b""));
    let away = elsewhere.url("/away");
    let server = Server::start(move |request, _| match (request.header("authorization"), request.line.as_str()) {
        (None, _) => answer(401, "WWW-Authenticate: Basic realm=\"x\"\r\n", b""),
        (Some(_), "GET /moved") => answer(302, &format!("Location: {away}\r\n"), b""),
        (Some(_), _) => answer(200, "", b"hello"),
    });
    let client = at(&server.url("/"), &alice());
    assert_eq!(client.fetch(get("/x"), 5).unwrap().1, b"hello");
    assert_eq!(client.fetch(get("/moved"), 5).unwrap_err().class(), Class::Denied);
    assert_eq!(server.received().last().unwrap().header("authorization"), Some(ALICE));
    assert!(elsewhere.received().iter().all(|request| request.header("authorization").is_none()));
}

#[test]
fn a_document_takes_no_more_room_than_it_has_bytes() {
    let server = Server::start(|_, _| answer(200, "", &[b'x'; 1_000_003]));
    let (_, bytes) = at(&server.url("/"), &Access::default()).fetch(get("/x"), 1 << 30).unwrap();
    assert_eq!((bytes.len(), bytes.capacity()), (1_000_003, 1_000_003));
}

#[test]
fn an_announced_length_alone_takes_no_memory_and_no_time() {
    // More than there is of memory, within the limit: nothing is touched before it comes.
    let server = Server::start(|_, _| Answer::Closing(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\nx", 1_u64 << 46).into_bytes()));
    let error = at(&server.url("/"), &Access { retries: Some(0), ..Access::default() }).fetch(get("/x"), u64::MAX).unwrap_err();
    assert!(matches!(error, Error::Connection { .. }), "{error}");
}
