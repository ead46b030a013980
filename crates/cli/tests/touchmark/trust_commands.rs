//! `touchmark trust`, one person at a time.

use serde_json::json;

use crate::harness::Place;
use crate::trust::{ONLINE, client, downloaded, made, refreshed, sign_and_publish, status};

#[test]
fn one_command_makes_a_repository_that_clients_take() {
    let place = Place::new();
    let document = place.json("trust init --no-passphrase", 0);
    let made = &document["results"][0];
    assert_eq!((&made["published"], &made["root"]), (&json!(true), &json!("trust/metadata/1.root.json")));
    assert_eq!(made["keys_made"].as_array().unwrap().len(), 4);
    refreshed(&place, "client");
    // The job that it prints does nothing until it is time.
    let job = made["renewal_job"].as_str().unwrap().strip_prefix("touchmark ").unwrap().to_owned();
    place.run(&job).is(0).says("nothing is due");
    place.run("trust init --no-passphrase").is(2).says("already");
    // No key, and no name of one, is kept with the repository.
    for file in ["settings.json", "metadata/1.root.json"] {
        let text = String::from_utf8(place.read(&format!("trust/{file}"))).unwrap();
        assert!(!text.contains("PRIVATE") && !text.contains("trust-keys"), "{text}");
    }
}

#[test]
fn targets_are_published_and_downloaded() {
    let place = made();
    place.file("tool", "content");
    assert_eq!(place.ok("trust target add tool --prefix acme/"), "targets");
    sign_and_publish(&place, "--key trust-keys/targets");
    downloaded(&place, "client", "acme/tool", "content");

    // The same again changes nothing.
    place.run("trust target add tool --prefix acme/").is(0).says("nothing changed");
    assert_eq!(status(&place, "targets")["staged"], json!(null));

    place.file("tool", "other content");
    place.ok("trust target add tool --name acme/tool --hash sha512 --custom {\"x\":1}");
    sign_and_publish(&place, "--key trust-keys/targets");
    downloaded(&place, "client", "acme/tool", "other content");

    place.ok("trust target remove acme/tool");
    sign_and_publish(&place, "--key trust-keys/targets");
    let verb = "--target-name acme/tool --target-dir got --target-base-url trust/targets/ download";
    assert_ne!(client(&place, "client", verb).code, 0);
    place.run("trust target remove acme/tool").is(2).says("is no target");
}

#[test]
fn a_role_signs_for_its_names_alone() {
    let place = made();
    place.key("acme");
    place.file("tool", "content");
    assert_eq!(place.ok("trust delegate acme --key acme.pub --path acme/** --terminating"), "targets\nacme");
    sign_and_publish(&place, "--key trust-keys/targets --key acme");
    place.run("trust target add tool --role acme").is(2).says("not delegated");
    place.ok("trust target add tool --prefix acme/x/ --role acme");
    // Its own key is needed, and no other.
    place.run(&format!("trust publish {ONLINE}")).is(5).says("acme: 0 of 1 required signatures").says("trust sign");
    place.run("trust sign --key trust-keys/targets").is(2);
    sign_and_publish(&place, "--key acme");
    downloaded(&place, "client", "acme/x/tool", "content");

    assert_eq!(place.ok("trust undelegate acme"), "targets");
    sign_and_publish(&place, "--key trust-keys/targets");
    assert_ne!(client(&place, "client", "--target-name acme/x/tool lookup").code, 0);
    place.run("trust status --role acme").is(2);
}

#[test]
fn every_command_warns_in_the_last_quarter_of_a_life() {
    let place = Place::new();
    place.ok("trust --at 2030-01-01T00:00:00Z init --no-passphrase --quiet --lifetime timestamp=4d --lifetime root=400d");
    let at = |day: u32, line: &str| place.run(&format!("trust --at 2030-01-{day:02}T12:00:00Z {line}"));
    let quiet = at(3, "status").is(0);
    assert!(!quiet.stderr.contains("timestamp"), "{quiet:?}");
    at(4, "status").is(0).says("timestamp expires soon").says("trust publish --renew");
    at(6, "lifetime").is(0).says("timestamp expired");
    at(6, "discard targets").is(2).says("timestamp expired").says("nothing is staged");
    place.run("trust --at 2031-01-20T00:00:00Z status --quiet").is(0).says("root expires soon").says("trust renew");
    place.run("trust --at 2031-01-20T00:00:00Z status --quiet --role snapshot").is(0).says("snapshot expired");
}

