//! The rows of `touchmark in-toto` in the table of SPEC.md, "Exit codes", each with the error that it is about.

use serde_json::json;

use crate::exits;
use crate::in_toto::{AT, Chain, Form, Key, file, inspection, link, sign};

/// Runs a row's command, and asserts that its result has this error code, or none where it is `done`.
fn row(name: &str, chain: &Chain, error: &str, line: &str) {
    let ran = chain.place.run(&format!("{line} --format json")).json();
    let result = &ran["results"][0];
    assert_eq!(result["error"]["code"].as_str().unwrap_or("done"), error, "{ran:#}");
    exits::row(name, &chain.place, line);
}

macro_rules! rows {
    ($($name:ident: $error:literal, |$chain:ident| $line:expr;)*) => {
        $(#[test] fn $name() {
            #[allow(unused_mut, reason = "some rows change what they are given")]
            let mut $chain = Chain::new(Form::Dsse);
            let line: String = { $line }.into();
            row(stringify!($name), &$chain, $error, &line);
        })*
        /// Their names.
        pub const NAMES: &[&str] = &[$(stringify!($name)),*];
    };
}

/// Verifies the layout as it is now.
fn verify(chain: &Chain, more: &str) -> String {
    chain.place.file("root.layout", sign(&chain.layout, &["owner"], chain.form));
    format!("in-toto verify --layout root.layout --layout-key owner.pub --links links --at {AT} {more}")
}

/// The layout as its author has it, with a key to sign it and no mistakes, in `my.layout`.
fn template(chain: &Chain) {
    chain.place.key("key");
    chain.place.ok("in-toto new --functionary bob.pub --functionary carol.pub --expires 2027-01-01T00:00:00Z --out my.layout");
}

/// A summary to write, by `key`.
const SUMMARY: &str =
    "--write-summary vsa --summary-key key --verifier-id urn:x --resource-uri urn:x --policy-uri urn:x --summary-out summary.json";

/// An artifact that the last step made, and a layout that says so.
fn attached(chain: &mut Chain) {
    let pin = chain.place.pack("oci:release:one", "x");
    let hex = crate::harness::digest(&pin).strip_prefix("sha256:").unwrap().to_owned();
    let mut made = link("pack", &["app"], &["app"]);
    made["products"][format!("blobs/sha256/{hex}")] = json!({"sha256": hex});
    chain.link("links", &made, "carol");
    chain.layout["steps"][1]["expected_products"] = json!([["ALLOW", "*"]]);
    chain.inspect(inspection("product", "true", &["MATCH blobs/* WITH PRODUCTS FROM pack"]));
    chain.place.file("root.layout", sign(&chain.layout, &["owner"], chain.form));
}

