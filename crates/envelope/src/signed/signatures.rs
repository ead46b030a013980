//! The list of signatures, which nothing vouches for.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use super::scan::Scanner;
use super::{MAX_MEMBERS, SignedError};
use crate::json::lexer::Token;
use crate::json::read::{distinct, string};
use crate::threshold::Signature;

impl Scanner<'_> {
    /// Reads the value of `signatures`.
    ///
    /// A signature that is missing, empty or no hexadecimal is one that does not count, and spoils nothing: ceremonies publish documents
    /// that some have not signed yet, and anybody can add one. What is no list of objects, or has a `keyid` or `sig` that is no string,
    /// is another form of document.
    pub(super) fn signatures(&mut self, levels: usize, limit: usize) -> Result<Vec<Signature>, SignedError> {
        let Token::Array = self.lexer.value()? else { return Err(SignedError::Member("signatures")) };
        let levels = self.lexer.enter(levels)?;
        let mut signatures = Vec::new();
        let mut more = self.lexer.first_item()?;
        while more {
            if signatures.len() == limit {
                return Err(SignedError::TooManySignatures { limit });
            }
            signatures.push(self.signature(levels)?);
            more = self.lexer.next_item()?;
        }
        Ok(signatures)
    }

    fn signature(&mut self, levels: usize) -> Result<Signature, SignedError> {
        let Token::Object = self.lexer.value()? else { return Err(SignedError::Member("signatures")) };
        let levels = self.lexer.enter(levels)?;
        let mut signature = Signature { keyid: None, bytes: Vec::new() };
        let mut names = Vec::new();
        let mut more = self.lexer.first_member()?;
        while more {
            if names.len() == MAX_MEMBERS {
                return Err(SignedError::TooManyMembers);
            }
            let start = self.lexer.at() - 1;
            let name = string(&mut self.lexer)?;
            self.lexer.colon()?;
            match name.as_ref() {
                "keyid" => signature.keyid = Some(self.text_of("keyid")?.into_owned()),
                "sig" => signature.bytes = hexadecimal(&self.text_of("sig")?).unwrap_or_default(),
                _ => self.value(levels)?,
            }
            names.push((name, start));
            more = self.lexer.next_member()?;
        }
        distinct(&names)?;
        Ok(signature)
    }

    fn text_of(&mut self, member: &'static str) -> Result<Cow<'_, str>, SignedError> {
        let Token::String = self.lexer.value()? else { return Err(SignedError::Member(member)) };
        Ok(string(&mut self.lexer)?)
    }
}

/// The bytes of two digits each, of either case.
fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}
