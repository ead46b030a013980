"""Hostile folders of in-toto links against the release program: each ends with the right exit code, within limits of time and memory.

    tests/bounded_in_toto.py

Figures are as those of tests/bounded.py: a child's own, with the some 30 MiB that this script had when it started it.
"""

import base64
import hashlib
import json
import os
import pathlib
import shutil
import sys
import tempfile

from bounded import GIB, MIB, TOUCHMARK, measure, run

CPU_SECONDS = 20
# Beside what is said of a case.
MEMORY = 64 * MIB
# The largest file that is read, which is held once.
LARGEST = 64 * MIB


class Chain:
    """Steps that every one of some keys may do, with their links in `links`."""

    def __init__(self, folder, keys, steps, threshold=1, kind="ed25519"):
        self.folder, self.keys, self.links = folder, keys, folder / "links"
        self.links.mkdir(parents=True)
        for name in ["owner", *keys]:
            run(TOUCHMARK, "key", "generate", "--type", kind, "--no-passphrase", "--out", folder / name)
        template = folder / "template"
        functionaries = [word for name in keys for word in ("--functionary", folder / f"{name}.pub")]
        run(TOUCHMARK, "in-toto", "new", *functionaries, "--out", template)
        lines = [line for line in template.read_text().splitlines() if not line.lstrip().startswith("//")]
        self.layout = {**json.loads("\n".join(lines)), "inspect": []}
        self.ids = list(self.layout["keys"])
        self.layout["steps"] = [self.step(name, threshold) for name in steps]
        self.document = self.signed("owner", self.layout, "root.layout")

    def step(self, name, threshold):
        rules = {"expected_materials": [["DISALLOW", "*"]], "expected_products": [["ALLOW", "x"], ["DISALLOW", "*"]]}
        return {"_type": "step", "name": name, "pubkeys": self.ids, "threshold": threshold, "expected_command": ["true"], **rules}

    def signed(self, key, layout, name):
        """A layout, signed, in a file of this name."""
        (self.folder / "unsigned").write_text(json.dumps(layout))
        run(TOUCHMARK, "in-toto", "sign", self.folder / "unsigned", "--key", self.folder / key, "--out", self.folder / name)
        return self.folder / name

    def link(self, step, number=0, folder=None):
        """Has the step done by a key, and gives the file."""
        folder = folder or self.links
        folder.mkdir(exist_ok=True)
        run(TOUCHMARK, "in-toto", "run", "--step", step, "--key", self.folder / self.keys[number], "--out-dir", folder, "--", "true")
        return self.file(step, number, folder)

    def file(self, step, number=0, folder=None):
        return (folder or self.links) / f"{step}.{self.ids[number]:.8}.link"

    def verify(self, *more):
        return [
            *[TOUCHMARK, "in-toto", "verify", "--layout", self.document, "--layout-key", self.folder / "owner.pub"],
            *["--links", self.links, *more],
        ]


def forms(key):
    """The keyids of a P-256 key that a file may be named by: Touchmark's own, and those that others compute of its KEY object."""
    pem = key["keyval"]["public"]
    spki = base64.b64decode("".join(pem.splitlines()[1:-1]))
    yield hashlib.sha256(spki).hexdigest()
    for public in (pem, pem.strip(), spki[-65:].hex()):
        for keytype in ("ecdsa", "ecdsa-sha2-nistp256"):
            for more in ({}, {"keyid_hash_algorithms": ["sha256", "sha512"]}):
                whole = {"keytype": keytype, "keyval": {"public": public}, "scheme": "ecdsa-sha2-nistp256", **more}
                # Canonical JSON has the ends of lines as they are.
                text = json.dumps(whole, sort_keys=True, separators=(",", ":")).replace("\\n", "\n")
                yield hashlib.sha256(text.encode()).hexdigest()


