#!/usr/bin/env python3
"""Stages a name for each tag that Docker Content Trust has signed.

    docker trust inspect registry.example.com/acme/net-monitor >inspect.json
    names.py inspect.json --names registry.example.com/acme=acme [--at REPOSITORY] [--dir DIR] [--skip-missing]

The tag 1.1 of registry.example.com/acme/net-monitor becomes the name acme/net-monitor:1.1, and stands for the digest that was signed, whatever
the tag leads to now. The artifact is looked at where it is, or in REPOSITORY (a registry's, oci:FOLDER or oci-archive:FILE), and must have that
digest. A tag that cannot be had is an error, or left out and said (--skip-missing). Nothing is signed here: `touchmark trust sign` shows what was
staged, and asks for the key. Needs `touchmark` in PATH.
"""

import argparse
import json
import re
import subprocess
import sys


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("inspect", type=argparse.FileType("rb"), help="what `docker trust inspect` printed, as JSON; - is standard input")
    arguments.add_argument("--names", required=True, metavar="HOST/PATH=PREFIX", help="the names of the repositories below HOST/PATH begin with PREFIX")
    arguments.add_argument("--at", metavar="REPOSITORY", help="where the artifacts are, if not where their name says")
    arguments.add_argument("--dir", default="trust", help="the trust repository [default: trust]")
    arguments.add_argument("--skip-missing", action="store_true", help="leave out what cannot be had")
    options = arguments.parse_args()
    place, separator, prefix = options.names.partition("=")
    if not separator:
        arguments.error(f"--names {options.names} is not HOST/PATH=PREFIX")

    failed = 0
    for repository in json.load(options.inspect):
        # A tag at the end is what was asked for. A port has a slash after it.
        path = re.sub(r":[^/:]*$", "", repository["Name"])
        if path != place and not path.startswith(f"{place}/"):
            sys.exit(f"error: {path} is not below {place}")
        for tag in repository.get("SignedTags", []):
            if not re.fullmatch(r"[0-9a-f]{64}", tag["Digest"]):
                sys.exit(f"error: {path}:{tag['SignedTag']}: the digest is none: {tag['Digest']!r}")
            name = f"{prefix}{path.removeprefix(place)}:{tag['SignedTag']}"
            reference = f"{options.at or path}@sha256:{tag['Digest']}"
            command = ["touchmark", "trust", "--dir", options.dir, "name", "set", name, reference, "--quiet"]
            done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            # 4 is "could not be had"; anything else is no question of what is missing.
            if done.returncode == 0:
                print(f"{name} sha256:{tag['Digest']} (signed by {', '.join(tag['Signers'])})")
            elif done.returncode == 4 and options.skip_missing:
                print(f"{name}: left out", file=sys.stderr)
            else:
                failed += 1
    if failed:
        sys.exit(f"error: {failed} names are not staged")


if __name__ == "__main__":
    main()
