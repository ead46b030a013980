#!/usr/bin/env bash
# Builds the C library, with the profile that it is shipped with, and installs it.
#
#   scripts/capi.sh [PREFIX]              libtouchmark and its header below PREFIX (target/capi)
#   scripts/capi.sh --verifier [PREFIX]   the one that only verifies and does no I/O (target/capi-verifier)
#   scripts/capi.sh --build [--verifier]  builds only: target/libtouchmark/full, target/libtouchmark/verifier
set -euo pipefail
cd "$(dirname "$0")/.."

flavour=full build_only='' prefix=''
for argument in "$@"; do
    case $argument in
    --verifier) flavour=verifier ;;
    --build) build_only=yes ;;
    -*) sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
    *) prefix=$argument ;;
    esac
done

# What a caller set for its own builds is not what is shipped.
unset CARGO_PROFILE_RELEASE_STRIP CARGO_PROFILE_CAPI_STRIP
target=${CARGO_TARGET_DIR:-target}
built=target/libtouchmark/$flavour
options=(--locked --profile capi -p touchmark-capi)
if [ "$flavour" = verifier ]; then options+=(--no-default-features); fi
# With frame pointers the tables for unwinding are shorter by more than the pointers take. AES opens keys, and is in no hurry. The verifier
# hashes what it is handed, manifests and envelopes: it has the short form of SHA-2 for processors without instructions for it, 23 kB less.
flags="-C force-frame-pointers=yes --cfg aes_backend_soft=\"compact\""
if [ "$flavour" = verifier ]; then flags+=" --cfg sha2_backend_soft=\"compact\""; fi
RUSTFLAGS="${RUSTFLAGS-} $flags" cargo build "${options[@]}"

mkdir -p "$built"
cp "$target/capi/libtouchmark_capi.so" "$built/libtouchmark.so"
cp "$target/capi/libtouchmark_capi.a" "$built/libtouchmark.a"
# Cargo strips no archive. What is in it to be stripped is the debug information of Rust's standard library, 4 MB.
strip --strip-debug --enable-deterministic-archives "$built/libtouchmark.a"
if [ "$flavour" = verifier ]; then touch "$built/verifier-only"; fi
if [ -n "$build_only" ]; then exit 0; fi

if [ "$flavour" = verifier ]; then default=target/capi-verifier; else default=target/capi; fi
PREFIX=${prefix:-$default} DESTDIR='' LIBDIR='' INCLUDEDIR='' packaging/install.sh install "$built"
