//! Documents as bytes and as shapes: what is no strict JSON, or is not what its role's documents are.

use touchmark_envelope::json::Value;
use touchmark_test_tuf_repository::{NOW, Repository, json, set};

use super::super::{Expect, Vectors, coded};
use super::{DELEGATED, Updates, both, good, honest, renew, target};

/// The roles, and whether an update ends where one is refused: of the delegated one, a search does.
const ROLES: [(&str, bool); 5] = [("root", true), ("timestamp", true), ("snapshot", true), ("targets", true), ("acme", false)];

/// Two roles for a case of this number: together the cases are of all of them.
fn two_roles(number: usize) -> [(&'static str, bool); 2] {
    [ROLES[number % 5], ROLES[(number + 2) % 5]]
}

pub(super) fn add(vectors: &mut Vectors) {
    bytes(vectors);
    shapes(vectors);
    accepted(vectors);
}

/// A change of a role's next document, which is refused.
fn refused(vectors: &mut Vectors, role: (&str, bool), id: &str, why: &str, code: &str, change: impl Fn(&mut Repository)) {
    let before = honest();
    let mut evil = before.clone();
    renew(&mut evil);
    change(&mut evil);
    let refusal: Expect = coded("UNTRUSTED_METADATA", code);
    let mut updates = Updates::new(&format!("document-{id}-{}", role.0), &before);
    match role.1 {
        true => updates.update(vectors, &evil, NOW, refusal, vec![]),
        false => updates.update(vectors, &evil, NOW, good(2, 3, 3, 3), vec![target(DELEGATED, refusal)]),
    }
    updates.finish(vectors, why, "21.1");
}

fn bytes(vectors: &mut Vectors) {
    type Change = fn(&[u8]) -> Vec<u8>;
    let changes: [(&str, &str, Change); 7] = [
        ("empty", "nothing", |_| Vec::new()),
        ("html", "a page that says something else", |_| b"<html>not found</html>".to_vec()),
        ("no-members", "an object without members", |_| b"{}".to_vec()),
        ("trailing", "something after the document", |bytes| [bytes, b"x"].concat()),
        ("byte-order-mark", "a byte order mark", |bytes| [b"\xef\xbb\xbf", bytes].concat()),
        ("truncated", "the end is missing", |bytes| bytes[..bytes.len() - 1].to_vec()),
        ("duplicate-member", "one member twice: readers disagree on which counts", |bytes| {
            String::from_utf8_lossy(bytes).replacen("\"_type\"", "\"spec_version\":\"1.0.0\",\"_type\"", 1).into_bytes()
        }),
    ];
    for (number, (id, why, change)) in changes.into_iter().enumerate() {
        for role in two_roles(number) {
            refused(vectors, role, id, why, "tuf-document", |evil| {
                let path = evil.path(role.0);
                let bytes = change(evil.file(&path));
                evil.serve(&path, bytes);
            });
        }
    }
    for (number, (id, pointer, text, why)) in [
        ("float-version", "/version", "3.0", "a version with a fraction"),
        ("exponent", "/x-number", "1e3", "a number with an exponent"),
        ("negative-zero", "/x-number", "-0", "`-0`, which implementations write in three ways"),
        ("large-number", "/x-number", "9007199254740992", "a number beyond those that every implementation holds"),
    ]
    .into_iter()
    .enumerate()
    {
        for role in two_roles(number) {
            refused(vectors, role, id, why, "tuf-document", |evil| evil.forge(role.0, |signed| set(signed, pointer, json(text))));
        }
    }
    refused(vectors, ROLES[1], "gzip", "something compressed", "tuf-document", |evil| evil.serve("timestamp.json", vec![0x1f, 0x8b, 8, 0]));
    let deep = format!("{}1{}", "[".repeat(40), "]".repeat(40));
    refused(vectors, ROLES[1], "deep", "more levels than are read", "tuf-document", |evil| {
        let text = String::from_utf8_lossy(evil.file("timestamp.json")).replacen("\"_type\"", &format!("\"x\":{deep},\"_type\""), 1);
        evil.serve("timestamp.json", text.into_bytes());
    });
}

fn shapes(vectors: &mut Vectors) {
    let shapes = [
        ("spec-version-2", "/spec_version", Value::from("2.0.0".to_owned()), "another major version of the specification"),
        ("spec-version-text", "/spec_version", Value::from("one".to_owned()), "no version of the specification"),
        ("version-0", "/version", Value::from(0_u64), "version 0"),
        ("version-negative", "/version", Value::from(-1_i64), "a negative version"),
        ("version-text", "/version", Value::from("3".to_owned()), "a version that is a text"),
        ("expires-offset", "/expires", Value::from("2030-01-01T00:00:00+00:00".to_owned()), "a time in another form"),
        ("expires-fraction", "/expires", Value::from("2030-01-01T00:00:00.5Z".to_owned()), "a time with a fraction"),
        ("expires-null", "/expires", Value::Null, "no time of expiry"),
        ("type", "/_type", Value::from("mirrors".to_owned()), "another type"),
    ];
    for (number, (id, pointer, value, why)) in shapes.into_iter().enumerate() {
        for role in two_roles(number) {
            refused(vectors, role, id, why, "tuf-malformed", |evil| evil.forge(role.0, |signed| set(signed, pointer, value.clone())));
        }
    }
    for (id, pointer, value, why) in [
        ("targets-list", "/targets", "[]", "targets that are a list"),
        ("target-without-length", "/targets/file", r#"{"hashes":{"sha256":"00"}}"#, "a target without a length"),
        ("threshold-0", "/delegations/roles/0/threshold", "0", "a delegation with a threshold of zero"),
        ("name-timestamp", "/delegations/roles/0/name", "\"timestamp\"", "a delegated role with the name of a top-level one"),
        ("paths-and-prefixes", "/delegations/roles/0/path_hash_prefixes", "[\"00\"]", "a delegation by paths and by prefixes"),
        ("no-paths", "/delegations/roles/0/paths", "{}", "paths that are no list"),
        ("roles-object", "/delegations/roles", "{}", "roles that are no list"),
    ] {
        let mut evil = honest();
        renew(&mut evil);
        evil.forge("targets", |signed| set(signed, pointer, json(value)));
        let mut updates = Updates::new(&format!("document-targets-{id}"), &honest());
        // A target is read when it is asked for.
        let refusal = coded("UNTRUSTED_METADATA", "tuf-malformed");
        match id {
            "target-without-length" => updates.update(vectors, &evil, NOW, good(2, 3, 3, 3), vec![target("file", refusal)]),
            _ => updates.update(vectors, &evil, NOW, refusal, vec![]),
        }
        updates.finish(vectors, why, "21.1");
    }
}

fn accepted(vectors: &mut Vectors) {
    for version in ["1.0", "1.0.0", "1.1.0", "1.99.99"] {
        let mut repository = honest();
        for role in ["root", "timestamp", "snapshot", "targets", "acme"] {
            repository.set(role, "/spec_version", version.to_owned());
        }
        repository.publish();
        let mut updates = Updates::new(&format!("spec-version-{version}"), &honest());
        updates.update(vectors, &repository, NOW, good(2, 3, 3, 3), both());
        updates.finish(vectors, "versions 1.x of the specification are known", "21.1");
    }
    let mut spaced = honest();
    for role in ["timestamp", "snapshot", "targets", "acme"] {
        let path = spaced.path(role);
        let bytes = [b" \n\t\r".as_slice(), spaced.file(&path), b"\r\n"].concat();
        spaced.serve(&path, bytes);
    }
    let mut updates = Updates::new("white-space", &honest());
    updates.update(vectors, &spaced, NOW, good(1, 2, 2, 2), both());
    updates.finish(vectors, "white space around a document is no part of what is signed", "21.1");
    let mut unknown = honest();
    for role in ["root", "timestamp", "snapshot", "targets", "acme"] {
        unknown.set(role, "/x-unknown", json(r#"{"a":[1,null,"\u00e9"],"":false}"#));
    }
    unknown.publish();
    let mut updates = Updates::new("unknown-members", &honest());
    updates.update(vectors, &unknown, NOW, good(2, 3, 3, 3), both());
    updates.finish(vectors, "members that nobody knows are signed, and ignored", "21.1");
}
