//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use crate::Failure;
use crate::upstream::Upstream;

/// What it serves, to whom, and whom it trusts.
pub(crate) struct Arguments {
    /// Where it listens; a port of 0 is any that is free.
    pub(crate) listen: String,
    /// What stands behind it.
    pub(crate) upstream: Upstream,
    /// The root that is trusted.
    pub(crate) root: Vec<u8>,
    /// The folder or URL of the trust repository.
    pub(crate) trust: String,
    /// Where what was accepted is kept, so that it outlives this process.
    pub(crate) store: Option<PathBuf>,
    /// How long a revocation may take to be noticed.
    pub(crate) fresh_for: Duration,
}

const USAGE: &str = "usage: touchmark-example-rust-registry --root FILE --trust DIR|URL (--layouts DIR | --upstream HOST[:PORT]) [--store DIR] \
                     [--listen ADDRESS] [--fresh-for SECONDS]";

impl Arguments {
    /// Reads them, and the root.
    pub(crate) fn read(mut words: impl Iterator<Item = String>) -> Result<Self, Failure> {
        let (mut root, mut trust, mut upstream, mut store) = (None, None, None, None);
        let (mut listen, mut fresh_for) = ("127.0.0.1:5000".to_owned(), Duration::from_secs(60));
        while let Some(option) = words.next() {
            let value = words.next().ok_or(USAGE)?;
            match option.as_str() {
                "--root" => root = Some(std::fs::read(&value).map_err(|error| format!("{value}: {error}"))?),
                "--trust" => trust = Some(value),
                "--layouts" => upstream = Some(Upstream::Layouts(value.into())),
                "--upstream" => upstream = Some(Upstream::Registry(value)),
                "--store" => store = Some(value.into()),
                "--listen" => listen = value,
                "--fresh-for" => fresh_for = Duration::from_secs(value.parse()?),
                _ => return Err(USAGE.into()),
            }
        }
        match (root, trust, upstream) {
            (Some(root), Some(trust), Some(upstream)) => Ok(Self { listen, upstream, root, trust, store, fresh_for }),
            _ => Err(USAGE.into()),
        }
    }
}
