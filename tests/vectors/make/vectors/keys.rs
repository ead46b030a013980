//! Public keys: every algorithm in every encoding that is read, and what is refused, with the code that says why.

use touchmark_envelope::digest::Algorithm;
use touchmark_envelope::digest::hex;
use touchmark_test_tuf_repository::Key;

use super::{Case, Vectors, coded, ok, testdata_file, unhex};

/// SubjectPublicKeyInfo up to the key: of Ed25519 (RFC 8410), and of P-256 and P-384 (RFC 5480) with an uncompressed point.
const ED25519: &str = "302a300506032b6570032100";
const P256: &str = "3059301306072a8648ce3d020106082a8648ce3d030107034200";
const P384: &str = "3076301006072a8648ce3d020106052b81040022036200";
/// The same with a compressed point.
const P256_COMPRESSED: &str = "3039301306072a8648ce3d020106082a8648ce3d030107032200";
const P384_COMPRESSED: &str = "3046301006072a8648ce3d020106052b81040022033200";

pub(super) fn add(vectors: &mut Vectors) {
    let all =
        [("ed25519", Key::ed25519("alice"), ED25519), ("ecdsa-p256", Key::p256("carol"), P256), ("ecdsa-p384", Key::p384("dave"), P384)];
    for (algorithm, key, head) in &all {
        let der = [unhex(head).as_slice(), key.public().as_raw()].concat();
        good(vectors, algorithm, algorithm, &der);
    }
    compressed(vectors, &all[1].1, &all[2].1);
    let [(_, alice, _), (_, carol, _), _] = &all;
    refused_forms(vectors, alice, carol);
    points(vectors, carol);
    rsa(vectors);
}

