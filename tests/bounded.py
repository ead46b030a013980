"""Hostile OCI layouts against the release programs: each ends with the right exit code, within limits of time and memory.

    tests/bounded.py [--gibibyte]

Figures are a child's own, from wait4; its memory includes what this script had when it started it, some 30 MiB. With --gibibyte also what reads 1 GiB for real; else large files are sparse and
must be refused before they are read.
"""

import argparse
import base64
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
TOUCHMARK = ROOT / "target/dist/touchmark"
VERIFIERS = (("touchmark-verify", [ROOT / "target/dist/touchmark-verify"]), ("touchmark verify", [TOUCHMARK, "verify"]))

MIB = 1 << 20
GIB = 1 << 30
# What each case may use at most.
MEMORY = 64 * MIB
CPU_SECONDS = 20

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
EMPTY = {
    "mediaType": "application/vnd.oci.empty.v1+json",
    "digest": "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
    "size": 2,
}
SIGNATURE = "application/vnd.touchmark.signature.v1+json"
ENVELOPE = "application/vnd.dsse.envelope.v1+json"
INLINE = 8 * 1024


class Layout:
    """An OCI layout that is written without any care."""

    def __init__(self, folder):
        self.folder = folder

    def blob_path(self, digest):
        return self.folder / "blobs/sha256" / digest.removeprefix("sha256:")

    def put(self, content):
        digest = "sha256:" + hashlib.sha256(content).hexdigest()
        self.blob_path(digest).write_bytes(content)
        return digest

    def put_sparse(self, size, name):
        """A file of zeros that takes no space, under a digest that is not its own."""
        digest = "sha256:" + hashlib.sha256(name.encode()).hexdigest()
        with open(self.blob_path(digest), "wb") as file:
            file.truncate(size)
        return digest

    def put_manifest(self, document):
        content = json.dumps(document).encode()
        return {"mediaType": MANIFEST, "digest": self.put(content), "size": len(content)}

    def read(self, digest):
        return json.loads(self.blob_path(digest).read_bytes())

    def index(self):
        return json.loads((self.folder / "index.json").read_bytes())

    def set_entries(self, entries):
        index = self.index()
        index["manifests"] = entries
        (self.folder / "index.json").write_text(json.dumps(index))


def run(*command):
    return subprocess.run([str(part) for part in command], check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True).stdout


def measure(command):
    """The exit code, CPU seconds, peak memory and standard error of a command."""
    with tempfile.TemporaryFile() as errors:
        child = subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL, stderr=errors)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        errors.seek(0)
        talk = errors.read().decode(errors="replace")
    return child.returncode, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, talk


def signed(work, name):
    """A signed artifact in a new layout: the layout, the artifact's entry and the signature's entry."""
    folder = work / name
    content = work / "content"
    content.write_bytes(b"content\n")
    run(TOUCHMARK, "pack", content, "--to", f"oci:{folder}:v1")
    run(TOUCHMARK, "sign", f"oci:{folder}:v1", "--key", work / "key", "--name", "acme/x:1")
    layout = Layout(folder)
    entries = layout.index()["manifests"]
    subject = next(entry for entry in entries if entry.get("annotations", {}).get("org.opencontainers.image.ref.name") == "v1")
    signature = next(entry for entry in entries if entry.get("artifactType") == SIGNATURE)
    return layout, subject, signature


def descriptor(entry):
    return {name: entry[name] for name in ("mediaType", "digest", "size")}


def lying_referrers(work, name, count):
    """`count` referrers that are listed as signatures and are none, but for the last, which is one and is listed as something else."""
    layout, subject, signature = signed(work, name)
    layer = {"mediaType": ENVELOPE, "digest": layout.put(b"{}"), "size": 2, "data": base64.b64encode(b"{}").decode()}
    entries = [subject]
    for number in range(count - 1):
        document = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "artifactType": SIGNATURE if number % 2 else "text/plain",
            "config": EMPTY,
            "layers": [layer],
            "subject": descriptor(subject),
            "annotations": {"number": str(number)},
        }
        entries.append({**layout.put_manifest(document), "artifactType": SIGNATURE})
    entries.append({**descriptor(signature), "artifactType": "text/plain"})
    layout.set_entries(entries)
    return layout


def envelope_of(layout, signature):
    manifest = layout.read(signature["digest"])
    return manifest, layout.read(manifest["layers"][0]["digest"])


def with_envelope(layout, subject, manifest, content):
    """The layout with this envelope as its only signature."""
    layer = {"mediaType": ENVELOPE, "digest": layout.put(content), "size": len(content)}
    if len(content) <= INLINE:
        layer["data"] = base64.b64encode(content).decode()
    layout.set_entries([subject, {**layout.put_manifest({**manifest, "layers": [layer]}), "artifactType": SIGNATURE}])


