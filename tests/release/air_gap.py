"""One tar, a root.json and the standalone verifier, on a machine that has nothing else and no network.

    air_gap.py [--programs FOLDER]

On the one side a publisher signs, and `touchmark copy --trust` makes the tar. On the other side is a root file system with the verifier, root.json
and the tar in it, in a network namespace without any address: no library, no home, no time zone, no /proc. There the verifier says yes, and says no
to each of TAMPERED, with the exit code and the reason that are written there; and what is in the tar beside what is asked for, HARMLESS, changes
nothing. FOLDER has the programs (target/dist); it needs root, for chroot and the namespace.
"""

import argparse
import hashlib
import io
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
from datetime import datetime, timedelta, timezone

ROOT = pathlib.Path(__file__).resolve().parents[2]
SIGNATURE = "application/vnd.touchmark.signature.v1+json"
TRUST = "application/vnd.touchmark.trust.v1"
TITLE, TAG = "org.opencontainers.image.title", "org.opencontainers.image.ref.name"
# A name with an entry, and one that stands by its envelopes alone.
LISTED, SIGNED = "acme/net-monitor:1.2.0", "acme/agent:7"
TAGS = {LISTED: "net-monitor", SIGNED: "agent"}


class Layout:
    """An OCI layout in a tar, as files that can be changed."""

    def __init__(self, tar):
        with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
            self.files = {one.name: archive.extractfile(one).read() for one in archive if one.isfile()}

    def tar(self):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
            for name, content in self.files.items():
                add(archive, name, content)
        return out.getvalue()

    @property
    def index(self):
        return json.loads(self.files["index.json"])

    @index.setter
    def index(self, index):
        self.files["index.json"] = json.dumps(index).encode()

    def blob(self, digest):
        return self.files[path(digest)]

    def json(self, digest):
        return json.loads(self.blob(digest))

    def put(self, content, like):
        """Adds a blob; its descriptor is another one's but for digest and size."""
        digest = "sha256:" + hashlib.sha256(content).hexdigest()
        self.files[path(digest)] = content
        return {**like, "digest": digest, "size": len(content)}

    def entry(self, wanted):
        [found] = [entry for entry in self.index["manifests"] if wanted(entry)]
        return found

    def tagged(self, tag):
        return self.entry(lambda entry: entry.get("annotations", {}).get(TAG) == tag)

    def exchange(self, old, new):
        """Puts another descriptor in the place of one of index.json."""
        index = self.index
        index["manifests"] = [new if entry == old else entry for entry in index["manifests"]]
        self.index = index

    def drop(self, wanted):
        index = self.index
        index["manifests"] = [entry for entry in index["manifests"] if not wanted(entry)]
        self.index = index

    def signatures(self, tag):
        """The manifests that are attached to an artifact as its signatures, with their entries."""
        subject = self.tagged(tag)["digest"]
        entries = [entry for entry in self.index["manifests"] if entry.get("artifactType") == SIGNATURE]
        return [(entry, manifest) for entry in entries if (manifest := self.json(entry["digest"]))["subject"]["digest"] == subject]

    def strip(self, tag):
        """Takes the signatures of an artifact away, as if there had been none."""
        gone = {entry["digest"] for entry, _ in self.signatures(tag)}
        listing = self.tagged(tag)["digest"].replace(":", "-")
        self.drop(lambda entry: entry["digest"] in gone or entry.get("annotations", {}).get(TAG) == listing)
        for digest in gone:
            del self.files[path(digest)]

    def trust(self):
        """The entry of the trust repository, its manifest, and the layers by title."""
        entry = self.entry(lambda entry: entry.get("artifactType") == TRUST)
        manifest = self.json(entry["digest"])
        return entry, manifest, {layer["annotations"][TITLE]: layer for layer in manifest["layers"]}

    def retitle(self, change):
        """Changes the trust repository: `change` is given its layers by title, and everything is named by its digest again."""
        entry, manifest, layers = self.trust()
        change(layers)
        manifest["layers"] = list(layers.values())
        self.exchange(entry, self.put(json.dumps(manifest).encode(), entry))