rows! {
    in_toto_verify_done: "done", |chain| verify(&chain, "");
    in_toto_verify_threshold: "in-toto-threshold", |chain| {
        std::fs::remove_file(chain.place.path("links").join(file("build", "bob"))).unwrap();
        verify(&chain, "")
    };
    in_toto_verify_rule: "in-toto-disallowed", |chain| {
        chain.link("links", &link("build", &[], &["app", "x"]), "bob");
        verify(&chain, "")
    };
    in_toto_verify_inspection: "in-toto-inspection-unanswered", |chain| {
        chain.inspect(inspection("look", "ls", &["DISALLOW *"]));
        verify(&chain, "")
    };
    in_toto_verify_run_inspection: "done", |chain| {
        chain.inspect(inspection("look", "ls", &[]));
        verify(&chain, "--run-inspection look")
    };
    in_toto_verify_failed_inspection: "in-toto-inspection-failed", |chain| {
        chain.inspect(inspection("look", "false", &[]));
        verify(&chain, "--run-inspection look")
    };
    in_toto_verify_hanging_inspection: "in-toto-inspection-not-run", |chain| {
        chain.inspect(inspection("look", "tail -f /dev/null", &[]));
        verify(&chain, "--run-inspection look --inspection-timeout 10ms")
    };
    in_toto_verify_no_inspection: "in-toto-no-inspection", |chain| verify(&chain, "--run-inspection look");
    in_toto_verify_untied_products: "in-toto-product-unmatched", |chain| {
        chain.inspect(inspection("product", "true", &["ALLOW *"]));
        chain.place.file("out/app.tar", "app.tar");
        verify(&chain, "--products out")
    };
    in_toto_verify_inspection_key: "usage", |chain| verify(&chain, "--inspection-key dora.pub");
    in_toto_verify_empty_parameter: "in-toto-parameter-empty", |chain| verify(&chain, "--param name=");
    in_toto_verify_products: "in-toto-disallowed", |chain| {
        chain.inspect(inspection("product", "true", &["MATCH * WITH PRODUCTS FROM pack", "DISALLOW *"]));
        chain.place.file("out/x", "x");
        verify(&chain, "--products out")
    };
    in_toto_verify_no_key: "usage", |chain| {
        verify(&chain, "");
        "in-toto verify --layout root.layout --links links"
    };
    in_toto_verify_no_layout: "unreadable", |_chain| "in-toto verify --layout none --layout-key owner.pub --links links";
    in_toto_verify_parameter: "in-toto-parameter-missing", |chain| {
        chain.layout["steps"][0]["expected_command"] = json!(["{version}"]);
        verify(&chain, "--param other=x")
    };
    in_toto_verify_other_key: "in-toto-layout-signature", |chain| verify(&chain, "--layout-key bob.pub");
    in_toto_verify_expired: "in-toto-expired", |chain| {
        chain.layout["expires"] = "2026-11-27T00:00:00Z".into();
        verify(&chain, "")
    };
    in_toto_verify_malformed: "in-toto-rule", |chain| {
        chain.layout["steps"][0]["expected_products"] = json!([["ALLOWED", "*"]]);
        verify(&chain, "")
    };
    in_toto_verify_attached: "done", |chain| {
        attached(&mut chain);
        chain.place.ok("in-toto attach oci:release:one --links links --layout root.layout");
        format!("in-toto verify --layout-key owner.pub --links oci:release:one --at {AT}")
    };
    in_toto_verify_nothing_attached: "in-toto-threshold", |chain| {
        attached(&mut chain);
        format!("in-toto verify --layout root.layout --layout-key owner.pub --links oci:release:one --at {AT}")
    };
    in_toto_verify_no_attached_layout: "in-toto-no-layout", |chain| {
        attached(&mut chain);
        format!("in-toto verify --layout-key owner.pub --links oci:release:one --at {AT}")
    };
    in_toto_verify_no_linked_artifact: "no-such-tag", |chain| {
        attached(&mut chain);
        format!("in-toto verify --layout-key owner.pub --links oci:release:two --at {AT}")
    };
    in_toto_verify_folder_without_layout: "usage", |_chain| "in-toto verify --layout-key owner.pub --links links";
    in_toto_verify_inspection_of_attached: "usage", |chain| {
        attached(&mut chain);
        "in-toto verify --layout-key owner.pub --links oci:release:one --run-inspection product"
    };
    in_toto_verify_summary_of_nothing: "usage", |chain| {
        chain.place.key("key");
        verify(&chain, SUMMARY)
    };
    in_toto_verify_summary_exists: "exists", |chain| {
        chain.place.key("key");
        chain.place.file("out/app.tar", "app.tar");
        chain.place.file("summary.json", "");
        verify(&chain, &format!("--products out {SUMMARY}"))
    };
    in_toto_verify_summary_no_uri: "usage", |chain| {
        chain.place.key("key");
        chain.place.file("out/app.tar", "app.tar");
        verify(&chain, &format!("--products out {}", SUMMARY.replace("--resource-uri urn:x", "")))
    };
    in_toto_attach_done: "done", |chain| {
        chain.place.pack("oci:release:one", "x");
        "in-toto attach oci:release:one --links links"
    };
    in_toto_attach_no_link: "in-toto-no-link", |chain| {
        chain.place.pack("oci:release:one", "x");
        chain.place.file("none/x", "");
        "in-toto attach oci:release:one --links none"
    };
    in_toto_attach_malformed: "in-toto-envelope", |chain| {
        chain.place.pack("oci:release:one", "x");
        chain.place.file("links/x.link", "{}");
        "in-toto attach oci:release:one --links links"
    };
    in_toto_attach_no_artifact: "no-such-tag", |chain| {
        chain.place.pack("oci:release:one", "x");
        "in-toto attach oci:release:two --links links"
    };
    in_toto_verify_no_links: "no-folder", |chain| verify(&chain, "").replace("--links links", "--links none");
    in_toto_verify_large_link: "in-toto-threshold", |chain| {
        let path = chain.place.path("links").join(file("build", "bob"));
        std::fs::File::create(path).unwrap().set_len(1 << 30).unwrap();
        verify(&chain, "")
    };
    in_toto_verify_work: "in-toto-limit", |chain| verify(&chain, "--max-work 1");
    in_toto_verify_no_products: "no-folder", |chain| verify(&chain, "--products none");
    in_toto_verify_bad_products: "in-toto-file-name", |chain| {
        #[cfg(unix)]
        {
            use std::os::unix::ffi::OsStrExt as _;
            std::fs::create_dir(chain.place.path("out")).unwrap();
            std::fs::write(chain.place.path("out").join(std::ffi::OsStr::from_bytes(b"\xff")), "").unwrap();
        }
        verify(&chain, "--products out")
    };
    in_toto_verify_other_artifact: "in-toto-product-unmatched", |chain| {
        chain.inspect(inspection("product", "true", &["MATCH blobs/* WITH PRODUCTS FROM pack", "ALLOW *"]));
        chain.place.pack("oci:release:one", "x");
        verify(&chain, "--product oci:release:one")
    };
    in_toto_verify_no_artifact: "no-such-tag", |chain| {
        chain.place.pack("oci:release:one", "x");
        verify(&chain, "--product oci:release:two")
    };
    in_toto_verify_no_files: "in-toto-no-product", |chain| {
        std::fs::create_dir(chain.place.path("out")).unwrap();
        verify(&chain, "--products out")
    };
    in_toto_new_done: "done", |_chain| "in-toto new --functionary bob.pub";
    in_toto_new_exists: "exists", |_chain| "in-toto new --out owner.pub";
    in_toto_lint_done: "done", |chain| {
        template(&chain);
        format!("in-toto lint my.layout --at {AT}")
    };
    in_toto_lint_errors: "in-toto-lint", |chain| {
        template(&chain);
        "in-toto lint my.layout --at 2028-01-01T00:00:00Z"
    };
    in_toto_lint_malformed: "json-bad-number", |_chain| "in-toto lint owner.pub";
    in_toto_sign_done: "done", |chain| {
        template(&chain);
        // Each of the runs finds what the one before it wrote.
        chain.place.ok("in-toto sign my.layout --key key --out root.layout");
        "in-toto sign root.layout --key key"
    };
    in_toto_sign_comments: "usage", |chain| {
        template(&chain);
        "in-toto sign my.layout --key key"
    };
    in_toto_sign_exists: "exists", |chain| {
        template(&chain);
        "in-toto sign my.layout --key key --out owner.pub"
    };
    in_toto_sign_other_envelope: "in-toto-other-envelope", |chain| {
        template(&chain);
        chain.place.ok("in-toto sign my.layout --key key --out root.layout");
        "in-toto sign root.layout --key key --envelope legacy"
    };
    in_toto_sign_private_key: "in-toto-private-key", |chain| {
        template(&chain);
        let keyid = Key::of("bob").keyid();
        let mut layout = chain.layout.clone();
        layout["keys"][&keyid]["keyval"]["private"] = "00".into();
        chain.place.file("private.layout", layout.to_string());
        "in-toto sign private.layout --key key --out root.layout"
    };
    in_toto_sign_malformed: "json-bad-number", |chain| {
        template(&chain);
        "in-toto sign owner.pub --key key"
    };
    in_toto_record_start_done: "done", |chain| {
        template(&chain);
        "in-toto record start --step build --key key"
    };
    in_toto_record_stop_not_started: "usage", |chain| {
        template(&chain);
        "in-toto record stop --step build --key key"
    };
    in_toto_record_stop_finished: "in-toto-unfinished-changed", |chain| {
        template(&chain);
        let kept = chain.place.ok("in-toto record start --step build --key key");
        let done = chain.place.ok("in-toto record stop --step build --key key --products owner.pub");
        std::fs::rename(chain.place.path(&done), chain.place.path(&kept)).unwrap();
        "in-toto record stop --step build --key key"
    };
    in_toto_record_stop_changed: "in-toto-unfinished-changed", |chain| {
        template(&chain);
        let kept = chain.place.ok("in-toto record start --step build --key key");
        chain.place.file(&kept, "{}");
        "in-toto record stop --step build --key key"
    };
}

