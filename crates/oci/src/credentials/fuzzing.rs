//! What a fuzz target asks of a document with credentials, without files and helpers.

use super::credential::Credential;
use super::document::Document;
use super::server::Server;

/// Every question has an answer or an error, and what is written into a document is read back from it.
///
/// # Panics
/// It is not.
pub fn exercise(bytes: &[u8]) {
    let Ok(document) = Document::parse(bytes) else { return };
    for host in ["localhost:5000", "docker.io"] {
        let server = Server::new(host);
        let _ = document.helper(&server);
        let _ = document.credential(&server, "acme/app");
        let login = Credential::login("alice", "pass".to_owned().into()).ok();
        for credential in [login, None] {
            let written = document.with(&server, credential.as_ref()).unwrap_or_default();
            let again = Document::parse(&written);
            let found = again.as_ref().map(|again| again.credential(&server, ""));
            assert!(matches!(found, Ok(Ok(found)) if found == credential), "{credential:?}");
            assert!(again.is_ok_and(|again| again.has_entry(&server) == credential.is_some()));
        }
    }
}
