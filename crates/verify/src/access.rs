//! The options that say how registries are reached; every command that takes a REF has them.

use std::io::Read;
use std::path::PathBuf;
use std::time::Duration;

use touchmark::Reference;
use touchmark::oci::access::{Access, Login};

use crate::exit::Exit;
use crate::output::Failure;

/// At most this many bytes of a password are read.
const MAX_PASSWORD: u64 = 64 << 10;

/// How registries are to be reached, as the command line says it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccessOptions {
    /// Of which registries this is said.
    pub side: Side,
    /// `--plain-http`: HTTP without TLS.
    pub plain_http: bool,
    /// `--insecure`: TLS without checking the certificate.
    pub insecure: bool,
    /// `--ca-file`: authorities that are trusted besides the system's.
    pub ca_file: Option<PathBuf>,
    /// `--cert-file`: the client's certificate.
    pub cert_file: Option<PathBuf>,
    /// `--key-file`: its private key.
    pub key_file: Option<PathBuf>,
    /// `--registry-config`: the file with credentials, in place of those that are looked for.
    pub registry_config: Option<PathBuf>,
    /// `--username`.
    pub username: Option<String>,
    /// `--password-stdin`.
    pub password_stdin: bool,
    /// `--timeout`.
    pub timeout: Option<Duration>,
    /// `--retries`.
    pub retries: Option<u32>,
}

/// Which registries an option is about. `copy` has each option three times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Side {
    /// All: `--plain-http`.
    #[default]
    All,
    /// Those that are read: `--from-plain-http`.
    From,
    /// The one that is written: `--to-plain-http`.
    To,
}

impl Side {
    /// What the options of this side have after their two dashes.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::All => "",
            Self::From => "from-",
            Self::To => "to-",
        }
    }
}

impl AccessOptions {
    /// Checks what concerns several of these options together.
    ///
    /// # Errors
    /// Says which options contradict each other, or what is missing.
    pub fn check(&self) -> Result<(), String> {
        let side = self.side.prefix();
        match (&self.username, self.password_stdin) {
            (Some(_), false) => {
                return Err(format!("--{side}username needs --{side}password-stdin: passwords are read from standard input alone"));
            }
            (None, true) => return Err(format!("--{side}password-stdin needs --{side}username")),
            _ => {}
        }
        if self.cert_file.is_some() != self.key_file.is_some() {
            return Err(format!("--{side}cert-file and --{side}key-file need each other"));
        }
        let tls = [("insecure", self.insecure), ("ca-file", self.ca_file.is_some()), ("cert-file", self.cert_file.is_some())];
        match tls.iter().find(|(_, given)| *given && self.plain_http) {
            Some((name, _)) => Err(format!("--{side}plain-http is without TLS, and --{side}{name} is about TLS")),
            None => Ok(()),
        }
    }

    /// The options that mean something else for another registry, as far as they were given.
    pub fn of_one_registry(&self) -> Vec<String> {
        let given = [
            ("plain-http", self.plain_http),
            ("insecure", self.insecure),
            ("ca-file", self.ca_file.is_some()),
            ("cert-file", self.cert_file.is_some()),
            ("registry-config", self.registry_config.is_some()),
            ("username", self.username.is_some()),
        ];
        given.iter().filter(|(_, given)| *given).map(|(name, _)| format!("--{}{name}", self.side.prefix())).collect()
    }

    /// Refuses to send one user's password to several registries.
    ///
    /// # Errors
    /// Exit 2: `--username`, and `references` are in registries of several hosts.
    pub fn check_hosts<'r>(&self, references: impl IntoIterator<Item = &'r Reference>) -> Result<(), Failure> {
        match (&self.username, hosts(references).as_slice()) {
            (Some(_), [one, other, ..]) => {
                let message = format!("--{}username is for one registry, and both {one} and {other} are named", self.side.prefix());
                Err(Failure::usage(message).hint("one command for each, or `touchmark login` to each"))
            }
            _ => Ok(()),
        }
    }

    /// What the library needs to know. The password is read from standard input here.
    ///
    /// # Errors
    /// Exit 2: as [`check`](Self::check), or there is no password on standard input.
    pub fn access(&self) -> Result<Access, Failure> {
        self.check().map_err(Failure::usage)?;
        let password = self.password_stdin.then(|| password(&mut std::io::stdin().lock())).transpose()?;
        self.access_with(password.as_deref())
    }

    /// As [`access`](Self::access), with a password that was read before.
    ///
    /// # Errors
    /// Exit 2: as [`check`](Self::check).
    pub fn access_with(&self, password: Option<&str>) -> Result<Access, Failure> {
        self.check().map_err(Failure::usage)?;
        let login = self.username.as_ref().zip(password);
        Ok(Access {
            plain_http: self.plain_http,
            insecure: self.insecure,
            ca_file: self.ca_file.clone(),
            client_certificate: self.cert_file.clone().zip(self.key_file.clone()),
            registry_config: self.registry_config.clone(),
            login: login.map(|(username, password)| Login { username: username.clone(), password: password.to_owned() }),
            timeout: self.timeout,
            retries: self.retries,
            ..Access::default()
        })
    }
}

