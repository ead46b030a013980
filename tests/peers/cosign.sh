#!/usr/bin/env bash
# What docs/from-cosign.md says of cosign, with cosign itself (bench-setup.sh builds it): its keys, its signatures, and signing by it.
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD
cargo build --locked -p touchmark-cli
export PATH="$root/target/peers/bin:$root/target/debug:$PATH" COSIGN_PASSWORD='a passphrase' TOUCHMARK_PASSPHRASE='another'
command -v cosign >/dev/null || { echo "error: cosign is missing; tests/peers/bench-setup.sh builds it" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

cosign generate-key-pair
echo hello >hello.txt
pin=$(touchmark pack hello.txt --to oci:lay:1)

# A key that cosign encrypted, taken out of its box.
"$root/examples/cosign-key/cosign-key.py" cosign.key | openssl pkcs8 -topk8 -scrypt -passout env:TOUCHMARK_PASSPHRASE -out key.pem
touchmark key public key.pem | cmp - cosign.pub
touchmark sign "$pin" --key key.pem --name acme/hello:1
touchmark verify "$pin" --key cosign.pub --name acme/hello:1
if COSIGN_PASSWORD=wrong "$root/examples/cosign-key/cosign-key.py" cosign.key; then exit 1; fi

# The same key, where it is.
COSIGN_KEY=cosign.key touchmark sign "$pin" --key "exec:$root/examples/external-signer/cosign-signer.py" --name acme/hello:2
touchmark verify "$pin" --key cosign.pub --name acme/hello:2

# A signature of cosign's, which is what the committed one is like.
python3 -c 'import json, sys; json.dump(json.load(sys.stdin)["dsseEnvelope"], sys.stdout)' <"$root/testdata/cosign/bundle.json" >envelope.json
touchmark verify "$pin" --envelope envelope.json --type https://sigstore.dev/cosign/sign/v1 --key "$root/testdata/cosign/cosign.pub"
echo "cosign: its keys and signatures are read, and it signs"
