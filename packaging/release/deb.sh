#!/usr/bin/env bash
# What makes a tree a Debian package: control files, the copyright, the changelog, and manual pages as Debian wants them.
#
#   deb.sh FOLDER VERSION ARCHITECTURE
set -euo pipefail
cd "$(dirname "$0")/../.."
tree=$1 version=$2 arch=$3
doc=$tree/usr/share/doc/touchmark

find "$tree/usr/share/man" -type f -name '*.1' -exec gzip -9n {} +
gzip -9nc CHANGELOG.md >"$doc/changelog.gz"
# Debian has both licences.
rm "$doc/LICENSE-APACHE"
cat >"$doc/copyright" <<EOF
Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: touchmark
Source: https://github.com/touchmark/touchmark
Comment: What is linked in of others, and its licences, is in /usr/share/doc/touchmark/THIRD-PARTY-NOTICES.md.

Files: *
Copyright: the Touchmark authors
License: Apache-2.0 or Expat

License: Apache-2.0
 On Debian systems, the whole text of the Apache License, version 2.0, is in /usr/share/common-licenses/Apache-2.0.

License: Expat
$(sed -e '1,/^$/d' -e 's/^$/./' -e 's/^/ /' LICENSE-MIT)
EOF

# newest PREFIX FILE...: the newest version of these symbols that the files need.
newest() {
    local prefix=$1
    shift
    objdump -T "$@" | grep -o "${prefix}_[0-9.]*" | sed "s/^${prefix}_//" | sort -V | tail -n 1
}
library=$tree/usr/lib/x86_64-linux-gnu/libtouchmark.so.$version
needed=$(objdump -p "$tree/usr/bin/touchmark" "$library" | awk '$1 == "NEEDED" { print $2 }' | sort -u)
depends=''
for soname in $needed; do
    case $soname in
    libc.so.6 | libm.so.6 | ld-linux-x86-64.so.2) package="libc6 (>= $(newest GLIBC "$tree/usr/bin/touchmark" "$library"))" ;;
    libgcc_s.so.1) package="libgcc-s1 (>= $(newest GCC "$tree/usr/bin/touchmark" "$library"))" ;;
    *) echo "error: $soname is needed, and of which package it is is not known" >&2; exit 1 ;;
    esac
    case ", $depends, " in *", $package, "*) ;; *) depends="${depends:+$depends, }$package" ;; esac
done

mkdir -p "$tree/DEBIAN"
cat >"$tree/DEBIAN/control" <<EOF
Package: touchmark
Version: $version
Section: utils
Priority: optional
Architecture: $arch
Maintainer: Touchmark maintainers <maintainers@touchmark.invalid>
Installed-Size: $(find "$tree/usr" -type f -printf '%s\n' | awk '{ kib += int(($1 + 1023) / 1024) } END { print kib }')
Depends: $depends
Homepage: https://github.com/touchmark/touchmark
Description: sign an OCI artifact once and verify it anywhere
 Touchmark signs OCI artifacts by their digest and a name that their publisher
 owns, and verifies them in registries, folders and archives by public keys,
 by a trust root and by how they were made.
 .
 This package has the command line, the standalone verifier, and the C library
 with all that is needed to build programs with it.
EOF
echo "activate-noawait ldconfig" >"$tree/DEBIAN/triggers"
echo "libtouchmark ${version%%.*} touchmark (>= $version)" >"$tree/DEBIAN/shlibs"
(cd "$tree" && find usr -type f -print0 | sort -z | xargs -0 md5sum) >"$tree/DEBIAN/md5sums"
