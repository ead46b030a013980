"""Fails if a function of the C header is not used by the headers of C++: complete.py HEADER CPP_HEADER..."""

import pathlib
import re
import sys

FUNCTION = re.compile(r"\b(touchmark_\w+)\s*\(")
# An exception has the status that the call returned.
NOT_NEEDED = {"touchmark_error_status"}


def main():
    header, *cpp = map(pathlib.Path, sys.argv[1:])
    # Comments name functions as well.
    declared = set(FUNCTION.findall(re.sub(r"/\*.*?\*/|//[^\n]*", "", header.read_text(), flags=re.S)))
    used = set(re.findall(r"\btouchmark_\w+\b", "".join(path.read_text() for path in cpp)))
    missing = sorted(name for name in declared - used - NOT_NEEDED if not name.endswith("_fn"))
    for name in missing:
        print(f"error: touchmark.hpp has nothing for {name}", file=sys.stderr)
    print(f"C++: {len(declared)} functions of the C interface, {len(missing)} without a counterpart")
    return 1 if missing or len(declared) < 50 else 0


if __name__ == "__main__":
    sys.exit(main())
