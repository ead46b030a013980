//! Where passphrases come from: a file, the environment, a terminal, in this order.

use std::io::{IsTerminal as _, Read as _};
use std::path::PathBuf;

use touchmark_envelope::key::KeyError;
use zeroize::Zeroizing;

use super::{KeyFileError, source};

/// The environment variable that a passphrase is taken from.
pub const PASSPHRASE_VARIABLE: &str = "TOUCHMARK_PASSPHRASE";

/// Asks a person: the question in, the answer out.
type Ask<'a> = Box<dyn FnMut(&str) -> std::io::Result<Zeroizing<String>> + 'a>;

/// `--passphrase-file`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PassphraseFile {
    /// `-`: standard input.
    StandardInput,
    /// A file.
    File(PathBuf),
}

/// The passphrases of private keys. One from a file or the environment is used for every key; a person is asked for each.
pub struct Passphrases<'a> {
    file: Option<PassphraseFile>,
    environment: bool,
    ask: Option<Ask<'a>>,
    // What was read from standard input, which cannot be read twice.
    read: Option<Zeroizing<Vec<u8>>>,
}

impl Passphrases<'_> {
    /// No passphrase at all.
    pub fn none() -> Self {
        Self { file: None, environment: false, ask: None, read: None }
    }

    /// From [`PASSPHRASE_VARIABLE`], else from the terminal, if standard input and standard error both are one.
    pub fn from_surroundings() -> Self {
        let terminal = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
        let ask: Option<Ask<'_>> =
            terminal.then(|| -> Ask<'_> { Box::new(|question| rpassword::prompt_password(question).map(Zeroizing::new)) });
        Self { file: None, environment: true, ask, read: None }
    }
}

impl<'a> Passphrases<'a> {
    /// From this file before anywhere else.
    #[must_use]
    pub fn file(mut self, file: PassphraseFile) -> Self {
        self.file = Some(file);
        self
    }

    /// Asks by `ask` in place of a terminal.
    #[must_use]
    pub fn ask_by(mut self, ask: impl FnMut(&str) -> std::io::Result<Zeroizing<String>> + 'a) -> Self {
        self.ask = Some(Box::new(ask));
        self
    }

    /// Whether standard input is to be read for a passphrase.
    pub fn reads_standard_input(&self) -> bool {
        self.file == Some(PassphraseFile::StandardInput)
    }

    /// The passphrase of the key that is read from `key`.
    ///
    /// # Errors
    /// [`KeyError::PassphraseNeeded`] if there is none, or that it cannot be read.
    pub fn to_open(&mut self, key: &str) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
        match self.given()? {
            Some(passphrase) => Ok(passphrase),
            None => self.ask(key, &format!("Passphrase of {key}: ")),
        }
    }

    /// The passphrase for a new key that will be kept in `key`; a person types it twice.
    ///
    /// # Errors
    /// As for [`to_open`](Self::to_open), [`KeyError::EmptyPassphrase`], or that the two differ.
    pub fn for_new_key(&mut self, key: &str) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
        let passphrase = match self.given()? {
            Some(passphrase) => passphrase,
            None => {
                let first = self.ask(key, &format!("New passphrase of {key}: "))?;
                if !first.is_empty() && first != self.ask(key, "The same again: ")? {
                    return Err(KeyFileError::PassphrasesDiffer);
                }
                first
            }
        };
        if passphrase.is_empty() {
            return Err(KeyFileError::Key { from: key.to_owned(), error: KeyError::EmptyPassphrase });
        }
        Ok(passphrase)
    }

    fn given(&mut self) -> Result<Option<Zeroizing<Vec<u8>>>, KeyFileError> {
        if let Some(read) = &self.read {
            return Ok(Some(read.clone()));
        }
        if let Some(file) = &self.file {
            let passphrase = read_passphrase(file)?;
            self.read = Some(passphrase.clone());
            return Ok(Some(passphrase));
        }
        let variable = if self.environment { std::env::var_os(PASSPHRASE_VARIABLE) } else { None };
        Ok(variable.map(|value| Zeroizing::new(value.into_encoded_bytes())))
    }

    fn ask(&mut self, key: &str, question: &str) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
        let Some(ask) = &mut self.ask else {
            return Err(KeyFileError::Key { from: key.to_owned(), error: KeyError::PassphraseNeeded });
        };
        let answer = ask(question).map_err(|error| KeyFileError::Read { from: "the terminal".to_owned(), error })?;
        Ok(Zeroizing::new(answer.as_bytes().to_vec()))
    }
}

