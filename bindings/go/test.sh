#!/usr/bin/env bash
# Tests the Go binding: format, vet, the tests with the race detector and with AddressSanitizer, the shared library, the vectors that all
# languages share, and the example of the README. TOUCHMARK_PREFIX is an installed library; without it target/capi is, and is built.
set -euo pipefail
cd "$(dirname "$0")"
root=$(cd ../.. && pwd)

if [ -z "${TOUCHMARK_PREFIX-}" ]; then
    TOUCHMARK_PREFIX=$root/target/capi
    "$root/scripts/capi.sh" "$TOUCHMARK_PREFIX"
fi
if ! command -v pkg-config >/dev/null; then
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
        echo "pkg-config is missing" >&2
        exit 1
    fi
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    apt-get install -qq --yes --no-install-recommends pkg-config >/dev/null </dev/null
fi
export PKG_CONFIG_PATH=$TOUCHMARK_PREFIX/lib/pkgconfig GOTOOLCHAIN=local GOFLAGS=-buildvcs=false CGO_ENABLED=1
# Go does not see that the library has changed: another digest is another build.
CGO_CFLAGS="-O2 -DTOUCHMARK_BUILD=$(sha256sum "$TOUCHMARK_PREFIX/lib/libtouchmark.a" | cut -c 1-12 | sed 's/^/0x/')"
export CGO_CFLAGS
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

unformatted=$(gofmt -l .)
if [ -n "$unformatted" ]; then
    echo "error: gofmt would change $unformatted" >&2
    exit 1
fi
go vet ./...

echo "-- the race detector, and cgo's checks of pointers"
if ! GOEXPERIMENT=cgocheck2 go test -count=1 -race -v ./... >"$work/log" 2>&1; then
    cat "$work/log"
    exit 1
fi
grep '^Go: ' "$work/log"

echo "-- AddressSanitizer"
CC=${CC:-gcc} go test -count=1 -asan ./...

echo "-- the shared library"
LD_LIBRARY_PATH=$TOUCHMARK_PREFIX/lib go test -count=1 -tags touchmark_shared -run 'Signed|Decides' .

echo "-- the example of the README"
mkdir "$work/readme"
sed -n '/^```go$/,/^```$/p' README.md | sed '/^```/d' >"$work/readme/main.go"
cat >"$work/readme/go.mod" <<MOD
module example

go 1.21

require github.com/touchmark/touchmark/bindings/go v0.0.0

replace github.com/touchmark/touchmark/bindings/go => $PWD
MOD
(cd "$work/readme" && test -z "$(gofmt -l .)" && go build -o "$work/example" .)
(cd "$root/testdata/layouts" && "$work/example") | grep -x 'verified sha256:[0-9a-f]\{64\}'

echo "-- the bench runs"
go run ./bench -rounds 20
