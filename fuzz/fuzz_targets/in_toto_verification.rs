//! A whole verification with a folder of hostile files: it ends, and without the keys of functionaries nothing is verified that they did not
//! sign.
//!
//! The input is a list of answers: a byte for its kind, two for a length, and so many bytes. When it is used up, the folder is honest.
#![no_main]

use std::collections::BTreeMap;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use touchmark_envelope::digest::hex;
use touchmark_envelope::dsse::{Envelope, IN_TOTO};
use touchmark_envelope::key::KeyAlgorithm;
use touchmark_envelope::sign::{PrivateKey, Signer};
use touchmark_envelope::threshold::KeySet;
use touchmark_in_toto::{Answer, Failure, Limits, Link, Need, Settings, UnixTime, Verification};

/// Keys of the owner, of two functionaries who must both make something, and of one who may have it made by others.
static KEYS: LazyLock<[PrivateKey; 4]> =
    LazyLock::new(|| [1, 2, 3, 4].map(|byte| PrivateKey::from_raw(KeyAlgorithm::Ed25519, &[byte; 32]).expect("a key")));

fn keyid(key: &PrivateKey) -> String {
    key.public_key().key_ids()[2].as_str().to_owned()
}

fn sign(payload: &str, key: &PrivateKey) -> Vec<u8> {
    let signer: &dyn Signer = key;
    Envelope::sign(IN_TOTO, payload.into(), &[signer]).expect("signed").to_json()
}

