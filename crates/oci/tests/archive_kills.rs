//! A process that is killed, or whose disk fails, at every step of writing a tar, of copying and of unpacking: what was there
//! before stays, and the next process goes on.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)] // outside of test functions clippy takes a panic for a mistake

use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use touchmark_oci::archive::Draft;
use touchmark_oci::copy::{Options, copy, copy_to_archive, tagged};
use touchmark_oci::referrer::{self, Role};
use touchmark_oci::unpack::{Existing, unpack};
use touchmark_oci::{Archive, Layout, Source};

#[path = "support/family.rs"]
mod family;
mod support;
use family::{family, tree};
use support::{Folder, listed, temporaries};

const WORK: &str = "TOUCHMARK_TEST_ARCHIVE_WORK";

/// The part of the other process: an operation in the folder of a [`Place`].
#[test]
fn work() {
    let Ok(work) = std::env::var(WORK) else { return };
    let (folder, operation) = work.split_once('\n').unwrap();
    let at = |name: &str| Path::new(folder).join(name);
    let from = Layout::open(at("layout")).unwrap();
    let all = || tagged(&from, Some("v1")).unwrap();
    let done = match operation {
        "copy to tar" => copy_to_archive(&from, &all(), &at("x.tar"), &Options::default()).map(|report| assert!(report.is_whole())),
        "copy to folder" => Layout::open_or_create(at("copy"))
            .and_then(|to| copy(&from, &all(), &to, &Options::default()))
            .map(|report| assert!(report.is_whole())),
        "attach in tar" => Draft::open_or_create(at("x.tar")).and_then(|draft| {
            let subject = draft.resolve(Some("old"), None)?;
            referrer::attach(&draft, &subject, b"{\"new\":1}", &Role::Signature)?;
            draft.commit().map(drop)
        }),
        "unpack" | "unpack into" => {
            let files = from.resolve(Some("files"), None).unwrap().digest;
            let out = if operation == "unpack" { "out" } else { "there" };
            unpack(&from, &files, &at(out), Existing::Replace).map(drop)
        }
        other => panic!("{other}"),
    };
    if let Err(error) = done {
        println!("class {:?}: {error}", error.class());
        std::process::exit(9);
    }
}

/// A folder with a layout, a tar that holds another artifact with a signature, and a folder to unpack into.
struct Place {
    folder: Folder,
    tree: Vec<String>,
}

impl Place {
    fn new() -> Self {
        let folder = Folder::new();
        let layout = Layout::open_or_create(folder.path("fresh/layout")).unwrap();
        let tree = tree(&layout, &family(&layout).index);
        let inputs = ["one", "two"].map(|name| folder.path(name));
        inputs.iter().for_each(|path| std::fs::write(path, path.file_name().unwrap().as_encoded_bytes()).unwrap());
        touchmark_oci::pack::pack(&inputs, &layout, &Default::default(), Some("files"), &|_, _| {}).unwrap();
        let draft = Draft::open_or_create(folder.path("fresh/x.tar")).unwrap();
        let old = support::image(&draft, "old", Some("old"));
        referrer::attach(&draft, &old, b"{}", &Role::Signature).unwrap();
        draft.commit().unwrap();
        std::fs::create_dir(folder.path("fresh/there")).unwrap();
        std::fs::write(folder.path("fresh/there/one"), "mine").unwrap();
        Self { folder, tree }
    }

    fn run(&self, operation: &str, variable: &str, value: &str) -> (PathBuf, Output) {
        let copy = self.folder.path("work");
        let _ = std::fs::remove_dir_all(&copy);
        support::copy(&self.folder.path("fresh"), &copy);
        let output = command(&copy, operation).env(variable, value).output().unwrap();
        (copy, output)
    }

    fn steps(&self, operation: &str) -> Vec<String> {
        let file = self.folder.path("steps");
        let _ = std::fs::remove_file(&file);
        let (_, output) = self.run(operation, "TOUCHMARK_FAILPOINT_COUNT", file.to_str().unwrap());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        std::fs::read_to_string(&file).unwrap().lines().map(str::to_owned).collect()
    }

