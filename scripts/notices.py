#!/usr/bin/env python3
"""Writes THIRD-PARTY-NOTICES.md: the licences of everything of others that is linked into what is shipped in binary form.

    scripts/notices.py             writes it
    scripts/notices.py --check     fails if what is committed is not what this would write

The crates are those that the SBOM names; their licences' texts are read in their sources, as Cargo.lock has them. What is no crate, Rust's
standard library and the C library of the static verifier, is told in packaging/notices.
"""

import difflib
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "packaging/release"))
from crates import SHIPPED, command, tree  # noqa: E402

NOTICES = ROOT / "THIRD-PARTY-NOTICES.md"
# The releases'. On Linux on other processors there is no other crate, only fewer.
TARGET = "x86_64-unknown-linux-gnu"
# Of several licences at choice, the first of these.
PREFERRED = ("MIT", "Apache-2.0", "BSD-3-Clause", "BSD-2-Clause", "ISC", "Zlib", "Unicode-3.0", "Unlicense", "CC0-1.0")
# The names of files that have licences, or what is to be said with them.
LICENSE_FILE = re.compile(r"(?:(?:un)?licen[cs]e|copying|copyright|notice|authors|patents)(?:[-_.].*)?", re.IGNORECASE)
SOURCE_CODE = {".c", ".h", ".rs", ".py", ".html"}
# By what a text is known to be a licence's; a text of none of these is given in any case.
MARKS = {
    "MIT": "Permission is hereby granted, free of charge, to any person obtaining",
    "Apache-2.0": "TERMS AND CONDITIONS FOR USE, REPRODUCTION, AND DISTRIBUTION",
    "BSD-3-Clause": "Redistribution and use in source and binary forms",
    "BSD-2-Clause": "Redistribution and use in source and binary forms",
    "ISC": "Permission to use, copy, modify, and/or distribute this software",
    "Zlib": "This software is provided 'as-is', without any express or implied",
    "Unicode-3.0": "UNICODE LICENSE V3",
    "Unlicense": "This is free and unencumbered software released into the public domain",
    "CC0-1.0": "CC0 1.0 Universal",
}
HEAD = """# Third-party notices

What Touchmark ships in binary form, the programs `touchmark` and `touchmark-verify` and the library `libtouchmark`, has work of others linked into it, under the
licences below. Touchmark itself is licensed under Apache-2.0 or MIT, at your option (LICENSE-APACHE, LICENSE-MIT). `scripts/notices.py` writes this file.

## Crates
Each with the licence that its authors declare, the one that it is used under where there is a choice, what it is linked into, and the texts below that are its own.
"""


def fail(message):
    sys.exit(f"error: {message}")


def clean(text):
    """A text without what differs between equal ones: ends of lines, empty lines around it."""
    return "\n".join(line.rstrip() for line in text.splitlines()).strip("\n")


def kinds(text):
    """The licences that a file has the texts of."""
    words = " ".join(text.split())
    return {name for name, mark in MARKS.items() if mark in words}


def choices(expression):
    """What an SPDX expression demands: a list of which each is needed, as a list of what it may be."""
    if " AND " in expression and re.search(r" OR (?![^(]*\))", expression):
        fail(f"what is chosen of `{expression}` is not clear")
    return [part.strip("()").split(" OR ") for part in expression.split(" AND ")]


def licenses(name, expression, texts):
    """Which licences a crate is used under: of those to choose from the first that is known, and that its source has the text of if it has any."""
    has = set().union(*map(kinds, texts))
    used = []
    for alternatives in choices(expression):
        known = sorted(set(alternatives) & set(PREFERRED), key=PREFERRED.index)
        if not known:
            fail(f"{name}: none of the licences of `{expression}` is known to scripts/notices.py")
        used.append(next((one for one in known if one in has), known[0]))
    return used


def standard(name, license, package):
    """The text of a licence for a crate that has none in its source, with the authors that it names."""
    authors = ", ".join(package["authors"]) or f"the authors of {name}"
    if license == "MIT":
        return re.sub("^Copyright.*", lambda _: f"Copyright (c) {authors}", (ROOT / "LICENSE-MIT").read_text(encoding="utf-8"), count=1)
    if license == "Apache-2.0":
        return f"Copyright {authors}\n\n" + (ROOT / "LICENSE-APACHE").read_text(encoding="utf-8")
    return fail(f"{name} has no text of {license} in its source, and scripts/notices.py has none")


def files(package):
    """The files in a crate's source that have licences, by their paths in it."""
    folder = pathlib.Path(package["manifest_path"]).parent
    found = {path for path in folder.rglob("*") if path.is_file() and LICENSE_FILE.fullmatch(path.name) and path.suffix not in SOURCE_CODE}
    if package["license_file"]:
        found.add(folder / package["license_file"])
    # By the parts of the path: the same order on every system.
    return {path.relative_to(folder).as_posix(): clean(path.read_text(encoding="utf-8")) for path in sorted(found, key=lambda path: path.parts)}


def notices():
    metadata = json.loads(command("cargo", "metadata", "--locked", "--format-version", "1", "--filter-platform", TARGET))
    packages = {(package["name"], package["version"]): package for package in metadata["packages"]}
    expressions, within = {}, {}
    for product, shipped in SHIPPED.items():
        for crate, expression in tree(shipped, TARGET)[0].items():
            if packages[crate]["source"]:
                expressions[crate] = expression
                within.setdefault(crate, []).append(product)

    lines, texts = [], {}
    for crate in sorted(expressions):
        name, package, expression = " ".join(crate), packages[crate], expressions[crate]
        own = files(package)
        used = licenses(name, expression, own.values())
        # What is not chosen is not needed. If all are needed, so is every file.
        if " OR " in expression:
            own = {path: text for path, text in own.items() if not kinds(text) or kinds(text) & set(used)}
        missing = set(used) - set().union(*map(kinds, own.values()))
        own.update({f"{license}, the text that is common": clean(standard(name, license, package)) for license in sorted(missing)})
        numbers = []
        for path, text in own.items():
            number, users = texts.setdefault(text, (len(texts) + 1, []))
            users.append(f"{name} ({path})")
            numbers.append(str(number))
        choice = f", used under {' and '.join(used)}" if " OR " in expression else ""
        lines.append(f"- {name}: `{expression}`{choice}; in {', '.join(within[crate])}; text {', '.join(numbers)}")

    parts = [HEAD + "\n".join(lines), "## Texts"]
    for text, (number, users) in texts.items():
        parts.append(f"### Text {number}\n{', '.join(users)}\n\n```text\n{text}\n```")
    parts += [(ROOT / "packaging/notices" / name).read_text(encoding="utf-8").strip() for name in ("rust-std.md", "glibc.md")]
    return "\n\n".join(parts) + "\n"


def main():
    made = notices()
    if sys.argv[1:] == ["--check"]:
        committed = NOTICES.read_text(encoding="utf-8") if NOTICES.exists() else ""
        if committed == made:
            return 0
        for line in list(difflib.unified_diff(committed.splitlines(), made.splitlines(), NOTICES.name, "as it would be", lineterm="", n=0))[:40]:
            print(line, file=sys.stderr)
        fail(f"{NOTICES.name} is not what Cargo.lock and the crates' sources say: run scripts/notices.py, and commit what it writes")
    if sys.argv[1:]:
        fail("usage: scripts/notices.py [--check]")
    NOTICES.write_text(made, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
