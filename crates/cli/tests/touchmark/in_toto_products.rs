//! A folder as the final product of `touchmark in-toto verify`.

use serde_json::json;

use crate::harness::digest;
use crate::in_toto::{Chain, Form, inspection, link};

/// A chain whose product is `app.tar`, which nothing but an inspection with the command `true` looks at.
fn chain() -> Chain {
    let mut chain = Chain::new(Form::Dsse);
    chain.inspect(inspection("product", "true", &["MATCH * WITH PRODUCTS FROM pack", "DISALLOW *"]));
    chain.place.file("out/app.tar", "app.tar");
    chain
}

#[test]
fn a_folder_that_a_step_made_is_verified_and_nothing_is_run() {
    let chain = chain();
    let ran = chain.verify("--products out").is(0);
    assert!(ran.stdout.ends_with("inspection product the final product\n"), "{ran:#?}");
    assert_eq!(chain.result(0, "--products out")["report"]["layouts"][0]["inspections"][0]["answer"], "product");
    // Without it, nobody answers the inspection.
    assert_eq!(chain.reasons(1, ""), ["in-toto-inspection-unanswered"]);
}

#[test]
fn a_file_that_no_step_made_or_that_was_changed_is_refused() {
    let chain = chain();
    chain.place.file("out/sub/backdoor", "x");
    chain.verify("--products out").is(1).says("sub/backdoor");
    chain.verify("--products out --exclude sub/").is(0).says("--exclude left out of the product: sub\n");
    assert_eq!(chain.result(0, "--products out --exclude sub/")["excluded"], json!({"names": ["sub"], "more": 0}));
    chain.verify("--products out --exclude backdoor").is(0);
    chain.verify("--products out --exclude app.tar").is(1).says("sub/backdoor");
    std::fs::remove_dir_all(chain.place.path("out/sub")).unwrap();
    chain.place.file("out/app.tar", "other bytes");
    assert_eq!(chain.reasons(1, "--products out"), ["in-toto-disallowed", "in-toto-product-unmatched"]);
}

#[test]
fn a_product_that_no_inspection_looks_at_is_not_verified() {
    let chain = Chain::new(Form::Dsse);
    chain.place.file("out/app.tar", "app.tar");
    assert_eq!(chain.reasons(1, "--products out"), ["in-toto-product-ignored"]);
    chain.verify("").is(0);
}

#[test]
fn a_folder_without_files_is_no_product() {
    let chain = chain();
    chain.verify("--products out --exclude *").is(2).says("there is no file");
    std::fs::create_dir(chain.place.path("empty")).unwrap();
    chain.verify("--products empty").is(2).says("there is no file");
}

#[test]
fn an_oci_artifact_is_the_product_if_a_step_made_its_manifest_and_no_other_is() {
    let mut chain = Chain::new(Form::Dsse);
    let pins = [chain.place.pack("oci:release:one", "first"), chain.place.pack("oci:release:two", "second")];
    let hex = digest(&pins[0]).strip_prefix("sha256:").unwrap().to_owned();
    let name = format!("blobs/sha256/{hex}");
    let mut made = link("pack", &["app"], &["app"]);
    made["products"][&name] = json!({"sha256": hex});
    chain.link("links", &made, "carol");
    chain.layout["steps"][1]["expected_products"] = json!([["CREATE", "blobs/*"], ["ALLOW", "app"], ["DISALLOW", "*"]]);
    chain.inspect(inspection("product", "true", &["MATCH blobs/* WITH PRODUCTS FROM pack", "ALLOW blobs/*", "DISALLOW *"]));
    assert_eq!(chain.result(0, "--product oci:release:one")["product"], pins[0]);
    chain.verify(&format!("--product {}", pins[0])).is(0);
    assert_eq!(chain.reasons(1, "--product oci:release:two"), ["in-toto-product-unmatched"]);
    // Allowed is not made.
    chain.layout["inspect"][0]["expected_materials"] = json!([["ALLOW", "*"]]);
    assert_eq!(chain.reasons(1, "--product oci:release:one"), ["in-toto-product-unmatched"]);
    chain.verify("--product oci:release:none").is(4);
    chain.verify("--product oci:nowhere:one").is(4);
    chain.verify("--product oci:release:one --products links").is(2);
    chain.place.file(&format!("release/{name}"), "other bytes");
    chain.verify("--product oci:release:one").is(6);
}

#[test]
fn a_folder_that_is_not_there_could_not_be_found_out() {
    let chain = chain();
    chain.verify("--products none").is(4);
    chain.verify("--exclude x").is(2);
    chain.verify("--products out --exclude /").is(2);
}

/// No hint to leave it out: whoever takes the product would take it too.
#[cfg(unix)]
#[test]
fn a_name_that_is_not_unicode_is_malformed_and_to_be_removed() {
    use std::os::unix::ffi::OsStrExt as _;
    let chain = chain();
    std::fs::write(chain.place.path("out").join(std::ffi::OsStr::from_bytes(b"a\xff")), "").unwrap();
    let ran = chain.verify("--products out").is(6).says("no artifact can have this name").says("names of artifacts are Unicode");
    assert!(!ran.stderr.contains("--exclude"), "{ran:#?}");
}

#[cfg(unix)]
#[test]
fn a_link_out_of_the_product_or_a_pipe_in_it_is_malformed_unless_left_out() {
    use std::os::unix::fs::symlink;
    let chain = chain();
    chain.place.file("elsewhere", "app.tar");
    std::fs::create_dir(chain.place.path("folder")).unwrap();
    for (name, target) in [("file", "../elsewhere"), ("folder", "../folder"), ("loop", "loop"), ("nowhere", "none")] {
        symlink(target, chain.place.path("out").join(name)).unwrap();
        chain.verify("--products out").is(6).says("is a link").says("remove it");
        chain.verify(&format!("--products out --exclude {name}")).is(0);
        std::fs::remove_file(chain.place.path("out").join(name)).unwrap();
    }
    assert!(std::process::Command::new("mkfifo").arg(chain.place.path("out/pipe")).status().unwrap().success());
    chain.verify("--products out").is(6).says("neither a file nor a folder");
    std::fs::remove_file(chain.place.path("out/pipe")).unwrap();
    // One within is the file that it leads to, under its own name: which no step made.
    symlink("app.tar", chain.place.path("out/latest.tar")).unwrap();
    chain.verify("--products out").is(1).says("latest.tar");
    // The folder itself may be reached by a link.
    std::fs::remove_file(chain.place.path("out/latest.tar")).unwrap();
    symlink("out", chain.place.path("reached")).unwrap();
    chain.verify("--products reached").is(0);
}

#[test]
fn what_is_excluded_is_told_within_a_bound() {
    let chain = chain();
    for number in 0..40 {
        chain.place.file(&format!("out/x{number}"), "");
    }
    let excluded = &chain.result(0, "--products out --exclude x*")["excluded"];
    assert_eq!((excluded["names"].as_array().unwrap().len(), &excluded["more"]), (32, &json!(8)));
    chain.verify("--products out --exclude x*").is(0).says("and 8 more");
    assert_eq!(chain.result(1, "--products out")["excluded"], json!({"names": [], "more": 0}));
}
