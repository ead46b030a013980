#!/usr/bin/env bash
# Gets the tools that the peer tests run against: oras, crane, regctl, a TUF client by go-tuf and a verifier by in-toto-golang (Go, versions
# in go/go.mod), the distribution specification's tests (Go, conformance/go.mod), python packages (versions in python/requirements.txt)
# into target/peers, and skopeo and faketime from the distribution.
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD

mkdir -p target/peers/bin
(cd tests/peers/go && GOBIN="$root/target/peers/bin" GOFLAGS="-mod=readonly -buildvcs=false" go install tool ./tuf-client ./in-toto-peer)
(cd tests/peers/conformance && GOFLAGS="-mod=readonly -buildvcs=false" go test -c -o "$root/target/peers/bin/conformance.test" \
    github.com/opencontainers/distribution-spec/conformance)

tests/peers/python/setup.sh

missing=()
for package in skopeo faketime; do command -v "$package" >/dev/null || missing+=("$package"); done
if [ ${#missing[@]} -gt 0 ]; then
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
        echo "error: ${missing[*]} missing; install with the system's package manager" >&2
        exit 1
    fi
    apt-get update -qq
    apt-get install -qq --yes --no-install-recommends "${missing[@]}" >/dev/null
fi

for tool in oras crane regctl tuf-client in-toto-peer conformance.test; do test -x "target/peers/bin/$tool"; done
echo "peers: $(target/peers/bin/oras version | head -n 1), crane $(target/peers/bin/crane version), regctl and $(skopeo --version);"
echo "peers: $(cd tests/peers/go && go list -m github.com/theupdateframework/go-tuf/v2 github.com/in-toto/in-toto-golang | paste -sd ,), tuf $(target/peers/venv/bin/python -c 'import tuf; print(tuf.__version__)')"
