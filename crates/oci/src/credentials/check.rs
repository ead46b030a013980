//! Whether a registry accepts credentials.

use super::credential::{Credential, TOKEN_USER};
use crate::access::{Access, Login};
use crate::error::Error;
use crate::transport::{Body, Client, Method, Repeat, Request, Target};

/// Whether a registry looked at credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// It asked for them, and accepted them.
    Yes,
    /// It asked for none.
    No,
}

/// Asks the registry at `host` whether it accepts the credential (OCI distribution spec, "Determining Support": `GET /v2/`).
///
/// # Errors
/// [`Error::Status`] with 401 or 403: it does not. Or it cannot be asked, or is no registry.
pub fn check(host: &str, credential: &Credential, access: &Access) -> Result<Asked, Error> {
    let (username, password) = match credential {
        Credential::Basic { username, password } => (username.as_str(), password),
        Credential::Identity(token) => (TOKEN_USER, token),
        Credential::Registry(_) => {
            return Err(Error::Configuration { what: host.to_owned(), reason: "a bearer token cannot be checked".to_owned() });
        }
    };
    let login = Login { username: username.to_owned(), password: password.to_string() };
    let client = Client::new(host, &Access { login: Some(login), ..access.clone() })?;
    let request =
        Request { method: Method::Get, target: Target::Path("/v2/"), scope: "", headers: &[], body: Body::Empty, repeat: Repeat::Retry };
    let response = client.send(request)?;
    match response.status() {
        200..=299 if client.was_challenged() => Ok(Asked::Yes),
        200..=299 => Ok(Asked::No),
        _ => Err(response.into_error()),
    }
}
