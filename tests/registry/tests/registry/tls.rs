//! TLS with an authority of the test's own.

use std::io;
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use touchmark_test_registry::{Authority, Identity, Settings, TestRegistry, Tls};

use crate::client::{Client, Stream};

/// A client that trusts this authority alone.
pub fn client(host: &str, authority: &Authority, identity: Option<&Identity>) -> io::Result<Client> {
    let stream = TcpStream::connect(host).unwrap();
    let name = host.rsplit_once(':').unwrap().0;
    handshake(stream, name, host, config(authority, identity))
}

/// A client that speaks TLS over another's connection.
pub fn client_over(plain: Client, name: &str, authority: &Authority) -> io::Result<Client> {
    handshake(plain.into_stream(), name, name, config(authority, None))
}

fn handshake(mut stream: impl Stream + 'static, name: &str, host: &str, config: ClientConfig) -> io::Result<Client> {
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut connection = ClientConnection::new(Arc::new(config), name).unwrap();
    while connection.is_handshaking() {
        connection.complete_io(&mut stream)?;
    }
    Ok(Client::over(StreamOwned::new(connection, stream), host))
}

fn config(authority: &Authority, identity: Option<&Identity>) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap().with_root_certificates(roots);
    match identity {
        None => builder.with_no_client_auth(),
        Some(identity) => builder
            .with_client_auth_cert(
                vec![CertificateDer::from_pem_file(&identity.certificate).unwrap()],
                PrivateKeyDer::from_pem_file(&identity.key).unwrap(),
            )
            .unwrap(),
    }
}

fn folder(name: &str) -> std::path::PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("test-registry").join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn a_client_that_trusts_the_authority_is_served() {
    let authority = Authority::new();
    let registry = TestRegistry::start(Settings { tls: Some(Tls::new(&authority)), ..Settings::default() });
    assert!(registry.url().starts_with("https://"));
    let mut first = client(&registry.host(), &authority, None).unwrap();
    first.get("/v2/").is(200);
    first.push_blob("acme/app", &vec![7; 3 << 20]).is(201);
    assert_eq!(registry.log().iter().map(|logged| logged.connection).max(), Some(1), "the connection was kept");
    assert!(client(&registry.host(), &Authority::new(), None).is_err(), "another authority");
}

#[test]
fn plain_http_is_answered_as_go_does() {
    let registry = TestRegistry::start(Settings { tls: Some(Tls::new(&Authority::new())), ..Settings::default() });
    let answer = Client::new(&registry.host()).get("/v2/").is(400);
    assert!(answer.text().contains("Client sent an HTTP request to an HTTPS server."));
}

#[test]
fn a_certificate_that_expired_or_is_of_another_name_is_refused_by_a_client_that_looks() {
    let authority = Authority::new();
    let tls = Tls::new(&authority);
    for tls in [Tls { expired: true, ..tls.clone() }, Tls { names: vec!["registry.example.com".to_owned()], ..tls }] {
        let registry = TestRegistry::start(Settings { tls: Some(tls), ..Settings::default() });
        assert!(client(&registry.host(), &authority, None).is_err());
    }
}

#[test]
fn client_certificates_are_asked_for() {
    let authority = Authority::new();
    let tls = Tls { client_certificates: true, ..Tls::new(&authority) };
    let registry = TestRegistry::start(Settings { tls: Some(tls), ..Settings::default() });
    let folder = folder("client_certificates");
    let identity = authority.client(&folder).unwrap();
    client(&registry.host(), &authority, Some(&identity)).unwrap().get("/v2/").is(200);
    // In TLS 1.3 the refusal comes after the client's handshake.
    let refused = client(&registry.host(), &authority, None).and_then(|mut client| client.try_send("GET", "/v2/", &[], b""));
    assert!(refused.is_err(), "{refused:?}");
    let stranger = Authority::new().client(&folder).unwrap();
    let refused = client(&registry.host(), &authority, Some(&stranger)).and_then(|mut client| client.try_send("GET", "/v2/", &[], b""));
    assert!(refused.is_err(), "{refused:?}");
}
