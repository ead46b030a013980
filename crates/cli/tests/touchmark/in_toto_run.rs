//! `touchmark in-toto run` and `record`: the links that they make, and what they refuse to sign.

use serde_json::{Value, json};

use crate::harness::{Place, Ran};
use crate::in_toto::artifacts;

/// A folder with a source, and bob's key.
fn place() -> Place {
    let place = Place::new();
    place.key("bob");
    place.file("src/a.c", "src/a.c");
    place.file("src/a.pyc", "");
    place
}

fn run(place: &Place, words: &str) -> Ran {
    place.run(&format!("in-toto run --step build --key bob {words}"))
}

/// What is signed in a link.
fn signed(place: &Place, file: &str) -> Value {
    use base64::Engine as _;
    let document: Value = serde_json::from_slice(&place.read(file)).unwrap();
    match document.get("payload") {
        Some(payload) => {
            serde_json::from_slice(&base64::engine::general_purpose::STANDARD.decode(payload.as_str().unwrap()).unwrap()).unwrap()
        }
        None => document["signed"].clone(),
    }
}

#[test]
fn a_step_is_done_and_its_link_says_what_was_there_before_and_after() {
    for envelope in ["dsse", "legacy"] {
        let place = place();
        let ran =
            run(&place, &format!("--materials src --products . --envelope {envelope} --exclude *.pyc --exclude bob* -- cp src/a.c out"));
        let file = ran.is(0).stdout.trim_end().to_owned();
        assert!(file.starts_with("./build.") && file.ends_with(".link") && file.len() == "./build.01234567.link".len(), "{file}");
        let mut products = artifacts(&["src/a.c"]);
        products["out"] = products["src/a.c"].clone();
        let link = json!({"_type": "link", "name": "build", "command": ["cp", "src/a.c", "out"], "environment": {},
            "byproducts": {"return-value": 0, "stdout": "", "stderr": ""}, "materials": artifacts(&["src/a.c"]), "products": products});
        assert_eq!(signed(&place, &file), link);
    }
}

#[test]
fn links_git_and_backups_are_left_out_unless_other_things_are() {
    let place = place();
    for name in [".git/config", "old~", "sub/x.12345678.link"] {
        place.file(name, "");
    }
    let file = run(&place, "--products src --products .git --products old~ --products sub -- true").is(0).stdout;
    assert_eq!(signed(&place, file.trim_end())["products"], artifacts(&["src/a.c"]));
    let document = place.run("in-toto run --format json --step build --key bob --products . --exclude bob* -- true").is(0).json();
    assert_eq!(document["results"][0]["products"], 6);
}

#[test]
fn a_command_that_fails_is_not_signed_unless_that_is_wanted() {
    let place = place();
    run(&place, "--products src -- false").is(1).says("returned 1, and nothing is signed");
    run(&place, "--products src -- no-such-command").is(2);
    run(&place, "--products src").is(2);
    assert_eq!(std::fs::read_dir(place.path("")).unwrap().count(), 3);
    let file = run(&place, "--allow-failure -- false").is(0).stdout;
    assert_eq!(signed(&place, file.trim_end())["byproducts"]["return-value"], 1);
}

#[test]
fn what_the_command_prints_is_in_no_link_and_no_result_and_it_has_no_secrets() {
    let place = place();
    place.file("show.sh", "echo secret; echo $TOUCHMARK_PASSPHRASE$KEY");
    let mut command = place.touchmark("in-toto run --step build --key env:KEY -- sh show.sh");
    command.env("KEY", String::from_utf8(place.read("bob")).unwrap()).env("TOUCHMARK_PASSPHRASE", "hush");
    let ran = Ran::of("run", command.output().unwrap()).is(0);
    assert_eq!(ran.stderr, "secret\n\n");
    assert!(!signed(&place, ran.stdout.trim_end()).to_string().contains("secret"));
}

