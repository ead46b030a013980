//! Documents as bytes: what is no strict JSON, has no canonical form, or is another role's.

use touchmark_test_tuf_repository::{Form, json, remove, set};
use touchmark_tuf::Class;

use crate::attack::{DELEGATED, accepted, honest, is, refused, renew};
use crate::machine::Machine;

const ROLES: [&str; 5] = ["root", "timestamp", "snapshot", "targets", "acme"];

#[test]
fn bytes_that_are_no_document_are_refused() {
    for role in ROLES {
        for bytes in [
            b"".as_slice(),
            b"\0",
            b"null",
            b"[]",
            b"{}",
            b"\"x\"",
            b"{\"signed\":{}}",
            b"{\"signatures\":[]}",
            b"{\"signed\":[],\"signatures\":[]}",
            b"{\"signed\":{},\"signatures\":{}}",
            b"{\"signed\":{},\"signatures\":[1]}",
            b"{\"signed\":{},\"signatures\":[",
            b"<html>",
            &[0x1f, 0x8b, 8, 0],
            &[0xff; 100],
        ] {
            let error = refused(&honest(), "tuf-document", |repository| repository.serve(&repository.path(role), bytes.to_vec()));
            is(&error, Class::Untrusted);
        }
    }
}

#[test]
fn a_document_of_another_role_is_refused() {
    for role in ["timestamp", "snapshot", "targets", "acme", "root"] {
        for kind in ["root", "timestamp", "snapshot", "targets", "mirrors", "Root", ""] {
            if kind == role || (kind, role) == ("targets", "acme") {
                continue;
            }
            refused(&honest(), "tuf-malformed", |repository| repository.forge(role, |signed| set(signed, "/_type", kind)));
        }
        refused(&honest(), "tuf-malformed", |repository| {
            repository.forge(role, |signed| {
                remove(signed, "/_type");
            });
        });
    }
}

#[test]
fn a_document_of_another_role_is_refused_even_if_one_key_signs_for_both() {
    let mut repository = honest();
    let one = [touchmark_test_tuf_repository::Key::ed25519("one")];
    for role in ["timestamp", "snapshot", "targets"] {
        repository.set_keys(role, 1, &one);
    }
    renew(&mut repository);
    repository.push("snapshot");
    for (role, other) in [("timestamp", "snapshot"), ("snapshot", "timestamp"), ("targets", "snapshot"), ("snapshot", "targets")] {
        let mut evil = repository.clone();
        let bytes = evil.file(&evil.path(other)).to_vec();
        evil.serve(&evil.path(role), bytes);
        let error = Machine::new(&repository).find(&evil, DELEGATED).unwrap_err();
        assert_eq!(error.code(), "tuf-malformed", "{role} {other}: {error}");
    }
}

#[test]
fn a_byte_order_mark_is_refused() {
    for role in ROLES {
        refused(&honest(), "tuf-document", |repository| {
            let path = repository.path(role);
            let bytes = [b"\xef\xbb\xbf", repository.file(&path)].concat();
            repository.serve(&path, bytes);
        });
    }
}

#[test]
fn white_space_around_a_document_is_no_part_of_what_is_signed() {
    accepted(&honest(), |repository| {
        for role in ROLES {
            let path = repository.path(role);
            let bytes = [b" \n\t\r".as_slice(), repository.file(&path), b"\r\n"].concat();
            repository.serve(&path, bytes);
        }
    });
}

#[test]
fn numbers_without_a_canonical_form_are_refused_wherever_they_stand() {
    for number in ["1e0", "1E2", "-0", "1.0", "-1.5", "9007199254740992", "-9007199254740992", "18446744073709551616", "1e400", "0.1"] {
        for role in ["root", "timestamp", "acme"] {
            refused(&honest(), "tuf-document", |repository| repository.forge(role, |signed| set(signed, "/x-number", json(number))));
        }
        refused(&honest(), "tuf-document", |repository| {
            repository.forge("targets", |signed| set(signed, "/targets/file/custom", json(&format!("{{\"a\":[{number}]}}"))));
        });
    }
    for number in ["9007199254740991", "-9007199254740991", "0", "-1"] {
        accepted(&honest(), |repository| repository.forge("targets", |signed| set(signed, "/x-number", json(number))));
    }
}

#[test]
fn numbers_outside_of_what_is_signed_are_nobody_s_word() {
    accepted(&honest(), |repository| repository.tamper("targets", |document| set(document, "/x-number", json("1.5"))));
}

