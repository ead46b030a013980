//! A folder of its own for each test, in which it runs the real binaries.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use serde_json::Value;
use touchmark_test_registry::{Settings, TestRegistry};

/// A folder that is removed with the test. Commands run in it, so that tests name files without a path.
pub struct Place {
    root: PathBuf,
    /// Registries that run as long as this.
    registries: Mutex<Vec<Arc<TestRegistry>>>,
}

/// What a process left behind.
#[derive(Debug)]
pub struct Ran {
    #[allow(dead_code, reason = "what failed, as Debug shows it")]
    pub line: String,
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// What both verifiers said of the same arguments.
#[derive(Debug)]
pub struct Verdict {
    pub code: i32,
    /// Standard output in text form.
    pub stdout: String,
    pub stderr: String,
    /// The document of `--format json`.
    pub json: Value,
}

impl Place {
    pub fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let root = fast_folder().join(format!("touchmark-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&root).unwrap();
        Self { root, registries: Mutex::default() }
    }

    /// A registry that runs until the test ends.
    pub fn registry(&self, settings: Settings) -> Arc<TestRegistry> {
        let registry = Arc::new(TestRegistry::start(settings));
        self.registries.lock().unwrap().push(Arc::clone(&registry));
        registry
    }

    /// Stops all of them.
    pub fn stop_registries(&self) {
        self.registries.lock().unwrap().clear();
    }

    pub fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// Writes a file, with the folders above it.
    pub fn file(&self, relative: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(relative);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    /// Writes a program. Another process does it: what this one has open for writing, be it in a child of another thread that is about
    /// to begin, cannot be run.
    #[cfg(unix)]
    pub fn program(&self, relative: &str, script: &str) -> PathBuf {
        let path = self.path(relative);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut writer = Command::new("sh");
        writer.args(["-c", r#"cat >"$0" && chmod 755 "$0""#]).arg(&path);
        assert!(with_input(writer, script.as_bytes()).status.success());
        path
    }

    pub fn read(&self, relative: &str) -> Vec<u8> {
        std::fs::read(self.path(relative)).unwrap_or_else(|error| panic!("{relative}: {error}"))
    }

    /// The command `touchmark` in this folder, with an environment of its own.
    pub fn touchmark(&self, line: &str) -> Command {
        self.command(Path::new(env!("CARGO_BIN_EXE_touchmark")), line)
    }

    /// A program in this folder, with an environment of its own.
    pub fn command(&self, program: &Path, line: &str) -> Command {
        let mut command = Command::new(program);
        command.args(line.split_whitespace()).current_dir(&self.root).stdin(Stdio::null());
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            let of_registries = ["DOCKER_", "REGISTRY_", "SSL_CERT_", "XDG_RUNTIME_DIR"].iter().any(|prefix| name.starts_with(prefix));
            if name.starts_with("TOUCHMARK_") || of_registries || name.to_ascii_lowercase().ends_with("_proxy") {
                command.env_remove(name.as_ref());
            }
        }
        // What says where credentials, certificates and proxies are.
        for name in [
            "XDG_DATA_HOME",
            "DOCKER_AUTH_CONFIG",
            "DOCKER_CONFIG",
            "REGISTRY_AUTH_FILE",
            "XDG_RUNTIME_DIR",
            "SSL_CERT_FILE",
            "SSL_CERT_DIR",
        ] {
            command.env_remove(name);
        }
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"] {
            command.env_remove(name).env_remove(name.to_ascii_lowercase());
        }
        command.env("HOME", &self.root).env("USERPROFILE", &self.root).env("XDG_CONFIG_HOME", self.root.join(".config"));
        command
    }

    /// Runs `touchmark` with these words.
    pub fn run(&self, line: &str) -> Ran {
        Ran::of(line, self.touchmark(line).output().unwrap())
    }

    /// Runs `touchmark` with these words and gives it `input`.
    pub fn run_with_input(&self, line: &str, input: &[u8]) -> Ran {
        Ran::of(line, with_input(self.touchmark(line), input))
    }

    /// Runs `touchmark` with these words, asserts exit 0 and gives standard output without the last line end.
    pub fn ok(&self, line: &str) -> String {
        self.run(line).is(0).stdout.trim_end().to_owned()
    }

    /// Runs `touchmark … --format json`, asserts the exit and gives the document, which must be valid by the schema.
    pub fn json(&self, line: &str, code: i32) -> Value {
        self.run(&format!("{line} --format json")).is(code).json()
    }

    /// Makes the Ed25519 key NAME with NAME.pub.
    pub fn key(&self, name: &str) {
        self.ok(&format!("key generate --type ed25519 --no-passphrase --quiet --out {name}"));
    }

    /// Packs one file with this content, and gives the pin.
    pub fn pack(&self, to: &str, content: &str) -> String {
        self.file("payload.txt", content);
        self.ok(&format!("pack payload.txt --to {to} --artifact-type application/vnd.example.test"))
    }

    /// Runs `touchmark verify` and `touchmark-verify` with these words, in text form and as JSON. All four end with the same
    /// code, and each pair of outputs is equal.
    pub fn verify(&self, words: &str) -> Verdict {
        self.verify_with_input(words, b"")
    }

    pub fn verify_with_input(&self, words: &str, input: &[u8]) -> Verdict {
        let json_words = format!("{words} --format json");
        let both = |words: &str| {
            let one = format!("verify {words}");
            let by_cli = Ran::of(&one, with_input(self.touchmark(&one), input));
            let alone = Ran::of(words, with_input(self.command(standalone(), words), input));
            assert_eq!(by_cli.code, alone.code, "the two verifiers differ\n{by_cli:#?}\n{alone:#?}");
            (by_cli, alone)
        };
        let (text, text_alone) = both(words);
        assert_eq!(text.stdout, text_alone.stdout, "{words}");
        let (document, document_alone) = both(&json_words);
        assert_eq!(document.code, text.code, "the format changes the code: {words}");
        let json = document.json();
        assert_eq!(comparable(&json), comparable(&document_alone.json()), "{words}");
        Verdict { code: text.code, stdout: text.stdout, stderr: text.stderr, json }
    }

    /// Asserts what both verifiers answer, and gives it.
    #[track_caller]
    pub fn verify_is(&self, code: i32, words: &str) -> Verdict {
        let verdict = self.verify(words);
        assert_eq!(verdict.code, code, "{words}\n{}\n{:#}", verdict.stderr, verdict.json);
        verdict
    }
}

/// A folder in memory where there is one: most of what these tests would wait for is a disk's fsync, and neither a race nor a
/// killed process depends on it.
fn fast_folder() -> &'static Path {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { memory } else { Path::new(env!("CARGO_TARGET_TMPDIR")) }
}

impl Drop for Place {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("left as it was: {}", self.root.display());
        } else {
            let _ = std::fs::remove_dir_all(&self.root);
        }
    }
}

