//! Many processes that write to one OCI layout at once, and programs that take no lock.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // outside of test functions clippy takes a panic for a mistake

use std::fs::File;

use touchmark_oci::{Layout, Source, Upkeep};

mod support;
#[path = "support/worker.rs"]
mod worker;
use support::{Folder, image, lists};

const WRITERS: usize = 32;

#[test]
fn work() {
    worker::work();
}

/// Lets 32 processes attach at one moment, and returns how many entries `index.json` and the subject's list have then, and how
/// many referrers are found, listed or not.
fn race(off: Option<&str>) -> (usize, usize, usize) {
    let folder = Folder::new();
    let layout = Layout::open_or_create(folder.path("layout")).unwrap();
    let subject = image(&layout, "one", Some("v1"));
    let before = lists(layout.root(), &subject.digest).0.len();
    let gate = folder.path("gate");
    let closed = File::create(&gate).unwrap();
    closed.lock().unwrap();
    let writers: Vec<_> = (0..WRITERS)
        .map(|number| {
            let mut command = worker::command("work", layout.root(), &format!("attach {number}"));
            if let Some(off) = off {
                command.env("TOUCHMARK_FAILPOINT_OFF", off);
            }
            worker::start_at_gate(command, &gate)
        })
        .collect();
    closed.unlock().unwrap();
    for (mut child, out) in writers {
        let status = child.wait().unwrap();
        assert!(status.success() || off.is_some(), "{}", std::io::read_to_string(out).unwrap());
    }
    let (index, list) = lists(layout.root(), &subject.digest);
    let found = layout.referrers(&subject.digest, 1000, 1 << 20).unwrap();
    (index.len() - before, list.len(), found.entries.len())
}

#[test]
fn of_32_writers_none_is_lost() {
    assert_eq!(race(None), (WRITERS, WRITERS, WRITERS));
}

/// Without reading anew under the lock the last writer's list is what remains; the referrers are found all the same.
#[test]
fn without_the_merge_writers_are_lost_from_the_lists() {
    let (index, list, found) = race(Some("merge"));
    assert!(index < WRITERS && list < WRITERS, "{index} and {list} listed");
    assert_eq!(found, WRITERS);
}

/// The number of the boundary at which `attach` renames `index.json`.
fn rename_of_index(layout: &Layout, operation: &str) -> u64 {
    let folder = Folder::new();
    support::copy(layout.root(), &folder.path("copy"));
    let counted = folder.path("count");
    let mut command = worker::command("work", &folder.path("copy"), operation);
    assert!(command.env("TOUCHMARK_FAILPOINT_COUNT", &counted).status().unwrap().success());
    let lines = std::fs::read_to_string(&counted).unwrap();
    let line = lines.lines().find(|line| line.contains("Rename") && line.ends_with("index.json")).unwrap();
    line.split(' ').next().unwrap().parse().unwrap()
}

/// Another of our writers works from its beginning to its end while the first stands just before it replaces `index.json`.
#[test]
fn without_the_lock_a_writer_is_lost_from_the_lists() {
    let folder = Folder::new();
    let layout = Layout::open_or_create(folder.path("layout")).unwrap();
    let subject = image(&layout, "one", Some("v1"));
    let at = rename_of_index(&layout, "attach first");
    let before = lists(layout.root(), &subject.digest).0.len();
    let program = std::env::current_exe().unwrap();
    let second = format!(
        "TOUCHMARK_TEST_WORK='{}\nattach second' '{}' --exact work --nocapture --test-threads=1",
        layout.root().display(),
        program.display()
    );
    let mut first = worker::command("work", layout.root(), "attach first");
    first.env("TOUCHMARK_FAILPOINT_OFF", "lock").env("TOUCHMARK_FAILPOINT_RUN", format!("{at}:{second}"));
    assert!(first.status().unwrap().success());
    let (index, list) = lists(layout.root(), &subject.digest);
    assert_eq!((index.len() - before, list.len()), (1, 1), "the second said that it was listed, and is not");
    let report = layout.repair(false, None).unwrap();
    assert_eq!(report.listed.len(), 1);
    let (index, list) = lists(layout.root(), &subject.digest);
    assert_eq!((index.len() - before, list.len()), (2, 2));
}

