//! TUF clients side by side on one repository: python-tuf and go-tuf, each a process that answers requests, and `touchmark tuf`.
//!
//! Repositories are described in JSON, as `tests/peers/python/tuf_repository.py` says, and made by python-tuf.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};
use touchmark_test_registry::{Site, sha256};

use crate::harness::{Place, Ran};
use crate::tool;

/// What a client made of a repository.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Why the refresh failed.
    pub refused: Option<String>,
    /// The version of each role that its store trusts.
    pub roles: BTreeMap<String, u64>,
    /// For each name that was looked up the SHA-256 of what was downloaded; none if it was not to be had.
    pub found: BTreeMap<String, Option<String>>,
    /// What it said of those that were not.
    #[allow(dead_code, reason = "why, as Debug shows it")]
    pub said: Vec<String>,
}

impl Seen {
    /// What two clients must agree on.
    fn verdict(&self) -> (bool, &BTreeMap<String, Option<String>>) {
        (self.refused.is_none(), &self.found)
    }

    /// The version of a role; 0 if none is trusted.
    pub fn version(&self, role: &str) -> u64 {
        self.roles.get(role).copied().unwrap_or(0)
    }
}

/// A TUF client with a store of its own.
pub trait Client {
    fn name(&self) -> &'static str;

    /// Refreshes from the site, beginning with this root if nothing is trusted yet, and downloads these targets.
    fn see(&mut self, site: &Site, root: &Path, names: &[&str]) -> Seen;
}

/// A process that answers a JSON document a line with another.
pub struct Answering {
    child: Child,
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Answering {
    pub fn start(mut command: Command) -> Self {
        for name in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"] {
            command.env_remove(name);
        }
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (requests, answers) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, requests, answers }
    }

    /// One of our programs in Python; none if the packages are missing and may be.
    pub fn python(program: &str) -> Option<Self> {
        let python = tool::python()?;
        let mut command = Command::new(python);
        command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/peers/python").join(program));
        Some(Self::start(command))
    }

    pub fn ask(&mut self, request: &Value) -> Value {
        writeln!(self.requests.as_mut().unwrap(), "{request}").unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?} for {request}"))
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        // The end of its input is its end.
        drop(self.requests.take());
        let _ = self.child.wait();
    }
}

/// python-tuf or go-tuf.
pub struct Peer {
    name: &'static str,
    process: Answering,
    folder: PathBuf,
}

impl Peer {
    pub fn python(place: &Place) -> Option<Self> {
        let process = Answering::python("tuf_client.py")?;
        Some(Self { name: "python-tuf", process, folder: place.path("python-tuf") })
    }

    pub fn go(place: &Place) -> Option<Self> {
        let process = Answering::start(Command::new(tool::path("tuf-client")?));
        Some(Self { name: "go-tuf", process, folder: place.path("go-tuf") })
    }

    /// Refreshes, and gives what is listed of a target without downloading it: `length` and `hashes`, or null.
    #[track_caller]
    pub fn listed(&mut self, site: &Site, root: &Path, name: &str) -> Value {
        let said = self.process.ask(&json!({
            "store": self.folder.join("store"),
            "root": root,
            "metadata": format!("{}metadata/", site.url()),
            "names": [name],
        }));
        assert!(said["error"].is_null(), "{}: {said:#}", self.name);
        said["found"][name].clone()
    }
}

impl Peer {
    /// A client of `tests/peers/rust-tuf`, which only the long run has; none, and a word, without it.
    pub fn rust(place: &Place, name: &'static str) -> Option<Self> {
        let program = tool::built(&format!("{name}-client"));
        if !program.is_file() {
            let message = format!("{name} is missing; tests/peers/rust-tuf/setup.sh builds it, which only the long run does");
            assert!(std::env::var_os("TOUCHMARK_RUST_TUF_PEERS").is_none(), "{message}");
            eprintln!("skipped: {message}");
            return None;
        }
        Some(Self { name, process: Answering::start(Command::new(program)), folder: place.path(name) })
    }
}

impl Client for Peer {
    fn name(&self) -> &'static str {
        self.name
    }

    fn see(&mut self, site: &Site, root: &Path, names: &[&str]) -> Seen {
        let said = self.process.ask(&json!({
            "store": self.folder.join("store"),
            "into": self.folder.join("into"),
            "root": root,
            "metadata": format!("{}metadata/", site.url()),
            "targets": format!("{}targets/", site.url()),
            "names": names,
        }));
        let roles = said["roles"].as_object().unwrap().iter().map(|(name, version)| (name.clone(), version.as_u64().unwrap())).collect();
        let (mut found, mut why) = (BTreeMap::new(), Vec::new());
        // After a refresh that failed nothing is looked up, which is: nothing is found.
        for name in names {
            let what = &said["found"][name];
            why.extend(what["error"].as_str().map(|error| format!("{name}: {error}")));
            found.insert((*name).to_owned(), what["sha256"].as_str().map(str::to_owned));
        }
        Seen { refused: said["error"].as_str().map(str::to_owned), roles, found, said: why }
    }
}

/// `touchmark tuf`, one process for each step.
pub struct Ours<'a> {
    place: &'a Place,
    folder: String,
    /// How often it has downloaded, so that each goes to a folder of its own.
    downloads: usize,
}

