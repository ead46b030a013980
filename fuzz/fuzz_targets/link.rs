//! Link headers: what is found stands in the header, and is found again where it stands alone.
#![no_main]

use libfuzzer_sys::fuzz_target;
use touchmark_oci::registry::link;

fuzz_target!(|header: &str| {
    let Some(target) = link::next(header) else { return };
    assert!(!target.is_empty() && header.contains(target) && !target.contains('>'));
    for alone in [format!("<{target}>; rel=next"), format!(" , <{target}>;title=\"a;,\\\"\" ; rel=\"prev NEXT\"; rel=last")] {
        if alone.len() <= 16 << 10 {
            assert_eq!(link::next(&alone), Some(target));
        }
    }
});