/// The hosts of registries among `references`, each once.
pub fn hosts<'r>(references: impl IntoIterator<Item = &'r Reference>) -> Vec<String> {
    let mut hosts: Vec<String> = Vec::new();
    for repository in references.into_iter().filter_map(Reference::repository) {
        if !hosts.iter().any(|known| known == repository.host()) {
            hosts.push(repository.host().to_owned());
        }
    }
    hosts
}

/// Reads a password: all that there is, without the line end after it.
///
/// # Errors
/// Exit 2: there is none, more than one line, or no text.
pub fn password(from: &mut dyn Read) -> Result<String, Failure> {
    let unreadable = |reason: String| Failure::new(Exit::Usage, "unreadable", format!("--password-stdin: {reason}"));
    let mut text = String::new();
    let read = from.take(MAX_PASSWORD.saturating_add(1)).read_to_string(&mut text);
    read.map_err(|error| unreadable(error.to_string()))?;
    let password = text.strip_suffix('\n').unwrap_or(&text);
    let password = password.strip_suffix('\r').unwrap_or(password);
    if password.is_empty() {
        return Err(unreadable("standard input is empty".to_owned()).hint("touchmark … --username NAME --password-stdin < FILE"));
    }
    if u64::try_from(password.len()).unwrap_or(u64::MAX) > MAX_PASSWORD || password.contains(['\n', '\r', '\0']) {
        return Err(unreadable("standard input holds more than a password".to_owned()));
    }
    Ok(password.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_that_do_not_go_together_are_refused() {
        let given = |change: fn(&mut AccessOptions)| {
            let mut options = AccessOptions { side: Side::From, ..AccessOptions::default() };
            change(&mut options);
            options.check()
        };
        assert_eq!(given(|_| {}), Ok(()));
        assert_eq!(given(|o| (o.username, o.password_stdin) = (Some("u".into()), true)), Ok(()));
        assert_eq!(given(|o| (o.cert_file, o.key_file) = (Some("c".into()), Some("k".into()))), Ok(()));
        let wrong: [fn(&mut AccessOptions); 6] = [
            |o| o.username = Some("u".into()),
            |o| o.password_stdin = true,
            |o| o.cert_file = Some("c".into()),
            |o| o.key_file = Some("k".into()),
            |o| (o.plain_http, o.insecure) = (true, true),
            |o| (o.plain_http, o.ca_file) = (true, Some("c".into())),
        ];
        for change in wrong {
            assert!(given(change).unwrap_err().contains("--from-"));
        }
    }

    #[test]
    fn one_password_is_for_one_registry() {
        let references = |texts: &[&str]| texts.iter().map(|text| text.parse::<Reference>().unwrap()).collect::<Vec<_>>();
        let options = AccessOptions { username: Some("u".into()), password_stdin: true, ..AccessOptions::default() };
        assert!(options.check_hosts(&references(&["oci:a", "a.io/x", "A.io/y:1"])).is_ok());
        assert!(options.check_hosts(&references(&["a.io/x", "a.io:5000/x"])).is_err());
        assert!(AccessOptions::default().check_hosts(&references(&["a.io/x", "b.io/x"])).is_ok());
    }

    #[test]
    fn passwords_end_with_their_line() {
        let read = |bytes: &[u8]| password(&mut { bytes }).map_err(|failure| failure.code);
        assert_eq!(read(b"p w"), Ok("p w".to_owned()));
        assert_eq!(read(b"pw\n"), Ok("pw".to_owned()));
        assert_eq!(read(b" pw \r\n"), Ok(" pw ".to_owned()));
        for bad in [&b""[..], b"\n", b"\r\n", b"a\nb", b"a\n\n", b"\xff", &vec![b'x'; 65 << 10]] {
            assert_eq!(read(bad), Err("unreadable".to_owned()), "{bad:?}");
        }
    }
}