def add(archive, name, content, kind=tarfile.REGTYPE, **more):
    member = tarfile.TarInfo(name)
    member.size, member.type = len(content), kind
    for key, value in more.items():
        setattr(member, key, value)
    archive.addfile(member, io.BytesIO(content))


def path(digest):
    return "blobs/" + digest.replace(":", "/")


def flipped(content):
    """The same with one bit changed, in the middle."""
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def title_of(layers, role):
    """The title of a role's newest document, N.ROLE.json."""
    versions = [title.split(".")[0] for title in layers if title.split(".", 1)[1:] == [f"{role}.json"]]
    return f"{max(map(int, versions))}.{role}.json"


# What is tried, each on a layout of its own. `side` is what the one side made.


def a_byte_of_the_manifest(layout, side):
    place = path(layout.tagged("net-monitor")["digest"])
    layout.files[place] = flipped(layout.files[place])


def a_byte_of_a_layer(layout, side):
    manifest = layout.json(layout.tagged("net-monitor")["digest"])
    place = path(manifest["layers"][0]["digest"])
    layout.files[place] = flipped(layout.files[place])


def the_envelope_of_another_artifact(layout, side):
    """Another artifact's good envelope, attached to this one in the place of its own."""
    [(_, theirs)] = layout.signatures("other")
    [(entry, ours)] = layout.signatures("agent")
    layout.strip("agent")
    moved = layout.put(json.dumps({**ours, "layers": theirs["layers"]}).encode(), entry)
    index = layout.index
    index["manifests"].append(moved)
    layout.index = index


def the_signatures_taken_away(layout, side):
    layout.strip("agent")


def another_artifact_for_the_entry(layout, side):
    """The tag leads to the artifact of another name, which its publisher vouches for as well."""
    retag(layout, "net-monitor", "other")


def another_artifact_for_the_envelope(layout, side):
    retag(layout, "agent", "other")


def retag(layout, tag, to):
    old = layout.tagged(tag)
    layout.exchange(old, {**layout.tagged(to), "annotations": old["annotations"]})


def an_artifact_of_the_attacker_s(layout, side):
    """Under the tag, signed by the attacker's own key under the wanted name."""
    theirs = Layout(side["mallory"])
    layout.files |= {name: content for name, content in theirs.files.items() if name.startswith("blobs/")}
    index = layout.index
    taken = [entry for entry in index["manifests"] if entry.get("annotations", {}).get(TAG) != "agent"]
    index["manifests"] = taken + theirs.index["manifests"]
    layout.index = index


def no_trust_repository(layout, side):
    layout.drop(lambda entry: entry.get("artifactType") == TRUST)


def a_byte_of_the_timestamp(layout, side):
    place = path(layout.trust()[2]["timestamp.json"]["digest"])
    layout.files[place] = flipped(layout.files[place])


def a_timestamp_without_its_signature(layout, side):
    """A later expiry in it, and every digest on the way made anew."""

    def change(layers):
        layer = layers["timestamp.json"]
        document = json.loads(layout.blob(layer["digest"]))
        document["signed"]["expires"] = "2099-01-01T00:00:00Z"
        layers["timestamp.json"] = layout.put(json.dumps(document).encode(), layer)

    layout.retitle(change)


def targets_with_the_signature_of_another(layout, side):
    """The attacker's own targets under the name of ours, with the digests on the way made anew."""
    theirs = Layout(side["strangers"])
    _, _, their_layers = theirs.trust()

    def change(layers):
        title = title_of(layers, "targets")
        layers[title] = layout.put(theirs.blob(their_layers[title_of(their_layers, "targets")]["digest"]), layers[title])

    layout.retitle(change)


