//! What is shown to a registry, or to the server that gives out its tokens.

use std::fmt;

use zeroize::Zeroizing;

/// The user name by which helpers say that the secret is an identity token.
pub(super) const TOKEN_USER: &str = "<token>";
/// Bytes in a secret: far more than any registry gives, and little enough for a header.
pub(super) const MAX_SECRET: usize = 64 << 10;

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
    /// A user name and a password; by the user name `<token>` the password is an identity token, as helpers write it.
    ///
    /// # Errors
    /// What is wrong with them, without the secret.
    pub fn login(username: &str, password: Zeroizing<String>) -> Result<Self, &'static str> {
        if username == TOKEN_USER {
            return Self::identity(password);
        }
        // RFC 7617, 2: the first colon ends the user name, and neither has control characters.
        if username.contains(':') {
            return Err("the user name holds a colon");
        }
        if username.chars().chain(password.chars()).any(char::is_control) {
            return Err("the user name or the password holds a control character");
        }
        if username.len().saturating_add(password.len()) > MAX_SECRET {
            return Err("the user name and the password are longer than 64 KiB");
        }
        Ok(Self::Basic { username: username.to_owned(), password })
    }

    /// An identity token.
    ///
    /// # Errors
    /// It is no token.
    pub fn identity(token: Zeroizing<String>) -> Result<Self, &'static str> {
        is_token(&token).then(|| Self::Identity(token)).ok_or("the identity token is empty, too long or not of visible ASCII characters")
    }

    /// A bearer token.
    ///
    /// # Errors
    /// It is no token.
    pub fn bearer(token: Zeroizing<String>) -> Result<Self, &'static str> {
        is_token(&token).then(|| Self::Registry(token)).ok_or("the bearer token is empty, too long or not of visible ASCII characters")
    }

    /// What kind it is, for messages.
    pub const fn kind(&self) -> &'static str {
        match self {
            Credential::Basic { .. } => "a user name and a password",
            Credential::Identity(_) => "an identity token",
            Credential::Registry(_) => "a bearer token",
        }
    }
}

/// Whether a text can stand in a header.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_SECRET && text.bytes().all(|byte| byte.is_ascii_graphic())
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

    fn secret(text: &str) -> Zeroizing<String> {
        Zeroizing::new(text.to_owned())
    }

    #[test]
    fn debug_shows_no_secret() {
        let basic = Credential::login("alice", secret("hunter2")).unwrap();
        assert!(format!("{basic:?}").contains("alice"));
        for credential in [basic, Credential::Identity(secret("hunter2")), Credential::Registry(secret("hunter2"))] {
            assert!(!format!("{credential:?} {credential:#?}").contains("hunter2"));
        }
    }

    #[test]
    fn what_cannot_be_sent_is_refused() {
        assert_eq!(Credential::login("<token>", secret("abc")), Ok(Credential::Identity(secret("abc"))));
        assert!(Credential::login("", secret("abc:def é")).is_ok());
        for (username, password) in [("a:b", "c"), ("a\r\n", "c"), ("a", "b\r\nX-Header: c"), ("<token>", ""), ("<token>", "a b")] {
            assert!(Credential::login(username, secret(password)).is_err(), "{username:?} {password:?}");
        }
        for token in ["", "a\r\nb", "a b", "é", "\0", &"x".repeat(MAX_SECRET + 1)] {
            assert!(Credential::bearer(secret(token)).is_err() && Credential::identity(secret(token)).is_err(), "{token:?}");
        }
    }
}
