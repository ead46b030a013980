//! The reader against serde_json, and canonical JSON against olpc-cjson, over documents made up from a seed.
#![allow(clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod documents;
#[cfg(feature = "olpc-dialect")]
#[path = "oracles/nfc.rs"]
mod nfc;
mod oracles;

use documents::{Random, Strings, document};
#[cfg(feature = "olpc-dialect")]
use nfc::has_equal_names;
use oracles::{olpc, same};
use touchmark_envelope::canonical;
use touchmark_envelope::json::{Kind, parse};

const LIMIT: usize = 1 << 20;

#[test]
fn the_reader_sees_what_serde_json_sees() {
    for seed in 0..10_000 {
        let text = document(&mut Random::new(seed), Strings::Any);
        let ours = parse(text.as_bytes(), LIMIT).unwrap_or_else(|e| panic!("seed {seed}: {e}: {text}"));
        let theirs: serde_json::Value = serde_json::from_str(&text).expect("valid");
        assert!(same(&ours, &theirs), "seed {seed}: {text}");
        for written in [ours.to_vec(), ours.to_pretty()] {
            assert_eq!(parse(&written, LIMIT).as_ref(), Ok(&ours), "seed {seed}");
            assert_eq!(serde_json::from_slice::<serde_json::Value>(&written).ok(), Some(theirs.clone()), "seed {seed}");
        }
    }
}

#[test]
fn canonical_json_is_olpc_cjson_s_where_implementations_agree() {
    for seed in 0..10_000 {
        let text = document(&mut Random::new(seed), Strings::Portable);
        let ours = canonical::to_vec(text.as_bytes(), LIMIT).unwrap_or_else(|e| panic!("seed {seed}: {e}: {text}"));
        let theirs = olpc(text.as_bytes());
        assert_eq!(String::from_utf8_lossy(&ours), String::from_utf8_lossy(&theirs), "seed {seed}: {text}");

        let value = parse(text.as_bytes(), LIMIT).expect("valid");
        assert_eq!(canonical::write(&value).as_ref(), Ok(&ours), "seed {seed}: what is agreed on is portable");
    }
}

#[test]
fn what_is_portable_is_written_alike_by_olpc_cjson() {
    let (mut portable, mut refused) = (0, 0);
    for seed in 0..10_000 {
        let text = document(&mut Random::new(seed), Strings::Any);
        let value = parse(text.as_bytes(), LIMIT).expect("valid");
        match canonical::write(&value) {
            Ok(ours) => {
                portable += 1;
                assert_eq!(ours, olpc(text.as_bytes()), "seed {seed}: {text}");
            }
            Err(canonical::Error::NotPortable { .. }) => refused += 1,
            Err(error) => panic!("seed {seed}: {error}: {text}"),
        }
    }
    assert!(portable > 1000 && refused > 1000, "{portable} portable, {refused} refused");
}

/// The dialect of olpc-cjson is what it writes, for every document but those of which it drops a member.
#[cfg(feature = "olpc-dialect")]
#[test]
fn the_dialect_of_olpc_cjson_is_its_own() {
    const PIECES: [&str; 9] = ["\u{e9}", "e", "\u{301}", "K", "\u{212a}", "\\\"", "\\n", " ", "\u{fb33}"];
    let (mut written, mut refused) = (0, 0);
    for seed in 0..4_000 {
        let mut random = Random::new(seed);
        let mut names = std::collections::BTreeSet::new();
        for _ in 0..random.below(10) {
            names.insert((0..random.below(3)).map(|_| PIECES[random.below(PIECES.len())]).collect::<String>());
        }
        let members = names.iter().map(|name| format!("\"{name}\":{}", document(&mut random, Strings::Any)));
        let text = format!("{{{}}}", members.collect::<Vec<_>>().join(","));
        let equal = has_equal_names(&parse(text.as_bytes(), LIMIT).expect("valid"));
        match canonical::olpc::to_vec(text.as_bytes(), LIMIT) {
            Ok(ours) => {
                written += 1;
                assert!(ours == olpc(text.as_bytes()) && !equal, "seed {seed}: {text}");
            }
            Err(error) => {
                refused += 1;
                assert!(matches!(error, canonical::Error::NfcEqual { .. }) && equal, "seed {seed}: {error}: {text}");
            }
        }
    }
    assert!(written > 1000 && refused > 100, "{written} written, {refused} refused");
}

#[test]
fn every_way_to_canonical_bytes_gives_the_same() {
    for seed in 0..10_000 {
        let text = document(&mut Random::new(seed), Strings::Any);
        let value = parse(text.as_bytes(), LIMIT).expect("valid");
        let canonical = canonical::to_vec(text.as_bytes(), LIMIT).expect("canonical");
        assert_eq!(canonical::write_unrestricted(&value).as_ref(), Ok(&canonical), "seed {seed}: {text}");
        assert_eq!(canonical::to_vec(&value.to_pretty(), LIMIT).as_ref(), Ok(&canonical), "seed {seed}: {text}");
        // Control characters stand in canonical JSON unescaped, so it is not always JSON; where it is, it is its own canonical form.
        if !canonical.iter().any(|byte| *byte < 0x20) {
            assert_eq!(canonical::to_vec(&canonical, LIMIT).as_ref(), Ok(&canonical), "seed {seed}: {text}");
        }
    }
}

#[test]
fn damaged_documents_are_refused_when_serde_json_refuses_them() {
    let (mut accepted, mut refused, mut stricter) = (0, 0, 0);
    for seed in 0..40_000 {
        let mut random = Random::new(seed);
        let mut bytes = document(&mut random, Strings::Any).into_bytes();
        for _ in 0..=random.below(3) {
            damage(&mut random, &mut bytes);
        }
        let shown = String::from_utf8_lossy(&bytes);
        match (parse(&bytes, LIMIT), serde_json::from_slice::<serde_json::Value>(&bytes)) {
            (Ok(ours), Ok(theirs)) => {
                accepted += 1;
                assert!(same(&ours, &theirs), "seed {seed}: {shown}");
            }
            (Err(_), Err(_)) => refused += 1,
            (Err(error), Ok(_)) => {
                stricter += 1;
                assert!(matches!(error.kind, Kind::Duplicate(_)), "seed {seed}: {error}: {shown}");
            }
            (Ok(_), Err(error)) => assert!(error.to_string().starts_with("number out of range"), "seed {seed}: {error}: {shown}"),
        }
    }
    assert!(accepted > 1000 && refused > 1000 && stricter > 0, "{accepted} {refused} {stricter}");
}

fn damage(random: &mut Random, bytes: &mut Vec<u8>) {
    const PIECES: [&[u8]; 16] =
        [b"\"", b"\\", b"{", b"}", b"[", b",", b":", b"0", b"-", b"\\ud800", b"\xff", b"\xed\xa0\x80", b"\n", b"1.5e3", b"\"a\":1,", b"\0"];
    let at = random.below(bytes.len() + 1);
    match random.below(3) {
        0 => bytes.truncate(at),
        1 => {
            let end = (at + 1 + random.below(3)).min(bytes.len());
            bytes.drain(at.min(end)..end);
        }
        _ => {
            bytes.splice(at..at, PIECES[random.below(PIECES.len())].iter().copied());
        }
    }
}
