//! The reference implementation's command line beside `touchmark in-toto`: links, layouts and verdicts.

use std::path::PathBuf;
use std::process::Command;

use base64::Engine as _;
use serde_json::Value;

use crate::harness::{Place, Ran};
use crate::tool;

/// The envelopes: what theirs is told, and what ours is.
const FORMS: [(&str, &str); 2] = [("--use-dsse", "--envelope dsse"), ("", "--envelope legacy")];

/// One of their tools in the test's folder. `None` if it is missing and may be; then it has said so.
fn theirs(place: &Place, name: &str, line: &str) -> Option<Ran> {
    let program: PathBuf = tool::python()?.with_file_name(name);
    let mut command = Command::new(program);
    command.args(line.split_whitespace()).current_dir(place.path("")).env("HOME", place.path(""));
    Some(Ran::of(&format!("{name} {line}"), command.output().unwrap()))
}

/// What is signed in a document.
fn signed(place: &Place, file: &str) -> Value {
    let document: Value = serde_json::from_slice(&place.read(file)).unwrap();
    match document["payload"].as_str() {
        Some(payload) => serde_json::from_slice(&base64::engine::general_purpose::STANDARD.decode(payload).unwrap()).unwrap(),
        None => document["signed"].clone(),
    }
}

/// Keys of both kinds that they take, and sources with everything that is recorded in its own way.
fn place() -> Place {
    let place = Place::new();
    std::fs::create_dir(place.path("keys")).unwrap();
    for (name, kind) in [("bob", "ed25519"), ("carol", "ecdsa-p256"), ("owner", "ed25519")] {
        place.ok(&format!("key generate --type {kind} --no-passphrase --quiet --out keys/{name}"));
    }
    for name in ["src/main.c", "src/sub/\u{e9} [x]", "src/cached.pyc", "src/.git/config", "src/old~", "src/a.link", "other/file"] {
        place.file(name, name);
    }
    #[cfg(unix)]
    for (name, target) in [("file", "main.c"), ("out", "../other/file"), ("folder", "../other"), ("nowhere", "none")] {
        std::os::unix::fs::symlink(target, place.path("src").join(name)).unwrap();
    }
    place
}

#[test]
fn a_step_that_is_run_there_and_here_has_the_same_link_in_the_same_file() {
    for key in ["bob", "carol"] {
        for (flag, envelope) in FORMS {
            for (their_excludes, our_excludes) in [("", ""), ("--exclude sub *.c", "--exclude sub --exclude *.c")] {
                let place = place();
                let line =
                    format!("-n build --signing-key keys/{key} {flag} -d theirs -m src -p src app {their_excludes} -- cp src/main.c app");
                std::fs::create_dir(place.path("theirs")).unwrap();
                let Some(ran) = theirs(&place, "in-toto-run", &line) else { return };
                ran.is(0);
                let ours = place.ok(&format!(
                    "in-toto run --step build --key keys/{key} {envelope} --out-dir ours --materials src --products src --products app \
                     {our_excludes} --quiet -- cp src/main.c app"
                ));
                let file = ours.strip_prefix("ours/").unwrap();
                assert_eq!(signed(&place, &ours), signed(&place, &format!("theirs/{file}")));
            }
        }
    }
}

#[test]
fn a_step_by_hand_is_started_there_and_stopped_here_and_the_other_way_round() {
    for (flag, envelope) in FORMS {
        let place = place();
        let there =
            |verb: &str, what: &str| theirs(&place, "in-toto-record", &format!("{verb} -n build --signing-key keys/bob {flag} {what} src"));
        let here =
            |verb: &str, what: &str| place.ok(&format!("in-toto record {verb} --step build --key keys/bob {envelope} {what} src --quiet"));
        let Some(started) = there("start", "-m") else { return };
        started.is(0);
        place.file("src/new", "new");
        let ours = here("stop", "--products");
        let first = signed(&place, &ours);
        std::fs::remove_file(place.path(&ours)).unwrap();
        std::fs::remove_file(place.path("src/new")).unwrap();
        here("start", "--materials");
        place.file("src/new", "new");
        there("stop", "-p").unwrap().is(0);
        assert_eq!(signed(&place, &ours), first);
        assert_ne!(first["materials"], first["products"]);
    }
}

