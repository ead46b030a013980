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
        other => Err(Error::NotALayout { path: reference.path().to_owned(), reason: format!("{other} is not read here") }),
    }
}