#[test]
fn online_roles_are_renewed_when_half_of_their_life_is_over() {
    let place = Place::new();
    place.ok("trust --at 2030-01-01T00:00:00Z init --no-passphrase --quiet --lifetime timestamp=4d --lifetime snapshot=8d");
    // What is staged and not signed is not in the way of the job.
    place.ok("trust --at 2030-01-01T00:00:00Z renew targets");
    let at = |day: u32| {
        let line = format!("trust --at 2030-01-{day:02}T12:00:00Z publish --renew {ONLINE}");
        let document = place.json(&line, 0);
        let roles = document["results"][0]["published"].as_array().unwrap().iter();
        roles.map(|role| format!("{} {}", role["role"].as_str().unwrap(), role["version"])).collect::<Vec<_>>().join(", ")
    };
    assert_eq!(at(2), "");
    assert_eq!(at(3), "timestamp 2");
    assert_eq!(at(3), "");
    assert_eq!(at(5), "snapshot 2, timestamp 3");
    assert_eq!(at(20), "snapshot 3, timestamp 4", "after it has expired too");
    assert_eq!(status(&place, "targets")["staged"]["version"], json!(2));
}

#[test]
fn what_has_expired_is_renewed_and_not_published() {
    let place = Place::new();
    place.ok("trust --at 2030-01-01T00:00:00Z init --no-passphrase --quiet --lifetime targets=10d");
    let at = "trust --at 2030-01-12T00:00:00Z";
    place.run(&format!("{at} publish {ONLINE}")).is(5).says("targets.json: it expired");
    place.ok(&format!("{at} renew targets"));
    place.ok(&format!("{at} sign --key trust-keys/targets"));
    place.ok(&format!("{at} publish {ONLINE}"));
    assert_eq!(status(&place, "targets")["published"]["version"], json!(2));
    // What was staged too long ago is not published either.
    place.ok(&format!("{at} renew targets"));
    place.ok(&format!("{at} sign --key trust-keys/targets"));
    place.run(&format!("trust --at 2030-03-12T00:00:00Z publish {ONLINE}")).is(5).says("targets: expired");
}

#[test]
fn a_dry_run_publishes_nothing() {
    let place = made();
    place.ok("trust renew targets");
    place.run(&format!("trust publish --dry-run {ONLINE}")).is(5);
    place.ok("trust sign --key trust-keys/targets");
    assert_eq!(place.ok(&format!("trust publish --dry-run {ONLINE}")).lines().count(), 3);
    assert_eq!(status(&place, "targets")["published"]["version"], json!(1));
    assert!(!place.path("trust/metadata/2.targets.json").exists());
    place.ok("trust discard targets");
    place.run("trust discard targets").is(2);
    assert_eq!(status(&place, "targets")["staged"], json!(null));
}

#[test]
fn mistakes_are_told_with_what_to_try() {
    let place = made();
    place.key("acme");
    for (line, code, says) in [
        ("trust --dir nowhere status", 2, "trust init"),
        ("trust key threshold root 2", 2, "can never be reached"),
        ("trust key threshold root 0", 2, "at least 1"),
        ("trust key remove root trust-keys/root.pub", 2, "add a key"),
        ("trust key remove root acme.pub", 2, "has no key"),
        ("trust key add nobody acme.pub", 2, "trust status lists the roles"),
        ("trust delegate acme --key acme.pub --path acme/**/x", 2, "one pattern for each depth"),
        ("trust delegate targets --key acme.pub --path acme/*", 2, "is there already"),
        ("trust delegate a/b --key acme.pub --path acme/*", 2, "cannot be the name of a role"),
        ("trust delegate acme --key acme.pub", 2, "required"),
        ("trust delegate acme --key acme.pub --path acme/* --from nobody", 2, "no role"),
        ("trust target add acme.pub --name ../x", 2, "segment"),
        ("trust target add missing", 2, "no such file"),
        ("trust renew snapshot", 2, "trust publish"),
        ("trust sign --key acme", 2, "none of these keys"),
        ("trust sign", 2, "required"),
        ("trust sign --from acme.pub", 5, "acme.pub"),
        ("trust lifetime acme=1d", 2, "none of root"),
    ] {
        place.run(line).is(code).says(says);
        assert_eq!(place.json(line, code)["results"][0]["exit_code"], json!(code));
    }
    // None of it left anything.
    assert!(std::fs::read_dir(place.path("trust/staged")).unwrap().next().is_none());
}

