//! TLS, and plain HTTP to this machine.

use std::sync::Arc;

use touchmark_test_registry::{Action, Auth, Authority, Fault, Settings, TestRegistry, Tls};

use super::super::testing::{Answer, Server, answer};
use super::{alice, client, from_afar, get, impatient};
use crate::access::Access;
use crate::error::{Class, Error};
use crate::testing::Folder;

fn registry(authority: &Arc<Authority>, client_certificates: bool) -> TestRegistry {
    let tls = Tls { client_certificates, ..Tls::new(authority) };
    TestRegistry::start(Settings { tls: Some(tls), auth: Auth::basic("alice", "secret"), ..Settings::default() })
}

/// Who trusts the authority.
fn trusting(folder: &Folder, authority: &Authority) -> Access {
    let ca_file = folder.path("ca.pem");
    authority.write(&ca_file).unwrap();
    Access { ca_file: Some(ca_file), ..alice() }
}

fn tls_fails(client: &super::super::Client) -> String {
    let error = client.send(get("/v2/")).unwrap_err();
    assert_eq!(error.class(), Class::Unavailable);
    assert!(matches!(&error, Error::Connection { reason, .. } if reason.starts_with("TLS: ")), "{error}");
    error.to_string()
}

#[test]
fn an_authority_can_be_named() {
    let (folder, authority) = (Folder::new(), Authority::new());
    let registry = registry(&authority, false);
    let client = impatient(&registry.host(), trusting(&folder, &authority));
    for _ in 0..2 {
        let response = client.send(get("/v2/")).unwrap();
        assert_eq!((response.status(), response.asked()), (200, format!("GET {}/v2/", registry.url())));
    }
    let connections: Vec<u64> = registry.log().iter().map(|request| request.connection).collect();
    assert_eq!(connections, [connections[0]; 3], "connections are used again with TLS too");
}

#[test]
fn an_unknown_authority_is_refused_at_once() {
    let (folder, authority) = (Folder::new(), Authority::new());
    let registry = registry(&authority, false);
    let other = impatient(&registry.host(), trusting(&folder, &Authority::new()));
    assert!(tls_fails(&other).contains("(--ca-file names an authority"));
    assert!(registry.log().is_empty());
    let insecure = impatient(&registry.host(), Access { insecure: true, ..alice() });
    assert_eq!(insecure.send(get("/v2/")).unwrap().status(), 200);
}

#[test]
fn a_certificate_for_another_name_is_refused() {
    let (folder, authority) = (Folder::new(), Authority::new());
    let tls = Tls { names: vec!["registry.example.com".to_owned()], ..Tls::new(&authority) };
    let registry = TestRegistry::start(Settings { tls: Some(tls), ..Settings::default() });
    assert!(tls_fails(&impatient(&registry.host(), trusting(&folder, &authority))).contains("certificate"));
    assert!(registry.log().is_empty());
    let port = registry.address().port();
    let client = impatient(&format!("registry.example.com:{port}"), trusting(&folder, &authority));
    client.agents.names.learn("registry.example.com", vec!["127.0.0.1".parse().unwrap()]);
    assert_eq!(client.send(get("/v2/")).unwrap().status(), 200);
}

#[test]
fn the_client_shows_its_certificate_to_the_registry_alone() {
    let (folder, authority) = (Folder::new(), Authority::new());
    let registry = registry(&authority, true);
    let trusting = trusting(&folder, &authority);
    tls_fails(&impatient(&registry.host(), trusting.clone()));
    let identity = authority.client(folder.root()).unwrap();
    let known = Access { client_certificate: Some((identity.certificate, identity.key)), ..trusting };
    assert_eq!(impatient(&registry.host(), known.clone()).send(get("/v2/")).unwrap().status(), 200);

    // Behind a redirect, it is another server.
    let there = format!("{}/v2/", registry.url());
    let first = TestRegistry::start(Settings { tls: Some(Tls::new(&authority)), ..Settings::default() });
    first.fault(Fault::new(Action::Redirect(there)));
    tls_fails(&impatient(&first.host(), known));
}

