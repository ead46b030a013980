use touchmark_oci::access::Access;
use touchmark_oci::archive::Archive;
use touchmark_oci::error::Error;
use touchmark_oci::layout::Layout;
use touchmark_oci::reference::{Reference, Scheme};
use touchmark_oci::source::Source;

/// Opens the place that `reference` names, for reading; a registry as [`Access::default`] says.
///
/// # Errors
/// There is no such place, or it is none of the kind that the reference says.
pub fn open(reference: &Reference) -> Result<Box<dyn Source>, Error> {
    open_with(reference, &Access::default())
}

/// As [`open`], reaching a registry as `access` says.
///
/// # Errors
/// As [`open`].
pub fn open_with(reference: &Reference, access: &Access) -> Result<Box<dyn Source>, Error> {
    #[cfg(feature = "registry")]
    if let Some(repository) = reference.repository() {
        return Ok(Box::new(touchmark_oci::Registry::new(repository, access)?));
    }
    let _ = access;
    match reference.scheme() {
        Scheme::Layout => Ok(Box::new(Layout::open(reference.path())?)),
        Scheme::Archive => Ok(Box::new(Archive::open(reference.path())?)),
        // A place that this build does not reach.
        other => Err(Error::NotALayout { path: reference.path().to_owned(), reason: format!("{other} names no OCI layout") }),
    }
}
