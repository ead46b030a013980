//! The demo of the in-toto project: Bob clones a repository and changes the version in it, Carl packs it, and Alice's layout says so. Made by
//! the command line of python's in-toto; verified by it, by in-toto-golang, and here.

use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::harness::{Place, Ran};
use crate::in_toto_peer::{Peers, Refused, Verdicts, change, copy, listed, ours, the_file};
use crate::tool;

/// What theirs are told to write envelopes, and without which they write the older form.
const FORMS: [&str; 2] = ["--use-dsse", ""];

/// Runs a command in a folder of the test, and asserts that it succeeds.
fn ok(place: &Place, folder: &str, program: &Path, words: &str) {
    let mut command = Command::new(program);
    command.args(words.split(' ').filter(|word| !word.is_empty())).current_dir(place.path(folder)).env("HOME", place.path(""));
    Ran::of(&format!("{} {words}", program.display()), command.output().unwrap()).is(0);
}

fn rules(lines: &[&str]) -> Value {
    lines.iter().map(|line| line.split(' ').collect::<Vec<_>>()).collect::<Vec<_>>().into()
}

/// The demo in the folder `demo`, where its final product is in `final`.
struct Demo {
    place: Place,
    python: std::path::PathBuf,
    form: &'static str,
    /// Alice's key as the others take it.
    alice: Value,
}

impl Demo {
    fn new(form: &'static str) -> Option<Self> {
        let python = tool::python()?;
        let place = Place::new();
        std::fs::create_dir_all(place.path("demo/final")).unwrap();
        std::fs::create_dir(place.path("keys")).unwrap();
        for (name, kind) in [("alice", "ed25519"), ("bob", "ed25519"), ("carl", "ecdsa-p256")] {
            place.ok(&format!("key generate --type {kind} --no-passphrase --quiet --out keys/{name}"));
        }
        std::fs::copy(place.path("keys/alice.pub"), place.path("demo/owner.pub")).unwrap();
        let (id, key) = listed(&place, "keys/alice.pub");
        let demo = Self { place, python, form, alice: json!({ id: key }) };
        demo.layout("2030-01-01T00:00:00Z");
        Some(demo)
    }

    /// One of theirs, in the folder where the steps are done.
    fn theirs(&self, tool: &str, words: &str) {
        ok(&self.place, "demo/work", &self.python.with_file_name(tool), words);
    }

    /// Alice's layout, signed by her.
    fn layout(&self, expires: &str) {
        let [(bob, bob_key), (carl, carl_key)] = ["bob", "carl"].map(|name| listed(&self.place, &format!("keys/{name}.pub")));
        let step = |name: &str, by: &str, command: &str, materials: &[&str], products: &[&str]| {
            let command: Vec<&str> = command.split(' ').filter(|word| !word.is_empty()).collect();
            json!({"_type": "step", "name": name, "pubkeys": [by], "threshold": 1, "expected_command": command,
                "expected_materials": rules(materials), "expected_products": rules(products)})
        };
        let clone = "git clone https://github.com/in-toto/demo-project.git";
        let package = "tar --exclude .git -zcvf demo-project.tar.gz demo-project";
        // Whatever else may lie there where the project's own script verifies.
        let around = ["ALLOW .keep", "ALLOW alice.pub", "ALLOW root.layout"];
        let there = [&["MATCH demo-project.tar.gz WITH PRODUCTS FROM package"], around.as_slice(), &["DISALLOW *"]].concat();
        let unpacked = [
            &["MATCH demo-project/foo.py WITH PRODUCTS FROM update-version", "ALLOW demo-project/.git/*", "ALLOW demo-project.tar.gz"],
            around.as_slice(),
            &["DISALLOW *"],
        ]
        .concat();
        let layout = json!({
            "_type": "layout",
            "expires": expires,
            "readme": "",
            "keys": {&bob: bob_key, &carl: carl_key},
            "steps": [
                step("clone", &bob, clone, &[], &["CREATE demo-project/foo.py", "DISALLOW *"]),
                step(
                    "update-version",
                    &bob,
                    "",
                    &["MATCH demo-project/* WITH PRODUCTS FROM clone", "DISALLOW *"],
                    &["MODIFY demo-project/foo.py", "DISALLOW *"],
                ),
                step(
                    "package",
                    &carl,
                    package,
                    &["MATCH demo-project/* WITH PRODUCTS FROM update-version", "DISALLOW *"],
                    &["CREATE demo-project.tar.gz", "DISALLOW *"],
                ),
            ],
            "inspect": [{"_type": "inspection", "name": "untar", "run": ["tar", "xzf", "demo-project.tar.gz"],
                "expected_materials": rules(&there), "expected_products": rules(&unpacked)}],
        });
        let unsigned = match self.form {
            "" => json!({"signed": layout, "signatures": []}),
            _ => json!({"payload": STANDARD.encode(layout.to_string()), "payloadType": "application/vnd.in-toto+json", "signatures": []}),
        };
        self.place.file("demo/root.layout", unsigned.to_string());
        std::fs::create_dir_all(self.place.path("demo/work")).unwrap();
        self.theirs("in-toto-sign", "-f ../root.layout -k ../../keys/alice");
    }

