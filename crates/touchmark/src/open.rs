use touchmark_oci::archive::Archive;
use touchmark_oci::error::Error;
use touchmark_oci::layout::Layout;
use touchmark_oci::reference::{Reference, Scheme};
use touchmark_oci::source::Source;

/// Opens the place that `reference` names, for reading.
///
/// # Errors
/// There is no such place, or it is none of the kind that the reference says.
pub fn open(reference: &Reference) -> Result<Box<dyn Source>, Error> {
    match reference.scheme() {
        Scheme::Layout => Ok(Box::new(Layout::open(reference.path())?)),
        Scheme::Archive => Ok(Box::new(Archive::open(reference.path())?)),
        // A scheme that this version's references never have.
        other => Err(Error::NotALayout { path: reference.path().to_owned(), reason: format!("{other} names no OCI layout") }),
    }
}
