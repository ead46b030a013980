//! OCI layouts, as folders and as tars: that of `testdata/layouts`, which openssl signed, and what was done to it.

use touchmark_envelope::json::Value;
use touchmark_test_tuf_repository::NOW;

use super::statements::{PROVENANCE, digest};
use super::{Case, Expect, Files, Vectors, coded, list, ok, refused, testdata, testdata_file};

/// What `testdata/layouts/make.py` made: an image that alice and bob signed as acme/x:1, one that nobody signed, and an index of both.
const SIGNED: &str = "sha256:6f95a06254ff7bad35bebbb7bc464b6540fbab35e15a2ab7d9d374ab360c9aac";
const UNSIGNED: &str = "sha256:297e637f506fa9ed89d6c216ac8c4ec1861d2cb6e6570726e355143ab8e1d4d0";
const INDEX: &str = "sha256:9397718d31eb6127a8702c7f88cbc6860b885fa967bb44f390b595fbf7ceb13c";

/// A question about a layout, with alice's key.
struct Question<'a> {
    keys: &'a [&'a str],
    threshold: u64,
    at: i64,
    more: Vec<(&'static str, Value<'static>)>,
}

impl Default for Question<'_> {
    fn default() -> Self {
        Self { keys: &["alice"], threshold: 1, at: NOW, more: Vec::new() }
    }
}

pub(super) fn add(vectors: &mut Vectors) {
    let files = testdata("layouts/signed");
    let folder = vectors.folder("layouts/signed", files.clone());
    vectors.put("layouts/signed.tar", tar(&files));
    for scheme in [format!("oci:{folder}"), "oci-archive:layouts/signed.tar".to_owned()] {
        questions(vectors, &scheme);
    }
    places(vectors);
    changed_folders(vectors, &files);
    tars(vectors, &files);
    policies(vectors, &folder);
}

fn case(vectors: &mut Vectors, id: &str, why: &str, reference: &str, question: Question<'_>, expect: Expect) {
    let key = |name: &&str| (format!("layouts/{name}.pub"), testdata_file(&format!("layouts/{name}.pub")));
    let keys = question.keys.iter().map(key).map(|(path, bytes)| vectors.file(&path, bytes)).collect::<Vec<_>>();
    let case = Case::new("layout", &format!("layout-{id}"), why, "14.3").with("reference", reference.to_owned());
    let case = question.more.into_iter().fold(case, |case, (name, value)| case.with(name, value));
    vectors.add(case.with("keys", list(keys)).with("threshold", question.threshold).with("at", question.at).expect(expect));
}

fn accepted(digest: &str) -> Expect {
    ok().with("digest", digest.to_owned())
}

/// The same of a folder and of a tar.
fn questions(vectors: &mut Vectors, place: &str) {
    let (kind, _) = place.split_once(':').unwrap_or_default();
    let mut ask = |id: &str, why: &str, rest: &str, question: Question<'_>, expect: Expect| {
        case(vectors, &format!("{kind}-{id}"), why, &format!("{place}{rest}"), question, expect);
    };
    let named = |name: &str| Question { more: vec![("name", Value::from(name.to_owned()))], ..Question::default() };
    let both = || Question { keys: &["alice", "bob"], threshold: 2, ..Question::default() };
    ask("signed", "a signature is attached", ":v1", Question::default(), accepted(SIGNED));
    ask("two-keys", "both keys signed", ":v1", both(), accepted(SIGNED));
    ask("by-digest", "the artifact by its digest", &format!("@{SIGNED}"), Question::default(), accepted(SIGNED));
    ask("pinned", "the tag and the digest that it leads to", &format!(":v1@{SIGNED}"), Question::default(), accepted(SIGNED));
    ask("named", "under the name that was signed", ":v1", named("acme/x:1"), accepted(SIGNED).with("name", "acme/x:1".to_owned()));
    ask("other-name", "under another name", ":v1", named("acme/x:2"), coded("NOT_VERIFIED", "threshold"));
    ask("unsigned", "nobody signed it", ":unsigned", Question::default(), coded("UNSIGNED", "unsigned"));
    ask("unsigned-by-digest", "nobody signed it", &format!("@{UNSIGNED}"), Question::default(), coded("UNSIGNED", "unsigned"));
    ask("index", "an index", ":multi", Question::default(), accepted(INDEX));
    let of_index = Question { keys: &["bob"], ..Question::default() };
    ask("index-by-another", "an index that another signed", ":multi", of_index, coded("NOT_VERIFIED", "threshold"));
    let attested = Question { more: vec![("predicate_types", list([Value::from(PROVENANCE.to_owned())]))], ..Question::default() };
    ask("attested", "an attestation", ":v1", attested, accepted(SIGNED));
    let annotated = Question { more: vec![("annotations", Value::object([("stage", "production".to_owned())]))], ..Question::default() };
    ask("annotation", "an annotation that was not signed", ":v1", annotated, coded("NOT_VERIFIED", "threshold"));
    ask("no-such-tag", "a tag that is not there", ":none", Question::default(), refused("UNKNOWN"));
    let other = digest(b"x");
    ask("no-such-digest", "a digest that is not there", &format!("@{other}"), Question::default(), refused("UNKNOWN"));
    ask("time-zero", "a clock that says so is an error", ":v1", Question { at: 0, ..Question::default() }, refused("INVALID_TIME"));
    ask("threshold", "more keys than there are", ":v1", Question { threshold: 2, ..Question::default() }, refused("INVALID_THRESHOLD"));
}

