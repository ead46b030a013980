//! The external signer protocol, with the example of a signer and with programs that break the protocol.
#![cfg(all(unix, feature = "sign"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use touchmark::envelope::key::KeyAlgorithm;
use touchmark::envelope::sign::{PrivateKey, SignError, Signer as _};
use touchmark::keys::{KeyFileError, ProgramSigner};

const PATIENCE: Duration = Duration::from_secs(60);

/// A folder of the test's own, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("touchmark-signer-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// A program that runs these lines of shell.
    fn program(&self, name: &str, script: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// A program that answers the question for the public key, and requests for signatures with these lines of shell.
    fn signer(&self, key: &PrivateKey, script: &str) -> ProgramSigner {
        let announced = key.public_key().to_pem().replace('\n', "\\\\n");
        let script = format!(
            "read -r request\ncase $request in\n*public-key*) printf '{{\"touchmarkSigner\":1,\"publicKey\":\"{announced}\"}}\\n' ;;\n*)\n{script}\n;;\nesac"
        );
        ProgramSigner::start(self.program("signer", &script).as_os_str(), PATIENCE).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn key(byte: u8) -> PrivateKey {
    PrivateKey::from_raw(KeyAlgorithm::Ed25519, &[byte; 32]).unwrap()
}

fn start_error(program: &Path, timeout: Duration) -> String {
    match ProgramSigner::start(program.as_os_str(), timeout) {
        Err(KeyFileError::Program { reason, .. }) => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_example_signs_with_every_kind_of_key() {
    let folder = Folder::new("example");
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/external-signer/openssl-signer.py").canonicalize().unwrap();
    for algorithm in KeyAlgorithm::SIGNING {
        let secret = [5; 48];
        let key = PrivateKey::from_raw(algorithm, &secret).or_else(|_| PrivateKey::from_raw(algorithm, secret.get(..32).unwrap())).unwrap();
        let path = folder.0.join(algorithm.name());
        fs::write(&path, key.to_pem().as_bytes()).unwrap();
        // A program of the user's own that says which key it is: `exec:` takes no arguments.
        let program = folder.program("wrapper", &format!("SIGNER_KEY='{}' exec '{}'", path.display(), example.display()));
        let signer = ProgramSigner::start(program.as_os_str(), PATIENCE).expect("the example needs python3 and openssl on the PATH");
        assert_eq!(signer.public_key(), key.public_key());
        for message in [b"message".as_slice(), &[0; 100_000]] {
            let signature = signer.sign(message).unwrap();
            assert!(key.public_key().verify(message, &signature).is_ok());
        }
    }
    let program = folder.program("without", &format!("SIGNER_KEY= exec '{}'", example.display()));
    assert_eq!(start_error(&program, PATIENCE), "SIGNER_KEY does not name a key file");
}

#[test]
fn a_signature_by_another_key_is_not_used() {
    let folder = Folder::new("other");
    let other = key(2).sign(b"message").unwrap();
    let encoded = base64(&other);
    let signer = folder.signer(&key(1), &format!("echo '{{\"touchmarkSigner\":1,\"signature\":\"{encoded}\"}}'"));
    assert_eq!(signer.sign(b"message"), Err(SignError::NotBySigner));
    // The right key over another message.
    let encoded = base64(&key(1).sign(b"another").unwrap());
    let signer = folder.signer(&key(1), &format!("echo '{{\"touchmarkSigner\":1,\"signature\":\"{encoded}\"}}'"));
    assert_eq!(signer.sign(b"message"), Err(SignError::NotBySigner));
    assert!(signer.sign(b"another").is_ok());
}

#[test]
fn what_the_signer_says_is_passed_on() {
    let folder = Folder::new("refusal");
    let signer = folder.signer(&key(1), r#"echo '{"touchmarkSigner":1,"error":{"message":"the quota is used up","retryable":true}}'"#);
    match signer.sign(b"message") {
        Err(SignError::Refused { reason, retryable: true }) => assert!(reason.ends_with(": the quota is used up"), "{reason}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn programs_that_break_the_protocol_are_told_apart() {
    let folder = Folder::new("broken");
    let error = |script: &str| start_error(&folder.program("broken", script), PATIENCE);
    assert_eq!(error("exit 3"), "gave no response (exit status: 3)");
    assert!(error("echo hello").starts_with("its response is no JSON: "));
    assert_eq!(error("echo '{}'"), "its response has no `touchmarkSigner` version");
    assert_eq!(error(r#"echo '{"touchmarkSigner":2}'"#), "speaks version 2 of the protocol, not 1");
    assert_eq!(error(r#"echo '{"touchmarkSigner":1}'"#), "its response has no `publicKey`");
    assert!(error(r#"echo '{"touchmarkSigner":1,"publicKey":"x"}'"#).starts_with("its `publicKey` cannot be used: "));
    assert_eq!(error("head -c 100000 /dev/zero"), "its response is longer than 64 KiB");
    assert!(start_error(&folder.0.join("none"), PATIENCE).starts_with("cannot be run: "));
    let private = key(1).to_pem().replace('\n', "\\\\n");
    let shown = error(&format!("printf '{{\"touchmarkSigner\":1,\"publicKey\":\"{private}\"}}\\n'"));
    assert!(shown.contains("this is a private key"), "{shown}");
    let signer = folder.signer(&key(1), r#"echo '{"touchmarkSigner":1,"signature":"*"}'"#);
    assert!(matches!(signer.sign(b"m"), Err(SignError::Refused { reason, .. }) if reason.ends_with("its `signature` is not base64")));
}

#[test]
fn a_program_that_does_not_answer_is_ended() {
    let folder = Folder::new("slow");
    // The pipe is kept open by a child of the program too; neither is waited for.
    let program = folder.program("slow", "sleep 1000 & echo $! > \"$0.pid\"\nwait");
    let begin = Instant::now();
    let reason = start_error(&program, Duration::from_millis(300));
    assert!(reason.starts_with("gave no response within 0.3 seconds"), "{reason}");
    assert!(begin.elapsed() < Duration::from_secs(500));
    let pid = fs::read_to_string(folder.0.join("slow.pid")).unwrap();
    let _ = std::process::Command::new("kill").arg(pid.trim()).status();
}

#[test]
fn a_request_larger_than_a_pipe_holds_goes_through_and_need_not_be_read() {
    let folder = Folder::new("large");
    let message = vec![b'x'; 3 << 20];
    let encoded = base64(&key(1).sign(&message).unwrap());
    // It has read the first line's beginning only, and answers.
    let program = folder.program(
        "unread",
        &format!(
            "printf '%s\\n' '{{\"touchmarkSigner\":1,\"signature\":\"{encoded}\",\"publicKey\":\"{}\"}}'",
            key(1).public_key().to_pem().replace('\n', "\\n")
        ),
    );
    let signer = ProgramSigner::start(program.as_os_str(), PATIENCE).unwrap();
    assert!(signer.sign(&message).is_ok());
}

#[test]
fn the_passphrase_of_other_keys_is_not_given_to_the_program() {
    let folder = Folder::new("passphrase");
    let announced = key(1).public_key().to_pem().replace('\n', "\\\\n");
    let script =
        format!("test -z \"$TOUCHMARK_PASSPHRASE\" || exit 1\nprintf '{{\"touchmarkSigner\":1,\"publicKey\":\"{announced}\"}}\\n'");
    let program = folder.program("program", &script);
    // In a process of its own, since the environment is shared by all tests.
    let inner = "TOUCHMARK_TEST_PROGRAM";
    if let Some(program) = std::env::var_os(inner) {
        ProgramSigner::start(&program, PATIENCE).unwrap();
        return;
    }
    let status = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "the_passphrase_of_other_keys_is_not_given_to_the_program"])
        .env(inner, &program)
        .env("TOUCHMARK_PASSPHRASE", "secret")
        .status();
    assert!(status.unwrap().success());
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
