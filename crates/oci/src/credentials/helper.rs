//! Programs that keep credentials: `docker-credential-NAME get`, `store` and `erase` (the protocol of docker-credential-helpers).

use std::io::{self, Read, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use touchmark_envelope::json::{self, Value};
use zeroize::Zeroizing;

use super::credential::{Credential, TOKEN_USER};
use super::surroundings::Surroundings;
use crate::error::Error;

/// What stands before the name of each helper's program.
const PREFIX: &str = "docker-credential-";
/// Bytes in a name.
const MAX_NAME: usize = 128;
/// Bytes in an answer.
const MAX_ANSWER: usize = 64 << 10;
/// How long a helper may take: a person may have to unlock a keychain.
pub(super) const TIME_LIMIT: Duration = Duration::from_secs(60);
/// How an answer begins that says that there are no credentials; the helpers' library adds "in native keychain".
const NOT_FOUND: &str = "credentials not found";
/// Between two looks at a helper that has closed its output and not ended yet.
const PAUSE: Duration = Duration::from_millis(5);

/// A helper that was found.
#[derive(Debug)]
pub(super) struct Helper {
    /// `docker-credential-NAME`.
    name: String,
    program: PathBuf,
    patience: Duration,
}

impl Helper {
    /// The helper `name` of a credentials' document. The name is part of a program's name, so nothing that could lead to another
    /// folder or be taken for an option is run, and the folders of `PATH` are looked at but for relative ones, which would be the
    /// working directory's.
    ///
    /// # Errors
    /// [`Error::Configuration`]: a name that is none, or a program that is not there.
    pub(super) fn find(name: &str, document: &str, surroundings: &Surroundings<'_>, patience: Duration) -> Result<Self, Error> {
        if !is_name(name) {
            let shown: String = name.chars().take(64).flat_map(char::escape_debug).collect();
            let reason = format!(
                "names the credential helper \"{shown}\", which is refused: only letters, digits, `_`, `-` and `.`, and neither `-` nor `.` first"
            );
            return Err(Error::Configuration { what: document.to_owned(), reason });
        }
        let name = format!("{PREFIX}{name}");
        let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
        let path = surroundings.variable("PATH").unwrap_or_default();
        let found = std::env::split_paths(&path)
            .filter(|folder| folder.is_absolute())
            .map(|folder| folder.join(&file))
            .find(|program| program.is_file());
        match found {
            Some(program) => Ok(Self { name, program, patience }),
            None => Err(Error::Configuration { what: document.to_owned(), reason: format!("needs {name}, which is in no folder of PATH") }),
        }
    }

    /// The program's name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The credentials that are kept under `key`.
    ///
    /// # Errors
    /// [`Error::Configuration`]: it fails, or its answer is none. That it has none is no error.
    pub(super) fn credential(&self, key: &str) -> Result<Option<Credential>, Error> {
        let answer = self.run("get", key.as_bytes())?;
        if !answer.status.success() {
            return if answer.says_none() { Ok(None) } else { Err(self.failed("get", &answer)) };
        }
        let bad = |reason: &str| self.error(format!("its answer to get {reason}"));
        let members = json::members(&answer.out, MAX_ANSWER).map_err(|error| bad(&format!("is no JSON object: {error}")))?;
        let member = |name: &str| {
            let value = members.iter().find(|(member, _)| member == name).map(|(_, value)| value.as_bytes());
            match value.map(|value| json::parse(value, MAX_ANSWER)) {
                Some(Ok(Value::String(text))) => Ok(Zeroizing::new(text.into_owned())),
                None => Ok(Zeroizing::new(String::new())),
                Some(_) => Err(bad(&format!("has a `{name}` that is no text"))),
            }
        };
        let (username, secret) = (member("Username")?, member("Secret")?);
        if username.is_empty() && secret.is_empty() {
            return Ok(None);
        }
        Credential::login(&username, secret).map(Some).map_err(|reason| bad(&format!("cannot be used: {reason}")))
    }

    /// Keeps `credential` under `key`.
    ///
    /// # Errors
    /// [`Error::Configuration`]: it fails, or the credential is none that helpers keep.
    pub(super) fn store(&self, key: &str, credential: &Credential) -> Result<(), Error> {
        let (username, secret) = match credential {
            Credential::Basic { username, password } => (username.as_str(), password),
            Credential::Identity(token) => (TOKEN_USER, token),
            Credential::Registry(_) => return Err(self.error("helpers keep no bearer tokens".to_owned())),
        };
        let text = |text: &str| Zeroizing::new(Value::from(text).to_vec());
        let mut request = Zeroizing::new(Vec::with_capacity(6 * (key.len() + username.len() + secret.len()) + 64));
        for (name, value) in [(r#"{"ServerURL":"#, key), (r#","Username":"#, username), (r#","Secret":"#, secret.as_str())] {
            request.extend_from_slice(name.as_bytes());
            request.extend_from_slice(&text(value));
        }
        request.push(b'}');
        let answer = self.run("store", &request)?;
        if answer.status.success() { Ok(()) } else { Err(self.failed("store", &answer)) }
    }

    /// Forgets what is kept under `key`, and says whether there was something.
    ///
    /// # Errors
    /// As for [`credential`](Self::credential).
    pub(super) fn erase(&self, key: &str) -> Result<bool, Error> {
        // Some helpers fail if they have nothing to erase, each in its own words.
        if self.credential(key)?.is_none() {
            return Ok(false);
        }
        let answer = self.run("erase", key.as_bytes())?;
        if answer.status.success() || answer.says_none() { Ok(true) } else { Err(self.failed("erase", &answer)) }
    }

    fn error(&self, reason: String) -> Error {
        Error::Configuration { what: self.name.clone(), reason }
    }

    /// Why it failed, as far as it says so: a line of its error output, or else of its output, where the protocol has such words.
    fn failed(&self, action: &str, answer: &Answer) -> Error {
        let lines = [answer.errors.trim_ascii(), answer.out.trim_ascii()];
        let line = lines.into_iter().find(|text| !text.is_empty() && !text.starts_with(b"{")).unwrap_or_default();
        let line = line.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let said: String = String::from_utf8_lossy(line).chars().take(200).flat_map(char::escape_debug).collect();
        let colon = if said.is_empty() { "" } else { ": " };
        self.error(format!("{action} failed ({}){colon}{said}", answer.status))
    }

    /// Runs the program with `input`, and waits for its end.
    fn run(&self, action: &str, input: &[u8]) -> Result<Answer, Error> {
        let deadline = Instant::now() + self.patience;
        let mut child = Command::new(&self.program)
            .arg(action)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // It is nobody's business but ours.
            .env_remove("TOUCHMARK_PASSPHRASE")
            .spawn()
            .map_err(|error| self.error(format!("cannot be run: {error}")))?;
        let answer = self.exchange(&mut child, action, input, deadline);
        if answer.is_err() {
            let _ = child.kill();
            let _ = child.wait();
        }
        answer
    }

    /// Writing and reading have threads of their own, so that a program that does neither is waited for no longer than it may take.
    fn exchange(&self, child: &mut Child, action: &str, input: &[u8], deadline: Instant) -> Result<Answer, Error> {
        let (Some(mut stdin), Some(stdout), Some(stderr)) = (child.stdin.take(), child.stdout.take(), child.stderr.take()) else {
            return Err(self.error("has no standard input and output".to_owned()));
        };
        let input = Zeroizing::new(input.to_vec());
        // A program that answers without reading closes the pipe: that is its own affair.
        thread::spawn(move || stdin.write_all(&input));
        let (out, errors) = (collect(stdout), collect(stderr));
        let late = || self.error(format!("did not answer to {action} within {} seconds", self.patience.as_secs_f32()));
        let left = || deadline.saturating_duration_since(Instant::now());
        let out = out.recv_timeout(left()).map_err(|_| late())?;
        let out = out.map_err(|error| self.error(format!("its answer cannot be read: {error}")))?;
        if out.len() > MAX_ANSWER {
            return Err(self.error(format!("its answer to {action} is longer than 64 KiB")));
        }
        let status = loop {
            match child.try_wait() {
                Ok(Some(status)) => break status,
                Ok(None) if Instant::now() < deadline => thread::sleep(PAUSE),
                _ => return Err(late()),
            }
        };
        // What it started may hold its error output open after its end; then nothing of that is shown.
        let errors = errors.recv_timeout(left().min(Duration::from_secs(1))).ok().and_then(Result::ok).unwrap_or_default();
        Ok(Answer { status, out, errors })
    }
}

/// What a program said until its end.
struct Answer {
    status: ExitStatus,
    out: Zeroizing<Vec<u8>>,
    errors: Zeroizing<Vec<u8>>,
}

impl Answer {
    fn says_none(&self) -> bool {
        self.out.trim_ascii_start().starts_with(NOT_FOUND.as_bytes())
    }
}

/// Reads to the end, or to a byte more than an answer may have; the rest is not read, and who writes it gets an error.
fn collect(from: impl Read + Send + 'static) -> Receiver<io::Result<Zeroizing<Vec<u8>>>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let limit = MAX_ANSWER + 1;
        // In one piece, so that no copy is left behind while it grows.
        let mut bytes = Zeroizing::new(Vec::with_capacity(limit + 1));
        let read = from.take(u64::try_from(limit).unwrap_or(u64::MAX)).read_to_end(&mut bytes);
        // Nobody waits for it any more if it comes too late.
        let _ = sender.send(read.map(|_| bytes));
    });
    receiver
}