    /// Bob clones, from a repository beside it, since the project's own is far away.
    fn clone(&self) {
        self.place.file("upstream/demo-project/foo.py", "VERSION = \"foo-v0\"\n");
        for words in ["init --quiet", "add .", "-c user.name=bob -c user.email=bob@localhost commit --quiet --message first"] {
            ok(&self.place, "upstream/demo-project", "git".as_ref(), words);
        }
        let run = format!("-n clone --signing-key ../../keys/bob {} -d .. -p demo-project/foo.py", self.form);
        self.theirs("in-toto-run", &format!("{run} -- git clone --quiet ../../upstream/demo-project"));
    }

    /// Bob changes the version by hand.
    fn update(&self) {
        let record = |verb: &str, side: &str| {
            self.theirs(
                "in-toto-record",
                &format!("{verb} -n update-version --signing-key ../../keys/bob {} {side} demo-project/foo.py", self.form),
            );
        };
        record("start", "-m");
        self.place.file("demo/work/demo-project/foo.py", "VERSION = \"foo-v1\"\n");
        record("stop", "-p");
        let link = the_file(&self.place, "demo/work", "update-version.", ".link");
        std::fs::rename(self.place.path(&link), self.place.path(&link.replace("/work", ""))).unwrap();
    }

    /// Carl packs, or somebody else does.
    fn package(&self, by: &str) {
        let run = format!("-n package --signing-key ../../keys/{by} {} -d .. -m demo-project/foo.py -p demo-project.tar.gz", self.form);
        self.theirs("in-toto-run", &format!("{run} -- tar --exclude .git -zcvf demo-project.tar.gz demo-project"));
    }

    /// The product goes to whom it is for; and Alice, who looked at it, signs what she saw, so that nobody has to run her command.
    fn release(&self) {
        let product = self.place.path("demo/work/demo-project.tar.gz");
        std::fs::copy(&product, self.place.path("demo/final/demo-project.tar.gz")).unwrap();
        self.inspect();
    }

    fn inspect(&self) {
        let _ = std::fs::remove_dir_all(self.place.path("demo/work"));
        copy(&self.place.path("demo/final"), &self.place.path("demo/work"));
        let run = format!("-n untar --signing-key ../../keys/alice {} -d .. -m . -p .", self.form);
        self.theirs("in-toto-run", &format!("{run} -- tar xzf demo-project.tar.gz"));
    }

    fn honest(form: &'static str) -> Option<Self> {
        let demo = Self::new(form)?;
        demo.clone();
        demo.update();
        demo.package("carl");
        demo.release();
        Some(demo)
    }

    /// What all say, with Alice's inspection as evidence here, where no command of a layout is run unasked.
    fn verdicts(&self) -> Option<Verdicts> {
        Some(Peers::start(&self.place)?.verify("demo", &self.alice, "--inspection-key keys/alice.pub"))
    }

