//! What trust metadata says of a name.

use touchmark_envelope::json::Value;
use touchmark_trust::Standing;

use crate::array::handle;
use crate::buffer::touchmark_buffer;
use crate::call;
use crate::error::touchmark_error;
use crate::status::touchmark_status;

/// What trust metadata says of a name. Immutable; any number of threads may use one.
pub struct touchmark_standing {
    pub(crate) standing: Standing,
}

/// The standing as JSON: `{"name", "at", "expires", "metadata"}`, the last being the documents that it rests on, `[{"role", "version", "expires"}]`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_standing_to_json(
    standing: *const touchmark_standing,
    out: *mut *mut touchmark_buffer,
    error: *mut *mut touchmark_error,
) -> touchmark_status {
    // SAFETY: the caller's promises about handles and outs.
    unsafe {
        call::give(out, error, || {
            let standing = &handle(standing, "standing")?.standing;
            let json = Value::object([
                ("name", Value::from(standing.name().to_string())),
                ("at", Value::from(standing.at().to_string())),
                ("expires", standing.expires().map_or(Value::Null, |expires| Value::from(expires.to_string()))),
                ("metadata", standing.to_json()),
            ]);
            Ok(touchmark_buffer::new(json.to_vec()))
        })
    }
}

/// When the first of the documents that it rests on expires, in seconds since 1970: from then on nothing is accepted by it. 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_standing_expires(standing: *const touchmark_standing) -> i64 {
    // SAFETY: the caller's promise about handles.
    unsafe { call::look(standing, 0, |standing| standing.standing.expires().map_or(0, |expires| expires.seconds())) }
}

/// Frees a standing. Policies that were made by it stay. NULL is nothing to free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn touchmark_standing_free(standing: *mut touchmark_standing) {
    // SAFETY: the caller's promise about handles.
    unsafe { call::free(standing) }
}