#[test]
fn no_name_of_a_step_or_an_artifact_leads_out_of_its_folder() {
    let place = place();
    for step in ["../x", "a/b", "..", ""] {
        let mut command = place.touchmark("in-toto run --key bob");
        command.arg(format!("--step={step}")).args(["--", "true"]);
        assert_eq!(command.output().unwrap().status.code(), Some(2), "{step}");
    }
    run(&place, "--materials ../bob -- touch done").is(2);
    run(&place, "--materials /etc/passwd -- touch done").is(2);
    assert!(!place.path("done").exists());
}

#[test]
fn a_step_by_hand_is_started_and_stopped_with_one_key() {
    for envelope in ["dsse", "legacy"] {
        let place = place();
        place.key("carol");
        let words = format!("--step build --envelope {envelope}");
        place.run(&format!("in-toto record stop {words} --key bob")).is(2).says("not started");
        let kept = place.ok(&format!("in-toto record start {words} --key bob --materials src"));
        place.file("out/app", "out/app");
        place.run(&format!("in-toto record stop {words} --key carol")).is(2);
        let file = place.ok(&format!("in-toto record stop {words} --key bob --products out"));
        let link = signed(&place, &file);
        assert_eq!((&link["materials"], &link["products"]), (&artifacts(&["src/a.c"]), &artifacts(&["out/app"])));
        assert_eq!((&link["command"], &link["byproducts"]), (&json!([]), &json!({})));
        assert!(!place.path(&kept).exists());
    }
}

#[test]
fn materials_that_somebody_changed_since_the_start_are_not_signed() {
    let place = place();
    let kept = place.ok("in-toto record start --step build --key bob --envelope legacy --materials src");
    let text = String::from_utf8(place.read(&kept)).unwrap();
    for wrong in [text.replace("src/a.c", "src/b.c"), "{}".to_owned(), String::new()] {
        place.file(&kept, wrong);
        place.run("in-toto record stop --step build --key bob --products src").is(1);
    }
    // What was started for another step is not for this one.
    place.ok("in-toto record start --step other --key bob --materials src");
    std::fs::rename(place.path(&kept.replace("build", "other")), place.path(&kept)).unwrap();
    place.run("in-toto record stop --step build --key bob --products src").is(1).says("another step");
    assert!(!std::fs::read_dir(place.path("")).unwrap().any(|entry| entry.unwrap().file_name().to_string_lossy().ends_with(".link")));
}

#[test]
fn a_path_with_nothing_at_it_is_not_signed_unless_that_is_wanted() {
    let place = place();
    run(&place, "--materials none -- touch done").is(2).says("--allow-missing");
    assert!(!place.path("done").exists());
    run(&place, "--products src --products scr -- true").is(2).says("scr: there is nothing of this name");
    assert!(!std::fs::read_dir(place.path("")).unwrap().any(|entry| entry.unwrap().file_name().to_string_lossy().ends_with(".link")));
    run(&place, "--allow-missing --materials none --products scr -- true").is(0).says("none: not recorded");
    place.run("in-toto record start --step build --key bob --materials none").is(2).says("--allow-missing");
}

#[test]
fn nothing_is_run_if_its_link_could_not_be_written() {
    let place = place();
    let file = run(&place, "--products src -- true").is(0).stdout.trim_end().to_owned();
    for products in ["/etc/passwd", "../bob", "src/../../x"] {
        run(&place, &format!("--products {products} -- touch done")).is(2);
    }
    place.file("notes", "");
    run(&place, "--out-dir notes -- touch done").is(4);
    run(&place, "--out-dir notes/x -- touch done").is(4);
    // Something else has the name of the link.
    std::fs::create_dir_all(place.path("taken").join(&file)).unwrap();
    run(&place, "--out-dir taken -- touch done").is(4);
    assert!(!place.path("done").exists());
    assert_eq!(std::fs::read_dir(place.path("taken")).unwrap().count(), 1);
}

#[cfg(unix)]
#[test]
fn the_folder_of_links_may_be_reached_by_a_link() {
    let place = place();
    std::fs::create_dir(place.path("elsewhere")).unwrap();
    std::os::unix::fs::symlink("elsewhere", place.path("links")).unwrap();
    run(&place, "--out-dir links --products src -- true").is(0);
    assert_eq!(std::fs::read_dir(place.path("elsewhere")).unwrap().count(), 1);
}

