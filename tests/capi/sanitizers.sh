#!/usr/bin/env bash
# The tests of the C interface, and of the languages that are near it, under valgrind and the sanitizers.
#
#   tests/capi/sanitizers.sh            AddressSanitizer, LeakSanitizer and UndefinedBehaviorSanitizer in the C code; valgrind's memcheck over a
#                                       part of the programs of this folder
#   tests/capi/sanitizers.sh --long     all of them, with the vectors and examples/c; the library instrumented as well; Python's and Go's tests
#                                       with that library
#   tests/capi/sanitizers.sh PART...    quick, whole, others (the vectors and examples/c), addresses, threads, python, go
#
# TOUCHMARK_PREFIX is as for run.sh.
#
# What each sees. Memcheck sees all memory, C's and Rust's, and all leaks, slowly. AddressSanitizer in the C code sees what C does with the
# views and handles that it gets, and the leaks of all. With the library instrumented (this repository's crates, not Rust's own library) it sees
# what these do, too. ThreadSanitizer in the C code sees besides what the library allocates, frees and copies: races on handles that are shared, of
# which it must find none. It does not see Rust's locks, and takes what they order for races, so that handles that exclude calls are not for it.
# With the library instrumented it sees these too, and all accesses, but for what Rust's own library orders inside itself (threads.supp). Valgrind's
# helgrind and drd know of pthreads alone, take each lock of Rust for a race, and are not used.
set -euo pipefail
cd "$(dirname "$0")/../.."
here=$PWD/tests/capi target=$PWD/target
work=$target/capi-tests
mkdir -p "$work"
. "$here/build.sh"
if [ -z "${TOUCHMARK_PREFIX-}" ]; then
    scripts/capi.sh "$target/capi"
    export TOUCHMARK_PREFIX=$target/capi
fi
TOUCHMARK_PREFIX=$(cd "$TOUCHMARK_PREFIX" && pwd)
headers=$TOUCHMARK_PREFIX/include library=$TOUCHMARK_PREFIX/lib/libtouchmark.so
triple=$(rustc -vV | sed -n 's/^host: //p')
asan_options=detect_leaks=1:detect_stack_use_after_return=1

under_memcheck='valgrind --quiet --error-exitcode=99 --leak-check=full --show-leak-kinds=definite,indirect,possible --errors-for-leak-kinds=definite,indirect,possible --num-callers=30'

# memcheck EVERY ORDERS CALLS ROUNDS: how much of it.
memcheck() {
    say "Memcheck: memory and leaks, C's and Rust's."
    packaging/need.sh valgrind
    local under=$under_memcheck
    if [ ! -x "$work/full/threads" ]; then build full "$headers" "$library"; fi
    in_place full conformance
    if [ "$1" -gt 0 ]; then in_place full sweep "$1"; fi
    in_place full orders "$2"
    in_place full random 5 "$3"
    in_place full threads "$4"
}

# What others have written in C.
memcheck_others() {
    say "Memcheck: the vectors in C, and examples/c."
    packaging/need.sh valgrind
    # shellcheck disable=SC2086 # several words
    tests/vectors/c/run.sh $under_memcheck
    EXAMPLE_UNDER=$under_memcheck examples/c/run
}

c_sanitizers() {
    say "AddressSanitizer, LeakSanitizer and UndefinedBehaviorSanitizer in the C code."
    build sanitized "$headers" "$library" -fsanitize=address,undefined -fno-sanitize-recover=all
    local under="env TOUCHMARK_SANITIZED=1 ASAN_OPTIONS=$asan_options UBSAN_OPTIONS=print_stacktrace=1"
    in_place sanitized conformance
    in_place sanitized sweep
    in_place sanitized orders "$1"
    in_place sanitized random 4 "$2"
    in_place sanitized threads "$3"
}

c_races() {
    say "ThreadSanitizer in the C code: handles that threads share."
    local programs=(threads)
    build shared "$headers" "$library" -fsanitize=thread
    local under="env TOUCHMARK_SANITIZED=1 TSAN_OPTIONS=halt_on_error=1"
    in_place shared threads "$1" shared
}

# instrumented KIND: the library with this repository's crates instrumented, in $work/KIND-prefix, which has no other use.
instrumented() {
    RUSTC_BOOTSTRAP=1 RUSTFLAGS="-Zsanitizer=$1 -Cunsafe-allow-abi-mismatch=sanitizer" CARGO_PROFILE_DEV_OPT_LEVEL=1 CARGO_PROFILE_DEV_DEBUG=1 \
        CARGO_TARGET_DIR=$work/$1 cargo build --quiet --locked --target "$triple" -p touchmark-capi
    rm -rf "$work/$1-prefix"
    mkdir -p "$work/$1-prefix"
    cp -a "$TOUCHMARK_PREFIX/include" "$TOUCHMARK_PREFIX/lib" "$work/$1-prefix/"
    cp "$work/$1/$triple/debug/libtouchmark_capi.a" "$work/$1-prefix/lib/libtouchmark.a"
    cp "$work/$1/$triple/debug/libtouchmark_capi.so" "$work/$1-prefix/lib/$(readlink -f "$TOUCHMARK_PREFIX/lib/libtouchmark.so" | sed 's|.*/||')"
}

