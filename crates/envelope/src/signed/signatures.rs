//! The list of signatures, which nothing vouches for.

use alloc::vec::Vec;

use super::SignedError;
use crate::json::MAX_DEPTH;
use crate::json::lexer::{Lexer, Token};
use crate::json::read::{distinct, skip, string};
use crate::threshold::Signature;

/// Reads the value of `signatures`.
///
/// A signature that is empty or no hexadecimal is one that does not count, and spoils nothing: ceremonies publish documents in which some
/// have not signed yet, and anybody can add one. What is no list of objects, or has a `keyid` or `sig` that is no string, is another form.
pub(super) fn read(lexer: &mut Lexer<'_>, levels: usize, limit: usize) -> Result<Vec<Signature>, SignedError> {
    let Token::Array = lexer.value()? else { return Err(SignedError::Member("signatures")) };
    let levels = lexer.enter(levels)?;
    let mut signatures = Vec::new();
    let mut more = lexer.first_item()?;
    while more {
        if signatures.len() == limit {
            return Err(SignedError::TooManySignatures { limit });
        }
        signatures.push(signature(lexer, levels)?);
        more = lexer.next_item()?;
    }
    Ok(signatures)
}

fn signature(lexer: &mut Lexer<'_>, levels: usize) -> Result<Signature, SignedError> {
    let Token::Object = lexer.value()? else { return Err(SignedError::Member("signatures")) };
    let levels = lexer.enter(levels)?;
    let mut signature = Signature { keyid: None, bytes: Vec::new() };
    let mut names = Vec::new();
    let mut more = lexer.first_member()?;
    while more {
        let start = lexer.at() - 1;
        let name = string(lexer)?;
        lexer.colon()?;
        match name.as_ref() {
            "keyid" | "sig" => {
                let member = if name == "keyid" { "keyid" } else { "sig" };
                let Token::String = lexer.value()? else { return Err(SignedError::Member(member)) };
                let value = string(lexer)?;
                if member == "keyid" {
                    signature.keyid = Some(value.into_owned());
                } else {
                    signature.bytes = hexadecimal(&value).unwrap_or_default();
                }
            }
            _ => skip(lexer, levels.min(MAX_DEPTH))?,
        }
        names.push((name, start));
        more = lexer.next_member()?;
    }
    distinct(names)?;
    Ok(signature)
}

/// The bytes of two digits each, of either case.
fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}