    /// What holds whenever it was stopped.
    fn check(&self, at: &Path, what: &str) {
        let archive = Archive::open(at.join("x.tar")).unwrap_or_else(|error| panic!("{what}: {error}"));
        let old = archive.resolve(Some("old"), None).unwrap();
        assert!(!listed(&archive, &old.digest).is_empty(), "{what}");
        if let Ok(new) = archive.resolve(Some("v1"), None) {
            assert_eq!(tree(&archive, &new), self.tree, "{what}");
        }
        if let Ok(layout) = Layout::open(at.join("copy"))
            && let Ok(new) = layout.resolve(Some("v1"), None)
        {
            // Whoever sees the tag sees all that belongs to it.
            assert_eq!(tree(&layout, &new).len(), self.tree.len(), "{what}");
        }
        for (name, is_new) in [("out", true), ("there", false)] {
            let files =
                std::fs::read_dir(at.join(name)).map(|entries| entries.filter_map(Result::ok).collect::<Vec<_>>()).unwrap_or_default();
            let names: Vec<_> =
                files.iter().map(|file| file.file_name().into_string().unwrap()).filter(|name| !name.starts_with('.')).collect();
            assert!(!is_new || names.is_empty() || names.len() == 2, "{what}: {names:?}");
            for file in names {
                let content = std::fs::read_to_string(at.join(name).join(&file)).unwrap();
                assert!(content == file || content == "mine", "{what}: {file} is {content:?}");
            }
        }
    }

    fn check_done(&self, at: &Path, operation: &str, what: &str) {
        self.check(at, what);
        let archive = Archive::open(at.join("x.tar")).unwrap();
        match operation {
            "copy to tar" => assert!(archive.resolve(Some("v1"), None).is_ok(), "{what}"),
            "copy to folder" => {
                let layout = Layout::open(at.join("copy")).unwrap();
                assert_eq!(tree(&layout, &layout.resolve(Some("v1"), None).unwrap()), self.tree, "{what}");
            }
            "attach in tar" => assert_eq!(listed(&archive, &archive.resolve(Some("old"), None).unwrap().digest).len(), 2, "{what}"),
            _ => assert_eq!(std::fs::read(at.join(if operation == "unpack" { "out/two" } else { "there/two" })).unwrap(), b"two", "{what}"),
        }
        for folder in ["", "there", "copy"].map(|name| at.join(name)).iter().filter(|folder| folder.exists()) {
            assert!(temporaries(folder).is_empty(), "{what}: {:?}", temporaries(folder));
        }
    }
}

fn command(at: &Path, operation: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "work", "--nocapture", "--test-threads=1"]).stdin(Stdio::null());
    command.env(WORK, format!("{}\n{operation}", at.display()));
    command
}

const OPERATIONS: [&str; 5] = ["copy to tar", "attach in tar", "unpack", "unpack into", "copy to folder"];

/// Every step, or some fifty of many, the first and the last among them.
fn chosen(steps: &[String]) -> Vec<usize> {
    let stride = steps.len().div_ceil(50);
    (0..steps.len()).filter(|step| step % stride == 0 || step + 8 >= steps.len()).collect()
}

#[test]
fn killed_at_any_step_nothing_is_half_there_and_the_next_command_works() {
    let place = Place::new();
    let (mut kills, mut mid_write) = (0, 0);
    for operation in OPERATIONS {
        let steps = place.steps(operation);
        assert!(steps.len() >= 10, "{operation}: {steps:?}");
        for at in chosen(&steps) {
            let what = format!("{operation}, killed at {}", steps[at]);
            let (folder, output) = place.run(operation, "TOUCHMARK_FAILPOINT", &(at + 1).to_string());
            assert_eq!(output.status.signal(), Some(9), "{what}");
            place.check(&folder, &what);
            assert!(command(&folder, operation).output().unwrap().status.success(), "{what}: again");
            place.check_done(&folder, operation, &what);
            kills += 1;
            mid_write += usize::from(steps[at].contains("HalfWritten"));
        }
    }
    println!("{kills} kills, {mid_write} of them in the middle of a write");
    assert!(mid_write >= 8);
}

#[test]
fn a_full_disk_at_any_step_is_an_error_and_loses_nothing() {
    let place = Place::new();
    for operation in OPERATIONS {
        let steps = place.steps(operation);
        for at in chosen(&steps).into_iter().step_by(3) {
            let what = format!("{operation}, full at {}", steps[at]);
            let (folder, output) = place.run(operation, "TOUCHMARK_FAILPOINT_ERROR", &format!("{}+:ENOSPC", at + 1));
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            assert_eq!(output.status.code(), Some(9), "{what}: {text}");
            assert!(text.contains("class NotWritable"), "{what}: {text}");
            place.check(&folder, &what);
            assert!(command(&folder, operation).output().unwrap().status.success(), "{what}: again");
            place.check_done(&folder, operation, &what);
        }
    }
}