def ten_thousand(folder):
    """100 steps that 8 keys must vouch for each, whose links are there under every form of their keyids."""
    steps = [f"s{number}" for number in range(100)]
    chain = Chain(folder, [f"k{number}" for number in range(8)], steps, 8, "ecdsa-p256")
    for step in steps:
        for number, key in enumerate(chain.layout["keys"].values()):
            link = chain.link(step, number)
            for keyid in forms(key):
                path = chain.links / f"{step}.{keyid:.8}.link"
                if path != link:
                    shutil.copyfile(link, path)
    count = len(list(chain.links.iterdir()))
    report = json.loads(run(*chain.verify("--format", "json")))["results"][0]["report"]["layouts"][0]
    read = sum(len(step["files"]) for step in report["steps"])
    assert count == read and count > 10_000, f"{count} links, of which {read} are read"
    return chain


def one(folder, put):
    """One step, and something in the place of its link."""
    chain = Chain(folder, ["bob"], ["s"])
    put(chain.file("s"))
    return chain


def sparse(path, size=GIB):
    with open(path, "wb") as file:
        file.truncate(size)


def nested(folder, depth):
    chain = Chain(folder, ["bob"], ["s"])
    place = chain.links
    for level in range(depth):
        # Each is a document of its own: one stands for one step only.
        sublayout = chain.signed("bob", {**chain.layout, "readme": f"level {level}"}, f"sublayout{level}")
        shutil.copyfile(sublayout, chain.file("s", 0, place))
        place = chain.file("s", 0, place).with_suffix("")
        place.mkdir()
    chain.link("s", 0, place)
    return chain


def looped(folder):
    """A sublayout whose folder is a link to the folder that it is in."""
    chain = Chain(folder, ["bob"], ["s"])
    shutil.copyfile(chain.signed("bob", chain.layout, "sublayout"), chain.file("s"))
    chain.file("s").with_suffix("").symlink_to(".")
    return chain


def many_large(folder):
    """17 files of 64 MiB, of which 16 may be read."""
    steps = [f"s{number}" for number in range(17)]
    chain = Chain(folder, ["bob"], steps)
    for step in steps:
        sparse(chain.file(step), LARGEST)
    return chain


def deep(path):
    """As deep as a file can be."""
    with open(path, "wb") as file:
        for _ in range(LARGEST // MIB):
            file.write(b"[" * MIB)


def cases(work):
    """What is tried: a title, how its folder is made, the exit code that is right, and how much memory more it may use."""
    yield "10,000 links", lambda: ten_thousand(work / "a"), 0, 0
    yield "a pipe in the place of a link", lambda: one(work / "b", os.mkfifo), 1, 0
    yield "a file of 1 GiB in the place of a link", lambda: one(work / "c", sparse), 4, 0
    yield "a link of the file system to itself", lambda: one(work / "d", lambda path: path.symlink_to(path.name)), 1, 0
    yield "a link of the file system without an end", lambda: one(work / "e", lambda path: path.symlink_to("/dev/zero")), 1, 0
    yield "64 MiB of brackets in the place of a link", lambda: one(work / "f", deep), 1, LARGEST
    # That the last could not be read changes nothing: the others are no links.
    yield "17 files of 64 MiB in the places of links", lambda: many_large(work / "g"), 1, LARGEST
    yield "8 sublayouts within each other", lambda: nested(work / "h", 8), 0, 0
    yield "9 sublayouts within each other", lambda: nested(work / "i", 9), 4, 0
    yield "a sublayout in its own folder, without an end", lambda: looped(work / "j"), 1, 0


def main():
    failed = 0
    work = pathlib.Path(tempfile.mkdtemp(prefix="touchmark-bounded-"))
    try:
        for title, make, wanted, more in cases(work):
            chain = make()
            code, cpu, memory, talk = measure(chain.verify())
            problems = []
            if code != wanted:
                problems.append(f"exit {code}, wanted {wanted}")
            if memory > MEMORY + more:
                problems.append(f"more than {(MEMORY + more) // MIB} MiB")
            if cpu > CPU_SECONDS:
                problems.append(f"more than {CPU_SECONDS} s")
            print(f"exit {code}, {cpu:6.3f} s CPU, {memory / MIB:5.1f} MiB  touchmark in-toto verify: {title}", flush=True)
            if problems:
                failed += 1
                print(f"error: {', '.join(problems)}\n{talk[:2000]}", file=sys.stderr, flush=True)
            shutil.rmtree(chain.folder)
    finally:
        shutil.rmtree(work)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
