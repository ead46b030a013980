//! Links: what a functionary says of one step (in-toto 1.0, 4.4).

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use touchmark_envelope::json::{self, Reader};

use crate::artifacts::Artifacts;
use crate::error::Error;
use crate::rule::Side;

/// What a step, a sublayout or an inspection began and ended with.
///
/// Byproducts and the environment are read as strictly as the rest and not kept: nothing is decided by them (in-toto 1.0, 4.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The name of the step.
    pub name: String,
    /// The command as it was run.
    pub command: Vec<String>,
    /// What was there before.
    pub materials: Artifacts,
    /// What was there after.
    pub products: Artifacts,
}

impl Link {
    /// Reads what is signed in a link.
    ///
    /// # Errors
    /// No JSON; `name`, `materials` or `products` missing or malformed; another `_type`.
    pub(crate) fn read(text: &str) -> Result<Self, Error> {
        let (mut name, mut command, mut materials, mut products) = (None, Vec::new(), None, None);
        let mut reader = Reader::new(text.as_bytes(), text.len())?;
        reader.object::<Error>(|reader, member| {
            match member.as_ref() {
                "name" => name = Some(within("name", reader.string())?.into_owned()),
                "command" => command = words(reader.text()?).ok_or(Error::Member("command"))?,
                "materials" => materials = Some(Artifacts::read(reader)?),
                "products" => products = Some(Artifacts::read(reader)?),
                _ => {
                    reader.text()?;
                }
            }
            Ok(())
        })?;
        reader.end()?;
        Ok(Self {
            name: name.ok_or(Error::Member("name"))?,
            command,
            materials: materials.ok_or(Error::Member("materials"))?,
            products: products.ok_or(Error::Member("products"))?,
        })
    }

    /// Its materials, or its products.
    pub fn artifacts(&self, side: Side) -> &Artifacts {
        match side {
            Side::Materials => &self.materials,
            Side::Products => &self.products,
        }
    }

    /// Whether both began and ended with the same (in-toto 1.0, 4.3.1: "report the same results").
    pub fn agrees(&self, other: &Self) -> bool {
        self.materials == other.materials && self.products == other.products
    }
}

/// A list of strings, or `null`, which Go writes for an empty one.
fn words(text: &str) -> Option<Vec<String>> {
    let value = json::parse_bounded(text.as_bytes(), text.len(), MAX_WORDS).ok()?;
    match &value {
        json::Value::Null => Some(Vec::new()),
        value => value.as_array()?.iter().map(|word| word.as_str().map(ToOwned::to_owned)).collect(),
    }
}

/// Words of a command.
const MAX_WORDS: usize = 1 << 16;

fn within<T>(member: &'static str, read: Result<T, json::Error>) -> Result<T, Error> {
    read.map_err(|error| match error.kind {
        json::Kind::Unexpected(_) => Error::Member(member),
        _ => Error::Json(error),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_read_whoever_wrote_it() {
        for text in [
            // The reference implementation.
            r#"{"_type":"link","byproducts":{"return-value":0,"stderr":"","stdout":""},"command":["vi","a"],"environment":{},"materials":{},"name":"s","products":{"a":{"sha256":"00"}}}"#,
            // in-toto-golang, and members that are not known.
            r#"{"_type":"link","name":"s","materials":{},"products":{"a":{"sha256":"00"}},"byproducts":{},"command":["vi","a"],"environment":{},"x":[1.5]}"#,
        ] {
            let link = Link::read(text).unwrap();
            assert_eq!(
                (link.name.as_str(), link.command.as_slice(), link.materials.len()),
                ("s", &["vi".to_owned(), "a".to_owned()][..], 0)
            );
            assert!(link.products.get("a").is_some());
        }
        assert_eq!(Link::read(r#"{"command":null,"name":"s","materials":{},"products":{}}"#).unwrap().command, [""; 0]);
    }

    #[test]
    fn what_is_no_link_is_refused() {
        for (text, member) in [
            (r#"{"materials":{},"products":{}}"#, "name"),
            (r#"{"name":1,"materials":{},"products":{}}"#, "name"),
            (r#"{"name":"s","products":{}}"#, "materials"),
            (r#"{"name":"s","materials":{}}"#, "products"),
            (r#"{"name":"s","command":"vi","materials":{},"products":{}}"#, "command"),
            (r#"{"name":"s","command":[1],"materials":{},"products":{}}"#, "command"),
        ] {
            assert_eq!(Link::read(text), Err(Error::Member(member)), "{text}");
        }
        for text in [
            "",
            "[]",
            r#"{"name":"s","materials":[],"products":{}}"#,
            r#"{"name":"s","materials":null,"products":{}}"#,
            r#"{"name":"s","name":"s","materials":{},"products":{}}"#,
            r#"{"name":"s","materials":{},"products":{}} {}"#,
        ] {
            assert!(matches!(Link::read(text), Err(Error::Json(_))), "{text}");
        }
    }
}
