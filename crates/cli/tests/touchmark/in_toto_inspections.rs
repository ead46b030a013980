//! Inspections of `touchmark in-toto verify`: none is run unasked, and what is run is bounded.
#![cfg(unix)]

use crate::harness::Ran;
use crate::in_toto::{Chain, Form, Key, inspection, layout, link, step};

/// An inspection with a command of the shell, which leaves words whole.
fn shell(name: &str, script: &str, materials: &[&str], products: &[&str]) -> serde_json::Value {
    let mut inspection = inspection(name, "sh", materials);
    inspection["run"] = serde_json::json!(["sh", "-c", script]);
    inspection["expected_products"] = crate::in_toto::rules(products);
    inspection
}

/// The marks that commands left.
fn marks(chain: &Chain) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(chain.place.path("marks")) else { return Vec::new() };
    let mut marks: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    marks.sort();
    marks
}

/// A chain with two inspections, and a sublayout with one of its own, each of which would leave a mark. The product is `app.tar`.
fn hostile() -> Chain {
    let mut chain = Chain::new(Form::Dsse);
    std::fs::create_dir(chain.place.path("marks")).unwrap();
    chain.place.file("out/app.tar", "app.tar");
    let mark = |name: &str| format!("touch {}/{name}", chain.place.path("marks").display());
    let (one, two, below) = (mark("one"), mark("two"), mark("below"));
    let sub = layout(&["bob"], vec![step("build", &["bob"], &[], &[])], vec![shell("one", &below, &[], &[])]);
    chain.put("links", "build", &sub, "bob");
    let folder = format!("links/build.{}", &Key::of("bob").keyid()[..8]);
    chain.link(&folder, &link("build", &[], &["app"]), "bob");
    chain.inspect(shell("one", &one, &["MATCH app.tar WITH PRODUCTS FROM pack", "DISALLOW *"], &[]));
    chain.inspect(shell("two", &two, &[], &[]));
    chain
}

#[test]
fn no_command_of_a_layout_or_a_sublayout_is_run_unasked() {
    let chain = hostile();
    for more in ["", "--products out", "--inspection-key owner.pub --products out", "--explain", "--param x=y"] {
        let ran = chain.verify(more);
        assert_ne!(ran.code, 0, "{ran:#?}");
    }
    assert_eq!(marks(&chain), [""; 0]);
}

#[test]
fn only_the_inspection_that_is_named_is_run_and_never_one_of_a_sublayout() {
    let mut chain = hostile();
    // The sublayout's own of the same name keeps its step from counting, so that nothing is run.
    chain.verify("--products out --run-inspection one --run-inspection two").is(1);
    assert_eq!(marks(&chain), [""; 0]);
    chain.link("links", &link("build", &[], &["app"]), "bob");
    assert_eq!(chain.reasons(1, "--products out --run-inspection one"), ["in-toto-inspection-unanswered"]);
    assert_eq!(marks(&chain), ["one"]);
    chain.layout["inspect"].as_array_mut().unwrap().pop();
    let result = chain.result(0, "--products out --run-inspection one");
    assert_eq!(result["report"]["layouts"][0]["inspections"][0]["answer"], "run");
    assert_eq!(marks(&chain), ["one"]);
}

#[test]
fn nothing_is_run_once_something_failed() {
    let chain = hostile();
    chain.link("links", &link("build", &[], &["app", "x"]), "bob");
    chain.verify("--products out --run-inspection one").is(1);
    assert_eq!(marks(&chain), [""; 0]);
}

#[test]
fn an_inspection_that_the_layout_lacks_is_a_mistake() {
    let chain = hostile();
    chain.verify("--run-inspection three").is(2).says("no such inspection").says("one, two");
    chain.verify("--product oci:x:y --run-inspection one").is(2);
    chain.verify("--inspection-timeout 1s").is(2);
    assert_eq!(marks(&chain), [""; 0]);
}

/// A chain whose one inspection has this command, run with the product `app.tar`.
fn inspected(script: &str, materials: &[&str], products: &[&str], more: &str) -> (Chain, Ran) {
    let mut chain = Chain::new(Form::Dsse);
    chain.place.file("out/app.tar", "app.tar");
    chain.place.file("out/skip/x", "x");
    std::fs::create_dir(chain.place.path("marks")).unwrap();
    let script = script.replace("MARKS", &chain.place.path("marks").display().to_string());
    chain.inspect(shell("look", &script, materials, products));
    let ran = chain.verify(&format!("--products out --exclude skip --run-inspection look {more}"));
    (chain, ran)
}

