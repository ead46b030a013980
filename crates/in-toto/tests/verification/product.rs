//! The final product: what is to be had at the end is what the last step made.

use touchmark_envelope::digest::{Algorithm, hex};
use touchmark_envelope::threshold::KeySet;
use touchmark_in_toto::{Answered, Artifacts, Class, Product};

use crate::chain::{Chain, FORMS, Form, Inspection, Layout, Rules, file, public, rules, sign, step};

const INSPECTOR: u8 = 50;

/// An image manifest with a config and a layer, twice.
fn manifest(layer: &str) -> Vec<u8> {
    let descriptor = |content: &str| {
        let digest = Algorithm::Sha256.digest(content.as_bytes());
        format!(r#"{{"mediaType":"application/octet-stream","digest":"{digest}","size":{}}}"#, content.len())
    };
    let (config, layer) = (descriptor("config"), descriptor(layer));
    format!(r#"{{"schemaVersion":2,"config":{config},"layers":[{layer},{layer}]}}"#).into_bytes()
}

fn blob(content: &[u8]) -> (String, String) {
    let digest = Algorithm::Sha256.digest(content).hex();
    (format!("blobs/sha256/{digest}"), digest)
}

/// A link whose products are these blobs, by the content that their names and digests are made of.
fn link_of(name: &str, materials: &[&[u8]], products: &[&[u8]]) -> String {
    let list = |all: &[&[u8]]| {
        let one = |content: &&[u8]| {
            let (name, digest) = blob(content);
            format!(r#""{name}":{{"sha256":"{digest}"}}"#)
        };
        all.iter().map(one).collect::<Vec<_>>().join(",")
    };
    format!(r#"{{"_type":"link","name":"{name}","command":[],"materials":{{{}}},"products":{{{}}}}}"#, list(materials), list(products))
}

/// A step that made the artifact with this layer, and an inspection that looks at the product.
fn chain(form: Form, materials: &[&str]) -> Chain {
    let mut layout = Layout::of(&[1], vec![step("build", &[1], &[], &[])]);
    layout.inspections.push(looking(rules(materials)));
    let mut chain = Chain::new(form, layout);
    let made = manifest("layer");
    let link = link_of("build", &[], &[&made, b"config", b"layer"]);
    chain.files.insert(file("build", 1), sign(&link, &[&crate::chain::key(1)], form));
    chain.settings.product = Some(Product::oci(&made).unwrap());
    chain
}

fn looking(materials: Rules) -> Inspection {
    Inspection { name: "product".into(), run: vec!["true".into()], materials, products: vec![] }
}

const TIED: [&str; 2] = ["MATCH blobs/* WITH PRODUCTS FROM build", "DISALLOW *"];

#[test]
fn an_artifact_that_a_step_made_is_verified_without_running_anything() {
    for form in FORMS {
        let mut chain = chain(form, &TIED);
        let report = chain.verify().unwrap().report;
        assert_eq!(report.inspections[0].answer, Answered::Product);
        assert!(chain.asked_to_run.is_empty());
        let product = chain.settings.product.unwrap();
        // The manifest, the config, and the layer once.
        assert_eq!((product.artifacts().len(), product.manifest()), (3, Some(blob(&manifest("layer")).0.as_str())));
    }
}

#[test]
fn another_artifact_with_these_links_is_refused() {
    let mut chain = chain(Form::Dsse, &TIED);
    chain.settings.product = Some(Product::oci(&manifest("evil")).unwrap());
    assert_eq!((chain.refused(), chain.class()), (vec!["in-toto-disallowed", "in-toto-product-unmatched"], Class::NotVerified));
    // Another manifest of the very blobs that the step made is another artifact.
    let twice = String::from_utf8(manifest("layer")).unwrap().replace("\"schemaVersion\":2", "\"schemaVersion\":2,\"annotations\":{}");
    chain.settings.product = Some(Product::oci(twice.as_bytes()).unwrap());
    assert_eq!(chain.refused(), ["in-toto-disallowed", "in-toto-product-unmatched"]);
}

#[test]
fn a_manifest_that_is_only_allowed_or_left_over_is_refused() {
    for lists in [
        &["ALLOW *"][..],
        &[],
        &["ALLOW blobs/*", "MATCH blobs/* WITH PRODUCTS FROM build", "DISALLOW *"],
        // Against materials, an inspection, or a step that did not make it.
        &["MATCH * WITH MATERIALS FROM build"],
        &["MATCH * WITH PRODUCTS FROM product"],
        &["MATCH * WITH PRODUCTS FROM nobody"],
    ] {
        let mut chain = chain(Form::Dsse, lists);
        assert_eq!(chain.refused(), ["in-toto-product-unmatched"], "{lists:?}");
    }
    // Also if that is what the step began with.
    let mut chain = self::chain(Form::Dsse, &["MATCH * WITH MATERIALS FROM build", "DISALLOW *"]);
    let made = manifest("layer");
    let all: [&[u8]; 3] = [&made, b"config", b"layer"];
    chain.files.insert(file("build", 1), sign(&link_of("build", &all, &[b"x"]), &[&crate::chain::key(1)], Form::Dsse));
    assert_eq!(chain.refused(), ["in-toto-product-unmatched"]);
    // In either list of rules it is tied.
    let mut chain = self::chain(Form::Dsse, &["ALLOW *"]);
    chain.layout.inspections[0].products = rules(&TIED);
    assert!(chain.verify().is_ok());
}

#[test]
fn a_layout_that_looks_at_no_product_says_nothing_of_one() {
    let mut chain = chain(Form::Dsse, &TIED);
    chain.layout.inspections.clear();
    assert_eq!(chain.refused(), ["in-toto-product-unmatched"]);
    let files = Artifacts::new([("foo.tgz", [("sha256", hex(b"2").as_str())])]).unwrap();
    chain.settings.product = Some(Product::files(files));
    assert_eq!(chain.refused(), ["in-toto-product-ignored"]);
    // Without a product nothing is asked for one.
    chain.settings.product = None;
    assert!(chain.verify().is_ok());
}

#[test]
fn files_are_looked_at_under_their_names() {
    let mut chain = Chain::demo(Form::Dsse);
    chain.layout.inspections.push(looking(rules(&["MATCH foo.tgz WITH PRODUCTS FROM package", "DISALLOW *"])));
    for (content, verified) in [("2", true), ("3", false)] {
        let files = Artifacts::new([("foo.tgz", [("sha256", hex(content.as_bytes()).as_str())])]).unwrap();
        chain.settings.product = Some(Product::files(files));
        assert_eq!(chain.verify().is_ok(), verified, "{content}");
    }
    // Without a product the inspection is one like any other.
    chain.settings.product = None;
    assert_eq!((chain.refused(), chain.asked_to_run.len()), (vec!["in-toto-inspection-unanswered"], 1));
}

#[test]
fn files_that_are_only_allowed_or_of_which_a_step_made_none_are_refused() {
    let files = |names: &[(&str, &str)]| {
        let files = names.iter().map(|(name, content)| (*name, hex(content.as_bytes())));
        let files: Vec<(&str, String)> = files.collect();
        Product::files(Artifacts::new(files.iter().map(|(name, digest)| (*name, [("sha256", digest.as_str())]))).unwrap())
    };
    let tied = "MATCH foo.tgz WITH PRODUCTS FROM package";
    for (lists, product, refused) in [
        (&["ALLOW *"][..], &[("foo.tgz", "2")][..], true),
        (&[], &[("foo.tgz", "2")], true),
        (&["ALLOW *", tied], &[("foo.tgz", "2")], true),
        // Only against materials, or what an inspection had.
        (&["MATCH * WITH MATERIALS FROM package"], &[("foo.py", "1")], true),
        (&["MATCH * WITH PRODUCTS FROM product"], &[("foo.tgz", "2")], true),
        // Another file, or other bytes.
        (&[tied], &[("other", "2")], true),
        (&[tied], &[("foo.tgz", "3")], true),
        (&[tied, "ALLOW *"], &[("foo.tgz", "2")], false),
        (&[tied, "ALLOW *"], &[("foo.tgz", "2"), ("README", "x")], false),
    ] {
        let mut chain = Chain::demo(Form::Dsse);
        chain.layout.inspections.push(looking(rules(lists)));
        chain.settings.product = Some(files(product));
        match chain.verify() {
            Err(_) => assert_eq!((refused, chain.refused()), (true, vec!["in-toto-product-unmatched"]), "{lists:?} {product:?}"),
            Ok(chain) => {
                assert!(!refused, "{lists:?} {product:?}");
                let warnings: Vec<String> = chain.report.warnings.iter().map(ToString::to_string).collect();
                let told = if product.len() == 2 { &["no step is known to have made README of the final product"][..] } else { &[] };
                assert_eq!(warnings, told);
            }
        }
    }
}

#[test]
fn a_command_that_was_run_ties_the_files_that_it_began_with_and_no_artifact() {
    let tied = &["MATCH foo.tgz WITH PRODUCTS FROM package", "ALLOW *"];
    let inspection = Inspection { run: vec!["untar".into()], ..looking(rules(tied)) };
    let files = Artifacts::new([("foo.tgz", [("sha256", hex(b"2").as_str())])]).unwrap();
    for (product, began, refused) in [
        (Product::files(files.clone()), "2", false),
        // What it began with was no longer the product.
        (Product::files(Artifacts::new([("foo.tgz", [("sha256", hex(b"3").as_str())])]).unwrap()), "2", true),
        (Product::oci(&manifest("layer")).unwrap(), "2", true),
    ] {
        let mut chain = Chain::demo(Form::Dsse);
        chain.layout.inspections.push(inspection.clone());
        chain.settings.product = Some(product);
        let name = chain.layout.inspections[0].name.clone();
        chain.run(&name, 0, &[("foo.tgz", began)], &[("foo.tgz", began)]);
        assert_eq!(chain.verify().is_err(), refused);
        assert!(!refused || chain.refused() == ["in-toto-product-unmatched"]);
    }
}

#[test]
fn only_the_command_that_does_nothing_is_answered_by_the_product() {
    for run in [&["true", "x"][..], &["/bin/true"], &["sh", "-c", "true"], &["True"], &["true "]] {
        let mut chain = chain(Form::Dsse, &TIED);
        chain.layout.inspections[0].run = run.iter().map(|word| (*word).to_owned()).collect();
        assert_eq!(chain.refused()[0], "in-toto-inspection-unanswered", "{run:?}");
    }
}

#[test]
fn a_signed_answer_about_another_product_is_refused() {
    for form in FORMS {
        let mut chain = chain(form, &TIED);
        chain.layout.inspections[0].run = vec!["scan".into()];
        chain.settings.inspectors = KeySet::new([public(INSPECTOR)]);
        let (made, other) = (manifest("layer"), manifest("other"));
        let put = |chain: &mut Chain, materials: &[&[u8]]| {
            let link = link_of("product", materials, &[]);
            chain.files.insert(file("product", INSPECTOR), sign(&link, &[&crate::chain::key(INSPECTOR)], form));
        };
        put(&mut chain, &[&made]);
        assert!(chain.verify().is_ok());
        put(&mut chain, &[&other, b"config", b"layer"]);
        let rejected = chain.rejected();
        assert_eq!(crate::chain::verdicts(&rejected.report.inspections[0].files), ["in-toto-other-product"]);
        assert_eq!(rejected.report.reasons[0].code(), "in-toto-inspection-unanswered");
        // Nor does it count without its being tied to a step.
        put(&mut chain, &[&made]);
        chain.layout.inspections[0].materials = rules(&["ALLOW *"]);
        assert_eq!(chain.refused(), ["in-toto-product-unmatched"]);
        // Nor by its name alone: step and inspector agree on another content under it.
        let digest = blob(&made).1;
        let lying = |name: &str, materials: &[&[u8]]| {
            let products = format!(r#""blobs/sha256/{digest}":{{"sha256":"00"}}"#);
            link_of(name, materials, &[]).replace(r#""products":{}"#, &format!(r#""products":{{{products}}}"#))
        };
        chain.layout.inspections[0].products = rules(&TIED);
        chain.files.insert(file("build", 1), sign(&lying("build", &[]), &[&crate::chain::key(1)], form));
        chain.files.insert(file("product", INSPECTOR), sign(&lying("product", &[&made]), &[&crate::chain::key(INSPECTOR)], form));
        assert_eq!(chain.refused(), ["in-toto-product-unmatched"]);
    }
}

#[test]
fn a_sublayout_is_not_answered_by_the_product() {
    let mut chain = chain(Form::Dsse, &TIED);
    let sublayout = Layout { inspections: vec![looking(vec![])], ..chain.layout.clone() };
    let bytes = chain.files[&file("build", 1)].clone();
    chain.put_signed(&file("build", 1), &sublayout.to_json(), &[1]);
    let folder = file("build", 1).replace(".link", "/");
    chain.files.insert(format!("{folder}{}", file("build", 1)), bytes);
    let rejected = chain.rejected();
    let report = rejected.report.steps[0].files[0].sublayout.as_ref().unwrap();
    assert_eq!(report.reasons[0].code(), "in-toto-inspection-unanswered");
    // Its own step is what holds or does not; the reason is not told twice.
    assert_eq!(chain.refused(), ["in-toto-threshold"]);
}

#[test]
fn an_index_is_offered_with_the_manifests_that_it_lists() {
    let digest = Algorithm::Sha512.digest(b"child");
    let index = format!(
        r#"{{"schemaVersion":2,"manifests":[{{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{digest}","size":5}}]}}"#
    );
    let product = Product::oci(index.as_bytes()).unwrap();
    let names: Vec<&str> = product.artifacts().iter().map(|artifact| artifact.name).collect();
    assert_eq!(names, [blob(index.as_bytes()).0, format!("blobs/sha512/{}", digest.hex())]);
    assert!(Product::oci(b"{}").is_err());
}
