#!/usr/bin/env bash
# Builds the C runner against the installed library TOUCHMARK_PREFIX (else it is built), and runs every vector through it.
#
#   tests/vectors/c/run.sh              statically linked, and against the shared library
#   tests/vectors/c/run.sh COMMAND...   the latter under a command, such as valgrind --leak-check=full --error-exitcode=1
set -euo pipefail
cd "$(dirname "$0")/../../.."
. packaging/built.sh

out=$PWD/target/vectors/c
mkdir -p "$out"
cargo run --locked --quiet -p touchmark-test-vectors -- flat >"$out/flat"
compile() { cc -std=c99 -O1 -g -Wall -Wextra -Wpedantic -Werror -I"$TOUCHMARK_PREFIX/include" tests/vectors/c/*.c -o "$out/$1" "${@:2}"; }
compile shared -L"$TOUCHMARK_PREFIX/lib" -ltouchmark -Wl,-rpath,"$TOUCHMARK_PREFIX/lib"
if [ $# -gt 0 ]; then exec "$@" "$out/shared" testdata/vectors "$out/flat"; fi
"$out/shared" testdata/vectors "$out/flat"
compile static "$TOUCHMARK_PREFIX/lib/libtouchmark.a" -lpthread -ldl -lm
"$out/static" testdata/vectors "$out/flat" >/dev/null
