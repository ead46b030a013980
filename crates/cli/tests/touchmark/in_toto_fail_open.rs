//! What lies around a supply chain and decides nothing. `crates/in-toto/tests/fail_open.md` is the list of what other verifiers let through.

use crate::harness::Ran;
use crate::in_toto::{AT, Chain, Form, inspection};

/// A chain whose product is `app.tar`, in `out`.
fn chain() -> Chain {
    let mut chain = Chain::new(Form::Dsse);
    chain.inspect(inspection("product", "true", &["MATCH * WITH PRODUCTS FROM pack", "DISALLOW *"]));
    chain.place.file("out/app.tar", "app.tar");
    chain
}

/// What python's in-toto read in the folder where it stood (CVE-2023-32076), and what it reads from its environment.
#[test]
fn configuration_that_a_stranger_wrote_and_the_environment_of_others_change_nothing() {
    let chain = chain();
    let verify = |code: i32| {
        chain.verify("--products out").is(code);
        let line = format!("in-toto verify --layout root.layout --layout-key owner.pub --links links --at {AT} --products out");
        let mut command = chain.place.touchmark(&line);
        for (name, value) in [("EXCLUDE_PATTERNS", "*"), ("BASE_PATH", "/"), ("BASE", "/"), ("LINK_CMD_EXEC_TIMEOUT", "0")] {
            command.env(format!("IN_TOTO_ARTIFACT_{name}"), value).env(format!("IN_TOTO_{name}"), value);
        }
        Ran::of(&line, command.output().unwrap()).is(code);
    };
    for folder in ["", "links/", "home/"] {
        let settings = "[in-toto settings]\nARTIFACT_EXCLUDE_PATTERNS = *\nARTIFACT_BASE_PATH = /\n";
        chain.place.file(&format!("{folder}.in_totorc"), settings);
        chain.place.file(&format!("{folder}.in_toto/config"), settings);
    }
    verify(0);
    chain.place.file("out/backdoor", "x");
    verify(1);
    std::fs::remove_file(chain.place.path("out/backdoor")).unwrap();
    // In the product it is a file like any other, which no step made.
    chain.place.file("out/.in_totorc", "[in-toto settings]\nARTIFACT_EXCLUDE_PATTERNS = *\n");
    verify(1);
}

/// No link has them (GHSA-wqrg-wjp9-wqfq): whoever relies on modes must pack them into a file.
#[cfg(unix)]
#[test]
fn the_mode_of_a_file_changes_no_verdict() {
    use std::os::unix::fs::PermissionsExt as _;
    let chain = chain();
    for content in ["app.tar", "changed"] {
        chain.place.file("out/app.tar", content);
        for mode in [0o644, 0o755, 0o4755, 0o600] {
            std::fs::set_permissions(chain.place.path("out/app.tar"), std::fs::Permissions::from_mode(mode)).unwrap();
            chain.verify("--products out").is(if content == "app.tar" { 0 } else { 1 });
        }
    }
}