/// The first line of a file, without its end.
fn read_passphrase(file: &PassphraseFile) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
    let (from, read) = match file {
        PassphraseFile::StandardInput => ("standard input".to_owned(), source::limited(std::io::stdin().lock())),
        PassphraseFile::File(path) => {
            let read = std::fs::File::open(path).and_then(|file| source::limited(file.take(u64::MAX)));
            (path.display().to_string(), read)
        }
    };
    let mut passphrase = read.map_err(|error| KeyFileError::Read { from, error })?;
    if let Some(end) = passphrase.iter().position(|byte| *byte == b'\n') {
        passphrase.truncate(end);
        if passphrase.last() == Some(&b'\r') {
            passphrase.pop();
        }
    }
    Ok(passphrase)
}

impl std::fmt::Debug for Passphrases<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Passphrases").field("file", &self.file).field("asks", &self.ask.is_some()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers<'a>(answers: &'a [&'a str]) -> Passphrases<'a> {
        let mut answers = answers.iter();
        Passphrases::none().ask_by(move |_| Ok(Zeroizing::new((*answers.next().expect("one question too many")).to_owned())))
    }

    #[test]
    fn a_person_is_asked_for_each_key_and_twice_for_a_new_one() {
        let mut passphrases = answers(&["one", "two", "new", "new", "this", "that", ""]);
        assert_eq!(*passphrases.to_open("a").unwrap(), b"one");
        assert_eq!(*passphrases.to_open("b").unwrap(), b"two");
        assert_eq!(*passphrases.for_new_key("c").unwrap(), b"new");
        assert!(matches!(passphrases.for_new_key("d"), Err(KeyFileError::PassphrasesDiffer)));
        assert!(matches!(passphrases.for_new_key("e"), Err(KeyFileError::Key { error: KeyError::EmptyPassphrase, .. })));
    }

    #[test]
    fn without_a_source_one_is_needed() {
        let refused = Passphrases::none().to_open("a");
        assert!(matches!(refused, Err(KeyFileError::Key { from, error: KeyError::PassphraseNeeded }) if from == "a"));
    }

    #[test]
    fn a_file_comes_first_and_its_first_line_counts() {
        let path = std::env::temp_dir().join(format!("touchmark-passphrase-{}", std::process::id()));
        for (content, passphrase) in
            [("secret", "secret"), ("secret\n", "secret"), ("secret\r\n", "secret"), ("se cret \n\nmore\n", "se cret ")]
        {
            std::fs::write(&path, content).unwrap();
            let mut passphrases = answers(&[]).file(PassphraseFile::File(path.clone()));
            assert_eq!(*passphrases.to_open("a").unwrap(), passphrase.as_bytes());
        }
        std::fs::write(&path, "\n").unwrap();
        let mut passphrases = answers(&[]).file(PassphraseFile::File(path.clone()));
        assert!(matches!(passphrases.for_new_key("a"), Err(KeyFileError::Key { error: KeyError::EmptyPassphrase, .. })));
        std::fs::remove_file(&path).unwrap();
        let mut passphrases = answers(&[]).file(PassphraseFile::File(path));
        assert!(matches!(passphrases.to_open("a"), Err(KeyFileError::Read { .. })));
    }
}
