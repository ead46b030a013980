#!/usr/bin/env python3
"""An external signer for Touchmark (SPEC.md, section 8) that signs by cosign 3, with any ECDSA P-256 key that cosign can reach: a KMS, a
Kubernetes secret, a token, or a file that cosign encrypted.

    export COSIGN_KEY=awskms:///alias/acme        # whatever `cosign sign --key` takes
    touchmark sign REF --key exec:examples/external-signer/cosign-signer.py

The message is signed by `cosign sign-blob` without a transparency log. (cosign still looks for its TUF mirror, and goes on without it.)
"""

import base64
import json
import os
import pathlib
import subprocess
import sys
import tempfile

VERSION = 1
# Names no services: no log and no timestamps.
SERVICES = {"mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json", "rekorTlogConfig": {}, "tsaConfig": {}}


def cosign(*arguments):
    done = subprocess.run(["cosign", *arguments], stdout=subprocess.PIPE, check=False)
    if done.returncode != 0:
        raise ValueError("cosign " + arguments[0] + " failed")
    return done.stdout


def sign(key, request):
    """The signature over the message, in DER."""
    if request["algorithm"] != "ecdsa-p256":
        raise ValueError("cosign signs with " + request["algorithm"] + " keys in a way that Touchmark does not accept")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        message, services, bundle = folder / "message", folder / "services.json", folder / "bundle.json"
        message.write_bytes(base64.b64decode(request["message"]))
        services.write_text(json.dumps(SERVICES))
        cosign("sign-blob", "--yes", "--key", key, "--signing-config", str(services), "--bundle", str(bundle), str(message))
        return json.loads(bundle.read_text())["messageSignature"]["signature"]


def respond(request):
    if request.get("touchmarkSigner") != VERSION:
        raise ValueError("only version 1 of the protocol is known")
    key = os.environ.get("COSIGN_KEY")
    if not key:
        raise ValueError("COSIGN_KEY does not name a key")
    if request["request"] == "public-key":
        return {"publicKey": cosign("public-key", "--key", key).decode()}
    if request["request"] == "sign":
        return {"signature": sign(key, request)}
    raise ValueError("no such request: " + request["request"])


def main():
    try:
        response = respond(json.loads(sys.stdin.readline()))
    except (KeyError, OSError, ValueError) as error:
        response = {"error": {"message": str(error), "retryable": False}}
    print(json.dumps({"touchmarkSigner": VERSION, **response}))


if __name__ == "__main__":
    main()
