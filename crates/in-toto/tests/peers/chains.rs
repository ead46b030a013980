//! Whole supply chains: theirs are verified here, ours there, and tampered ones nowhere.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use touchmark_envelope::digest::Algorithm;
use touchmark_envelope::json::{Value, parse};
use touchmark_envelope::key::PublicKey;
use touchmark_envelope::threshold::KeySet;
use touchmark_in_toto::{Answer, Need, Product, Rejected, Settings, SupplyChain, UnixTime, Verification};

use crate::chain::{Chain, FORMS, Form, Inspection, Layout, NOW, OWNER, file, key_object, keyid, public, rules, step};
use crate::python::Peer;

/// A folder of the test's own, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("in-toto-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn text(&self) -> Value<'_> {
        Value::from(self.0.to_str().unwrap())
    }

    /// All files, by their paths from here.
    fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let (mut files, mut folders) = (BTreeMap::new(), vec![self.0.clone()]);
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
                if entry.is_dir() {
                    folders.push(entry);
                } else {
                    files.insert(entry.strip_prefix(&self.0).unwrap().to_str().unwrap().to_owned(), std::fs::read(&entry).unwrap());
                }
            }
        }
        files
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn verify(files: &BTreeMap<String, Vec<u8>>) -> Result<SupplyChain, Rejected> {
    let pem = &files["owner.pub"];
    let owner = PublicKey::from_pem(pem);
    #[cfg(feature = "rsa")]
    let owner = owner.or_else(|_| PublicKey::rsa_from_pem(pem));
    let owner = owner.unwrap();
    let at = UnixTime::from_seconds(NOW).unwrap();
    let mut verification = Verification::new(files["root.layout"].clone(), &KeySet::new([owner]), Settings::default(), at);
    while let Some(need) = verification.need() {
        let Need::File { path, .. } = need else { panic!("{need:?}") };
        let answer = files.get(path).map_or(Answer::Absent, |bytes| Answer::Bytes(bytes.clone()));
        verification.answer(answer);
    }
    verification.finish().map(|chain| chain.into_inner())
}

fn is_verified_there(peer: &mut Peer, folder: &Folder, keys: &Value<'static>) -> bool {
    let question =
        [("op", Value::from("verify")), ("folder", folder.text()), ("layout", Value::from("root.layout")), ("keys", keys.clone())];
    let answer = peer.ask(&Value::object(question));
    answer.get("verified").and_then(Value::as_bool).unwrap()
}

#[test]
fn supply_chains_by_the_reference_implementation_are_verified_here_and_tampered_ones_nowhere() {
    let Some(mut peer) = Peer::start() else { return };
    for form in ["dsse", "legacy"] {
        let folder = Folder::new(form);
        let with_rsa = ("with_rsa", Value::from(cfg!(feature = "rsa")));
        let made =
            peer.ask(&Value::object([("op", Value::from("make")), ("folder", folder.text()), ("form", Value::from(form)), with_rsa]));
        let keys = made.get("keys").unwrap().clone();
        let good = folder.files();
        let chain = verify(&good).unwrap();
        assert_eq!(chain.report.steps.iter().map(|step| step.counted.len()).collect::<Vec<_>>(), [1, 2, 1]);
        assert_eq!(chain.report.steps[0].files[0].sublayout.as_ref().unwrap().steps.len(), 2);
        assert!(is_verified_there(&mut peer, &folder, &keys));
        // One file at a time is missing, or has a byte changed.
        for (name, bytes) in good.iter().filter(|(name, _)| *name != "owner.pub") {
            let path = folder.0.join(name);
            let place = bytes.len() / 3;
            let mut changed = bytes.clone();
            changed[place] = if changed[place] == b'0' { b'1' } else { b'0' };
            std::fs::write(&path, &changed).unwrap();
            assert!(verify(&folder.files()).is_err() && !is_verified_there(&mut peer, &folder, &keys), "{form} {name}");
            if name != "root.layout" {
                std::fs::remove_file(&path).unwrap();
                assert!(verify(&folder.files()).is_err() && !is_verified_there(&mut peer, &folder, &keys), "{form} {name}");
            }
            std::fs::write(&path, bytes).unwrap();
        }
        assert!(is_verified_there(&mut peer, &folder, &keys));
    }
}

