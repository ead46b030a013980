//! Where metadata and targets come from.

use std::io::{Cursor, Read};
use std::time::Instant;

use touchmark_oci::access::Access;
use touchmark_tuf::Failure;

use super::error::UpdateError;
use super::folder::FolderSource;

/// A place that metadata or targets are fetched from. Nothing that it returns is trusted.
///
/// A path is relative to the place: segments, separated by `/` and percent-encoded, none of which is empty, `.` or `..`.
pub trait Fetch {
    /// The whole file at `path`, which has at most `limit` bytes; `None` only if the place says that there is none.
    ///
    /// # Errors
    /// It has more bytes, or could not be had.
    fn fetch(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, Failure>;

    /// As [`fetch`](Self::fetch), which `until` then has come to an end, whatever the place does. Unless it says otherwise it needs none.
    ///
    /// # Errors
    /// As for `fetch`; the time is over.
    fn fetch_until(&self, path: &str, limit: u64, until: Option<Instant>) -> Result<Option<Vec<u8>>, Failure> {
        let _ = until;
        self.fetch(path, limit)
    }

    /// The same file as it comes. It is given up if it is known to have more than `limit` bytes; the reader may give more.
    ///
    /// # Errors
    /// As for [`fetch`](Self::fetch).
    fn read(&self, path: &str, limit: u64) -> Result<Option<Box<dyn Read + '_>>, Failure> {
        Ok(match self.fetch(path, limit)? {
            Some(bytes) => Some(Box::new(Cursor::new(bytes))),
            None => None,
        })
    }

    /// What messages call the place.
    fn location(&self) -> String;
}

/// The source that `text` names: `http://` or `https://`, with or without a `/` at its end, a `file://` URL, or the path of a folder.
/// `access` says how a server is reached.
///
/// # Errors
/// It is none of them, or a certificate or a key cannot be read. Whether something is there shows when it is fetched.
pub fn source(text: &str, access: &Access) -> Result<Box<dyn Fetch>, UpdateError> {
    let Some((scheme, rest)) = text.split_once("://") else { return Ok(Box::new(FolderSource::new(text))) };
    // The rest may hold secrets.
    let unknown = || UpdateError::NoSource { scheme: scheme.to_owned() };
    match scheme.to_ascii_lowercase().as_str() {
        #[cfg(feature = "registry")]
        "http" | "https" => Ok(Box::new(super::http::HttpSource::new(text, access)?)),
        // RFC 8089, 2: without a host, or with this one.
        "file" => {
            let _ = access;
            let path = rest.strip_prefix("localhost").unwrap_or(rest);
            let path = super::folder::decoded(path).filter(|path| path.starts_with('/')).ok_or_else(unknown)?;
            Ok(Box::new(FolderSource::new(path)))
        }
        _ => Err(unknown()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tuf::UpdateClass;

    fn location(text: &str) -> Result<String, UpdateError> {
        source(text, &Access::default()).map(|source| source.location())
    }

    #[test]
    fn a_text_names_a_folder_or_a_server() {
        for (text, expected) in [
            ("folder/below", "folder/below"),
            ("file:///a%20b/c/", "/a b/c/"),
            ("FILE://localhost/a", "/a"),
            #[cfg(feature = "registry")]
            ("HTTP://Host:8080/repo", "http://host:8080/repo"),
            #[cfg(feature = "registry")]
            ("https://host/repo/", "https://host/repo/"),
        ] {
            assert_eq!(location(text).unwrap(), expected);
        }
    }

    #[test]
    fn what_is_neither_is_refused_without_its_secrets() {
        for text in
            ["ftp://user:hunter2@host/", "file://host/x?hunter2", "file://relative#hunter2", "https://h/?hunter2", "http://hunter2@h"]
        {
            let error = location(text).unwrap_err();
            assert_eq!(error.class(), UpdateClass::Usage, "{text}");
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
        }
    }
}
