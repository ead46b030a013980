//! Policy files (SPEC.md, "Policy"): whom to trust for which artifacts, read from a file with everything that it names, and asked about
//! artifacts; with the policy that a trust repository signs itself, which must accept them too.
//!
//! ```no_run
//! use touchmark::policy::PolicyFile;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // The user's or the machine's; `PolicyFile::open` reads another one.
//! let policy = PolicyFile::configured()?.ok_or("no policy")?;
//! let reference = "registry.example/acme/tool:1.2.0".parse()?;
//! let accepted = policy.verify(&*touchmark::open(&reference)?, &reference, touchmark::now()?)?;
//! println!("{}", accepted.artifact.get().descriptor().digest);
//! # Ok(())
//! # }
//! ```

use std::io::Read as _;
use std::path::{Path, PathBuf};

use touchmark_envelope::UnixTime;
use touchmark_oci::reference::Reference;
use touchmark_oci::source::Source;
use touchmark_trust::rules::{MAX_BYTES, Origin, PolicyDocument};

mod anchor;
mod decide;
mod error;
mod explain;
mod lookup;
mod material;
mod report;

pub use anchor::{TrustAnchor, TrustSource};
pub use decide::{Asked, Decider};
pub use error::{PolicyClass, PolicyError};
pub use explain::{Explanation, PassedOver};
pub use lookup::{VARIABLE, configured, user_stores};
use lookup::{Writers, writers};
pub use report::{Decided, DecidedBy, Refusal, RuleUsed};

/// A policy file, read.
#[derive(Clone, Debug)]
pub struct PolicyFile {
    path: PathBuf,
    document: PolicyDocument,
    /// What a user should know of the file.
    notes: Vec<String>,
}

impl PolicyFile {
    /// Reads the policy file at `path`.
    ///
    /// # Errors
    /// It cannot be read, or is no policy.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, PolicyError> {
        let path = path.into();
        let (file, writers) = Self::read(path)?;
        Ok(file.noted(writers))
    }

    /// Reads the policy file that holds where none is named: see [`configured`]. `None` if there is none.
    ///
    /// # Errors
    /// It cannot be read, is no policy, or everybody may write it.
    pub fn configured() -> Result<Option<Self>, PolicyError> {
        let Some(path) = configured()? else { return Ok(None) };
        let (file, writers) = Self::read(path)?;
        if writers == Writers::Everybody {
            return Err(PolicyError::Writable { path: file.path });
        }
        Ok(Some(file.noted(writers)))
    }

    fn read(path: PathBuf) -> Result<(Self, Writers), PolicyError> {
        let unreadable = |reason: String| PolicyError::Unreadable { path: path.clone(), reason };
        let file = std::fs::File::open(&path).map_err(|error| unreadable(error.to_string()))?;
        let metadata = file.metadata().map_err(|error| unreadable(error.to_string()))?;
        let writers = writers(&path, &metadata);
        let mut bytes = Vec::new();
        let limit = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX).saturating_add(1);
        file.take(limit).read_to_end(&mut bytes).map_err(|error| unreadable(error.to_string()))?;
        let refused = |error| PolicyError::Document { policy: path.display().to_string(), signed: false, error };
        let document = PolicyDocument::parse(&bytes, Origin::Local).map_err(refused)?;
        Ok((Self { path, document, notes: Vec::new() }, writers))
    }

    fn noted(mut self, writers: Writers) -> Self {
        let who = match writers {
            Writers::Owner => return self,
            Writers::Group => "the group of its owner",
            Writers::Everybody => "everybody",
        };
        self.notes.push(format!("{}: {who} may write this policy", self.path.display()));
        self
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it says.
    pub fn document(&self) -> &PolicyDocument {
        &self.document
    }

    /// What a user should know of the file: who else may write it.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Where relative paths in it begin.
    pub fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }

    /// Decides whether it accepts what `reference`, as the user gave it, names in `source`, at the time `now`.
    ///
    /// For several artifacts, other limits, the image of an index or a wanted name, see [`Decider`].
    ///
    /// # Errors
    /// It does not, or it could not be found out.
    pub fn verify(&self, source: &dyn Source, reference: &Reference, now: UnixTime) -> Result<Decided, Refusal> {
        let resolved = source.resolve(reference.tag(), reference.digest()).map_err(|error| Refusal::from(PolicyError::Store(error)))?;
        let digest = reference.digest().copied().unwrap_or(resolved.digest);
        Decider::by_file(self.clone(), now).decide(source, &Asked::new(reference, digest))
    }
}
