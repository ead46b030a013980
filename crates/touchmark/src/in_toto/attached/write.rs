//! Attaching a set.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use touchmark_envelope::Digest;
use touchmark_envelope::manifest::{Descriptor, Manifest, ManifestError};
use touchmark_in_toto::attached::{is_path, layer, manifest};
use touchmark_in_toto::{Document, Limits};
use touchmark_oci::Error as StoreError;
use touchmark_oci::files;
use touchmark_oci::source::{Attached, Store, put_empty_config};

use super::{LAYOUT, MAX_FILES};
use crate::in_toto::artifacts::{Recorder, SymbolicLinks};
use crate::in_toto::error::RecordError;

/// How often a file that goes away while it is attached is stored again.
const ATTEMPTS: usize = 8;

/// What is to be attached.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AttachedSet {
    /// Files by their paths in the set.
    pub files: BTreeMap<String, Vec<u8>>,
    /// What is in the folder and is no link.
    pub left_out: Vec<PathBuf>,
}

/// Why nothing was attached.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AttachLinksError {
    /// The folder cannot be read.
    #[error(transparent)]
    Folder(#[from] RecordError),
    /// The store cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file is no signed metadata of in-toto.
    #[error("{}: {error}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: touchmark_in_toto::Error,
    },
    /// There is no link.
    #[error("{}: there is no link in it", path.display())]
    Empty {
        /// The folder.
        path: PathBuf,
    },
    /// More than [`MAX_FILES`] files, or more bytes than verifiers read.
    #[error("{}: has more than {MAX_FILES} links, or more than {limit} bytes of them", path.display())]
    TooMuch {
        /// The folder.
        path: PathBuf,
        /// The limit in bytes.
        limit: u64,
    },
    /// What they are to be attached to is no manifest.
    #[error("{subject} is malformed: {error}")]
    Subject {
        /// Its digest.
        subject: Digest,
        /// What is wrong with it.
        error: ManifestError,
    },
}

/// Reads what is to be attached: every link below `folder`, sublayouts and their folders among them, and the layout in the file `layout`.
/// Each must be metadata of in-toto; whose signatures it has is not looked at.
///
/// # Errors
/// See [`AttachLinksError`].
pub fn attachable(folder: &Path, layout: Option<&Path>) -> Result<AttachedSet, AttachLinksError> {
    let limits = Limits::default();
    let mut set = AttachedSet { files: BTreeMap::new(), left_out: Vec::new() };
    let mut left = limits.files;
    let too_much = || AttachLinksError::TooMuch { path: folder.to_owned(), limit: limits.files };
    let mut take = |name: String, path: &Path| {
        let bytes = files::read(path, limits.file)?.ok_or_else(|| StoreError::Io {
            action: "read",
            path: path.to_owned(),
            source: std::io::ErrorKind::NotFound.into(),
        })?;
        // A bundle has an envelope a line.
        let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
        let documents: Vec<&[u8]> = if name.ends_with(".jsonl") { lines.collect() } else { vec![&bytes] };
        for document in documents {
            let malformed = |error| AttachLinksError::Malformed { path: path.to_owned(), error };
            Document::parse(document.to_vec(), &limits).map_err(malformed)?;
        }
        left = u64::try_from(bytes.len()).ok().and_then(|size| left.checked_sub(size)).ok_or_else(too_much)?;
        set.files.insert(name, bytes);
        if set.files.len() > MAX_FILES { Err(too_much()) } else { Ok(()) }
    };
    for (name, path) in Recorder::new(folder, SymbolicLinks::Within).files(&["."])? {
        if name != LAYOUT && is_path(&name) {
            take(name, &path)?;
        } else {
            set.left_out.push(path);
        }
    }
    if let Some(layout) = layout {
        take(LAYOUT.to_owned(), layout)?;
    }
    if set.files.is_empty() { Err(AttachLinksError::Empty { path: folder.to_owned() }) } else { Ok(set) }
}

/// Attaches a set to the manifest `subject`: the files, then the manifest, listed and read back.
///
/// # Errors
/// The store cannot be read or written, or does not list it; `subject` is no manifest.
pub fn attach_links(store: &dyn Store, subject: &Digest, set: &AttachedSet) -> Result<Attached, AttachLinksError> {
    let bytes = store.manifest(subject, touchmark_trust::Limits::default().manifest)?;
    let read = Manifest::parse(&bytes).map_err(|error| AttachLinksError::Subject { subject: *subject, error })?;
    let descriptor = Descriptor::new(&read.media_type, *subject, u64::try_from(bytes.len()).unwrap_or(u64::MAX));
    let manifest = manifest(&descriptor, &set.files);
    let mut attempt = 1;
    loop {
        put_empty_config(store)?;
        for bytes in set.files.values() {
            store.put_blob(Some(&layer(bytes)), &mut bytes.as_slice())?;
        }
        match store.attach(&manifest) {
            // Someone removed another referrer with one of these files, and the file with it, after it was found to be there.
            Err(StoreError::MissingBlob { .. }) if attempt < ATTEMPTS => attempt += 1,
            attached => return Ok(attached?),
        }
    }
}
