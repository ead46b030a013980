//! Proxies: what goes through them, and what they see.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};

use touchmark_test_registry::{Auth, Authority, Settings, TestRegistry, Tls};

use super::super::Client;
use super::super::proxy::Proxies;
use super::{alice, get};
use crate::access::Access;
use crate::error::Error;
use crate::testing::Folder;

/// A proxy that tunnels whatever it is asked for to one address; what it is asked comes out of the channel.
fn proxy(target: std::net::SocketAddr) -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let (sender, asked) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut client = stream.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                client.read_exact(&mut byte).unwrap();
                head.push(byte[0]);
            }
            sender.send(String::from_utf8(head).unwrap()).unwrap();
            let server = TcpStream::connect(target).unwrap();
            client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").unwrap();
            tunnel(client.try_clone().unwrap(), server.try_clone().unwrap());
            tunnel(server, client);
        }
    });
    (address, asked)
}

fn tunnel(mut from: TcpStream, mut to: TcpStream) {
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(std::net::Shutdown::Write);
    });
}

/// A client with these variables set.
fn with_proxy(host: &str, access: Access, variables: &'static [(&'static str, &'static str)], proxy: &str) -> Client {
    let of = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.replace("PROXY", proxy));
    Client::through(host, &access, Proxies::read(of)).unwrap()
}

#[test]
fn a_registry_behind_a_proxy_sees_the_credentials_and_the_proxy_does_not() {
    let (folder, authority) = (Folder::new(), Authority::new());
    let tls = Tls { names: vec!["registry.example.com".to_owned()], ..Tls::new(&authority) };
    let registry = TestRegistry::start(Settings { tls: Some(tls), auth: Auth::basic("alice", "secret"), ..Settings::default() });
    let ca_file = folder.path("ca.pem");
    authority.write(&ca_file).unwrap();
    let (proxy, asked) = proxy(registry.address());
    // Nobody but the proxy knows where the registry is.
    let variables = &[("HTTPS_PROXY", "http://me:word@PROXY"), ("HTTP_PROXY", "http://127.0.0.1:1")];
    let client = with_proxy("registry.example.com", Access { ca_file: Some(ca_file), ..alice() }, variables, &proxy);
    assert_eq!(client.send(get("/v2/")).unwrap().status(), 200);
    let request = asked.recv().unwrap();
    assert!(request.starts_with("CONNECT registry.example.com:443 HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("\r\nProxy-Authorization: Basic bWU6d29yZA==\r\n") && !request.contains("YWxpY2U6c2VjcmV0"), "{request}");
    assert!(asked.try_recv().is_err(), "the connection through the proxy is used again");
}

#[test]
fn plain_http_has_a_proxy_of_its_own() {
    let registry = TestRegistry::start(Settings::default());
    let (proxy, asked) = proxy(registry.address());
    let variables = &[("http_proxy", "PROXY"), ("https_proxy", "http://127.0.0.1:1")];
    let plain = Access { plain_http: true, ..Access::default() };
    let client = with_proxy("registry.example.com:5000", plain, variables, &proxy);
    assert_eq!(client.send(get("/v2/")).unwrap().status(), 200);
    assert!(asked.recv().unwrap().starts_with("CONNECT registry.example.com:5000 HTTP/1.1\r\n"));
    // Never to this machine.
    assert_eq!(with_proxy(&registry.host(), Access::default(), variables, &proxy).send(get("/v2/")).unwrap().status(), 200);
    assert!(asked.try_recv().is_err());
}

#[test]
fn a_proxy_that_cannot_be_used_is_told() {
    let access = || Access { retries: Some(0), ..Access::default() };
    let client = with_proxy("registry.example.com", access(), &[("https_proxy", "ftp://me:word@PROXY")], "127.0.0.1:1");
    let error = client.send(get("/v2/")).unwrap_err();
    assert_eq!(error.to_string(), "https_proxy: not the URL of a proxy");
    let client = with_proxy("registry.example.com", access(), &[("https_proxy", "http://me:word@PROXY")], "127.0.0.1:1");
    let error = client.send(get("/v2/")).unwrap_err();
    assert!(matches!(error, Error::Connection { .. }) && !error.to_string().contains("word"), "{error}");
}
