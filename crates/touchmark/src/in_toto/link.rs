//! Links that are made here.

use touchmark_envelope::canonical;
use touchmark_envelope::json::Value;
use touchmark_envelope::key::PublicKey;
use touchmark_in_toto::Artifacts;

use super::sign::keyid;

/// What a step reports beside its artifacts. Nothing is decided by it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Byproducts {
    /// What its command returned, if it had one.
    pub return_value: Option<i32>,
}

/// A link (in-toto 1.0, 4.4), with the members that the reference implementation writes, in the order of canonical JSON. Its command, if
/// it had one, is not said to have printed anything: what it printed may be secret.
pub fn link(step: &str, command: &[String], materials: &Artifacts, products: &Artifacts, byproducts: &Byproducts) -> Value<'static> {
    let streams = byproducts.return_value.map(|value| {
        let empty = || Value::from(String::new());
        Value::object([("return-value", Value::from(i64::from(value))), ("stderr", empty()), ("stdout", empty())])
    });
    Value::object([
        ("_type", Value::from("link")),
        ("byproducts", streams.unwrap_or_else(|| Value::object::<&str, Value<'_>>([]))),
        ("command", Value::from(command.iter().cloned().map(Value::from).collect::<Vec<_>>())),
        ("environment", Value::object::<&str, Value<'_>>([])),
        ("materials", artifacts(materials)),
        ("name", Value::from(step.to_owned())),
        ("products", artifacts(products)),
    ])
}

fn artifacts(artifacts: &Artifacts) -> Value<'static> {
    Value::object(artifacts.iter().map(|artifact| {
        let digests = artifact.digests.iter().map(|(algorithm, digest)| (algorithm.to_string(), Value::from(digest.to_string())));
        (artifact.name.to_owned(), Value::object(digests))
    }))
}

/// The name of the file in which verifiers look for the link of a step by a key: with the first 8 characters of the
/// [keyid](super::keyid()).
///
/// # Errors
/// None: every KEY object has a canonical form.
pub fn link_file(step: &str, key: &PublicKey) -> Result<String, canonical::Error> {
    let keyid = keyid(key)?;
    Ok(format!("{step}.{}.link", keyid.get(..8).unwrap_or(&keyid)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::in_toto::{Envelopes, sign};
    use touchmark_envelope::key::KeyAlgorithm;
    use touchmark_envelope::sign::{PrivateKey, Signer};
    use touchmark_in_toto::{Document, Limits};

    #[test]
    fn a_link_is_read_as_it_was_written_in_either_envelope() {
        let artifact = |name| Artifacts::new([(name, [("sha256", "00ff")])]).unwrap();
        let (materials, products) = (artifact("a\n\\\"é"), artifact("b"));
        let value = link("build", &["make".into(), "x y".into()], &materials, &products, &Byproducts { return_value: Some(0) });
        let signer: Box<dyn Signer> = Box::new(PrivateKey::from_raw(KeyAlgorithm::Ed25519, &[1; 32]).unwrap());
        for envelope in [Envelopes::Dsse, Envelopes::Legacy] {
            let signed = sign(&value, envelope, std::slice::from_ref(&signer)).unwrap();
            let read = Document::parse(signed.bytes, &Limits::default()).unwrap().untrusted().link().unwrap();
            assert_eq!((read.name.as_str(), read.command.as_slice()), ("build", &["make".to_owned(), "x y".to_owned()][..]));
            assert!(read.materials == materials && read.products == products);
        }
    }
}