impl<'a> Ours<'a> {
    pub fn new(place: &'a Place) -> Self {
        Self { place, folder: "touchmark".to_owned(), downloads: 0 }
    }

    /// Where its metadata is.
    pub fn store(&self) -> PathBuf {
        self.place.path(&self.folder).join("store")
    }

    /// Runs `touchmark tuf` with these words.
    pub fn run<S: AsRef<std::ffi::OsStr>>(&self, words: &[S]) -> Ran {
        let mut command = self.place.touchmark("tuf");
        command.args(words);
        Ran::of("tuf", command.output().unwrap())
    }

    /// Trusts this root.
    pub fn init(&self, root: &Path) -> Ran {
        std::fs::create_dir_all(self.store()).unwrap();
        self.run(&["--metadata-dir".as_ref(), self.store().as_os_str(), "init".as_ref(), root.as_os_str()])
    }

    pub fn refresh(&self, site: &Site) -> Ran {
        let metadata = format!("{}metadata/", site.url());
        self.run(&["--metadata-url".as_ref(), metadata.as_ref(), "--metadata-dir".as_ref(), self.store().as_os_str(), "refresh".as_ref()])
    }

    /// Downloads one target into this folder.
    pub fn download(&self, site: &Site, name: &str, into: &Path) -> Ran {
        let (metadata, targets) = (format!("{}metadata/", site.url()), format!("{}targets/", site.url()));
        std::fs::create_dir_all(into).unwrap();
        self.run(&[
            "--metadata-url".as_ref(),
            metadata.as_ref(),
            "--metadata-dir".as_ref(),
            self.store().as_os_str(),
            "--target-name".as_ref(),
            name.as_ref(),
            "--target-dir".as_ref(),
            into.as_os_str(),
            "--target-base-url".as_ref(),
            targets.as_ref(),
            "download".as_ref(),
        ])
    }
}

impl Client for Ours<'_> {
    fn name(&self) -> &'static str {
        "touchmark"
    }

    fn see(&mut self, site: &Site, root: &Path, names: &[&str]) -> Seen {
        if !self.store().join("root.json").exists() {
            self.init(root).is(0);
        }
        let refreshed = self.refresh(site);
        let refused = (refreshed.code != 0).then_some(refreshed.stderr);
        let (mut found, mut said) = (BTreeMap::new(), Vec::new());
        for name in names {
            let into = self.place.path(&self.folder).join(format!("into-{}", self.downloads));
            self.downloads += 1;
            let downloaded = self.download(site, name, &into);
            let files = files(&into);
            assert_eq!(files.len(), usize::from(downloaded.code == 0), "{files:?} after {downloaded:#?}");
            if downloaded.code != 0 {
                said.push(format!("{name}: {}", downloaded.stderr));
            }
            let content = files.values().next().map(|content| sha256(content).trim_start_matches("sha256:").to_owned());
            found.insert((*name).to_owned(), content);
        }
        Seen { refused, roles: versions(&self.store()), found, said }
    }
}

/// All files below a folder, with their content.
pub fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let (mut found, mut folders) = (BTreeMap::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(path.clone(), std::fs::read(&path).unwrap());
            }
        }
    }
    found
}

/// The version of every `.json` file of a store, by the name without it.
pub fn versions(store: &Path) -> BTreeMap<String, u64> {
    let mut versions = BTreeMap::new();
    for entry in std::fs::read_dir(store).unwrap() {
        let path = entry.unwrap().path();
        if let Some(name) = path.file_name().unwrap().to_str().unwrap().strip_suffix(".json") {
            let document: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            let name = name.replace("%2F", "/").replace("%2B", "+");
            versions.insert(name, document["signed"]["version"].as_u64().unwrap());
        }
    }
    versions
}

/// A repository by python-tuf: a folder for each state, and the versions that each has.
pub struct Made {
    pub folders: Vec<PathBuf>,
    pub versions: Vec<Value>,
}

impl Made {
    /// Makes it in the folder `made`; none if the packages are missing and may be.
    pub fn new(place: &Place, states: &[Value]) -> Option<Self> {
        let folder = place.path("made");
        let said = Answering::python("tuf_repository.py")?.ask(&json!({ "folder": folder, "states": states }));
        let folders = (0..states.len()).map(|number| folder.join(number.to_string())).collect();
        Some(Self { folders, versions: said.as_array().unwrap().clone() })
    }

    /// The first root.
    pub fn root(&self) -> PathBuf {
        self.folders[0].join("metadata/1.root.json")
    }
}

/// Asserts that two clients came to the same verdict, with the same content; of what both accepted, with the same versions.
#[track_caller]
pub fn assert_equal(one: (&str, &Seen), other: (&str, &Seen), place: &str) {
    assert_eq!(one.1.verdict(), other.1.verdict(), "{place}: {} and {} differ\n{:#?}\n{:#?}", one.0, other.0, one.1, other.1);
    if one.1.refused.is_none() {
        for role in ["root", "timestamp", "snapshot", "targets"] {
            assert_eq!(one.1.version(role), other.1.version(role), "{place}: {role} of {} and {}", one.0, other.0);
        }
    }
}