fn layout(keys: &[&PrivateKey], steps: &str) -> String {
    let object = |key: &&PrivateKey| {
        let public = hex(key.public_key().as_raw());
        format!(r#""{}":{{"keytype":"ed25519","scheme":"ed25519","keyval":{{"public":"{public}"}}}}"#, keyid(key))
    };
    let keys: Vec<String> = keys.iter().map(object).collect();
    format!(r#"{{"_type":"layout","expires":"2030-01-01T00:00:00Z","keys":{{{}}},"steps":[{steps}],"inspect":[]}}"#, keys.join(","))
}

fn step(name: &str, keys: &[&PrivateKey], threshold: usize, materials: &str, products: &str) -> String {
    let keys: Vec<String> = keys.iter().map(|key| format!("\"{}\"", keyid(key))).collect();
    format!(
        r#"{{"_type":"step","name":"{name}","threshold":{threshold},"pubkeys":[{}],"expected_materials":[{materials}],"expected_products":[{products}]}}"#,
        keys.join(",")
    )
}

fn link(name: &str, materials: &str, products: &str) -> String {
    format!(r#"{{"_type":"link","name":"{name}","materials":{{{materials}}},"products":{{{products}}}}}"#)
}

/// The honest folder, and the layout.
static HONEST: LazyLock<World> = LazyLock::new(|| {
    let [owner, one, two, upstream] = &*KEYS;
    let source = r#""src":{"sha256":"00"}"#;
    let name = |step: &str, key| format!("{step}.{}", &keyid(key)[..8]);
    let steps = [
        step("upstream", &[upstream], 1, r#"["DISALLOW","*"]"#, r#"["CREATE","src"],["DISALLOW","*"]"#),
        step(
            "build",
            &[one, two],
            2,
            r#"["MATCH","*","WITH","PRODUCTS","FROM","upstream"],["DISALLOW","*"]"#,
            r#"["CREATE","app"],["DISALLOW","*"]"#,
        ),
    ];
    let sublayout = layout(&[one], &step("write", &[one], 1, "", r#"["CREATE","src"],["DISALLOW","*"]"#));
    let built = link("build", source, r#""app":{"sha256":"01"}"#);
    let files = [
        (format!("{}.link", name("upstream", upstream)), sign(&sublayout, upstream)),
        (format!("{}/{}.link", name("upstream", upstream), name("write", one)), sign(&link("write", "", source), one)),
        (format!("{}.link", name("build", one)), sign(&built, one)),
        (format!("{}.link", name("build", two)), sign(&built, two)),
    ];
    (BTreeMap::from(files), sign(&layout(&[one, two, upstream], &steps.join(",")), owner))
});

/// An honest folder of statements, and the layout over them: one who writes, and two who must both have built.
static ATTESTED: LazyLock<World> = LazyLock::new(|| {
    let [owner, one, two, _] = &*KEYS;
    let key = |name: &str, key: &PrivateKey| {
        let public = hex(key.public_key().as_raw());
        format!(r#""{name}":{{"keytype":"ed25519","scheme":"ed25519","keyval":{{"public":"{public}"}}}}"#)
    };
    let subject = |name: &str, digest: &str| format!(r#"{{"name":"{name}","digest":{{"sha256":"{digest}"}}}}"#);
    let statement = |subject: &str, kind: &str, predicate: &str| {
        format!(r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{subject}],"predicateType":"{kind}","predicate":{predicate}}}"#)
    };
    let link = statement(&subject("src", "00"), "https://in-toto.io/attestation/link/v0.3", r#"{"name":"write"}"#);
    let build = format!(
        r#"{{"buildDefinition":{{"buildType":"x:make","externalParameters":{{}},"resolvedDependencies":[{}]}},"runDetails":{{"builder":{{"id":"x:builder"}}}}}}"#,
        subject("src", "00")
    );
    let build = statement(&subject("app", "01"), "https://slsa.dev/provenance/v1", &build);
    let expects = |kind: &str, by: &str, threshold: u8, constraints: &str| {
        format!(r#"[{{"predicateType":"{kind}","functionaries":[{by}],"threshold":{threshold},"expectedAttributes":[{constraints}]}}]"#)
    };
    let steps = [
        format!(
            r#"{{"name":"write","expectedMaterials":[["DISALLOW","*"]],"expectedProducts":[["CREATE","src"],["DISALLOW","*"]],"expectedPredicates":{}}}"#,
            expects("https://in-toto.io/attestation/link/v0.3", r#""one""#, 1, "")
        ),
        format!(
            r#"{{"name":"build","expectedMaterials":[["MATCH","*","WITH","PRODUCTS","FROM","write"],["DISALLOW","*"]],"expectedProducts":[["CREATE","app"],["DISALLOW","*"]],"expectedPredicates":{}}}"#,
            expects("https://slsa.dev/provenance/v1", r#""one","two""#, 2, r#"{"at":"/runDetails/builder/id","equals":"x:builder"}"#)
        ),
    ];
    let layout = format!(
        r#"{{"_type":"{}","expires":"2030-01-01T00:00:00Z","functionaries":{{{},{}}},"steps":[{}],"subjects":[],"inspections":[]}}"#,
        touchmark_in_toto::attestation::LAYOUT_TYPE,
        key("one", one),
        key("two", two),
        steps.join(",")
    );
    let name = |step: &str, key, end: &str| format!("{step}.{}.{end}", &keyid(key)[..8]);
    let files = [
        (name("write", one, "json"), sign(&link, one)),
        (name("build", one, "json"), sign(&build, one)),
        (name("build", two, "intoto.jsonl"), [b"\n", sign(&build, two).as_slice()].concat()),
    ];
    (BTreeMap::from(files), sign(&layout, owner))
});

/// Files by name, and a layout.
type World = (BTreeMap<String, Vec<u8>>, Vec<u8>);

/// The honest folders, and what each comes to.
static WORLDS: LazyLock<[(&World, Link); 2]> = LazyLock::new(|| {
    let worlds: [&World; 2] = [&HONEST, &ATTESTED];
    worlds.map(|world| (world, run(world, &mut |path, _| honest(world, path)).expect("an honest folder")))
});

fn honest(world: &World, path: &str) -> Answer {
    world.0.get(path).map_or(Answer::Absent, |bytes| Answer::Bytes(bytes.clone()))
}

fn run(world: &World, answer: &mut dyn FnMut(&str, u64) -> Answer) -> Option<Link> {
    let mut settings = Settings::default();
    let mut limits = Limits::default();
    (limits.file, limits.files, limits.requests, limits.work) = (1 << 16, 1 << 20, 2000, 1 << 24);
    settings.limits = limits;
    let at = UnixTime::from_seconds(1_800_000_000).expect("a time");
    let keys = KeySet::new([KEYS[0].public_key().clone()]);
    let mut verification = Verification::new(world.1.clone(), &keys, settings, at);
    let mut needs = 0;
    while let Some(need) = verification.need() {
        let given = match need {
            Need::File { path, limit } => {
                assert!(path.split('/').all(|part| !matches!(part, "" | "." | "..")) && !path.contains('\\'));
                answer(path, *limit)
            }
            _ => Answer::Absent,
        };
        verification.answer(given);
        needs += 1;
        assert!(needs <= 3000);
    }
    match verification.finish() {
        Ok(chain) => chain.into_inner().summary,
        Err(rejected) => {
            assert!(!rejected.report.reasons.is_empty());
            None
        }
    }
}

/// The next answer of the input: its kind and its bytes.
fn next<'d>(data: &mut &'d [u8]) -> Option<(u8, &'d [u8])> {
    let (kind, rest) = data.split_first()?;
    let (length, rest) = rest.split_first_chunk::<2>().unwrap_or((&[0, 0], &[]));
    let (bytes, rest) = rest.split_at(usize::from(u16::from_le_bytes(*length)).min(rest.len()));
    *data = rest;
    Some((*kind, bytes))
}

fuzz_target!(|data: &[u8]| {
    WORLDS.iter().for_each(|(world, summary)| verify(world, summary, data));
});

fn verify(world: &World, summary: &Link, data: &[u8]) {
    let (mut data, mut has_keys) = (data, false);
    let found = run(world, &mut |path, limit| {
        let Some((kind, bytes)) = next(&mut data) else { return honest(world, path) };
        match kind % 8 {
            0 => honest(world, path),
            1 => Answer::Absent,
            2 => Answer::Failed(Failure::Unavailable("no answer".into())),
            3 => Answer::Failed(Failure::TooLarge { limit }),
            4 => Answer::Bytes(bytes.to_vec()),
            // The honest file with some of its bytes replaced.
            5 => match honest(world, path) {
                Answer::Bytes(mut file) => {
                    for change in bytes.chunks_exact(3) {
                        let at = usize::from(u16::from_le_bytes([change[0], change[1]]));
                        if let Some(byte) = file.get_mut(at) {
                            *byte = change[2];
                        }
                    }
                    Answer::Bytes(file)
                }
                other => other,
            },
            // Another file of the honest folder.
            6 => match world.0.values().nth(bytes.first().copied().unwrap_or_default().into()) {
                Some(other) => Answer::Bytes(other.clone()),
                None => Answer::Absent,
            },
            // Whatever the bytes say, signed by a functionary.
            _ => {
                has_keys = true;
                let (key, payload) = bytes.split_first().unwrap_or((&0, &[]));
                let text = String::from_utf8_lossy(payload);
                Answer::Bytes(sign(&text, &KEYS[1 + usize::from(*key) % 3]))
            }
        }
    });
    assert!(has_keys || found.is_none_or(|found| found == *summary));
}
