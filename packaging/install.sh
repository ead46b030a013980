#!/usr/bin/env bash
# Installs the library that scripts/capi.sh built, or takes an installed one away.
#
#   packaging/install.sh install FOLDER      FOLDER has libtouchmark.so, libtouchmark.a and, if it is the one that only verifies, `verifier-only`
#   packaging/install.sh uninstall
#
# From the environment: PREFIX (/usr/local), DESTDIR (nothing), LIBDIR (lib) and INCLUDEDIR (include); the latter two may be below PREFIX
# or absolute. Each file is written beside its place and renamed to it, so that nobody ever finds half of one. What lies below PREFIX finds
# its neighbours from where it is itself, so the tree may be moved.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")

prefix=$(realpath -ms "${PREFIX:-/usr/local}")
destdir=${DESTDIR-}
absolute() { case $1 in /*) realpath -ms "$1" ;; *) realpath -ms "$prefix/$1" ;; esac; }
libdir=$(absolute "${LIBDIR:-lib}")
includedir=$(absolute "${INCLUDEDIR:-include}")
docdir=$prefix/share/doc/touchmark

case $prefix$libdir$includedir in
*[\|\&\\]*) echo "error: a folder with | & or \\ in its name cannot be told to pkg-config" >&2; exit 2 ;;
esac

version=$("$here/version.sh")
major=${version%%.*}
minor=${version#*.} minor=${minor%%.*}
shared=libtouchmark.so.$version
soname=libtouchmark.so.$major
# What Rust's standard library takes from the C library; empty archives in glibc since 2.34.
system_libs=(pthread dl m)

files=(
    "$libdir/$shared" "$libdir/$soname" "$libdir/libtouchmark.so" "$libdir/libtouchmark.a"
    "$libdir/pkgconfig/touchmark.pc" "$libdir/pkgconfig/touchmark-static.pc"
    "$libdir/cmake/Touchmark/TouchmarkConfig.cmake" "$libdir/cmake/Touchmark/TouchmarkConfigVersion.cmake"
    "$libdir/cmake/Touchmark/TouchmarkTargets.cmake"
    "$includedir/touchmark.h" "$includedir/touchmark.hpp"
)
cpp=(base decision envelope io metadata standing)
for name in "${cpp[@]}"; do files+=("$includedir/touchmark/$name.hpp"); done
# Whoever passes the library on passes these on with it.
licenses=(LICENSE-APACHE LICENSE-MIT THIRD-PARTY-NOTICES.md)
for name in "${licenses[@]}"; do files+=("$docdir/$name"); done

# put MODE FILE: standard input becomes FILE.
put() {
    local mode=$1 file=$destdir$2 whole
    mkdir -p "$(dirname "$file")"
    whole=$(mktemp "$(dirname "$file")/.touchmark.XXXXXX")
    if ! { cat >"$whole" && chmod "$mode" "$whole" && mv -f "$whole" "$file"; }; then
        rm -f "$whole"
        return 1
    fi
    echo "installed $file"
}

# link TARGET FILE
link() {
    local file=$destdir$2
    ln -sf "$1" "$file.new" && mv -fT "$file.new" "$file"
    echo "installed $file -> $1"
}

# from FOLDER FILE: FILE as seen from FOLDER, or FILE itself if it is not below the prefix.
from() {
    case $1/ in
    "$prefix"/*) case $2/ in "$prefix"/*) realpath -ms --relative-to="$1" "$2" && return ;; esac ;;
    esac
    echo "$2"
}

# fill TEMPLATE: standard output is the template with its @NAMES@ filled in.
fill() {
    local cmake=$libdir/cmake/Touchmark pc_prefix pc_lib pc_include
    pc_prefix=$(from "$libdir/pkgconfig" "$prefix")
    case $pc_prefix in /*) ;; *) pc_prefix="\${pcfiledir}/$pc_prefix" ;; esac
    pc_lib=$libdir pc_include=$includedir
    case $libdir in "$prefix"/*) pc_lib="\${prefix}${libdir#"$prefix"}" ;; esac
    case $includedir in "$prefix"/*) pc_include="\${prefix}${includedir#"$prefix"}" ;; esac
    sed -e "s|@VERSION@|$version|g; s|@MAJOR@|$major|g; s|@MINOR@|$minor|g; s|@SHARED@|$shared|g; s|@SONAME@|$soname|g" \
        -e "s|@PREFIX@|$pc_prefix|; s|@LIBDIR@|$pc_lib|; s|@INCLUDEDIR@|$pc_include|" \
        -e "s|@CMAKE_LIBDIR@|$(from "$cmake" "$libdir")|; s|@CMAKE_INCLUDEDIR@|$(from "$cmake" "$includedir")|" \
        -e "s|@SYSTEM_LIBS@|$(printf -- '-l%s ' "${system_libs[@]}" | sed 's/ $//')|" \
        -e "s|@CMAKE_SYSTEM_LIBS@|$(IFS=';' && echo "${system_libs[*]}")|" \
        -e "s|@CFLAGS@|${definitions:+ -D$definitions}|; s|@DEFINITIONS@|$definitions|; s|@VERIFIER_ONLY@|$verifier_only|" \
        -e "s|@POINTER@|$((bits / 8))|; s|@BITS@|$bits|" "$1"
}

install_all() {
    local built=$1 file name
    for name in libtouchmark.so libtouchmark.a; do
        test -f "$built/$name" || { echo "error: $built/$name is missing; \`make\` builds it" >&2; exit 1; }
    done
    definitions='' verifier_only=FALSE
    if [ -e "$built/verifier-only" ]; then definitions=TOUCHMARK_VERIFIER_ONLY verifier_only=TRUE; fi
    # The fifth byte of an ELF file.
    bits=32
    if [ "$(od -An -tu1 -j4 -N1 "$built/libtouchmark.so" | tr -d ' ')" = 2 ]; then bits=64; fi

    put 755 "$libdir/$shared" <"$built/libtouchmark.so"
    link "$shared" "$libdir/$soname"
    link "$soname" "$libdir/libtouchmark.so"
    put 644 "$libdir/libtouchmark.a" <"$built/libtouchmark.a"
    put 644 "$includedir/touchmark.h" <"$root/crates/capi/include/touchmark.h"
    put 644 "$includedir/touchmark.hpp" <"$root/bindings/cpp/touchmark.hpp"
    for name in "${cpp[@]}"; do put 644 "$includedir/touchmark/$name.hpp" <"$root/bindings/cpp/touchmark/$name.hpp"; done
    for name in touchmark touchmark-static; do
        fill "$here/$name.pc.in" | put 644 "$libdir/pkgconfig/$name.pc"
    done
    for name in TouchmarkConfig TouchmarkConfigVersion TouchmarkTargets; do
        fill "$here/cmake/$name.cmake.in" | put 644 "$libdir/cmake/Touchmark/$name.cmake"
    done
    for name in "${licenses[@]}"; do put 644 "$docdir/$name" <"$root/$name"; done
    # Every header must be in the list.
    test "$(find "$root/bindings/cpp/touchmark" -name '*.hpp' | wc -l)" -eq ${#cpp[@]}
    # What the list above forgets, `uninstall` would leave.
    for file in "${files[@]}"; do test -e "$destdir$file"; done
}

uninstall_all() {
    local file
    for file in "${files[@]}"; do
        if [ -e "$destdir$file" ] || [ -L "$destdir$file" ]; then
            rm -f "$destdir$file"
            echo "removed $destdir$file"
        fi
    done
    rmdir "$destdir$libdir/cmake/Touchmark" "$destdir$includedir/touchmark" "$destdir$docdir" 2>/dev/null || true
}

case ${1-} in
install) install_all "${2:?the folder of what was built}" ;;
uninstall) uninstall_all ;;
*) echo "usage: packaging/install.sh install FOLDER | uninstall" >&2; exit 2 ;;
esac