#[test]
fn a_chain_that_was_made_here_is_verified_there_and_here_and_a_tampered_one_nowhere() {
    for (flag, envelope) in FORMS {
        let place = place();
        place.ok("in-toto new --functionary keys/bob.pub --functionary keys/carol.pub --out my.layout");
        // One person a step, and what is built goes into the package by its name.
        let text = String::from_utf8(place.read("my.layout")).unwrap().replace("\"threshold\": 2", "\"threshold\": 1");
        place.file("one.layout", text);
        place.ok(&format!("in-toto sign one.layout --key keys/owner {envelope} --out root.layout --quiet"));
        std::fs::create_dir(place.path("out")).unwrap();
        let build = "in-toto run --step build --key keys/bob --out-dir links --materials src --products src --products out --quiet";
        place.ok(&format!("{build} {envelope} -- cp src/main.c out/app"));
        // The second step by the other's tool: each takes what the other made.
        let package = format!("-n package --signing-key keys/carol {flag} -d links -m out -p out app.tar -- tar cf app.tar out/app");
        let Some(ran) = theirs(&place, "in-toto-run", &package) else { return };
        ran.is(0);
        std::fs::create_dir(place.path("final")).unwrap();
        std::fs::copy(place.path("app.tar"), place.path("final/app.tar")).unwrap();
        // They run `true` in the folder where they are, and record it.
        let verify = |code: i32| {
            let python = tool::python().unwrap().with_file_name("in-toto-verify");
            let mut command = Command::new(python);
            command.args("--layout ../root.layout --verification-keys ../keys/owner.pub --link-dir ../links".split(' '));
            let by_them = Ran::of("in-toto-verify", command.current_dir(place.path("final")).output().unwrap());
            assert_eq!(by_them.code == 0, code == 0, "{by_them:#?}");
            // What they record of the inspection is no part of the product.
            let _ = std::fs::remove_file(place.path("final/product.link"));
            place.run("in-toto verify --layout root.layout --layout-key keys/owner.pub --links links --products final").is(code)
        };
        verify(0);
        place.file("final/app.tar", "something else");
        verify(1).says("`product`, materials, rule 2, DISALLOW *");
        std::fs::copy(place.path("app.tar"), place.path("final/app.tar")).unwrap();
        verify(0);
        place.file("out/app", "changed between the steps");
        theirs(&place, "in-toto-run", &package).unwrap().is(0);
        std::fs::copy(place.path("app.tar"), place.path("final/app.tar")).unwrap();
        verify(1).says("`package`, materials, rule 2, DISALLOW *");
    }
}

#[test]
fn a_layout_that_both_sign_is_verified_there_and_here() {
    for (_, envelope) in FORMS {
        let place = place();
        place.ok("in-toto new --functionary keys/bob.pub --functionary keys/carol.pub --out my.layout");
        place.ok(&format!("in-toto sign my.layout --key keys/owner {envelope} --out root.layout --quiet"));
        let Some(ran) = theirs(&place, "in-toto-sign", "-f root.layout -a -k keys/carol") else { return };
        ran.is(0);
        place.ok("in-toto sign root.layout --key keys/bob --quiet");
        theirs(&place, "in-toto-sign", "-f root.layout --verify -k keys/owner.pub keys/carol.pub keys/bob.pub").unwrap().is(0);
        let verify =
            "in-toto verify --layout root.layout --layout-key keys/owner.pub --layout-key keys/carol.pub --layout-key keys/bob.pub";
        // All three have signed it, and nobody did the steps.
        place.run(&format!("{verify} --links .")).is(1).says("step `build`");
        let text = String::from_utf8(place.read("my.layout")).unwrap();
        place.file("other.layout", text.replace("src/*", "*"));
        place.ok(&format!("in-toto sign other.layout --key keys/bob {envelope} --out mixed.layout --quiet"));
        let mut mixed: Value = serde_json::from_slice(&place.read("mixed.layout")).unwrap();
        let theirs_too: Value = serde_json::from_slice(&place.read("root.layout")).unwrap();
        mixed["signatures"] = theirs_too["signatures"].clone();
        place.file("root.layout", mixed.to_string());
        let ran = theirs(&place, "in-toto-sign", "-f root.layout --verify -k keys/owner.pub").unwrap();
        assert_ne!(ran.code, 0, "{ran:#?}");
        place.run(&format!("{verify} --links .")).is(5).says("not signed by the key");
    }
}
