#!/usr/bin/env bash
# A panic in the library, by a library that has a hook for it; and strange arguments and random sequences once more, since this library, which is not
# the one that is shipped, also panics where a number overflows or an assertion of ours does not hold.
#
#   tests/capi/panic.sh HEADERS [CALLS]
set -euo pipefail
cd "$(dirname "$0")/../.."
here=$PWD/tests/capi work=$PWD/target/capi-tests
. "$here/build.sh"

say "A library with checks and with a hook for panics."
CARGO_PROFILE_DEV_OPT_LEVEL=1 CARGO_PROFILE_DEV_DEBUG=0 CARGO_TARGET_DIR=$work/hooks cargo build --quiet --locked -p touchmark-capi --features test-hooks
programs=(conformance sweep random panic)
build checked "$1" "$work/hooks/debug/libtouchmark_capi.a"
# What Rust writes of a panic is for people who debug.
in_place checked panic 2>"$work/panics" || { tail -20 "$work/panics" >&2; exit 1; }
in_place checked conformance
in_place checked sweep 4
in_place checked random 7 "${2-20000}"
