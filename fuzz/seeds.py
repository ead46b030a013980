"""Gathers the inputs that the fuzz targets start from, a folder for each target: testdata/seeds, and what the vectors of testdata hold.

    seeds.py FOLDER
"""

import base64
import io
import json
import pathlib
import shutil
import sys
import tarfile

TESTDATA = pathlib.Path(__file__).resolve().parents[1] / "testdata"


def canonical_json():
    for number, vector in enumerate(json.loads((TESTDATA / "cjson/vectors.json").read_text())):
        document = bytes.fromhex(vector["document_hex"]) if "document_hex" in vector else vector["document"].encode()
        yield f"cjson-{number:02}", document


def keys():
    """The keys of the Wycheproof vectors, one of each kind, in both forms, and the private key that is made of nothing but ones."""
    for path in sorted((TESTDATA / "wycheproof").glob("*.json")):
        group = json.loads(path.read_text())["testGroups"][0]
        yield f"{path.stem}.der", bytes.fromhex(group["publicKeyDer"])
        yield f"{path.stem}.pem", group["publicKeyPem"].encode()
    ed25519 = bytes.fromhex("302e020100300506032b657004220420") + b"\x01" * 32
    yield "ed25519-private.der", ed25519


def tars():
    """The layouts of the seeds for index.json, as tars in the formats that are about."""
    empty = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    for path in sorted((TESTDATA / "seeds/layout_index").glob("*.json")):
        for name, form in [("ustar", tarfile.USTAR_FORMAT), ("gnu", tarfile.GNU_FORMAT), ("pax", tarfile.PAX_FORMAT)]:
            out = io.BytesIO()
            with tarfile.open(fileobj=out, mode="w", format=form) as tar:
                files = {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}', "index.json": path.read_bytes(), f"blobs/sha256/{empty}": b"{}"}
                # A path that needs the formats' ways of writing long names.
                files["x" * 120 if form != tarfile.USTAR_FORMAT else "x"] = b"long"
                for file, content in files.items():
                    member = tarfile.TarInfo(file)
                    member.size = len(content)
                    tar.addfile(member, io.BytesIO(content))
            yield f"{path.stem}-{name}.tar", out.getvalue()


def in_toto():
    """The layouts and links of in-toto-golang."""
    for path in sorted((TESTDATA / "in-toto/golang").iterdir()):
        if path.suffix in (".layout", ".link"):
            yield path.name, path.read_bytes()


def predicates():
    """A constraint, the number of a type and a predicate of each type that is known, with what its specification requires."""
    uri = {"uri": "https://policy.example", "digest": {"sha256": "00"}}
    known = [
        {"buildDefinition": {"buildType": "https://builder.example/make", "externalParameters": {"ref": "v1"}, "resolvedDependencies": [uri]}, "runDetails": {"builder": {"id": "https://builder.example"}}},
        {"name": "build", "command": ["make"], "materials": [{"name": "a", "digest": {"sha256": "00"}}]},
        {"verifier": {"id": "https://verifier.example"}, "timeVerified": "2030-01-01T00:00:00Z", "resourceUri": "pkg:oci/x", "policy": uri, "verificationResult": "PASSED", "verifiedLevels": ["SLSA_BUILD_LEVEL_3"], "dependencyLevels": {"SLSA_BUILD_LEVEL_1": 2}},
        {"result": "PASSED", "configuration": [uri], "failedTests": []},
        {"verifier": {"id": "https://verifier.example", "policies": [uri]}, "timeCreated": "2030-01-01T00:00:00.5Z", "properties": ["A"]},
        {"purl": "pkg:npm/%40a/b@1.0?x=y#z", "packageId": "1"},
        {"subject": [{"name": "a", "digest": {"sha256": "00"}}], "n": 1.50e3, "l": [1, "a", None, True]},
    ]
    constraints = [
        {"at": "/runDetails/builder/id", "matches": "https://*"},
        {"at": "/materials", "every": {"at": "/name", "one_of": ["a", "b"]}},
        {"all": [{"at": "/verificationResult", "equals": "PASSED"}, {"not": {"at": "/verifiedLevels", "equals": []}}]},
        {"any": [{"at": "/failedTests", "present": False}, {"at": "/failedTests", "equals": []}]},
        {"at": "/properties", "some": {"at": "", "equals": "A"}},
        {"at": "", "only": ["purl", "packageId"]},
        {"all": [{"at": "/n", "at_least": 1500}, {"at": "/n", "at_most": 1500.0}]},
    ]
    for number, (constraint, predicate) in enumerate(zip(constraints, known, strict=True)):
        yield f"{number}.txt", f"{json.dumps(constraint)}\n{number}\n{json.dumps(predicate)}".encode()


