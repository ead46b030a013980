//! The documents that hold credentials (config.json, auth.json): read, asked and changed, from any bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use touchmark_oci::credentials::fuzzing;

fuzz_target!(|data: &[u8]| fuzzing::exercise(data));
