//! What one reading of a document found out, to be kept beside it and spare the next reader the same work.
//!
//! An outline is offsets and nothing else: where `signed` begins, where the value of its indexed member begins and ends, and where each
//! of that object's members begins, in the order of their names. All names and values are read from the document again, and as strictly;
//! what is not read again is the inside of the indexed object. So an outline is good for a document that was read before, which whoever
//! keeps the two has to make sure of: by the document's digest.

use alloc::string::String;
use alloc::vec::Vec;

use super::{Index, MAX_MEMBERS, Member, Signed};
use crate::json::MAX_DEPTH;
use crate::json::lexer::Lexer;
use crate::json::read::{name_at, skip};
use crate::verified::Unverified;

/// Words of an outline before those of the members.
const HEAD: usize = 3;

impl Signed {
    /// The outline of a document with an index: words of four bytes, little-endian.
    pub fn outline(&self) -> Option<Vec<u8>> {
        let index = self.index.as_ref()?;
        let indexed = self.members.iter().find(|member| Some(&member.name) == self.indexed.as_ref())?;
        let head = [self.signed.start, indexed.value.start, indexed.value.end];
        let mut out = Vec::with_capacity((HEAD + index.len()).saturating_mul(4));
        for word in head {
            out.extend_from_slice(&u32::try_from(word).ok()?.to_le_bytes());
        }
        for start in index.starts() {
            out.extend_from_slice(&start.to_le_bytes());
        }
        Some(out)
    }

    /// A document that was read before, whose member `index` was indexed, by the outline that was made of it then. It has no signatures:
    /// these were checked then, and [`signed_bytes`](Self::signed_bytes) is what stands in the document.
    ///
    /// # Errors
    /// The outline cannot be this document's; the document is given back.
    pub fn recall(bytes: Vec<u8>, index: &str, outline: &[u8]) -> Result<Unverified<Self>, Vec<u8>> {
        let document = String::from_utf8(bytes).map_err(|error| error.into_bytes())?;
        match Self::follow(&document, index, outline) {
            Some(mut signed) => {
                signed.document = document;
                Ok(Unverified::new(signed))
            }
            None => Err(document.into_bytes()),
        }
    }

    /// All but the document itself.
    fn follow(text: &str, index: &str, outline: &[u8]) -> Option<Self> {
        let (words, []) = outline.as_chunks::<4>() else { return None };
        let words = words.iter().map(|word| u32::from_le_bytes(*word));
        let offset = |word: u32| usize::try_from(word).ok();
        let mut head = words.clone().take(HEAD).map(offset);
        let (start, from, to) = (head.next()??, head.next()??, head.next()??);
        let starts: Vec<u32> = words.skip(HEAD).collect();
        let inside = |start: &u32| offset(*start).is_some_and(|start| from < start && start < to);
        (from < to && starts.iter().all(inside) && text.get(start..)?.starts_with('{')).then_some(())?;

        let mut members: Vec<Member> = Vec::new();
        let mut lexer = Lexer::from_offset(text, start + 1);
        let mut more = lexer.first_member().ok()?;
        while more {
            let (name, behind) = name_at(text, lexer.at() - 1).ok()?;
            lexer = behind;
            lexer.colon().ok()?;
            let blank = text.get(lexer.at()..)?;
            let value = lexer.at() + (blank.len() - blank.trim_ascii_start().len());
            let known = members.iter().any(|member| member.name == name);
            (!known && members.len() < MAX_MEMBERS).then_some(())?;
            if name == index {
                (value == from && text.get(from..to)?.starts_with('{')).then_some(())?;
                lexer = Lexer::from_offset(text, to);
            } else {
                skip(&mut lexer, MAX_DEPTH).ok()?;
            }
            members.push(Member { name: name.into_owned(), value: value..lexer.at() });
            more = lexer.next_member().ok()?;
        }
        members.iter().any(|member| member.name == index).then_some(())?;
        Some(Self {
            document: String::new(),
            signed: start..lexer.at(),
            canonical: None,
            signatures: Vec::new(),
            members,
            index: Some(Index::from_starts(starts)),
            indexed: Some(index.into()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signed::Options;

    const OPTIONS: Options<'_> = Options { max_bytes: 1 << 20, max_signatures: 4, index: Some("targets") };

    fn read(document: &str) -> Signed {
        Signed::parse(document.as_bytes().to_vec(), OPTIONS).unwrap().into_untrusted()
    }

    fn recall(document: &str, outline: &[u8]) -> Option<Signed> {
        Signed::recall(document.as_bytes().to_vec(), "targets", outline).map(Unverified::into_untrusted).ok()
    }

    const DOCUMENTS: [&str; 4] = [
        r#"{"signatures":[],"signed":{"a":1,"targets":{"x":{"length":1},"y":[2]},"z":"é"}}"#,
        r#"{ "signed" : { "targets" : { "y" : 2 , "x\u0041" : 1 } , "b" : [ { } ] } , "signatures" : [ ] }"#,
        r#"{"signatures":[],"signed":{"targets":{}}}"#,
        r#"{"other":{"signed":{}},"signatures":[],"signed":{"\u0074argets":{"a":{}},"targetsx":{"q":1}}}"#,
    ];

    #[test]
    fn a_recalled_document_says_what_the_read_one_said() {
        for document in DOCUMENTS {
            let first = read(document);
            let again = recall(document, &first.outline().unwrap()).unwrap();
            assert!(first.members().eq(again.members()), "{document}");
            assert_eq!((first.index(), first.bytes()), (again.index(), again.bytes()), "{document}");
            assert_eq!(again.outline(), first.outline(), "{document}");
            for name in ["x", "y", "xA", "a", "q", ""] {
                assert_eq!(first.find(name), again.find(name), "{document} {name}");
            }
        }
        let unindexed = r#"{"signatures":[],"signed":{"targets":[]}}"#;
        assert_eq!(read(unindexed).outline(), None);
    }

    #[test]
    fn another_document_s_outline_is_refused_or_finds_what_is_there() {
        for document in DOCUMENTS {
            let outline = read(document).outline().unwrap();
            for at in 0..outline.len() {
                for flip in [1, 3, 0x80] {
                    let mut damaged = outline.clone();
                    damaged[at] ^= flip;
                    let Some(recalled) = recall(document, &damaged) else { continue };
                    // The members beside the indexed one are read again, so that offsets can hide one but not change what it says.
                    let read = read(document);
                    assert!(
                        recalled.members().all(|(name, value)| name == "targets" || read.member(name) == Some(value)),
                        "{document} {at} {flip}"
                    );
                }
                assert!(recall(document, &outline[..at]).is_none() || at % 4 == 0, "{document} {at}");
            }
            assert!(recall(document, b"").is_none());
            assert!(recall(&document.replace("argets", "argetz"), &outline).is_none());
        }
        let given_back = Signed::recall(b"{\xff}".to_vec(), "targets", &[0; 12]);
        assert_eq!(given_back.map(|_| ()), Err(b"{\xff}".to_vec()));
    }
}
