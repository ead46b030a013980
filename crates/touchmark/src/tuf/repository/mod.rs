//! Trust repositories: TUF repositories in a folder, edited, signed by several people, and published (features `tuf` and `sign`).
//!
//! A repository is a folder:
//! - `metadata/` and `targets/` are what is published: plain TUF folders with consistent snapshots, which any web server serves.
//! - `staged/` holds the next documents of roles, each in a file of the role's name, with the signatures collected so far. They are plain
//!   TUF documents too: they can be mailed, or committed, and signed on any machine.
//! - `settings.json` says how long documents live. No key is kept anywhere here.
//!
//! Every change is staged. [`Repository::to_sign`] says what whoever has a key is about to sign, and [`Repository::sign_these`] adds the
//! signatures, under a lock and to what is there then, so that nobody's are lost; [`Repository::sign`] does both. A [`LoneDocument`] is signed
//! where its repository is not.
//! [`Repository::publish`] makes snapshot and timestamp, runs a client over the outcome first, and writes `timestamp.json` last: whenever
//! it is interrupted, clients go on with what was published before, and the next run completes it.
//!
//! ```no_run
//! use std::collections::BTreeMap;
//! use touchmark::envelope::sign::Signer;
//! use touchmark::keys::{DEFAULT_TIMEOUT, KeySource, Passphrases};
//! use touchmark::tuf::repository::{Lifetimes, Publish, Repository};
//! use touchmark::tuf::{edit::Appointment, metadata::TopLevel};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let now = touchmark::now()?;
//! let key = KeySource::File("key".into()).signer(&mut Passphrases::none(), DEFAULT_TIMEOUT)?;
//! let signers = Appointment { keys: vec![key.public_key().clone()], threshold: 1 };
//! let roles = TopLevel::ALL.into_iter().map(|role| (role, signers.clone())).collect();
//! let repository = Repository::create("trust".as_ref(), Lifetimes::default(), &roles, now)?;
//! let signers = [key];
//! repository.sign(&signers, None, now)?;
//! repository.publish(&signers, Publish::default(), now)?;
//! # Ok(())
//! # }
//! ```

mod alone;
mod bins;
mod change;
mod error;
mod gather;
mod input;
mod late;
mod legacy;
mod made;
mod names;
mod open;
mod outlook;
mod publish;
mod pull;
mod rehearsal;
mod report;
mod router;
mod settings;
mod sign;
mod state;

pub use self::alone::{LoneDocument, SignedAlone};
pub use self::change::Delegate;
pub use self::error::{Class, RepositoryError};
pub use self::gather::Gathered;
pub use self::input::{FilesBelow, assert_no_private_key, files_below, read_list, read_removals};
pub use self::names::{Listed, Publisher};
pub use self::open::Repository;
pub use self::outlook::Outlook;
pub use self::publish::{Publish, Published, PublishedRole, Scope};
pub use self::pull::Pulled;
pub use self::report::{Report, RoleReport, Side};
pub use self::settings::Lifetimes;
pub use self::sign::{SignedRole, ToSign};
