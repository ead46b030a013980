//! Several people at once, and `kill -9` between any two steps: no signature is lost, and clients always have something good.

use crate::harness::{Place, Ran};
use crate::interrupted::{boundaries, copy_folder, reset};
use crate::trust::{ONLINE, client, downloaded, made, refreshed, status};

/// Runs all of these at once, and asserts that each succeeds.
fn at_once(place: &Place, lines: &[String]) {
    std::thread::scope(|scope| {
        let runs: Vec<_> = lines.iter().map(|line| scope.spawn(move || place.run(line))).collect();
        for run in runs {
            run.join().unwrap().is(0);
        }
    });
}

#[test]
fn eight_people_who_sign_at_once_all_have_signed() {
    let place = Place::new();
    let people: Vec<String> = (0..8).map(|number| format!("person{number}")).collect();
    people.iter().for_each(|name| place.key(name));
    let keys: Vec<String> = people.iter().map(|name| format!("--root-key {name}.pub")).collect();
    place.ok(&format!("trust init --no-passphrase --quiet {} --root-threshold 8", keys.join(" ")));
    at_once(&place, &people.iter().map(|name| format!("trust sign --key {name}")).collect::<Vec<_>>());
    assert_eq!(status(&place, "root")["staged"]["missing"], 0);
    place.ok(&format!("trust publish {ONLINE}"));
    refreshed(&place, "client");
}

#[test]
fn eight_changes_at_once_are_all_staged() {
    let place = made();
    for number in 0..8 {
        place.file(&format!("tool{number}"), format!("content {number}"));
    }
    at_once(&place, &(0..8).map(|number| format!("trust target add tool{number}")).collect::<Vec<_>>());
    place.ok("trust sign --key trust-keys/targets");
    // Two publish at once: one does it, and the other finds nothing left to do.
    at_once(&place, &[format!("trust publish {ONLINE}"), format!("trust publish {ONLINE}")]);
    for number in 0..8 {
        downloaded(&place, "client", &format!("tool{number}"), &format!("content {number}"));
    }
    assert_eq!(status(&place, "targets")["published"]["version"], 2);
}

/// What is changed while somebody signs it is not signed by that: of what the signature is over, nothing is there any more.
#[cfg(unix)]
#[test]
fn what_is_changed_while_it_is_signed_is_not_signed() {
    let place = made();
    place.file("tool", "content");
    place.ok("trust renew targets");
    // A signer that takes its time: before it answers, another process changes the document.
    let binary = env!("CARGO_BIN_EXE_touchmark");
    let signer = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/external-signer/openssl-signer.py")).unwrap();
    place.file("signer.py", signer);
    place.program(
        "slow-signer",
        &format!("#!/bin/sh\nread request\ncase $request in *message*) {binary} trust target add tool --quiet >&2;; esac\nprintf '%s\\n' \"$request\" | exec python3 signer.py\n"),
    );
    let sign = |place: &Place| {
        let line = "trust sign --key exec:./slow-signer";
        Ran::of(line, place.touchmark(line).env("SIGNER_KEY", "trust-keys/targets").output().unwrap())
    };
    let ran = sign(&place);
    assert_eq!(ran.code, 4, "{ran:?}");
    assert!(ran.stderr.contains("was changed by somebody else"), "{ran:?}");
    let standing = status(&place, "targets");
    assert_eq!((&standing["staged"]["signatures"]["valid"], &standing["staged"]["missing"]), (&0.into(), &1.into()));
    // The change is made, so that the second time nothing comes in between.
    assert_eq!(sign(&place).code, 0);
    place.ok(&format!("trust publish {ONLINE}"));
    downloaded(&place, "client", "tool", "content");
}

/// Asserts that clients, old and new, have something good, and that the same command then does what it should.
fn assert_safe(place: &Place, line: &str, when: &str) {
    for store in ["client", "new-client"] {
        let ran = client(place, store, "refresh");
        assert_eq!(ran.code, 0, "{when}: {store}: {ran:#?}");
    }
    let again = place.run(line);
    assert_eq!(again.code, 0, "{when}: {again:#?}");
    for store in ["client", "newer-client"] {
        let ran = client(place, store, "refresh");
        assert_eq!(ran.code, 0, "{when}, and again: {store}: {ran:#?}");
    }
}

fn killed_everywhere(template: &Place, line: &str, after: impl Fn(&Place, &str)) {
    refreshed(template, "client");
    let place = Place::new();
    reset(template, &place);
    let steps = boundaries(&place, line);
    for (number, step) in steps.iter().enumerate() {
        reset(template, &place);
        let killed = place.touchmark(line).env("TOUCHMARK_FAILPOINT", (number + 1).to_string()).output().unwrap();
        assert_eq!(killed.status.code(), None, "not killed at {step}: {:?}", Ran::of(line, killed));
        let when = format!("killed at {step}");
        assert_safe(&place, line, &when);
        after(&place, &when);
    }
    println!("{line}: killed at each of {} boundaries", steps.len());
}

