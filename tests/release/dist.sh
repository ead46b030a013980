#!/usr/bin/env bash
# Makes a release, and takes it as a stranger would: checksums, signatures, attestations, the SBOM by SPDX's validator, the Debian package and the tarball
# installed somewhere else, what is installed run, and the image of the verifier as what a container runtime would start.
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD
packaging/need.sh dpkg pkg-config jq gcc
venv=target/release-venv
if [ ! -x "$venv/bin/pyspdxtools" ]; then
    python3 -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --requirement tests/release/requirements.txt
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
dist=$root/target/dist
version=$(packaging/version.sh)
name=touchmark-$version-x86_64-unknown-linux-gnu
fail() {
    echo "error: $*" >&2
    exit 1
}
# is CODE COMMAND...: the command ends with this code.
is() {
    local wanted=$1 status=0
    shift
    "$@" >"$work/out" 2>"$work/err" || status=$?
    if [ "$status" -ne "$wanted" ]; then
        cat "$work/err" >&2
        fail "exit $status where $wanted was expected: $*"
    fi
}

# Twice, by one key, with what must not matter changed: the same bytes.
(umask 077 && openssl genpkey -algorithm ed25519 -out "$work/key")
scripts/dist.sh >"$work/throw-away" 2>"$work/notes"
grep -q "thrown away" "$work/notes" || fail "a release signed by a key that is thrown away does not say so"
TOUCHMARK_RELEASE_KEY=$work/key scripts/dist.sh >"$work/sums"
(umask 077 && TOUCHMARK_RELEASE_KEY=$work/key TZ=Asia/Tokyo LC_ALL=C.UTF-8 scripts/dist.sh >"$work/again")
cmp "$work/sums" "$work/again"
grep -v "oci.tar" "$work/sums" | cmp - <(grep -v "oci.tar" "$work/throw-away")
openssl pkey -in "$work/key" -pubout | cmp - "$dist/release.pub"
echo "release: made three times, the same bytes; by another key, other signatures alone"

# As a stranger has it, with nothing but these files.
mkdir "$work/got"
cp "$dist/SHA256SUMS" "$dist/release.pub" "$dist/$name".* "$dist/touchmark_${version}_amd64.deb" "$work/got/"
cd "$work/got"
sha256sum --check --strict --quiet SHA256SUMS
test "$(wc -l <SHA256SUMS)" -eq 5

# The Debian package, installed into a root of its own and taken away again.
deb=touchmark_${version}_amd64.deb
mkdir -p "$work/root/var/lib/dpkg/info" "$work/root/var/lib/dpkg/updates"
touch "$work/root/var/lib/dpkg/status" "$work/root/var/lib/dpkg/available"
as_root() { PATH="$PATH:/usr/sbin:/sbin" dpkg --root="$work/root" --force-depends --force-not-root --log="$work/dpkg.log" "$@" >/dev/null 2>&1; }
as_root --install "$deb" || fail "dpkg does not install $deb"
test -z "$(dpkg --root="$work/root" --verify touchmark)" || fail "files of the package are not as its md5sums say"
(
    PATH=$work/root/usr/bin
    test "$(touchmark --version)" = "touchmark $version" && touchmark-verify --version >/dev/null
) || fail "what the package installs does not run"
find "$work/root/usr" -printf '%y %m %P\n' | awk '
    $1 == "d" && $2 != 755 || $1 == "f" && $2 != 644 && $2 != 755 { print "error: mode " $2 " of " $3; bad = 1 } END { exit bad }' >&2
dpkg-deb --contents "$deb" | awk '$2 != "root/root" { print "error: not root'"'"'s: " $0; bad = 1 } END { exit bad }' >&2
for file in bin/touchmark bin/touchmark-verify include/touchmark.h include/touchmark.hpp share/bash-completion/completions/touchmark \
    share/zsh/vendor-completions/_touchmark share/fish/vendor_completions.d/touchmark.fish share/doc/touchmark/copyright \
    share/doc/touchmark/LICENSE-MIT share/doc/touchmark/THIRD-PARTY-NOTICES.md share/doc/touchmark/changelog.gz share/man/man1/touchmark.1.gz share/man/man1/touchmark-sign.1.gz \
    lib/x86_64-linux-gnu/libtouchmark.a "lib/x86_64-linux-gnu/libtouchmark.so.$version" lib/x86_64-linux-gnu/pkgconfig/touchmark.pc \
    lib/x86_64-linux-gnu/cmake/Touchmark/TouchmarkConfig.cmake; do
    test -s "$work/root/usr/$file" || fail "the package has no $file"
done
for field in Package Version Architecture Maintainer Depends Description Installed-Size Section Priority Homepage; do
    test -n "$(dpkg-deb --field "$deb" "$field")" || fail "the package says no $field"
done
dpkg-deb --field "$deb" Depends | grep -qE '^libc6 \(>= 2\.[0-9]+\), libgcc-s1 \(>= [0-9.]+\)$' || fail "Depends: $(dpkg-deb --field "$deb" Depends)"

# A program, built with what the package installs, and run with it.
cat >"$work/program.c" <<'EOF'
#include <stdio.h>
#include <touchmark.h>
int main(void) {
    touchmark_bytes version = touchmark_version();
    printf("%.*s\n", (int)version.len, (const char *)version.ptr);
    return touchmark_abi_version() != TOUCHMARK_ABI_VERSION;
}
EOF
built_with() {
    local tree=$1 libraries=$2
    read -ra flags < <(PKG_CONFIG_PATH=$libraries/pkgconfig pkg-config --cflags --libs touchmark)
    gcc -std=c99 -o "$work/program" "$work/program.c" "${flags[@]}"
    test "$(LD_LIBRARY_PATH=$libraries "$work/program")" = "$version" || fail "a program built with $tree does not run"
}
built_with the-package "$work/root/usr/lib/x86_64-linux-gnu"
as_root --remove touchmark || fail "dpkg does not remove the package"
test ! -e "$work/root/usr/bin/touchmark"
echo "release: the Debian package is installed, used and removed"

