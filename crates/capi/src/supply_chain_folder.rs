//! in-toto layouts, verified against a folder of links.

use touchmark::in_toto::{LinkFolder, verify};
use touchmark_envelope::threshold::KeySet;

use crate::bytes::{touchmark_bytes, touchmark_pair};
use crate::call;
use crate::error::touchmark_error;
use crate::path::path;
use crate::public_key::{keys as any_keys, touchmark_public_key};
use crate::status::touchmark_status;
use crate::supply_chain::{settings, touchmark_verified_supply_chain};
use crate::time::time;

/// Verifies an in-toto layout, which every one of the keys must have signed, against the links in a folder, as of the time `at`, in seconds since
/// 1970. No command is run: an inspection that nobody has signed is not verified. Links of the file system are not followed.
///
/// Statuses are those of `touchmark_supply_chain_new` and `touchmark_supply_chain_finish`; `TOUCHMARK_STATUS_INVALID_ARGUMENT` for an empty path,
/// `TOUCHMARK_STATUS_NOT_FOUND` and `TOUCHMARK_STATUS_IO_ERROR` if the folder is not there or cannot be read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_supply_chain_verify_folder(
    layout: touchmark_bytes,
    keys: *const *const touchmark_public_key,
    count: usize,
    links_folder: touchmark_bytes,
    parameters: *const touchmark_pair,
    parameter_count: usize,
    at: i64,
    out: *mut *mut touchmark_verified_supply_chain,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about handles, views and outs.
    unsafe {
        call::give(out, error, || {
            let (layout, keys) = (layout.read("layout")?.to_vec(), KeySet::new(any_keys(keys, count)?));
            let (settings, at) = (settings(parameters, parameter_count)?, time(at, "time of the verification")?);
            let links = LinkFolder::open(path(links_folder, "folder of links")?)?;
            Ok(touchmark_verified_supply_chain(verify(layout, &keys, settings, at, &links)?))
        })
    }
}

#[cfg(test)]
mod tests;
