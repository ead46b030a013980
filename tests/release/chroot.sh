#!/usr/bin/env bash
# The standalone verifier runs where there is nothing else: no /proc, no /dev, no libraries, no locale, no time zones, no resolver's
# configuration. There it reads an OCI layout, and a registry whose name it has to resolve.
set -euo pipefail
cd "$(dirname "$0")/../.."

if [ "$(id -u)" -ne 0 ]; then
    echo "error: chroot needs root" >&2
    exit 1
fi
cell=$(mktemp -d)
outside=$(mktemp -d)
servers=()
finish() {
    [ ${#servers[@]} -eq 0 ] || kill "${servers[@]}" 2>/dev/null || true
    rm -rf "$cell" "$outside"
}
trap finish EXIT
touchmark=target/dist/touchmark
chroot=$(PATH="$PATH:/usr/sbin:/sbin" command -v chroot)

# The first line that a server, started in the background with its output in FILE, prints.
first_line() {
    local file=$1
    for _ in $(seq 600); do
        if [ -s "$file" ]; then
            head -n 1 "$file"
            return
        fi
        sleep 0.1
    done
    echo "error: a server did not start" >&2
    return 1
}

verify() {
    env --ignore-environment "$chroot" "$cell" /touchmark-verify "$@"
}

"$touchmark" key generate --type ed25519 --no-passphrase --out "$outside/key" --quiet >/dev/null
"$touchmark" pack "$touchmark" --to "oci:$cell/app:v1" --quiet >"$outside/pin"
"$touchmark" sign "$(cat "$outside/pin")" --key "$outside/key" --name acme/touchmark:1 --quiet >/dev/null
cp "$outside/key.pub" target/dist/touchmark-verify "$cell/"

verify oci:/app:v1 --key /key.pub --name acme/touchmark:1
status=0
verify oci:/app:v1 --key /key.pub --name acme/other:1 2>/dev/null || status=$?
[ "$status" -eq 1 ] || { echo "error: another name gave exit $status, not 1" >&2; exit 1; }
echo "touchmark-verify runs in an empty chroot"

cargo build --locked --quiet -p touchmark-test-registry
"${CARGO_TARGET_DIR:-target}/debug/test-registry" >"$outside/registry" &
servers+=($!)
# Without any configuration a resolver asks 127.0.0.1.
python3 tests/release/name_server.py registry.test >"$outside/names" &
servers+=($!)
host=$(first_line "$outside/registry")
first_line "$outside/names" >/dev/null
"$touchmark" copy "oci:$cell/app:v1" "$host/acme/app:v1" --quiet >/dev/null
rm -r "$cell/app"
verify "registry.test:${host##*:}/acme/app:v1" --plain-http --key /key.pub --name acme/touchmark:1
status=0
verify "other.test:${host##*:}/acme/app:v1" --plain-http --retries 0 --key /key.pub 2>/dev/null || status=$?
[ "$status" -eq 4 ] || { echo "error: a name that nobody knows gave exit $status, not 4" >&2; exit 1; }
verify "localhost:${host##*:}/acme/app:v1" --key /key.pub --name acme/touchmark:1
echo "touchmark-verify resolves names in an empty chroot"
