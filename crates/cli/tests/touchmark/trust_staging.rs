//! What is staged can always be given up, and what is asked for is done to all of it or to nothing.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::json;

use crate::trust::{ONLINE, made, refreshed, sign_and_publish, status};

#[test]
fn a_bad_staged_file_is_named_and_can_be_discarded() {
    let place = made();
    place.key("acme");
    place.ok("trust delegate acme --key acme.pub --path acme/*");
    sign_and_publish(&place, "--key trust-keys/targets --key acme");
    let document = |signed: &str| format!(r#"{{"signatures":[],"signed":{{{signed},"expires":"2030-01-01T00:00:00Z","version":2}}}}"#);
    for role in ["root", "targets", "acme", "snapshot", "timestamp"] {
        let file = format!("trust/staged/{role}.json");
        let kind = if role == "acme" { "targets" } else { role };
        for content in [
            String::new(),
            "junk".to_owned(),
            document(&format!(r#""_type":"{}""#, if kind == "targets" { "root" } else { "targets" })),
            document(&format!(r#""_type":"{kind}","delegations":7,"meta":{{"targets.json":7,"snapshot.json":7}},"targets":{{}}"#)),
        ] {
            place.file(&file, content);
            for line in ["trust status", "trust sign --key trust-keys/targets", "trust publish"] {
                let ran = place.run(line).is(5);
                for said in [&format!("what is staged of {role} cannot be used"), &file, &format!("touchmark trust discard {role}")] {
                    assert!(ran.stderr.contains(said.as_str()), "`{said}` is missing in {ran:#?}");
                }
            }
            assert_eq!(place.ok(&format!("trust discard {role}")), role);
            place.ok("trust status");
        }
    }
    refreshed(&place, "client");
}

#[cfg(unix)]
#[test]
fn a_link_among_what_is_staged_is_discarded_and_not_followed() {
    let place = made();
    place.file("precious", "precious");
    std::os::unix::fs::symlink(place.path("precious"), place.path("trust/staged/targets.json")).unwrap();
    place.run("trust status").is(4).says("a link").says("trust discard targets");
    place.ok("trust discard targets");
    assert_eq!(place.read("precious"), b"precious");
    place.ok("trust status");
}

#[test]
fn of_several_roles_all_are_renewed_or_discarded_or_none() {
    let place = made();
    place.run("trust renew root nobody").is(2).says("nobody");
    place.run("trust renew targets snapshot").is(2);
    assert_eq!((&status(&place, "root")["staged"], &status(&place, "targets")["staged"]), (&json!(null), &json!(null)));
    place.ok("trust renew root");
    place.run("trust discard root targets").is(2).says("targets: nothing is staged");
    assert_eq!(status(&place, "root")["staged"]["version"], json!(2));
    assert_eq!(place.ok("trust renew root targets"), "root\ntargets");
    let document = place.json("trust discard root targets", 0);
    assert_eq!(document["results"][0]["discarded"], json!(["root", "targets"]));
    place.run("trust discard root").is(2).says("root: nothing is staged");
    place.run("trust discard ../settings").is(2).says("nothing is staged");
}

#[test]
fn a_key_is_not_replaced_by_itself() {
    let place = made();
    let keyid = status(&place, "root")["published"]["signatures"]["keys"][0]["keyid"].as_str().unwrap()[..10].to_owned();
    place.key("second");
    place.ok("trust key add targets second.pub");
    for line in [
        "trust key replace root trust-keys/root.pub trust-keys/root.pub".to_owned(),
        format!("trust key replace root {keyid} trust-keys/root.pub"),
        "trust key replace targets second.pub second.pub".to_owned(),
    ] {
        place.run(&line).is(2).says("is to come and to go in one change");
    }
    assert_eq!(status(&place, "targets")["staged"], json!(null));
    // A key that is there already may take another one's place.
    place.ok("trust key replace targets trust-keys/targets.pub second.pub");
}

#[test]
fn roles_that_only_look_like_bins_stay() {
    let place = made();
    for name in ["bins", "acme"] {
        place.key(name);
    }
    place.file("tool", "content");
    place.ok("trust delegate bin --key bins.pub --bins 2");
    place.ok("trust delegate bin-extra --key acme.pub --hash-prefix 00");
    place.ok("trust delegate other-0 --key acme.pub --hash-prefix 0");
    place.ok("trust delegate other-1 --key acme.pub --hash-prefix 1");
    // Two roles of such names are no bins.
    for line in ["trust undelegate other", "trust key add other bins.pub", "trust target add tool --role other"] {
        place.run(line).is(2).says("no role");
    }
    let changed = place.ok("trust key add bin acme.pub");
    assert!(!changed.contains("bin-extra"), "{changed}");
    assert_eq!(place.ok("trust undelegate bin"), "targets");
    let roles = place.ok("trust status");
    assert!(roles.contains("bin-extra,") && roles.contains("other-1,") && !roles.contains("bin-0,"), "{roles}");
    sign_and_publish(&place, "--key trust-keys/targets --key acme");
}

/// Every file and folder, with its content.
fn everything(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(everything(&path));
            found.insert(path.display().to_string(), Vec::new());
        } else {
            found.insert(path.display().to_string(), std::fs::read(&path).unwrap());
        }
    }
    found
}

#[test]
fn a_dry_run_writes_nothing_at_all() {
    let place = made();
    place.ok("trust renew targets");
    place.ok("trust sign --key trust-keys/targets");
    // As somebody has it who cloned only what is needed.
    std::fs::remove_dir_all(place.path("trust/targets")).unwrap();
    for entry in std::fs::read_dir(place.path("trust")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() && path.file_name().unwrap() != "settings.json" {
            std::fs::remove_file(path).unwrap();
        }
    }
    let before = everything(&place.path("trust"));
    place.ok(&format!("trust publish --dry-run {ONLINE}"));
    place.run("trust publish --dry-run").is(5);
    place.ok(&format!("trust publish --dry-run --renew {ONLINE}"));
    place.ok("trust status");
    assert_eq!(everything(&place.path("trust")), before);
}
