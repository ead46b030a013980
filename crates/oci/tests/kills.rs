//! A process that is killed, or whose disk fails, at every step that changes files: what was there before stays, and the next
//! process goes on.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // outside of test functions clippy takes a panic for a mistake

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::Output;

use touchmark_envelope::Digest;
use touchmark_oci::referrer::{self, Role};
use touchmark_oci::{Layout, Source, Upkeep};

mod support;
#[path = "support/worker.rs"]
mod worker;
use support::{Folder, image, lists, temporaries};

#[test]
fn work() {
    worker::work();
}

/// A layout with a subject and three referrers, of which the last is the one that operations work on.
struct Prepared {
    folder: Folder,
    subject: Digest,
    earlier: [Digest; 2],
    third: Digest,
}

impl Prepared {
    fn new() -> Self {
        let folder = Folder::new();
        let layout = Layout::open_or_create(folder.path("layout")).unwrap();
        let subject = image(&layout, "one", Some("v1"));
        let attach = |name| referrer::attach(&layout, &subject, &worker::envelope(name), &Role::Signature).unwrap().descriptor.digest;
        Self { earlier: [attach("a"), attach("b")], third: attach("c"), subject: subject.digest, folder }
    }

    /// The layout as oras could leave it: without lists.
    fn forget_lists(&self) {
        let layout = Layout::open(self.folder.path("layout")).unwrap();
        let entry = layout.resolve(Some("v1"), None).unwrap();
        let (digest, size) = (entry.digest, entry.size);
        let text = format!(
            r#"{{"schemaVersion":2,"manifests":[{{"mediaType":"{}","digest":"{digest}","size":{size},"annotations":{{"org.opencontainers.image.ref.name":"v1"}}}}]}}"#,
            entry.media_type
        );
        std::fs::write(layout.root().join("index.json"), text).unwrap();
    }

    /// A fresh copy, and its operation run there with the variable set.
    fn run(&self, operation: &str, variable: &str, value: &str) -> (std::path::PathBuf, Output) {
        let copy = self.folder.path("copy");
        let _ = std::fs::remove_dir_all(&copy);
        support::copy(&self.folder.path("layout"), &copy);
        let output = worker::command("work", &copy, operation).env(variable, value).output().unwrap();
        (copy, output)
    }

    /// The steps of an operation, in order.
    fn steps(&self, operation: &str) -> Vec<String> {
        let file = self.folder.path("steps");
        let _ = std::fs::remove_file(&file);
        let (_, output) = self.run(operation, "TOUCHMARK_FAILPOINT_COUNT", file.to_str().unwrap());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        std::fs::read_to_string(&file).unwrap().lines().map(str::to_owned).collect()
    }

    /// What holds after every kill and every failure.
    fn check_earlier(&self, folder: &Path, what: &str) {
        let layout = Layout::open(folder).unwrap();
        assert_eq!(layout.resolve(Some("v1"), None).unwrap().digest, self.subject, "{what}");
        let found = layout.referrers(&self.subject, 100, 1 << 20).unwrap();
        assert!(found.complete, "{what}: {:?}", found.findings);
        for earlier in &self.earlier {
            assert!(found.entries.iter().any(|entry| entry.digest == *earlier), "{what}: lost");
            let manifest = layout.manifest(earlier, 1 << 20).unwrap();
            let manifest = touchmark_envelope::manifest::Manifest::parse(&manifest).unwrap();
            for blob in manifest.blobs() {
                std::io::copy(&mut layout.blob(&blob.digest).unwrap().1, &mut std::io::sink()).unwrap();
            }
        }
        // A list never names what is not there.
        let (index, list) = lists(folder, &self.subject);
        for digest in index.iter().chain(&list) {
            assert!(layout.size(&digest.parse().unwrap()).unwrap().is_some(), "{what}: {digest} dangles");
        }
    }

    /// What holds once the operation was run again and succeeded.
    fn check_done(&self, folder: &Path, operation: &str, what: &str) {
        self.check_earlier(folder, what);
        let layout = Layout::open(folder).unwrap();
        let (index, list) = lists(folder, &self.subject);
        let found = support::listed(&layout, &self.subject);
        for earlier in &self.earlier {
            assert!(index.contains(&earlier.to_string()) && list.contains(&earlier.to_string()) || operation.starts_with("put"), "{what}");
        }
        match operation.split(' ').next().unwrap() {
            "attach" => assert_eq!((found.len(), list.len()), (4, 4), "{what}"),
            "detach" => {
                assert_eq!((found.len(), list.len()), (2, 2), "{what}");
                assert!(layout.size(&self.third).unwrap().is_none(), "{what}");
                // Repair does not find it again.
                assert!(layout.repair(false, None).unwrap().is_clean(), "{what}");
            }
            "repair" => assert_eq!((found.len(), list.len()), (3, 3), "{what}"),
            _ => assert!(layout.resolve(Some("two"), None).is_ok(), "{what}"),
        }
        assert!(temporaries(folder).is_empty(), "{what}: {:?}", temporaries(folder));
    }

    /// Runs `operation` again where it was stopped. One that had removed its object already says that it is not there.
    fn again(&self, folder: &Path, operation: &str, what: &str) {
        let output = worker::command("work", folder, operation).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let gone = operation.starts_with("detach") && text.contains("code not-found");
        assert!(output.status.success() || gone, "{what}: {text}");
    }
}

fn operations(prepared: &Prepared) -> [String; 4] {
    ["put two".to_owned(), "attach d".to_owned(), format!("detach {}", prepared.third), "repair".to_owned()]
}

