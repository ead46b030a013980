//! The Update Framework over folders and HTTP: the client of [`touchmark_tuf`] with a [local store](MetadataStore), [sources](Fetch) of
//! metadata and targets, and drivers, blocking and (feature `async`) asynchronous, also over several repositories that must agree
//! ([`Repositories`]). None of them decides anything.
//!
//! ```
//! use touchmark::tuf::{self, Downloads, MetadataStore, Settings, TargetPath, Updater};
//! # use touchmark_test_tuf_repository::{NOW, Repository};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = std::env::temp_dir().join(format!("touchmark-tuf-example-{}", std::process::id()));
//! # let mut repository = Repository::new();
//! # repository.add_target("targets", "app/tool.tar", b"content");
//! # repository.publish();
//! # repository.write_to(&folder.join("repository"))?;
//! # let trusted_root = repository.file("1.root.json").to_vec();
//! # let (metadata, targets) = (folder.join("repository/metadata"), folder.join("repository/targets"));
//! # let (metadata, targets) = (metadata.to_str().unwrap(), targets.to_str().unwrap());
//! # let (store, downloads) = (folder.join("store"), folder.join("downloads"));
//! # let now = touchmark::UnixTime::from_seconds(NOW).unwrap();
//! // Once: the root that came with the program.
//! let store = MetadataStore::init(store, &trusted_root)?;
//! // Then as often as wanted. Sources are folders or, as here would be fine too, `https://` URLs.
//! let access = touchmark::oci::Access::default();
//! let source = tuf::source(metadata, &access)?;
//! let mut updater = Updater::refresh(Settings::default(), now, source.as_ref(), &store)?;
//! let target = TargetPath::new("app/tool.tar")?;
//! let found = updater.target(source.as_ref(), &target)?;
//! let consistent = updater.has_consistent_snapshots();
//! drop(updater); // others may update now
//! let source = tuf::source(targets, &access)?;
//! let mut downloads = Downloads::begin(downloads, &store)?;
//! let downloaded = downloads.fetch(source.as_ref(), &target, &found.target, consistent)?;
//! assert_eq!(std::fs::read(downloaded.path)?, b"content");
//! # std::fs::remove_dir_all(folder)?;
//! # Ok(())
//! # }
//! ```

mod agreement;
mod download;
mod downloads;
mod error;
mod fetch;
mod folder;
#[cfg(feature = "registry")]
mod http;
#[cfg(feature = "sign")]
pub mod repository;
mod store;
#[cfg(test)]
pub(crate) mod testing;
mod updater;
#[cfg(feature = "async")]
mod updater_async;

pub use touchmark_tuf::{
    Answer, Class, Client, Error, Failure, Found, Index, Key, Limits, LookUp, Mode, RoleName, Settings, Shape, Step, Succinct, TargetPath,
    TargetPathError, map, metadata, pattern,
};

#[cfg(feature = "sign")]
pub use touchmark_tuf::repository as edit;

pub use agreement::{Agreeing, Agreement, Repositories, Silent};
pub use download::Downloaded;
pub(crate) use download::{check_bytes, fetch_bytes};
#[cfg(feature = "async")]
pub(crate) use download::{refused, target_paths};
pub use downloads::{Downloads, MAX_TARGET};
pub use error::{UpdateClass, UpdateError};
pub use fetch::{Fetch, source};
pub use folder::FolderSource;
#[cfg(feature = "registry")]
pub use http::HttpSource;
pub use store::MetadataStore;
pub(crate) use updater::fetched;
pub use updater::{UpdateSettings, Updater};
#[cfg(feature = "async")]
pub use updater_async::AsyncFetch;
