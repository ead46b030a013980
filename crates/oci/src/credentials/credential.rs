//! What is shown to a registry, or to the server that gives out its tokens.

use std::fmt;

use zeroize::Zeroizing;

/// What proves to one registry who asks. It is wiped from memory when dropped, and Debug shows no secret.
#[derive(Clone, PartialEq, Eq)]
pub enum Credential {
    /// A user name and a password (RFC 7617).
    Basic {
        /// The user name, which holds no colon.
        username: String,
        /// The password.
        password: Zeroizing<String>,
    },
    /// A refresh token, which the registry's token server changes for a bearer token (distribution's token authentication by OAuth 2).
    Identity(Zeroizing<String>),
    /// A bearer token, which the registry takes as it is (RFC 6750).
    Registry(Zeroizing<String>),
}

impl Credential {
    /// What kind it is, for messages.
    pub const fn kind(&self) -> &'static str {
        match self {
            Credential::Basic { .. } => "a user name and a password",
            Credential::Identity(_) => "an identity token",
            Credential::Registry(_) => "a bearer token",
        }
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Credential::Basic { username, .. } => f.debug_struct("Basic").field("username", username).finish_non_exhaustive(),
            Credential::Identity(_) => f.debug_tuple("Identity").finish_non_exhaustive(),
            Credential::Registry(_) => f.debug_tuple("Registry").finish_non_exhaustive(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_secret() {
        let secret = || Zeroizing::new("hunter2".to_owned());
        let basic = Credential::Basic { username: "alice".to_owned(), password: secret() };
        assert!(format!("{basic:?}").contains("alice"));
        for credential in [basic, Credential::Identity(secret()), Credential::Registry(secret())] {
            assert!(!format!("{credential:?} {credential:#?}").contains("hunter2"));
        }
    }
}
