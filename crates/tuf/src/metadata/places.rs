//! Where the targets of a document stand that is not in memory, and how one of them is found there.

use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Ordering;

use touchmark_envelope::json;

/// A target's entry is read in a piece of so many bytes, which mostly holds it whole.
const PIECE: u32 = 4096;

/// Where each of a document's targets begins, in the order of their names.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    starts: Vec<u32>,
    /// Where the last one has ended.
    end: u32,
}

/// How far a search through them is.
#[derive(Clone, Debug)]
pub(crate) struct Probe {
    low: usize,
    high: usize,
    piece: Option<(u32, Vec<u8>)>,
}

/// What a search through them needs, or has found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Probed {
    /// This piece of the document: where it begins, and its length.
    Piece(u32, u32),
    /// The text of the target's entry, or that there is none.
    Entry(Option<String>),
    /// They are not this document's.
    Wrong,
}

impl Places {
    pub(crate) fn new(starts: Vec<u32>, end: u32) -> Self {
        Self { starts, end }
    }

    /// How many targets there are.
    pub(crate) fn len(&self) -> usize {
        self.starts.len()
    }

    /// Begins a search.
    pub(crate) fn probe(&self) -> Probe {
        Probe { low: 0, high: self.starts.len(), piece: None }
    }

    /// Goes on with it.
    pub(crate) fn go_on(&self, probe: &mut Probe, name: &str) -> Probed {
        while probe.low < probe.high {
            let middle = probe.low.midpoint(probe.high);
            let Some(start) = self.starts.get(middle).copied() else { return Probed::Wrong };
            let Some(most) = self.end.checked_sub(start) else { return Probed::Wrong };
            let Some((_, bytes)) = probe.piece.as_ref().filter(|(at, _)| *at == start) else {
                return Probed::Piece(start, PIECE.min(most));
            };
            let had = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
            let (order, entry) = match json::member_at(whole_characters(bytes), 0) {
                Ok((found, entry)) => (found.as_ref().cmp(name), entry),
                // It is longer than the piece.
                Err(_) if had < most => return Probed::Piece(start, had.saturating_mul(4).min(most)),
                Err(_) => return Probed::Wrong,
            };
            match order {
                Ordering::Less => probe.low = middle + 1,
                Ordering::Greater => probe.high = middle,
                Ordering::Equal => return Probed::Entry(Some(entry.into())),
            }
        }
        Probed::Entry(None)
    }
}

impl Probe {
    /// Takes the piece that was asked for.
    pub(crate) fn take(&mut self, start: u32, bytes: Vec<u8>) {
        self.piece = Some((start, bytes));
    }
}

/// The text up to a character that the piece cuts in two.
fn whole_characters(bytes: &[u8]) -> &str {
    match core::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => bytes.get(..error.valid_up_to()).and_then(|bytes| core::str::from_utf8(bytes).ok()).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use touchmark_envelope::signed::{Options, Signed};

    /// A document with these targets, and their places.
    fn document(targets: &[(&str, &str)]) -> (Vec<u8>, Places) {
        let members: Vec<String> = targets.iter().map(|(name, entry)| format!("{name:?} :{entry}")).collect();
        let text = format!(r#"{{"signatures":[],"signed":{{"targets":{{{}}}}}}}"#, members.join(" , "));
        let end = u32::try_from(text.len() - 2).unwrap();
        let options = Options { max_bytes: text.len(), max_signatures: 1, index: Some("targets") };
        let signed = Signed::parse(text.clone().into_bytes(), options).unwrap().into_untrusted();
        (text.into_bytes(), Places::new(signed.index().unwrap().starts().to_vec(), end))
    }

    fn find(text: &[u8], places: &Places, name: &str) -> (Probed, usize) {
        let (mut probe, mut pieces) = (places.probe(), 0);
        loop {
            match places.go_on(&mut probe, name) {
                Probed::Piece(start, length) => {
                    pieces += 1;
                    let end = usize::try_from(start + length).unwrap().min(text.len());
                    probe.take(start, text[usize::try_from(start).unwrap()..end].to_vec());
                }
                done => return (done, pieces),
            }
        }
    }

    #[test]
    fn a_target_is_found_in_few_pieces_whatever_its_length() {
        let long = format!(r#"{{"é":"{}"}}"#, "é".repeat(20_000));
        let names: Vec<String> = (0..500).map(|number| format!("n{:03}", number * 7 % 500)).collect();
        let targets: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), if name == "n123" { &long } else { "1" })).collect();
        let (text, places) = document(&targets);
        for name in &names {
            let expected = if name == "n123" { long.as_str() } else { "1" };
            let (found, pieces) = find(&text, &places, name);
            assert_eq!(found, Probed::Entry(Some(expected.into())), "{name}");
            assert!(pieces <= 13, "{pieces}");
        }
        for absent in ["", "n", "n0000", "n500", "z"] {
            assert_eq!(find(&text, &places, absent).0, Probed::Entry(None), "{absent}");
        }
        assert_eq!(find(b"", &Places::new(Vec::new(), 0), "a"), (Probed::Entry(None), 0));
    }

    #[test]
    fn another_document_s_places_are_wrong() {
        let (text, places) = document(&[("a", "1"), ("b", "2")]);
        for shifted in [places.starts.iter().map(|start| start + 1).collect(), alloc::vec![u32::MAX], alloc::vec![0]] {
            let places = Places::new(shifted, places.end);
            assert_eq!(find(&text, &places, "b").0, Probed::Wrong);
        }
        // A document that was cut short.
        let mut probe = places.probe();
        let Probed::Piece(start, _) = places.go_on(&mut probe, "b") else { panic!("a piece") };
        probe.take(start, b"\"b".to_vec());
        assert!(matches!(places.go_on(&mut probe, "b"), Probed::Piece(..)));
        probe.take(start, b"\"b\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff".to_vec());
        assert_eq!(places.go_on(&mut probe, "b"), Probed::Wrong);
    }
}