def many_signatures(work, name, count):
    """One envelope with `count` signatures, of which only the last is right; the others have the key's id and are well formed."""
    layout, subject, signature = signed(work, name)
    manifest, envelope = envelope_of(layout, signature)
    good = envelope["signatures"][0]
    bad = [{**good, "sig": base64.b64encode(number.to_bytes(32, "big") + bytes(32)).decode()} for number in range(count - 1)]
    # Left behind, the scan of the blobs would find it.
    layout.blob_path(signature["digest"]).unlink()
    with_envelope(layout, subject, manifest, json.dumps({**envelope, "signatures": [*bad, good]}).encode())
    return layout


def large_artifact(work, name):
    layout, subject, _ = signed(work, name)
    digest = layout.put_sparse(GIB, name)
    layout.set_entries([{**subject, "digest": digest, "size": GIB}])
    return layout


def large_referrer(work, name, beside_good):
    """A referrer of 1 GiB, alone or listed before a good one."""
    layout, subject, signature = signed(work, name)
    huge = {"mediaType": MANIFEST, "digest": layout.put_sparse(GIB, name), "size": GIB, "artifactType": SIGNATURE}
    layout.set_entries([subject, huge, *([signature] if beside_good else [])])
    if not beside_good:
        layout.blob_path(signature["digest"]).unlink()
    return layout


def large_envelope(work, name, announced, beside_good=False):
    layout, subject, signature = signed(work, name)
    manifest, _ = envelope_of(layout, signature)
    layer = {"mediaType": ENVELOPE, "digest": layout.put_sparse(GIB, name), "size": announced}
    entry = {**layout.put_manifest({**manifest, "layers": [layer]}), "artifactType": SIGNATURE}
    layout.set_entries([subject, entry, *([signature] if beside_good else [])])
    if not beside_good:
        layout.blob_path(signature["digest"]).unlink()
    return layout


def large_blob(work):
    """An artifact with a layer of 1 GiB that is not sparse."""
    folder = work / "deep"
    content = work / "gibibyte"
    block = os.urandom(MIB)
    with open(content, "wb") as file:
        for _ in range(GIB // MIB):
            file.write(block)
    run(TOUCHMARK, "pack", content, "--to", f"oci:{folder}:v1")
    content.unlink()
    run(TOUCHMARK, "sign", f"oci:{folder}:v1", "--key", work / "key", "--name", "acme/x:1")
    return Layout(folder)


def cases(work, gibibyte):
    """What is tried: a title, how its layout is made, further options, and the exit code that is right."""
    yield "10,000 lying referrers, the good one last", lambda: lying_referrers(work, "a", 10_000), [], 0
    yield "10,001 lying referrers", lambda: lying_referrers(work, "b", 10_001), [], 4
    yield "10,001 lying referrers, cap raised", lambda: lying_referrers(work, "b2", 10_001), ["--max-referrers", "10001"], 0
    yield "a manifest of 1 GiB", lambda: large_artifact(work, "c"), [], 4
    yield "a referrer of 1 GiB", lambda: large_referrer(work, "d", False), [], 4
    yield "a referrer of 1 GiB before a good one", lambda: large_referrer(work, "e", True), [], 0
    yield "an envelope of 1 GiB", lambda: large_envelope(work, "f", GIB), [], 4
    yield "an envelope of 1 GiB before a good one", lambda: large_envelope(work, "g", GIB, True), [], 0
    yield "an envelope of 1 GiB announced as 1000 bytes", lambda: large_envelope(work, "h", 1000), [], (1, 4)
    yield "10,000 signatures in one envelope", lambda: many_signatures(work, "i", 10_000), [], 4
    raised = ["--max-signatures", "10000", "--max-envelope-size", "4MiB"]
    yield "10,000 signatures in one envelope, cap raised", lambda: many_signatures(work, "j", 10_000), raised, 0
    if gibibyte:
        yield "every blob of an artifact of 1 GiB", lambda: large_blob(work), ["--deep"], 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--gibibyte", action="store_true")
    gibibyte = parser.parse_args().gibibyte
    failed = 0
    work = pathlib.Path(tempfile.mkdtemp(prefix="touchmark-bounded-"))
    try:
        run(TOUCHMARK, "key", "generate", "--type", "ed25519", "--no-passphrase", "--out", work / "key")
        for title, make, options, wanted in cases(work, gibibyte):
            layout = make()
            for program, verify in VERIFIERS:
                command = [*verify, f"oci:{layout.folder}:v1", "--key", work / "key.pub", "--name", "acme/x:1", *options]
                code, cpu, memory, talk = measure(command)
                problems = []
                if code not in (wanted if isinstance(wanted, tuple) else (wanted,)):
                    problems.append(f"exit {code}, wanted {wanted}")
                if memory > MEMORY:
                    problems.append(f"more than {MEMORY // MIB} MiB")
                if cpu > CPU_SECONDS:
                    problems.append(f"more than {CPU_SECONDS} s")
                print(f"exit {code}, {cpu:6.3f} s CPU, {memory / MIB:5.1f} MiB  {program}: {title}", flush=True)
                if problems:
                    failed += 1
                    print(f"error: {', '.join(problems)}\n{talk[:2000]}", file=sys.stderr, flush=True)
            shutil.rmtree(layout.folder)
    finally:
        shutil.rmtree(work)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
