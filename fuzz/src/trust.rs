//! A place with artifacts, what is signed of them by fixed keys, and a policy for each of many inputs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use touchmark_envelope::digest::{Algorithm, hex};
use touchmark_envelope::dsse::{self, Envelope};
use touchmark_envelope::json::Value;
use touchmark_envelope::key::{KeyAlgorithm, PublicKey};
use touchmark_envelope::manifest::{Descriptor, EMPTY_CONFIG, IMAGE_INDEX, IMAGE_MANIFEST, Manifest, TITLE};
use touchmark_envelope::sign::{PrivateKey, Signer};
use touchmark_envelope::signature::{self, Signature};
use touchmark_envelope::{Digest, Name, UnixTime};
use touchmark_in_toto::attached::{ARTIFACT_TYPE, LAYOUT, MEDIA_TYPE};
use touchmark_in_toto::constraint::Constraint;
use touchmark_test_tuf_repository::{Delegation, Fetched, Key, NOW, Repository, json};
use touchmark_trust::{Attested, Policy, Standing, SupplyChainDemand};
use touchmark_tuf::{Answer, Client, Failure, Settings, Step};

/// The name that is wanted where one is.
pub const NAME: &str = "acme/app";
/// The names that are signed.
const NAMES: [&str; 3] = [NAME, "acme/app:1", "acme/other"];
/// The type of the attestations.
const SCAN: &str = "https://example.com/scan/v1";

/// Who signs: whom policies trust, who attests, the publisher, who builds, and a stranger.
pub const ALICE: usize = 0;
pub const SCANNER: usize = 1;
pub const ACME: usize = 2;
pub const BUILDER: usize = 3;
const SIGNERS: usize = 5;

static KEYS: LazyLock<[PrivateKey; SIGNERS]> =
    LazyLock::new(|| [1, 2, 3, 4, 5].map(|byte| PrivateKey::from_raw(KeyAlgorithm::Ed25519, &[byte; 32]).expect("a key")));

/// The publisher's key is the one that the trust repository delegates to.
static PUBLISHER: LazyLock<Key> = LazyLock::new(|| Key::ed25519("acme"));

fn key(signer: usize) -> &'static PrivateKey {
    if signer == ACME { PUBLISHER.private() } else { &KEYS[signer] }
}

/// The key of the layout's owner.
static OWNER: LazyLock<PrivateKey> = LazyLock::new(|| PrivateKey::from_raw(KeyAlgorithm::Ed25519, &[9; 32]).expect("a key"));

fn public(signer: usize) -> PublicKey {
    key(signer).public_key().clone()
}

fn sealed(payload: &[u8], key: &PrivateKey) -> Vec<u8> {
    let signer: &dyn Signer = key;
    Envelope::sign(dsse::IN_TOTO, payload.to_vec(), &[signer]).expect("signed").to_json()
}

fn put(contents: &mut BTreeMap<Digest, Vec<u8>>, bytes: &[u8]) -> Digest {
    let digest = Algorithm::Sha256.digest(bytes);
    contents.insert(digest, bytes.to_vec());
    digest
}

fn described(media_type: &str, bytes: &[u8]) -> Descriptor {
    Descriptor::new(media_type, Algorithm::Sha256.digest(bytes), bytes.len() as u64)
}

/// What is there before anybody attached anything: three images, and an index of two of them.
pub struct Shelf {
    pub contents: BTreeMap<Digest, Vec<u8>>,
    pub artifacts: Vec<Digest>,
}

pub static SHELF: LazyLock<Shelf> = LazyLock::new(|| {
    let mut contents = BTreeMap::new();
    put(&mut contents, b"{}");
    let mut artifacts: Vec<Digest> = (0..3_u8)
        .map(|number| {
            let layer = [b'a' + number; 3];
            put(&mut contents, &layer);
            let manifest = Value::object([
                ("schemaVersion", Value::from(2_u64)),
                ("mediaType", Value::from(IMAGE_MANIFEST)),
                ("config", described(EMPTY_CONFIG, b"{}").to_json()),
                ("layers", Value::from(vec![described("text/plain", &layer).to_json()])),
            ]);
            put(&mut contents, &manifest.to_vec())
        })
        .collect();
    let listed = |digest: &Digest| described(IMAGE_MANIFEST, &contents[digest]).to_json();
    let index = Value::object([
        ("schemaVersion", Value::from(2_u64)),
        ("mediaType", Value::from(IMAGE_INDEX)),
        ("manifests", Value::from(artifacts[..2].iter().map(listed).collect::<Vec<_>>())),
    ]);
    artifacts.push(put(&mut contents, &index.to_vec()));
    Shelf { contents, artifacts }
});