    /// Asserts what is said of the demo: of the older form, Go, which adds a member to keys as python lists them, says that it was not signed.
    #[track_caller]
    fn is(&self, verdict: Result<(), Refused>, what: &str) {
        let Some(verdicts) = self.verdicts() else { return };
        let go = if self.form.is_empty() { Err(Refused::Signature) } else { verdict };
        assert_eq!(verdicts, Verdicts { go, ..Verdicts::all(verdict) }, "{what} {}", self.form);
        // And by running her command, where whoever verifies asks for that, beside the product and not in it.
        let before = crate::tuf_peer::files(&self.place.path("demo/final"));
        assert_eq!(ours(&self.place, "demo", "--run-inspection untar"), verdict, "{what} {}", self.form);
        assert_eq!(crate::tuf_peer::files(&self.place.path("demo/final")), before);
    }
}

#[test]
fn the_demo_is_verified_here_and_there() {
    for form in FORMS {
        let Some(demo) = Demo::honest(form) else { return };
        demo.is(Ok(()), "as it is");
        // Nobody's word for the inspection: not verified, and nothing was run.
        let links = "in-toto verify --layout demo/root.layout --layout-key keys/alice.pub --links demo --products demo/final";
        demo.place.run(links).is(1).says("untar");
        assert!(!demo.place.path("demo/final/demo-project").exists());
    }
}

#[test]
fn the_demo_tampered_with_is_refused_here_and_there_for_the_same_reason() {
    type Tamper = fn(&Demo);
    let tamperings: [(&str, Tamper, Refused); 7] = [
        (
            "the product was changed, and still unpacks",
            |demo| {
                std::fs::remove_dir_all(demo.place.path("demo/work")).unwrap();
                demo.place.file("demo/work/demo-project/foo.py", "VERSION = \"foo-evil\"\n");
                ok(&demo.place, "demo/work", "tar".as_ref(), "-zcf ../final/demo-project.tar.gz demo-project");
                demo.inspect();
            },
            Refused::Rules,
        ),
        (
            "a file was added to the product",
            |demo| {
                demo.place.file("demo/final/backdoor", "x");
                demo.inspect();
            },
            Refused::Rules,
        ),
        (
            "a link was changed",
            |demo| change(&demo.place, &the_file(&demo.place, "demo", "package.", ".link"), |text| text.replace(".tar.gz", ".tar.xz")),
            Refused::Links,
        ),
        (
            "a link is missing",
            |demo| std::fs::remove_file(demo.place.path(&the_file(&demo.place, "demo", "package.", ".link"))).unwrap(),
            Refused::Links,
        ),
        ("the layout has expired", |demo| demo.layout("2020-01-01T00:00:00Z"), Refused::Expired),
        (
            "the layout was changed",
            |demo| change(&demo.place, "demo/root.layout", |text| text.replacen("ALLOW", "allow", 1)),
            Refused::Signature,
        ),
        (
            "another layout's signature",
            |demo| {
                let (old, _) = (demo.place.read("demo/root.layout"), demo.layout("2031-01-01T00:00:00Z"));
                let mut document: Value = serde_json::from_slice(&demo.place.read("demo/root.layout")).unwrap();
                document["signatures"] = serde_json::from_slice::<Value>(&old).unwrap()["signatures"].take();
                demo.place.file("demo/root.layout", document.to_string());
            },
            Refused::Signature,
        ),
    ];
    for form in FORMS {
        let Some(demo) = Demo::honest(form) else { return };
        copy(&demo.place.path("demo"), &demo.place.path("honest"));
        for (what, tamper, reason) in tamperings {
            std::fs::remove_dir_all(demo.place.path("demo")).unwrap();
            copy(&demo.place.path("honest"), &demo.place.path("demo"));
            tamper(&demo);
            demo.is(Err(reason), what);
        }
    }
}

#[test]
fn the_demo_done_otherwise_is_refused_here_and_there_for_the_same_reason() {
    for form in FORMS {
        // The project's own tampering: what is packed is not what Bob made.
        let Some(demo) = Demo::new(form) else { return };
        demo.clone();
        demo.update();
        demo.place.file("demo/work/demo-project/foo.py", "VERSION = \"foo-evil\"\n");
        demo.package("carl");
        demo.release();
        demo.is(Err(Refused::Rules), "changed between the steps");
        // Bob, whom the layout trusts with the other steps, packs.
        let Some(demo) = Demo::new(form) else { return };
        demo.clone();
        demo.update();
        demo.package("bob");
        demo.release();
        demo.is(Err(Refused::Links), "packed by bob");
    }
}
