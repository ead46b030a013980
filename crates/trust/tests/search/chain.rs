//! Layouts, links and sets of them for the manifests of a shelf.

use std::collections::BTreeMap;

use touchmark_envelope::Digest;
use touchmark_envelope::digest::hex;
use touchmark_envelope::manifest::{Descriptor, Manifest};
use touchmark_envelope::sign::PrivateKey;
use touchmark_in_toto::attached::{ARTIFACT_TYPE, manifest};
use touchmark_trust::SupplyChainDemand;

use crate::shelf::{Shelf, key, public, sealed};

/// The key of whoever owns the layout. Even numbers are Ed25519 keys.
pub(crate) const OWNER: u8 = 100;
/// Who may do the steps.
pub(crate) const BUILDER: u8 = 20;
pub(crate) const OTHER_BUILDER: u8 = 22;
pub(crate) const TESTER: u8 = 24;
/// A key that nobody names.
pub(crate) const STRANGER: u8 = 60;

/// What the product's inspection wants: that a step made all of it.
pub(crate) const TIED: &str = r#"["MATCH","*","WITH","PRODUCTS","FROM","build"],["DISALLOW","*"]"#;

pub(crate) fn keyid(number: u8) -> String {
    public(&key(number)).key_ids()[2].as_str().to_owned()
}

/// The file of a link by this key.
pub(crate) fn file(step: &str, number: u8) -> String {
    format!("{step}.{}.link", &keyid(number)[..8])
}

/// A layout: its steps and inspections, as their JSON.
pub(crate) struct Layout {
    pub(crate) steps: Vec<String>,
    pub(crate) inspections: Vec<String>,
    pub(crate) expires: &'static str,
}

impl Layout {
    /// `build` by [`BUILDER`], and an inspection that looks at the product.
    pub(crate) fn simple() -> Self {
        Self {
            steps: vec![step("build", &[BUILDER], 1)],
            inspections: vec![inspection("look", "true", TIED)],
            expires: "2030-01-01T00:00:00Z",
        }
    }

    pub(crate) fn text(&self) -> String {
        let keys = [BUILDER, OTHER_BUILDER, TESTER].map(|number| {
            let public = hex(public(&key(number)).as_raw());
            format!(r#""{}":{{"keytype":"ed25519","scheme":"ed25519","keyval":{{"public":"{public}"}}}}"#, keyid(number))
        });
        format!(
            r#"{{"_type":"layout","expires":"{}","readme":"","keys":{{{}}},"steps":[{}],"inspect":[{}]}}"#,
            self.expires,
            keys.join(","),
            self.steps.join(","),
            self.inspections.join(",")
        )
    }

    /// Signed by these keys.
    pub(crate) fn signed(&self, by: &[u8]) -> Vec<u8> {
        let keys: Vec<PrivateKey> = by.iter().map(|number| key(*number)).collect();
        sealed(self.text().as_bytes(), &keys.iter().collect::<Vec<_>>())
    }

    /// What a policy wants of it, signed by its owner.
    pub(crate) fn demand(&self) -> SupplyChainDemand {
        SupplyChainDemand::new(self.signed(&[OWNER]), [public(&key(OWNER))]).unwrap()
    }
}

pub(crate) fn step(name: &str, by: &[u8], threshold: usize) -> String {
    let by: Vec<String> = by.iter().map(|number| format!("\"{}\"", keyid(*number))).collect();
    format!(
        r#"{{"_type":"step","name":"{name}","threshold":{threshold},"pubkeys":[{}],"expected_command":[],"expected_materials":[],"expected_products":[]}}"#,
        by.join(",")
    )
}

pub(crate) fn inspection(name: &str, command: &str, materials: &str) -> String {
    format!(r#"{{"_type":"inspection","name":"{name}","run":["{command}"],"expected_materials":[{materials}],"expected_products":[]}}"#)
}

/// A link of a step, whose materials and products are these, by a key.
pub(crate) fn link(name: &str, materials: &[Digest], products: &[Digest], by: u8) -> Vec<u8> {
    let list = |all: &[Digest]| {
        let one = |digest: &Digest| format!(r#""blobs/sha256/{0}":{{"sha256":"{0}"}}"#, digest.hex());
        all.iter().map(one).collect::<Vec<_>>().join(",")
    };
    let text = format!(
        r#"{{"_type":"link","name":"{name}","command":[],"materials":{{{}}},"products":{{{}}},"byproducts":{{}},"environment":{{}}}}"#,
        list(materials),
        list(products)
    );
    sealed(text.as_bytes(), &[&key(by)])
}

/// A manifest and all that it names.
pub(crate) fn parts(shelf: &Shelf, digest: Digest) -> Vec<Digest> {
    let read = Manifest::parse(&shelf.contents[&digest]).unwrap();
    let named = read.blobs().chain(read.children()).map(|descriptor| descriptor.digest);
    let mut all: Vec<Digest> = named.chain([digest]).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// The link of `build` for an artifact, by a key: the file and its bytes.
pub(crate) fn built(shelf: &Shelf, digest: Digest, by: u8) -> (String, Vec<u8>) {
    (file("build", by), link("build", &[], &parts(shelf, digest), by))
}

/// Attaches files as one set.
pub(crate) fn attach(shelf: &mut Shelf, subject: Digest, files: &[(String, Vec<u8>)]) -> Digest {
    let digest = unlisted(shelf, subject, files);
    shelf.list(subject, digest, Some(ARTIFACT_TYPE));
    digest
}

/// The same, in no list.
pub(crate) fn unlisted(shelf: &mut Shelf, subject: Digest, files: &[(String, Vec<u8>)]) -> Digest {
    let files: BTreeMap<String, Vec<u8>> = files.iter().cloned().collect();
    for bytes in files.values() {
        shelf.put(bytes);
    }
    let read = Manifest::parse(&shelf.contents[&subject]).unwrap();
    let descriptor = Descriptor::new(&read.media_type, subject, shelf.contents[&subject].len() as u64);
    shelf.put(&manifest(&descriptor, &files))
}
