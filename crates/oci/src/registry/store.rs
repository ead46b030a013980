//! The registry as a [`Store`].

use std::io::Read;

use touchmark_envelope::Digest;
use touchmark_envelope::digest::Algorithm;
use touchmark_envelope::manifest::Descriptor;

use super::Registry;
use crate::error::Error;
use crate::reference::Repository;
use crate::source::{Attached, RepairReport, Store, Upkeep};

/// How many blobs are sent at the same time.
const WRITERS: usize = 4;

impl Store for Registry {
    fn put_blob(&self, expected: Option<&Descriptor>, content: &mut dyn Read) -> Result<Descriptor, Error> {
        self.write_blob(expected, content)
    }

    fn put_manifest_as(&self, algorithm: Algorithm, bytes: &[u8], media_type: &str, tag: Option<&str>) -> Result<Descriptor, Error> {
        self.write_manifest(algorithm, bytes, media_type, tag)
    }

    fn attach_as(&self, algorithm: Algorithm, manifests: &[&[u8]]) -> Result<Vec<Attached>, Error> {
        self.attach_manifests(algorithm, manifests)
    }

    fn mount(&self, blob: &Descriptor, from: &Repository) -> Result<bool, Error> {
        self.mount_blob(blob, from)
    }

    fn writers(&self) -> usize {
        WRITERS
    }
}

impl Upkeep for Registry {
    fn detach(&self, subject: &Digest, referrer: &Digest) -> Result<(), Error> {
        self.detach_manifest(subject, referrer)
    }

    fn repair(&self, dry_run: bool, subject: Option<&Digest>) -> Result<RepairReport, Error> {
        self.repair_lists(dry_run, subject)
    }
}
