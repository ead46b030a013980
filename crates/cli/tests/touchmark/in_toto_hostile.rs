//! Folders of links that somebody else fills: `touchmark in-toto verify` never waits, reads no more than it may, and what is hostile is
//! told and hides nothing good.

use serde_json::Value;

use crate::in_toto::{Chain, Form, Key, file, layout, link, sign, step};

/// A chain whose `build` takes a link of bob or of dora.
fn chain() -> Chain {
    let mut chain = Chain::new(Form::Dsse);
    chain.layout["steps"][0]["pubkeys"].as_array_mut().unwrap().push(Key::of("dora").keyid().into());
    chain
}

/// What became of the files of the first step: the code of each refusal.
fn refusals(result: &Value) -> Vec<&str> {
    let files = result["report"]["layouts"][0]["steps"][0]["files"].as_array().unwrap();
    files.iter().filter_map(|file| file["refused"]["code"].as_str()).collect()
}

/// Puts something in the place of dora's link: beside bob's good one it is told and hides nothing; alone it is no evidence.
fn hides_nothing(code: i32, refusal: &str, put: impl Fn(&Chain, &std::path::Path)) -> Chain {
    let chain = chain();
    put(&chain, &chain.place.path("links").join(file("build", "dora")));
    let verified = chain.result(0, "");
    assert_eq!(refusals(&verified), [refusal]);
    chain.verify("").is(0).says("warning: `build`").says("does not count");
    std::fs::remove_file(chain.place.path("links").join(file("build", "bob"))).unwrap();
    let refused = chain.result(code, "");
    assert_eq!(refusals(&refused), [refusal]);
    assert_eq!(refused["report"]["layouts"][0]["reasons"][0]["code"], "in-toto-threshold");
    chain
}

#[cfg(unix)]
#[test]
fn a_pipe_in_the_place_of_a_link_keeps_nobody_waiting() {
    hides_nothing(1, "malformed", |_, path| {
        assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
    });
}

#[test]
fn a_gibibyte_in_the_place_of_a_link_is_not_read() {
    // Without a link that might be in it, it could not be found out; and then the option is named.
    let chain = hides_nothing(4, "limit", |_, path| std::fs::File::create(path).unwrap().set_len(1 << 30).unwrap());
    chain.verify("").is(4).says("--max-link-size");
}

#[cfg(unix)]
#[test]
fn a_link_of_the_file_system_in_the_place_of_a_link_is_not_followed() {
    use std::os::unix::fs::symlink;
    for target in ["loop", "none", "../secret", "/dev/zero"] {
        hides_nothing(1, "malformed", |chain, path| {
            chain.place.file("secret", sign(&link("build", &[], &["app"]), &["dora"], Form::Dsse));
            let target = if target == "loop" { path } else { std::path::Path::new(target) };
            symlink(target, path).unwrap();
        });
    }
}

#[test]
fn a_folder_in_the_place_of_a_link_or_what_is_no_json_is_told_and_hides_nothing() {
    hides_nothing(1, "malformed", |_, path| std::fs::create_dir(path).unwrap());
    hides_nothing(1, "json-syntax", |_, path| std::fs::write(path, "}").unwrap());
    hides_nothing(1, "in-toto-envelope", |_, path| std::fs::write(path, "{}").unwrap());
    hides_nothing(1, "in-toto-link-signature", |_, path| {
        std::fs::write(path, sign(&link("build", &[], &["app"]), &["carol"], Form::Dsse)).unwrap();
    });
}

#[test]
fn ten_thousand_files_that_nobody_asked_for_change_nothing() {
    let chain = chain();
    for number in 0..10_000 {
        chain.place.file(&format!("links/build.{number:08x}.link"), "{}");
    }
    let result = chain.result(0, "");
    assert_eq!(refusals(&result), [""; 0]);
}

#[cfg(unix)]
#[test]
fn the_folder_of_a_sublayout_that_is_a_link_leads_nowhere() {
    let chain = chain();
    let below = layout(&["bob"], vec![step("build", &["bob"], &[], &[])], Vec::new());
    chain.put("links", "build", &below, "bob");
    chain.link("elsewhere", &link("build", &[], &["app"]), "bob");
    let folder = chain.place.path("links").join(format!("build.{}", &Key::of("bob").keyid()[..8]));
    std::os::unix::fs::symlink(chain.place.path("elsewhere"), &folder).unwrap();
    let result = chain.result(1, "");
    assert_eq!(refusals(&result), ["in-toto-sublayout"]);
    std::fs::remove_file(&folder).unwrap();
    std::fs::rename(chain.place.path("elsewhere"), &folder).unwrap();
    chain.verify("").is(0);
}

#[test]
fn sublayouts_are_entered_to_the_limit_and_no_deeper() {
    // One within each other, down to the links of the last.
    let below = layout(&["bob"], vec![step("build", &["bob"], &[], &[])], Vec::new());
    for (depth, more, code) in [(8, "", 0), (9, "", 4), (9, "--max-depth 9", 0)] {
        let chain = chain();
        let mut folder = "links".to_owned();
        for number in 0..depth {
            // One sublayout stands for one step.
            let mut below = below.clone();
            below["readme"] = number.to_string().into();
            chain.put(&folder, "build", &below, "bob");
            folder = format!("{folder}/build.{}", &Key::of("bob").keyid()[..8]);
        }
        chain.link(&folder, &link("build", &[], &["app"]), "bob");
        let ran = chain.verify(more).is(code);
        assert!(code == 0 || ran.stderr.contains("--max-depth"), "{ran:#?}");
    }
}

#[test]
fn a_limit_that_was_reached_names_its_option() {
    for (cap, option) in [
        ("--max-link-size 10", "--max-link-size"),
        ("--max-total-size 10", "--max-total-size"),
        ("--max-requests 1", "--max-requests"),
        ("--max-work 1", "--max-work"),
    ] {
        let chain = chain();
        let code = if option == "--max-link-size" { 2 } else { 4 };
        chain.verify(cap).is(code).says(option);
    }
}

#[test]
fn what_stands_in_metadata_steers_no_terminal() {
    let mut chain = Chain::new(Form::Dsse);
    chain.layout["steps"][0]["name"] = "bui\u{1b}[2Jld".into();
    let ran = chain.verify("").is(1);
    assert!(!ran.stderr.contains('\u{1b}'), "{ran:#?}");
}
