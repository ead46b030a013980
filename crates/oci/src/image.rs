//! Makes a container image that runs one program (SPEC.md, section 17.3; OCI image spec, "Image Configuration", "Image Layer
//! Filesystem Changeset").

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use touchmark_envelope::json::{Object, Value};
use touchmark_envelope::manifest::{Descriptor, IMAGE_MANIFEST, Platform};

use crate::archive::header::{self, BLOCK};
use crate::error::Error;
use crate::pack::{self, About, Watched};
use crate::source::Store;

/// The media type of an image's config.
pub const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// The media type of a layer that is a tar, not compressed.
pub const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

/// Packs `files` into an image for `platform` with one layer, a tar that has each file at the root under its own name, in the order
/// given. The first is the program that the image runs. Files belong to root and are as executable as they are here; neither the
/// layer nor the config has times or paths: the same files make the same digest. `progress` is told from time to time how many bytes
/// were read, of how many.
///
/// # Errors
/// As [`pack::pack`]; besides a file that is no regular file, a program that cannot be executed, a file that changes while it is read.
pub fn image(
    files: &[PathBuf],
    platform: &Platform,
    to: &dyn Store,
    about: &About,
    tag: Option<&str>,
    progress: &dyn Fn(u64, u64),
) -> Result<Descriptor, Error> {
    let (inputs, total) = pack::inputs(files)?;
    let program = inputs.first().map(|(_, title)| format!("/{title}")).unwrap_or_default();
    let mut layer = Parts::default();
    let mut done = 0_u64;
    for (place, (path, title)) in inputs.into_iter().enumerate() {
        let refused = |reason| Error::Input { path: path.clone(), reason };
        let metadata = std::fs::metadata(path).map_err(|error| Error::reading(path, error))?;
        if !metadata.is_file() {
            return Err(refused("it is no regular file, and how long it is must be known first"));
        }
        let executable = is_executable(&metadata);
        if place == 0 && !executable {
            return Err(refused("the first file is the program that the image runs, and it cannot be executed"));
        }
        let size = metadata.len();
        layer.push(io::Cursor::new(header::file(&title, size, if executable { 0o755 } else { 0o644 })));
        layer.push(Exactly { path, left: size, done, total, progress, file: None });
        layer.push(padding(size));
        done = done.saturating_add(size);
    }
    // Two blocks of zeros end an archive.
    layer.push(io::repeat(0).take(2 * block()));
    let layer = to.put_blob(None, &mut layer)?;
    let layer = Descriptor { media_type: LAYER.to_owned(), ..layer };
    let config = config(platform, &program, &layer);
    let stored = to.put_blob(None, &mut config.as_slice())?;
    let mut manifest = pack::head(IMAGE_MANIFEST);
    manifest.insert("config", Descriptor { media_type: CONFIG.to_owned(), ..stored }.to_json());
    manifest.insert("layers", vec![layer.to_json()]);
    pack::finish(manifest, IMAGE_MANIFEST, to, about, tag)
}

/// The config: what the image is for, what it runs, and the digest of its layer, which is not compressed and so is the one of its tar.
fn config(platform: &Platform, program: &str, layer: &Descriptor) -> Vec<u8> {
    let mut run = Object::new();
    run.insert("Entrypoint", vec![Value::from(program.to_owned())]);
    let mut rootfs = Object::new();
    rootfs.insert("type", "layers");
    rootfs.insert("diff_ids", vec![Value::from(layer.digest.to_string())]);
    let mut config = Object::new();
    config.insert("architecture", platform.architecture.as_str());
    config.insert("os", platform.os.as_str());
    if let Some(variant) = &platform.variant {
        config.insert("variant", variant.as_str());
    }
    config.insert("config", run);
    config.insert("rootfs", rootfs);
    Value::from(config).to_vec()
}

/// What fills the last block of a member's content.
fn padding(size: u64) -> io::Take<io::Repeat> {
    let over = size % block();
    io::repeat(0).take(if over == 0 { 0 } else { block() - over })
}

fn block() -> u64 {
    u64::try_from(BLOCK).unwrap_or(512)
}

#[cfg(unix)]
fn is_executable(metadata: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o100 != 0
}

/// Elsewhere files do not say so.
#[cfg(not(unix))]
fn is_executable(_: &std::fs::Metadata) -> bool {
    true
}

/// One reader after another; no deeper with many of them.
#[derive(Default)]
struct Parts<'a>(VecDeque<Box<dyn Read + 'a>>);

impl<'a> Parts<'a> {
    fn push(&mut self, part: impl Read + 'a) {
        self.0.push_back(Box::new(part));
    }
}

impl Read for Parts<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(part) = self.0.front_mut() {
            let count = part.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            self.0.pop_front();
        }
        Ok(0)
    }
}

/// A file that has as many bytes as its header says, or fails. It is opened when it is its turn, so that one is open at a time.
struct Exactly<'a> {
    path: &'a Path,
    left: u64,
    done: u64,
    total: u64,
    progress: &'a dyn Fn(u64, u64),
    file: Option<Watched<'a>>,
}

impl Read for Exactly<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let file = match &mut self.file {
            Some(file) => file,
            none => {
                let file = File::open(self.path).map_err(|error| io::Error::other(Error::reading(self.path, error)))?;
                none.insert(Watched { file, done: self.done, total: self.total, progress: self.progress })
            }
        };
        // One byte more than is left, which shows a file that grew.
        let room = usize::try_from(self.left.saturating_add(1)).unwrap_or(usize::MAX).min(buffer.len());
        let count = file.read(buffer.get_mut(..room).unwrap_or_default())?;
        let read = u64::try_from(count).unwrap_or(u64::MAX);
        if read > self.left || (count == 0 && room > 0 && self.left > 0) {
            let changed = io::Error::new(io::ErrorKind::InvalidData, "it changed while it was read");
            return Err(io::Error::other(Error::reading(self.path, changed)));
        }
        self.left -= read;
        Ok(count)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::testing::Folder;

    /// What is read of a file of five bytes whose header says `size`.
    fn read(size: u64) -> Result<Vec<u8>, String> {
        let folder = Folder::new();
        let path = folder.path("file");
        std::fs::write(&path, b"12345").unwrap();
        let mut content = Exactly { path: &path, left: size, done: 0, total: 5, progress: &|_, _| {}, file: None };
        let mut bytes = Vec::new();
        content.read_to_end(&mut bytes).map(|_| bytes).map_err(|error| error.to_string())
    }

    #[test]
    fn a_file_that_changed_its_length_is_refused() {
        assert_eq!(read(5).unwrap(), b"12345");
        for size in [0, 4, 6, u64::MAX] {
            let error = read(size).unwrap_err();
            assert!(error.contains("file") && error.contains("changed"), "{size}: {error}");
        }
    }

    #[test]
    fn content_fills_whole_blocks() {
        for (size, fill) in [(0, 0), (1, 511), (511, 1), (512, 0), (513, 511)] {
            assert_eq!(padding(size).limit(), fill, "{size}");
        }
    }
}