/// What is signed: of an artifact, by someone.
type Table = BTreeMap<(usize, usize, usize), Vec<u8>>;

fn table(variants: usize, envelope: impl Fn(usize, usize, usize) -> Vec<u8>) -> Table {
    let all = (0..SHELF.artifacts.len()).flat_map(|artifact| (0..SIGNERS).map(move |signer| (artifact, signer)));
    all.flat_map(|(artifact, signer)| (0..variants).map(move |variant| (artifact, signer, variant)))
        .map(|key| (key, envelope(key.0, key.1, key.2)))
        .collect()
}

/// Signatures, for each name and without one.
static SIGNATURES: LazyLock<Table> = LazyLock::new(|| {
    table(NAMES.len() + 1, |artifact, signer, name| {
        let bytes = &SHELF.contents[&SHELF.artifacts[artifact]];
        let media_type = if artifact == 3 { IMAGE_INDEX } else { IMAGE_MANIFEST };
        let mut statement = Signature::of(bytes, media_type, UnixTime::from_seconds(1_000).expect("a time"));
        statement.name = NAMES.get(name).map(|name| name.parse().expect("a name"));
        sealed(&statement.to_json(), key(signer))
    })
});

/// Attestations: that it passed and that it failed, each under the wanted name.
static ATTESTATIONS: LazyLock<Table> = LazyLock::new(|| {
    table(2, |artifact, signer, result| {
        let text = format!(
            r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"name":"{NAME}","digest":{{"sha256":"{}"}}}}],"predicateType":"{SCAN}","predicate":{{"result":"{}"}}}}"#,
            SHELF.artifacts[artifact].hex(),
            ["PASSED", "FAILED"][result]
        );
        sealed(text.as_bytes(), key(signer))
    })
});

