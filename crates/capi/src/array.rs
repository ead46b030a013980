//! Arrays: of views, of pairs, of handles.

#[cfg(any(feature = "sign", feature = "supply-chain"))]
use crate::bytes::touchmark_pair;
use crate::bytes::{null, slice, touchmark_bytes};
use crate::failure::Failure;

/// The handle that a pointer leads to.
///
/// # Safety
/// The caller's promise about handles, for as long as the result is used.
pub(crate) unsafe fn handle<'a, T>(pointer: *const T, what: &'static str) -> Result<&'a T, Failure> {
    // SAFETY: the promise that this function asks for.
    unsafe { pointer.as_ref() }.ok_or_else(|| null(what))
}

/// The handles of an array.
///
/// # Safety
/// The caller's promises about handles and views, for as long as the result is used.
pub(crate) unsafe fn handles<'a, T>(first: *const *const T, count: usize, what: &'static str) -> Result<Vec<&'a T>, Failure> {
    // SAFETY: the promise that this function asks for.
    unsafe { slice(first, count, what)?.iter().map(|pointer| handle(*pointer, what)).collect() }
}

/// The bytes of an array of views, each copied.
///
/// # Safety
/// The caller's promise about views.
pub(crate) unsafe fn copies(first: *const touchmark_bytes, count: usize, what: &'static str) -> Result<Vec<Vec<u8>>, Failure> {
    // SAFETY: the promise that this function asks for.
    unsafe { slice(first, count, what)?.iter().map(|view| view.read(what).map(<[u8]>::to_vec)).collect() }
}

/// The keys and values of an array of pairs.
///
/// # Safety
/// The caller's promise about views, for as long as the result is used.
#[cfg(any(feature = "sign", feature = "supply-chain"))]
pub(crate) unsafe fn pairs<'a>(first: *const touchmark_pair, count: usize, what: &'static str) -> Result<Vec<(&'a str, &'a str)>, Failure> {
    // SAFETY: the promise that this function asks for.
    unsafe { slice(first, count, what)?.iter().map(|pair| Ok((pair.key.text(what)?, pair.value.text(what)?))).collect() }
}
