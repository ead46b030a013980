//! The proxy before another server.

use touchmark_test_registry::{Action, Authority, Fault, Proxy, Settings, TestRegistry, Tls, When, sha256};

use crate::client::Client;

#[test]
fn what_passes_is_noted_and_unchanged() {
    let registry = TestRegistry::start(Settings::default());
    let proxy = Proxy::start(&registry.host());
    let mut client = Client::new(&proxy.host());
    let content = vec![9; 2 << 20];
    client.push_blob("acme/app", &content).is(201);
    assert!(client.get(&format!("/v2/acme/app/blobs/{}", sha256(&content))).is(200).body == content);
    let head = client.send("HEAD", &format!("/v2/acme/app/blobs/{}", sha256(&content)), &[], b"").is(200);
    assert_eq!(head.header("content-length"), Some("2097152"));
    client.get("/v2/acme/app/tags/list?n=1").is(200);
    let seen: Vec<(String, String)> = proxy.log().into_iter().map(|logged| (logged.method, logged.path)).collect();
    let passed: Vec<(String, String)> = registry.log().into_iter().map(|logged| (logged.method, logged.path)).collect();
    assert_eq!(seen, passed);
    assert_eq!(proxy.longest_chain(), 5);
    assert_eq!(registry.log().iter().map(|logged| logged.connection).max(), Some(1), "the connection was kept");
}

#[test]
fn a_fifth_of_the_requests_fails_without_reaching_the_server() {
    let registry = TestRegistry::start(Settings::default());
    let proxy = Proxy::start(&registry.host());
    proxy.fault(Fault::new(Action::status(500)).when(When::Chance(0.2, 7)));
    let mut client = Client::new(&proxy.host());
    let failed = (0..200).filter(|_| client.get("/v2/").status == 500).count();
    assert!((20..70).contains(&failed), "{failed} of 200");
    assert_eq!(registry.log().len(), 200 - failed);
}

#[test]
fn it_is_an_http_proxy_for_any_name() {
    let registry = TestRegistry::start(Settings::default());
    let proxy = Proxy::start(&registry.host());
    Client::new(&proxy.host()).get("http://registry.example.com/v2/").is(200);
    assert_eq!(registry.log()[0].path, "/v2/");

    let authority = Authority::new();
    let tls = Tls { names: vec!["registry.example.com".to_owned()], ..Tls::new(&authority) };
    let registry = TestRegistry::start(Settings { tls: Some(tls), ..Settings::default() });
    let proxy = Proxy::start(&registry.host());
    let mut client = Client::new(&proxy.host());
    client.raw(b"CONNECT registry.example.com:443 HTTP/1.1\r\nHost: registry.example.com:443\r\n\r\n").unwrap();
    assert_eq!(client.head().unwrap().0, 200);
    let mut client = crate::tls::client_over(client, "registry.example.com", &authority).unwrap();
    client.get("/v2/").is(200);
    assert_eq!(proxy.log()[0].path, "registry.example.com:443");
}

#[test]
fn a_server_that_is_gone_is_a_bad_gateway() {
    let registry = TestRegistry::start(Settings::default());
    let proxy = Proxy::start(&registry.host());
    drop(registry);
    Client::new(&proxy.host()).get("/v2/").is(502);
}