#[test]
fn supply_chains_that_are_signed_here_are_verified_by_the_reference_implementation() {
    let Some(mut peer) = Peer::start() else { return };
    for form in FORMS {
        let folder = Folder::new(&format!("ours-{form:?}"));
        let mut chain = Chain::demo(form);
        // It takes keys only with their keyids in them.
        let with_keyid = |id: &str, object: &str| object.replacen('{', &format!("{{\"keyid\":\"{id}\","), 1);
        for (id, object) in &mut chain.layout.keys {
            *object = with_keyid(id, object);
        }
        let owner = with_keyid(&keyid(OWNER), &key_object(&public(OWNER)));
        let keys = Value::object([(keyid(OWNER), parse(owner.as_bytes(), owner.len()).unwrap().into_owned())]);
        let mut is_verified = |chain: &mut Chain| {
            std::fs::write(folder.0.join("root.layout"), chain.document()).unwrap();
            for (name, bytes) in &chain.files {
                std::fs::write(folder.0.join(name), bytes).unwrap();
            }
            let theirs = is_verified_there(&mut peer, &folder, &keys);
            assert_eq!(chain.verify().is_ok(), theirs);
            theirs
        };
        assert!(is_verified(&mut chain));
        chain.put("package", 2, &[("foo.py", "tampered")], &[("foo.py", "tampered"), ("foo.tgz", "2")]);
        assert!(!is_verified(&mut chain));
        let mut chain = Chain { files: BTreeMap::from([(file("write", 1), b"{}".to_vec())]), ..chain };
        assert!(!is_verified(&mut chain));
    }
}

#[test]
fn an_artifact_in_an_oci_layout_is_tied_to_its_build_by_one_layout_here_and_there() {
    let Some(mut peer) = Peer::start() else { return };
    let blob = |content: &[u8]| Algorithm::Sha256.digest(content).hex();
    let descriptor = |content: &[u8]| {
        let (digest, size) = (blob(content), content.len());
        format!(r#"{{"mediaType":"application/octet-stream","digest":"sha256:{digest}","size":{size}}}"#)
    };
    let image =
        |layer: &[u8]| format!(r#"{{"schemaVersion":2,"config":{},"layers":[{}]}}"#, descriptor(b"{}"), descriptor(layer)).into_bytes();
    let recorded = |layer: &[u8]| {
        let blobs = [image(layer), b"{}".to_vec(), layer.to_vec()].map(|content| {
            let digest = blob(&content);
            format!(r#""blobs/sha256/{digest}":{{"sha256":"{digest}"}}"#)
        });
        let link = r#"{"_type":"link","name":"build","command":[],"materials":{},"products":{BLOBS},"byproducts":{},"environment":{}}"#;
        link.replace("BLOBS", &blobs.join(","))
    };
    let mut layout = Layout::of(&[1], vec![step("build", &[1], &[], &[])]);
    layout.inspections.push(Inspection {
        name: "product".into(),
        run: vec!["true".into()],
        materials: rules(&["MATCH blobs/* WITH PRODUCTS FROM build", "ALLOW index.json", "ALLOW oci-layout", "DISALLOW *"]),
        products: vec![],
    });
    let (id, object) = &mut layout.keys[0];
    *object = object.replacen('{', &format!("{{\"keyid\":\"{id}\","), 1);
    let mut chain = Chain::new(Form::Dsse, layout);
    chain.put_signed(&file("build", 1), &recorded(b"layer"), &[1]);
    let owner = key_object(&public(OWNER)).replacen('{', &format!("{{\"keyid\":\"{}\",", keyid(OWNER)), 1);
    let keys = Value::object([(keyid(OWNER), parse(owner.as_bytes(), owner.len()).unwrap().into_owned())]);
    for (layer, verified) in [(&b"layer"[..], true), (b"other", false)] {
        let (links, oci) = (Folder::new("product-links"), Folder::new("product-oci"));
        std::fs::write(links.0.join("root.layout"), chain.document()).unwrap();
        std::fs::write(links.0.join(file("build", 1)), &chain.files[&file("build", 1)]).unwrap();
        std::fs::create_dir_all(oci.0.join("blobs/sha256")).unwrap();
        std::fs::write(oci.0.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
        std::fs::write(oci.0.join("index.json"), r#"{"schemaVersion":2,"manifests":[]}"#).unwrap();
        for content in [image(layer), b"{}".to_vec(), layer.to_vec()] {
            std::fs::write(oci.0.join("blobs/sha256").join(blob(&content)), content).unwrap();
        }
        let question =
            [("op", Value::from("verify")), ("folder", links.text()), ("layout", Value::from("root.layout")), ("keys", keys.clone())];
        let answer = peer.ask(&Value::object(question.into_iter().chain([("product", oci.text())])));
        assert_eq!(answer.get("verified").and_then(Value::as_bool), Some(verified), "{answer:?}");
        chain.settings.product = Some(Product::oci(&image(layer)).unwrap());
        assert_eq!(chain.verify().is_ok(), verified);
        assert!(chain.asked_to_run.is_empty());
    }
}