/// Whether a helper may have this name.
fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    !name.is_empty() && name.len() <= MAX_NAME && name.bytes().all(allowed) && !name.starts_with(['.', '-'])
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::credentials::testing::{Home, basic, configuration};

    fn get(home: &Home, name: &str) -> Result<Option<Credential>, Error> {
        run(home, name, |helper| helper.credential("localhost:5000"))
    }

    fn run<T>(home: &Home, name: &str, action: impl FnOnce(&Helper) -> Result<T, Error>) -> Result<T, Error> {
        home.surroundings(|surroundings| action(&Helper::find(name, "config.json", surroundings, Duration::from_secs(20))?))
    }

    #[test]
    fn a_name_that_could_lead_elsewhere_is_refused_and_nothing_is_run() {
        let home = Home::new();
        home.file("evil", "");
        home.helper("x", &format!("echo run >{}", home.path("witness").display()));
        let names = [
            "../x",
            "..",
            ".x",
            "-x",
            "a/b",
            "/bin/sh",
            "a\\b",
            "x y",
            "x;y",
            "x\0",
            "",
            "é",
            "$(x)",
            "../../evil",
            &"x".repeat(MAX_NAME + 1),
        ];
        for name in names {
            let said = configuration(get(&home, name));
            assert!(said.starts_with("config.json: names the credential helper") && !said.contains('\0'), "{name}: {said}");
        }
        assert!(!home.path("witness").exists());
        for name in ["x", "ecr-login", "osx.keychain", "a_b", "0"] {
            assert!(is_name(name), "{name}");
        }
    }

    #[test]
    fn only_absolute_folders_of_the_path_are_looked_at() {
        let mut home = Home::new();
        assert!(configuration(get(&home, "x")).contains("needs docker-credential-x"));
        home.helper("x", r#"echo '{"Username":"a","Secret":"b"}'"#);
        assert_eq!(get(&home, "x").unwrap(), Some(basic("a", "b")));
        let folder = home.path("bin");
        let here = std::env::current_dir().unwrap();
        let up: std::path::PathBuf = here.components().skip(1).map(|_| "..").collect();
        home.set("PATH", up.join(folder.strip_prefix("/").unwrap()));
        assert!(configuration(get(&home, "x")).contains("no folder of PATH"));
    }

    #[test]
    fn answers_are_read() {
        let home = Home::new();
        for (script, wanted) in [
            (r#"echo '{"ServerURL":"x","Username":"a","Secret":"b"}'"#, Some(basic("a", "b"))),
            (r#"echo '{"Username":"<token>","Secret":"refresh"}'"#, Some(Credential::Identity(Zeroizing::new("refresh".to_owned())))),
            (r#"test "$1" = get && key=$(cat) && echo "{\"Username\":\"a\",\"Secret\":\"$key\"}""#, Some(basic("a", "localhost:5000"))),
            // Some print an empty one.
            (r#"echo '{"ServerURL":"","Username":"","Secret":""}'"#, None),
            ("echo credentials not found in native keychain; exit 1", None),
            ("echo credentials not found; exit 1", None),
        ] {
            home.helper("x", script);
            assert_eq!(get(&home, "x").unwrap(), wanted, "{script}");
        }
    }

    #[test]
    fn a_helper_that_fails_is_an_error() {
        let home = Home::new();
        for (script, reason) in [
            ("exit 3", "get failed (exit status: 3)"),
            ("printf 'locked\\033[2J\\nsecond' >&2; exit 1", "locked\\u{1b}[2J"),
            ("echo it is locked; exit 1", "it is locked"),
            (r#"echo '{"Secret":"hunter2"}'; exit 1"#, "get failed (exit status: 1)"),
            ("echo credentials not found in native keychain", "is no JSON object"),
            ("true", "is no JSON object"),
            ("echo []", "is no JSON object"),
            (r#"echo '{"Username":"a","Username":"b","Secret":"hunter2"}'"#, "is no JSON object"),
            (r#"echo '{"Username":7,"Secret":"hunter2"}'"#, "a `Username` that is no text"),
            (r#"echo '{"Username":"a:b","Secret":"hunter2"}'"#, "cannot be used"),
            (r#"echo '{"Username":"<token>","Secret":"hunter2 x"}'"#, "cannot be used"),
            ("head -c 70000 /dev/zero", "longer than 64 KiB"),
            ("exec cat /dev/zero", "longer than 64 KiB"),
        ] {
            home.helper("x", script);
            let said = configuration(get(&home, "x"));
            assert!(said.starts_with("docker-credential-x: ") && said.contains(reason), "{script}: {said}");
            assert!(!said.contains("hunter2") && !said.contains("second") && !said.contains('\u{1b}'), "{said}");
        }
    }

    #[test]
    fn patience_ends_with_one_that_says_nothing() {
        let home = Home::new();
        // The first keeps its output open, the second closes it and does not end.
        for script in ["exec sleep 1000", "exec >&-; exec sleep 1000"] {
            home.helper("x", script);
            let said = home.surroundings(|surroundings| {
                let helper = Helper::find("x", "config.json", surroundings, Duration::from_millis(300)).unwrap();
                configuration(helper.credential("localhost:5000"))
            });
            assert!(said.contains("did not answer to get within 0.3 seconds"), "{script}: {said}");
        }
    }

    #[test]
    fn credentials_are_stored_and_erased() {
        let home = Home::new();
        let kept = home.path("kept");
        let file = kept.display();
        home.helper(
            "x",
            &format!(
                r#"case $1 in
                store) cat >{file} ;;
                get) test -f {file} || {{ echo credentials not found in native keychain; exit 1; }}; cat {file} ;;
                erase) key=$(cat) && test "$key" = localhost:5000 && rm {file} ;;
                esac"#
            ),
        );
        for credential in [basic("al\"ice", "p\\ü"), Credential::Identity(Zeroizing::new("refresh".to_owned()))] {
            run(&home, "x", |helper| helper.store("localhost:5000", &credential)).unwrap();
            assert!(home.read("kept").starts_with(r#"{"ServerURL":"localhost:5000","Username":""#));
            assert_eq!(get(&home, "x").unwrap(), Some(credential));
        }
        assert!(run(&home, "x", |helper| helper.erase("localhost:5000")).unwrap());
        assert!(!run(&home, "x", |helper| helper.erase("localhost:5000")).unwrap());
        let bearer = Credential::Registry(Zeroizing::new("b".to_owned()));
        assert!(configuration(run(&home, "x", |helper| helper.store("k", &bearer))).contains("no bearer tokens"));
        home.helper("x", "echo the keychain is locked; exit 1");
        assert!(configuration(run(&home, "x", |helper| helper.store("k", &basic("a", "b")))).contains("store failed"));
    }
}
