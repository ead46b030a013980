#!/usr/bin/env bash
# Builds cosign and notation, which the benches compare with (versions in go-bench/*/go.mod), into target/peers/bin, static and
# stripped as their publishers ship them. One module each, so that each is built from what its publisher chose. cosign has some 250
# modules and takes ten minutes of CPU: only .ci/run --long builds it, and only once.
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD
bin="$root/target/peers/bin"
mkdir -p "$bin"

for tool in notation cosign; do
    pins="tests/peers/go-bench/$tool"
    stamp="$bin/.$tool"
    if [ -x "$bin/$tool" ] && cmp -s "$pins/go.sum" "$stamp"; then
        echo "bench peers: $tool is there"
        continue
    fi
    echo "bench peers: building $tool ($(grep -c ' h1:' "$pins/go.sum") modules and go.mod files to check)"
    begin=$SECONDS
    (cd "$pins" && CGO_ENABLED=0 GOBIN="$bin" GOFLAGS="-mod=readonly -buildvcs=false -trimpath" nice -n 19 go install -ldflags "-s -w" tool)
    cp "$pins/go.sum" "$stamp"
    echo "bench peers: $tool, $(($(stat -c %s "$bin/$tool") / 1000000)) MB, $((SECONDS - begin)) s"
done
