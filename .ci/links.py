"""Checks that every relative link in the documents leads to a file."""

import pathlib
import re
import subprocess
import sys

LINK = re.compile(r"\[[^\]]*\]\(([^)\s#]+)[^)]*\)")


def main():
    files = subprocess.run(("git", "ls-files", "*.md"), check=True, stdout=subprocess.PIPE, text=True).stdout.split()
    broken = []
    for name in files:
        page = pathlib.Path(name)
        for link in LINK.findall(page.read_text()):
            if "://" not in link and not (page.parent / link).exists():
                broken.append(f"{name}: {link}")
    for link in broken:
        print(f"error: broken link: {link}", file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
