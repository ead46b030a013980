# Runs the three programs of examples/c or examples/cpp, which were built into $programs, with images, keys and a trust root that it makes, and
# fails unless each ends as it should. Sourced by the two `run`.
#
# EXAMPLE_UNDER, such as `valgrind --error-exitcode=99`, goes before each program.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export PATH="$programs:$TOUCHMARK_BIN:$PATH" HOME="$work" LD_LIBRARY_PATH="$TOUCHMARK_PREFIX/lib"
read -ra under <<<"${EXAMPLE_UNDER-}"

# passes COMMAND...: runs it, shows it, and fails unless it succeeds. `refused EXIT WHY COMMAND...`: unless it ends with EXIT and says WHY.
passes() {
    printf '\n$ %s\n' "$*"
    "${under[@]}" "$@" || { echo "example: exit $? where 0 was expected" >&2; exit 1; }
}
refused() {
    local wanted=$1 why=$2 status=0
    shift 2
    printf '\n$ %s\n' "$*"
    "${under[@]}" "$@" 2>err || status=$?
    cat err
    if [ "$status" -ne "$wanted" ]; then
        echo "example: exit $status where $wanted was expected" >&2
        exit 1
    fi
    grep -q -- "$why" err || { echo "example: it does not say \"$why\"" >&2; exit 1; }
    echo "(exit $status)"
}
# The command line only prepares what the programs are run with.
quietly() { "$@" >log 2>&1 || { cat log >&2; echo "example: $* failed" >&2; exit 1; }; }
say() { printf '\n# %s\n' "$*"; }

say "An image in an OCI layout; keys of two people of the publisher, and of somebody else."
for name in acme second mallory; do quietly touchmark key generate --out "$name" --no-passphrase; done
quietly touchmark key generate --type ecdsa-p256 --out curve --no-passphrase
printf 'the program\n' >net-monitor
quietly touchmark pack net-monitor --to oci:shop:1.2.0
image=oci:shop:1.2.0 name=acme/net-monitor:1.2.0
key=(acme.pub)

say "Nobody has signed it yet."
refused 1 'no signature' verify_layout "$image" "$name" 1 "${key[@]}"

say "Signed by a callback, with an Ed25519 and a P-256 key. What the callback gives is checked: another key than the one that is named is found out."
refused 1 'not a valid signature' sign_by_callback mallory acme.pub "$name" "$image"
passes sign_by_callback acme acme.pub "$name" "$image"
passes sign_by_callback curve curve.pub "$name" "$image"

say "Verified by keys: by each, by both of two, by one of some."
passes verify_layout "$image" "$name" 1 "${key[@]}"
passes verify_layout "$image" acme/net-monitor:1.2.0 2 acme.pub curve.pub
passes verify_layout "$image" 'acme/net-monitor:*' 1 second.pub curve.pub
quietly touchmark copy "$image" oci-archive:shop.tar
passes verify_layout oci-archive:shop.tar:1.2.0 "$name" 1 "${key[@]}"
quietly touchmark-verify "$image" --key acme.pub --name "$name"

say "Refused: too few keys, somebody else's key, another name, another image."
refused 1 '1 of 2' verify_layout "$image" "$name" 2 acme.pub second.pub
refused 1 'none of the given keys' verify_layout "$image" "$name" 1 mallory.pub
refused 1 'wanted acme/net-monitor:1.3.0' verify_layout "$image" acme/net-monitor:1.3.0 1 "${key[@]}"
printf 'another program\n' >net-monitor
quietly touchmark pack net-monitor --to oci:shop:1.2.0
refused 1 'no signature' verify_layout "$image" "$name" 1 "${key[@]}"

say "Not to be found out: no such layout, no such key, no key at all."
refused 2 'nowhere' verify_layout oci:nowhere:1.2.0 "$name" 1 "${key[@]}"
refused 2 'private key' verify_layout "$image" "$name" 1 acme
refused 2 usage verify_layout "$image" "$name" 1

say "A trust root: the names acme/... are the publisher's, and the publisher signs with its own keys."
quietly touchmark trust init --no-passphrase
cp trust/metadata/1.root.json root.json
quietly touchmark trust publisher add acme --key acme.pub --names 'acme/**'
publish() {
    quietly touchmark trust sign --key trust-keys/targets --key acme
    quietly touchmark trust publish --key trust-keys/snapshot --key trust-keys/timestamp
}
publish
quietly touchmark sign "$image" --key acme --name "$name" --annotation channel=stable
passes verify_by_root root.json trust/metadata store "$name" "$image"

say "Refused: a name of nobody's; a name of others; what the publisher revoked; older metadata than was seen."
refused 1 'no publisher owns' verify_by_root root.json trust/metadata store other/net-monitor:1.2.0 "$image"
refused 1 'wanted acme/net-monitor:1.3.0' verify_by_root root.json trust/metadata store acme/net-monitor:1.3.0 "$image"
extra
cp -r trust/metadata older
quietly touchmark trust revoke "$image" --role acme --reason 'a hole in it'
publish
refused 1 'revoked' verify_by_root root.json trust/metadata store "$name" "$image"
refused 1 'rollback' verify_by_root root.json older store "$name" "$image"

say "Every program ended as it should."
