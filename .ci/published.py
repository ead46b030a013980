"""Checks what each published crate says of itself, and that whatever tests need alone is not published."""

import json
import pathlib
import subprocess
import sys

# What crates.io, docs.rs and those who search there read.
FIELDS = ("description", "license", "repository", "documentation", "readme", "rust_version")
# At most so many keywords, of so many characters (The Cargo Book, "The Manifest Format").
MAX_KEYWORDS, MAX_KEYWORD = 5, 20


def problems_of(package):
    name = package["name"]
    for field in FIELDS:
        if not package[field]:
            yield f"{name} has no {field}"
    folder = pathlib.Path(package["manifest_path"]).parent
    if not (folder / (package["readme"] or "README.md")).is_file():
        yield f"{name}: its readme is not there"
    keywords = package["keywords"]
    if not 1 <= len(keywords) <= MAX_KEYWORDS or any(len(keyword) > MAX_KEYWORD for keyword in keywords):
        yield f"{name}: 1 to {MAX_KEYWORDS} keywords of at most {MAX_KEYWORD} characters, not {keywords}"
    if not package["categories"]:
        yield f"{name} has no categories"
    libraries = [target for target in package["targets"] if "lib" in target["kind"]]
    docs = ((package["metadata"] or {}).get("docs") or {}).get("rs") or {}
    if libraries and docs.get("all-features") is not True:
        yield f"{name}: docs.rs is not told of all features ([package.metadata.docs.rs])"


def main():
    command = ("cargo", "metadata", "--locked", "--format-version", "1", "--no-deps")
    packages = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)["packages"]
    published = [package for package in packages if package["publish"] is None]
    problems = [problem for package in published for problem in problems_of(package)]
    names = {package["name"] for package in published}
    for package in packages:
        if package["name"] not in names and "/crates/" in package["manifest_path"]:
            problems.append(f"{package['name']} is among the crates and is not published")
        if package["name"] in names and "/crates/" not in package["manifest_path"]:
            problems.append(f"{package['name']} would be published: publish = false is missing")
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    print(f"{len(published)} crates are published: {', '.join(sorted(names))}")
    return 1 if problems or not published else 0


if __name__ == "__main__":
    sys.exit(main())