instrumented_addresses() {
    say "AddressSanitizer and LeakSanitizer in C and in the library."
    instrumented address
    build addresses "$headers" "$work/address-prefix/lib/libtouchmark.a" -fsanitize=address,undefined -fno-sanitize-recover=all
    local under="env TOUCHMARK_SANITIZED=1 ASAN_OPTIONS=$asan_options UBSAN_OPTIONS=print_stacktrace=1"
    in_place addresses conformance
    in_place addresses sweep
    in_place addresses orders 5
    in_place addresses random 6 200000
    in_place addresses threads 1000
}

instrumented_threads() {
    say "ThreadSanitizer in C and in the library."
    instrumented thread
    # What clang's runtime has and gcc's has not; gcc's sees the calls that they make.
    cat >"$work/runtime.c" <<'C'
#include <string.h>
void *__tsan_memcpy(void *to, const void *from, size_t size);
void *__tsan_memmove(void *to, const void *from, size_t size);
void *__tsan_memset(void *to, int byte, size_t size);
void *__tsan_memcpy(void *to, const void *from, size_t size) { return memcpy(to, from, size); }
void *__tsan_memmove(void *to, const void *from, size_t size) { return memmove(to, from, size); }
void *__tsan_memset(void *to, int byte, size_t size) { return memset(to, byte, size); }
C
    cc -O1 -fsanitize=thread -c "$work/runtime.c" -o "$work/runtime.o"
    cp "$work/thread-prefix/lib/libtouchmark.a" "$work/threaded.a"
    ar r "$work/threaded.a" "$work/runtime.o"
    build raced "$headers" "$work/threaded.a" -fsanitize=thread
    local under="env TOUCHMARK_SANITIZED=1 TSAN_OPTIONS=halt_on_error=1:suppressions=$here/threads.supp"
    in_place raced threads 2000
}

# The bindings with the instrumented library. The interpreters keep blocks until the end, so that no leaks are looked for.
python_tests() {
    say "Python's tests under AddressSanitizer, with the instrumented library."
    if [ ! -x target/bindings/python/venv/bin/python ]; then bindings/python/test.sh; fi
    if [ ! -e "$work/address-prefix" ]; then instrumented address; fi
    local python=$target/bindings/python/venv/bin/python
    local environment=(env LD_PRELOAD="$(cc -print-file-name=libasan.so)" ASAN_OPTIONS=detect_leaks=0 PYTHONMALLOC=malloc PYTHONDONTWRITEBYTECODE=1
        TOUCHMARK_LIBRARY="$work/address-prefix/lib/libtouchmark.so" TOUCHMARK_PREFIX="$work/address-prefix")
    (cd "$target/bindings/python" && "${environment[@]}" "$python" -m unittest discover --start-directory "$here/../../bindings/python/tests")
    (cd "$target/bindings/python" && "${environment[@]}" "$python" "$here/../../bindings/python/tests/vectors.py" "$here/../../testdata/vectors")
}

go_tests() {
    say "Go's tests under AddressSanitizer, with the instrumented library."
    packaging/need.sh pkg-config
    if [ ! -e "$work/address-prefix" ]; then instrumented address; fi
    (cd bindings/go && PKG_CONFIG_PATH=$work/address-prefix/lib/pkgconfig GOTOOLCHAIN=local GOFLAGS=-buildvcs=false CGO_ENABLED=1 CC=gcc ASAN_OPTIONS=detect_leaks=0 \
        CGO_CFLAGS="-O2 -DTOUCHMARK_BUILD=0x$(sha256sum "$work/address-prefix/lib/libtouchmark.a" | cut -c 1-12)" go test -count=1 -asan ./...)
}

quickly() {
    c_sanitizers 20 5000 100
    c_races 300
    memcheck 0 120 200 3
}
wholly() {
    c_sanitizers 1 200000 2000
    c_races 5000
    memcheck 1 10 20000 200
    memcheck_others
}

case ${1-} in
'') quickly ;;
--long)
    wholly
    instrumented_addresses
    python_tests
    go_tests
    ;;
*) for each in "$@"; do
    case $each in
    python | go) "${each}_tests" ;;
    quick) quickly ;;
    whole) wholly ;;
    others) memcheck_others ;;
    addresses | threads) "instrumented_$each" ;;
    *) sed -n '2,12s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
    esac
done ;;
esac
