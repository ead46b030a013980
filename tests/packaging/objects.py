"""Checks the shared objects that are shipped: their sizes, what they export, what they need, and under which name they are looked for.

    objects.py FULL.so VERIFIER.so
"""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Bytes, stripped (BENCHMARKS.md says what makes them up).
BOUNDS = {"full": 2_500_000, "verifier": 1_200_000}
# What each flavour has of the features in symbols.txt.
FEATURES = {"full": {"sign", "io", "supply-chain"}, "verifier": set()}
NEEDED = {"libc.so.6", "libgcc_s.so.1", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}


def run(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def symbols(flavour):
    """The names that a flavour is to export: a line of symbols.txt is a name and the features that it takes."""
    lines = [line.split() for line in (ROOT / "crates/capi/symbols.txt").read_text().splitlines() if line and not line.startswith("#")]
    return {name for name, *features in lines if set(",".join(features).replace("+", ",").split(",")) - {""} <= FEATURES[flavour]}


def check(flavour, path):
    dynamic = run("readelf", "--dynamic", "--wide", path)
    size = pathlib.Path(path).stat().st_size
    print(f"libtouchmark.so ({flavour}): {size:,} bytes, bound {BOUNDS[flavour]:,}")
    if size > BOUNDS[flavour]:
        yield f"it has {size:,} bytes where {BOUNDS[flavour]:,} are the bound"
    sections = run("readelf", "--sections", "--wide", path)
    if ".symtab" in sections or ".debug_info" in sections:
        yield "it is not stripped"

    exported = {line.split()[-1].split("@")[0] for line in run("nm", "--dynamic", "--defined-only", path).splitlines()}
    wanted = symbols(flavour)
    if more := exported - wanted:
        yield f"it exports what is not in crates/capi/symbols.txt: {', '.join(sorted(more))}"
    if less := wanted - exported:
        yield f"it does not export what is in crates/capi/symbols.txt: {', '.join(sorted(less))}"

    needed = set(re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic))
    if others := needed - NEEDED:
        yield f"it needs {', '.join(sorted(others))}"
    version = run(str(ROOT / "packaging/version.sh")).strip()
    soname = f"libtouchmark.so.{version.split('.')[0]}"
    if re.findall(r"\(SONAME\).*\[(.*)\]", dynamic) != [soname]:
        yield f"its SONAME is not {soname}"
    for tag in ("RPATH", "RUNPATH", "TEXTREL"):
        if f"({tag})" in dynamic:
            yield f"it has {tag}"
    if re.search(r"GNU_STACK.*RWE", run("readelf", "--program-headers", "--wide", path)):
        yield "its stack is executable"


def main():
    wrong = [f"{path}: {what}" for flavour, path in zip(BOUNDS, sys.argv[1:3], strict=True) for what in check(flavour, path)]
    for each in wrong:
        print(f"error: {each}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
