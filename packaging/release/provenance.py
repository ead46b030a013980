"""Prints how a release was built: a predicate of SLSA provenance v1.

    provenance.py --target TRIPLE --commit COMMIT --time SECONDS

What was resolved are the commit, the compiler, and every crate that the build reads, with its digest in Cargo.lock. It has no time and no number of
the run, so that two builds of one commit say the same.
"""

import argparse
import os

from crates import SHIPPED, command, lock, rustc, tree, write

SOURCE = "git+https://github.com/touchmark/touchmark"
BUILD_TYPE = "https://github.com/touchmark/touchmark/blob/main/docs/release.md#make-dist"
# A machine of which nothing is promised.
ANYBODY = "https://github.com/touchmark/touchmark/blob/main/docs/release.md#anybodys-machine"


def main():
    arguments = argparse.ArgumentParser()
    for option in ("--target", "--commit", "--time"):
        arguments.add_argument(option, required=True)
    options = arguments.parse_args()

    checksums, read = lock(), set()
    for package in SHIPPED.values():
        licenses, _ = tree(package, options.target, "normal,build")
        read |= licenses.keys()
    crates = [
        {"uri": f"pkg:cargo/{name}@{version}", "digest": {"sha256": checksums[name, version]}}
        for name, version in sorted(read)
        if checksums[name, version]
    ]
    version, commit = rustc()
    write({
        "buildDefinition": {
            "buildType": BUILD_TYPE,
            "externalParameters": {"source": SOURCE, "version": command("packaging/version.sh").strip(), "target": options.target},
            "internalParameters": {"SOURCE_DATE_EPOCH": int(options.time)},
            "resolvedDependencies": [
                {"uri": SOURCE, "digest": {"gitCommit": options.commit}},
                {"uri": f"git+https://github.com/rust-lang/rust@{version}", "digest": {"gitCommit": commit}},
                *crates,
            ],
        },
        "runDetails": {"builder": {"id": os.environ.get("TOUCHMARK_BUILDER_ID") or ANYBODY}},
    })


if __name__ == "__main__":
    main()
