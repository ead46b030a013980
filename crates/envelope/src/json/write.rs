//! [`Value`] to bytes. This is plain JSON; for what is hashed or signed see [`canonical`](crate::canonical).

use alloc::vec::Vec;

use super::value::Value;

impl Value<'_> {
    /// The document without white space, members in their order, numbers as their text (RFC 8259).
    pub fn to_vec(&self) -> Vec<u8> {
        let mut out = Vec::new();
        write(self, None, &mut out);
        out
    }

    /// The document for people: indented by two spaces, without a newline at the end.
    pub fn to_pretty(&self) -> Vec<u8> {
        let mut out = Vec::new();
        write(self, Some(0), &mut out);
        out
    }
}

/// Writes `value`; `level` is the indentation of the line that it begins on, or `None` for no lines at all.
fn write(value: &Value<'_>, level: Option<usize>, out: &mut Vec<u8>) {
    let inner = level.map(|level| level + 1);
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(number) => out.extend_from_slice(number.as_str().as_bytes()),
        Value::String(text) => write_string(text, out),
        Value::Array(items) if items.is_empty() => out.extend_from_slice(b"[]"),
        Value::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                out.push(if i == 0 { b'[' } else { b',' });
                line(inner, out);
                write(item, inner, out);
            }
            line(level, out);
            out.push(b']');
        }
        Value::Object(object) if object.is_empty() => out.extend_from_slice(b"{}"),
        Value::Object(object) => {
            for (i, (name, value)) in object.iter().enumerate() {
                out.push(if i == 0 { b'{' } else { b',' });
                line(inner, out);
                write_string(name, out);
                out.extend_from_slice(if inner.is_some() { b": " } else { b":" });
                write(value, inner, out);
            }
            line(level, out);
            out.push(b'}');
        }
    }
}

fn line(level: Option<usize>, out: &mut Vec<u8>) {
    if let Some(level) = level {
        out.push(b'\n');
        out.extend(core::iter::repeat_n(b' ', level * 2));
    }
}

/// RFC 8259, section 7: quotation mark, reverse solidus and control characters are escaped.
fn write_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0..0x20 => {
                out.extend_from_slice(b"\\u");
                out.extend_from_slice(crate::digest::hex(&[0, byte]).as_bytes());
            }
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use crate::json::{Value, parse};

    const COMPACT: &str = r#"{"a":[1.50,-0,{"b":"\"\\\u0000\u001f\n\r\té😀/"},[],{}],"":null,"c":true,"d":false}"#;
    const PRETTY: &str = r#"{
  "a": [
    1.50,
    -0,
    {
      "b": "\"\\\u0000\u001f\n\r\té😀/"
    },
    [],
    {}
  ],
  "": null,
  "c": true,
  "d": false
}"#;

    #[test]
    fn documents_are_written_as_they_were_read() {
        let value = parse(PRETTY.as_bytes(), 1000).expect("valid");
        assert_eq!(value, parse(COMPACT.as_bytes(), 1000).expect("valid"));
        assert_eq!(value.to_vec(), COMPACT.as_bytes());
        assert_eq!(value.to_pretty(), PRETTY.as_bytes());
    }

    #[test]
    fn every_character_survives() {
        for character in ('\0'..=char::MAX).step_by(7).chain('\0'..='\u{ff}') {
            let value = Value::from(alloc::string::String::from(character));
            assert_eq!(parse(&value.to_vec(), 100).expect("valid"), value);
        }
    }
}
