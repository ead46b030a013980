"""Supply chains for benches/in_toto_verifiers.py, made by python's in-toto: large ones, which are the same in every run, and the demo of the project.

All is in DSSE and signed by Ed25519. Each is a folder with `root.layout`, the key of its owner in `owner.pub`, and the links.
"""

import hashlib
import json
import os
import pathlib
import random
import subprocess

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from in_toto import runlib
from in_toto.models.layout import Inspection, Layout, Step
from in_toto.models.link import Link
from in_toto.models.metadata import Envelope
from securesystemslib.signer import CryptoSigner

EXPIRES = "2100-01-01T00:00:00Z"


def private_key(name):
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest())


def signer_of(name):
    return CryptoSigner(private_key(name))


def key_dict(signer):
    key = signer.public_key
    return {"keyid": key.keyid, **key.to_dict()}


def keys(signers):
    return {signer.public_key.keyid: key_dict(signer) for signer in signers}


def rules(*lines):
    return [line.split(" ") for line in lines]


def dump(signable, signer, path):
    envelope = Envelope.from_signable(signable)
    envelope.create_signature(signer)
    envelope.dump(str(path))


def owned(folder, layout):
    """Has the owner sign a layout in a folder, and gives the key as a verifier takes it."""
    owner = private_key("owner")
    dump(layout, signer_of("owner"), folder / "root.layout")
    spki = owner.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    (folder / "owner.pub").write_bytes(spki)
    return keys([signer_of("owner")])


def link_file(step, signer):
    return f"{step}.{signer.public_key.keyid:.8}.link"


def large(folder, steps, artifacts, seed=1):
    """Each step takes what the former one made, changes one artifact of a hundred, and leaves the others."""
    folder.mkdir()
    random.seed(seed)
    signers = [signer_of(f"functionary {number}") for number in range(steps)]
    names = [f"src/{random.randrange(100):02}/file-{number:06}.txt" for number in range(artifacts)]
    hashed = lambda: {"sha256": random.randbytes(32).hex()}
    before, listed = {}, []
    for number, signer in enumerate(signers):
        name = f"step-{number}"
        if number == 0:
            after = {artifact: hashed() for artifact in names}
            materials, products = rules("DISALLOW *"), rules("CREATE src/*", "DISALLOW *")
        else:
            after = {**before, **{artifact: hashed() for artifact in names[number::100]}}
            materials = rules(f"MATCH src/* WITH PRODUCTS FROM step-{number - 1}", "DISALLOW *")
            products = rules("MODIFY src/*", f"MATCH * IN src WITH PRODUCTS IN src FROM step-{number - 1}", "DISALLOW *")
        listed.append(
            Step(
                name=name,
                pubkeys=[signer.public_key.keyid],
                threshold=1,
                expected_command=["make"],
                expected_materials=materials,
                expected_products=products,
            )
        )
        link = Link(name=name, materials=before, products=after, command=["make"], byproducts={"return-value": 0})
        dump(link, signer, folder / link_file(name, signer))
        before = after
    return owned(folder, Layout(readme="", expires=EXPIRES, keys=keys(signers), steps=listed, inspect=[]))


def demo(folder):
    """Clone, update-version and package, with the product in `final`, and the owner's own link for the inspection that unpacks it."""
    work, final = folder / "work", folder / "final"
    for new in (work, final, folder / "upstream"):
        new.mkdir(parents=True)
    bob, carl, owner = (signer_of(name) for name in ("bob", "carl", "owner"))
    start = os.getcwd()
    git = ["git", "-C", folder / "upstream", "-c", "user.name=bob", "-c", "user.email=bob@localhost"]
    (folder / "upstream/foo.py").write_text('VERSION = "foo-v0"\n')
    for words in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message", "first"]):
        subprocess.run([*git, *words], check=True)

    def run(name, signer, materials, products, command):
        runlib.in_toto_run(name, materials, products, command, signer=signer, use_dsse=True, metadata_directory=str(folder))

    try:
        os.chdir(work)
        clone = ["git", "clone", "--quiet", "../upstream", "demo-project"]
        run("clone", bob, [], ["demo-project/foo.py"], clone)
        update = ["sed", "-i", "s/v0/v1/", "demo-project/foo.py"]
        run("update-version", bob, ["demo-project/foo.py"], ["demo-project/foo.py"], update)
        package = ["tar", "--exclude", ".git", "-zcvf", "demo-project.tar.gz", "demo-project"]
        run("package", carl, ["demo-project/foo.py"], ["demo-project.tar.gz"], package)
        (final / "demo-project.tar.gz").write_bytes(pathlib.Path("demo-project.tar.gz").read_bytes())
        looked = folder / "looked"
        looked.mkdir()
        (looked / "demo-project.tar.gz").write_bytes((final / "demo-project.tar.gz").read_bytes())
        os.chdir(looked)
        run("untar", owner, ["."], ["."], ["tar", "xzf", "demo-project.tar.gz"])
    finally:
        os.chdir(start)

    def step(name, signer, command, materials, products):
        expected = {"expected_materials": rules(*materials), "expected_products": rules(*products)}
        return Step(name=name, pubkeys=[signer.public_key.keyid], threshold=1, expected_command=command, **expected)

    around = ["ALLOW .keep", "ALLOW alice.pub", "ALLOW root.layout", "DISALLOW *"]
    unpacked = ["MATCH demo-project/foo.py WITH PRODUCTS FROM update-version", "ALLOW demo-project/.git/*", "ALLOW demo-project.tar.gz"]
    untar = Inspection(
        name="untar",
        run=["tar", "xzf", "demo-project.tar.gz"],
        expected_materials=rules("MATCH demo-project.tar.gz WITH PRODUCTS FROM package", *around),
        expected_products=rules(*unpacked, *around),
    )
    steps = [
        step("clone", bob, clone, [], ["CREATE demo-project/foo.py", "DISALLOW *"]),
        step(
            "update-version",
            bob,
            update,
            ["MATCH demo-project/* WITH PRODUCTS FROM clone", "DISALLOW *"],
            ["MODIFY demo-project/foo.py", "DISALLOW *"],
        ),
        step(
            "package",
            carl,
            package,
            ["MATCH demo-project/* WITH PRODUCTS FROM update-version", "DISALLOW *"],
            ["CREATE demo-project.tar.gz", "DISALLOW *"],
        ),
    ]
    return owned(folder, Layout(readme="", expires=EXPIRES, keys=keys([bob, carl]), steps=steps, inspect=[untar]))


def size(folder):
    return sum(path.stat().st_size for path in folder.glob("*.link"))


def question(folder, owner, product):
    return json.dumps({"op": "verify", "folder": str(folder), "layout": "root.layout", "keys": owner, "product": str(product)})