impl Ran {
    pub fn of(line: &str, output: Output) -> Self {
        Self {
            line: line.to_owned(),
            // A process that was killed has no code; a panic's 101 is no code of ours either.
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    #[track_caller]
    pub fn is(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:#?}");
        self
    }

    /// Asserts that standard error contains this text.
    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "`{text}` is missing in {self:#?}");
        self
    }

    /// The JSON document on standard output.
    #[track_caller]
    pub fn json(&self) -> Value {
        let document: Value = serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:#?}"));
        crate::schema::assert_valid(&document);
        document
    }
}

/// The digest in a pin.
pub fn digest(pin: &str) -> &str {
    pin.rsplit_once('@').unwrap_or_else(|| panic!("no pin: {pin}")).1
}

/// Runs the command and gives it `input`.
pub fn with_input(mut command: Command, input: &[u8]) -> Output {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A process that reads nothing closes the pipe early, which is its right.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

/// The document without the time of verification, in which two runs may differ, and without the words for a command line that
/// cannot be read, in which two parsers may.
fn comparable(document: &Value) -> Value {
    let mut document = document.clone();
    fn strip(value: &mut Value) {
        match value {
            Value::Object(members) => {
                members.remove("at");
                if members.get("code").is_some_and(|code| code == "usage") {
                    members.remove("message");
                    members.remove("hint");
                }
                // So it is where the message of what has expired says what time it is.
                if let Some(Value::String(message)) = members.get_mut("message")
                    && let Some(end) = message.find(", and the time is ")
                {
                    message.truncate(end);
                }
                members.values_mut().for_each(strip);
            }
            Value::Array(items) => items.iter_mut().for_each(strip),
            _ => {}
        }
    }
    strip(&mut document);
    document
}

/// `touchmark-verify`, built once beside `touchmark` by the same cargo, as it is shipped: on its own, without signing.
pub fn standalone() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| {
        let beside = Path::new(env!("CARGO_BIN_EXE_touchmark"));
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--offline", "--quiet", "--package", "touchmark-verify", "--bin", "touchmark-verify"]);
        build.current_dir(env!("CARGO_MANIFEST_DIR"));
        let folder = beside.parent().unwrap();
        if folder.ends_with("release") {
            build.arg("--release");
        }
        build.arg("--target-dir").arg(folder.parent().unwrap());
        assert!(build.status().unwrap().success(), "touchmark-verify does not build");
        beside.with_file_name(format!("touchmark-verify{}", std::env::consts::EXE_SUFFIX))
    })
}
