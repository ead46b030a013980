#!/usr/bin/env bash
# Installs the library into temporary folders, and builds and runs programs by what pkg-config and CMake say of it: shared and static, in C and
# C++; again after the tree was moved; the library that only verifies; with DESTDIR and folders of one's own; and that uninstalling leaves nothing.
# Needs a C and C++ compiler, make, pkg-config and cmake; the latter two are installed if this runs as root on Debian.
set -euo pipefail
cd "$(dirname "$0")/../.."
here=$PWD/tests/packaging

packaging/need.sh pkg-config cmake
if [ "${BUILD-}" != no ]; then
    scripts/capi.sh --build
    scripts/capi.sh --build --verifier
fi
version=$(packaging/version.sh)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
say() { printf '# %s\n' "$*"; }
fail() { echo "packaging: $*" >&2; exit 1; }
quietly() { "$@" >"$work/log" 2>&1 || { cat "$work/log" >&2; fail "$* failed"; }; }
into() { quietly make install BUILD=no "$@"; }
warnings=(-Wall -Wextra -Wpedantic -Werror)

# programs PREFIX LIBDIR SHARED_LIBDIR
# Builds and runs everything by what PREFIX has; LIBDIR is where its pkg-config and CMake files are.
programs() {
    local prefix=$1 libdir=$2 out=$work/out
    export PKG_CONFIG_PATH=$libdir/pkgconfig
    rm -rf "$out" && mkdir "$out"
    [ "$(pkg-config --modversion touchmark)" = "$version" ] || fail "pkg-config says another version"
    local flags static
    read -ra flags <<<"$(pkg-config --cflags --libs touchmark)"
    read -ra static <<<"$(pkg-config --static --cflags --libs touchmark)"
    cc -std=c99 "${warnings[@]}" -o "$out/c-shared" "$here/program.c" "${flags[@]}"
    cc -std=c99 "${warnings[@]}" -static -o "$out/c-static" "$here/program.c" "${static[@]}"
    c++ -std=c++17 "${warnings[@]}" -o "$out/cpp-shared" "$here/program.cpp" "${flags[@]}"
    c++ -std=c++17 "${warnings[@]}" -static -o "$out/cpp-static" "$here/program.cpp" "${static[@]}"
    read -ra static <<<"$(pkg-config --cflags --libs touchmark-static)"
    cc -std=c99 "${warnings[@]}" -o "$out/c-archive" "$here/program.c" "${static[@]}"
    c++ -std=c++17 "${warnings[@]}" -o "$out/cpp-archive" "$here/program.cpp" "${static[@]}"
    read -ra flags <<<"$(pkg-config --cflags touchmark)"
    cc -std=c99 "${warnings[@]}" "${flags[@]}" -o "$out/c-variable" "$here/program.c" "$(pkg-config --variable=staticlib touchmark)"

    quietly cmake -S "$here" -B "$out/cmake" -DCMAKE_PREFIX_PATH="$prefix" -DTouchmark_DIR="$libdir/cmake/Touchmark" -DWANTED="$version"
    quietly cmake --build "$out/cmake"

    local program
    for program in "$out"/c{,pp}-shared; do
        readelf -d "$program" | grep -q 'NEEDED.*\[libtouchmark\.so\.[0-9]*\]' || fail "$program has no libtouchmark.so"
        [ "$(LD_LIBRARY_PATH=$libdir "$program")" = right ] || fail "$program"
    done
    for program in "$out"/c{,pp}-{static,archive} "$out/c-variable" "$out"/cmake/c{,pp}_static; do
        if readelf -d "$program" | grep -q 'NEEDED.*libtouchmark'; then fail "$program needs libtouchmark.so"; fi
        [ "$("$program")" = right ] || fail "$program"
    done
    for program in "$out"/cmake/c{,pp}_touchmark; do
        readelf -d "$program" | grep -q 'NEEDED.*\[libtouchmark\.so\.[0-9]*\]' || fail "$program has no libtouchmark.so"
        [ "$("$program")" = right ] || fail "$program"
    done
}