#[test]
fn versions_beyond_their_range_are_refused() {
    for role in ROLES {
        for version in ["0", "-1", "null", "\"3\"", "true", "[3]", "{}"] {
            refused(&honest(), "tuf-malformed", |repository| repository.forge(role, |signed| set(signed, "/version", json(version))));
        }
        refused(&honest(), "tuf-malformed", |repository| {
            repository.forge(role, |signed| {
                remove(signed, "/version");
            });
        });
    }
    // At its end a version is a version.
    let mut repository = honest();
    repository.set("timestamp", "/version", (1_u64 << 53) - 1);
    repository.sign("timestamp");
    Machine::refreshed(&honest()).refresh(&repository).unwrap();
}

#[test]
fn times_of_any_other_form_are_refused() {
    for expires in [
        "2030-01-01",
        "2030-01-01T00:00:00",
        "2030-01-01T00:00:00z",
        "2030-01-01t00:00:00Z",
        "2030-01-01 00:00:00Z",
        "2030-01-01T00:00:00.5Z",
        "2030-01-01T00:00:00+00:00",
        "2030-01-01T00:00:00-06:00",
        "2021-12-18T13:28:12.99008-06:00",
        "2030-01-01T00:00Z",
        "2030-1-1T00:00:00Z",
        "2030-02-29T00:00:00Z",
        "2030-13-01T00:00:00Z",
        "2030-01-01T24:00:00Z",
        "2030-01-01T00:00:60Z",
        "12030-01-01T00:00:00Z",
        " 2030-01-01T00:00:00Z",
        "2030-01-01T00:00:00Z\n",
        "",
        "never",
    ] {
        for role in ["timestamp", "acme"] {
            refused(&honest(), "tuf-malformed", |repository| repository.forge(role, |signed| set(signed, "/expires", expires)));
        }
    }
    for expires in ["9999-12-31T23:59:59Z", "2028-02-29T23:59:59Z"] {
        accepted(&honest(), |repository| repository.forge("acme", |signed| set(signed, "/expires", expires)));
    }
}

#[test]
fn deep_nesting_is_refused_and_overflows_nothing() {
    for depth in [40, 1_000, 100_000] {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let value = if open == "[" { String::new() } else { "1".to_owned() };
            let deep = [open.repeat(depth), value, close.repeat(depth)].concat();
            for text in ["{\"signatures\":[],\"signed\":{\"x\":DEEP}}", "{\"signatures\":DEEP,\"signed\":{}}", "DEEP", "{\"x\":DEEP"] {
                for role in ["root", "snapshot", "targets"] {
                    let mut evil = honest();
                    renew(&mut evil);
                    evil.serve(&evil.path(role), text.replace("DEEP", &deep).into_bytes());
                    let error = Machine::new(&honest()).find(&evil, DELEGATED).unwrap_err();
                    assert!(matches!(error.code(), "tuf-document" | "tuf-fetch"), "{error}");
                }
            }
        }
    }
}

#[test]
fn invalid_text_is_refused() {
    for text in [
        b"\\ud800".as_slice(),
        b"\\udc00\\ud800",
        b"\\ud800x",
        b"\\ud83d\\u0020",
        b"\xff",
        b"\xc0\x80",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"\\x00",
        b"\\u12",
        b"\x01",
        b"\n",
    ] {
        refused(&honest(), "tuf-document", |repository| {
            let path = repository.path("targets");
            let bytes = [b"{\"x\":\"".as_slice(), text, b"\",", &repository.file(&path)[1..]].concat();
            repository.serve(&path, bytes);
        });
    }
}

#[test]
fn names_that_look_the_same_are_different_names() {
    // Neither is normalised: é in one code point and in two, a Greek and a Latin letter, a zero-width space.
    let mut repository = honest();
    let names = ["caf\u{e9}", "cafe\u{301}", "a\u{200b}b", "ab", "\u{3b1}", "\u{212b}", "\u{c5}", "A\u{30a}"];
    for (length, name) in names.iter().enumerate() {
        repository.add_target("targets", name, &vec![b'x'; length]);
    }
    repository.publish();
    let mut machine = Machine::new(&repository);
    let mut client = machine.refresh(&repository).unwrap();
    for (length, name) in names.iter().enumerate() {
        let found = machine.look_up(&mut client, &repository, name).unwrap().found.unwrap();
        assert_eq!(found.target.length, length as u64);
    }
}

