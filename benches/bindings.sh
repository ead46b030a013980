#!/usr/bin/env bash
# Measures what a verification costs through each binding, over the same in Rust: one envelope, read and verified by a key that was read
# before. The programs take turns, so that what disturbs one disturbs the others; fails if one misses its bar. Also the sizes of the library.
#
#   benches/bindings.sh [ROUNDS]      15 rounds
#
# TOUCHMARK_PREFIX (an installed libtouchmark) and TOUCHMARK_BIN (a folder with the program touchmark) are used if they are set.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
rounds=${1:-15}
. packaging/built.sh
packaging/need.sh pkg-config
target=${CARGO_TARGET_DIR:-$root/target}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export PKG_CONFIG_PATH=$TOUCHMARK_PREFIX/lib/pkgconfig LD_LIBRARY_PATH=$TOUCHMARK_PREFIX/lib

"$TOUCHMARK_BIN/touchmark" key generate --type ed25519 --no-passphrase --out "$work/key" --quiet >/dev/null
printf '{"schemaVersion":2}' >"$work/manifest"
digest=$(sha256sum "$work/manifest" | cut -c 1-64)
printf '{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:%s","size":%d}' "$digest" "$(stat -c %s "$work/manifest")" \
    >"$work/descriptor"
"$TOUCHMARK_BIN/touchmark" sign --descriptor "$work/descriptor" --out "$work/envelope" --key "$work/key" --name acme/net-monitor:1.2.0 --quiet >/dev/null
subject=("$work/envelope" "$work/key.pub")

cargo build --locked --quiet --release -p touchmark-benches --examples
read -ra flags < <(pkg-config --cflags --libs touchmark)
cc -O2 -std=c99 -Wall -Wextra -o "$work/c" benches/bindings/bench.c "${flags[@]}"
c++ -O2 -std=c++17 -Wall -Wextra -o "$work/cpp" benches/bindings/bench.cpp "${flags[@]}"
(cd bindings/go && GOTOOLCHAIN=local GOFLAGS=-buildvcs=false CGO_ENABLED=1 go build -o "$work/go" ./bench)
(cd bindings/node && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null)
(cd bindings/java && mvn -q -B test-compile dependency:copy-dependencies -DoutputDirectory="$work/jars" -Dtouchmark.prefix="$TOUCHMARK_PREFIX")
library=TOUCHMARK_LIBRARY=$TOUCHMARK_PREFIX/lib/libtouchmark.so
grep -m 1 "model name" /proc/cpuinfo || true
echo "$(uname -srm), load $(cut -d ' ' -f 1-3 /proc/loadavg)"
python3 benches/bindings.py --rounds "$rounds" \
    rust="$target/release/examples/touchmark-benches binding ${subject[*]} {}" \
    c="$work/c ${subject[*]} {}" \
    cpp="$work/cpp ${subject[*]} {}" \
    go="$work/go -rounds {} ${subject[*]}" \
    python="env PYTHONPATH=bindings/python/src $library python3 bindings/python/bench.py ${subject[*]} {}" \
    node="env $library node bindings/node/bench.mjs ${subject[*]} {}" \
    java="java -Dtouchmark.library=$TOUCHMARK_PREFIX/lib/libtouchmark.so -cp bindings/java/target/classes:bindings/java/target/test-classes:$work/jars/* dev.touchmark.Bench {} ${subject[*]}"

scripts/capi.sh --build --verifier
stat -L -c '%s bytes: %n' "$TOUCHMARK_PREFIX/lib/libtouchmark.so" target/libtouchmark/verifier/libtouchmark.so
