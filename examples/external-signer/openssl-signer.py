#!/usr/bin/env python3
"""An external signer for Touchmark (SPEC.md, section 8): signs with a key file by the openssl command.

It stands for any signing service: one request is one line of JSON on standard input, one response is one line of JSON
on standard output, and standard error is for people. To use a service in place of openssl, replace the two functions
`public_key` and `sign`.

    export SIGNER_KEY=key.pem
    touchmark sign oci:artifacts:v1 --key exec:examples/external-signer/openssl-signer.py
"""

import base64
import json
import os
import subprocess
import sys
import tempfile

VERSION = 1
HASHES = {"ecdsa-p256": "-sha256", "ecdsa-p384": "-sha384"}


def openssl(*arguments):
    done = subprocess.run(["openssl", *arguments], stdout=subprocess.PIPE, check=False)
    if done.returncode != 0:
        raise ValueError("openssl " + arguments[0] + " failed")
    return done.stdout


def public_key(key):
    """The public key as PEM."""
    return openssl("pkey", "-in", key, "-pubout").decode()


def sign(key, request):
    """The signature over the message: 64 bytes for ed25519, DER for ecdsa."""
    algorithm = request["algorithm"]
    # A service that signs hashes takes request["digest"] for ecdsa; openssl takes the message.
    with tempfile.NamedTemporaryFile() as message:
        message.write(base64.b64decode(request["message"]))
        message.flush()
        if algorithm == "ed25519":
            return openssl("pkeyutl", "-sign", "-rawin", "-inkey", key, "-in", message.name)
        if algorithm in HASHES:
            return openssl("dgst", HASHES[algorithm], "-sign", key, message.name)
    raise ValueError("no such algorithm: " + algorithm)


def respond(request):
    if request.get("touchmarkSigner") != VERSION:
        raise ValueError("only version 1 of the protocol is known")
    key = os.environ.get("SIGNER_KEY")
    if not key:
        raise ValueError("SIGNER_KEY does not name a key file")
    if request["request"] == "public-key":
        return {"publicKey": public_key(key)}
    if request["request"] == "sign":
        return {"signature": base64.b64encode(sign(key, request)).decode()}
    raise ValueError("no such request: " + request["request"])


def main():
    try:
        response = respond(json.loads(sys.stdin.readline()))
    except (KeyError, ValueError) as error:
        response = {"error": {"message": str(error), "retryable": False}}
    print(json.dumps({"touchmarkSigner": VERSION, **response}))


if __name__ == "__main__":
    main()