#[test]
fn names_are_found_however_they_are_escaped() {
    accepted(&honest(), |repository| {
        let path = repository.path("targets");
        let escaped = String::from_utf8(repository.file(&path).to_vec()).unwrap().replace("\"file\":", "\"\\u0066\\u0069le\":");
        repository.serve(&path, escaped.into_bytes());
    });
}

#[test]
fn members_that_nobody_knows_are_signed_and_ignored() {
    for form in [Form::Sorted, Form::Indented] {
        let mut repository = honest();
        repository.form = form;
        renew(&mut repository);
        accepted(&repository, |repository| {
            for role in ROLES {
                let unknown = r#"{"a":[{},null,true,"\u0000\"\\é😀",{"signed":{"version":1},"signatures":[]}],"version":9}"#;
                set(repository.signed(role), "/x-unknown", json(unknown));
            }
            repository.publish();
        });
        for role in ROLES {
            refused(&repository, "tuf-threshold", |repository| repository.tamper(role, |document| set(document, "/signed/x-new", true)));
        }
    }
}

#[test]
fn custom_is_an_object_and_is_handed_out_as_it_was_signed() {
    let mut repository = honest();
    let custom = r#"{"a":{"é":"\u0001"},"b":[1,2]}"#;
    repository.set("targets", "/targets/file/custom", json(custom));
    repository.publish();
    let found = Machine::new(&repository).find(&repository, "file").unwrap().found.unwrap();
    assert_eq!(found.target.custom.as_deref(), Some(custom));
    for bad in ["1", "[]", "null", "\"x\""] {
        refused(&honest(), "tuf-malformed", |repository| {
            repository.forge("targets", |signed| set(signed, "/targets/file/custom", json(bad)))
        });
    }
}

#[test]
fn a_malformed_target_is_an_error_and_no_absence() {
    for (pointer, value) in [
        ("/targets/file", "1"),
        ("/targets/file", "null"),
        ("/targets/file", "[]"),
        ("/targets/file", "{}"),
        ("/targets/file/length", "-1"),
        ("/targets/file/length", "\"7\""),
        ("/targets/file/length", "null"),
        ("/targets/file/hashes", "{}"),
        ("/targets/file/hashes", "[]"),
        ("/targets/file/hashes", "null"),
        ("/targets/file/hashes/sha256", "1"),
        ("/targets/file/hashes/sha256", "\"00\""),
        ("/targets/file/hashes/sha512", "\"x\""),
        ("/targets/file/hashes", "{\"md5\":\"d41d8cd98f00b204e9800998ecf8427e\"}"),
    ] {
        let error =
            refused(&honest(), "tuf-malformed", |repository| repository.forge("targets", |signed| set(signed, pointer, json(value))));
        is(&error, Class::Untrusted);
    }
    accepted(&honest(), |repository| repository.forge("targets", |signed| set(signed, "/targets/file/hashes/blake2b", "whatever")));
    accepted(&honest(), |repository| repository.forge("targets", |signed| set(signed, "/targets/file/length", 0_u64)));
}

#[test]
fn a_root_without_one_of_the_four_roles_is_refused() {
    for role in ["root", "timestamp", "snapshot", "targets"] {
        refused(&honest(), "tuf-malformed", |repository| {
            repository.unset("root", &format!("/roles/{role}"));
            repository.sign("root");
        });
    }
    // One more, such as mirrors, is no harm.
    accepted(&honest(), |repository| {
        repository.set("root", "/roles/mirrors", json(r#"{"keyids":[],"threshold":1}"#));
        repository.publish();
    });
}

#[test]
fn a_delegation_by_both_paths_and_prefixes_is_refused() {
    refused(&honest(), "tuf-malformed", |repository| {
        repository.forge("targets", |signed| set(signed, "/delegations/roles/0/path_hash_prefixes", json(r#"["00"]"#)));
    });
    refused(&honest(), "tuf-malformed", |repository| {
        repository.forge("targets", |signed| {
            remove(signed, "/delegations/roles/0/paths");
        });
    });
}

#[test]
fn two_delegations_of_one_name_are_refused() {
    refused(&honest(), "tuf-malformed", |repository| {
        repository.forge("targets", |signed| {
            let again = signed.get("delegations").unwrap().get("roles").unwrap().as_array().unwrap()[0].clone();
            set(signed, "/delegations/roles/-", again);
        });
    });
}
