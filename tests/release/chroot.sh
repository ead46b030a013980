#!/usr/bin/env bash
# The standalone verifier runs where there is nothing else: no /proc, no /dev, no libraries, no locale, no time zones.
set -euo pipefail
cd "$(dirname "$0")/../.."

if [ "$(id -u)" -ne 0 ]; then
    echo "error: chroot needs root" >&2
    exit 1
fi
cell=$(mktemp -d)
trap 'rm -rf "$cell"' EXIT
touchmark=target/dist/touchmark
chroot=$(PATH="$PATH:/usr/sbin:/sbin" command -v chroot)

"$touchmark" key generate --type ed25519 --no-passphrase --out "$cell/key" --quiet >/dev/null
"$touchmark" pack "$touchmark" --to "oci:$cell/app:v1" --quiet >"$cell/pin"
"$touchmark" sign "$(cat "$cell/pin")" --key "$cell/key" --name acme/touchmark:1 --quiet >/dev/null
rm "$cell/key" "$cell/pin"
cp target/dist/touchmark-verify "$cell/"

env --ignore-environment "$chroot" "$cell" /touchmark-verify oci:/app:v1 --key /key.pub --name acme/touchmark:1
status=0
env --ignore-environment "$chroot" "$cell" /touchmark-verify oci:/app:v1 --key /key.pub --name acme/other:1 2>/dev/null || status=$?
[ "$status" -eq 1 ] || { echo "error: another name gave exit $status, not 1" >&2; exit 1; }
echo "touchmark-verify runs in an empty chroot"