say "Installed, programs are built and run by pkg-config and by CMake."
into PREFIX="$work/first"
programs "$work/first" "$work/first/lib"
for file in LICENSE-APACHE LICENSE-MIT THIRD-PARTY-NOTICES.md; do
    cmp "$file" "$work/first/share/doc/touchmark/$file" || fail "what is installed has no $file"
done

say "And after the tree was moved."
mv "$work/first" "$work/second"
if grep -rIl "$work" "$work/second"; then fail "a file says where it was installed"; fi
programs "$work/second" "$work/second/lib"

say "CMake finds it as 0.1, and not as another minor version, which below 1.0 may be incompatible."
cmake_finds() { cmake -S "$here" -B "$work/version" -DCMAKE_PREFIX_PATH="$work/second" -DWANTED="$1" >"$work/log" 2>&1; }
cmake_finds "${version%.*}" || fail "CMake does not find ${version%.*}"
cmake_finds 0.1.0...0.2 || fail "CMake does not find a range"
for other in 0.0 0.2 1.0 "${version%.*}.99"; do
    rm -rf "$work/version"
    if cmake_finds "$other"; then fail "CMake takes $version for $other"; fi
    grep -q 'compatible with requested' "$work/log" || { cat "$work/log" >&2; fail "CMake fails for another reason"; }
done

say "Below DESTDIR, with a folder for libraries of its own: what is inside says nothing of DESTDIR."
into PREFIX=/usr DESTDIR="$work/package" LIBDIR=lib/x86_64-linux-gnu INCLUDEDIR=include/touchmark-0
if grep -rIl "$work" "$work/package"; then fail "a file says DESTDIR"; fi
programs "$work/package/usr" "$work/package/usr/lib/x86_64-linux-gnu"

say "Into folders that are not below the prefix, which then cannot be moved."
into PREFIX="$work/third" LIBDIR="$work/elsewhere/lib" INCLUDEDIR="$work/elsewhere/headers"
programs "$work/third" "$work/elsewhere/lib"

say "The library that only verifies: what signs or reads files is in no header of it, and in no library."
into PREFIX="$work/verifier" VERIFIER_ONLY=yes
programs "$work/verifier" "$work/verifier/lib"
export PKG_CONFIG_PATH=$work/verifier/lib/pkgconfig
for function in touchmark_sign_manifest touchmark_source_open; do
    printf '#include <touchmark.h>\nvoid *it(void);\nvoid *it(void) { return (void *)&%s; }\n' "$function" >"$work/it.c"
    # shellcheck disable=SC2046
    if cc -c -o "$work/it.o" $(pkg-config --cflags touchmark) "$work/it.c" 2>"$work/log"; then fail "the verifier's header has $function"; fi
    grep -q "'$function' undeclared\|‘$function’ undeclared" "$work/log" || { cat "$work/log" >&2; fail "it fails for another reason"; }
    if nm -D --defined-only "$work/verifier/lib/libtouchmark.so" | grep -q " $function$"; then fail "the verifier exports $function"; fi
done

say "Uninstalled, nothing is left; and a file beside is left alone."
touch "$work/second/include/other.h"
quietly make uninstall PREFIX="$work/second"
quietly make uninstall PREFIX=/usr DESTDIR="$work/package" LIBDIR=lib/x86_64-linux-gnu INCLUDEDIR=include/touchmark-0
quietly make uninstall PREFIX="$work/third" LIBDIR="$work/elsewhere/lib" INCLUDEDIR="$work/elsewhere/headers"
left=$(find "$work/second" "$work/package" "$work/third" "$work/elsewhere" ! -type d 2>/dev/null || true)
[ "$left" = "$work/second/include/other.h" ] || fail "left: $left"

say "Without what was built, it says so and writes nothing."
if PREFIX=$work/none packaging/install.sh install "$work" 2>"$work/log"; then fail "nothing was installed, and it did not say so"; fi
grep -q 'libtouchmark.so is missing' "$work/log"
[ ! -e "$work/none" ] || fail "something was installed of nothing"
echo "packaging: ok"