/// Of these the words of the command end the line, so that nothing can stand behind it.
#[test]
fn in_toto_run_rows_have_their_codes() {
    let chain = Chain::new(Form::Dsse);
    chain.place.key("key");
    for (name, words) in [
        ("in_toto_run_missing", "--key key --products none -- true"),
        ("in_toto_run_no_out_dir", "--key key --out-dir owner.pub -- true"),
        ("in_toto_run_done", "--key key -- true"),
        ("in_toto_run_failed", "--key key -- false"),
        ("in_toto_run_no_command", "--key key -- no-such-command"),
        ("in_toto_run_public_key", "--key owner.pub -- true"),
        ("in_toto_run_outside", "--key key --materials ../x -- true"),
    ] {
        let line = format!("in-toto run --format json --step build {words}");
        let (command, code) = exits::table().remove(name).unwrap_or_else(|| panic!("no row {name} in SPEC.md"));
        assert_eq!(command, "in-toto run");
        let document = chain.place.run(&line).is(code).json();
        assert_eq!(document["results"][0]["exit_code"], code, "{name}: {document:#}");
    }
}

/// The rows of the test above.
pub const RUNS: [&str; 7] = [
    "in_toto_run_missing",
    "in_toto_run_no_out_dir",
    "in_toto_run_done",
    "in_toto_run_failed",
    "in_toto_run_no_command",
    "in_toto_run_public_key",
    "in_toto_run_outside",
];
