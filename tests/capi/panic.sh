#!/usr/bin/env bash
# A panic in the library, with a library that has the hook for it, and of the same interface otherwise.
#
#   tests/capi/panic.sh PREFIX
set -euo pipefail
cd "$(dirname "$0")/../.."
here=$PWD/tests/capi work=$PWD/target/capi-tests
prefix=$1
. "$here/build.sh"

say "A panic in the library, which has a hook for that."
CARGO_TARGET_DIR=$work/hooks cargo build --quiet --locked -p touchmark-capi --no-default-features --features test-hooks
mkdir -p "$work/panic"
cc "${strict[@]}" -DTOUCHMARK_VERIFIER_ONLY "-I$here" "-I$prefix/include" -c "$here/panic.c" -o "$work/panic/panic.o"
python3 "$here/functions.py" "$prefix/include/touchmark.h" --define TOUCHMARK_VERIFIER_ONLY --table "$work/panic/functions.c"
(cd "$work/panic" && for each in "${parts[@]}"; do cc "${strict[@]}" -DTOUCHMARK_VERIFIER_ONLY "-I$here" "-I$prefix/include" -c "$here/$each.c"; done
    cc "${strict[@]}" -DTOUCHMARK_VERIFIER_ONLY "-I$here" "-I$prefix/include" -c functions.c
    cc -o panic ./*.o "$work/hooks/debug/libtouchmark_capi.a" -lpthread -ldl -lm)
# What Rust writes of a panic is for people who debug.
"$work/panic/panic" 2>"$work/panic/stderr" || { tail -20 "$work/panic/stderr" >&2; exit 1; }
