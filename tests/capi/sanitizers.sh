#!/usr/bin/env bash
# The tests of the C interface, and of the languages that are near it, under valgrind and the sanitizers.
#
#   tests/capi/sanitizers.sh            AddressSanitizer, LeakSanitizer and UndefinedBehaviorSanitizer in the C code; valgrind's memcheck over a
#                                       part of the programs of this folder
#   tests/capi/sanitizers.sh --long     all of them under memcheck, with the vectors and examples/c; the library instrumented as well,
#                                       for addresses and for threads; then the bindings
#   tests/capi/sanitizers.sh python go  the tests of these bindings under AddressSanitizer
#
# TOUCHMARK_PREFIX is as for run.sh.
#
# What each sees. Memcheck sees all memory, C's and Rust's, and all leaks, slowly. AddressSanitizer in the C code sees what C does with the
# views and handles that it gets, and the leaks of all. With the library instrumented (this repository's crates, not Rust's own library) it sees
# what these do, too. ThreadSanitizer sees races of instrumented code; what Rust's own library orders inside itself it does not see, so that
# a value which a `OnceLock` holds is left out (threads.supp). Valgrind's helgrind and drd know of pthreads alone, take each lock of Rust for
# a race, and are of no use here.
set -euo pipefail
cd "$(dirname "$0")/../.."
here=$PWD/tests/capi target=$PWD/target
work=$target/capi-tests
mkdir -p "$work"
. "$here/build.sh"
export TOUCHMARK_PREFIX=${TOUCHMARK_PREFIX:-$target/capi}
headers=$TOUCHMARK_PREFIX/include library=$TOUCHMARK_PREFIX/lib/libtouchmark.so
triple=$(rustc -vV | sed -n 's/^host: //p')
asan_options=detect_leaks=1:detect_stack_use_after_return=1

need_valgrind() {
    if command -v valgrind >/dev/null; then return; fi
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null || ! { apt-get update -qq && apt-get install -y -qq valgrind; } >/dev/null; then
        echo "error: valgrind is needed, and is not here" >&2
        exit 1
    fi
}

# memcheck EVERY ORDERS CALLS ROUNDS: how much of it; all that is reachable at the end is freed, so that every block that is left is an error.
memcheck() {
    say "Memcheck: memory and leaks of C and Rust."
    need_valgrind
    local under='valgrind --quiet --error-exitcode=99 --leak-check=full --show-leak-kinds=definite,indirect,possible --errors-for-leak-kinds=definite,indirect,possible --num-callers=30'
    if [ ! -x "$work/full/threads" ]; then build full "$headers" "$library"; fi
    in_place full conformance
    in_place full sweep "$1"
    in_place full orders "$2"
    in_place full random 5 "$3"
    in_place full threads "$4"
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

# instrumented KIND FLAGS: the library, with its own crates instrumented; writes where it is.
instrumented() {
    RUSTC_BOOTSTRAP=1 RUSTFLAGS="-Zsanitizer=$1 -Cunsafe-allow-abi-mismatch=sanitizer -Cdebuginfo=1" CARGO_PROFILE_DEV_OPT_LEVEL=1 \
        CARGO_TARGET_DIR=$work/$1 cargo build --quiet --locked --target "$triple" -p touchmark-capi
    echo "$work/$1/$triple/debug/libtouchmark_capi.a"
}

instrumented_addresses() {
    say "AddressSanitizer and LeakSanitizer in C and in the library."
    local archive
    archive=$(instrumented address)
    build addresses "$headers" "$archive" -fsanitize=address,undefined -fno-sanitize-recover=all
    local under="env TOUCHMARK_SANITIZED=1 ASAN_OPTIONS=$asan_options UBSAN_OPTIONS=print_stacktrace=1"
    in_place addresses conformance
    in_place addresses sweep
    in_place addresses orders 5
    in_place addresses random 6 200000
    in_place addresses threads 1000
}

instrumented_threads() {
    say "ThreadSanitizer in C and in the library."
    local archive
    archive=$(instrumented thread)
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
    cp "$archive" "$work/threaded.a"
    ar r "$work/threaded.a" "$work/runtime.o"
    build raced "$headers" "$work/threaded.a" -fsanitize=thread
    local under="env TOUCHMARK_SANITIZED=1 TSAN_OPTIONS=halt_on_error=1:suppressions=$here/threads.supp"
    in_place raced threads 2000
}

python_tests() {
    say "Python's tests under AddressSanitizer."
    # The interpreter is not instrumented and keeps blocks until the end: no leaks are looked for. It is preloaded so that it sees each allocation.
    TOUCHMARK_SANITIZED=1 LD_PRELOAD=$(cc -print-file-name=libasan.so) ASAN_OPTIONS=detect_leaks=0 PYTHONMALLOC=malloc bindings/python/test.sh
}

go_tests() {
    say "Go's tests under AddressSanitizer."
    TOUCHMARK_SANITIZED=1 GOFLAGS="${GOFLAGS-} -asan" CC=gcc CGO_ENABLED=1 ASAN_OPTIONS=detect_leaks=0 bindings/go/test.sh
}

case ${1-} in
'')
    c_sanitizers 20 10000 200
    memcheck 40 120 400 10
    ;;
--long)
    c_sanitizers 1 200000 2000
    memcheck 1 10 20000 200
    instrumented_addresses
    instrumented_threads
    python_tests
    go_tests
    ;;
*) for each in "$@"; do
    case $each in
    python | go) "${each}_tests" ;;
    c) c_sanitizers 1 200000 2000 ;;
    memcheck) memcheck 1 10 20000 200 ;;
    addresses | threads) "instrumented_$each" ;;
    *) sed -n '2,12s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
    esac
done ;;
esac