/// Places that are none.
fn places(vectors: &mut Vectors) {
    vectors.put("layouts/no-layout/README", b"This is no OCI layout.\n".to_vec());
    vectors.put("layouts/no-tar.tar", b"This is no tar.\n".to_vec());
    vectors.put("layouts/empty.tar", Vec::new());
    for (id, reference, status, why) in [
        ("no-folder", "oci:layouts/nothing:v1", "NOT_FOUND", "a folder that is not there"),
        ("no-layout", "oci:layouts/no-layout:v1", "MALFORMED", "a folder that is no OCI layout"),
        ("no-file", "oci-archive:layouts/nothing.tar:v1", "NOT_FOUND", "a file that is not there"),
        ("no-tar", "oci-archive:layouts/no-tar.tar:v1", "MALFORMED", "a file that is no tar"),
        ("empty-file", "oci-archive:layouts/empty.tar:v1", "MALFORMED", "an empty file"),
        ("bad-tag", "oci:layouts/signed:.v1", "NOT_FOUND", "what is no tag is part of the path"),
        ("bad-digest", "oci:layouts/signed@sha256:00", "INVALID_REFERENCE", "a digest that is none"),
    ] {
        case(vectors, id, why, reference, Question::default(), refused(status));
    }
}

/// The path of a blob.
fn blob(digest: &str) -> String {
    format!("blobs/{}", digest.replace(':', "/"))
}

