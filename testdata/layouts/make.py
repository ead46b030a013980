"""Makes `signed/`: an OCI layout with signatures, by openssl and this script alone, without any of Touchmark's code.

    python3 make.py

Writes alice.pub (Ed25519) and bob.pub (ECDSA P-256); the private keys are thrown away. Tags:
  v1        signed by both as acme/x:1, attested by alice as https://slsa.dev/provenance/v1
  unsigned  not signed
  multi     an index of amd64 (v1) and arm64 (unsigned), signed by alice as acme/multi:1
"""

import base64
import hashlib
import json
import pathlib
import shutil
import subprocess
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
LAYOUT = HERE / "signed"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
SIGNATURE = "application/vnd.touchmark.signature.v1+json"
ENVELOPE = "application/vnd.dsse.envelope.v1+json"
IN_TOTO = "application/vnd.in-toto+json"
STATEMENT = "https://in-toto.io/Statement/v1"
TAG = "org.opencontainers.image.ref.name"


def openssl(*arguments):
    return subprocess.run(("openssl", *map(str, arguments)), check=True, stdout=subprocess.PIPE).stdout


class Key:
    def __init__(self, name, folder, *options):
        self.private = folder / name
        self.digest = () if "ed25519" in options else ("-digest", "sha256")
        openssl("genpkey", *options, "-out", self.private)
        openssl("pkey", "-in", self.private, "-pubout", "-out", HERE / f"{name}.pub")
        spki = openssl("pkey", "-in", self.private, "-pubout", "-outform", "DER")
        self.id = hashlib.sha256(spki).hexdigest()

    def sign(self, message):
        with tempfile.NamedTemporaryFile() as file:
            file.write(message)
            file.flush()
            return openssl("pkeyutl", "-sign", "-inkey", self.private, "-rawin", *self.digest, "-in", file.name)


def blob(content):
    digest = hashlib.sha256(content).hexdigest()
    (LAYOUT / "blobs/sha256" / digest).write_bytes(content)
    return "sha256:" + digest


def descriptor(media_type, content):
    return {"mediaType": media_type, "digest": blob(content), "size": len(content)}


def manifest(**members):
    media_type = INDEX if "manifests" in members else MANIFEST
    document = {"schemaVersion": 2, "mediaType": media_type, **members}
    return descriptor(media_type, json.dumps(document, separators=(",", ":")).encode())


def artifact(text):
    layer = {**descriptor("text/plain", text.encode()), "annotations": {"org.opencontainers.image.title": "text.txt"}}
    config = descriptor("application/vnd.oci.empty.v1+json", b"{}")
    return manifest(artifactType="application/vnd.example.text", config=config, layers=[layer])


def attach(subject, keys, artifact_type, name, predicate_type, predicate):
    statement = {
        "_type": STATEMENT,
        "subject": [{"name": name, "digest": {"sha256": subject["digest"].removeprefix("sha256:")}}],
        "predicateType": predicate_type,
        "predicate": predicate,
    }
    # A number in a predicate keeps its text, which this would rewrite.
    payload = json.dumps(statement).replace('"9.80"', "9.80").encode()
    message = b"DSSEv1 %d %s %d %s" % (len(IN_TOTO), IN_TOTO.encode(), len(payload), payload)
    signatures = [{"keyid": key.id, "sig": base64.b64encode(key.sign(message)).decode()} for key in keys]
    envelope = {"payloadType": IN_TOTO, "payload": base64.b64encode(payload).decode(), "signatures": signatures}
    layer = descriptor(ENVELOPE, json.dumps(envelope).encode())
    config = descriptor("application/vnd.oci.empty.v1+json", b"{}")
    return {**manifest(artifactType=artifact_type, config=config, layers=[layer], subject=subject), "artifactType": artifact_type}


def sign(subject, keys, name):
    predicate = {"mediaType": subject["mediaType"], "size": subject["size"], "issued": "2026-11-01T00:00:00Z"}
    return attach(subject, keys, SIGNATURE, name, "urn:touchmark:predicate:signature:v1", predicate)


def main():
    shutil.rmtree(LAYOUT, ignore_errors=True)
    (LAYOUT / "blobs/sha256").mkdir(parents=True)
    with tempfile.TemporaryDirectory() as folder:
        alice = Key("alice", pathlib.Path(folder), "-algorithm", "ed25519")
        bob = Key("bob", pathlib.Path(folder), "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
        one, two = artifact("one\n"), artifact("two\n")
        platforms = zip((one, two), ("amd64", "arm64"))
        multi = manifest(manifests=[{**child, "platform": {"os": "linux", "architecture": name}} for child, name in platforms])
        provenance = {"buildDefinition": {"buildType": "https://example.com/build"}, "score": "9.80"}
        entries = [
            {**one, "annotations": {TAG: "v1"}},
            {**two, "annotations": {TAG: "unsigned"}},
            {**multi, "annotations": {TAG: "multi"}},
            sign(one, [alice, bob], "acme/x:1"),
            attach(one, [alice], IN_TOTO, "acme/x:1", "https://slsa.dev/provenance/v1", provenance),
            sign(multi, [alice], "acme/multi:1"),
        ]
    (LAYOUT / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    (LAYOUT / "index.json").write_text(json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}))


if __name__ == "__main__":
    main()