#[test]
fn private_keys_and_passphrases_are_never_recorded() {
    let place = place();
    place.file("secrets/phrase", "hush\n");
    std::fs::rename(place.path("bob"), place.path("secrets/bob")).unwrap();
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("secrets/bob", place.path("src/key")).unwrap();
        std::fs::hard_link(place.path("secrets/bob"), place.path("src/other-name")).unwrap();
    }
    let line = "in-toto run --step build --key secrets/bob --passphrase-file secrets/phrase --products . --exclude none -- true";
    let ran = place.run(line).is(0).says("secrets/bob: not recorded").says("secrets/phrase: not recorded");
    let products = signed(&place, ran.stdout.trim_end())["products"].clone();
    let names: Vec<&String> = products.as_object().unwrap().keys().collect();
    assert_eq!(names, ["bob.pub", "src/a.c", "src/a.pyc"]);
    // One that is named is not recorded either.
    place.run("in-toto run --step build --key secrets/bob --products secrets/bob -- true").is(0).says("not recorded");
}

#[test]
fn a_link_that_is_not_finished_is_none_under_any_name() {
    for envelope in ["dsse", "legacy"] {
        let place = place();
        place.key("owner");
        place.ok("in-toto new --functionary bob.pub --out my.layout");
        let layout = String::from_utf8(place.read("my.layout")).unwrap();
        let layout: String = layout.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        let mut layout: Value = serde_json::from_str(&layout).unwrap();
        layout["steps"] = json!([layout["steps"][0]]);
        layout["steps"][0]["expected_materials"] = json!([]);
        layout["steps"][0]["expected_products"] = json!([]);
        layout["inspect"] = json!([]);
        place.file("one.layout", layout.to_string());
        place.ok("in-toto sign one.layout --key owner --out root.layout");
        let kept = place.ok(&format!("in-toto record start --step build --key bob --out-dir links --envelope {envelope} --materials src"));
        let done = kept.replace("/.build", "/build").replace("-unfinished", "");
        std::fs::copy(place.path(&kept), place.path(&done)).unwrap();
        let verify = "in-toto verify --layout root.layout --layout-key owner.pub --links links";
        place.run(verify).is(1).says("../unfinished");
        place.ok(&format!("in-toto record stop --step build --key bob --out-dir links --envelope {envelope} --products src"));
        place.run(verify).is(0);
        // And one that is finished is not gone on with.
        std::fs::rename(place.path(&done), place.path(&kept)).unwrap();
        place.run("in-toto record stop --step build --key bob --out-dir links --products src").is(1).says("finished");
    }
}

#[test]
fn a_chain_that_was_run_here_is_verified_here_and_a_change_between_steps_is_not() {
    let place = place();
    place.key("carol");
    place.key("owner");
    place.ok("in-toto new --functionary bob.pub --functionary carol.pub --out my.layout");
    place.file("src/main.c", "main");
    let text = String::from_utf8(place.read("my.layout")).unwrap().replace("\"threshold\": 2", "\"threshold\": 1");
    place.file("one.layout", text);
    place.ok("in-toto sign one.layout --key owner --out root.layout");
    place.file("make.sh", "mkdir -p out && cp src/main.c out/app");
    place.ok("in-toto run --step build --key bob --out-dir links --materials src --products src --products out -- sh make.sh");
    place.ok("in-toto run --step package --key carol --out-dir links --materials out --products out --products app.tar -- tar cf app.tar out/app");
    std::fs::create_dir(place.path("final")).unwrap();
    std::fs::copy(place.path("app.tar"), place.path("final/app.tar")).unwrap();
    let verify = "in-toto verify --layout root.layout --layout-key owner.pub --links links --products final";
    // The command was another one than the template says.
    place.run(verify).is(0).says("the command was `sh make.sh`");
    place.file("out/app", "changed after it was built");
    place.ok("in-toto run --step package --key carol --out-dir links --materials out --products out --products app.tar -- tar cf app.tar out/app");
    place.run(verify).is(1).says("`package`, materials, rule 2");
}