/// A key in DER and in the forms of PEM that are one key.
fn good(vectors: &mut Vectors, id: &str, algorithm: &str, der: &[u8]) {
    // SPEC.md, "Key identifiers": the SHA-256 of the SubjectPublicKeyInfo.
    let key_id = hex(Algorithm::Sha256.digest(der).as_bytes());
    let expect = ok().with("algorithm", algorithm.to_owned()).with("key_id", key_id);
    let pem = pem("PUBLIC KEY", der);
    let body = pem.lines().filter(|line| !line.starts_with('-')).collect::<Vec<_>>().concat();
    for (form, bytes, why) in [
        ("der", der.to_vec(), "SubjectPublicKeyInfo in DER"),
        ("pem", pem.clone().into_bytes(), "SubjectPublicKeyInfo in PEM"),
        ("pem-crlf", pem.replace('\n', "\r\n").into_bytes(), "lines that end as on Windows"),
        ("pem-no-last-newline", pem.trim_end().as_bytes().to_vec(), "no line end at the end"),
        ("pem-text-around", format!("a remark\n\n{pem}another\n").into_bytes(), "text outside of the block is skipped"),
        ("pem-one-line", format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n").into_bytes(), "one long line"),
    ] {
        let input = vectors.input(&format!("keys/{id}.{form}"), bytes);
        vectors.add(Case::new("public-key", &format!("key-{id}-{form}"), why, "7").with("key", input).expect(expect.clone()));
    }
}

/// A compressed point is the same key, under the same identifier.
fn compressed(vectors: &mut Vectors, p256: &Key, p384: &Key) {
    for (algorithm, key, head, whole) in [("ecdsa-p256", p256, P256_COMPRESSED, P256), ("ecdsa-p384", p384, P384_COMPRESSED, P384)] {
        let raw = key.public().as_raw();
        let (x, y) = raw.split_at(1).1.split_at(raw.len() / 2);
        let sign = 2 | y.last().copied().unwrap_or_default() & 1;
        let der = [unhex(head).as_slice(), &[sign], x].concat();
        let key_id = hex(Algorithm::Sha256.digest(&[unhex(whole).as_slice(), raw].concat()).as_bytes());
        let expect = ok().with("algorithm", algorithm.to_owned()).with("key_id", key_id);
        let input = vectors.input("", der);
        let case = Case::new("public-key", &format!("key-{algorithm}-compressed"), "a compressed point is the same key", "7");
        vectors.add(case.with("key", input).expect(expect));
        let hybrid = [unhex(whole).as_slice(), &[sign + 4], x, y].concat();
        bad(vectors, &format!("{algorithm}-hybrid"), hybrid, "key-malformed", "the hybrid form of a point");
    }
}

fn refused_forms(vectors: &mut Vectors, alice: &Key, carol: &Key) {
    let der = [unhex(ED25519).as_slice(), alice.public().as_raw()].concat();
    let text = alice.public().to_pem();
    let other = carol.public().to_pem();
    let private = alice.private().to_pem();
    let private_der = alice.private().to_pkcs8_der();
    for (id, bytes, code, why) in [
        ("empty", Vec::new(), "key-not-a-key", "nothing"),
        ("text", b"this is no key".to_vec(), "key-not-a-key", "neither PEM nor DER"),
        ("two-blocks", [text.as_str(), &other].concat().into_bytes(), "key-confused", "two keys in one file"),
        ("one-key-twice", [text.as_str(), &text].concat().into_bytes(), "key-confused", "one key twice in one file"),
        ("no-end", text.replace("-----END PUBLIC KEY-----\n", "").into_bytes(), "key-malformed", "a block without an end"),
        ("other-end", text.replace("END PUBLIC", "END RSA PUBLIC").into_bytes(), "key-malformed", "a block that ends as another"),
        ("no-base64", text.replacen("MCow", "MC*w", 1).into_bytes(), "key-malformed", "a character that is no base64"),
        ("private", private.as_bytes().to_vec(), "key-private", "a private key in PKCS#8"),
        ("private-behind", [text.as_str(), &private].concat().into_bytes(), "key-private", "a private key behind a public one"),
        (
            "private-under-public",
            pem("PUBLIC KEY", &private_der).into_bytes(),
            "key-private",
            "a private key under the label of a public one",
        ),
        ("private-der", private_der.to_vec(), "key-private", "a private key in DER"),
        ("encrypted-private", pem("ENCRYPTED PRIVATE KEY", &[0; 3]).into_bytes(), "key-private", "an encrypted private key"),
        ("ec-private", pem("EC PRIVATE KEY", &[0; 3]).into_bytes(), "key-private", "an older form of private key"),
        ("certificate", testdata_file("in-toto/x509/p256-sha384.pem"), "key-unsupported", "a certificate, which nothing here vouches for"),
        ("openssh", b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI me@host\n".to_vec(), "key-unsupported", "a key of OpenSSH"),
        ("minisign", b"untrusted comment: minisign public key\nRWQ\n".to_vec(), "key-unsupported", "a key of minisign"),
        ("pgp", pem("PGP PUBLIC KEY BLOCK", &[0; 3]).into_bytes(), "key-unsupported", "a key of OpenPGP"),
        ("x25519", [unhex("302a300506032b656e032100").as_slice(), &[9; 32]].concat(), "key-unsupported", "X25519 signs nothing"),
        ("ed448", [unhex("3043300506032b6571033a00").as_slice(), &[9; 57]].concat(), "key-unsupported", "Ed448"),
        (
            "p521",
            [unhex("30819b301006072a8648ce3d020106052b810400230381860004").as_slice(), &[1; 132]].concat(),
            "key-unsupported",
            "P-521",
        ),
        (
            "secp256k1",
            [unhex("3056301006072a8648ce3d020106052b8104000a03420004").as_slice(), &[1; 64]].concat(),
            "key-unsupported",
            "secp256k1",
        ),
        ("der-trailing-byte", [der.as_slice(), &[0]].concat(), "key-malformed", "a byte after the key"),
        ("der-unused-bits", unhex(&hex(&der).replacen("032100", "032101", 1)), "key-malformed", "unused bits in the bit string"),
        (
            "ed25519-null",
            [unhex("302c300706032b65700500032100").as_slice(), &der[12..]].concat(),
            "key-malformed",
            "Ed25519 has no parameters, not even NULL",
        ),
    ] {
        bad(vectors, id, bytes, code, why);
    }
    // Each is neither DER nor PEM, or DER that is damaged: an error either way, and no key.
    for (id, bytes, why) in [
        ("pem-cut", pem("PUBLIC KEY", &der[..31]).into_bytes(), "a block of which the end is missing"),
        ("der-cut", der[..der.len() - 1].to_vec(), "a byte is missing"),
        ("der-long-length", unhex(&hex(&der).replacen("302a", "30812a", 1)), "a length in the long form is not DER"),
        ("der-indefinite", [unhex(&hex(&der).replacen("302a", "3080", 1)).as_slice(), &[0, 0]].concat(), "an indefinite length is not DER"),
    ] {
        let input = vectors.input("", bytes);
        let case = Case::new("public-key", &format!("key-bad-{id}"), why, "7").with("key", input);
        vectors.add(case.expect(super::refused("MALFORMED_KEY")));
    }
    let padded = [vec![b'\n'; 65_537 - text.len()], text.into_bytes()].concat();
    let whole = vectors.file("keys/of-64-kib", padded[1..].to_vec());
    let key_id = hex(Algorithm::Sha256.digest(&der).as_bytes());
    let expect = ok().with("algorithm", "ed25519".to_owned()).with("key_id", key_id);
    vectors.add(Case::new("public-key", "key-of-64-kib", "a file of 64 KiB", "7").with("key", whole).expect(expect));
    let more = vectors.file("keys/of-more-than-64-kib", padded);
    let case = Case::new("public-key", "key-of-more-than-64-kib", "a file of a byte more", "7").with("key", more);
    vectors.add(case.expect(coded("TOO_LARGE", "key-too-large")));
}

/// Points that are none, and keys under which anybody can sign.
fn points(vectors: &mut Vectors, carol: &Key) {
    // The points of small order of edwards25519 in their canonical encodings: 1, 2, 4, 4, 8, 8, 8 and 8.
    for (number, point) in (1..).zip([
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    ]) {
        let der = unhex(&format!("{ED25519}{point}"));
        bad(vectors, &format!("ed25519-small-order-{number}"), der, "key-weak", "a point of small order: anybody can sign");
    }
    for (id, point, why) in [
        ("no-point", "0200000000000000000000000000000000000000000000000000000000000000", "y is of no point"),
        ("not-canonical", "f1ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", "y is above the field's prime"),
        ("short", "8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f", "31 bytes"),
    ] {
        let head = if id == "short" { "3029300506032b6570032000" } else { ED25519 };
        bad(vectors, &format!("ed25519-{id}"), unhex(&format!("{head}{point}")), "key-malformed", why);
    }
    let raw = carol.public().as_raw();
    let mut off = raw.to_vec();
    if let Some(last) = off.last_mut() {
        *last ^= 1;
    }
    bad(vectors, "ecdsa-p256-off-curve", [unhex(P256).as_slice(), &off].concat(), "key-malformed", "a point that is not on the curve");
    let infinity = unhex("3019301306072a8648ce3d020106082a8648ce3d03010703020000");
    bad(vectors, "ecdsa-p256-infinity", infinity, "key-malformed", "the point at infinity");
    let other_curve = [unhex("3056301006072a8648ce3d020106052b81040022034200").as_slice(), raw].concat();
    bad(vectors, "ecdsa-p384-with-p256-point", other_curve, "key-malformed", "a point of the other curve's size");
    let no_curve = [unhex("304f300906072a8648ce3d0201034200").as_slice(), raw].concat();
    bad(vectors, "ecdsa-without-curve", no_curve, "key-malformed", "an elliptic curve key without a curve");
}

/// RSA keys, which TUF's and in-toto's documents may be signed by.
fn rsa(vectors: &mut Vectors) {
    let n = |bits: usize| {
        let mut n = vec![0x5a; bits / 8];
        if let (Some(first), true) = (n.first_mut(), bits > 0) {
            *first = 0x80;
        }
        if let Some(last) = n.last_mut() {
            *last |= 1;
        }
        n
    };
    let f4 = [1, 0, 1];
    let good_key = rsa_spki(&n(2048), &f4);
    good(vectors, "rsa-2048", "rsa-pss", &good_key);
    bad(vectors, "rsa-1024", rsa_spki(&n(1024), &f4), "key-weak", "an RSA key of 1024 bits");
    bad(vectors, "rsa-2040", rsa_spki(&n(2040), &f4), "key-weak", "an RSA key of 2040 bits");
    bad(vectors, "rsa-exponent-1", rsa_spki(&n(2048), &[1]), "key-weak", "the exponent 1: a signature is the message");
}

/// A case that is refused.
fn bad(vectors: &mut Vectors, id: &str, bytes: Vec<u8>, code: &str, why: &str) {
    let status = match code {
        "key-not-a-key" | "key-malformed" | "key-confused" => "MALFORMED_KEY",
        "key-unsupported" => "UNSUPPORTED",
        _ => "INVALID_KEY",
    };
    let input = vectors.input(&format!("keys/bad-{id}"), bytes);
    vectors.add(Case::new("public-key", &format!("key-bad-{id}"), why, "7").with("key", input).expect(coded(status, code)));
}

/// A block of PEM.
fn pem(label: &str, der: &[u8]) -> String {
    use base64::Engine as _;
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap_or_default()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// The SubjectPublicKeyInfo of an RSA key (RFC 3279, 2.3.1).
fn rsa_spki(n: &[u8], e: &[u8]) -> Vec<u8> {
    let integer = |number: &[u8]| {
        let padded = if number.first().is_some_and(|first| *first >= 0x80) { [&[0], number].concat() } else { number.to_vec() };
        element(2, &padded)
    };
    let key = element(0x30, &[integer(n), integer(e)].concat());
    element(0x30, &[unhex("300d06092a864886f70d0101010500"), element(3, &[&[0], key.as_slice()].concat())].concat())
}

/// An element of DER.
pub(super) fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).expect("a short element").to_be_bytes();
    let head = match length {
        [0, short @ ..0x80] => vec![tag, short],
        [0, one] => vec![tag, 0x81, one],
        [two, one] => vec![tag, 0x82, two, one],
    };
    [head.as_slice(), content].concat()
}
