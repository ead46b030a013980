//! The index as lines, for programs without a reader of JSON: the C runner. It is made when it is needed, and committed nowhere.
//!
//! `case ID` begins a case. Each line after it is a place in the case, as a JSON pointer, a letter for its type, and its value, in which texts
//! and bytes are hexadecimal after an `x`: `t` a text, `n` a number, `b` the bytes of an input, `f` the path of an input's file, `j` a value as
//! canonical JSON, `l` the length of a list, whose items follow, and `p` the number of members of an object whose names are not known: `/0/name`,
//! `/0/value` and so on.

use std::io::{self, Write};
use std::path::Path;

use touchmark_envelope::canonical::write_unrestricted;
use touchmark_envelope::digest::hex;
use touchmark_envelope::json::Value;

use crate::index;

/// Objects by whose members' names nothing is known.
const PAIRS: [&str; 6] = ["annotations", "parameters", "manifests", "blobs", "referrers", "versions"];
/// What stands there as it is.
const WHOLE: [&str; 1] = ["rule"];

/// Writes the index of `folder` as lines.
///
/// # Errors
/// It cannot be read or written.
pub fn write(folder: &Path, out: &mut impl Write) -> io::Result<()> {
    let text = index::read(folder)?;
    for case in index::cases(&text, folder).map_err(io::Error::other)? {
        writeln!(out, "case {}", case.id())?;
        for (name, value) in case.object().iter() {
            place(&format!("/{name}"), name, value, out)?;
        }
    }
    Ok(())
}

fn place(pointer: &str, name: &str, value: &Value<'_>, out: &mut impl Write) -> io::Result<()> {
    if WHOLE.contains(&name) {
        let canonical = write_unrestricted(value).map_err(io::Error::other)?;
        return writeln!(out, "{pointer} j x{}", hex(&canonical));
    }
    match value {
        Value::String(text) => writeln!(out, "{pointer} t x{}", hex(text.as_bytes())),
        Value::Number(number) => writeln!(out, "{pointer} n {}", number.as_str()),
        Value::Array(items) => {
            writeln!(out, "{pointer} l {}", items.len())?;
            items.iter().enumerate().try_for_each(|(place_of, item)| place(&format!("{pointer}/{place_of}"), "", item, out))
        }
        Value::Object(object) if PAIRS.contains(&name) => {
            writeln!(out, "{pointer} p {}", object.len())?;
            for (number, (name, value)) in object.iter().enumerate() {
                writeln!(out, "{pointer}/{number}/name t x{}", hex(name.as_bytes()))?;
                place(&format!("{pointer}/{number}/value"), "", value, out)?;
            }
            Ok(())
        }
        Value::Object(object) => match object.iter().next() {
            Some(("file", Value::String(path))) if object.len() == 1 => writeln!(out, "{pointer} f x{}", hex(path.as_bytes())),
            Some(("text" | "base64", _)) if object.len() == 1 => {
                let bytes = index::bytes(value, Path::new("")).map_err(io::Error::other)?;
                writeln!(out, "{pointer} b x{}", hex(&bytes))
            }
            _ => object.iter().try_for_each(|(name, value)| place(&format!("{pointer}/{name}"), name, value, out)),
        },
        Value::Bool(_) | Value::Null => Err(io::Error::other(format!("{pointer} is of a type that no case has"))),
    }
}
