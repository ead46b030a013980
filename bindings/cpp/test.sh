#!/usr/bin/env bash
# Runs the tests of touchmark.hpp, the vectors and the README's example, against the installed library TOUCHMARK_PREFIX (else it is built) with data by the program
# in TOUCHMARK_BIN. Needs a C++ compiler, pkg-config and nlohmann's JSON reader; the latter two are installed if this runs as root on Debian.
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD
packaging/need.sh pkg-config nlohmann-json3-dev
. packaging/built.sh
export PKG_CONFIG_PATH=$TOUCHMARK_PREFIX/lib/pkgconfig LD_LIBRARY_PATH=$TOUCHMARK_PREFIX/lib

python3 bindings/cpp/tests/complete.py "$TOUCHMARK_PREFIX/include/touchmark.h" "$TOUCHMARK_PREFIX"/include/touchmark/*.hpp

out=$root/target/bindings/cpp
rm -rf "$out" && mkdir -p "$out/data"
read -ra flags <<<"$(pkg-config --cflags --libs touchmark)"
compile() { c++ -std=c++17 -Wall -Wextra -Wpedantic -Werror -o "$out/$1" "${@:2}" "${flags[@]}" -pthread; }
strict=(-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -fsyntax-only)
for header in touchmark/{base,decision,envelope,io,metadata,standing}.hpp; do
    c++ -std=c++17 "${strict[@]}" "${flags[@]}" -x c++ - <<<"#include <$header>"
done
for options in -DTOUCHMARK_VERIFIER_ONLY -std=c++20; do
    c++ -std=c++17 "$options" "${strict[@]}" "${flags[@]}" -x c++ - <<<"#include <touchmark.hpp>"
done
# A refusal that is overlooked does not compile.
overlooked='#include <touchmark.hpp>
void f(const touchmark::public_key &key) { key.try_verify("a message", "a signature"); }'
if c++ -std=c++17 "${strict[@]}" "${flags[@]}" -x c++ - <<<"$overlooked" 2>"$out/overlooked"; then
    echo "C++: the outcome of try_verify may be overlooked" >&2
    exit 1
fi
grep -q nodiscard "$out/overlooked"
# Handles that are not freed, and views that outlive them, are found by the sanitizers.
sanitizers=(-g1 -fsanitize=address,undefined -fno-sanitize-recover=undefined)
if ! echo 'int main() {}' | c++ "${sanitizers[@]}" -o "$out/probe" -x c++ - 2>/dev/null; then
    echo "C++: the compiler has no AddressSanitizer (libasan), and so leaks are not looked for"
    if [ -n "${CI-}" ]; then exit 1; fi
    sanitizers=()
fi
compile tests "${sanitizers[@]}" bindings/cpp/tests/envelope.cpp bindings/cpp/tests/decision.cpp
compile vectors bindings/cpp/tests/vectors.cpp

bindings/cpp/tests/data.sh "$out/data"
(cd "$out/data" && "$out/tests")
"$out/vectors" testdata/vectors

awk '/^```/ { inside = ($0 == "```cpp"); next } inside' bindings/cpp/README.md >"$out/example.cpp"
compile example "$out/example.cpp"
"$out/example" | tee "$out/example.log"
grep -q '^sha256:[0-9a-f]* is acme/net-monitor:1.2.0$' "$out/example.log"
grep -q '^NOT_VERIFIED: ' "$out/example.log"
