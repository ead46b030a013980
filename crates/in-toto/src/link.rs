//! Links: what a functionary says of one step (in-toto 1.0, 4.4).

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use touchmark_envelope::json::{self, Reader};
use touchmark_envelope::statement;

use crate::artifacts::Artifacts;
use crate::error::{Error, cut};
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
    /// How its digests are compared.
    pub origin: Origin,
}

/// What a link was read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A link of in-toto 1.0: an artifact is another one if all digests of both are equal.
    Link,
    /// A statement: it is if those that both have are ([`Digests::match_as_sets`](crate::Digests::match_as_sets)). So it is too where only one of the two was
    /// read from a statement.
    Statement,
}

impl Origin {
    /// That of two together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        if self == Origin::Statement { self } else { other }
    }
}

/// The type of a predicate that is a link (in-toto attestation framework, predicates/link.md).
pub const PREDICATE_TYPE: &str = "https://in-toto.io/attestation/link/v0.3";

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
            origin: Origin::Link,
        })
    }

    /// Reads a Statement v1 with a link as its predicate: its subjects are the products.
    ///
    /// # Errors
    /// No JSON; another predicate; no subject; a subject or a material without a name or a digest, or two of one name; `name` missing.
    pub(crate) fn read_statement(text: &str) -> Result<Self, Error> {
        let (mut predicate_type, mut products, mut predicate) = (None, None, None);
        let mut reader = Reader::new(text.as_bytes(), text.len())?;
        reader.object::<Error>(|reader, member| {
            match member.as_ref() {
                "predicateType" => predicate_type = Some(within("predicateType", reader.string())?),
                "subject" => products = Some(Artifacts::read_list(reader)?),
                "predicate" => predicate = Some(reader.text()?),
                _ => {
                    reader.text()?;
                }
            }
            Ok(())
        })?;
        reader.end()?;
        match predicate_type.as_deref() {
            Some(PREDICATE_TYPE) => {}
            Some(found) => return Err(Error::Predicate { found: cut(found, 128) }),
            None => return Err(Error::Member("predicateType")),
        }
        let products = products.filter(|products| !products.is_empty()).ok_or(Error::Member("subject"))?;
        let predicate = predicate.ok_or(Error::Member("predicate"))?;
        let (mut name, mut command, mut materials) = (None, Vec::new(), Artifacts::default());
        let mut reader = Reader::new(predicate.as_bytes(), predicate.len())?;
        reader.object::<Error>(|reader, member| {
            match member.as_ref() {
                "name" => name = Some(within("name", reader.string())?.into_owned()),
                "command" => command = words(reader.text()?).ok_or(Error::Member("command"))?,
                "materials" => materials = Artifacts::read_list(reader)?,
                _ => {
                    reader.text()?;
                }
            }
            Ok(())
        })?;
        Ok(Self { name: name.ok_or(Error::Member("name"))?, command, materials, products, origin: Origin::Statement })
    }

    /// Whether the payload of this `_type` is a statement.
    pub(crate) fn is_statement(found: &str) -> bool {
        found == statement::TYPE
    }

    /// Its materials, or its products.
    pub fn artifacts(&self, side: Side) -> &Artifacts {
        match side {
            Side::Materials => &self.materials,
            Side::Products => &self.products,
        }
    }

    /// What all of these report alike (in-toto 1.0, 4.3.1: "report the same results"): the first, if all have the same artifacts with equal
    /// digests; of statements, what they have in common. `None` if they do not agree.
    ///
    /// A digest that not all of them report is vouched for by fewer than all, and left out.
    pub(crate) fn common(all: &[&Arc<Self>]) -> Option<Arc<Self>> {
        let (first, others) = all.split_first()?;
        let origin = others.iter().fold(first.origin, |origin, other| origin.and(other.origin));
        let equal = others.iter().all(|other| other.materials == first.materials && other.products == first.products);
        match (equal, origin) {
            (true, origin) if origin == first.origin => Some(Arc::clone(first)),
            (true, _) => Some(Arc::new(Self { origin, ..Self::clone(first) })),
            (false, Origin::Link) => None,
            (false, Origin::Statement) => {
                let common = |side: Side| Artifacts::common(&all.iter().map(|link| link.artifacts(side)).collect::<Vec<_>>());
                let (materials, products) = (common(Side::Materials)?, common(Side::Products)?);
                Some(Arc::new(Self { name: first.name.clone(), command: first.command.clone(), materials, products, origin }))
            }
        }
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

    const STATEMENT: &str = r#"{"_type":"https://in-toto.io/Statement/v1","predicateType":"https://in-toto.io/attestation/link/v0.3","subject":[{"name":"b","digest":{"sha256":"01"}},{"name":"a","digest":{"sha256":"00"},"uri":"x"}],"predicate":{"name":"s","command":["x"],"materials":[{"name":"m","digest":{"gitCommit":"02"}}],"other":1.5},"x":null}"#;

    #[test]
    fn a_statement_with_a_link_is_one() {
        let link = Link::read_statement(STATEMENT).unwrap();
        assert_eq!((link.name.as_str(), link.command.len(), link.origin), ("s", 1, Origin::Statement));
        assert_eq!(link.products.iter().map(|one| one.name).collect::<Vec<_>>(), ["a", "b"]);
        assert!(link.materials.get("m").is_some());
        let bare = STATEMENT.replace(r#""command":["x"],"materials":[{"name":"m","digest":{"gitCommit":"02"}}],"#, "");
        assert!(Link::read_statement(&bare).unwrap().materials.is_empty());
    }

    #[test]
    fn what_is_no_statement_with_a_link_is_refused() {
        for (from, to) in [
            ("attestation/link/v0.3", "attestation/link/v0.2"),
            (r#""predicateType""#, r#""type""#),
            (r#""name":"s","#, ""),
            (r#""name":"a""#, r#""name":"b""#),
            (r#""name":"a""#, r#""name":"../a""#),
            (r#""name":"a","#, ""),
            (r#""digest":{"sha256":"00"},"#, ""),
            (r#"{"gitCommit":"02"}"#, "{}"),
            (r#""command":["x"]"#, r#""command":"x""#),
            (r#""predicate":{"#, r#""other":{"#),
            (r#"[{"name":"b","digest":{"sha256":"01"}},{"name":"a","digest":{"sha256":"00"},"uri":"x"}]"#, "[]"),
            (r#""x":null"#, r#""predicate":{}"#),
        ] {
            let bad = STATEMENT.replacen(from, to, 1);
            assert_ne!(bad, STATEMENT, "{from}");
            assert!(Link::read_statement(&bad).is_err(), "{to}");
        }
    }
}
