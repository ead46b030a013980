#!/usr/bin/env bash
# The C interface as its callers meet it: the header, the symbols and the layout of structures; ordinary use; every function with strange
# arguments; random sequences; threads; a panic; all of that under valgrind and the sanitizers of the C compiler.
#
#   tests/capi/run.sh             what every change must pass
#   tests/capi/run.sh --long      the whole under valgrind, longer sequences, and the library itself instrumented (sanitizers.sh)
#   tests/capi/run.sh --random N  random sequences alone, N calls each, with seeds that nobody had before
#
# TOUCHMARK_PREFIX has libtouchmark and its header, TOUCHMARK_VERIFIER_PREFIX the one that only verifies; without them they are built.
# It needs a C and a C++ compiler, Python 3 and Rust; valgrind is installed by apt-get where that can be.
set -euo pipefail
cd "$(dirname "$0")/../.."
here=$PWD/tests/capi target=$PWD/target
work=$target/capi-tests
long='' random=''
case ${1-} in
'') ;;
--long) long=yes ;;
--random) random=${2-1000000} ;;
*) sed -n '2,11s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
mkdir -p "$work"
. "$here/build.sh"

if [ -z "${TOUCHMARK_PREFIX-}" ]; then
    scripts/capi.sh "$target/capi"
    export TOUCHMARK_PREFIX=$target/capi
fi
TOUCHMARK_PREFIX=$(cd "$TOUCHMARK_PREFIX" && pwd)
prefix=$TOUCHMARK_PREFIX
build full "$prefix/include" "$prefix/lib/libtouchmark.so"
if [ -n "$random" ]; then
    for _ in 1 2 3 4; do in_place full random "$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')" "$random"; done
    exit
fi
verifier=${TOUCHMARK_VERIFIER_PREFIX-}
if [ -z "$verifier" ]; then
    scripts/capi.sh --verifier "$target/capi-verifier"
    verifier=$target/capi-verifier
fi
verifier=$(cd "$verifier" && pwd)
build verifier "$verifier/include" "$verifier/lib/libtouchmark.so" -DTOUCHMARK_VERIFIER_ONLY

say "The header, the symbols, the structures."
"$here/header.sh" "$prefix" "$verifier"

say "Ordinary use, strange arguments, orders of freeing, random sequences, threads: the whole library, and the one that only verifies."
if [ -n "$long" ]; then calls=1000000 rounds=20000; else calls=20000 rounds=2000; fi
for flavour in full verifier; do
    in_place "$flavour" conformance
    in_place "$flavour" sweep
    in_place "$flavour" orders
    for seed in 1 2; do in_place "$flavour" random "$seed" "$calls"; done
    in_place "$flavour" threads "$rounds"
done

"$here/panic.sh" "$prefix/include" ${long:+500000}
"$here/sanitizers.sh" ${long:+--long}
