//! JSON pointers (RFC 6901).

use alloc::borrow::{Cow, ToOwned};
use alloc::string::String;
use alloc::vec::Vec;

use touchmark_envelope::json::{MAX_DEPTH, Value};

use crate::work::{OutOfWork, Work};

/// Where a value is looked for, from another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pointer {
    text: String,
    parts: Vec<String>,
}

impl Pointer {
    /// Reads a pointer. `None` if it does not begin with a slash, has a `~` that is none of `~0` and `~1`, or leads deeper than values go.
    pub(super) fn new(text: &str) -> Option<Self> {
        let parts = match text {
            "" => Vec::new(),
            text => text.strip_prefix('/')?.split('/').map(unescaped).collect::<Option<_>>()?,
        };
        (parts.len() <= MAX_DEPTH).then(|| Self { text: text.to_owned(), parts })
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// What it leads to from `value`, if there is something. Looking a member up costs as much as the object has members.
    pub(super) fn find<'a>(&self, value: &'a Value<'a>, work: &mut Work) -> Result<Option<&'a Value<'a>>, OutOfWork> {
        let mut at = value;
        for part in &self.parts {
            let next = match at {
                Value::Object(object) => {
                    work.spend(u64::try_from(object.len()).unwrap_or(u64::MAX))?;
                    object.get(part)
                }
                Value::Array(items) => {
                    work.spend(1)?;
                    index(part).and_then(|index| items.get(index))
                }
                _ => None,
            };
            match next {
                Some(next) => at = next,
                None => return Ok(None),
            }
        }
        Ok(Some(at))
    }
}

/// The place in a list that `part` names: digits without a zero before them.
fn index(part: &str) -> Option<usize> {
    let plain = part == "0" || !part.starts_with('0');
    part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse().ok().filter(|_| plain)).flatten()
}

/// A part as it is meant.
fn unescaped(part: &str) -> Option<String> {
    let mut pieces = part.split('~');
    let mut out = pieces.next()?.to_owned();
    for piece in pieces {
        let (character, rest) = match piece.strip_prefix('0') {
            Some(rest) => ('~', rest),
            None => ('/', piece.strip_prefix('1')?),
        };
        out.push(character);
        out.push_str(rest);
    }
    Some(out)
}

/// A part as it is written.
pub(super) fn escaped(part: &str) -> Cow<'_, str> {
    if part.contains(['~', '/']) { Cow::Owned(part.replace('~', "~0").replace('/', "~1")) } else { Cow::Borrowed(part) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use touchmark_envelope::json::parse;

    /// The examples of RFC 6901, section 5.
    #[test]
    fn pointers_lead_where_they_say() {
        let text = r#"{"foo":["bar","baz"],"":0,"a/b":1,"c%d":2," ":7,"m~n":8,"~1":9,"x":[0,1,2,3,4,5,6,7,8,9,10]}"#;
        let value = parse(text.as_bytes(), 1000).unwrap();
        let find = |pointer: &str| Pointer::new(pointer).unwrap().find(&value, &mut Work::new(100)).unwrap();
        assert_eq!(find(""), Some(&value));
        for (pointer, found) in
            [("/foo/0", "\"bar\""), ("/", "0"), ("/a~1b", "1"), ("/c%d", "2"), ("/ ", "7"), ("/m~0n", "8"), ("/~01", "9"), ("/x/10", "10")]
        {
            assert_eq!(find(pointer).map(Value::to_vec), Some(found.as_bytes().to_vec()), "{pointer}");
        }
        for pointer in
            ["/foo/2", "/foo/-", "/foo/00", "/foo/01", "/foo/+1", "/foo/", "/foo/0/0", "/bar", "/a/b", "//", "/x/99999999999999999999"]
        {
            assert_eq!(find(pointer), None, "{pointer}");
        }
        assert_eq!(escaped("a/~b"), "a~1~0b");
    }

    #[test]
    fn what_is_no_pointer_is_refused() {
        for text in ["a", "a/b", "#/a", "/~", "/~2", "/a~", &"/a".repeat(MAX_DEPTH + 1)] {
            assert!(Pointer::new(text).is_none(), "{text}");
        }
        assert!(Pointer::new(&"/a".repeat(MAX_DEPTH)).is_some());
    }
}
