//! One supply chain before three verifiers: python's in-toto and in-toto-golang, each as a library in a process that answers requests, and
//! `touchmark in-toto verify`; and why each of them refuses it, in words that all three share.

use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::harness::Place;
use crate::tool;
use crate::tuf_peer::Answering;

/// Why a supply chain is refused, as far as verifiers can be compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// A document that nobody can read.
    Unreadable,
    /// The layout is not signed by the given key.
    Signature,
    /// The layout has expired.
    Expired,
    /// A step without enough links by its own keys.
    Links,
    /// An artifact that the rules do not let through.
    Rules,
    /// An inspection that nobody answered.
    Inspection,
}

impl Refused {
    /// By the code of the first reason that Touchmark tells.
    fn by_code(code: &str) -> Self {
        match code {
            "json-control-character" => Self::Unreadable,
            "in-toto-layout-signature" => Self::Signature,
            "in-toto-expired" => Self::Expired,
            "in-toto-threshold" => Self::Links,
            "in-toto-disallowed" => Self::Rules,
            "in-toto-inspection-unanswered" => Self::Inspection,
            other => panic!("{other}"),
        }
    }

    /// By the class of python's exception.
    fn by_exception(said: &str) -> Self {
        match said.split_once(':').unwrap().0 {
            "JSONDecodeError" => Self::Unreadable,
            "SignatureVerificationError" => Self::Signature,
            "LayoutExpiredError" => Self::Expired,
            "LinkNotFoundError" | "ThresholdVerificationError" => Self::Links,
            "RuleVerificationError" => Self::Rules,
            _ => panic!("{said}"),
        }
    }

    /// By what Go says, which has no other form.
    fn by_words(said: &str) -> Self {
        let has = |words: &str| said.contains(words);
        match () {
            () if has("error decoding payload") => Self::Unreadable,
            () if has("failed to verify signature") || has("accepted signatures do not match threshold") => Self::Signature,
            () if has("layout has expired") => Self::Expired,
            () if has("link metadata file(s)") => Self::Links,
            () if has("disallowed by rule") => Self::Rules,
            () => panic!("{said}"),
        }
    }
}

pub type Verdict = Result<(), Refused>;

/// What the three say of a supply chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdicts {
    pub ours: Verdict,
    pub python: Verdict,
    pub go: Verdict,
}

impl Verdicts {
    /// All three say this.
    pub fn all(verdict: Verdict) -> Self {
        Self { ours: verdict, python: verdict, go: verdict }
    }
}

/// What Touchmark says of a folder, as [`Peers::verify`] has it.
pub fn ours(place: &Place, folder: &str, more: &str) -> Verdict {
    let ran = place.run(&format!(
        "in-toto verify --layout {folder}/root.layout --layout-key {folder}/owner.pub --links {folder} --products {folder}/final {more} \
         --format json"
    ));
    let reason = &ran.json()["results"][0]["report"]["layouts"][0]["reasons"][0]["code"];
    assert_eq!(reason.is_null(), ran.code == 0, "{ran:#?}");
    reason.as_str().map_or(Ok(()), |code| Err(Refused::by_code(code)))
}

/// The other two, in a test's folder.
pub struct Peers<'a> {
    place: &'a Place,
    python: Answering,
    go: Answering,
}

impl<'a> Peers<'a> {
    /// `None` if one of them is missing and may be; then it has said so.
    pub fn start(place: &'a Place) -> Option<Self> {
        let python = Answering::python("in_toto_peer.py")?;
        let go = Answering::start(Command::new(tool::path("in-toto-peer")?));
        Some(Self { place, python, go })
    }

    /// Has Go make a supply chain in a folder, and gives the key of its owner.
    pub fn made_by_go(&mut self, folder: &str, form: &str, more: Value) -> Value {
        std::fs::create_dir(self.place.path(folder)).unwrap();
        let mut request = json!({"op": "make", "folder": self.place.path(folder), "form": form});
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.go.ask(&request)["keys"].clone()
    }

    /// Verifies `root.layout` of a folder with the links there, by the key in `owner.pub` there, which is `keys` in the form of the others,
    /// and the files in `final` there as the final product. `more` is said to Touchmark alone.
    pub fn verify(&mut self, folder: &str, keys: &Value, more: &str) -> Verdicts {
        let ours = ours(self.place, folder, more);
        let mut asked = |peer: fn(&mut Self) -> &mut Answering, class: fn(&str) -> Refused| {
            // They record the folder where they stand, and then write the links of inspections into it.
            let look = self.place.path("look");
            let _ = std::fs::remove_dir_all(&look);
            copy(&self.place.path(folder).join("final"), &look);
            let folder = self.place.path(folder);
            let said = peer(self).ask(&json!({"op": "verify", "folder": folder, "layout": "root.layout", "keys": keys, "product": look}));
            match said["verified"].as_bool().unwrap() {
                true => Ok(()),
                false => Err(class(said["why"].as_str().unwrap())),
            }
        };
        let python = asked(|peers| &mut peers.python, Refused::by_exception);
        let go = asked(|peers| &mut peers.go, Refused::by_words);
        Verdicts { ours, python, go }
    }
}

/// The keyid of a public key, and its KEY object with that in it, as layouts of `touchmark in-toto new` list it and the others take it.
pub fn listed(place: &Place, file: &str) -> (String, Value) {
    let _ = std::fs::remove_file(place.path("listed"));
    place.ok(&format!("in-toto new --functionary {file} --out listed"));
    let text = String::from_utf8(place.read("listed")).unwrap();
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let layout: Value = serde_json::from_str(&lines).unwrap();
    let (id, key) = layout["keys"].as_object().unwrap().iter().next().unwrap();
    (id.clone(), key.clone())
}

/// Copies a folder with all in it.
pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let (path, to) = (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
        if path.is_dir() {
            copy(&path, &to);
        } else {
            std::fs::copy(&path, &to).unwrap();
        }
    }
}

/// The files of a folder whose names begin and end so, the first by its name first.
fn named(place: &Place, folder: &str, begin: &str, end: &str) -> Vec<String> {
    let names = std::fs::read_dir(place.path(folder)).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut found: Vec<String> =
        names.filter(|name| name.starts_with(begin) && name.ends_with(end)).map(|name| format!("{folder}/{name}")).collect();
    found.sort();
    found
}

/// One of these files.
pub fn any_file(place: &Place, folder: &str, begin: &str, end: &str) -> String {
    named(place, folder, begin, end).swap_remove(0)
}

/// The only one of these files.
pub fn the_file(place: &Place, folder: &str, begin: &str, end: &str) -> String {
    let found = named(place, folder, begin, end);
    assert_eq!(found.len(), 1, "{found:?}");
    any_file(place, folder, begin, end)
}

/// Changes what is signed in a document, in either envelope, and leaves its signatures.
pub fn change(place: &Place, file: &str, change: impl Fn(&str) -> String) {
    let text = String::from_utf8(place.read(file)).unwrap();
    let mut document: Value = serde_json::from_str(&text).unwrap();
    let changed = match document["payload"].as_str() {
        Some(payload) => {
            let payload = String::from_utf8(STANDARD.decode(payload).unwrap()).unwrap();
            let changed = change(&payload);
            assert_ne!(changed, payload);
            document["payload"] = STANDARD.encode(changed).into();
            document.to_string()
        }
        None => change(&text),
    };
    assert_ne!(changed, text);
    place.file(file, changed);
}
