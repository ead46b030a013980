//! Tests of what programs were compiled against: the header's version, layouts, and which handles threads may share.

use std::mem::{align_of, offset_of, size_of};

use crate::bytes::{touchmark_bytes, touchmark_pair};
use crate::library::ABI_VERSION;
use crate::search::touchmark_need;
use crate::supply_chain::touchmark_supply_chain_need;
use crate::tuf::touchmark_tuf_step;
use crate::tuf_drive::touchmark_tuf_callbacks;

const HEADER: &str = include_str!("../include/touchmark.h");
const LAYOUTS: &str = include_str!("../abi.txt");

#[test]
fn the_header_is_of_the_version_of_the_package() {
    let parts = [env!("CARGO_PKG_VERSION_MAJOR"), env!("CARGO_PKG_VERSION_MINOR"), env!("CARGO_PKG_VERSION_PATCH")];
    for (name, value) in [
        ("VERSION_MAJOR", parts[0].to_owned()),
        ("VERSION_MINOR", parts[1].to_owned()),
        ("VERSION_PATCH", parts[2].to_owned()),
        ("VERSION", format!("{:?}", env!("CARGO_PKG_VERSION"))),
        ("ABI_VERSION", format!("0x{ABI_VERSION:08x}")),
    ] {
        let line = format!("#define TOUCHMARK_{name} {value}");
        assert!(HEADER.lines().any(|found| found == line), "the header does not say `{line}`: run scripts/header.sh");
    }
    let [major, minor, patch] = parts.map(|part| part.parse::<u32>().unwrap());
    assert_eq!((ABI_VERSION >> 24, ABI_VERSION >> 12 & 0xfff, ABI_VERSION & 0xfff), (major, minor, patch));
}

fn member<S, M>(_: impl Fn(&S) -> &M) -> usize {
    size_of::<M>()
}

macro_rules! layouts {
    ($($name:ident { $($member:ident),* })*) => {
        vec![$(
            format!("{} {} {}", stringify!($name), size_of::<$name>(), align_of::<$name>()),
            $(format!("{}.{} {} {}", stringify!($name), stringify!($member), offset_of!($name, $member), member(|it: &$name| &it.$member)),)*
        )*]
    };
}

#[test]
#[cfg(target_pointer_width = "64")]
fn structures_by_value_are_laid_out_as_they_were() {
    let found = layouts! {
        touchmark_bytes { ptr, len }
        touchmark_need { kind, thorough, digest, limit, entries }
        touchmark_pair { key, value }
        touchmark_supply_chain_need { kind, reserved, name, step, limit }
        touchmark_tuf_callbacks { struct_size, userdata, fetch, load, store, remove }
        touchmark_tuf_step { kind, reserved, name, bytes, limit }
    };
    let committed: Vec<&str> = LAYOUTS.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    let why = "programs that were built break: if that is meant, the version is raised as tools/header says, and abi.txt is written anew";
    assert_eq!(found, committed, "{why}");
    // One that is not listed here is seen by how many the header has.
    assert_eq!(HEADER.lines().filter(|line| line.starts_with("typedef struct") && line.ends_with('{')).count(), 6);
}

/// What the header says of threads.
#[test]
fn handles_that_nothing_changes_are_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<crate::error::touchmark_error>();
    shared::<crate::buffer::touchmark_buffer>();
    shared::<crate::public_key::touchmark_public_key>();
    shared::<crate::envelope::touchmark_envelope>();
    shared::<crate::envelope::touchmark_verified_envelope>();
    shared::<crate::policy::touchmark_policy>();
    shared::<crate::policy_document::touchmark_policy_document>();
    shared::<crate::standing::touchmark_standing>();
    shared::<crate::artifact::touchmark_verified_artifact>();
    shared::<crate::supply_chain::touchmark_verified_supply_chain>();
    shared::<crate::tuf_target::touchmark_tuf_target>();
    #[cfg(feature = "sign")]
    shared::<crate::private_key::touchmark_private_key>();
    #[cfg(feature = "io")]
    shared::<crate::source::touchmark_source>();
    #[cfg(feature = "io")]
    shared::<crate::policy_file::touchmark_policy_file>();
    // Those that take one call at a time refuse another, and may be used by one thread after the other.
    shared::<crate::digest::touchmark_hasher>();
    shared::<crate::policy::touchmark_policy_builder>();
    shared::<crate::request::touchmark_request>();
    shared::<crate::search::touchmark_search>();
    shared::<crate::tuf::touchmark_tuf_client>();
    shared::<crate::supply_chain::touchmark_supply_chain>();
}
