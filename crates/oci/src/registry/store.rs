//! The registry as a [`Store`].

use std::io::Read;

use touchmark_envelope::Digest;
use touchmark_envelope::digest::Algorithm;
use touchmark_envelope::manifest::Descriptor;

use super::Registry;
use crate::error::Error;
use crate::source::{Attached, RepairReport, Source, Store};

impl Registry {
    fn unavailable<T>(&self) -> Result<T, Error> {
        let _ = self.anchors;
        Err(Error::Connection { url: self.location(), reason: "not connected".to_owned() })
    }
}

impl Store for Registry {
    fn put_blob(&self, _expected: Option<&Descriptor>, _content: &mut dyn Read) -> Result<Descriptor, Error> {
        self.unavailable()
    }

    fn put_manifest_as(&self, _algorithm: Algorithm, _bytes: &[u8], _media_type: &str, _tag: Option<&str>) -> Result<Descriptor, Error> {
        self.unavailable()
    }

    fn attach_as(&self, _algorithm: Algorithm, _manifests: &[&[u8]]) -> Result<Vec<Attached>, Error> {
        self.unavailable()
    }

    fn detach(&self, _subject: &Digest, _referrer: &Digest) -> Result<(), Error> {
        self.unavailable()
    }

    fn repair(&self, _dry_run: bool, _subject: Option<&Digest>) -> Result<RepairReport, Error> {
        self.unavailable()
    }
}