/// oras truncates `index.json` and writes what it remembers, with its own entry, whenever it likes.
#[test]
fn a_writer_without_a_lock_is_noticed_before_the_list_is_replaced() {
    let folder = Folder::new();
    let layout = Layout::open_or_create(folder.path("layout")).unwrap();
    let subject = image(&layout, "one", Some("v1"));
    let at = rename_of_index(&layout, "attach ours");
    let foreign =
        format!(r#"{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:{}","size":7,"x":1e2}}"#, "1".repeat(64));
    let index = layout.root().join("index.json");
    let text = std::fs::read_to_string(&index).unwrap();
    let theirs = folder.path("theirs.json");
    std::fs::write(&theirs, text.replacen('[', &format!("[{foreign},"), 1)).unwrap();
    // The boundary before the rename is the sync of the blobs' folder: the new index is written, the old not compared yet.
    let script = format!("{}:cat '{}' > '{}'", at - 1, theirs.display(), index.display());
    let mut ours = worker::command("work", layout.root(), "attach ours");
    assert!(ours.env("TOUCHMARK_FAILPOINT_RUN", script).status().unwrap().success());
    let text = std::fs::read_to_string(&index).unwrap();
    assert!(text.contains(&foreign), "{text}");
    assert_eq!(lists(layout.root(), &subject.digest).1.len(), 1);
    assert!(support::temporaries(layout.root()).is_empty());
}

/// At the one moment where nothing can be noticed, what the other program listed is found among the blobs, and listed again.
#[test]
fn what_another_writer_overwrites_is_found_and_listed_again() {
    let folder = Folder::new();
    let layout = Layout::open_or_create(folder.path("layout")).unwrap();
    let subject = image(&layout, "one", Some("v1"));
    let old = std::fs::read(layout.root().join("index.json")).unwrap();
    for number in 0..3 {
        let envelope = worker::envelope(&number.to_string());
        touchmark_oci::referrer::attach(&layout, &subject, &envelope, &touchmark_oci::referrer::Role::Signature).unwrap();
    }
    std::fs::write(layout.root().join("index.json"), old).unwrap();
    assert_eq!(lists(layout.root(), &subject.digest).1.len(), 0);
    assert_eq!(support::listed(&layout, &subject.digest).len(), 3);
    let dry = layout.repair(true, None).unwrap();
    assert_eq!((dry.listed.len(), dry.dry_run), (3, true));
    assert_eq!(lists(layout.root(), &subject.digest).1.len(), 0);
    assert_eq!(layout.repair(false, None).unwrap().listed.len(), 3);
    assert_eq!(lists(layout.root(), &subject.digest).1.len(), 3);
    assert!(layout.repair(false, None).unwrap().is_clean());
}

/// Lists are replaced while they are read, and their old blobs removed: a reader goes on, and never sees fewer than before.
#[test]
fn readers_see_all_that_was_attached_before_while_others_write() {
    let folder = Folder::new();
    let layout = Layout::open_or_create(folder.path("layout")).unwrap();
    let subject = image(&layout, "one", Some("v1"));
    let (writers, each) = (4, 15);
    let left = std::sync::atomic::AtomicUsize::new(writers);
    std::thread::scope(|scope| {
        for writer in 0..writers {
            let (subject, left, root) = (&subject, &left, layout.root());
            scope.spawn(move || {
                let layout = Layout::open(root).unwrap();
                for number in 0..each {
                    let envelope = format!("{{\"writer\":{writer},\"number\":{number}}}");
                    touchmark_oci::referrer::attach(&layout, subject, envelope.as_bytes(), &touchmark_oci::referrer::Role::Signature)
                        .unwrap();
                }
                left.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
            });
        }
        let mut before = 0;
        while left.load(std::sync::atomic::Ordering::SeqCst) > 0 {
            let found = layout.referrers(&subject.digest, 1000, 1 << 20).unwrap();
            assert!(found.complete, "{:?}", found.findings);
            assert!(found.entries.len() >= before);
            before = found.entries.len();
        }
    });
    assert_eq!(support::listed(&layout, &subject.digest).len(), writers * each);
    assert_eq!(lists(layout.root(), &subject.digest).1.len(), writers * each);
}
