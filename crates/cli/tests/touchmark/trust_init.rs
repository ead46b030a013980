//! `touchmark trust init`: keys and repository are both there afterwards, or neither; and the job that it prints.

use std::path::Path;

use serde_json::json;

use crate::harness::{Place, Ran};
use crate::interrupted::{boundaries, reset};
use crate::trust::refreshed;

fn files_in(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn nothing_is_made_for_a_time_at_which_it_would_have_expired_by_the_clock() {
    let place = Place::new();
    let ran = place.run("trust --at 2020-01-01T00:00:00Z init --no-passphrase").is(5).says("expired at");
    assert!(ran.stderr.contains("leave --at out"), "{ran:#?}");
    place
        .run("trust --at 2020-01-01T00:00:00Z init --no-passphrase --lifetime root=9999d --lifetime targets=9999d")
        .is(5)
        .says("snapshot: expired");
    assert!(files_in(&place.path("trust")).is_empty() && files_in(&place.path("trust-keys")).is_empty());
    // What is made for later has not expired.
    place.ok("trust --at 2030-01-01T00:00:00Z init --no-passphrase");
}

#[test]
fn what_is_wrong_is_found_before_a_key_is_written() {
    let place = Place::new();
    place.key("alice");
    place.file("full/file", "");
    for (line, says) in [
        ("trust init --no-passphrase --root-key alice.pub --root-threshold 2", "can never be reached"),
        ("trust init --no-passphrase --targets-threshold 2", "can never be reached"),
        ("trust --dir full init --no-passphrase", "is not empty"),
        ("trust --dir alice init --no-passphrase", "is not empty"),
    ] {
        place.run(line).is(2).says(says);
        for folder in ["trust", "trust-keys", "full-keys", "alice-keys"] {
            assert!(!place.path(folder).exists(), "{line}: {folder}");
        }
    }
    place.ok("trust init --no-passphrase");
}

/// On a full disk nothing is left, or all of it; and another run goes on.
#[test]
fn an_init_that_fails_leaves_no_keys_without_a_repository() {
    let template = Place::new();
    let line = "trust init --no-passphrase";
    let place = Place::new();
    reset(&template, &place);
    let steps = boundaries(&place, line).len();
    assert!(steps > 10);
    for number in 1..=steps {
        reset(&template, &place);
        let failed = place.touchmark(line).env("TOUCHMARK_FAILPOINT_ERROR", format!("{number}+:ENOSPC")).output().unwrap();
        let failed = Ran::of(line, failed);
        assert!([0, 4].contains(&failed.code), "{number}: {failed:#?}");
        if failed.code == 0 {
            continue;
        }
        if place.path("trust/settings.json").exists() {
            // It says how to go on.
            let hint = failed
                .stderr
                .lines()
                .find(|line| line.contains("the repository is made"))
                .unwrap_or_else(|| panic!("{number}: {failed:#?}"));
            let commands = hint.split("touchmark ").skip(1).map(|command| command.trim_end_matches(", then "));
            for command in commands {
                // That may have been done.
                let ran = place.run(command);
                assert!(ran.code == 0 || command.contains(" sign "), "{number}: {ran:#?}");
            }
        } else {
            assert_eq!(files_in(&place.path("trust-keys")), [""; 0], "{number}: {failed:#?}");
            place.ok(line);
        }
        refreshed(&place, "client");
    }
}

/// What a run that was killed has left of keys, another run does not overwrite, and says how to go on with it.
#[test]
fn an_init_that_was_killed_is_run_again_with_the_keys_that_it_left() {
    let template = Place::new();
    let line = "trust init --no-passphrase";
    let place = Place::new();
    reset(&template, &place);
    for (number, step) in boundaries(&place, line).iter().enumerate() {
        reset(&template, &place);
        let killed = place.touchmark(line).env("TOUCHMARK_FAILPOINT", (number + 1).to_string()).output().unwrap();
        assert_eq!(killed.status.code(), None, "not killed at {step}");
        let keys = files_in(&place.path("trust-keys"));
        let private = place.path("trust-keys/root");
        let before = std::fs::read(&private).ok();
        let again = place.run(line);
        if place.path("trust/settings.json").exists() && again.code == 2 {
            again.says("is not empty");
            let _ = place.run("trust sign --key trust-keys/root --key trust-keys/targets");
            place.ok(&format!("trust publish {}", crate::trust::ONLINE));
        } else if keys.is_empty() {
            again.is(0);
        } else {
            let again = again.is(2).says("never overwritten");
            let options = again.stderr.split("go on with ").nth(1).unwrap().trim();
            place.ok(&format!("{line} {options}"));
        }
        if before.is_some() {
            assert_eq!(std::fs::read(&private).ok(), before, "{step}");
        }
        refreshed(&place, "client");
    }
}

#[test]
fn keys_of_others_are_not_overwritten() {
    let place = Place::new();
    place.file("trust-keys/timestamp.pub", "precious");
    place.run("trust init --no-passphrase").is(2).says("trust-keys/timestamp.pub: exists").says("--keys-to");
    assert_eq!(files_in(&place.path("trust-keys")), ["timestamp.pub"]);
    assert!(!place.path("trust").exists());
}

#[test]
fn the_renewal_job_runs_from_any_folder() {
    let place = Place::new();
    for name in ["one", "two"] {
        place.key(name);
    }
    let line = "trust --dir it's%here init --no-passphrase --quiet --snapshot-key one --timestamp-key one --timestamp-key two.pub --lifetime timestamp=1s";
    let document = place.json(line, 0);
    let job = document["results"][0]["renewal_job"].as_str().unwrap();
    let folder = place.path("it's%here");
    let keys = format!("--key {} --key {}", place.path("one").display(), place.path("two").display());
    let quoted = folder.display().to_string().replace('\'', r"'\''");
    assert_eq!(job, format!("touchmark trust --dir '{quoted}' publish --renew {keys}"));
    // Another folder, and a shell.
    let binary = Path::new(env!("CARGO_BIN_EXE_touchmark"));
    let mut shell = std::process::Command::new("sh");
    let path = format!("{}:/usr/bin:/bin", binary.parent().unwrap().display());
    let ran = shell.args(["-c", job]).env("PATH", path).current_dir("/").output().unwrap();
    Ran::of(job, ran).is(0);
    // In CI, where the folder is checked out and the keys are secrets.
    let job = document["results"][0]["renewal_job_ci"].as_str().unwrap().strip_prefix("touchmark ").unwrap();
    assert_eq!(job, r"trust --dir 'it'\''s%here' publish --renew --key env:ONLINE_KEY_1 --key env:ONLINE_KEY_2");
    let job = job.replace(r"'it'\''s%here'", "it's%here");
    let key = |name: &str| String::from_utf8(place.read(name)).unwrap();
    let ran = place.touchmark(&job).env("ONLINE_KEY_1", key("one")).env("ONLINE_KEY_2", key("two")).output().unwrap();
    Ran::of(&job, ran).is(0);
}

#[test]
fn init_says_how_the_job_is_run_and_gets_its_passphrase() {
    let place = Place::new();
    let line = "trust --dir a%b init";
    let ran = place.touchmark(line).env("TOUCHMARK_PASSPHRASE", "open sesame").output().unwrap();
    let ran = Ran::of(line, ran).is(0);
    for said in
        ["17 3 * * *  touchmark trust --dir /", r"a\%b publish", "--key env:ONLINE_KEY_1", "$TOUCHMARK_PASSPHRASE", "--passphrase-file"]
    {
        assert!(ran.stderr.contains(said), "`{said}` is missing in {ran:#?}");
    }
    assert!(!ran.stderr.contains("sesame"));
    assert_eq!(files_in(&place.path("a%b-keys")).len(), 8);
    assert_eq!(json!(place.path("a%b/metadata/timestamp.json").exists()), json!(true));
}