const TIED: &[&str] = &["MATCH app.tar WITH PRODUCTS FROM pack", "DISALLOW *"];

#[test]
fn a_command_sees_a_copy_of_the_product_and_its_folder_is_recorded_before_and_after() {
    let (chain, ran) = inspected("cp app.tar app", TIED, &["MATCH app.tar WITH PRODUCTS FROM pack", "CREATE app", "DISALLOW *"], "");
    ran.is(0);
    assert!(!chain.place.path("out/app").exists() && !chain.place.path("app").exists());
    inspected("touch more", TIED, TIED, "").1.is(1).says("more");
    inspected("echo x >app.tar", TIED, TIED, "").1.is(1).says("app.tar");
    // Where it began, a file that no rule allows.
    inspected("true", &["DISALLOW *"], &[], "").1.is(1);
}

#[test]
fn a_command_that_returns_something_else_than_zero_or_is_ended_by_a_signal_fails() {
    let (_, ran) = inspected("echo what it found; exit 3", TIED, &[], "");
    ran.is(1).says("returned 3").says("look: what it found");
    inspected("kill -9 $$", TIED, &[], "").1.is(1).says("returned -1");
}

#[test]
fn a_link_out_of_the_folder_that_a_command_leaves_could_hide_what_is_there() {
    inspected("ln -s /etc/passwd x", TIED, &[], "").1.is(1).says("leads out of the folder");
}

#[test]
fn a_command_that_hangs_is_ended_and_nothing_of_it_goes_on() {
    // Were it alive after a moment, it would leave a mark when the pipe that it waits for is written to.
    let hang = "mkfifo MARKS/pipe; (cat MARKS/pipe && touch MARKS/alive) & cat MARKS/pipe; touch MARKS/alive";
    let (chain, ran) = inspected(hang, TIED, &[], "--inspection-timeout 1s");
    ran.is(4).says("did not end in 1s and was ended");
    assert_nobody_waits(&chain);
}

#[test]
fn what_a_command_leaves_running_is_ended_with_it() {
    let left = "mkfifo MARKS/pipe; (cat MARKS/pipe && touch MARKS/alive) </dev/null >/dev/null 2>&1 & exit 0";
    let (chain, ran) = inspected(left, TIED, &[], "");
    ran.is(0);
    assert_nobody_waits(&chain);
    // Also one that holds on to what it prints to.
    let (chain, ran) = inspected("mkfifo MARKS/pipe; (cat MARKS/pipe && touch MARKS/alive) & exit 0", TIED, &[], "");
    ran.is(0);
    assert_nobody_waits(&chain);
}

/// Asserts that nobody reads from the pipe: whoever opens it to write, without waiting for a reader, is told so.
fn assert_nobody_waits(chain: &Chain) {
    let pipe = chain.place.path("marks/pipe");
    let script = "import errno, os, sys\ntry:\n os.open(sys.argv[1], os.O_WRONLY | os.O_NONBLOCK)\nexcept OSError as error:\n sys.exit(0 if error.errno == errno.ENXIO else 2)\nsys.exit(1)";
    let status = std::process::Command::new("python3").args(["-c", script]).arg(&pipe).status().unwrap();
    assert_eq!((status.code(), marks(chain)), (Some(0), vec!["pipe".to_owned()]));
}

#[test]
fn what_a_command_prints_is_bounded_and_steers_no_terminal() {
    let (_, ran) = inspected("yes | head -c 9000000; printf '\\033[2J'; exit 1", TIED, &[], "");
    assert!(ran.stderr.len() < 1 << 20, "{}", ran.stderr.len());
    let (_, ran) = inspected("printf '\\033[2J'; exit 1", TIED, &[], "");
    assert!(!ran.stderr.contains('\u{1b}'), "{ran:#?}");
}

#[test]
fn a_command_has_no_secret_of_the_environment_and_no_standard_input() {
    let mut chain = Chain::new(Form::Dsse);
    chain.place.file("out/app.tar", "app.tar");
    chain.inspect(shell("look", "env; cat; exit 1", TIED, &[]));
    chain.verify("");
    let line = format!(
        "in-toto verify --layout root.layout --layout-key env:KEY --links links --at {} --products out --run-inspection look",
        crate::in_toto::AT
    );
    let mut command = chain.place.touchmark(&line);
    command.env("KEY", Key::of("owner").pem()).env("TOUCHMARK_PASSPHRASE", "hush").env("AWS_SECRET_ACCESS_KEY", "hush");
    let ran = Ran::of(&line, command.output().unwrap()).is(1);
    assert!(!ran.stderr.contains("hush") && !ran.stderr.contains("KEY"), "{ran:#?}");
    assert!(ran.stderr.contains("PATH="), "{ran:#?}");
}

