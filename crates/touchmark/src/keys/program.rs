//! Signing by an external program (SPEC.md, section 8): one JSON line in, one JSON line out.

use std::ffi::{OsStr, OsString};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use touchmark_envelope::digest;
use touchmark_envelope::json::{self, Value};
use touchmark_envelope::key::{KeyAlgorithm, PublicKey};
use touchmark_envelope::sign::{SignError, Signer};

use super::{KeyFileError, PASSPHRASE_VARIABLE};

/// The version of the protocol, in each request and each response.
pub const PROTOCOL: u64 = 1;

/// How long a program may take for one response: a person may have to touch a device.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);

/// The member that tells the protocol and its version.
const VERSION: &str = "touchmarkSigner";

/// Bytes in a response line.
const MAX_RESPONSE: usize = 64 * 1024;

/// A key that a program signs with. The program is run anew for each request, without a shell and without arguments.
#[derive(Debug)]
pub struct ProgramSigner {
    program: Program,
    key: PublicKey,
}

/// How a program is run.
#[derive(Debug)]
struct Program {
    path: OsString,
    timeout: Duration,
    /// Environment variables that it does not get, besides the passphrase's: they hold other signers' keys.
    hidden: Vec<String>,
}

impl ProgramSigner {
    /// Asks the program for its public key.
    ///
    /// # Errors
    /// The program cannot be run, does not answer in time, or answers with something else than a public key.
    pub fn start(program: &OsStr, timeout: Duration) -> Result<Self, KeyFileError> {
        Self::start_without(program, timeout, &[])
    }

    /// As [`start`](Self::start); the program never gets the environment variables `hidden`, which hold the keys of others.
    ///
    /// # Errors
    /// The same.
    pub fn start_without(program: &OsStr, timeout: Duration, hidden: &[String]) -> Result<Self, KeyFileError> {
        let failed = |failure: Failure| KeyFileError::Program { program: program.display().to_string(), reason: failure.reason };
        let request = Value::object([(VERSION, Value::from(PROTOCOL)), ("request", Value::from("public-key"))]);
        let asked = Program { path: program.to_owned(), timeout, hidden: hidden.to_vec() };
        let response = asked.ask(&request).map_err(failed)?;
        let text = member(&response, "publicKey").map_err(failed)?;
        let key = PublicKey::from_pem(text.as_bytes())
            .map_err(|error| failed(Failure::new(format!("its `publicKey` cannot be used: {error}"))))?;
        Ok(Self { program: asked, key })
    }

    fn request(&self, message: &[u8]) -> Value<'static> {
        // Services that sign a hash get it made; Ed25519 signs the message itself.
        let hash = match self.key.algorithm() {
            KeyAlgorithm::EcdsaP256 => Some(digest::Algorithm::Sha256.digest(message).as_bytes().to_vec()),
            KeyAlgorithm::EcdsaP384 => Some(sha384(message)),
            _ => None,
        };
        let members = [
            (VERSION, Value::from(PROTOCOL)),
            ("request", Value::from("sign")),
            ("algorithm", Value::from(self.key.algorithm().name())),
            ("publicKey", Value::from(self.key.to_pem())),
        ];
        let message = ("message", Value::from(STANDARD.encode(message)));
        let hash = hash.map(|hash| ("digest", Value::from(STANDARD.encode(hash))));
        Value::object(members.into_iter().chain([message]).chain(hash))
    }
}

impl Signer for ProgramSigner {
    fn public_key(&self) -> &PublicKey {
        &self.key
    }

    /// The signature is checked against the announced key before it is returned.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let refused = |failure: Failure| SignError::Refused {
            reason: format!("exec:{}: {}", self.program.path.display(), failure.reason),
            retryable: failure.retryable,
        };
        let response = self.program.ask(&self.request(message)).map_err(refused)?;
        let text = member(&response, "signature").map_err(refused)?;
        let signature = STANDARD.decode(text).map_err(|_| refused(Failure::new("its `signature` is not base64")))?;
        let _valid = self.key.verify(message, &signature).map_err(|_| SignError::NotBySigner)?;
        Ok(signature)
    }
}

/// Why there is no response.
struct Failure {
    reason: String,
    retryable: bool,
}

impl Failure {
    fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), retryable: false }
    }
}

