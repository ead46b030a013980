//! Names (SPEC.md, "Names and versions").

use super::{Case, Vectors, ok, refused};

pub(super) fn add(vectors: &mut Vectors) {
    let (component, path) = ("a".repeat(253), |length: usize| format!("a/{}", "b".repeat(length - 2)));
    let good = [
        ("acme/net-monitor".to_owned(), "two components"),
        ("acme/net-monitor:1.2.0".to_owned(), "a version has the grammar of an OCI tag"),
        ("a/b/c/d/e/f/g/h".to_owned(), "eight components"),
        ("0/1".to_owned(), "digits alone"),
        ("a.b/c_d/e__f/g-h/i--j/k---l".to_owned(), "every separator"),
        (path(255), "255 bytes"),
        (format!("a/{component}:v"), "255 bytes, and a version beside them"),
        (format!("a/b:{}", "v".repeat(128)), "a version of 128 bytes"),
        ("a/b:_".to_owned(), "a version that begins with an underscore"),
        ("a/b:V1._-".to_owned(), "upper case, and separators at the end of a version"),
        ("localhost/x:5000".to_owned(), "a version of digits is no port"),
        ("a/latest".to_owned(), "a word that is nothing special"),
    ];
    let bad = [
        ("".to_owned(), "nothing"),
        ("acme".to_owned(), "one component"),
        ("acme:1".to_owned(), "one component, with a version"),
        ("a/b/c/d/e/f/g/h/i".to_owned(), "nine components"),
        (path(256), "256 bytes"),
        ("acme/".to_owned(), "an empty component at the end"),
        ("/acme/x".to_owned(), "an empty component at the beginning"),
        ("acme//x".to_owned(), "an empty component between"),
        ("Acme/x".to_owned(), "upper case"),
        ("acme/x.".to_owned(), "a separator at the end"),
        ("acme/-x".to_owned(), "a separator at the beginning"),
        ("acme/a..b".to_owned(), "two dots"),
        ("acme/a___b".to_owned(), "three underscores"),
        ("acme/a._b".to_owned(), "two separators that are different"),
        ("acme/a-_b".to_owned(), "a dash and an underscore"),
        ("acme/../x".to_owned(), "a component of dots"),
        ("acme/x y".to_owned(), "a space"),
        ("acme/x\n".to_owned(), "a line end at the end"),
        ("acme/x\u{0}".to_owned(), "a character NUL"),
        ("acme/caf\u{e9}".to_owned(), "a letter outside of ASCII"),
        ("\u{430}cme/x".to_owned(), "a Cyrillic letter that looks like an ASCII one"),
        ("acme/\u{ff11}".to_owned(), "a digit outside of ASCII"),
        ("acme/x:".to_owned(), "an empty version"),
        ("acme/x:*".to_owned(), "`:*` occurs only in wanted names"),
        ("acme/x:.1".to_owned(), "a version that begins with a dot"),
        ("acme/x:-1".to_owned(), "a version that begins with a dash"),
        ("acme/x:1:2".to_owned(), "two versions"),
        ("acme/x:1/y".to_owned(), "a version that is not at the end"),
        ("acme/x:1+2".to_owned(), "a plus sign in a version"),
        ("acme/x:1\n".to_owned(), "a line end after a version"),
        (format!("a/b:{}", "v".repeat(129)), "a version of 129 bytes"),
        ("acme/x@sha256:00".to_owned(), "a digest"),
        ("https://acme/x".to_owned(), "a URL"),
        ("acme%2fx/y".to_owned(), "percent-encoding"),
        ("acme\\x/y".to_owned(), "a backslash"),
    ];
    for (all, expect) in [(good.as_slice(), ok()), (bad.as_slice(), refused("INVALID_NAME"))] {
        for (name, why) in all {
            let id = vectors.id("name", why);
            vectors.add(Case::new("name", &id, why, "5").with("name", name.clone()).expect(expect.clone()));
        }
    }
}