/// Whoever signs is told what.
#[test]
fn what_is_signed_is_said() {
    let place = made();
    for name in ["acme", "other"] {
        place.key(name);
    }
    for (file, content) in [("tool", "content"), ("gone", "x")] {
        place.file(file, content);
        place.ok(&format!("trust target add {file}"));
    }
    sign_and_publish(&place, "--key trust-keys/targets");
    place.file("tool", "other content");
    place.ok("trust target add tool");
    place.ok("trust target add tool --name new");
    place.ok("trust target remove gone");
    place.ok("trust delegate acme --key acme.pub --path acme/* --terminating");
    place.ok("trust key add root other.pub --threshold 2");
    let changes = |role: &str| {
        status(&place, role)["changes"].as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let keyid = status(&place, "acme")["staged"]["signatures"]["keys"][0]["key_id"].as_str().unwrap().to_owned();
    let expected = [
        "acme: is delegated acme/*, terminating".to_owned(),
        format!("acme: key {keyid} may sign"),
        "acme: 1 must sign".to_owned(),
        "target removed: gone".to_owned(),
        "target added: new".to_owned(),
        "target changed: tool".to_owned(),
    ];
    assert_eq!(changes("targets"), expected);
    assert!(changes("root").contains(&"root: 2 must sign, not 1".to_owned()));
    assert!(changes("acme").is_empty() && changes("snapshot").is_empty());
    place.run("trust sign --key trust-keys/root").is(0).says("root: 2 must sign, not 1");
    place.run("trust sign --key trust-keys/targets").is(0).says("target removed: gone");
}

/// The grammar that scripts rely on; who changes it changes this file.
#[test]
fn the_help_is_as_it_is_pinned() {
    let place = Place::new();
    let mut help = String::new();
    for line in ["trust", "trust init", "trust sign", "trust publish", "trust key add", "trust delegate", "trust target add"] {
        help.push_str(&format!("$ touchmark {line} --help\n{}\n", place.ok(&format!("{line} --help"))));
    }
    let pinned = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/help/trust.txt");
    if std::env::var_os("TOUCHMARK_PIN_HELP").is_some() {
        std::fs::write(&pinned, &help).unwrap();
    }
    let expected = std::fs::read_to_string(&pinned).unwrap();
    assert!(help == expected, "the help differs from {}; if it should, run this test with TOUCHMARK_PIN_HELP=1\n{help}", pinned.display());
}

/// Nothing is written where a link in the repository leads, and the repository itself may be a link.
#[cfg(unix)]
#[test]
fn links_in_the_repository_are_not_followed() {
    let place = made();
    std::fs::rename(place.path("trust"), place.path("elsewhere")).unwrap();
    std::os::unix::fs::symlink("elsewhere", place.path("trust")).unwrap();
    place.file("tool", "content");
    place.file("precious", "precious");
    std::fs::create_dir(place.path("outside")).unwrap();
    std::os::unix::fs::symlink(place.path("outside"), place.path("trust/targets/acme")).unwrap();
    place.run("trust target add tool --prefix acme/").is(4).says("a link");
    assert!(std::fs::read_dir(place.path("outside")).unwrap().next().is_none());
    std::os::unix::fs::symlink(place.path("precious"), place.path("trust/staged/targets.json")).unwrap();
    place.run("trust renew targets").is(4).says("a link");
    assert_eq!(place.read("precious"), b"precious");
    std::fs::remove_file(place.path("trust/staged/targets.json")).unwrap();
    place.ok("trust target add tool");
    sign_and_publish(&place, "--key trust-keys/targets");
    downloaded(&place, "client", "tool", "content");
}
