//! A layout in a file: as its author writes it, or as it is signed.

use std::borrow::Cow;

use touchmark_envelope::dsse::{Envelope, IN_TOTO};
use touchmark_envelope::json::{self, Value};
use touchmark_envelope::signed::{Options, Signed};
use touchmark_envelope::threshold::Signature;
use touchmark_in_toto::attestation::LAYOUT_TYPE;
use touchmark_in_toto::{Document, Error, Layout, Limits, Parameters};

/// A layout that its author works on. Nothing vouches for it.
///
/// What is not signed yet is the JSON of the layout itself, in which a line whose first characters are `//` is a comment: no string of
/// JSON has a line end in it, so that such a line is never a part of one.
#[derive(Clone, Debug)]
pub struct LayoutFile {
    pub(super) layout: Layout,
    pub(super) form: Form,
    has_comments: bool,
}

/// What stands in the file.
#[derive(Clone, Debug)]
pub(super) enum Form {
    /// The layout alone.
    Plain(Value<'static>),
    /// `{signed, signatures}`.
    Legacy(Signed),
    /// A DSSE envelope, and its text.
    Dsse(Envelope, Vec<u8>),
}

impl LayoutFile {
    /// Reads a layout, signed in either envelope or not at all. Braces of parameters in it are characters.
    ///
    /// # Errors
    /// It is no layout, or a malformed one.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let limits = Limits::default();
        let (text, has_comments) = without_comments(bytes);
        let members = json::members(&text, text.len())?;
        let has = |wanted| members.iter().any(|(name, _)| name == wanted);
        let plain = !has("payload") && !has("signed");
        let document = match plain {
            // One over attestations is signed in DSSE and in nothing else. Nobody looks at the signature.
            true if is_over_attestations(&members) => {
                let signatures = vec![Signature { keyid: None, bytes: Vec::new() }];
                Envelope { payload: text.clone(), payload_type: IN_TOTO.to_owned(), signatures }.to_json()
            }
            true => [br#"{"signed":"#, text.as_slice(), br#","signatures":[]}"#].concat(),
            false => text.clone(),
        };
        let layout = Document::parse(document, &limits)?.into_untrusted().layout(&Parameters::new())?;
        let form = if plain {
            Form::Plain(json::parse(&text, text.len())?.into_owned())
        } else if has("payload") {
            let limits = touchmark_envelope::dsse::Limits { bytes: text.len(), signatures: limits.signatures };
            let envelope = Envelope::parse(&text, limits)?.into_untrusted();
            Form::Dsse(envelope, text)
        } else {
            let options = Options { max_bytes: text.len(), max_signatures: limits.signatures, index: None };
            Form::Legacy(Signed::parse(text, options)?.into_untrusted())
        };
        Ok(Self { layout, form, has_comments })
    }

    /// The layout.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Whether there are comments in the file, which a signed layout has not.
    pub fn has_comments(&self) -> bool {
        self.has_comments
    }
}

/// Whether the layout with these members says that it is one over attestations.
fn is_over_attestations(members: &[(Cow<'_, str>, &str)]) -> bool {
    let found = members.iter().find(|(name, _)| name == "_type").map(|(_, text)| *text);
    found.and_then(|text| json::parse(text.as_bytes(), text.len()).ok()).is_some_and(|found| found.as_str() == Some(LAYOUT_TYPE))
}

/// The bytes without lines that are comments, whose ends stay, and whether there were any.
fn without_comments(bytes: &[u8]) -> (Vec<u8>, bool) {
    let (mut text, mut found) = (Vec::with_capacity(bytes.len()), false);
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        if line.trim_ascii_start().starts_with(b"//") {
            found = true;
            text.push(b'\n');
        } else {
            text.extend_from_slice(line);
        }
    }
    (text, found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAYOUT: &str = r#"{
  // A comment, with a "quote" and a {.
  "_type": "layout", "expires": "2030-01-01T00:00:00Z",
    //another
  "readme": "// not a comment \n// this neither", "keys": {}, "inspect": [],
  "steps": [{"_type": "step", "name": "s", "threshold": 1, "pubkeys": [], "expected_materials": [], "expected_products": []}]
}"#;

    #[test]
    fn comments_are_lines_and_never_a_part_of_a_string() {
        let read = LayoutFile::parse(LAYOUT.as_bytes()).unwrap();
        assert_eq!(read.layout().readme, "// not a comment \n// this neither");
        assert!(read.has_comments());
        let (plain, _) = without_comments(LAYOUT.as_bytes());
        assert!(!LayoutFile::parse(&plain).unwrap().has_comments());
    }

    #[test]
    fn what_is_no_layout_is_refused() {
        for wrong in ["", "[]", "// only a comment", r#"{"_type":"link"}"#, &LAYOUT.replace("2030-01-01T00:00:00Z", "never")] {
            assert!(LayoutFile::parse(wrong.as_bytes()).is_err(), "{wrong}");
        }
        // Text that would close the document which the layout is put into.
        let closing = r#"{"_type":"layout"},"signatures":[],"x":{"#;
        assert!(LayoutFile::parse(closing.as_bytes()).is_err());
    }
}
