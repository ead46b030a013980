//! The other tools: where they are, and running them.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::harness::{Place, Ran};

/// Gives the tools, or ends the test.
macro_rules! need {
    ($($name:literal),+) => {
        $(if crate::tool::path($name).is_none() {
            return;
        })+
    };
}
pub(crate) use need;

/// Where `tests/peers` builds the tool.
pub fn built(name: &str) -> PathBuf {
    // CARGO_TARGET_TMPDIR is target/tmp.
    Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("peers").join("bin").join(name)
}

/// Where the tool is. `None` if it is missing and may be; then it has said so.
pub fn path(name: &str) -> Option<PathBuf> {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let found =
        std::iter::once(built(name)).chain(std::env::split_paths(&paths).map(|folder| folder.join(name))).find(|path| path.is_file());
    if found.is_none() {
        let message = format!("{name} is missing; tests/peers/setup.sh gets it");
        assert!(std::env::var_os("TOUCHMARK_PEERS_REQUIRED").is_none(), "{message}");
        eprintln!("skipped: {message}");
    }
    found
}

/// The Python that has the packages of `tests/peers/python`. `None` if it is missing and may be; then it has said so.
pub fn python() -> Option<PathBuf> {
    let python = built("../venv/bin/python");
    if python.is_file() {
        return Some(python);
    }
    let message = "the Python packages of tests/peers are missing; tests/peers/setup.sh gets them";
    assert!(std::env::var_os("TOUCHMARK_PEERS_REQUIRED").is_none(), "{message}");
    eprintln!("skipped: {message}");
    None
}

/// The tool with these words, in the test's folder, with no configuration but the folder's.
pub fn command(place: &Place, name: &str, line: &str) -> Command {
    let mut command = Command::new(path(name).unwrap_or_else(|| panic!("{name}")));
    command.args(line.split_whitespace()).current_dir(place.path("")).stdin(Stdio::null());
    command.env("HOME", place.path("")).env("TMPDIR", std::env::temp_dir());
    for name in ["DOCKER_AUTH_CONFIG", "DOCKER_CONFIG", "REGISTRY_AUTH_FILE"] {
        command.env_remove(name);
    }
    command
}

/// Runs the tool and gives what it left.
pub fn run(place: &Place, name: &str, line: &str) -> Ran {
    Ran::of(&format!("{name} {line}"), command(place, name, line).output().unwrap())
}

/// Runs the tool, asserts exit 0, and gives its standard output.
#[track_caller]
pub fn ok(place: &Place, name: &str, line: &str) -> String {
    run(place, name, line).is(0).stdout
}

/// Runs the tool, asserts exit 0, and gives the JSON on its standard output.
#[track_caller]
pub fn json(place: &Place, name: &str, line: &str) -> serde_json::Value {
    let text = ok(place, name, line);
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name} {line}: {error}: {text}"))
}

/// The digests of the referrers that oras and regctl list.
pub fn listed(value: &serde_json::Value, artifact_type: &str) -> Vec<String> {
    let of_type = |entry: &&serde_json::Value| entry["artifactType"] == artifact_type;
    let mut digests: Vec<String> =
        value.as_array().into_iter().flatten().filter(of_type).map(|entry| entry["digest"].as_str().unwrap().to_owned()).collect();
    digests.sort();
    digests
}

/// crane's registry, for as long as this lives.
pub struct Registry {
    server: std::process::Child,
    pub address: String,
}

impl Registry {
    pub fn start(place: &Place) -> Self {
        use std::io::BufRead as _;
        let mut server = command(place, "crane", "registry serve --address 127.0.0.1:0").stderr(Stdio::piped()).spawn().unwrap();
        // Its first line says which port it was given.
        let mut line = String::new();
        let mut log = std::io::BufReader::new(server.stderr.take().unwrap());
        log.read_line(&mut line).unwrap();
        // It dies when nobody reads its log.
        std::thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        let port = line.trim().rsplit(' ').next().unwrap();
        assert!(port.parse::<u16>().is_ok(), "{line}");
        Self { address: format!("127.0.0.1:{port}"), server }
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
