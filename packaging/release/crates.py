"""What is in each thing that is shipped: crates with versions, licences and digests, as Cargo.lock and cargo say."""

import json
import pathlib
import re
import subprocess
import tomllib

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Each thing that is shipped: its package, and the features that it is built with.
SHIPPED = {"touchmark": "touchmark-cli", "touchmark-verify": "touchmark-verify", "libtouchmark": "touchmark-capi"}
LINE = re.compile(r"(?P<depth>\d+)(?P<name>\S+) v(?P<version>[^\s;]+)(?: \([^)]*\))*;(?P<license>[^;]*)")


def command(*arguments):
    return subprocess.run(arguments, cwd=ROOT, check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout


def lock():
    """The digest of each crate of a registry, by name and version; None for those of this repository."""
    packages = tomllib.loads((ROOT / "Cargo.lock").read_text())["package"]
    return {(package["name"], package["version"]): package.get("checksum") for package in packages}


def tree(package, target, edges="normal,no-proc-macro"):
    """The crates that become part of a package, with their licences, and which needs which; the package itself is the first."""
    text = command("cargo", "tree", "--locked", "-p", package, "--target", target, "-e", edges, "--prefix", "depth", "-f", "{p};{l};")
    licenses, needs, above = {}, set(), []
    for line in text.splitlines():
        found = LINE.match(line)
        if not found:
            raise ValueError(f"cargo tree: {line}")
        crate, depth = (found["name"], found["version"]), int(found["depth"])
        # Before SPDX had expressions, crates wrote a slash for OR.
        licenses[crate] = found["license"].replace("/", " OR ")
        del above[depth:]
        if above:
            needs.add((above[-1], crate))
        above.append(crate)
    return licenses, sorted(needs)


def rustc():
    """The version of the compiler, and the commit of its sources."""
    said = dict(line.split(": ", 1) for line in command("rustc", "-vV").splitlines()[1:])
    return said["release"], said["commit-hash"]


def write(document):
    print(json.dumps(document, indent=2, ensure_ascii=False))