def certificates():
    """Certificates of functionaries and of authorities, each as either."""
    for path in sorted((TESTDATA / "in-toto/x509").glob("*.pem")):
        der = base64.b64decode("".join(path.read_text().splitlines()[1:-1]))
        for place in (0, 1):
            yield f"{path.stem}-{place}", bytes([place]) + der


def decisions():
    """For each thing that can be wanted, an honest world in which it holds, and the same before a source that begins to lie."""
    for ground in range(8):
        artifact = {5: 1, 6: 1}.get(ground, 0)
        for more in (0, 1, 2, 4, 6, 8, 14):
            attached = [[0, artifact, signer, 0, artifact] for signer in (0, 1, 2)]
            attached += [[1, artifact, 1, 0, artifact], [2, artifact, 1, 0, artifact, 3, 0]]
            honest = bytes([ground, artifact, more, len(attached)] + [byte for one in attached for byte in one])
            yield f"{ground}-{more}", honest
            for lie in (2, 6, 9):
                yield f"{ground}-{more}-{lie}", honest + bytes([0, 0, 0, lie, 5, 5, lie])


def policies():
    """A reference, a wanted name and a document: the questions of the vectors, and the documents that are asked nothing."""
    vectors = json.loads((TESTDATA / "policy/vectors.json").read_text())
    for number, vector in enumerate(vectors["questions"] + vectors["documents"]):
        text = vector["text"] if "text" in vector else json.dumps(vector["document"])
        yield f"{number:03}", f"{vector.get('reference', 'r.example/acme/x:1')}\n{vector.get('name', 'acme/x:1')}\n{text}".encode()


def members():
    """The member of a role, and `custom` of a target."""
    digest = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
    details = {"mediaType": "application/vnd.oci.image.manifest.v1+json", "expires": "2030-01-01T00:00:00Z", "annotations": {"k": "v"}}
    seal = {"length": 7, "hashes": {"sha256": digest, "sha512": digest * 2}}
    role = {"version": 1, "envelopes": ["acme", "acme+edge"], "revoked": [{"digest": f"sha256:{digest}", "reason": "leaked"}]}
    role["seals"] = {"acme/x:1": [seal | details, seal], "acme/x:2": [seal], "acme/y": []}
    for number, member in enumerate([role, {"version": 1}, {"x-touchmark": {"version": 1} | details}, {"x-touchmark": {"version": 2}}, {"version": 1, "revoked": [{"digest": digest}]}]):
        yield f"{number}.txt", f"acme/x:1\n{json.dumps(member)}".encode()


def main():
    root = pathlib.Path(sys.argv[1])
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(TESTDATA / "seeds", root, ignore=shutil.ignore_patterns("SOURCE"))
    for target, seeds in [("json", canonical_json()), ("keys", keys()), ("tar", tars()), ("in_toto_document", in_toto()), ("in_toto_predicate", predicates()), ("in_toto_certificate", certificates()), ("trust_decision", decisions()), ("policy", policies()), ("x_touchmark", members())]:
        (root / target).mkdir(exist_ok=True)
        for name, content in seeds:
            (root / target / name).write_bytes(content)
    # Every document is a document.
    documents = ("signed", "dsse", "statement", "manifest", "layout_index", "docker_config", "referrers_list", "tag_list", "tuf_root", "tuf_timestamp", "tuf_snapshot", "tuf_targets")
    for path in [path for target in documents for path in (root / target).glob("*.json")]:
        shutil.copy(path, root / "json" / f"{path.parent.name}-{path.name}")


if __name__ == "__main__":
    main()