impl Program {
    /// Runs the program for one request.
    fn ask(&self, request: &Value<'_>) -> Result<Value<'static>, Failure> {
        let deadline = Instant::now() + self.timeout;
        let mut command = Command::new(&self.path);
        // Its standard error is the user's: it may ask for a touch or say what is wrong.
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).env_remove(PASSPHRASE_VARIABLE);
        for variable in &self.hidden {
            command.env_remove(variable);
        }
        let mut child = command.spawn().map_err(|error| Failure::new(format!("cannot be run: {error}")))?;
        let line = exchange(&mut child, self.timeout, request);
        match line {
            Ok(Some(line)) => {
                // It has said all that is asked of it; it is reaped when it ends, and not waited for.
                thread::spawn(move || child.wait());
                read_response(&line)
            }
            Ok(None) => Err(Failure::new(format!("gave no response ({})", ending(&mut child, deadline)))),
            Err(failure) => {
                let _ = child.kill();
                let _ = child.wait();
                Err(failure)
            }
        }
    }
}

/// Writes the request and reads a line; `None` if the output ends without one. The reading and the writing have threads of their
/// own, so that a program that does neither is not waited for longer than `timeout`.
fn exchange(child: &mut Child, timeout: Duration, request: &Value<'_>) -> Result<Option<Vec<u8>>, Failure> {
    let (Some(mut stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(Failure::new("has no standard input and output"));
    };
    let mut line = request.to_vec();
    line.push(b'\n');
    // A program that answers without reading all of the request closes the pipe: that is its own affair.
    thread::spawn(move || stdin.write_all(&line));
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut line = Vec::new();
        let limit = u64::try_from(MAX_RESPONSE).unwrap_or(u64::MAX);
        let read = BufReader::new(stdout.take(limit)).read_until(b'\n', &mut line);
        sender.send(read.map(|_| line))
    });
    match receiver.recv_timeout(timeout) {
        Ok(Ok(line)) if line.is_empty() => Ok(None),
        Ok(Ok(line)) if line.len() >= MAX_RESPONSE => Err(Failure::new("its response is longer than 64 KiB")),
        Ok(Ok(line)) => Ok(Some(line)),
        Ok(Err(error)) => Err(Failure::new(format!("its response cannot be read: {error}"))),
        Err(RecvTimeoutError::Timeout) => {
            Err(Failure { reason: format!("gave no response within {} seconds", timeout.as_secs_f32()), retryable: true })
        }
        Err(RecvTimeoutError::Disconnected) => Err(Failure::new("its response cannot be read")),
    }
}

/// How a program ended that closed its output: looked for until `deadline`, since the standard library cannot wait for less than
/// ever.
fn ending(child: &mut Child, deadline: Instant) -> String {
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return status.to_string(),
            Ok(None) if Instant::now() < deadline => thread::sleep(Duration::from_millis(5)),
            _ => {
                let _ = child.kill();
                let _ = child.wait();
                return "still running".to_owned();
            }
        }
    }
}

fn read_response(line: &[u8]) -> Result<Value<'static>, Failure> {
    let response =
        json::parse(line.trim_ascii(), MAX_RESPONSE).map_err(|error| Failure::new(format!("its response is no JSON: {error}")))?;
    match response.get(VERSION).and_then(Value::as_u64) {
        Some(PROTOCOL) => {}
        Some(other) => return Err(Failure::new(format!("speaks version {other} of the protocol, not {PROTOCOL}"))),
        None => return Err(Failure::new(format!("its response has no `{VERSION}` version"))),
    }
    if let Some(error) = response.get("error") {
        let message = error.get("message").and_then(Value::as_str).unwrap_or("says no reason");
        let retryable = error.get("retryable").and_then(Value::as_bool).unwrap_or(false);
        return Err(Failure { reason: message.escape_debug().to_string(), retryable });
    }
    Ok(response.into_owned())
}

fn member<'a>(response: &'a Value<'_>, name: &str) -> Result<&'a str, Failure> {
    response.get(name).and_then(Value::as_str).ok_or_else(|| Failure::new(format!("its response has no `{name}`")))
}

fn sha384(message: &[u8]) -> Vec<u8> {
    use sha2::Digest as _;
    sha2::Sha384::digest(message).to_vec()
}