#[test]
fn certificates_that_cannot_be_used_are_told_at_once() {
    let (folder, authority) = (Folder::new(), Authority::new());
    let (one, other) = (folder.path("1"), folder.path("2"));
    std::fs::create_dir(&one).unwrap();
    std::fs::create_dir(&other).unwrap();
    let (identity, stranger) = (authority.client(&one).unwrap(), authority.client(&other).unwrap());
    let garbage = folder.path("garbage.pem");
    std::fs::write(&garbage, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
    let missing = folder.path("missing.pem");
    let ca = |path: &std::path::Path| Access { ca_file: Some(path.to_owned()), ..Access::default() };
    let pair = |certificate: &std::path::Path, key: &std::path::Path| Access {
        client_certificate: Some((certificate.to_owned(), key.to_owned())),
        ..Access::default()
    };
    for access in [
        ca(&missing),
        ca(&garbage),
        ca(&identity.key),
        pair(&identity.certificate, &missing),
        pair(&identity.certificate, &identity.certificate),
        pair(&identity.key, &identity.key),
        pair(&identity.certificate, &stranger.key),
    ] {
        let error = super::super::Client::new("127.0.0.1:1", &access).unwrap_err();
        assert!(matches!(error, Error::Configuration { .. }), "{error}");
        assert_eq!(error.class(), Class::Usage);
    }
}

#[test]
fn this_machine_is_asked_without_tls_first() {
    let server = Server::start(|_, _| answer(200, "", b""));
    let client = client(&server, Access::default());
    assert!(client.send(get("/v2/")).unwrap().asked().starts_with("GET http://127.0.0.1"));
    assert_eq!(server.lines(), ["GET /v2/"]);
    // Any option about TLS asks for TLS.
    let timeout = Some(std::time::Duration::from_millis(200));
    let insecure = super::client(&server, Access { insecure: true, timeout, retries: Some(0), ..Access::default() });
    let error = insecure.send(get("/v2/")).unwrap_err();
    assert!(matches!(&error, Error::Connection { url, .. } if url.starts_with("GET https://127.0.0.1")), "{error}");
}

#[test]
fn this_machine_may_speak_tls() {
    let authority = Authority::new();
    // Go's way: an answer that says so.
    let registry = registry(&authority, false);
    let client = impatient(&registry.host(), alice());
    let error = tls_fails(&client);
    assert!(error.starts_with(&format!("GET https://{}/v2/: TLS: invalid peer certificate", registry.host())), "{error}");
    let again = tls_fails(&client);
    assert_eq!(error, again);
    // Other ways: an alert of TLS, or the end. The server here speaks none after all, so that the first failure is told.
    for refusal in [b"\x15\x03\x01\x00\x02\x02\x16".to_vec(), Vec::new()] {
        let server = Server::start(move |_, _| Answer::Closing(refusal.clone()));
        let timeout = Some(std::time::Duration::from_millis(200));
        let error = super::client(&server, Access { timeout, retries: Some(0), ..Access::default() }).send(get("/v2/")).unwrap_err();
        assert!(error.to_string().starts_with(&format!("GET {}: ", server.url("/v2/"))), "{error}");
    }
}

#[test]
fn another_machine_is_never_asked_without_tls_by_itself() {
    let server = Server::start(|_, _| answer(200, "", b""));
    let timeout = Some(std::time::Duration::from_millis(200));
    let error = from_afar(&server, Access { timeout, retries: Some(0), ..Access::default() }).send(get("/v2/")).unwrap_err();
    assert!(matches!(&error, Error::Connection { url, .. } if url.starts_with("GET https://registry.example.com:")), "{error}");
    assert!(server.lines().is_empty());
    assert!(from_afar(&server, Access { plain_http: true, ..Access::default() }).send(get("/v2/")).is_ok());
}

#[test]
fn nothing_leads_from_tls_to_plain_http_elsewhere() {
    let (folder, authority) = (Folder::new(), Authority::new());
    let registry = TestRegistry::start(Settings { tls: Some(Tls::new(&authority)), ..Settings::default() });
    registry.fault(Fault::new(Action::Redirect("http://example.com/".to_owned())));
    let access = trusting(&folder, &authority);
    let error = impatient(&registry.host(), access.clone()).send(get("/v2/")).unwrap_err();
    assert!(matches!(&error, Error::Unsafe { .. }), "{error}");
    // To this machine nobody can listen.
    let server = Server::start(|_, _| answer(200, "", b"here"));
    registry.clear_faults();
    registry.fault(Fault::new(Action::Redirect(server.url("/"))));
    assert_eq!(impatient(&registry.host(), access).fetch(get("/v2/"), 9).unwrap().1, b"here");
}
