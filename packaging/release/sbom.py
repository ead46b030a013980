"""Prints what is in a release, in SPDX 2.3: both programs, the library, and the crates in each.

    sbom.py --target TRIPLE --commit COMMIT --time TIME --dist FOLDER

FOLDER has the programs as they are shipped. The document is the same for the same build: it has the time of the commit, and lists are sorted.
"""

import argparse
import hashlib
import pathlib
import subprocess

from crates import ROOT, SHIPPED, command, lock, rustc, tree, write

HOME = "https://github.com/touchmark/touchmark"
LICENSE = "Apache-2.0 OR MIT"


def identifier(name, version):
    # Letters, digits, dots and hyphens (SPDX 2.3, 7.2).
    return "SPDXRef-" + "".join(c if c.isalnum() or c in ".-" else "-" for c in f"{name}-{version}")


def package(name, version, license, **more):
    return {
        "SPDXID": identifier(name, version),
        "name": name,
        "versionInfo": version,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": license,
        "copyrightText": "NOASSERTION",
        **more,
    }


def purl(locator):
    return {"externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": locator}]}


def digest(value):
    return {"checksums": [{"algorithm": "SHA256", "checksumValue": value}]}


def libc():
    """The C library that a static program has in it: Debian's package, or what there is."""
    asked = subprocess.run(("dpkg-query", "-W", "-f", "${Version}", "libc6-dev"), capture_output=True, text=True)
    if asked.returncode == 0 and asked.stdout:
        return package("glibc", asked.stdout, "LGPL-2.1-or-later", **purl(f"pkg:deb/debian/libc6-dev@{asked.stdout.replace('+', '%2B')}"))
    version = command("getconf", "GNU_LIBC_VERSION").split()[-1]
    return package("glibc", version, "LGPL-2.1-or-later", **purl(f"pkg:generic/glibc@{version}"))


def main():
    arguments = argparse.ArgumentParser()
    for option in ("--target", "--commit", "--time"):
        arguments.add_argument(option, required=True)
    arguments.add_argument("--dist", type=pathlib.Path, required=True)
    options = arguments.parse_args()

    version = command("packaging/version.sh").strip()
    checksums = lock()
    release = package("touchmark-release", version, LICENSE, homepage=HOME, **purl(f"pkg:github/touchmark/touchmark@{options.commit}"))
    compiler, _ = rustc()
    standard = package("rust-std", compiler, LICENSE, **purl(f"pkg:generic/rust-std@{compiler}"))
    packages = {one["SPDXID"]: one for one in (release, standard)}
    relations = {("SPDXRef-DOCUMENT", "DESCRIBES", release["SPDXID"])}

    files = {name: options.dist / name for name in ("touchmark", "touchmark-verify")}
    files["libtouchmark"] = ROOT / "target/libtouchmark/full/libtouchmark.so"
    for name, of in SHIPPED.items():
        content = hashlib.sha256(files[name].read_bytes()).hexdigest()
        product = package(name + "-binary", version, LICENSE, packageFileName=files[name].name, **digest(content))
        packages[product["SPDXID"]] = product
        relations.add((release["SPDXID"], "CONTAINS", product["SPDXID"]))
        relations.add((product["SPDXID"], "STATIC_LINK", standard["SPDXID"]))
        licenses, needs = tree(of, options.target)
        for (crate, crate_version), license in licenses.items():
            checksum = checksums[crate, crate_version]
            known = {**purl(f"pkg:cargo/{crate}@{crate_version}"), **(digest(checksum) if checksum else {})}
            one = package(crate, crate_version, license or "NOASSERTION", **known)
            packages[one["SPDXID"]] = one
            relations.add((product["SPDXID"], "STATIC_LINK", one["SPDXID"]))
        relations |= {(identifier(*one), "DEPENDS_ON", identifier(*other)) for one, other in needs}
    static = libc()
    packages[static["SPDXID"]] = static
    relations.add((identifier("touchmark-verify-binary", version), "STATIC_LINK", static["SPDXID"]))

    write({
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"touchmark-{version}-{options.target}",
        "documentNamespace": f"{HOME}/sbom/{version}/{options.target}/{options.commit}",
        "creationInfo": {"created": options.time, "creators": [f"Tool: touchmark-sbom-{version}"]},
        "packages": [packages[name] for name in sorted(packages)],
        "relationships": [
            {"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other} for one, kind, other in sorted(relations)
        ],
    })


if __name__ == "__main__":
    main()