/// What was done to the layout's files.
fn changes(files: &Files) -> Vec<(&'static str, Files, &'static str, Expect, &'static str)> {
    let with = |change: &dyn Fn(&mut Files)| {
        let mut changed = files.clone();
        change(&mut changed);
        changed
    };
    let signed = blob(SIGNED);
    // The manifests of signatures of the image, and their envelopes.
    let of_image = |bytes: &Vec<u8>, what: &str| {
        let text = String::from_utf8_lossy(bytes);
        text.contains(what) && text.contains("\"subject\"") && text.contains(SIGNED)
    };
    let is_signature = |bytes: &Vec<u8>| of_image(bytes, "application/vnd.touchmark.signature.v1+json");
    let tag =
        |text: &str| text.replacen(r#""org.opencontainers.image.ref.name": "unsigned""#, r#""org.opencontainers.image.ref.name": "v1""#, 1);
    let index = || String::from_utf8_lossy(files.get("index.json").expect("an index")).into_owned();
    let mut all = vec![
        (
            "manifest-changed",
            with(&|files| {
                files.insert(signed.clone(), b"{\"schemaVersion\":2}".to_vec());
            }),
            ":v1",
            refused("MALFORMED"),
            "the artifact's bytes are others than its digest says",
        ),
        ("manifest-missing", with(&|files| drop(files.remove(&signed))), ":v1", refused("UNKNOWN"), "the artifact is listed and not there"),
        (
            "signatures-missing",
            with(&|files| files.retain(|_, bytes| !is_signature(bytes))),
            ":v1",
            coded("UNKNOWN", "incomplete"),
            "signatures are listed and not there",
        ),
        (
            "signatures-changed",
            with(&|files| {
                for bytes in files.values_mut().filter(|bytes| is_signature(bytes)) {
                    bytes.push(b' ');
                }
            }),
            ":v1",
            coded("UNKNOWN", "incomplete"),
            "signatures have other bytes than their digests say",
        ),
        (
            "tag-twice",
            with(&|files| {
                files.insert("index.json".to_owned(), tag(&index()).into_bytes());
            }),
            ":v1",
            refused("MALFORMED"),
            "a tag that two artifacts have",
        ),
        (
            "version",
            with(&|files| {
                files.insert("oci-layout".to_owned(), br#"{"imageLayoutVersion":"2.0.0"}"#.to_vec());
            }),
            ":v1",
            refused("MALFORMED"),
            "another version of OCI layouts",
        ),
    ];
    let unlisted = with(&|files| {
        let text = index();
        let (head, _) = text
            .split_once(r#", {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": "sha256:cec2"#)
            .expect("the first signature");
        files.insert("index.json".to_owned(), format!("{head}]}}").into_bytes());
    });
    all.push(("signatures-unlisted", unlisted, ":v1", accepted(SIGNED), "signatures that no list names are found among the blobs"));
    all
}

fn changed_folders(vectors: &mut Vectors, files: &Files) {
    for (id, files, rest, expect, why) in changes(files) {
        let folder = vectors.folder(&format!("layouts/{id}"), files.clone());
        case(vectors, &format!("oci-{id}"), why, &format!("oci:{folder}{rest}"), Question::default(), expect.clone());
        vectors.put(&format!("layouts/{id}.tar"), tar(&files));
        case(vectors, &format!("oci-archive-{id}"), why, &format!("oci-archive:layouts/{id}.tar{rest}"), Question::default(), expect);
    }
}

/// Tars that two readers could understand differently are refused as a whole.
fn tars(vectors: &mut Vectors, files: &Files) {
    let good = tar(files);
    let member = |name: &str, content: &[u8]| entry(name, content, b'0', "");
    let members: Vec<u8> = good[..good.len() - 1024].to_vec();
    let end = [0; 1024];
    let with = |more: &[u8]| [members.as_slice(), more, &end].concat();
    let first = |more: &[u8]| [more, good.as_slice()].concat();
    let mut checksum = good.clone();
    checksum[148] ^= 1;
    let bad = |status: &str| refused(status);
    for (id, bytes, expect, why) in [
        ("other-file", with(&member("README", b"hello\n")), accepted(SIGNED), "a file that is no part of a layout is passed over"),
        ("dot-names", dotted(files), accepted(SIGNED), "names that begin with `./`"),
        ("after-the-end", [good.as_slice(), b"anything"].concat(), accepted(SIGNED), "what follows the end is not looked at"),
        ("checksum", checksum, bad("MALFORMED"), "a wrong checksum"),
        ("truncated", good[..good.len() / 2].to_vec(), bad("MALFORMED"), "the end is missing"),
        ("no-end", members.clone(), bad("MALFORMED"), "without the block of zeros that ends a tar"),
        (
            "index-twice",
            with(&member("index.json", b"{}")),
            bad("MALFORMED"),
            "two members of one name: some readers take the first, some the last",
        ),
        ("layout-twice", first(&member("oci-layout", b"{}")), bad("MALFORMED"), "the same of `oci-layout`"),
        ("blob-twice", with(&member(&blob(SIGNED), b"{}")), bad("MALFORMED"), "the same of a blob"),
        ("index-twice-dot", with(&member("./index.json", b"{}")), bad("MALFORMED"), "the same under another spelling"),
        ("index-by-parent", with(&member("x/../index.json", b"{}")), bad("MALFORMED"), "a name that some readers resolve to `index.json`"),
        ("index-absolute", with(&member("/index.json", b"{}")), bad("MALFORMED"), "a name that some readers make `index.json`"),
        ("index-backslash", with(&member(".\\index.json", b"{}")), bad("MALFORMED"), "a name that is `index.json` where `\\` separates"),
        ("index-case", with(&member("INDEX.JSON", b"{}")), bad("MALFORMED"), "a name that some file systems take for `index.json`"),
        ("link-over-blobs", first(&entry("blobs", b"", b'2', "elsewhere")), bad("MALFORMED"), "a link in the place of the folder of blobs"),
        (
            "below-a-link",
            with(&[entry("x", b"", b'2', "blobs"), member("x/y", b"{}")].concat()),
            bad("MALFORMED"),
            "a member below a link: some readers write through it",
        ),
        ("unknown-type", with(&entry("x", b"", b'Z', "")), bad("MALFORMED"), "a type of member that is not known"),
        ("gzip", vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3], bad("MALFORMED"), "a compressed tar"),
        ("zeros", vec![0; 1024], bad("MALFORMED"), "a tar without members"),
    ] {
        vectors.put(&format!("layouts/tar-{id}.tar"), bytes);
        case(vectors, &format!("tar-{id}"), why, &format!("oci-archive:layouts/tar-{id}.tar:v1"), Question::default(), expect);
    }
}

/// By a policy file.
fn policies(vectors: &mut Vectors, folder: &str) {
    for name in ["alice", "bob"] {
        vectors.put(&format!("layouts/policy/{name}.pub"), testdata_file(&format!("layouts/{name}.pub")));
    }
    for (id, policy, tag, expect, why) in [
        (
            "accepts",
            r#"{"version":1,"rules":[{"reference":"oci:**","name":"acme/x:1","keys":["alice.pub","bob.pub"],"threshold":2}]}"#,
            "v1",
            accepted(SIGNED),
            "a rule whose keys signed it",
        ),
        (
            "other-name",
            r#"{"version":1,"rules":[{"reference":"oci:**","name":"acme/x:2","keys":"alice.pub"}]}"#,
            "v1",
            coded("NOT_VERIFIED", "threshold"),
            "a rule that expects another name",
        ),
        (
            "unsigned",
            r#"{"version":1,"rules":[{"reference":"oci:**","name":"acme/x:1","keys":"alice.pub"}]}"#,
            "unsigned",
            coded("UNSIGNED", "unsigned"),
            "a rule whose keys did not sign it",
        ),
        (
            "no-rule",
            r#"{"version":1,"rules":[{"reference":"registry.example/**","name":"acme/x:1","keys":"alice.pub"}]}"#,
            "v1",
            coded("POLICY_REJECTED", "no-rule"),
            "no rule is for it",
        ),
        ("nothing", r#"{"version":1,"rules":[]}"#, "v1", coded("POLICY_REJECTED", "no-rule"), "a policy without rules accepts nothing"),
        (
            "rejects",
            r#"{"version":1,"rules":[{"reference":"oci:**","reject":true}]}"#,
            "v1",
            coded("POLICY_REJECTED", "policy-rejects"),
            "a rule that rejects it",
        ),
        (
            "no-key",
            r#"{"version":1,"rules":[{"reference":"oci:**","name":"acme/x:1","keys":"carol.pub"}]}"#,
            "v1",
            coded("MALFORMED_POLICY", "policy-material"),
            "a rule whose key is not there",
        ),
        ("inline-key", "", "v1", accepted(SIGNED), "a rule with a key in it"),
    ] {
        let key = String::from_utf8(testdata_file("layouts/alice.pub")).expect("text").replace('\n', "\\n");
        let inline = format!(r#"{{"version":1,"rules":[{{"reference":"oci:**","name":"acme/x:1","keys":"{key}"}}]}}"#);
        let path = format!("layouts/policy/{id}.json");
        vectors.put(&path, if policy.is_empty() { inline } else { policy.to_owned() }.into_bytes());
        let case = Case::new("layout", &format!("layout-policy-{id}"), why, "24.8").with("reference", format!("oci:{folder}:{tag}"));
        vectors.add(case.with("policy", path).with("at", NOW).expect(expect));
    }
}

/// A tar of files, folders left out: ustar, without times.
fn tar(files: &Files) -> Vec<u8> {
    let members = files.iter().map(|(name, content)| entry(name, content, b'0', ""));
    [members.collect::<Vec<_>>().concat().as_slice(), &[0; 1024]].concat()
}

/// The same with `./` before each name.
fn dotted(files: &Files) -> Vec<u8> {
    tar(&files.iter().map(|(name, content)| (format!("./{name}"), content.clone())).collect())
}

/// A member of a tar.
fn entry(name: &str, content: &[u8], kind: u8, link: &str) -> Vec<u8> {
    let mut header = vec![0; 512];
    let mut put = |at: usize, text: &[u8]| header[at..at + text.len()].copy_from_slice(text);
    put(0, name.as_bytes());
    put(100, b"0000644\0");
    put(108, b"0000000\0");
    put(116, b"0000000\0");
    put(124, format!("{:011o}\0", content.len()).as_bytes());
    put(136, b"00000000000\0");
    put(148, b"        ");
    put(156, &[kind]);
    put(157, link.as_bytes());
    put(257, b"ustar\x0000");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let padding = vec![0; content.len().div_ceil(512) * 512 - content.len()];
    [header.as_slice(), content, &padding].concat()
}
