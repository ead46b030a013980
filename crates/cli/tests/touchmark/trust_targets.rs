//! Files become targets: only those that should, and only where their role is.

use std::path::Path;
use std::sync::Arc;

use serde_json::json;
use touchmark_test_registry::Site;

use crate::trust::{client, downloaded, made, sign_and_publish, status};

/// Every file below a folder.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path.display().to_string()) }
    }
    found.sort();
    found
}

#[cfg(not(windows))]
#[test]
fn a_name_with_a_colon_is_downloaded_from_a_folder_and_over_http() {
    let place = made();
    place.key("acme");
    place.file("nm", "the program");
    place.ok("trust delegate acme --key acme.pub --path acme/*");
    place.ok("trust target add nm --name acme/nm:stable --role acme");
    sign_and_publish(&place, "--key trust-keys/targets --key acme");
    let file = "got/acme%2Fnm%3Astable";
    let verb = "--target-name acme/nm:stable --target-dir got --target-base-url trust/targets/ download";
    client(&place, "client", verb).is(0);
    assert_eq!(place.read(file), b"the program");
    std::fs::remove_file(place.path(file)).unwrap();
    let site = Arc::new(Site::start(place.path("trust")));
    let url = site.url();
    place.ok("tuf --metadata-dir other init trust/metadata/1.root.json");
    let options = "--target-name acme/nm:stable --target-dir got";
    place.ok(&format!("tuf --metadata-dir other --metadata-url {url}metadata/ {options} --target-base-url {url}targets/ download"));
    assert_eq!(place.read(file), b"the program");
}

#[test]
fn nothing_is_copied_before_its_role_is_known() {
    let place = made();
    place.key("acme");
    place.file("tool", "content");
    place.file("bad-list", "x 1 sha256:00\n");
    place.ok("trust delegate acme --key acme.pub --path acme/*");
    place.file("folder/a", "a");
    place.file("folder/b/c", "c");
    for (line, says) in [
        ("trust target add tool --role nobody", "no role"),
        ("trust target add tool --role acme", "not delegated"),
        ("trust target add folder --prefix acme/ --role acme", "not delegated"),
        ("trust target add tool --role snapshot", "is made when something is published"),
        ("trust target add tool missing", "no such file"),
        ("trust target add tool --from-list bad-list", "line 1"),
        ("trust target add tool --name ../tool", "segment"),
    ] {
        place.run(line).is(2).says(says);
        assert_eq!(files(&place.path("trust/targets")), [""; 0], "{line}");
    }
    place.ok("trust target add tool --prefix acme/ --role acme");
    assert_eq!(files(&place.path("trust/targets")).len(), 1);
}

#[test]
fn what_is_hidden_in_a_folder_is_left_out_and_said() {
    let place = made();
    for file in ["folder/a", "folder/.env", "folder/.git/config", "folder/b/.netrc", "folder/b/c"] {
        place.file(file, "secret?");
    }
    let ran = place.run("trust target add folder").is(0);
    for hidden in ["folder/.env: left out", "folder/.git: left out", "folder/b/.netrc: left out"] {
        assert!(ran.stderr.contains(hidden), "{ran:?}");
    }
    assert_eq!(files(&place.path("trust/targets")).len(), 2);
    assert_eq!(status(&place, "targets")["changes"], json!(["target added: a", "target added: b/c"]));
    // Who names it means it.
    place.ok("trust target add folder/.env --name env");
}

#[test]
fn a_private_key_does_not_become_a_target() {
    let place = made();
    place.key("alice");
    let line = "key generate --quiet --out encrypted";
    assert!(place.touchmark(line).env("TOUCHMARK_PASSPHRASE", "secret").output().unwrap().status.success());
    place.file("folder/a", "a");
    let openssh = "-----BEGIN OPENSSH PRIVATE KEY-----\r\nAAAA\r\n-----END OPENSSH PRIVATE KEY-----\r\n";
    for (name, text) in [
        ("plain", place.read("alice")),
        ("encrypted", place.read("encrypted")),
        ("openssh", openssh.as_bytes().to_vec()),
        ("below", format!("# my key\n{openssh}").into_bytes()),
    ] {
        let file = place.file(&format!("folder/{name}"), text);
        place.run("trust target add folder").is(2).says(name).says("private key");
        place.run(&format!("trust target add folder/{name}")).is(2).says("private key");
        std::fs::remove_file(file).unwrap();
        assert_eq!(files(&place.path("trust/targets")), [""; 0], "{name}");
    }
    place.file("folder/alice.pub", place.read("alice.pub"));
    place.file("folder/about", "a file that begins with -----BEGIN PRIVATE KEY----- is a key");
    place.ok("trust target add folder");
}

#[cfg(unix)]
#[test]
fn links_in_the_targets_lead_nowhere() {
    let place = made();
    place.file("tool", "content");
    std::fs::create_dir_all(place.path("outside/sub")).unwrap();
    std::os::unix::fs::symlink(place.path("outside"), place.path("trust/targets/acme")).unwrap();
    for path in ["acme/tool", "acme/sub/tool", "acme/new/tool", "acme/sub/new/tool"] {
        place.run(&format!("trust target add tool --name {path}")).is(4).says("a link");
        assert_eq!(files(&place.path("outside")), [""; 0], "{path}");
        assert!(!place.path("outside/new").exists() && !place.path("outside/sub/new").exists(), "{path}");
    }
    place.ok("trust target add tool --name other/sub/tool");
    sign_and_publish(&place, "--key trust-keys/targets");
    downloaded(&place, "client", "other/sub/tool", "content");
}