#[test]
fn a_program_of_the_product_is_not_taken_for_one_of_the_system() {
    let mut chain = Chain::new(Form::Dsse);
    chain.place.program("out/app.tar", "#!/bin/sh\nexit 0\n");
    chain.inspect(inspection("look", "app.tar", &["ALLOW *"]));
    let mut command = chain.place.touchmark("in-toto verify --layout root.layout --layout-key owner.pub --links links --products out");
    chain.verify("");
    let path = std::env::var("PATH").unwrap();
    command.args(["--at", crate::in_toto::AT, "--run-inspection", "look"]).env("PATH", format!(":.:{path}:"));
    let ran = Ran::of("PATH with the folder itself", command.output().unwrap());
    ran.is(4).says("cannot be run");
}

#[test]
fn an_inspection_whose_name_leads_out_of_its_folder_is_no_inspection() {
    for name in ["../../escape", "a/b", "..", "/escape"] {
        let mut chain = Chain::new(Form::Dsse);
        chain.inspect(inspection("look", "true", &[]));
        chain.layout["inspect"][0]["name"] = name.into();
        let before = std::fs::read_dir(chain.place.path("")).unwrap().count();
        chain.verify(&format!("--run-inspection {name}")).is(5);
        // The layout that this wrote.
        assert_eq!(std::fs::read_dir(chain.place.path("")).unwrap().count(), before + 1);
    }
}

#[test]
fn the_folder_of_an_inspection_is_removed_whatever_the_command_leaves_in_it() {
    let mut chain = Chain::new(Form::Dsse);
    let tmp = chain.place.path("tmp");
    std::fs::create_dir(&tmp).unwrap();
    chain.inspect(shell("look", "mkdir -p a/b; touch a/b/c; chmod 500 a/b; chmod 0 a; chmod 700 a", &[], &[]));
    chain.verify("");
    let mut command = chain.place.touchmark("in-toto verify --layout root.layout --layout-key owner.pub --links links");
    command.args(["--at", crate::in_toto::AT, "--run-inspection", "look"]).env("TMPDIR", &tmp);
    Ran::of("verify", command.output().unwrap()).is(0);
    assert_eq!(std::fs::read_dir(&tmp).unwrap().count(), 0);
}

#[test]
fn a_program_of_the_product_is_not_taken_for_one_of_the_system_where_no_path_says_where_those_are() {
    for path in [None, Some(""), Some("."), Some("bin:")] {
        for (program, code) in [("app.tar", 4), ("sh", 0)] {
            let mut chain = Chain::new(Form::Dsse);
            let script = chain.place.program("out/app.tar", "#!/bin/sh\nexit 0\n");
            let hex = crate::in_toto::hex(&<sha2::Sha256 as sha2::Digest>::digest(std::fs::read(script).unwrap()));
            let mut packed = link("pack", &["app"], &["app"]);
            packed["products"]["app.tar"] = serde_json::json!({"sha256": hex});
            chain.link("links", &packed, "carol");
            chain.inspect(inspection("look", program, TIED));
            chain.verify("");
            let mut command =
                chain.place.touchmark("in-toto verify --layout root.layout --layout-key owner.pub --links links --products out");
            command.args(["--at", crate::in_toto::AT, "--run-inspection", "look"]).env_remove("PATH");
            if let Some(path) = path {
                command.env("PATH", path);
            }
            Ran::of(&format!("{program} with PATH {path:?}"), command.output().unwrap()).is(code);
        }
    }
}

#[test]
fn a_product_that_is_changed_while_it_is_verified_is_not_inspected() {
    for (change, code) in [("echo x >>OUT/app.tar", 4), ("echo x >OUT/more", 4), ("cp -p OUT/app.tar OUT/x; mv OUT/x OUT/app.tar", 0)] {
        let mut chain = Chain::new(Form::Dsse);
        chain.place.file("out/app.tar", "app.tar");
        std::fs::create_dir(chain.place.path("marks")).unwrap();
        let out = chain.place.path("out").display().to_string();
        chain.inspect(shell("one", &change.replace("OUT", &out), TIED, TIED));
        chain.inspect(shell("two", &format!("touch {}/two", chain.place.path("marks").display()), &["ALLOW *"], &[]));
        let ran = chain.verify("--products out --run-inspection one --run-inspection two").is(code);
        assert_eq!((marks(&chain).is_empty(), ran.stderr.contains("was changed while it was verified")), (code == 4, code == 4));
    }
}
