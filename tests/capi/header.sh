#!/usr/bin/env bash
# The header compiles alone as C and as C++, declares just what the library exports, and its structures are laid out as before.
#
#   tests/capi/header.sh PREFIX VERIFIER-PREFIX
set -euo pipefail
cd "$(dirname "$0")/../.."
here=$PWD/tests/capi work=$PWD/target/capi-tests
prefix=$1 verifier=$2
mkdir -p "$work"

compilers=(gcc g++)
for each in clang clang++; do
    if command -v "$each" >/dev/null; then compilers+=("$each"); else echo "$each is not here: the header is not tried with it"; fi
done
for compiler in "${compilers[@]}"; do
    case $compiler in *++) language=(-x c++ -std=c++17) ;; *) language=(-x c -std=c99) ;; esac
    for flavour in '' -DTOUCHMARK_VERIFIER_ONLY '-DTOUCHMARK_VERIFIER_ONLY -DTOUCHMARK_SUPPLY_CHAIN=1' '-DTOUCHMARK_VERIFIER_ONLY -DTOUCHMARK_IO=1'; do
        # Twice: it guards itself. No warning, under the strictest options that system headers pass too.
        printf '#include <touchmark.h>\n#include <touchmark.h>\nint main(void) { return touchmark_status_name(TOUCHMARK_STATUS_OK).len == 0; }\n' |
            "$compiler" "${language[@]}" -Wall -Wextra -Wpedantic -Wconversion -Wundef -Wshadow -Werror $flavour -I"$prefix/include" -c -o /dev/null -
    done
done
cmp "$prefix/include/touchmark.h" "$verifier/include/touchmark.h"

# same WHAT ONE OTHER: two lists of names are the same.
same() {
    if ! diff "$2" "$3" >"$work/difference"; then
        cat "$work/difference"
        echo "error: $1." >&2
        advice
    fi
}
advice() {
    cat >&2 <<'TEXT'
If that is meant: what is new raises the minor version in Cargo.toml, or the patch version while the major version is 0. What is gone, moved or
has other arguments breaks programs that were built: it raises the major version, or the minor version while the major one is 0, and stands in
CHANGELOG.md. Then run scripts/header.sh, write crates/capi/abi.txt anew (tests/capi/layout.py says how), and commit them with the change.
TEXT
    exit 1
}
python3 "$here/layout.py" "$prefix/include/touchmark.h" crates/capi/abi.txt >"$work/layout.c" || advice
cc -std=c99 -Wall -Wextra -Wpedantic -Werror -I"$prefix/include" "$work/layout.c" -o "$work/layout" 2>"$work/difference" || {
    grep -o '[a-z_]*is_laid_out_as_in_abi_txt' "$work/difference" | sort -u || cat "$work/difference"
    echo "error: structures of the header are not laid out as in crates/capi/abi.txt." >&2
    advice
}
"$work/layout"

for flavour in full verifier; do
    if [ "$flavour" = full ]; then at=$prefix define=() features='.'; else at=$verifier define=(--define TOUCHMARK_VERIFIER_ONLY) features='^[^ ]*$'; fi
    nm -D --defined-only "$at/lib/libtouchmark.so" | awk '{print $3}' | sed 's/@.*//' | LC_ALL=C sort >"$work/exported"
    python3 "$here/functions.py" "$prefix/include/touchmark.h" "${define[@]}" --names | LC_ALL=C sort >"$work/declared"
    sed '/^#/d; /^$/d; s/[ \t]*$//' crates/capi/symbols.txt | grep -E "$features" | awk '{print $1}' | LC_ALL=C sort >"$work/listed"
    same "the $flavour library exports (>) not just what crates/capi/symbols.txt lists (<)" "$work/listed" "$work/exported"
    same "the $flavour library exports (>) not just what the header declares (<)" "$work/declared" "$work/exported"
done
if nm -D "$prefix/lib/libtouchmark.so" | grep -q touchmark_test_; then
    echo "error: the library has a hook of the tests" >&2
    exit 1
fi
echo "header: compiles alone with ${compilers[*]}; $(wc -l <"$work/declared") functions of the verifier, all exported and no other"
