//! Keys that stand for the trust stores of notation.

/// A trust store, and the key of those whose certificates it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NamedKey {
    pub(super) store: String,
    pub(super) path: String,
}

impl NamedKey {
    /// Reads `ca:NAME=PUB`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let known =
            |store: &str| ["ca:", "signingAuthority:"].iter().any(|kind| store.strip_prefix(kind).is_some_and(|name| !name.is_empty()));
        match text.split_once('=') {
            Some((store, path)) if known(store) && !path.is_empty() => Ok(Self { store: store.to_owned(), path: path.to_owned() }),
            _ => Err("it is written ca:NAME=PUB or signingAuthority:NAME=PUB, as `trustStores` has the name".to_owned()),
        }
    }
}