def the_metadata_of_another_root(layout, side):
    """The attacker's whole trust repository in the place of ours; it lists the same names."""
    theirs = Layout(side["strangers"])
    no_trust_repository(layout, side)
    layout.files |= {name: content for name, content in theirs.files.items() if name.startswith("blobs/")}
    index = layout.index
    index["manifests"].append(theirs.trust()[0])
    layout.index = index


def a_role_withheld(layout, side):
    layout.retitle(lambda layers: layers.pop(title_of(layers, "acme")))


def a_blob_of_a_role_withheld(layout, side):
    layers = layout.trust()[2]
    del layout.files[path(layers[title_of(layers, "acme")]["digest"])]


# Tampering with the tar itself: the bytes of a whole one are given.


def cut_off(tar):
    return tar[: len(tar) // 2]


def cut_within_its_end(tar):
    """Only the zeros that end it are missing."""
    return tar.rstrip(b"\0") + b"\0" * (-len(tar.rstrip(b"\0")) % 512)


def a_second(name):
    """A member a second time, of which some readers take the first and others the last."""

    def tamper(tar):
        layout = Layout(tar)
        return appended(tar, name, layout.files[name])

    return tamper


def appended(tar, name, content, **more):
    out = io.BytesIO()
    layout = Layout(tar)
    with tarfile.open(fileobj=out, mode="w", format=more.pop("format", tarfile.USTAR_FORMAT)) as archive:
        for one, text in layout.files.items():
            add(archive, one, text)
        add(archive, name, content, **more)
    return out.getvalue()


def a_name_by_pax(tar):
    """A member that by its own header is harmless, and by the pax record before it another index.json."""
    return appended(tar, "notes.txt", b"{}", format=tarfile.PAX_FORMAT, pax_headers={"path": "./blobs/../index.json"})


def a_long_name(tar):
    """The same by the long name of GNU tar."""
    return appended(tar, "x" * 90 + "/" + "y" * 90 + "/../../index.json", b"{}", format=tarfile.GNU_FORMAT)


def a_link_for_a_blob(tar):
    """The layer's place is taken by a link to a file of the machine."""
    layout = Layout(tar)
    manifest = layout.json(layout.tagged("net-monitor")["digest"])
    place = path(manifest["layers"][0]["digest"])
    del layout.files[place]
    return appended(layout.tar(), place, b"", kind=tarfile.SYMTYPE, linkname="/root.json")


# (what, the name that is asked for, more options, the exit code, the reason)
TAMPERED = [
    (a_byte_of_the_manifest, LISTED, [], 6, "wrong-digest"),
    (a_byte_of_a_layer, LISTED, ["--deep"], 6, "wrong-digest"),
    (the_envelope_of_another_artifact, SIGNED, [], 1, "threshold"),
    (the_signatures_taken_away, SIGNED, [], 3, "unsigned"),
    (another_artifact_for_the_entry, LISTED, [], 1, "entry"),
    (another_artifact_for_the_envelope, SIGNED, [], 1, "threshold"),
    (an_artifact_of_the_attacker_s, SIGNED, [], 1, "threshold"),
    (no_trust_repository, LISTED, [], 4, "trust-nowhere"),
    (a_byte_of_the_timestamp, LISTED, [], 4, "tuf-fetch"),
    (a_timestamp_without_its_signature, LISTED, [], 5, "tuf-threshold"),
    (targets_with_the_signature_of_another, LISTED, [], 5, "tuf-hash"),
    (the_metadata_of_another_root, LISTED, [], 5, "tuf-threshold"),
    (a_role_withheld, LISTED, [], 4, "tuf-missing"),
    (a_blob_of_a_role_withheld, LISTED, [], 4, "tuf-fetch"),
]
TARS = [
    (cut_off, LISTED, [], 6, "bad-archive"),
    (cut_within_its_end, LISTED, [], 6, "bad-archive"),
    (a_second("index.json"), LISTED, [], 6, "bad-archive"),
    (a_name_by_pax, LISTED, [], 6, "bad-archive"),
    (a_long_name, LISTED, [], 6, "bad-archive"),
    (a_link_for_a_blob, LISTED, ["--deep"], 6, "malformed"),
]


class Machine:
    """What has nothing but the verifier, root.json and a tar."""

    def __init__(self, cell, verifier, root):
        self.cell = cell
        shutil.copy2(verifier, cell / "touchmark-verify")
        (cell / "root.json").write_bytes(root)
        # A program that is not static, as it is while these tests are written, brings its libraries.
        linked = subprocess.run(["ldd", verifier], capture_output=True, text=True)
        for word in linked.stdout.split() if linked.returncode == 0 else []:
            if word.startswith("/"):
                (cell / word[1:]).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(word, cell / word[1:])

    def verify(self, tar, name, *options, root="root.json"):
        """What the verifier says of the tar: the exit code and the document."""
        (self.cell / "all.tar").write_bytes(tar)
        inside = ["unshare", "--net", shutil.which("chroot", path="/usr/sbin:/sbin:/usr/bin:/bin"), self.cell]
        words = ["/touchmark-verify", f"oci-archive:/all.tar:{TAGS[name]}", "--root", f"/{root}", "--name", name, "--format", "json", *options]
        done = subprocess.run([*inside, *words], env={}, capture_output=True, stdin=subprocess.DEVNULL)
        left = sorted(one.name for one in self.cell.iterdir() if one.is_file())
        if left != sorted({"all.tar", "root.json", "touchmark-verify", root}):
            raise SystemExit(f"error: the verifier left files: {left}")
        try:
            return done.returncode, json.loads(done.stdout)
        except ValueError:
            raise SystemExit(f"error: exit {done.returncode}, and no document: {done.stdout!r} {done.stderr!r}")


def no_network():
    """Whether a process in a namespace of its own can be had, and reaches nobody: not even itself."""
    program = "import socket, sys\ntry: socket.create_connection(('127.0.0.1', 9))\nexcept OSError as error: sys.exit(0 if error.errno == 101 else 1)"
    return subprocess.run(["unshare", "--net", sys.executable, "-c", program], capture_output=True, text=True)


def one_side(programs, work):
    """Makes keys, a trust repository and artifacts, and the tars that are carried over."""

    def touchmark(*words):
        environment = {"HOME": str(work), "PATH": "/usr/bin:/bin"}
        done = subprocess.run([programs / "touchmark", *words], cwd=work, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if done.returncode:
            raise SystemExit(f"error: touchmark {' '.join(words)}: exit {done.returncode}: {done.stderr}")

    def publish(folder, *keys):
        touchmark("trust", "--dir", folder, "sign", *(word for key in keys for word in ("--key", key)))
        touchmark("trust", "--dir", folder, "publish", "--key", f"{folder}-keys/snapshot", "--key", f"{folder}-keys/timestamp")

    def repository(folder, key):
        touchmark("trust", "--dir", folder, "init", "--no-passphrase", "--quiet")
        touchmark("trust", "--dir", folder, "publisher", "add", "acme", "--key", f"{key}.pub", "--names", "acme/**")
        publish(folder, f"{folder}-keys/targets", key)

    def tar(name, *tags, trust="trust", layout="lay"):
        for tag in tags:
            touchmark("copy", f"oci:{layout}:{tag}", f"oci-archive:{name}:{tag}", *(["--trust", f"./{trust}"] if trust else []))
        return (work / name).read_bytes()

    for key in ("acme", "mallory"):
        touchmark("key", "generate", "--no-passphrase", "--out", key)
    repository("trust", "acme")
    for tag in ("net-monitor", "agent", "other"):
        (work / tag).write_bytes(tag.encode() * 20_000)
        touchmark("pack", tag, "--to", f"oci:lay:{tag}")
    touchmark("trust", "name", "set", LISTED, "oci:lay:net-monitor")
    touchmark("trust", "name", "set", "acme/other:1", "oci:lay:other")
    touchmark("sign", "oci:lay:agent", "--key", "acme", "--name", SIGNED)
    touchmark("sign", "oci:lay:other", "--key", "acme", "--name", "acme/other:1")
    publish("trust", "acme")
    side = {"all": tar("all.tar", *TAGS.values(), "other"), "one": tar("one.tar", "net-monitor")}
    side["root"] = (work / "trust/metadata/1.root.json").read_bytes()

    # An attacker with a key, a trust repository and an artifact of his own, which have all the names of ours.
    repository("strangers", "mallory")
    (work / "agent").write_bytes(b"malware" * 1_000)
    touchmark("pack", "agent", "--to", "oci:theirs:agent")
    touchmark("sign", "oci:theirs:agent", "--key", "mallory", "--name", SIGNED)
    for name in (LISTED, SIGNED):
        touchmark("trust", "--dir", "strangers", "name", "set", name, "oci:theirs:agent")
    publish("strangers", "mallory")
    side["mallory"] = tar("mallory.tar", "agent", trust=None, layout="theirs")
    side["strangers"] = tar("strangers.tar", "agent", trust="strangers", layout="theirs")
    side["strangers-root"] = (work / "strangers/metadata/1.root.json").read_bytes()

    # He signs our artifacts too, under every name.
    shutil.copytree(work / "lay", work / "signed-more")
    for tag in TAGS.values():
        for name in (LISTED, SIGNED):
            touchmark("sign", f"oci:signed-more:{tag}", "--key", "mallory", "--name", name)
    side["signatures"] = tar("signatures.tar", *TAGS.values(), layout="signed-more")

    # A state in which both artifacts are revoked, carried over beside the older one and by itself.
    for tag in TAGS.values():
        touchmark("trust", "revoke", f"oci:lay:{tag}", "--reason", "leaked", "--role", "acme")
    publish("trust", "acme")
    shutil.copy2(work / "all.tar", work / "both.tar")
    side["both"] = tar("both.tar", *TAGS.values())
    side["newer"] = tar("newer.tar", *TAGS.values())
    return side


def more(side):
    """Tars that hold more than is asked for, none of which changes an answer."""

    def merged(first, second, order):
        layout, other = Layout(first), Layout(second)
        layout.files |= {name: content for name, content in other.files.items() if name.startswith("blobs/")}
        index = layout.index
        tags = {entry.get("annotations", {}).get(TAG) for entry in index["manifests"]} - {None}
        extra = [entry for entry in other.index["manifests"] if entry.get("annotations", {}).get(TAG) not in tags]
        index["manifests"] = order(index["manifests"], extra)
        layout.index = index
        return layout.tar()

    def after(ours, theirs):
        return ours + theirs

    def before(ours, theirs):
        return theirs + ours

    def halved(order):
        """Ours once more, of which a role is missing."""
        layout = Layout(side["all"])
        entry, manifest, layers = layout.trust()
        layers.pop(title_of(layers, "acme"))
        half = layout.put(json.dumps({**manifest, "layers": list(layers.values())}).encode(), entry)
        index = layout.index
        index["manifests"] = order(index["manifests"], [half])
        layout.index = index
        return layout.tar()

    malformed = Layout(side["all"])
    entry, manifest, layers = malformed.trust()
    for layer in layers.values():
        layer["annotations"][TITLE] = "timestamp.json"
    broken = malformed.put(json.dumps({**manifest, "layers": list(layers.values())}).encode(), entry)
    index = malformed.index
    index["manifests"] = [broken, {**broken, "digest": "sha256:" + "0" * 64}, *index["manifests"]]
    malformed.index = index
    return {
        "other artifacts": side["all"],
        "another trust repository behind ours": merged(side["all"], side["strangers"], after),
        "another trust repository before ours": merged(side["all"], side["strangers"], before),
        "a part of our trust repository behind it": halved(after),
        "a part of our trust repository before it": halved(before),
        "trust repositories that are none": malformed.tar(),
        "signatures by a stranger": side["signatures"],
        "everything in another order": merged(side["signatures"], side["strangers"], lambda ours, theirs: [*reversed(theirs), *reversed(ours)]),
        "files that are no part of it": appended(side["all"], "x/" * 60 + "README.txt", b"read me", format=tarfile.GNU_FORMAT),
    }


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--programs", type=pathlib.Path, default=ROOT / "target/dist")
    programs = arguments.parse_args().programs.resolve()
    if os.geteuid() != 0 or not shutil.which("unshare"):
        sys.exit("error: root and unshare (util-linux) are needed, for a machine without files and without a network")
    alone = no_network()
    if alone.returncode:
        sys.exit(f"error: no network namespace without a network is to be had here: {alone.stderr or 'something answers in it'}")

    with tempfile.TemporaryDirectory() as work, tempfile.TemporaryDirectory() as cell:
        side = one_side(programs, pathlib.Path(work))
        machine = Machine(pathlib.Path(cell), programs / "touchmark-verify", side["root"])
        failed = 0

        def check(what, got, code, why=None):
            nonlocal failed
            found, document = got
            result = document["results"][0]
            reason = (result.get("error") or {}).get("code")
            if (found, reason) != (code, why):
                failed += 1
                print(f"error: {what}: exit {found}, {reason}, where {code}, {why} was expected: {json.dumps(result)}", file=sys.stderr)
            else:
                print(f"  exit {found}{f', {reason}' if reason else ''}: {what}")
            return result

        print("nothing but the verifier, root.json and the tar:")
        honest = {}
        for name, by in ((LISTED, "entry"), (SIGNED, "envelopes")):
            result = check(f"{name}, by {by}", machine.verify(side["all"], name, "--deep"), 0)
            honest[name] = (result["pin"], result.get("accepted_by"), result.get("role"))
            if honest[name][1] != by:
                sys.exit(f"error: {name} is accepted by {honest[name][1]}")
        check("one artifact alone", machine.verify(side["one"], LISTED, "--deep"), 0)

        print("tampered with:")
        for what, name, options, code, why in TAMPERED:
            layout = Layout(side["all"])
            what(layout, side)
            check(what.__name__.replace("_", " "), machine.verify(layout.tar(), name, *options), code, why)
        for what, name, options, code, why in TARS:
            tar = what(side["all"])
            label = "a second index.json" if what.__name__ == "tamper" else what.__name__.replace("_", " ")
            check(label, machine.verify(tar, name, *options), code, why)
        later = (datetime.now(timezone.utc) + timedelta(days=8)).strftime("%Y-%m-%dT%H:%M:%SZ")
        tars = more(side)
        for what in ("other artifacts", "another trust repository behind ours", "another trust repository before ours"):
            check(f"an older state alone, past its expiry; {what}", machine.verify(tars[what], LISTED, "--at", later), 5, "tuf-expired")
        (machine.cell / "other.json").write_bytes(side["strangers-root"])
        check("the root of another", machine.verify(side["all"], LISTED, root="other.json"), 5, "tuf-threshold")
        (machine.cell / "other.json").unlink()

        print("the newer state decides, by itself and beside the older one:")
        for what in ("newer", "both"):
            for name in TAGS:
                check(f"revoked, {what}, {name}", machine.verify(side[what], name), 1, "revoked")

        print("holding more than is asked for:")
        for what, tar in tars.items():
            for name in TAGS:
                result = check(f"{what}, {name}", machine.verify(tar, name, "--deep"), 0)
                if (result["pin"], result.get("accepted_by"), result.get("role")) != honest[name]:
                    sys.exit(f"error: {what} changed the answer: {result}")
    if failed:
        sys.exit(f"error: {failed} answers differ")
    print("touchmark-verify answers without a network from a tar and its root.json alone")


if __name__ == "__main__":
    main()