/// Links: that a step made all of an artifact, or began with it; and the layout.
static LINKS: LazyLock<Table> = LazyLock::new(|| {
    table(3, |artifact, signer, variant| {
        let digest = SHELF.artifacts[artifact];
        let read = Manifest::parse(&SHELF.contents[&digest]).expect("a manifest");
        let parts: BTreeSet<Digest> = read.blobs().chain(read.children()).map(|named| named.digest).chain([digest]).collect();
        let parts =
            parts.iter().map(|digest| format!(r#""blobs/sha256/{0}":{{"sha256":"{0}"}}"#, digest.hex())).collect::<Vec<_>>().join(",");
        let (materials, products) = if variant == 0 { ("", parts.as_str()) } else { (parts.as_str(), "") };
        let text = format!(r#"{{"_type":"link","name":"build","command":[],"materials":{{{materials}}},"products":{{{products}}}}}"#);
        if variant == 2 { layout("2030-01-01T00:00:00Z", key(signer)) } else { sealed(text.as_bytes(), key(signer)) }
    })
});

fn layout(expires: &str, owner: &PrivateKey) -> Vec<u8> {
    let builder = hex(key(BUILDER).public_key().as_raw());
    let text = format!(
        r#"{{"_type":"layout","expires":"{expires}","readme":"","keys":{{"{0}":{{"keytype":"ed25519","scheme":"ed25519","keyval":{{"public":"{builder}"}}}}}},"steps":[{{"_type":"step","name":"build","threshold":1,"pubkeys":["{0}"],"expected_materials":[],"expected_products":[]}}],"inspect":[{{"_type":"inspection","name":"look","run":["true"],"expected_materials":[["MATCH","*","WITH","PRODUCTS","FROM","build"],["DISALLOW","*"]],"expected_products":[]}}]}}"#,
        keyid()
    );
    sealed(text.as_bytes(), owner)
}

fn keyid() -> String {
    key(BUILDER).public_key().key_ids()[2].as_str().to_owned()
}

/// What a world can hold, by what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Said {
    Signed { artifact: usize, signer: usize, name: usize },
    Attested { artifact: usize, signer: usize, failed: bool },
    Built { artifact: usize, signer: usize },
}

/// A place, and what was signed of what is in it.
pub struct World {
    pub contents: BTreeMap<Digest, Vec<u8>>,
    pub lists: BTreeMap<Digest, Vec<Descriptor>>,
    /// What only a thorough question finds.
    pub hidden: BTreeMap<Digest, Vec<Descriptor>>,
    pub said: BTreeSet<Said>,
}

impl World {
    pub fn new() -> Self {
        Self { contents: SHELF.contents.clone(), lists: BTreeMap::new(), hidden: BTreeMap::new(), said: BTreeSet::new() }
    }

    /// Attaches a manifest with these layers, listed as `hint`.
    pub fn attach(&mut self, subject: usize, artifact_type: &str, layers: &[Descriptor], hint: &str) {
        let subject = SHELF.artifacts[subject];
        let manifest = Value::object([
            ("schemaVersion", Value::from(2_u64)),
            ("mediaType", Value::from(IMAGE_MANIFEST)),
            ("artifactType", Value::from(artifact_type)),
            ("config", described(EMPTY_CONFIG, b"{}").to_json()),
            ("layers", Value::from(layers.iter().map(Descriptor::to_json).collect::<Vec<_>>())),
            ("subject", described(IMAGE_MANIFEST, &SHELF.contents[&subject]).to_json()),
        ]);
        self.refer(subject, &manifest.to_vec(), hint);
    }

    /// Lists bytes among the referrers.
    pub fn refer(&mut self, subject: Digest, bytes: &[u8], hint: &str) {
        put(&mut self.contents, bytes);
        let mut entry = described(IMAGE_MANIFEST, bytes);
        entry.artifact_type = (!hint.is_empty()).then(|| hint.to_owned());
        self.lists.entry(subject).or_default().push(entry);
    }

    fn envelope(&mut self, subject: usize, artifact_type: &str, envelope: &[u8], inline: bool) {
        put(&mut self.contents, envelope);
        let mut layer = described(dsse::MEDIA_TYPE, envelope);
        layer.data = inline.then(|| envelope.to_vec());
        self.attach(subject, artifact_type, &[layer], artifact_type);
    }

    pub fn signature(&mut self, artifact: usize, signer: usize, name: usize, subject: usize, inline: bool) {
        self.said.insert(Said::Signed { artifact, signer, name });
        self.envelope(subject, signature::ARTIFACT_TYPE, &SIGNATURES[&(artifact, signer, name)], inline);
    }

    pub fn attestation(&mut self, artifact: usize, signer: usize, failed: bool, subject: usize, inline: bool) {
        self.said.insert(Said::Attested { artifact, signer, failed });
        self.envelope(subject, dsse::IN_TOTO, &ATTESTATIONS[&(artifact, signer, usize::from(failed))], inline);
    }

    /// A set with a file for each of these: which path it has, and what is in it.
    pub fn set(&mut self, subject: usize, files: &[(u8, usize, usize, usize)]) {
        let layers: Vec<Descriptor> = files
            .iter()
            .map(|(path, artifact, signer, variant)| {
                if *variant == 0 {
                    self.said.insert(Said::Built { artifact: *artifact, signer: *signer });
                }
                let file = &LINKS[&(*artifact, *signer, *variant)];
                put(&mut self.contents, file);
                let mut layer = described(MEDIA_TYPE, file);
                let folder = format!("build.{}", &keyid()[..8]);
                let path = match path % 4 {
                    0 => format!("{folder}.link"),
                    1 => LAYOUT.to_owned(),
                    2 => format!("{folder}/{folder}.link"),
                    _ => "../x.link".to_owned(),
                };
                layer.annotations.insert(TITLE.to_owned(), path);
                // What is listed with another size is not there.
                layer.size = layer.size.wrapping_add(u64::from(*artifact == 2 && *variant == 1));
                layer
            })
            .collect();
        self.attach(subject, ARTIFACT_TYPE, &layers, ARTIFACT_TYPE);
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

/// What trust metadata says of the name, and which artifacts it accepts without an envelope, which it revokes.
pub struct Known {
    pub standing: Standing,
    pub accepts: &'static [usize],
    pub revokes: &'static [usize],
    /// Whether the publisher's envelopes count.
    pub envelopes: bool,
}

/// An entry for the first image; one that is revoked; a seal of the second; and envelopes.
pub static STANDINGS: LazyLock<Vec<Known>> = LazyLock::new(|| {
    let size = |artifact: usize| SHELF.contents[&SHELF.artifacts[artifact]].len();
    let hash = |artifact: usize| SHELF.artifacts[artifact].hex();
    let revoked = format!(r#"{{"version":1,"envelopes":["acme"],"revoked":[{{"digest":"{}","reason":"x"}}]}}"#, SHELF.artifacts[0]);
    let seal = format!(r#"{{"version":1,"seals":{{"{NAME}":[{{"length":{},"hashes":{{"sha256":"{}"}}}}]}}}}"#, size(1), hash(1));
    let open = r#"{"version":1,"envelopes":["acme"]}"#;
    let known = |top: &str, role: Option<&str>, entry: Option<usize>| {
        let mut repository = Repository::new();
        repository.delegate("targets", Delegation::new("acme").paths(&["acme/*"]).terminating());
        touchmark_test_tuf_repository::set(repository.signed("targets"), "/x-touchmark", json(top));
        if let Some(role) = role {
            touchmark_test_tuf_repository::set(repository.signed("acme"), "/x-touchmark", json(role));
        }
        if let Some(artifact) = entry {
            repository.add_target("acme", NAME, &SHELF.contents[&SHELF.artifacts[artifact]]);
        }
        repository.publish();
        standing(&repository)
    };
    vec![
        Known { standing: known(open, None, Some(0)), accepts: &[0], revokes: &[], envelopes: false },
        Known { standing: known(&revoked, None, Some(0)), accepts: &[0], revokes: &[0], envelopes: false },
        Known { standing: known(open, Some(&seal), None), accepts: &[1], revokes: &[], envelopes: true },
        Known { standing: known(&revoked, None, None), accepts: &[], revokes: &[0], envelopes: true },
    ]
});

fn standing(repository: &Repository) -> Standing {
    let name: Name = NAME.parse().expect("a name");
    let mut client = Client::new(Settings::default(), UnixTime::from_seconds(NOW).expect("a time"));
    drive(repository, &mut client);
    client.look_up(&(&name).into()).expect("a search");
    drive(repository, &mut client);
    Standing::of(&mut client, &name).expect("a standing")
}

fn drive(repository: &Repository, client: &mut Client) {
    loop {
        let answer = match client.step().expect("an honest repository") {
            Step::Done => return,
            Step::Load { file: "root.json", .. } => Answer::Bytes(repository.file("1.root.json").to_vec()),
            Step::Load { .. } => Answer::Absent,
            Step::Fetch { path, limit } => match repository.fetch(path, limit) {
                Fetched::File(bytes) => Answer::Bytes(bytes),
                Fetched::Absent => Answer::Absent,
                Fetched::Failed => Answer::Failed(Failure::Unavailable("no answer".into())),
                Fetched::TooLong => Answer::Failed(Failure::TooLarge { limit }),
            },
            _ => Answer::Done,
        };
        client.answer(answer);
    }
}

/// Keys, or one of the standings.
#[derive(Clone, Copy)]
pub enum Ground {
    /// Alice, whatever the name.
    Alice,
    /// Alice, under the wanted name.
    Named,
    /// Alice and the scanner.
    Both,
    Standing(usize),
}

impl Ground {
    pub fn of(byte: u8) -> Self {
        match byte % 8 {
            0 => Self::Alice,
            1 => Self::Named,
            2 => Self::Both,
            other => Self::Standing(usize::from(other - 3) % STANDINGS.len()),
        }
    }

    pub fn policy(self) -> Policy {
        let alice = || Policy::keys([public(ALICE)]).expect("a key");
        match self {
            Self::Alice => alice(),
            Self::Named => alice().name(NAME.parse().expect("a name")),
            Self::Both => Policy::keys([public(ALICE), public(SCANNER)]).and_then(|policy| policy.threshold(2)).expect("two keys"),
            Self::Standing(number) => Policy::trust(STANDINGS[number].standing.clone()),
        }
    }

    /// Whether it may accept an artifact by what was said, whatever else is there.
    pub fn may_accept(self, artifact: usize, said: &BTreeSet<Said>) -> bool {
        let signed = |signer, names: &[usize]| names.iter().any(|name| said.contains(&Said::Signed { artifact, signer, name: *name }));
        let any = [0, 1, 2, 3];
        match self {
            Self::Alice => signed(ALICE, &any),
            Self::Named => signed(ALICE, &[0]),
            Self::Both => signed(ALICE, &any) && signed(SCANNER, &any),
            Self::Standing(number) => {
                let known = &STANDINGS[number];
                // An index with a revoked image is revoked too.
                let revoked = known.revokes.contains(&artifact) || (artifact == 3 && known.revokes.iter().any(|child| *child < 2));
                !revoked && (known.accepts.contains(&artifact) || (known.envelopes && signed(ACME, &[0])))
            }
        }
    }
}

/// That the scanner says that it passed.
pub fn scanned() -> Attested {
    let passed = Constraint::parse(br#"{"at":"/result","equals":"PASSED"}"#).expect("a constraint");
    Attested::new(SCAN).signed_by([public(SCANNER)], 1).expect("a key").constraint(passed)
}

/// That the builder made it. The second layout has expired, and a stranger signed the third.
pub fn built(which: usize) -> SupplyChainDemand {
    static LAYOUTS: LazyLock<[Vec<u8>; 3]> = LazyLock::new(|| {
        [layout("2030-01-01T00:00:00Z", &OWNER), layout("2001-01-01T00:00:00Z", &OWNER), layout("2030-01-01T00:00:00Z", key(4))]
    });
    SupplyChainDemand::new(LAYOUTS[which].clone(), [OWNER.public_key().clone()]).expect("a key")
}
