"""Checks each feature of each crate alone, and that no feature or crate is in the tree that must not be."""

import json
import subprocess
import sys

# What these turn on changes how every crate in the build reads JSON.
FORBIDDEN_FEATURES = {f'serde_json feature "{name}"' for name in ("arbitrary_precision", "preserve_order", "float_roundtrip", "raw_value")}
# What is shipped reads and writes JSON with envelope::json alone.
FORBIDDEN_CRATES = {"serde_json", "serde", "olpc-cjson", "openssl-sys", "native-tls"}
SHIPPED = ("touchmark-cli", "touchmark-verify", "touchmark", "touchmark-capi")
# What the standalone verifier must not even be able to link.
FORBIDDEN_IN_VERIFIER = {'touchmark-envelope feature "sign"', 'touchmark feature "sign"'}
# Nor the C library that verifies alone; it has no crate either that reads or writes files.
FORBIDDEN_IN_C_VERIFIER = FORBIDDEN_IN_VERIFIER | {"touchmark v", "touchmark-oci v", "getrandom v", 'touchmark-trust feature "supply-chain"'}


def cargo(*arguments):
    return subprocess.run(("cargo", *arguments), check=True, stdout=subprocess.PIPE, text=True).stdout


def main():
    packages = json.loads(cargo("metadata", "--locked", "--format-version", "1", "--no-deps"))["packages"]
    checks = 0
    for package in packages:
        for features in ("", *sorted(package["features"].keys() - {"default"})):
            cargo("check", "--quiet", "--locked", "-p", package["name"], "--no-default-features", "--features", features)
            checks += 1
    print(f"{checks} feature sets of {len(packages)} packages compile alone")

    problems = []
    tree = cargo("tree", "--locked", "--workspace", "--all-features", "-e", "features", "--prefix", "none")
    problems += [f"{feature} is on" for feature in FORBIDDEN_FEATURES if feature in tree]
    for name in SHIPPED:
        tree = cargo("tree", "--locked", "-p", name, "--all-features", "-e", "normal", "--prefix", "none")
        crates = {line.split()[0] for line in tree.splitlines() if line}
        print(f"{name}: {len(crates)} crates")
        problems += [f"{name} depends on {crate}" for crate in sorted(crates & FORBIDDEN_CRATES)]
    tree = cargo("tree", "--locked", "-p", "touchmark-verify", "-e", "normal,features", "--prefix", "none")
    problems += [f"touchmark-verify has {feature}" for feature in FORBIDDEN_IN_VERIFIER if feature in tree]
    tree = cargo("tree", "--locked", "-p", "touchmark-capi", "--no-default-features", "-e", "normal,features", "--prefix", "none")
    problems += [f"touchmark-capi without features has {part}" for part in FORBIDDEN_IN_C_VERIFIER if any(line.startswith(part) for line in tree.splitlines())]
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
