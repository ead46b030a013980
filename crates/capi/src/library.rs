//! What the library is.

use crate::bytes::touchmark_bytes;
use crate::status::{self, touchmark_status};

/// `touchmark_features`: private keys and signing.
pub const TOUCHMARK_FEATURE_SIGN: u32 = 1;
/// `touchmark_features`: files.
pub const TOUCHMARK_FEATURE_IO: u32 = 2;
/// `touchmark_features`: functionaries of layouts who are known by certificates.
pub const TOUCHMARK_FEATURE_X509: u32 = 4;

/// `touchmark_features`: in-toto layouts.
pub const TOUCHMARK_FEATURE_SUPPLY_CHAIN: u32 = 8;

/// The number of one part of the package's version.
const fn part(text: &str) -> u32 {
    match u32::from_str_radix(text, 10) {
        Ok(number) if number < 1 << 12 => number,
        _ => 0,
    }
}

/// `major << 24 | minor << 12 | patch`.
pub(crate) const ABI_VERSION: u32 =
    part(env!("CARGO_PKG_VERSION_MAJOR")) << 24 | part(env!("CARGO_PKG_VERSION_MINOR")) << 12 | part(env!("CARGO_PKG_VERSION_PATCH"));

/// The version of the library that is linked: `major << 24 | minor << 12 | patch`. A program compares it with `TOUCHMARK_ABI_VERSION`, that
/// of the header: the major version must be the same and, while that is 0, the minor version too.
#[unsafe(no_mangle)]
pub extern "C" fn touchmark_abi_version() -> u32 {
    ABI_VERSION
}

/// The version of the library as text, such as `0.1.0`. Always valid.
#[unsafe(no_mangle)]
pub extern "C" fn touchmark_version() -> touchmark_bytes {
    touchmark_bytes::of(env!("CARGO_PKG_VERSION").as_bytes())
}

/// The name of a status, such as `NOT_VERIFIED`; empty for a number that is none. Always valid.
#[unsafe(no_mangle)]
pub extern "C" fn touchmark_status_name(status: touchmark_status) -> touchmark_bytes {
    touchmark_bytes::of(status::name(status).as_bytes())
}

/// What this build has: `TOUCHMARK_FEATURE_...`, added up.
#[unsafe(no_mangle)]
pub extern "C" fn touchmark_features() -> u32 {
    let have = [
        (cfg!(feature = "sign"), TOUCHMARK_FEATURE_SIGN),
        (cfg!(feature = "io"), TOUCHMARK_FEATURE_IO),
        (cfg!(feature = "x509"), TOUCHMARK_FEATURE_X509),
        (cfg!(feature = "supply-chain"), TOUCHMARK_FEATURE_SUPPLY_CHAIN),
    ];
    have.iter().filter(|(on, _)| *on).map(|(_, feature)| feature).sum()
}
