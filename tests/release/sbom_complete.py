"""Checks that an SBOM names every crate of which a program or the library has code: their unstripped symbols are asked, not cargo."""

import json
import os
import pathlib
import re
import subprocess
import sys

TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", "target"))
PROGRAMS = {
    "touchmark-binary": TARGET / "release/touchmark",
    "touchmark-verify-binary": TARGET / "x86_64-unknown-linux-gnu/release/touchmark-verify",
}
# The crates of which Rust's standard library is made.
STANDARD = set("""alloc core std std_detect addr2line adler2 gimli hashbrown miniz_oxide object rustc_demangle memchr libc cfg_if compiler_builtins
    __rustc panic_abort panic_unwind unwind rustc_std_workspace_core rustc_std_workspace_alloc""".split())
# The beginning of a path in a demangled symbol, also behind `<` and `<T as `.
CRATE = re.compile(r"(?:^|[<& (])([a-z_][a-z0-9_]*)::")


def crates_of(program):
    lines = subprocess.run(("nm", "--demangle", "--defined-only", program), check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
    return {name for line in lines for name in CRATE.findall(line.split(" ", 2)[-1])} - STANDARD


def main():
    sbom = json.load(open(sys.argv[1]))
    names = {package["SPDXID"]: package["name"] for package in sbom["packages"]}
    # A package's name and the name of its library differ by more than the hyphen in few cases.
    library = {"rustls-webpki": "webpki", "touchmark-cli": "touchmark"}
    missing = 0
    for product, program in PROGRAMS.items():
        listed = {
            library.get(names[one["relatedSpdxElement"]], names[one["relatedSpdxElement"]].replace("-", "_"))
            for one in sbom["relationships"]
            if one["relationshipType"] == "STATIC_LINK" and names[one["spdxElementId"]] == product
        }
        found = crates_of(program)
        for crate in sorted(found - listed):
            print(f"error: the SBOM does not say that {crate} is in {product}", file=sys.stderr)
            missing += 1
        print(f"{product}: code of {len(found)} crates, {len(listed)} listed")
        if len(found) < 20:
            print(f"error: hardly any symbols in {program}: is it stripped?", file=sys.stderr)
            missing += 1
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
