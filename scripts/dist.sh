#!/usr/bin/env bash
# Makes a release in target/dist: tarball, Debian package, the verifier as a container image, SBOM, provenance, signatures and SHA256SUMS. The same
# commit gives the same bytes, wherever it is built.
#
#   scripts/dist.sh            (make dist)
#
#   TOUCHMARK_RELEASE_KEY      a private key, a file, that signs; its passphrase is $TOUCHMARK_PASSPHRASE. Without it a key signs that is thrown away
#   TOUCHMARK_BUILDER_ID       who builds, a URI, as the provenance says it; without it, that this is nobody in particular
#   SOURCE_DATE_EPOCH          the time of everything; without it, that of the commit
#
# docs/release.md says how a release is made and verified.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
umask 022
export LC_ALL=C TZ=UTC

packaging/need.sh dpkg-deb objdump gzip tar
triple=x86_64-unknown-linux-gnu
arch=amd64
multiarch=x86_64-linux-gnu
version=$(packaging/version.sh)
if [ "$(uname -sm)" != "Linux x86_64" ]; then
    echo "error: releases are made on Linux on x86_64" >&2
    exit 1
fi
# A tree without git is an archive of a commit, and says both itself.
commit=${TOUCHMARK_COMMIT:-$(git rev-parse HEAD)}
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
issued=$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y-%m-%dT%H:%M:%SZ)

tests/release/build.sh
RUSTFLAGS=$(scripts/rustflags.sh) scripts/capi.sh --build

dist=$root/target/dist
touchmark=$dist/touchmark
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
name=touchmark-$version-$triple
rm -f "$dist"/touchmark-"$version"-* "$dist"/touchmark_"$version"_* "$dist/release.pub" "$dist/SHA256SUMS"

# fill FOLDER PREFIX LIBDIR ZSH FISH: everything that is installed, below FOLDER.
fill() {
    local to=$1 prefix=$2 libdir=$3 zsh=$4 fish=$5
    local share=$to$prefix/share
    install -D -m 755 "$dist/touchmark" "$to$prefix/bin/touchmark"
    install -D -m 755 "$dist/touchmark-verify" "$to$prefix/bin/touchmark-verify"
    PREFIX=$prefix DESTDIR=$to LIBDIR=$libdir INCLUDEDIR=include packaging/install.sh install target/libtouchmark/full >/dev/null
    "$touchmark" man "$share/man/man1" --quiet >/dev/null
    mkdir -p "$share/bash-completion/completions" "$share/$zsh" "$share/$fish"
    "$touchmark" completions bash >"$share/bash-completion/completions/touchmark"
    "$touchmark" completions zsh >"$share/$zsh/_touchmark"
    "$touchmark" completions fish >"$share/$fish/touchmark.fish"
    install -D -m 644 -t "$share/doc/touchmark" README.md SPEC.md SECURITY.md
}

# settle FOLDER: permissions and times that do not depend on who builds.
settle() {
    find "$1" -type d -exec chmod 755 {} +
    find "$1" -type f -perm /111 -exec chmod 755 {} +
    find "$1" -type f ! -perm /111 -exec chmod 644 {} +
    find "$1" -exec touch --no-dereference --date "@$SOURCE_DATE_EPOCH" {} +
}

fill "$stage" "/$name" lib zsh/site-functions fish/vendor_completions.d
install -m 644 CHANGELOG.md "$stage/$name/share/doc/touchmark/CHANGELOG.md"
settle "$stage/$name"
tar --create --directory "$stage" --sort=name --format=ustar --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" "$name" |
    gzip -9n >"$dist/$name.tar.gz"

mkdir "$stage/deb"
fill "$stage/deb" /usr "lib/$multiarch" zsh/vendor-completions fish/vendor_completions.d
packaging/release/deb.sh "$stage/deb" "$version" "$arch"
settle "$stage/deb"
# One thread of a compressor that has no other way: the same bytes on every machine.
dpkg-deb --root-owner-group -Zgzip -z9 --build "$stage/deb" "$dist/touchmark_${version}_$arch.deb" >/dev/null

python3 packaging/release/sbom.py --target "$triple" --commit "$commit" --time "$issued" --dist "$dist" >"$dist/$name.spdx.json"
python3 packaging/release/provenance.py --target "$triple" --commit "$commit" --time "$SOURCE_DATE_EPOCH" >"$dist/$name.provenance.json"

# What is shipped is packed, signed and attested by what is shipped.
key=${TOUCHMARK_RELEASE_KEY-}
if [ -z "$key" ]; then
    key=$stage/throw-away
    "$touchmark" key generate --type ed25519 --no-passphrase --out "$key" --quiet >/dev/null
    echo "note: TOUCHMARK_RELEASE_KEY is not set: what signs is a key of this run alone, which is thrown away; its public half is release.pub" >&2
fi
"$touchmark" key public "$key" >"$dist/release.pub"

# sign TAG NAME: signs and attests the artifact with this tag.
sign() {
    local pin
    pin=$("$touchmark" resolve "oci:$stage/layout:$1")
    "$touchmark" sign "$pin" --key "$key" --name "$2" --issued "$issued" --quiet >/dev/null
    "$touchmark" attest "$pin" --key "$key" --name "$2" --type spdx --predicate "$dist/$name.spdx.json" --quiet >/dev/null
    "$touchmark" attest "$pin" --key "$key" --name "$2" --type slsa-v1 --predicate "$dist/$name.provenance.json" --quiet >/dev/null
}
(
    cd "$dist"
    "$touchmark" pack "$name.tar.gz" "touchmark_${version}_$arch.deb" --to "oci:$stage/layout:release" --quiet \
        --artifact-type application/vnd.touchmark.release --annotation "org.opencontainers.image.version=$version" \
        --annotation "org.opencontainers.image.revision=$commit" >/dev/null
    "$touchmark" pack touchmark-verify "$root"/{LICENSE-APACHE,LICENSE-MIT,THIRD-PARTY-NOTICES.md} --image "linux/$arch" --to "oci:$stage/layout:verify" --quiet \
        --annotation "org.opencontainers.image.version=$version" --annotation "org.opencontainers.image.revision=$commit" >/dev/null
)
sign release "touchmark/touchmark:$version"
sign verify "touchmark/touchmark-verify:$version"
"$touchmark" copy --all-tags "oci:$stage/layout" "oci-archive:$stage/oci.tar" --quiet >/dev/null
install -m 644 "$stage/oci.tar" "$dist/$name.oci.tar"

(
    cd "$dist"
    sha256sum "$name.oci.tar" "$name.provenance.json" "$name.spdx.json" "$name.tar.gz" "touchmark_${version}_$arch.deb" >SHA256SUMS
    cat SHA256SUMS
)