# The tarball, wherever it is unpacked.
mkdir "$work/opt"
tar --extract --gzip --file "$name.tar.gz" --directory "$work/opt"
tree=$work/opt/$name
test "$("$tree/bin/touchmark" --version)" = "touchmark $version"
built_with the-tarball "$tree/lib"
for file in share/man/man1/touchmark.1 share/doc/touchmark/LICENSE-APACHE share/doc/touchmark/LICENSE-MIT share/doc/touchmark/README.md \
    share/doc/touchmark/THIRD-PARTY-NOTICES.md share/bash-completion/completions/touchmark lib/libtouchmark.a; do
    test -s "$tree/$file" || fail "the tarball has no $file"
done
bash -n "$tree/share/bash-completion/completions/touchmark"

# Signatures and attestations, by the verifier that is part of it.
same_json() { cmp <(jq --sort-keys . "$1") <(jq --sort-keys . "$2"); }
verifier=$tree/bin/touchmark-verify
for one in release:touchmark verify:touchmark-verify; do
    reference=oci-archive:$name.oci.tar:${one%:*}
    by=(--key release.pub --name "touchmark/${one#*:}:$version")
    is 0 "$verifier" "$reference" "${by[@]}"
    is 0 "$verifier" "$reference" "${by[@]}" --type spdx --print predicate
    same_json "$work/out" "$name.spdx.json"
    is 0 "$verifier" "$reference" "${by[@]}" --type slsa-v1 --print predicate
    same_json "$work/out" "$name.provenance.json"
    is 1 "$verifier" "$reference" --key release.pub --name "touchmark/${one#*:}:9.9.9"
done
"$tree/bin/touchmark" key generate --type ed25519 --no-passphrase --out "$work/other" --quiet >/dev/null
is 1 "$verifier" "oci-archive:$name.oci.tar:release" --key "$work/other.pub"
is 0 "$tree/bin/touchmark" unpack "oci-archive:$name.oci.tar:release" --out "$work/files" --key release.pub --name "touchmark/touchmark:$version"
for file in "$name.tar.gz" "$deb"; do cmp "$file" "$work/files/$file"; done
echo "release: signatures and attestations verify, and the signed files are the others"

# The image: its config says the digest of its layer, and in it the verifier runs.
mkdir "$work/layout" "$work/cell"
tar --extract --file "$name.oci.tar" --directory "$work/layout"
blob() { echo "$work/layout/blobs/sha256/${1#sha256:}"; }
manifest=$(blob "$(jq -r '.manifests[] | select(.annotations."org.opencontainers.image.ref.name" == "verify") | .digest' "$work/layout/index.json")")
layer=$(jq -r '.layers[0].digest' "$manifest")
jq --exit-status --arg layer "$layer" '.os == "linux" and .architecture == "amd64" and .config.Entrypoint == ["/touchmark-verify"]
    and .rootfs == {type: "layers", diff_ids: [$layer]}' "$(blob "$(jq -r .config.digest "$manifest")")" >/dev/null || fail "the image's config"
test "$(sha256sum <"$(blob "$layer")")" = "${layer#sha256:}  -" || fail "the image's diff_id is not the digest of its layer"
tar --extract --preserve-permissions --file "$(blob "$layer")" --directory "$work/cell"
for file in LICENSE-APACHE LICENSE-MIT THIRD-PARTY-NOTICES.md; do cmp "$root/$file" "$work/cell/$file" || fail "the image's $file"; done
cp "$name.oci.tar" release.pub "$work/cell/"
run=(env --ignore-environment "$(PATH="$PATH:/usr/sbin:/sbin" command -v chroot)" "$work/cell" /touchmark-verify)
is 0 "${run[@]}" "oci-archive:/$name.oci.tar:verify" --key /release.pub --name "touchmark/touchmark-verify:$version"
echo "release: the image's verifier verifies its own image"

# Whatever the SBOM says to be linked in and is somebody else's has its licence in the notices.
jq --raw-output '(.relationships[] | select(.relationshipType == "STATIC_LINK") | .relatedSpdxElement) as $id | .packages[] | select(.SPDXID == $id)
    | select(.externalRefs[0].referenceLocator | startswith("pkg:cargo/")) | select(.checksums) | "- \(.name) \(.versionInfo): "' "$name.spdx.json" |
    sort -u >"$work/linked"
test "$(wc -l <"$work/linked")" -ge 50 || fail "hardly any crates in the SBOM"
while IFS= read -r crate; do grep -qF -e "$crate" "$tree/share/doc/touchmark/THIRD-PARTY-NOTICES.md" || fail "the notices lack ${crate#- }"; done <"$work/linked"

# SBOM and provenance.
cd "$root"
"$venv/bin/pyspdxtools" --infile "$dist/$name.spdx.json"
jq --exit-status --arg commit "$(git rev-parse HEAD)" '
    .buildDefinition.resolvedDependencies as $read | $read[0].digest.gitCommit == $commit and ($read | length) > 100
    and all($read[]; .uri != "" and (.digest | length) == 1) and .runDetails.builder.id != ""' "$dist/$name.provenance.json" >/dev/null ||
    fail "the provenance"
python3 tests/release/sbom_complete.py "$dist/$name.spdx.json"
