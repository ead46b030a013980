//! Standard output is data, standard error is talk, and JSON is one document whatever happens.

use crate::harness::Place;

fn place() -> Place {
    let place = Place::new();
    place.key("alice");
    place.pack("oci:lay:v1", "content");
    place.ok("sign oci:lay:v1 --key alice --quiet");
    place
}

/// What pipes read stays the same with --quiet, and is a pin that every command takes.
#[test]
fn quiet_keeps_the_pins_and_drops_the_talk() {
    let place = place();
    for line in
        ["verify oci:lay:v1 --key alice.pub", "copy oci:lay:v1 oci:far:v1", "resolve oci:lay:v1", "pack payload.txt --to oci:lay:v2"]
    {
        let loud = place.run(line).is(0);
        let quiet = place.run(&format!("{line} --quiet")).is(0);
        assert_eq!(loud.stdout, quiet.stdout);
        assert_eq!(quiet.stderr, "", "{line}");
        place.ok(&format!("resolve {}", quiet.stdout.trim_end()));
    }
}

#[test]
fn json_is_one_document_for_several_references_and_failures() {
    let place = place();
    place.pack("oci:lay:v2", "unsigned");
    let verdict = place.verify_is(3, "oci:lay:v1 oci:lay:v2 oci:lay:v3 --key alice.pub");
    let codes: Vec<i64> = verdict.json["results"].as_array().unwrap().iter().map(|result| result["exit_code"].as_i64().unwrap()).collect();
    assert_eq!(codes, [0, 3, 4]);
    assert_eq!(verdict.stdout.lines().count(), 1);
}

/// Also for a command line that cannot be read.
#[test]
fn json_is_kept_for_wrong_command_lines() {
    let place = place();
    for line in ["frobnicate", "sign", "pack --to", "verify oci:lay:v1 --key", "key generate --type rsa --out x", "copy oci:lay:v1"] {
        let document = place.json(line, 2);
        assert_eq!(document["results"][0]["error"]["code"], "usage", "{line}");
    }
}

#[test]
fn references_come_from_a_file_or_standard_input() {
    let place = place();
    place.file("list", "# what is deployed\noci:lay:v1\n\n");
    let verdict = place.verify_is(0, "--refs-from list --key alice.pub");
    assert_eq!(verdict.stdout.lines().count(), 1);
    let verdict = place.verify_with_input("--refs-from - --key alice.pub", b"oci:lay:v1\r\noci:lay:none\n");
    assert_eq!(verdict.code, 4);
    place.verify_is(2, "--refs-from nothing --key alice.pub");
    place.verify_is(2, "--refs-from - --key - oci:lay:v1");
}

/// Nobody reads the talk: that changes no outcome.
#[test]
fn talk_that_nobody_reads_changes_nothing() {
    let place = place();
    for line in ["verify oci:lay:v1 --key alice.pub -vv", "tree oci:lay:v1 -vv", "resolve oci:lay:v1", "sign oci:lay:v1 --key alice"] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let ran = place.touchmark(line).stderr(writer).output().unwrap();
        assert_eq!(ran.status.code(), Some(0), "{line}");
        assert!(!ran.stdout.is_empty(), "{line}");
    }
}

/// `-v` and TOUCHMARK_LOG talk on standard error alone.
#[test]
fn a_log_never_mixes_with_the_data() {
    let place = place();
    let plain = place.run("resolve oci:lay:v1").is(0);
    let verbose = place.run("resolve oci:lay:v1 -v").is(0).says("resolved");
    assert_eq!(plain.stdout, verbose.stdout);
    assert_eq!(plain.stderr, "");
    place.run("verify oci:lay:v1 --key alice.pub -v").is(0).says("resolved");
    place.run("verify oci:lay:v1 --key alice.pub -vv").is(0).says("referrers").says("manifest");
    let logged = place.touchmark("resolve oci:lay:v1").env("TOUCHMARK_LOG", "info").output().unwrap();
    assert!(String::from_utf8(logged.stderr).unwrap().contains("resolved"));
}

/// No control character that somebody wrote into a tag or a name reaches a terminal.
#[test]
fn control_characters_do_not_reach_the_terminal() {
    let place = place();
    let folder = crate::forge::Folder::open(&place, "lay");
    let mut index = folder.index();
    index["manifests"][0]["artifactType"] = "a\u{1b}[2J\u{202e}b".into();
    folder.write_index(&index);
    for line in ["tree oci:lay:v1", "verify oci:lay:no\u{1b}[2Jne --key alice.pub", "signature list oci:lay:v1"] {
        let ran = place.run(line);
        assert!(!ran.stdout.contains('\u{1b}') && !ran.stderr.contains('\u{1b}') && !ran.stdout.contains('\u{202e}'), "{ran:?}");
    }
}

#[test]
fn completions_and_manual_pages_name_every_command() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = place.ok(&format!("completions {shell}"));
        assert!(script.contains("unpack") && script.contains("covered-by"), "{shell}");
    }
    let pages = place.ok("man pages");
    assert_eq!(pages.lines().count(), 1 + 19 + 4 + 3 + 4 + (7 + 2) + (15 + 4 + 2 + 6 + 4) + (1 + 3));
    for page in pages.lines() {
        let text = String::from_utf8(place.read(page)).unwrap();
        assert!(text.contains(".SH NAME"), "{page}");
    }
    assert!(place.path("pages/touchmark-signature-delete.1").exists());
}

#[test]
fn help_is_grouped() {
    let help = Place::new().ok("--help");
    let places: Vec<usize> = ["Every day:", "Evidence:", "Trust:", "Plumbing:"].iter().map(|heading| help.find(heading).unwrap()).collect();
    assert!(places.is_sorted(), "{help}");
}
