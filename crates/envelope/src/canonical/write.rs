//! Values of our own making to canonical bytes.

use alloc::vec::Vec;

use crate::sorted;

use super::portable::check;
use super::{Error, Place, check_number};
use crate::json::{MAX_DEPTH, Value};

/// The canonical form of `value`, which every known implementation writes with the same bytes.
///
/// # Errors
/// [`Error::NotPortable`] where implementations disagree; a number that canonical JSON does not have; too many levels.
pub fn write(value: &Value<'_>) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    write_value(value, check, MAX_DEPTH, &mut out)?;
    Ok(out)
}

/// The canonical form of `value`, also where other implementations write other bytes.
///
/// It checks what a peer has signed. Whoever signs it signs what some peers may not verify: that is for documents whose texts are the
/// author's, such as names of files, and which are not to be refused for them. What may be refused is signed as [`write()`] writes it.
///
/// # Errors
/// A number that canonical JSON does not have; too many levels.
pub fn write_unrestricted(value: &Value<'_>) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    write_value(value, |_, _| Ok(()), MAX_DEPTH, &mut out)?;
    Ok(out)
}

type Check = fn(&str, Place) -> Result<(), Error>;

fn write_value(value: &Value<'_>, check: Check, levels: usize, out: &mut Vec<u8>) -> Result<(), Error> {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(number) => {
            check_number(number.as_str(), !number.as_str().contains(['.', 'e', 'E']))?;
            out.extend_from_slice(number.as_str().as_bytes());
        }
        Value::String(text) => {
            check(text, Place::Value)?;
            write_string(text, out);
        }
        Value::Array(items) => {
            let levels = levels.checked_sub(1).ok_or(Error::Depth)?;
            out.push(b'[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                write_value(item, check, levels, out)?;
            }
            out.push(b']');
        }
        Value::Object(object) => {
            let levels = levels.checked_sub(1).ok_or(Error::Depth)?;
            let mut members: Vec<_> = object.iter().collect();
            sorted::sort_by(&mut members, |(one, _), (other, _)| one.cmp(other));
            out.push(b'{');
            for (i, (name, value)) in members.into_iter().enumerate() {
                check(name, Place::Name)?;
                if i > 0 {
                    out.push(b',');
                }
                write_string(name, out);
                out.push(b':');
                write_value(value, check, levels, out)?;
            }
            out.push(b'}');
        }
    }
    Ok(())
}

fn write_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for byte in text.bytes() {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parse;

    #[test]
    fn writing_refuses_what_is_not_portable_and_reading_does_not() {
        for document in [r#"{"a b":1}"#, r#"{"a":"cafe\u0301"}"#, r#"[{"\\":1}]"#] {
            let value = parse(document.as_bytes(), 100).expect("valid");
            assert!(matches!(write(&value), Err(Error::NotPortable { .. })), "{document}");
            assert!(write_unrestricted(&value).is_ok(), "{document}");
        }
        let value = parse(r#"{"b":"é\n\"","a":[true,false,null,-1]}"#.as_bytes(), 100).expect("valid");
        assert_eq!(write(&value), Ok("{\"a\":[true,false,null,-1],\"b\":\"é\n\\\"\"}".as_bytes().to_vec()));
    }

    #[test]
    fn writing_is_bounded_in_depth() {
        let nested = |depth| (0..depth).fold(Value::Null, |value, _| Value::from(alloc::vec![value]));
        assert!(write(&nested(MAX_DEPTH)).is_ok());
        assert_eq!(write(&nested(MAX_DEPTH + 1)), Err(Error::Depth));
    }
}