#[test]
fn killed_at_every_step_nothing_earlier_is_lost_and_the_next_command_works() {
    let (mut kills, mut mid_write) = (0, 0);
    for number in 0..4 {
        let prepared = Prepared::new();
        let operation = &operations(&prepared)[number];
        if operation == "repair" {
            prepared.forget_lists();
        }
        let steps = prepared.steps(operation);
        assert!(steps.len() >= 10, "{steps:?}");
        for (at, step) in steps.iter().enumerate() {
            let what = format!("{operation}, killed at {step}");
            let (folder, output) = prepared.run(operation, "TOUCHMARK_FAILPOINT", &(at + 1).to_string());
            assert_eq!(output.status.signal(), Some(9), "{what}");
            prepared.check_earlier(&folder, &what);
            prepared.again(&folder, operation, &what);
            prepared.check_done(&folder, operation, &what);
            kills += 1;
            mid_write += usize::from(step.contains("HalfWritten"));
        }
    }
    println!("{kills} kills, {mid_write} of them in the middle of a write");
    assert!(mid_write >= 8);
}

#[test]
fn killed_while_a_damaged_index_is_made_anew_nothing_that_is_left_is_lost() {
    let prepared = Prepared::new();
    let index = prepared.folder.path("layout").join("index.json");
    let whole = std::fs::read(&index).unwrap();
    std::fs::write(&index, &whole[..whole.len() - 1]).unwrap();
    let steps = prepared.steps("repair");
    assert!(steps.iter().filter(|step| step.contains("Rename")).count() >= 2, "{steps:?}");
    for (at, step) in steps.iter().enumerate() {
        let what = format!("repair of a damaged index, killed at {step}");
        let (folder, output) = prepared.run("repair", "TOUCHMARK_FAILPOINT", &(at + 1).to_string());
        assert_eq!(output.status.signal(), Some(9), "{what}");
        prepared.again(&folder, "repair", &what);
        prepared.check_done(&folder, "repair", &what);
    }
}

#[test]
fn killed_while_it_is_made_a_layout_is_made_by_the_next() {
    let folder = Folder::new();
    let steps = folder.path("steps");
    let made = |name: &str| worker::command("work", &folder.path(name), "create");
    assert!(made("counted").env("TOUCHMARK_FAILPOINT_COUNT", &steps).output().unwrap().status.success());
    let steps = std::fs::read_to_string(steps).unwrap().lines().count();
    for at in 1..=steps {
        let name = at.to_string();
        assert_eq!(made(&name).env("TOUCHMARK_FAILPOINT", &name).output().unwrap().status.signal(), Some(9));
        assert!(made(&name).output().unwrap().status.success(), "after a kill at {at}");
        assert!(Layout::open(folder.path(&name)).unwrap().roots().unwrap().is_empty());
        assert!(temporaries(&folder.path(&name)).is_empty());
    }
}

#[test]
fn a_disk_that_is_full_or_fails_at_any_step_is_an_error_and_loses_nothing() {
    for number in 0..4 {
        let prepared = Prepared::new();
        let operation = &operations(&prepared)[number];
        if operation == "repair" {
            prepared.forget_lists();
        }
        let steps = prepared.steps(operation);
        for (at, step) in steps.iter().enumerate() {
            for failure in [format!("{}:ENOSPC", at + 1), format!("{}+:ENOSPC", at + 1), format!("{}:EIO", at + 1)] {
                let what = format!("{operation}, {failure} at {step}");
                let (folder, output) = prepared.run(operation, "TOUCHMARK_FAILPOINT_ERROR", &failure);
                let text = String::from_utf8_lossy(&output.stdout).into_owned();
                assert_eq!(output.status.code(), Some(9), "{what}: {text}");
                assert!(text.contains("class NotWritable"), "{what}: {text}");
                prepared.check_earlier(&folder, &what);
                prepared.again(&folder, operation, &what);
                prepared.check_done(&folder, operation, &what);
            }
        }
    }
}

/// As another user, for root may write anywhere.
#[test]
fn a_read_only_layout_is_read_and_refuses_to_be_written() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    use std::os::unix::process::CommandExt;

    let prepared = Prepared::new();
    let folder = prepared.folder.path("layout");
    let mut paths = vec![folder.clone(), folder.join("blobs"), folder.join("blobs/sha256")];
    std::fs::remove_file(folder.join(".touchmark.lock")).unwrap();
    for path in paths.drain(..) {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o555)).unwrap();
    }
    let root = std::fs::metadata(&folder).unwrap().uid() == 0;
    let program = prepared.folder.path("program");
    std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let run = |operation: &str| {
        let from = worker::command("work", &folder, operation);
        let mut command = std::process::Command::new(&program);
        command.args(from.get_args());
        for (name, value) in from.get_envs() {
            command.env(name, value.unwrap());
        }
        if root {
            command.uid(65534).gid(65534);
        }
        command.output().unwrap()
    };
    let read = run("referrers");
    assert!(String::from_utf8_lossy(&read.stdout).contains("3 referrers"), "{read:?}");
    for operation in operations(&prepared) {
        let refused = run(&operation);
        let text = String::from_utf8_lossy(&refused.stdout).into_owned();
        assert!(text.contains("class NotWritable") && text.contains("ermission denied"), "{operation}: {text}");
    }
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::set_permissions(folder.join("blobs"), std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::set_permissions(folder.join("blobs/sha256"), std::fs::Permissions::from_mode(0o755)).unwrap();
    prepared.check_earlier(&folder, "afterwards");
}