/// A new target in a delegated role, and a new root with another key, all at once.
fn ready_to_publish() -> Place {
    let place = made();
    for name in ["acme", "root2"] {
        place.key(name);
    }
    place.ok("trust delegate acme --key acme.pub --path acme/*");
    place.ok("trust sign --key trust-keys/targets --key acme");
    place.ok(&format!("trust publish {ONLINE}"));
    refreshed(&place, "client");
    place.file("tool", "content");
    place.ok("trust target add tool --prefix acme/ --role acme");
    place.ok("trust target add tool");
    place.ok("trust key replace root trust-keys/root.pub root2.pub");
    place.ok("trust sign --key trust-keys/targets --key acme --key trust-keys/root --key root2");
    place
}

#[test]
fn publish_killed_at_every_boundary_leaves_a_good_repository() {
    let template = ready_to_publish();
    killed_everywhere(&template, &format!("trust publish {ONLINE}"), |place, when| {
        for path in ["acme/tool", "tool"] {
            downloaded(place, "client", path, "content");
        }
        let state = status(place, "root");
        assert_eq!((&state["published"]["version"], &state["staged"]), (&2.into(), &serde_json::Value::Null), "{when}");
        // Nothing is left lying about: the next change begins with a clean table.
        let left: Vec<_> = std::fs::read_dir(place.path("trust/staged")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert!(left.is_empty(), "{when}: {left:?}");
        place.run("trust renew targets").is(0);
    });
}

/// With the old keys given beside the new ones, a client that comes between any two of the steps of a rotation goes on too.
#[test]
fn rotations_killed_at_every_boundary_leave_a_good_repository() {
    for role in ["timestamp", "snapshot", "targets"] {
        let template = made();
        refreshed(&template, "client");
        template.key("new");
        template.ok(&format!("trust key replace {role} trust-keys/{role}.pub new.pub"));
        template.ok("trust sign --key trust-keys/root");
        if role == "targets" {
            template.ok("trust sign --key new --key trust-keys/targets");
        }
        killed_everywhere(&template, &format!("trust publish {ONLINE} --key new"), |place, when| {
            assert_eq!(status(place, role)["published"]["missing"], 0, "{when}");
        });
    }
}

#[test]
fn sign_killed_at_every_boundary_loses_no_signature() {
    let template = Place::new();
    for name in ["alice", "bob"] {
        template.key(name);
    }
    template.ok("trust init --no-passphrase --quiet");
    template.ok("trust key add root alice.pub bob.pub --threshold 3");
    template.ok("trust sign --key trust-keys/root --key alice");
    killed_everywhere(&template, "trust sign --key bob", |place, when| {
        assert_eq!(status(place, "root")["staged"]["missing"], 0, "{when}");
    });
}

#[test]
fn a_change_killed_at_every_boundary_is_made_by_the_next_run() {
    let template = made();
    template.file("tool", "content");
    template.key("acme");
    killed_everywhere(&template, "trust target add tool", |place, _| {
        place.ok("trust sign --key trust-keys/targets");
        place.ok(&format!("trust publish {ONLINE}"));
        downloaded(place, "client", "tool", "content");
    });
    killed_everywhere(&template, "trust key add targets acme.pub", |place, when| {
        assert_eq!(status(place, "root")["staged"]["version"], 2, "{when}");
    });
}

#[test]
fn init_killed_at_every_boundary_can_be_run_again() {
    let template = Place::new();
    for name in ["root", "targets", "online"] {
        template.key(name);
    }
    let line = "trust init --root-key root --targets-key targets --snapshot-key online --timestamp-key online";
    let place = Place::new();
    reset(&template, &place);
    for (number, step) in boundaries(&place, line).iter().enumerate() {
        reset(&template, &place);
        let killed = place.touchmark(line).env("TOUCHMARK_FAILPOINT", (number + 1).to_string()).output().unwrap();
        assert_eq!(killed.status.code(), None, "not killed at {step}");
        let again = place.run(line);
        // Once it is there, what is left to do is to sign and to publish.
        if again.code == 2 && again.stderr.contains("already") {
            let _ = place.run("trust sign --key root --key targets");
            place.ok("trust publish --key online");
        } else {
            assert_eq!(again.code, 0, "killed at {step}: {again:#?}");
        }
        refreshed(&place, "client");
    }
}

#[test]
fn a_full_disk_leaves_what_was_published() {
    let template = ready_to_publish();
    let place = Place::new();
    let line = format!("trust publish {ONLINE}");
    reset(&template, &place);
    for number in 1..=boundaries(&place, &line).len() {
        reset(&template, &place);
        let failed = place.touchmark(&line).env("TOUCHMARK_FAILPOINT_ERROR", format!("{number}+:ENOSPC")).output().unwrap();
        let ran = Ran::of(&line, failed);
        assert!([0, 4].contains(&ran.code), "{number}: {ran:?}");
        refreshed(&place, "client");
        place.ok(&line);
        downloaded(&place, "client", "acme/tool", "content");
    }
}

/// A copy of the folder is all that there is to back up.
#[test]
fn a_copied_folder_is_the_same_repository() {
    let place = ready_to_publish();
    copy_folder(&place.path("trust"), &place.path("copy"));
    std::fs::remove_dir_all(place.path("trust")).unwrap();
    std::fs::rename(place.path("copy"), place.path("trust")).unwrap();
    place.ok(&format!("trust publish {ONLINE}"));
    downloaded(&place, "client", "acme/tool", "content");
}
